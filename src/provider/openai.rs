//! OpenAI, by its chat completions and its Responses; with another address, every server that speaks as it does.

use super::chat::CHAT;
use super::responses::RESPONSES;
use super::spec::{Means, Spec, Vendor};

/// OpenAI itself, and every server that speaks its chat completions.
pub(super) const OPENAI: Spec = Spec {
    name: "openai",
    means: Means::Network(Vendor {
        address: "https://api.openai.com/v1",
        address_variable: Some("OPENAI_BASE_URL"),
        key_variables: &["OPENAI_API_KEY"],
        organization_variable: Some("OPENAI_ORGANIZATION"),
        model: "gpt-6-luna",
        dialect: &CHAT,
        responses: Some(&RESPONSES),
    }),
};

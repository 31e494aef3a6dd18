//! OpenAI, with chat completions and Responses, and compatible servers at other addresses.

use super::chat::CHAT;
use super::responses::RESPONSES;
use super::spec::{Means, Spec, Vendor};

/// OpenAI, and every server with its chat completions API.
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

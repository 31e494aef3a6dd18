//! Mistral's chat completions: OpenAI's with another name for the seed and a single name for the token limit.

use super::chat::{Chat, Wire, bearer};
use super::endpoint::Address;
use super::refusal::Part;
use super::spec::{Means, Spec, Vendor};

pub(super) const MISTRAL: Spec = Spec {
    name: "mistral",
    means: Means::Network(Vendor {
        address: "https://api.mistral.ai/v1",
        address_variable: None,
        key_variables: &["MISTRAL_API_KEY"],
        organization_variable: None,
        model: "mistral-small-latest",
        dialect: &Chat {
            wire: &Wire {
                address: |access| Ok(Address::parse(&access.base_url)?.in_version("/v1")),
                key: bearer,
            },
            seed: "/random_seed",
            caps: &[Part::MaxTokens],
        },
        responses: None,
    }),
};

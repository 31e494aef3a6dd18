//! Why nobody knows what a request can cost, or did.

use crate::text;

/// Why a budget cannot be kept where this is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmetered {
    /// Nobody knows what its tokens cost.
    #[error("there is no price for {}", named(.model))]
    NoPrice {
        /// The model.
        model: String,
    },
    /// Nobody knows how long an answer can get.
    #[error("an answer of {} may be of any length", named(.model))]
    NoLength {
        /// The model.
        model: String,
    },
    /// The server takes no limit on the length of an answer.
    #[error("it takes no limit on the tokens of an answer")]
    NoLimit,
    /// The server does not say what an answer took.
    #[error("it does not report the tokens of its answers")]
    NoUsage,
    /// The server counts more than akit sent and let it answer: what its next answers cost cannot be told.
    #[error("it counted more tokens than the request and its limit account for")]
    Beyond,
    /// Another model answered, at prices of its own.
    #[error("{} answered instead, and what that costs is not known", text::excerpt(.model, 60))]
    StandIn {
        /// The model that answered.
        model: String,
    },
}

/// A model, or the bot that has none.
fn named(model: &str) -> &str {
    if model.is_empty() { "a bot without a `model`" } else { model }
}

impl Unmetered {
    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoPrice { model } if model.is_empty() => {
                "name a model (`-m NAME`) that has a price under `prices:` in akit.yaml, or leave `--budget` out".to_owned()
            }
            Self::NoPrice { model } => format!(
                "add `prices: {{ {}: {{ input: USD, output: USD }} }}` to akit.yaml, for a million tokens each, or leave `--budget` out",
                serde_json::json!(model)
            ),
            Self::NoLength { .. } => "set `maxTokens` in the scenario".to_owned(),
            Self::NoLimit | Self::NoUsage | Self::Beyond => {
                "leave `--budget` out, or ask a server that does".to_owned()
            }
            Self::StandIn { .. } => "name the model that answers, or leave `--budget` out".to_owned(),
        }
    }
}

//! Why the cost of a request is unknown.

use crate::text;

/// Why a budget cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmetered {
    /// The model has no price.
    #[error("no price for {}", named(.model))]
    NoPrice {
        /// The model.
        model: String,
    },
    /// The length of an answer is not limited.
    #[error("answers from {} have no maximum length", named(.model))]
    NoLength {
        /// The model.
        model: String,
    },
    /// The server does not accept a limit on the length of an answer.
    #[error("it does not accept a token limit")]
    NoLimit,
    /// The server does not report usage.
    #[error("it does not report token usage")]
    NoUsage,
    /// The server counted more tokens than the request and its limit allow, so the cost of the next answers is
    /// unpredictable.
    #[error("it counted more tokens than the request and its limit allow")]
    Beyond,
    /// Another model answered, at its own prices.
    #[error("{} answered instead, at an unknown cost", text::excerpt(.model, 60))]
    StandIn {
        /// The model that answered.
        model: String,
    },
}

/// A model, or a bot without one.
fn named(model: &str) -> &str {
    if model.is_empty() { "a bot without a `model`" } else { model }
}

impl Unmetered {
    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoPrice { model } if model.is_empty() => {
                "choose a model (`-m NAME`) with a price under `prices:` in akit.yaml, or remove `--budget`"
                    .to_owned()
            }
            Self::NoPrice { model } => format!(
                "add `prices: {{ {}: {{ input: USD, output: USD }} }}` (per million tokens) to akit.yaml, or remove `--budget`",
                serde_json::json!(model)
            ),
            Self::NoLength { .. } => "set `maxTokens` in the scenario".to_owned(),
            Self::NoLimit | Self::NoUsage | Self::Beyond => {
                "remove `--budget`, or use another server".to_owned()
            }
            Self::StandIn { .. } => "set `model` to the one that answers, or remove `--budget`".to_owned(),
        }
    }
}

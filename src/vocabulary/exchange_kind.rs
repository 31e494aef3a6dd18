//! The kinds of exchange with a model.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// What an exchange with a model is for, as its record says under `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ExchangeKind {
    /// The application answers a case.
    Reply,
    /// A judge gives its verdict.
    Vote,
    /// A judge is shown an answer whose verdict is known.
    Canary,
    /// A text becomes numbers.
    Embedding,
}

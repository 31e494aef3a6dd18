//! The kinds of exchange with a model.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The purpose of an exchange with a model, recorded under `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ExchangeKind {
    /// The application answers a case.
    Reply,
    /// A judge gives its verdict.
    Vote,
    /// A judge is tested with an answer whose verdict is known.
    Canary,
    /// Text is embedded.
    Embedding,
}

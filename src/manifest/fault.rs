//! Why something could not be judged.

use serde::{Deserialize, Serialize};

use crate::vocabulary::FaultKind;

/// Why a trial could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// Stable kebab-case kind: `timeout`, `connect`, `rate-limited`, `cache-miss`, `judge-unreadable`, …
    pub kind: FaultKind,
    /// What happened.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The message without what is about this case alone, where many cases may have one cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
}

impl Fault {
    /// A fault of one case.
    #[must_use]
    pub fn new(kind: FaultKind, message: String, help: &str) -> Self {
        Self { kind, message, help: help.to_owned(), cause: String::new() }
    }
}

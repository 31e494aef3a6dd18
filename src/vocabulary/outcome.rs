//! The result of something that was judged.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// The result of a case, a trial or an expectation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumIter, IntoStaticStr,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The answer met the expectation.
    Passed,
    /// The answer was bad.
    Failed,
    /// The answer could not be judged: provider down, judge unreadable, cache miss in replay.
    Errored,
    /// Not asked: filtered out, or the run ended before.
    Skipped,
}

impl Outcome {
    /// The word for display.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

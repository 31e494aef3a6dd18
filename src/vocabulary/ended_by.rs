//! What ended a conversation.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What ended a conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EndedBy {
    /// All turns of the script were said.
    Turns,
    /// The application handed off to a person.
    Handoff,
    /// An answer met an expectation under `ends`.
    Expectation,
    /// The customer reached `max_turns`.
    MaxTurns,
    /// The customer had nothing more to say (`otherwise`, `then: end`).
    Otherwise,
    /// The application said something that no rule matches, with `off_script: fail`.
    OffScript,
    /// A turn failed, and `stop_on_failure` is set.
    Failure,
    /// Something could not be asked or judged.
    Error,
    /// A word of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(EndedBy);

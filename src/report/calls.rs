//! The tool calls of an answer, as every report lists them.

use crate::text::number;
use crate::vocabulary::ToolCall;

/// The label of a call.
pub(super) const CALL: &str = "tool call";

/// Maximum number of calls shown.
const CALLS: usize = 10;

/// The first calls of an answer, one per line; as untrusted as its text.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) shown: Vec<String>,
    all: usize,
}

impl Calls {
    pub(super) fn of<'a>(calls: impl Iterator<Item = &'a ToolCall>) -> Self {
        let (mut shown, mut all) = (Vec::new(), 0);
        for call in calls {
            shown.extend((all < CALLS).then(|| call.line()));
            all += 1;
        }
        Self { shown, all }
    }

    /// The number of calls that are not shown.
    pub(super) fn more(&self) -> Option<String> {
        let more = self.all - self.shown.len();
        (more > 0).then(|| format!("… and {} more {CALL}s", number::size(more)))
    }
}

//! The field's words as types: what several modules store, match on and report.
//!
//! Closed enums. A word that is not in a table is an error that names itself, never a pass.

mod outcome;
mod reply;
mod stop;
mod tool_call;
mod usage;

pub use outcome::Outcome;
pub use reply::Reply;
pub use stop::StopReason;
pub use tool_call::ToolCall;
pub use usage::Usage;

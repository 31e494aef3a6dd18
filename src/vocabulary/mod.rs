//! The field's words as types: what several modules store, match on and report.
//!
//! Closed enums. A word that is not in a table is an error that names itself, never a pass.

mod stop;
mod tool_call;

pub use stop::StopReason;
pub use tool_call::ToolCall;

//! Shared words as types: what several modules store, match on and report.
//!
//! The enums are closed: a word that is not in a table is an error that names the word, never a pass.

mod answer;
mod case_id;
mod ended_by;
mod error_class;
mod exchange_kind;
mod fault_kind;
mod finding_id;
mod metric;
mod moment;
mod outcome;
mod service_level;
mod stop;
mod stop_words;
mod verdict_kind;
mod weakening_kind;
mod word;

pub use answer::{Answer, Timings, ToolCall, Usage, told};
pub use case_id::CaseId;
pub use ended_by::EndedBy;
pub use error_class::ErrorClass;
pub use exchange_kind::ExchangeKind;
pub use fault_kind::FaultKind;
pub use finding_id::{FindingId, Selection, Subject};
pub use metric::Metric;
pub use moment::{BadMoment, moment, now, rfc3339, timestamp};
pub use outcome::Outcome;
pub use service_level::ServiceLevel;
pub use stop::StopReason;
pub use stop_words::StopWords;
pub use verdict_kind::{About, VerdictKind};
pub use weakening_kind::{WeakeningKind, Weaker};
pub use word::meaning;

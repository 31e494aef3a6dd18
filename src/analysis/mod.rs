//! What stored runs and baselines show together, as data: reports render it, and nothing here decides.

pub mod attribution;
pub mod compare;
pub mod plan;
mod side;
mod trend;

pub use attribution::{Attribution, Cause, Common};
pub use plan::{Broken, MOST_REPEATS, Outlook, Prospect, Setup, Size};
pub use side::{Seen, Side};
pub use trend::{DearCase, FlakyCase, RunLine, SlowCase, Trend};

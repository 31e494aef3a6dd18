//! Analyses of stored runs and baselines, as data. Reports render them; nothing here decides whether to ship.

pub mod attribution;
pub mod compare;
pub mod plan;
mod side;
mod trend;

pub use attribution::{Attribution, Cause, Common};
pub use plan::{Broken, MOST_REPEATS, Outlook, Prospect, Setup, Size};
pub use side::{Seen, Side};
pub use trend::{DearCase, FlakyCase, RunLine, SlowCase, Trend};

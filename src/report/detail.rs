//! How much of each case a page shows: as much as keeps the page below [`MOST`] bytes.

use std::io::Write;

use crate::vocabulary::Outcome;

use super::RenderError;
use super::entry::bad;

/// Maximum number of bytes of a page.
pub(super) const MOST: usize = 4_800_000;

/// Approximate number of bytes of a case without its texts.
pub(super) const MARKUP: usize = 600;

/// How much of each case a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every expectation and earlier answer; only long texts are cut.
    Full,
    /// Expectations and earlier answers of cases that did not pass.
    Reduced,
    /// The beginning of each text.
    Least,
}

/// Which cases are shown longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// Cases that did not pass, or that changed.
    High,
    Low,
}

impl Interest {
    pub(super) fn of(outcome: Outcome) -> Self {
        if bad(outcome) { Self::High } else { Self::Low }
    }
}

impl Detail {
    /// Maximum number of characters of one text of a case.
    pub(super) fn text(self, interest: Interest) -> usize {
        match (self, interest) {
            (Detail::Full, Interest::High) => 6_000,
            (Detail::Full, Interest::Low) => 2_000,
            (Detail::Reduced, Interest::High) => 800,
            (Detail::Reduced, Interest::Low) => 200,
            (Detail::Least, Interest::High) => 120,
            (Detail::Least, Interest::Low) => 80,
        }
    }

    /// Maximum number of trials of one case.
    pub(super) fn trials(self) -> usize {
        match self {
            Detail::Full => 20,
            Detail::Reduced => 3,
            Detail::Least => 1,
        }
    }

    /// Whether a case shows each of its expectations, and the earlier answer.
    pub(super) fn explains(self, interest: Interest) -> bool {
        match self {
            Detail::Full => true,
            Detail::Reduced => interest == Interest::High,
            Detail::Least => false,
        }
    }

    /// A sentence on which earlier answers are missing.
    pub(super) fn left_out(self) -> &'static str {
        match self {
            Detail::Full => "",
            Detail::Reduced => "To save space, earlier answers are shown only for cases that did not pass.",
            Detail::Least => "To save space, earlier answers are left out.",
        }
    }
}

/// The most detailed page that is small enough, else the least detailed one. `size` estimates the bytes of all cases,
/// so that a page that is too large is rarely rendered. The least detailed one is not held in memory.
pub(super) fn fit(
    size: impl Fn(Detail) -> usize,
    write: impl Fn(Detail, &mut dyn Write) -> Result<(), RenderError>,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    for detail in [Detail::Full, Detail::Reduced] {
        if size(detail) <= MOST {
            let mut page = Vec::new();
            write(detail, &mut page)?;
            if page.len() <= MOST {
                return Ok(out.write_all(&page)?);
            }
        }
    }
    write(Detail::Least, out)
}

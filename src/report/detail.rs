//! How much of each case a page shows, so that the page stays below [`MOST`] bytes.

use std::io::Write;

use crate::text::number;
use crate::vocabulary::Outcome;

use super::RenderError;
use super::entry::bad;

/// Maximum number of bytes in a page.
pub(super) const MOST: usize = 4_800_000;

/// Approximate number of bytes of a case without its text.
pub(super) const MARKUP: usize = 600;

/// Maximum number of cases on a page where every case can be opened.
const ALL_UNFOLDED: usize = 5_000;

/// How many of this many cases can be opened; each other case is one line. If 100,000 cases could be opened, a browser
/// would be too slow.
pub(super) fn unfolded(cases: usize) -> usize {
    if cases <= ALL_UNFOLDED { cases } else { 3_000 }
}

/// How much of each case a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every expectation and earlier answer; only long text is cut.
    Full,
    /// Expectations and earlier answers of cases that did not pass.
    Reduced,
    /// The beginning of each text.
    Least,
}

/// Which cases keep more of their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// Cases that did not pass, or that changed.
    High,
    /// All others.
    Low,
}

impl Interest {
    pub(super) fn of(outcome: Outcome) -> Self {
        if bad(outcome) { Self::High } else { Self::Low }
    }
}

impl Detail {
    /// Maximum number of characters in one string of a case.
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

    /// Whether a case lists its expectations one by one and shows an earlier run's answer.
    pub(super) fn explains(self, interest: Interest) -> bool {
        match self {
            Detail::Full => true,
            Detail::Reduced => interest == Interest::High,
            Detail::Least => false,
        }
    }

    /// What a page with this many cases leaves out, in sentences; `answers` says whether there are earlier answers to
    /// show.
    pub(super) fn left_out(self, cases: usize, answers: bool) -> String {
        let before = match self {
            Detail::Reduced if answers => {
                " To save space, only cases that did not pass show an earlier answer."
            }
            Detail::Least if answers => " To save space, earlier answers are left out.",
            _ => "",
        };
        let lines = if cases > unfolded(cases) {
            format!(" To save space, only the first {} cases can be opened.", number::size(unfolded(cases)))
        } else {
            String::new()
        };
        format!("The stored run has the full text of everything that is cut here.{lines}{before}")
    }
}

/// Writes the most detailed page that is small enough, or the least detailed page if none is. `size` estimates the
/// bytes of all cases, so that pages that are too large are rarely rendered. The least detailed page is not kept in
/// memory.
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

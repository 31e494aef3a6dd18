//! A case as the rule of regressions looks at it: numbers, and nothing of a file.

use crate::stats::Tally;

/// One case, as far as the rule looks at it. An answer is true where it passed, and `None` where it was not judged.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) past: Past,
    /// Ordinary answers.
    pub(super) now: Vec<Option<bool>>,
    /// What earlier attempts at the same commit make of it; there the suspicion was raised, so that what is answered now
    /// is further evidence. It holds those ordinary answers, too.
    pub(super) earlier: Tally,
    /// Answers that were asked for because it failed.
    pub(super) fresh: Vec<Option<bool>>,
    /// Answers of the guard's second round.
    pub(super) again: Vec<Option<bool>>,
    pub(super) tags: &'a [String],
    /// Whether the address or the key was at fault when it was asked again: that says nothing of the case.
    pub(super) unreachable: bool,
}

/// What is known of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// It is judged without a baseline, or by nothing at all; what its trials say of the suite.
    Apart(Tally),
    /// It is new or changed.
    New,
    /// Its trials, at least one.
    Known(Tally),
}

impl Past {
    /// The trials of a case that is there and the same.
    pub(super) fn known(self) -> Option<Tally> {
        match self {
            Self::Known(past) => Some(past),
            Self::New | Self::Apart(_) => None,
        }
    }
}

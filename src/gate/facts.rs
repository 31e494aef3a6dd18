//! A case as the regression rule sees it: numbers only.

use crate::stats::Tally;

/// One case as the rule sees it. An answer is true if it passed, and `None` if it was not judged.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) past: Past,
    /// Regular answers.
    pub(super) now: Vec<Option<bool>>,
    /// Trials of earlier attempts at the same commit, which raised the suspicion, and this attempt's regular answers
    /// as further evidence.
    pub(super) earlier: Tally,
    /// Answers requested because it failed.
    pub(super) fresh: Vec<Option<bool>>,
    /// Answers of the guard's second round.
    pub(super) again: Vec<Option<bool>>,
    pub(super) tags: &'a [String],
    /// Whether the address or the key failed when it was asked again, which says nothing about the case.
    pub(super) unreachable: bool,
}

/// What is known about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// It is judged without a baseline, or not at all; its trials still count in the model of the suite.
    Apart(Tally),
    /// It is new or changed.
    New,
    /// Its trials, at least one.
    Known(Tally),
}

impl Past {
    /// The trials of a case that is known and unchanged.
    pub(super) fn known(self) -> Option<Tally> {
        match self {
            Self::Known(past) => Some(past),
            Self::New | Self::Apart(_) => None,
        }
    }
}

//! What the extra answers of all suspects show together, and which cases to ask again.

use super::facts::{Facts, Past};
use super::guard::{self, Guard, Second, Sight};
use super::spread::Suite;
use super::suspicion::{Course, Limits, Suspicion, THIN, Word};
use crate::stats::{Tally, real};

/// The finding about a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// It passes, or this rule does not apply.
    Nothing,
    /// It fails as it did in the past.
    FailedBefore,
    /// It is broken.
    Broken(Proof, Course),
    /// Its extra answers clear it: it failed by chance.
    Cleared(Course),
    /// Its extra answers show neither.
    Open(Course),
    /// No extra answer was possible.
    Unconfirmed,
    /// It is new or changed, and was not cleared.
    NewFailure(Course),
    /// It could not be judged, nor could its extra trials.
    Errored,
}

impl Found {
    /// Whether a suspicion remains.
    pub(super) fn is_suspected(&self) -> bool {
        match self {
            Self::Broken(..) | Self::Open(_) | Self::Unconfirmed | Self::NewFailure(_) | Self::Errored => {
                true
            }
            Self::Nothing | Self::FailedBefore | Self::Cleared(_) => false,
        }
    }
}

/// What proves a case broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Its extra answers.
    Answers,
    /// Failures in a row, with a thin past.
    Thin,
    /// The policy takes one failure as proof (`confirm: 0`).
    AtOnce,
}

/// The suspects of a run.
pub(super) struct Regression {
    pub(super) suite: Suite,
    /// How many cases are suspects.
    pub(super) family: usize,
    /// The finding about each case.
    pub(super) found: Vec<Found>,
    /// Whether each would be asked again if possible.
    pub(super) wants: Vec<bool>,
    limits: Limits,
}

/// Why a case is suspected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suspect {
    Fails,
    Errors,
}

impl Regression {
    pub(super) fn of(facts: &[Facts<'_>], limits: Limits) -> Self {
        let pasts = facts.iter().filter_map(|case| match case.past {
            Past::Known(past) | Past::Apart(past) => (past.of > 0).then_some(past),
            Past::New => None,
        });
        Self::with_suite(Suite::fit(pasts), facts, limits)
    }

    /// Like [`of`](Self::of), but with a suite model already fitted to the cases' history.
    pub(super) fn with_suite(suite: Suite, facts: &[Facts<'_>], limits: Limits) -> Self {
        let suspects: Vec<_> = facts.iter().map(|case| suspect(&suite, case, limits)).collect();
        let family = suspects.iter().flatten().count();
        let mut all = Self { suite, family, found: Vec::new(), wants: Vec::new(), limits };
        for (case, suspect) in facts.iter().zip(suspects) {
            let (found, wants) = all.look(case, suspect);
            all.found.push(found);
            all.wants.push(wants);
        }
        all
    }

    fn look(&self, case: &Facts<'_>, suspect: Option<Suspect>) -> (Found, bool) {
        let failing = case.now.contains(&Some(false));
        let Some(suspect) = suspect else {
            let known = failing && matches!(case.past, Past::Known(_));
            return (if known { Found::FailedBefore } else { Found::Nothing }, false);
        };
        let first = case.now.iter().position(|answer| *answer == Some(false));
        let behind = match first {
            Some(first) if case.earlier.of == 0 => &case.now[first + 1..],
            _ => &[],
        };
        let mut fresh = behind.iter().chain(&case.fresh).copied().peekable();
        let confirm = self.limits.confirm;
        if suspect == Suspect::Errors {
            if case.unreachable {
                return (Found::Nothing, false);
            }
            let tries = usize::try_from(confirm).unwrap_or(usize::MAX);
            let mut errors = 0;
            while errors < tries && fresh.next_if_eq(&None).is_some() {
                errors += 1;
            }
            match fresh.next() {
                _ if errors >= tries => return (Found::Errored, false),
                Some(Some(true)) => return (Found::Nothing, false),
                Some(_) => {}
                None => return (Found::Unconfirmed, true),
            }
        }
        let past = case.past.known();
        let suspicion = self.suspicion(past);
        let mut course = suspicion.follow(case.earlier, fresh);
        let wants = !course.settled && confirm > 0;
        let mut proof = match past {
            Some(past) if past.of < THIN => Proof::Thin,
            _ => Proof::Answers,
        };
        if confirm == 0 {
            (course.word, proof) = (Word::Broken, Proof::AtOnce);
        }
        let found = match (course.word, past) {
            (Word::Cleared, _) => Found::Cleared(course),
            (Word::Broken | Word::Open | Word::Unasked, None) => Found::NewFailure(course),
            (Word::Broken, Some(_)) => Found::Broken(proof, course),
            (Word::Open, Some(_)) => Found::Open(course),
            // If the case failed before, one more failed answer is no new evidence. But if the case was run again and
            // nothing could be judged, its past does not excuse it.
            (Word::Unasked, Some(past)) if has_failed(past) && case.fresh.is_empty() => Found::FailedBefore,
            (Word::Unasked, Some(_)) => Found::Unconfirmed,
        };
        (found, wants)
    }

    /// The suspicion of a case with this past.
    pub(super) fn suspicion(&self, past: Option<Tally>) -> Suspicion {
        Suspicion::of(&self.suite, past, self.family, self.limits)
    }

    /// The suspicion of one more case with this past.
    pub(super) fn one_more(&self, past: Tally) -> Suspicion {
        Suspicion::of(&self.suite, Some(past), self.family + 1, self.limits)
    }

    /// Whether an open case ever came within a third of the ratio that proves it broken.
    pub(super) fn is_suspicious(&self, course: &Course) -> bool {
        course.largest >= self.suspicion(None).bar() / 3.0
    }

    /// The guards of the suite and its tags.
    pub(super) fn guards<'a>(&self, facts: &[Facts<'a>], margin: f64, second: Second) -> Vec<Guard<'a>> {
        guard::guards(&self.suite, facts, margin, second)
    }

    /// If a case is unconfirmed: the result of the joint test, and how many cases it covers.
    pub(super) fn joint(&self, facts: &[Facts<'_>]) -> Option<(Sight, usize)> {
        self.found.contains(&Found::Unconfirmed).then(|| guard::joint(&self.suite, facts))
    }
}

fn suspect(suite: &Suite, case: &Facts<'_>, limits: Limits) -> Option<Suspect> {
    let expected = match case.past {
        Past::Apart(_) => return None,
        Past::New => true,
        Past::Known(past) => suite.expects(past),
    };
    let judged = case.now.iter().flatten().next().is_some();
    // One answer that passes does not lift a suspicion from an earlier attempt at the same commit. The number of other
    // suspects does not affect what clears a case.
    let left = || {
        let course = Suspicion::of(suite, case.past.known(), 1, limits).follow(case.earlier, []);
        case.earlier.of > 0 && course.word != Word::Cleared
    };
    if !expected {
        None
    } else if case.now.contains(&Some(false)) || judged && left() {
        Some(Suspect::Fails)
    } else {
        // A new case that cannot be judged is only an error: it has no past that it could fall below.
        let lost = !judged && !case.now.is_empty() && case.past != Past::New;
        lost.then_some(Suspect::Errors)
    }
}

/// Whether a case is known to fail: at least one in ten of its past trials failed.
pub(super) fn has_failed(past: Tally) -> bool {
    10.0 * real(past.of - past.hits) >= real(past.of)
}

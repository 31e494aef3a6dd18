//! Whether a case that used to pass and fails now is broken, or was unlucky.
//!
//! The failure that raised the suspicion is never part of the proof: only fresh trials are, so
//! picking the failing cases out of many adds no bias. How many are asked, and what they prove:
//!
//! * Where the baseline is thick enough that `confirm` trials can prove something, a one-sided Fisher
//!   exact test holds them against it, with Holm's correction over all such cases.
//! * Where it is too thin for that, up to twice as many are asked until one passes; a case that fails
//!   all of them is broken all the same, and the report says how many trials the baseline needs.

use super::Policy;
use super::evidence::{CaseEvidence, Relation};
use crate::stats::{self, SLACK, Tally, real};

/// A case that used to pass has passed at least this share of its trials, 0 to 1.
pub(super) const USED_TO_PASS: f64 = 0.8;

/// A case that must be asked again before the gate can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// 0-based index in the run's cases.
    pub case: usize,
    /// Fresh trials that are needed next, at least 1; whether more follow depends on them.
    pub trials: u32,
}

/// What the fresh trials of a triggered case say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Confirmation {
    /// Proven to be worse than its baseline.
    Broken(Proven),
    /// Failed more often than not, without a proof.
    Suspect,
    /// Passes often enough to be called lucky or unlucky.
    Flaky,
    /// Too few fresh trials for a word.
    Unconfirmed,
}

/// What proves that a case is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Proven {
    /// A test against the baseline: its p-value after Holm's correction.
    Test(f64),
    /// Every fresh trial failed; the baseline is too thin for a test.
    Thin,
    /// The policy takes one failure for proof (`confirm: 0`).
    AtOnce,
}

/// The triggered cases of a run, and what is asked of them.
pub struct Retest<'a> {
    policy: &'a Policy,
    /// How many cases were triggered: the family of Holm's correction.
    family: usize,
}

impl<'a> Retest<'a> {
    pub(super) fn of(cases: &[CaseEvidence<'_>], policy: &'a Policy) -> Self {
        Self::over(cases.iter().filter(|case| triggered(case)).count(), policy)
    }

    /// With so many triggered cases.
    pub fn over(family: usize, policy: &'a Policy) -> Self {
        Self { policy, family }
    }

    /// Whether `confirm` fresh failures would prove this case broken at Holm's first step.
    pub fn is_thick(&self, before: Tally) -> bool {
        let lost = Tally { hits: 0, of: self.policy.confirm.into() };
        stats::fisher_lower(lost, before) * real(self.family.max(1)) <= self.policy.alpha
    }

    /// Trials that a perfect baseline needs for a proof, were this many cases triggered.
    pub fn needed(policy: &Policy, family: usize) -> u64 {
        let lost = Tally { hits: 0, of: policy.confirm.into() };
        let proves = |n: &u64| {
            stats::fisher_lower(lost, Tally { hits: *n, of: *n }) * real(family.max(1)) <= policy.alpha
        };
        (1..=10_000).find(proves).unwrap_or(10_000)
    }

    /// Fresh trials to ask next of a triggered case; 0 when no more would change a word.
    pub(super) fn wanted(&self, case: &CaseEvidence<'_>) -> u32 {
        if !triggered(case) || case.fresh_errors >= spare(self.policy) {
            0
        } else {
            self.next(case.before, case.fresh)
        }
    }

    /// The same for a triggered case with this baseline and these fresh trials.
    pub fn next(&self, before: Tally, fresh: Tally) -> u32 {
        let m = u64::from(self.policy.confirm);
        if m == 0 {
            return 0;
        }
        if self.policy.rigor == super::Rigor::Strict {
            return if fresh.hits < fresh.of { 0 } else { small(m.saturating_sub(fresh.of).min(1)) };
        }
        if !self.is_thick(before) {
            return u32::from(fresh.hits == 0 && fresh.of < 2 * m);
        }
        // Trials that are asked whatever they say: until so many could have passed that nothing can be proven.
        let left = m.saturating_sub(fresh.of);
        let hopeless = |more: u64| {
            let best = Tally { hits: fresh.hits + more, of: m.max(fresh.of) };
            stats::fisher_lower(best, before) > self.policy.alpha
        };
        small((0..left).find(|more| hopeless(*more)).unwrap_or(left))
    }

    /// What is found about every case; `None` for those that were not triggered.
    pub(super) fn confirmations(&self, cases: &[CaseEvidence<'_>]) -> Vec<Option<Confirmation>> {
        let thick = |case: &CaseEvidence<'_>| triggered(case) && self.is_thick(case.before);
        let tests: Vec<_> = cases
            .iter()
            .filter(|case| thick(case))
            .map(|case| stats::fisher_lower(case.fresh, case.before))
            .collect();
        let mut corrected = stats::holm(&tests).into_iter();
        cases
            .iter()
            .map(|case| {
                let p = if thick(case) { corrected.next() } else { None };
                triggered(case).then(|| self.confirmation(case, p))
            })
            .collect()
    }

    fn confirmation(&self, case: &CaseEvidence<'_>, p: Option<f64>) -> Confirmation {
        let (fresh, m) = (case.fresh, u64::from(self.policy.confirm));
        if m == 0 {
            return Confirmation::Broken(Proven::AtOnce);
        }
        if let Some(p) = p
            && fresh.of > 0
            && p <= self.policy.alpha
        {
            return Confirmation::Broken(Proven::Test(p));
        }
        let failed_again = self.policy.rigor == super::Rigor::Strict && fresh.hits < fresh.of;
        let done = match p {
            _ if failed_again => true,
            Some(_) => self.next(case.before, fresh) == 0,
            None => fresh.hits > 0 || fresh.of >= 2 * m,
        };
        if !done || fresh.of == 0 {
            return Confirmation::Unconfirmed;
        }
        if p.is_none() && fresh.hits == 0 && !failed_again {
            return match self.policy.thin {
                super::Thin::Strict => Confirmation::Broken(Proven::Thin),
                super::Thin::Warn => Confirmation::Suspect,
            };
        }
        if fresh.hits * 2 < fresh.of { Confirmation::Suspect } else { Confirmation::Flaky }
    }
}

/// How many fresh trials of a case may fail to be judged before it is asked no more.
pub(super) fn spare(policy: &Policy) -> usize {
    usize::try_from(policy.confirm).unwrap_or(usize::MAX)
}

/// Fails now, used to pass, and asks and expects the same as then.
pub(super) fn triggered(case: &CaseEvidence<'_>) -> bool {
    case.relation == Relation::Known
        && case.now == Some(false)
        && case.quarantine.is_none()
        && used_to_pass(case.before)
}

/// Whether a failure is nothing new to a case: at least one trial of ten failed in its baseline.
pub(super) fn has_failed(before: Tally) -> bool {
    before.share().is_some_and(|share| share <= 0.9 + SLACK)
}

/// Whether a case with this tally in its baseline passed there: at least four of five trials did.
#[must_use]
pub fn used_to_pass(before: Tally) -> bool {
    before.share().is_some_and(|share| share + SLACK >= USED_TO_PASS)
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

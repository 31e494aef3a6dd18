//! A case of the run with its baseline and the policy: the facts that every rule uses.

use std::collections::BTreeSet;

use super::facts::{Facts, Past};
use super::{Policy, Quarantined};
use crate::baseline::{Baseline, BaselineCase, Role};
use crate::manifest::{CaseResult, Earlier, RunManifest, Trial};
use crate::stats::Tally;
use crate::vocabulary::Outcome;

/// One case.
#[derive(Clone, Copy, Debug)]
pub(super) struct CaseEvidence<'a> {
    pub(super) result: &'a CaseResult,
    /// How it compares with the baseline.
    pub(super) relation: Relation,
    /// Its trials in the baseline; empty if the baseline does not have it.
    pub(super) before: Tally,
    /// Its stored results, if known.
    pub(super) stored: Option<&'a BaselineCase>,
    /// Its trials in the baseline that no longer count, because the case asked or expected something else at the time.
    pub(super) reset: Option<Tally>,
    /// Whether it passes now; `None` if it was not judged.
    pub(super) now: Option<bool>,
    /// Judged trials other than those that raised the suspicion, including those of earlier attempts.
    pub(super) fresh: Tally,
    /// Confirmations that could not be judged.
    pub(super) fresh_errors: usize,
    /// Whether one confirmed failure fails the gate.
    pub(super) critical: bool,
    /// Its current quarantine.
    pub(super) quarantine: Option<&'a Quarantined>,
}

/// How a case compares with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// There is no baseline.
    Alone,
    /// The baseline does not have it.
    New,
    /// It is in the baseline, but asked or expected something else there.
    Changed,
    /// Its verdict involves a different judge than the baseline's, so it is judged as if there were no baseline.
    OtherJudge,
    /// It is in the baseline, unchanged.
    Known,
}

/// Every case of a run, in its order.
pub(super) fn cases<'a>(
    run: &'a RunManifest,
    baseline: Option<&'a Baseline>,
    policy: &'a Policy,
) -> Vec<CaseEvidence<'a>> {
    let renamed = baseline.map(|baseline| baseline.renamed(run)).unwrap_or_default();
    let shifts = baseline.map(|baseline| baseline.shifts(run)).unwrap_or_default();
    let judged_anew: BTreeSet<&str> = shifts
        .iter()
        .filter(|shift| shift.role == Role::Grader)
        .map(|shift| shift.scenario.as_str())
        .collect();
    run.cases
        .iter()
        .map(|result| {
            let found = baseline.and_then(|baseline| {
                let key = result.key();
                baseline.case(key).or_else(|| renamed.get(&key).copied())
            });
            let relation = match (baseline, found) {
                (None, _) => Relation::Alone,
                // A case without a trial is unknown.
                (_, None) => Relation::New,
                (_, Some(stored)) if stored.tally().of == 0 => Relation::New,
                (_, Some(stored)) if stored.content_hash != result.content_hash => Relation::Changed,
                _ if judged_anew.contains(result.scenario.as_str()) && hangs_on_judge(result) => {
                    Relation::OtherJudge
                }
                _ => Relation::Known,
            };
            let stored = found.filter(|_| relation == Relation::Known);
            let fresh = |outcome| result.evidence().filter(|trial| trial.outcome == outcome).count();
            let (passed, failed) = (fresh(Outcome::Passed) as u64, fresh(Outcome::Failed) as u64);
            let mut all = result.earlier.map(Earlier::tally).unwrap_or_default();
            all += Tally { hits: passed, of: passed + failed };
            CaseEvidence {
                result,
                relation,
                before: stored.map(BaselineCase::tally).unwrap_or_default(),
                stored,
                reset: found.filter(|_| relation == Relation::Changed).map(BaselineCase::tally),
                now: judged(result.outcome),
                fresh: all,
                fresh_errors: fresh(Outcome::Errored),
                critical: policy.is_critical(result),
                quarantine: policy.quarantine_of(result),
            }
        })
        .collect()
}

/// The cases as the regression rule sees them. A run in which nothing was judged has no evidence about any of them.
pub(super) fn facts<'a>(cases: &[CaseEvidence<'a>]) -> Vec<Facts<'a>> {
    let nothing = cases.iter().all(|case| case.now.is_none());
    let one = |case: &CaseEvidence<'a>| {
        let of = |trial: &Trial| judged(trial.outcome);
        let about = |trial: &&Trial| trial.fault.as_ref().is_none_or(|fault| fault.kind.is_of_case());
        let mut now: Vec<_> = case.result.ordinary().filter(about).map(of).collect();
        if case.result.trials.is_empty() {
            now.extend(judged(case.result.outcome).map(Some));
        }
        let asked = |second| case.result.confirmations().filter(move |trial| trial.second_round == second);
        let earlier = case.result.earlier.map(|one| {
            let again = case.result.ordinary().filter(|trial| trial.is_asked()).filter_map(of);
            again.fold(one.tally(), |mut sum, passes| {
                sum += Tally { hits: u64::from(passes), of: 1 };
                sum
            })
        });
        Facts {
            past: case.past(),
            now: if nothing { Vec::new() } else { now },
            earlier: earlier.unwrap_or_default(),
            fresh: asked(false).map(of).collect(),
            again: asked(true).map(of).collect(),
            unreachable: !asked(false).all(|trial| about(&trial)),
            tags: &case.result.tags,
        }
    };
    cases.iter().map(one).collect()
}

impl CaseEvidence<'_> {
    fn past(&self) -> Past {
        match self.relation {
            Relation::Known if self.quarantine.is_none() => Past::Known(self.before),
            Relation::New | Relation::Changed if self.quarantine.is_none() => Past::New,
            Relation::Known => Past::Apart(self.before),
            Relation::Alone | Relation::OtherJudge | Relation::New | Relation::Changed => {
                Past::Apart(Tally::default())
            }
        }
    }

    /// Whether every past trial passed.
    fn is_spotless(&self) -> bool {
        self.before.of > 0 && self.before.hits == self.before.of
    }

    /// Whether it never failed before and at least half of its answers, and no fewer than two, fail now.
    pub(super) fn is_degraded(&self) -> bool {
        let ordinary = self.result.tally();
        let mut all = self.result.confirmations().filter(|trial| !trial.second_round).fold(
            ordinary,
            |mut sum, trial| {
                let hits = u64::from(trial.outcome == Outcome::Passed);
                sum += Tally { hits, of: hits + u64::from(trial.outcome == Outcome::Failed) };
                sum
            },
        );
        all.hits = all.of - all.hits;
        self.is_spotless() && all.hits >= 2 && all.hits * 2 >= all.of
    }
}

/// Whether a failing case fails only because of a judge, or a passing case involves a judge.
#[must_use]
pub fn hangs_on_judge(case: &CaseResult) -> bool {
    let failed = case.trials.iter().filter(|trial| trial.outcome == Outcome::Failed);
    let by_judge = |trial: &Trial| trial.verdicts().all(|verdict| verdict.without_judge().is_none());
    case.judged_by_grader() && failed.into_iter().all(by_judge)
}

fn judged(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Passed => Some(true),
        Outcome::Failed => Some(false),
        Outcome::Errored | Outcome::Skipped => None,
    }
}

/// Cases of the baseline whose name the run does not have.
fn unnamed<'a>(run: &RunManifest, baseline: &'a Baseline) -> Vec<&'a BaselineCase> {
    let now: BTreeSet<_> = run.cases.iter().map(|case| case.key()).collect();
    baseline.cases.iter().filter(|case| !now.contains(&case.key())).collect()
}

/// Cases of the baseline that the run does not have under any name.
pub(super) fn gone<'a>(
    cases: &[CaseEvidence<'_>],
    run: &RunManifest,
    baseline: &'a Baseline,
) -> Vec<&'a BaselineCase> {
    let kept: BTreeSet<_> =
        cases.iter().filter_map(|case| case.stored).map(|case| (&case.scenario, &case.id)).collect();
    let mut gone = unnamed(run, baseline);
    gone.retain(|case| !kept.contains(&(&case.scenario, &case.id)));
    gone
}

/// Applications and judges that differ from the baseline's; empty if either side does not know them.
pub(super) fn changed(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let now = run.answered_by();
    let mut words = Vec::new();
    for (role, name) in [("application", "application"), ("grader", "judge")] {
        let of = |names: &[&String]| -> Vec<String> {
            names
                .iter()
                .filter_map(|name| Some(name.strip_prefix(role)?.strip_prefix(": ")?.to_owned()))
                .collect()
        };
        let before = of(&baseline.answered_by.iter().collect::<Vec<_>>());
        let after = of(&now.iter().collect::<Vec<_>>());
        if !before.is_empty() && !after.is_empty() && before != after {
            words.push(format!("{name}: {} in the baseline, {} now", before.join(", "), after.join(", ")));
        }
    }
    words
}

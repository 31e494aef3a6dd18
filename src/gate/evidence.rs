//! A case of the run beside its baseline and the policy: the facts that every rule starts from.

use std::collections::BTreeSet;

use super::{Policy, Quarantined};
use crate::baseline::{Baseline, BaselineCase, Role};
use crate::manifest::{CaseResult, RunManifest, Trial};
use crate::stats::Tally;
use crate::vocabulary::Outcome;

/// One case.
#[derive(Clone, Copy, Debug)]
pub(super) struct CaseEvidence<'a> {
    pub(super) result: &'a CaseResult,
    /// How it stands to the baseline.
    pub(super) relation: Relation,
    /// Its trials in the baseline; none where it is not known there.
    pub(super) before: Tally,
    /// Its stored results, where it is known.
    pub(super) stored: Option<&'a BaselineCase>,
    /// Whether it passes now; absent where it was not judged.
    pub(super) now: Option<bool>,
    /// Its first judged trial, which the suite as a whole is measured by.
    pub(super) first: Option<bool>,
    /// Judged trials that the suspicion does not rest on: those after the first failure, and confirmations.
    pub(super) fresh: Tally,
    /// Confirmations that could not be judged.
    pub(super) fresh_errors: usize,
    /// Whether one confirmed failure is one too many.
    pub(super) critical: bool,
    /// The quarantine that holds for it.
    pub(super) quarantine: Option<&'a Quarantined>,
}

/// How a case stands to the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// There is no baseline.
    Alone,
    /// The baseline does not have it.
    New,
    /// It asked or expected something else in the baseline.
    Changed,
    /// Another judge than the baseline's had a part in its verdict: it is judged as without a baseline.
    OtherJudge,
    /// It is there, and the same.
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
                // Without a trial nothing is known of it.
                (_, None) => Relation::New,
                (_, Some(stored)) if stored.tally().of == 0 => Relation::New,
                (_, Some(stored)) if stored.content_hash != result.content_hash => Relation::Changed,
                _ if judged_anew.contains(result.scenario.as_str()) && hangs_on_judge(result) => {
                    Relation::OtherJudge
                }
                _ => Relation::Known,
            };
            let stored = found.filter(|_| relation == Relation::Known);
            let fresh = |outcome| fresh(result).filter(|trial| trial.outcome == outcome).count();
            let (passed, failed) = (fresh(Outcome::Passed) as u64, fresh(Outcome::Failed) as u64);
            CaseEvidence {
                result,
                relation,
                before: stored.map(BaselineCase::tally).unwrap_or_default(),
                stored,
                now: judged(result.outcome),
                first: result
                    .ordinary()
                    .find_map(|trial| judged(trial.outcome))
                    .or_else(|| judged(result.outcome)),
                fresh: Tally { hits: passed, of: passed + failed },
                fresh_errors: fresh(Outcome::Errored),
                critical: policy.is_critical(result),
                quarantine: policy.quarantine_of(result),
            }
        })
        .collect()
}

/// The trials that prove something about a failure: it is the first failure that raises the suspicion, and
/// what comes after it was not picked for failing.
fn fresh(case: &CaseResult) -> impl Iterator<Item = &Trial> {
    let after = case.ordinary().skip_while(|trial| trial.outcome != Outcome::Failed).skip(1);
    after.chain(case.confirmations())
}

/// Whether the case fails by a judge's word; where it passes, whether a judge had a part in that.
fn hangs_on_judge(case: &CaseResult) -> bool {
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

/// Who answers otherwise than in the baseline; nothing where either side does not know.
pub(super) fn changed(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let now = run.answered_by();
    let mut words = Vec::new();
    for role in ["application: ", "grader: "] {
        let of = |names: &[&String]| -> Vec<String> {
            names.iter().filter_map(|name| name.strip_prefix(role)).map(str::to_owned).collect()
        };
        let before = of(&baseline.answered_by.iter().collect::<Vec<_>>());
        let after = of(&now.iter().collect::<Vec<_>>());
        if !before.is_empty() && !after.is_empty() && before != after {
            words.push(format!("{role}{} in the baseline, {} now", before.join(", "), after.join(", ")));
        }
    }
    words
}

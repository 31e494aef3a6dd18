//! What is said of one case.

use crate::gate::evidence::{CaseEvidence, Relation};
use crate::gate::finding::{Finding, Findings};
use crate::gate::regression::{Confirmation, Proven, spare};
use crate::gate::state::{CaseState, State};
use crate::gate::{Category, Policy, Rigor, Unconfirmed, metric, of, probability};
use crate::manifest::{CaseResult, Trial};
use crate::text;
use crate::vocabulary::FindingId;

/// Fresh trials that a case needs next for other reasons than a regression: to confirm that a critical
/// case fails, or, under the strict policy, that a new one passes.
pub(in crate::gate) fn wanted(case: &CaseEvidence<'_>, policy: &Policy) -> u32 {
    let confirm = u64::from(policy.confirm);
    if case.quarantine.is_some() || case.fresh_errors >= spare(policy) || case.fresh.of >= confirm {
        return 0;
    }
    match case.now {
        Some(false) => u32::from(case.critical && !fails_again(case)),
        Some(true) => u32::from(
            strictly_new(case, policy)
                && case.fresh.hits == case.fresh.of
                && case.result.tally().hits + case.fresh.hits < confirm,
        ),
        None => 0,
    }
}

/// Whether a failure was seen twice.
fn fails_again(case: &CaseEvidence<'_>) -> bool {
    let ordinary = case.result.tally();
    case.fresh.hits < case.fresh.of || ordinary.of - ordinary.hits > 1
}

fn strictly_new(case: &CaseEvidence<'_>, policy: &Policy) -> bool {
    policy.rigor == Rigor::Strict && matches!(case.relation, Relation::New | Relation::Changed)
}

/// What one case is, and what it stands for.
pub(in crate::gate) fn case(
    case: &CaseEvidence<'_>,
    finding: Option<Confirmation>,
    policy: &Policy,
    log: &mut Findings<'_>,
) -> CaseState {
    let state = State::of(case, finding);
    let note = note(case, state, finding);
    let before = log.fatal();
    if case.quarantine.is_none() && case.now.is_some() {
        judge(case, state, finding, policy, log);
    } else if let Some(quarantine) = case.quarantine
        && case.now == Some(false)
    {
        let what = format!("fails in quarantine until {} ({})", quarantine.until, quarantine.owner);
        log.warn(Finding::by(case.result, FindingId::Quarantined, &what));
    }
    CaseState {
        scenario: case.result.scenario.clone(),
        id: case.result.id.clone(),
        state,
        blocking: log.fatal() > before,
        note,
    }
}

fn judge(
    case: &CaseEvidence<'_>,
    state: State,
    finding: Option<Confirmation>,
    policy: &Policy,
    log: &mut Findings<'_>,
) {
    let fails = case.now == Some(false);
    if fails && case.critical && is_confirmed(case, policy) {
        let what = match (case.fresh.of, policy.confirm) {
            (0, 0) | (1.., _) => format!("is critical and fails{}", fresh_words(case)),
            _ => "is critical and fails; there is no fresh trial that clears it".to_owned(),
        };
        log.raise(Category::Critical, Finding::by(case.result, FindingId::Critical, &what));
        if log.is_fatal(Category::Critical) {
            return;
        }
    }
    match state {
        State::Broken => {
            let what = match finding {
                Some(Confirmation::Broken(Proven::Thin)) => {
                    format!("{}: broken, on a thin baseline", fell(case))
                }
                _ => fell(case),
            };
            let p_value = match finding {
                Some(Confirmation::Broken(Proven::Test(p))) => Some(p),
                _ => None,
            };
            log.raise(
                Category::Regression,
                Finding { p_value, ..Finding::by(case.result, FindingId::Regression, &what) },
            );
        }
        State::Suspect | State::Flaky if policy.rigor == Rigor::Strict && finding.is_some() => {
            let what = format!("{}: not cleared", fell(case));
            if case.fresh.hits < case.fresh.of {
                log.raise(Category::Regression, Finding::by(case.result, FindingId::NotCleared, &what));
            } else if case.fresh.of < u64::from(policy.confirm) {
                log.inconclusive(Finding::by(case.result, FindingId::Unconfirmed, &what));
            }
        }
        State::Suspect => {
            let what = format!("{}: there is no proof", fell(case));
            let finding = Finding::by(case.result, FindingId::Suspect, &what);
            if case.fresh.hits == 0 { log.inconclusive(finding) } else { log.warn(finding) }
        }
        State::Unconfirmed => {
            let what = format!(
                "passed in the baseline ({}) and fails now; {}",
                of(case.before),
                if case.fresh.of == 0 {
                    "no fresh trial could be had".to_owned()
                } else {
                    format!(
                        "only {} could be had, {} passed",
                        text::count(few(case.fresh.of), "fresh trial"),
                        case.fresh.hits
                    )
                }
            );
            if case.fresh_errors > 0 {
                let errors = text::count(case.fresh_errors, "fresh trial");
                let what = format!("{what}; {errors} could not be judged");
                log.error(Finding::by(case.result, FindingId::Unconfirmed, &what));
            } else {
                let finding = Finding::by(case.result, FindingId::Unconfirmed, &what);
                match policy.unconfirmed {
                    Unconfirmed::Inconclusive => log.inconclusive(finding),
                    Unconfirmed::Fail => log.fail(finding),
                    Unconfirmed::Warn => log.warn(finding),
                }
            }
        }
        State::New | State::Changed if fails => {
            let what = if state == State::New { "is new and fails" } else { "was changed and fails" };
            log.raise(Category::NewFailure, Finding::by(case.result, FindingId::NewFailure, what));
        }
        State::New | State::Changed if strictly_new(case, policy) => new_unproven(case, policy, log),
        State::Failed | State::Flaky
            if fails
                && matches!(case.relation, Relation::Alone | Relation::OtherJudge)
                && !policy.rated(case.result) =>
        {
            log.raise(
                Category::NewFailure,
                Finding::by(case.result, FindingId::CaseFailed, &failed(case.result)),
            );
        }
        State::Flaky if case.relation == Relation::Known && (fails || metric::disagrees(case.result)) => {
            let what = format!("passes at times: {} in the baseline{}", of(case.before), fresh_words(case));
            log.raise(Category::Flaky, Finding::by(case.result, FindingId::Flaky, &what));
        }
        _ => {}
    }
}

/// A new case that passes, under the strict policy: it has to pass every time.
fn new_unproven(case: &CaseEvidence<'_>, policy: &Policy, log: &mut Findings<'_>) {
    let passes = case.result.tally().hits + case.fresh.hits;
    let needed = u64::from(policy.confirm);
    if case.fresh.hits < case.fresh.of {
        let what = format!("is new or changed and does not pass every time{}", fresh_words(case));
        log.raise(Category::NewFailure, Finding::by(case.result, FindingId::NewFailure, &what));
    } else if passes < needed {
        let what =
            format!("is new or changed and passed {passes} times; the strict policy asks for {needed}");
        log.inconclusive(Finding::by(case.result, FindingId::Unconfirmed, &what));
    }
}

/// Whether the failure of a critical case counts: seen twice, or nothing can clear it.
fn is_confirmed(case: &CaseEvidence<'_>, policy: &Policy) -> bool {
    policy.confirm == 0 || fails_again(case) || case.fresh.of == 0
}

fn failed(case: &CaseResult) -> String {
    let tally = case.tally();
    if tally.of > 1 {
        format!("failed in {} of {} trials", tally.of - tally.hits, tally.of)
    } else {
        "failed".to_owned()
    }
}

/// `; 4 of 4 fresh trials failed`.
fn fresh_words(case: &CaseEvidence<'_>) -> String {
    match case.fresh.of {
        0 => String::new(),
        n => format!(
            "; {} of {n} fresh {} failed",
            n - case.fresh.hits,
            if n == 1 { "trial" } else { "trials" }
        ),
    }
}

/// What was, and what is.
fn fell(case: &CaseEvidence<'_>) -> String {
    format!("passed in the baseline ({}) and fails now{}", of(case.before), fresh_words(case))
}

fn note(case: &CaseEvidence<'_>, state: State, finding: Option<Confirmation>) -> String {
    let quarantine = case
        .quarantine
        .map(|one| format!("quarantined until {} by {}: {}", one.until, one.owner, one.reason));
    let mut notes: Vec<String> = quarantine.into_iter().collect();
    if case.relation == Relation::Known
        && matches!(
            state,
            State::Broken
                | State::Suspect
                | State::Flaky
                | State::Unconfirmed
                | State::FailingAsBefore
                | State::Fixed
        )
    {
        notes.push(format!("{} passed in the baseline", of(case.before)));
    }
    if case.fresh.of > 0 {
        notes.push(format!("{} fresh trials passed", of(case.fresh)));
    }
    if case.fresh_errors > 0 {
        notes.push(format!("{} could not be judged", text::count(case.fresh_errors, "fresh trial")));
    }
    match finding {
        Some(Confirmation::Broken(Proven::Test(p))) => notes.push(probability(p)),
        Some(Confirmation::Broken(Proven::Thin)) => notes.push("on a thin baseline".to_owned()),
        _ => {}
    }
    if grader_flaked(case.result) {
        notes.push("the judge judged the same answer both ways".to_owned());
    }
    notes.join("; ")
}

/// Whether one text was judged both ways: then the judge is at fault, not the application.
fn grader_flaked(case: &CaseResult) -> bool {
    use crate::vocabulary::Outcome::{Failed, Passed};
    let told =
        |outcome| case.trials.iter().filter(move |trial| trial.outcome == outcome).flat_map(Trial::answers);
    case.judged_by_grader() && told(Passed).any(|one| told(Failed).any(|other| one.says_as(other)))
}

fn few(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

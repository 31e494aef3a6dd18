//! Findings about one case.

use super::rate::Rates;
use crate::gate::evidence::{CaseEvidence, Relation};
use crate::gate::finding::{Finding, Findings};
use crate::gate::regression::{Found, Proof, Regression};
use crate::gate::state::{CaseState, State};
use crate::gate::suspicion::Course;
use crate::gate::{Category, Policy, Rigor, Unconfirmed, metric, of, probability};
use crate::manifest::{CaseResult, Earlier, Trial};
use crate::text;
use crate::vocabulary::FindingId;

/// Extra trials that a case needs for reasons other than a regression: to confirm that a critical case fails, or,
/// under the strict policy, that a new one passes.
pub(in crate::gate) fn wanted(case: &CaseEvidence<'_>, policy: &Policy) -> u32 {
    let confirm = u64::from(policy.confirm);
    if case.quarantine.is_some() || case.fresh_errors as u64 >= confirm || case.fresh.of >= confirm {
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

/// The state of one case, and its findings.
pub(in crate::gate) fn case(
    case: &CaseEvidence<'_>,
    found: &Found,
    regression: &Regression,
    (rates, policy): (&Rates<'_>, &Policy),
    log: &mut Findings<'_>,
) -> CaseState {
    let state = State::of(case, found);
    let note = note(case, state, found);
    let before = log.fatal();
    if let (Some(quarantine), Some(false)) = (case.quarantine, case.now) {
        let what = format!("fails; quarantined until {} by {}", quarantine.until, quarantine.owner);
        log.warn(Finding::by(case.result, FindingId::Quarantined, &what));
    } else if case.quarantine.is_none() && !is_critical(case, policy, log) {
        match case.now {
            Some(true) if !found.is_suspected() => passing(case, state, policy, log),
            Some(true | false) => judge(case, state, found, (regression, rates, policy), log),
            None => lost(case, found, (regression, policy), log),
        }
    }
    CaseState {
        scenario: case.result.scenario.clone(),
        id: case.result.id.clone(),
        state,
        blocking: log.fatal() > before,
        note,
    }
}

/// Whether a critical case fails and thereby fails the gate.
fn is_critical(case: &CaseEvidence<'_>, policy: &Policy, log: &mut Findings<'_>) -> bool {
    if case.now != Some(false) || !case.critical || !is_confirmed(case, policy) {
        return false;
    }
    let what = match (case.fresh.of, policy.confirm) {
        (0, 0) | (1.., _) => format!("is critical and fails{}", fresh_words(case)),
        _ => "is critical and fails; no extra trial cleared it".to_owned(),
    };
    log.raise(Category::Critical, Finding::by(case.result, FindingId::Critical, &what));
    log.is_fatal(Category::Critical)
}

fn passing(case: &CaseEvidence<'_>, state: State, policy: &Policy, log: &mut Findings<'_>) {
    if strictly_new(case, policy) {
        new_unproven(case, policy, log);
    } else if state == State::Flaky && case.relation == Relation::Known && metric::disagrees(case.result) {
        at_times(case, state, log);
    }
}

/// Reports a case that could not be judged.
fn lost(
    case: &CaseEvidence<'_>,
    found: &Found,
    (regression, policy): (&Regression, &Policy),
    log: &mut Findings<'_>,
) {
    if *found == Found::Errored {
        let what = format!(
            "passed in the baseline ({}) and could not be judged now, in {}",
            of(case.before),
            match case.fresh_errors + case.result.ordinary().count() {
                1 => "its one trial".to_owned(),
                trials => format!("any of {trials} trials"),
            },
        );
        broke(case, Finding::by(case.result, FindingId::RegressionErrored, &what), policy, log);
    } else if *found == Found::Unconfirmed {
        let what = format!(
            "passed in the baseline ({}) and could not be judged now; no extra trial was possible",
            of(case.before)
        );
        unconfirmed(Finding::by(case.result, FindingId::Unconfirmed, &what), policy, log);
    } else {
        match found {
            // It failed when it was asked again.
            Found::Broken(proof, course) => broken(case, (*proof, course), policy, log),
            Found::Open(course) => open(case, course, (regression, policy), log),
            Found::Nothing
            | Found::FailedBefore
            | Found::Cleared(_)
            | Found::Unconfirmed
            | Found::NewFailure(_)
            | Found::Errored => {}
        }
    }
}

/// Judges a case that fails, now or in an earlier attempt at the same commit, and is not handled as critical.
fn judge(
    case: &CaseEvidence<'_>,
    state: State,
    found: &Found,
    (regression, rates, policy): (&Regression, &Rates<'_>, &Policy),
    log: &mut Findings<'_>,
) {
    match found {
        Found::Broken(proof, course) => broken(case, (*proof, course), policy, log),
        Found::Open(course) => open(case, course, (regression, policy), log),
        Found::Unconfirmed if case.fresh_errors > 0 => {
            let errors = text::count(case.fresh_errors, "extra trial");
            let what = format!("{}; {errors} could not be judged", fell(case));
            log.error(Finding::by(case.result, FindingId::Unconfirmed, &what));
        }
        Found::Unconfirmed => {
            let what = format!("{}; no extra trial was possible", fell(case));
            unconfirmed(Finding::by(case.result, FindingId::Unconfirmed, &what), policy, log);
        }
        Found::NewFailure(_) if rates.excuse(case.result) => {}
        Found::NewFailure(_) => {
            let what = if state == State::New { "is new" } else { "was changed" };
            let fails = if case.now == Some(false) { "fails" } else { fails(case) };
            let what = format!("{what} and {fails}{}", fresh_words(case));
            log.raise(Category::NewFailure, Finding::by(case.result, FindingId::NewFailure, &what));
        }
        Found::Cleared(_) => at_times(case, state, log),
        Found::FailedBefore if state == State::Flaky => at_times(case, state, log),
        Found::FailedBefore => {}
        Found::Nothing | Found::Errored => {
            if matches!(case.relation, Relation::Alone | Relation::OtherJudge) && !policy.rated(case.result) {
                let what = failed(case.result);
                log.raise(Category::NewFailure, Finding::by(case.result, FindingId::CaseFailed, &what));
            }
        }
    }
}

/// Reports a case whose rate fell.
fn broken(
    case: &CaseEvidence<'_>,
    (proof, course): (Proof, &Course),
    policy: &Policy,
    log: &mut Findings<'_>,
) {
    let thin = if proof == Proof::Thin { ": broken, on a thin baseline" } else { "" };
    let what = format!("{}{thin}", fell(case));
    let p_value = (proof == Proof::Thin).then(|| 1.0 / course.ratio);
    broke(case, Finding { p_value, ..Finding::by(case.result, FindingId::Regression, &what) }, policy, log);
}

/// A regression also fails the gate if the case would fail it without a baseline.
fn broke(case: &CaseEvidence<'_>, finding: Finding, policy: &Policy, log: &mut Findings<'_>) {
    let alone = case.now == Some(false) && !policy.rated(case.result);
    let either = [Category::Regression, Category::NewFailure];
    let fatal = either.into_iter().find(|one| (*one == Category::Regression || alone) && log.is_fatal(*one));
    log.raise(fatal.unwrap_or(Category::Regression), finding);
}

/// Reports a case whose extra answers are not conclusive.
fn open(
    case: &CaseEvidence<'_>,
    course: &Course,
    (regression, policy): (&Regression, &Policy),
    log: &mut Findings<'_>,
) {
    if course.passes == 0 {
        log.inconclusive(Finding::by(case.result, FindingId::Open, &undecided(case)));
    } else if policy.rigor == Rigor::Strict {
        let what = format!("{}: not cleared", fell(case));
        log.inconclusive(Finding::by(case.result, FindingId::NotCleared, &what));
    } else {
        let what = format!("{}: neither broken nor cleared", fell(case));
        let finding = Finding::by(case.result, FindingId::Open, &what);
        if regression.is_suspicious(course) { log.tolerated(finding) } else { log.warn(finding) }
    }
}

fn unconfirmed(finding: Finding, policy: &Policy, log: &mut Findings<'_>) {
    match policy.unconfirmed {
        Unconfirmed::Inconclusive => log.inconclusive(finding),
        Unconfirmed::Fail => log.fail(finding),
        Unconfirmed::Warn => log.tolerated(finding),
    }
}

/// Reports a case that passes only sometimes.
fn at_times(case: &CaseEvidence<'_>, state: State, log: &mut Findings<'_>) {
    let (id, what) = match state {
        State::Degraded => (
            FindingId::Degraded,
            format!(
                "never failed in the baseline ({}), but at least half of its answers fail now",
                of(case.before)
            ),
        ),
        State::Cleared => (
            FindingId::Cleared,
            format!("passed in the baseline ({}), failed now, and was cleared", of(case.before)),
        ),
        State::New | State::Changed => {
            (FindingId::Cleared, format!("is {}, failed, and was cleared", state.words()))
        }
        State::Passed
        | State::Failed
        | State::Broken
        | State::Open
        | State::Flaky
        | State::Unconfirmed
        | State::FailingAsBefore
        | State::Fixed
        | State::Quarantined
        | State::Errored
        | State::Skipped => {
            (FindingId::Flaky, format!("is flaky: {} passed in the baseline", of(case.before)))
        }
    };
    let what = format!("{what}{}", fresh_words(case));
    log.raise(Category::Flaky, Finding::by(case.result, id, &what));
}

/// Reports a new case that passes, under the strict policy, but not often enough: it must pass every time.
fn new_unproven(case: &CaseEvidence<'_>, policy: &Policy, log: &mut Findings<'_>) {
    let passes = case.result.tally().hits + case.fresh.hits;
    let needed = u64::from(policy.confirm);
    if case.fresh.hits < case.fresh.of {
        let what = format!("is new or changed and does not pass every time{}", fresh_words(case));
        log.raise(Category::NewFailure, Finding::by(case.result, FindingId::NewFailure, &what));
    } else if passes < needed {
        let what = format!("is new or changed and passed {passes} times; the strict policy needs {needed}");
        log.inconclusive(Finding::by(case.result, FindingId::Unconfirmed, &what));
    }
}

/// Whether the failure of a critical case counts: it was seen twice, or nothing can clear it.
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

/// `; 4 of 4 extra trials failed`.
fn fresh_words(case: &CaseEvidence<'_>) -> String {
    let word = |n| if n == 1 { "trial" } else { "trials" };
    match (case.fresh.of, case.result.earlier.map(Earlier::tally)) {
        (0, _) => String::new(),
        (n, None) => format!("; {} of {n} extra {} failed", n - case.fresh.hits, word(n)),
        (n, Some(earlier)) => {
            let (failed, then) = (n - case.fresh.hits, earlier.of - earlier.hits);
            format!("; {failed} of {n} {} failed, including {then} from earlier attempts", word(n))
        }
    }
}

/// What the case did in the baseline and does now.
fn fell(case: &CaseEvidence<'_>) -> String {
    format!("passed in the baseline ({}) and {}{}", of(case.before), fails(case), fresh_words(case))
}

fn fails(case: &CaseEvidence<'_>) -> &'static str {
    match case.now {
        Some(true) => "failed in an earlier attempt at this commit",
        Some(false) => "fails now",
        None => "could not be judged now",
    }
}

/// Like [`fell`], for a case that was run as often as allowed and never passed.
fn undecided(case: &CaseEvidence<'_>) -> String {
    format!("{}: none passed, but that is not proof yet", fell(case))
}

/// `the answers fit a broken case 53 times better than an unchanged one`.
fn likelier(course: &Course) -> String {
    let times = match course.ratio {
        ratio if ratio >= 1_000.0 => "over 1,000".to_owned(),
        ratio if ratio >= 10.0 => format!("{ratio:.0}"),
        ratio => format!("{ratio:.1}"),
    };
    format!("the answers fit a broken case {times} times better than an unchanged one")
}

fn note(case: &CaseEvidence<'_>, state: State, found: &Found) -> String {
    let quarantine = case
        .quarantine
        .map(|one| format!("quarantined until {} by {}: {}", one.until, one.owner, one.reason));
    let mut notes: Vec<String> = quarantine.into_iter().collect();
    if case.relation == Relation::Known
        && matches!(
            state,
            State::Broken
                | State::Cleared
                | State::Open
                | State::Degraded
                | State::Flaky
                | State::Unconfirmed
                | State::FailingAsBefore
                | State::Fixed
        )
    {
        notes.push(format!("{} passed in the baseline", of(case.before)));
    }
    match case.result.earlier {
        Some(earlier) => notes.push(format!(
            "{} trials passed, including {} from earlier attempts",
            of(case.fresh),
            of(earlier.tally())
        )),
        None if case.fresh.of > 0 => notes.push(format!("{} extra trials passed", of(case.fresh))),
        None => {}
    }
    if case.fresh_errors > 0 {
        notes.push(format!("{} could not be judged", text::count(case.fresh_errors, "extra trial")));
    }
    match found {
        Found::Broken(Proof::Thin, course) => {
            notes.push(format!("on a thin baseline, {}", probability(1.0 / course.ratio)));
        }
        Found::Broken(Proof::Answers, course) => notes.push(likelier(course)),
        Found::Open(course) if course.ratio > 1.0 => notes.push(likelier(course)),
        Found::Nothing
        | Found::FailedBefore
        | Found::Broken(Proof::AtOnce, _)
        | Found::Cleared(_)
        | Found::Open(_)
        | Found::Unconfirmed
        | Found::NewFailure(_)
        | Found::Errored => {}
    }
    if grader_flaked(case.result) {
        notes.push("the judge passed and failed the same answer".to_owned());
    }
    notes.join("; ")
}

/// Whether the same text was judged both ways, so that the judge is at fault and not the application.
fn grader_flaked(case: &CaseResult) -> bool {
    use crate::vocabulary::Outcome::{Failed, Passed};
    let answers =
        |outcome| case.trials.iter().filter(move |trial| trial.outcome == outcome).flat_map(Trial::answers);
    case.judged_by_grader() && answers(Passed).any(|one| answers(Failed).any(|other| one.says_as(other)))
}

//! The rules: what of the evidence is a breach, a warning, or nothing.

use super::breach::{Breach, Docket};
use super::evidence::{self, Case, Relation};
use super::metric::{Measured, Metric};
use super::regression::{self, Finding, Proven, Trial};
use super::state::{CaseState, State};
use super::{Category, Evidence, Missing, Policy, Proof, Reference, Weakening, of, probability, suite};
use crate::manifest::{CaseResult, Ended, Role, RunManifest};
use crate::text;

/// Fresh trials that a case needs next for other reasons than a regression: to confirm that a critical
/// case fails, or, under the strict policy, that a new one passes.
pub(super) fn wanted(case: &Case<'_>, policy: &Policy) -> u32 {
    let confirm = u64::from(policy.confirm);
    if case.quarantine.is_some() || case.fresh_errors > 0 || case.fresh.of >= confirm {
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
fn fails_again(case: &Case<'_>) -> bool {
    let ordinary = case.result.tally();
    case.fresh.hits < case.fresh.of || ordinary.of - ordinary.hits > 1
}

fn strictly_new(case: &Case<'_>, policy: &Policy) -> bool {
    policy.proof == Proof::OfInnocence && matches!(case.relation, Relation::New | Relation::Changed)
}

/// What one case is, and what it stands for.
pub(super) fn case(
    case: &Case<'_>,
    finding: Option<Finding>,
    policy: &Policy,
    docket: &mut Docket<'_>,
) -> CaseState {
    let state = State::of(case, finding);
    let note = note(case, state, finding);
    let before = docket.fatal();
    if case.quarantine.is_none() && case.now.is_some() {
        judge(case, state, finding, policy, docket);
    } else if let Some(quarantine) = case.quarantine
        && case.now == Some(false)
    {
        let what = format!("fails in quarantine until {} ({})", quarantine.until, quarantine.owner);
        docket.warn(Breach::by(case.result, "quarantined", &what));
    }
    CaseState {
        scenario: case.result.scenario.clone(),
        id: case.result.id.clone(),
        state,
        blocking: docket.fatal() > before,
        note,
    }
}

fn judge(case: &Case<'_>, state: State, finding: Option<Finding>, policy: &Policy, docket: &mut Docket<'_>) {
    let fails = case.now == Some(false);
    if fails && case.critical && is_confirmed(case, policy) {
        let what = match (case.fresh.of, policy.confirm) {
            (0, 0) | (1.., _) => format!("is critical and fails{}", fresh_words(case)),
            _ => "is critical and fails; there is no fresh trial that clears it".to_owned(),
        };
        docket.raise(Category::Critical, Breach::by(case.result, "critical", &what));
        if docket.is_fatal(Category::Critical) {
            return;
        }
    }
    match state {
        State::Broken => {
            let what = match finding {
                Some(Finding::Broken(Proven::Thin)) => {
                    format!("{}: broken, on a thin baseline", fell(case))
                }
                _ => fell(case),
            };
            let p_value = match finding {
                Some(Finding::Broken(Proven::Test(p))) => Some(p),
                _ => None,
            };
            docket.raise(
                Category::Regression,
                Breach { p_value, ..Breach::by(case.result, "regression", &what) },
            );
        }
        State::Suspect | State::Flaky if policy.proof == Proof::OfInnocence && finding.is_some() => {
            let what = format!("{}: not cleared", fell(case));
            if case.fresh.hits < case.fresh.of {
                docket.raise(Category::Regression, Breach::by(case.result, "not-cleared", &what));
            } else if case.fresh.of < u64::from(policy.confirm) {
                docket.inconclusive(Breach::by(case.result, "unconfirmed", &what));
            }
        }
        State::Suspect => {
            let what = format!("{}: there is no proof", fell(case));
            docket.warn(Breach::by(case.result, "suspect", &what));
        }
        State::Unconfirmed if case.other_judge => {
            let what = "fails under another judge than in the baseline: whether the application or the judge \
                        changed is not known";
            docket.inconclusive(Breach::by(case.result, "judge-changed", what));
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
            docket.inconclusive(Breach::by(case.result, "unconfirmed", &what));
        }
        State::New | State::Changed if fails => {
            let what = if state == State::New { "is new and fails" } else { "was changed and fails" };
            docket.raise(Category::NewFailure, Breach::by(case.result, "new-failure", what));
        }
        State::New | State::Changed if strictly_new(case, policy) => new_unproven(case, policy, docket),
        State::Failed | State::Flaky
            if fails && case.relation == Relation::Alone && !policy.rated(case.result) =>
        {
            docket.raise(Category::NewFailure, Breach::by(case.result, "case-failed", &failed(case.result)));
        }
        State::Flaky
            if case.relation == Relation::Known && (fails || super::metric::disagrees(case.result)) =>
        {
            let what = format!("passes at times: {} in the baseline{}", of(case.before), fresh_words(case));
            docket.raise(Category::Flaky, Breach::by(case.result, "flaky", &what));
        }
        _ => {}
    }
}

/// A new case that passes, under the strict policy: it has to pass every time.
fn new_unproven(case: &Case<'_>, policy: &Policy, docket: &mut Docket<'_>) {
    let passes = case.result.tally().hits + case.fresh.hits;
    let needed = u64::from(policy.confirm);
    if case.fresh.hits < case.fresh.of {
        let what = format!("is new or changed and does not pass every time{}", fresh_words(case));
        docket.raise(Category::NewFailure, Breach::by(case.result, "new-failure", &what));
    } else if passes < needed {
        let what =
            format!("is new or changed and passed {passes} times; the strict policy asks for {needed}");
        docket.inconclusive(Breach::by(case.result, "unconfirmed", &what));
    }
}

/// Whether the failure of a critical case counts: seen twice, or nothing can clear it.
fn is_confirmed(case: &Case<'_>, policy: &Policy) -> bool {
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
fn fresh_words(case: &Case<'_>) -> String {
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
fn fell(case: &Case<'_>) -> String {
    format!("passed in the baseline ({}) and fails now{}", of(case.before), fresh_words(case))
}

fn note(case: &Case<'_>, state: State, finding: Option<Finding>) -> String {
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
        Some(Finding::Broken(Proven::Test(p))) => notes.push(probability(p)),
        Some(Finding::Broken(Proven::Thin)) => notes.push("on a thin baseline".to_owned()),
        _ => {}
    }
    if grader_flaked(case.result) {
        notes.push("the judge judged the same answer both ways".to_owned());
    }
    notes.join("; ")
}

/// Whether one text was judged both ways: then the judge is at fault, not the application.
fn grader_flaked(case: &CaseResult) -> bool {
    use crate::manifest::Outcome::{Failed, Passed};
    let told = |outcome| {
        case.trials
            .iter()
            .filter(move |trial| trial.outcome == outcome)
            .filter_map(|trial| trial.reply.as_ref())
    };
    case.judged_by_grader() && told(Passed).any(|one| told(Failed).any(|other| one.text == other.text))
}

/// The pass rate, which is answered, and the thresholds.
pub(super) fn limits(run: &RunManifest, policy: &Policy, docket: &mut Docket<'_>) -> Option<f64> {
    let excused = |case: &&CaseResult| policy.quarantine_of(case).is_none();
    let all: Vec<_> = run.cases.iter().filter(excused).collect();
    let (rate, over) = match Metric::PassRate.measure(&all) {
        Measured::Number(rate, over) => (Some(rate), over),
        _ => (None, String::new()),
    };
    if let (Some(limit), Some(rate)) = (policy.min_pass_rate, rate)
        && rate + 1e-9 < limit
    {
        let message =
            format!("the pass rate is {:.1} % ({over}), {:.1} % is needed", rate * 100.0, limit * 100.0);
        docket.raise(
            Category::Threshold,
            Breach { measured: Some(rate), limit: Some(limit), ..Breach::new("min-pass-rate", message) },
        );
    }
    for threshold in &policy.thresholds {
        let metric = &threshold.metric;
        let taken = |case: &&CaseResult| {
            threshold.cases.has(case)
                && match metric {
                    Metric::Recall(tag) => case.tags.contains(tag),
                    _ => true,
                }
        };
        let cases: Vec<_> = all.iter().copied().filter(taken).collect();
        let name = format!("{}{}", metric.name(), threshold.cases.words());
        let category = if metric.is_spending() { Category::Budget } else { Category::Threshold };
        match metric.measure(&cases) {
            Measured::Number(value, over) => {
                let low = threshold.min.filter(|min| value + 1e-9 < *min).map(|min| (min, "at least"));
                let high = threshold.max.filter(|max| value > *max + 1e-9).map(|max| (max, "at most"));
                if let Some((limit, words)) = low.or(high) {
                    let (is, may) = (metric.words(value), metric.words(limit));
                    let message = format!("{name} is {is} ({over}), {words} {may} is needed");
                    docket.raise(
                        category,
                        Breach {
                            measured: Some(value),
                            limit: Some(limit),
                            ..Breach::new("threshold", message)
                        },
                    );
                }
            }
            Measured::NoCase
                if cases.iter().all(|case| case.outcome == crate::manifest::Outcome::Skipped) =>
            {
                docket.warn(Breach::new(
                    "not-measured",
                    format!("{name} was not measured: no case of it was asked"),
                ));
            }
            Measured::NoCase | Measured::Unknown => {
                let why = if metric.is_spending() {
                    "an answer came without it; costs need `prices` in the configuration, and tokens in the answers"
                } else {
                    "nothing told it"
                };
                docket.error(Breach::new("not-measured", format!("{name} could not be measured: {why}")));
            }
        }
    }
    rate
}

/// What keeps the run as a whole from being judged; answers whether too many cases could not be.
pub(super) fn errors(run: &RunManifest, policy: &Policy, docket: &mut Docket<'_>) -> bool {
    let counts = run.counts();
    let rest = text::count(counts.skipped, "case");
    let mut too_many = false;
    if counts.errored > 0 {
        let all: Vec<_> = run.cases.iter().collect();
        let rate = match Metric::ErrorRate.measure(&all) {
            Measured::Number(rate, _) => rate,
            _ => 1.0,
        };
        let mut message = format!("{} could not be judged", text::count(counts.errored, "case"));
        if policy.max_error_rate > 0.0 {
            let may = policy.max_error_rate * 100.0;
            message = format!("{message} ({:.1} %; {may:.1} % may)", rate * 100.0);
        }
        let breach = Breach {
            measured: Some(rate),
            limit: Some(policy.max_error_rate),
            ..Breach::new("errors", message)
        };
        too_many = rate > policy.max_error_rate + 1e-9;
        if too_many { docket.error(breach) } else { docket.warn(breach) }
    }
    let (id, why) = match run.ended {
        Ended::Complete | Ended::FailFast => ("", ""),
        Ended::Interrupted => ("interrupted", "was interrupted"),
        Ended::Terminated => ("interrupted", "was terminated"),
        Ended::Budget => ("budget", "was ended by its budget"),
        Ended::Deadline => ("deadline", "was ended by its deadline"),
    };
    if !id.is_empty() {
        docket.error(Breach::new(id, format!("the run {why}; {rest} not judged")));
    }
    if counts.judged() == 0 && counts.errored == 0 {
        docket.error(Breach::new("nothing-judged", "no case was judged".to_owned()));
    }
    too_many
}

/// The baseline as a whole: is it there, thick enough, comparable, and did the suite drop?
pub(super) fn baseline(
    reference: Reference<'_>,
    cases: &[Case<'_>],
    trial: &Trial<'_>,
    policy: &Policy,
    docket: &mut Docket<'_>,
) {
    let strict = policy.proof == Proof::OfInnocence;
    if let Reference::Missing(place) = reference {
        let message = format!("there is no baseline `{place}`: regressions were not evaluated");
        let breach = Breach::new("baseline-missing", message);
        match policy.missing {
            Missing::Fail => docket.error(breach),
            Missing::Warn if strict => docket.inconclusive(breach),
            Missing::Warn => docket.warn(breach),
        }
    }
    if !matches!(reference, Reference::Found { .. }) {
        return;
    }
    if let Some(drop) = suite::drop(cases, policy) {
        let message = format!(
            "the suite dropped: {:.1} % of {} pass, the baseline lets expect {:.1} % ({})",
            drop.seen * 100.0,
            text::count(drop.cases, "compared case"),
            drop.expected * 100.0,
            probability(drop.p)
        );
        docket.raise(
            Category::Regression,
            Breach {
                measured: Some(drop.seen),
                limit: Some(drop.expected),
                p_value: Some(drop.p),
                ..Breach::new("suite-regression", message)
            },
        );
    }
    if !strict {
        return;
    }
    let thin = suite::pairs(cases)
        .filter(|(case, _)| case.before.share().is_some_and(|share| share >= regression::USED_TO_PASS))
        .filter(|(case, _)| policy.confirm > 0 && !trial.is_thick(case.before))
        .count();
    if thin > 0 {
        let message = format!(
            "the baseline is thin: {} could not be proven to break",
            text::count(thin, "compared case")
        );
        docket.inconclusive(Breach::new("baseline-thin", message));
    }
    let shown = suite::shown(cases);
    if shown.is_none_or(|least| least < -policy.margin) {
        let least = shown.map_or("nothing is shown".to_owned(), |least| {
            format!("what is shown is a change of at least {:+.1} points", least * 100.0)
        });
        let message = format!(
            "the suite is not shown to be no worse than its baseline by {:.1} points: {least}",
            policy.margin * 100.0
        );
        docket.inconclusive(Breach {
            measured: shown,
            limit: Some(-policy.margin),
            ..Breach::new("not-shown", message)
        });
    }
}

/// Where another application or judge than the baseline's was at work.
pub(super) fn shifts(run: &RunManifest, reference: Reference<'_>, docket: &mut Docket<'_>) {
    let Some(baseline) = reference.baseline() else { return };
    for shift in baseline.shifts(run) {
        let id = match shift.role {
            Role::Target => "target-changed",
            Role::Grader => "judge-changed",
            Role::Akit => "akit-changed",
        };
        docket.warn(Breach::new(id, shift.to_string()));
    }
}

/// Cases that only the baseline has.
pub(super) fn removed(evidence: &Evidence<'_>, cases: &[Case<'_>], docket: &mut Docket<'_>) {
    let Reference::Found { baseline, .. } = evidence.reference else { return };
    let gone = evidence::gone(cases, evidence.run, baseline);
    if let Some(first) = gone.first() {
        let message = match gone.len() {
            1 => format!("{}/{} is in the baseline and not in the suite", first.scenario, first.id),
            n => format!(
                "{n} cases are in the baseline and not in the suite, {}/{} first",
                first.scenario, first.id
            ),
        };
        docket.raise(Category::Removed, Breach::new("removed", message));
    }
}

/// Where this change demands less than its base.
pub(super) fn weakened(found: &[Weakening], docket: &mut Docket<'_>) {
    for one in found {
        let message = format!("{}: {}", one.kind, one.message);
        docket.raise(
            Category::Weakened,
            Breach { location: Some(one.location.clone()), ..Breach::new("weakened", message) },
        );
    }
}

fn few(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

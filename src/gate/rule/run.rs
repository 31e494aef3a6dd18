//! Findings about the run as a whole.

use std::collections::BTreeSet;

use crate::baseline::{BaselineCase, Role};
use crate::gate::evidence::CaseEvidence;
use crate::gate::facts::Facts;
use crate::gate::finding::{Conclusion, Finding, Findings};
use crate::gate::guard::{self, Second, Sight};
use crate::gate::metric::{Bound, Measured};
use crate::gate::regression::{Regression, has_failed};
use crate::gate::state::{CaseState, State};
use crate::gate::suspicion::THIN;
use crate::gate::{Category, Missing, Policy, Reference, Rigor, Weakening, of, probability, suite};
use crate::manifest::{CaseResult, Ended, RunManifest, Trial};
use crate::stats::SLACK;
use crate::text;
use crate::vocabulary::{FaultKind, FindingId, Metric, Outcome, Subject, WeakeningKind};

/// Checks the thresholds; returns the pass rate.
pub(in crate::gate) fn limits(run: &RunManifest, policy: &Policy, log: &mut Findings<'_>) -> Option<f64> {
    let excused = |case: &&CaseResult| policy.quarantine_of(case).is_none();
    let all: Vec<_> = run.cases.iter().filter(excused).collect();
    let rate = match Measured::of(&Metric::PassRate, &all) {
        Measured::Number(rate, _) => Some(rate),
        Measured::NoCase | Measured::Unknown => None,
    };
    if let Some(limit) = policy.min_pass_rate
        && let Measured::Number(rate, over) = Measured::against(Bound::Least, &Metric::PassRate, &all, policy)
        && rate + SLACK < limit
    {
        let (is, needed) = apart(rate, limit);
        let message = format!("the pass rate is {is} ({over}); the policy requires {needed}");
        log.raise(
            Category::Threshold,
            Finding {
                measured: Some(rate),
                limit: Some(limit),
                ..Finding::new(FindingId::MinPassRate, message)
            },
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
        match Measured::of(metric, &cases) {
            Measured::Number(..) => {
                let held = |bound, limit: Option<f64>| match Measured::against(bound, metric, &cases, policy)
                {
                    Measured::Number(value, over) => limit.map(|limit| (limit, value, over)),
                    Measured::NoCase | Measured::Unknown => None,
                };
                let low = held(Bound::Least, threshold.min).filter(|(min, value, _)| value + SLACK < *min);
                let high = held(Bound::Most, threshold.max).filter(|(max, value, _)| *value > max + SLACK);
                let (low, high) = (low.map(|low| (low, "at least")), high.map(|high| (high, "at most")));
                if let Some(((limit, value, over), words)) = low.or(high) {
                    let (is, may) = (metric.words(value), metric.words(limit));
                    let message = format!("{name} is {is} ({over}); the policy requires {words} {may}");
                    log.raise(
                        category,
                        Finding {
                            measured: Some(value),
                            limit: Some(limit),
                            subject: Subject::Threshold {
                                metric: metric.clone(),
                                cases: threshold.cases.selection(),
                            },
                            ..Finding::new(FindingId::Threshold, message)
                        },
                    );
                }
            }
            Measured::NoCase if cases.iter().all(|case| case.outcome == Outcome::Skipped) => {
                log.warn(Finding::new(
                    FindingId::NotMeasured,
                    format!("{name} was not measured: none of its cases was judged"),
                ));
            }
            Measured::NoCase | Measured::Unknown => {
                let why = if metric.is_spending() {
                    "an answer lacks it; costs need `prices` in the configuration and token counts in the answers"
                } else {
                    "no answer provides it"
                };
                log.error(Finding::new(
                    FindingId::NotMeasured,
                    format!("{name} could not be measured: {why}"),
                ));
            }
        }
    }
    rate
}

/// Whether trials of a case could not be judged because their records exist only in the change under test.
pub(in crate::gate) fn rests_on_untrusted(case: &CaseResult) -> bool {
    let untrusted =
        |trial: &Trial| trial.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::UntrustedRecord);
    case.ordinary().any(untrusted)
}

/// Reports what keeps the run as a whole from being judged; returns whether too many cases errored. Cases in quarantine
/// do not count.
pub(in crate::gate) fn errors(run: &RunManifest, policy: &Policy, log: &mut Findings<'_>) -> bool {
    let gating = run.cases.iter().filter(|case| policy.quarantine_of(case).is_none());
    let (untrusted, cases): (Vec<_>, Vec<_>) = gating.partition(|case| rests_on_untrusted(case));
    if let Some(first) = untrusted.first() {
        let message = format!(
            "{} not judged: the records exist only in this change (first: {}); run with a key, or merge the records in a \
             separate change",
            text::count(untrusted.len(), "case"),
            first.key()
        );
        log.inconclusive(Finding::new(FindingId::UntrustedRecord, message));
    }
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let (errored, judged) = (count(Outcome::Errored), count(Outcome::Passed) + count(Outcome::Failed));
    let strict = policy.rigor == Rigor::Strict;
    let critical = |case: &&CaseResult| case.outcome == Outcome::Errored && policy.is_critical(case);
    let mut too_many = false;
    if errored > 0 {
        let rate = match Measured::against(Bound::Most, &Metric::ErrorRate, &cases, policy) {
            Measured::Number(rate, _) => rate,
            _ => 1.0,
        };
        let mut message = format!("{} could not be judged", text::count(errored, "case"));
        if policy.max_error_rate > 0.0 {
            let may = policy.max_error_rate * 100.0;
            message = format!("{message} ({:.1}%; at most {may:.1}% allowed)", rate * 100.0);
        }
        let held = strict || judged == 0 || cases.iter().copied().any(|case| critical(&case));
        too_many = held || rate > policy.max_error_rate + SLACK;
        if held && policy.max_error_rate > 0.0 {
            message.push_str(if judged == 0 {
                "; no case was judged"
            } else if strict {
                "; the strict policy allows none"
            } else {
                "; at least one is critical"
            });
        }
        let finding = Finding {
            measured: Some(rate),
            limit: Some(policy.max_error_rate),
            ..Finding::new(FindingId::Errors, message)
        };
        // If a budget or a deadline ended the run early, its final error rate is unknown.
        let cut = matches!(run.ended, Ended::Budget | Ended::Deadline);
        if too_many && !cut { log.error(finding) } else { log.warn(finding) }
    }
    let trials =
        cases.iter().filter(|case| case.outcome != Outcome::Errored).flat_map(|case| case.ordinary());
    let lost = trials.filter(|trial| trial.outcome == Outcome::Errored).count();
    if lost > 0 {
        let message = format!(
            "{} could not be judged; other trials of the same cases were",
            text::count(lost, "trial")
        );
        log.warn(Finding::new(FindingId::Errors, message));
    }
    let skipped = run.counts().skipped;
    let rest = format!("{} not judged", text::count(skipped, "case"));
    let cut = match run.ended {
        Ended::Complete | Ended::FailFast => None,
        Ended::Interrupted => Some((FindingId::Interrupted, "was interrupted")),
        Ended::Terminated => Some((FindingId::Interrupted, "was terminated")),
        Ended::Budget => Some((FindingId::Budget, "hit its budget")),
        Ended::Deadline => Some((FindingId::Deadline, "hit its deadline")),
    };
    if let Some((id, why)) = cut {
        // If every case has a verdict, repeats or extra trials were still to be asked.
        let rest = match id {
            _ if skipped > 0 => format!("; {rest}"),
            FindingId::Interrupted => " before it finished".to_owned(),
            _ => " before all trials were asked".to_owned(),
        };
        let message = format!("the run {why}{rest}");
        log.error(Finding::new(id, message));
    }
    if run.ended == Ended::FailFast && log.fatal() == 0 {
        let message = format!("`--fail-fast` stopped the run at a case that does not fail the gate; {rest}");
        log.error(Finding::new(FindingId::CutShort, message));
    }
    if judged == 0 && errored == 0 && untrusted.is_empty() {
        log.error(Finding::new(FindingId::NothingJudged, "no case was judged".to_owned()));
    }
    too_many
}

/// Checks the baseline as a whole: does it exist, does it have enough trials, is it comparable, and did the suite
/// regress?
pub(in crate::gate) fn baseline(
    reference: Reference<'_>,
    cases: &[CaseEvidence<'_>],
    facts: &[Facts<'_>],
    (regression, second): (&Regression, Second),
    policy: &Policy,
    log: &mut Findings<'_>,
) {
    let strict = policy.rigor == Rigor::Strict;
    if let Reference::Missing(place, sought) = reference {
        let message = format!("no baseline `{place}`: regressions were not checked");
        let finding = Finding::new(FindingId::BaselineMissing, message);
        match Missing::of(policy.missing, sought) {
            Missing::Fail => log.error(finding),
            Missing::Warn if strict => log.inconclusive(finding),
            Missing::Warn => log.warn(finding),
        }
    }
    if strict && matches!(reference, Reference::None) {
        let message = "the strict policy needs a baseline, and none is set".to_owned();
        log.inconclusive(Finding::new(FindingId::BaselineMissing, message));
    }
    if !matches!(reference, Reference::Found { .. }) {
        return;
    }
    for guard in regression.guards(facts, policy.margin, second).into_iter().filter(|guard| guard.fires) {
        let (id, subject, what) = match guard.tag {
            None => (FindingId::SuiteRegression, Subject::Run, "the suite".to_owned()),
            Some(tag) => (FindingId::TagRegression, Subject::Tag(tag.to_owned()), format!("the tag `{tag}`")),
        };
        let message = format!("{what} regressed: {}", passed_of(&guard.sight, guard.cases.len()));
        log.raise(Category::Regression, Finding { subject, ..sighted(id, &guard.sight, message) });
    }
    if let Some((sight, cases)) = regression.joint(facts).filter(|(sight, _)| sight.p <= guard::JOINT) {
        let message = format!("recorded answers regressed together: {}", passed_of(&sight, cases));
        log.raise(Category::Regression, sighted(FindingId::JointRegression, &sight, message));
    }
    if !strict {
        return;
    }
    let thin = suite::pairs(cases)
        .filter(|case| policy.confirm > 0 && case.before.of < THIN && regression.suite.expects(case.before))
        .count();
    if thin > 0 {
        let message = format!(
            "the baseline is too thin to prove a regression of {}",
            text::count(thin, "compared case")
        );
        log.inconclusive(Finding::new(FindingId::BaselineThin, message));
    }
    let shown = suite::shown(cases);
    if shown.is_none_or(|least| least < -policy.margin) {
        let margin = format!("{:.1} points", policy.margin * 100.0);
        let message = match shown {
            Some(least) => format!(
                "the suite could be {:.1} points worse than its baseline; the strict policy allows {margin}",
                -least * 100.0
            ),
            None => format!(
                "too few compared cases to show that the suite is at most {margin} worse than its baseline"
            ),
        };
        log.inconclusive(Finding {
            measured: shown,
            limit: Some(-policy.margin),
            ..Finding::new(FindingId::NotShown, message)
        });
    }
}

/// Two shares in percent, with enough digits to tell them apart.
fn apart(one: f64, other: f64) -> (String, String) {
    let percent = |share: f64, digits: usize| format!("{:.digits$}%", share * 100.0);
    let digits = (1..9).find(|digits| percent(one, *digits) != percent(other, *digits)).unwrap_or(9);
    (percent(one, digits), percent(other, digits))
}

/// `78.6% of 14 cases pass, 97.8% expected from the baseline (p = 0.0095)`.
fn passed_of(sight: &Sight, cases: usize) -> String {
    format!(
        "{:.1}% of {} pass, {:.1}% expected from the baseline ({})",
        sight.seen * 100.0,
        text::count(cases, "case"),
        sight.expected * 100.0,
        probability(sight.p)
    )
}

fn sighted(id: FindingId, sight: &Sight, message: String) -> Finding {
    Finding {
        measured: Some(sight.seen),
        limit: Some(sight.expected),
        p_value: Some(sight.p),
        ..Finding::new(id, message)
    }
}

/// Reports that the application or judge differs from the baseline's.
pub(in crate::gate) fn shifts(run: &RunManifest, reference: Reference<'_>, log: &mut Findings<'_>) {
    let Some(baseline) = reference.baseline() else { return };
    for shift in baseline.shifts(run) {
        let id = match shift.role {
            Role::Target => FindingId::TargetChanged,
            Role::Grader => FindingId::JudgeChanged,
            Role::Akit => FindingId::AkitChanged,
        };
        let hint = if shift.role == Role::Grader { "; `akit regrade` shows what it changed" } else { "" };
        log.warn(Finding::new(id, format!("{shift}{hint}")));
    }
}

/// Reports recorded answers of an unknown origin: the application may have changed since.
pub(in crate::gate) fn unasked(run: &RunManifest, log: &mut Findings<'_>) {
    let judged = |name: &str| {
        let mut own = run.cases.iter().filter(|case| case.scenario == name);
        own.any(|case| matches!(case.outcome, Outcome::Passed | Outcome::Failed))
    };
    let found: Vec<_> = run.scenarios.iter().filter(|one| one.unidentified && judged(&one.name)).collect();
    if let Some(first) = found.first() {
        let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
        let message = format!(
            "the application was not asked: {}{more} uses recorded answers of {}, which may have changed \
                 since; set its version with `--target-version`, or get new answers with `--cache refresh`",
            first.name, first.target
        );
        log.inconclusive(Finding::new(FindingId::NotAsked, message));
    }
}

/// A run in which no answer passed never passes, whatever the baseline and the policy excuse. It is only inconclusive
/// if every failure is unconfirmed or open, or if an uncalibrated judge failed the rest. Returns whether nothing
/// passed.
pub(in crate::gate) fn nothing_passed(
    run: &RunManifest,
    cases: &[CaseEvidence<'_>],
    states: &[CaseState],
    log: &mut Findings<'_>,
) -> bool {
    let judged =
        || cases.iter().zip(states).filter(|(case, _)| case.now.is_some() && case.quarantine.is_none());
    // The trials that were not run could have passed; such a run is already an error.
    if judged().next().is_none() || run.ended != Ended::Complete {
        return false;
    }
    let passed = |trial: &&Trial| trial.outcome == Outcome::Passed;
    let advisory = |trial: &Trial| trial.verdicts().any(|one| one.outcome != Outcome::Passed);
    // Cases in quarantine do not count, not even their passes.
    let own = || cases.iter().filter(|case| case.quarantine.is_none()).map(|case| case.result);
    let good: Vec<_> = own().flat_map(|case| &case.trials).filter(passed).collect();
    let without_trials = own().any(|case| case.trials.is_empty() && case.outcome == Outcome::Passed);
    if without_trials || good.iter().any(|trial| !advisory(trial)) {
        return false;
    }
    let mut message = "no answer passed".to_owned();
    if !good.is_empty() {
        message.push_str(", and the judge that failed them is not calibrated");
    }
    let finding = Finding::new(FindingId::NothingPassed, message);
    let open = |(case, state): (&CaseEvidence<'_>, &CaseState)| {
        case.now == Some(true) || matches!(state.state, State::Unconfirmed | State::Open)
    };
    // If another finding is at least as severe, this one adds nothing.
    match (judged().all(open), log.gravest()) {
        (_, Some(Conclusion::Fail)) | (true, Some(Conclusion::Error)) => {}
        (true, Some(Conclusion::Inconclusive)) if log.stops() => {}
        (true, _) => log.inconclusive(finding),
        (false, _) => log.fail(finding),
    }
    true
}

/// Reports cases that only the baseline has.
pub(in crate::gate) fn removed(run: &RunManifest, gone: &[&BaselineCase], log: &mut Findings<'_>) {
    // A scenario that was not run at all may belong to another part of the suite.
    let ran: BTreeSet<&str> = run.cases.iter().map(|case| case.scenario.as_str()).collect();
    let gone: Vec<_> = gone.iter().filter(|case| ran.contains(case.scenario.as_str())).collect();
    if let Some(first) = gone.first() {
        let message = match gone.len() {
            1 => format!("{} is in the baseline but not in the suite", first.name()),
            n => format!("{n} cases are in the baseline but not in the suite (first: {})", first.name()),
        };
        log.raise(Category::Removed, Finding::new(FindingId::Removed, message));
    }
}

/// Failed cases that were changed, so that their past no longer counts.
pub(in crate::gate) fn resets(cases: &[CaseEvidence<'_>]) -> Vec<Weakening> {
    let reset = |case: &CaseEvidence<'_>| {
        let past = case.reset?;
        let failing = case.now == Some(false) || has_failed(past);
        (failing && case.quarantine.is_none()).then(|| Weakening {
            kind: WeakeningKind::HistoryReset,
            of: case.result.key().to_string(),
            message: format!(
                "{} was changed, so its past ({} passed) no longer counts",
                case.result.key(),
                of(past)
            ),
            location: case.result.location.clone(),
        })
    };
    cases.iter().filter_map(reset).collect()
}

/// Reports where this change is weaker than its base.
pub(in crate::gate) fn weakened(found: &[Weakening], log: &mut Findings<'_>) {
    for one in found {
        let message = format!("{}: {}", one.kind, one.message);
        log.raise(
            Category::Weakened,
            Finding {
                subject: Subject::Weakening { kind: one.kind.clone(), of: one.of.clone() },
                location: Some(one.location.clone()),
                ..Finding::new(FindingId::Weakened, message)
            },
        );
    }
}

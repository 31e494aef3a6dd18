mod errored;
mod findings;
mod judge;
mod never_weaker;
mod regressions;
mod simulation;
mod spending;
mod vectors;

use super::*;
use crate::baseline::BaselineCase;
use crate::manifest::{CaseResult, Ended, Trial};
use crate::vocabulary::{FindingId, Metric, Outcome, WeakeningKind};

/// A case whose regular trials had these results.
pub fn case(id: &str, outcomes: &[Outcome]) -> CaseResult {
    let said = |outcome| outcomes.contains(&outcome);
    let outcome = [Failed, Passed, Errored].into_iter().find(|one| said(*one)).unwrap_or(Skipped);
    let asked = outcomes.iter().filter(|outcome| **outcome != Skipped);
    CaseResult {
        scenario: "support".to_owned(),
        id: id.to_owned(),
        name: None,
        tags: Vec::new(),
        location: Location { file: "support.yaml".to_owned(), line: 3, column: 5 },
        content_hash: format!("hash-{id}"),
        outcome,
        score: None,
        reason: String::new(),
        prompt: String::new(),
        trials: asked.zip(0..).map(|(outcome, index)| trial(index, *outcome, false)).collect(),
        earlier: None,
    }
}

fn trial(index: u32, outcome: Outcome, confirmation: bool) -> Trial {
    Trial { index, confirmation, ..Trial::single(outcome, None, None) }
}

pub fn run(outcomes: &[(&str, Outcome)]) -> RunManifest {
    of(outcomes.iter().map(|(id, outcome)| case(id, &[*outcome])).collect())
}

pub fn of(cases: Vec<CaseResult>) -> RunManifest {
    RunManifest {
        schema: crate::manifest::SCHEMA.to_owned(),
        akit: "0".to_owned(),
        run_id: "0".to_owned(),
        at: None,
        commit: None,
        suite: Vec::new(),
        seed: 0,
        ended: Ended::Complete,
        duration_ms: 0,
        scenarios: Vec::new(),
        cases,
        redacted: None,
        notes: Vec::new(),
    }
}

pub fn baseline(tallies: &[(&str, u64, u64)]) -> Baseline {
    let mut baseline = Baseline::empty();
    baseline.cases = tallies
        .iter()
        .map(|&(id, hits, of)| {
            BaselineCase::new("support", id, &format!("hash-{id}"), stats::Tally { hits, of })
        })
        .collect();
    baseline.cases.sort_by(|a, b| a.id.cmp(&b.id));
    baseline
}

/// Asks suspects again as `akit run` does; `answer` says whether an extra trial of a case passes, or that it is not
/// possible.
fn confirm(
    run: &mut RunManifest,
    baseline: Option<&Baseline>,
    policy: &Policy,
    mut answer: impl FnMut(usize) -> Option<bool>,
) -> usize {
    let (mut asked, mut short) = (0, BTreeSet::new());
    let reference = found(baseline);
    loop {
        let next = next(run, reference, policy, &short);
        let (cases, second) = match next {
            Next::Nothing => return asked,
            Next::Suspects(cases) => (cases, false),
            Next::SecondRound(cases) => (cases, true),
        };
        for case in cases {
            let Some(passes) = answer(case) else {
                short.insert(case);
                continue;
            };
            let trials = &mut run.cases[case].trials;
            let index = u32::try_from(trials.len()).unwrap();
            let outcome = if passes { Passed } else { Failed };
            trials.push(Trial { second_round: second, ..trial(index, outcome, true) });
            asked += 1;
        }
    }
}

fn found(baseline: Option<&Baseline>) -> Reference<'_> {
    baseline.map_or(Reference::None, |baseline| Reference::Found { baseline, from: "b.json" })
}

fn judge(run: &RunManifest, baseline: Option<&Baseline>, policy: &Policy) -> Decision {
    decide(&Evidence { run, reference: found(baseline), weakened: &[] }, policy)
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.findings.iter().map(|finding| finding.id.word()).collect()
}

use Outcome::{Errored, Failed, Passed, Skipped};

#[test]
fn decisions_without_a_baseline() {
    type PolicyRow = (&'static [(&'static str, Outcome)], Option<f64>, Conclusion, &'static [&'static str]);
    let table: &[PolicyRow] = &[
        (&[("a", Passed)], None, Conclusion::Pass, &[]),
        (&[("a", Passed), ("b", Failed)], None, Conclusion::Fail, &["case-failed"]),
        (&[("a", Passed), ("b", Failed)], Some(0.5), Conclusion::Pass, &[]),
        (&[("a", Passed), ("b", Failed)], Some(0.51), Conclusion::Fail, &["min-pass-rate"]),
        (&[("a", Passed), ("b", Errored)], None, Conclusion::Error, &["errors"]),
        (&[("a", Passed), ("b", Errored)], Some(0.0), Conclusion::Error, &["errors"]),
        (&[("a", Failed), ("b", Errored)], None, Conclusion::Fail, &["case-failed", "errors"]),
        (&[("a", Skipped)], None, Conclusion::Error, &["nothing-judged"]),
        (&[], Some(0.0), Conclusion::Error, &["nothing-judged"]),
        (&[("a", Passed), ("b", Skipped)], None, Conclusion::Pass, &[]),
    ];
    for (outcomes, min_pass_rate, conclusion, findings) in table {
        let policy = Policy { min_pass_rate: *min_pass_rate, ..Policy::default() };
        let decision = judge(&run(outcomes), None, &policy);
        assert_eq!((decision.conclusion, ids(&decision)), (*conclusion, findings.to_vec()), "{outcomes:?}");
    }
}

#[test]
fn a_changed_case_is_not_compared() {
    let mut stored = baseline(&[("ok", 0, 5)]);
    stored.cases[0].content_hash = "other".to_owned();
    let decision = judge(&run(&[("ok", Failed)]), Some(&stored), &Policy::default());
    assert_eq!((decision.cases[0].state, decision.conclusion), (State::Changed, Conclusion::Fail));
    assert_eq!(ids(&decision), ["new-failure"]);
    assert_eq!(decision.warnings.last().map(|one| one.message.as_str()), Some(RESET));
    // It passes now, but a possibly weaker change must not drop its history.
    let policy = Policy { fail_on: [Category::Weakened].into(), ..Policy::default() };
    let decision = judge(&run(&[("ok", Passed)]), Some(&stored), &policy);
    assert_eq!((ids(&decision), decision.findings[0].message.as_str()), (vec!["weakened"], RESET));
}

const RESET: &str = "history-reset: support/ok was changed, so its past (0 of 5 passed) no longer counts";

#[test]
fn an_interrupted_run_does_not_pass() {
    for (ended, id) in [
        (Ended::Interrupted, "interrupted"),
        (Ended::Terminated, "interrupted"),
        (Ended::Budget, "budget"),
        (Ended::Deadline, "deadline"),
    ] {
        let mut manifest = run(&[("a", Passed), ("b", Skipped)]);
        manifest.ended = ended;
        let decision = judge(&manifest, None, &Policy::default());
        assert_eq!((decision.conclusion, ids(&decision)), (Conclusion::Error, vec![id]));
    }
}

#[test]
fn errors_count_in_no_rate_and_can_be_allowed() {
    let manifest = run(&[("a", Passed), ("b", Errored), ("c", Passed), ("d", Passed)]);
    for (most, conclusion) in [(0.0, Conclusion::Error), (0.24, Conclusion::Error), (0.25, Conclusion::Pass)]
    {
        let policy = Policy { max_error_rate: most, min_pass_rate: Some(1.0), ..Policy::default() };
        let decision = judge(&manifest, None, &policy);
        assert_eq!(decision.conclusion, conclusion, "{most}");
        assert_eq!(decision.cases[1].blocking, conclusion == Conclusion::Error);
    }
}

#[test]
fn thresholds_apply_to_the_cases_they_select() {
    let mut manifest = run(&[("a", Passed), ("b", Failed), ("c", Passed), ("d", Passed)]);
    manifest.cases[1].tags = vec!["fraud".to_owned()];
    manifest.cases[2].tags = vec!["fraud".to_owned()];
    manifest.cases[0].scenario = "other".to_owned();
    let tagged = || Selector { tags: vec!["fraud".to_owned()], ..Selector::default() };
    let scenario = || Selector { scenario: Some(Glob::parse("sup*").unwrap()), ..Selector::default() };
    let limit =
        |metric: &str, cases, min, max| Threshold { metric: Metric::parse(metric).unwrap(), cases, min, max };
    let table = [
        (limit("pass_rate", Selector::default(), Some(0.75), None), &[][..]),
        (limit("pass_rate", Selector::default(), Some(0.76), None), &["threshold"]),
        (limit("pass_rate", tagged(), Some(0.5), None), &[]),
        (limit("pass_rate", tagged(), Some(1.0), None), &["threshold"]),
        (limit("fraud_recall", Selector::default(), Some(0.51), None), &["threshold"]),
        (limit("pass_rate", scenario(), Some(0.67), None), &["threshold"]),
        (limit("flaky_rate", Selector::default(), None, Some(0.0)), &[]),
        (limit("error_rate", Selector::default(), None, Some(0.0)), &[]),
        (limit("ttft_p95_ms", Selector::default(), None, Some(1.0)), &["not-measured"]),
        (limit("cost_usd", Selector::default(), None, Some(1.0)), &["not-measured"]),
    ];
    for (limit, expected) in table {
        let name = limit.metric.name();
        let policy = Policy { min_pass_rate: Some(0.0), thresholds: vec![limit], ..Policy::default() };
        assert_eq!(ids(&judge(&manifest, None, &policy)), expected, "{name}");
    }
}

#[test]
fn a_rate_over_some_cases_excuses_only_those() {
    let mut manifest = run(&[("a", Failed), ("b", Failed)]);
    manifest.cases[0].tags = vec!["flaky".to_owned()];
    let cases = Selector { tags: vec!["flaky".to_owned()], ..Selector::default() };
    let limit = Threshold { metric: Metric::PassRate, cases, min: Some(0.0), max: None };
    let decision = judge(&manifest, None, &Policy { thresholds: vec![limit], ..Policy::default() });
    assert_eq!(decision.findings.len(), 1);
    assert_eq!(decision.findings[0].message, "support/b failed");
}

#[test]
fn a_quarantine_applies_until_its_last_day() {
    let until = |until: &str| Quarantined {
        case: Glob::parse("support/b*").unwrap(),
        owner: "team".to_owned(),
        reason: "known".to_owned(),
        until: until.to_owned(),
    };
    for (day, conclusion) in [("2026-01-31", Conclusion::Pass), ("2026-01-30", Conclusion::Fail)] {
        let policy =
            Policy { quarantine: vec![until(day)], today: "2026-01-31".to_owned(), ..Policy::default() };
        let decision = judge(&run(&[("a", Passed), ("b", Failed)]), None, &policy);
        assert_eq!(decision.conclusion, conclusion, "{day}");
        assert_eq!(decision.cases[1].state == State::Quarantined, conclusion == Conclusion::Pass);
    }
}

#[test]
fn findings_that_do_not_fail_the_gate_are_warnings() {
    let stored = baseline(&[("gone", 3, 3)]);
    let mut policy = Policy::default();
    let decision = judge(&run(&[("a", Passed)]), Some(&stored), &policy);
    assert_eq!(decision.conclusion, Conclusion::Pass);
    assert_eq!(decision.warnings[0].id, FindingId::Removed);
    policy.fail_on.insert(Category::Removed);
    assert_eq!(ids(&judge(&run(&[("a", Passed)]), Some(&stored), &policy)), ["removed"]);
}

#[test]
fn a_missing_baseline_is_always_reported() {
    let manifest = run(&[("a", Passed)]);
    let concluded = |sought, policy: Policy| {
        let reference = Reference::Missing("b.json", sought);
        let decision = decide(&Evidence { run: &manifest, reference, weakened: &[] }, &policy);
        let warned = decision.warnings.iter().any(|one| one.id == FindingId::BaselineMissing);
        assert!(warned || ids(&decision) == ["baseline-missing"], "{decision:?}");
        decision.conclusion
    };
    let of = |missing, rigor| Policy { missing, rigor, ..Policy::default() };
    for (sought, missing, rigor, conclusion) in [
        (Sought::Named, None, Rigor::Usual, Conclusion::Error),
        (Sought::Named, None, Rigor::Strict, Conclusion::Error),
        (Sought::Named, Some(Missing::Warn), Rigor::Usual, Conclusion::Pass),
        (Sought::Named, Some(Missing::Warn), Rigor::Strict, Conclusion::Inconclusive),
        (Sought::Named, Some(Missing::Fail), Rigor::Usual, Conclusion::Error),
        (Sought::Grown, None, Rigor::Usual, Conclusion::Pass),
        (Sought::Grown, None, Rigor::Strict, Conclusion::Inconclusive),
        (Sought::Grown, Some(Missing::Fail), Rigor::Usual, Conclusion::Error),
    ] {
        assert_eq!(concluded(sought, of(missing, rigor)), conclusion, "{sought:?} {missing:?} {rigor:?}");
    }
}

#[test]
fn weakenings_are_reported_and_fatal_if_the_policy_says_so() {
    let manifest = run(&[("a", Passed)]);
    let weakened = [Weakening {
        kind: WeakeningKind::ThresholdLowered,
        of: String::new(),
        message: "pass_rate from 1 to 0.9".to_owned(),
        location: Location { file: "akit.yaml".to_owned(), line: 4, column: 7 },
    }];
    let evidence = Evidence { run: &manifest, reference: Reference::None, weakened: &weakened };
    let mut policy = Policy::default();
    assert_eq!(decide(&evidence, &policy).warnings[0].id, FindingId::Weakened);
    policy.fail_on.insert(Category::Weakened);
    assert_eq!(decide(&evidence, &policy).conclusion, Conclusion::Fail);
}

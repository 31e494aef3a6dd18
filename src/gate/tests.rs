use super::*;
use crate::manifest::{BaselineCase, Tally};

fn case(id: &str, outcome: Outcome) -> CaseResult {
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
        trials: Vec::new(),
    }
}

fn run(outcomes: &[(&str, Outcome)]) -> RunManifest {
    RunManifest {
        schema: crate::manifest::SCHEMA.to_owned(),
        akit: "0".to_owned(),
        run_id: "0".to_owned(),
        at: None,
        seed: 0,
        ended: Ended::Complete,
        duration_ms: 0,
        scenarios: Vec::new(),
        cases: outcomes.iter().map(|(id, outcome)| case(id, *outcome)).collect(),
        notes: Vec::new(),
    }
}

fn baseline(tallies: &[(&str, u32, u32)]) -> Baseline {
    let mut baseline = Baseline::empty();
    baseline.cases = tallies
        .iter()
        .map(|&(id, passes, trials)| {
            BaselineCase::new("support", id, &format!("hash-{id}"), Tally { passes, trials })
        })
        .collect();
    baseline.cases.sort_by(|a, b| a.id.cmp(&b.id));
    baseline
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.breaches.iter().map(|breach| breach.id.as_str()).collect()
}

use Outcome::{Errored, Failed, Passed, Skipped};

#[test]
fn rulings_without_a_baseline() {
    type Row = (&'static [(&'static str, Outcome)], Option<f64>, Ruling, &'static [&'static str]);
    let table: &[Row] = &[
        (&[("a", Passed)], None, Ruling::Pass, &[]),
        (&[("a", Passed), ("b", Failed)], None, Ruling::Fail, &["case-failed"]),
        (&[("a", Passed), ("b", Failed)], Some(0.5), Ruling::Pass, &[]),
        (&[("a", Passed), ("b", Failed)], Some(0.51), Ruling::Fail, &["min-pass-rate"]),
        (&[("a", Passed), ("b", Errored)], None, Ruling::Error, &["errors"]),
        (&[("a", Passed), ("b", Errored)], Some(0.0), Ruling::Error, &["errors"]),
        (&[("a", Failed), ("b", Errored)], None, Ruling::Fail, &["case-failed", "errors"]),
        (&[("a", Skipped)], None, Ruling::Error, &["nothing-judged"]),
        (&[], Some(0.0), Ruling::Error, &["nothing-judged"]),
        (&[("a", Passed), ("b", Skipped)], None, Ruling::Pass, &[]),
    ];
    for (outcomes, min_pass_rate, ruling, breaches) in table {
        let decision = decide(&run(outcomes), None, &Policy { min_pass_rate: *min_pass_rate });
        assert_eq!((decision.ruling, ids(&decision)), (*ruling, breaches.to_vec()), "{outcomes:?}");
    }
}

#[test]
fn a_baseline_forgives_what_failed_before_and_nothing_else() {
    let stored = baseline(&[("ok", 4, 5), ("bad", 1, 5), ("gone", 1, 1)]);
    let table: &[(&str, Outcome, State, Ruling)] = &[
        ("ok", Passed, State::Passed, Ruling::Pass),
        ("ok", Failed, State::Broken, Ruling::Fail),
        ("bad", Failed, State::FailingAsBefore, Ruling::Pass),
        ("bad", Passed, State::Fixed, Ruling::Pass),
        ("new", Passed, State::New, Ruling::Pass),
        ("new", Failed, State::New, Ruling::Fail),
        ("ok", Errored, State::Errored, Ruling::Error),
    ];
    for (id, outcome, state, ruling) in table {
        let reference = Reference { baseline: &stored, from: "b.json" };
        let decision = decide(&run(&[(id, *outcome)]), Some(reference), &Policy::default());
        assert_eq!((decision.cases[0].state, decision.ruling), (*state, *ruling), "{id} {outcome:?}");
        assert!(decision.compared.unwrap().removed.contains(&"support/gone".to_owned()));
    }
}

#[test]
fn a_changed_case_is_not_compared() {
    let mut stored = baseline(&[("ok", 0, 5)]);
    stored.cases[0].content_hash = "other".to_owned();
    let reference = Reference { baseline: &stored, from: "b.json" };
    let decision = decide(&run(&[("ok", Failed)]), Some(reference), &Policy::default());
    assert_eq!((decision.cases[0].state, decision.ruling), (State::Changed, Ruling::Fail));
    assert_eq!(ids(&decision), ["new-failure"]);
}

#[test]
fn an_interrupted_run_never_passes() {
    let mut manifest = run(&[("a", Passed), ("b", Skipped)]);
    manifest.ended = Ended::Interrupted;
    assert_eq!(decide(&manifest, None, &Policy::default()).ruling, Ruling::Error);
}

#[test]
fn a_regression_outranks_an_error() {
    let stored = baseline(&[("a", 1, 1), ("b", 1, 1)]);
    let reference = Reference { baseline: &stored, from: "b.json" };
    let decision = decide(&run(&[("a", Errored), ("b", Failed)]), Some(reference), &Policy::default());
    assert_eq!(decision.ruling, Ruling::Fail);
    assert_eq!(decision.summary, "support/b passed in the baseline and fails now");
}

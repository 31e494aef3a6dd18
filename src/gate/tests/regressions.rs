//! One case that used to pass: what fresh trials make of it.

use super::*;

/// What becomes of a case that fails now, beside `passes` of `trials`, when its fresh trials pass so.
fn ruled(passes: u64, trials: u64, fresh: &[bool], policy: &Policy) -> (State, Conclusion, usize) {
    let stored = baseline(&[("a", passes, trials), ("b", 20, 20)]);
    // A run in which nothing passes never passes.
    let mut manifest = run(&[("a", Failed), ("b", Passed)]);
    let mut fresh = fresh.iter().copied();
    let asked = confirm(&mut manifest, Some(&stored), policy, |_| fresh.next());
    let decision = judge(&manifest, Some(&stored), policy);
    (decision.cases[0].state, decision.conclusion, asked)
}

const NO: [bool; 12] = [false; 12];
const YES: [bool; 12] = [true; 12];

/// Passes and trials before, fresh trials, and what becomes of it.
type EvidenceRow = (u64, u64, &'static [bool], (State, Conclusion, usize));

#[test]
fn one_case_by_its_baseline_and_its_fresh_trials() {
    use Conclusion::{Fail, Inconclusive, Pass};
    let policy = Policy::default();
    let table: &[EvidenceRow] = &[
        // Thick: four trials, held against the baseline.
        (10, 10, &NO, (State::Broken, Fail, 4)),
        (5, 5, &NO, (State::Broken, Fail, 4)),
        (3, 3, &NO, (State::Broken, Fail, 4)),
        // One pass beside 3 of 3, and no proof is possible any more: the asking ends.
        (3, 3, &[true], (State::Flaky, Pass, 1)),
        (20, 20, &[false, true, false, false], (State::Broken, Fail, 4)),
        (20, 20, &YES, (State::Flaky, Pass, 3)),
        // Thin: until one passes, eight at most.
        (1, 1, &NO, (State::Broken, Fail, 8)),
        (2, 2, &NO, (State::Broken, Fail, 8)),
        (1, 1, &[false, false, false, true], (State::Suspect, Pass, 4)),
        (1, 1, &YES, (State::Flaky, Pass, 1)),
        // Fresh trials that cannot be had.
        (1, 1, &[], (State::Unconfirmed, Inconclusive, 0)),
        (10, 10, &[], (State::Unconfirmed, Inconclusive, 0)),
        (1, 1, &[false, false], (State::Unconfirmed, Inconclusive, 2)),
        (1, 1, &[false, true], (State::Flaky, Pass, 2)),
        // Two failures beside 20 of 20 are proof enough: p = 1/231.
        (20, 20, &[false, false], (State::Broken, Fail, 2)),
        // Never used to pass.
        (1, 5, &NO, (State::FailingAsBefore, Pass, 0)),
        (0, 1, &NO, (State::FailingAsBefore, Pass, 0)),
        (7, 10, &NO, (State::Flaky, Pass, 0)),
        (4, 5, &NO, (State::Broken, Fail, 4)),
    ];
    for (passes, trials, fresh, expected) in table {
        assert_eq!(ruled(*passes, *trials, fresh, &policy), *expected, "{passes} of {trials}, {fresh:?}");
    }
}

#[test]
fn one_failure_is_proof_where_the_policy_says_so() {
    let policy = Policy { confirm: 0, ..Policy::default() };
    assert_eq!(ruled(1, 1, &YES, &policy), (State::Broken, Conclusion::Fail, 0));
    let policy = Policy { thin: Thin::Warn, ..Policy::default() };
    // The policy makes no regression of it, and no pass either.
    assert_eq!(ruled(1, 1, &NO, &policy), (State::Suspect, Conclusion::Inconclusive, 8));
}

#[test]
fn the_strict_policy_asks_for_a_proof_that_nothing_broke() {
    let policy = Policy { rigor: Rigor::Strict, ..Policy::default() };
    // One failure more is enough, whatever the test says.
    assert_eq!(ruled(10, 10, &[false], &policy), (State::Suspect, Conclusion::Fail, 1));
    assert_eq!(ruled(10, 10, &[true, true, true, false], &policy), (State::Flaky, Conclusion::Fail, 4));
    assert_eq!(ruled(10, 10, &[], &policy).1, Conclusion::Inconclusive);
    assert_eq!(ruled(1, 1, &[], &policy).1, Conclusion::Inconclusive);
    // A new case has to pass four times.
    let stored = baseline(&[("b", 9, 9), ("c", 9, 9)]);
    for (fresh, ids_of) in [(&YES[..], &[][..]), (&[true, false], &["new-failure"]), (&[], &["unconfirmed"])]
    {
        let mut manifest = run(&[("a", Passed), ("b", Passed), ("c", Passed)]);
        let mut fresh = fresh.iter().copied();
        confirm(&mut manifest, Some(&stored), &policy, |_| fresh.next());
        assert_eq!(ids(&judge(&manifest, Some(&stored), &policy)), ids_of);
    }
}

#[test]
fn the_strict_policy_does_not_pass_on_a_thin_baseline() {
    let policy = Policy { rigor: Rigor::Strict, ..Policy::default() };
    let stored = baseline(&[("a", 1, 1), ("b", 1, 1)]);
    let decision = judge(&run(&[("a", Passed), ("b", Passed)]), Some(&stored), &policy);
    assert_eq!((decision.conclusion, ids(&decision)), (Conclusion::Inconclusive, vec!["baseline-thin"]));
    assert!(decision.strict);
}

#[test]
fn a_critical_case_fails_once_it_is_confirmed() {
    let critical = vec![Selector { case: Some(Glob::parse("*/a").unwrap()), ..Selector::default() }];
    let policy = Policy { critical, min_pass_rate: Some(0.0), ..Policy::default() };
    let stored = baseline(&[("a", 0, 9)]);
    for (baseline, fresh, conclusion) in [
        (None, &[true, true, true, true][..], Conclusion::Pass),
        (None, &[true, false], Conclusion::Fail),
        (None, &[], Conclusion::Fail),
        (Some(&stored), &[false], Conclusion::Fail),
    ] {
        let mut manifest = run(&[("a", Failed)]);
        let mut answers = fresh.iter().copied();
        confirm(&mut manifest, baseline, &policy, |_| answers.next());
        let decision = judge(&manifest, baseline, &policy);
        assert_eq!(decision.conclusion, conclusion, "{fresh:?}");
        if conclusion == Conclusion::Fail {
            assert_eq!(ids(&decision), ["critical"]);
        }
    }
}

#[test]
fn many_suspects_raise_the_bar() {
    // (3, 4): 1/35 proves one case, not ten; then eight failures in a row are asked for.
    let tallies: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|id| (id, 3, 3)).to_vec();
    let stored = baseline(&tallies);
    let mut manifest = run(&tallies.iter().map(|(id, _, _)| (*id, Failed)).collect::<Vec<_>>());
    let asked = confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(false));
    let decision = judge(&manifest, Some(&stored), &Policy::default());
    assert_eq!(asked, 80);
    assert!(decision.cases.iter().all(|case| case.state == State::Broken));
    assert_eq!(decision.power.needed_trials, Some(6));
}

#[test]
fn a_renamed_case_keeps_its_baseline() {
    let stored = baseline(&[("old", 5, 5)]);
    let mut manifest = run(&[("new", Failed)]);
    manifest.cases[0].content_hash = "hash-old".to_owned();
    confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(false));
    let decision = judge(&manifest, Some(&stored), &Policy::default());
    assert_eq!(decision.cases[0].state, State::Broken);
    assert!(decision.compared.unwrap().removed.is_empty());
}

#[test]
fn a_broken_case_outranks_an_error() {
    let stored = baseline(&[("a", 1, 1), ("b", 5, 5)]);
    let mut manifest = run(&[("a", Errored), ("b", Failed)]);
    confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(false));
    let decision = judge(&manifest, Some(&stored), &Policy::default());
    assert_eq!((decision.conclusion, ids(&decision)), (Conclusion::Fail, vec!["regression", "errors"]));
    let p = decision.findings[0].p_value.unwrap();
    assert!((p - 1.0 / 126.0).abs() < 1e-12, "{p}");
}

#[test]
fn many_small_losses_fail_the_suite() {
    let ids_of: Vec<String> = (0..60).map(|n| format!("c{n:02}")).collect();
    for trials in [1, 5] {
        let stored: Vec<_> = ids_of.iter().map(|id| (id.as_str(), trials, trials)).collect();
        let stored = baseline(&stored);
        let now: Vec<_> = ids_of
            .iter()
            .enumerate()
            .map(|(n, id)| (id.as_str(), if n < 12 { Failed } else { Passed }))
            .collect();
        let mut manifest = run(&now);
        // Each of the twelve passes when it is asked again, and is no proof by itself.
        confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(true));
        let decision = judge(&manifest, Some(&stored), &Policy::default());
        assert_eq!(ids(&decision), ["suite-regression"], "{trials}");
    }
}

//! One case that used to pass, and the effect of its extra trials.

use super::*;

/// The state of a case that passed `passes` of `trials` in the baseline, fails now, and has these extra trials.
fn ruled(passes: u64, trials: u64, fresh: &[bool], policy: &Policy) -> (State, Conclusion, usize) {
    let stored = baseline(&[("a", passes, trials), ("b", 20, 20)]);
    // A run in which nothing passes fails whatever the limits are.
    let mut manifest = run(&[("a", Failed), ("b", Passed)]);
    let mut fresh = fresh.iter().copied();
    let asked = confirm(&mut manifest, Some(&stored), policy, |_| fresh.next());
    let decision = judge(&manifest, Some(&stored), policy);
    (decision.cases[0].state, decision.conclusion, asked)
}

const NO: [bool; 12] = [false; 12];
const YES: [bool; 12] = [true; 12];

/// Passes and trials before, extra trials, and the result.
type EvidenceRow = (u64, u64, &'static [bool], (State, Conclusion, usize));

#[test]
fn one_case_by_its_baseline_and_its_extra_trials() {
    use Conclusion::{Fail, Inconclusive, Pass};
    let policy = Policy::default();
    let table: &[EvidenceRow] = &[
        // Long history: extra trials until it is decided.
        (20, 20, &NO, (State::Broken, Fail, 1)),
        (10, 10, &NO, (State::Broken, Fail, 2)),
        (5, 5, &NO, (State::Broken, Fail, 3)),
        (3, 3, &NO, (State::Broken, Fail, 4)),
        (20, 20, &YES, (State::Cleared, Pass, 3)),
        (3, 3, &[true], (State::Cleared, Pass, 1)),
        // A case that failed before is flaky.
        (9, 10, &[true], (State::Flaky, Pass, 1)),
        (7, 10, &[true], (State::Flaky, Pass, 1)),
        // It is suspect in any case, as long as it is expected to pass at least half the time.
        (15, 20, &NO, (State::Broken, Fail, 4)),
        (4, 5, &NO, (State::Broken, Fail, 6)),
        // Short history: until one trial passes, or eight to twenty failures in a row.
        (1, 1, &NO, (State::Broken, Fail, 8)),
        (2, 2, &NO, (State::Broken, Fail, 8)),
        (1, 1, &[false, false, false, true], (State::Degraded, Pass, 4)),
        (1, 1, &YES, (State::Open, Pass, 1)),
        // No extra trials are possible.
        (1, 1, &[], (State::Unconfirmed, Inconclusive, 0)),
        (10, 10, &[], (State::Unconfirmed, Inconclusive, 0)),
        (19, 20, &[], (State::Unconfirmed, Inconclusive, 0)),
        (9, 10, &[], (State::Flaky, Pass, 0)),
        (1, 1, &[false, false], (State::Open, Inconclusive, 2)),
        (10, 10, &[false], (State::Open, Inconclusive, 1)),
        // It did not use to pass.
        (1, 5, &NO, (State::FailingAsBefore, Pass, 0)),
        (0, 3, &NO, (State::FailingAsBefore, Pass, 0)),
    ];
    for (passes, trials, fresh, expected) in table {
        assert_eq!(ruled(*passes, *trials, fresh, &policy), *expected, "{passes} of {trials}, {fresh:?}");
    }
}

#[test]
fn one_failure_is_proof_if_the_policy_says_so() {
    let policy = Policy { confirm: 0, ..Policy::default() };
    assert_eq!(ruled(1, 1, &YES, &policy), (State::Broken, Conclusion::Fail, 0));
    let policy = Policy { thin: Thin::Warn, ..Policy::default() };
    // The policy makes it neither a regression nor a pass.
    assert_eq!(ruled(1, 1, &NO, &policy), (State::Open, Conclusion::Inconclusive, 8));
}

#[test]
fn unconfirmed_cases_follow_the_policy_and_do_not_pass() {
    for (unconfirmed, conclusion, tolerated) in [
        (Unconfirmed::Inconclusive, Conclusion::Inconclusive, false),
        (Unconfirmed::Fail, Conclusion::Fail, false),
        (Unconfirmed::Warn, Conclusion::Inconclusive, true),
    ] {
        let policy = Policy { unconfirmed, ..Policy::default() };
        let stored = baseline(&[("a", 10, 10), ("b", 20, 20)]);
        let decision = judge(&run(&[("a", Failed), ("b", Passed)]), Some(&stored), &policy);
        assert_eq!((decision.conclusion, decision.tolerated), (conclusion, tolerated));
        assert!(decision.excuses.is_empty());
    }
}

#[test]
fn the_strict_policy_needs_proof_that_nothing_broke() {
    let policy = Policy { rigor: Rigor::Strict, ..Policy::default() };
    assert_eq!(ruled(10, 10, &NO, &policy), (State::Broken, Conclusion::Fail, 2));
    // Open cases are not cleared.
    assert_eq!(ruled(2, 2, &[false, true], &policy).1, Conclusion::Inconclusive);
    assert_eq!(ruled(10, 10, &[], &policy).1, Conclusion::Inconclusive);
    assert_eq!(ruled(1, 1, &[], &policy).1, Conclusion::Inconclusive);
    // A new case must pass ten times.
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
    let names: Vec<String> = (0..30).map(|n| format!("c{n:02}")).collect();
    let tallies: Vec<_> = names.iter().map(|id| (id.as_str(), 10, 10)).collect();
    let stored = baseline(&tallies);
    let asked = |failing: usize| {
        let outcome = |n: usize| if n < failing { Failed } else { Passed };
        let outcomes: Vec<_> = names.iter().enumerate().map(|(n, id)| (id.as_str(), outcome(n))).collect();
        let mut manifest = run(&outcomes);
        let asked = confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(false));
        let decision = judge(&manifest, Some(&stored), &Policy::default());
        assert!(decision.cases[..failing].iter().all(|case| case.state == State::Broken));
        asked / failing
    };
    assert!(asked(1) < asked(25), "{} {}", asked(1), asked(25));
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
    confirm(&mut manifest, Some(&stored), &Policy::default(), |case| (case == 1).then_some(false));
    let decision = judge(&manifest, Some(&stored), &Policy::default());
    assert_eq!(decision.conclusion, Conclusion::Fail);
    assert_eq!(ids(&decision), ["regression", "errors", "unconfirmed"]);
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
        // Each of the twelve passes its extra trials, and proves nothing alone.
        let mut asked = BTreeSet::new();
        let mut again = manifest.clone();
        confirm(&mut again, Some(&stored), &Policy::default(), |case| Some(case >= 12 || asked.insert(case)));
        let decision = judge(&again, Some(&stored), &Policy::default());
        assert_eq!(ids(&decision), ["suite-regression"], "{trials}");
        assert!(
            again.cases.iter().all(|case| case.trials.iter().filter(|one| one.second_round).count() == 1)
        );
        // A brief glitch is over when all are asked once more.
        confirm(&mut manifest, Some(&stored), &Policy::default(), |_| Some(true));
        let decision = judge(&manifest, Some(&stored), &Policy::default());
        assert_eq!((decision.conclusion, decision.tolerated), (Conclusion::Pass, false), "{trials}");
    }
}

//! Mistakes of the first version: passes that an engineer would reject, and failures that are noise.

use super::*;
use crate::manifest::Fault;
use crate::vocabulary::{Answer, FaultKind};

fn ids_of(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("c{n:02}")).collect()
}

/// A baseline in which each case passed this often.
fn with_passes(ids: &[String], hits: u64, of: u64) -> Baseline {
    baseline(&ids.iter().map(|id| (id.as_str(), hits, of)).collect::<Vec<_>>())
}

/// A run in which the first cases have these results and the others pass.
fn now(ids: &[String], first: &[&[Outcome]]) -> RunManifest {
    let trials = first.first().map_or(1, |one| one.len());
    let cases = ids.iter().enumerate().map(|(n, id)| match first.get(n) {
        Some(outcomes) => case(id, outcomes),
        None => case(id, &vec![Passed; trials]),
    });
    of(cases.collect())
}

fn given(mut run: RunManifest) -> RunManifest {
    for trial in run.cases.iter_mut().flat_map(|case| &mut case.trials) {
        trial.answer_with(Some(Answer { given: true, ..Answer::default() }));
    }
    run
}

#[test]
fn a_suite_that_passes_nothing_is_not_a_pass() {
    let ids = ids_of(5);
    let all: [&[Outcome]; 5] = [&[Failed]; 5];
    for fail_on in [Category::DEFAULT.into(), BTreeSet::from([Category::Threshold]), BTreeSet::new()] {
        for thin in [Thin::Strict, Thin::Warn] {
            let policy = Policy { fail_on: fail_on.clone(), thin, ..Policy::default() };
            let stored = with_passes(&ids, 0, 1);
            let decision = judge(&given(now(&ids, &all)), Some(&stored), &policy);
            assert_eq!(decision.conclusion, Conclusion::Fail, "{policy:?}");
            assert!(decision.excuses.is_empty() && !decision.summary.contains("as the policy allows"));
        }
    }
}

#[test]
fn a_whole_suite_that_breaks_in_recorded_answers_fails() {
    for n in 1..9 {
        for trials in [1, 2, 3, 5, 20] {
            let ids = ids_of(n);
            let all: Vec<&[Outcome]> = vec![&[Failed]; n];
            let stored = with_passes(&ids, trials, trials);
            let decision = judge(&given(now(&ids, &all)), Some(&stored), &Policy::default());
            assert!(
                decision.conclusion < Conclusion::Pass && !decision.tolerated,
                "{n} of {n}, {trials} trials"
            );
        }
    }
}

#[test]
fn a_case_below_eighty_percent_may_not_break_completely() {
    let ids = ids_of(6);
    for (hits, of) in [(15, 20), (7, 10), (2, 3)] {
        let mut stored = with_passes(&ids, of, of);
        stored.cases[0] = BaselineCase::new("support", "c00", "hash-c00", stats::Tally { hits, of });
        let mut run = now(&ids, &[&[Failed]]);
        confirm(&mut run, Some(&stored), &Policy::default(), |case| Some(case > 0));
        let decision = judge(&run, Some(&stored), &Policy::default());
        assert_eq!(
            (decision.cases[0].state, decision.conclusion),
            (State::Broken, Conclusion::Fail),
            "{hits}/{of}"
        );
        // Twenty trials of one run count as twenty answers.
        let mut many = now(&ids, &[&[Failed; 20]]);
        confirm(&mut many, Some(&stored), &Policy::default(), |_| None);
        assert_eq!(
            judge(&many, Some(&stored), &Policy::default()).cases[0].state,
            State::Broken,
            "{hits}/{of}"
        );
    }
}

#[test]
fn open_cases_are_named_and_suspicious_ones_do_not_pass() {
    let ids = ids_of(8);
    let stored = with_passes(&ids, 1, 1);
    for (failures, conclusion) in [(2, Conclusion::Pass), (7, Conclusion::Pass), (15, Conclusion::Fail)] {
        let mut run = now(&ids, &[&[Failed]]);
        let mut left = failures;
        confirm(&mut run, Some(&stored), &Policy::default(), |case| {
            left -= i32::from(case == 0);
            Some(case > 0 || left < 0)
        });
        let decision = judge(&run, Some(&stored), &Policy::default());
        assert_eq!(decision.conclusion, conclusion, "{failures}: {}", decision.summary);
        if conclusion == Conclusion::Pass {
            // Not as the policy allows: it sets no limit.
            assert_eq!(decision.summary, "1 case failed: 1 degraded");
            assert!(decision.warnings.iter().any(|one| one.id == FindingId::Open));
        }
    }
    // A third of the proof, then a pass: with 500 suspects, a proof takes 20 failures.
    let (ids, policy) = (ids_of(40), Policy::default());
    let mut stored = with_passes(&ids, 10, 10);
    for case in &mut stored.cases[..30] {
        *case = BaselineCase::new("support", &case.id, &case.content_hash, stats::Tally { hits: 3, of: 3 });
    }
    let mut run = now(&ids, &[&[Failed] as &[Outcome]; 6]);
    let mut asked = [0; 40];
    confirm(&mut run, Some(&stored), &policy, |case| {
        asked[case] += 1;
        Some(case > 0 || asked[case] > 4)
    });
    let decision = judge(&run, Some(&stored), &policy);
    if decision.conclusion == Conclusion::Inconclusive {
        assert!(decision.tolerated && decision.summary.ends_with("(exit code 0; 5 with `--strict`)"));
    }
}

#[test]
fn every_paid_trial_counts() {
    let ids = ids_of(20);
    let stored = with_passes(&ids, 5, 5);
    let two: [&[Outcome]; 20] = [&[Passed, Failed, Passed, Failed, Failed]; 20];
    let decision = judge(&now(&ids, &two), Some(&stored), &Policy::default());
    assert_eq!(decision.conclusion, Conclusion::Fail);
    assert!(ids_in(&decision).contains(&"suite-regression"), "{:?}", ids_in(&decision));
}

fn ids_in(decision: &Decision) -> Vec<&str> {
    super::ids(decision)
}

#[test]
fn a_case_that_can_no_longer_be_judged_is_a_regression() {
    let (ids, policy) = (ids_of(20), Policy { max_error_rate: 0.05, ..Policy::default() });
    let errored = |kind: FaultKind| {
        let mut run = now(&ids, &[&[Errored]]);
        run.cases[0].trials[0].fault = Some(Box::new(Fault::new(kind, "no".to_owned(), "")));
        run
    };
    let stored = with_passes(&ids, 5, 5);
    let ends = |kind: FaultKind, mut fresh: Vec<Outcome>| {
        let mut run = errored(kind.clone());
        let mut short = BTreeSet::new();
        while let Next::Suspects(cases) = next(&run, found(Some(&stored)), &policy, &short) {
            assert_eq!(cases, [0]);
            let Some(outcome) = fresh.pop() else {
                short.insert(0);
                continue;
            };
            let fault = (outcome == Errored).then(|| Box::new(Fault::new(kind.clone(), "no".to_owned(), "")));
            let index = u32::try_from(run.cases[0].trials.len()).unwrap();
            run.cases[0].trials.push(Trial { fault, ..trial(index, outcome, true) });
        }
        let decision = judge(&run, Some(&stored), &policy);
        (decision.conclusion, decision.findings.first().map(|one| one.id.to_string()).unwrap_or_default())
    };
    assert_eq!(
        ends(FaultKind::Timeout, vec![Errored; 30]),
        (Conclusion::Fail, "regression-errored".to_owned())
    );
    assert_eq!(ends(FaultKind::Timeout, vec![Passed]), (Conclusion::Pass, String::new()));
    assert_eq!(ends(FaultKind::Timeout, vec![Failed; 30]), (Conclusion::Fail, "regression".to_owned()));
    // More answers cannot be requested for a missing line in a file of answers.
    assert_eq!(ends(FaultKind::NoReply, vec![]), (Conclusion::Inconclusive, "unconfirmed".to_owned()));
    // If the server also fails at the extra trials, nothing is known about the case.
    let mut run = errored(FaultKind::Timeout);
    let fault = Some(Box::new(Fault::new(FaultKind::Connect, "no".to_owned(), "")));
    run.cases[0].trials.push(Trial { fault, ..trial(1, Errored, true) });
    assert_eq!(next(&run, found(Some(&stored)), &policy, &BTreeSet::new()), Next::Nothing);
    assert_eq!(judge(&run, Some(&stored), &policy).conclusion, Conclusion::Pass);
    // The server is at fault, not a case.
    assert_eq!(ends(FaultKind::Unauthorized, vec![Passed]), (Conclusion::Pass, String::new()));
    let decision = judge(&errored(FaultKind::Unauthorized), Some(&stored), &Policy::default());
    assert_eq!((decision.conclusion, ids_in(&decision)), (Conclusion::Error, vec!["errors"]));
}

#[test]
fn cases_that_could_not_be_compared_come_first() {
    let ids = ids_of(10);
    let stored = with_passes(&["other".to_owned()], 5, 5);
    let decision = judge(&now(&ids, &[]), Some(&stored), &Policy::default());
    assert!(decision.summary.starts_with("0 of 10 cases could be compared"), "{}", decision.summary);
    assert_eq!(decision.compared.unwrap().paired, 0);
}

#[test]
fn passing_extra_answers_count_for_the_guard_too() {
    for (n, failing, of) in [(50, 2, 20), (20, 2, 20), (100, 3, 20), (50, 2, 10)] {
        let ids = ids_of(n);
        let stored = with_passes(&ids, of, of);
        let first: Vec<&[Outcome]> = vec![&[Failed]; failing];
        let mut run = now(&ids, &first);
        confirm(&mut run, Some(&stored), &Policy::default(), |_| Some(true));
        let decision = judge(&run, Some(&stored), &Policy::default());
        assert_eq!(decision.conclusion, Conclusion::Pass, "{failing} of {n}: {}", decision.summary);
        assert_eq!(decision.excused(), format!("{failing} cleared"));
    }
}

#[test]
fn new_and_changed_cases_get_extra_trials() {
    let ids = ids_of(12);
    let mut stored = with_passes(&ids[2..], 5, 5);
    stored.cases[0].content_hash = "other".to_owned();
    let first: [&[Outcome]; 3] = [&[Failed]; 3];
    for (fresh, conclusion) in
        [(Some(true), Conclusion::Pass), (Some(false), Conclusion::Fail), (None, Conclusion::Fail)]
    {
        let mut run = now(&ids, &first);
        confirm(&mut run, Some(&stored), &Policy::default(), |_| fresh);
        let decision = judge(&run, Some(&stored), &Policy::default());
        assert_eq!(decision.conclusion, conclusion, "{fresh:?}");
        assert_eq!(decision.cases[2].state, State::Changed);
        if conclusion == Conclusion::Fail {
            assert_eq!(ids_in(&decision)[..3], ["new-failure"; 3]);
        } else {
            assert_eq!(decision.excused(), "3 cleared");
        }
    }
    // A configured rate excuses them if it is met.
    for (rate, conclusion) in [(0.7, Conclusion::Pass), (0.8, Conclusion::Fail)] {
        let policy = Policy { min_pass_rate: Some(rate), ..Policy::default() };
        let decision = judge(&now(&ids, &first), Some(&stored), &policy);
        assert_eq!(decision.conclusion, conclusion, "{rate}");
        assert_eq!(decision.excuses.len(), if conclusion == Conclusion::Pass { 3 } else { 0 });
    }
}

#[test]
fn failures_that_fail_the_gate_anyway_have_no_excuse() {
    let ids = ids_of(8);
    let stored = with_passes(&ids, 10, 10);
    let critical = vec![Selector { case: Some(Glob::parse("*/c00").unwrap()), ..Selector::default() }];
    for (critical, fail_on) in [(critical, None), (Vec::new(), Some(Category::Flaky))] {
        let mut policy = Policy { critical, ..Policy::default() };
        policy.fail_on.extend(fail_on);
        let mut run = now(&ids, &[&[Failed, Failed, Passed, Passed, Passed, Passed, Passed, Passed]]);
        confirm(&mut run, Some(&stored), &policy, |_| Some(true));
        let decision = judge(&run, Some(&stored), &policy);
        assert_eq!((decision.conclusion, decision.excuses.len()), (Conclusion::Fail, 0), "{policy:?}");
    }
}

#[test]
fn a_history_with_failures_does_not_excuse_errors() {
    let ids = ids_of(8);
    let stored = with_passes(&ids, 9, 10);
    let mut run = now(&ids, &[&[Failed]]);
    assert_eq!(judge(&run, Some(&stored), &Policy::default()).excused(), "1 flaky");
    run.cases[0].trials.extend((1..21).map(|index| trial(index, Errored, true)));
    let decision = judge(&run, Some(&stored), &Policy::default());
    assert_eq!((decision.conclusion, ids_in(&decision)), (Conclusion::Error, vec!["unconfirmed"]));
}

#[test]
fn different_numbers_look_different() {
    let ids = ids_of(3);
    let policy = Policy { min_pass_rate: Some(0.6667), ..Policy::default() };
    let decision = judge(&now(&ids, &[&[Failed]]), None, &policy);
    assert_eq!(decision.summary, "the pass rate is 66.667% (2 of 3); the policy requires 66.670%");
}

#[test]
fn an_inconclusive_run_says_why_with_a_next_step_and_its_exit_code() {
    let ids = ids_of(6);
    let stored = with_passes(&ids, 20, 20);
    let decision = judge(&given(now(&ids, &[&[Failed]])), Some(&stored), &Policy::default());
    assert_eq!(
        decision.summary,
        "support/c00 passed in the baseline (20 of 20) and fails now; no extra trial was possible; add more answers, \
         or run live (exit code 5)"
    );
}

#[test]
fn lower_scores_everywhere_are_reported() {
    use crate::baseline::Spread;
    use crate::vocabulary::VerdictKind;
    let ids = ids_of(20);
    let mut stored = with_passes(&ids, 3, 3);
    for case in &mut stored.cases {
        case.score = Some(Spread { n: 3, mean: 0.9, m2: 0.005 });
    }
    let graded = |score: f64, kind: VerdictKind| {
        let mut run = now(&ids, &[]);
        for case in &mut run.cases {
            case.score = Some(score);
            case.trials[0].judge_with(super::judge::verdict(kind.clone(), Passed, Vec::new()));
        }
        run
    };
    let mut policy = Policy::default();
    let judged = |run: &RunManifest, policy: &Policy| judge(run, Some(&stored), policy);
    let lower = judged(&graded(0.85, VerdictKind::LlmGrader), &policy);
    assert_eq!((lower.conclusion, &lower.warnings[0].id), (Conclusion::Pass, &FindingId::ScoreRegression));
    assert_eq!(
        lower.warnings[0].message,
        "the scores fell: 0.85 on average over 20 compared cases, 0.90 in the baseline (p = 0.0001)"
    );
    assert!(judged(&graded(0.9, VerdictKind::LlmGrader), &policy).warnings.is_empty());
    let scores = |decision: Decision| decision.compared.unwrap().scores;
    let means = scores(lower).map(|one| (one.cases, format!("{:.2} {:.2}", one.baseline, one.now)));
    assert_eq!(means, Some((20, "0.90 0.85".to_owned())));
    // A score that only says whether a text is contained is not a grade.
    let plain = judged(&graded(0.5, VerdictKind::Contains), &policy);
    assert!(plain.warnings.is_empty() && scores(plain).is_none());
    policy.fail_on.insert(Category::Score);
    assert_eq!(ids_in(&judged(&graded(0.85, VerdictKind::LlmGrader), &policy)), ["score-regression"]);
}

#[test]
fn a_tag_that_gets_worse_is_found_by_its_own_guard() {
    let ids = ids_of(50);
    let stored = with_passes(&ids, 10, 10);
    let mut run = now(&ids, &[&[Failed] as &[Outcome]; 4]);
    for (n, case) in run.cases.iter_mut().enumerate() {
        case.tags = vec![if n < 10 { "refund" } else { "other" }.to_owned()];
    }
    let mut asked = BTreeSet::new();
    confirm(&mut run, Some(&stored), &Policy::default(), |case| Some(case >= 4 || asked.insert(case)));
    let decision = judge(&run, Some(&stored), &Policy::default());
    assert!(ids_in(&decision).contains(&"tag-regression"), "{:?}", decision.findings);
    let finding = decision.findings.iter().find(|one| one.id == FindingId::TagRegression).unwrap();
    assert!(finding.message.starts_with("the tag `refund` regressed"), "{}", finding.message);
}

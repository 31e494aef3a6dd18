//! Slower and more expensive answers than in the baseline: figures, margins, and evidence.

use super::*;
use crate::baseline::Mean;
use crate::vocabulary::{Answer, FindingId};

/// The value in the baseline, and the time or cost of the answers now.
#[derive(Clone, Copy)]
struct SpendingCase {
    before: Option<f64>,
    now: &'static [Option<f64>],
}

fn case_of(before: f64, now: &'static [Option<f64>]) -> SpendingCase {
    SpendingCase { before: Some(before), now }
}

/// The decision for these cases, with the values as milliseconds or cents.
fn shifts(cases: &[SpendingCase], of_cost: bool, policy: &Policy) -> Decision {
    let (run, stored) = both(cases, of_cost, 3);
    judge(&run, Some(&stored), policy)
}

fn both(cases: &[SpendingCase], of_cost: bool, trials: u64) -> (RunManifest, Baseline) {
    let names: Vec<String> = (0..cases.len()).map(|n| format!("c{n:02}")).collect();
    let tallies: Vec<_> = names.iter().map(|id| (id.as_str(), trials, trials)).collect();
    let mut stored = baseline(&tallies);
    for (one, case) in stored.cases.iter_mut().zip(cases) {
        let n = u32::try_from(trials).unwrap();
        let mean = case.before.map(|mean| Mean { n, mean: if of_cost { mean / 100.0 } else { mean } });
        if of_cost { one.cost_usd = mean } else { one.latency_ms = mean }
    }
    let results = names.iter().zip(cases).map(|(id, one)| {
        let mut found = case(id, &vec![Passed; one.now.len()]);
        for (trial, now) in found.trials.iter_mut().zip(one.now) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are whole")]
            let latency_ms = now.filter(|_| !of_cost).map(|now| now as u64);
            let cost_usd = now.filter(|_| of_cost).map(|now| now / 100.0);
            trial.answer_with(Some(Answer { latency_ms, cost_usd, ..Answer::default() }));
        }
        found
    });
    (of(results.collect()), stored)
}

fn warned(decision: &Decision) -> Vec<&str> {
    decision.warnings.iter().map(|finding| finding.id.word()).collect()
}

const BY_61: &[Option<f64>] = &[Some(1_610.0)];

#[test]
fn it_is_a_warning_with_its_figures_unless_the_policy_fails_on_it() {
    for (of_cost, id, category, words) in [
        (false, "latency-regression", Category::Latency, "slower"),
        (true, "cost-regression", Category::Cost, "more expensive"),
    ] {
        let cases = [case_of(1_000.0, BY_61); 10];
        let mut policy = Policy::default();
        let decision = shifts(&cases, of_cost, &policy);
        assert_eq!((decision.conclusion, warned(&decision)), (Conclusion::Pass, vec![id]));
        let warning = &decision.warnings[0];
        assert_eq!(
            warning.message,
            format!("answers are {words}: 1.61 times the baseline, over 10 compared cases (p = 0.0020)")
        );
        // All ten are above the margin: one of 2^10 combinations, in two tests.
        assert!((warning.p_value.unwrap() - 2.0 / 1_024.0).abs() < 1e-12);
        assert!((warning.measured.unwrap() - 1.61).abs() < 1e-9);
        assert_eq!(warning.limit, Some(1.2));
        policy.fail_on.insert(if of_cost { Category::Latency } else { Category::Cost });
        assert_eq!(
            shifts(&cases, of_cost, &policy).conclusion,
            Conclusion::Pass,
            "the other finding must not fail the gate"
        );
        policy.fail_on.insert(category);
        let decision = shifts(&cases, of_cost, &policy);
        assert_eq!((decision.conclusion, ids(&decision)), (Conclusion::Fail, vec![id]));
        assert!(decision.warnings.is_empty());
    }
}

#[test]
fn ratios_are_taken_case_by_case() {
    // A slow case does not outweigh the others: the mean of 1.5 and 2 is geometric, the root of 3.
    let mut cases = vec![case_of(100.0, &[Some(150.0)]); 5];
    cases.extend(vec![case_of(60_000.0, &[Some(120_000.0)]); 5]);
    let decision = shifts(&cases, false, &Policy::default());
    assert!((decision.warnings[0].measured.unwrap() - 3_f64.sqrt()).abs() < 1e-9);
    // Several trials of a case make one mean, without those that have no time. Such a mean is not shown.
    let cases = [case_of(100.0, &[Some(100.0), None, Some(300.0)]); 10];
    let decision = shifts(&cases, false, &Policy::default());
    assert!((decision.warnings[0].measured.unwrap() - 2.0).abs() < 1e-9);
    assert!(decision.compared.unwrap().latency_ms.is_none());
}

#[test]
fn differences_that_are_not_a_shift_are_not_reported() {
    let is_reported = |cases: &[SpendingCase]| !shifts(cases, false, &Policy::default()).warnings.is_empty();
    // Without any spread, the margin alone decides: a fifth more does not count.
    assert!(!is_reported(&[case_of(1_000.0, &[Some(1_000.0)]); 40]));
    assert!(!is_reported(&[case_of(1_000.0, &[Some(1_200.0)]); 40]));
    assert!(is_reported(&[case_of(1_000.0, &[Some(1_201.0)]); 40]));
    assert!(!is_reported(&[case_of(1_000.0, &[Some(500.0)]); 40]), "faster is not a regression");
    // Five cases that agree may be chance, six are not: 2/2^5 and 2/2^6.
    assert!(!is_reported(&[case_of(1_000.0, BY_61); 5]));
    assert!(is_reported(&[case_of(1_000.0, BY_61); 6]));
    // One case that takes ten times as long is only one case.
    let mut cases = vec![case_of(1_000.0, &[Some(1_000.0)]); 12];
    cases[0] = case_of(1_000.0, &[Some(10_000.0)]);
    assert!(!is_reported(&cases));
    // One side is unknown.
    assert!(!is_reported(&[SpendingCase { before: None, now: BY_61 }; 10]));
    assert!(!is_reported(&[case_of(1_000.0, &[None]); 10]));
    // Below 20 ms, differences are clock noise.
    assert!(!is_reported(&[case_of(1.0, &[Some(20.0)]); 10]));
    assert!(is_reported(&[case_of(0.0, BY_61); 10]));
    let measures = |before: f64, now| {
        shifts(&[case_of(before, now); 10], false, &Policy::default()).compared.unwrap().latency_ms.is_some()
    };
    assert!(!measures(1.0, &[Some(19.0)]) && measures(1.0, &[Some(20.0)]) && measures(20.0, &[Some(1.0)]));
}

#[test]
fn a_short_history_is_enough_if_all_cases_agree_and_other_cases_are_not_compared() {
    let (mut run, mut stored) = both(&[case_of(1_000.0, BY_61); 10], false, 1);
    let warning = |run: &RunManifest, stored: &Baseline, policy: &Policy| {
        let decision = judge(run, Some(stored), policy);
        let found = decision.warnings.iter().find(|finding| finding.id == FindingId::LatencyRegression);
        found.map(|finding| finding.message.clone()).unwrap_or_default()
    };
    let policy = Policy::default();
    assert!(warning(&run, &stored, &policy).contains("over 10 compared cases"));
    // A changed case asks something else; a quarantined one blocks nothing.
    run.cases[0].content_hash = "changed".to_owned();
    let quarantine = Quarantined {
        case: Glob::parse("support/c01").unwrap(),
        owner: "me".to_owned(),
        reason: "known".to_owned(),
        until: "2999-12-31".to_owned(),
    };
    let policy = Policy { quarantine: vec![quarantine], ..policy };
    assert!(warning(&run, &stored, &policy).contains("over 8 compared cases"));
    // Extra trials are asked at another time and do not count.
    for case in &mut run.cases {
        let answer = Some(Answer { latency_ms: Some(1), ..Answer::default() });
        let again = Trial { index: 1, confirmation: true, ..Trial::single(Passed, answer, None) };
        case.trials.push(again);
    }
    assert!(warning(&run, &stored, &policy).contains("1.61 times"));
    stored.cases.clear();
    assert_eq!(warning(&run, &stored, &policy), "");
}

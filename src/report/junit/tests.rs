use crate::gate::Policy;
use crate::manifest::Verdict;
use crate::report::fixture::{Fixture, case, diagnostics, trial, verdict};
use crate::vocabulary::{Outcome, VerdictKind};

use super::*;

fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    crate::report::text(|out| write(report, out))
}

fn read(text: &str) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(text).unwrap()
}

#[test]
fn names_are_unique_and_stable() {
    let mut same = case("support", "a", Outcome::Passed, Vec::new());
    let first = same.clone();
    same.id = "b".to_owned();
    let mut fixture = Fixture::of(vec![first.clone(), same, first.clone(), first], &Policy::default());
    fixture.run.cases[2].location.file = "other.yaml".to_owned();
    fixture.run.cases[3].location.file = "other.yaml".to_owned();
    let report = read(&of_report(&fixture.report()).unwrap());
    let names: Vec<_> = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "a (other.yaml)", "a (other.yaml, 2)"]);
}

#[test]
fn a_dot_in_a_scenario_is_not_a_package() {
    let fixture = Fixture::of(vec![case("v1.2", "a", Outcome::Passed, Vec::new())], &Policy::default());
    let report = read(&of_report(&fixture.report()).unwrap());
    let suite = report.test_suites.iter().find(|suite| suite.name.as_str() == "v1.2").unwrap();
    assert_eq!(suite.test_cases[0].classname.as_deref(), Some("akit.v1_2"));
}

#[test]
fn text_is_cut_to_64_kib_and_says_so() {
    let text = of_report(&Fixture::new().report()).unwrap();
    let report = read(&text);
    let suite = &report.test_suites[1];
    let huge = suite.test_cases.iter().find(|case| case.name.as_str() == "huge").unwrap();
    let TestCaseStatus::NonSuccess { description: Some(body), .. } = &huge.status else {
        panic!("{:?}", huge.status);
    };
    assert!(body.len() <= 64 * 1024 && body.ends_with(" more bytes)"), "{}", body.len());
    assert!(body.starts_with("the answer lacks `30 days`\n"));
}

#[test]
fn a_case_has_at_most_twelve_elements() {
    let mut bad: Verdict = verdict(VerdictKind::LlmGrader, "poor");
    bad.threshold = Some(0.7);
    let trials = (0..20).map(|index| trial(index, Outcome::Failed, Some(bad.clone()), "no")).collect();
    let fixture = Fixture::of(vec![case("support", "a", Outcome::Failed, trials)], &Policy::default());
    let text = of_report(&fixture.report()).unwrap();
    let inner = text.split("<testcase").nth(1).unwrap().split("</testcase>").next().unwrap();
    let elements = 1 + inner.matches('<').count() - inner.matches("</").count();
    assert!((10..=12).contains(&elements), "{elements}: {inner}");
    assert!(inner.contains("<rerunFailure") && inner.contains("trials: 0 of 20 passed"));
}

#[test]
fn many_failures_fit_into_thirty_megabytes() {
    let answer = "<>&\"".repeat(16 * 1024);
    let trials = vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), &answer)];
    let one = case("support", "a", Outcome::Failed, trials);
    let fixture = Fixture::of(vec![one; 1_500], &Policy::default());
    let text = of_report(&fixture.report()).unwrap();
    assert!((15_000_000..30_000_000).contains(&text.len()), "{}", text.len());
}

#[test]
fn each_checked_file_is_a_case() {
    let (found, files) = diagnostics();
    let text = of_diagnostics(&found, &files).unwrap();
    let report = read(&text);
    assert_eq!((report.tests, report.failures), (2, 1));
    insta::assert_snapshot!(text);
}

/// A run in which one case passes its extra trial, and another fails in quarantine.
fn excused(blocks: bool) -> quick_junit::Report {
    use crate::baseline::{Baseline, BaselineCase};
    use crate::gate::{Category, Evidence, Glob, Quarantined, Reference, decide};
    use crate::stats::Tally;
    let failed = || vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "Soon.")];
    let mut again = failed();
    again.push(crate::manifest::Trial { confirmation: true, ..trial(1, Outcome::Passed, None, "30 days.") });
    let cases = vec![
        case("support", "flaky", Outcome::Failed, again),
        case("support", "kept", Outcome::Failed, failed()),
    ];
    let mut policy = Policy { confirm: 1, ..Policy::default() };
    policy.quarantine.push(Quarantined {
        case: Glob::parse("*/kept").unwrap(),
        owner: "ada".to_owned(),
        reason: "see the ticket".to_owned(),
        until: "2099-01-01".to_owned(),
    });
    if blocks {
        policy.fail_on.insert(Category::Flaky);
        policy.quarantine.clear();
    }
    let mut fixture = Fixture::of(cases, &policy);
    let mut baseline = Baseline::empty();
    for id in ["flaky", "kept"] {
        let tally = Tally { hits: 4, of: 5 };
        baseline.cases.push(BaselineCase::new("support", id, &format!("hash-{id}"), tally));
    }
    let reference = Reference::Found { baseline: &baseline, from: "b.json" };
    fixture.decision = decide(&Evidence { run: &fixture.run, reference, weakened: &[] }, &policy);
    read(&of_report(&fixture.report()).unwrap())
}

#[test]
fn a_case_that_passed_its_extra_trial_is_flaky_in_jenkins() {
    let report = excused(false);
    assert_eq!((report.failures, report.skipped), (0, 1));
    let TestCaseStatus::Success { flaky_runs } = &report.test_suites[0].test_cases[0].status else {
        panic!("{:?}", report.test_suites[0].test_cases[0].status);
    };
    assert_eq!(flaky_runs.len(), 1);
    assert_eq!(flaky_runs[0].ty.as_deref(), Some("akit.contains"));
    assert!(flaky_runs[0].stack_trace.as_deref().is_some_and(|text| text.starts_with("no\n")));
}

#[test]
fn a_quarantined_case_is_skipped_with_owner_and_reason() {
    let report = excused(false);
    let TestCaseStatus::Skipped { message, ty, .. } = &report.test_suites[0].test_cases[1].status else {
        panic!("{:?}", report.test_suites[0].test_cases[1].status);
    };
    assert_eq!(ty.as_deref(), Some("akit.quarantined"));
    let expected = "quarantined until 2099-01-01 by ada: see the ticket; it fails: no";
    assert_eq!(message.as_deref(), Some(expected));
}

#[test]
fn every_blocking_finding_is_a_failure() {
    let report = excused(true);
    assert_eq!((report.failures, report.skipped), (2, 0));
}

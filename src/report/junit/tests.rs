use crate::gate::Policy;
use crate::manifest::{Outcome, Verdict};
use crate::report::fixture::{Fixture, case, diagnostics, trial, verdict};

use super::*;

fn read(text: &str) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(text).unwrap()
}

#[test]
fn names_are_unique_and_say_nothing_that_changes() {
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
fn a_dot_in_a_scenario_makes_no_package() {
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
    let mut bad: Verdict = verdict("llm_grader", "poor");
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
    let trials = vec![trial(0, Outcome::Failed, Some(verdict("contains", "no")), &answer)];
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

use crate::gate::Policy;
use crate::report::fixture::{Fixture, case, trial, verdict};

use super::*;
use crate::vocabulary::{Outcome, VerdictKind};

#[test]
fn the_result_is_one_line() {
    let mut fixture = Fixture::short();
    let line = result(&fixture.report(), Ink::Plain);
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped in 1.24 s; 1 from the cache, 16 asked; 1,400 tokens (judge 567); support/broken passed in the baseline (20 of 20) and fails now; 4 of 4 fresh trials failed");
    fixture.run.duration_ms = 0;
    fixture.run.cases.clear();
    fixture.decision.summary = "two\nlines".to_owned();
    let line = result(&fixture.report(), Ink::Plain);
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped; two⏎lines");
}

#[test]
fn colour_is_only_colour() {
    let fixture = Fixture::short();
    let (plain, colour) =
        (of_report(&fixture.report(), Ink::Plain), of_report(&fixture.report(), Ink::Colour));
    assert!(!plain.contains('\u{1b}') && colour.contains("\u{1b}[31m"));
    assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain);
}

#[test]
fn fifty_cases_are_shown_and_the_rest_is_counted() {
    let trials = vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "answer")];
    let fixture = Fixture::of(vec![case("support", "a", Outcome::Failed, trials); 1_234], &Policy::default());
    let text = of_report(&fixture.report(), Ink::Plain);
    assert_eq!(text.matches("FAILED ").count(), 50);
    assert!(text.contains("\n… and 1,184 more that did not pass\n"));
}

fn folded(fold: Fold) -> String {
    shown(&Fixture::short().report(), Layout { ink: Ink::Plain, fold, depth: Depth::Full })
}

#[test]
fn cases_are_folded_up_where_a_log_can_do_that() {
    let github = folded(Fold::GitHub);
    assert_eq!(github.lines().filter(|line| line.starts_with("::group::")).count(), 10);
    assert_eq!(github.lines().filter(|line| *line == "::endgroup::").count(), 10);
    assert!(github.contains("::group::FAILED support/broken — How long a refund takes (broken: "));
    let unfolded = github.replace("::group::", "").replace("::endgroup::\n", "");
    assert_eq!(unfolded, of_report(&Fixture::short().report(), Ink::Plain));
    let gitlab = folded(Fold::GitLab);
    let begin =
        "\u{1b}[0Ksection_start:1762078830:akit_case_0[collapsed=true]\r\u{1b}[0KFAILED support/broken";
    assert!(gitlab.contains(begin), "{gitlab}");
    assert_eq!(gitlab.matches("section_end:1762078830:akit_case_").count(), 10);
}

#[test]
fn a_brief_report_has_the_reasons_and_the_result() {
    let fixture = Fixture::short();
    let text = shown(&fixture.report(), Layout { ink: Ink::Plain, fold: Fold::GitHub, depth: Depth::Brief });
    assert_eq!(text.lines().count(), fixture.decision.findings.len() + 1);
    assert!(text.starts_with("regression: support/broken passed in the baseline"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("RESULT: FAIL"));
}

use crate::gate::Policy;
use crate::report::fixture::{Fixture, case, trial, verdict};

use super::*;

#[test]
fn the_result_is_one_line() {
    let mut fixture = Fixture::short();
    let line = result(&fixture.report(), Ink::Plain);
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed, 2 errored, 1 skipped in 1.24 s; 1,400 tokens (judge 567); support/broken passed in the baseline (5 of 5) and fails now; 4 of 4 fresh trials failed");
    fixture.run.duration_ms = 0;
    fixture.run.cases.clear();
    fixture.decision.summary = "two\nlines".to_owned();
    let line = result(&fixture.report(), Ink::Plain);
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed, 2 errored, 1 skipped; two⏎lines");
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
    let trials = vec![trial(0, Outcome::Failed, Some(verdict("contains", "no")), "answer")];
    let fixture = Fixture::of(vec![case("support", "a", Outcome::Failed, trials); 1_234], &Policy::default());
    let text = of_report(&fixture.report(), Ink::Plain);
    assert_eq!(text.matches("FAILED ").count(), 50);
    assert!(text.contains("\n… and 1,184 more that did not pass\n"));
}

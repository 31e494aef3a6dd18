use crate::gate::Policy;
use crate::report::fixture::{Fixture, case, trial, verdict};

use super::*;
use crate::vocabulary::{Outcome, VerdictKind};

#[test]
fn the_result_is_one_line() {
    let mut fixture = Fixture::short();
    let line = result(&fixture.report(), Layout::of(Ink::Plain));
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped; took 1.24 s; 1 from the cache, 16 asked; 1,400 tokens (judge 567); support/broken passed in the baseline (20 of 20) and fails now; 4 of 4 extra trials failed");
    fixture.run.duration_ms = 0;
    fixture.run.cases.clear();
    fixture.decision.summary = "two\nlines".to_owned();
    let line = result(&fixture.report(), Layout::of(Ink::Plain));
    insta::assert_snapshot!(line, @"RESULT: FAIL — 2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped; two⏎lines");
}

/// A replayed answer shows both times: the recorded one and the real one.
#[test]
fn the_real_time_is_next_to_the_recorded_one() {
    let mut fixture = Fixture::short();
    let took = Layout { took: Some(Duration::from_millis(20)), ..Layout::of(Ink::Plain) };
    assert!(result(&fixture.report(), took).contains("skipped; took 1.24 s; 1 from the cache, 16 asked; "));
    for answer in fixture.run.cases.iter_mut().flat_map(|case| &mut case.trials) {
        for turn in &mut answer.turns {
            turn.answer.iter_mut().for_each(|answer| answer.recorded = true);
            for grade in turn.verdicts.iter_mut().filter_map(|verdict| verdict.grade.as_mut()) {
                grade.recorded = true;
            }
        }
    }
    fixture.run.duration_ms = fixture.run.recorded_ms();
    let recorded = format!("recorded {}; ", number::span(fixture.run.duration_ms));
    let line = result(&fixture.report(), took);
    assert!(
        line.contains(&format!("; took 0.02 s; {recorded}")) && line.contains("17 from the cache, 0 asked"),
        "{line}"
    );
    let later = result(&fixture.report(), Layout::of(Ink::Plain));
    assert!(later.contains(&format!("skipped; {recorded}")), "{later}");
}

#[test]
fn a_terminal_gets_the_logs_text_wrapped_to_its_width() {
    let fixture = Fixture::short();
    let narrow = Layout { width: Some(80), ..Layout::of(Ink::Colour) };
    let (whole, page) = (of_report(&fixture.report(), Ink::Colour), shown(&fixture.report(), narrow));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&page), words(&whole));
    let plain = anstream::adapter::strip_str(&page).to_string();
    let wide = plain.lines().filter(|line| line.chars().filter(|c| *c != '\u{200b}').count() > 80);
    // A word wider than the terminal stays whole on its own line.
    assert!(
        wide.clone().all(|line| line.split_whitespace().any(|word| word.chars().count() > 60)),
        "{plain}"
    );
    assert!(plain.lines().count() > whole.lines().count() + 5);
}

#[test]
fn cases_that_did_not_pass_are_named_again_at_the_end() {
    let plain = of_report(&Fixture::short().report(), Ink::Plain);
    let (_, recap) = plain.split_once("\nDid not pass:\n").unwrap();
    assert_eq!(recap.lines().take_while(|line| !line.is_empty()).count(), 10);
    assert!(recap.starts_with("  failed   support/broken  (evals/support.yaml:5)\n"), "{recap}");
    assert!(recap.contains("  failed   support/known  (evals/support.yaml:17, does not block)\n"), "{recap}");
    assert!(recap.contains("  errored  support/down  (evals/support.yaml:11)\n"), "{recap}");
    let mut fixture = Fixture::short();
    for state in [State::Open, State::Unconfirmed] {
        fixture.decision.cases.iter_mut().find(|case| case.id == "known").unwrap().state = state;
        let plain = of_report(&fixture.report(), Ink::Plain);
        assert!(
            plain.contains("  failed   support/known  (evals/support.yaml:17, not confirmed)\n"),
            "{plain}"
        );
    }
}

#[test]
fn color_changes_nothing_else() {
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
    assert_eq!((text.matches("FAILED ").count(), text.matches("  failed   ").count()), (50, 20));
    assert!(text.contains("\n… and 1,184 more that did not pass\n"));
}

fn folded(fold: Fold) -> String {
    shown(&Fixture::short().report(), Layout { fold, ..Layout::of(Ink::Plain) })
}

#[test]
fn cases_are_folded_if_the_log_supports_it() {
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
    let text = shown(
        &fixture.report(),
        Layout { fold: Fold::GitHub, depth: Depth::Brief, ..Layout::of(Ink::Plain) },
    );
    assert_eq!(text.lines().count(), fixture.decision.findings.len() + 1);
    assert!(text.starts_with("regression: support/broken passed in the baseline"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("RESULT: FAIL"));
}

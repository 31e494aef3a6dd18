//! Properties of every format.

use strum::IntoEnumIterator as _;

use super::fixture::Fixture;
use super::*;
use crate::gate::Policy;
use crate::vocabulary::Outcome;

#[test]
fn every_format_renders_the_same_run() {
    let fixture = Fixture::short();
    // A page is too large for a snapshot; html/tests.rs checks it.
    for format in Format::iter().filter(|format| *format != Format::Html) {
        let text = format.render(&fixture.report(), Ink::Plain).unwrap();
        insta::assert_snapshot!(format.word(), text);
    }
}

#[test]
fn every_format_ends_with_one_newline_and_stays_small() {
    let fixture = Fixture::new();
    for format in Format::iter() {
        let text = format.render(&fixture.report(), Ink::Plain).unwrap();
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{format:?}");
        assert!(format == Format::Json || text.len() < 200_000, "{format:?}: {}", text.len());
    }
}

#[test]
fn counts_are_the_decisions_everywhere() {
    let fixture = Fixture::new();
    let counts = fixture.decision.counts;
    assert_eq!((counts.passed, counts.failed, counts.errored, counts.skipped), (2, 8, 2, 1));
    let render = |format: Format| format.render(&fixture.report(), Ink::Plain).unwrap();
    let junit = quick_junit::Report::deserialize_from_str(&render(Format::Junit)).unwrap();
    // One of the eight passed its extra trial.
    assert_eq!((junit.tests, junit.failures, junit.errors, junit.skipped), (13, 7, 2, 1));
    let sarif: serde_json::Value = serde_json::from_str(&render(Format::Sarif)).unwrap();
    let run = &sarif["runs"][0];
    let fingerprints: std::collections::BTreeSet<_> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["ruleId"] != "akit/threshold/pass-rate")
        .map(|result| result["locations"][0]["physicalLocation"].to_string())
        .collect();
    assert_eq!(fingerprints.len(), counts.failed);
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notifications.iter().filter(|one| one["locations"].is_array()).count(), counts.errored);
    let words = "2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped";
    assert!(render(Format::Console).lines().last().unwrap().contains(words));
    let words = words.replace(", 0 skipped", "");
    assert!(render(Format::Markdown).lines().any(|line| line.starts_with(&words)));
    assert_eq!(render(Format::Console).matches("FAILED ").count(), counts.failed);
    assert_eq!(render(Format::Console).matches("ERRORED ").count(), counts.errored);
}

#[test]
fn a_run_without_cases_renders() {
    let mut fixture = Fixture::of(Vec::new(), &Policy::default());
    fixture.run.scenarios.clear();
    fixture.run.at = Some("yesterday".to_owned());
    fixture.sources.clear();
    for format in Format::iter() {
        assert!(!format.render(&fixture.report(), Ink::Plain).unwrap().is_empty());
    }
}

#[test]
fn a_decision_about_another_run_excuses_nothing() {
    let mut fixture = Fixture::short();
    fixture.decision.cases.clear();
    assert!(fixture.report().with(Outcome::Failed).iter().all(|entry| entry.blocking));
}

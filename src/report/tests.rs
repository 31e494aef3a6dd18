//! What holds for every format.

use proptest::prelude::*;
use strum::IntoEnumIterator as _;

use super::fixture::{Fixture, HOSTILE, case, trial, verdict};
use super::*;
use crate::gate::Policy;
use crate::history::StoredRun;
use crate::vocabulary::{Outcome, VerdictKind};

#[test]
fn every_format_renders_the_same_run() {
    let fixture = Fixture::short();
    // A page is too large to be read as a snapshot; html/tests.rs holds what it must have.
    for format in Format::iter().filter(|format| *format != Format::Html) {
        let text = format.render(&fixture.report(), Ink::Plain).unwrap();
        insta::assert_snapshot!(format.word(), text);
    }
}

#[test]
fn every_format_ends_with_one_line_end_and_stays_small() {
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
    // One of the eight was asked again and passed.
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
    let words = "2 passed, 8 failed (1 flaky), 2 errored, 1 skipped";
    assert!(render(Format::Console).lines().last().unwrap().contains(words));
    assert!(render(Format::Markdown).lines().next().unwrap().contains(words));
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
fn a_decision_about_another_run_forgives_nothing() {
    let mut fixture = Fixture::short();
    fixture.decision.cases.clear();
    assert!(fixture.report().with(Outcome::Failed).iter().all(|entry| entry.blocking));
}

/// Text made of whole pieces of trouble and of any characters.
fn hostile() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = HOSTILE.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    let piece = prop_oneof![
        prop::sample::select(pieces),
        prop::collection::vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A run in which the text stands wherever text can stand.
fn run_of(text: &str) -> Fixture {
    let mut bad = verdict(VerdictKind::Other(text.to_owned()), text);
    (bad.expected, bad.got) = (text.to_owned(), text.to_owned());
    let mut one = case("support", text, Outcome::Failed, vec![trial(0, Outcome::Failed, Some(bad), text)]);
    (one.name, one.prompt, one.reason) = (Some(text.to_owned()), text.to_owned(), text.to_owned());
    let mut fixture = Fixture::of(vec![one.clone(), one], &Policy::default());
    for case in &mut fixture.run.cases {
        case.scenario = text.to_owned();
        case.location.file = text.to_owned();
    }
    fixture.run.notes = vec![text.to_owned()];
    fixture.run.scenarios[0].name = text.to_owned();
    fixture.decision.summary = text.to_owned();
    fixture.decision.findings[0].location = None;
    fixture.decision.findings[0].message = text.to_owned();
    // A time may be any text, and what is not later is earlier.
    fixture.run.at = None;
    let mut earlier = fixture.run.clone();
    (earlier.run_id, earlier.at, earlier.commit) =
        (format!("run {text}"), Some(text.to_owned()), Some(text.to_owned()));
    for reply in
        earlier.cases.iter_mut().flat_map(|case| &mut case.trials).filter_map(|one| one.reply.as_mut())
    {
        reply.text = format!("{text} {text}");
    }
    let conclusion = Some(text.to_owned());
    let stored = StoredRun { file: text.to_owned(), run: earlier, conclusion, pass_rate: Some(0.5) };
    fixture.past = Past::of(&fixture.run, &fixture.decision, [stored]);
    fixture
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_a_format(text in hostile()) {
        let fixture = run_of(&text);
        let render = |format: Format| format.render(&fixture.report(), Ink::Plain).unwrap();
        let junit = render(Format::Junit);
        let read = quick_junit::Report::deserialize_from_str(&junit).unwrap();
        prop_assert_eq!((read.tests, read.failures), (2, 2));
        prop_assert!(junit.chars().all(|c| crate::text::xml::legal(c) && (c == '\n' || crate::text::inert(c))));
        let sarif: serde_json::Value = serde_json::from_str(&render(Format::Sarif)).unwrap();
        prop_assert!(sarif["runs"][0]["results"].as_array().unwrap().len() >= 2);
        let json: RunManifest = serde_json::from_str(&render(Format::Json)).unwrap();
        prop_assert_eq!(&json, &fixture.run);
        for format in [Format::Console, Format::Markdown] {
            prop_assert!(render(format).chars().all(|c| c == '\n' || c == '\t' || crate::text::inert(c)));
        }
        let console = render(Format::Console);
        prop_assert_eq!(console.lines().filter(|line| line.starts_with("RESULT: ")).count(), 1);
        prop_assert!(!console.lines().any(|line| line.trim_start().starts_with("::")));
        prop_assert!(!console.contains("##vso[") && !console.contains("##["));
        let markdown = render(Format::Markdown);
        prop_assert!(!markdown.contains("##vso[") && !markdown.contains("<!--") && !markdown.contains("<img"));
        prop_assert!(!markdown.lines().any(|line| line.trim_start().starts_with(['/', '`', ':', '~'])));
        prop_assert_eq!(markdown.matches("</pre>").count(), markdown.matches("<pre>").count());
        prop_assert_eq!(markdown.matches("</details>").count(), markdown.matches("<details>").count());
        let html = render(Format::Html);
        prop_assert!(html.chars().all(|c| c == '\n' || c == '\t' || crate::text::inert(c)));
        prop_assert_eq!(html.matches("<details class=\"case\"").count(), 2);
        prop_assert_eq!(html.matches("<h4>Answer before</h4>").count(), 2);
        prop_assert_eq!(html.matches("<ins>").count(), html.matches("</ins>").count());
        prop_assert_eq!(html.matches("<del>").count(), html.matches("</del>").count());
        prop_assert_eq!(html.matches("<script").count(), 1);
        prop_assert!(!html.contains("<img") && !html.contains("<!--"));
    }
}

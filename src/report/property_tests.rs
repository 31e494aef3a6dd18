//! Over generated runs, baselines and policies: every output has the decision's word and counts, and text from
//! outside
//! akit is harmless in all of them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use strum::IntoEnumIterator as _;

use super::entry::Forgiven;
use super::fixture::{Fixture, HOSTILE, case, trial, verdict};
use super::*;
use crate::baseline::{Baseline, BaselineCase};
use crate::gate::{
    Category, Evidence, Glob, Policy, Quarantined, Reference, Rigor, Sought, Weakening, decide,
};
use crate::history::StoredRun;
use crate::manifest::{CaseResult, Fault, Held, Place, Trial};
use crate::source::Location;
use crate::stats::Tally;
use crate::vocabulary::{EndedBy, FaultKind, Outcome, ToolCall, VerdictKind, WeakeningKind};

/// One case before it is named: outcomes of trials and of confirmations, and its tally in the baseline.
type Drawn = (Vec<Outcome>, Vec<Outcome>, Option<(u32, u32)>, bool);

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Passed),
        4 => Just(Outcome::Failed),
        1 => Just(Outcome::Errored),
    ]
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let stored = prop_oneof![
        Just(None),
        (0_u32..=20, 1_u32..=20).prop_map(|(passes, trials)| Some((passes.min(trials), trials))),
        Just(Some((20, 20))),
    ];
    (
        prop::collection::vec(outcome(), 0..4),
        prop::collection::vec(outcome(), 0..5),
        stored,
        prop::bool::weighted(0.8),
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    (
        prop::option::of(0.0_f64..1.0),
        prop::collection::btree_set(prop::sample::select(Category::iter().collect::<Vec<_>>()), 0..6),
        prop::option::of(0_usize..12),
        0_u32..5,
        any::<bool>(),
        prop_oneof![Just(0.0), Just(1.0)],
    )
        .prop_map(|(min_pass_rate, fail_on, kept, confirm, strict, max_error_rate)| {
            let quarantine = kept.map(|index| Quarantined {
                case: Glob::parse(&format!("*/case-{index}")).unwrap(),
                owner: "ada".to_owned(),
                reason: "known".to_owned(),
                until: "2099-01-01".to_owned(),
            });
            Policy {
                min_pass_rate,
                max_error_rate,
                fail_on,
                confirm,
                rigor: if strict { Rigor::Strict } else { Rigor::Usual },
                quarantine: quarantine.into_iter().collect(),
                ..Policy::default()
            }
        })
}

fn drawn_trial(index: u32, outcome: Outcome, confirmation: bool) -> Trial {
    let bad =
        (outcome == Outcome::Failed).then(|| verdict(VerdictKind::Contains, "the answer lacks `30 days`"));
    let fault = (outcome == Outcome::Errored)
        .then(|| Box::new(Fault::new(FaultKind::Timeout, "no answer".to_owned(), "")));
    Trial { confirmation, fault, ..trial(index, outcome, bad, "Soon.") }
}

/// The case as a runner leaves it: one failed trial fails it, and only failures are confirmed.
fn made(index: usize, (ordinary, fresh, _, _): &Drawn) -> CaseResult {
    let count = |wanted| ordinary.iter().filter(|one| **one == wanted).count();
    let outcome = match (count(Outcome::Passed), count(Outcome::Failed)) {
        _ if ordinary.is_empty() => Outcome::Skipped,
        (0, 0) => Outcome::Errored,
        (_, 0) => Outcome::Passed,
        _ => Outcome::Failed,
    };
    let fresh = if outcome == Outcome::Failed { fresh.as_slice() } else { &[] };
    let all = ordinary.iter().map(|one| (*one, false)).chain(fresh.iter().map(|one| (*one, true)));
    let trials = (0..).zip(all).map(|(index, (outcome, fresh))| drawn_trial(index, outcome, fresh)).collect();
    let scenario = if index.is_multiple_of(3) { "größe & co." } else { "support" };
    case(scenario, &format!("case-{index}"), outcome, trials)
}

fn decided(drawn: &[Drawn], with_baseline: bool, weakened: &[Weakening], policy: &Policy) -> Fixture {
    let cases = drawn.iter().enumerate().map(|(index, one)| made(index, one)).collect();
    let mut fixture = Fixture::of(cases, policy);
    let mut baseline = Baseline::empty();
    for (case, (_, _, stored, same)) in fixture.run.cases.iter().zip(drawn) {
        let hash = if *same { case.content_hash.as_str() } else { "other" };
        if let Some((passes, trials)) = *stored {
            let tally = Tally { hits: passes.into(), of: trials.into() };
            baseline.cases.push(BaselineCase::new(&case.scenario, &case.id, hash, tally));
        }
    }
    baseline.cases.sort_by(|a, b| (&a.scenario, &a.id).cmp(&(&b.scenario, &b.id)));
    let found = Reference::Found { baseline: &baseline, from: "b.json" };
    let reference = if with_baseline { found } else { Reference::None };
    fixture.decision = decide(&Evidence { run: &fixture.run, reference, weakened }, policy);
    fixture
}

/// The distinct places of findings about failed cases.
fn places(rules: impl Iterator<Item = (String, String)>) -> BTreeSet<String> {
    let of_case = |rule: &str| rule.starts_with("akit/expect/") || rule == "akit/regression/case";
    rules.filter(|(rule, _)| of_case(rule)).map(|(_, place)| place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_surface_has_the_decisions_counts(
        drawn in prop::collection::vec(drawn(), 0..12),
        with_baseline in any::<bool>(),
        is_weaker in any::<bool>(),
        policy in policy(),
    ) {
        let weaker = Weakening {
            kind: WeakeningKind::ThresholdLowered,
            of: String::new(),
            message: "0.9 became 0.5".to_owned(),
            location: Location { file: "akit.yaml".to_owned(), line: 3, column: 1 },
        };
        let weakened = if is_weaker { vec![weaker] } else { Vec::new() };
        let fixture = decided(&drawn, with_baseline, &weakened, &policy);
        let (report, counts) = (fixture.report(), fixture.decision.counts);
        let render = |format: Format| format.render(&report, Ink::Plain).unwrap();
        let json = |format: Format| -> Value { serde_json::from_str(&render(format)).unwrap() };
        let word = fixture.decision.conclusion.word();
        let forgiven: Vec<_> = report.entries().filter_map(|entry| entry.forgiven()).collect();
        let excused = |wanted| forgiven.iter().filter(|one| **one == wanted).count();
        let (flaky, kept) = (excused(Forgiven::Flaky), excused(Forgiven::Quarantined));

        // The decision counts all of the run.
        prop_assert_eq!(counts, fixture.run.counts());
        let parsed = json(Format::Json);
        for (name, count) in [
            ("passed", counts.passed),
            ("failed", counts.failed),
            ("errored", counts.errored),
            ("skipped", counts.skipped),
        ] {
            prop_assert_eq!(&parsed["counts"][name], count);
            prop_assert_eq!(&parsed["decision"]["counts"][name], count);
            let sample = format!("akit_cases{{outcome=\"{name}\"}} {count}\n");
            prop_assert!(render(Format::OpenMetrics).contains(&sample));
            let variable = format!("AKIT_{}={count}\n", name.to_uppercase());
            prop_assert!(dotenv::of_report(&report, 0).contains(&variable));
        }

        // Every failed case has a finding or an excuse, unless the policy makes it a warning.
        let excused = fixture.decision.excused();
        let excuse_count = fixture.decision.excuses.len();
        prop_assert!(excuse_count <= counts.failed);
        prop_assert_eq!(excuse_count, excused.split(", ").filter_map(|one| one.split(' ').next()?.parse::<usize>().ok()).sum::<usize>());
        let excuses = if excused.is_empty() { String::new() } else { format!(" ({excused})") };
        let words = format!(
            "{} passed, {} failed{excuses}, {} errored, {} skipped",
            counts.passed, counts.failed, counts.errored, counts.skipped
        );
        let console = render(Format::Console);
        let result = format!("RESULT: {word} — {words}");
        prop_assert!(console.lines().last().unwrap().starts_with(&result), "{}", console);
        prop_assert_eq!(console.lines().filter(|line| line.starts_with("FAILED ")).count(), counts.failed);
        prop_assert_eq!(console.lines().filter(|line| line.starts_with("ERRORED ")).count(), counts.errored);

        let markdown = render(Format::Markdown);
        let first = markdown.lines().next().unwrap();
        prop_assert!(first.contains(&format!(" akit: {word} — ")), "{}", first);
        let line = super::entry::counted(&report);
        prop_assert!(markdown.lines().any(|one| one.starts_with(&line)), "{}", markdown);
        let passing = report.entries().filter(|one| one.flaky() && one.case.outcome == Outcome::Passed);
        let folded = counts.failed + counts.errored + passing.filter(|one| !one.blocking).count();
        prop_assert_eq!(markdown.matches("<details>").count(), folded);

        let junit = quick_junit::Report::deserialize_from_str(&render(Format::Junit)).unwrap();
        prop_assert_eq!(junit.tests, counts.total());
        // A passing case that fails the gate because of its extra trials.
        let by_others = report.entries().filter(|one| one.blocking && one.case.outcome == Outcome::Passed);
        prop_assert_eq!(junit.failures, counts.failed - flaky - kept + by_others.count());
        prop_assert_eq!(junit.errors, counts.errored);
        prop_assert_eq!(junit.skipped, counts.skipped + kept);
        for suite in &junit.test_suites {
            let property = suite.properties.iter().find(|one| one.name.as_str() == "counts");
            prop_assert_eq!(property.unwrap().value.as_str(), words.as_str());
        }

        for format in [Format::Sarif, Format::SarifFull] {
            let log = json(format);
            let run = &log["runs"][0];
            let results: Vec<&Value> = run["results"].as_array().unwrap().iter().collect();
            let live = results.iter().filter(|one| one["baselineState"] != "absent");
            let found = live.map(|one| {
                let place = one["locations"][0]["physicalLocation"].to_string();
                (one["ruleId"].as_str().unwrap().to_owned(), place)
            });
            prop_assert_eq!(places(found).len(), counts.failed);
            let gone = results.iter().filter(|one| one["baselineState"] == "absent").count();
            let fixed = report.entries().filter(|one| one.state == crate::gate::State::Fixed).count();
            prop_assert_eq!(gone, if format == Format::Sarif { 0 } else { fixed });
            let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().cloned();
            let notes = notes.unwrap_or_default();
            prop_assert_eq!(notes.iter().filter(|one| one["locations"].is_array()).count(), counts.errored);
            let weaker = results.iter().filter(|one| one["ruleId"] == "akit/weakened/threshold-lowered");
            prop_assert_eq!(weaker.count(), weakened.len());
            let blocks = results.iter().any(|one| one["level"] == "error");
            let stands = |one: &crate::gate::Finding| match one.conclusion {
                crate::gate::Conclusion::Fail => true,
                // A case whose extra trials errored because of the provider.
                crate::gate::Conclusion::Error => one.is_by_case(),
                _ => false,
            };
            prop_assert_eq!(blocks, fixture.decision.findings.iter().any(stands));
        }

        let issues = json(Format::CodeQuality);
        let issues = issues.as_array().unwrap();
        let prints: BTreeSet<_> = issues.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
        prop_assert_eq!(prints.len(), issues.len());
        let found = issues.iter().map(|one| {
            (one["check_name"].as_str().unwrap().to_owned(), one["location"].to_string())
        });
        prop_assert_eq!(places(found).len(), counts.failed);
        open_metrics::tests::check(&render(Format::OpenMetrics));
        let commands = annotation::commands(&report);
        prop_assert!(commands.lines().count() <= 20);
    }
}

/// Text of troublesome pieces and random characters.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "\u{0}",
        "\u{1b}[2J",
        "\u{fffe}",
        "]]>",
        "<![CDATA[",
        "\u{202e}",
        "👩‍👩‍👧",
        "\n::error::x",
        "##[error]x",
        "</details>",
        "\n```\n",
        "%0A::error::",
        "\"} 1\nakit_verdict 1\n",
        "\\",
        "\n# EOF\n",
        "\r",
        "AKIT_X=1\n",
        "\u{1b}[0Ksection_end:0:x\r\u{1b}[0K",
        "::endgroup::",
    ];
    let mut pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
    pieces.extend(HOSTILE.split_inclusive([' ', '\n']).map(str::to_owned));
    let piece = prop_oneof![prop::sample::select(pieces), any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A run with this text everywhere that text from outside can be.
pub(super) fn run_of(text: &str) -> Fixture {
    changed(text, |_| ())
}

/// The same with conversations that broke in the second of two turns.
pub(super) fn talk_of(text: &str) -> Fixture {
    changed(text, |trial| {
        let mut turns = vec![trial.turns[0].clone(); 2];
        let whole = turns[0].verdicts.first().map(|verdict| verdict.clone().of_turn(3));
        turns[0].verdicts = Box::default();
        for (number, turn) in (2..).zip(&mut turns) {
            let place =
                Place { number: number * 2 - 3, id: Some(text.to_owned()), line: 2, new_session: true };
            (turn.asked, turn.place) = (text.to_owned(), Some(Box::new(place)));
        }
        trial.turns = turns.into();
        let ended_by = EndedBy::Other(text.to_owned());
        trial.conversation = Some(Box::new(Held { ended_by, turns: 9, verdict: whole }));
    })
}

fn changed(text: &str, change: impl Fn(&mut Trial)) -> Fixture {
    let mut bad = verdict(VerdictKind::Other(text.to_owned()), text);
    (bad.expected, bad.got) = (text.to_owned(), text.to_owned());
    let fault = Fault {
        cause: text.to_owned(),
        ..Fault::new(FaultKind::Other(text.to_owned()), text.to_owned(), text)
    };
    let failed = vec![trial(0, Outcome::Failed, Some(bad), text)];
    let errored = vec![Trial { fault: Some(Box::new(fault)), ..trial(0, Outcome::Errored, None, text) }];
    let mut cases = vec![
        case("support", text, Outcome::Failed, failed),
        case("support", "second of three", Outcome::Errored, errored),
        case("support", "third of three", Outcome::Skipped, Vec::new()),
    ];
    for one in &mut cases {
        (one.name, one.prompt, one.reason) = (Some(text.to_owned()), text.to_owned(), text.to_owned());
    }
    let weaker = Weakening {
        kind: WeakeningKind::Other(text.to_owned()),
        of: text.to_owned(),
        message: text.to_owned(),
        location: Location { file: text.to_owned(), line: 1, column: 1 },
    };
    let policy = Policy { fail_on: [Category::Weakened].into(), ..Policy::default() };
    let mut fixture = Fixture::of(cases, &policy);
    let evidence = Evidence {
        run: &fixture.run,
        reference: Reference::Missing(text, Sought::Grown),
        weakened: &[weaker],
    };
    fixture.decision = decide(&evidence, &policy);
    let call = ToolCall {
        id: Some(text.to_owned()),
        name: text.to_owned(),
        arguments: serde_json::json!({ text: [text] }),
        returned: Some(text.to_owned()),
    };
    let trials = fixture.run.cases.iter_mut().flat_map(|case| &mut case.trials);
    for trial in trials {
        trial.answer_mut().unwrap().tool_calls = vec![call.clone(); 12];
        change(trial);
    }
    for case in &mut fixture.run.cases {
        case.scenario = text.to_owned();
        case.location.file = text.to_owned();
    }
    fixture.run.notes = vec![text.to_owned()];
    fixture.run.run_id = text.to_owned();
    fixture.run.scenarios[0].name = text.to_owned();
    fixture.decision.summary = text.to_owned();
    // A time may be any text; anything that is not later is earlier.
    fixture.run.at = None;
    let mut earlier = fixture.run.clone();
    (earlier.run_id, earlier.at, earlier.commit) =
        (format!("run {text}"), Some(text.to_owned()), Some(text.to_owned()));
    let trials = earlier.cases.iter_mut().flat_map(|case| &mut case.trials);
    trials.filter_map(Trial::answer_mut).for_each(|reply| reply.text = format!("{text} {text}"));
    let conclusion = Some(text.to_owned());
    let stored = StoredRun { file: text.to_owned(), run: earlier, conclusion, pass_rate: Some(0.5) };
    fixture.past = Past::of(&fixture.run, &fixture.decision, [stored]);
    fixture
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_acts_on_any_surface(text in hostile()) {
        let (fixture, talk) = (run_of(&text), talk_of(&text));
        for (report, format) in Format::iter().flat_map(|format| [(fixture.report(), format), (talk.report(), format)]) {
            let shown = format.render(&report, Ink::Plain).unwrap();
            // JSON keeps the text, escaped; every other format makes it harmless.
            let harmless = |c: char| c == '\n' || c == '\t' || crate::text::inert(c);
            if format == Format::Json {
                prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_ascii_control() || c as u32 == 127));
            } else {
                prop_assert!(shown.chars().all(harmless), "{:?}: {:?}", format, shown);
            }
        }
        let files = Some("https://gitlab.example/-/blob/0a".to_owned());
        let links = Links { files, ..Links::default() };
        let report = Report { links: &links, ..talk.report() };
        open_metrics::tests::check(&open_metrics::of_report(&report));
        for line in annotation::commands(&report).lines() {
            prop_assert!(line.starts_with("::error ") || line.starts_with("::warning "), "{}", line);
            let (_, rest) = line.split_once(",title=").unwrap_or_else(|| line.split_once(" title=").unwrap());
            prop_assert!(rest.split_once("::").unwrap().0.chars().all(|c| c != ',' && c != ':'), "{}", line);
        }
        for line in dotenv::of_report(&report, 1).lines() {
            let (name, value) = line.split_once('=').unwrap();
            prop_assert!(name.starts_with("AKIT_") && name.len() > 5);
            prop_assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)), "{}", line);
        }
        let links = annotation::links(&report).unwrap();
        let links: Value = serde_json::from_str(&links).unwrap();
        for link in links["akit"].as_array().unwrap() {
            let url = link["external_link"]["url"].as_str().unwrap();
            prop_assert!(url.starts_with("https://gitlab.example/-/blob/0a/") && url.is_ascii());
        }
        let junit = Format::Junit.render(&report, Ink::Plain).unwrap();
        let read = quick_junit::Report::deserialize_from_str(&junit).unwrap();
        prop_assert_eq!((read.tests, read.failures, read.errors, read.skipped), (3, 1, 1, 1));
        prop_assert!(junit.chars().all(|c| crate::text::xml::legal(c) && (c == '\n' || crate::text::inert(c))));
    }

    #[test]
    fn no_text_breaks_a_format(text in hostile(), is_talk: bool) {
        let fixture = if is_talk { talk_of(&text) } else { run_of(&text) };
        let render = |format: Format| format.render(&fixture.report(), Ink::Plain).unwrap();
        let sarif: Value = serde_json::from_str(&render(Format::Sarif)).unwrap();
        prop_assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
        let json: RunManifest = serde_json::from_str(&render(Format::Json)).unwrap();
        prop_assert_eq!(&json, &fixture.run);
        let console = render(Format::Console);
        prop_assert_eq!(console.lines().filter(|line| line.starts_with("RESULT: ")).count(), 1);
        prop_assert!(!console.lines().any(|line| line.trim_start().starts_with("::")));
        prop_assert!(!console.contains("##vso[") && !console.contains("##["));
        let markdown = render(Format::Markdown);
        prop_assert!(!markdown.contains("##vso[") && !markdown.contains("<!--") && !markdown.contains("<img"));
        let mut foreign = markdown.lines().filter(|line| !matches!(*line, "  ```sh" | "  ```"));
        prop_assert!(!foreign.any(|line| line.trim_start().starts_with(['/', '`', ':', '~'])));
        prop_assert_eq!(markdown.matches("</pre>").count(), markdown.matches("<pre>").count());
        prop_assert_eq!(markdown.matches("</details>").count(), markdown.matches("<details>").count());
        let html = render(Format::Html);
        prop_assert_eq!(html.matches("<details class=\"case\"").count(), 3);
        prop_assert_eq!(html.matches("<h4>Answer before</h4>").count(), 1);
        prop_assert_eq!(html.matches("<ins>").count(), html.matches("</ins>").count());
        prop_assert_eq!(html.matches("<del>").count(), html.matches("</del>").count());
        prop_assert_eq!(html.matches("<script").count(), 1);
        prop_assert!(!html.contains("<img") && !html.contains("<!--"));
    }
}

//! Programs match on ids and not on text: any message may be reworded.

use serde_json::Value as Json;

use super::fixture::{Fixture, HOSTILE, case, trial, verdict};
use super::*;
use crate::cli::Status;
use crate::gate::{Policy, Selector, Threshold, Weakening};
use crate::manifest::{CaseResult, Ended, Verdict};
use crate::source::Location;
use crate::vocabulary::{Metric, Outcome, VerdictKind, WeakeningKind};

/// A run with findings of every kind: by case, run, threshold and weakening, and errors.
fn fixture(scenarios: [&str; 2]) -> Fixture {
    let mut fixture = Fixture::short();
    let at = |line| Location { file: "akit.yaml".to_owned(), line, column: 1 };
    let weakening = |kind, of: &str, line| Weakening {
        kind,
        of: of.to_owned(),
        message: format!("`{of}` was 1 is 0: less"),
        location: at(line),
    };
    let weakened = [
        weakening(WeakeningKind::CaseRemoved, "support/a", 1),
        weakening(WeakeningKind::CaseRemoved, "support/b", 1),
        weakening(WeakeningKind::ScoreLowered, "support/a", 3),
    ];
    let over = |metric: &str, scenario: &str| Threshold {
        metric: Metric::parse(metric).unwrap(),
        cases: Selector {
            scenario: Some(crate::gate::Glob::parse(scenario).unwrap()),
            ..Selector::default()
        },
        min: Some(1.0),
        max: None,
    };
    for (run, name) in fixture.run.scenarios.iter_mut().zip(scenarios) {
        run.name = name.to_owned();
    }
    for one in &mut fixture.run.cases {
        let index = usize::from(one.scenario != "support");
        one.scenario = scenarios[index].to_owned();
        if index == 1 {
            one.tags = vec!["hand over".to_owned()];
        }
    }
    let policy = Policy {
        min_pass_rate: Some(0.9),
        thresholds: scenarios.iter().map(|name| over("pass_rate", name)).collect(),
        ..Policy::default()
    };
    decide(&mut fixture, &weakened, &policy);
    fixture
}

/// Decides with these weakenings.
fn decide(fixture: &mut Fixture, weakened: &[crate::gate::Weakening], policy: &Policy) {
    let (run, reference) = (&fixture.run, crate::gate::Reference::None);
    fixture.decision = crate::gate::decide(&crate::gate::Evidence { run, reference, weakened }, policy);
}

/// Rewords every message of a run and its decision.
fn reworded(fixture: &mut Fixture, words: impl Fn(&str) -> String) {
    fn verdict(one: &mut Verdict, words: &dyn Fn(&str) -> String) {
        for text in [&mut one.reason, &mut one.expected, &mut one.got] {
            *text = words(text);
        }
        if let Some(grade) = &mut one.grade {
            grade.reasoning = words(&grade.reasoning);
        }
        one.parts.iter_mut().for_each(|part| verdict(part, words));
    }
    let cases: &mut Vec<CaseResult> = &mut fixture.run.cases;
    for case in cases {
        case.reason = words(&case.reason);
        for trial in &mut case.trials {
            for one in trial.turns.iter_mut().flat_map(|turn| &mut turn.verdicts) {
                verdict(one, &words);
            }
            if let Some(fault) = &mut trial.fault {
                (fault.message, fault.help) = (words(&fault.message), words(&fault.help));
            }
        }
    }
    fixture.run.notes.iter_mut().for_each(|note| *note = words(note));
    let decision = &mut fixture.decision;
    decision.summary = words(&decision.summary);
    for one in decision.findings.iter_mut().chain(&mut decision.warnings) {
        one.message = words(&one.message);
    }
    decision.cases.iter_mut().for_each(|case| case.note = words(&case.note));
}

/// Everything that programs, or the history of an alert, depend on.
fn matched(fixture: &Fixture) -> Vec<String> {
    let report = fixture.report();
    let render = |format: Format| format.render(&report, Ink::Plain).unwrap();
    let sarif: Json = serde_json::from_str(&render(Format::Sarif)).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let mut found: Vec<String> = results
        .map(|one| {
            let parts =
                ["ruleId", "level", "partialFingerprints", "locations"].map(|key| one[key].to_string());
            parts.join(" ")
        })
        .collect();
    found.extend(table::rows(&report).into_iter().map(|row| format!("{row:?}")));
    // A command ends before its message, which contains no `::` here.
    found.extend(
        annotation::commands(&report)
            .lines()
            .map(|line| line.splitn(3, "::").take(2).collect::<Vec<_>>().join("::")),
    );
    let quality: Json = serde_json::from_str(&render(Format::CodeQuality)).unwrap();
    let issues = quality.as_array().unwrap().iter();
    found.extend(
        issues.map(|one| format!("{} {} {}", one["check_name"], one["fingerprint"], one["severity"])),
    );
    let junit = quick_junit::Report::deserialize_from_str(&render(Format::Junit)).unwrap();
    for test in junit.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        let kind = match &test.status {
            quick_junit::TestCaseStatus::NonSuccess { kind, ty, .. } => format!("{kind:?} {ty:?}"),
            other => format!("{}", matches!(other, quick_junit::TestCaseStatus::Success { .. })),
        };
        found.push(format!("{:?} {:?} {kind}", test.classname, test.name));
    }
    found.push(render(Format::OpenMetrics));
    for ended in [Ended::Complete, Ended::Budget, Ended::Interrupted] {
        found.push(format!("{:?}", Status::of(&fixture.decision, ended)));
    }
    found
}

#[test]
fn no_message_decides_anything() {
    let before = matched(&fixture(["what is a", "what is b"]));
    assert!(before.len() > 40, "{}", before.len());
    let rewordings: [&dyn Fn(&str) -> String; 5] = [
        &|_| String::new(),
        &|_| "pass_rate is 1: what is a".to_owned(),
        &|text| text.chars().rev().collect(),
        &|text| text.replace("is", "was").replace(':', " is "),
        &|_| HOSTILE.replace("::", ";;"),
    ];
    for (index, words) in rewordings.iter().enumerate() {
        let mut fixture = fixture(["what is a", "what is b"]);
        reworded(&mut fixture, words);
        let after = matched(&fixture);
        for (one, other) in before.iter().zip(&after) {
            assert_eq!(one, other, "rewording {index}");
        }
        assert_eq!(before.len(), after.len(), "rewording {index}");
    }
}

#[test]
fn thresholds_and_weakenings_have_their_own_identities_whatever_their_names() {
    for names in [["what is a", "what is b"], ["a: is b", "a"], ["pass_rate is", "pass_rate is 1"]] {
        let text = Format::Sarif.render(&fixture(names).report(), Ink::Plain).unwrap();
        let sarif: Json = serde_json::from_str(&text).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let of = |rule: &str| {
            let own = results.iter().filter(|one| one["ruleId"].as_str().unwrap().starts_with(rule));
            own.map(|one| one["partialFingerprints"]["akitCase/v1"].to_string()).collect::<Vec<_>>()
        };
        // Two by scenario, one over the whole suite.
        for (rule, count) in [("akit/threshold/pass-rate", 3), ("akit/weakened/", 3)] {
            let mut found = of(rule);
            assert_eq!(found.len(), count, "{names:?}: {rule}");
            found.sort();
            found.dedup();
            assert_eq!(found.len(), count, "{names:?}: {rule}");
        }
    }
}

/// A metric limited to a tag is its own rule, whatever the tag is.
#[test]
fn a_tag_with_a_space_has_its_own_rule() {
    let failed = |id: &str, tag: &str| {
        let mut one = case(
            "support",
            id,
            Outcome::Failed,
            vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "")],
        );
        one.tags = vec![tag.to_owned()];
        one
    };
    let over = |tag: &str| Threshold {
        metric: Metric::parse("pass_rate").unwrap(),
        cases: Selector { tags: vec![tag.to_owned()], ..Selector::default() },
        min: Some(0.5),
        max: None,
    };
    let recall =
        |tag: &str| Threshold { metric: Metric::parse(&format!("{tag}_recall")).unwrap(), ..over(tag) };
    let policy = Policy {
        thresholds: vec![over("hand over"), over("hand-over"), recall("hand over"), recall("is 1 is")],
        ..Policy::default()
    };
    let fixture = Fixture::of(vec![failed("a", "hand over"), failed("b", "hand-over")], &policy);
    let text = Format::Sarif.render(&fixture.report(), Ink::Plain).unwrap();
    let sarif: Json = serde_json::from_str(&text).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let found: std::collections::BTreeSet<_> = results
        .filter(|one| one["ruleId"].as_str().unwrap().starts_with("akit/threshold/"))
        .map(|one| format!("{} {}", one["ruleId"], one["partialFingerprints"]["akitCase/v1"]))
        .collect();
    assert_eq!(
        found.len(),
        fixture
            .decision
            .findings
            .iter()
            .filter(|one| one.id == crate::vocabulary::FindingId::Threshold)
            .count()
    );
    assert!(found.iter().any(|one| one.starts_with("\"akit/threshold/hand-over-recall\"")), "{found:?}");
}

/// Every result has its own identity, however similar they are.
#[test]
fn no_two_results_share_a_fingerprint() {
    let failed = trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "");
    let cases = vec![case("support", "a", Outcome::Failed, vec![failed.clone()]), {
        // Another file with the same names.
        let mut twin = case("support", "a", Outcome::Failed, vec![failed]);
        twin.location.file = "other.yaml".to_owned();
        twin
    }];
    let over = |min, max| Threshold { metric: Metric::PassRate, cases: Selector::default(), min, max };
    let thresholds = vec![over(Some(0.5), None), over(Some(0.9), None), over(Some(0.9), None)];
    let policy = Policy { thresholds, ..Policy::default() };
    let weakening = |line| crate::gate::Weakening {
        kind: WeakeningKind::ValueRemoved,
        of: "support/a".to_owned(),
        message: "m".to_owned(),
        location: Location { file: "s.yaml".to_owned(), line, column: 1 },
    };
    let mut fixture = Fixture::of(cases, &policy);
    let weakened = [weakening(3), weakening(7)];
    decide(&mut fixture, &weakened, &policy);
    for format in [Format::Sarif, Format::CodeQuality] {
        let text = format.render(&fixture.report(), Ink::Plain).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap();
        let results = json.as_array().or_else(|| json["runs"][0]["results"].as_array()).unwrap();
        let print = |one: &Json| match &one["fingerprint"] {
            Json::Null => one["partialFingerprints"]["akitCase/v1"].to_string(),
            print => print.to_string(),
        };
        let prints: std::collections::BTreeSet<_> = results.iter().map(print).collect();
        assert_eq!(prints.len(), results.len(), "{text}");
        assert!(results.len() >= 5, "{text}");
    }
}

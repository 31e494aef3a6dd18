//! Removed and changed cases, scenario files and baselines.

use std::collections::BTreeMap;

use super::past::Past;
use super::*;
use crate::baseline::{Acceptance, Baseline, BaselineCase, Epoch, Results, RunRecord};
use crate::stats::Tally;

fn of(now: &str) -> Vec<String> {
    let config = ("akit.yaml", "gate: { critical: [{ tags: [fraud] }] }");
    weakenings(&[("s.yaml", SUITE), config], &[("s.yaml", now), config])
}

#[test]
fn removed_and_weaker_cases_are_named() {
    let only_a = SUITE.split("  - id: b").next().unwrap();
    assert_eq!(of(only_a), ["case-removed s.yaml:3"]);
    let commented = format!("{only_a}  # - id: b\n  #   prompt: Why?\n");
    assert_eq!(of(&commented), ["case-skipped s.yaml:7"]);
    assert_eq!(of(&SUITE.replace("    tags: [fraud]\n", "")), ["tag-removed s.yaml:7"]);
    assert_eq!(of(&SUITE.replace("[fraud]", "[other]")), ["tag-removed s.yaml:9"]);
    // No policy names this tag.
    assert_eq!(of(&SUITE.replace("[safety]", "[other]")), Vec::<String>::new());
    assert_eq!(of(&SUITE.replace("    tags:", "    retries: 5\n    tags:")), ["retries-raised s.yaml:9"]);
    assert_eq!(of(&SUITE.replace("    tags:", "    retries: 2\n    tags:")), Vec::<String>::new());
    assert_eq!(of(&SUITE.replace("    tags:", "    timeout: 70000\n    tags:")), ["timeout-raised s.yaml:9"]);
    assert_eq!(of(&SUITE.replace("    tags:", "    allow_cut: true\n    tags:")), ["cut-allowed s.yaml:9"]);
    let taught =
        |word: &str| SUITE.replace("cases:", &format!("providerConfig:\n  stopWords: {{ {word} }}\ncases:"));
    assert_eq!(of(&taught("quantum: complete")), ["stop-word-taught s.yaml:4"]);
    assert_eq!(of(&taught("quantum: broken")), Vec::<String>::new());
    let patient = SUITE.replace("cases:", "providerConfig: { maxRetries: 3 }\ncases:");
    assert_eq!(of(&patient), ["retries-raised s.yaml:3"]);
    let other =
        ("t.yaml", "name: t\ncases:\n  - { id: c, prompt: Who?, expected: { type: exact, value: me } }\n");
    assert_eq!(weakenings(&[("s.yaml", SUITE), other], &[("s.yaml", SUITE)]), ["scenario-removed t.yaml:1"]);
}

#[test]
fn tools_and_handoffs_of_a_scenario_are_compared() {
    let set = |setup: &str| SUITE.replace("cases:", &format!("setup:\n  {setup}\ncases:"));
    let of = |before: &str, now: &str| weakenings(&[("s.yaml", &set(before))], &[("s.yaml", &set(now))]);
    let table = [
        (
            "functions: [{ name: f, returns: [{ give: a }] }]",
            "functions: [{ name: f, returns: [{ give: b }] }]",
            "returns-changed s.yaml:4",
        ),
        (
            "functions: [{ name: f }]",
            "functions: [{ name: f, returns: [{ give: b }] }]",
            "returns-changed s.yaml:4",
        ),
        (
            "functions: [{ name: f, returns: [{ give: a }] }]",
            "functions: [{ name: f }]",
            "returns-changed s.yaml:4",
        ),
        ("max_tool_rounds: 3", "max_tool_rounds: 9", "tool-rounds-changed s.yaml:4"),
        ("max_tool_rounds: 3", "systemPrompt: Hi", "tool-rounds-changed s.yaml:3"),
        ("handoff: { tool: a }", "handoff: { tool: b }", "handoff-changed s.yaml:4"),
        ("handoff: { tool: a, state: /b }", "handoff: { tool: a }", "handoff-changed s.yaml:4"),
        ("handoff: { state: /b }", "handoff: { state: /b, states: { x: done } }", "handoff-changed s.yaml:4"),
    ];
    for (before, now, found) in table {
        assert_eq!(of(before, now), [found], "{before} -> {now}");
    }
    // The application's own tools, and a first handoff.
    for (before, now) in [
        ("functions: [{ name: f, description: a }]", "functions: [{ name: f, description: b }]"),
        ("functions: [{ name: f }]", "functions: [{ name: f }, { name: g, returns: [{ give: a }] }]"),
        ("max_tool_rounds: 8", "handoff: { tool: a }"),
    ] {
        assert_eq!(of(before, now), Vec::<String>::new(), "{before} -> {now}");
    }
}

#[test]
fn a_case_renamed_and_changed_at_once_is_still_compared() {
    let renamed = SUITE.replace("id: b", "id: c").replace("value: so", "value: no");
    assert_eq!(of(&renamed), ["value-changed s.yaml:12"]);
    let asked = SUITE.replace("Why?", "Wherefore?").replace("value: so", "value: no");
    assert_eq!(of(&asked), ["value-changed s.yaml:12"]);
    let unnamed = SUITE.replace("name: s\n", "");
    let loose = unnamed.replace("value: so", "value: no");
    assert_eq!(weakenings(&[("s.yaml", &unnamed)], &[("t.yaml", &loose)]), ["value-changed t.yaml:11"]);
    let variables =
        SUITE.replace("value: so", "value: \"{{v}}\"").replace("cases:", "variables: { v: so }\ncases:");
    assert_eq!(of(&variables), Vec::<String>::new());
    assert_eq!(of(&variables.replace("v: so", "v: no")), ["value-changed s.yaml:13"]);
}

fn baseline(runs: &[&str], cases: &[(&str, &str)]) -> Baseline {
    let mut baseline = Baseline::empty();
    let run =
        |id: &&str| RunRecord { id: (*id).to_owned(), at: None, commit: None, version: None, partial: false };
    baseline.runs = runs.iter().map(run).collect();
    baseline.cases = cases
        .iter()
        .map(|(id, results)| BaselineCase {
            results: Results::try_from((*results).to_owned()).unwrap(),
            ..BaselineCase::new("s", id, &format!("hash of {id}"), Tally::default())
        })
        .collect();
    baseline
}

fn text(baseline: &Baseline) -> String {
    let cases: Vec<_> = baseline.cases.iter().map(|case| serde_json::to_string(case).unwrap()).collect();
    let mut whole = serde_json::to_value(baseline).unwrap();
    whole["cases"] = "CASES".into();
    let text = serde_json::to_string(&whole).unwrap();
    text.replace("\"CASES\"", &format!("[\n{}\n]", cases.join(",\n")))
        .replace("\"cases\":[\n", "\n\"cases\":[\n")
}

fn baselines(before: &Baseline, now: &Baseline) -> Vec<String> {
    weakenings(&[("baseline.json", &text(before))], &[("baseline.json", &text(now))])
}

#[test]
fn a_baseline_that_no_run_changed_was_edited() {
    let base = baseline(&["r1", "r2"], &[("a", "1 1"), ("b", "1 0")]);
    let edited = ["baseline-edited baseline.json:3"];
    assert_eq!(baselines(&base, &baseline(&["r1", "r2"], &[("a", "0 1"), ("b", "1 0")])), edited);
    assert_eq!(baselines(&base, &baseline(&["r1", "r2", "r3"], &[("a", "1 0 1"), ("b", "1 0 1")])), edited);
    assert_eq!(
        baselines(&base, &baseline(&["r2"], &[("a", "1"), ("b", "0")])),
        ["baseline-edited baseline.json:5"]
    );
    assert_eq!(
        baselines(&base, &baseline(&["r1", "r2"], &[("b", "1 0")])),
        ["baseline-case-removed baseline.json:2"]
    );
    let more = baseline(&["r1", "r2"], &[("a", "1 1"), ("b", "1 0"), ("c", "0 0")]);
    assert_eq!(baselines(&base, &more), ["baseline-edited baseline.json:5"]);
    let mut other = base.clone();
    other.cases[0].content_hash = "x".to_owned();
    assert_eq!(baselines(&base, &other), edited);
    let mut epoch = base.clone();
    epoch.epoch.push(Epoch {
        file: None,
        scenario: "s".to_owned(),
        akit: "0".to_owned(),
        target: "t".to_owned(),
        target_hash: String::new(),
        grader: None,
        grader_hash: None,
    });
    assert_eq!(baselines(&base, &epoch), ["baseline-edited baseline.json:5"]);
    let mut accepted = baseline(&["r1", "r2"], &[("b", "1 0")]);
    let (cases, reason) = (vec!["s/a".to_owned()], "new tone".to_owned());
    accepted.accepted.push(Acceptance { cases, reason, by: None, at: None });
    assert_eq!(baselines(&base, &accepted), ["baseline-accepted baseline.json:1"]);
    assert_eq!(weakenings(&[("baseline.json", &text(&base))], &[]), ["baseline-removed baseline.json:1"]);
    // A first baseline, with and without failures that it excuses.
    assert_eq!(weakenings(&[], &[("baseline.json", &text(&base))]), ["baseline-added baseline.json:1"]);
    let clean = baseline(&["r1"], &[("a", "1"), ("b", "1")]);
    assert_eq!(weakenings(&[], &[("baseline.json", &text(&clean))]), [""; 0]);
}

#[test]
fn an_update_edits_nothing() {
    let base = baseline(&["r1", "r2"], &[("a", "1 1"), ("b", "1 0")]);
    let none = Vec::<String>::new();
    assert_eq!(
        baselines(&base, &baseline(&["r1", "r2", "r3"], &[("a", "1 1 0"), ("b", "1 0 -"), ("c", "- - 1")])),
        none
    );
    // A run dated between the others.
    assert_eq!(baselines(&base, &baseline(&["r1", "rx", "r2"], &[("a", "1 0 1"), ("b", "1 - 0")])), none);
    let window: Vec<String> = (0..20).map(|n| format!("r{n}")).collect();
    let window: Vec<&str> = window.iter().map(String::as_str).collect();
    let (old, new) = (baseline(&window[..19], &[("a", "1x19")]), baseline(&window[1..], &[("a", "1x19")]));
    assert_eq!(baselines(&old, &new), none);
    let spaced = text(&base).replace(',', ", ");
    assert_eq!(weakenings(&[("baseline.json", &text(&base))], &[("baseline.json", &spaced)]), none);
}

/// A commit with links.
struct Linked(BTreeMap<String, String>, BTreeMap<String, String>);

impl Past for Linked {
    fn paths(&self) -> Result<Vec<String>, crate::history::GitError> {
        self.0.paths()
    }

    fn links(&self) -> Result<BTreeMap<String, String>, crate::history::GitError> {
        Ok(self.1.clone())
    }

    fn texts(&self, paths: &[String]) -> Result<Vec<Option<String>>, crate::history::GitError> {
        self.0.texts(paths)
    }
}

#[test]
fn a_path_that_became_a_link_is_a_weakening() {
    let pairs = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        all.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    let files = pairs(&[("scenarios/s.yaml", SUITE), ("akit.yaml", ""), ("linked/t.yaml", SUITE)]);
    let past = Linked(files, pairs(&[("linked", "real"), ("moved", "here")]));
    let then = Then::read(&past, &Scope::default(), &Environment::default()).unwrap();
    let linked = |now: &[(&str, &str)]| -> Vec<String> {
        then.linked(&pairs(now)).iter().map(|one| format!("{} {}", one.kind, one.location)).collect()
    };
    assert_eq!(linked(&[("scenarios", "real")]), ["path-linked scenarios:1"]);
    assert_eq!(linked(&[("scenarios/s.yaml", "../x.yaml")]), ["path-linked scenarios/s.yaml:1"]);
    assert_eq!(linked(&[("akit.yaml", "x.yaml")]), ["path-linked akit.yaml:1"]);
    assert_eq!(linked(&[("moved", "there")]), ["path-linked moved:1"]);
    // A path that was a link already, and a new path.
    assert_eq!(linked(&[("linked", "real"), ("moved", "here"), ("new", "real")]), [""; 0]);
}

#[test]
fn a_moved_suite_is_found_by_its_name() {
    let files: BTreeMap<String, String> = [("old/s.yaml", SUITE), ("other/t.yaml", "name: t\ncases: []\n")]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    let names = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        let scope = Scope { scenarios: vec!["new".into()], names, ..Scope::default() };
        let then = Then::read(&files, &scope, &Environment::default()).unwrap();
        then.demands.scenarios.iter().map(|one| one.document.file.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["s"]), ["old/s.yaml"]);
    assert_eq!(names(&["another"]), [""; 0]);
}

#[test]
fn a_commit_is_read_at_the_paths_of_its_own_configuration() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let config = "scenariosDir: ./suite\ngate: { quarantine: ../q.yaml, baseline: { from: b.json }, min_pass_rate: 0.5 }\n";
    let past: BTreeMap<String, String> = [
        file("app/akit.yaml", config),
        file("app/b.json", "{}"),
        file("q.yaml", "[]"),
        file("app/suite/s.yaml", SUITE),
        file("app/suite/.github/w.yaml", SUITE),
        file("app/suite/broken.yaml", "a: [\n"),
        file("app/other/t.yaml", SUITE),
    ]
    .into();
    let mut scope = Scope { config: vec!["akit.yaml".into(), "app/akit.yaml".into()], ..Scope::default() };
    let then = Then::read(&past, &scope, &Environment::default()).unwrap();
    let names = |then: &Then| -> Vec<String> {
        then.demands.scenarios.iter().map(|one| one.document.file.name().to_owned()).collect()
    };
    assert_eq!(names(&then), ["app/suite/s.yaml"]);
    assert_eq!(then.unread.len(), 1, "{:?}", then.unread);
    assert!(then.demands.quarantine.is_some() && then.demands.baseline.is_some());
    let mut found = crate::source::Diagnostics::default();
    let config = then.settings(&past, "1a2b3c4", "app".into(), &Environment::default(), &mut found).unwrap();
    assert_eq!((config.gate.policy.min_pass_rate, found.has_errors()), (Some(0.5), false));
    assert_eq!(config.file.unwrap().name(), "app/akit.yaml at 1a2b3c4");
    scope.scenarios = vec!["app/o*/*.yaml".into()];
    assert_eq!(names(&Then::read(&past, &scope, &Environment::default()).unwrap()), ["app/other/t.yaml"]);
    scope.config.clear();
    let then = Then::read(&past, &scope, &Environment::default()).unwrap();
    assert!(then.demands.config.is_none() && then.demands.baseline.is_none());
}

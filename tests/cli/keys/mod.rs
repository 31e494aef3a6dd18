//! Every key of the files: if a change of it can weaken the checks, the comparison with the base reports it;
//! otherwise a
//! reason says why it cannot.

use std::collections::{BTreeMap, BTreeSet};

use akit::inside::{keys, weaker};
use serde_json::json;

use super::Akit;

mod configurations;
mod conversations;
mod expectations;
mod provider_configs;
mod scenarios;

/// What changing a key means.
#[derive(Clone, Copy)]
enum Key {
    /// Files before and now; the second are weaker, and that is reported.
    Weaker(&'static str, &'static str),
    /// Why no change of it is weaker, and files before and now that differ in it: no verdict differs.
    Neutral(&'static str, &'static str, &'static str),
    /// The same as `Weaker`; the first files fail and the second pass if case `one` gets this answer.
    Passes(&'static str, &'static str, &'static str),
}

use Key::{Neutral, Passes, Weaker};
use configurations::CONFIGURATIONS;
use conversations::{CONVERSATIONS, OF_CONVERSATIONS};
use expectations::EXPECTATIONS;
use provider_configs::PROVIDER_CONFIGS;
use scenarios::SCENARIOS;

/// Why a change is not weaker.
const LABEL: &str = "it is only for people and does not affect results";
const TARGET: &str =
    "instructions and tools are part of the application, and the gate exists to test new versions of it";
const SHOWN: &str = "it is only shown in reports; no expectation or judge sees it";
const QUESTION: &str = "another question makes another case, not a weaker one";
const UNUSED: &str = "akit ignores it with a warning";
const SLOWER: &str =
    "answers are judged as strictly if they come later, and a case cut off by the deadline does not pass";
const PLACE: &str = "it is only a path; files that are gone from it are reported";

pub(crate) type Files = Vec<(&'static str, String)>;
/// Makes the files of a row.
type Make = fn(&str) -> Files;

/// Every table, with the function that makes files from its rows.
const TABLES: [(&[(&str, Key)], Make); 4] = [
    (EXPECTATIONS, expecting),
    (SCENARIOS, scenario),
    (PROVIDER_CONFIGS, scenario),
    (CONFIGURATIONS, configuration),
];

/// A suite with one expectation.
fn expecting(expected: &str) -> Files {
    let setup = "setup: { handoff: { tool: transfer, offers: would you like } }\n";
    let setup = if expected.contains("handoff") { setup } else { "" };
    let case = format!("cases: [{{ id: one, prompt: How?, expected: {{ {expected} }} }}]\n");
    vec![("s.yaml", format!("name: s\n{setup}{case}"))]
}

/// Seven cases; a row changes the first two.
fn scenario(change: &str) -> Files {
    // If a case refers to its scenario's rules, the row changes both.
    let (change, case) = change.split_once("\n---\n").unwrap_or((change, ""));
    let (what, with) = change.split_once(' ').unwrap_or((change, ""));
    let of = |word: &str, usual: &str| if what == word { with.to_owned() } else { usual.to_owned() };
    let head = match what {
        "HEAD" if with.starts_with("name:") => with.to_owned(),
        "HEAD" => format!("name: s\n{with}"),
        _ => "name: s".to_owned(),
    };
    let variables = if with.contains("variables") { "" } else { "variables: { v: a }\n" };
    let case = if what == "CASE" { with } else { case };
    let case = if case.is_empty() { String::new() } else { format!("    {case}\n") };
    let (id, prompt) = (of("ID", "one"), of("PROMPT", "How?"));
    let expected = of("EXPECTED", "{ type: contains, values: [\"{{v}}\"] }");
    let first = format!("  - id: {id}\n    prompt: {prompt}\n    expected: {expected}\n{case}");
    let first = if what == "GONE" { String::new() } else { first };
    let cases = "  - { id: two, prompt: q2, expected: { type: not_contains, values: [no] } }
  - { id: three, prompt: q3, expected: { type: exact, value: yes } }
  - { id: four, prompt: q4, expected: { type: regex, pattern: '^y' } }
  - { id: five, prompt: q5, expected: { type: fuzzy, value: yes sir } }
  - { id: six, prompt: q6, expected: { type: inline, expression: length > 3 } }
  - { id: seven, prompt: q7, expected: { type: json_schema, schema: { type: object } }, tags: [safety] }
";
    // The seventh case keeps the tag that a row removes, because an empty selection would be an error.
    let policy = "gate: { critical: [{ tags: [safety] }] }\n".to_owned();
    // A key of the case next to the scenario's variables.
    let head =
        if what == "HEAD" && with.contains("variables") { head } else { format!("{head}\n{variables}") };
    vec![("s.yaml", format!("{}\ncases:\n{first}{cases}", head.trim_end())), ("akit.yaml", policy)]
}

fn configuration(text: &str) -> Files {
    let (config, quarantine) = text.split_once("\n---\n").unwrap_or((text, ""));
    let suite = scenario("CASE tags: [safety]").remove(0);
    let mut files = vec![suite, ("akit.yaml", format!("{config}\n"))];
    if !quarantine.is_empty() {
        files.push(("quarantine.yaml", format!("{quarantine}\n")));
    }
    files
}

/// A row that weakens: its key, files before and now, and an answer that only the second files pass.
pub(crate) struct Loosened {
    pub(crate) key: &'static str,
    pub(crate) before: Files,
    pub(crate) now: Files,
    pub(crate) answer: Option<&'static str>,
}

/// Every row that weakens.
pub(crate) fn loosened() -> Vec<Loosened> {
    let tables =
        TABLES.iter().flat_map(|(rows, make)| rows.iter().map(move |(key, change)| (*key, change, make)));
    let rows = tables.filter_map(|(key, change, make)| match change {
        Weaker(before, now) => Some((key, make(before), make(now), None)),
        Passes(before, now, answer) => Some((key, make(before), make(now), Some(*answer))),
        Neutral(..) => None,
    });
    rows.map(|(key, before, now, answer)| Loosened { key, before, now, answer }).collect()
}

/// Compares the program's keys with those of the rows: none may be missing, and none may be unknown.
fn agree(known: &[String], rows: &[(&str, Key)]) {
    let rows: BTreeSet<&str> = rows.iter().map(|(key, _)| *key).collect();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let left: Vec<_> = known.difference(&rows).collect();
    assert!(left.is_empty(), "add rows that say whether a change of these keys is weaker: {left:?}");
    let gone: Vec<_> = rows.difference(&known).collect();
    assert!(gone.is_empty(), "unknown keys: {gone:?}");
}

fn found(before: &Files, now: &Files) -> usize {
    let [before, now] =
        [before, now].map(|files| files.iter().map(|(name, text)| (*name, &**text)).collect::<Vec<_>>());
    weaker(&before, &now).len()
}

/// The outcomes of 28 answers: four for each of seven cases.
fn verdicts(files: &Files) -> Vec<String> {
    let answers = ["a yes", "no", "yes", "{\"y\": \"a\"}"];
    let ids = ["one", "uno", "two", "three", "four", "five", "six", "seven"];
    let line = |id: &str, trial: usize| {
        json!({ "id": id, "trial": trial, "reply": answers[trial] }).to_string() + "\n"
    };
    let replies: String = ids.iter().flat_map(|id| (0..4).map(|trial| line(id, trial))).collect();
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "4", "--json", "run.json", "-q"];
    let akit = files.iter().fold(Akit::new(&run), |akit, (name, text)| akit.file(name, text));
    let ran = akit.file("r.jsonl", replies).run();
    assert!([0, 1, 5].contains(&ran.status), "{files:?}: {}{}", ran.stdout, ran.stderr);
    let run = ran.json("run.json");
    let trials = run["cases"].as_array().unwrap().iter().flat_map(|case| case["trials"].as_array().unwrap());
    let outcomes: Vec<String> =
        trials.map(|trial| format!("{} {}", trial["outcome"], trial["score"])).collect();
    assert_eq!(outcomes.len(), 28);
    assert!(
        outcomes.iter().any(|one| one.contains("passed"))
            && outcomes.iter().any(|one| one.contains("failed"))
    );
    outcomes
}

#[test]
fn a_change_of_every_key_is_reported_or_neutral() {
    let [expectations, scenarios, configurations] = keys();
    // Providers in the configuration have the same keys as in a scenario, plus whom to trust; rules are the same.
    let shared = |path: &&String| {
        *path != "always.name" && (!path.starts_with("providers.NAME.") || path.ends_with("trustedOrigins"))
    };
    let configurations: Vec<_> = configurations.iter().filter(shared).cloned().collect();
    let shared = |path: &&String| !path.starts_with("cases.redaction.");
    let scenarios: Vec<_> = scenarios.iter().filter(shared).cloned().collect();
    agree(&expectations, &[EXPECTATIONS, OF_CONVERSATIONS].concat());
    agree(&scenarios, &[SCENARIOS, PROVIDER_CONFIGS, CONVERSATIONS].concat());
    agree(&configurations, CONFIGURATIONS);
    let (mut reasons, mut neutral): (BTreeMap<_, usize>, usize) = (BTreeMap::new(), 0);
    for (rows, files) in TABLES {
        for (key, change) in rows {
            match change {
                Weaker(before, now) | Passes(before, now, _) => {
                    let (before, now) = (files(before), files(now));
                    assert!(found(&before, &now) > 0, "{key}: not reported\n{before:?}\n{now:?}");
                    assert_eq!(found(&before, &before), 0, "{key}: the files are equal");
                }
                Neutral(reason, before, now) => {
                    let (before, now) = (files(before), files(now));
                    assert_eq!(found(&before, &now), 0, "{key}");
                    assert_eq!(verdicts(&before), verdicts(&now), "{key}");
                    *reasons.entry(*reason).or_default() += 1;
                    neutral += 1;
                }
            }
        }
    }
    let talks: [(&[(&str, Key)], Make); 2] =
        [(OF_CONVERSATIONS, conversations::conversing), (CONVERSATIONS, conversations::case)];
    for (rows, files) in talks {
        for (key, change) in rows {
            let (before, now, is_weaker) = match change {
                Weaker(before, now) | Passes(before, now, _) => (files(before), files(now), true),
                Neutral(_, before, now) => (files(before), files(now), false),
            };
            assert_eq!(found(&before, &now) > 0, is_weaker, "{key}\n{before:?}\n{now:?}");
            assert_eq!(found(&before, &before), 0, "{key}: the files are equal");
        }
    }
    assert!(neutral <= 48, "{neutral} keys are neutral: {reasons:?}");
}

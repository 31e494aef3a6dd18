//! A run stored by version 0.1 (`akit.run/1`): every command reports the same about it, in today's words.
//!
//! `version1/run.json` was written by version 0.1 itself; in the expected outputs next to it, the wording has changed, and
//! `history` lists only what is clearly slow or expensive. The run has cases that pass, fail and are errored, verdicts of a judge, confirmations, redacted text and
//! tool calls.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::{Ran, repository};

/// A folder with the stored run and its suite.
fn stored(arguments: &[&str]) -> Akit {
    Akit::new(arguments).copy("tests/cli/version1", ".")
}

/// An expected output.
fn expected(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/cli/version1").join(name)).unwrap()
}

/// The output without tool calls (version 0.1 stored but did not show them), and the calls.
fn without_calls(stdout: &str) -> (String, Vec<&str>) {
    let (calls, others): (Vec<_>, Vec<_>) =
        stdout.split_inclusive('\n').partition(|line| line.starts_with("  tool call: "));
    (others.concat(), calls)
}

#[test]
fn the_tool_calls_of_a_run_of_version_1_are_shown() {
    let calls = [
        "  tool call: refund {\"order\":\"NW-1\"}\n",
        "  tool call: refund {\"order\":\"NW-5512\"}\n",
        "  tool call: note \"not json\"\n",
    ];
    for (command, exit) in [("gate", 1), ("report", 0)] {
        let ran = stored(&[command, "run.json"]).run().ended(exit);
        assert_eq!(without_calls(&ran.stdout).1, calls, "{command}");
    }
}

#[test]
fn reports_of_a_run_of_version_1_stay_the_same() {
    for (arguments, exit, name) in [
        (vec!["gate", "run.json"], 1, "gate.txt"),
        (vec!["report", "run.json"], 0, "report.txt"),
        (vec!["history", "run.json"], 0, "history.txt"),
        (vec!["compare", "run.json", "run.json"], 0, "compare.txt"),
        (
            vec!["regrade", "run.json", "run.json", "s.yaml", "p.yaml", "--grader-model", "judge"],
            0,
            "regrade.txt",
        ),
    ] {
        let ran = stored(&arguments).run().ended(exit);
        assert_eq!(without_calls(&ran.stdout).0, expected(name), "{arguments:?}");
    }
    // New cases that failed in every trial may still be cleared.
    let asked = stored(&["prompts", "s.yaml", "p.yaml", "--suspects", "run.json"]).run().ended(0);
    assert_eq!(asked.stdout.matches("\"trial\":2").count(), 3, "{}", asked.stdout);
}

#[test]
fn a_baseline_of_a_run_of_version_1_is_the_same() {
    let ran: Ran =
        stored(&["baseline", "update", "run.json", "--baseline", "new.json", "--force"]).run().ended(0);
    assert_eq!(ran.read("new.json"), expected("baseline.json"));
}

/// The stored run in version 2.
fn as_version_2(mut run: Json) -> Json {
    run["schema"] = "akit.run/2".into();
    for case in run["cases"].as_array_mut().unwrap() {
        for trial in case["trials"].as_array_mut().unwrap() {
            let trial = trial.as_object_mut().unwrap();
            let (answer, verdict) = (trial.remove("reply"), trial.remove("verdict"));
            let mut turn = json!({});
            if let Some(answer) = answer {
                turn["answer"] = answer;
            }
            if let Some(verdict) = verdict {
                turn["verdicts"] = json!([verdict]);
            }
            if turn != json!({}) {
                trial.insert("turns".to_owned(), json!([turn]));
            }
        }
    }
    run
}

/// Adds a key of a newer akit to every object, except in the arguments of tool calls, which come from the model.
fn extend(value: &mut Json) {
    match value {
        Json::Object(entries) => {
            entries.iter_mut().filter(|(key, _)| *key != "arguments").for_each(|(_, value)| extend(value));
            entries.insert("of_a_newer_akit".to_owned(), json!({ "a": [1, "b"] }));
        }
        Json::Array(items) => items.iter_mut().for_each(extend),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[test]
fn the_same_run_in_version_2_is_the_same_and_may_have_keys_of_a_newer_akit() {
    let ran = stored(&["gate", "run.json"]).run();
    let mut run = as_version_2(ran.json("run.json"));
    extend(&mut run);
    assert_eq!(run["cases"][0]["trials"][0]["turns"][0]["answer"]["of_a_newer_akit"]["a"][0], 1);
    std::fs::write(ran.path("run.json"), run.to_string()).unwrap();
    for (arguments, exit, name) in [
        (["gate", "run.json"].as_slice(), 1, "gate.txt"),
        (&["report", "run.json"], 0, "report.txt"),
        (&["history", "run.json"], 0, "history.txt"),
        (&["compare", "run.json", "run.json"], 0, "compare.txt"),
    ] {
        let ran = ran.then(arguments).run().ended(exit);
        assert_eq!(without_calls(&ran.stdout).0, expected(name), "{arguments:?}");
    }
}

#[test]
fn a_run_of_version_1_is_written_as_version_2() {
    let ran = stored(&["gate", "run.json", "--json", "new.json"]).run().ended(1);
    let mut new = ran.json("new.json");
    let mut old = as_version_2(ran.json("run.json"));
    for run in [&mut new, &mut old] {
        // The decision is made by the command.
        run.as_object_mut().unwrap().remove("decision");
    }
    assert_eq!(new, old);
}

#[test]
fn a_run_of_an_unknown_version_is_an_error() {
    let ran = stored(&["gate", "run.json"]).run();
    for (schema, why) in [
        (
            "akit.run/3",
            "its schema is `akit.run/3`; this version of akit reads `akit.run/2` and `akit.run/1`",
        ),
        ("akit.run", "its schema is `akit.run`; this version of akit reads"),
    ] {
        let mut run = as_version_2(ran.json("run.json"));
        run["schema"] = schema.into();
        std::fs::write(ran.path("odd.json"), run.to_string()).unwrap();
        for command in ["gate", "report", "history"] {
            ran.then(&[command, "odd.json"]).run().ended(2).err(why);
        }
    }
}

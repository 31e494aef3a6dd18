//! Edited stored runs: every command that reads one refuses it.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};

/// A run in which `a` passed and `b` failed, and a baseline of it.
fn stored() -> Ran {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a"), ("b", "no")]))
        .run()
        .ended(1);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json", "--force"]).run().ended(0);
    ran
}

/// Writes `odd.json`: the run with one change.
fn odd(ran: &Ran, change: impl Fn(&mut Json)) {
    let mut run = ran.json("run.json");
    change(&mut run);
    std::fs::write(ran.path("odd.json"), run.to_string()).unwrap();
}

/// Every command that reads a stored run, once for each place where it takes one.
fn readers(file: &str) -> Vec<Vec<&str>> {
    let accept = ["baseline", "accept", "s/a", "--reason", "r", "--run", file, "--baseline", "b.json"];
    vec![
        vec!["gate", file],
        vec!["report", file],
        vec!["comment", file],
        vec!["compare", file, "run.json"],
        vec!["compare", "run.json", file],
        vec!["regrade", file, "run.json", "s.yaml"],
        vec!["regrade", "run.json", file, "s.yaml"],
        vec!["prompts", "s.yaml", "--suspects", file],
        vec!["baseline", "update", file, "--baseline", "b.json"],
        vec!["baseline", "update", file, "--baseline", "b.json", "--force"],
        accept.to_vec(),
    ]
}

/// Asserts that every command that reads `odd.json` exits with 2 and says why.
#[track_caller]
fn refused(ran: &Ran, why: &str) {
    let before = ran.read("b.json");
    for arguments in readers("odd.json") {
        let output = ran.then(&arguments).run().ended(2).err("`odd.json` is not a stored run").err(why);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    assert_eq!(ran.read("b.json"), before);
    ran.then(&["history", "odd.json", "run.json"]).run().ended(2).err(why);
    ran.then(&["history", "odd.json"]).run().ended(2).err("odd.json");
}

#[test]
fn a_missing_stored_run_is_the_same_error_in_every_command() {
    let ran = stored();
    let mut commands = readers("none.json");
    commands.extend([vec!["history", "none.json"], vec!["history", "run.json", "none.json"]]);
    let with_history = ["--html", "h.html", "--history", "none.json"];
    commands.push([&["gate", "run.json"], &with_history[..]].concat());
    commands.push([&["run", "s.yaml", "--replies", "r.jsonl"], &with_history[..]].concat());
    for arguments in commands {
        let output = ran.then(&arguments).run().ended(2).err("no such file").err("`none.json`").err("help: ");
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    for arguments in [&["show"][..], &["diff", "none.json", "b.json"]] {
        let at = ["--baseline", "none.json"];
        let at = if arguments == ["show"] { &at[..] } else { &[] };
        ran.then(&[&["baseline"], arguments, at].concat()).run().ended(2).err("no such file: `none.json`");
    }
}

#[test]
fn an_outcome_that_contradicts_its_trials_is_refused() {
    let ran = stored();
    for outcome in ["passed", "errored", "skipped"] {
        odd(&ran, |run| run["cases"][1]["outcome"] = json!(outcome));
        refused(&ran, "the result of s/b does not match its trials");
    }
    odd(&ran, |run| run["cases"][0]["trials"] = json!([]));
    refused(&ran, "the result of s/a does not match its trials");
    // The only trial of a failed case is declared a confirmation.
    odd(&ran, |run| run["cases"][1]["trials"][0]["confirmation"] = json!(true));
    refused(&ran, "the result of s/b does not match its trials");
}

/// A trial that passed must have the verdict that passed it.
#[test]
fn a_pass_without_a_verdict_is_refused() {
    let ran = stored();
    for turns in [json!([]), json!([{}]), json!([{ "answer": { "text": "a" } }])] {
        odd(&ran, |run| run["cases"][0]["trials"][0]["turns"] = turns.clone());
        refused(&ran, "s/a was judged, but has no verdict");
    }
}

/// A newer version may use kinds of verdicts that this one does not know.
#[test]
fn a_pass_by_a_verdict_of_an_unknown_kind_is_refused() {
    let ran = stored();
    odd(&ran, |run| run["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["kind"] = json!("tool_called"));
    refused(&ran, "s/a passed an expectation of kind `tool_called`");
    odd(&ran, |run| {
        let inner = run["cases"][0]["trials"][0]["turns"][0]["verdicts"][0].clone();
        run["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["parts"] = json!([inner]);
        run["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["parts"][0]["kind"] = json!("soon");
    });
    refused(&ran, "s/a passed an expectation of kind `soon`");
    // A failing verdict of an unknown kind still fails.
    odd(&ran, |run| run["cases"][1]["trials"][0]["turns"][0]["verdicts"][0]["kind"] = json!("tool_called"));
    ran.then(&["gate", "odd.json"]).run().ended(1).out("1 passed, 1 failed");
}

#[test]
fn a_duplicate_case_is_refused() {
    let ran = stored();
    odd(&ran, |run| {
        let again = run["cases"][0].clone();
        run["cases"].as_array_mut().unwrap().push(again);
    });
    refused(&ran, "it has s/a twice");
    // The same id in another scenario is another case.
    odd(&ran, |run| run["cases"][1]["id"] = json!("a"));
    refused(&ran, "it has s/a twice");
    odd(&ran, |run| {
        run["cases"][1]["id"] = json!("a");
        run["cases"][1]["scenario"] = json!("t");
    });
    ran.then(&["gate", "odd.json"]).run().ended(1).out("1 passed, 1 failed");
}

#[test]
fn messages_about_a_foreign_file_are_short_whatever_it_contains() {
    let ran = stored();
    let long = "x".repeat(100_000);
    for key in ["id", "outcome"] {
        odd(&ran, |run| {
            run["cases"][1]["outcome"] = json!("passed");
            run["cases"][1][key] = json!(long);
        });
        let output = ran.then(&["report", "odd.json"]).run().ended(2).err("`odd.json` is not a stored run");
        assert!(output.stderr.contains("xxx…") && output.stderr.len() < 1_000, "{}", output.stderr.len());
    }
}

#[test]
fn another_kind_of_file_is_named_instead_of_its_missing_keys() {
    let ran = stored();
    for arguments in [&["gate", "b.json"][..], &["report", "b.json"], &["compare", "b.json", "run.json"]] {
        ran.then(arguments)
            .run()
            .ended(2)
            .err("its schema is `akit.baseline/1`; this version of akit reads `akit.run/2` and `akit.run/1`");
    }
    odd(&ran, |run| run["decision"] = json!("passed"));
    ran.then(&["report", "odd.json"]).run().ended(2).err("`odd.json` is not a stored run");
}

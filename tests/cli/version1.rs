//! A run that version 0.1 stored (`akit.run/1`): every command says of it what version 0.1 said.
//!
//! `version1/run.json` was written by version 0.1 itself, and so were the expected outputs beside it. The run has
//! cases that pass, fail and are errored, a judge's verdicts, confirmations, redacted text and tool calls.

use super::Akit;
use super::akit::{Ran, repository};

/// A folder with the stored run and its suite.
fn stored(arguments: &[&str]) -> Akit {
    Akit::new(arguments).copy("tests/cli/version1", ".")
}

/// What version 0.1 printed or wrote.
fn expected(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/cli/version1").join(name)).unwrap()
}

#[test]
fn what_is_said_of_a_run_of_version_1_stays() {
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
        assert_eq!(ran.stdout, expected(name), "{arguments:?}");
    }
    stored(&["prompts", "s.yaml", "--suspects", "run.json"]).run().ended(0).err("that run left no case open");
}

#[test]
fn a_baseline_of_a_run_of_version_1_is_the_same() {
    let ran: Ran =
        stored(&["baseline", "update", "run.json", "--baseline", "new.json", "--force"]).run().ended(0);
    assert_eq!(ran.read("new.json"), expected("baseline.json"));
}

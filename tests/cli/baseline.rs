//! `--baseline` and `akit baseline update`: what passed there must pass here.

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};

/// A baseline in which `a` passed and `b` failed.
fn with_baseline() -> Ran {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a"), ("b", "no")]))
        .run()
        .ended(1);
    ran.then(&["baseline", "update", "run.json", "--baseline", "deep/b.json"])
        .run()
        .ended(0)
        .out("deep/b.json: added 2 judged cases (1 passed, 1 failed); it holds 2 cases");
    ran
}

fn compare(ran: &Ran, pairs: &[(&str, &str)]) -> Ran {
    compare_with(ran, pairs, &[])
}

fn compare_with(ran: &Ran, pairs: &[(&str, &str)], more: &[&str]) -> Ran {
    ran.then(&["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "deep/b.json", "--json", "now.json"])
        .args(more)
        .file("now.jsonl", replies(pairs))
        .run()
}

#[test]
fn only_what_passed_before_and_what_is_new_must_pass() {
    let ran = with_baseline();
    compare(&ran, &[("a", "a"), ("b", "no")]).ended(0).out("failing as before (1): s/b");
    compare(&ran, &[("a", "no"), ("b", "b")])
        .ended(0)
        .out("RESULT: INCONCLUSIVE")
        .out("unconfirmed (1): s/a");
    compare(&ran, &[("a", "a"), ("b", "b")]).ended(0).out("2 cases compared");
    let broken = compare_with(&ran, &[("a", "no"), ("b", "b")], &["--confirm", "0"])
        .ended(1)
        .out("passed in the baseline");
    let report = broken.json("now.json");
    assert_eq!(report["decision"]["breaches"][0]["id"], "regression");
    assert_eq!(report["decision"]["breaches"][0]["location"]["line"], 2);
}

#[test]
fn a_second_update_adds_to_the_first() {
    let ran = with_baseline();
    ran.then(&["baseline", "update", "run.json", "--baseline", "deep/b.json"]).run().ended(0);
    let stored = ran.json("deep/b.json");
    assert_eq!(stored["schema"], "akit.baseline/1");
    let tallies: Vec<_> = stored["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (case["id"].as_str().unwrap(), case["results"].as_str().unwrap()))
        .collect();
    assert_eq!(tallies, [("a", "1"), ("b", "0")], "one run counts once");
}

#[test]
fn a_missing_baseline_warns_and_every_case_must_pass() {
    let run = |reply: &str| {
        Akit::new(&[
            "run",
            "s.yaml",
            "--replies",
            "r.jsonl",
            "--baseline",
            "nowhere.json",
            "--json",
            "run.json",
        ])
        .file("s.yaml", suite(&["a"]))
        .file("r.jsonl", replies(&[("a", reply)]))
        .run()
    };
    let note = "there is no baseline nowhere.json: regressions";
    run("a").ended(0).err(note).err("akit baseline update run.json --baseline FILE").out(note);
    let ran = run("no").ended(1);
    assert_eq!(ran.json("run.json")["decision"]["warnings"][0]["id"], "baseline-missing");
}

#[test]
fn a_baseline_that_cannot_be_used_ends_with_four_before_anything_is_sent() {
    let server = super::server::Server::start(|_| panic!("nothing may be sent"));
    let table: [(&[u8], &str); 6] = [
        (b"", "`b.json` is not a baseline"),
        (b"{\"schema\":\"akit.baseline/9\",\"cases\":[]}", "its schema is `akit.baseline/9`"),
        (b"{\"schema\":\"akit.run/1\"}", "`b.json` is not a baseline"),
        (b"[]", "`b.json` is not a baseline"),
        (b"\0\0", "binary file"),
        (b"{\"schema\":\"akit.baseline/1\",\"cases\":[],\"more\":1}", "unknown field `more`"),
    ];
    for (content, expected) in table {
        let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--baseline", "b.json", "--json", "run.json"])
            .args(&["--base-url", &server.url])
            .file("s.yaml", suite(&["a"]))
            .file("b.json", content)
            .run()
            .ended(4)
            .err(expected)
            .err("nothing was sent");
        assert!(ran.stdout.is_empty() && !ran.path("run.json").exists());
    }
    Akit::new(&["run", "s.yaml", "-m", "m", "--baseline", "folder", "--base-url", &server.url])
        .file("s.yaml", suite(&["a"]))
        .file("folder/x", "")
        .run()
        .ended(4)
        .err("folder");
    assert!(server.asked().is_empty());
}

#[test]
fn an_update_takes_only_stored_runs() {
    let ran = with_baseline();
    let before = ran.read("deep/b.json");
    let update =
        |run: &str, baseline: &str| ran.then(&["baseline", "update", run, "--baseline", baseline]).run();
    update("nowhere.json", "deep/b.json").ended(2).err("there is no file `nowhere.json`");
    update("r.jsonl", "deep/b.json").ended(2).err("`r.jsonl` is not a stored run");
    update("deep/b.json", "deep/b.json").ended(2).err("`deep/b.json` is not a stored run");
    update("run.json", "run.json").ended(2).err("`run.json` is not a baseline");
    update("run.json", "s.yaml/b.json").ended(2).err("s.yaml/b.json");
    update("run.json", "deep").ended(2).err("deep");
    assert_eq!(ran.read("deep/b.json"), before);
    assert_eq!(std::fs::read_dir(ran.path("deep")).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn errored_cases_change_nothing_and_changed_cases_start_anew() {
    let ran = with_baseline();
    compare(&ran, &[("a", "a")]).ended(4);
    ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"])
        .run()
        .ended(0)
        .out("1 case could not be judged and changed nothing");
    assert_eq!(ran.json("deep/b.json")["cases"][0]["results"], "1x2");
    assert_eq!(ran.json("deep/b.json")["cases"][1]["results"], "0");

    let changed = suite(&["a", "b"]).replacen("Say", "Please say", 1);
    let ran = ran
        .then(&["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "deep/b.json", "--json", "now.json"])
        .file("s.yaml", changed)
        .file("now.jsonl", replies(&[("a", "no"), ("b", "b")]))
        .run()
        .ended(1)
        .out("was changed and fails");
    ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"]).run().ended(0);
    let case = &ran.json("deep/b.json")["cases"][0];
    assert_eq!(case["results"], "- - 0");
}

#[test]
fn cases_that_went_away_are_told() {
    let ran = with_baseline();
    let now = ran
        .then(&["run", "s.yaml", "--replies", "r.jsonl", "--baseline", "deep/b.json", "--json", "now.json"])
        .file("s.yaml", suite(&["a", "new"]))
        .file("r.jsonl", replies(&[("a", "a"), ("new", "no")]))
        .run()
        .ended(1)
        .out("is new and fails");
    assert_eq!(now.json("now.json")["decision"]["compared"]["removed"][0], "s/b");
}

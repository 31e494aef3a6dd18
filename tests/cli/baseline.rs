//! `--baseline` and `akit baseline update`: what passed before must still pass.

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
    let first = ["baseline", "update", "run.json", "--baseline", "deep/b.json"];
    ran.then(&first).run().ended(1).err("failed its gate").err("`--force`");
    assert!(!ran.path("deep/b.json").exists());
    ran.then(&first)
        .arg("--force")
        .run()
        .ended(0)
        .out("deep/b.json: added 2 judged cases (1 of 2 trials passed); it has 2 cases of 1 run");
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
        .ended(5)
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

/// Stores another run with these answers under a name.
fn another(ran: &Ran, name: &str, answers: &[(&str, &str)]) {
    let replies_name = format!("{name}.jsonl");
    ran.then(&["run", "s.yaml", "--min-pass-rate", "0", "--replies", &replies_name, "--json", name])
        .file(&replies_name, replies(answers))
        .run()
        // A run with no passing case fails whatever the limit is.
        .ended(i32::from(answers.iter().all(|(_, answer)| *answer == "no")));
}

/// `id results` of each stored case.
fn results(ran: &Ran, name: &str) -> Vec<String> {
    let stored = ran.json(name);
    let cases = stored["cases"].as_array().unwrap();
    cases.iter().map(|case| format!("{} {}", case["id"], case["results"]).replace('"', "")).collect()
}

#[test]
fn a_second_update_adds_to_the_first_and_the_same_run_adds_nothing() {
    let ran = with_baseline();
    another(&ran, "two.json", &[("a", "a"), ("b", "b")]);
    let update = |run: &str| ran.then(&["baseline", "update", run, "--baseline", "deep/b.json"]);
    update("two.json").env("GITHUB_SHA", "c0ffee").run().ended(0).out("it has 2 cases of 2 runs");
    assert_eq!(ran.json("deep/b.json")["schema"], "akit.baseline/1");
    assert_eq!(ran.json("deep/b.json")["runs"][1]["commit"], "c0ffee");
    assert_eq!(results(&ran, "deep/b.json"), ["a 1x2", "b 0 1"]);
    let before = ran.read("deep/b.json");
    update("two.json").run().ended(0).out("is already in it; nothing changed");
    assert_eq!(ran.read("deep/b.json"), before);
}

#[test]
fn updates_at_once_lose_nothing() {
    let ran = with_baseline();
    let names: Vec<_> = (0..6).map(|index| format!("r{index}.json")).collect();
    for name in &names {
        another(&ran, name, &[("a", &format!("a {name}")), ("b", "no")]);
    }
    let start = |name: &String| {
        ran.then(&["baseline", "update", name, "--baseline", "deep/b.json"]).command().spawn().unwrap()
    };
    let children: Vec<_> = names.iter().map(start).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(results(&ran, "deep/b.json"), ["a 1x7", "b 0x7"]);
    assert_eq!(std::fs::read_dir(ran.path("deep")).unwrap().count(), 1, "no other file may be left");
}

#[test]
fn a_renamed_case_keeps_its_trials_and_a_removed_one_is_shown() {
    let ran = with_baseline();
    // The id is part of the prompt, so this renames the case without changing the prompt.
    let text = suite(&["a", "b"]).replacen("- id: \"a\"", "- id: \"new\"", 1);
    ran.then(&["run", "s.yaml", "--replies", "now.jsonl", "--json", "now.json"])
        .file("s.yaml", text)
        .file("now.jsonl", replies(&[("new", "a"), ("b", "b")]))
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "now.json", "--baseline", "new.json"]).run().ended(0);
    ran.then(&["baseline", "diff", "deep/b.json", "new.json"])
        .run()
        .ended(0)
        .out("added (1): s/new")
        .out("removed (1): s/a")
        .out("other trials (1): s/b 0/1 -> 1/1");
    ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"])
        .run()
        .ended(0)
        .out("renamed (1): s/a is now s/new");
    assert_eq!(results(&ran, "deep/b.json"), ["b 0 1", "new 1x2"]);
    ran.then(&["baseline", "diff", "deep/b.json", "deep/b.json"])
        .run()
        .ended(0)
        .out("no difference in 2 cases");
}

#[test]
fn an_accepted_change_is_dropped_or_replaced_and_its_reason_kept() {
    let ran = with_baseline();
    let accept = |arguments: &[&str]| {
        ran.then(&["baseline", "accept", "--baseline", "deep/b.json", "--reason", "new tone"])
            .args(arguments)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .run()
    };
    let before = ran.read("deep/b.json");
    accept(&["s/aa"]).ended(3).err("no case `s/aa`").err("did you mean `s/a`?");
    accept(&["s/a", "x/*"]).ended(3).err("no case `x/*`");
    accept(&["s/[a"]).ended(2).err("is not a glob");
    ran.then(&["baseline", "accept", "s/a", "--baseline", "deep/b.json"]).run().ended(2).err("--reason");
    ran.then(&["baseline", "accept", "s/a", "--reason", " "]).run().ended(2).err("the reason is empty");
    assert_eq!(ran.read("deep/b.json"), before);

    accept(&["s/a", "--by", "Ada"]).ended(0).out("new until the next update (1): s/a");
    assert_eq!(results(&ran, "deep/b.json"), ["b 0"]);
    let note = &ran.json("deep/b.json")["accepted"][0];
    assert_eq!(
        note.to_string(),
        r#"{"at":"2023-11-14T22:13:20Z","by":"Ada","cases":["s/a"],"reason":"new tone"}"#
    );
    compare(&ran, &[("a", "no"), ("b", "no")]).ended(1).out("is new and fails");

    another(&ran, "two.json", &[("a", "no"), ("b", "no")]);
    accept(&["*", "--run", "two.json"]).ended(0).out("reset to the trials of the run (2): s/a, s/b");
    assert_eq!(results(&ran, "deep/b.json"), ["a - 0", "b - 0"]);
    compare(&ran, &[("a", "no"), ("b", "no")]).ended(1).out("nothing-passed");
    ran.then(&["baseline", "show", "--baseline", "deep/b.json"])
        .run()
        .ended(0)
        .out("deep/b.json: 2 cases of 2 runs")
        .out("s: answered by replies in")
        .out("  s/a      0/1  thin  accepted: new tone")
        .out("2 cases with fewer than 3 trials")
        .out("accepted by Ada at 2023-11-14T22:13:20Z: s/a: new tone");
    let shown = ran.then(&["baseline", "show", "--json", "-", "--baseline", "deep/b.json"]).run().ended(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["cases"][1]["trials"], &shown["cases"][1]["thin"]), (&1.into(), &true.into()));
}

#[test]
fn a_new_system_prompt_starts_an_epoch_of_the_same_case() {
    let server = super::server::Server::start(|_| super::server::Answer::Text("a".to_owned()));
    let text = |system: &str, own: &str| {
        format!("setup: {{ systemPrompt: {system:?} }}\n{}", suite(&["a"]).replacen("Say", own, 1))
    };
    let run = |before: Option<&Ran>, name: &str, scenario: &str| {
        let arguments = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", name];
        let akit = before.map_or_else(|| Akit::new(&arguments), |ran| ran.then(&arguments));
        akit.file("s.yaml", scenario).run().ended(0)
    };
    let ran = run(None, "1.json", &text("Be kind.", "Say"));
    run(Some(&ran), "2.json", &text("Be brief.", "Say"));
    run(Some(&ran), "3.json", &text("Be brief.", "Please say"));
    let of = |name: &str, part: &str| ran.json(name)[part][0].clone();
    let hash = |name: &str| of(name, "scenarios")["target_hash"].as_str().unwrap().to_owned();
    assert_eq!(hash("1.json").len(), 16);
    assert_ne!(hash("1.json"), hash("2.json"));
    assert_eq!(hash("2.json"), hash("3.json"));
    assert_eq!(of("1.json", "cases")["content_hash"], of("2.json", "cases")["content_hash"]);
    assert_ne!(of("2.json", "cases")["content_hash"], of("3.json", "cases")["content_hash"]);
    let update = |name: &str| ran.then(&["baseline", "update", name]).run().ended(0);
    update("1.json");
    update("2.json")
        .out("reset: s: the application openai m at")
        .out("a different system prompt, parameters or tools");
    update("3.json").out("reset, because what they ask or expect has changed (1): s/a");
    assert_eq!(results(&ran, "akit-baseline.json"), ["a -x2 1"]);
}

#[test]
fn a_missing_baseline_is_an_error_if_it_was_named() {
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
    let note = "no baseline `nowhere.json`: regressions";
    let ran = run("a")
        .ended(4)
        .err("no nowhere.json: regressions are not checked")
        .err("akit baseline update run.json --baseline nowhere.json`")
        .out(note);
    // The stored run is valid and can start the baseline.
    ran.then(&["baseline", "update", "run.json", "--baseline", "nowhere.json"]).run().ended(0);
    // Without a baseline, a failing case fails the gate.
    let ran = run("no").ended(1);
    let ids: Vec<_> = ran.json("run.json")["decision"]["breaches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        ids.contains(&"baseline-missing".to_owned()) && ids.contains(&"case-failed".to_owned()),
        "{ids:?}"
    );
}

#[test]
fn an_unusable_baseline_is_an_error_before_anything_is_sent() {
    let server = super::server::Server::start(|_| panic!("nothing may be sent"));
    let odd = br#"{"schema":"akit.baseline/1","cases":[{"scenario":"s","id":"a","content_hash":"h","results":"7"}]}"#;
    let table: [(&[u8], &str); 7] = [
        (odd, "invalid result `7`"),
        (b"", "`b.json` is not a baseline"),
        (b"{\"schema\":\"akit.baseline/9\",\"cases\":[]}", "its schema is `akit.baseline/9`"),
        (b"{\"schema\":\"akit.run/1\"}", "`b.json` is not a baseline"),
        (b"[]", "`b.json` is not a baseline"),
        (b"\0\0", "is binary"),
        (b"{\"schema\":\"akit.baseline/1\",\"cases\":[],\"more\":1}", "unknown key `more`"),
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
    update("nowhere.json", "deep/b.json").ended(2).err("no such file: `nowhere.json`");
    update("r.jsonl", "deep/b.json").ended(2).err("`r.jsonl` is not a stored run");
    update("deep/b.json", "deep/b.json").ended(2).err("`deep/b.json` is not a stored run");
    update("run.json", "run.json").ended(2).err("`run.json` is not a baseline");
    update("run.json", "s.yaml/b.json").ended(2).err("s.yaml/b.json");
    update("run.json", "deep").ended(2).err("deep");
    assert_eq!(ran.read("deep/b.json"), before);
    assert_eq!(std::fs::read_dir(ran.path("deep")).unwrap().count(), 1, "no other file may be left");
}

#[test]
fn a_regressed_run_is_added_only_with_force() {
    let ran = with_baseline();
    compare_with(&ran, &[("a", "no"), ("b", "b")], &["--confirm", "0"]).ended(1);
    let before = ran.read("deep/b.json");
    let update = |more: &[&str]| {
        ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"]).args(more).run()
    };
    let refused = update(&[]).ended(1).err("regressed").err("the whole run with `--force`");
    assert_eq!((refused.stdout.as_str(), ran.read("deep/b.json")), ("", before));
    update(&["--force"]).ended(0).out("added 2 judged cases");
    assert_eq!(results(&ran, "deep/b.json"), ["a 1 0", "b 0 1"]);
}

#[test]
fn unconfirmed_failures_are_left_out_of_an_update() {
    let ran = with_baseline();
    compare(&ran, &[("a", "no"), ("b", "no")]).ended(1).out("unconfirmed (1): s/a").out("nothing-passed");
    let update = |more: &[&str]| {
        ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"]).args(more).run().ended(0)
    };
    update(&[]).out("added 1 judged case (0 of 1 trial").out("left out, broken, open or degraded (1): s/a");
    assert_eq!(results(&ran, "deep/b.json"), ["a 1", "b 0x2"]);
}

#[test]
fn errored_cases_change_nothing_and_changed_cases_start_over() {
    let ran = with_baseline();
    compare(&ran, &[("a", "a")]).ended(4);
    ran.then(&["baseline", "update", "now.json", "--baseline", "deep/b.json"])
        .run()
        .ended(0)
        .out("1 case could not be judged and changed nothing");
    assert_eq!(results(&ran, "deep/b.json"), ["a 1x2", "b 0"]);

    let changed = suite(&["a", "b"]).replacen("Say", "Please say", 1);
    let ran = ran
        .then(&["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "deep/b.json", "--json", "now.json"])
        .file("s.yaml", changed)
        .file("now.jsonl", replies(&[("a", "no"), ("b", "b")]))
        .run()
        .ended(1)
        .out("was changed and fails");
    let update = ["baseline", "update", "now.json", "--baseline", "deep/b.json"];
    ran.then(&update).run().ended(1).err("does not have 1 failing case: s/a");
    ran.then(&update).arg("--force").run().ended(0);
    assert_eq!(results(&ran, "deep/b.json"), ["a -x2 0", "b 0 - 1"]);
}

#[test]
fn removed_cases_are_reported() {
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

#[test]
fn a_new_judge_discards_no_history_without_force() {
    let server = super::server::Server::start(|asked| {
        let bad = !asked.body["messages"].to_string().contains("Be kind.");
        let score = if bad { 0 } else { 9 };
        super::server::Answer::Text(format!("{{\"reasoning\":\"so\",\"score\":{score}}}"))
    });
    let suite = "name: s\ncases:\n  - { id: a, prompt: p, expected: { type: llm_grader, rubric: Be kind., threshold: 0.7 } }\n";
    let run = |akit: Akit, judge: &str, out: &str, answer: &str| {
        akit.args(&[
            "--replies",
            "r.jsonl",
            "--grader-base-url",
            &server.url,
            "--grader-model",
            judge,
            "--json",
            out,
        ])
        .file("s.yaml", suite)
        .file("r.jsonl", replies(&[("a", answer)]))
        .run()
        .ended(0)
    };
    let ran = run(Akit::new(&["run", "s.yaml"]), "strict", "one.json", "I am sorry.");
    let ran = ran.then(&["baseline", "update", "one.json", "--baseline", "b.json"]).run().ended(0);
    let ran = run(ran.then(&["run", "s.yaml"]), "lenient", "two.json", "I am very sorry.");
    // The second run ended half a second later, and its timestamp has more digits.
    let at = |name: &str, at: &str| {
        let mut stored = ran.json(name);
        let of = if name == "b.json" { &mut stored["runs"][0] } else { &mut stored };
        of["at"] = at.into();
        std::fs::write(ran.path(name), stored.to_string()).unwrap();
    };
    at("b.json", "2026-01-31T10:00:00Z");
    at("two.json", "2026-01-31T10:00:00.500Z");
    let before = ran.read("b.json");
    let update = ["baseline", "update", "two.json", "--baseline", "b.json"];
    let ran = ran.then(&update).run().ended(1).err("would discard results in b.json: s: the judge was");
    assert_eq!(ran.read("b.json"), before, "nothing may be lost");
    let ran = ran.then(&update).arg("--force").run().ended(0).out("reset: s: the judge was");
    assert_ne!(ran.read("b.json"), before);
}

//! Runs that cannot ask again: a failure is not excused without evidence, and the output says how to get it.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};
use super::server::{Answer, Server, completion};

/// A line of recorded answers for each case and trial; each repeats the id, except `no` for the named cases.
pub(super) fn given(ids: &[&str], trials: std::ops::Range<u32>, bad: &[&str]) -> String {
    let line = |id: &&str, trial: u32| {
        let text = if bad.contains(id) { "no" } else { id };
        json!({ "id": id, "trial": trial, "reply": text }).to_string() + "\n"
    };
    ids.iter().flat_map(|id| trials.clone().map(move |trial| line(id, trial))).collect()
}

pub(super) const IDS: [&str; 4] = ["a", "b", "c", "d"];

/// A baseline with this many passing trials of each case, in `b.json`.
pub(super) fn settled(trials: u32) -> Ran {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--json", "then.json"])
        .args(&["--repeat", &trials.to_string()])
        .file("s.yaml", suite(&IDS))
        .file("then.jsonl", given(&IDS, 0..trials, &[]))
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    ran
}

pub(super) const NOW: [&str; 8] =
    ["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "b.json", "--json", "run.json"];

#[test]
fn an_unconfirmed_failure_never_passes_however_long_the_history() {
    for trials in [1, 2, 3, 8, 20] {
        let ran = settled(trials);
        for bad in [&["b"][..], &["a", "d"]] {
            let now = ran.then(&NOW).file("now.jsonl", given(&IDS, 0..1, bad)).run();
            let line = now.stdout.lines().last().unwrap_or_default();
            let fell = line.contains("the suite regressed");
            assert_eq!(now.status, if fell { 1 } else { 5 }, "{trials} {bad:?}: {}", now.stdout);
            // Without the baseline the run fails, and the baseline does not make it pass.
            let alone = now.then(&["run", "s.yaml", "--replies", "now.jsonl"]).run().ended(1);
            assert!(!alone.stderr.contains("akit prompts"));
            assert!(now.stderr.contains("akit prompts --suspects run.json --trials 10"), "{}", now.stderr);
        }
        // Nothing passes at all.
        let now = ran.then(&NOW).file("now.jsonl", given(&IDS, 0..1, &IDS)).run();
        assert!([1, 5].contains(&now.status), "{trials}: {}", now.stdout);
    }
}

#[test]
fn answers_of_suspects_decide_as_live_trials_do() {
    for (answers, status, word) in [("b", 0, "PASS"), ("no", 1, "FAIL")] {
        let ran = settled(8);
        let open = ran.then(&NOW).file("now.jsonl", given(&IDS, 0..1, &["b"])).run().ended(5);
        let ask = ["prompts", "--suspects", "run.json", "--trials", "10"];
        let asked = open.then(&ask).run().ended(0);
        let rows: Vec<Json> = asked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 10);
        assert_eq!(rows[0], json!({ "scenario": "s", "id": "b", "trial": 1, "prompt": "Say b." }));
        assert_eq!(rows[9]["trial"], 10);
        let answer = |row: &Json| json!({ "scenario": row["scenario"], "id": row["id"], "trial": row["trial"], "reply": answers });
        let lines: String = rows.iter().map(|row| answer(row).to_string() + "\n").collect();
        let decided =
            open.then(&NOW).args(&["--replies", "more.jsonl"]).file("more.jsonl", lines).run().ended(status);
        assert!(decided.stdout.contains(&format!("RESULT: {word}")), "{}", decided.stdout);
        // If nothing is open, there is nothing to ask.
        let none = decided.then(&ask).run().ended(0).err("left no case undecided");
        assert_eq!(none.stdout, "");
    }
}

#[test]
fn the_printed_next_step_works() {
    // Answers in a file named by the scenario: new answers are added to that file, one line per printed prompt.
    let given = format!("name: s\nprovider: replies\nproviderConfig: {{ file: now.jsonl }}\n{}", suite(&IDS));
    let ran = settled(8);
    let run = ["run", "g.yaml", "--baseline", "b.json", "--json", "run.json"];
    let open = ran.then(&run).file("g.yaml", &given).file("now.jsonl", self::given(&IDS, 0..1, &["b"])).run();
    let open = open
        .ended(5)
        .err("have your application answer what this command asks, and add the answers to the recorded ones");
    let asked = open.then(&["prompts", "--suspects", "run.json", "--trials", "10"]).run().ended(0);
    let answered = |line: &str| {
        let mut row: Json = serde_json::from_str(line).unwrap();
        row["reply"] = "b".into();
        row.to_string() + "\n"
    };
    let all = open.read("now.jsonl") + &asked.stdout.lines().map(answered).collect::<String>();
    open.then(&run).file("now.jsonl", all).run().ended(0).out("RESULT: PASS");
    // Cached answers: only the application can decide.
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = std::sync::Arc::clone(&broken);
    let server = Server::start(move |asked| {
        let fails = now.load(std::sync::atomic::Ordering::SeqCst) && asked.last_message() == "Say b.";
        Answer::Text(if fails { "no".to_owned() } else { asked.last_message() })
    });
    let url = server.url.as_str();
    let run = ["run", "s.yaml", "-m", "m", "--base-url", url, "--target-version", "1", "--json", "run.json"];
    let ran = Akit::new(&run).file("s.yaml", suite(&IDS)).args(&["--repeat", "8"]).run().ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let record = ran.then(&run).args(&["--cache", "refresh", "--cache-dir", "c"]);
    record.run().ended(1);
    let replay = ran.then(&run).args(&["--replay", "--cache-dir", "c", "--baseline", "b.json"]);
    replay.run().ended(5).err("ask the application, without `--replay`");
}

#[test]
fn files_of_answers_count_as_one_and_may_not_repeat_an_answer() {
    let run = |first: &str, second: &str| {
        Akit::new(&["run", "s.yaml", "--replies", "one.jsonl", "--replies", "two.jsonl"])
            .file("s.yaml", suite(&["a", "b"]))
            .file("one.jsonl", first)
            .file("two.jsonl", second)
            .run()
    };
    run(&replies(&[("a", "a")]), &replies(&[("b", "b")])).ended(0).out("2 passed");
    run(&replies(&[("a", "a")]), &replies(&[("b", "b"), ("a", "a")]))
        .ended(2)
        .err("this is a second answer for case `a`, trial 0")
        .err("--> two.jsonl:2:");
}

#[test]
fn prompts_are_printed_as_they_are_sent() {
    let suite = "name: s\nvariables: { word: hello }\nsetup:\n  systemPrompt: Be {{word}}.\n  functions: [{ name: f }]\ncases:\n  \
        - { id: a, prompt: \"Say {{word}}\", expected: { type: exact, value: x } }\n  \
        - { id: b, tags: [t], prompt: [{ role: user, content: one }, { role: assistant, content: two }, { role: user, content: three }], expected: { type: exact, value: x } }\n";
    let plain = suite.replace("setup:\n  systemPrompt: Be {{word}}.\n  functions: [{ name: f }]\n", "");
    let rows = |text: &str, more: &[&str]| -> Vec<Json> {
        let ran = Akit::new(&["prompts", "s.yaml"]).args(more).file("s.yaml", text).run().ended(0);
        assert_eq!(ran.stderr, "");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = rows(suite, &[]);
    assert_eq!(all.len(), 2);
    let system = json!({ "role": "system", "content": "Be hello." });
    assert_eq!(all[0]["messages"], json!([system, { "role": "user", "content": "Say hello" }]));
    assert_eq!(all[0]["tools"], json!([{ "name": "f" }]));
    assert_eq!(all[1]["messages"][3]["content"], "three");
    let bare = rows(&plain, &["--trials", "2"]);
    assert_eq!(bare[0], json!({ "scenario": "s", "id": "a", "trial": 0, "prompt": "Say hello" }));
    assert_eq!((bare.len(), &bare[1]["trial"], &bare[3]["id"]), (4, &json!(1), &json!("b")));
    assert_eq!(rows(&plain, &["-t", "t"]).len(), 1);
    // Nothing is sent, so no API key is needed to print the prompts.
    let other = format!("provider: anthropic\n{plain}");
    assert_eq!(rows(&other, &[]).len(), 2);
    let wrong = Akit::new(&["prompts", "s.yaml", "--suspects", "r.json"]).file("s.yaml", plain);
    wrong.run().ended(2).err("r.json");
}

/// A recorded suite whose application is at its own address.
fn recorded(version: &[&str]) -> (Ran, Server) {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url])
        .args(version)
        .file("s.yaml", suite(&IDS))
        .run()
        .ended(0);
    assert!(!ran.stdout.contains("from the cache"), "{}", ran.stdout);
    (ran, server)
}

#[test]
fn a_replay_without_a_version_is_not_a_pass() {
    let (ran, server) = recorded(&[]);
    let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "run.json"];
    let replay = ran.then(&run).args(&["--replay"]).run().ended(5);
    let replay =
        replay.out("RESULT: INCONCLUSIVE — 4 passed").out("4 from the cache, 0 asked").out("not-asked");
    assert_eq!(replay.json("run.json")["decision"]["breaches"][0]["id"], "not-asked");
    ran.then(&["gate", "run.json"]).run().ended(5).out("not-asked");
    // `auto` could have asked and did not; a new case does not change that.
    let auto = ran.then(&run).args(&["--cache", "auto"]);
    auto.run().ended(5).out("4 from the cache, 0 asked").out("--cache refresh");
    let more =
        ran.then(&run).args(&["--cache", "auto"]).file("s.yaml", suite(&[&IDS[..], &["new"]].concat()));
    more.run().ended(5).out("4 from the cache, 1 asked").out("not-asked");
    ran.then(&run).args(&["--cache", "refresh"]).run().ended(0).out("RESULT: PASS");
    // Two cases with the same question share the answer that this run received.
    let twice = "name: t\ncases:\n  - { id: a, prompt: q, expected: { type: exact, value: q } }\n  \
                 - { id: b, prompt: q, expected: { type: exact, value: q } }\n";
    let twice = ran.then(&run).args(&["--cache", "auto", "-c", "1"]).file("s.yaml", twice).run().ended(0);
    twice.out("1 from the cache, 1 asked");
    std::fs::write(ran.path("s.yaml"), suite(&IDS)).unwrap();
    // With a version, a replay speaks for exactly that version.
    let (ran, server) = recorded(&["--target-version", "abc123"]);
    let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "run.json", "--replay"];
    let same = ran.then(&run).args(&["--target-version", "abc123"]).run().ended(0);
    let same = same.out("RESULT: PASS").out("4 from the cache, 0 asked");
    assert_eq!(same.json("run.json")["scenarios"][0]["version"], "abc123");
    let other = ran.then(&run).args(&["--target-version", "def456"]).run().ended(4);
    let other = other.out("version: recorded \"abc123\", now \"def456\"");
    other.then(&run).run().ended(4).out("version: recorded \"abc123\", now nothing");
    // The configuration can name the version, too. It may come from a variable, and an empty one does not count.
    let config = "target: { version: \"${COMMIT:-}\" }\n";
    let from = |commit: &str| other.then(&run).file("akit.yaml", config).env("COMMIT", commit).run();
    from("abc123").ended(0);
    from("").ended(4);
    other.then(&[&run[..], &["--target-version", " "]].concat()).run().ended(2).err("the version is empty");
    // The baseline stores which version was run.
    let stored = ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]);
    ran.then(&run).args(&["--target-version", "abc123"]).run().ended(0);
    stored.run().ended(0);
    assert_eq!(ran.json("b.json")["runs"][0]["version"], "abc123");
}

#[test]
fn another_version_is_compared_with_the_baseline_as_the_same_target() {
    let (ran, server) = recorded(&["--target-version", "1", "--json", "one.json"]);
    ran.then(&["baseline", "update", "one.json", "--baseline", "b.json"]).run().ended(0);
    let two = ran
        .then(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--target-version", "2"])
        .args(&["--baseline", "b.json"])
        .run()
        .ended(0)
        .out("4 cases compared");
    assert!(!two.stdout.contains("target-changed"), "{}", two.stdout);
}

/// A judge; a kind one passes every answer, the other one only polite answers.
fn judge(kind: bool) -> Server {
    Server::start(move |asked| {
        let known_bad = !asked.body["messages"][0]["content"].to_string().contains("Be kind");
        let good = kind || asked.last_message().contains("thank you");
        let score = if known_bad || !good { 0 } else { 10 };
        let text = json!({ "reasoning": "so it is", "score": score }).to_string();
        Answer::Raw(200, Vec::new(), completion(&text).to_string().into())
    })
}

#[test]
fn under_another_judge_nothing_is_compared_and_failures_count_as_without_a_baseline() {
    let (strict, lenient) = (judge(false), judge(true));
    let suite = "name: s\ncases:\n  - { id: a, prompt: a, expected: { type: llm_grader, rubric: Be kind } }\n  \
                 - { id: b, prompt: b, expected: { type: llm_grader, rubric: Be kind } }\n";
    let run = |ran: &Ran, url: &str, model: &str, text: &str, more: &[&str]| {
        ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--grader-model", model])
            .args(&["--grader-base-url", url])
            .args(more)
            .file("r.jsonl", replies(&[("a", text), ("b", "thank you")]))
            .run()
    };
    let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite).run().ended(0);
    run(&ran, &strict.url, "strict", "thank you", &[]).ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let against = ["--baseline", "b.json"];
    // First, a lenient judge passes an answer that the strict one would fail, and nothing is compared.
    let passed = run(&ran, &lenient.url, "lenient", "go away", &against).ended(0);
    let passed = passed.out("; 0 of 2 cases could be compared: the judge differs from the baseline's; all 2");
    assert_eq!(passed.json("run.json")["decision"]["compared"]["paired"], 0);
    // Second, a failing verdict of another judge still fails the case.
    let failed = run(&ran, &strict.url, "other", "go away", &against).ended(1);
    failed.out("0 of 2 cases could be compared").out("s/a failed");
}

#[test]
fn a_run_in_which_nothing_passes_fails_whatever_is_excused() {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "no.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(&["a", "b"]))
        .file("no.jsonl", replies(&[("a", "no"), ("b", "no")]))
        .run()
        .ended(1);
    let update = ["baseline", "update", "run.json", "--baseline", "b.json"];
    ran.then(&update).run().ended(1).err("failed its gate").err("--force");
    ran.then(&update).arg("--force").run().ended(0);
    let again = ["run", "s.yaml", "--replies", "no.jsonl", "--baseline", "b.json"];
    ran.then(&again).run().ended(1).out("RESULT: FAIL").out("no answer passed");
    for config in [
        "gate: { fail_on: [] }\n",
        "gate: { fail_on: [threshold] }\n",
        "gate: { min_pass_rate: 0 }\n",
        "gate: { baseline: { thin: warn, unconfirmed: warn } }\n",
    ] {
        for arguments in [&again[..], &again[..4]] {
            ran.then(arguments).file("akit.yaml", config).run().ended(1);
        }
    }
    // A run that could not be judged exits with 4, and one without a selected case with 3.
    ran.then(&["run", "s.yaml", "--replies", "none.jsonl", "--max-error-rate", "1"])
        .file("akit.yaml", "")
        .file("none.jsonl", "")
        .run()
        .ended(4);
    ran.then(&["run", "s.yaml", "--replies", "no.jsonl", "-t", "nobody"]).run().ended(3);
}

#[test]
fn a_suite_does_not_inherit_the_history_of_another_file() {
    let named = |name: &str, id: &str| format!("name: {name}\n{}", suite(&[id, "z"]));
    let run = |ran: &Ran, file: &str, bad: bool, more: &[&str]| {
        let id = if bad { "no" } else { "a" };
        ran.then(&["run", file, "--replies", "r.jsonl", "--json", "run.json"])
            .args(more)
            .file("r.jsonl", replies(&[("a", id), ("z", "z")]))
            .run()
    };
    let files = |smart: &str| {
        Akit::new(&["validate", "fast.yaml"])
            .file("fast.yaml", named("fast", "a"))
            .file(smart, named("smart", "a"))
            .run()
            .ended(0)
    };
    let update = |ran: &Ran| ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run();
    // In the same folder, and in another one as in the jobs of a matrix.
    for smart in ["smart.yaml", "other/smart.yaml"] {
        let ran = files(smart);
        run(&ran, "fast.yaml", false, &[]).ended(0);
        update(&ran).ended(0);
        run(&ran, smart, true, &["--baseline", "b.json"]).ended(1).out("smart/a is new and fails");
        run(&ran, smart, false, &[]).ended(0);
        let both = update(&ran).ended(0);
        assert!(!both.stdout.contains("renamed"), "{}", both.stdout);
        let scenarios: Vec<_> = ran.json("b.json")["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["scenario"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(scenarios, ["fast", "fast", "smart", "smart"]);
    }
    // A scenario renamed in its file keeps its history, and so does a renamed case.
    let ran = files("smart.yaml");
    run(&ran, "fast.yaml", false, &[]).ended(0);
    update(&ran).ended(0);
    std::fs::write(ran.path("fast.yaml"), named("quick", "a")).unwrap();
    run(&ran, "fast.yaml", true, &["--baseline", "b.json"]).ended(5).out("quick/a passed in the baseline");
    std::fs::write(ran.path("fast.yaml"), named("fast", "a").replace("id: \"a\"", "id: \"aa\"")).unwrap();
    let renamed = ran.then(&["run", "fast.yaml", "--replies", "r.jsonl", "--baseline", "b.json"]);
    renamed
        .file("r.jsonl", replies(&[("aa", "no"), ("z", "z")]))
        .run()
        .ended(5)
        .out("fast/aa passed in the baseline");
}

#[test]
fn a_failure_unknown_to_the_baseline_needs_force_to_become_expected() {
    let run = |ran: &Ran, ids: &[&str], bad: &[&str], more: &[&str]| {
        let answers: Vec<_> = ids.iter().map(|id| (*id, if bad.contains(id) { "no" } else { *id })).collect();
        ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .args(more)
            .file("s.yaml", suite(ids))
            .file("r.jsonl", replies(&answers))
            .run()
    };
    let update = ["baseline", "update", "run.json", "--baseline", "b.json"];
    let start = || Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(0);
    let against = ["--baseline", "b.json"];
    // The baseline has some cases and the others fail, whether it knows the scenario's name or not.
    for (first, bad) in [(&["a"][..], &["b"][..]), (&["a", "b"], &["c", "d"]), (&["d"], &["a", "b", "c"])] {
        let ran = start();
        run(&ran, first, &[], &[]).ended(0);
        ran.then(&update).run().ended(0);
        run(&ran, &IDS, bad, &against).ended(1);
        ran.then(&update).run().ended(1).err("does not have").err("--force");
        let again = run(&ran, &IDS, bad, &["--baseline", "b.json", "--seed", "7"]).ended(1);
        assert!(!again.stdout.contains("as in the baseline"), "{}", again.stdout);
        ran.then(&update).arg("--force").run().ended(0);
    }
    // A run that failed for another reason does not start a baseline either, with a different message.
    let ran = start();
    std::fs::write(ran.path("akit.yaml"), "gate: { thresholds: [{ metric: latency_p95_ms, max: 1 }] }\n")
        .unwrap();
    let slow = "{\"id\":\"a\",\"reply\":\"a\",\"latency_ms\":50}";
    ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("r.jsonl", slow)
        .run()
        .ended(1);
    let refused =
        ran.then(&update).run().ended(1).err("is empty").err("start the baseline with a run that passes");
    assert!(!refused.stderr.contains("its failures"), "{}", refused.stderr);
}

#[test]
fn two_files_with_the_same_name_do_not_share_history() {
    let named = |ids: &[&str]| format!("name: A\n{}", suite(ids));
    let run = |ran: &Ran, file: &str, answers: &[(&str, &str)], more: &[&str]| {
        ran.then(&["run", file, "--replies", "r.jsonl", "--json", "run.json"])
            .args(more)
            .file("r.jsonl", replies(answers))
            .run()
    };
    let ran = Akit::new(&["validate", "a.yaml"]).file("a.yaml", named(&["x", "y"])).run().ended(0);
    run(&ran, "a.yaml", &[("x", "no"), ("y", "y")], &[]).ended(1);
    let update = ["baseline", "update", "run.json", "--baseline", "b.json", "--force"];
    ran.then(&update).run().ended(0);
    let copy = named(&["x", "z"]).replace("id: \"x\"", "id: \"x2\"").replace("id: x", "id: x2");
    std::fs::write(ran.path("b.yaml"), copy).unwrap();
    let answers = [("x2", "no"), ("z", "z")];
    run(&ran, "b.yaml", &answers, &["--baseline", "b.json"]).ended(1).out("A/x2 is new and fails");
    // Nor once the other file is in the baseline under the same name.
    run(&ran, "b.yaml", &[("x2", "x"), ("z", "z")], &[]).ended(0);
    ran.then(&update).run().ended(0);
    let third = std::fs::read_to_string(ran.path("b.yaml")).unwrap().replace("x2", "x3");
    std::fs::write(ran.path("c.yaml"), third).unwrap();
    let answers = [("x3", "no"), ("z", "z")];
    run(&ran, "c.yaml", &answers, &["--baseline", "b.json"]).ended(1).out("A/x3 is new and fails");
}

#[test]
fn a_run_whose_every_judged_case_is_in_quarantine_was_not_judged() {
    let list = "- { case: s/a, until: 2999-12-31, reason: known, owner: ana }\n";
    for (text, status) in [("no", 4), ("a", 4)] {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("s.yaml", suite(&["a"]))
            .file("akit.yaml", "gate: { quarantine: q.yaml }\n")
            .file("q.yaml", list)
            .file("r.jsonl", replies(&[("a", text)]))
            .run()
            .ended(status);
    }
}

#[test]
fn every_report_shows_what_fails_the_gate_even_if_the_first_trial_errored() {
    let ran = settled(20);
    // The first answer has an unknown stop reason and later ones are wrong; or none can be read.
    for (later, id, words) in [
        ("no", "regression", "passed in the baseline (20 of 20) and could not be judged now; "),
        (
            "",
            "regression-errored",
            "passed in the baseline (20 of 20) and could not be judged now, in any of ",
        ),
    ] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |request| {
            let message = request.last_message();
            if message != "Say a." {
                return Answer::Text(message);
            }
            let mut body = completion(later);
            if later.is_empty() || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                body["choices"][0]["finish_reason"] = "weird".into();
            }
            Answer::Raw(200, vec![("content-type", "application/json".to_owned())], body.to_string().into())
        });
        let run = ["run", "s.yaml", "-m", "m", "--baseline", "b.json", "--max-error-rate", "0.5"];
        let files =
            ["--json", "run.json", "--markdown", "s.md", "--dotenv", "akit.env", "--sarif", "s.sarif"];
        let done = ran.then(&run).args(&["--base-url", &server.url]).args(&files).run().ended(1);
        let found = done.json("run.json")["decision"]["breaches"][0].clone();
        assert_eq!(
            (found["id"].as_str(), done.json("run.json")["decision"]["cases"][0]["state"].as_str()),
            (Some(id), Some("broken"))
        );
        let sarif = done.json("s.sarif")["runs"][0]["results"][0].clone();
        assert_eq!(
            (sarif["level"].as_str(), sarif["ruleId"].as_str()),
            (Some("error"), Some(&*format!("akit/gate/{id}")))
        );
        assert!(done.read("akit.env").contains("AKIT_REGRESSIONS=1\n") && done.read("s.md").contains(words));
        done.out(words);
    }
}

//! Extra trials of suspect cases: by more answers, by the application, and for all cases if the whole suite is
//! suspect.

use serde_json::{Value as Json, json};

use super::Akit;
use super::evidence::{IDS, NOW, given, settled};
use super::replies::suite;
use super::server::{Answer, Server};

#[test]
fn equal_answers_on_another_day_are_another_run() {
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"];
    let update = ["baseline", "update", "run.json", "--baseline", "b.json"];
    let ran =
        Akit::new(&run).file("s.yaml", suite(&IDS)).file("r.jsonl", given(&IDS, 0..1, &[])).run().ended(0);
    ran.then(&update).run().ended(0).out("it has 4 cases of 1 run");
    // Without a time, identical bytes are the same run, and the message names the flag.
    ran.then(&run).run().ended(0);
    ran.then(&update).run().ended(0).out("is already in it; nothing changed").out("--recorded-at TIME");
    let day = |day: &str| ran.then(&run).args(&["--recorded-at", day]);
    let monday = day("2026-03-02T10:00:00+01:00").run().ended(0);
    assert_eq!(monday.json("run.json")["at"], "2026-03-02T09:00:00Z");
    ran.then(&update).run().ended(0).out("it has 4 cases of 2 runs");
    day("2026-03-02T09:00:00Z").run().ended(0);
    ran.then(&update).run().ended(0).out("is already in it");
    // A line may have its own time; the newest counts, and the flag takes precedence.
    let dated = given(&IDS, 0..1, &[]).replace("\"trial\":0", "\"trial\":0,\"at\":\"2026-03-03T09:00:00Z\"");
    let tuesday = ran.then(&run).file("r.jsonl", dated).run().ended(0);
    assert_eq!(tuesday.json("run.json")["at"], "2026-03-03T09:00:00Z");
    ran.then(&update).run().ended(0).out("it has 4 cases of 3 runs");
    assert_eq!(day("2026-03-04T09:00:00Z").run().json("run.json")["at"], "2026-03-04T09:00:00Z");
    day("yesterday").run().ended(2).err("is not a valid time");
    let live =
        ran.then(&["run", "s.yaml", "-m", "m", "--base-url", "http://127.0.0.1:9/v1", "--recorded-at"]);
    live.args(&["2026-03-04T09:00:00Z"]).run().ended(2).err("add `--replies FILE`");
}

#[test]
fn cases_still_open_after_ten_answers_get_more_trials() {
    let many: Vec<String> = (0..30).map(|n| format!("c{n:02}")).collect();
    let ids: Vec<&str> = many.iter().map(String::as_str).collect();
    let ran = Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--json", "then.json"])
        .file("s.yaml", suite(&ids))
        .file("then.jsonl", given(&ids, 0..1, &[]))
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    // With one baseline trial, two cases with ten failures each prove nothing among five suspects.
    let bad = &ids[..2];
    let now = |trials: std::ops::Range<u32>, name: &str| {
        ran.then(&NOW)
            .file("now.jsonl", given(&ids, 0..1, bad))
            .args(&["--replies", name])
            .file(name, given(bad, 1..trials.end, bad))
    };
    let few = now(1..4, "few.jsonl").run().ended(5).out("(exit code 5)");
    let few = few
        .err("to decide 2 open cases, have your application")
        .err(": `akit prompts --suspects run.json --trials 10");
    let asked = few.then(&["prompts", "--suspects", "run.json", "--trials", "10"]).run().ended(0);
    let rows: Vec<Json> = asked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["trial"], &rows[10]["id"]), (20, &json!(4), &json!("c01")));
    now(1..21, "all.jsonl").run().ended(1).out("on a thin baseline, p = 0.0005");
}

#[test]
fn a_new_case_that_fails_gets_extra_trials() {
    let ran = settled(8);
    let ids = [&IDS[..], &["new"]].concat();
    let server = Server::start({
        let asked = std::sync::atomic::AtomicUsize::new(0);
        move |request| {
            let message = request.last_message();
            let first = message == "Say new." && asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            Answer::Text(if first { "no".to_owned() } else { message })
        }
    });
    let run =
        ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--baseline", "b.json", "--json", "run.json"];
    let done = ran.then(&run).file("s.yaml", suite(&ids)).run().ended(0);
    let done = done.out("RESULT: PASS — 4 passed, 1 failed (1 cleared)").out("1 case failed: 1 cleared");
    let excuses = done.json("run.json")["decision"]["excuses"].clone();
    assert_eq!(
        excuses,
        json!([{ "scenario": "s", "id": "new", "kind": "cleared", "passes": 1, "trials": 1 }])
    );
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_suspicion_about_the_suite_asks_every_case_once_more() {
    let many: Vec<String> = (0..20).map(|n| format!("c{n:02}")).collect();
    let ids: Vec<&str> = many.iter().map(String::as_str).collect();
    let ran =
        Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--repeat", "10", "--json", "then.json"])
            .file("s.yaml", suite(&ids))
            .file("then.jsonl", given(&ids, 0..10, &[]))
            .run()
            .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    // Three cases fail at first and pass the extra trial; then they fail once more, or not.
    for (again, exit, asked) in [(false, 0, 43), (true, 1, 43)] {
        let turns = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
        let server = Server::start(move |request| {
            let message = request.last_message();
            let turn = {
                let mut turns = turns.lock().unwrap();
                let turn = turns.entry(message.clone()).or_default();
                *turn += 1;
                *turn
            };
            let unlucky = ["Say c00.", "Say c01.", "Say c02."].contains(&message.as_str());
            let fails = unlucky && (turn == 1 || (again && turn == 3));
            Answer::Text(if fails { "no".to_owned() } else { message })
        });
        let run = [
            "run",
            "s.yaml",
            "-m",
            "m",
            "--base-url",
            &server.url,
            "--baseline",
            "b.json",
            "--json",
            "run.json",
        ];
        let done = ran.then(&run).run().ended(exit);
        assert_eq!(server.asked().len(), asked, "{}", done.stdout);
        let second = |case: &Json| {
            case["trials"].as_array().unwrap().iter().filter(|one| one["second_round"] == true).count()
        };
        assert!(done.json("run.json")["cases"].as_array().unwrap().iter().all(|case| second(case) == 1));
        // The stored run leads to the same decision.
        done.then(&["gate", "run.json", "--baseline", "b.json"]).run().ended(exit);
        if again {
            done.out("suite-regression: the suite regressed: 85.0% of 20 cases pass");
        }
    }
}

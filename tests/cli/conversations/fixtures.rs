//! The conversations of `fixtures`: recorded with a good and a regressed bot, and run live with the small bot.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value as Json, json};

use super::providers::raw;
use super::reasons;
use crate::Akit;
use crate::akit::repository;
use crate::command::piped;
use crate::server::Server;

fn fixture(name: &str) -> String {
    repository().join("fixtures").join(name).display().to_string()
}

#[test]
fn the_good_bot_passes_without_key_or_network() {
    let ran = Akit::new(&["run"]).arg(fixture("conversations.yaml")).run().ended(0);
    ran.out("RESULT: PASS — 5 passed, 0 failed, 0 errored, 0 skipped");
}

#[test]
fn the_regressed_bot_fails_each_case_for_its_own_reason() {
    let ran = Akit::new(&["run", "--json", "run.json"])
        .arg(fixture("conversations.yaml"))
        .arg("--replies")
        .arg(fixture("conversations-worse.jsonl"))
        .run()
        .ended(1);
    let report = ran.json("run.json");
    let why: BTreeMap<&str, &[&str]> = BTreeMap::from([
        (
            "keeps-the-context",
            &[
                "no_reask failed: answer 2 asks again for `card`",
                "keeps failed: answer 3 (summary) changed a fact",
            ][..],
        ),
        (
            "third-time",
            &[
                "no_loop failed: answer 2 says nearly the same as answer 1",
                "handoff failed: answer 3 (third): no handoff",
            ],
        ),
        ("phantom-handoff", &["handoff failed: answer 2 (rate): phantom handoff"]),
        ("handoff-kept", &["handoff passed", "handoff_kept failed: answer 3 answers after the handoff"]),
        (
            "several-problems",
            &[
                "handoff failed: answer 4: the handoff does not pass on \"4417\", \"240\"",
                "no_reask failed: answer 3 asks again for `card`",
                "tools failed",
                "some_answer failed",
                "every_answer failed: answer 2: `contains` must fail, but it passed",
            ],
        ),
    ]);
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), why.len());
    for case in cases {
        assert_eq!(case["outcome"], "failed", "{}", case["id"]);
        let found = reasons(&case["trials"][0]);
        for part in why[case["id"].as_str().unwrap()] {
            assert!(found.contains(part), "no {part:?} in\n{found}");
        }
    }
}

/// The suite, for a live provider.
fn live(keys: &str) -> Akit {
    Akit::new(&["run", "conversations.yaml", "--json", "run.json"])
        .env("PATH", &std::env::var("PATH").unwrap_or_default())
        .file("conversations.yaml", std::fs::read(fixture("conversations.yaml")).unwrap())
        .file("akit.yaml", keys)
}

#[test]
#[cfg(unix)]
fn the_small_bot_passes_as_a_program_and_its_answers_are_the_recorded_ones() {
    let bot = fixture("bot/bot.sh");
    for keys in ["input: json", "persistent: true"] {
        let keys = format!("providers: {{ command: {{ {keys}, tools: /calls }} }}\n");
        let ran = live(&keys).args(&["-p", "command", "--", &bot, "--json"]).run().ended(0);
        let report = ran.json("run.json");
        let recorded = std::fs::read_to_string(fixture("conversations-good.jsonl")).unwrap();
        for (case, line) in report["cases"].as_array().unwrap().iter().zip(recorded.lines()) {
            let line: Json = serde_json::from_str(line).unwrap();
            assert_eq!(case["id"], line["id"]);
            let mut said = Vec::new();
            for turn in case["trials"][0]["turns"].as_array().unwrap() {
                said.push(json!({ "role": "user", "content": turn["asked"] }));
                let mut answer = json!({ "role": "assistant", "content": turn["answer"]["text"] });
                if let Some(calls) = turn["answer"].get("tool_calls") {
                    answer["tool_calls"] = calls.clone();
                }
                said.push(answer);
            }
            assert_eq!(line["messages"], Json::from(said));
        }
    }
}

#[test]
#[cfg(unix)]
fn the_small_bot_passes_over_http_with_and_without_sessions() {
    let bot = repository().join("fixtures/bot/bot.sh");
    let program = bot.clone();
    let server = Server::plain(move |asked| {
        let line = json!({ "messages": asked.body["all"], "prompt": asked.body["text"], "tools": [] });
        raw(&serde_json::from_str(&piped(&program, &["--json"], &format!("{line}\n"))).unwrap())
    });
    let keys = format!(
        "providers: {{ http: {{ url: \"{}/chat\", body: {{ text: \"{{{{prompt}}}}\", all: \"{{{{messages}}}}\" }}, answer: /answer, tools: /calls }} }}\n",
        server.url
    );
    live(&keys).args(&["-p", "http"]).run().ended(0);
    // A server that gets only new messages and keeps the rest by conversation id.
    let known = Mutex::new(BTreeMap::<String, Vec<Json>>::new());
    let server = Server::plain(move |asked| {
        let mut known = known.lock().unwrap();
        let said = known.entry(asked.body["id"].as_str().unwrap().to_owned()).or_default();
        said.push(json!({ "role": "user", "content": asked.body["text"] }));
        let line = json!({ "messages": said, "prompt": asked.body["text"], "tools": [] });
        let answer: Json = serde_json::from_str(&piped(&bot, &["--json"], &format!("{line}\n"))).unwrap();
        said.push(json!({ "role": "assistant", "content": answer["answer"] }));
        raw(&answer)
    });
    let keys = format!(
        "providers: {{ http: {{ url: \"{}/chat\", body: {{ id: \"{{{{conversation_id}}}}\", text: \"{{{{prompt}}}}\" }}, answer: /answer, tools: /calls, stateful: true }} }}\n",
        server.url
    );
    live(&keys).args(&["-p", "http", "--repeat", "2", "-c", "4"]).run().ended(0);
}

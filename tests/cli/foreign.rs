//! `--replies` of files that know no ids: results of promptfoo, and OpenAI's conversations.

use serde_json::{Value as Json, json};

use super::Akit;
use super::replies::outcomes;

const SUITE: &str = "\
name: s
cases:
  - { id: refund-1, name: Asks for a refund, prompt: \"Refund {{order}}\", variables: { order: NW-1 }, expected: { type: exact, value: one } }
  - { id: refund-2, prompt: \"Refund {{order}}\", variables: { order: NW-2 }, expected: { type: exact, value: two } }
  - { id: hello, prompt: Hello!, expected: { type: exact, value: three } }
";

fn result(
    description: impl Into<Json>,
    vars: impl Into<Json>,
    prompt: &str,
    output: impl Into<Json>,
) -> Json {
    let (description, vars, output): (Json, Json, Json) = (description.into(), vars.into(), output.into());
    json!({
        "testCase": { "description": description, "vars": vars }, "vars": vars, "prompt": { "raw": prompt, "label": "p" },
        "provider": { "id": "file://bot.py" }, "latencyMs": 41.6, "cost": 0.5, "success": true,
        "response": { "output": output, "tokenUsage": { "prompt": 3, "completion": 4 } },
    })
}

fn judged(file: &str, text: &str) -> super::akit::Ran {
    Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", file])
        .file("s.yaml", SUITE)
        .file(file, text)
        .run()
}

#[test]
fn results_of_promptfoo_are_matched_by_what_they_say_of_the_test() {
    let all = [
        result(
            json!("Asks for a refund"),
            json!({ "order": "NW-1", "tone": "kind" }),
            "Refund NW-1",
            json!("one"),
        ),
        result(Json::Null, json!({ "order": "NW-2" }), "something else", json!("two")),
        result(
            Json::Null,
            json!({}),
            "[{\"role\":\"system\",\"content\":\"x\"},{\"role\":\"user\",\"content\":\"Hello!\"}]",
            json!("three"),
        ),
    ];
    for results in
        [json!({ "evalId": "e", "results": { "version": 3, "results": all } }), json!({ "results": all })]
    {
        for text in [results.to_string(), serde_json::to_string_pretty(&results).unwrap()] {
            let ran = judged("out.json", &text).ended(0);
            assert_eq!(
                outcomes(&ran.json("run.json")),
                ["refund-1 passed", "refund-2 passed", "hello passed"]
            );
            let run = ran.read("run.json");
            assert!(
                run.contains("\"latency_ms\": 42")
                    && run.contains("\"cost_usd\": 0.5")
                    && run.contains("\"output_tokens\": 4")
            );
        }
    }
}

#[test]
fn what_matches_nothing_is_named_and_what_failed_is_an_error() {
    let mut failed = result(Json::Null, json!({ "order": "NW-2" }), "Refund NW-2", Json::Null);
    failed["error"] = "timeout".into();
    let all = [
        result(json!("Asks for a refund"), json!({}), "Refund NW-1", json!("one")),
        failed,
        result(json!("Somebody else"), json!({ "order": "NW-9" }), "Refund NW-9", json!("x")),
    ];
    let ran = judged("out.json", &json!({ "results": { "results": all } }).to_string()).ended(4);
    assert_eq!(outcomes(&ran.json("run.json")), ["refund-1 passed", "refund-2 errored", "hello errored"]);
    assert!(ran.stderr.contains("result 3 (`Somebody else`)"), "{}", ran.stderr);
    let errors: Vec<Json> = ran.json("run.json")["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["trials"][0]["fault"]["kind"].clone())
        .collect();
    assert_eq!(errors[1..], [json!("broken-answer"), json!("no-reply")]);
    // A repeated test is another trial, and one with several prompts is that of the case's prompt.
    let twice = [
        result(json!("hello"), json!({}), "Hello!", json!("three")),
        result(json!("hello"), json!({}), "Hi!", json!("bad")),
        result(json!("hello"), json!({}), "Hello!", json!("no")),
    ];
    let ran = Akit::new(&[
        "run",
        "s.yaml",
        "--case",
        "hello",
        "--repeat",
        "3",
        "--json",
        "run.json",
        "--replies",
        "out.json",
    ])
    .file("s.yaml", SUITE)
    .file("out.json", json!({ "results": { "results": twice } }).to_string())
    .run()
    .ended(1);
    let run = ran.json("run.json");
    let case = run["cases"].as_array().unwrap().iter().find(|case| case["id"] == "hello").unwrap();
    assert_eq!(case["trials"].as_array().unwrap().len(), 2, "{case}");
    // Answers of two applications are not those of one.
    let mut other = result(Json::Null, json!({}), "Hello!", json!("three"));
    other["provider"]["id"] = "openai:gpt".into();
    let both =
        json!({ "results": { "results": [result(Json::Null, json!({}), "Hello!", json!("no")), other] } });
    judged("out.json", &both.to_string()).ended(2).err("results of several providers (`file://bot.py`");
    let empty = json!({ "results": { "results": [{ "prompt": { "raw": "Hello!" } }] } });
    judged("out.json", &empty.to_string()).ended(2).err("result 1: there is no `response.output` in it");
}

#[test]
fn conversations_without_an_id_are_matched_by_what_was_asked() {
    let line = |asked: &str, said: &str| {
        json!({ "messages": [{ "role": "system", "content": "x" }, { "role": "user", "content": asked }, { "role": "assistant", "content": said }] }).to_string() + "\n"
    };
    let text = [
        line("Hello!", "three"),
        line("Refund NW-1", "one"),
        line("Refund NW-2", "two"),
        line("Nobody asks this", "x"),
    ]
    .concat();
    let ran = judged("chats.jsonl", &text).ended(0);
    assert_eq!(outcomes(&ran.json("run.json")), ["refund-1 passed", "refund-2 passed", "hello passed"]);
    assert!(ran.stderr.contains("line 4 (`Nobody asks this`)"), "{}", ran.stderr);
    judged("chats.jsonl", "{\"reply\": \"x\"}\n").ended(2).err("`id` is missing");
}

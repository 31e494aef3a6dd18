//! Functions that a scenario declares and simulates, round by round, and handoffs to people.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Asked, Server};

const SETUP: &str = "\
name: s
setup:
  max_tool_rounds: 2
  functions:
    - name: find_order
      description: Finds an order.
      parameters: { type: object }
      returns:
        - { with: { order: NW-1 }, give: { status: lost } }
        - { with: { type: object, properties: { order: { pattern: ^NW-2 } }, required: [order] }, give: no such order }
    - { name: transfer_to_human }
";

fn suite(expected: &str) -> String {
    format!("{SETUP}cases:\n  - {{ id: a, prompt: Where is it?, expected: {expected} }}\n")
}

/// A completion with function calls.
fn calling(text: &str, calls: &[(&str, Json)]) -> Answer {
    let calls = calls.iter().enumerate().map(|(at, (name, arguments))| {
        json!({ "id": format!("id_{name}_{at}"), "type": "function",
                "function": { "name": name, "arguments": arguments.to_string() } })
    });
    let message = json!({ "content": text, "tool_calls": calls.collect::<Vec<_>>() });
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5 });
    let body = json!({ "choices": [{ "finish_reason": "tool_calls", "message": message }], "usage": usage });
    Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
}

/// How many functions have returned so far.
fn returned(asked: &Asked) -> usize {
    let messages = asked.body["messages"].as_array().unwrap();
    messages.iter().filter(|message| message["role"] == "tool").count()
}

fn run(server: &Server, suite: &str, more: &[&str]) -> Ran {
    Akit::new(&[
        "run",
        "s.yaml",
        "-m",
        "m",
        "--target-version",
        "1",
        "--base-url",
        &server.url,
        "--json",
        "run.json",
    ])
    .args(more)
    .file("s.yaml", suite)
    .file("akit.yaml", "prices: { m: { input: 1, output: 2 } }\n")
    .run()
}

fn trial(ran: &Ran) -> Json {
    ran.json("run.json")["cases"][0]["trials"][0].clone()
}

#[test]
fn a_function_is_simulated_and_its_rounds_are_one_answer() {
    let server = Server::start(|asked| match returned(asked) {
        0 => calling(
            "Let me look.",
            &[("find_order", json!({ "order": "NW-1" })), ("find_order", json!({ "order": "NW-22" }))],
        ),
        2 => calling("", &[("find_order", json!({ "order": "NW-1" }))]),
        _ => calling("", &[("transfer_to_human", json!({ "order": "NW-1" }))]),
    });
    let expected = "{ type: tools, called: [{ name: find_order, count: 3, before: transfer_to_human }] }";
    let ran = run(&server, &suite(expected), &[]).ended(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let call = |at: usize, order: &str| {
        json!({ "id": format!("id_find_order_{at}"), "type": "function",
                "function": { "name": "find_order", "arguments": format!("{{\"order\":\"{order}\"}}") } })
    };
    let result = |at: usize, text: &str| json!({ "role": "tool", "tool_call_id": format!("id_find_order_{at}"), "content": text });
    let wanted = json!([
        { "role": "user", "content": "Where is it?" },
        { "role": "assistant", "content": "Let me look.", "tool_calls": [call(0, "NW-1"), call(1, "NW-22")] },
        result(0, "{\"status\":\"lost\"}"),
        result(1, "no such order"),
    ]);
    assert_eq!(asked[1].body["messages"], wanted);
    for one in &asked {
        let tools = json!([
            { "type": "function", "function": { "name": "find_order", "description": "Finds an order.", "parameters": { "type": "object" } } },
            { "type": "function", "function": { "name": "transfer_to_human" } },
        ]);
        assert_eq!(one.body["tools"], tools);
    }
    let answer = &trial(&ran)["turns"][0]["answer"];
    let names: Vec<_> = answer["tool_calls"].as_array().unwrap().iter().map(|call| &call["name"]).collect();
    assert_eq!(names, ["find_order", "find_order", "find_order", "transfer_to_human"]);
    assert_eq!(answer["text"], "Let me look.");
    assert_eq!(answer["usage"], json!({ "input_tokens": 30, "output_tokens": 15 }));
    let cost = answer["cost_usd"].as_f64().unwrap();
    assert!((cost - 3.0 * (10.0 + 2.0 * 5.0) / 1e6).abs() < 1e-12, "{answer}");
    // Each round has its own record, and replays are reproducible.
    let replay = [
        "run",
        "s.yaml",
        "-m",
        "m",
        "--target-version",
        "1",
        "--base-url",
        &server.url,
        "--replay",
        "--json",
        "run.json",
    ];
    let again = ran.then(&replay).run().ended(0);
    let first = again.read("run.json");
    assert_eq!(again.then(&replay).run().ended(0).read("run.json"), first);
    assert_eq!(server.asked().len(), 3);
    assert_eq!(trial(&again)["turns"][0]["answer"]["tool_calls"], answer["tool_calls"]);
    assert_eq!(ran.all(".akit/cache").matches("\"recorded_at\"").count(), 3);
    // A different result makes a different second request, which has no record.
    let other = suite(expected).replace("status: lost", "status: found");
    std::fs::write(again.path("s.yaml"), other).unwrap();
    again.then(&replay).run().ended(4).out("not in the cache").out("after 1 round");
}

#[test]
fn a_function_that_cannot_be_simulated_is_errored_and_shows_the_calls() {
    let find = |order: &str| vec![("find_order", json!({ "order": order }))];
    let table = [
        (
            find("NW-9"),
            "no-tool-answer",
            1,
            4,
            "no entry in `returns` of `find_order` fits its call: find_order {\"order\":\"NW-9\"}",
        ),
        (vec![("find_order", json!("NW-1"))], "no-tool-answer", 1, 4, "find_order"),
        (vec![("find_ordr", json!({}))], "undeclared-function", 1, 4, "did you mean `find_order`?"),
        (
            find("NW-1"),
            "tool-rounds",
            3,
            4,
            "the answer still calls functions after 2 rounds: 1 tool call (find_order)",
        ),
        (vec![("transfer_to_human", json!({}))], "", 1, 0, ""),
        // A call without `returns` ends the answer, whatever other calls there are.
        (vec![find("NW-1")[0].clone(), ("transfer_to_human", json!({}))], "", 1, 0, ""),
        (
            vec![("transfer_to_human", json!({})), ("other", json!({}))],
            "undeclared-function",
            1,
            4,
            "`other`",
        ),
    ];
    for (calls, fault, count, exit, words) in table {
        let owned = calls.clone();
        let server = Server::start(move |_| calling("", &owned));
        let ran =
            run(&server, &suite("{ type: tools, called: [transfer_to_human] }"), &[]).ended(exit).out(words);
        let trial = trial(&ran);
        let kind = trial["fault"]["kind"].as_str().unwrap_or_default();
        assert_eq!((kind, server.asked().len()), (fault, count), "{calls:?}");
        assert!(trial["turns"][0]["answer"]["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty()));
    }
    // If nothing is declared, the application handles all calls itself.
    let server = Server::start(|_| calling("", &[("other", json!({}))]));
    let plain = "name: s\ncases: [{ id: a, prompt: q, expected: { type: tools, called: [other] } }]\n";
    run(&server, plain, &[]).ended(0);
}

#[test]
fn a_failed_round_is_retried_and_a_truncated_answer_ends_there() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |asked| match returned(asked) {
        0 => calling("", &[("find_order", json!({ "order": "NW-1" }))]),
        _ if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => {
            Answer::Raw(503, Vec::new(), b"busy".to_vec())
        }
        _ => Answer::Text("It is lost.".to_owned()),
    });
    let expected = "{ type: contains, values: [It is lost] }";
    run(&server, &suite(expected), &[]).ended(0);
    assert_eq!(server.asked().len(), 3);
    let server = Server::start(|_| {
        let Answer::Raw(status, headers, body) = calling("", &[("find_order", json!({ "order": "NW-1" }))])
        else {
            unreachable!()
        };
        let body = String::from_utf8(body)
            .unwrap()
            .replace("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"length\"");
        Answer::Raw(status, headers, body.into_bytes())
    });
    run(&server, &suite("{ type: tools, called: [find_order] }"), &[]).ended(1).out("the answer was cut off");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn calls_of_every_round_are_judged_originally_and_stored_redacted() {
    let server = Server::start(|asked| match returned(asked) {
        0 => calling("Hello jane.doe@example.com.", &[("find", json!({ "mail": "jane.doe@example.com" }))]),
        _ => calling("", &[("transfer", json!({ "to": "joe@example.com" }))]),
    });
    let suite = "\
name: s
setup: { functions: [{ name: find, returns: [{ give: found }] }, { name: transfer }] }
cases:
  - id: a
    prompt: q
    expected:
      type: combined
      operator: and
      expectations:
        - { type: contains, values: [jane.doe@example.com] }
        - type: tools
          called: [{ name: find, args: { mail: jane.doe@example.com } }, { name: transfer, args: { to: joe@example.com } }]
";
    let ran = run(&server, suite, &["--redact"]).ended(0);
    let secret = |text: &str| text.contains("jane.doe") || text.contains("joe@");
    assert!(!secret(&ran.all(".akit")) && !secret(&ran.read("run.json")) && !secret(&ran.stdout));
    let arguments = [
        "run",
        "s.yaml",
        "-m",
        "m",
        "--target-version",
        "1",
        "--base-url",
        &server.url,
        "--json",
        "run.json",
        "--redact",
    ];
    let again = ran.then(&arguments).arg("--replay").run().ended(0);
    assert_eq!(server.asked().len(), 2);
    // If the first round is known only redacted, the answer as a whole is uncertain.
    let later = again.path(".akit/cache");
    for shelf in std::fs::read_dir(later).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if std::fs::read_to_string(&path).unwrap().contains("\"tool_call_id\"") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    again
        .then(&arguments)
        .args(&["--cache", "auto"])
        .run()
        .ended(4)
        .out("stored without the result for the raw one");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_judge_is_asked_about_an_answer_with_only_calls() {
    let server = Server::start(|asked| {
        let score = if asked.last_message().contains("transfer_to_human") { 9 } else { 0 };
        Answer::Text(json!({ "reasoning": "seen", "score": score }).to_string())
    });
    let suite = "name: s\ncases: [{ id: a, prompt: q, expected: { type: llm_grader, rubric: Hands over., votes: 1 } }]\n";
    for (line, exit) in [
        (json!({ "id": "a", "tool_calls": [{ "name": "transfer_to_human" }] }), 0),
        (json!({ "id": "a", "tool_calls": [{ "name": "close" }] }), 1),
        (json!({ "id": "a", "reply": "" }), 1),
    ] {
        Akit::new(&[
            "run",
            "s.yaml",
            "--replies",
            "r.jsonl",
            "--grader-model",
            "j",
            "--grader-base-url",
            &server.url,
        ])
        .file("s.yaml", suite)
        .file("r.jsonl", line.to_string())
        .run()
        .ended(exit);
    }
}

#[test]
fn a_handoff_of_recorded_answers_is_read_from_calls_and_state() {
    let suite = "\
name: s
setup: { handoff: { state: /handoff/accepted, states: { waiting: claimed } } }
cases: [{ id: a, prompt: I want a human, expected: { type: handoff, carries: [NW-5512] } }]
";
    let state = |accepted: Json| json!({ "handoff": { "accepted": accepted, "order": "NW-5512" } });
    for (state, exit, words) in [
        (state(json!(true)), 0, "1 passed"),
        (json!({ "handoff": { "accepted": true } }), 1, "the handoff does not pass on \"NW-5512\""),
        (state(json!("waiting")), 1, "phantom handoff: the answer says \"I transfer you now.\""),
        (state(json!("on hold")), 4, "is `on hold`, which akit does not know"),
        (json!({}), 1, "the state has no `/handoff/accepted`"),
        (Json::Null, 1, "phantom handoff"),
    ] {
        let line = json!({ "id": "a", "reply": "I transfer you now.", "state": state });
        let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .file("s.yaml", suite)
            .file("r.jsonl", line.to_string())
            .run()
            .ended(exit)
            .out(words);
        assert_eq!(trial(&ran)["turns"][0]["answer"].get("state"), Some(&state), "{state}");
    }
    let silent = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", suite)
        .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"Goodbye.\"}")
        .run()
        .ended(4);
    assert!(silent.stdout.contains("has no application state"), "{}", silent.stdout);
}

#[test]
fn mistakes_in_setup_are_reported_at_their_place() {
    let case = "cases: [{ id: a, prompt: q, expected: { type: handoff } }]\n";
    for (setup, words) in [
        ("{}", "`handoff` needs `setup.handoff`"),
        ("{ handoff: { text: now } }", "`setup.handoff` has no sign of a handoff that is done"),
        ("{ handoff: { state: accepted } }", "`accepted` is not a JSON pointer"),
        ("{ handoff: { tool: f, text: '(' } }", "invalid pattern"),
        (
            "{ handoff: { tool: f, states: { accepted: none } } }",
            "a mapping of words that akit does not know",
        ),
        (
            "{ handoff: { tool: f, states: { queued: perhaps } } }",
            "one of `none`, `offered`, `claimed`, `done`",
        ),
        ("{ handoff: { tool: transfr }, functions: [{ name: transfer }] }", "did you mean `transfer`?"),
        (
            "{ handoff: { tool: f }, functions: [{ name: f, returns: [] }] }",
            "at least one entry, found an empty list",
        ),
        ("{ handoff: { tool: f }, functions: [{ name: f, returns: [{ with: {} }] }] }", "needs `give`"),
        (
            "{ handoff: { tool: f }, functions: [{ name: f, returns: [{ give: 1, wth: {} }] }] }",
            "did you mean `with`?",
        ),
        ("{ handoff: { tool: f }, functions: [{ returns: [{ give: 1 }] }] }", "has no `name`"),
        (
            "{ handoff: { tool: f }, functions: [{ type: function, function: { name: f, returns: [{ give: 1 }] } }] }",
            "is inside `function`",
        ),
        (
            "{ handoff: { tool: f }, functions: [{ name: f, returns: [{ give: '{{x}}' }] }] }",
            "undefined variable `{{x}}`",
        ),
        (
            "{ handoff: { tool: f }, max_tool_rounds: 0 }",
            "`max_tool_rounds` must be a whole number of at least 1",
        ),
    ] {
        let suite = format!("name: s\nsetup: {setup}\n{case}");
        Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite).run().ended(2).err(words);
    }
}

/// Reasoning of an Anthropic model before a function call, and the call.
fn thoughtful(thought: &str) -> Json {
    json!([
        { "type": "thinking", "thinking": thought, "signature": "sig/1+" },
        { "type": "redacted_thinking", "data": "ZGF0YQ==" },
        { "type": "text", "text": "One moment.", "citations": null },
        { "type": "tool_use", "id": "toolu_1", "name": "find_order", "input": { "order": "NW-1" } },
    ])
}

/// Answers like Anthropic, whole or streamed.
fn messages(content: &Json, stop: &str, streams: bool) -> Answer {
    let usage = json!({ "input_tokens": 10, "output_tokens": 5 });
    let head = json!({ "id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "usage": usage });
    if !streams {
        let mut body = head;
        (body["content"], body["stop_reason"]) = (content.clone(), stop.into());
        return Answer::Raw(200, Vec::new(), body.to_string().into_bytes());
    }
    let mut start = head;
    start["content"] = json!([]);
    let mut events = vec![json!({ "type": "message_start", "message": start })];
    for (index, block) in content.as_array().unwrap().iter().enumerate() {
        let (mut empty, mut deltas) = (block.clone(), Vec::new());
        for (member, kind) in [("thinking", "thinking"), ("signature", "signature"), ("text", "text")] {
            let Some(text) = block[member].as_str() else { continue };
            empty[member] = "".into();
            let (one, other) = text.split_at(2);
            deltas.extend([one, other].map(|part| json!({ "type": format!("{kind}_delta"), kind: part })));
        }
        if block["type"] == "tool_use" {
            empty["input"] = json!({});
            deltas.push(json!({ "type": "input_json_delta", "partial_json": block["input"].to_string() }));
        }
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": empty }));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        );
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": usage }));
    events.push(json!({ "type": "message_stop" }));
    let text = |event: &Json| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    let text: String = events.iter().map(text).collect();
    let headers = vec![("content-type", "text/event-stream".to_owned())];
    Answer::Raw(200, headers, text.into_bytes())
}

#[test]
fn reasoning_is_sent_back_unchanged_before_a_functions_result() {
    let said = json!([{ "type": "text", "text": "It is lost." }]);
    let mut kept = thoughtful("The order is asked for.");
    kept[2].as_object_mut().unwrap().remove("citations");
    let written = json!([kept[2], kept[3]]);
    let mail = "Of ann@example.org.";
    for (thought, redacts, expected) in [
        ("The order is asked for.", false, &kept),
        ("The order is asked for.", true, &kept),
        // Signed content cannot be changed, and the value is not stored.
        (mail, true, &written),
    ] {
        for streams in [false, true] {
            let answer = said.clone();
            let server = Server::plain(move |asked| {
                let is_second = asked.body["messages"].as_array().unwrap().len() > 1;
                if is_second {
                    messages(&answer, "end_turn", streams)
                } else {
                    messages(&thoughtful(thought), "tool_use", streams)
                }
            });
            let head = format!(
                "provider: anthropic\nmodel: claude-haiku-4-5\nproviderConfig: {{ baseUrl: {}, stream: {streams} }}\n{}",
                server.url,
                if redacts { "redaction: { patterns: [email] }\n" } else { "" }
            );
            let suite = head + &suite("{ type: tools, called: [find_order] }");
            let run = ["run", "s.yaml", "--target-version", "1", "--json", "run.json"];
            let akit = Akit::new(&run).env("ANTHROPIC_API_KEY", "test").file("s.yaml", suite);
            let ran = akit.run().ended(0);
            let asked = server.asked();
            assert_eq!(asked.len(), 2);
            let said = &asked[1].body["messages"][1];
            assert_eq!(
                (&said["role"], &said["content"]),
                (&json!("assistant"), expected),
                "{thought} {streams}"
            );
            assert_eq!(asked[1].body["messages"][2]["content"][0]["tool_use_id"], "toolu_1");
            ran.then(&["run", "s.yaml", "--target-version", "1", "--cache", "replay"]).run().ended(0);
            assert_eq!(server.asked().len(), 2);
        }
    }
}

//! Reading the responses of an application behind HTTP: a value in an unexpected place is not taken for a missing
//! one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::bot::{ASKS, fault, json, run, suite, text, typed};
use super::server::{Answer, Server};

const SSE: &str = "  body: { text: \"{{prompt}}\" }\n";

/// Runs one case with these keys next to `url`, this response and this expectation.
fn judged(
    keys: &str,
    expected: &str,
    setup: &str,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> Ran {
    let server = Server::plain(move |_| answer());
    let text = suite(&server, "/", keys).replace("{ type: contains, values: [good] }", expected);
    run(&text.replacen("cases:", &format!("{setup}cases:"), 1), &["--cache", "off"])
}

fn events(body: &str) -> Answer {
    typed("text/event-stream", body)
}

#[test]
fn calls_that_are_not_read_prove_nothing() {
    let setup = "setup: { handoff: { tool: t }, functions: [{ name: refund }, { name: t }] }\n";
    let body = || json(json!({ "answer": "good", "calls": [{ "name": "refund", "arguments": {} }] }));
    for expected in [
        "{ type: tools, never: [refund] }",
        "{ type: tools, called: [refund] }",
        "{ type: handoff, never: true }",
        "{ not: { type: tools, called: [refund] } }",
        "{ type: combined, operator: or, expectations: [{ type: tools, never: [refund] }, { type: exact, value: x }] }",
    ] {
        judged(ASKS, expected, setup, body).ended(2).err("`tools` is not set").err("add `tools: /POINTER`");
        judged(&format!("{ASKS}  tools: /calls\n"), "{ type: tools, called: [refund] }", setup, body)
            .ended(0);
    }
    // A handoff state needs no call.
    let setup = "setup: { handoff: { state: /handoff, tool: t } }\n";
    let body = || json(json!({ "answer": "good", "handoff": true }));
    judged(ASKS, "{ type: handoff }", setup, body).ended(0);
}

#[test]
fn a_pointer_that_finds_nothing_is_wrong_if_the_value_is_elsewhere() {
    let setup = "setup: { functions: [{ name: refund }] }\n";
    let never = "{ type: tools, never: [refund] }";
    let call = json!({ "name": "refund", "arguments": { "n": 1 } });
    for (tools, body, place) in [
        ("/tool_calls", json!({ "answer": "good", "calls": [call] }), Some("/calls/0")),
        (
            "/calls",
            json!({ "answer": "good", "output": { "toolCall": { "name": "refund" } } }),
            Some("/output/toolCall"),
        ),
        (
            "/calls",
            json!({ "answer": "good", "x": [{ "function": { "name": "refund", "arguments": "{}" } }] }),
            Some("/x/0"),
        ),
        // An application that made no calls; descriptions of functions are not calls.
        ("/calls", json!({ "answer": "good", "calls": null }), None),
        ("/calls", json!({ "answer": "good", "user": { "name": "Ada" } }), None),
        ("/calls", json!({ "answer": "good", "tools": [{ "name": "refund", "parameters": {} }] }), None),
        ("/calls", json!({ "answer": "good", "calls": [], "history": [{ "tool_calls": [call] }] }), None),
    ] {
        let ran = judged(&format!("{ASKS}  tools: {tools}\n"), never, setup, move || json(body.clone()));
        match place {
            Some(place) => {
                let (kind, message, help) = fault(&ran.ended(4));
                assert_eq!(kind, "malformed-answer");
                let right = format!("nothing at `{tools}`, but a call at `{place}`");
                assert!(
                    message.contains(&right) && help.contains("change `tools` (s.yaml:"),
                    "{message} {help}"
                );
            }
            None => drop(ran.ended(0)),
        }
    }
    let lacks = "{ type: not_contains, values: [promise] }";
    for (body, code) in [
        (json!({ "answer": "good", "finish": "length" }), 4),
        (json!({ "answer": "good", "meta": { "stop_reason": "content_filter" } }), 4),
        (json!({ "answer": "good", "finish": "stop" }), 0),
        (json!({ "answer": "good", "reason": "length of stay" }), 0),
    ] {
        let ran = judged(&format!("{ASKS}  stop: /finish_reason\n"), lacks, "", move || json(body.clone()));
        assert_eq!(ran.status, code, "{}", ran.stdout);
    }
}

#[test]
fn an_answer_is_the_first_pointer_with_text() {
    let answers = |keys: &str| format!("{SSE}  answer: {keys}\n  tools: /calls\n");
    let call = json!([{ "name": "f", "arguments": { "note": "two words" } }]);
    for (keys, body, expected) in [
        ("[/a, /b]", json!({ "a": { "t": 1 }, "b": "good" }), Some("good")),
        ("[/a, /b]", json!({ "a": [{ "type": "text" }], "b": "good" }), Some("good")),
        ("[/a/*/text, /b]", json!({ "a": [{ "text": "" }], "b": "good" }), Some("good")),
        ("[/a, /b]", json!({ "a": "", "b": null }), Some("")),
        ("[/a, /b]", json!({ "a": {}, "b": {} }), None),
        // An answer with a call may have no text, but text in an unexpected place would be lost.
        ("/answer", json!({ "calls": call }), Some("")),
        ("/answer", json!({ "calls": call, "id": "c-1" }), Some("")),
        ("/answer", json!({ "answer": null, "calls": call, "note": "on its way" }), Some("")),
        ("/answer", json!({ "reply": "zzz yes", "calls": call }), None),
    ] {
        let shown = body.to_string();
        let ran =
            judged(&answers(keys), "{ type: not_contains, values: [zzz] }", "", move || json(body.clone()));
        match expected {
            Some(expected) => assert_eq!(text(&ran), expected, "{shown}"),
            None => assert_eq!((ran.status, &*fault(&ran).0), (4, "malformed-answer"), "{shown}"),
        }
    }
    let langgraph = "  like: langgraph\n";
    for content in [json!("good"), json!([{ "type": "text", "text": "good" }])] {
        let body = json!({ "messages": [{ "type": "human", "content": "hi" }, { "type": "ai", "content": content }] });
        let ran = judged(langgraph, "{ type: exact, value: good }", "", move || json(body.clone()));
        ran.ended(0);
    }
}

#[test]
fn an_error_field_that_reports_success_is_ignored_if_there_is_an_answer() {
    for (error, code) in [
        (json!("none"), 0),
        (json!({ "code": 0, "message": "OK" }), 0),
        (json!(null), 0),
        (json!("database down"), 4),
        (json!({ "code": 500, "message": "OK" }), 4),
    ] {
        let body = json!({ "answer": "good", "error": error });
        let ran = judged(ASKS, "{ type: exact, value: good }", "", move || json(body.clone()));
        assert_eq!(ran.status, code, "{error}");
    }
    // Without an answer it is reported, whatever it says.
    let ran = judged(ASKS, "{ type: exact, value: good }", "", || json(json!({ "error": "none" })));
    ran.ended(4);
}

#[test]
fn a_body_that_is_not_an_answer_is_described() {
    /// Keys, the response, and parts of the message and the help.
    type Row = (&'static str, fn() -> Answer, &'static str, &'static str);
    let plain = "  body: { text: \"{{prompt}}\" }\n";
    let gzip =
        || Answer::Raw(200, vec![("content-type", "text/plain".to_owned())], b"\x1f\x8b\x08\0\0".to_vec());
    let table: [Row; 5] = [
        (
            plain,
            || typed("text/plain", "<!-- x --><html><body>good</body></html>"),
            "it is a web page",
            "send only the answer",
        ),
        (
            plain,
            || typed("text/plain", "<?xml version=\"1.0\"?>\n<!DOCTYPE html><html>good</html>"),
            "it is a web page",
            "",
        ),
        (plain, || typed("application/json", "\"good\""), "application/json", "add `answer: \"\"`"),
        (plain, gzip, "it is compressed (gzip)", ""),
        (plain, || Answer::Raw(204, vec![], Vec::new()), "it has no body (204)", "answer with 200"),
    ];
    for (keys, answer, message, help) in table {
        let ran = judged(keys, "{ type: not_contains, values: [zzz] }", "", answer).ended(4);
        let (kind, shown, helped) = fault(&ran);
        assert!(shown.contains(message) && helped.contains(help), "{kind}: {shown}; {helped}");
    }
    judged(&format!("{plain}  answer: \"\"\n"), "{ type: exact, value: good }", "", || {
        typed("application/json", "\"good\"")
    })
    .ended(0);
}

#[test]
fn an_event_name_filters_only_the_text() {
    let setup = "setup: { functions: [{ name: refund }] }\n";
    let keys = format!(
        "{SSE}  sse: {{ event: token, answer: /t }}\n  tools: /calls\n  stop: /reason\n  usage: {{ input: /in, output: /out }}\n"
    );
    let token = "event: token\ndata: {\"t\":\"good\"}\n\n";
    let with = |more: &str| format!("{token}{more}data: [DONE]\n\n");
    let call = with("event: tool\ndata: {\"calls\":[{\"name\":\"refund\",\"arguments\":{}}]}\n\n");
    let ran = judged(&keys, "{ type: tools, never: [refund] }", setup, move || events(&call));
    ran.ended(1).out("`refund` must not be called");
    let filtered =
        with("event: meta\ndata: {\"reason\":\"content_filter\",\"in\":3,\"out\":4,\"t\":\"no part\"}\n\n");
    let ran =
        judged(&keys, "{ type: not_contains, values: [promise] }", setup, move || events(&filtered)).ended(1);
    let answer = ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"].clone();
    assert_eq!((&answer["text"], &answer["usage"]["output_tokens"]), (&json!("good"), &json!(4)), "{answer}");
    // Without a pointer the data is the text, and the other events are read as well.
    let keys = format!("{SSE}  sse: {{ event: token }}\n  tools: /calls\n");
    let call = "event: token\ndata: good\n\nevent: tool\ndata: {\"calls\":[{\"name\":\"refund\",\"arguments\":{}}]}\n\ndata: [DONE]\n\n";
    judged(&keys, "{ type: tools, never: [refund] }", setup, move || events(call)).ended(1);
}

#[test]
fn a_stream_ends_only_at_its_end_marker() {
    let lacks = "{ type: not_contains, values: [zzz] }";
    let sse = |keys: &str| format!("{SSE}  sse: {{ {keys} }}\n");
    for (keys, body, code, words) in [
        // An event without data can still have a name.
        ("done: done", "data: good\n\nevent: done\n\n", 0, ""),
        ("done: done", "data: good\n\nevent: done\ndata: {}\n\n", 0, ""),
        // The same word inside an answer does not end the stream, and text after the end is not ignored.
        (
            "event: token, done: done",
            "event: token\ndata: done\n\nevent: token\ndata: zzz\n\nevent: done\ndata: x\n\n",
            1,
            "zzz",
        ),
        (
            "event: token, done: done",
            "event: token\ndata: done\n\nevent: token\ndata: zzz\n\n",
            4,
            "more follows after `done`",
        ),
        ("", "data: good\n\ndata: [DONE]\n\ndata: zzz\n\n", 4, "more follows after"),
        ("", "data: {\"error\":\"model overloaded\"}\n\ndata: [DONE]\n\n", 4, "model overloaded"),
        ("", "event: done\n\n", 4, "not a stream of events"),
    ] {
        let ran = judged(&sse(keys), lacks, "", move || events(body));
        assert_eq!(ran.status, code, "{keys} {body:?}: {}{}", ran.stdout, ran.stderr);
        assert!(
            format!("{}{}", ran.stdout, ran.read("run.json")).contains(words),
            "{keys} {body:?}: {}",
            ran.stdout
        );
    }
}

/// A server that sends three parts one by one and keeps the connection open after the last.
fn slow() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let mut say = |text: &str| {
                    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
                    std::thread::sleep(Duration::from_millis(40));
                };
                say("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
                ["data: go\n\n", "data: o\n\n", "data: d\n\n", "data: [DONE]\n\n"]
                    .into_iter()
                    .for_each(&mut say);
                // Until the client disconnects.
                let _ = stream.read(&mut [0; 1]);
            });
        }
    });
    url
}

#[test]
fn the_times_of_a_stream_of_events_are_measured_and_limited() {
    let text = format!(
        "name: s\nprovider: http\nproviderConfig:\n  url: {}/\n{SSE}  sse: {{}}\ncases:\n  - {{ id: a, prompt: hi, expected: {{ type: exact, value: good }} }}\n",
        slow()
    );
    let run = |most: u32| {
        Akit::new(&["run", "s.yaml", "--json", "run.json", "--retries", "0", "--timeout", "20s"])
            .file("s.yaml", &text)
            .file("akit.yaml", format!("gate: {{ thresholds: [{{ metric: ttft_p95_ms, max: {most} }}] }}\n"))
            .run()
    };
    let ran = run(15_000).ended(0);
    let answer: Json = ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"].clone();
    assert!(answer["ttft_ms"].as_u64().unwrap() >= 35, "{answer}");
    assert_eq!(answer["timings"]["parts"], 3);
    assert!(answer["timings"]["largest_gap_ms"].as_u64().unwrap() >= 35, "{answer}");
    assert!(answer["timings"]["mean_gap_ms"].as_f64().unwrap() >= 35.0, "{answer}");
    assert!(answer["latency_ms"].as_u64() < Some(15_000), "akit waited after the end of the stream");
    run(1).ended(1).out("ttft_p95_ms");
}

#[test]
fn simulated_functions_need_a_body_that_sends_their_results() {
    let functions = "setup: { functions: [{ name: status, returns: [{ give: { status: lost } }] }] }\n";
    let server = Server::plain(|asked| {
        let messages = asked.body["all"].as_array().cloned().unwrap_or_default();
        let message = messages.iter().find(|message| message["role"] == "tool");
        json(match message {
            Some(message) => json!({ "answer": format!("good: {}", message["content"]) }),
            None => json!({ "answer": null, "calls": [{ "name": "status", "arguments": {} }] }),
        })
    });
    let with = |keys: &str| suite(&server, "/", keys).replacen("cases:", &format!("{functions}cases:"), 1);
    let blind = with(&format!("{ASKS}  tools: /calls\n"));
    for command in ["run", "validate"] {
        let ran = Akit::new(&[command, "s.yaml"]).file("s.yaml", &blind).run().ended(2);
        ran.err("the results of calls are not sent to the bot")
            .err("add `messages: \"{{messages}}\"` to `body`");
    }
    // If the body comes from the configuration, this is reported before anything is sent.
    let config = format!(
        "provider: http\nproviders: {{ http: {{ url: \"{}\", body: {{ t: \"{{{{prompt}}}}\" }}, answer: /answer, tools: /calls }} }}\n",
        server.url
    );
    let plain = format!(
        "name: s\n{functions}cases:\n  - {{ id: a, prompt: hi, expected: {{ type: contains, values: [good] }} }}\n"
    );
    let ran = Akit::new(&["run", "s.yaml"]).file("s.yaml", plain).file("akit.yaml", config).run().ended(2);
    ran.err("the results of calls are not sent to the bot").err("akit.yaml:2");
    assert!(server.asked().is_empty());
    let ran =
        run(&with("  body: { all: \"{{messages}}\" }\n  answer: /answer\n  tools: /calls\n"), &[]).ended(0);
    let call = ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["tool_calls"][0].clone();
    assert_eq!(call["returned"], "{\"status\":\"lost\"}");
}

#[test]
fn a_value_that_the_body_leaves_out_is_reported() {
    let server = Server::plain(|_| json(json!({ "answer": "good" })));
    let head = "temperature: 0\nseed: 7\nmaxTokens: 9\nsetup: { systemPrompt: Be kind. }\n";
    let text = suite(&server, "/", ASKS).replacen("cases:", &format!("{head}cases:"), 1);
    let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", &text).run().ended(0);
    for key in ["temperature", "seed", "maxTokens", "setup.systemPrompt"] {
        assert!(ran.stderr.contains(&format!("`{key}` is not sent")), "{key}: {}", ran.stderr);
    }
    let ran = ran.then(&["validate", "s.yaml"]);
    let all = text.replace("{ text: \"{{prompt}}\" }", "{ all: \"{{messages}}\" }");
    let ran = ran.file("s.yaml", all).run().ended(0);
    assert!(!ran.stderr.contains("systemPrompt"), "{}", ran.stderr);
}

#[test]
fn a_case_changes_if_the_configuration_sends_another_variable() {
    let server = Server::plain(|_| json(json!({ "answer": "good" })));
    let config = |url: &str| {
        format!(
            "provider: http\nproviders: {{ http: {{ url: \"{url}\", body: {{ t: \"{{{{prompt}}}}\", shop: \"{{{{shop}}}}\" }}, answer: /answer }} }}\n"
        )
    };
    let suite = |shop: &str, other: &str| {
        format!(
            "name: s\ncases:\n  - {{ id: a, prompt: hi, variables: {{ shop: {shop}, other: {other} }}, expected: {{ type: contains, values: [good] }} }}\n"
        )
    };
    let hash = |shop: &str, other: &str| {
        let akit = Akit::new(&["run", "s.yaml", "--json", "run.json"]).file("s.yaml", suite(shop, other));
        akit.file("akit.yaml", config(&server.url)).run().ended(0).json("run.json")["cases"][0]["content_hash"].clone()
    };
    assert!(hash("a", "x").is_string());
    assert_ne!(hash("a", "x"), hash("b", "x"));
    assert_eq!(hash("a", "x"), hash("a", "y"), "this variable is not sent");
}

/// Where a flag of the run could still provide what is missing, `validate` warns and `run` fails.
#[test]
fn validate_warns_if_the_provider_is_incomplete() {
    let rows = [
        ("http", "provider `http` has no `url`"),
        ("command", "provider `command` has no `command`"),
        ("langchain", "akit cannot call provider `langchain`"),
        ("deepagents", "akit cannot call provider `deepagents`"),
    ];
    for (provider, message) in rows {
        let suite = format!(
            "name: s\nprovider: {provider}\nmodel: m\ncases: [{{ id: a, prompt: b, expected: {{ type: exact, value: c }} }}]\n"
        );
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite).run().ended(0);
        let ran = ran.out("1 warning").err(message).err("s.yaml:2");
        ran.then(&["validate", "--strict", "s.yaml"]).run().ended(2);
        ran.then(&["run", "s.yaml"]).run().ended(2).err(message);
    }
}

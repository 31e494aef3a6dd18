//! `provider: http`: an application behind its own HTTP API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::{Ran, repository};
use super::fixtures;
use super::server::{Answer, Asked, Server};

/// A suite of one case for a server, with these keys next to `url`.
pub(crate) fn suite(server: &Server, path: &str, keys: &str) -> String {
    let url = server.url.replace("/v1", path);
    format!(
        "name: s\nprovider: http\nproviderConfig:\n  url: {url}\n{keys}variables: {{ shop: Blau & Co }}\ncases:\n  - {{ id: a, prompt: I want a refund, expected: {{ type: contains, values: [good] }} }}\n"
    )
}

pub(crate) const ASKS: &str = "  body: { text: \"{{prompt}}\" }\n  answer: /answer\n";

pub(crate) fn run(suite: &str, arguments: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--json", "run.json", "--retries", "0"])
        .args(arguments)
        .file("s.yaml", suite)
        .run()
}

pub(crate) fn json(body: impl Into<Json>) -> Answer {
    let body: Json = body.into();
    typed("application/json", &body.to_string())
}

pub(crate) fn typed(kind: &str, body: &str) -> Answer {
    Answer::Raw(200, vec![("content-type", kind.to_owned())], body.as_bytes().to_vec())
}

pub(crate) fn fault(ran: &Ran) -> (String, String, String) {
    let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
    let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
    (text("kind"), text("message"), text("help"))
}

pub(crate) fn text(ran: &Ran) -> String {
    let turn = ran.json("run.json")["cases"][0]["trials"][0].clone();
    let found = turn.pointer("/turns/0/answer/text").or_else(|| turn.pointer("/reply/text")).cloned();
    found.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_else(|| panic!("{turn}"))
}

#[test]
fn a_request_follows_the_file() {
    let server = Server::plain(|_| json(json!({ "answer": "good" })));
    let keys = "  headers: { Authorization: \"Bearer ${BOT_KEY}\", X-Trial: \"{{turn}}-{{shop}}\" }
  body:
    id: \"{{conversation_id}}\"
    said: [\"{{prompt}}\", \"for {{ shop }}, turn {{turn}}\"]
    turn: \"{{turn}}\"
    session: \"{{session}}\"
    all: \"{{messages}}\"
    plain: { n: 1, yes: true, none: null, braces: \"\\\\{{prompt}}\" }
  answer: /answer
";
    let suite = suite(&server, "/chat/{{conversation_id}}?shop={{shop}}", keys);
    let akit = |more: &[&str]| {
        Akit::new(&["run", "s.yaml", "--json", "run.json"])
            .args(more)
            .env("BOT_KEY", "sk-very-secret-1")
            .file("s.yaml", &suite)
    };
    let ran = akit(&["--repeat", "2"]).run().ended(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    let mut ids = Vec::new();
    for Asked { method, path, body, headers } in &asked {
        let id = body["id"].as_str().unwrap().to_owned();
        assert_eq!(
            (method.as_str(), path.as_str()),
            ("POST", format!("/chat/{id}?shop=Blau%20%26%20Co").as_str())
        );
        let expected = json!({
            "id": id, "said": ["I want a refund", "for Blau & Co, turn 1"], "turn": 1, "session": null,
            "all": [{ "role": "user", "content": "I want a refund" }],
            "plain": { "n": 1, "yes": true, "none": null, "braces": "{{prompt}}" },
        });
        assert_eq!(body, &expected);
        let header =
            |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(header("authorization"), Some("Bearer sk-very-secret-1"));
        assert_eq!(header("x-trial"), Some("1-Blau & Co"));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(id.len(), 36, "{id}");
        ids.push(id);
    }
    // Another run is another conversation, but finds the same records.
    ran.then(&["run", "s.yaml", "--cache", "refresh"]).env("BOT_KEY", "sk-very-secret-1").run().ended(0);
    ids.push(server.asked()[2].body["id"].as_str().unwrap().to_owned());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "every trial of every run must have its own id");
    let first = ran
        .then(&["run", "s.yaml", "--replay", "--target-version", "1"])
        .env("BOT_KEY", "sk-very-secret-1")
        .run();
    assert_eq!(first.status, 4, "the version is part of the cache key: {}", first.stdout);
    // Nothing was sent, and nothing shows that the application is unchanged. Rotating an API key keeps the records.
    let replayed = ran
        .then(&["run", "s.yaml", "--replay", "--json", "again.json"])
        .env("BOT_KEY", "another-key-22")
        .run()
        .ended(5);
    replayed.out("not-asked").out("1 from the cache, 0 asked");
    // A fork has no API key and can still replay.
    ran.then(&["run", "s.yaml", "--replay"]).run().ended(5).out("1 from the cache, 0 asked");
    for hidden in ["sk-very-secret", "another-key"] {
        assert!(!ran.all(".akit").contains(hidden) && !ran.read("run.json").contains(hidden));
    }
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn an_answer_is_read_at_its_pointer() {
    type Row = (&'static str, &'static str, fn() -> Answer, &'static str);
    let table: [Row; 16] = [
        ("a pointer", "  answer: /a/b\n", || json(json!({ "a": { "b": "good" } })), "good"),
        (
            "every item",
            "  answer: /*/text\n",
            || json(json!([{ "text": "good" }, { "image": "x" }, { "text": "day" }])),
            "good\nday",
        ),
        (
            "the last item",
            "  answer: /m/-/text\n",
            || json(json!({ "m": [{ "text": "bad" }, { "text": "good" }] })),
            "good",
        ),
        (
            "the first pointer that finds something",
            "  answer: [/x, /y, /z]\n",
            || json(json!({ "x": null, "y": "good", "z": "bad" })),
            "good",
        ),
        ("a number", "  answer: /n\n", || json(json!({ "n": 7.5, "good": "" })), "7.5"),
        ("a whole document", "  answer: \"\"\n", || json(json!("good")), "good"),
        ("text", "", || typed("text/plain", "good \u{e4}\r\n"), "good \u{e4}"),
        ("markup in a text", "", || typed("text/html", "<p>good</p>"), "<p>good</p>"),
        ("text without a type", "", || Answer::Raw(200, Vec::new(), b"good".to_vec()), "good"),
        ("JSON under another type", "  answer: /a\n", || typed("text/html", "{\"a\": \"good\"}"), "good"),
        ("a byte-order mark", "  answer: /a\n", || json_text("\u{feff}{\"a\": \"good\"}"), "good"),
        (
            "another status",
            "  answer: /a\n  ok: [202, 404]\n",
            || Answer::Raw(404, Vec::new(), b"{\"a\": \"good\"}".to_vec()),
            "good",
        ),
        (
            "lines",
            "  answer: /t\n  lines: true\n",
            || typed("application/x-ndjson", "{\"t\": \"go\"}\n\n{\"done\": 1}\n{\"t\": \"od\"}\n"),
            "good",
        ),
        (
            "events",
            "  sse: { event: token, answer: /t }\n",
            || {
                typed(
                    "text/event-stream",
                    "event: token\ndata: {\"t\": \"go\"}\n\nevent: other\ndata: {\"t\": \"no\"}\n\nevent: token\ndata: {\"t\":\ndata: \"od\"}\n\ndata: [DONE]\n",
                )
            },
            "good",
        ),
        (
            "events of text",
            "  sse: { done: end }\n",
            || typed("text/event-stream", "data: go\n\ndata: od\n\nevent: end\ndata: {}\n\n"),
            "good",
        ),
        (
            "events by `answer`",
            "  answer: /t\n  sse: {}\n",
            || typed("text/event-stream", "data: {\"t\":\"good\"}\r\n\r\ndata: [DONE]\r\n\r\n"),
            "good",
        ),
    ];
    for (name, keys, answer, expected) in table {
        let server = Server::plain(move |_| answer());
        let ran = run(&suite(&server, "/", &format!("  body: {{ q: \"{{{{prompt}}}}\" }}\n{keys}")), &[]);
        assert!([0, 1].contains(&ran.status), "{name}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(text(&ran), expected, "{name}");
    }
}

pub(crate) fn json_text(body: &str) -> Answer {
    typed("application/json", body)
}

#[test]
fn calls_state_stop_word_and_tokens_come_with_it() {
    let body = json!({
        "answer": "good", "calls": [{ "name": "transfer", "arguments": { "queue": 1 } }, { "function": { "name": "note", "arguments": "{\"a\":2}" } }],
        "handoff": { "accepted": true }, "why": "MAX_TOKENS", "cost": { "in": 7, "out": 9 },
    });
    let answer = body.clone();
    let server = Server::plain(move |_| json(answer.clone()));
    let keys = "  tools: /calls\n  stop: /why\n  usage: { input: /cost/in, output: /cost/out }\n";
    let ran = run(&suite(&server, "/", &format!("{ASKS}{keys}")), &["--cache", "off"]);
    let trial = ran.json("run.json")["cases"][0]["trials"][0].clone();
    let found = trial
        .pointer("/turns/0/answer")
        .or_else(|| trial.get("reply"))
        .cloned()
        .unwrap_or_else(|| panic!("{trial}"));
    assert_eq!(
        found["tool_calls"],
        json!([{ "name": "transfer", "arguments": { "queue": 1 } }, { "name": "note", "arguments": { "a": 2 } }])
    );
    assert_eq!(
        (&found["finish_reason"], &found["usage"]),
        (&json!("MAX_TOKENS"), &json!({ "input_tokens": 7, "output_tokens": 9 }))
    );
    assert_eq!(found["state"], body, "without `state`, the state is the whole body");
    let ran = run(&suite(&server, "/", &format!("{ASKS}  state: /handoff\n")), &["--cache", "off"]);
    assert!(
        ran.read("run.json").contains("\"accepted\": true") && !ran.read("run.json").contains("MAX_TOKENS")
    );
}

#[test]
fn a_mistake_in_a_file_is_reported_before_anything_is_sent() {
    let server = Server::plain(|_| json(json!({ "answer": "good" })));
    let config = |keys: &str| suite(&server, "/", keys);
    let body = "  body: { text: \"{{prompt}}\" }\n";
    let table = [
        (config("  body: { text: \"to {{prompt}}: {{messages}}\" }\n"), "`{{messages}}` is a list and cannot be part of a string", "s.yaml:5"),
        (config("  body: { text: \"{{promt}} {{prompt}}\" }\n"), "`{{promt}}` in `body` is not a variable of the case", "s.yaml:5"),
        (config("  body: { text: \"{{prompt\" }\n"), "`{{` is not closed", "s.yaml:5"),
        (config("  body: { text: hello }\n"), "the question is not sent", "s.yaml:5"),
        (config("  body: 7\n"), "`body` must be a mapping, a list or a string, found a number", "s.yaml:5"),
        (config(&format!("{body}  answer: choices[0].text\n")), "write `/choices/0/text`", "s.yaml:6"),
        (config(&format!("{body}  answer: {{ a: 1 }}\n")), "`answer` must be a JSON pointer or a list of them", "s.yaml:6"),
        (config(&format!("{body}  session: {{ from: /a, header: b }}\n")), "`session` must have exactly one of `from`, `header` and `cookie`", "s.yaml:6"),
        (config(&format!("{body}  ok: [302]\n")), "`ok` must be a list of HTTP statuses", "s.yaml:6"),
        (config(&format!("{body}  lines: true\n  sse: {{}}\n")), "`lines` and `sse` are both set", "s.yaml:6"),
        (config(&format!("{body}  tools: /calls\n")), "`tools` reads JSON, but `answer` is not set", "s.yaml:6"),
        (config(&format!("{body}  lines: true\n")), "`lines` reads JSON", "s.yaml:6"),
        (config(&format!("{body}  auth: basic\n")), "`auth` needs `apiKey`, which is not set", "s.yaml:6"),
        (config(&format!("{body}  headers: {{ \"a b\": c }}\n")), "`a b` is not a valid header name", "s.yaml:6"),
        (config(&format!("{body}  like: siri\n")), "rasa", "s.yaml:6"),
        (config(&format!("{body}  like: groq\n")), "`like: groq` is a preset of provider `openai`", "s.yaml:6"),
        (config("  like: rasa\n").replace("provider: http", "provider: openai"), "`like: rasa` is a preset of provider `http`, but the provider is `openai`", "s.yaml:5"),
        ("provider: openai\nproviderConfig: { like: rasa }\ncases: [{ id: a, prompt: b, expected: { type: exact, value: c } }]\n".to_owned(), "`like: rasa` is a preset of provider `http`", "s.yaml:2"),
        (config(&format!("{body}  baseUrl: http://127.0.0.1:9\n")), "provider `http` has no key `baseUrl`", "s.yaml:6"),
        (config(&format!("{body}  command: [./bot]\n")), "`command` is a key of provider `command`", "s.yaml:6"),
        (config(body).replace("provider: http", "provider: openai"), "`url` is a key of provider `http`, but the provider is `openai`", "s.yaml:4"),
        (config(body).replace("provider: http\n", ""), "`url` is a key of provider `http`, but the provider is `openai`", "s.yaml:3"),
        (config(body).replace("http://127", "http://{{shop}}.127"), "the server in `url` contains `{{NAME}}`", "s.yaml:4"),
        (config(body).replace("http://127", "127"), "it must start with http:// or https://", "s.yaml:4"),
        (config(body).replace("prompt: I want a refund", "prompt: [{ role: user, content: a }, { role: assistant, content: b }, { role: user, content: c }]"), "only its last message is sent", "s.yaml:8"),
        ("provider: http\ncases: [{ id: a, prompt: b, expected: { type: exact, value: c } }]\n".to_owned(), "provider `http` has no `url`", "s.yaml:1"),
        (config(body).replace(
                "{ type: contains, values: [good] }",
                "{ type: llm_grader, rubric: kind, provider: http, model: x }",
            ),
            "cannot judge", ""),
    ];
    for (suite, words, place) in table {
        let ran = Akit::new(&["run", "s.yaml", "-m", "m"]).file("s.yaml", &suite).run();
        assert!(
            ran.status == 2 && ran.stderr.contains(words) && ran.stderr.contains(place),
            "{words} at {place} in {}\n{suite}",
            ran.stderr
        );
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn texts_forms_and_methods_are_sent_as_their_type_wants_it() {
    let server = Server::plain(|_| typed("text/plain", "good"));
    let table = [
        ("  body: 'q={{prompt}} {{shop}}'\n", "POST", "text/plain; charset=utf-8"),
        (
            "  body: '{\"q\": \"{{prompt}} {{shop}} \\\"\"}'\n  headers: { Content-Type: application/json }\n  method: PUT\n",
            "PUT",
            "application/json",
        ),
        (
            "  body: 'q={{shop}}&p={{prompt}}'\n  headers: { content-type: application/x-www-form-urlencoded }\n",
            "POST",
            "application/x-www-form-urlencoded",
        ),
    ];
    for (keys, method, kind) in table {
        run(&suite(&server, "/", keys), &["--cache", "off"]).ended(0);
        let asked = server.asked().pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.header("content-type")), (method, Some(kind)), "{keys}");
    }
    assert_eq!(server.asked()[1].body["q"], "I want a refund Blau & Co \"");
    let ran = run(&suite(&server, "/ask?q={{prompt}}", ""), &["--cache", "off"]).ended(0);
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str(), asked.body),
        ("GET", "/ask?q=I%20want%20a%20refund", Json::Null)
    );
    drop(ran);
}

#[test]
fn keys_become_headers_and_are_not_shown() {
    let server = Server::plain(|asked| {
        Answer::Raw(500, Vec::new(), format!("you sent {:?}", asked.headers).into_bytes())
    });
    for (keys, expected) in [
        ("  apiKey: ${BOT_KEY}\n", "Bearer user:pass-word-9"),
        ("  apiKey: ${BOT_KEY}\n  auth: basic\n", "Basic dXNlcjpwYXNzLXdvcmQtOQ=="),
        ("  headers: { X-Api-Key: \"${BOT_KEY}\" }\n", ""),
        ("  headers: { X-Shop: \"${BOT_KEY}\" }\n", ""),
    ] {
        let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--retries", "0"])
            .env("BOT_KEY", "user:pass-word-9")
            .file("s.yaml", suite(&server, "/", &format!("{ASKS}{keys}")))
            .run()
            .ended(4);
        let sent = server.asked().pop().unwrap();
        assert!(expected.is_empty() || sent.header("authorization") == Some(expected), "{keys}: {sent:?}");
        let shown = format!("{}{}{}", ran.stdout, ran.stderr, ran.read("run.json"));
        assert!(!shown.contains("pass-word-9"), "{keys}: {shown}");
    }
}

#[test]
fn whatever_decides_an_answer_is_in_its_cache_key() {
    let server = Server::plain(|_| json(json!({ "answer": "good", "other": "bad", "calls": [] })));
    let start = suite(&server, "/chat", ASKS);
    let ran = run(&start, &[]).ended(0);
    let changes = [
        ("/chat", "/talk", "endpoint"),
        ("text: ", "message: ", "options.body"),
        ("answer: /answer", "answer: /other", "options.answer"),
        ("  answer:", "  method: PUT\n  answer:", "options.method"),
        ("  answer:", "  tools: /calls\n  answer:", "options.tools"),
        ("  answer:", "  headers: { X-Shop: a }\n  answer:", "options.headers"),
        ("  answer:", "  ok: [200, 500]\n  answer:", "options.ok"),
    ];
    for (from, to, part) in changes {
        let now = start.replacen(from, to, 1);
        assert_ne!(now, start, "{from}");
        let missed = ran.then(&["run", "s.yaml", "--replay"]).file("s.yaml", &now).run().ended(4);
        assert!(missed.stdout.contains(part), "{part}: {}", missed.stdout);
        ran.then(&["cache", "why", "s.yaml"]).file("s.yaml", &now).run().out(part);
    }
    // Only what is used is part of the cache key: not other variables, billing headers or time limits.
    for (from, to) in [
        ("{ shop: Blau & Co }", "{ shop: Rot }"),
        ("  answer:", "  apiKey: abcdef\n  answer:"),
        ("  answer:", "  timeout: 5000\n  answer:"),
    ] {
        ran.then(&["run", "s.yaml", "--replay"])
            .file("s.yaml", start.replacen(from, to, 1))
            .run()
            .ended(5)
            .out("1 passed");
    }
    let used = start.replace("{{prompt}}", "{{prompt}} {{shop}}");
    ran.then(&["run", "s.yaml"]).file("s.yaml", &used).run().ended(0);
    ran.then(&["run", "s.yaml", "--replay"])
        .file("s.yaml", used.replace("Blau", "Rot"))
        .run()
        .ended(4)
        .out("options.variables");
    // With the application's version, a replay can decide, byte for byte.
    let version = ["--target-version", "7"];
    let first = ran.then(&["run", "s.yaml"]).args(&version).file("s.yaml", &start).run().ended(0);
    let replays: Vec<String> = (0..2)
        .map(|_| {
            let again = first
                .then(&["run", "s.yaml", "--replay", "--json", "again.json"])
                .args(&version)
                .run()
                .ended(0);
            again.read("again.json")
        })
        .collect();
    assert_eq!(replays[0], replays[1]);
    // A variable in a body decides the answer, too, but is not written into the record.
    let body = "  body: { text: \"{{prompt}}\", tenant: \"${TENANT}\" }\n  answer: /answer\n";
    let of_tenant = suite(&server, "/tenants", body);
    let akit = |tenant: &str, more: &[&str]| {
        ran.then(&["run", "s.yaml"]).args(more).env("TENANT", tenant).file("s.yaml", &of_tenant)
    };
    let one = akit("northwind-secret", &[]).run().ended(0);
    assert!(!one.all(".akit").contains("northwind-secret"));
    akit("northwind-secret", &["--replay"]).run().ended(5);
    akit("other-tenant", &["--replay"]).run().ended(4);
}

#[test]
fn the_configuration_reaches_a_bot_for_every_suite() {
    let server = Server::plain(|_| json(json!({ "answer": "good" })));
    let url = server.url.replace("/v1", "/chat");
    let config = format!(
        "provider: http\nproviders:\n  http:\n    url: {url}\n    body: {{ text: \"{{{{prompt}}}}\" }}\n    answer: /answer\n    headers: {{ X-Key: \"${{BOT_KEY}}\" }}\n"
    );
    let suite = "cases: [{ id: a, prompt: Hello, expected: { type: exact, value: good } }]\n";
    let akit = |more: &[&str]| {
        Akit::new(&["run", "s.yaml"])
            .args(more)
            .env("BOT_KEY", "secret-of-the-bot")
            .file("s.yaml", suite)
            .file("akit.yaml", &config)
    };
    akit(&[]).run().ended(0);
    akit(&["-p", "http"]).run().ended(0);
    assert_eq!(server.asked().len(), 2);
    assert_eq!(server.asked()[0].header("x-key"), Some("secret-of-the-bot"));
    // A flag replaces the host and keeps the path.
    let other = Server::plain(|_| json(json!({ "answer": "good" })));
    let base = other.url.replace("/v1", "");
    akit(&["--base-url", &base]).run().ended(0);
    assert_eq!(other.asked()[0].path, "/chat");
    akit(&["--base-url", &other.url])
        .run()
        .ended(2)
        .err("`--base-url` for provider `http` must be a scheme and host");
    // A scenario with its own server gets nothing from the configuration, and no variable is sent there.
    let own = "provider: http\nproviderConfig: { url: \"https://bot.example/chat\", body: { q: \"{{prompt}}\" } }\n";
    akit(&[])
        .file("s.yaml", format!("{own}{suite}"))
        .run()
        .ended(2)
        .err("is not sent to https://bot.example");
    // A scenario's own keys override the configuration, key by key.
    let own = "provider: http\nproviderConfig: { body: { said: \"{{prompt}}\" } }\n";
    akit(&[]).file("s.yaml", format!("{own}{suite}")).run().ended(0);
    assert_eq!(server.asked().pop().unwrap().body, json!({ "said": "Hello" }));
}

#[test]
fn presets_match_their_servers() {
    let server = Server::plain(|asked| {
        json(match asked.path.as_str() {
            "/webhooks/rest/webhook"
                if asked.body["message"] == "I want a refund" && asked.body["sender"].is_string() =>
            {
                json!([{ "recipient_id": "x", "text": "good" }, { "image": "y" }])
            }
            "/detect" if asked.body["queryInput"]["text"]["text"] == "I want a refund" => {
                json!({ "queryResult": { "responseMessages": [{ "text": { "text": ["good"] } }, { "payload": {} }] } })
            }
            "/runs/wait" if asked.body["input"]["messages"][0]["content"] == "I want a refund" => {
                json!({ "messages": [{ "type": "human", "content": "bad" }, { "type": "ai", "content": "good", "tool_calls": [] }] })
            }
            _ => json!({}),
        })
    });
    for (name, path, more) in [
        ("rasa", "/webhooks/rest/webhook", ""),
        ("dialogflow-cx", "/detect", "  apiKey: some-key\n"),
        ("langgraph", "/runs/wait", ""),
    ] {
        let ran = run(&suite(&server, path, &format!("  like: {name}\n{more}")), &[]).ended(0);
        assert_eq!(text(&ran), "good", "{name}");
    }
    // An explicit key overrides the preset.
    let ran = run(&suite(&server, "/runs/wait", "  like: langgraph\n  answer: /messages/0/content\n"), &[])
        .ended(1);
    assert_eq!(text(&ran), "bad");
}

/// The suite of the README over HTTP, with the program of `fixtures/bot`.
#[cfg(unix)]
#[test]
fn the_customer_service_suite_runs_through_http() {
    let bot = repository().join("fixtures/bot/bot.sh");
    let asked_at = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked_at);
    let server = Server::plain(move |asked| {
        count.fetch_add(1, Ordering::SeqCst);
        let line = json!({ "prompt": asked.body["text"], "tools": [] }).to_string() + "\n";
        json_text(&super::command::piped(&bot, &["--json"], &line))
    });
    let url = server.url.replace("/v1", "/chat");
    let bot = format!(
        "providers:\n  http:\n    url: {url}\n    body: {{ text: \"{{{{prompt}}}}\", history: \"{{{{messages}}}}\" }}\n    answer: /answer\n"
    );
    fixtures::with_bot(&bot, &["-p", "http"]).run().ended(0).out("9 passed, 0 failed, 0 errored");
    assert_eq!(asked_at.load(Ordering::SeqCst), 9);
}

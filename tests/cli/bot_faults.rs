//! Faults of an application behind HTTP, and their messages.

use serde_json::json;

use super::bot::{ASKS, fault, json, json_text, run, suite, typed};
use super::server::{Answer, Server};

#[test]
fn every_fault_of_a_bot_names_its_key_and_shows_the_response() {
    /// Keys next to `url`, the response, and the fault's kind, message and help.
    type Row = (&'static str, fn() -> Answer, &'static str, &'static str, &'static str);
    let table: [Row; 27] = [
        (
            ASKS,
            || json(json!({ "reply": "hi", "m": [{ "t": "x" }] })),
            "malformed-answer",
            "no text at `/answer`; it begins \"{\"m\"",
            "change `answer` (s.yaml:6:3): strings are at `/m/0/t`, `/reply`",
        ),
        (
            ASKS,
            || json(json!({ "answer": null })),
            "malformed-answer",
            "no text at `/answer`",
            "the response has no text",
        ),
        (
            ASKS,
            || json(json!({ "answer": { "text": "hi" } })),
            "malformed-answer",
            "an object at `/answer` instead of text",
            "such as `/answer/text`",
        ),
        (
            ASKS,
            || json(json!({ "answer": ["a", "b"] })),
            "malformed-answer",
            "a list at `/answer` instead of text",
            "such as `/answer/*`",
        ),
        (
            ASKS,
            || json(json!([])),
            "malformed-answer",
            "no text at `/answer`",
            "change `answer` (s.yaml:6:3)",
        ),
        (
            ASKS,
            || typed("text/html", "<!DOCTYPE html><title>Log in</title>"),
            "malformed-answer",
            "it is a web page; it begins \"<!DOCTYPE",
            "change `url` (s.yaml:4:3)",
        ),
        (
            ASKS,
            || typed("text/plain", "hello"),
            "malformed-answer",
            "it is not JSON (column 1); it begins \"hello\"",
            "remove `answer` (s.yaml:6:3)",
        ),
        (
            ASKS,
            || json_text("{\"answer\": \"go"),
            "connection-broken",
            "the body is cut",
            "check the bot's log at `url` (s.yaml:4:3)",
        ),
        (ASKS, || json_text(" \n"), "connection-broken", "the body is empty", "`url` (s.yaml:4:3)"),
        (
            ASKS,
            || Answer::Raw(200, Vec::new(), b"{\"answer\": \"\xff\"}".to_vec()),
            "malformed-answer",
            "invalid UTF-8 at byte 12",
            "answer in UTF-8",
        ),
        (
            ASKS,
            || Answer::Raw(500, Vec::new(), b"boom \x1b[31m".to_vec()),
            "provider-down",
            "answered 500: boom",
            "check the bot's log at `url` (s.yaml:4:3)",
        ),
        (
            ASKS,
            || Answer::Raw(400, Vec::new(), b"{\"message\":\"text is missing\"}".to_vec()),
            "refused-request",
            "text is missing",
            "check the request: `body` (s.yaml:5:3)",
        ),
        (
            ASKS,
            || Answer::Raw(413, Vec::new(), Vec::new()),
            "refused-request",
            "answered 413: (no body)",
            "`body` (s.yaml:5:3)",
        ),
        (
            ASKS,
            || Answer::Raw(404, Vec::new(), b"<h1>Not Found</h1>".to_vec()),
            "refused-request",
            "answered 404: Not Found",
            "check `url` (s.yaml:4:3), and `method`",
        ),
        (
            ASKS,
            || Answer::Raw(401, Vec::new(), Vec::new()),
            "unauthorized",
            "answered 401",
            "`auth` and `headers` next to `url` (s.yaml:4:3)",
        ),
        (
            ASKS,
            || Answer::Raw(302, vec![("location", "https://evil.example/in?key=1".to_owned())], Vec::new()),
            "redirected",
            "answered 302: redirect to https://evil.example/in",
            "set `url` (s.yaml:4:3)",
        ),
        (
            ASKS,
            || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nabc".to_vec()),
            "connection-broken",
            "broke",
            "`url` (s.yaml:4:3)",
        ),
        (
            ASKS,
            || json(json!({ "answer": "good", "error": { "message": "no model" } })),
            "provider-down",
            "no model",
            "`url` (s.yaml:4:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n",
            || json(json!({ "a": { "b": "x" } })),
            "malformed-answer",
            "it is JSON, and `answer` is not set",
            "add `answer:` with a JSON pointer next to `url` (s.yaml:4:3): strings are at `/a/b`",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n",
            || typed("text/html", "\n <html><body>502"),
            "malformed-answer",
            "it is a web page",
            "`url` (s.yaml:4:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n",
            || typed("image/png", "PNG"),
            "malformed-answer",
            "its content type is `image/png`",
            "`url` (s.yaml:4:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  answer: /a\n  tools: /c\n",
            || json(json!({ "a": "good", "c": "no" })),
            "malformed-answer",
            "no list of calls at `/c`",
            "change `tools` (s.yaml:7:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  answer: /a\n  tools: /c\n",
            || json(json!({ "a": "good", "c": [{ "id": 1 }] })),
            "malformed-answer",
            "tool call 1 has no name",
            "change `tools` (s.yaml:7:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  answer: /a\n  session: { header: X-Session }\n",
            || json(json!({ "a": "good" })),
            "malformed-answer",
            "it has no header `X-Session`",
            "change `session` (s.yaml:7:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  sse: { answer: /t }\n",
            || json(json!({ "t": "good" })),
            "malformed-answer",
            "it is not a stream of events",
            "change `sse` (s.yaml:6:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  sse: { answer: /t }\n",
            || typed("text/event-stream", "data: {\"t\": \"good\"}\n\n"),
            "connection-broken",
            "ended without `[DONE]` (`done` under `sse`, s.yaml:6:3)",
            "`url` (s.yaml:4:3)",
        ),
        (
            "  body: { q: \"{{prompt}}\" }\n  sse: { answer: /t }\n",
            || typed("text/event-stream", "data: {\"t\": \"go\"}\n\nevent: error\ndata: overloaded\n\n"),
            "broken-answer",
            "overloaded",
            "`url` (s.yaml:4:3)",
        ),
    ];
    for (keys, answer, kind, words, help) in table {
        let server = Server::plain(move |_| answer());
        let ran = run(&suite(&server, "/", keys), &[]).ended(4);
        let found = fault(&ran);
        let row = format!("{keys}{kind}: {found:?}");
        assert_eq!(found.0, kind, "{row}");
        assert!(found.1.contains(words), "{words} in {row}");
        assert!(found.2.contains(help), "{help} in {row}");
        assert!(!ran.stdout.contains('\u{1b}') && !found.1.contains('\u{1b}'), "{row}");
    }
    let server = Server::plain(|_| Answer::Hang);
    let ran = run(&suite(&server, "/", ASKS), &["--timeout", "100ms"]).ended(4);
    assert_eq!(fault(&ran).0, "timeout");
    assert!(fault(&ran).2.contains("or check `url` (s.yaml:4:3)"), "{:?}", fault(&ran));
}

//! What servers that call themselves OpenAI-compatible really send: an answer is judged, a refusal is a refusal, an
//! error is the error that it is, and nothing passes that is no whole answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Server, completion};

/// What `all fine` meets, from both sides.
const SUITE: &str = "name: s\ncases:\n  - id: a\n    prompt: q\n    expected:\n      type: combined\n      operator: and\n      \
    expectations:\n        - { type: contains, values: [fine] }\n        - { type: not_contains, values: [secret] }\n";

/// A server's behavior and what akit makes of it.
struct Row {
    name: &'static str,
    /// The bodies in turn, the last one for ever.
    bodies: Vec<(u16, Vec<u8>)>,
    outcome: &'static str,
    /// The kind of the fault; empty where there is none.
    fault: &'static str,
    /// How often it is asked where one retry is allowed.
    asked: usize,
    /// What somebody reads of it.
    words: &'static str,
}

fn row(
    name: &'static str,
    bodies: Vec<(u16, Vec<u8>)>,
    (outcome, fault): (&'static str, &'static str),
    asked: usize,
    words: &'static str,
) -> Row {
    Row { name, bodies, outcome, fault, asked, words }
}

fn ok(body: impl AsRef<[u8]>) -> (u16, Vec<u8>) {
    (200, body.as_ref().to_vec())
}

/// A completion after a change.
fn with(change: impl FnOnce(&mut Json)) -> (u16, Vec<u8>) {
    let mut body = completion("all fine");
    change(&mut body);
    ok(body.to_string())
}

fn message(message: Json) -> (u16, Vec<u8>) {
    with(|body| body["choices"][0]["message"] = message)
}

fn ended(word: &str, text: &str) -> (u16, Vec<u8>) {
    with(|body| {
        body["choices"][0]["finish_reason"] = word.into();
        body["choices"][0]["message"]["content"] = text.into();
    })
}

fn fine() -> (u16, Vec<u8>) {
    ok(completion("all fine").to_string())
}

#[expect(clippy::too_many_lines, reason = "a table has as many as there are behaviors")]
fn table() -> Vec<Row> {
    const PASSED: (&str, &str) = ("passed", "");
    const FAILED: (&str, &str) = ("failed", "");
    let body = completion("all fine").to_string();
    let errored = |kind| ("errored", kind);
    let blocked = json!({ "error": { "message": "The response was filtered", "code": "content_filter", "status": 400,
        "innererror": { "code": "ResponsibleAIPolicyViolation" } } });
    let mut rows = vec![
        // Bodies.
        row("byte-order mark", vec![ok(format!("\u{feff}{body}"))], PASSED, 1, ""),
        row("blank lines that keep the connection", vec![ok(format!("\n\n \n{body}\n"))], PASSED, 1, ""),
        row("half a character", vec![ok(body.replace("all fine", "all fine \\ud83d"))], PASSED, 1, ""),
        row("an emoji in escapes", vec![ok(body.replace("all fine", "fine \\ud83d\\ude00"))], PASSED, 1, ""),
        row("cut and well again", vec![ok(&body[..body.len() / 2]), fine()], PASSED, 2, ""),
        row("cut for ever", vec![ok(&body[..40])], errored("connection-broken"), 2, "the body is cut"),
        row(
            "cut in half a character",
            vec![ok(r#"{"choices":[{"message":{"content":"x\ud8"#)],
            errored("connection-broken"),
            2,
            "the body is cut",
        ),
        row("empty and well again", vec![ok(""), fine()], PASSED, 2, ""),
        row("empty for ever", vec![ok(" \r\n")], errored("connection-broken"), 2, "the body is empty"),
        row("no content", vec![(204, Vec::new())], errored("connection-broken"), 2, "the body is empty"),
        row(
            "a sign-in page",
            vec![ok("<html><title>Sign in</title>")],
            errored("malformed-reply"),
            1,
            "it is not JSON",
        ),
        row(
            "two bodies",
            vec![ok(format!("{body}{body}"))],
            errored("malformed-reply"),
            1,
            "behind the end of its JSON",
        ),
        row(
            "bytes that are no text",
            vec![ok(b"{\"a\":\"\xff\"}")],
            errored("malformed-reply"),
            1,
            "invalid UTF-8",
        ),
        // Errors that come as answers.
        row(
            "an error with its code",
            vec![ok(r#"{"error":{"message":"Provider returned error","code":429}}"#), fine()],
            PASSED,
            2,
            "",
        ),
        row(
            "out of credit",
            vec![ok(r#"{"error":{"message":"no credit","code":402}}"#)],
            errored("unauthorized"),
            1,
            "no credit",
        ),
        row(
            "an error with a code below 400",
            vec![ok(r#"{"error":{"message":"moved","code":302}}"#)],
            errored("redirected"),
            1,
            "moved",
        ),
        row(
            "an error with another number",
            vec![ok(r#"{"error":{"message":"odd","code":7}}"#), fine()],
            PASSED,
            2,
            "",
        ),
        row(
            "a provider that died midway",
            vec![with(|body| {
                body["choices"][0]["error"] = json!({ "code": 502, "message": "terminated" });
                body["choices"][0]["finish_reason"] = "error".into();
            })],
            errored("provider-down"),
            2,
            "terminated",
        ),
        row(
            "an error beside choices",
            vec![with(|body| body["error"] = json!({ "code": 503 }))],
            errored("provider-down"),
            2,
            "503",
        ),
        row(
            "an error of nothing",
            vec![with(|body| body["error"] = json!({ "code": 0, "message": "" }))],
            PASSED,
            1,
            "",
        ),
        // Prompts that a platform blocks.
        row(
            "Azure blocks the prompt",
            vec![(400, blocked.to_string().into_bytes())],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "Gemini blocks the prompt",
            vec![ok(r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#)],
            FAILED,
            1,
            "finish_reason PROHIBITED_CONTENT",
        ),
        row(
            "Gemini blocks for a new reason",
            vec![ok(r#"{"choices":[],"promptFeedback":{"blockReason":"JAILBREAK"}}"#)],
            FAILED,
            1,
            "finish_reason content_filter",
        ),
        row(
            "another 400",
            vec![(400, br#"{"error":{"message":"too long","code":"context_length"}}"#.to_vec())],
            errored("refused-request"),
            1,
            "too long",
        ),
        // Contents.
        row(
            "parts of text",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all " }, { "type": "output_text", "text": "fine" }] }),
            )],
            PASSED,
            1,
            "",
        ),
        row(
            "thoughts among the parts",
            vec![message(
                json!({ "content": [{ "type": "reasoning", "text": "the secret" }, { "type": "thinking", "thinking": "secret", "text": "secret" }, { "text": "secret", "thought": true }, { "type": "text", "text": "all fine" }] }),
            )],
            PASSED,
            1,
            "",
        ),
        row(
            "only thoughts among the parts",
            vec![message(json!({ "content": [{ "type": "reasoning", "text": "all fine" }] }))],
            FAILED,
            1,
            "missing 1 of 1",
        ),
        row(
            "thoughts beside the content",
            vec![message(json!({ "content": "all fine", "reasoning_content": "the secret" }))],
            PASSED,
            1,
            "",
        ),
        row(
            "a refusal",
            vec![message(json!({ "content": null, "refusal": "all fine" }))],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "an empty refusal",
            vec![message(json!({ "content": "all fine", "refusal": "" }))],
            PASSED,
            1,
            "",
        ),
        row("no content", vec![message(json!({ "content": null }))], FAILED, 1, "missing 1 of 1"),
        row(
            "a number as content",
            vec![message(json!({ "content": 7 }))],
            errored("malformed-reply"),
            1,
            "is no text",
        ),
        row(
            "a part of another shape",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "text", "text": { "value": "secret" } }] }),
            )],
            errored("malformed-reply"),
            1,
            "a part 2 without text",
        ),
        row(
            "a part of an unknown type",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "tool_use", "name": "refund" }] }),
            )],
            errored("malformed-reply"),
            1,
            "a part 2 of type `tool_use`",
        ),
        row(
            "a bare text among the parts",
            vec![message(json!({ "content": [{ "type": "text", "text": "all fine" }, "secret"] }))],
            errored("malformed-reply"),
            1,
            "a part 2 without text",
        ),
        row(
            "a part that refuses",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "refusal", "text": "I can't" }] }),
            )],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a refusal without words",
            vec![message(json!({ "content": "all fine", "refusal": true }))],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a call and no text",
            vec![message(
                json!({ "content": "", "tool_calls": [{ "function": { "name": "refund", "arguments": {} } }] }),
            )],
            FAILED,
            1,
            "missing 1 of 1",
        ),
        // Ends.
        row(
            "no word for the end",
            vec![with(|body| {
                body["choices"][0].as_object_mut().unwrap().remove("finish_reason");
            })],
            PASSED,
            1,
            "",
        ),
        row(
            "null for the end",
            vec![with(|body| body["choices"][0]["finish_reason"] = Json::Null)],
            PASSED,
            1,
            "",
        ),
        row("an end in capitals", vec![ended("STOP", "all fine")], PASSED, 1, ""),
        row(
            "a native word for cut",
            vec![ended("MAX_TOKENS", "all fine")],
            FAILED,
            1,
            "cut off (finish_reason MAX_TOKENS)",
        ),
        row(
            "a native word for a filter",
            vec![ended("RECITATION", "all fine")],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a word that nobody knows",
            vec![ended("quantum", "all fine")],
            errored("unknown-stop-reason"),
            1,
            "stopWords",
        ),
        row(
            "an end that is told elsewhere",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = Json::Null;
                body["done_reason"] = "length".into();
            })],
            FAILED,
            1,
            "cut off (finish_reason length)",
        ),
        row(
            "a state beside the end",
            vec![with(|body| body["status"] = "incomplete".into())],
            FAILED,
            1,
            "cut off (finish_reason incomplete)",
        ),
        row(
            "a worse native word",
            vec![with(|body| body["choices"][0]["native_finish_reason"] = "SAFETY".into())],
            FAILED,
            1,
            "refused to answer (finish_reason SAFETY)",
        ),
        row(
            "an unknown native word",
            vec![with(|body| body["choices"][0]["native_finish_reason"] = "quantum".into())],
            PASSED,
            1,
            "",
        ),
        row(
            "a filter that has cut something",
            vec![with(|body| {
                body["choices"][0]["content_filter_results"] = json!({ "hate": { "filtered": true } });
            })],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "a blocked prompt beside an answer",
            vec![with(|body| body["promptFeedback"] = json!({ "blockReason": "SAFETY" }))],
            FAILED,
            1,
            "refused to answer (finish_reason SAFETY)",
        ),
        row(
            "errors in a list",
            vec![with(|body| body["errors"] = json!([{ "code": 503, "message": "half of it" }])), fine()],
            PASSED,
            2,
            "",
        ),
        row("broken and well again", vec![ended("network_error", "all"), fine()], PASSED, 2, ""),
        // Tokens that all went into thoughts.
        row(
            "thoughts use up the tokens",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = "length".into();
                body["choices"][0]["message"]["content"] = "".into();
                body["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 64, "completion_tokens_details": { "reasoning_tokens": 64 } });
            })],
            FAILED,
            1,
            "the model used all 64 tokens for thinking; raise `maxTokens`",
        ),
        row(
            "thoughts use up the tokens, told by the text",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = "max_tokens".into();
                body["choices"][0]["message"] =
                    json!({ "content": null, "reasoning_content": "Let me think" });
                body["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 32 });
            })],
            FAILED,
            1,
            "used all 32 tokens for thinking",
        ),
    ];
    // Answers that say nothing never pass what a text must lack.
    for (name, text) in
        [("a null", "null"), ("an empty fence", "```json\n```"), ("open thoughts", "<think>all fine")]
    {
        rows.push(row(name, vec![ended("stop", text)], FAILED, 1, ""));
    }
    rows
}

fn asked_of(bodies: Vec<(u16, Vec<u8>)>, suite: &str) -> (Ran, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let turn = Arc::clone(&count);
    let server = Server::start(move |_| {
        let at = turn.fetch_add(1, Ordering::SeqCst).min(bodies.len() - 1);
        Answer::Raw(bodies[at].0, Vec::new(), bodies[at].1.clone())
    });
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--retries", "1", "--json", "run.json"])
        .args(&["--base-url", &server.url])
        .file("s.yaml", suite)
        .run();
    (ran, count.load(Ordering::SeqCst))
}

#[test]
fn a_gateway_is_read_as_it_is() {
    for Row { name, bodies, outcome, fault, asked, words } in table() {
        let (ran, count) = asked_of(bodies, SUITE);
        let case = &ran.json("run.json")["cases"][0];
        assert_eq!(case["outcome"], outcome, "{name}: {case}");
        let code = match outcome {
            "passed" => 0,
            "failed" => 1,
            _ => 4,
        };
        assert_eq!((ran.status, count), (code, asked), "{name}: {}", ran.stdout);
        let found = &case["trials"][0]["fault"];
        assert_eq!(found["kind"].as_str().unwrap_or_default(), fault, "{name}");
        let told = format!("{} {} {}", case["reason"], found["message"], found["help"]);
        assert!(told.contains(words), "{name}: no {words:?} in {told}");
        assert!(!told.contains("EOF while") && !told.contains("expected value"), "{name}: {told}");
    }
}

/// The word is the provider's; what it means is the user's to say.
#[test]
fn a_stop_word_can_be_taught_and_a_known_one_cannot() {
    for (meaning, code, words) in [
        ("complete", 0, "1 passed"),
        ("tool_calls", 0, "1 passed"),
        ("cut", 1, "cut off"),
        ("refused", 1, "refused to answer"),
        ("filtered", 1, "refused to answer"),
        ("broken", 4, "ended with an error"),
    ] {
        let suite = format!("providerConfig: {{ stopWords: {{ Quantum-Leap: {meaning} }} }}\n{SUITE}");
        let (ran, _) = asked_of(vec![ended("QUANTUM_LEAP", "all fine")], &suite);
        let ran = ran.ended(code).out(words);
        let answer = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"];
        assert_eq!((&answer["finish_reason"], &answer["stop"]), (&json!("QUANTUM_LEAP"), &json!(meaning)));
        // The configuration can say it for every scenario, and recorded answers are read alike.
        let line = json!({ "id": "a", "reply": "all fine", "finish_reason": "quantum_leap" }).to_string();
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("s.yaml", SUITE)
            .file(
                "akit.yaml",
                format!("providers: {{ openai: {{ stopWords: {{ quantum_leap: {meaning} }} }} }}\n"),
            )
            .file("r.jsonl", line)
            .run()
            .ended(code);
    }
    for (words, told) in [
        ("{ STOP: broken }", "`stopWords` is a mapping of words that akit does not know, found `STOP`"),
        ("{ max-tokens: complete }", "words that akit does not know, found `max-tokens`"),
        ("{ quantum: compelte }", "did you mean `complete`?"),
        ("{ quantum: unknown }", "one of `complete`, `tool_calls`, `cut`"),
    ] {
        let suite = format!("providerConfig: {{ stopWords: {words} }}\n{SUITE}");
        Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite).run().ended(2).err(told).err("s.yaml:1:");
    }
}

#[test]
fn a_cut_answer_passes_only_what_it_holds_and_only_where_that_is_allowed() {
    let case = |id: &str, expected: &str, more: &str| {
        format!("  - {{ id: {id}, prompt: q, expected: {{ {expected} }}{more} }}\n")
    };
    let cases = [
        case("has", "type: contains, values: [fine]", ""),
        case("never", "type: contains, values: [fine]", ", allow_cut: false"),
        case("lacks", "type: not_contains, values: [secret]", ""),
        case("short", "type: inline, expression: \"length < 99\"", ""),
        case("any", "type: regex, pattern: \"^[^s]*$\"", ""),
        case("not", "not: { type: contains, values: [secret] }", ""),
    ]
    .concat();
    let (ran, _) = asked_of(vec![ended("length", "all fine")], &format!("allow_cut: true\ncases:\n{cases}"));
    let outcomes = super::replies::outcomes(&ran.ended(1).json("run.json"));
    assert_eq!(
        outcomes,
        ["has passed", "never failed", "lacks failed", "short failed", "any failed", "not failed"]
    );
}

#[test]
fn broken_embeddings_are_no_similarity_and_no_difference() {
    for (vector, words) in [
        ("[0.0,1.0]", "e gave embeddings of 3 and 2 numbers"),
        ("[0,0,0]", "e gave an embedding of zeros, or with a number that is none"),
        ("[-0.0,0,1e-60]", "e gave an embedding of zeros"),
        ("[1e39,1e39,0]", "with a number that is none"),
        ("[1,-1e39,0]", "with a number that is none"),
    ] {
        for (inner, outer) in [("", ""), ("not: { ", " }")] {
            let server = Server::start(move |asked| {
                let vector = if asked.body["input"] == "Hello" { "[1.0,0.0,0.0]" } else { vector };
                Answer::Raw(200, Vec::new(), format!("{{\"data\":[{{\"embedding\":{vector}}}]}}").into())
            });
            let expected = format!("{inner}type: similarity, value: Hello, embeddingModel: e{outer}");
            let suite = format!("cases:\n  - {{ id: a, prompt: q, expected: {{ {expected} }} }}\n");
            Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j"])
                .args(&["--grader-base-url", &server.url])
                .file("s.yaml", suite)
                .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"Good morning\"}\n")
                .run()
                .ended(4)
                .out(words);
        }
    }
}

//! What OpenAI-compatible servers really send: answers are judged, refusals and errors are recognized as such, and an
//! incomplete answer does not pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::gateway_odd;
use super::gateway_rows::{Row, ended, fine, ok, table, with};
use super::server::{Answer, Server, completion};

/// Expectations met and not met by `all fine`.
const SUITE: &str = "name: s\ncases:\n  - id: a\n    prompt: q\n    expected:\n      type: combined\n      operator: and\n      \
    expectations:\n        - { type: contains, values: [fine] }\n        - { type: not_contains, values: [secret] }\n";

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
fn real_gateway_responses_are_read() {
    for Row { name, bodies, outcome, fault, asked, words } in table().into_iter().chain(gateway_odd::table())
    {
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
        let message = format!("{} {} {}", case["reason"], found["message"], found["help"]);
        assert!(message.contains(words), "{name}: no {words:?} in {message}");
        assert!(!message.contains("EOF while") && !message.contains("expected value"), "{name}: {message}");
    }
}

/// A replay reports what the run saw, and the next run asks again.
#[test]
fn a_broken_answer_is_replayed_as_the_same_error() {
    let body = completion("all fine").to_string();
    let rows = [
        ("a stop word", ended("network_error", "all"), "broken-answer"),
        ("another stop word", ended("TIMEOUT", "all fine"), "broken-answer"),
        (
            "an error in a choice",
            with(|body| body["choices"][0]["error"] = json!({ "code": 502, "message": "terminated" })),
            "provider-down",
        ),
        ("an error next to choices", with(|body| body["error"] = json!({ "code": 503 })), "provider-down"),
        ("an error alone", ok(r#"{"error":{"message":"odd","code":7}}"#), "provider-down"),
        ("cut", ok(&body[..40]), "connection-broken"),
        ("empty", ok(""), "connection-broken"),
    ];
    for (name, broken, kind) in rows {
        let count = Arc::new(AtomicUsize::new(0));
        let turn = Arc::clone(&count);
        let server = Server::start(move |_| {
            let (status, body) =
                if turn.fetch_add(1, Ordering::SeqCst) < 2 { broken.clone() } else { fine() };
            Answer::Raw(status, Vec::new(), body)
        });
        let place = Akit::new(&["validate", "s.yaml"]).file("s.yaml", SUITE).run();
        let run = |more: &[&str]| {
            place
                .then(&[
                    "run",
                    "s.yaml",
                    "-m",
                    "m",
                    "--retries",
                    "1",
                    "--json",
                    "run.json",
                    "--target-version",
                    "1",
                ])
                .args(&["--base-url", &server.url])
                .args(more)
                .run()
        };
        let fault = |ran: &Ran| ran.json("run.json")["cases"][0]["trials"][0]["fault"].clone();
        let first = fault(&run(&["--cache", "auto"]).ended(4));
        assert_eq!(first["kind"], kind, "{name}");
        let replayed = run(&["--replay"]).ended(4);
        assert_eq!(fault(&replayed), first, "{name}");
        assert_eq!(fault(&run(&["--replay"])), first, "{name}");
        assert_eq!(count.load(Ordering::SeqCst), 2, "{name}");
        run(&["--cache", "auto"]).ended(0);
        run(&["--replay"]).ended(0);
        assert_eq!(count.load(Ordering::SeqCst), 3, "{name}");
    }
}

/// The stop word is the provider's; the user can say what it means.
#[test]
fn a_stop_word_can_be_defined_but_a_known_one_cannot_be_redefined() {
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
        // The configuration can define it for every scenario, and it applies to recorded answers, too.
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
    for (words, message) in [
        ("{ STOP: broken }", "`stopWords` must be a mapping of words that akit does not know, found `STOP`"),
        ("{ max-tokens: complete }", "words that akit does not know, found `max-tokens`"),
        ("{ quantum: compelte }", "did you mean `complete`?"),
        ("{ quantum: unknown }", "one of `complete`, `tool_calls`, `cut`"),
    ] {
        let suite = format!("providerConfig: {{ stopWords: {words} }}\n{SUITE}");
        Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite).run().ended(2).err(message).err("s.yaml:1:");
    }
}

#[test]
fn a_truncated_answer_passes_only_if_allowed_and_only_for_text_it_has() {
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
fn broken_embeddings_are_an_error_and_not_a_similarity() {
    for (vector, words) in [
        ("[0.0,1.0]", "e returned embeddings of different lengths: 3 and 2"),
        ("[0,0,0]", "e returned an embedding of zeros, or one with an invalid number"),
        ("[-0.0,0,1e-60]", "e returned an embedding of zeros"),
        ("[1e39,1e39,0]", "with an invalid number"),
        ("[1,-1e39,0]", "with an invalid number"),
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

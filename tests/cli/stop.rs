//! Stop reasons, and errors that look like answers: an answer that may be incomplete does not pass.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::replies::outcomes;
use super::server::{Answer, Server, completion};

/// A positive and a negative expectation that the answer `all fine` meets.
const SUITE: &str = "name: s\ncases:\n  - { id: has, prompt: has, expected: { type: contains, values: [fine] } }\n  \
    - { id: lacks, prompt: lacks, expected: { type: not_contains, values: [secret] } }\n";

/// Stop words of providers, and the outcome of both cases.
const WORDS: [(&str, &str); 26] = [
    ("stop", "passed"),
    ("STOP", "passed"),
    ("end_turn", "passed"),
    ("end-turn", "passed"),
    ("COMPLETE", "passed"),
    ("eos", "passed"),
    ("", "passed"),
    ("tool_calls", "passed"),
    ("length", "failed"),
    ("MAX_TOKENS", "failed"),
    ("model_context_window_exceeded", "failed"),
    ("pause_turn", "failed"),
    ("incomplete", "failed"),
    ("content_filter", "failed"),
    ("SAFETY", "failed"),
    ("RECITATION", "failed"),
    ("PROHIBITED_CONTENT", "failed"),
    ("guardrail_intervened", "failed"),
    ("refusal", "failed"),
    ("error", "errored"),
    ("TIMEOUT", "errored"),
    ("network_error", "errored"),
    ("MALFORMED_RESPONSE", "errored"),
    ("insufficient_system_resource", "errored"),
    ("OTHER", "errored"),
    ("stop ", "errored"),
];

fn ended(word: &str) -> Json {
    let mut answer = completion("all fine");
    end(&mut answer, word);
    answer
}

/// Ends an answer for this reason; if the reason is a call, the answer has one.
fn end(answer: &mut Json, word: &str) {
    answer["choices"][0]["finish_reason"] = word.into();
    if word == "tool_calls" {
        let call =
            json!({ "id": "1", "type": "function", "function": { "name": "look", "arguments": "{}" } });
        answer["choices"][0]["message"]["tool_calls"] = json!([call]);
    }
}

fn asking(url: &str, suite: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "-m", "m", "--retries", "0", "--base-url", url, "--json", "run.json"])
        .args(more)
        .file("s.yaml", suite)
        .run()
}

#[track_caller]
fn both(ran: &Ran, outcome: &str, word: &str) {
    let expected = [format!("has {outcome}"), format!("lacks {outcome}")];
    assert_eq!(outcomes(&ran.json("run.json")), expected, "{word:?}");
    let code = match outcome {
        "passed" => 0,
        "failed" => 1,
        _ => 4,
    };
    assert_eq!(ran.status, code, "{word:?}: {}", ran.stdout);
    if outcome == "errored" {
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert!(fault["message"].as_str().unwrap().contains(word.trim()), "{word:?}: {fault}");
    }
}

#[test]
fn an_answer_is_judged_only_if_its_stop_word_is_known() {
    for (word, outcome) in WORDS {
        let server = Server::start(move |_| Answer::Raw(200, Vec::new(), ended(word).to_string().into()));
        both(&asking(&server.url, SUITE, &[]), outcome, word);
        let line = |id: &str| json!({ "id": id, "reply": "all fine", "finish_reason": word }).to_string();
        let given = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .file("s.yaml", SUITE)
            .file("r.jsonl", [line("has"), line("lacks")].join("\n"))
            .run();
        both(&given, outcome, word);
    }
    // A stop word that is not text is unknown, too.
    for odd in [json!(0), json!(true), json!({ "type": "stop" }), json!(["stop"])] {
        let server = Server::start(move |_| {
            let mut answer = completion("all fine");
            answer["choices"][0]["finish_reason"] = odd.clone();
            Answer::Raw(200, Vec::new(), answer.to_string().into())
        });
        asking(&server.url, SUITE, &[]).ended(4).out("2 errored");
    }
}

#[test]
fn ten_thousand_random_words_are_all_errored() {
    let mut state = 2_463_534_242_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let (mut suite, mut replies) = ("name: s\ncases:\n".to_owned(), String::new());
    for n in 0..10_000 {
        // No vendor's stop word starts like this.
        let word: String = (0..=random() % 12).map(|_| char::from(b'a' + (random() % 26) as u8)).collect();
        let kind = if n % 2 == 0 { "not_contains, values: [x]" } else { "contains, values: [fine]" };
        writeln!(suite, "  - {{ id: c{n}, prompt: p, expected: {{ type: {kind} }} }}").unwrap();
        let line = json!({ "id": format!("c{n}"), "reply": "fine", "finish_reason": format!("q{word}") });
        writeln!(replies, "{line}").unwrap();
    }
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--max-error-rate", "1", "-q"])
        .file("s.yaml", suite)
        .file("r.jsonl", replies)
        .run()
        .ended(4);
    assert!(ran.stdout.contains("0 passed, 0 failed, 10,000 errored"), "{}", ran.stdout);
}

/// An errored answer is not kept: the next run asks again, and does not pay again for good ones.
#[test]
fn only_answers_are_read_from_the_cache() {
    for (word, asks_again) in
        [("quantum", true), ("OTHER", true), ("MAX_TOKENS", false), ("refusal", false), ("stop", false)]
    {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let server = Server::start(move |_| {
            let word = if counter.fetch_add(1, Ordering::Relaxed) < 2 { word } else { "stop" };
            Answer::Raw(200, Vec::new(), ended(word).to_string().into())
        });
        let more = ["--cache", "auto", "--target-version", "1"];
        let first = asking(&server.url, SUITE, &more);
        let run =
            ["run", "s.yaml", "-m", "m", "--retries", "0", "--base-url", &server.url, "--json", "run.json"];
        let again = first.then(&[&run[..], &more].concat()).run();
        assert_eq!(asked.load(Ordering::Relaxed), if asks_again { 4 } else { 2 }, "{word}");
        assert_eq!(again.status, if asks_again { 0 } else { first.status }, "{word}");
    }
}

#[test]
fn a_judges_stop_word_uses_the_same_table() {
    let suite = "name: s\ncases:\n  - { id: a, prompt: a, expected: { type: llm_grader, rubric: Be kind., threshold: 0.5 } }\n";
    for (word, outcome) in WORDS {
        let server = Server::start(move |asked| {
            let known_bad = !asked.body["messages"][0]["content"].to_string().contains("Be kind.");
            let score = if known_bad { 0 } else { 10 };
            let mut answer = completion(&json!({ "reasoning": "x", "score": score }).to_string());
            if !known_bad {
                end(&mut answer, word);
            }
            Answer::Raw(200, Vec::new(), answer.to_string().into())
        });
        let ran =
            Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--retries", "0"])
                .args(&["--grader-model", "j", "--grader-base-url", &server.url])
                .file("s.yaml", suite)
                .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"I am sorry.\"}")
                .run();
        // A verdict that is cut off or refused is not a verdict.
        let outcome = if outcome == "passed" { "a passed" } else { "a errored" };
        assert_eq!(outcomes(&ran.json("run.json")), [outcome], "{word:?}");
    }
}

#[test]
fn an_error_inside_an_answer_is_that_error() {
    let partial = completion("all fine");
    let with = |pointer: &str, error: Json| {
        let mut answer = partial.clone();
        match pointer {
            "choice" => answer["choices"][0]["error"] = error,
            "message" => answer["choices"][0]["message"]["error"] = error,
            _ => answer["error"] = error,
        }
        answer
    };
    let error = |code: Json| json!({ "message": "terminated", "code": code });
    // The answer, the kind of its fault, and the number of requests.
    let table = [
        (with("choice", error(json!(502))), "provider-down", 3),
        (with("beside", error(json!(429))), "rate-limited", 1),
        (with("beside", error(json!("503"))), "provider-down", 3),
        (with("beside", error(json!(402))), "unauthorized", 1),
        (with("choice", error(json!(401))), "unauthorized", 1),
        (with("message", error(json!(502))), "provider-down", 3),
        (with("beside", error(json!("insufficient_quota"))), "unauthorized", 1),
        (with("beside", error(json!("invalid_api_key"))), "unauthorized", 1),
        (with("message", error(json!("model_not_found"))), "refused-request", 1),
        (with("beside", json!("terminated")), "provider-down", 3),
        (json!({ "error": { "message": "terminated", "code": 429 } }), "rate-limited", 1),
        (json!({ "error": { "message": "terminated", "code": 404 }, "choices": [] }), "refused-request", 1),
    ];
    for (answer, kind, tries) in table {
        let (body, asked) = (answer.to_string(), std::sync::Arc::new(AtomicUsize::new(0)));
        let count = std::sync::Arc::clone(&asked);
        let server = Server::start(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Answer::Raw(200, Vec::new(), body.clone().into())
        });
        let suite = SUITE.split("  - { id: lacks").next().unwrap();
        let args =
            ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "run.json", "--patience", "0"];
        let ran = Akit::new(&args).file("s.yaml", suite).run().ended(4);
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], kind, "{answer}");
        assert_eq!(asked.load(Ordering::SeqCst), tries, "{answer}");
        // An error that a replay must repeat is recorded, but nothing of the answer.
        if kind == "provider-down" {
            let records = ran.all(".akit/cache");
            assert!(records.contains("\"usable\": false") && !records.contains("all fine"), "{records}");
        } else {
            assert!(!ran.path(".akit/cache").exists(), "the error must not be recorded: {answer}");
        }
    }
    // An error field without content is not an error.
    for none in [Json::Null, json!(""), json!(false), json!({}), json!([]), json!(0), json!({ "code": 0 })] {
        let body = with("beside", none).to_string();
        let server = Server::start(move |_| Answer::Raw(200, Vec::new(), body.clone().into()));
        asking(&server.url, SUITE, &[]).ended(0);
    }
    // It may work next time.
    let turn = AtomicUsize::new(0);
    let healed = Server::start(move |_| {
        let broken = turn.fetch_add(1, Ordering::SeqCst) == 0;
        let answer = if broken { ended("error") } else { completion("all fine") };
        Answer::Raw(200, Vec::new(), answer.to_string().into())
    });
    Akit::new(&["run", "s.yaml", "-m", "m", "-c", "1", "--base-url", &healed.url])
        .file("s.yaml", SUITE)
        .run()
        .ended(0);
    assert_eq!(healed.asked().len(), 3);
}

#[test]
fn an_answer_that_is_only_a_tool_call_has_no_text() {
    let call = |arguments: Json| json!({ "id": "call_1", "type": "function", "function": { "name": "transfer_to_human", "arguments": arguments } });
    let one = vec![call(json!("{\"to\":\"jane.doe@example.com\"}"))];
    let two = vec![one[0].clone(), json!({ "function": { "name": "close", "arguments": { "now": true } } })];
    for (content, calls, words) in [
        (Json::Null, &one, "tool call: transfer_to_human"),
        (json!(""), &one, "tool call: transfer_to_human"),
        (json!("\u{200b} "), &two, "tool call: close {\"now\":true}"),
    ] {
        let mut answer = completion("");
        answer["choices"][0]["finish_reason"] = "tool_calls".into();
        answer["choices"][0]["message"] = json!({ "content": content, "tool_calls": calls });
        let body = answer.to_string();
        let server = Server::start(move |_| Answer::Raw(200, Vec::new(), body.clone().into()));
        let ran = asking(&server.url, SUITE, &[]).ended(1).out("1 passed, 1 failed").out(words);
        let trial = ran.json("run.json")["cases"][1]["trials"][0].clone();
        // It passes an expectation that a text is missing, and fails one that needs a text.
        assert_eq!(trial["outcome"], "passed", "{trial}");
        let stored = &trial["turns"][0]["answer"]["tool_calls"][0];
        assert_eq!(stored["arguments"]["to"], "jane.doe@example.com");
        assert!(!ran.stdout.contains("is empty"), "{}", ran.stdout);
        // The record has it as well, so a replay gives the same result.
        let before = server.asked().len();
        let replay = ran.then(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--replay"]);
        replay.run().ended(1).out(words);
        assert_eq!(server.asked().len(), before);
        // With redaction, neither the record nor the report contains the value.
        let redacted = asking(&server.url, SUITE, &["--redact"]).ended(1);
        let records = redacted.all(".akit");
        assert!(records.contains("transfer_to_human") && records.contains("[REDACTED:email]"));
        assert!(!records.contains("jane.doe") && !redacted.read("run.json").contains("jane.doe"));
    }
    // Next to text it is kept, and the text is judged.
    let mut answer = completion("all fine");
    answer["choices"][0]["message"]["function_call"] = json!({ "name": "refund", "arguments": "not json" });
    let body = answer.to_string();
    let server = Server::start(move |_| Answer::Raw(200, Vec::new(), body.clone().into()));
    let ran = asking(&server.url, SUITE, &[]).ended(0);
    let call = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["tool_calls"][0];
    assert_eq!(*call, json!({ "name": "refund", "arguments": "not json" }));
}

#[test]
fn a_refusal_among_the_parts_of_an_answer_is_a_refusal() {
    let mut answer = completion("");
    answer["choices"][0]["message"]["content"] =
        json!([{ "type": "refusal", "refusal": "No." }, { "type": "text", "text": "all fine" }]);
    let body = answer.to_string();
    let server = Server::start(move |_| Answer::Raw(200, Vec::new(), body.clone().into()));
    asking(&server.url, SUITE, &[]).ended(1).out("0 passed, 2 failed").out("refused to answer");
}

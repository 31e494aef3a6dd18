//! How gateways and servers really answer as judges: what they refuse, in which form they answer, and what surrounds
//! a verdict.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::canaries;
use super::replies::replies;
use super::server::{Answer, Asked, Server, completion};

pub(super) const SUITE: &str = "cases:\n  - id: a\n    prompt: My card is gone.\n    expected: { type: llm_grader, rubric: Be \
                     kind., threshold: 0.5 }\n";

pub(super) fn run(url: &str, config: &str, more: &[&str]) -> Ran {
    ask("j", url, config, more)
}

pub(super) fn ask(judge: &str, url: &str, config: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--retries", "0"])
        .args(&["--grader-model", judge, "--grader-base-url", url])
        .args(more)
        .file("akit.yaml", config)
        .file("s.yaml", SUITE)
        .file("r.jsonl", replies(&[("a", "I am sorry. I block it now.")]))
        .run()
}

pub(super) fn verdict(score: u64) -> String {
    json!({ "reasoning": "kind enough", "score": score }).to_string()
}

/// A sound judge's answer: 9, or 0 for known-bad answers.
pub(super) fn sound(asked: &Asked) -> String {
    canaries::verdict(asked).unwrap_or_else(|| verdict(9))
}

pub(super) fn ok(body: &Json) -> Answer {
    Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
}

pub(super) fn refusal(status: u16, body: &str) -> Answer {
    Answer::Raw(status, Vec::new(), body.as_bytes().to_vec())
}

/// A completion whose message has these members in addition to its role.
fn message(members: &Json, finish: &str) -> Answer {
    let mut body = completion("");
    body["choices"][0]["message"] = members.clone();
    body["choices"][0]["message"]["role"] = "assistant".into();
    body["choices"][0]["finish_reason"] = finish.into();
    ok(&body)
}

/// A call of the verdict function next to this content.
fn call(content: &Json, arguments: &Json, finish: &str) -> Answer {
    let function = json!({ "name": "verdict", "arguments": arguments });
    let calls = json!([{ "id": "1", "type": "function", "function": function }]);
    message(&json!({ "content": content, "tool_calls": calls }), finish)
}

/// The form in which a request asks for a verdict.
pub(super) fn form(asked: &Asked) -> &'static str {
    match (asked.body.get("response_format"), asked.body.get("tool_choice")) {
        (Some(_), None) => "schema",
        (None, Some(_)) => "call",
        (None, None) => "words",
        (Some(_), Some(_)) => "both",
    }
}

/// Answers that are a verdict, and answers that are not in any form.
/// A call whose arguments are an object instead of a string.
fn raw_call(arguments: &str) -> Answer {
    let function = format!(r#"{{"name":"verdict","arguments":{arguments}}}"#);
    let message = format!(r#"{{"content":null,"tool_calls":[{{"id":"1","function":{function}}}]}}"#);
    let body = format!(r#"{{"choices":[{{"finish_reason":"tool_calls","message":{message}}}]}}"#);
    Answer::Raw(200, Vec::new(), body.into())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_verdict_is_read_in_every_unambiguous_form() {
    type Reply = fn(&Asked) -> Answer;
    let read: [(&str, Reply); 23] = [
        ("a byte-order mark", |asked| Answer::Text(format!("\u{feff}{}", sound(asked)))),
        ("the end of thoughts alone", |asked| Answer::Text(format!("hm\n</think>\n{}", sound(asked)))),
        ("thoughts in capitals", |asked| Answer::Text(format!("<THINK>hm</THINK>\n{}", sound(asked)))),
        ("a call in both forms", |asked| {
            let function = json!({ "name": "verdict", "arguments": sound(asked) });
            message(
                &json!({ "content": null, "tool_calls": [{ "id": "1", "function": function }], "function_call": function }),
                "tool_calls",
            )
        }),
        ("a call next to unreadable content", |asked| {
            call(&json!([{ "type": "tool_use", "name": "verdict" }]), &json!(sound(asked)), "tool_calls")
        }),
        ("plain", |asked| Answer::Text(sound(asked))),
        ("a call with null", |asked| call(&Json::Null, &json!(sound(asked)), "tool_calls")),
        ("a call with an empty text", |asked| call(&json!(""), &json!(sound(asked)), "tool_calls")),
        ("a call next to text", |asked| call(&json!("I grade this."), &json!(sound(asked)), "tool_calls")),
        ("a call that ends with stop", |asked| call(&json!(""), &json!(sound(asked)), "stop")),
        ("a call in Anthropic's words", |asked| call(&json!(""), &json!(sound(asked)), "tool_use")),
        ("arguments as an object", |asked| {
            call(&json!(""), &serde_json::from_str(&sound(asked)).unwrap(), "tool_calls")
        }),
        ("the old form of a call", |asked| {
            let call = json!({ "name": "verdict", "arguments": sound(asked) });
            message(&json!({ "content": null, "function_call": call }), "function_call")
        }),
        ("a fence", |asked| Answer::Text(format!("```json\n{}\n```", sound(asked)))),
        ("a fence without a mark", |asked| Answer::Text(format!("```\n{}\n```\n", sound(asked)))),
        ("a think block", |asked| {
            Answer::Text(format!("<think>Is {{\"score\": 3}} right?</think>\n\n{}", sound(asked)))
        }),
        ("thoughts and a fence", |asked| {
            Answer::Text(format!("<think>hm</think>\n```json\n{}\n```", sound(asked)))
        }),
        ("a score of 9.0", |asked| {
            Answer::Text(
                sound(asked).replace(":9}", ":9.0}").replace(":10}", ":10.0}").replace(":0}", ":0.0}"),
            )
        }),
        ("an upper-case word", |asked| message(&json!({ "content": sound(asked) }), "STOP")),
        ("an end of sequence", |asked| message(&json!({ "content": sound(asked) }), "eos")),
        ("no word at all", |asked| message(&json!({ "content": sound(asked) }), "")),
        ("reasoning next to it", |asked| {
            message(
                &json!({ "content": sound(asked), "reasoning_content": "score 1", "refusal": "" }),
                "stop",
            )
        }),
        ("a list of parts", |asked| {
            message(&json!({ "content": [{ "type": "text", "text": sound(asked) }] }), "stop")
        }),
    ];
    for (row, reply) in read {
        let server = Server::plain(reply);
        let ran = run(&server.url, "", &[]);
        assert_eq!(ran.status, 0, "{row}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(server.asked().len(), 6, "{row}: at the first try");
        let score = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["score"];
        assert_eq!(score.as_f64(), Some(0.9), "{row}");
    }

    let unread: [(&str, Reply, &str); 29] = [
        (
            "a key twice in an object",
            |_| raw_call(r#"{"reasoning":"x","score":1,"score":10}"#),
            "repeats a member",
        ),
        (
            "the score first in an object",
            |_| raw_call(r#"{"score":9,"reasoning":"x"}"#),
            "before `reasoning`",
        ),
        ("a list as arguments", |_| raw_call(r#"["x",10]"#), "not exactly one JSON object"),
        (
            "nearly the highest score",
            |_| Answer::Text(r#"{"reasoning":"x","score":9.99999999999999999999}"#.to_owned()),
            "the score is 9.99999999999999999999",
        ),
        (
            "an unknown end",
            |_| message(&json!({ "content": verdict(9) }), "quantum"),
            "for an unknown reason (finish_reason quantum)",
        ),
        ("empty", |_| Answer::Text(String::new()), "is not a verdict: it is empty"),
        ("an array", |_| Answer::Text("[\"x\",10]".to_owned()), "not exactly one JSON object"),
        ("words", |_| Answer::Text("Score: 9/10".to_owned()), "not exactly one JSON object"),
        ("words before it", |_| Answer::Text(format!("Sure! {}", verdict(9))), "not exactly one JSON object"),
        ("text after it", |_| Answer::Text(format!("{} Done.", verdict(9))), "not exactly one JSON object"),
        ("two objects", |_| Answer::Text(verdict(8) + &verdict(9)), "not exactly one JSON object"),
        (
            "two fences",
            |_| {
                let one = format!("```json\n{}\n```\n", verdict(9));
                Answer::Text(one.clone() + &one)
            },
            "not exactly one JSON object",
        ),
        (
            "a fence with words around it",
            |_| Answer::Text(format!("Here:\n```json\n{}\n```", verdict(9))),
            "not exactly one",
        ),
        (
            "thoughts that never end",
            |_| Answer::Text(format!("<think>{}", verdict(9))),
            "not exactly one JSON object",
        ),
        (
            "thoughts after it",
            |_| Answer::Text(format!("{}<think>x</think>", verdict(9))),
            "not exactly one JSON object",
        ),
        ("cut JSON", |_| Answer::Text("{\"reasoning\":\"x\",\"sc".to_owned()), "in the middle of its JSON"),
        (
            "a key twice",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":1,\"score\":10}".to_owned()),
            "repeats a member",
        ),
        (
            "a key twice in arguments",
            |_| call(&json!(""), &json!("{\"reasoning\":\"x\",\"score\":1,\"score\":10}"), "tool_calls"),
            "repeats a member",
        ),
        (
            "the score first",
            |_| Answer::Text("{\"score\":9,\"reasoning\":\"x\"}".to_owned()),
            "before `reasoning`",
        ),
        (
            "another key",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":9,\"passed\":true}".to_owned()),
            "neither",
        ),
        ("no reasoning", |_| Answer::Text("{\"reasoning\":\" \",\"score\":9}".to_owned()), "no reasoning"),
        (
            "a fraction",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":0.81}".to_owned()),
            "the score is 0.81; expected a whole number from 0 to 10",
        ),
        (
            "off the scale",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":11}".to_owned()),
            "the score is 11",
        ),
        (
            "below the scale",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":-1}".to_owned()),
            "the score is -1",
        ),
        (
            "a score as text",
            |_| Answer::Text("{\"reasoning\":\"x\",\"score\":\"9\"}".to_owned()),
            "`score` is not a number",
        ),
        (
            "two calls",
            |_| {
                let [one, other] = [8, 9]
                    .map(|score| json!({ "function": { "name": "verdict", "arguments": verdict(score) } }));
                message(&json!({ "content": null, "tool_calls": [one, other] }), "tool_calls")
            },
            "not exactly one JSON object",
        ),
        (
            "a call of another function",
            |_| {
                let one = json!({ "function": { "name": "search", "arguments": verdict(9) } });
                message(&json!({ "content": "", "tool_calls": [one] }), "tool_calls")
            },
            "is not a verdict: it is empty",
        ),
        (
            "a refusal next to it",
            |_| message(&json!({ "content": verdict(9), "refusal": "I cannot grade this." }), "stop"),
            "finish_reason refusal",
        ),
        ("an unknown word", |_| message(&json!({ "content": verdict(9) }), "paused"), "finish_reason paused"),
    ];
    for (row, reply, words) in unread {
        let server = Server::start(reply);
        let ran = run(&server.url, "", &[]);
        assert_eq!(ran.status, 4, "{row}: {}{}", ran.stdout, ran.stderr);
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], "judge-unreadable", "{row}");
        assert!(fault["message"].as_str().unwrap().contains(words), "{row}: {fault}");
        // No parser messages.
        for foreign in ["u64", "line 1", "expected value", "invalid type", "trailing"] {
            assert!(!ran.stdout.contains(foreign), "{row}: {foreign} in {}", ran.stdout);
        }
        // The unreadable verdict was requested again in the next form, and is recorded as unusable.
        let forms: Vec<_> = server.votes().iter().map(form).collect();
        assert_eq!(forms, ["schema", "call"], "{row}");
        assert_eq!(ran.all(".akit").matches("\"usable\": false").count(), 2, "{row}");
    }
}

#[test]
fn the_forms_are_tried_in_their_order() {
    // The forms a server accepts, and the forms it is asked in, including the retry after an unreadable verdict.
    let table: [(&[&str], &[&str]); 4] = [
        (&["schema", "call", "words"], &["schema", "call"]),
        (&["call", "words"], &["schema", "call", "words"]),
        (&["schema", "words"], &["schema", "call", "words"]),
        (&["words"], &["schema", "call", "words", "words"]),
    ];
    for (taken, asked) in table {
        let server = Server::plain(move |asked| {
            if !taken.contains(&form(asked)) {
                return refusal(400, "{\"error\":{\"message\":\"This form is not available.\"}}");
            }
            Answer::Text("I would say 9.".to_owned())
        });
        run(&server.url, "grader: { model: j, canaries: off }\n", &[]).ended(4).out("is not a verdict");
        let forms: Vec<_> = server.asked().iter().map(form).collect();
        assert_eq!(forms, asked, "{taken:?}");
    }
    // If a model cannot follow a schema, the next form helps, also for its canaries.
    let server = Server::plain(|asked| match form(asked) {
        "call" => call(&json!(""), &json!(sound(asked)), "tool_calls"),
        _ => Answer::Text("I would say 9.".to_owned()),
    });
    run(&server.url, "", &[]).ended(0);
    let gullible = Server::plain(|asked| match form(asked) {
        "call" => call(&json!(""), &json!(verdict(10)), "tool_calls"),
        _ => Answer::Text("I would say 9.".to_owned()),
    });
    run(&gullible.url, "", &[]).ended(4).out("passed a known-bad answer");
}

#[test]
fn a_truncated_verdict_is_retried_with_twice_the_tokens_and_the_error_names_the_key() {
    for (config, caps) in [("", [8192, 16384]), ("grader: { model: j, maxTokens: 500 }\n", [500, 1000])] {
        // Reasoning uses up all tokens.
        let enough = AtomicUsize::new(usize::MAX);
        let server = Server::plain(move |asked| {
            let cap = asked.body["max_tokens"].as_u64().unwrap();
            if canaries::canary(asked).is_some() || cap >= enough.load(Ordering::SeqCst) as u64 {
                return Answer::Text(sound(asked));
            }
            message(&json!({ "content": "", "reasoning_content": "hm" }), "length")
        });
        let ran = run(&server.url, config, &[]).ended(4).out(&format!("cut off at {} tokens", caps[1]));
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], "judge-unreadable");
        assert!(fault["help"].as_str().unwrap().contains("raise `grader.maxTokens`"), "{fault}");
        let asked = server.votes();
        let found: Vec<_> = asked.iter().map(|one| one.body["max_tokens"].as_u64()).collect();
        assert_eq!(found, caps.map(Some));
        assert!(asked.iter().all(|one| form(one) == "schema"), "the form must not change");

        let server = Server::plain(move |asked| {
            let is_enough = asked.body["max_tokens"].as_u64() == Some(caps[1]);
            if is_enough || canaries::canary(asked).is_some() {
                return Answer::Text(sound(asked));
            }
            message(&json!({ "content": "{\"reasoning\":\"be" }), "MAX_TOKENS")
        });
        run(&server.url, config, &[]).ended(0);
    }
}

#[test]
fn another_cap_finds_the_recorded_verdicts_and_another_effort_does_not() {
    let server = Server::start(|_| Answer::Text(verdict(9)));
    let ran = run(&server.url, "", &[]).ended(0);
    let again = |config: &str, more: &[&str]| {
        ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j"])
            .args(&["--grader-base-url", &server.url])
            .args(more)
            .file("akit.yaml", config)
            .run()
    };
    again("grader: { model: j, maxTokens: 100 }\n", &["--replay"]).ended(0);
    assert_eq!(server.votes().len(), 1);
    let effort = "grader: { model: j, effort: low }\n";
    again(effort, &["--replay"]).ended(4).out("not in the cache");
    again(effort, &[]).ended(0);
    assert_eq!(server.votes()[1].body["reasoning_effort"], "low");
    again(effort, &["--replay"]).ended(0);
    again("grader: { model: j, effort: lots }\n", &[]).ended(2).err("effort");
}

#[test]
fn an_answer_that_is_too_long_fails_under_not_as_well() {
    let config = "grader: { model: j, maxAnswer: 20 }\n";
    let server = Server::start(|_| panic!("nothing may be sent"));
    run(&server.url, config, &[]).ended(1).out("27 characters, over the limit of 20 (`grader.maxAnswer`)");
    let not = SUITE.replace(
        "{ type: llm_grader, rubric: Be kind., threshold: 0.5 }",
        "{ not: { type: llm_grader, rubric: Be rude. } }",
    );
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
    .file("akit.yaml", config)
    .file("s.yaml", not)
    .file("r.jsonl", replies(&[("a", "I am sorry. I block it now.")]))
    .run()
    .ended(1)
    .out("the judge was not called");
    assert!(server.asked().is_empty());
}

#[test]
fn a_judge_without_canaries_is_named_in_every_report() {
    let server = Server::plain(|_| Answer::Text(verdict(9)));
    let reports = ["--html", "r.html", "--markdown", "r.md", "--junit", "r.xml"];
    let ran = run(&server.url, "grader: { model: j, canaries: off }\n", &reports).ended(0);
    assert_eq!(server.asked().len(), 1);
    let words = "is not tested on known answers";
    for text in [&ran.stderr, &ran.stdout, &ran.read("run.json"), &ran.read("r.html"), &ran.read("r.md")] {
        assert!(text.contains(words), "{text}");
    }
    run(&server.url, "grader: { model: j, canaries: perhaps }\n", &[]).ended(2).err("canaries");
}

#[test]
fn canaries_are_drawn_by_the_seed_and_know_the_scale() {
    let asked = |seed: &str, config: &str| {
        let server = Server::start(|_| Answer::Text(verdict(4)));
        run(&server.url, config, &["--seed", seed]);
        let canaries = server.asked().into_iter().filter(|one| canaries::canary(one).is_some());
        canaries.map(|one| one.last_message()).collect::<Vec<_>>()
    };
    let known: BTreeSet<_> = (0..6).map(|seed| asked(&seed.to_string(), "")).collect();
    assert!(known.len() > 4 && known.iter().all(|drawn| drawn.len() == 5), "{known:?}");
    assert_eq!(asked("1", ""), asked("1", ""));
    let five = (0..8).map(|seed| asked(&seed.to_string(), "grader: { model: j, scale: 5 }\n").join("\n"));
    let five: String = five.collect();
    assert!(five.contains("score\\\\\\\": 5") || five.contains("\\\"score\\\": 5"), "{five}");
    assert!(!five.contains("\\\"score\\\": 10"), "{five}");
}

//! `--replies` with files that have no ids: promptfoo results and OpenAI conversations.

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
fn promptfoo_results_are_matched_by_their_test() {
    let all = [
        result(
            json!("Asks for a refund"),
            json!({ "order": "NW-1", "tone": "kind" }),
            "Refund NW-1",
            json!("one"),
        ),
        result(Json::Null, json!({ "order": "NW-2" }), "You are kind. Refund NW-2", json!("two")),
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
fn unmatched_results_are_named_and_failed_ones_are_errors() {
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
    // A repeated test is another trial; of a test with several prompts, only the case's prompt counts.
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
    // Answers of two applications are not mixed.
    let mut other = result(Json::Null, json!({}), "Hello!", json!("three"));
    other["provider"]["id"] = "openai:gpt".into();
    let both =
        json!({ "results": { "results": [result(Json::Null, json!({}), "Hello!", json!("no")), other] } });
    judged("out.json", &both.to_string()).ended(2).err("results of several providers (`file://bot.py`");
    let empty = json!({ "results": { "results": [{ "prompt": { "raw": "Hello!" } }] } });
    judged("out.json", &empty.to_string()).ended(2).err("result 1: it has no `response.output`");
}

#[test]
fn conversations_without_an_id_are_matched_by_their_question() {
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

/// Judges one case with these promptfoo results; returns its outcome and all output.
fn one(case: &str, results: &Json) -> (String, String) {
    let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", "out.json"])
        .file("s.yaml", format!("name: s\ncases:\n{case}"))
        .file("out.json", json!({ "results": { "results": results } }).to_string())
        .run();
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let outcome = ran.path("run.json").exists().then(|| outcomes(&ran.json("run.json")).join(", "));
    (outcome.unwrap_or_else(|| "nothing was judged".to_owned()), said)
}

#[test]
fn an_answer_is_not_used_for_another_question() {
    let case = |id: &str, prompt: &str, more: &str| {
        format!(
            "  - {{ id: {id}, prompt: {prompt}, {more}expected: {{ type: not_contains, values: [promise] }} }}\n"
        )
    };
    let brand = "variables: { brand: Acme }, ";
    let two = [
        case("hours", "\"When is {{brand}} open?\"", brand),
        case("refund", "\"Refund me, {{brand}}\"", brand),
    ];
    let acme = |prompt: &str| result(Json::Null, json!({ "brand": "Acme" }), prompt, "at nine");
    let titled = case("f2", "Q two", "name: refund, ");
    let system =
        |words: &str| format!("[{{ role: system, content: {words} }}, {{ role: user, content: Refund me }}]");
    let asked = |words: &str| {
        json!([{ "role": "system", "content": words }, { "role": "user", "content": "Refund me" }])
            .to_string()
    };
    let table = [
        // One result that has the variables of both.
        (two.concat(), json!([acme("When is Acme open?")]), "hours passed, refund errored", "no-reply"),
        (
            two.concat(),
            json!([acme("Are you kind?")]),
            "hours errored, refund errored",
            "result 1 (`Are you kind?`)",
        ),
        (
            two.concat(),
            json!([acme("When is Acme open? Refund me, Acme")]),
            "nothing was judged",
            "result 1 may be the answer to cases `hours`, `refund`",
        ),
        (two[1].clone(), json!([acme("When is Acme open?")]), "refund errored", "no-reply"),
        (
            case("refund", "Q one", "") + &titled,
            json!([result("refund", json!({}), "Q one", "one")]),
            "nothing was judged",
            "result 1 may be the answer to cases `refund`, `f2`",
        ),
        (
            titled + &case("q1", "Q one", ""),
            json!([result("refund", json!({}), "Q one", "one")]),
            "nothing was judged",
            "result 1 may be the answer to cases `f2`, `q1`",
        ),
        (
            case("a", "Q one", "") + &case("b", "Q one", ""),
            json!([result(Json::Null, json!({}), "Q one", "one")]),
            "nothing was judged",
            "result 1 may be the answer to cases `a`, `b`",
        ),
        (
            case("a", "Q one", "") + &case("b", "Q one", ""),
            json!([result("b", json!({}), "Q one", "one"), result("a", json!({}), "Q one", "I promise")]),
            "a failed, b passed",
            "",
        ),
        (
            case("a", "Q one", ""),
            json!([result("a", json!({}), "One?", "x"), result("a", json!({}), "One!", "promise")]),
            "nothing was judged",
            "result 1 and result 2 answer different prompts, and none clearly belongs to case `a`",
        ),
        (
            case("kind", &system("Be kind"), "") + &case("strict", &system("Be strict"), ""),
            json!([
                result(Json::Null, json!({}), &asked("Be strict"), "I promise"),
                result(Json::Null, json!({}), &asked("Be kind"), "ok then")
            ]),
            "kind passed, strict failed",
            "",
        ),
    ];
    for (cases, results, outcome, said) in table {
        let (found, told) = one(&cases, &results);
        assert!(found == outcome && told.contains(said), "{results}\n{found}\n{told}");
    }
}

#[test]
fn calls_and_stop_reasons_of_promptfoo_belong_to_the_answer() {
    let tools = "{ type: tools, never: [refund] }";
    let negative = "{ type: not_contains, values: [zzz] }";
    let arguments = "{\"n\":5}";
    let call =
        json!({ "id": "c1", "type": "function", "function": { "name": "refund", "arguments": arguments } });
    let use_ = json!({ "type": "tool_use", "id": "t1", "name": "refund", "input": { "n": 5 } });
    let google = json!({ "functionCall": { "name": "refund", "args": { "n": 5 } } });
    let response = json!({ "type": "function_call", "call_id": "c", "name": "refund", "arguments": arguments, "status": "completed" });
    let message = json!({ "role": "assistant", "content": "Done it", "tool_calls": [call] });
    let outputs = [
        json!([call]),
        call.clone(),
        message,
        json!({ "content": null, "tool_calls": [call] }),
        json!({ "function_call": { "name": "refund", "arguments": arguments } }),
        json!([{ "type": "text", "text": "Done it" }, use_]),
        json!(format!("Done it\n\n{use_}")),
        json!(format!("Done it\n{response}")),
        json!(use_.to_string()),
        json!([{ "text": "Done it" }, google]),
        json!([google]),
        google.clone(),
    ];
    let called = "{ type: tools, called: [{ name: refund, args: { n: 5 }, count: 1 }] }";
    for output in outputs {
        let results = json!([result(Json::Null, json!({}), "Q", output)]);
        for (expected, outcome) in [(tools, "x failed"), (called, "x passed")] {
            let (found, told) = one(&format!("  - {{ id: x, prompt: Q, expected: {expected} }}\n"), &results);
            assert_eq!(found, outcome, "{results}\n{told}");
        }
    }
    // JSON that is not a call is text.
    for output in
        [json!({ "answer": "yes" }), json!([1, 2]), json!([{ "name": "Ann" }]), json!("{\"type\":\"a\"}")]
    {
        let results = json!([result(Json::Null, json!({}), "Q", output)]);
        let (found, told) = one(&format!("  - {{ id: x, prompt: Q, expected: {tools} }}\n"), &results);
        assert_eq!(found, "x passed", "{results}\n{told}");
    }
    let ends = [
        (json!({ "response": { "output": "ok then", "finishReason": "stop" } }), "x passed"),
        (json!({ "response": { "output": "ok then", "finishReason": "length" } }), "x failed"),
        (json!({ "response": { "output": "ok then", "finishReason": "content_filter" } }), "x failed"),
        (
            json!({ "response": { "output": "ok then", "finishReason": "stop", "isRefusal": true } }),
            "x failed",
        ),
        (json!({ "response": { "output": "ok then", "guardrails": { "flagged": true } } }), "x failed"),
        (json!({ "response": { "output": "ok then", "guardrails": { "flagged": false } } }), "x passed"),
        (json!({ "response": { "output": "ok then", "error": "boom" } }), "x errored"),
        (json!({ "response": { "output": "ok then" }, "failureReason": 2, "error": "timeout" }), "x errored"),
        (json!({ "response": { "output": "ok then" }, "error": "API error 500" }), "x errored"),
        (
            json!({ "response": { "output": "ok then" }, "failureReason": 0, "error": "API error 500" }),
            "x errored",
        ),
        (
            json!({ "response": { "output": "ok then" }, "failureReason": 1, "error": "Expected yes" }),
            "x passed",
        ),
        (
            json!({ "response": { "output": "ok then" }, "gradingResult": { "pass": false, "reason": "no" }, "error": "no" }),
            "x passed",
        ),
        (
            json!({ "response": { "output": "ok then", "error": null }, "error": null, "failureReason": 0 }),
            "x passed",
        ),
    ];
    for (more, outcome) in ends {
        let mut one_result = result(Json::Null, json!({}), "Q", "");
        for (key, value) in more.as_object().unwrap() {
            one_result[key] = value.clone();
        }
        let (found, told) =
            one(&format!("  - {{ id: x, prompt: Q, expected: {negative} }}\n"), &json!([one_result]));
        assert_eq!(found, outcome, "{more}\n{told}");
    }
    let refused =
        json!({ "prompt": { "raw": "Q" }, "response": { "output": "We will not.", "isRefusal": true } });
    let (found, told) = one("  - { id: x, prompt: Q, expected: { type: is_refusal } }\n", &json!([refused]));
    assert_eq!(found, "x passed", "{told}");
}

#[test]
fn conversations_are_matched_by_all_messages_before_the_answer() {
    let say = |role: &str, words: &str| json!({ "role": role, "content": words });
    let suite = "\
name: s
cases:
  - { id: kind, prompt: [{ role: system, content: Be kind }, { role: user, content: Refund me }], expected: { type: contains, values: [sorry] } }
  - { id: strict, prompt: [{ role: system, content: Be strict }, { role: user, content: Refund me }], expected: { type: not_contains, values: [promise] } }
  - { id: later, prompt: [{ role: user, content: Hi }, { role: assistant, content: Hello }, { role: user, content: Where is it? }], expected: { type: contains, values: [there] } }
  - { id: open, prompt: Are you there?, expected: { type: contains, values: [there] } }
";
    let line = |before: Vec<Json>, said: &str| {
        let messages: Vec<Json> = before.into_iter().chain([say("assistant", said)]).collect();
        json!({ "messages": messages }).to_string() + "\n"
    };
    let judged = |lines: &[String]| {
        let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", "c.jsonl"])
            .file("s.yaml", suite)
            .file("c.jsonl", lines.concat())
            .run();
        let outcome = ran.path("run.json").exists().then(|| outcomes(&ran.json("run.json")).join(", "));
        (outcome.unwrap_or_default(), ran.stderr)
    };
    let kind = line(vec![say("system", "Be kind"), say("user", "Refund me")], "I am sorry, of course");
    let strict = line(vec![say("developer", "Be strict\n"), say("user", "Refund me")], "I promise it");
    let open = line(vec![say("system", "whatever"), say("user", "Are you there?")], "I am there");
    let other = line(vec![say("system", "else"), say("user", "Are you there?")], "there");
    let rest = ", later errored";
    for (lines, outcome, said) in [
        (vec![&kind, &strict, &open], format!("kind passed, strict failed{rest}, open passed"), ""),
        (vec![&strict, &kind, &open], format!("kind passed, strict failed{rest}, open passed"), ""),
        (vec![&kind], format!("kind passed, strict errored{rest}, open errored"), ""),
        (
            vec![&line(vec![say("user", "Refund me")], "there")],
            format!("kind errored, strict errored{rest}, open errored"),
            "line 1 (`Refund me`)",
        ),
        (vec![&open, &other], String::new(), "line 1 and line 2 answer different prompts"),
        (vec![&open, &open], format!("kind errored, strict errored{rest}, open passed"), ""),
    ] {
        let lines: Vec<String> = lines.into_iter().cloned().collect();
        let (found, told) = judged(&lines);
        assert!(found == outcome && told.contains(said), "{lines:?}\n{found}\n{told}");
    }
}

#[test]
fn calls_on_the_way_to_an_answer_belong_to_it() {
    let call = |name: &str| json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "1", "type": "function", "function": { "name": name, "arguments": "{}" } }] });
    let user = json!({ "role": "user", "content": "x" });
    let tool = json!({ "role": "tool", "tool_call_id": "1", "content": "ok" });
    let last = json!({ "role": "assistant", "content": "Done my friend" });
    let note = json!({ "role": "assistant", "content": "I promise to look" });
    let cut = json!({ "role": "assistant", "content": "Let me see", "finish_reason": "length" });
    let never = "{ type: tools, never: [refund] }";
    let order = "{ type: tools, called: [{ name: verify, before: refund }] }";
    let unsaid = "{ type: not_contains, values: [promise] }";
    let table = [
        (json!([user, call("refund"), tool, last]), never, "n failed"),
        (json!([user, call("verify"), tool, last]), never, "n passed"),
        (json!([call("refund"), tool, user, last]), never, "n passed"),
        (json!([user, call("verify"), tool, call("refund"), tool, last]), order, "n passed"),
        (json!([user, call("refund"), tool, call("verify"), tool, last]), order, "n failed"),
        (json!([user, note, last]), unsaid, "n failed"),
        (json!([user, call("verify"), tool, last]), unsaid, "n passed"),
        (json!([user, cut, last]), unsaid, "n failed"),
    ];
    for (messages, expected, outcome) in table {
        for line in [json!({ "id": "n", "messages": messages }), json!({ "messages": messages })] {
            let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", "c.jsonl"])
                .file("s.yaml", format!("name: s\ncases: [{{ id: n, prompt: x, expected: {expected} }}]\n"))
                .file("c.jsonl", line.to_string())
                .run();
            if line["id"].is_null() && messages[0] != user {
                continue;
            }
            assert_eq!(outcomes(&ran.json("run.json")), [outcome], "{line}\n{}", ran.stdout);
        }
    }
    let both = json!({ "id": "n", "reply": "ok", "messages": [user, call("refund")] });
    Akit::new(&["run", "s.yaml", "--replies", "c.jsonl"])
        .file(
            "s.yaml",
            "name: s\ncases: [{ id: n, prompt: x, expected: { type: tools, never: [refund] } }]\n",
        )
        .file("c.jsonl", both.to_string())
        .run()
        .ended(2)
        .err("`reply` next to `messages` that already have an answer");
}

#[test]
fn arguments_are_read_under_any_usual_name() {
    let given = json!({ "n": 5 });
    let table = [
        (json!({ "arguments": given }), true, 1),
        (json!({ "args": given }), true, 1),
        (json!({ "args": given.to_string() }), true, 1),
        (json!({ "input": given }), true, 1),
        (json!({ "parameters": given }), true, 1),
        (json!({ "args": { "n": 6 } }), false, 0),
        (json!({}), false, 0),
        (json!({ "id": "1", "type": "tool_call", "status": "done" }), false, 0),
        // These could be the arguments but do not match; they still count if there must be none.
        (json!({ "params": given }), false, 1),
        (json!({ "n": 5 }), false, 1),
        (json!({ "arguments": {}, "args": given }), false, 1),
    ];
    for (mut call, is_met, counted) in table {
        call["name"] = "refund".into();
        for (expected, outcome) in [
            ("{ name: refund, args: { n: 5 } }", is_met),
            ("{ name: refund, args: { n: 5 }, count: 0 }", counted == 0),
            ("refund", true),
        ] {
            let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", "c.jsonl"])
                .file("s.yaml", format!("name: s\ncases: [{{ id: n, prompt: x, expected: {{ type: tools, called: [{expected}] }} }}]\n"))
                .file("c.jsonl", json!({ "id": "n", "reply": "ok my friend", "tool_calls": [call] }).to_string())
                .run();
            let outcome = if outcome { "n passed" } else { "n failed" };
            assert_eq!(outcomes(&ran.json("run.json")), [outcome], "{call} {expected}\n{}", ran.stdout);
        }
    }
}

//! Redaction end to end: planted values reach the application and nothing else, and verdicts do not change.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::canaries::canary;
use super::server::{Answer, Asked, Server};

/// Values of 14 kinds and formats.
const PLANTED: [&str; 14] = [
    "jane.doe@example.com",
    "+1 415 555 0132",
    "(415) 555-0199",
    "4111 1111 1111 1111",
    "378282246310005",
    "078-05-1120",
    "DE89 3704 0044 0532 0130 00",
    "sk-proj-abcDEF1234567890abcd",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdefghij",
    "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "KD-77-1234",
];

const PATTERNS: &str =
    "[email, phone, credit_card, ssn, iban, api_key, aws_key, jwt, secrets, 'KD-\\d\\d-\\d{4}']";

fn redaction() -> String {
    format!("redaction: {{ patterns: {PATTERNS} }}\n")
}

/// Expectations that need the original values, for an application that repeats its input.
fn suite(head: &str) -> String {
    let planted = PLANTED.join(", ");
    let long = "Please do write as soon as you can to the address that we have given to you in the letter of last week, which, if I recall it well, was this one: jane.doe@example.com";
    format!(
        "name: s\n{head}cases:
  - {{ id: all, name: 'About jane.doe@example.com', prompt: 'Say {planted}', expected: {{ type: contains, values: ['{}'] }} }}
  - {{ id: count, prompt: 'Say {planted}', expected: {{ type: inline, expression: 'length > 300' }} }}
  - {{ id: none, prompt: 'Say {planted}', expected: {{ type: not_contains, values: [jane.doe@example.com] }} }}
  - {{ id: cut, prompt: 'Say {planted}', expected: {{ type: exact, value: '{long}' }} }}
  - {{ id: mail, prompt: 'Say jane.doe@example.com', expected: {{ type: exact, value: jane.doe@example.com }} }}
  - {{ id: other, prompt: 'Say john.roe@example.com', expected: {{ type: exact, value: jane.doe@example.com }} }}
  - {{ id: nested, prompt: 'Say {planted}', expected: {{ type: combined, operator: and, expectations: [{{ type: regex, pattern: '\\d{{3}}-05-\\d+' }}, {{ not: {{ type: regex, pattern: 'REDACTED' }} }}] }} }}
  - {{ id: judged, prompt: 'Say {planted}', expected: {{ type: llm_grader, rubric: 'Be kind to jane.doe@example.com.' }} }}
  - {{ id: broken, prompt: 'Break {planted}', expected: {{ type: contains, values: [x] }} }}
",
        PLANTED.join("', '")
    )
}

/// An application that repeats its input and fails on request, and a judge that repeats what it sees.
fn server() -> Server {
    Server::plain(|asked: &Asked| {
        let said = asked.last_message();
        if asked.is_for_judge() {
            let known_bad = canary(asked).is_some_and(|(is_good, _)| !is_good);
            let score = if known_bad { 0 } else { 10 };
            let reasoning = format!("{} {said}", PLANTED.join(" and "));
            return Answer::Text(json!({ "reasoning": reasoning, "score": score }).to_string());
        }
        match said.strip_prefix("Break ") {
            Some(rest) => Answer::Raw(500, Vec::new(), format!("cannot do {rest}").into_bytes()),
            None => Answer::Text(said.trim_start_matches("Say ").to_owned()),
        }
    })
}

const REPORTS: [&str; 9] = [
    "--json",
    "run.json",
    "--junit",
    "out/j.xml",
    "--sarif",
    "out/s.sarif",
    "--markdown",
    "out/m.md",
    "--verbose",
];

fn run(url: &str, text: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--model", "m", "--grader-model", "j", "--retries", "0"])
        .args(&REPORTS)
        .args(&["--base-url", url, "--grader-base-url", url])
        .args(more)
        .env("OPENAI_API_KEY", "test")
        .file("s.yaml", text)
        .file("out/x", "")
        .run()
}

fn replay(ran: &Ran, url: &str, more: &[&str]) -> Ran {
    ran.then(&["run", "s.yaml", "--model", "m", "--grader-model", "j", "--replay"])
        .args(&REPORTS)
        .args(&["--base-url", url, "--grader-base-url", url])
        .args(more)
        .env("OPENAI_API_KEY", "test")
        .run()
}

/// Every file except the scenario and the configuration, and everything printed.
fn artifacts(ran: &Ran) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_none_or(|extension| extension != "yaml") {
                let text = String::from_utf8(std::fs::read(&entry).unwrap()).unwrap();
                found.push((entry.display().to_string(), text));
            }
        }
    }
    let mut found =
        vec![("stdout".to_owned(), ran.stdout.clone()), ("stderr".to_owned(), ran.stderr.clone())];
    walk(&ran.path(""), &mut found);
    found
}

#[track_caller]
fn clean(ran: &Ran) {
    let found = artifacts(ran);
    assert!(found.len() >= 7, "{found:?}");
    for (name, text) in found {
        for planted in PLANTED.iter().chain(&["john.roe", "jane.d", "4111 1111", "078-05", "ghp_abcd"]) {
            assert!(!text.contains(planted), "{planted} in {name}:\n{text}");
        }
    }
}

/// Outcome and score of every verdict, and the kind of every fault.
fn verdicts(run: &Json) -> Vec<String> {
    fn of(verdict: &Json) -> String {
        let parts: Vec<_> = verdict["parts"].as_array().into_iter().flatten().map(of).collect();
        format!("{} {} {} {parts:?}", verdict["kind"], verdict["outcome"], verdict["score"])
    }
    let cases = run["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let trial = &case["trials"][0];
            format!(
                "{} {} {} {}",
                case["id"],
                case["outcome"],
                of(&trial["turns"][0]["verdicts"][0]),
                trial["fault"]["kind"]
            )
        })
        .collect()
}

#[test]
fn planted_values_are_in_no_artifact_and_verdicts_do_not_change() {
    let server = server();
    let plain = run(&server.url, &suite(""), &[]);
    assert!(plain.read("run.json").contains(PLANTED[0]), "the test must be able to fail");
    let live = run(&server.url, &suite(&redaction()), &[]);
    clean(&live);
    let found = verdicts(&live.json("run.json"));
    assert_eq!(found, verdicts(&plain.json("run.json")));
    let word = |index: usize| found[index].split(' ').nth(1).unwrap().trim_matches('"').to_owned();
    let words: Vec<_> = (0..9).map(word).collect();
    let expected =
        ["passed", "passed", "failed", "failed", "passed", "failed", "passed", "passed", "errored"];
    assert_eq!(words, expected, "{found:#?}");
    assert_eq!(live.status, plain.status);
    let shown = live.read("run.json");
    for kind in ["email", "phone", "credit_card", "ssn", "iban", "api_key", "aws_key", "jwt", "custom"] {
        assert!(shown.contains(&format!("[REDACTED:{kind}]")), "{kind}");
    }

    // The application got the original, the judge the redacted text.
    let asked = server.asked();
    let judged = asked.iter().filter(|one| one.body.to_string().contains("Be kind to [REDACTED:email]"));
    let judged: Vec<_> = judged.map(|one| one.body.to_string()).collect();
    assert!(!judged.is_empty() && judged.iter().all(|body| PLANTED.iter().all(|one| !body.contains(one))));
    assert!(asked.iter().any(|one| one.last_message() == "Say jane.doe@example.com"));

    let url = server.url.clone();
    let count = server.asked().len();
    let again = replay(&live, &url, &[]);
    clean(&again);
    assert_eq!(again.status, 1);
    let replayed = verdicts(&again.json("run.json"));
    // A failed request left no record.
    assert_eq!(replayed[..8], found[..8]);
    assert!(replayed[8].contains("cache-miss"), "{}", replayed[8]);
    let first = ["run.json", "out/j.xml", "out/s.sarif", "out/m.md"].map(|name| again.read(name));
    let third = replay(&live, &url, &[]);
    assert_eq!(first, ["run.json", "out/j.xml", "out/s.sarif", "out/m.md"].map(|name| third.read(name)));
    assert_eq!(server.asked().len(), count, "a replay must not send anything");
}

#[test]
fn in_no_cache_mode_does_a_raw_answer_reach_a_judge_or_a_report() {
    for mode in ["off", "auto", "record", "refresh"] {
        let server = server();
        let ran = run(&server.url, &suite(&redaction()), &["--cache", mode, "--html", "out/h.html"]);
        assert_eq!(ran.status, 1, "{mode}: {}", ran.stderr);
        clean(&ran);
        let asked = server.asked();
        let judged = asked.iter().filter(|one| one.body.get("response_format").is_some());
        let prompts: String = judged.map(|one| one.body.to_string()).collect();
        assert!(prompts.contains("[REDACTED:email]"), "{mode}");
        assert!(PLANTED.iter().all(|value| !prompts.contains(value)), "{mode}: {prompts}");
        // The application's error, which repeats the prompt, is withheld as well.
        assert!(ran.stdout.contains("text withheld"), "{mode}: {}", ran.stdout);
    }
}

#[test]
fn a_judge_sees_a_marker_whatever_the_replacement_says() {
    let server = Server::start(|asked: &Asked| {
        let system = asked.body["messages"][0]["content"].to_string();
        if !asked.is_for_judge() {
            return Answer::Text("No idea, ask somebody else.".to_owned());
        }
        let kind = system.contains("Block the card") && asked.last_message().contains("I block your card");
        let score = if kind { 10 } else { 0 };
        Answer::Text(json!({ "reasoning": "by what I see", "score": score }).to_string())
    });
    let text = |redaction: &str| {
        format!(
            "name: s\n{redaction}cases:\n  - {{ id: a, prompt: My card is gone, expected: {{ type: llm_grader, rubric: Block the card }} }}\n"
        )
    };
    let hostile = "redaction: { patterns: ['No idea[^$]*'], redactPrompts: false, replacement: \"I block your card at once.\" }\n";
    let plain = run(&server.url, &text(""), &[]).ended(1);
    assert!(plain.stdout.contains("No idea"));
    let asked = server.asked().len();
    let ran = run(&server.url, &text(hostile), &[]).ended(1);
    let prompts: String = server.asked()[asked..].iter().map(|one| one.body.to_string()).collect();
    assert!(prompts.contains("[REDACTED:custom]") && !prompts.contains("I block your card"), "{prompts}");
    // Reports show the user's replacement.
    let run_file = ran.read("run.json");
    assert!(run_file.contains("I block your card at once.") && !run_file.contains("No idea"), "{run_file}");
    // The same from a record.
    replay(&ran, &server.url, &[]).ended(1);
    run(&server.url, &text("redaction: { replacement: \"\" }\n"), &[]).ended(2).err("`replacement` is empty");
}

#[test]
fn redaction_works_by_flag_by_configuration_and_for_recorded_answers() {
    let server = server();
    let flag = run(&server.url, &suite("redaction: { patterns: ['KD-\\d\\d-\\d{4}'] }\n"), &["--redact"]);
    clean(&flag);
    let config = Akit::new(&["run", "s.yaml", "--json", "run.json", "--replies", "replies.yaml"])
        .file("akit.yaml", redaction())
        .file("replies.yaml", "{\"id\":\"a\",\"reply\":\"jane.doe@example.com\"}\n")
        .file(
            "s.yaml",
            "name: s\ncases:\n  - { id: a, prompt: x, expected: { type: exact, value: jane.doe@example.com } }\n",
        )
        .run()
        .ended(0);
    let text = config.read("run.json");
    assert!(text.contains("[REDACTED:email]") && !text.contains("jane.doe"), "{text}");
    // The case overrides the file.
    let off = config
        .then(&["run", "s.yaml", "--json", "run.json", "--replies", "replies.yaml"])
        .file(
            "s.yaml",
            "name: s\nredaction: { enabled: true }\ncases:\n  - { id: a, prompt: x, redaction: { enabled: false }, \
             expected: { type: exact, value: jane.doe@example.com } }\n",
        )
        .run()
        .ended(0);
    assert!(off.read("run.json").contains("jane.doe"));
}

#[test]
fn a_redacted_record_is_bound_to_the_expectation_that_saw_the_answer() {
    let server = server();
    let text = |value: &str| {
        format!(
            "name: s\nredaction: {{}}\ncases:\n  - {{ id: a, prompt: Say jane.doe@example.com, expected: {{ type: exact, value: {value} }} }}\n"
        )
    };
    let live = run(&server.url, &text("jane.doe@example.com"), &[]).ended(0);
    let same = replay(&live, &server.url, &["--target-version", "1"]).ended(4);
    let same = replay(&same, &server.url, &[]).ended(5).out("1 passed");
    // Both expectations look the same after redaction; the original answer is gone.
    std::fs::write(same.path("s.yaml"), text("john.roe@example.com")).unwrap();
    let other = replay(&same, &server.url, &[]).ended(4).out("redacted_for");
    assert_eq!(other.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "cache-miss");
    // Nor is it used for a run without redaction.
    std::fs::write(other.path("s.yaml"), text("jane.doe@example.com").replace("redaction: {}\n", ""))
        .unwrap();
    replay(&other, &server.url, &[]).ended(4);
    // A record of an original answer is not used for a run with redaction either.
    let plain = run(&server.url, &text("jane.doe@example.com").replace("redaction: {}\n", ""), &[]).ended(0);
    std::fs::write(plain.path("s.yaml"), text("jane.doe@example.com")).unwrap();
    let miss = replay(&plain, &server.url, &[]).ended(4);
    assert!(!miss.stderr.contains("jane.doe") && !miss.read("run.json").contains("jane.doe"));
}

#[test]
fn invalid_patterns_are_reported() {
    let suite = |patterns: &str| {
        format!(
            "name: s\nredaction: {{ patterns: [{patterns}] }}\ncases:\n  - {{ id: a, prompt: x, expected: {{ type: exact, value: x }} }}\n"
        )
    };
    Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", suite("'(x'"))
        .run()
        .ended(2)
        .err("this group is not closed");
    Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", suite("emial"))
        .run()
        .ended(0)
        .err("did you mean `email`?");
}

/// An answer with tool calls whose arguments contain secrets, and a stop word that contains an email address.
#[test]
fn calls_and_stop_words_are_redacted_too() {
    let arguments = json!({
        "password": "hunter2xyz",
        "pin": 1,
        "in": [{ "api_key": "abcdefgh123", "card": { "jane.doe@example.com": 4_111_111_111_111_111_u64 } }],
    });
    let call = json!({ "id": "c-jane.doe@example.com", "type": "function",
        "function": { "name": "pay_jane.doe@example.com", "arguments": arguments.to_string() } });
    let tools = json!({ "choices": [{ "message": { "content": null, "tool_calls": [call] }, "finish_reason": "tool_calls" }] });
    let words = ["malformed_jane.doe@example.com", "jane.doe@example.com", "stop jane.doe@example.com"];
    let stopped =
        |word: &str| json!({ "choices": [{ "message": { "content": "x" }, "finish_reason": word }] });
    let bodies = words.map(|word| (stopped(word), 4)).into_iter().chain([(tools, 1)]);
    for (body, exit) in bodies {
        for mode in ["auto", "off", "record"] {
            let answer = body.to_string();
            let server = Server::start(move |_| Answer::Raw(200, Vec::new(), answer.clone().into()));
            let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--redact"])
                .args(&["--cache", mode, "--cache-dir", "c", "--json", "run.json", "--html", "out.html"])
                .file("s.yaml", "cases: [{ id: a, prompt: q, expected: { type: contains, values: [x] } }]\n")
                .run()
                .ended(exit);
            let mut all =
                format!("{}{}{}{}", ran.stdout, ran.stderr, ran.read("run.json"), ran.read("out.html"));
            if ran.path("c").exists() {
                for shelf in std::fs::read_dir(ran.path("c")).unwrap() {
                    for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
                        all.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
                    }
                }
            }
            for planted in ["hunter2xyz", "abcdefgh123", "jane.doe", "4111111111111111"] {
                assert!(!all.contains(planted), "{mode} {body}: {planted}");
            }
            assert!(all.contains("[REDACTED:email]"), "{mode} {body}");
        }
    }
}

#[test]
fn values_sent_to_a_bot_are_not_recorded() {
    let server = Server::plain(|asked| {
        let body = json!({ "answer": if asked.body["who"] == "ann@example.org" { "good" } else { "bad" } });
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    });
    let case = |id: &str, who: &str| {
        format!(
            "  - {{ id: {id}, prompt: Hi, variables: {{ who: {who} }}, expected: {{ type: exact, value: good }} }}\n"
        )
    };
    let suite = format!(
        "name: s\nprovider: http\nredaction: {{ patterns: [email] }}\nproviderConfig:\n  url: {}\n  \
         body: {{ text: \"{{{{prompt}}}}\", who: \"{{{{who}}}}\" }}\n  answer: /answer\ncases:\n{}{}",
        server.url,
        case("a", "ann@example.org"),
        case("b", "bob@example.org"),
    );
    let ran = Akit::new(&["run", "s.yaml"]).file("s.yaml", &suite).run().ended(1).out("1 passed, 1 failed");
    assert!(!ran.all(".akit/cache").contains("example.org"));
    // Nor does one value find the record of another.
    let other = suite.replace("bob@", "eve@");
    ran.then(&["run", "s.yaml", "--replay"]).file("s.yaml", other).run().ended(4).out("not in the cache");
}

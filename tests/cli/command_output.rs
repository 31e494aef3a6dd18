//! What a program prints: which line answers which question, and what in it is the answer.

#![cfg(unix)]

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::command::{fault, shell};

#[test]
fn a_program_that_is_out_of_step_answers_nothing() {
    let suite = "name: s\nprovider: command\nproviderConfig: { command: [sh, bot.sh], persistent: true, maxRetries: 0 }\ncases:\n  - { id: a, prompt: q, expected: { type: contains, values: [good] } }\n  - { id: b, prompt: q, expected: { type: not_contains, values: [promise] } }\n  - { id: c, prompt: q, expected: { type: not_contains, values: [promise] } }\n";
    let run = |script: &str| {
        Akit::new(&["run", "s.yaml", "--json", "run.json", "-c", "1"])
            .env("PATH", &std::env::var("PATH").unwrap())
            .file("s.yaml", suite)
            .file("bot.sh", script)
            .run()
    };
    let kinds = |ran: &Ran| -> Vec<String> {
        let cases = ran.json("run.json")["cases"].as_array().unwrap().clone();
        let kind = |case: &Json| case["trials"][0]["fault"]["kind"].as_str().unwrap_or("none").to_owned();
        cases.iter().map(kind).collect()
    };
    let answer = "printf '{\"answer\":\"good %s\"}\\n' \"$n\"";
    // A banner, a log line: the first line is no answer, and the process is not asked again.
    for noise in ["echo ready", "echo '[info] up'"] {
        let ran = run(&format!("{noise}\nn=0\nwhile read -r line; do n=$((n+1)); {answer}; done\n")).ended(4);
        assert_eq!(kinds(&ran), ["malformed-answer"; 3], "{noise}");
    }
    // Two lines for a question, at once.
    let ran =
        run("while read -r line; do printf '{\"answer\":\"good\"}\\n{\"answer\":\"I promise\"}\\n'; done\n");
    let ran = ran.ended(4).out("more than one line for a request");
    assert!(kinds(&ran).iter().all(|kind| kind == "malformed-answer"), "{:?}", kinds(&ran));
    // A blank line says nothing.
    let ran = run(&format!("echo; n=0\nwhile read -r line; do n=$((n+1)); {answer}; echo; done\n")).ended(0);
    assert_eq!(kinds(&ran), ["none"; 3]);
    // One that answers a question and ends well is started again.
    let ran = run(&format!("n=0\nread -r line; {answer}\n")).ended(0);
    assert_eq!(kinds(&ran), ["none"; 3]);
}

#[test]
fn what_a_program_prints_is_read_as_what_a_server_sends() {
    // JSON is no text where nobody says where the answer is in it.
    let run = |keys: &str, script: &str| shell(script, keys).run();
    let ran = run("", "echo '{\"error\": \"db down\", \"good\": 1}'").ended(4);
    assert!(fault(&ran)[1].contains("it is JSON, and `answer` is not set"), "{:?}", fault(&ran));
    run("", "echo 'good: {}'").ended(0);
    // A question ends with its line.
    run("", "read -r question && echo \"good $question\"").ended(0);
    // How a suite for a server is read holds for a program that takes its place.
    let suite = "provider: http\nproviderConfig:\n  url: http://127.0.0.1:9/chat\n  body: { text: \"{{prompt}}\" }\n  answer: [/messages/*/text, /answer]\n  tools: /calls\nsetup:\n  handoff: { state: /handoff/accepted, tool: transfer_to_human }\ncases:\n  - { id: wants-a-human, prompt: I want a human, expected: { type: handoff, state: done } }\n";
    let printed = "{\"answer\":\"One moment.\",\"calls\":[{\"name\":\"transfer_to_human\",\"arguments\":{}}],\"handoff\":{\"accepted\":true}}";
    Akit::new(&["run", "s.yaml", "-p", "command", "--", "echo", printed])
        .env("PATH", &std::env::var("PATH").unwrap())
        .file("s.yaml", suite)
        .run()
        .ended(0)
        .out("1 passed");
    // Where nothing else is to be read, the answer may be all that it prints; where calls are, their absence would prove
    // nothing.
    let plain = |keys: &str| {
        format!(
            "provider: http\nproviderConfig:\n  url: http://127.0.0.1:9/\n  body: {{ text: \"{{{{prompt}}}}\" }}\n  answer: /answer\n{keys}cases:\n  - {{ id: a, prompt: q, expected: {{ type: contains, values: [good] }} }}\n"
        )
    };
    for (keys, printed, code) in [
        ("", "good", 0),
        ("", "{\"answer\":\"good\"}", 0),
        ("", "{\"reply\":\"good\"}", 4),
        ("  tools: /calls\n", "good", 4),
    ] {
        let akit =
            Akit::new(&["run", "s.yaml", "-p", "command", "--", "echo", printed]).file("s.yaml", plain(keys));
        akit.env("PATH", &std::env::var("PATH").unwrap()).run().ended(code);
    }
}

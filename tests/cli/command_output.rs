//! A program's output: which line answers which question, and which part is the answer.

#![cfg(unix)]

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::command::{fault, shell};

#[test]
fn a_program_that_is_out_of_step_gives_no_answers() {
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
    // A banner or a log line: the first line is not an answer, and the process is not used again.
    for noise in ["echo ready", "echo '[info] up'"] {
        let ran = run(&format!("{noise}\nn=0\nwhile read -r line; do n=$((n+1)); {answer}; done\n")).ended(4);
        assert_eq!(kinds(&ran), ["malformed-answer"; 3], "{noise}");
    }
    // Two lines at once for one question.
    let ran =
        run("while read -r line; do printf '{\"answer\":\"good\"}\\n{\"answer\":\"I promise\"}\\n'; done\n");
    let ran = ran.ended(4).out("more than one line for a request");
    assert!(kinds(&ran).iter().all(|kind| kind == "malformed-answer"), "{:?}", kinds(&ran));
    // A blank line is not an answer.
    let ran = run(&format!("echo; n=0\nwhile read -r line; do n=$((n+1)); {answer}; echo; done\n")).ended(0);
    assert_eq!(kinds(&ran), ["none"; 3]);
    // A program that answers a question and exits cleanly is started again.
    let ran = run(&format!("n=0\nread -r line; {answer}\n")).ended(0);
    assert_eq!(kinds(&ran), ["none"; 3]);
}

#[test]
fn a_programs_output_is_read_like_a_servers_response() {
    // JSON is not taken as text unless a pointer says where the answer is.
    let run = |keys: &str, script: &str| shell(script, keys).run();
    let ran = run("", "echo '{\"error\": \"db down\", \"good\": 1}'").ended(4);
    assert!(fault(&ran)[1].contains("it is JSON, and `answer` is not set"), "{:?}", fault(&ran));
    run("", "echo 'good: {}'").ended(0);
    // A question is exactly one line.
    run("", "read -r question && echo \"good $question\"").ended(0);
    // Settings written for a server also apply to a program that replaces it.
    let suite = "provider: http\nproviderConfig:\n  url: http://127.0.0.1:9/chat\n  body: { text: \"{{prompt}}\" }\n  answer: [/messages/*/text, /answer]\n  tools: /calls\nsetup:\n  handoff: { state: /handoff/accepted, tool: transfer_to_human }\ncases:\n  - { id: wants-a-human, prompt: I want a human, expected: { type: handoff, state: done } }\n";
    let printed = "{\"answer\":\"One moment.\",\"calls\":[{\"name\":\"transfer_to_human\",\"arguments\":{}}],\"handoff\":{\"accepted\":true}}";
    Akit::new(&["run", "s.yaml", "-p", "command", "--", "echo", printed])
        .env("PATH", &std::env::var("PATH").unwrap())
        .file("s.yaml", suite)
        .run()
        .ended(0)
        .out("1 passed");
    // The whole output may be the answer if nothing else is read from it. If calls are expected, plain text would
    // look as if there were none.
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

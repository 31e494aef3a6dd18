//! An error points to where it is fixed: the file, key or flag that is wrong.

use serde_json::json;

use super::Akit;

const CASE: &str = "cases:\n  - { id: a, prompt: p, expected: { type: contains, values: [x] } }\n";

#[test]
fn answers_in_another_encoding_are_reported_at_their_own_file() {
    let line = json!({ "id": "a", "reply": "x" }).to_string();
    let utf16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(line.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let utf32 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(line.chars().map(u32::from));
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let table = [
        (utf16(false), "the file is UTF-16"),
        (utf16(true), "the file is UTF-16"),
        (utf32(false), "the file is UTF-32"),
        (utf32(true), "the file is UTF-32"),
        (b"\0\0".to_vec(), "the file is binary"),
        (b"{\"id\":\"a\",\"reply\":\"\xe4\"}".to_vec(), "not UTF-8"),
    ];
    for (bytes, words) in table {
        // A stored run in such a file is told what to do, too.
        let gate = Akit::new(&["gate", "u.json"]).file("u.json", &bytes).run().ended(2).err(words);
        assert!(gate.stderr.contains("help: save the file as UTF-8"), "{}", gate.stderr);
        let named = format!("provider: replies\nproviderConfig: {{ file: r.jsonl }}\n{CASE}");
        for (arguments, suite) in [(&["--replies", "r.jsonl"][..], CASE), (&[], &named)] {
            let ran = Akit::new(&["run", "s.yaml"])
                .args(arguments)
                .file("s.yaml", suite)
                .file("r.jsonl", &bytes)
                .run()
                .ended(2)
                .err(words)
                .err("--> r.jsonl\n")
                .err("help: save the file as JSON lines in UTF-8");
            assert!(!ran.stderr.contains("s.yaml"), "{}", ran.stderr);
        }
    }
}

#[test]
fn an_invalid_address_is_reported_with_its_flag() {
    for (command, flag) in [
        (&["run", "s.yaml", "-m", "m"][..], "--base-url"),
        (&["run", "s.yaml", "-m", "m"], "--grader-base-url"),
        (&["regrade", "a.json", "b.json", "s.yaml"], "--old-grader-base-url"),
        (&["doctor", "s.yaml"], "--base-url"),
        (&["calibrate", "l.jsonl"], "--grader-base-url"),
    ] {
        for address in
            ["api.openai.com", "htp://x/v1", "http://", "https://h/v1#part", "http://u:s3cret@h/v1"]
        {
            let ran = Akit::new(command).args(&[flag, address]).file("s.yaml", CASE).run().ended(2);
            assert!(ran.stderr.starts_with(&format!("error: {flag}: `")), "{flag} {address}: {}", ran.stderr);
            assert!(ran.stderr.contains("for example `http"), "{flag} {address}: {}", ran.stderr);
            assert!(!ran.stderr.contains("s.yaml") && !ran.stderr.contains("s3cret"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_functions_result_names_its_call() {
    let call = json!({ "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "f" } }] });
    let check = |result: serde_json::Value| {
        let messages = [
            json!({ "role": "user", "content": "q" }),
            call.clone(),
            result,
            json!({ "role": "assistant", "content": "x" }),
        ];
        let line = json!({ "id": "a", "messages": messages }).to_string();
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"]).file("s.yaml", CASE).file("r.jsonl", line).run()
    };
    check(json!({ "role": "tool", "tool_call_id": "1", "content": "7" })).ended(0);
    for id in [json!(null), json!(""), json!(" "), json!(7), json!(["1"])] {
        check(json!({ "role": "tool", "tool_call_id": id, "content": "7" }))
            .ended(2)
            .err("message 3 has the role `tool`, but neither `tool_call_id` nor `name`")
            .err("r.jsonl:1:");
    }
    check(json!({ "role": "tool", "content": "7" })).ended(2).err("but neither `tool_call_id` nor `name`");
}

#[test]
fn a_stop_word_defined_twice_is_an_error_at_the_second() {
    for (first, second) in [("quantum_leap", "Quantum-Leap"), ("a-b", "a_b"), ("DONE", "done")] {
        let words = format!("stopWords:\n      {first}: cut\n      {second}: complete\n");
        let suite = format!("providerConfig:\n    {words}{CASE}");
        let check = |ran: super::akit::Ran, place: &str| {
            ran.ended(2)
                .err(&format!("found `{second}`"))
                .err(&format!("the same word as `{first}`"))
                .err(place);
        };
        check(Akit::new(&["validate", "s.yaml"]).file("s.yaml", &suite).run(), "s.yaml:4:7");
        let config = format!("providers:\n  openai:\n    {words}");
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", CASE).file("akit.yaml", config).run();
        check(ran, "akit.yaml:5:7");
        let right = suite.replace(second, "another");
        Akit::new(&["validate", "s.yaml"]).file("s.yaml", right).run().ended(0);
    }
}

#[test]
fn a_quarantine_named_in_a_nested_configuration_is_not_a_scenario() {
    let quarantine = "- { case: s/a, owner: o, reason: r, until: 2999-01-01 }\n";
    for (config, name) in [("akit.yaml", "q.yaml"), ("akit.yml", "lists/q.yaml")] {
        for paths in [&["."][..], &["teams"], &["teams/**/*.yaml"], &["teams/one", "teams/two"]] {
            let ran = Akit::new(&["validate", "--config", "akit.yaml"])
                .args(paths)
                .file("akit.yaml", "{}\n")
                .file("teams/two/t.yaml", format!("name: t\n{CASE}"))
                .file("teams/one/s.yaml", format!("name: s\n{CASE}"))
                .file(&format!("teams/one/{config}"), format!("gate: {{ quarantine: {name} }}\n"))
                .file(&format!("teams/one/{name}"), quarantine)
                .run();
            assert_eq!(
                (ran.status, ran.stdout.contains("2 files with 2 cases")),
                (0, true),
                "{paths:?}: {}",
                ran.stderr
            );
        }
    }
    // If no configuration names it, it is a file like any other.
    Akit::new(&["validate", "."]).file("s.yaml", CASE).file("q.yaml", quarantine).run().ended(2);
}

#[test]
fn an_empty_expected_text_is_a_warning() {
    for value in ["''", "\"  \"", "\"\\n\"", "|\n\n"] {
        let suite = format!(
            "cases:\n  - id: a\n    prompt: p\n    expected:\n      type: exact\n      value: {value}\n"
        );
        let run = |more: &[&str]| Akit::new(&["validate", "s.yaml"]).args(more).file("s.yaml", &suite).run();
        run(&[]).ended(0).err("warning: `value` is empty: only an empty answer matches").err("s.yaml:6:");
        run(&["--strict"]).ended(2);
    }
    let suite = CASE.replace("contains, values: [x]", "exact, value: x");
    Akit::new(&["validate", "s.yaml", "--strict"]).file("s.yaml", suite).run().ended(0);
}

/// An error shared by many cases is reported once and still has a place.
#[test]
fn errors_reported_once_with_a_count_point_to_one_line() {
    let judged =
        |id: &str| format!("  - {{ id: {id}, prompt: p, expected: {{ type: llm_grader, rubric: r }} }}\n");
    let suite = format!("cases:\n{}", ["a", "b", "c"].map(judged).concat());
    let lines = ["a", "b", "c"].map(|id| (id, "a whole answer"));
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--retries", "0"])
        .file("akit.yaml", "grader:\n  model: j\n  baseUrl: http://127.0.0.1:9/v1\n")
        .file("s.yaml", suite)
        .file("r.jsonl", super::replies::replies(&lines))
        .run()
        .ended(4)
        .out("ERRORED 3 cases: cannot connect to")
        .out("cases: s/a, s/b, s/c\n  at: s.yaml:2\n")
        .out("`grader.baseUrl` at akit.yaml:3");
    assert_eq!(ran.stdout.matches("cannot connect").count(), 1, "{}", ran.stdout);
}

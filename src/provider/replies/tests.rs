//! Files of recorded answers: contents, and errors with their lines.

use super::*;
use crate::vocabulary::Usage;

fn read(text: &str) -> Result<Replies, RepliesError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replies.jsonl");
    std::fs::write(&path, text).unwrap();
    Replies::read(&[path])
}

#[test]
fn the_scenario_distinguishes_equal_ids() {
    let replies = read(
        "{\"id\":\"a\",\"reply\":\"any\"}\n\n{\"id\":\"a\",\"scenario\":\"s\",\"reply\":\"mine\",\"latency_ms\":1.6}\r\n{\"id\":\"a\",\"trial\":1,\"reply\":\"again\"}\n",
    )
    .unwrap();
    assert_eq!(replies.find("s", "a", 0).unwrap().text, "mine");
    assert_eq!(replies.find("s", "a", 0).unwrap().latency_ms, Some(2));
    assert_eq!(replies.find("other", "a", 0).unwrap().text, "any");
    let variables = BTreeMap::new();
    let whom = |id| Whom { scenario: "s", id, name: None, variables: &variables, messages: &[] };
    assert_eq!((replies.trials(&whom("a")), replies.trials(&whom("b"))), (2, 0));
}

#[test]
fn invalid_utf_8_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replies.jsonl");
    // A surrogate in CESU-8, a byte of Latin-1, an overlong slash.
    let table: [(&[u8], &str); 3] = [(b"\xed\xa0\x80", "0xed"), (b"\xe9", "0xe9"), (b"\xc0\xaf", "0xc0")];
    for (raw, byte) in table {
        let line = [b"{\"id\":\"a\",\"reply\":\"x".as_slice(), raw, b"\"}\n"].concat();
        std::fs::write(&path, line).unwrap();
        let error = Replies::read(std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(error.contains(&format!("not UTF-8: byte {byte} on line 1")), "{error}");
    }
}

#[test]
fn a_message_may_say_why_it_ended() {
    for (message, line, expected) in [
        (r#""finish_reason":"length""#, "", Some("length")),
        (r#""finish_reason":"stop""#, r#","finish_reason":"length""#, Some("length")),
        (r#""finish_reason":"length""#, r#","finish_reason":"stop""#, Some("length")),
        (r#""finish_reason":7"#, "", Some("7")),
        (r#""stop_reason":"max_tokens""#, "", Some("max_tokens")),
        (r#""name":"x""#, "", None),
        (r#""name":"x""#, r#","finish_reason":"stop""#, Some("stop")),
    ] {
        let line =
            format!(r#"{{"id":"a","messages":[{{"role":"assistant","content":"hi",{message}}}]{line}}}"#);
        let replies = read(&line).unwrap();
        assert_eq!(replies.find("s", "a", 0).unwrap().finish_reason.as_deref(), expected, "{line}");
    }
    // Next to a reply, the messages are the question.
    let asked =
        r#"{"id":"a","reply":"x","messages":[{"role":"user","content":"q","finish_reason":"length"}]}"#;
    assert_eq!(read(asked).unwrap().find("s", "a", 0).unwrap().finish_reason, None);
}

#[test]
fn invalid_lines_are_named() {
    let table = [
        ("{\"id\":\"a\"}", "`reply` is missing"),
        ("{\"id\":\"a\",\"reply\":\"x\",\"answer\":1}", "unknown key `answer`"),
        (
            "{\"id\":\"a\",\"reply\":\"x\"}\n{\"id\":\"a\",\"reply\":\"y\"}",
            ":2: this is a second answer for case `a`",
        ),
        ("not json", "it is not JSON"),
        (r#"{"id":"a","reply":"x \ud800 y"}"#, "a lone surrogate"),
        (r#"{"id":"a","reply":"x \ud800\u0041 y"}"#, "a lone surrogate"),
        (r#"{"id":"a","reply":"x \udc00 y"}"#, "a lone surrogate"),
        ("{\"id\":\"a\",\"reply\":\"x\",\"latency_ms\":-1}", "`latency_ms` is negative"),
        ("{\"id\":\"a\",\"reply\":\"x\",\"ttft_ms\":-1}", "`ttft_ms` is negative"),
        (r#"{"id":"a","reply":"x","at":"yesterday"}"#, "`at` is not a valid time: yesterday"),
        (
            r#"{"id":"a","reply":"x","at":"9000-01-01T00:00:00Z"}"#,
            "`at` is in the future: 9000-01-01T00:00:00Z",
        ),
        (
            r#"{"id":"a","reply":"x","at":"9999-12-31T23:59:59-23:59"}"#,
            "`at` is not a valid time: 9999-12-31",
        ),
        (r#"{"id":"a","tool_calls":[]}"#, "`reply` is missing"),
        (r#"{"id":"a","reply":"x","tool_calls":{}}"#, "replies.jsonl:1: `tool_calls` is not a list of calls"),
        (r#"{"id":"a","reply":"x","tool_calls":[{"id":"1"}]}"#, "tool call 1 has no name"),
        (r#"{"id":"a","messages":[],"tool_calls":[{"name":"x"}]}"#, "put the calls into the last message"),
        (r#"{"id":"a","messages":[{"role":"user","content":"x"}]}"#, "add the assistant's answer"),
        (r#"{"id":"a","tool_calls":[{"name":" "}]}"#, "tool call 1 has no name"),
        (r#"{"id":"a","messages":[{"role":"assistant","function_call":{}}]}"#, "tool call 1 has no name"),
        (r#"{"id":"a","trial":1,"reply":"x"}"#, "replies.jsonl:1: case `a` has trial 1, but no trial 0"),
        (
            "{\"id\":\"a\",\"reply\":\"x\"}\n{\"id\":\"a\",\"trial\":2,\"reply\":\"x\"}",
            ":2: case `a` has trial 2, but no trial 1",
        ),
        (
            "{\"id\":\"a\",\"scenario\":\"s\",\"reply\":\"x\"}\n{\"id\":\"a\",\"scenario\":\"t\",\"trial\":1,\"reply\":\"x\"}",
            ":2: case `a` has trial 1, but no trial 0",
        ),
        (
            "{\"id\":\"a\",\"reply\":\"x\"}\n{\"id\":\"a\",\"scenario\":\"b\",\"trial\":1,\"reply\":\"x\"}\n{\"id\":\"a\",\"trial\":2,\"reply\":\"y\"}",
            ":3: case `a` has trial 2, but no trial 1 without a scenario",
        ),
        (r#"{"id":"a","reply":"x","cost_usd":-0.1}"#, "`cost_usd` is negative"),
        (
            r#"{"id":"a","reply":"x","usage":[1,2]}"#,
            "`usage` cannot be used: expected an object, found a list",
        ),
        (
            r#"{"id":"a","reply":"x","usage":{"inptu_tokens":1}}"#,
            "`usage` cannot be used: unknown key `inptu_tokens`",
        ),
        (
            r#"{"id":"a","reply":"x","usage":{"input_tokens":1,"prompt_tokens":1}}"#,
            "duplicate key `input_tokens`",
        ),
        (r#"{"id":"a","reply":"x","usage":{"output_tokens":-1}}"#, "the number `-1` is out of range"),
        (r#"{"id":"a","reply":"x","usage":7}"#, "expected an object, found the number `7`"),
    ];
    for (text, expected) in table {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_unused_line_is_reported_whatever_its_trial() {
    let line = |id: &str, scenario: &str, trial: u32| {
        let scenario =
            if scenario.is_empty() { String::new() } else { format!(",\"scenario\":\"{scenario}\"") };
        format!("{{\"id\":\"{id}\"{scenario},\"trial\":{trial},\"reply\":\"x\"}}\n")
    };
    for (lines, expected) in [
        (vec![("a", "", 0), ("a", "", 1)], vec![]),
        (vec![("a", "s", 0), ("a", "", 0)], vec![]),
        (vec![("a", "s", 0), ("a", "t", 0), ("a", "", 0)], vec![3]),
        (vec![("a", "", 0), ("a", "S", 1)], vec![2]),
        (vec![("a", "", 0), ("a", "", 1), ("a", "s", 1), ("a", "t", 1)], vec![2]),
        (vec![("x", "", 0), ("x", "", 1)], vec![1, 2]),
        (vec![("b", "t", 0), ("b", "", 0)], vec![1]),
        (vec![("b", "s", 0), ("b", "", 0)], vec![2]),
    ] {
        let text: String = lines.iter().map(|(id, scenario, trial)| line(id, scenario, *trial)).collect();
        let replies = read(&text).unwrap();
        let cases = [CaseId::new("s", "a"), CaseId::new("t", "a"), CaseId::new("s", "b")].into();
        let unused: Vec<u32> = replies.unused(&cases).into_iter().map(|one| one.line).collect();
        assert_eq!(unused, expected, "{text}");
    }
    let usage = r#"{"id":"a","reply":"x","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{}}}"#;
    let replies = read(usage).unwrap();
    let usage = replies.find("s", "a", 0).unwrap().usage;
    assert_eq!(usage, Some(Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() }));
}

//! Scenario files as bytes: encodings, line ends, and attacks on parsers.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;

const CASE: &str = "  - id: a\n    prompt: p\n    expected: { type: contains, values: [x] }\n";

fn validate(content: impl AsRef<[u8]>) -> Ran {
    Akit::new(&["validate", "a.yaml", "--json", "-"]).file("a.yaml", content).run()
}

/// Code, line and column of every diagnostic.
fn places(ran: &Ran) -> Vec<(String, u64, u64)> {
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    let found = report["diagnostics"].as_array().unwrap();
    let place = |one: &Json| {
        let (line, column) = (&one["location"]["line"], &one["location"]["column"]);
        (one["code"].as_str().unwrap().to_owned(), line.as_u64().unwrap(), column.as_u64().unwrap())
    };
    found.iter().map(place).collect()
}

#[test]
fn byte_order_marks_and_line_ends_do_not_shift_places() {
    let plain = format!("# größe\ncases:\n{CASE}    ünknown: 1\n");
    for text in [plain.clone(), format!("\u{feff}{plain}"), plain.replace('\n', "\r\n")] {
        let ran = validate(&text).ended(2);
        assert_eq!(places(&ran), [("unknown-key".to_owned(), 6, 5)], "{text:?}");
    }
    let wide = format!("cases:\n{}", CASE.replace("prompt: p", "prompt: \"größe 漢字 {{who}}\""));
    let ran = validate(wide).ended(2);
    assert_eq!(places(&ran), [("undefined-variable".to_owned(), 3, 13)]);
}

#[test]
fn a_windows_file_is_judged_like_any_other() {
    let text = format!("cases:\n{CASE}").replace('\n', "\r\n");
    Akit::new(&["run", "a.yaml", "--replies", "r.jsonl"])
        .file("a.yaml", text)
        .file("r.jsonl", "\u{feff}{\"id\":\"a\",\"reply\":\"xyz\"}\r\n\r\n")
        .run()
        .ended(0)
        .out("1 passed");
}

#[test]
fn files_that_are_not_text_are_reported_without_a_guess() {
    let table: [(&[u8], &str); 9] = [
        (b"cases:\n  - id: \xff\n", "not UTF-8: byte 0xff on line 2"),
        (b"cases: \0", "the file is binary (NUL byte at offset 7)"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "the file is binary"),
        (b"\xff\xfec\0a\0s\0e\0s\0", "the file is UTF-16"),
        (b"PK\x03\x04\x14\0", "the file is binary"),
        ("cases:\n  - id: \u{9b}31m\u{202e}\n".as_bytes(), "a control character"),
        (b"cases:\n  - id: @x\n", "text cannot start with `@`; put it in quotes"),
        (b"cases:\n  - id: %x\n", "text cannot start with `%`; put it in quotes"),
        (b"cases:\n  - id: `x`\n", "text cannot start with a backtick; put it in quotes"),
    ];
    for (content, expected) in table {
        let ran = validate(content).ended(2).err(expected);
        assert!(!ran.stderr.contains(['\u{9b}', '\u{202e}', '\u{7f}']), "{}", ran.stderr);
    }
}

#[test]
fn files_without_a_scenario_are_reported() {
    for empty in ["", "\n\n", "   \n", "# only a comment\n", "---\n", "null\n", "~\n", "\u{feff}"] {
        validate(empty).ended(2).err("the file is empty");
    }
    let table = [
        ("- id: a\n", "a scenario must be a mapping, found a list"),
        ("just words\n", "a scenario must be a mapping, found text"),
        ("42\n", "a scenario must be a mapping, found a number"),
        ("{}\n", "a scenario needs `cases`"),
        ("name: x\n", "a scenario needs `cases`"),
        ("cases:\n", "`cases` must be a list with at least one case, found nothing"),
        ("cases: []\n", "found an empty list"),
        ("cases: {}\n", "found a mapping"),
        ("cases: [[]]\n", "a case must be a mapping, found a list"),
        ("cases: [null]\n", "a case must be a mapping, found nothing"),
    ];
    for (text, expected) in table {
        validate(text).ended(2).err(expected);
    }
}

#[test]
fn the_help_lists_required_keys_only_if_there_are_any() {
    let ran = Akit::new(&["validate", "s.yaml"]).file("akit.yaml", "just words\n").run().ended(2);
    ran.err("= help: write it as `key: value` lines\n");
}

#[test]
fn tabs_and_second_documents_are_named() {
    validate(format!("cases:\n{CASE}\tname: x\n")).ended(2).err("indent with spaces");
    for second in ["---\nname: second\n", "---\n", "...\n---\ncases: []\n"] {
        validate(format!("cases:\n{CASE}{second}")).ended(2).err("one scenario per file");
    }
    validate(format!("---\ncases:\n{CASE}...\n")).ended(0);
    validate(format!("%YAML 1.2\n---\ncases:\n{CASE}")).ended(0);
}

#[test]
fn anchors_work_and_alias_bombs_are_harmless() {
    let text = "cases:\n  - id: a\n    prompt: &question What?\n    expected: &kind { type: contains, values: [x] }\n  \
                - id: b\n    prompt: *question\n    expected: *kind\n";
    validate(text).ended(0);
    let mut shared = String::from("cases:\n");
    for n in 0..500 {
        let kind = if n == 0 { "&kind { type: contains, values: [x] }" } else { "*kind" };
        writeln!(shared, "  - {{ id: c{n}, prompt: p, expected: {kind} }}").unwrap();
    }
    validate(shared).ended(0);
    validate("cases: *nowhere\n")
        .ended(2)
        .err("has no anchor (`&name`) above it")
        .err("text that begins with `*`");
    validate("cases: &a [*a]\n").ended(2).err("an alias is inside its own anchor");

    let began = Instant::now();
    let mut bomb = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let parts = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{parts}]").unwrap();
    }
    validate(bomb).ended(2).err("it is too large once its aliases are expanded").err("use fewer aliases");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn nesting_ends_at_its_limit_without_a_crash() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(
            "cases:\n{}",
            CASE.replace("prompt: p", &format!("prompt: p\n    metadata: {{ x: {open}{close} }}"))
        )
    };
    validate(nested(100)).ended(0);
    for depth in [129, 10_000, 1_000_000] {
        validate(nested(depth)).ended(2).err("it is nested too deeply").err("fewer aliases and levels");
    }
    let mut not = String::from("{ type: contains, values: [x] }");
    for _ in 0..60 {
        not = format!("{{ not: {not} }}");
    }
    validate(format!("cases:\n  - id: a\n    prompt: p\n    expected: {not}\n")).ended(0);
}

#[test]
fn fifty_thousand_cases_in_one_file_are_read() {
    let mut text = String::from("cases:\n");
    for n in 0..50_000 {
        writeln!(text, "- {{id: c{n}, prompt: p, expected: {{type: contains, values: [x]}}}}").unwrap();
    }
    Akit::new(&["validate", "a.yaml"]).file("a.yaml", text).run().ended(0).out("1 file with 50,000 cases");
}

#[cfg(unix)]
/// A program may write JSON on a single line; its columns must not be counted from the start for each value.
#[test]
fn a_suite_in_one_line_is_read_like_any_other() {
    let case = |n: u32| {
        format!("{{\"id\":\"c{n}\",\"prompt\":\"ü\",\"expected\":{{\"type\":\"exact\",\"value\":\"x\"}}}}")
    };
    let cases: Vec<String> = (0..5_000).map(case).collect();
    let text = format!("{{\"name\":\"s\",\"cases\":[{}]}}", cases.join(","));
    validate(&text).ended(0);
    let wrong = text.replacen("\"id\":\"c4999\"", "\"idd\":\"c4999\"", 1);
    let ran = validate(&wrong).ended(2);
    let before = wrong.find("\"idd\"").map_or(0, |at| wrong[..at].chars().count());
    let column = u64::try_from(before + 1).unwrap();
    assert!(places(&ran).contains(&("unknown-key".to_owned(), 1, column)), "{:?}", places(&ran));
}

#[test]
fn an_unreadable_file_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let akit = Akit::new(&["validate", "a.yaml"]).file("a.yaml", format!("cases:\n{CASE}"));
    let path = akit.folder().join("a.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        // The superuser can read everything.
        return;
    }
    akit.run().ended(2).err("permission denied");
}

#[test]
fn strings_are_those_of_yaml_1_2() {
    for word in ["yes", "no", "on", "off", "y", "2026-01-01", "12:30:00", "0o"] {
        validate(format!("cases:\n{}", CASE.replace("id: a", &format!("id: {word}")))).ended(0);
    }
    for (word, kind) in [("true", "a boolean"), ("0x10", "a number"), ("~", "nothing"), ("1.5", "a number")] {
        validate(format!("cases:\n{}", CASE.replace("id: a", &format!("id: {word}"))))
            .ended(2)
            .err(&format!("`id` must be text, found {kind}"));
    }
}

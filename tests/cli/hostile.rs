//! Hostile names and texts in every command that prints them: no escape sequences, no extra lines, and no commands to
//! the
//! CI system that reads the log.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::replies::replies;

/// The content of a hostile field: an escape, line breaks with a forged result and CI commands, and a right-to-left
/// override.
const HOSTILE: &str = "h\u{1b}[2J\u{7}\u{202e}\rx\nRESULT: PASS forged\n::error file=x::pwn\n::add-mask::a\n##[error]b\n##vso[task.c]d\n##teamcity[e]\n";

const SUITE: &str = "\
name: support
tags: [t]
cases:
  - { id: good, name: Title, prompt: q, expected: { type: contains, values: [good] }, tags: [money] }
  - { id: bad, prompt: r, expected: { type: exact, value: good } }
";

/// The first harmful thing in a command's output.
fn harm(text: &str) -> Option<String> {
    let turning = ['\u{202e}', '\u{2066}', '\u{200f}'];
    if let Some(c) = text.chars().find(|c| (c.is_control() && !"\n\t".contains(*c)) || turning.contains(c)) {
        return Some(format!("it holds {c:?}"));
    }
    let commands = ["##[error]", "##vso[", "##teamcity["];
    if let Some(command) = commands.iter().find(|command| text.contains(**command)) {
        return Some(format!("it holds {command}"));
    }
    let begins = |line: &str| line.trim_start().starts_with("::") || line.starts_with("RESULT: PASS forged");
    text.lines().find(|line| begins(line)).map(|line| format!("a line is {line:?}"))
}

/// A stored run, a baseline, and the files they need.
struct World {
    run: Json,
    baseline: Json,
}

fn world() -> World {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--repeat", "2", "-q"])
        .file("s.yaml", SUITE)
        .file(
            "r.jsonl",
            "{\"id\":\"good\",\"reply\":\"good\",\"model\":\"m\",\"finish_reason\":\"stop\"}\n{\"id\":\"good\",\"trial\":1,\"reply\":\"good\"}\n\
             {\"id\":\"bad\",\"reply\":\"no\"}\n{\"id\":\"bad\",\"trial\":1,\"reply\":\"good\"}\n",
        )
        .run()
        .ended(1);
    let update = ["baseline", "update", "run.json", "--baseline", "b.json", "--force"];
    let updated = ran.then(&update).run().ended(0);
    let accept = [
        "baseline",
        "accept",
        "support/bad",
        "--reason",
        "why",
        "--by",
        "me",
        "--baseline",
        "b.json",
        "--run",
        "run.json",
    ];
    let accepted = updated.then(&accept).run().ended(0);
    World { run: accepted.json("run.json"), baseline: accepted.json("b.json") }
}

/// Names of all keys with a text below them.
fn keys(value: &Json, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Json::Object(entries) => {
            for (key, value) in entries {
                let is_text =
                    value.is_string() || value.as_array().is_some_and(|all| all.iter().any(Json::is_string));
                if is_text {
                    found.insert(key.clone());
                }
                keys(value, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

/// The same with hostile text below every key of this name.
fn poisoned(value: &Json, name: &str) -> Json {
    let poison = |value: &Json| match value {
        Json::String(text) => json!(format!("{text}{HOSTILE}{text}")),
        other => other.clone(),
    };
    match value {
        Json::Object(entries) => entries
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Json::String(_) if key == name => poison(value),
                    Json::Array(items) if key == name => items.iter().map(poison).collect(),
                    other => poisoned(other, name),
                };
                (key.clone(), value)
            })
            .collect(),
        Json::Array(items) => items.iter().map(|item| poisoned(item, name)).collect(),
        other => other.clone(),
    }
}

fn check(what: &str, ran: &Ran, clean: &mut Vec<String>) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if let Some(harm) = harm(text) {
            clean.push(format!("{what}, {stream}: {harm}"));
        }
    }
}

/// Commands that print a stored run or a baseline.
const COMMANDS: [&[&str]; 16] = [
    &["baseline", "show", "--baseline", "b.json"],
    &["baseline", "diff", "b.json", "c.json"],
    &["baseline", "diff", "c.json", "b.json"],
    &["baseline", "update", "run.json", "--baseline", "b.json"],
    &["baseline", "update", "run.json", "--baseline", "c.json"],
    &["baseline", "update", "run.json", "--baseline", "c.json", "--force"],
    &["baseline", "accept", "*", "--reason", "x", "--baseline", "b.json"],
    &["gate", "run.json"],
    &["gate", "run.json", "--baseline", "b.json"],
    &["report", "run.json"],
    &["compare", "other.json", "run.json"],
    &["history", "run.json", "other.json"],
    &["prompts", "s.yaml", "--suspects", "run.json"],
    &["regrade", "other.json", "run.json", "s.yaml"],
    &["plan", "s.yaml", "--baseline", "b.json"],
    &["comment", "run.json"],
];

#[test]
fn hostile_text_in_a_stored_run_or_a_baseline_is_printed_safely() {
    let World { run, baseline } = world();
    let mut names = std::collections::BTreeSet::new();
    keys(&run, &mut names);
    keys(&baseline, &mut names);
    assert!(names.len() > 30, "{names:?}");
    let mut harms = Vec::new();
    for name in &names {
        let (hostile, past) = (poisoned(&run, name).to_string(), poisoned(&baseline, name).to_string());
        let first = Akit::new(&["--version"])
            .file("s.yaml", SUITE)
            .file("other.json", run.to_string())
            .file("c.json", baseline.to_string())
            .run();
        for command in COMMANDS {
            let akit = first.then(command).file("run.json", &hostile).file("b.json", &past);
            check(&format!("{name}: {command:?}"), &akit.run(), &mut harms);
        }
    }
    assert!(harms.is_empty(), "{} of {}:\n{}", harms.len(), names.len() * COMMANDS.len(), harms.join("\n"));
}

/// Commands that read files written by people and other programs.
#[test]
fn hostile_text_in_other_files_is_printed_safely() {
    let quoted = json!(format!("a{HOSTILE}")).to_string();
    let suite = |from: &str, to: &str| SUITE.replacen(from, to, 1);
    let suites = [
        suite("name: support", &format!("name: {quoted}")),
        suite("id: good", &format!("id: {quoted}")),
        suite("name: Title", &format!("name: {quoted}")),
        suite("prompt: q", &format!("prompt: {quoted}")),
        suite("prompt: q", &format!("prompt: [{{ role: {quoted}, content: x }}]")),
        suite("values: [good]", &format!("values: [{quoted}]")),
        suite("values: [good]", &format!("values: [good], {quoted}: 1")),
        suite("type: contains, values: [good]", &format!("type: {quoted}")),
        suite(
            "type: contains, values: [good]",
            &format!("type: regex, pattern: {}", json!(format!("({HOSTILE}"))),
        ),
        suite("type: contains, values: [good]", &format!("type: inline, expression: {quoted}")),
        suite("type: contains, values: [good]", &format!("type: json_schema, schema: {{ type: {quoted} }}")),
        suite("tags: [t]", &format!("tags: [{quoted}]")),
        suite("tags: [t]", &format!("provider: {quoted}")),
        suite("tags: [t]", &format!("model: {quoted}")),
        suite("tags: [t]", &format!("providerConfig: {{ baseUrl: {quoted} }}")),
        suite("tags: [t]", &format!("redaction: {{ patterns: [{quoted}] }}")),
        suite("tags: [t]", &format!("{quoted}: 1")),
        suite("tags: [t]", &format!("tags: [{HOSTILE}")),
    ];
    let configs =
        ["model", "provider", "scenariosDir", "repeat", "project"].map(|key| format!("{key}: {quoted}\n"));
    let gates = [
        "critical: [Q]",
        "fail_on: [Q]",
        "quarantine: Q",
        "baseline: { from: Q }",
        "thresholds: [{ metric: Q, max: 1 }]",
    ];
    let gates = gates.map(|gate| format!("gate: {{ {} }}\n", gate.replace('Q', &quoted)));
    let grader = [format!("grader: {{ model: {quoted}, calibration: {{ file: {quoted} }} }}\n")];
    let commands: [&[&str]; 7] = [
        &["validate", "s.yaml"],
        &["run", "s.yaml", "--replies", "r.jsonl"],
        &["run", "s.yaml", "--replies", "r.jsonl", "-v"],
        &["run", "s.yaml", "-m", "m", "--replay"],
        &["plan", "s.yaml"],
        &["doctor", "s.yaml", "--explain"],
        &["cache", "why", "s.yaml", "-m", "m", "--verbose"],
    ];
    let mut harms = Vec::new();
    let answers = replies(&[("good", &format!("good {HOSTILE}")), ("bad", HOSTILE)]);
    let files = suites.iter().map(|suite| (suite.as_str(), ""));
    let files =
        files.chain(configs.iter().chain(&gates).chain(&grader).map(|config| (SUITE, config.as_str())));
    for (suite, config) in files {
        let first = Akit::new(&["--version"])
            .file("s.yaml", suite)
            .file("akit.yaml", config)
            .file("r.jsonl", &answers)
            .run();
        for command in commands {
            let context = format!("{command:?} of {suite}{config}");
            check(&context, &first.then(command).run(), &mut harms);
        }
        // Machine-readable output has each text on one line, escaped as in JSON.
        let prompts = first.then(&["prompts", "s.yaml"]).run();
        for line in prompts.stdout.lines() {
            let is_line = serde_json::from_str::<Json>(line).is_ok_and(|one| one.is_object());
            assert!(is_line && !line.contains(char::is_control), "{line:?}");
        }
    }
    let promptfoo = format!(
        "description: {quoted}\nprompts: [{quoted}]\nproviders: [{quoted}]\ntests:\n  - description: {quoted}\n    vars: {{ a: {quoted} }}\n    assert: [{{ type: {quoted}, value: {quoted} }}]\n"
    );
    let label =
        json!({ "input": HOSTILE, "answer": HOSTILE, "rubric": HOSTILE, "label": HOSTILE }).to_string();
    let first = Akit::new(&["--version"]).file("p.yaml", promptfoo).file("labels.jsonl", label).run();
    for command in
        [&["import", "promptfoo", "p.yaml"][..], &["calibrate", "labels.jsonl", "--grader-model", "m"]]
    {
        check(&format!("{command:?}"), &first.then(command).run(), &mut harms);
    }
    assert!(harms.is_empty(), "{}:\n{}", harms.len(), harms.join("\n"));
}

#[test]
fn errors_about_arguments_quote_them_on_one_line() {
    let mut harms = Vec::new();
    let flags = [
        "--fail-on",
        "--min-pass-rate",
        "--confirm",
        "--timeout",
        "--retries",
        "--format",
        "--provider",
        "--repeat",
        "--budget",
        "--deadline",
        "--recorded-at",
        "--sarif-profile",
        "--policy-from",
        "--weakened-since",
        "--baseline",
        "--config",
        "--replies",
        "--case",
        "--filter",
        "-t",
        "--sample",
        "--seed",
        "--redact",
        "--base-url",
        "--ca-bundle",
        "--json",
        "--cache",
    ];
    for flag in flags {
        for value in [HOSTILE.to_owned(), format!("a,{HOSTILE}")] {
            let joined = format!("{flag}={value}");
            let context = format!("{flag} joined {}", value.starts_with('a'));
            let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", flag, &value])
                .file("s.yaml", SUITE)
                .file("r.jsonl", replies(&[("good", "good"), ("bad", "good")]))
                .run();
            check(&format!("{flag} {}", value.starts_with('a')), &ran, &mut harms);
            check(&context, &ran.then(&["run", &joined]).run(), &mut harms);
        }
    }
    for arguments in [
        &[HOSTILE][..],
        &["run", HOSTILE],
        &["gate", HOSTILE],
        &["--", HOSTILE],
        &["cache", HOSTILE],
        &["baseline", "accept", HOSTILE, "--reason", "x"],
    ] {
        check(&format!("{arguments:?}"), &Akit::new(arguments).run(), &mut harms);
    }
    let unknown = format!("--{HOSTILE}");
    check("an unknown flag", &Akit::new(&["run", &unknown]).run(), &mut harms);
    let plain = Akit::new(&["run", "--fail-on", "nothing"]).run().ended(2);
    assert!(plain.stderr.contains("error: --fail-on: `nothing` is not one of"), "{}", plain.stderr);
    assert!(harms.is_empty(), "{}:\n{}", harms.len(), harms.join("\n"));
}

#[test]
fn a_stored_run_cannot_name_files_outside_the_folder() {
    let World { run, .. } = world();
    for path in [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\Windows\\win.ini",
        "C:/x.yaml",
        "a/../../x.yaml",
        "\\\\host\\x",
        "file:///etc/passwd",
    ] {
        let (mut scenario, mut case) = (run.clone(), run.clone());
        scenario["scenarios"][0]["file"] = json!(path);
        case["cases"][0]["location"]["file"] = json!(path);
        let mut decision = run.clone();
        decision["decision"]["breaches"][0]["location"] = json!({ "file": path, "line": 1, "column": 1 });
        for (hostile, commands) in [
            (scenario.to_string(), &COMMANDS[3..]),
            (case.to_string(), &COMMANDS[3..]),
            (decision.to_string(), &[&["report", "run.json", "--sarif", "r.sarif"][..]]),
        ] {
            for command in commands.iter().filter(|command| command.contains(&"run.json")) {
                let ran = Akit::new(command)
                    .file("s.yaml", SUITE)
                    .file("run.json", &hostile)
                    .file("other.json", run.to_string())
                    .run();
                let context = format!("{command:?} of {path}: {}{}", ran.stdout, ran.stderr);
                assert!(ran.status != 0 && ran.stderr.contains(path), "{context}");
                assert!(!ran.stdout.contains("root:"), "{context}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipeline_writes_no_report_through_a_link() {
    use std::os::unix::fs::symlink;

    let run = ["run", "s.yaml", "--replies", "r.jsonl"];
    let start = || {
        let akit = Akit::new(&run)
            .file("s.yaml", SUITE)
            .file("r.jsonl", replies(&[("good", "good"), ("bad", "good")]))
            .file("victim", "mine")
            .file("inner/x", "");
        symlink("victim", akit.folder().join("l")).unwrap();
        symlink("nowhere", akit.folder().join("dangling")).unwrap();
        symlink("inner", akit.folder().join("out")).unwrap();
        akit
    };
    let flags = ["--json", "--html", "--junit", "--sarif", "--markdown", "--dotenv", "--annotations"];
    for flag in flags {
        for path in ["l", "dangling", "out/new", "./l"] {
            let ran = start().args(&[flag, path]).env("CI", "true").run();
            let context = format!("{flag} {path}: {}", ran.stderr);
            assert!(ran.status == 2 && ran.stderr.contains("through the link"), "{context}");
            assert_eq!(ran.read("victim"), "mine", "{context}");
            assert!(!ran.path("nowhere").exists() && !ran.path("inner/new").exists(), "{context}");
        }
    }
    // A user may write through a link, and a pipeline may write to other paths.
    let ran = start().args(&["--json", "l"]).run().ended(0);
    assert!(ran.json("victim").is_object());
    start().args(&["--json", "inner/run.json", "--markdown", "/dev/stderr"]).env("CI", "true").run().ended(0);
    for command in [
        &["history", "run.json", "--html", "l"][..],
        &["compare", "run.json", "run.json", "--json", "l"],
        &["validate", "s.yaml", "--junit", "l"],
    ] {
        let stored = start().args(&["--json", "run.json"]).run().ended(0);
        let ran = stored.then(command).env("CI", "true").run().ended(2).err("through the link");
        assert_eq!(ran.read("victim"), "mine");
    }
}

//! `akit validate`: every diagnostic has an example, all are reported at once, and the reports match the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value as Json;

use super::Akit;
use super::akit::{Ran, repository};
use super::replies::suite;
use super::server::{Answer, Server};

fn diagnostic_codes(report: &Json) -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in report["diagnostics"].as_array().unwrap() {
        let file = one["location"]["file"].as_str().unwrap().to_owned();
        codes.entry(file).or_default().insert(one["code"].as_str().unwrap().to_owned());
    }
    codes
}

/// The codes raised in the sources of `akit validate`.
fn raised_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for folder in ["source", "scenario", "expectation"] {
        collect(&repository().join("src").join(folder), &mut codes);
    }
    collect(&repository().join("src/environment.rs"), &mut codes);
    codes
}

fn collect(path: &Path, codes: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), codes);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let dense: String = text.split_whitespace().collect();
        for call in ["Diagnostic::error(\"", "inside(\"", "node,\"", "refuse(\""] {
            for (at, _) in dense.match_indices(call) {
                let rest = &dense[at + call.len()..];
                let code = &rest[..rest.find('"').unwrap()];
                if code.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_diagnostic_has_an_example_that_shows_nothing_else() {
    let ran = Akit::new(&["validate", "invalid", "--json", "found.json"])
        .copy("fixtures/invalid", "invalid")
        .run()
        .ended(2);
    let mut shown = BTreeSet::new();
    for (file, codes) in diagnostic_codes(&ran.json("found.json")) {
        let code = file.trim_start_matches("invalid/").trim_end_matches(".yaml").to_owned();
        assert_eq!(codes, BTreeSet::from([code.clone()]), "{file}");
        shown.insert(code);
    }
    let ran = Akit::new(&["validate", "warned", "--json", "found.json"])
        .copy("fixtures/warned", "warned")
        .run()
        .ended(0);
    for (file, codes) in diagnostic_codes(&ran.json("found.json")) {
        let code = file.trim_start_matches("warned/").trim_end_matches(".yaml").to_owned();
        assert_eq!(codes, BTreeSet::from([code.clone()]), "{file}");
        shown.insert(code);
    }
    assert_eq!(shown, raised_codes(), "left: fixtures/invalid and fixtures/warned, right: src");
}

#[test]
fn all_errors_of_all_files_are_reported_at_once() {
    let ran = Akit::new(&["validate", "invalid"]).copy("fixtures/invalid", "invalid").run().ended(2);
    insta::assert_snapshot!("invalid", format!("{}{}", ran.stderr, ran.stdout));
}

#[test]
fn warnings_are_printed_and_do_not_fail() {
    let ran = Akit::new(&["validate", "warned"]).copy("fixtures/warned", "warned").run().ended(0);
    insta::assert_snapshot!("warned", format!("{}{}", ran.stderr, ran.stdout));
}

#[test]
fn a_run_refuses_what_validate_refuses_and_sends_nothing() {
    let server = super::server::Server::start(|_| panic!("nothing may be sent"));
    let ran = Akit::new(&["run", "invalid", "--base-url", &server.url])
        .copy("fixtures/invalid", "invalid")
        .run()
        .ended(2)
        .err("nothing was sent");
    assert_eq!(ran.stdout, "");
    assert!(server.asked().is_empty());
}

fn two_files(arguments: &[&str]) -> Ran {
    Akit::new(&["validate", "suite"])
        .args(arguments)
        .file("suite/b.yaml", "cases: {}\nnmae: x\n")
        .file("suite/a.yaml", "cases:\n  - id: a\n    prompt: <b>{{x}}</b>\n    expected: 1\n")
        .file("suite/c.yaml", "cases:\n  - { id: a, prompt: p, expected: { type: contains, values: [] } }\n")
        .run()
}

#[test]
fn json_on_stdout_is_only_json() {
    let ran = two_files(&["--json", "-"]).ended(2).err("3 files with 1 case: 4 errors, 1 warning");
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["schema"], "akit.validate/1");
    assert_eq!((report["errors"].as_u64(), report["warnings"].as_u64()), (Some(4), Some(1)));
    let places: Vec<_> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let at = &one["location"];
            (one["code"].as_str().unwrap(), at["file"].as_str().unwrap(), at["line"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        places,
        [
            ("undefined-variable", "suite/a.yaml", 3),
            ("wrong-type", "suite/a.yaml", 4),
            ("wrong-type", "suite/b.yaml", 1),
            ("unknown-key", "suite/b.yaml", 2),
            ("empty-values", "suite/c.yaml", 2),
        ]
    );
}

#[test]
fn junit_has_one_case_per_file_and_escapes_what_it_quotes() {
    let ran = two_files(&["--junit", "reports/junit.xml"]).ended(2);
    let xml = ran.read("reports/junit.xml");
    assert_eq!(xml.matches("<testcase ").count(), 3, "{xml}");
    assert!(xml.contains("tests=\"3\"") && xml.contains("undefined variable `{{x}}`"), "{xml}");
    assert!(!xml.contains("<b>"), "{xml}");
}

#[test]
fn sarif_has_one_result_per_diagnostic() {
    let ran = two_files(&["--sarif", "out.sarif"]).ended(2);
    let report = ran.json("out.sarif");
    let results = report["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<_> = results.iter().map(|one| one["ruleId"].as_str().unwrap()).collect();
    assert_eq!(
        rules,
        [
            "akit/validate/undefined-variable",
            "akit/validate/wrong-type",
            "akit/validate/wrong-type",
            "akit/validate/unknown-key",
            "akit/validate/empty-values",
        ]
    );
    let region = &results[0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((region["startLine"].as_u64(), region["startColumn"].as_u64()), (Some(3), Some(13)));
    assert_eq!(
        (results[0]["level"].as_str(), results[4]["level"].as_str()),
        (Some("error"), Some("warning"))
    );
}

#[test]
fn reports_can_be_combined_but_only_one_goes_to_stdout() {
    two_files(&["--json", "-", "--sarif", "-"]).ended(2).err("only one report can go to stdout");
    let ran = two_files(&["--json", "f.json", "--junit", "f.xml", "--sarif", "f.sarif"])
        .ended(2)
        .out("3 files with 1 case");
    for name in ["f.json", "f.xml", "f.sarif"] {
        assert!(ran.path(name).is_file(), "{name}");
    }
}

#[test]
fn diagnostics_beyond_the_terminals_limit_are_counted_and_stored() {
    let mut text = String::from("cases:\n");
    for n in 0..150 {
        writeln!(text, "  - {{ id: c{n}, prompt: p, expected: {{ type: nope }} }}").unwrap();
    }
    let ran = Akit::new(&["validate", "a.yaml", "--json", "found.json"])
        .file("a.yaml", text)
        .run()
        .ended(2)
        .err("… and 50 more; `--json` lists them all")
        .out("150 errors");
    assert_eq!(ran.json("found.json")["diagnostics"].as_array().unwrap().len(), 150);
}

#[test]
fn keys_in_files_are_not_shown() {
    let text = "providerConfig:\n  apiKey: sk-live-0123456789\n  apiKey: sk-live-9876543210\ncases: []\n";
    let ran = Akit::new(&["validate", "a.yaml", "--json", "-"]).file("a.yaml", text).run().ended(2);
    assert!(!ran.stdout.contains("sk-live") && !ran.stderr.contains("sk-live"), "{}", ran.stderr);
    let text = "providerConfig: { apiKey: [sk-live-0123456789] }\nseed: x\ncases: []\n";
    let ran = Akit::new(&["validate", "a.yaml"]).file("a.yaml", text).run().ended(2);
    assert!(!ran.stderr.contains("sk-live"), "{}", ran.stderr);
}

#[test]
fn numbers_out_of_range_and_odd_values_are_reported() {
    let case = "{ id: a, prompt: p, expected: { type: exact, value: x } }";
    let table = [
        ("temperature: 1e400", "`temperature` must be a number from 0 to 2, found `inf`"),
        ("temperature: .nan", "found `NaN`"),
        ("seed: 1e3", "`seed` must be a whole number of at least 0, found a number"),
        ("seed: 99999999999999999999", "`seed` must be a whole number of at least 0"),
        ("maxTokens: -1", "found `-1`"),
        ("variables: { a: [1] }", "a mapping of names to text, numbers or booleans, found a list"),
        ("tags: [1]", "`tags` must be a list of text, found a number"),
        ("name: ''", "text that is not blank"),
        ("provider: null", "found nothing"),
        ("setup: text", "`setup` must be a mapping, found text"),
        ("setup: { functions: [1] }", "`functions` must be a list of mappings"),
        ("providerConfig: { timeout: 0 }", "`timeout` must be a whole number of at least 1"),
    ];
    for (line, expected) in table {
        Akit::new(&["validate", "a.yaml"])
            .file("a.yaml", format!("{line}\ncases:\n  - {case}\n"))
            .run()
            .ended(2)
            .err(expected);
    }
}

/// A setting without effect gets a warning at its line, with akit's equivalent.
#[test]
fn a_setting_without_effect_is_a_warning_that_names_its_equivalent() {
    let configuration = [
        ("ci: { failOnRegression: true }", "ci", "gate:"),
        (
            "ci: { failOnRegression: true }",
            "ci.failOnRegression",
            "`gate: { baseline: { from: akit-baseline.json } }`",
        ),
        ("ci: { minSuccessRate: 0.99 }", "ci.minSuccessRate", "`gate: { min_pass_rate: 0.99 }`"),
        (
            "ci: { regressionThreshold: 0.05 }",
            "ci.regressionThreshold",
            "`gate: { baseline: { margin: 0.05 } }`",
        ),
        ("ci: { somethingElse: 1 }", "ci", "gate:"),
        ("storage: { type: local }", "storage", "akit run --json FILE"),
        ("output: { format: json }", "output", "--html FILE"),
    ];
    for (line, key, instead) in configuration {
        for file in ["akit.yaml", "artemis.config.yaml"] {
            let ran = Akit::new(&["validate", "s.yaml"]).file(file, format!("project: p\n{line}\n"));
            let ran = ran.file("s.yaml", suite(&["a"])).run().ended(0);
            ran.err(&format!("warning: `{key}` has no effect in akit"))
                .err(instead)
                .err(&format!("{file}:2"));
        }
    }
    let texts = ["name", "runnableType"];
    let rows = texts.map(|key| format!("{key}: text")).into_iter();
    let rows = rows.chain(
        ["underlyingProvider: openai", "captureTraces: true", "captureMessages: true"].map(str::to_owned),
    );
    for row in rows {
        let key = row.split(':').next().unwrap();
        let warning = format!("warning: `{key}` has no effect in akit");
        let scenario = format!("providerConfig: {{ {row} }}\n{}", suite(&["a"]));
        Akit::new(&["validate", "s.yaml"])
            .file("s.yaml", scenario)
            .run()
            .ended(0)
            .err(&warning)
            .err("`--replies FILE`");
        let config = format!("providers: {{ openai: {{ {row} }} }}\n");
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).file("akit.yaml", config);
        ran.run().ended(0).err(&warning);
    }
    let scenario = format!("teardown: {{ cleanup: true }}\n{}", suite(&["a"]));
    let ran = Akit::new(&["validate", "s.yaml", "--strict"]).file("s.yaml", scenario).run().ended(2);
    ran.err("`teardown` has no effect in akit").err("remove it");
    // A project name is a label, and settings that akit uses get no warning.
    let config = "project: p\nprovider: openai\ngate: { min_pass_rate: 1 }\n";
    let ran = Akit::new(&["validate", "s.yaml", "--strict"])
        .file("s.yaml", suite(&["a"]))
        .file("akit.yaml", config);
    ran.run().ended(0);
}

/// An unset variable stops a run only if the value is used.
#[test]
fn an_unused_variable_may_be_unset() {
    let configuration = [
        "ci: { regressionThreshold: \"${GONE}\" }",
        "storage: { url: \"${GONE}\", key: \"${GONE}\" }",
        "output: { dir: \"${GONE}\" }",
        "providers: { ollama: { baseUrl: \"${GONE}\" } }",
        "providers: { anthropic: { baseUrl: \"${GONE}\", apiKey: \"${GONE}\" } }",
        "providers: { openai: { baseUrl: \"${GONE}\" } }",
        "grader: { model: \"${GONE}\", baseUrl: \"https://${GONE}/v1\" }",
        // Whatever type of value the key needs.
        "project: \"${GONE}\"",
        "providers: { openai: { timeout: \"${GONE}\", maxRetries: \"${GONE}\" } }",
        "providers: { ollama: { trustedOrigins: [\"${GONE}\"] }, openai: { organization: \"${GONE}\" } }",
        "providers: { openai: { resourceName: \"${GONE}\", captureTraces: \"${GONE}\" } }",
        "grader: { model: m, provider: \"${GONE}\", timeout: \"${GONE}\", votes: \"${GONE}\", scale: \"${GONE}\" }",
        "grader: { model: m, calibration: { file: \"${GONE}\", min_n: \"${GONE}\" } }",
    ];
    let recorded = || {
        let run = ["run", "s.yaml", "--replies", "r.jsonl"];
        Akit::new(&run).file("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}\n").file("s.yaml", suite(&["a"]))
    };
    for config in configuration {
        recorded().file("akit.yaml", format!("{config}\n")).run().ended(0).out("RESULT: PASS");
    }
    let scenario = format!("providerConfig: {{ baseUrl: \"${{GONE}}\" }}\n{}", suite(&["a"]));
    recorded().file("s.yaml", &scenario).run().ended(0).out("RESULT: PASS");
    for head in [
        "providerConfig: { timeout: \"${GONE}\", resourceName: \"${GONE}\", captureTraces: \"${GONE}\" }",
        "teardown: { cleanup: \"${GONE}\" }",
    ] {
        recorded().file("s.yaml", format!("{head}\n{}", suite(&["a"]))).run().ended(0).out("RESULT: PASS");
    }
    // If it is used, it is an error at its line, and nothing is sent.
    let asks = |scenario: &str, config: &str| {
        let run = ["run", "s.yaml", "-m", "m", "--grader-model", "j"];
        let ran =
            Akit::new(&run).file("s.yaml", scenario).file("akit.yaml", format!("project: p\n{config}\n"));
        ran.env("OPENAI_API_KEY", "k")
            .run()
            .ended(2)
            .err("environment variable `GONE` is not set")
            .err("nothing was sent")
    };
    asks(&suite(&["a"]), configuration[5]).err("akit.yaml:2");
    let judged = "cases: [{ id: a, prompt: p, expected: { type: llm_grader, rubric: kind } }]\n";
    asks(judged, configuration[6]).err("akit.yaml:2");
    for config in &configuration[11..] {
        asks(judged, config).err("akit.yaml:2");
    }
    asks(&suite(&["a"]), configuration[8]).err("akit.yaml:2");
    // It is unknown whose address and key these are, whichever model an expectation names.
    let named = "cases: [{ id: a, prompt: p, expected: { type: llm_grader, rubric: kind, model: j } }]\n";
    asks(named, "grader: { provider: \"${GONE}\", model: z, baseUrl: \"http://127.0.0.1:9/v1\" }")
        .err("akit.yaml:2");
    // A model from an unset variable is not reported as a missing model.
    let run = ["run", "s.yaml", "--replies", "r.jsonl"];
    let ran = Akit::new(&run).file("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}\n").file("s.yaml", judged);
    let ran = ran.file("akit.yaml", "grader: { model: \"${GONE}\" }\n").run().ended(2);
    ran.err("environment variable `GONE` is not set");
    asks(&scenario, "").err("s.yaml:1");
    // A flag takes precedence, and so do settings of one provider.
    let server = Server::start(|_| Answer::Text("a".to_owned()));
    let flags = ["--base-url", &server.url, "--timeout", "1000", "--retries", "0", "-m", "m"];
    let nearer = format!("providerConfig: {{ baseUrl: \"{}\", timeout: 1000, maxRetries: 0 }}\n", server.url);
    let waits = "providers: { openai: { baseUrl: \"${GONE}\", timeout: \"${GONE}\", maxRetries: \"${GONE}\", defaultModel: \"${GONE}\" } }\n";
    let run = |suite: &str, flags: &[&str]| {
        let ran = Akit::new(&["run", "s.yaml"]).args(flags).file("s.yaml", suite).file("akit.yaml", waits);
        ran.env("OPENAI_API_KEY", "k").run().ended(0).out("RESULT: PASS");
    };
    run(&suite(&["a"]), &flags);
    run(&format!("{nearer}{}", suite(&["a"])), &["-m", "m"]);
    let ran = recorded().file("akit.yaml", "model: \"${GONE}\"\n").run().ended(2);
    ran.err("error: environment variable `GONE` is not set");
}

#[test]
fn a_number_is_kept_as_written() {
    let numbers = [
        "01234",
        "+4915112345678",
        "3.10",
        "1e3",
        "41111111111111111111",
        "0x1F",
        "0o17",
        "-0",
        "1.0",
        "007.50",
        "true",
    ];
    let variables =
        numbers.iter().enumerate().map(|(n, number)| format!("v{n}: {number}")).collect::<Vec<_>>();
    let names = (0..numbers.len()).map(|n| format!("{{{{v{n}}}}}")).collect::<Vec<_>>();
    let suite = |variables: &str| {
        format!(
            "name: s\n{variables}\ncases:\n  - id: a\n    prompt: \"{}\"\n    expected: {{ type: contains, values: [\"{}\"] }}\n",
            names.join("|"),
            names.join("|")
        )
    };
    let flow = format!("variables: {{ {} }}", variables.join(", "));
    let block = format!("variables:\n  {}", variables.join("   # as it is\n  "));
    for written in [flow, block] {
        let ran = Akit::new(&["prompts", "s.yaml"]).file("s.yaml", suite(&written)).run().ended(0);
        let row: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(row["prompt"], numbers.join("|"), "{written}");
        let line = serde_json::json!({ "id": "a", "reply": numbers.join("|") }).to_string();
        let run = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"]).file("s.yaml", suite(&written));
        run.file("r.jsonl", line).run().ended(0);
    }
    // An alias is the number that it stands for.
    let alias = "variables: { v0: &n 7, v1: *n }\ncases:\n  - { id: a, prompt: \"{{v1}}\", expected: { type: exact, value: x } }\n";
    Akit::new(&["prompts", "s.yaml"]).file("s.yaml", alias).run().ended(0).out("\"prompt\":\"7\"");
    for (written, quoted) in [("007", "007"), ("3.10", "3.10"), ("0x1F", "0x1F")] {
        let text =
            format!("cases:\n  - {{ id: {written}, prompt: q, expected: {{ type: exact, value: x }} }}\n");
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", text).run().ended(2);
        ran.err(&format!("put it in quotes: \"{quoted}\""));
    }
}

#[test]
fn a_conversation_ends_with_a_question() {
    let suite = |roles: &[&str]| {
        let messages: Vec<_> = roles.iter().map(|role| format!("{{ role: {role}, content: x }}")).collect();
        format!(
            "cases:\n  - {{ id: a, prompt: [{}], expected: {{ type: exact, value: x }} }}\n",
            messages.join(", ")
        )
    };
    for roles in [
        &["user"][..],
        &["developer", "user"],
        &["system", "user", "assistant", "user"],
        &["user", "assistant", "tool"],
    ] {
        Akit::new(&["validate", "s.yaml", "--strict"]).file("s.yaml", suite(roles)).run().ended(0);
    }
    for roles in [&["assistant"][..], &["user", "assistant"]] {
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(roles)).run().ended(2);
        ran.err("`prompt` ends with an `assistant` message").err("--replies FILE");
    }
    // A case's own instructions replace the scenario's, under either name.
    let text = format!("setup: {{ systemPrompt: be kind }}\n{}", suite(&["developer", "user"]));
    let ran = Akit::new(&["prompts", "s.yaml"]).file("s.yaml", text).run().ended(0).out("developer");
    assert!(!ran.stdout.contains("be kind"), "{}", ran.stdout);
}

#[test]
fn a_rule_that_always_matches_is_a_warning_and_an_error_under_strict() {
    let suite = "cases:\n  - { id: a, prompt: q, expected: { type: json_schema, schema: { type: object, requird: [a] } } }\n";
    let run = |more: &[&str]| Akit::new(&["validate", "s.yaml"]).args(more).file("s.yaml", suite).run();
    run(&[]).ended(0).err("warning: `requird` is not a JSON Schema keyword").err("did you mean `required`?");
    let ran = run(&["--strict", "--json", "-"]).ended(2);
    assert!(ran.stdout.contains("\"always-holds\""), "{}", ran.stdout);
}

/// A bot that a run would refuse is reported without sending anything, wherever it is configured.
#[test]
fn a_bot_that_a_run_would_refuse_is_refused() {
    let bot = |keys: &str| {
        format!("{{ url: \"http://127.0.0.1:1/chat\", body: {{ t: \"{{{{prompt}}}}\" }}, answer: /a{keys} }}")
    };
    let turns = "turns: [{ user: a }, { user: b }]\n    expected: { type: last_answer, expected: { type: contains, values: [a] } }";
    let history = "prompt: [{ role: user, content: a }, { role: assistant, content: b }, { role: user, content: c }]\n    expected: { type: contains, values: [a] }";
    let single = "prompt: a\n    expected: { type: contains, values: [a] }";
    let calls = "prompt: a\n    expected: { type: tools, never: [refund] }";
    let rows = [
        (", stateful: true", history, Some("gets only new ones")),
        ("", history, Some("only its last message is sent")),
        ("", turns, Some("only its last message is sent")),
        ("", calls, Some("`tools` is not set")),
        (", stateful: true", turns, None),
        ("", single, None),
        (", tools: /t", calls, None),
    ];
    for (keys, case, message) in rows {
        let case = format!("name: s\ncases:\n  - id: c\n    {case}\n");
        let own = format!("provider: http\nproviderConfig: {}\n{case}", bot(keys));
        let shared = format!("provider: http\nproviders: {{ http: {} }}\n", bot(keys));
        for (suite, config) in [(own, String::new()), (case, shared)] {
            for command in [["validate", "s.yaml"], ["run", "s.yaml"]] {
                let ran = Akit::new(&command).file("s.yaml", &suite).file("akit.yaml", &config).run();
                match message {
                    Some(message) => drop(ran.ended(2).err(message)),
                    None if command[0] == "validate" => drop(ran.ended(0)),
                    None => assert_ne!(ran.status, 2, "{}", ran.stderr),
                }
            }
        }
    }
}

#[test]
fn a_bot_cannot_be_a_judge() {
    let suite =
        "name: s\ncases: [{ id: a, prompt: a, expected: { type: llm_grader, rubric: Is it kind? } }]\n";
    let named = suite.replace("Is it kind?", "Is it kind?, provider: command, model: m");
    for (suite, config) in [
        (suite, "grader: { provider: http, model: m }\n"),
        (suite, "grader: { provider: command, model: m }\n"),
        (&named, ""),
    ] {
        for command in ["validate", "run"] {
            let akit = Akit::new(&[command, "s.yaml"]).file("s.yaml", suite).file("akit.yaml", config);
            akit.run().ended(2).err("cannot judge").err("a model provider");
        }
    }
}

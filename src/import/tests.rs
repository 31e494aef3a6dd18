//! Whole suites, from promptfoo's assertions to akit's verdicts.

use proptest::prelude::*;

use super::*;
use crate::environment::Environment;
use crate::expectation::Candidate;
use crate::scenario::{self, Scenario};

/// Imports a suite of these files; the first is the configuration.
fn imported(files: &[(&str, &str)]) -> Imported {
    try_import(files).unwrap()
}

fn try_import(files: &[(&str, &str)]) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    promptfoo(&folder.path().join(files[0].0))
}

/// The imported scenario as akit reads it; panics on any error.
fn loaded(imported: &Imported) -> Scenario {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suite.yaml");
    std::fs::write(&path, &imported.text).unwrap();
    let environment = Environment::of([("HOST", "h"), ("A", "filled")]);
    let mut loaded = scenario::load(&[path], &environment);
    // A pattern of the suite that matches everything is kept, with a warning.
    let found = loaded.diagnostics.iter().filter(|one| one.code != "always-holds");
    let found: Vec<_> = found.map(|one| one.message.clone()).collect();
    assert!(found.is_empty(), "{found:?}\n{}", imported.text);
    loaded.scenarios.remove(0)
}

fn findings(imported: &Imported) -> String {
    let line = |one: &crate::source::Diagnostic| {
        format!("{}:{} {}: {}\n", one.span.line, one.span.column, one.code, one.message)
    };
    imported.findings.iter().map(line).collect()
}

/// Whether an answer passes the imported assertion.
fn passes(assertion: &str, answer: &str) -> bool {
    let suite = format!(
        "prompts: [hi]\ntests:\n  - vars: {{ name: A.b, list: 'a, C', line: \"secret\\n\", numbers: [1, 2], user: {{ name: Ann }} }}\n    assert:\n      - {assertion}\n"
    );
    let scenario = loaded(&imported(&[("c.yaml", &suite)]));
    let graders = crate::grader::Graders::default();
    let bench = crate::grader::Bench {
        graders: &graders,
        root: crate::seed::Root(0),
        messages: &[],
        scenario: "s",
        case: "c",
        trial: 0,
        redactor: None,
        hold: None,
    };
    let answer = Candidate::of(answer);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let verdict = runtime.block_on(scenario.cases[0].expectation.judge(&answer, &bench));
    assert_ne!(verdict.outcome, crate::vocabulary::Outcome::Errored, "{assertion}: {}", verdict.reason);
    verdict.outcome == crate::vocabulary::Outcome::Passed
}

#[test]
fn an_assertion_passes_for_the_same_answers_as_in_promptfoo() {
    // Assertion, answers that pass, answers that fail.
    let table: &[(&str, &[&str], &[&str])] = &[
        ("{ type: contains, value: 'A.b' }", &["xA.by"], &["a.b", "Axb", ""]),
        ("{ type: contains, value: '{{name}}!' }", &["A.b!"], &["a.b!", "Axb!"]),
        ("{ type: contains, value: 30 }", &["30 days"], &["3 0"]),
        ("{ type: contains, value: '$${A} {x}' }", &["$${A} {x}"], &["${A} {x}", "filled {x}"]),
        ("{ type: not-contains, value: 'A.b' }", &["a.b"], &["xA.by"]),
        ("{ type: icontains, value: 'Yes' }", &["oh YES"], &["no"]),
        ("{ type: not-icontains, value: 'Yes' }", &["no"], &["oh YES"]),
        ("{ type: contains-any, value: ['a|b', C] }", &["a|b", "C"], &["a", "c"]),
        ("{ type: contains-any, value: 'a, C' }", &["a", "C"], &["c"]),
        ("{ type: contains-any, value: '{{list}}' }", &["a", "C"], &["c"]),
        ("{ type: not-contains-any, value: '{{list}}' }", &["c"], &["a", "C", "a, C"]),
        ("{ type: not-contains, value: '{{line}}' }", &["c"], &["a secret"]),
        ("{ type: equals, value: '{{numbers}}' }", &["1,2"], &["[1,2]"]),
        ("{ type: contains, value: '{{user.name}}' }", &["Ann"], &["user"]),
        ("{ type: not-contains-any, value: [a, C] }", &["c"], &["a"]),
        ("{ type: contains-all, value: [a, C] }", &["C a"], &["a c", "C"]),
        ("{ type: not-contains-all, value: [a, C] }", &["a c", "C"], &["C a"]),
        ("{ type: icontains-any, value: [a, c] }", &["C"], &["b"]),
        ("{ type: icontains-all, value: [a, c] }", &["C A"], &["A"]),
        ("{ type: not-icontains-any, value: [a, c] }", &["b"], &["C"]),
        ("{ type: not-icontains-all, value: [a, c] }", &["C"], &["A c"]),
        ("{ type: starts-with, value: 'A.' }", &["A.b"], &["Ab", " A."]),
        ("{ type: equals, value: 'Yes' }", &["Yes"], &["yes", "Yes\n"]),
        ("{ type: equals, value: '{{name}}' }", &["A.b"], &["Axb"]),
        ("{ type: not-equals, value: 'Yes' }", &["yes"], &["Yes"]),
        (
            "{ type: equals, value: { a: [1, x] } }",
            &["{\"a\":[1,\"x\"]}"],
            &["{\"a\":[1]}", "```json\n{\"a\":[1,\"x\"]}\n```"],
        ),
        ("{ type: regex, value: '^\\d{2}$' }", &["12"], &["123"]),
        ("{ type: regex, value: '^{{name}}$' }", &["A.b", "Axb"], &["a.b"]),
        ("{ type: not-regex, value: '\\d' }", &["x"], &["1"]),
        ("{ type: is-json }", &["{\"a\":1}", " [1]"], &["x", "```json\n{}\n```"]),
        ("{ type: is-json, value: { required: [a] } }", &["{\"a\":1}"], &["{}"]),
        ("{ type: is-json, value: 'required: [a]' }", &["{\"a\":1}"], &["{}"]),
        ("{ type: not-is-json }", &["x"], &["{}"]),
        ("{ type: contains-json }", &["x ```json\n{}\n```", "{}"], &["x", "42", "[1]", "null"]),
        ("{ type: contains-json, value: { required: [a] } }", &["{\"a\":1}"], &["{}", "42"]),
        (
            "{ type: levenshtein, value: 'thirty days' }",
            &["thirty days", "thirty dayz"],
            &["fourteen weeks", "THIRTY DAYS"],
        ),
        ("{ type: levenshtein, value: yes, threshold: 0 }", &["yes"], &["Yes", "yes\n", "ye"]),
        ("{ type: levenshtein, value: yes, threshold: 1.5 }", &["yes", "yea"], &["yeah", "YES"]),
        (
            "{ type: levenshtein, value: 'thirty days', threshold: 1 }",
            &["thirty dayz"],
            &["thirtx dayz", "thirty days.."],
        ),
        (
            "{ type: not-levenshtein, value: 'thirty days', threshold: 1 }",
            &["fourteen weeks"],
            &["thirty dayz", "thirty days."],
        ),
        ("{ type: word-count, value: 2 }", &["a  b"], &["a", "a b c"]),
        ("{ type: word-count, value: { min: 2, max: 3 } }", &["a b"], &["a", "a b c d"]),
        (
            "{ type: javascript, value: 'output.length < 5 && output.includes(\"a\");' }",
            &["a"],
            &["b", "aaaaa"],
        ),
        (
            "{ type: javascript, value: 'output.includes(\"response.length\")' }",
            &["response.length"],
            &["length"],
        ),
        (
            "{ type: javascript, value: 'JSON.parse(output).a === 1' }",
            &["{\"a\": 1}"],
            &["{\"a\": 2}", "```{\"a\": 1}```", "x"],
        ),
        (
            "{ type: assert-set, assert: [{ type: contains, value: a }, { type: contains, value: b }] }",
            &["ab"],
            &["a"],
        ),
    ];
    for (assertion, good, bad) in table {
        for (answers, expected) in [(good, true), (bad, false)] {
            for answer in *answers {
                assert_eq!(passes(assertion, answer), expected, "{assertion} on {answer:?}");
            }
        }
    }
}

/// Assertions that always fail in promptfoo, or fail on answers that akit cannot recognize, are not imported.
#[test]
fn an_assertion_that_could_pass_where_promptfoo_fails_is_named() {
    let table = [
        ("{ type: contains, value: true }", "not text"),
        ("{ type: regex, value: 30 }", "not text"),
        ("{ type: contains-any, value: 30 }", "not text"),
        ("{ type: contains-any, value: ' , ' }", "nothing between its commas"),
        ("{ type: contains, value: '{{gone}}' }", "is empty"),
        ("{ type: contains, value: '{{user}}' }", "is a mapping"),
        ("{ type: not-contains-any, value: 'file://list.json' }", "data in a file"),
        ("{ type: contains, value: 'file://braces.txt' }", "promptfoo keeps"),
        ("{ type: levenshtein, value: a, threshold: -1 }", "is negative"),
        ("{ type: word-count, value: { min: '2', max: 3 } }", "is not a number"),
        (
            "{ type: javascript, value: \"output.includes('a') &&\\noutput.length > 2\" }",
            "does not run JavaScript",
        ),
        ("{ type: javascript, value: 'output.match(/a/)' }", "does not run JavaScript"),
        (
            "{ type: javascript, value: \"output.includes('a') && output.match(/a&&b/)\" }",
            "does not run JavaScript",
        ),
        (
            "{ type: not-javascript, value: 'output.match(/a/) && output.length > 2' }",
            "does not run JavaScript",
        ),
        ("{ type: not-javascript, value: 'JSON.parse(output).a === 1' }", "does not run JavaScript"),
        ("{ type: javascript, value: 'JSON.parse(output).a.b !== 1' }", "does not run JavaScript"),
        (
            "{ type: javascript, value: 'JSON.parse(output).a === 1 || output.length > 2' }",
            "does not run JavaScript",
        ),
        ("{ type: javascript, value: \"output.toLowerCase().includes('Yes')\" }", "does not run JavaScript"),
    ];
    for (assertion, why) in table {
        let suite = format!(
            "prompts: [hi]\ntests:\n  - vars: {{ user: {{ name: Ann }} }}\n    assert:\n      - {{ type: equals, value: x }}\n      - {assertion}\n"
        );
        let files = [("c.yaml", suite.as_str()), ("list.json", "[\"a\"]"), ("braces.txt", "{{x}}")];
        let imported = imported(&files);
        assert!(findings(&imported).contains(why), "{assertion}: {}", findings(&imported));
        assert_eq!((imported.mapped, imported.assertions), (1, 2), "{assertion}");
    }
}

/// An assertion that accepts different answers than in promptfoo is reported.
#[test]
fn a_difference_is_reported() {
    let table = [
        ("{ type: is-json, value: { properties: { a: { format: email } } } }", "not check `format`"),
        ("{ type: is-json, value: { dependencies: { a: [b] } } }", "not check `dependencies`"),
        ("{ type: is-json, value: { properties: { a: { nullable: true } } } }", "no `nullable`"),
        ("{ type: similar, value: x }", "compares embeddings"),
        ("{ type: similar, value: x, provider: 'openai:embedding:e' }", "embedding provider"),
        (
            "{ type: llm-rubric, value: x, threshold: 0.8, provider: { id: 'openai:gpt-4o' } }",
            "only the name",
        ),
        ("{ type: llm-rubric, value: x, threshold: 0.8, provider: { config: {} } }", "without a name"),
    ];
    for (assertion, what) in table {
        let suite = format!("prompts: [hi]\ntests:\n  - assert:\n      - {assertion}\n");
        let imported = imported(&[("c.yaml", &suite)]);
        loaded(&imported);
        assert!(findings(&imported).contains(what), "{assertion}: {}", findings(&imported));
    }
    let plain = imported(&[(
        "c.yaml",
        "prompts: [hi]\ntests:\n  - assert:\n      - { type: is-json, value: { properties: { format: { type: string } } } }\n",
    )]);
    assert_eq!(findings(&plain), "");
}

/// A test's threshold is a threshold of each judge: if all scores reach it, so does their mean.
#[test]
fn a_threshold_of_a_test_is_one_of_each_judge() {
    let imported = imported(&[(
        "c.yaml",
        "prompts: [hi]\ntests:\n  - threshold: 0.9\n    assert:\n      - { type: contains, value: x }\n      \
         - { type: llm-rubric, value: kind }\n      - { type: similar, value: [a, b], threshold: 0.95 }\n      \
         - { type: not-llm-rubric, value: rude }\n",
    )]);
    loaded(&imported);
    assert_eq!(imported.text.matches("threshold: 0.9\n").count(), 1, "{}", imported.text);
    assert_eq!(imported.text.matches("threshold: 0.95").count(), 2, "{}", imported.text);
    assert!(
        findings(&imported).contains("its score counts toward a threshold of 0.9"),
        "{}",
        findings(&imported)
    );
}

#[test]
fn nothing_of_a_suite_is_lost_silently() {
    let table = [
        ("tests: [{ vars: [a.yaml], assert: [{ type: equals, value: x }] }]", "`vars` is not a mapping"),
        (
            "tests: [{ options: { transformVars: x }, assert: [{ type: equals, value: x }] }]",
            "`transformVars`",
        ),
        (
            "providers: [{ id: 'openai:gpt-4o', transform: x }]\ntests: [{ assert: [{ type: equals, value: x }] }]",
            "of the provider changes",
        ),
        (
            "scenarios: [{}]\ndefaultTest: { assert: [{ type: equals, value: x }] }",
            "`scenarios` was not imported",
        ),
        (
            "tests: [{ vars: { v: '{{o}}', o: { a: 1 } }, assert: [{ type: equals, value: x }] }]",
            "is a mapping",
        ),
    ];
    for (suite, what) in table {
        match try_import(&[("c.yaml", &format!("prompts: ['hi {{{{v}}}}']\n{suite}\n"))]) {
            Err(ImportError::NoCase(_, found)) => {
                let is_reported = found.iter().any(|one| one.message.contains(what));
                assert!(is_reported, "{suite}: {found:?}");
            }
            other => panic!("{suite}: {other:?}"),
        }
    }
    let imported = imported(&[
        (
            "c.yaml",
            "prompts: [{ raw: 'hi {{v}}', config: {} }]\ntests:\n  - vars: { v: [file://a.txt, b] }\n    assert: [{ type: equals, value: x }, \
             { type: webhook, value: x, config: { headers: { Authorization: Bearer sk-1, X-Api-Key: sk-2 } } }]\n  \
             - { vars: { v: b }, assert: { type: equals, value: y } }\n",
        ),
        ("a.txt", "from a file\n"),
    ]);
    let scenario = loaded(&imported);
    assert_eq!(scenario.cases[0].messages[0].content, "hi from a file");
    assert!(!imported.text.contains("sk-"), "{}", imported.text);
    for what in ["`config` of a prompt was not imported", "`assert` of a test was not imported"] {
        assert!(findings(&imported).contains(what), "{}", findings(&imported));
    }
}

#[test]
fn a_suite_of_many_files_becomes_one_scenario() {
    let imported = imported(&[
        (
            "promptfooconfig.yaml",
            r"
description: Support
prompts:
  - file://prompts/two.txt
  - file://chat.json
providers:
  - id: openai:chat:gpt-4o-mini
    config: { temperature: 0, max_tokens: 200, apiKey: sk-secret }
  - ollama:chat:llama3
defaultTest:
  vars: { shop: Corner, days: 30 }
  assert:
    - { type: not-icontains, value: as an AI }
tests: file://tests.yaml
outputPath: out.json
",
        ),
        ("prompts/two.txt", "Ask {{question}} at {{shop}}.\n---\nBriefly:\n\n{{question}}\n"),
        (
            "chat.json",
            r#"[{"role":"system","content":"Shop {{shop}}"},{"role":"user","content":"{{question}}"}]"#,
        ),
        (
            "tests.yaml",
            r"
- description: Late return?
  vars: { question: [Can I?, May I?], shop: file://shop.txt }
  assert:
    - { type: llm-rubric, value: 'Says {{days}} days', threshold: 0.8, provider: 'openai:gpt-4o' }
    - type: python
      value: len(output) > 3
    - { type: latency, threshold: 2000 }
",
        ),
        ("shop.txt", "Corner Shoes\n"),
    ]);
    let scenario = loaded(&imported);
    assert_eq!((imported.mapped, imported.assertions), (2, 4));
    let ids: Vec<_> = scenario.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), 6);
    assert_eq!((ids[0], ids[5]), ("late-return-1-prompt-1", "late-return-2-prompt-3"));
    assert_eq!(scenario.cases[0].messages[0].content, "Ask Can I? at Corner Shoes.");
    assert_eq!(scenario.cases[4].messages[0].content, "Briefly:\n\nMay I?");
    assert_eq!(scenario.cases[5].messages[0].content, "Shop Corner Shoes");
    assert_eq!(scenario.cases[5].tags, ["prompt-3"]);
    assert_eq!(
        (scenario.provider.as_deref(), scenario.model.as_deref()),
        (Some("openai"), Some("gpt-4o-mini"))
    );
    assert_eq!((scenario.temperature, scenario.max_tokens), (Some(0.0), Some(200)));
    assert!(!imported.text.contains("sk-secret"), "{}", imported.text);
    assert!(imported.text.starts_with(SCHEMA_LINE));
    assert!(imported.text.contains("#   value: \"len(output) > 3\""), "{}", imported.text);
    insta::assert_snapshot!(findings(&imported), @r"
    8:48 not-imported: `config.apiKey` was not imported
    9:5 not-imported: provider `ollama:chat:llama3` was not imported
    15:1 not-imported: `outputPath` was not imported
    6:7 not-imported: `python` was not imported: akit does not run code
    8:7 not-imported: `latency` was not imported: it judges the call, not what the answer says
    ");
}

#[test]
fn a_case_that_would_check_nothing_is_a_comment() {
    let imported = imported(&[(
        "c.yaml",
        "prompts: ['{{a | upper}}', 'say {{a}}']\ntests:\n  - vars: { a: x }\n    assert: [{ type: contains, value: x }]\n  \
         - description: none\n  - { description: program, assert: [{ type: python, value: 'a' }] }\n  \
         - { description: changed, options: { transform: x }, assert: [{ type: equals, value: x }] }\n",
    )]);
    let scenario = loaded(&imported);
    let ids: Vec<_> = scenario.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["case-1-prompt-2"]);
    for id in ["case-1-prompt-1", "none-prompt-2", "program-prompt-1", "changed-prompt-2"] {
        assert!(imported.text.contains(&format!("  #  - id: {id}\n")), "{id}\n{}", imported.text);
    }
    assert_eq!((imported.mapped, imported.assertions), (0, 3));
    insta::assert_snapshot!(findings(&imported), @r"
    3:5 not-imported: case `case-1-prompt-1` was not imported: `{{a | upper}}` is more than a name in braces; akit has no filters or blocks
    5:5 not-imported: case `none-prompt-1` was not imported: `{{a | upper}}` is more than a name in braces; akit has no filters or blocks
    5:5 not-imported: case `none-prompt-2` was not imported: it has no assertions
    6:5 not-imported: case `program-prompt-1` was not imported: `{{a | upper}}` is more than a name in braces; akit has no filters or blocks
    6:5 not-imported: case `program-prompt-2` was not imported: none of its assertions could be imported
    6:38 not-imported: `python` was not imported: akit does not run code
    7:5 not-imported: case `changed-prompt-1` was not imported: `transform` changes its answer before it is judged
    7:5 not-imported: case `changed-prompt-2` was not imported: `transform` changes its answer before it is judged
    ");
}

#[test]
fn references_and_merge_keys_are_followed() {
    let imported = imported(&[(
        "c.yaml",
        "prompts: ['{{user.name}} {{env.HOST}} {{gone}}']\nbase: &base { type: contains }\nassertionTemplates:\n  \
         short: { type: javascript, value: output.length < 9 }\ntests:\n  - vars: { user: { name: Ann } }\n    assert:\n      \
         - { <<: *base, value: x }\n      - { $ref: '#/assertionTemplates/short' }\n",
    )]);
    let scenario = loaded(&imported);
    assert_eq!((imported.mapped, imported.assertions), (2, 2));
    assert_eq!(scenario.cases[0].messages[0].content, "Ann h ");
    assert!(findings(&imported).contains("`{{gone}}` has no value"), "{}", findings(&imported));
}

#[test]
fn each_line_of_jsonl_is_a_test() {
    let imported = imported(&[
        ("c.yaml", "prompts: [hi]\ntests: t.jsonl\n"),
        (
            "t.jsonl",
            "{\"assert\": [{\"type\": \"is-json\"}]}\n\n{\"assert\": [{\"type\": \"equals\", \"value\": \"a\"}, {\"type\": \"bleu\"}]}\n",
        ),
    ]);
    assert_eq!(loaded(&imported).cases.len(), 2);
    assert!(findings(&imported).starts_with("3:47 not-imported: `bleu`"), "{}", findings(&imported));
}

#[test]
fn unreadable_files_are_errors() {
    for (text, expected) in [
        ("a: [", "invalid YAML"),
        ("- a", "is not a promptfoo configuration"),
        ("prompts: [hi]", "no case of"),
        ("prompts: [hi]\ntests: [{ assert: [{ type: python }] }]", "no case of"),
        ("tests: file://gone.yaml", "cannot read"),
    ] {
        let error = try_import(&[("c.yaml", text)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-:#&*!|>'\"%@`{}\\[\\],? \t\r\n\\\\=~.$Aa0]{0,14}",
        "(\\$\\{A\\}|\\$\\$\\{A:-b\\}|\\{\\{v\\}\\}|\\{\\{ w \\}\\}|\\\\|\\$|builtin:x|file://x| ){0,5}",
    ]
    .prop_map(|text| text.replace('\u{0}', ""))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    /// Whatever a suite contains, the imported one loads and asks the same questions.
    #[test]
    fn an_imported_suite_always_loads(prompt in hostile(), value in hostile(), v in hostile(), kind in 0..8usize) {
        let kind = ["contains", "icontains", "equals", "starts-with", "regex", "llm-rubric", "javascript", "contains-any"][kind];
        let suite = serde_json::json!({
            "description": &v,
            "prompts": [&prompt],
            "tests": [
                { "description": &value, "vars": { "v": &v, "w": "plain" }, "assert": [{ "type": kind, "value": &value }, { "type": "contains", "value": "x" }] },
            ],
        });
        if let Ok(imported) = try_import(&[("c.yaml", &suite.to_string())]) {
            let scenario = loaded(&imported);
            prop_assert_eq!(imported.assertions, 2);
            let plain = !prompt.contains(['{', '\\']) && !prompt::has_ending(&prompt, "txt") && !prompt.starts_with("file://");
            if plain {
                prop_assert_eq!(&scenario.cases[0].messages[0].content, &prompt);
            }
        }
    }
}

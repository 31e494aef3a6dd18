//! All kinds together: which keys they have and how they judge, compared with the reference.

use std::collections::BTreeMap;
use std::sync::Arc;

mod lint;
mod small;

use super::*;
use crate::grader::Graders;
use crate::source::{Diagnostics, SourceFile};

pub(super) fn read(yaml: &str) -> (Option<Expectation>, Diagnostics) {
    let file = Arc::new(SourceFile::from_text("e.yaml", yaml));
    let node = Node::parse(&file).unwrap();
    let mut found = Diagnostics::default();
    let variables = BTreeMap::from([("name".to_owned(), "a.b".to_owned())]);
    let patterns = pattern::Patterns::default();
    let setup = setup(&file, &mut found);
    let mut reading =
        Reading { file: &file, variables: &variables, setup: &setup, patterns: &patterns, found: &mut found };
    let expectation = Expectation::read(&node, "`expected`", &mut reading);
    (expectation, found)
}

/// Declares no functions. State, calls and phrases are signs of a handoff.
fn setup(file: &Arc<SourceFile>, found: &mut Diagnostics) -> Setup {
    let written = "{state: /handoff/is, tool: transfer, text: '(connect|transfer) you', offers: 'would you like', states: {queued: claimed}}";
    let signs = Node::parse(&SourceFile::from_text("s.yaml", written)).unwrap();
    let fields = crate::source::Fields::check(&signs, SIGNS, "`handoff`", file, found).unwrap();
    let (variables, patterns, setup) = (BTreeMap::new(), pattern::Patterns::default(), Setup::default());
    let mut reading = Reading { file, variables: &variables, setup: &setup, patterns: &patterns, found };
    Setup { handoff: Some(Arc::new(Signs::read(&fields, &mut reading))), ..Setup::default() }
}

pub(super) fn judge(yaml: &str, answer: Candidate<'_>) -> Verdict {
    let (expectation, found) = read(yaml);
    let problems: Vec<_> = found.iter().map(|one| one.message.clone()).collect();
    let expectation = expectation.unwrap_or_else(|| panic!("{yaml}: {problems:?}"));
    let graders = Graders::default();
    let bench = Bench {
        graders: &graders,
        root: crate::seed::Root(0),
        messages: &[],
        scenario: "s",
        case: "c",
        trial: 0,
        redactor: None,
        hold: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(expectation.judge(&answer, &bench))
}

fn said(yaml: &str, text: &str) -> (Outcome, Option<f64>) {
    let verdict = judge(yaml, Candidate::of(text));
    (verdict.outcome, verdict.score)
}

use Outcome::{Errored, Failed, Passed};

#[test]
fn kinds_judge_as_in_their_table() {
    let table: &[(&str, &str, Outcome, f64)] = &[
        ("{type: contains, values: [Refund, 30 days]}", "Our REFUND window is 30 Days.", Passed, 1.0),
        ("{type: contains, values: [x, y]}", "just X", Failed, 0.5),
        ("{type: contains, values: [x, y], mode: any}", "just X", Passed, 1.0),
        ("{type: contains, values: []}", "anything", Passed, 1.0),
        ("{type: contains, values: [], mode: any}", "anything", Failed, 1.0),
        ("{type: contains, values: [\"\"]}", "", Passed, 1.0),
        ("{type: contains, values: [straße]}", "STRASSE", Passed, 1.0),
        ("{type: contains, values: [istanbul]}", "İSTANBUL", Passed, 1.0),
        ("{type: contains, values: [ΟΔΟΣ]}", "οδος", Passed, 1.0),
        ("{type: contains, values: [ΟΔΟΣ]}", "οδοσ", Passed, 1.0),
        ("{type: contains, values: [\" refund \"]}", "refund", Failed, 0.0),
        ("{type: not_contains, values: [sorry, refuse]}", "Sorry", Failed, 0.5),
        ("{type: not_contains, values: [sorry, refuse], mode: any}", "sorry", Failed, 0.5),
        ("{type: not_contains, values: [sorry, refuse], mode: not_all}", "sorry", Passed, 1.0),
        ("{type: not_contains, values: [sorry, refuse], mode: not_all}", "sorry, I refuse", Failed, 0.0),
        ("{type: not_contains, values: [\"\"]}", "x", Failed, 0.0),
        ("{type: exact, value: \"4\"}", "  4\n", Passed, 1.0),
        ("{type: exact, value: \"4\"}", "4.", Failed, 0.0),
        ("{type: exact, value: \"Yes\", caseSensitive: false}", "YES", Passed, 1.0),
        ("{type: exact, value: \"Yes\"}", "YES", Failed, 0.0),
        ("{type: exact, value: \"\"}", "   ", Passed, 1.0),
        ("{type: exact, value: é}", "e\u{301}", Failed, 0.0),
        ("{type: exact, value: x}", "\u{feff}\u{a0}x\u{3000}", Passed, 1.0),
        ("{type: exact, value: x}", "\u{85}x", Failed, 0.0),
        ("{type: regex, pattern: '^\\d+$'}", "42\n", Failed, 0.0),
        ("{type: regex, pattern: '^\\d+$', flags: m}", "a\n42\nb", Passed, 1.0),
        ("{type: regex, pattern: '\\d'}", "٣", Failed, 0.0),
        ("{type: fuzzy, value: hello world}", "Hello World!", Passed, 1.0 - 1.0 / 12.0),
        ("{type: fuzzy, value: kitten, threshold: 0.57}", "sitting", Passed, 1.0 - 3.0 / 7.0),
        ("{type: fuzzy, value: abcde}", "abcdx", Passed, 0.8),
        ("{type: fuzzy, value: abcde, distance: 1}", "abcdx", Passed, 0.8),
        ("{type: fuzzy, value: abcde, distance: 1}", "Abcdx", Failed, 0.6),
        ("{type: fuzzy, value: abcde, distance: 1}", "abcde  ", Failed, 1.0 - 2.0 / 7.0),
        ("{type: fuzzy, value: abc, distance: 0}", "abc", Passed, 1.0),
        ("{type: fuzzy, value: abc, distance: 9}", "", Failed, 0.0),
        ("{type: fuzzy, value: \"\", threshold: 0}", "abc", Passed, 0.0),
        ("{type: fuzzy, value: \"\"}", "", Passed, 1.0),
        ("{type: fuzzy, value: 😀a}", "😁a", Failed, 1.0 - 1.0 / 3.0),
        ("{type: json_schema, schema: {type: object, required: [a]}}", "{}", Failed, 0.0),
        ("{type: json_schema, schema: {type: object}}", "```json\n{}\n```", Passed, 1.0),
        ("{type: json_schema, schema: {type: object}}", "```JSON\n{}\n```", Passed, 1.0),
        ("{type: json_schema, schema: {type: object}}", "Sure: {}", Failed, 0.0),
        ("{type: json_schema, schema: {type: integer}}", "1.0", Passed, 1.0),
        ("{type: json_schema, schema: {type: integer}}", "1e2", Passed, 1.0),
        ("{type: json_schema, schema: {type: integer}}", "9007199254740993", Passed, 1.0),
        ("{type: json_schema, schema: {type: number}}", "1e999", Passed, 1.0),
        ("{type: json_schema, schema: {type: number}}", "NaN", Failed, 0.0),
        ("{type: json_schema, schema: {type: number, minimum: 10}}", "3", Failed, 0.0),
        ("{type: json_schema, schema: {anyOf: [{type: string}, {type: \"null\"}]}}", "42", Failed, 0.0),
        ("{type: inline, expression: 'length > 2 && response.includes(\"b\")'}", "abc", Passed, 1.0),
        ("{type: inline, expression: 'length > 9 && response.includes(\"b\")'}", "abc", Failed, 0.5),
        (
            "{type: combined, operator: and, expectations: [{type: contains, values: [a, b]}, {type: exact, value: a}]}",
            "a",
            Failed,
            0.75,
        ),
        (
            "{type: combined, operator: or, expectations: [{type: contains, values: [a, b]}, {type: exact, value: z}]}",
            "a",
            Failed,
            0.5,
        ),
        (
            "{type: combined, operator: or, expectations: [{type: contains, values: [a, b], mode: any}, {type: exact, value: z}]}",
            "a",
            Passed,
            1.0,
        ),
        (
            "{type: combined, operator: and, expectations: [{type: combined, operator: or, expectations: [{type: exact, value: a}]}]}",
            "a",
            Passed,
            1.0,
        ),
        ("{not: {type: exact, value: a}}", "a", Failed, 0.0),
        ("{not: {type: exact, value: a}}", "b", Passed, 1.0),
        ("{not: {not: {type: exact, value: a}}}", "a", Passed, 1.0),
    ];
    judged(table);
}

/// Expectations, answers, and their results.
fn judged(table: &[(&str, &str, Outcome, f64)]) {
    for (yaml, text, outcome, score) in table {
        let (found, points) = said(yaml, text);
        assert_eq!(found, *outcome, "{yaml} on {text:?}");
        assert!((points.unwrap() - score).abs() < 1e-9, "{yaml} on {text:?}: {points:?}");
    }
}

#[test]
fn a_missing_text_in_an_empty_truncated_or_refused_answer_proves_nothing() {
    let negative = [
        "{type: not_contains, values: [x]}",
        "{type: not_contains, values: [x], mode: not_all}",
        "{not: {type: contains, values: [x]}}",
        "{type: inline, expression: '!response.includes(\"x\")'}",
        "{type: inline, expression: 'length < 9 && !response.match(/x/)'}",
        "{type: inline, expression: 'length < 99'}",
        "{type: inline, expression: 'words.length <= 5'}",
        "{type: inline, expression: 'lines.length != 7'}",
        "{type: inline, expression: '!(length > 9)'}",
        "{type: pii}",
        "{type: length, words: {max: 9}}",
        "{type: length, words: {min: 0, max: 9}, characters: {min: 1}}",
        "{type: regex, pattern: '^[^s]*$'}",
        "{type: regex, pattern: '.*'}",
        "{type: regex, pattern: ''}",
        "{type: fuzzy, value: something else, threshold: 0}",
        "{not: {type: regex, pattern: x}}",
        "{type: combined, operator: and, expectations: [{type: inline, expression: 'length < 9'}]}",
    ];
    for yaml in negative {
        assert_eq!(said(yaml, "fine").0, Passed, "{yaml}");
        for (text, reason) in [
            ("", None),
            (" \n", None),
            ("\u{200b}", None),
            ("\u{2060}\u{ad}\u{3164} \u{e0001}", None),
            ("fine", Some("length")),
            ("fine", Some("content_filter")),
            ("fine", Some("refusal")),
            (".", None),
            ("…", None),
            ("null", None),
            ("{}", None),
            ("```\n```", None),
            ("[object Object]", None),
            ("<think>fine", None),
            ("Answer:", None),
        ] {
            let verdict = judge(yaml, Candidate { finish_reason: reason, ..Candidate::of(text) });
            assert_eq!(
                (verdict.outcome, verdict.score),
                (Failed, Some(0.0)),
                "{yaml} on {text:?} {reason:?}"
            );
        }
    }
}

#[test]
fn no_pattern_or_expression_passes_on_an_empty_answer() {
    for (yaml, whole) in [
        ("{type: inline, expression: 'length > 0 && length < 200'}", "fine"),
        ("{type: inline, expression: 'words.length >= 1 && words.length <= 50'}", "fine"),
        ("{type: inline, expression: 'lines.length == 1'}", "fine"),
        ("{type: inline, expression: 'length > 0'}", "fine"),
        ("{type: inline, expression: 'response.match(/./)'}", "fine"),
        ("{type: inline, expression: 'json.status != \"error\"'}", "{\"status\": \"ok\"}"),
        ("{type: inline, expression: 'json.a !== \"error\"'}", "{\"a\": \"ok\"}"),
        ("{type: inline, expression: 'json != null'}", "{\"a\": 1}"),
        ("{type: regex, pattern: '^(?!.*secret).+$'}", "fine"),
        ("{type: regex, pattern: '^[^s]{1,200}$'}", "fine"),
        ("{type: regex, pattern: '.'}", "fine"),
        ("{type: regex, pattern: '\\S'}", "fine"),
        ("{type: length, characters: {min: 1}}", "fine"),
        ("{type: length, words: {min: 0}}", "fine"),
        ("{type: starts_with, value: ''}", "fine"),
        ("{type: ends_with, value: ' '}", "fine"),
    ] {
        assert_eq!(said(yaml, whole).0, Passed, "{yaml}");
        for text in ["", "\u{200b}", ".", "null", "{}", "[]", "<think>x", "```\n```", "Answer: "] {
            assert_eq!(said(yaml, text), (Failed, Some(0.0)), "{yaml} on {text:?}");
        }
    }
}

#[test]
fn a_truncated_answer_passes_nothing_that_its_rest_could_break() {
    for (yaml, outcome) in [
        ("{type: inline, expression: 'length > 0 && length < 200'}", Failed),
        ("{type: inline, expression: 'words.length <= 50 && words.length >= 1'}", Failed),
        ("{type: inline, expression: 'lines.length == 1'}", Failed),
        ("{type: inline, expression: 'length !== 3'}", Failed),
        ("{type: inline, expression: 'json.status != \"error\"'}", Failed),
        ("{type: inline, expression: 'json.n < 9'}", Failed),
        ("{type: inline, expression: 'response.match(/^{[^s].*}$/)'}", Failed),
        ("{type: regex, pattern: '^(?!.*secret).+'}", Failed),
        ("{type: regex, pattern: '^[^x]{1,200}$'}", Failed),
        ("{type: pii}", Failed),
        ("{type: length, words: {max: 99}}", Failed),
        ("{type: length, words: {min: 2, max: 99}}", Failed),
        ("{type: ends_with, value: '}'}", Failed),
        ("{type: length, words: {min: 2}}", Passed),
        ("{type: starts_with, value: '{'}", Passed),
        ("{type: inline, expression: 'length > 3'}", Passed),
        ("{type: inline, expression: 'json.status == \"ok\"'}", Passed),
        ("{type: inline, expression: 'json.n > 3'}", Passed),
        ("{type: inline, expression: 'json.n != null'}", Passed),
        ("{type: inline, expression: 'response.match(/ok/)'}", Passed),
        ("{type: regex, pattern: 'ok'}", Passed),
        ("{type: regex, pattern: '[$]|\\$|ok'}", Passed),
    ] {
        let whole = Candidate::of("{\"status\": \"ok\", \"n\": 4}");
        assert_eq!(judge(yaml, whole).outcome, Passed, "{yaml}");
        let cut = Candidate { finish_reason: Some("length"), allow_cut: true, ..whole };
        assert_eq!(judge(yaml, cut).outcome, outcome, "{yaml}");
    }
}

#[test]
fn no_text_expectation_passes_on_an_incomplete_answer() {
    let kinds = [
        "{type: contains, values: [fine]}",
        "{type: exact, value: fine}",
        "{type: starts_with, value: fine}",
        "{type: ends_with, value: fine}",
        "{type: length, words: {min: 1}}",
        "{type: latency, max_ms: 9}",
        "{type: regex, pattern: fine}",
        "{type: regex, pattern: '^'}",
        "{type: fuzzy, value: fine}",
        "{type: json_schema, schema: {}}",
        "{type: inline, expression: 'length < 99'}",
        "{type: not_contains, values: [x]}",
        "{not: {type: contains, values: [x]}}",
        "{not: {not: {type: contains, values: [fine]}}}",
        "{type: similarity, value: fine}",
        "{type: combined, operator: or, expectations: [{type: contains, values: [fine]}, {not: {type: exact, value: x}}]}",
    ];
    for yaml in kinds {
        let text = if yaml.contains("json_schema") { "{}" } else { "fine" };
        for reason in ["MAX_TOKENS", "length", "SAFETY", "content-filter", "refusal", "error", "surprise"] {
            let answer =
                Candidate { finish_reason: Some(reason), latency_ms: Some(9), ..Candidate::of(text) };
            assert_eq!(judge(yaml, answer).outcome, Failed, "{yaml} {reason}");
        }
        for reason in [None, Some("STOP"), Some("end-turn"), Some("tool_calls")] {
            let answer = Candidate { finish_reason: reason, latency_ms: Some(9), ..Candidate::of(text) };
            let outcome = judge(yaml, answer).outcome;
            // The similarity of a complete answer needs a model, and there is none.
            let whole = if yaml.contains("similarity") { Errored } else { Passed };
            assert_eq!(outcome, whole, "{yaml} {reason:?}");
        }
    }
}

#[test]
fn an_error_is_not_a_pass() {
    let endless = "{type: regex, pattern: '^(a+)(a+)(a+)(a+)\\1\\2\\3\\4b$'}";
    let answer = "a".repeat(400);
    assert_eq!(said(endless, &answer), (Errored, None));
    let grader = "{type: llm_grader, rubric: kind}";
    for (yaml, outcome) in [
        (format!("{{not: {endless}}}"), Errored),
        (format!("{{not: {grader}}}"), Errored),
        (
            format!(
                "{{type: combined, operator: and, expectations: [{endless}, {{type: contains, values: [a]}}]}}"
            ),
            Errored,
        ),
        (
            format!(
                "{{type: combined, operator: and, expectations: [{endless}, {{type: contains, values: [z]}}]}}"
            ),
            Failed,
        ),
        (
            format!(
                "{{type: combined, operator: or, expectations: [{grader}, {{type: contains, values: [z]}}]}}"
            ),
            Errored,
        ),
        (
            format!(
                "{{type: combined, operator: or, expectations: [{grader}, {{type: contains, values: [a]}}]}}"
            ),
            Passed,
        ),
    ] {
        assert_eq!(said(&yaml, &answer).0, outcome, "{yaml}");
    }
}

#[test]
fn variables_stand_for_themselves_in_every_kind() {
    for (yaml, good, bad) in [
        ("{type: contains, values: ['{{name}}']}", "see a.b", "see axb"),
        ("{type: exact, value: '{{name}}'}", "a.b", "axb"),
        ("{type: regex, pattern: '^{{name}}$'}", "a.b", "axb"),
        ("{type: inline, expression: 'response.includes(\"{{name}}\")'}", "a.b", "axb"),
        ("{type: json_schema, schema: {const: '{{name}}'}}", "\"a.b\"", "\"axb\""),
        ("{type: contains, values: ['\\{{name}}']}", "raw {{name}}", "a.b"),
    ] {
        assert_eq!((said(yaml, good).0, said(yaml, bad).0), (Passed, Failed), "{yaml}");
    }
    let (_, found) = read("{type: contains, values: ['{{nme}}']}");
    assert_eq!(found.iter().next().unwrap().code, "undefined-variable");
}

#[test]
fn expectations_that_cannot_be_judged_are_refused_when_read() {
    for (yaml, code, column) in [
        ("{type: contain, values: [x]}", "unknown-expectation", 8),
        ("{values: [x]}", "missing-field", 2),
        ("[x]", "wrong-type", 1),
        ("{type: regex, pattern: 'a(b'}", "invalid-regex", 26),
        ("{type: regex, pattern: 'abc', flags: 'q'}", "invalid-regex", 39),
        ("{type: inline, expression: 'response.length > 2'}", "invalid-expression", 29),
        ("{type: inline, expression: 'response == expected'}", "missing-field", 28),
        ("{type: json_schema, schema: {type: obejct}}", "invalid-schema", 36),
        ("{type: json_schema, schema: {$ref: 'https://example.com/s.json'}}", "invalid-schema", 36),
        ("{type: json_schema, schema: {items: {$ref: s.json}}}", "invalid-schema", 44),
        ("{type: json_schema, schema: {type: [string, strng]}}", "invalid-schema", 45),
        ("{type: custom, evaluator: mine}", "custom-evaluator", 8),
        ("{type: combined, operator: and, expectations: []}", "wrong-type", 47),
        ("{type: exact, value: 4}", "wrong-type", 22),
        ("{type: fuzzy, value: a, threshold: 0.5, distance: 1}", "wrong-value", 36),
        ("{type: fuzzy, value: a, distance: 1.5}", "wrong-type", 35),
        ("{type: llm_grader, rubric: ok, provider: openai}", "missing-field", 32),
        ("{not: {type: exact}}", "missing-field", 8),
        ("{type: contains, values: [x], ignoreCase: true}", "unknown-key", 31),
        ("{type: contains, values: [x], caseSensitive: 1}", "wrong-type", 46),
        ("{type: starts_with}", "missing-field", 2),
        ("{type: length}", "missing-field", 2),
        ("{type: length, words: {}}", "missing-field", 16),
        ("{type: length, words: {min: 3, max: 2}}", "wrong-value", 32),
        ("{type: length, words: {max: -1}}", "wrong-value", 29),
        ("{type: length, words: {max: 1.5}}", "wrong-type", 29),
        ("{type: length, words: {most: 3}}", "unknown-key", 24),
        ("{type: length, lines: {max: 3}}", "unknown-key", 16),
        ("{type: latency}", "missing-field", 2),
        ("{type: pii, none: [e_mail]}", "wrong-value", 20),
        ("{type: pii, none: [email, 7]}", "wrong-type", 27),
        ("{type: pii, none: email}", "wrong-type", 19),
        ("{type: language, value: ge}", "wrong-value", 25),
        ("{type: language, value: deu}", "wrong-value", 25),
        ("{type: is_refusal, value: x}", "unknown-key", 20),
        ("{type: latency, max_ms: 0}", "wrong-value", 25),
    ] {
        let (expectation, found) = read(yaml);
        let errors: Vec<_> = found.iter().map(|one| (one.code, one.span.column)).collect();
        assert_eq!(errors, [(code, column)], "{yaml}");
        let _ = expectation;
    }
}

#[test]
fn readings_that_differ_from_the_reference_are_explained() {
    for (yaml, code) in [
        ("{type: not_contains, values: [a, b], mode: any}", "not-contains-any"),
        ("{type: contains, values: []}", "empty-values"),
        ("{type: not_contains, values: []}", "empty-values"),
        ("{type: regex, pattern: /yes/i}", "delimited-pattern"),
        ("{type: inline, expression: 'length < 2 || length > 5 && length == 99'}", "ambiguous-expression"),
    ] {
        let (expectation, found) = read(yaml);
        assert!(expectation.is_some() && !found.has_errors(), "{yaml}");
        assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), [code], "{yaml}");
    }
}

#[test]
fn texts_are_compared_as_they_read() {
    for (needle, text) in [
        ("30 days", "Within 30\u{a0}days."),
        ("can't", "We can\u{2019}t."),
        ("password", "pass\u{200b}word"),
        ("password", "pass\u{ad}word"),
        ("password", "ＰＡＳＳＷＯＲＤ"),
        ("one-time code", "a one\u{2011}time\ncode"),
        ("\u{201c}no\u{201d}", "he said \"no\""),
        ("café", "cafe\u{301}"),
        ("iptal", "İptal edildi"),
        ("ılık", "ILIK"),
        ("Straße", "STRASSE zwei"),
        ("strasse", "Die STRAẞE"),
        ("ΟΔΟΣ", "ΟΔΟΣΗΜΟ"),
        ("οδός", "ΟΔΌΣ"),
    ] {
        let written = serde_json::Value::from(needle);
        let contains = format!("{{type: contains, values: [{written}]}}");
        assert_eq!(said(&contains, text).0, Passed, "{needle:?} in {text:?}");
        let lacks = format!("{{type: not_contains, values: [{written}]}}");
        assert_eq!(said(&lacks, text).0, Failed, "{needle:?} in {text:?}");
    }
    assert_eq!(said("{type: fuzzy, value: \"can't\", threshold: 1}", "CAN\u{2019}T").0, Passed);
    assert_eq!(said("{type: fuzzy, value: a b, threshold: 1}", "a\u{a0}\n b").0, Passed);
    for (value, text) in [("iptal", "İPTAL"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος")] {
        for kind in ["starts_with", "ends_with", "fuzzy"] {
            let more = if kind == "fuzzy" { ", threshold: 1" } else { "" };
            let yaml = format!("{{type: {kind}, value: {value}{more}}}");
            assert_eq!(said(&yaml, text).0, Passed, "{yaml} {text}");
        }
        let exact = format!("{{type: exact, value: {value}, caseSensitive: false}}");
        assert_eq!(said(&exact, text).0, Passed, "{exact} {text}");
        let minded = format!("{{type: contains, values: [{value}], caseSensitive: true}}");
        assert_eq!(said(&minded, text).0, Failed, "{minded} {text}");
    }
    // These kinds compare literally.
    assert_eq!(said("{type: exact, value: \"can't\"}", "can\u{2019}t").0, Failed);
    assert_eq!(said("{type: regex, pattern: \"can't\"}", "can\u{2019}t").0, Failed);
    assert_eq!(said("{type: fuzzy, value: \"can't\", distance: 0}", "can\u{2019}t").0, Failed);
}

/// A kind missing from the lists could not be read.
#[test]
fn every_kind_of_a_conversation_can_be_read() {
    let of_conversations = VerdictKind::iter().filter(|kind| kind.about() == About::Conversation);
    for kind in of_conversations {
        assert_ne!(table(&kind).as_ptr(), CUSTOM.as_ptr(), "{kind} is missing from the lists of kinds");
    }
}

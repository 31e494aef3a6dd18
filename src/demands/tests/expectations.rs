//! Weaker expectations; the expectation of the only case starts at line 5.

use super::*;

fn suite(expected: &str) -> String {
    let indented = expected.replace('\n', "\n      ");
    format!("name: s\ncases:\n  - id: a\n    prompt: How?\n    expected:\n      {indented}\n")
}

fn of(before: &str, now: &str) -> Vec<String> {
    weakenings(&[("s.yaml", &suite(before))], &[("s.yaml", &suite(now))])
}

const JUDGED: &str = "type: llm_grader\nrubric: kind\nvotes: 3\nthreshold: 0.8\nmodel: gpt-a";

/// Before, now, and the findings.
const LESS: &[(&str, &str, &[&str])] = &[
    // All, any, and their values.
    ("type: contains\nvalues: [a, b]", "type: contains\nvalues: [a]", &["value-removed s.yaml:7"]),
    (
        "type: contains\nvalues: [a, b]",
        "type: contains\nvalues: [a, b]\nmode: any",
        &["mode-loosened s.yaml:8"],
    ),
    (
        "type: contains\nvalues: [a]\nmode: any",
        "type: contains\nvalues: [a, b]\nmode: any",
        &["value-added s.yaml:7"],
    ),
    ("type: contains\nvalues: [abc]", "type: contains\nvalues: [ab]", &["value-removed s.yaml:7"]),
    ("type: not_contains\nvalues: [a, b]", "type: not_contains\nvalues: [b]", &["value-removed s.yaml:7"]),
    (
        "type: not_contains\nvalues: [a, b]",
        "type: not_contains\nvalues: [a, b]\nmode: not_all",
        &["mode-loosened s.yaml:8"],
    ),
    (
        "type: not_contains\nvalues: [a, b]\nmode: not_all",
        "type: not_contains\nvalues: [a, b, c]\nmode: not_all",
        &["value-added s.yaml:7"],
    ),
    // Texts and scores.
    ("type: exact\nvalue: a", "type: exact\nvalue: b", &["value-changed s.yaml:7"]),
    ("type: exact\nvalue: a", "type: exact\nvalue: a\ncaseSensitive: false", &["case-ignored s.yaml:8"]),
    ("type: exact\nvalue: a", "type: contains\nvalues: [a]", &["kind-changed s.yaml:6"]),
    (
        "type: fuzzy\nvalue: a\nthreshold: 0.9",
        "type: fuzzy\nvalue: a\nthreshold: 0.7",
        &["score-lowered s.yaml:8"],
    ),
    ("type: fuzzy\nvalue: a\nthreshold: 0.9", "type: fuzzy\nvalue: a", &["score-lowered s.yaml:6"]),
    ("type: fuzzy\nvalue: a", "type: fuzzy\nvalue: a\nthreshold: 0.5", &["score-lowered s.yaml:8"]),
    (
        "type: fuzzy\nvalue: a\ndistance: 1",
        "type: fuzzy\nvalue: a\ndistance: 99",
        &["score-lowered s.yaml:8"],
    ),
    ("type: fuzzy\nvalue: a\ndistance: 1", "type: fuzzy\nvalue: a", &["score-lowered s.yaml:6"]),
    (
        "type: fuzzy\nvalue: a\nthreshold: 0.8",
        "type: fuzzy\nvalue: a\ndistance: 99",
        &["score-lowered s.yaml:8"],
    ),
    ("type: fuzzy\nvalue: a", "type: fuzzy\nvalue: a\ndistance: 1", &["score-lowered s.yaml:8"]),
    (
        "type: fuzzy\nvalue: Ab\ndistance: 1",
        "type: fuzzy\nvalue: ab\ndistance: 1",
        &["value-changed s.yaml:7"],
    ),
    ("type: regex\npattern: a\nflags: y", "type: regex\npattern: a", &["pattern-changed s.yaml:6"]),
    (
        "type: regex\npattern: a\nflags: gy",
        "type: regex\npattern: a\nflags: g",
        &["pattern-changed s.yaml:8"],
    ),
    (
        "type: similarity\nvalue: a",
        "type: similarity\nvalue: a\nthreshold: 0.74",
        &["score-lowered s.yaml:8"],
    ),
    (
        "type: similarity\nvalue: a\nmodel: x",
        "type: similarity\nvalue: a\nmodel: y",
        &["judge-swapped s.yaml:8"],
    ),
    // Case, ends, lengths and times.
    (
        "type: contains\nvalues: [A]\ncaseSensitive: true",
        "type: contains\nvalues: [A]",
        &["case-ignored s.yaml:6"],
    ),
    (
        "type: not_contains\nvalues: [a]",
        "type: not_contains\nvalues: [a]\ncaseSensitive: true",
        &["mode-loosened s.yaml:8"],
    ),
    (
        "type: contains\nvalues: [A]\ncaseSensitive: true",
        "type: contains\nvalues: [a]\ncaseSensitive: true",
        &["value-removed s.yaml:7"],
    ),
    (
        "type: contains\nvalues: [A]\ncaseSensitive: true",
        "type: exact\nvalue: A\ncaseSensitive: false",
        &["kind-changed s.yaml:6"],
    ),
    ("type: starts_with\nvalue: ab", "type: starts_with\nvalue: b", &["value-changed s.yaml:7"]),
    ("type: starts_with\nvalue: ab", "type: ends_with\nvalue: ab", &["kind-changed s.yaml:6"]),
    ("type: ends_with\nvalue: ab", "type: ends_with\nvalue: a", &["value-changed s.yaml:7"]),
    (
        "type: length\nwords: { min: 2 }",
        "type: length\nwords: { min: 1, max: 9 }",
        &["limit-loosened s.yaml:7"],
    ),
    (
        "type: length\nwords: { max: 2 }\nsentences: { max: 1 }",
        "type: length\nwords: { max: 2 }",
        &["limit-loosened s.yaml:6"],
    ),
    ("type: latency\nmax_ms: 9", "type: latency\nmax_ms: 90", &["limit-loosened s.yaml:7"]),
    ("type: pii", "type: pii\nnone: [email]\n", &["value-removed s.yaml:7"; 10]),
    ("type: language\nvalue: de", "type: language\nvalue: en", &["value-changed s.yaml:7"]),
    ("type: is_refusal", "not: { type: is_refusal }", &["expectation-negated s.yaml:6"]),
    // Patterns, expressions, schemas.
    ("type: regex\npattern: ab", "type: regex\npattern: a.*", &["pattern-changed s.yaml:7"]),
    ("type: regex\npattern: ab", "type: regex\npattern: ab\nflags: i", &["pattern-changed s.yaml:8"]),
    (
        "type: inline\nexpression: length < 9",
        "type: inline\nexpression: length < 99",
        &["expression-changed s.yaml:7"],
    ),
    (
        "type: inline\nexpression: length < 9 && length > 1",
        "type: inline\nexpression: length < 9",
        &["expression-changed s.yaml:7"],
    ),
    (
        "type: json_schema\nschema:\n  type: object\n  required: [a, b]",
        "type: json_schema\nschema:\n  type: object\n  required: [a]",
        &["schema-loosened s.yaml:9"],
    ),
    (
        "type: json_schema\nschema: { type: string, maxLength: 5 }",
        "type: json_schema\nschema: { type: string }",
        &["schema-loosened s.yaml:7"],
    ),
    (
        "type: json_schema\nschema: { enum: [1] }",
        "type: json_schema\nschema: { enum: [1, 2] }",
        &["schema-loosened s.yaml:7"],
    ),
    (
        "type: json_schema\nschema: { additionalProperties: false }",
        "type: json_schema\nschema: { additionalProperties: true }",
        &["schema-loosened s.yaml:7"],
    ),
    (
        "type: json_schema\nschema: { minimum: 3 }",
        "type: json_schema\nschema: { minimum: 2 }",
        &["schema-loosened s.yaml:7"],
    ),
    // Judges.
    (
        JUDGED,
        "type: llm_grader\nrubric: nice\nvotes: 3\nthreshold: 0.8\nmodel: gpt-a",
        &["rubric-changed s.yaml:7"],
    ),
    (
        JUDGED,
        "type: llm_grader\nrubric: kind\nvotes: 1\nthreshold: 0.8\nmodel: gpt-a",
        &["votes-lowered s.yaml:8"],
    ),
    (JUDGED, "type: llm_grader\nrubric: kind\nthreshold: 0.8\nmodel: gpt-a", &["votes-lowered s.yaml:6"]),
    (
        JUDGED,
        "type: llm_grader\nrubric: kind\nvotes: 3\nthreshold: 0.6\nmodel: gpt-a",
        &["score-lowered s.yaml:9"],
    ),
    (JUDGED, "type: llm_grader\nrubric: kind\nvotes: 3\nmodel: gpt-a", &["score-lowered s.yaml:6"]),
    (
        JUDGED,
        "type: llm_grader\nrubric: kind\nvotes: 3\nthreshold: 0.8\nmodel: gpt-b",
        &["judge-swapped s.yaml:10"],
    ),
    (
        JUDGED,
        "type: llm_grader\nrubric: kind\nvotes: 3\nthreshold: 0.8\nmodel: gpt-a\nscale: 5",
        &["judge-swapped s.yaml:11"],
    ),
    // Without values, `contains` always passes and `not_contains` forbids nothing.
    ("type: contains\nvalues: [a]", "type: contains\nvalues: []", &["value-removed s.yaml:7"]),
    ("type: contains\nvalues: []\nmode: any", "type: contains\nvalues: []", &["value-removed s.yaml:7"]),
    (
        "type: contains\nvalues: []\nmode: any",
        "type: contains\nvalues: [a, b]\nmode: any",
        &["value-removed s.yaml:7"],
    ),
    ("type: not_contains\nvalues: [a]", "type: not_contains\nvalues: []", &["value-removed s.yaml:7"]),
    (
        "type: not_contains\nvalues: [a, b]\nmode: not_all",
        "type: not_contains\nvalues: []\nmode: not_all",
        &["value-removed s.yaml:7"],
    ),
    (
        "not: { type: contains, values: [a], mode: any }",
        "not: { type: contains, values: [], mode: any }",
        &["negation-narrowed s.yaml:6"],
    ),
    (
        "not: { type: contains, values: [] }",
        "not: { type: contains, values: [], mode: any }",
        &["negation-narrowed s.yaml:6"],
    ),
    // Negation.
    ("type: exact\nvalue: a", "not:\n  type: exact\n  value: a", &["expectation-negated s.yaml:6"]),
    ("not: { type: exact, value: a }", "type: exact\nvalue: a", &["expectation-negated s.yaml:6"]),
    (
        "not: { type: contains, values: [a] }",
        "not: { type: contains, values: [a, b] }",
        &["negation-narrowed s.yaml:6"],
    ),
    // Parts.
    (
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - { type: regex, pattern: a }",
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }",
        &["expectation-removed s.yaml:8"],
    ),
    (
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - { type: regex, pattern: a }",
        "type: combined\noperator: or\nexpectations:\n  - { type: exact, value: a }\n  - { type: regex, pattern: a }",
        &["operator-loosened s.yaml:7"],
    ),
    (
        "type: exact\nvalue: a",
        "type: combined\noperator: or\nexpectations:\n  - { type: exact, value: a }\n  - { type: regex, pattern: a }",
        &["alternative-added s.yaml:10"],
    ),
    (
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - { type: fuzzy, value: a }",
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - { type: fuzzy, value: a, threshold: 0.1 }",
        &["score-lowered s.yaml:10"],
    ),
    (
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - { type: regex, pattern: a }",
        "type: combined\noperator: and\nexpectations:\n  - { type: exact, value: a }\n  - not: { type: regex, pattern: a }",
        &["expectation-negated s.yaml:10"],
    ),
];

#[test]
fn a_weaker_expectation_is_named_at_its_line() {
    for (before, now, expected) in LESS {
        assert_eq!(of(before, now), *expected, "{before}\n->\n{now}");
    }
}

#[test]
fn an_equal_or_stronger_expectation_is_not_named() {
    let table = [
        ("type: contains\nvalues: [a, b]", "type: contains\nvalues: [B, a, A]"),
        ("type: contains\nvalues: [a]", "type: contains\nvalues: [a]\nmode: any"),
        ("type: contains\nvalues: [a]", "values: [a, b]\ntype: contains"),
        ("type: contains\nvalues: [a]", "type: contains\nvalues: [abc]"),
        ("type: contains\nvalues: [a]", "type: exact\nvalue: Banana"),
        ("type: contains\nvalues: [a, b]\nmode: any", "type: contains\nvalues: [a, b]"),
        ("type: contains\nvalues: [a, b]\nmode: any", "type: contains\nvalues: [b]"),
        ("type: not_contains\nvalues: [a]", "type: not_contains\nvalues: [a, b]\nmode: any"),
        ("type: not_contains\nvalues: [abc]", "type: not_contains\nvalues: [b]"),
        ("type: exact\nvalue: a", "type: exact\nvalue: \" a \"\ncaseSensitive: true"),
        ("type: exact\nvalue: a\ncaseSensitive: false", "type: exact\nvalue: A"),
        ("type: fuzzy\nvalue: a", "type: fuzzy\nvalue: A\nthreshold: 0.8"),
        ("type: fuzzy\nvalue: a", "type: fuzzy\nvalue: a\nthreshold: 0.9"),
        ("type: regex\npattern: a\nflags: im", "type: regex\npattern: \"a\"\nflags: gmi"),
        ("type: inline\nexpression: length<9", "type: inline\nexpression: length < 9"),
        ("type: inline\nexpression: length<9", "type: inline\nexpression: length > 1 && length < 9"),
        (
            "type: json_schema\nschema: { type: number }",
            "type: json_schema\nschema: { type: integer, title: n, minimum: 0 }",
        ),
        ("type: json_schema\nschema: { enum: [1, 2] }", "type: json_schema\nschema: { const: 2 }"),
        (
            "type: json_schema\nschema: { minItems: 0, title: n }",
            "type: json_schema\nschema: { maxItems: 3 }",
        ),
        (
            JUDGED,
            "type: llm_grader\nrubric: kind\nvotes: 5\nthreshold: 0.9\nmodel: gpt-a\nprovider: openai\nscale: 10",
        ),
        ("type: contains\nvalues: [a]", "type: contains\nvalues: [A, a]\ncaseSensitive: true"),
        ("type: contains\nvalues: [a]\ncaseSensitive: true", "type: exact\nvalue: Ba"),
        (
            "type: not_contains\nvalues: [Abc]\ncaseSensitive: true",
            "type: not_contains\nvalues: [b]\ncaseSensitive: false",
        ),
        ("type: starts_with\nvalue: A", "type: starts_with\nvalue: \" ab\""),
        ("type: ends_with\nvalue: b", "type: ends_with\nvalue: aB"),
        (
            "type: length\nwords: { min: 2, max: 9 }",
            "type: length\nwords: { min: 3, max: 9 }\nsentences: { max: 1 }",
        ),
        ("type: length\nwords: { min: 0, max: 9 }", "type: length\nwords: { max: 8 }"),
        ("type: latency\nmax_ms: 9", "type: latency\nmax_ms: 8"),
        ("type: pii\nnone: [email]", "type: pii\nnone: [iban, email]"),
        (
            "type: is_refusal",
            "type: combined\noperator: and\nexpectations: [{ type: is_refusal }, { type: pii }]",
        ),
        ("not: { type: latency, max_ms: 9 }", "not: { type: latency, max_ms: 10 }"),
        ("not:\n  not: { type: exact, value: a }", "type: exact\nvalue: a"),
        ("not: { type: contains, values: [a, b] }", "not: { type: contains, values: [a] }"),
        ("type: exact\nvalue: a", "type: combined\noperator: or\nexpectations: [{ type: exact, value: a }]"),
        (
            "type: combined\noperator: and\nexpectations: [{ type: exact, value: a }, { type: regex, pattern: a }]",
            "type: combined\noperator: and\nexpectations: [{ pattern: a, type: regex }, { type: exact, value: a }, { type: fuzzy, value: a }]",
        ),
        (
            "type: combined\noperator: or\nexpectations: [{ type: exact, value: a }, { type: regex, pattern: a }]",
            "type: combined\noperator: and\nexpectations: [{ type: exact, value: a }, { type: regex, pattern: a }]",
        ),
        (
            "type: combined\noperator: or\nexpectations: [{ type: exact, value: a }, { type: regex, pattern: a }]",
            "type: regex\npattern: a",
        ),
        (
            "type: combined\noperator: and\nexpectations: [{ type: exact, value: a }, { type: combined, operator: and, expectations: [{ type: regex, pattern: a }, { type: regex, pattern: b }] }]",
            "type: combined\noperator: and\nexpectations: [{ type: exact, value: a }, { type: regex, pattern: a }, { type: regex, pattern: b }]",
        ),
        // Parts that repeat another, or follow from it.
        (
            "type: combined\noperator: and\nexpectations: [{ type: exact, value: a }, { type: exact, value: a }]",
            "type: exact\nvalue: a",
        ),
        (
            "type: combined\noperator: and\nexpectations: [{ type: fuzzy, value: a, threshold: 0.5 }, { type: fuzzy, value: a }]",
            "type: fuzzy\nvalue: a",
        ),
        (
            "type: combined\noperator: and\nexpectations: [{ type: contains, values: [hello] }, { type: contains, values: [e] }]",
            "type: contains\nvalues: [hello, e]",
        ),
        (
            "type: combined\noperator: or\nexpectations: [{ type: combined, operator: and, expectations: [{ type: regex, pattern: a }, { type: regex, pattern: b }] }, { type: exact, value: c }]",
            "type: combined\noperator: and\nexpectations: [{ type: regex, pattern: b }, { type: regex, pattern: a }]",
        ),
        (
            "type: fuzzy\nvalue: a",
            "type: combined\noperator: or\nexpectations: [{ type: fuzzy, value: a, threshold: 0.9 }, { type: fuzzy, value: A, threshold: 0.95 }]",
        ),
        ("type: fuzzy\nvalue: a word", "type: exact\nvalue: A Word"),
        (
            "type: combined\noperator: or\nexpectations: [{ type: exact, value: a }, { type: exact, value: b }]",
            "type: combined\noperator: and\nexpectations: [{ type: regex, pattern: c }, { type: combined, operator: or, expectations: [{ type: exact, value: b }, { type: exact, value: a }] }]",
        ),
    ];
    for (before, now) in table {
        assert_eq!(of(before, now), Vec::<String>::new(), "{before}\n->\n{now}");
    }
}

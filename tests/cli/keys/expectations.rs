//! Every key of an expectation.

use super::{
    Key,
    Key::{Passes, Weaker},
};

/// Expectations before and now, by kind and key.
pub const EXPECTATIONS: &[(&str, Key)] = &[
    (
        "combined.type",
        Weaker(
            "type: combined, operator: and, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "type: exact, value: a",
        ),
    ),
    (
        "combined.operator",
        Passes(
            "type: combined, operator: and, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "type: combined, operator: or, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "a",
        ),
    ),
    (
        "combined.expectations",
        Passes(
            "type: combined, operator: and, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "type: combined, operator: and, expectations: [{ type: exact, value: a }]",
            "a",
        ),
    ),
    ("contains.type", Passes("type: contains, values: [a]", "type: not_contains, values: [a]", "b")),
    ("contains.values", Passes("type: contains, values: [a, b]", "type: contains, values: [a]", "only a")),
    (
        "contains.mode",
        Passes("type: contains, values: [a, b]", "type: contains, values: [a, b], mode: any", "only a"),
    ),
    (
        "contains.caseSensitive",
        Passes("type: contains, values: [A], caseSensitive: true", "type: contains, values: [A]", "a"),
    ),
    ("starts_with.type", Passes("type: starts_with, value: a", "type: contains, values: [a]", "say a")),
    ("starts_with.value", Passes("type: starts_with, value: ab", "type: starts_with, value: a", "a b")),
    ("ends_with.type", Passes("type: ends_with, value: a", "type: contains, values: [a]", "a b")),
    ("ends_with.value", Passes("type: ends_with, value: ab", "type: ends_with, value: b", "a b")),
    ("length.type", Passes("type: length, words: { max: 2 }", "type: contains, values: [a]", "a b c")),
    (
        "length.words",
        Passes(
            "type: length, words: { max: 2 }, characters: { max: 9 }",
            "type: length, characters: { max: 9 }",
            "a b c",
        ),
    ),
    (
        "length.words.max",
        Passes("type: length, words: { max: 2 }", "type: length, words: { max: 3 }", "a b c"),
    ),
    ("length.words.min", Passes("type: length, words: { min: 3 }", "type: length, words: { min: 2 }", "a b")),
    (
        "length.characters",
        Passes(
            "type: length, words: { max: 2 }, characters: { max: 2 }",
            "type: length, words: { max: 2 }",
            "abc",
        ),
    ),
    (
        "length.characters.max",
        Passes("type: length, characters: { max: 2 }", "type: length, characters: { max: 3 }", "abc"),
    ),
    (
        "length.characters.min",
        Passes("type: length, characters: { min: 4, max: 9 }", "type: length, characters: { max: 9 }", "abc"),
    ),
    (
        "length.sentences",
        Passes(
            "type: length, words: { max: 2 }, sentences: { max: 1 }",
            "type: length, words: { max: 2 }",
            "No. No.",
        ),
    ),
    (
        "length.sentences.max",
        Passes("type: length, sentences: { max: 1 }", "type: length, sentences: { max: 2 }", "No. No."),
    ),
    (
        "length.sentences.min",
        Passes("type: length, sentences: { min: 2 }", "type: length, sentences: { min: 1 }", "No."),
    ),
    ("latency.type", Weaker("type: latency, max_ms: 9", "type: contains, values: [a]")),
    ("latency.max_ms", Weaker("type: latency, max_ms: 9", "type: latency, max_ms: 10")),
    ("is_refusal.type", Passes("type: is_refusal", "type: contains, values: [help]", "I can help you.")),
    ("language.type", Weaker("type: language, value: de", "type: contains, values: [a]")),
    ("language.value", Weaker("type: language, value: de", "type: language, value: en")),
    ("pii.type", Passes("type: pii", "type: contains, values: [a]", "a@example.com")),
    ("pii.none", Passes("type: pii, none: [email, iban]", "type: pii, none: [iban]", "a@example.com")),
    ("exact.type", Passes("type: exact, value: a", "type: contains, values: [a]", "say a")),
    ("exact.value", Passes("type: exact, value: a", "type: exact, value: b", "b")),
    (
        "exact.caseSensitive",
        Passes("type: exact, value: a", "type: exact, value: a, caseSensitive: false", "A"),
    ),
    ("fuzzy.type", Passes("type: fuzzy, value: a", "type: contains, values: [a]", "well, a")),
    ("fuzzy.value", Passes("type: fuzzy, value: a", "type: fuzzy, value: b", "b")),
    ("fuzzy.threshold", Weaker("type: fuzzy, value: a, threshold: 0.9", "type: fuzzy, value: a")),
    (
        "fuzzy.distance",
        Passes("type: fuzzy, value: a, distance: 1", "type: fuzzy, value: a, distance: 2", "abc"),
    ),
    ("handoff.type", Weaker("type: handoff", "type: tools, called: [transfer]")),
    ("handoff.state", Weaker("type: handoff", "type: handoff, state: offered")),
    ("handoff.carries", Weaker("type: handoff, carries: [a]", "type: handoff")),
    ("handoff.never", Weaker("type: handoff", "type: handoff, never: true")),
    ("tools.type", Weaker("type: tools, called: [a]", "type: contains, values: [a]")),
    ("tools.called", Weaker("type: tools, called: [a, b]", "type: tools, called: [a]")),
    ("tools.called.name", Weaker("type: tools, called: [{ name: a }]", "type: tools, called: [{ name: b }]")),
    (
        "tools.called.args",
        Weaker("type: tools, called: [{ name: a, args: { n: 1 } }]", "type: tools, called: [{ name: a }]"),
    ),
    (
        "tools.called.before",
        Weaker("type: tools, called: [{ name: a, before: b }]", "type: tools, called: [{ name: a }]"),
    ),
    (
        "tools.called.after",
        Weaker("type: tools, called: [{ name: a, after: b }]", "type: tools, called: [{ name: a }]"),
    ),
    (
        "tools.called.count",
        Weaker("type: tools, called: [{ name: a, count: 1 }]", "type: tools, called: [{ name: a }]"),
    ),
    (
        "tools.called.count.min",
        Weaker(
            "type: tools, called: [{ name: a, count: { min: 2 } }]",
            "type: tools, called: [{ name: a, count: { min: 1 } }]",
        ),
    ),
    (
        "tools.called.count.max",
        Weaker(
            "type: tools, called: [{ name: a, count: { max: 2 } }]",
            "type: tools, called: [{ name: a, count: { max: 3 } }]",
        ),
    ),
    ("tools.never", Weaker("type: tools, never: [a, b]", "type: tools, never: [a]")),
    (
        "inline.type",
        Passes("type: inline, expression: length < 9", "type: regex, pattern: .", "far too long an answer"),
    ),
    (
        "inline.expression",
        Passes(
            "type: inline, expression: length < 9",
            "type: inline, expression: length < 99",
            "0123456789 0123456789",
        ),
    ),
    (
        "inline.value",
        Passes(
            "type: inline, expression: response == expected, value: a",
            "type: inline, expression: response == expected, value: b",
            "b",
        ),
    ),
    (
        "json_schema.type",
        Passes("type: json_schema, schema: { type: object }", "type: regex, pattern: .", "no json"),
    ),
    (
        "json_schema.schema",
        Passes("type: json_schema, schema: { required: [a] }", "type: json_schema, schema: {}", "{}"),
    ),
    ("llm_grader.type", Passes("type: llm_grader, rubric: kind", "type: regex, pattern: .", "worth 0")),
    (
        "llm_grader.rubric",
        Passes("type: llm_grader, rubric: kind", "type: llm_grader, rubric: nice", "worth 0"),
    ),
    (
        "llm_grader.threshold",
        Passes("type: llm_grader, rubric: kind, threshold: 0.8", "type: llm_grader, rubric: kind", "worth 7"),
    ),
    (
        "llm_grader.anchors",
        Weaker(
            "type: llm_grader, rubric: kind, anchors: [{ score: 1, example: a }]",
            "type: llm_grader, rubric: kind",
        ),
    ),
    (
        "llm_grader.anchors.score",
        Weaker(
            "type: llm_grader, rubric: kind, anchors: [{ score: 0, example: a }]",
            "type: llm_grader, rubric: kind, anchors: [{ score: 1, example: a }]",
        ),
    ),
    (
        "llm_grader.anchors.example",
        Weaker(
            "type: llm_grader, rubric: kind, anchors: [{ score: 1, example: a }]",
            "type: llm_grader, rubric: kind, anchors: [{ score: 1, example: b }]",
        ),
    ),
    (
        "llm_grader.votes",
        Weaker("type: llm_grader, rubric: kind, votes: 3", "type: llm_grader, rubric: kind, votes: 1"),
    ),
    (
        "llm_grader.scale",
        Passes(
            "type: llm_grader, rubric: kind, scale: 100",
            "type: llm_grader, rubric: kind, scale: 5",
            "worth 5",
        ),
    ),
    (
        "llm_grader.model",
        Weaker(
            "type: llm_grader, rubric: kind, model: large",
            "type: llm_grader, rubric: kind, model: small",
        ),
    ),
    (
        "llm_grader.provider",
        Weaker(
            "type: llm_grader, rubric: kind, model: m, provider: openai",
            "type: llm_grader, rubric: kind, model: m, provider: ollama",
        ),
    ),
    ("not_contains.type", Passes("type: not_contains, values: [a]", "type: contains, values: [b]", "a b")),
    (
        "not_contains.values",
        Passes("type: not_contains, values: [a, b]", "type: not_contains, values: [a]", "b"),
    ),
    (
        "not_contains.mode",
        Passes(
            "type: not_contains, values: [a, b]",
            "type: not_contains, values: [a, b], mode: not_all",
            "only a",
        ),
    ),
    (
        "not_contains.caseSensitive",
        Passes(
            "type: not_contains, values: [A]",
            "type: not_contains, values: [A], caseSensitive: true",
            "a",
        ),
    ),
    ("regex.type", Passes("type: regex, pattern: a", "type: contains, values: [a]", "A")),
    ("regex.pattern", Passes("type: regex, pattern: a", "type: regex, pattern: .", "b")),
    ("regex.flags", Passes("type: regex, pattern: a, flags: y", "type: regex, pattern: a", "say a")),
    ("similarity.type", Weaker("type: similarity, value: a", "type: contains, values: [a]")),
    ("similarity.value", Weaker("type: similarity, value: a", "type: similarity, value: b")),
    (
        "similarity.threshold",
        Weaker("type: similarity, value: a", "type: similarity, value: a, threshold: 0.5"),
    ),
    (
        "similarity.mode",
        Weaker(
            "type: similarity, value: a, embeddingModel: e",
            "type: similarity, value: a, embeddingModel: e, mode: llm",
        ),
    ),
    (
        "similarity.model",
        Weaker("type: similarity, value: a, model: large", "type: similarity, value: a, model: small"),
    ),
    (
        "similarity.embeddingModel",
        Weaker(
            "type: similarity, value: a, embeddingModel: large",
            "type: similarity, value: a, embeddingModel: small",
        ),
    ),
    (
        "not.not",
        Passes("not: { type: contains, values: [a] }", "not: { type: contains, values: [a, b] }", "a"),
    ),
];

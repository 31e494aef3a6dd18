//! What can be written of an expectation.

use super::{Key, Key::Weaker};

/// Expectations before and now, by the kind and the key.
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
        Weaker(
            "type: combined, operator: and, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "type: combined, operator: or, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
        ),
    ),
    (
        "combined.expectations",
        Weaker(
            "type: combined, operator: and, expectations: [{ type: exact, value: a }, { type: regex, pattern: b }]",
            "type: combined, operator: and, expectations: [{ type: exact, value: a }]",
        ),
    ),
    ("contains.type", Weaker("type: contains, values: [a]", "type: not_contains, values: [a]")),
    ("contains.values", Weaker("type: contains, values: [a, b]", "type: contains, values: [a]")),
    ("contains.mode", Weaker("type: contains, values: [a, b]", "type: contains, values: [a, b], mode: any")),
    ("exact.type", Weaker("type: exact, value: a", "type: contains, values: [a]")),
    ("exact.value", Weaker("type: exact, value: a", "type: exact, value: b")),
    ("exact.caseSensitive", Weaker("type: exact, value: a", "type: exact, value: a, caseSensitive: false")),
    ("fuzzy.type", Weaker("type: fuzzy, value: a", "type: contains, values: [a]")),
    ("fuzzy.value", Weaker("type: fuzzy, value: a", "type: fuzzy, value: b")),
    ("fuzzy.threshold", Weaker("type: fuzzy, value: a, threshold: 0.9", "type: fuzzy, value: a")),
    ("fuzzy.distance", Weaker("type: fuzzy, value: a, distance: 1", "type: fuzzy, value: a, distance: 2")),
    ("inline.type", Weaker("type: inline, expression: length < 9", "type: regex, pattern: .")),
    (
        "inline.expression",
        Weaker("type: inline, expression: length < 9", "type: inline, expression: length < 99"),
    ),
    (
        "inline.value",
        Weaker(
            "type: inline, expression: response == expected, value: a",
            "type: inline, expression: response == expected, value: b",
        ),
    ),
    ("json_schema.type", Weaker("type: json_schema, schema: { type: object }", "type: regex, pattern: .")),
    (
        "json_schema.schema",
        Weaker("type: json_schema, schema: { required: [a] }", "type: json_schema, schema: {}"),
    ),
    ("llm_grader.type", Weaker("type: llm_grader, rubric: kind", "type: regex, pattern: .")),
    ("llm_grader.rubric", Weaker("type: llm_grader, rubric: kind", "type: llm_grader, rubric: nice")),
    (
        "llm_grader.threshold",
        Weaker("type: llm_grader, rubric: kind, threshold: 0.8", "type: llm_grader, rubric: kind"),
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
        Weaker("type: llm_grader, rubric: kind, scale: 100", "type: llm_grader, rubric: kind, scale: 5"),
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
    ("not_contains.type", Weaker("type: not_contains, values: [a]", "type: contains, values: [b]")),
    ("not_contains.values", Weaker("type: not_contains, values: [a, b]", "type: not_contains, values: [a]")),
    (
        "not_contains.mode",
        Weaker("type: not_contains, values: [a, b]", "type: not_contains, values: [a, b], mode: not_all"),
    ),
    ("regex.type", Weaker("type: regex, pattern: a", "type: contains, values: [a]")),
    ("regex.pattern", Weaker("type: regex, pattern: a", "type: regex, pattern: .")),
    ("regex.flags", Weaker("type: regex, pattern: a, flags: y", "type: regex, pattern: a")),
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
    ("not.not", Weaker("not: { type: contains, values: [a] }", "not: { type: contains, values: [a, b] }")),
];

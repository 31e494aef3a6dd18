//! Every other key of a scenario.

use super::{
    Key,
    Key::{Neutral, Passes, Weaker},
    LABEL, QUESTION, SHOWN, TARGET, UNUSED,
};

/// Scenarios: text for `HEAD` at the top, for `CASE` in case `one`, and for `PROMPT`.
pub const SCENARIOS: &[(&str, Key)] = &[
    ("name", Neutral(LABEL, "HEAD name: s", "HEAD name: t")),
    ("description", Neutral(LABEL, "HEAD description: a", "HEAD description: b")),
    ("version", Neutral(LABEL, "HEAD version: \"1\"", "HEAD version: \"2\"")),
    ("provider", Weaker("HEAD provider: openai", "HEAD provider: replies")),
    ("model", Weaker("HEAD model: a", "HEAD model: b")),
    ("always", Weaker("HEAD always: [{ type: exact, value: a }]", "HEAD model: m")),
    (
        "always.name",
        Weaker(
            "HEAD always: [{ type: exact, value: a, name: x }, { type: length, words: { min: 1 }, name: y }]\n---\nexcept: { y: so }",
            "HEAD always: [{ type: exact, value: a, name: y }, { type: length, words: { min: 1 }, name: x }]\n---\nexcept: { y: so }",
        ),
    ),
    (
        "cases.except",
        Weaker(
            "HEAD always: [{ type: exact, value: a }]",
            "HEAD always: [{ type: exact, value: a }]\n---\nexcept: { exact: it says more }",
        ),
    ),
    ("allow_cut", Weaker("HEAD model: m", "HEAD allow_cut: true")),
    ("cases.allow_cut", Weaker("CASE allow_cut: false", "CASE allow_cut: true")),
    ("seed", Weaker("HEAD seed: 1", "HEAD seed: 2")),
    ("temperature", Weaker("HEAD temperature: 1", "HEAD temperature: 0")),
    ("maxTokens", Weaker("HEAD maxTokens: 100", "HEAD maxTokens: 10")),
    ("tags", Weaker("HEAD tags: [safety]", "HEAD tags: [other]")),
    ("variables", Passes("HEAD variables: { v: a }", "HEAD variables: { v: b }", "b")),
    ("redaction", Weaker("", "HEAD redaction: {}")),
    ("redaction.enabled", Weaker("HEAD redaction: { enabled: false }", "HEAD redaction: { enabled: true }")),
    (
        "redaction.patterns",
        Weaker("HEAD redaction: { patterns: [email] }", "HEAD redaction: { patterns: [email, 'x.*y'] }"),
    ),
    (
        "redaction.redactPrompts",
        Weaker("HEAD redaction: { redactPrompts: false }", "HEAD redaction: { redactPrompts: true }"),
    ),
    (
        "redaction.redactResponses",
        Weaker("HEAD redaction: { redactResponses: false }", "HEAD redaction: { redactResponses: true }"),
    ),
    (
        "redaction.redactMetadata",
        Neutral(
            UNUSED,
            "HEAD redaction: { redactMetadata: false }",
            "HEAD redaction: { redactMetadata: true }",
        ),
    ),
    (
        "redaction.replacement",
        Neutral(SHOWN, "HEAD redaction: { replacement: a }", "HEAD redaction: { replacement: b }"),
    ),
    ("setup", Neutral(TARGET, "", "HEAD setup: { systemPrompt: Be kind. }")),
    (
        "setup.systemPrompt",
        Neutral(TARGET, "HEAD setup: { systemPrompt: Be kind. }", "HEAD setup: { systemPrompt: Be brief. }"),
    ),
    (
        "setup.functions",
        Neutral(
            TARGET,
            "HEAD setup: { functions: [{ name: f }] }",
            "HEAD setup: { functions: [{ name: g }] }",
        ),
    ),
    (
        "setup.functions.returns",
        Weaker(
            "HEAD setup: { functions: [{ name: f, returns: [{ give: a }] }] }",
            "HEAD setup: { functions: [{ name: f, returns: [{ give: a }, { give: b }] }] }",
        ),
    ),
    (
        "setup.functions.returns.with",
        Weaker(
            "HEAD setup: { functions: [{ name: f, returns: [{ with: { n: 1 }, give: a }] }] }",
            "HEAD setup: { functions: [{ name: f, returns: [{ give: a }] }] }",
        ),
    ),
    (
        "setup.functions.returns.give",
        Weaker(
            "HEAD setup: { functions: [{ name: f, returns: [{ give: a }] }] }",
            "HEAD setup: { functions: [{ name: f, returns: [{ give: b }] }] }",
        ),
    ),
    (
        "setup.max_tool_rounds",
        Weaker("HEAD setup: { max_tool_rounds: 2 }", "HEAD setup: { max_tool_rounds: 3 }"),
    ),
    (
        "setup.handoff",
        Weaker("HEAD setup: { handoff: { tool: a, state: /b } }", "HEAD setup: { handoff: { tool: a } }"),
    ),
    (
        "setup.handoff.state",
        Weaker("HEAD setup: { handoff: { state: /a } }", "HEAD setup: { handoff: { state: /b } }"),
    ),
    (
        "setup.handoff.states",
        Weaker(
            "HEAD setup: { handoff: { state: /a, states: { queued: claimed } } }",
            "HEAD setup: { handoff: { state: /a, states: { queued: done } } }",
        ),
    ),
    (
        "setup.handoff.tool",
        Weaker("HEAD setup: { handoff: { tool: a } }", "HEAD setup: { handoff: { tool: b } }"),
    ),
    (
        "setup.handoff.text",
        Weaker("HEAD setup: { handoff: { text: now } }", "HEAD setup: { handoff: { text: . } }"),
    ),
    (
        "setup.handoff.notice",
        Weaker("HEAD setup: { handoff: { notice: queue } }", "HEAD setup: { handoff: { notice: . } }"),
    ),
    (
        "setup.handoff.offers",
        Weaker("HEAD setup: { handoff: { offers: like } }", "HEAD setup: { handoff: { offers: . } }"),
    ),
    ("cases", Passes("", "GONE", "zzz")),
    ("teardown", Neutral(UNUSED, "HEAD teardown: {}", "HEAD teardown: { cleanup: true }")),
    (
        "teardown.cleanup",
        Neutral(UNUSED, "HEAD teardown: { cleanup: true }", "HEAD teardown: { cleanup: false }"),
    ),
    ("cases.id", Neutral(LABEL, "", "ID uno")),
    ("cases.name", Neutral(LABEL, "CASE name: a", "CASE name: b")),
    ("cases.description", Neutral(LABEL, "CASE description: a", "CASE description: b")),
    ("cases.prompt", Neutral(QUESTION, "PROMPT How?", "PROMPT How so?")),
    (
        "cases.prompt.role",
        Neutral(
            QUESTION,
            "PROMPT [{ role: user, content: How? }]",
            "PROMPT [{ role: system, content: How? }]",
        ),
    ),
    (
        "cases.prompt.content",
        Neutral(QUESTION, "PROMPT [{ role: user, content: How? }]", "PROMPT [{ role: user, content: Why? }]"),
    ),
    ("cases.expected", Passes("", "EXPECTED { type: regex, pattern: . }", "x")),
    ("cases.tags", Weaker("CASE tags: [safety]", "CASE tags: [other]")),
    ("cases.metadata", Neutral(LABEL, "CASE metadata: { a: 1 }", "CASE metadata: { a: 2 }")),
    ("cases.timeout", Weaker("CASE timeout: 1000", "CASE timeout: 9000")),
    ("cases.retries", Weaker("CASE retries: 1", "CASE retries: 9")),
    ("cases.provider", Weaker("CASE provider: openai", "CASE provider: replies")),
    ("cases.model", Weaker("CASE model: a", "CASE model: b")),
    ("cases.variables", Passes("CASE variables: { v: a }", "CASE variables: { v: b }", "b")),
    ("cases.redaction", Weaker("", "CASE redaction: { patterns: [email] }")),
];

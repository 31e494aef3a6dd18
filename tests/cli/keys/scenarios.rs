//! What can be written in a scenario.

use super::{
    Key,
    Key::{Later, Neutral, Weaker},
    LABEL, QUESTION, TARGET, UNUSED,
};

/// Scenarios: what is put in place of `HEAD` at the top, `CASE` at the case `one`, and `PROMPT`.
pub const SCENARIOS: &[(&str, Key)] = &[
    ("name", Neutral(LABEL, "HEAD name: s", "HEAD name: t")),
    ("description", Neutral(LABEL, "HEAD description: a", "HEAD description: b")),
    ("version", Neutral(LABEL, "HEAD version: \"1\"", "HEAD version: \"2\"")),
    ("provider", Weaker("HEAD provider: openai", "HEAD provider: replies")),
    ("model", Neutral(TARGET, "HEAD model: a", "HEAD model: b")),
    (
        "providerConfig",
        Weaker("HEAD providerConfig: { maxRetries: 1 }", "HEAD providerConfig: { maxRetries: 9 }"),
    ),
    (
        "providerConfig.apiKey",
        Neutral(
            "who pays does not change what is answered",
            "HEAD providerConfig: { apiKey: a }",
            "HEAD providerConfig: { apiKey: b }",
        ),
    ),
    ("providerConfig.baseUrl", Later),
    (
        "providerConfig.stopWords",
        Weaker("HEAD model: m", "HEAD providerConfig: { stopWords: { quantum: complete } }"),
    ),
    ("allow_cut", Weaker("HEAD model: m", "HEAD allow_cut: true")),
    ("cases.allow_cut", Weaker("CASE allow_cut: false", "CASE allow_cut: true")),
    (
        "providerConfig.defaultModel",
        Neutral(
            TARGET,
            "HEAD providerConfig: { defaultModel: a }",
            "HEAD providerConfig: { defaultModel: b }",
        ),
    ),
    (
        "providerConfig.timeout",
        Weaker("HEAD providerConfig: { timeout: 1000 }", "HEAD providerConfig: { timeout: 9000 }"),
    ),
    (
        "providerConfig.maxRetries",
        Weaker("HEAD providerConfig: { maxRetries: 1 }", "HEAD providerConfig: { maxRetries: 9 }"),
    ),
    (
        "providerConfig.organization",
        Neutral(
            "who pays does not change what is answered",
            "HEAD providerConfig: { organization: a }",
            "HEAD providerConfig: { organization: b }",
        ),
    ),
    (
        "providerConfig.resourceName",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { resourceName: a }",
            "HEAD providerConfig: { resourceName: b }",
        ),
    ),
    (
        "providerConfig.deploymentName",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { deploymentName: a }",
            "HEAD providerConfig: { deploymentName: b }",
        ),
    ),
    (
        "providerConfig.apiVersion",
        Neutral(UNUSED, "HEAD providerConfig: { apiVersion: a }", "HEAD providerConfig: { apiVersion: b }"),
    ),
    (
        "providerConfig.embeddingDeploymentName",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { embeddingDeploymentName: a }",
            "HEAD providerConfig: { embeddingDeploymentName: b }",
        ),
    ),
    (
        "providerConfig.modelFamily",
        Neutral(UNUSED, "HEAD providerConfig: { modelFamily: a }", "HEAD providerConfig: { modelFamily: b }"),
    ),
    (
        "providerConfig.underlyingProvider",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { underlyingProvider: openai }",
            "HEAD providerConfig: { underlyingProvider: google }",
        ),
    ),
    (
        "providerConfig.name",
        Neutral(UNUSED, "HEAD providerConfig: { name: a }", "HEAD providerConfig: { name: b }"),
    ),
    (
        "providerConfig.runnableType",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { runnableType: a }",
            "HEAD providerConfig: { runnableType: b }",
        ),
    ),
    (
        "providerConfig.captureTraces",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { captureTraces: true }",
            "HEAD providerConfig: { captureTraces: false }",
        ),
    ),
    (
        "providerConfig.captureMessages",
        Neutral(
            UNUSED,
            "HEAD providerConfig: { captureMessages: true }",
            "HEAD providerConfig: { captureMessages: false }",
        ),
    ),
    ("providerConfig.file", Later),
    ("seed", Later),
    ("temperature", Later),
    ("maxTokens", Later),
    ("tags", Weaker("HEAD tags: [safety]", "HEAD tags: [other]")),
    ("variables", Weaker("HEAD variables: { v: a }", "HEAD variables: { v: b }")),
    ("redaction", Later),
    ("redaction.enabled", Later),
    ("redaction.patterns", Later),
    ("redaction.redactPrompts", Later),
    ("redaction.redactResponses", Later),
    ("redaction.redactMetadata", Later),
    ("redaction.replacement", Later),
    ("setup", Later),
    ("setup.systemPrompt", Later),
    ("setup.functions", Later),
    ("cases", Weaker("", "GONE")),
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
    ("cases.expected", Weaker("", "EXPECTED { type: regex, pattern: . }")),
    ("cases.tags", Weaker("CASE tags: [safety]", "CASE tags: [other]")),
    ("cases.metadata", Neutral(LABEL, "CASE metadata: { a: 1 }", "CASE metadata: { a: 2 }")),
    ("cases.timeout", Weaker("CASE timeout: 1000", "CASE timeout: 9000")),
    ("cases.retries", Weaker("CASE retries: 1", "CASE retries: 9")),
    ("cases.provider", Weaker("CASE provider: openai", "CASE provider: replies")),
    ("cases.model", Neutral(TARGET, "CASE model: a", "CASE model: b")),
    ("cases.variables", Weaker("CASE variables: { v: a }", "CASE variables: { v: b }")),
    ("cases.redaction", Later),
];

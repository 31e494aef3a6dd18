//! What can be written in a scenario.

use super::{
    Key,
    Key::{Neutral, Passes, Weaker},
    LABEL, QUESTION, SHOWN, SLOWER, TARGET, UNUSED,
};

/// Scenarios: what is put in place of `HEAD` at the top, `CASE` at the case `one`, and `PROMPT`.
pub const SCENARIOS: &[(&str, Key)] = &[
    ("name", Neutral(LABEL, "HEAD name: s", "HEAD name: t")),
    ("description", Neutral(LABEL, "HEAD description: a", "HEAD description: b")),
    ("version", Neutral(LABEL, "HEAD version: \"1\"", "HEAD version: \"2\"")),
    ("provider", Weaker("HEAD provider: openai", "HEAD provider: replies")),
    ("model", Weaker("HEAD model: a", "HEAD model: b")),
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
    (
        "providerConfig.baseUrl",
        Weaker(
            "HEAD providerConfig: { baseUrl: http://127.0.0.1:9/a/v1 }",
            "HEAD providerConfig: { baseUrl: http://127.0.0.1:9/b/v1 }",
        ),
    ),
    (
        "providerConfig.stopWords",
        Weaker("HEAD model: m", "HEAD providerConfig: { stopWords: { quantum: complete } }"),
    ),
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
    (
        "providerConfig.defaultModel",
        Weaker("HEAD providerConfig: { defaultModel: a }", "HEAD providerConfig: { defaultModel: b }"),
    ),
    (
        "providerConfig.timeout",
        Weaker("HEAD providerConfig: { timeout: 1000 }", "HEAD providerConfig: { timeout: 9000 }"),
    ),
    (
        "providerConfig.maxRetries",
        Weaker("HEAD providerConfig: { maxRetries: 1 }", "HEAD providerConfig: { maxRetries: 9 }"),
    ),
    ("providerConfig.patience", Weaker("HEAD model: m", "HEAD providerConfig: { patience: 0 }")),
    (
        "providerConfig.limits",
        Neutral(
            SLOWER,
            "HEAD providerConfig: { limits: { concurrency: 9 } }",
            "HEAD providerConfig: { limits: { concurrency: 1 } }",
        ),
    ),
    (
        "providerConfig.limits.requests_per_minute",
        Neutral(
            SLOWER,
            "HEAD providerConfig: { limits: { requests_per_minute: 9 } }",
            "HEAD providerConfig: { limits: { requests_per_minute: 1 } }",
        ),
    ),
    (
        "providerConfig.limits.tokens_per_minute",
        Neutral(
            SLOWER,
            "HEAD providerConfig: { limits: { tokens_per_minute: 9 } }",
            "HEAD providerConfig: { limits: { tokens_per_minute: 1 } }",
        ),
    ),
    (
        "providerConfig.limits.concurrency",
        Neutral(
            SLOWER,
            "HEAD providerConfig: { limits: { concurrency: 9 } }",
            "HEAD providerConfig: { limits: { concurrency: 1 } }",
        ),
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
        Weaker(
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { resourceName: a }",
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { resourceName: b }",
        ),
    ),
    (
        "providerConfig.deploymentName",
        Weaker(
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, deploymentName: a }",
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, deploymentName: b }",
        ),
    ),
    (
        "providerConfig.apiVersion",
        Weaker(
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, deploymentName: a, apiVersion: c }",
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, deploymentName: a, apiVersion: d }",
        ),
    ),
    (
        "providerConfig.embeddingDeploymentName",
        Weaker(
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, embeddingDeploymentName: a }",
            "HEAD provider: azure-openai\nmodel: m\nproviderConfig: { baseUrl: http://127.0.0.1:9, embeddingDeploymentName: b }",
        ),
    ),
    (
        "providerConfig.modelFamily",
        Neutral(
            "it says which parameters the model takes, not what must be answered",
            "HEAD providerConfig: { modelFamily: a }",
            "HEAD providerConfig: { modelFamily: b }",
        ),
    ),
    (
        "providerConfig.like",
        Weaker("HEAD providerConfig: { like: groq }", "HEAD providerConfig: { like: together }"),
    ),
    (
        "providerConfig.api",
        Weaker("HEAD providerConfig: { api: chat }", "HEAD providerConfig: { api: responses }"),
    ),
    (
        "providerConfig.headers",
        Weaker(
            "HEAD providerConfig: { headers: { x-bot: a } }",
            "HEAD providerConfig: { headers: { x-bot: b } }",
        ),
    ),
    (
        "providerConfig.extraBody",
        Weaker(
            "HEAD providerConfig: { extraBody: { top_p: 1 } }",
            "HEAD providerConfig: { extraBody: { top_p: 0 } }",
        ),
    ),
    (
        "providerConfig.stream",
        Neutral(
            "the same answer comes, only in pieces",
            "HEAD providerConfig: { stream: false }",
            "HEAD providerConfig: { stream: true }",
        ),
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
    (
        "providerConfig.file",
        Weaker(
            "HEAD provider: replies\nproviderConfig: { file: r.jsonl }",
            "HEAD provider: replies\nproviderConfig: { file: t.jsonl }",
        ),
    ),
    (
        "providerConfig.url",
        Weaker(
            "HEAD provider: http\nproviderConfig: { body: { q: \"{{prompt}}\" }, answer: /a, url: http://127.0.0.1:9/a }",
            "HEAD provider: http\nproviderConfig: { body: { q: \"{{prompt}}\" }, answer: /a, url: http://127.0.0.1:9/b }",
        ),
    ),
    (
        "providerConfig.method",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, method: POST }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, method: PUT }",
        ),
    ),
    (
        "providerConfig.headers",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, headers: { X-Shop: a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, headers: { X-Shop: b } }",
        ),
    ),
    (
        "providerConfig.body",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, answer: /a, body: { q: \"{{prompt}}\" } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, answer: /a, body: { q: \"{{prompt}} nicely\" } }",
        ),
    ),
    (
        "providerConfig.answer",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /b }",
        ),
    ),
    (
        "providerConfig.tools",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, tools: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, tools: /b }",
        ),
    ),
    (
        "providerConfig.state",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, state: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, state: /b }",
        ),
    ),
    (
        "providerConfig.stop",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, stop: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, method: POST }",
        ),
    ),
    (
        "providerConfig.usage",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, usage: { input: /a } }",
        ),
    ),
    (
        "providerConfig.usage.input",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, usage: { input: /a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, usage: { input: /b } }",
        ),
    ),
    (
        "providerConfig.usage.output",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, usage: { output: /a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, usage: { output: /b } }",
        ),
    ),
    (
        "providerConfig.session",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { from: /a } }",
        ),
    ),
    (
        "providerConfig.session.from",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { from: /a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { from: /b } }",
        ),
    ),
    (
        "providerConfig.session.header",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { header: a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { header: b } }",
        ),
    ),
    (
        "providerConfig.session.cookie",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { cookie: a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, session: { cookie: b } }",
        ),
    ),
    (
        "providerConfig.stateful",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, stateful: false }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, stateful: true }",
        ),
    ),
    (
        "providerConfig.sse",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: {} }",
        ),
    ),
    (
        "providerConfig.sse.event",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { event: a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { event: b } }",
        ),
    ),
    (
        "providerConfig.sse.answer",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { answer: /a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { answer: /b } }",
        ),
    ),
    (
        "providerConfig.sse.done",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { done: a } }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, sse: { done: b } }",
        ),
    ),
    (
        "providerConfig.lines",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, lines: false }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, lines: true }",
        ),
    ),
    (
        "providerConfig.ok",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, ok: [200] }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, ok: [200, 500] }",
        ),
    ),
    (
        "providerConfig.auth",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, apiKey: abc, auth: bearer }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, body: { q: \"{{prompt}}\" }, answer: /a, apiKey: abc, auth: basic }",
        ),
    ),
    (
        "providerConfig.like",
        Weaker(
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, like: rasa }",
            "HEAD provider: http\nproviderConfig: { url: http://127.0.0.1:9/a, like: langgraph }",
        ),
    ),
    (
        "providerConfig.command",
        Weaker(
            "HEAD provider: command\nproviderConfig: { command: [a] }",
            "HEAD provider: command\nproviderConfig: { command: [b] }",
        ),
    ),
    (
        "providerConfig.input",
        Weaker(
            "HEAD provider: command\nproviderConfig: { command: [./none], input: text }",
            "HEAD provider: command\nproviderConfig: { command: [./none], input: json }",
        ),
    ),
    (
        "providerConfig.persistent",
        Weaker(
            "HEAD provider: command\nproviderConfig: { command: [./none], persistent: false }",
            "HEAD provider: command\nproviderConfig: { command: [./none], persistent: true }",
        ),
    ),
    (
        "providerConfig.env",
        Weaker(
            "HEAD provider: command\nproviderConfig: { command: [./none], env: [A] }",
            "HEAD provider: command\nproviderConfig: { command: [./none], env: [B] }",
        ),
    ),
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

//! Every key of `providerConfig` in a scenario.

use super::{
    Key,
    Key::{Neutral, Weaker},
    SLOWER, UNUSED,
};

/// Rows as in the table of scenarios.
pub const PROVIDER_CONFIGS: &[(&str, Key)] = &[
    (
        "providerConfig",
        Weaker("HEAD providerConfig: { maxRetries: 1 }", "HEAD providerConfig: { maxRetries: 9 }"),
    ),
    (
        "providerConfig.apiKey",
        Neutral(
            "billing does not affect answers",
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
            "billing does not affect answers",
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
            "it lists the model's parameters and does not affect the expected answer",
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
            "the answer is the same, only streamed",
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
];

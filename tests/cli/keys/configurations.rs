//! Every key of the configuration and of a quarantine.

use super::{
    Key,
    Key::{Neutral, Passes, Weaker},
    LABEL, PLACE, SHOWN, SLOWER, UNUSED,
};

/// Configurations before and now; the part after `---` is a quarantine.
pub const CONFIGURATIONS: &[(&str, Key)] = &[
    ("project", Neutral(LABEL, "project: a", "project: b")),
    ("provider", Weaker("provider: openai", "provider: replies")),
    ("model", Weaker("model: a", "model: b")),
    ("providers", Weaker("model: m", "providers: { openai: { maxRetries: 9 } }")),
    ("scenariosDir", Neutral(PLACE, "scenariosDir: a", "scenariosDir: b")),
    ("storage", Neutral(UNUSED, "storage: { type: local }", "storage: { type: supabase }")),
    ("output", Neutral(UNUSED, "output: { format: json }", "output: { format: html }")),
    ("ci", Neutral(UNUSED, "ci: { failOnRegression: true }", "ci: { failOnRegression: false }")),
    ("grader", Weaker("grader: { model: large }", "grader: { model: small }")),
    ("grader.provider", Weaker("grader: { model: m }", "grader: { model: m, provider: ollama }")),
    ("grader.model", Weaker("grader: { model: large }", "grader: { model: small }")),
    (
        "grader.baseUrl",
        Weaker("grader: { model: m, baseUrl: http://a/v1 }", "grader: { model: m, baseUrl: http://b/v1 }"),
    ),
    (
        "grader.apiKeyFile",
        Neutral(
            "billing does not affect results",
            "grader: { model: m, apiKeyFile: a }",
            "grader: { model: m, apiKeyFile: b }",
        ),
    ),
    (
        "grader.apiKeyCommand",
        Neutral(
            "billing does not affect results",
            "grader: { model: m, apiKeyCommand: [a] }",
            "grader: { model: m, apiKeyCommand: [b] }",
        ),
    ),
    (
        "grader.apiKey",
        Neutral(
            "billing does not affect results",
            "grader: { model: m, apiKey: a }",
            "grader: { model: m, apiKey: b }",
        ),
    ),
    ("grader.timeout", Weaker("grader: { model: m, timeout: 1000 }", "grader: { model: m, timeout: 9000 }")),
    (
        "grader.maxRetries",
        Weaker("grader: { model: m, maxRetries: 1 }", "grader: { model: m, maxRetries: 9 }"),
    ),
    (
        "grader.patience",
        Weaker("grader: { model: m, patience: 9000 }", "grader: { model: m, patience: 1000 }"),
    ),
    (
        "grader.limits",
        Neutral(
            SLOWER,
            "grader: { model: m, limits: { concurrency: 9 } }",
            "grader: { model: m, limits: { concurrency: 1 } }",
        ),
    ),
    (
        "grader.limits.requests_per_minute",
        Neutral(
            SLOWER,
            "grader: { model: m, limits: { requests_per_minute: 9 } }",
            "grader: { model: m, limits: { requests_per_minute: 1 } }",
        ),
    ),
    (
        "grader.limits.tokens_per_minute",
        Neutral(
            SLOWER,
            "grader: { model: m, limits: { tokens_per_minute: 9 } }",
            "grader: { model: m, limits: { tokens_per_minute: 1 } }",
        ),
    ),
    (
        "grader.limits.concurrency",
        Neutral(
            SLOWER,
            "grader: { model: m, limits: { concurrency: 9 } }",
            "grader: { model: m, limits: { concurrency: 1 } }",
        ),
    ),
    ("grader.votes", Weaker("grader: { model: m, votes: 3 }", "grader: { model: m, votes: 1 }")),
    ("grader.scale", Weaker("grader: { model: m, scale: 100 }", "grader: { model: m, scale: 5 }")),
    (
        "grader.embeddingModel",
        Weaker("grader: { model: m, embeddingModel: large }", "grader: { model: m, embeddingModel: small }"),
    ),
    (
        "grader.maxTokens",
        Neutral(
            "a verdict out of range is an error",
            "grader: { model: m, maxTokens: 9000 }",
            "grader: { model: m, maxTokens: 90 }",
        ),
    ),
    ("grader.effort", Weaker("grader: { model: m, effort: high }", "grader: { model: m, effort: low }")),
    ("grader.maxAnswer", Weaker("grader: { model: m }", "grader: { model: m, maxAnswer: 90000 }")),
    ("grader.canaries", Weaker("grader: { model: m }", "grader: { model: m, canaries: off }")),
    ("grader.calibration", Weaker("grader: { model: m, calibration: { file: c } }", "grader: { model: m }")),
    (
        "grader.calibration.file",
        Weaker(
            "grader: { model: m, calibration: { file: c } }",
            "grader: { model: m, calibration: { file: d } }",
        ),
    ),
    (
        "grader.calibration.min_n",
        Weaker(
            "grader: { model: m, calibration: { file: c, min_n: 9 } }",
            "grader: { model: m, calibration: { file: c } }",
        ),
    ),
    (
        "grader.calibration.min_kappa",
        Weaker(
            "grader: { model: m, calibration: { file: c, min_kappa: 0.9 } }",
            "grader: { model: m, calibration: { file: c, min_kappa: 0.1 } }",
        ),
    ),
    (
        "grader.calibration.min_tpr",
        Weaker(
            "grader: { model: m, calibration: { file: c, min_tpr: 0.9 } }",
            "grader: { model: m, calibration: { file: c, min_tpr: 0.1 } }",
        ),
    ),
    (
        "grader.calibration.min_tnr",
        Weaker(
            "grader: { model: m, calibration: { file: c, min_tnr: 0.9 } }",
            "grader: { model: m, calibration: { file: c, min_tnr: 0.1 } }",
        ),
    ),
    (
        "grader.calibration.required",
        Weaker(
            "grader: { model: m, calibration: { file: c, required: true } }",
            "grader: { model: m, calibration: { file: c } }",
        ),
    ),
    ("cache", Weaker("model: m", "cache: { mode: replay }")),
    ("cache.dir", Weaker("cache: { dir: a }", "cache: { dir: b }")),
    ("cache.mode", Weaker("cache: { mode: record }", "cache: { mode: auto }")),
    ("target", Weaker("model: m", "target: { version: a }")),
    ("target.version", Weaker("target: { version: a }", "target: { version: b }")),
    ("gate", Passes("model: m", "gate: { min_pass_rate: 0.5 }", "zzz")),
    ("gate.min_pass_rate", Passes("gate: { min_pass_rate: 0.9 }", "gate: { min_pass_rate: 0.5 }", "zzz")),
    ("gate.max_error_rate", Passes("model: m", "gate: { max_error_rate: 0.5 }", "-")),
    ("gate.thresholds", Passes("gate: { thresholds: [{ metric: tokens, max: 9 }] }", "gate: {}", "")),
    (
        "gate.thresholds.metric",
        Weaker(
            "gate: { thresholds: [{ metric: tokens, max: 9 }] }",
            "gate: { thresholds: [{ metric: cost_usd, max: 9 }] }",
        ),
    ),
    (
        "gate.thresholds.min",
        Passes(
            "gate: { min_pass_rate: 0.1, thresholds: [{ metric: score_mean, min: 0.9 }] }",
            "gate: { min_pass_rate: 0.1, thresholds: [{ metric: score_mean, min: 0.1 }] }",
            "zzz",
        ),
    ),
    (
        "gate.thresholds.max",
        Weaker(
            "gate: { thresholds: [{ metric: tokens, max: 9 }] }",
            "gate: { thresholds: [{ metric: tokens, max: 99 }] }",
        ),
    ),
    (
        "gate.thresholds.tags",
        Weaker(
            "gate: { thresholds: [{ metric: tokens, max: 9 }] }",
            "gate: { thresholds: [{ metric: tokens, max: 9, tags: [safety] }] }",
        ),
    ),
    (
        "gate.thresholds.scenario",
        Weaker(
            "gate: { thresholds: [{ metric: tokens, max: 9, scenario: s }] }",
            "gate: { thresholds: [{ metric: tokens, max: 9, case: s/two }] }",
        ),
    ),
    (
        "gate.thresholds.case",
        Weaker(
            "gate: { thresholds: [{ metric: tokens, max: 9 }] }",
            "gate: { thresholds: [{ metric: tokens, max: 9, case: s/one }] }",
        ),
    ),
    (
        "gate.critical",
        Passes("gate: { min_pass_rate: 0.5, critical: [\"*\"] }", "gate: { min_pass_rate: 0.5 }", "zzz"),
    ),
    ("gate.baseline", Passes("gate: { baseline: { from: a.json } }", "gate: {}", "")),
    (
        "gate.baseline.from",
        Weaker("gate: { baseline: { from: \"git:main:a.json\" } }", "gate: { baseline: { from: a.json } }"),
    ),
    (
        "gate.baseline.confirm",
        Weaker("gate: { baseline: { confirm: 4 } }", "gate: { baseline: { confirm: 40 } }"),
    ),
    (
        "gate.baseline.alpha",
        Weaker("gate: { baseline: { alpha: 0.05 } }", "gate: { baseline: { alpha: 0.01 } }"),
    ),
    (
        "gate.baseline.margin",
        Weaker("gate: { baseline: { margin: 0.02 } }", "gate: { baseline: { margin: 0.2 } }"),
    ),
    ("gate.baseline.missing", Weaker("gate: { baseline: { missing: fail } }", "gate: {}")),
    ("gate.baseline.thin", Weaker("gate: {}", "gate: { baseline: { thin: warn } }")),
    ("gate.baseline.unconfirmed", Weaker("gate: {}", "gate: { baseline: { unconfirmed: warn } }")),
    ("gate.fail_on", Passes("gate: {}", "gate: { fail_on: [threshold] }", "zzz")),
    ("gate.policy", Passes("gate: { policy: strict }", "gate: {}", "")),
    (
        "gate.quarantine",
        Passes(
            "model: m",
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/one, owner: a, reason: b, until: 2999-01-01 }",
            "zzz",
        ),
    ),
    ("stress", Weaker("stress: { slo: { pass_rate: 0.9 } }", "model: m")),
    ("stress.slo", Weaker("stress: { slo: { pass_rate: 0.9 } }", "stress: {}")),
    (
        "stress.slo.latency_p95_ms",
        Weaker("stress: { slo: { latency_p95_ms: 2000 } }", "stress: { slo: { latency_p95_ms: 3000 } }"),
    ),
    (
        "stress.slo.ttft_p95_ms",
        Weaker("stress: { slo: { ttft_p95_ms: 500 } }", "stress: { slo: { ttft_p95_ms: 900 } }"),
    ),
    (
        "stress.slo.error_rate",
        Weaker("stress: { slo: { error_rate: 0.01 } }", "stress: { slo: { error_rate: 0.1 } }"),
    ),
    (
        "stress.slo.pass_rate",
        Weaker("stress: { slo: { pass_rate: 0.9 } }", "stress: { slo: { pass_rate: 0.5 } }"),
    ),
    (
        "stress.slo.goodput_rps",
        Weaker("stress: { slo: { goodput_rps: 10 } }", "stress: { slo: { goodput_rps: 5 } }"),
    ),
    (
        "stress.slo.escalation_availability",
        Weaker(
            "stress: { slo: { escalation_availability: 0.999 } }",
            "stress: { slo: { escalation_availability: 0.9 } }",
        ),
    ),
    ("repeat", Weaker("repeat: 3", "repeat: 1")),
    ("redaction", Weaker("model: m", "redaction: {}")),
    ("redaction.enabled", Weaker("redaction: { enabled: false }", "redaction: { enabled: true }")),
    (
        "redaction.patterns",
        Weaker("redaction: { patterns: [email] }", "redaction: { patterns: [email, 'x.*y'] }"),
    ),
    (
        "redaction.redactPrompts",
        Weaker("redaction: { redactPrompts: false }", "redaction: { redactPrompts: true }"),
    ),
    (
        "redaction.redactResponses",
        Weaker("redaction: { redactResponses: false }", "redaction: { redactResponses: true }"),
    ),
    (
        "redaction.redactMetadata",
        Neutral(UNUSED, "redaction: { redactMetadata: false }", "redaction: { redactMetadata: true }"),
    ),
    (
        "redaction.replacement",
        Neutral(SHOWN, "redaction: { replacement: a }", "redaction: { replacement: b }"),
    ),
    ("always", Weaker("always: [{ type: exact, value: a }]", "repeat: 1")),
    (
        "prices",
        Weaker(
            "prices: { m: { input: 1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
            "gate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
        ),
    ),
    (
        "providers.NAME.trustedOrigins",
        Weaker(
            "providers: { openai: {} }",
            "providers: { openai: { trustedOrigins: [\"https://a.example\"] } }",
        ),
    ),
    (
        "prices.MODEL.input",
        Weaker(
            "prices: { m: { input: 1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
            "prices: { m: { input: 0, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
        ),
    ),
    (
        "prices.MODEL.cached",
        Weaker(
            "prices: { m: { input: 1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
            "prices: { m: { input: 1, cached: 0.1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
        ),
    ),
    (
        "prices.MODEL.cache_write",
        Weaker(
            "prices: { m: { input: 1, cache_write: 2, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
            "prices: { m: { input: 1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
        ),
    ),
    (
        "prices.MODEL.output",
        Weaker(
            "prices: { m: { input: 1, output: 1 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
            "prices: { m: { input: 1, output: 0 } }\ngate: { thresholds: [{ metric: cost_usd, max: 1 }] }",
        ),
    ),
    (
        "gate.critical.tags",
        Passes(
            "gate: { min_pass_rate: 0.5, critical: [{ tags: [safety] }] }",
            "gate: { min_pass_rate: 0.5, critical: [{ case: s/seven }] }",
            "zzz",
        ),
    ),
    (
        "gate.critical.scenario",
        Passes(
            "gate: { min_pass_rate: 0.5, critical: [{ scenario: s }] }",
            "gate: { min_pass_rate: 0.5, critical: [{ case: s/two }] }",
            "zzz",
        ),
    ),
    (
        "gate.critical.case",
        Passes(
            "gate: { min_pass_rate: 0.5, critical: [{ case: s/one }] }",
            "gate: { min_pass_rate: 0.5, critical: [{ case: s/two }] }",
            "zzz",
        ),
    ),
    (
        "quarantine.case",
        Passes(
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/two, owner: a, reason: b, until: 2999-01-01 }",
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/one, owner: a, reason: b, until: 2999-01-01 }",
            "zzz",
        ),
    ),
    (
        "quarantine.owner",
        Neutral(
            LABEL,
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/two, owner: a, reason: b, until: 2999-01-01 }",
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/two, owner: z, reason: b, until: 2999-01-01 }",
        ),
    ),
    (
        "quarantine.reason",
        Neutral(
            LABEL,
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/two, owner: a, reason: b, until: 2999-01-01 }",
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/two, owner: a, reason: z, until: 2999-01-01 }",
        ),
    ),
    (
        "quarantine.until",
        Passes(
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/one, owner: a, reason: b, until: 2020-01-01 }",
            "gate: { quarantine: quarantine.yaml }\n---\n- { case: s/one, owner: a, reason: b, until: 2999-12-31 }",
            "zzz",
        ),
    ),
];

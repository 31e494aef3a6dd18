//! Weaker policies, judges and quarantines.

use super::*;

fn of(before: &str, now: &str) -> Vec<String> {
    weakenings(&[("s.yaml", SUITE), ("akit.yaml", before)], &[("s.yaml", SUITE), ("akit.yaml", now)])
}

/// Before, now, and the findings.
const LESS: &[(&str, &str, &[&str])] = &[
    ("gate:\n  min_pass_rate: 0.9", "gate:\n  min_pass_rate: 0.8", &["pass-rate-lowered akit.yaml:2"]),
    ("model: m", "gate:\n  min_pass_rate: 0.8", &["pass-rate-lowered akit.yaml:2"]),
    (
        "model: m",
        "gate:\n  thresholds:\n    - { metric: pass_rate, min: 0.5 }",
        &["pass-rate-lowered akit.yaml:3"],
    ),
    ("gate:\n  max_error_rate: 0.1", "gate:\n  max_error_rate: 0.2", &["error-rate-raised akit.yaml:2"]),
    ("model: m", "gate: { max_error_rate: 0.01 }", &["error-rate-raised akit.yaml:1"]),
    // Limits of a load test; whether higher is looser depends on the metric.
    (
        "stress:\n  slo:\n    pass_rate: 0.9",
        "stress:\n  slo:\n    pass_rate: 0.8",
        &["threshold-lowered akit.yaml:3"],
    ),
    (
        "stress:\n  slo:\n    goodput_rps: 9",
        "stress:\n  slo:\n    goodput_rps: 8",
        &["threshold-lowered akit.yaml:3"],
    ),
    (
        "stress:\n  slo:\n    escalation_availability: 1",
        "stress:\n  slo:\n    escalation_availability: 0.9",
        &["threshold-lowered akit.yaml:3"],
    ),
    (
        "stress:\n  slo:\n    latency_p95_ms: 10",
        "stress:\n  slo:\n    latency_p95_ms: 11",
        &["threshold-raised akit.yaml:3"],
    ),
    (
        "stress:\n  slo:\n    ttft_p95_ms: 10",
        "stress:\n  slo:\n    ttft_p95_ms: 11",
        &["threshold-raised akit.yaml:3"],
    ),
    (
        "stress:\n  slo:\n    error_rate: 0",
        "stress:\n  slo:\n    error_rate: 0.5",
        &["threshold-raised akit.yaml:3"],
    ),
    (
        "stress: { slo: { error_rate: 0, pass_rate: 1 } }",
        "stress:\n  slo: { pass_rate: 1 }",
        &["threshold-removed akit.yaml:2"],
    ),
    (
        "stress: { slo: { error_rate: 0, pass_rate: 1 } }",
        "model: m",
        &["threshold-removed akit.yaml:1", "threshold-removed akit.yaml:1"],
    ),
    // A rate next to a narrower one, or in place of an overall one.
    (
        "gate:\n  thresholds:\n    - { metric: pass_rate, tags: [fraud], min: 1.0 }",
        "gate:\n  min_pass_rate: 0.1\n  thresholds:\n    - { metric: pass_rate, tags: [fraud], min: 1.0 }",
        &["pass-rate-lowered akit.yaml:2"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: pass_rate, tags: [fraud], min: 1.0 }",
        "gate:\n  thresholds:\n    - { metric: pass_rate, tags: [fraud], min: 1.0 }\n    - { metric: pass_rate, tags: [other], min: 0 }",
        &["pass-rate-lowered akit.yaml:4"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: fraud_recall, min: 1.0 }",
        "gate:\n  thresholds:\n    - { metric: fraud_recall, min: 1.0 }\n    - { metric: other_recall, min: 0 }",
        &["pass-rate-lowered akit.yaml:4"],
    ),
    (
        "gate:\n  min_pass_rate: 0.95",
        "gate:\n  thresholds:\n    - { metric: pass_rate, min: 0.1 }",
        &["pass-rate-lowered akit.yaml:3"],
    ),
    (
        "gate:\n  min_pass_rate: 0.95",
        "gate:\n  thresholds:\n    - { metric: other_recall, min: 0.0 }",
        &["pass-rate-lowered akit.yaml:1"],
    ),
    // Settings that are looser if a regression does not count as a failure.
    (
        "gate: { min_pass_rate: 0.9, fail_on: [threshold] }",
        "gate:\n  fail_on: [threshold]",
        &["pass-rate-lowered akit.yaml:1"],
    ),
    (
        "gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }",
        "gate:\n  baseline: { from: b.json }",
        &["threshold-removed akit.yaml:1"],
    ),
    (
        "gate: { thresholds: [{ metric: tokens, min: 5, case: \"s/a\" }] }",
        "gate:\n  thresholds:\n    - { metric: tokens, min: 5 }",
        &["threshold-narrowed akit.yaml:3"],
    ),
    // Added or removed as a whole.
    ("model: m", "gate:\n  baseline:\n    from: git:HEAD:b.json", &["baseline-added akit.yaml:3"]),
    (
        "gate:\n  policy: strict\n  baseline:\n    confirm: 4",
        "gate:\n  policy: strict\n  baseline:\n    confirm: 1",
        &["confirm-lowered akit.yaml:4"],
    ),
    ("providers:\n  openai:\n    timeout: 1000", "model: m", &["timeout-raised akit.yaml:1"]),
    (
        "grader:\n  model: j",
        "grader:\n  model: j\n  calibration:\n    file: c.json",
        &["calibration-lowered akit.yaml:4"],
    ),
    (
        "grader: { provider: ollama, model: j }\nproviders:\n  ollama:\n    baseUrl: http://127.0.0.1:1/v1",
        "grader: { provider: ollama, model: j }\nproviders:\n  ollama:\n    baseUrl: http://127.0.0.1:2/v1",
        &["judge-swapped akit.yaml:4"],
    ),
    // Thresholds.
    (
        "gate:\n  thresholds:\n    - { metric: score_mean, min: 0.8 }\n    - { metric: cost_usd, max: 2 }",
        "gate:\n  thresholds:\n    - { metric: score_mean, min: 0.8 }",
        &["threshold-removed akit.yaml:2"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: score_mean, min: 0.8 }",
        "gate:\n  thresholds:\n    - metric: score_mean\n      min: 0.7",
        &["threshold-lowered akit.yaml:4"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: latency_p95_ms, max: 100 }",
        "gate:\n  thresholds:\n    - { metric: latency_p95_ms, max: 200 }",
        &["threshold-raised akit.yaml:3"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: tokens, min: 1, max: 100 }",
        "gate:\n  thresholds:\n    - { metric: tokens, max: 100 }",
        &["threshold-removed akit.yaml:3"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: score_mean, min: 0.8 }",
        "gate:\n  thresholds:\n    - metric: score_mean\n      tags: [fraud]\n      min: 0.8",
        &["threshold-narrowed akit.yaml:4"],
    ),
    (
        "gate:\n  thresholds:\n    - { metric: pass_rate, tags: [fraud], min: 0.9 }",
        "gate:\n  thresholds:\n    - { metric: pass_rate, min: 0.9 }",
        &["threshold-narrowed akit.yaml:3", "pass-rate-lowered akit.yaml:3"],
    ),
    // Critical cases.
    (
        "gate:\n  critical: [\"s/a\", { tags: [fraud] }]",
        "gate:\n  critical: [\"s/a\"]",
        &["critical-removed akit.yaml:2"],
    ),
    ("gate:\n  critical: [\"*\"]", "gate:\n  policy: default", &["critical-removed akit.yaml:1"]),
    ("gate:\n  critical: [\"*\"]", "gate:\n  critical: [\"*/a\"]", &["critical-removed akit.yaml:2"]),
    // The evidence required by the baseline.
    (
        "gate: { baseline: { confirm: 0 } }",
        "gate:\n  baseline:\n    confirm: 1",
        &["confirm-raised akit.yaml:3"],
    ),
    ("model: m", "gate:\n  baseline: { confirm: 11 }", &["confirm-raised akit.yaml:2"]),
    ("model: m", "gate:\n  baseline: { confirm: 9 }", &["confirm-lowered akit.yaml:2"]),
    ("model: m", "gate:\n  baseline:\n    alpha: 0.001", &["alpha-lowered akit.yaml:3"]),
    ("model: m", "gate:\n  baseline:\n    margin: 0.1", &["margin-raised akit.yaml:3"]),
    (
        "gate: { baseline: { missing: fail } }",
        "gate:\n  baseline:\n    missing: warn",
        &["missing-tolerated akit.yaml:3"],
    ),
    ("gate: { baseline: { missing: fail } }", "model: m", &["missing-tolerated akit.yaml:1"]),
    ("model: m", "gate:\n  baseline:\n    thin: warn", &["thin-tolerated akit.yaml:3"]),
    ("model: m", "gate:\n  baseline:\n    unconfirmed: warn", &["unconfirmed-tolerated akit.yaml:3"]),
    (
        "gate: { baseline: { unconfirmed: fail } }",
        "gate:\n  baseline:\n    unconfirmed: warn",
        &["unconfirmed-tolerated akit.yaml:3"],
    ),
    ("gate: { baseline: { unconfirmed: fail } }", "model: m", &["unconfirmed-tolerated akit.yaml:1"]),
    ("gate: { baseline: { from: b.json } }", "gate:\n  policy: default", &["baseline-removed akit.yaml:1"]),
    (
        "gate: { baseline: { from: b.json } }",
        "gate:\n  baseline:\n    from: \"git-ref:mine\"",
        &["baseline-moved akit.yaml:3"],
    ),
    // What fails the gate.
    ("gate: { policy: strict }", "gate:\n  policy: default", &["policy-relaxed akit.yaml:2"]),
    ("gate: { fail_on: [flaky, removed] }", "gate:\n  fail_on: [flaky]", &["fail-on-removed akit.yaml:2"]),
    (
        "model: m",
        "gate:\n  fail_on: [threshold, regression, critical, new-failure]",
        &["fail-on-removed akit.yaml:2"],
    ),
    // The judge.
    ("grader: { model: a }", "grader:\n  model: b", &["judge-swapped akit.yaml:2"]),
    ("grader: { model: a }", "grader: { model: a, scale: 5 }", &["judge-swapped akit.yaml:1"]),
    ("grader: { model: a, votes: 5 }", "grader:\n  model: a\n  votes: 3", &["votes-lowered akit.yaml:3"]),
    ("grader: { model: a, votes: 5 }", "grader:\n  model: a", &["votes-lowered akit.yaml:1"]),
    ("grader: { model: a }", "grader:\n  model: a\n  canaries: off", &["canaries-off akit.yaml:3"]),
    ("grader: { model: a, canaries: off }", "grader: { model: a, maxAnswer: 99, maxTokens: 9 }", &[]),
    ("grader: { model: a }", "grader:\n  model: a\n  maxAnswer: 99000", &["max-answer-raised akit.yaml:3"]),
    (
        "grader: { model: a, effort: high }",
        "grader:\n  model: a\n  effort: low",
        &["judge-swapped akit.yaml:3"],
    ),
    (
        "grader: { model: a, calibration: { file: c.json } }",
        "grader: { model: a }",
        &["calibration-removed akit.yaml:1"],
    ),
    (
        "grader: { model: a, calibration: { file: c.json, required: true } }",
        "grader: { model: a, calibration: { file: c.json } }",
        &["calibration-removed akit.yaml:1"],
    ),
    (
        "grader: { model: a, calibration: { file: c.json, min_kappa: 0.8, min_n: 50 } }",
        "grader:\n  model: a\n  calibration:\n    file: c.json\n    min_kappa: 0.6",
        &["calibration-lowered akit.yaml:3", "calibration-lowered akit.yaml:5"],
    ),
    ("grader: { model: a }", "grader:\n  model: a\n  maxRetries: 5", &["retries-raised akit.yaml:3"]),
    (
        "providers: { openai: { maxRetries: 4 } }",
        "providers:\n  openai:\n    maxRetries: 3\n    timeout: 100",
        &["retries-lowered akit.yaml:3", "timeout-lowered akit.yaml:4"],
    ),
    ("grader: { model: a }", "grader:\n  model: a\n  patience: 1", &["patience-lowered akit.yaml:3"]),
    ("model: m", "providers:\n  openai:\n    patience: 299999", &["patience-lowered akit.yaml:3"]),
    ("grader: { model: a }", "grader:\n  model: a\n  timeout: 1", &["timeout-lowered akit.yaml:3"]),
    ("model: m", "providers:\n  openai:\n    timeout: 90000", &["timeout-raised akit.yaml:3"]),
    ("repeat: 5", "repeat: 3", &["repeat-lowered akit.yaml:1"]),
];

#[test]
fn a_weaker_policy_is_named_at_its_line() {
    for (before, now, expected) in LESS {
        assert_eq!(of(before, now), *expected, "{before}\n->\n{now}");
    }
}

/// A judge named in an expectation is asked at the configuration's address.
#[test]
fn a_judge_named_in_an_expectation_changes_with_its_address() {
    let suite = |provider: &str| {
        let expected = format!("{{ type: llm_grader, rubric: Kind, model: j, provider: {provider} }}");
        SUITE.replace("{ type: contains, values: [yes, sure] }", &expected)
    };
    let config = |text: &str| format!("model: m\n{text}");
    let at = |provider: &str, port: u16| {
        config(&format!("providers:\n  {provider}:\n    baseUrl: http://127.0.0.1:{port}/v1"))
    };
    let grader = |port: u16| {
        config(&format!("grader:\n  model: other\n  provider: ollama\n  baseUrl: http://127.0.0.1:{port}/v1"))
    };
    let table = [
        ("ollama", at("ollama", 1), at("ollama", 2), &["judge-swapped akit.yaml:4"][..]),
        ("ollama", config(""), at("ollama", 2), &["judge-swapped akit.yaml:4"]),
        // Other settings that apply to a named judge.
        ("ollama", config(""), config("grader: { model: m, scale: 5 }"), &["judge-swapped akit.yaml:2"]),
        ("ollama", config(""), config("grader: { model: m, votes: 1 }"), &["votes-lowered akit.yaml:2"]),
        (
            "ollama",
            config(""),
            config("grader: { model: m, embeddingModel: e }"),
            &["judge-swapped akit.yaml:2"],
        ),
        ("ollama", config(""), config("grader: { model: m, scale: 10, votes: 3 }"), &[]),
        ("ollama", at("ollama", 1), config(""), &["judge-swapped akit.yaml:1"]),
        (
            "openai",
            at("openai", 1),
            at("openai", 2),
            &["judge-swapped akit.yaml:4", "target-moved akit.yaml:4"],
        ),
        ("ollama", grader(1), grader(2), &["judge-swapped akit.yaml:5"]),
        ("openai", at("ollama", 1), at("ollama", 2), &[]),
        ("ollama", at("ollama", 1), at("ollama", 1), &[]),
        (
            "ollama",
            at("ollama", 1),
            format!("{}\n  openai:\n    baseUrl: http://127.0.0.1:3/v1", at("ollama", 1)),
            &["target-moved akit.yaml:6"],
        ),
    ];
    for (provider, before, now, expected) in table {
        let suite = suite(provider);
        let [old, new] = [&before, &now].map(|config| [("s.yaml", suite.as_str()), ("akit.yaml", config)]);
        assert_eq!(weakenings(&old, &new), expected, "{provider}\n{before}\n->\n{now}");
    }
}

/// A judge that was named in the expectation is now left to a configuration with another address.
#[test]
fn a_judge_that_is_no_longer_named_may_be_asked_elsewhere() {
    let suite = |judge: &str| {
        let expected = format!("{{ type: llm_grader, rubric: Kind{judge} }}");
        SUITE.replace("{ type: contains, values: [yes, sure] }", &expected)
    };
    let (before, now) = (suite(", model: m"), suite(""));
    let servers = "providers:\n  openai:\n    baseUrl: http://127.0.0.1:1/v1\n";
    let moved = format!("{servers}grader:\n  model: m\n  baseUrl: http://127.0.0.1:2/v1");
    let found = weakenings(
        &[("s.yaml", &before), ("akit.yaml", servers)],
        &[("s.yaml", &now), ("akit.yaml", &moved)],
    );
    assert_eq!(found, ["judge-swapped akit.yaml:6"]);
    let stays = format!("{servers}grader:\n  model: m");
    let found = weakenings(
        &[("s.yaml", &before), ("akit.yaml", servers)],
        &[("s.yaml", &now), ("akit.yaml", &stays)],
    );
    assert_eq!(found, Vec::<String>::new());
}

/// If flags may set a rate or a baseline, removing the setting cannot be judged from the files.
#[test]
fn a_removed_rate_is_named_if_flags_decide() {
    for before in [
        "gate: { min_pass_rate: 0.9 }",
        "gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }",
        "gate: { thresholds: [{ metric: pass_rate, case: \"*/a\", min: 1 }] }",
    ] {
        let of = |config: &str, flags_decide| Demands {
            flags_decide,
            ..demands(&[("s.yaml", SUITE), ("akit.yaml", config)])
        };
        let before = of(before, false);
        assert_eq!(compare(&before, &of("model: m", true)).len(), 1);
        assert_eq!(compare(&before, &of("model: m", false)), []);
        assert_eq!(compare(&before, &Demands { flags_decide: true, ..before.clone() }), []);
    }
}

/// Existing cases dilute a mean, whatever moves them into it.
#[test]
fn a_threshold_over_more_cases_is_named() {
    let limit = |cases: &str| {
        format!(
            "gate:\n  min_pass_rate: 0.1\n  thresholds:\n    - {{ metric: pass_rate, {cases}, min: 0.5 }}"
        )
    };
    let table = [
        (
            limit("tags: [fraud]"),
            SUITE.replace("  - id: a\n", "  - id: a\n    tags: [fraud]\n"),
            "akit.yaml:4",
        ),
        (limit("case: \"s/b*\""), SUITE.replace("id: a", "id: ba"), "akit.yaml:4"),
    ];
    for (config, now, line) in table {
        let found = weakenings(
            &[("s.yaml", SUITE), ("akit.yaml", &config)],
            &[("s.yaml", &now), ("akit.yaml", &config)],
        );
        assert_eq!(found, [format!("threshold-narrowed {line}")], "{now}");
    }
}

#[test]
fn an_equal_or_stronger_policy_is_not_named() {
    let table = [
        ("model: m", "model: m\ngate:\n  min_pass_rate: 1.0"),
        ("gate: { min_pass_rate: 0.9 }", "gate: { min_pass_rate: 0.95 }"),
        ("gate: { min_pass_rate: 0.9 }", "model: m"),
        (
            "gate: { min_pass_rate: 0.9 }",
            "gate: { min_pass_rate: 0.9, thresholds: [{ metric: pass_rate, min: 0.5 }] }",
        ),
        (
            "model: m",
            "gate: { thresholds: [{ metric: latency_p95_ms, max: 5 }, { metric: pass_rate, tags: [fraud], min: 1.0 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: score_mean, min: 0.8 }, { metric: cost_usd, max: 2 }] }",
            "gate: { thresholds: [{ max: 1, metric: cost_usd }, { metric: score_mean, min: 0.9 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: pass_rate, tags: [fraud], min: 1.0 }] }",
            "gate: { thresholds: [{ metric: pass_rate, min: 1.0 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: score_mean, case: \"s/b\", min: 0.5 }] }",
            "gate: { thresholds: [{ metric: score_mean, tags: [fraud], min: 0.5 }] }",
        ),
        // The same policy, written differently.
        (
            "gate: { thresholds: [{ metric: score_mean, min: 0.5, max: 0.9 }] }",
            "gate: { thresholds: [{ metric: score_mean, max: 0.9 }, { metric: score_mean, min: 0.5 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: score_mean, max: 0.9 }, { metric: score_mean, min: 0.5 }] }",
            "gate: { thresholds: [{ metric: score_mean, min: 0.5, max: 0.9 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: cost_usd, max: 2 }, { metric: cost_usd, max: 2 }, { metric: cost_usd, max: 3 }] }",
            "gate: { thresholds: [{ metric: cost_usd, max: 2 }] }",
        ),
        ("gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }", "gate: { min_pass_rate: 0.9 }"),
        ("gate: { min_pass_rate: 0.9 }", "gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }"),
        (
            "gate: { thresholds: [{ metric: fraud_recall, min: 0.9 }] }",
            "gate: { thresholds: [{ metric: pass_rate, tags: [fraud], min: 0.9 }] }",
        ),
        (
            "gate: { thresholds: [{ metric: pass_rate, min: 1 }] }",
            "gate: { thresholds: [{ metric: pass_rate, case: s/a, min: 1 }, { metric: pass_rate, case: s/b, min: 1 }] }",
        ),
        ("gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }", "model: m"),
        ("gate: { fail_on: [threshold] }", "gate: { fail_on: [threshold], min_pass_rate: 0.5 }"),
        ("gate: { critical: [\"s/b\"] }", "gate: { critical: [{ tags: [fraud] }] }"),
        ("gate: { critical: [\"s/b\", \"s/a\"] }", "gate: { critical: [\"*\"] }"),
        (
            "gate: { baseline: { confirm: 10, alpha: 0.02, margin: 0.02, missing: warn, thin: strict } }",
            "model: m",
        ),
        (
            "gate: { baseline: { thin: warn } }",
            "gate: { baseline: { missing: fail, confirm: 0, alpha: 0.1, margin: 0 } }",
        ),
        (
            "model: m",
            "gate: { policy: strict, fail_on: [budget, new-failure, critical, regression, threshold, weakened] }",
        ),
        ("model: m", "grader: { model: a, votes: 1 }"),
        (
            "grader: { model: a }",
            "grader: { model: a, provider: openai, scale: 10, votes: 3, calibration: { file: c, required: true } }",
        ),
        ("repeat: 1", "repeat: 3"),
    ];
    for (before, now) in table {
        assert_eq!(of(before, now), Vec::<String>::new(), "{before}\n->\n{now}");
    }
}

#[test]
fn cases_that_may_fail_longer_are_named() {
    let entry =
        |case: &str, until: &str| format!("- {{ case: {case}, owner: o, reason: r, until: {until} }}\n");
    let of = |before: &str, now: &str| {
        weakenings(
            &[("s.yaml", SUITE), ("quarantine.yaml", before)],
            &[("s.yaml", SUITE), ("quarantine.yaml", now)],
        )
    };
    let (a, b) = (entry("s/a", "2026-05-01"), entry("s/b", "2026-05-01"));
    let none = Vec::<String>::new();
    assert_eq!(of(&a, &format!("{a}{b}")), ["quarantine-added quarantine.yaml:2"]);
    assert_eq!(of(&a, &entry("s/a", "2026-06-01")), ["quarantine-extended quarantine.yaml:1"]);
    assert_eq!(of(&a, &entry("s/*", "2026-05-01")), ["quarantine-added quarantine.yaml:1"]);
    assert_eq!(
        weakenings(&[("s.yaml", SUITE)], &[("s.yaml", SUITE), ("quarantine.yaml", &b)]),
        ["quarantine-added quarantine.yaml:1"]
    );
    // A new case may fail only if its entry is old.
    let more = format!("{SUITE}  - {{ id: c, prompt: Who?, expected: {{ type: exact, value: me }} }}\n");
    let (c, all) = (entry("s/c", "2026-05-01"), entry("s/*", "2026-05-01"));
    let with = |before: &str, now: &str| {
        weakenings(
            &[("s.yaml", SUITE), ("quarantine.yaml", before)],
            &[("s.yaml", &more), ("quarantine.yaml", now)],
        )
    };
    assert_eq!(with(&a, &format!("{a}{c}")), ["quarantine-added quarantine.yaml:2"]);
    assert_eq!(with(&all, &all), none);
    assert_eq!(of(&a, &format!("{a}{}", entry("z/*", "2026-05-01"))), ["quarantine-added quarantine.yaml:2"]);
    // Nor may a case that was renamed to match.
    let renamed = SUITE.replace("id: b", "id: ab");
    let starts = entry("s/a*", "2026-05-01");
    assert_eq!(
        weakenings(
            &[("s.yaml", SUITE), ("quarantine.yaml", &starts)],
            &[("s.yaml", &renamed), ("quarantine.yaml", &starts)]
        ),
        ["quarantine-added quarantine.yaml:1"]
    );
    assert_eq!(of(&format!("{a}{b}"), &format!("{b}# a comment\n{a}")), none);
    assert_eq!(of(&format!("{a}{b}"), &entry("s/a", "2026-04-01")), none);
    assert_eq!(of(&entry("s/*", "2026-05-01"), &a), none);
    assert_eq!(weakenings(&[("s.yaml", SUITE), ("quarantine.yaml", &a)], &[("s.yaml", SUITE)]), none);
}

//! Who answers and what it costs: answers that are no longer asked for, costs that are no longer seen.

use super::*;

const LIMIT: &str = "gate: { thresholds: [{ metric: cost_usd, max: 1 }] }\n";

fn of(before: &str, now: &str) -> Vec<String> {
    told(&[("s.yaml", SUITE), ("akit.yaml", before)], &[("s.yaml", SUITE), ("akit.yaml", now)])
}

fn suites(before: &str, now: &str) -> Vec<String> {
    told(&[("s.yaml", before), ("akit.yaml", "model: m")], &[("s.yaml", now), ("akit.yaml", "model: m")])
}

#[test]
fn answers_of_a_file_where_somebody_was_asked_are_named() {
    let config = "provider: replies";
    assert_eq!(of("model: m", config), ["target-recorded akit.yaml:1"]);
    assert_eq!(
        of("model: m\nprovider: ollama", "model: m\nprovider: replies"),
        ["target-recorded akit.yaml:2"]
    );
    let whole = SUITE.replace("name: s\n", "name: s\nprovider: replies\nproviderConfig: { file: r.jsonl }\n");
    assert_eq!(suites(SUITE, &whole), ["target-recorded s.yaml:2"]);
    let one = SUITE.replace("    prompt: Why?\n", "    prompt: Why?\n    provider: replies\n");
    assert_eq!(suites(SUITE, &one), ["target-recorded s.yaml:9"]);
    // The scenario's own word goes before the configuration's.
    let live = SUITE.replace("name: s\n", "name: s\nprovider: openai\n");
    let none = Vec::<String>::new();
    assert_eq!(told(&[("s.yaml", &live)], &[("s.yaml", &live), ("akit.yaml", config)]), none);
    for (before, now) in [(&*whole, SUITE), (&one, SUITE), (&whole, &whole.replace("r.jsonl", "t.jsonl"))] {
        assert_eq!(suites(before, now), none);
    }
    assert_eq!(suites(SUITE, &SUITE.replace("name: s\n", "name: s\nprovider: ollama\n")), none);
    assert_eq!(suites(&live, &whole.replace("replies", "ollama")), none);
}

#[test]
fn records_that_answer_in_place_of_the_application_are_named() {
    for mode in ["auto", "replay"] {
        let now = format!("model: m\ncache:\n  dir: c\n  mode: {mode}");
        for before in
            ["model: m", "cache: { mode: record }", "cache: { mode: refresh }", "cache: { mode: off }"]
        {
            assert_eq!(of(before, &now), ["cache-replayed akit.yaml:4"], "{before}");
        }
        assert_eq!(
            told(&[("s.yaml", SUITE)], &[("s.yaml", SUITE), ("akit.yaml", &now)]),
            ["cache-replayed akit.yaml:4"]
        );
    }
    for (before, now) in [
        ("cache: { mode: auto }", "cache: { mode: auto, dir: other }"),
        ("cache: { mode: auto }", "cache: { mode: replay }"),
        ("cache: { mode: replay }", "model: m"),
        ("model: m", "cache: { mode: record }"),
        ("cache: { mode: record }", "cache: { mode: off }"),
        ("model: m", "cache: { dir: here }"),
    ] {
        assert_eq!(of(before, now), Vec::<String>::new(), "{before} -> {now}");
    }
}

#[test]
fn prices_that_see_less_of_the_costs_are_named() {
    let config = |prices: &str| format!("{LIMIT}model: m\n{prices}");
    let before = config("prices: { m: { input: 2, output: 8 } }");
    for (now, expected) in [
        (
            "prices:\n  m:\n    input: 0\n    output: 0",
            &["price-lowered akit.yaml:5", "price-lowered akit.yaml:6"][..],
        ),
        ("prices:\n  m: { input: 2, output: 7.9 }", &["price-lowered akit.yaml:4"]),
        ("prices:\n  other: { input: 9, output: 9 }", &["price-lowered akit.yaml:3"]),
        ("repeat: 1", &["price-lowered akit.yaml:1"]),
        ("prices: { m: { input: 2.0, output: 9 }, other: { input: 0, output: 0 } }", &[]),
    ] {
        assert_eq!(of(&before, &config(now)), expected, "{now}");
    }
    // A model that is no longer asked needs no price; one that only a flag may name still does.
    let swapped = format!("{LIMIT}model: n\nprices: {{ n: {{ input: 1, output: 1 }} }}");
    let none = Vec::<String>::new();
    assert_eq!(of(&before, &swapped), none);
    assert_eq!(of(&before.replace("model: m\n", ""), LIMIT), ["price-lowered akit.yaml:1"]);
    assert_eq!(of(&config("prices: { m: { input: 0, output: 0 } }"), &config("repeat: 1")), none);
    // What looks at the costs: a limit on those of the judge, a word in `fail_on`, a budget.
    let judge = |text: &str| text.replace("cost_usd", "judge_cost_usd");
    let less = config("prices: { m: { input: 0, output: 8 } }");
    assert_eq!(of(&judge(&before), &judge(&less)), ["price-lowered akit.yaml:3"]);
    let fatal = |text: &str| text.replace(LIMIT, "gate: { fail_on: [cost] }\n");
    assert_eq!(of(&fatal(&before), &fatal(&less)), ["price-lowered akit.yaml:3"]);
    let blind = |text: &str| text.replace(LIMIT, "gate: { thresholds: [{ metric: tokens, max: 1 }] }\n");
    assert_eq!(of(&blind(&before), &blind(&less)), none);
    let (then, mut now) = (
        demands(&[("s.yaml", SUITE), ("akit.yaml", &blind(&before))]),
        demands(&[("s.yaml", SUITE), ("akit.yaml", &blind(&less))]),
    );
    now.budget = true;
    assert_eq!(compare(&then, &now)[0].kind, WeakeningKind::PriceLowered);
}

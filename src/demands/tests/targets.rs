//! Applications and costs: answers that are no longer requested, and costs that no longer count.

use super::*;

const LIMIT: &str = "gate: { thresholds: [{ metric: cost_usd, max: 1 }] }\n";

fn of(before: &str, now: &str) -> Vec<String> {
    weakenings(&[("s.yaml", SUITE), ("akit.yaml", before)], &[("s.yaml", SUITE), ("akit.yaml", now)])
}

fn suites(before: &str, now: &str) -> Vec<String> {
    weakenings(
        &[("s.yaml", before), ("akit.yaml", "model: m")],
        &[("s.yaml", now), ("akit.yaml", "model: m")],
    )
}

#[test]
fn recorded_answers_in_place_of_live_ones_are_named() {
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
    // The scenario takes precedence over the configuration.
    let live = SUITE.replace("name: s\n", "name: s\nprovider: openai\n");
    let none = Vec::<String>::new();
    assert_eq!(weakenings(&[("s.yaml", &live)], &[("s.yaml", &live), ("akit.yaml", config)]), none);
}

#[test]
fn another_application_is_named() {
    let replies =
        SUITE.replace("name: s\n", "name: s\nprovider: replies\nproviderConfig: { file: r.jsonl }\n");
    assert_eq!(suites(&replies, &replies.replace("r.jsonl", "t.jsonl")), ["target-moved s.yaml:3"]);
    assert_eq!(suites(&replies, SUITE), ["target-moved s.yaml:1"]);
    let ollama = SUITE.replace("name: s\n", "name: s\nprovider: ollama\n");
    assert_eq!(suites(SUITE, &ollama), ["target-moved s.yaml:2"]);
    let one = SUITE.replace("    prompt: Why?\n", "    prompt: Why?\n    model: n\n");
    assert_eq!(suites(SUITE, &one), ["target-moved s.yaml:9"]);
    let of_server = |url: &str| format!("model: m\nproviders: {{ openai: {{ baseUrl: \"{url}\" }} }}");
    for (before, now, expected) in [
        ("model: m", "model: n", &["target-moved akit.yaml:1"][..]),
        (&of_server("http://a/v1"), &of_server("http://b/v1"), &["target-moved akit.yaml:2"]),
        (&of_server("http://a/v1"), &of_server(" http://a/v1/ "), &[]),
        ("model: m", &of_server("https://api.openai.com/v1"), &[]),
        (&of_server("http://a/v1"), "model: m", &["target-moved s.yaml:1"]),
        ("model: m", "target: { version: a }\nmodel: m", &["target-moved akit.yaml:1"]),
        ("target: { version: a }\nmodel: m", "model: m", &[]),
        // Nothing was asked, or only a flag names the application.
        ("gate: {}", "model: m", &[]),
        ("model: m", "gate: {}", &[]),
        (
            "providers: { openai: { trustedOrigins: [\"http://a\"] } }",
            "providers:\n  openai:\n    trustedOrigins: [\"http://a\", \"http://b\"]",
            &["trust-widened akit.yaml:3"],
        ),
        ("providers: { openai: { trustedOrigins: [\"http://a\"] } }", "providers: { openai: {} }", &[]),
    ] {
        assert_eq!(of(before, now), expected, "{before}\n->\n{now}");
    }
    let found = compare(
        &demands(&[("s.yaml", SUITE), ("akit.yaml", &of_server("http://u:old@a/v1?key=secret"))]),
        &demands(&[("s.yaml", SUITE), ("akit.yaml", &of_server("http://u:new@b/v1?key=secret"))]),
    );
    let message = &found[0].message;
    assert!(message.contains("`a/v1`, now `b/v1`"), "{message}");
}

#[test]
fn another_way_to_ask_and_to_judge_is_named() {
    let head = |text: &str| SUITE.replace("name: s\n", &format!("name: s\n{text}\n"));
    let case = |text: &str| SUITE.replace("    prompt: Why?\n", &format!("    prompt: Why?\n    {text}\n"));
    let asked = |prompt: &str| SUITE.replace("prompt: Why?", &format!("prompt: {prompt}"));
    for (before, now, expected) in [
        (head("seed: 1"), head("seed: 2"), &["sampling-changed s.yaml:2"][..]),
        (SUITE.to_owned(), head("temperature: 0.5"), &["sampling-changed s.yaml:2"]),
        (head("maxTokens: 9"), SUITE.to_owned(), &["sampling-changed s.yaml:1"]),
        (case("timeout: 60000"), case("timeout: 1"), &["timeout-lowered s.yaml:9"]),
        (SUITE.to_owned(), case("retries: 0"), &["retries-lowered s.yaml:9"]),
        (SUITE.to_owned(), head("providerConfig: { timeout: 5 }"), &["timeout-lowered s.yaml:2"]),
        (SUITE.to_owned(), head("providerConfig: { patience: 5 }"), &["patience-lowered s.yaml:2"]),
        (head("providerConfig: { patience: 5 }"), head("providerConfig: { patience: 6 }"), &[]),
        (SUITE.to_owned(), case("redaction: {}"), &["redaction-widened s.yaml:9"]),
        (case("redaction: { enabled: false }"), SUITE.to_owned(), &[]),
        (
            head("redaction: { patterns: [email] }"),
            head("redaction: { patterns: [email, phone] }"),
            &["redaction-widened s.yaml:2"],
        ),
        (head("redaction: { patterns: [email, 'a.c'] }"), head("redaction: { patterns: ['a.c'] }"), &[]),
        (head("redaction: { replacement: a }"), head("redaction: { replacement: b }"), &[]),
        (
            head("redaction: { redactPrompts: false }"),
            head("redaction: { replacement: b }"),
            &["redaction-widened s.yaml:2"],
        ),
        (SUITE.to_owned(), asked("Why not? So!"), &["answer-in-prompt s.yaml:8"]),
        (asked("So, why?"), asked("Why so?"), &[]),
        (SUITE.to_owned(), asked("Why also solo?"), &[]),
    ] {
        assert_eq!(suites(&before, &now), expected, "{before}\n->\n{now}");
    }
    let config =
        |text: &str| format!("grader: {{ model: j, calibration: {{ file: calibration.json }} }}\n{text}");
    let with = |text: Option<&str>| -> Demands {
        let files = [("s.yaml", SUITE), ("akit.yaml", &config(""))];
        let files: Vec<_> = files.into_iter().chain(text.map(|text| ("calibration.json", text))).collect();
        demands(&files)
    };
    for (before, now, expected) in [
        (Some("{\"n\":1}"), Some("{\"n\":2}"), &["calibration-edited calibration.json:1"][..]),
        (Some("{\"n\":1,\"m\":2}"), Some("{ \"m\": 2,\n \"n\": 1 }"), &[]),
        (None, Some("{}"), &["calibration-edited calibration.json:1"]),
        (Some("{}"), None, &["calibration-removed calibration.json:1"]),
        (Some("no JSON"), Some("none either"), &["calibration-edited calibration.json:1"]),
    ] {
        let found = compare(&with(before), &with(now));
        let weakenings: Vec<_> = found
            .iter()
            .map(|one| format!("{} {}:{}", one.kind, one.location.file, one.location.line))
            .collect();
        assert_eq!(weakenings, expected, "{before:?} -> {now:?}");
    }
    let (then, mut now) = (demands(&[("s.yaml", &head("tags: [a]"))]), demands(&[("s.yaml", SUITE)]));
    now.selection = crate::scenario::Selection::parse(&["a".to_owned()], &[], &[], None).unwrap();
    let found = compare(&then, &now);
    assert_eq!(format!("{} {}", found[0].kind, found[0].location), "case-unselected s.yaml:4");
}

#[test]
fn a_case_that_leaves_the_sample_under_a_new_name_is_named() {
    let sampled = |suite: &str| {
        let selection = crate::scenario::Selection::parse(&[], &[], &[], Some("50%")).unwrap();
        Demands { selection, ..demands(&[("s.yaml", suite)]) }
    };
    let asked = |demands: &Demands, case: usize| {
        let scenarios: Vec<_> = demands.scenarios.iter().map(|one| one.scenario.clone()).collect();
        demands.selection.apply(&scenarios, crate::seed::Root::default())[0][case].is_none()
    };
    // Half of two cases: one of them is selected by its name.
    let mut named = 0;
    for number in 0..40 {
        for (case, id) in ["a", "b"].into_iter().enumerate() {
            let renamed = SUITE.replace(&format!("id: {id}"), &format!("id: {id}{number}"));
            let (then, now) = (sampled(SUITE), sampled(&renamed));
            let found = compare(&then, &now);
            let is_named = found.iter().any(|one| one.kind == WeakeningKind::CaseUnselected);
            assert_eq!(is_named, asked(&then, case) && !asked(&now, case), "{renamed}");
            named += usize::from(is_named);
        }
    }
    assert!(named > 5, "{named}");
    // Without a sample, a rename does not matter.
    let renamed = SUITE.replace("id: a", "id: z");
    assert_eq!(compare(&demands(&[("s.yaml", SUITE)]), &demands(&[("s.yaml", &renamed)])), []);
}

#[test]
fn records_that_answer_in_place_of_the_application_are_named() {
    for mode in ["auto", "replay"] {
        let now = format!("model: m\ncache:\n  # Yesterday's.\n  mode: {mode}");
        for before in
            ["model: m", "cache: { mode: record }", "cache: { mode: refresh }", "cache: { mode: off }"]
        {
            assert_eq!(of(before, &now), ["cache-replayed akit.yaml:4"], "{before}");
        }
        assert_eq!(
            weakenings(&[("s.yaml", SUITE)], &[("s.yaml", SUITE), ("akit.yaml", &now)]),
            ["cache-replayed akit.yaml:4"]
        );
    }
    for (before, now) in [
        ("cache: { mode: auto }", "cache: { mode: auto, dir: .akit/cache }"),
        ("cache: { mode: auto }", "cache: { mode: replay }"),
        ("cache: { mode: replay }", "model: m"),
        ("model: m", "cache: { mode: record }"),
        ("cache: { mode: record }", "cache: { mode: off }"),
        ("cache: { dir: here }", "cache: { dir: ./here/ }"),
    ] {
        assert_eq!(of(before, now), Vec::<String>::new(), "{before} -> {now}");
    }
}

#[test]
fn prices_that_hide_costs_are_named() {
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
        ("prices:\n  m: { input: 2, output: 8, cached: 1 }", &["price-lowered akit.yaml:4"]),
        // A configured price below the vendor's.
        (
            "prices:\n  m: { input: 2, output: 8 }\n  gpt-4.1: { input: 0, output: 8 }",
            &["price-lowered akit.yaml:5", "price-lowered akit.yaml:5"],
        ),
        (
            "prices: { m: { input: 2, output: 8, cached: 2, cache_write: 9 }, gpt-4.1: { input: 9, output: 9 } }",
            &[],
        ),
        ("prices: { m: { input: 2.0, output: 9 }, other: { input: 0, output: 0 } }", &[]),
    ] {
        assert_eq!(of(&before, &config(now)), expected, "{now}");
    }
    // A model that is no longer asked needs no price; one that a flag may name still does.
    let swapped = format!("{LIMIT}model: n\nprices: {{ n: {{ input: 1, output: 1 }} }}");
    let none = Vec::<String>::new();
    assert_eq!(of(&before, &swapped), ["target-moved akit.yaml:2"]);
    assert_eq!(of(&before.replace("model: m\n", ""), LIMIT), ["price-lowered akit.yaml:1"]);
    assert_eq!(of(&config("prices: { m: { input: 0, output: 0 } }"), &config("repeat: 1")), none);
    // Settings that depend on costs: a limit on the judge's cost, a category in `fail_on`, a budget.
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

#[test]
fn records_in_another_folder_are_named() {
    assert_eq!(of("model: m", "model: m\ncache: { dir: here }"), ["cache-moved akit.yaml:2"]);
    assert_eq!(of("cache: { dir: here }", "cache: { dir: there }"), ["cache-moved akit.yaml:1"]);
    assert_eq!(of("cache: { dir: here }", "model: m"), ["cache-moved akit.yaml:1"]);
}

/// What a change adds to the cache folder `c/d`: weakenings if records are read, and the number of records to ignore
/// if
/// they are not trusted.
#[test]
fn records_added_by_a_change_are_found_anywhere() {
    use crate::cache::Untrusted;
    use crate::history::Brought::{Added, Changed};

    let hash = "0a".repeat(32);
    let record = |folder: &str| format!("{folder}/0a/{hash}.json");
    let kept = || vec!["cache-record-added c/d/0a".to_owned()];
    for (path, how, named, believed) in [
        (record("c/d"), Added, kept(), Some(1)),
        (record("c/d"), Changed, vec!["cache-record-changed c/d/0a".to_owned()], Some(1)),
        (record("C/D").to_uppercase(), Added, vec!["cache-record-added C/D/0A".to_owned()], Some(1)),
        // A link or a nested repository in place of a subfolder, whatever its target.
        ("c/d/0a".to_owned(), Added, vec!["cache-moved c/d/0a:1".to_owned()], Some(usize::MAX)),
        ("c/d/0a".to_owned(), Changed, vec!["cache-moved c/d/0a:1".to_owned()], Some(usize::MAX)),
        (record("real"), Added, vec!["cache-record-added real/0a".to_owned()], Some(1)),
        ("c/d".to_owned(), Changed, vec!["cache-moved c/d:1".to_owned()], Some(usize::MAX)),
        ("c".to_owned(), Added, vec!["cache-moved c:1".to_owned()], Some(usize::MAX)),
        ("c/d/notes.md".to_owned(), Added, Vec::new(), None),
        (record("c/other"), Added, Vec::new(), None),
        (record("c/dd"), Added, Vec::new(), None),
        ("cc".to_owned(), Added, Vec::new(), None),
    ] {
        let found = cached(&[(path.clone(), how)].into(), "c/d", Some("real"));
        let weakenings: Vec<_> =
            found.weakened(true).iter().map(|one| format!("{} {}", one.kind, one.location)).collect();
        assert!(
            weakenings.len() == named.len()
                && weakenings.iter().zip(&named).all(|(one, begin)| one.starts_with(begin)),
            "{path}: {weakenings:?}"
        );
        let count = found.untrusted().map(|untrusted| match untrusted {
            Untrusted::Some(hashes) => hashes.len(),
            Untrusted::All => usize::MAX,
        });
        assert_eq!(count, believed, "{path}");
        assert_eq!(found.told().is_some(), believed.is_some(), "{path}");
        let read_nothing = found.weakened(false);
        assert!(read_nothing.iter().all(|one| one.kind != WeakeningKind::CacheRecordAdded));
    }
}

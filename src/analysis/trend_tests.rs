use serde_json::json;

use super::*;

/// A run of one case with these trials: whether each passed, its time and its cost.
fn run(at: Option<&str>, id: &str, hash: &str, trials: &[(bool, u64, Option<f64>)]) -> StoredRun {
    let stored: Vec<_> = (0..)
        .zip(trials)
        .map(|(index, (passed, latency, cost))| {
            let outcome = if *passed { "passed" } else { "failed" };
            json!({
                "index": index, "outcome": outcome,
                "turns": [{ "answer": {
                    "text": "x", "latency_ms": latency, "cost_usd": cost,
                    "usage": { "input_tokens": 3, "output_tokens": 1 },
                }}],
            })
        })
        .collect();
    let passes = trials.iter().filter(|one| one.0).count() * 2 > trials.len();
    let manifest = json!({
        "schema": "akit.run/2", "akit": "0", "run_id": format!("{at:?}{id}"), "at": at, "seed": 0, "ended": "complete",
        "duration_ms": 5, "scenarios": [],
        "cases": [{
            "scenario": "s", "id": id, "location": { "file": "s.yaml", "line": 1, "column": 1 }, "content_hash": hash,
            "outcome": if passes { "passed" } else { "failed" }, "trials": stored,
        }],
    });
    let file = format!("{}.json", at.unwrap_or("none"));
    StoredRun { file, run: serde_json::from_value(manifest).unwrap(), conclusion: None, pass_rate: None }
}

fn once(at: &str, id: &str, passed: bool) -> StoredRun {
    run(Some(at), id, "h", &[(passed, 10, None)])
}

#[test]
fn runs_are_sorted_by_time_and_duplicates_count_once() {
    let runs = [
        once("2026-03", "a", true),
        once("2026-01", "a", false),
        run(None, "a", "h", &[]),
        once("2026-03", "a", true),
    ];
    let trend = Trend::of(runs);
    let shown: Vec<_> = trend.runs.iter().map(|run| (run.at.as_deref(), run.pass_rate)).collect();
    assert_eq!(shown, [(None, Some(0.0)), (Some("2026-01"), Some(0.0)), (Some("2026-03"), Some(1.0))]);
    assert_eq!((trend.runs[2].tokens, trend.runs[2].cost_usd, trend.runs[0].tokens), (Some(4), None, None));
}

#[test]
fn back_and_forth_is_flaky_and_a_lasting_change_is_not() {
    let days = ["01", "02", "03", "04", "05"];
    let said = |id: &'static str, passed: [bool; 5]| {
        days.into_iter().zip(passed).map(move |(day, one)| once(day, id, one))
    };
    let all = said("restless", [true, false, true, false, true])
        .chain(said("once", [true, true, false, true, true]))
        .chain(said("broke", [true, true, true, false, false]))
        .chain(said("steady", [true; 5]));
    // Newest first: the order of reading does not matter.
    let mut all: Vec<_> = all.collect();
    all.reverse();
    let found = Trend::of(all).flakiest;
    let shown: Vec<_> =
        found.iter().map(|one| (one.case.as_str(), one.turns, one.passed, one.trials)).collect();
    assert_eq!(shown, [("s/restless", 4, 3, 5), ("s/once", 2, 4, 5)]);
    assert!((found[0].restlessness - 1.0).abs() < 1e-12 && (found[1].restlessness - 0.5).abs() < 1e-12);
}

#[test]
fn trials_of_one_run_count_and_another_question_starts_over() {
    let mixed = run(Some("01"), "a", "h", &[(true, 1, None), (false, 1, None), (true, 1, None)]);
    assert_eq!(Trend::of([mixed]).flakiest[0].turns, 2);
    let anew = [("01", "h", true), ("02", "i", false), ("03", "j", true), ("04", "k", false)];
    let runs = anew.map(|(at, hash, passed)| run(Some(at), "a", hash, &[(passed, 1, None)]));
    assert_eq!(Trend::of(runs).flakiest, []);
}

#[test]
fn the_slowest_and_the_most_expensive_by_their_means() {
    let runs = [
        run(Some("01"), "slow", "h", &[(true, 900, Some(0.01))]),
        run(Some("02"), "slow", "h", &[(true, 1_100, Some(0.03))]),
        run(Some("03"), "dear", "h", &[(true, 10, Some(0.5)), (true, 20, None)]),
        run(Some("04"), "free", "h", &[(true, 10, Some(0.0))]),
    ];
    let trend = Trend::of(runs);
    assert_eq!(trend.slowest[0], SlowCase { case: "s/slow".to_owned(), latency_ms: 1_000.0, answers: 2 });
    let dear: Vec<_> = trend.dearest.iter().map(|one| (one.case.as_str(), one.trials)).collect();
    assert_eq!(dear, [("s/dear", 1)]);
    assert!((trend.dearest[0].cost_usd - 0.5).abs() < 1e-12);
}

#[test]
fn lists_are_short() {
    let runs = (0..30).map(|n| run(Some("01"), &format!("case-{n:02}"), "h", &[(true, n * n, None)]));
    let trend = Trend::of(runs);
    assert_eq!((trend.slowest.len(), trend.slowest[0].case.as_str()), (10, "s/case-29"));
}

#[test]
fn where_all_cases_are_alike_none_is_slow_or_expensive() {
    let of = |name: &str, latency, cost| run(Some("01"), name, "h", &[(true, latency, Some(cost))]);
    let alike = [of("a", 100, 0.01), of("b", 120, 0.012), of("c", 140, 0.015)];
    let trend = Trend::of(alike.clone());
    assert_eq!((trend.slowest, trend.dearest), (vec![], vec![]));
    let trend = Trend::of(alike.into_iter().chain([of("d", 200, 0.03)]));
    let (slow, dear) = (trend.slowest.as_slice(), trend.dearest.as_slice());
    assert!(matches!((slow, dear), ([a], [b]) if a.case == "s/d" && b.case == "s/d"), "{trend:?}");
}

use super::*;
use crate::analysis::SlowCase;
use crate::manifest::{Counts, Ended};

fn run(day: u32, rate: Option<f64>) -> RunLine {
    RunLine {
        file: format!("runs/{day}.json"),
        run_id: format!("run-{day}"),
        at: Some(format!("2026-01-{day:02}T00:00:00Z")),
        commit: None,
        ended: Ended::Complete,
        conclusion: Some("PASS".to_owned()),
        pass_rate: rate,
        counts: Counts { passed: 3, failed: 1, errored: 0, skipped: 0 },
        tokens: None,
        cost_usd: None,
        duration_ms: 1,
    }
}

fn trend(runs: Vec<RunLine>) -> Trend {
    let flaky = FlakyCase {
        case: "s/<b>a</b>".to_owned(),
        restlessness: 1.0,
        turns: 2,
        passed: 1,
        trials: 3,
        shares: runs.iter().enumerate().map(|(at, _)| (at != 1).then_some(1.0)).collect(),
    };
    Trend {
        schema: Trend::SCHEMA.to_owned(),
        runs,
        flakiest: vec![flaky],
        slowest: vec![SlowCase { case: "s/a".to_owned(), latency_ms: 1_500.0, answers: 2 }],
        dearest: Vec::new(),
    }
}

#[test]
fn a_page_of_runs_has_a_curve_a_table_and_the_flakiest() {
    let page = of_trend(&trend(vec![run(1, Some(0.5)), run(2, None), run(3, Some(1.0))])).unwrap();
    super::super::tests::tags(&page);
    assert!(page.contains("Pass rate over 3 runs: 50.0% to 100.0%, 100.0% last"), "{page}");
    assert_eq!(page.matches("<tr><th scope=\"row\">2026-").count(), 3);
    assert_eq!(page.matches("<circle class=\"f-passed\"").count(), 2, "the second run judged nothing");
    assert!(page.contains("aria-label=\"100.0%, not judged, 100.0%\""));
    assert!(page.contains("s/&lt;b&gt;a&lt;/b&gt;") && page.contains("1.50 s, mean of 2 answers"));
    assert!(!page.contains("Most expensive"));
}

#[test]
fn the_newest_sixty_are_shown_and_the_rest_is_counted() {
    let runs: Vec<_> = (0..63).map(|day| run(day, Some(0.5))).collect();
    let section =
        Section::new(&trend(runs), Some(("run-62", Some("2026-01-62T00:00:00Z"))), &BTreeMap::new());
    assert_eq!((section.runs.len(), section.older.as_str()), (60, "3 older runs"));
    assert_eq!(section.runs.iter().filter(|run| run.this).count(), 1);
    assert!(section.runs[59].this && section.low.is_empty(), "a single rate must be a single line");
    assert_eq!(section.flaky[0].spoken.split(", ").count(), 60);
}

#[test]
fn runs_with_nothing_judged_say_so() {
    let page = of_trend(&trend(vec![run(1, None)])).unwrap();
    assert!(page.contains("Nothing was judged.") && !page.contains("<svg class=\"curve\""));
}

#[test]
fn text_from_foreign_files_is_inert() {
    let mut bad = run(1, Some(1e300));
    let hostile = crate::report::fixture::HOSTILE;
    (bad.file, bad.run_id, bad.at) = (hostile.to_owned(), hostile.to_owned(), Some(hostile.to_owned()));
    (bad.commit, bad.conclusion) = (Some(hostile.to_owned()), Some(hostile.to_owned()));
    let mut trend = trend(vec![bad, run(2, Some(f64::NAN))]);
    trend.flakiest[0].case = hostile.to_owned();
    trend.flakiest[0].shares = vec![Some(-7.0)];
    let page = of_trend(&trend).unwrap();
    super::super::tests::tags(&page);
    assert!(page.chars().all(|c| c == '\n' || c == '\t' || text::inert(c)));
    assert!(page.matches("<script").count() == 1 && !page.contains("<img") && !page.contains("<!--"));
}

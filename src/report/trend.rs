//! Several runs for people: one line per run, the pass rate as a curve, and the cases to look at.

use std::fmt::Write as _;

use crate::analysis::{DearCase, FlakyCase, RunLine, SlowCase, Trend};
use crate::stats::SLACK;
use crate::text::{self, log, number};

use super::{RenderError, json};

/// Maximum number of runs listed, the newest.
const LISTED: usize = 20;

/// Maximum number of runs in the curve.
const CURVE: usize = 60;

/// Maximum number of characters in a name.
const NAME: usize = 120;

/// The bars of the curve, from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The trend as data.
///
/// # Errors
/// The JSON could not be written.
pub fn data(trend: &Trend) -> Result<String, RenderError> {
    json::pretty(trend)
}

/// The trend for people.
#[must_use]
pub fn of_trend(trend: &Trend) -> String {
    let mut out = curve(trend);
    out.push('\n');
    out.push_str(&table(&trend.runs));
    let mut list = |title: &str, rows: Vec<(&String, String)>| {
        if !rows.is_empty() {
            let _ = writeln!(out, "\n{title}");
            for (name, words) in rows {
                let _ = writeln!(out, "  {}: {words}", log::line(name, NAME));
            }
        }
    };
    list("Flakiest", trend.flakiest.iter().map(|one| (&one.case, turned(one))).collect());
    list("Slowest", trend.slowest.iter().map(|one| (&one.case, slow(one))).collect());
    list("Most expensive", trend.dearest.iter().map(|one| (&one.case, expensive(one))).collect());
    out
}

/// How often a case passed, and how often its result changed.
pub(super) fn turned(one: &FlakyCase) -> String {
    let (turns, passed) = (number::size(one.turns), number::size(one.passed));
    format!("changed {turns} times; {passed} of {} passed", text::count(one.trials, "trial"))
}

/// How long a case takes.
pub(super) fn slow(one: &SlowCase) -> String {
    format!("{:.2} s, mean of {}", one.latency_ms / 1_000.0, text::count(one.answers, "answer"))
}

/// What a case costs.
pub(super) fn expensive(one: &DearCase) -> String {
    format!("{}, mean of {}", usd(one.cost_usd), text::count(one.trials, "trial"))
}

/// For example `pass rate ▁▃█ 75.0% to 100.0%, 87.5% last`: scaled from the lowest to the highest, to show small
/// changes.
fn curve(trend: &Trend) -> String {
    let newest = &trend.runs[trend.runs.len().saturating_sub(CURVE)..];
    let known: Vec<f64> = newest.iter().filter_map(|run| run.pass_rate).collect();
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let Some(last) = known.last() else { return "pass rate: nothing was judged\n".to_owned() };
    let bar = |rate: f64| {
        let share = if high > low { (rate - low) / (high - low) } else { 1.0 };
        // Seven steps above the lowest.
        let height = (0..BARS.len() - 1).rev().find(|step| share * 7.0 + SLACK >= step_of(*step + 1));
        BARS[height.map_or(0, |step| step + 1)]
    };
    let bars: String = newest.iter().map(|run| run.pass_rate.map_or('·', bar)).collect();
    format!(
        "pass rate {bars} {} to {}, {} last, over {}\n",
        number::percent(low),
        number::percent(high),
        number::percent(*last),
        text::count(newest.len(), "run")
    )
}

fn step_of(step: usize) -> f64 {
    u32::try_from(step).map_or(0.0, f64::from)
}

fn table(runs: &[RunLine]) -> String {
    let mut out = format!(
        "{:<20} {:<12} {:>9} {:>6} {:>6} {:>7} {:>7} {:>11} {:>10} {:>10}  file\n",
        "when", "decision", "pass rate", "passed", "failed", "errored", "skipped", "tokens", "cost", "time"
    );
    let older = runs.len().saturating_sub(LISTED);
    if older > 0 {
        let _ = writeln!(out, "… and {} before", text::count(older, "run"));
    }
    for run in &runs[older..] {
        let rate = run.pass_rate.map_or_else(|| "—".to_owned(), number::percent);
        let tokens = run.tokens.map_or_else(|| "—".to_owned(), number::whole);
        let cost = run.cost_usd.map_or_else(|| "—".to_owned(), usd);
        let _ = writeln!(
            out,
            "{:<20} {:<12} {rate:>9} {:>6} {:>6} {:>7} {:>7} {tokens:>11} {cost:>10} {:>10}  {}",
            log::line(run.at.as_deref().unwrap_or("—"), 20),
            log::line(run.conclusion.as_deref().unwrap_or("—"), 12),
            number::size(run.counts.passed),
            number::size(run.counts.failed),
            number::size(run.counts.errored),
            number::size(run.counts.skipped),
            number::span(run.duration_ms),
            log::line(&run.file, NAME),
        );
    }
    out
}

fn usd(cost: f64) -> String {
    format!("${cost:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Counts, Ended};

    fn line(rate: Option<f64>) -> RunLine {
        RunLine {
            file: "runs/1.json".to_owned(),
            run_id: "0".to_owned(),
            at: Some("2026-01-02T03:04:05Z".to_owned()),
            commit: None,
            ended: Ended::Complete,
            conclusion: Some("PASS".to_owned()),
            pass_rate: rate,
            counts: Counts { passed: 7, failed: 1, errored: 0, skipped: 2 },
            tokens: Some(1_449),
            cost_usd: Some(0.0123),
            duration_ms: 15_120,
        }
    }

    fn trend(rates: &[Option<f64>]) -> Trend {
        Trend {
            schema: Trend::SCHEMA.to_owned(),
            runs: rates.iter().copied().map(line).collect(),
            flakiest: Vec::new(),
            slowest: Vec::new(),
            dearest: Vec::new(),
        }
    }

    #[test]
    fn the_curve_runs_from_the_lowest_to_the_highest() {
        let shown = curve(&trend(&[Some(0.8), Some(0.9), None, Some(1.0), Some(0.95)]));
        assert_eq!(shown, "pass rate ▁▄·█▆ 80.0% to 100.0%, 95.0% last, over 5 runs\n");
        assert_eq!(curve(&trend(&[Some(0.5)])), "pass rate █ 50.0% to 50.0%, 50.0% last, over 1 run\n");
        assert_eq!(curve(&trend(&[None])), "pass rate: nothing was judged\n");
        assert_eq!(curve(&trend(&[])), "pass rate: nothing was judged\n");
    }

    #[test]
    fn one_line_per_run_for_the_newest_twenty() {
        insta::assert_snapshot!(table(&[line(Some(0.875))]), @r"
        when                 decision     pass rate passed failed errored skipped      tokens       cost       time  file
        2026-01-02T03:04:05Z PASS             87.5%      7      1       0       2       1,449    $0.0123    15.12 s  runs/1.json
        ");
        let text = table(&vec![line(None); 23]);
        assert_eq!(text.lines().count(), 22);
        assert!(text.contains("… and 3 runs before"));
    }

    #[test]
    fn foreign_names_are_inert() {
        let mut trend = trend(&[Some(1.0)]);
        trend.runs[0].file = "\u{1b}[2J\n::error::x".to_owned();
        trend.runs[0].conclusion = Some("PASS\nRESULT: PASS".to_owned());
        let slow = SlowCase { case: "##[error]\n/x".to_owned(), latency_ms: 1.0, answers: 1 };
        trend.slowest.push(slow);
        let text = of_trend(&trend);
        assert!(text.chars().all(|c| c == '\n' || text::inert(c)) && !text.contains("##["), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("RESULT") || line.trim_start().starts_with("::")));
    }
}

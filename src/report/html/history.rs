//! The history of a suite over its stored runs: a section of a run's page, and the page of `akit history`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::curve::Curve;
use super::page::{self, Shell};
use crate::analysis::{FlakyCase, RunLine, Trend};
use crate::report::{RenderError, Report, trend as words};
use crate::text::{self, excerpt, number};

/// How many of the newest runs are drawn and listed.
const LISTED: usize = 60;

/// Maximum number of characters in a name.
const NAME: usize = 200;

/// The trend over the runs.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    words: String,
    low: String,
    high: String,
    curve: Option<Curve>,
    /// The number of older runs that are not shown; empty if all are shown.
    older: String,
    runs: Vec<HistoryLine>,
    flaky: Vec<Flaky>,
}

/// One run.
#[derive(Debug, Serialize)]
struct HistoryLine {
    when: String,
    decision: String,
    /// The class that colors its decision.
    class: &'static str,
    rate: String,
    counts: [String; 4],
    commit: String,
    file: String,
    /// Whether the page is about this run.
    this: bool,
}

/// A case that passes sometimes.
#[derive(Debug, Serialize)]
struct Flaky {
    name: String,
    /// Index of the case on the page.
    case: Option<usize>,
    words: String,
    /// The line in words, for screen readers.
    spoken: String,
    curve: Curve,
}

/// The page of `akit history`.
///
/// # Errors
/// None is known: no value of a trend keeps the template from being filled.
pub fn of_trend(trend: &Trend) -> Result<String, RenderError> {
    let rows = |rows: Vec<(&String, String)>| -> Vec<_> {
        rows.into_iter().map(|(case, words)| (excerpt(case, NAME), words)).collect()
    };
    let slow = rows(trend.slowest.iter().map(|one| (&one.case, words::slow(one))).collect());
    let expensive = rows(trend.dearest.iter().map(|one| (&one.case, words::expensive(one))).collect());
    let lists = [("slow", "Slowest cases", slow), ("expensive", "Most expensive cases", expensive)];
    let lists = lists.iter().filter(|(_, _, rows)| !rows.is_empty());
    let list =
        |(key, title, rows): &(&str, &str, Vec<_>)| json!({ "key": key, "title": title, "rows": rows });
    let page = json!({
        "shell": Shell::new("History", false, format!("akit {}", env!("CARGO_PKG_VERSION"))),
        "history": Section::new(trend, None, &BTreeMap::new()),
        "lists": lists.map(list).collect::<Vec<_>>(),
    });
    Ok(page::fill(include_str!("history.html"), page)?)
}

impl Section {
    /// The history of a run, if stored runs were named.
    pub(super) fn of_report(report: &Report<'_>) -> Option<Self> {
        let trend = report.past.trend()?;
        let places: BTreeMap<String, usize> = report
            .run
            .cases
            .iter()
            .enumerate()
            .rev()
            .map(|(index, case)| (case.key().to_string(), index))
            .collect();
        Some(Self::new(trend, Some((&report.run.run_id, report.run.at.as_deref())), &places))
    }

    fn new(trend: &Trend, this: Option<(&str, Option<&str>)>, places: &BTreeMap<String, usize>) -> Self {
        let older = trend.runs.len().saturating_sub(LISTED);
        let runs = &trend.runs[older..];
        let rates: Vec<_> = runs.iter().map(|run| run.pass_rate.filter(|rate| rate.is_finite())).collect();
        let known: Vec<f64> = rates.iter().copied().flatten().collect();
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let words = known.last().map_or("Nothing was judged.".to_owned(), |last| {
            format!(
                "Pass rate over {}: {} to {}, {} last",
                text::count(runs.len(), "run"),
                number::percent(low),
                number::percent(high),
                number::percent(*last)
            )
        });
        let shown = |rate: f64| if rate.is_finite() { number::percent(rate) } else { String::new() };
        Self {
            words,
            low: if high > low { shown(low) } else { String::new() },
            high: shown(high),
            curve: (!known.is_empty()).then(|| Curve::of(&rates, (low, high), (600, 90))),
            older: if older > 0 { text::count(older, "older run") } else { String::new() },
            runs: runs.iter().map(|run| HistoryLine::of(run, this)).collect(),
            flaky: trend.flakiest.iter().map(|one| Flaky::of(one, older, places)).collect(),
        }
    }
}

impl HistoryLine {
    fn of(run: &RunLine, this: Option<(&str, Option<&str>)>) -> Self {
        let known = |text: Option<&str>, most| text.map_or("—".to_owned(), |text| excerpt(text, most));
        let counts = [run.counts.passed, run.counts.failed, run.counts.errored, run.counts.skipped];
        Self {
            when: known(run.at.as_deref(), 40),
            decision: known(run.conclusion.as_deref(), 20),
            class: match run.conclusion.as_deref() {
                Some("PASS") => "passed",
                Some("FAIL") => "failed",
                Some("INCONCLUSIVE" | "ERROR") => "errored",
                _ => "skipped",
            },
            rate: run.pass_rate.map_or("—".to_owned(), number::percent),
            counts: counts.map(number::size),
            commit: known(run.commit.as_deref(), 12),
            file: excerpt(&run.file, NAME),
            this: this.is_some_and(|(id, at)| run.run_id == id && run.at.as_deref() == at),
        }
    }
}

impl Flaky {
    fn of(one: &FlakyCase, older: usize, places: &BTreeMap<String, usize>) -> Self {
        let shares = one.shares.get(older..).unwrap_or_default();
        let spoken: Vec<_> =
            shares.iter().map(|share| share.map_or("not judged".to_owned(), number::percent)).collect();
        Self {
            name: excerpt(&one.case, NAME),
            case: places.get(&one.case).copied(),
            words: words::turned(one),
            spoken: spoken.join(", "),
            curve: Curve::of(shares, (0.0, 1.0), (160, 28)),
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

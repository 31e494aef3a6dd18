//! A load test for people at a terminal: a line for each level, then what broke, then the result.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::manifest::{Level, StressConclusion, StressRun};
use crate::source::Ink;
use crate::stats::real;
use crate::text::{self, log, number};

/// Cases that are listed.
const LISTED: usize = 20;
/// Characters of a text that others chose.
const WIDTH: usize = 200;

/// The test in this form.
#[must_use]
pub fn of(run: &StressRun, ink: Ink) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let levels = text::count(run.levels.len(), "level");
    let seconds = real(run.duration_ms) / 1000.0;
    let _ = writeln!(
        out,
        "{levels}, {} requests in {seconds:.1} s to {}\n",
        number::whole(run.requests),
        line(&run.target.join(", "))
    );
    let _ = writeln!(
        out,
        "{:<16} {:>9} {:>9} {:>9} {:>9} {:>7}  {:<21} {:>8} {:>9}",
        "load", "req/s", "p50", "p95", "p99", "errors", "passed (95% range)", "handoff", "goodput"
    );
    for level in &run.levels {
        let _ = writeln!(out, "{}", row(level));
    }
    let _ = writeln!(out, "\n{}", explained(run));
    for level in &run.levels {
        for told in details(level) {
            let _ = writeln!(out, "{}: {told}", level.name());
        }
    }
    knees(run, &mut out);
    for one in &run.slo {
        let (metric, limit) = (one.metric, one.metric.shown(one.limit));
        let measured = one.measured.map_or_else(|| "not measured".to_owned(), |value| metric.shown(value));
        let (word, color) = match one.met {
            Some(true) => ("met", AnsiColor::Green),
            Some(false) => ("missed", AnsiColor::Red),
            None => ("unknown", AnsiColor::Yellow),
        };
        let name = run.levels.get(one.level).map(Level::name).unwrap_or_default();
        let style = ink_of(ink, color);
        let _ =
            writeln!(out, "{style}{word:>7}{style:#}  {name}: {} {measured} (limit {limit})", metric.word());
    }
    cases(run, &mut out);
    for note in &run.notes {
        let _ = writeln!(out, "note: {}", line(note));
    }
    for reason in &run.decision.reasons {
        let _ = writeln!(out, "  - {}", line(reason));
    }
    let (word, color) = match run.decision.conclusion {
        StressConclusion::Pass => ("PASS", AnsiColor::Green),
        StressConclusion::Fail => ("FAIL", AnsiColor::Red),
        StressConclusion::Error => ("ERROR", AnsiColor::Red),
    };
    let style = ink_of(ink, color);
    let _ = writeln!(out, "RESULT: {style}{word}{style:#} (exit code {})", run.decision.exit_code);
    out
}

fn ink_of(ink: Ink, color: AnsiColor) -> Style {
    match ink {
        Ink::Colour => color.on_default().bold(),
        Ink::Plain => Style::new(),
    }
}

fn line(text: &str) -> String {
    log::line(text, WIDTH)
}

/// A time as short as it can be read.
#[must_use]
pub fn time(ms: Option<f64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 10_000.0 => {
            format!("{} ms", number::whole(crate::stats::whole(ms.round()).unwrap_or_default()))
        }
        Some(ms) => format!("{:.1} s", ms / 1000.0),
    }
}

/// A share as short as it can be read.
#[must_use]
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

fn row(level: &Level) -> String {
    let figures = &level.latency_ms;
    let quality = match (level.quality.rate, level.quality.low, level.quality.high) {
        (Some(rate), Some(low), Some(high)) => {
            format!("{} ({:.1}–{:.1}%)", share(Some(rate)), low * 100.0, high * 100.0)
        }
        _ => "–".to_owned(),
    };
    let handoff = level.escalation.map(|one| real(one.available) / real(one.n));
    let goodput = level.goodput.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}/s"));
    let void = if level.valid { "" } else { "  void" };
    format!(
        "{:<16} {:>9.1} {:>9} {:>9} {:>9} {:>7}  {quality:<21} {:>8} {goodput:>9}{void}",
        level.name(),
        level.rate,
        time(figures.p50),
        time(figures.p95),
        time(figures.p99),
        share(level.error_rate),
        share(handoff),
    )
}

/// What the columns mean, in the fewest words.
fn explained(run: &StressRun) -> String {
    let corrected = run.levels.iter().any(|level| level.corrected);
    let mut told = "latency counts from the time at which a request should have been sent".to_owned();
    if corrected {
        told.push_str("; where load is kept in flight it is corrected for requests that a stall held back");
    }
    told
}

/// What is not in the table.
fn details(level: &Level) -> Vec<String> {
    let mut told = Vec::new();
    let errors: Vec<String> = level
        .errors
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(class, count)| format!("{} {}", class.word(), number::whole(*count)))
        .collect();
    if !errors.is_empty() {
        told.push(format!("errors: {}", errors.join(", ")));
    }
    let quality = &level.quality;
    let odd: Vec<String> = [
        ("empty", quality.empty),
        ("cut off at a limit", quality.cut),
        ("refused", quality.refused),
        ("one and the same to different cases", quality.identical),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(what, count)| format!("{} {what}", number::whole(count)))
    .collect();
    if !odd.is_empty() {
        told.push(format!("answers: {}", odd.join(", ")));
    }
    let differs = |one: Option<f64>, other: Option<f64>| {
        one.zip(other).is_some_and(|(measured, corrected)| corrected > measured * 1.1 + 1.0)
    };
    let (measured, corrected) = (level.service_ms, level.latency_ms);
    if level.corrected && (differs(measured.p95, corrected.p95) || differs(measured.p99, corrected.p99)) {
        told.push(format!(
            "as measured, without the correction: p95 {}, p99 {}",
            time(level.service_ms.p95),
            time(level.service_ms.p99)
        ));
    }
    if let Some(ttft) = level.ttft_ms {
        let tokens = level.tokens_per_s.map(|rate| format!(", {rate:.0} tokens/s")).unwrap_or_default();
        told.push(format!("first token: p50 {}, p95 {}{tokens}", time(ttft.p50), time(ttft.p95)));
    }
    if let Some(one) = level.escalation {
        told.push(format!(
            "handoff: {} asked for a person, {} offered one, {} told so, {} handed over; p95 {}",
            number::whole(one.n),
            number::whole(one.offered),
            number::whole(one.claimed),
            number::whole(one.done),
            time(one.p95_ms)
        ));
    }
    if let Some(judged) = level.judged {
        told.push(format!(
            "judge: {} of {} sampled answers passed{}",
            number::whole(judged.passed),
            number::whole(judged.n),
            if judged.errored > 0 {
                format!(", {} could not be judged", judged.errored)
            } else {
                String::new()
            }
        ));
    }
    if let Some(change) = level.change.filter(|change| change.low > 0.0 || change.high < 0.0) {
        told.push(format!(
            "pass rate {:+.1} points against the first level ({:+.1} to {:+.1}, {})",
            change.rate * 100.0,
            change.low * 100.0,
            change.high * 100.0,
            text::count(usize::try_from(change.cases).unwrap_or(usize::MAX), "case")
        ));
    }
    if let Some(recovery) = level.recovery_ms {
        told.push(format!("as quick again after {}", time(Some(real(recovery)))));
    }
    if level.cut_off > 0 {
        told.push(format!("{} had no answer at the end and are in no figure", number::whole(level.cut_off)));
    }
    told
}

fn knees(run: &StressRun, out: &mut String) {
    let is_one_kind = run.levels.windows(2).all(|pair| pair[0].unit == pair[1].unit);
    if run.levels.len() < 2 || !is_one_kind {
        return;
    }
    let named = |load: Option<f64>| {
        let level = run.levels.iter().find(|level| Some(level.load) == load);
        level.map_or_else(|| "not even the first level".to_owned(), Level::name)
    };
    let _ = writeln!(
        out,
        "largest load that held: latency and errors {}, quality {}",
        named(run.knees.latency),
        named(run.knees.quality)
    );
}

fn cases(run: &StressRun, out: &mut String) {
    let bad: Vec<_> = run.cases.iter().filter(|case| case.reason.is_some()).collect();
    for case in bad.iter().take(LISTED) {
        let failed = case.judged - case.passed;
        let _ = writeln!(
            out,
            "{}/{} ({}:{}): {} of {} failed, {} errored: {}",
            line(&case.scenario),
            line(&case.id),
            line(&case.file),
            case.line,
            number::whole(failed),
            number::whole(case.n),
            number::whole(case.errored),
            line(case.reason.as_deref().unwrap_or_default())
        );
    }
    if bad.len() > LISTED {
        let _ = writeln!(out, "… and {} more", number::size(bad.len() - LISTED));
    }
}

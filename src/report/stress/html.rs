//! A load test as a single page that opens from disk.

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::chart::{over_load, over_time};
use super::phrase::{
    COLUMNS, Standing, available, bad, count, ended, explained, failed, judged, knees, measured, passed,
    points, ranged, row, sent, share, summary, tally, time, word,
};
use crate::manifest::{CaseUnderLoad, Level, Percentiles, StressRun, Tick};
use crate::report::RenderError;
use crate::report::html::page::{Shell, fill};
use crate::stats::real;
use crate::text::{excerpt, number};
use crate::vocabulary::{ErrorClass, ServiceLevel};

/// Maximum number of cases listed.
const LISTED: usize = 200;
/// Maximum number of characters in a name, and in a string.
const NAME: usize = 200;
const TEXT: usize = 600;

/// Renders the test.
///
/// # Errors
/// The template could not be filled.
pub fn of(run: &StressRun) -> Result<String, RenderError> {
    let foot = format!("akit {} · {}", env!("CARGO_PKG_VERSION"), run.schema);
    let shell = Shell::new("Load test", false, foot);
    Ok(fill(include_str!("stress.html"), page(run, &shell))?)
}

/// The values of the template.
fn page(run: &StressRun, shell: &Shell) -> Value {
    let names = run.names();
    let bad: Vec<_> = bad(run).collect();
    let load = over_load(run);
    let tables = [latency(run, &names), failures(run, &names), quality(run, &names), handoff(run, &names)];
    let tables: Vec<_> = tables.into_iter().flatten().collect();
    let peak = run.levels.iter().map(|level| level.load).fold(0.0, f64::max);
    json!({
        "shell": shell,
        "class": run.decision.conclusion.word(),
        "word": word(run.decision.conclusion),
        "summary": excerpt(&summary(run), TEXT),
        "meta": excerpt(&format!("{} · {} · {}", sent(run), run.suite.join(" "), run.at), TEXT),
        "counts": counts(run),
        "reasons": texts(&run.decision.reasons),
        "explained": capital(explained(run)),
        "levels": { "title": "Levels", "head": COLUMNS, "rows": run.levels.iter().zip(&names).map(named).collect::<Vec<_>>() },
        "knees": knees(run),
        "slo": objectives(run, &names),
        "recovers": run.levels.last().is_some_and(|last| last.load < peak),
        "load": load,
        "time": over_time(run),
        "timeline": timeline(run),
        "tables": tables,
        "cases": bad.iter().take(LISTED).map(|case| of_case(case)).collect::<Vec<_>>(),
        "more_cases": (bad.len() > LISTED).then(|| number::size(bad.len() - LISTED)),
        "all_passed": all_passed(run),
        "notes": texts(&run.notes),
        "facts": facts(run),
    })
}

fn texts(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| excerpt(text, TEXT)).collect()
}

/// A phrase as a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// The figures at the top of the page.
fn counts(run: &StressRun) -> Vec<[String; 2]> {
    let all = |part: &dyn Fn(&Level) -> u64| run.levels.iter().map(part).sum::<u64>();
    let of = |part: u64, all: u64| (all > 0).then(|| real(part) / real(all));
    let (asked, errors) = (all(&|level| level.requests), all(&failed));
    let (judged, passed) = (all(&|level| level.quality.n), all(&|level| level.quality.passed));
    let slowest = run.levels.iter().filter_map(|level| level.latency_ms.p95).reduce(f64::max);
    let mut counts = vec![
        ["requests".to_owned(), number::whole(run.requests)],
        ["errors".to_owned(), share(of(errors, asked))],
        ["passed".to_owned(), share(of(passed, judged))],
    ];
    counts.push([if run.levels.len() > 1 { "highest p95" } else { "p95" }.to_owned(), time(slowest)]);
    let missed = run.slo.iter().filter(|one| Standing::of(run, one) != Standing::Met).count();
    if !run.slo.is_empty() {
        counts.push([format!("of {} limits not met", number::size(run.slo.len())), number::size(missed)]);
    }
    counts
}

fn named((level, name): (&Level, &String)) -> Vec<String> {
    let mut cells = row(level).to_vec();
    cells[0].clone_from(name);
    cells
}

/// One row per level, one column per limited metric; `None` without limits.
fn objectives(run: &StressRun, names: &[String]) -> Option<Value> {
    let metrics: Vec<ServiceLevel> =
        ServiceLevel::iter().filter(|metric| run.slo.iter().any(|one| one.metric == *metric)).collect();
    let limit = |metric: &ServiceLevel| run.slo.iter().find(|one| one.metric == *metric);
    let head = metrics.iter().filter_map(|metric| {
        Some(format!("{} (limit {})", metric.word(), metric.shown(limit(metric)?.limit)))
    });
    let head: Vec<String> = std::iter::once("load".to_owned()).chain(head).collect();
    let rows = names.iter().enumerate().map(|(level, name)| {
        let cell = |metric: &ServiceLevel| {
            let one = run.slo.iter().find(|one| one.level == level && one.metric == *metric)?;
            let standing = Standing::of(run, one);
            let class = match standing {
                Standing::Met => "passed",
                Standing::Missed => "failed",
                Standing::Unknown => "errored",
            };
            Some(json!({ "class": class, "word": standing.word(), "measured": measured(run, one) }))
        };
        json!({ "name": name, "cells": metrics.iter().map(cell).collect::<Vec<_>>() })
    });
    (!metrics.is_empty()).then(|| json!({ "head": head, "rows": rows.collect::<Vec<_>>() }))
}

/// A table with the load in its first column.
fn table(
    title: &str,
    head: impl IntoIterator<Item = String>,
    (run, names): (&StressRun, &[String]),
    cells: impl Fn(&Level) -> Vec<String>,
) -> Value {
    let head: Vec<String> = std::iter::once("load".to_owned()).chain(head).collect();
    let rows = run.levels.iter().zip(names);
    let rows =
        rows.map(|(level, name)| std::iter::once(name.clone()).chain(cells(level)).collect::<Vec<_>>());
    json!({ "title": title, "head": head, "rows": rows.collect::<Vec<_>>() })
}

fn owned<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

fn latency(run: &StressRun, names: &[String]) -> Option<Value> {
    if run.levels.is_empty() {
        return None;
    }
    let streams = run.levels.iter().any(|level| level.ttft_ms.is_some());
    let mut head = owned(["p50", "p90", "p95", "p99", "p99.9", "max", "service p95", "service p99"]);
    if streams {
        head.extend(owned(["first token p50", "first token p95", "between tokens p50", "tokens/s"]));
    }
    head.extend(owned(["lag p99", "recovered after", "unanswered"]));
    Some(table("Latency", head, (run, names), |level| {
        let figures = &level.latency_ms;
        let all = [figures.p50, figures.p90, figures.p95, figures.p99, figures.p999, figures.max];
        let mut cells: Vec<_> =
            all.into_iter().chain([level.service_ms.p95, level.service_ms.p99]).map(time).collect();
        if streams {
            let at =
                |of: Option<Percentiles>, which: fn(Percentiles) -> Option<f64>| time(of.and_then(which));
            cells.push(at(level.ttft_ms, |one| one.p50));
            cells.push(at(level.ttft_ms, |one| one.p95));
            cells.push(at(level.gap_ms, |one| one.p50));
            cells.push(level.tokens_per_s.map_or_else(|| time(None), |rate| number::figure(rate.round())));
        }
        cells.push(time(level.dispatch_lag_ms.p99));
        cells.push(time(level.recovery_ms.map(real)));
        cells.push(number::whole(level.cut_off));
        cells
    }))
}

/// Errors by class; `None` without errors.
fn failures(run: &StressRun, names: &[String]) -> Option<Value> {
    let of = |level: &Level, class: ErrorClass| level.errors.get(&class).copied().unwrap_or_default();
    let classes: Vec<_> =
        ErrorClass::iter().filter(|class| run.levels.iter().any(|level| of(level, *class) > 0)).collect();
    let head = classes.iter().map(|class| class.word().to_owned()).chain(owned(["all", "share of requests"]));
    (!classes.is_empty()).then(|| {
        table("Errors by class", head, (run, names), |level| {
            let counts = classes.iter().map(|class| of(level, *class)).chain([failed(level)]);
            counts.map(number::whole).chain([share(level.error_rate)]).collect()
        })
    })
}

fn quality(run: &StressRun, names: &[String]) -> Option<Value> {
    let is_known = run.levels.iter().any(|level| level.quality.n > 0 || level.judged.is_some());
    let head = owned([
        "judged",
        "passed (95% CI)",
        "points from the first level (95% CI)",
        "empty",
        "cut off",
        "refused",
        "identical",
        "judge",
    ]);
    is_known.then(|| {
        table("Quality", head, (run, names), |level| {
            let quality = &level.quality;
            let change = level.change.map_or_else(
                || time(None),
                |one| format!("{} ({} to {})", points(one.rate), points(one.low), points(one.high)),
            );
            let odd = [quality.empty, quality.cut, quality.refused, quality.identical].map(number::whole);
            let mut cells = vec![number::whole(quality.n), passed(quality), change];
            cells.extend(odd);
            cells.push(judged(level).unwrap_or_else(|| time(None)));
            cells
        })
    })
}

/// Handoffs to a person; `None` if no case asks for one.
fn handoff(run: &StressRun, names: &[String]) -> Option<Value> {
    let head = owned(["asked for a person", "offered", "claimed", "done", "available (95% CI)", "p95"]);
    run.levels.iter().any(|level| level.escalation.is_some()).then(|| {
        table("Handoff to a person", head, (run, names), |level| {
            let Some(one) = level.escalation else { return vec![time(None); 6] };
            let mut cells = [one.n, one.offered, one.claimed, one.done].map(number::whole).to_vec();
            cells.extend([ranged(available(&one), one.low, one.high), time(one.p95_ms)]);
            cells
        })
    })
}

fn timeline(run: &StressRun) -> Value {
    let head = ["seconds", "due", "answered or failed", "errors", "p50", "p95", "judged", "passed"];
    let row = |tick: &Tick| {
        let from = format!("{:.0}", tick.at_s);
        let [due, requests, errors] = [tick.due, tick.requests, tick.errors].map(number::whole);
        let [judged, passed] = [tick.judged, tick.passed].map(number::whole);
        [from, due, requests, errors, time(tick.p50_ms), time(tick.p95_ms), judged, passed]
    };
    json!({ "title": "Over time", "head": head, "rows": run.timeline.iter().map(row).collect::<Vec<_>>() })
}

fn of_case(case: &CaseUnderLoad) -> Value {
    json!({
        "class": if case.passed < case.judged { "failed" } else { "errored" },
        "name": excerpt(&format!("{}/{}", case.scenario, case.id), NAME),
        "place": excerpt(&format!("{}:{}", case.file, case.line), NAME),
        "tally": tally(case),
        "reason": case.reason.as_ref().map(|reason| excerpt(reason, TEXT)),
    })
}

fn all_passed(run: &StressRun) -> String {
    let judged: u64 = run.cases.iter().map(|case| case.judged).sum();
    match judged {
        0 => "nothing was judged".to_owned(),
        judged => format!("{} passed", count(judged, "conversation")),
    }
}

/// The settings of the load.
fn facts(run: &StressRun) -> Vec<[String; 2]> {
    let settings = &run.settings;
    let mut facts = vec![
        ["target".to_owned(), excerpt(&run.target.join(", "), TEXT)],
        ["suite".to_owned(), excerpt(&run.suite.join(" "), TEXT)],
        ["cases".to_owned(), number::size(run.cases.len())],
        ["started".to_owned(), excerpt(&run.at, NAME)],
        ["lasted".to_owned(), number::span(run.duration_ms)],
    ];
    let mut fact = |name: &str, value: String| facts.push([name.to_owned(), value]);
    if let Some(end) = ended(run) {
        fact("ended early", end.to_owned());
    }
    if settings.ramp_up_ms > 0 {
        fact("ramp-up", number::span(settings.ramp_up_ms));
    }
    if let Some(most) = settings.most_requests {
        fact("maximum requests", number::whole(most));
    }
    if settings.escalation_share > 0.0 {
        fact("share of escalations", share(Some(settings.escalation_share)));
    }
    fact("client limits and retries", if settings.limits { "on" } else { "off" }.to_owned());
    let crossed = match run.cross_talk {
        None => "not checked (--canary)".to_owned(),
        Some(crossed) => number::whole(crossed),
    };
    fact("references that turned up in another conversation", crossed);
    fact("cost", run.cost_usd.map_or_else(|| "unknown".to_owned(), |cost| format!("${cost:.4}")));
    fact("budget", settings.budget_usd.map_or_else(|| "none".to_owned(), |budget| format!("${budget:.2}")));
    fact("seed", run.seed.to_string());
    if let Some(schedule) = &settings.schedule {
        fact("schedule (SHA-256)", excerpt(schedule, NAME));
    }
    facts
}

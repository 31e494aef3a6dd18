//! The top of the page: the decision, its reasons, the numbers, and what was run and compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::gate::{Conclusion, Finding, State, WayOut};
use crate::manifest::{Counts, Trial};
use crate::report::Report;
use crate::report::table::{self, Row};
use crate::source::Location;
use crate::text::{self, excerpt, number};

/// Maximum number of characters in one value.
const VALUE: usize = 400;

/// Maximum number of reasons that are listed.
const REASONS: usize = 60;

/// Width of the bar of outcomes, in its own units.
const WIDTH: usize = 1_000;

/// Everything above the cases, as the template reads it.
pub(super) fn of(report: &Report<'_>) -> Value {
    let (run, decision) = (report.run, report.decision);
    let counts = decision.counts;
    let findings: Vec<_> = decision.findings.iter().chain(&decision.warnings).collect();
    let places: BTreeMap<&Location, usize> =
        run.cases.iter().enumerate().rev().map(|(index, case)| (&case.location, index)).collect();
    let more = findings.len().saturating_sub(REASONS);
    let mut meta = vec![text::count(counts.total(), "case")];
    meta.extend((run.duration_ms > 0).then(|| number::span(run.duration_ms)));
    meta.extend(run.at.as_deref().map(|at| excerpt(at, 40)));
    meta.push(format!("run {}", excerpt(&run.run_id, 40)));
    json!({
        "word": decision.conclusion.word(),
        "class": class(decision.conclusion),
        "summary": excerpt(&decision.summary, VALUE),
        "meta": meta.join(" · "),
        "counts": bar(counts),
        "rate": decision.pass_rate.map(number::percent),
        "total": counts.total(),
        "reasons": findings.iter().take(REASONS).map(|finding| reason(finding, &places)).collect::<Vec<_>>(),
        "more_reasons": (more > 0).then(|| number::size(more)),
        "numbers": numbers(report),
        "accept": accept(report),
        // Whether the numbers have a column for the baseline.
        "compares": table::compares(report),
        "power": decision.power.sentences(),
        "facts": facts(report),
    })
}

/// The last line of the page.
pub(super) fn foot(report: &Report<'_>) -> String {
    format!(
        "akit {} · seed {} · output of models and judges is shown as is, as plain text",
        excerpt(&report.run.akit, 40),
        report.run.seed,
    )
}

fn class(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Pass => "pass",
        Conclusion::Fail => "fail",
        Conclusion::Inconclusive => "inconclusive",
        Conclusion::Error => "error",
    }
}

/// The outcomes, each with its share of a bar.
fn bar(counts: Counts) -> Vec<Value> {
    let total = counts.total().max(1);
    let mut x = 0;
    let all = [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("errored", counts.errored),
        ("skipped", counts.skipped),
    ];
    let mut part = |(word, count): (&str, usize)| {
        // Even a single case is visible.
        let width = (count * WIDTH / total).max(if count > 0 { 4 } else { 0 });
        x += width;
        json!({ "word": word, "cases": count, "shown": number::size(count), "x": x - width, "width": width })
    };
    all.map(&mut part).into()
}

/// How to accept the failing cases, or why that would not be enough.
fn accept(report: &Report<'_>) -> Option<Value> {
    let stored = report.links.stored();
    let file = match &report.links.stored {
        Some(_) => format!("{stored} is this run"),
        None => format!("store this run with --json {stored} first"),
    };
    Some(match report.decision.way_out(stored)? {
        WayOut::Accept { command, then } => json!({
            "command": excerpt(&command, 4_000),
            "then": excerpt(&format!("Run this command, {then}; {file}."), VALUE),
        }),
        WayOut::NotEnough(why) => json!({ "command": "", "then": excerpt(&why, VALUE) }),
    })
}

fn reason(finding: &Finding, places: &BTreeMap<&Location, usize>) -> Value {
    let mut detail = Vec::new();
    if let (Some(measured), Some(limit)) = (finding.measured, finding.limit) {
        let (measured, limit) = number::scores(measured, limit);
        detail.push(format!("measured {measured}, limit {limit}"));
    }
    detail.extend(finding.p_value.map(chance));
    detail.extend(finding.location.as_ref().map(|place| excerpt(&place.to_string(), VALUE)));
    let place = finding.location.as_ref().filter(|_| finding.is_by_case());
    json!({
        "id": excerpt(finding.id.word(), 60),
        "class": match finding.conclusion {
            Conclusion::Fail => "failed",
            Conclusion::Error | Conclusion::Inconclusive => "errored",
            Conclusion::Pass => "skipped",
        },
        "message": excerpt(&finding.message, VALUE),
        "detail": detail.join(" · "),
        // The case that it is about.
        "case": place.and_then(|at| places.get(at)),
    })
}

/// `p = 0.0333`; never 0, because no test is that certain.
fn chance(p: f64) -> String {
    if p < 0.000_1 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

fn numbers(report: &Report<'_>) -> Vec<Row> {
    let run = report.run;
    let mut rows = table::rows(report);
    let mut latencies: Vec<u64> = run.answers().filter_map(|answer| answer.latency_ms).collect();
    latencies.sort_unstable();
    if let (Some(median), Some(most)) = (latencies.get(latencies.len() / 2), latencies.last()) {
        rows.push(Row::new("time per answer", format!("{} (median)", number::span(*median)), None));
        rows.push(Row::new("slowest answer", number::span(*most), None));
    }
    rows.extend(table::tokens(report));
    let spent: f64 = run.trials().map(Trial::spent_usd).sum();
    if spent > 0.0 {
        rows.push(Row::new("spent", format!("${spent:.4}"), None));
    }
    for row in &mut rows {
        row.metric = excerpt(&row.metric, 60);
    }
    rows
}

fn facts(report: &Report<'_>) -> Vec<Value> {
    let run = report.run;
    let mut facts = Vec::new();
    let mut add = |label: &str, values: Vec<String>| {
        let mut seen = BTreeSet::new();
        let values: Vec<_> = values.into_iter().map(|value| excerpt(&value, VALUE)).collect();
        let values: Vec<_> = values.into_iter().filter(|value| seen.insert(value.clone())).take(20).collect();
        if !values.is_empty() {
            facts.push(json!({ "label": label, "values": values }));
        }
    };
    add("answered by", run.scenarios.iter().map(|one| one.target.clone()).collect());
    add("judged by", run.scenarios.iter().filter_map(|one| one.grader.clone()).collect());
    add("reported by the providers", run.answered_by().into_iter().collect());
    let grades = run.grades();
    let cached = grades.iter().filter(|grade| grade.recorded).count();
    let verdicts =
        (cached > 0).then(|| format!("{} of {} verdicts", number::size(cached), number::size(grades.len())));
    add("from the cache", report.cached().into_iter().chain(verdicts).collect());
    add("compared with", report.compared_with().into_iter().collect());
    if let Some(compared) = &report.decision.compared {
        add("answered by another model", compared.changed.clone());
        add("only in the baseline", compared.removed.clone());
    }
    add("redacted", report.redacted().into_iter().collect());
    add("notes", run.notes.clone());
    add("files", run.scenarios.iter().map(|one| one.file.clone()).collect());
    facts
}

/// The states, scenarios and tags that cases are filtered by; a case refers to its own by index.
#[derive(Debug)]
pub(super) struct Filters {
    states: Vec<State>,
    scenarios: BTreeMap<String, usize>,
    tags: BTreeMap<String, usize>,
}

/// One list to choose from.
#[derive(Debug, Serialize)]
pub(super) struct Filter {
    key: &'static str,
    label: &'static str,
    choices: Vec<String>,
}

impl Filters {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut states = Vec::new();
        for entry in report.entries() {
            if !states.contains(&entry.state) {
                states.push(entry.state);
            }
        }
        let numbered = |names: BTreeSet<&String>| names.into_iter().cloned().zip(0..).collect();
        Self {
            states,
            scenarios: numbered(report.run.cases.iter().map(|case| &case.scenario).collect()),
            tags: numbered(report.run.cases.iter().flat_map(|case| &case.tags).collect()),
        }
    }

    /// The lists that offer a choice.
    pub(super) fn shown(&self) -> Vec<Filter> {
        let names = |names: &BTreeMap<String, usize>| names.keys().map(|name| excerpt(name, 60)).collect();
        let states = self.states.iter().map(|state| state.words().to_owned()).collect();
        let all = [
            Filter { key: "s", label: "State", choices: states },
            Filter { key: "g", label: "Scenario", choices: names(&self.scenarios) },
            Filter { key: "t", label: "Tag", choices: names(&self.tags) },
        ];
        let chosen = |one: &Filter| one.choices.len() > usize::from(one.key != "t");
        all.into_iter().filter(chosen).collect()
    }

    pub(super) fn state(&self, state: State) -> usize {
        self.states.iter().position(|one| *one == state).unwrap_or(0)
    }

    pub(super) fn scenario(&self, name: &str) -> usize {
        self.scenarios.get(name).copied().unwrap_or(0)
    }

    /// The indexes of these tags, separated by spaces.
    pub(super) fn tags(&self, tags: &[String]) -> String {
        let places: Vec<_> = tags.iter().filter_map(|tag| self.tags.get(tag)).map(usize::to_string).collect();
        places.join(" ")
    }
}

//! A pull-request comment or a step summary.
//!
//! The first line has verdict, reason and numbers. All text of others is inert. It is at most
//! [`MOST`] bytes: whole entries are left out, the least important section first, and a line says so.

mod detail;
mod pen;

use std::fmt::Write as _;

use crate::gate::{Conclusion, State, WayOut};
use crate::text::number;
use crate::vocabulary::Outcome;

use super::table::{self, Row};
use super::{Entry, Report};
use pen::Pen;

/// Bytes of the whole text; GitHub takes 65,536 characters, and the publisher adds a marker.
pub const MOST: usize = 60_000;

/// Bytes kept free for the line that says what was left out.
const RESERVE: usize = 600;

/// Entries of a section that are tried; more never fit.
const TRIED: usize = 2_000;

/// Characters of one value.
const VALUE: usize = 200;

/// A heading and what stands under it.
struct Section {
    title: &'static str,
    /// What one entry is called where some are left out.
    noun: &'static str,
    /// Small numbers are kept when there is not enough room.
    rank: u8,
    /// All there are.
    total: usize,
    /// The first of them.
    entries: Vec<String>,
}

/// The whole report.
#[must_use]
pub fn of_report(report: &Report<'_>) -> String {
    within(report, MOST, &Pen::default())
}

/// The same for a page that more people read than the run was for, as a comment: without cards, keys and e-mail addresses, and
/// in at most so many bytes.
#[must_use]
pub fn posted(report: &Report<'_>, most: usize) -> String {
    within(report, most.min(MOST), &Pen::posted())
}

fn within(report: &Report<'_>, most: usize, pen: &Pen) -> String {
    let mut out = head(report, pen);
    let mut sections = sections(report, pen);
    let dropped = fit(&mut sections, most.saturating_sub(out.len() + RESERVE));
    for section in sections.iter().filter(|section| !section.entries.is_empty()) {
        out.push_str(&section.heading());
        section.entries.iter().for_each(|entry| out.push_str(entry));
    }
    if !dropped.is_empty() {
        let _ = write!(
            out,
            "\nLeft out here, for length: {}. The other reports have them.\n",
            dropped.join(", ")
        );
    }
    out
}

impl Section {
    fn new(title: &'static str, noun: &'static str, rank: u8, all: Vec<String>) -> Self {
        Self { title, noun, rank, total: all.len(), entries: all }
    }

    fn heading(&self) -> String {
        format!("\n#### {}\n", self.title)
    }
}

/// Leaves out what does not fit and tells how much of what that was.
fn fit(sections: &mut [Section], mut room: usize) -> Vec<String> {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|index| sections[*index].rank);
    let mut dropped = Vec::new();
    for index in order {
        let section = &mut sections[index];
        let mut need = section.heading().len();
        let mut kept = 0;
        for entry in &section.entries {
            need += entry.len();
            if need > room {
                break;
            }
            room -= need;
            need = 0;
            kept += 1;
        }
        let left_out = section.total.saturating_sub(kept);
        section.entries.truncate(kept);
        if left_out > 0 {
            dropped.push(format!("{} {}", number::size(left_out), section.noun));
        }
    }
    dropped
}

/// The line that everybody reads and the table.
fn head(report: &Report<'_>, pen: &Pen) -> String {
    let decision = report.decision;
    let mut out = format!(
        "### akit: {} — {} — {}\n\n",
        decision.conclusion.word(),
        pen.inline(&decision.summary, VALUE),
        super::entry::counts(report)
    );
    let compares = table::compares(report);
    out.push_str(if compares {
        "| metric | now | baseline | limit |\n|---|---|---|---|\n"
    } else {
        "| metric | now | limit |\n|---|---|---|\n"
    });
    let mut rows = table::rows(report);
    if report.run.duration_ms > 0 {
        rows.push(Row::new("time", number::span(report.run.duration_ms), None));
    }
    rows.extend(table::tokens(report));
    for Row { metric, now, baseline, limit } in rows {
        let metric = pen.inline(&metric, 60);
        // Writing to a String cannot fail.
        let _ = if compares {
            writeln!(out, "| {metric} | {now} | {baseline} | {limit} |")
        } else {
            writeln!(out, "| {metric} | {now} | {limit} |")
        };
    }
    out
}

fn sections(report: &Report<'_>, pen: &Pen) -> Vec<Section> {
    let cases = |title, noun, rank, wanted: &dyn Fn(&Entry<'_>) -> bool| {
        let all: Vec<_> = report.entries().filter(|one| wanted(one)).collect();
        let entries = all.iter().take(TRIED).map(|one| detail::of(one, pen)).collect();
        Section { title, noun, rank, total: all.len(), entries }
    };
    let failed = |one: &Entry<'_>| one.case.outcome == Outcome::Failed;
    let errored = |one: &Entry<'_>| one.case.outcome == Outcome::Errored;
    let broken = |one: &Entry<'_>| failed(one) && one.state == State::Broken;
    let open = |one: &Entry<'_>| matches!(one.state, State::Unconfirmed | State::Open);
    let names = |title, noun, rank, names: Vec<String>| {
        let entries = names.iter().take(TRIED).map(|name| format!("- {}\n", pen.code(name, VALUE))).collect();
        Section { title, noun, rank, total: names.len(), entries }
    };
    let fixed = report.entries().filter(|one| one.state == State::Fixed).map(|one| one.name()).collect();
    let removed =
        report.decision.compared.as_ref().map(|compared| compared.removed.clone()).unwrap_or_default();
    vec![
        Section::new("Why", "reasons", 0, reasons(report, pen)),
        cases("Broken since the baseline", "broken cases", 1, &broken),
        cases("Failed", "failed cases", 2, &|one| failed(one) && one.blocking && !broken(one)),
        cases("Could not be judged", "errored cases", 3, &errored),
        cases("Failed, but does not block", "failed cases that do not block", 5, &|one| {
            failed(one) && !one.blocking && !broken(one) && !open(one) && !one.flaky()
        }),
        cases("Neither confirmed nor cleared", "unconfirmed cases", 2, &|one| {
            !one.blocking && open(one) && !errored(one)
        }),
        cases("Flaky", "flaky cases", 6, &|one| !one.blocking && one.flaky()),
        names("Fixed since the baseline", "fixed cases", 7, fixed),
        names("Only in the baseline", "removed cases", 8, removed),
        Section::new("About this run", "facts", 4, facts(report, pen)),
    ]
}

/// The findings that no failed case tells.
fn reasons(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let accept = report.decision.way_out("run.json").map(|way| match way {
        WayOut::Accept { command, then } => format!(
            "- if what broke is meant: {}, {}; `run.json` is this run (`--json`)\n",
            pen.code(&command, 4_000),
            pen.inline(&then, VALUE)
        ),
        WayOut::NotEnough(why) => {
            format!("- to accept the failing cases would not be enough: {}\n", pen.inline(&why, 2 * VALUE))
        }
    });
    report
        .findings()
        .map(|one| {
            let warning = if one.conclusion == Conclusion::Pass { "warning, " } else { "" };
            format!("- {warning}{}: {}\n", pen.code(one.id.word(), 60), pen.inline(&one.message, 2 * VALUE))
        })
        .chain(accept)
        .collect()
}

/// Who answered, who judged, what was compared, what else is to know.
fn facts(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let mut out = Vec::new();
    let mut add = |label: &str, value: &str| {
        let line = format!("- {label}: {}\n", pen.inline(value, VALUE));
        if !out.contains(&line) {
            out.push(line);
        }
    };
    let scenarios = || report.run.scenarios.iter().take(20);
    scenarios().for_each(|one| add("answered by", &one.target));
    scenarios().filter_map(|one| one.grader.as_ref()).for_each(|grader| add("judged by", grader));
    report.cached().iter().for_each(|words| add("from the cache", words));
    report.compared_with().iter().for_each(|words| add("compared with", words));
    if let Some(compared) = &report.decision.compared {
        compared.changed.iter().for_each(|change| add("answered by another model", change));
    }
    report.redacted().iter().for_each(|words| add("redacted", words));
    report.decision.power.sentences().iter().for_each(|sentence| add("power", sentence));
    report.run.notes.iter().take(20).for_each(|note| add("note", note));
    out
}

#[cfg(test)]
mod tests;

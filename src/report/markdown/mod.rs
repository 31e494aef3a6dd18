//! A pull-request comment or a step summary.
//!
//! It starts with the decision, the names of what broke, and the links; then come the numbers next to those of the
//! baseline, what to do next, and each case in a folded block. Untrusted text has no effect. The report has at most
//! [`MOST`] bytes: if it is too long, whole entries are left out, starting with the least important section, and a line
//! says so.

mod change;
mod detail;
mod next;
mod pen;

use std::fmt::Write as _;

use crate::gate::{Conclusion, State};
use crate::manifest::Trial;
use crate::text::number;
use crate::vocabulary::Outcome;

use super::table;
use super::view::View;
use super::{Entry, Report};
use pen::Pen;

/// Maximum number of bytes in the whole text; GitHub accepts 65,536 characters, and the publisher adds a marker.
pub const MOST: usize = 60_000;

/// Number of bytes kept free for the line that says what was left out.
const RESERVE: usize = 600;

/// Maximum number of entries of a section that are tried; more never fit.
const TRIED: usize = 2_000;

/// Maximum number of characters in a value.
const VALUE: usize = 200;

/// Maximum number of cases that are named at the top.
const NAMED: usize = 10;

/// Maximum number of characters in a name at the top, and in the reason next to it.
const BRIEF: usize = 120;

/// A heading and its entries.
struct Section {
    title: &'static str,
    /// What one entry is called if some are left out.
    noun: &'static str,
    /// The smaller the rank, the longer the section is kept.
    rank: u8,
    /// Number of all its entries.
    total: usize,
    /// Its first entries.
    entries: Vec<String>,
}

/// Cases with something in common.
struct Group {
    title: &'static str,
    noun: &'static str,
    rank: u8,
    /// Whether they are named at the top.
    is_named: bool,
    holds: fn(&Entry<'_>) -> bool,
}

/// Every case that needs a look is in one of these.
const GROUPS: [Group; 6] = [
    Group {
        title: "Broken since the baseline",
        noun: "broken cases",
        rank: 2,
        is_named: true,
        holds: is_broken,
    },
    Group {
        title: "Failed",
        noun: "failed cases",
        rank: 3,
        is_named: true,
        holds: |one| failed(one) && one.blocking && !is_broken(one),
    },
    Group {
        title: "Could not be judged",
        noun: "errored cases",
        rank: 4,
        is_named: true,
        holds: |one| one.case.outcome == Outcome::Errored,
    },
    Group {
        title: "Not confirmed",
        noun: "unconfirmed cases",
        rank: 3,
        is_named: true,
        holds: |one| !one.blocking && one.state.is_open() && one.case.outcome != Outcome::Errored,
    },
    Group {
        title: "Failed, but does not block",
        noun: "failed cases that do not block",
        rank: 6,
        is_named: false,
        holds: |one| failed(one) && !one.blocking && !is_broken(one) && !one.state.is_open() && !one.flaky(),
    },
    Group {
        title: "Flaky",
        noun: "flaky cases",
        rank: 7,
        is_named: false,
        holds: |one| !one.blocking && one.flaky() && one.case.outcome != Outcome::Errored,
    },
];

fn failed(one: &Entry<'_>) -> bool {
    one.case.outcome == Outcome::Failed
}

fn is_broken(one: &Entry<'_>) -> bool {
    failed(one) && one.state == State::Broken
}

/// The whole report.
#[must_use]
pub fn of_report(report: &Report<'_>) -> String {
    within(report, MOST, &Pen::default())
}

/// Like [`of_report`], but for a page that more people read than the run was meant for, such as a comment: without
/// cards, keys and email addresses, and in at most this many bytes.
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
        let _ = write!(out, "\nOmitted for length: {}. The other reports have them.\n", dropped.join(", "));
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

/// Leaves out the entries that do not fit; returns how many of each kind were left out.
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

/// The decision, the names of what broke, the links, and the numbers next to those of the baseline.
fn head(report: &Report<'_>, pen: &Pen) -> String {
    let decision = report.decision;
    let mark = match decision.conclusion {
        Conclusion::Fail => "❌",
        Conclusion::Error => "⚠️",
        Conclusion::Inconclusive => "❔",
        Conclusion::Pass => "✅",
    };
    let summary = pen.inline(&decision.summary, VALUE);
    let mut out = format!("### {mark} akit: {} — {summary}\n\n", decision.conclusion.word());
    named(report, pen, &mut out);
    out.push_str(&facts_line(report));
    let rows = table::changes(report);
    if !rows.is_empty() {
        out.push_str("\n| | now | baseline | change |\n|---|--:|--:|--:|\n");
    }
    for row in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| {} |", row.map(|cell| pen.inline(&cell, VALUE)).join(" | "));
    }
    out
}

/// The first cases that broke, failed or are open, each with its line and its reason.
fn named(report: &Report<'_>, pen: &Pen, out: &mut String) {
    let mut room = NAMED;
    let mut more = 0;
    for group in GROUPS.iter().filter(|group| group.is_named) {
        let all: Vec<_> = report.entries().filter(|one| (group.holds)(one)).collect();
        let shown = all.len().min(room);
        if shown > 0 {
            let _ = writeln!(out, "**{}**", group.title);
        }
        for entry in &all[..shown] {
            let view = View::of(entry);
            let pen = &pen.quoting(&view, None);
            let name = linked(&pen.code(&view.name, BRIEF), report.links.line(&entry.case.location));
            let _ = writeln!(out, "- {name}: {}", pen.inline(&view.why, BRIEF));
        }
        if shown > 0 {
            out.push('\n');
        }
        room -= shown;
        more += all.len() - shown;
    }
    if more > 0 {
        let _ = writeln!(out, "… and {} more.\n", number::size(more));
    }
}

/// `2 passed, 7 failed · run · page · commit a1b2c3d`, with links.
fn facts_line(report: &Report<'_>) -> String {
    let links = report.links;
    let mut parts = vec![super::entry::counted(report)];
    if let Some(rate) = report.decision.pass_rate.filter(|_| !table::compares_all(report)) {
        parts.push(format!("pass rate {}", number::percent(rate)));
    }
    parts.extend(links.run.clone().map(|run| linked("run", Some(run))));
    parts.extend(links.page.clone().map(|page| linked("page", Some(page))));
    parts.extend(links.commit.clone().map(|commit| {
        let short: String = commit.rsplit('/').next().unwrap_or_default().chars().take(7).collect();
        linked(&format!("commit <code>{short}</code>"), Some(commit))
    }));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ") + "\n"
}

/// Words that link to an address, if there is one.
fn linked(words: &str, address: Option<String>) -> String {
    address.map_or_else(|| words.to_owned(), |address| format!("[{words}]({address})"))
}

fn sections(report: &Report<'_>, pen: &Pen) -> Vec<Section> {
    let cases = |group: &Group| {
        let all: Vec<_> = report.entries().filter(|one| (group.holds)(one)).collect();
        let entries = all.iter().take(TRIED).map(|one| detail::of(one, report, pen)).collect();
        Section { title: group.title, noun: group.noun, rank: group.rank, total: all.len(), entries }
    };
    let names = |title, noun, rank, names: Vec<String>| {
        let entries = names.iter().take(TRIED).map(|name| format!("- {}\n", pen.code(name, VALUE))).collect();
        Section { title, noun, rank, total: names.len(), entries }
    };
    let fixed = report.entries().filter(|one| one.state == State::Fixed).map(|one| one.name()).collect();
    let removed =
        report.decision.compared.as_ref().map(|compared| compared.removed.clone()).unwrap_or_default();
    let passes = report.decision.conclusion == Conclusion::Pass;
    let mut all = vec![
        Section::new(if passes { "Warnings" } else { "Why" }, "reasons", 1, reasons(report, pen)),
        Section::new("What to do", "steps", 0, next::steps(report, pen)),
    ];
    all.extend(GROUPS.iter().map(cases));
    all.extend([
        names("Fixed since the baseline", "fixed cases", 8, fixed),
        names("Only in the baseline", "removed cases", 9, removed),
        Section::new("About this run", "facts", 5, facts(report, pen)),
    ]);
    all
}

/// The findings that neither the headline nor a failed case shows, each with its line.
fn reasons(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let passes = report.decision.conclusion == Conclusion::Pass;
    report
        .findings()
        .filter(|one| one.location.is_some() || one.message != report.decision.summary)
        .map(|one| {
            let is_warning = one.conclusion == Conclusion::Pass && !passes;
            let warning = if is_warning { "warning, " } else { "" };
            let at = one.location.as_ref().map(|at| {
                format!(" ({})", linked(&pen.inline(&at.to_string(), VALUE), report.links.line(at)))
            });
            format!(
                "- {warning}{}: {}{}\n",
                pen.code(one.id.word(), 60),
                pen.inline(&one.message, 2 * VALUE),
                at.unwrap_or_default()
            )
        })
        .collect()
}

/// Who answered and judged, what was compared, and other facts about the run.
fn facts(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let mut out = Vec::new();
    let mut add = |label: &str, value: &str| {
        let line = format!("- {label}: {}\n", pen.inline(value, VALUE));
        if !value.is_empty() && !out.contains(&line) {
            out.push(line);
        }
    };
    let scenarios = || report.run.scenarios.iter().take(20);
    scenarios().for_each(|one| add("application", &one.target));
    scenarios().filter_map(|one| one.grader.as_ref()).for_each(|grader| add("judge", grader));
    let ms = report.run.duration_ms;
    let mut usage = Vec::from_iter((ms > 0).then(|| number::span(ms)));
    usage.extend(table::tokens(report).map(|row| format!("{} {}", row.now, row.metric)));
    let spent: f64 = report.run.trials().map(Trial::spent_usd).sum();
    usage.extend((spent > 0.0).then(|| format!("${spent:.4}")));
    add("usage", &usage.join(", "));
    report.cached().iter().for_each(|words| add("from the cache", words));
    report.compared_with().iter().for_each(|words| add("compared with", words));
    if let Some(compared) = &report.decision.compared {
        compared.changed.iter().for_each(|change| add("another model answered", change));
    }
    report.redacted().iter().for_each(|words| add("redacted", words));
    report.decision.power.sentences().iter().for_each(|sentence| add("note", sentence));
    report.run.notes.iter().take(20).for_each(|note| add("note", note));
    out
}

#[cfg(test)]
mod tests;

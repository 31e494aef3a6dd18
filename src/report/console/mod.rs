//! For people, at a terminal or in a log: what needs attention first, the result last.
//!
//! Passing cases are not listed. The last line is the only one that starts with `RESULT:`.

mod fold;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::gate::{Conclusion, Finding, State};
use crate::source::Ink;
use crate::text::{self, log, number};
use crate::vocabulary::{Answer, Outcome};

use super::entry::counts;
use super::view::{Label, View};
use super::{Entry, Report};

pub use fold::Fold;

/// Maximum number of cases shown in full.
const BLOCKS: usize = 50;

/// Maximum number of characters in a value.
const WIDTH: usize = 300;

/// Maximum number of cases named per cause.
const CAUSED: usize = 5;

/// Maximum number of cases named at the end.
const RECAP: usize = 20;

/// Maximum number of verdicts per case.
const VERDICTS: usize = 10;

/// How much to show, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether to use colors.
    pub ink: Ink,
    /// How cases are folded.
    pub fold: Fold,
    /// How much to show.
    pub depth: Depth,
    /// Columns of the terminal, if there is one.
    pub width: Option<usize>,
    /// How long the command has taken, if it made the run.
    pub took: Option<Duration>,
}

impl Layout {
    /// Everything, readable anywhere.
    #[must_use]
    pub fn of(ink: Ink) -> Self {
        Self { ink, fold: Fold::None, depth: Depth::Full, width: None, took: None }
    }
}

/// How much to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Every case that did not pass, and the facts.
    #[default]
    Full,
    /// The findings and the result.
    Brief,
}

/// The whole report.
#[must_use]
pub fn of_report(report: &Report<'_>, ink: Ink) -> String {
    shown(report, Layout::of(ink))
}

/// The report with this layout.
#[must_use]
pub fn shown(report: &Report<'_>, layout: Layout) -> String {
    let page = whole(report, layout);
    // Below this width, nothing fits.
    layout.width.map_or_else(|| page.clone(), |width| text::wrap(&page, width.max(40)))
}

fn whole(report: &Report<'_>, layout: Layout) -> String {
    let ink = layout.ink;
    let mut page = Page { out: String::new(), ink };
    if layout.depth == Depth::Brief {
        page.reasons(report);
        page.out.push_str(&result(report, layout));
        page.out.push('\n');
        return page.out;
    }
    let at = fold::seconds(report.run.at.as_deref());
    let mut wrong = report.with(Outcome::Failed);
    let (shared, own) = by_cause(report.with(Outcome::Errored));
    wrong.extend(own);
    for (number, entry) in wrong.iter().take(BLOCKS).enumerate() {
        page.out.push_str(&layout.fold.begin(number, at));
        page.case(entry);
        page.out.push_str(&layout.fold.end(number, at));
        page.out.push('\n');
    }
    if wrong.len() > BLOCKS {
        let _ = writeln!(page.out, "… and {} more that did not pass\n", number::size(wrong.len() - BLOCKS));
    }
    for (cause, entries) in shared {
        page.cause(cause, &entries);
    }
    let facts = page.out.len();
    page.findings(report);
    page.comparison(report);
    if let Some(words) = report.redacted() {
        page.fact(Style::new(), "redacted", &words);
    }
    for note in &report.run.notes {
        page.fact(Style::new(), "note", note);
    }
    if page.out.len() > facts {
        page.out.push('\n');
    }
    page.recap(report);
    page.out.push_str(&result(report, layout));
    page.out.push('\n');
    page.out
}

/// Errored cases grouped by cause, and the rest.
type ByCause<'a> = (BTreeMap<&'a str, Vec<Entry<'a>>>, Vec<Entry<'a>>);

/// Groups errored cases by cause: if thousands of cases lack a record for the same reason, that is one message.
fn by_cause(errored: Vec<Entry<'_>>) -> ByCause<'_> {
    fn cause<'a>(entry: &Entry<'a>) -> &'a str {
        entry.fault().map_or("", |fault| &fault.cause)
    }
    let mut shared: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for entry in &errored {
        shared.entry(cause(entry)).or_default().push(*entry);
    }
    shared.retain(|cause, entries| !cause.is_empty() && entries.len() > 1);
    let own = errored.into_iter().filter(|entry| !shared.contains_key(cause(entry))).collect();
    (shared, own)
}

/// How many answers were read and how many were requested; `None` if all were requested.
fn origins(report: &Report<'_>) -> Option<String> {
    let count = |wanted: &dyn Fn(&Answer) -> bool| report.run.answers().filter(|one| wanted(one)).count();
    let read = [
        (count(&|one| one.recorded), "from the cache"),
        (count(&|one| one.given && !one.recorded), "from files"),
    ];
    let mut words: Vec<_> = read.into_iter().filter(|(n, _)| *n > 0).collect();
    if words.is_empty() {
        return None;
    }
    words.push((count(&|one| !one.recorded && !one.given), "asked"));
    let words: Vec<_> = words.iter().map(|(n, what)| format!("{} {what}", number::size(*n))).collect();
    Some(words.join(", "))
}

/// How long it took; if nothing was sent, also how long the recorded answers took.
fn times(report: &Report<'_>, took: Option<Duration>) -> String {
    let run = report.run;
    let live = run.answers().any(|one| !one.recorded && !one.given)
        || run.grades().into_iter().any(|grade| !grade.recorded);
    // A live run takes time even without answers.
    let recorded = !live && run.duration_ms == run.recorded_ms();
    let recorded_ms = Some(run.duration_ms).filter(|ms| recorded && *ms > 0);
    let clock_ms = if recorded {
        took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    } else {
        Some(run.duration_ms).filter(|ms| *ms > 0)
    };
    let part = |word: &str, ms: Option<u64>| ms.map(|ms| format!("; {word} {}", number::span(ms)));
    [part("took", clock_ms), part("recorded", recorded_ms)].into_iter().flatten().collect()
}

/// The line with the decision, the numbers and the reason, without a line end.
///
/// The tokens are those of the application and the judge together, with the judge's share in parentheses.
fn result(report: &Report<'_>, layout: Layout) -> String {
    let mut out = "RESULT: ".to_owned();
    let style = match report.decision.conclusion {
        Conclusion::Pass => AnsiColor::Green.on_default().bold(),
        Conclusion::Fail => AnsiColor::Red.on_default().bold(),
        Conclusion::Error | Conclusion::Inconclusive => AnsiColor::Yellow.on_default().bold(),
    };
    paint(&mut out, layout.ink, style, report.decision.conclusion.word());
    let _ = write!(out, " — {}{}", counts(report), times(report, layout.took));
    if let Some(origins) = origins(report) {
        let _ = write!(out, "; {origins}");
    }
    if let Some(tokens) = tokens(report) {
        let _ = write!(out, "; {tokens}");
    }
    let _ = write!(out, "; {}", log::line(&report.decision.summary, WIDTH));
    out
}

/// For example `1,234 tokens (judge 567)`; `None` if the tokens are unknown.
fn tokens(report: &Report<'_>) -> Option<String> {
    let judge = report.run.grader_usage().map(crate::vocabulary::Usage::total);
    match (report.run.usage().map(crate::vocabulary::Usage::total), judge) {
        (None, None) => None,
        (Some(all), None) => Some(format!("{} tokens", number::whole(all))),
        (own, Some(judge)) => Some(format!(
            "{} tokens (judge {})",
            number::whole(own.unwrap_or(0).saturating_add(judge)),
            number::whole(judge)
        )),
    }
}

fn paint(out: &mut String, ink: Ink, style: Style, words: &str) {
    let _ = match ink {
        Ink::Colour => write!(out, "{style}{words}{style:#}"),
        Ink::Plain => write!(out, "{words}"),
    };
}

struct Page {
    out: String,
    ink: Ink,
}

impl Page {
    /// One case that did not pass.
    fn case(&mut self, entry: &Entry<'_>) {
        let (style, word) = match entry.case.outcome {
            Outcome::Errored => (AnsiColor::Yellow.on_default().bold(), "ERRORED"),
            Outcome::Passed | Outcome::Failed | Outcome::Skipped => {
                (AnsiColor::Red.on_default().bold(), "FAILED")
            }
        };
        paint(&mut self.out, self.ink, style, word);
        self.out.push(' ');
        let view = View::of(entry);
        paint(&mut self.out, self.ink, Style::new().bold(), &log::line(&view.name, WIDTH));
        if !view.title.is_empty() {
            let _ = write!(self.out, " — {}", log::line(view.title, WIDTH));
        }
        if !view.state.is_empty() {
            let _ = write!(self.out, " ({})", log::line(&view.state, WIDTH));
        }
        self.out.push('\n');
        for (label, value) in view.facts(VERDICTS) {
            match label {
                Label::Heading(_) => {}
                Label::Own(label) => self.line(2, label, &value),
                Label::Broke(label) => self.line(2, &log::line(label, 80), &value),
                Label::Answer => self.line(2, "answer", &value),
                Label::Kind(kind) => self.line(2, &log::line(kind, 60), &value),
                Label::Part(label) => self.line(4, label, &value),
                Label::More => {
                    let _ = writeln!(self.out, "  {value}");
                }
            }
        }
        let trial = &view.trial;
        if trial.fault.is_some() || trial.talk.is_some() {
            return;
        }
        if trial.verdicts.is_empty() {
            self.line(2, "reason", &view.why);
        }
        // What an expectation found is part of the answer.
        if trial.verdicts.iter().all(|one| one.verdict.got.is_empty()) {
            self.line(2, "answer", trial.answer.unwrap_or_default());
        }
    }

    /// Lists every case that did not pass by name and line, because the details above may fill screens.
    fn recap(&mut self, report: &Report<'_>) {
        let wrong = [report.with(Outcome::Failed), report.with(Outcome::Errored)].concat();
        if wrong.is_empty() {
            return;
        }
        paint(&mut self.out, self.ink, Style::new().bold(), "Did not pass:");
        self.out.push('\n');
        for entry in wrong.iter().take(RECAP) {
            let view = View::of(entry);
            let word = if entry.case.outcome == Outcome::Failed { "failed" } else { "errored" };
            let excused = if entry.state.is_open() { ", not confirmed" } else { ", does not block" };
            let excused = if entry.blocking { "" } else { excused };
            let name = log::line(&view.name, WIDTH);
            let _ = writeln!(self.out, "  {word:<7}  {name}  ({}{excused})", log::line(&view.place, WIDTH));
        }
        if wrong.len() > RECAP {
            let _ = writeln!(self.out, "  … and {} more", number::size(wrong.len() - RECAP));
        }
        self.out.push('\n');
    }

    /// Errored cases with the same cause.
    fn cause(&mut self, cause: &str, entries: &[Entry<'_>]) {
        paint(&mut self.out, self.ink, AnsiColor::Yellow.on_default().bold(), "ERRORED");
        let _ = writeln!(self.out, " {}: {}", text::count(entries.len(), "case"), log::line(cause, WIDTH));
        let mut names: Vec<String> = entries.iter().take(CAUSED).map(Entry::name).collect();
        if entries.len() > CAUSED {
            names.push(format!("and {} more", number::size(entries.len() - CAUSED)));
        }
        self.line(2, "cases", &names.join(", "));
        if let Some(first) = entries.first() {
            self.line(2, "at", &View::of(first).place);
            self.line(2, "help", first.fault().map_or("", |fault| &fault.help));
        }
        self.out.push('\n');
    }

    /// Writes `label: value`, indented; writes nothing if the value is empty.
    fn line(&mut self, indent: usize, label: &str, value: &str) {
        if !value.is_empty() {
            let _ = write!(self.out, "{:indent$}", "");
            paint(&mut self.out, self.ink, Style::new().dimmed(), &format!("{label}:"));
            let _ = writeln!(self.out, " {}", log::line(value, WIDTH));
        }
    }

    fn fact(&mut self, style: Style, label: &str, words: &str) {
        paint(&mut self.out, self.ink, style, label);
        let _ = writeln!(self.out, ": {}", log::line(words, WIDTH));
    }

    /// The findings that block a pass, or the first of them.
    fn reasons(&mut self, report: &Report<'_>) {
        let findings = &report.decision.findings;
        for finding in findings.iter().take(BLOCKS) {
            self.finding(finding);
        }
        if findings.len() > BLOCKS {
            let _ = writeln!(self.out, "… and {} more", number::size(findings.len() - BLOCKS));
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let (style, label) = match finding.conclusion {
            Conclusion::Fail => (AnsiColor::Red.on_default(), finding.id.to_string()),
            Conclusion::Error | Conclusion::Inconclusive => {
                (AnsiColor::Yellow.on_default(), finding.id.to_string())
            }
            Conclusion::Pass => (AnsiColor::Yellow.on_default(), format!("warning, {}", finding.id)),
        };
        let at = finding.location.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
        self.fact(style, &log::line(&label, 80), &format!("{}{at}", finding.message));
    }

    /// The findings that are not about a failed case.
    fn findings(&mut self, report: &Report<'_>) {
        for finding in report.findings() {
            self.finding(finding);
        }
        for sentence in report.decision.power.sentences() {
            self.fact(Style::new(), "note", &sentence);
        }
    }

    /// The comparison with the baseline, and cases whose results vary.
    fn comparison(&mut self, report: &Report<'_>) {
        if let Some(compared) = &report.decision.compared {
            let paired = text::count(compared.paired, "case");
            self.fact(Style::new(), "baseline", &format!("{paired} compared with {}", compared.from));
            for change in &compared.changed {
                self.fact(Style::new(), "another model answered", change);
            }
        }
        let names = |wanted: &dyn Fn(&Entry<'_>) -> bool| -> Vec<String> {
            report.entries().filter(|one| wanted(one)).map(|one| one.name()).collect()
        };
        let removed = report.decision.compared.as_ref().map(|compared| compared.removed.clone());
        let groups = [
            ("fixed", names(&|one| one.state == State::Fixed)),
            ("failing as before", names(&|one| one.state == State::FailingAsBefore)),
            ("removed", removed.unwrap_or_default()),
            ("split votes", names(&|one| one.case.split_votes())),
            ("flaky", names(&|one| one.flaky())),
            ("cleared", names(&|one| one.state == State::Cleared)),
            ("degraded", names(&|one| one.state == State::Degraded)),
            ("open", names(&|one| one.state == State::Open)),
            ("unconfirmed", names(&|one| one.state == State::Unconfirmed)),
            ("quarantined", names(&|one| one.state == State::Quarantined)),
        ];
        for (label, names) in groups.iter().filter(|(_, names)| !names.is_empty()) {
            let label = format!("{label} ({})", number::size(names.len()));
            self.fact(Style::new(), &label, &names.join(", "));
        }
    }
}

#[cfg(test)]
mod tests;

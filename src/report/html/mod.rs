//! A run as one self-contained page: it opens from disk, reads without a script, and can be searched with one.
//!
//! With up to a few thousand cases, the page has at most about 4.8 MB: the more cases there are, the more of each long
//! text is cut, starting with passing cases. Beyond that, most cases are a single line. The page says what it leaves
//! out.

mod case;
mod chart;
mod curve;
mod head;
mod history;
pub(super) mod page;

use std::io::Write;

use serde::Serialize;

use crate::manifest::{CaseResult, Trial, Verdict};
use crate::vocabulary::{Answer, Outcome};

use super::detail::{Detail, Interest, MARKUP, fit, unfolded};
use super::{Entry, RenderError, Report};
use chart::Chart;
use head::{Filter, Filters};
use history::Section;
use page::{GAP, Part, Shell};

pub use history::of_trend;

/// With more cases than this, the browser lays out only what is in sight.
pub(super) const MANY: usize = 300;

/// Approximate number of bytes of an expectation without its text.
const NODE: usize = 300;

#[derive(Serialize)]
struct Page<'a> {
    shell: &'a Shell,
    head: &'a serde_json::Value,
    chart: &'a Option<Chart>,
    filters: &'a [Filter],
    groups: &'a [Group],
    /// Marks where the cases of each group go.
    gap: char,
    history: &'a Option<Section>,
    /// What the page leaves out, in sentences.
    left_out: String,
}

/// Cases that are laid out together.
const CHUNK: usize = 100;

/// Cases under one heading.
#[derive(Serialize)]
struct Group {
    title: &'static str,
    count: String,
    /// Whether only the heading shows until a reader opens it.
    folded: bool,
    /// Indexes into the cases of the run.
    #[serde(skip)]
    cases: Vec<usize>,
}

/// Writes the whole report. The page without its cases is filled in first; the cases are written into it one chunk at
/// a time.
///
/// # Errors
/// If it cannot be written. No value of a report keeps the template from being filled.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    let many = report.run.cases.len() > MANY;
    let shell = Shell::new(report.decision.conclusion.word(), many, head::foot(report));
    let (head, chart, history) = (head::of(report), Chart::of(report), Section::of_report(report));
    let (filters, groups) = (Filters::of(report), groups(report));
    let (shown, part) = (filters.shown(), Part::new(include_str!("cases.html"))?);
    let whole = |detail| report.run.cases.iter().map(|case| size(report, case, detail)).sum();
    let write = |detail: Detail, out: &mut dyn Write| {
        let (head, chart, history) = (&head, &chart, &history);
        let left_out = detail.left_out(report.run.cases.len(), history.is_some());
        let (shell, filters_shown, groups, gap) = (&shell, shown.as_slice(), groups.as_slice(), GAP);
        let page = Page { shell, head, chart, filters: filters_shown, groups, gap, history, left_out };
        let page = page::fill(include_str!("run.html"), &page)?;
        let mut pieces = page.split(GAP);
        out.write_all(pieces.next().unwrap_or_default().as_bytes())?;
        let mut place = 0;
        for (group, piece) in groups.iter().zip(pieces) {
            for some in group.cases.chunks(CHUNK) {
                let shown = |index: &usize| {
                    if place < unfolded(report.run.cases.len()) {
                        shown_case(report, *index, &filters, detail)
                    } else {
                        case::line(*index, &report.entry(*index), &filters, detail)
                    }
                };
                let cases: Vec<_> = some.iter().map(shown).collect();
                place += some.len();
                out.write_all(part.fill(Chunk { cases })?.as_bytes())?;
            }
            out.write_all(piece.as_bytes())?;
        }
        Ok(())
    };
    fit(whole, write, out)
}

/// Values of some cases.
#[derive(Serialize)]
struct Chunk {
    cases: Vec<serde_json::Value>,
}

fn shown_case(report: &Report<'_>, index: usize, filters: &Filters, detail: Detail) -> serde_json::Value {
    let entry = report.entry(index);
    let before = report.past.before(entry.case);
    let before = before.filter(|_| detail.explains(Interest::of(entry.case.outcome)));
    case::of(index, &entry, filters, detail, before)
}

/// Approximate number of bytes that a case takes.
fn size(report: &Report<'_>, case: &CaseResult, detail: Detail) -> usize {
    let interest = Interest::of(case.outcome);
    let cut = |text: &str| text.len().min(detail.text(interest));
    let tree = |verdict: &Verdict| {
        let mut size = 0;
        verdict.walk(&mut |one| {
            let said = one.grade.as_ref().map_or(0, |grade| NODE + cut(&grade.reasoning));
            size += NODE + cut(&one.expected) + cut(&one.got) + cut(&one.reason) + said;
        });
        size
    };
    let said = |answer: &Answer| {
        let calls = answer.tool_calls.iter().map(|call| NODE + cut(&call.line()));
        let state = answer.state.as_ref().map_or(0, |state| NODE + cut(&state.to_string()));
        cut(&answer.text) + calls.sum::<usize>() + state
    };
    let trial = |trial: &Trial| {
        let verdicts = trial.verdicts().filter(|_| detail.explains(interest));
        let asked =
            trial.turns.iter().filter(|turn| turn.place.is_some()).map(|turn| MARKUP + cut(&turn.asked));
        asked.sum::<usize>() + trial.answers().map(said).sum::<usize>() + verdicts.map(tree).sum::<usize>()
    };
    // Marks around words make a text longer.
    let before = report.past.before(case).filter(|_| detail.explains(interest));
    let before = before.map_or(0, |before| NODE + cut(&before.text) * 2);
    let trials: usize = case.trials.iter().take(detail.trials()).map(trial).sum();
    MARKUP + before + cut(&case.prompt) + trials
}

/// Whether a case belongs under a heading.
type Belongs<'a> = &'a dyn Fn(&Entry<'_>) -> bool;

/// The cases, in the order in which a reader wants to see them; within a group in the order of the run.
fn groups(report: &Report<'_>) -> Vec<Group> {
    let bad = |entry: &Entry<'_>| super::entry::bad(entry.case.outcome);
    let all: [(&'static str, bool, Belongs<'_>); 5] = [
        ("Blocking", false, &|one| bad(one) && one.blocking),
        ("Errored", false, &|one| one.case.outcome == Outcome::Errored && !one.blocking),
        ("Failed, not blocking", false, &|one| one.case.outcome == Outcome::Failed && !one.blocking),
        ("Passed", true, &|one| one.case.outcome == Outcome::Passed),
        ("Skipped", true, &|one| one.case.outcome == Outcome::Skipped),
    ];
    all.iter()
        .map(|(title, folded, belongs)| {
            let members = report.entries().enumerate().filter(|(_, one)| belongs(one));
            let cases: Vec<_> = members.map(|(index, _)| index).collect();
            Group { title, count: crate::text::number::size(cases.len()), folded: *folded, cases }
        })
        .filter(|group| !group.cases.is_empty())
        .collect()
}

#[cfg(test)]
pub(super) mod tests;

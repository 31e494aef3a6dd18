//! One self-contained page: opens from disk, reads without a script, is searched with it.
//!
//! The page has at most about 4.8 MB: the more cases there are, the sooner long texts are cut, and
//! passing cases before others. Every cut is said.

mod case;
mod chart;
mod curve;
mod head;
mod history;
pub(super) mod page;

use serde::Serialize;

use crate::manifest::{CaseResult, Trial, Verdict};
use crate::vocabulary::{Answer, Outcome};

use super::detail::{Detail, Interest, MARKUP, fit};
use super::{Entry, RenderError, Report};
use chart::Chart;
use head::{Filter, Filters};
use history::Section;
use page::Shell;

pub use history::of_trend;

/// Cases from which on what is out of sight is not laid out.
pub(super) const MANY: usize = 300;

/// Bytes of an expectation without its texts, about.
const NODE: usize = 300;

#[derive(Serialize)]
struct Page<'a> {
    shell: &'a Shell,
    head: &'a serde_json::Value,
    chart: &'a Option<Chart>,
    filters: &'a [Filter],
    groups: Vec<Group>,
    history: &'a Option<Section>,
    /// Which earlier answers are missing, in a sentence.
    left_out: &'static str,
}

/// Cases under one heading.
#[derive(Serialize)]
struct Group {
    title: &'static str,
    count: String,
    cases: Vec<serde_json::Value>,
}

/// The whole report.
///
/// # Errors
/// None is known: no value of a report keeps the template from being filled.
pub fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    let many = report.run.cases.len() > MANY;
    let shell = Shell::new(report.decision.conclusion.word(), many, head::foot(report));
    let (head, chart, history) = (head::of(report), Chart::of(report), Section::of_report(report));
    let filters = Filters::of(report);
    fit(
        |detail| report.run.cases.iter().map(|case| size(report, case, detail)).sum(),
        |detail| {
            let groups = groups(report, &filters, detail);
            let (filters, history, left_out) = (&filters.shown(), &history, detail.left_out());
            let page = Page { shell: &shell, head: &head, chart: &chart, filters, groups, history, left_out };
            page::fill(include_str!("run.html"), &page)
        },
    )
}

/// Bytes that a case takes, about.
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
        cut(&answer.text) + calls.sum::<usize>()
    };
    let trial = |trial: &Trial| {
        let verdicts = trial.verdicts().filter(|_| detail.explains(interest));
        trial.answers().map(said).sum::<usize>() + verdicts.map(tree).sum::<usize>()
    };
    // Marks round words make a text longer.
    let before = report.past.before(case).filter(|_| detail.explains(interest));
    let before = before.map_or(0, |before| NODE + cut(&before.text) * 2);
    let trials: usize = case.trials.iter().take(detail.trials()).map(trial).sum();
    MARKUP + before + cut(&case.prompt) + trials
}

/// Which cases stand under a heading.
type Wanted<'a> = &'a dyn Fn(&Entry<'_>) -> bool;

/// The cases by what a reader wants to see first; within a group in the order of the run.
fn groups(report: &Report<'_>, filters: &Filters, detail: Detail) -> Vec<Group> {
    let bad = |entry: &Entry<'_>| super::entry::bad(entry.case.outcome);
    let wanted: [(&'static str, Wanted<'_>); 5] = [
        ("Stand against a release", &|one| bad(one) && one.blocking),
        ("Could not be judged", &|one| one.case.outcome == Outcome::Errored && !one.blocking),
        ("Failed, but do not block", &|one| one.case.outcome == Outcome::Failed && !one.blocking),
        ("Passed", &|one| one.case.outcome == Outcome::Passed),
        ("Not asked", &|one| one.case.outcome == Outcome::Skipped),
    ];
    wanted
        .iter()
        .map(|(title, wanted)| {
            let members = report.entries().enumerate().filter(|(_, one)| wanted(one));
            let case = |(index, one): (usize, Entry<'_>)| {
                let before = report.past.before(one.case);
                let before = before.filter(|_| detail.explains(Interest::of(one.case.outcome)));
                case::of(index, &one, filters, detail, before)
            };
            let cases: Vec<_> = members.map(case).collect();
            Group { title, count: crate::text::number::size(cases.len()), cases }
        })
        .filter(|group| !group.cases.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;

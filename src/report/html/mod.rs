//! One self-contained page: opens from disk, reads without a script, is searched with it.
//!
//! The page has at most about [`MOST`] bytes: the more cases there are, the sooner long texts are cut, and
//! passing cases before others. Every cut is said.

mod case;
mod chart;
mod curve;
mod head;
mod history;
pub(super) mod page;

use serde::Serialize;

use crate::manifest::{CaseResult, Trial, Verdict};
use crate::vocabulary::Outcome;

use super::past::Before;
use super::{Entry, RenderError, Report};
use case::Case;
use chart::Chart;
use head::{Filter, Filters, Head};
use history::Section;
use page::Shell;

pub use history::of_trend;

/// Bytes of the whole page.
pub const MOST: usize = 4_800_000;

/// How much of a case is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Characters of one text of a case that did not pass.
    pub(super) text: usize,
    /// Characters of one text of a case that passed.
    pub(super) passing: usize,
    /// Trials of one case.
    trials: usize,
    /// Whose expectations are shown one by one.
    trees: Trees,
    /// Beside which answers those of an earlier run stand.
    then: Then,
}

/// Whose expectations are shown one by one; those of others are named in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trees {
    Every,
    Bad,
    None,
}

/// Beside which answers those of an earlier run stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Every,
    /// Where the case did not pass, or the answer is another one.
    Changed,
    /// Where the case did not pass.
    Bad,
    Nowhere,
}

/// From the widest to the narrowest.
pub(super) const ROOMS: [Room; 9] = [
    Room { text: 6_000, passing: 2_000, trials: 20, trees: Trees::Every, then: Then::Every },
    Room { text: 2_500, passing: 600, trials: 10, trees: Trees::Every, then: Then::Every },
    Room { text: 1_500, passing: 400, trials: 5, trees: Trees::Bad, then: Then::Every },
    Room { text: 1_000, passing: 240, trials: 3, trees: Trees::Bad, then: Then::Changed },
    Room { text: 400, passing: 120, trials: 2, trees: Trees::Bad, then: Then::Changed },
    Room { text: 300, passing: 40, trials: 1, trees: Trees::Bad, then: Then::Bad },
    Room { text: 160, passing: 80, trials: 1, trees: Trees::None, then: Then::Bad },
    Room { text: 60, passing: 30, trials: 1, trees: Trees::None, then: Then::Bad },
    Room { text: 60, passing: 30, trials: 1, trees: Trees::None, then: Then::Nowhere },
];

/// Cases from which on what is out of sight is not laid out.
pub(super) const MANY: usize = 300;

/// Bytes of a case without its texts, about.
pub(super) const MARKUP: usize = 600;

/// Bytes of an expectation without its texts, about.
const NODE: usize = 300;

#[derive(Serialize)]
struct Page<'a> {
    shell: &'a Shell,
    head: &'a Head,
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
    cases: Vec<Case>,
}

/// The whole report.
///
/// # Errors
/// None is known: no value of a report keeps the template from being filled.
pub fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    let many = report.run.cases.len() > MANY;
    let shell = Shell::new(report.decision.conclusion.word(), many, head::foot(report));
    let (head, chart, history) = (Head::of(report), Chart::of(report), Section::of_report(report));
    let filters = Filters::of(report);
    let first = ROOMS.iter().position(|room| room.promises(report)).unwrap_or(ROOMS.len() - 1);
    let mut text = String::new();
    for room in &ROOMS[first..] {
        let groups = groups(report, &filters, *room);
        let (filters, history) = (&filters.shown(), &history);
        let left_out = room.left_out();
        let page = Page { shell: &shell, head: &head, chart: &chart, filters, groups, history, left_out };
        text = page::fill(include_str!("run.html"), &page)?;
        if text.len() <= MOST {
            break;
        }
    }
    Ok(text)
}

impl Room {
    /// Whether a page with this much room is likely to be small enough.
    fn promises(self, report: &Report<'_>) -> bool {
        let size = |case: &CaseResult| {
            let most = self.of(case.outcome);
            let cut = |text: &str| text.len().min(most);
            let tree = |verdict: &Verdict| {
                let mut size = 0;
                verdict.walk(&mut |one| {
                    let said = one.grade.as_ref().map_or(0, |grade| NODE + cut(&grade.reasoning));
                    size += NODE + cut(&one.expected) + cut(&one.got) + cut(&one.reason) + said;
                });
                size
            };
            let trial = |trial: &Trial| {
                let verdict = trial.verdict.as_ref().filter(|_| self.shows_trees(case.outcome));
                trial.reply.as_ref().map_or(0, |reply| cut(&reply.text)) + verdict.map_or(0, tree)
            };
            // Marks round words make a text longer.
            let before = report.past.before(case).filter(|before| self.shows_past(case.outcome, before));
            let before = before.map_or(0, |before| NODE + cut(&before.text) * 2);
            MARKUP
                + before
                + cut(&case.prompt)
                + case.trials.iter().take(self.trials).map(trial).sum::<usize>()
        };
        report.run.cases.iter().map(size).sum::<usize>() <= MOST
    }

    /// Whether the expectations of a case are shown one by one.
    fn shows_trees(self, outcome: Outcome) -> bool {
        match self.trees {
            Trees::Every => true,
            Trees::Bad => super::entry::bad(outcome),
            Trees::None => false,
        }
    }

    /// Which earlier answers are missing for want of room, in a sentence.
    fn left_out(self) -> &'static str {
        match self.then {
            Then::Every => "",
            Then::Changed => "Earlier answers stand beside cases that did not pass or answer otherwise now.",
            Then::Bad => "For want of room, earlier answers stand beside cases that did not pass.",
            Then::Nowhere => "For want of room, earlier answers are left out.",
        }
    }

    /// Whether what an earlier run said stands beside the answer.
    fn shows_past(self, outcome: Outcome, before: &Before) -> bool {
        match self.then {
            Then::Every => true,
            Then::Changed => super::entry::bad(outcome) || !before.same_answer,
            Then::Bad => super::entry::bad(outcome),
            Then::Nowhere => false,
        }
    }

    /// Characters of one text of a case.
    fn of(self, outcome: Outcome) -> usize {
        if matches!(outcome, Outcome::Failed | Outcome::Errored) { self.text } else { self.passing }
    }
}

/// Which cases stand under a heading.
type Wanted<'a> = &'a dyn Fn(&Entry<'_>) -> bool;

/// The cases by what a reader wants to see first; within a group in the order of the run.
fn groups(report: &Report<'_>, filters: &Filters, room: Room) -> Vec<Group> {
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
                let before = before.filter(|before| room.shows_past(one.case.outcome, before));
                Case::of(index, &one, filters, room, before)
            };
            let cases: Vec<_> = members.map(case).collect();
            Group { title, count: crate::text::number::size(cases.len()), cases }
        })
        .filter(|group| !group.cases.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;

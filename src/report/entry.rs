//! One case in a report: its result, its state for the gate, and what explains it.

use std::collections::BTreeSet;

use crate::gate::{Conclusion, Finding, State};
use crate::manifest::{CaseResult, Fault};
use crate::source::Location;
use crate::text::{self, number};
use crate::vocabulary::Outcome;

use super::Report;

/// A case of the run and its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) case: &'a CaseResult,
    pub(super) state: State,
    pub(super) blocking: bool,
    /// The evidence for the state.
    pub(super) note: &'a str,
}

impl<'a> Report<'a> {
    /// All cases, in the order of the run.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let report = *self;
        (0..self.run.cases.len()).map(move |index| report.entry(index))
    }

    /// The case with this index in the run.
    pub(super) fn entry(&self, index: usize) -> Entry<'a> {
        let case = &self.run.cases[index];
        let known = self.decision.cases.get(index);
        match known.filter(|one| one.scenario == case.scenario && one.id == case.id) {
            Some(known) => Entry { case, state: known.state, blocking: known.blocking, note: &known.note },
            // The decision is about another run: nothing is excused.
            None => Entry {
                case,
                state: State::alone(case.outcome),
                note: "",
                blocking: matches!(case.outcome, Outcome::Failed | Outcome::Errored),
            },
        }
    }

    /// The findings that are not results of failed cases: those about the whole run, and about cases that passed or
    /// could not be judged.
    pub(super) fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        let failed: BTreeSet<&Location> =
            self.with(Outcome::Failed).into_iter().map(|entry| &entry.case.location).collect();
        self.decision.findings.iter().chain(&self.decision.warnings).filter(move |finding| {
            let is_shown = || finding.location.as_ref().is_some_and(|place| failed.contains(place));
            !finding.is_by_case() || finding.conclusion != Conclusion::Pass && !is_shown()
        })
    }

    /// What was redacted in how many cases, for example `3 of 9 cases (email, phone)`.
    pub(super) fn redacted(&self) -> Option<String> {
        let redacted = self.run.redacted.as_ref()?;
        let kinds: Vec<_> = redacted.kinds.iter().map(String::as_str).collect();
        let asked = self.run.cases.len() - self.run.counts().skipped;
        let (cases, asked) = (number::size(redacted.cases), number::size(asked.max(redacted.cases)));
        let kinds = if kinds.is_empty() { "nothing found".to_owned() } else { kinds.join(", ") };
        Some(format!("{cases} of {asked} cases ({kinds})"))
    }

    /// How many answers came from the cache, for example `1 of 17 answers`; `None` if there were none.
    pub(super) fn cached(&self) -> Option<String> {
        let answers = || self.run.answers();
        let cached = answers().filter(|answer| answer.recorded).count();
        (cached > 0)
            .then(|| format!("{} of {} answers", number::size(cached), number::size(answers().count())))
    }

    /// The baseline and the number of compared cases: `akit.baseline.json (5 cases in both)`.
    pub(super) fn compared_with(&self) -> Option<String> {
        let compared = self.decision.compared.as_ref()?;
        Some(format!("{} ({} in both)", compared.from, text::count(compared.paired, "case")))
    }

    /// The cases with this result, in the order of the run.
    pub(super) fn with(&self, outcome: Outcome) -> Vec<Entry<'a>> {
        self.entries().filter(|entry| entry.case.outcome == outcome).collect()
    }
}

impl<'a> Entry<'a> {
    /// `scenario/id`.
    pub(super) fn name(&self) -> String {
        self.case.key().to_string()
    }

    /// Why the case could not be judged.
    pub(super) fn fault(&self) -> Option<&'a Fault> {
        self.case.telling()?.fault.as_deref()
    }

    /// The number of passed trials and of all trials, if there were several.
    pub(super) fn tally(&self) -> Option<(usize, usize)> {
        let all = self.case.ordinary().count();
        let passed = self.case.ordinary().filter(|trial| trial.outcome == Outcome::Passed).count();
        (all > 1).then_some((passed, all))
    }

    /// Whether its state is flaky: it passes only sometimes.
    pub(super) fn flaky(&self) -> bool {
        self.state == State::Flaky
    }
}

/// Why a failed case does not block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgiven {
    /// It is in quarantine.
    Quarantined,
    /// It was asked again and passed.
    Flaky,
}

impl Entry<'_> {
    /// Why a failed case does not block; `None` if it blocks or did not fail.
    pub(super) fn forgiven(&self) -> Option<Forgiven> {
        let again = || self.case.confirmations().any(|trial| trial.outcome == Outcome::Passed);
        match self.state {
            _ if self.case.outcome != Outcome::Failed || self.blocking => None,
            State::Quarantined => Some(Forgiven::Quarantined),
            State::Flaky | State::Cleared | State::Degraded if again() => Some(Forgiven::Flaky),
            _ => None,
        }
    }
}

/// For example `2 passed, 8 failed (1 flaky, 1 in quarantine), 2 errored, 1 skipped`; the failures in parentheses are
/// excused.
pub(super) fn counts(report: &Report<'_>) -> String {
    let all = outcomes(report).map(|(_, words)| words);
    all.join(", ")
}

/// Like [`counts`], but without results that no case has.
pub(super) fn counted(report: &Report<'_>) -> String {
    let some = outcomes(report).into_iter().filter(|(count, _)| *count > 0);
    some.map(|(_, words)| words).collect::<Vec<_>>().join(", ")
}

fn outcomes(report: &Report<'_>) -> [(usize, String); 4] {
    let counts = report.decision.counts;
    let excused = report.decision.excused();
    let excused = if excused.is_empty() { String::new() } else { format!(" ({excused})") };
    [
        (counts.passed, format!("{} passed", number::size(counts.passed))),
        (counts.failed, format!("{} failed{excused}", number::size(counts.failed))),
        (counts.errored, format!("{} errored", number::size(counts.errored))),
        (counts.skipped, format!("{} skipped", number::size(counts.skipped))),
    ]
}

/// Whether the result needs an explanation.
pub(super) fn bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Errored)
}

/// A kind as part of a rule or type: lower-case ASCII letters, digits and `-`.
pub(super) fn slug(kind: &str) -> String {
    let mut out = String::new();
    for c in kind.chars().take(60) {
        match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' => out.push(c.to_ascii_lowercase()),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    match out.trim_end_matches('-') {
        "" => "unknown".to_owned(),
        slug => slug.to_owned(),
    }
}

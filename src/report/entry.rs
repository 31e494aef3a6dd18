//! One case as a report shows it: what was found, what the gate makes of it, and what explains it.

use crate::gate::State;
use crate::manifest::{CaseResult, Fault, Trial, Verdict};
use crate::text::number;
use crate::vocabulary::Outcome;

use super::Report;

/// A case of the run beside its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) case: &'a CaseResult,
    pub(super) state: State,
    pub(super) blocking: bool,
    /// What the state rests on.
    pub(super) note: &'a str,
}

impl<'a> Report<'a> {
    /// Every case, in the order of the run.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let decision = self.decision;
        self.run.cases.iter().enumerate().map(move |(index, case)| {
            let known =
                decision.cases.get(index).filter(|one| one.scenario == case.scenario && one.id == case.id);
            match known {
                Some(known) => {
                    Entry { case, state: known.state, blocking: known.blocking, note: &known.note }
                }
                // A decision about another run: nothing is forgiven.
                None => Entry {
                    case,
                    state: State::alone(case.outcome),
                    note: "",
                    blocking: matches!(case.outcome, Outcome::Failed | Outcome::Errored),
                },
            }
        })
    }

    /// What was removed from how many cases, where redaction was on: `3 of 9 cases: email, phone`.
    pub(super) fn redacted(&self) -> Option<String> {
        let redacted = self.run.redacted.as_ref()?;
        let kinds: Vec<_> = redacted.kinds.iter().map(String::as_str).collect();
        let asked = self.run.cases.len() - self.run.counts().skipped;
        let (cases, asked) = (number::size(redacted.cases), number::size(asked.max(redacted.cases)));
        Some(format!("{cases} of {asked} cases, without: {}", kinds.join(", ")))
    }

    /// The cases with one outcome, in the order of the run.
    pub(super) fn with(&self, outcome: Outcome) -> Vec<Entry<'a>> {
        self.entries().filter(|entry| entry.case.outcome == outcome).collect()
    }
}

impl<'a> Entry<'a> {
    /// `scenario/id`.
    pub(super) fn name(&self) -> String {
        self.case.key().to_string()
    }

    /// The first trial that explains the outcome.
    pub(super) fn trial(&self) -> Option<&'a Trial> {
        self.case.telling()
    }

    /// The verdicts that explain the outcome.
    pub(super) fn culprits(&self) -> Vec<&'a Verdict> {
        self.trial().map(Trial::culprits).unwrap_or_default()
    }

    /// Why the case could not be judged.
    pub(super) fn fault(&self) -> Option<&'a Fault> {
        self.trial()?.fault.as_ref()
    }

    /// Why, in one sentence, whatever the manifest leaves out.
    pub(super) fn reason(&self) -> &'a str {
        if !self.case.reason.is_empty() {
            return &self.case.reason;
        }
        match (self.case.outcome, self.trial()) {
            (Outcome::Skipped, _) => "not asked",
            (_, Some(trial)) => trial.reason(),
            (outcome, None) => outcome.word(),
        }
    }

    /// What the baseline or the policy has to say about a case that did not pass.
    pub(super) fn remark(&self) -> Option<String> {
        if !bad(self.case.outcome) {
            return None;
        }
        let word = match (self.state, self.blocking) {
            (State::Broken | State::Suspect | State::Flaky | State::Unconfirmed | State::Quarantined, _) => {
                self.state.words()
            }
            (State::FailingAsBefore, false) => "failing as before, does not block",
            (State::FailingAsBefore, true) => "failing as before",
            (State::New, true) => "new",
            (State::Changed, true) => "changed",
            (State::Failed | State::New | State::Changed, false) => "allowed by the policy",
            _ if self.note.is_empty() => return None,
            _ => return Some(self.note.to_owned()),
        };
        Some(if self.note.is_empty() { word.to_owned() } else { format!("{word}: {}", self.note) })
    }

    /// Trials that passed and all trials, where there were several.
    pub(super) fn tally(&self) -> Option<(usize, usize)> {
        let all = self.case.ordinary().count();
        let passed = self.case.ordinary().filter(|trial| trial.outcome == Outcome::Passed).count();
        (all > 1).then_some((passed, all))
    }

    /// Whether it passes at times: unluckily now, or in the baseline.
    pub(super) fn flaky(&self) -> bool {
        self.state == State::Flaky
    }
}

/// Why a failed case is held against nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgiven {
    /// It is in quarantine.
    Quarantined,
    /// It was asked again and passed.
    Flaky,
}

impl Entry<'_> {
    /// Why a failed case is held against nobody; nothing where it is, or where it did not fail.
    pub(super) fn forgiven(&self) -> Option<Forgiven> {
        let again = || self.case.confirmations().any(|trial| trial.outcome == Outcome::Passed);
        match self.state {
            _ if self.case.outcome != Outcome::Failed || self.blocking => None,
            State::Quarantined => Some(Forgiven::Quarantined),
            State::Flaky if again() => Some(Forgiven::Flaky),
            _ => None,
        }
    }
}

/// `2 passed, 8 failed (1 flaky, 1 in quarantine), 2 errored, 1 skipped`.
pub(super) fn counts(report: &Report<'_>) -> String {
    let counts = report.decision.counts;
    let all: Vec<_> = report.entries().filter_map(|entry| entry.forgiven()).collect();
    let some = |wanted, words: &str| match all.iter().filter(|one| **one == wanted).count() {
        0 => None,
        n => Some(format!("{} {words}", number::size(n))),
    };
    let words = [some(Forgiven::Flaky, "flaky"), some(Forgiven::Quarantined, "in quarantine")];
    let words: Vec<_> = words.into_iter().flatten().collect();
    format!(
        "{} passed, {} failed{}, {} errored, {} skipped",
        number::size(counts.passed),
        number::size(counts.failed),
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) },
        number::size(counts.errored),
        number::size(counts.skipped)
    )
}

/// Whether the outcome needs an explanation.
pub(super) fn bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Errored)
}

/// A kind as rules and types are named: small ASCII letters, digits and `-`.
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

/// The reason, or at least the outcome.
pub(super) fn said(reason: &str, outcome: Outcome) -> &str {
    if reason.is_empty() { outcome.word() } else { reason }
}

/// `0.4, 0.7 needed`; absent without a score.
pub(super) fn score(verdict: &Verdict) -> Option<String> {
    match (verdict.score?, verdict.threshold) {
        (score, Some(limit)) => {
            let (score, limit) = number::scores(score, limit);
            Some(format!("{score}, {limit} needed"))
        }
        (score, None) => Some(number::score(score)),
    }
}

/// The votes of a judge that did not agree; empty for one vote or one opinion.
pub(super) fn votes(votes: &[f64]) -> String {
    let split = votes.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 0.0);
    let shown: Vec<_> = votes.iter().map(|vote| number::score(*vote)).collect();
    if split { shown.join(", ") } else { String::new() }
}

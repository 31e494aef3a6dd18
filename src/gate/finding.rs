//! Findings, and the decision that follows from them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::evidence::{CaseEvidence, Relation};
use super::{Category, Policy};
use crate::manifest::{CaseResult, Counts};
use crate::source::Location;
use crate::text;
use crate::vocabulary::{FindingId, Subject};

/// The gate's decision.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumIter, IntoStaticStr,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Conclusion {
    /// A threshold was missed or a case regressed.
    Fail,
    /// The run could not be judged as a whole.
    Error,
    /// Something may be wrong, but it could be neither confirmed nor ruled out.
    Inconclusive,
    /// Nothing blocks the release.
    Pass,
}

impl Conclusion {
    /// Its name in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// One reason against a pass, or a warning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Stable kebab-case name, see docs/findings.md.
    pub id: FindingId,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Subject::is_run")]
    pub subject: Subject,
    /// The decision that the finding leads to; PASS for a warning.
    #[serde(rename = "ruling")]
    pub conclusion: Conclusion,
    /// The finding in one sentence.
    pub message: String,
    /// What was measured, if the finding is about a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// If there was a test, the probability of this result by chance alone, corrected for the number of tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// For a finding about one case, the line of the case; for a weakening, the line of the suite or policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Finding {
    /// A finding about the run as a whole.
    pub(super) fn new(id: FindingId, message: String) -> Self {
        Self {
            id,
            subject: Subject::Run,
            conclusion: Conclusion::Pass,
            message,
            measured: None,
            limit: None,
            p_value: None,
            location: None,
        }
    }

    /// Whether it is about one case, which its location points to.
    #[must_use]
    pub fn is_by_case(&self) -> bool {
        match self.subject {
            Subject::Case => true,
            // Runs stored by an earlier version have no subject.
            Subject::Run => self.location.is_some() && self.id != FindingId::Weakened,
            Subject::Tag(_) | Subject::Threshold { .. } | Subject::Weakening { .. } => false,
        }
    }

    /// A finding about one case; `what` follows its name.
    pub(super) fn by(case: &CaseResult, id: FindingId, what: &str) -> Self {
        let message = format!("{} {what}", case.key());
        Self { subject: Subject::Case, location: Some(case.location.clone()), ..Self::new(id, message) }
    }
}

/// Collects findings; the policy decides which of them fail the gate.
pub(super) struct Findings<'a> {
    policy: &'a Policy,
    reasons: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Whether an inconclusive finding also stops the pipeline.
    stops: bool,
}

impl<'a> Findings<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        Self { policy, reasons: Vec::new(), warnings: Vec::new(), stops: false }
    }

    /// How many findings make the gate fail or the run an error.
    pub(super) fn fatal(&self) -> usize {
        self.reasons.iter().filter(|finding| finding.conclusion < Conclusion::Inconclusive).count()
    }

    /// The most severe conclusion so far.
    pub(super) fn gravest(&self) -> Option<Conclusion> {
        self.reasons.iter().map(|finding| finding.conclusion).min()
    }

    /// Whether findings of a category fail the gate.
    pub(super) fn is_fatal(&self, category: Category) -> bool {
        self.policy.fail_on.contains(&category)
    }

    /// Adds a finding that fails the gate if the policy fails on its category.
    pub(super) fn raise(&mut self, category: Category, finding: Finding) {
        if self.is_fatal(category) {
            self.reasons.push(Finding { conclusion: Conclusion::Fail, ..finding });
        } else {
            self.warn(finding);
        }
    }

    /// Adds a finding that fails the gate under any policy.
    pub(super) fn fail(&mut self, finding: Finding) {
        self.reasons.push(Finding { conclusion: Conclusion::Fail, ..finding });
    }

    /// Adds a finding that keeps the run from being judged.
    pub(super) fn error(&mut self, finding: Finding) {
        self.reasons.push(Finding { conclusion: Conclusion::Error, ..finding });
    }

    /// Adds a finding that leaves the decision open and stops the pipeline.
    pub(super) fn inconclusive(&mut self, finding: Finding) {
        self.stops = true;
        self.tolerated(finding);
    }

    /// Whether an inconclusive finding also stops the pipeline.
    pub(super) fn stops(&self) -> bool {
        self.stops
    }

    /// Adds a finding that leaves the decision open but does not stop the pipeline, because nothing more could be
    /// asked.
    pub(super) fn tolerated(&mut self, finding: Finding) {
        self.reasons.push(Finding { conclusion: Conclusion::Inconclusive, ..finding });
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, finding: Finding) {
        self.warnings.push(Finding { conclusion: Conclusion::Pass, ..finding });
    }

    /// The reasons, most severe first, and the warnings.
    pub(super) fn close(mut self) -> (Vec<Finding>, Vec<Finding>) {
        self.reasons.sort_by_key(|finding| finding.conclusion);
        (self.reasons, self.warnings)
    }
}

/// The first finding as a sentence, or how many cases passed or failed if there is none. If some cases were not
/// compared, the text says so first; if the run is inconclusive, it also says what to do, and names the exit code.
pub(super) fn summary(
    counts: Counts,
    (findings, tolerated): (&[Finding], bool),
    cases: &[CaseEvidence<'_>],
    excused: &str,
) -> String {
    let mut words = reason(counts, findings, cases, excused);
    if findings.first().is_some_and(|first| first.conclusion == Conclusion::Inconclusive) {
        words.push_str(if tolerated { " (exit code 0; 5 with `--strict`)" } else { " (exit code 5)" });
    }
    match uncompared(cases) {
        Some(first) => format!("{first}; {words}"),
        None => words,
    }
}

/// How many judged cases could be compared with the baseline, if none could or a changed judge prevented it for some.
fn uncompared(cases: &[CaseEvidence<'_>]) -> Option<String> {
    let judged = || cases.iter().filter(|case| case.now.is_some() && case.relation != Relation::Alone);
    let (all, compared) =
        (judged().count(), judged().filter(|case| case.relation == Relation::Known).count());
    let regraded = judged().any(|case| case.relation == Relation::OtherJudge);
    let why = if regraded { ": the judge differs from the baseline's" } else { " with the baseline" };
    let incomplete = regraded || (all > 0 && compared == 0);
    incomplete.then(|| format!("{compared} of {} could be compared{why}", text::count(all, "case")))
}

fn reason(counts: Counts, findings: &[Finding], judged: &[CaseEvidence<'_>], excused: &str) -> String {
    let Some(first) = findings.first() else {
        let failed = text::count(counts.failed, "case");
        return match (counts.failed, excused.is_empty()) {
            (0, _) => format!("all {} passed", text::count(counts.judged(), "judged case")),
            (_, true) => format!("{failed} failed, as the policy allows"),
            (_, false) => format!("{failed} failed: {excused}"),
        };
    };
    let same = findings.iter().filter(|finding| finding.id == first.id).count();
    let cases = text::count(same, "case");
    let one = same == 1;
    match first.id {
        FindingId::Unconfirmed if first.conclusion == Conclusion::Inconclusive => {
            format!("{}; add more answers, or run live", unconfirmed(findings, judged))
        }
        FindingId::Open if first.conclusion == Conclusion::Inconclusive => {
            let still = if one { first.message.clone() } else { format!("{cases} may have broken") };
            format!("{still}; check {}, or add more answers", if one { "it" } else { "them" })
        }
        FindingId::NotCleared if first.conclusion == Conclusion::Inconclusive => {
            let still = if one { first.message.clone() } else { format!("{cases} are not cleared") };
            format!("{still}; make {} pass every time", if one { "it" } else { "them" })
        }
        FindingId::NothingPassed if first.conclusion == Conclusion::Inconclusive => {
            format!("{}; check the application first", first.message)
        }
        FindingId::BaselineThin => format!("{}; update it with more runs", first.message),
        FindingId::NotShown => format!("{}; add cases or trials", first.message),
        FindingId::BaselineMissing if first.conclusion == Conclusion::Inconclusive => {
            format!("{}; create one with `akit baseline update`", first.message)
        }
        _ if one => first.message.clone(),
        FindingId::Regression => format!("{cases} that passed in the baseline now fail"),
        FindingId::Critical => format!("{same} critical cases fail"),
        FindingId::CaseFailed => format!("{cases} failed"),
        FindingId::NewFailure => format!("{cases} that are new or changed fail"),
        FindingId::Unconfirmed => unconfirmed(findings, judged),
        FindingId::Threshold => format!("{same} thresholds are missed"),
        FindingId::Weakened => format!("the suite or its policy is weaker than before in {same} places"),
        _ => first.message.clone(),
    }
}

/// Cases that lack extra trials: some may have broken, others must only show that they pass.
fn unconfirmed(findings: &[Finding], cases: &[CaseEvidence<'_>]) -> String {
    let passing: BTreeSet<&Location> =
        cases.iter().filter(|case| case.now == Some(true)).map(|case| &case.result.location).collect();
    let open: Vec<_> = findings.iter().filter(|finding| finding.id == FindingId::Unconfirmed).collect();
    if let [only] = open.as_slice() {
        return only.message.clone();
    }
    let (new, broken): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|finding| finding.location.as_ref().is_some_and(|line| passing.contains(line)));
    let new_words = || {
        let cases = text::count(new.len(), "new or changed case");
        format!("{cases} passed too few times for the strict policy")
    };
    let words = match (broken.len(), new.len()) {
        (0, _) => new_words(),
        (n, 0) => format!("{} may have broken", text::count(n, "case")),
        (n, _) => format!("{} may have broken, {}", text::count(n, "case"), new_words()),
    };
    format!("{words}, and no extra trials were possible")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first finding decides the conclusion and the exit code: a regression comes before provider errors, even if
    /// it is
    /// found later.
    #[test]
    fn reasons_are_ordered_by_gravity_whatever_the_order_in_which_they_are_found() {
        type Tell = for<'a, 'b> fn(&'a mut Findings<'b>, Finding);
        let tell: [Tell; 4] = [
            |log, one| log.inconclusive(one),
            |log, one| log.error(one),
            |log, one| log.fail(one),
            |log, one| log.warn(one),
        ];
        let policy = Policy::default();
        // All orders of four findings.
        for code in 0..256_usize {
            let order: Vec<usize> = (0..4).map(|place| code >> (2 * place) & 3).collect();
            let mut log = Findings::new(&policy);
            for (index, which) in order.iter().enumerate() {
                tell[*which](&mut log, Finding::new(FindingId::Threshold, index.to_string()));
            }
            let gravest = log.gravest();
            let (reasons, warnings) = log.close();
            assert_eq!(gravest, reasons.first().map(|one| one.conclusion), "{order:?}");
            let sorted: Vec<_> = reasons.iter().map(|one| (one.conclusion, one.message.clone())).collect();
            assert!(sorted.is_sorted(), "{order:?}: {sorted:?}");
            assert_eq!(reasons.len() + warnings.len(), 4);
            assert_eq!(warnings.len(), order.iter().filter(|which| **which == 3).count());
        }
    }
}

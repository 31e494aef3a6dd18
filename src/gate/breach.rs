//! Reasons against a pass, and the word that follows from them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::evidence::{Case, Relation};
use super::{CaseState, Category, Policy, State};
use crate::manifest::{CaseResult, Counts};
use crate::source::Location;
use crate::text;

/// The gate's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Ruling {
    /// A threshold was missed or a case regressed.
    Fail,
    /// The run could not be judged as a whole.
    Error,
    /// Something speaks against the release, and could not be confirmed or excluded.
    Inconclusive,
    /// Nothing stands against the release.
    Pass,
}

impl Ruling {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Ruling::Pass => "PASS",
            Ruling::Fail => "FAIL",
            Ruling::Inconclusive => "INCONCLUSIVE",
            Ruling::Error => "ERROR",
        }
    }
}

/// One reason against a pass, or a warning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Breach {
    /// Stable kebab-case name, see docs/gate.md.
    pub id: String,
    /// The ruling that it leads to; PASS for a warning.
    pub ruling: Ruling,
    /// In a sentence.
    pub message: String,
    /// What was measured, where the breach is about a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// How probable it is that chance alone did this, where a test was made; corrected for their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The line of the case, for a breach by one case; of the suite or policy, for a weakening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// Every id that a breach or a warning can have.
pub const BREACHES: [&str; 31] = [
    "akit-changed",
    "baseline-missing",
    "baseline-thin",
    "budget",
    "case-failed",
    "cost-regression",
    "critical",
    "cut-short",
    "deadline",
    "errors",
    "flaky",
    "interrupted",
    "judge-changed",
    "latency-regression",
    "min-pass-rate",
    "new-failure",
    "not-asked",
    "not-cleared",
    "not-measured",
    "not-shown",
    "nothing-judged",
    "nothing-passed",
    "quarantined",
    "regression",
    "removed",
    "suite-regression",
    "suspect",
    "target-changed",
    "threshold",
    "unconfirmed",
    "weakened",
];

impl Breach {
    /// About the run as a whole.
    pub(super) fn new(id: &str, message: String) -> Self {
        debug_assert!(BREACHES.contains(&id), "{id} is not documented");
        Self {
            id: id.to_owned(),
            ruling: Ruling::Pass,
            message,
            measured: None,
            limit: None,
            p_value: None,
            location: None,
        }
    }

    /// Whether it is about one case, which its location points at.
    #[must_use]
    pub fn is_by_case(&self) -> bool {
        self.location.is_some() && self.id != "weakened"
    }

    /// About one case; what it did follows its name.
    pub(super) fn by(case: &CaseResult, id: &str, what: &str) -> Self {
        let message = format!("{}/{} {what}", case.scenario, case.id);
        Self { location: Some(case.location.clone()), ..Self::new(id, message) }
    }
}

/// Collects breaches, and decides by the policy which of them fail the gate.
pub(super) struct Docket<'a> {
    policy: &'a Policy,
    breaches: Vec<Breach>,
    warnings: Vec<Breach>,
}

impl<'a> Docket<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        Self { policy, breaches: Vec::new(), warnings: Vec::new() }
    }

    /// How many breaches stand against a pass already, other than by leaving it open.
    pub(super) fn fatal(&self) -> usize {
        self.breaches.iter().filter(|breach| breach.ruling < Ruling::Inconclusive).count()
    }

    /// The ruling of the gravest breach, where there is one.
    pub(super) fn gravest(&self) -> Option<Ruling> {
        self.breaches.iter().map(|breach| breach.ruling).min()
    }

    /// Whether breaches of a category fail the gate.
    pub(super) fn is_fatal(&self, category: Category) -> bool {
        self.policy.fail_on.contains(&category)
    }

    /// A breach that fails the gate, where the policy fails on its category.
    pub(super) fn raise(&mut self, category: Category, breach: Breach) {
        if self.is_fatal(category) {
            self.breaches.push(Breach { ruling: Ruling::Fail, ..breach });
        } else {
            self.warn(breach);
        }
    }

    /// What fails the gate whatever the policy says.
    pub(super) fn fail(&mut self, breach: Breach) {
        self.breaches.push(Breach { ruling: Ruling::Fail, ..breach });
    }

    /// What keeps the run from being judged.
    pub(super) fn error(&mut self, breach: Breach) {
        self.breaches.push(Breach { ruling: Ruling::Error, ..breach });
    }

    /// What keeps the gate from a word.
    pub(super) fn inconclusive(&mut self, breach: Breach) {
        self.breaches.push(Breach { ruling: Ruling::Inconclusive, ..breach });
    }

    /// What stands against nothing.
    pub(super) fn warn(&mut self, breach: Breach) {
        self.warnings.push(Breach { ruling: Ruling::Pass, ..breach });
    }

    /// Breaches, gravest first, and warnings.
    pub(super) fn close(mut self) -> (Vec<Breach>, Vec<Breach>) {
        self.breaches.sort_by_key(|breach| breach.ruling);
        (self.breaches, self.warnings)
    }
}

/// The first reason in a sentence, or what was shown. That cases were not compared is said first.
pub(super) fn summary(
    counts: Counts,
    breaches: &[Breach],
    cases: &[Case<'_>],
    states: &[CaseState],
) -> String {
    let reason = reason(counts, breaches, cases, states);
    match uncompared(cases) {
        Some(words) => format!("{words}; {reason}"),
        None => reason,
    }
}

/// How many judged cases could be compared with the baseline, where a judge kept some from it or none could.
fn uncompared(cases: &[Case<'_>]) -> Option<String> {
    let judged = || cases.iter().filter(|case| case.now.is_some() && case.relation != Relation::Alone);
    let (all, compared) =
        (judged().count(), judged().filter(|case| case.relation == Relation::Known).count());
    let regraded = judged().any(|case| case.relation == Relation::OtherJudge);
    let why = if regraded { ": the judge is not the baseline's" } else { " with the baseline" };
    let told = regraded || (all > 0 && compared == 0);
    told.then(|| format!("{compared} of {} could be compared{why}", text::count(all, "case")))
}

/// What excused the failing cases, by their states.
fn excused(states: &[CaseState]) -> String {
    let count = |state| states.iter().filter(|case| case.state == state).count();
    let known = [
        (count(State::FailingAsBefore), "as in the baseline"),
        (count(State::Flaky), "flaky"),
        (count(State::Suspect), "suspect"),
        (count(State::Unconfirmed), "not confirmed"),
        (count(State::Quarantined), "in quarantine"),
    ];
    let words = known.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    words.collect::<Vec<_>>().join(", ")
}

fn reason(counts: Counts, breaches: &[Breach], judged: &[Case<'_>], states: &[CaseState]) -> String {
    let Some(first) = breaches.first() else {
        let failing: Vec<_> = states
            .iter()
            .zip(judged)
            .filter(|(_, case)| case.now == Some(false))
            .map(|(state, _)| state.clone())
            .collect();
        return match (counts.failed, excused(&failing)) {
            (0, _) => format!("all {} passed", text::count(counts.judged(), "judged case")),
            (n, words) if words.is_empty() => {
                format!("{} failed, as the policy allows", text::count(n, "case"))
            }
            (n, words) => format!("{} failed: {words}", text::count(n, "case")),
        };
    };
    let same = breaches.iter().filter(|breach| breach.id == first.id).count();
    let cases = text::count(same, "case");
    match first.id.as_str() {
        _ if same == 1 => first.message.clone(),
        "regression" => format!("{cases} that passed in the baseline fail now"),
        "critical" => format!("{same} critical cases fail"),
        "case-failed" => format!("{cases} failed"),
        "new-failure" => format!("{cases} that are new or changed fail"),
        "not-cleared" => format!("{cases} that passed in the baseline did not pass every fresh trial"),
        "unconfirmed" => unconfirmed(breaches, judged),
        "threshold" => format!("{same} thresholds are missed"),
        "weakened" => format!("the suite or its policy demands less than before, in {same} places"),
        _ => first.message.clone(),
    }
}

/// Several cases that lack fresh trials: some may have broken, others only have to show that they do not.
fn unconfirmed(breaches: &[Breach], cases: &[Case<'_>]) -> String {
    let passing: BTreeSet<&Location> =
        cases.iter().filter(|case| case.now == Some(true)).map(|case| &case.result.location).collect();
    let open = breaches.iter().filter(|breach| breach.id == "unconfirmed");
    let (new, broken): (Vec<_>, Vec<_>) =
        open.partition(|breach| breach.location.as_ref().is_some_and(|line| passing.contains(line)));
    let new_words = || {
        let cases = text::count(new.len(), "new or changed case");
        format!("{cases} passed too few times for the strict policy")
    };
    let words = match (broken.len(), new.len()) {
        (0, _) => new_words(),
        (n, 0) => format!("{} may have broken", text::count(n, "case")),
        (n, _) => format!("{} may have broken, {}", text::count(n, "case"), new_words()),
    };
    format!("{words}, and fresh trials could not be had")
}

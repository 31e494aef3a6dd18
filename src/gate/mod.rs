//! (run, baseline, policy) -> [`Decision`]: the one object that every surface renders.
//!
//! Pure: no file, clock or network. An errored case is in neither numerator nor denominator of any
//! rate but the error rate, and a run in which nothing was judged never passes.

mod evidence;
mod finding;
mod metric;
mod policy;
mod power;
mod regression;
mod rule;
mod spending;
mod state;
mod suite;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::manifest::{Counts, RunManifest};
use crate::source::Location;
use crate::stats;
use crate::vocabulary::{CaseId, WeakeningKind};

pub use finding::{Conclusion, Finding};
pub use metric::Measured;
pub use policy::{
    Category, Glob, Missing, Policy, Quarantined, Rigor, Selector, Thin, Threshold, Unconfirmed,
};
pub use power::{DISCORDANCE, Power, WIDEST};
pub use regression::{Retest, Suspect, used_to_pass};
pub use state::{CaseState, State};
pub use suite::PREDICTABLE;

/// All that the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What was found.
    pub run: &'a RunManifest,
    /// What was found before.
    pub reference: Reference<'a>,
    /// Where this change demands less than what it is based on.
    pub weakened: &'a [Weakening],
}

/// The baseline.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'a> {
    /// None was asked for.
    None,
    /// One was asked for, and there is none at this place.
    Missing(&'a str),
    /// Stored results.
    Found {
        /// The results.
        baseline: &'a Baseline,
        /// Where they lie, for people.
        from: &'a str,
    },
}

/// A place where suite, policy, quarantine or baseline demand less than in the base of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Weakening {
    /// Stable kebab-case kind, see docs/gate.md: `case-removed`, `threshold-lowered`, …
    pub kind: WeakeningKind,
    /// What demands less: a case, a key of the configuration, a file.
    #[serde(default)]
    pub of: String,
    /// In a sentence, with what stood there before.
    pub message: String,
    /// The line as it is now; where nothing is left, the file that it was taken from.
    pub location: Location,
}

/// How the baseline was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compared {
    /// Where it came from.
    pub from: String,
    /// Cases that both have, with the same question and expectation and under the same judge.
    pub paired: usize,
    /// Ids of the runs whose trials it holds, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// How often the compared cases pass, then and now; absent where none could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<PassRates>,
    /// `scenario/id` of cases that only the baseline has.
    pub removed: Vec<String>,
    /// What answers or judges now and did not then, or the other way round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// Pass rates of the cases that a baseline knows and that were judged in the same way, those in
/// quarantine aside. Each is the mean of the cases' shares of passed trials, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PassRates {
    /// How many cases, at least 1.
    pub cases: usize,
    /// In the baseline.
    pub baseline: f64,
    /// Now.
    pub now: f64,
}

/// What the gate decided and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decision {
    /// What the gate concludes.
    #[serde(rename = "ruling")]
    pub conclusion: Conclusion,
    /// Whether the policy is `strict`: a change must show that it breaks nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// In one sentence: the first reason, or what was shown.
    pub summary: String,
    /// How many cases had each outcome.
    pub counts: Counts,
    /// Mean of the judged cases' shares of passed trials, 0 to 1; those in quarantine aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// Reasons against a pass, gravest first.
    #[serde(rename = "breaches")]
    pub findings: Vec<Finding>,
    /// What everybody should know, and what stands against nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// Every case of the run, in its order.
    pub cases: Vec<CaseState>,
    /// What this run could have seen.
    pub power: Power,
    /// The baseline, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

impl Decision {
    /// Whether something fails that did not in the baseline, alone or in sum.
    #[must_use]
    pub fn fell(&self) -> bool {
        self.findings.iter().any(|finding| finding.id.is_regression())
    }

    /// Failures that are neither confirmed nor cleared.
    pub fn open(&self) -> impl Iterator<Item = CaseId<'_>> {
        let open = |case: &&CaseState| matches!(case.state, State::Unconfirmed | State::Suspect);
        self.cases.iter().filter(open).map(CaseState::key)
    }
}

impl<'a> Reference<'a> {
    fn baseline(self) -> Option<&'a Baseline> {
        match self {
            Reference::Found { baseline, .. } => Some(baseline),
            _ => None,
        }
    }
}

/// Cases that must be asked again before the gate can decide, in the order of the run.
///
/// To be called again with the fresh trials in the run, until it names none, or none can be had.
#[must_use]
pub fn suspects(run: &RunManifest, baseline: Option<&Baseline>, policy: &Policy) -> Vec<Suspect> {
    let cases = evidence::cases(run, baseline, policy);
    let retest = regression::Retest::of(&cases, policy);
    let asked = cases.iter().enumerate().map(|(case, facts)| {
        let trials = retest.wanted(facts).max(rule::wanted(facts, policy));
        Suspect { case, trials }
    });
    asked.filter(|suspect| suspect.trials > 0).collect()
}

/// Decides.
#[must_use]
pub fn decide(evidence: &Evidence<'_>, policy: &Policy) -> Decision {
    let run = evidence.run;
    let cases = evidence::cases(run, evidence.reference.baseline(), policy);
    let retest = regression::Retest::of(&cases, policy);
    let confirmations = retest.confirmations(&cases);
    let mut log = finding::Findings::new(policy);
    let mut states: Vec<CaseState> = cases
        .iter()
        .zip(&confirmations)
        .map(|(case, confirmation)| rule::case(case, *confirmation, policy, &mut log))
        .collect();
    let pass_rate = rule::limits(run, policy, &mut log);
    let too_many = rule::errors(run, policy, &mut log);
    states.iter_mut().filter(|one| one.state == State::Errored).for_each(|one| one.blocking = too_many);
    rule::baseline(evidence.reference, &cases, &retest, policy, &mut log);
    spending::shifts(&cases, policy, &mut log);
    rule::shifts(run, evidence.reference, &mut log);
    let gone = evidence.reference.baseline().map(|baseline| evidence::gone(&cases, run, baseline));
    let gone = gone.unwrap_or_default();
    rule::removed(run, &gone, &mut log);
    rule::weakened(evidence.weakened, &mut log);
    rule::unasked(run, &mut log);
    rule::nothing_passed(run, &cases, &states, &mut log);
    let triggered = confirmations.iter().flatten().count();
    let power = Power::of(&cases, triggered, policy);
    let counts = run.counts();
    let (findings, warnings) = log.close();
    let conclusion = findings.first().map_or(Conclusion::Pass, |finding| finding.conclusion);
    let compared = match evidence.reference {
        Reference::Found { baseline, from } => Some(Compared {
            from: from.to_owned(),
            paired: cases.iter().filter(|case| case.relation == evidence::Relation::Known).count(),
            runs: baseline.runs.iter().map(|run| run.id.clone()).collect(),
            rates: suite::rates(&cases),
            removed: gone.iter().map(|case| case.name()).collect(),
            changed: evidence::changed(run, baseline),
        }),
        _ => None,
    };
    Decision {
        conclusion,
        strict: policy.rigor == Rigor::Strict,
        summary: finding::summary(counts, &findings, &cases, &states),
        counts,
        pass_rate,
        findings,
        warnings,
        cases: states,
        power,
        compared,
    }
}

/// `p = 0.0079`.
fn probability(p: f64) -> String {
    if p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

/// `3 of 4`.
fn of(tally: stats::Tally) -> String {
    format!("{} of {}", tally.hits, tally.of)
}

#[cfg(test)]
pub mod tests;

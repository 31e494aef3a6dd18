//! (run, baseline, policy) -> [`Decision`]: the one object that every surface renders.
//!
//! Pure: no file, clock or network. An errored case is in neither numerator nor denominator of any
//! rate but the error rate, and a run in which nothing was judged never passes.

mod accept;
mod evidence;
mod excuse;
mod facts;
mod finding;
mod forecast;
mod guard;
mod metric;
mod policy;
mod power;
mod regression;
mod rule;
mod score;
mod spending;
mod spread;
mod state;
mod suite;
mod suspicion;
mod watch;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::manifest::{CaseResult, Counts, RunManifest, Trial};
use crate::source::Location;
use crate::stats;
use crate::vocabulary::{CaseId, Outcome, WeakeningKind};
use facts::Facts;
use guard::Second;
use regression::{Found, Proof, Regression};
use suspicion::Limits;
use watch::Rounds;

pub use accept::{AcceptedIn, WayOut};
pub use evidence::hangs_on_judge;
pub use excuse::Excused;
pub use finding::{Conclusion, Finding};
pub use forecast::{Forecast, Sight};
pub use guard::TAG_CASES;
pub use metric::Measured;
pub use policy::{
    Category, Glob, Missing, Policy, Quarantined, Rigor, Selector, Sought, Thin, Threshold, Unconfirmed,
};
pub use power::Power;
pub use state::{CaseState, State, used_to_pass};

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
    Missing(&'a str, Sought),
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
    /// What `akit baseline accept --baseline` takes to accept a change, where that is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Whether that changes everybody's baseline at once, and not with a commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// `scenario/id` of failing cases; once they are accepted, this run fails no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Why this run would fail although all its failing cases were accepted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub not_enough: String,
    /// Cases that were compared: both have them, with the same question and expectation and under the same judge, they
    /// were judged, and are not in quarantine.
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
    /// Whether an inconclusive run lets the pipeline go on: all that could be asked was asked, and every open case passed
    /// at least once, or the policy says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tolerated: bool,
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
    /// What excuses failing cases, one entry for each that anything excuses, in the order of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excuses: Vec<Excused>,
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

    /// What a baseline must not learn: what broke, failures that are neither confirmed nor cleared, and cases that do
    /// worse than ever.
    pub fn open(&self) -> impl Iterator<Item = CaseId<'_>> {
        let open = |case: &&CaseState| {
            matches!(case.state, State::Broken | State::Unconfirmed | State::Open | State::Degraded)
        };
        self.cases.iter().filter(open).map(CaseState::key)
    }

    /// The cases that further answers can still decide: they fail, nothing excuses or proves that, and no fresh answer
    /// passed; of new cases, there is none.
    #[must_use]
    pub fn undecided<'r>(&self, run: &'r RunManifest) -> Vec<&'r CaseResult> {
        let undecided = |(case, state): &(&CaseResult, &CaseState)| {
            let fresh = || case.confirmations().filter(|trial| trial.outcome == Outcome::Passed);
            match state.state {
                State::Unconfirmed | State::Open => fresh().next().is_none(),
                State::New | State::Changed => {
                    state.blocking && case.outcome == Outcome::Failed && case.confirmations().next().is_none()
                }
                State::Passed
                | State::Failed
                | State::Broken
                | State::Cleared
                | State::Degraded
                | State::Flaky
                | State::FailingAsBefore
                | State::Fixed
                | State::Quarantined
                | State::Errored
                | State::Skipped => false,
            }
        };
        run.cases.iter().zip(&self.cases).filter(undecided).map(|(case, _)| case).collect()
    }

    /// What excuses the failing cases, and how many: `3 as in the baseline, 1 flaky`; empty where nothing is excused.
    #[must_use]
    pub fn excused(&self) -> String {
        excuse::words(&self.excuses, &self.cases)
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

/// What has to be asked before the gate can decide: cases as 0-based indices, one trial of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Suspects, whose answers so far decide nothing.
    Suspects(Vec<usize>),
    /// Every case of a guard that suspects a drop: its second round.
    SecondRound(Vec<usize>),
    /// Nothing more.
    Nothing,
}

/// What has to be asked next; `short` are the cases of which no further trial can be had.
///
/// To be called again with the fresh trials in the run, until it names nothing.
#[must_use]
pub fn next(run: &RunManifest, reference: Reference<'_>, policy: &Policy, short: &BTreeSet<usize>) -> Next {
    let cases = evidence::cases(run, reference.baseline(), policy);
    let facts = evidence::facts(&cases);
    let regression = assess(&facts, policy);
    let wants = |at: usize| regression.wants[at] || rule::wanted(&cases[at], policy) > 0;
    let mut suspects: Vec<_> = (0..cases.len()).filter(|at| wants(*at) && !short.contains(at)).collect();
    suspects.sort_by_key(|at| cases[*at].result.key());
    if !suspects.is_empty() {
        return Next::Suspects(suspects);
    }
    if !asks(run) || facts.iter().any(|case| case.now.len() > 1) {
        return Next::Nothing;
    }
    let guards = regression.guards(&facts, policy.margin, Second::Ahead).into_iter();
    let suspected: BTreeSet<_> =
        guards.filter(|guard| guard.suspects).flat_map(|guard| guard.cases).collect();
    let ahead = |at: &usize| facts[*at].again.is_empty() && !short.contains(at);
    let wanted: Vec<_> = suspected.into_iter().filter(ahead).collect();
    let evidence = Evidence { run, reference, weakened: &[] };
    if wanted.is_empty() || weigh(&evidence, policy, Second::Ahead).conclusion < Conclusion::Inconclusive {
        return Next::Nothing;
    }
    Next::SecondRound(wanted)
}

/// The suspects, and what the policy makes of them.
fn assess(facts: &[Facts<'_>], policy: &Policy) -> Regression {
    let mut regression = Regression::of(facts, limits(policy));
    for found in &mut regression.found {
        if let (Found::Broken(Proof::Thin, course), Thin::Warn) = (*found, policy.thin) {
            *found = Found::Open(course);
        }
    }
    regression
}

/// How often a case is asked again at most; of a critical one, also where nothing is compared.
#[must_use]
pub fn most_fresh(reference: Reference<'_>, policy: &Policy) -> u32 {
    let is_asked = reference.baseline().is_some() || !policy.critical.is_empty();
    // Twice as often where it never passes, and once more in a second round.
    if is_asked { policy.confirm.saturating_mul(2).saturating_add(1) } else { 0 }
}

/// When the asking of suspects ends.
fn limits(policy: &Policy) -> Limits {
    Limits { confirm: policy.confirm, alpha: policy.alpha, clear: Limits::CLEAR }
}

/// Whether somebody was asked, and not only files and records were read.
fn asks(run: &RunManifest) -> bool {
    let read = |trial: &Trial| {
        trial.answers().next().is_some() && trial.answers().all(|answer| answer.given || answer.recorded)
    };
    let judged = |trial: &&Trial| matches!(trial.outcome, Outcome::Passed | Outcome::Failed);
    run.trials().filter(judged).any(|trial| !read(trial))
}

/// Decides.
#[must_use]
pub fn decide(evidence: &Evidence<'_>, policy: &Policy) -> Decision {
    let asked = evidence.run.trials().any(|trial| trial.second_round);
    weigh(evidence, policy, if asked { Second::Asked } else { Second::Never })
}

fn weigh(evidence: &Evidence<'_>, policy: &Policy, second: Second) -> Decision {
    let run = evidence.run;
    let cases = evidence::cases(run, evidence.reference.baseline(), policy);
    let facts = evidence::facts(&cases);
    let regression = assess(&facts, policy);
    let rates = rule::Rates::of(run, policy);
    let mut log = finding::Findings::new(policy);
    let mut states: Vec<CaseState> = cases
        .iter()
        .zip(&regression.found)
        .map(|(case, found)| rule::case(case, found, &regression, (&rates, policy), &mut log))
        .collect();
    let pass_rate = rule::limits(run, policy, &mut log);
    let too_many = rule::errors(run, policy, &mut log);
    let errored = states.iter_mut().zip(&run.cases).filter(|(_, case)| case.outcome == Outcome::Errored);
    errored.for_each(|(one, case)| one.blocking |= too_many || rule::rests_on_untrusted(case));
    rule::baseline(evidence.reference, &cases, &facts, (&regression, second), policy, &mut log);
    spending::shifts(&cases, &mut log);
    score::fell(&cases, &mut log);
    rule::shifts(run, evidence.reference, &mut log);
    let gone = evidence.reference.baseline().map(|baseline| evidence::gone(&cases, run, baseline));
    let gone = gone.unwrap_or_default();
    rule::removed(run, &gone, &mut log);
    rule::weakened(&[evidence.weakened, &rule::resets(&cases)].concat(), &mut log);
    rule::unasked(run, &mut log);
    let nothing_passed = rule::nothing_passed(run, &cases, &states, &mut log);
    let excuses: Vec<Excused> = cases
        .iter()
        .zip(&regression.found)
        .zip(&states)
        // What fails the gate all the same has no excuse.
        .filter(|(_, state)| !nothing_passed && !state.blocking)
        .filter_map(|((case, found), _)| {
            let excuse = excuse::excuse(case, found, &rates)?;
            Some(Excused { scenario: case.result.scenario.clone(), id: case.result.id.clone(), excuse })
        })
        .collect();
    let rounds = if asks(run) { Rounds::Two } else { Rounds::One };
    let power = Power::of(&cases, &facts, &regression, rounds, policy);
    let counts = run.counts();
    let stops = log.stops();
    let (findings, warnings) = log.close();
    let conclusion = findings.first().map_or(Conclusion::Pass, |finding| finding.conclusion);
    let strict = policy.rigor == Rigor::Strict;
    let compared = match evidence.reference {
        Reference::Found { baseline, from } => Some(Compared {
            place: String::new(),
            at_once: false,
            accept: Vec::new(),
            not_enough: String::new(),
            from: from.to_owned(),
            paired: suite::pairs(&cases).count(),
            runs: baseline.runs.iter().map(|run| run.id.clone()).collect(),
            rates: suite::rates(&cases),
            removed: gone.iter().map(|case| case.name()).collect(),
            changed: evidence::changed(run, baseline),
        }),
        _ => None,
    };
    let tolerated = conclusion == Conclusion::Inconclusive && !stops && !strict;
    Decision {
        conclusion,
        strict,
        tolerated,
        summary: finding::summary(counts, (&findings, tolerated), &cases, &excuse::words(&excuses, &states)),
        counts,
        pass_rate,
        findings,
        warnings,
        cases: states,
        excuses,
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

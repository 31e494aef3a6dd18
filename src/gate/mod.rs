//! (run, baseline, policy) -> [`Decision`]: the one object that every report renders.
//!
//! Pure: no files, clock or network. An errored case counts only in the error rate, and a run in which nothing was
//! judged never passes.

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

/// Everything the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The run.
    pub run: &'a RunManifest,
    /// The baseline.
    pub reference: Reference<'a>,
    /// Where this change is weaker than its base.
    pub weakened: &'a [Weakening],
}

/// The baseline.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'a> {
    /// None was requested.
    None,
    /// One was requested, but there is none at this place.
    Missing(&'a str, Sought),
    /// Stored results.
    Found {
        /// The results.
        baseline: &'a Baseline,
        /// Where they are stored, in words.
        from: &'a str,
    },
}

/// A place where suite, policy, quarantine or baseline are weaker than in the base of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Weakening {
    /// Stable kebab-case kind, see docs/weakening.md: `case-removed`, `threshold-lowered`, …
    pub kind: WeakeningKind,
    /// What got weaker: a case, a configuration key, a file.
    #[serde(default)]
    pub of: String,
    /// What got weaker, in a sentence with the previous value.
    pub message: String,
    /// The line as it is now; if nothing is left, the file that it was removed from.
    pub location: Location,
}

/// How the baseline was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compared {
    /// Where it came from.
    pub from: String,
    /// What to pass to `akit baseline accept --baseline` to accept a change, if known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Whether accepting changes everyone's baseline at once, instead of with a commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// `scenario/id` of the failing cases that must be accepted so that this run no longer fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Why this run would fail even if all its failing cases were accepted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub not_enough: String,
    /// Cases that were compared: both sides have them, with the same question, expectation and judge; they were
    /// judged, and are not in quarantine.
    pub paired: usize,
    /// Ids of the runs whose trials it has, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// Shares of passed trials, 0 to 1; missing if no case could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Means>,
    /// Scores, 0 to 1; missing unless a judge graded every judged case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Means>,
    /// Milliseconds of an answer; missing if unknown, or too short to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Means>,
    /// US dollars for an answer; missing if unknown or free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Means>,
    /// `scenario/id` of cases that only the baseline has.
    pub removed: Vec<String>,
    /// Applications and judges that differ from the baseline's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// The mean of the cases' own means of a number, over cases that are in the baseline, were judged in the same way and
/// are not in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Means {
    /// How many cases have the number both in the baseline and now, at least 1.
    pub cases: usize,
    /// The number in the baseline.
    pub baseline: f64,
    /// The number now.
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
    /// Whether an inconclusive run does not stop the pipeline, because everything that could be run was run and every
    /// open case passed at least once, or because the policy says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tolerated: bool,
    /// The decision in one sentence: the first finding, or how many cases passed or failed if there is none.
    pub summary: String,
    /// How many cases had each result.
    pub counts: Counts,
    /// Mean of the judged cases' shares of passed trials, 0 to 1, without those in quarantine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// What blocks a pass, most severe first.
    #[serde(rename = "breaches")]
    pub findings: Vec<Finding>,
    /// What readers should know although it does not block a pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// Every case of the run, in its order.
    pub cases: Vec<CaseState>,
    /// What excuses failing cases: one entry per excused case, in the order of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excuses: Vec<Excused>,
    /// What this run could have detected.
    pub power: Power,
    /// The comparison with the baseline, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// What to pass to `akit baseline update --baseline` to create the baseline that is missing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub create: String,
}

impl Decision {
    /// Whether something regressed, one case or the suite as a whole.
    #[must_use]
    pub fn fell(&self) -> bool {
        self.findings.iter().any(|finding| finding.id.is_regression())
    }

    /// Cases whose results must not be added to a baseline: broken cases, failures that are neither confirmed nor
    /// cleared, and cases that do worse than ever.
    pub fn open(&self) -> impl Iterator<Item = CaseId<'_>> {
        let open = |case: &&CaseState| {
            matches!(case.state, State::Broken | State::Unconfirmed | State::Open | State::Degraded)
        };
        self.cases.iter().filter(open).map(CaseState::key)
    }

    /// The cases that more answers can still decide: they fail, nothing excuses or proves it, and no extra trial
    /// passed; new cases have no extra trials.
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

    /// What excuses the failing cases, and how many: `3 as in the baseline, 1 flaky`; empty if nothing is excused.
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

/// What to ask before the gate can decide: cases as 0-based indices, one trial of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Suspects whose answers are not conclusive so far.
    Suspects(Vec<usize>),
    /// Every case of a guard that suspects a drop: its second round.
    SecondRound(Vec<usize>),
    /// Nothing more.
    Nothing,
}

/// What to ask next; `short` are the cases without further trials.
///
/// Call it again with the extra trials added to the run, until it returns nothing.
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

/// The suspects, judged by the policy.
fn assess(facts: &[Facts<'_>], policy: &Policy) -> Regression {
    let mut regression = Regression::of(facts, limits(policy));
    for found in &mut regression.found {
        if let (Found::Broken(Proof::Thin, course), Thin::Warn) = (*found, policy.thin) {
            *found = Found::Open(course);
        }
    }
    regression
}

/// Maximum extra trials of a case; critical cases have them even if nothing is compared.
#[must_use]
pub fn most_fresh(reference: Reference<'_>, policy: &Policy) -> u32 {
    let is_asked = reference.baseline().is_some() || !policy.critical.is_empty();
    // Twice as many if it never passes, and one more in a second round.
    if is_asked { policy.confirm.saturating_mul(2).saturating_add(1) } else { 0 }
}

/// When akit stops running suspects again.
fn limits(policy: &Policy) -> Limits {
    Limits { confirm: policy.confirm, alpha: policy.alpha, clear: Limits::CLEAR }
}

/// Whether the run called anything live, instead of only reading files and records.
fn asks(run: &RunManifest) -> bool {
    let read = |trial: &Trial| {
        trial.answers().next().is_some() && trial.answers().all(|answer| answer.given || answer.recorded)
    };
    let judged = |trial: &&Trial| matches!(trial.outcome, Outcome::Passed | Outcome::Failed);
    run.trials().filter(judged).any(|trial| !read(trial))
}

/// Makes the decision.
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
        // What fails the gate anyway has no excuse.
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
            scores: Means::of(score::both(&cases), 0.0),
            latency_ms: Means::of(spending::times(&cases, spending::Numbers::All), spending::FLOOR),
            cost_usd: Means::of(spending::costs(&cases, spending::Numbers::All), f64::MIN_POSITIVE),
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
        create: String::new(),
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

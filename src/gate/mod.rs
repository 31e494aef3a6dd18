//! (run, baseline, policy) -> [`Decision`]: the one object that every surface renders.
//!
//! Pure: no file, clock or network. An errored case is in neither numerator nor denominator of the
//! pass rate, and a run in which nothing was judged never passes.

mod state;

use serde::{Deserialize, Serialize};

use crate::manifest::{Baseline, CaseResult, Counts, Ended, Outcome, RunManifest};
use crate::source::Location;
use crate::text;

pub use state::State;

/// What the gate demands.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Policy {
    /// Least share of judged cases that must pass, 0 to 1.
    ///
    /// Without it, and without a baseline, every case must pass.
    pub min_pass_rate: Option<f64>,
}

/// The gate's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Ruling {
    /// Nothing stands against the release.
    Pass,
    /// A threshold was missed or a case regressed.
    Fail,
    /// The run could not be judged as a whole.
    Error,
}

impl Ruling {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Ruling::Pass => "PASS",
            Ruling::Fail => "FAIL",
            Ruling::Error => "ERROR",
        }
    }
}

/// One reason against a pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Breach {
    /// Stable kebab-case name, see docs/gate.md.
    pub id: String,
    /// The ruling that it leads to.
    pub ruling: Ruling,
    /// In a sentence.
    pub message: String,
    /// What was measured, where the breach is about a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The line of the case, for a breach by one case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// One case as the gate sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseState {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// What it is beside the baseline.
    pub state: State,
    /// Whether it stands against a pass.
    pub blocking: bool,
}

/// How the baseline was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Compared {
    /// Where it came from.
    pub from: String,
    /// Cases found in both.
    pub paired: usize,
    /// `scenario/id` of cases that only the baseline has.
    pub removed: Vec<String>,
    /// Models and configurations that answer now and did not then, or the other way round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// What the gate decided and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decision {
    /// The gate's word.
    pub ruling: Ruling,
    /// In one sentence: the first reason, or what was shown.
    pub summary: String,
    /// How many cases had each outcome.
    pub counts: Counts,
    /// Reasons against a pass, gravest first.
    pub breaches: Vec<Breach>,
    /// Every case of the run, in its order.
    pub cases: Vec<CaseState>,
    /// The baseline, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

/// A baseline and the name under which it was found.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The stored results.
    pub baseline: &'a Baseline,
    /// Its path, for people.
    pub from: &'a str,
}

/// Decides.
#[must_use]
pub fn decide(run: &RunManifest, reference: Option<Reference<'_>>, policy: &Policy) -> Decision {
    let every_case = policy.min_pass_rate.is_none() && reference.is_none();
    let cases: Vec<_> = run
        .cases
        .iter()
        .map(|case| {
            let state = State::of(case, reference.map(|r| r.baseline));
            let blocking = match state {
                State::Errored | State::Broken => true,
                State::New | State::Changed | State::Failed => {
                    case.outcome == Outcome::Failed && (every_case || reference.is_some())
                }
                _ => false,
            };
            CaseState { scenario: case.scenario.clone(), id: case.id.clone(), state, blocking }
        })
        .collect();
    let counts = run.counts();
    let mut breaches = rate_breach(counts, policy).into_iter().collect::<Vec<_>>();
    breaches.extend(run.cases.iter().zip(&cases).filter_map(|(case, state)| case_breach(case, state)));
    breaches.extend(run_breaches(run, counts));
    breaches.sort_by_key(|breach| match breach.ruling {
        Ruling::Fail => 0,
        Ruling::Error => 1,
        Ruling::Pass => 2,
    });
    let ruling = breaches.first().map_or(Ruling::Pass, |breach| breach.ruling);
    let compared = reference.map(|reference| Compared {
        from: reference.from.to_owned(),
        paired: run
            .cases
            .iter()
            .filter(|case| reference.baseline.case(&case.scenario, &case.id).is_some())
            .count(),
        removed: removed(run, reference.baseline),
        changed: changed(run, reference.baseline),
    });
    Decision { ruling, summary: summary(ruling, counts, &breaches), counts, breaches, cases, compared }
}

fn rate_breach(counts: Counts, policy: &Policy) -> Option<Breach> {
    let (limit, rate) = (policy.min_pass_rate?, counts.pass_rate()?);
    // 0.95 of 20 is 19, whatever 19.0 / 20.0 rounds to.
    (rate + 1e-9 < limit).then(|| Breach {
        id: "min-pass-rate".to_owned(),
        ruling: Ruling::Fail,
        message: format!(
            "the pass rate is {:.1} % ({} of {}), {:.1} % is needed",
            rate * 100.0,
            counts.passed,
            counts.judged(),
            limit * 100.0
        ),
        measured: Some(rate),
        limit: Some(limit),
        location: None,
    })
}

fn case_breach(case: &CaseResult, state: &CaseState) -> Option<Breach> {
    if !state.blocking || case.outcome == Outcome::Errored {
        return None;
    }
    let (id, what) = match state.state {
        State::Broken => ("regression", "passed in the baseline and fails now"),
        State::New => ("new-failure", "is new and fails"),
        State::Changed => ("new-failure", "was changed and fails"),
        _ => ("case-failed", "failed"),
    };
    Some(Breach {
        id: id.to_owned(),
        ruling: Ruling::Fail,
        message: format!("{}/{} {what}", case.scenario, case.id),
        measured: None,
        limit: None,
        location: Some(case.location.clone()),
    })
}

/// What keeps the run as a whole from being judged.
fn run_breaches(run: &RunManifest, counts: Counts) -> Vec<Breach> {
    let error = |id: &str, message: String| Breach {
        id: id.to_owned(),
        ruling: Ruling::Error,
        message,
        measured: None,
        limit: None,
        location: None,
    };
    let mut breaches = Vec::new();
    if counts.errored > 0 {
        let message = format!("{} could not be judged", text::count(counts.errored, "case"));
        breaches.push(error("errors", message));
    }
    let rest = text::count(counts.skipped, "case");
    match run.ended {
        Ended::Complete | Ended::FailFast => {}
        Ended::Interrupted => {
            breaches.push(error("interrupted", format!("the run was interrupted; {rest} not judged")));
        }
        Ended::Terminated => {
            breaches.push(error("interrupted", format!("the run was terminated; {rest} not judged")));
        }
    }
    if counts.judged() == 0 && counts.errored == 0 {
        breaches.push(error("nothing-judged", "no case was judged".to_owned()));
    }
    breaches
}

/// Who answers otherwise than in the baseline; nothing where either side does not know.
fn changed(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let now = run.answered_by();
    let mut words = Vec::new();
    for role in ["application: ", "grader: "] {
        let of = |names: &[&String]| -> Vec<String> {
            names.iter().filter_map(|name| name.strip_prefix(role)).map(str::to_owned).collect()
        };
        let before = of(&baseline.answered_by.iter().collect::<Vec<_>>());
        let after = of(&now.iter().collect::<Vec<_>>());
        if !before.is_empty() && !after.is_empty() && before != after {
            words.push(format!("{role}{} in the baseline, {} now", before.join(", "), after.join(", ")));
        }
    }
    words
}

fn removed(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let now: std::collections::BTreeSet<_> =
        run.cases.iter().map(|case| (case.scenario.as_str(), case.id.as_str())).collect();
    baseline
        .cases
        .iter()
        .filter(|case| !now.contains(&(case.scenario.as_str(), case.id.as_str())))
        .map(|case| format!("{}/{}", case.scenario, case.id))
        .collect()
}

fn summary(ruling: Ruling, counts: Counts, breaches: &[Breach]) -> String {
    match breaches {
        [] => match counts.failed {
            0 => format!("all {} passed", text::count(counts.judged(), "judged case")),
            n => format!("{} failed, as the policy allows", text::count(n, "case")),
        },
        [only] => only.message.clone(),
        [first, ..] => {
            let same = breaches.iter().filter(|breach| breach.id == first.id).count();
            match (ruling, first.id.as_str()) {
                _ if same == 1 => first.message.clone(),
                (Ruling::Fail, "regression") => {
                    format!("{} that passed in the baseline fail now", text::count(same, "case"))
                }
                (Ruling::Fail, "case-failed") => format!("{} failed", text::count(same, "case")),
                (Ruling::Fail, "new-failure") => {
                    format!("{} that are new or changed fail", text::count(same, "case"))
                }
                _ => first.message.clone(),
            }
        }
    }
}

#[cfg(test)]
mod tests;

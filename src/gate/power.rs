//! What this run could have seen, so that a pass is not taken for more than it is.

use serde::{Deserialize, Serialize};

use super::evidence::CaseEvidence;
use super::regression::Retest;
use super::{Policy, suite};
use crate::stats::{self, Tally};
use crate::text;

/// Verdicts of an unchanged suite differ at least this often, for all one knows.
pub const DISCORDANCE: f64 = 0.10;

/// A drop of more than this share of all cases is no drop that anybody plans to see.
pub const WIDEST: f64 = 0.5;

/// What a run could have seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Power {
    /// Cases that were judged.
    pub judged: u64,
    /// Cases that were compared with the baseline.
    pub compared: u64,
    /// Smallest drop of the pass rate that would be seen four times in five, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable_drop: Option<f64>,
    /// Compared cases whose baseline is too thin to prove that they broke.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub thin: u64,
    /// Trials that a case's baseline needs for such a proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_trials: Option<u64>,
    /// Fewest and most trials of a compared case in the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_trials: Option<(u64, u64)>,
    /// Answers that were read from records: trials of the run that recorded them, however often they are read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recorded: u64,
    /// Where no judged answer failed: the greatest failure rate that this does not exclude, 0 to 1,
    /// with 95 % confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_bound: Option<f64>,
    /// What the bound is about: `critical cases` or `cases`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bound_of: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn recorded(cases: &[CaseEvidence<'_>]) -> u64 {
    let trials = cases.iter().flat_map(|case| &case.result.trials);
    trials.filter(|trial| trial.is_recorded()).count() as u64
}

impl Power {
    pub(super) fn of(cases: &[CaseEvidence<'_>], triggered: usize, policy: &Policy) -> Self {
        let pairs: Vec<_> = suite::pairs(cases).collect();
        let compared = pairs.len() as u64;
        let needed = Retest::needed(policy, triggered);
        let thin = pairs
            .iter()
            .filter(|(case, _)| policy.confirm > 0 && case.before.of < needed)
            .filter(|(case, _)| super::used_to_pass(case.before))
            .count() as u64;
        let critical: Vec<_> = cases.iter().filter(|case| case.critical).collect();
        let (of, bound_of) = if critical.is_empty() {
            (cases.iter().collect(), "cases")
        } else {
            (critical, "critical cases")
        };
        let tally = of.iter().fold(Tally::default(), |sum, case| {
            let one = case.result.tally();
            Tally { hits: sum.hits + one.hits, of: sum.of + one.of }
        });
        let clean = tally.of > 0 && tally.hits == tally.of;
        // In an unchanged suite a case with pass rate p flips with probability 2 p (1 - p).
        let shares = pairs.iter().filter_map(|(case, _)| case.before.share());
        let flips: f64 = shares.map(|share| 2.0 * share * (1.0 - share)).sum();
        let discordance = if compared == 0 { 0.0 } else { flips / stats::real(compared) };
        Self {
            judged: cases.iter().filter(|case| case.now.is_some()).count() as u64,
            compared,
            detectable_drop: stats::detectable(compared, discordance.max(DISCORDANCE))
                .filter(|drop| *drop <= WIDEST),
            thin,
            needed_trials: (thin > 0).then_some(needed),
            baseline_trials: pairs
                .iter()
                .map(|(case, _)| case.before.of)
                .min()
                .zip(pairs.iter().map(|(case, _)| case.before.of).max()),
            recorded: if compared > 0 { recorded(cases) } else { 0 },
            failure_bound: if clean {
                Tally { hits: 0, of: tally.of }.upper_bound(stats::LEVEL)
            } else {
                None
            },
            bound_of: if clean { bound_of.to_owned() } else { String::new() },
        }
    }

    /// The same in sentences, for people.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.compared > 0 {
            let cases = text::count(usize::try_from(self.compared).unwrap_or(usize::MAX), "compared case");
            out.push(match self.detectable_drop {
                Some(drop) => format!(
                    "{cases} show a drop of {:.1} points or more four times in five; smaller ones may go unseen",
                    drop * 100.0
                ),
                None => format!("{cases} are too few to show a drop of the suite as a whole"),
            });
        }
        if let (Some(needed), Some((least, most))) = (self.needed_trials, self.baseline_trials) {
            let few = |n: u64| text::count(usize::try_from(n).unwrap_or(usize::MAX), "trial");
            let has = if least == most { few(least) } else { format!("{least} to {}", few(most)) };
            out.push(format!(
                "the baseline is thin: it has {has} a case, and a proof that one case broke needs {needed}",
            ));
        }
        if self.recorded > 0 {
            let answers = text::count(usize::try_from(self.recorded).unwrap_or(usize::MAX), "answer");
            out.push(format!(
                "{answers} read from the cache: trials of the run that recorded them, however often they are read"
            ));
        }
        if let Some(bound) = self.failure_bound {
            out.push(format!(
                "no answer of the {} failed: with 95 % confidence at most {:.1} % of such answers do",
                self.bound_of,
                bound * 100.0
            ));
        }
        out
    }
}

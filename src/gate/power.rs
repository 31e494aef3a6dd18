//! What this run could have detected, so that a pass is not overrated.

use serde::{Deserialize, Serialize};

use super::Policy;
use super::evidence::CaseEvidence;
use super::facts::Facts;
use super::guard;
use super::regression::Regression;
use super::suspicion::THIN;
use super::watch::{Plan, Rounds, Watch};
use crate::stats::{self, Tally};
use crate::text;

/// If the failure rate could still be above this, reports say that there are too few cases.
const FEW: f64 = 0.05;

/// The most tags without a guard that a message lists by name.
const TAGS_NAMED: usize = 10;

/// What a run could have detected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Power {
    /// Cases that were judged.
    pub judged: u64,
    /// Cases that were compared with the baseline.
    pub compared: u64,
    /// Smallest loss over all compared cases that would be detected four times in five, in points of the mean pass
    /// rate, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable_drop: Option<f64>,
    /// How many extra trials in a row a case must fail before it is called broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_trials: Option<u64>,
    /// Compared cases that are expected to pass and whose baseline is thin: fewer than three trials.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub thin: u64,
    /// Tags that are large enough for their own guard but have none: only the 20 largest have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unguarded_tags: Vec<String>,
    /// Minimum and maximum trials of a compared case in the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_trials: Option<(u64, u64)>,
    /// Number of answers read from records. They count only as trials of the run that recorded them, however often they
    /// are read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recorded: u64,
    /// If no judged answer failed: the largest failure rate that this does not rule out, 0 to 1, with 95% confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_bound: Option<f64>,
    /// What the bound covers: `critical cases` or `cases`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bound_of: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn recorded(cases: &[CaseEvidence<'_>]) -> u64 {
    let trials = cases.iter().flat_map(|case| &case.result.trials);
    trials.filter(|trial| trial.is_recorded()).count() as u64
}

impl Power {
    pub(super) fn of(
        cases: &[CaseEvidence<'_>],
        facts: &[Facts<'_>],
        regression: &Regression,
        rounds: Rounds,
        policy: &Policy,
    ) -> Self {
        let pairs: Vec<_> = guard::compared(facts).collect();
        let compared = pairs.len() as u64;
        let critical: Vec<_> = cases.iter().filter(|case| case.critical).collect();
        let (of, bound_of) = if critical.is_empty() {
            (cases.iter().collect(), "cases")
        } else {
            (critical, "critical cases")
        };
        let tally = of.iter().fold(Tally::default(), |mut sum, case| {
            sum += case.result.tally();
            sum
        });
        // A failed extra trial counts, too.
        let clean = tally.of > 0
            && tally.hits == tally.of
            && cases.iter().all(|case| case.fresh.hits == case.fresh.of);
        let expected = |past: &Tally| regression.suite.expects(*past);
        let pasts = || pairs.iter().map(|(_, past, _)| *past);
        // The case with the most evidence: the highest pass rate, then the most trials.
        let share = |past: &Tally| (past.share().unwrap_or_default(), stats::real(past.of));
        let best = pasts()
            .filter(expected)
            .max_by(|a, b| share(a).partial_cmp(&share(b)).unwrap_or(std::cmp::Ordering::Equal));
        let all: Vec<usize> = pairs.iter().map(|(at, ..)| *at).collect();
        let plan = Plan {
            repeat: pairs.iter().map(|(.., now)| now.of).max().unwrap_or(1),
            level: guard::level(guard::tags(facts, &all).len()),
            margin: policy.margin,
            rounds,
        };
        let watch = Watch::over(&regression.suite, pasts().map(|past| (past, 1)), plan);
        let most = pasts().map(|past| past.of).max();
        Self {
            judged: cases.iter().filter(|case| case.now.is_some()).count() as u64,
            compared,
            detectable_drop: watch.and_then(|watch| watch.loss()),
            failing_trials: best
                .filter(|_| policy.confirm > 0)
                .and_then(|past| regression.one_more(past).failures_needed()),
            thin: pasts().filter(|past| past.of < THIN).filter(expected).count() as u64,
            unguarded_tags: guard::tags_left_out(facts, &all).into_iter().map(str::to_owned).collect(),
            baseline_trials: pasts().map(|past| past.of).min().zip(most),
            recorded: if compared > 0 { recorded(cases) } else { 0 },
            failure_bound: if clean {
                Tally { hits: 0, of: tally.of }.upper_bound(stats::LEVEL)
            } else {
                None
            },
            bound_of: if clean { bound_of.to_owned() } else { String::new() },
        }
    }

    /// The figures as sentences.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let few = |n: u64, what: &str| text::count(usize::try_from(n).unwrap_or(usize::MAX), what);
        let mut out = Vec::new();
        if self.compared > 0 {
            let loss = self.detectable_drop.map(|drop| {
                let points = format!("{:.0}", (drop * 100.0).ceil());
                let cases = if self.compared == 1 {
                    "the one case".to_owned()
                } else {
                    format!("all {} cases", self.compared)
                };
                format!("a loss of {points} points over {cases}")
            });
            let case = self.failing_trials.map(|n| format!("one case that fails {}", few(n, "more trial")));
            out.push(match (loss, case) {
                (None, None) if self.compared == 1 => {
                    "1 compared case is too few to detect a loss of the suite".to_owned()
                }
                (None, None) => {
                    format!("{} compared cases are too few to detect a loss of the suite", self.compared)
                }
                (Some(one), None) | (None, Some(one)) => format!("could have detected: {one}"),
                (Some(loss), Some(case)) => format!("could have detected: {loss}, or {case}"),
            });
        }
        if !self.unguarded_tags.is_empty() {
            let (named, rest) = self.unguarded_tags.split_at(self.unguarded_tags.len().min(TAGS_NAMED));
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            out.push(format!(
                "only the largest tags are compared one by one; {}{more} count as part of the suite",
                text::list(named)
            ));
        }
        if let (true, Some((least, most))) = (self.thin > 0, self.baseline_trials) {
            let has = if least == most {
                few(least, "trial")
            } else {
                format!("{least} to {}", few(most, "trial"))
            };
            out.push(format!(
                "the baseline is thin: it has {has} per case; with {THIN} or more, fewer failures prove that a case broke",
            ));
        }
        if self.recorded > 0 {
            let answers = few(self.recorded, "answer");
            out.push(format!(
                "{answers} from the cache; recorded answers count only for the run that recorded them"
            ));
        }
        if let Some(bound) = self.failure_bound {
            let passed = if self.bound_of == "cases" {
                format!("{0} of {0} passed", text::number::whole(self.judged))
            } else {
                format!("all {} passed", self.bound_of)
            };
            let few = if bound > FEW { "with so few cases " } else { "" };
            let percent =
                if bound < 0.1 { format!("{:.1}", bound * 100.0) } else { format!("{:.0}", bound * 100.0) };
            out.push(format!(
                "{passed}; {few}the true failure rate could still be up to {percent}% (95% confidence)"
            ));
        }
        out
    }
}

//! Trends over many stored runs: the pass rate, and flaky, slow and expensive cases.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::StoredRun;
use crate::manifest::{CaseResult, Counts, Ended, Trial};
use crate::stats::{mean, real};
use crate::vocabulary::{Outcome, Usage};

/// Maximum number of cases in each list.
const LISTED: usize = 10;

/// A case is slow or expensive if it takes or costs more than this many times the median.
const CLEARLY: f64 = 1.5;

/// Number of changes between pass and fail that make a case flaky; a single change may be permanent.
const TURNS: usize = 2;

/// How a suite did over many runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trend {
    /// [`Trend::SCHEMA`].
    pub schema: String,
    /// The runs, oldest first, starting with those without a time.
    pub runs: Vec<RunLine>,
    /// Cases that went from pass to fail and back, the flakiest first.
    pub flakiest: Vec<FlakyCase>,
    /// Cases whose answers take well above the median time on average, slowest first.
    pub slowest: Vec<SlowCase>,
    /// Cases whose trials cost well above the median on average, most expensive first.
    pub dearest: Vec<DearCase>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunLine {
    /// Its file.
    pub file: String,
    /// Its id.
    pub run_id: String,
    /// When it ended, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The commit that was tested, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why it ended.
    pub ended: Ended,
    /// The gate's decision, if the file has one.
    #[serde(default, rename = "ruling", skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
    /// 0 to 1; missing if nothing was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// How many cases had each result.
    pub counts: Counts,
    /// Tokens of the application and the judge; missing if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars for answers and judging; recorded answers count with their original cost. Missing if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
}

/// A case that passes only sometimes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlakyCase {
    /// `scenario/id`.
    pub case: String,
    /// Share of consecutive trials with different results, 0 to 1.
    pub restlessness: f64,
    /// Number of consecutive trials with different results.
    pub turns: usize,
    /// Trials that passed.
    pub passed: usize,
    /// Judged trials.
    pub trials: usize,
    /// Share of passed trials in each of the trend's runs, 0 to 1; missing for runs that did not judge the case.
    #[serde(default)]
    pub shares: Vec<Option<f64>>,
}

/// A case and the time of its answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlowCase {
    /// `scenario/id`.
    pub case: String,
    /// Mean latency of its answers, in milliseconds.
    pub latency_ms: f64,
    /// Answers whose time is known.
    pub answers: usize,
}

/// A case and its cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DearCase {
    /// `scenario/id`.
    pub case: String,
    /// Mean cost of a trial, including its judging, in US dollars.
    pub cost_usd: f64,
    /// Trials whose cost is known.
    pub trials: usize,
}

/// Data of one case.
#[derive(Default)]
struct Story {
    /// For each run, in order: the content hash of the case, and whether each judged trial passed.
    said: Vec<(When, String, Vec<bool>)>,
    latencies: Vec<f64>,
    costs: Vec<f64>,
}

/// The sort key of a run: its time, then its file.
type When = (Option<String>, String);

impl Trend {
    /// The name and version of the JSON format.
    pub const SCHEMA: &str = "akit.history/1";

    /// Combines runs, in any order. A run that is passed twice counts once.
    #[must_use]
    pub fn of(stored: impl IntoIterator<Item = StoredRun>) -> Self {
        let mut seen = BTreeSet::new();
        let mut runs: Vec<(When, RunLine)> = Vec::new();
        let mut stories: BTreeMap<String, Story> = BTreeMap::new();
        for one in stored {
            if !seen.insert((one.run.run_id.clone(), one.run.at.clone())) {
                continue;
            }
            let when = (one.run.at.clone(), one.file.clone());
            for case in &one.run.cases {
                let name = case.key().to_string();
                stories.entry(name).or_default().add(case, &when);
            }
            runs.push((when, RunLine::of(one)));
        }
        runs.sort_by(|a, b| a.0.cmp(&b.0));
        let (order, runs): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let flaky = stories.iter().filter_map(|(name, story)| story.flaky(name, &order));
        let slow = stories.iter().filter_map(|(name, story)| story.slow(name));
        let dear = stories.iter().filter_map(|(name, story)| story.dear(name));
        Self {
            schema: Self::SCHEMA.to_owned(),
            runs,
            flakiest: most(flaky, |one| one.restlessness, 0.0),
            slowest: most(slow, |one| one.latency_ms, CLEARLY),
            dearest: most(dear, |one| one.cost_usd, CLEARLY),
        }
    }
}

impl RunLine {
    fn of(stored: StoredRun) -> Self {
        let StoredRun { file, run, conclusion, pass_rate } = stored;
        let counts = run.counts();
        let usages = [run.usage(), run.grader_usage()];
        let tokens = usages.iter().flatten().map(|usage| Usage::total(*usage)).reduce(u64::saturating_add);
        let cost_usd = run.trials().filter_map(cost).reduce(|sum, one| sum + one);
        Self {
            file,
            commit: run.commit,
            ended: run.ended,
            conclusion,
            pass_rate: pass_rate.or_else(|| counts.pass_rate()),
            counts,
            tokens,
            cost_usd,
            duration_ms: run.duration_ms,
            run_id: run.run_id,
            at: run.at,
        }
    }
}

impl Story {
    fn add(&mut self, case: &CaseResult, when: &When) {
        let passed: Vec<bool> = case
            .trials
            .iter()
            .filter_map(|trial| match trial.outcome {
                Outcome::Passed => Some(true),
                Outcome::Failed => Some(false),
                Outcome::Errored | Outcome::Skipped => None,
            })
            .collect();
        if !passed.is_empty() {
            self.said.push((when.clone(), case.content_hash.clone(), passed));
        }
        let known = case.ordinary().flat_map(Trial::answers).filter_map(|answer| answer.latency_ms);
        self.latencies.extend(known.map(real));
        self.costs.extend(case.ordinary().filter_map(cost));
    }

    /// How flaky it is. Only trials with the same question and expectation are compared.
    fn flaky(&self, name: &str, order: &[When]) -> Option<FlakyCase> {
        let mut said: Vec<_> = self.said.iter().collect();
        said.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut turns, mut pairs, mut before) = (0_usize, 0_usize, None);
        for (_, hash, passed) in &said {
            for now in passed {
                if let Some((_, last)) = before.filter(|(known, _)| known == hash) {
                    pairs += 1;
                    turns += usize::from(last != *now);
                }
                before = Some((hash.clone(), *now));
            }
        }
        let all = || said.iter().flat_map(|(_, _, passed)| passed);
        let in_run = |when: &When| {
            let at = said.binary_search_by(|one| one.0.cmp(when)).ok()?;
            let passed = &said[at].2;
            Some(real(passed.iter().filter(|one| **one).count()) / real(passed.len()))
        };
        (turns >= TURNS).then(|| FlakyCase {
            case: name.to_owned(),
            restlessness: real(turns) / real(pairs),
            turns,
            passed: all().filter(|passed| **passed).count(),
            trials: all().count(),
            shares: order.iter().map(in_run).collect(),
        })
    }

    fn slow(&self, name: &str) -> Option<SlowCase> {
        let latency_ms = mean(&self.latencies)?;
        Some(SlowCase { case: name.to_owned(), latency_ms, answers: self.latencies.len() })
    }

    fn dear(&self, name: &str) -> Option<DearCase> {
        let cost_usd = mean(&self.costs).filter(|cost| *cost > 0.0)?;
        Some(DearCase { case: name.to_owned(), cost_usd, trials: self.costs.len() })
    }
}

/// The cost of the answer and of judging it, as far as it is known.
fn cost(trial: &Trial) -> Option<f64> {
    let mut known: Vec<f64> = trial.answers().filter_map(|answer| answer.cost_usd).collect();
    for verdict in trial.verdicts() {
        verdict.walk(&mut |one| known.extend(one.grade.as_ref().and_then(|grade| grade.cost_usd)));
    }
    (!known.is_empty()).then(|| known.iter().sum())
}

/// The items with the largest values, if those are more than `times` the median. Equal values keep their order.
fn most<T>(all: impl Iterator<Item = T>, by: impl Fn(&T) -> f64, times: f64) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|a, b| by(b).total_cmp(&by(a)));
    let median = all.get(all.len() / 2).map_or(0.0, &by);
    all.retain(|one| by(one) > times * median);
    all.truncate(LISTED);
    all
}

#[cfg(test)]
#[path = "trend_tests.rs"]
mod tests;

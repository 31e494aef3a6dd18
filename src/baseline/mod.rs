//! The results of earlier runs of a suite, in a file that is committed next to it.
//!
//! Sorted, with one case per line, so that it can be reviewed and merged case by case. The trials of a case are stored
//! run by run ([`Results`]), for a window of the newest runs.

mod accept;
mod add;
mod epoch;
mod measure;
mod results;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::manifest::RunManifest;
use crate::stats::Tally;
use crate::text;
use crate::vocabulary::{BadMoment, CaseId, moment};

pub use accept::{Acceptance, Accepted};
pub use add::Added;
pub use epoch::{Epoch, Role, Shift};
pub use measure::{Mean, Spread};
pub use results::Results;
pub use window::{LEAST_RUNS, RunRecord};

/// Stored results of earlier runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`Baseline::SCHEMA`].
    pub schema: String,
    /// Applications and judges of the newest run, see [`RunManifest::answered_by`].
    #[serde(default)]
    pub answered_by: Vec<String>,
    /// The runs whose trials are stored here, oldest first: at most [`MOST_RUNS`]. Runs that are more than
    /// [`MOST_DAYS`] days older than the newest are kept only up to a total of [`LEAST_RUNS`].
    #[serde(default)]
    pub runs: Vec<RunRecord>,
    /// Application and judge of each scenario, by its name.
    #[serde(default)]
    pub epoch: Vec<Epoch>,
    /// Accepted changes, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Acceptance>,
    /// The cases, by scenario and id.
    pub cases: Vec<BaselineCase>,
    /// Runs whose time is in the future, with that time, which akit ignores.
    #[serde(skip)]
    pub ahead: Vec<String>,
}

/// One case of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineCase {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// What was asked and expected, as in the manifest.
    pub content_hash: String,
    /// Its trials, run by run.
    pub results: Results,
    /// Scores, 0 to 1, of all counted trials since the case last started over: number, mean, and sum of squared
    /// distances from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Spread>,
    /// Milliseconds of the application's answers since the case last started over: number and mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Mean>,
    /// US dollars for the application's answers since the case last started over: number and mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Mean>,
}

impl BaselineCase {
    /// A case that was judged in one run.
    #[must_use]
    pub fn new(scenario: &str, id: &str, content_hash: &str, tally: Tally) -> Self {
        Self {
            scenario: scenario.to_owned(),
            id: id.to_owned(),
            content_hash: content_hash.to_owned(),
            results: Results::of(tally),
            score: None,
            latency_ms: None,
            cost_usd: None,
        }
    }

    /// All its trials in the window.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.results.total()
    }

    /// `scenario/id`.
    #[must_use]
    pub fn name(&self) -> String {
        self.key().to_string()
    }

    /// The case.
    #[must_use]
    pub fn key(&self) -> CaseId<'_> {
        CaseId::new(&self.scenario, &self.id)
    }
}

/// Why a baseline is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBaseline {
    /// A case has results for runs that are not listed.
    #[error("case `{case}` has results of {found} runs, but `runs` lists {listed}")]
    TooManyResults {
        /// The case.
        case: String,
        /// How many results it has.
        found: usize,
        /// How many runs there are.
        listed: usize,
    },
    /// A case, a scenario or a run appears twice.
    #[error("`{0}` appears twice")]
    Twice(String),
}

impl Baseline {
    /// The name and version of the file format.
    pub const SCHEMA: &'static str = "akit.baseline/1";

    /// Fewer trials than this cannot prove a regression with the gate's defaults: four failed extra trials, compared
    /// with two of two, have p = 1/C(6, 4) = 0.067.
    pub const THIN: u64 = 3;

    /// A baseline without cases.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            answered_by: Vec::new(),
            runs: Vec::new(),
            epoch: Vec::new(),
            accepted: Vec::new(),
            cases: Vec::new(),
            ahead: Vec::new(),
        }
    }

    /// Ignores run times in the future: a single one would make every other run look old.
    #[must_use]
    pub fn without_future(mut self, now: DateTime<Utc>) -> Self {
        for run in &mut self.runs {
            let is_ahead = |at: &mut String| matches!(moment(at, now), Err(BadMoment::Ahead(_)));
            if let Some(at) = run.at.take_if(is_ahead) {
                self.ahead.push(format!("{} at {}", run.id, text::excerpt(&at, 40)));
            }
        }
        self
    }

    /// The stored case with this name; cases are sorted, see [`Baseline::ordered`].
    #[must_use]
    pub fn case(&self, key: CaseId<'_>) -> Option<&BaselineCase> {
        self.cases.binary_search_by(|case| case.key().cmp(&key)).ok().map(|at| &self.cases[at])
    }

    /// The only stored case with this content; `None` if there are several.
    #[must_use]
    pub fn by_content(&self, content_hash: &str) -> Option<&BaselineCase> {
        let mut found = self.cases.iter().filter(|case| case.content_hash == content_hash);
        found.next().filter(|_| found.next().is_none())
    }

    /// Application and judge of a scenario.
    #[must_use]
    pub fn epoch(&self, scenario: &str) -> Option<&Epoch> {
        self.epoch.iter().find(|epoch| epoch.scenario == scenario)
    }

    /// How the scenarios of a run differ from their epochs here.
    #[must_use]
    pub fn shifts(&self, run: &RunManifest) -> Vec<Shift> {
        let now = Epoch::all(run);
        now.iter().filter_map(|now| Some(self.epoch(&now.scenario)?.shifts(now))).flatten().collect()
    }

    /// Stored cases that a run has under another name, by the run's (scenario, id).
    ///
    /// The content must be in exactly one case on either side, the new name must not be stored, and the old one must
    /// not be in the run. Both names must be in one file: two suites may ask the same questions, and must not inherit
    /// each other's history.
    #[must_use]
    pub fn renamed<'a>(&'a self, run: &'a RunManifest) -> BTreeMap<CaseId<'a>, &'a BaselineCase> {
        let names: BTreeSet<_> = run.cases.iter().map(|case| case.key()).collect();
        let (mut stored, mut asked) = (BTreeMap::new(), BTreeMap::new());
        for case in &self.cases {
            stored.entry(case.content_hash.as_str()).or_insert_with(Vec::new).push(case);
        }
        for case in &run.cases {
            asked.entry(case.content_hash.as_str()).or_insert_with(Vec::new).push(case);
        }
        asked
            .into_iter()
            .filter_map(|(content, asked)| match (asked.as_slice(), stored.get(content)?.as_slice()) {
                ([now], [before])
                    if !names.contains(&before.key())
                        && self.case(now.key()).is_none()
                        && match self.epoch(&before.scenario).and_then(|epoch| epoch.file.as_deref()) {
                            Some(file) => file == now.location.file,
                            // A baseline of an earlier version.
                            None => now.scenario == before.scenario,
                        } =>
                {
                    Some((now.key(), *before))
                }
                _ => None,
            })
            .collect()
    }

    /// Sorts cases and epochs, for a file that was merged by hand, and checks that they are consistent.
    pub fn ordered(mut self) -> Result<Self, BadBaseline> {
        self.cases.sort_by(|a, b| a.key().cmp(&b.key()));
        self.epoch.sort_by(|a, b| a.scenario.cmp(&b.scenario));
        if let Some(twice) = self.cases.windows(2).find(|two| two[0].key() == two[1].key()) {
            return Err(BadBaseline::Twice(twice[0].name()));
        }
        if let Some(twice) = self.epoch.windows(2).find(|two| two[0].scenario == two[1].scenario) {
            return Err(BadBaseline::Twice(twice[0].scenario.clone()));
        }
        for (index, run) in self.runs.iter().enumerate() {
            if self.runs[..index].iter().any(|other| other.id == run.id) {
                return Err(BadBaseline::Twice(run.id.clone()));
            }
        }
        let listed = self.runs.len();
        match self.cases.iter().find(|case| case.results.runs().len() > listed) {
            Some(case) => Err(BadBaseline::TooManyResults {
                case: case.name(),
                found: case.results.runs().len(),
                listed,
            }),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests;

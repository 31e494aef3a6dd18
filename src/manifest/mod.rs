//! The results of a run, in their versioned format (`--json`, `akit gate`, `akit report`).
//!
//! Plain data and sums, without any rule of judging or gating. Cases are in the order of their files and positions, no
//! matter which finished first.

mod case;
mod stress;
mod trial;
mod verdict;
mod version1;

use std::collections::BTreeSet;

use crate::stats::real;
use crate::vocabulary::{Answer, FaultKind, Outcome, Usage};
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

pub use case::{CaseResult, Earlier};
pub use stress::{
    CaseUnderLoad, Change, Escalation, Histograms, Judged, Knees, Lag, Level, LoadUnit, Objective,
    Percentiles, Quality, STRESS_SCHEMA, StressConclusion, StressDecision, StressRun, StressSettings, Tick,
};
pub use trial::{Held, Place, Telling, Trial, Turn};
pub use verdict::{Grade, Verdict};
pub use version1::{VERSION_1, read_version_1};

/// The word for the judge in stored baselines, which must not change.
const GRADER: &str = "grader";

/// The name and version of the format.
pub const SCHEMA: &str = "akit.run/2";

/// Why the run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Ended {
    /// Every selected case was judged.
    #[default]
    Complete,
    /// `--fail-fast` stopped it at the first case that did not pass.
    FailFast,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// `--budget` was reached.
    Budget,
    /// `--deadline` was reached.
    Deadline,
}

impl Ended {
    /// How a run that ends early is described.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Ended::Terminated => "terminated",
            Ended::Budget => "out of budget",
            Ended::Deadline => "out of time",
            Ended::Interrupted | Ended::Complete | Ended::FailFast => "interrupted",
        }
    }

    /// Whether it was stopped from outside, so that it can be resumed later.
    #[must_use]
    pub fn can_be_finished(self) -> bool {
        match self {
            Ended::Interrupted | Ended::Terminated | Ended::Budget | Ended::Deadline => true,
            Ended::Complete | Ended::FailFast => false,
        }
    }
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunManifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of akit that wrote it.
    pub akit: String,
    /// 16 hexadecimal digits derived from the content.
    pub run_id: String,
    /// When the run ended, RFC 3339 in UTC; in replay, the time of the newest recorded answer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The tested commit, if the pipeline names it: the newest one of the change, not a merge commit made by the
    /// pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The paths given to `akit run`, relative to the root of the repository. More or fewer scenarios below them are
    /// still the same suite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suite: Vec<String>,
    /// Root seed: `--seed`, else 0.
    pub seed: u64,
    /// Why the run ended.
    pub ended: Ended,
    /// Milliseconds: wall-clock time if something was asked live, else the sum of recorded latencies.
    pub duration_ms: u64,
    /// The scenarios, in order.
    pub scenarios: Vec<ScenarioRun>,
    /// All cases, in order.
    pub cases: Vec<CaseResult>,
    /// What was removed from it, if redaction was on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Redacted>,
    /// Notes for readers, such as parameters that a provider refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What redaction removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Redacted {
    /// Number of cases that were asked with redaction on, at least 1.
    pub cases: usize,
    /// The kinds of values, as their markers name them, in alphabetical order; `custom` means patterns of the user.
    pub kinds: Vec<String>,
}

/// One scenario of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScenarioRun {
    /// Its name.
    pub name: String,
    /// Its file, as in locations.
    pub file: String,
    /// Seed of its cases, if it differs from the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The application, as it was asked: `openai gpt-4o at api.openai.com`, or the file of recorded answers.
    pub target: String,
    /// Version of the application, if the configuration or a flag names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether recorded answers were used although it is unknown which version gave them: the application has its own
    /// address and no version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unidentified: bool,
    /// A hash of provider, model, address, parameters, system prompt and tools, in 16 hexadecimal digits; several
    /// hashes are joined by `+`. All files of recorded answers have the same hash. Empty if every asked case names its
    /// own model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_hash: String,
    /// The judge, if one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader: Option<String>,
    /// A hash of the judge's provider, model, host, prompt template, scale and votes, in 16 hexadecimal digits. Missing
    /// unless an expectation that names no judge needed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader_hash: Option<String>,
}

/// Number of cases per result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    /// Passed cases.
    pub passed: usize,
    /// Failed cases.
    pub failed: usize,
    /// Errored cases.
    pub errored: usize,
    /// Skipped cases.
    pub skipped: usize,
}

impl Counts {
    /// Cases that were judged: the denominator of the pass rate.
    #[must_use]
    pub fn judged(self) -> usize {
        self.passed + self.failed
    }

    /// All cases.
    #[must_use]
    pub fn total(self) -> usize {
        self.judged() + self.errored + self.skipped
    }

    /// Passed over judged; `None` if nothing was judged.
    #[must_use]
    pub fn pass_rate(self) -> Option<f64> {
        (self.judged() > 0).then(|| real(self.passed) / real(self.judged()))
    }
}

impl RunManifest {
    /// Number of cases per result.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            match case.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed => counts.failed += 1,
                Outcome::Errored => counts.errored += 1,
                Outcome::Skipped => counts.skipped += 1,
            }
        }
        counts
    }

    /// Marks all answers from files as dated, because the time of the recording is known.
    pub fn date_given(&mut self) {
        let trials = self.cases.iter_mut().flat_map(|case| &mut case.trials);
        let answers = trials.flat_map(|trial| &mut trial.turns).filter_map(|turn| turn.answer.as_mut());
        answers.for_each(|answer| answer.dated = answer.given);
    }

    /// Tokens of the application under test; `None` if no answer reported them.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        sum(self.answers().filter_map(|answer| answer.usage))
    }

    /// Tokens of the judge.
    #[must_use]
    pub fn grader_usage(&self) -> Option<Usage> {
        sum(self.grades().into_iter().filter_map(|grade| grade.usage))
    }

    /// Milliseconds that all answers and verdicts took when they were first requested.
    #[must_use]
    pub fn recorded_ms(&self) -> u64 {
        let replies = self.answers().filter_map(|answer| answer.latency_ms);
        let grades = self.grades().into_iter().filter_map(|grade| grade.latency_ms);
        replies.chain(grades).fold(0, u64::saturating_add)
    }

    /// All trials of all cases.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.cases.iter().flat_map(|case| &case.trials)
    }

    /// All answers of all trials.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.trials().flat_map(Trial::answers)
    }

    /// All grades of all trials.
    #[must_use]
    pub fn grades(&self) -> Vec<&Grade> {
        let mut grades = Vec::new();
        for verdict in self.trials().flat_map(Trial::verdicts) {
            verdict.walk(&mut |one| grades.extend(one.grade.as_deref()));
        }
        grades
    }

    /// The models and fingerprints that actually answered and judged, as the providers report them.
    #[must_use]
    pub fn answered_by(&self) -> BTreeSet<String> {
        let replies = self.answers().filter_map(|reply| {
            let name = versioned(reply.model.as_deref(), reply.system_fingerprint.as_deref())?;
            Some(format!("application: {name}"))
        });
        let grades = self.grades().into_iter().filter_map(|grade| grade.model.as_ref());
        replies.chain(grades.map(|name| format!("{GRADER}: {name}"))).collect()
    }

    /// A readable name of the suite; the common folder of its files if none is stored.
    #[must_use]
    pub fn suite_name(&self) -> String {
        if !self.suite.is_empty() {
            return self.suite.join(", ");
        }
        let folder =
            |file: &str| file.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
        let mut files = self.scenarios.iter().map(|one| one.file.as_str());
        let first = files.next().map_or_else(String::new, folder);
        files.fold(first, |mut common, file| {
            while !common.is_empty() && !file.starts_with(&format!("{common}/")) {
                common = folder(&common);
            }
            common
        })
    }

    /// The distinct files of the cases, in alphabetical order.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        self.cases.iter().map(|case| case.location.file.as_str()).collect()
    }
}

/// A model and its fingerprint, as far as they are known.
#[must_use]
pub fn versioned(model: Option<&str>, fingerprint: Option<&str>) -> Option<String> {
    match (model, fingerprint) {
        (Some(model), Some(mark)) => Some(format!("{model} ({mark})")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

fn sum(usages: impl Iterator<Item = Usage>) -> Option<Usage> {
    usages.fold(None, |total, one| {
        let mut total = total.unwrap_or_default();
        total += one;
        Some(total)
    })
}

/// Why a trial could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// Stable kebab-case kind: `timeout`, `connect`, `rate-limited`, `cache-miss`, `judge-unreadable`, …
    pub kind: FaultKind,
    /// What happened.
    pub message: String,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The message without the details of this case, if many cases may share the cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
}

impl Fault {
    /// A fault of one case.
    #[must_use]
    pub fn new(kind: FaultKind, message: String, help: &str) -> Self {
        Self { kind, message, help: help.to_owned(), cause: String::new() }
    }

    /// A fault with the usual remedy of its kind.
    #[must_use]
    pub fn usual(kind: FaultKind, message: String) -> Self {
        let help = kind.remedy();
        Self::new(kind, message, help)
    }
}

//! What a run found, in its versioned wire form (`--json`, `akit gate`, `akit report`).
//!
//! Plain data and sums; no rule of judging or gating lives here. Cases stand in the order of their
//! files and positions, whatever finished first.

mod baseline;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::source::Location;
use crate::stats;

pub use baseline::{
    Acceptance, Accepted, Added, BadBaseline, BadResult, Baseline, BaselineCase, Epoch, LEAST_RUNS,
    MOST_DAYS, MOST_RUNS, Mean, Results, Role, RunRecord, Shift, Spread, Tally,
};

/// The name and version of the wire form.
pub const SCHEMA: &str = "akit.run/1";

/// What became of a case, a trial or an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The answer met the expectation.
    Passed,
    /// The answer was bad.
    Failed,
    /// The answer could not be judged: provider down, judge unreadable, cache miss in replay.
    Errored,
    /// Not asked: filtered out, or the run ended before.
    Skipped,
}

impl Outcome {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Errored => "errored",
            Outcome::Skipped => "skipped",
        }
    }
}

/// Why the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Every selected case was judged.
    Complete,
    /// `--fail-fast` stopped it at the first case that did not pass.
    FailFast,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// More was spent than `--budget` allows.
    Budget,
    /// The time of `--deadline` was over.
    Deadline,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunManifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of akit that wrote it.
    pub akit: String,
    /// 16 hexadecimal digits from the content.
    pub run_id: String,
    /// When the run ended, RFC 3339 in UTC; in replay the newest record's time, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Commit that was tested, where the pipeline says so: the newest one of the change, not a merge
    /// that the pipeline made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Root seed: `--seed`, else 0.
    pub seed: u64,
    /// Why the run ended.
    pub ended: Ended,
    /// Milliseconds: on the clock where something was asked live, else the sum of recorded latencies.
    pub duration_ms: u64,
    /// The scenarios, in order.
    pub scenarios: Vec<ScenarioRun>,
    /// All cases, in order.
    pub cases: Vec<CaseResult>,
    /// Things that everybody should know, such as parameters that a provider refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One scenario of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScenarioRun {
    /// Its name.
    pub name: String,
    /// Its file, as in locations.
    pub file: String,
    /// Root seed of its cases, where it is not the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Who answered, as sent: `openai gpt-4o at api.openai.com`, or the file of replies.
    pub target: String,
    /// 16 hexadecimal digits over provider, model, host, parameters, system prompt and tools, several
    /// joined by `+`; the same for every file of replies, and empty where only cases that name a
    /// model themselves were asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_hash: String,
    /// Who judged, where a judge was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader: Option<String>,
    /// 16 hexadecimal digits over the judge's provider, model, host, prompt template, scale and votes,
    /// where a judge was needed that no expectation names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader_hash: Option<String>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseResult {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id, unique in the scenario.
    pub id: String,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tags of scenario and case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The line of its `id:`.
    pub location: Location,
    /// 16 hexadecimal digits over what is asked and expected; the same after reformatting.
    pub content_hash: String,
    /// What became of it.
    pub outcome: Outcome,
    /// 0 to 1; absent when it was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why, for people; empty when it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What was asked: the last message of the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// Each time that it was asked.
    pub trials: Vec<Trial>,
}

/// One time that a case was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// 0-based.
    pub index: u32,
    /// Asked anew to confirm a failure: not a part of any rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmation: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How the answer was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// An answer and what is known about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Why the model stopped, as the provider said it: `stop`, `length`, `content_filter`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The model that answered, as the provider said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider's mark of the configuration that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Milliseconds from sending to the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Milliseconds from sending to the first token, where somebody told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// US dollars, where the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Read from a record instead of asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
}

/// Tokens of one or more exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// Tokens sent.
    #[serde(default, alias = "prompt_tokens")]
    pub input_tokens: u64,
    /// Tokens received.
    #[serde(default, alias = "completion_tokens")]
    pub output_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }
}

impl Usage {
    /// Sent and received together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Why a trial could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// Stable kebab-case kind: `timeout`, `connect`, `rate-limited`, `cache-miss`, `judge-unreadable`, …
    pub kind: String,
    /// What happened.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

/// How one expectation judged one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The kind of expectation, as written: `contains`, `llm_grader`, …
    pub kind: String,
    /// What it found.
    pub outcome: Outcome,
    /// 0 to 1; absent when it could not judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The score that was needed, where the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Why, for people: what was missing, or what stood there.
    pub reason: String,
    /// What was expected, in few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What stood there instead: an excerpt round the spot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub got: String,
    /// 1-based line of the expectation; 0 when unknown.
    #[serde(default)]
    pub line: u32,
    /// What a judge said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Why it could not judge, where the cause has a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why it cannot fail the gate, where it rests on a judge that is not calibrated for it: what it
    /// says is shown, and a failure counts as a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// The parts of a `combined` or `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Verdict>,
}

impl CaseResult {
    /// Whether its outcome is that of its ordinary trials: failed where one failed, else passed where one
    /// passed, errored where none was judged, and skipped where none was asked.
    #[must_use]
    pub fn hangs_together(&self) -> bool {
        let said = |outcome| self.ordinary().any(|trial| trial.outcome == outcome);
        let outcome = [Outcome::Failed, Outcome::Passed, Outcome::Errored].into_iter().find(|one| said(*one));
        self.outcome == outcome.unwrap_or(Outcome::Skipped)
    }

    /// The trials that rates are taken of: all but confirmations.
    pub fn ordinary(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| !trial.confirmation)
    }

    /// The trials that were asked anew to confirm a failure.
    pub fn confirmations(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.confirmation)
    }

    /// The ordinary trials whose answer was judged, in order.
    pub fn answers(&self) -> impl Iterator<Item = &Trial> {
        let judged = |trial: &&Trial| matches!(trial.outcome, Outcome::Passed | Outcome::Failed);
        self.ordinary().filter(judged).filter(|trial| trial.reply.is_some())
    }

    /// How many of its ordinary trials passed, of those that were judged.
    #[must_use]
    pub fn tally(&self) -> stats::Tally {
        let count = |outcome| self.ordinary().filter(|trial| trial.outcome == outcome).count() as u64;
        let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
        match (passed + failed, self.outcome) {
            (0, Outcome::Passed) => stats::Tally { hits: 1, of: 1 },
            (0, Outcome::Failed) => stats::Tally { hits: 0, of: 1 },
            (of, _) => stats::Tally { hits: passed, of },
        }
    }

    /// Whether a judge had a part in its verdict.
    #[must_use]
    pub fn judged_by_grader(&self) -> bool {
        let mut found = false;
        for verdict in self.trials.iter().filter_map(|trial| trial.verdict.as_ref()) {
            verdict.walk(&mut |one| found |= one.grade.is_some());
        }
        found
    }

    /// Whether a judge's votes lie on both sides of their threshold, in any trial.
    #[must_use]
    pub fn split_votes(&self) -> bool {
        let mut split = false;
        for verdict in self.trials.iter().filter_map(|trial| trial.verdict.as_ref()) {
            verdict.walk(&mut |one| {
                if let (Some(grade), Some(threshold)) = (&one.grade, one.threshold) {
                    // Scores lie on a grid that is far coarser than this.
                    let reached = grade.votes.iter().filter(|vote| **vote + 1e-9 >= threshold).count();
                    split |= reached > 0 && reached < grade.votes.len();
                }
            });
        }
        split
    }
}

impl Trial {
    /// US dollars spent on the answer and on judging it, as far as they are known; a record costs nothing.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        let reply = self.reply.as_ref().filter(|reply| !reply.recorded);
        let mut spent = reply.and_then(|reply| reply.cost_usd).unwrap_or(0.0);
        if let Some(verdict) = &self.verdict {
            verdict.walk(&mut |one| {
                let grade = one.grade.as_ref().filter(|grade| !grade.recorded);
                spent += grade.and_then(|grade| grade.cost_usd).unwrap_or(0.0);
            });
        }
        spent
    }
}

impl Verdict {
    /// The outcome that counts: an advisory verdict fails nothing.
    #[must_use]
    pub fn counted(&self) -> Outcome {
        match self.outcome {
            Outcome::Failed if self.advisory.is_some() => Outcome::Passed,
            outcome => outcome,
        }
    }

    /// The outermost verdicts without parts that did not pass, in order: what a reader wants to see.
    #[must_use]
    pub fn culprits(&self) -> Vec<&Verdict> {
        if self.counted() == Outcome::Passed {
            return Vec::new();
        }
        // What failed an inverted expectation is that its part passed; the part itself has no fault.
        if self.kind == "not" && self.outcome == Outcome::Failed {
            return vec![self];
        }
        let below: Vec<_> = self.parts.iter().flat_map(Verdict::culprits).collect();
        if below.is_empty() { vec![self] } else { below }
    }

    /// This verdict and all below it.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Verdict)) {
        see(self);
        self.parts.iter().for_each(|part| part.walk(see));
    }
}

/// A judge's votes and words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Grade {
    /// The judge: provider, model and endpoint.
    pub grader: String,
    /// The model that judged and the mark of its configuration, as the provider said them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The score of each vote, 0 to 1, in order.
    pub votes: Vec<f64>,
    /// Reasoning of the vote that the score comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Tokens of all votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// US dollars of all votes, where the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Milliseconds of all votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether every vote was read from a record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
}

/// How many cases had each outcome.
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

    /// Passed over judged; absent when nothing was judged.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no suite has 2^52 cases")]
    pub fn pass_rate(self) -> Option<f64> {
        (self.judged() > 0).then(|| self.passed as f64 / self.judged() as f64)
    }
}

impl RunManifest {
    /// How many cases had each outcome.
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

    /// Tokens of the application under test; absent when no reply told them.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        sum(self.trials().filter_map(|trial| trial.reply.as_ref()?.usage))
    }

    /// Tokens of the judge.
    #[must_use]
    pub fn grader_usage(&self) -> Option<Usage> {
        sum(self.grades().into_iter().filter_map(|grade| grade.usage))
    }

    /// Milliseconds that all recorded answers and verdicts took when they were asked.
    #[must_use]
    pub fn recorded_ms(&self) -> u64 {
        let replies = self.trials().filter_map(|trial| trial.reply.as_ref()?.latency_ms).sum::<u64>();
        let grades = self.grades().into_iter().filter_map(|grade| grade.latency_ms).sum::<u64>();
        replies + grades
    }

    /// Every trial of every case.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.cases.iter().flat_map(|case| &case.trials)
    }

    /// Every grade of every trial.
    #[must_use]
    pub fn grades(&self) -> Vec<&Grade> {
        let mut grades = Vec::new();
        for verdict in self.trials().filter_map(|trial| trial.verdict.as_ref()) {
            verdict.walk(&mut |one| grades.extend(one.grade.as_ref()));
        }
        grades
    }

    /// Who really answered, in the providers' own words: models and marks of configurations, of the
    /// application and of the judge.
    #[must_use]
    pub fn answered_by(&self) -> BTreeSet<String> {
        let replies = self.trials().filter_map(|trial| trial.reply.as_ref()).filter_map(|reply| {
            let name = versioned(reply.model.as_deref(), reply.system_fingerprint.as_deref())?;
            Some(format!("application: {name}"))
        });
        let grades = self.grades().into_iter().filter_map(|grade| grade.model.as_ref());
        replies.chain(grades.map(|name| format!("grader: {name}"))).collect()
    }

    /// The distinct files that cases stand in, in alphabetical order.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        self.cases.iter().map(|case| case.location.file.as_str()).collect()
    }
}

/// A model and the mark of its configuration, as far as they are known.
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

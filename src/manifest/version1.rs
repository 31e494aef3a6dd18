//! Runs stored by version 0.1 (`akit.run/1`), in which a trial has one answer and one verdict, and no turns.
//!
//! They are read into today's types and never written.

use serde::Deserialize;

use super::{CaseResult, Ended, Fault, Redacted, RunManifest, SCHEMA, ScenarioRun, Trial, Verdict};
use crate::source::{Location, json_object};
use crate::vocabulary::{Answer, Outcome};

/// The name and version of their format.
pub const VERSION_1: &str = "akit.run/1";

/// Reads a run of version 1.
///
/// # Errors
/// If it is not such a run.
pub fn read_version_1(bytes: &[u8]) -> serde_json::Result<RunManifest> {
    json_object::<Stored>(bytes).map(RunManifest::from)
}

#[derive(Deserialize)]
struct Stored {
    akit: String,
    run_id: String,
    at: Option<String>,
    commit: Option<String>,
    seed: u64,
    ended: Ended,
    duration_ms: u64,
    scenarios: Vec<ScenarioRun>,
    cases: Vec<Case>,
    redacted: Option<Redacted>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    scenario: String,
    id: String,
    name: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    location: Location,
    content_hash: String,
    outcome: Outcome,
    score: Option<f64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    prompt: String,
    trials: Vec<Asked>,
}

/// A trial.
#[derive(Deserialize)]
struct Asked {
    index: u32,
    #[serde(default)]
    confirmation: bool,
    outcome: Outcome,
    score: Option<f64>,
    reply: Option<Answer>,
    verdict: Option<Verdict>,
    fault: Option<Box<Fault>>,
}

impl From<Stored> for RunManifest {
    fn from(run: Stored) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            akit: run.akit,
            run_id: run.run_id,
            at: run.at,
            commit: run.commit,
            suite: Vec::new(),
            seed: run.seed,
            ended: run.ended,
            duration_ms: run.duration_ms,
            scenarios: run.scenarios,
            cases: run.cases.into_iter().map(CaseResult::from).collect(),
            redacted: run.redacted,
            notes: run.notes,
        }
    }
}

impl From<Case> for CaseResult {
    fn from(case: Case) -> Self {
        Self {
            scenario: case.scenario,
            id: case.id,
            name: case.name,
            tags: case.tags,
            location: case.location,
            content_hash: case.content_hash,
            outcome: case.outcome,
            score: case.score,
            reason: case.reason,
            prompt: case.prompt,
            trials: case.trials.into_iter().map(Trial::from).collect(),
            earlier: None,
        }
    }
}

impl From<Asked> for Trial {
    fn from(trial: Asked) -> Self {
        Self {
            index: trial.index,
            confirmation: trial.confirmation,
            score: trial.score,
            fault: trial.fault,
            ..Self::single(trial.outcome, trial.reply, trial.verdict)
        }
    }
}

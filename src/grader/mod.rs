//! The judge: a model that holds an answer against a rubric and gives one strict verdict.
//!
//! Fail-closed: whatever is not exactly one well-formed verdict is an error, never a pass. The
//! judge is named on purpose and is never silently the model under test.

mod prompt;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::client::{ClientError, ModelClient, Patience};
use crate::manifest::{Fault, Grade};
use crate::provider::Message;
use crate::seed::Root;

pub use prompt::TEMPLATE;
pub use verdict::{Unreadable, Vote, parse};

/// Steps of the scale: scores are whole numbers from 0 to this.
pub const SCALE: u32 = 10;

/// Which model judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judge {
    /// Provider.
    pub provider: String,
    /// Model by the provider's name.
    pub model: String,
}

/// A judge that can be asked.
#[derive(Debug)]
pub struct Grader {
    client: Arc<ModelClient>,
    model: String,
    patience: Patience,
    root: Root,
}

/// What a judge is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What a good answer does.
    pub rubric: &'a str,
    /// The answer.
    pub answer: &'a str,
}

/// The surroundings of the answer under judgement.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The judges.
    pub graders: &'a Graders,
    /// The conversation up to the answer.
    pub messages: &'a [Message],
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Id of the case.
    pub case: &'a str,
    /// 0-based trial.
    pub trial: u32,
}

/// All judges of a run.
#[derive(Debug, Default)]
pub struct Graders {
    default: Option<Arc<Grader>>,
    named: BTreeMap<Judge, Arc<Grader>>,
}

/// Why there is no grade.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraderError {
    /// No judge is configured.
    #[error("no grader is configured")]
    Missing,
    /// The judge could not be asked.
    #[error("the grader could not be asked: {0}")]
    Client(#[from] ClientError),
    /// Two replies, none of them a verdict.
    #[error("the grader's reply is no verdict: {0}")]
    Unreadable(#[from] Unreadable),
}

impl GraderError {
    /// The error as the manifest shows it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Client(error) => Fault { message: self.to_string(), ..error.fault() },
            Self::Missing => Fault {
                kind: "no-grader".to_owned(),
                message: self.to_string(),
                help: "name one with `--grader-model`, or `grader:` in akit.yaml".to_owned(),
            },
            Self::Unreadable(_) => Fault {
                kind: "judge-unreadable".to_owned(),
                message: self.to_string(),
                help: "choose a model that can answer in JSON as grader".to_owned(),
            },
        }
    }
}

impl Graders {
    /// Judges for a run: one for expectations that name none, and those that are named.
    #[must_use]
    pub fn new(default: Option<Arc<Grader>>, named: BTreeMap<Judge, Arc<Grader>>) -> Self {
        Self { default, named }
    }

    /// The judge for an expectation that names this one, or none.
    pub fn find(&self, judge: Option<&Judge>) -> Result<&Arc<Grader>, GraderError> {
        let found = match judge {
            Some(judge) => self.named.get(judge),
            None => self.default.as_ref(),
        };
        found.ok_or(GraderError::Missing)
    }

    /// Every judge once, the default first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Grader>> {
        self.default.iter().chain(self.named.values())
    }
}

impl Grader {
    /// A judge on the other side of a client.
    #[must_use]
    pub fn new(client: Arc<ModelClient>, model: String, patience: Patience, root: Root) -> Self {
        Self { client, model, patience, root }
    }

    /// The judge, for people: model, provider and endpoint.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.model, self.client.endpoint())
    }

    /// The model, by the provider's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The client, for its warnings.
    #[must_use]
    pub fn client(&self) -> &ModelClient {
        &self.client
    }

    /// Asks for one verdict.
    ///
    /// An answer that says nothing scores 0 without a call. A reply that is no verdict is asked
    /// again once, with the next derived seed; then it is an error.
    pub async fn grade(&self, question: Question<'_>, bench: &Bench<'_>) -> Result<Grade, GraderError> {
        if prompt::says_nothing(question.answer) {
            return Ok(Grade {
                grader: self.name(),
                votes: vec![0.0],
                reasoning: "the answer says nothing; no judge was asked".to_owned(),
                usage: None,
                latency_ms: None,
                recorded: true,
            });
        }
        let purpose = format!("the grader's verdict on {}/{}", bench.scenario, bench.case);
        let mut last = None;
        for attempt in 0..2_u32 {
            let seed = self.seed(bench, attempt);
            let request = prompt::request(&self.model, seed, question, bench.messages);
            let extra = json!({
                "kind": "vote",
                "vote": 0,
                "attempt": attempt,
                "template": TEMPLATE,
                "template_hash": prompt::template_hash(),
            });
            let exchange = self.client.ask(&request, &extra, &purpose, self.patience).await?;
            match parse(&exchange.completion.text, exchange.completion.finish_reason.as_deref()) {
                Ok(vote) => {
                    return Ok(Grade {
                        grader: self.name(),
                        votes: vec![vote.share()],
                        reasoning: vote.reasoning,
                        usage: exchange.completion.usage,
                        latency_ms: Some(exchange.latency_ms),
                        recorded: exchange.recorded,
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(Unreadable::Empty).into())
    }

    fn seed(&self, bench: &Bench<'_>, attempt: u32) -> u32 {
        let (trial, attempt) = (bench.trial.to_string(), attempt.to_string());
        self.root.derive(&["grader", bench.scenario, bench.case, &trial, "0", &attempt])
    }
}

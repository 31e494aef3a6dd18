//! The judge: a model that holds an answer against a rubric and gives strict verdicts.
//!
//! Fail-closed: whatever is not exactly one well-formed verdict is an error, never a pass. The
//! judge is named on purpose and is never silently the model under test.

pub mod calibration;

mod ask;
mod canary;
mod canary_table;
mod prompt;
mod rubric;
mod terms;
mod verdict;
mod vote;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::client::{ClientError, Hold, ModelClient, Patience};
use crate::manifest::{Fault, Grade, versioned};
use crate::provider::{ChatRequest, Message};
use crate::redact::Redactor;
use crate::seed::Root;
use crate::text;
use crate::vocabulary::{FaultKind, ToolCall};
use ask::Tested;
use calibration::Binding;

pub use prompt::TEMPLATE;
pub use rubric::{Anchor, Rubric};
pub use terms::{Canaries, Effort, Terms};
pub use verdict::{Unreadable, Vote, parse};
pub use vote::{Ballot, Bar, median};

/// Steps of the scale where none is set: scores are whole numbers from 0 to this.
pub const SCALE: u32 = 10;

/// Which model judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judge {
    /// Provider; empty where it is the configured judge's.
    pub provider: String,
    /// Model by the provider's name.
    pub model: String,
}

impl Judge {
    /// A model of the configured judge's provider.
    #[must_use]
    pub fn of_configured(model: String) -> Self {
        Self { provider: String::new(), model }
    }

    /// Whether this one judges.
    #[must_use]
    pub fn is(&self, grader: &Grader) -> bool {
        let is_provider = self.provider.is_empty() || self.provider == grader.client().endpoint().provider;
        is_provider && self.model == grader.model()
    }
}

/// A judge that can be asked.
#[derive(Debug)]
pub struct Grader {
    client: Arc<ModelClient>,
    model: String,
    patience: Patience,
    root: Root,
    terms: Terms,
    /// What tells the suite from others.
    suite: String,
    /// What came of its canaries, by scale.
    tested: Tested,
}

/// What a judge is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What a good answer does.
    pub rubric: &'a Rubric,
    /// Steps of the scale.
    pub scale: u32,
    /// The answer.
    pub answer: &'a str,
    /// What it asks to have called.
    pub tool_calls: &'a [ToolCall],
    /// Whether it was cut off at a limit.
    pub is_cut: bool,
    /// Whether all that the application says in the conversation is graded, and not the last answer alone.
    pub is_whole: bool,
    /// The conversation up to the answer.
    pub conversation: &'a [Message],
}

/// The surroundings of the answer under judgement.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The judges.
    pub graders: &'a Graders,
    /// Root of the seeds of verdicts.
    pub root: Root,
    /// The conversation up to the answer.
    pub messages: &'a [Message],
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Id of the case.
    pub case: &'a str,
    /// 0-based trial.
    pub trial: u32,
    /// What gives way in everything that a judge is told and says; conversation and answer have it
    /// behind them.
    pub redactor: Option<&'a Redactor>,
    /// The money of the conversation that is under way.
    pub hold: Option<&'a Hold>,
}

impl Bench<'_> {
    /// The same for an answer behind so many messages.
    #[must_use]
    pub fn until(&self, messages: usize) -> Self {
        Self { messages: &self.messages[..messages.min(self.messages.len())], ..*self }
    }

    /// A text without what gives way.
    #[must_use]
    pub fn redacted(&self, text: &str) -> String {
        self.redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
    }
}

/// All judges of a run.
#[derive(Debug, Default)]
pub struct Graders {
    default: Option<Arc<Grader>>,
    named: BTreeMap<Judge, Arc<Grader>>,
    defaults: Defaults,
    binding: Option<Binding>,
}

/// Who judges where an expectation names nobody, as a configuration says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configured {
    /// Who it is.
    pub judge: Option<Judge>,
    /// Votes, scale, embeddings.
    pub defaults: Defaults,
}

/// What holds where an expectation says nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Steps of the scale.
    pub scale: u32,
    /// How many verdicts are asked for.
    pub ballot: Ballot,
    /// Model of embeddings.
    pub embedding_model: Option<String>,
}

impl Defaults {
    /// Most verdicts that are asked for where an expectation asks for so many, or says nothing; what lies between
    /// one and three counts as two.
    #[must_use]
    pub fn most_votes(&self, own: Option<u32>) -> u32 {
        own.unwrap_or(match self.ballot {
            Ballot::NearThreshold => 2,
            Ballot::Fixed(votes) => votes,
        })
    }
}

impl Default for Defaults {
    fn default() -> Self {
        Self { scale: SCALE, ballot: Ballot::default(), embedding_model: None }
    }
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
    /// The judge is not calibrated for this, and must be.
    #[error("the grader is not calibrated for this verdict: {0}")]
    Uncalibrated(String),
    /// Both replies were cut.
    #[error("the grader's reply was cut at {0} tokens before it was a verdict")]
    Cut(u64),
    /// A canary was judged wrong.
    #[error("the grader {grader} {erred}; its verdicts are void")]
    Void {
        /// The judge.
        grader: String,
        /// What it did, in words that follow its name.
        erred: String,
    },
}

impl GraderError {
    /// The error as the manifest shows it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help) = match self {
            Self::Client(error) => return Fault { message: self.to_string(), ..error.fault() },
            Self::Missing => {
                (FaultKind::NoGrader, "name one with `--grader-model`, or `grader:` in akit.yaml")
            }
            Self::Unreadable(_) => {
                (FaultKind::JudgeUnreadable, "choose a model that can answer in JSON as grader")
            }
            Self::Uncalibrated(_) => (
                FaultKind::JudgeUncalibrated,
                "measure the judge with `akit calibrate`, see docs/calibration.md",
            ),
            Self::Cut(_) => (
                FaultKind::JudgeUnreadable,
                "raise `grader.maxTokens`: it is for a verdict and all the thinking before it",
            ),
            Self::Void { .. } => (
                FaultKind::JudgeVoid,
                "choose another model as grader; nothing that this one says can be relied on. A stub in a test can do \
                 without with `grader: { canaries: off }`",
            ),
        };
        Fault::new(kind, self.to_string(), help)
    }
}

impl Graders {
    /// Judges for a run: one for expectations that name none, and those that are named.
    #[must_use]
    pub fn new(
        default: Option<Arc<Grader>>,
        named: BTreeMap<Judge, Arc<Grader>>,
        defaults: Defaults,
    ) -> Self {
        Self { default, named, defaults, binding: None }
    }

    /// The same judges, whose verdicts count as far as a calibration carries.
    #[must_use]
    pub fn bound(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// The calibration that verdicts rest on, where one is configured.
    #[must_use]
    pub fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }

    /// What holds where an expectation says nothing else.
    #[must_use]
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
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
        let (terms, suite, tested) = (Terms::default(), String::new(), Tested::default());
        Self { client, model, patience, root, terms, suite, tested }
    }

    /// The same for a suite, by what tells it from others.
    #[must_use]
    pub fn of_suite(self, suite: String) -> Self {
        Self { suite, ..self }
    }

    /// The same, asked on other terms.
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// What reports say of how it is asked.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let words = || format!("the grader {} is not tested on known answers: `canaries: off`", self.name());
        (self.terms.canaries == Canaries::Off).then(words)
    }

    /// Why an answer is too long to be judged, if it is.
    #[must_use]
    pub fn too_long(&self, answer: &str, calls: &[ToolCall]) -> Option<String> {
        let count = |text: &str| text.chars().count() as u64;
        let length = count(answer) + calls.iter().map(|call| count(&call.line())).sum::<u64>();
        let most = self.terms.max_answer;
        (length > most).then(|| {
            let (length, most) = (text::number::whole(length), text::number::whole(most));
            format!("the answer has {length} characters, more than the {most} of `grader.maxAnswer`; no judge was asked")
        })
    }

    /// The judge, for people: model, provider and endpoint.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.model, self.client.endpoint())
    }

    /// Everything that its verdicts hang on beside rubric and answer, as an object.
    #[must_use]
    pub fn identity(&self, defaults: &Defaults) -> serde_json::Value {
        let endpoint = self.client.endpoint();
        let mut identity = json!({
            "provider": endpoint.provider,
            "host": endpoint.identity(),
            "model": self.model,
            "template_hash": prompt::template_hash(),
            "scale": defaults.scale,
            "votes": match defaults.ballot {
                Ballot::NearThreshold => None,
                Ballot::Fixed(votes) => Some(votes),
            },
            "embedding_model": defaults.embedding_model,
        });
        if let Some(effort) = self.effort() {
            identity["effort"] = effort.into();
        }
        if let Some(keyed) = self.client.keyed(&ChatRequest::default()) {
            identity["options"] = keyed;
        }
        identity
    }

    /// Root of its seeds where nothing names another: of known-bad answers, and in a calibration.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    /// The model, by the provider's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How much it reasons, where that is set.
    #[must_use]
    pub fn effort(&self) -> Option<&'static str> {
        self.terms.effort.map(Into::into)
    }

    /// Most characters of an answer that it is asked about.
    #[must_use]
    pub fn longest_answer(&self) -> u64 {
        self.terms.max_answer
    }

    /// The client, for its warnings.
    #[must_use]
    pub fn client(&self) -> &ModelClient {
        &self.client
    }

    /// Asks for as many verdicts as it takes.
    ///
    /// An answer that says nothing, or is too long, scores 0 without a call. A reply that is no verdict is asked
    /// again once, with the next derived seed; then it is an error, and so is the grade.
    pub async fn grade(
        &self,
        question: &Question<'_>,
        bar: Bar,
        ballot: Ballot,
        bench: &Bench<'_>,
    ) -> Result<Grade, GraderError> {
        let mut grade = Grade {
            grader: self.name(),
            model: None,
            votes: Vec::new(),
            reasoning: String::new(),
            usage: None,
            cost_usd: None,
            latency_ms: None,
            recorded: true,
        };
        let said_nothing = (question.tool_calls.is_empty() && text::hollow::says_nothing(question.answer))
            .then(|| "the answer says nothing; no judge was asked".to_owned());
        if let Some(why) = said_nothing.or_else(|| self.too_long(question.answer, question.tool_calls)) {
            grade.votes.push(0.0);
            grade.reasoning = why;
            return Ok(grade);
        }
        let mut votes: Vec<Vote> = Vec::new();
        let mut scores = Vec::new();
        while ballot.wants_more(bar, &scores) {
            let index = u32::try_from(votes.len()).unwrap_or(u32::MAX);
            let (vote, exchanges) = self.vote(question, bench, index).await?;
            for exchange in exchanges {
                let said = &exchange.completion.answer;
                grade.model = versioned(said.model.as_deref(), said.system_fingerprint.as_deref());
                grade.recorded &= said.recorded;
                grade.latency_ms =
                    Some(grade.latency_ms.unwrap_or(0).saturating_add(said.latency_ms.unwrap_or(0)));
                if let Some(cost) = said.cost_usd {
                    grade.cost_usd = Some(grade.cost_usd.unwrap_or(0.0) + cost);
                }
                if let Some(usage) = said.usage {
                    let mut total = grade.usage.unwrap_or_default();
                    total += usage;
                    grade.usage = Some(total);
                }
            }
            scores.push(vote.score);
            votes.push(vote);
        }
        let middle = median(&scores);
        grade.votes = scores.iter().map(|score| share(*score, bar.scale)).collect();
        if let Some(vote) = votes.into_iter().find(|vote| vote.score == middle) {
            grade.reasoning = vote.reasoning;
        }
        Ok(grade)
    }
}

/// A score as a share of its scale.
fn share(score: u32, scale: u32) -> f64 {
    f64::from(score) / f64::from(scale.max(1))
}

#[cfg(test)]
mod tests;

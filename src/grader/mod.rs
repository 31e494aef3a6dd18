//! The judge: a model that grades an answer against a rubric.
//!
//! Fail-closed: anything but exactly one well-formed verdict is an error, never a pass. The judge is
//! chosen explicitly; it is never silently the model under test.

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

/// The default scale: scores are whole numbers from 0 to this.
pub const SCALE: u32 = 10;

/// Names the model that judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judge {
    /// Provider; empty for the configured judge's.
    pub provider: String,
    /// Model, as the provider names it.
    pub model: String,
}

impl Judge {
    /// A model of the configured judge's provider.
    #[must_use]
    pub fn of_configured(model: String) -> Self {
        Self { provider: String::new(), model }
    }

    /// Whether `grader` is this judge.
    #[must_use]
    pub fn is(&self, grader: &Grader) -> bool {
        let is_provider = self.provider.is_empty() || self.provider == grader.client().endpoint().provider;
        is_provider && self.model == grader.model()
    }
}

/// A judge that can be called.
#[derive(Debug)]
pub struct Grader {
    client: Arc<ModelClient>,
    model: String,
    patience: Patience,
    root: Root,
    terms: Terms,
    /// Identifies the suite.
    suite: String,
    /// Results of its canaries, by scale.
    tested: Tested,
}

/// What the judge grades.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What a good answer does.
    pub rubric: &'a Rubric,
    /// Steps of the scale.
    pub scale: u32,
    /// The answer.
    pub answer: &'a str,
    /// The answer's tool calls.
    pub tool_calls: &'a [ToolCall],
    /// Whether the answer was cut off at a limit.
    pub is_cut: bool,
    /// Whether everything the application said in the conversation is graded, not only the last answer.
    pub is_whole: bool,
    /// The conversation up to the answer.
    pub conversation: &'a [Message],
}

/// The context of the answer being judged.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The judges.
    pub graders: &'a Graders,
    /// Root of the verdicts' seeds.
    pub root: Root,
    /// The conversation up to the answer.
    pub messages: &'a [Message],
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Id of the case.
    pub case: &'a str,
    /// 0-based trial.
    pub trial: u32,
    /// Redacts everything the judge sees and writes; conversation and answer are already redacted.
    pub redactor: Option<&'a Redactor>,
    /// The budget reserved for this conversation.
    pub hold: Option<&'a Hold>,
}

impl Bench<'_> {
    /// This context, for an answer after the first `messages` messages.
    #[must_use]
    pub fn until(&self, messages: usize) -> Self {
        Self { messages: &self.messages[..messages.min(self.messages.len())], ..*self }
    }

    /// The redacted text.
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

/// The configured judge, for expectations that name none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configured {
    /// The judge.
    pub judge: Option<Judge>,
    /// Votes, scale, embeddings.
    pub defaults: Defaults,
}

/// Defaults for expectations that don't set their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Steps of the scale.
    pub scale: u32,
    /// Votes per answer.
    pub ballot: Ballot,
    /// Embedding model.
    pub embedding_model: Option<String>,
}

impl Defaults {
    /// The number of votes to budget for an expectation with `own` votes, or the default; one to three
    /// counts as two.
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
    #[error("no judge is configured")]
    Missing,
    /// The judge could not be called.
    #[error("the judge could not be called: {0}")]
    Client(#[from] ClientError),
    /// Neither of two answers is a verdict.
    #[error("the judge's answer is not a verdict: {0}")]
    Unreadable(#[from] Unreadable),
    /// The judge is required to be calibrated for this, and isn't.
    #[error("the judge is not calibrated for this verdict: {0}")]
    Uncalibrated(String),
    /// Both answers were cut off.
    #[error("the judge's answer was cut off at {0} tokens, before its verdict")]
    Cut(u64),
    /// The judge got a canary wrong.
    #[error("the judge {grader} {erred}; its verdicts are not used")]
    Void {
        /// The judge.
        grader: String,
        /// What it did wrong, a verb phrase.
        erred: String,
    },
}

impl GraderError {
    /// The error as the run stores it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help) = match self {
            Self::Client(error) => return Fault { message: self.to_string(), ..error.fault() },
            Self::Missing => (FaultKind::NoGrader, "set `grader:` in akit.yaml, or pass `--grader-model`"),
            Self::Unreadable(_) => (FaultKind::JudgeUnreadable, "choose a judge that can answer in JSON"),
            Self::Uncalibrated(_) => (
                FaultKind::JudgeUncalibrated,
                "measure the judge with `akit calibrate`; see docs/calibration.md",
            ),
            Self::Cut(_) => (
                FaultKind::JudgeUnreadable,
                "raise `grader.maxTokens`, which limits thinking and verdict together",
            ),
            Self::Void { .. } => (
                FaultKind::JudgeVoid,
                "choose another model as the judge. For a stub in a test, set `grader: { canaries: off }`",
            ),
        };
        Fault::new(kind, self.to_string(), help)
    }
}

impl Graders {
    /// Judges for a run: the default, and those that expectations name.
    #[must_use]
    pub fn new(
        default: Option<Arc<Grader>>,
        named: BTreeMap<Judge, Arc<Grader>>,
        defaults: Defaults,
    ) -> Self {
        Self { default, named, defaults, binding: None }
    }

    /// These judges, with verdicts that count only where the calibration covers them.
    #[must_use]
    pub fn bound(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// The configured calibration.
    #[must_use]
    pub fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }

    /// Defaults for expectations that don't set their own.
    #[must_use]
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The named judge, or the default.
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
    /// A judge called through a client.
    #[must_use]
    pub fn new(client: Arc<ModelClient>, model: String, patience: Patience, root: Root) -> Self {
        let (terms, suite, tested) = (Terms::default(), String::new(), Tested::default());
        Self { client, model, patience, root, terms, suite, tested }
    }

    /// This judge, for the suite with this identifier.
    #[must_use]
    pub fn of_suite(self, suite: String) -> Self {
        Self { suite, ..self }
    }

    /// This judge, with other terms.
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// A note for reports if the judge is not tested.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let words = || format!("the judge {} is not tested on known answers: `canaries: off`", self.name());
        (self.terms.canaries == Canaries::Off).then(words)
    }

    /// Why the answer is too long to be judged, if it is.
    #[must_use]
    pub fn too_long(&self, answer: &str, calls: &[ToolCall]) -> Option<String> {
        let count = |text: &str| text.chars().count() as u64;
        let length = count(answer) + calls.iter().map(|call| count(&call.line())).sum::<u64>();
        let most = self.terms.max_answer;
        (length > most).then(|| {
            let (length, most) = (text::number::whole(length), text::number::whole(most));
            format!("the answer has {length} characters, over the limit of {most} (`grader.maxAnswer`); the judge was not called")
        })
    }

    /// The judge's display name: model, provider and endpoint.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.model, self.client.endpoint())
    }

    /// Everything that affects its verdicts, except rubric and answer, as a JSON object.
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

    /// Root of its seeds for canaries and calibrations.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    /// The model, as the provider names it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The reasoning effort, if set.
    #[must_use]
    pub fn effort(&self) -> Option<&'static str> {
        self.terms.effort.map(Into::into)
    }

    /// The longest answer it judges, in characters.
    #[must_use]
    pub fn longest_answer(&self) -> u64 {
        self.terms.max_answer
    }

    /// The client, for its warnings.
    #[must_use]
    pub fn client(&self) -> &ModelClient {
        &self.client
    }

    /// Collects as many votes as the ballot needs.
    ///
    /// An answer that says nothing, or is too long, scores 0 without a call. If the judge's answer is not a
    /// verdict, it is asked once more, with the next derived seed; a second failure is an error.
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
            .then(|| "the answer says nothing; the judge was not called".to_owned());
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

/// A score as a fraction of its scale.
fn share(score: u32, scale: u32) -> f64 {
    f64::from(score) / f64::from(scale.max(1))
}

#[cfg(test)]
mod tests;

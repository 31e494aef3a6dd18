//! The judge: a model that holds an answer against a rubric and gives strict verdicts.
//!
//! Fail-closed: whatever is not exactly one well-formed verdict is an error, never a pass. The
//! judge is named on purpose and is never silently the model under test.

pub mod calibration;

mod canary;
mod prompt;
mod rubric;
mod verdict;
mod vote;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::OnceCell;

use crate::client::{Ask, ClientError, Exchange, ModelClient, Patience, Seal, Usable};
use crate::manifest::{Fault, Grade, versioned};
use crate::provider::{ChatRequest, Completion, Message};
use crate::redact::Redactor;
use crate::seed::Root;
use crate::text;

use crate::vocabulary::{ExchangeKind, FaultKind, ToolCall};
use calibration::Binding;

pub use prompt::TEMPLATE;
pub use rubric::{Anchor, Rubric};
pub use verdict::{Unreadable, Vote, parse};
pub use vote::{Ballot, Bar, median};

/// Steps of the scale where none is set: scores are whole numbers from 0 to this.
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
    /// The name of a canary that passed, once they were asked.
    passed_canary: OnceCell<Option<&'static str>>,
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
}

impl Bench<'_> {
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
    /// A known-bad answer was let pass.
    #[error("the grader {grader} let a known-bad answer pass ({canary}); its verdicts are void")]
    Canary {
        /// The judge.
        grader: String,
        /// The known-bad answer.
        canary: &'static str,
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
            Self::Canary { .. } => (
                FaultKind::JudgeVoid,
                "choose another model as grader; nothing that this one says can be relied on",
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
        Self { client, model, patience, root, passed_canary: OnceCell::new() }
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
        json!({
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
        })
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

    /// The client, for its warnings.
    #[must_use]
    pub fn client(&self) -> &ModelClient {
        &self.client
    }

    /// Asks for as many verdicts as it takes.
    ///
    /// An answer that says nothing scores 0 without a call. A reply that is no verdict is asked
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
        if text::said::says_nothing(question.answer) {
            grade.votes.push(0.0);
            "the answer says nothing; no judge was asked".clone_into(&mut grade.reasoning);
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

    /// One verdict, and every exchange that it took.
    async fn vote(
        &self,
        question: &Question<'_>,
        bench: &Bench<'_>,
        index: u32,
    ) -> Result<(Vote, Vec<Exchange>), GraderError> {
        let purpose = format!("the grader's verdict on {}/{}", bench.scenario, bench.case);
        let (trial, vote) = (bench.trial.to_string(), index.to_string());
        let attempts = ["0", "1"].map(|attempt| {
            let names = ["grader", bench.scenario, bench.case, &trial, &vote, attempt];
            let request = prompt::request(&self.model, bench.root.derive(&names), question);
            (request, prompt::content(question, u32::from(attempt == "1"), index))
        });
        let seal = |said: Completion| seal(bench, said);
        let is_verdict = |said: &Completion| read(said, question.scale).is_ok();
        let asks = attempts.each_ref().map(|(request, content)| Ask {
            request,
            kind: ExchangeKind::Vote,
            content,
            root: bench.root,
            purpose: &purpose,
            patience: self.patience,
            seal: bench.redactor.map(|_| Seal(&seal)),
            version: None,
            usable: Usable(&is_verdict),
        });
        // A first answer that was no verdict is not read again, but the verdict that came second is.
        let known = !self.client.recorded(&asks[0]) && self.client.recorded(&asks[1]);
        let mut exchanges = Vec::new();
        let mut last = Unreadable::Empty;
        for ask in &asks[usize::from(known)..] {
            // Before anything is asked and recorded; a verdict that was recorded had this behind it. In
            // replay a missing verdict may be missing because its judge was void.
            if !self.client.recorded(ask) {
                self.check_canaries(bench).await?;
            }
            let exchange = self.client.ask(ask).await?;
            let parsed = read(&exchange.completion, question.scale);
            exchanges.push(exchange);
            match parsed {
                Ok(vote) => return Ok((vote, exchanges)),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    /// The embedding of a text.
    pub async fn embed(&self, model: &str, text: &str, bench: &Bench<'_>) -> Result<Exchange, GraderError> {
        let purpose = format!("an embedding for {}/{}", bench.scenario, bench.case);
        let request = ChatRequest { model: model.to_owned(), ..ChatRequest::default() };
        let content = json!({ "input": text });
        let seal = |said: Completion| seal(bench, said);
        let ask = Ask {
            request: &request,
            kind: ExchangeKind::Embedding,
            content: &content,
            root: bench.root,
            purpose: &purpose,
            patience: self.patience,
            seal: bench.redactor.map(|_| Seal(&seal)),
            version: None,
            usable: Usable(&|_| true),
        };
        Ok(self.client.embed(&ask, text).await?)
    }

    /// Asks the canaries, once per run; later callers wait for the first.
    async fn check_canaries(&self, bench: &Bench<'_>) -> Result<(), GraderError> {
        let passed = self.passed_canary.get_or_try_init(|| self.ask_canaries(bench)).await?;
        match *passed {
            Some(canary) => Err(GraderError::Canary { grader: self.name(), canary }),
            None => Ok(()),
        }
    }

    /// The name of the first canary that passes.
    ///
    /// Nothing personal is asked, but what a judge says is kept as its other replies are.
    /// A reply that is no verdict lets nothing pass: the same reply to a real answer is an error.
    async fn ask_canaries(&self, bench: &Bench<'_>) -> Result<Option<&'static str>, GraderError> {
        for canary in canary::CANARIES {
            let rubric = Rubric::of(canary.rubric);
            let answer = canary.answer;
            let question =
                Question { rubric: &rubric, scale: SCALE, answer, tool_calls: &[], conversation: &[] };
            let seed = self.root.derive(&["canary", canary.name]);
            let request = prompt::request(&self.model, seed, &question);
            let content = json!({
                "answer": canary.answer,
                "rubric": canary.rubric,
                "scale": SCALE,
                "template": TEMPLATE,
                "template_hash": prompt::template_hash(),
            });
            let seal = |said: Completion| seal(bench, said);
            let ask = Ask {
                request: &request,
                kind: ExchangeKind::Canary,
                content: &content,
                root: self.root,
                purpose: "a known-bad answer",
                patience: self.patience,
                seal: bench.redactor.map(|_| Seal(&seal)),
                version: None,
                usable: Usable(&|_| true),
            };
            let exchange = match self.client.ask_afresh(&ask).await {
                Err(ClientError::CacheMiss { .. }) => continue,
                other => other?,
            };
            let vote = read(&exchange.completion, SCALE);
            if vote.is_ok_and(|vote| vote.score * 2 >= SCALE) {
                return Ok(Some(canary.name));
            }
        }
        Ok(None)
    }
}

/// A judge's reply in the form in which it is read, kept and shown.
fn seal(bench: &Bench<'_>, said: Completion) -> Completion {
    let Some(redactor) = bench.redactor else { return said };
    let text = redactor.reply(&said.answer.text);
    Completion { answer: said.answer.redacted(text, redactor), ..said }
}

/// What a judge said, as a verdict.
fn read(said: &Completion, scale: u32) -> Result<verdict::Vote, Unreadable> {
    parse(&said.answer.text, said.answer.finish_reason.as_deref(), scale)
}

/// A score as a share of its scale.
fn share(score: u32, scale: u32) -> f64 {
    f64::from(score) / f64::from(scale.max(1))
}

#[cfg(test)]
mod tests;

//! Calls to a judge: verdicts, the canaries before the first verdict, and embeddings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::prompt::{self, Again};
use super::verdict::{self, Unreadable, Vote};
use super::{Bench, Canaries, Grader, GraderError, Question, Rubric, TEMPLATE, canary, parse};
use crate::client::{Ask, ClientError, Exchange, Seal, Usable};
use crate::provider::{ChatRequest, Completion};
use crate::vocabulary::ExchangeKind;

/// Results of the canaries by scale: what the judge did wrong, if anything.
pub(super) type Tested = Mutex<BTreeMap<u32, Arc<OnceCell<Option<String>>>>>;

/// The inputs for one verdict: two attempts at most, each with its own seed and cache key.
struct Sought<'a> {
    question: &'a Question<'a>,
    kind: ExchangeKind,
    purpose: &'a str,
    seeds: [u32; 2],
    contents: [Json; 2],
}

impl Grader {
    /// The request for a verdict.
    #[must_use]
    pub fn request(&self, question: &Question<'_>) -> ChatRequest {
        prompt::request(&self.model, 0, question, &self.terms, Again::No)
    }

    /// The requests sent before the first verdict on a scale.
    #[must_use]
    pub fn canaries(&self, scale: u32) -> Vec<ChatRequest> {
        let drawn = match self.terms.canaries {
            Canaries::On => canary::draw(self.root, scale, &self.model, &self.suite),
            Canaries::Off => Vec::new(),
        };
        let request = |canary: canary::Canary| {
            let (rubric, answer) = (&Rubric::of(canary.rubric), canary.answer.as_str());
            self.request(&Question {
                rubric,
                scale,
                answer,
                tool_calls: &[],
                is_cut: false,
                is_whole: false,
                conversation: &[],
            })
        };
        drawn.into_iter().map(request).collect()
    }

    /// Gets one verdict, and returns every exchange that it took.
    pub(super) async fn vote(
        &self,
        question: &Question<'_>,
        bench: &Bench<'_>,
        index: u32,
    ) -> Result<(Vote, Vec<Exchange>), GraderError> {
        let purpose = format!("the judge's verdict on {}/{}", bench.scenario, bench.case);
        let (trial, vote) = (bench.trial.to_string(), index.to_string());
        let seed =
            |attempt| bench.root.derive(&["grader", bench.scenario, bench.case, &trial, &vote, attempt]);
        let sought = Sought {
            question,
            kind: ExchangeKind::Vote,
            purpose: &purpose,
            seeds: ["0", "1"].map(seed),
            contents: [0, 1].map(|attempt| prompt::content(question, attempt, index)),
        };
        self.verdict(&sought, bench).await
    }

    /// Asks for a verdict. On failure it asks once more: with twice the tokens if the answer was cut off, in
    /// the next form if it was unreadable.
    async fn verdict(
        &self,
        sought: &Sought<'_>,
        bench: &Bench<'_>,
    ) -> Result<(Vote, Vec<Exchange>), GraderError> {
        let Sought { question, kind, purpose, seeds, contents } = sought;
        let root = if *kind == ExchangeKind::Canary { self.root } else { bench.root };
        let is_verdict = |said: &Completion| read(said, question.scale).is_ok();
        let seal = |said: Completion| seal(bench, said);
        let request = |attempt: usize, again| {
            prompt::request(&self.model, seeds[attempt], question, &self.terms, again)
        };
        let first = [0, 1].map(|attempt| request(attempt, Again::No));
        let plain = Ask {
            request: &first[0],
            kind: *kind,
            content: &contents[0],
            root,
            purpose,
            patience: self.patience,
            seal: bench.redactor.map(|_| Seal(&seal)),
            version: None,
            usable: Usable(&is_verdict),
            afresh: false,
            watch: None,
            pause: std::time::Duration::ZERO,
            hold: bench.hold,
        };
        let is_vote = *kind == ExchangeKind::Vote;
        let is_recorded =
            |n: usize| self.client.recorded(&Ask { request: &first[n], content: &contents[n], ..plain });
        // A recorded first answer that is unreadable is not reused, but the verdict of a recorded second attempt is.
        let begin = match () {
            () if !is_vote || is_recorded(0) => 0,
            () if is_recorded(1) => 1,
            // Before the first live verdict; a recorded one comes from a judge that passed. In replay, a verdict
            // may be missing because its judge failed the canaries.
            () => {
                self.check_canaries(question.scale, bench).await?;
                0
            }
        };
        let mut exchanges = Vec::new();
        let (mut again, mut last) = (Again::No, GraderError::Unreadable(Unreadable::Empty));
        for (attempt, content) in contents.iter().enumerate().skip(begin) {
            let request = request(attempt, again);
            let ask = Ask { request: &request, content, ..plain };
            let asked =
                if is_vote { self.client.ask(&ask).await } else { self.client.ask_afresh(&ask).await };
            let exchange = asked?;
            let parsed = read(&exchange.completion, question.scale);
            exchanges.push(exchange);
            match parsed {
                Ok(vote) => return Ok((vote, exchanges)),
                Err(Unreadable::Cut(_)) => {
                    again = Again::Longer;
                    last = GraderError::Cut(request.max_tokens.unwrap_or_default());
                }
                Err(error) => {
                    again = Again::NextForm;
                    last = error.into();
                }
            }
        }
        Err(last)
    }

    /// The embedding of a string.
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
            afresh: false,
            watch: None,
            pause: std::time::Duration::ZERO,
            hold: bench.hold,
        };
        Ok(self.client.embed(&ask, text).await?)
    }

    /// Asks the canaries, once per run and scale; later callers wait for the first.
    async fn check_canaries(&self, scale: u32, bench: &Bench<'_>) -> Result<(), GraderError> {
        if self.terms.canaries == Canaries::Off {
            return Ok(());
        }
        let cell = {
            let mut tested = self.tested.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(tested.entry(scale).or_default())
        };
        // Boxed: asking a canary is a recursive call of `verdict`.
        match cell.get_or_try_init(|| Box::pin(self.ask_canaries(scale, bench))).await? {
            Some(erred) => Err(GraderError::Void { grader: self.name(), erred: erred.clone() }),
            None => Ok(()),
        }
    }

    /// What the judge gets wrong, if anything.
    ///
    /// Canaries contain nothing personal, but the judge's answers are redacted like any other. An unreadable
    /// verdict on a bad answer is not a mistake, but at least one bad answer must be graded low. An unreadable
    /// verdict on the good answer is an error, as it is for a real answer.
    async fn ask_canaries(&self, scale: u32, bench: &Bench<'_>) -> Result<Option<String>, GraderError> {
        let (mut is_any_low, mut is_any_unread) = (false, false);
        for canary in canary::draw(self.root, scale, &self.model, &self.suite) {
            let rubric = Rubric::of(canary.rubric);
            let answer = canary.answer.as_str();
            let question = Question {
                rubric: &rubric,
                scale,
                answer,
                tool_calls: &[],
                is_cut: false,
                is_whole: false,
                conversation: &[],
            };
            let content = |attempt: u32| {
                json!({
                    "answer": answer,
                    "attempt": attempt,
                    "rubric": canary.rubric,
                    "scale": scale,
                    "template": TEMPLATE,
                    "template_hash": prompt::template_hash(),
                })
            };
            let sought = Sought {
                question: &question,
                kind: ExchangeKind::Canary,
                purpose: if canary.is_good { "a known-good answer" } else { "a known-bad answer" },
                seeds: ["0", "1"].map(|attempt| self.root.derive(&["canary", answer, attempt])),
                contents: [0, 1].map(content),
            };
            let is_high = match self.verdict(&sought, bench).await {
                Ok((vote, _)) => vote.score * 2 >= scale,
                // The replayed run was recorded without it.
                Err(GraderError::Client(ClientError::CacheMiss { .. })) => continue,
                Err(GraderError::Unreadable(_) | GraderError::Cut(_)) if !canary.is_good => {
                    is_any_unread = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match (canary.is_good, is_high) {
                (true, false) => return Ok(Some("failed a known-good answer".to_owned())),
                (false, true) => {
                    return Ok(Some(format!("passed a known-bad answer ({})", canary.name)));
                }
                (true, true) => {}
                (false, false) => is_any_low = true,
            }
        }
        let is_unshown = is_any_unread && !is_any_low;
        Ok(is_unshown.then(|| "gave no readable verdict on any known-bad answer".to_owned()))
    }
}

/// The judge's answer, redacted before it is read, recorded and shown.
fn seal(bench: &Bench<'_>, said: Completion) -> Completion {
    let Some(redactor) = bench.redactor else { return said };
    let text = redactor.reply(&said.answer.text);
    Completion { answer: said.answer.redacted(text, redactor), ..said }
}

/// Parses the judge's answer as a verdict.
fn read(said: &Completion, scale: u32) -> Result<verdict::Vote, Unreadable> {
    parse(&said.answer.text, said.answer.finish_reason.as_deref(), scale)
}

//! The answer to a case: looked up in a file, or asked for, round by round while its calls are played.
//!
//! Each round is a request of its own, with its own record, found by the messages before it. What a function returns comes
//! from the scenario alone; nothing is called. The calls of all rounds, in order, are one answer with their words.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::plan::{Planned, Target};
use super::redaction::{self, Earlier};
use crate::client::{Ask, ModelClient, Patience, Seal, Usable};
use crate::expectation::Seen;
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, Conversation, Message, Role};
use crate::redact::Replaced;
use crate::scenario::{Case, Played, Scenario};
use crate::seed::{Root, RunId};
use crate::text;
use crate::vocabulary::{Answer, ExchangeKind, FaultKind, ToolCall};

/// What came of asking.
pub(super) struct Said {
    pub(super) answer: Answer,
    /// What expectations found in it before it was redacted.
    pub(super) seen: Option<Seen>,
    /// Why it went no further, where its calls could not be played.
    pub(super) fault: Option<Fault>,
}

/// The answer to a trial of a case.
pub(super) async fn answer(
    scenario: &Scenario,
    case: &Case,
    planned: &Planned,
    (root, run): (Root, RunId),
    trial: u32,
) -> Result<Said, Fault> {
    let Some(job) = &planned.job else {
        return Err(Fault::new(FaultKind::NotPlanned, "the case has no target".to_owned(), ""));
    };
    match &job.target {
        Target::Replies(replies) => {
            let reply = replies.answer(&case.whom(&scenario.name), trial).cloned().ok_or_else(|| {
                Fault::new(
                    FaultKind::NoReply,
                    format!("there is no reply to this case in {}", replies.name()),
                    "add a line with its id to the file of replies",
                )
            })?;
            let text = Replaced::undo(&reply.replaced, &reply.text);
            let answer = job.stop_words.teach(Answer { text, replaced: Vec::new(), ..reply });
            let said =
                redaction::seal(case, Completion { answer, ..Completion::default() }, &Earlier::default());
            Ok(Said { answer: said.answer, seen: redaction::seen(said.seen), fault: None })
        }
        Target::Model { client, model, seeded, .. } => {
            let number = trial.to_string();
            let seed = root.derive(&["target", &scenario.name, &case.id, &number]);
            let id = run.conversation(&[&scenario.name, &case.id, &number]);
            let request = ChatRequest {
                conversation: Conversation { id, trial, turn: 1, session: None },
                ..request(scenario, case, model, seeded.then_some(seed))
            };
            let jitter = root.derive(&["retry", &scenario.name, &case.id, &number]);
            let patience = Patience { jitter: jitter.into(), ..job.patience };
            // What a record says of a stop word was taught when it was made.
            let teach = |said: Completion| Completion { answer: job.stop_words.teach(said.answer), ..said };
            let version = job.version.as_deref();
            Rounds { scenario, case, client, root, trial, patience, version, teach: &teach }
                .ask(request)
                .await
        }
    }
}

/// What a model is sent.
pub(super) fn request(scenario: &Scenario, case: &Case, model: &str, seed: Option<u32>) -> ChatRequest {
    ChatRequest {
        model: model.to_owned(),
        messages: case.messages.clone(),
        temperature: scenario.temperature,
        max_tokens: scenario.max_tokens,
        seed,
        tools: scenario.functions.sent.clone(),
        effort: None,
        output: None,
        conversation: Conversation::default(),
        variables: Arc::clone(&case.variables),
    }
}

/// How a model is asked, round by round.
struct Rounds<'a> {
    scenario: &'a Scenario,
    case: &'a Case,
    client: &'a ModelClient,
    root: Root,
    trial: u32,
    patience: Patience,
    version: Option<&'a str>,
    teach: &'a (dyn Fn(Completion) -> Completion + Send + Sync),
}

impl Rounds<'_> {
    async fn ask(&self, mut request: ChatRequest) -> Result<Said, Fault> {
        let functions = &self.scenario.functions;
        let mut asked = redaction::messages(self.case);
        let mut earlier = Earlier::default();
        let mut all: Option<Answer> = None;
        let mut round = 0;
        loop {
            let said = self.once(&request, &asked, &mut earlier, round).await?;
            let calls = named(&said.answer.tool_calls, all.as_ref().map_or(0, |all| all.tool_calls.len()));
            let spoken = Message::new(Role::Assistant, &*said.answer.text);
            let seen = redaction::seen(said.seen);
            let is_over = !said.answer.stop().is_whole();
            request.conversation.session = request.conversation.session.or(said.session);
            let mut answer = match all.take() {
                Some(all) => all.and_then(said.answer),
                None => said.answer,
            };
            let ends = |answer, fault| Ok(Said { answer, seen: seen.clone(), fault });
            if is_over || functions.undeclared(&calls).is_some() {
                return ends(answer, None);
            }
            let returned = match functions.play(&calls) {
                Played::Ends => return ends(answer, None),
                Played::Unfit(call) => {
                    let message = format!(
                        "nothing that `{}` returns fits its call: {}",
                        shown(&call.name),
                        shown(&call.line())
                    );
                    let help =
                        "add an entry to `returns` of the function that fits the call, or one without `with`";
                    return ends(answer, Some(Fault::new(FaultKind::NoToolAnswer, message, help)));
                }
                Played::Returned(_) if round == functions.rounds => {
                    let rounds = text::count(round as usize, "round");
                    let message = format!(
                        "the answer still calls functions after {rounds}: {}",
                        ToolCall::summary(&calls)
                    );
                    let help = "raise `setup.max_tool_rounds`, or see why the application does not come to an answer";
                    return ends(answer, Some(Fault::new(FaultKind::ToolRounds, message, help)));
                }
                Played::Returned(returned) => returned,
            };
            let from = answer.tool_calls.len().saturating_sub(calls.len());
            for (call, told) in answer.tool_calls[from..].iter_mut().zip(&returned) {
                let redaction = self.case.redaction.on();
                let shown = redaction.map(|redaction| redaction.redactor.text(&told.content));
                call.returned = Some(shown.unwrap_or_else(|| told.content.clone()));
            }
            let spoken = Message { tool_calls: calls, ..spoken };
            for messages in [&mut request.messages, &mut asked] {
                messages.push(spoken.clone());
                messages.extend(returned.iter().cloned());
            }
            all = Some(answer);
            round += 1;
        }
    }

    /// Asks one round. `asked` is what its record is found by.
    async fn once(
        &self,
        request: &ChatRequest,
        asked: &[Message],
        earlier: &mut Earlier,
        round: u32,
    ) -> Result<Completion, Fault> {
        let Self { scenario, case, .. } = self;
        let mut content = json!({ "messages": asked });
        if !request.tools.is_empty() {
            content["tools"] = json!(request.tools);
        }
        let redacted = case.redaction.on();
        if let Some(redaction) = redacted {
            content = redaction.redactor.json(&content);
            content["redacted_for"] = redaction::mark(case).into();
        }
        // Behind the redaction, which may take a number for a value: no two trials share a record.
        content["trial"] = self.trial.into();
        // What came live is seen as it came, once.
        let raw: Mutex<Option<Answer>> = Mutex::default();
        let seal = |said: Completion| {
            if said.seen.is_none() {
                *raw.lock().unwrap_or_else(PoisonError::into_inner) = Some(said.answer.clone());
            }
            redaction::seal(case, (self.teach)(said), earlier)
        };
        let purpose = match round {
            0 => format!("the reply to {}/{}", scenario.name, case.id),
            _ => format!(
                "the reply to {}/{} after {}",
                scenario.name,
                case.id,
                text::count(round as usize, "round")
            ),
        };
        let ask = Ask {
            request,
            kind: ExchangeKind::Reply,
            content: &content,
            root: self.root,
            purpose: &purpose,
            patience: self.patience,
            seal: redacted.map(|_| Seal(&seal)),
            version: self.version,
            usable: Usable(&|said| (self.teach)(said.clone()).answer.stop().is_answer()),
        };
        let said = (self.teach)(self.client.ask(&ask).await.map_err(|error| error.fault())?.completion);
        let raw = raw.into_inner().unwrap_or_else(PoisonError::into_inner);
        match raw {
            Some(raw) => earlier.add(raw),
            None => earlier.is_redacted |= redacted.is_some(),
        }
        Ok(said)
    }
}

/// The calls, each with an id by which what it returned is known: the provider's, or its number in the answer.
fn named(calls: &[ToolCall], before: usize) -> Vec<ToolCall> {
    let named = |(number, call): (usize, &ToolCall)| {
        let id = call.id.clone().unwrap_or_else(|| format!("call_{number}"));
        ToolCall { id: Some(id), ..call.clone() }
    };
    (before + 1..).zip(calls).map(named).collect()
}

fn shown(words: &str) -> String {
    text::excerpt(words, 160)
}

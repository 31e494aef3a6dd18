//! The answer to a case: read from a file or requested, round by round while its function calls are simulated.
//!
//! Each round is a request with its own record, keyed by the messages before it. Function results come from the
//! scenario only; nothing is called. The answer has the text of the last round and the calls of all rounds, in order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::plan::{Job, Planned, Target};
use super::redaction::{self, Earlier, See};
use crate::client::{Ask, Hold, ModelClient, Patience, Seal, Usable, Watch};
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, Conversation, Message, Replies, Role, Unmetered};
use crate::redact::Replaced;
use crate::scenario::{Case, Played, Scenario};
use crate::seed::{Root, RunId};
use crate::text;
use crate::vocabulary::{Answer, ExchangeKind, FaultKind, ToolCall};

/// Options of a trial that is part of a load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load<'a> {
    /// Observes each request.
    pub watch: Option<&'a dyn Watch>,
    /// Added to the first message of the customer.
    pub mark: Option<&'a str>,
}
/// Journals are keyed by the purpose of a request, so this word must not change.
const REPLY: &str = "reply";

/// Bytes of two messages in addition to their words.
const FRAME: u64 = 128;

/// The result of asking.
pub(super) struct Said {
    pub(super) answer: Answer,
    /// What was found in it before it was redacted, as it is stored.
    pub(super) seen: Option<Json>,
    /// The raw answer, if the stored one is redacted and the raw one is known.
    pub(super) raw: Option<Answer>,
    /// Why it stopped, if its calls could not be simulated.
    pub(super) fault: Option<Fault>,
    /// The messages of all rounds, which the conversation continues with.
    pub(super) added: Vec<Message>,
    /// The session id that the application assigned.
    pub(super) session: Option<String>,
}

/// The answer to a trial of a case.
pub(super) async fn answer(
    scenario: &Scenario,
    case: &Case,
    planned: &Planned,
    (root, run): (Root, RunId),
    trial: u32,
    load: Load<'_>,
) -> Result<Said, Fault> {
    let job = planned.job()?;
    match &job.target {
        Target::Replies(replies) => {
            let whom = case.whom(&scenario.name);
            let reply = replies.answer(&whom, trial).cloned().ok_or_else(|| no_reply(replies))?;
            let turns = replies.conversation(&whom, trial).map_or(1, |turns| turns.map_or(1, <[_]>::len));
            let asked = case.messages.iter().filter(|message| message.role == Role::User).count();
            if turns > 1 && turns != asked {
                let message = format!(
                    "the line for this case in {} is a conversation of {turns} turns, but the case asks one question",
                    replies.name()
                );
                let help = "write the customer's turns as `turns:`, or the last answer alone as `reply`";
                return Err(Fault::new(FaultKind::OtherConversation, message, help));
            }
            Ok(given(case, job, reply, &redaction::see_of(case)))
        }
        Target::Model { client, model, seeded, .. } => {
            let number = trial.to_string();
            let seed = root.derive(&["target", &scenario.name, &case.id, &number]);
            let id = run.conversation(&[&scenario.name, &case.id, &number]);
            let mut request = ChatRequest {
                conversation: Conversation { id, trial, turn: 1, session: None },
                ..request(scenario, case, model, seeded.then_some(seed))
            };
            if let Some(mark) = load.mark {
                // The current message; those before it are history.
                let first = request.messages.iter_mut().rfind(|message| message.role == Role::User);
                if let Some(first) = first {
                    first.content.push_str(mark);
                }
            }
            let rounds = Rounds::of(scenario, case, (job, client), root, trial, load.watch);
            rounds.ask(request, &redaction::messages(case), &redaction::see_of(case)).await
        }
    }
}

/// The fault of a case without an answer in a file of recorded answers.
pub(super) fn no_reply(replies: &Replies) -> Fault {
    Fault::new(
        FaultKind::NoReply,
        format!("no answer to this case in {}", replies.name()),
        "add a line with the ID of the case to the file",
    )
}

/// A recorded answer.
pub(super) fn given(case: &Case, job: &Job, reply: Answer, see: See<'_>) -> Said {
    let text = Replaced::undo(&reply.replaced, &reply.text);
    let answer = job.stop_words.teach(Answer { text, replaced: Vec::new(), ..reply });
    let raw = case.redaction.on().is_some().then(|| answer.clone());
    let said = Completion { answer, ..Completion::default() };
    let said = redaction::seal(case, said, &Earlier::default(), see);
    let added = vec![Message::new(Role::Assistant, &*said.answer.text)];
    Said { answer: said.answer, seen: said.seen, raw, fault: None, added, session: None }
}

/// The request to a model.
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

/// Maximum cost of the rest of a conversation in US dollars, with this many turns left (including this one), this many
/// bytes of customer text in each, and this many rounds already played in this turn.
///
/// # Errors
/// If it is unknown.
pub(super) fn whole(
    client: &ModelClient,
    scenario: &Scenario,
    request: &ChatRequest,
    ([turns, words], round): ([u64; 2], u32),
) -> Result<f64, Unmetered> {
    let functions = &scenario.functions;
    let rounds = u64::from(functions.most_rounds()) + 1;
    let requests = turns.saturating_mul(rounds).saturating_sub(round.into()).max(1);
    client.worst_in_a_row(request, requests, words.max(functions.longest()).saturating_add(FRAME))
}

/// Asks a model, round by round.
pub(super) struct Rounds<'a> {
    scenario: &'a Scenario,
    case: &'a Case,
    client: &'a ModelClient,
    job: &'a Job,
    root: Root,
    trial: u32,
    patience: Patience,
    /// The current turn, if the case is a conversation.
    pub(super) turn: Option<At>,
    /// Hashes of what was said before, by turn, if the application remembers the conversation.
    pub(super) held: Option<Json>,
    /// The budget reserved for the conversation.
    pub(super) hold: Option<Arc<Hold>>,
    /// Maximum number of turns left, including this one, and bytes of the customer's longest message.
    pub(super) rest: [u64; 2],
    /// Measures the requests, if set.
    pub(super) watch: Option<&'a dyn Watch>,
}

/// The current turn of a conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    /// 1-based number.
    pub(super) number: u32,
    /// Number of the session with the same customer, from 0.
    pub(super) session: u32,
    /// Whether records are ignored.
    pub(super) afresh: bool,
    /// How long the customer waits before this turn.
    pub(super) pause: Duration,
}

impl<'a> Rounds<'a> {
    pub(super) fn of(
        scenario: &'a Scenario,
        case: &'a Case,
        (job, client): (&'a Job, &'a ModelClient),
        root: Root,
        trial: u32,
        watch: Option<&'a dyn Watch>,
    ) -> Self {
        let jitter = root.derive(&["retry", &scenario.name, &case.id, &trial.to_string()]);
        let patience = Patience { jitter: jitter.into(), ..job.patience };
        Self {
            scenario,
            case,
            client,
            job,
            root,
            trial,
            patience,
            turn: None,
            held: None,
            hold: None,
            rest: [1, 0],
            watch,
        }
    }

    /// Gives a stop word its current meaning; a record keeps the meaning that the word had when the record was made.
    fn teach(&self, said: Completion) -> Completion {
        Completion { answer: self.job.stop_words.teach(said.answer), ..said }
    }

    /// Whether the first round would be read from the cache. `asked` is part of the key.
    pub(super) fn is_recorded(&self, request: &ChatRequest, asked: &[Message]) -> bool {
        let (content, purpose) = (self.content(request, asked, &[]), self.purpose(0));
        let (usable, seal) = (|said: &Completion| self.is_usable(said), |said| said);
        let seal = self.case.redaction.on().map(|_| Seal(&seal));
        self.client.recorded(&self.about(request, &content, &purpose, seal, &Usable(&usable)))
    }

    /// What a round is for, in words, by which the answers of an interrupted run are also found.
    fn purpose(&self, round: u32) -> String {
        let turn = self.turn.map_or_else(String::new, |at| format!(" at turn {}", at.number));
        let after = || format!(" after {}", text::count(round as usize, "round"));
        let after = if round > 0 { after() } else { String::new() };
        format!("the {REPLY} to {}/{}{turn}{after}", self.scenario.name, self.case.id)
    }

    fn is_usable(&self, said: &Completion) -> bool {
        self.teach(said.clone()).answer.stop().is_answer()
    }

    /// Asks until no more calls need to be simulated. `asked` is part of the keys.
    pub(super) async fn ask(
        &self,
        mut request: ChatRequest,
        asked: &[Message],
        see: See<'_>,
    ) -> Result<Said, Fault> {
        let functions = &self.scenario.functions;
        let mut added: Vec<Message> = Vec::new();
        let mut earlier = Earlier::default();
        let mut all: Option<Answer> = None;
        let mut round = 0;
        loop {
            let said = self.once(&request, (asked, &added), &mut earlier, round, see).await?;
            let calls = named(&said.answer.tool_calls, all.as_ref().map_or(0, |all| all.tool_calls.len()));
            let spoken = Message::new(Role::Assistant, &*said.answer.text);
            let seen = said.seen;
            let is_over = !said.answer.stop().is_whole();
            request.conversation.session = request.conversation.session.or(said.session);
            let mut answer = match all.take() {
                Some(all) => all.and_then(said.answer),
                None => said.answer,
            };
            let session = request.conversation.session.clone();
            let spoken = Message { tool_calls: calls.clone(), parts: said.parts, ..spoken };
            let ends = |answer, fault| {
                let raw = earlier.raw();
                // No server accepts a call without a result.
                let unplayed = calls.iter().map(|call| Message {
                    tool_call_id: call.id.clone(),
                    ..Message::new(Role::Tool, String::new())
                });
                let added = added.iter().cloned().chain([spoken.clone()]).chain(unplayed).collect();
                Ok(Said { answer, seen, raw, fault, added, session })
            };
            if is_over || functions.undeclared(&calls).is_some() {
                return ends(answer, None);
            }
            let returned = match functions.play(&calls) {
                Played::Ends => return ends(answer, None),
                Played::Unfit(call) => {
                    let message = format!(
                        "no entry in `returns` of `{}` fits its call: {}",
                        shown(&call.name),
                        shown(&call.line())
                    );
                    return ends(answer, Some(Fault::usual(FaultKind::NoToolAnswer, message)));
                }
                Played::Returned(_) if round == functions.rounds => {
                    let rounds = text::count(round as usize, "round");
                    let message = format!(
                        "the answer still calls functions after {rounds}: {}",
                        ToolCall::summary(&calls)
                    );
                    return ends(answer, Some(Fault::usual(FaultKind::ToolRounds, message)));
                }
                Played::Returned(returned) => returned,
            };
            let from = answer.tool_calls.len().saturating_sub(calls.len());
            for (call, message) in answer.tool_calls[from..].iter_mut().zip(&returned) {
                let redaction = self.case.redaction.on();
                let shown = redaction.map(|redaction| redaction.redactor.text(&message.content));
                call.returned = Some(shown.unwrap_or_else(|| message.content.clone()));
            }
            for messages in [&mut request.messages, &mut added] {
                messages.push(spoken.clone());
                messages.extend(returned.iter().cloned());
            }
            all = Some(answer);
            round += 1;
        }
    }

    /// The key of a round's record.
    fn content(&self, request: &ChatRequest, asked: &[Message], added: &[Message]) -> Json {
        let messages: Vec<&Message> = asked.iter().chain(added).collect();
        let mut content = json!({ "messages": messages });
        if !request.tools.is_empty() {
            content["tools"] = json!(request.tools);
        }
        if let Some(at) = self.turn.filter(|at| at.session > 0) {
            content["session"] = at.session.into();
        }
        if let Some(held) = &self.held {
            content["held"] = held.clone();
        }
        if let Some(redaction) = self.case.redaction.on() {
            content = redaction.redactor.json(&content);
            content["redacted_for"] = redaction::mark(self.case).into();
        }
        // Not redacted: a redaction could treat a number as a value, and no two trials may share a record.
        content["trial"] = self.trial.into();
        content
    }

    fn about<'q>(
        &'q self,
        request: &'q ChatRequest,
        content: &'q Json,
        purpose: &'q str,
        seal: Option<Seal<'q>>,
        usable: &Usable<'q>,
    ) -> Ask<'q>
    where
        'a: 'q,
    {
        Ask {
            request,
            kind: ExchangeKind::Reply,
            content,
            root: self.root,
            purpose,
            patience: self.patience,
            seal,
            version: self.job.version.as_deref(),
            usable: *usable,
            afresh: self.turn.is_some_and(|at| at.afresh),
            pause: self.turn.map_or(Duration::ZERO, |at| at.pause),
            watch: self.watch,
            hold: self.hold.as_deref(),
        }
    }

    /// Asks one round, which is keyed by `asked` and by what was added since.
    async fn once(
        &self,
        request: &ChatRequest,
        (asked, added): (&[Message], &[Message]),
        earlier: &mut Earlier,
        round: u32,
        see: See<'_>,
    ) -> Result<Completion, Fault> {
        let case = self.case;
        // If nothing is read or written, no record is looked up.
        let is_unheard = self.client.is_unheard();
        let content = if is_unheard { Json::Null } else { self.content(request, asked, added) };
        if let Some(hold) = &self.hold {
            let rest = whole(self.client, self.scenario, request, (self.rest, round));
            // Nothing is sent if the cost is unknown.
            hold.needs(rest.unwrap_or_default());
        }
        let redacted = case.redaction.on();
        // A live answer is inspected raw, once.
        let raw: Mutex<Option<Answer>> = Mutex::default();
        let seal = |said: Completion| {
            if said.seen.is_none() {
                *raw.lock().unwrap_or_else(PoisonError::into_inner) = Some(said.answer.clone());
            }
            redaction::seal(case, self.teach(said), earlier, see)
        };
        let purpose = self.purpose(round);
        let usable = |said: &Completion| self.is_usable(said);
        let ask = self.about(request, &content, &purpose, redacted.map(|_| Seal(&seal)), &Usable(&usable));
        // The customer waits before speaking, not while functions are played.
        let ask = if round > 0 { Ask { pause: Duration::ZERO, ..ask } } else { ask };
        let said = self.teach(self.client.ask(&ask).await.map_err(|error| error.fault())?.completion);
        let raw = raw.into_inner().unwrap_or_else(PoisonError::into_inner);
        match raw {
            Some(raw) => earlier.add(raw),
            None => earlier.is_redacted |= redacted.is_some(),
        }
        Ok(said)
    }
}

/// The calls with their ids, to match results: the provider's id, or the position in the answer.
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

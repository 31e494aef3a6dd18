//! A model or bot that is called turn by turn; it remembers the conversation, or gets it each time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::ask::{self, At, Load, Rounds, Said};
use super::plan::{Job, Target};
use super::redaction;
use crate::canonical;
use crate::client::{Hold, ModelClient};
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Conversation, Message, Role};
use crate::scenario::{Case, Dialogue, Say, Scenario};
use crate::seed::{Root, RunId};
use crate::vocabulary::FaultKind;

/// An application in a conversation.
pub(super) struct Live<'a> {
    whom: Whom<'a>,
    trial: u32,
    rounds: Rounds<'a>,
    client: &'a ModelClient,
    model: &'a str,
    seeded: bool,
    /// The messages to send.
    sent: Vec<Message>,
    /// The messages that records are keyed by.
    kept: Vec<Message>,
    /// Marks of everything said in all conversations with the same customer, by turn number.
    heard: BTreeMap<String, Json>,
    conversation: Conversation,
    /// Whether a conversation uses all of its records or none: the server remembers it, or an answer is known only in
    /// redacted form.
    is_bound: bool,
    /// Where the turns so far came from, if they must all come from the same source.
    source: Option<Source>,
    /// The budget reserved for the conversation.
    hold: Arc<Hold>,
    /// Maximum number of customer turns, and the size of the longest message in bytes.
    most: [u64; 2],
}

/// Which case is asked, and in which run.
#[derive(Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) case: &'a Case,
    pub(super) root: Root,
    pub(super) run: RunId,
    pub(super) load: Load<'a>,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Records,
    Server,
}

/// Why a conversation stopped.
pub(super) enum Stopped {
    /// Because of a fault.
    Fault(Fault),
    /// Its records are incomplete and cannot be continued.
    Again,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<'a> Live<'a> {
    /// A conversation that has not started.
    pub(super) fn of(whom: Whom<'a>, dialogue: &Dialogue, job: &'a Job, trial: u32) -> Result<Self, Fault> {
        let Target::Model { client, model, seeded, .. } = &job.target else {
            return Err(Fault::new(FaultKind::NotPlanned, "no application is configured".to_owned(), ""));
        };
        let Whom { scenario, case, root, load, .. } = whom;
        let hold = Arc::new(client.hold());
        let mut rounds = Rounds::of(scenario, case, (job, client), root, trial, load.watch);
        rounds.hold = Some(Arc::clone(&hold));
        Ok(Self {
            rounds,
            whom,
            trial,
            client,
            model,
            seeded: *seeded,
            sent: case.messages.clone(),
            kept: redaction::messages(case),
            heard: BTreeMap::new(),
            conversation: Conversation { trial, ..Conversation::default() },
            is_bound: client.is_stateful() || case.redaction.on().is_some(),
            source: None,
            hold,
            most: [u64::from(dialogue.most()), dialogue.longest()],
        })
    }

    /// The budget reserved for the conversation.
    pub(super) fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Asks the application what the customer says.
    pub(super) async fn ask(
        &mut self,
        say: &Say<'_>,
        asked: &str,
        afresh: bool,
        see: redaction::See<'_>,
    ) -> Result<Said, Stopped> {
        let Whom { scenario, case, root, run, load } = self.whom;
        let mut session = self.rounds.turn.map_or(0, |at| at.session);
        if say.line.is_some_and(|line| line.is_new_session) && say.number > 1 {
            session += 1;
            let is_instruction = |message: &Message| matches!(message.role, Role::System | Role::Developer);
            self.sent = case.messages.iter().take_while(|message| is_instruction(message)).cloned().collect();
            self.kept.truncate(self.sent.len());
            self.conversation.session = None;
        }
        let (number, turn) = (self.trial.to_string(), say.number.to_string());
        let name = [scenario.name.as_str(), case.id.as_str(), number.as_str()];
        let ordinal = session.to_string();
        self.conversation.id = match session {
            0 => run.conversation(&name),
            _ => run.conversation(&[name[0], name[1], name[2], &ordinal]),
        };
        self.conversation.turn = say.number;
        self.sent.push(Message::new(Role::User, &*say.text));
        if let (Some(mark), 1, Some(first)) = (load.mark, say.number, self.sent.last_mut()) {
            first.content.push_str(mark);
        }
        self.kept.push(Message::new(Role::User, asked));
        let seed = match say.number {
            1 => root.derive(&["target", name[0], name[1], name[2]]),
            _ => root.derive(&["target", name[0], name[1], name[2], &turn]),
        };
        let request = ChatRequest {
            messages: self.sent.clone(),
            conversation: self.conversation.clone(),
            ..ask::request(scenario, case, self.model, self.seeded.then_some(seed))
        };
        let pause = say.line.and_then(|line| line.pause).unwrap_or_default();
        let afresh = afresh || self.source == Some(Source::Server);
        let [most, longest] = self.most;
        self.rounds.rest = [(most + 1).saturating_sub(say.number.into()), longest];
        self.rounds.turn = Some(At { number: say.number, session, afresh, pause });
        // The memory of a server is not in the request, so a record belongs to one conversation as it took place,
        // answers included.
        self.rounds.held = self.client.is_stateful().then(|| {
            let whom = canonical::digest(&json!({ "scenario": name[0], "case": name[1] }));
            json!({ "case": whom, "turns": self.heard })
        });
        if self.is_bound && !self.client.replays() {
            let is_recorded = !afresh && self.rounds.is_recorded(&request, &self.kept);
            // The server knows nothing of what was only read from records.
            if !is_recorded && self.source == Some(Source::Records) {
                return Err(Stopped::Again);
            }
            self.source = Some(if is_recorded { Source::Records } else { Source::Server });
        }
        let said = self.rounds.ask(request, &self.kept, see).await?;
        self.sent.extend(said.added.iter().cloned());
        self.heard.insert(turn, canonical::digest(&json!([asked, said.added])).into());
        // The memory of a server is not in the request, so it is not in the key either.
        if !self.client.is_stateful() {
            self.kept.extend(said.added.iter().cloned());
        }
        self.conversation.session.clone_from(&said.session);
        Ok(said)
    }
}

//! Conversations: the customer speaks and the application answers until one of them ends the conversation. Then the
//! conversation is judged.
//!
//! Records contain what is sent and what the customer's choices depend on, redacted if the case is, so that a replay
//! takes the same path. Expectations see the raw answers.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ask::{self, Load, Said};
use super::fault;
use super::live::{Live, Stopped, Whom};
use super::plan::{Job, Planned, Target};
use super::redaction;
use crate::client::Hold;
use crate::expectation::{self, Candidate, Heard, Seen, Talk};
use crate::grader::{Bench, Graders};
use crate::manifest::{Fault, Held, Place, Trial, Turn, Verdict};
use crate::provider::{Exchanged, Message, Role};
use crate::scenario::{Case, Dialogue, Lines, Next, Progress, Say, Scenario};
use crate::seed::{Root, RunId};
use crate::text;
use crate::vocabulary::{Answer, EndedBy, FaultKind, Outcome, VerdictKind};

/// A turn that happened.
struct Spoken<'a> {
    say: Say<'a>,
    /// The customer's words as they are stored.
    asked: String,
    /// Number of messages before the answer.
    before: usize,
    answer: Answer,
    /// The raw answer, if the stored one is redacted and the raw one is known.
    raw: Option<Answer>,
    /// What was found in it before it was redacted.
    seen: Option<Sight>,
    /// Whether a person had taken over before this turn.
    is_handed_over: bool,
    verdict: Option<Verdict>,
}

/// What was found in a raw answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sight {
    /// By the expectations of the turn.
    #[serde(default)]
    answer: Seen,
    /// By the expectations of the conversation, if it ended there.
    #[serde(default)]
    whole: Seen,
}

/// The other side of the conversation.
enum Partner<'a> {
    /// A recorded conversation: its questions and answers.
    Recorded { name: &'a str, turns: &'a [Exchanged] },
    /// A model or bot.
    Live(Box<Live<'a>>),
}

/// What all steps of a conversation share.
struct Dialog<'a> {
    scenario: &'a Scenario,
    case: &'a Case,
    dialogue: &'a Dialogue,
    job: &'a Job,
    graders: &'a Graders,
    root: Root,
    run: RunId,
    trial: u32,
    load: Load<'a>,
}

/// Runs the conversation of a case once and judges it.
pub(super) async fn trial(
    scenario: &Scenario,
    (case, dialogue): (&Case, &Dialogue),
    planned: &Planned,
    graders: &Graders,
    (root, run): (Root, RunId),
    trial: u32,
    load: Load<'_>,
) -> Trial {
    let job = match planned.job() {
        Ok(job) => job,
        Err(fault) => {
            return Trial { fault: Some(Box::new(fault)), ..Trial::single(Outcome::Errored, None, None) };
        }
    };
    let dialog = Dialog { scenario, case, dialogue, job, graders, root, run, trial, load };
    match dialog.hold(false).await {
        Some(trial) => trial,
        None => dialog.hold(true).await.unwrap_or_else(|| Trial::single(Outcome::Errored, None, None)),
    }
}

impl Partner<'_> {
    /// The budget reserved for the conversation.
    fn hold(&self) -> Option<&Hold> {
        match self {
            Self::Recorded { .. } => None,
            Self::Live(live) => Some(live.hold()),
        }
    }
}

impl<'a> Dialog<'a> {
    /// Runs the conversation, with or without records; `None` if it must start again.
    async fn hold(&self, afresh: bool) -> Option<Trial> {
        let mut spoken = Vec::new();
        let mut transcript = redaction::messages(self.case);
        let ended = match self.talk(afresh, &mut spoken, &mut transcript).await {
            Ok(ended) => Ok(ended),
            Err(Stopped::Fault(fault)) => Err(fault),
            Err(Stopped::Again) => return None,
        };
        Some(self.judged(spoken, &transcript, ended).await)
    }

    async fn talk(
        &self,
        afresh: bool,
        spoken: &mut Vec<Spoken<'a>>,
        transcript: &mut Vec<Message>,
    ) -> Result<(EndedBy, Option<Fault>), Stopped> {
        let mut partner = self.partner()?;
        let mut progress = Progress::of(self.dialogue, self.scenario.signs.as_deref(), self.case.span.line);
        loop {
            let next = {
                let last =
                    spoken.last().map(|turn| Candidate::of_answer(&turn.answer, self.case.allow_cut, None));
                progress.next(last.as_ref(), &self.bench(transcript, partner.hold())).await?
            };
            let say = match next {
                Next::Say(say) => say,
                Next::Ends(ended) => {
                    self.is_over(&partner, spoken.len())?;
                    return Ok((ended, None));
                }
                Next::OffScript(fault, true) => {
                    self.is_over(&partner, spoken.len())?;
                    return Ok((EndedBy::OffScript, Some(fault)));
                }
                Next::OffScript(fault, false) => return Err(fault.into()),
            };
            let asked = redaction::prompt(self.case, &say.text);
            transcript.push(Message::new(Role::User, &*asked));
            let before = transcript.len();
            let is_handed_over =
                spoken.iter().any(|turn| turn.is_handed_over || self.hands_over(&turn.answer));
            let see = |answer: &Answer| self.see(spoken, (&say, is_handed_over), answer);
            let said = match &mut partner {
                Partner::Recorded { name, turns } => {
                    self.recorded(name, turns, (spoken.len(), &say), &see)?
                }
                Partner::Live(live) => live.ask(&say, &asked, afresh, &see).await?,
            };
            let Said { answer, seen, raw, fault, added, .. } = said;
            transcript.extend(added);
            progress.hear(say.line, &answer.text)?;
            let fault = fault.or_else(|| fault::no_answer(self.scenario, &answer));
            let seen = seen.map(|seen: Json| serde_json::from_value(seen).unwrap_or_default());
            spoken.push(Spoken { say, asked, before, answer, raw, seen, is_handed_over, verdict: None });
            if let Some(fault) = fault {
                return Err(fault.into());
            }
            if self.dialogue.stop_on_failure {
                let at = spoken.len() - 1;
                let hold = partner.hold();
                // Releases the reserved budget, because the judge may be waiting for it.
                let _aside = hold.filter(|_| self.asks_judges(&spoken[at])).map(Hold::aside);
                let verdict = self.verdict(&spoken[at], transcript, hold).await;
                let failed = verdict.as_ref().is_some_and(|verdict| verdict.counted() == Outcome::Failed);
                spoken[at].verdict = verdict;
                if failed {
                    return Ok((EndedBy::Failure, None));
                }
            }
        }
    }

    fn partner(&self) -> Result<Partner<'a>, Fault> {
        match &self.job.target {
            Target::Replies(replies) => {
                let whom = self.case.whom(&self.scenario.name);
                let turns = replies.conversation(&whom, self.trial).ok_or_else(|| {
                    if replies.answer(&whom, self.trial).is_none() {
                        return ask::no_reply(replies);
                    }
                    let message = format!(
                        "the line for this case in {} is a single answer, not a conversation",
                        replies.name()
                    );
                    other_conversation(message)
                })?;
                let turns = turns.map_err(|why| other_conversation(format!("{why} ({})", replies.name())))?;
                Ok(Partner::Recorded { name: replies.name(), turns: self.after_history(turns)? })
            }
            Target::Model { .. } => {
                let Self { scenario, case, root, run, load, .. } = *self;
                let live =
                    Live::of(Whom { scenario, case, root, run, load }, self.dialogue, self.job, self.trial)?;
                Ok(Partner::Live(Box::new(live)))
            }
        }
    }

    /// The turns after the case's earlier messages.
    fn after_history(&self, turns: &'a [Exchanged]) -> Result<&'a [Exchanged], Fault> {
        let mut rest = turns;
        let mut answered: Option<&Exchanged> = None;
        for Message { role, content, .. } in &self.case.messages {
            let is_there = match (role, rest.split_first()) {
                (Role::User, Some((first, others))) if same_words(&first.asked, content) => {
                    (answered, rest) = (Some(first), others);
                    true
                }
                (Role::User, _) => false,
                (Role::Assistant, _) => answered.is_some_and(|turn| same_words(&turn.answer.text, content)),
                (Role::System | Role::Developer | Role::Tool, _) => true,
            };
            if !is_there {
                let words = self.quoted(content);
                let message = format!("the recorded conversation does not begin with \"{words}\"");
                return Err(other_conversation(message));
            }
        }
        Ok(rest)
    }

    /// The answer to a turn of a recorded conversation.
    fn recorded(
        &self,
        name: &str,
        turns: &[Exchanged],
        (at, say): (usize, &Say<'_>),
        see: redaction::See<'_>,
    ) -> Result<Said, Fault> {
        let here = self.quoted(&say.text);
        let Some(turn) = turns.get(at) else {
            let message = format!(
                "the conversation in {name} is too short: it ends after {}, but the customer goes on with \"{here}\"",
                text::count(at, "turn")
            );
            return Err(other_conversation(message));
        };
        if !same_words(&turn.asked, &say.text) {
            let message = format!(
                "turn {} in {name} is \"{}\", but here the customer says \"{here}\"",
                at + 1,
                self.quoted(&turn.asked)
            );
            return Err(other_conversation(message));
        }
        let said = ask::given(self.case, self.job, turn.answer.clone(), see);
        Ok(Said { added: redaction::said(self.case, &turn.said), ..said })
    }

    /// Fails if a recorded conversation goes on after the customer's last turn.
    fn is_over(&self, partner: &Partner<'_>, said: usize) -> Result<(), Fault> {
        let Partner::Recorded { name, turns } = partner else { return Ok(()) };
        let Some(next) = turns.get(said) else { return Ok(()) };
        let message = format!(
            "the conversation in {name} goes on with \"{}\", but here it ends after {}",
            self.quoted(&next.asked),
            text::count(said, "turn")
        );
        Err(other_conversation(message))
    }

    /// The beginning of what a customer says, as it is stored.
    fn quoted(&self, words: &str) -> String {
        text::excerpt(&redaction::prompt(self.case, words), 100)
    }

    /// Whether a judge grades the answer to a turn.
    fn asks_judges(&self, turn: &Spoken<'_>) -> bool {
        let own = turn.say.line.and_then(|line| line.expectation.as_ref());
        let rules = self.case.always.iter().map(|rule| &rule.expectation);
        own.into_iter().chain(rules).any(|one| !one.consults(self.graders.defaults()).is_empty())
    }

    fn bench<'t>(&'t self, messages: &'t [Message], hold: Option<&'t Hold>) -> Bench<'t> {
        let redactor = self.case.redaction.on().map(|redaction| &redaction.redactor);
        let (scenario, case) = (self.scenario.name.as_str(), self.case.id.as_str());
        Bench {
            graders: self.graders,
            root: self.root,
            messages,
            scenario,
            case,
            trial: self.trial,
            redactor,
            hold,
        }
    }

    /// Whether an answer hands off; an unreadable one does not.
    fn hands_over(&self, answer: &Answer) -> bool {
        let candidate = Candidate::of_answer(answer, self.case.allow_cut, None);
        self.scenario.signs.as_ref().is_some_and(|signs| signs.is_done(&candidate).unwrap_or_default())
    }

    /// What expectations find in a raw answer.
    fn see(&self, before: &[Spoken<'_>], (say, is_handed_over): (&Say<'_>, bool), answer: &Answer) -> Json {
        let own = say.line.and_then(|line| line.expectation.as_ref());
        let rules = &self.case.always;
        let candidate = Candidate {
            may_be_silent: is_handed_over,
            ..Candidate::of_answer(answer, self.case.allow_cut, None)
        };
        let mut sight =
            Sight { answer: expectation::see_turn(own, rules, &candidate), whole: Seen::default() };
        let known = before.iter().map(|turn| Some((turn, turn.raw.as_ref()?))).collect::<Option<Vec<_>>>();
        if let Some(known) = known.filter(|_| !self.case.expectation.is_nothing()) {
            let mut turns: Vec<_> = known.into_iter().map(|(turn, raw)| self.heard(turn, raw)).collect();
            turns.push(self.heard_at((say, is_handed_over), 0, answer));
            let talk = self.talk_of(turns, EndedBy::Turns);
            sight.whole = self.case.expectation.see(&talk.candidate(None));
        }
        // Numbers and words always serialize; if nothing was seen, that is an error later, not a pass.
        serde_json::to_value(sight).unwrap_or_default()
    }

    fn heard<'t>(&self, turn: &'t Spoken<'_>, answer: &'t Answer) -> Heard<'t> {
        self.heard_at((&turn.say, turn.is_handed_over), turn.before, answer)
    }

    fn heard_at<'t>(
        &self,
        (say, may_be_silent): (&'t Say<'_>, bool),
        before: usize,
        answer: &'t Answer,
    ) -> Heard<'t> {
        let answer = Candidate::of_answer(answer, self.case.allow_cut, None);
        Heard {
            number: say.number,
            id: say.line.and_then(|line| line.id.as_deref()),
            answer: Candidate { may_be_silent, ..answer },
            given: say.given.clone(),
            before,
        }
    }

    fn talk_of<'t>(&'t self, turns: Vec<Heard<'t>>, ended: EndedBy) -> Talk<'t> {
        let calls = turns.iter().flat_map(|turn| turn.answer.tool_calls).cloned().collect();
        Talk { turns, calls, facts: &self.dialogue.facts, ended }
    }

    /// The verdict on the answer to a turn, if anything is expected of it.
    async fn verdict(
        &self,
        turn: &Spoken<'_>,
        transcript: &[Message],
        hold: Option<&Hold>,
    ) -> Option<Verdict> {
        let own = turn.say.line.and_then(|line| line.expectation.as_ref());
        let seen = turn.seen.as_ref().map(|seen| &seen.answer);
        let candidate = Candidate {
            may_be_silent: turn.is_handed_over,
            ..Candidate::of_answer(&turn.answer, self.case.allow_cut, seen)
        };
        let bench = self.bench(transcript, hold);
        let bench = bench.until(turn.before);
        let verdict = expectation::judge_turn(own, &self.case.always, &candidate, &bench).await?;
        Some(redaction::verdict(self.case, verdict))
    }

    async fn judged(
        &self,
        mut spoken: Vec<Spoken<'a>>,
        transcript: &[Message],
        ended: Result<(EndedBy, Option<Fault>), Fault>,
    ) -> Trial {
        let (ended_by, off_script, mut fault) = match ended {
            Ok((ended, off_script)) => (ended, off_script, None),
            Err(fault) => (EndedBy::Error, None, Some(fault)),
        };
        if spoken.is_empty() && fault.is_none() {
            let message = "no turn took place: no `if` was met".to_owned();
            fault = Some(Fault::usual(FaultKind::NothingSaid, message));
        }
        let mut whole = None;
        if fault.is_none() {
            for turn in spoken.iter_mut().filter(|turn| turn.verdict.is_none()) {
                turn.verdict = self.verdict(turn, transcript, None).await;
            }
            if !self.case.expectation.is_nothing() {
                let turns = spoken.iter().map(|turn| self.heard(turn, &turn.answer));
                let talk = self.talk_of(turns.collect(), ended_by.clone());
                let seen = spoken.last().and_then(|turn| turn.seen.as_ref()).map(|seen| &seen.whole);
                let bench = self.bench(transcript, None);
                let verdict = self.case.expectation.judge(&talk.candidate(seen), &bench).await;
                whole = Some(redaction::verdict(self.case, verdict));
            }
            whole = match off_script {
                Some(fault) => Some(self.with_off_script(whole, fault)),
                None => whole,
            };
        }
        let said = u32::try_from(spoken.len()).unwrap_or(u32::MAX);
        let turns = match &self.dialogue.lines {
            Lines::Turns(_) => self.dialogue.most(),
            Lines::Customer(_) => said,
        };
        let verdicts: Vec<Verdict> =
            spoken.iter().filter_map(|turn| turn.verdict.clone()).chain(whole.clone()).collect();
        let joined = expectation::all(verdicts);
        if fault.is_none() && joined.outcome == Outcome::Errored {
            fault = Some(fault::cause(&joined));
        }
        let conversation = Some(Box::new(Held { ended_by, turns, verdict: whole }));
        let turns = spoken.into_iter().map(Spoken::kept).collect();
        match fault {
            Some(fault) => Trial {
                turns,
                conversation,
                fault: Some(Box::new(fault)),
                ..Trial::single(Outcome::Errored, None, None)
            },
            None => Trial {
                score: joined.score,
                turns,
                conversation,
                ..Trial::single(joined.counted(), None, None)
            },
        }
    }

    /// Fails a conversation that went off script because of the application.
    fn with_off_script(&self, whole: Option<Verdict>, fault: Fault) -> Verdict {
        let ended = expectation::failed(VerdictKind::Ended, fault.message, self.case.span.line);
        let ended = redaction::verdict(self.case, ended);
        match whole {
            Some(whole) => Verdict { line: whole.line, ..expectation::all(vec![whole, ended]) },
            None => ended,
        }
    }
}

impl Spoken<'_> {
    fn kept(self) -> Turn {
        let Self { say, asked, answer, verdict, .. } = self;
        let id = say.line.and_then(|line| line.id.clone());
        let new_session = say.number > 1 && say.line.is_some_and(|line| line.is_new_session);
        let place = Place { number: say.number, id, line: say.at, new_session };
        Turn {
            asked,
            answer: Some(answer),
            verdicts: verdict.into_iter().collect(),
            place: Some(Box::new(place)),
        }
    }
}

fn other_conversation(message: String) -> Fault {
    Fault::usual(FaultKind::OtherConversation, message)
}

/// Whether two strings are the same except for white space.
fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

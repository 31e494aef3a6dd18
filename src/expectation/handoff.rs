//! `handoff`: whether an answer hands the customer over to a person, and what it hands on.
//!
//! `setup.handoff` says how a handoff shows. The application's own state decides where it is there, else a call of the
//! tool. Words alone are an offer or a claim, never a handoff: one that says it happens while nothing does is a
//! *phantom handoff*. A word of the state that nobody knows is errored, never a pass.

use std::sync::Arc;

use serde_json::Value as Json;
use strum::{EnumString, IntoStaticStr};

use super::arguments::{Arguments, Fit};
use super::pattern::Pattern;
use super::tools::{called, line};
use super::{Candidate, Reading, SHOWN, TYPE, errored, hollow, share, verdict};
use crate::manifest::{Fault, Verdict};
use crate::source::{Field, Fields, Shape, Value};
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{FaultKind, StopWords, ToolCall, VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::optional("state", Shape::OneOf(&STATES), "How far the handoff must have come (done)."),
    Field::optional(
        "carries",
        Shape::Part("carries"),
        "What is handed on: texts, or members with their values.",
    ),
    Field::optional("never", Shape::Bool, "Whether there must be none: neither done nor claimed."),
];

/// Keys of `setup.handoff`.
pub const SIGNS: &[Field] = &[
    Field::optional(
        "state",
        Shape::Name,
        "JSON pointer to where the application's state tells of a handoff.",
    ),
    Field::optional(
        "states",
        Shape::Lexicon(&["none", "offered", "claimed", "done"], Stage::is_known, StopWords::folded),
        "What words of that state mean that akit does not know.",
    ),
    Field::optional("tool", Shape::Name, "The function that hands over when it is called."),
    Field::optional("text", Shape::Name, "Pattern of words that say a handoff happens; case is ignored."),
    Field::optional("offers", Shape::Name, "Pattern of words that offer one; case is ignored."),
];

const STATES: [&str; 3] = ["offered", "claimed", "done"];

/// Words by which a claim is told in a reason, besides `text`. No verdict hangs on them.
const CLAIMS: &str =
    "\\b(connect|transfer|hand|pass|put|forward|escalat)\\w*\\b[^.!?\\n]{0,40}\\b(you|this|your)\\b";

/// How far a handoff has come. A further stage satisfies a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Stage {
    /// There is none.
    None,
    /// Words offer one.
    Offered,
    /// Words say that it happens.
    Claimed,
    /// The application did it.
    Done,
}

impl Stage {
    /// What a word of an application's state means, where akit knows it.
    fn named(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "none" | "no" | "false" => Some(Self::None),
            "offered" => Some(Self::Offered),
            "claimed" => Some(Self::Claimed),
            "done" | "accepted" | "yes" | "true" => Some(Self::Done),
            _ => None,
        }
    }

    fn is_known(word: &str) -> bool {
        Self::named(word).is_some()
    }

    fn word(self) -> &'static str {
        self.into()
    }
}

/// How a handoff shows in an answer.
#[derive(Clone, Debug)]
pub struct Signs {
    state: Option<String>,
    states: Vec<(String, Stage)>,
    tool: Option<String>,
    text: Option<Pattern>,
    offers: Option<Pattern>,
    claims: Option<Pattern>,
}

impl Signs {
    /// Reads `setup.handoff`.
    pub fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Self {
        let pointer = fields.text("state");
        if let Some((pointer, span)) = pointer.filter(|(pointer, _)| !pointer.starts_with('/')) {
            let shown = text::excerpt(pointer, 60);
            let message = format!("`{shown}` is no JSON pointer");
            reading.refuse(
                "wrong-value",
                span,
                message,
                "begin each member with `/`, as in `/handoff/accepted`",
            );
        }
        let words = fields.words("states").into_iter();
        let taught =
            |(word, stage): (String, String)| Some((word.trim().to_lowercase(), stage.parse().ok()?));
        let mut pattern = |key: &str| {
            let (written, span) = fields.text(key)?;
            match reading.patterns.compile(written, "i") {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    let message = format!("invalid pattern: {}", error.message);
                    reading.refuse("invalid-regex", span, message, error.help);
                    None
                }
            }
        };
        let (text, offers) = (pattern("text"), pattern("offers"));
        let claims = reading.patterns.compile(CLAIMS, "i").ok();
        let tool = fields.text("tool").map(|(tool, span)| reading.function(tool, span));
        let state = pointer.map(|(pointer, _)| pointer.to_owned());
        Self { state, states: words.filter_map(taught).collect(), tool, text, offers, claims }
    }

    /// What the application's state tells; nothing where it does not speak of a handoff.
    fn told(&self, answer: &Candidate<'_>) -> Result<Option<Stage>, Fault> {
        let value = self.pointed(answer);
        let word = match value {
            None => return Ok(None),
            Some(Json::Null) => return Ok(Some(Stage::None)),
            Some(Json::Bool(done)) => return Ok(Some(if *done { Stage::Done } else { Stage::None })),
            Some(Json::String(word)) => word.clone(),
            Some(other @ (Json::Number(_) | Json::Array(_) | Json::Object(_))) => other.to_string(),
        };
        let taught = || self.states.iter().find(|(known, _)| *known == word.trim().to_lowercase());
        Stage::named(&word).or_else(|| taught().map(|(_, stage)| *stage)).map(Some).ok_or_else(|| {
            let (shown, pointer) = (text::excerpt(&word, 40), self.state.as_deref().unwrap_or_default());
            let message =
                format!("the state at `{pointer}` is `{shown}`, and akit does not know what that means");
            let help = format!("say so: `setup: {{ handoff: {{ states: {{ \"{shown}\": done }} }} }}` (or none, offered, claimed)");
            Fault::new(FaultKind::UnknownState, message, &help)
        })
    }

    /// What stands where the state tells of a handoff.
    fn pointed<'a>(&self, answer: &Candidate<'a>) -> Option<&'a Json> {
        answer.state?.pointer(self.state.as_deref()?)
    }

    /// The calls that hand over.
    fn calls<'a>(&self, answer: &Candidate<'a>) -> impl Iterator<Item = &'a ToolCall> {
        let calls = answer.tool_calls.iter();
        calls.filter(|call| self.tool.as_ref() == Some(&call.name))
    }
}

/// What is demanded of the handoff in an answer.
#[derive(Clone, Debug)]
pub struct Handoff {
    signs: Arc<Signs>,
    state: Stage,
    carries: Vec<Carried>,
    never: bool,
}

/// What is handed on.
#[derive(Clone, Debug)]
enum Carried {
    /// A text.
    Text(String),
    /// Members with their values.
    Members(Arguments),
}

impl Handoff {
    /// Whether nothing but a call shows it.
    pub(super) fn needs_calls(&self) -> bool {
        self.signs.tool.is_some() && self.signs.state.is_none()
    }

    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let Some(signs) = reading.setup.handoff.clone() else {
            let message = "`handoff` needs to know how a handoff shows".to_owned();
            let help =
                "add `setup: { handoff: { tool: transfer_to_human } }`, or `state:` with a JSON pointer";
            reading.refuse("missing-field", fields.span(), message, help);
            return None;
        };
        let never = fields.bool("never").unwrap_or_default();
        let state = fields.text("state").and_then(|(word, _)| word.parse().ok());
        let state = state.unwrap_or(if never { Stage::Claimed } else { Stage::Done });
        let is_seen = |stage| match stage {
            Stage::None | Stage::Offered => signs.offers.is_some(),
            Stage::Claimed => signs.text.is_some(),
            Stage::Done => signs.tool.is_some() || signs.state.is_some(),
        };
        let further =
            [Stage::Offered, Stage::Claimed, Stage::Done].into_iter().filter(|stage| *stage >= state);
        // What must be there is told by its own sign; what must not be is told by any sign of as much.
        let is_known = if never { further.into_iter().any(is_seen) } else { is_seen(state) };
        if !is_known {
            let span = fields.key_span("state").unwrap_or(fields.span());
            let message = format!("nothing in `setup.handoff` shows that a handoff is {}", state.word());
            let key = match state {
                Stage::None | Stage::Offered => "`offers:` with a pattern",
                Stage::Claimed => "`text:` with a pattern",
                Stage::Done => "`tool:` with a function, or `state:` with a JSON pointer",
            };
            reading.refuse("missing-field", span, message, format!("add {key}"));
        }
        let carries = carries(fields, reading)?;
        if never && !carries.is_empty() {
            let span = fields.key_span("carries").unwrap_or(fields.span());
            let message =
                "`carries` beside `never: true`: nothing is handed on where there is no handoff".to_owned();
            reading.refuse("wrong-value", span, message, "keep one of the two");
        }
        Some(Self { signs, state, carries, never })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let kind = || VerdictKind::Handoff;
        match self.judged(answer) {
            Ok(verdict) => Verdict { expected: self.expected(), ..verdict },
            Err(fault) => {
                let fault = Some(Box::new(fault));
                let reason = fault.as_ref().map_or_else(String::new, |fault| fault.message.clone());
                Verdict { fault, expected: self.expected(), ..errored(kind(), reason) }
            }
        }
    }

    fn judged(&self, answer: &Candidate<'_>) -> Result<Verdict, Fault> {
        let Self { signs, state, carries, never } = self;
        let (told, transfer) = (signs.told(answer)?, signs.calls(answer).next());
        let (claimed, offered) = (said(signs.text.as_ref(), answer)?, said(signs.offers.as_ref(), answer)?);
        let by_words = match (&claimed, &offered) {
            (Some(_), _) => Stage::Claimed,
            (None, Some(_)) => Stage::Offered,
            (None, None) => Stage::None,
        };
        let by_call = match (transfer, told) {
            (None, _) => Stage::None,
            // The application knows better than its model whether somebody took over.
            (Some(_), Some(_)) if !never => Stage::Claimed,
            (Some(_), _) => Stage::Done,
        };
        let reached = by_words.max(by_call).max(told.unwrap_or(Stage::None));
        let kind = VerdictKind::Handoff;
        if reached < *state {
            if let Some(reason) = answer.hollow().filter(|_| *never) {
                return Ok(hollow(kind, &reason));
            }
            let phantom = if *never {
                None
            } else {
                claimed.map_or_else(|| said(signs.claims.as_ref(), answer), |it| Ok(Some(it)))?
            };
            if phantom.is_none() {
                self.known(answer)?;
            }
            let reason = match (transfer, phantom, offered) {
                _ if *never => format!("no handoff, as demanded; {}", called(answer.tool_calls)),
                (Some(call), ..) => format!(
                    "`{}` was called, but {}",
                    text::excerpt(&call.name, 60),
                    self.shown_state(answer)
                ),
                (None, Some(words), _) => {
                    format!("phantom handoff: the answer says {words}, but {}", self.undone(answer))
                }
                (None, None, Some(words)) => {
                    format!("the handoff is only offered ({words}): {}", self.undone(answer))
                }
                (None, None, None) => {
                    format!("no handoff: {}; {}", self.undone(answer), called(answer.tool_calls))
                }
            };
            return Ok(Verdict { reason, ..verdict(kind, *never, 0.0) });
        }
        let how = match (transfer, told) {
            (_, Some(stage)) if stage == reached => self.shown_state(answer),
            (Some(call), _) => line(call),
            (None, _) => claimed.or(offered).unwrap_or_default(),
        };
        if *never {
            let reason = format!("a handoff that must not be: {how}");
            return Ok(Verdict { reason, ..verdict(kind, false, 0.0) });
        }
        let missing: Vec<_> =
            carries.iter().filter(|one| !self.is_carried(one, answer)).map(Carried::shown).collect();
        let held = share(carries.len() + 1 - missing.len(), carries.len() + 1);
        let reason = if missing.is_empty() {
            format!("{}: {how}", reached.word())
        } else {
            format!("the handoff does not carry {}: {how}", missing.join(", "))
        };
        Ok(Verdict { reason, ..verdict(kind, missing.is_empty(), held) })
    }

    /// Errs where a handoff would show in the state alone, and the answer has none.
    fn known(&self, answer: &Candidate<'_>) -> Result<(), Fault> {
        if self.signs.state.is_none() || self.signs.tool.is_some() || answer.state.is_some() {
            return Ok(());
        }
        let message = "the answer tells nothing of the application's state, where a handoff would show";
        let help = "let the provider read `state`, or give it in the line of replies";
        Err(Fault::new(FaultKind::UnknownState, message.to_owned(), help))
    }

    /// What did not happen.
    fn undone(&self, answer: &Candidate<'_>) -> String {
        let tool =
            self.signs.tool.as_ref().map(|tool| format!("`{}` was not called", text::excerpt(tool, 60)));
        let state = self.signs.state.as_ref().map(|_| self.shown_state(answer));
        let both: Vec<_> = tool.into_iter().chain(state).collect();
        if both.is_empty() { "nothing shows it".to_owned() } else { both.join(" and ") }
    }

    /// What the application's state says.
    fn shown_state(&self, answer: &Candidate<'_>) -> String {
        let pointer = text::excerpt(self.signs.state.as_deref().unwrap_or_default(), 60);
        match self.signs.pointed(answer) {
            Some(value) => format!("the state at `{pointer}` is {}", text::excerpt(&value.to_string(), 60)),
            None => format!("there is no state at `{pointer}`"),
        }
    }

    /// Whether the calls that hand over, or the application's state, hold something.
    fn is_carried(&self, one: &Carried, answer: &Candidate<'_>) -> bool {
        let state = answer.state.filter(|_| self.signs.state.is_some());
        let mut sources = self.signs.calls(answer).map(|call| &call.arguments).chain(state);
        match one {
            Carried::Text(text) => {
                let needle = folded_lower(text);
                sources.any(|source| {
                    any_within(source, &|value| match value {
                        Json::String(text) => folded_lower(text).contains(&needle),
                        Json::Number(number) => number.to_string().contains(&needle),
                        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => false,
                    })
                })
            }
            Carried::Members(members) => sources.any(|source| {
                any_within(source, &|value| value.is_object() && members.fit(value) == Fit::Met)
            }),
        }
    }

    fn expected(&self) -> String {
        let (state, carried) =
            (self.state.word(), self.carries.iter().map(Carried::shown).collect::<Vec<_>>());
        match (self.never, carried.as_slice()) {
            (true, _) => "no handoff".to_owned(),
            (false, []) => format!("a handoff that is {state}"),
            (false, _) => format!("a handoff that is {state} and carries {}", carried.join(", ")),
        }
    }

    /// The texts that a right answer says: what it hands on comes from the customer.
    #[expect(clippy::unused_self, reason = "every kind is asked in the same way")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// In what a new version demands less. How a handoff shows is compared with the rest of `setup`.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let Self { signs: _, state, carries, never } = self;
        if *never != now.never {
            let message = "a handoff was forbidden and is demanded now, or the other way round";
            return vec![Weaker::new(WeakeningKind::ExpectationNegated, &["never"], message)];
        }
        let is_less = if *never { now.state > *state } else { now.state < *state };
        let less = is_less.then(|| {
            let message = format!("`state` was {}, it is {}", state.word(), now.state.word());
            Weaker::new(WeakeningKind::ValueChanged, &["state"], message)
        });
        let lost = carries.iter().filter(|old| !now.carries.iter().any(|new| old.is_in(new)));
        let lost = lost.map(|old| {
            let message = format!("{} need no longer be handed on", old.shown());
            Weaker::new(WeakeningKind::ValueRemoved, &["carries"], message)
        });
        less.into_iter().chain(lost).collect()
    }
}

impl Carried {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{}\"", text::excerpt(text, 60)),
            Self::Members(members) => members.shown(),
        }
    }

    /// Whether whatever carries the other carries this.
    fn is_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => folded_lower(other).contains(&folded_lower(one)),
            (Self::Members(one), Self::Members(other)) => one.weaker(other).is_empty(),
            (Self::Text(_), Self::Members(_)) | (Self::Members(_), Self::Text(_)) => false,
        }
    }
}

/// The words of an answer that a pattern finds, in quotes.
fn said(pattern: Option<&Pattern>, answer: &Candidate<'_>) -> Result<Option<String>, Fault> {
    let Some(pattern) = pattern else { return Ok(None) };
    let found = pattern.find(answer.text).map_err(|error| {
        Fault::new(FaultKind::ExpectationError, error.to_string(), "simplify the pattern")
    })?;
    Ok(found.map(|range| format!("\"{}\"", text::excerpt_around(answer.text, range, SHOWN / 2))))
}

/// What must be handed on.
fn carries(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<Carried>> {
    let Some(node) = fields.node("carries") else { return Some(Vec::new()) };
    let Value::List(items) = &node.value else {
        let message = format!("`carries` is a list of texts or members, found {}", node.value.kind());
        reading.refuse(
            "wrong-type",
            node.span,
            message,
            "write `carries: [\"NW-5512\", { reason: refund }]`",
        );
        return None;
    };
    let of = |item: &crate::source::Node, reading: &mut Reading<'_>| match &item.value {
        Value::String(written) => {
            let text = reading.fill(reading.needle(written, item.span), item.span);
            if folded_lower(&text).is_empty() {
                reading.always_holds(
                    item.span,
                    "an empty text is in every handoff".to_owned(),
                    "name a text",
                );
            }
            Some(Carried::Text(text))
        }
        Value::Map(_) => Arguments::read("carries", item, reading).map(Carried::Members),
        other => {
            let message = format!("an entry of `carries` is a text or a mapping, found {}", other.kind());
            reading.refuse("wrong-type", item.span, message, "put it in quotes");
            None
        }
    };
    items.iter().map(|item| of(item, reading)).collect()
}

/// Whether something holds of a value or of one within it.
fn any_within(value: &Json, holds: &dyn Fn(&Json) -> bool) -> bool {
    holds(value)
        || match value {
            Json::Array(items) => items.iter().any(|item| any_within(item, holds)),
            Json::Object(entries) => entries.values().any(|item| any_within(item, holds)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
}

/// The JSON Schema of `carries`.
pub(super) fn schema() -> Json {
    serde_json::json!({ "type": "array", "items": { "type": ["string", "object"] } })
}

//! `handoff`: whether an answer hands the customer off to a person, and what it passes on.
//!
//! `setup.handoff` says how to recognize a handoff. If the application reports its state, the state decides; if not, a
//! call of the tool does. Words alone are an offer or a claim, never a handoff. Words that claim a handoff while
//! nothing happens are a *phantom handoff*. An unknown word in the state is errored, never a pass.

pub(super) mod kept;
mod over;
mod signs;

use std::sync::Arc;

use serde_json::Value as Json;

use super::arguments::{Arguments, Fit};
use super::fact::says;
use super::tools::{called, line};
use over::Due;
use signs::{Reached, said};
pub use signs::{SIGNS, Signs, Stage};

use super::{Candidate, Reading, TYPE, errored, hollow, share, verdict};
use crate::manifest::{Fault, Verdict};
use crate::source::{Field, Fields, Shape, Value};
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{FaultKind, VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::optional("state", Shape::OneOf(&STATES), "How far the handoff must get (done)."),
    Field::optional(
        "carries",
        Shape::Part("carries"),
        "What must be passed on: strings, or mappings with members and values.",
    ),
    Field::optional("never", Shape::Bool, "Whether any handoff is forbidden, done or claimed."),
    Field::optional(
        "by",
        Shape::Name,
        "In a conversation: ID of the turn whose answer is the last chance for the handoff.",
    ),
    Field::optional("within", Shape::Integer(1), "In a conversation: number of that turn, counted from 1."),
];

const STATES: [&str; 3] = ["offered", "claimed", "done"];

/// What was found about a handoff in an answer.
struct Found {
    verdict: Verdict,
    /// Whether words claim a handoff that does not happen.
    is_phantom: bool,
}

impl Found {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, is_phantom: false }
    }
}

/// What is required of the handoff in an answer.
#[derive(Clone, Debug)]
pub struct Handoff {
    signs: Arc<Signs>,
    state: Stage,
    carries: Vec<Carried>,
    never: bool,
    due: Option<Due>,
}

/// What must be passed on.
#[derive(Clone, Debug)]
enum Carried {
    Text(String),
    /// The value of a fact, however it is written.
    Value(String),
    /// Members with values.
    Members(Arguments),
}

impl Handoff {
    /// Whether only a call shows it.
    pub(super) fn needs_calls(&self) -> bool {
        self.signs.tool.is_some() && self.signs.state.is_none()
    }

    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let Some(signs) = reading.setup.handoff.clone() else {
            let message = "`handoff` needs `setup.handoff`".to_owned();
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
            Stage::Done => signs.shows_done(),
        };
        let further =
            [Stage::Offered, Stage::Claimed, Stage::Done].into_iter().filter(|stage| *stage >= state);
        // A required stage needs a sign of its own; a forbidden stage is shown by any sign of it or of a later stage.
        let is_known = if never { further.into_iter().any(is_seen) } else { is_seen(state) };
        if !is_known {
            let span = fields.key_span("state").unwrap_or(fields.span());
            let message = format!("`setup.handoff` has no sign of a handoff that is {}", state.word());
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
                "`carries` and `never: true` cannot be combined: without a handoff, nothing is passed on"
                    .to_owned();
            reading.refuse("wrong-value", span, message, "keep one of the two");
        }
        let due = due(fields, never, reading)?;
        Some(Self { signs, state, carries, never, due })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let kind = || VerdictKind::Handoff;
        match self.judged(answer) {
            Ok(Found { verdict, .. }) => Verdict { expected: self.expected(), ..verdict },
            Err(fault) => {
                let fault = Some(Box::new(fault));
                let reason = fault.as_ref().map_or_else(String::new, |fault| fault.message.clone());
                Verdict { fault, expected: self.expected(), ..errored(kind(), reason) }
            }
        }
    }

    fn judged(&self, answer: &Candidate<'_>) -> Result<Found, Fault> {
        let Self { signs, state, carries, never, due: _ } = self;
        let transfer = signs.calls(answer).next();
        let Reached { stage: reached, reported, claimed, offered } = signs.reached(answer, *never)?;
        let kind = VerdictKind::Handoff;
        if reached < *state {
            if let Some(reason) = answer.hollow().filter(|_| *never) {
                return Ok(Found::of(hollow(kind, &reason)));
            }
            if *never {
                self.require_report(answer)?;
            }
            let phantom = if *never {
                None
            } else {
                claimed.map_or_else(|| said(signs.claims.as_ref(), answer), |it| Ok(Some(it)))?
            };
            if phantom.is_none() {
                self.require_state(answer)?;
            }
            let is_phantom = phantom.is_some() && transfer.is_none();
            let reason = match (transfer, phantom, offered) {
                _ if *never => format!("no handoff, as required; {}", called(answer.tool_calls)),
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
            return Ok(Found { verdict: Verdict { reason, ..verdict(kind, *never, 0.0) }, is_phantom });
        }
        let how = match (transfer, reported) {
            (_, Some(stage)) if stage == reached => self.shown_state(answer),
            (Some(call), _) => line(call),
            (None, _) => claimed.or(offered).unwrap_or_default(),
        };
        if *never {
            let reason = format!("forbidden handoff: {how}");
            return Ok(Found::of(Verdict { reason, ..verdict(kind, false, 0.0) }));
        }
        let missing: Vec<_> =
            carries.iter().filter(|one| !self.is_carried(one, answer)).map(Carried::shown).collect();
        let passed_on = share(carries.len() + 1 - missing.len(), carries.len() + 1);
        let reason = if missing.is_empty() {
            format!("{}: {how}", reached.word())
        } else {
            format!("the handoff does not pass on {}: {how}", missing.join(", "))
        };
        Ok(Found::of(Verdict { reason, ..verdict(kind, missing.is_empty(), passed_on) }))
    }

    /// An error if only the application's state could show a handoff, and the answer has no state.
    fn require_state(&self, answer: &Candidate<'_>) -> Result<(), Fault> {
        if self.signs.state.is_none() || self.signs.tool.is_some() || answer.state.is_some() {
            return Ok(());
        }
        let message = "the answer has no application state, which would show a handoff";
        let help = "let the provider read `state`, or add it to the line of the recorded answer";
        Err(Fault::new(FaultKind::UnknownState, message.to_owned(), help))
    }

    /// An error if only the state could show a forbidden handoff, and it has no value for it.
    fn require_report(&self, answer: &Candidate<'_>) -> Result<(), Fault> {
        let Some(pointer) = self.signs.state.as_deref().filter(|_| self.signs.tool.is_none()) else {
            return Ok(());
        };
        if self.signs.pointed(answer).is_some() {
            return Ok(());
        }
        let pointer = text::excerpt(pointer, 60);
        let message = format!(
            "the application's state has no `{pointer}`, so it is unknown whether there was a handoff"
        );
        let help = "report `false` there if there is no handoff, or change `setup.handoff.state`";
        Err(Fault::new(FaultKind::UnknownState, message, help))
    }

    /// What did not happen.
    fn undone(&self, answer: &Candidate<'_>) -> String {
        let tool =
            self.signs.tool.as_ref().map(|tool| format!("`{}` was not called", text::excerpt(tool, 60)));
        let state = self.signs.state.as_ref().map(|_| self.shown_state(answer));
        let both: Vec<_> = tool.into_iter().chain(state).collect();
        if both.is_empty() { "nothing shows that it happened".to_owned() } else { both.join(" and ") }
    }

    /// What the application's state says.
    fn shown_state(&self, answer: &Candidate<'_>) -> String {
        let pointer = text::excerpt(self.signs.state.as_deref().unwrap_or_default(), 60);
        match self.signs.pointed(answer) {
            Some(value) => format!("the state at `{pointer}` is {}", text::excerpt(&value.to_string(), 60)),
            None => format!("the state has no `{pointer}`"),
        }
    }

    /// Whether the handoff calls, or the application's state, contain something that must be passed on.
    fn is_carried(&self, one: &Carried, answer: &Candidate<'_>) -> bool {
        let calls = || self.signs.calls(answer).map(|call| &call.arguments);
        // What the answer says is not passed on just because the application's state repeats the answer.
        let said = folded_lower(answer.text);
        let is_said = |text: &str| !said.is_empty() && said.contains(text);
        let has = |source: &Json, fits: &dyn Fn(&str) -> bool| {
            any_within(source, &|value| match value {
                Json::String(text) => fits(&folded_lower(text)),
                Json::Number(number) => fits(&number.to_string()),
                Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => false,
            })
        };
        let passes_on = |needle: &str, fits: &dyn Fn(&str) -> bool| {
            calls().any(|source| has(source, fits))
                || self
                    .signs
                    .beside(answer)
                    .into_iter()
                    .any(|source| has(source, &|text| fits(text) && (text == needle || !is_said(text))))
        };
        match one {
            Carried::Text(text) => {
                let needle = folded_lower(text);
                passes_on(&needle, &|found| needle.is_empty() || text::has_phrase(found, &needle))
            }
            Carried::Value(value) => passes_on(&folded_lower(value), &|found| says(found, value)),
            Carried::Members(members) => calls().chain(self.signs.beside(answer)).any(|source| {
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
            (false, _) => format!("a handoff that is {state} and passes on {}", carried.join(", ")),
        }
    }

    /// Always empty: what it passes on comes from the customer.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less. The signs of a handoff are compared with the rest of `setup`.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let Self { signs: _, state, carries, never, due } = self;
        if *never != now.never {
            let message = "`never` switched between forbidding and requiring a handoff";
            return vec![Weaker::new(WeakeningKind::ExpectationNegated, &["never"], message)];
        }
        let is_less = if *never { now.state > *state } else { now.state < *state };
        let less = is_less.then(|| {
            let message = format!("`state` was {}, now {}", state.word(), now.state.word());
            Weaker::new(WeakeningKind::ValueChanged, &["state"], message)
        });
        let lost = carries.iter().filter(|old| !now.carries.iter().any(|new| old.is_in(new)));
        let lost = lost.map(|old| {
            let message = format!("{} no longer has to be passed on", old.shown());
            Weaker::new(WeakeningKind::ValueRemoved, &["carries"], message)
        });
        let late = self.is_due_later(now).then(|| {
            let key = if due.as_ref().is_some_and(|due| due.id.is_some()) { "by" } else { "within" };
            let message = "the handoff may now come later, or at any time";
            Weaker::new(WeakeningKind::LimitLoosened, &[key], message)
        });
        less.into_iter().chain(lost).chain(late).collect()
    }
}

impl Carried {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Value(text) => format!("\"{}\"", text::excerpt(text, 60)),
            Self::Members(members) => members.shown(),
        }
    }

    /// Whether a handoff that passes on the other also passes on this.
    fn is_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other) | Self::Value(other)) => {
                folded_lower(other).contains(&folded_lower(one))
            }
            (Self::Value(one), Self::Text(other) | Self::Value(other)) => says(other, one),
            (Self::Members(one), Self::Members(other)) => one.weaker(other).is_empty(),
            (Self::Text(_) | Self::Value(_), Self::Members(_))
            | (Self::Members(_), Self::Text(_) | Self::Value(_)) => false,
        }
    }
}

/// The deadline of the handoff; `None` if that cannot be read.
#[expect(clippy::option_option, reason = "a missing key is not a mistake")]
fn due(fields: &Fields<'_>, never: bool, reading: &mut Reading<'_>) -> Option<Option<Due>> {
    let setup = reading.setup;
    let key = ["by", "within"].into_iter().find(|key| fields.key_span(key).is_some());
    let Some((key, span)) = key.and_then(|key| Some((key, fields.key_span(key)?))) else { return Some(None) };
    let Some(scope) = &setup.talk else {
        let message = format!("`{key}` is about a conversation, but this is one answer");
        reading.refuse(
            "wrong-value",
            span,
            message,
            "remove it, or move the expectation to `expected` of the case",
        );
        return None;
    };
    if never || (key == "by" && fields.key_span("within").is_some()) {
        let message =
            if never { "`never: true` has no deadline" } else { "`by` and `within` cannot be combined" };
        reading.refuse(
            "wrong-value",
            span,
            message.to_owned(),
            format!("keep one of the two: remove `{key}`"),
        );
        return None;
    }
    if let Some((id, span)) = fields.text("by") {
        let turn = scope.turn(id, span, reading)?;
        return Some(Some(Due { id: Some(id.to_owned()), turn }));
    }
    let turn = u32::try_from(fields.integer("within")?).unwrap_or(u32::MAX);
    if turn >= scope.most {
        let message = format!(
            "the customer sends at most {}, so this is not a limit",
            text::count(scope.most as usize, "message")
        );
        reading.always_holds(span, message, "lower it, or remove it");
    }
    Some(Some(Due { id: None, turn }))
}

/// Reads what must be passed on.
fn carries(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<Carried>> {
    let Some(node) = fields.node("carries") else { return Some(Vec::new()) };
    let Value::List(items) = &node.value else {
        let message = format!("`carries` must be a list of strings or mappings, found {}", node.value.kind());
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
            let setup = reading.setup;
            let known =
                setup.talk.as_ref().and_then(|scope| scope.facts.iter().find(|fact| fact.name == *written));
            if let Some(fact) = known {
                if fact.value.is_none() {
                    let message = format!("fact `{}` has no value to pass on", text::excerpt(written, 60));
                    reading.refuse(
                        "missing-field",
                        item.span,
                        message,
                        "add a `value:`, or a `shape:` that matches in `say`",
                    );
                }
                return fact.value.clone().map(Carried::Value);
            }
            let text = reading.fill(reading.needle(written, item.span), item.span);
            if folded_lower(&text).is_empty() {
                reading.always_holds(
                    item.span,
                    "every handoff contains the empty string".to_owned(),
                    "set a string",
                );
            }
            Some(Carried::Text(text))
        }
        Value::Map(_) => Arguments::read("carries", item, reading).map(Carried::Members),
        other => {
            let message =
                format!("an entry of `carries` must be a string or a mapping, found {}", other.kind());
            reading.refuse("wrong-type", item.span, message, "put it in quotes");
            None
        }
    };
    items.iter().map(|item| of(item, reading)).collect()
}

/// Whether a value, or one within it, fits.
fn any_within(value: &Json, fits: &dyn Fn(&Json) -> bool) -> bool {
    fits(value)
        || match value {
            Json::Array(items) => items.iter().any(|item| any_within(item, fits)),
            Json::Object(entries) => entries.values().any(|item| any_within(item, fits)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
}

pub(super) fn schema() -> Json {
    serde_json::json!({ "type": "array", "items": { "type": ["string", "object"] } })
}

//! `setup.functions`: what a model may call, and what its calls return in a test.
//!
//! A function with `returns` is simulated, never called: the first matching entry gives the value. `returns` is never
//! sent to a provider; the rest of an entry is sent as written.

use serde_json::{Value as Json, json};

use crate::expectation::{Arguments, Fit, Reading};
use crate::provider::{Message, Role};
use crate::source::{Diagnostic, Field, Fields, Node, Shape, Value};
use crate::text;
use crate::vocabulary::{ToolCall, WeakeningKind, Weaker};

/// Keys of a function that belong to akit.
pub(super) const FUNCTION: &[Field] =
    &[Field::optional("returns", Shape::Part("returns"), "What its calls return; the first match wins.")];

/// Keys of an entry of `returns`.
pub(super) const RETURN: &[Field] = &[
    Field::optional(
        "with",
        Shape::Map,
        "Arguments it applies to: equal members, or a JSON Schema with `type: object`.",
    ),
    Field::required("give", Shape::Part("give"), "The value: text is sent as is, anything else as JSON."),
];

/// How often a model is asked again with the results of its calls, by default.
const ROUNDS: u32 = 8;

/// The functions of a scenario.
#[derive(Clone, Debug)]
pub struct Functions {
    /// The functions as sent.
    pub sent: Vec<Json>,
    /// Maximum times a model is asked again.
    pub rounds: u32,
    /// The functions that have a name, in order.
    known: Vec<Function>,
}

#[derive(Clone, Debug)]
struct Function {
    name: String,
    /// Its index in the list.
    at: usize,
    /// What its calls return; if `None`, a call of it ends the answer.
    returns: Option<Vec<Return>>,
    /// `returns` as written, with variables filled in.
    written: Json,
}

#[derive(Clone, Debug)]
struct Return {
    with: Option<Arguments>,
    give: String,
}

/// What follows the calls of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Played {
    /// Nothing: the answer ends here.
    Ends,
    /// What they returned.
    Returned(Vec<Message>),
    /// A call that no entry matches.
    Unfit(ToolCall),
}

impl Default for Functions {
    fn default() -> Self {
        Self { sent: Vec::new(), rounds: ROUNDS, known: Vec::new() }
    }
}

impl Functions {
    /// Reads `functions` and `max_tool_rounds` of `setup`.
    pub(super) fn read(setup: &Fields<'_>, reading: &mut Reading<'_>) -> Self {
        let rounds = setup.integer("max_tool_rounds").map(|most| u32::try_from(most).unwrap_or(u32::MAX));
        let rounds = rounds.unwrap_or(ROUNDS);
        let mut functions = Self { rounds, ..Self::default() };
        let Some(node) = setup.node("functions") else { return functions };
        match &node.value {
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                items.iter().enumerate().for_each(|(at, item)| functions.add(at, item, reading));
            }
            other => {
                let message = format!("`functions` must be a list of mappings, found {}", other.kind());
                reading.found.push(Diagnostic::error("wrong-type", reading.file, node.span, message));
            }
        }
        functions
    }

    fn add(&mut self, at: usize, item: &Node, reading: &mut Reading<'_>) {
        let mut sent = item.to_json();
        let returns = sent.as_object_mut().and_then(|entries| entries.remove("returns")).unwrap_or_default();
        let name = sent.get("name").or_else(|| sent.pointer("/function/name"));
        let name = name.and_then(Json::as_str).map(str::to_owned);
        let refused = |place: &Node, message: String, help: &str, reading: &mut Reading<'_>| {
            let finding = Diagnostic::error("wrong-type", reading.file, place.start(), message);
            reading.found.push(finding.help(help));
        };
        // Inside `function` it would be sent.
        let inner = item.get("function").and_then(|function| function.get("returns"));
        if let Some(inner) = inner {
            let message = "`returns` is inside `function`, which is sent to the provider".to_owned();
            refused(inner, message, "move `returns` next to `function`", reading);
        }
        let written = reading.fill_json(&returns, item.start());
        let node = item.get("returns");
        if let (Some(node), None) = (node, &name) {
            let message = "a function with `returns` has no `name`".to_owned();
            refused(node, message, "add the `name:` that the model calls it by", reading);
        }
        let returns = node.map(|node| match &node.value {
            Value::List(items) if !items.is_empty() => {
                items.iter().filter_map(|item| Return::read(item, reading)).collect()
            }
            other => {
                let found = if matches!(other, Value::List(_)) { "an empty list" } else { other.kind() };
                let message = format!("`returns` must be a list with at least one entry, found {found}");
                refused(node, message, "write `returns: [{ give: … }]`", reading);
                Vec::new()
            }
        });
        self.sent.push(sent);
        self.known.extend(name.map(|name| Function { name, at, returns, written }));
    }

    /// Their names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.known.iter().map(|function| function.name.clone()).collect()
    }

    /// Maximum times a model is asked again: 0 if no function returns anything.
    #[must_use]
    pub fn most_rounds(&self) -> u32 {
        if self.played().is_some() { self.rounds } else { 0 }
    }

    /// Bytes of the longest result of a call.
    #[must_use]
    pub fn longest(&self) -> u64 {
        let returns = self.known.iter().flat_map(|function| function.returns.iter().flatten());
        returns.map(|one| one.give.len() as u64).max().unwrap_or_default()
    }

    /// What is simulated, for the hash over what a case asks; `None` if nothing is.
    pub(super) fn played(&self) -> Option<Json> {
        let played = self.known.iter().filter(|function| function.returns.is_some());
        let played: Vec<_> = played.map(|function| json!([function.name, function.written])).collect();
        (!played.is_empty()).then(|| json!(played))
    }

    /// The first call of a function that the scenario does not declare.
    #[must_use]
    pub fn undeclared<'a>(&self, calls: &'a [ToolCall]) -> Option<&'a ToolCall> {
        let is_known = |call: &&ToolCall| self.known.iter().any(|function| function.name == call.name);
        calls.iter().find(|call| !self.known.is_empty() && !is_known(call))
    }

    /// The results of the calls in one message.
    #[must_use]
    pub fn play(&self, calls: &[ToolCall]) -> Played {
        let mut messages = Vec::with_capacity(calls.len());
        for call in calls {
            let function = self.known.iter().find(|function| function.name == call.name);
            let Some(returns) = function.and_then(|function| function.returns.as_ref()) else {
                return Played::Ends;
            };
            let fits =
                |one: &&Return| one.with.as_ref().is_none_or(|with| with.fit(&call.arguments) == Fit::Met);
            let Some(found) = returns.iter().find(fits) else { return Played::Unfit(call.clone()) };
            let result = Message::new(Role::Tool, &*found.give);
            messages.push(Message { tool_call_id: call.id.clone(), ..result });
        }
        if messages.is_empty() { Played::Ends } else { Played::Returned(messages) }
    }

    /// Where a new version returns other values, or allows another number of rounds: either leads to other answers.
    /// Keys start at `setup`.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let mut found = Vec::new();
        for new in &now.known {
            let old = self.known.iter().find(|old| old.name == new.name);
            if old.is_some_and(|old| old.written != new.written) {
                let message = format!("`{}` now returns something else", text::excerpt(&new.name, 60));
                let keys = ["functions", &new.at.to_string(), "returns"];
                found.push(Weaker::new(WeakeningKind::ReturnsChanged, &keys, message));
            }
        }
        if self.rounds != now.rounds {
            let message = format!("`max_tool_rounds` was {}, now {}", self.rounds, now.rounds);
            found.push(Weaker::new(WeakeningKind::ToolRoundsChanged, &["max_tool_rounds"], message));
        }
        found
    }
}

impl Return {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let fields = Fields::check(node, RETURN, "an entry of `returns`", reading.file, reading.found)?;
        let with = match fields.node("with") {
            Some(with) => Some(Arguments::read("with", with, reading)?),
            None => None,
        };
        let give = fields.node("give")?;
        let give = match reading.fill_json(&give.to_json(), give.span) {
            Json::String(text) => text,
            other => other.to_string(),
        };
        Some(Self { with, give })
    }
}

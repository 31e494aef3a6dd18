//! `tools`: which functions an answer calls, with which arguments and in which order, and which it never calls.
//!
//! Calls count in the order in which they arrived; calls in the same message count in their order there. An empty,
//! cut-off or refused answer does not pass because a forbidden call is missing from it.

use serde_json::{Value as Json, json};

use super::arguments::{Arguments, Fit};
use super::{Candidate, Expectation, Expected, Plain, Reading, SHOWN, TYPE, share, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Node, Shape, Value};
use crate::text;
use crate::vocabulary::{ToolCall, VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::optional(
        "called",
        Shape::Part("called"),
        "Functions that must be called: names, or mappings that describe the calls.",
    ),
    Field::optional("never", Shape::Texts, "Functions that must not be called."),
];

/// Keys of an entry of `called`.
pub(super) const CALL: &[Field] = &[
    Field::required("name", Shape::Name, "The function."),
    Field::optional(
        "args",
        Shape::Map,
        "Arguments: members with equal values, or a JSON Schema with `type: object`.",
    ),
    Field::optional("before", Shape::Name, "A function that must be called after it."),
    Field::optional("after", Shape::Name, "A function that must be called before it."),
    Field::optional(
        "count",
        Shape::Part("count"),
        "Number of such calls: a number, or `{ min, max }` (min: 1).",
    ),
];

/// Keys of a `count` that is a mapping.
pub(super) const COUNT: &[Field] = &[
    Field::optional("min", Shape::Integer(0), "Minimum number of calls (1)."),
    Field::optional("max", Shape::Integer(0), "Maximum number of calls."),
];

/// What is required of the calls of an answer.
#[derive(Clone, Debug)]
pub struct Tools {
    called: Vec<Call>,
    never: Vec<String>,
}

/// What is required of the calls of one function.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    args: Option<Arguments>,
    before: Option<String>,
    after: Option<String>,
    least: u64,
    most: Option<u64>,
}

impl Expectation {
    /// Whether it, or a part of it, is about the calls of an answer. If the provider does not read calls, a call may
    /// seem missing although it was made.
    #[must_use]
    pub fn needs_calls(&self) -> bool {
        match &self.expected {
            Expected::Plain(Plain::Handoff(kind)) => kind.needs_calls(),
            Expected::Plain(kind) => kind.kind() == VerdictKind::Tools,
            Expected::Combined(kind) => kind.parts().iter().any(Self::needs_calls),
            Expected::Not(kind) => kind.inner().needs_calls(),
            Expected::Which(kind) => kind.inner().needs_calls(),
            Expected::Whole(kind) => kind.kind() == VerdictKind::HandoffKept,
            Expected::LlmGrader(_) | Expected::Similarity(_) => false,
        }
    }
}

impl Tools {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let called = match fields.node("called") {
            Some(node) => match &node.value {
                Value::List(items) => {
                    items.iter().map(|item| Call::read(item, reading)).collect::<Option<_>>()?
                }
                other => {
                    let message = format!("`called` must be a list of functions, found {}", other.kind());
                    reading.refuse("wrong-type", node.span, message, "write `called: [transfer_to_human]`");
                    return None;
                }
            },
            None => Vec::new(),
        };
        let never = fields.texts("never").unwrap_or_default();
        let never: Vec<_> = never.into_iter().map(|(name, span)| reading.function(name, span)).collect();
        if called.is_empty() && never.is_empty() {
            let message = "neither `called` nor `never` lists a function, so every answer passes".to_owned();
            reading.always_holds(fields.span(), message, "add a function");
        }
        Some(Self { called, never })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let calls = answer.tool_calls;
        let forbidden = |name: &String| match calls.iter().find(|call| call.name == *name) {
            Some(call) => Some(format!("`{}` must not be called: {}", shown(name), line(call))),
            None => {
                answer.hollow().map(|reason| format!("{reason}, so a missing call does not count as a pass"))
            }
        };
        let problems: Vec<_> = self
            .called
            .iter()
            .map(|one| one.problem(answer))
            .chain(self.never.iter().map(forbidden))
            .collect();
        let total = problems.len();
        let problems: Vec<_> = problems.into_iter().flatten().collect();
        let met = share(total - problems.len(), total);
        let mut verdict = verdict(VerdictKind::Tools, problems.is_empty(), met);
        let never = self.never.iter().map(|name| format!("never `{}`", shown(name)));
        let expected: Vec<_> = self.called.iter().map(Call::expected).chain(never).collect();
        verdict.expected = text::excerpt(&expected.join(", "), 2 * SHOWN);
        verdict.reason =
            if problems.is_empty() { format!("{}, as required", called(calls)) } else { problems.join("; ") };
        if !problems.is_empty() {
            verdict.got = text::excerpt(&calls.iter().map(line).collect::<Vec<_>>().join(", "), SHOWN);
        }
        verdict
    }

    /// The functions that a correct answer calls.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.called.iter().filter(|one| one.least > 0).map(|one| one.name.as_str()).collect()
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let mut found = Vec::new();
        for old in &self.called {
            if now.called.iter().any(|new| old.weaker(new).is_empty()) {
                continue;
            }
            let same = now.called.iter().enumerate().find(|(_, new)| new.name == old.name);
            if let Some((at, new)) = same {
                let at = at.to_string();
                found.extend(old.weaker(new).into_iter().map(|one| one.below(&["called", &at])));
            } else {
                let message = format!("a call of `{}` is no longer required", shown(&old.name));
                found.push(Weaker::new(WeakeningKind::ValueRemoved, &["called"], message));
            }
        }
        let forbids = |name: &String| {
            let none = |one: &Call| one.name == *name && one.most == Some(0) && one.args.is_none();
            now.never.contains(name) || now.called.iter().any(none)
        };
        for name in self.never.iter().filter(|name| !forbids(name)) {
            let message = format!("a call of `{}` is no longer forbidden", shown(name));
            found.push(Weaker::new(WeakeningKind::ValueRemoved, &["never"], message));
        }
        found
    }
}

impl Call {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let (args, before, after) = (None, None, None);
        if let Some(name) = node.as_str() {
            let name = reading.function(name, node.span);
            return Some(Self { name, args, before, after, least: 1, most: None });
        }
        let fields = Fields::check(node, CALL, "an entry of `called`", reading.file, reading.found)?;
        let mut function = |key: &str| fields.text(key).map(|(name, span)| reading.function(name, span));
        let (name, before, after) = (function("name")?, function("before"), function("after"));
        let args = match fields.node("args") {
            Some(node) => Some(Arguments::read("args", node, reading)?),
            None => None,
        };
        let (least, most) = match fields.node("count") {
            Some(node) => count(node, reading)?,
            None => (1, None),
        };
        if least == 0 && most.is_none() && before.is_none() && after.is_none() {
            let message = "`count` allows any number of calls, so every answer passes".to_owned();
            reading.always_holds(node.start(), message, "set `max`, or a `min` of at least 1");
        }
        Some(Self { name, args, before, after, least, most })
    }

    /// What is not as required.
    fn problem(&self, answer: &Candidate<'_>) -> Option<String> {
        let (calls, name) = (answer.tool_calls, shown(&self.name));
        let fit = |call: &ToolCall| self.args.as_ref().map_or(Fit::Met, |args| args.fit(&call.arguments));
        let named: Vec<(usize, Fit)> = calls
            .iter()
            .enumerate()
            .filter(|(_, call)| call.name == self.name)
            .map(|(at, call)| (at, fit(call)))
            .collect();
        let met = named.iter().filter(|(_, fit)| *fit == Fit::Met);
        let first = met.clone().next().map(|(at, _)| *at);
        let sure = met.count() as u64;
        // Calls with unreadable arguments may be the ones that exceed the limit.
        let perhaps = sure + named.iter().filter(|(_, fit)| *fit == Fit::Unread).count() as u64;
        if sure < self.least {
            return Some(match named.as_slice() {
                [] => format!("`{name}` was not called; {}", called(calls)),
                [(at, Fit::Other(why)), ..] => {
                    format!("`{name}` was called with other arguments ({why}): {}", line(&calls[*at]))
                }
                [(at, Fit::Unread), ..] => {
                    format!("the arguments of `{name}` are not a JSON object: {}", line(&calls[*at]))
                }
                [(_, Fit::Met), ..] => format!("`{name}` was called {}; {}", times(sure), self.needed()),
            });
        }
        if let Some(most) = self.most {
            if perhaps > most {
                return Some(format!("`{name}` was called {}; {}", times(perhaps), self.needed()));
            }
            if let Some(reason) = answer.hollow() {
                return Some(format!("{reason}, so a missing call does not count as a pass"));
            }
        }
        let at = |other: &String| calls.iter().position(|call| call.name == *other);
        let order = |other: &Option<String>, word: &str, is_right: fn(usize, usize) -> bool| {
            let other = other.as_ref()?;
            let shown = shown(other);
            match (first, at(other)) {
                (Some(own), Some(other)) if is_right(own, other) => None,
                (Some(_), Some(_)) => {
                    Some(format!("`{name}` was not called {word} `{shown}`; {}", called(calls)))
                }
                (_, None) => {
                    Some(format!("`{name}` must be called {word} `{shown}`, but `{shown}` was not called"))
                }
                (None, _) => Some(format!("`{name}` must be called {word} `{shown}`, but it was not called")),
            }
        };
        order(&self.before, "before", |own, other| own < other)
            .or_else(|| order(&self.after, "after", |own, other| own > other))
    }

    /// How many calls are required.
    fn needed(&self) -> String {
        match (self.least, self.most) {
            (least, None) => format!("at least {least} required"),
            (least, Some(most)) if least == most => format!("exactly {most} required"),
            (0, Some(most)) => format!("at most {most} allowed"),
            (least, Some(most)) => format!("{least} to {most} required"),
        }
    }

    fn expected(&self) -> String {
        let mut out = format!("`{}`", shown(&self.name));
        out.extend(self.args.iter().map(|args| format!(" with {}", args.shown())));
        for (word, other) in [("before", &self.before), ("after", &self.after)] {
            out.extend(other.iter().map(|other| format!(" {word} `{}`", shown(other))));
        }
        let needed = ((self.least, self.most) != (1, None)).then(|| format!(" ({})", self.needed()));
        out.extend(needed);
        out
    }

    /// Where a new version requires less; keys begin at the entry.
    fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let Self { name, args, before, after, least, most } = self;
        let changed = |key: &str, message: String| Weaker::new(WeakeningKind::ValueChanged, &[key], message);
        let mut found = Vec::new();
        if *name != now.name {
            found.push(changed("name", format!("a call of `{}` was required", shown(name))));
        }
        match (args, &now.args) {
            // With a `max`, arguments that match fewer calls limit fewer of them.
            (Some(old), Some(new)) if most.is_some() && !old.is_as(new) => {
                found.push(changed("args", "different calls count now".to_owned()));
            }
            (Some(old), Some(new)) => {
                found.extend(old.weaker(new).into_iter().map(|one| one.below(&["args"])));
            }
            (Some(_), None) if most.is_none() || *least > 0 => {
                found.push(changed("args", "the arguments no longer matter".to_owned()));
            }
            (None, Some(_)) if most.is_some() => {
                found.push(changed("args", "only calls with certain arguments count now".to_owned()));
            }
            (None | Some(_), None) | (None, Some(_)) => {}
        }
        for (key, was, is) in [("before", before, &now.before), ("after", after, &now.after)] {
            if let Some(other) = was.as_ref().filter(|_| was != is) {
                found.push(changed(key, format!("it had to be called {key} `{}`", shown(other))));
            }
        }
        let bound = most.is_some_and(|most| now.most.is_none_or(|is| is > most));
        if now.least < *least || bound {
            found.push(changed("count", format!("number of calls before: {}", self.needed())));
        }
        found
    }
}

/// Lowest and highest number of calls.
fn count(node: &Node, reading: &mut Reading<'_>) -> Option<(u64, Option<u64>)> {
    let (least, most) = match &node.value {
        Value::Integer(exact) if *exact >= 0 => {
            let exact = exact.unsigned_abs();
            return Some((exact, Some(exact)));
        }
        Value::Map(_) => {
            let fields = Fields::check(node, COUNT, "`count`", reading.file, reading.found)?;
            (fields.integer("min").unwrap_or(1), fields.integer("max"))
        }
        other => {
            let message =
                format!("`count` must be a whole number or `{{ min, max }}`, found {}", other.kind());
            reading.refuse(
                "wrong-type",
                node.span,
                message,
                "write `count: 1`, or `count: { min: 1, max: 3 }`",
            );
            return None;
        }
    };
    if let Some(most) = most.filter(|most| *most < least) {
        let message =
            format!("`count` requires at least {least} but allows at most {most}, so no answer can pass");
        reading.refuse(
            "wrong-value",
            node.start(),
            message,
            "raise `max`, or lower `min`; it is 1 unless you set it",
        );
        return None;
    }
    Some((least, most))
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn shown(name: &str) -> String {
    text::excerpt(name, 60)
}

/// A call in a message.
pub(super) fn line(call: &ToolCall) -> String {
    text::excerpt(&call.line(), SHOWN)
}

/// What was called.
pub(super) fn called(calls: &[ToolCall]) -> String {
    if calls.is_empty() {
        "nothing was called".to_owned()
    } else {
        format!("called: {}", ToolCall::summary(calls))
    }
}

pub(super) fn schemas() -> [(&'static str, Json); 2] {
    let called =
        json!({ "type": "array", "items": { "oneOf": [{ "type": "string" }, Field::schema(CALL)] } });
    let count = json!({ "oneOf": [{ "type": "integer", "minimum": 0 }, Field::schema(COUNT)] });
    [("called", called), ("count", count)]
}

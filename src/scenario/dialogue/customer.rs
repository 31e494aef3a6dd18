//! A customer that follows rules: gives the facts that are asked for; if none is, the first matching rule applies, or
//! else `otherwise`.

use crate::expectation::{Expectation, FACT, Reading, Written, covers};
use crate::source::{Field, Fields, Node, Shape, Value};
use crate::text;
use crate::vocabulary::EndedBy;

use super::MOST_TURNS;

/// Keys of `customer`.
pub const CUSTOMER: &[Field] = &[
    Field::required("says", Shape::Name, "What the customer says first."),
    Field::optional("facts", Shape::Objects(FACT), "What the customer knows and says when asked."),
    Field::optional(
        "rules",
        Shape::Part("rules"),
        "What the customer says after certain answers; the first match wins.",
    ),
    Field::optional("otherwise", Shape::Object(OTHERWISE), "What the customer says after any other answer."),
    Field::optional(
        "ends",
        Shape::Part("ends"),
        "What ends the conversation: `handoff`, or an expectation that the last answer meets.",
    ),
    Field::required("max_turns", Shape::Integer(1), "Maximum messages from the customer, at most 50."),
    Field::optional(
        "off_script",
        Shape::OneOf(&["error", "fail"]),
        "Result if no rule matches the answer (error).",
    ),
];

/// Keys of an entry of `rules`.
pub const REPLY: &[Field] = &[
    Field::required("when", Shape::Part("expected"), "Expectation that the last answer meets; no judge."),
    SAY,
    MOST,
];

/// Keys of `otherwise`.
pub const OTHERWISE: &[Field] = &[
    SAY,
    MOST,
    Field::optional("then", Shape::OneOf(&["end"]), "Ends the conversation after the last text."),
];

const SAY: Field = Field::required(
    "say",
    Shape::Part("say"),
    "What the customer says: one string, or a list with one string for each time.",
);
const MOST: Field =
    Field::optional("most", Shape::Integer(1), "Maximum number of times it is said (the number of strings).");

/// A customer that follows rules.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The first words.
    pub says: String,
    pub(super) rules: Vec<Rule>,
    pub(super) otherwise: Option<Otherwise>,
    pub(super) ends: Vec<End>,
    /// `ends` as written in the file.
    pub(super) ends_written: serde_json::Value,
    /// Maximum number of messages from the customer.
    pub max_turns: u32,
    /// Whether the application fails if no rule matches its answer.
    pub(super) fails_off_script: bool,
}

/// What the customer says after certain answers.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) when: Expectation,
    /// `when` as written in the file.
    pub(super) when_written: String,
    pub(super) says: Says,
}

/// What the customer says after any other answer.
#[derive(Clone, Debug)]
pub(super) struct Otherwise {
    pub(super) says: Says,
    pub(super) ends: bool,
}

/// What is said, each time.
#[derive(Clone, Debug)]
pub(super) struct Says {
    pub(super) texts: Vec<String>,
    pub(super) most: usize,
    /// 1-based line.
    pub(super) line: u32,
}

/// What ends a conversation.
#[derive(Clone, Debug)]
pub(super) enum End {
    Handoff,
    Met(Expectation),
}

impl Says {
    /// What is said the n-th time, counted from 0; `None` once all of it has been said.
    pub(super) fn at(&self, time: usize) -> Option<&str> {
        let text = self.texts.get(time).or(self.texts.last()).filter(|_| time < self.most);
        text.map(String::as_str)
    }

    fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let node = fields.node("say")?;
        let items = match &node.value {
            Value::List(items) if !items.is_empty() => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for item in items {
            if let Some(text) = item.as_str().filter(|text| !text.trim().is_empty()) {
                texts.push(reading.fill(text, item.span));
            } else {
                let found = match &item.value {
                    Value::List(items) if items.is_empty() => "an empty list",
                    Value::String(text) if text.is_empty() => "an empty string",
                    Value::String(_) => "a blank string",
                    other => other.kind(),
                };
                let message = format!("`say` must be text or a list of strings, found {found}");
                reading.refuse("wrong-type", item.span, message, "write what the customer says, in quotes");
            }
        }
        let most =
            fields.integer("most").map_or(texts.len(), |most| usize::try_from(most).unwrap_or(usize::MAX));
        if most < texts.len() {
            let span = fields.key_span("most").unwrap_or(node.span);
            let message = format!("`most` is {most}, but there are {}", text::count(texts.len(), "string"));
            reading.refuse("wrong-value", span, message, "raise it, or remove the unused strings");
        }
        (!texts.is_empty()).then_some(Self { texts, most, line: node.span.line })
    }
}

/// Reads an expectation that steers the conversation, so it must not need a judge.
pub(super) fn choice(node: &Node, what: &str, reading: &mut Reading<'_>) -> Option<Expectation> {
    let found = Expectation::read(node, what, reading)?;
    if found.graders().is_empty() {
        return Some(found);
    }
    let message = format!("a judge in {what}: what the customer says must not depend on a judge");
    reading.refuse(
        "judge-in-choice",
        node.start(),
        message,
        "use `contains`, `regex` or another kind that needs no model",
    );
    None
}

impl Customer {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let says = fields.text("says").map(|(text, span)| reading.fill(text, span));
        let (ends, ended) = match fields.node("ends") {
            Some(node) => ends(node, reading),
            None => (Vec::new(), Vec::new()),
        };
        let rules = match fields.node("rules") {
            Some(node) => rules(node, ended, reading),
            None => Vec::new(),
        };
        let otherwise = fields.object("otherwise").and_then(|fields| {
            let ends = fields.text("then").is_some();
            Says::read(&fields, reading).map(|says| Otherwise { says, ends })
        });
        let ends_written = fields.node("ends").map(Node::to_json).unwrap_or_default();
        let max_turns = fields.integer("max_turns")?;
        if max_turns > MOST_TURNS {
            let span = fields.node("max_turns").map_or(fields.span(), |node| node.span);
            let message = format!("`max_turns` must be at most {MOST_TURNS}, found {max_turns}");
            reading.refuse(
                "wrong-value",
                span,
                message,
                "lower it: it is the only limit on the length of the conversation",
            );
        }
        let fails_off_script = fields.text("off_script").is_some_and(|(word, _)| word == "fail");
        let max_turns = u32::try_from(max_turns).unwrap_or(u32::MAX);
        Some(Self { says: says?, rules, otherwise, ends, ends_written, max_turns, fails_off_script })
    }

    /// Everything it says without being asked for a fact.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().map(|rule| &rule.says);
        let others = rules.chain(self.otherwise.iter().map(|otherwise| &otherwise.says));
        std::iter::once(self.says.as_str())
            .chain(others.flat_map(|says| says.texts.iter().map(String::as_str)))
    }

    /// The ways in which a conversation with it can end.
    pub(super) fn ends(&self) -> Vec<EndedBy> {
        let mut ends = vec![EndedBy::MaxTurns];
        for end in &self.ends {
            let end = match end {
                End::Handoff => EndedBy::Handoff,
                End::Met(_) => EndedBy::Expectation,
            };
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
        if self.otherwise.as_ref().is_some_and(|otherwise| otherwise.ends) {
            ends.push(EndedBy::Otherwise);
        }
        ends
    }
}

/// An expectation that steers the conversation, with its place in the file.
struct Choice<'n> {
    expectation: Expectation,
    node: &'n Node,
    line: u32,
    /// Whether it ends the conversation every time.
    ends: bool,
}

impl Choice<'_> {
    /// Whether a later expectation can never match. A rule that is used up leaves room for later rules that are less
    /// strict, but not for a copy of itself.
    fn leaves_nothing(&self, other: &Expectation, node: &Node) -> bool {
        let (own, other) = (Written::own(&self.expectation, self.node), Written::own(other, node));
        covers(own, other) && (self.ends || covers(other, own))
    }
}

/// The expectation of an entry of `ends`; a `last_answer` around it is redundant there.
fn met(item: &Node) -> &Node {
    let inner = item.get("type").and_then(Node::as_str).filter(|kind| *kind == "last_answer");
    inner.and_then(|_| item.get("expected")).unwrap_or(item)
}

fn rules<'n>(node: &'n Node, ended: Vec<Choice<'n>>, reading: &mut Reading<'_>) -> Vec<Rule> {
    let Value::List(items) = &node.value else {
        let message = format!("`rules` must be a list, found {}", node.value.kind());
        reading.refuse(
            "wrong-type",
            node.span,
            message,
            "write `- { when: { type: contains, values: [...] }, say: ... }` lines",
        );
        return Vec::new();
    };
    let mut rules: Vec<Rule> = Vec::new();
    let mut known = ended;
    for item in items {
        let Some(fields) = Fields::check(item, REPLY, "a rule", reading.file, reading.found) else {
            continue;
        };
        let Some(node) = item.get("when") else { continue };
        let written = node.to_json().to_string();
        let when = choice(node, "`when`", reading);
        let says = Says::read(&fields, reading);
        if let Some(expectation) = when.clone() {
            if let Some(first) = known.iter().find(|first| first.leaves_nothing(&expectation, node)) {
                let message =
                    format!("this rule is never reached: line {} matches the same answers", first.line);
                let help = "put everything the customer says to them in one rule: `say: [first, second]`; an \
                     answer that ends the conversation needs no rule";
                reading.refuse("unreachable-rule", item.start(), message, help);
            }
            known.push(Choice { expectation, node, line: item.start().line, ends: false });
        }
        rules.extend(when.zip(says).map(|(when, says)| Rule { when, when_written: written, says }));
    }
    rules
}

/// Reads `ends`, also as choices, because no rule applies to an answer that ends the conversation.
fn ends<'n>(node: &'n Node, reading: &mut Reading<'_>) -> (Vec<End>, Vec<Choice<'n>>) {
    let Value::List(items) = &node.value else {
        let message = format!("`ends` must be a list, found {}", node.value.kind());
        reading.refuse("wrong-type", node.span, message, "write `ends: [handoff]`");
        return (Vec::new(), Vec::new());
    };
    let (mut ends, mut choices) = (Vec::new(), Vec::new());
    for item in items {
        match item.as_str() {
            Some("handoff") => {
                if !reading.setup.handoff.as_ref().is_some_and(|signs| signs.shows_done()) {
                    let message = "`handoff` needs `setup.handoff`".to_owned();
                    let help = "add `setup: { handoff: { tool: transfer_to_human } }`, or `state:` with a JSON pointer";
                    reading.refuse("missing-field", item.span, message, help);
                }
                ends.push(End::Handoff);
            }
            Some(word) => {
                let message = format!("`{}` cannot end a conversation", text::excerpt(word, 60));
                reading.refuse(
                    "wrong-value",
                    item.span,
                    message,
                    "write `handoff`, or an expectation of the last answer",
                );
            }
            None => {
                let node = met(item);
                if let Some(expectation) = choice(node, "an entry of `ends`", reading) {
                    ends.push(End::Met(expectation.clone()));
                    choices.push(Choice { expectation, node, line: item.start().line, ends: true });
                }
            }
        }
    }
    (ends, choices)
}

//! Reads `turns`, `customer` and `facts` of a case.

use std::sync::Arc;
use std::time::Duration;

use super::customer::{CUSTOMER, Customer, choice};
use super::{Dialogue, Line, Lines, MOST_TURNS, Piece};
use crate::expectation::{Expectation, FACT, Fact, Reading, Scope, Setup};
use crate::source::{Field, Fields, Node, Shape, Value};
use crate::text;

/// Keys of an entry of `turns`.
pub const TURN: &[Field] = &[
    Field::optional("id", Shape::Name, "Name of the turn, unique in its case: letters, digits, `_` and `-`."),
    Field::required("user", Shape::Name, "What the customer says."),
    Field::optional("expected", Shape::Part("expected"), "What the answer must be."),
    Field::optional(
        "if",
        Shape::Part("expected"),
        "Skips the turn unless the last answer meets this expectation; no judge.",
    ),
    Field::optional("session", Shape::OneOf(&["new"]), "Starts another conversation with the same customer."),
    Field::optional(
        "pause",
        Shape::Part("pause"),
        "How long the customer waits before this turn, such as `30s`.",
    ),
];

/// A dialogue, and what its expectations may refer to.
pub struct Read {
    /// The dialogue.
    pub dialogue: Dialogue,
    /// What its expectations are read with.
    pub setup: Setup,
}

impl Read {
    /// Reads the conversation of a case; `None` if there is none, or if it cannot be read.
    pub fn of(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let customer = fields.object("customer");
        let turns = fields.node("turns");
        match (turns, &customer) {
            (Some(node), Some(_)) => {
                let message = "`turns` and `customer` cannot be combined".to_owned();
                reading.refuse("wrong-value", node.start(), message, "keep one of the two");
                return None;
            }
            (None, None) => {
                for key in ["facts", "stop_on_failure"] {
                    if let Some(span) = fields.key_span(key) {
                        let message =
                            format!("`{key}` applies only to conversations; this case is a single question");
                        reading.refuse(
                            "wrong-place",
                            span,
                            message,
                            "remove it, or use `turns:` instead of `prompt:`",
                        );
                    }
                }
                return None;
            }
            _ => {}
        }
        let entries = match &customer {
            Some(customer) => {
                if let Some(span) = fields.key_span("facts") {
                    let message = "with `customer`, the facts belong under `customer`".to_owned();
                    reading.refuse("wrong-place", span, message, "move them there");
                }
                customer.objects("facts")
            }
            None => fields.objects("facts"),
        };
        let facts: Vec<Fact> = entries.iter().filter_map(|fields| Fact::read(fields, reading)).collect();
        check_facts(&facts, customer.is_some(), reading);
        let lines = match (&customer, turns) {
            (Some(fields), _) => Lines::Customer(Customer::read(fields, reading)?.into()),
            (None, Some(node)) => Lines::Turns(lines(node, reading)?),
            (None, None) => return None,
        };
        if let (Lines::Customer(_), Some(span)) = (&lines, fields.key_span("stop_on_failure")) {
            let message = "`stop_on_failure` applies only to `turns`".to_owned();
            reading.refuse("wrong-place", span, message, "remove it, or add `ends:` under `customer`");
        }
        let stop_on_failure = fields.bool("stop_on_failure").unwrap_or_default();
        let dialogue = Dialogue { facts: facts.into(), stop_on_failure, lines };
        check_given(&dialogue, reading);
        let ids = dialogue.turns().iter().zip(1..);
        let turns = ids.filter_map(|(line, number)| Some((line.id.clone()?, number))).collect();
        let (facts, most, ends) = (Arc::clone(&dialogue.facts), dialogue.most(), dialogue.ends());
        let talk = Some(Scope { facts, turns, most, ends });
        Some(Self { dialogue, setup: Setup { talk, ..reading.setup.clone() } })
    }
}

/// Reports duplicate names of facts, and facts that a customer with rules has no words for.
fn check_facts(facts: &[Fact], is_ruled: bool, reading: &mut Reading<'_>) {
    for (at, fact) in facts.iter().enumerate() {
        let name = text::excerpt(&fact.name, 60);
        if let Some(first) = facts[..at].iter().find(|other| other.name == fact.name) {
            let message = format!("duplicate fact `{name}`, first on line {}", first.span.line);
            reading.refuse("duplicate-id", fact.span, message, "give one of them another name");
        }
        if is_ruled && fact.say.is_none() {
            let message = format!("fact `{name}` has no `say`: the customer cannot answer with it");
            reading.refuse("missing-field", fact.span, message, "add `say:` with the customer's words");
        }
    }
}

/// Reports facts that no turn of a script gives: nothing could ever be checked about them.
fn check_given(dialogue: &Dialogue, reading: &mut Reading<'_>) {
    let Lines::Turns(turns) = &dialogue.lines else { return };
    for fact in dialogue.facts.iter() {
        let is_open = |line: &Line| line.text.iter().any(|piece| matches!(piece, Piece::Group(..)));
        if !turns.iter().any(|line| is_open(line) || fact.is_given_by(&line.written())) {
            let name = text::excerpt(&fact.name, 60);
            let message = format!("no turn gives fact `{name}`: none contains its value or its `say`");
            reading.refuse("unknown-fact", fact.span, message, "set `value:` to what a turn says");
        }
    }
}

fn lines(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Line>> {
    let items = match &node.value {
        Value::List(items) if !items.is_empty() => items,
        other => {
            let found = if matches!(other, Value::List(_)) { "an empty list" } else { other.kind() };
            let message = format!("`turns` must be a list with at least one turn, found {found}");
            reading.refuse("wrong-type", node.span, message, "write `- user: ...` lines");
            return None;
        }
    };
    if items.len() as u64 > MOST_TURNS {
        let message = format!("`turns` has {} turns; the limit is {MOST_TURNS}", items.len());
        reading.refuse("wrong-value", node.span, message, "split the case");
        return None;
    }
    let mut read: Vec<Line> = Vec::new();
    for item in items {
        let Some(fields) = Fields::check(item, TURN, "a turn", reading.file, reading.found) else { continue };
        read.extend(line(&fields, &read, reading));
    }
    (read.len() == items.len()).then_some(read)
}

fn line(fields: &Fields<'_>, before: &[Line], reading: &mut Reading<'_>) -> Option<Line> {
    let id = fields.text("id");
    if let Some((id, span)) = id {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if !id.chars().all(is_name) {
            let message = format!("invalid turn id `{}`", text::excerpt(id, 60));
            reading.refuse("wrong-value", span, message, "use letters, digits, `_` and `-`");
        }
        if before.iter().any(|line| line.id.as_deref() == Some(id)) {
            let message = format!("duplicate turn id `{}`", text::excerpt(id, 60));
            reading.refuse("duplicate-id", span, message, "rename one of them");
        }
    }
    let (written, span) = fields.text("user")?;
    let text = pieces(written, span, before, reading);
    let expected = fields.node("expected");
    let expectation = expected.and_then(|node| Expectation::read(node, "`expected`", reading));
    let condition = fields.node("if").and_then(|node| choice(node, "`if`", reading));
    if let Some(span) = fields.key_span("if").filter(|_| before.is_empty()) {
        let message = "the first turn has an `if`, but no answer comes before it".to_owned();
        reading.refuse("wrong-value", span, message, "remove it");
    }
    if let Some(span) = fields.key_span("session").filter(|_| before.is_empty()) {
        let message =
            "the first turn has `session: new`, but every conversation starts with a new session".to_owned();
        reading.refuse("wrong-value", span, message, "remove it, or move it to a later turn");
    }
    if expected.is_some() && expectation.is_none() {
        return None;
    }
    let condition_written = fields.node("if").map(Node::to_json).unwrap_or_default();
    let pause = fields.node("pause").and_then(|node| pause(node, reading));
    let is_new_session = fields.text("session").is_some();
    Some(Line {
        id: id.map(|(id, _)| id.to_owned()),
        span,
        text,
        expectation,
        condition,
        condition_written,
        is_new_session,
        pause,
    })
}

/// Longest pause of a customer.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

fn pause(node: &Node, reading: &mut Reading<'_>) -> Option<Duration> {
    let read = match &node.value {
        Value::Integer(ms) => u64::try_from(*ms).ok().map(Duration::from_millis),
        _ => node.as_str().and_then(text::number::time),
    };
    let read = read.filter(|time| *time <= LONGEST_PAUSE);
    if read.is_none() {
        let message =
            "`pause` must be a duration of at most 10 minutes: milliseconds, or a number with `ms`, `s` or `m`".to_owned();
        reading.refuse("wrong-value", node.span, message, "write it as `30s`");
    }
    read
}

/// The text of a turn, split at the placeholders for groups of earlier answers.
fn pieces(
    written: &str,
    span: crate::source::Span,
    before: &[Line],
    reading: &mut Reading<'_>,
) -> Vec<Piece> {
    let mut groups: Vec<(String, String)> = Vec::new();
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (written, 0);
    while let Some(open) = rest[from..].find("{{").map(|open| from + open) {
        from = open + 2;
        let is_escaped = rest[..open].ends_with('\\');
        let inner = rest[from..].find("}}").map(|close| &rest[from..from + close]);
        let named = inner.and_then(|inner| inner.trim().strip_prefix("turn.")?.split_once('.'));
        let Some((inner, (turn, group))) = inner.zip(named).filter(|_| !is_escaped) else { continue };
        pieces.extend((open > 0).then(|| Piece::Text(reading.fill(&rest[..open], span))));
        pieces.push(Piece::Group(turn.to_owned(), group.to_owned()));
        groups.push((turn.to_owned(), group.to_owned()));
        rest = &rest[from + inner.len() + 2..];
        from = 0;
    }
    pieces.extend((!rest.is_empty()).then(|| Piece::Text(reading.fill(rest, span))));
    for (turn, name) in &groups {
        let shown = format!("{{{{turn.{turn}.{name}}}}}");
        let known: Vec<&str> = before.iter().filter_map(|line| line.id.as_deref()).collect();
        let Some(line) = before.iter().find(|line| line.id.as_ref() == Some(turn)) else {
            let help = text::meant(turn, &known, || match known.as_slice() {
                [] => "give that turn an `id:`, and put it before this one".to_owned(),
                known => format!("earlier turns: {}", text::list(known)),
            });
            reading.refuse("unknown-turn", span, format!("`{shown}` names no earlier turn"), help);
            continue;
        };
        let all = line.expectation.iter().flat_map(Expectation::groups);
        let names: Vec<&str> = all.flat_map(crate::expectation::pattern::Groups::names).collect();
        if !names.contains(&name.as_str()) {
            let help = text::meant(name, &names, || match names.as_slice() {
                [] => format!("add a `regex` expectation with `(?<{name}>...)` to that turn"),
                names => format!("it has {}", text::list(names)),
            });
            reading.refuse("unknown-group", span, format!("turn `{turn}` has no group `{name}`"), help);
        }
    }
    pieces
}

/// Keys of a case that describe a conversation.
pub const CONVERSATION: &[Field] = &[
    Field::optional("turns", Shape::Part("turns"), "What the customer says, one turn after the other."),
    Field::optional("customer", Shape::Object(CUSTOMER), "A customer that follows rules."),
    Field::optional(
        "facts",
        Shape::Objects(FACT),
        "Facts that the customer of `turns` gives, for `no_reask`, `keeps` and `carries`.",
    ),
    Field::optional("stop_on_failure", Shape::Bool, "Whether a failed turn ends the conversation (false)."),
];

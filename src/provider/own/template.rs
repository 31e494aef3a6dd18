//! Strings and objects with `{{NAME}}`, filled in for each request.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::{ChatRequest, Role};
use crate::environment::Environment;
use crate::source::{Node, Value};
use crate::text;

/// Names that akit fills in itself.
const NAMES: [&str; 5] = ["prompt", "messages", "conversation_id", "turn", "session"];

/// A part of a string.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Words(String),
    Name(String),
}

/// A string with names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pieces {
    pieces: Vec<Piece>,
    written: String,
}

/// The values to fill in.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    request: &'a ChatRequest,
    is_stateful: bool,
}

impl<'a> Filling<'a> {
    pub(super) fn of(request: &'a ChatRequest, is_stateful: bool) -> Self {
        Self { request, is_stateful }
    }

    /// Index of the first message the server has not seen: the newest, or the first of the newest function results.
    fn newest(&self) -> usize {
        let returned =
            self.request.messages.iter().rev().take_while(|message| message.role == Role::Tool).count();
        self.request.messages.len().saturating_sub(returned.max(1))
    }

    /// The newest message.
    pub(super) fn prompt(&self) -> &'a str {
        self.request.messages.last().map_or("", |message| message.content.as_str())
    }

    /// The messages to send.
    pub(super) fn messages(&self) -> Json {
        let all = &self.request.messages;
        let from = if self.is_stateful { self.newest() } else { 0 };
        serde_json::json!(all[from..])
    }

    fn value(&self, name: &str) -> String {
        let conversation = &self.request.conversation;
        match name {
            "prompt" => self.prompt().to_owned(),
            "conversation_id" => conversation.id.clone(),
            "turn" => conversation.turn.to_string(),
            "session" => conversation.session.clone().unwrap_or_default(),
            name => self.request.variables.get(name).cloned().unwrap_or_default(),
        }
    }
}

impl Pieces {
    /// Parses a string; the error says what is wrong.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), written);
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) = behind.split_once("}}").ok_or_else(|| "`{{` is not closed".to_owned())?;
            if let Some(before) = before.strip_suffix('\\') {
                pieces.push(Piece::Words(format!("{before}{{{{{name}}}}}")));
                rest = after;
                continue;
            }
            let name = name.trim();
            let is_name =
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
            if !is_name {
                return Err(format!("`{{{{{}}}}}` is not a valid name", text::excerpt(name, 40)));
            }
            if !before.is_empty() {
                pieces.push(Piece::Words(before.to_owned()));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Self { pieces, written: written.to_owned() })
    }

    /// Fills in the values, each passed through `escape`.
    pub(super) fn fill(&self, filling: &Filling<'_>, escape: impl Fn(&str) -> String) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Name(name) => escape(&filling.value(name)),
        });
        pieces.collect()
    }

    /// Fills in environment variables, and also returns their values.
    pub(super) fn filled(&self, environment: &Environment) -> (Self, Vec<String>) {
        let mut values = Vec::new();
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Words(words) => {
                let (words, filled) = environment.filled(words);
                values.extend(filled.into_iter().map(str::to_owned));
                Piece::Words(words)
            }
            Piece::Name(name) => Piece::Name(name.clone()),
        });
        let filled = Self { pieces: pieces.collect(), written: self.written.clone() };
        (filled, values)
    }

    /// The string as written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The string before its first name.
    pub(super) fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Words(words)) => words,
            Some(Piece::Name(_)) | None => "",
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Words(_) => None,
        })
    }

    /// The names that are variables of the case.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| !NAMES.contains(name))
    }

    /// Whether it has one of these names.
    #[must_use]
    pub fn has(&self, names: &[&str]) -> bool {
        self.names().any(|name| names.contains(&name))
    }
}

/// A value with names in its strings.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// A string.
    Text(Pieces),
    /// The list of messages.
    Messages,
    /// A list.
    List(Vec<Template>),
    /// A mapping.
    Map(BTreeMap<String, Template>),
    /// A literal value.
    Plain(Json),
}

impl Template {
    /// Reads a value; `wrong` gets every invalid string.
    pub(super) fn read(node: &Node, wrong: &mut dyn FnMut(&Node, String)) -> Self {
        match &node.value {
            Value::String(text) => match Pieces::parse(text) {
                Ok(Pieces { pieces, .. }) if pieces == [Piece::Name("messages".to_owned())] => Self::Messages,
                Ok(pieces) => {
                    if pieces.has(&["messages"]) {
                        wrong(node, "`{{messages}}` is a list and cannot be part of a string".to_owned());
                    }
                    Self::Text(pieces)
                }
                Err(trouble) => {
                    wrong(node, trouble);
                    Self::Text(Pieces::default())
                }
            },
            Value::List(items) => Self::List(items.iter().map(|item| Self::read(item, wrong)).collect()),
            Value::Map(entries) => {
                let entry =
                    |(key, value): &(Node, Node)| Some((key.as_str()?.to_owned(), Self::read(value, wrong)));
                Self::Map(entries.iter().filter_map(entry).collect())
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Waiting => {
                Self::Plain(node.to_json())
            }
        }
    }

    /// The value for a request. A string that consists of `{{turn}}` becomes a number, and one that consists of
    /// `{{session}}` becomes null while the session is unknown.
    pub(super) fn fill(&self, filling: &Filling<'_>) -> Json {
        let conversation = &filling.request.conversation;
        match self {
            Self::Messages => filling.messages(),
            Self::Text(pieces) => match pieces.pieces.as_slice() {
                [Piece::Name(name)] if name == "turn" => conversation.turn.into(),
                [Piece::Name(name)] if name == "session" && conversation.session.is_none() => Json::Null,
                _ => pieces.fill(filling, str::to_owned).into(),
            },
            Self::List(items) => items.iter().map(|item| item.fill(filling)).collect(),
            Self::Map(entries) => {
                let filled = entries.iter().map(|(key, value)| (key.clone(), value.fill(filling)));
                filled.collect::<serde_json::Map<_, _>>().into()
            }
            Self::Plain(json) => json.clone(),
        }
    }

    /// The strings in it.
    fn texts(&self) -> Vec<&Pieces> {
        match self {
            Self::Text(pieces) => vec![pieces],
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Map(entries) => entries.values().flat_map(Self::texts).collect(),
            Self::Messages | Self::Plain(_) => Vec::new(),
        }
    }

    /// The names in it that are variables of the case.
    pub(super) fn variables(&self) -> Vec<&str> {
        self.texts().into_iter().flat_map(Pieces::variables).collect()
    }

    /// Whether it contains the list of messages.
    pub(super) fn has_messages(&self) -> bool {
        match self {
            Self::Messages => true,
            Self::List(items) => items.iter().any(Self::has_messages),
            Self::Map(entries) => entries.values().any(Self::has_messages),
            Self::Text(_) | Self::Plain(_) => false,
        }
    }

    /// Whether the prompt is in it.
    pub(super) fn asks(&self) -> bool {
        self.has_messages() || self.texts().iter().any(|pieces| pieces.has(&["prompt"]))
    }
}

//! What differs between vendors: how a request is written, and how an answer is read. One file each.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use serde_json::{Map, Value as Json};

use super::call::Reply;
use super::endpoint::{Address, AddressError};
use super::message::Said;
use super::refusal::Part;
use super::spec::Access;
use super::{ChatRequest, Message, OutputSchema, Role};
use crate::secret::Secret;
use crate::text;
use crate::vocabulary::Usage;

/// The wire of a vendor.
pub(super) trait Dialect: Send + Sync + fmt::Debug {
    /// The server's address, from what people write.
    fn address(&self, access: &Access) -> Result<Address, AddressError>;

    /// What stands behind the address of the call for an answer, with its query.
    fn call(&self, model: &str, streams: bool) -> String;

    /// The headers that a request needs.
    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)>;

    /// What akit itself may write into a body, as JSON pointers: nobody else may.
    fn own(&self) -> &'static [&'static str];

    /// A request without what is left out.
    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft;

    /// Asks for the answer piece by piece, where the address does not say so.
    fn stream(&self, _body: &mut Map<String, Json>, _left: &BTreeSet<Part>) {}

    /// Puts a piece into its place in the whole answer.
    fn piece(&self, whole: &mut Json, piece: Json) -> Piece;

    /// Reads an answer; of a request for a verdict, the calls of the function of this name are its text.
    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread>;

    /// The call for an embedding with its body; none where the vendor has none.
    fn embedding(&self, _model: &str, _text: &str) -> Option<(String, Json)> {
        None
    }

    /// The numbers of an embedding and the tokens that were sent for it.
    fn embedded<'a>(&self, _reply: &'a Json) -> Option<(&'a Vec<Json>, Option<u64>)> {
        None
    }
}

/// What a piece of an answer brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Nothing that anybody would see.
    Silent,
    /// Text, or a part of a call.
    Token,
    /// The end.
    End,
}

/// What an answer says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// The message.
    pub(super) said: Said,
    /// The arguments of the function that makes a verdict, as they were written.
    pub(super) verdict: Option<String>,
    /// The stop word.
    pub(super) finish: Option<String>,
    /// The tokens of thoughts, as far as they are known.
    pub(super) thinking: Option<NonZeroU32>,
    /// The tokens of the exchange.
    pub(super) usage: Option<Usage>,
    /// The model that answered.
    pub(super) model: Option<String>,
    /// The mark of its configuration.
    pub(super) fingerprint: Option<String>,
}

/// Why a reply is no answer.
#[derive(Debug, PartialEq)]
pub(super) enum Misread {
    /// The prompt was blocked; with the word for it.
    Blocked(String),
    /// Something else came.
    Malformed(String),
}

impl Misread {
    /// Something else than what is expected; with the beginning of what came.
    pub(super) fn of(reply: &Json, reason: impl fmt::Display) -> Self {
        Self::Malformed(format!("{reason}; it begins {}", text::excerpt(&reply.to_string(), 120)))
    }
}

/// A request in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The body.
    pub(super) body: Map<String, Json>,
    /// The names of the parameters that the server does not take.
    pub(super) dropped: Vec<String>,
}

impl Draft {
    /// Writes a parameter, unless the server does not take it. A pointer of two names leads into an object.
    pub(super) fn offer(
        &mut self,
        left: &BTreeSet<Part>,
        part: Part,
        pointer: &str,
        value: Option<impl Into<Json>>,
    ) {
        match value {
            Some(_) if left.contains(&part) => self.dropped.push(part.name().to_owned()),
            Some(value) => self.put(pointer, value),
            None => {}
        }
    }

    /// Writes a member; a pointer of two names leads into an object.
    pub(super) fn put(&mut self, pointer: &str, value: impl Into<Json>) {
        let name = pointer.trim_start_matches('/');
        match name.split_once('/') {
            None => drop(self.body.insert(name.to_owned(), value.into())),
            Some((outer, inner)) => {
                let outer = self.body.entry(outer).or_insert_with(|| Map::new().into());
                outer[inner] = value.into();
            }
        }
    }

    /// In which form a verdict is asked for: a server without structured output is made to call a function; one without
    /// functions is left to the words of the prompt. What could not be read in one form is asked for in the next.
    pub(super) fn form(&mut self, left: &BTreeSet<Part>, output: &OutputSchema) -> Option<Part> {
        let mut skips = usize::from(output.next_form);
        for part in [Part::ResponseFormat, Part::ToolChoice] {
            if left.contains(&part) {
                self.dropped.push(part.name().to_owned());
            } else if skips > 0 {
                skips -= 1;
            } else {
                return Some(part);
            }
        }
        None
    }
}

/// A function as it is declared: name, description and the schema of its arguments, whatever stands round them.
pub(super) struct Declared<'a> {
    pub(super) name: &'a Json,
    pub(super) description: Option<&'a Json>,
    pub(super) parameters: Option<&'a Json>,
}

impl<'a> Declared<'a> {
    /// Of a function as it stands under `setup.functions`.
    pub(super) fn of(tool: &'a Json) -> Self {
        let function = tool.get("function").unwrap_or(tool);
        let parameters = function.get("parameters").or_else(|| function.get("input_schema"));
        Self { name: &function["name"], description: function.get("description"), parameters }
    }

    /// An object with these under the names that a vendor has for them; a schema of nothing where there is none.
    pub(super) fn as_object(&self, parameters: &str) -> Json {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone());
        object.extend(self.description.map(|text| ("description".to_owned(), text.clone())));
        let schema = self.parameters.cloned().unwrap_or_else(|| serde_json::json!({ "type": "object" }));
        object.insert(parameters.to_owned(), schema);
        object.into()
    }
}

/// The instructions of a conversation, one paragraph each, for vendors that want them beside it; and the rest.
pub(super) fn split_instructions(messages: &[Message]) -> (Option<String>, Vec<&Message>) {
    let is_instruction = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    let (told, rest): (Vec<_>, Vec<_>) = messages.iter().partition(is_instruction);
    let told: Vec<&str> = told.into_iter().map(|message| message.content.as_str()).collect();
    ((!told.is_empty()).then(|| told.join("\n\n")), rest)
}

/// Adds up a piece of text: a string grows, and a list gets longer.
pub(super) fn grow(place: &mut Json, more: Json) {
    match (&mut *place, more) {
        (_, Json::Null) => {}
        (Json::String(text), Json::String(more)) => text.push_str(&more),
        (Json::Array(parts), Json::Array(more)) => parts.extend(more),
        (Json::Array(parts), more @ Json::String(_)) => parts.push(serde_json::json!({ "text": more })),
        (Json::String(text), Json::Array(more)) if !text.is_empty() => {
            let first = serde_json::json!({ "text": text });
            *place = std::iter::once(first).chain(more).collect();
        }
        (_, more) => *place = more,
    }
}

/// The item of a list at an index; the list is made as long as it takes.
pub(super) fn at(list: &mut Json, index: usize) -> Option<&mut Json> {
    /// Most parts of an answer: an index beyond is a slip of the server.
    const MOST: usize = 10_000;
    if !list.is_array() {
        *list = Json::Array(Vec::new());
    }
    let items = list.as_array_mut().filter(|_| index < MOST)?;
    if items.len() <= index {
        items.resize(index + 1, Json::Null);
    }
    items.get_mut(index)
}

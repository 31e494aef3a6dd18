//! The differences between vendors: how requests are written and answers are read. Each vendor has its own file.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use serde_json::{Map, Value as Json};

use super::access::Access;
use super::endpoint::{Address, AddressError};
use super::message::Said;
use super::refusal::Part;
use super::stream::Pace;
use super::{ChatRequest, Message, OutputSchema, Role};
use crate::secret::Secret;
use crate::text;
use crate::vocabulary::Usage;

/// A vendor's API.
pub(super) trait Dialect: Send + Sync + fmt::Debug {
    /// The server's address, from the configuration.
    fn address(&self, access: &Access) -> Result<Address, AddressError>;

    /// Path and query of the call for an answer.
    fn call(&self, model: &str, streams: bool) -> String;

    /// The headers of a request.
    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)>;

    /// Members of a body that only akit may write, as JSON pointers.
    fn own(&self) -> &'static [&'static str];

    /// A request without the parts in `left`.
    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft;

    /// Requests streaming in the body, for APIs whose path does not.
    fn stream(&self, _body: &mut Map<String, Json>, _left: &BTreeSet<Part>) {}

    /// Merges an event of a stream into the whole answer.
    fn piece(&self, whole: &mut Json, piece: Json) -> Piece;

    /// Reads an answer. For a verdict, the arguments of calls to the function with this name are its text.
    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread>;

    /// The parts of an answer with calls that must be sent back unchanged, before the results of the calls.
    fn parts(&self, _reply: &Json) -> Vec<Json> {
        Vec::new()
    }

    /// The call for an embedding with its body; `None` if the vendor has no embeddings.
    fn embedding(&self, _model: &str, _text: &str) -> Option<(String, Json)> {
        None
    }

    /// The numbers of an embedding and the tokens sent for it.
    fn embedded<'a>(&self, _reply: &'a Json) -> Option<(&'a Vec<Json>, Option<u64>)> {
        None
    }
}

/// What an event of a stream adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Nothing visible.
    Silent,
    /// Text, or a part of a call.
    Token,
    /// The end.
    End,
    /// An event that is not part of an answer.
    Odd,
}

/// A parsed body.
#[derive(Debug)]
pub(super) struct Reply {
    /// Its JSON.
    pub(super) json: Json,
    /// Its raw text.
    pub(super) written: String,
    /// When its parts arrived, if it was streamed.
    pub(super) pace: Pace,
}

/// The content of an answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// The message.
    pub(super) said: Said,
    /// The raw arguments of the verdict's function.
    pub(super) verdict: Option<String>,
    /// The stop word.
    pub(super) finish: Option<String>,
    /// The tokens of thoughts, if known.
    pub(super) thinking: Option<NonZeroU32>,
    /// The tokens of the exchange.
    pub(super) usage: Option<Usage>,
    /// The model that answered.
    pub(super) model: Option<String>,
    /// The fingerprint of its configuration.
    pub(super) fingerprint: Option<String>,
}

/// Why a response is not an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Misread {
    /// The prompt was blocked, with the word for it.
    Blocked(String),
    /// It is something else.
    Malformed(String),
}

impl Misread {
    /// An unexpected response, with its beginning.
    pub(super) fn of(reply: &Json, reason: impl fmt::Display) -> Self {
        Self::Malformed(format!("{reason}; it begins {}", text::excerpt(&reply.to_string(), 120)))
    }
}

/// A request being built.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The body.
    pub(super) body: Map<String, Json>,
    /// The parameters left out because the server refuses them.
    pub(super) dropped: Vec<String>,
}

impl Draft {
    /// Writes a parameter, unless the server refuses it. A pointer with two names leads into an object.
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

    /// Writes a member. A pointer with two names leads into an object.
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

    /// Picks the form in which a verdict is requested: structured output if possible, then a function call, then the
    /// prompt alone. After an unreadable answer, the next form is used.
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

/// A declared function: name, description and schema of its arguments, in any notation.
pub(super) struct Declared<'a> {
    pub(super) name: &'a Json,
    pub(super) description: Option<&'a Json>,
    pub(super) parameters: Option<&'a Json>,
}

impl<'a> Declared<'a> {
    /// Reads a function from `setup.functions`.
    pub(super) fn of(tool: &'a Json) -> Self {
        let function = tool.get("function").unwrap_or(tool);
        let parameters = function.get("parameters").or_else(|| function.get("input_schema"));
        Self { name: &function["name"], description: function.get("description"), parameters }
    }

    /// The function in a vendor's notation, with an empty schema if it has none.
    pub(super) fn as_object(&self, parameters: &str) -> Json {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone());
        object.extend(self.description.map(|text| ("description".to_owned(), text.clone())));
        let schema = self.parameters.cloned().unwrap_or_else(|| serde_json::json!({ "type": "object" }));
        object.insert(parameters.to_owned(), schema);
        object.into()
    }
}

/// The instructions of a conversation, one paragraph each, for vendors that want them separately, and the other
/// messages.
pub(super) fn split_instructions(messages: &[Message]) -> (Option<String>, Vec<&Message>) {
    let is_instruction = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    let (system, rest): (Vec<_>, Vec<_>) = messages.iter().partition(is_instruction);
    let system: Vec<&str> = system.into_iter().map(|message| message.content.as_str()).collect();
    ((!system.is_empty()).then(|| system.join("\n\n")), rest)
}

/// Appends to the string or list at a place.
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

/// The object at a place; any other value is replaced.
pub(super) fn object(place: &mut Json) -> &mut Json {
    if !place.is_object() {
        *place = Map::new().into();
    }
    place
}

/// The item of a list at an index; the list is extended as needed.
pub(super) fn at(list: &mut Json, index: usize) -> Option<&mut Json> {
    /// Maximum parts of an answer: a higher index is a server's error.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ChatRequest, Spec};
    use super::*;
    use crate::vocabulary::ToolCall;

    /// A question, two calls, their results, and another question.
    fn played() -> ChatRequest {
        let call = |id: &str, name: &str| ToolCall {
            id: Some(id.to_owned()),
            name: name.to_owned(),
            arguments: json!({ "order": "NW-1" }),
            returned: None,
        };
        let calls = vec![call("c1", "status"), call("c2", "refund")];
        let returned = |id: &str, content: &str| Message {
            tool_call_id: Some(id.to_owned()),
            ..Message::new(Role::Tool, content)
        };
        ChatRequest {
            model: "m".to_owned(),
            messages: vec![
                Message::new(Role::System, "Be kind."),
                Message::new(Role::User, "Where is it?"),
                Message { tool_calls: calls, ..Message::new(Role::Assistant, "") },
                returned("c1", "{\"state\":\"sent\"}"),
                returned("c2", "done"),
                Message::new(Role::User, "Thanks."),
            ],
            ..ChatRequest::default()
        }
    }

    fn body(provider: &str, is_responses: bool) -> Json {
        let vendor = Spec::of(provider).unwrap().vendor().unwrap();
        let dialect = if is_responses { vendor.responses.unwrap() } else { vendor.dialect };
        dialect.body(&played(), &BTreeSet::new()).body.into()
    }

    #[test]
    fn calls_and_their_results_are_in_each_vendors_format() {
        let chat = body("openai", false);
        let arguments = "{\"order\":\"NW-1\"}";
        let call = |id: &str, name: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
        assert_eq!(
            chat["messages"].as_array().unwrap()[2..5],
            [
                json!({ "role": "assistant", "content": null, "tool_calls": [call("c1", "status"), call("c2", "refund")] }),
                json!({ "role": "tool", "content": "{\"state\":\"sent\"}", "tool_call_id": "c1" }),
                json!({ "role": "tool", "content": "done", "tool_call_id": "c2" }),
            ]
        );
        let item = |id: &str, name: &str| json!({ "type": "function_call", "call_id": id, "name": name, "arguments": arguments });
        let output =
            |id: &str, text: &str| json!({ "type": "function_call_output", "call_id": id, "output": text });
        assert_eq!(
            body("openai", true)["input"].as_array().unwrap()[2..6],
            [
                item("c1", "status"),
                item("c2", "refund"),
                output("c1", "{\"state\":\"sent\"}"),
                output("c2", "done")
            ]
        );
        let input = json!({ "order": "NW-1" });
        let usage =
            |id: &str, name: &str| json!({ "type": "tool_use", "id": id, "name": name, "input": input });
        let result =
            |id: &str, text: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": text });
        // The results of functions and the next question are a single turn of the user.
        assert_eq!(
            body("anthropic", false)["messages"],
            json!([
                { "role": "user", "content": "Where is it?" },
                { "role": "assistant", "content": [usage("c1", "status"), usage("c2", "refund")] },
                { "role": "user", "content": [
                    result("c1", "{\"state\":\"sent\"}"), result("c2", "done"), { "type": "text", "text": "Thanks." },
                ] },
            ])
        );
        let gemini = body("google", false);
        let response = |id: &str, name: &str, response: Json| json!({ "functionResponse": { "id": id, "name": name, "response": response } });
        assert_eq!(gemini["contents"][1]["role"], "model");
        assert_eq!(
            gemini["contents"][1]["parts"][1],
            json!({ "functionCall": { "id": "c2", "name": "refund", "args": input } })
        );
        assert_eq!(
            gemini["contents"][2],
            json!({ "role": "user", "parts": [
                response("c1", "status", json!({ "state": "sent" })),
                response("c2", "refund", json!({ "result": "done" })),
                { "text": "Thanks." },
            ] })
        );
    }

    #[test]
    fn odd_stream_pieces_do_not_panic() {
        let odd = [
            json!(null),
            json!("x"),
            json!([1]),
            json!({ "choices": "x" }),
            json!({ "choices": [{ "message": "x", "delta": { "role": "assistant" } }] }),
            json!({ "choices": [{ "delta": { "tool_calls": "x", "content": 7 } }] }),
            json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 9e9, "function": "f" }, "x"], "content": ["a"] } }] }),
            json!({ "choices": [{ "delta": { "tool_calls": [{ "function": { "arguments": {} } }], "content": "b" } }] }),
            json!({ "type": "message_start", "message": "x" }),
            json!({ "type": "message_start" }),
            json!({ "type": "content_block_start", "index": 0, "content_block": "x" }),
            json!({ "type": "content_block_start", "index": 0, "content_block": { "input": {} } }),
            json!({ "type": "content_block_start", "index": -1 }),
            json!({ "type": "content_block_delta", "index": 0, "delta": "x" }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "text": 1, "partial_json": [1], "thinking": {} } }),
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": { "usage": "x" }, "usage": { "output_tokens": "x" } }),
            json!({ "type": "response.completed" }),
            json!({ "type": "response.output_text.delta", "delta": {} }),
            json!({ "candidates": "x" }),
            json!({ "candidates": ["x", {}] }),
            json!({ "candidates": [{ "content": "x", "finishReason": 1 }] }),
            json!({ "candidates": [{ "content": { "parts": [1, { "text": 1 }] } }], "promptFeedback": [] }),
        ];
        let dialects = Spec::vendors().flat_map(|(_, vendor)| [Some(vendor.dialect), vendor.responses]);
        for dialect in dialects.flatten() {
            for first in &odd {
                for second in &odd {
                    for third in &odd {
                        let mut whole = Json::Null;
                        for piece in [first, second, third] {
                            dialect.piece(&mut whole, piece.clone());
                        }
                        let reply = Reply { written: whole.to_string(), json: whole, pace: Pace::default() };
                        let _ = dialect.read(&reply, Some("f"));
                    }
                }
            }
        }
    }

    #[test]
    fn pieces_add_up_whatever_their_order() {
        let mut text = json!("a");
        grow(&mut text, json!("b"));
        grow(&mut text, Json::Null);
        assert_eq!(text, "ab");
        grow(&mut text, json!([{ "type": "text", "text": "c" }]));
        grow(&mut text, json!("d"));
        assert_eq!(text, json!([{ "text": "ab" }, { "type": "text", "text": "c" }, { "text": "d" }]));
        let mut list = Json::Null;
        *at(&mut list, 2).unwrap() = 1.into();
        assert_eq!(list, json!([null, null, 1]));
        assert_eq!(at(&mut list, usize::MAX), None);
    }
}

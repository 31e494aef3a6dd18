//! What differs between vendors: how a request is written, and how an answer is read. One file each.

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

    /// The parts of an answer with calls that the server wants back as they came, before what these return.
    fn parts(&self, _reply: &Json) -> Vec<Json> {
        Vec::new()
    }

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
    /// Something that is no piece of an answer.
    Odd,
}

/// A body that was read.
#[derive(Debug)]
pub(super) struct Reply {
    /// What it says.
    pub(super) json: Json,
    /// As it was written.
    pub(super) written: String,
    /// When its pieces came, where it came piece by piece.
    pub(super) pace: Pace,
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

/// The object at a place; what else stands there gives way.
pub(super) fn object(place: &mut Json) -> &mut Json {
    if !place.is_object() {
        *place = Map::new().into();
    }
    place
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ChatRequest, Spec};
    use super::*;
    use crate::vocabulary::ToolCall;

    /// A question, two calls, what they returned, and another question.
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
    fn calls_and_what_they_returned_are_written_as_each_vendor_wants_them() {
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
        // What functions returned and the next question are one turn of the user.
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
    fn no_piece_is_too_odd() {
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

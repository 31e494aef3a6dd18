//! OpenAI's Responses, used without state on the server.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde_json::{Map, Value as Json, json};

use super::access::Access;
use super::chat::{self, Wire};
use super::dialect::{Declared, Dialect, Draft, Misread, Piece, Read, Reply};
use super::endpoint::{Address, AddressError};
use super::place::Place as _;
use super::refusal::Part;
use super::{ChatRequest, Message, Role, blocked, message, usage};
use crate::secret::Secret;
use crate::vocabulary::Usage;

/// OpenAI's own Responses.
pub(super) const RESPONSES: Responses = Responses { wire: &chat::WIRE };

/// Responses.
#[derive(Debug)]
pub(super) struct Responses {
    /// How the server is reached.
    pub(super) wire: &'static Wire,
}

impl Dialect for Responses {
    fn address(&self, access: &Access) -> Result<Address, AddressError> {
        (self.wire.address)(access)
    }

    fn call(&self, _model: &str, _streams: bool) -> String {
        "/responses".to_owned()
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        key.map(self.wire.key).into_iter().collect()
    }

    fn own(&self) -> &'static [&'static str] {
        &[
            "/model",
            "/input",
            "/instructions",
            "/temperature",
            "/max_output_tokens",
            "/tools",
            "/text/format",
            "/stream",
            "/store",
            "/previous_response_id",
            "/conversation",
            "/background",
        ]
    }

    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft {
        let mut draft = Draft::default();
        draft.put("/model", request.model.as_str());
        draft.put("/input", request.messages.iter().flat_map(items).collect::<Json>());
        // Stored state of one case must not affect another.
        draft.put("/store", false);
        draft.offer(left, Part::Temperature, "/temperature", request.temperature);
        draft.offer(left, Part::MaxOutputTokens, "/max_output_tokens", request.max_tokens);
        draft.offer(left, Part::ReasoningEffort, "/reasoning/effort", request.effort);
        if request.seed.is_some() && request.output.is_none() {
            draft.dropped.push(Part::Seed.name().to_owned());
        }
        let mut tools: Vec<Json> =
            request.tools.iter().map(|tool| function(&Declared::of(tool), false)).collect();
        if let Some(output) = &request.output {
            match draft.form(left, output) {
                Some(Part::ResponseFormat) => draft.put(
                    "/text/format",
                    json!({ "type": "json_schema", "name": output.name, "strict": true, "schema": output.schema }),
                ),
                Some(_) => {
                    let tool = json!({ "name": output.name, "parameters": output.schema });
                    tools.push(function(&Declared::of(&tool), true));
                    draft.put("/tool_choice", json!({ "type": "function", "name": output.name }));
                }
                None => {}
            }
        }
        if !tools.is_empty() {
            draft.put("/tools", tools);
        }
        draft
    }

    fn stream(&self, body: &mut Map<String, Json>, _left: &BTreeSet<Part>) {
        body.insert("stream".to_owned(), true.into());
    }

    fn piece(&self, whole: &mut Json, mut piece: Json) -> Piece {
        let kind = piece.get("type").and_then(Json::as_str).unwrap_or_default();
        match kind {
            // The last event has the whole answer.
            "response.completed" | "response.incomplete" | "response.failed" => {
                *whole = piece["response"].take();
                Piece::End
            }
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.function_call_arguments.delta"
                if piece["delta"].as_str().is_some_and(|text| !text.is_empty()) =>
            {
                Piece::Token
            }
            _ => Piece::Silent,
        }
    }

    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread> {
        let Reply { json: reply, .. } = reply;
        let output = reply.get("output").and_then(Json::as_array);
        let output = match (output, blocked::prompt(reply, 200)) {
            (Some(output), _) => output,
            (None, Some(word)) => return Err(Misread::Blocked(word)),
            (None, None) => return Err(Misread::of(reply, "it has no output")),
        };
        let (mut content, mut calls) = (Vec::new(), Vec::new());
        for (number, item) in (1..).zip(output) {
            match item.get("type").and_then(Json::as_str).unwrap_or_default() {
                "message" => content.extend(item["content"].as_array().into_iter().flatten().cloned()),
                "function_call" => {
                    let (id, name, arguments) = (&item["call_id"], &item["name"], &item["arguments"]);
                    calls.push(json!({ "id": id, "name": name, "arguments": arguments }));
                }
                "reasoning" => {}
                kind => {
                    let reason = format!("its item {number} has the unknown type `{kind}`");
                    return Err(Misread::of(reply, reason));
                }
            }
        }
        let verdict = function.and_then(|name| {
            let own = calls.iter().filter(|call| call["name"] == name);
            own.map(|call| call["arguments"].as_str().unwrap_or_default().to_owned())
                .reduce(|all, one| all + &one)
        });
        let said = message::said(&json!({ "content": content, "tool_calls": calls }))
            .map_err(|unread| Misread::of(reply, format!("the content of its message {unread}")))?;
        let word = |place: &str| reply.place(place).and_then(Json::as_str).map(str::to_owned);
        let details = word("/incomplete_details/reason");
        let count = |name: &str| reply.place(&format!("/usage/{name}"))?.as_u64();
        let thoughts = count("output_tokens_details/reasoning_tokens");
        Ok(Read {
            said,
            verdict,
            finish: details.or_else(|| word("/status")),
            thinking: thoughts.and_then(|tokens| NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX))),
            usage: count("input_tokens").zip(count("output_tokens")).map(|(input_tokens, output_tokens)| {
                Usage {
                    input_tokens,
                    cached_tokens: usage::of_cache(count("input_tokens_details/cached_tokens")),
                    cache_write_tokens: 0,
                    output_tokens,
                }
            }),
            model: word("/model"),
            fingerprint: None,
        })
    }

    fn embedding(&self, model: &str, text: &str) -> Option<(String, Json)> {
        chat::CHAT.embedding(model, text)
    }

    fn embedded<'a>(&self, reply: &'a Json) -> Option<(&'a Vec<Json>, Option<u64>)> {
        chat::CHAT.embedded(reply)
    }
}

fn items(message: &Message) -> Vec<Json> {
    if let (Role::Tool, Some(id)) = (message.role, &message.tool_call_id) {
        return vec![json!({ "type": "function_call_output", "call_id": id, "output": message.content })];
    }
    let role = if message.role == Role::Tool { Role::User } else { message.role };
    let said = !message.content.is_empty() || message.tool_calls.is_empty();
    let said = said.then(|| json!({ "role": role, "content": message.content }));
    let calls = message.tool_calls.iter().enumerate().map(|(number, call)| {
        let (id, arguments) = (chat::id(call, number), chat::arguments(call));
        json!({ "type": "function_call", "call_id": id, "name": call.name, "arguments": arguments })
    });
    said.into_iter().chain(calls).collect()
}

/// A function in this API's format.
fn function(declared: &Declared<'_>, strict: bool) -> Json {
    let mut function = declared.as_object("parameters");
    function["type"] = "function".into();
    function["strict"] = strict.into();
    function
}

//! OpenAI's chat completions, and every server with the same API: `openai` with any `baseUrl`, llama.cpp, vLLM.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::access::Access;
use super::dialect::{Declared, Dialect, Draft, Misread, Piece, Read, Reply, at, grow, object};
use super::endpoint::{Address, AddressError};
use super::place::Place as _;
use super::refusal::Part;
use super::{ChatRequest, Message, Role, blocked, end, message, usage};
use crate::secret::Secret;
use crate::vocabulary::ToolCall;

/// OpenAI's chat completions.
pub(super) const CHAT: Chat =
    Chat { wire: &WIRE, seed: "/seed", caps: &[Part::MaxTokens, Part::MaxCompletionTokens] };

/// How OpenAI's own servers are reached.
pub(super) const WIRE: Wire = Wire { address: |access| Address::parse(&access.base_url), key: bearer };

/// A key in the header that most servers use.
pub(super) fn bearer(key: &Secret) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", key.expose()))
}

/// How a compatible server is reached.
#[derive(Debug)]
pub(super) struct Wire {
    /// The address, from the configuration.
    pub(super) address: fn(&Access) -> Result<Address, AddressError>,
    /// The header with a key.
    pub(super) key: fn(&Secret) -> (&'static str, String),
}

/// Chat completions.
#[derive(Debug)]
pub(super) struct Chat {
    /// How the server is reached.
    pub(super) wire: &'static Wire,
    /// The name of the seed.
    pub(super) seed: &'static str,
    /// The names of the token limit; the first one that the server accepts is used.
    pub(super) caps: &'static [Part],
}

impl Dialect for Chat {
    fn address(&self, access: &Access) -> Result<Address, AddressError> {
        (self.wire.address)(access)
    }

    fn call(&self, _model: &str, _streams: bool) -> String {
        "/chat/completions".to_owned()
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        key.map(self.wire.key).into_iter().collect()
    }

    fn own(&self) -> &'static [&'static str] {
        &[
            "/model",
            "/messages",
            "/temperature",
            "/seed",
            "/random_seed",
            "/max_tokens",
            "/max_completion_tokens",
            "/tools",
            "/response_format",
            "/stream",
            "/n",
        ]
    }

    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft {
        let mut draft = Draft::default();
        draft.put("/model", request.model.as_str());
        let folded = left.contains(&Part::SystemRole) && request.output.is_some();
        let messages: Json = if folded {
            without_system(&request.messages).iter().map(written).collect()
        } else {
            request.messages.iter().map(written).collect()
        };
        draft.put("/messages", messages);
        draft.offer(left, Part::Temperature, "/temperature", request.temperature);
        draft.offer(left, Part::Seed, self.seed, request.seed);
        draft.offer(left, Part::ReasoningEffort, "/reasoning_effort", request.effort);
        let mut tools: Vec<Json> = request.tools.iter().map(function).collect();
        if let Some(output) = &request.output {
            match draft.form(left, output) {
                Some(Part::ResponseFormat) => {
                    let schema = json!({ "name": output.name, "strict": true, "schema": output.schema });
                    draft.put("/response_format", json!({ "type": "json_schema", "json_schema": schema }));
                }
                Some(_) => {
                    tools.push(function(&json!({ "name": output.name, "parameters": output.schema })));
                    draft.put(
                        "/tool_choice",
                        json!({ "type": "function", "function": { "name": output.name } }),
                    );
                }
                None => {}
            }
        }
        let cap = self.caps.iter().find(|part| !left.contains(part)).or(self.caps.last());
        if let Some(cap) = cap {
            draft.offer(left, *cap, cap.name(), request.max_tokens);
        }
        if !tools.is_empty() {
            draft.put("/tools", tools);
        }
        draft
    }

    fn stream(&self, body: &mut Map<String, Json>, left: &BTreeSet<Part>) {
        body.insert("stream".to_owned(), true.into());
        if !left.contains(&Part::StreamOptions) {
            body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        }
    }

    fn piece(&self, whole: &mut Json, piece: Json) -> Piece {
        let Json::Object(members) = piece else { return Piece::Odd };
        let (mut brought, mut is_known) = (Piece::Silent, false);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("choices", Json::Array(choices)) => {
                    is_known = true;
                    let first = choices
                        .into_iter()
                        .enumerate()
                        .find(|(at, one)| is_first((*at, one)))
                        .map(|(_, one)| one);
                    let Some(choice) = first else { continue };
                    let Some(place) = at(&mut whole["choices"], 0) else { continue };
                    let is_token = choice.get("delta").is_some_and(says_something);
                    let is_end = end::is_told(&choice);
                    let Json::Object(choice) = choice else { continue };
                    for (name, value) in choice {
                        match name.as_str() {
                            "delta" => add(&mut place["message"], value),
                            name => end::keep(&mut place[name], name, value),
                        }
                    }
                    // Usage comes in a separate event after the end.
                    brought = match (is_end, is_token) {
                        (true, _) => Piece::End,
                        (false, true) => Piece::Token,
                        (false, false) => brought,
                    };
                }
                (_, Json::Null) => {}
                (name, value) => {
                    is_known |= BESIDE.contains(&name);
                    end::keep(&mut whole[name], name, value);
                }
            }
        }
        if is_known { brought } else { Piece::Odd }
    }

    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread> {
        let Reply { json: reply, written: body, .. } = reply;
        let malformed = |reason: &str| Misread::of(reply, reason);
        let choices = reply.get("choices").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        if let (true, Some(word)) = (choices.is_empty(), blocked::prompt(reply, 200)) {
            return Err(Misread::Blocked(word));
        }
        let first = choices.iter().enumerate().position(is_first).unwrap_or(0);
        let choice = choices.get(first).ok_or_else(|| malformed("it has no choice"))?;
        let written = choice.get("message").filter(|message| message.is_object());
        let written = written.ok_or_else(|| malformed("it has no message"))?;
        let verdict = function.and_then(|name| message::arguments(written, body, first, name));
        let mut said = match message::said(written) {
            Err(_) if verdict.is_some() => message::Said::default(),
            said => said.map_err(|unread| malformed(&format!("the content of its message {unread}")))?,
        };
        if let Some(refusal) = message::refusal_in(choice) {
            said.refused = true;
            if said.text.is_empty() {
                refusal.clone_into(&mut said.text);
            }
        }
        // Everything else is read from the first choice or from the top level.
        let mut sorted = Json::Null;
        let reply = if first == 0 {
            reply
        } else {
            sorted.clone_from(reply);
            sorted["choices"][0] = sorted["choices"][first].take();
            &sorted
        };
        let word = |name: &str| reply.get(name).and_then(Json::as_str).map(str::to_owned);
        Ok(Read {
            said,
            verdict,
            finish: end::word(reply),
            thinking: message::thinking(reply),
            usage: usage::of_chat(reply),
            model: word("model"),
            fingerprint: word("system_fingerprint"),
        })
    }

    fn embedding(&self, model: &str, text: &str) -> Option<(String, Json)> {
        Some(("/embeddings".to_owned(), json!({ "model": model, "input": text })))
    }

    fn embedded<'a>(&self, reply: &'a Json) -> Option<(&'a Vec<Json>, Option<u64>)> {
        let values = reply.place("/data/0/embedding")?.as_array()?;
        Some((values, reply.place("/usage/prompt_tokens").and_then(Json::as_u64)))
    }
}

/// Members of an event without choices.
const BESIDE: [&str; 7] =
    ["usage", "x_groq", "timings", "prompt_filter_results", "promptFeedback", "prompt_feedback", "status"];

/// Whether a choice is the answer: by its index, or by its place if it has none.
fn is_first((place, choice): (usize, &Json)) -> bool {
    choice.get("index").filter(|index| !index.is_null()).map_or(place == 0, |index| index.as_u64() == Some(0))
}

/// Whether a delta has text or a part of a call.
fn says_something(delta: &Json) -> bool {
    let is_text = |name: &str| match delta.get(name) {
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(parts)) => !parts.is_empty(),
        _ => false,
    };
    ["content", "refusal", "tool_calls"].into_iter().any(is_text)
}

fn add(message: &mut Json, delta: Json) {
    let Json::Object(delta) = delta else { return };
    let message = object(message);
    for (name, value) in delta {
        match (name.as_str(), value) {
            (_, Json::Null) => {}
            ("tool_calls", Json::Array(calls)) => {
                for (number, call) in calls.into_iter().enumerate() {
                    let index = call.get("index").and_then(Json::as_u64);
                    let index = index.map_or(number, |index| usize::try_from(index).unwrap_or(usize::MAX));
                    let Some(place) = at(&mut message["tool_calls"], index) else { continue };
                    add_call(place, call);
                }
            }
            ("role", value) => message["role"] = value,
            (_, value @ (Json::String(_) | Json::Array(_))) => grow(&mut message[name], value),
            (name, value) => end::keep(&mut message[name], name, value),
        }
    }
}

/// Adds a delta to a call: arguments are appended, and any other member is set.
fn add_call(call: &mut Json, piece: Json) {
    let Json::Object(piece) = piece else { return };
    let call = object(call);
    for (name, value) in piece {
        match (name.as_str(), value) {
            (_, Json::Null) => {}
            (name @ ("function" | "custom"), value) => add_call(&mut call[name], value),
            (name @ ("arguments" | "input"), value) => grow(&mut call[name], value),
            (_, Json::String(text)) if text.is_empty() => {}
            (_, value) => call[name] = value,
        }
    }
}

/// A message in this API's format.
fn written(message: &Message) -> Json {
    let mut written = json!({ "role": message.role, "content": message.content });
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().enumerate();
        written["tool_calls"] = calls
            .map(|(number, call)| {
                let function = json!({ "name": call.name, "arguments": arguments(call) });
                json!({ "id": id(call, number), "type": "function", "function": function })
            })
            .collect();
        if message.content.is_empty() {
            written["content"] = Json::Null;
        }
    }
    if let Some(id) = &message.tool_call_id {
        written["tool_call_id"] = id.as_str().into();
    }
    written
}

/// The id of a call, or its number if it has none.
pub(super) fn id(call: &ToolCall, number: usize) -> String {
    call.id.clone().unwrap_or_else(|| format!("call_{number}"))
}

/// The arguments of a call as text.
pub(super) fn arguments(call: &ToolCall) -> String {
    match &call.arguments {
        Json::String(text) => text.clone(),
        Json::Null => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// Messages for a server without system messages: instructions are put before the first message.
fn without_system(messages: &[Message]) -> Vec<Message> {
    let (system, rest): (Vec<&Message>, Vec<&Message>) =
        messages.iter().partition(|message| message.role == Role::System);
    let mut rest: Vec<Message> = rest.into_iter().cloned().collect();
    if let Some(first) = rest.first_mut() {
        let system: Vec<&str> = system.iter().map(|message| message.content.as_str()).collect();
        first.content = format!("{}\n\n{}", system.join("\n\n"), first.content);
    }
    rest
}

/// A function in this API's format.
fn function(tool: &Json) -> Json {
    if tool.get("function").is_some() {
        return tool.clone();
    }
    let is_own = tool.get("type").is_none() && tool.get("input_schema").is_none();
    let function = if is_own { tool.clone() } else { Declared::of(tool).as_object("parameters") };
    json!({ "type": "function", "function": function })
}

#[cfg(test)]
mod tests {
    use super::super::stream::Pace;
    use super::*;

    #[test]
    fn responses_without_a_completion_are_errors() {
        let reply = |json: Json| Reply { written: json.to_string(), json, pace: Pace::default() };
        for json in [
            json!({}),
            json!({"choices": []}),
            json!({"choices": [{}]}),
            json!({"choices": [{"message": null}]}),
            json!({"choices": [{"message": "hello"}]}),
            json!({"choices": [{"message": [{"content": "hello"}]}]}),
            json!({"choices": {"0": {"message": {"content": "hello"}}}}),
            json!([]),
        ] {
            let read = CHAT.read(&reply(json.clone()), None);
            assert!(matches!(read, Err(Misread::Malformed(_))), "{json}");
        }
        let refusal =
            json!({"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "No."}}]});
        let read = CHAT.read(&reply(refusal), None).unwrap();
        assert_eq!((read.said.text.as_str(), read.said.refused), ("No.", true));
        let beside = json!({"choices": [{"refusal": "No.", "message": {"content": "Yes"}}]});
        let read = CHAT.read(&reply(beside), None).unwrap();
        assert_eq!((read.said.text.as_str(), read.said.refused), ("Yes", true));
    }

    #[test]
    fn the_answer_is_the_choice_that_its_index_says() {
        let choice = |index: Json, text: &str, word: &str| {
            let call = json!({ "function": { "name": "f", "arguments": { "b": text, "a": 1 } } });
            json!({ "index": index, "finish_reason": word, "message": { "content": text, "tool_calls": [call] } })
        };
        let table = [
            (vec![choice(json!(1), "b", "stop"), choice(json!(0), "a", "length")], "a", "length"),
            (vec![choice(json!(null), "a", "length"), choice(json!(1), "b", "stop")], "a", "length"),
            (vec![choice(json!(2), "a", "length"), choice(json!(1), "b", "stop")], "a", "length"),
            (
                vec![
                    choice(json!(1), "b", "stop"),
                    choice(json!(null), "c", "stop"),
                    choice(json!(0), "a", "length"),
                ],
                "a",
                "length",
            ),
        ];
        for (choices, text, word) in table {
            let json = json!({ "choices": choices });
            let reply = Reply { written: json.to_string(), json, pace: Pace::default() };
            let read = CHAT.read(&reply, Some("f")).unwrap();
            assert_eq!(
                (read.said.text.as_str(), read.finish.as_deref()),
                (text, Some(word)),
                "{}",
                reply.json
            );
            assert!(read.verdict.unwrap().contains(&format!("\"{text}\"")), "{}", reply.json);
        }
    }

    #[test]
    fn an_unknown_event_is_odd() {
        for odd in [
            json!({}),
            json!(null),
            json!("x"),
            json!([]),
            json!({ "detail": "Internal server error" }),
            json!({ "id": "x", "message": "boom" }),
            json!({ "choices": "x" }),
            json!({ "choices": null, "usage": null }),
        ] {
            assert_eq!(CHAT.piece(&mut Json::Null, odd.clone()), Piece::Odd, "{odd}");
        }
        for known in
            [json!({ "choices": [] }), json!({ "usage": {} }), json!({ "prompt_filter_results": [] })]
        {
            assert_eq!(CHAT.piece(&mut Json::Null, known.clone()), Piece::Silent, "{known}");
        }
    }
}

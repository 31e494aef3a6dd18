//! Anthropic's Messages.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::access::Access;
use super::dialect::{
    Declared, Dialect, Draft, Misread, Piece, Read, Reply, at, grow, object, split_instructions,
};
use super::endpoint::{Address, AddressError};
use super::refusal::Part;
use super::spec::{Means, Spec, Vendor};
use super::{ChatRequest, Message, OutputSchema, Prices, Role, chat, end, message, usage};
use crate::secret::Secret;
use crate::vocabulary::Usage;

const CALL: &str = "/messages";

/// The API version used here.
const VERSION: &str = "2023-06-01";

/// Members of a delta, and the member of the block that each belongs to.
const DELTAS: [(&str, &str); 4] =
    [("text", "text"), ("partial_json", "input"), ("thinking", "thinking"), ("signature", "signature")];

/// Token limit of an answer if the model's own limit is unknown, or if the server refuses that limit.
const FEWEST: u64 = 8192;

pub(super) const ANTHROPIC: Spec = Spec {
    name: "anthropic",
    means: Means::Network(Vendor {
        address: "https://api.anthropic.com/v1",
        address_variable: Some("ANTHROPIC_BASE_URL"),
        key_variables: &["ANTHROPIC_API_KEY"],
        organization_variable: None,
        model: "claude-haiku-5-5",
        dialect: &Messages,
        responses: None,
    }),
};

/// Maximum number of tokens in a model's answer, from the price list.
fn longest(model: &str) -> Option<u64> {
    Prices::default().named(model)?.longest
}

/// Messages.
#[derive(Debug)]
struct Messages;

impl Dialect for Messages {
    fn address(&self, access: &Access) -> Result<Address, AddressError> {
        Ok(Address::parse(&access.base_url)?.in_version("/v1"))
    }

    fn call(&self, _model: &str, _streams: bool) -> String {
        CALL.to_owned()
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        let key = key.map(|key| ("x-api-key", key.expose().to_owned()));
        key.into_iter().chain([("anthropic-version", VERSION.to_owned())]).collect()
    }

    fn own(&self) -> &'static [&'static str] {
        &[
            "/model",
            "/messages",
            "/system",
            "/temperature",
            "/max_tokens",
            "/tools",
            "/output_config/format",
            "/stream",
        ]
    }

    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft {
        let mut draft = Draft::default();
        draft.put("/model", request.model.as_str());
        // The limit is required, even if a server refuses this one.
        let most = match request.max_tokens {
            Some(most) if !left.contains(&Part::MaxTokens) => most,
            Some(most) => most.min(FEWEST),
            None if left.contains(&Part::MaxTokens) => FEWEST,
            None => longest(&request.model).unwrap_or(FEWEST),
        };
        draft.put("/max_tokens", most);
        let (instructions, rest) = split_instructions(&request.messages);
        if let Some(instructions) = instructions {
            draft.put("/system", instructions);
        }
        draft.put("/messages", turns(&rest));
        draft.offer(left, Part::Temperature, "/temperature", request.temperature);
        draft.offer(left, Part::ReasoningEffort, "/output_config/effort", request.effort);
        if request.seed.is_some() && request.output.is_none() {
            draft.dropped.push(Part::Seed.name().to_owned());
        }
        let mut tools: Vec<Json> =
            request.tools.iter().map(|tool| Declared::of(tool).as_object("input_schema")).collect();
        if let Some(output) = &request.output {
            match draft.form(left, output) {
                Some(Part::ResponseFormat) => {
                    draft.put(
                        "/output_config/format",
                        json!({ "type": "json_schema", "schema": schema(output) }),
                    );
                }
                Some(_) => {
                    tools.push(json!({ "name": output.name, "input_schema": output.schema }));
                    draft.put("/tool_choice", json!({ "type": "tool", "name": output.name }));
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
        let index = piece.get("index").and_then(Json::as_u64);
        let index = index.map_or(usize::MAX, |index| usize::try_from(index).unwrap_or(usize::MAX));
        match piece.get("type").and_then(Json::as_str).unwrap_or_default() {
            "message_start" => *whole = piece["message"].take(),
            "content_block_start" => {
                if let Some(place) = at(&mut object(whole)["content"], index) {
                    *place = piece["content_block"].take();
                    // A call's input arrives as text.
                    if place.get("input").is_some_and(|input| input.as_object().is_some_and(Map::is_empty)) {
                        place["input"] = String::new().into();
                    }
                }
            }
            "content_block_delta" => {
                let Some(place) = at(&mut object(whole)["content"], index) else { return Piece::Silent };
                let mut brought = Piece::Silent;
                for (from, to) in DELTAS {
                    let Some(more) = piece["delta"].get_mut(from).map(Json::take) else { continue };
                    let is_thought = matches!(from, "thinking" | "signature");
                    if !is_thought && more.as_str().is_some_and(|text| !text.is_empty()) {
                        brought = Piece::Token;
                    }
                    grow(&mut object(place)[to], more);
                }
                return brought;
            }
            "content_block_stop" => {
                let input = at(&mut object(whole)["content"], index).and_then(|block| block.get_mut("input"));
                if let Some(input) = input {
                    let text = input.as_str().filter(|text| !text.is_empty()).unwrap_or("{}");
                    // Invalid JSON stays text.
                    if let Ok(read) = serde_json::from_str(text) {
                        *input = read;
                    }
                }
            }
            "message_delta" => {
                for part in ["delta", "usage"] {
                    let whole = object(whole);
                    let place = if part == "usage" { object(&mut whole[part]) } else { whole };
                    let Json::Object(members) = piece[part].take() else { continue };
                    let members = members.into_iter().filter(|(_, value)| !value.is_null());
                    members.for_each(|(name, value)| end::keep(&mut place[&name], &name, value));
                }
            }
            // Without a stop reason, a part of it is missing.
            "message_stop" if whole.get("stop_reason").is_some_and(end::says_something) => return Piece::End,
            // Pings, and events of future versions.
            _ => {}
        }
        Piece::Silent
    }

    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread> {
        let Reply { json: reply, written, .. } = reply;
        let Some(content) = reply.get("content").and_then(Json::as_array) else {
            return Err(Misread::of(reply, "it has no content"));
        };
        let is_call = |part: &&Json| part.get("type").is_some_and(|kind| kind == "tool_use");
        let (calls, rest): (Vec<&Json>, Vec<&Json>) = content.iter().partition(is_call);
        let calls: Vec<Json> = calls
            .into_iter()
            .map(|call| json!({ "id": call["id"], "name": call["name"], "arguments": call["input"] }))
            .collect();
        let verdict = function.and_then(|name| inputs(written, name));
        let said = message::said(&json!({ "content": rest, "tool_calls": calls }))
            .map_err(|unread| Misread::of(reply, format!("the content of its message {unread}")))?;
        let count = |name: &str| reply.get("usage")?.get(name)?.as_u64();
        // Cache reads and writes are counted separately from the input.
        let input = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        let [plain, read, created] = input.map(count);
        let usage = plain.zip(count("output_tokens")).map(|(input, output_tokens)| Usage {
            input_tokens: [read, created].into_iter().flatten().fold(input, u64::saturating_add),
            cached_tokens: usage::of_cache(read),
            cache_write_tokens: usage::of_cache(created),
            output_tokens,
        });
        let finish = reply.get("stop_reason").filter(|word| !word.is_null());
        Ok(Read {
            said,
            verdict,
            finish: finish.map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)),
            thinking: message::thinking_of(content, usage),
            usage,
            model: reply.get("model").and_then(Json::as_str).map(str::to_owned),
            fingerprint: None,
        })
    }

    /// Thoughts must precede their calls, or the results are refused.
    fn parts(&self, reply: &Json) -> Vec<Json> {
        let content = reply.get("content").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let is_thought = |part: &Json| {
            part.get("type").is_some_and(|kind| kind == "thinking" || kind == "redacted_thinking")
        };
        if content.iter().any(is_thought) {
            content.iter().filter_map(sent_back).collect()
        } else {
            Vec::new()
        }
    }
}

/// A content part to send back, if that is allowed; thoughts are left unchanged, because they are signed.
fn sent_back(part: &Json) -> Option<Json> {
    let has_words = |text: &&Json| text.as_str().is_some_and(|text| !text.is_empty());
    match part.get("type")?.as_str()? {
        "thinking" | "redacted_thinking" => Some(part.clone()),
        "text" => part.get("text").filter(has_words).map(|text| json!({ "type": "text", "text": text })),
        "tool_use" => {
            let [id, name, input] = ["id", "name", "input"].map(|member| part.get(member));
            Some(json!({ "type": "tool_use", "id": id?, "name": name?, "input": input? }))
        }
        _ => None,
    }
}

/// The messages without instructions, as turns. Results of functions are in turns of the user; consecutive messages of
/// one role are joined.
fn turns(messages: &[&Message]) -> Json {
    let mut turns: Vec<(&str, Vec<Json>)> = Vec::new();
    for message in messages {
        let (role, parts) = match (message.role, &message.tool_call_id) {
            (Role::Tool, Some(id)) => {
                let result = json!({ "type": "tool_result", "tool_use_id": id, "content": message.content });
                ("user", vec![result])
            }
            (Role::Assistant, _) if !message.parts.is_empty() => ("assistant", message.parts.clone()),
            (Role::Assistant, _) => {
                let calls = message.tool_calls.iter().enumerate().map(|(number, call)| {
                    let input = if call.arguments.is_object() { call.arguments.clone() } else { json!({}) };
                    json!({ "type": "tool_use", "id": chat::id(call, number), "name": call.name, "input": input })
                });
                ("assistant", text(message).into_iter().chain(calls).collect())
            }
            (Role::System | Role::Developer | Role::User | Role::Tool, _) => {
                ("user", text(message).into_iter().collect())
            }
        };
        match turns.last_mut().filter(|(last, _)| *last == role) {
            Some((_, known)) => known.extend(parts),
            None => turns.push((role, parts)),
        }
    }
    let turn = |(role, parts): (&str, Vec<Json>)| match parts.as_slice() {
        [one] if one["type"] == "text" => json!({ "role": role, "content": one["text"] }),
        _ => json!({ "role": role, "content": parts }),
    };
    turns.into_iter().map(turn).collect()
}

/// The text of a message as a content part; `None` if it is empty, because the API refuses empty text.
fn text(message: &Message) -> Option<Json> {
    (!message.content.is_empty()).then(|| json!({ "type": "text", "text": message.content }))
}

/// The schema without the keywords that the API refuses.
fn schema(output: &OutputSchema) -> Json {
    fn without_limits(schema: &Json) -> Json {
        match schema {
            Json::Object(members) => {
                let limits = ["minimum", "maximum", "minLength", "maxLength"];
                let kept = members.iter().filter(|(name, _)| !limits.contains(&name.as_str()));
                kept.map(|(name, value)| (name.clone(), without_limits(value))).collect::<Map<_, _>>().into()
            }
            Json::Array(items) => items.iter().map(without_limits).collect(),
            other => other.clone(),
        }
    }
    without_limits(&output.schema)
}

/// The content of a body with raw inputs: parsing an object loses repeated members.
#[derive(Deserialize)]
struct Written {
    content: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    name: Option<String>,
    input: Option<Box<RawValue>>,
}

/// The raw inputs of a function's calls, concatenated.
fn inputs(body: &str, function: &str) -> Option<String> {
    let blocks = serde_json::from_str::<Written>(body).ok()?.content.into_iter();
    let own = blocks.filter(|block| block.name.as_deref() == Some(function));
    own.map(|block| block.input.map_or_else(String::new, |input| input.get().to_owned()))
        .reduce(|all, one| all + &one)
}

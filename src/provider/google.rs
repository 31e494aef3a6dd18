//! Google's Gemini: generateContent.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::access::Access;
use super::dialect::{Declared, Dialect, Draft, Misread, Piece, Read, Reply, at, split_instructions};
use super::endpoint::{Address, AddressError};
use super::place::Place as _;
use super::refusal::Part;
use super::spec::{Means, Spec, Vendor};
use super::{ChatRequest, Message, Role, blocked, end, message, usage};
use crate::secret::Secret;
use crate::vocabulary::Usage;

pub(super) const GOOGLE: Spec = Spec {
    name: "google",
    means: Means::Network(Vendor {
        address: "https://generativelanguage.googleapis.com/v1beta",
        address_variable: None,
        key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        organization_variable: None,
        model: "gemini-3.5-flash-lite",
        dialect: &Gemini,
        responses: None,
    }),
};

/// Placeholder for the thought signature of a call that has none (ai.google.dev, "Thought signatures").
const UNSIGNED: &str = "skip_thought_signature_validator";

/// generateContent.
#[derive(Debug)]
struct Gemini;

impl Dialect for Gemini {
    fn address(&self, access: &Access) -> Result<Address, AddressError> {
        Ok(Address::parse(&access.base_url)?.in_version("/v1beta"))
    }

    fn call(&self, model: &str, streams: bool) -> String {
        let call = if streams { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("/{}:{call}", named(model))
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        key.map(|key| ("x-goog-api-key", key.expose().to_owned())).into_iter().collect()
    }

    fn own(&self) -> &'static [&'static str] {
        &[
            "/contents",
            "/systemInstruction",
            "/tools",
            "/generationConfig/temperature",
            "/generationConfig/seed",
            "/generationConfig/maxOutputTokens",
            "/generationConfig/responseMimeType",
            "/generationConfig/responseJsonSchema",
            "/generationConfig/candidateCount",
        ]
    }

    fn body(&self, request: &ChatRequest, left: &BTreeSet<Part>) -> Draft {
        let mut draft = Draft::default();
        let (instructions, rest) = split_instructions(&request.messages);
        let mut contents = contents(&rest);
        match instructions {
            Some(text) if left.contains(&Part::SystemRole) && request.output.is_some() => {
                if let Some(Json::Array(parts)) = contents.first_mut().map(|first| &mut first["parts"]) {
                    parts.insert(0, json!({ "text": text }));
                }
            }
            Some(text) => draft.put("/systemInstruction", json!({ "parts": [{ "text": text }] })),
            None => {}
        }
        draft.put("/contents", contents);
        draft.offer(left, Part::Temperature, "/generationConfig/temperature", request.temperature);
        draft.offer(left, Part::Seed, "/generationConfig/seed", request.seed);
        draft.offer(left, Part::MaxTokens, "/generationConfig/maxOutputTokens", request.max_tokens);
        let effort = request.effort.map(|level| json!({ "thinkingLevel": level.to_ascii_uppercase() }));
        draft.offer(left, Part::ReasoningEffort, "/generationConfig/thinkingConfig", effort);
        let mut functions: Vec<Json> =
            request.tools.iter().map(|tool| Declared::of(tool).as_object("parametersJsonSchema")).collect();
        if let Some(output) = &request.output {
            match draft.form(left, output) {
                Some(Part::ResponseFormat) => {
                    draft.put("/generationConfig/responseMimeType", "application/json");
                    draft.put("/generationConfig/responseJsonSchema", output.schema.clone());
                }
                Some(_) => {
                    functions.push(json!({ "name": output.name, "parametersJsonSchema": output.schema }));
                    let any = json!({ "mode": "ANY", "allowedFunctionNames": [output.name] });
                    draft.put("/toolConfig", json!({ "functionCallingConfig": any }));
                }
                None => {}
            }
        }
        if !functions.is_empty() {
            draft.put("/tools", json!([{ "functionDeclarations": functions }]));
        }
        draft
    }

    fn piece(&self, whole: &mut Json, piece: Json) -> Piece {
        let Json::Object(members) = piece else { return Piece::Silent };
        let mut brought = Piece::Silent;
        for (name, value) in members {
            match (name.as_str(), value) {
                ("candidates", Json::Array(candidates)) => {
                    let first = candidates.into_iter().find(is_first);
                    let Some(Json::Object(mut candidate)) = first else { continue };
                    let Some(place) = at(&mut whole["candidates"], 0) else { continue };
                    let content = candidate.remove("content").unwrap_or_default();
                    let parts = content.get("parts").and_then(Json::as_array).cloned().unwrap_or_default();
                    let is_token = parts.iter().any(|part| {
                        let thought = part.get("thought").is_some_and(|thought| thought == true);
                        let text =
                            part.get("text").and_then(Json::as_str).is_some_and(|text| !text.is_empty());
                        !thought && (text || part.get("functionCall").is_some())
                    });
                    for part in parts {
                        match &mut place["content"]["parts"] {
                            Json::Array(known) => known.push(part),
                            none => *none = json!([part]),
                        }
                    }
                    let is_end = candidate.get("finishReason").is_some_and(|word| !word.is_null());
                    for (name, value) in candidate {
                        end::keep(&mut place[&name], &name, value);
                    }
                    brought = match (is_end, is_token) {
                        (true, _) => Piece::End,
                        (false, true) => Piece::Token,
                        (false, false) => brought,
                    };
                }
                (_, value) => {
                    end::keep(&mut whole[&name], &name, value);
                    if blocked::prompt(whole, 200).is_some() {
                        brought = Piece::End;
                    }
                }
            }
        }
        brought
    }

    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Read, Misread> {
        let Reply { json: reply, written, .. } = reply;
        let candidates = reply.get("candidates").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let place = candidates.iter().position(is_first).unwrap_or_default();
        let Some(candidate) = candidates.get(place) else {
            return Err(match blocked::prompt(reply, 200) {
                Some(word) => Misread::Blocked(word),
                None => Misread::of(reply, "it has no candidate"),
            });
        };
        let parts = candidate.place("/content/parts").and_then(Json::as_array);
        let word = candidate.get("finishReason").filter(|word| !word.is_null());
        if parts.is_none() && word.is_none() {
            return Err(Misread::of(reply, "it has no content"));
        }
        let (calls, rest): (Vec<&Json>, Vec<&Json>) =
            parts.into_iter().flatten().partition(|part| part.get("functionCall").is_some());
        let calls: Vec<Json> = calls
            .into_iter()
            .map(|part| {
                let call = &part["functionCall"];
                json!({ "id": call["id"], "name": call["name"], "arguments": call["args"] })
            })
            .collect();
        let verdict = function.and_then(|name| arguments(written, place, name));
        let said = message::said(&json!({ "content": rest, "tool_calls": calls }))
            .map_err(|unread| Misread::of(reply, format!("the content of its message {unread}")))?;
        let count = |name: &str| reply.get("usageMetadata")?.get(name)?.as_u64();
        let thoughts = count("thoughtsTokenCount");
        // Thoughts are counted separately from the answer, and tool input from the prompt.
        let sum = |one: u64, name: &str| one.saturating_add(count(name).unwrap_or_default());
        let usage = count("promptTokenCount").map(|sent| Usage {
            input_tokens: sum(sent, "toolUsePromptTokenCount"),
            cached_tokens: usage::of_cache(count("cachedContentTokenCount")),
            cache_write_tokens: 0,
            output_tokens: sum(thoughts.unwrap_or_default(), "candidatesTokenCount"),
        });
        Ok(Read {
            said,
            verdict,
            finish: word.map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)),
            thinking: thoughts.and_then(|tokens| NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX))),
            usage,
            model: reply.get("modelVersion").and_then(Json::as_str).map(str::to_owned),
            fingerprint: None,
        })
    }

    fn embedding(&self, model: &str, text: &str) -> Option<(String, Json)> {
        let body = json!({ "model": named(model), "content": { "parts": [{ "text": text }] } });
        Some((format!("/{}:embedContent", named(model)), body))
    }

    fn embedded<'a>(&self, reply: &'a Json) -> Option<(&'a Vec<Json>, Option<u64>)> {
        let tokens = reply.place("/usageMetadata/promptTokenCount").and_then(Json::as_u64);
        Some((reply.place("/embedding/values")?.as_array()?, tokens))
    }
}

/// Whether a candidate is number 0, which need not come first.
fn is_first(candidate: &Json) -> bool {
    candidate.get("index").and_then(Json::as_u64).unwrap_or_default() == 0
}

/// The model's name, as it appears in an address.
fn named(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

/// The messages without instructions, as contents; consecutive messages of one role are joined.
fn contents(messages: &[&Message]) -> Vec<Json> {
    let mut contents: Vec<(&str, Vec<Json>)> = Vec::new();
    // A function's result has the function's name.
    let mut names: Vec<(Option<&str>, &str)> = Vec::new();
    for message in messages {
        let text = (!message.content.is_empty()).then(|| json!({ "text": message.content }));
        let (role, parts) = match (message.role, &message.tool_call_id) {
            (Role::Tool, Some(id)) => {
                let name = names.iter().rev().find(|(known, _)| *known == Some(id));
                let name = name.map_or(id.as_str(), |(_, name)| name);
                let returned = serde_json::from_str(&message.content).ok().filter(Json::is_object);
                let returned = returned.unwrap_or_else(|| json!({ "result": message.content }));
                let response = json!({ "id": id, "name": name, "response": returned });
                ("user", vec![json!({ "functionResponse": response })])
            }
            (Role::Assistant, _) => {
                let calls = message.tool_calls.iter().enumerate().map(|(number, call)| {
                    names.push((call.id.as_deref(), &call.name));
                    let args = if call.arguments.is_object() { call.arguments.clone() } else { json!({}) };
                    let mut function = json!({ "name": call.name, "args": args });
                    if let Some(id) = &call.id {
                        function["id"] = id.as_str().into();
                    }
                    let mut part = json!({ "functionCall": function });
                    if number == 0 {
                        part["thoughtSignature"] = UNSIGNED.into();
                    }
                    part
                });
                ("model", text.into_iter().chain(calls).collect())
            }
            (Role::System | Role::Developer | Role::User | Role::Tool, _) => {
                ("user", text.into_iter().collect())
            }
        };
        match contents.last_mut().filter(|(last, _)| *last == role) {
            Some((_, known)) => known.extend(parts),
            None => contents.push((role, parts)),
        }
    }
    contents.into_iter().map(|(role, parts)| json!({ "role": role, "parts": parts })).collect()
}

/// The calls of a body with their raw arguments: parsing an object loses the order of its members and any repeated
/// members.
#[derive(Deserialize)]
struct Written {
    candidates: Vec<WrittenCandidate>,
}

#[derive(Deserialize)]
struct WrittenCandidate {
    content: WrittenContent,
}

#[derive(Deserialize)]
struct WrittenContent {
    parts: Vec<WrittenPart>,
}

#[derive(Deserialize)]
struct WrittenPart {
    #[serde(rename = "functionCall")]
    call: Option<WrittenCall>,
}

#[derive(Deserialize)]
struct WrittenCall {
    name: Option<String>,
    args: Option<Box<RawValue>>,
}

/// The raw arguments of a function's calls, concatenated.
fn arguments(body: &str, candidate: usize, function: &str) -> Option<String> {
    let first = serde_json::from_str::<Written>(body).ok()?.candidates.into_iter().nth(candidate)?;
    let calls = first.content.parts.into_iter().filter_map(|part| part.call);
    let own = calls.filter(|call| call.name.as_deref() == Some(function));
    own.map(|call| call.args.map_or_else(String::new, |args| args.get().to_owned()))
        .reduce(|all, one| all + &one)
}

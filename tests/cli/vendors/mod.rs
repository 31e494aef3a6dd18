//! Vendors' requests and answers, each with a server that speaks the vendor's protocol.

mod docs;
mod faults;
mod keys;
mod streams;
mod wire;

use serde_json::{Value as Json, json};

use super::Akit;
use super::server::{Answer, Server};

const SUITE: &str = "cases:\n  - id: a\n    prompt: Hello\n    expected: { type: contains, values: [ok] }\n";

/// The protocol of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Chat,
    Responses,
    Messages,
    Gemini,
}

/// A vendor, and how a scenario names it.
#[derive(Clone, Copy, Debug)]
struct Vendor {
    name: &'static str,
    provider: &'static str,
    /// Further keys of `providerConfig`.
    config: &'static str,
    model: &'static str,
    /// The path after the address.
    path: &'static str,
    /// The header with the key, and the variable that contains it.
    key: (&'static str, &'static str),
    speech: Speech,
}

const KEY: &str = "k-0123456789abcdef";

const VENDORS: [Vendor; 9] = [
    Vendor {
        name: "openai",
        provider: "openai",
        config: "",
        model: "gpt-4o",
        path: "/v1/chat/completions",
        key: ("authorization", "OPENAI_API_KEY"),
        speech: Speech::Chat,
    },
    Vendor {
        name: "openai, responses",
        provider: "openai",
        config: ", api: responses",
        model: "gpt-4o",
        path: "/v1/responses",
        key: ("authorization", "OPENAI_API_KEY"),
        speech: Speech::Responses,
    },
    Vendor {
        name: "azure",
        provider: "azure-openai",
        config: ", deploymentName: bot",
        model: "gpt-4o",
        path: "/openai/v1/chat/completions",
        key: ("api-key", "AZURE_OPENAI_API_KEY"),
        speech: Speech::Chat,
    },
    Vendor {
        name: "azure, dated",
        provider: "azure-openai",
        config: ", deploymentName: bot, apiVersion: 2024-10-21",
        model: "gpt-4o",
        path: "/openai/deployments/bot/chat/completions?api-version=2024-10-21",
        key: ("api-key", "AZURE_OPENAI_API_KEY"),
        speech: Speech::Chat,
    },
    Vendor {
        name: "anthropic",
        provider: "anthropic",
        config: "",
        model: "claude-sonnet-4-6",
        path: "/v1/messages",
        key: ("x-api-key", "ANTHROPIC_API_KEY"),
        speech: Speech::Messages,
    },
    Vendor {
        name: "google",
        provider: "google",
        config: "",
        model: "gemini-3.5-flash-lite",
        path: "/v1beta/models/gemini-3.5-flash-lite:generateContent",
        key: ("x-goog-api-key", "GEMINI_API_KEY"),
        speech: Speech::Gemini,
    },
    Vendor {
        name: "mistral",
        provider: "mistral",
        config: "",
        model: "mistral-small-latest",
        path: "/v1/chat/completions",
        key: ("authorization", "MISTRAL_API_KEY"),
        speech: Speech::Chat,
    },
    Vendor {
        name: "ollama",
        provider: "ollama",
        config: "",
        model: "llama3.2",
        path: "/v1/chat/completions",
        key: ("authorization", ""),
        speech: Speech::Chat,
    },
    Vendor {
        name: "groq",
        provider: "openai",
        config: ", like: groq",
        model: "llama-3.3",
        path: "/v1/chat/completions",
        key: ("authorization", "GROQ_API_KEY"),
        speech: Speech::Chat,
    },
];

impl Vendor {
    /// Runs a suite with this server.
    fn run(&self, server: &Server, head: &str, suite: &str) -> Akit {
        let address = match self.provider {
            "google" | "azure-openai" => server.url.trim_end_matches("/v1"),
            _ => &server.url,
        };
        let retries = if self.config.contains("maxRetries") { "" } else { ", maxRetries: 0" };
        let config = format!("providerConfig: {{ baseUrl: \"{address}\"{}{retries} }}\n", self.config);
        let text = format!("provider: {}\nmodel: {}\n{config}{head}{suite}", self.provider, self.model);
        let akit = Akit::new(&["run", "s.yaml", "--json", "run.json", "--patience", "0"]);
        let akit = akit.file("s.yaml", text);
        if self.key.1.is_empty() { akit } else { akit.env(self.key.1, KEY) }
    }

    /// An answer with this text, the vendor's stop word, and a call.
    fn answer(&self, text: &str, stop: Stop, call: Option<(&str, Json)>) -> Json {
        let word = stop.word(self.speech);
        let model = self.model;
        match self.speech {
            Speech::Chat => {
                let mut message = json!({ "role": "assistant", "content": text });
                if let Some((name, arguments)) = call {
                    message["tool_calls"] = json!([{ "id": "c1", "type": "function",
                        "function": { "name": name, "arguments": arguments.to_string() } }]);
                }
                json!({ "id": "x", "object": "chat.completion", "model": model,
                    "choices": [{ "index": 0, "message": message, "finish_reason": word }],
                    "usage": { "prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17 } })
            }
            Speech::Responses => {
                let mut output = vec![json!({ "type": "reasoning", "id": "r", "summary": [] })];
                if !text.is_empty() {
                    output.push(json!({ "type": "message", "role": "assistant", "status": "completed",
                        "content": [{ "type": "output_text", "text": text, "annotations": [] }] }));
                }
                if let Some((name, arguments)) = call {
                    output.push(json!({ "type": "function_call", "call_id": "c1", "name": name,
                        "arguments": arguments.to_string(), "status": "completed" }));
                }
                let (status, details) = match stop {
                    Stop::Whole => ("completed", Json::Null),
                    Stop::Cut | Stop::Filtered => ("incomplete", json!({ "reason": word })),
                };
                json!({ "id": "x", "object": "response", "model": model, "status": status, "error": null,
                    "incomplete_details": details, "output": output,
                    "usage": { "input_tokens": 12, "output_tokens": 5, "total_tokens": 17 } })
            }
            Speech::Messages => {
                let mut content = vec![json!({ "type": "thinking", "thinking": "hm", "signature": "s" })];
                if !text.is_empty() {
                    content.push(json!({ "type": "text", "text": text }));
                }
                if let Some((name, arguments)) = call {
                    content.push(json!({ "type": "tool_use", "id": "c1", "name": name, "input": arguments }));
                }
                json!({ "id": "x", "type": "message", "role": "assistant", "model": model, "content": content,
                    "stop_reason": word, "stop_sequence": null,
                    "usage": { "input_tokens": 2, "cache_read_input_tokens": 10,
                        "cache_creation_input_tokens": 0, "output_tokens": 5 } })
            }
            Speech::Gemini => {
                let mut parts = vec![json!({ "text": "hm", "thought": true })];
                if !text.is_empty() {
                    parts.push(json!({ "text": text }));
                }
                if let Some((name, arguments)) = call {
                    parts.push(json!({ "functionCall": { "id": "c1", "name": name, "args": arguments } }));
                }
                json!({ "candidates": [{ "index": 0, "finishReason": word,
                        "content": { "role": "model", "parts": parts } }],
                    "usageMetadata": { "promptTokenCount": 12, "candidatesTokenCount": 3,
                        "thoughtsTokenCount": 2, "totalTokenCount": 17 },
                    "modelVersion": model })
            }
        }
    }

    /// An error in the vendor's format.
    fn error(&self, status: u16, message: &str) -> Answer {
        let body = match self.speech {
            Speech::Messages => {
                json!({ "type": "error", "error": { "type": "x_error", "message": message } })
            }
            Speech::Gemini => json!({ "error": { "code": status, "message": message, "status": "X" } }),
            _ if self.name == "mistral" => json!({ "object": "error", "message": message, "type": "x" }),
            Speech::Chat | Speech::Responses => json!({ "error": { "message": message, "type": "x" } }),
        };
        raw(status, &body.to_string())
    }

    /// The same answer as a stream of events.
    #[expect(clippy::too_many_lines, reason = "one part per protocol")]
    fn pieces(&self, whole: &Json) -> Vec<String> {
        fn halves(text: &str) -> [String; 2] {
            let chars: Vec<char> = text.chars().collect();
            let (a, b) = chars.split_at(chars.len() / 2);
            [a.iter().collect(), b.iter().collect()]
        }
        let event = |json: &Json| match json["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {json}\n\n"),
            None => format!("data: {json}\n\n"),
        };
        let mut all: Vec<Json> = Vec::new();
        match self.speech {
            Speech::Chat => {
                let chunk = |choices: Json| {
                    json!({ "id": "x", "object": "chat.completion.chunk",
                    "model": self.model, "choices": choices, "usage": null })
                };
                let delta = |delta: Json, finish: Json| {
                    chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }]))
                };
                let choice = &whole["choices"][0];
                all.push(delta(json!({ "role": "assistant", "content": "" }), Json::Null));
                for half in halves(choice["message"]["content"].as_str().unwrap_or_default()) {
                    all.push(delta(json!({ "content": half }), Json::Null));
                }
                for (index, call) in
                    choice["message"]["tool_calls"].as_array().into_iter().flatten().enumerate()
                {
                    let name = &call["function"]["name"];
                    all.push(delta(
                        json!({ "tool_calls": [{ "index": index, "id": call["id"], "type": "function",
                        "function": { "name": name, "arguments": "" } }] }),
                        Json::Null,
                    ));
                    for half in halves(call["function"]["arguments"].as_str().unwrap()) {
                        all.push(delta(
                            json!({ "tool_calls": [{ "index": index,
                            "function": { "arguments": half } }] }),
                            Json::Null,
                        ));
                    }
                }
                all.push(delta(json!({}), choice["finish_reason"].clone()));
                let mut usage = chunk(json!([]));
                usage["usage"] = whole["usage"].clone();
                all.push(usage);
                return all.iter().map(event).chain(["data: [DONE]\n\n".to_owned()]).collect();
            }
            Speech::Responses => {
                all.push(json!({ "type": "response.created", "response": { "status": "in_progress" } }));
                for item in whole["output"].as_array().unwrap() {
                    for half in halves(item["content"][0]["text"].as_str().unwrap_or_default()) {
                        all.push(json!({ "type": "response.output_text.delta", "delta": half }));
                    }
                }
                let kind = format!("response.{}", whole["status"].as_str().unwrap());
                all.push(json!({ "type": kind, "response": whole }));
            }
            Speech::Messages => {
                let mut start = whole.clone();
                start["content"] = json!([]);
                start["stop_reason"] = Json::Null;
                start["usage"]["output_tokens"] = 1.into();
                all.push(json!({ "type": "message_start", "message": start }));
                all.push(json!({ "type": "ping" }));
                for (index, block) in whole["content"].as_array().unwrap().iter().enumerate() {
                    let (mut first, mut deltas) = (block.clone(), Vec::new());
                    for (key, kind, name) in
                        [("text", "text_delta", "text"), ("thinking", "thinking_delta", "thinking")]
                    {
                        if let Some(text) = block[key].as_str() {
                            first[key] = "".into();
                            deltas.extend(halves(text).map(|half| json!({ "type": kind, name: half })));
                        }
                    }
                    if block["type"] == "tool_use" {
                        first["input"] = json!({});
                        let text = block["input"].to_string();
                        deltas.extend(
                            halves(&text)
                                .map(|half| json!({ "type": "input_json_delta", "partial_json": half })),
                        );
                    }
                    all.push(
                        json!({ "type": "content_block_start", "index": index, "content_block": first }),
                    );
                    all.extend(deltas.into_iter().map(
                        |delta| json!({ "type": "content_block_delta", "index": index, "delta": delta }),
                    ));
                    all.push(json!({ "type": "content_block_stop", "index": index }));
                }
                all.push(json!({ "type": "message_delta", "usage": { "output_tokens": 5 },
                    "delta": { "stop_reason": whole["stop_reason"], "stop_sequence": null } }));
                all.push(json!({ "type": "message_stop" }));
            }
            Speech::Gemini => {
                let parts = whole["candidates"][0]["content"]["parts"].as_array().unwrap();
                for part in parts {
                    let halved = part["text"].as_str().map(halves).into_iter().flatten().map(|half| {
                        let mut part = part.clone();
                        part["text"] = half.into();
                        part
                    });
                    let pieces: Vec<Json> =
                        if part.get("text").is_some() { halved.collect() } else { vec![part.clone()] };
                    all.extend(pieces.into_iter().map(|part| {
                        json!({ "candidates": [{ "content": { "role": "model", "parts": [part] }, "index": 0 }],
                            "modelVersion": self.model })
                    }));
                }
                let mut last = whole.clone();
                last["candidates"][0]["content"]["parts"] = json!([{ "text": "" }]);
                all.push(last);
            }
        }
        all.iter().map(event).collect()
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Whole,
    Cut,
    Filtered,
}

impl Stop {
    fn word(self, speech: Speech) -> &'static str {
        match (speech, self) {
            (Speech::Chat, Self::Whole) => "stop",
            (Speech::Chat, Self::Cut) => "length",
            (Speech::Chat | Speech::Responses, Self::Filtered) => "content_filter",
            (Speech::Responses, Self::Whole) => "completed",
            (Speech::Responses, Self::Cut) => "max_output_tokens",
            (Speech::Messages, Self::Whole) => "end_turn",
            (Speech::Messages, Self::Cut) => "max_tokens",
            (Speech::Messages, Self::Filtered) => "refusal",
            (Speech::Gemini, Self::Whole) => "STOP",
            (Speech::Gemini, Self::Cut) => "MAX_TOKENS",
            (Speech::Gemini, Self::Filtered) => "SAFETY",
        }
    }
}

fn raw(status: u16, body: &str) -> Answer {
    Answer::Raw(status, vec![("content-type", "application/json".to_owned())], body.into())
}

fn events(body: &str) -> Answer {
    Answer::Raw(200, vec![("content-type", "text/event-stream; charset=utf-8".to_owned())], body.into())
}

//! Chat completions as OpenAI serves them, and everything that speaks the same: `openai` with any
//! `baseUrl`, `ollama`, llama.cpp, vLLM.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::call::{blocked_prompt, error_within, post};
use super::endpoint::{Address, AddressError, CALL};
use super::spec::{Access, Means, Spec, Vendor};
use super::{ChatRequest, Completion, Endpoint, Pending, Provider, ProviderError, message};
use crate::http::Http;
use crate::text;
use crate::vocabulary::{Answer, StopReason, Usage};

/// The call for an embedding.
const EMBEDDINGS: &str = "/embeddings";

/// OpenAI itself, and every server that speaks its chat completions.
pub(super) const OPENAI: Spec = Spec {
    name: "openai",
    means: Means::Network(Vendor {
        address: "https://api.openai.com/v1",
        address_variable: Some("OPENAI_BASE_URL"),
        key_variable: Some("OPENAI_API_KEY"),
        organization_variable: Some("OPENAI_ORGANIZATION"),
        model: "gpt-4o-mini",
        connect: OpenAi::connect,
    }),
};

/// Ollama on this machine.
pub(super) const OLLAMA: Spec = Spec {
    name: "ollama",
    means: Means::Network(Vendor {
        address: "http://localhost:11434/v1",
        address_variable: None,
        key_variable: None,
        organization_variable: None,
        model: "llama3.2",
        connect: OpenAi::connect,
    }),
};

/// A server that speaks OpenAI's chat completions.
#[derive(Debug)]
pub struct OpenAi {
    http: Http,
    endpoint: Endpoint,
    address: Address,
    options: Access,
    /// (model, parameter) that the server has refused: it is not offered again.
    refused: Mutex<BTreeSet<(String, String)>>,
}

impl OpenAi {
    fn connect(http: Http, options: Access) -> Result<Box<dyn Provider>, AddressError> {
        Ok(Box::new(Self::new(http, options)?))
    }

    /// Prepares a server; connects to nothing.
    ///
    /// # Errors
    /// When the address is no http or https URL with a host.
    pub fn new(http: Http, options: Access) -> Result<Self, AddressError> {
        let address = Address::parse(&options.base_url)?;
        let endpoint = address.endpoint(&options.provider);
        Ok(Self { http, endpoint, address, options, refused: Mutex::default() })
    }

    fn refused(&self, model: &str, parameter: &str) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.contains(&(model.to_owned(), parameter.to_owned()))
    }

    fn refuse(&self, model: &str, parameter: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert((model.to_owned(), parameter.to_owned()));
    }

    /// The body, and the parameters that were left out because the server refuses them.
    fn body(&self, request: &ChatRequest) -> (Json, Vec<String>) {
        let mut body = Map::new();
        body.insert("model".to_owned(), request.model.clone().into());
        body.insert("messages".to_owned(), json!(request.messages));
        let mut dropped = Vec::new();
        let mut offer = |name: &str, value: Option<Json>| {
            let Some(value) = value else { return };
            if self.refused(&request.model, name) {
                dropped.push(name.to_owned());
            } else {
                body.insert(name.to_owned(), value);
            }
        };
        offer("temperature", request.temperature.map(Json::from));
        offer("seed", request.seed.map(Json::from));
        let mut tools: Vec<Json> = request.tools.iter().map(function).collect();
        if let Some(output) = &request.output {
            let schema = json!({ "type": "json_schema", "json_schema": {
                "name": output.name, "strict": true, "schema": output.schema } });
            offer("response_format", Some(schema));
            // A server without structured output is made to call a function; one without functions
            // is left to the words of the prompt.
            if self.refused(&request.model, "response_format") && !self.refused(&request.model, "tool_choice")
            {
                let name = json!({ "name": output.name });
                offer("tool_choice", Some(json!({ "type": "function", "function": name })));
                tools.push(function(&json!({ "name": output.name, "parameters": output.schema })));
            }
        }
        if let Some(limit) = request.max_tokens {
            let completion =
                wants_completion_tokens(&request.model) || self.refused(&request.model, "max_tokens");
            let name = if completion { "max_completion_tokens" } else { "max_tokens" };
            body.insert(name.to_owned(), limit.into());
        }
        if !tools.is_empty() {
            body.insert("tools".to_owned(), tools.into());
        }
        (Json::Object(body), dropped)
    }

    async fn ask_embedding(&self, model: &str, text: &str) -> Result<Completion, ProviderError> {
        let body = json!({ "model": model, "input": text });
        let (url, asked) = (self.address.call(EMBEDDINGS), self.address.shown(EMBEDDINGS));
        let (headers, key) = (self.headers(), self.options.api_key.as_ref());
        let reply = post(&self.http, &url, &asked, &headers, key, &body).await?;
        let reply = without_error(reply, &asked)?;
        let malformed = || ProviderError::Malformed {
            host: asked.clone(),
            reason: format!(
                "there is no embedding in it; it begins {}",
                text::excerpt(&reply.to_string(), 120)
            ),
        };
        let values = reply.pointer("/data/0/embedding").and_then(Json::as_array).ok_or_else(malformed)?;
        #[expect(clippy::cast_possible_truncation, reason = "embeddings are stored in single precision")]
        let embedding: Option<Vec<f32>> =
            values.iter().map(|value| value.as_f64().map(|v| v as f32)).collect();
        let embedding = embedding.filter(|values| !values.is_empty()).ok_or_else(malformed)?;
        let answer = Answer {
            model: reply.get("model").and_then(Json::as_str).map(str::to_owned),
            usage: reply
                .pointer("/usage/prompt_tokens")
                .and_then(Json::as_u64)
                .map(|input_tokens| Usage { input_tokens, output_tokens: 0 }),
            ..Answer::default()
        };
        Ok(Completion { answer, embedding, ..Completion::default() })
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let key = self.options.api_key.as_ref();
        let authorization = key.map(|key| ("authorization", format!("Bearer {}", key.expose())));
        let organization = self.options.organization.clone().map(|name| ("openai-organization", name));
        authorization.into_iter().chain(organization).collect()
    }

    async fn ask(&self, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let headers = self.headers();
        loop {
            let (body, dropped) = self.body(request);
            let key = self.options.api_key.as_ref();
            let (url, asked) = (self.address.call(CALL), self.asked());
            let reply = post(&self.http, &url, &asked, &headers, key, &body).await;
            let reply = reply.and_then(|reply| without_error(reply, &asked));
            let wants_call = body.get("tool_choice").is_some();
            let error = match reply.and_then(|reply| self.read(&reply, wants_call)) {
                Ok(completion) => {
                    return Ok(Completion {
                        params_sent: sent(&body),
                        params_dropped: dropped,
                        ..completion
                    });
                }
                Err(ProviderError::Blocked { word, .. }) => {
                    let answer = Answer { finish_reason: Some(word), ..Answer::default() };
                    return Ok(Completion { answer, ..Completion::default() });
                }
                Err(error) => error,
            };
            // Each turn of the loop drops one more parameter, so it ends.
            match unsupported(&error, &body) {
                Some(parameter) => self.refuse(&request.model, &parameter),
                None => return Err(error),
            }
        }
    }

    /// The whole address that is asked, for people.
    fn asked(&self) -> String {
        self.address.shown(CALL)
    }

    fn read(&self, reply: &Json, wants_call: bool) -> Result<Completion, ProviderError> {
        let malformed = |reason: &str| ProviderError::Malformed {
            host: self.asked(),
            reason: format!("{reason}; it begins {}", text::excerpt(&reply.to_string(), 120)),
        };
        let choice = reply.get("choices").and_then(|choices| choices.get(0));
        if let (None, Some(word)) = (choice, blocked_prompt(reply)) {
            return Err(ProviderError::Blocked { host: self.asked(), word });
        }
        let choice = choice.ok_or_else(|| malformed("there is no choice in it"))?;
        let written = choice.get("message").ok_or_else(|| malformed("there is no message in it"))?;
        let finish = word_of(choice.get("finish_reason"));
        if StopReason::of(finish.as_deref()) == StopReason::Broken {
            let word = text::excerpt(finish.as_deref().unwrap_or_default(), 40);
            return Err(ProviderError::Ended { host: self.asked(), word });
        }
        let said = message::said(written);
        let said = said.ok_or_else(|| malformed("the content of its message is no text"))?;
        let called = written.pointer("/tool_calls/0/function/arguments").and_then(Json::as_str);
        let text = match called.filter(|_| wants_call && written.get("content").is_none_or(Json::is_null)) {
            Some(called) => called.to_owned(),
            None => said.text,
        };
        let word = |name: &str| reply.get(name).and_then(Json::as_str).map(str::to_owned);
        let spent = StopReason::of(finish.as_deref()) == StopReason::Cut && text::said::shows_nothing(&text);
        let answer = Answer {
            thinking: message::thinking(reply).filter(|_| spent),
            text,
            tool_calls: if wants_call { Vec::new() } else { said.tool_calls },
            finish_reason: if said.refused { Some("refusal".to_owned()) } else { finish },
            model: word("model"),
            system_fingerprint: word("system_fingerprint"),
            usage: reply.get("usage").and_then(|usage| {
                Some(Usage {
                    input_tokens: usage.get("prompt_tokens")?.as_u64()?,
                    output_tokens: usage.get("completion_tokens")?.as_u64()?,
                })
            }),
            ..Answer::default()
        };
        Ok(Completion { answer, ..Completion::default() })
    }
}

impl Provider for OpenAi {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(self.ask(request))
    }

    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a> {
        Box::pin(self.ask_embedding(model, text))
    }
}

fn without_error(reply: Json, host: &str) -> Result<Json, ProviderError> {
    error_within(&reply, host).map_or(Ok(reply), Err)
}

/// A stop word; what is not text is a word that akit does not know.
fn word_of(value: Option<&Json>) -> Option<String> {
    match value {
        None | Some(Json::Null) => None,
        Some(Json::String(word)) => Some(word.clone()),
        Some(other) => Some(text::excerpt(&other.to_string(), 40)),
    }
}

/// The parameters in a body: everything but what was asked. A schema is told by its kind.
fn sent(body: &Json) -> BTreeMap<String, Json> {
    let entries = body.as_object().into_iter().flatten();
    entries
        .filter(|(name, _)| !matches!(name.as_str(), "model" | "messages" | "tools"))
        .map(|(name, value)| {
            let kind = value.get("type").filter(|_| value.is_object());
            (name.clone(), kind.unwrap_or(value).clone())
        })
        .collect()
}

/// A function as the interface wants it.
fn function(tool: &Json) -> Json {
    match tool.get("type") {
        Some(Json::String(kind)) if kind == "function" => tool.clone(),
        _ => json!({ "type": "function", "function": tool }),
    }
}

/// Reasoning models take `max_completion_tokens` and refuse `max_tokens`.
fn wants_completion_tokens(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| {
        name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
    })
}

/// The parameter that a 400 complains about, if it is one that can be left out.
fn unsupported(error: &ProviderError, body: &Json) -> Option<String> {
    let ProviderError::Status { status: 400 | 422, body: words, .. } = error else { return None };
    let lower = words.to_lowercase();
    let complains =
        ["unsupported", "not support", "does not support", "unknown", "unrecognized", "not permitted"]
            .iter()
            .any(|word| lower.contains(word));
    let known = ["temperature", "seed", "response_format", "tool_choice", "max_tokens"];
    known
        .into_iter()
        .find(|name| complains && body.get(*name).is_some() && lower.contains(name))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn server(base_url: &str) -> Result<OpenAi, AddressError> {
        let options = Access {
            provider: "openai".to_owned(),
            base_url: base_url.to_owned(),
            api_key: Some(Secret::new("sk-very-secret")),
            organization: None,
        };
        OpenAi::new(Http::new(None).unwrap(), options)
    }

    #[test]
    fn only_a_complaint_about_a_known_parameter_drops_it() {
        let body = json!({ "temperature": 0.0, "seed": 1, "max_tokens": 5 });
        let status = |status, words: &str| ProviderError::Status {
            host: String::new(),
            status,
            body: words.to_owned(),
            retry_after: None,
        };
        let table = [
            (400, "Unsupported value: 'temperature' does not support 0", Some("temperature")),
            (
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model.",
                Some("max_tokens"),
            ),
            (400, "Unknown parameter: 'seed'", Some("seed")),
            (400, "the conversation is too long", None),
            (400, "Unsupported parameter: 'response_format'", None),
            (500, "Unsupported parameter: 'seed'", None),
        ];
        for (code, words, expected) in table {
            assert_eq!(unsupported(&status(code, words), &body).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn replies_without_a_completion_are_told() {
        let server = server("https://api.openai.com/v1").unwrap();
        for reply in [json!({}), json!({"choices": []}), json!({"choices": [{}]}), json!([])] {
            assert!(matches!(server.read(&reply, false), Err(ProviderError::Malformed { .. })), "{reply}");
        }
        let refusal =
            json!({"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "No."}}]});
        let completion = server.read(&refusal, false).unwrap();
        assert_eq!(
            (completion.answer.text.as_str(), completion.answer.finish_reason.as_deref()),
            ("No.", Some("refusal"))
        );
    }

    #[test]
    fn reasoning_models_are_known_by_name() {
        for (model, expected) in [
            ("o3-mini", true),
            ("gpt-5.1", true),
            ("gpt-4o", false),
            ("o3xyz", false),
            ("openai/gpt-5", true),
        ] {
            assert_eq!(wants_completion_tokens(model), expected, "{model}");
        }
    }
}

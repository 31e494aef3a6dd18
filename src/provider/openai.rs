//! Chat completions as OpenAI serves them, and everything that speaks the same: `openai` with any
//! `baseUrl`, `ollama`, llama.cpp, vLLM.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::call::{Reply, blocked_prompt, error_within, post};
use super::endpoint::{Address, AddressError, CALL};
use super::refusal::{self, Part};
use super::spec::{Access, Means, Spec, Vendor};
use super::{
    ChatRequest, Completion, Endpoint, Message, Pending, Provider, ProviderError, Role, end, message,
};
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
    /// What the server has refused of requests that it took without it, by model: it is not offered again.
    refused: Mutex<BTreeMap<String, BTreeSet<Part>>>,
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

    /// What a model does not take, as far as it is known.
    fn known(&self, model: &str) -> BTreeSet<Part> {
        let mut left = Part::of_family(model);
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        left.extend(refused.get(model).into_iter().flatten());
        left
    }

    fn remember(&self, model: &str, left: BTreeSet<Part>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(model.to_owned()).or_default().extend(left);
    }

    async fn ask_embedding(&self, model: &str, text: &str) -> Result<Completion, ProviderError> {
        let body = json!({ "model": model, "input": text });
        let (url, asked) = (self.address.call(EMBEDDINGS), self.address.shown(EMBEDDINGS));
        let (headers, key) = (self.headers(), self.options.api_key.as_ref());
        let reply = post(&self.http, &url, &asked, &headers, key, &body).await?;
        let reply = without_error(reply, &asked)?.json;
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
        let mut left = self.known(&request.model);
        let mut first: Option<ProviderError> = None;
        loop {
            let (body, dropped) = body(request, &left);
            let key = self.options.api_key.as_ref();
            let (url, asked) = (self.address.call(CALL), self.asked());
            let reply = post(&self.http, &url, &asked, &headers, key, &body).await;
            let reply = reply.and_then(|reply| without_error(reply, &asked));
            let function = request.output.as_ref().map(|output| output.name);
            let error = match reply.and_then(|reply| self.read(&reply, function)) {
                Ok(completion) => {
                    self.remember(&request.model, left);
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
            // Each turn of the loop leaves one more part out, so it ends.
            let named = refusal::named(&error, &body, request.output.is_some());
            match named.or_else(|| refusal::form(&error, &body)) {
                Some(part) => {
                    left.insert(part);
                    // What was no refusal of a form is told as it was first said.
                    first = first.or(named.is_none().then_some(error));
                }
                None => return Err(first.filter(|_| refusal::refused(&error).is_some()).unwrap_or(error)),
            }
        }
    }

    /// The whole address that is asked, for people.
    fn asked(&self) -> String {
        self.address.shown(CALL)
    }

    /// Reads an answer; of a request for a verdict, the calls of the function of this name are its text.
    fn read(&self, reply: &Reply, function: Option<&str>) -> Result<Completion, ProviderError> {
        let Reply { json: reply, written: body } = reply;
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
        let finish = end::word(reply);
        if StopReason::of(finish.as_deref()) == StopReason::Broken {
            let word = text::excerpt(finish.as_deref().unwrap_or_default(), 40);
            return Err(ProviderError::Ended { host: self.asked(), word });
        }
        let called = function.and_then(|name| message::arguments(written, body, name));
        let is_verdict = called.is_some();
        // A verdict in a call is one whatever stands beside it.
        let said = match message::said(written) {
            Err(_) if is_verdict => message::Said::default(),
            said => said.map_err(|unread| malformed(&format!("the content of its message {unread}")))?,
        };
        let text = called.unwrap_or(said.text);
        let word = |name: &str| reply.get(name).and_then(Json::as_str).map(str::to_owned);
        let spent = StopReason::of(finish.as_deref()) == StopReason::Cut && text::said::shows_nothing(&text);
        let answer = Answer {
            thinking: message::thinking(reply).filter(|_| spent),
            text,
            tool_calls: if is_verdict { Vec::new() } else { said.tool_calls },
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

    fn sends_key(&self) -> bool {
        self.options.api_key.is_some()
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(self.ask(request))
    }

    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a> {
        Box::pin(self.ask_embedding(model, text))
    }
}

/// The body without what is left out, and the names of the parameters that a server does not take.
fn body(request: &ChatRequest, left: &BTreeSet<Part>) -> (Json, Vec<String>) {
    let mut body = Map::new();
    body.insert("model".to_owned(), request.model.clone().into());
    let folded = left.contains(&Part::SystemRole) && request.output.is_some();
    let messages =
        if folded { without_system(&request.messages) } else { message::written(&request.messages) };
    body.insert("messages".to_owned(), messages);
    let mut dropped = Vec::new();
    let mut offer = |part: Part, value: Option<Json>| match value {
        Some(_) if left.contains(&part) => dropped.push(part.name().to_owned()),
        Some(value) => {
            body.insert(part.name().to_owned(), value);
        }
        None => {}
    };
    offer(Part::Temperature, request.temperature.map(Json::from));
    offer(Part::Seed, request.seed.map(Json::from));
    offer(Part::ReasoningEffort, request.effort.map(Json::from));
    let mut tools: Vec<Json> = request.tools.iter().map(function).collect();
    if let Some(output) = &request.output {
        let schema = json!({ "type": "json_schema", "json_schema": {
            "name": output.name, "strict": true, "schema": output.schema } });
        let choice = json!({ "type": "function", "function": { "name": output.name } });
        // A server without structured output is made to call a function; one without functions is left to the words
        // of the prompt. What could not be read in one form is asked for in the next.
        let forms = [(Part::ResponseFormat, schema), (Part::ToolChoice, choice)];
        let mut skips = usize::from(output.next_form);
        for (part, value) in forms {
            let is_refused = left.contains(&part);
            if !is_refused && skips > 0 {
                skips -= 1;
                continue;
            }
            if part == Part::ToolChoice && !is_refused {
                tools.push(function(&json!({ "name": output.name, "parameters": output.schema })));
            }
            offer(part, Some(value));
            if !is_refused {
                break;
            }
        }
    }
    let (usual, other) = (Part::MaxTokens, Part::MaxCompletionTokens);
    match [usual, other].into_iter().find(|part| !left.contains(part)) {
        Some(part) => offer(part, request.max_tokens.map(Json::from)),
        None => offer(other, request.max_tokens.map(Json::from)),
    }
    if !tools.is_empty() {
        body.insert("tools".to_owned(), tools.into());
    }
    (Json::Object(body), dropped)
}

/// Messages for a server that knows no instructions: they stand before what is asked.
fn without_system(messages: &[Message]) -> Json {
    let (system, rest): (Vec<&Message>, Vec<&Message>) =
        messages.iter().partition(|message| message.role == Role::System);
    let mut rest: Vec<Message> = rest.into_iter().cloned().collect();
    if let Some(first) = rest.first_mut() {
        let told: Vec<&str> = system.iter().map(|message| message.content.as_str()).collect();
        first.content = format!("{}\n\n{}", told.join("\n\n"), first.content);
    }
    message::written(&rest)
}

fn without_error(reply: Reply, host: &str) -> Result<Reply, ProviderError> {
    error_within(&reply.json, host).map_or(Ok(reply), Err)
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
    fn replies_without_a_completion_are_told() {
        let server = server("https://api.openai.com/v1").unwrap();
        let reply = |json: Json| Reply { written: json.to_string(), json };
        for json in [json!({}), json!({"choices": []}), json!({"choices": [{}]}), json!([])] {
            let read = server.read(&reply(json.clone()), None);
            assert!(matches!(read, Err(ProviderError::Malformed { .. })), "{json}");
        }
        let refusal =
            json!({"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "No."}}]});
        let completion = server.read(&reply(refusal), None).unwrap();
        assert_eq!(
            (completion.answer.text.as_str(), completion.answer.finish_reason.as_deref()),
            ("No.", Some("refusal"))
        );
    }
}

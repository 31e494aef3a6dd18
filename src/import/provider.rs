//! Providers of promptfoo and akit.

use super::document::Excerpt;
use super::yaml::YamlItem;
use crate::source::{Node, Span, Value};

/// promptfoo's names of providers, and akit's.
const NAMES: [(&str, &str); 11] = [
    ("openai", "openai"),
    ("ollama", "ollama"),
    ("anthropic", "anthropic"),
    ("azure", "azure-openai"),
    ("azureopenai", "azure-openai"),
    ("google", "google"),
    ("vertex", "google"),
    ("palm", "google"),
    ("mistral", "mistral"),
    ("cohere", "cohere"),
    ("huggingface", "huggingface"),
];

/// Words between provider and model that name the kind of request.
const REQUESTS: [&str; 6] =
    ["chat", "responses", "messages", "completion", "text-generation", "chat-completion"];

/// A provider and a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) provider: &'static str,
    pub(super) model: String,
}

impl Named {
    /// Parses an id such as `openai:chat:gpt-4o`.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (name, rest) = id.split_once(':')?;
        let provider = NAMES.iter().find(|(own, _)| *own == name)?.1;
        let model = match rest.split_once(':') {
            Some((request, model)) if REQUESTS.contains(&request) => model,
            // Another kind of request: assistants, images, embeddings.
            Some((other, _)) if name != "ollama" && other != "ft" => return None,
            _ => rest,
        };
        let kinds = ["realtime", "moderation", "embedding", "embeddings", "image", "assistant"];
        let program = model.ends_with("-sdk") || kinds.contains(&model);
        let plain = !model.is_empty() && !REQUESTS.contains(&model) && !model.contains("{{") && !program;
        plain.then(|| Self { provider, model: model.to_owned() })
    }
}

/// A provider with its settings.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    /// promptfoo's name.
    pub(super) id: String,
    /// akit's name and model, if it has one.
    pub(super) named: Option<Named>,
    /// Keys of the scenario made from its configuration.
    pub(super) settings: Vec<(String, YamlItem)>,
    /// Keys of its configuration without a counterpart.
    pub(super) left: Vec<(String, Span)>,
}

impl Provider {
    /// Reads one entry under `providers`.
    pub(super) fn of(part: &Excerpt) -> Option<Self> {
        let (id, own) = match &part.node.value {
            Value::String(id) => (id.clone(), part.clone()),
            Value::Map(entries) => match part.node.get("id").and_then(Node::as_str) {
                Some(id) => (id.to_owned(), part.clone()),
                // `- openai:gpt-4o: { config: … }`
                None => match entries.as_slice() {
                    [(key, value)] => (key.as_str()?.to_owned(), part.with(value.clone())),
                    _ => return None,
                },
            },
            _ => return None,
        };
        let mut provider = Self { named: Named::parse(&id), id, settings: Vec::new(), left: Vec::new() };
        if matches!(own.node.value, Value::Map(_)) {
            for (key, span, value) in own.entries() {
                match key.as_str() {
                    "id" | "label" | "delay" => {}
                    "config" => provider.configure(&value),
                    _ => provider.left.push((key, span)),
                }
            }
        }
        Some(provider)
    }

    fn configure(&mut self, config: &Excerpt) {
        for (key, span, value) in config.entries() {
            let number = value.number();
            let setting = match (key.as_str(), number, value.node.as_str()) {
                ("temperature", Some(number), _) if (0.0..=2.0).contains(&number) => {
                    Some(("temperature", YamlItem::number(number)))
                }
                ("max_tokens" | "max_completion_tokens" | "max_output_tokens", Some(number), _)
                    if number >= 1.0 && number.fract() == 0.0 =>
                {
                    Some(("maxTokens", YamlItem::number(number)))
                }
                ("seed", Some(number), _) if number >= 0.0 && number.fract() == 0.0 => {
                    Some(("seed", YamlItem::number(number)))
                }
                ("apiBaseUrl", _, Some(url)) if !url.contains("{{") && !url.trim().is_empty() => {
                    let url = YamlItem::Text(crate::environment::literal(url));
                    Some(("providerConfig", YamlItem::map([("baseUrl", url)])))
                }
                _ => None,
            };
            match setting {
                Some((key, item)) if !self.settings.iter().any(|(own, _)| own == key) => {
                    self.settings.push((key.to_owned(), item));
                }
                _ => self.left.push((format!("config.{key}"), span)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let table = [
            ("openai:gpt-4o", Some(("openai", "gpt-4o"))),
            ("openai:chat:gpt-4o", Some(("openai", "gpt-4o"))),
            ("openai:chat:ft:gpt-4o:me::1", Some(("openai", "ft:gpt-4o:me::1"))),
            ("ollama:chat:llama3:8b", Some(("ollama", "llama3:8b"))),
            ("ollama:llama3:8b", Some(("ollama", "llama3:8b"))),
            ("azureopenai:chat:dep", Some(("azure-openai", "dep"))),
            ("openai:chat", None),
            ("openai:ft:gpt-4o:me", Some(("openai", "ft:gpt-4o:me"))),
            ("openai:assistant:asst_1", None),
            ("anthropic:claude-agent-sdk", None),
            ("echo", None),
            ("file://p.py", None),
            ("exec:python x.py", None),
        ];
        for (id, expected) in table {
            let named = Named::parse(id);
            assert_eq!(named.as_ref().map(|one| (one.provider, one.model.as_str())), expected, "{id}");
        }
    }
}

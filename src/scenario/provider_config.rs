//! Access granted by files: `providerConfig`, a configuration's provider, and the keys that a judge shares with them.

use std::sync::Arc;
use std::time::Duration;

use super::ProviderConfig;
use super::table::PROVIDER_CONFIG;
use crate::client::Limits;
use crate::environment::unset;
use crate::provider::{Header, Options, Own, azure_resource};
use crate::secret::Secret;
use crate::source::{Diagnostics, Fields, Node, SourceFile};
use crate::vocabulary::StopWords;

/// Access granted by a `providerConfig` or a configuration's provider.
#[must_use]
pub fn provider_config(
    fields: &Fields<'_>,
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
) -> ProviderConfig {
    let named = ["baseUrl", "resourceName", "like"].into_iter().find_map(|key| fields.text(key));
    ProviderConfig {
        api_key: api_key(fields),
        base_url: fields.string("baseUrl"),
        resource: fields.string("resourceName").map(|name| azure_resource(&name)),
        base_url_span: named.map(|(_, span)| span).unwrap_or_default(),
        trusted: Vec::new(),
        default_model: fields.string("defaultModel").or_else(|| fields.string("deploymentName")),
        timeout: fields.integer("timeout").map(Duration::from_millis),
        retries: fields.integer("maxRetries").map(tries),
        patience: fields.integer("patience").map(Duration::from_millis),
        limits: limits(fields),
        organization: fields.string("organization"),
        file: fields.string("file"),
        like: fields.string("like"),
        options: options(fields),
        key_file: None,
        key_command: Vec::new(),
        stop_words: StopWords::of(fields.words("stopWords")),
        own: Own::read(fields, file, found),
        written: PROVIDER_CONFIG
            .iter()
            .map(|field| field.name)
            .filter(|key| fields.key_span(key).is_some())
            .collect(),
        unset: Vec::new(),
    }
}

/// The limits of an address, from a section with the key `limits`.
#[must_use]
pub fn limits(fields: &Fields<'_>) -> Limits {
    let of = |key| fields.object("limits")?.integer(key);
    Limits {
        requests_per_minute: of("requests_per_minute"),
        tokens_per_minute: of("tokens_per_minute"),
        concurrency: of("concurrency"),
    }
}

/// Other options of requests. Headers stay as written: they are filled only for servers that may get them.
fn options(fields: &Fields<'_>) -> Options {
    let map = |key| match fields.node(key).map(Node::to_json) {
        Some(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let header = |(name, value): (String, serde_json::Value)| {
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Header { name, written, value: None, secrets: Vec::new() }
    };
    Options {
        api: fields.word("api"),
        deployment: fields.string("deploymentName"),
        embedding_deployment: fields.string("embeddingDeploymentName"),
        api_version: fields.string("apiVersion"),
        family: fields.string("modelFamily"),
        headers: map("headers").into_iter().map(header).collect(),
        extra_body: map("extraBody"),
        stream: fields.bool("stream").unwrap_or_default(),
    }
}

/// A number of tries; the largest `u32` for larger numbers.
#[must_use]
pub fn tries(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The key under `apiKey`, or the name of the environment variable that should hold it.
#[must_use]
pub fn api_key(fields: &Fields<'_>) -> Option<Result<Secret, String>> {
    let key = fields.string("apiKey").filter(|key| !key.trim().is_empty())?;
    Some(match unset(&key) {
        Some(name) => Err(name.to_owned()),
        None => Ok(Secret::new(key.trim())),
    })
}

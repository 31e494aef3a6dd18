//! The user's own application behind `http` or `command`: what is sent to it, and how its answers are read.
//!
//! Each provider has its table of keys and their parsing in its own file; reading answers is common to both.

mod command;
mod header;
mod http;
mod listen;
mod pointer;
mod reading;
mod received;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::environment::Environment;
use crate::secret::Secret;
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Node, SourceFile, Span, Value};
use crate::text;

pub use command::{COMMAND, Input, OwnCommand};
pub use header::{OwnHeader, looks_secret, without_keys};
pub use http::{Auth, HEADERS, HTTP, OwnHttp, PRESETS, Session};
pub use listen::Stream;
pub use pointer::Pointer;
pub use reading::Counts;
pub use template::{Pieces, Template};

/// A value with its place in a file.
#[derive(Clone)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// The value as JSON, without secrets, for comparisons and cache keys.
    pub written: String,
    /// Its secrets: values of environment variables, by name.
    pub filled: Vec<(String, Secret)>,
    /// Its place.
    pub at: At,
}

impl<T> fmt::Debug for Told<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl<T> PartialEq for Told<T> {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// A place in a file.
pub type At = (Arc<SourceFile>, Span);

impl<T> Told<T> {
    /// File, line and column, for display.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.at)
    }
}

/// File, line and column, for display.
#[must_use]
pub fn place((file, span): &At) -> String {
    format!("{}:{}:{}", file.name(), span.line, span.column)
}

macro_rules! keys {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The settings of an `http` or `command` application, by key.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Own { $($(#[$doc])* pub $field: Option<Told<$type>>,)* }

        impl Own {
            /// These settings, completed by `other`.
            #[must_use]
            pub fn or(&self, other: &Self) -> Self {
                Self { $($field: self.$field.clone().or_else(|| other.$field.clone()),)* }
            }

            /// The keys that are set, with their values as JSON and their places.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, &str, &At)> {
                let all = [$(self.$field.as_ref().map(|told| (stringify!($field), told.written.as_str(), &told.at)),)*];
                all.into_iter().flatten().collect()
            }
        }
    };
}

keys! {
    /// Address, with `{{NAME}}` in path and query.
    url: Pieces,
    /// Method of the request.
    method: String,
    /// Headers by name.
    headers: Vec<OwnHeader>,
    /// The request body.
    body: Template,
    /// Where the session id is.
    session: Session,
    /// Whether only the newest message is sent.
    stateful: bool,
    /// How to read server-sent events.
    sse: Stream,
    /// Whether the answer is JSON lines.
    lines: bool,
    /// Statuses that count as an answer.
    ok: Vec<u16>,
    /// The header that carries the key.
    auth: Auth,
    /// The preset for keys that are not set.
    like: String,
    /// The program and its arguments.
    command: Vec<String>,
    /// The program's input.
    input: Input,
    /// Whether one process answers many requests.
    persistent: bool,
    /// Environment variables passed to the program.
    env: Vec<String>,
    /// Where the text is; the pointers are tried in order.
    answer: Vec<Pointer>,
    /// Where the tool calls are.
    tools: Pointer,
    /// Where the application's state is.
    state: Pointer,
    /// Where the stop word is.
    stop: Pointer,
    /// Where the token counts are.
    usage: Counts,
}

/// All keys of only these two providers.
pub const OWN: &[Field] = &Field::join::<
    { http::FIELDS.len() + command::FIELDS.len() + reading::FIELDS.len() },
>(&[http::FIELDS, command::FIELDS, reading::FIELDS]);

/// Keys of other providers, and what to use instead for `http` and `command`; empty if the key is valid there, too.
const OF_OTHERS: [(&str, [&str; 2]); 10] = [
    ("baseUrl", ["use `url`", "remove it; a command has no address"]),
    ("apiKey", ["", IN_ENVIRONMENT]),
    ("apiKeyFile", ["", IN_ENVIRONMENT]),
    ("apiKeyCommand", ["", IN_ENVIRONMENT]),
    ("headers", ["", IN_ENVIRONMENT]),
    ("organization", ["add it as a header under `headers`", IN_ENVIRONMENT]),
    ("extraBody", ["add it to `body`", ITS_OWN]),
    ("stream", ["use `sse` if the bot streams its answer", ITS_OWN]),
    ("defaultModel", [ITS_OWN, ITS_OWN]),
    ("file", ["set `provider: replies`", "set `provider: replies`"]),
];

const IN_ENVIRONMENT: &str = "put it into an environment variable, and list that variable under `env`";

const ITS_OWN: &str = "remove it; the bot chooses its model itself";

impl Own {
    /// Reads the keys of a mapping and reports all errors.
    #[must_use]
    pub fn read(fields: &Fields<'_>, file: &Arc<SourceFile>, found: &mut Diagnostics) -> Self {
        let mut own = Self::default();
        // Most mappings have none of these keys.
        let mut keys = OWN.iter().map(|field| field.name).chain(["headers", "like"]);
        if keys.any(|key| fields.key_span(key).is_some()) {
            let mut reader = Reader { fields, file, found };
            reading::read(&mut own, &mut reader);
            http::read(&mut own, &mut reader);
            command::read(&mut own, &mut reader);
        }
        own
    }

    /// The providers that have a key; empty if others have it, too.
    #[must_use]
    pub fn takers(key: &str) -> &'static [&'static str] {
        let has = |table: &[Field]| table.iter().any(|field| field.name == key);
        match (has(http::FIELDS), has(command::FIELDS), has(reading::FIELDS)) {
            (true, _, _) => &[HTTP],
            (_, true, _) => &[COMMAND],
            (_, _, true) => &[HTTP, COMMAND],
            (false, false, false) => &[],
        }
    }

    /// What to use instead of a key that `http` or `command` does not have.
    #[must_use]
    pub fn instead(provider: &str, key: &str) -> Option<&'static str> {
        let column = [HTTP, COMMAND].into_iter().position(|name| name == provider)?;
        let (_, help) = OF_OTHERS.into_iter().find(|(name, _)| *name == key)?;
        Some(help[column]).filter(|help| !help.is_empty())
    }

    /// These settings, with environment variables in headers filled in.
    #[must_use]
    pub fn filled(mut self, environment: &Environment) -> Self {
        let headers = self.headers.iter_mut().flat_map(|told| &mut told.value);
        headers.for_each(|header| header.fill_in(environment));
        self
    }

    /// The settings for reading answers, which `http` and `command` share.
    #[must_use]
    pub fn reading(&self) -> Self {
        let Self { answer, tools, state, stop, usage, .. } = self.with_preset();
        Self { answer, tools, state, stop, usage, ..Self::default() }
    }

    /// Whether variables of the case are sent.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        !self.names().is_empty()
    }

    /// The first `{{NAME}}` that is unknown: key, name and place.
    #[must_use]
    pub fn unknown(&self, is_known: impl Fn(&str) -> bool) -> Option<(&'static str, &str, &At)> {
        self.names().into_iter().find(|(_, name, _)| !is_known(name))
    }

    /// The error for an unknown name, and how to fix it.
    #[must_use]
    pub fn undefined(key: &str, name: &str) -> (String, String) {
        let name = text::excerpt(name, 60);
        let message = format!("`{{{{{name}}}}}` in `{key}` is not a variable of the case");
        let known = "akit itself fills in `{{prompt}}`, `{{messages}}`, `{{conversation_id}}`, `{{turn}}` and `{{session}}`";
        (message, format!("add `{name}` to `variables`; {known}"))
    }

    /// Its variables, each with key and place.
    fn names(&self) -> Vec<(&'static str, &str, &At)> {
        let mut names = Vec::new();
        if let Some(url) = &self.url {
            names.extend(url.value.variables().map(|name| ("url", name, &url.at)));
        }
        if let Some(body) = &self.body {
            names.extend(body.value.variables().into_iter().map(|name| ("body", name, &body.at)));
        }
        if let Some(headers) = &self.headers {
            let all = headers.value.iter().flat_map(OwnHeader::variables);
            names.extend(all.map(|name| ("headers", name, &headers.at)));
        }
        names
    }

    /// Whether the prompt is sent at all.
    #[must_use]
    pub fn asks(&self) -> bool {
        let in_text = |pieces: &Pieces| pieces.has(&["prompt"]);
        self.body.as_ref().is_some_and(|body| body.value.asks())
            || self.url.as_ref().is_some_and(|url| in_text(&url.value))
            || self.headers.iter().flat_map(|told| &told.value).any(|header| header.has(&["prompt"]))
    }

    /// Whether the whole conversation is sent, not only its last message.
    #[must_use]
    pub fn sends_history(&self) -> bool {
        let is_json = self.input.as_ref().map(|input| input.value).unwrap_or_default() == Input::Json;
        let is_persistent = self.persistent.as_ref().is_some_and(|one| one.value);
        let by_line = self.command.is_some() && (is_json || is_persistent);
        by_line || self.body.as_ref().is_some_and(|body| body.value.has_messages())
    }

    /// The variables that are sent, with their values.
    #[must_use]
    pub fn used(&self, variables: &BTreeMap<String, String>) -> serde_json::Map<String, Json> {
        let names = self.names().into_iter();
        names
            .filter_map(|(_, name, _)| Some((name.to_owned(), variables.get(name)?.as_str().into())))
            .collect()
    }

    /// The error if simulated functions return something that is not sent, and how to fix it.
    #[must_use]
    pub fn unreturned(is_http: bool) -> (&'static str, &'static str) {
        let help = if is_http {
            "add `messages: \"{{messages}}\"` to `body`; it includes each result as a message with the role `tool`"
        } else {
            "set `input: json`; its `messages` include each result as a message with the role `tool`"
        };
        ("`setup.functions` has `returns`, but the results of calls are not sent to the bot", help)
    }

    /// What affects an answer besides the address, for the cache key, without secrets.
    fn keyed(&self, variables: &BTreeMap<String, String>) -> Json {
        // Not relevant to the answer, or covered by other keys.
        const LEFT: [&str; 4] = ["url", "auth", "like", "persistent"];
        let mut keyed: serde_json::Map<String, Json> = self
            .entries()
            .into_iter()
            .filter(|(key, ..)| !LEFT.contains(key))
            .map(|(key, written, _)| (key.to_owned(), serde_json::from_str(written).unwrap_or_default()))
            .collect();
        let used = self.used(variables);
        if !used.is_empty() {
            keyed.insert("variables".to_owned(), used.into());
        }
        // The address has only their names. Named keys may be rotated; other values may affect the answer.
        let filled = self.url.iter().flat_map(|url| &url.filled).filter(|(name, _)| !looks_secret(name, ""));
        let values: Vec<Json> = filled.map(|(_, value)| value.expose().into()).collect();
        if !values.is_empty() {
            keyed.insert("url".to_owned(), crate::canonical::digest(&values.into()).into());
        }
        keyed.into()
    }
}

/// A mapping being read.
struct Reader<'a, 'f> {
    fields: &'a Fields<'f>,
    file: &'a Arc<SourceFile>,
    found: &'a mut Diagnostics,
}

impl<'f> Reader<'_, 'f> {
    /// Reads the value of a key with `read`, unless a variable that it needs is not set.
    fn told<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &'f Node) -> Option<T>) -> Option<Told<T>> {
        let node = self.fields.node(key).filter(|node| !waits(node))?;
        let value = read(self, node)?;
        let span = self.fields.key_span(key).unwrap_or(node.span);
        let written = self.named(&node.to_json()).to_string();
        let mut filled = Vec::new();
        self.secrets(key, node, &mut filled);
        Some(Told { value, written, filled, at: (Arc::clone(self.file), span) })
    }

    /// Collects environment values that look like secrets, by value or by name; for an address, its secret parts.
    fn secrets(&self, key: &str, node: &Node, found: &mut Vec<(String, Secret)>) {
        match &node.value {
            Value::String(text) => {
                for (value, name) in self.found.filled(text) {
                    if value.contains("://") {
                        let parts = header::secrets_of_address(value).into_iter();
                        found.extend(parts.map(|part| (name.to_owned(), Secret::new(part))));
                        continue;
                    }
                    let before = text.split_once(value).map_or("", |(before, _)| before);
                    let parameter = before.rsplit(['?', '&']).next().filter(|one| one.ends_with('='));
                    let names = [key, parameter.unwrap_or_default()];
                    if looks_secret(name, value) || names.iter().any(|name| looks_secret(name, "")) {
                        found.push((name.to_owned(), Secret::new(value)));
                    }
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.secrets(key, item, found)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    self.secrets(key.as_str().unwrap_or_default(), value, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Waiting => {}
        }
    }

    fn text<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Self, &'f str, Span) -> Option<T>,
    ) -> Option<Told<T>> {
        self.told(key, |reader, node| read(reader, node.as_str()?, node.span))
    }

    fn word<T: std::str::FromStr>(&mut self, key: &str) -> Option<Told<T>> {
        self.text(key, |_, word, _| word.parse().ok())
    }

    fn flag(&mut self, key: &str) -> Option<Told<bool>> {
        self.told(key, |_, node| match node.value {
            Value::Bool(value) => Some(value),
            _ => None,
        })
    }

    fn texts(&mut self, key: &str) -> Option<Told<Vec<String>>> {
        let texts = self.fields.strings(key);
        self.told(key, |_, _| Some(texts))
    }

    /// A value with environment values replaced by the names of their variables, because they may be secrets.
    fn named(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => self.found.named(text).into(),
            Json::Array(items) => items.iter().map(|item| self.named(item)).collect(),
            Json::Object(entries) => {
                let named = entries.iter().map(|(key, value)| (key.clone(), self.named(value)));
                named.collect::<serde_json::Map<_, _>>().into()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
        }
    }

    /// Parses a pointer, or reports an error.
    fn pointer(&mut self, text: &str, span: Span) -> Option<Pointer> {
        match Pointer::parse(text) {
            Ok(pointer) => Some(pointer),
            Err(meant) => {
                let message =
                    format!("`{}` is not a JSON pointer, which starts with `/`", text::excerpt(text, 60));
                self.wrong(span, message, format!("write `{}`", text::excerpt(&meant, 60)));
                None
            }
        }
    }

    fn wrong(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::error("wrong-value", self.file, span, message.into()).help(help));
    }
}

/// Whether a part of the value needs a variable that is not set.
fn waits(node: &Node) -> bool {
    match &node.value {
        Value::Waiting => true,
        Value::List(items) => items.iter().any(waits),
        Value::Map(entries) => entries.iter().any(|(_, value)| waits(value)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => false,
    }
}

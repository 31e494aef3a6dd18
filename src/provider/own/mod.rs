//! The user's own bot, over HTTP or as a command: what is sent to it, and how what it says is read.
//!
//! Each of both has the table of its keys and their reading in its own file; how answers are read is common to both.

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
pub use header::{OwnHeader, looks_secret};
pub use http::{Auth, HEADERS, HTTP, OwnHttp, PRESETS, Session};
pub use listen::Stream;
pub use pointer::Pointer;
pub use reading::Counts;
pub use template::{Pieces, Template};

/// A value, and where it is written.
#[derive(Clone)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// The same as JSON, for comparisons and keys; secrets are not in it.
    pub written: String,
    /// What of it must not be shown: values of variables of the environment, by the names of these.
    pub filled: Vec<(String, Secret)>,
    /// Where it is written.
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
    /// File, line and column, for people.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.at)
    }
}

/// File, line and column, for people.
#[must_use]
pub fn place((file, span): &At) -> String {
    format!("{}:{}:{}", file.name(), span.line, span.column)
}

macro_rules! keys {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// What is said of the user's own bot, by the names of the keys.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Own { $($(#[$doc])* pub $field: Option<Told<$type>>,)* }

        impl Own {
            /// What this says, and of what it does not say the other.
            #[must_use]
            pub fn or(&self, other: &Self) -> Self {
                Self { $($field: self.$field.clone().or_else(|| other.$field.clone()),)* }
            }

            /// The keys that say something, with what they say, as JSON, and where.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, &str, &At)> {
                let all = [$(self.$field.as_ref().map(|told| (stringify!($field), told.written.as_str(), &told.at)),)*];
                all.into_iter().flatten().collect()
            }
        }
    };
}

keys! {
    /// Address, with names in path and query.
    url: Pieces,
    /// Method of the request.
    method: String,
    /// Headers by their names.
    headers: Vec<OwnHeader>,
    /// What is sent.
    body: Template,
    /// What the server wants to be known again by.
    session: Session,
    /// Whether only the newest message is sent.
    stateful: bool,
    /// How a stream of events is read.
    sse: Stream,
    /// Whether each line is JSON of its own.
    lines: bool,
    /// Statuses of an answer.
    ok: Vec<u16>,
    /// The header that is made of the key.
    auth: Auth,
    /// The preset for what is not said.
    like: String,
    /// The program and its arguments.
    command: Vec<String>,
    /// What the program reads.
    input: Input,
    /// Whether a program answers more than once.
    persistent: bool,
    /// Variables of the environment that the program gets.
    env: Vec<String>,
    /// Where the text is, tried in turn.
    answer: Vec<Pointer>,
    /// Where the tool calls are.
    tools: Pointer,
    /// Where the application's state is.
    state: Pointer,
    /// Where it says why the answer ended.
    stop: Pointer,
    /// Where the counts of tokens are.
    usage: Counts,
}

/// Every key that only these two have.
pub const OWN: &[Field] = &Field::join::<
    { http::FIELDS.len() + command::FIELDS.len() + reading::FIELDS.len() },
>(&[http::FIELDS, command::FIELDS, reading::FIELDS]);

/// Keys of others that are none of an own bot's, with what `http` and `command` have in their place; nothing where it is
/// one of theirs, too.
const OF_OTHERS: [(&str, [&str; 2]); 10] = [
    ("baseUrl", ["write `url`", "remove it: a command has no address"]),
    ("apiKey", ["", IN_ENVIRONMENT]),
    ("apiKeyFile", ["", IN_ENVIRONMENT]),
    ("apiKeyCommand", ["", IN_ENVIRONMENT]),
    ("headers", ["", IN_ENVIRONMENT]),
    ("organization", ["write it as a header under `headers`", IN_ENVIRONMENT]),
    ("extraBody", ["write it into `body`", ITS_OWN]),
    ("stream", ["write `sse` where the bot streams its answer", ITS_OWN]),
    ("defaultModel", [ITS_OWN, ITS_OWN]),
    ("file", ["write `provider: replies`", "write `provider: replies`"]),
];

const IN_ENVIRONMENT: &str = "name the variable that holds it under `env`";

const ITS_OWN: &str = "remove it: the bot knows its model";

impl Own {
    /// Reads the keys of a mapping; reports all that is wrong.
    #[must_use]
    pub fn read(fields: &Fields<'_>, file: &Arc<SourceFile>, found: &mut Diagnostics) -> Self {
        let mut own = Self::default();
        // Few mappings have one of these keys.
        let mut keys = OWN.iter().map(|field| field.name).chain(["headers", "like"]);
        if keys.any(|key| fields.key_span(key).is_some()) {
            let mut reader = Reader { fields, file, found };
            reading::read(&mut own, &mut reader);
            http::read(&mut own, &mut reader);
            command::read(&mut own, &mut reader);
        }
        own
    }

    /// The providers that a key is for; nobody where it is for others, too.
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

    /// What a provider of own bots has in the place of a key that it has not.
    #[must_use]
    pub fn instead(provider: &str, key: &str) -> Option<&'static str> {
        let column = [HTTP, COMMAND].into_iter().position(|name| name == provider)?;
        let (_, help) = OF_OTHERS.into_iter().find(|(name, _)| *name == key)?;
        Some(help[column]).filter(|help| !help.is_empty())
    }

    /// The same with the headers' variables of the environment filled.
    #[must_use]
    pub fn filled(mut self, environment: &Environment) -> Self {
        let headers = self.headers.iter_mut().flat_map(|told| &mut told.value);
        headers.for_each(|header| header.fill_in(environment));
        self
    }

    /// How its answers are read, which is the same whoever carries them.
    #[must_use]
    pub fn reading(&self) -> Self {
        let Self { answer, tools, state, stop, usage, .. } = self.with_preset();
        Self { answer, tools, state, stop, usage, ..Self::default() }
    }

    /// Whether variables of the case are sent beside what is asked.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        !self.names().is_empty()
    }

    /// Names in it that are neither akit's nor variables of these: the key, the name and where it stands.
    #[must_use]
    pub fn unknown(&self, is_known: impl Fn(&str) -> bool) -> Option<(&'static str, &str, &At)> {
        self.names().into_iter().find(|(_, name, _)| !is_known(name))
    }

    /// What is said of such a name, and how to fix it.
    #[must_use]
    pub fn undefined(key: &str, name: &str) -> (String, String) {
        let name = text::excerpt(name, 60);
        let message = format!("`{{{{{name}}}}}` in `{key}` is no variable of the case");
        let known =
            "akit fills `{{prompt}}`, `{{messages}}`, `{{conversation_id}}`, `{{turn}}` and `{{session}}`";
        (message, format!("add `{name}` to `variables`: {known}"))
    }

    /// The variables in it, each with the key and its place.
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

    /// Whether what is asked is sent at all.
    #[must_use]
    pub fn asks(&self) -> bool {
        let in_text = |pieces: &Pieces| pieces.has(&["prompt"]);
        self.body.as_ref().is_some_and(|body| body.value.asks())
            || self.url.as_ref().is_some_and(|url| in_text(&url.value))
            || self.headers.iter().flat_map(|told| &told.value).any(|header| header.has(&["prompt"]))
    }

    /// Whether all of a conversation is sent, and not only its last message.
    #[must_use]
    pub fn sends_history(&self) -> bool {
        let is_json = self.input.as_ref().map(|input| input.value).unwrap_or_default() == Input::Json;
        let is_persistent = self.persistent.as_ref().is_some_and(|one| one.value);
        let by_line = self.command.is_some() && (is_json || is_persistent);
        by_line || self.body.as_ref().is_some_and(|body| body.value.has_messages())
    }

    /// The variables that go along, with their values.
    #[must_use]
    pub fn used(&self, variables: &BTreeMap<String, String>) -> serde_json::Map<String, Json> {
        let names = self.names().into_iter();
        names
            .filter_map(|(_, name, _)| Some((name.to_owned(), variables.get(name)?.as_str().into())))
            .collect()
    }

    /// What is said where functions are played, and what they return is not sent, and how to fix it.
    #[must_use]
    pub fn unreturned(is_http: bool) -> (&'static str, &'static str) {
        let help = if is_http {
            "add `messages: \"{{messages}}\"` to `body`, in which each result is a message of `tool`"
        } else {
            "write `input: json`: each result is a message of `tool` in `messages`"
        };
        ("`setup.functions` has `returns`, and the bot is not sent what its calls return", help)
    }

    /// What decides an answer beside the address, for the key of its record: no secret is in it.
    fn keyed(&self, variables: &BTreeMap<String, String>) -> Json {
        // Who pays, how the program is run, and what the other keys come from.
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
        // The address has their names. What is called a key may be rotated; what only looks like one may choose the answer.
        let filled = self.url.iter().flat_map(|url| &url.filled).filter(|(name, _)| !looks_secret(name, ""));
        let values: Vec<Json> = filled.map(|(_, value)| value.expose().into()).collect();
        if !values.is_empty() {
            keyed.insert("url".to_owned(), crate::canonical::digest(&values.into()).into());
        }
        keyed.into()
    }
}

/// A mapping whose keys are read.
struct Reader<'a, 'f> {
    fields: &'a Fields<'f>,
    file: &'a Arc<SourceFile>,
    found: &'a mut Diagnostics,
}

impl<'f> Reader<'_, 'f> {
    /// What a key says, read by its own code; a value that waits for the environment is not read.
    fn told<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &'f Node) -> Option<T>) -> Option<Told<T>> {
        let node = self.fields.node(key).filter(|node| !waits(node))?;
        let value = read(self, node)?;
        let span = self.fields.key_span(key).unwrap_or(node.span);
        let written = self.named(&node.to_json()).to_string();
        let mut filled = Vec::new();
        self.secrets(key, node, &mut filled);
        Some(Told { value, written, filled, at: (Arc::clone(self.file), span) })
    }

    /// Values of the environment that look like secrets, or stand under a name that does; of an address, its parts.
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

    /// A value with the name of each variable of the environment in place of its value, which may be a secret.
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

    /// A pointer; what is none is reported.
    fn pointer(&mut self, text: &str, span: Span) -> Option<Pointer> {
        match Pointer::parse(text) {
            Ok(pointer) => Some(pointer),
            Err(meant) => {
                let message =
                    format!("`{}` is no JSON pointer, which begins with `/`", text::excerpt(text, 60));
                self.wrong(span, message, format!("write `{}`", text::excerpt(&meant, 60)));
                None
            }
        }
    }

    fn wrong(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::error("wrong-value", self.file, span, message.into()).help(help));
    }
}

/// Whether something in a value waits for the environment.
fn waits(node: &Node) -> bool {
    match &node.value {
        Value::Waiting => true,
        Value::List(items) => items.iter().any(waits),
        Value::Map(entries) => entries.iter().any(|(_, value)| waits(value)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => false,
    }
}

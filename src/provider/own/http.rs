//! `http`: an application at its own address, with its own request body.

use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value as Json;
use strum::{EnumString, VariantNames};

use super::super::call::lost;
use super::super::endpoint::{Address, AddressError};
use super::super::stream::Pace;
use super::super::{ChatRequest, Completion, Endpoint, Pending, Provider, ProviderError};
use super::header::{self, OwnHeader};
use super::listen::{Stream, listened};
use super::pointer::Pointer;
use super::reading::Body;
use super::template::Filling;
use super::{Own, Pieces, Reader, Template, Told};
use crate::http::{self, Http};
use crate::secret::Secret;
use crate::source::{Diagnostics, Field, Fields, Node, Shape, SourceFile, Span, Value};
use crate::text;

/// The provider's name.
pub const HTTP: &str = "http";

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH"];

const SESSION: &[Field] = &[
    Field::optional("from", Shape::Text, "JSON pointer to the session ID in the first answer."),
    Field::optional("header", Shape::Name, "Header of the first answer that has the session ID."),
    Field::optional(
        "cookie",
        Shape::Name,
        "Cookie from the first answer, sent back with every later message.",
    ),
];

const SSE: &[Field] = &[
    Field::optional("event", Shape::Name, "Name of the events that have parts of the answer (all events)."),
    Field::optional(
        "answer",
        Shape::Text,
        "JSON pointer to the text in each event's data (the data itself is the text).",
    ),
    Field::optional("done", Shape::Name, "Data or name of the event that ends the stream (`[DONE]`)."),
];

/// Presets by name under `like:`, with their settings.
pub const PRESETS: [(&str, &str); 3] = [
    (
        "rasa",
        "body: { sender: \"{{conversation_id}}\", message: \"{{prompt}}\" }\nanswer: /*/text\nstateful: true\n",
    ),
    (
        "dialogflow-cx",
        "body: { queryInput: { text: { text: \"{{prompt}}\" }, languageCode: en } }\n\
         answer: /queryResult/responseMessages/*/text/text/*\nstate: /queryResult\nauth: bearer\nstateful: true\n",
    ),
    (
        "langgraph",
        "body:\n  assistant_id: agent\n  input: { messages: [{ role: user, content: \"{{prompt}}\" }] }\n  if_not_exists: create\n\
         answer: [/messages/-/content, /messages/-/content/*/text]\ntools: /messages/>human/tool_calls\nstateful: true\n",
    ),
];

/// Headers, also for vendors' servers.
pub const HEADERS: Field = Field::optional(
    "headers",
    Shape::Scalars,
    "Extra request headers; write `${NAME}` for secrets. Provider `http` fills in `{{NAME}}`.",
);

/// Keys of the provider.
pub(super) const FIELDS: &[Field] = &[
    Field::optional("url", Shape::Name, "Provider `http`: address; `{{NAME}}` is allowed in path and query."),
    Field::optional("method", Shape::OneOf(METHODS), "Provider `http`: method (POST; GET without a `body`)."),
    Field::optional(
        "body",
        Shape::Part("body"),
        "Provider `http`: request body, an object or a string with `{{prompt}}`, `{{messages}}`, `{{conversation_id}}`, `{{turn}}`, `{{session}}` and variables.",
    ),
    Field::optional(
        "session",
        Shape::Object(SESSION),
        "Provider `http`: where to find the session ID in the server's first answer.",
    ),
    Field::optional(
        "stateful",
        Shape::Bool,
        "Provider `http`: whether the server keeps the conversation, so only the newest message is sent (false).",
    ),
    Field::optional(
        "sse",
        Shape::Object(SSE),
        "Provider `http`: how to read a stream of server-sent events.",
    ),
    Field::optional(
        "lines",
        Shape::Bool,
        "Provider `http`: whether the answer is JSON lines, whose texts are joined (false).",
    ),
    Field::optional(
        "ok",
        Shape::Part("statuses"),
        "Provider `http`: statuses that count as an answer, such as [200, 202] (every 2xx).",
    ),
    Field::optional(
        "auth",
        Shape::OneOf(Auth::VARIANTS),
        "Provider `http`: which authorization header `apiKey` goes into (bearer).",
    ),
];

/// The authorization header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `Authorization: Basic …`, for a key in the form `user:password`.
    Basic,
}

/// Where the first answer has the session id.
#[derive(Clone, Debug)]
pub enum Session {
    /// In the body.
    From(Pointer),
    /// In a header.
    Header(String),
    /// In a cookie.
    Cookie(String),
}

pub(super) fn read(own: &mut Own, reader: &mut Reader<'_, '_>) {
    own.url = reader.text("url", url);
    own.method = reader.text("method", |_, text, _| Some(text.to_owned()));
    own.headers = reader.told("headers", header::read);
    if let Some(told) = &mut own.headers {
        told.written = header::keyed(&told.value);
    }
    own.body = reader.told("body", body);
    // Environment values in a body affect the answer; in a header they are mostly keys.
    if let (Some(told), Some(node)) = (&mut own.body, reader.fields.node("body")) {
        let plain = node.to_json();
        if reader.named(&plain) != plain {
            let digest = crate::canonical::digest(&plain);
            told.written =
                serde_json::json!({ "template": reader.named(&plain), "values": digest }).to_string();
        }
    }
    let session_fields = reader.fields.object("session");
    own.session = reader.told("session", |reader, _| session(reader, &session_fields?));
    own.stateful = reader.flag("stateful");
    let sse = reader.fields.object("sse");
    own.sse = reader.told("sse", |reader, _| {
        let fields = sse?;
        let answer = match fields.text("answer") {
            Some((text, span)) => Some(reader.pointer(text, span)?),
            None => None,
        };
        Some(Stream {
            event: fields.string("event"),
            answer,
            done: fields.string("done").unwrap_or_else(|| "[DONE]".to_owned()),
        })
    });
    own.lines = reader.flag("lines");
    if let (Some(_), Some(Told { at: (_, span), value: true, .. })) = (&own.sse, &own.lines) {
        reader.wrong(*span, "`lines` and `sse` are both set", "keep the one the server uses");
    }
    own.ok = reader.told("ok", statuses);
    own.auth = reader.word("auth");
    // Any other name is a vendor's server.
    let is_preset = |text: &&str| PRESETS.iter().any(|(name, _)| name == text);
    own.like = reader.text("like", |_, text, _| Some(text).filter(is_preset).map(str::to_owned));
}

/// Parses an address; `{{NAME}}` is allowed after the server only.
fn url(reader: &mut Reader<'_, '_>, text: &str, span: Span) -> Option<Pieces> {
    let pieces = Pieces::parse(&text.trim().replace("{{ ", "{{").replace(" }}", "}}"));
    let is_fixed = |pieces: &Pieces| {
        let behind = pieces.head().split_once("://").map(|(_, rest)| rest);
        behind.is_none_or(|rest| rest.contains(['/', '?'])) || pieces.written() == pieces.head()
    };
    let (message, help) = match pieces {
        Ok(pieces) if pieces.has(&["messages"]) => (
            "`{{messages}}` is a list and cannot be part of a string".to_owned(),
            "use it as a separate value in `body`",
        ),
        Ok(pieces) if is_fixed(&pieces) => return Some(pieces),
        Ok(_) => (
            "the server in `url` contains `{{NAME}}`".to_owned(),
            "write scheme, host and port literally; use `{{NAME}}` in path and query only",
        ),
        Err(trouble) => (format!("`url`: {trouble}"), "use a name such as `{{conversation_id}}`"),
    };
    reader.wrong(span, message, help);
    None
}

fn body(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Template> {
    if !matches!(node.value, Value::Map(_) | Value::List(_) | Value::String(_)) {
        let message = format!("`body` must be a mapping, a list or a string, found {}", node.value.kind());
        reader.wrong(node.span, message, "write it as `body: { text: \"{{prompt}}\" }`");
        return None;
    }
    let mut wrong = Vec::new();
    let template = Template::read(node, &mut |node: &Node, trouble| wrong.push((node.span, trouble)));
    if template == Template::Messages {
        wrong.push((node.span, "`{{messages}}` is a list, but `body` is a string".to_owned()));
    }
    for (span, trouble) in wrong {
        let help = "use `{{messages}}` as a separate value, and `\\{{` for literal braces";
        reader.wrong(span, format!("`body`: {trouble}"), help);
    }
    Some(template)
}

fn session(reader: &mut Reader<'_, '_>, fields: &Fields<'_>) -> Option<Session> {
    match [fields.text("from"), fields.text("header"), fields.text("cookie")] {
        [Some((text, span)), None, None] => Some(Session::From(reader.pointer(text, span)?)),
        [None, Some((name, _)), None] => Some(Session::Header(name.to_owned())),
        [None, None, Some((name, _))] => Some(Session::Cookie(name.to_owned())),
        _ => {
            let message = "`session` must have exactly one of `from`, `header` and `cookie`";
            reader.wrong(fields.span(), message, "write it as `session: { from: /session }`");
            None
        }
    }
}

fn statuses(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Vec<u16>> {
    let status = |node: &Node| match node.value {
        // A redirect is not an answer.
        Value::Integer(status @ (200..=299 | 400..=599)) => u16::try_from(status).ok(),
        _ => None,
    };
    let all: Option<Vec<u16>> = node.items().iter().map(status).collect();
    let all = all.filter(|all| !all.is_empty());
    if all.is_none() {
        reader.wrong(
            node.span,
            "`ok` must be a list of HTTP statuses from 200 to 299 or 400 to 599",
            "write it as `ok: [200, 202]`",
        );
    }
    all
}

/// Keys of a preset.
const IN_PRESETS: &[Field] = &Field::join::<{ super::OWN.len() + 2 }>(&[
    super::OWN,
    &[HEADERS, Field::optional("like", Shape::Name, "")],
]);

impl Own {
    /// These settings, completed by their preset.
    #[must_use]
    pub fn with_preset(&self) -> Self {
        let Some(like) = &self.like else { return self.clone() };
        let preset = PRESETS.into_iter().find(|(name, _)| *name == like.value);
        let preset = preset.and_then(|(name, text)| {
            let file = Arc::new(SourceFile::from_text(&format!("like: {name}"), text));
            let node = Node::parse(&file).ok()?;
            let mut found = Diagnostics::default();
            let fields = Fields::check(&node, IN_PRESETS, "a preset", &file, &mut found)?;
            Some(Self::read(&fields, &file, &mut found))
        });
        // Errors are reported at a key that the user can change.
        preset.map_or_else(|| self.clone(), |preset| self.or(&preset))
    }
}

/// An application over HTTP.
#[derive(Debug)]
pub struct OwnHttp {
    http: Http,
    endpoint: Endpoint,
    pub(super) own: Own,
    url: Pieces,
    /// The address for display.
    host: String,
    key: Option<Secret>,
    /// Secrets, which are not shown.
    pub(super) secrets: Vec<Secret>,
}

impl OwnHttp {
    /// Prepares a server; connects to nothing. `server` replaces the one in `url`.
    ///
    /// # Errors
    /// If the address is not an http or https URL with a host.
    pub fn new(
        http: Http,
        own: Own,
        key: Option<Secret>,
        server: Option<&str>,
    ) -> Result<Self, AddressError> {
        let written = own.url.as_ref().map(|url| url.value.written().to_owned()).unwrap_or_default();
        let written =
            match server.map(|server| (server.trim().trim_end_matches('/'), written.split_once("://"))) {
                Some((server, Some((_, rest)))) => {
                    Address::exact(server)?;
                    format!("{server}{}", rest.find(['/', '?']).map_or("", |at| &rest[at..]))
                }
                _ => written,
            };
        let filled = own.url.as_ref().map(|url| url.filled.as_slice()).unwrap_or_default();
        // After the server, values are replaced by their names.
        let named = |name: fn(&str) -> String| {
            let server = written.find("://").map_or(0, |at| at + 3);
            let server = written[server..].find(['/', '?']).map_or(written.len(), |at| server + at);
            let (server, rest) = written.split_at(server);
            let name =
                |rest: String, (key, value): &(String, Secret)| rest.replace(value.expose(), &name(key));
            server.to_owned() + &filled.iter().fold(rest.to_owned(), name)
        };
        let endpoint = Address::exact(&named(|name| format!("${name}")))?.endpoint(HTTP);
        let host = named(|name| format!("${{{name}}}")).split('?').next().unwrap_or_default().to_owned();
        let url = Pieces::parse(&written).unwrap_or_default();
        let auth = own.auth.as_ref().map(|told| told.value).unwrap_or_default();
        let secrets = secrets(&own, key.as_ref(), auth);
        Ok(Self { http, endpoint, own, url, host, key, secrets })
    }

    /// The address for display, without the query.
    pub(super) fn host(&self) -> String {
        self.host.clone()
    }

    pub(super) fn misread(&self, whole: &str, reason: &str, help: String) -> ProviderError {
        let whole = self.scrub(whole);
        Body { whole: &whole, host: &self.host(), ..Body::default() }.misread(reason, help)
    }

    /// The headers, with the session's cookie.
    fn headers(&self, filling: &Filling<'_>, request: &ChatRequest) -> Result<HeaderMap, ProviderError> {
        let mut all = HeaderMap::new();
        let unfit = |name: &str| {
            let place = self.own.headers.as_ref().map(Told::place).unwrap_or_default();
            let reason = format!("header `{name}` would contain a line break or another invalid character");
            self.misread("", &reason, format!("change the value in `headers` ({place})"))
        };
        for header in self.own.headers.iter().flat_map(|told| &told.value) {
            let (name, value) = header.fill(filling).ok_or_else(|| unfit(header.name()))?;
            all.insert(name, value);
        }
        if let (Some(Session::Cookie(name)), Some(session)) =
            (self.own.session.as_ref().map(|told| &told.value), &request.conversation.session)
        {
            let cookie = HeaderValue::from_str(&format!("{name}={session}")).map_err(|_| unfit("cookie"))?;
            all.append(COOKIE, cookie);
        }
        Ok(all)
    }

    /// A string without secrets, which a server may repeat.
    pub(super) fn scrub(&self, text: &str) -> String {
        Secret::scrub_all(&self.secrets, text)
    }

    async fn ask(&self, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let host = self.host();
        let filling = Filling::of(request, self.is_stateful());
        let url = Url::parse(&self.url.fill(&filling, percent))
            .map_err(|error| self.misread("", &error.to_string(), String::new()))?;
        let client = self
            .http
            .client(url.as_str())
            .map_err(|error| self.misread("", &error.to_string(), String::new()))?;
        let method = self.own.method.as_ref().map(|told| told.value.as_str());
        let method = method.unwrap_or(if self.own.body.is_some() { "POST" } else { "GET" });
        let headers = self.headers(&filling, request)?;
        let kind =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let mut call = client.request(Method::try_from(method).unwrap_or(Method::POST), url);
        if let Some(key) = &self.key {
            call = match (
                self.own.auth.as_ref().map(|told| told.value).unwrap_or_default(),
                key.expose().split_once(':'),
            ) {
                (Auth::Basic, Some((user, password))) => call.basic_auth(user, Some(password)),
                (Auth::Basic, None) => call.basic_auth(key.expose(), None::<&str>),
                (Auth::Bearer, _) => call.bearer_auth(key.expose()),
            };
        }
        call = match self.own.body.as_ref().map(|told| &told.value) {
            Some(Template::Text(pieces)) => call.body(pieces.fill(&filling, |value| escaped(value, &kind))),
            Some(template) => call.json(&template.fill(&filling)),
            None => call,
        };
        if kind.is_empty()
            && matches!(self.own.body.as_ref().map(|told| &told.value), Some(Template::Text(_)))
        {
            call = call.header(CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        let call = call.headers(headers);
        let (received, pace) = match &self.own.sse {
            Some(stream) => listened(call, &stream.value).await,
            None => http::send(call).await.map(|received| (received, Pace::default())),
        }
        .map_err(|error| lost(&host, error))?;
        self.read(received, &pace, request)
    }
}

/// The secrets of an application: its key with the password in it and its encoded form, secret parts of headers, and
/// values of environment variables in address and body.
fn secrets(own: &Own, key: Option<&Secret>, auth: Auth) -> Vec<Secret> {
    let of_key = key.into_iter().flat_map(|key| {
        let whole = key.expose();
        let password = whole.split_once(':').map_or(whole, |(_, password)| password);
        let user_and_password = if whole.contains(':') { whole.to_owned() } else { format!("{whole}:") };
        let encoded = (auth == Auth::Basic).then(|| text::base64(user_and_password.as_bytes()));
        [whole.to_owned(), password.to_owned()].into_iter().chain(encoded)
    });
    let in_url = own.url.iter().flat_map(|told| &told.filled);
    let encoded = in_url.clone().map(|(_, value)| Secret::new(percent(value.expose())));
    let filled = in_url.chain(own.body.iter().flat_map(|told| &told.filled));
    let filled = filled.map(|(_, value)| value.clone()).chain(encoded);
    let headers = own.headers.iter().flat_map(|told| &told.value).flat_map(OwnHeader::secrets);
    of_key.map(Secret::new).chain(headers).chain(filled).collect()
}

/// Escapes a value for an address.
fn percent(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// Escapes a value for a body of this content type.
fn escaped(value: &str, kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    if kind.contains("json") {
        let quoted = Json::from(value).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    } else if kind.contains("x-www-form-urlencoded") {
        percent(value)
    } else {
        value.to_owned()
    }
}

impl Provider for OwnHttp {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn is_stateful(&self) -> bool {
        self.own.stateful.as_ref().is_some_and(|told| told.value)
    }

    fn streams(&self) -> bool {
        self.own.sse.is_some()
    }

    fn sends_key(&self) -> bool {
        let mut headers = self.own.headers.iter().flat_map(|told| &told.value);
        self.key.is_some() || headers.any(|header| header.secrets().next().is_some())
    }

    fn keyed(&self, request: &ChatRequest) -> Option<Json> {
        Some(self.own.keyed(&request.variables))
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(self.ask(request))
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        Box::pin(async { Err(self.misread("", "it has no embeddings", String::new())) })
    }
}

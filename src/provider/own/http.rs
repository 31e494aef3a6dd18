//! `http`: a bot behind an address of its own, asked with a body of its own.

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

/// Its name under `provider:`.
pub const HTTP: &str = "http";

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH"];

const SESSION: &[Field] = &[
    Field::optional("from", Shape::Text, "JSON pointer to it in the first answer."),
    Field::optional("header", Shape::Name, "Header of the first answer that holds it."),
    Field::optional(
        "cookie",
        Shape::Name,
        "Cookie of the first answer, sent back with every further message.",
    ),
];

const SSE: &[Field] = &[
    Field::optional(
        "event",
        Shape::Name,
        "Name of the events that hold parts of the answer; all of them where it is missing.",
    ),
    Field::optional(
        "answer",
        Shape::Text,
        "JSON pointer into the data of each event; without it, the data is the text.",
    ),
    Field::optional("done", Shape::Name, "Data, or name of the event, that ends the stream (`[DONE]`)."),
];

/// Presets by their name under `like:`, each with what it says, in the same keys.
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

/// Headers, of servers of vendors as well.
pub const HEADERS: Field = Field::optional(
    "headers",
    Shape::Scalars,
    "Headers that go along; write `${NAME}` for what is secret. Provider `http` fills `{{NAME}}` in them.",
);

/// Keys of the provider.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "url",
        Shape::Name,
        "Provider `http`: address that is asked, with `{{NAME}}` in path and query.",
    ),
    Field::optional(
        "method",
        Shape::OneOf(METHODS),
        "Provider `http`: method (POST; GET where there is no `body`).",
    ),
    Field::optional(
        "body",
        Shape::Part("body"),
        "Provider `http`: what is sent, an object or a text with `{{prompt}}`, `{{messages}}`, `{{conversation_id}}`, `{{turn}}`, `{{session}}` and variables.",
    ),
    Field::optional(
        "session",
        Shape::Object(SESSION),
        "Provider `http`: where the server says how it wants to be known again.",
    ),
    Field::optional(
        "stateful",
        Shape::Bool,
        "Provider `http`: whether the server remembers, so that only the newest message is sent (false).",
    ),
    Field::optional(
        "sse",
        Shape::Object(SSE),
        "Provider `http`: how a stream of server-sent events is read.",
    ),
    Field::optional(
        "lines",
        Shape::Bool,
        "Provider `http`: whether the answer is JSON lines whose texts are joined (false).",
    ),
    Field::optional(
        "ok",
        Shape::Part("statuses"),
        "Provider `http`: statuses of an answer, such as [200, 202] (every 2xx).",
    ),
    Field::optional(
        "auth",
        Shape::OneOf(Auth::VARIANTS),
        "Provider `http`: the header that is made of `apiKey` (bearer).",
    ),
];

/// The header that is made of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `Authorization: Basic …`, of a key that is `user:password`.
    Basic,
}

/// What the server wants to be known again by.
#[derive(Clone, Debug)]
pub enum Session {
    /// In the body of its first answer.
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
    // What the environment puts into a body decides the answer; of a header it is a key more often than not.
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
        reader.wrong(*span, "`lines` stands beside `sse`", "keep the one that the server sends");
    }
    own.ok = reader.told("ok", statuses);
    own.auth = reader.word("auth");
    // Another one is a server of a vendor.
    let is_preset = |text: &&str| PRESETS.iter().any(|(name, _)| name == text);
    own.like = reader.text("like", |_, text, _| Some(text).filter(is_preset).map(str::to_owned));
}

/// An address; names in braces stand behind the server alone.
fn url(reader: &mut Reader<'_, '_>, text: &str, span: Span) -> Option<Pieces> {
    let pieces = Pieces::parse(&text.trim().replace("{{ ", "{{").replace(" }}", "}}"));
    let is_fixed = |pieces: &Pieces| {
        let behind = pieces.head().split_once("://").map(|(_, rest)| rest);
        behind.is_none_or(|rest| rest.contains(['/', '?'])) || pieces.written() == pieces.head()
    };
    let (message, help) = match pieces {
        Ok(pieces) if pieces.has(&["messages"]) => (
            "`{{messages}}` is a list and stands inside a text".to_owned(),
            "write it as a value of its own in `body`",
        ),
        Ok(pieces) if is_fixed(&pieces) => return Some(pieces),
        Ok(_) => (
            "the server in `url` has a name in braces in it".to_owned(),
            "write scheme, host and port as they are; names stand in path and query",
        ),
        Err(trouble) => (format!("`url`: {trouble}"), "write `{{conversation_id}}` or another name"),
    };
    reader.wrong(span, message, help);
    None
}

fn body(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Template> {
    if !matches!(node.value, Value::Map(_) | Value::List(_) | Value::String(_)) {
        let message = format!("`body` is a mapping, a list or a text, found {}", node.value.kind());
        reader.wrong(node.span, message, "write it as `body: { text: \"{{prompt}}\" }`");
        return None;
    }
    let mut wrong = Vec::new();
    let template = Template::read(node, &mut |node: &Node, trouble| wrong.push((node.span, trouble)));
    if template == Template::Messages {
        wrong.push((node.span, "`{{messages}}` is a list, and `body` is a text".to_owned()));
    }
    for (span, trouble) in wrong {
        let help = "write `{{messages}}` as a value of its own, and `\\{{` for braces";
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
            let message = "`session` has one of `from`, `header` and `cookie`";
            reader.wrong(fields.span(), message, "write `session: { from: /session }`");
            None
        }
    }
}

fn statuses(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Vec<u16>> {
    let status = |node: &Node| match node.value {
        // A redirect is no answer.
        Value::Integer(status @ (200..=299 | 400..=599)) => u16::try_from(status).ok(),
        _ => None,
    };
    let all: Option<Vec<u16>> = node.items().iter().map(status).collect();
    let all = all.filter(|all| !all.is_empty());
    if all.is_none() {
        reader.wrong(
            node.span,
            "`ok` is a list of HTTP statuses from 200 to 299 and from 400 to 599",
            "write it as `ok: [200, 202]`",
        );
    }
    all
}

/// Keys that a preset may have.
const IN_PRESETS: &[Field] = &Field::join::<{ super::OWN.len() + 2 }>(&[
    super::OWN,
    &[HEADERS, Field::optional("like", Shape::Name, "")],
]);

impl Own {
    /// The same, with what its preset says of the keys that are not written.
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
        // An error is told at the key that can be changed.
        preset.map_or_else(|| self.clone(), |preset| self.or(&preset))
    }
}

/// A bot over HTTP.
#[derive(Debug)]
pub struct OwnHttp {
    http: Http,
    endpoint: Endpoint,
    pub(super) own: Own,
    url: Pieces,
    /// The address for people.
    host: String,
    key: Option<Secret>,
    /// What must not be shown.
    pub(super) secrets: Vec<Secret>,
}

impl OwnHttp {
    /// Prepares a server; connects to nothing. A `server` takes the place of the one in `url`.
    ///
    /// # Errors
    /// When the address is no http or https URL with a host.
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
        // Where they stand behind the server, names stand for values.
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

    /// Who is asked, for people: without what a query may hold.
    pub(super) fn host(&self) -> String {
        self.host.clone()
    }

    pub(super) fn misread(&self, whole: &str, reason: &str, help: String) -> ProviderError {
        let whole = self.scrub(whole);
        Body { whole: &whole, host: &self.host(), ..Body::default() }.misread(reason, help)
    }

    /// The headers, with those of `auth` and of the session.
    fn headers(&self, filling: &Filling<'_>, request: &ChatRequest) -> Result<HeaderMap, ProviderError> {
        let mut all = HeaderMap::new();
        let unfit = |name: &str| {
            let place = self.own.headers.as_ref().map(Told::place).unwrap_or_default();
            let reason =
                format!("header `{name}` would hold a line end or another character that no header has");
            self.misread("", &reason, format!("put another value into `headers` ({place})"))
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

    /// The text without the values of the key and of the environment, which a server may repeat.
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

/// What must not be shown: of a key, which may be `user:password`, the password alone, and what a header makes of both.
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

/// A value as a part of an address.
fn percent(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// A value within a text of a content type.
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

//! `http`: a bot behind an address of its own, asked with a body of its own.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Method, Url};
use serde_json::Value as Json;
use strum::{EnumString, VariantNames};

use super::super::call::{lost, message_of};
use super::super::endpoint::{Address, AddressError};
use super::super::{ChatRequest, Completion, Endpoint, Pending, Provider, ProviderError, wait};
use super::events::events;
use super::pointer::Pointer;
use super::reading::Body;
use super::template::Filling;
use super::{Own, Pieces, Reader, Template, Told};
use crate::http::{self, Http, Received};
use crate::secret::Secret;
use crate::source::{Diagnostics, Field, Fields, Node, Shape, SourceFile, Value};
use crate::text;
use crate::vocabulary::Answer;
use std::sync::Arc;
use std::time::SystemTime;

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

/// What a preset says, in the same keys.
const PRESETS: [(&str, &str); 3] = [
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
         answer: [/messages/-/content, /messages/-/content/*/text]\ntools: /messages/-/tool_calls\nstateful: true\n",
    ),
];

/// The names of the presets.
const LIKE: [&str; PRESETS.len()] = {
    let mut names = [""; PRESETS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = PRESETS[index].0;
        index += 1;
    }
    names
};

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
    Field::optional("headers", Shape::Map, "Provider `http`: headers by their names."),
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
    Field::optional(
        "like",
        Shape::OneOf(&LIKE),
        "Provider `http`: the preset for keys that are not written.",
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

/// How a stream of events is read.
#[derive(Clone, Debug)]
pub struct Stream {
    event: Option<String>,
    answer: Option<Pointer>,
    done: String,
}

pub(super) fn read(own: &mut Own, reader: &mut Reader<'_, '_>) {
    own.url = reader.text("url", |reader, text, span| {
        let pieces = Pieces::parse(&text.trim().replace("{{ ", "{{").replace(" }}", "}}"));
        let is_fixed = |pieces: &Pieces| {
            let behind = pieces.head().split_once("://").map(|(_, rest)| rest);
            behind.is_none_or(|rest| rest.contains(['/', '?'])) || pieces.written() == pieces.head()
        };
        match pieces {
            Ok(pieces) if pieces.has(&["messages"]) => {
                reader.wrong(
                    span,
                    "`{{messages}}` is a list and stands inside a text",
                    "write it as a value of its own in `body`",
                );
                None
            }
            Ok(pieces) if is_fixed(&pieces) => Some(pieces),
            Ok(_) => {
                reader.wrong(
                    span,
                    "the server in `url` has a name in braces in it",
                    "write scheme, host and port as they are; names stand in path and query",
                );
                None
            }
            Err(trouble) => {
                reader.wrong(
                    span,
                    format!("`url`: {trouble}"),
                    "write `{{conversation_id}}` or another name",
                );
                None
            }
        }
    });
    own.method = reader.text("method", |_, text, _| Some(text.to_owned()));
    own.headers = reader.told("headers", headers);
    if let Some(told) = &mut own.headers {
        told.written = keyed_headers(reader, &told.value);
    }
    own.body = reader.told("body", |reader, node| {
        let kind = node.value.kind();
        if !matches!(node.value, Value::Map(_) | Value::List(_) | Value::String(_)) {
            reader.wrong(
                node.span,
                format!("`body` is a mapping, a list or a text, found {kind}"),
                "write it as `body: { text: \"{{prompt}}\" }`",
            );
            return None;
        }
        let mut wrong = Vec::new();
        let template = Template::read(node, &mut |node: &Node, trouble| wrong.push((node.span, trouble)));
        let is_text = matches!(template, Template::Messages) && node.as_str().is_some();
        if is_text {
            wrong.push((node.span, "`{{messages}}` is a list, and `body` is a text".to_owned()));
        }
        for (span, trouble) in wrong {
            reader.wrong(
                span,
                format!("`body`: {trouble}"),
                "write `{{messages}}` as a value of its own, and `\\{{` for braces",
            );
        }
        Some(template)
    });
    // What the environment puts into a body decides the answer; of a header it is a key more often than not.
    if let (Some(told), Some(node)) = (&mut own.body, reader.fields.node("body")) {
        let plain = node.to_json();
        if reader.named(&plain) != plain {
            let digest = crate::canonical::digest(&plain);
            told.written =
                serde_json::json!({ "template": reader.named(&plain), "values": digest }).to_string();
        }
    }
    let session = reader.fields.object("session");
    own.session = reader.told("session", |reader, _| {
        let fields = session?;
        let said = [fields.text("from"), fields.text("header"), fields.text("cookie")];
        match said {
            [Some((text, span)), None, None] => Some(Session::From(reader.pointer(text, span)?)),
            [None, Some((name, _)), None] => Some(Session::Header(name.to_owned())),
            [None, None, Some((name, _))] => Some(Session::Cookie(name.to_owned())),
            _ => {
                reader.wrong(
                    fields.span(),
                    "`session` has one of `from`, `header` and `cookie`",
                    "write `session: { from: /session }`",
                );
                None
            }
        }
    });
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
    own.like = reader.text("like", |_, text, _| Some(text.to_owned()));
}

/// A header.
#[derive(Clone, Debug)]
pub struct Header {
    name: String,
    value: Pieces,
    /// Whether its value is not to be shown.
    is_secret: bool,
}

impl Header {
    /// The names in its value that are not akit's own.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.value.variables()
    }

    /// Whether one of these names is in its value.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.value.has(names)
    }
}

/// Words before a key that are none.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "api-key"];

/// Whether a header is known to hold no secret.
fn is_open(name: &str) -> bool {
    const OPEN: [&str; 5] = ["accept", "accept-language", "content-type", "prefer", "user-agent"];
    OPEN.iter().any(|open| open.eq_ignore_ascii_case(name))
}

/// Whether a value is not to be shown, by the name that it stands under or by its looks.
#[must_use]
pub fn looks_secret(name: &str, value: &str) -> bool {
    const MARKS: [&str; 9] =
        ["auth", "cookie", "credential", "key", "pass", "pwd", "secret", "sign", "token"];
    let name = name.to_ascii_lowercase();
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let is_random = value.len() >= 12
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !has(u8::is_ascii_whitespace);
    is_random || MARKS.iter().any(|mark| name.contains(mark))
}

/// The headers for the key of a record: a value of the environment counts by its name, since keys are rotated, and
/// another one by its digest, since it may be a key all the same.
fn keyed_headers(reader: &Reader<'_, '_>, headers: &[Header]) -> String {
    let value = |header: &Header| {
        let plain = header.value.written();
        let named = reader.found.named(plain);
        if named != plain || is_open(&header.name) { named } else { crate::canonical::digest(&plain.into()) }
    };
    let all = headers.iter().map(|header| (header.name.to_ascii_lowercase(), value(header).into()));
    Json::Object(all.collect()).to_string()
}

fn headers(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Vec<Header>> {
    let Value::Map(entries) = &node.value else { return None };
    let mut all = Vec::new();
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        let span = value.span;
        if HeaderName::try_from(name).is_err() {
            reader.wrong(
                key.span,
                format!("`{}` is no name of a header", text::excerpt(name, 60)),
                "use letters, digits and `-`",
            );
            continue;
        }
        let written = match &value.value {
            Value::String(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => value.to_json().to_string(),
            other => {
                reader.wrong(span, format!("a header is text, found {}", other.kind()), "put it in quotes");
                continue;
            }
        };
        let pieces =
            Pieces::parse(written.trim()).and_then(|pieces| match HeaderValue::from_str(pieces.head()) {
                _ if pieces.has(&["messages"]) => {
                    Err("`{{messages}}` is a list and stands inside a text".to_owned())
                }
                Ok(_) => Ok(pieces),
                Err(_) => Err("it holds a line end or another character that no header has".to_owned()),
            });
        match pieces {
            Ok(value) => {
                let named = reader.found.named(&written);
                let is_secret = !is_open(name)
                    && (looks_secret(name, &written) || (named != written && looks_secret(&named, "")));
                all.push(Header { name: name.to_owned(), value, is_secret });
            }
            Err(trouble) => reader.wrong(
                span,
                format!("header `{name}`: {trouble}"),
                "write it on one line, names as `{{name}}`",
            ),
        }
    }
    Some(all)
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
            let fields = Fields::check(&node, super::OWN, "a preset", &file, &mut found)?;
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
    own: Own,
    url: Pieces,
    key: Option<Secret>,
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
        let endpoint = Address::exact(&written)?.endpoint(HTTP);
        let url = Pieces::parse(&written).unwrap_or_default();
        Ok(Self { http, endpoint, own, url, key })
    }

    /// Who is asked, for people: without what a query may hold.
    fn host(&self) -> String {
        self.url.written().split('?').next().unwrap_or_default().to_owned()
    }

    fn misread(&self, whole: &str, reason: &str, help: String) -> ProviderError {
        Body { documents: Vec::new(), is_stream: false, whole, host: &self.host() }.misread(reason, help)
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
        for Header { name, value, .. } in self.own.headers.iter().flat_map(|told| &told.value) {
            let value = HeaderValue::from_str(&value.fill(filling, str::to_owned));
            let (Ok(key), Ok(value)) = (HeaderName::try_from(name.as_str()), value) else {
                return Err(unfit(name));
            };
            all.insert(key, value);
        }
        if let (Some(Session::Cookie(name)), Some(session)) =
            (self.own.session.as_ref().map(|told| &told.value), &request.conversation.session)
        {
            let cookie = HeaderValue::from_str(&format!("{name}={session}")).map_err(|_| unfit("cookie"))?;
            all.append(reqwest::header::COOKIE, cookie);
        }
        Ok(all)
    }

    /// The text without the values of the key and of headers, which a server may repeat.
    fn scrub(&self, text: String) -> String {
        let auth = self.key.as_ref().into_iter().flat_map(|key| {
            let parts = key.expose().split(':').map(Secret::new).collect::<Vec<_>>();
            parts.into_iter().chain([key.clone()])
        });
        let headers = self.own.headers.iter().flat_map(|told| &told.value).filter(|header| header.is_secret);
        // Of `Bearer KEY` the key is what must not be shown.
        let words = headers.flat_map(|header| header.value.head().split_whitespace());
        let headers =
            words.filter(|word| !SCHEMES.contains(&word.to_ascii_lowercase().as_str())).map(Secret::new);
        auth.chain(headers).fold(text, |text, secret| secret.scrub(&text))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let host = self.host();
        let is_stateful = self.own.stateful.as_ref().is_some_and(|told| told.value);
        let filling = Filling::of(request, is_stateful);
        let client =
            self.http.client().map_err(|error| self.misread("", &error.to_string(), String::new()))?;
        let url = Url::parse(&self.url.fill(&filling, percent))
            .map_err(|error| self.misread("", &error.to_string(), String::new()))?;
        let method = self.own.method.as_ref().map(|told| told.value.as_str());
        let method = method.unwrap_or(if self.own.body.is_some() { "POST" } else { "GET" });
        let headers = self.headers(&filling, request)?;
        let kind = headers
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
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
            call = call.header(reqwest::header::CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        let received = http::send(call.headers(headers)).await.map_err(|error| lost(&host, error))?;
        self.read(received, request)
    }

    fn read(&self, received: Received, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let host = self.host();
        let Received { status, headers, body } = received;
        let is_ok = match &self.own.ok {
            Some(told) => told.value.contains(&status),
            None => (200..300).contains(&status),
        };
        if !is_ok {
            let whole = self.scrub(String::from_utf8_lossy(&body).into_owned()).into_boxed_str();
            let retry_after = wait::named(status, &headers, &whole, SystemTime::now());
            let place = headers.get(reqwest::header::LOCATION).and_then(|value| value.to_str().ok());
            let message = match place.filter(|_| (300..400).contains(&status)) {
                Some(place) => format!(
                    "go to {}",
                    text::excerpt(place.split(['?', '#']).next().unwrap_or_default(), 200)
                ),
                None => message_of(&whole),
            };
            return Err(ProviderError::of_status(&host, status, message, whole, retry_after));
        }
        let written = String::from_utf8(body).map_err(|error| {
            let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let at = error.utf8_error().valid_up_to();
            self.misread(
                &self.scrub(shown),
                &format!("invalid UTF-8 at byte {at}"),
                self.about("let the bot answer in UTF-8"),
            )
        })?;
        let written = self.scrub(written);
        if written.trim().is_empty() {
            return Err(ProviderError::Broken { host, reason: "the body is empty".to_owned() });
        }
        let kind = headers
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (documents, is_stream) = if let Some(stream) = &self.own.sse {
            (self.stream(&written, &stream.value)?, true)
        } else if self.own.lines.as_ref().is_some_and(|told| told.value) {
            let lines = written.lines().filter(|line| !line.trim().is_empty());
            (lines.map(|line| self.json(line, &written)).collect::<Result<_, _>>()?, true)
        } else if self.own.answer.is_some() {
            (vec![self.json(&written, &written)?], false)
        } else {
            (self.plain(&written, kind)?, false)
        };
        let body = Body { documents, is_stream, whole: &written, host: &host };
        let answer = match (self.pointers(), &self.own.sse) {
            (Some(answer), _) => body.answer(&self.own, &answer)?,
            (None, Some(_)) => Answer { text: texts(&body.documents), ..Answer::default() },
            (None, None) => {
                Answer { text: written.trim_end_matches(['\r', '\n']).to_owned(), ..Answer::default() }
            }
        };
        let session = if request.conversation.turn <= 1 { self.session(&body, &headers)? } else { None };
        Ok(Completion { answer, session, ..Completion::default() })
    }

    /// Where the text is: what is said of the stream, else of the answer.
    fn pointers(&self) -> Option<Told<Vec<Pointer>>> {
        let of_stream = self.own.sse.as_ref().and_then(|told| {
            Some(Told {
                value: vec![told.value.answer.clone()?],
                written: String::new(),
                at: told.at.clone(),
            })
        });
        of_stream.or_else(|| self.own.answer.clone())
    }

    /// A help, and where the address stands.
    fn about(&self, help: &str) -> String {
        format!("{help}, or change `url` ({})", self.place())
    }

    /// Where the address stands.
    fn place(&self) -> String {
        self.own.url.as_ref().map(Told::place).unwrap_or_default()
    }

    fn json(&self, part: &str, whole: &str) -> Result<Json, ProviderError> {
        serde_json::from_str(&text::json::mended(part)).map_err(|error| {
            let reason = text::json::trouble(&error);
            if error.is_eof() {
                return ProviderError::Broken {
                    host: self.host(),
                    reason: format!("the body is cut: {reason}"),
                };
            }
            let told = self.pointers().map(|told| told.place());
            let help = match told {
                Some(place) if !is_page(whole) => format!(
                    "let the bot answer in JSON, or remove `answer` ({place}) if the whole body is the answer"
                ),
                _ => self.about("it should be JSON"),
            };
            self.misread(whole, if is_page(whole) { "it is a web page" } else { &reason }, help)
        })
    }

    /// A body that is the answer as it is: no JSON whose text somebody has to name, no page, no picture.
    fn plain(&self, written: &str, kind: &str) -> Result<Vec<Json>, ProviderError> {
        let json =
            serde_json::from_str::<Json>(written).ok().filter(|json| json.is_object() || json.is_array());
        if let Some(json) = json {
            let body = Body { documents: vec![json], is_stream: false, whole: written, host: &self.host() };
            let help = format!(
                "add `answer:` with a JSON pointer beside `url` ({}): {}",
                self.place(),
                body.texts()
            );
            return Err(body.misread("it is JSON, and nothing says where the answer is in it", help));
        }
        if is_page(written) {
            return Err(self.misread(written, "it is a web page", self.about("it should be the answer")));
        }
        let family = kind.split(['/', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(family.as_str(), "" | "text") {
            let reason = format!("its content type is `{}`, which is no text", text::excerpt(kind, 60));
            return Err(self.misread(
                written,
                &reason,
                self.about("add `answer:` with a JSON pointer if it is JSON"),
            ));
        }
        Ok(Vec::new())
    }

    /// The data of a stream of events: JSON where pointers are to read it, texts otherwise.
    fn stream(&self, written: &str, stream: &Stream) -> Result<Vec<Json>, ProviderError> {
        let place = self.own.sse.as_ref().map(Told::place).unwrap_or_default();
        let all = events(written);
        if all.is_empty() {
            return Err(self.misread(
                written,
                "it is no stream of events",
                format!("change `sse` ({place})"),
            ));
        }
        if let Some(error) =
            all.iter().find(|event| event.name == "error" && stream.event.as_deref() != Some("error"))
        {
            return Err(ProviderError::Ended { host: self.host(), word: text::excerpt(&error.data, 40) });
        }
        let is_end =
            |event: &super::events::Event| event.data.trim() == stream.done || event.name == stream.done;
        let Some(end) = all.iter().position(is_end) else {
            let reason = format!(
                "the stream ended without `{}` (`done` of `sse`, {place})",
                text::excerpt(&stream.done, 40)
            );
            return Err(ProviderError::Broken { host: self.host(), reason });
        };
        let is_meant =
            |event: &&super::events::Event| stream.event.as_ref().is_none_or(|name| *name == event.name);
        let has_pointers = self.pointers().is_some();
        let data = all[..end].iter().filter(is_meant).map(|event| {
            if has_pointers { self.json(&event.data, written) } else { Ok(event.data.as_str().into()) }
        });
        let data: Vec<Json> = data.collect::<Result<_, _>>()?;
        // The event that ends it may hold what comes with the answer.
        let last =
            serde_json::from_str::<Json>(&all[end].data).ok().filter(|json| has_pointers && json.is_object());
        Ok(data.into_iter().chain(last).collect())
    }

    fn session(&self, body: &Body<'_>, headers: &HeaderMap) -> Result<Option<String>, ProviderError> {
        let Some(told) = &self.own.session else { return Ok(None) };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (found, what) = match &told.value {
            Session::From(pointer) => {
                let json =
                    if body.documents.is_empty() { serde_json::from_str(body.whole).ok() } else { None };
                let found = body.documents.iter().chain(&json).find_map(|document| pointer.first(document));
                let found = found.map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
                (found, format!("nothing at `{pointer}`"))
            }
            Session::Header(name) => (header(name), format!("no header `{name}`")),
            Session::Cookie(name) => {
                let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
                let found = cookies.filter_map(|one| one.split(';').next()?.trim().split_once('='));
                let found =
                    found.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.to_owned());
                (found, format!("no cookie `{name}`"))
            }
        };
        let missing =
            || body.misread(&format!("it has {what}"), format!("change `session` ({})", told.place()));
        found.filter(|session| !session.is_empty()).map(Some).ok_or_else(missing)
    }
}

/// Texts one behind the other.
fn texts(documents: &[Json]) -> String {
    documents.iter().filter_map(Json::as_str).collect()
}

/// Whether a body is a whole page: one of a proxy, a login or an error, and not an answer with markup in it.
fn is_page(body: &str) -> bool {
    let head: String = body.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    head.starts_with("<!doctype html") || head.starts_with("<html")
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

    fn sends_key(&self) -> bool {
        let mut headers = self.own.headers.iter().flat_map(|told| &told.value);
        self.key.is_some() || headers.any(|header| header.is_secret)
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

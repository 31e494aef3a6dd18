//! Reading an HTTP response: the answer in it, or what is wrong with it.

use std::time::SystemTime;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value as Json;

use super::super::call::{error_within, message_of};
use super::super::stream::{Event, Pace, events};
use super::super::{ChatRequest, Completion, ProviderError, wait};
use super::Told;

use super::http::{OwnHttp, Session};
use super::listen::Stream;
use super::pointer::Pointer;
use super::reading::{Body, without_keys};
use crate::http::Received;
use crate::secret::Secret;
use crate::text;
use crate::vocabulary::Answer;

impl OwnHttp {
    /// Reads a response.
    pub(super) fn read(
        &self,
        received: Received,
        pace: &Pace,
        request: &ChatRequest,
    ) -> Result<Completion, ProviderError> {
        let host = self.host();
        let Received { status, headers, body } = received;
        let is_ok = match &self.own.ok {
            Some(told) => told.value.contains(&status),
            None => (200..300).contains(&status),
        };
        if !is_ok {
            let whole = self.scrub(&String::from_utf8_lossy(&body)).into_boxed_str();
            let retry_after = wait::named(status, &headers, &whole, SystemTime::now());
            let target = headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let message = match target.filter(|_| (300..400).contains(&status)) {
                Some(target) => format!(
                    "redirect to {}",
                    text::excerpt(&self.scrub(target.split(['?', '#']).next().unwrap_or_default()), 200)
                ),
                None => message_of(&whole),
            };
            return Err(ProviderError::of_status(&host, status, message, whole, retry_after));
        }
        let written = String::from_utf8(body).map_err(|error| {
            let shown = String::from_utf8_lossy(error.as_bytes());
            let at = error.utf8_error().valid_up_to();
            let is_packed = error.as_bytes().starts_with(b"\x1f\x8b");
            let invalid = format!("invalid UTF-8 at byte {at}");
            self.misread(
                &self.scrub(&shown),
                if is_packed { "it is compressed (gzip), which akit did not request" } else { &invalid },
                self.about("make the bot answer in UTF-8"),
            )
        })?;
        let (written, hidden) = Secret::hide(&self.secrets, &written);
        if status == 204 {
            let help = self.about("make the bot answer with 200 and text");
            return Err(self.misread("", "it has no body (204)", help));
        }
        if written.trim().is_empty() {
            return Err(ProviderError::Broken {
                host,
                reason: "the body is empty".to_owned(),
                answered: true,
            });
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (mut documents, mut silent, mut is_stream) = (Vec::new(), Vec::new(), true);
        if let Some(stream) = &self.own.sse {
            (documents, silent) = self.stream(&written, &stream.value)?;
        } else if self.own.lines.as_ref().is_some_and(|told| told.value) {
            let lines = written.lines().filter(|line| !line.trim().is_empty());
            documents = lines.map(|line| self.json(line, &written)).collect::<Result<_, _>>()?;
        } else if self.own.answer.is_some() {
            (documents, is_stream) = (vec![self.json(&written, &written)?], false);
        } else {
            self.plain(&written, kind)?;
            is_stream = false;
        }
        let shown = self.scrub(&written);
        let body = Body { documents, silent, is_stream, whole: &shown, host: &host };
        let pointers = self.pointers();
        let answer = if pointers.is_some() || self.own.sse.is_some() {
            body.answer(&self.own, pointers.as_ref())?
        } else {
            Answer { text: written.trim_end_matches(['\r', '\n']).to_owned(), ..Answer::default() }
        };
        let answer = pace.of(without_keys(answer, (&self.secrets, hidden), &host)?);
        // Only the first answer has the session id.
        let session = match request.conversation.session {
            None => self.session(&body, &headers)?,
            Some(_) => None,
        };
        Ok(Completion { answer, session, ..Completion::default() })
    }

    /// Pointers to the text: the one of the stream, or else those of `answer`.
    fn pointers(&self) -> Option<Told<Vec<Pointer>>> {
        let of_stream = self.own.sse.as_ref().and_then(|told| {
            Some(Told {
                value: vec![told.value.answer.clone()?],
                written: String::new(),
                filled: Vec::new(),
                at: told.at.clone(),
            })
        });
        of_stream.or_else(|| self.own.answer.clone())
    }

    /// A help text that names the place of the address.
    fn about(&self, help: &str) -> String {
        format!("{help}, or change `url` ({})", self.place())
    }

    /// The place of the address.
    fn place(&self) -> String {
        self.own.url.as_ref().map(Told::place).unwrap_or_default()
    }

    fn json(&self, part: &str, whole: &str) -> Result<Json, ProviderError> {
        serde_json::from_str(&text::json::mended(part)).map_err(|error| {
            let reason = text::json::trouble(&error);
            if error.is_eof() {
                return ProviderError::Broken {
                    host: self.host(),
                    reason: format!("the body is cut off: {reason}"),
                    answered: true,
                };
            }
            let told = self.pointers().map(|told| told.place());
            let help = match told {
                Some(place) if !is_page(whole) => format!(
                    "make the bot answer in JSON, or remove `answer` ({place}) if the whole body is the answer"
                ),
                _ => self.about("make the bot answer in JSON"),
            };
            self.misread(whole, if is_page(whole) { "it is a web page" } else { &reason }, help)
        })
    }

    /// Checks that a body can be the answer itself: not JSON, a web page or another format.
    fn plain(&self, written: &str, kind: &str) -> Result<(), ProviderError> {
        let json = serde_json::from_str::<Json>(written).ok();
        let is_quoted = json.as_ref().is_some_and(Json::is_string);
        if let Some(json) = json.filter(|json| json.is_object() || json.is_array()) {
            let (shown, host) = (self.scrub(written), self.host());
            let body = Body { documents: vec![json], whole: &shown, host: &host, ..Body::default() };
            let help = format!(
                "add `answer:` with a JSON pointer next to `url` ({}): {}",
                self.place(),
                body.texts()
            );
            return Err(body.misread("it is JSON, and `answer` is not set", help));
        }
        if is_page(written) {
            return Err(self.misread(
                written,
                "it is a web page",
                self.about("make the bot send only the answer"),
            ));
        }
        let family = kind.split(['/', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(family.as_str(), "" | "text") {
            let reason = format!("its content type is `{}`, which is not text", text::excerpt(kind, 60));
            let help = if is_quoted {
                "add `answer: \"\"` if all of it is the text"
            } else {
                "add `answer:` with a JSON pointer if it is JSON"
            };
            return Err(self.misread(written, &reason, self.about(help)));
        }
        Ok(())
    }

    /// The data of a stream's events, as JSON if there are pointers and as text otherwise, and the indexes of those
    /// that contain no text of the answer.
    fn stream(&self, written: &str, stream: &Stream) -> Result<(Vec<Json>, Vec<usize>), ProviderError> {
        let place = self.own.sse.as_ref().map(Told::place).unwrap_or_default();
        let all = events(written);
        if all.iter().all(|event| event.data.is_empty()) {
            return Err(self.misread(
                written,
                "it is not a stream of events",
                format!("change `sse` ({place})"),
            ));
        }
        if let Some(error) =
            all.iter().find(|event| event.name == "error" && stream.event.as_deref() != Some("error"))
        {
            return Err(ProviderError::Ended { host: self.host(), word: text::excerpt(&error.data, 40) });
        }
        // A part of the answer may be a word that ends other streams.
        let end = all.iter().position(|event| event.is(&stream.done));
        let Some(end) = end.or_else(|| all.iter().position(|event| event.data.trim() == stream.done)) else {
            let reason = format!(
                "the stream ended without `{}` (`done` under `sse`, {place})",
                text::excerpt(&stream.done, 40)
            );
            return Err(ProviderError::Broken { host: self.host(), reason, answered: true });
        };
        let is_behind = |event: &Event| stream.has_part(event) && event.data.trim() != "[DONE]";
        if all[end + 1..].iter().any(is_behind) {
            let reason =
                format!("more follows after `{}`, which ends the answer", text::excerpt(&stream.done, 40));
            return Err(self.misread(written, &reason, format!("change `done` under `sse` ({place})")));
        }
        let has_pointers = self.pointers().is_some();
        let (mut documents, mut silent) = (Vec::new(), Vec::new());
        for (at, event) in all[..=end].iter().enumerate().filter(|(_, event)| !event.data.is_empty()) {
            let is_part = at < end && stream.has_part(event);
            let json = || serde_json::from_str::<Json>(&event.data).ok().filter(Json::is_object);
            let document = match (is_part, has_pointers) {
                (true, true) => Some(self.json(&event.data, written)?),
                (true, false) => Some(event.data.as_str().into()),
                // Other events may have calls, usage or the stop word.
                (false, _) => json(),
            };
            if is_part
                && !has_pointers
                && let Some(error) = json().and_then(|json| error_within(&json, &self.host()))
            {
                return Err(error);
            }
            if let Some(document) = document {
                if !is_part && (stream.event.is_some() || !has_pointers) {
                    silent.push(documents.len());
                }
                documents.push(document);
            }
        }
        Ok((documents, silent))
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

/// Whether a body is a web page, such as a proxy's, a login or an error page, and not an answer with markup.
fn is_page(body: &str) -> bool {
    let mut body = body.trim_start_matches('\u{feff}').trim_start();
    for (begin, end) in [("<?xml", "?>"), ("<!--", "-->"), ("<!--", "-->")] {
        let behind = body.strip_prefix(begin).and_then(|rest| rest.split_once(end));
        body = behind.map_or(body, |(_, rest)| rest.trim_start());
    }
    let head: String = body.chars().take(15).collect::<String>().to_ascii_lowercase();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}

//! Reading the answer of an `http` or `command` application: text and other parts, each by a JSON pointer.

use serde_json::Value as Json;

use super::super::call::error_beside;
use super::super::{ProviderError, message};
use super::pointer::{self, Pointer};
use super::{Own, Reader, Told};
use crate::secret::Secret;
use crate::source::{Field, Fields, Node, Shape, Value};
use crate::text;
use crate::vocabulary::{Answer, StopReason, ToolCall, Usage};

/// Number of characters shown of a response.
const SHOWN: usize = 160;

const USAGE: &[Field] = &[
    Field::optional("input", Shape::Text, "JSON pointer to the number of tokens sent."),
    Field::optional("output", Shape::Text, "JSON pointer to the number of tokens received."),
];

/// Keys for reading answers.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "answer",
        Shape::Part("pointers"),
        "`http` and `command`: JSON pointer to the answer's text (`*` is every item of a list, `-` the last, `>user` those after the last with this `role` or `type`), or several, tried in order.",
    ),
    Field::optional(
        "tools",
        Shape::Text,
        "`http` and `command`: JSON pointer to the list of tool calls, each with `name` and `arguments` (or `args`, `input`, `parameters`).",
    ),
    Field::optional(
        "state",
        Shape::Text,
        "`http` and `command`: JSON pointer to the application's state (the whole response).",
    ),
    Field::optional(
        "stop",
        Shape::Text,
        "`http` and `command`: JSON pointer to the reason why the answer ended.",
    ),
    Field::optional(
        "usage",
        Shape::Object(USAGE),
        "`http` and `command`: JSON pointers to the token counts.",
    ),
];

/// Where the token counts are.
#[derive(Clone, Debug)]
pub struct Counts {
    input: Option<Pointer>,
    output: Option<Pointer>,
}

pub(super) fn read(own: &mut Own, reader: &mut Reader<'_, '_>) {
    own.answer = reader.told("answer", pointers);
    own.tools = reader.text("tools", Reader::pointer);
    own.state = reader.text("state", Reader::pointer);
    own.stop = reader.text("stop", Reader::pointer);
    let usage = reader.fields.object("usage");
    own.usage = reader.told("usage", |reader, _| {
        let mut at =
            |fields: &Fields<'_>, key| fields.text(key).and_then(|(text, span)| reader.pointer(text, span));
        let usage = usage?;
        Some(Counts { input: at(&usage, "input"), output: at(&usage, "output") })
    });
}

/// One pointer or several.
fn pointers(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Vec<Pointer>> {
    let texts: Vec<&Node> = match &node.value {
        Value::String(_) => vec![node],
        Value::List(items) if !items.is_empty() && items.iter().all(|item| item.as_str().is_some()) => {
            items.iter().collect()
        }
        other => {
            let message =
                format!("`answer` must be a JSON pointer or a list of them, found {}", other.kind());
            reader.wrong(node.span, message, "write it as `answer: /answer`");
            return None;
        }
    };
    texts.into_iter().map(|node| reader.pointer(node.as_str()?, node.span)).collect()
}

/// An answer from which secrets are removed.
///
/// If its text or calls contain a key. Judging them without the key would let the leak pass.
pub(super) fn without_keys(
    answer: Answer,
    (secrets, hidden): (&[Secret], bool),
    host: &str,
) -> Result<Answer, ProviderError> {
    let has_stars = |text: &str| text.contains("***");
    if hidden && (has_stars(&answer.text) || answer.tool_calls.iter().any(|call| has_stars(&call.line()))) {
        let reason = "the answer contains a key that was passed to akit, so it is neither shown nor judged";
        let help = "fix the bot so that it does not reveal keys; if the value is not a key, set it under `variables`, not in the environment";
        let [reason, help] = [reason, help].map(str::to_owned);
        return Err(ProviderError::Misread { host: host.to_owned(), reason, help });
    }
    // The state is not the answer's text: keys in it are only hidden.
    let scrubbed = |state: Json| {
        let written = Secret::scrub_all(secrets, &state.to_string());
        serde_json::from_str(&written).unwrap_or(state)
    };
    Ok(Answer { state: answer.state.map(scrubbed), ..answer })
}

/// A response.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    /// Its documents: a single one, or those of a stream, whose strings are joined.
    pub(super) documents: Vec<Json>,
    /// Indexes of the documents that contain no text of the answer.
    pub(super) silent: Vec<usize>,
    /// Whether it is a stream.
    pub(super) is_stream: bool,
    /// The raw text.
    pub(super) whole: &'a str,
    /// The sender, for display.
    pub(super) host: &'a str,
}

impl Body<'_> {
    /// The error for an unexpected response.
    pub(super) fn misread(&self, reason: &str, help: String) -> ProviderError {
        let reason = format!("{reason}; it begins \"{}\"", text::excerpt(self.whole.trim(), SHOWN));
        ProviderError::Misread { host: self.host.to_owned(), reason, help }
    }

    /// The answer; its text is at `answer`, or in documents that are strings.
    pub(super) fn answer(
        &self,
        own: &Own,
        answer: Option<&Told<Vec<Pointer>>>,
    ) -> Result<Answer, ProviderError> {
        let texts = |at: usize, document: &Json| match answer {
            _ if self.silent.contains(&at) => Ok(Vec::new()),
            Some(answer) => self.text_of(document, answer),
            None => Ok(document.as_str().map(str::to_owned).into_iter().collect()),
        };
        for (at, document) in self.documents.iter().enumerate() {
            let is_answered =
                texts(at, document).is_ok_and(|texts| texts.iter().any(|text| !text.trim().is_empty()));
            if let Some(error) = error_beside(document, self.host, is_answered) {
                return Err(error);
            }
        }
        let finish_reason = self.last(own.stop.as_ref()).map(|word| match word {
            Json::String(word) => word.clone(),
            other => text::excerpt(&other.to_string(), 40),
        });
        if let Some(told) = own.stop.as_ref().filter(|_| finish_reason.is_none()) {
            self.check_elsewhere(told, "stop", "a stop word", &is_stop_word)?;
        }
        let stop = StopReason::of(finish_reason.as_deref());
        if stop == StopReason::Broken {
            let word = text::excerpt(finish_reason.as_deref().unwrap_or_default(), 40);
            return Err(ProviderError::Ended { host: self.host.to_owned(), word });
        }
        let tool_calls = self.calls(own.tools.as_ref())?;
        let found = self.documents.iter().enumerate().map(|(at, document)| texts(at, document));
        let texts: Vec<_> = found.collect::<Result<Vec<_>, _>>()?.concat();
        if let Some(answer) = answer.filter(|_| texts.is_empty()) {
            // An answer may be calls only, or a refusal without text, but not one whose text is elsewhere.
            let is_wrong = if tool_calls.is_empty() {
                stop.is_whole() || !stop.is_answer()
            } else {
                let mut pointers = answer.value.iter();
                let is_there = pointers.any(|pointer| self.documents.iter().any(|one| pointer.leads(one)));
                !is_there && self.speaks(own.tools.as_ref())
            };
            if is_wrong {
                return Err(self.nothing_at(answer));
            }
        }
        let state = match &own.state {
            Some(told) => self.last(Some(told)).cloned(),
            None if self.is_stream => None,
            None => self.documents.first().filter(|one| one.is_object()).cloned(),
        };
        Ok(Answer {
            text: texts.join(if self.is_stream { "" } else { "\n" }),
            tool_calls,
            state,
            finish_reason,
            usage: own.usage.as_ref().and_then(|usage| self.usage(&usage.value)),
            ..Answer::default()
        })
    }

    /// The text of a document, at the first pointer that finds any.
    fn text_of(&self, document: &Json, answer: &Told<Vec<Pointer>>) -> Result<Vec<String>, ProviderError> {
        let mut first = None;
        for pointer in &answer.value {
            let found = pointer.find(document).into_iter();
            let words: Result<Vec<_>, _> = found.map(|one| self.words(pointer, one, answer)).collect();
            match words {
                Ok(words) if words.iter().any(|text| !text.trim().is_empty()) => return Ok(words),
                Ok(words) if words.is_empty() => {}
                other => first = first.or(Some(other)),
            }
        }
        first.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Allows a pointer that finds nothing, unless a value of the same kind is somewhere else.
    fn check_elsewhere(
        &self,
        told: &Told<Pointer>,
        key: &str,
        what: &str,
        is: &dyn Fn(&str, &Json) -> bool,
    ) -> Result<(), ProviderError> {
        let place = self.documents.iter().find_map(|one| pointer::places(one, 1, usize::MAX, is).pop());
        let Some(place) = place else { return Ok(()) };
        let reason = format!("nothing at `{}`, but {what} at `{}`", told.value, text::excerpt(&place, 60));
        Err(self.misread(&reason, format!("change `{key}` ({})", told.place())))
    }

    /// Whether the response has text besides the calls.
    fn speaks(&self, tools: Option<&Told<Pointer>>) -> bool {
        self.documents.iter().any(|document| {
            let calls = tools.map(|told| told.value.find(document)).unwrap_or_default();
            let is_words = |_: &str, one: &Json| {
                one.as_str().is_some_and(|text| text.trim().contains(char::is_whitespace))
                    || calls.iter().any(|call| std::ptr::eq(*call, one))
            };
            let found = pointer::places(document, usize::MAX, usize::MAX, &is_words);
            found.iter().any(|place| document.pointer(place).is_some_and(Json::is_string))
        })
    }

    /// The string at a pointer.
    fn words(
        &self,
        pointer: &Pointer,
        found: &Json,
        answer: &Told<Vec<Pointer>>,
    ) -> Result<String, ProviderError> {
        let kind = match found {
            Json::String(text) => return Ok(text.clone()),
            Json::Number(_) | Json::Bool(_) => return Ok(found.to_string()),
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
            Json::Null => "nothing",
        };
        let within = match found {
            Json::Array(items) if items.iter().all(Json::is_string) => format!("`{pointer}/*`"),
            _ => {
                let places = pointer::texts(found, 3).into_iter();
                let places = places.map(|place| format!("{pointer}{}", text::excerpt(&place, 60)));
                text::list(&places.collect::<Vec<_>>())
            }
        };
        let reason = format!("{kind} at `{pointer}` instead of text");
        Err(self
            .misread(&reason, format!("point `answer` ({}) to a string such as {within}", answer.place())))
    }

    fn nothing_at(&self, answer: &Told<Vec<Pointer>>) -> ProviderError {
        let pointers: Vec<_> = answer.value.iter().map(|pointer| format!("`{pointer}`")).collect();
        let reason = format!("no text at {}", pointers.join(" or "));
        self.misread(&reason, format!("change `answer` ({}): {}", answer.place(), self.texts()))
    }

    /// Describes where strings are in the response.
    pub(super) fn texts(&self) -> String {
        let places = self.documents.first().map(|one| pointer::texts(one, 5)).unwrap_or_default();
        let places: Vec<_> = places.iter().map(|place| text::excerpt(place, 60)).collect();
        if places.is_empty() {
            "the response has no text".to_owned()
        } else {
            format!("strings are at {}", text::list(&places))
        }
    }

    /// The value at the pointer, from the last document that has one.
    fn last(&self, told: Option<&Told<Pointer>>) -> Option<&Json> {
        let pointer = &told?.value;
        self.documents.iter().rev().find_map(|document| pointer.first(document))
    }

    fn calls(&self, told: Option<&Told<Pointer>>) -> Result<Vec<ToolCall>, ProviderError> {
        let Some(told) = told else { return Ok(Vec::new()) };
        let found: Vec<_> = self.documents.iter().flat_map(|document| told.value.find(document)).collect();
        if found.is_empty() {
            self.check_elsewhere(told, "tools", "a call", &is_call)?;
        }
        let mut calls = Vec::new();
        for one in found {
            let listed = match one {
                Json::Array(items) => items.clone(),
                Json::Object(_) => vec![one.clone()],
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                    let reason = format!("no list of calls at `{}`", told.value);
                    return Err(self.misread(&reason, format!("change `tools` ({})", told.place())));
                }
            };
            let read = message::calls(&Json::Array(listed)).map_err(|error| {
                self.misread(
                    &error.to_string(),
                    format!("change `tools` ({}), or the bot's format", told.place()),
                )
            })?;
            calls.extend(read);
        }
        Ok(calls)
    }

    fn usage(&self, counts: &Counts) -> Option<Usage> {
        let count = |pointer: &Option<Pointer>| {
            let pointer = pointer.as_ref()?;
            self.documents.iter().rev().find_map(|document| pointer.first(document)?.as_u64())
        };
        let (input, output) = (count(&counts.input), count(&counts.output));
        // Both counts are needed: a budget would treat a missing one as free.
        Some(Usage { input_tokens: input?, output_tokens: output?, ..Usage::default() })
    }
}

/// Keys that hold the conversation so far.
const PAST: [&str; 4] = ["history", "messages", "conversation", "context"];

/// Whether this is a tool call: it has a name, and arguments or a matching key.
fn is_call(key: &str, value: &Json) -> bool {
    let one = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let has = |names: &[&str]| names.iter().any(|name| one.get(name).is_some());
    let is_named = one.get("name").is_some_and(Json::is_string);
    is_named
        && !PAST.contains(&key)
        && (key.to_lowercase().contains("call") || has(&["arguments", "args", "input"]))
}

/// Whether this is a stop word of an incomplete answer.
fn is_stop_word(key: &str, value: &Json) -> bool {
    let key = key.to_lowercase();
    let is_meant = ["finish", "stop", "reason"].iter().any(|part| key.contains(part));
    let stop = value.as_str().filter(|_| is_meant).map(|word| StopReason::of(Some(word)));
    stop.is_some_and(|stop| stop != StopReason::Unknown && !stop.is_whole())
}

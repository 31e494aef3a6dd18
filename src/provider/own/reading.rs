//! How the answer of an own bot is read: its text, and what comes with it, each by a JSON pointer.

use serde_json::Value as Json;

use super::super::call::error_within;
use super::super::{ProviderError, message};
use super::pointer::{self, Pointer};
use super::{Own, Reader, Told};
use crate::secret::Secret;
use crate::source::{Field, Fields, Node, Shape, Value};
use crate::text;
use crate::vocabulary::{Answer, StopReason, ToolCall, Usage};

/// Characters of what came that are shown.
const SHOWN: usize = 160;

const USAGE: &[Field] = &[
    Field::optional("input", Shape::Text, "JSON pointer to the number of tokens sent."),
    Field::optional("output", Shape::Text, "JSON pointer to the number of tokens received."),
];

/// Keys of what is read.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "answer",
        Shape::Part("pointers"),
        "Own bots: JSON pointer to the text of the answer (`*` is every item of a list, `-` its last one, `>user` those behind the last of this `role` or `type`), or several that are tried in turn.",
    ),
    Field::optional(
        "tools",
        Shape::Text,
        "Own bots: JSON pointer to the list of tool calls, each with `name` and `arguments` (or `args`, `input`, `parameters`).",
    ),
    Field::optional(
        "state",
        Shape::Text,
        "Own bots: JSON pointer to the application's own state; without it, all that came.",
    ),
    Field::optional("stop", Shape::Text, "Own bots: JSON pointer to the word for why the answer ended."),
    Field::optional("usage", Shape::Object(USAGE), "Own bots: JSON pointers to the counts of tokens."),
];

/// Where the counts of tokens are.
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
            let message = format!("`answer` is a JSON pointer or a list of them, found {}", other.kind());
            reader.wrong(node.span, message, "write it as `answer: /answer`");
            return None;
        }
    };
    texts.into_iter().map(|node| reader.pointer(node.as_str()?, node.span)).collect()
}

/// An answer as it may be kept.
///
/// # Errors
/// When it has a key in it, which was taken out: what must not be shown is not judged either, or a leak would pass.
pub(super) fn without_keys(
    answer: Answer,
    (secrets, hidden): (&[Secret], bool),
    host: &str,
) -> Result<Answer, ProviderError> {
    let has_stars = |text: &str| text.contains("***");
    if hidden && (has_stars(&answer.text) || answer.tool_calls.iter().any(|call| has_stars(&call.line()))) {
        let reason =
            "the answer repeats a key that akit was given, which must not be shown and so is not judged";
        let help = "let the bot keep keys to itself; write what is no key into `variables`, not into the environment";
        let [reason, help] = [reason, help].map(str::to_owned);
        return Err(ProviderError::Misread { host: host.to_owned(), reason, help });
    }
    // The state is no text of an answer: a word that somebody uses as a key is not shown there.
    let scrubbed = |state: Json| {
        let written = Secret::scrub_all(secrets, &state.to_string());
        serde_json::from_str(&written).unwrap_or(state)
    };
    Ok(Answer { state: answer.state.map(scrubbed), ..answer })
}

/// What a bot said.
#[derive(Debug)]
pub(super) struct Body<'a> {
    /// Its documents: one, or those of a stream, whose texts belong together.
    pub(super) documents: Vec<Json>,
    /// Whether it is a stream.
    pub(super) is_stream: bool,
    /// As it came.
    pub(super) whole: &'a str,
    /// Who said it, for people.
    pub(super) host: &'a str,
}

impl Body<'_> {
    /// What came is not what was expected: what is wrong, and the help.
    pub(super) fn misread(&self, reason: &str, help: String) -> ProviderError {
        let reason = format!("{reason}; it begins \"{}\"", text::excerpt(self.whole.trim(), SHOWN));
        ProviderError::Misread { host: self.host.to_owned(), reason, help }
    }

    /// The answer in it, where `answer` says where its text is.
    pub(super) fn answer(&self, own: &Own, answer: &Told<Vec<Pointer>>) -> Result<Answer, ProviderError> {
        if let Some(error) = self.documents.iter().find_map(|one| error_within(one, self.host)) {
            return Err(error);
        }
        let finish_reason = self.last(own.stop.as_ref()).map(|word| match word {
            Json::String(word) => word.clone(),
            other => text::excerpt(&other.to_string(), 40),
        });
        let stop = StopReason::of(finish_reason.as_deref());
        if stop == StopReason::Broken {
            let word = text::excerpt(finish_reason.as_deref().unwrap_or_default(), 40);
            return Err(ProviderError::Ended { host: self.host.to_owned(), word });
        }
        let tool_calls = self.calls(own.tools.as_ref())?;
        let mut texts = Vec::new();
        for document in &self.documents {
            let found = answer.value.iter().map(|pointer| (pointer, pointer.find(document)));
            let Some((pointer, found)) = found.into_iter().find(|(_, found)| !found.is_empty()) else {
                continue;
            };
            for one in found {
                texts.push(self.words(pointer, one, answer)?);
            }
        }
        // An answer may be nothing but calls, or a refusal without words.
        if texts.is_empty() && tool_calls.is_empty() && (stop.is_whole() || !stop.is_answer()) {
            return Err(self.nothing_at(answer));
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

    /// The words at a pointer.
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
        let reason = format!("there is {kind} at `{pointer}`, and no text");
        Err(self.misread(&reason, format!("point `answer` ({}) at a text, such as {within}", answer.place())))
    }

    fn nothing_at(&self, answer: &Told<Vec<Pointer>>) -> ProviderError {
        let pointers: Vec<_> = answer.value.iter().map(|pointer| format!("`{pointer}`")).collect();
        let reason = format!("there is no text at {}", pointers.join(" or "));
        self.misread(&reason, format!("change `answer` ({}): {}", answer.place(), self.texts()))
    }

    /// Where texts are in it, for people.
    pub(super) fn texts(&self) -> String {
        let places = self.documents.first().map(|one| pointer::texts(one, 5)).unwrap_or_default();
        let places: Vec<_> = places.iter().map(|place| text::excerpt(place, 60)).collect();
        if places.is_empty() {
            "there is no text in what came".to_owned()
        } else {
            format!("texts are at {}", text::list(&places))
        }
    }

    /// What the last document that has it says.
    fn last(&self, told: Option<&Told<Pointer>>) -> Option<&Json> {
        let pointer = &told?.value;
        self.documents.iter().rev().find_map(|document| pointer.first(document))
    }

    fn calls(&self, told: Option<&Told<Pointer>>) -> Result<Vec<ToolCall>, ProviderError> {
        let Some(told) = told else { return Ok(Vec::new()) };
        let found = self.documents.iter().flat_map(|document| told.value.find(document));
        let mut calls = Vec::new();
        for one in found {
            let listed = match one {
                Json::Array(items) => items.clone(),
                Json::Object(_) => vec![one.clone()],
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                    let reason = format!("there is no list of calls at `{}`", told.value);
                    return Err(self.misread(&reason, format!("change `tools` ({})", told.place())));
                }
            };
            let read = message::calls(&Json::Array(listed)).map_err(|error| {
                self.misread(
                    &error.to_string(),
                    format!("change `tools` ({}), or what the bot calls them", told.place()),
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
        // Half a count is none: a budget would take the other half for nothing.
        Some(Usage { input_tokens: input?, output_tokens: output?, ..Usage::default() })
    }
}

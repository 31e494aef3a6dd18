//! `setup.handoff`: how to recognize a handoff in an answer.

use serde_json::Value as Json;
use strum::{EnumString, IntoStaticStr};

use crate::expectation::pattern::Pattern;
use crate::expectation::{Candidate, Reading, SHOWN};
use crate::manifest::Fault;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{FaultKind, StopWords, ToolCall};

/// Keys of `setup.handoff`.
pub const SIGNS: &[Field] = &[
    Field::optional("state", Shape::Name, "JSON pointer to where the application's state reports a handoff."),
    Field::optional(
        "states",
        Shape::Lexicon(&["none", "offered", "claimed", "done"], Stage::is_known, StopWords::folded),
        "Meaning of state words that akit does not know.",
    ),
    Field::optional("tool", Shape::Name, "The function whose call is the handoff."),
    Field::optional("text", Shape::Name, "Pattern for words that claim a handoff; case is ignored."),
    Field::optional("offers", Shape::Name, "Pattern for words that offer one; case is ignored."),
    Field::optional(
        "notice",
        Shape::Name,
        "Pattern for the sentences allowed while the customer waits for a person; case is ignored.",
    ),
];

/// Claims that a reason mentions in addition to those that `text` matches. They never change an outcome.
const CLAIMS: &str =
    "\\b(connect|transfer|hand|pass|put|forward|escalat)\\w*\\b[^.!?\\n]{0,40}\\b(you|this|your)\\b";

/// How far a handoff got. Each stage includes the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// No handoff.
    None,
    /// Words offer one.
    Offered,
    /// Words claim one.
    Claimed,
    /// The application did it.
    Done,
}

impl Stage {
    /// The meaning of a word of an application's state, if akit knows it.
    fn named(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "none" | "no" | "false" => Some(Self::None),
            "offered" => Some(Self::Offered),
            "claimed" => Some(Self::Claimed),
            "done" | "accepted" | "yes" | "true" => Some(Self::Done),
            _ => None,
        }
    }

    /// Whether the customer is with a person now.
    fn is_done(self) -> bool {
        match self {
            Self::Done => true,
            Self::None | Self::Offered | Self::Claimed => false,
        }
    }

    fn is_known(word: &str) -> bool {
        Self::named(word).is_some()
    }

    pub(super) fn word(self) -> &'static str {
        self.into()
    }
}

/// The signs of a handoff in an answer.
#[derive(Clone, Debug)]
pub struct Signs {
    pub(super) state: Option<String>,
    states: Vec<(String, Stage)>,
    pub(super) tool: Option<String>,
    pub(super) text: Option<Pattern>,
    pub(super) offers: Option<Pattern>,
    notice: Option<Pattern>,
    pub(super) claims: Option<Pattern>,
}

impl Signs {
    /// Reads `setup.handoff`.
    pub fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Self {
        let pointer = fields.text("state");
        if let Some((pointer, span)) = pointer.filter(|(pointer, _)| !pointer.starts_with('/')) {
            let shown = text::excerpt(pointer, 60);
            let message = format!("`{shown}` is not a JSON pointer");
            reading.refuse(
                "wrong-value",
                span,
                message,
                "start each member with `/`, as in `/handoff/accepted`",
            );
        }
        let words = fields.words("states").into_iter();
        let taught =
            |(word, stage): (String, String)| Some((word.trim().to_lowercase(), stage.parse().ok()?));
        let mut pattern = |key: &str| {
            let (written, span) = fields.text(key)?;
            reading.pattern(written, span, "i")
        };
        let (text, offers) = (pattern("text"), pattern("offers"));
        // Anything else in the same sentence makes it an answer.
        let notice = pattern("notice").and(fields.text("notice"));
        let notice =
            notice.and_then(|(written, _)| reading.patterns.compile(&format!("^(?:{written})$"), "i").ok());
        let claims = reading.patterns.compile(CLAIMS, "i").ok();
        let tool = fields.text("tool").map(|(tool, span)| reading.function(tool, span));
        let state = pointer.map(|(pointer, _)| pointer.to_owned());
        Self { state, states: words.filter_map(taught).collect(), tool, text, offers, notice, claims }
    }

    /// Whether all of the text may be said while the customer waits: as a whole, or sentence by sentence.
    ///
    /// # Errors
    /// If a search gives up.
    pub(super) fn is_notice(&self, text: &str) -> Result<bool, Fault> {
        let Some(pattern) = &self.notice else { return Ok(false) };
        let fits = |words: &str| -> Result<bool, Fault> {
            for words in [words.trim(), words.trim_matches(|letter: char| !letter.is_alphanumeric())] {
                let found = pattern.find(words).map_err(|error| {
                    Fault::new(FaultKind::ExpectationError, error.to_string(), "simplify the pattern")
                })?;
                if found.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if fits(text)? {
            return Ok(true);
        }
        for part in text::said::sentences(text).filter(|part| part.contains(char::is_alphanumeric)) {
            if !fits(part)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether something shows that a handoff is done.
    #[must_use]
    pub fn shows_done(&self) -> bool {
        self.tool.is_some() || self.state.is_some()
    }

    /// Whether an answer hands off.
    ///
    /// # Errors
    /// If its state has an unknown word, or a search gives up.
    pub fn is_done(&self, answer: &Candidate<'_>) -> Result<bool, Fault> {
        Ok(self.reached(answer, false)?.stage.is_done())
    }

    /// How far a handoff got in an answer.
    ///
    /// # Errors
    /// As [`Self::is_done`].
    pub fn handover(&self, answer: &Candidate<'_>) -> Result<Stage, Fault> {
        Ok(self.reached(answer, false)?.stage)
    }

    /// How far a handoff got in an answer, and its signs. With `never` there must be no handoff, so each sign counts
    /// alone.
    pub(super) fn reached(&self, answer: &Candidate<'_>, never: bool) -> Result<Reached, Fault> {
        let (reported, is_called) = (self.reported(answer)?, self.calls(answer).next().is_some());
        let (claimed, offered) = (said(self.text.as_ref(), answer)?, said(self.offers.as_ref(), answer)?);
        let by_words = match (&claimed, &offered) {
            (Some(_), _) => Stage::Claimed,
            (None, Some(_)) => Stage::Offered,
            (None, None) => Stage::None,
        };
        let by_call = match (is_called, reported) {
            (false, _) => Stage::None,
            // The application's state is more reliable than its model's words about whether a person took over.
            (true, Some(_)) if !never => Stage::Claimed,
            (true, _) => Stage::Done,
        };
        let stage = by_words.max(by_call).max(reported.unwrap_or(Stage::None));
        Ok(Reached { stage, reported, claimed, offered })
    }

    /// The stage that the application's state reports, if it has a value for it.
    fn reported(&self, answer: &Candidate<'_>) -> Result<Option<Stage>, Fault> {
        let value = self.pointed(answer);
        let word = match value {
            None => return Ok(None),
            Some(Json::Null) => return Ok(Some(Stage::None)),
            Some(Json::Bool(done)) => return Ok(Some(if *done { Stage::Done } else { Stage::None })),
            Some(Json::String(word)) => word.clone(),
            Some(other @ (Json::Number(_) | Json::Array(_) | Json::Object(_))) => other.to_string(),
        };
        let taught = || self.states.iter().find(|(known, _)| *known == word.trim().to_lowercase());
        Stage::named(&word).or_else(|| taught().map(|(_, stage)| *stage)).map(Some).ok_or_else(|| {
            let (shown, pointer) = (text::excerpt(&word, 40), self.state.as_deref().unwrap_or_default());
            let message =
                format!("the state at `{pointer}` is `{shown}`, which akit does not know");
            let help = format!("add its meaning: `setup: {{ handoff: {{ states: {{ \"{shown}\": done }} }} }}` (or none, offered, claimed)");
            Fault::new(FaultKind::UnknownState, message, &help)
        })
    }

    /// The value where the state reports a handoff.
    pub(super) fn pointed<'a>(&self, answer: &Candidate<'a>) -> Option<&'a Json> {
        answer.state?.pointer(self.state.as_deref()?)
    }

    /// The part of the application's state around the value that reports a handoff. If that part is the whole state,
    /// only the value itself, because the state may contain the question.
    pub(super) fn beside<'a>(&self, answer: &Candidate<'a>) -> Option<&'a Json> {
        let pointer = self.state.as_deref()?;
        let above = pointer.rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty());
        answer.state?.pointer(above.unwrap_or(pointer))
    }

    /// The handoff calls.
    pub(super) fn calls<'a>(&self, answer: &Candidate<'a>) -> impl Iterator<Item = &'a ToolCall> {
        let calls = answer.tool_calls.iter();
        calls.filter(|call| self.tool.as_ref() == Some(&call.name))
    }
}

/// How far a handoff got, and its signs.
pub(super) struct Reached {
    pub(super) stage: Stage,
    pub(super) reported: Option<Stage>,
    pub(super) claimed: Option<String>,
    pub(super) offered: Option<String>,
}

/// What a pattern matches in an answer, in quotes.
pub(super) fn said(pattern: Option<&Pattern>, answer: &Candidate<'_>) -> Result<Option<String>, Fault> {
    let Some(pattern) = pattern else { return Ok(None) };
    let found = pattern.find(answer.text).map_err(|error| {
        Fault::new(FaultKind::ExpectationError, error.to_string(), "simplify the pattern")
    })?;
    Ok(found.map(|range| format!("\"{}\"", text::excerpt_around(answer.text, range, SHOWN / 2))))
}

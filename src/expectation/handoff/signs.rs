//! `setup.handoff`: how a handoff shows in an answer.

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
    Field::optional(
        "state",
        Shape::Name,
        "JSON pointer to where the application's state tells of a handoff.",
    ),
    Field::optional(
        "states",
        Shape::Lexicon(&["none", "offered", "claimed", "done"], Stage::is_known, StopWords::folded),
        "What words of that state mean that akit does not know.",
    ),
    Field::optional("tool", Shape::Name, "The function that hands over when it is called."),
    Field::optional("text", Shape::Name, "Pattern of words that say a handoff happens; case is ignored."),
    Field::optional("offers", Shape::Name, "Pattern of words that offer one; case is ignored."),
    Field::optional(
        "notice",
        Shape::Name,
        "Pattern of all that may be said once the customer waits for a person, sentence by sentence; case is ignored.",
    ),
];

/// Words by which a claim is told in a reason, besides `text`. No verdict hangs on them.
const CLAIMS: &str =
    "\\b(connect|transfer|hand|pass|put|forward|escalat)\\w*\\b[^.!?\\n]{0,40}\\b(you|this|your)\\b";

/// How far a handoff has come. A further stage satisfies a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// There is none.
    None,
    /// Words offer one.
    Offered,
    /// Words say that it happens.
    Claimed,
    /// The application did it.
    Done,
}

impl Stage {
    /// What a word of an application's state means, where akit knows it.
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

/// How a handoff shows in an answer.
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
            let message = format!("`{shown}` is no JSON pointer");
            reading.refuse(
                "wrong-value",
                span,
                message,
                "begin each member with `/`, as in `/handoff/accepted`",
            );
        }
        let words = fields.words("states").into_iter();
        let taught =
            |(word, stage): (String, String)| Some((word.trim().to_lowercase(), stage.parse().ok()?));
        let mut pattern = |key: &str| {
            let (written, span) = fields.text(key)?;
            match reading.patterns.compile(written, "i") {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    let message = format!("invalid pattern: {}", error.message);
                    reading.refuse("invalid-regex", span, message, error.help);
                    None
                }
            }
        };
        let (text, offers) = (pattern("text"), pattern("offers"));
        // What stands beside it in a sentence is an answer.
        let notice = pattern("notice").and(fields.text("notice"));
        let notice =
            notice.and_then(|(written, _)| reading.patterns.compile(&format!("^(?:{written})$"), "i").ok());
        let claims = reading.patterns.compile(CLAIMS, "i").ok();
        let tool = fields.text("tool").map(|(tool, span)| reading.function(tool, span));
        let state = pointer.map(|(pointer, _)| pointer.to_owned());
        Self { state, states: words.filter_map(taught).collect(), tool, text, offers, notice, claims }
    }

    /// Whether a text is nothing but what may be said while the customer waits: as a whole, or each of its sentences.
    ///
    /// # Errors
    /// Where a search gives up.
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

    /// Whether an answer hands over.
    ///
    /// # Errors
    /// Where its state has a word that nobody knows, or a search gives up.
    pub fn is_done(&self, answer: &Candidate<'_>) -> Result<bool, Fault> {
        Ok(self.reached(answer, false)?.stage.is_done())
    }

    /// How far a handoff has come in an answer.
    ///
    /// # Errors
    /// As [`Self::is_done`].
    pub fn handover(&self, answer: &Candidate<'_>) -> Result<Stage, Fault> {
        Ok(self.reached(answer, false)?.stage)
    }

    /// How far a handoff has come in an answer, and by what that is known. `never` says that there must be none, so that
    /// each sign counts by itself.
    pub(super) fn reached(&self, answer: &Candidate<'_>, never: bool) -> Result<Reached, Fault> {
        let (told, is_called) = (self.told(answer)?, self.calls(answer).next().is_some());
        let (claimed, offered) = (said(self.text.as_ref(), answer)?, said(self.offers.as_ref(), answer)?);
        let by_words = match (&claimed, &offered) {
            (Some(_), _) => Stage::Claimed,
            (None, Some(_)) => Stage::Offered,
            (None, None) => Stage::None,
        };
        let by_call = match (is_called, told) {
            (false, _) => Stage::None,
            // The application knows better than its model whether somebody took over.
            (true, Some(_)) if !never => Stage::Claimed,
            (true, _) => Stage::Done,
        };
        let stage = by_words.max(by_call).max(told.unwrap_or(Stage::None));
        Ok(Reached { stage, told, claimed, offered })
    }

    /// What the application's state tells; nothing where it does not speak of a handoff.
    pub(super) fn told(&self, answer: &Candidate<'_>) -> Result<Option<Stage>, Fault> {
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
                format!("the state at `{pointer}` is `{shown}`, and akit does not know what that means");
            let help = format!("say so: `setup: {{ handoff: {{ states: {{ \"{shown}\": done }} }} }}` (or none, offered, claimed)");
            Fault::new(FaultKind::UnknownState, message, &help)
        })
    }

    /// What stands where the state tells of a handoff.
    pub(super) fn pointed<'a>(&self, answer: &Candidate<'a>) -> Option<&'a Json> {
        answer.state?.pointer(self.state.as_deref()?)
    }

    /// The part of the application's state that stands beside what tells of a handoff, where that has a place of its own: all
    /// of the state may hold what was asked.
    pub(super) fn beside<'a>(&self, answer: &Candidate<'a>) -> Option<&'a Json> {
        let pointer = self.state.as_deref()?;
        let above = pointer.rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty());
        answer.state?.pointer(above.unwrap_or(pointer))
    }

    /// The calls that hand over.
    pub(super) fn calls<'a>(&self, answer: &Candidate<'a>) -> impl Iterator<Item = &'a ToolCall> {
        let calls = answer.tool_calls.iter();
        calls.filter(|call| self.tool.as_ref() == Some(&call.name))
    }
}

/// How far a handoff has come, and the signs of that.
pub(super) struct Reached {
    pub(super) stage: Stage,
    pub(super) told: Option<Stage>,
    pub(super) claimed: Option<String>,
    pub(super) offered: Option<String>,
}

/// The words of an answer that a pattern finds, in quotes.
pub(super) fn said(pattern: Option<&Pattern>, answer: &Candidate<'_>) -> Result<Option<String>, Fault> {
    let Some(pattern) = pattern else { return Ok(None) };
    let found = pattern.find(answer.text).map_err(|error| {
        Fault::new(FaultKind::ExpectationError, error.to_string(), "simplify the pattern")
    })?;
    Ok(found.map(|range| format!("\"{}\"", text::excerpt_around(answer.text, range, SHOWN / 2))))
}

//! The single tests of an expression.

use std::cell::OnceCell;

use serde_json::Value;

use super::json::{self, Literal, Operator};
use crate::expectation::pattern::{Pattern, SearchError};
use crate::stats::real;
use crate::text;

/// How many characters of an answer or a value are shown.
const SHOWN: usize = 80;

/// The answer to judge.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    response: &'a str,
    expected: Option<&'a str>,
    json: OnceCell<Option<Value>>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(response: &'a str, expected: Option<&'a str>) -> Self {
        Self { response, expected, json: OnceCell::new() }
    }

    /// The answer as JSON. Unlike in JavaScript, JSON does not count if it is nested more than 128 levels deep, or
    /// contains half a surrogate pair as an escape or a number beyond the range of a double.
    fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_str(self.response).ok()).as_ref()
    }

    fn shown(&self) -> String {
        match self.response {
            "" => "the answer is empty".to_owned(),
            response => format!("the answer is \"{}\"", text::excerpt(response, SHOWN)),
        }
    }
}

/// One test, with its text for messages.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    /// As written in the expression.
    pub(super) source: String,
    /// Whether a `!` is right before it.
    pub(super) sign: Sign,
    /// The test.
    pub(super) test: Test,
}

/// Whether a test is negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// As it is.
    Plain,
    /// With `!` before it.
    Negated,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// Whether the answer contains a string.
    Text(Search, String),
    /// Whether a pattern matches.
    Match(Pattern),
    /// How long the answer is.
    Count(Measure, Operator, f64),
    /// A value in the answer.
    Json(Vec<String>, Operator, Literal),
    /// Whether the answer is JSON and not null.
    AnyJson,
    /// Whether the answer is the expected one.
    Expected(Edges),
}

/// Where to look for a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// Anywhere.
    Includes,
    /// Anywhere, in any case.
    IncludesAnyCase,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// UTF-16 units.
    Length,
    /// Words between white space.
    Words,
    /// Lines that are not blank.
    Lines,
}

impl Measure {
    /// As written in an expression.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Words => "words.length",
            Self::Lines => "lines.length",
        }
    }

    fn of(self, response: &str) -> usize {
        match self {
            Self::Length => response.encode_utf16().count(),
            Self::Words => response.split(text::js_space).filter(|word| !word.is_empty()).count(),
            Self::Lines => response.split('\n').filter(|line| !text::js_trim(line).is_empty()).count(),
        }
    }
}

/// Whether white space at the ends of the answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edges {
    /// It does.
    Kept,
    /// `response.trim()`
    Trimmed,
}

/// The result of a test.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Whether it is true; `None` if it cannot be judged, in which case its negation is not true either.
    pub(super) is_true: Option<bool>,
    /// What the answer has, for people.
    pub(super) what: String,
}

/// Equal if both are the same test, however they are written.
impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        (self.sign, &self.test) == (other.sign, &other.test)
    }
}

impl Atom {
    /// Judges an answer by the test with its sign.
    pub(super) fn judge(&self, answer: &Answer) -> Result<Found, SearchError> {
        let (is_true, what) = self.test.judge(answer, &self.source)?;
        Ok(Found { is_true: is_true.map(|is_true| is_true == (self.sign == Sign::Plain)), what })
    }
}

impl Test {
    /// The text of an answer for which this is true, or is not.
    pub(super) fn text(&self, is_true: bool) -> Option<&str> {
        match self {
            Self::Text(_, text) => Some(text.as_str()).filter(|_| is_true),
            Self::Json(_, operator, Literal::Text(text)) => {
                let (equal, other) = (operator.is_equality(), operator.is_inequality());
                Some(text.as_str()).filter(|_| if is_true { equal } else { other })
            }
            Self::Json(..) | Self::Match(_) | Self::Count(..) | Self::AnyJson | Self::Expected(_) => None,
        }
    }

    /// Whether more text could make it false.
    pub(super) fn negative(&self) -> bool {
        match self {
            Self::Match(pattern) => pattern.negative(),
            Self::Count(_, operator, _) => !operator.is_lower_bound(),
            // `!= null` asks whether there is a value at all.
            Self::Json(_, operator, literal) => {
                let asks_for_any = *operator == Operator::Unequal && *literal == Literal::Null;
                !asks_for_any && !operator.is_lower_bound() && !operator.is_equality()
            }
            Self::Text(..) | Self::AnyJson | Self::Expected(_) => false,
        }
    }

    fn judge(&self, answer: &Answer, source: &str) -> Result<(Option<bool>, String), SearchError> {
        let response = answer.response;
        Ok(match self {
            Self::Text(_, needle) if needle.is_empty() => (None, "the text to look for is empty".to_owned()),
            Self::Text(search, needle) => {
                let found = search.find(response, needle);
                // A string with variables is not in the source as it is.
                let sought = if source.contains(needle.as_str()) {
                    String::new()
                } else {
                    format!(", looking for \"{}\"", text::excerpt(needle, SHOWN))
                };
                let shown = match response.find(needle.as_str()) {
                    Some(at) => {
                        let around = text::excerpt_around(response, at..at + needle.len(), SHOWN);
                        format!("found in \"{around}\"")
                    }
                    None => answer.shown(),
                };
                (Some(found), if found { shown } else { answer.shown() } + &sought)
            }
            Self::Match(pattern) => match pattern.find(response)? {
                Some(range) => {
                    let shown = text::excerpt_around(response, range, SHOWN);
                    (Some(true), format!("matches in \"{shown}\""))
                }
                None => (Some(false), answer.shown()),
            },
            Self::Count(measure, operator, limit) => {
                let count = measure.of(response);
                let is_true = operator.compares(real(count), *limit);
                (Some(is_true), format!("{} is {count}", measure.name()))
            }
            Self::Json(path, operator, literal) => match answer.json() {
                None => (None, "the answer is not JSON".to_owned()),
                Some(json) => {
                    let value = json::at_path(json, path);
                    let is_true = json::compares(value.as_deref(), *operator, literal);
                    let shown = match &value {
                        Some(value) => format!("is {}", text::excerpt(&value.to_string(), SHOWN)),
                        None => "is missing".to_owned(),
                    };
                    (Some(is_true), format!("json.{} {shown}", path.join(".")))
                }
            },
            Self::AnyJson => match answer.json() {
                None => (Some(false), "the answer is not JSON".to_owned()),
                Some(json) => (Some(!json.is_null()), answer.shown()),
            },
            Self::Expected(edges) => match answer.expected {
                None => (None, "there is no expected value".to_owned()),
                Some(expected) => {
                    let given = if *edges == Edges::Trimmed { text::js_trim(response) } else { response };
                    let what = format!("{}, expected \"{}\"", answer.shown(), text::excerpt(expected, SHOWN));
                    (Some(given == expected), what)
                }
            },
        })
    }
}

impl Search {
    fn find(self, response: &str, needle: &str) -> bool {
        match self {
            Self::Includes => response.contains(needle),
            Self::IncludesAnyCase => response.to_lowercase().contains(&needle.to_lowercase()),
            Self::StartsWith => response.starts_with(needle),
            Self::EndsWith => response.ends_with(needle),
        }
    }
}

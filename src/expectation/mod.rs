//! Expectations: what may be written under `expected:`, and how an answer is held against it.
//!
//! One kind per file. An expectation that cannot judge is *errored*, never passed, and no operator
//! turns an error into a pass.

mod affix;
mod always;
mod arguments;
mod aside;
mod candidate;
mod combined;
mod contains;
mod deterministic;
mod ended;
mod exact;
mod fact;
mod fuzzy;
mod handoff;
mod inline;
mod is_refusal;
mod json_schema;
mod language;
mod latency;
mod length;
mod llm_grader;
mod memory;
mod no_loop;
mod not;
mod not_contains;
mod pii;
mod plain;
mod reading;
mod regex;
mod schema;
mod scope;
mod see;
mod seen;
mod similarity;
mod tools;
mod weaker;
mod which;
mod whole;

pub mod expression;
pub mod pattern;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strum::IntoEnumIterator;

use crate::grader::{Bench, Defaults};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Node, Shape, Value};
use crate::stats::real;
use crate::text;
use crate::vocabulary::{About, Outcome, VerdictKind};

pub use always::{Exception, NAMED, Rule, check_exceptions, judge, judge_turn, see, see_turn, standing};
pub use arguments::{Arguments, Fit};
pub use candidate::{Candidate, Heard, Talk};
pub use combined::all;
pub use fact::{FACT, Fact};
pub use handoff::{SIGNS, Signs, Stage};
pub use llm_grader::{Judges, LlmGrader, fewer_votes, swapped};
pub use reading::{Reading, filled, substitute};
pub use schema::{definitions, keys, schema, schema_of_rules};
pub use scope::Scope;
pub use seen::Seen;
pub use weaker::{Written, covers, weaker};

const TYPE: Field = Field::required("type", Shape::Text, "Kind of expectation.");

/// The kinds that are written under `type:`; `not` is written as a key of its own.
fn kinds() -> Vec<&'static str> {
    VerdictKind::iter().filter(|kind| *kind != VerdictKind::Not).map(|kind| <&str>::from(&kind)).collect()
}

/// What expectations need to know of `setup:` of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The functions that are declared.
    pub functions: Vec<String>,
    /// How a handoff shows.
    pub handoff: Option<Arc<Signs>>,
    /// What may be named, where it is a conversation that something is expected of, and not one answer.
    pub talk: Option<Scope>,
}

/// An expectation and the line where it stands.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// 1-based line of its `type:` (or `not:`).
    pub line: u32,
    /// What it demands.
    pub expected: Expected,
}

/// The closed set of kinds.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The text alone says whether it holds.
    Plain(Plain),
    /// A judge holds the answer against a rubric.
    LlmGrader(Box<llm_grader::LlmGrader>),
    /// The answer means the same as a text.
    Similarity(Box<similarity::Similarity>),
    /// All or any of several expectations hold.
    Combined(combined::Combined),
    /// An expectation does not hold.
    Not(not::Not),
    /// An expectation holds for some answers of a conversation.
    Which(Box<which::Which>),
    /// Something holds for a conversation.
    Whole(Whole),
}

plain::plain! {
    Contains in contains,
    NotContains in not_contains,
    Exact in exact,
    Regex in regex,
    Handoff in handoff,
    Tools in tools,
    Fuzzy in fuzzy,
    JsonSchema in json_schema,
    Inline in inline,
    StartsWith in affix,
    EndsWith in affix,
    Length in length,
    Latency in latency,
    Pii in pii,
    IsRefusal in is_refusal,
    Language in language,
}

whole::whole! {
    Ended in ended,
    HandoffKept in handoff::kept,
    Keeps in memory,
    NoLoop in no_loop,
    NoReask in memory,
}

impl Expectation {
    /// What demands nothing, where a case leaves all to its turns.
    #[must_use]
    pub fn nothing(line: u32) -> Self {
        Self { line, expected: Expected::Combined(combined::Combined::nothing()) }
    }

    /// Whether it demands nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(&self.expected, Expected::Combined(combined) if combined.parts().is_empty())
    }

    /// Reads an expectation and everything below it; reports all that is wrong.
    pub fn read(node: &Node, what: &str, reading: &mut Reading<'_>) -> Option<Self> {
        if let Some(inner) = node.get("not")
            && node.get("type").is_none()
        {
            let fields = Fields::check(node, not::FIELDS, what, reading.file, reading.found)?;
            let line = fields.span().line;
            let inner = Expectation::read(inner, "`not`", reading)?;
            return Some(Self { line, expected: Expected::Not(not::Not::of(inner)) });
        }
        let Value::Map(entries) = &node.value else {
            let message = format!("{what} is an expectation, found {}", node.value.kind());
            reading.found.push(
                Diagnostic::error("wrong-type", reading.file, node.span, message)
                    .help("write a mapping such as `{ type: contains, values: [\"refund\"] }`"),
            );
            return None;
        };
        let Some(kind) = node.get("type") else {
            let span = entries.first().map_or(node.span, |(key, _)| key.span);
            reading.found.push(
                Diagnostic::error("missing-field", reading.file, span, format!("{what} needs `type`"))
                    .help(format!("add `type:` with one of {}", text::list(&kinds()))),
            );
            return None;
        };
        let line = kind.span.line;
        let name = VerdictKind::of(kind.as_str().unwrap_or_default());
        if matches!(name, VerdictKind::Other(_) | VerdictKind::Not) {
            let shown = kind.as_str().unwrap_or(kind.value.kind());
            let message = format!("unknown kind of expectation `{}`", text::excerpt(shown, 60));
            let help = text::meant(shown, &kinds(), || format!("there are {}", text::list(&kinds())));
            reading
                .found
                .push(Diagnostic::error("unknown-expectation", reading.file, kind.span, message).help(help));
            return None;
        }
        if !reading.takes(&name, kind.span) {
            return None;
        }
        let fields = Fields::check(node, table(&name), &article(name.word()), reading.file, reading.found)?;
        let expected = match name {
            VerdictKind::LlmGrader => {
                llm_grader::LlmGrader::read(&fields, reading).map(|kind| Expected::LlmGrader(kind.into()))
            }
            VerdictKind::Similarity => {
                similarity::Similarity::read(&fields, reading).map(|kind| Expected::Similarity(kind.into()))
            }
            VerdictKind::Combined => combined::Combined::read(&fields, reading).map(Expected::Combined),
            VerdictKind::Custom | VerdictKind::Not | VerdictKind::Other(_) => {
                refuse_custom(&fields, kind, reading)
            }
            VerdictKind::Answer
            | VerdictKind::EveryAnswer
            | VerdictKind::FirstAnswer
            | VerdictKind::LastAnswer
            | VerdictKind::SomeAnswer => {
                which::Which::read(&name, &fields, reading).map(|kind| Expected::Which(kind.into()))
            }
            kind if kind.about() == About::Conversation => {
                Whole::read(&kind, &fields, reading).map(Expected::Whole)
            }
            plain => Plain::read(&plain, &fields, reading).map(Expected::Plain),
        };
        Some(Self { line, expected: expected? })
    }

    /// Holds an answer against the expectation.
    ///
    /// Only graders wait for anything; all other kinds answer at once.
    #[must_use]
    pub fn judge<'a>(
        &'a self,
        answer: &'a Candidate<'a>,
        bench: &'a Bench<'a>,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>> {
        Box::pin(async move {
            let mut verdict = match &self.expected {
                Expected::Plain(kind) => {
                    let verdict = kind.judge(answer);
                    match answer.seen {
                        // Time is not in the text.
                        Some(seen) if !matches!(kind, Plain::Latency(_)) => seen.over(verdict, answer),
                        Some(_) | None => verdict,
                    }
                }
                Expected::LlmGrader(kind) => kind.judge(answer, bench).await,
                Expected::Similarity(kind) => kind.judge(answer, bench).await,
                Expected::Combined(kind) => kind.judge(answer, bench).await,
                Expected::Not(kind) => kind.judge(answer, bench).await,
                Expected::Which(kind) => match answer.talk {
                    Some(talk) => kind.judge(talk, answer.seen, bench).await,
                    None => which::without_talk(kind.kind()),
                },
                Expected::Whole(kind) => match (answer.talk, answer.seen) {
                    // How it ended is not in the text.
                    (Some(talk), Some(seen)) if !matches!(kind, Whole::Ended(_)) => {
                        seen.over(kind.judge(talk), answer)
                    }
                    (Some(talk), _) => kind.judge(talk),
                    (None, _) => which::without_talk(kind.kind()),
                },
            };
            verdict.line = self.line;
            verdict
        })
    }

    /// The texts that a right answer says: whoever reads them need not know them. What must not be said is none of them.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match &self.expected {
            Expected::Plain(kind) => kind.texts(),
            Expected::LlmGrader(kind) => vec![kind.rubric()],
            Expected::Similarity(kind) => vec![kind.value()],
            Expected::Combined(kind) => kind.parts().iter().flat_map(Expectation::texts).collect(),
            Expected::Which(kind) => kind.inner().texts(),
            Expected::Not(_) | Expected::Whole(_) => Vec::new(),
        }
    }

    /// What is asked about an answer, in order.
    #[must_use]
    pub fn consults<'a>(&'a self, defaults: &'a Defaults) -> Vec<Consulted<'a>> {
        match &self.expected {
            Expected::LlmGrader(judge) => vec![Consulted { judge, embedding: None }],
            Expected::Similarity(kind) => {
                let embedding = kind.embedding_model(defaults).map(|model| (model, kind.value()));
                vec![Consulted { judge: kind.grader(), embedding }]
            }
            Expected::Combined(kind) => {
                kind.parts().iter().flat_map(|part| part.consults(defaults)).collect()
            }
            Expected::Not(kind) => kind.inner().consults(defaults),
            Expected::Which(kind) => kind.inner().consults(defaults),
            Expected::Plain(_) | Expected::Whole(_) => Vec::new(),
        }
    }

    /// The patterns with named groups that stand in it; what must not hold has none.
    #[must_use]
    pub fn groups(&self) -> Vec<&pattern::Groups> {
        match &self.expected {
            Expected::Plain(Plain::Regex(kind)) => kind.groups().into_iter().collect(),
            Expected::Combined(kind) => kind.parts().iter().flat_map(Expectation::groups).collect(),
            Expected::Plain(_)
            | Expected::LlmGrader(_)
            | Expected::Similarity(_)
            | Expected::Not(_)
            | Expected::Which(_)
            | Expected::Whole(_) => Vec::new(),
        }
    }

    /// Whether it, or a part of it, asks for a handoff.
    #[must_use]
    pub fn asks_for_handoff(&self) -> bool {
        match &self.expected {
            Expected::Plain(kind) => kind.kind() == VerdictKind::Handoff,
            Expected::Combined(kind) => kind.parts().iter().any(Expectation::asks_for_handoff),
            Expected::Not(kind) => kind.inner().asks_for_handoff(),
            Expected::Which(kind) => kind.inner().asks_for_handoff(),
            Expected::Whole(kind) => kind.kind() == VerdictKind::HandoffKept,
            Expected::LlmGrader(_) | Expected::Similarity(_) => false,
        }
    }

    /// Whether it, or a part of it, can be met by any answer of a conversation, however late.
    #[must_use]
    pub fn may_come_late(&self) -> bool {
        match &self.expected {
            Expected::Plain(Plain::Handoff(kind)) => kind.may_come_late(),
            Expected::Whole(kind) => kind.kind() == VerdictKind::Ended,
            Expected::Combined(kind) => kind.parts().iter().any(Expectation::may_come_late),
            // All calls of a conversation are looked at, and its last answer is another one.
            Expected::Plain(Plain::Tools(_)) => true,
            Expected::Which(kind) => {
                matches!(kind.kind(), VerdictKind::SomeAnswer | VerdictKind::LastAnswer)
            }
            // That not every answer is so, or that there is a handoff, may be true of a later one.
            Expected::Not(kind) => match &kind.inner().expected {
                Expected::Which(inner) => {
                    matches!(inner.kind(), VerdictKind::EveryAnswer | VerdictKind::LastAnswer)
                }
                Expected::Plain(Plain::Handoff(inner)) => inner.is_never(),
                _ => false,
            },
            Expected::Plain(_) | Expected::LlmGrader(_) | Expected::Similarity(_) => false,
        }
    }

    /// The judges that this expectation needs, in order.
    #[must_use]
    pub fn graders(&self) -> Vec<&LlmGrader> {
        match &self.expected {
            Expected::LlmGrader(kind) => vec![kind],
            Expected::Similarity(kind) => vec![kind.grader()],
            Expected::Combined(kind) => kind.parts().iter().flat_map(Expectation::graders).collect(),
            Expected::Not(kind) => kind.inner().graders(),
            Expected::Which(kind) => kind.inner().graders(),
            Expected::Plain(_) | Expected::Whole(_) => Vec::new(),
        }
    }
}

/// What an expectation asks about an answer.
#[derive(Clone, Copy, Debug)]
pub struct Consulted<'a> {
    /// The judge, or whoever gives embeddings.
    pub judge: &'a LlmGrader,
    /// The model of embeddings in place of a verdict, and the text that the answer's is compared with.
    pub embedding: Option<(&'a str, &'a str)>,
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{kind}` expectation")
}

/// The fields of a kind.
fn table(kind: &VerdictKind) -> &'static [Field] {
    match kind {
        VerdictKind::LlmGrader => llm_grader::FIELDS,
        VerdictKind::Similarity => similarity::FIELDS,
        VerdictKind::Combined => combined::FIELDS,
        VerdictKind::Not => not::FIELDS,
        VerdictKind::Custom | VerdictKind::Other(_) => CUSTOM,
        VerdictKind::Answer => which::FIELDS_OF_ONE,
        VerdictKind::EveryAnswer
        | VerdictKind::FirstAnswer
        | VerdictKind::LastAnswer
        | VerdictKind::SomeAnswer => which::FIELDS,
        kind => Plain::fields(kind).or_else(|| Whole::fields(kind)).unwrap_or(CUSTOM),
    }
}

const CUSTOM: &[Field] = &[
    TYPE,
    Field::required("evaluator", Shape::Text, "Name of a JavaScript evaluator."),
    Field::optional("config", Shape::Map, "Its options."),
];

fn refuse_custom(fields: &Fields<'_>, kind: &Node, reading: &mut Reading<'_>) -> Option<Expected> {
    let name = fields.string("evaluator").unwrap_or_default();
    let message = format!("`custom` evaluator `{}` is a JavaScript function", text::excerpt(&name, 60));
    reading.found.push(
        Diagnostic::error("custom-evaluator", reading.file, kind.span, message)
            .help("say the same with `inline`, `regex`, `json_schema` or `llm_grader`"),
    );
    None
}

/// A verdict of a kind, still without words. One that says only whether an answer passes scores 1 where it does; one of
/// parts scores as they do.
fn verdict(kind: VerdictKind, passed: bool, score: f64) -> Verdict {
    let of_parts = matches!(
        kind,
        VerdictKind::Combined
            | VerdictKind::Not
            | VerdictKind::Answer
            | VerdictKind::EveryAnswer
            | VerdictKind::FirstAnswer
            | VerdictKind::LastAnswer
            | VerdictKind::SomeAnswer
    );
    let score = if passed && !of_parts && !kind.is_graded() { 1.0 } else { score };
    Verdict {
        kind,
        outcome: if passed { Outcome::Passed } else { Outcome::Failed },
        score: Some(score),
        threshold: None,
        reason: String::new(),
        expected: String::new(),
        got: String::new(),
        line: 0,
        rule: None,
        grade: None,
        fault: None,
        advisory: None,
        turn: None,
        any: false,
        parts: Vec::new(),
    }
}

/// A verdict that failed for a reason that no answer shows.
#[must_use]
pub fn failed(kind: VerdictKind, reason: String, line: u32) -> Verdict {
    Verdict { reason, line, ..verdict(kind, false, 0.0) }
}

/// A verdict that could not be reached.
fn errored(kind: VerdictKind, reason: String) -> Verdict {
    Verdict { outcome: Outcome::Errored, score: None, reason, ..verdict(kind, false, 0.0) }
}

/// The verdict of a negative expectation on an answer that proves nothing.
fn hollow(kind: VerdictKind, reason: &str) -> Verdict {
    Verdict { reason: format!("{reason}, so what it lacks proves nothing"), ..verdict(kind, false, 0.0) }
}

/// The verdict of a pattern or an expression on an answer that it must not be held against; `negative` where it asks what
/// the answer lacks.
fn unheld(kind: VerdictKind, answer: &Candidate<'_>, negative: impl FnOnce() -> bool) -> Option<Verdict> {
    match answer.hollow() {
        Some(reason) if negative() => Some(hollow(kind, &reason)),
        _ => answer.blank().map(|reason| Verdict { reason, ..verdict(kind, false, 0.0) }),
    }
}

/// Found over total; 1 when nothing was asked for.
fn share(part: usize, total: usize) -> f64 {
    if total == 0 { 1.0 } else { real(part) / real(total) }
}

/// Characters of an answer that a verdict shows.
const SHOWN: usize = 160;

/// The beginning of an answer, in quotes.
fn quote(text: &str) -> String {
    format!("\"{}\"", text::excerpt(text::js_trim(text), SHOWN))
}

#[cfg(test)]
mod calls_tests;
#[cfg(test)]
mod tests;

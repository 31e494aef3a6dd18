//! Expectations: the kinds allowed under `expected:`, and how they judge an answer.
//!
//! One file per kind. An expectation that cannot judge is *errored*, never passed, and no operator turns an error into
//! a pass.

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

/// The kinds written under `type:`; `not` is a separate key.
fn kinds() -> Vec<&'static str> {
    VerdictKind::iter().filter(|kind| *kind != VerdictKind::Not).map(|kind| <&str>::from(&kind)).collect()
}

/// What expectations need to know about a scenario's `setup:`.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The declared functions.
    pub functions: Vec<String>,
    /// How to recognize a handoff.
    pub handoff: Option<Arc<Signs>>,
    /// What the expectation can name, if it is about a conversation and not about one answer.
    pub talk: Option<Scope>,
}

/// An expectation and its line.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// 1-based line of its `type:` (or `not:`).
    pub line: u32,
    /// What it requires.
    pub expected: Expected,
}

/// The closed set of kinds.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Judged without a model.
    Plain(Plain),
    /// A judge grades the answer by a rubric.
    LlmGrader(Box<llm_grader::LlmGrader>),
    /// The answer means the same as a given text.
    Similarity(Box<similarity::Similarity>),
    /// All or any of several expectations pass.
    Combined(combined::Combined),
    /// An expectation fails.
    Not(not::Not),
    /// An expectation of one or more answers of a conversation.
    Which(Box<which::Which>),
    /// An expectation of a whole conversation.
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
    /// An expectation that requires nothing, for a case that leaves everything to its turns.
    #[must_use]
    pub fn nothing(line: u32) -> Self {
        Self { line, expected: Expected::Combined(combined::Combined::nothing()) }
    }

    /// Whether it requires nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(&self.expected, Expected::Combined(combined) if combined.parts().is_empty())
    }

    /// Reads an expectation and everything below it, and reports every problem.
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
            let message = format!("{what} must be an expectation, found {}", node.value.kind());
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
                    .help(format!("add `type:` and one of {}", text::list(&kinds()))),
            );
            return None;
        };
        let line = kind.span.line;
        let name = VerdictKind::of(kind.as_str().unwrap_or_default());
        if matches!(name, VerdictKind::Other(_) | VerdictKind::Not) {
            let shown = kind.as_str().unwrap_or(kind.value.kind());
            let message = format!("unknown expectation `{}`", text::excerpt(shown, 60));
            let help = text::meant(shown, &kinds(), || format!("use one of {}", text::list(&kinds())));
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

    /// Judges an answer. Only kinds that ask a model wait for anything.
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
                        // Redaction does not change the time.
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
                    // Redaction does not change how it ended.
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

    /// The strings that give a correct answer away. Forbidden strings are not among them.
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

    /// What it asks models about an answer, in order.
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

    /// The patterns with named groups in the expectation, except those below a `not`.
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

    /// Whether any answer of a conversation, however late, can still meet it or a part of it.
    #[must_use]
    pub fn may_come_late(&self) -> bool {
        match &self.expected {
            Expected::Plain(Plain::Handoff(kind)) => kind.may_come_late(),
            Expected::Whole(kind) => kind.kind() == VerdictKind::Ended,
            Expected::Combined(kind) => kind.parts().iter().any(Expectation::may_come_late),
            // It checks all calls of the conversation, and another turn changes which answer is the last.
            Expected::Plain(Plain::Tools(_)) => true,
            Expected::Which(kind) => {
                matches!(kind.kind(), VerdictKind::SomeAnswer | VerdictKind::LastAnswer)
            }
            // A later answer can still be the exception, or make the handoff.
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

    /// The judges that it needs, in order.
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

/// One question of an expectation to a model.
#[derive(Clone, Copy, Debug)]
pub struct Consulted<'a> {
    /// The judge, or the server of embeddings.
    pub judge: &'a LlmGrader,
    /// The embedding model, if embeddings are compared instead of asking for a verdict, and the text to compare with.
    pub embedding: Option<(&'a str, &'a str)>,
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{kind}` expectation")
}

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
    let message = format!(
        "`custom` evaluator `{}` is a JavaScript function, which akit does not run",
        text::excerpt(&name, 60)
    );
    reading.found.push(
        Diagnostic::error("custom-evaluator", reading.file, kind.span, message)
            .help("use `inline`, `regex`, `json_schema` or `llm_grader` instead"),
    );
    None
}

/// A verdict of a kind, without its reason and details. A kind that only passes or fails scores 1 if it passes; a kind
/// made of parts takes its score from them.
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

/// A failed verdict for a reason outside the answers.
#[must_use]
pub fn failed(kind: VerdictKind, reason: String, line: u32) -> Verdict {
    Verdict { reason, line, ..verdict(kind, false, 0.0) }
}

fn errored(kind: VerdictKind, reason: String) -> Verdict {
    Verdict { outcome: Outcome::Errored, score: None, reason, ..verdict(kind, false, 0.0) }
}

/// The verdict of a negative expectation on a hollow answer.
fn hollow(kind: VerdictKind, reason: &str) -> Verdict {
    Verdict {
        reason: format!("{reason}, so missing text does not count as a pass"),
        ..verdict(kind, false, 0.0)
    }
}

/// The verdict of a pattern or an expression on an answer that it cannot pass, such as an empty one. `negative` means
/// that it may pass because something is missing.
fn unpassable(kind: VerdictKind, answer: &Candidate<'_>, negative: impl FnOnce() -> bool) -> Option<Verdict> {
    match answer.hollow() {
        Some(reason) if negative() => Some(hollow(kind, &reason)),
        _ => answer.blank().map(|reason| Verdict { reason, ..verdict(kind, false, 0.0) }),
    }
}

/// Part over total; 1 if the total is 0.
fn share(part: usize, total: usize) -> f64 {
    if total == 0 { 1.0 } else { real(part) / real(total) }
}

/// How many characters of an answer a verdict shows.
const SHOWN: usize = 160;

/// The beginning of an answer, in quotes.
fn quote(text: &str) -> String {
    format!("\"{}\"", text::excerpt(text::js_trim(text), SHOWN))
}

#[cfg(test)]
mod calls_tests;
#[cfg(test)]
mod tests;

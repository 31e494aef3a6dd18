//! The expression language of `inline`: tests of an answer, joined as in JavaScript.
//!
//! An expression is read once, before anything is sent, and reading finds every mistake. A test that cannot be judged,
//! such as a JSON path on an answer that is not JSON, is neither true nor false, so its negation is not true either: a
//! broken answer never passes because of a `!(…)`.

mod atom;
mod json;
mod literal;
mod parse;
mod response;
#[cfg(test)]
mod tests;

use thiserror::Error;

use super::pattern::SearchError;
use atom::{Answer, Atom, Sign, Test};
use json::Literal;

/// An expression that is ready to judge answers.
#[derive(Clone, Debug)]
pub struct Expression {
    root: Expr,
    warnings: Vec<ExpressionWarning>,
}

/// The result for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Whether the expression is true.
    pub passed: bool,
    /// 0 to 1: a test scores 0 or 1, an `&&` chain the mean of its parts, and an `||` chain the best of its parts.
    pub score: f64,
    /// The tests that made it false, each with what the answer has instead; empty if it is true.
    pub why: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Atom(Atom),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let chars: Vec<char> = text.chars().collect();
        let (root, warnings) = parse::read(&chars)?;
        Ok(Self { root, warnings })
    }

    /// Parts that may be misleading, in the order in which they appear.
    #[must_use]
    pub fn warnings(&self) -> &[ExpressionWarning] {
        &self.warnings
    }

    /// Whether it needs a `value`.
    #[must_use]
    pub fn uses_expected(&self) -> bool {
        self.root.any(&|node| matches!(node, Expr::Atom(Atom { test: Test::Expected(_), .. })))
    }

    /// Whether it may be true because something is missing: it has a `!`, an inequality, an upper bound, or a pattern
    /// that asks for the end.
    ///
    /// An empty, refused or cut-off answer could then pass for no good reason.
    #[must_use]
    pub fn negative(&self) -> bool {
        self.root.any(&|node| match node {
            Expr::Not(_) | Expr::Atom(Atom { sign: Sign::Negated, .. }) => true,
            Expr::Atom(atom) => atom.test.negative(),
            Expr::All(_) | Expr::Any(_) => false,
        })
    }

    /// The strings that it looks for and does not forbid.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.texts(Need::True, &mut found);
        found
    }

    /// This expression, with every quoted string replaced; JSON paths, patterns and numbers stay as they are.
    ///
    /// The replacement is a string, even if it is `true`.
    #[must_use]
    pub fn map_texts(&self, f: &mut dyn FnMut(&str) -> String) -> Self {
        let mut mapped = self.clone();
        mapped.root.map_texts(f);
        mapped
    }

    /// Whether it has every test that another expression joins with `&&`.
    #[must_use]
    pub fn demands(&self, other: &Self) -> bool {
        fn tests(node: &Expr) -> &[Expr] {
            match node {
                Expr::All(parts) => parts,
                one => std::slice::from_ref(one),
            }
        }
        let own = tests(&self.root);
        tests(&other.root).iter().all(|test| own.contains(test))
    }

    /// Judges an answer; `expected` is the `value` of the expectation.
    pub fn evaluate(&self, response: &str, expected: Option<&str>) -> Result<Evaluation, SearchError> {
        self.root.judge(&Answer::new(response, expected), Need::True)
    }
}

/// What a part of an expression must be for the whole to be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    True,
    False,
}

impl Expr {
    fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::Atom(_) => false,
                Self::Not(inner) => inner.any(test),
                Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.any(test)),
            }
    }

    fn map_texts(&mut self, f: &mut dyn FnMut(&str) -> String) {
        match self {
            Self::Atom(atom) => match &mut atom.test {
                Test::Text(_, text) | Test::Json(_, _, Literal::Text(text)) => *text = f(text),
                _ => {}
            },
            Self::Not(inner) => inner.map_texts(f),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.map_texts(f)),
        }
    }

    fn texts<'a>(&'a self, wanted: Need, found: &mut Vec<&'a str>) {
        match self {
            Self::Atom(Atom { sign, test, .. }) => {
                let is_asked = (wanted == Need::True) == (*sign == Sign::Plain);
                found.extend(test.text(is_asked));
            }
            Self::Not(inner) => {
                inner.texts(if wanted == Need::True { Need::False } else { Need::True }, found);
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.texts(wanted, found)),
        }
    }

    /// Judges one part. Negation moves down to the tests, by De Morgan's laws.
    fn judge(&self, answer: &Answer, wanted: Need) -> Result<Evaluation, SearchError> {
        match (self, wanted) {
            (Self::Atom(atom), _) => {
                let found = atom.judge(answer)?;
                let passed = found.is_true == Some(wanted == Need::True);
                let shown = match wanted {
                    Need::True => format!("`{}`: {}", atom.source, found.what),
                    Need::False => format!("`!({})`: {}", atom.source, found.what),
                };
                Ok(Evaluation::of(passed, if passed { vec![] } else { vec![shown] }))
            }
            (Self::Not(inner), _) => {
                let other = if wanted == Need::True { Need::False } else { Need::True };
                let judged = inner.judge(answer, other)?;
                Ok(Evaluation::of(judged.passed, judged.why))
            }
            (Self::All(parts), Need::True) | (Self::Any(parts), Need::False) => {
                let mut judged = Vec::with_capacity(parts.len());
                for part in parts {
                    judged.push(part.judge(answer, wanted)?);
                }
                Ok(mean(judged))
            }
            (Self::Any(parts), Need::True) | (Self::All(parts), Need::False) => {
                let (mut score, mut why) = (0.0, Vec::new());
                for part in parts {
                    let judged = part.judge(answer, wanted)?;
                    if judged.passed {
                        return Ok(judged);
                    }
                    score = f64::max(score, judged.score);
                    why.extend(judged.why);
                }
                Ok(Evaluation { passed: false, score, why })
            }
        }
    }
}

fn mean(parts: Vec<Evaluation>) -> Evaluation {
    let passed = parts.iter().all(|part| part.passed);
    let score = crate::stats::mean(parts.iter().map(|part| part.score)).filter(|_| !passed).unwrap_or(1.0);
    Evaluation { passed, score, why: parts.into_iter().flat_map(|part| part.why).collect() }
}

impl Evaluation {
    fn of(passed: bool, why: Vec<String>) -> Self {
        Self { passed, score: if passed { 1.0 } else { 0.0 }, why }
    }
}

/// An invalid expression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How many characters it covers; 0 marks a place between two characters.
    pub length: usize,
    /// How to fix it.
    pub help: String,
}

impl ExpressionError {
    /// An error at some characters.
    fn at(offset: usize, length: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), offset, length, help: help.into() }
    }
}

/// A valid expression that may not mean what was intended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionWarning {
    /// What may mislead, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How to make it clear.
    pub help: String,
}

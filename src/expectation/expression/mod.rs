//! The expression language of `inline`: tests of an answer, joined as in JavaScript.
//!
//! An expression is read once, before anything is sent; reading finds every mistake. A test that
//! cannot be judged, such as a JSON path on an answer that is not JSON, does not hold and neither
//! does its negation, so a broken answer never passes by way of a `!(…)`.

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

/// What came of judging an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Whether the expression holds.
    pub passed: bool,
    /// 0 to 1: a test has 0 or 1, an `&&` chain the mean of its parts, an `||` chain the best of them.
    pub score: f64,
    /// The tests that kept it from holding, each with what stood there; empty when it holds.
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

    /// What may not say what was meant, in the order of places.
    #[must_use]
    pub fn warnings(&self) -> &[ExpressionWarning] {
        &self.warnings
    }

    /// Whether the case needs something expected.
    #[must_use]
    pub fn uses_expected(&self) -> bool {
        self.root.any(&|node| matches!(node, Expr::Atom(Atom { test: Test::Expected(_), .. })))
    }

    /// Whether the absence of something may make it hold: it has a `!`, an inequality, an upper bound, or a pattern that
    /// goes to the end.
    ///
    /// An empty, refused or cut answer would then pass for no good reason.
    #[must_use]
    pub fn negative(&self) -> bool {
        self.root.any(&|node| match node {
            Expr::Not(_) | Expr::Atom(Atom { sign: Sign::Negated, .. }) => true,
            Expr::Atom(atom) => atom.test.negative(),
            Expr::All(_) | Expr::Any(_) => false,
        })
    }

    /// The texts that an answer has to say, or may have to: those that are looked for and not forbidden.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.texts(Need::Holds, &mut found);
        found
    }

    /// The same with every text in quotes replaced; JSON paths, patterns and numbers stay.
    ///
    /// What is put in is text, even when it reads `true`.
    #[must_use]
    pub fn map_texts(&self, f: &mut dyn FnMut(&str) -> String) -> Self {
        let mut mapped = self.clone();
        mapped.root.map_texts(f);
        mapped
    }

    /// Whether every test that another expression joins by `&&` is one of this one's.
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

    /// Judges an answer; `expected` is what the case expects.
    pub fn evaluate(&self, response: &str, expected: Option<&str>) -> Result<Evaluation, SearchError> {
        self.root.judge(&Answer::new(response, expected), Need::Holds)
    }
}

/// What a part of an expression must do for the whole to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Holds,
    Fails,
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
                let is_asked = (wanted == Need::Holds) == (*sign == Sign::Plain);
                found.extend(test.text(is_asked));
            }
            Self::Not(inner) => {
                inner.texts(if wanted == Need::Holds { Need::Fails } else { Need::Holds }, found);
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.texts(wanted, found)),
        }
    }

    /// Judges one part. Negation is carried down to the atoms, by De Morgan's laws.
    fn judge(&self, answer: &Answer, wanted: Need) -> Result<Evaluation, SearchError> {
        match (self, wanted) {
            (Self::Atom(atom), _) => {
                let standing = atom.judge(answer)?;
                let passed = standing.holds == Some(wanted == Need::Holds);
                let shown = match wanted {
                    Need::Holds => format!("`{}`: {}", atom.source, standing.what),
                    Need::Fails => format!("`!({})`: {}", atom.source, standing.what),
                };
                Ok(Evaluation::of(passed, if passed { vec![] } else { vec![shown] }))
            }
            (Self::Not(inner), _) => {
                let other = if wanted == Need::Holds { Need::Fails } else { Need::Holds };
                let judged = inner.judge(answer, other)?;
                Ok(Evaluation::of(judged.passed, judged.why))
            }
            (Self::All(parts), Need::Holds) | (Self::Any(parts), Need::Fails) => {
                let mut judged = Vec::with_capacity(parts.len());
                for part in parts {
                    judged.push(part.judge(answer, wanted)?);
                }
                Ok(mean(judged))
            }
            (Self::Any(parts), Need::Holds) | (Self::All(parts), Need::Fails) => {
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

/// An expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How many characters are meant; 0 is a place between two.
    pub length: usize,
    /// How to mend it.
    pub help: String,
}

impl ExpressionError {
    /// An error at some characters.
    fn at(offset: usize, length: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), offset, length, help: help.into() }
    }
}

/// An expression can be used, but may not say what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionWarning {
    /// What may mislead, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How to make it plain.
    pub help: String,
}

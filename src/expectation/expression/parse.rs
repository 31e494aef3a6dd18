//! Parses expressions: chains of tests, parentheses, negation, and the tests of numbers and JSON.

use super::atom::{Atom, Measure, Sign, Test};
use super::json::{Literal, Operator};
use super::{Expr, ExpressionError, ExpressionWarning};
use crate::text;

/// Deepest nesting of parentheses.
const MOST_DEPTH: usize = 40;

/// The words that start a test.
const SUBJECTS: [&str; 5] = ["response", "length", "words.length", "lines.length", "json"];

/// A parser at some position of an expression.
#[derive(Debug)]
pub(super) struct Parser<'e> {
    pub(super) chars: &'e [char],
    pub(super) at: usize,
    pub(super) warnings: Vec<ExpressionWarning>,
    depth: usize,
}

/// Whether a part is an `&&` chain without parentheses around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Chain,
    Closed,
}

pub(super) fn read(chars: &[char]) -> Result<(Expr, Vec<ExpressionWarning>), ExpressionError> {
    let mut parser = Parser { chars, at: 0, warnings: Vec::new(), depth: 0 };
    let root = parser.ways()?;
    if parser.at < chars.len() {
        return Err(parser.unexpected());
    }
    parser.warnings.sort_by_key(|warning| warning.offset);
    Ok((root, parser.warnings))
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn space(&mut self) {
        while self.peek().is_some_and(text::js_space) {
            self.at += 1;
        }
    }

    /// Skips a string if it comes next.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let here = self.sees(text);
        if here {
            self.at += text.chars().count();
        }
        here
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    pub(super) fn word(&mut self) -> String {
        let rest = self.chars[self.at..].iter();
        let word: String = rest.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
        self.at += word.chars().count();
        word
    }

    pub(super) fn slice(&self, start: usize) -> String {
        let text: String = self.chars[start..self.at.min(self.chars.len())].iter().collect();
        text::js_trim(&text).to_owned()
    }

    /// An error for the text between an offset and here.
    pub(super) fn error(
        &self,
        start: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> ExpressionError {
        ExpressionError::at(start, self.at.saturating_sub(start), message, help)
    }

    pub(super) fn warn(&mut self, offset: usize, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(ExpressionWarning { message: message.into(), offset, help: help.into() });
    }

    /// `a || b || c`
    fn ways(&mut self) -> Result<Expr, ExpressionError> {
        let (first, mut shape) = self.chain()?;
        let mut ways = vec![first];
        let mut sign = None;
        while self.skip("||") {
            sign.get_or_insert(self.at - 2);
            let (way, next) = self.chain()?;
            if next == Shape::Chain {
                shape = next;
            }
            ways.push(way);
        }
        if let (Some(sign), Shape::Chain) = (sign, shape) {
            let message =
                "`&&` binds tighter than `||` here, as in JavaScript; ArtemisKit reads it the other way";
            self.warn(sign, message, "add parentheses: `(a && b) || c` is how akit reads it");
        }
        Ok(joined(ways, Expr::Any, |node| match node {
            Expr::Any(inner) => inner,
            node => vec![node],
        }))
    }

    /// `a && b && c`
    fn chain(&mut self) -> Result<(Expr, Shape), ExpressionError> {
        let mut parts = vec![self.part()?];
        self.space();
        while self.skip("&&") {
            parts.push(self.part()?);
            self.space();
        }
        let shape = if parts.len() > 1 { Shape::Chain } else { Shape::Closed };
        let node = joined(parts, Expr::All, |node| match node {
            Expr::All(inner) => inner,
            node => vec![node],
        });
        Ok((node, shape))
    }

    /// A test or parentheses, with or without `!`.
    fn part(&mut self) -> Result<Expr, ExpressionError> {
        self.space();
        let start = self.at;
        if self.sees("!=") || !self.skip("!") {
            return if self.skip("(") { self.brackets(start) } else { self.atom(start) };
        }
        self.space();
        if self.skip("(") {
            return Ok(Expr::Not(Box::new(self.brackets(start)?)));
        }
        if self.skip("!") {
            return Err(self.error(start, "`!!` is not part of the language", "remove both"));
        }
        let body = self.at;
        if !self.sees("response") {
            let word = self.word();
            let help = match word.as_str() {
                "length" | "words" | "lines" | "json" => {
                    format!("reverse the comparison, or write `!({word} …)`")
                }
                _ => "write `!(…)`, or `!response.includes(\"…\")`".to_owned(),
            };
            self.at = self.at.max(start + 1);
            return Err(self.error(start, "`!` is only allowed before `response.…` and `(…)`", help));
        }
        let Expr::Atom(mut atom) = self.atom(body)? else { return Err(self.unexpected()) };
        if !matches!(atom.test, Test::Text(..) | Test::Match(_)) {
            let help = format!("write `!({})`", atom.source);
            return Err(self.error(start, "`!` is not allowed before a comparison", help));
        }
        atom.sign = Sign::Negated;
        atom.source = self.slice(start);
        Ok(Expr::Atom(atom))
    }

    fn brackets(&mut self, start: usize) -> Result<Expr, ExpressionError> {
        if self.depth == MOST_DEPTH {
            let message = format!("parentheses are nested more than {MOST_DEPTH} deep");
            return Err(self.error(start, message, "use fewer parentheses"));
        }
        self.depth += 1;
        let inner = self.ways()?;
        self.depth -= 1;
        if self.skip(")") {
            return Ok(inner);
        }
        match self.peek() {
            None => Err(ExpressionError::at(start, 1, "this parenthesis is not closed", "add `)`")),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn atom(&mut self, start: usize) -> Result<Expr, ExpressionError> {
        let word = self.word();
        let test = match word.as_str() {
            "response" => self.response(start)?,
            "length" => self.count(start, Measure::Length)?,
            "words" | "lines" => {
                if !self.skip(".length") {
                    return Err(self.error(
                        start,
                        format!("`{word}` is not a number"),
                        format!("write `{word}.length`"),
                    ));
                }
                self.count(start, if word == "words" { Measure::Words } else { Measure::Lines })?
            }
            "json" => self.json(start)?,
            _ => return Err(self.no_test(start, &word)),
        };
        Ok(Expr::Atom(Atom { source: self.slice(start), sign: Sign::Plain, test }))
    }

    /// `> 2`, after `length`.
    fn count(&mut self, start: usize, measure: Measure) -> Result<Test, ExpressionError> {
        let name = measure.name();
        let Some(operator) = self.operator()? else {
            let help = format!("compare it: `{name} > 2`");
            return Err(self.error(start, format!("`{name}` is not compared with anything"), help));
        };
        self.space();
        let at = self.at;
        let Some(number) = self.number()? else {
            self.word();
            let help = format!("write digits, without quotes: `{name} > 2`");
            return Err(self.error(at, format!("`{name}` can only be compared with a whole number"), help));
        };
        if number.fract() != 0.0 || self.chars[at..self.at].iter().any(|c| matches!(c, '.' | 'e' | 'E')) {
            let help = format!("remove the fraction or exponent: `{name} > 2`");
            return Err(self.error(at, format!("`{name}` can only be compared with a whole number"), help));
        }
        Ok(Test::Count(measure, operator, number))
    }

    pub(super) fn operator(&mut self) -> Result<Option<Operator>, ExpressionError> {
        self.space();
        let start = self.at;
        let found = Operator::ALL.into_iter().find(|(sign, _)| self.skip(sign)).map(|(_, operator)| operator);
        if found.is_none() && self.skip("=") {
            let shown = if self.skip(">") { "=>" } else { "=" };
            let help = if shown == "=" { "write `==`" } else { "write `>=`" };
            return Err(self.error(start, format!("`{shown}` is not a comparison"), help));
        }
        Ok(found)
    }

    /// `.a.0 == 1` or `!= null`, after `json`.
    fn json(&mut self, start: usize) -> Result<Test, ExpressionError> {
        let mut path = Vec::new();
        while self.skip(".") {
            let at = self.at;
            let key = self.word();
            if key.is_empty() {
                let help = "use letters, digits, `_` and `$`; for other keys, use `json_schema`";
                return Err(self.error(at, "missing key after `.`", help));
            }
            path.push(key);
        }
        if self.peek() == Some('[') {
            let at = self.at;
            let help = "write `json.a.0`, with `.` before each key and each number";
            return Err(ExpressionError::at(at, 1, "`[` is not part of a JSON path", help));
        }
        self.space();
        let sign = self.at;
        let Some(operator) = self.operator()? else {
            if self.peek() == Some('-') || self.peek() == Some('(') {
                let help = "use letters, digits, `_` and `$`; for other keys, use `json_schema`";
                return Err(ExpressionError::at(self.at, 1, "this is not part of a JSON path", help));
            }
            let shown = self.slice(start);
            let help = format!("compare it: `{shown} == true`, `{shown} != null`");
            return Err(self.error(start, format!("`{shown}` is not compared with anything"), help));
        };
        self.space();
        let at = self.at;
        let literal = self.literal(start)?;
        if !path.is_empty() {
            return Ok(Test::Json(path, operator, literal));
        }
        match (operator, literal) {
            (Operator::Unequal | Operator::NotSame, Literal::Null) => Ok(Test::AnyJson),
            (Operator::Equal | Operator::Same, Literal::Null) => Err(self.error(
                sign,
                "`json` alone can only be tested with `!= null`",
                "write `!(json != null)`",
            )),
            _ => Err(self.error(
                at,
                "`json` alone can only be compared with `null`",
                "add a key: `json.name == …`",
            )),
        }
    }

    fn no_test(&mut self, start: usize, word: &str) -> ExpressionError {
        if word.is_empty() {
            return self.unexpected();
        }
        let help = match word {
            "expected" => "put the answer first: `response == expected`".to_owned(),
            "not" => "write `!(…)`".to_owned(),
            "and" => "write `&&`".to_owned(),
            "or" => "write `||`".to_owned(),
            "true" | "false" | "null" => {
                "start with `response`, `length`, `words.length`, `lines.length` or `json`".to_owned()
            }
            _ if word.chars().all(|c| c.is_ascii_digit()) => "put the measure first: `length > 2`".to_owned(),
            _ => text::meant(word, &SUBJECTS, || format!("start with one of {}", text::list(&SUBJECTS))),
        };
        self.error(start, format!("`{}` does not start a test", text::excerpt(word, 40)), help)
    }

    /// The error for unexpected text here.
    pub(super) fn unexpected(&mut self) -> ExpressionError {
        self.space();
        let start = self.at;
        let Some(c) = self.peek() else {
            let help = "add a test, such as `response.includes(\"…\")` or `length > 2`";
            return ExpressionError::at(start, 0, "missing test", help);
        };
        let word = self.word();
        if !word.is_empty() {
            let help = match word.as_str() {
                "and" => "write `&&`",
                "or" => "write `||`",
                _ => "join two tests with `&&` or `||`",
            };
            return self.error(start, format!("unexpected `{}`", text::excerpt(&word, 40)), help);
        }
        self.at += 1;
        let help = match c {
            '&' => "write `&&`",
            '|' => "write `||`",
            '=' | '!' | '<' | '>' => "compare once, as in `length > 2`; join comparisons with `&&`",
            ')' => "remove it, or add `(`",
            ';' => "remove it",
            '/' => "write `response.match(/…/)`",
            '"' | '\'' | '`' => "write `response.includes(\"…\")`",
            '.' | '[' => "join two tests with `&&` or `||`",
            '?' | ':' => "use `&&` and `||`; `?:` is not part of the language",
            '+' | '-' | '*' | '%' => "remove it; arithmetic is not part of the language",
            _ => "join tests with `&&` and `||`",
        };
        self.error(start, format!("unexpected `{}`", text::excerpt(&c.to_string(), 1)), help)
    }
}

/// Joins nodes into one, with chains of the same kind flattened.
fn joined(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr, open: fn(Expr) -> Vec<Expr>) -> Expr {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    join(parts.into_iter().flat_map(open).collect())
}

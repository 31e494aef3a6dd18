//! Parses the tests that start with `response`.

use super::ExpressionError;
use super::atom::{Edges, Search, Test};
use super::json::Operator;
use super::literal::Until;
use super::parse::Parser;
use crate::expectation::pattern::{Pattern, RegexText};
use crate::text;

/// The methods of `response`.
const METHODS: [&str; 6] = ["includes", "startsWith", "endsWith", "match", "toLowerCase", "trim"];

impl Parser<'_> {
    /// A test, after `response`.
    pub(super) fn response(&mut self, start: usize) -> Result<Test, ExpressionError> {
        if !self.skip(".") {
            return self.expected(start, Edges::Kept);
        }
        let at = self.at;
        let method = self.word();
        match method.as_str() {
            "includes" => self.search(Search::Includes),
            "startsWith" => self.search(Search::StartsWith),
            "endsWith" => self.search(Search::EndsWith),
            "match" => self.pattern(),
            "toLowerCase" => {
                self.no_arguments(start)?;
                if self.skip(".includes") {
                    return self.search(Search::IncludesAnyCase);
                }
                if self.skip(".") {
                    self.word();
                }
                let help = "write `response.toLowerCase().includes(\"…\")`, or `response.match(/^…/i)`";
                Err(self.error(start, "only `.includes(\"…\")` can follow `toLowerCase()`", help))
            }
            "trim" => {
                self.no_arguments(start)?;
                if self.peek() == Some('.') {
                    self.at += 1;
                    self.word();
                    let help =
                        "write `response.trim() == expected`, or a pattern: `response.match(/^\\s*…\\s*$/)`";
                    return Err(self.error(start, "no method can follow `trim()`", help));
                }
                self.expected(start, Edges::Trimmed)
            }
            _ => Err(self.no_method(start, at, &method)),
        }
    }

    fn no_method(&mut self, start: usize, at: usize, method: &str) -> ExpressionError {
        if matches!(method, "length" | "words" | "lines" | "json") {
            let shown = if matches!(method, "words" | "lines") {
                format!("{method}.length")
            } else {
                method.to_owned()
            };
            let tail: String = self.chars[self.at..].iter().take(40).collect();
            let tail = tail.strip_prefix(".length").unwrap_or(&tail).to_owned();
            let simple = method == "length" && tail.chars().all(|c| c == ' ' || "<>=!0123456789".contains(c));
            let help = match (simple, method) {
                (true, _) => format!("write `length{}`", tail.trim_end()),
                (false, "json") => "write `json.name == …`".to_owned(),
                (false, _) => format!("write `{shown} > 2`"),
            };
            return self.error(start, format!("`response.{method}` is not part of the language"), help);
        }
        let help = match method {
            "test" => "write `response.match(/…/)`".to_owned(),
            "indexOf" | "search" | "contains" | "has" => "write `response.includes(\"…\")`".to_owned(),
            "toUpperCase" | "toLocaleLowerCase" => {
                "write `response.toLowerCase().includes(\"…\")`".to_owned()
            }
            _ => text::meant(method, &METHODS, || format!("use one of {}", text::list(&METHODS))),
        };
        let message = match method {
            "" => "missing method after `response.`".to_owned(),
            method => format!("`response` has no method `{}`", text::excerpt(method, 40)),
        };
        self.error(at, message, help)
    }

    /// `()`
    fn no_arguments(&mut self, start: usize) -> Result<(), ExpressionError> {
        let open = self.skip("(");
        self.space();
        if open && self.skip(")") {
            return Ok(());
        }
        let shown = self.slice(start);
        let shown = shown.trim_end_matches('(');
        Err(self.error(start, format!("`{shown}` takes no arguments"), format!("write `{shown}()`")))
    }

    fn expected(&mut self, start: usize, edges: Edges) -> Result<Test, ExpressionError> {
        let shown = self.slice(start);
        if self.peek() == Some('(') || self.peek() == Some('[') {
            return Err(self.unexpected());
        }
        self.space();
        let sign = self.at;
        let Some(operator) = self.operator()? else {
            let help = format!("write `{shown} == expected`, or `response.includes(\"…\")`");
            return Err(self.error(start, format!("`{shown}` is not compared with anything"), help));
        };
        self.space();
        let at = self.at;
        let word = self.word();
        if word != "expected" {
            self.at = self.at.max((at + 1).min(self.chars.len()));
            let help = "move the text to `value:` and write `expected` here, or use `exact`";
            return Err(self.error(at, format!("`{shown}` can only be compared with `expected`"), help));
        }
        if !matches!(operator, Operator::Equal | Operator::Same) {
            let negated = matches!(operator, Operator::Unequal | Operator::NotSame);
            let help = if negated {
                format!("write `!({shown} == expected)`")
            } else {
                format!("write `{shown} == expected`")
            };
            return Err(self.error(sign, format!("`{shown}` can only be compared with `==`"), help));
        }
        Ok(Test::Expected(edges))
    }

    /// `("…")`
    fn search(&mut self, search: Search) -> Result<Test, ExpressionError> {
        self.open("\"…\"")?;
        let at = self.at;
        if !matches!(self.peek(), Some('"' | '\'')) {
            let (message, help) = match self.peek() {
                Some('/') => ("a pattern is not allowed here", "write `response.match(/…/)`"),
                Some('`') => ("backquotes are not allowed here", "write `\"…\"`"),
                _ => ("a quoted string is required here", "write `(\"…\")`"),
            };
            self.word();
            self.at = self.at.max((at + 1).min(self.chars.len()));
            return Err(self.error(at, message, help));
        }
        let text = self.quoted(Until::Bracket)?;
        if text.is_empty() {
            let help = "add what to look for; to test for an empty answer, use `length == 0`";
            return Err(self.error(at, "the text to look for is empty", help));
        }
        self.close()?;
        Ok(Test::Text(search, text))
    }

    fn open(&mut self, inner: &str) -> Result<(), ExpressionError> {
        let at = self.at;
        if self.skip("(") {
            self.space();
            return Ok(());
        }
        Err(ExpressionError::at(at, 0, "`(` is missing here", format!("write `({inner})`")))
    }

    fn close(&mut self) -> Result<(), ExpressionError> {
        self.space();
        let at = self.at;
        if self.skip(")") {
            return Ok(());
        }
        if self.skip(",") {
            return Err(self.error(at, "only one argument is allowed here", "remove the rest"));
        }
        Err(ExpressionError::at(at, 0, "`)` is missing here", "add `)`"))
    }

    /// `(/…/flags)`
    fn pattern(&mut self) -> Result<Test, ExpressionError> {
        self.open("/…/")?;
        let start = self.at;
        if !self.skip("/") {
            let help = "write it between slashes, without quotes: `response.match(/…/)`";
            self.at = (start + 1).min(self.chars.len());
            return Err(self.error(start, "a pattern is required here", help));
        }
        let mut in_class = false;
        loop {
            let c = match self.peek() {
                None | Some('\n' | '\r') => {
                    return Err(self.error(start, "this pattern is not closed", "end it with `/`"));
                }
                Some(c) => c,
            };
            self.at += 1;
            match c {
                '\\' if self.peek().is_some() => self.at += 1,
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => break,
                _ => {}
            }
        }
        let body: String = self.chars[start + 1..self.at - 1].iter().collect();
        if body.is_empty() {
            let help = "add what to look for; to test for an empty answer, use `length == 0`";
            return Err(self.error(start, "the pattern is empty", help));
        }
        let flags_at = self.at;
        let flags = self.word();
        let pattern = Pattern::compile(&body, &flags).map_err(|error| {
            let offset = error.offset + if error.part == RegexText::Flags { flags_at } else { start + 1 };
            ExpressionError::at(offset, 1, error.message, error.help)
        })?;
        self.space();
        if !matches!(self.peek(), Some(')')) && self.chars[self.at..].contains(&'/') {
            let help = "write `\\/` for a slash in the pattern";
            return Err(ExpressionError::at(self.at, 0, "the pattern ends before this", help));
        }
        self.close()?;
        Ok(Test::Match(pattern))
    }
}

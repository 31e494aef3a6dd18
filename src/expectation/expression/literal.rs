//! Parses quoted strings, numbers, and the values to compare JSON with.

use super::ExpressionError;
use super::json::Literal;
use super::parse::Parser;
use crate::expectation::pattern::{Dialect, code_point, hex};
use crate::text;

/// What must follow a quoted string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// A closing bracket.
    Bracket,
    /// The end of a test.
    Test,
}

impl Parser<'_> {
    /// A string, from its opening quote on.
    ///
    /// If its own quote does not end it, it ends as in `ArtemisKit`: at any quote at the end of the test.
    pub(super) fn quoted(&mut self, until: Until) -> Result<String, ExpressionError> {
        let start = self.at;
        let quote = self.chars[start];
        let proper = self.quote_from(start + 1, |c| c == quote);
        let end = match proper.filter(|end| self.ends(end + 1, until)) {
            Some(end) => end,
            None => self.odd_end(start, quote, until, proper)?,
        };
        if let Some(slash) = self.chars[start + 1..end].iter().position(|c| *c == '\\') {
            let message = "a backslash starts an escape, as in JavaScript; ArtemisKit takes it literally";
            self.warn(start + 1 + slash, message, "write `\\\\` for a backslash");
        }
        self.at = start + 1;
        let mut text = String::new();
        while self.at < end {
            let c = self.chars[self.at];
            self.at += 1;
            if c == '\\' && self.at < end {
                self.escape(end, &mut text)?;
            } else {
                text.push(c);
            }
        }
        self.at = end + 1;
        Ok(text)
    }

    /// The end of a string that begins and ends with different quotes, or has its own quote inside.
    fn odd_end(
        &mut self,
        start: usize,
        quote: char,
        until: Until,
        proper: Option<usize>,
    ) -> Result<usize, ExpressionError> {
        let mut from = start + 1;
        while let Some(end) = self.quote_from(from, |c| matches!(c, '"' | '\'')) {
            if self.ends(end + 1, until) {
                let inner: String = self.chars[start + 1..end].iter().collect();
                let message = if self.chars[end] == quote {
                    "this string contains its own quote character"
                } else {
                    "this string begins and ends with different quotes"
                };
                let shown = text::excerpt(&inner, 60);
                self.warn(
                    start,
                    message,
                    format!("use quotes of the other kind, or escape the quote; it is read as `{shown}`"),
                );
                return Ok(end);
            }
            from = end + 1;
        }
        self.at = self.chars.len();
        match proper {
            Some(end) => {
                let at = end + 1;
                let (message, help) = match until {
                    Until::Bracket
                        if self.chars[at..].iter().find(|c| !text::js_space(**c)) == Some(&',') =>
                    {
                        ("only one string is allowed here", "remove the rest")
                    }
                    Until::Bracket => ("`)` is missing here", "add `)`"),
                    Until::Test => ("only `&&`, `||` or `)` can follow a test", "join two tests with `&&`"),
                };
                Err(ExpressionError::at(at, 0, message, help))
            }
            None => Err(self.error(start, "this string is not closed", format!("end it with `{quote}`"))),
        }
    }

    /// The next quote that is not escaped.
    fn quote_from(&self, from: usize, is_quote: impl Fn(char) -> bool) -> Option<usize> {
        let mut at = from;
        while let Some(&c) = self.chars.get(at) {
            match c {
                '\\' => at += 2,
                c if is_quote(c) => return Some(at),
                _ => at += 1,
            }
        }
        None
    }

    /// Whether a test may end at an offset.
    fn ends(&self, at: usize, until: Until) -> bool {
        let mut rest = self.chars[at..].iter().skip_while(|c| text::js_space(**c));
        match (rest.next(), until) {
            (Some(')'), _) | (None, Until::Test) => true,
            (Some(sign @ ('&' | '|')), Until::Test) => rest.next() == Some(sign),
            _ => false,
        }
    }

    /// An escape, after its backslash.
    fn escape(&mut self, end: usize, text: &mut String) -> Result<(), ExpressionError> {
        let start = self.at - 1;
        let c = self.chars[self.at];
        self.at += 1;
        let plain = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '0' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => '\0',
            '\n' | '\u{2028}' | '\u{2029}' => return Ok(()),
            'x' | 'u' => {
                // A string allows `\u{…}` without a flag.
                let chars = &self.chars[..end];
                let code = match c {
                    'x' => hex(chars, &mut self.at, 2),
                    _ => code_point(chars, &mut self.at, Dialect::Unicode),
                };
                let Some(code) = code.and_then(char::from_u32) else {
                    let help = "write `\\xHH`, `\\uHHHH` or `\\u{…}`, or `\\\\` for a backslash";
                    return Err(self.error(start, format!("`\\{c}` is not a character"), help));
                };
                code
            }
            c => c,
        };
        text.push(plain);
        Ok(())
    }

    /// A number without quotes, if there is one.
    pub(super) fn number(&mut self) -> Result<Option<f64>, ExpressionError> {
        let start = self.at;
        let signed = self.skip("-");
        if signed {
            self.space();
        }
        let sign =
            |c: char, before: Option<&char>| matches!(c, '+' | '-') && matches!(before, Some('e' | 'E'));
        let from = self.at;
        while let Some(c) = self.peek() {
            let before = self.at.checked_sub(1).filter(|at| *at >= from).and_then(|at| self.chars.get(at));
            if !(c.is_ascii_alphanumeric() || c == '.' || sign(c, before)) {
                break;
            }
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            self.at = start;
            return Ok(None);
        }
        let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
        let leading = text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit();
        match text.parse::<f64>() {
            Ok(value) if plain && !leading && value.is_finite() => {
                Ok(Some(if signed { -value } else { value }))
            }
            _ => {
                let help = "use decimal digits, as in `2`, `-1` or `0.5`; put text in quotes";
                Err(self.error(start, format!("`{}` is not a number", crate::text::excerpt(&text, 40)), help))
            }
        }
    }

    /// A number, a quoted string, `true`, `false` or `null`, after the JSON path that begins at `path_at`.
    pub(super) fn literal(&mut self, path_at: usize) -> Result<Literal, ExpressionError> {
        self.space();
        let start = self.at;
        if matches!(self.peek(), Some('"' | '\'')) {
            let text = self.quoted(Until::Test)?;
            let meant = match text.as_str() {
                "" => {
                    let help = "use `json_schema` with `const: \"\"`";
                    return Err(self.error(start, "JSON cannot be compared with an empty string", help));
                }
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "null" => Literal::Null,
                _ => return Ok(Literal::Text(text)),
            };
            let help =
                format!("write `{text}` without quotes; to compare with the string, use `json_schema`");
            self.warn(start, format!("\"{text}\" means `{text}` here, not the string"), help);
            return Ok(meant);
        }
        if let Some(number) = self.number()? {
            return Ok(Literal::Number(number));
        }
        let word = self.word();
        Err(match word.as_str() {
            "true" => return Ok(Literal::Bool(true)),
            "false" => return Ok(Literal::Bool(false)),
            "null" => return Ok(Literal::Null),
            "undefined" => {
                let path: String = self.chars[path_at..start].iter().collect();
                let path = path.trim_end_matches(|c: char| c == ' ' || "=!<>".contains(c)).to_owned();
                let help = format!("write `{path} != null` for any value, `!({path} != null)` for none");
                self.error(start, "`undefined` is not part of the language", help)
            }
            "expected" => {
                let help = "write `\"{{name}}\"` for a variable of the case";
                self.error(start, "a JSON value cannot be compared with `expected`", help)
            }
            "" => {
                self.at = (start + 1).min(self.chars.len());
                let help = "add a number, a quoted string, `true`, `false` or `null`";
                self.error(start, "missing value", help)
            }
            word => {
                let help = format!("put text in quotes: `\"{}\"`", text::excerpt(word, 40));
                self.error(start, format!("`{}` is not a value", text::excerpt(word, 40)), help)
            }
        })
    }
}

//! The few JavaScript expressions over `output` that have an equivalent in akit.

use super::assertion::{Assertion, Refusal, all, inline};
use super::schema::no_fence;
use super::yaml::YamlItem;
use crate::expectation::expression::Expression;

/// The answer as JSON, in JavaScript.
const PARSED: &str = "JSON.parse(output)";

/// The call that tests a pattern on the answer.
const TESTED: &str = ".test(output)";

/// The expectation of a `javascript` assertion.
///
/// # Errors
/// If it is anything but tests of the text, joined by `&&` and `||`, or if it throws for some answers, which fails in
/// promptfoo whatever comes before.
pub(super) fn expression(assertion: &Assertion<'_>, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
    let refusal = || {
        Refusal::new(
            "akit does not run JavaScript, and has no equivalent of this expression",
            "use `inline` with includes, startsWith, endsWith, match or length; or `regex`, `json_schema` or `llm_grader`",
        )
    };
    let value = assertion.value()?;
    // Several lines are the body of a function, which returns nothing without `return`.
    let code = value.node.as_str().ok_or_else(refusal)?.trim_end();
    let foreign =
        assertion.threshold().is_some() || ["{{", "{%", "{#", "\n"].iter().any(|mark| code.contains(mark));
    let code = code.trim_start();
    let code = Code::of(code.strip_suffix(';').unwrap_or(code)).filter(|_| !foreign).ok_or_else(refusal)?;
    // A match returns a list, not a boolean; an answer that is not JSON or lacks the path throws. Neither is the
    // negation of a pass.
    let strict = code.parsed || code.matched != Matched::Nowhere;
    let undecided = code.matched == Matched::Last || code.parsed && code.negated;
    if undecided || strict && (assertion.inverse || code.either) {
        return Err(refusal());
    }
    Expression::parse(&code.text).map_err(|_| refusal())?;
    let item = inline(&crate::environment::literal(&code.text));
    if !code.parsed {
        return Ok(item);
    }
    near.push("values in JSON are compared without conversion, and only lists have a length".to_owned());
    // In akit, JSON may be in a fenced block; in JavaScript it may not.
    Ok(all(vec![no_fence(), item]))
}

/// Whether there is an `output.match(…)` without `!`, which returns a list, not a boolean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Matched {
    #[default]
    Nowhere,
    /// Something joined to it decides.
    Joined,
    /// It is the result of the whole expression.
    Last,
}

/// JavaScript translated to akit's `inline`, and what it contains.
#[derive(Debug, Default)]
struct Code {
    text: String,
    /// It parses the answer as JSON.
    parsed: bool,
    matched: Matched,
    /// It has `||`.
    either: bool,
    /// It has `!`, except in `!= null`.
    negated: bool,
}

impl Code {
    /// Renames `output` outside of quotes; `None` if a word would mean something else in akit.
    fn of(code: &str) -> Option<Self> {
        let mut out = Self::default();
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            let length = if matches!(first, '"' | '\'' | '/') {
                out.quoted(rest, first)?
            } else if first.is_alphabetic() || first == '_' {
                out.word(rest)?
            } else if first.is_ascii_digit() && out.is_member() {
                // akit indexes lists this way; JavaScript does not.
                return None;
            } else {
                out.either |= first == '|';
                out.negated |= first == '!' && !rest.starts_with("!= null");
                if first == '&' && out.matched == Matched::Last {
                    out.matched = Matched::Joined;
                }
                out.text.push(first);
                first.len_utf8()
            };
            rest = &rest[length..];
        }
        Some(out)
    }

    /// Whether the text ends with a dot that is not part of a number.
    fn is_member(&self) -> bool {
        self.text.strip_suffix('.').is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_digit()))
    }

    /// Reads a string or a pattern; returns its length.
    fn quoted(&mut self, rest: &str, mark: char) -> Option<usize> {
        let mut end = closing(rest, mark)?;
        if mark == '/' {
            end += rest[end..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - end);
            if rest[end..].starts_with(TESTED) {
                self.text.push_str("response.match(");
                self.text.push_str(&rest[..end]);
                self.text.push(')');
                return Some(end + TESTED.len());
            }
        }
        let quoted = &rest[..end];
        // akit would find it in any case; JavaScript never does.
        if self.text.ends_with(".toLowerCase().includes(") && quoted.to_lowercase() != quoted {
            return None;
        }
        self.text.push_str(quoted);
        Some(end)
    }

    /// Reads a name; returns its length.
    fn word(&mut self, rest: &str) -> Option<usize> {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let member = self.text.ends_with('.');
        if !member && rest.starts_with(PARSED) {
            self.parsed = true;
            self.text.push_str("json");
            return Some(PARSED.len());
        }
        match &rest[..end] {
            "output" if !member => self.text.push_str("response"),
            "response" | "expected" | "json" | "words" | "lines" if !member => return None,
            "length" if self.text.ends_with("response.") => {
                self.text.truncate(self.text.len() - "response.".len());
                self.text.push_str("length");
            }
            "match" if self.text.ends_with("response.") && !self.text.ends_with("!response.") => {
                self.matched = Matched::Last;
                self.text.push_str("match");
            }
            word => self.text.push_str(word),
        }
        Some(end)
    }
}

/// The offset after the quote or slash that closes what the first character opened.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_is_renamed() {
        let table = [
            ("output.includes('output')", Some("response.includes('output')")),
            ("output.length < 9 && output.match(/output/i)", Some("length < 9 && response.match(/output/i)")),
            ("JSON.parse(output).a === 'JSON.parse(output)'", Some("json.a === 'JSON.parse(output)'")),
            (r"!/a\/output/i.test(output)", Some(r"!response.match(/a\/output/i)")),
            ("context.output", Some("context.output")),
            ("output.includes('response.length')", Some("response.includes('response.length')")),
            ("output.toLowerCase().includes('Yes')", None),
            ("JSON.parse(output).a.0 === 1.5", None),
            ("output.length < 1.5", Some("length < 1.5")),
            ("response.includes('a')", None),
            ("output.includes('a", None),
        ];
        for (code, expected) in table {
            let translated = Code::of(code).map(|code| code.text);
            assert_eq!(translated.as_deref(), expected, "{code}");
        }
    }
}

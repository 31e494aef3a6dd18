//! The few JavaScript expressions over `output` that are expressions of akit too.

use super::assertion::{Assertion, Refusal, all, inline, no_fence};
use super::yaml::Item;
use crate::expectation::expression::Expression;

/// The answer as JSON, in JavaScript.
const PARSED: &str = "JSON.parse(output)";

/// What stands behind a pattern that is held against the answer.
const TESTED: &str = ".test(output)";

/// The expectation of a `javascript` assertion.
///
/// # Errors
/// When it is anything but tests of the text, joined by `&&` and `||`.
pub(super) fn expression(assertion: &Assertion<'_>) -> Result<Item, Refusal> {
    let refusal = || {
        Refusal::new(
            "akit runs no JavaScript, and this is no expression that it has too",
            "`inline` knows includes, startsWith, endsWith, match and length; else `regex`, `json_schema` or `llm_grader`",
        )
    };
    let value = assertion.value()?;
    let code = value.node.as_str().ok_or_else(refusal)?.trim();
    let foreign = assertion.threshold().is_some() || code.contains("{{");
    let parsed = code.contains(PARSED);
    let code = translated(code.strip_suffix(';').unwrap_or(code)).filter(|_| !foreign).ok_or_else(refusal)?;
    Expression::parse(&code).map_err(|_| refusal())?;
    let item = inline(&crate::scenario::literal(&code));
    // JSON of akit may stand in a fence, and JSON of JavaScript not.
    Ok(if parsed { all(vec![no_fence(), item]) } else { item })
}

/// `output` under akit's name, outside of quotes; `None` where the code has a pattern with the word in it.
fn translated(code: &str) -> Option<String> {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '\'' | '/') {
            let mut end = closing(rest, first)?;
            if first == '/' {
                end += rest[end..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - end);
                if let Some(after) = rest[end..].strip_prefix(TESTED) {
                    out.push_str("response.match(");
                    out.push_str(&rest[..end]);
                    out.push(')');
                    rest = after;
                    continue;
                }
            }
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let member = out.ends_with('.');
            if !member && let Some(after) = rest.strip_prefix(PARSED) {
                out.push_str("json");
                rest = after;
                continue;
            }
            match &rest[..end] {
                "output" if !member => out.push_str("response"),
                "response" | "expected" | "json" | "words" | "lines" if !member => return None,
                word => out.push_str(word),
            }
            rest = &rest[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(out.replace("response.length", "length"))
}

/// The offset behind the quote or slash that ends what the first character began.
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
            ("response.includes('a')", None),
            ("output.includes('a", None),
        ];
        for (code, expected) in table {
            assert_eq!(translated(code).as_deref(), expected, "{code}");
        }
    }
}

//! `json_schema`: the answer is JSON that conforms to a schema (JSON Schema 2020-12, offline).
//!
//! The JSON is the whole answer after its thinking block, or else the first fenced block that is JSON.

mod bounded;
mod lint;
mod weaker;

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Candidate, Reading, TYPE, errored, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Node, Shape};
use crate::text::{self, said};
use crate::vocabulary::{VerdictKind, Weaker};

pub(super) use weaker::order;

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required(
        "schema",
        Shape::Map,
        "JSON Schema 2020-12; references to other documents are not allowed.",
    ),
];

/// A compiled schema.
#[derive(Clone, Debug)]
pub struct JsonSchema {
    validator: Arc<jsonschema::Validator>,
    schema: Arc<Json>,
}

impl JsonSchema {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        Self::of(fields.node("schema")?, reading)
    }

    /// The schema at a node.
    pub(super) fn of(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let schema = reading.fill_json(&node.to_json(), node.span);
        lint::check(node, &schema, reading);
        match bounded::compiled(&schema) {
            Ok(validator) => Some(Self { validator: Arc::new(validator), schema: Arc::new(schema) }),
            Err(error) => {
                let path = error.instance_path().to_string();
                let spot = path.split('/').filter(|part| !part.is_empty()).try_fold(node, |node, part| {
                    match part.parse::<usize>() {
                        Ok(index) => match &node.value {
                            crate::source::Value::List(items) => items.get(index),
                            _ => node.get(part),
                        },
                        Err(_) => node.get(&part.replace("~1", "/").replace("~0", "~")),
                    }
                });
                let (span, message, help) = lint::unknown_type(&path, spot)
                    .or_else(|| lint::foreign_reference(node, &error))
                    .unwrap_or_else(|| {
                        (
                            spot.map_or(node.span, |spot| spot.span),
                            format!("invalid JSON Schema: {}", text::excerpt(&error.to_string(), 200)),
                            "see JSON Schema 2020-12; the schema must include everything that it refers to"
                                .to_owned(),
                        )
                    });
                reading.refuse("invalid-schema", span, message, help);
                None
            }
        }
    }

    /// The strings that a correct answer contains: those where the schema allows only one value.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        only_values(&self.schema, &mut found);
        found
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        self.loosened(now).into_iter().map(|one| one.below(&["schema"])).collect()
    }

    /// Like [`weaker`](Self::weaker), but with keys that begin at the schema.
    pub(super) fn loosened(&self, now: &Self) -> Vec<Weaker> {
        let (Self { validator: _, schema: old }, Self { validator: _, schema: new }) = (self, now);
        weaker::weaker(old, new)
    }

    /// The first problem of a value.
    pub(super) fn problem(&self, value: &Json) -> Option<String> {
        match bounded::problems(&self.validator, value.clone()) {
            Ok(problems) => problems.messages.into_iter().next(),
            Err(why) => Some(why),
        }
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let value = match json_in(answer.text) {
            Ok(value) => value,
            Err(why) => {
                let mut verdict = verdict(VerdictKind::JsonSchema, false, 0.0);
                verdict.reason = format!("the answer is not JSON: {why}").replace(": it is not JSON", "");
                "JSON that conforms to the schema".clone_into(&mut verdict.expected);
                verdict.got = quote(answer.text);
                return verdict;
            }
        };
        let problems = match bounded::problems(&self.validator, value) {
            Ok(problems) => problems,
            Err(why) => return errored(VerdictKind::JsonSchema, why),
        };
        let conforms = problems.messages.is_empty();
        let mut verdict = verdict(VerdictKind::JsonSchema, conforms, if conforms { 1.0 } else { 0.0 });
        "JSON that conforms to the schema".clone_into(&mut verdict.expected);
        verdict.reason = if conforms {
            "the answer conforms to the schema".to_owned()
        } else {
            problems.messages.join("; ")
        };
        verdict.got = problems.got;
        verdict
    }
}

/// The JSON in an answer: the whole text after its thinking block, or else the first fenced block that is JSON, among
/// those marked as JSON or not marked.
fn json_in(answer: &str) -> Result<Json, String> {
    let text = said::behind_thoughts(answer).ok_or("its thinking block is never closed")?;
    let text = text.trim_matches(text::js_space);
    let whole = parsed(text).map_err(|error| {
        if text.is_empty() { "it is empty".to_owned() } else { text::json::trouble(&error) }
    });
    whole.or_else(|why| fenced(text).find_map(|block| parsed(block).ok()).ok_or(why))
}

fn parsed(text: &str) -> serde_json::Result<Json> {
    serde_json::from_str(text)
        .or_else(|error| within_range(text).map_or(Err(error), |text| serde_json::from_str(&text)))
}

/// The fenced blocks of the text that are marked as JSON or not marked, in order.
fn fenced(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, inner) = rest.split_once("```")?;
        let (block, after) = inner.split_once("```").unwrap_or((inner, ""));
        rest = after;
        Some(block)
    })
    .filter_map(|block| {
        let marks = block.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(block.len());
        let (mark, inner) = block.split_at(marks);
        let known = ["", "json", "jsonc"].iter().any(|known| mark.eq_ignore_ascii_case(known));
        // A number on the line of the fence is content.
        if known { Some(inner) } else { Some(block).filter(|_| mark.parse::<f64>().is_ok()) }
    })
}

/// JSON with numbers beyond the range of a double replaced by its limits, close to how JavaScript reads them; `None` if
/// there is no such number.
fn within_range(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut changed) = (json, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '-' | '0'..='9' => rest
                .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
                .unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match token.parse::<f64>() {
            Ok(number) if number.is_infinite() => {
                out.push_str(if number > 0.0 { "1.7976931348623157e308" } else { "-1.7976931348623157e308" });
                changed = true;
            }
            _ => out.push_str(token),
        }
        rest = after;
    }
    changed.then_some(out)
}

/// The length in bytes of the string that the text begins with, or of the whole text if the string never ends.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The values of a schema's parts, outside negations, that allow only one value.
fn only_values<'a>(schema: &'a Json, found: &mut Vec<&'a str>) {
    let Json::Object(members) = schema else { return };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("const", Json::String(text)) => found.push(text),
            ("enum", Json::Array(one)) if one.len() == 1 => found.extend(one[0].as_str()),
            ("properties" | "$defs" | "patternProperties", Json::Object(parts)) => {
                parts.values().for_each(|part| only_values(part, found));
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Json::Array(parts)) => {
                for part in parts {
                    only_values(part, found);
                }
            }
            ("items" | "contains" | "then" | "else" | "additionalProperties", part) => {
                only_values(part, found);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_out_of_range_are_changed() {
        assert_eq!(within_range(r#"{"a":"1e999 \\\" 1e999","b":1e9}"#), None);
        let found = within_range(r#"{"1e999":[1e999,-2e888, 3]}"#).unwrap();
        assert_eq!(found, r#"{"1e999":[1.7976931348623157e308,-1.7976931348623157e308, 3]}"#);
    }

    #[test]
    fn the_json_is_the_whole_answer_or_the_first_valid_block() {
        let table = [
            ("{}", "{}"),
            ("\u{feff} {} \n", "{}"),
            ("Here:\n```json\n{\"a\":1}\n```\nand ```2```", r#"{"a":1}"#),
            ("```\n1\n```", "1"),
            ("```42```", "42"),
            ("```JSON\n[1]\n```", "[1]"),
            ("```jsonc\n[1]", "[1]"),
            ("```py\nprint(1)\n```\n```json\n{}\n```", "{}"),
            ("```json\n{oops}\n```\n```\n[2]\n```", "[2]"),
            (
                r#"{"topic":"howto","code":"```py\nprint(1)\n```"}"#,
                r#"{"topic":"howto","code":"```py\nprint(1)\n```"}"#,
            ),
            ("<think>{\"a\":2}</think>\n{\"a\":1}", r#"{"a":1}"#),
            ("<think>so</think>```json\n[3]\n```", "[3]"),
        ];
        for (text, expected) in table {
            assert_eq!(json_in(text).unwrap(), parsed(expected).unwrap(), "{text}");
        }
        for (text, why) in [
            ("", "it is empty"),
            ("no", "it is not JSON (column 2)"),
            ("{\"a\":", "its JSON is incomplete"),
            ("{} {}", "there is text after its JSON"),
            ("``` never closed", "it is not JSON"),
            ("```py\n1\n```", "it is not JSON"),
            ("<think>{}", "its thinking block is never closed"),
        ] {
            let found = json_in(text).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}

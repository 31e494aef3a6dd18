//! Why an answer ended. Servers say so in several places; the worst stop word counts.

use serde_json::Value as Json;

use super::blocked;
use super::place::Place as _;
use crate::text;
use crate::vocabulary::StopReason;

/// The names of keys that hold a stop word.
const KEYS: [&str; 6] =
    ["finish_reason", "native_finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];

/// Other places that may mark an answer as incomplete; unknown words there are ignored.
const STATES: [&str; 4] =
    ["/status", "/incomplete_details/reason", "/choices/0/status", "/choices/0/incomplete_details/reason"];

/// Keys that hold the results of content filters, by category.
const FILTERS: [&str; 2] = ["content_filter_results", "content_filter_result"];

/// Why the first answer ended: its `finish_reason`, or a stop word elsewhere if `finish_reason` is missing or less
/// severe.
pub(super) fn word(reply: &Json) -> Option<String> {
    let choice = reply.place("/choices/0");
    let places = [choice, choice.and_then(|choice| choice.get("message")), Some(reply)];
    let named = places.into_iter().flatten().flat_map(words).collect();
    let states = STATES.into_iter().filter_map(|place| written(reply.place(place)));
    let others = states.chain(blocked::prompt(reply, 200)).chain(filtered(reply));
    worst(named, others)
}

/// The worst stop word of the messages, starting with the last one, and of `beside`.
pub(super) fn of_messages<'a>(
    messages: impl Iterator<Item = &'a Json>,
    beside: Option<String>,
) -> Option<String> {
    worst(messages.flat_map(words).chain(beside).collect(), std::iter::empty())
}

/// The first non-empty word, unless another one is known to be worse.
fn worst(named: Vec<String>, others: impl Iterator<Item = String>) -> Option<String> {
    let mut word = named.iter().find(|word| !word.is_empty()).or(named.first()).cloned();
    for other in named.into_iter().chain(others) {
        if badness(Some(&other)) > badness(word.as_deref()).max(UNKNOWN) {
            word = Some(other);
        }
    }
    word
}

/// The stop words of an object, the API's own first.
fn words(place: &Json) -> impl Iterator<Item = String> {
    let details = written(place.place("/finish_details/type"));
    KEYS.into_iter().filter_map(|key| written(place.get(key))).chain(details)
}

/// Whether a choice says why it ended.
pub(super) fn is_told(choice: &Json) -> bool {
    words(choice).any(|word| !word.trim().is_empty())
}

/// Merges a member from a later piece of a stream. The worst stop word and a filter's hit are kept, and an empty
/// value never replaces another.
pub(super) fn keep(known: &mut Json, name: &str, value: Json) {
    match (known, value) {
        (Json::Object(known), Json::Object(more)) => {
            for (name, value) in more {
                keep(known.entry(&name).or_insert(Json::Null), &name, value);
            }
        }
        (Json::Array(known), Json::Array(more)) if name == "prompt_filter_results" => known.extend(more),
        (known, value) if known.is_null() || is_later(name, known, &value) => *known = value,
        (_, _) => {}
    }
}

/// Whether a later value of a member replaces an earlier one.
fn is_later(name: &str, known: &Json, value: &Json) -> bool {
    if !says_something(value) {
        return false;
    }
    let is_word = KEYS.contains(&name) || name == "status";
    let bad = |value: &Json| badness(written(Some(value)).as_deref());
    !is_word || bad(value) >= bad(known)
}

/// Whether a value is other than null, false, zero, blank, or a collection of such.
pub(super) fn says_something(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) => true,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(items) => items.iter().any(says_something),
        Json::Object(entries) => entries.values().any(says_something),
    }
}

const UNKNOWN: u8 = 1;

/// How bad an end is. An unknown word is worse than a good one and better than a known bad one.
fn badness(word: Option<&str>) -> u8 {
    match StopReason::of(word) {
        StopReason::Complete | StopReason::ToolCalls => 0,
        StopReason::Unknown => UNKNOWN,
        StopReason::Cut => 2,
        StopReason::Refused => 3,
        StopReason::Filtered => 4,
        StopReason::Broken => 5,
    }
}

/// Reads a stop word; any value but a string becomes an unknown word.
fn written(value: Option<&Json>) -> Option<String> {
    match value {
        None | Some(Json::Null) => None,
        Some(Json::String(word)) => Some(word.clone()),
        Some(other) => Some(text::excerpt(&other.to_string(), 40)),
    }
}

fn filtered(reply: &Json) -> Option<String> {
    let places = ["", "/choices/0", "/choices/0/message"].into_iter().filter_map(|place| reply.place(place));
    let prompts = reply.get("prompt_filter_results").and_then(Json::as_array).into_iter().flatten();
    let mut results =
        places.chain(prompts).flat_map(|place| FILTERS.into_iter().filter_map(|name| place.get(name)));
    results.any(has_cut).then(|| "content_filter".to_owned())
}

/// Whether a filter reports a hit anywhere.
fn has_cut(result: &Json) -> bool {
    match result {
        Json::Object(members) => {
            members.get("filtered") == Some(&Json::Bool(true)) || members.values().any(has_cut)
        }
        Json::Array(items) => items.iter().any(has_cut),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keep_all(place: &mut Json, piece: &Json) {
        for (name, value) in piece.as_object().unwrap() {
            keep(&mut place[name], name, value.clone());
        }
    }

    #[test]
    fn an_earlier_piece_is_kept_if_it_is_worse() {
        let cut =
            |cut: bool| json!({ "content_filter_results": { "hate": { "filtered": cut, "severity": "x" } } });
        let prompts = |is_cut: bool| json!({ "prompt_filter_results": [cut(is_cut)] });
        let finish = |word: &str| json!({ "finish_reason": word });
        let table = [
            (vec![finish("length"), finish("stop")], Some("length")),
            (vec![finish("stop"), finish("length")], Some("length")),
            (vec![finish("content_filter"), finish("length"), finish("stop")], Some("content_filter")),
            (vec![finish("error"), finish("stop")], Some("error")),
            (vec![finish("weird"), finish("stop")], Some("weird")),
            (vec![finish("stop"), finish("")], Some("stop")),
            (vec![finish(""), finish("stop")], Some("stop")),
            (vec![finish("length"), json!({ "finish_reason": null })], Some("length")),
            (vec![json!({ "finish_reason": ["length"] }), finish("stop")], Some("[\"length\"]")),
            (vec![finish("stop"), cut(true), cut(false)], Some("content_filter")),
            (vec![finish("stop"), cut(false), cut(true)], Some("content_filter")),
            (vec![finish("stop"), cut(false)], Some("stop")),
        ];
        for (pieces, expected) in table {
            let mut choice = json!({});
            for piece in &pieces {
                keep_all(&mut choice, piece);
            }
            assert_eq!(word(&json!({ "choices": [choice] })).as_deref(), expected, "{pieces:?}");
        }
        for (first, second) in [
            (json!({ "status": "failed" }), json!({ "status": "completed" })),
            (prompts(true), prompts(false)),
            (json!({ "promptFeedback": { "blockReason": "SAFETY" } }), json!({ "promptFeedback": {} })),
        ] {
            for pieces in [[&first, &second], [&second, &first]] {
                let mut reply = json!({ "choices": [finish("stop")] });
                for piece in pieces {
                    keep_all(&mut reply, piece);
                }
                assert_ne!(word(&reply).as_deref(), Some("stop"), "{pieces:?}");
            }
        }
    }

    #[test]
    fn the_worst_word_counts_wherever_it_is() {
        let table = [
            (json!({}), json!({}), None),
            (json!({ "finish_reason": "stop" }), json!({}), Some("stop")),
            (json!({ "finish_reason": null }), json!({ "status": "incomplete" }), Some("incomplete")),
            (json!({ "finish_reason": null }), json!({ "done_reason": "length" }), Some("length")),
            (json!({ "stop_reason": "max_tokens" }), json!({}), Some("max_tokens")),
            (json!({ "message": { "stop_reason": "max_tokens" } }), json!({}), Some("max_tokens")),
            (json!({ "finishReason": "SAFETY" }), json!({}), Some("SAFETY")),
            (json!({ "finish_reason": "stop", "native_finish_reason": "SAFETY" }), json!({}), Some("SAFETY")),
            (
                json!({ "finish_reason": "stop", "native_finish_reason": "MAX_TOKENS" }),
                json!({}),
                Some("MAX_TOKENS"),
            ),
            (json!({ "finish_reason": "stop" }), json!({ "stop_reason": "refusal" }), Some("refusal")),
            (json!({ "finish_reason": "length" }), json!({ "native_finish_reason": "STOP" }), Some("length")),
            (
                json!({ "finish_reason": "length", "native_finish_reason": "SAFETY" }),
                json!({}),
                Some("SAFETY"),
            ),
            (json!({ "finish_reason": "stop" }), json!({ "status": "failed" }), Some("failed")),
            (
                json!({ "finish_reason": "stop" }),
                json!({ "status": "incomplete", "incomplete_details": { "reason": "content_filter" } }),
                Some("content_filter"),
            ),
            (
                json!({ "finish_reason": "stop", "content_filter_results": { "hate": { "filtered": false }, "violence": { "filtered": true } } }),
                json!({}),
                Some("content_filter"),
            ),
            (
                json!({ "finish_reason": "stop" }),
                json!({ "promptFeedback": { "blockReason": "SAFETY" } }),
                Some("SAFETY"),
            ),
            // A known stop reason stays known next to an unknown word, and an unknown one stays unknown.
            (
                json!({ "finish_reason": "stop", "native_finish_reason": "completed" }),
                json!({}),
                Some("stop"),
            ),
            (json!({ "finish_reason": "stop", "stop_reason": 128_009 }), json!({}), Some("stop")),
            (json!({ "finish_reason": "stop" }), json!({ "status": "completed" }), Some("stop")),
            (json!({ "finish_reason": "stop" }), json!({ "status": 200 }), Some("stop")),
            (json!({}), json!({ "status": "completed" }), None),
            (
                json!({ "finish_reason": "stop", "content_filter_results": { "hate": { "filtered": false } } }),
                json!({}),
                Some("stop"),
            ),
            (
                json!({ "finish_reason": "quantum", "native_finish_reason": "STOP" }),
                json!({}),
                Some("quantum"),
            ),
            (
                json!({ "finish_reason": "quantum", "native_finish_reason": "SAFETY" }),
                json!({}),
                Some("SAFETY"),
            ),
            (json!({ "finish_reason": null, "native_finish_reason": "quantum" }), json!({}), Some("quantum")),
            (json!({ "finish_reason": 7 }), json!({}), Some("7")),
            (json!({ "finish_details": { "type": "max_tokens" } }), json!({}), Some("max_tokens")),
            (json!({ "finish_details": { "type": "stop" } }), json!({}), Some("stop")),
            (json!({ "finish_reason": "stop" }), json!({ "finish_reason": "length" }), Some("length")),
            (
                json!({ "finish_reason": "stop", "message": { "finish_reason": "length" } }),
                json!({}),
                Some("length"),
            ),
            (json!({ "stopReason": "MAX_TOKENS" }), json!({}), Some("MAX_TOKENS")),
            (
                json!({ "finish_reason": "stop", "content_filter_result": { "hate": { "filtered": true } } }),
                json!({}),
                Some("content_filter"),
            ),
            (
                json!({ "finish_reason": "stop", "content_filter_results": { "blocklists": [{ "id": "x", "filtered": true }] } }),
                json!({}),
                Some("content_filter"),
            ),
            (
                json!({ "finish_reason": "stop" }),
                json!({ "prompt_filter_results": [
                    { "content_filter_results": { "hate": { "filtered": false } } },
                    { "content_filter_results": { "hate": { "filtered": true } } },
                ] }),
                Some("content_filter"),
            ),
        ];
        for (choice, mut reply, expected) in table {
            reply["choices"] = json!([choice]);
            assert_eq!(word(&reply).as_deref(), expected, "{reply}");
        }
    }
}

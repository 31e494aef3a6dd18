//! Why an answer ended, from every place where servers say so: the worst of their words counts.

use serde_json::Value as Json;

use super::blocked;
use crate::text;
use crate::vocabulary::StopReason;

/// What servers and gateways call it beside `finish_reason`.
const KEYS: [&str; 4] = ["native_finish_reason", "finishReason", "stop_reason", "done_reason"];

/// Where else an answer is said not to be whole; a word that akit does not know says nothing here.
const STATES: [&str; 4] =
    ["/status", "/incomplete_details/reason", "/choices/0/status", "/choices/0/incomplete_details/reason"];

/// Verdicts of filters, each by its category.
const FILTERS: [&str; 3] = [
    "/choices/0/content_filter_results",
    "/choices/0/message/content_filter_results",
    "/prompt_filter_results/0/content_filter_results",
];

/// The word for why the first answer ended: the `finish_reason`, or one elsewhere where that is missing or says something
/// better.
pub(super) fn word(reply: &Json) -> Option<String> {
    let choice = reply.pointer("/choices/0");
    let finish = choice.and_then(|choice| written(choice.get("finish_reason")));
    let places = [choice, choice.and_then(|choice| choice.get("message")), Some(reply)];
    let named = places.into_iter().flatten().flat_map(|place| KEYS.iter().map(|key| written(place.get(key))));
    let named: Vec<String> = named.flatten().collect();
    let mut word = finish.filter(|word| !word.is_empty()).or_else(|| named.first().cloned());
    let states = STATES.into_iter().filter_map(|place| written(reply.pointer(place)));
    let others = named.into_iter().chain(states).chain(blocked::prompt(reply)).chain(filtered(reply));
    for other in others {
        if badness(Some(&other)) > badness(word.as_deref()).max(UNKNOWN) {
            word = Some(other);
        }
    }
    word
}

const UNKNOWN: u8 = 1;

/// How bad an end is. A word that nobody knows is worse than a good one, and better than one that is known to be bad.
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

/// A stop word; what is not text is a word that akit does not know.
fn written(value: Option<&Json>) -> Option<String> {
    match value {
        None | Some(Json::Null) => None,
        Some(Json::String(word)) => Some(word.clone()),
        Some(other) => Some(text::excerpt(&other.to_string(), 40)),
    }
}

fn filtered(reply: &Json) -> Option<String> {
    let results = FILTERS.into_iter().filter_map(|place| reply.pointer(place)?.as_object());
    let is_filtered =
        results.flat_map(|one| one.values()).any(|one| one.get("filtered") == Some(&Json::Bool(true)));
    is_filtered.then(|| "content_filter".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_worst_word_counts_wherever_it_stands() {
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
            // What is known is not called unknown for another word, and an unknown end stays one.
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
        ];
        for (choice, mut reply, expected) in table {
            reply["choices"] = json!([choice]);
            assert_eq!(word(&reply).as_deref(), expected, "{reply}");
        }
    }
}

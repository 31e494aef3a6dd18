//! Blocked prompts: a content filter's refusal, not an outage.
//!
//! The patterns are a closed list. Any other error stays an error: if it counted as a refusal, it would meet an
//! expectation that requires one.

use super::place::Place as _;
use serde_json::Value as Json;

use crate::vocabulary::StopReason;

/// The stop word of a blocked prompt if the server has none.
const FILTERED: &str = "content_filter";

/// Where error bodies have their code.
const CODES: [&str; 6] =
    ["/error/code", "/error/type", "/error/innererror/code", "/error/inner_error/code", "/code", "/type"];

/// Codes in lower case and without `_`: Azure and Moonshot, `DashScope`, `OpenAI`, Bedrock behind a gateway.
const WORDS: [&str; 6] = [
    "contentfilter",
    "responsibleaipolicyviolation",
    "datainspectionfailed",
    "contentpolicyviolation",
    "contentpolicyviolationerror",
    "guardrailintervened",
];

/// Beginnings of messages next to a generic code, in lower case: Moonshot, then the guardrails of `LiteLLM`.
const BEGINNINGS: [&str; 5] = [
    "the request was rejected because it was considered high risk",
    "violated guardrail policy",
    "violated content safety policy",
    "guardrail raised an exception",
    "blocked entity detected",
];

/// Beginning of a `LiteLLM` message that quotes the policy's name.
const QUOTED: &str = "{'error': 'violated ";

/// The stop word if this body says that the prompt was blocked.
///
/// If the server is overloaded or down, only the message counts: the code may name a filter that is unavailable.
pub(super) fn prompt(body: &Json, status: u16) -> Option<String> {
    let message = ["/error/message", "/message"].into_iter().find_map(|place| body.place(place)?.as_str());
    let message = message.unwrap_or_default();
    if status == 429 || status >= 500 {
        return says_blocked(message).then(|| FILTERED.to_owned());
    }
    let reason = ["/promptFeedback/blockReason", "/prompt_feedback/block_reason"];
    let reason = reason.into_iter().find_map(|place| body.place(place)?.as_str());
    if let Some(word) = reason.filter(|word| !word.ends_with("UNSPECIFIED")) {
        let is_known = StopReason::of(Some(word)) == StopReason::Filtered;
        return Some(if is_known { word } else { FILTERED }.to_owned());
    }
    let is_blocking = |code: &str| match code.to_ascii_lowercase().replace(['_', '-'], "").as_str() {
        // Also used for malformed prompts.
        "invalidprompt" => message.to_lowercase().contains("usage policy"),
        code => WORDS.contains(&code),
    };
    let codes = CODES.into_iter().filter_map(|place| body.place(place)?.as_str());
    let is_blocked =
        codes.into_iter().any(is_blocking) || says_blocked(message) || (status == 403 && is_moderated(body));
    is_blocked.then(|| FILTERED.to_owned())
}

/// Whether a message begins with a known pattern, after `LiteLLM`'s error names. Later parts may repeat the prompt.
fn says_blocked(message: &str) -> bool {
    let mut rest = message.trim_start();
    while let Some((name, words)) = rest.split_once(": ")
        && (name.starts_with("litellm.") || name.ends_with("Error") || name.ends_with("Exception"))
        && !name.contains(char::is_whitespace)
    {
        if name.ends_with("ContentPolicyViolationError") {
            return true;
        }
        rest = words.trim_start();
    }
    let rest = rest.to_lowercase();
    BEGINNINGS.iter().any(|words| rest.strip_prefix(words).is_some_and(ends_there))
        || rest
            .strip_prefix(QUOTED)
            .and_then(|rest| rest.split_once('\''))
            .is_some_and(|(what, _)| what.ends_with(" policy"))
}

/// Whether the pattern ends here: "violated guardrail policy config" is about a setting.
fn ends_there(rest: &str) -> bool {
    !rest.trim_start().starts_with(char::is_alphanumeric)
}

/// Whether `OpenRouter`'s moderation flagged something.
fn is_moderated(body: &Json) -> bool {
    let Some(metadata) = body.place("/error/metadata") else { return false };
    let reasons = metadata.get("reasons").and_then(Json::as_array);
    reasons.is_some_and(|reasons| !reasons.is_empty())
        || metadata.get("flagged_input").is_some_and(Json::is_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_known_blocks_of_a_prompt_are_refusals() {
        let error = |error: Json| json!({ "error": error });
        let said = |message: &str| error(json!({ "message": message, "type": "None", "code": "400" }));
        let table = [
            (error(json!({ "code": "content_filter" })), true),
            (
                error(
                    json!({ "code": "BadRequest", "innererror": { "code": "ResponsibleAIPolicyViolation" } }),
                ),
                true,
            ),
            (error(json!({ "type": "content_filter", "message": "considered high risk" })), true),
            (said("The request was rejected because it was considered high risk"), true),
            (json!({ "code": "DataInspectionFailed", "message": "x" }), true),
            (error(json!({ "code": "data_inspection_failed", "type": "data_inspection_failed" })), true),
            (error(json!({ "code": "content_policy_violation" })), true),
            (
                error(json!({ "code": "invalid_prompt",
                    "message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy." })),
                true,
            ),
            (said("litellm.BadRequestError: litellm.ContentPolicyViolationError: AzureException - x"), true),
            (said("litellm.ContentPolicyViolationError: x"), true),
            (said("{'error': 'Violated guardrail policy', 'bedrock_guardrail_response': {}}"), true),
            (said("Guardrail raised an exception, Guardrail: pii, Message: no"), true),
            (said("litellm.APIConnectionError: Guardrail raised an exception, Guardrail: x"), true),
            (error(json!({ "code": 403, "metadata": { "reasons": ["harassment"] } })), true),
            (error(json!({ "code": 403, "metadata": { "flagged_input": "x", "reasons": [] } })), true),
            (json!({ "promptFeedback": { "blockReason": "SAFETY" } }), true),
            // Errors that only sound similar.
            (error(json!({ "code": "invalid_prompt", "message": "Invalid Responses API request" })), false),
            (
                error(
                    json!({ "code": "invalid_request_error", "message": "the role content_filter is unknown" }),
                ),
                false,
            ),
            (said("unknown model; you asked: violated guardrail policy"), false),
            (said("litellm.BadRequestError: you said: litellm.ContentPolicyViolationError: x"), false),
            (said("litellm.Timeout: ContentPolicyViolationError"), false),
            (error(json!({ "code": 403, "metadata": { "reasons": [] } })), false),
            (
                error(json!({ "code": 403, "metadata": { "provider_name": "x", "raw": "flagged_input" } })),
                false,
            ),
            (json!({ "promptFeedback": { "blockReason": "BLOCK_REASON_UNSPECIFIED" } }), false),
            (error(json!({ "code": "content_filters_unavailable" })), false),
            (said("Violated guardrail policy config: no such guardrail 'x'"), false),
            (said("{'error': 'Violated guardrail policy config: no such guardrail'}"), false),
            (said("Violated guardrail policy"), true),
            (said("Blocked entity detected: EMAIL by Guardrail: pii"), true),
            (error(json!({ "code": 502, "metadata": { "reasons": ["timeout"] } })), false),
            (error(json!({ "code": 400, "metadata": { "reasons": ["timeout"] } })), false),
            (error(json!({ "code": 429, "type": "content_filter", "message": "slow down" })), false),
            (error(json!({ "code": 503, "type": "ContentFilter", "message": "the filter is down" })), false),
            (error(json!({ "code": 500, "message": "Guardrail raised an exception, Guardrail: x" })), true),
            (error(json!({ "code": 500, "message": "litellm.ContentPolicyViolationError: x" })), true),
            (json!("content_filter"), false),
            (json!({}), false),
        ];
        for (body, expected) in table {
            let status = body.pointer("/error/code").and_then(Json::as_u64).unwrap_or(400);
            assert_eq!(prompt(&body, status.try_into().unwrap()).is_some(), expected, "{body}");
        }
    }
}

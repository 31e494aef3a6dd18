//! Parts of a request that a server refuses: its error names them somehow, and akit leaves them out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value as Json;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use super::{ProviderError, model};
use crate::text;

/// A part of a request that can be left out or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Part {
    /// Without it, the model uses its default temperature.
    Temperature,
    /// Without it, answers vary more.
    Seed,
    /// Without it, the model uses its default effort.
    ReasoningEffort,
    /// Without it, a function call is requested instead.
    ResponseFormat,
    /// Without it, only the prompt asks for the format.
    ToolChoice,
    /// Replaced by `max_completion_tokens`.
    MaxTokens,
    /// Replaced by `max_tokens`.
    MaxCompletionTokens,
    /// The token limit of the Responses API.
    MaxOutputTokens,
    /// Without it, a stream does not report usage.
    StreamOptions,
    /// Without it, the judge's instructions are at the start of the user message.
    SystemRole,
}

impl Part {
    /// The name in requests.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// Parts known to be refused for a model.
    pub(super) fn of_family(model: &str) -> BTreeSet<Self> {
        match (model::is_openai_reasoning(model), model::is_unsampled_claude(model)) {
            (true, _) => [Self::Temperature, Self::MaxTokens].into(),
            (false, true) => [Self::Temperature].into(),
            (false, false) => BTreeSet::new(),
        }
    }

    /// The value in a body, under any vendor's name for it.
    fn value(self, body: &Json) -> Option<&Json> {
        let elsewhere: &[&str] = match self {
            Self::SystemRole => {
                let first = body.pointer("/messages/0/role").filter(|role| *role == "system");
                return first.or_else(|| body.get("systemInstruction"));
            }
            Self::Temperature => &["/generationConfig/temperature"],
            Self::Seed => &["/random_seed", "/generationConfig/seed"],
            Self::ReasoningEffort => {
                &["/reasoning/effort", "/output_config/effort", "/generationConfig/thinkingConfig"]
            }
            Self::ResponseFormat => {
                &["/text/format", "/output_config/format", "/generationConfig/responseJsonSchema"]
            }
            Self::ToolChoice => &["/toolConfig"],
            Self::MaxTokens => &["/generationConfig/maxOutputTokens"],
            Self::MaxCompletionTokens | Self::MaxOutputTokens | Self::StreamOptions => &[],
        };
        body.get(self.name()).or_else(|| elsewhere.iter().find_map(|place| body.pointer(place)))
    }

    fn stands_in(self, body: &Json) -> bool {
        self.value(body).is_some()
    }

    /// Whether the error names it; `words` is case-folded.
    fn is_named(self, words: &str, body: &Json) -> bool {
        let has = |phrase: &str| text::has_phrase(words, phrase);
        match self {
            Self::Temperature | Self::Seed => has(self.name()),
            Self::ReasoningEffort => [
                "reasoning effort",
                "reasoning.effort",
                "config.effort",
                "effort parameter",
                "thinking level",
                "thinkinglevel",
            ]
            .into_iter()
            .any(has),
            Self::ResponseFormat => [
                "response format",
                "json schema",
                "responsejsonschema",
                "output format",
                "output config.format",
                "text.format",
            ]
            .into_iter()
            .any(has),
            Self::ToolChoice => has("tool choice") || has("toolconfig") || has("tool config"),
            Self::StreamOptions => has("stream options"),
            // Some name the number of tokens instead of the parameter.
            Self::MaxTokens | Self::MaxCompletionTokens | Self::MaxOutputTokens => {
                let sent = self.value(body).map(Json::to_string).unwrap_or_default();
                has(&self.name().replace('_', " ")) || (words.contains("token") && has(&sent))
            }
            Self::SystemRole => {
                has("system role") || has("developer instruction") || (has("role") && has("system"))
            }
        }
    }
}

/// The part of a body that a 400 or 422 names; the request is then sent without it.
pub(super) fn named(error: &ProviderError, body: &Json, is_judge: bool) -> Option<Part> {
    let words = folded(refused(error)?);
    // An application's instructions are under test, so they are not rewritten.
    let may_go = |part: &Part| *part != Part::SystemRole || is_judge;
    let named = Part::iter().find(|part| part.stands_in(body) && may_go(part) && part.is_named(&words, body));
    // A judge's token limit is set by akit itself: it is dropped, under either name, if the error mentions tokens at
    // all.
    let caps = [Part::MaxTokens, Part::MaxCompletionTokens, Part::MaxOutputTokens];
    let cap = || caps.into_iter().find(|part| part.stands_in(body));
    named.or_else(|| cap().filter(|_| is_judge && words.contains("token")))
}

/// The output form in a body that a 400 or 422 may be about without naming it.
pub(super) fn form(error: &ProviderError, body: &Json) -> Option<Part> {
    refused(error)?;
    [Part::ResponseFormat, Part::ToolChoice].into_iter().find(|part| part.stands_in(body))
}

/// The body of an error that refuses the request.
pub(super) fn refused(error: &ProviderError) -> Option<&str> {
    // OpenRouter's error if no server behind it accepts the request.
    const NO_ENDPOINT: &str = "no endpoints found that";
    match error {
        ProviderError::Status { status: 400 | 422, whole, .. } => Some(whole),
        ProviderError::Status { status: 404, whole, .. } => {
            Some(&**whole).filter(|whole| whole.to_lowercase().contains(NO_ENDPOINT))
        }
        _ => None,
    }
}

impl ProviderError {
    /// A status error with the server's message, its whole body, and how long it asks to wait.
    pub(crate) fn of_status(
        host: &str,
        status: u16,
        body: String,
        whole: Box<str>,
        retry_after: Option<Duration>,
    ) -> Self {
        let unpaid = is_unpaid(status, &whole, &body, retry_after.is_some());
        Self::Status { host: host.to_owned(), status, body, whole, retry_after, unpaid, answered: false }
    }
}

/// Whether the account has no credit left. A 429 about quotas and plans counts only if it does not ask to wait, because
/// servers also use such messages for rate limits.
pub(super) fn is_unpaid(status: u16, whole: &str, message: &str, has_wait: bool) -> bool {
    const CODES: [&str; 5] = [
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_credits",
        "billing_error",
    ];
    const WORDS: [&str; 5] =
        ["credit balance", "billing", "insufficient quota", "insufficient balance", "out of credits"];
    let error: Option<Json> = serde_json::from_str(whole).ok();
    let code = |place| error.as_ref()?.pointer(place)?.as_str();
    if ["/error/code", "/error/type", "/code", "/type"]
        .into_iter()
        .filter_map(code)
        .any(|code| CODES.contains(&code))
    {
        return true;
    }
    let words = folded(message);
    match status {
        // It may repeat the prompt.
        400 => words.starts_with("your credit balance is too low"),
        429 => !has_wait && WORDS.iter().any(|word| words.contains(word)),
        _ => false,
    }
}

fn folded(words: &str) -> String {
    words.to_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refused_part_is_found_in_any_wording() {
        let body = json!({
            "messages": [{ "role": "system", "content": "x" }], "temperature": 0.0, "seed": 1,
            "max_tokens": 8192, "response_format": {}, "reasoning_effort": "low",
        });
        let table = [
            (400, "Unsupported value: 'temperature' does not support 0", Some(Part::Temperature)),
            (400, "`temperature` is deprecated for this model.", Some(Part::Temperature)),
            (400, "`temperature` and `top_p` cannot both be specified", Some(Part::Temperature)),
            (400, "{\"error\":{\"message\":\"Invalid request\",\"param\":\"seed\"}}", Some(Part::Seed)),
            (422, "{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"Extra inputs\"}]}", Some(Part::Seed)),
            (400, "This response_format type is unavailable now", Some(Part::ResponseFormat)),
            (400, "Response format is not available for this deployment", Some(Part::ResponseFormat)),
            (400, "Max tokens must be below 4096", Some(Part::MaxTokens)),
            (
                400,
                "maximum context length is 4097 tokens, you requested 8292 tokens (100 in the messages, 8192 in the completion)",
                Some(Part::MaxTokens),
            ),
            (400, "Reasoning effort 'low' is not allowed", Some(Part::ReasoningEffort)),
            (
                400,
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                Some(Part::SystemRole),
            ),
            (400, "System role not supported", Some(Part::SystemRole)),
            (400, "the conversation is too long", None),
            (404, "No endpoints found that support `seed`", Some(Part::Seed)),
            (404, "No endpoints found for seed", None),
            (400, "Let us proceed: seeds and temperatures vary", None),
            (400, "Unsupported parameter: 'tool_choice'", None),
            (500, "Unsupported parameter: 'seed'", None),
            (401, "seed", None),
        ];
        for (status, words, expected) in table {
            let error = ProviderError::of_status("", status, String::new(), words.into(), None);
            assert_eq!(named(&error, &body, true), expected, "{words}");
            let of_target = expected.filter(|part| *part != Part::SystemRole);
            assert_eq!(named(&error, &body, false), of_target, "{words}");
        }
    }

    #[test]
    fn a_judges_limit_is_dropped_if_the_error_mentions_tokens() {
        let words = [
            "max_tokens must be <= 4096",
            "The maximum tokens you requested exceeds the model limit of 4096",
            "max_output_tokens exceeds the limit (4096)",
            "maxTokens must be less than or equal to 4096",
            "requested 8,192 completion tokens; limit 4,096",
            "maxOutputTokens value of 8192, but the supported range is from 1 to 4097",
        ];
        for (name, part) in
            [("max_tokens", Part::MaxTokens), ("max_completion_tokens", Part::MaxCompletionTokens)]
        {
            let body = json!({ "messages": [], name: 8192 });
            for words in words {
                let (host, whole) = (String::new(), words.into());
                let error = ProviderError::Status {
                    host,
                    status: 400,
                    body: String::new(),
                    whole,
                    retry_after: None,
                    unpaid: false,
                    answered: false,
                };
                assert_eq!(named(&error, &body, true), Some(part), "{words}");
            }
        }
    }
}

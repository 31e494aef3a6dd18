//! Token usage as servers report it.

use super::place::Place as _;
use serde_json::Value as Json;

use crate::vocabulary::Usage;

/// A count of tokens read from or written to a cache.
pub(super) fn of_cache(count: Option<u64>) -> u32 {
    u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX)
}

/// The usage of a chat completion; `None` if the counts of sent and received tokens are missing.
pub(super) fn of_chat(reply: &Json) -> Option<Usage> {
    let count = |path: &str| reply.get("usage")?.place(path)?.as_u64();
    let (input_tokens, received) = (count("/prompt_tokens")?, count("/completion_tokens")?);
    Some(Usage {
        input_tokens,
        // Gemini and others count thoughts only in the total.
        output_tokens: count("/total_tokens")
            .map_or(received, |all| received.max(all.saturating_sub(input_tokens))),
        cached_tokens: of_cache(count("/prompt_tokens_details/cached_tokens")),
        cache_write_tokens: of_cache(
            count("/prompt_tokens_details/cache_write_tokens")
                .or_else(|| count("/cache_creation_input_tokens")),
        ),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn usage_is_read_as_servers_report_it() {
        let table = [
            (json!({ "prompt_tokens": 9, "completion_tokens": 4 }), Some([9, 0, 0, 4])),
            (json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 }), Some([9, 0, 0, 4])),
            // Reasoning counted separately, and as part of the answer.
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 113 }),
                Some([9, 0, 0, 104]),
            ),
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 104, "total_tokens": 113,
                    "completion_tokens_details": { "reasoning_tokens": 100 } }),
                Some([9, 0, 0, 104]),
            ),
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 0,
                    "prompt_tokens_details": { "cached_tokens": 5, "cache_write_tokens": 3 } }),
                Some([9, 5, 3, 4]),
            ),
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "cache_creation_input_tokens": 3,
                    "prompt_tokens_details": null }),
                Some([9, 0, 3, 4]),
            ),
            (json!({ "prompt_tokens": 9 }), None),
            (json!({ "prompt_tokens": -9, "completion_tokens": 4 }), None),
            (json!({ "prompt_tokens": 9.5, "completion_tokens": 4 }), None),
            (json!({ "prompt_tokens": 1e30, "completion_tokens": 4 }), None),
            (json!({ "prompt_tokens": "9", "completion_tokens": "4" }), None),
            (json!({}), None),
            (json!(null), None),
            (json!([1, 2]), None),
        ];
        for (usage, expected) in table {
            let read = of_chat(&json!({ "usage": usage })).map(|one| {
                [one.input_tokens, one.cached_tokens.into(), one.cache_write_tokens.into(), one.output_tokens]
            });
            assert_eq!(read, expected, "{usage}");
        }
        assert_eq!(of_chat(&json!({})), None);
    }
}

//! Response bodies that only look like answers, refusals or errors.

use serde_json::{Value as Json, json};

use super::gateway_rows::{Row, ended, fine, message, ok, row, with};

#[expect(clippy::too_many_lines, reason = "one row per behavior")]
pub(crate) fn table() -> Vec<Row> {
    const PASSED: (&str, &str) = ("passed", "");
    const FAILED: (&str, &str) = ("failed", "");
    let errored = |kind| ("errored", kind);
    let mut rows = vec![
        row(
            "a success in the place of an error",
            vec![with(|body| body["error"] = json!({ "code": 0, "message": "success" }))],
            PASSED,
            1,
            "",
        ),
        row(
            "an error that is the whole body",
            vec![ok(r#"{"object":"error","message":"out of memory","code":500}"#), fine()],
            PASSED,
            2,
            "",
        ),
        row(
            "an error whose code is null",
            vec![ok(r#"{"error":{"message":"bad key","type":"authentication_error","code":null}}"#)],
            errored("unauthorized"),
            1,
            "bad key",
        ),
        row(
            "a refused request inside a success",
            vec![ok(
                r#"{"error":{"message":"Unsupported parameter","type":"invalid_request_error","code":null}}"#,
            )],
            errored("refused-request"),
            1,
            "answered 400",
        ),
        row(
            "a filter that is down",
            vec![(
                503,
                br#"{"error":{"code":"content_filter","message":"the filter is unavailable"}}"#.to_vec(),
            )],
            errored("provider-down"),
            4, // with two probes: a gateway may be down for a moment
            "the filter is unavailable",
        ),
        row(
            "reasons that are no moderation",
            vec![(
                400,
                br#"{"error":{"message":"Provider returned error","metadata":{"reasons":["timeout"]}}}"#
                    .to_vec(),
            )],
            errored("refused-request"),
            1,
            "Provider returned error",
        ),
        row(
            "a guardrail that is not there",
            vec![(
                400,
                br#"{"error":{"message":"Violated guardrail policy config: no such guardrail 'x'"}}"#
                    .to_vec(),
            )],
            errored("refused-request"),
            1,
            "no such guardrail",
        ),
        row(
            "a message of null",
            vec![with(|body| body["choices"][0]["message"] = Json::Null)],
            errored("malformed-reply"),
            1,
            "it has no message",
        ),
        row(
            "a message that is a text",
            vec![with(|body| body["choices"][0]["message"] = "all fine".into())],
            errored("malformed-reply"),
            1,
            "it has no message",
        ),
        row(
            "a refusal next to the message",
            vec![with(|body| body["choices"][0]["refusal"] = "I can't".into())],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "the answer after another choice",
            vec![with(|body| {
                let other =
                    json!({ "index": 1, "message": { "content": "all fine" }, "finish_reason": "stop" });
                body["choices"][0]["finish_reason"] = "length".into();
                body["choices"].as_array_mut().unwrap().insert(0, other);
            })],
            FAILED,
            1,
            "cut off",
        ),
        row(
            "a tool call that is promised and not there",
            vec![ended("tool_calls", "all fine")],
            errored("malformed-reply"),
            1,
            "but has no call",
        ),
        row(
            "a custom tool call",
            vec![message(
                json!({ "content": "all fine", "tool_calls": [{ "id": "1", "type": "custom", "custom": { "name": "note", "input": "x" } }] }),
            )],
            PASSED,
            1,
            "",
        ),
        row(
            "details of the end alone",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = Json::Null;
                body["choices"][0]["finish_details"] = json!({ "type": "max_tokens" });
            })],
            FAILED,
            1,
            "cut off (finish_reason max_tokens)",
        ),
        row(
            "another prompt that is filtered",
            vec![with(|body| {
                let filter = |cut: bool| json!({ "content_filter_results": { "hate": { "filtered": cut } } });
                body["prompt_filter_results"] = json!([filter(false), filter(true)]);
            })],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "a filter that has cut something, in the singular",
            vec![with(|body| {
                body["choices"][0]["content_filter_result"] = json!({ "hate": { "filtered": true } });
            })],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
    ];
    for (name, call) in [
        ("a call of nothing", json!({ "tool_calls": [{}] })),
        ("a call of null", json!({ "tool_calls": [null] })),
        (
            "a call with a blank name",
            json!({ "tool_calls": [{ "function": { "name": " ", "arguments": "{}" } }] }),
        ),
        ("a call without a name, the old way", json!({ "function_call": {} })),
        (
            "a custom call without a name",
            json!({ "tool_calls": [{ "type": "custom", "custom": { "input": "x" } }] }),
        ),
    ] {
        let mut written = json!({ "content": "all fine" });
        written.as_object_mut().unwrap().extend(call.as_object().unwrap().clone());
        rows.push(row(
            name,
            vec![message(written)],
            errored("malformed-reply"),
            1,
            "a tool call 1 without a name",
        ));
    }
    rows
}

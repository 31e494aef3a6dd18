//! Real response bodies of OpenAI-compatible servers, and what akit makes of each.

use serde_json::{Value as Json, json};

use super::server::completion;

/// A server's behavior and the expected result.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The bodies in order; the last one repeats.
    pub(crate) bodies: Vec<(u16, Vec<u8>)>,
    pub(crate) outcome: &'static str,
    /// The kind of the fault; empty if there is none.
    pub(crate) fault: &'static str,
    /// The number of requests with one retry allowed.
    pub(crate) asked: usize,
    /// What the user sees of it.
    pub(crate) words: &'static str,
}

pub(crate) fn row(
    name: &'static str,
    bodies: Vec<(u16, Vec<u8>)>,
    (outcome, fault): (&'static str, &'static str),
    asked: usize,
    words: &'static str,
) -> Row {
    Row { name, bodies, outcome, fault, asked, words }
}

pub(crate) fn ok(body: impl AsRef<[u8]>) -> (u16, Vec<u8>) {
    (200, body.as_ref().to_vec())
}

/// A completion with one change.
pub(crate) fn with(change: impl FnOnce(&mut Json)) -> (u16, Vec<u8>) {
    let mut body = completion("all fine");
    change(&mut body);
    ok(body.to_string())
}

pub(crate) fn message(message: Json) -> (u16, Vec<u8>) {
    with(|body| body["choices"][0]["message"] = message)
}

pub(crate) fn ended(word: &str, text: &str) -> (u16, Vec<u8>) {
    with(|body| {
        body["choices"][0]["finish_reason"] = word.into();
        body["choices"][0]["message"]["content"] = text.into();
    })
}

pub(crate) fn fine() -> (u16, Vec<u8>) {
    ok(completion("all fine").to_string())
}

#[expect(clippy::too_many_lines, reason = "one row per behavior")]
pub(crate) fn table() -> Vec<Row> {
    const PASSED: (&str, &str) = ("passed", "");
    const FAILED: (&str, &str) = ("failed", "");
    let body = completion("all fine").to_string();
    let errored = |kind| ("errored", kind);
    let blocked = json!({ "error": { "message": "The response was filtered", "code": "content_filter", "status": 400,
        "innererror": { "code": "ResponsibleAIPolicyViolation" } } });
    let mut rows = vec![
        // Bodies.
        row("byte-order mark", vec![ok(format!("\u{feff}{body}"))], PASSED, 1, ""),
        row("blank lines that keep the connection", vec![ok(format!("\n\n \n{body}\n"))], PASSED, 1, ""),
        row("half a character", vec![ok(body.replace("all fine", "all fine \\ud83d"))], PASSED, 1, ""),
        row("an emoji in escapes", vec![ok(body.replace("all fine", "fine \\ud83d\\ude00"))], PASSED, 1, ""),
        row("cut and well again", vec![ok(&body[..body.len() / 2]), fine()], PASSED, 2, ""),
        row("cut for ever", vec![ok(&body[..40])], errored("connection-broken"), 2, "the body is cut"),
        row(
            "cut in half a character",
            vec![ok(r#"{"choices":[{"message":{"content":"x\ud8"#)],
            errored("connection-broken"),
            2,
            "the body is cut",
        ),
        row("empty and well again", vec![ok(""), fine()], PASSED, 2, ""),
        row("empty for ever", vec![ok(" \r\n")], errored("connection-broken"), 2, "the body is empty"),
        row("no content", vec![(204, Vec::new())], errored("connection-broken"), 2, "the body is empty"),
        row(
            "a sign-in page",
            vec![ok("<html><title>Sign in</title>")],
            errored("malformed-reply"),
            1,
            "it is not JSON",
        ),
        row(
            "two bodies",
            vec![ok(format!("{body}{body}"))],
            errored("malformed-reply"),
            1,
            "text after its JSON",
        ),
        row(
            "bytes that are no text",
            vec![ok(b"{\"a\":\"\xff\"}")],
            errored("malformed-reply"),
            1,
            "invalid UTF-8",
        ),
        // Errors with status 200.
        row(
            "an error with its code",
            vec![ok(r#"{"error":{"message":"Provider returned error","code":429}}"#), fine()],
            PASSED,
            2,
            "",
        ),
        row(
            "out of credit",
            vec![ok(r#"{"error":{"message":"no credit","code":402}}"#)],
            errored("unauthorized"),
            1,
            "no credit",
        ),
        row(
            "an error with a code below 400",
            vec![ok(r#"{"error":{"message":"moved","code":302}}"#)],
            errored("redirected"),
            1,
            "moved",
        ),
        row(
            "an error with another number",
            vec![ok(r#"{"error":{"message":"odd","code":7}}"#), fine()],
            PASSED,
            2,
            "",
        ),
        row(
            "a provider that died midway",
            vec![with(|body| {
                body["choices"][0]["error"] = json!({ "code": 502, "message": "terminated" });
                body["choices"][0]["finish_reason"] = "error".into();
            })],
            errored("provider-down"),
            2,
            "terminated",
        ),
        row(
            "an error next to choices",
            vec![with(|body| body["error"] = json!({ "code": 503 }))],
            errored("provider-down"),
            2,
            "503",
        ),
        row(
            "an error of nothing",
            vec![with(|body| body["error"] = json!({ "code": 0, "message": "" }))],
            PASSED,
            1,
            "",
        ),
        // Prompts blocked by a platform.
        row(
            "Azure blocks the prompt",
            vec![(400, blocked.to_string().into_bytes())],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "Gemini blocks the prompt",
            vec![ok(r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#)],
            FAILED,
            1,
            "finish_reason PROHIBITED_CONTENT",
        ),
        row(
            "Gemini blocks for a new reason",
            vec![ok(r#"{"choices":[],"promptFeedback":{"blockReason":"JAILBREAK"}}"#)],
            FAILED,
            1,
            "finish_reason content_filter",
        ),
        row(
            "Moonshot blocks the prompt",
            vec![(400, br#"{"error":{"message":"The request was rejected because it was considered high risk","type":"content_filter"}}"#.to_vec())],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "DashScope blocks the prompt",
            vec![(400, br#"{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content."}}"#.to_vec())],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "OpenAI blocks the prompt",
            vec![(400, br#"{"error":{"code":"invalid_prompt","type":"invalid_request_error","message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy."}}"#.to_vec())],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a prompt that is none",
            vec![(400, br#"{"error":{"code":"invalid_prompt","message":"Invalid Responses API request"}}"#.to_vec())],
            errored("refused-request"),
            1,
            "Invalid Responses API request",
        ),
        row(
            "LiteLLM blocks the prompt",
            vec![(400, br#"{"error":{"message":"litellm.BadRequestError: litellm.ContentPolicyViolationError: AzureException - no","type":null,"code":"400"}}"#.to_vec())],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "OpenRouter blocks the prompt",
            vec![(403, br#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["harassment"],"flagged_input":"q"}}}"#.to_vec())],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a block inside a success",
            vec![ok(r#"{"error":{"code":"content_policy_violation","message":"no"}}"#)],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "another 403",
            vec![(403, br#"{"error":{"code":403,"message":"your key has no rights","metadata":{"provider_name":"x"}}}"#.to_vec())],
            errored("unauthorized"),
            1,
            "no rights",
        ),
        row(
            "another 400",
            vec![(400, br#"{"error":{"message":"too long","code":"context_length"}}"#.to_vec())],
            errored("refused-request"),
            1,
            "too long",
        ),
        // Contents.
        row(
            "parts of text",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all " }, { "type": "output_text", "text": "fine" }] }),
            )],
            PASSED,
            1,
            "",
        ),
        row(
            "thoughts among the parts",
            vec![message(
                json!({ "content": [{ "type": "reasoning", "text": "the secret" }, { "type": "thinking", "thinking": "secret", "text": "secret" }, { "text": "secret", "thought": true }, { "type": "text", "text": "all fine" }] }),
            )],
            PASSED,
            1,
            "",
        ),
        row(
            "only thoughts among the parts",
            vec![message(json!({ "content": [{ "type": "reasoning", "text": "all fine" }] }))],
            FAILED,
            1,
            "missing 1 of 1",
        ),
        row(
            "thoughts next to the content",
            vec![message(json!({ "content": "all fine", "reasoning_content": "the secret" }))],
            PASSED,
            1,
            "",
        ),
        row(
            "a refusal",
            vec![message(json!({ "content": null, "refusal": "all fine" }))],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "an empty refusal",
            vec![message(json!({ "content": "all fine", "refusal": "" }))],
            PASSED,
            1,
            "",
        ),
        row("no content", vec![message(json!({ "content": null }))], FAILED, 1, "missing 1 of 1"),
        row(
            "a number as content",
            vec![message(json!({ "content": 7 }))],
            errored("malformed-reply"),
            1,
            "is not text",
        ),
        row(
            "a part of another shape",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "text", "text": { "value": "secret" } }] }),
            )],
            errored("malformed-reply"),
            1,
            "a part 2 without text",
        ),
        row(
            "a part of an unknown type",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "tool_use", "name": "refund" }] }),
            )],
            errored("malformed-reply"),
            1,
            "a part 2 of unknown type `tool_use`",
        ),
        row(
            "a bare text among the parts",
            vec![message(json!({ "content": [{ "type": "text", "text": "all fine" }, "secret"] }))],
            errored("malformed-reply"),
            1,
            "a part 2 without text",
        ),
        row(
            "a part that refuses",
            vec![message(
                json!({ "content": [{ "type": "text", "text": "all fine" }, { "type": "refusal", "text": "I can't" }] }),
            )],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a refusal without words",
            vec![message(json!({ "content": "all fine", "refusal": true }))],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "a call and no text",
            vec![message(
                json!({ "content": "", "tool_calls": [{ "function": { "name": "refund", "arguments": {} } }] }),
            )],
            FAILED,
            1,
            "missing 1 of 1",
        ),
        // Stop reasons.
        row(
            "no word for the end",
            vec![with(|body| {
                body["choices"][0].as_object_mut().unwrap().remove("finish_reason");
            })],
            PASSED,
            1,
            "",
        ),
        row(
            "null for the end",
            vec![with(|body| body["choices"][0]["finish_reason"] = Json::Null)],
            PASSED,
            1,
            "",
        ),
        row("an end in capitals", vec![ended("STOP", "all fine")], PASSED, 1, ""),
        row(
            "a native word for cut",
            vec![ended("MAX_TOKENS", "all fine")],
            FAILED,
            1,
            "cut off (finish_reason MAX_TOKENS)",
        ),
        row(
            "a native word for a filter",
            vec![ended("RECITATION", "all fine")],
            FAILED,
            1,
            "refused to answer",
        ),
        row(
            "an unknown stop word",
            vec![ended("quantum", "all fine")],
            errored("unknown-stop-reason"),
            1,
            "stopWords",
        ),
        row(
            "an end that is told elsewhere",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = Json::Null;
                body["done_reason"] = "length".into();
            })],
            FAILED,
            1,
            "cut off (finish_reason length)",
        ),
        row(
            "a state next to the stop reason",
            vec![with(|body| body["status"] = "incomplete".into())],
            FAILED,
            1,
            "cut off (finish_reason incomplete)",
        ),
        row(
            "a worse native word",
            vec![with(|body| body["choices"][0]["native_finish_reason"] = "SAFETY".into())],
            FAILED,
            1,
            "refused to answer (finish_reason SAFETY)",
        ),
        row(
            "an unknown native word",
            vec![with(|body| body["choices"][0]["native_finish_reason"] = "quantum".into())],
            PASSED,
            1,
            "",
        ),
        row(
            "a filter that has cut something",
            vec![with(|body| {
                body["choices"][0]["content_filter_results"] = json!({ "hate": { "filtered": true } });
            })],
            FAILED,
            1,
            "refused to answer (finish_reason content_filter)",
        ),
        row(
            "a blocked prompt next to an answer",
            vec![with(|body| body["promptFeedback"] = json!({ "blockReason": "SAFETY" }))],
            FAILED,
            1,
            "refused to answer (finish_reason SAFETY)",
        ),
        row(
            "errors in a list",
            vec![with(|body| body["errors"] = json!([{ "code": 503, "message": "half of it" }])), fine()],
            PASSED,
            2,
            "",
        ),
        row("broken and well again", vec![ended("network_error", "all"), fine()], PASSED, 2, ""),
        // Tokens that were all spent on reasoning.
        row(
            "thoughts use up the tokens",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = "length".into();
                body["choices"][0]["message"]["content"] = "".into();
                body["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 64, "completion_tokens_details": { "reasoning_tokens": 64 } });
            })],
            FAILED,
            1,
            "the model used all 64 tokens for thinking; raise `maxTokens`",
        ),
        row(
            "thoughts use up the tokens, told by the text",
            vec![with(|body| {
                body["choices"][0]["finish_reason"] = "max_tokens".into();
                body["choices"][0]["message"] =
                    json!({ "content": null, "reasoning_content": "Let me think" });
                body["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 32 });
            })],
            FAILED,
            1,
            "used all 32 tokens for thinking",
        ),
    ];
    // Empty answers do not pass expectations about missing text.
    for (name, text) in
        [("a null", "null"), ("an empty fence", "```json\n```"), ("open thoughts", "<think>all fine")]
    {
        rows.push(row(name, vec![ended("stop", text)], FAILED, 1, ""));
    }
    rows
}

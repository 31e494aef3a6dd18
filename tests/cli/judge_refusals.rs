//! Parameters that servers refuse in a judge's request, in the words of many vendors.

use super::judge_wire::{ask, form, refusal, run, sound, verdict};
use super::server::{Answer, Asked, Server};

/// How servers refuse a parameter: a name for the row, the parameter in the request, status and body.
const REFUSALS: [(&str, &str, u16, &str); 23] = [
    (
        "OpenAI, a reasoning model",
        "temperature",
        400,
        r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#,
    ),
    (
        "OpenAI, the cap",
        "max_tokens",
        400,
        r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#,
    ),
    (
        "OpenAI, the role",
        "system",
        400,
        r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","param":"messages[0].role","code":"unsupported_value"}}"#,
    ),
    ("only `param` names it", "seed", 400, r#"{"error":{"message":"Invalid request.","param":"seed"}}"#),
    (
        "only `code` names it",
        "temperature",
        400,
        r#"{"error":{"message":"No.","code":"temperature_not_allowed"}}"#,
    ),
    (
        "DeepSeek",
        "response_format",
        400,
        r#"{"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error"}}"#,
    ),
    (
        "Anthropic, deprecated",
        "temperature",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}"#,
    ),
    (
        "Bedrock, two at once",
        "temperature",
        400,
        r#"{"message":"`temperature` and `top_p` cannot both be specified"}"#,
    ),
    (
        "Mistral",
        "seed",
        422,
        r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":1}]},"type":"invalid_request_error"}"#,
    ),
    (
        "Gemini",
        "seed",
        400,
        r#"[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"seed\": Cannot find field.","status":"INVALID_ARGUMENT"}}]"#,
    ),
    (
        "LiteLLM",
        "response_format",
        400,
        r#"{"error":{"message":"litellm.UnsupportedParamsError: groq does not support parameters: {'response_format': {}}","code":"400"}}"#,
    ),
    (
        "OpenRouter, the provider's words in its metadata",
        "temperature",
        400,
        r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"`temperature` is deprecated for this model.\"}}","provider_name":"Anthropic"}}}"#,
    ),
    ("FastAPI", "seed", 422, r#"{"detail":[{"loc":["body","seed"],"msg":"value is not a valid integer"}]}"#),
    (
        "words with a blank",
        "response_format",
        400,
        r#"{"error":"Response format is not available for this deployment."}"#,
    ),
    (
        "tokens with a blank",
        "max_tokens",
        400,
        r#"{"error":{"message":"Max tokens is above the limit of the deployment"}}"#,
    ),
    (
        "vLLM, the sum",
        "max_tokens",
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 8492 tokens (300 in the messages, 8192 in the completion).","type":"BadRequestError","code":400}"#,
    ),
    (
        "a chat template without the role",
        "system",
        400,
        r#"{"error":{"message":"System role not supported"}}"#,
    ),
    (
        "Gemma at Google",
        "system",
        400,
        r#"{"error":{"code":400,"message":"Developer instruction is not enabled for models/gemma-3-27b-it"}}"#,
    ),
    ("plain text", "seed", 400, "seed: unexpected field"),
    ("a grammar without a name", "response_format", 422, r#"{"error":"Grammar is not supported"}"#),
    ("nothing but a status", "response_format", 400, ""),
    (
        "an error within a 200",
        "temperature",
        200,
        r#"{"error":{"code":400,"message":"temperature is not taken"}}"#,
    ),
    (
        "structured output without a name",
        "response_format",
        400,
        r#"{"error":{"message":"Structured outputs are disabled for your plan"}}"#,
    ),
];

#[test]
fn a_refused_parameter_is_left_out_however_the_refusal_is_worded() {
    for (row, part, status, body) in REFUSALS {
        let has = move |asked: &Asked| match part {
            "system" => asked.body["messages"].to_string().contains("\"system\""),
            name => asked.body.get(name).is_some(),
        };
        let server =
            Server::plain(
                move |asked| {
                    if has(asked) { refusal(status, body) } else { Answer::Text(sound(asked)) }
                },
            );
        let ran = run(&server.url, "", &[]);
        assert_eq!(ran.status, 0, "{row}: {}{}", ran.stdout, ran.stderr);
        let asked = server.asked();
        // After one refusal the parameter is not sent again, and the others stay.
        assert_eq!((asked.len(), asked.iter().filter(|one| has(one)).count()), (7, 1), "{row}");
        let last = asked.last().unwrap();
        for name in ["temperature", "seed", "response_format"] {
            assert_eq!(last.body.get(name).is_some(), name != part, "{row}: {name}");
        }
        assert_eq!(form(last), if part == "response_format" { "call" } else { "schema" }, "{row}");
        assert!(last.body["messages"].to_string().contains("Be kind."), "{row}");
        let notes = ran.json("run.json")["notes"].to_string();
        assert_eq!(
            notes.contains(&format!("does not accept `{part}`")),
            !["system", "max_tokens"].contains(&part),
            "{row}: {notes}"
        );
    }
}

/// Refusals of more than one parameter: the parameters in the request, status and body.
const SEVERAL: [(&str, [&str; 2], u16, &str); 8] = [
    (
        "a cap with its name",
        CAPS,
        400,
        r#"{"error":{"message":"max_tokens must be <= 4096","param":"max_tokens"}}"#,
    ),
    (
        "Bedrock, a cap",
        CAPS,
        400,
        r#"{"message":"The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096."}"#,
    ),
    (
        "a cap by another name",
        CAPS,
        400,
        r#"{"error":{"message":"max_output_tokens exceeds the limit (4096)"}}"#,
    ),
    (
        "a cap in one word",
        CAPS,
        422,
        r#"{"error":{"message":"maxTokens must be less than or equal to 4096"}}"#,
    ),
    (
        "a cap with a comma",
        CAPS,
        400,
        r#"{"error":{"message":"requested 8,192 completion tokens; limit 4,096"}}"#,
    ),
    (
        "Vertex, a cap",
        CAPS,
        400,
        r#"{"error":{"code":400,"message":"Unable to submit request because it has a maxOutputTokens value of 8192 but the supported range is from 1 (inclusive) to 4097 (exclusive)."}}"#,
    ),
    (
        "OpenRouter, parameters",
        ["response_format", "tools"],
        404,
        r#"{"error":{"message":"No endpoints found that can handle the requested parameters. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing","code":404}}"#,
    ),
    (
        "OpenRouter, tools",
        ["response_format", "tools"],
        404,
        r#"{"error":{"message":"No endpoints found that support tool use.","code":404}}"#,
    ),
];

const CAPS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

#[test]
fn a_parameter_refused_under_every_name_is_left_out() {
    for (row, parts, status, body) in SEVERAL {
        let has = move |asked: &Asked| parts.iter().any(|part| asked.body.get(*part).is_some());
        let server =
            Server::plain(
                move |asked| {
                    if has(asked) { refusal(status, body) } else { Answer::Text(sound(asked)) }
                },
            );
        let ran = run(&server.url, "", &[]);
        assert_eq!(ran.status, 0, "{row}: {}{}", ran.stdout, ran.stderr);
        let asked = server.asked();
        assert_eq!((asked.len(), asked.iter().filter(|one| has(one)).count()), (8, 2), "{row}");
    }
}

#[test]
fn the_family_of_a_model_saves_the_round_trip() {
    let table = [
        ("gpt-5-mini", false, "max_completion_tokens"),
        ("gpt-6", false, "max_completion_tokens"),
        ("o4-mini", false, "max_completion_tokens"),
        ("claude-opus-4-7", false, "max_tokens"),
        ("claude-sonnet-4-5", true, "max_tokens"),
        ("gpt-4o", true, "max_tokens"),
    ];
    for (model, sampled, cap) in table {
        let server = Server::start(|_| Answer::Text(verdict(9)));
        ask(model, &server.url, "", &[]).ended(0);
        for asked in server.asked() {
            assert_eq!(asked.body.get("temperature").is_some(), sampled, "{model}");
            assert_eq!(asked.body[cap], 8192, "{model}");
        }
    }
}

#[test]
fn other_refusals_are_quoted() {
    let table = [
        (400, r#"{"error":{"message":"The conversation is too long."}}"#, "The conversation is too long.", 3),
        (404, r#"{"error":{"message":"model not found; seed"}}"#, "model not found", 1),
        (401, r#"{"error":{"message":"no key; temperature"}}"#, "no key", 1),
    ];
    for (status, body, words, requests) in table {
        let server = Server::plain(move |asked| {
            // If a server refuses each form in different words, the first is quoted.
            let later = r#"{"error":{"message":"something else"}}"#;
            refusal(status, if form(asked) == "schema" { body } else { later })
        });
        run(&server.url, "", &[]).ended(4).out(words);
        assert_eq!(server.asked().len(), requests, "{body}");
    }
}

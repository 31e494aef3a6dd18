//! Reading an assistant's messages.

use serde_json::json;

use super::*;

#[test]
fn the_last_message_is_the_answer_with_its_calls() {
    let call =
        json!({ "id": "1", "type": "function", "function": { "name": "refund", "arguments": "{\"n\":1}" } });
    let user = json!({ "role": "user", "content": "hello" });
    let table = [
        (json!({ "content": "hi" }), "hi", false, 0),
        (json!({ "content": null, "tool_calls": [call] }), "", false, 1),
        (json!({ "content": "so", "tool_calls": [call, { "name": "note" }] }), "so", false, 2),
        (
            json!({ "content": [{ "type": "text", "text": "a" }, { "text": "b" }], "tool_calls": null }),
            "ab",
            false,
            0,
        ),
        (json!({ "refusal": "No." }), "No.", true, 0),
        (json!({ "content": "hi", "refusal": true }), "hi", true, 0),
        (json!({ "content": "hi", "refusal": { "reason": "policy" } }), "hi", true, 0),
        (json!({ "content": "hi", "refusal": false }), "hi", false, 0),
        (json!({ "content": [{ "type": "refusal", "text": "I can't" }] }), "I can't", true, 0),
        (json!({ "content": [{ "type": "input_text", "text": "hi" }] }), "hi", false, 0),
        (
            json!({ "content": [{ "type": "thought", "text": "x" }, { "type": "reasoning.text", "text": "x" },
                { "type": "reasoning_content", "text": "x" }, { "type": "analysis", "text": "x" },
                { "type": "thinking", "thinking": [{ "type": "text" }] }, { "text": "hi" },
                { "type": "reference", "reference_ids": [1] }] }),
            "hi",
            false,
            0,
        ),
        (json!({}), "", false, 0),
    ];
    for (mut last, text, refused, calls) in table {
        last["role"] = "assistant".into();
        let said = answer(&json!([{ "role": "system", "content": "be kind" }, user, last])).unwrap();
        assert_eq!(
            (said.text.as_str(), said.refused, said.tool_calls.len()),
            (text, refused, calls),
            "{last}"
        );
    }
    let said = answer(&json!([{ "role": "assistant", "tool_calls": [call] }])).unwrap();
    assert_eq!(said.tool_calls[0].arguments, json!({ "n": 1 }));
}

#[test]
fn anything_but_an_answer_to_one_question_is_an_error() {
    let user = || json!({ "role": "user", "content": "hello" });
    let end = |last: Json| json!([user(), last]);
    let table = [
        (json!("hello"), MessageError::NoMessages),
        (json!([]), MessageError::NoMessages),
        (json!(["hello"]), MessageError::NoMessages),
        (end(json!({ "content": "hi" })), MessageError::Role(2, String::new())),
        (end(json!({ "role": "bot\n", "content": "hi" })), MessageError::Role(2, "bot⏎".to_owned())),
        (end(json!({ "role": "tool", "content": "hi" })), MessageError::NoAnswer("tool".to_owned())),
        (json!([user()]), MessageError::NoAnswer("user".to_owned())),
        (end(json!({ "role": "assistant", "content": 7 })), MessageError::Unread(2, Unread::Content)),
        (
            end(json!({ "role": "assistant", "function_call": "refund" })),
            MessageError::Unread(2, Unread::Calls),
        ),
        (end(json!({ "role": "assistant", "tool_calls": {} })), MessageError::NoCalls),
        (
            end(json!({ "role": "assistant", "tool_calls": [{ "name": "a" }, { "function": {} }] })),
            MessageError::NoName(2),
        ),
        (end(json!({ "role": "assistant", "function_call": {} })), MessageError::NoName(1)),
        (
            end(json!({ "role": "assistant", "function_call": { "name": " ", "arguments": "" } })),
            MessageError::NoName(1),
        ),
        (end(json!({ "role": "assistant", "tool_calls": [{ "name": "\t" }] })), MessageError::NoName(1)),
    ];
    for (messages, error) in table {
        assert_eq!(answer(&messages).unwrap_err(), error, "{messages}");
    }
}

#[test]
fn an_unreadable_part_is_not_skipped() {
    for (part, error) in [
        (json!({ "type": "text", "text": { "value": "secret" } }), "without text"),
        (json!({ "type": "text", "content": "secret" }), "without text"),
        (json!({ "type": "text" }), "without text"),
        (json!({ "type": "refusal" }), "without text"),
        (json!({ "type": 1, "text": "secret" }), "without text"),
        (json!({ "text": null }), "without text"),
        (json!("secret"), "without text: \"secret\""),
        (json!(null), "without text"),
        (json!(["secret"]), "without text"),
        (json!({}), "without text: {}"),
        (json!({ "type": "error", "text": "secret" }), "of unknown type `error`"),
        (json!({ "type": "tool_use", "name": "refund", "input": {} }), "of unknown type `tool_use`"),
        (json!({ "type": "Text", "text": "secret" }), "of unknown type `Text`"),
        (json!({ "type": "output_audio", "transcript": "secret" }), "of unknown type `output_audio`"),
        (json!({ "type": "", "text": "secret" }), "of unknown type ``"),
    ] {
        for content in [json!([{ "type": "text", "text": "ok" }, part]), json!([part])] {
            let found = said(&json!({ "content": content })).unwrap_err().to_string();
            assert!(found.contains(error), "{content}: {found}");
        }
    }
    for calls in [json!({}), json!("refund"), json!(1), json!(true)] {
        for name in ["tool_calls", "function_call"] {
            assert!(said(&json!({ "content": "ok", name: calls })).is_err(), "{name} {calls}");
        }
    }
    for call in [
        json!({}),
        json!(null),
        json!("refund"),
        json!({ "name": "" }),
        json!({ "name": " " }),
        json!({ "name": 7 }),
        json!({ "function": { "arguments": "{}" } }),
        json!({ "function": { "name": "" }, "id": "1" }),
        json!({ "type": "custom", "custom": { "input": "x" } }),
    ] {
        let found = said(&json!({ "content": "ok", "tool_calls": [{ "name": "a" }, call] }));
        assert_eq!(found, Err(Unread::NoName(2)), "{call}");
        if call.is_object() {
            let found = said(&json!({ "content": "ok", "function_call": call }));
            assert_eq!(found, Err(Unread::NoName(1)), "{call}");
        }
    }
}

#[test]
fn a_custom_tool_keeps_its_name_and_arguments() {
    let custom = json!({ "id": "1", "type": "custom", "custom": { "name": "refund", "input": "{\"n\":1}" } });
    let said = said(&json!({ "content": null, "tool_calls": [custom] })).unwrap();
    assert_eq!(said.tool_calls[0].name, "refund");
    assert_eq!(said.tool_calls[0].arguments, json!("{\"n\":1}"));
}

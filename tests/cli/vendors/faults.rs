//! Every fault with every vendor.

use serde_json::{Value as Json, json};

use super::super::server::Server;
use super::{SUITE, Speech, Stop, VENDORS, events, raw};

#[test]
fn every_fault_of_every_vendor_is_recognized() {
    for vendor in VENDORS {
        let fault = |status: u16, message: &'static str| {
            let server = Server::plain(move |_| vendor.error(status, message));
            vendor.run(&server, "", SUITE).run().ended(4)
        };
        for (status, kind, words) in [
            (401, "unauthorized", "bad key"),
            (403, "unauthorized", "not for you"),
            (404, "refused-request", "no such model"),
            (400, "refused-request", "too long"),
            (429, "rate-limited", "slow down"),
            (500, "provider-down", "boom"),
            (529, "provider-down", "overloaded"),
        ] {
            let ran = fault(status, words);
            let found = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
            assert_eq!(found["kind"], kind, "{} {status}: {found}", vendor.name);
            let message = found["message"].as_str().unwrap();
            assert!(
                message.contains(words) && message.contains(vendor.path.split('?').next().unwrap()),
                "{found}"
            );
        }
        for (name, body, kind) in [
            ("no JSON", "<html>Welcome</html>", "malformed-reply"),
            ("an empty body", "", "connection-broken"),
            ("half a body", "{\"a\": [", "connection-broken"),
            ("another object", "{\"hello\": 1}", "malformed-reply"),
            ("a list", "[]", "malformed-reply"),
            ("an error in a 200", "{\"error\": {\"message\": \"boom\", \"code\": 500}}", "provider-down"),
        ] {
            let server = Server::plain(move |_| raw(200, body));
            let ran = vendor.run(&server, "", SUITE).run().ended(4);
            let found = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
            assert_eq!(found["kind"], kind, "{} {name}: {found}", vendor.name);
        }
    }
}

/// The answer of a run in its report, without times.
fn stored_answer(report: &Json) -> Json {
    let mut answer = report["cases"][0]["trials"][0]["turns"][0]["answer"].clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("latency_ms");
        answer.remove("ttft_ms");
        answer.remove("timings");
    }
    answer
}

#[test]
fn every_answer_of_every_vendor_is_the_same_whole_and_streamed() {
    type Row = (&'static str, Stop, Option<(&'static str, Json)>, i32);
    let call = || Some(("transfer_to_human", json!({ "why": "asked", "n": 1 })));
    let answers: [Row; 7] = [
        ("this is ok", Stop::Whole, None, 0),
        ("gr\u{fc}n ok \u{1f600}", Stop::Whole, None, 0),
        ("no", Stop::Whole, None, 1),
        ("this is ok but", Stop::Cut, None, 1),
        ("ok", Stop::Filtered, None, 1),
        ("ok, wait", Stop::Whole, call(), 0),
        ("", Stop::Whole, None, 1),
    ];
    for vendor in VENDORS {
        for (text, stop, call, code) in &answers {
            let whole = vendor.answer(text, *stop, call.clone());
            let (body, pieces) = (whole.to_string(), vendor.pieces(&whole).concat());
            let server = Server::plain(move |_| raw(200, &body));
            let once = vendor.run(&server, "", SUITE).run().ended(*code).json("run.json");
            let server = Server::plain(move |_| events(&pieces));
            let streaming = super::Vendor {
                config: Box::leak(format!("{}, stream: true", vendor.config).into_boxed_str()),
                ..vendor
            };
            let ran = streaming.run(&server, "", SUITE).run().ended(*code).json("run.json");
            assert_eq!(stored_answer(&once), stored_answer(&ran), "{} {text:?} {stop:?}", vendor.name);
            let answer = stored_answer(&once);
            assert_eq!(answer["text"], *text, "{}", vendor.name);
            let mut usage = json!({ "input_tokens": 12, "output_tokens": 5 });
            if vendor.speech == Speech::Messages {
                usage["cached_tokens"] = 10.into();
            }
            assert_eq!(answer["usage"], usage, "{}", vendor.name);
            assert_eq!(answer["model"], vendor.model);
            assert_eq!(
                answer["finish_reason"],
                if vendor.speech == Speech::Responses && *stop == Stop::Whole {
                    "completed"
                } else {
                    stop.word(vendor.speech)
                }
            );
            if let Some((name, arguments)) = call {
                let expected = json!([{ "id": "c1", "name": name, "arguments": arguments }]);
                assert_eq!(answer["tool_calls"], expected, "{}", vendor.name);
            }
            // Something was streamed before the end, unless the answer is empty.
            let seen = ran["cases"][0]["trials"][0]["turns"][0]["answer"]["ttft_ms"].is_number();
            assert_eq!(seen, !text.is_empty() || call.is_some(), "{} {text:?}", vendor.name);
        }
    }
}

//! Streamed answers.

use serde_json::{Value as Json, json};

use super::super::server::{Answer, Server};
use super::{SUITE, Speech, Stop, VENDORS, Vendor, events, raw};

fn streaming(vendor: Vendor) -> Vendor {
    with(vendor, ", stream: true")
}

fn with(vendor: Vendor, more: &str) -> Vendor {
    let config = format!("{}{more}", vendor.config);
    Vendor { config: Box::leak(config.into_boxed_str()), ..vendor }
}

#[test]
fn a_stream_that_stops_early_is_broken_wherever_it_stops() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let whole = vendor.answer("this is ok", Stop::Whole, Some(("f", json!({ "a": "b" }))));
        let pieces = vendor.pieces(&whole);
        // After the end there may be an event with token counts and an end marker.
        let ends = if vendor.speech == Speech::Chat { pieces.len() - 3 } else { pieces.len() - 1 };
        for cut in [0, 1, 2, ends / 2, ends] {
            let body = pieces[..cut].concat();
            let server = Server::plain(move |_| events(&body));
            let ran = vendor.run(&server, "", SUITE).run();
            let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
            assert_eq!(
                (ran.status, &fault["kind"]),
                (4, &json!("connection-broken")),
                "{} {cut}: {fault}",
                vendor.name
            );
        }
    }
}

#[test]
fn a_broken_stream_is_retried_and_an_error_in_a_stream_is_that_error() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let whole = vendor.answer("this is ok", Stop::Whole, None);
        let pieces = vendor.pieces(&whole);
        let (first, all) = (pieces[..2].concat(), pieces.concat());
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::plain(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => events(&first),
            _ => events(&all),
        });
        with(vendor, ", maxRetries: 1").run(&server, "", SUITE).run().ended(0);
        assert_eq!(server.asked().len(), 2, "{}", vendor.name);

        let error = match vendor.speech {
            Speech::Chat => json!({ "error": { "message": "too much to do", "code": 503 } }),
            Speech::Responses => {
                json!({ "type": "error", "code": "server_error", "message": "too much to do" })
            }
            Speech::Messages => {
                json!({ "type": "error", "error": { "type": "overloaded_error", "message": "too much to do" } })
            }
            Speech::Gemini => {
                json!({ "error": { "code": 503, "message": "too much to do", "status": "UNAVAILABLE" } })
            }
        };
        let body = format!("{}data: {error}\n\n", pieces[..2].concat());
        let server = Server::plain(move |_| events(&body));
        let ran = vendor.run(&server, "", SUITE).run().ended(4);
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], "provider-down", "{}: {fault}", vendor.name);
        assert!(fault["message"].as_str().unwrap().contains("too much to do"), "{fault}");
    }
}

/// A stream of chat completions that could be taken for a whole answer.
#[test]
fn a_stream_of_chat_completions_is_whole_only_if_every_chunk_is() {
    let vendor = streaming(VENDORS.into_iter().find(|vendor| vendor.speech == Speech::Chat).unwrap());
    let choice = |more: Json| {
        let mut choice = json!({ "index": 0, "delta": {} });
        choice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("data: {}\n\n", json!({ "choices": [choice] }))
    };
    let ended = |word: &str| choice(json!({ "finish_reason": word }));
    let filter = |cut: bool| choice(json!({ "content_filter_results": { "hate": { "filtered": cut } } }));
    let data = |text: &str| format!("data: {text}\n\n");
    let stop = ended("stop");
    let (pass, cut, refused) = ((0, ""), (1, "cut off"), (1, "refused to answer"));
    let (down, broken, malformed) = ((4, "provider-down"), (4, "connection-broken"), (4, "malformed-reply"));
    let table = [
        (stop.clone(), pass),
        (data(r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#) + &stop, pass),
        (data(r#"{"choices":[],"error":null}"#) + &stop, pass),
        (choice(json!({ "finish_reason": "" })) + &stop, pass),
        (data(r#"{"object":"error","message":"CUDA out of memory","code":500}"#), down),
        (data(r#"{"object":"error","message":"CUDA out of memory","code":500}"#) + &stop, down),
        (data(r#"{"detail":"Internal server error"}"#), malformed),
        (data(r#"{"detail":"Internal server error"}"#) + &stop, malformed),
        (data("{}") + &stop, malformed),
        (data("[]") + &stop, malformed),
        (format!("event: error\ndata: {{\"message\":\"boom\",\"code\":500}}\n\n{stop}"), down),
        (format!("event: error\ndata: upstream gone\n\n{stop}"), (4, "provider-down")),
        (format!("event: error\n\n{stop}"), broken),
        (String::new(), broken),
        (choice(json!({ "finish_reason": "" })), broken),
        (choice(json!({ "finish_reason": null })), broken),
        (ended("length") + &stop, cut),
        (stop.clone() + &ended("length"), cut),
        (ended("content_filter") + &stop, refused),
        (ended("error") + &stop, (4, "broken-answer")),
        (ended("quantum") + &stop, (4, "unknown-stop-reason")),
        (filter(true) + &filter(false) + &stop, refused),
        (filter(false) + &filter(false) + &stop, pass),
        (choice(json!({ "refusal": "I can't" })) + &stop, refused),
        (choice(json!({ "delta": { "tool_calls": [{ "index": 0, "id": "1" }] } })) + &stop, malformed),
        (ended("tool_calls"), malformed),
    ];
    for (rest, (code, words)) in table {
        let body = choice(json!({ "delta": { "content": "this is ok" } })) + &rest + "data: [DONE]\n\n";
        let server = Server::plain(move |_| events(&body));
        let ran = vendor.run(&server, "", SUITE).run();
        let case = &ran.json("run.json")["cases"][0];
        assert_eq!(ran.status, code, "{rest}: {case}");
        let reason = format!("{} {}", case["reason"], case["trials"][0]["fault"]["kind"]);
        assert!(reason.contains(words), "{rest}: no {words:?} in {reason}");
    }
    let body =
        [&b"data: {\"choices\":[{\"delta\":{\"content\":\"this is ok f\xfcr\"}}]}\n\n"[..], stop.as_bytes()]
            .concat();
    let server = Server::plain(move |_| {
        Answer::Raw(200, vec![("content-type", "text/event-stream".to_owned())], body.clone())
    });
    let ran = vendor.run(&server, "", SUITE).run().ended(4);
    let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
    assert_eq!(fault["kind"], "malformed-reply", "{fault}");
    assert!(fault["message"].as_str().unwrap().contains("invalid UTF-8"), "{fault}");
}

#[test]
fn an_answer_that_is_not_streamed_is_read_as_a_whole() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let body = vendor.answer("this is ok", Stop::Whole, None).to_string();
        let server = Server::plain(move |_| raw(200, &body));
        vendor.run(&server, "", SUITE).run().ended(0);
        let server = Server::plain(move |_| vendor.error(401, "bad key"));
        vendor.run(&server, "", SUITE).run().ended(4).out("answered 401: bad key");
    }
}

#[test]
fn a_limit_on_the_first_token_turns_on_streaming() {
    let config = "gate: { thresholds: [{ metric: ttft_p95_ms, max: 60000 }] }\n";
    for vendor in VENDORS {
        let whole = vendor.answer("this is ok", Stop::Whole, None);
        let pieces = vendor.pieces(&whole).concat();
        let server = Server::plain(move |_| events(&pieces));
        vendor.run(&server, "", SUITE).file("akit.yaml", config).run().ended(0);
        let asked = &server.asked()[0];
        assert!(
            asked.body["stream"] == true || asked.path.contains("streamGenerateContent"),
            "{}",
            vendor.name
        );
    }
}

#[test]
fn a_stream_without_a_stop_reason_is_broken_and_the_candidate_with_index_0_counts() {
    let of = |speech: Speech| VENDORS.into_iter().find(|vendor| vendor.speech == speech).unwrap();
    let vendor = streaming(of(Speech::Messages));
    let mut pieces = vendor.pieces(&vendor.answer("this is ok", Stop::Whole, None));
    pieces.retain(|piece| !piece.contains("message_delta"));
    let body = pieces.concat();
    let server = Server::plain(move |_| events(&body));
    let ran = vendor.run(&server, "", SUITE).run().ended(4);
    assert_eq!(ran.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "connection-broken");

    let vendor = of(Speech::Gemini);
    let mut whole = vendor.answer("this is ok", Stop::Whole, None);
    let mut other = whole["candidates"][0].clone();
    other["index"] = 1.into();
    other["content"]["parts"] = json!([{ "text": "nothing of it" }]);
    whole["candidates"].as_array_mut().unwrap().insert(0, other);
    let body = whole.clone();
    let server = Server::plain(move |_| raw(200, &body.to_string()));
    vendor.run(&server, "", SUITE).run().ended(0);
    let server = Server::plain(move |_| events(&format!("data: {whole}\n\n")));
    streaming(vendor).run(&server, "", SUITE).run().ended(0);
}

//! Answers piece by piece.

use serde_json::json;

use super::super::server::Server;
use super::{SUITE, Speech, Stop, VENDORS, Vendor, events, raw};

fn streaming(vendor: Vendor) -> Vendor {
    with(vendor, ", stream: true")
}

fn with(vendor: Vendor, more: &str) -> Vendor {
    let config = format!("{}{more}", vendor.config);
    Vendor { config: Box::leak(config.into_boxed_str()), ..vendor }
}

#[test]
fn a_stream_that_stops_before_its_end_is_broken_wherever_it_stops() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let whole = vendor.answer("this is ok", Stop::Whole, Some(("f", json!({ "a": "b" }))));
        let pieces = vendor.pieces(&whole);
        // Behind the end may stand what counts the tokens, and a mark that nothing more comes.
        let ends = if vendor.speech == Speech::Chat { pieces.len() - 3 } else { pieces.len() - 1 };
        for cut in [0, 1, 2, ends / 2, ends] {
            let body = pieces[..cut].concat();
            let server = Server::as_told(move |_| events(&body));
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
fn a_broken_stream_is_asked_for_again_and_an_error_in_one_is_that_error() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let whole = vendor.answer("this is ok", Stop::Whole, None);
        let pieces = vendor.pieces(&whole);
        let (first, all) = (pieces[..2].concat(), pieces.concat());
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server =
            Server::as_told(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
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
        let server = Server::as_told(move |_| events(&body));
        let ran = vendor.run(&server, "", SUITE).run().ended(4);
        let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], "provider-down", "{}: {fault}", vendor.name);
        assert!(fault["message"].as_str().unwrap().contains("too much to do"), "{fault}");
    }
}

#[test]
fn a_server_that_answers_as_a_whole_is_read_as_one() {
    for vendor in VENDORS.into_iter().map(streaming) {
        let body = vendor.answer("this is ok", Stop::Whole, None).to_string();
        let server = Server::as_told(move |_| raw(200, &body));
        vendor.run(&server, "", SUITE).run().ended(0);
        let server = Server::as_told(move |_| vendor.error(401, "bad key"));
        vendor.run(&server, "", SUITE).run().ended(4).out("answered 401: bad key");
    }
}

#[test]
fn a_limit_on_the_first_token_asks_for_pieces_by_itself() {
    let config = "gate: { thresholds: [{ metric: ttft_p95_ms, max: 60000 }] }\n";
    for vendor in VENDORS {
        let whole = vendor.answer("this is ok", Stop::Whole, None);
        let pieces = vendor.pieces(&whole).concat();
        let server = Server::as_told(move |_| events(&pieces));
        vendor.run(&server, "", SUITE).file("akit.yaml", config).run().ended(0);
        let asked = &server.asked()[0];
        assert!(
            asked.body["stream"] == true || asked.path.contains("streamGenerateContent"),
            "{}",
            vendor.name
        );
    }
}

//! Requests without an answer, by class: counted exactly, and not judged.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::super::server::completion;
use super::*;

const MANY: u64 = 20;

fn raw(status: u16, kind: &str, body: &str) -> Answer {
    Answer::Raw(status, vec![("content-type", kind.to_owned())], body.as_bytes().to_vec())
}

fn changed(change: impl Fn(&mut Json)) -> Answer {
    let mut body = completion("alpha beta");
    change(&mut body);
    raw(200, "application/json", &body.to_string())
}

/// What the server does, the expected count of the class, and whether a request reaches the server.
type Row = (&'static str, fn() -> Answer, &'static str);

#[test]
fn faults_of_a_server_have_one_class_each() {
    let table: &[Row] = &[
        ("429", || raw(429, "application/json", "{}"), "rate_limited 20"),
        ("500", || raw(500, "text/plain", "oops"), "server_error 20"),
        ("502", || raw(502, "text/html", "<html>"), "server_error 20"),
        ("503", || raw(503, "text/plain", ""), "server_error 20"),
        ("529", || raw(529, "text/plain", ""), "server_error 20"),
        ("400", || raw(400, "application/json", "{\"error\":{\"message\":\"no\"}}"), "client_error 20"),
        ("401", || raw(401, "application/json", "{}"), "client_error 20"),
        ("403", || raw(403, "application/json", "{}"), "client_error 20"),
        ("404", || raw(404, "text/html", "<html>"), "client_error 20"),
        ("413", || raw(413, "text/plain", ""), "client_error 20"),
        (
            "an error in place of an answer",
            || raw(200, "application/json", "{\"error\":{\"message\":\"overloaded\",\"code\":503}}"),
            "server_error 20",
        ),
        (
            "cut within the body",
            || {
                Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"choices\"".to_vec())
            },
            "stream_cut 20",
        ),
        ("cut within the head", || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec()), "stream_cut 20"),
        ("hung up", || Answer::Bytes(Vec::new()), "stream_cut 20"),
        ("a page", || raw(200, "text/html", "<html>Welcome</html>"), "malformed 20"),
        ("plain words", || raw(200, "text/plain", "alpha beta"), "malformed 20"),
        ("broken JSON", || raw(200, "application/json", "{\"choices\":[}"), "malformed 20"),
        ("half of the JSON", || raw(200, "application/json", "{\"choices\":[{\"mess"), "stream_cut 20"),
        ("other JSON", || raw(200, "application/json", "[1, 2]"), "malformed 20"),
        ("no choices", || raw(200, "application/json", "{\"choices\":[]}"), "malformed 20"),
        ("an empty body", || raw(200, "application/json", ""), "stream_cut 20"),
        (
            "an unknown stop word",
            || changed(|body| body["choices"][0]["finish_reason"] = "tired".into()),
            "unexpected 20",
        ),
        (
            "an answer that broke",
            || changed(|body| body["choices"][0]["finish_reason"] = "error".into()),
            "server_error 20",
        ),
        (
            "a call of an undeclared function",
            || {
                changed(
                    |body| body["choices"][0]["message"]["tool_calls"] = json!([{ "id": "1", "type": "function", "function": { "name": "format_disk", "arguments": "{}" } }]),
                )
            },
            "unexpected 20",
        ),
    ];
    all(table, |(name, answer, wanted)| {
        let answer = *answer;
        let server = Server::plain(move |_| answer());
        let declared = format!("setup: {{ functions: [{{ name: f }}] }}\n{SUITE}");
        let akit = stress(&server.url, &["-n", "20", "-c", "5"]);
        let akit = if name.contains("declared") { akit.file("s.yaml", declared) } else { akit };
        let ran = akit.run();
        let found = found(&ran);
        let level = &found["levels"][0];
        assert_eq!(errors(level), [*wanted], "{name}\n{}", ran.stdout);
        assert_eq!((level["requests"].as_u64(), server.asked().len() as u64), (Some(MANY), MANY), "{name}");
        assert_eq!((level["quality"]["n"].clone(), level["retries"].clone()), (0.into(), 0.into()), "{name}");
        assert_eq!(level["error_rate"], 1.0, "{name}");
        let cases = found["cases"].as_array().unwrap();
        let sum = |key: &str| cases.iter().map(|case| case[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("n"), sum("errored"), sum("judged")), (MANY, MANY, 0), "{name}");
        assert!(cases[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{name}");
        ran.ended(4);
    });
}

#[test]
fn unreachable_addresses_have_one_class_each() {
    let hanging = Server::plain(|_| Answer::Hang);
    let plain = echo();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table: &[(String, &[&str], &str)] = &[
        (format!("http://{closed}/v1"), &[], "connect 20"),
        (plain.url.replace("http:", "https:"), &[], "tls 20"),
        ("http://nobody.invalid/v1".to_owned(), &[], "dns 20"),
        (hanging.url.clone(), &["--timeout", "200ms", "-c", "20"], "timeout 20"),
    ];
    all(table, |(url, flags, wanted)| {
        let ran = stress(url, &["-n", "20"]).args(flags).run();
        let found = found(&ran);
        assert_eq!(errors(&found["levels"][0]), [*wanted], "{}", ran.stdout);
        assert_eq!(found["requests"], MANY);
        assert_eq!(found["levels"][0]["quality"]["n"], 0);
        ran.ended(4);
    });
    // On a busy machine the time may be up before the server has read the request.
    assert!(hanging.asked().len() as u64 <= MANY);
    assert!(plain.asked().is_empty());
}

#[test]
fn no_redirect_is_followed() {
    let elsewhere = echo();
    let to = elsewhere.url.clone();
    for status in [301, 302, 303, 307, 308] {
        let to = to.clone();
        let server = Server::plain(move |_| Answer::Raw(status, vec![("location", to.clone())], Vec::new()));
        let ran = stress(&server.url, &["-n", "5", "-c", "2"]).run().ended(4);
        assert_eq!(errors(&found(&ran)["levels"][0]), ["unexpected 5"], "{status}");
        assert_eq!(server.asked().len(), 5);
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn classes_in_one_load_are_counted_separately() {
    let asked = AtomicUsize::new(0);
    let server = Server::plain(move |question| match asked.fetch_add(1, Ordering::SeqCst) % 10 {
        0 => raw(429, "application/json", "{}"),
        1 => raw(500, "text/plain", ""),
        2 => raw(404, "text/plain", ""),
        3 => raw(200, "text/html", "<html>"),
        4 => Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        5 => changed(|body| body["choices"][0]["finish_reason"] = "tired".into()),
        6 => Answer::Text("wrong".to_owned()),
        _ => Answer::Text(question.last_message()),
    });
    let ran = stress(&server.url, &["-n", "100", "-c", "4"]).run();
    let found = found(&ran);
    let level = &found["levels"][0];
    assert_eq!(
        errors(level),
        [
            "client_error 10",
            "malformed 10",
            "rate_limited 10",
            "server_error 10",
            "stream_cut 10",
            "unexpected 10"
        ]
    );
    assert_eq!(level["error_rate"], 0.6);
    assert_eq!((level["quality"]["n"].clone(), level["quality"]["passed"].clone()), (40.into(), 30.into()));
    assert_eq!(level["quality"]["rate"], 0.75);
    let ticks = found["timeline"].as_array().unwrap();
    let sum = |key: &str| ticks.iter().map(|tick| tick[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("requests"), sum("errors"), sum("judged"), sum("passed")), (100, 60, 40, 30));
}

#[test]
fn short_answers_are_answers() {
    type Row<'a> = (&'a str, fn() -> Answer, [u64; 3]);
    let table: &[Row<'_>] = &[
        ("empty", || changed(|body| body["choices"][0]["message"]["content"] = "".into()), [20, 0, 0]),
        ("blank", || changed(|body| body["choices"][0]["message"]["content"] = " \n".into()), [20, 0, 0]),
        ("cut", || changed(|body| body["choices"][0]["finish_reason"] = "length".into()), [0, 20, 0]),
        (
            "refused",
            || {
                changed(|body| {
                    body["choices"][0]["message"] =
                        json!({ "role": "assistant", "content": null, "refusal": "I cannot." });
                })
            },
            [0, 0, 20],
        ),
        (
            "filtered",
            || changed(|body| body["choices"][0]["finish_reason"] = "content_filter".into()),
            [0, 0, 20],
        ),
    ];
    all(table, |(name, answer, wanted)| {
        let answer = *answer;
        let server = Server::plain(move |_| answer());
        let ran = stress(&server.url, &["-n", "20", "-c", "5"]).run();
        let found = found(&ran);
        let (level, quality) = (&found["levels"][0], &found["levels"][0]["quality"]);
        assert!(errors(level).is_empty(), "{name}: {:?}", errors(level));
        assert_eq!((quality["n"].clone(), quality["passed"].clone()), (20.into(), 0.into()), "{name}");
        let counts = ["empty", "cut", "refused"].map(|key| quality[key].as_u64().unwrap());
        assert_eq!(counts, *wanted, "{name}");
    });
}

#[test]
fn nothing_is_retried_unless_limits_are_on() {
    // The first request for each text fails.
    let flaky = || {
        let seen = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
        Server::plain(move |asked| {
            let mut seen = seen.lock().unwrap();
            let times = seen.entry(asked.last_message()).or_default();
            *times += 1;
            if *times == 1 { raw(500, "text/plain", "") } else { Answer::Text(asked.last_message()) }
        })
    };
    let server = flaky();
    let ran = stress(&server.url, &["-n", "4", "-c", "1"]).run();
    let once = found(&ran);
    assert_eq!((once["requests"].clone(), server.asked().len()), (4.into(), 4));
    assert_eq!(errors(&once["levels"][0]), ["server_error 2"]);
    assert_eq!(once["settings"]["limits"], false);
    assert_eq!(once["levels"][0]["retries"], 0);
    let server = flaky();
    let ran = stress(&server.url, &["-n", "4", "-c", "1", "--limits"]).run();
    let again = found(&ran);
    // Each of the two cases fails once and is retried, which is counted separately.
    assert_eq!((again["requests"].clone(), server.asked().len()), (4.into(), 6));
    assert_eq!(errors(&again["levels"][0]), [] as [&str; 0]);
    assert_eq!(again["levels"][0]["retries"], 2);
    assert_eq!(again["settings"]["limits"], true);
    let cases = again["cases"].as_array().unwrap();
    assert!(cases.iter().all(|case| case["errored"] == 0), "{cases:?}");
    assert_eq!(again["levels"][0]["quality"]["rate"], 1.0);
    // Even with limits on, `--retries 0` turns retries off.
    let server = flaky();
    let ran = stress(&server.url, &["-n", "4", "-c", "1", "--limits", "--retries", "0"]).run();
    assert_eq!(found(&ran)["levels"][0]["retries"], 0);
    assert_eq!(server.asked().len(), 4);
}

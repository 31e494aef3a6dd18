//! A failing server: the case is errored, the reason is shown, and nothing leaks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::replies::outcomes;
use super::server::{Answer, Server, completion};

const SUITE: &str = "cases:\n  - id: a\n    prompt: Hello\n    expected: { type: contains, values: [ok] }\n";

fn run(url: &str, arguments: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", url, "--json", "run.json"])
        .args(arguments)
        .file("s.yaml", SUITE)
        .run()
}

fn raw(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Raw(status, vec![("content-type", "application/json".to_owned())], body.into())
}

/// Answers the n-th request with the n-th function; the last one repeats.
fn script(answers: Vec<fn() -> Answer>) -> Server {
    let next = AtomicUsize::new(0);
    Server::start(move |_| {
        let n = next.fetch_add(1, Ordering::SeqCst);
        answers[n.min(answers.len() - 1)]()
    })
}

#[test]
fn every_fault_is_an_error_with_its_kind_message_and_help() {
    type Row = (&'static str, fn() -> Answer, &'static str, &'static str, &'static str);
    let table: [Row; 20] = [
        (
            "401",
            || raw(401, "{\"error\":{\"message\":\"bad key\"}}"),
            "unauthorized",
            "answered 401: bad key",
            "check the key",
        ),
        ("403", || raw(403, "{}"), "unauthorized", "answered 403", "check the key"),
        (
            "404",
            || raw(404, "{\"error\":\"no such model\"}"),
            "refused-request",
            "no such model",
            "and the model `m`",
        ),
        ("400", || raw(400, "{\"message\":\"too long\"}"), "refused-request", "too long", "does not accept"),
        ("413", || raw(413, ""), "refused-request", "answered 413: (no body)", "does not accept"),
        ("429", || raw(429, "slow down"), "rate-limited", "slow down", "lower `-c`"),
        ("500", || raw(500, "boom"), "provider-down", "answered 500: boom", "try again later"),
        (
            "502",
            || raw(502, "<html><h1>Bad Gateway</h1></html>"),
            "provider-down",
            "answered 502: Bad Gateway",
            "try again",
        ),
        (
            "html",
            || raw(200, "<html>Welcome</html>"),
            "malformed-reply",
            "<html>Welcome",
            "usually ends in `/v1`",
        ),
        (
            "cut",
            || raw(200, "{\"choices\":[{\"mess"),
            "connection-broken",
            "the body is cut",
            "closed the connection",
        ),
        (
            "utf-8",
            || raw(200, b"{\"a\":\"\xff\xfe\"}".to_vec()),
            "malformed-reply",
            "invalid UTF-8 at byte 6",
            "OpenAI",
        ),
        ("empty", || raw(200, ""), "connection-broken", "the body is empty", "closed the connection"),
        ("204", || raw(204, ""), "connection-broken", "the body is empty", "closed the connection"),
        ("none", || raw(200, "{\"choices\":[]}"), "malformed-reply", "no choice", "OpenAI-compatible"),
        ("list", || raw(200, "[]"), "malformed-reply", "no choice", "OpenAI-compatible"),
        (
            "number",
            || raw(200, "{\"choices\":[{\"message\":{\"content\":7}}]}"),
            "malformed-reply",
            "is not text",
            "OpenAI",
        ),
        (
            "error",
            || raw(200, "{\"error\":{\"message\":\"quota\"}}"),
            "provider-down",
            "quota",
            "inside an HTTP 200",
        ),
        (
            "redirect",
            || Answer::Raw(302, vec![("location", "http://127.0.0.1:9/x".to_owned())], Vec::new()),
            "redirected",
            "answered 302",
            "redirects are not followed",
        ),
        ("closed", || Answer::Bytes(Vec::new()), "connection-broken", "broke", "closed the connection"),
        (
            "short",
            || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec()),
            "connection-broken",
            "broke",
            "closed",
        ),
    ];
    for (name, answer, kind, words, help) in table {
        let server = Server::start(move |_| answer());
        let ran = run(&server.url, &["--retries", "0", "--patience", "0"]).ended(4);
        let report = ran.json("run.json");
        assert_eq!(outcomes(&report), ["a errored"], "{name}");
        let fault = &report["cases"][0]["trials"][0]["fault"];
        assert_eq!(fault["kind"], kind, "{name}: {fault}");
        for part in [server.host(), words, help] {
            let message = format!("{} {}", fault["message"], fault["help"]);
            assert!(message.contains(part), "{name}: no {part:?} in {message}");
            assert!(name == "error" || ran.stdout.contains(part), "{name}: {}", ran.stdout);
        }
        assert_eq!(server.asked().len(), 1, "{name}");
    }
}

#[test]
fn an_incomplete_answer_is_not_a_provider_error() {
    type Row = (fn() -> Answer, &'static str);
    let bodies: [Row; 3] = [
        (|| raw(200, "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"stop\"}]}"), "\"\""),
        (
            || raw(200, "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I won't.\"}}]}"),
            "I won't.",
        ),
        (
            || {
                raw(
                    200,
                    "{\"choices\":[{\"message\":{\"content\":[{\"text\":\"in \"},{\"text\":\"parts\"}]}}]}",
                )
            },
            "in parts",
        ),
    ];
    for (answer, got) in bodies {
        let server = Server::start(move |_| answer());
        run(&server.url, &[]).ended(1).out("1 failed, 0 errored").out(got);
    }
}

#[test]
fn a_refusal_is_kept_and_passes_no_negative_expectation() {
    let server =
        Server::start(|_| raw(200, "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"No.\"}}]}"));
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "run.json"])
        .file(
            "s.yaml",
            "cases:\n  - { id: a, prompt: p, expected: { not: { type: contains, values: [x] } } }\n",
        )
        .run()
        .ended(1)
        .out("the provider refused to answer");
    assert_eq!(
        ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["finish_reason"],
        "refusal"
    );
}

#[test]
fn transient_errors_are_retried_when_the_server_asks() {
    let ok = || Answer::Text("ok".to_owned());
    let waits: [fn() -> Answer; 5] = [
        || Answer::Raw(429, vec![("retry-after", "0".to_owned())], Vec::new()),
        || Answer::Raw(429, vec![("retry-after", "0.05".to_owned())], Vec::new()),
        || {
            Answer::Raw(
                429,
                vec![("retry-after-ms", "40".to_owned()), ("retry-after", "60".to_owned())],
                Vec::new(),
            )
        },
        || Answer::Raw(503, vec![("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())], Vec::new()),
        || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec()),
    ];
    for answer in waits {
        let server = script(vec![answer, ok]);
        let began = Instant::now();
        run(&server.url, &["--retries", "1"]).ended(0);
        assert_eq!(server.asked().len(), 2);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    let server = script(vec![|| raw(429, ""), || raw(500, ""), ok]);
    run(&server.url, &[]).ended(0);
    assert_eq!(server.asked().len(), 3, "the default is two retries");
    let server = script(vec![|| Answer::Raw(500, vec![("retry-after", "0".to_owned())], b"down".to_vec())]);
    run(&server.url, &["--retries", "3"]).ended(4).out("answered 500: down (after 4 tries)");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn retry_after_is_respected() {
    let server = script(vec![|| Answer::Raw(429, vec![("retry-after", "1".to_owned())], Vec::new()), || {
        Answer::Text("ok".to_owned())
    }]);
    let began = Instant::now();
    run(&server.url, &["--retries", "1"]).ended(0);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_hanging_request_times_out() {
    let server = Server::start(|_| Answer::Hang);
    let began = Instant::now();
    let ran = run(&server.url, &["--timeout", "150ms", "--retries", "1"]).ended(4);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
    assert_eq!(fault["kind"], "timeout");
    assert!(ran.stdout.contains("within 150 ms (after 2 tries)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("raise `--timeout`"), "{}", ran.stdout);
    assert!(server.given_up() >= 1);
}

#[test]
fn the_timeout_comes_from_flag_case_scenario_configuration_in_this_order() {
    let text = |case: Option<u32>, scenario: Option<u32>, key: [&str; 2]| {
        let head = scenario.map(|n| format!("providerConfig: {{ {}: {n} }}\n", key[1])).unwrap_or_default();
        let tail = case.map(|n| format!("    {}: {n}\n", key[0])).unwrap_or_default();
        format!("{head}{SUITE}{tail}")
    };
    let ask = |server: &Server, flags: &[&str], text: String, config: Option<u32>, key: &str| {
        let config =
            config.map(|n| format!("providers: {{ openai: {{ {key}: {n} }} }}\n")).unwrap_or_default();
        Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url])
            .args(flags)
            .file("s.yaml", text)
            .file("akit.yaml", config)
            .run()
            .ended(4)
    };
    let key = ["retries", "maxRetries"];
    let table: [(&[&str], _, _, _, usize); 4] = [
        (&["--retries", "0"], Some(1), Some(2), Some(3), 1),
        (&[], Some(1), Some(2), Some(3), 2),
        (&[], None, Some(2), Some(3), 3),
        (&[], None, None, Some(3), 4),
    ];
    for (flags, case, scenario, config, tries) in table {
        let server = script(vec![|| Answer::Raw(500, vec![("retry-after", "0".to_owned())], Vec::new())]);
        ask(&server, flags, text(case, scenario, key), config, "maxRetries");
        assert_eq!(server.asked().len(), tries);
    }
    let key = ["timeout", "timeout"];
    let table: [(&[&str], _, _, _, &str); 4] = [
        (&["--timeout", "101", "--retries", "0"], Some(102), Some(103), Some(104), "within 101 ms"),
        (&["--retries", "0"], Some(102), Some(103), Some(104), "within 102 ms"),
        (&["--retries", "0"], None, Some(103), Some(104), "within 103 ms"),
        (&["--retries", "0"], None, None, Some(104), "within 104 ms"),
    ];
    for (flags, case, scenario, config, words) in table {
        let server = Server::start(|_| Answer::Hang);
        ask(&server, flags, text(case, scenario, key), config, "timeout").out(words);
    }
}

#[test]
fn an_unreachable_server_is_reported_with_its_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let ran =
        run(&url, &["--retries", "0"]).ended(4).out("cannot connect to http://127.0.0.1:").out("refused");
    let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"];
    assert_eq!(fault["kind"], "connect");
    assert!(fault["help"].as_str().unwrap().contains("check the address (from `--base-url`)"), "{fault}");
    run("http://nowhere.invalid/v1", &["--retries", "0"])
        .ended(4)
        .out("cannot connect to http://nowhere.invalid/v1/chat/completions");
}

#[test]
fn a_key_appears_in_no_output_even_when_the_server_repeats_it() {
    const KEY: &str = "sk-live-0123456789abcdef";
    let padding = "p".repeat(290);
    for status in [401, 400, 500, 200, 299] {
        for lead in [String::new(), padding.clone(), "q".repeat(112)] {
            let server = Server::start(move |asked| {
                let key = asked.header("authorization").unwrap().trim_start_matches("Bearer ");
                let body = if status == 200 {
                    format!("{lead}{key}")
                } else {
                    json!({"error": {"message": format!("{lead}{key}")}}).to_string()
                };
                raw(status, body)
            });
            let ran =
                Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--retries", "0", "-v"])
                    .args(&[
                        "--json",
                        "r.json",
                        "--junit",
                        "r.xml",
                        "--sarif",
                        "r.sarif",
                        "--markdown",
                        "r.md",
                    ])
                    .env("OPENAI_API_KEY", KEY)
                    .file("s.yaml", SUITE)
                    .run()
                    .ended(4);
            let files = ["r.json", "r.xml", "r.sarif", "r.md"].map(|name| ran.read(name)).concat();
            let all = format!("{}{}{files}", ran.stdout, ran.stderr);
            assert!(!all.contains("sk-live"), "{status}: {all}");
        }
    }
}

#[test]
fn a_parameter_that_the_server_refuses_is_dropped_once_and_noted_once() {
    let server = Server::start(|asked| match asked.body.get("temperature") {
        Some(_) => {
            raw(400, "{\"error\":{\"message\":\"Unsupported value: 'temperature' does not support 0.5\"}}")
        }
        None => Answer::Text("ok".to_owned()),
    });
    let suite = format!(
        "temperature: 0.5\n{SUITE}{}",
        SUITE.trim_start_matches("cases:\n").replace("id: a", "id: b")
    );
    let ran =
        Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "-c", "1", "--json", "run.json"])
            .file("s.yaml", suite)
            .run()
            .ended(0);
    let with: Vec<_> = server.asked().iter().map(|asked| asked.body.get("temperature").is_some()).collect();
    assert_eq!(with, [true, false, false], "it must be sent once and not again");
    let note = "does not accept `temperature` for m; akit left it out";
    assert_eq!(ran.stdout.matches(note).count(), 1, "{}", ran.stdout);
    assert_eq!(ran.json("run.json")["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn very_large_answers_are_judged_or_refused_but_do_not_kill_the_run() {
    let large = Server::start(|_| Answer::Text(format!("{} ok", "x".repeat(2 << 20))));
    run(&large.url, &[]).ended(0);
    let endless = Server::start(|_| raw(200, vec![b' '; 33 << 20]));
    run(&endless.url, &["--retries", "0"]).ended(4).out("the answer has more than 32 MiB");
    let wordy = Server::start(|_| raw(500, "<p>".repeat(1_000_000)));
    let ran = run(&wordy.url, &["--retries", "0"]).ended(4);
    assert!(ran.stdout.len() < 5_000, "{}", ran.stdout.len());
}

#[test]
fn the_report_shows_what_the_server_says_about_itself() {
    let server = Server::start(|_| raw(200, completion("ok").to_string()));
    let ran = run(&server.url, &[]).ended(0);
    let report = ran.json("run.json");
    let reply = &report["cases"][0]["trials"][0]["turns"][0]["answer"];
    assert_eq!(
        (reply["model"].as_str(), reply["finish_reason"].as_str()),
        (Some("stub-model"), Some("stop"))
    );
    assert_eq!(
        (reply["usage"]["input_tokens"].as_u64(), reply["usage"]["output_tokens"].as_u64()),
        (Some(10), Some(5))
    );
    assert_eq!(report["scenarios"][0]["target"], format!("openai m at {}", server.host()));
}

#[test]
fn a_key_with_invalid_characters_is_reported_without_being_shown() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url])
        .env("OPENAI_API_KEY", "sk-live-one\nsk-live-two")
        .file("s.yaml", SUITE)
        .run()
        .ended(2)
        .err("the key of provider `openai` (from OPENAI_API_KEY) contains an invalid character");
    assert!(!ran.stderr.contains("sk-live") && server.asked().is_empty(), "{}", ran.stderr);
}

#[test]
fn half_a_character_becomes_a_replacement_character() {
    let server = Server::start(|_| raw(200, r#"{"choices":[{"message":{"content":"ok \ud800 y"}}]}"#));
    let answer =
        run(&server.url, &[]).ended(0).json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]
            .clone();
    assert_eq!(answer["text"], "ok \u{fffd} y");
}

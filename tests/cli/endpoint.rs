//! Requests to a server that is busy, down, or refuses the key.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::akit::Akit;
use super::server::{Answer, Server};

fn suite(cases: usize) -> String {
    let case = |n| {
        format!(
            "  - {{ id: c{n}, prompt: 'Say {n}.', expected: {{ type: contains, values: [ok], mode: all }} }}\n"
        )
    };
    let cases: Vec<String> = (0..cases).map(case).collect();
    format!("name: s\ncases:\n{}", cases.concat())
}

fn raw(status: u16, body: &str) -> Answer {
    Answer::Raw(status, Vec::new(), body.as_bytes().to_vec())
}

#[test]
fn a_refused_key_stops_the_run_after_the_requests_in_flight() {
    for (status, body) in [
        (401, r#"{"error":{"message":"bad key"}}"#),
        (402, r#"{"error":{"message":"top up"}}"#),
        (403, r#"{"error":{"message":"no rights"}}"#),
        (429, r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#),
    ] {
        let server = Server::start(move |_| raw(status, body));
        let args = [
            "run",
            "s.yaml",
            "-m",
            "m",
            "-c",
            "4",
            "--base-url",
            &server.url,
            "--json",
            "run.json",
            "--cache",
            "off",
        ];
        let ran = Akit::new(&args).file("s.yaml", suite(300)).run().ended(4).out("not asked: ");
        assert!(server.asked().len() <= 4, "{status}: {}", server.asked().len());
        assert_eq!(
            ran.stdout.matches("not asked: ").count(),
            1,
            "equal errors are reported once: {}",
            ran.stdout
        );
        assert!(ran.stdout.contains(" cases: not asked: "), "{}", ran.stdout);
        let report = ran.json("run.json");
        for case in report["cases"].as_array().unwrap() {
            assert_eq!(case["trials"][0]["fault"]["kind"], "unauthorized", "{case}");
        }
    }
}

#[test]
fn an_unreachable_server_is_not_a_regression() {
    let server = Server::start(|_| Answer::Text("ok".to_owned()));
    let common = ["run", "s.yaml", "-m", "m", "--cache", "off", "--json", "run.json"];
    let first =
        Akit::new(&common).args(&["--base-url", &server.url]).file("s.yaml", suite(300)).run().ended(0);
    first.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    for url in ["http://127.0.0.1:1/v1", "http://nowhere.invalid/v1"] {
        let ran = first.then(&common).args(&["--base-url", url, "--baseline", "b.json"]).run().ended(4);
        assert!(ran.stdout.contains(" cases: not asked: cannot connect to http://"), "{}", ran.stdout);
        let report = ran.json("run.json");
        for case in report["cases"].as_array().unwrap() {
            assert_eq!(case["trials"][0]["fault"]["kind"], "connect", "{case}");
        }
        let decision = report["decision"].to_string();
        assert!(!decision.contains("regression"), "{decision}");
    }
}

#[test]
fn a_rate_limit_is_retried_for_a_limited_time_and_quotes_the_server() {
    let server = Server::start(|_| Answer::Raw(429, vec![("retry-after", "3600".to_owned())], Vec::new()));
    Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url])
        .file("s.yaml", suite(300))
        .run()
        .ended(4)
        .out("not asked: ")
        .out("the server asks to wait 3600 s; raise `--patience`");
    assert!(server.asked().len() <= 4, "{}", server.asked().len());
    Akit::new(&["run", "s.yaml", "--patience", "soon"]).file("s.yaml", suite(1)).run().ended(2).err("`soon`");
}

/// What answers at an address while its application restarts.
#[derive(Clone, Copy, Debug)]
enum Away {
    /// Nothing.
    Refused,
    /// Something that resets every connection.
    Reset,
    /// Something that closes every connection without an answer.
    Empty,
    /// A proxy without an upstream.
    Status(u16),
}

/// The address of a server that is down for the next two seconds.
fn restarting(server: &Server, away: Away) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, upstream) = (listener.local_addr().unwrap(), server.host().to_owned());
    let back = Instant::now() + Duration::from_secs(2);
    let mut listener = (!matches!(away, Away::Refused)).then_some(listener);
    std::thread::spawn(move || {
        if listener.is_none() {
            std::thread::sleep(back - Instant::now());
            listener = TcpListener::bind(here).ok();
        }
        for stream in listener.unwrap().incoming().map_while(Result::ok) {
            let upstream = upstream.clone();
            std::thread::spawn(move || {
                if Instant::now() < back {
                    refuse(stream, away);
                } else {
                    pass_on(stream, TcpStream::connect(upstream).unwrap());
                }
            });
        }
    });
    format!("http://{here}/v1")
}

fn refuse(mut stream: TcpStream, away: Away) {
    if matches!(away, Away::Reset) {
        // Closing a connection with unread data resets it.
        let _ = stream.peek(&mut [0]);
        return;
    }
    let (mut request, mut part) = (Vec::new(), vec![0; 65_536]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") || !request.ends_with(b"}") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&part[..length]),
        }
    }
    if let Away::Status(status) = away {
        let answer =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 11\r\n\r\nno upstream");
        let _ = stream.write_all(answer.as_bytes());
    }
}

fn pass_on(client: TcpStream, server: TcpStream) {
    let [(mut from, mut to), (mut back, mut home)] =
        [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut back, &mut home);
}

#[test]
fn an_application_that_restarts_loses_no_case() {
    let kinds =
        [Away::Refused, Away::Reset, Away::Empty, Away::Status(502), Away::Status(503), Away::Status(504)];
    std::thread::scope(|scope| {
        for away in kinds {
            for at_once in ["1", "16"] {
                scope.spawn(move || {
                    let server = Server::start(|_| Answer::Text("ok".to_owned()));
                    let url = restarting(&server, away);
                    let run =
                        ["run", "s.yaml", "-m", "m", "-c", at_once, "--base-url", &url, "--json", "run.json"];
                    let ran = Akit::new(&run).file("s.yaml", suite(40)).run().ended(0);
                    let _ = ran.out("40 passed, 0 failed, 0 errored");
                    assert_eq!(server.asked().len(), 40, "{away:?} {at_once}");
                });
            }
        }
    });
}

#[test]
fn a_gateway_that_fails_for_one_case_does_not_stop_the_run_and_one_that_always_fails_does() {
    std::thread::scope(|scope| {
        for at_once in ["1", "16"] {
            for what in ["500", "502", "empty"] {
                scope.spawn(move || {
                    let server = Server::start(move |asked| match (asked.last_message().as_str(), what) {
                        ("Say 3.", "empty") => Answer::Bytes(Vec::new()),
                        ("Say 3.", status) => raw(status.parse().unwrap(), "no"),
                        _ => Answer::Text("ok".to_owned()),
                    });
                    let run = ["run", "s.yaml", "-m", "m", "-c", at_once, "--base-url", &server.url];
                    let ran = Akit::new(&run).file("s.yaml", suite(40)).run().ended(4);
                    let _ = ran.out("39 passed, 0 failed, 1 errored");
                    assert!(server.asked().len() <= 39 + 6, "{what} {at_once}: {}", server.asked().len());
                });
            }
            scope.spawn(move || {
                let server = Server::start(|_| raw(503, "no upstream"));
                let run = ["run", "s.yaml", "-m", "m", "-c", at_once, "--base-url", &server.url];
                let ran = Akit::new(&run).file("s.yaml", suite(5_000)).run().ended(4);
                let _ = ran.out(" cases: not asked: ").out("answered 503: no upstream");
                assert!(server.asked().len() <= 36, "{at_once}: {}", server.asked().len());
            });
        }
    });
}

//! What is sent to a server that is busy, gone, or closed to us.

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
fn a_dead_key_is_met_once_by_each_request_that_is_under_way() {
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
            "equal errors are told once: {}",
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
fn nobody_listens_and_that_is_no_regression() {
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
fn a_rate_limit_ends_with_patience_and_says_what_was_asked_for() {
    let server = Server::start(|_| Answer::Raw(429, vec![("retry-after", "3600".to_owned())], Vec::new()));
    Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url])
        .file("s.yaml", suite(300))
        .run()
        .ended(4)
        .out("not asked: ")
        .out("it asks to be left alone for 3600 s: raise `--patience`");
    assert!(server.asked().len() <= 4, "{}", server.asked().len());
    Akit::new(&["run", "s.yaml", "--patience", "soon"]).file("s.yaml", suite(1)).run().ended(2).err("`soon`");
}

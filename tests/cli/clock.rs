//! Extreme clocks and times: no panic; an invalid time is a readable error.

use super::Akit;
use super::replies::replies;

const CASE: &str = "{ id: a, prompt: q, expected: { type: exact, value: y } }";

/// Seconds at which a calendar, a format or a type reaches its limit.
const EXTREMES: [&str; 14] = [
    "0",
    "-1",
    "-62135596801",
    "-62167219201",
    "253402300799",
    "253402300800",
    "8210266876799",
    "8210266876800",
    "-8334601228800",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e9",
    "soon",
];

#[test]
fn any_build_date_can_be_printed_and_read_back() {
    for seconds in EXTREMES {
        let ran = Akit::new(&[
            "run",
            "s.yaml",
            "--replies",
            "r.jsonl",
            "--json",
            "run.json",
            "--junit",
            "j.xml",
            "--html",
            "h.html",
        ])
        .file("s.yaml", format!("name: s\ncases:\n  - {CASE}\n"))
        .file("r.jsonl", replies(&[("a", "y")]))
        .file("akit.yaml", "gate: { quarantine: q.yaml }\n")
        .file("q.yaml", "- { case: s/a, reason: x, until: 9999-12-31 }\n")
        .env("SOURCE_DATE_EPOCH", seconds)
        .run();
        assert!([0, 2].contains(&ran.status), "{seconds}: {}", ran.stderr);
        for command in [
            &["baseline", "update", "run.json", "--baseline", "b.json"][..],
            &["baseline", "accept", "s/a", "--reason", "x", "--baseline", "b.json"],
            &["baseline", "show", "--baseline", "b.json"],
            &["gate", "run.json", "--baseline", "b.json"],
            &["history", "run.json", "run.json", "--html", "h.html"],
            &["compare", "run.json", "run.json"],
            &["doctor", "s.yaml"],
        ] {
            let again = ran.then(command).env("SOURCE_DATE_EPOCH", seconds).run();
            assert!(again.status >= 0, "{seconds} {command:?}: {}", again.stderr);
        }
    }
}

#[test]
fn any_latency_of_an_answer_is_read_or_refused() {
    for at in [
        "0000-01-01T00:00:00Z",
        "0000-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:60-23:59",
        "1969-12-31T23:59:59Z",
        "+262142-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00.99999999999999999999Z",
        "18446744073709551615",
        "",
    ] {
        let line = serde_json::json!({ "id": "a", "reply": "y", "at": at }).to_string();
        let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .file("s.yaml", format!("name: s\ncases:\n  - {CASE}\n"))
            .file("r.jsonl", line)
            .run();
        assert!([0, 2].contains(&ran.status), "{at}: {}", ran.stderr);
        let flag =
            Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--recorded-at", at])
                .file("s.yaml", format!("name: s\ncases:\n  - {CASE}\n"))
                .file("r.jsonl", replies(&[("a", "y")]))
                .run();
        assert!([0, 2].contains(&flag.status), "{at}: {}", flag.stderr);
        // The same in a stored run and a baseline, since users can edit these.
        let stored = Akit::new(&[
            "run",
            "s.yaml",
            "--replies",
            "r.jsonl",
            "--json",
            "run.json",
            "--recorded-at",
            "2026-01-01T00:00:00Z",
        ])
        .file("s.yaml", format!("name: s\ncases:\n  - {CASE}\n"))
        .file("r.jsonl", replies(&[("a", "y")]))
        .run()
        .ended(0);
        let text = stored.read("run.json").replace("2026-01-01T00:00:00Z", at);
        let stored = stored
            .then(&["baseline", "update", "run.json", "--baseline", "b.json"])
            .file("run.json", text)
            .run();
        assert!([0, 2].contains(&stored.status), "{at}: {}", stored.stderr);
        let gate = stored.then(&["gate", "run.json", "--baseline", "b.json"]).run();
        assert!(gate.status >= 0, "{at}: {}", gate.stderr);
    }
}

#[test]
fn any_duration_is_applied_or_refused() {
    let most = u64::MAX.to_string();
    let times = [
        most.as_str(),
        "18446744073709551614",
        "18446744073709551615s",
        "18446744073709551615m",
        "9223372036854775807",
        "9223372036854775808s",
        "1e300",
        "1e-300",
        "0",
        "-0",
        "-1",
        "NaN",
        "inf",
        "584554531y",
        "9007199254740993",
    ];
    let server = super::server::Server::start(|_| super::server::Answer::Text("y".to_owned()));
    let run = |more: &[&str], suite: &str, config: &str| {
        Akit::new(&["run", "s.yaml", "--model", "m", "--cache", "off", "--base-url", &server.url])
            .args(more)
            .file("s.yaml", suite)
            .file("akit.yaml", config)
            .env("OPENAI_API_KEY", "k")
            .run()
    };
    let suite = format!("name: s\ncases:\n  - {CASE}\n");
    for time in times {
        for flag in ["--timeout", "--deadline", "--patience"] {
            let ran = run(&[&format!("{flag}={time}")], &suite, "");
            // A deadline of zero ends the run immediately.
            assert!([0, 2, 6].contains(&ran.status), "{flag} {time}: {} {}", ran.status, ran.stderr);
        }
        for (suite, config) in [
            (suite.replace("id: a", &format!("id: a, timeout: {time}")), String::new()),
            (suite.replace("id: a", &format!("id: a, retries: {time}")), String::new()),
            (format!("timeout: {time}\n{suite}"), String::new()),
            (suite.clone(), format!("grader: {{ model: j, timeout: {time} }}\n")),
            (suite.clone(), format!("providers: {{ openai: {{ timeout: {time}, maxRetries: {time} }} }}\n")),
        ] {
            let ran = run(&[], &suite, &config);
            assert!([0, 2, 4].contains(&ran.status), "{suite}{config}: {} {}", ran.status, ran.stderr);
        }
    }
}

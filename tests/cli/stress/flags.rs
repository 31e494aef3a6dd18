//! Meaningless values are refused before anything is sent.

use super::*;

#[test]
fn bad_values_are_refused_with_an_example() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let table: &[(&[&str], &str)] = &[
        (&["-c", "0"], "--concurrency: `0` is not a whole number from 1 to 50,000"),
        (&["-c", "-1"], "--concurrency: `-1` is not a whole number"),
        (&["-c", "2.5"], "--concurrency: `2.5` is not a whole number"),
        (&["-c", "50001"], "50001"),
        (&["-c", "many"], "many"),
        (&["--rate", "-1"], "not a rate from 0.001 to 50,000 per second; for example `50`"),
        (&["--rate", "0"], "not a rate"),
        (&["--rate", "nan"], "not a rate"),
        (&["--rate", "inf"], "not a rate"),
        (&["--rate", "50001"], "not a rate"),
        (&["--rate", "5/m"], "not a rate"),
        (&["--rate", "5", "-c", "5"], "cannot be used with"),
        (&["-d", "0"], "not a duration of up to a week"),
        (&["-d", "-5"], "not a duration of up to a week"),
        (&["-d", "8d"], "not a duration of up to a week"),
        (&["-d", "soon"], "not a duration of up to a week"),
        (&["-n", "0"], "--requests: `0` is not a whole number from 1"),
        (&["-n", "-3"], "--requests: `-3` is not a whole number from 1"),
        (&["-n", "1e3"], "1e3"),
        (&["--ramp-up", "-1"], "not a duration of up to a week"),
        (&["--ramp-up", "x"], "not a duration of up to a week"),
        (&["--stages", ""], "is not a stage: write LOAD@TIME"),
        (&["--stages", "5"], "`5` is not a stage: write LOAD@TIME"),
        (&["--stages", "5@30s,"], "is not a stage"),
        (&["--stages", "5@0"], "`5@0` is not a stage"),
        (&["--stages", "0@5s"], "`0@5s` is not a stage"),
        (&["--stages", "5@30s;20@30s"], "is not a stage"),
        (&["--stages", "-5@30s"], "is not a stage"),
        (&["--stages", "5/s@"], "is not a stage"),
        (&["--stages", "5@1", "-c", "3"], "cannot be used with"),
        (&["--stages", "5@1", "--rate", "3"], "cannot be used with"),
        (&["--stages", "5@1", "-d", "3"], "cannot be used with"),
        (&["--arrivals", "poison"], "did you mean `poisson`?"),
        (&["--escalation-share", "1.1"], "1.1"),
        (&["--escalation-share", "-0.1"], "-0.1"),
        (&["--escalation-share", "nan"], "nan"),
        (&["--judge-sample", "-1"], "-1"),
        (&["--judge-sample", "10001"], "10001"),
        (&["--budget", "-1"], "-1"),
        (&["--budget", "much"], "much"),
        (&["--slo", "pass_rate"], "is not NAME=VALUE; for example `latency_p95_ms=2000`"),
        (&["--slo", "pass_rat=0.9"], "did you mean `pass_rate`?"),
        (&["--slo", "latency_p95=9"], "did you mean `latency_p95_ms`?"),
        (&["--slo", "Latency_P95_ms=9"], "unknown service level"),
        (&["--slo", "speed=9"], "there are `latency_p95_ms`, `ttft_p95_ms`, `error_rate`, `pass_rate`"),
        (&["--slo", "pass_rate=90"], "takes a number from 0 to 1; for example `pass_rate=0.9`"),
        (&["--slo", "pass_rate=90%"], "takes a number from 0 to 1"),
        (&["--slo", "pass_rate="], "takes a number from 0 to 1"),
        (&["--slo", "error_rate=-0.1"], "takes a number from 0 to 1"),
        (&["--slo", "latency_p95_ms=-1"], "takes a number from 0 up"),
        (&["--slo", "latency_p95_ms=2s"], "takes a number from 0 up"),
        (&["--slo", "goodput_rps=nan"], "takes a number from 0 up"),
        (&["--slo", "ttft_p95_ms=inf"], "takes a number from 0 up"),
        (&["--concurency", "5"], "a similar argument exists: '--concurrency'"),
        (&["--stage", "5@1"], "a similar argument exists: '--stages'"),
        (&["--repeat", "5"], "unexpected argument '--repeat'"),
    ];
    for (flags, told) in table {
        let ran = stress(&server.url, flags).run().ended(2).err("error: ");
        assert!(ran.stderr.contains(told), "{flags:?}: no {told:?} in\n{}", ran.stderr);
        let helps =
            ["for example", "did you mean", "help:", "tip:", "--help", "there are", "write LOAD@TIME"];
        assert!(helps.iter().any(|help| ran.stderr.contains(help)), "{flags:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
        assert!(!ran.path("stress.json").exists());
    }
    assert!(server.asked().is_empty());
}

/// Rows of refused input: files next to the suite, flags, and the message.
type Row = (&'static str, &'static [&'static str], &'static str);

#[test]
fn what_cannot_be_measured_is_refused() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let escalates = "setup: { handoff: { tool: transfer } }\ncases:\n  - { id: a, prompt: A person!, tags: [escalation], expected: { type: contains, values: [a] } }\n  - { id: b, prompt: Say b., expected: { type: contains, values: [b] } }\n";
    let unsigned = escalates.split_once('\n').unwrap().1;
    let judged = "cases:\n  - { id: a, prompt: A, expected: { type: llm_grader, rubric: Is it kind? } }\n";
    let table: &[Row] = &[
        (SUITE, &["--slo", "escalation_availability=0.9"], "no selected case has the tag `escalation`"),
        (
            escalates,
            &["--slo", "escalation_availability=0.9", "-t", "!escalation"],
            "has the tag `escalation`",
        ),
        (
            escalates,
            &["--slo", "escalation_availability=0.9", "--escalation-share", "0"],
            "help: nothing was sent; raise `--escalation-share`",
        ),
        (unsigned, &["--slo", "escalation_availability=0.9"], "does not define a handoff"),
        (judged, &["--slo", "goodput_rps=1"], "cannot measure `goodput_rps`"),
        (judged, &["--slo", "pass_rate=0.9", "--judge-sample", "0"], "cannot measure `pass_rate`"),
    ];
    for (suite, flags, told) in table {
        let judge = ["--grader-model", "j", "--grader-base-url", &server.url];
        let ran = stress(&server.url, &["-n", "1"]).args(flags).args(&judge).file("s.yaml", suite).run();
        ran.ended(2).err(told).err("help: nothing was sent; ");
    }
    assert!(server.asked().is_empty());
}

/// A limit on it requests streaming, as in the gate.
#[test]
fn the_time_to_the_first_token_is_measured_if_answers_are_streamed() {
    let pieces = || {
        Server::plain(|asked| {
            std::thread::sleep(SLOW);
            if asked.body["stream"] != true {
                return Answer::Raw(400, Vec::new(), Vec::new());
            }
            let piece = |text: &str, end: Json| {
                let choice = serde_json::json!({ "index": 0, "delta": { "role": "assistant", "content": text }, "finish_reason": end });
                let whole = serde_json::json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] });
                format!("data: {whole}\n\n")
            };
            let said = asked.last_message();
            let body =
                [piece(&said, Json::Null), piece("", "stop".into()), "data: [DONE]\n\n".to_owned()].concat();
            Answer::Raw(200, vec![("content-type", "text/event-stream".to_owned())], body.into_bytes())
        })
    };
    for (limit, status) in [("ttft_p95_ms=60000", 0), ("ttft_p95_ms=100", 1)] {
        let ran = solid(|| stress(&pieces().url, &["-n", "4", "-c", "4", "--slo", limit])).ended(status);
        let first = found(&ran)["levels"][0]["ttft_ms"]["p95"].as_f64().unwrap();
        assert!(first >= 400.0, "{first}");
    }
    let config = "stress: { slo: { ttft_p95_ms: 100 } }\n";
    solid(|| stress(&pieces().url, &["-n", "4", "-c", "4"]).file("akit.yaml", config)).ended(1);
    // Without streaming it is missing rather than zero.
    let ran = stress(&echo().url, &["-n", "2"]).run();
    assert_eq!(found(&ran)["levels"][0]["ttft_ms"], Json::Null);
    let bot = format!("provider: command\nproviderConfig: {{ command: [sh, -c, echo alpha] }}\n{SUITE}");
    Akit::new(&["stress", "s.yaml", "-n", "1", "--slo", "ttft_p95_ms=500"])
        .env("PATH", "/usr/bin:/bin")
        .file("s.yaml", bot)
        .run()
        .ended(2)
        .err("`ttft_p95_ms` cannot be measured here");
}

#[test]
fn recorded_answers_cannot_be_load_tested() {
    let replies = super::super::replies::replies(&[("a", "alpha"), ("b", "beta")]);
    let of_file = format!("provider: replies\nproviderConfig: {{ file: r.jsonl }}\n{SUITE}");
    let table: &[(&str, &str, &[&str])] = &[
        (SUITE, "", &["--replies", "r.jsonl"]),
        (SUITE, "", &["--replay", "-m", "m"]),
        (SUITE, "", &["--cache", "replay", "-m", "m"]),
        (&of_file, "", &[]),
        (SUITE, "", &["-p", "replies"]),
    ];
    for (suite, config, flags) in table {
        let ran = Akit::new(&["stress", "s.yaml", "-n", "1"])
            .args(flags)
            .file("s.yaml", suite)
            .file("akit.yaml", config)
            .file("r.jsonl", &replies)
            .run()
            .ended(2);
        if flags != &["-p", "replies"] {
            ran.err("recorded answers cannot be load-tested")
                .err("`-p NAME`")
                .err("`--base-url URL`")
                .err("nothing was sent");
        }
    }
}

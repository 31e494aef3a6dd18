//! The exit code of a load test.

use super::*;

/// The server, the flags, the exit code and the output.
type Row = (fn() -> Server, &'static [&'static str], i32, &'static str);

/// A server that answers only one case correctly.
fn half() -> Server {
    Server::start(|_| {
        std::thread::sleep(SLOW);
        Answer::Text("alpha".to_owned())
    })
}

fn wrong() -> Server {
    Server::start(|_| {
        std::thread::sleep(SLOW);
        Answer::Text("nothing of the kind".to_owned())
    })
}

fn down() -> Server {
    Server::start(|_| {
        std::thread::sleep(SLOW);
        Answer::Raw(503, Vec::new(), Vec::new())
    })
}

/// Every second request fails.
fn shaky() -> Server {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |question| {
        std::thread::sleep(SLOW);
        match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 {
            0 => Answer::Text(question.last_message()),
            _ => Answer::Raw(500, Vec::new(), Vec::new()),
        }
    })
}

#[test]
fn limits_are_minimums_or_maximums_by_metric() {
    let table: &[Row] = &[
        (slow_echo, &[], 0, "RESULT: PASS"),
        (slow_echo, &["--slo", "latency_p95_ms=60000"], 0, "RESULT: PASS"),
        (slow_echo, &["--slo", "latency_p95_ms=100"], 1, "the limit is 100 ms"),
        (slow_echo, &["--slo", "pass_rate=1"], 0, "RESULT: PASS"),
        (slow_echo, &["--slo", "error_rate=0"], 0, "RESULT: PASS"),
        (slow_echo, &["--slo", "goodput_rps=0.01"], 0, "RESULT: PASS"),
        (slow_echo, &["--slo", "goodput_rps=100000"], 1, "goodput_rps is "),
        (half, &["--slo", "pass_rate=0.5"], 0, "RESULT: PASS"),
        (half, &["--slo", "pass_rate=0.51"], 1, "pass_rate is 50%; the limit is 51%"),
        // Without a limit, failures are only in the report.
        (half, &[], 0, "RESULT: PASS"),
        (shaky, &["--slo", "error_rate=0.5"], 0, "RESULT: PASS"),
        (shaky, &["--slo", "error_rate=0.49"], 1, "error_rate is 50%; the limit is 49%"),
        // All findings are printed.
        (half, &["--slo", "pass_rate=0.9", "--slo", "latency_p95_ms=1"], 1, "latency_p95_ms is "),
        (wrong, &[], 1, "none of 4 conversations passed"),
        (down, &[], 4, "nothing answered"),
        // A missed limit is a regression, whatever else happened.
        (down, &["--slo", "error_rate=0.1"], 1, "nothing answered"),
        // An unmeasured metric does not pass its limit.
        (down, &["--slo", "latency_p95_ms=1000"], 4, "latency_p95_ms was not measured"),
    ];
    all(table, |(server, flags, status, told)| {
        let ran = solid(|| {
            let server = server();
            stress(&server.url, &["-n", "4", "-c", "4"]).args(flags)
        });
        let ran = ran.ended(*status).out(told);
        let found = found(&ran);
        assert_eq!(found["decision"]["exit_code"], *status, "{flags:?}");
        let word = ["pass", "fail", "", "", "error"][usize::try_from(*status).unwrap()];
        assert_eq!(found["decision"]["conclusion"], word, "{flags:?}");
        assert_eq!(found["ended"], "complete");
    });
}

#[test]
fn levels_of_equal_load_have_their_own_names() {
    let flags = ["--stages", "2@1s,2@1s", "--slo", "latency_p95_ms=1"];
    let ran = stress(&slow_echo().url, &flags).run().ended(1);
    ran.out("2 in flight (stage 1): latency_p95_ms is ").out("2 in flight (stage 2): latency_p95_ms is ");
}

#[test]
fn a_case_has_the_reason_of_its_worst_kind_of_result() {
    // The first request fails, later answers are wrong.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Answer::Raw(503, Vec::new(), Vec::new()),
        _ => Answer::Text("nothing of the kind".to_owned()),
    });
    let suite = "cases: [{ id: a, prompt: Say alpha., expected: { type: contains, values: [alpha] } }]\n";
    let ran = stress(&server.url, &["-n", "5", "-c", "1"]).file("s.yaml", suite).run();
    let case = &found(&ran)["cases"][0];
    assert_eq!((case["judged"].clone(), case["errored"].clone()), (4.into(), 1.into()));
    assert!(case["reason"].as_str().unwrap().contains("alpha"), "{case}");
}

#[test]
fn nothing_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let ran = solid(|| stress(&url, &["-n", "10", "-c", "2"])).ended(4).out("nothing answered");
    let found = found(&ran);
    assert_eq!(errors(&found["levels"][0]), ["connect 10"]);
    assert_eq!(found["levels"][0]["latency_ms"]["p95"], Json::Null);
    assert_eq!(found["levels"][0]["quality"]["n"], 0);
    assert_eq!(found["cases"][0]["judged"], 0);
}

/// More requests arrive than may be in flight: the schedule cannot be kept, so the limits do not matter.
#[cfg(target_os = "linux")]
#[test]
fn a_load_that_could_not_be_generated_is_void() {
    let server = Server::start(|asked| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        Answer::Text(asked.last_message())
    });
    for slo in ["pass_rate=0", "pass_rate=1", "latency_p95_ms=1"] {
        let akit = stress(&server.url, &["--rate", "60", "-d", "1", "--slo", slo]);
        // The limit on open files allows only a few concurrent requests.
        let mut command = std::process::Command::new("sh");
        let akit_command = akit.command();
        command.arg("-c").arg("ulimit -n 104; exec \"$0\" \"$@\"").arg(akit_command.get_program());
        command.args(akit_command.get_args()).current_dir(akit.folder()).env_clear();
        let output = command.output().unwrap();
        let ran = akit.ran(output).ended(4).out("void: this machine sent requests up to ");
        let found = found(&ran);
        assert_eq!(found["levels"][0]["valid"], false);
        assert_eq!(found["decision"]["conclusion"], "error");
        // A request that waited until the end is late, too.
        let due: u64 =
            found["timeline"].as_array().unwrap().iter().map(|tick| tick["due"].as_u64().unwrap()).sum();
        assert!(due < 60, "{due} of 60 started");
        assert!(found["levels"][0]["dispatch_lag_ms"]["max"].as_f64().unwrap() > 100.0);
    }
}

#[test]
fn a_budget_ends_a_load_with_its_whole_report() {
    let prices = "prices: { m: { input: 1, output: 1000 } }\n";
    let suite = format!("maxTokens: 5\n{SUITE}");
    let server = Server::start(|asked| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let mut body = super::super::server::completion(&asked.last_message());
        body["model"] = "m".into();
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    });
    // One answer costs 5 tokens, 0.005 USD, plus a little for the request.
    let akit = |more: &[&str]| {
        let most = if more.contains(&"--budget") { &[][..] } else { &["--budget", "0.0262"] };
        stress(&server.url, &["-n", "50", "-c", "2"])
            .args(most)
            .args(more)
            .file("akit.yaml", prices)
            .file("s.yaml", &suite)
    };
    let before = || server.asked().len();
    let sent = before();
    let ran = akit(&[]).run();
    let sent = before() - sent;
    let found = found(&ran);
    assert_eq!(found["ended"], "budget");
    assert_eq!(found["requests"], 5);
    assert_eq!(sent, 5, "nothing may be sent beyond the budget");
    assert_eq!(found["levels"][0]["cut_off"], 0, "requests that were not sent are not cut off");
    assert_eq!(found["levels"][0]["quality"]["n"], 5);
    assert!(found["cost_usd"].as_f64().unwrap() <= 0.0262);
    solid(|| akit(&[])).ended(6).out("the budget ended the test").out("RESULT: ");
    solid(|| akit(&["--slo", "latency_p95_ms=1"])).ended(1).out("the budget ended the test");
    akit(&["--budget", "0.0001"]).run().ended(2).err("`--budget`");
}

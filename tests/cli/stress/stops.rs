//! Ctrl-C and SIGTERM: the load ends within a second, with a complete report.

use std::time::Instant;

use super::super::signal::{end, send};
use super::*;

/// One second plus slack for a busy machine; `akit run` would wait for ten.
const SOON: Duration = Duration::from_secs(4);

/// The signal, the exit code, and how the report says the load ended.
const SIGNALS: [(&str, i32, &str); 2] = [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")];

/// The report of a load that got a signal after this many requests.
fn stopped(server: &Server, akit: Akit, requests: usize, (signal, status, word): (&str, i32, &str)) -> Json {
    let child = akit.command().spawn().unwrap();
    server.wait_for(requests);
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    send(&child, signal);
    let output = end(child);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let ran = akit.ran(output).ended(status).out("RESULT: ERROR");
    let found = found(&ran);
    assert_eq!(found["ended"], word);
    assert_eq!(found["decision"]["exit_code"], status);
    assert!(found["decision"]["reasons"][0].as_str().unwrap().contains(word), "{}", found["decision"]);
    found
}

#[test]
fn a_load_that_hangs_ends_within_a_second() {
    for signal in SIGNALS {
        let server = Server::plain(|_| Answer::Hang);
        let akit = stress(&server.url, &["-c", "8", "-d", "60"]);
        let found = stopped(&server, akit, 8, signal);
        let level = &found["levels"][0];
        assert_eq!((found["requests"].clone(), level["cut_off"].clone()), (0.into(), 8.into()));
        assert!(errors(level).is_empty(), "requests that were cut off are not errors");
        assert_eq!(level["error_rate"], Json::Null);
        assert_eq!(level["latency_ms"]["p95"], Json::Null);
        assert_eq!(level["quality"]["n"], 0);
        assert_eq!(server.asked().len(), 8);
    }
}

#[test]
fn answers_before_the_signal_count_and_pending_ones_do_not() {
    for signal in SIGNALS {
        // The first of every ten requests hangs.
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::plain(move |question| {
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 10 {
                9 => Answer::Hang,
                _ => Answer::Text(question.last_message()),
            }
        });
        let akit = stress(&server.url, &["-c", "3", "-d", "60", "--slo", "pass_rate=1"]);
        let found = stopped(&server, akit, 30, signal);
        let level = &found["levels"][0];
        assert_eq!((found["requests"].clone(), level["cut_off"].clone()), (27.into(), 3.into()));
        assert_eq!(
            (level["quality"]["n"].clone(), level["quality"]["passed"].clone()),
            (27.into(), 27.into())
        );
        assert_eq!(found["slo"][0]["met"], true);
        assert_eq!(server.asked().len(), 30);
    }
}

#[test]
fn a_schedule_ends_within_a_second() {
    for signal in SIGNALS {
        let server = Server::plain(|_| Answer::Hang);
        let akit = stress(&server.url, &["--rate", "50", "--arrivals", "poisson", "-d", "60"]);
        let found = stopped(&server, akit, 5, signal);
        let sent = server.asked().len() as u64;
        let cut = found["levels"][0]["cut_off"].as_u64().unwrap();
        assert!(cut >= sent && found["requests"] == 0, "{cut} of {sent}");
    }
}

#[test]
fn a_load_that_ends_early_reports_its_finished_stages() {
    let server = echo();
    let akit = stress(&server.url, &["--stages", "1@200ms,2@60s,3@60s"]);
    let child = akit.command().spawn().unwrap();
    server.wait_for(1);
    std::thread::sleep(Duration::from_millis(600));
    send(&child, "-INT");
    let ran = akit.ran(end(child)).ended(130);
    let found = found(&ran);
    let requests: Vec<_> =
        found["levels"].as_array().unwrap().iter().map(|level| level["requests"].as_u64().unwrap()).collect();
    assert!(requests[0] > 0 && requests[1] > 0 && requests[2] == 0, "{requests:?}");
}

#[cfg(unix)]
#[test]
fn a_hanging_program_is_killed_too() {
    let suite = format!("provider: command\nproviderConfig: {{ command: [sh, bot.sh] }}\n{SUITE}");
    let akit = Akit::new(&["stress", "s.yaml", "--json", "stress.json", "-q", "-c", "3", "-d", "60"])
        .env("PATH", &std::env::var("PATH").unwrap())
        .file("s.yaml", suite)
        .file("bot.sh", "echo x >> begun.txt\nsleep 60\n");
    let child = akit.command().spawn().unwrap();
    let log = akit.folder().join("begun.txt");
    super::super::server::wait_until(|| std::fs::read_to_string(&log).is_ok_and(|text| text.len() >= 6));
    let began = Instant::now();
    send(&child, "-INT");
    let output = end(child);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let ran = akit.ran(output).ended(130);
    assert_eq!(found(&ran)["levels"][0]["cut_off"], 3);
}

#[test]
fn a_signal_while_the_judge_grades_keeps_the_report() {
    let judge = Server::start(|_| Answer::Hang);
    let server = echo();
    let suite =
        "cases: [{ id: a, prompt: Say alpha., expected: { type: llm_grader, rubric: Is it kind? } }]\n";
    let akit = stress(&server.url, &["-n", "5", "-c", "2", "--grader-model", "j"])
        .args(&["--grader-base-url", &judge.url])
        .file("s.yaml", suite);
    let child = akit.command().spawn().unwrap();
    judge.wait_for(1);
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    send(&child, "-INT");
    let output = end(child);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let ran = akit.ran(output).ended(130);
    let found = found(&ran);
    assert_eq!((found["ended"].clone(), found["requests"].clone()), ("interrupted".into(), 5.into()));
    assert_eq!(found["levels"][0]["judged"]["n"], 0);
}

/// A server that stops answering must not look fast because its slow answers are missing.
#[test]
fn a_server_that_stops_answering_does_not_look_fast() {
    let flags: [&[&str]; 5] = [
        &["-c", "4", "-d", "3"],
        &["-c", "4", "-d", "3", "--slo", "latency_p95_ms=900"],
        &["-c", "4", "-d", "3", "--slo", "error_rate=0.001", "--slo", "pass_rate=1"],
        &["-c", "4", "-d", "3", "--slo", "goodput_rps=40"],
        &["--rate", "20", "-d", "3", "--slo", "escalation_availability=0.999"],
    ];
    all(&flags, |flags| {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::plain(move |asked_for| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0..20 => Answer::Text(format!("I connect you. {}", asked_for.last_message())),
                _ => Answer::Hang,
            }
        });
        let suite = "setup: { handoff: { text: connect you } }\ncases:\n  - { id: a, prompt: Say alpha., expected: { type: contains, values: [alpha] } }\n  - { id: b, tags: [escalation], prompt: A human., expected: { type: handoff, state: claimed } }\n";
        let ran = stress(&server.url, flags).file("s.yaml", suite).run();
        let code = found(&ran)["decision"]["exit_code"].as_u64();
        assert!(matches!(code, Some(1 | 4)), "{flags:?}: {code:?}\n{}", ran.stdout);
    });
}

//! Ctrl-C and SIGTERM: nothing more is sent, and partial reports are written and marked as such.

use std::process::{Child, Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Akit;
use super::replies::{outcomes, suite};
use super::server::{Answer, Server, wait_until};

pub(crate) fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A second signal does not wait for requests in flight.
pub(crate) fn send_twice(child: &Child, signal: &str) {
    send(child, signal);
    std::thread::sleep(Duration::from_millis(300));
    send(child, signal);
}

/// The output of a child that ends within five seconds.
pub(crate) fn end(mut child: Child) -> Output {
    let ended = std::cell::Cell::new(false);
    let child_cell = std::cell::RefCell::new(&mut child);
    wait_until(|| {
        ended.set(child_cell.borrow_mut().try_wait().unwrap().is_some());
        ended.get()
    });
    child.wait_with_output().unwrap()
}

#[test]
fn a_signal_ends_the_run_with_partial_reports_that_say_so() {
    for (signal, status, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let server = Server::start(|asked| match asked.last_message().as_str() {
            "Say a." | "Say b." => Answer::Text(asked.last_message()),
            _ => Answer::Hang,
        });
        let akit = Akit::new(&["run", "s.yaml", "-m", "m", "-c", "2", "--base-url", &server.url])
            .args(&["--json", "run.json", "--junit", "r.xml", "--sarif", "r.sarif", "--markdown", "r.md"])
            .file("s.yaml", suite(&["a", "b", "c", "d", "e", "f"]));
        let child = akit.command().spawn().unwrap();
        server.wait_for(4);
        let began = Instant::now();
        send_twice(&child, signal);
        let output = end(child);
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        let ran = akit.ran(output).ended(status).err(&format!("{word}: sending nothing more"));
        let ran = ran.err(&format!("{word}: waiting up to 10 s for 2 requests;"));
        assert!(ran.stdout.contains("2 passed, 0 failed, 0 errored, 4 skipped"), "{}", ran.stdout);
        let report = ran.json("run.json");
        assert_eq!(report["ended"], word);
        assert_eq!(
            outcomes(&report),
            ["a passed", "b passed", "c skipped", "d skipped", "e skipped", "f skipped"]
        );
        assert_eq!(report["cases"][2]["reason"], "not judged: the run was interrupted first");
        assert_eq!(report["decision"]["breaches"][0]["id"], "interrupted");
        assert_eq!(ran.read("r.xml").matches("<skipped ").count(), 4);
        assert_eq!(ran.json("r.sarif")["runs"][0]["invocations"][0]["executionSuccessful"], false);
        assert!(ran.read("r.md").contains(word), "{}", ran.read("r.md"));
        assert!(server.given_up() >= 1);
        assert_eq!(server.asked().len(), 4, "nothing more may be sent");
    }
}

#[test]
fn a_hanging_request_is_awaited_for_ten_seconds() {
    let server = Server::start(|_| Answer::Hang);
    let akit =
        Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url]).file("s.yaml", suite(&["a"]));
    let child = akit.command().spawn().unwrap();
    server.wait_for(1);
    let began = Instant::now();
    send(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert!((9..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    akit.ran(output).ended(130).err("waiting up to 10 s for 1 request;");
}

#[test]
fn a_signal_while_reports_are_written_ends_akit() {
    use std::io::Read as _;
    let ids: Vec<String> = (0..3_000).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let replies: Vec<_> = ids.iter().map(|id| (*id, "yes")).collect();
    let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--format", "json"])
        .file("s.yaml", suite(&ids))
        .file("r.jsonl", super::replies::replies(&replies));
    let mut child = akit.command().spawn().unwrap();
    // The pipe is full and nobody reads it, so akit waits.
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    send(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_signal_interrupts_the_wait_before_a_retry() {
    let server = Server::start(|_| Answer::Raw(429, vec![("retry-after", "50".to_owned())], Vec::new()));
    let akit =
        Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url]).file("s.yaml", suite(&["a"]));
    let child = akit.command().spawn().unwrap();
    server.wait_for(1);
    send(&child, "-INT");
    let output = end(child);
    akit.ran(output).ended(130).out("0 passed, 0 failed, 0 errored, 1 skipped");
}

#[test]
fn a_failure_before_the_signal_is_still_reported() {
    let server = Server::start(|asked| match asked.last_message().as_str() {
        "Say a." => Answer::Text("no".to_owned()),
        _ => Answer::Hang,
    });
    let akit = Akit::new(&["run", "s.yaml", "-m", "m", "-c", "1", "--base-url", &server.url])
        .file("s.yaml", suite(&["a", "b"]));
    let child = akit.command().spawn().unwrap();
    server.wait_for(2);
    send_twice(&child, "-TERM");
    let output = end(child);
    akit.ran(output).ended(143).out("FAILED s/a").out("1 failed");
}

#[test]
fn an_interrupted_calibration_keeps_its_verdicts_and_says_so() {
    for (signal, status, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let hangs = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&hangs);
        let server = Server::start(move |asked| match asked.last_message() {
            asked if asked.contains("worth 3") && still.load(Ordering::SeqCst) => Answer::Hang,
            asked if asked.contains("worth") => {
                Answer::Text(r#"{"reasoning": "good", "score": 9}"#.to_owned())
            }
            _ => Answer::Text(r#"{"reasoning": "known-bad", "score": 0}"#.to_owned()),
        });
        let label =
            |n| format!("{{\"answer\": \"worth {n}\", \"rubric\": \"Be kind.\", \"label\": \"pass\"}}\n");
        let command = ["calibrate", "labels.jsonl", "--grader-model", "judge", "-c", "1"];
        let to = ["--grader-base-url", &server.url];
        let akit = Akit::new(&command).args(&to).file("labels.jsonl", (0..4).map(label).collect::<String>());
        let child = akit.command().spawn().unwrap();
        // Five known answers, three verdicts, and the one that hangs.
        server.wait_for(9);
        send_twice(&child, signal);
        let output = end(child);
        let kept = "the verdicts so far are recorded in .akit/cache, and the next attempt reuses them";
        let ran = akit.ran(output).ended(status).err(&format!("{word}: sending nothing more")).err(kept);
        assert!(!ran.path("akit-calibration.json").exists());
        hangs.store(false, Ordering::SeqCst);
        ran.then(&command).args(&to).run().ended(0).out("judged 4 labels");
        assert_eq!(server.asked().len(), 15, "the known answers and one verdict");
    }
}

//! What runs when, and how it affects the gate: order, concurrency, `--fail-fast`, the pass rate.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::Akit;
use super::replies::{outcomes, replies, suite};
use super::server::{Answer, Server};

/// Holds the first case back until all others have arrived.
#[derive(Default)]
struct Gate {
    asked: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self, first: bool, others: usize) {
        let mut asked = self.asked.lock().unwrap();
        if first {
            let limit = Duration::from_secs(20);
            let waited = self.changed.wait_timeout_while(asked, limit, |asked| *asked < others).unwrap();
            assert!(!waited.1.timed_out(), "the other cases were not asked");
        } else {
            *asked += 1;
            self.changed.notify_all();
        }
    }
}

#[test]
fn results_are_in_file_order_whatever_finishes_first() {
    for (concurrency, is_held_back) in [("1", false), ("8", true)] {
        let gate = Arc::new(Gate::default());
        let server = Server::start(move |asked| {
            let message = asked.last_message();
            if is_held_back {
                gate.pass(message == "Say b1.", 5);
            }
            Answer::Text(message)
        });
        let ran =
            Akit::new(&["run", "z.yaml", "a.yaml", "-m", "m", "-v", "--json", "run.json", "-c", concurrency])
                .args(&["--base-url", &server.url])
                .file("z.yaml", suite(&["z1", "z2", "z3"]))
                .file("a.yaml", suite(&["b1", "b3", "b2"]))
                .run()
                .ended(0);
        let expected = ["b1 passed", "b3 passed", "b2 passed", "z1 passed", "z2 passed", "z3 passed"];
        assert_eq!(outcomes(&ran.json("run.json")), expected);
        let lines: Vec<_> = ran.stderr.lines().filter(|line| line.contains("passed")).collect();
        assert_eq!(lines.len(), 6, "{}", ran.stderr);
    }
}

#[test]
fn cases_start_in_seeded_order_or_in_file_order_with_fail_fast() {
    let begun = |flags: &[&str], scenario: &str| {
        let server = Server::start(|asked| Answer::Text(asked.last_message()));
        let ran = Akit::new(&["run", "s.yaml", "-m", "m", "-c", "1", "--base-url", &server.url])
            .args(flags)
            .args(&["--json", "run.json"])
            .file("s.yaml", format!("{scenario}{}", suite(&["a", "b", "c", "d", "e", "f"])))
            .run()
            .ended(0);
        let results = outcomes(&ran.json("run.json"));
        assert_eq!(results, ["a", "b", "c", "d", "e", "f"].map(|id| format!("{id} passed")));
        let asked = server.asked();
        asked.iter().map(|asked| asked.last_message().replace("Say ", "")).collect::<String>()
    };
    let seven = begun(&["--seed", "7"], "");
    assert_eq!(begun(&["--seed", "7"], ""), seven);
    assert_ne!(begun(&["--seed", "8"], ""), seven);
    assert_eq!(begun(&["--seed", "0"], ""), begun(&[], ""));
    assert_eq!(begun(&["--seed", "7", "--fail-fast"], ""), "a.b.c.d.e.f.");
}

#[test]
fn no_more_cases_run_at_once_than_allowed() {
    let (now, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |asked| {
        let count = {
            let mut now = now.lock().unwrap();
            *now += 1;
            *now
        };
        let mut most = most.lock().unwrap();
        *most = count.max(*most);
        drop(most);
        std::thread::sleep(Duration::from_millis(20));
        *now.lock().unwrap() -= 1;
        Answer::Text(asked.last_message())
    });
    let ids: Vec<_> = (0..12).map(|n| format!("c{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    Akit::new(&["run", "s.yaml", "-m", "m", "-c", "3", "--base-url", &server.url])
        .file("s.yaml", suite(&ids))
        .run()
        .ended(0);
    assert_eq!(*seen.lock().unwrap(), 3);
}

#[test]
fn fail_fast_starts_no_case_after_the_first_that_does_not_pass() {
    for (second, status) in [("{\"id\":\"b\",\"reply\":\"no\"}\n", 1), ("", 4)] {
        let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--fail-fast", "-c", "1"])
            .args(&["--json", "run.json"])
            .file("s.yaml", suite(&["a", "b", "c"]))
            .file("r.jsonl", format!("{}{second}", replies(&[("a", "a"), ("c", "c")])))
            .run()
            .ended(status);
        let report = ran.json("run.json");
        assert_eq!(outcomes(&report)[2], "c skipped");
        assert_eq!(report["cases"][2]["reason"], "not asked: an earlier case did not pass (`--fail-fast`)");
        assert_eq!(report["ended"], "fail-fast");
    }
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--fail-fast", "-c", "1"])
        .file("s.yaml", suite(&["a", "c"]))
        .file("r.jsonl", replies(&[("a", "a"), ("c", "c")]))
        .run()
        .ended(0)
        .out("2 passed, 0 failed, 0 errored, 0 skipped");
}

#[test]
fn the_pass_rate_is_over_judged_cases() {
    let run = |arguments: &[&str], config: &str| {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .args(arguments)
            .file("akit.yaml", config)
            .file("s.yaml", suite(&["a", "b", "c", "d"]))
            .file("r.jsonl", replies(&[("a", "a"), ("b", "b"), ("c", "c"), ("d", "no")]))
            .run()
    };
    let configured = "gate: { min_pass_rate: 0.75 }\n";
    run(&[], "").ended(1);
    run(&["--min-pass-rate", "0.75"], "").ended(0).out("RESULT: PASS");
    run(&["--min-pass-rate", "0.76"], "")
        .ended(1)
        .out("the pass rate is 75.0% (3 of 4); the policy requires 76.0%");
    run(&[], configured).ended(0);
    run(&["--min-pass-rate", "1"], configured).ended(1);
    run(&["--min-pass-rate", "1", "--tags", "!x", "--filter", "[abc]"], configured).ended(0);
    run(&["--min-pass-rate", "0"], "").ended(0);

    // An errored case is not a pass, whatever the limit is.
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--min-pass-rate", "0"])
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a")]))
        .run()
        .ended(4)
        .out("1 case could not be judged");
}

#[test]
fn progress_is_a_few_plain_lines() {
    let ids: Vec<_> = (0..40).map(|n| format!("c{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let pairs: Vec<_> = ids.iter().map(|id| (*id, *id)).collect();
    let run = |arguments: &[&str]| {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .args(arguments)
            .file("s.yaml", suite(&ids))
            .file("r.jsonl", replies(&pairs))
            .run()
            .ended(0)
    };
    let lines = run(&[]).stderr;
    assert!(lines.contains("20 of 40 cases\n") && lines.lines().count() <= 10, "{lines}");
    assert_eq!(run(&["-v"]).stderr.lines().count(), 40);
}

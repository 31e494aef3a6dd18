//! `akit stress`, row by row.
//! || A busy machine may send late, which makes a load void. Where the exit code matters, answers take long enough
//! that a
//! short delay does no harm, and a void load is repeated.

mod bounds;
mod config;
mod errors;
mod escalation;
mod exits;
mod flags;
mod judged;
mod private;
mod sent;
mod stops;

use std::time::Duration;

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Asked, Server};

/// Time per answer, long enough that a short delay does not count as lag.
pub(super) const SLOW: Duration = Duration::from_millis(400);

/// Two cases; each expects its own id in the answer.
pub(super) const SUITE: &str = "name: s
cases:
  - { id: a, prompt: Say alpha., expected: { type: contains, values: [alpha] } }
  - { id: b, prompt: Say beta., expected: { type: contains, values: [beta] } }
";

/// A load test of a server.
pub(super) fn stress(url: &str, more: &[&str]) -> Akit {
    Akit::new(&["stress", "s.yaml", "-m", "m", "--json", "stress.json", "-q", "--base-url", url])
        .args(more)
        .file("s.yaml", SUITE)
}

/// A server that repeats the question.
pub(super) fn echo() -> Server {
    Server::start(|asked| Answer::Text(asked.last_message()))
}

/// The same, slowly.
pub(super) fn slow_echo() -> Server {
    Server::start(|asked| {
        std::thread::sleep(SLOW);
        Answer::Text(asked.last_message())
    })
}

/// The report of a load.
pub(super) fn found(ran: &Ran) -> Json {
    ran.json("stress.json")
}

/// The result of a load; repeats it if this machine could not keep the schedule.
pub(super) fn solid(make: impl Fn() -> Akit) -> Ran {
    for _ in 0..4 {
        let ran = make().run();
        if !ran.stdout.contains("void: ") {
            return ran;
        }
    }
    make().run()
}

/// Runs all rows of a table concurrently.
pub(super) fn all<T: Sync>(rows: &[T], check: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for row in rows {
            let check = &check;
            scope.spawn(move || check(row));
        }
    });
}

/// The nonzero errors of a level, as `class n`.
pub(super) fn errors(level: &Json) -> Vec<String> {
    let errors = level["errors"].as_object().unwrap().iter();
    errors.filter(|(_, n)| **n != 0).map(|(class, n)| format!("{class} {n}")).collect()
}

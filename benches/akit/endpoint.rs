//! The cost of a rate limit and of a dead server: 60 cases at five requests a second, and 5,000 cases with no server.

use std::path::Path;
use std::time::Duration;

use crate::process::{median, once};
use crate::server::{Limit, Saying};
use crate::{Outcome, server, suite};

/// Cases to run, and the server's limit in requests per second.
const CASES: u32 = 60;
const RATE: u32 = 5;

/// Maximum time, relative to a client that knows the limit.
const MOST: f64 = 1.3;

/// Maximum seconds before a run gives up on a dead server.
const DEAD: f64 = 10.0;

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    suite::write(place, "sixty", CASES as usize)?;
    suite::write(place, "five", 5_000)?;
    let ideal = f64::from(CASES - RATE) / f64::from(RATE);
    println!("{:<60} {:>14} {:>14}", "a server with a rate limit, and a dead one", "time", "target");
    let mut missed = 0;
    let limits = [
        ("429 with `retry-after-ms`", Saying::Milliseconds),
        ("429 with `retry-after: 1`", Saying::Seconds),
        ("429 with the wait in words", Saying::Words),
        ("429 and nothing else", Saying::Nothing),
    ];
    for (name, saying) in limits {
        let took = limited(place, saying)?;
        missed += line(&format!("60 cases, 5 a second, -c 16: {name}"), took / ideal, MOST, "× ideal");
    }
    for (name, address) in [("port", "http://127.0.0.1:1/v1"), ("name", "http://nowhere.invalid/v1")] {
        let dead = ["run", "five.yaml", "-m", "bench", "--base-url", address, "--cache", "off"];
        let took = once(&dead, place, 4)?.time / 1e3;
        missed += line(&format!("5,000 cases at a dead {name}"), took, DEAD, "s");
    }
    Ok(missed)
}

/// Seconds until all cases passed; an errored case would change the exit code and fail the benchmark.
fn limited(place: &Path, saying: Saying) -> Outcome<f64> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let server = server::limited(Limit { rate: RATE, saying }, Duration::from_millis(20))?;
        let run = ["run", "sixty.yaml", "-m", "bench", "--base-url", &server, "-c", "16", "--cache", "off"];
        times.push(once(&run, place, 0)?.time / 1e3);
    }
    Ok(median(times))
}

fn line(name: &str, value: f64, most: f64, unit: &str) -> usize {
    let is_missed = value > most;
    println!(
        "{name:<60} {:>14} {:>14}{}",
        format!("{value:.2} {unit}"),
        format!("{most} {unit}"),
        if is_missed { "  missed" } else { "" }
    );
    usize::from(is_missed)
}

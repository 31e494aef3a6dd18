//! How time grows with the number of cases: ten times as many should take about ten times as long, on any machine.

use crate::process::once;
use crate::{Outcome, server, suite};

/// Maximum ratio for ten times as many cases. It leaves room for cache misses, which a debug build shows; quadratic
/// growth is far above it.
const MOST: f64 = if cfg!(debug_assertions) { 13.0 } else { 11.0 };

/// Runs of each size, in turn. The fastest counts, because other work on the machine only adds time.
const RUNS: usize = 3;

/// Rounds of runs before a ratio counts as missed.
const ROUNDS: usize = 4;

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    let sizes = [("few", 1_000), ("many", 10_000)];
    for (name, cases) in sizes {
        suite::write(place, name, cases)?;
    }
    let server = server::start()?;
    let asked = |name: &str| -> Vec<String> {
        let words = ["-m", "bench", "--base-url", &server, "-c", "200", "--cache-dir", name];
        words.map(str::to_owned).to_vec()
    };
    for (name, _) in sizes {
        let version = ["--target-version", "1"].map(str::to_owned).to_vec();
        let record = [vec!["run".to_owned(), format!("{name}.yaml")], asked(name), version].concat();
        once(&record.iter().map(String::as_str).collect::<Vec<_>>(), place, 0)?;
    }
    let of = |name: &str, row: usize| -> (Vec<String>, i32) {
        let file = format!("{name}.yaml");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match row {
            0 => (words(&["validate", &file]), 0),
            1 => (words(&["run", &file, "--replies", &format!("{name}.jsonl"), "--json", "r.json"]), 0),
            2 => (
                [words(&["run", &file, "--replay"]), asked(name), words(&["--target-version", "1"])].concat(),
                0,
            ),
            _ => ([words(&["run", &file, "--replay", "--target-version", "2"]), asked(name)].concat(), 4),
        }
    };
    println!("{:<45} {:>10} {:>10}", "10,000 cases compared with 1,000", "ratio", "target");
    let names = ["validate", "replies, with a report", "replay, all recorded", "replay, all missing"];
    let mut missed = 0;
    for (row, name) in names.into_iter().enumerate() {
        let mut least = [f64::INFINITY; 2];
        let mut ratio = f64::INFINITY;
        for _ in 0..ROUNDS {
            for _ in 0..RUNS {
                for ((size, _), least) in sizes.into_iter().zip(&mut least) {
                    let (arguments, code) = of(size, row);
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    let cost = once(&arguments, place, code)?;
                    *least = least.min(cost.cpu.unwrap_or(cost.time));
                }
            }
            ratio = least[1] / least[0];
            if ratio <= MOST {
                break;
            }
        }
        missed += usize::from(ratio > MOST);
        println!("{name:<45} {ratio:>10.2} {MOST:>10}{}", if ratio > MOST { "  missed" } else { "" });
    }
    Ok(missed)
}

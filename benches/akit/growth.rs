//! How time grows with the cases: ten times as many take about ten times as long, on any machine.

use crate::process::{median, once};
use crate::{Outcome, server, suite};

/// Most of the ratio of the time for ten times as many.
const MOST: f64 = 11.0;

/// Runs of each, of which the median counts.
const RUNS: usize = 3;

/// How many of the targets were missed.
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
    println!("{:<45} {:>10} {:>10}", "10,000 cases beside 1,000", "ratio", "target");
    let names = ["validate", "replies, with a report", "replay, all recorded", "replay, all missing"];
    let mut missed = 0;
    for (row, name) in names.into_iter().enumerate() {
        let mut figures = Vec::new();
        for (size, _) in sizes {
            let (arguments, code) = of(size, row);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut taken = Vec::new();
            for _ in 0..RUNS {
                let cost = once(&arguments, place, code)?;
                taken.push(cost.cpu.unwrap_or(cost.time));
            }
            figures.push(median(taken));
        }
        let ratio = figures[1] / figures[0];
        missed += usize::from(ratio > MOST);
        println!("{name:<45} {ratio:>10.2} {MOST:>10}{}", if ratio > MOST { "  missed" } else { "" });
    }
    Ok(missed)
}

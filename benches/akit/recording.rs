//! The cost of recording answers: runs with and without recording, in turn.

use std::path::Path;

use crate::process::{Cost, median, once};
use crate::{Outcome, server, suite};

/// Number of pairs of runs.
const PAIRS: usize = 5;

/// Maximum time of a run that records, relative to one that does not.
const MOST_TIME: f64 = 1.05;

/// Maximum CPU time, likewise; writing 5,000 small files alone is about 1.35.
const MOST_CPU: f64 = 1.8;

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    suite::write(place, "five", 5_000)?;
    let server = server::start()?;
    println!(
        "{:<45} {:>10} {:>10} {:>10} {:>10}",
        "recording, relative to `--cache off`", "time", "target", "CPU", "target"
    );
    let mut missed = 0;
    for concurrency in ["50", "200"] {
        let (time, cpu) = ratios(place, &server, concurrency)?;
        let late = time > MOST_TIME;
        let busy = cpu.is_some_and(|cpu| cpu > MOST_CPU);
        missed += usize::from(late) + usize::from(busy);
        println!(
            "{:<45} {:>10} {:>10} {:>10} {:>10}{}",
            format!("5,000 cases, 20 ms each, -c {concurrency}"),
            format!("{time:.3}"),
            MOST_TIME,
            cpu.map_or("unknown".to_owned(), |cpu| format!("{cpu:.2}")),
            MOST_CPU,
            if late || busy { "  missed" } else { "" },
        );
    }
    Ok(missed)
}

/// Median ratios of wall time and CPU time over all pairs.
fn ratios(place: &Path, server: &str, concurrency: &str) -> Outcome<(f64, Option<f64>)> {
    let live = ["run", "five.yaml", "-m", "bench", "--base-url", server, "-c", concurrency];
    let unrecorded = [&live[..], &["--cache", "off"]].concat();
    let (mut times, mut cpus) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // A new folder for each run: some file systems are slow for a while after many files were removed.
        let folder = format!("records-{concurrency}-{pair}");
        let recorded = [&live[..], &["--cache-dir", &folder]].concat();
        let [without, with]: [Cost; 2] = [once(&unrecorded, place, 0)?, once(&recorded, place, 0)?];
        times.push(with.time / without.time);
        cpus.extend(with.cpu.zip(without.cpu).map(|(with, without)| with / without));
    }
    Ok((median(times), (!cpus.is_empty()).then(|| median(cpus))))
}

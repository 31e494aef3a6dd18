//! What it costs to record answers: runs that record beside runs that do not, in turn.

use std::path::Path;

use crate::process::{Cost, median, once};
use crate::{Outcome, server, suite};

/// Runs of each, in turn.
const PAIRS: usize = 5;

/// Most time of a run that records, beside one that does not.
const MOST_TIME: f64 = 1.05;

/// Most time of processors: writing 5,000 small files is about 1.35 by itself.
const MOST_CPU: f64 = 1.8;

/// How many of the targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    suite::write(place, "five", 5_000)?;
    let server = server::start()?;
    println!(
        "{:<45} {:>10} {:>10} {:>10} {:>10}",
        "recording, beside `--cache off`", "time", "target", "CPU", "target"
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

/// The median over pairs of the ratios in time and time of processors.
fn ratios(place: &Path, server: &str, concurrency: &str) -> Outcome<(f64, Option<f64>)> {
    let live = ["run", "five.yaml", "-m", "bench", "--base-url", server, "-c", concurrency];
    let unrecorded = [&live[..], &["--cache", "off"]].concat();
    let (mut times, mut cpus) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // A folder of its own for each: a file system is slow for a while where many files were just removed.
        let folder = format!("records-{concurrency}-{pair}");
        let recorded = [&live[..], &["--cache-dir", &folder]].concat();
        let [without, with]: [Cost; 2] = [once(&unrecorded, place, 0)?, once(&recorded, place, 0)?];
        times.push(with.time / without.time);
        cpus.extend(with.cpu.zip(without.cpu).map(|(with, without)| with / without));
    }
    Ok((median(times), (!cpus.is_empty()).then(|| median(cpus))))
}

//! Peak memory of many cases and of long answers. The same on any machine, except for the system's allocator.

use crate::process::once;
use crate::{EVERY, Outcome, limit, server, shown, suite};

/// A command, its exit code, and its maximum memory in MiB.
type Row<'a> = (&'static str, Vec<&'a str>, i32, f64);

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    suite::write(place, "many", 100_000)?;
    suite::write(place, "long", 20_000)?;
    let server = server::long()?;
    let replies = ["run", "many.yaml", "--replies", "many.jsonl"];
    let live = ["run", "long.yaml", "-m", "bench", "--base-url", &server, "-c", "50"];
    let rows: [Row<'_>; 4] = [
        ("validate, 100,000 cases", vec!["validate", "many.yaml"], 0, 300.0),
        ("100,000 replies, no report", replies.to_vec(), 0, 0.0),
        ("100,000 replies, all reports", [&replies[..], &EVERY].concat(), 0, 450.0),
        // Some expectations need a short answer.
        ("20,000 answers of 4 KB, live", [&live[..], &["--json", "long.json"]].concat(), 1, 200.0),
    ];
    println!("{:<45} {:>10} {:>10}", "peak memory", "memory", "target");
    let mut missed = 0;
    for (name, arguments, code, most) in rows {
        let memory = once(&arguments, place, code)?.memory;
        let over = most > 0.0 && memory.is_some_and(|memory| memory > most);
        missed += usize::from(over);
        let word = if over { "  missed" } else { "" };
        println!("{name:<45} {:>10} {:>10}{word}", shown(memory, "MiB"), limit(most, "MiB"));
    }
    Ok(missed)
}

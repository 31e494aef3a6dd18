//! What akit costs: start-up, reading, judging, reporting, recording, and runs against a server that takes 20 ms, is
//! rate-limited or is down.
//! || `cargo bench` prints tables with targets and fails if one is missed. `cargo bench -- growth memory` prints only
//! how
//! time grows with the number of cases and how much memory large runs need; these hold on any machine.
//! See docs/benchmarks.md.
#![expect(clippy::print_stdout, reason = "prints tables")]

mod conversations;
mod endpoint;
mod growth;
mod memory;
mod process;
mod recording;
mod scripted;
mod server;
mod stress;
mod suite;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use process::{AKIT, Cost, Larger as _, median, once, watch};

/// First argument of this program when it only runs akit and reports its cost.
const WATCH: &str = "watch-one-process";

/// The same for a program other than akit.
const WATCH_OTHER: &str = "watch-another-program";

/// Every report format of a run.
const EVERY: [&str; 18] = [
    "--json",
    "5.json",
    "--junit",
    "5.xml",
    "--sarif",
    "5.sarif",
    "--markdown",
    "5.md",
    "--html",
    "5.html",
    "--code-quality",
    "5.gl.json",
    "--open-metrics",
    "5.txt",
    "--annotations",
    "5.links.json",
    "--dotenv",
    "5.env",
];

/// Prints a table and returns how many targets were missed.
type Table = fn() -> Outcome<usize>;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A row of the table. A limit of 0 means no limit.
struct Row {
    name: &'static str,
    cost: Cost,
    most_time: f64,
    most_memory: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let wants = |word: &str| arguments.iter().skip(1).any(|argument| argument == word);
    let done = match arguments.get(1) {
        Some(first) if first == WATCH => watch(&arguments[2..]),
        Some(first) if first == WATCH_OTHER => process::watch_other(&arguments[2..]),
        Some(first) if first == stress::SERVE => stress::serve(arguments.get(2).map_or("", String::as_str)),
        _ => {
            let tables: [(&str, Table); 7] = [
                ("commands", measure),
                ("recording", recording::measure),
                ("endpoint", endpoint::measure),
                ("conversations", conversations::measure),
                ("stress", stress::measure),
                ("growth", growth::measure),
                ("memory", memory::measure),
            ];
            let named = tables.iter().any(|(name, _)| wants(name));
            let wanted: Vec<_> = tables.iter().filter(|(name, _)| !named || wants(name)).collect();
            all(&wanted.iter().map(|(_, measure)| *measure).collect::<Vec<_>>())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints tables one after the other; fails if a target was missed.
fn all(tables: &[Table]) -> Outcome<()> {
    let mut missed = 0;
    for table in tables {
        missed += table()?;
    }
    if missed > 0 { Err(format!("targets missed: {missed}").into()) } else { Ok(()) }
}

/// The table of commands; returns how many targets were missed.
fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    suite::write(place, "thousand", 1_000)?;
    suite::write(place, "five", 5_000)?;
    let server = server::start()?;
    let reports = ["--json", "r.json", "--junit", "r.xml", "--sarif", "r.sarif", "--markdown", "r.md"];
    let replies = [&["run", "thousand.yaml", "--replies", "thousand.jsonl"][..], &reports].concat();
    let live = ["run", "five.yaml", "-m", "bench", "--base-url", server.as_str(), "-c", "50"];
    let unrecorded = [&live[..], &["--cache", "off"]].concat();
    stored(place, "five")?;
    let formats = [&["report", "stored.json"][..], &EVERY].concat();
    let with_history = [&formats[..], &["--history", "earlier"]].concat();
    let records = ["--cache-dir", "records"];
    once(&[&live[..], &records].concat(), place, 0)?;
    let missing = [&live[..], &records, &["--replay", "--target-version", "2"]].concat();
    let why =
        ["cache", "why", "five.yaml", "-m", "bench", "--base-url", server.as_str(), "--target-version", "2"];
    let why = [&why[..], &records].concat();
    let stats = ["cache", "stats", "five.yaml", "-m", "bench", "--base-url", server.as_str()];
    let stats = [&stats[..], &records].concat();
    let rows = [
        row("--version", &["--version"], place, (40, 10.0, 15.0))?,
        row("validate, 1,000 cases", &["validate", "thousand.yaml"], place, (20, 50.0, 0.0))?,
        row("1,000 replies, all reports", &replies, place, (20, 150.0, 0.0))?,
        row("5,000 stored cases, all formats", &formats, place, (10, 1_000.0, 0.0))?,
        row("the same, with two earlier runs", &with_history, place, (5, 0.0, 0.0))?,
        row("5,000 cases, 20 ms each, -c 50, --cache off", &unrecorded, place, (5, 2_300.0, 60.0))?,
        row("`akit gate` of 5,000 stored cases", &["gate", "stored.json"], place, (5, 1_000.0, 0.0))?,
        row("`akit cache stats` of 5,000 records", &stats, place, (3, 1_000.0, 0.0))?,
        failing("a replay of 5,000 in which all miss", &missing, place, (3, 1_500.0, 0.0))?,
        failing("`akit cache why` of them", &why, place, (3, 1_000.0, 0.0))?,
    ];
    println!("{:<45} {:>10} {:>10} {:>10} {:>10}", "", "time", "target", "memory", "target");
    for row in &rows {
        println!(
            "{:<45} {:>10} {:>10} {:>10} {:>10}{}",
            row.name,
            shown(Some(row.cost.time), "ms"),
            limit(row.most_time, "ms"),
            shown(row.cost.memory, "MiB"),
            limit(row.most_memory, "MiB"),
            if row.missed() { "  missed" } else { "" },
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "a file is far below 2^52 bytes")]
    let size = std::fs::metadata(AKIT)?.len() as f64 / 1e6;
    let missed = if size > 16.0 { "  missed" } else { "" };
    println!("{:<45} {:>10} {:>10}{missed}", "binary", shown(Some(size), "MB"), "16.0 MB");
    Ok(rows.iter().filter(|row| row.missed()).count() + usize::from(size > 16.0))
}

/// Judges recorded answers and stores the run as `stored.json`, and two copies under other names in `earlier`.
fn stored(place: &Path, suite: &str) -> Outcome<()> {
    let (scenario, replies) = (format!("{suite}.yaml"), format!("{suite}.jsonl"));
    once(&["run", &scenario, "--replies", &replies, "--json", "stored.json"], place, 0)?;
    let text = std::fs::read_to_string(place.join("stored.json"))?;
    std::fs::create_dir(place.join("earlier"))?;
    for name in ["a", "b"] {
        let other = text.replacen("\"run_id\": \"", &format!("\"run_id\": \"{name}"), 1);
        let other = other.replace("calls you today", "calls you tomorrow");
        std::fs::write(place.join("earlier").join(format!("{name}.json")), other)?;
    }
    Ok(())
}

impl Row {
    fn missed(&self) -> bool {
        let over = |value: f64, most: f64| most > 0.0 && value > most;
        over(self.cost.time, self.most_time) || over(self.cost.memory.unwrap_or(0.0), self.most_memory)
    }
}

fn shown(value: Option<f64>, unit: &str) -> String {
    value.map_or("unknown".to_owned(), |value| format!("{value:.1} {unit}"))
}

fn limit(value: f64, unit: &str) -> String {
    if value > 0.0 { shown(Some(value), unit) } else { String::new() }
}

/// Runs akit several times; takes the median time and the peak memory.
fn row(name: &'static str, arguments: &[&str], place: &Path, bounds: (usize, f64, f64)) -> Outcome<Row> {
    timed(name, (arguments, 0), place, bounds)
}

/// The same for a command that exits with 4 because something is missing.
fn failing(name: &'static str, arguments: &[&str], place: &Path, bounds: (usize, f64, f64)) -> Outcome<Row> {
    timed(name, (arguments, 4), place, bounds)
}

fn timed(
    name: &'static str,
    (arguments, code): (&[&str], i32),
    place: &Path,
    (times, most_time, most_memory): (usize, f64, f64),
) -> Outcome<Row> {
    let mut taken = Vec::new();
    let mut memory = None;
    for _ in 0..times {
        let cost = once(arguments, place, code)?;
        taken.push(cost.time);
        memory = cost.memory.max_by(memory);
    }
    let cost = Cost { time: median(taken), memory, cpu: None };
    Ok(Row { name, cost, most_time, most_memory })
}

//! What akit costs: start-up, reading, judging, reporting, and a run against a server that takes 20 ms.
//!
//! `cargo bench` prints a table with the targets. Times are medians from start to end of the
//! process; memory is the most that it held at once. See docs/benchmarks.md.
#![expect(clippy::print_stdout, reason = "a table is what this is for")]

mod server;
mod suite;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The program that is measured.
const AKIT: &str = env!("CARGO_BIN_EXE_akit");

/// First argument of this program when it only starts another one and tells its memory.
const WATCH: &str = "watch-one-process";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What one process took.
#[derive(Clone, Copy)]
struct Cost {
    /// Milliseconds.
    time: f64,
    /// MiB, where the system tells.
    memory: Option<f64>,
}

/// A row of the table: a limit of 0 is none.
struct Row {
    name: &'static str,
    cost: Cost,
    most_time: f64,
    most_memory: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.get(1) {
        Some(first) if first == WATCH => watch(&arguments[2..]),
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Outcome<()> {
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
    let every = [
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
    let formats = [&["report", "stored.json"][..], &every].concat();
    let beside = [&formats[..], &["--history", "earlier"]].concat();
    let records = ["--cache-dir", "records"];
    once(&[&live[..], &records].concat(), place, 0)?;
    let missing = [&live[..], &records, &["--replay", "--target-version", "2"]].concat();
    let why =
        ["cache", "why", "five.yaml", "-m", "bench", "--base-url", server.as_str(), "--target-version", "2"];
    let why = [&why[..], &records].concat();
    let rows = [
        row("--version", &["--version"], place, (40, 10.0, 15.0))?,
        row("validate, 1,000 cases", &["validate", "thousand.yaml"], place, (20, 50.0, 0.0))?,
        row("1,000 replies, all reports", &replies, place, (20, 150.0, 0.0))?,
        row("5,000 stored cases, all formats", &formats, place, (10, 1_000.0, 0.0))?,
        row("the same, beside two earlier runs", &beside, place, (5, 0.0, 0.0))?,
        row("5,000 cases, 20 ms each, -c 50, --cache off", &unrecorded, place, (5, 2_300.0, 60.0))?,
        row("the same, answers recorded", &live, place, (3, 0.0, 0.0))?,
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
    let missed = rows.iter().filter(|row| row.missed()).count() + usize::from(size > 16.0);
    if missed > 0 { Err(format!("targets missed: {missed}").into()) } else { Ok(()) }
}

/// Judges recorded replies and leaves the run behind as `stored.json`, and twice under another name in `earlier`.
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

/// Runs akit so many times: the median time and the largest memory.
fn row(name: &'static str, arguments: &[&str], place: &Path, bounds: (usize, f64, f64)) -> Outcome<Row> {
    timed(name, (arguments, 0), place, bounds)
}

/// The same for a command that finds something missing.
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
    taken.sort_by(f64::total_cmp);
    let cost = Cost { time: taken[taken.len() / 2], memory };
    Ok(Row { name, cost, most_time, most_memory })
}

trait Larger {
    fn max_by(self, other: Self) -> Self;
}

impl Larger for Option<f64> {
    fn max_by(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Runs akit once, under a small process of its own, so that the memory is that of one run alone.
fn once(arguments: &[&str], place: &Path, code: i32) -> Outcome<Cost> {
    let records = place.join(".akit");
    if records.exists() {
        std::fs::remove_dir_all(records)?;
    }
    let me: PathBuf = std::env::current_exe()?;
    let output = Command::new(me)
        .arg(WATCH)
        .arg(code.to_string())
        .args(arguments)
        .current_dir(place)
        .env_clear()
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace();
    let (Some("took"), Some(time), memory) = (words.next(), words.next(), words.next()) else {
        return Err(format!("akit {}: {text}", arguments.join(" ")).into());
    };
    Ok(Cost { time: time.parse()?, memory: memory.map(str::parse).transpose()? })
}

/// Runs akit and prints what it took; any exit code but the first argument is an error.
fn watch(arguments: &[String]) -> Outcome<()> {
    let Some((code, arguments)) = arguments.split_first() else { return Err("no arguments".into()) };
    let began = Instant::now();
    let status = Command::new(AKIT)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    if status.code() != code.parse().ok() {
        return Err(format!("ended with {status}").into());
    }
    println!("took {took} {}", memory()?);
    Ok(())
}

/// The most that a child held at once, in MiB; nothing where the system does not tell.
#[cfg(target_os = "linux")]
fn memory() -> Outcome<String> {
    use nix::sys::resource::{UsageWho, getrusage};
    let kibibytes = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    let mebibytes = kibibytes as f64 / 1024.0;
    Ok(mebibytes.to_string())
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Outcome<String> {
    Ok(String::new())
}

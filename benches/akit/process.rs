//! akit as a process: time, memory and CPU of a run.
#![expect(clippy::print_stdout, reason = "the watching process reports to its parent")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Outcome, WATCH};

/// The program to measure.
pub(crate) const AKIT: &str = env!("CARGO_BIN_EXE_akit");

/// The cost of one process.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Wall time in milliseconds.
    pub(crate) time: f64,
    /// Peak memory in MiB, if the system reports it.
    pub(crate) memory: Option<f64>,
    /// CPU time in milliseconds, if the system reports it.
    pub(crate) cpu: Option<f64>,
}

/// The median.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The larger of two values, if they are known.
pub(crate) trait Larger {
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

/// Runs akit once. A small parent process of its own makes sure that only this run's memory counts.
pub(crate) fn once(arguments: &[&str], place: &Path, code: i32) -> Outcome<Cost> {
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
    let (Some("took"), Some(time)) = (words.next(), words.next()) else {
        return Err(format!("akit {}: {text}", arguments.join(" ")).into());
    };
    let mut more = words.map(str::parse);
    Ok(Cost { time: time.parse()?, memory: more.next().transpose()?, cpu: more.next().transpose()? })
}

/// Runs akit and prints its cost; fails unless the exit code equals the first argument.
pub(crate) fn watch(arguments: &[String]) -> Outcome<()> {
    let Some((code, arguments)) = arguments.split_first() else { return Err("no arguments".into()) };
    let began = Instant::now();
    let status = Command::new(AKIT)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    // Minus one accepts any exit code.
    if code != "-1" && status.code() != code.parse().ok() {
        return Err(format!("ended with {status}").into());
    }
    println!("took {took} {}", used()?);
    Ok(())
}

/// Runs another program the same way; returns its output and cost.
pub(crate) fn command(words: &[&str], place: &Path) -> Outcome<(String, Cost)> {
    let me: PathBuf = std::env::current_exe()?;
    let output = Command::new(me).arg(crate::WATCH_OTHER).args(words).current_dir(place).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (said, took) = text.rsplit_once("took ").ok_or("it did not end")?;
    let mut words = took.split_whitespace().map(str::parse);
    let mut next = || words.next().transpose();
    let (time, memory, cpu) = (next()?, next()?, next()?);
    Ok((said.to_owned(), Cost { time: time.unwrap_or(f64::NAN), memory, cpu }))
}

/// Runs a program and prints its output and cost.
pub(crate) fn watch_other(words: &[String]) -> Outcome<()> {
    let Some((program, arguments)) = words.split_first() else { return Err("no program".into()) };
    let began = Instant::now();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    println!("{}\ntook {took} {}", String::from_utf8_lossy(&output.stdout), used()?);
    Ok(())
}

/// Peak memory of a child in MiB and its CPU time in milliseconds; empty if the system does not report them.
#[cfg(target_os = "linux")]
fn used() -> Outcome<String> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::{TimeVal, TimeValLike as _};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    let mebibytes = usage.max_rss() as f64 / 1024.0;
    #[expect(clippy::cast_precision_loss, reason = "a run takes far less than 2^52 microseconds")]
    let milliseconds = |time: TimeVal| time.num_microseconds() as f64 / 1e3;
    Ok(format!("{mebibytes} {}", milliseconds(usage.user_time()) + milliseconds(usage.system_time())))
}

#[cfg(not(target_os = "linux"))]
fn used() -> Outcome<String> {
    Ok(String::new())
}

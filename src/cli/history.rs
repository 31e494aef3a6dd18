//! `akit history`: stored runs beside each other.

use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use super::past::{self, Unreadable};
use super::{Status, terminal};
use crate::analysis::Trend;
use crate::environment::Environment;
use crate::report::{html, trend};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Runs stored by `akit run --json`, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write one HTML page that opens from disk
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn history(args: &HistoryArgs, environment: &Environment) -> Result<Status, Status> {
    let files = past::find(&args.paths)?;
    past::check(&files, "name what `akit run --json FILE` stored, or folders of it")?;
    let inputs: Vec<_> = past::named(Some(&files)).collect();
    let [page] = Output::open_all([&args.html], &inputs, environment)?;
    let mut trouble = Unreadable::default();
    let trend = Trend::of(past::runs(&files, &mut trouble));
    trouble.end();
    if trend.runs.is_empty() {
        terminal::error("there is no stored run", "runs are stored by `akit run --json FILE`");
        return Ok(Status::Nothing);
    }
    let data = || trend::data(&trend).map_err(|error| Status::Invalid.because(error.to_string(), ""));
    let shown = if args.json { data()? } else { trend::of_trend(&trend) };
    Output::tell([(page, html::of_trend(&trend))], |_| shown);
    Ok(Status::Passed)
}

//! `akit history`: trends over stored runs.

use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use super::past::{self, LeftOut};
use super::{Status, terminal};
use crate::analysis::Trend;
use crate::environment::Environment;
use crate::report::{html, trend};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Runs stored by `akit run --json`, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write the trends as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn history(args: &HistoryArgs, environment: &Environment) -> Result<Status, Status> {
    let files = past::find(&args.paths)?;
    past::check(&files, "pass runs stored by `akit run --json FILE`, or folders of them")?;
    let inputs: Vec<_> = past::named(Some(&files)).collect();
    let [page, data] = Output::open_all([&args.html, &args.json], &inputs, environment)?;
    let mut left_out = LeftOut::default();
    let trend = Trend::of(past::runs(&files, &mut left_out));
    left_out.warn();
    if trend.runs.is_empty() {
        terminal::error("no stored run found", "store runs with `akit run --json FILE`");
        return Ok(Status::Nothing);
    }
    let html = html::of_trend(&trend).map_err(|error| error.to_string());
    let json = trend::data(&trend).map_err(|error| error.to_string());
    Output::tell([(page, html), (data, json)], |_| trend::of_trend(&trend));
    Ok(Status::Passed)
}

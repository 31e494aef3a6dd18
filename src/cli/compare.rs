//! `akit compare`: two stored runs side by side. It never gates.

use std::path::PathBuf;

use clap::Args;

use super::gate::unread;
use super::output::Output;
use super::{Status, terminal};
use crate::analysis::compare::Comparison;
use crate::history;
use crate::report::{compare, json};

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The first run, stored by `akit run --json`
    base: PathBuf,
    /// The second run
    head: PathBuf,
    /// Write one HTML page that opens from disk
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the comparison as JSON; `-` is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn compare(args: &CompareArgs) -> Status {
    match try_compare(args) {
        Ok(()) => Status::Passed,
        Err(status) => status,
    }
}

fn try_compare(args: &CompareArgs) -> Result<(), Status> {
    let read = |path| history::read_run(path).map_err(|error| unread(&error));
    let (base, head) = (read(&args.base)?, read(&args.head)?);
    let outputs = Output::open_all([&args.html, &args.json], &[&args.base, &args.head]);
    let [page, data] = outputs.map_err(|()| Status::Invalid)?;
    let Some(comparison) = Comparison::of(&base, &head) else {
        terminal::error(
            "the two runs have no case in common",
            "cases belong together by the name of their scenario and their id",
        );
        return Err(Status::Nothing);
    };
    let to_stdout = [&page, &data].into_iter().flatten().any(|output| matches!(output, Output::Stdout));
    for (output, rendered) in [(page, compare::html(&comparison)), (data, json::pretty(&comparison))] {
        match (output, rendered) {
            (Some(output), Ok(text)) => output.write(&text),
            (Some(_), Err(error)) => terminal::error(&error.to_string(), ""),
            (None, _) => {}
        }
    }
    if to_stdout {
        terminal::say(&compare::console(&comparison, terminal::stderr_ink()));
    } else {
        terminal::out(&compare::console(&comparison, terminal::stdout_ink()));
    }
    Ok(())
}

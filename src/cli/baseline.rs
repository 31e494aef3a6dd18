//! `akit baseline`: the results that later runs are compared with.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Status, terminal};
use crate::history::{self, HistoryError};
use crate::manifest::{Baseline, Ended};
use crate::source::slashed;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Add the trials of a stored run; the file is made when it is missing
    Update {
        /// Run stored by `akit run --json`
        run: PathBuf,
        /// Baseline file
        #[arg(long, value_name = "FILE", default_value = "akit-baseline.json")]
        baseline: PathBuf,
    },
}

pub(super) fn baseline(args: &BaselineArgs) -> Status {
    let BaselineCommand::Update { run, baseline } = &args.command;
    match update(run, baseline) {
        Ok(text) => {
            terminal::out(&text);
            Status::Passed
        }
        Err(error) => {
            let help = match &error {
                HistoryError::Foreign { .. } => "runs are stored by `akit run --json FILE`",
                _ => "check the path",
            };
            terminal::error(&error.to_string(), help);
            Status::Invalid
        }
    }
}

fn update(run: &std::path::Path, path: &std::path::Path) -> Result<String, HistoryError> {
    let run = history::read_run(run)?;
    let mut baseline = match history::read_baseline(path) {
        Err(HistoryError::Missing(_)) => Baseline::empty(),
        other => other?,
    };
    baseline.add(&run, None);
    history::write_baseline(path, &baseline)?;
    let counts = run.counts();
    let mut text = format!(
        "{}: added {} ({} passed, {} failed); it holds {}",
        slashed(path),
        text::count(counts.judged(), "judged case"),
        counts.passed,
        counts.failed,
        text::count(baseline.cases.len(), "case"),
    );
    if counts.errored > 0 {
        text.push_str("; ");
        text.push_str(&text::count(counts.errored, "case"));
        text.push_str(" could not be judged and changed nothing");
    }
    if run.ended != Ended::Complete {
        text.push_str("; the run had not ended by itself");
    }
    Ok(text)
}

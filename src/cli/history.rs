//! `akit history`: stored runs beside each other.

use std::path::{Path, PathBuf};

use clap::Args;
use walkdir::WalkDir;

use super::{Status, terminal};
use crate::history::{self, Trend};
use crate::report::trend;
use crate::source::slashed;
use crate::text;

/// Files that are told one by one when they cannot be read.
const TOLD: usize = 10;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Runs stored by `akit run --json`, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn history(args: &HistoryArgs) -> Status {
    let files = match files(&args.paths) {
        Ok(files) => files,
        Err(status) => return status,
    };
    let mut skipped = 0;
    let read = files.iter().filter_map(|file| {
        let stored = history::read_stored(file);
        if let Err(error) = &stored {
            skipped += 1;
            if skipped <= TOLD {
                terminal::warning(&error.to_string(), "");
            }
        }
        stored.ok()
    });
    let trend = Trend::of(read);
    if skipped > TOLD {
        terminal::warning(&format!("{} more could not be read", text::count(skipped - TOLD, "file")), "");
    }
    if trend.runs.is_empty() {
        terminal::error("there is no stored run", "runs are stored by `akit run --json FILE`");
        return Status::Nothing;
    }
    if !args.json {
        terminal::out(&trend::of_trend(&trend));
        return Status::Passed;
    }
    match trend::data(&trend) {
        Ok(text) => terminal::out(&text),
        Err(error) => terminal::error(&error.to_string(), ""),
    }
    Status::Passed
}

/// The named files, and the JSON files below the named folders in the order of their paths.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Status> {
    let mut found = Vec::new();
    for path in paths {
        if !path.exists() {
            terminal::error(
                &format!("there is no `{}`", slashed(path)),
                "name stored runs or folders of them",
            );
            return Err(Status::Invalid);
        }
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_json(entry.path()) => {
                    found.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => terminal::warning(&error.to_string(), ""),
            }
        }
    }
    Ok(found)
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

//! Stored runs that a command reads besides its own: finds the files, and reports those that are not runs.

use std::path::{Path, PathBuf};

use clap::Args;
use walkdir::WalkDir;

use super::{Status, terminal};
use crate::gate::Decision;
use crate::history::{self, HistoryError, StoredRun};
use crate::manifest::RunManifest;
use crate::report::Past;
use crate::source::slashed;
use crate::text;

/// Maximum files that a warning lists.
const NAMED: usize = 3;

/// Which stored runs a report compares with.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PastArgs {
    /// Stored runs, or folders of them, whose answers are shown next to these; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Reports")]
    history: Vec<PathBuf>,
}

/// A file that may be a stored run.
pub(super) struct StoredFile {
    path: PathBuf,
    /// Whether the user named it; otherwise, it was found in a folder.
    named: bool,
}

impl PastArgs {
    /// Finds the files, and reads those the user named, so that errors in them are reported before anything is sent.
    /// `None` if none are requested; an error if no report would show them.
    pub(super) fn find(&self, is_shown: bool) -> Result<Option<Vec<StoredFile>>, Status> {
        if self.history.is_empty() {
            return Ok(None);
        }
        if !is_shown {
            return Err(Status::Invalid.because(
                "`--history` only affects the HTML page, Markdown and the comment, but this command writes none of them",
                "nothing was sent; add `--html FILE`, or see `akit history`",
            ));
        }
        let files = find(&self.history)?;
        check(&files, "nothing was sent; pass runs stored by `akit run --json FILE`, or folders of them")?;
        Ok(Some(files))
    }
}

/// Reads the files the user named, and reports what is wrong with them. A file found in a folder may be anything.
pub(super) fn check(files: &[StoredFile], help: &str) -> Result<(), Status> {
    let mut wrong = false;
    for file in files.iter().filter(|file| file.named) {
        if let Err(error) = history::read_stored(&file.path) {
            terminal::error(&error.to_string(), help);
            wrong = true;
        }
    }
    if wrong { Err(Status::Invalid) } else { Ok(()) }
}

/// Paths of the named files, which no report may overwrite.
pub(super) fn named(files: Option<&Vec<StoredFile>>) -> impl Iterator<Item = &Path> {
    files.into_iter().flatten().filter(|file| file.named).map(|file| file.path.as_path())
}

/// What the stored runs in these files add to a decided run; empty without files.
pub(super) fn read(files: Option<&Vec<StoredFile>>, run: &RunManifest, decision: &Decision) -> Past {
    let Some(files) = files else { return Past::default() };
    let mut left_out = LeftOut::default();
    let past = Past::of(run, decision, runs(files, &mut left_out));
    left_out.warn_of_unreadable();
    past
}

/// The stored runs among these files, one at a time; all others are left out.
pub(super) fn runs<'a>(
    files: &'a [StoredFile],
    left_out: &'a mut LeftOut,
) -> impl Iterator<Item = StoredRun> + 'a {
    files.iter().filter_map(|file| match history::read_stored_among(&file.path) {
        Ok(Some(stored)) => Some(stored),
        Ok(None) => {
            left_out.others.push(slashed(&file.path));
            None
        }
        Err(error) => {
            left_out.unreadable.push(error);
            None
        }
    })
}

/// Files in a folder that are skipped.
#[derive(Default)]
pub(super) struct LeftOut {
    /// JSON that is not a stored run.
    others: Vec<String>,
    unreadable: Vec<HistoryError>,
}

impl LeftOut {
    /// Reports all skipped files, one line for each of the two reasons.
    pub(super) fn warn(&self) {
        if !self.others.is_empty() {
            let names: Vec<_> = self.others.iter().map(|name| format!("`{name}`")).collect();
            let are = if self.others.len() == 1 { "is not a stored run" } else { "are not stored runs" };
            let skipped = text::count(self.others.len(), "file");
            terminal::warning(&format!("skipped {skipped} that {are}: {}", first(&names, ", ")), "");
        }
        self.warn_of_unreadable();
    }

    fn warn_of_unreadable(&self) {
        if !self.unreadable.is_empty() {
            let reasons: Vec<_> = self.unreadable.iter().map(ToString::to_string).collect();
            let skipped = text::count(reasons.len(), "file");
            terminal::warning(&format!("skipped {skipped}: {}", first(&reasons, "; ")), "");
        }
    }
}

/// The first few of these strings, and how many more there are.
fn first(all: &[String], between: &str) -> String {
    let named = all[..all.len().min(NAMED)].join(between);
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}{between}and {} more", text::number::size(more)),
    }
}

/// The named files, and the JSON files in the named folders, sorted by path.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<StoredFile>, Status> {
    let mut found = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(Status::Invalid.because(
                format!("no such file or folder: `{}`", slashed(path)),
                "pass stored runs, or folders of them",
            ));
        }
        if !path.is_dir() {
            found.push(StoredFile { path: path.clone(), named: true });
            continue;
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_json(entry.path()) => {
                    found.push(StoredFile { path: entry.into_path(), named: false });
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

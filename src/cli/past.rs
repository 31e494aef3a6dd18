//! Stored runs that a command reads beside its own: which files they are, and what is no run among them.

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

/// Files that are told one by one when they cannot be read.
const TOLD: usize = 10;

/// Which stored runs stand beside a report.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PastArgs {
    /// Stored runs, or folders of them, whose answers are shown beside these; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Reports")]
    history: Vec<PathBuf>,
}

/// A file that may be a stored run.
pub(super) struct StoredFile {
    path: PathBuf,
    /// Named as it is, and not found in a folder.
    named: bool,
}

impl PastArgs {
    /// Finds the files, and reads those that were named: what is wrong with them is told before anything is
    /// sent. `None` where none was asked for; an error where nothing would show them.
    pub(super) fn find(&self, is_shown: bool) -> Result<Option<Vec<StoredFile>>, Status> {
        if self.history.is_empty() {
            return Ok(None);
        }
        if !is_shown {
            return Err(Status::Invalid.because(
                "`--history` is for the HTML page, Markdown and the comment, and none is written",
                "nothing was sent; add `--html FILE`, or see `akit history`",
            ));
        }
        let files = find(&self.history)?;
        check(
            &files,
            "nothing was sent; `--history` takes runs stored by `akit run --json FILE`, or folders of them",
        )?;
        Ok(Some(files))
    }
}

/// Reads the files that were named, and tells what is wrong with them. One that was only found in a folder may be
/// anything.
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

/// The paths of files that were named, which no report may replace.
pub(super) fn named(files: Option<&Vec<StoredFile>>) -> impl Iterator<Item = &Path> {
    files.into_iter().flatten().filter(|file| file.named).map(|file| file.path.as_path())
}

/// What these files say beside a decided run; empty without files to look at.
pub(super) fn read(files: Option<&Vec<StoredFile>>, run: &RunManifest, decision: &Decision) -> Past {
    let Some(files) = files else { return Past::default() };
    let mut trouble = Unreadable::default();
    let past = Past::of(
        run,
        decision,
        files.iter().filter_map(|file| match history::read_stored_among(&file.path) {
            Ok(stored) => stored,
            Err(error) => {
                trouble.tell(&error);
                None
            }
        }),
    );
    trouble.end();
    past
}

/// The stored runs among these files, one at a time; what is none is told and skipped.
pub(super) fn runs<'a>(
    files: &'a [StoredFile],
    trouble: &'a mut Unreadable,
) -> impl Iterator<Item = StoredRun> + 'a {
    files
        .iter()
        .filter_map(|file| history::read_stored(&file.path).map_err(|error| trouble.tell(&error)).ok())
}

/// Files that could not be read.
#[derive(Default)]
pub(super) struct Unreadable(usize);

impl Unreadable {
    fn tell(&mut self, error: &HistoryError) {
        self.0 += 1;
        if self.0 <= TOLD {
            terminal::warning(&error.to_string(), "");
        }
    }

    /// Counts those that were not told one by one.
    pub(super) fn end(self) {
        if self.0 > TOLD {
            terminal::warning(&format!("{} more could not be read", text::count(self.0 - TOLD, "file")), "");
        }
    }
}

/// The named files, and the JSON files below the named folders in the order of their paths.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<StoredFile>, Status> {
    let mut found = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(Status::Invalid
                .because(format!("there is no `{}`", slashed(path)), "name stored runs or folders of them"));
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

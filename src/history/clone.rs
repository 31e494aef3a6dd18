//! What a clone has, to explain why a comparison is not possible. Never contacts a remote.

use std::path::Path;

use super::Pipeline;
use super::base::choose;
use super::git::{Commits as _, Git, GitError, short};

/// A clone.
#[derive(Debug)]
pub struct LocalClone {
    /// Whether its history ends early.
    pub shallow: bool,
    /// The commit that a change is compared with, as reports show it.
    pub base: Result<String, GitError>,
}

/// How git keeps a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The path itself, or a file below it, is committed or staged.
    Tracked,
    /// `.gitignore` excludes it.
    Ignored,
    /// It is neither tracked nor ignored.
    Untracked,
}

impl LocalClone {
    /// The clone that a folder is in.
    ///
    /// # Errors
    /// Without git or a repository.
    pub fn around(folder: &Path, pipeline: &Pipeline) -> Result<Self, GitError> {
        let git = Git::open(Some(folder))?;
        let base = choose(&git, pipeline);
        let base = base.map(|base| format!("{} ({})", short(&base.commit), base.role));
        Ok(Self { shallow: git.shallow()?, base })
    }
}

/// How git keeps a path of the current folder's repository.
///
/// # Errors
/// Without git or a repository.
pub fn kept(path: &Path) -> Result<Kept, GitError> {
    let git = Git::here()?;
    let path = path.to_string_lossy();
    let says = |arguments: &[&str]| {
        git.run(arguments, "").map(|output| output.status.success() && !output.stdout.is_empty())
    };
    Ok(if says(&["--literal-pathspecs", "ls-files", "--", &path])? {
        Kept::Tracked
    } else if says(&["check-ignore", "--", &path])? {
        Kept::Ignored
    } else {
        Kept::Untracked
    })
}

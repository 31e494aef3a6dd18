//! Where a baseline is stored: in a file, in a commit, or on its own git ref.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::git::{Git, RefState, short};
use super::{HistoryError, Pipeline, base, parse, read_baseline, render, write_baseline};
use crate::baseline::Baseline;
use crate::source::slashed;

/// The revision that means the commit a change is compared with.
const BASE: &str = "base";

/// How many times an update of a ref is tried while others update it, too.
const TRIES: u32 = 5;

/// Where a baseline is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// `git:REVISION:PATH`: a file in a commit, as `git show` finds it; the revision `base` is the commit
    /// that a change is compared with.
    Revision {
        /// The revision.
        revision: String,
        /// The path from the root of the repository, or from the current folder if it starts with `./`.
        path: String,
    },
    /// `git-ref:NAME`: the file on `refs/akit/NAME`.
    Ref(String),
}

/// Why a string does not name a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// It is empty.
    #[error("the baseline has no name; for example `akit-baseline.json`")]
    Empty,
    /// `git:` without its two parts, or with parts that git does not accept.
    #[error("`{0}` is not a path in git; write it as `git:REVISION:PATH`")]
    Revision(String),
    /// A name that git does not accept.
    #[error(
        "`{0}` is not a ref name: use letters, digits, `-`, `_` and `.`, with `/` between parts; for example `git-ref:akit/main`"
    )]
    Ref(String),
}

impl Place {
    /// Reads `FILE`, `git:REVISION:PATH` or `git-ref:NAME`.
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        if let Some(rest) = text.strip_prefix("git:") {
            let bad = || BadPlace::Revision(text.to_owned());
            let (revision, path) = rest.split_once(':').ok_or_else(bad)?;
            // Git would read a leading `-` as an option.
            let right = |part: &str| {
                !part.is_empty() && !part.starts_with('-') && !part.contains(|c: char| c.is_control())
            };
            if !right(revision) || revision.contains(' ') || !right(path) || path.starts_with('/') {
                return Err(bad());
            }
            return Ok(Self::Revision { revision: revision.to_owned(), path: path.to_owned() });
        }
        if let Some(name) = text.strip_prefix("git-ref:") {
            let part = |part: &str| {
                let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                !part.is_empty()
                    && part.chars().all(letters)
                    && !part.starts_with(['.', '-'])
                    && !part.ends_with('.')
                    && part.strip_suffix(".lock").is_none()
                    && !part.contains("..")
            };
            return if name.split('/').all(part) {
                Ok(Self::Ref(name.to_owned()))
            } else {
                Err(BadPlace::Ref(text.to_owned()))
            };
        }
        if text.is_empty() { Err(BadPlace::Empty) } else { Ok(Self::File(PathBuf::from(text))) }
    }

    /// The path, if the place is a file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Place::File(path) => Some(path),
            Place::Revision { .. } | Place::Ref(_) => None,
        }
    }
}

impl Place {
    /// The place of a file in the commit that a change is compared with; `path` starts at the root.
    #[must_use]
    pub fn at_base(path: &str) -> Self {
        Self::Revision { revision: BASE.to_owned(), path: path.to_owned() }
    }

    /// The file that is read at the base of the change, relative to the root of its repository.
    #[must_use]
    pub fn at_base_of_change(&self) -> Option<String> {
        match self {
            Place::Revision { revision, .. } if revision == BASE => self.of_change(),
            Place::File(_) | Place::Revision { .. } | Place::Ref(_) => None,
        }
    }

    /// The file as the change has it, relative to the root of its repository, if the place is in a commit.
    #[must_use]
    pub fn of_change(&self) -> Option<String> {
        match self {
            Place::Revision { path, .. } if is_from_here(path) => Some(from_root(&here(), path)),
            Place::Revision { path, .. } => Some(path.clone()),
            Place::File(_) | Place::Ref(_) => None,
        }
    }

    /// The place where a change writes what is read here: for a place in a commit, the same file in the working tree, from
    /// the current folder.
    #[must_use]
    pub fn own(&self) -> Self {
        let Place::Revision { path, .. } = self else { return self.clone() };
        Place::File(PathBuf::from(match path.strip_prefix("./") {
            Some(path) => path.to_owned(),
            None if is_from_here(path) => path.clone(),
            None => seen_from(&here(), path),
        }))
    }
}

/// Whether a path within a commit starts at the current folder, and not at the root.
fn is_from_here(path: &str) -> bool {
    path.starts_with("./") || path.starts_with("../")
}

/// The path of the current folder from the root of its repository.
fn here() -> String {
    Git::here().and_then(|git| git.prefix()).unwrap_or_default()
}

/// Converts a path that is relative to a folder of a repository to one that is relative to the root.
fn from_root(folder: &str, path: &str) -> String {
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Converts a path that is relative to the root of a repository to one that is relative to one of its folders.
fn seen_from(folder: &str, path: &str) -> String {
    let mut rest = path;
    let mut up = folder.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(below) = up.peek().and_then(|part| rest.strip_prefix(part)?.strip_prefix('/')) {
        rest = below;
        up.next();
    }
    "../".repeat(up.count()) + rest
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path) => f.write_str(&slashed(path)),
            Place::Revision { revision, path } => write!(f, "git:{revision}:{path}"),
            Place::Ref(name) => write!(f, "git-ref:{name}"),
        }
    }
}

/// Reads a baseline, and says where it was found.
///
/// # Errors
/// [`HistoryError::Missing`] if there is none. Any other error means that there may be one that cannot be read.
pub fn read_baseline_at(place: &Place, pipeline: &Pipeline) -> Result<(Baseline, String), HistoryError> {
    match place {
        Place::File(path) => Ok((read_baseline(path)?, slashed(path))),
        Place::Revision { revision, path } if revision == BASE => {
            let git = Git::here()?;
            base::read(&git, &base::choose(&git, pipeline)?, path)
        }
        Place::Revision { revision, path } => {
            let git = Git::here()?;
            let commit = git.commit(revision)?;
            let text = git.file(&commit, path)?.ok_or_else(|| HistoryError::Missing(place.to_string()))?;
            let mut from = format!("{path} at {} ({revision})", short(&commit));
            let mut baseline = parse(&place.to_string(), &text)?;
            base::take_acceptances(&git, path, &mut baseline, &mut from)?;
            Ok((baseline, from))
        }
        Place::Ref(name) => {
            let git = Git::here()?;
            let _lock = lock(git.folder())?;
            let state = git.fetch(name)?.ok_or_else(|| HistoryError::Missing(place.to_string()))?;
            let from = format!("refs/akit/{name} at {}", short(&state.commit));
            Ok((parse(&place.to_string(), &state.text)?, from))
        }
    }
}

/// Changes a baseline without losing concurrent changes; a missing one starts out empty.
///
/// `change` may be called several times, each time with the newest state. If it changes nothing, nothing is written.
pub fn change_baseline<T>(
    place: &Place,
    mut change: impl FnMut(&mut Baseline) -> T,
) -> Result<T, HistoryError> {
    match place {
        Place::Revision { .. } => Err(HistoryError::Fixed(place.to_string())),
        Place::File(path) => {
            // A link is replaced at its target, so the lock belongs there.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)
                .map_err(|source| HistoryError::Write { path: slashed(path), source })?;
            let _lock = lock(folder)?;
            let before = match read_baseline(path) {
                Err(HistoryError::Missing(_)) => None,
                other => Some(other?),
            };
            let (done, after) = changed(before.as_ref(), &mut change);
            if let Some(after) = after {
                write_baseline(path, &after)?;
            }
            Ok(done)
        }
        Place::Ref(name) => {
            let git = Git::here()?;
            let _lock = lock(git.folder())?;
            for attempt in 1.. {
                let state = git.fetch(name)?;
                let before = match &state {
                    Some(RefState { text, .. }) => Some(parse(&place.to_string(), text)?),
                    None => None,
                };
                let (done, after) = changed(before.as_ref(), &mut change);
                let Some(after) = after else { return Ok(done) };
                let text = render(&after)
                    .map_err(|error| HistoryError::Write { path: place.to_string(), source: error.into() })?;
                match git.publish(name, &text, state.as_ref().map(|state| state.commit.as_str())) {
                    Ok(()) => return Ok(done),
                    Err(error) if attempt >= TRIES => return Err(error.into()),
                    // Someone else was faster: fetch what they wrote, and make the change on top of it.
                    Err(_) => std::thread::sleep(std::time::Duration::from_millis(100) * attempt),
                }
            }
            Err(HistoryError::Missing(place.to_string()))
        }
    }
}

/// What `change` returns, and the baseline if it was changed.
fn changed<T>(
    before: Option<&Baseline>,
    change: &mut impl FnMut(&mut Baseline) -> T,
) -> (T, Option<Baseline>) {
    let mut after = before.cloned().unwrap_or_else(Baseline::empty);
    let done = change(&mut after);
    let same = before.map_or(after == Baseline::empty(), |before| *before == after);
    (done, (!same).then_some(after))
}

/// Waits until no one else updates a baseline in this folder; dropping the lock releases it. The folder is locked,
/// because the file itself is replaced.
fn lock(folder: &Path) -> Result<File, HistoryError> {
    let take = || {
        let file = open(folder)?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(|source| HistoryError::Write { path: slashed(folder), source })
}

/// Opens the folder itself as the lock, which leaves no file behind.
#[cfg(unix)]
fn open(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

/// Opens a lock file, because this platform cannot open folders. The file is not removed, because then two processes
/// could hold the lock at once.
#[cfg(not(unix))]
fn open(folder: &Path) -> std::io::Result<File> {
    File::options().create(true).write(true).truncate(false).open(folder.join(".akit-baseline.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_distinguished_by_their_prefix() {
        let revision = |revision: &str, path: &str| Place::Revision {
            revision: revision.to_owned(),
            path: path.to_owned(),
        };
        for (text, place) in [
            ("b.json", Place::File("b.json".into())),
            ("gitlab/b.json", Place::File("gitlab/b.json".into())),
            ("-", Place::File("-".into())),
            ("git:origin/main:evals/b.json", revision("origin/main", "evals/b.json")),
            ("git:HEAD~2:./b.json", revision("HEAD~2", "./b.json")),
            ("git:base:b c.json", revision("base", "b c.json")),
            ("git-ref:nightly", Place::Ref("nightly".to_owned())),
            ("git-ref:team/a_1.2", Place::Ref("team/a_1.2".to_owned())),
        ] {
            assert_eq!(Place::parse(text).as_ref(), Ok(&place), "{text}");
            assert_eq!(place.to_string(), text);
        }
    }

    #[test]
    fn a_path_of_a_commit_is_written_as_the_current_folder_sees_it() {
        for (folder, path, seen) in [
            ("", "evals/b.json", "evals/b.json"),
            ("evals/", "evals/b.json", "b.json"),
            ("evals/deep/", "evals/b.json", "../b.json"),
            ("evals/", "b.json", "../b.json"),
            ("eval/", "evals/b.json", "../evals/b.json"),
            ("a/b/", "a/c/b.json", "../c/b.json"),
            ("evals/", "evals", "../evals"),
        ] {
            assert_eq!(seen_from(folder, path), seen, "{folder} {path}");
            assert_eq!(from_root(folder, &format!("./{seen}")), path, "{folder} {seen}");
        }
    }

    #[test]
    fn ambiguous_names_for_git_are_refused() {
        for text in [
            "",
            "git:",
            "git:main",
            "git::b.json",
            "git:main:",
            "git:--upload-pack=x:b.json",
            "git:main:-b",
            "git:main:/etc/passwd",
            "git:a b:c",
            "git:a\nb:c",
            "git-ref:",
            "git-ref:-x",
            "git-ref:a..b",
            "git-ref:a//b",
            "git-ref:/a",
            "git-ref:a/",
            "git-ref:.a",
            "git-ref:a.lock",
            "git-ref:a b",
            "git-ref:a:b",
            "git-ref:a+b",
            "git-ref:a*",
        ] {
            assert!(Place::parse(text).is_err(), "{text:?}");
        }
    }
}

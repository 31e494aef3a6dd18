//! Calls the `git` program: there is no shell and no prompt, and git never reads user input as an option.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The name of the baseline file on a ref.
const FILE: &str = "akit-baseline.json";

/// The author of commits if git has no user configured.
const IDENTITY: [&str; 4] = ["-c", "user.name=akit", "-c", "user.email=akit@localhost"];

/// The first seven digits of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Why git failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program cannot be started.
    #[error("cannot run git: {0}")]
    Start(#[from] std::io::Error),
    /// It exited with an error.
    #[error("git could not {doing}: {reason}")]
    Failed {
        /// What git was asked to do.
        doing: String,
        /// git's own message.
        reason: String,
    },
    /// There is no such commit.
    #[error("there is no commit `{0}` in this clone")]
    NoCommit(String),
    /// The repository has no commit at all.
    #[error("this repository has no commit yet; make the first one with `git commit`")]
    NoCommitYet,
    /// The commit has no such file, or it is not text.
    #[error("`{0}` in this commit is not readable text")]
    NoFile(String),
    /// Something is missing, perhaps because the history of this clone is cut off.
    #[error(
        "{0}, and this clone is shallow: fetch the whole history \
         (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: the variable `GIT_DEPTH: 0`)"
    )]
    Shallow(String),
    /// No commit to compare with.
    #[error("no branch to compare with: this clone has none of {0}")]
    NoTarget(String),
}

/// The repository of the current folder.
#[derive(Debug)]
pub(super) struct Git {
    folder: PathBuf,
    /// Where git is run; the current folder if `None`.
    within: Option<PathBuf>,
}

/// What a ref contains.
#[derive(Debug)]
pub(super) struct RefState {
    pub(super) commit: String,
    pub(super) text: String,
}

impl Git {
    /// The repository of the current folder.
    pub(super) fn here() -> Result<Self, GitError> {
        Self::open(None)
    }

    /// The repository of a folder.
    pub(super) fn open(within: Option<&Path>) -> Result<Self, GitError> {
        let mut git = Self { folder: PathBuf::new(), within: within.map(Path::to_path_buf) };
        let folder = git.must("find a repository here", &["rev-parse", "--git-common-dir"])?;
        git.folder = within.map_or_else(|| PathBuf::from(&folder), |within| within.join(&folder));
        Ok(git)
    }

    /// Where git keeps the repository.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the working tree that a path within a commit names: from the root, or from the current folder if it
    /// starts with `./`.
    pub(super) fn in_tree(&self, path: &str) -> Result<PathBuf, GitError> {
        let below = self.within.clone().unwrap_or_default();
        if path.starts_with("./") || path.starts_with("../") {
            return Ok(below.join(path));
        }
        let root = self.must("find the root of the repository", &["rev-parse", "--show-toplevel"])?;
        Ok(PathBuf::from(root).join(path))
    }

    /// The path of the current folder from the root, with `/` at its end; empty at the root.
    pub(super) fn prefix(&self) -> Result<String, GitError> {
        self.must("find the current folder in the repository", &["rev-parse", "--show-prefix"])
    }

    /// The full name of a commit.
    pub(super) fn commit(&self, revision: &str) -> Result<String, GitError> {
        match self.found(revision)? {
            Some(commit) => Ok(commit),
            None if self.shallow()? => {
                Err(GitError::Shallow(format!("there is no commit `{revision}` in this clone")))
            }
            None if revision == "HEAD" => Err(GitError::NoCommitYet),
            None => Err(GitError::NoCommit(revision.to_owned())),
        }
    }

    /// A file of a commit; `None` if the commit has no such file.
    pub(super) fn file(&self, commit: &str, path: &str) -> Result<Option<String>, GitError> {
        let name = format!("{commit}:{path}");
        if self.maybe(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?.is_none() {
            return Ok(None);
        }
        let doing = format!("read `{path}` of {}", short(commit));
        self.output(&doing, &["cat-file", "blob", &name], "").map(Some)
    }

    /// The newest state of a ref, fetched if there is a remote.
    pub(super) fn fetch(&self, name: &str) -> Result<Option<RefState>, GitError> {
        let reference = format!("refs/akit/{name}");
        if let Some(remote) = self.remote()? {
            let listed = self.must("query the remote", &["ls-remote", &remote, &reference])?;
            if listed.is_empty() {
                return Ok(None);
            }
            let spec = format!("+{reference}:{reference}");
            let options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
            let arguments = [&["fetch"], &options[..], &[&remote, &spec]].concat();
            self.must(&format!("fetch {reference}"), &arguments)?;
        }
        let Some(commit) = self.found(&reference)? else { return Ok(None) };
        let text = self.file(&commit, FILE)?.ok_or_else(|| GitError::Failed {
            doing: format!("read {reference}"),
            reason: format!("it has no {FILE}"),
        })?;
        Ok(Some(RefState { commit, text }))
    }

    /// Writes a string to a ref, unless the ref has moved from `old` (`None`: it did not exist).
    ///
    /// The commit has no parent, so that a ref that every run rewrites does not grow.
    pub(super) fn publish(&self, name: &str, text: &str, old: Option<&str>) -> Result<(), GitError> {
        let reference = format!("refs/akit/{name}");
        let blob = self.feed("store the baseline", &["hash-object", "-w", "--stdin"], text)?;
        let tree = self.feed("store the baseline", &["mktree"], &format!("100644 blob {blob}\t{FILE}\n"))?;
        let known = self.maybe(&["config", "--get", "user.email"])?.is_some();
        let identity = if known { &[] } else { &IDENTITY[..] };
        let arguments = [identity, &["commit-tree", "-m", "akit baseline", &tree]].concat();
        let commit = self.must("store the baseline", &arguments)?;
        let old = old.unwrap_or_default();
        if let Some(remote) = self.remote()? {
            let lease = format!("--force-with-lease={reference}:{old}");
            let spec = format!("{commit}:{reference}");
            self.must(
                &format!("push {reference}"),
                &["push", "--quiet", "--no-verify", &lease, &remote, &spec],
            )?;
        } else {
            self.must(&format!("move {reference}"), &["update-ref", &reference, &commit, old])?;
        }
        Ok(())
    }

    /// `origin`, else the only remote.
    fn remote(&self) -> Result<Option<String>, GitError> {
        let listed = self.must("list remotes", &["remote"])?;
        let remotes: Vec<_> = listed.lines().collect();
        match remotes.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some((*only).to_owned())),
            several if several.contains(&"origin") => Ok(Some("origin".to_owned())),
            several => Err(GitError::Failed {
                doing: "choose a remote".to_owned(),
                reason: format!("none of {} is named `origin`", crate::text::list(several)),
            }),
        }
    }

    /// What git prints, without the final line break.
    fn must(&self, doing: &str, arguments: &[&str]) -> Result<String, GitError> {
        self.feed(doing, arguments, "")
    }

    /// Like `must`, but with input for git.
    fn feed(&self, doing: &str, arguments: &[&str], input: &str) -> Result<String, GitError> {
        Ok(self.output(doing, arguments, input)?.trim_end_matches(['\n', '\r']).to_owned())
    }

    fn output(&self, doing: &str, arguments: &[&str], input: &str) -> Result<String, GitError> {
        let output = self.run(arguments, input)?;
        let failed = |reason: String| GitError::Failed { doing: doing.to_owned(), reason };
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(failed(crate::text::excerpt(words.trim(), 400)));
        }
        String::from_utf8(output.stdout).map_err(|_| failed("this is not UTF-8".to_owned()))
    }

    /// What git prints; `None` if it fails, which here only means "no".
    fn maybe(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let output = self.run(arguments, "")?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        Ok((output.status.success() && !text.is_empty()).then_some(text))
    }

    pub(super) fn run(&self, arguments: &[&str], input: &str) -> Result<Output, GitError> {
        let mut command = Command::new("git");
        command
            // A change may contain files that look like a repository, and git would run what their configuration says.
            .args(["-c", "safe.bareRepository=explicit"])
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            // A git hook that runs akit has set these for itself.
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_NAMESPACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(within) = &self.within {
            command.current_dir(within);
        }
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // If git does not read its input, it closes the pipe, and its exit code says how it went.
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(child.wait_with_output()?)
    }
}

/// A history of commits.
pub(super) trait Commits {
    /// The full name of a commit, if the history has it.
    fn found(&self, revision: &str) -> Result<Option<String>, GitError>;
    /// Its parents in order, as far as the history has them.
    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError>;
    /// The merge base of two commits.
    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError>;
    /// A commit and its chain of first parents, at most `most` of them.
    fn line(&self, commit: &str, most: usize) -> Result<Vec<String>, GitError>;
    /// Whether the history is cut off.
    fn shallow(&self) -> Result<bool, GitError>;
}

impl Commits for Git {
    fn found(&self, revision: &str) -> Result<Option<String>, GitError> {
        let name = format!("{revision}^{{commit}}");
        self.maybe(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
    }

    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError> {
        let line = self.must("read a commit", &["rev-list", "--parents", "--max-count=1", commit])?;
        Ok(line.split_whitespace().skip(1).map(str::to_owned).collect())
    }

    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        self.maybe(&["merge-base", one, other])
    }

    fn line(&self, commit: &str, most: usize) -> Result<Vec<String>, GitError> {
        let most = format!("--max-count={most}");
        let listed = self.must("list commits", &["rev-list", "--first-parent", &most, commit])?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    fn shallow(&self) -> Result<bool, GitError> {
        Ok(self.must("inspect the clone", &["rev-parse", "--is-shallow-repository"])? == "true")
    }
}

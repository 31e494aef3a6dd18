//! Where the repository is kept, and the pipeline that akit is given there.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::source::slashed;

/// Who runs the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Forge {
    /// A workflow of GitHub Actions
    Github,
    /// A part of .gitlab-ci.yml
    Gitlab,
    /// No pipeline
    None,
}

/// The repository that releases come from, as `owner/name`; a build for a release sets it.
const REPOSITORY: Option<&str> = option_env!("AKIT_REPOSITORY");

/// What stands where nobody said which repository it is.
const PLACEHOLDER: &str = "OWNER/akit";

impl Forge {
    /// Word on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Forge::Github => "github",
            Forge::Gitlab => "gitlab",
            Forge::None => "none",
        }
    }

    /// What the repository looks like: its remote, else the files of a pipeline.
    pub(super) fn find(root: &Path) -> Self {
        let config = std::fs::read_to_string(root.join(".git").join("config")).unwrap_or_default();
        let remotes: Vec<_> = config.lines().filter(|line| line.trim_start().starts_with("url")).collect();
        let remote = |name: &str| remotes.iter().any(|line| line.contains(name));
        if remote("github") {
            Forge::Github
        } else if remote("gitlab") {
            Forge::Gitlab
        } else if root.join(".github").is_dir() {
            Forge::Github
        } else if root.join(".gitlab-ci.yml").is_file() {
            Forge::Gitlab
        } else {
            Forge::None
        }
    }

    /// The pipeline's file and its text, where there is one.
    pub(super) fn pipeline(self, scenarios: &str) -> Option<(&'static str, String)> {
        let (path, template, indentation) = match self {
            Forge::Github => (".github/workflows/akit.yml", include_str!("github.yml"), "      "),
            Forge::Gitlab => (".gitlab-ci.yml", include_str!("gitlab.yml"), ""),
            Forge::None => return None,
        };
        let note = match REPOSITORY {
            Some(_) => String::new(),
            None => format!(
                "{indentation}# Put the repository that akit comes from in the place of {PLACEHOLDER}.\n"
            ),
        };
        let text = template
            .replace("\r\n", "\n")
            .replace("NOTE", &note)
            .replace("REPOSITORY", REPOSITORY.unwrap_or(PLACEHOLDER))
            .replace("VERSION", env!("CARGO_PKG_VERSION"))
            .replace("SCENARIOS", &crate::import::scalar(scenarios));
        Some((path, text))
    }

    /// Whether the pipeline names a repository that nobody has.
    pub(super) fn is_open(self) -> bool {
        self != Forge::None && REPOSITORY.is_none()
    }
}

/// The root of the repository that holds a folder; the folder itself where there is none.
pub(super) fn root_of(folder: &Path) -> PathBuf {
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let full = full.canonicalize().unwrap_or(full);
    full.ancestors().find(|above| above.join(".git").exists()).map_or(full.clone(), Path::to_path_buf)
}

/// A folder as it is called from the root; as it is given where it lies elsewhere.
pub(super) fn below(root: &Path, folder: &Path) -> String {
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    // The folder may not be there yet, but what is above it is.
    let known = full.ancestors().find(|above| above.exists()).unwrap_or(&full);
    let rest = full.strip_prefix(known).unwrap_or(Path::new(""));
    let full = known.canonicalize().map_or_else(|_| full.clone(), |known| known.join(rest));
    slashed(full.strip_prefix(root).unwrap_or(folder))
}

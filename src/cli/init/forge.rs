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
        let hosts = remotes(&config);
        let remote = |name: &str| hosts.iter().any(|host| host.contains(name));
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

/// The servers of the remotes in a configuration of git: that of `origin` where it is there, else all.
fn remotes(config: &str) -> Vec<String> {
    let (mut section, mut hosts) = (String::new(), Vec::new());
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        } else if let Some((key, url)) = line.split_once('=')
            && key.trim() == "url"
            && section.starts_with("[remote ")
        {
            hosts.push((section.contains("\"origin\""), host(url.trim()).to_lowercase()));
        }
    }
    let origin = hosts.iter().any(|(origin, _)| *origin);
    hosts.into_iter().filter(|(own, _)| *own || !origin).map(|(_, host)| host).collect()
}

/// The server in `https://user@host:1/path` and `git@host:path`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let rest = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
    rest.split(':').next().unwrap_or(rest)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_of_the_own_remote_counts_and_nothing_else() {
        let remote = |name: &str, url: &str| format!("[remote \"{name}\"]\n\turl = {url}\n");
        for (config, expected) in [
            (remote("origin", "git@github.com:me/x.git"), "github.com"),
            (
                remote("origin", "https://user:key@GitLab.example.com:8443/me/github-actions"),
                "gitlab.example.com",
            ),
            (remote("origin", "ssh://git@gitlab.com:22/me/x"), "gitlab.com"),
            (remote("up", "https://gitlab.com/a") + &remote("origin", "https://github.com/b"), "github.com"),
            (remote("up", "https://gitlab.com/a"), "gitlab.com"),
            (
                "[submodule \"x\"]\n\turl = https://github.com/a\n".to_owned()
                    + &remote("origin", "git@gitlab.com:b"),
                "gitlab.com",
            ),
            (remote("origin", "/srv/github/x.git"), ""),
        ] {
            assert_eq!(remotes(&config), [expected], "{config}");
        }
    }
}

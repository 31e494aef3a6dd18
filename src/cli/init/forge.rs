//! The forge of the repository, and the pipeline for it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::report::REPOSITORY;
use crate::source::slashed;

/// CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Forge {
    /// A GitHub Actions workflow
    Github,
    /// Jobs for .gitlab-ci.yml
    Gitlab,
    /// No pipeline
    None,
}

/// What a pipeline needs to know.
pub(super) struct Wanted<'a> {
    /// The scenarios, from the root of the repository.
    pub(super) scenarios: &'a str,
    /// The branch that pull requests go to.
    pub(super) branch: &'a str,
    /// The variable with the key, if one is needed.
    pub(super) secret: Option<&'a str>,
    /// Whether a server must be started first.
    pub(super) starts: bool,
}

impl Forge {
    /// Word on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Forge::Github => "github",
            Forge::Gitlab => "gitlab",
            Forge::None => "none",
        }
    }

    /// Detects the CI system from the remote, or from pipeline files.
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

    /// The pipeline's file and text, if any.
    pub(super) fn pipeline(self, wanted: &Wanted<'_>) -> Option<(&'static str, String)> {
        let (path, template) = match self {
            Forge::Github => (".github/workflows/akit.yml", include_str!("github.yml")),
            Forge::Gitlab => (".gitlab-ci.yml", include_str!("gitlab.yml")),
            Forge::None => return None,
        };
        Some((path, filled(template, wanted, REPOSITORY)))
    }

    /// Whether akit must be on the runner's PATH because no release is known.
    pub(super) fn needs_akit(self) -> bool {
        self != Forge::None && REPOSITORY.is_none()
    }
}

/// Selects template lines: `P` if `akit` is on PATH, `R` if a release is known, `S` if there is
/// a secret, `H` if a server must be started.
fn filled(template: &str, wanted: &Wanted<'_>, repository: Option<&str>) -> String {
    let is_meant = |marks: &str| {
        marks.chars().all(|mark| match mark {
            'P' => repository.is_none(),
            'R' => repository.is_some(),
            'S' => wanted.secret.is_some(),
            _ => wanted.starts,
        })
    };
    let lines = template.lines().filter_map(|line| match line.split_once('|') {
        Some((marks, rest)) if marks.len() <= 2 => is_meant(marks).then_some(rest),
        _ => Some(line),
    });
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    // Quoted as a shell word.
    let scenarios = match repository {
        Some(_) => crate::import::scalar(wanted.scenarios),
        None => crate::text::argument(wanted.scenarios),
    };
    text.replace("REPOSITORY", repository.unwrap_or_default())
        .replace("VERSION", env!("CARGO_PKG_VERSION"))
        .replace("TRUNK", wanted.branch)
        .replace("SECRET", wanted.secret.unwrap_or_default())
        .replace("SCENARIOS", &scenarios)
}

/// The default branch: the remote's, or else `master` if it is the current branch, or else `main`.
pub(super) fn branch(root: &Path) -> String {
    let head = |path: &str| {
        let text = std::fs::read_to_string(root.join(".git").join(path)).ok()?;
        let name = text.trim().strip_prefix("ref: refs/")?;
        name.strip_prefix("heads/").or_else(|| name.strip_prefix("remotes/origin/")).map(str::to_owned)
    };
    let plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let found = head("refs/remotes/origin/HEAD").or_else(|| head("HEAD").filter(|name| name == "master"));
    found.filter(plain).unwrap_or_else(|| "main".to_owned())
}

/// Hosts of the remotes in a git configuration: only the host of `origin`, or all of them if there is no `origin`.
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

/// The host in `https://user@host:1/path` and `git@host:path`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let rest = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
    rest.split(':').next().unwrap_or(rest)
}

/// The root of the repository containing a folder, or the folder itself.
pub(super) fn root_of(folder: &Path) -> PathBuf {
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let full = full.canonicalize().unwrap_or(full);
    full.ancestors().find(|above| above.join(".git").exists()).map_or(full.clone(), Path::to_path_buf)
}

/// A folder relative to the root, or as given if it is elsewhere.
pub(super) fn below(root: &Path, folder: &Path) -> String {
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    // The folder may not exist yet, but its parents do.
    let known = full.ancestors().find(|above| above.exists()).unwrap_or(&full);
    let rest = full.strip_prefix(known).unwrap_or(Path::new(""));
    let full = known.canonicalize().map_or_else(|_| full.clone(), |known| known.join(rest));
    slashed(full.strip_prefix(root).unwrap_or(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A release build uses the action and the component, and leaves no placeholder of the template.
    #[test]
    fn a_pipeline_has_both_halves_in_both_forms() {
        for (template, released) in
            [(include_str!("github.yml"), "acme/akit"), (include_str!("gitlab.yml"), "acme")]
        {
            for (repository, secret) in
                [(None, None), (None, Some("KEY")), (Some(released), None), (Some(released), Some("KEY"))]
            {
                let wanted =
                    Wanted { scenarios: "my bot/tests", branch: "trunk", secret, starts: secret.is_none() };
                let text = filled(template, &wanted, repository);
                assert!(!text.contains('|') && !text.contains("OWNER"), "{text}");
                for mark in ["SCENARIOS", "SECRET", "TRUNK", "REPOSITORY", "VERSION"] {
                    assert!(!text.contains(mark), "{mark} in {text}");
                }
                if repository.is_none() && template.contains("$CI_COMMIT_") {
                    // Only the default branch updates the baseline.
                    assert!(text.contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), "{text}");
                }
                let update =
                    if repository.is_some() { "update-baseline: true" } else { "akit baseline update " };
                assert!(text.contains("git-ref:main") && text.contains(update), "{text}");
                let keyed = template.contains("on:") && secret.is_some();
                assert_eq!(
                    text.matches("KEY: ${{ secrets.KEY }}").count(),
                    if keyed { 2 } else { 0 },
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn only_the_server_of_the_repositorys_remote_counts() {
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

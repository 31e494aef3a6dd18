//! What reports need to know of the pipeline that akit runs in: how its log folds, where files are shown.

use crate::environment::Environment;
use crate::report::console::Fold;

/// Where akit runs. By default nowhere in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// How blocks of the log are folded up.
    pub(super) fold: Fold,
    /// Whether lines of the log are read as workflow commands.
    pub(super) takes_commands: bool,
    /// The address below which the files of this commit are shown.
    pub(super) files: Option<String>,
}

impl Surroundings {
    /// From the variables that GitHub Actions and GitLab CI set.
    pub(super) fn of(environment: &Environment) -> Self {
        let is = |name| environment.get(name) == Some("true");
        let url = |server: &str, path: &str| {
            let plain = server.starts_with("https://") || server.starts_with("http://");
            plain.then(|| format!("{}/{path}", server.trim_end_matches('/')))
        };
        if is("GITHUB_ACTIONS") {
            let of = |name| environment.get(name);
            let files = match (of("GITHUB_SERVER_URL"), of("GITHUB_REPOSITORY"), of("GITHUB_SHA")) {
                (Some(server), Some(repository), Some(sha)) => {
                    url(server, &format!("{repository}/blob/{sha}"))
                }
                _ => None,
            };
            Self { fold: Fold::GitHub, takes_commands: true, files }
        } else if is("GITLAB_CI") {
            let files = match (environment.get("CI_PROJECT_URL"), environment.get("CI_COMMIT_SHA")) {
                (Some(project), Some(sha)) => url(project, &format!("-/blob/{sha}")),
                _ => None,
            };
            Self { fold: Fold::GitLab, takes_commands: false, files }
        } else {
            Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pipeline_has_its_ways() {
        let of = |pairs: &[(&str, &str)]| Surroundings::of(&Environment::of(pairs.iter().copied()));
        assert_eq!(of(&[("CI", "true")]), Surroundings::default());
        let gitlab = of(&[
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_URL", "https://gitlab.example/a/b"),
            ("CI_COMMIT_SHA", "0af"),
        ]);
        assert_eq!(gitlab.files.as_deref(), Some("https://gitlab.example/a/b/-/blob/0af"));
        assert_eq!((gitlab.fold, gitlab.takes_commands), (Fold::GitLab, false));
        let github = of(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_SHA", "0af"),
        ]);
        assert_eq!(github.files.as_deref(), Some("https://github.com/a/b/blob/0af"));
        assert_eq!((github.fold, github.takes_commands), (Fold::GitHub, true));
        let odd = of(&[("GITLAB_CI", "true"), ("CI_PROJECT_URL", "javascript:x"), ("CI_COMMIT_SHA", "0")]);
        assert_eq!(odd.files, None);
    }
}

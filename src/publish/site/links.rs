//! Addresses where the pipeline and the forge show the run, its commit and the commit's files.

use super::{Project, Site, System};
use crate::environment::Environment;
use crate::report::{Links, REPOSITORY};

impl Site {
    /// The addresses from the environment; `page` is that of the HTML page.
    #[must_use]
    pub fn links(&self, environment: &Environment, page: Option<&str>) -> Links {
        let get = |name: &str| environment.get(name).map(str::to_owned);
        let web = match self.system {
            System::GitLab => get("CI_PROJECT_URL"),
            _ => self.project.as_ref().map(|project| web(project, environment)),
        };
        let web = web.as_deref().and_then(Links::address);
        let run = match self.system {
            System::GitHubActions => web.as_ref().filter(|_| self.turn.id > 0).map(|web| {
                let attempt = match self.turn.attempt {
                    0 | 1 => String::new(),
                    attempt => format!("/attempts/{attempt}"),
                };
                format!("{web}/actions/runs/{}{attempt}", self.turn.id)
            }),
            System::GitLab => get("CI_JOB_URL"),
            System::Jenkins => get("BUILD_URL"),
            System::Buildkite => get("BUILDKITE_BUILD_URL"),
            System::CircleCi => get("CIRCLE_BUILD_URL"),
            System::Azure => {
                get("SYSTEM_COLLECTIONURI").zip(get("SYSTEM_TEAMPROJECT")).map(|(server, project)| {
                    let (server, project) = (server.trim_end_matches('/'), project.replace(' ', "%20"));
                    format!("{server}/{project}/_build/results?buildId={}", self.turn.id)
                })
            }
            System::None => None,
        };
        let at_commit = |what: &str| {
            let (web, commit) = (web.as_ref()?, self.commit.as_ref()?);
            let parted = if self.is_on_gitlab() { "/-" } else { "" };
            Some(format!("{web}{parted}/{what}/{commit}"))
        };
        Links {
            run: run.as_deref().and_then(Links::address),
            page: page.and_then(Links::address),
            commit: at_commit("commit"),
            files: at_commit("blob"),
            docs: REPOSITORY
                .map(|name| format!("https://github.com/{name}/blob/v{}/docs", env!("CARGO_PKG_VERSION"))),
            stored: None,
        }
    }

    fn is_on_gitlab(&self) -> bool {
        self.system == System::GitLab || matches!(self.project, Some(Project::GitLab { .. }))
    }
}

/// The address of a project for people, from that of its API.
fn web(project: &Project, environment: &Environment) -> String {
    match project {
        Project::GitHub { api, repository } => {
            let known = environment.get("GITHUB_SERVER_URL").map(|server| server.trim_end_matches('/'));
            let server = known.unwrap_or(match api.as_str() {
                "https://api.github.com" => "https://github.com",
                api => api.trim_end_matches("/api/v3"),
            });
            format!("{server}/{repository}")
        }
        Project::GitLab { api, project } => format!("{}/{project}", api.trim_end_matches("/api/v4")),
    }
}

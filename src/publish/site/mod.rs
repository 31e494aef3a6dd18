//! Where akit runs: the pipeline's system, the change under test, its newest commit, and the forge
//! that shows it.
//!
//! Read from the environment and the event's payload alone. What cannot be told is absent; nothing
//! here asks anybody.

mod elsewhere;
mod github;
mod links;

use serde_json::Value as Json;

use crate::environment::Environment;

/// The system whose pipeline this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions.
    GitHubActions,
    /// GitLab CI.
    GitLab,
    /// Jenkins.
    Jenkins,
    /// Buildkite.
    Buildkite,
    /// `CircleCI`.
    CircleCi,
    /// Azure Pipelines.
    Azure,
    /// None that is known.
    None,
}

/// A project and the address of its forge's API, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// GitHub, or GitHub Enterprise Server.
    GitHub {
        /// `https://api.github.com`.
        api: String,
        /// `owner/name`.
        repository: String,
    },
    /// GitLab.
    GitLab {
        /// `https://gitlab.com/api/v4`.
        api: String,
        /// Its number, or its path.
        project: String,
    },
}

/// The pull or merge request under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its number.
    Number(u64),
    /// Not named: the open one whose newest commit is the tested one.
    OfCommit {
        /// `owner:branch` that it comes from, where the pipeline says so.
        from: Option<String>,
    },
    /// There is none, and why.
    None(&'static str),
}

/// Which run of the pipeline this is; a later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunNumber {
    /// Number of the run, or of the pipeline.
    pub id: u64,
    /// Number of the attempt, or of the job.
    pub attempt: u64,
}

/// Whether the change comes from another repository, whose pipelines get a token that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The project itself.
    Own,
    /// Another one.
    Fork,
}

/// Where akit runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The system.
    pub system: System,
    /// The project, where a forge is known.
    pub project: Option<Project>,
    /// The change.
    pub change: Change,
    /// Newest commit of the change, or the commit that is tested. Never a merge that the pipeline
    /// made itself.
    pub commit: Option<String>,
    /// Which run this is.
    pub turn: RunNumber,
    /// Where the change comes from.
    pub source: Source,
    /// Whether another workflow's end began this one: what that one left behind is not to be trusted.
    pub after_another: bool,
}

impl Site {
    /// Reads the environment, and the payload of GitHub's event where there is one.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self::told(environment, environment.event().as_ref())
    }

    /// The same with the payload at hand.
    pub(super) fn told(environment: &Environment, payload: Option<&Json>) -> Self {
        let get = |name: &str| environment.get(name);
        if get("GITHUB_ACTIONS") == Some("true") {
            github::site(environment, payload)
        } else if get("GITLAB_CI").is_some() {
            elsewhere::gitlab(environment)
        } else if get("BUILDKITE") == Some("true") {
            elsewhere::buildkite(environment)
        } else if get("CIRCLECI") == Some("true") {
            elsewhere::circle(environment)
        } else if get("TF_BUILD").is_some() {
            elsewhere::azure(environment)
        } else if get("JENKINS_URL").is_some() {
            elsewhere::jenkins(environment)
        } else {
            Self::bare(System::None, Change::None("this is no pipeline that akit knows"))
        }
    }

    /// The same about a change by its number, where somebody says it.
    #[must_use]
    pub fn about(self, number: Option<u64>) -> Self {
        let change = number.map_or(self.change, Change::Number);
        Self { change, ..self }
    }

    fn bare(system: System, change: Change) -> Self {
        Self {
            system,
            project: None,
            change,
            commit: None,
            turn: RunNumber::default(),
            source: Source::Own,
            after_another: false,
        }
    }
}

/// A full name of a commit: 40 or 64 hexadecimal digits. What is none goes into no address and no marker.
fn sha(text: &str) -> Option<String> {
    let right = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| text.to_ascii_lowercase())
}

/// `owner/name` as an address may hold it.
fn repository(text: &str) -> Option<String> {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let (owner, name) = text.split_once('/')?;
    (part(owner) && part(name)).then(|| text.to_owned())
}

fn number(environment: &Environment, name: &str) -> Option<u64> {
    environment.get(name)?.parse().ok()
}

#[cfg(test)]
mod tests;

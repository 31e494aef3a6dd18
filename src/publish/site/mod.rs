//! Where akit runs: the CI system, the change under test, its newest commit, and its forge.
//!
//! All of it is read from the environment and the event's payload; nothing is sent. What they do not contain is `None`.

mod elsewhere;
mod github;
mod links;

use serde_json::Value as Json;

use crate::environment::Environment;

/// The CI system.
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
    /// None that akit knows.
    None,
}

/// A project and the address of its forge's API, without a trailing slash.
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
    /// Not named: it is the open change whose newest commit is the tested commit.
    OfCommit {
        /// The branch that it comes from, as `owner:branch`, if the pipeline names it.
        from: Option<String>,
    },
    /// There is none, for this reason.
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

/// Whether the change comes from another repository, in which case the pipeline's token is read-only.
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
    /// The project, if the forge is known.
    pub project: Option<Project>,
    /// The change.
    pub change: Change,
    /// Newest commit of the change, or the tested commit; never a merge made by the pipeline.
    pub commit: Option<String>,
    /// Which run this is.
    pub turn: RunNumber,
    /// Where the change comes from.
    pub source: Source,
    /// Whether another workflow triggered this one: that workflow's files are untrusted.
    pub after_another: bool,
}

impl Site {
    /// Reads the environment, and the payload of GitHub's event if there is one.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self::told(environment, environment.event().as_ref())
    }

    /// Like `of`, but with this payload.
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
            Self::bare(System::None, Change::None("this is not a CI system that akit knows"))
        }
    }

    /// This site, but with the change that has this number, if one is given.
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

/// A full commit hash: 40 or 64 hexadecimal digits. Nothing else goes into an address or a marker.
fn sha(text: &str) -> Option<String> {
    let right = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| text.to_ascii_lowercase())
}

/// `owner/name`, if it is safe in an address.
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

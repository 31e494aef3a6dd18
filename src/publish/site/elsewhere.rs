//! Pipelines outside GitHub: GitLab, Jenkins, Buildkite, `CircleCI`, Azure.
//!
//! On CI systems without a forge, akit comments on GitHub or GitLab if the pipeline names the change that it tests. A
//! host that is named only by a repository's address can be anyone's: it gets no GitHub token unless `GITHUB_API_URL`
//! sets the API.

use super::{Change, Project, RunNumber, Site, Source, System, number, repository, sha};
use crate::environment::Environment;

const NO_CHANGE: Change = Change::None("this run does not test a pull or merge request");

pub(super) fn gitlab(environment: &Environment) -> Site {
    let get = |name: &str| environment.get(name);
    let project = get("CI_API_V4_URL").zip(get("CI_PROJECT_ID")).map(|(api, own)| Project::GitLab {
        api: api.trim_end_matches('/').to_owned(),
        // The request belongs to its target project, but a fork's pipeline belongs to the fork.
        project: get("CI_MERGE_REQUEST_PROJECT_ID").unwrap_or(own).to_owned(),
    });
    // A branch pipeline gets `group/project!12,group/project!13`.
    let open = || {
        let (path, number) = get("CI_OPEN_MERGE_REQUESTS")?.split(',').next()?.rsplit_once('!')?;
        (get("CI_PROJECT_PATH")? == path).then_some(number)?.parse().ok()
    };
    let change = number(environment, "CI_MERGE_REQUEST_IID").or_else(open);
    let source = get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID").zip(get("CI_MERGE_REQUEST_PROJECT_ID"));
    Site {
        project,
        change: change.map_or(NO_CHANGE, Change::Number),
        // Set if the tested commit is a merge made by GitLab.
        commit: get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or(get("CI_COMMIT_SHA")).and_then(sha),
        turn: RunNumber {
            id: number(environment, "CI_PIPELINE_ID").unwrap_or_default(),
            attempt: number(environment, "CI_JOB_ID").unwrap_or_default(),
        },
        source: if source.is_some_and(|(from, to)| from != to) { Source::Fork } else { Source::Own },
        ..Site::bare(System::GitLab, NO_CHANGE)
    }
}

pub(super) fn jenkins(environment: &Environment) -> Site {
    let told = environment.get("CHANGE_URL").and_then(|url| of_address(url, environment));
    named(System::Jenkins, told, environment, ["GIT_COMMIT", "BUILD_NUMBER", ""])
}

pub(super) fn circle(environment: &Environment) -> Site {
    let told = environment.get("CIRCLE_PULL_REQUEST").and_then(|url| of_address(url, environment));
    named(System::CircleCi, told, environment, ["CIRCLE_SHA1", "CIRCLE_BUILD_NUM", ""])
}

pub(super) fn buildkite(environment: &Environment) -> Site {
    let remote = environment.get("BUILDKITE_REPO").unwrap_or_default().trim_end_matches(".git");
    let told = number(environment, "BUILDKITE_PULL_REQUEST").and_then(|number| {
        let path = match remote.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?,
            None => remote.split_once(':')?,
        };
        let host = path.0.rsplit('@').next()?.split(':').next()?;
        Some((github(host, path.1, environment), number))
    });
    let names = ["BUILDKITE_COMMIT", "BUILDKITE_BUILD_NUMBER", "BUILDKITE_RETRY_COUNT"];
    named(System::Buildkite, told, environment, names)
}

pub(super) fn azure(environment: &Environment) -> Site {
    let on_github = environment.get("BUILD_REPOSITORY_PROVIDER").is_some_and(|name| name == "GitHub");
    let told = number(environment, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER").filter(|_| on_github);
    let told = told.and_then(|number| {
        let path = environment.get("BUILD_REPOSITORY_NAME")?;
        Some((github("github.com", path, environment), number))
    });
    let commit = match told {
        // The built commit is a merge made by Azure.
        Some(_) => "SYSTEM_PULLREQUEST_SOURCECOMMITID",
        None => "BUILD_SOURCEVERSION",
    };
    named(System::Azure, told, environment, [commit, "BUILD_BUILDID", "SYSTEM_JOBATTEMPT"])
}

/// A site, with the commit, run and attempt from these variables.
fn named(
    system: System,
    told: Option<(Option<Project>, u64)>,
    environment: &Environment,
    [commit, id, attempt]: [&str; 3],
) -> Site {
    let (project, change) = match told {
        Some((project, number)) => (project, Change::Number(number)),
        None => (None, NO_CHANGE),
    };
    Site {
        project,
        change,
        commit: environment.get(commit).and_then(sha),
        turn: RunNumber {
            id: number(environment, id).unwrap_or_default(),
            attempt: number(environment, attempt).unwrap_or_default(),
        },
        ..Site::bare(system, NO_CHANGE)
    }
}

/// Project and number in `https://HOST/OWNER/NAME/pull/5` or `https://HOST/PATH/-/merge_requests/5`.
fn of_address(url: &str, environment: &Environment) -> Option<(Option<Project>, u64)> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    if let Some((project, number)) = path.split_once("/-/merge_requests/") {
        let project = Project::GitLab {
            api: format!("https://{}/api/v4", self::host(host)?),
            project: project.to_owned(),
        };
        return Some((Some(project), first_number(number)?));
    }
    let (path, number) = path.split_once("/pull/")?;
    Some((github(host, path, environment), first_number(number)?))
}

fn first_number(text: &str) -> Option<u64> {
    text.split(['/', '?', '#']).next()?.parse().ok()
}

fn github(host: &str, path: &str, environment: &Environment) -> Option<Project> {
    let api = match environment.get("GITHUB_API_URL") {
        Some(api) => api.trim_end_matches('/').to_owned(),
        None if host == "github.com" => "https://api.github.com".to_owned(),
        None => return None,
    };
    Some(Project::GitHub { api, repository: repository(path)? })
}

/// A host name with an optional port and nothing else: it decides where a token is sent.
fn host(text: &str) -> Option<&str> {
    let right = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
    right.then_some(text)
}

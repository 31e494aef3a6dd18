//! Checks of the pipeline, its token, the clone and the network.

use std::path::Path;

use super::super::Status;
use super::super::asking::wait;
use super::finding::Check;
use crate::environment::Environment;
use crate::history::{GitError, LocalClone, Pipeline};
use crate::http::{Http, HttpError};
use crate::publish;
use crate::publish::site::{Change, Project, Site, Source, System};
use crate::secret::Secret;
use crate::text;

/// Workflow lines that let a GitHub Actions job comment.
const PERMISSIONS: &str = "the job needs `permissions: { contents: read, pull-requests: write }`";

/// Variables for proxies and certificates.
const WAYS: [&str; 10] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

pub(super) fn certificates(error: &HttpError) -> Check {
    let help = "set `--ca-bundle` or AKIT_CA_BUNDLE to a PEM file with certificates";
    Check::bad("network", Status::Invalid, error.to_string(), help)
}

pub(super) fn pipeline(site: &Site, environment: &Environment) -> Check {
    const ABOUT: &str = "pipeline";
    let system = match site.system {
        System::GitHubActions => "GitHub Actions",
        System::GitLab => "GitLab CI",
        System::Jenkins => "Jenkins",
        System::Buildkite => "Buildkite",
        System::CircleCi => "CircleCI",
        System::Azure => "Azure Pipelines",
        System::None => return Check::ok(ABOUT, "CI not detected"),
    };
    let event =
        ["GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE"].into_iter().find_map(|name| environment.get(name));
    let event = event.map(|event| format!(", event {}", text::excerpt(event, 60))).unwrap_or_default();
    let change = match &site.change {
        Change::Number(number) => format!(", change {number}"),
        Change::OfCommit { .. } => ", the open change of the commit".to_owned(),
        Change::None(why) => format!(", no change: {why}"),
    };
    let commit = site.commit.as_deref().map(|sha| format!(", commit {sha}")).unwrap_or_default();
    let message = format!("{system}{event}{change}{commit}");
    match site.source {
        Source::Fork => Check::warn(
            ABOUT,
            format!("{message}, from a fork: no secrets, and a read-only token"),
            "judge with `--replay` or `--replies`, and comment from a second workflow: see `workflow_run` in docs/reports.md",
        ),
        Source::Own => Check::ok(ABOUT, message),
    }
}

/// Checks the comment token; asks the forge what it may do if `http` is given.
pub(super) fn token(site: &Site, environment: &Environment, http: Option<&Http>) -> Option<Check> {
    const ABOUT: &str = "token";
    let Some(project) = &site.project else {
        return Some(Check::ok(ABOUT, "not on GitHub or GitLab: nothing to comment on"));
    };
    let names = project.token_names();
    let Some((name, value)) = names.iter().find_map(|name| Some((*name, environment.get(name)?))) else {
        let help = match (project, site.system) {
            (Project::GitLab { .. }, _) => {
                "use a token with the scope `api`; a job's own token cannot write notes"
            }
            (_, System::GitHubActions) => {
                "add this to the step: `env: { GITHUB_TOKEN: \"${{ github.token }}\" }`"
            }
            _ => "use a token that may write to pull requests",
        };
        let message = format!("{} is not set: `--comment` cannot post", names[0]);
        return Some(Check::warn(ABOUT, message, help));
    };
    let Some(http) = http else {
        let message = format!("{name} is set; `--online` checks what it may do");
        return Some(Check::ok(ABOUT, message));
    };
    let token = Secret::new(value.trim());
    let asked = wait(publish::access(project, http, &token)).ok()?;
    Some(match asked {
        Ok(access) => {
            let scopes =
                access.scopes.map_or("scopes unknown".to_owned(), |scopes| format!("scopes {scopes}"));
            let may = match access.may_comment {
                Some(true) => "its role may comment",
                Some(false) => "its role may not comment",
                None => "whether it may comment is unknown",
            };
            let message = format!("{name} can read the project; {scopes}, {may}");
            match (access.may_comment, project) {
                (Some(false), _) => Check::warn(
                    ABOUT,
                    message,
                    "give it the Reporter role in the project, and the scope `api`",
                ),
                (None, Project::GitHub { .. }) if site.system == System::GitHubActions => {
                    Check { help: format!("to comment, {PERMISSIONS}"), ..Check::ok(ABOUT, message) }
                }
                _ => Check::ok(ABOUT, message),
            }
        }
        Err(error) => {
            let help = match project {
                _ if !error.denied() => {
                    "fix this before you use `--comment`; the decision and the exit code do not depend on it"
                }
                Project::GitHub { .. } => PERMISSIONS,
                Project::GitLab { .. } => {
                    "give the token the scope `api` and the Reporter role in the project"
                }
            };
            Check::warn(ABOUT, format!("{name}: {error}"), help)
        }
    })
}

/// Checks the clone; a run fails if the gate needs a base that the clone does not have.
pub(super) fn clone(folder: &Path, environment: &Environment, is_needed: bool) -> Check {
    const ABOUT: &str = "git";
    const DEEPER: &str =
        "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` on GitLab";
    let pipeline = Pipeline::of(environment);
    let found = LocalClone::around(folder, &pipeline);
    if is_needed && !matches!(found, Ok(LocalClone { base: Ok(_), .. })) {
        let why = match found {
            Ok(LocalClone { base: Err(error), .. }) | Err(error) => error.to_string(),
            Ok(LocalClone { base: Ok(_), .. }) => String::new(),
        };
        let message = format!("`fail_on` lists `weakened`, but there is nothing to compare with: {why}");
        return Check::bad(ABOUT, Status::Unjudged, message, DEEPER);
    }
    match found {
        Ok(LocalClone { base: Ok(base), shallow }) => {
            let depth = if shallow { ", a shallow clone" } else { "" };
            Check::ok(ABOUT, format!("a change is compared with commit {base}{depth}"))
        }
        Ok(LocalClone { base: Err(error), shallow }) => {
            let help =
                if shallow { DEEPER } else { "only needed for `git:base:FILE` and `--weakened-since base`" };
            Check::warn(ABOUT, error.to_string(), help)
        }
        Err(GitError::Start(error)) => {
            let help = "only needed for baselines in git and `--weakened-since`";
            Check::warn(ABOUT, format!("cannot run git: {error}"), help)
        }
        // In a container, the usual reason is dubious ownership; git itself says how to fix it.
        Err(error) if error.to_string().contains("dubious ownership") => {
            Check::warn(ABOUT, error.to_string(), "git config --global --add safe.directory PATH")
        }
        Err(_) => Check::ok(ABOUT, "not a git repository"),
    }
}

pub(super) fn network(environment: &Environment) -> Check {
    const ABOUT: &str = "network";
    let set: Vec<_> = WAYS.into_iter().filter(|name| environment.get(name).is_some()).collect();
    let bundle =
        environment.get("AKIT_CA_BUNDLE").map(|_| ", and those of AKIT_CA_BUNDLE").unwrap_or_default();
    let ways = if set.is_empty() { "no proxy is set".to_owned() } else { format!("set: {}", set.join(", ")) };
    let message = format!("the system's certificates, or Mozilla's if there are none{bundle}; {ways}");
    let gone = environment.get("SSL_CERT_FILE").filter(|path| !Path::new(path).is_file());
    match gone {
        Some(_) => Check::warn(ABOUT, format!("{message}; SSL_CERT_FILE names no file"), "fix or unset it"),
        None => Check::ok(ABOUT, message),
    }
}

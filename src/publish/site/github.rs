//! GitHub Actions: the event and its payload.

use serde_json::Value as Json;

use super::{Change, Project, RunNumber, Site, Source, System, number, repository, sha};
use crate::environment::Environment;

pub(super) fn site(environment: &Environment, payload: Option<&Json>) -> Site {
    let null = Json::Null;
    let payload = payload.unwrap_or(&null);
    let event = environment.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let turn = RunNumber {
        id: number(environment, "GITHUB_RUN_ID").unwrap_or_default(),
        attempt: number(environment, "GITHUB_RUN_ATTEMPT").unwrap_or(1),
    };
    let project = environment.get("GITHUB_REPOSITORY").and_then(repository).map(|repository| {
        let api = environment.get("GITHUB_API_URL").unwrap_or("https://api.github.com");
        Project::GitHub { api: api.trim_end_matches('/').to_owned(), repository }
    });
    let own = environment.get("GITHUB_SHA").and_then(sha);
    let site = Site { project, turn, ..Site::bare(System::GitHubActions, Change::None("")) };
    let request = &payload["pull_request"];
    if event == "workflow_run" {
        after(site, &payload["workflow_run"])
    } else if let Some(number) = request["number"].as_u64() {
        // GITHUB_SHA is a merge with the target that GitHub made for this run.
        Site {
            change: Change::Number(number),
            commit: text(request, &["head", "sha"]).and_then(sha),
            source: source(text(request, &["head", "repo", "full_name"]), &site),
            ..site
        }
    } else if event.starts_with("pull_request") {
        // Without the payload, `refs/pull/5/merge` has the number, and nothing has the commit.
        let told = environment
            .get("GITHUB_REF")
            .and_then(|name| name.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok());
        let change = told.map_or(Change::None("the event's payload cannot be read"), Change::Number);
        Site { change, ..site }
    } else if event == "issue_comment" {
        // GITHUB_SHA is the newest commit of the default branch, and the payload has no commit.
        let number =
            payload["issue"]["number"].as_u64().filter(|_| payload["issue"]["pull_request"].is_object());
        let change =
            number.map_or(Change::None("the comment is on an issue, not on a pull request"), Change::Number);
        Site { change, ..site }
    } else if event == "merge_group" {
        let commit = text(payload, &["merge_group", "head_sha"]).and_then(sha).or(own);
        Site { change: Change::None("a merge queue does not belong to one pull request"), commit, ..site }
    } else if event == "push" || event == "workflow_dispatch" {
        let gone = payload["deleted"].as_bool() == Some(true);
        let tag = environment.get("GITHUB_REF").is_some_and(|name| name.starts_with("refs/tags/"));
        let change = match (gone, tag) {
            (true, _) => Change::None("the branch was deleted"),
            (_, true) => Change::None("a tag has no pull request"),
            _ => Change::OfCommit { from: None },
        };
        let after = text(payload, &["after"]).and_then(sha).filter(|_| !gone);
        Site { change, commit: own.or(after), ..site }
    } else {
        Site { change: Change::None("this event has no pull request"), commit: own, ..site }
    }
}

/// The change of the workflow that triggered this one when it ended.
fn after(site: Site, run: &Json) -> Site {
    let commit = text(run, &["head_sha"]).and_then(sha);
    let named = run["pull_requests"].as_array().into_iter().flatten().find_map(|request| {
        let head = text(request, &["head", "sha"]).and_then(sha);
        request["number"].as_u64().filter(|_| head == commit)
    });
    let from = text(run, &["head_repository", "full_name"]);
    // GitHub omits a pull request that comes from a fork.
    let branch = || {
        let owner = from.and_then(repository)?.split('/').next()?.to_owned();
        Some(format!("{owner}:{}", text(run, &["head_branch"])?))
    };
    let turn = RunNumber {
        id: run["id"].as_u64().unwrap_or(site.turn.id),
        attempt: run["run_attempt"].as_u64().unwrap_or(1),
    };
    Site {
        change: named.map_or_else(|| Change::OfCommit { from: branch() }, Change::Number),
        commit,
        turn,
        source: source(from, &site),
        after_another: true,
        ..site
    }
}

fn source(from: Option<&str>, site: &Site) -> Source {
    match &site.project {
        // A deleted fork has no name.
        Some(Project::GitHub { repository, .. })
            if !from.is_some_and(|from| from.eq_ignore_ascii_case(repository)) =>
        {
            Source::Fork
        }
        _ => Source::Own,
    }
}

fn text<'a>(value: &'a Json, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

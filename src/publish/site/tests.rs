//! A table of pipelines' variables and payloads, and the site they make.

use serde_json::{Value as Json, json};

use super::{Change, Project, RunNumber, Site, Source, System};
use crate::environment::Environment;

const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const MERGE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// One row: the variables, the payload, and the resulting site on one line.
type SiteRow<'a> = (&'a [(&'a str, &'a str)], Json, &'a str);

/// `SYSTEM PROJECT CHANGE COMMIT RUN SOURCE`.
fn line(site: &Site) -> String {
    let project = match &site.project {
        Some(Project::GitHub { api, repository }) => format!("{api} {repository}"),
        Some(Project::GitLab { api, project }) => format!("{api} {project}"),
        None => "-".to_owned(),
    };
    let change = match &site.change {
        Change::Number(number) => format!("#{number}"),
        Change::OfCommit { from } => format!("of({})", from.as_deref().unwrap_or_default()),
        Change::None(why) => format!("none({why})"),
    };
    let commit = site.commit.as_deref().map_or("-", |commit| &commit[..1]);
    let RunNumber { id, attempt } = site.turn;
    let fork = if site.source == Source::Fork { " fork" } else { "" };
    let after = if site.after_another { " after" } else { "" };
    format!("{:?} {project} {change} {commit} {id}.{attempt}{fork}{after}", site.system)
}

fn check(common: &[(&str, &str)], rows: &[SiteRow<'_>]) {
    for (variables, payload, expected) in rows {
        let environment = Environment::of(common.iter().chain(*variables).copied());
        assert_eq!(line(&Site::told(&environment, Some(payload))), *expected, "{variables:?}");
    }
}

fn request(from: &Json) -> Json {
    json!({ "action": "synchronize", "pull_request": { "number": 7, "head": { "sha": HEAD, "repo": from } } })
}

#[test]
fn github() {
    let common = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_SHA", MERGE),
        ("GITHUB_RUN_ID", "99"),
        ("GITHUB_RUN_ATTEMPT", "2"),
    ];
    let own = json!({ "full_name": "Acme/shop" });
    let fork = json!({ "full_name": "eve/shop" });
    let ended = |from: &Json, requests: Json| {
        json!({ "workflow_run": { "id": 98, "run_attempt": 3, "head_sha": HEAD, "head_branch": "fix",
            "head_repository": from, "pull_requests": requests } })
    };
    let at = "GitHubActions https://api.github.com acme/shop";
    let rows: &[SiteRow<'_>] = &[
        (&[("GITHUB_EVENT_NAME", "pull_request")], request(&own), &format!("{at} #7 a 99.2")),
        (&[("GITHUB_EVENT_NAME", "pull_request")], request(&fork), &format!("{at} #7 a 99.2 fork")),
        (&[("GITHUB_EVENT_NAME", "pull_request")], request(&Json::Null), &format!("{at} #7 a 99.2 fork")),
        (&[("GITHUB_EVENT_NAME", "pull_request_target")], request(&fork), &format!("{at} #7 a 99.2 fork")),
        (
            &[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge")],
            Json::Null,
            &format!("{at} #7 - 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "pull_request")],
            json!({ "pull_request": { "number": "7", "head": { "sha": "../x" } } }),
            &format!("{at} none(the event's payload cannot be read) - 99.2"),
        ),
        (&[("GITHUB_EVENT_NAME", "push")], json!({ "after": HEAD }), &format!("{at} of() b 99.2")),
        (
            &[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/tags/v1")],
            json!({}),
            &format!("{at} none(a tag has no pull request) b 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "push")],
            json!({ "deleted": true }),
            &format!("{at} none(the branch was deleted) b 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "merge_group")],
            json!({ "merge_group": { "head_sha": HEAD } }),
            &format!("{at} none(a merge queue does not belong to one pull request) a 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "workflow_run")],
            ended(
                &own,
                json!([{ "number": 6, "head": { "sha": MERGE } }, { "number": 7, "head": { "sha": HEAD } }]),
            ),
            &format!("{at} #7 a 98.3 after"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "workflow_run")],
            ended(&fork, json!([])),
            &format!("{at} of(eve:fix) a 98.3 fork after"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "issue_comment")],
            json!({ "issue": { "number": 7, "pull_request": { "url": "https://x" } }, "comment": { "body": "/akit" } }),
            &format!("{at} #7 - 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "issue_comment")],
            json!({ "issue": { "number": 7 } }),
            &format!("{at} none(the comment is on an issue, not on a pull request) - 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "schedule")],
            json!({ "schedule": "0 0 * * *" }),
            &format!("{at} none(this event has no pull request) b 99.2"),
        ),
        (
            &[("GITHUB_EVENT_NAME", "push"), ("GITHUB_API_URL", "https://git.acme.test/api/v3/")],
            json!({}),
            "GitHubActions https://git.acme.test/api/v3 acme/shop of() b 99.2",
        ),
    ];
    check(&common, rows);
}

#[test]
fn gitlab() {
    let common = [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "https://gitlab.test/api/v4"),
        ("CI_PROJECT_ID", "42"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_PIPELINE_ID", "500"),
        ("CI_JOB_ID", "9001"),
        ("CI_COMMIT_SHA", MERGE),
    ];
    let at = "GitLab https://gitlab.test/api/v4";
    let rows: &[SiteRow<'_>] = &[
        (&[("CI_MERGE_REQUEST_IID", "3")], Json::Null, &format!("{at} 42 #3 b 500.9001")),
        (
            &[("CI_MERGE_REQUEST_IID", "3"), ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD)],
            Json::Null,
            &format!("{at} 42 #3 a 500.9001"),
        ),
        (
            &[
                ("CI_MERGE_REQUEST_IID", "3"),
                ("CI_MERGE_REQUEST_PROJECT_ID", "41"),
                ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42"),
            ],
            Json::Null,
            &format!("{at} 41 #3 b 500.9001 fork"),
        ),
        (
            &[("CI_OPEN_MERGE_REQUESTS", "acme/shop!12,acme/shop!13")],
            Json::Null,
            &format!("{at} 42 #12 b 500.9001"),
        ),
        (
            &[("CI_OPEN_MERGE_REQUESTS", "other/shop!12")],
            Json::Null,
            &format!("{at} 42 none(this run does not test a pull or merge request) b 500.9001"),
        ),
    ];
    check(&common, rows);
}

#[test]
fn elsewhere() {
    let none = "none(this run does not test a pull or merge request)";
    let rows: &[SiteRow<'_>] = &[
        (
            &[
                ("JENKINS_URL", "https://j.test/"),
                ("CHANGE_URL", "https://github.com/acme/shop/pull/5"),
                ("GIT_COMMIT", HEAD),
                ("BUILD_NUMBER", "12"),
            ],
            Json::Null,
            "Jenkins https://api.github.com acme/shop #5 a 12.0",
        ),
        (
            &[
                ("JENKINS_URL", "https://j.test/"),
                ("CHANGE_URL", "https://gitlab.test/acme/web/shop/-/merge_requests/8"),
            ],
            Json::Null,
            "Jenkins https://gitlab.test/api/v4 acme/web/shop #8 - 0.0",
        ),
        (
            &[("JENKINS_URL", "x"), ("CHANGE_URL", "https://user@evil.test/acme/shop/pull/5")],
            Json::Null,
            "Jenkins - #5 - 0.0",
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_PULL_REQUEST", "5"),
                ("BUILDKITE_REPO", "git@github.com:acme/shop.git"),
                ("BUILDKITE_COMMIT", HEAD),
                ("BUILDKITE_BUILD_NUMBER", "12"),
                ("BUILDKITE_RETRY_COUNT", "1"),
            ],
            Json::Null,
            "Buildkite https://api.github.com acme/shop #5 a 12.1",
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_PULL_REQUEST", "5"),
                ("BUILDKITE_REPO", "https://git.acme.test/acme/shop.git"),
            ],
            Json::Null,
            "Buildkite - #5 - 0.0",
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_PULL_REQUEST", "5"),
                ("BUILDKITE_REPO", "ssh://git@git.acme.test:22/acme/shop.git"),
                ("GITHUB_API_URL", "https://git.acme.test/api/v3"),
            ],
            Json::Null,
            "Buildkite https://git.acme.test/api/v3 acme/shop #5 - 0.0",
        ),
        (
            &[("BUILDKITE", "true"), ("BUILDKITE_PULL_REQUEST", "false")],
            Json::Null,
            &format!("Buildkite - {none} - 0.0"),
        ),
        (
            &[
                ("CIRCLECI", "true"),
                ("CIRCLE_PULL_REQUEST", "https://github.com/acme/shop/pull/5"),
                ("CIRCLE_SHA1", HEAD),
                ("CIRCLE_BUILD_NUM", "12"),
            ],
            Json::Null,
            "CircleCi https://api.github.com acme/shop #5 a 12.0",
        ),
        (
            &[
                ("TF_BUILD", "True"),
                ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "5"),
                ("BUILD_REPOSITORY_PROVIDER", "GitHub"),
                ("BUILD_REPOSITORY_NAME", "acme/shop"),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", HEAD),
                ("BUILD_SOURCEVERSION", MERGE),
                ("BUILD_BUILDID", "12"),
                ("SYSTEM_JOBATTEMPT", "2"),
            ],
            Json::Null,
            "Azure https://api.github.com acme/shop #5 a 12.2",
        ),
        (
            &[("TF_BUILD", "True"), ("BUILD_SOURCEVERSION", MERGE), ("BUILD_BUILDID", "12")],
            Json::Null,
            &format!("Azure - {none} b 12.0"),
        ),
        (&[], Json::Null, "None - none(this is not a CI system that akit knows) - 0.0"),
    ];
    check(&[], rows);
}

#[test]
fn a_payload_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    std::fs::write(&path, request(&json!({ "full_name": "acme/shop" })).to_string()).unwrap();
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
    ];
    let site = Site::of(&Environment::of(variables));
    assert_eq!(
        (site.system, site.change, site.commit),
        (System::GitHubActions, Change::Number(7), Some(HEAD.to_owned()))
    );
}

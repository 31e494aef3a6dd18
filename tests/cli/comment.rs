//! The comment on a pull or merge request, tested with a fake forge that stores comments.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::forge::{Fault, Forge};
use super::server::{Answer, Server};
use super::signal;

pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(crate) const BOT: &str = "github-actions[bot]";

pub(super) const SUITE: &str =
    "name: s\nmodel: m\ncases:\n  - { id: a, prompt: a, expected: { type: contains, values: [fine] } }\n";

/// The event of a pull request from the same repository.
pub(crate) fn request(from: &str) -> Json {
    json!({ "pull_request": { "number": 7, "head": { "sha": HEAD, "repo": { "full_name": from } } } })
}

/// The event of a completed workflow.
fn ended(commit: &str) -> Json {
    json!({ "workflow_run": {
        "id": 5, "run_attempt": 1, "head_sha": commit, "head_branch": "fix",
        "head_repository": { "full_name": "eve/shop" }, "pull_requests": [],
    } })
}

/// `akit` in the pipeline of a pull request.
pub(crate) fn in_pipeline(akit: Akit, forge: &Forge, event: &str, run: &str) -> Akit {
    akit.env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_EVENT_PATH", "event.json")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_API_URL", &forge.github())
        .env("GITHUB_RUN_ID", run)
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .env("GITHUB_OUTPUT", "output")
        .env("GITHUB_TOKEN", "ghs_own-token")
}

/// A stored run with this answer, and the event of its pull request.
fn stored(answer: &str, forge: &Forge) -> Ran {
    let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", SUITE)
        .file("r.jsonl", json!({ "id": "a", "reply": answer }).to_string())
        .file("event.json", request("acme/shop").to_string());
    let ran = in_pipeline(akit, forge, "pull_request", "1").run();
    std::fs::remove_file(ran.path("summary.md")).unwrap();
    std::fs::remove_file(ran.path("output")).unwrap();
    ran
}

/// Runs `akit comment` on it in this pipeline run.
pub(super) fn comment(ran: &Ran, forge: &Forge, run: &str, more: &[&str]) -> Ran {
    let posted = in_pipeline(ran.then(&["comment", "run.json"]).args(more), forge, "pull_request", run).run();
    assert!(!format!("{}{}", posted.stdout, posted.stderr).contains("own-token"), "{}", posted.stderr);
    posted
}

fn marker(run: &str) -> String {
    format!("{} -->\n", opening(run))
}

/// The first line of a run's comment.
fn opening(run: &str) -> String {
    format!("<!-- akit:v1 key=default run={run} sha={HEAD}")
}

/// The text after the marker, which contains the run.
fn after_marker<'a>(body: &'a str, run: &str) -> &'a str {
    assert!(body.starts_with(&opening(run)), "{body}");
    body.split_once(" -->\n").unwrap().1
}

#[test]
fn one_comment_is_made_and_kept_up_to_date() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    for number in 0..230 {
        forge.comment("alice", &format!("thought {number}"));
    }
    comment(&ran, &forge, "2", &[])
        .ended(0)
        .err("commented: https://forge.test/acme/shop/pull/7#issuecomment-330");
    for number in 0..30 {
        forge.comment("bob", &format!("thought {number}"));
    }
    let posted = comment(&stored("broken", &forge), &forge, "3", &[]).ended(0).err("updated the comment");
    assert_eq!(posted.read("output"), "comment-url=https://forge.test/acme/shop/pull/7#issuecomment-330\n");

    let own = forge.by(BOT);
    assert_eq!(own.len(), 1, "{own:#?}");
    assert!(after_marker(&own[0].body, "3.1").starts_with("### ❌ akit: FAIL"), "{}", own[0].body);
    assert!(own[0].body.len() <= 60_000);
    assert_eq!((forge.count("POST"), forge.count("PATCH")), (1, 1));
    assert_eq!((forge.by("alice").len(), forge.by("bob").len()), (230, 30));
}

#[test]
fn a_pull_request_is_found_by_the_comment_on_it_or_by_its_number() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    let event = json!({ "issue": { "number": 7, "pull_request": { "url": "https://x" } } });
    std::fs::write(ran.path("event.json"), event.to_string()).unwrap();
    let tell = |event: &str, more: &[&str]| {
        in_pipeline(ran.then(&["comment", "run.json"]).args(more), &forge, event, "2").run().ended(0)
    };
    tell("issue_comment", &[]).err("commented: https://forge.test/acme/shop/pull/7");
    std::fs::write(ran.path("event.json"), json!({ "issue": { "number": 7 } }).to_string()).unwrap();
    tell("issue_comment", &[]).err("no comment: there is nothing to comment on");
    tell("schedule", &["--pull", "7"]).err("updated the comment");
    assert_eq!(forge.by(BOT).len(), 1);
}

#[test]
fn a_long_report_fits_with_its_marker() {
    let forge = Forge::start(HEAD);
    let (mut suite, mut replies) = ("name: s\nmodel: m\ncases:\n".to_owned(), String::new());
    for number in 0..2_000 {
        let case = format!("  - {{ id: c{number}, prompt: p, expected: {{ type: exact, value: fine }} }}\n");
        suite.push_str(&case);
        let reply = json!({ "id": format!("c{number}"), "reply": "ü".repeat(300) });
        replies.extend([reply.to_string(), "\n".to_owned()]);
    }
    let ran = stored("all is fine", &forge);
    ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite)
        .file("r.jsonl", replies)
        .run()
        .ended(1);
    comment(&ran, &forge, "2", &["--comment-key", &"k".repeat(64)]).ended(0).err("commented");
    let body = &forge.by(BOT)[0].body;
    assert!((55_000..=60_000).contains(&body.len()), "{} bytes", body.len());
    assert!(body.contains("Omitted for length"), "{body}");
}

#[test]
fn markers_of_other_users_are_ignored() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    let forged = format!("{}mine", marker("999999.1"));
    forge.comment("mallory", &forged);
    forge.comment(BOT, &format!("as was said:\n{}", marker("999999.1")));
    forge.comment(BOT, "<!-- akit:v1 key=nightly run=999999.1 sha=x -->");
    comment(&ran, &forge, "2", &[]).ended(0).err("commented:");
    assert_eq!(forge.by("mallory")[0].body, forged);
    assert_eq!((forge.by(BOT).len(), forge.count("PATCH"), forge.count("DELETE")), (3, 0, 0));
}

#[test]
fn the_account_is_looked_up_or_configured() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    forge.with(|state| state.me = "gate-bot".to_owned());
    let id = forge.comment("gate-bot", &marker("1.1"));
    comment(&ran, &forge, "2", &[]).ended(0).err("updated");
    assert_eq!((forge.by("gate-bot")[0].id, forge.count("POST")), (id, 0));

    forge.with(|state| state.me = String::new());
    comment(&ran, &forge, "3", &["--comment-author", "gate-bot"]).ended(0).err("updated");
    after_marker(&forge.by("gate-bot")[0].body, "3.1");
}

#[test]
fn an_app_is_asked_to_name_its_account() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    forge.with(|state| (state.me, state.secretive) = ("gate[bot]".to_owned(), true));
    let run = |more: &[&str]| {
        let akit = ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--comment"]).args(more);
        in_pipeline(akit, &forge, "pull_request", "2").run().ended(1)
    };
    run(&[]).err("commented: ").err("`gate[bot]`, but akit looks for comments by `github-actions[bot]`");
    let posted = run(&["--comment-author", "gate[bot]"]).err("updated the comment");
    assert!(!posted.stderr.contains("looks for"), "{}", posted.stderr);
    assert_eq!(forge.by("gate[bot]").len(), 1);
}

#[test]
fn a_newer_run_wins() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    let newer = marker("10.2");
    forge.comment(BOT, &newer);
    comment(&ran, &forge, "9", &[]).ended(0).err("a newer run");
    comment(&ran, &forge, "9", &["--comment-mode", "recreate"]).ended(0).err("a newer run");
    assert_eq!(forge.by(BOT)[0].body, newer);
    comment(&ran, &forge, "10", &[]).ended(0).err("a newer run");
    comment(&ran, &forge, "11", &[]).ended(0).err("updated");
}

#[test]
fn a_creation_with_an_unclear_result_is_not_repeated() {
    for (fault, posts) in [
        (Fault::DoneAndBroken("POST"), 1),
        (Fault::DoneAndGone("POST"), 1),
        (Fault::Refuse("POST", 502, Vec::new()), 2),
    ] {
        let forge = Forge::start(HEAD);
        let ran = stored("all is fine", &forge);
        forge.fault(fault.clone());
        comment(&ran, &forge, "2", &[]).ended(0).err("commented");
        assert_eq!((forge.by(BOT).len(), forge.count("POST")), (1, posts), "{fault:?}");
    }
}

#[test]
fn limits_are_waited_for() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    let soon = || vec![("retry-after", "0".to_owned())];
    forge.fault(Fault::Refuse("GET", 429, soon())).fault(Fault::Refuse("POST", 403, soon()));
    comment(&ran, &forge, "2", &[]).ended(0).err("commented");
    assert_eq!(forge.by(BOT).len(), 1);

    let late = vec![("retry-after", "3600".to_owned())];
    forge.fault(Fault::Refuse("PATCH", 403, late));
    comment(&ran, &forge, "3", &[]).ended(0).err("try again in 3600 s");
    after_marker(&forge.by(BOT)[0].body, "2.1");
}

#[test]
fn without_permission_the_comment_goes_to_the_summary() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    forge.fault(Fault::Refuse("POST", 403, Vec::new()));
    let posted =
        comment(&ran, &forge, "2", &[]).ended(0).err("  pull-requests: write").err("in the step summary");
    assert!(posted.read("summary.md").starts_with("### ❌ akit: FAIL"));
    assert_eq!(posted.stdout.lines().filter(|line| line.starts_with("::error file=s.yaml,line=")).count(), 1);
    assert!(!posted.stderr.contains("fork"), "{}", posted.stderr);

    forge.fault(Fault::Refuse("POST", 403, Vec::new()));
    let akit =
        ran.then(&["comment", "run.json", "--required"]).file("event.json", request("eve/shop").to_string());
    in_pipeline(akit, &forge, "pull_request", "2")
        .run()
        .ended(4)
        .err("from a fork")
        .err("pull-requests: write");

    let akit = ran.then(&["comment", "run.json"]).env("GITHUB_TOKEN", "");
    in_pipeline(akit, &forge, "pull_request", "2")
        .env("GITHUB_TOKEN", "")
        .run()
        .ended(0)
        .err("GITHUB_TOKEN is not set")
        .err("  pull-requests: write")
        .out("::error file=s.yaml,line=");
    in_pipeline(ran.then(&["comment", "run.json"]), &forge, "pull_request", "2")
        .env("GITHUB_TOKEN", "two words")
        .run()
        .ended(0)
        .err("the token contains a character");
    assert!(forge.by(BOT).is_empty());
}

#[test]
fn modes_say_when_there_is_a_comment() {
    let forge = Forge::start(HEAD);
    let (good, bad) = (stored("all is fine", &forge), stored("broken", &forge));
    for mode in ["on-fail", "on-change"] {
        comment(&good, &forge, "2", &["--comment-mode", mode]).ended(0).err("nothing to report in this mode");
        assert!(forge.by(BOT).is_empty());
    }
    comment(&bad, &forge, "3", &["--comment-mode", "on-fail"]).ended(0).err("commented");
    comment(&good, &forge, "4", &["--comment-mode", "on-fail"]).ended(0).err("updated");
    let first = forge.by(BOT);
    assert!(after_marker(&first[0].body, "4.1").starts_with("### ✅ akit: PASS"));
    comment(&good, &forge, "5", &["--comment-mode", "recreate"]).ended(0).err("commented");
    let second = forge.by(BOT);
    assert!(second.len() == 1 && second[0].id > first[0].id, "{second:#?}");

    forge.with(|state| state.comments.clear());
    good.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let changed = good.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"]);
    changed.file("s.yaml", SUITE.replace("prompt: a", "prompt: b")).run().ended(0);
    comment(&good, &forge, "6", &["--comment-mode", "on-change", "--baseline", "b.json"])
        .ended(0)
        .err("commented");
}

#[test]
fn a_redirect_does_not_get_the_token() {
    let elsewhere = Server::start(|_| Answer::Raw(200, Vec::new(), b"[]".to_vec()));
    let to = format!("http://{}/x", elsewhere.host());
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    for method in ["GET", "POST"] {
        forge.fault(Fault::Refuse(method, 307, vec![("location", to.clone())]));
        comment(&ran, &forge, "2", &["--comment-author", BOT]).ended(0).err("307");
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_run_of_another_workflow_is_not_trusted() {
    let forge = Forge::start(HEAD);
    let ran = stored("@octocat <!-- akit --> broken", &forge);
    let from = |commit: &str| {
        let akit = ran.then(&["comment", "--from", "run.json", "--required"]);
        in_pipeline(akit.file("event.json", ended(commit).to_string()), &forge, "workflow_run", "77").run()
    };
    from(HEAD).ended(0).err("commented");
    let own = forge.by(BOT);
    after_marker(&own[0].body, "5.1");
    assert!(!own[0].body.contains("@octocat") && own[0].body.matches("<!--").count() == 1, "{}", own[0].body);

    // The run names a different commit, or none.
    from(OTHER).ended(2).err("the run's commit is aaaa");
    let mut run = ran.json("run.json");
    run.as_object_mut().unwrap().remove("commit");
    std::fs::write(ran.path("run.json"), run.to_string()).unwrap();
    from(HEAD).ended(2).err("the run's commit is unknown");
    // It matches the commit it names, but the change has moved on.
    run["commit"] = json!(OTHER);
    // A configuration file next to the stored run has no effect.
    run["scenarios"][0]["file"] = json!("theirs/s.yaml");
    std::fs::create_dir(ran.path("theirs")).unwrap();
    std::fs::write(ran.path("theirs/akit.yaml"), "no: sense\n").unwrap();
    std::fs::write(ran.path("run.json"), run.to_string()).unwrap();
    from(OTHER).ended(0).err("no open pull or merge request");
    run["commit"] = json!(HEAD);
    std::fs::write(ran.path("run.json"), run.to_string()).unwrap();
    from(HEAD).ended(0).err("updated");
    // Nor is it trusted without the flag.
    run["commit"] = json!(OTHER);
    std::fs::write(ran.path("run.json"), run.to_string()).unwrap();
    in_pipeline(ran.then(&["comment", "run.json"]), &forge, "workflow_run", "77").run().ended(2);
    std::fs::write(ran.path("run.json"), "{}").unwrap();
    from(HEAD).ended(2);
    std::fs::File::create(ran.path("run.json")).unwrap().set_len(100 << 20).unwrap();
    from(HEAD).ended(2).err("at most");
    assert_eq!(forge.by(BOT).len(), 1);
}

#[test]
fn a_named_request_that_has_moved_on_gets_no_run_of_another_commit() {
    let forge = Forge::start(OTHER);
    let ran = stored("all is fine", &forge);
    let mut event = ended(HEAD);
    event["workflow_run"]["pull_requests"] = json!([{ "number": 7, "head": { "sha": HEAD } }]);
    let akit = ran.then(&["comment", "--from", "run.json"]).file("event.json", event.to_string());
    in_pipeline(akit, &forge, "workflow_run", "77").run().ended(0).err("newer commit, bbbbbbbbbbbb");
    assert_eq!(forge.count("POST"), 0);
}

#[test]
fn pushes_find_their_request_and_merge_queues_have_none() {
    let forge = Forge::start(HEAD);
    let ran = stored("all is fine", &forge);
    let event = |name: &str, event: Json, commit: &str| {
        let akit = ran.then(&["comment", "run.json", "--required"]).file("event.json", event.to_string());
        in_pipeline(akit, &forge, name, "2").env("GITHUB_SHA", commit).run().ended(0)
    };
    event("merge_group", json!({ "merge_group": { "head_sha": HEAD } }), HEAD).err("merge queue");
    event("push", json!({}), OTHER).err("no open pull or merge request has bbbbbbbbbbbb");
    assert!(forge.by(BOT).is_empty());
    event("push", json!({}), HEAD).err("commented");
    ran.then(&["comment", "run.json", "--required"]).run().ended(0).err("not a CI system that akit knows");
}

#[test]
fn a_run_comments_and_keeps_its_exit_code() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    let run = |more: &[&str]| {
        let akit = ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"]).args(more);
        in_pipeline(akit, &forge, "pull_request", "2").run().ended(1)
    };
    let posted = run(&["--comment"]).err("commented");
    assert!(posted.read("summary.md").starts_with("### ❌ akit: FAIL"));
    let output = posted.read("output");
    for line in
        ["verdict=fail", "exit-code=1", "pass-rate=0.0000", "regressions=0", "flaky=0", "json=run.json"]
    {
        assert!(output.lines().any(|one| one == line), "no {line} in {output}");
    }
    assert!(output.contains("\ncomment-url=https://") && !output.contains("cost-usd"), "{output}");
    assert_eq!(posted.json("run.json")["commit"], HEAD);
    forge.fault(Fault::Refuse("PATCH", 403, Vec::new()));
    std::fs::remove_file(ran.path("summary.md")).unwrap();
    let refused = run(&["--comment", "--comment-mode", "on-fail"]).err("  pull-requests: write");
    // Each destination gets it once, even though the comment failed.
    assert_eq!(refused.stdout.matches("::error file=s.yaml").count(), 1, "{}", refused.stdout);
    assert_eq!(refused.read("summary.md").matches("### ❌ akit: FAIL").count(), 1);
    run(&["--comment", "--comment-key", "nightly"]).err("commented");
    assert_eq!(forge.by(BOT).len(), 2);
    let asked = forge.server.asked().len();
    run(&[]);
    assert_eq!(forge.server.asked().len(), asked);
}

#[test]
fn merge_requests_of_gitlab_get_a_note() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    forge.with(|state| state.me = "project_1_bot".to_owned());
    for number in 0..150 {
        forge.comment("alice", &format!("{}thought {number}", marker("99.9")));
    }
    let note = |job: &str| {
        ran.then(&["comment", "run.json"])
            .env("GITLAB_CI", "true")
            .env("CI_API_V4_URL", &forge.gitlab())
            .env("CI_PROJECT_ID", "acme/shop")
            .env("CI_MERGE_REQUEST_IID", "7")
            .env("CI_COMMIT_SHA", HEAD)
            .env("CI_PIPELINE_ID", "50")
            .env("CI_JOB_ID", job)
    };
    let posted = note("1").run().ended(0).err("AKIT_GITLAB_TOKEN is not set");
    assert_eq!(posted.stderr.matches("AKIT_GITLAB_TOKEN").count(), 1);
    let token = "glpat-own-token";
    note("2").env("AKIT_GITLAB_TOKEN", token).run().ended(0).err("commented: note 250 of merge request !7");
    forge.fault(Fault::Refuse("PUT", 502, Vec::new()));
    note("3").env("AKIT_GITLAB_TOKEN", token).run().ended(0).err("updated");
    note("2").env("AKIT_GITLAB_TOKEN", token).run().ended(0).err("a newer run");
    note("3")
        .arg("--comment-mode")
        .arg("recreate")
        .env("AKIT_GITLAB_TOKEN", token)
        .run()
        .ended(0)
        .err("commented");
    let own = forge.by("project_1_bot");
    assert_eq!(own.len(), 1, "{own:#?}");
    after_marker(&own[0].body, "50.3");
    note("4").env("AKIT_GITLAB_TOKEN", "glpat-wrong").run().ended(0).err("401").err("scope `api`");
}

#[test]
fn a_signal_stops_waiting_for_the_forge() {
    for (command, status) in [("comment run.json", 143), ("run s.yaml --replies r.jsonl --comment", 0)] {
        let forge = Forge::start(HEAD);
        let ran = stored("all is fine", &forge);
        forge.fault(Fault::Hang("GET"));
        let akit = ran.then(&command.split(' ').collect::<Vec<_>>());
        let akit = in_pipeline(akit, &forge, "pull_request", "2");
        let child = akit.command().spawn().unwrap();
        forge.server.wait_for(1);
        signal::send(&child, "-TERM");
        let output = signal::end(child);
        akit.ran(output).ended(status).err("stopped before GitHub or GitLab answered");
    }
}

#[test]
fn a_forge_that_cannot_be_reached_changes_nothing() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    let nowhere = "http://127.0.0.1:1/api/v3";
    let akit = ran.then(&["comment", "run.json"]);
    let posted = in_pipeline(akit, &forge, "pull_request", "2").env("GITHUB_API_URL", nowhere).run().ended(0);
    let posted = posted.err("no comment: no readable answer from the forge").out("::error file=s.yaml");
    assert!(posted.read("summary.md").starts_with("### ❌ akit: FAIL"));
}

#[test]
fn annotations_go_to_stderr_if_a_report_uses_stdout() {
    let forge = Forge::start(HEAD);
    let ran = stored("broken", &forge);
    let akit = ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "-"]);
    let posted =
        in_pipeline(akit, &forge, "pull_request", "2").run().ended(1).err("::error file=s.yaml,line=");
    assert!(serde_json::from_str::<Json>(&posted.stdout).is_ok(), "{}", posted.stdout);
}

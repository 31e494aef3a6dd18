//! Several suites and several applications in one comment.

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::comment::{BOT, HEAD, OTHER, SUITE, comment, in_pipeline, request};
use super::forge::Forge;
use super::server::{Answer, Server};

/// A stored run of another suite in its own folder.
fn other_suite(name: &str, answer: &str, forge: &Forge) -> Ran {
    let file = format!("{name}/s.yaml");
    let akit = Akit::new(&["run", name, "--replies", "r.jsonl", "--json", "run.json"])
        .file(&file, SUITE)
        .file("r.jsonl", json!({ "id": "a", "reply": answer }).to_string())
        .file("event.json", request("acme/shop").to_string());
    in_pipeline(akit, forge, "pull_request", "1").run()
}

#[test]
fn two_suites_of_one_pull_request_never_overwrite_each_other() {
    let forge = Forge::start(HEAD);
    let (a, b) = (other_suite("a", "broken", &forge), other_suite("b", "all is fine", &forge));
    comment(&a, &forge, "100", &[]).ended(0).err("commented");
    comment(&b, &forge, "100", &[]).ended(0).err("updated");
    let own = forge.by(BOT);
    assert_eq!(own.len(), 1, "{own:#?}");
    let heads = |body: &str| {
        let heads = body.lines().filter(|line| line.starts_with("Suite ") || line.starts_with("### "));
        heads.map(|line| line.split(" — ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = ["Suite <code>a</code>", "### ❌ akit: FAIL", "Suite <code>b</code>", "### ✅ akit: PASS"];
    assert_eq!(heads(&own[0].body), both, "the worse decision must come first");
    // A later attempt of one suite, and of the other one.
    let fixed = other_suite("a", "all is fine", &forge);
    comment(&fixed, &forge, "101", &[]).ended(0).err("updated");
    let broken = other_suite("b", "broken", &forge);
    comment(&broken, &forge, "102", &[]).ended(0).err("updated");
    let turned = ["Suite <code>b</code>", "### ❌ akit: FAIL", "Suite <code>a</code>", "### ✅ akit: PASS"];
    assert_eq!(heads(&forge.by(BOT)[0].body), turned);
    // An old section does not come back when the other suite is updated.
    comment(&b, &forge, "101", &[]).ended(0).err("no comment: a newer run has already commented");
    assert_eq!(heads(&forge.by(BOT)[0].body), turned);
    // The next commit starts a new comment text.
    let next = json!({ "pull_request": { "number": 7, "head": { "sha": OTHER, "repo": { "full_name": "acme/shop" } } } });
    std::fs::write(a.path("event.json"), next.to_string()).unwrap();
    forge.with(|state| state.head = OTHER.to_owned());
    comment(&a, &forge, "103", &[]).ended(0).err("updated");
    assert_eq!(heads(&forge.by(BOT)[0].body), ["### ❌ akit: FAIL"]);
}

#[test]
fn a_suite_has_a_section_for_each_application() {
    let forge = Forge::start(HEAD);
    let server = Server::start(|asked| {
        Answer::Text(if asked.body["model"] == "good" { "all is fine" } else { "broken" }.to_owned())
    });
    for (model, exit) in [("bad", 1), ("good", 0)] {
        let akit =
            Akit::new(&["run", "s.yaml", "-m", model, "--base-url", &server.url, "--json", "run.json"])
                .file("s.yaml", SUITE)
                .file("event.json", request("acme/shop").to_string());
        let ran = in_pipeline(akit, &forge, "pull_request", "1").run().ended(exit);
        comment(&ran, &forge, "100", &[]).ended(0);
    }
    let body = forge.by(BOT)[0].body.clone();
    assert_eq!(
        (body.matches("### ❌ akit: FAIL").count(), body.matches("### ✅ akit: PASS").count()),
        (1, 1),
        "{body}"
    );
}

#[test]
fn suites_that_end_at_the_same_moment_share_one_comment() {
    let forge = Forge::start(HEAD);
    let suites: Vec<_> = ["a", "b", "c"].map(|name| other_suite(name, "broken", &forge)).into();
    let children: Vec<_> = suites
        .iter()
        .map(|ran| {
            let akit = in_pipeline(ran.then(&["comment", "run.json"]), &forge, "pull_request", "5");
            (akit.command().spawn().unwrap(), akit)
        })
        .collect();
    for (child, akit) in children {
        akit.ran(child.wait_with_output().unwrap()).ended(0);
    }
    let own = forge.by(BOT);
    assert_eq!(own.len(), 1, "{own:#?}");
    for name in ["a", "b", "c"] {
        assert!(own[0].body.contains(&format!("Suite <code>{name}</code>")), "{}", own[0].body);
    }
}

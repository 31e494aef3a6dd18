//! The seed of a case: the flag's, or its own file's, or 0, but not another file's.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Asked, Server};

fn scenario(name: &str, seed: &str) -> String {
    format!(
        "name: {name}\nmodel: m\n{seed}cases:\n  - id: a\n    prompt: Hello {name}\n    expected: {{ type: llm_grader, rubric: Is kind. }}\n"
    )
}

fn server() -> Server {
    Server::start(|asked| {
        let said = asked.last_message();
        if asked.body["model"] == "m" {
            return Answer::Text(format!("dear {said}"));
        }
        let score = if said.contains("dear") { 9 } else { 0 };
        Answer::Text(json!({ "reasoning": "as told", "score": score }).to_string())
    })
}

fn run(server: &Server, files: &[&str], flags: &[&str]) -> Ran {
    Akit::new(&[&["run"], files].concat())
        .args(&["--grader-model", "judge", "--base-url", &server.url, "--grader-base-url", &server.url])
        .args(&["--json", "run.json"])
        .args(flags)
        .file("one.yaml", scenario("one", "seed: 1\n"))
        .file("two.yaml", scenario("two", "seed: 2\n"))
        .file("none.yaml", scenario("none", ""))
        .run()
        .ended(0)
}

/// The seeds of all requests for a scenario, the application first.
fn seeds(server: &Server, name: &str) -> Vec<Json> {
    let about = |asked: &&Asked| asked.last_message().contains(&format!("Hello {name}"));
    server.asked().iter().filter(about).map(|asked| asked.body["seed"].clone()).collect()
}

#[test]
fn each_file_has_its_own_seed_whatever_other_files_say() {
    let together = server();
    let ran = run(&together, &["none.yaml", "one.yaml", "two.yaml"], &[]);
    for name in ["none", "one", "two"] {
        let alone = server();
        run(&alone, &[&format!("{name}.yaml")], &[]);
        assert_eq!(seeds(&together, name).len(), 2);
        assert_eq!(seeds(&together, name), seeds(&alone, name), "{name}");
    }
    assert_eq!(seeds(&together, "none")[0], Json::Null, "without a seed, none may be sent");
    let report = ran.json("run.json");
    let seeds_sent: Vec<_> =
        report["scenarios"].as_array().unwrap().iter().map(|one| one["seed"].clone()).collect();
    assert_eq!((&report["seed"], seeds_sent), (&json!(0), vec![Json::Null, json!(1), json!(2)]));
}

#[test]
fn the_flag_overrides_all_files() {
    let (flag, other) = (server(), server());
    let files = ["one.yaml", "two.yaml", "none.yaml"];
    let report = run(&flag, &files, &["--seed", "2"]).json("run.json");
    run(&other, &files, &[]);
    assert_eq!(seeds(&flag, "two"), seeds(&other, "two"));
    assert!(seeds(&flag, "one").iter().zip(&seeds(&other, "one")).all(|(flag, own)| flag != own));
    assert!(seeds(&flag, "none")[0].is_u64());
    assert_eq!((&report["seed"], &report["scenarios"][0]["seed"]), (&json!(2), &Json::Null));
}

#[test]
fn records_of_single_runs_replay_together() {
    let server = server();
    let cache = tempfile::tempdir().unwrap();
    let folder = ["--cache-dir", &cache.path().to_string_lossy(), "--target-version", "1"];
    for file in ["one.yaml", "two.yaml"] {
        run(&server, &[file], &folder);
    }
    let before = server.asked().len();
    run(&server, &["one.yaml", "two.yaml"], &[&folder[..], &["--replay"]].concat());
    assert_eq!(server.asked().len(), before);
}

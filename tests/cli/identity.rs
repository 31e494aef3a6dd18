//! Which server an answer came from: records, histories and judges use the whole address.

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, suite};
use super::server::{Answer, Asked, Server};

/// One host with two applications; the one under `/good` does as it is asked.
fn gateway() -> Server {
    Server::start(|asked: &Asked| {
        let good = asked.path.contains("good");
        Answer::Text(if good { asked.last_message() } else { "no".to_owned() })
    })
}

fn run(ran: &Ran, url: &str, more: &[&str]) -> Ran {
    let run = ["run", "s.yaml", "-m", "m", "--cache-dir", "c", "--json", "run.json", "--base-url", url];
    ran.then(&run).args(more).run()
}

#[test]
fn two_applications_behind_one_host_share_nothing() {
    let server = gateway();
    let root = server.url.trim_end_matches("/v1").to_owned();
    for (good, bad) in [("/good/v1", "/bad/v1"), ("/good", "/bad"), ("/v1?to=good", "/v1?to=bad")] {
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(0);
        let (good, bad) = (format!("{root}{good}"), format!("{root}{bad}"));
        let auto = ["--cache", "auto", "--target-version", "1"];
        let first = run(&ran, &good, &auto).ended(0).json("run.json");
        run(&ran, &good, &auto).ended(0).out("1 from the cache, 0 asked");
        let second = run(&ran, &bad, &auto).ended(1).json("run.json");
        assert_eq!(outcomes(&second), ["a failed"], "{bad}");
        let hash = |run: &serde_json::Value| run["scenarios"][0]["target_hash"].clone();
        assert_ne!(hash(&first), hash(&second), "{bad}");
        run(&ran, &bad, &["--replay", "--target-version", "1"]).ended(1);
        // The histories are separate, too: a different target is reported.
        run(&ran, &good, &auto).ended(0);
        ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
        run(&ran, &bad, &["--cache", "off", "--baseline", "b.json"]).ended(1).out("target-changed");
    }
}

#[test]
fn two_judges_behind_one_host_share_nothing() {
    let server = Server::start(|asked: &Asked| {
        let known_bad = !asked.body["messages"][0]["content"].to_string().contains("Be kind");
        let score = if known_bad || asked.path.contains("strict") { 0 } else { 10 };
        Answer::Text(json!({ "reasoning": "x", "score": score }).to_string())
    });
    let root = server.url.trim_end_matches("/v1").to_owned();
    let run = |ran: &Ran, path: &str| {
        ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j", "--json", "run.json"])
            .args(&["--grader-base-url", &format!("{root}{path}")])
            .run()
    };
    let ran = Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", "cases:\n  - { id: a, prompt: a, expected: { type: llm_grader, rubric: Be kind } }\n")
        .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"I see.\"}")
        .run()
        .ended(0);
    let lenient = run(&ran, "/lenient/v1").ended(0).json("run.json");
    let asked = server.asked().len();
    run(&ran, "/lenient/v1").ended(0);
    assert_eq!(server.asked().len(), asked, "the verdict must come from the cache");
    let strict = run(&ran, "/strict/v1").ended(1).json("run.json");
    assert!(server.asked().len() > asked, "the other judge must be asked");
    assert_ne!(lenient["scenarios"][0]["grader_hash"], strict["scenarios"][0]["grader_hash"]);
}

#[test]
fn an_address_is_used_as_written_or_refused() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let root = server.url.trim_end_matches("/v1").to_owned();
    for (written, path) in [
        (format!("{root}/v1"), "/v1/chat/completions"),
        (format!(" {root}/v1/ "), "/v1/chat/completions"),
        (format!("{root}/v1/chat/completions"), "/v1/chat/completions"),
        (format!("{root}/v1/chat/completions/"), "/v1/chat/completions"),
        (format!("{root}/v1?api-version=2024"), "/v1/chat/completions?api-version=2024"),
        (format!("{root}/v1/chat/completions?a=b"), "/v1/chat/completions?a=b"),
        (format!("{root}/x/y"), "/x/y/chat/completions"),
    ] {
        let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(0);
        run(&ran, &written, &[]).ended(0);
        assert_eq!(server.asked().last().unwrap().path, path, "{written:?}");
    }
    let before = server.asked().len();
    let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(0);
    for (written, words) in [
        (format!("{root}/v1#part"), "a fragment"),
        (format!("{root}/v 1"), "contains a space"),
        ("http://u:S3cr3t@[::1/v1".to_owned(), "is not a usable address"),
        ("ht!tp://S3cr3t:x@h".to_owned(), "is not a usable address"),
    ] {
        let refused = run(&ran, &written, &[]).ended(2).err(words);
        assert!(!refused.stderr.contains("S3cr3t"), "{}", refused.stderr);
    }
    assert_eq!(server.asked().len(), before, "nothing may be sent");
}

#[test]
fn a_query_is_not_stored_because_it_may_contain_a_key() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let ran = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a", "b"])).run().ended(0);
    let ran = run(&ran, &format!("{}?code=sk-very-secret", server.url), &["--html", "r.html"]).ended(0);
    assert!(server.asked()[0].path.ends_with("?code=sk-very-secret"));
    let miss = run(&ran, &format!("{}?code=sk-other-secret", server.url), &["--replay"]).ended(4);
    let mut texts = vec![miss.stdout.clone(), miss.stderr.clone(), ran.read("run.json"), ran.read("r.html")];
    for shelf in std::fs::read_dir(ran.path("c")).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            texts.push(std::fs::read_to_string(file.unwrap().path()).unwrap());
        }
    }
    assert!(texts.len() >= 6 && texts.iter().all(|text| !text.contains("secret")), "{texts:?}");
}

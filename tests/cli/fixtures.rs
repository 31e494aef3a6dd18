//! The README's suite: what a new user sees, and that akit would record the same today.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::repository;
use super::server::{Answer, Server};

fn suite() -> String {
    repository().join("fixtures/customer-service.yaml").display().to_string()
}

fn regressed() -> String {
    repository().join("fixtures/replies/regressed-bot.jsonl").display().to_string()
}

/// The README's suite with a bot in place of its recorded answers. These lines are added to akit.yaml; the judge's
/// recorded verdicts are kept.
pub(crate) fn with_bot(config: &str, arguments: &[&str]) -> Akit {
    let own = std::fs::read_to_string(repository().join("fixtures/akit.yaml"))
        .unwrap()
        .replace("mode: replay", "mode: auto");
    let mut akit = Akit::new(&["run", "fixtures/customer-service.yaml"])
        .args(arguments)
        .env("PATH", &std::env::var("PATH").unwrap_or_default())
        .file("fixtures/customer-service.yaml", std::fs::read(suite()).unwrap())
        .file("fixtures/akit.yaml", format!("{own}{config}"));
    for shelf in std::fs::read_dir(repository().join("fixtures/cache")).unwrap() {
        let name = shelf.unwrap().file_name().into_string().unwrap();
        akit = akit.copy(&format!("fixtures/cache/{name}"), &format!("fixtures/cache/{name}"));
    }
    akit
}

#[test]
fn the_good_bot_passes_without_key_or_network() {
    let ran = Akit::new(&["run"]).arg(suite()).run().ended(0);
    assert!(ran.stdout.contains("RESULT: PASS — 9 passed, 0 failed, 0 errored, 0 skipped"), "{}", ran.stdout);
}

#[test]
fn the_regressed_bot_fails_and_every_failure_names_its_line() {
    let ran = Akit::new(&["run"]).arg(suite()).arg("--replies").arg(regressed()).run().ended(1);
    assert!(ran.stdout.contains("RESULT: FAIL — 2 passed, 7 failed, 0 errored"), "{}", ran.stdout);
    let text = std::fs::read_to_string(suite()).unwrap();
    for (id, reason) in [
        ("stolen-card", "found `fill in the form`"),
        ("double-charge", "must not match, but matched"),
        ("distress", "the judge gave 0.00; at least 0.90 required"),
        ("wants-a-human", "found `before I do that`"),
        ("third-attempt", "found `check the IBAN`"),
        ("card-numbers", "must not match, but matched \"4000 0000 0000 4417\""),
        ("ticket-as-json", "the answer is not JSON"),
    ] {
        let line = text.lines().position(|line| line.trim() == format!("- id: {id}")).unwrap() + 1;
        let place = format!("fixtures/customer-service.yaml:{line}\n");
        assert!(ran.stdout.contains(&place), "{id} at {place} in:\n{}", ran.stdout);
        assert!(ran.stdout.contains(reason), "{id}: {reason} in:\n{}", ran.stdout);
    }
}

#[test]
fn the_baseline_shows_the_regression() {
    let baseline = repository().join("fixtures/baseline.json").display().to_string();
    let ran = Akit::new(&["run"]).arg(suite()).arg("--baseline").arg(&baseline).run().ended(0);
    assert!(ran.stdout.contains("9 cases compared"), "{}", ran.stdout);
    assert!(ran.stdout.contains("RESULT: PASS"), "{}", ran.stdout);
    let ran = Akit::new(&["run"])
        .arg(suite())
        .arg("--baseline")
        .arg(&baseline)
        .arg("--replies")
        .arg(regressed())
        .run()
        .ended(1);
    assert!(ran.stdout.contains("7 cases that passed in the baseline now fail"), "{}", ran.stdout);
    let proven = "broken: 6 of 6 passed in the baseline; 0 of 4 extra trials passed; the answers fit a broken case 862 times \
                  better";
    assert_eq!(ran.stdout.matches(proven).count(), 7, "{}", ran.stdout);
}

/// The committed baseline equals one of six trials of the good bot; `AKIT_BLESS=1 cargo test` updates it.
#[test]
fn the_committed_baseline_is_what_akit_makes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    Akit::new(&["run", "--repeat", "6", "--json"]).arg(at("run.json")).arg(suite()).run().ended(0);
    Akit::new(&["baseline", "update"])
        .arg(at("run.json"))
        .arg("--baseline")
        .arg(at("baseline.json"))
        .run()
        .ended(0);
    let made = std::fs::read_to_string(at("baseline.json")).unwrap();
    let committed = repository().join("fixtures/baseline.json");
    if std::env::var_os("AKIT_BLESS").is_some() {
        std::fs::write(&committed, &made).unwrap();
    }
    let plain = |text: &str| -> Json {
        let mut baseline: Json = serde_json::from_str(text).unwrap();
        // A run's id depends on its version and times.
        baseline["runs"] = Json::Null;
        baseline
    };
    let committed = std::fs::read_to_string(&committed).unwrap();
    assert_eq!(plain(&committed), plain(&made), "run `AKIT_BLESS=1 cargo test`");
}

/// Records the verdicts of `fixtures/verdicts.jsonl` through a stub judge, as a user would record those of a model,
/// and
/// compares them with the committed cache.
/// || After a change to the judge's prompt or the cache key, `AKIT_BLESS=1 cargo test` updates them.
#[test]
fn the_committed_verdicts_are_what_akit_records() {
    let judge = Server::start(judge());
    let fresh = tempfile::tempdir().unwrap();
    for replies in ["good-bot", "regressed-bot"] {
        let replies = repository().join(format!("fixtures/replies/{replies}.jsonl"));
        let ran = Akit::new(&[
            "run",
            "--cache",
            "auto",
            "--min-pass-rate",
            "0",
            "--grader-model",
            "recorded-judge",
        ])
        .arg(suite())
        .arg("--replies")
        .arg(replies.display().to_string())
        .arg("--cache-dir")
        .arg(fresh.path().display().to_string())
        .arg("--grader-base-url")
        .arg(&judge.url)
        .run();
        assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    }
    let host = judge.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let recorded = records(fresh.path(), &host);
    let committed = repository().join("fixtures/cache");
    if std::env::var_os("AKIT_BLESS").is_some() {
        bless(&recorded, &committed);
    }
    let kept = records(&committed, &host);
    let (recorded, kept): (Vec<_>, Vec<_>) = (recorded.values().collect(), kept.values().collect());
    assert_eq!(recorded.len(), 24, "19 verdicts, and five on known answers");
    assert!(recorded == kept, "fixtures/cache is out of date: run `AKIT_BLESS=1 cargo test`");
}

/// The address in the fixtures; nothing listens there.
const HOST: &str = "127.0.0.1:9";

fn judge() -> impl Fn(&super::server::Asked) -> Answer + Send + Sync {
    let read = |name: &str| -> Vec<Json> {
        let text = std::fs::read_to_string(repository().join("fixtures").join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut verdicts = Vec::new();
    for verdict in read("verdicts.jsonl") {
        let replies = read(&format!("replies/{}-bot.jsonl", verdict["bot"].as_str().unwrap()));
        let reply = replies.iter().find(|reply| reply["id"] == verdict["case"]).unwrap();
        let words = json!({ "reasoning": verdict["reasoning"], "score": verdict["score"] });
        verdicts.push((reply["reply"].as_str().unwrap().to_owned(), words.to_string()));
    }
    move |asked| {
        let message = asked.last_message();
        let data: Json = serde_json::from_str(message.lines().nth(1).unwrap()).unwrap();
        let answer = data["answer"].as_str().unwrap();
        let found = verdicts.iter().find(|(reply, _)| reply == answer);
        // Anything that is not an answer of the fixtures is one of the known answers that every judge is tested on.
        let bad = json!({ "reasoning": "This does not meet the rubric.", "score": 0 }).to_string();
        let verdict = found.map_or(bad, |(_, verdict)| verdict.clone());
        Answer::Text(verdict)
    }
}

/// The records of a folder by request, without fields that differ between recordings.
fn records(folder: &Path, host: &str) -> BTreeMap<String, Json> {
    let mut records = BTreeMap::new();
    for shelf in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap().replace(host, HOST);
            let mut record: Json = serde_json::from_str(&text).unwrap();
            record["recorded_at"] = "2026-11-22T12:00:00Z".into();
            record["latency_ms"] = 800.into();
            records.insert(record["request"].to_string(), record);
        }
    }
    records
}

fn bless(records: &BTreeMap<String, Json>, folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    for record in records.values() {
        let key = akit::inside::Key::of(record["request"].clone());
        let cache = akit::inside::Cache::at(folder);
        let at = record["recorded_at"].as_str().unwrap().to_owned();
        cache.put(&key, record["response"].clone(), record["latency_ms"].as_u64().unwrap(), at).unwrap();
    }
}

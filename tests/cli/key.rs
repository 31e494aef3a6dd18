//! The cache key: each component of a request, and nothing else.

use std::path::Path;

use serde_json::json;

use super::Akit;
use super::server::{Answer, Server};

const SUITE: &str = r"name: keys
provider: openai
model: app-1
temperature: 0.5
maxTokens: 50
setup:
  systemPrompt: Be brief.
cases:
  - id: first
    prompt: Where is my parcel?
    expected: { type: llm_grader, rubric: The reply says where the parcel is., threshold: 0.5 }
  - id: second
    prompt: Where is my refund?
    expected:
      type: combined
      operator: and
      expectations:
        - { type: contains, values: [here] }
        - { type: llm_grader, rubric: The reply says where the refund is., threshold: 0.5 }
";

/// Answers both as the application and as the judge.
fn answer(asked: &super::server::Asked) -> Answer {
    if asked.body["model"] == "judge-1" {
        let known_bad = !asked.last_message().contains("It is here");
        Answer::Text(json!({ "reasoning": "as told", "score": if known_bad { 0 } else { 9 } }).to_string())
    } else {
        Answer::Text(format!("It is here: {}", asked.last_message()))
    }
}

struct Recorded {
    server: Server,
    cache: tempfile::TempDir,
}

impl Recorded {
    fn akit(&self, command: &[&str], suite: &str) -> Akit {
        Akit::new(command)
            .file("keys.yaml", suite)
            .env("OPENAI_API_KEY", "sk-first-key")
            .arg("--cache-dir")
            .arg(self.cache.path().display().to_string())
    }

    fn ask(akit: Akit, url: &str) -> Akit {
        let judge = ["--grader-model", "judge-1", "--grader-base-url", url];
        judge.iter().fold(akit.arg("--base-url").arg(url), |akit, argument| akit.arg(*argument))
    }
}

fn record() -> Recorded {
    let recorded = Recorded { server: Server::start(answer), cache: tempfile::tempdir().unwrap() };
    let run = recorded.akit(&["run", "keys.yaml"], SUITE);
    Recorded::ask(run, &recorded.server.url).run().ended(0);
    recorded
}

/// What `cache why` prints for a suite: purpose and changed parts of each missing exchange.
fn missing(recorded: &Recorded, suite: &str, more: &[&str]) -> Vec<String> {
    let why = Recorded::ask(recorded.akit(&["cache", "why", "keys.yaml"], suite), &recorded.server.url);
    let ran = more.iter().fold(why, |akit, argument| akit.arg(*argument)).run();
    let mut found: Vec<String> = Vec::new();
    for line in ran.stdout.lines() {
        if let Some(purpose) = line.strip_prefix("missing: ") {
            found.push(purpose.split(" (").next().unwrap().to_owned());
        } else if let Some(part) = line.strip_prefix("  ")
            && let Some(last) = found.last_mut()
        {
            last.push_str(" <- ");
            last.push_str(part.split(':').next().unwrap());
        }
    }
    assert_eq!(ran.status, if found.is_empty() { 0 } else { 4 }, "{}{}", ran.stdout, ran.stderr);
    found
}

#[test]
fn unchanged_requests_are_found() {
    let recorded = record();
    let before = recorded.server.asked().len();
    let cases: Vec<_> = SUITE.split_inclusive("cases:\n").collect();
    let (first, second) = cases[1].split_at(cases[1].find("  - id: second").unwrap());
    let reordered = format!("{}{second}{first}", cases[0]);
    let reformatted = SUITE
        .replace("prompt: Where is my parcel?", "# a comment\n    prompt: \"Where is my parcel?\"")
        .replace("temperature: 0.5", "temperature: 0.50");
    for (what, suite, more) in [
        ("nothing", SUITE.to_owned(), &[][..]),
        ("order", reordered, &[]),
        ("layout", reformatted, &[]),
        ("concurrency", SUITE.to_owned(), &["--timeout", "5s", "--retries", "0"]),
        ("the id of a case", SUITE.replace("id: first", "id: renamed"), &[]),
        ("the scenario's name", SUITE.replace("name: keys", "name: other"), &[]),
        ("threshold", SUITE.replace("threshold: 0.5", "threshold: 0.4"), &[]),
        ("tags", SUITE.replace("name: keys", "name: keys\ntags: [new]"), &[]),
        ("values", SUITE.replace("values: [here]", "values: [HERE, it]"), &[]),
    ] {
        assert_eq!(missing(&recorded, &suite, more), [""; 0], "{what}");
    }
    let rotated =
        recorded.akit(&["run", "keys.yaml", "--replay"], SUITE).env("OPENAI_API_KEY", "sk-second-key");
    // Found without asking; without a version, an application behind its own address may have changed.
    Recorded::ask(rotated, &recorded.server.url).run().ended(5).out("2 passed");
    let moved = Akit::new(&["run", "sub/moved.yaml", "--replay", "-c", "9"]).file("sub/moved.yaml", SUITE);
    let moved = moved.arg("--cache-dir").arg(recorded.cache.path().display().to_string());
    Recorded::ask(moved, &recorded.server.url).run().ended(5).out("2 passed");
    assert_eq!(recorded.server.asked().len(), before, "nothing may be sent");
}

#[test]
fn each_component_misses_what_it_affects_and_is_named() {
    let recorded = record();
    let reply = |case: &str, part: &str| format!("the reply to keys/{case} <- {part}");
    let vote = |case: &str, part: &str| format!("the judge's verdict on keys/{case} <- {part}");
    let replies = |part: &str| vec![reply("first", part), reply("second", part)];
    let tool = "systemPrompt: Be brief.\n  functions: [{ name: track, parameters: { type: object } }]";
    let system = "prompt:\n      - { role: system, content: Be kind. }\n      - { role: user, content: Where is my parcel? }";
    for (suite, more, expected) in [
        (SUITE.replace("my parcel?", "my packet?"), &[][..], vec![reply("first", "messages")]),
        (SUITE.replace("Be brief.", "Be polite."), &[], replies("system prompt")),
        (SUITE.replace("prompt: Where is my parcel?", system), &[], vec![reply("first", "system prompt")]),
        (SUITE.replace("temperature: 0.5", "temperature: 0.6"), &[], replies("params.temperature")),
        (SUITE.replace("temperature: 0.5\n", ""), &[], replies("params.temperature")),
        (SUITE.replace("maxTokens: 50", "maxTokens: 60"), &[], replies("params.max_tokens")),
        (SUITE.replace("model: app-1", "model: app-2"), &[], replies("model")),
        (SUITE.replace("name: keys", "name: keys\nseed: 0"), &[], replies("params.seed")),
        (SUITE.replace("systemPrompt: Be brief.", tool), &[], replies("tools")),
        (SUITE.to_owned(), &["-p", "ollama", "-m", "app-1"], replies("provider")),
        (SUITE.to_owned(), &["--target-version", "2"], replies("version")),
        (
            SUITE.replace("where the refund is.", "when the refund comes."),
            &[],
            vec![vote("second", "rubric")],
        ),
        (
            SUITE.replace("threshold: 0.5 }\n  - id", "threshold: 0.5, scale: 5 }\n  - id"),
            &[],
            vec![vote("first", "scale")],
        ),
    ] {
        assert_eq!(missing(&recorded, &suite, more), expected, "{suite}");
    }
    let other_judge = recorded.akit(&["cache", "why", "keys.yaml", "--grader-model", "judge-2"], SUITE);
    let ran = ["--base-url", &recorded.server.url, "--grader-base-url", &recorded.server.url]
        .iter()
        .fold(other_judge, |akit, argument| akit.arg(*argument))
        .run()
        .ended(4);
    assert_eq!(
        ran.stdout.matches("  model: recorded \"judge-1\", now \"judge-2\"").count(),
        2,
        "{}",
        ran.stdout
    );
    let other_host = recorded.server.url.replace("127.0.0.1", "localhost");
    let moved =
        Recorded::ask(recorded.akit(&["cache", "why", "keys.yaml"], SUITE), &other_host).run().ended(4);
    assert_eq!(moved.stdout.matches("  endpoint: recorded").count(), 2, "{}", moved.stdout);
}

#[test]
fn no_record_holds_a_key() {
    let recorded = record();
    let mut files = 0;
    for shelf in std::fs::read_dir(recorded.cache.path()).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("sk-first"), "{text}");
            files += 1;
        }
    }
    assert_eq!(files, 9, "two answers, two verdicts, five known answers");
}

#[test]
fn a_case_can_be_named_after_the_suite() {
    let recorded = record();
    let suite = SUITE.replace("my parcel?", "my packet?").replace("my refund?", "my money?");
    let why = recorded.akit(&["cache", "why", "keys.yaml", "second"], &suite);
    let ran = Recorded::ask(why, &recorded.server.url).run().ended(4);
    assert!(ran.stdout.contains("keys/second") && !ran.stdout.contains("keys/first"), "{}", ran.stdout);
}

#[test]
fn a_cache_moves_as_one_file_and_drops_unused_records() {
    let recorded = record();
    let url = &recorded.server.url;
    let exported =
        Recorded::ask(recorded.akit(&["cache", "export", "keys.yaml", "-o", "out.jsonl"], SUITE), url);
    let exported = exported.run().ended(0);
    assert_eq!(exported.read("out.jsonl").lines().count(), 9);
    let import = Akit::new(&["cache", "import", "in.jsonl", "--cache-dir", "elsewhere"]);
    let imported = import.file("in.jsonl", exported.read("out.jsonl")).run().ended(0);
    assert!(imported.stdout.contains("9 records added"), "{}", imported.stdout);
    assert!(same_files(&imported.path("elsewhere"), recorded.cache.path()));

    let small = SUITE.replace("  - id: second", "  - id: third").replace("my refund?", "my refund??");
    let lost = Recorded::ask(recorded.akit(&["cache", "prune", "--unused", "keys.yaml"], &small), url)
        .run()
        .ended(4);
    assert!(lost.stderr.contains("1 exchange not recorded"), "{}", lost.stderr);
    let one = SUITE.split("  - id: second").next().unwrap();
    let shelf = recorded.cache.path().join("ab");
    std::fs::create_dir_all(&shelf).unwrap();
    let torn = |name: &str| std::fs::File::create(shelf.join(name)).unwrap();
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    torn(".akit-old").set_modified(yesterday).unwrap();
    torn(".akit-new");
    let verified = Recorded::ask(recorded.akit(&["cache", "verify", "keys.yaml"], one), url).run().ended(0);
    assert!(verified.stdout.starts_with("9 records valid, 0 invalid"), "{}", verified.stdout);
    let pruned =
        Recorded::ask(recorded.akit(&["cache", "prune", "--unused", "keys.yaml"], one), url).run().ended(0);
    assert!(pruned.stdout.starts_with("3 files"), "{}", pruned.stdout);
    assert!(!shelf.join(".akit-old").exists() && shelf.join(".akit-new").exists());
    let stats = Recorded::ask(recorded.akit(&["cache", "stats", "keys.yaml"], SUITE), url).run().ended(0);
    assert!(stats.stdout.contains("2 hits, 1 miss"), "{}", stats.stdout);
}

fn same_files(a: &Path, b: &Path) -> bool {
    let list = |folder: &Path| -> Vec<(String, String)> {
        let mut found = Vec::new();
        for shelf in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
        found.sort();
        found
    };
    list(a) == list(b)
}

//! The judge over the wire: who it is, what it is asked, and that nothing but a verdict counts as one.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, replies};
use super::server::{Answer, Server};

fn suite(extra: &str) -> String {
    format!(
        "cases:\n  - id: a\n    prompt: My card is gone.\n    expected: {{ type: llm_grader, rubric: Be kind., \
         threshold: 0.7{extra} }}\n"
    )
}

fn run(url: &str, text: String, arguments: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--grader-base-url", url])
        .args(arguments)
        .file("s.yaml", text)
        .file("r.jsonl", replies(&[("a", "I am sorry. I block it now.")]))
        .run()
}

fn verdict(score: u32) -> String {
    format!("{{\"reasoning\":\"kind enough\",\"score\":{score}}}")
}

#[test]
fn the_threshold_decides_over_a_readable_verdict() {
    for (score, status) in [(10, 0), (7, 0), (6, 1), (0, 1)] {
        let server = Server::start(move |_| Answer::Text(verdict(score)));
        let ran = run(&server.url, suite(""), &["--grader-model", "j"]).ended(status);
        let found = &ran.json("run.json")["cases"][0]["trials"][0]["verdict"];
        assert_eq!(found["score"].as_f64(), Some(f64::from(score) / 10.0));
        assert_eq!(found["grade"]["reasoning"], "kind enough");
        assert_eq!(server.asked().len(), 1);
        assert_eq!(server.asked()[0].body["model"], "j");
        let told = server.asked()[0].body["messages"].to_string();
        for part in ["Be kind.", "My card is gone.", "I block it now."] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}

#[test]
fn what_is_no_verdict_is_asked_once_more_and_then_an_error() {
    let bad = [
        "",
        "8",
        "Score: 8/10",
        "{\"score\":8}",
        "{\"reasoning\":\"x\",\"score\":11}",
        "{\"reasoning\":\"x\",\"score\":8.5}",
        "{\"reasoning\":\"x\",\"score\":\"8\"}",
        "{\"reasoning\":\"\",\"score\":8}",
        "Sure! {\"reasoning\":\"x\",\"score\":10}",
        "{\"reasoning\":\"x\",\"score\":10}{\"reasoning\":\"x\",\"score\":10}",
    ];
    for reply in bad {
        let server = Server::start(move |_| Answer::Text(reply.to_owned()));
        let ran = run(&server.url, suite(""), &["--grader-model", "j"])
            .ended(4)
            .out("the grader's reply is no verdict");
        let report = ran.json("run.json");
        assert_eq!(outcomes(&report), ["a errored"], "{reply}");
        assert_eq!(report["cases"][0]["trials"][0]["fault"]["kind"], "judge-unreadable", "{reply}");
        assert_eq!(server.asked().len(), 2, "{reply}");

        let calls = AtomicUsize::new(0);
        let server = Server::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::Text(reply.to_owned()),
            _ => Answer::Text(verdict(9)),
        });
        run(&server.url, suite(""), &["--grader-model", "j"]).ended(0);
        let seeds: Vec<_> = server.asked().iter().map(|asked| asked.body["seed"].as_u64()).collect();
        assert!(seeds.len() == 2 && seeds[0] != seeds[1], "the second try has a seed of its own: {seeds:?}");
    }
}

#[test]
fn a_judge_in_trouble_is_an_error_of_the_case() {
    let server = Server::start(|_| Answer::Raw(401, Vec::new(), b"{\"error\":\"no rights\"}".to_vec()));
    let ran = run(&server.url, suite(""), &["--grader-model", "j"])
        .ended(4)
        .out("the grader could not be asked")
        .out("no rights");
    assert_eq!(ran.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "unauthorized");
}

#[test]
fn without_a_judge_nothing_is_sent() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    run(&server.url, suite(""), &[])
        .ended(2)
        .err("no grader is configured for `llm_grader`")
        .err("name a judge with `--grader-model`")
        .err("s.yaml:2:9");
    // The key of the judge is looked for before anything is sent, too.
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j"])
        .file("s.yaml", suite(""))
        .file("r.jsonl", replies(&[("a", "x")]))
        .run()
        .ended(2)
        .err("there is no key for provider `openai`");
    Akit::new(&[
        "run",
        "s.yaml",
        "--replies",
        "r.jsonl",
        "--grader-model",
        "j",
        "--grader-provider",
        "google",
    ])
    .file("s.yaml", suite(""))
    .file("r.jsonl", replies(&[("a", "x")]))
    .run()
    .ended(2)
    .err("akit cannot call provider `google` yet");
}

#[test]
fn the_judge_is_decided_by_flag_expectation_configuration_in_this_order() {
    let table: [(&[&str], &str, &str); 3] = [
        (&["--grader-model", "flag"], ", model: own", "flag"),
        (&[], ", model: own", "own"),
        (&[], "", "configured"),
    ];
    for (flags, own, expected) in table {
        let server = Server::start(|_| Answer::Text(verdict(9)));
        let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .args(flags)
            .env("OPENAI_BASE_URL", &server.url)
            .file("akit.yaml", "grader: { model: configured }\n")
            .file("s.yaml", suite(own))
            .file("r.jsonl", replies(&[("a", "I am sorry.")]))
            .run()
            .ended(0);
        assert_eq!(server.asked()[0].body["model"], expected);
        let named = ran.json("run.json")["scenarios"][0]["grader"].as_str().unwrap().to_owned();
        assert!(named.starts_with(expected), "{named}");
    }
}

#[test]
fn a_judge_that_is_the_model_under_test_is_told() {
    let server = Server::start(|asked| match asked.body.get("response_format") {
        Some(_) => Answer::Text(verdict(9)),
        None => Answer::Text("I am sorry.".to_owned()),
    });
    let run = |model: &str, grader: &str| {
        Akit::new(&["run", "s.yaml", "-m", model, "--grader-model", grader, "--json", "run.json"])
            .env("OPENAI_BASE_URL", &server.url)
            .file("s.yaml", suite(""))
            .run()
            .ended(0)
    };
    run("gpt-4o", "gpt-4o").err("is the model under test").out("is the model under test");
    run("gpt-4o", "gpt-5").err("is of the family of the model under test, gpt-4o");
    let other = run("gpt-4o", "claude-5");
    assert!(
        !other.stderr.contains("warning")
            && other.json("run.json").get("notes").is_none_or(|n| n.as_array().unwrap().is_empty())
    );
}

#[test]
fn verdicts_are_recorded_and_replayed_without_anybody() {
    let server = Server::start(|_| Answer::Text(verdict(9)));
    let ran = run(&server.url, suite(""), &["--grader-model", "j"]).ended(0);
    let again =
        ["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j", "--grader-base-url", &server.url];
    ran.then(&again).run().ended(0);
    assert_eq!(server.asked().len(), 1, "a verdict that is there is not asked for again");
    let first = ran.then(&again).args(&["--replay", "--json", "-"]).run().ended(0);
    assert_eq!(ran.then(&again).args(&["--replay", "--json", "-", "-c", "1"]).run().stdout, first.stdout);
    let changed = suite("").replace("Be kind.", "Be brief.");
    ran.then(&again)
        .arg("--replay")
        .file("s.yaml", changed)
        .run()
        .ended(4)
        .out("the grader's verdict on s/a");
    assert_eq!(server.asked().len(), 1);
}

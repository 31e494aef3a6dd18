//! The judge over the wire: which one it is, what it is asked, and that only a verdict counts as one.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Akit;
use super::akit::Ran;
use super::canaries::canary;
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

pub(crate) fn verdict(score: u32) -> String {
    format!("{{\"reasoning\":\"kind enough\",\"score\":{score}}}")
}

#[test]
fn the_threshold_decides_over_a_readable_verdict() {
    for (score, status) in [(10, 0), (7, 0), (6, 1), (0, 1)] {
        let server = Server::start(move |_| Answer::Text(verdict(score)));
        let ran = run(&server.url, suite(""), &["--grader-model", "j"]).ended(status);
        let found = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["verdicts"][0];
        assert_eq!(found["score"].as_f64(), Some(f64::from(score) / 10.0));
        assert_eq!(found["grade"]["reasoning"], "kind enough");
        // Within one step of the threshold a second verdict is requested, and two of three decide.
        let near = (6..=8).contains(&score);
        assert_eq!(server.votes().len(), if near { 2 } else { 1 });
        assert_eq!(server.votes()[0].body["model"], "j");
        let prompt = server.votes()[0].body["messages"].to_string();
        for part in ["Be kind.", "My card is gone.", "I block it now."] {
            assert!(prompt.contains(part), "{part} in {prompt}");
        }
    }
}

#[test]
fn an_unreadable_verdict_is_retried_once_and_then_an_error() {
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
        "{\"reasoning\":\"x\",\"score\":9}{\"reasoning\":\"x\",\"score\":10}",
    ];
    for reply in bad {
        let server = Server::start(move |_| Answer::Text(reply.to_owned()));
        let ran = run(&server.url, suite(""), &["--grader-model", "j"])
            .ended(4)
            .out("the judge's answer is not a verdict");
        let report = ran.json("run.json");
        assert_eq!(outcomes(&report), ["a errored"], "{reply}");
        assert_eq!(report["cases"][0]["trials"][0]["fault"]["kind"], "judge-unreadable", "{reply}");
        assert_eq!(server.votes().len(), 2, "{reply}");

        let calls = AtomicUsize::new(0);
        let server = Server::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::Text(reply.to_owned()),
            _ => Answer::Text(verdict(9)),
        });
        run(&server.url, suite(""), &["--grader-model", "j"]).ended(0);
        let seeds: Vec<_> = server.votes().iter().map(|asked| asked.body["seed"].as_u64()).collect();
        assert!(seeds.len() == 2 && seeds[0] != seeds[1], "the second try must use another seed: {seeds:?}");
    }
}

#[test]
fn a_verdict_that_could_not_be_read_is_asked_for_again_and_only_a_replay_shows_it() {
    let turn = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&turn);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Answer::Text("{\"reasoning\":\"x\",\"sc".to_owned()),
        _ => Answer::Text(verdict(9)),
    });
    let model = ["--grader-model", "j"];
    let first = run(&server.url, suite(""), &model).ended(4).out("is not a verdict");
    let again = |more: &[&str]| {
        first
            .then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--grader-model", "j"])
            .args(&["--grader-base-url", &server.url])
            .args(more)
            .run()
    };
    // A replay shows what happened.
    again(&["--replay"]).ended(4).out("is not a verdict");
    assert_eq!(server.votes().len(), 2);
    // The default asks again instead of reading the unreadable verdict; the judge works now.
    again(&[]).ended(0);
    assert_eq!(server.votes().len(), 3);
    // And that verdict is recorded.
    again(&[]).ended(0);
    again(&["--replay"]).ended(0);
    assert_eq!(server.votes().len(), 3);
}

#[test]
fn a_verdict_that_came_at_the_second_try_is_not_paid_for_twice() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Text("no verdict".to_owned()),
        _ => Answer::Text(verdict(9)),
    });
    let first = run(&server.url, suite(""), &["--grader-model", "j"]).ended(0);
    assert_eq!(server.votes().len(), 2);
    let again =
        ["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j", "--grader-base-url", &server.url];
    first.then(&again).run().ended(0);
    first.then(&again).arg("--replay").run().ended(0);
    assert_eq!(server.votes().len(), 2);
}

#[test]
fn a_failing_judge_makes_the_case_errored() {
    let server = Server::start(|_| Answer::Raw(401, Vec::new(), b"{\"error\":\"no rights\"}".to_vec()));
    let ran = run(&server.url, suite(""), &["--grader-model", "j"])
        .ended(4)
        .out("the judge could not be called")
        .out("no rights");
    assert_eq!(ran.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "unauthorized");
}

#[test]
fn without_a_judge_nothing_is_sent() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    run(&server.url, suite(""), &[])
        .ended(2)
        .err("no judge is configured")
        .err("pass `--grader-model`")
        .err("s.yaml:2:9");
    // The judge's API key is also checked before anything is sent.
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j"])
        .file("s.yaml", suite(""))
        .file("r.jsonl", replies(&[("a", "x")]))
        .run()
        .ended(2)
        .err("no key set for provider `openai`");
    Akit::new(&[
        "run",
        "s.yaml",
        "--replies",
        "r.jsonl",
        "--grader-model",
        "j",
        "--grader-provider",
        "cohere",
    ])
    .file("s.yaml", suite(""))
    .file("r.jsonl", replies(&[("a", "x")]))
    .run()
    .ended(2)
    .err("akit cannot call provider `cohere`");
}

#[test]
fn the_judge_comes_from_flag_expectation_configuration_in_this_order() {
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
        assert_eq!(server.votes()[0].body["model"], expected);
        let named = ran.json("run.json")["scenarios"][0]["grader"].as_str().unwrap().to_owned();
        assert!(named.starts_with(expected), "{named}");
    }
}

#[test]
fn a_judge_that_is_the_model_under_test_is_reported() {
    let server = Server::start(|asked| {
        Answer::Text(if asked.is_for_judge() { verdict(9) } else { "I am sorry.".to_owned() })
    });
    let run = |model: &str, grader: &str| {
        Akit::new(&["run", "s.yaml", "-m", model, "--grader-model", grader, "--json", "run.json"])
            .env("OPENAI_BASE_URL", &server.url)
            .file("s.yaml", suite(""))
            .run()
            .ended(0)
    };
    run("gpt-4o", "gpt-4o").err("is the model under test").out("is the model under test");
    run("gpt-4o", "gpt-5").err("is of the same family as the model under test, gpt-4o");
    let other = run("gpt-4o", "claude-5");
    assert!(
        !other.stderr.contains("warning")
            && other.json("run.json").get("notes").is_none_or(|n| n.as_array().unwrap().is_empty())
    );
}

#[test]
fn verdicts_are_recorded_and_replayed_without_a_judge() {
    let server = Server::start(|_| Answer::Text(verdict(9)));
    let ran = run(&server.url, suite(""), &["--grader-model", "j"]).ended(0);
    let again =
        ["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j", "--grader-base-url", &server.url];
    ran.then(&again).run().ended(0);
    assert_eq!(server.votes().len(), 1, "a recorded verdict must not be requested again");
    let first = ran.then(&again).args(&["--replay", "--json", "-"]).run().ended(0);
    assert_eq!(ran.then(&again).args(&["--replay", "--json", "-", "-c", "1"]).run().stdout, first.stdout);
    let changed = suite("").replace("Be kind.", "Be brief.");
    ran.then(&again).arg("--replay").file("s.yaml", changed).run().ended(4).out("the judge's verdict on s/a");
    assert_eq!(server.votes().len(), 1);
}

#[test]
fn a_judge_that_lets_known_bad_answers_pass_or_good_ones_fail_is_void_in_replay_too() {
    for (score, asked, what) in [(10, 2, "passed a known-bad answer ("), (0, 1, "failed a known-good answer")]
    {
        let server = Server::plain(move |_| Answer::Text(verdict(score)));
        let ran = run(&server.url, suite(""), &["--grader-model", "j", "--seed", "3"]).ended(4).out(what);
        assert_eq!(ran.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "judge-void");
        let again =
            ["run", "s.yaml", "--replies", "r.jsonl", "--grader-model", "j", "--seed", "3", "--replay"];
        ran.then(&again).args(&["--grader-base-url", &server.url]).run().ended(4).out(what);
        assert_eq!(server.asked().len(), asked, "one wrong verdict must be enough");
    }
}

/// A completion with this stop reason.
fn ended(text: &str, reason: &str) -> Answer {
    let message = serde_json::json!({ "role": "assistant", "content": text });
    let body = serde_json::json!({ "choices": [{ "message": message, "finish_reason": reason }] });
    Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
}

/// Unreadable verdicts.
type Unread = fn() -> Option<Answer>;

#[test]
fn a_judge_that_failed_no_known_bad_answer_is_void() {
    let filtered = || {
        let body =
            r#"{"error":{"message":"blocked","code":"content_filter","type":"invalid_request_error"}}"#;
        Answer::Raw(400, Vec::new(), body.as_bytes().to_vec())
    };
    let score = |score: u64| format!("{{\"reasoning\":\"x\",\"score\":{score}}}");
    let kinds: [(&str, Unread); 5] = [
        ("empty", || Some(Answer::Text(String::new()))),
        ("cut", || Some(ended("{\"reas", "length"))),
        ("filtered", || Some(ended("", "content_filter"))),
        ("prose", || Some(Answer::Text("I will not grade this.".to_owned()))),
        ("refused", || None),
    ];
    for (kind, unread) in kinds {
        // All four bad answers are unreadable, or all except the last.
        for readable in [false, true] {
            let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
            let server = Server::plain(move |asked| match canary(asked) {
                None => Answer::Text(score(10)),
                Some((true, scale)) => Answer::Text(score(scale)),
                Some((false, _)) => {
                    let mut seen = seen.lock().unwrap();
                    seen.insert(asked.body["messages"].as_array().unwrap().last().unwrap().to_string());
                    if readable && seen.len() >= 4 {
                        Answer::Text(score(0))
                    } else {
                        unread().unwrap_or_else(filtered)
                    }
                }
            });
            let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
                .args(&["--grader-model", "j", "--grader-base-url", &server.url])
                .file(
                    "s.yaml",
                    "cases: [{ id: a, prompt: Hi, expected: { type: llm_grader, rubric: Be kind. } }]\n",
                )
                .file("r.jsonl", replies(&[("a", "Hello there.")]))
                .run();
            if readable {
                ran.ended(0).out("1 passed");
            } else {
                let ran = ran.ended(4).out("gave no readable verdict on any known-bad answer");
                let fault = &ran.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"];
                assert_eq!(fault, "judge-void", "{kind}");
            }
        }
    }
}

#[test]
fn semantic_similarity_uses_embeddings_or_the_judge() {
    let similar = |more: &str| {
        format!(
            "cases:\n  - id: a\n    prompt: Hello\n    expected: {{ type: similarity, value: I am sorry, \
             threshold: 0.8{more} }}\n"
        )
    };
    let embeddings = Server::start(|asked| {
        let near = asked.body["input"].as_str().unwrap().contains("sorry");
        let vector = if near { "[1.0, 0.25]" } else { "[0.0, 1.0]" };
        let body = format!("{{\"data\":[{{\"embedding\":{vector}}}],\"usage\":{{\"prompt_tokens\":3}}}}");
        Answer::Raw(200, Vec::new(), body.into_bytes())
    });
    let model = ["--grader-model", "j"];
    let ran = run(&embeddings.url, similar(", embeddingModel: e"), &model).ended(0);
    assert!(
        embeddings.asked().iter().all(|asked| asked.path == "/v1/embeddings" && asked.body["model"] == "e")
    );
    let grade = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["grade"];
    assert_eq!((grade["votes"][0].as_f64(), grade["usage"]["input_tokens"].as_u64()), (Some(1.0), Some(6)));
    run(&embeddings.url, similar(", embeddingModel: e").replace("I am sorry", "Goodbye"), &model)
        .ended(1)
        .out("similarity 24.3%; at least 80.0% required");
    run(&embeddings.url, similar(", mode: embedding"), &model).ended(4).out("no embedding model set");
    let judge = Server::start(|asked| {
        let prompt = asked.body["messages"][0]["content"].as_str().unwrap();
        Answer::Text(verdict(if prompt.contains("means the same") { 9 } else { 0 }))
    });
    let ran = run(&judge.url, similar(""), &model).ended(0);
    assert_eq!(
        ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["verdicts"][0]["kind"],
        "similarity"
    );
}

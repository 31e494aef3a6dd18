//! Judging a sample after the load.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::judge::verdict;
use super::*;

const JUDGED: &str = "cases:
  - { id: j, prompt: Say alpha., expected: { type: llm_grader, rubric: Is it kind? } }
  - { id: k, prompt: Say beta., expected: { type: llm_grader, rubric: Is it kind? } }
";

/// A judge, and the time of its first request.
fn judge(score: u32) -> (Server, Arc<Mutex<Vec<Instant>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&times);
    let server = Server::plain(move |asked| {
        log.lock().unwrap().push(Instant::now());
        Answer::Text(super::super::canaries::verdict(asked).unwrap_or_else(|| verdict(score)))
    });
    (server, times)
}

fn load(url: &str, judge: &str, suite: &str, more: &[&str]) -> Akit {
    stress(url, &["--grader-model", "j", "--grader-base-url", judge]).args(more).file("s.yaml", suite)
}

/// The judge's prompts, without known answers.
fn shown(judge: &Server) -> Vec<String> {
    let mut shown: Vec<_> = judge.votes().iter().map(|asked| asked.body["messages"].to_string()).collect();
    shown.sort();
    shown.dedup();
    shown
}

#[test]
fn no_judge_is_asked_during_the_load() {
    let (judge, asked) = judge(10);
    let last = Arc::new(Mutex::new(None));
    let log = Arc::clone(&last);
    let server = Server::start(move |asked| {
        std::thread::sleep(Duration::from_millis(20));
        *log.lock().unwrap() = Some(Instant::now());
        Answer::Text(asked.last_message())
    });
    let ran = load(&server.url, &judge.url, JUDGED, &["-n", "20", "-c", "4"]).run();
    let found = found(&ran);
    let first = asked.lock().unwrap().first().copied().unwrap();
    assert!(first > last.lock().unwrap().unwrap(), "the judge was asked during the load");
    for level in found["levels"].as_array().unwrap() {
        let judged = &level["judged"];
        assert_eq!(judged["n"], judged["passed"], "{judged}");
        assert!(judged["n"].as_u64().unwrap() > 0);
        // A case that only a judge can judge counts in the pass rate only through the sample.
        assert_eq!(
            (level["quality"]["n"].clone(), level["quality"]["rate"].clone()),
            (judged["n"].clone(), 1.0.into())
        );
    }
}

#[test]
fn a_sample_has_at_most_fifty_answers_per_level_and_depends_on_the_seed() {
    let sample = |seed: &str, more: &[&str]| {
        let (judge, _) = judge(10);
        // All answers differ; the n-th answer is the same in every load.
        let number = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |_| {
            Answer::Text(format!(
                "It is number-{}.",
                number.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
            ))
        });
        let ran =
            load(&server.url, &judge.url, JUDGED, &["-n", "90", "-c", "1", "--seed", seed]).args(more).run();
        (found(&ran)["levels"][0]["judged"]["n"].as_u64().unwrap(), shown(&judge))
    };
    let answers = |shown: &[String]| {
        let mut answers: Vec<String> = Vec::new();
        for text in shown {
            let (_, rest) = text.split_once("number-").unwrap();
            answers.push(rest.chars().take_while(char::is_ascii_digit).collect());
        }
        answers.sort();
        answers
    };
    let (n, first) = sample("7", &[]);
    assert_eq!((n, first.len()), (50, 50));
    let (_, again) = sample("7", &[]);
    assert_eq!(answers(&first), answers(&again));
    let (_, other) = sample("8", &[]);
    assert_ne!(answers(&first), answers(&other));
    let (n, few) = sample("7", &["--judge-sample", "5"]);
    assert_eq!((n, few.len()), (5, 5));
    // A smaller sample is a prefix of a larger one.
    assert!(answers(&few).iter().all(|answer| answers(&first).contains(answer)));
}

#[test]
fn a_case_that_only_the_judge_failed_has_the_judges_reason() {
    let (judge, _) = judge(0);
    let ran = load(&echo().url, &judge.url, JUDGED, &["-n", "6", "-c", "2"]).run();
    let found = found(&ran);
    assert_eq!(found["levels"][0]["judged"]["passed"], 0, "{}", found["levels"][0]);
    let reason = found["cases"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("the judge gave 0.00"), "{}", found["cases"]);
}

#[test]
fn without_a_sample_no_judge_is_asked() {
    let (judge, asked) = judge(10);
    let ran = load(&echo().url, &judge.url, JUDGED, &["-n", "6", "-c", "2", "--judge-sample", "0"]).run();
    let found = found(&ran);
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(found["levels"][0]["judged"], Json::Null);
    assert_eq!(found["levels"][0]["quality"]["rate"], Json::Null);
    assert!(found["notes"].to_string().contains("quality is unknown"), "{}", found["notes"]);
}

#[test]
fn checks_without_a_judge_count_for_every_answer() {
    // One part needs a judge; the other is checked for every answer.
    let suite = "cases:
  - { id: a, prompt: Say alpha., expected: { type: combined, operator: and, expectations: [{ type: contains, values: [beta] }, { type: llm_grader, rubric: Is it kind? }] } }
  - { id: b, prompt: Say beta., expected: { type: contains, values: [beta] } }
";
    let (judge, _) = judge(10);
    let ran = load(&echo().url, &judge.url, suite, &["-n", "20", "-c", "2"]).run();
    let level = &found(&ran)["levels"][0];
    assert_eq!((level["quality"]["n"].clone(), level["quality"]["passed"].clone()), (20.into(), 10.into()));
    assert_eq!(level["judged"]["n"], 10, "only cases with a judge may be in the sample");
    assert_eq!(level["judged"]["passed"], 0, "the judge is only one part of the expectation");
}

#[test]
fn a_judge_that_fails_answers_fails_the_limit() {
    let run = |score: u32, slo: &str| {
        solid(|| {
            let (judge, _) = judge(score);
            // The judge must live as long as the load.
            let ran = load(&slow_echo().url, &judge.url, JUDGED, &["-n", "4", "-c", "4", "--slo", slo]);
            std::mem::forget(judge);
            ran
        })
    };
    run(10, "pass_rate=1").ended(0);
    run(0, "pass_rate=0.5").ended(1).out("pass_rate is 0%; the limit is 50%");
    run(0, "error_rate=0.5").ended(1).out("none of 4 conversations passed");
}

#[test]
fn a_judge_that_is_down_is_an_error_where_nothing_else_judged() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let judge = format!("http://{closed}/v1");
    let run = |suite: &str, more: &[&str]| {
        solid(|| load(&slow_echo().url, &judge, suite, &["-n", "4", "-c", "4", "--retries", "0"]).args(more))
    };
    let ran = run(JUDGED, &[]).ended(4).out("the judge could not grade any answer of the sample");
    let level = &found(&ran)["levels"][0];
    assert_eq!((level["judged"]["n"].clone(), level["judged"]["errored"].clone()), (0.into(), 4.into()));
    assert_eq!(level["quality"]["rate"], Json::Null);
    assert_eq!(found(&ran)["requests"], 4, "the figures of the load must be reported");
    // A limit on an unmeasured metric does not pass.
    run(JUDGED, &["--slo", "pass_rate=0"]).ended(4).out("pass_rate was not measured");
}

#[test]
fn a_judge_that_accepts_a_bad_answer_is_not_used() {
    // It accepts everything, known-bad answers included.
    let judge = Server::plain(|_| Answer::Text(verdict(10)));
    let flags = ["-n", "4", "-c", "4", "--markdown", "stress.md"];
    let ran = load(&echo().url, &judge.url, JUDGED, &flags).run();
    let level = &found(&ran)["levels"][0];
    assert_eq!((level["judged"]["n"].clone(), level["judged"]["errored"].clone()), (0.into(), 4.into()));
    // Every report says why.
    let why = "known-bad answer";
    assert!(level["judged"]["reason"].as_str().unwrap().contains(why), "{}", level["judged"]);
    assert!(found(&ran)["decision"]["reasons"].to_string().contains(why));
    let markdown = std::fs::read_to_string(ran.path("stress.md")).unwrap();
    assert!(markdown.contains(why), "{markdown}");
    ran.ended(4).out(why);
}

#[test]
fn conversations_are_judged_as_a_whole() {
    let suite = "cases:
  - id: t
    turns: [{ user: one, expected: { type: contains, values: [one] } }, { user: two, expected: { type: llm_grader, rubric: Is it kind? } }]
";
    let (judge, _) = judge(10);
    let ran = load(&echo().url, &judge.url, suite, &["-n", "8", "-c", "2"]).run();
    let found = found(&ran);
    let level = &found["levels"][0];
    let n = found["cases"][0]["n"].as_u64().unwrap();
    assert_eq!((level["quality"]["n"].as_u64(), level["judged"]["n"].as_u64()), (Some(n), Some(n)));
    assert_eq!(level["judged"]["passed"], n);
}

//! Restarting a pipeline at the same commit does not clear a broken case.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::evidence::{IDS, given, settled};
use super::replies::suite;
use super::server::{Answer, Server};

const COMMIT: &str = "00112233445566778899aabbccddeeff00112233";
const FILE: &str = ".akit/attempts/00112233445566778899aabbccddeeff00112233.json";

/// A pipeline whose application answers each case from a list with one letter per answer: `f` fails, `p` passes, and
/// so do answers after the end of the list.
struct Pipeline {
    ran: Ran,
    server: Server,
    lists: Arc<Mutex<BTreeMap<String, VecDeque<char>>>>,
}

impl Pipeline {
    /// With a baseline of this many passing trials per case.
    fn with_baseline(trials: u32) -> Self {
        let lists = Arc::<Mutex<BTreeMap<String, VecDeque<char>>>>::default();
        let own = Arc::clone(&lists);
        let server = Server::start(move |request| {
            let message = request.last_message();
            let next = own.lock().unwrap().get_mut(&message).and_then(VecDeque::pop_front);
            Answer::Text(if next == Some('f') { "no".to_owned() } else { message })
        });
        Self { ran: settled(trials), server, lists }
    }

    /// One attempt in which the case answers by this list.
    fn attempt(&self, id: &str, list: &str) -> Akit {
        self.attempt_of("m", id, list)
    }

    /// The same with another model.
    fn attempt_of(&self, model: &str, id: &str, list: &str) -> Akit {
        self.lists.lock().unwrap().insert(format!("Say {id}."), list.chars().collect());
        let run = ["run", "s.yaml", "-m", model, "--baseline", "b.json", "--json", "run.json", "--base-url"];
        let run = self.ran.then(&run).arg(&self.server.url).env("CI", "true").env("GITHUB_ACTIONS", "true");
        run.env("GITHUB_SHA", COMMIT)
    }
}

#[test]
fn a_broken_case_is_not_cleared_by_another_attempt() {
    let pipeline = Pipeline::with_baseline(8);
    pipeline.attempt("a", "fff").run().ended(1).out("2 of 2 extra trials failed");
    // Its first answer passes now: one of three.
    let again = pipeline.attempt("a", "pffffffff").run().ended(1);
    let again = again
        .out("passed in the baseline (8 of 8) and failed in an earlier attempt at this commit; ")
        .out("including 2 from earlier attempts")
        .out("note: attempt 2 at commit 0011223: suspected cases keep their trials from earlier attempts");
    let case = &again.json("run.json")["cases"][0];
    assert_eq!((&case["outcome"], &case["earlier"]), (&json!("passed"), &json!({"passes": 0, "trials": 2})));
    // The stored run leads to the same decision.
    again.then(&["gate", "run.json", "--baseline", "b.json"]).run().ended(1).out("including 2 from earlier");
    // Passing answers count as well: enough of them clear the case, and the next attempt asks nothing extra.
    let lifted = (3..9).find(|_| !pipeline.attempt("a", "").run().stdout.contains("s/a"));
    assert!(lifted.is_some_and(|attempt| attempt > 3), "{lifted:?}: {}", pipeline.ran.read(FILE));
    let asked = pipeline.server.asked().len();
    pipeline.attempt("a", "p").run().ended(0);
    assert_eq!(pipeline.server.asked().len() - asked, IDS.len());
}

#[test]
fn attempts_at_something_else_do_not_count() {
    let broken = || {
        let pipeline = Pipeline::with_baseline(8);
        pipeline.attempt("a", "fff").run().ended(1);
        pipeline
    };
    let passes = |akit: Akit| akit.run().ended(0);
    // With nothing else changed, the case stays suspect.
    broken().attempt("a", "pfff").run().ended(1);
    // The earlier attempt was at another commit, with another question, or of another application.
    let pipeline = broken();
    passes(pipeline.attempt("a", "p").env("GITHUB_SHA", &COMMIT.replace('0', "f")));
    passes(pipeline.attempt_of("other", "a", "p"));
    let other = suite(&IDS).replacen("prompt: Say", "prompt: Please say", 1);
    passes(pipeline.attempt("a", "p").file("s.yaml", other));
    // Outside of a pipeline, files may have changed since the commit.
    let pipeline = broken();
    let run = ["run", "s.yaml", "-m", "m", "--baseline", "b.json", "--base-url", &pipeline.server.url];
    pipeline.ran.then(&run).run().ended(0);
    // A replay asks nothing.
    let pipeline = broken();
    pipeline.attempt("a", "pfff").args(&["--cache", "record"]).run().ended(1);
    let kept = pipeline.ran.read(FILE);
    pipeline.attempt("a", "p").arg("--replay").run();
    assert_eq!(pipeline.ran.read(FILE), kept);
}

#[test]
fn resuming_a_run_is_not_a_second_attempt() {
    let pipeline = Pipeline::with_baseline(8);
    // Five tokens cost a dollar; the budget is spent before the suspect gets an extra trial.
    let prices = "prices: { m: { input: 0, output: 200000 } }";
    let suite = format!("maxTokens: 5\n{}", suite(&IDS));
    let budget = format!("{}.5", IDS.len());
    let cut = pipeline.attempt("a", "f").file("akit.yaml", prices).file("s.yaml", suite);
    cut.args(&["--budget", &budget]).run().ended(6);
    let kept = || pipeline.ran.json(FILE)["attempts"].clone();
    assert_eq!(kept()[0]["unfinished"], true);
    let asked = pipeline.server.asked().len();
    pipeline
        .attempt("a", "ff")
        .args(&["--budget", "1000", "--resume"])
        .run()
        .ended(1)
        .out("2 of 2 extra trials");
    assert_eq!((kept().as_array().map(Vec::len), pipeline.server.asked().len() - asked), (Some(1), 2));
    assert_eq!((&kept()[0]["unfinished"], &kept()[0]["cases"][0]["trials"]), (&json!(null), &json!(2)));
}

#[test]
fn jobs_that_end_together_keep_each_others_records() {
    let mut pipeline = Pipeline::with_baseline(8);
    // Another job writes its record while this one runs.
    pipeline.attempt("a", "fff").run().ended(1);
    let other = pipeline.ran.read(FILE).replace("\"id\": \"a\"", "\"id\": \"another\"");
    std::fs::remove_file(pipeline.ran.path(FILE)).unwrap();
    let path = pipeline.ran.path(FILE);
    pipeline.server = Server::start(move |request| {
        std::fs::write(&path, &other).unwrap();
        let message = request.last_message();
        Answer::Text(if message == "Say a." { "no".to_owned() } else { message })
    });
    pipeline.attempt("a", "").run();
    let kept = pipeline.ran.json(FILE);
    let ids: Vec<_> =
        kept["attempts"].as_array().unwrap().iter().map(|one| &one["cases"][0]["case"]["id"]).collect();
    assert_eq!(ids, [&json!("another"), &json!("a")], "{kept}");
}

#[test]
fn a_case_that_failed_and_is_reworded_loses_its_past_by_name() {
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--repeat", "4"];
    let ran = Akit::new(&run).file("s.yaml", suite(&IDS)).file("r.jsonl", given(&IDS, 0..4, &[])).run();
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let reworded = suite(&IDS).replacen("prompt: Say", "prompt: Please say", 1);
    let now = |bad: &[&str]| {
        let akit = ran.then(&run).args(&["--baseline", "b.json"]).file("s.yaml", &reworded);
        akit.file("r.jsonl", given(&IDS, 0..4, bad))
    };
    // It failed neither then nor now.
    assert!(!now(&[]).run().ended(0).stdout.contains("history-reset"));
    let named = "s/a was changed, so its past (4 of 4 passed) no longer counts";
    now(&["a"]).run().ended(1).out("history-reset").out(named);
    // It failed then and passes now.
    let flaky = ran.read("b.json").replacen("\"results\":\"4/4\"", "\"results\":\"2/4\"", 1);
    let named = "s/a was changed, so its past (2 of 4 passed) no longer counts";
    now(&[]).file("b.json", &flaky).run().ended(0).out("history-reset").out(named);
}

#[test]
fn an_invalid_record_of_attempts_is_an_error_before_anything_is_sent() {
    let pipeline = Pipeline::with_baseline(8);
    let right = json!({"schema": "akit.attempts/1", "head": COMMIT, "attempts": [{"suite": "s.yaml", "cases": [{
        "case": {"scenario": "s", "id": "a", "content_hash": "h"}, "passes": 1, "trials": 1,
    }]}]});
    pipeline.attempt("a", "").file(FILE, right.to_string()).run().ended(0).out("attempt 2 at commit");
    let asked = pipeline.server.asked().len();
    let wrong = |pointer: &str, value: serde_json::Value| {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        wrong.to_string()
    };
    for (text, why) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "expected"),
        (wrong("/schema", json!("akit.attempts/2")), "akit.attempts/2"),
        (wrong("/head", json!("another")), "it belongs to another commit"),
        (wrong("/attempts/0/cases/0/passes", json!(2)), "it has more passed trials than trials"),
        (wrong("/attempts/0/cases/0/trials", json!(-1)), "-1"),
    ] {
        let ran = pipeline.attempt("a", "").file(FILE, text).run().ended(4);
        ran.err(why).err("remove it; this attempt then counts as the first");
    }
    assert_eq!(pipeline.server.asked().len(), asked);
}

#[test]
fn a_new_case_that_failed_in_an_earlier_attempt_has_to_be_cleared() {
    let pipeline = Pipeline::with_baseline(8);
    let with_new = || suite(&[&IDS[..], &["new"]].concat());
    pipeline.attempt("new", "ffffff").file("s.yaml", with_new()).run().ended(1).out("is new and fails");
    let again = pipeline.attempt("new", "pffffffff").file("s.yaml", with_new()).run().ended(1);
    again.out("s/new is new and failed in an earlier attempt at this commit; ");
}

//! `akit calibrate`, and how a run uses a calibration.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::repository;
use super::server::{Answer, Asked, Server};

/// What the stub judge was asked to judge: the answer and the conversation before it.
fn question(asked: &Asked) -> Json {
    serde_json::from_str(asked.last_message().lines().nth(1).unwrap()).unwrap()
}

/// A judge that reads its score from the end of an answer and scores everything else 0.
pub(crate) fn judge() -> Server {
    Server::start(|asked| {
        let data = question(asked);
        let answer = data["answer"].as_str().unwrap();
        let score = answer.rsplit(' ').next().and_then(|word| word.parse::<u32>().ok());
        match score {
            Some(score) if score > 10 => Answer::Text("no verdict".to_owned()),
            score => Answer::Text(
                json!({ "reasoning": "read off the answer", "score": score.unwrap_or(0) }).to_string(),
            ),
        }
    })
}

/// A label with an answer that the judge gives this score.
fn label(word: &str, number: usize, score: u32) -> String {
    let answer = format!("answer {word} {number} worth {score}");
    json!({ "input": "Where is my card?", "answer": answer, "rubric": "Be kind.", "label": word }).to_string()
        + "\n"
}

/// 20 good answers, of which the judge passes `right`, and 20 bad ones, of which it fails `right`.
fn labels(right: usize) -> String {
    let mut text = String::new();
    for n in 0..20 {
        text.push_str(&label("pass", n, if n < right { 9 } else { 3 }));
        text.push_str(&label("fail", n, if n < right { 1 } else { 8 }));
    }
    text
}

fn calibrate(server: &Server, labels: &str) -> Akit {
    Akit::new(&["calibrate", "labels.jsonl", "--grader-model", "judge", "--grader-base-url"])
        .arg(&server.url)
        .file("labels.jsonl", labels)
}

#[test]
fn figures_are_printed_and_stored() {
    let server = judge();
    let ran = calibrate(&server, &labels(18)).run().ended(0);
    for line in [
        "judge (openai at 127.0.0.1:",
        "judged 40 labels: people pass 20 and fail 20",
        "agreement     90.0%  76.9 to 96.0%      36 of 40; always pass would agree in 50.0%",
        "kappa          0.80  0.61 to 0.99       substantial agreement beyond chance",
        "TPR           90.0%  69.9 to 97.2%      18 of 20 answers that people pass",
        "people: fail             2           18",
        "9/10        ######################## 18",
        "Of 100 bad answers the judge passes about 10 (3 to 30).",
        "Stored in akit-calibration.json.",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let stored = ran.json("akit-calibration.json");
    assert_eq!(stored["schema"], "akit.calibration/1");
    let schema = std::fs::read_to_string(repository().join("docs/schema/calibration.json")).unwrap();
    let schema = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    let problems: Vec<_> = schema.iter_errors(&stored).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(stored["counts"], json!({ "tp": 18, "fp": 2, "tn": 18, "fn": 2 }));
    assert_eq!(stored["judge"]["model"], "judge");
    assert_eq!(stored["judge"]["scale"], 10);
    assert_eq!((stored["threshold"].as_f64(), &stored["rubrics"][0]["n"]), (Some(0.7), &json!(40)));
    assert!((stored["kappa"]["value"].as_f64().unwrap() - 0.8).abs() < 1e-12);
    assert!(stored["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    // The label's input is shown to the judge as the question.
    let seen = server.asked().iter().map(question).find(|data| data["answer"] == "answer pass 0 worth 9");
    assert_eq!(seen.unwrap()["conversation"], json!([{ "role": "user", "content": "Where is my card?" }]));
}

#[test]
fn a_replay_sends_nothing_and_stores_the_same_bytes() {
    let server = judge();
    let akit = calibrate(&server, &labels(15)).arg("--cache-dir").arg("cache");
    let first = akit.run().ended(0);
    let asked = server.asked().len();
    let cache = first.path("cache").display().to_string();
    for concurrency in ["1", "32"] {
        let again = calibrate(&server, &labels(15))
            .arg("--replay")
            .arg("--cache-dir")
            .arg(&cache)
            .arg("-c")
            .arg(concurrency)
            .run()
            .ended(0);
        assert_eq!(again.read("akit-calibration.json"), first.read("akit-calibration.json"));
        assert_eq!(again.stdout, first.stdout);
    }
    assert_eq!(server.asked().len(), asked);
    let missed = calibrate(&server, &labels(15)).arg("--replay").run().ended(4);
    assert!(missed.stderr.contains("no answer could be judged: "), "{}", missed.stderr);
    assert!(missed.stderr.contains("not in the cache"), "{}", missed.stderr);
}

#[test]
fn answers_that_the_judge_cannot_judge_are_left_out_and_counted() {
    let server = judge();
    let ran = calibrate(&server, &(labels(20) + &label("pass", 99, 77))).run().ended(0);
    assert!(ran.stdout.contains("; 1 more could not be judged and do not count"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not judged: line 41: judge-unreadable"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Kappa's interval has no width"), "{}", ran.stdout);
    let stored = ran.json("akit-calibration.json");
    assert_eq!((&stored["n"], &stored["judged"], &stored["errored"]), (&json!(41), &json!(40), &json!(1)));

    let nothing = calibrate(&server, &label("pass", 0, 77))
        .file("akit-calibration.json", "what was measured before")
        .run()
        .ended(4);
    assert_eq!(nothing.read("akit-calibration.json"), "what was measured before");
    assert!(nothing.stderr.contains("no answer could be judged: "), "{}", nothing.stderr);
}

#[test]
fn a_judge_that_lets_a_known_bad_answer_pass_is_not_measured() {
    let server = Server::plain(|_| Answer::Text(json!({ "reasoning": "fine", "score": 10 }).to_string()));
    let ran = calibrate(&server, &labels(20)).run().ended(4);
    assert!(ran.stderr.contains("passed a known-bad answer"), "{}", ran.stderr);
}

#[test]
fn labels_may_be_scores_but_need_both_classes() {
    let server = judge();
    let ran = calibrate(&server, &label("pass", 0, 9)).run().ended(0);
    assert!(ran.stdout.contains("No judged label says fail: TNR and kappa are unknown"), "{}", ran.stdout);
    assert!(ran.stdout.contains("kappa       unknown"), "{}", ran.stdout);
    let rows = [(0.9, 9), (0.69, 1), (0.7, 8)].map(|(label, score)| {
        json!({ "answer": format!("a {label} {score}"), "rubric": "builtin:tone", "label": label })
            .to_string()
    });
    let ran = calibrate(&server, &rows.join("\n")).arg("--json").arg("-").run().ended(0);
    let printed: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed["counts"], json!({ "tp": 2, "fp": 0, "tn": 1, "fn": 0 }));
    assert_eq!(printed, ran.json("akit-calibration.json"));
    assert!(ran.stderr.contains("agreement    100.0%"), "{}", ran.stderr);
}

#[test]
fn invalid_lines_are_errors_before_anything_is_sent() {
    let server = judge();
    let ran = calibrate(&server, &(label("pass", 0, 9) + "{\"answer\": 1}\n" + &label("good", 0, 9)))
        .run()
        .ended(2);
    assert!(ran.stderr.contains("labels.jsonl:2:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("labels.jsonl:3:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 errors; nothing was sent"), "{}", ran.stderr);
    calibrate(&server, "\n").run().ended(3);
    let unconfigured =
        Akit::new(&["calibrate", "labels.jsonl"]).file("labels.jsonl", labels(1)).run().ended(2);
    assert!(unconfigured.stderr.contains("no judge is configured"), "{}", unconfigured.stderr);
    Akit::new(&["calibrate", "missing.jsonl", "--grader-model", "m"]).run().ended(2);
    assert_eq!(server.asked().len(), 0);
    for help in ["--model", "--provider", "--replies"] {
        let text = Akit::new(&["calibrate", "--help"]).run().ended(0).stdout;
        assert!(!text.contains(&format!(" {help} ")), "{help} is about the application:\n{text}");
    }
}

/// A suite of three answers to one question; the judge passes the first two.
pub(crate) const SUITE: &str = "\
name: support
cases:
  - id: kind
    prompt: Where is my card?
    expected: { type: llm_grader, rubric: Be kind. }
  - id: brief
    prompt: Where is my card?
    expected:
      not: { type: llm_grader, rubric: Be kind. }
  - id: rude
    prompt: Where is my card?
    expected: { type: llm_grader, rubric: Be kind. }
";

pub(crate) const REPLIES: &str = "\
{\"id\": \"kind\", \"reply\": \"On its way, worth 9\"}
{\"id\": \"brief\", \"reply\": \"In the post, worth 9\"}
{\"id\": \"rude\", \"reply\": \"Look for it, worth 2\"}
";

/// Runs the suite with a judge that uses the calibration of `measured`.
fn run(server: &Server, demands: &str, measured: Option<&str>) -> Akit {
    let config = format!(
        "grader:\n  model: judge\n  baseUrl: {}\n  calibration: {{ file: cal.json{demands} }}\n",
        server.url
    );
    let akit = Akit::new(&["run", "suite.yaml", "--replies", "replies.jsonl", "--json", "run.json"])
        .file("suite.yaml", SUITE)
        .file("replies.jsonl", REPLIES)
        .file("akit.yaml", config);
    match measured {
        Some(text) => akit.file("cal.json", text),
        None => akit,
    }
}

pub(crate) fn measured(server: &Server, right: usize) -> String {
    calibrate(server, &labels(right)).run().ended(0).read("akit-calibration.json")
}

#[test]
fn a_sound_calibration_lets_verdicts_fail_and_corrects_the_rate() {
    let server = judge();
    let ran = run(
        &server,
        ", min_n: 40, min_kappa: 0.6, min_tpr: 0.85, min_tnr: 0.85",
        Some(&measured(&server, 18)),
    )
    .run()
    .ended(1);
    assert!(ran.stdout.contains("RESULT: FAIL — 1 passed, 2 failed, 0 errored"), "{}", ran.stdout);
    // A verdict under `not` is about unwanted behavior and does not count toward the rate.
    let note =
        "note: 1 of 2 verdicts were passes, 50.0%; corrected for the judge's errors: 50.0%, 95% interval";
    assert!(ran.stdout.contains(note), "{}", ran.stdout);
    assert!(!ran.stdout.contains("ADVISORY"), "{}", ran.stdout);
}

#[test]
fn without_a_sound_calibration_verdicts_only_advise_and_the_output_says_so() {
    let server = judge();
    let weak = measured(&server, 12);
    let other = measured(&server, 20).replace("\"model\": \"judge\"", "\"model\": \"older-judge\"");
    let cases = [
        (None, "no calibration file `cal.json`"),
        (Some("{}"), "`cal.json` is not a calibration: `schema` is missing"),
        (Some(&weak), "`cal.json` is too weak: kappa is 0.2 (at least 0.6 required)"),
        (Some(&other), "`cal.json` is for a different judge: model `older-judge`, now `judge`"),
    ];
    for (stored, why) in cases.map(|(stored, why)| (stored.map(AsRef::<str>::as_ref), why)) {
        let ran = run(&server, ", min_kappa: 0.6", stored).run().ended(0);
        assert!(ran.stdout.contains("RESULT: PASS — 3 passed, 0 failed, 0 errored"), "{}", ran.stdout);
        let notes = ran.json("run.json")["notes"].clone();
        let notes = notes.as_array().unwrap().iter().filter_map(Json::as_str).collect::<Vec<_>>();
        assert!(
            notes.iter().any(|note| note.starts_with("ADVISORY: 3 verdicts") && note.contains(why)),
            "{why}: {notes:?}"
        );
        let let_pass =
            "ADVISORY: 2 cases passed despite a failing verdict of the judge: support/brief, support/rude";
        assert!(ran.stdout.contains(let_pass), "{}", ran.stdout);
        assert!(notes.contains(&let_pass), "{notes:?}");
        let rude = &ran.json("run.json")["cases"][2];
        assert_eq!(
            (&rude["outcome"], &rude["trials"][0]["turns"][0]["verdicts"][0]["outcome"]),
            (&json!("passed"), &json!("failed"))
        );
        let known_before = !why.contains("a different judge");
        assert_eq!(
            ran.stderr.contains("the judge's verdicts cannot fail the gate"),
            known_before,
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn advisory_passes_are_kept_out_of_the_baseline() {
    let server = judge();
    let ran = run(&server, "", None).run().ended(0);
    let updated =
        Akit::new(&["baseline", "update"]).arg(ran.path("run.json").display().to_string()).run().ended(0);
    let updated = updated.out("added 0 judged cases");
    assert!(!updated.path("akit-baseline.json").exists(), "an empty baseline must not be created");
}

#[test]
fn a_required_calibration_makes_verdicts_errors_without_asking() {
    let server = judge();
    let ran = run(&server, ", required: true", None).run().ended(4);
    assert!(ran.stdout.contains("RESULT: ERROR — 0 passed, 0 failed, 3 errored"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains(
            "judge-uncalibrated: the judge is not calibrated for this verdict: no calibration file"
        ),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("the judge is not called"), "{}", ran.stderr);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn mistakes_in_the_configuration_are_shown_at_their_line() {
    let server = judge();
    let ran = run(&server, ", min_kapa: 0.6, min_tpr: 90", None).run().ended(2);
    assert!(ran.stderr.contains("akit.yaml:4:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean `min_kappa`?"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`min_tpr` must be a number from 0 to 1, found `90`"), "{}", ran.stderr);
}

//! `akit regrade`: two runs, two judges, and which of them explains the shift.

use super::Akit;
use super::akit::Ran;
use super::replies::replies;
use super::schema::assert_matches;
use super::server::{Answer, Server};

/// One case without a judge, and four with one.
fn suite() -> String {
    let graded = |id: &str| {
        format!(
            "  - {{ id: {id}, prompt: Go., expected: {{ type: llm_grader, rubric: Be kind., threshold: 0.7 }} }}\n"
        )
    };
    let plain = "  - { id: plain, prompt: Go., expected: { type: contains, values: [yes] } }\n";
    format!("name: s\ncases:\n{plain}{}", ["shift", "worse", "same", "well"].map(graded).concat())
}

/// `lenient` accepts passable answers; every other judge only splendid ones.
fn judges() -> Server {
    Server::start(|asked| {
        let said = asked.body["messages"].to_string();
        let passes =
            said.contains("splendid") || asked.body["model"] == "lenient" && said.contains("passable");
        let score = if passes { 10 } else { 0 };
        Answer::Text(format!("{{\"reasoning\":\"so it is\",\"score\":{score}}}"))
    })
}

const OLD: [(&str, &str); 5] = [
    ("plain", "yes"),
    ("shift", "passable"),
    ("worse", "splendid"),
    ("same", "passable as ever"),
    ("well", "splendid"),
];

const NEW: [(&str, &str); 5] = [
    ("plain", "no"),
    ("shift", "passable too"),
    ("worse", "rubbish"),
    ("same", "passable as ever"),
    ("well", "splendid too"),
];

/// Two stored runs: old answers judged by `lenient`, new ones by `stern`.
fn two_runs(server: &Server) -> Ran {
    let run = |answers: &str, judge: &str, out: &str| {
        [
            "run",
            "s.yaml",
            "--replies",
            answers,
            "--grader-model",
            judge,
            "--grader-base-url",
            &server.url,
            "--json",
            out,
        ]
        .map(str::to_owned)
    };
    let arguments = run("old.jsonl", "lenient", "old.json");
    let ran = Akit::new(&arguments.each_ref().map(String::as_str))
        .file("s.yaml", suite())
        .file("old.jsonl", replies(&OLD))
        .file("new.jsonl", replies(&NEW))
        .run()
        .ended(0);
    let arguments = run("new.jsonl", "stern", "new.json");
    ran.then(&arguments.each_ref().map(String::as_str)).run().ended(1);
    ran
}

fn regrade(ran: &Ran, server: &Server, more: &[&str]) -> Ran {
    ran.then(&["regrade", "old.json", "new.json", "s.yaml", "--json", "found.json"])
        .args(&["--grader-model", "stern", "--grader-base-url", &server.url])
        .args(more)
        .run()
}

#[test]
fn four_cells_split_the_shift_between_application_and_judge() {
    let server = judges();
    let ran = two_runs(&server);
    let before = server.asked().len();
    let old = ["--old-grader-model", "lenient", "--old-grader-base-url", &server.url];
    let found = regrade(&ran, &server, &old)
        .ended(0)
        .out("RESULT: the judge explains 40.0 of the 80.0 lost points, the application 40.0")
        .out("2 cases flipped because of the judge alone, which is not a regression:\n  s/shift fails now\n  s/same fails now, on the same answer\n")
        .out("2 cases flipped because of the application alone:\n  s/plain fails now\n  s/worse fails now\n");
    let data = found.json("found.json");
    assert_eq!(data["schema"], "akit.regrade/1");
    assert_matches(&data, "regrade.json");
    assert_eq!((&data["cases"], &data["graded"], &data["identical"]), (&5.into(), &4.into(), &1.into()));
    let rate = |name: &str| data["rates"][name].as_f64().unwrap();
    let rates = ["old_by_old", "old_by_new", "new_by_old", "new_by_new"].map(rate);
    for (found, expected) in rates.into_iter().zip([1.0, 0.6, 0.6, 0.2]) {
        assert!((found - expected).abs() < 1e-9, "{rates:?}");
    }
    // Only the answers that differ go to the other judge: three requests each, minus one for a text that is known.
    let votes = server.asked().split_off(before);
    let judged = votes.iter().filter(|asked| asked.body.to_string().contains("Be kind.")).count();
    assert_eq!(judged, 6, "{votes:?}");

    // Everything is recorded: a second time costs nothing.
    let before = server.asked().len();
    let again = regrade(&ran, &server, &[&old[..], &["--replay"]].concat()).ended(0);
    assert_eq!((again.json("found.json"), server.asked().len()), (data, before));
}

#[test]
fn without_the_old_judge_three_cells_are_shown() {
    let server = judges();
    let ran = two_runs(&server);
    let data = regrade(&ran, &server, &[])
        .ended(0)
        .out("not asked")
        .out("note: the old judge was not named")
        .json("found.json");
    assert!(data["rates"]["new_by_old"].is_null());
    assert!((data["judge"].as_f64().unwrap() + 0.4).abs() < 1e-9);
    // A judge other than the new run's is reported.
    ran.then(&[
        "regrade",
        "old.json",
        "new.json",
        "s.yaml",
        "--grader-model",
        "third",
        "--grader-base-url",
        &server.url,
    ])
    .run()
    .ended(0)
    .out("the later run was judged by stern")
    .out("but now third");
}

#[test]
fn an_unavailable_verdict_is_exit_code_four_and_the_rest_is_shown() {
    let server = judges();
    let ran = two_runs(&server);
    let found = regrade(&ran, &server, &["--replay"])
        .ended(4)
        .out("not judged: s/shift")
        .out("2 cases compared")
        .err("could not be judged again");
    assert_eq!(found.json("found.json")["unheard"].as_array().unwrap().len(), 3);
}

#[test]
fn runs_that_cannot_be_compared_are_refused_before_anything_is_sent() {
    let server = judges();
    let ran = two_runs(&server);
    let before = server.asked().len();
    ran.then(&["regrade", "nowhere.json", "new.json", "s.yaml"]).run().ended(2).err("nowhere.json");
    ran.then(&["regrade", "old.json", "s.yaml", "s.yaml"]).run().ended(2).err("is not a stored run");
    ran.then(&["regrade", "old.json"]).run().ended(2).err("required arguments");
    // Without a judge, nothing can be asked.
    ran.then(&["regrade", "old.json", "new.json", "s.yaml"]).run().ended(2).err("no judge is configured");
    regrade(&ran, &server, &["--json", "old.json"]).ended(2);
    let edited = suite().replace("Go.", "Go on.");
    ran.then(&["regrade", "old.json", "new.json", "s.yaml", "--grader-model", "stern"])
        .file("s.yaml", edited)
        .run()
        .ended(3)
        .err("no judged case in common")
        .err("ask or expect something else");
    assert_eq!(server.asked().len(), before);
}

#[test]
fn cases_without_a_judge_count_toward_the_application() {
    let server = judges();
    let ran = two_runs(&server);
    let before = server.asked().len();
    ran.then(&["regrade", "old.json", "new.json", "s.yaml", "--case", "plain"])
        .run()
        .ended(0)
        .out("RESULT: the application explains all 100.0 lost points, the judge none");
    ran.then(&["regrade", "old.json", "new.json", "s.yaml", "--case", "same"])
        .run()
        .ended(0)
        .out("RESULT: the judge explains all 100.0 lost points, the application none");
    assert_eq!(server.asked().len(), before);
}

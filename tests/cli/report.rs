//! Reports from stored runs, and comparisons of two runs.

use super::Akit;
use super::akit::Ran;

const SUITE: &str = "name: s\ncases:\n  - { id: a, prompt: pa, expected: { type: contains, values: [\"yes\"] } }\n  \
    - { id: b, prompt: pb, expected: { type: contains, values: [\"yes\"] } }\n";

/// A stored run `NAME.json` of these answers; `yes` passes.
fn stored(ran: Option<&Ran>, name: &str, answers: [&str; 2], more: &[&str]) -> Ran {
    let (replies, json) = (format!("{name}.jsonl"), format!("{name}.json"));
    let arguments = ["run", "s.yaml", "--replies", &replies, "--json", &json];
    let akit = ran.map_or_else(|| Akit::new(&arguments), |ran| ran.then(&arguments));
    let [a, b] = answers.map(|answer| serde_json::json!(answer));
    akit.args(more)
        .file("s.yaml", SUITE)
        .file(&replies, format!("{{\"id\":\"a\",\"reply\":{a}}}\n{{\"id\":\"b\",\"reply\":{b}}}\n"))
        .run()
}

#[test]
fn every_format_equals_what_the_run_wrote_and_does_not_gate() {
    let first = ["--junit", "1.xml", "--sarif", "1.sarif", "--markdown", "1.md", "--html", "1.html"];
    let ran = stored(None, "run", ["yes", "no <script>alert(1)</script>"], &first).ended(1);
    let again = ["report", "run.json", "--json", "2.json"];
    let ran = ran
        .then(&again)
        .args(&["--junit", "2.xml", "--sarif", "2.sarif", "--markdown", "2.md", "--html", "2.html"])
        .run()
        .ended(0)
        .out("RESULT: FAIL");
    for (one, two) in [
        ("run.json", "2.json"),
        ("1.sarif", "2.sarif"),
        ("1.md", "2.md"),
        ("1.html", "2.html"),
        ("1.xml", "2.xml"),
    ] {
        assert_eq!(ran.read(one), ran.read(two), "{one}");
    }
    let page = ran.read("2.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1>akit: <span>FAIL</span></h1>"));
    assert!(
        page.contains("no &lt;script&gt;alert(1)&lt;/script&gt;") && page.matches("<script").count() == 1
    );
}

#[test]
fn the_decision_is_the_runs_own_unless_a_policy_is_given() {
    let ran = stored(None, "run", ["yes", "no"], &["--min-pass-rate", "0.5"]).ended(0);
    ran.then(&["report", "run.json"]).run().ended(0).out("RESULT: PASS");
    // Without the flag, `akit gate` decides differently, and so does a report if asked to.
    ran.then(&["gate", "run.json"]).run().ended(1);
    ran.then(&["report", "run.json", "--config", "akit.yaml"])
        .file("akit.yaml", "gate: { min_pass_rate: 0.9 }\n")
        .run()
        .ended(0)
        .out("RESULT: FAIL");
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    ran.then(&["report", "run.json", "--baseline", "b.json"]).run().ended(0).out("compared with b.json");
}

#[test]
fn a_report_replaces_no_input_and_bad_files_are_reported() {
    let ran = stored(None, "run", ["yes", "yes"], &[]).ended(0);
    ran.then(&["report", "run.json", "--html", "run.json"]).run().ended(2).err("would be replaced");
    ran.then(&["report", "none.json"]).run().ended(2).err("no such file: `none.json`");
    ran.then(&["report", "bad.json"]).file("bad.json", "{}").run().ended(2).err("is not a stored run");
    let mut other = ran.json("run.json");
    other["decision"]["counts"]["passed"] = 7.into();
    ran.then(&["report", "other.json"])
        .file("other.json", other.to_string())
        .run()
        .ended(2)
        .err("the decision in `other.json` belongs to another run");
}

#[test]
fn two_runs_are_compared_without_a_decision() {
    let ran = stored(None, "base", ["yes, at once", "no"], &[]).ended(1);
    let ran = stored(Some(&ran), "head", ["not at once", "yes"], &[]).ended(1);
    let ran = ran
        .then(&["compare", "base.json", "head.json", "--html", "diff.html", "--json", "diff.json"])
        .run()
        .ended(0)
        .out("2 cases compared: 1 newly failing, 1 fixed")
        .out("are not tested: runs also differ by chance")
        .out("pass rate               50.0%        50.0%    +0.0 points");
    let page = ran.read("diff.html");
    assert!(page.contains("at once") && page.contains("<del>yes,</del>") && page.contains("<ins>not</ins>"));
    assert_eq!(page.matches("aria-pressed=\"true\"").count(), 1, "all cases are shown");
    let value = ran.json("diff.json");
    assert_eq!((&value["schema"], &value["compared"]), (&"akit.compare/1".into(), &2.into()));
    assert_eq!(value["cases"][0]["change"], "newly-failing");
    // Only the data go to stdout.
    let data = ran.then(&["compare", "base.json", "head.json", "--json", "-"]).run().ended(0);
    assert!(serde_json::from_str::<serde_json::Value>(&data.stdout).is_ok() && data.stderr.contains("newly"));
}

#[test]
fn runs_that_cannot_be_compared_are_reported() {
    let ran = stored(None, "base", ["yes", "yes"], &[]).ended(0);
    let mut other = ran.json("base.json");
    other["cases"][0]["id"] = "x".into();
    other["cases"][1]["id"] = "y".into();
    ran.then(&["compare", "base.json", "other.json", "--html", "d.html"])
        .file("other.json", other.to_string())
        .run()
        .ended(3)
        .err("no case in common");
    assert!(!ran.path("d.html").exists());
    ran.then(&["compare", "base.json", "s.yaml"]).run().ended(2).err("is not a stored run");
    ran.then(&["compare", "base.json", "none.json"]).run().ended(2).err("no such file");
    ran.then(&["compare", "base.json", "base.json", "--html", "base.json"])
        .run()
        .ended(2)
        .err("would be replaced");
}

/// The text of a page without tags and entities.
fn words(page: &str) -> String {
    let mut out = String::new();
    for piece in page.split('<') {
        out.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    out
}

/// Three stored runs on three days under `runs/`: `a` passed on the first two, `b` never did.
fn earlier() -> Ran {
    let mut ran = stored(None, "1", ["yes, within 30 days", "no"], &[]).ended(1);
    ran = stored(Some(&ran), "2", ["yes, within 14 days", "nope"], &[]).ended(1);
    ran = stored(Some(&ran), "3", ["never, in 14 days <img src=x>", "nope"], &[]).ended(1);
    for name in ["1", "2", "3"] {
        let mut run = ran.json(&format!("{name}.json"));
        run["at"] = format!("2026-01-0{name}T00:00:00Z").into();
        run["run_id"] = format!("run-{name}").into();
        run["commit"] = format!("{name}abcdef").into();
        std::fs::create_dir_all(ran.path("runs")).unwrap();
        std::fs::write(ran.path(&format!("runs/{name}.json")), run.to_string()).unwrap();
    }
    ran
}

#[test]
fn the_page_shows_answers_of_earlier_runs() {
    let ran = earlier();
    std::fs::write(ran.path("runs/list.json"), "[1]").unwrap();
    std::fs::write(ran.path("runs/other.json"), "{\"schema\":\"akit.baseline/1\"}").unwrap();
    let ran = ran.then(&["report", "runs/3.json", "--history", "runs", "--html", "p.html"]).run().ended(0);
    assert_eq!(ran.stderr, "", "a file that is not a run must be skipped");
    let page = ran.read("p.html");
    assert!(page.contains("<del>yes</del>, <del>within</del> 14 days"), "{page}");
    assert!(page.contains("<ins>never</ins>, <ins>in</ins> 14 days<ins> &lt;img src=x&gt;</ins>"), "{page}");
    let (before, now) = (page.find("<h4>Answer before</h4>"), page.find("<h4>Answer now</h4>"));
    assert!(before.unwrap() < now.unwrap());
    let text = words(&page);
    assert!(text.contains("passed in run run-2 · 2026-01-02T00:00:00Z · commit 2abcdef"), "{text}");
    // `b` never passed: the latest run that judged it is shown, with the same answer.
    assert!(text.contains("The same answer.") && text.contains("failed in run run-2"), "{text}");
    assert!(text.contains("Pass rate over 3 runs: 0.0% to 50.0%, 0.0% last"), "{text}");
    // An earlier run does not see a later one.
    let ran = ran.then(&["report", "runs/1.json", "--history", "runs", "--html", "p.html"]).run().ended(0);
    assert!(!ran.read("p.html").contains("Answer before"));
    let ran = ran.then(&["report", "runs/3.json", "--html", "p.html"]).run().ended(0);
    let page = ran.read("p.html");
    assert!(!page.contains("Answer before") && !page.contains("History"));
}

#[test]
fn the_page_says_whether_the_answer_before_is_in_the_baseline() {
    let ran = earlier();
    let ran =
        ran.then(&["baseline", "update", "runs/1.json", "--baseline", "b.json", "--force"]).run().ended(0);
    let page = |history: &str| {
        let arguments = ["gate", "runs/3.json", "--baseline", "b.json", "--html", "p.html", "--history"];
        words(&ran.then(&arguments).arg(history).run().read("p.html"))
    };
    assert!(page("runs/1.json").contains("commit 1abcdef · in the baseline"));
    assert!(page("runs/2.json").contains("commit 2abcdef · not in the baseline"));
}

#[test]
fn a_history_without_a_page_is_reported() {
    let ran = earlier();
    let warning = "`--history` only affects the HTML page, Markdown and the comment, but this command writes none of them";
    for command in [
        &["run", "s.yaml", "--replies", "1.jsonl", "--json", "none.json"][..],
        &["report", "runs/3.json"],
        &["gate", "runs/3.json", "--junit", "none.md"],
    ] {
        let ran =
            ran.then(command).args(&["--history", "runs"]).run().ended(2).err(warning).err("`--html FILE`");
        assert!(ran.stdout.is_empty() && !ran.path("none.json").exists() && !ran.path("none.md").exists());
    }
    let ran = ran.then(&["report", "runs/3.json", "--history", "runs", "--format", "html"]).run().ended(0);
    assert!(ran.stdout.contains("Answer before"));
}

#[test]
fn a_stored_run_links_to_its_files_where_they_are_shown() {
    let ran = earlier();
    let report = ["report", "runs/3.json", "--annotations", "links.json"];
    let links = |ran: super::akit::Ran| ran.json("links.json")["akit"].as_array().unwrap().len();
    assert_eq!(links(ran.then(&report).run().ended(0)), 0);
    let gitlab = ran.then(&report).env("GITLAB_CI", "true").env("CI_PROJECT_URL", "https://gitlab.test/a/b");
    let ran = gitlab.env("CI_COMMIT_SHA", "0123456789012345678901234567890123456789").run().ended(0);
    assert!(!ran.stdout.contains("section_start"), "it must not name the pipeline's own values");
    assert!(links(ran) > 0);
}

#[test]
fn a_history_file_that_is_not_a_run_is_an_error_before_the_run_starts() {
    let ran = earlier();
    std::fs::write(ran.path("bad.json"), "{").unwrap();
    let run = ["run", "s.yaml", "--replies", "1.jsonl", "--html", "p.html", "--history"];
    let ran = ran.then(&run).arg("bad.json").run().ended(2).err("`bad.json` is not a stored run");
    assert!(ran.stdout.is_empty() && !ran.path("p.html").exists());
    ran.then(&run).arg("nowhere").run().ended(2).err("no such file or folder: `nowhere`");
    ran.then(&run).arg("1.json").args(&["--json", "1.json"]).run().ended(2).err("would be replaced");
    // In a folder it is reported, and the others are read.
    std::fs::write(ran.path("runs/bad.json"), "{").unwrap();
    let ran =
        ran.then(&run).arg("runs").run().ended(1).err("warning: skipped 1 file: `runs/bad.json` is not a");
    assert!(ran.read("p.html").contains("Pass rate over 4 runs"));
}

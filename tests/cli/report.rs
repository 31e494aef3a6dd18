//! Reports again from stored runs, and two runs side by side.

use super::Akit;
use super::akit::Ran;

const SUITE: &str = "name: s\ncases:\n  - { id: a, prompt: pa, expected: { type: contains, values: [\"yes\"] } }\n  \
    - { id: b, prompt: pb, expected: { type: contains, values: [\"yes\"] } }\n";

/// A stored run `NAME.json` over these answers; `yes` passes.
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
fn every_format_again_is_what_the_run_wrote_and_never_gates() {
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
fn the_decision_is_the_runs_own_unless_another_policy_is_named() {
    let ran = stored(None, "run", ["yes", "no"], &["--min-pass-rate", "0.5"]).ended(0);
    ran.then(&["report", "run.json"]).run().ended(0).out("RESULT: PASS");
    // `akit gate` without the flag decides otherwise, and so does a report that is told to.
    ran.then(&["gate", "run.json"]).run().ended(1);
    ran.then(&["report", "run.json", "--policy", "akit.yaml"])
        .file("akit.yaml", "gate: { min_pass_rate: 0.9 }\n")
        .run()
        .ended(0)
        .out("RESULT: FAIL");
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    ran.then(&["report", "run.json", "--baseline", "b.json"]).run().ended(0).out("compared with b.json");
}

#[test]
fn a_report_never_replaces_what_it_reads_and_tells_bad_files() {
    let ran = stored(None, "run", ["yes", "yes"], &[]).ended(0);
    ran.then(&["report", "run.json", "--html", "run.json"]).run().ended(2).err("would be replaced");
    ran.then(&["report", "none.json"]).run().ended(3).err("there is no file `none.json`");
    ran.then(&["report", "bad.json"]).file("bad.json", "{}").run().ended(2).err("is not a stored run");
    let mut other = ran.json("run.json");
    other["decision"]["counts"]["passed"] = 7.into();
    ran.then(&["report", "other.json"])
        .file("other.json", other.to_string())
        .run()
        .ended(2)
        .err("the decision in `other.json` is about another run");
}

#[test]
fn two_runs_are_shown_side_by_side_without_a_claim() {
    let ran = stored(None, "base", ["yes, at once", "no"], &[]).ended(1);
    let ran = stored(Some(&ran), "head", ["not at once", "yes"], &[]).ended(1);
    let ran = ran
        .then(&["compare", "base.json", "head.json", "--html", "diff.html", "--json", "diff.json"])
        .run()
        .ended(0)
        .out("2 cases compared: 1 newly failing, 1 fixed")
        .out("makes no statistical claim")
        .out("pass rate              50.0 %       50.0 %    +0.0 points");
    let page = ran.read("diff.html");
    assert!(page.contains("at once") && page.contains("<del>yes,</del>") && page.contains("<ins>not</ins>"));
    let value = ran.json("diff.json");
    assert_eq!((&value["schema"], &value["compared"]), (&"akit.compare/1".into(), &2.into()));
    assert_eq!(value["cases"][0]["change"], "newly-failing");
    // To stdout goes the data alone.
    let data = ran.then(&["compare", "base.json", "head.json", "--json", "-"]).run().ended(0);
    assert!(serde_json::from_str::<serde_json::Value>(&data.stdout).is_ok() && data.stderr.contains("newly"));
}

#[test]
fn what_cannot_be_compared_is_told() {
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
    ran.then(&["compare", "base.json", "none.json"]).run().ended(3).err("there is no file");
    ran.then(&["compare", "base.json", "base.json", "--html", "base.json"])
        .run()
        .ended(2)
        .err("would be replaced");
}

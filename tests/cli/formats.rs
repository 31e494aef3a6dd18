//! Reports for pipelines: code quality, metrics, annotations, variables, and the log format of each.

use super::Akit;
use super::replies::{replies, suite};

const FILES: [&str; 5] = ["--code-quality", "--open-metrics", "--annotations", "--dotenv", "--sarif"];

fn run(arguments: &[&str]) -> Akit {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .args(arguments)
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a"), ("b", "no")]))
}

fn gitlab(akit: Akit) -> Akit {
    akit.env("GITLAB_CI", "true")
        .env("CI_PROJECT_URL", "https://gitlab.example/a/b")
        .env("CI_COMMIT_SHA", super::comment::HEAD)
}

#[test]
fn gitlab_gets_its_reports_without_a_token() {
    let arguments = ["--code-quality", "q.json", "--open-metrics", "m.txt", "--annotations", "a.json"];
    let ran = gitlab(run(&arguments)).args(&["--dotenv", "v.env"]).run().ended(1);
    let issues = ran.json("q.json");
    assert_eq!(issues.as_array().unwrap().len(), 1);
    assert_eq!(
        (&issues[0]["severity"], &issues[0]["check_name"]),
        (&"critical".into(), &"akit/expect/contains".into())
    );
    assert_eq!(issues[0]["location"], serde_json::json!({ "path": "s.yaml", "lines": { "begin": 6 } }));
    let metrics = ran.read("m.txt");
    assert!(metrics.contains("\nakit_pass_rate_ratio 0.5\n") && metrics.ends_with("\n# EOF\n"), "{metrics}");
    assert!(metrics.contains("akit_scenario_pass_rate_ratio{scenario=\"s\"} 0.5\n"), "{metrics}");
    let link = &ran.json("a.json")["akit"][0]["external_link"];
    let url = format!("https://gitlab.example/a/b/-/blob/{}/s.yaml#L6", super::comment::HEAD);
    assert_eq!(link["url"], url);
    let variables = ran.read("v.env");
    assert!(
        variables.starts_with("AKIT_VERDICT=fail\nAKIT_EXIT_CODE=1\nAKIT_PASS_RATE=0.5000\n"),
        "{variables}"
    );
    let soft = run(&["--soft-fail", "--dotenv", "v.env"]).run().ended(0);
    assert!(soft.read("v.env").contains("AKIT_EXIT_CODE=1\n"));
}

#[test]
fn the_same_reports_come_from_a_stored_run() {
    let ran =
        run(&["--json", "run.json", "--code-quality", "1.json", "--open-metrics", "1.txt"]).run().ended(1);
    let again =
        ran.then(&["gate", "run.json", "--code-quality", "2.json", "--open-metrics", "2.txt"]).run().ended(1);
    assert_eq!(again.read("1.json"), again.read("2.json"));
    assert_eq!(again.read("1.txt"), again.read("2.txt"));
}

#[test]
fn each_report_has_its_own_path() {
    for flag in FILES {
        run(&[flag, "-"]).run().ended(1).err("RESULT: FAIL");
        run(&[flag, "s.yaml"]).run().ended(2).err("would be replaced by a report");
    }
}

#[test]
fn sarif_for_github_and_for_other_tools() {
    let ran = run(&["--min-pass-rate", "0", "--json", "run.json"]).run().ended(0);
    let ran = ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let sarif = |profile: &[&str], ran: &super::akit::Ran| {
        let arguments = ["gate", "run.json", "--baseline", "b.json", "--sarif", "out.sarif"];
        let ran = ran.then(&arguments).args(profile).run();
        ran.json("out.sarif")["runs"][0]["results"][0].clone()
    };
    let github = sarif(&[], &ran);
    let ran = run(&["--min-pass-rate", "0", "--json", "run.json"]).run().ended(0);
    let ran = ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let full = sarif(&["--sarif-profile", "full"], &ran);
    assert_eq!(github["baselineState"], serde_json::Value::Null);
    assert_eq!(full["baselineState"], "unchanged");
    assert_eq!(github["partialFingerprints"], full["partialFingerprints"]);
    run(&["--sarif-profile", "most"]).run().ended(2).err("`most` is not one of");
}

#[test]
fn github_gets_groups_and_annotations() {
    let ran = run(&[]).env("GITHUB_ACTIONS", "true").run().ended(1);
    let wanted = "::error file=s.yaml,line=6,title=akit%3A akit/expect/contains::`s/b` failed";
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with(wanted)).count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("\n::group::FAILED s/b\n") && ran.stdout.contains("\n::endgroup::\n"));
    assert!(ran.stdout.lines().last().unwrap().starts_with("RESULT: FAIL"));
    let json = run(&["--json", "-"]).env("GITHUB_ACTIONS", "true").run().ended(1);
    serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap();
    assert!(!run(&[]).run().stdout.contains("::"));
}

#[test]
fn gitlab_gets_sections() {
    let ran = gitlab(run(&[])).run().ended(1);
    assert!(ran.stdout.contains(":akit_case_0[collapsed=true]\r\u{1b}[0KFAILED s/b\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("::error"));
}

#[test]
fn quiet_shows_reasons_and_the_result() {
    let ran = run(&["--quiet"]).run().ended(1);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stdout);
    assert!(lines[0].starts_with("case-failed: s/b failed") && lines[1].starts_with("RESULT: FAIL"));
    assert_eq!(ran.stderr, "");
    run(&["-q", "-v"]).run().ended(2).err("cannot be used with");
}

#[test]
fn a_format_for_stdout() {
    let dash = run(&["--json", "-"]).run().ended(1);
    let json = run(&["--format", "json"]).run().ended(1).err("RESULT: FAIL");
    assert_eq!(json.stdout, dash.stdout);
    let junit = run(&["--format", "junit", "--json", "run.json"]).run().ended(1);
    assert!(junit.stdout.starts_with("<?xml") && junit.path("run.json").is_file());
    run(&["--format", "console"]).run().ended(1).out("RESULT: FAIL");
    run(&["--format", "json", "--junit", "-"]).run().ended(2).err("only one report can go to stdout");
    run(&["--format", "yaml"]).run().ended(2).err("`yaml` is not one of");
}

#[test]
fn diagnostics_have_a_format_for_stdout_too() {
    let validate = |arguments: &[&str]| {
        Akit::new(&["validate", "s.yaml"]).args(arguments).file("s.yaml", "cases: 1\n").run().ended(2)
    };
    assert_eq!(validate(&["--format", "json"]).stdout, validate(&["--json", "-"]).stdout);
    assert_eq!(validate(&["--format", "sarif"]).stdout, validate(&["--sarif", "-"]).stdout);
    let both = validate(&["--format", "junit", "--json", "out.json"]);
    assert!(both.stdout.starts_with("<?xml") && both.path("out.json").is_file());
    validate(&["--format", "console"]).out("1 error");
}

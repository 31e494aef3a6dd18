//! Which cases run: tags, ids, globs, samples; skipped cases are reported.

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, replies};

fn case(id: &str, tags: &str) -> String {
    format!("  - {{ id: {id}, prompt: p, tags: [{tags}], expected: {{ type: contains, values: [ok] }} }}\n")
}

fn two_files(arguments: &[&str]) -> Ran {
    let one = format!("tags: [all]\ncases:\n{}{}", case("a", "fast"), case("b", "slow, \"!odd\""));
    let two = format!("name: second\ncases:\n{}{}", case("a", "slow"), case("c", "\"b c\""));
    Akit::new(&[
        "run",
        "one.yaml",
        "two.yaml",
        "--replies",
        "r.jsonl",
        "--json",
        "run.json",
        "--junit",
        "r.xml",
    ])
    .args(arguments)
    .file("one.yaml", one)
    .file("two.yaml", two)
    .file("r.jsonl", replies(&[("a", "ok"), ("b", "ok"), ("c", "ok")]))
    .run()
}

/// `scenario/id` of the judged cases.
fn judged(report: &Json) -> Vec<String> {
    let cases = report["cases"].as_array().unwrap().iter();
    cases
        .filter(|case| case["outcome"] != "skipped")
        .map(|case| format!("{}/{}", case["scenario"].as_str().unwrap(), case["id"].as_str().unwrap()))
        .collect()
}

#[test]
fn tags_ids_and_globs_choose_and_exclude() {
    let table: [(&[&str], &[&str]); 19] = [
        (&[], &["one/a", "one/b", "second/a", "second/c"]),
        (&["-t", "fast"], &["one/a"]),
        (&["-t", "fast,slow"], &["one/a", "one/b", "second/a"]),
        (&["-t", "fast", "-t", "slow"], &["one/a", "one/b", "second/a"]),
        (&["-t", " fast , slow "], &["one/a", "one/b", "second/a"]),
        (&["--tags", "!slow"], &["one/a", "second/c"]),
        (&["-t", "all,!slow"], &["one/a"]),
        (&["-t", "!slow", "-t", "!all"], &["second/c"]),
        (&["-t", "b c"], &["second/c"]),
        (&["--case", "a"], &["one/a", "second/a"]),
        (&["--case", "second/a", "--case", "b"], &["one/b", "second/a"]),
        (&["--filter", "second/*"], &["second/a", "second/c"]),
        (&["--filter", "{a,b}"], &["one/a", "one/b", "second/a"]),
        (&["--filter", "[bc]", "--filter", "one/*"], &["one/a", "one/b", "second/c"]),
        (&["-t", "slow", "--case", "a"], &["second/a"]),
        (&["--sample", "100%"], &["one/a", "one/b", "second/a", "second/c"]),
        (&["--sample", "0.1%", "--case", "c"], &["second/c"]),
        (&["-t", ""], &["one/a", "one/b", "second/a", "second/c"]),
        (&["-t", "!nobody"], &["one/a", "one/b", "second/a", "second/c"]),
    ];
    for (arguments, expected) in table {
        let ran = two_files(arguments).ended(0);
        assert_eq!(judged(&ran.json("run.json")), expected, "{arguments:?}");
    }
}

#[test]
fn no_match_in_any_file_is_exit_code_three_and_writes_nothing() {
    for arguments in [["-t", "nobody"], ["--filter", "x*"], ["--tags", "!all,!slow,!b c"]] {
        let ran = two_files(&arguments).ended(3).err("no case matches");
        assert!(!ran.path("run.json").exists() && ran.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_unknown_case_name_is_reported_whatever_else_matches() {
    for arguments in [&["--case", "nobody"][..], &["--case", "one/c"], &["--case", "a", "--case", "typo"]] {
        let ran = two_files(arguments).ended(3).err("no case");
        assert!(!ran.path("run.json").exists(), "{arguments:?}");
    }
}

#[test]
fn selections_that_make_no_sense_are_refused() {
    for (arguments, expected) in [
        (["--filter", "[a"], "invalid glob `[a`"),
        (["--sample", "0%"], "`0%` is not a share of the cases"),
        (["--sample", "101%"], "`101%` is not a share"),
        (["--sample", "-1%"], "`-1%` is not a share"),
        (["--sample", "nan%"], "`nan%` is not a share"),
        (["--sample", "half"], "for example `10%`"),
        (["-c", "0"], "`0` is not a whole number from 1 to 65,535"),
        (["-c", "-1"], "`-1` is not a whole number"),
        (["--timeout", "0"], "`0` is not a duration above 0"),
        (["--timeout", "5 parsecs"], "`5 parsecs` is not a duration"),
        (["--timeout", "1e300"], "`1e300` is not a duration"),
        (["--timeout", "nan"], "`nan` is not a duration"),
        (["--retries", "-1"], "`-1` is not a whole number"),
        (["--min-pass-rate", "95"], "`95` is not a share from 0 to 1"),
        (["--min-pass-rate", "nan"], "`nan` is not a share from 0 to 1"),
        (["--seed", "-3"], "`-3` is not a whole number"),
        (["--cache", "sometimes"], "auto"),
    ] {
        let joined = format!("{}={}", arguments[0], arguments[1]);
        let single = if arguments[0].starts_with("--") { vec![joined.as_str()] } else { arguments.to_vec() };
        let ran = two_files(&single).ended(2);
        assert!(ran.stderr.contains(expected), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn cases_left_out_are_skipped_with_their_reason_in_every_report() {
    let ran = two_files(&["-t", "fast,slow", "--case", "a"])
        .ended(0)
        .out("2 passed, 0 failed, 0 errored, 2 skipped");
    let report = ran.json("run.json");
    assert_eq!(outcomes(&report), ["a passed", "b skipped", "a passed", "c skipped"]);
    assert_eq!(report["cases"][1]["reason"], "not named by `--case`");
    assert_eq!(report["cases"][3]["reason"], "has none of the tags `fast`, `slow`");
    let xml = ran.read("r.xml");
    assert_eq!(xml.matches("<skipped ").count(), 2, "{xml}");
    assert!(xml.contains("has none of the tags `fast`, `slow`") && xml.contains("skipped=\"1\""), "{xml}");
    let ran = two_files(&["--tags", "!slow"]).ended(0);
    assert_eq!(ran.json("run.json")["cases"][1]["reason"], "excluded by tag `!slow`");
}

#[test]
fn a_sample_does_not_depend_on_file_order() {
    let ids: Vec<String> = (0..40).map(|n| format!("case-{n}")).collect();
    let sample = |ids: &[String], arguments: &[&str]| {
        let body: String = ids.iter().map(|id| case(id, "")).collect();
        let lines: Vec<_> = ids.iter().map(|id| (id.as_str(), "ok")).collect();
        let ran =
            Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--sample", "25%"])
                .args(arguments)
                .file("s.yaml", format!("cases:\n{body}"))
                .file("r.jsonl", replies(&lines))
                .run()
                .ended(0);
        let mut found = judged(&ran.json("run.json"));
        found.sort();
        found
    };
    let forwards = sample(&ids, &[]);
    let backwards: Vec<_> = ids.iter().rev().cloned().collect();
    assert_eq!(forwards.len(), 10);
    assert_eq!(sample(&backwards, &[]), forwards);
    assert_ne!(sample(&ids, &["--seed", "7"]), forwards, "another seed must draw other cases");
    assert_eq!(sample(&ids, &["--seed", "7"]), sample(&backwards, &["--seed", "7"]));
}

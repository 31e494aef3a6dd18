//! `--replies` and `provider: replies`: answers recorded by another program.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;

/// A scenario whose cases expect their own id in the answer.
pub(crate) fn suite(ids: &[&str]) -> String {
    let mut text = String::from("cases:\n");
    for id in ids {
        let id = Json::from(*id);
        writeln!(
            text,
            "  - id: {id}\n    prompt: Say {{{{word}}}}.\n    variables: {{ word: {id} }}\n    \
             expected: {{ type: contains, values: [\"{{{{word}}}}\"] }}"
        )
        .unwrap();
    }
    text
}

/// A file with these answers by case.
pub(crate) fn replies(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(id, reply)| serde_json::json!({ "id": id, "reply": reply }).to_string() + "\n")
        .collect()
}

fn run(ids: &[&str], lines: &str) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(ids))
        .file("r.jsonl", lines)
        .run()
}

/// `id outcome` of every case, in report order.
pub(crate) fn outcomes(report: &Json) -> Vec<String> {
    let cases = report["cases"].as_array().unwrap().iter();
    cases
        .map(|case| format!("{} {}", case["id"].as_str().unwrap(), case["outcome"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_missing_answer_is_an_error_and_not_a_pass_or_a_failure() {
    let ran = run(&["a", "b"], &replies(&[("a", "a")])).ended(4);
    let report = ran.json("run.json");
    assert_eq!(outcomes(&report), ["a passed", "b errored"]);
    let fault = &report["cases"][1]["trials"][0]["fault"];
    assert_eq!(fault["kind"], "no-reply");
    assert!(ran.stdout.contains("no answer to this case in r.jsonl"), "{}", ran.stdout);
    assert!(ran.stdout.contains("s.yaml:6"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("RESULT: ERROR — 1 passed, 0 failed, 1 errored, 0 skipped"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_failure_outranks_an_error() {
    run(&["a", "b", "c"], &replies(&[("a", "a"), ("b", "no")])).ended(1).out("1 failed, 1 errored");
}

#[test]
fn an_answer_that_names_the_scenario_takes_precedence() {
    let lines = "{\"id\":\"a\",\"reply\":\"wrong\"}\n{\"id\":\"a\",\"scenario\":\"s\",\"reply\":\"a\"}\n\
                 {\"id\":\"b\",\"scenario\":\"other\",\"reply\":\"b\"}\n";
    let ran = run(&["a", "b"], lines).ended(4);
    assert_eq!(outcomes(&ran.json("run.json")), ["a passed", "b errored"]);
}

#[test]
fn extra_trials_and_unused_lines_are_ignored() {
    let lines = "{\"id\":\"a\",\"reply\":\"a\"}\n{\"id\":\"a\",\"trial\":1,\"reply\":\"a again\"}\n\
                 {\"id\":\"nobody\",\"reply\":\"x\"}\n";
    run(&["a"], lines).ended(0).out("1 passed");
}

#[test]
fn an_unused_answer_is_reported_at_its_line() {
    let line = |scenario: &str, trial: u32, reply: &str| {
        format!("{{\"id\":\"a\",{scenario}\"trial\":{trial},\"reply\":\"{reply}\"}}\n")
    };
    for (lines, words) in [
        ([line("", 0, "a"), line("\"scenario\":\"S\",", 1, "no")], "line 2 (`a`: not in `S`)"),
        (
            [line("\"scenario\":\"s\",", 0, "a"), line("", 0, "no")],
            "line 2 (`a`: lines that name the scenario take precedence)",
        ),
    ] {
        run(&["a"], &lines.concat()).ended(0).err("1 line of r.jsonl match no case here").err(words);
    }
    let gaps = [line("", 0, "a"), line("\"scenario\":\"t\",", 1, "a"), line("", 2, "no"), line("", 4, "no")];
    run(&["a"], &gaps.concat())
        .ended(2)
        .err("case `a` has trial 2, but no trial 1 without a scenario")
        .err("--> r.jsonl:3:1")
        .err("case `a` has trial 4, but no trial 3")
        .err("--> r.jsonl:4:1")
        .err("help: number the trials of a case from 0 without gaps");
}

#[test]
fn fields_of_an_answer_are_in_the_report() {
    let line = "{\"id\":\"a\",\"reply\":\"a\",\"finish_reason\":\"stop\",\"model\":\"bot-7\",\"latency_ms\":12.4,\
                \"usage\":{\"input_tokens\":3,\"output_tokens\":4}}";
    let ran = run(&["a"], line).ended(0);
    let reply = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"];
    assert_eq!(reply["model"], "bot-7");
    assert_eq!(reply["latency_ms"], 12);
    assert_eq!(reply["usage"]["output_tokens"], 4);
}

#[test]
fn a_truncated_or_refused_answer_does_not_pass_for_missing_text() {
    let suite = "cases:\n  - { id: a, prompt: p, expected: { type: not_contains, values: [x] } }\n";
    for (line, expected) in [
        ("{\"id\":\"a\",\"reply\":\"fine\",\"finish_reason\":\"length\"}", 1),
        ("{\"id\":\"a\",\"reply\":\"fine\",\"finish_reason\":\"content_filter\"}", 1),
        ("{\"id\":\"a\",\"reply\":\" \\n\"}", 1),
        ("{\"id\":\"a\",\"reply\":\"fine\",\"finish_reason\":\"stop\"}", 0),
    ] {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("s.yaml", suite)
            .file("r.jsonl", line)
            .run()
            .ended(expected);
    }
}

#[test]
fn invalid_lines_are_reported_with_their_place_before_anything_runs() {
    let good = "{\"id\":\"a\",\"reply\":\"a\"}\n";
    let table = [
        (format!("{good}\n{{\"id\":\"b\"}}\n"), "`reply` is missing"),
        (format!("{good}not json\n"), "it is not JSON"),
        (format!("{good}{good}"), "this is a second answer for case `a`, trial 0"),
        (format!("{good}{{\"id\":\"b\",\"reply\":\"x\",\"answer\":\"y\"}}\n"), "unknown key `answer`"),
        (format!("{good}[]\n"), "expected an object, found a list"),
        (format!("{good}{{\"id\":7,\"reply\":\"x\"}}\n"), "expected text, found the number `7`"),
        (format!("{good}{{\"id\":\"b\",\"reply\":null}}\n"), "expected text, found nothing"),
        (format!("{good}{{\"id\":\"b\",\"reply\":\"x\",\"trial\":-1}}\n"), "the number `-1` is out of range"),
        (
            format!("{good}{{\"id\":\"b\",\"reply\":\"x\",\"usage\":[1,2]}}\n"),
            "expected an object, found a list",
        ),
        (
            format!("{good}{{\"id\":\"b\",\"reply\":\"x\",\"usage\":{{\"tokens\":1}}}}\n"),
            "unknown key `tokens`",
        ),
        (format!("{good}{{\"id\":\"b\",\"reply\":\"x\",\"cost_usd\":-1}}\n"), "`cost_usd` is negative"),
    ];
    for (lines, expected) in table {
        let place = format!("--> r.jsonl:{}:", if expected.starts_with("`reply`") { 3 } else { 2 });
        let ran = run(&["a"], &lines).ended(2).err(expected).err(&place).err("write each line as `{\"id\"");
        assert!(!ran.path("run.json").exists() && ran.stdout.is_empty());
    }
}

#[test]
fn unreadable_files_of_answers_are_reported() {
    run(&["a"], "\0").ended(2).err("cannot read the recorded answers in r.jsonl: the file is binary");
    Akit::new(&["run", "s.yaml", "--replies", "nowhere.jsonl"])
        .file("s.yaml", suite(&["a"]))
        .run()
        .ended(2)
        .err("cannot read the recorded answers in nowhere.jsonl: no such file or directory");
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", suite(&["a"]))
        .file("r.jsonl", b"{\"id\":\"a\",\"reply\":\"\xff\"}\n")
        .run()
        .ended(2)
        .err("not UTF-8: byte 0xff on line 1");
    run(&["a"], "").ended(4).out("0 passed, 0 failed, 1 errored");
}

#[test]
fn a_scenario_names_a_file_of_answers_next_to_itself() {
    let text = format!("provider: replies\nproviderConfig: {{ file: r.jsonl }}\n{}", suite(&["a"]));
    Akit::new(&["run", "deep/s.yaml"])
        .file("deep/s.yaml", text)
        .file("deep/r.jsonl", replies(&[("a", "a")]))
        .run()
        .ended(0);
    Akit::new(&["run", "s.yaml"])
        .file("s.yaml", format!("provider: replies\n{}", suite(&["a"])))
        .run()
        .ended(2)
        .err("no file set for provider `replies`")
        .err("nothing was sent");
}

#[test]
fn ids_and_answers_may_contain_anything() {
    let long = "long".repeat(2_500);
    let ids = [
        "a/b",
        "a b",
        "line\nbreak",
        "ünï漢字🙂",
        "<b>&\"'",
        "::error::x",
        "\u{1b}[31mred",
        "../../x",
        &long,
    ];
    let pairs: Vec<_> = ids.iter().map(|id| (*id, if id.len() > 5 { *id } else { "wrong" })).collect();
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "-v"])
        .args(&["--json", "o/r.json", "--junit", "o/r.xml", "--sarif", "o/r.sarif", "--markdown", "o/r.md"])
        .file("s.yaml", suite(&ids))
        .file("r.jsonl", replies(&pairs))
        .run()
        .ended(1)
        .out("RESULT: FAIL — 7 passed, 2 failed");
    let reported: Vec<_> = outcomes(&ran.json("o/r.json"));
    assert_eq!(reported.len(), ids.len());
    assert_eq!(reported[2], "line\nbreak passed");
    for text in [&ran.stdout, &ran.stderr, &ran.read("o/r.xml"), &ran.read("o/r.md")] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(!ran.stdout.lines().chain(ran.stderr.lines()).any(|line| line.starts_with("::error")));
    assert_eq!(ran.read("o/r.xml").matches("<testcase ").count(), ids.len());
    let listed = std::fs::read_dir(ran.path("o")).unwrap().count();
    assert_eq!(listed, 4, "nothing else may be left");
}

#[test]
fn huge_answers_are_judged() {
    let huge = format!("{}needle", "x".repeat(1_000_000));
    let suite = "cases:\n  - { id: a, prompt: p, expected: { type: contains, values: [needle] } }\n  \
                 - { id: b, prompt: p, expected: { type: exact, value: needle } }\n";
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--junit", "r.xml"])
        .file("s.yaml", suite)
        .file("r.jsonl", replies(&[("a", &huge), ("b", &huge)]))
        .run()
        .ended(1)
        .out("1 passed, 1 failed");
    assert!(ran.stdout.len() < 5_000, "{}", ran.stdout.len());
    assert!(ran.read("r.xml").len() < 200_000, "{}", ran.read("r.xml").len());
}

#[test]
fn unused_repeats_are_reported_with_a_way_to_judge_them() {
    let line = |trial: u32| format!("{{\"id\":\"a\",\"trial\":{trial},\"reply\":\"yes\"}}\n");
    let lines: String = (0..3).map(line).collect();
    let ran = run(&["a", "b"], &(lines.clone() + "{\"id\":\"b\",\"reply\":\"yes\"}\n"));
    let ran = ran
        .err("r.jsonl: case `a` has more than one answer; only the first of each is judged")
        .err("`--repeat 3`");
    let all = ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "3"]).run();
    assert!(!all.stderr.contains("of each"), "{}", all.stderr);
    // Two results for one prompt are two answers for one case.
    let message = |text: &str| {
        json!({ "messages": [{ "role": "user", "content": "a" }, { "role": "assistant", "content": text }] })
            .to_string()
    };
    let suite = "name: s\ncases: [{ id: c, prompt: a, expected: { type: contains, values: [yes] } }]\n";
    let two = [message("yes"), message("no")].join("\n");
    let akit =
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"]).file("s.yaml", suite).file("r.jsonl", two);
    akit.run().err("case `c` has more than one answer").err("`--repeat 2`");
}

#[test]
fn a_file_without_calls_is_reported_if_cases_are_about_calls() {
    let suite = |expected: &str| format!("name: s\ncases: [{{ id: a, prompt: a, expected: {expected} }}]\n");
    let (calls, words) = ("{ type: tools, never: [refund] }", "{ type: contains, values: [yes] }");
    let rows = [
        (calls, "{\"id\":\"a\",\"reply\":\"yes\"}", true),
        (calls, "{\"id\":\"a\",\"reply\":\"yes\",\"tool_calls\":[]}", false),
        (
            calls,
            "{\"id\":\"a\",\"reply\":\"yes\",\"tool_calls\":[{\"name\":\"look\",\"arguments\":{}}]}",
            false,
        ),
        (words, "{\"id\":\"a\",\"reply\":\"yes\"}", false),
        // Another case's line about calls does not matter here.
        (calls, "{\"id\":\"a\",\"reply\":\"yes\"}\n{\"id\":\"b\",\"reply\":\"yes\",\"tool_calls\":[]}", true),
        (
            calls,
            "{\"id\":\"a\",\"reply\":\"yes\",\"tool_calls\":[]}\n{\"id\":\"b\",\"reply\":\"yes\"}",
            false,
        ),
    ];
    for (expected, line, is_told) in rows {
        let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"]);
        let ran = akit.file("s.yaml", suite(expected)).file("r.jsonl", line).run().ended(0);
        let warning = "does not say which functions were called, but 1 case";
        assert_eq!(ran.stderr.contains(warning), is_told, "{line}\n{}", ran.stderr);
    }
}

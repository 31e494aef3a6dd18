//! The whole comment on a pull or merge request, for each kind of run; and whether what it says to do works.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::Akit;
use super::akit::Ran;
use super::comment::{BOT, HEAD, in_pipeline, request};
use super::forge::Forge;
use super::weakening;

const SUITE: &str = "\
name: support
cases:
  - id: refund
    name: A late refund reaches a person
    prompt: Where is my refund?
    expected: { type: contains, values: [colleague] }
  - id: hours
    prompt: When are you open?
    expected: { type: contains, values: [\"9\"] }
  - id: greeting
    prompt: Hello
    expected: { type: contains, values: [Hello] }
";

const GOOD: &str = "I put you through to a colleague now.";
const BAD: &str = "Refunds take 30 days. Please wait.";

/// So many answers to each case, of which the one about the refund is this; slower and more expensive with each.
fn answers(refund: &str, trials: u32, ms: u32) -> String {
    let all = [("refund", refund), ("hours", "We open at 9."), ("greeting", "Hello! How can I help?")];
    let line = |(id, reply): &(&str, &str), trial: u32| {
        let usage = json!({ "input_tokens": 96, "output_tokens": 41 });
        let (cost, ms) = (f64::from(ms) / 1e6, ms + trial);
        let line = json!({ "id": id, "trial": trial, "reply": reply, "latency_ms": ms, "cost_usd": cost, "usage": usage });
        line.to_string() + "\n"
    };
    all.iter().flat_map(|one| (0..trials).map(move |trial| line(one, trial))).collect()
}

/// A baseline of eight runs in `b.json`, the last of them in `runs`.
fn settled() -> Ran {
    let mut ran = Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", SUITE)
        .file("good.jsonl", answers(GOOD, 1, 640))
        .file("runs/README", "")
        .run();
    for day in 1..=8 {
        let at = format!("2026-01-0{day}T10:00:00Z");
        let run = ["run", "s.yaml", "--replies", "good.jsonl", "--json", "runs/x.json", "--recorded-at", &at];
        ran.then(&run).run().ended(0);
        ran = ran.then(&["baseline", "update", "runs/x.json", "--baseline", "b.json"]).run().ended(0);
    }
    ran
}

const RUN: [&str; 8] =
    ["run", "s.yaml", "--replies", "now.jsonl", "--json", "run.json", "--markdown", "c.md"];
const COMPARED: [&str; 4] = ["--baseline", "b.json", "--history", "runs"];

/// In the pipeline of a pull request, whose commit and run are known.
fn on_github(akit: Akit) -> Akit {
    akit.file("event.json", request("acme/shop").to_string())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", "event.json")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_RUN_ID", "9")
}

const JOB: &str = "https://gitlab.example/acme/shop/-/jobs/12";

fn on_gitlab(akit: Akit) -> Akit {
    akit.env("GITLAB_CI", "true")
        .env("CI_PROJECT_URL", "https://gitlab.example/acme/shop")
        .env("CI_JOB_URL", JOB)
        .env("CI_COMMIT_SHA", HEAD)
}

/// The same run as in [`settled`], with these answers about the refund.
fn compared(refund: &str, trials: u32) -> Ran {
    let ran = settled();
    let akit = ran.then(&RUN).args(&COMPARED).file("now.jsonl", answers(refund, trials, 900));
    on_github(akit).run()
}

/// A line that follows another in the comment, and stands there once.
fn once(page: &str, line: &str) {
    assert_eq!(page.lines().filter(|one| *one == line).count(), 1, "{line}\n{page}");
}

/// Addresses of all links.
fn addresses(page: &str) -> Vec<&str> {
    page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect()
}

/// The commands to copy.
fn commands(page: &str) -> Vec<&str> {
    page.split("\n  ```sh\n  ").skip(1).map(|rest| rest.split("\n  ```").next().unwrap()).collect()
}

/// Runs a command as a shell reads it, where `akit` is the program under test. Returns its exit code and what it said.
fn pasted(ran: &Ran, command: &str) -> (Option<i32>, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_akit"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ended = Command::new("sh")
        .args(["-c", command])
        .current_dir(ran.path(""))
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_regression() {
    let ran = compared(BAD, 6).ended(1);
    insta::assert_snapshot!("regression", ran.read("c.md"));
}

#[test]
fn a_regression_is_posted_in_the_same_words() {
    let ran = compared(BAD, 6).ended(1);
    let forge = Forge::start(HEAD);
    let akit = ran.then(&["comment", "run.json", "--baseline", "b.json", "--history", "runs"]);
    let akit = in_pipeline(akit, &forge, "pull_request", "9").env("GITHUB_SERVER_URL", "https://github.com");
    akit.run().ended(0).err("commented");
    let body = forge.by(BOT)[0].body.clone();
    let (marker, page) = body.split_once('\n').unwrap();
    assert!(marker.starts_with("<!-- akit:v1 key=default run=9.1 sha="), "{marker}");
    // A decision on a stored run looks for a configuration, and says that there is none.
    let page = page.replace("\n- note: no akit.yaml found: the default policy applies", "");
    assert_eq!(page, ran.read("c.md").trim_end());
}

#[test]
fn a_regression_on_gitlab_has_the_links_of_gitlab() {
    let ran = settled();
    let page = format!("{JOB}/artifacts/file/akit-reports/akit.html");
    let akit = ran.then(&RUN).args(&COMPARED).args(&["--page-url", &page]);
    let ran = on_gitlab(akit.file("now.jsonl", answers(BAD, 6, 900))).run().ended(1);
    let found = ran.read("c.md");
    let web = "https://gitlab.example/acme/shop/-";
    once(
        &found,
        &format!(
            "2 passed, 1 failed · [run]({JOB}) · [page]({page}) · [commit <code>aaaaaaa</code>]({web}/commit/{HEAD})"
        ),
    );
    once(&found, &format!("- at: [s.yaml:3]({web}/blob/{HEAD}/s.yaml#L3)"));
    // Everything else is as on GitHub.
    let on_github = compared(BAD, 6).read("c.md");
    let without_links = |page: &str| {
        let lines = page.lines().filter(|line| !line.contains("[page]") && !line.contains("[run]"));
        let words = |part: &str| part.split_once(')').map_or(part, |(_, rest)| rest).to_owned();
        lines.map(|line| line.split("](").map(words).collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(without_links(&found), without_links(&on_github));
}

#[test]
fn a_pass() {
    insta::assert_snapshot!("pass", compared(GOOD, 1).ended(0).read("c.md"));
}

#[test]
fn an_open_failure() {
    insta::assert_snapshot!("inconclusive", compared(BAD, 1).ended(5).read("c.md"));
}

#[test]
fn an_error() {
    let ran = settled();
    let lines = answers(GOOD, 1, 640);
    let lines: Vec<_> = lines.lines().filter(|line| !line.contains("\"refund\"")).collect();
    let akit = ran.then(&RUN).args(&COMPARED).file("now.jsonl", lines.join("\n"));
    insta::assert_snapshot!("error", on_github(akit).run().ended(4).read("c.md"));
}

#[test]
fn a_first_run_has_no_table_and_says_how_to_create_the_baseline() {
    let first = |more: &[&str], status: i32| {
        let akit = Akit::new(&RUN).args(more).file("s.yaml", SUITE).file("now.jsonl", answers(GOOD, 3, 900));
        on_github(akit).run().ended(status)
    };
    let ran = first(&["--baseline", "my baseline.json"], 4);
    let page = ran.read("c.md");
    insta::assert_snapshot!("first", page);
    let [create] = commands(&page)[..] else { panic!("{page}") };
    let (status, said) = pasted(&ran, create);
    assert_eq!(status, Some(0), "{said}");
    ran.then(&RUN).args(&["--baseline", "my baseline.json"]).run().ended(0);
    // Where none was asked for, nothing is said of one.
    let page = first(&[], 0).read("c.md");
    assert!(!page.contains("baseline") && !page.contains("What to do") && !page.contains("| "), "{page}");
}

#[test]
fn a_weaker_suite() {
    let ran = Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", SUITE)
        .file("akit.yaml", "gate: { min_pass_rate: 0.9, fail_on: [weakened] }\n")
        .file("now.jsonl", answers(GOOD, 1, 900))
        .run()
        .ended(0);
    weakening::git(&ran, &["init", "--quiet", "--initial-branch=main"]);
    weakening::git(&ran, &["add", "."]);
    weakening::git(&ran, &["commit", "--quiet", "-m", "first"]);
    let (less, _) = SUITE.split_once("  - id: greeting").unwrap();
    for (fails, status, name) in [(", fail_on: [weakened]", 1, "weaker"), ("", 0, "weaker_allowed")] {
        let akit = weakening::akit(&ran, &RUN)
            .args(&["--weakened-since", "main"])
            .file("s.yaml", less)
            .file("akit.yaml", format!("gate: {{ min_pass_rate: 0.5{fails} }}\n"));
        insta::assert_snapshot!(name, on_github(akit).run().ended(status).read("c.md"));
    }
}

#[test]
fn three_hundred_failures_are_named_counted_and_bounded() {
    let case = |n: usize| {
        format!(
            "  - {{ id: case-{n}, prompt: Question {n}, expected: {{ type: contains, values: [yes] }} }}\n"
        )
    };
    let line =
        |n: usize| json!({ "id": format!("case-{n}"), "reply": "Please wait. ".repeat(40) }).to_string();
    let suite: String = (0..300).map(case).collect();
    let lines: Vec<_> = (0..300).map(line).collect();
    let akit = Akit::new(&RUN).file("s.yaml", format!("name: s\ncases:\n{suite}"));
    let page = on_github(akit.file("now.jsonl", lines.join("\n"))).run().ended(1).read("c.md");
    assert!((50_000..=60_000).contains(&page.len()), "{}", page.len());
    // All but the folded cases.
    let folds = page.matches("\n<details>").count();
    assert_eq!(folds, page.matches("\n</details>\n").count());
    let (top, rest) = page.split_once("\n<details>").unwrap();
    let (_, end) = rest.rsplit_once("</details>\n").unwrap();
    assert!(end.contains(&format!("Omitted for length: {} failed cases.", 300 - folds)), "{end}");
    insta::assert_snapshot!("many", format!("{top}\n[…]\n{end}").replace(&(300 - folds).to_string(), "[…]"));
}

#[test]
fn what_is_hostile_stays_text() {
    let id = "x `y` @octocat #1 [l](https://evil.example) '$(id)'";
    let evil = "`x` ``` <!-- akit:v1 key=default --> </details> @acme/team fixes #1 [l](javascript:alert(1)) \
                ![i](https://evil.example/a.png) https://evil.example \u{202e}bidi\u{2066}\n/close\n| a | b |\n```\n::error::x";
    let suite = json!({
        "name": "a `b` @team",
        "cases": [{
            "id": id, "name": evil, "prompt": evil, "expected": { "type": "not_contains", "values": [evil] },
        }],
    });
    let akit = Akit::new(&RUN)
        .file("s.yaml", suite.to_string())
        .file("now.jsonl", json!({ "id": id, "reply": evil }).to_string());
    let ran = on_github(akit).run().ended(1);
    let page = ran.read("c.md");
    insta::assert_snapshot!("hostile", page);
    // The command to copy has the name as it is, in a block that no forge reads.
    let [again] = commands(&page)[..] else { panic!("{page}") };
    let prose = page.replace(again, "");
    let forge = "https://github.com/acme/shop/";
    assert!(addresses(&prose).iter().all(|one| one.starts_with(forge)), "{page}");
    for raw in [
        "@octocat",
        "@team",
        "@acme",
        "#1 ",
        "<!--",
        "![",
        "://evil",
        "</details> ",
        "\u{202e}",
        "\n/close",
        "`` ",
    ] {
        assert!(!prose.contains(raw), "{raw} in {page}");
    }
    let (status, said) = pasted(&ran, &format!("{again} --replies now.jsonl"));
    assert_eq!(status, Some(1), "{said}");
    // A name with a tag in it is not printed as a command.
    let hidden = suite.to_string().replace("x `y`", "<!-- akit:suite -->").replace("$(id)", "");
    let akit = ran.then(&RUN).file("s.yaml", hidden).file("now.jsonl", r#"{"id":"","reply":""}"#);
    assert_eq!(commands(&akit.run().ended(4).read("c.md")), Vec::<&str>::new());
}

#[test]
fn every_link_leads_to_the_forge_or_to_the_page_that_was_named() {
    let ran = compared(BAD, 6);
    let links =
        |more: &[&str]| on_github(ran.then(&RUN).args(&COMPARED).args(more)).run().ended(1).read("c.md");
    let page = links(&["--page-url", "https://ci.example/akit.html?x=1#y"]);
    let web = "https://github.com/acme/shop";
    let (run, line) = (format!("{web}/actions/runs/9"), format!("{web}/blob/{HEAD}/s.yaml#L3"));
    let commit = format!("{web}/commit/{HEAD}");
    // The name at the top, the line of counts, the job to start again, and the case.
    let all = [&line, &run, "https://ci.example/akit.html?x=1#y", &commit, &run, &line];
    assert_eq!(addresses(&page), all);
    // An attempt of its own has an address of its own.
    let again = on_github(ran.then(&RUN).args(&COMPARED)).env("GITHUB_RUN_ATTEMPT", "2").run().read("c.md");
    assert!(addresses(&again).contains(&format!("{run}/attempts/2").as_str()), "{again}");
    // What is not known is no link: outside a pipeline nothing is, and without a commit no line.
    let alone = ran.then(&RUN).args(&COMPARED).run().ended(1).read("c.md");
    assert_eq!(addresses(&alone), Vec::<&str>::new());
    once(&alone, "2 passed, 1 failed");
    once(&alone, "- at: s.yaml:3");
    std::fs::write(ran.path("event.json"), "{}").unwrap();
    let elsewhere = ran.then(&RUN).args(&COMPARED).env("GITLAB_CI", "true").env("CI_JOB_URL", JOB).run();
    assert_eq!(addresses(&elsewhere.read("c.md")), [JOB, JOB]);
    // An address that could end a link, or is none, is refused before anything runs.
    for wrong in
        ["javascript:alert(1)", "https://ci.example/a)b", "https://user:key@ci.example/", "akit.html"]
    {
        ran.then(&RUN).args(&["--page-url", wrong]).run().ended(2).err("--page-url");
        ran.then(&RUN).env("AKIT_PAGE_URL", wrong).run().ended(2).err("--page-url");
    }
    let hostile = ran.then(&RUN).args(&COMPARED).env("GITLAB_CI", "true").env("CI_COMMIT_SHA", HEAD);
    let hostile =
        hostile.env("CI_JOB_URL", "javascript:alert(1)").env("CI_PROJECT_URL", "https://x/) [y](https://z");
    assert_eq!(addresses(&hostile.run().ended(1).read("c.md")), Vec::<&str>::new());
}

#[test]
fn what_it_says_to_do_about_a_regression_works() {
    let ran = settled();
    let run =
        ["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "b.json", "--markdown", "c.md", "--json"];
    let ran =
        ran.then(&run).arg("out/the run.json").file("out/README", "").file("now.jsonl", answers(BAD, 6, 900));
    let ran = ran.run().ended(1);
    let page = ran.read("c.md");
    let [accept, again] = commands(&page)[..] else { panic!("{page}") };
    assert!(accept.contains("--run 'out/the run.json'"), "the file that was written: {accept}");
    let (status, said) = pasted(&ran, &format!("{again} --replies now.jsonl --baseline b.json"));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("0 passed, 1 failed, 0 errored"), "{said}");
    let (status, said) = pasted(&ran, accept);
    assert_eq!(status, Some(0), "{said}");
    ran.then(&run).arg("run.json").run().ended(0).out("RESULT: PASS");
    // A stored run is named as its command names it; one that is not stored has to be.
    let gate = ["gate", "out/the run.json", "--baseline", "b.json", "--markdown", "c.md"];
    let open = ran.then(&gate).run().read("c.md");
    assert_eq!(commands(&open), Vec::<&str>::new(), "accepted: {open}");
}

#[test]
fn what_it_says_to_do_about_an_open_failure_works() {
    let ran = compared(BAD, 1).ended(5);
    let page = ran.read("c.md");
    let [ask, again] = commands(&page)[..] else { panic!("{page}") };
    let (status, said) = pasted(&ran, ask);
    assert_eq!((status, ran.read("ask.jsonl").lines().count()), (Some(0), 10), "{said}");
    let (status, said) = pasted(&ran, &format!("{again} --replies now.jsonl --baseline b.json"));
    assert_eq!(status, Some(5), "{said}");
    // The answers that were asked for, added as it says, decide.
    let more: String = ran
        .read("ask.jsonl")
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["reply"] = BAD.into();
            line.to_string() + "\n"
        })
        .collect();
    ran.then(&RUN).args(&COMPARED).args(&["--replies", "more.jsonl"]).file("more.jsonl", more).run().ended(1);
}

#[test]
fn a_run_that_is_not_stored_has_to_be() {
    let ran = settled();
    let run = ["run", "s.yaml", "--replies", "now.jsonl", "--baseline", "b.json", "--markdown", "c.md"];
    let page = ran.then(&run).file("now.jsonl", answers(BAD, 6, 900)).run().ended(1).read("c.md");
    once(
        &page,
        "- If the change is intended, accept it, and commit the baseline (store this run with <code>--json</code> as \
         <code>run.json</code> first):",
    );
}

#[test]
fn each_fact_has_a_row_only_if_both_sides_know_it() {
    let ran = settled();
    let rows = |lines: String| -> Vec<String> {
        let page = ran.then(&RUN).args(&COMPARED).file("now.jsonl", lines).run().read("c.md");
        page.replace("&#36;\u{200b}", "$")
            .lines()
            .filter(|line| line.starts_with("| ") && !line.contains("now"))
            .map(str::to_owned)
            .collect()
    };
    let rate = "| pass rate | 100.0% | 100.0% | 0.0 points |";
    let time = "| mean time per answer | 640 ms | 640 ms | 0.0% |";
    let cost = "| cost per 1,000 answers | $0.64 | $0.64 | 0.0% |";
    assert_eq!(rows(answers(GOOD, 1, 640)), [rate, time, cost]);
    assert_eq!(
        rows(answers(GOOD, 1, 320)),
        [
            rate,
            "| mean time per answer | 320 ms | 640 ms | −50.0% |",
            "| cost per 1,000 answers | $0.32 | $0.64 | −50.0% |"
        ]
    );
    let without = |key: &str, only: &str| -> String {
        let lines = answers(GOOD, 1, 640);
        let line = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            if line["id"].as_str().unwrap().contains(only) {
                line.as_object_mut().unwrap().remove(key);
            }
            line.to_string() + "\n"
        };
        lines.lines().map(line).collect()
    };
    assert_eq!(rows(without("latency_ms", "")), [rate, cost]);
    assert_eq!(rows(without("cost_usd", "")), [rate, time]);
    // Of a fact that only some of the compared cases have, it says so.
    let some = "| cost per 1,000 answers (2 cases) | $0.64 | $0.64 | 0.0% |";
    assert_eq!(rows(without("cost_usd", "hours")), [rate, time, some]);
    // The stored run is decided on later with the same rows.
    ran.then(&RUN).args(&COMPARED).file("now.jsonl", answers(GOOD, 1, 640)).run().ended(0);
    let later = ran.then(&["report", "run.json", "--markdown", "later.md"]).run().ended(0).read("later.md");
    let later = later.replace("&#36;\u{200b}", "$");
    assert!(later.contains(&format!("\n{rate}\n{time}\n{cost}\n")), "{later}");
}

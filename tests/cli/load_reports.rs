//! The reports of `akit stress`, and how pipelines run it.

use std::time::Duration;

use quick_junit::Report;

use super::akit::{Akit, Ran};
use super::schema::assert_matches;
use super::server::{Answer, Server};

const SUITE: &str = "\
name: s
provider: openai
model: m
cases:
  - { id: a, prompt: one, expected: { type: contains, values: [good] } }
  - { id: b, prompt: two, expected: { type: contains, values: [good] } }
";

/// A server that answers the second case incorrectly. Slow answers leave a busy machine more time to send the next
/// request before the test becomes void.
fn half() -> Server {
    Server::start(|asked| {
        std::thread::sleep(Duration::from_millis(300));
        Answer::Text(if asked.last_message().contains("two") { "<b>no</b>" } else { "good" }.to_owned())
    })
}

fn good() -> Server {
    Server::start(|_| {
        std::thread::sleep(Duration::from_millis(300));
        Answer::Text("good".to_owned())
    })
}

/// Repeats the test while the machine is too busy for it.
fn steady<T>(run: impl Fn() -> T, output: impl Fn(&T) -> &str) -> T {
    (0..9)
        .map(|_| run())
        .find(|ran| !output(ran).contains("void: this machine"))
        .expect("a load test that is not void")
}

fn load(server: &Server, arguments: &[&str]) -> Akit {
    let base = ["stress", "s.yaml", "--base-url", &server.url, "-c", "5", "-n", "10"];
    Akit::new(&base).args(arguments).file("s.yaml", SUITE).env("OPENAI_API_KEY", "k")
}

#[test]
fn each_format_is_written_in_addition_to_the_console() {
    let reports = ["--junit", "s.xml", "--markdown", "s.md", "--html", "s.html"];
    let server = half();
    let run = || load(&server, &["--slo", "pass_rate=0.9", "--json", "-"]).args(&reports).run();
    let ran = steady(run, |ran| &ran.stderr).ended(1);
    let ran = ran.err("s/b (s.yaml:6): 5 of 5 failed").err("RESULT: FAIL (exit code 1)");
    let data: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_matches(&data, "stress.json");
    assert_eq!((&data["requests"], &data["decision"]["exit_code"]), (&10.into(), &1.into()));
    let junit = Report::deserialize_from_str(&ran.read("s.xml")).unwrap();
    assert_eq!((junit.tests, junit.failures, junit.errors), (2, 1, 0));
    assert_eq!(junit.test_suites[0].test_cases[1].name.as_str(), "5 in flight: pass_rate");
    let page = ran.read("s.html");
    assert!(
        page.contains("<h1>akit stress: <span>FAIL</span></h1>") && page.contains("<code>s.yaml:6</code>")
    );
    assert!(!page.contains("<b>no</b>"), "a model's text must not become markup");
    assert!(ran.read("s.md").starts_with("**akit stress: FAIL** — 5 in flight: pass&#95;rate is 50%"));
}

#[test]
fn quiet_prints_only_the_decision() {
    let server = good();
    let ran = steady(|| load(&server, &["--quiet"]).run(), |ran| &ran.stdout).ended(0);
    assert_eq!(ran.stdout, "RESULT: PASS (exit code 0)\n");
}

#[test]
fn a_report_replaces_no_input_and_no_other_report() {
    let server = good();
    for wrong in [
        ["--html", "s.yaml", "-q"].as_slice(),
        &["--junit", "r", "--json", "r"],
        &["--json", "-", "--html", "-"],
    ] {
        load(&server, wrong).run().ended(2);
    }
    assert_eq!(server.asked().len(), 0, "nothing may be sent");
}

/// A folder with the suite.
fn folder() -> Ran {
    Akit::new(&["--version"]).file("s.yaml", SUITE).run().ended(0)
}

#[cfg(unix)]
mod pipelines {
    use super::super::pipelines::{environment, script, shell, words};
    use super::*;
    use crate::akit::repository;

    /// What the action leaves: outputs, log, and summary.
    fn action(inputs: &[(&str, &str)]) -> (Ran, String, String, String) {
        let ran = folder();
        let [output, summary] = ["output", "summary"].map(|name| ran.path(name).display().to_string());
        let workspace = ran.path("").display().to_string();
        let mut environment = environment();
        environment.extend([
            ("INPUT_COMMAND", "stress"),
            ("INPUT_SCENARIOS", "s.yaml"),
            ("INPUT_WITHOUT_KEY", "replay"),
            ("INPUT_SHARE_CACHE", "true"),
            ("FROM_FORK", "false"),
            ("AKIT_PROGRAM", env!("CARGO_BIN_EXE_akit")),
            ("OPENAI_API_KEY", "k"),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "ada"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_OUTPUT", &output),
            ("GITHUB_STEP_SUMMARY", &summary),
            ("GITHUB_WORKSPACE", &workspace),
        ]);
        environment.extend_from_slice(inputs);
        let ended = shell(&ran, &repository().join(".github/action/evaluate.sh"), &environment);
        assert!(ended.status.success(), "only the last step may fail: {}", words(&ended));
        let read = |name: &str| std::fs::read_to_string(ran.path(name)).unwrap_or_default();
        let (outputs, summary) = (read("output"), read("summary"));
        (ran, outputs, summary, words(&ended))
    }

    fn last<'a>(outputs: &'a str, name: &str) -> Option<&'a str> {
        let mut values = outputs.lines().filter_map(|line| line.split_once('='));
        values.rfind(|(found, _)| *found == name).map(|(_, value)| value)
    }

    #[test]
    fn the_action_runs_a_load_test() {
        for (server, verdict, code, rate) in
            [(good(), "pass", "0", "1.0000"), (half(), "fail", "1", "0.5000")]
        {
            let inputs = [
                ("INPUT_BASE_URL", server.url.as_str()),
                ("INPUT_ARGS", "--requests=10\n--concurrency=5\n--slo=pass_rate=0.9"),
            ];
            let (ran, outputs, summary, output) = steady(|| action(&inputs), |ran| &ran.3);
            let found = ["verdict", "exit-code", "pass-rate", "sarif"].map(|name| last(&outputs, name));
            assert_eq!(found, [Some(verdict), Some(code), Some(rate), None], "{output}");
            for (name, file) in [
                ("json", "stress.json"),
                ("junit", "stress.xml"),
                ("html", "stress.html"),
                ("markdown", "stress.md"),
            ] {
                let path = format!("akit-reports/{file}");
                assert_eq!(last(&outputs, name), Some(path.as_str()), "{outputs}");
                assert!(ran.path(&path).is_file());
            }
            let word = verdict.to_uppercase();
            assert!(summary.starts_with(&format!("**akit stress: {word}** — ")), "{summary}");
            assert_eq!(last(&outputs, "cache-digest"), None, "a load test has no cache");
        }
    }

    #[test]
    fn the_action_refuses_inputs_that_do_not_fit_a_load_test() {
        let fork = [("FROM_FORK", "true"), ("OPENAI_API_KEY", "")];
        for (inputs, words) in [
            ([("INPUT_COMMAND", "rm"), ("INPUT_ARGS", "")], "the input command is run or stress, and not rm"),
            ([("INPUT_REPLAY", "true"), ("INPUT_ARGS", "")], "replay is not for it"),
            ([("INPUT_REPLIES", "r.jsonl"), ("INPUT_ARGS", "")], "--replies"),
            ([("INPUT_CONFIRM", "2"), ("INPUT_ARGS", "")], "unexpected argument '--confirm'"),
            ([("INPUT_TRUST", "base"), ("INPUT_ARGS", "")], "unexpected argument '--trust'"),
            (fork, "set without-key to neutral or run"),
        ] {
            let (_, outputs, _, output) = action(&inputs);
            assert_eq!(
                (last(&outputs, "verdict"), last(&outputs, "exit-code")),
                (Some("error"), Some("2")),
                "{output}"
            );
            assert!(output.contains(words), "{words}: {output}");
        }
    }

    #[test]
    fn the_gitlab_job_runs_a_load_test() {
        let server = half();
        let arguments = format!("--base-url={}\n--requests=10\n--concurrency=5", server.url);
        let limited = format!("{arguments}\n--slo=pass_rate=0.9");
        for (command, arguments, status) in
            [("stress", &arguments, 0), ("stress", &limited, 1), ("other", &arguments, 2)]
        {
            let ran = folder();
            std::fs::write(ran.path("script"), script()).unwrap();
            let environment = [
                ("IN_COMMAND", command),
                ("IN_SCENARIOS", "s.yaml"),
                ("IN_ARGS", arguments),
                ("IN_CACHE_DIR", ".akit/cache"),
                ("IN_REPORTS", "akit-reports"),
                ("IN_BINARY", env!("CARGO_BIN_EXE_akit")),
                ("IN_COMMENT", "true"),
                ("IN_POLICY", ""),
                ("IN_BASELINE", ""),
                ("IN_TRUST", ""),
                ("IN_UPDATE_BASELINE", "false"),
                ("AKIT_GITLAB_TOKEN", "t"),
                ("OPENAI_API_KEY", "k"),
                ("CI", "true"),
                ("GITLAB_CI", "true"),
                ("CI_MERGE_REQUEST_IID", "7"),
            ];
            let run = || {
                let ended = shell(&ran, &ran.path("script"), &environment);
                (ended.status.code(), words(&ended))
            };
            let (ended, output) = steady(run, |ran| &ran.1);
            assert_eq!(ended, Some(status), "{command}: {output}");
            for name in ["stress.json", "stress.html", "stress.md", "junit.xml"] {
                let is_there = ran.path(&format!("akit-reports/{name}")).is_file();
                assert_eq!(is_there, status != 2, "{name}");
            }
        }
    }
}

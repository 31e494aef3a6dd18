//! A hostile change in the scripts of the GitHub action and of the GitLab job: by default, the base's settings judge
//! it.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use super::akit::{Ran, repository};
use super::replies::replies;
use super::trust_base::{base, change};
use super::weakening::git;

const SUITE: &str = "\
name: s
cases:
  - { id: a, prompt: q, expected: { type: contains, values: [good] } }
  - { id: b, prompt: q, expected: { type: contains, values: [good] } }
";

/// A change that sets the pass rate of its own suite.
fn hostile() -> Ran {
    let answers = replies(&[("a", "good"), ("b", "no")]);
    let strict = "gate: { min_pass_rate: 1 }\n".to_owned();
    let ran = base(&[("scenarios/s.yaml", SUITE.to_owned()), ("akit.yaml", strict), ("r.jsonl", answers)]);
    change(&ran, &[("akit.yaml", "gate: { min_pass_rate: 0 }\n".to_owned())]);
    git(&ran, &["commit", "--quiet", "-m", "change"]);
    ran
}

pub(crate) fn shell(ran: &Ran, script: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("bash");
    command.arg(script).current_dir(ran.path("")).env_clear().env("PATH", std::env::var("PATH").unwrap());
    command.envs(environment.iter().copied()).output().unwrap()
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// All inputs of the action, empty.
pub(crate) fn environment() -> Vec<(&'static str, &'static str)> {
    const ACTION: &str = include_str!("../../action.yml");
    let inputs = ACTION.lines().filter_map(|line| line.trim().split_once(": ${{ inputs."));
    let inputs: Vec<_> = inputs.map(|(name, _)| name).filter(|name| name.starts_with("INPUT_")).collect();
    assert!(inputs.contains(&"INPUT_TRUST") && inputs.contains(&"INPUT_COMMAND"), "{inputs:?}");
    inputs.into_iter().map(|name| (name, "")).collect()
}

/// The script of the GitLab job.
pub(crate) fn script() -> String {
    let template = std::fs::read_to_string(repository().join("templates/akit.yml")).unwrap();
    let script = template.split("  script:\n    - |\n").nth(1).unwrap();
    let lines = script.lines().take_while(|line| line.starts_with("      ") || line.is_empty());
    lines.map(|line| line.get(6..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The exit code of the action.
fn action(event: &str, trust: &str) -> (String, String) {
    let ran = hostile();
    let [output, summary] = ["output", "summary"].map(|name| ran.path(name).display().to_string());
    let workspace = ran.path("").display().to_string();
    let mut environment = environment();
    environment.extend([
        ("INPUT_SCENARIOS", "scenarios"),
        ("INPUT_REPLIES", "r.jsonl"),
        ("INPUT_SHARE_CACHE", "false"),
        ("INPUT_WITHOUT_KEY", "replay"),
        ("INPUT_TRUST", trust),
        ("FROM_FORK", "false"),
        ("AKIT_PROGRAM", env!("CARGO_BIN_EXE_akit")),
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_ACTOR", "eve"),
        ("GITHUB_BASE_REF", if event == "push" { "" } else { "main" }),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_OUTPUT", &output),
        ("GITHUB_STEP_SUMMARY", &summary),
        ("GITHUB_WORKSPACE", &workspace),
    ]);
    let ended = shell(&ran, &repository().join(".github/action/evaluate.sh"), &environment);
    assert!(ended.status.success(), "only the last step may fail: {}", words(&ended));
    let outputs = ran.read("output");
    let status = outputs.lines().rfind(|line| line.starts_with("exit-code=")).unwrap_or_default().to_owned();
    (status, words(&ended))
}

#[test]
fn the_action_trusts_the_base_of_a_pull_request_by_default() {
    for (event, trust, status) in [
        ("pull_request", "", "exit-code=1"),
        ("merge_group", "", "exit-code=1"),
        ("pull_request", "base", "exit-code=1"),
        ("pull_request", "head", "exit-code=0"),
        ("push", "", "exit-code=0"),
        ("push", "base", "exit-code=1"),
        ("pull_request", "main", "exit-code=2"),
    ] {
        let (found, told) = action(event, trust);
        assert_eq!(found, status, "{event} {trust:?}: {told}");
    }
}

#[test]
fn the_gitlab_job_trusts_the_base_by_default() {
    let script = script();
    for (request, trust, status) in [("7", "", 1), ("7", "head", 0), ("", "", 0), ("", "base", 1)] {
        let ran = hostile();
        std::fs::write(ran.path("script"), &script).unwrap();
        let mut environment = vec![
            ("IN_COMMAND", "run"),
            ("IN_SCENARIOS", "scenarios"),
            ("IN_ARGS", "--replies=r.jsonl\n--markdown=c.md"),
            ("CI_JOB_URL", "https://gitlab.example/acme/shop/-/jobs/12"),
            ("IN_CACHE_DIR", ".akit/cache"),
            ("IN_REPORTS", "akit-reports"),
            ("IN_BINARY", env!("CARGO_BIN_EXE_akit")),
            ("IN_COMMENT", "false"),
            ("IN_POLICY", ""),
            ("IN_UPDATE_BASELINE", "false"),
            ("IN_BASELINE", ""),
            ("IN_TRUST", trust),
            ("CI", "true"),
            ("GITLAB_CI", "true"),
        ];
        if !request.is_empty() {
            environment.push(("CI_MERGE_REQUEST_IID", request));
            environment.push(("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"));
        }
        let ended = shell(&ran, &ran.path("script"), &environment);
        assert_eq!(ended.status.code(), Some(status), "{request:?} {trust:?}: {}", words(&ended));
        let job = "https://gitlab.example/acme/shop/-/jobs/12";
        let page = format!(" · [run]({job}) · [page]({job}/artifacts/file/akit-reports/akit.html)");
        assert!(ran.read("c.md").contains(&page), "{}", ran.read("c.md"));
    }
}

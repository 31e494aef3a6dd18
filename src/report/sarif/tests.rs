use crate::gate::Policy;
use crate::report::fixture::{Fixture, case, diagnostics, trial, verdict};
use crate::vocabulary::{Outcome, VerdictKind};

use super::*;

fn of_report(report: &crate::report::Report<'_>) -> Result<String, RenderError> {
    crate::report::text(|out| write(report, out))
}

fn read(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn run(fixture: &Fixture) -> serde_json::Value {
    read(&of_report(&fixture.report()).unwrap())["runs"][0].clone()
}

#[test]
fn one_result_for_each_rule_and_case_worst_first() {
    let run = run(&Fixture::short());
    let shown: Vec<_> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let line = &one["locations"][0]["physicalLocation"]["region"]["startLine"];
            format!("{} {} {line}", one["level"].as_str().unwrap(), one["ruleId"].as_str().unwrap())
        })
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "error akit/regression/case 5",
        "error akit/threshold/pass-rate 1",
        "error akit/expect/llm-grader 7",
        "error akit/expect/regex 9",
        "error akit/expect/json-schema 9",
        "error akit/expect/contains 5",
        "error akit/expect/contains 7",
        "warning akit/expect/contains 17",
        "warning akit/expect/contains 3",
        "note akit/weakened/history-reset 9",
        "note akit/expect/contains 15",
    ]
    "#);
    let rules: Vec<_> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index], &result["ruleId"]);
    }
}

#[test]
fn a_passing_run_has_no_results_and_was_successful() {
    let run = run(&Fixture::of(vec![case("support", "a", Outcome::Passed, Vec::new())], &Policy::default()));
    assert_eq!(run["results"], serde_json::json!([]));
    assert_eq!(
        run["invocations"],
        serde_json::json!([{ "executionSuccessful": true, "endTimeUtc": "2025-11-02T10:20:30Z" }])
    );
}

#[test]
fn results_above_githubs_limit_are_dropped_with_a_note() {
    let trials = vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "")];
    let one = case("support", "a", Outcome::Failed, trials);
    let mut fixture = Fixture::of(vec![one; 50], &Policy::default());
    let many: Vec<_> = fixture.run.cases.iter().cycle().take(RESULTS + 10).cloned().collect();
    fixture.run.cases = many;
    let run = run(&fixture);
    assert_eq!(run["results"].as_array().unwrap().len(), RESULTS);
    let said = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(said, "10 findings left out here.");
}

#[test]
fn the_category_outlives_a_new_scenario() {
    let mut fixture = Fixture::short();
    let category = |fixture: &Fixture| run(fixture)["automationDetails"]["id"].clone();
    assert_eq!(category(&fixture), "akit/evals/");
    fixture.run.scenarios.truncate(1);
    assert_eq!(category(&fixture), "akit/evals/", "one file or several");
    fixture.run.scenarios[0].file = "x.yaml".to_owned();
    assert_eq!(category(&fixture), "akit/run/");
    fixture.run.suite = vec!["services/a/evals".to_owned()];
    assert_eq!(category(&fixture), "akit/services%2Fa%2Fevals/", "as it was named");
    fixture.run.suite.push("-t fraud".to_owned());
    assert_eq!(category(&fixture), "akit/services%2Fa%2Fevals%2C%20-t%20fraud/");
}

#[test]
fn messages_contain_no_links() {
    assert_eq!(words("see [a](b)\nnow", 99), "see \\[a\\](b)⏎now.");
    assert_eq!(words("a[0] is wrong!", 99), "a[0] is wrong!");
}

#[test]
fn diagnostics_are_results() {
    let (found, _) = diagnostics();
    insta::assert_snapshot!(of_diagnostics(&found, "0.1.0").unwrap());
}

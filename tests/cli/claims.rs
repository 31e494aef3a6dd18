//! Each row about pull requests in docs/security.md has a test.

use super::akit::repository;
use super::server::{Answer, Server};
use super::trust_base::{base, change};
use super::weakening::akit;

/// The first column of a row, and its tests: file and name.
const CLAIMS: [(&str, &[(&str, &str)]); 15] = [
    (
        "loosens `gate:` or the quarantine, or adds another `akit.yaml`",
        &[("trust_base", "a_change_is_judged_by_the_gate_of_its_base")],
    ),
    (
        "edits the baseline file",
        &[
            ("trust_base", "a_change_is_judged_by_the_gate_of_its_base"),
            ("trust_base", "results_accepted_by_a_change_count_and_are_named"),
        ],
    ),
    (
        "changes `providers`, `grader`, `cache`, `prices` or `repeat`",
        &[("trust_base", "providers_judge_cache_prices_and_repeats_come_from_the_base")],
    ),
    (
        "removes or loosens a rule of `always` in `akit.yaml`",
        &[("always", "a_change_cannot_drop_a_rule_unseen")],
    ),
    ("changes `redaction` in `akit.yaml`", &[("trust_base", "the_redaction_of_the_base_applies")]),
    ("edits or adds a calibration", &[("trust_base", "the_calibration_is_read_at_the_base")]),
    (
        "sends requests to a server of its own",
        &[
            ("trust_base", "keys_go_only_to_addresses_that_the_base_knows"),
            ("trust", "a_server_that_only_the_scenario_names_gets_no_key"),
        ],
    ),
    (
        "adds or edits cache records",
        &[
            ("records", "a_verdict_added_by_the_change_is_requested_again"),
            ("records", "an_answer_added_by_the_change_is_requested_again"),
            ("records", "a_record_edited_by_the_change_is_named_and_not_read"),
        ],
    ),
    ("adds links to the cache", &[("records", "records_behind_links_are_not_read")]),
    (
        "is the first to add `akit.yaml` and a suite",
        &[("trust_base", "a_change_that_adds_akit_has_its_own_settings_but_no_address_of_its_own")],
    ),
    (
        "adds `akit.yaml` to a suite that had none",
        &[("trust_base", "a_base_without_akit_yaml_means_the_defaults_and_the_vendors_own_addresses")],
    ),
    (
        "sets a command (`provider: command` or `target.version`)",
        &[("command", "a_command_that_only_a_change_names_is_not_run")],
    ),
    (
        "changes scenarios, rubrics or expectations",
        &[("weakening", "a_weaker_change_is_reported_at_its_lines")],
    ),
    (
        "changes `provider`, `model` or `target`",
        &[("trust_base", "providers_judge_cache_prices_and_repeats_come_from_the_base")],
    ),
    ("adds `${NAME}` to a scenario", &[("claims", "a_variable_in_a_scenario_goes_where_the_scenario_goes")]),
];

#[test]
fn each_claim_about_pull_requests_has_its_tests() {
    let page = std::fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let table = page.split("| a pull request that |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().skip(2).map(|row| row.split(" | ").next().unwrap().trim_start_matches("| "));
    assert_eq!(rows.collect::<Vec<_>>(), CLAIMS.map(|(claim, _)| claim));
    for (file, test) in CLAIMS.iter().flat_map(|(_, tests)| *tests) {
        let text = std::fs::read_to_string(repository().join(format!("tests/cli/{file}.rs"))).unwrap();
        assert!(text.contains(&format!("#[test]\nfn {test}()")), "{file} has no test {test}");
    }
}

#[test]
fn a_variable_in_a_scenario_goes_where_the_scenario_goes() {
    let server = Server::start(|_| Answer::Text("good".to_owned()));
    let suite = |prompt: &str| {
        let case =
            format!("{{ id: a, prompt: \"{prompt}\", expected: {{ type: contains, values: [good] }} }}");
        ("scenarios/s.yaml", format!("name: s\nprovider: openai\nmodel: m\ncases: [{case}]\n"))
    };
    let known = format!("providers: {{ openai: {{ baseUrl: \"{}\" }} }}\n", server.url);
    let ran = base(&[suite("q"), ("akit.yaml", known)]);
    change(&ran, &[suite("${DEPLOY_SECRET}")]);
    let run = ["run", "scenarios", "--trust", "base", "--json", "run.json"];
    akit(&ran, &run).env("DEPLOY_SECRET", "s3cret-value").run().ended(0);
    assert_eq!(server.asked()[0].last_message(), "s3cret-value");
    assert!(ran.read("run.json").contains("s3cret-value"));
}

//! `akit import promptfoo`: its messages and its output, which replaces no file.

use super::Akit;

const SUITE: &str = "prompts: ['Say {{word}}']
providers: [openai:gpt-4o-mini]
tests:
  - description: Says it
    vars: { word: yes }
    assert:
      - { type: icontains, value: '{{word}}' }
      - type: python
        value: len(output) < 9
";

#[test]
fn an_imported_suite_is_written_and_loads() {
    let ran = Akit::new(&["import", "promptfoo", "promptfooconfig.yaml", "-o", "scenarios/suite.yaml"])
        .file("promptfooconfig.yaml", SUITE)
        .run()
        .ended(0)
        .err("1 of 2 assertions mapped")
        .err("--> promptfooconfig.yaml:8:9")
        .err("`python` was not imported: akit does not run code")
        .err("help: use `inline`, `regex`");
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.read("scenarios/suite.yaml"), @r#"
    # yaml-language-server: $schema=scenario.schema.json
    # From promptfooconfig.yaml; 1 of 2 assertions imported.
    provider: openai
    model: gpt-4o-mini
    cases:
      - id: says-it
        # promptfooconfig.yaml:8:9: not imported: akit does not run code; instead: use `inline`, `regex`, `json_schema` or `llm_grader`
        #   type: python
        #   value: "len(output) < 9"
        name: Says it
        variables:
          word: "yes"
        prompt: "Say {{word}}"
        expected:
          type: contains
          values:
            - "{{word}}"
    "#);
    ran.then(&["validate"]).run().ended(0).out("1 file with 1 case: 0 errors, 0 warnings");
    ran.then(&["run", "scenarios/suite.yaml", "--replies", "r.jsonl"])
        .file("r.jsonl", super::replies::replies(&[("says-it", "Yes.")]))
        .run()
        .ended(0);
}

#[test]
fn without_a_file_the_scenario_goes_to_stdout() {
    for arguments in [&["import", "promptfoo", "c.yaml"][..], &["import", "promptfoo", "c.yaml", "-o", "-"]] {
        Akit::new(arguments).file("c.yaml", SUITE).run().ended(0).out("\ncases:\n  - id: says-it\n");
    }
}

#[test]
fn no_file_is_overwritten() {
    let ran = Akit::new(&["import", "promptfoo", "c.yaml", "-o", "s.yaml"])
        .file("c.yaml", SUITE)
        .file("s.yaml", "mine")
        .run()
        .ended(2)
        .err("`s.yaml` already exists");
    assert_eq!(ran.read("s.yaml"), "mine");
}

#[test]
fn an_unsupported_file_is_exit_code_two() {
    Akit::new(&["import", "promptfoo", "gone.yaml"]).run().ended(2).err("cannot read `gone.yaml`");
    let ran = Akit::new(&["import", "promptfoo", "c.yaml", "-o", "s.yaml"])
        .file("c.yaml", "prompts: [a]\ntests:\n  - assert:\n      - type: ruby\n")
        .run()
        .ended(2)
        .err("no case of `c.yaml` could be imported")
        .err("c.yaml:4:9");
    assert!(!ran.path("s.yaml").exists());
}

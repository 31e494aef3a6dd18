//! `akit init`: what it writes runs as it says, and what was there stays.

use super::Akit;
use super::akit::Ran;

/// The commands that come next, without their `akit`.
fn next(ran: &Ran) -> Vec<Vec<String>> {
    let lines = ran.stdout.lines().skip_while(|line| *line != "Next:");
    let commands = lines.filter_map(|line| line.trim().strip_prefix("akit "));
    commands.map(|command| command.split_whitespace().map(str::to_owned).collect()).collect()
}

fn then(ran: &Ran, command: &[String]) -> Akit {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    ran.then(&words)
}

#[test]
fn the_first_run_is_green_and_the_next_one_red() {
    let ran = Akit::new(&["init", "--forge", "github"]).run().ended(0).out("wrote  scenarios/first.yaml");
    for name in ["akit.yaml", "scenarios/scenario.schema.json", ".github/workflows/akit.yml"] {
        assert!(ran.stdout.contains(&format!("wrote  {name}\n")), "{name}\n{}", ran.stdout);
    }
    ran.then(&["validate"]).run().ended(0).out("1 file with 3 cases: 0 errors, 0 warnings");
    ran.then(&["run"]).run().ended(0).out("RESULT: PASS");
    let commands = next(&ran);
    assert_eq!(commands.len(), 3, "{}", ran.stdout);
    then(&ran, &commands[0]).run().ended(0).out("RESULT: PASS");
    then(&ran, &commands[1]).run().ended(1).out("RESULT: FAIL").out("wants-a-person");
    then(&ran, &commands[2]).run().ended(2).err("OPENAI_API_KEY");
    let schema: serde_json::Value = ran.json("scenarios/scenario.schema.json");
    assert_eq!(schema["title"], "akit scenario");
    assert!(
        ran.read("scenarios/first.yaml")
            .starts_with("# yaml-language-server: $schema=scenario.schema.json\n")
    );
}

#[test]
fn a_second_time_nothing_changes() {
    let first = Akit::new(&["init", "--model", "a: #b", "--provider", "ollama"]).run().ended(0);
    assert!(first.read("akit.yaml").contains("model: \"a: #b\"\n"), "{}", first.read("akit.yaml"));
    let again = first.then(&["init"]).file("scenarios/replies/good.jsonl", "mine").run().ended(0);
    assert!(!again.stdout.contains("wrote"), "{}", again.stdout);
    assert!(
        again.stdout.contains("kept   scenarios/first.yaml, which was there already"),
        "{}",
        again.stdout
    );
    assert_eq!(again.read("scenarios/replies/good.jsonl"), "mine");
    first.then(&["init", "--forge", "gitlab"]).run().ended(0).out("wrote  .gitlab-ci.yml");
}

#[test]
fn the_forge_is_that_of_the_remote_and_an_existing_pipeline_is_not_touched() {
    let ran = Akit::new(&["init", "apps/bot"])
        .file(".git/config", "[remote \"origin\"]\n\turl = git@gitlab.example.com:a/b.git\n")
        .file(".gitlab-ci.yml", "stages: [test]\n")
        .run()
        .ended(0)
        .out("kept   .gitlab-ci.yml, which was there already")
        .out("scenarios: apps/bot/scenarios")
        .out("akit run apps/bot/scenarios/first.yaml");
    assert_eq!(ran.read(".gitlab-ci.yml"), "stages: [test]\n");
    let github = Akit::new(&["init"]).file(".github/x.md", "").run().ended(0);
    let workflow = github.read(".github/workflows/akit.yml");
    let version = format!("akit@v{} #", env!("CARGO_PKG_VERSION"));
    for part in [version.as_str(), "permissions: {}\n", "pull-requests: write", "scenarios: scenarios\n"] {
        assert!(workflow.contains(part), "{part}\n{workflow}");
    }
    Akit::new(&["init"]).run().ended(0).out("akit init --forge github");
}

#[test]
fn an_existing_configuration_and_suite_are_used_as_they_are() {
    let ran = Akit::new(&["init", "--yes"])
        .file("artemis.config.yaml", "provider: openai\nmodel: gpt-4o\nscenariosDir: ./evals\n")
        .file("evals/own.yaml", super::replies::suite(&["a"]))
        .run()
        .ended(0)
        .out("reads  artemis.config.yaml")
        .out("akit validate");
    assert!(!ran.path("akit.yaml").exists() && !ran.path("evals/first.yaml").exists(), "{}", ran.stdout);
    assert!(ran.path("evals/scenario.schema.json").exists(), "{}", ran.stdout);
    for command in next(&ran).iter().take(1) {
        then(&ran, command).run().ended(0);
    }
}

#[test]
fn a_promptfoo_suite_is_named_or_imported() {
    let suite = "prompts: [hi]\nproviders: [openai:gpt-4o]\ntests: [{ assert: [{ type: icontains, value: hello }] }]\n";
    let ran = Akit::new(&["init"]).file("promptfooconfig.yaml", suite).run().ended(0);
    let command = next(&ran).into_iter().find(|command| command[0] == "import").unwrap();
    then(&ran, &command).run().ended(0).err("1 of 1 assertion mapped");
    ran.then(&["validate"]).run().ended(0).out("2 files with 4 cases");
    let ran = Akit::new(&["init", "--import"]).file("promptfooconfig.yaml", suite).run().ended(0);
    assert!(ran.read("scenarios/promptfoo.yaml").contains("hello"));
    let none = Akit::new(&["init", "--import"]).run().ended(2).err("there is no promptfooconfig.yaml");
    assert!(!none.path("akit.yaml").exists());
}

#[test]
fn nothing_is_written_where_something_cannot_be() {
    let ran = Akit::new(&["init"]).file("scenarios/replies", "a file").run().ended(2).err("cannot write");
    assert!(!ran.path("akit.yaml").exists() && !ran.path("scenarios/first.yaml").exists());
    let ran = Akit::new(&["init"]).file("akit.yaml", "gaet: {}\n").run().ended(2).err("gaet");
    assert!(!ran.path("scenarios").exists());
}

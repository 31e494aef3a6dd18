//! `akit init`: the files it writes work, and existing files stay.

use super::akit::Ran;
use super::server::Server;
use super::{Akit, bot};

/// The commands printed as next steps, without `akit`.
fn next(ran: &Ran) -> Vec<Vec<String>> {
    let lines = ran.stdout.lines().skip_while(|line| *line != "Next:");
    let commands = lines.filter_map(|line| line.trim().strip_prefix("akit ")?.split("  # ").next());
    commands.map(|command| command.split_whitespace().map(str::to_owned).collect()).collect()
}

fn then(ran: &Ran, command: &[String]) -> Akit {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    ran.then(&words)
}

#[test]
fn the_first_run_passes_and_the_next_one_fails() {
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
    let ran = ran
        .out("\n  1. See ")
        .out("\n  2. Test your application (set OPENAI_API_KEY first).\n")
        .out("\n  3. Commit and push.");
    let ran = ran.out("It needs the secret OPENAI_API_KEY").out("It needs `akit` on the PATH of the runner");
    let schema: serde_json::Value = ran.json("scenarios/scenario.schema.json");
    assert_eq!(schema["title"], "akit scenario");
    assert!(
        ran.read("scenarios/first.yaml")
            .starts_with("# yaml-language-server: $schema=scenario.schema.json\n")
    );
}

#[test]
fn a_second_init_changes_nothing() {
    let first = Akit::new(&["init", "--model", "a: #b", "--provider", "ollama"]).run().ended(0);
    assert!(first.read("akit.yaml").contains("model: \"a: #b\"\n"), "{}", first.read("akit.yaml"));
    let again = first.then(&["init"]).file("scenarios/replies/good.jsonl", "mine").run().ended(0);
    assert!(!again.stdout.contains("wrote"), "{}", again.stdout);
    assert!(again.stdout.contains("kept   scenarios/first.yaml, which already exists"), "{}", again.stdout);
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
        .out("kept   .gitlab-ci.yml, which already exists")
        .out("- akit run apps/bot/scenarios --trust base --baseline git-ref:main ")
        .out("- akit baseline update akit-run.json --baseline git-ref:main")
        .out("akit run apps/bot/scenarios/first.yaml");
    assert_eq!(ran.read(".gitlab-ci.yml"), "stages: [test]\n");
    let github = Akit::new(&["init"]).file(".github/x.md", "").run().ended(0);
    let workflow = github.read(".github/workflows/akit.yml");
    for part in [
        "    branches: [main]\n",
        "permissions: {}\n",
        "pull-requests: write",
        "akit run scenarios --trust base --baseline git-ref:main --comment",
        "akit baseline update akit-run.json --baseline git-ref:main\n",
        "OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}",
    ] {
        assert!(workflow.contains(part), "{part}\n{workflow}");
    }
    assert!(!workflow.contains("OWNER"), "{workflow}");
    let other = Akit::new(&["init"])
        .file(".github/x.md", "")
        .file(".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/release/next\n")
        .run()
        .ended(0);
    assert!(other.read(".github/workflows/akit.yml").contains("branches: [release/next]\n"));
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
    assert!(!ran.stdout.contains("judge"), "{}", ran.stdout);
    // Where an imported case needs a judge, the step says so; unless there is one.
    let judged = suite.replace("icontains, value: hello", "llm-rubric, value: is kind");
    let init = || Akit::new(&["init", "--import"]).file("promptfooconfig.yaml", judged.clone());
    init()
        .run()
        .ended(0)
        .out("first). Imported cases need a judge: set `grader:` in akit.yaml first.\n     akit run");
    let named = "provider: openai\nmodel: m\ngrader: { provider: openai, model: n }\n";
    let named = init().file("akit.yaml", named).run().ended(0);
    assert!(!named.stdout.contains("judge"), "{}", named.stdout);
    let none = Akit::new(&["init", "--import"]).run().ended(2).err("there is no promptfooconfig.yaml");
    assert!(!none.path("akit.yaml").exists());
}

#[test]
fn nothing_is_written_if_one_file_cannot_be() {
    let ran = Akit::new(&["init"]).file("scenarios/replies", "a file").run().ended(2).err("cannot write");
    assert!(!ran.path("akit.yaml").exists() && !ran.path("scenarios/first.yaml").exists());
    let ran = Akit::new(&["init"]).file("akit.yaml", "gaet: {}\n").run().ended(2).err("gaet");
    assert!(!ran.path("scenarios").exists());
}

/// For your own application, the files work as written; otherwise the vendor is the one whose API key is set.
#[test]
fn an_endpoint_a_program_or_the_vendor_whose_key_is_set() {
    let server = Server::plain(|asked| {
        let text = match asked.body["message"].as_str().unwrap() {
            text if text.contains("JSON") => "{\"topic\": \"delivery\", \"urgent\": false}",
            text if text.contains("human") => "A colleague takes this chat.",
            _ => "Within 30 days, with the receipt.",
        };
        bot::json(serde_json::json!({ "answer": text }))
    });
    let url = server.url.replace("/v1", "/chat");
    let ran = Akit::new(&["init", "--url", &url, "--forge", "gitlab"]).run().ended(0);
    let commands = next(&ran);
    then(&ran, &commands[2]).run().ended(0).out("3 passed, 0 failed").out("0 skipped; took ");
    assert!(ran.read(".gitlab-ci.yml").contains("Start your application here"));
    assert!(!ran.stdout.contains("secret") && !ran.stdout.contains("variable"), "{}", ran.stdout);

    let bot = "read -r question; echo \"A colleague, within 30 days and with the receipt.\"\n";
    let ran = Akit::new(&["init", "--command", "sh bot.sh"]).file("bot.sh", bot).run().ended(0);
    then(&ran, &next(&ran)[2]).run().ended(1).out("2 passed, 1 failed").out("structured");

    let ran = Akit::new(&["init"]).env("ANTHROPIC_API_KEY", "sk-secret").run().ended(0);
    assert!(
        ran.read("akit.yaml").contains("provider: anthropic\nmodel: claude"),
        "{}",
        ran.read("akit.yaml")
    );
    assert!(!ran.stdout.contains("sk-secret"));
    let _ = ran.out("Test your application (ANTHROPIC_API_KEY is set).");
}

#[test]
fn output_of_runs_is_ignored_once() {
    let ran =
        Akit::new(&["init"]).file(".git/HEAD", "ref: refs/heads/main\n").file(".gitignore", "/target").run();
    let ran = ran.ended(0).out("added  .akit/ to .gitignore");
    assert_eq!(ran.read(".gitignore"), "/target\n.akit/\n");
    let again = ran.then(&["init"]).run().ended(0);
    assert_eq!(again.read(".gitignore"), "/target\n.akit/\n");
    assert!(!again.stdout.contains("added"), "{}", again.stdout);
    let without = Akit::new(&["init"]).run().ended(0);
    assert!(!without.path(".gitignore").exists());
}

//! `provider: command`: an application that runs as a program.

#![cfg(unix)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value as Json;

use super::Akit;
use super::akit::{Ran, repository};
use super::fixtures;
use super::server::{Answer, Server, wait_until};
use super::signal::{end, send_twice};
use super::trust_base::{base, change};
use super::weakening::akit;

const SUITE: &str =
    "name: s\ncases:\n  - { id: a, prompt: I want a refund, expected: { type: contains, values: [good] } }\n";

/// What a program prints for this input.
pub(crate) fn piped(program: &Path, arguments: &[&str], input: &str) -> String {
    let mut child =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// Runs a shell script as the application, with the tests' own PATH.
pub(crate) fn shell(script: &str, keys: &str) -> Akit {
    let suite = format!(
        "name: s\nprovider: command\nproviderConfig:\n  command: [sh, bot.sh]\n{keys}{}",
        SUITE.trim_start_matches("name: s\n")
    );
    Akit::new(&["run", "s.yaml", "--json", "run.json"])
        .env("PATH", &std::env::var("PATH").unwrap())
        .file("s.yaml", suite)
        .file("bot.sh", script)
}

pub(crate) fn fault(ran: &Ran) -> [String; 3] {
    let fault = ran.json("run.json")["cases"][0]["trials"][0]["fault"].clone();
    ["kind", "message", "help"].map(|key| fault[key].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_question_goes_in_and_an_answer_comes_out() {
    let ran = shell("echo \"good: $(cat)\"", "").run().ended(0);
    assert!(ran.read("run.json").contains("good: I want a refund"));
    // Arguments do not go through a shell.
    let arguments = [
        "-p",
        "command",
        "--",
        "sh",
        "-c",
        "cat >/dev/null; printf '%s|' good \"$@\"",
        "x",
        "$HOME",
        "a b",
        "*",
    ];
    let akit = Akit::new(&["run", "s.yaml", "--json", "run.json"]).args(&arguments);
    let ran = akit.env("PATH", &std::env::var("PATH").unwrap()).file("s.yaml", SUITE).run().ended(0);
    assert!(ran.read("run.json").contains("good|$HOME|a b|*|"), "{}", ran.read("run.json"));
    let keys = "  input: json\n  answer: /said/text\n  tools: /calls\n  state: /handoff\n";
    let script = "read line; cat >/dev/null; printf '%s' \"$line\" > seen.json; printf '{\"said\": {\"text\": \"good\"}, \"calls\": [{\"name\": \"transfer\"}], \"handoff\": {\"accepted\": true}}'";
    let ran = shell(script, keys).run().ended(0);
    let seen = ran.json("seen.json");
    assert_eq!(
        (&seen["prompt"], &seen["turn"], &seen["trial"]),
        (&Json::from("I want a refund"), &1.into(), &0.into())
    );
    assert_eq!(
        (seen["messages"].as_array().unwrap().len(), seen["conversation_id"].as_str().unwrap().len()),
        (1, 36)
    );
    assert!(
        ran.read("run.json").contains("\"transfer\"") && ran.read("run.json").contains("\"accepted\": true")
    );
    let ran = shell("echo '{\"answer\": \"good\"}'", "  input: json\n").run().ended(0);
    // A replay sends nothing, and a different command is a different application.
    std::fs::remove_file(ran.path("bot.sh")).unwrap();
    ran.then(&["run", "s.yaml", "--replay"]).run().ended(5).out("1 passed").out("not-asked");
    let other = ran.read("s.yaml").replace("[sh, bot.sh]", "[sh, bot.sh, --new]");
    ran.then(&["run", "s.yaml", "--replay"]).file("s.yaml", other).run().ended(4).out("options.command");
}

#[test]
fn a_program_gets_only_the_environment_that_it_is_given() {
    let script = "cat >/dev/null; echo good; env | cut -d= -f1 | grep -v -e '^_$' -e PWD -e SHLVL -e OLDPWD | sort | tr '\\n' ' '";
    let env =
        |akit: Akit| akit.env("HOME", "/h").env("OPENAI_API_KEY", "sk-secret-123456").env("BOT_MODE", "kind");
    let ran = env(shell(script, "  env: [BOT_MODE, NOT_SET]\n")).run().ended(0);
    let said = ran.read("run.json");
    assert!(said.contains("good\\nBOT_MODE HOME PATH"), "{said}");
    // Its error output is shown without the secrets it received.
    let script = "cat >/dev/null; echo \"key $BOT_KEY is wrong \\033[31m::error::x\" >&2; exit 7";
    let ran = shell(script, "  env: [BOT_KEY]\n").env("BOT_KEY", "sk-secret-123456").run().ended(4);
    let [kind, message, help] = fault(&ran);
    assert_eq!(kind, "command-failed");
    assert!(message.contains("exit code 7") && message.contains("key *** is wrong"), "{message}");
    assert!(help.contains("`command` (s.yaml:4:3)"), "{help}");
    let shown = format!("{}{}{}", ran.stdout, ran.stderr, ran.read("run.json"));
    assert!(!shown.contains("sk-secret") && !ran.stdout.contains('\u{1b}'), "{shown}");
}

#[test]
fn every_fault_of_a_program_is_an_error_with_its_kind_and_its_key() {
    let table = [
        (
            "cat >/dev/null; exit 3",
            "",
            "command-failed",
            "exit code 3; nothing on stderr",
            "`command` (s.yaml:4:3)",
        ),
        ("kill -9 $$", "", "command-failed", "ended by a signal", "`command`"),
        ("cat >/dev/null", "", "malformed-answer", "it printed nothing", "`command` (s.yaml:4:3)"),
        (
            "cat >/dev/null; echo log; echo '{\"answer\": \"good\"}'",
            "  input: json\n",
            "malformed-answer",
            "it is not JSON (column 1); it begins \"log",
            "logs to stderr",
        ),
        (
            "cat >/dev/null; echo '{\"reply\": \"good\"}'",
            "  input: json\n",
            "malformed-answer",
            "no text at `/answer`",
            "strings are at `/reply`",
        ),
        (
            "cat >/dev/null; echo '{\"reply\": \"good\"}'",
            "  answer: /nope\n",
            "malformed-answer",
            "no text at `/nope`",
            "`answer` (s.yaml:5:3)",
        ),
        ("cat >/dev/null; printf '\\377'", "", "malformed-answer", "invalid UTF-8 at byte 0", "`command`"),
        (
            "cat >/dev/null; yes | head -c 40000000",
            "",
            "command-failed",
            "it printed more than 32 MiB",
            "`command`",
        ),
    ];
    for (script, keys, kind, words, help) in table {
        let ran = shell(script, keys).run().ended(4);
        let [found, message, way] = fault(&ran);
        assert_eq!(found, kind, "{script}: {message}");
        assert!(message.contains(words), "{script}: {words} in {message}");
        assert!(way.contains(help), "{script}: {help} in {way}");
    }
    let akit = Akit::new(&["run", "s.yaml", "--json", "run.json", "-p", "command", "--", "./none"]);
    let ran = akit.file("s.yaml", SUITE).run().ended(4);
    let [kind, message, help] = fault(&ran);
    assert!(
        kind == "command-failed" && message.contains("./none") && message.contains("cannot start: "),
        "{message}"
    );
    assert!(help.contains("after `--`"), "{help}");
}

#[test]
fn a_mistake_in_a_command_is_reported_before_it_runs() {
    let history =
        "prompt: [{ role: user, content: a }, { role: assistant, content: b }, { role: user, content: c }]";
    let table = [
        ("  command: []\n".to_owned(), "`command` has no program"),
        ("  command: [./bot, \"--key=${BOT_KEY}\"]\n".to_owned(), "other users can see arguments"),
        (
            "  command: [./bot]\n  input: text\n  persistent: true\n".to_owned(),
            "`input: text` does not work with `persistent: true`",
        ),
        ("  command: [./bot]\n  apiKey: abc\n".to_owned(), "list that variable under `env`"),
        ("  command: [./bot]\n  url: http://127.0.0.1\n".to_owned(), "`url` is a key of provider `http`"),
        ("  input: json\n".to_owned(), "provider `command` has no `command`"),
        (
            format!(
                "  command: [./bot]\ncases: [{{ id: h, {history}, expected: {{ type: exact, value: a }} }}]\n"
            ),
            "set `input: json`",
        ),
    ];
    for (keys, words) in table {
        let rest = if keys.contains("cases:") { "" } else { SUITE.trim_start_matches("name: s\n") };
        let suite = format!("name: s\nprovider: command\nproviderConfig:\n{keys}{rest}");
        Akit::new(&["run", "s.yaml"])
            .env("BOT_KEY", "secret-key")
            .file("s.yaml", suite)
            .run()
            .ended(2)
            .err(words);
    }
    Akit::new(&["run", "s.yaml", "-p", "openai", "-m", "m", "--", "./bot"])
        .file("s.yaml", SUITE)
        .run()
        .ended(2)
        .err("add `-p command`");
}

#[test]
fn arguments_after_two_hyphens_are_the_program_unless_they_can_only_be_scenarios() {
    let path = std::env::var("PATH").unwrap();
    let run = |provider: &str, arguments: &[&str]| {
        let suite =
            format!("name: s\nprovider: {provider}\nmodel: m\n{}", SUITE.trim_start_matches("name: s\n"));
        let akit = Akit::new(&["run"]).args(arguments).env("PATH", &path);
        akit.file("suites/s.yaml", suite).file("akit.yaml", "scenariosDir: suites\n").run()
    };
    // The flag or the file makes the arguments a command.
    for arguments in [
        &["-p", "command", "--", "echo", "good"][..],
        &["suites", "-p", "command", "--", "echo", "good"],
        &["suites/s.yaml", "--", "echo", "good"],
        &["--", "echo", "good"],
    ] {
        run("command", arguments).ended(0).out("1 passed");
    }
    // Even if the program is named like a scenario.
    let ran = run("command", &["-p", "command", "--", "suites/s.yaml"]).ended(4);
    assert!(ran.stdout.contains("suites/s.yaml failed: cannot start: "), "{}", ran.stdout);
    // No program runs for another provider, and its arguments are not taken for scenarios.
    for arguments in [&["--", "echo", "good"][..], &["suites", "--", "suites/s.yaml"]] {
        run("openai", arguments).ended(2).err("`--` names a program").err("add `-p command`");
    }
    // After files and folders with scenarios, `--` ends the flags, as usual.
    for name in ["suites/s.yaml", "suites"] {
        run("command", &["--", name])
            .ended(2)
            .err("provider `command` has no `command`")
            .err("suites/s.yaml:2");
    }
}

#[test]
fn a_program_and_its_children_end_at_the_timeout_and_with_the_run() {
    // The grandchild would survive and write `late`.
    let script = "(sleep 3; echo alive > late) & echo $$ > started; sleep 60";
    let began = Instant::now();
    let ran = shell(script, "  timeout: 300\n  maxRetries: 0\n").run().ended(4);
    assert_eq!(fault(&ran)[0], "timeout");
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    let leader = ran.read("started");
    wait_until(|| !lives(leader.trim()));
    let bot = shell(script, "");
    let child = bot.command().spawn().unwrap();
    wait_until(|| bot.folder().join("started").exists());
    let leader = std::fs::read_to_string(bot.folder().join("started")).unwrap();
    send_twice(&child, "-INT");
    let output = end(child);
    let ran = bot.ran(output).ended(130);
    wait_until(|| !lives(leader.trim()));
    assert!(!ran.path("late").exists(), "a child of the program is still running");
    // A program that exits takes its children along; they would keep its output open.
    let ran = shell("cat >/dev/null; (sleep 60; echo late) & echo good", "").run().ended(0);
    assert!(began.elapsed().as_secs() < 30);
    drop(ran);
}

/// Whether a process with this id is running and not a zombie.
fn lives(number: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", number]).output();
    output.is_ok_and(|output| {
        let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        !state.is_empty() && !state.starts_with('Z')
    })
}

#[test]
fn a_persistent_program_answers_one_line_after_the_other_and_is_replaced_when_it_crashes() {
    let script = "echo $$ >> pids
while read -r line; do
  case $line in
    *crash*) echo 'out of memory' >&2; exit 9 ;;
    *) printf '{\"answer\": \"good %s\"}\\n' $$ ;;
  esac
done
";
    let case = |prompt| {
        format!("  - {{ id: {prompt}, prompt: {prompt}, expected: {{ type: contains, values: [good] }} }}\n")
    };
    let cases = ["one", "two", "crash", "three", "four"].map(case).concat();
    let suite = format!(
        "name: s\nprovider: command\nproviderConfig: {{ command: [sh, bot.sh], persistent: true }}\ncases:\n{cases}"
    );
    let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "-c", "1", "--cache", "off"])
        .env("PATH", &std::env::var("PATH").unwrap())
        .file("s.yaml", &suite)
        .file("bot.sh", script)
        .run();
    let run = ran.json("run.json");
    let outcomes: Vec<_> = run["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["passed", "passed", "errored", "passed", "passed"], "{}", ran.stdout);
    let fault = &run["cases"][2]["trials"][0]["fault"];
    assert!(fault["message"].as_str().unwrap().contains("exit code 9; stderr: out of memory"), "{fault}");
    let pids = ran.read("pids");
    let started = pids.lines().count();
    assert!((1..=2).contains(&started), "one process, and another one after the crash: {pids}");
    pids.lines().for_each(|pid| wait_until(|| !lives(pid)));
}

/// The suite of the README through the program of `fixtures/bot`.
#[test]
fn the_customer_service_suite_runs_through_a_command() {
    let bot = repository().join("fixtures/bot/bot.sh").display().to_string();
    let keys = "providers: { command: { input: json } }\n";
    let ran = fixtures::with_bot(keys, &["-p", "command", "--", &bot, "--json"]).run().ended(0);
    ran.out("9 passed, 0 failed, 0 errored");
    let keys = "providers: { command: { persistent: true } }\n";
    fixtures::with_bot(keys, &["-p", "command", "--", &bot, "--json"]).run().ended(0).out("9 passed");
}

#[test]
fn a_command_that_only_a_change_names_is_not_run() {
    let scenario = |command: &str, more: &str| {
        format!(
            "name: s\nprovider: command\nproviderConfig: {{ command: {command}{more} }}\ncases: [{{ id: a, prompt: q, expected: {{ type: contains, values: [good] }} }}]\n"
        )
    };
    let config = "providers: { command: { command: [sh, bot.sh], env: [BOT_MODE] } }\n".to_owned();
    let bot = "cat >/dev/null; touch ran; echo good".to_owned();
    let start = vec![
        ("scenarios/s.yaml", scenario("[sh, bot.sh]", "")),
        ("akit.yaml", config.clone()),
        ("bot.sh", bot.clone()),
        ("evil.sh", bot.clone()),
    ];
    let ran = base(&start);
    let trusting = |who: &str, flags: &[&str]| {
        let _ = std::fs::remove_file(ran.path("ran"));
        akit(&ran, &["run", "scenarios", "--trust", who])
            .env("PATH", &std::env::var("PATH").unwrap())
            .args(flags)
    };
    let has_run = || ran.path("ran").exists();
    // The base's own command runs, even if the change repeats it.
    trusting("base", &[]).run().ended(0);
    assert!(has_run());
    change(&ran, &[("scenarios/s.yaml", scenario("[sh, evil.sh]", ""))]);
    trusting("base", &[])
        .run()
        .ended(2)
        .err("command not run: it comes from an unmerged change")
        .err("scenarios/s.yaml:3");
    assert!(!has_run());
    trusting("head", &[]).run().ended(0);
    assert!(has_run());
    // The pipeline controls the command line.
    trusting("base", &["-p", "command", "--", "sh", "evil.sh"]).run().ended(0);
    // The change's configuration has no effect, and its variables are not passed on.
    change(&ran, &[("scenarios/s.yaml", scenario("[sh, bot.sh]", ", env: [OPENAI_API_KEY]"))]);
    trusting("base", &[]).run().ended(2).err("`OPENAI_API_KEY` is not passed to the command");
    change(
        &ran,
        &[
            ("scenarios/s.yaml", scenario("[sh, evil.sh]", "")),
            ("akit.yaml", config.replace("bot.sh", "evil.sh")),
        ],
    );
    trusting("base", &[]).run().ended(2).err("it comes from an unmerged change");
    assert!(!has_run());
    // The same holds for a command that prints the application's version.
    let version = format!("{config}target: {{ version: {{ command: [sh, evil.sh] }} }}\n");
    change(&ran, &[("scenarios/s.yaml", scenario("[sh, bot.sh]", "")), ("akit.yaml", version)]);
    trusting("base", &[])
        .run()
        .ended(2)
        .err("command for `target.version` not run: it comes from an unmerged change");
    trusting("base", &["--target-version", "7"]).run().ended(0);
    // A base without akit allows no command.
    let ran = base(&[("README.md", "x".to_owned())]);
    change(&ran, &start);
    let first =
        akit(&ran, &["run", "scenarios", "--trust", "base"]).env("PATH", &std::env::var("PATH").unwrap());
    first.run().ended(2).err("it comes from an unmerged change");
    assert!(!ran.path("ran").exists());
}

#[test]
fn programs_that_a_change_can_edit_print_no_keys() {
    let server = Server::start(|_| Answer::Text("good".to_owned()));
    let suite =
        "name: s\nmodel: m\ncases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let config = |key: &str| format!("providers: {{ openai: {{ baseUrl: \"{}\", {key} }} }}\n", server.url);
    let script = |word: &str| format!("touch ran\nprintf sk-{word}-0123456789\n");
    let run = |ran: &Ran| {
        let akit = akit(ran, &["run", "scenarios", "--trust", "base", "--cache", "off"]);
        akit.env("PATH", &std::env::var("PATH").unwrap()).run()
    };
    for key in ["[sh, key.sh]", "[sh, ./key.sh]", "[sh, -c, \". ./key.sh\"]", "[sh, -c, \"sh<key.sh\"]"] {
        let config = config(&format!("apiKeyCommand: {key}"));
        let start =
            [("scenarios/s.yaml", suite.to_owned()), ("akit.yaml", config), ("key.sh", script("base"))];
        let ran = base(&start);
        change(&ran, &[("key.sh", script("evil"))]);
        run(&ran).ended(2).err("which the change may have edited").err("akit.yaml at ");
        assert!(!ran.path("ran").exists(), "{key}");
    }
    // A base without akit allows no variable with a key.
    for key in ["apiKeyCommand: [sh, key.sh]", "apiKeyCommand: [printf, sk-evil]", "apiKeyFile: key.sh"] {
        let ran = base(&[("README.md", "x".to_owned())]);
        let files =
            [("scenarios/s.yaml", suite.to_owned()), ("akit.yaml", config(key)), ("key.sh", script("evil"))];
        change(&ran, &files);
        run(&ran).ended(2);
        assert!(!ran.path("ran").exists(), "{key}");
    }
    // A base that names a key keeps it, whatever the change says about application or judge.
    let kept = format!("{}grader: {{ model: j }}\n", config("apiKeyCommand: [\"false\"]"));
    for key in ["apiKeyCommand: [touch, ran]", "apiKeyFile: key.sh"] {
        let other = config(key) + &format!("grader: {{ model: j, {key} }}\n");
        let ran = base(&[("scenarios/s.yaml", suite.to_owned()), ("akit.yaml", kept.clone())]);
        change(&ran, &[("akit.yaml", other), ("key.sh", script("evil"))]);
        run(&ran).ended(2).err("cannot get the key from `apiKeyCommand` (`false`)");
        assert!(!ran.path("ran").exists(), "{key}");
    }
    assert!(server.asked().is_empty());
    // A program installed on the machine does not come from the change.
    let program = config("apiKeyCommand: [printf, sk-base-0123456789]");
    let ran =
        base(&[("scenarios/s.yaml", suite.to_owned()), ("akit.yaml", program), ("key.sh", script("a"))]);
    change(&ran, &[("key.sh", script("evil"))]);
    run(&ran).ended(0);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_version_comes_from_a_command() {
    let suite = "cases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let path = std::env::var("PATH").unwrap();
    let akit = |version: &str, more: &[&str]| {
        let config = format!(
            "provider: command\nproviders: {{ command: {{ command: [echo, good] }} }}\ntarget: {{ version: {version} }}\n"
        );
        Akit::new(&["run", "s.yaml", "--json", "run.json"])
            .args(more)
            .env("PATH", &path)
            .file("s.yaml", suite)
            .file("akit.yaml", config)
    };
    let ran = akit("{ command: [echo, \" abc123 \"] }", &[]).run().ended(0);
    assert_eq!(ran.json("run.json")["scenarios"][0]["version"], "abc123");
    ran.then(&["run", "s.yaml", "--replay"]).env("PATH", &path).run().ended(0);
    // A flag takes precedence, and the command does not run.
    let ran = akit("{ command: [sh, -c, \"touch ran; exit 1\"] }", &["--target-version", "7"]).run().ended(0);
    assert!(ran.json("run.json")["scenarios"][0]["version"] == "7" && !ran.path("ran").exists());
    for (version, words) in [
        ("{ command: [sh, -c, \"echo no repository >&2; exit 128\"] }", "exit code 128: no repository"),
        ("{ command: [./none] }", "cannot start it"),
        ("{ command: [\"true\"] }", "it printed nothing"),
        ("{ command: [printf, 'a\\nb'] }", "it printed more than one version: \"a⏎b\""),
        ("{ command: [] }", "`command` names no program"),
        ("{ comand: [a] }", "did you mean `command`?"),
        ("7", "put it in quotes: \"7\""),
        ("[a]", "`version` must be text or a mapping with `command`"),
    ] {
        let ran = akit(version, &[]).run().ended(2).err(words);
        assert!(ran.stderr.contains("akit.yaml:3"), "{version}: {}", ran.stderr);
    }
}

//! The command line itself: help, version, wrong usage, and exit codes as documented.

use super::Akit;
use super::akit::repository;

#[test]
fn help_and_version_go_to_stdout_and_succeed() {
    let short = Akit::new(&["-h"]).run().ended(0).out("Exit codes:").out("Usage: akit <COMMAND>");
    Akit::new(&["--help"]).run().ended(0).out("Release gate for LLM applications");
    Akit::new(&["help"]).run().ended(0).out("Usage: akit <COMMAND>");
    assert_eq!(short.stderr, "");
    let version = format!("akit {}\n", env!("CARGO_PKG_VERSION"));
    for flag in ["--version", "-V"] {
        let ran = Akit::new(&[flag]).run().ended(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (version.as_str(), ""));
    }
}

#[test]
fn v_is_verbose_and_not_the_version() {
    Akit::new(&["-v"]).run().ended(2).err("unexpected argument '-v'");
    let ran = Akit::new(&["run", "-v", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", super::replies::suite(&["a"]))
        .file("r.jsonl", super::replies::replies(&[("a", "a")]))
        .run()
        .ended(0)
        .err("passed s/a");
    assert!(!ran.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", ran.stdout);
}

#[test]
fn wrong_usage_is_reported_on_stderr_with_exit_code_two() {
    for (arguments, expected) in [
        (&[][..], "Usage: akit <COMMAND>"),
        (&["rnu"], "error: unknown command `akit rnu`\nhelp: did you mean `akit run`?"),
        (&["baseline", "updat"], "help: did you mean `akit baseline update`?"),
        (&["baseline", "frobnicate"], "help: run `akit baseline --help` for the list of commands"),
        (&["run", "--colour"], "unexpected argument '--colour'"),
        (&["run", "--model"], "a value is required"),
        (&["run", "-c", "many"], "--concurrency: `many` is not a whole number"),
        (&["run", "--json"], "a value is required"),
        (&["baseline"], "Usage: akit baseline <COMMAND>"),
        (&["baseline", "update"], "required arguments"),
        (&["schema", "extra"], "unexpected argument 'extra'"),
        (&["run", "--case", "a", "--fail-fast", "--fail-fast"], "cannot be used multiple times"),
    ] {
        let ran = Akit::new(arguments).run().ended(2).err(expected);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

#[test]
fn the_documented_exit_codes_are_those_of_the_program() {
    let page = std::fs::read_to_string(repository().join("docs/exit-codes.md")).unwrap();
    let documented: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|(code, _)| code.parse::<u8>().is_ok())
        .map(|(code, meaning)| (code.to_owned(), meaning.to_owned()))
        .collect();
    let known: Vec<_> = akit::cli::Status::all().map(|(code, meaning)| (code.to_string(), meaning)).collect();
    assert_eq!(documented, known);
    let help = Akit::new(&["--help"]).run().stdout;
    for (code, meaning) in known {
        let line = format!("{code:>3}  {meaning}");
        assert!(help.contains(&line), "{line} in {help}");
    }
}

/// A command's flags, with their help texts.
fn flags(command: &[&str]) -> Vec<(String, String)> {
    let help = Akit::new(command).arg("--help").env("COLUMNS", "100").run().ended(0).stdout;
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let text = line.trim();
        if text.starts_with("--") || (text.starts_with('-') && text.get(2..4) == Some(", ")) {
            let name = text.split_whitespace().find(|word| word.starts_with("--")).unwrap_or(text);
            found.push((
                name.to_owned(),
                text.split_once("  ").map_or("", |(_, words)| words).trim().to_owned(),
            ));
        } else if let Some((_, words)) = found.last_mut()
            && words.is_empty()
        {
            text.clone_into(words);
        }
    }
    found
}

#[test]
fn every_flag_says_what_it_does() {
    for (command, least) in [
        (&["run"][..], 25),
        (&["plan"], 10),
        (&["regrade"], 20),
        (&["validate"], 4),
        (&["baseline", "update"], 1),
    ] {
        let flags = flags(command);
        assert!(flags.len() >= least, "{command:?}: {flags:?}");
        for (name, words) in flags {
            assert!(words.len() > 5, "{command:?} {name} has no help text");
        }
    }
}

#[test]
fn flags_exist_only_where_they_have_an_effect() {
    /// A command, flags that it has, and flags that it does not have.
    type Row<'a> = (&'a [&'a str], &'a [&'a [&'a str]], &'a [&'a [&'a str]]);
    let names = |command: &[&str]| flags(command).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let answers = ["--provider", "--model", "--base-url", "--replies"];
    let judges =
        ["--grader-model", "--timeout", "--retries", "--ca-bundle", "--cache", "--replay", "--redact"];
    let demands = ["--min-pass-rate", "--max-error-rate", "--fail-on", "--weakened-since", "--trust"];
    let proofs = ["--baseline", "--confirm", "--strict"];
    let soft = ["--soft-fail"];
    let cases = ["--tags", "--case", "--filter", "--sample", "--seed"];
    let table: &[Row<'_>] = &[
        (&["run"], &[&cases, &answers, &judges, &proofs, &demands, &soft], &[]),
        (&["gate"], &[&proofs, &demands, &soft], &[&cases, &answers, &judges]),
        (&["comment"], &[&proofs, &demands], &[&cases, &answers, &soft]),
        (&["report"], &[&["--baseline"]], &[&cases, &answers, &demands, &soft]),
        (&["plan"], &[&cases, &proofs], &[&answers, &judges, &demands, &soft]),
        (&["regrade"], &[&cases, &judges], &[&answers, &proofs, &demands, &soft]),
        (&["cache", "stats"], &[&cases, &answers, &judges], &[&proofs, &demands, &soft]),
    ];
    for (command, there, not_there) in table {
        let known = names(command);
        for (list, expected) in [(there, true), (not_there, false)] {
            for flag in list.iter().copied().flatten() {
                assert_eq!(known.iter().any(|one| one == flag), expected, "{command:?} {flag}");
            }
        }
    }
}

/// Groups and examples, also without colors. Names of earlier versions still work, but are hidden.
#[test]
fn help_is_in_groups_and_old_names_are_hidden() {
    let help = Akit::new(&["--help"]).run().ended(0).stdout;
    for group in ["Start", "Test", "Gate", "Inspect", "Tools"] {
        assert!(help.contains(&format!("\n{group}:\n  ")), "{group} in {help}");
    }
    assert!(help.contains("\n  comment      Post a stored run as a pull-request comment\n"), "{help}");
    assert!(!help.contains('\u{1b}'), "{help:?}");
    let run = Akit::new(&["run", "-h"]).run().ended(0).stdout;
    assert!(run.contains("\nExamples:\n  akit run  # "), "{run}");
    for command in
        [&["comment"][..], &["gate"], &["report"], &["baseline", "update"], &["baseline", "accept"]]
    {
        let help = Akit::new(command).arg("--help").run().ended(0).stdout;
        for old in ["--policy ", "--mode", "--key", "--author"] {
            assert!(!help.contains(old), "{command:?} {old}");
        }
        let both = Akit::new(command).args(&["x", "--config", "a", "--policy", "b"]).run().ended(2);
        let _ = both.err("'--config <FILE>' cannot be used multiple times");
    }
    for (old, new) in
        [("--mode", "--comment-mode"), ("--key", "--comment-key"), ("--author", "--comment-author")]
    {
        let both = Akit::new(&["comment", "x", old, "always", new, "always"]).run().ended(2);
        let _ = both.err(&format!("'{new} <"));
    }
}

/// `--json` means the same everywhere: a file, or `-` for stdout.
#[test]
fn json_takes_a_file_everywhere() {
    for command in [
        &["run"][..],
        &["gate"],
        &["report"],
        &["plan"],
        &["calibrate"],
        &["regrade"],
        &["compare"],
        &["history"],
        &["baseline", "show"],
        &["validate"],
        &["doctor"],
    ] {
        let flags = flags(command);
        let words = flags.iter().find(|(name, _)| name == "--json").map(|(_, words)| words.as_str());
        assert!(words.is_some_and(|words| words.ends_with("(`-` for stdout)")), "{command:?}: {words:?}");
        // ArtemisKit's `validate --json` prints to stdout.
        if command != ["validate"] {
            Akit::new(command).arg("--json").run().ended(2).err("a value is required for '--json <FILE>'");
        }
    }
}

#[test]
fn the_help_of_run_names_each_group() {
    let help = Akit::new(&["run", "--help"]).run().ended(0).stdout;
    for group in ["Cases:", "Application:", "Judge:", "Cache:", "Gate:", "Reports:"] {
        assert!(help.contains(group), "{group} in {help}");
    }
}

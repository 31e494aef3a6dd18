//! What the help of each command shows: its group on the first page, and how it is called.

use clap::Command;
use clap::builder::StyledStr;

/// The groups of the first page of help, each with its commands in the order of use.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Start", &["init", "doctor", "import", "validate"]),
    ("Test", &["run", "plan", "prompts", "calibrate", "case"]),
    ("Gate", &["gate", "baseline", "comment"]),
    ("Inspect", &["report", "compare", "history", "regrade"]),
    ("Tools", &["cache", "schema", "completions", "man"]),
];

/// Calls of each command, with what they do.
const EXAMPLES: [(&str, &[(&str, &str)]); 28] = [
    (
        "init",
        &[
            ("akit init", "ask a few questions"),
            ("akit init --yes --provider openai --forge github", "ask nothing"),
        ],
    ),
    ("doctor", &[("akit doctor", ""), ("akit doctor --explain", "with the source of every setting")]),
    ("import promptfoo", &[("akit import promptfoo promptfooconfig.yaml -o scenarios/promptfoo.yaml", "")]),
    ("validate", &[("akit validate", ""), ("akit validate scenarios/ --strict", "warnings fail, too")]),
    (
        "run",
        &[
            ("akit run", "every scenario in scenarios/"),
            ("akit run scenarios/support.yaml -t smoke --repeat 3", ""),
            ("akit run --replies answers.jsonl", "judge recorded answers; send nothing"),
            ("akit run --baseline akit-baseline.json --json run.json --html run.html", ""),
            ("akit run -p command -- ./bot --quiet", "test a program"),
        ],
    ),
    ("plan", &[("akit plan --detect 3pp", "what it takes to detect a drop of 3 points")]),
    (
        "prompts",
        &[("akit prompts scenarios/ > ask.jsonl", ""), ("akit prompts --suspects run.json --trials 10", "")],
    ),
    ("calibrate", &[("akit calibrate labels.jsonl --grader-model gpt-6-sol", "")]),
    ("case from", &[("akit case from run.json --case support/refund -o scenarios/refund.yaml", "")]),
    (
        "gate",
        &[
            ("akit gate run.json --baseline akit-baseline.json", ""),
            ("akit gate run.json --min-pass-rate 0.95", ""),
        ],
    ),
    (
        "baseline update",
        &[
            ("akit baseline update run.json", ""),
            ("akit baseline update run.json --baseline git-ref:akit", "kept in a git ref"),
        ],
    ),
    (
        "baseline accept",
        &[("akit baseline accept support/human --reason \"asks for the order number first\"", "")],
    ),
    ("baseline show", &[("akit baseline show", ""), ("akit baseline show --json -", "")]),
    ("baseline diff", &[("akit baseline diff git:main:akit-baseline.json akit-baseline.json", "")]),
    (
        "comment",
        &[
            ("akit comment run.json", ""),
            ("akit comment run.json --comment-mode on-fail --comment-key nightly", ""),
        ],
    ),
    ("report", &[("akit report run.json --html run.html --junit run.xml", "")]),
    ("compare", &[("akit compare old.json new.json --html compare.html", "")]),
    (
        "history",
        &[("akit history runs/", ""), ("akit history runs/ --html history.html --json history.json", "")],
    ),
    ("regrade", &[("akit regrade old.json new.json --old-grader-model gpt-4o", "")]),
    ("cache stats", &[("akit cache stats scenarios/", "")]),
    ("cache verify", &[("akit cache verify", "")]),
    ("cache why", &[("akit cache why scenarios/support.yaml refund", "")]),
    ("cache prune", &[("akit cache prune --unused --dry-run", "")]),
    ("cache export", &[("akit cache export -o answers.jsonl", "")]),
    ("cache import", &[("akit cache import answers.jsonl", "")]),
    ("schema", &[("akit schema > scenario.schema.json", "")]),
    ("completions", &[("akit completions bash > /etc/bash_completion.d/akit", "")]),
    ("man", &[("akit man --out /usr/local/share/man/man1", "")]),
];

/// The same command with examples below its help and that of its subcommands, and with groups where it is the whole.
pub(super) fn shown(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |whole, name| whole.mut_subcommand(name, |one| with(one, name)));
    let styles = command.get_styles().clone();
    let (heading, word) = (styles.get_header(), styles.get_literal());
    let about = |name: &str| {
        let about = command.find_subcommand(name).and_then(Command::get_about);
        about.map(StyledStr::to_string).unwrap_or_default()
    };
    let groups = GROUPS.map(|(group, names)| {
        let line = |name: &&str| format!("  {word}{name:<11}{word:#}  {}\n", about(name));
        format!("\n{heading}{group}:{heading:#}\n{}", names.iter().map(line).collect::<String>())
    });
    let page = format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\n", groups.concat());
    command.help_template(page + "Options:\n{options}\n{after-help}")
}

/// One command, and what is below it.
fn with(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |whole, name| {
        whole.mut_subcommand(name, |below| with(below, &format!("{path} {name}")))
    });
    let heading = *command.get_styles().get_header();
    let lines: String = examples(path).map(|example| format!("\n  {example}")).collect();
    if lines.is_empty() {
        command
    } else {
        command.after_help(format!("{heading}Examples:{heading:#}{lines}"))
    }
}

/// The examples of a command; of one that only groups others, the first of each.
fn examples(path: &str) -> impl Iterator<Item = String> {
    let within = format!("{path} ");
    let own = EXAMPLES.iter().filter(move |(name, _)| *name == path || name.starts_with(&within));
    let most = if EXAMPLES.iter().any(|(name, _)| *name == path) { usize::MAX } else { 1 };
    own.flat_map(move |(_, calls)| calls.iter().take(most))
        .map(|(call, what)| if what.is_empty() { (*call).to_owned() } else { format!("{call}  # {what}") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::super::Cli;
    use super::*;

    /// Every command that does something, by its words, with its summary.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        for below in command.get_subcommands() {
            let name = format!("{path}{}{}", if path.is_empty() { "" } else { " " }, below.get_name());
            found.push((name.clone(), below.get_about().map(ToString::to_string).unwrap_or_default()));
            leaves(below, &name, found);
        }
    }

    #[test]
    fn every_command_has_a_group_a_short_summary_and_an_example() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let first: Vec<&str> =
            found.iter().map(|(name, _)| name.as_str()).filter(|name| !name.contains(' ')).collect();
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!((set(&grouped), grouped.len()), (set(&first), first.len()), "each command in one group");
        for (name, about) in &found {
            let length = about.chars().count();
            assert!((10..=60).contains(&length), "{name}: {length} characters: {about}");
            assert!(!about.ends_with('.') && about.starts_with(char::is_uppercase), "{name}: {about}");
            assert!(examples(name).next().is_some(), "{name} has no example");
        }
        let known: BTreeSet<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert!(EXAMPLES.iter().all(|(name, _)| known.contains(name)), "an example of no command");
    }

    #[test]
    fn every_example_is_a_call_of_its_command() {
        for (name, calls) in EXAMPLES {
            for (call, what) in calls {
                assert!(call.starts_with(&format!("akit {name}")), "{name}: {call}");
                assert!(call.chars().count() + what.chars().count() <= 96, "{call}");
                // A shell takes off quotes and redirections.
                let mut words: Vec<String> = Vec::new();
                for (index, part) in call.split('"').enumerate() {
                    if index % 2 == 1 {
                        words.push(part.to_owned());
                    } else {
                        words.extend(part.split_whitespace().map(str::to_owned));
                    }
                }
                let words: Vec<_> = words.into_iter().take_while(|word| word != ">").collect();
                let matches = Cli::command().try_get_matches_from(&words);
                let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches));
                assert!(parsed.is_ok(), "{call}: {}", parsed.unwrap_err());
            }
        }
    }
}

//! Help of each command: its group on the first page, and its examples.

use clap::Command;
use clap::builder::StyledStr;

/// Groups of the first help page, each with its commands in order of use.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Start", &["init", "doctor", "import", "validate"]),
    ("Test", &["run", "stress", "plan", "prompts", "calibrate", "case"]),
    ("Gate", &["gate", "baseline", "comment"]),
    ("Inspect", &["report", "compare", "history", "regrade"]),
    ("Tools", &["cache", "schema", "completions", "man"]),
];

/// Examples, one per line, with their purpose after `#`.
const EXAMPLES: &str = include_str!("examples.txt");

/// Adds examples to the help of a command and its subcommands, and groups to the first page.
pub(super) fn shown(command: Command) -> Command {
    let command = below(command, "akit");
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

/// Adds examples to each subcommand.
fn below(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let heading = *command.get_styles().get_header();
    names.iter().fold(command, |whole, name| {
        let path = format!("{path} {name}");
        let lines: Vec<_> = examples(&path).map(|example| format!("\n  {example}")).collect();
        let with =
            |one| below(one, &path).after_help(format!("{heading}Examples:{heading:#}{}", lines.concat()));
        whole.mut_subcommand(name, with)
    })
}

/// Examples of a command, or of its subcommands.
fn examples(path: &str) -> impl Iterator<Item = &'static str> {
    let of = format!("{path} ");
    EXAMPLES.lines().filter(move |line| format!("{line} ").starts_with(&of))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::super::Cli;
    use super::*;

    fn check(command: &Command, path: &str) {
        for one in command.get_subcommands() {
            let path = format!("{path} {}", one.get_name());
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            assert!((10..=60).contains(&about.chars().count()), "{path}: {about}");
            assert!(about.starts_with(char::is_uppercase) && !about.ends_with('.'), "{path}: {about}");
            assert!(examples(&path).next().is_some(), "{path} has no example");
            check(one, &path);
        }
    }

    #[test]
    fn every_command_has_a_group_a_short_summary_and_an_example() {
        check(&Cli::command(), "akit");
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let akit = Cli::command();
        let known: BTreeSet<&str> = akit.get_subcommands().map(Command::get_name).collect();
        assert_eq!((grouped.iter().copied().collect(), grouped.len()), (known.clone(), known.len()));
    }

    #[test]
    fn every_example_parses() {
        for line in EXAMPLES.lines() {
            assert!(line.chars().count() <= 98, "{line}");
            // A shell would handle quotes, redirections and comments.
            let call = line.split(" > ").next().unwrap().split("  # ").next().unwrap();
            let parts = call.split('"').enumerate().flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
            let parsed = Cli::command().try_get_matches_from(parts);
            let parsed = parsed.and_then(|matches| Cli::from_arg_matches(&matches));
            assert!(parsed.is_ok(), "{call}: {}", parsed.unwrap_err());
        }
    }
}

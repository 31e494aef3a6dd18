//! The command lines of `ArtemisKit`, turned into akit's own before they are read.
//!
//! One table, [`table::ROWS`], which docs/migrating.md repeats: each row is a flag or a command of `ArtemisKit` 0.3
//! with what it becomes here, or with what replaces it. Help pages know nothing of them, and akit's own
//! flags always go first.

mod table;

use std::ffi::OsString;

use clap::Command;

use super::{Status, terminal};
use crate::text;
use table::{Given, ROWS, Takes, Turn, is};

/// Turns a command line of `ArtemisKit` into akit's, and tells what became of each part of it.
///
/// # Errors
/// [`Status::Invalid`] where nothing here does the same; what replaces it is told.
pub(super) fn translated(arguments: Vec<OsString>, own: &Command) -> Result<Vec<OsString>, Status> {
    let (line, told) = turned(arguments, own).map_err(|refused| {
        let instead = refused.instead.strip_prefix("status 2: ").unwrap_or(refused.instead);
        Status::Invalid.because(format!("`{}` of ArtemisKit has no like here", refused.what), instead)
    })?;
    for (what, instead) in told {
        terminal::say(&text::plain(&format!("note: `{what}` is ArtemisKit's; in akit it is {instead}")));
    }
    Ok(line)
}

/// What there is nothing like here, and what replaces it.
#[derive(Debug)]
struct Refused {
    what: String,
    instead: &'static str,
}

/// A line of akit, and what was turned: its words there, and what it is here.
type Turned = (Vec<OsString>, Vec<(String, String)>);

fn turned(arguments: Vec<OsString>, own: &Command) -> Result<Turned, Refused> {
    let mut told = Vec::new();
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let two = format!("{} {}", word(1), word(2));
    let Some(name) = ROWS.iter().map(|row| row.command).find(|name| *name == word(1) || *name == two) else {
        return Ok((arguments, told));
    };
    let depth = name.split(' ').count();
    let itself = ROWS.iter().find(|row| row.command == name && row.flags.is_empty());
    let mut line: Vec<OsString> = arguments[..=depth].to_vec();
    if let Some(row) = itself.filter(|_| !is_own(name, own)) {
        let Turn::Command(words) = row.turn else {
            return Err(Refused { what: name.to_owned(), instead: row.instead });
        };
        line.truncate(1);
        line.extend(words.iter().map(OsString::from));
        told.push((name.to_owned(), row.instead.to_owned()));
    }
    let given = Given(arguments[depth + 1..].to_vec());
    let mut rest = given.0.iter().peekable();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--" {
            line.push(argument.clone());
            line.extend(rest.by_ref().cloned());
            break;
        }
        let rows = ROWS.iter().filter(|row| row.command == name);
        let mut found = rows.flat_map(|row| row.flags.iter().map(move |flag| (row, flag)));
        let found = found.find_map(|(row, flag)| Some((row, *flag, is(text, flag)?.value())));
        let Some((row, flag, hanging)) = found else {
            // The one thing that is named there is all that there is here.
            let named = name == "baseline get" && !text.starts_with('-');
            if !named || line.last().is_some_and(|last| last == "--baseline") {
                line.push(argument.clone());
            }
            continue;
        };
        let mut values: Vec<String> = hanging.into_iter().map(str::to_owned).collect();
        let next = |rest: &mut std::iter::Peekable<std::slice::Iter<'_, OsString>>| {
            let value = rest.peek()?.to_str()?;
            (!value.starts_with('-') || value == "-").then(|| value.to_owned())
        };
        match row.takes {
            Takes::Nothing => {
                let value = next(&mut rest).filter(|value| !given.is_the_only_scenario(value));
                if hanging.is_some() || (value.is_some() && is_own_flag(name, flag, own)) {
                    line.push(argument.clone());
                    continue;
                }
            }
            Takes::One if values.is_empty() => {
                let Some(value) = next(&mut rest) else {
                    line.push(argument.clone());
                    continue;
                };
                rest.next();
                values.push(value);
            }
            Takes::One => {}
        }
        let what = [&[flag.to_owned()], values.as_slice()].concat().join(" ");
        let value = values.first().map_or("", String::as_str);
        let words = match row.turn {
            Turn::Drop => None,
            Turn::Into(turn) => Some(turn(&given, value)),
            Turn::Partly(turn) => match turn(&given, value) {
                Some(words) => Some(words),
                None => return Err(Refused { what, instead: row.instead }),
            },
            Turn::Refuse | Turn::Command(_) => return Err(Refused { what, instead: row.instead }),
        };
        // What is told is what is done: the table shows one line of several.
        let instead = match &words {
            None => row.instead.to_owned(),
            Some(words) if words.is_empty() => "nothing, beside the rest of this line".to_owned(),
            Some(words) => {
                let why = row.instead.splitn(3, '`').nth(2).unwrap_or_default();
                format!("`{}`{why}", words.join(" "))
            }
        };
        line.extend(words.into_iter().flatten().map(OsString::from));
        told.push((what, instead));
    }
    Ok((line, told))
}

/// Whether akit has a command of this name itself.
fn is_own(name: &str, own: &Command) -> bool {
    name.split(' ').try_fold(own, |command, word| command.find_subcommand(word)).is_some()
}

/// Whether a command of akit has this flag itself.
fn is_own_flag(name: &str, flag: &str, own: &Command) -> bool {
    let command = name.split(' ').try_fold(own, |command, word| command.find_subcommand(word));
    let same = |argument: &clap::Arg| match flag.strip_prefix("--") {
        Some(long) => argument.get_long() == Some(long),
        None => argument.get_short().is_some() && argument.get_short() == flag.chars().nth(1),
    };
    command.is_some_and(|command| command.get_arguments().any(same))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn turn(line: &str) -> Result<String, String> {
        let words = std::iter::once("akit").chain(line.split_whitespace()).map(OsString::from).collect();
        let (line, _) = turned(words, &Cli::command()).map_err(|refused| refused.what)?;
        let words: Vec<_> = line[1..].iter().map(|word| word.to_str().unwrap()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn lines_become_akits() {
        for (there, here) in [
            ("run x.yaml --ci -v", "run x.yaml -v"),
            ("run --ci x.yaml --export junit", "run x.yaml --junit artemis-exports/akit.xml"),
            ("run x --export=markdown --export-output=d", "run x --markdown d/akit.md"),
            ("run x -od", "run x --json d/run.json"),
            ("run x -o d --json r.json --save", "run x --json r.json"),
            ("run x --save", "run x --json akit-run.json"),
            ("run x --parallel 3", "run x -c 3"),
            ("run x --parallel 3 -c2", "run x -c2"),
            ("run x --summary text", "run x"),
            ("run --baseline x.yaml", "run --baseline akit-baseline.json x.yaml"),
            ("run x --baseline --ci", "run x --baseline akit-baseline.json"),
            ("run x --baseline", "run x --baseline akit-baseline.json"),
            ("run x --baseline git:main:b.json", "run x --baseline git:main:b.json"),
            ("run --baseline git:main:b.yaml", "run --baseline git:main:b.yaml"),
            ("run x.yaml --baseline src", "run x.yaml --baseline src"),
            ("run x --baseline=b.json", "run x --baseline=b.json"),
            ("run x --export", "run x --export"),
            ("run x -- --ci", "run x -- --ci"),
            ("validate --json x.yaml", "validate --json - x.yaml"),
            ("validate x.yaml --json out.json", "validate x.yaml --json out.json"),
            ("validate x.yaml --json -", "validate x.yaml --json -"),
            ("validate x.yaml --json x.yaml", "validate x.yaml --json x.yaml"),
            ("baseline set r.json --tag v1", "baseline update r.json"),
            ("baseline get id --json --baseline b.json", "baseline show --json --baseline b.json"),
            ("report r.json -f both -o d", "report r.json --html d/r.html --json d/r.json"),
            ("report -f html r.json", "report --html artemis-output/r.html r.json"),
            ("report r.json --format junit", "report r.json --format junit"),
            ("gate r.json --ci", "gate r.json --ci"),
            ("", ""),
        ] {
            assert_eq!(turn(there), Ok(here.to_owned()), "{there}");
        }
        for (there, what) in [
            ("run x --threshold 0.1", "--threshold 0.1"),
            ("run x --summary security", "--summary security"),
            ("run x --export html", "--export html"),
            ("baseline remove x", "baseline remove"),
        ] {
            assert_eq!(turn(there), Err(what.to_owned()), "{there}");
        }
    }

    #[test]
    fn what_is_told_is_what_is_done() {
        let words = "akit run x --export junit --export-output d -o out --save --ci";
        let words = words.split(' ').map(OsString::from).collect();
        let (_, told) = turned(words, &Cli::command()).unwrap();
        let told: Vec<_> = told.iter().map(|(what, instead)| (what.as_str(), instead.as_str())).collect();
        assert_eq!(told[0], ("--export junit", "`--junit d/akit.xml`; `markdown` is `--markdown`"));
        assert_eq!(told[2], ("-o out", "`--json out/run.json`: all files of a run are stored as one"));
        assert_eq!(told[3], ("--save", "nothing, beside the rest of this line"));
    }

    /// A row must not take a flag away that akit has itself.
    #[test]
    fn no_row_hides_a_flag_of_akit() {
        for row in ROWS.iter().filter(|row| row.takes != Takes::Nothing) {
            for flag in row.flags {
                assert!(!is_own_flag(row.command, flag, &Cli::command()), "{}", row.line);
            }
        }
    }

    #[test]
    fn the_documented_table_is_this_one() {
        let page = include_str!("../../../docs/migrating.md");
        let from = page.lines().skip_while(|line| *line != "| `artemiskit …` | in akit |").skip(2);
        let documented: Vec<_> = from.take_while(|line| line.starts_with('|')).collect();
        let known: Vec<_> = ROWS.iter().map(|row| format!("| `{}` | {} |", row.line, row.instead)).collect();
        assert_eq!(documented, known);
    }
}

//! Command lines of `ArtemisKit` 0.3, turned into akit's own before clap reads them.
//!
//! docs/migrating.md lists them; help pages do not, and akit's own flags take precedence.

use std::ffi::OsString;
use std::path::Path;

use super::{Status, terminal};
use crate::source::slashed;
use crate::text;

/// Equivalent of an `ArtemisKit` flag or command.
#[derive(Debug)]
enum Here {
    /// These words.
    Words(Vec<String>),
    /// Not needed, with the reason.
    Needless(&'static str),
    /// No equivalent; how akit does it.
    Missing(&'static str),
}

use Here::{Missing, Needless};

fn words<const N: usize>(words: [&str; N]) -> Here {
    Here::Words(words.map(str::to_owned).to_vec())
}

fn file(flag: &str, folder: &str, name: &str) -> Here {
    words([flag, &slashed(&Path::new(folder).join(name))])
}

/// The equivalent of a command's flag, or of the command itself (no flag); `None` leaves the word to clap.
fn here(command: &str, flag: &str, value: Option<&str>, given: &Given) -> Option<Here> {
    let exports = given.value(&["--export-output"]).unwrap_or("artemis-exports");
    Some(match (command, flag, value) {
        ("run" | "stress", "-o" | "--output" | "--save", _) if given.has(&["--json"]) => {
            Needless("`--json` names the file")
        }
        ("run", "-o" | "--output", Some(folder)) => file("--json", folder, "run.json"),
        ("run", "--save", _) if given.has(&["-o", "--output"]) => Needless("`-o` stores the run"),
        ("run", "--save", _) => words(["--json", "akit-run.json"]),
        ("run", "--parallel", Some(_)) if given.has(&["-c", "--concurrency"]) => {
            Needless("`-c` limits all files together")
        }
        ("run", "--parallel", Some(count)) => words(["-c", count]),
        ("run", "--ci", _) => {
            Needless("in a pipeline, the output is plain text and ends with a `RESULT:` line")
        }
        ("run", "--summary", Some("json")) => words(["--format", "json"]),
        ("run", "--summary", Some("text")) => Needless("akit always prints it"),
        ("run", "--summary", Some(_)) => Missing("use `--format json`, or leave it out for text"),
        ("run", "--baseline", None) => words(["--baseline", "akit-baseline.json"]),
        ("run", "--threshold", Some(_)) => Missing(
            "set `gate: { baseline: { margin: 0.05 } }` in akit.yaml, or pass `--min-pass-rate` for the whole run; see docs/gate.md",
        ),
        ("run", "--export", Some("junit")) => file("--junit", exports, "akit.xml"),
        ("run", "--export", Some("markdown")) => file("--markdown", exports, "akit.md"),
        ("run", "--export", Some(_)) => Missing("use `--junit FILE` or `--markdown FILE`"),
        ("run", "-i" | "--interactive", _) => {
            Missing("akit asks no questions; pass the files, `-p` and `-m`")
        }
        ("validate", "--json", None) | ("baseline list" | "baseline get", "--json", _) => {
            words(["--json", "-"])
        }
        ("validate", "-q" | "--quiet", _) => {
            Needless("akit prints only what is wrong and one line of counts")
        }
        ("validate", "--export", Some("junit")) => file("--junit", exports, "akit-validation.xml"),
        ("validate", "--export", Some(_)) => Missing("use `--junit FILE`"),
        ("run" | "validate", "--export-output", Some(_)) => {
            Needless("the path after `--junit` or `--markdown` includes the folder")
        }
        ("baseline set", "", _) => words(["baseline", "update"]),
        ("baseline set", "-t" | "--tag", Some(_)) => Needless("a baseline names the commits of its runs"),
        ("baseline set", "-s" | "--scenario", Some(_)) => {
            Missing("one baseline has every scenario under its own name")
        }
        ("baseline list" | "baseline get", "", _) => words(["baseline", "show"]),
        ("baseline get", "-s" | "--scenario", _) => Needless("the whole baseline is shown"),
        ("baseline remove", "", _) => {
            Missing("delete the file, or drop the old trials of some cases with `akit baseline accept`")
        }
        ("compare", "--threshold", Some(_)) => {
            Missing("a comparison does not gate; `akit gate run.json --baseline akit-baseline.json` does")
        }
        ("history", "-p" | "--project" | "-s" | "--scenario" | "-l" | "--limit", Some(_)) => {
            Missing("pass the stored runs or their folder, as in `akit history runs/`")
        }
        ("report", "-f", Some(form)) => {
            given.report(given.value(&["-o", "--output"]).unwrap_or("artemis-output"), form)
        }
        ("report", "-o" | "--output", Some(_)) if given.has(&["-f"]) => {
            Needless("the report's path includes the folder")
        }
        ("report", "-o" | "--output", Some(folder)) => given.report(folder, "html"),
        ("redteam", "", _) => Missing("use `not_contains` or `not` for what an answer must not say"),
        ("stress", "-o" | "--output", Some(folder)) => file("--json", folder, "stress.json"),
        ("stress", "--save", _) if given.has(&["-o", "--output"]) => Needless("`-o` stores the test"),
        ("stress", "--save", _) => words(["--json", "akit-stress.json"]),
        _ => return None,
    })
}

/// Flags without a value: the word after one of them is left as it is.
const BARE: [&str; 6] = ["--ci", "--save", "-i", "--interactive", "-q", "--quiet"];

/// Converts an `ArtemisKit` command line to akit's, and prints the conversion of each part.
///
/// # Errors
/// [`Status::Invalid`] where akit has no equivalent.
pub(super) fn translated(arguments: &[OsString]) -> Result<Vec<OsString>, Status> {
    let (line, notes) = turned(arguments).map_err(|(what, help)| {
        Status::Invalid.because(format!("akit has no equivalent of ArtemisKit's `{what}`"), help)
    })?;
    for note in notes {
        terminal::say(&text::plain(&format!("note: ArtemisKit's {note}")));
    }
    Ok(line)
}

/// A part without an equivalent, and how akit does it.
type Refused = (String, &'static str);

/// An akit command line, with notes.
fn turned(arguments: &[OsString]) -> Result<(Vec<OsString>, Vec<String>), Refused> {
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let (command, depth) = match word(1) {
        "baseline" => (format!("baseline {}", word(2)), 2),
        name => (name.to_owned(), 1),
    };
    let mut line: Vec<_> = arguments.iter().take(depth + 1).cloned().collect();
    let given =
        Given(arguments.iter().skip(depth + 1).map(|word| word.to_str().unwrap_or_default()).collect());
    let mut notes = Vec::new();
    let mut becomes = |what: String, here: Here, line: &mut Vec<OsString>| {
        match here {
            Here::Words(words) => {
                notes.push(format!("`{what}` is `{}` in akit", words.join(" ")));
                line.extend(words.into_iter().map(OsString::from));
            }
            Needless(why) => notes.push(format!("`{what}` is not needed in akit: {why}")),
            Missing(help) => return Err((what, help)),
        }
        Ok(())
    };
    if let Some(here) = here(&command, "", None, &given) {
        line.truncate(1);
        becomes(command.clone(), here, &mut line)?;
    }
    let mut at = 0;
    while let Some(&text) = given.0.get(at) {
        let argument = &arguments[depth + 1 + at];
        if text == "--" {
            line.extend_from_slice(&arguments[depth + 1 + at..]);
            break;
        }
        at += 1;
        let (flag, within) = parts(text);
        let next = given.behind(at).filter(|next| match flag {
            "--baseline" | "--json" => !given.is_the_only_scenario(next),
            flag => !BARE.contains(&flag),
        });
        if let Some(here) = here(&command, flag, within.or(next), &given) {
            let value = within.or(next).map(|value| format!(" {value}")).unwrap_or_default();
            becomes(format!("{flag}{value}"), here, &mut line)?;
            at += usize::from(within.is_none() && next.is_some());
        } else if command != "baseline get"
            || flag.starts_with('-')
            || line.last().is_some_and(|last| last == "--baseline")
        {
            line.push(argument.clone());
        } // Else the name of one baseline, and akit has only one.
    }
    Ok((line, notes))
}

/// A flag and the value in the same word, as in `--export=junit` and `-oDIR`.
fn parts(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
        _ if word.starts_with('-') && !word.starts_with("--") => match word.char_indices().nth(2) {
            Some((at, _)) => (&word[..at], Some(word[at..].trim_start_matches('='))),
            None => (word, None),
        },
        _ => (word, None),
    }
}

/// The arguments after the command.
struct Given<'a>(Vec<&'a str>);

impl<'a> Given<'a> {
    fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|word| names.contains(&parts(word).0))
    }

    /// The word at a position where it can be a flag's value.
    fn behind(&self, at: usize) -> Option<&'a str> {
        self.0.get(at).copied().filter(|word| !word.starts_with('-') || *word == "-")
    }

    fn value(&self, names: &[&str]) -> Option<&'a str> {
        let at = self.0.iter().position(|word| names.contains(&parts(word).0))?;
        parts(self.0[at]).1.or_else(|| self.behind(at + 1))
    }

    /// Whether a word is the only one that names scenarios: then it is not the value of the flag before it.
    fn is_the_only_scenario(&self, word: &str) -> bool {
        let scenario = |word: &str| {
            let path = Path::new(word);
            let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            !word.starts_with('-')
                && !word.starts_with("git:")
                && (yaml || word.contains('*') || path.is_dir())
        };
        scenario(word) && self.0.iter().filter(|word| scenario(word)).count() == 1
    }

    /// Reports of a stored run, named after it.
    fn report(&self, folder: &str, form: &str) -> Here {
        let value = |at: usize| at > 0 && ["-f", "-o", "--output"].contains(&self.0[at - 1]);
        let run = (0..self.0.len()).find(|at| !self.0[*at].starts_with('-') && !value(*at));
        let run = run.and_then(|at| Path::new(self.0[at]).file_stem()?.to_str()).unwrap_or("run");
        let path = |form: &str| slashed(&Path::new(folder).join(format!("{run}.{form}")));
        match form {
            "html" => words(["--html", &path("html")]),
            "json" => words(["--json", &path("json")]),
            "both" => words(["--html", &path("html"), "--json", &path("json")]),
            _ => Missing("use `--html FILE` or `--json FILE`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn turn(line: &str) -> Result<String, String> {
        let words: Vec<_> =
            std::iter::once("akit").chain(line.split_whitespace()).map(OsString::from).collect();
        let (line, _) = turned(&words).map_err(|(what, _)| what)?;
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
            ("run x.yaml --baseline --ci", "run x.yaml --baseline akit-baseline.json"),
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
            ("baseline get id --json --baseline b.json", "baseline show --json - --baseline b.json"),
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
            ("report x -f pdf", "-f pdf"),
            ("baseline remove x", "baseline remove"),
        ] {
            assert_eq!(turn(there), Err(what.to_owned()), "{there}");
        }
    }

    #[test]
    fn flags_of_akit_stay_its_own() {
        let akit = Cli::command();
        for command in akit.get_subcommands() {
            for argument in command.get_arguments() {
                let long = argument.get_long().map(|name| format!("--{name}"));
                let short = argument.get_short().map(|name| format!("-{name}"));
                for flag in long.into_iter().chain(short) {
                    let turned = here(command.get_name(), &flag, Some("x"), &Given(vec![&flag, "x"]));
                    assert!(turned.is_none(), "{} {flag}: {turned:?}", command.get_name());
                }
            }
        }
    }
}

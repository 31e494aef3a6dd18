//! The table of what `ArtemisKit`'s command line has, and what each part of it is in akit.
//!
//! docs/migrating.md repeats [`ROWS`], and a test runs each of its lines.

use std::ffi::OsString;
use std::path::Path;

/// What a flag takes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing. A flag of the same name that takes a value here is left alone with its value.
    Nothing,
    /// One value.
    One,
}

/// What becomes of a row.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    /// It is left out: it changes nothing here.
    Drop,
    /// Nothing here means the same: status 2.
    Refuse,
    /// These arguments stand in its place.
    Into(fn(&Given, &str) -> Vec<String>),
    /// The same for some values; of others nothing here means the same.
    Partly(fn(&Given, &str) -> Option<Vec<String>>),
    /// It is this command.
    Command(&'static [&'static str]),
}

/// A flag or a command of `ArtemisKit`.
pub(super) struct Row {
    /// A line with it, as docs/migrating.md shows it.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold the documentation against it"))]
    pub(super) line: &'static str,
    /// The command that it belongs to, or is.
    pub(super) command: &'static str,
    /// Its names; none for a command.
    pub(super) flags: &'static [&'static str],
    pub(super) takes: Takes,
    pub(super) turn: Turn,
    /// What replaces it.
    pub(super) instead: &'static str,
}

const fn flag(
    line: &'static str,
    command: &'static str,
    flags: &'static [&'static str],
    takes: Takes,
    turn: Turn,
    instead: &'static str,
) -> Row {
    Row { line, command, flags, takes, turn, instead }
}

const fn command(line: &'static str, command: &'static str, turn: Turn, instead: &'static str) -> Row {
    Row { line, command, flags: &[], takes: Takes::Nothing, turn, instead }
}

/// Where exports go when nobody says so.
const EXPORTS: &str = "artemis-exports";

pub(super) const ROWS: &[Row] = &[
    flag(
        "run x.yaml -o out",
        "run",
        &["-o", "--output"],
        Takes::One,
        Turn::Into(output),
        "`--json out/run.json`: all files of a run are stored as one",
    ),
    flag(
        "run x.yaml --save",
        "run",
        &["--save"],
        Takes::Nothing,
        Turn::Into(save),
        "`--json akit-run.json`, unless `--json` names another place",
    ),
    flag(
        "run x.yaml --parallel 2",
        "run",
        &["--parallel"],
        Takes::One,
        Turn::Into(parallel),
        "`-c 2`, unless `-c` is there: all files share one pool of cases",
    ),
    flag(
        "run x.yaml --ci",
        "run",
        &["--ci"],
        Takes::Nothing,
        Turn::Drop,
        "nothing: the output is plain in a pipeline and ends with a `RESULT:` line",
    ),
    flag(
        "run x.yaml --summary json",
        "run",
        &["--summary"],
        Takes::One,
        Turn::Partly(summary),
        "`--format json`, in the form of docs/schema/run.json; `text` is what akit prints anyway, and a `security` summary is not there yet",
    ),
    flag(
        "run x.yaml --baseline",
        "run",
        &["--baseline"],
        Takes::Nothing,
        Turn::Into(baseline),
        "`--baseline akit-baseline.json`, which `akit baseline update` writes; the flag takes a place here",
    ),
    flag(
        "run x.yaml --threshold 0.05",
        "run",
        &["--threshold"],
        Takes::One,
        Turn::Refuse,
        "status 2: write `gate: { baseline: { margin: 0.05 } }` in akit.yaml, or `--min-pass-rate` for the whole; see docs/gate.md",
    ),
    flag(
        "run x.yaml --export junit",
        "run",
        &["--export"],
        Takes::One,
        Turn::Partly(export),
        "`--junit artemis-exports/akit.xml`; `markdown` is `--markdown`",
    ),
    flag(
        "run x.yaml --export markdown --export-output d",
        "run",
        &["--export-output"],
        Takes::One,
        Turn::Drop,
        "the folder of the file that `--junit` or `--markdown` names",
    ),
    flag(
        "run -i",
        "run",
        &["-i", "--interactive"],
        Takes::Nothing,
        Turn::Refuse,
        "status 2: akit asks nothing on the terminal; name the files, `-p` and `-m`",
    ),
    flag(
        "validate x.yaml --json",
        "validate",
        &["--json"],
        Takes::Nothing,
        Turn::Into(to_stdout),
        "`--json -`; the flag takes a file here",
    ),
    flag(
        "validate x.yaml -q",
        "validate",
        &["-q", "--quiet"],
        Takes::Nothing,
        Turn::Drop,
        "nothing: akit tells what is wrong, and one line of counts",
    ),
    flag(
        "validate x.yaml --export junit",
        "validate",
        &["--export"],
        Takes::One,
        Turn::Partly(validation),
        "`--junit artemis-exports/akit-validation.xml`",
    ),
    flag(
        "validate x.yaml --export junit --export-output d",
        "validate",
        &["--export-output"],
        Takes::One,
        Turn::Drop,
        "the folder of the file that `--junit` names",
    ),
    command(
        "baseline set run.json",
        "baseline set",
        Turn::Command(&["baseline", "update"]),
        "`akit baseline update run.json`, with the file of a stored run in the place of a run's id; it keeps the trials of the newest runs, and `--baseline` names its place",
    ),
    flag(
        "baseline set run.json -t v1",
        "baseline set",
        &["-t", "--tag"],
        Takes::One,
        Turn::Drop,
        "nothing: a baseline names the commits of its runs",
    ),
    flag(
        "baseline set run.json -s x",
        "baseline set",
        &["-s", "--scenario"],
        Takes::One,
        Turn::Refuse,
        "status 2: one baseline holds all scenarios, each by its own name",
    ),
    command(
        "baseline list",
        "baseline list",
        Turn::Command(&["baseline", "show"]),
        "`akit baseline show`: one baseline holds all scenarios",
    ),
    command(
        "baseline get x -s",
        "baseline get",
        Turn::Command(&["baseline", "show"]),
        "`akit baseline show`: one baseline holds all scenarios, and what is named is not looked for",
    ),
    flag(
        "baseline get x --scenario",
        "baseline get",
        &["-s", "--scenario"],
        Takes::Nothing,
        Turn::Drop,
        "nothing: the whole baseline is shown",
    ),
    command(
        "baseline remove x",
        "baseline remove",
        Turn::Refuse,
        "status 2: delete the file, or let old trials of single cases go with `akit baseline accept`",
    ),
    flag(
        "compare run.json run.json --threshold 0.05",
        "compare",
        &["--threshold"],
        Takes::One,
        Turn::Refuse,
        "status 2: a comparison does not gate; `akit gate run.json --baseline akit-baseline.json` does",
    ),
    flag(
        "history -p demo",
        "history",
        &["-p", "--project"],
        Takes::One,
        Turn::Refuse,
        "status 2: name the stored runs or their folder, as in `akit history runs/`",
    ),
    flag(
        "history -s x",
        "history",
        &["-s", "--scenario"],
        Takes::One,
        Turn::Refuse,
        "status 2: name the stored runs or their folder, as in `akit history runs/`",
    ),
    flag(
        "history -l 5",
        "history",
        &["-l", "--limit"],
        Takes::One,
        Turn::Refuse,
        "status 2: name the stored runs or their folder, as in `akit history runs/`",
    ),
    flag(
        "report run.json -f html",
        "report",
        &["-f"],
        Takes::One,
        Turn::Partly(form),
        "`--html artemis-output/run.html`; `json` is `--json`, and `both` is both",
    ),
    flag(
        "report run.json -o out",
        "report",
        &["-o", "--output"],
        Takes::One,
        Turn::Partly(report),
        "`--html out/run.html`",
    ),
    command(
        "redteam x.yaml",
        "redteam",
        Turn::Refuse,
        "status 2: akit attacks nothing yet; write what must not be said as `not_contains` or `not`",
    ),
    command(
        "stress x.yaml",
        "stress",
        Turn::Refuse,
        "status 2: akit makes no load yet; `latency_p95_ms` under `gate.thresholds` limits the latency of a run",
    ),
];

/// The arguments behind the command.
pub(super) struct Given(pub(super) Vec<OsString>);

impl Given {
    /// Whether a flag is there, with its value behind or within.
    fn has(&self, names: &[&str]) -> bool {
        self.0
            .iter()
            .filter_map(|word| word.to_str())
            .any(|word| names.iter().any(|name| is(word, name).is_some()))
    }

    /// The value of a flag.
    fn value(&self, names: &[&str]) -> Option<&str> {
        let words: Vec<_> = self.0.iter().map(|word| word.to_str().unwrap_or_default()).collect();
        let (at, within) = words
            .iter()
            .enumerate()
            .find_map(|(at, word)| Some((at, names.iter().find_map(|name| is(word, name))?)))?;
        within.value().or_else(|| words.get(at + 1).copied().filter(|next| !next.starts_with('-')))
    }

    /// Whether a word names scenarios, and no other word does: behind a flag that takes nothing there it is
    /// no value of the flag here. Beside another scenario it can only be the flag's value.
    pub(super) fn is_the_only_scenario(&self, word: &str) -> bool {
        is_scenario(word)
            && self.0.iter().filter_map(|word| word.to_str()).filter(|word| is_scenario(word)).count() == 1
    }

    /// The stored run that a report is made of.
    fn run(&self) -> Option<&str> {
        let words: Vec<_> = self.0.iter().map(|word| word.to_str().unwrap_or_default()).collect();
        let value = |at: usize| at > 0 && ["-f", "-o", "--output"].contains(&words[at - 1]);
        (0..words.len()).find(|at| !words[*at].starts_with('-') && !value(*at)).map(|at| words[at])
    }
}

fn is_scenario(word: &str) -> bool {
    let path = Path::new(word);
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    !word.starts_with('-') && !word.starts_with("git:") && (yaml || word.contains('*') || path.is_dir())
}

/// What hangs on a flag.
#[derive(Clone, Copy)]
pub(super) enum Hanging<'a> {
    Nothing,
    /// Its value, as in `--export=junit` and `-oDIR`.
    Value(&'a str),
}

impl<'a> Hanging<'a> {
    pub(super) fn value(self) -> Option<&'a str> {
        match self {
            Hanging::Nothing => None,
            Hanging::Value(value) => Some(value),
        }
    }
}

/// Whether a word is a flag, and what hangs on it.
pub(super) fn is<'a>(word: &'a str, name: &str) -> Option<Hanging<'a>> {
    let rest = word.strip_prefix(name)?;
    match rest.strip_prefix('=') {
        _ if rest.is_empty() => Some(Hanging::Nothing),
        Some(value) => Some(Hanging::Value(value)),
        None => (!name.starts_with("--")).then_some(Hanging::Value(rest)),
    }
}

fn pair(words: [&str; 2]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn below(folder: &str, file: &str) -> String {
    crate::source::slashed(&Path::new(folder).join(file))
}

fn output(given: &Given, folder: &str) -> Vec<String> {
    if given.has(&["--json"]) { Vec::new() } else { pair(["--json", &below(folder, "run.json")]) }
}

fn save(given: &Given, _: &str) -> Vec<String> {
    let named = given.has(&["--json", "-o", "--output"]);
    if named { Vec::new() } else { pair(["--json", "akit-run.json"]) }
}

fn parallel(given: &Given, count: &str) -> Vec<String> {
    if given.has(&["-c", "--concurrency"]) { Vec::new() } else { pair(["-c", count]) }
}

fn summary(_: &Given, form: &str) -> Option<Vec<String>> {
    match form {
        "json" => Some(pair(["--format", "json"])),
        "text" => Some(Vec::new()),
        _ => None,
    }
}

fn baseline(_: &Given, _: &str) -> Vec<String> {
    pair(["--baseline", "akit-baseline.json"])
}

fn export(given: &Given, form: &str) -> Option<Vec<String>> {
    let folder = given.value(&["--export-output"]).unwrap_or(EXPORTS);
    match form {
        "junit" => Some(pair(["--junit", &below(folder, "akit.xml")])),
        "markdown" => Some(pair(["--markdown", &below(folder, "akit.md")])),
        _ => None,
    }
}

fn validation(given: &Given, form: &str) -> Option<Vec<String>> {
    let folder = given.value(&["--export-output"]).unwrap_or(EXPORTS);
    if form == "junit" { Some(pair(["--junit", &below(folder, "akit-validation.xml")])) } else { None }
}

fn to_stdout(_: &Given, _: &str) -> Vec<String> {
    pair(["--json", "-"])
}

fn form(given: &Given, form: &str) -> Option<Vec<String>> {
    rendered(given, given.value(&["-o", "--output"]).unwrap_or("artemis-output"), form)
}

fn report(given: &Given, folder: &str) -> Option<Vec<String>> {
    // What is asked for beside it has the folder already.
    if given.has(&["-f"]) { Some(Vec::new()) } else { rendered(given, folder, "html") }
}

fn rendered(given: &Given, folder: &str, form: &str) -> Option<Vec<String>> {
    let run = given.run().and_then(|run| Path::new(run).file_stem()?.to_str()).unwrap_or("run");
    let file = |form: &str| [format!("--{form}"), below(folder, &format!("{run}.{form}"))];
    match form {
        "html" | "json" => Some(file(form).to_vec()),
        "both" => Some([file("html"), file("json")].concat()),
        _ => None,
    }
}

//! `akit init`: the first files of a suite, a run that is green without a key, and one that is red.
//!
//! Nothing that is there is ever replaced, and nothing is written before everything can be.

mod forge;

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use self::forge::Forge;
use super::{Status, terminal};
use crate::config::{ConfigFile, FILES, find};
use crate::environment::Environment;
use crate::provider::{DEFAULT, Spec};
use crate::scenario::{self, discover};
use crate::source::{Diagnostics, Pending, slashed};

/// Names of a promptfoo suite.
const PROMPTFOO: [&str; 2] = ["promptfooconfig.yaml", "promptfooconfig.yml"];

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Folder of the project
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Who answers once a model is asked [default: openai]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Spec::vendors().map(|(name, _)| name)))]
    provider: Option<String>,
    /// Model of that provider
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Whose pipeline is written [default: that of the remote]
    #[arg(long, value_name = "NAME")]
    forge: Option<Forge>,
    /// Turn a promptfooconfig.yaml that is there into a scenario
    #[arg(long)]
    import: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

/// What was found and decided.
struct Start {
    dir: PathBuf,
    root: PathBuf,
    /// Configuration that holds here already.
    config: Option<PathBuf>,
    scenarios: PathBuf,
    promptfoo: Option<PathBuf>,
    provider: String,
    model: String,
    forge: Forge,
}

pub(super) fn init(args: &InitArgs, environment: &Environment) -> Result<Status, Status> {
    let start = look(args, environment)?;
    let example = !has_scenarios(&start.scenarios);
    let mut files = planned(&start, example);
    if args.import {
        files.push(imported(&start)?);
    }
    let (kept, new): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, _)| path.symlink_metadata().is_ok());
    // Every place is claimed before the first file is written.
    let mut pending = Vec::new();
    for (path, text) in new {
        pending.push((open(&path)?, text));
    }
    for (file, text) in pending {
        let path = file.path().to_path_buf();
        file.write(text.as_bytes()).map_err(|error| unwritable(&path, &error))?;
        terminal::out(&format!("wrote  {}", slashed(&path)));
    }
    for (path, text) in &kept {
        terminal::out(&format!("kept   {}, which was there already", slashed(path)));
        if path.ends_with(".gitlab-ci.yml") {
            terminal::out(&format!("\nAdd this to it:\n\n{text}"));
        }
    }
    if let Some(config) = &start.config {
        terminal::out(&format!("reads  {}", slashed(config)));
    }
    if start.forge.is_open() {
        terminal::warning(
            "this build does not know the repository that akit comes from",
            "put its name in the place of OWNER/akit in the pipeline",
        );
    }
    terminal::out(&next(args, &start));
    Ok(Status::Passed)
}

/// What is there, and what the user wants.
fn look(args: &InitArgs, environment: &Environment) -> Result<Start, Status> {
    let dir = args.dir.clone();
    let above = dir.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
    let config = find(if dir.is_dir() { &dir } else { above });
    let mut found = Diagnostics::default();
    let read = config.as_ref().map(|path| ConfigFile::read(path, environment, &mut found));
    terminal::diagnostics(&found);
    if found.has_errors() {
        return Err(Status::Invalid);
    }
    let read = read.unwrap_or_default();
    let scenarios = read.scenarios.as_ref().map(|folder| read.folder.join(folder));
    let root = forge::root_of(&dir);
    let asked = Questions::of(args.yes);
    let provider = match (&args.provider, &read.provider) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) => {
            asked.choose("Who answers?", &Spec::vendors().map(|(name, _)| name).collect::<Vec<_>>(), DEFAULT)
        }
    };
    let vendor = |name: &str| Spec::of(name).and_then(Spec::vendor);
    let usual = vendor(&provider).or(vendor(DEFAULT)).map_or("", |vendor| vendor.model);
    let model = match (&args.model, &read.model) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) => asked.text("Which model?", usual),
    };
    let guess = Forge::find(&root);
    let forge = args.forge.unwrap_or_else(|| {
        let all = [Forge::Github, Forge::Gitlab, Forge::None];
        let word = asked.choose("Whose pipeline?", &all.map(Forge::word), guess.word());
        all.into_iter().find(|one| one.word() == word).unwrap_or(guess)
    });
    let promptfoo = PROMPTFOO.iter().map(|name| inside(&dir, name)).find(|path| path.is_file());
    if args.import && promptfoo.is_none() {
        return Err(Status::Invalid.because(
            format!("there is no promptfooconfig.yaml in `{}`", slashed(&dir)),
            "nothing was written; name another file: akit import promptfoo FILE -o scenario.yaml",
        ));
    }
    let scenarios = scenarios.unwrap_or_else(|| inside(&dir, "scenarios"));
    Ok(Start { dir, root, config, scenarios, promptfoo, provider, model, forge })
}

/// A path in a folder, without a dot before it.
fn inside(dir: &Path, name: &str) -> PathBuf {
    if dir == Path::new(".") { PathBuf::from(name) } else { dir.join(name) }
}

fn has_scenarios(folder: &Path) -> bool {
    let own = |path: &PathBuf| path.file_name().is_some_and(|name| name == "first.yaml");
    discover(&[folder.to_path_buf()]).is_ok_and(|files| !files.is_empty() && !files.iter().any(own))
}

/// Every file that a new project has.
fn planned(start: &Start, example: bool) -> Vec<(PathBuf, String)> {
    let text = |text: &str| text.replace("\r\n", "\n");
    let mut files = Vec::new();
    if start.config.is_none() {
        let config = text(include_str!("akit.yaml"));
        let config = config
            .replace("PROVIDER", &start.provider)
            .replace("MODEL", &crate::import::scalar(&start.model));
        files.push((inside(&start.dir, FILES[0]), config));
    }
    let scenario = |name: &str| start.scenarios.join(name);
    if example {
        files.push((scenario("first.yaml"), text(include_str!("first.yaml"))));
        files.push((scenario("replies/good.jsonl"), text(include_str!("good.jsonl"))));
        files.push((scenario("replies/regressed.jsonl"), text(include_str!("regressed.jsonl"))));
    }
    files.push((scenario("scenario.schema.json"), format!("{:#}\n", scenario::schema())));
    if let Some((path, pipeline)) = start.forge.pipeline(&forge::below(&start.root, &start.scenarios)) {
        files.push((relative(&start.root).join(path), pipeline));
    }
    files
}

/// The current folder as nothing, any other as it is.
fn relative(root: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    if here.is_ok_and(|here| here == root) { PathBuf::new() } else { root.to_path_buf() }
}

/// The scenario that a promptfoo suite becomes.
fn imported(start: &Start) -> Result<(PathBuf, String), Status> {
    let path = start.promptfoo.as_deref().ok_or(Status::Invalid)?;
    Ok((start.scenarios.join("promptfoo.yaml"), super::import::promptfoo(path)?.text))
}

fn open(path: &Path) -> Result<Pending, Status> {
    Pending::open(path).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Status {
    let message = format!("cannot write `{}`: {}", slashed(path), terminal::system(error));
    Status::Invalid.because(&message, "mend the folder and call akit init again; what is there is kept")
}

/// The commands that come next; each works as it stands.
fn next(args: &InitArgs, start: &Start) -> String {
    let mut lines = vec!["\nNext:".to_owned()];
    let mut say = |command: String, words: &str| lines.push(format!("  # {words}\n  {command}"));
    let scenarios = slashed(&start.scenarios);
    let first = format!("{scenarios}/first.yaml");
    if Path::new(&first).is_file() {
        say(format!("akit run {first}"), "green: recorded answers, nobody is asked");
        say(
            format!("akit run {first} --replies {scenarios}/replies/regressed.jsonl"),
            "red: the answers of a worse bot",
        );
        let vendor = Spec::of(&start.provider).and_then(Spec::vendor);
        let variable = vendor.and_then(|vendor| vendor.key_variables.first());
        let key = variable.map_or("asks your model".to_owned(), |name| format!("needs {name}"));
        say(format!("akit run {first} -p {} -m {}", start.provider, start.model), &key);
    } else {
        say(format!("akit validate {scenarios}"), "nothing is asked");
    }
    if start.forge == Forge::None {
        say("akit init --forge github".to_owned(), "or gitlab: a pipeline that runs the gate");
    }
    if let Some(path) = start.promptfoo.as_ref().filter(|_| !args.import) {
        say(
            format!("akit import promptfoo {} -o {scenarios}/promptfoo.yaml", slashed(path)),
            "your promptfoo suite as a scenario",
        );
    }
    lines.push(
        "\nRuns that ask a model record its answers in .akit/cache: commit it where a pipeline shall replay them, else put\n\
         it into .gitignore."
            .to_owned(),
    );
    lines.join("\n")
}

/// Whether anybody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Questions {
    Asked,
    Skipped,
}

impl Questions {
    /// Nobody is asked under `--yes`, and where stdin or stderr is no terminal.
    pub(super) fn of(yes: bool) -> Self {
        let there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if there && !yes { Questions::Asked } else { Questions::Skipped }
    }

    /// One of these words; an empty line takes the usual one.
    pub(super) fn choose(self, question: &str, words: &[&str], usual: &str) -> String {
        loop {
            let answer = self.text(&format!("{question} ({})", words.join(", ")), usual);
            if words.contains(&answer.as_str()) {
                return answer;
            }
        }
    }

    /// A word; an empty line takes the usual one.
    pub(super) fn text(self, question: &str, usual: &str) -> String {
        if self == Questions::Skipped {
            return usual.to_owned();
        }
        terminal::say(&format!("{question} [{usual}]"));
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(length) if length > 0 && !line.trim().is_empty() => line.trim().to_owned(),
            _ => usual.to_owned(),
        }
    }
}

//! `akit init`: the first files of a suite, with one run that passes without a key and one that fails.
//!
//! Existing files are never replaced, and nothing is written unless everything can be.

mod forge;

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use self::forge::Forge;
use super::{Status, terminal};
use crate::config::{ConfigFile, FILES, find};
use crate::environment::Environment;
use crate::provider::{COMMAND, DEFAULT, HTTP, Spec};
use crate::scenario::{self, discover};
use crate::source::{Diagnostics, Pending, slashed};
use crate::text;

/// File names of a promptfoo configuration.
const PROMPTFOO: [&str; 2] = ["promptfooconfig.yaml", "promptfooconfig.yml"];

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Project folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// How to call your application [default: the vendor whose key is set, or openai]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(applications()))]
    provider: Option<String>,
    /// Model to call
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Address of your application, for `--provider http`
    #[arg(long, value_name = "URL", value_parser = super::value::address)]
    url: Option<String>,
    /// Program to run, with its arguments, for `--provider command`
    #[arg(long, value_name = "PROGRAM")]
    command: Option<String>,
    /// Pipeline to write [default: that of the remote]
    #[arg(long, value_name = "NAME")]
    forge: Option<Forge>,
    /// Convert the promptfooconfig.yaml in the folder
    #[arg(long)]
    import: bool,
    /// Ask no questions
    #[arg(short, long)]
    yes: bool,
}

/// Choices for the application: model vendors, a server and a program.
fn applications() -> Vec<&'static str> {
    Spec::vendors().map(|(name, _)| name).chain([HTTP, COMMAND]).collect()
}

/// Detected and chosen values.
struct Start {
    dir: PathBuf,
    root: PathBuf,
    /// Existing configuration that applies here.
    config: Option<PathBuf>,
    /// Whether it names a judge.
    judge: bool,
    scenarios: PathBuf,
    promptfoo: Option<PathBuf>,
    import: bool,
    provider: String,
    /// Model, address or program, depending on the provider.
    of: String,
    /// The variable for its key, and whether it is set.
    secret: Option<(&'static str, bool)>,
    forge: Forge,
}

pub(super) fn init(args: &InitArgs, environment: &Environment) -> Result<Status, Status> {
    let start = look(args, environment)?;
    let example = !has_scenarios(&start.scenarios);
    let mut files = planned(&start, example);
    if start.import {
        files.push(imported(&start)?);
    }
    let (kept, new): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, _)| path.symlink_metadata().is_ok());
    // Claim every path before writing the first file.
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
        terminal::out(&format!("kept   {}, which already exists", slashed(path)));
        if path.ends_with(".gitlab-ci.yml") {
            terminal::out(&format!("\nAdd this to it:\n\n{text}"));
        }
    }
    if let Some(config) = &start.config {
        terminal::out(&format!("reads  {}", slashed(config)));
    }
    ignore(&start)?;
    terminal::out(&next(&start, environment));
    Ok(Status::Passed)
}

/// Detects what exists, and asks for the rest.
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
    let judge = read.grader.is_some();
    let scenarios = read.scenarios.as_ref().map(|folder| read.folder.join(folder));
    let root = forge::root_of(&dir);
    let asked = Questions::of(args.yes);
    let has_key = |names: &[&str]| names.iter().any(|name| environment.get(name).is_some());
    // The default comes first, and counts only if its own key is set.
    let keyed = Spec::vendors().find(|(_, vendor)| has_key(vendor.key_variables));
    let usual = keyed.map_or(DEFAULT, |(name, _)| name);
    let named = match (&args.url, &args.command) {
        (Some(_), _) => Some(HTTP.to_owned()),
        (_, Some(_)) => Some(COMMAND.to_owned()),
        _ => None,
    };
    let provider = args.provider.clone().or(named).or_else(|| read.provider.clone());
    let provider = provider
        .unwrap_or_else(|| asked.choose("How does akit call your application?", &applications(), usual));
    let vendor = |name: &str| Spec::of(name).and_then(Spec::vendor);
    let of = match provider.as_str() {
        HTTP => args
            .url
            .clone()
            .unwrap_or_else(|| asked.text("What is its address?", "http://127.0.0.1:8080/chat")),
        COMMAND => args.command.clone().unwrap_or_else(|| asked.text("Which command starts it?", "./bot")),
        _ => args.model.clone().or_else(|| read.model.clone()).unwrap_or_else(|| {
            let usual = vendor(&provider).or(vendor(DEFAULT)).map_or("", |vendor| vendor.model);
            asked.text("Which model does it use?", usual)
        }),
    };
    let variables = vendor(&provider).map_or(&[][..], |vendor| vendor.key_variables);
    let set = variables.iter().find(|name| environment.get(name).is_some());
    let secret = set.or(variables.first()).map(|name| (*name, set.is_some()));
    let guess = Forge::find(&root);
    let forge = args.forge.unwrap_or_else(|| {
        let all = [Forge::Github, Forge::Gitlab, Forge::None];
        let word = asked.choose("Which CI system do you use?", &all.map(Forge::word), guess.word());
        all.into_iter().find(|one| one.word() == word).unwrap_or(guess)
    });
    let promptfoo = PROMPTFOO.iter().map(|name| inside(&dir, name)).find(|path| path.is_file());
    if args.import && promptfoo.is_none() {
        return Err(Status::Invalid.because(
            format!("there is no promptfooconfig.yaml in `{}`", slashed(&dir)),
            "nothing was written; convert another file with `akit import promptfoo FILE -o scenario.yaml`",
        ));
    }
    let offer = || promptfoo.is_some() && asked == Questions::Asked;
    let import = args.import
        || offer() && asked.choose("Convert your promptfoo suite as well?", &["yes", "no"], "yes") == "yes";
    let scenarios = scenarios.unwrap_or_else(|| inside(&dir, "scenarios"));
    Ok(Start { dir, root, config, judge, scenarios, promptfoo, import, provider, of, secret, forge })
}

/// A path in a folder, without a leading dot.
fn inside(dir: &Path, name: &str) -> PathBuf {
    if dir == Path::new(".") { PathBuf::from(name) } else { dir.join(name) }
}

fn has_scenarios(folder: &Path) -> bool {
    let own = |path: &PathBuf| path.file_name().is_some_and(|name| name == "first.yaml");
    discover(&[folder.to_path_buf()]).is_ok_and(|files| !files.is_empty() && !files.iter().any(own))
}

/// All files of a new project.
fn planned(start: &Start, example: bool) -> Vec<(PathBuf, String)> {
    let lf = |text: &str| text.replace("\r\n", "\n");
    let mut files = Vec::new();
    if start.config.is_none() {
        let config = lf(include_str!("akit.yaml"));
        let config = config.replace("APPLICATION", &application(start));
        files.push((inside(&start.dir, FILES[0]), config));
    }
    let scenario = |name: &str| start.scenarios.join(name);
    if example {
        files.push((scenario("first.yaml"), lf(include_str!("first.yaml"))));
        files.push((scenario("replies/good.jsonl"), lf(include_str!("good.jsonl"))));
        files.push((scenario("replies/regressed.jsonl"), lf(include_str!("regressed.jsonl"))));
    }
    files.push((scenario("scenario.schema.json"), format!("{:#}\n", scenario::schema())));
    let wanted = forge::Wanted {
        scenarios: &forge::below(&start.root, &start.scenarios),
        branch: &forge::branch(&start.root),
        secret: start.secret.map(|(name, _)| name),
        starts: start.provider == HTTP,
    };
    if let Some((path, pipeline)) = start.forge.pipeline(&wanted) {
        files.push((relative(&start.root).join(path), pipeline));
    }
    files
}

/// Configuration lines for the application.
fn application(start: &Start) -> String {
    let scalar = crate::import::scalar;
    match start.provider.as_str() {
        HTTP => format!(
            "provider: http\nproviders:\n  http:\n    url: {}\n    # What is sent, and where the answer is in what comes back. \
             Every key: docs/bot.md.\n    body: {{ session: \"{{{{conversation_id}}}}\", message: \"{{{{prompt}}}}\" }}\n    \
             answer: /answer\n    # headers: {{ Authorization: \"Bearer ${{BOT_KEY}}\" }}",
            scalar(&start.of)
        ),
        COMMAND => {
            let words: Vec<_> =
                start.of.split_whitespace().map(|word| format!("\n      - {}", scalar(word))).collect();
            format!(
                "provider: command\nproviders:\n  command:\n    # It reads the question from stdin and prints the answer. Every \
                 key: docs/bot.md.\n    command:{}",
                words.concat()
            )
        }
        name => format!("provider: {name}\nmodel: {}", scalar(&start.of)),
    }
}

/// Adds run artifacts to the repository's `.gitignore`.
fn ignore(start: &Start) -> Result<(), Status> {
    let path = inside(&start.dir, ".gitignore");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let is_new = path.symlink_metadata().is_err();
    if !start.root.join(".git").exists() || old.contains(".akit") || (old.is_empty() && !is_new) {
        return Ok(());
    }
    let gap = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    open(&path)?
        .write(format!("{old}{gap}.akit/\n").as_bytes())
        .map_err(|error| unwritable(&path, &error))?;
    terminal::out(&format!("added  .akit/ to {}", slashed(&path)));
    Ok(())
}

/// The folder, or an empty path if it is the current one.
fn relative(root: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    if here.is_ok_and(|here| here == root) { PathBuf::new() } else { root.to_path_buf() }
}

/// The scenario converted from a promptfoo suite.
fn imported(start: &Start) -> Result<(PathBuf, String), Status> {
    let path = start.promptfoo.as_deref().ok_or(Status::Invalid)?;
    Ok((start.scenarios.join("promptfoo.yaml"), super::import::promptfoo(path)?.text))
}

fn open(path: &Path) -> Result<Pending, Status> {
    Pending::open(path).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Status {
    let message = format!("cannot write `{}`: {}", slashed(path), terminal::system(error));
    Status::Invalid.because(&message, "fix the folder and run `akit init` again; existing files are kept")
}

/// The next three steps; each command works as printed.
fn next(start: &Start, environment: &Environment) -> String {
    let scenarios = slashed(&start.scenarios);
    let first = format!("{scenarios}/first.yaml");
    let mut out = vec!["\nNext:".to_owned()];
    let mut step = |number: u8, what: &str, lines: &[String]| {
        out.push(format!("  {number}. {what}"));
        out.extend(lines.iter().map(|line| format!("     {line}")));
    };
    let key = match start.secret {
        Some((name, true)) => format!(" ({name} is set)"),
        Some((name, false)) => format!(" (set {name} first)"),
        None => String::new(),
    };
    let imported = scenario::load(&[start.scenarios.join("promptfoo.yaml")], environment);
    let mut cases = imported.scenarios.iter().flat_map(|scenario| &scenario.cases);
    let config = slashed(start.config.as_deref().unwrap_or(Path::new(FILES[0])));
    let lacks = !start.judge && cases.any(|case| !case.graders().is_empty());
    let judge = lacks.then(|| format!(" Imported cases need a judge: set `grader:` in {config} first."));
    let judge = judge.unwrap_or_default();
    let test = format!("Test your application{key}.{judge}");
    if Path::new(&first).is_file() {
        let red = format!("akit run {first} --replies {scenarios}/replies/regressed.jsonl  # exit code 1");
        step(
            1,
            "See one run pass, and a worse bot fail. The answers are recorded; nothing is sent.",
            &[format!("akit run {first}"), red],
        );
        let model = match start.provider.as_str() {
            HTTP | COMMAND => String::new(),
            _ => format!(" -m {}", text::argument(&start.of)),
        };
        let live = format!("akit run {first} -p {}{model}", start.provider);
        step(2, &test, &[live]);
    } else {
        step(1, "Check the scenarios. Nothing is sent.", &[format!("akit validate {scenarios}")]);
        step(2, &test, &[format!("akit run {scenarios}")]);
    }
    if start.forge == Forge::None {
        step(3, "Add a pipeline (github or gitlab).", &["akit init --forge github".to_owned()]);
    } else {
        let secret = start.secret.map(|(name, _)| match start.forge {
            Forge::Gitlab => format!("It needs the masked CI/CD variable {name}."),
            _ => format!("It needs the secret {name} (Settings > Secrets and variables > Actions)."),
        });
        let akit = start.forge.needs_akit().then(|| {
            "It needs `akit` on the PATH of the runner: akit has no release yet, so install it in the image or in a step."
                .to_owned()
        });
        let lines: Vec<_> = secret.into_iter().chain(akit).collect();
        step(
            3,
            "Commit and push. The pipeline tests changes against the baseline of the main branch.",
            &lines,
        );
    }
    if let Some(path) = start.promptfoo.as_ref().filter(|_| !start.import) {
        let path = slashed(path);
        out.push(format!(
            "\nTo convert your promptfoo suite:\n  akit import promptfoo {path} -o {scenarios}/promptfoo.yaml"
        ));
    }
    out.push(
        "\nCommit `.akit/cache` if CI should replay recorded answers; otherwise keep it in .gitignore."
            .to_owned(),
    );
    out.join("\n")
}

/// Whether to ask questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Questions {
    Asked,
    Skipped,
}

impl Questions {
    /// No questions under `--yes`, or if stdin or stderr is not a terminal.
    pub(super) fn of(yes: bool) -> Self {
        let there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if there && !yes { Questions::Asked } else { Questions::Skipped }
    }

    /// Asks for one of these words; an empty line takes the default.
    pub(super) fn choose(self, question: &str, words: &[&str], usual: &str) -> String {
        loop {
            let answer = self.text(&format!("{question} ({})", words.join(", ")), usual);
            if words.contains(&answer.as_str()) {
                return answer;
            }
        }
    }

    /// Asks for a word; an empty line takes the default.
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

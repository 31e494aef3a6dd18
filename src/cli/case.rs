//! `akit case`: cases from stored conversations.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Status, import, stored, terminal};
use crate::environment::Environment;
use crate::import::frozen;
use crate::scenario;
use crate::source::{Node, SourceFile};
use crate::text;

/// Arguments of `akit case`.
#[derive(Debug, Args)]
pub(super) struct CaseArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Turn a conversation of a stored run into a scenario
    From(FromArgs),
}

#[derive(Debug, Args)]
struct FromArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    /// Case to take: its ID, or `scenario/id`
    #[arg(long, value_name = "ID")]
    case: String,
    /// Trial to take, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    trial: u32,
    /// What to write
    #[arg(long = "as", value_name = "FORM", default_value = "turns")]
    form: Form,
    /// File to create [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Form of the new case.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// A script of the customer's turns
    Turns,
}

pub(super) fn case(args: &CaseArgs, environment: &Environment) -> Result<Status, Status> {
    let What::From(args) = &args.what;
    let Form::Turns = args.form;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(status) = output.and_then(import::is_there) {
        return Err(status);
    }
    let run = stored::run(&args.run)?;
    let named = |id: &str, scenario: &str| args.case == id || args.case == format!("{scenario}/{id}");
    let found: Vec<_> = run.cases.iter().filter(|case| named(&case.id, &case.scenario)).collect();
    let shown = text::excerpt(&args.case, 60);
    let case = match found.as_slice() {
        [case] => case,
        [] => {
            let known: Vec<&str> = run.cases.iter().map(|case| case.id.as_str()).collect();
            let help = text::meant(&args.case, &known, || {
                "pass the ID of a case in that run, or scenario/id".to_owned()
            });
            return Err(Status::Invalid.because(format!("the run has no case `{shown}`"), help));
        }
        several => {
            let all: Vec<String> = several.iter().map(|case| case.key().to_string()).collect();
            let message = format!("several cases have the ID `{shown}`");
            return Err(Status::Invalid.because(message, format!("choose one of {}", text::list(&all))));
        }
    };
    let trial = case.trials.iter().find(|trial| trial.index == args.trial).ok_or_else(|| {
        let known: Vec<String> = case.trials.iter().map(|trial| trial.index.to_string()).collect();
        let message = format!("case `{shown}` has no trial {}", args.trial);
        Status::Invalid.because(message, format!("choose one of {}", text::list(&known)))
    })?;
    if trial.conversation.is_none() || trial.turns.is_empty() {
        let message = format!("trial {} of case `{shown}` is not a conversation with turns", args.trial);
        return Err(Status::Invalid.because(message, "choose a case with `turns` or `customer`"));
    }
    let name = &case.location.file;
    let again = "run this in the folder where that run was made, with the same scenario file";
    let file = Path::new(name);
    let node = SourceFile::read(file)
        .map_err(|error| error.to_string())
        .and_then(|file| Node::parse(&file).map_err(|error| error.message))
        .map_err(|why| Status::Invalid.because(format!("cannot read `{name}`: {why}"), again))?;
    let loaded = scenario::load(&[file], environment);
    let mut known = loaded.scenarios.iter().flat_map(|scenario| &scenario.cases);
    let dialogue = known.find(|known| known.id == case.id).and_then(|known| known.dialogue.as_deref());
    let frozen = dialogue.and_then(|dialogue| frozen(&node, &case.id, &dialogue.facts, trial));
    let frozen = frozen.ok_or_else(|| {
        let message = format!("`{name}` has no readable conversation `{}`", text::excerpt(&case.id, 60));
        Status::Invalid.because(message, again)
    })?;
    for one in &frozen.left_out {
        terminal::warning(one, "");
    }
    Ok(import::write(&frozen.text, output))
}

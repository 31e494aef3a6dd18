//! `akit baseline`: the results that later runs are compared with.

mod accept;
mod diff;
mod show;
mod update;

use clap::{Args, Subcommand};

use super::{Status, terminal};
use crate::environment::Environment;
use crate::history::{HistoryError, Pipeline, Place};

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Add the trials of a stored run; the baseline is made when it is missing
    Update(update::UpdateArgs),
    /// Take a known change: the old trials of these cases count no more
    Accept(accept::AcceptArgs),
    /// List the cases with their trials
    Show(show::ShowArgs),
    /// List what two baselines have otherwise
    Diff(diff::DiffArgs),
}

/// Which baseline.
#[derive(Debug, Args)]
struct At {
    /// Baseline: FILE, git:REVISION:PATH or git-ref:NAME
    #[arg(long, value_name = "PLACE", default_value = "akit-baseline.json", value_parser = Place::parse)]
    baseline: Place,
}

/// What ends a command early.
enum Trouble {
    /// A file, or git.
    History(HistoryError),
    /// Cases that nobody knows: the message and how to mend it.
    Unknown(String, String),
    /// A pattern that is none.
    Pattern(String),
    /// A run that does not belong in a baseline as it is.
    Failed { message: String, help: &'static str },
}

impl From<HistoryError> for Trouble {
    fn from(error: HistoryError) -> Self {
        Self::History(error)
    }
}

pub(super) fn baseline(args: &BaselineArgs, environment: &Environment) -> Status {
    let done = match &args.command {
        BaselineCommand::Update(args) => update::update(args, environment),
        BaselineCommand::Accept(args) => accept::accept(args, environment),
        BaselineCommand::Show(args) => show::show(args, environment),
        BaselineCommand::Diff(args) => diff::diff(args, environment),
    };
    match done {
        Ok(text) => {
            terminal::out(&text);
            Status::Passed
        }
        Err(Trouble::Unknown(message, help)) => {
            terminal::error(&message, &help);
            Status::Nothing
        }
        Err(Trouble::Failed { message, help }) => {
            terminal::error(&message, help);
            Status::Failed
        }
        Err(Trouble::Pattern(message)) => {
            terminal::error(&message, "`*` stands for any text, as in `support/*`");
            Status::Invalid
        }
        Err(Trouble::History(error)) => {
            let help = match &error {
                HistoryError::Foreign { what, .. } if what.contains("run") => {
                    "runs are stored by `akit run --json FILE`"
                }
                HistoryError::Foreign { .. } => "restore it, or make it anew with `akit baseline update`",
                HistoryError::Git(_) | HistoryError::Fixed(_) => "see docs/baseline.md",
                _ => "check the path",
            };
            terminal::error(&error.to_string(), help);
            Status::Invalid
        }
    }
}

/// What the pipeline says of the change that it tests.
pub(super) fn pipeline(environment: &Environment) -> Pipeline {
    Pipeline::of(|name| environment.get(name))
}

/// `words (3): a, b, c`, with no more than twenty of them; nothing where there are none.
fn names<S: AsRef<str>>(words: &str, names: &[S]) -> Option<String> {
    const MOST: usize = 20;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let rest = names.len().saturating_sub(MOST);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{words} ({}): {}{more}", names.len(), shown.join(", ")))
}

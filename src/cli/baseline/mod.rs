//! `akit baseline`: the results that later runs are compared with.

mod accept;
mod diff;
mod show;
mod update;

use clap::{Args, Subcommand};

use super::stored::unread;
use super::{Status, terminal};
use crate::baseline::Baseline;
use crate::environment::Environment;
use crate::history::{self, Pipeline, Place};

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

pub(super) fn baseline(args: &BaselineArgs, environment: &Environment) -> Result<Status, Status> {
    let lines = match &args.command {
        BaselineCommand::Update(args) => update::update(args, environment),
        BaselineCommand::Accept(args) => accept::accept(args, environment),
        BaselineCommand::Show(args) => show::show(args, environment),
        BaselineCommand::Diff(args) => diff::diff(args, environment),
    }?;
    terminal::lines(&lines);
    Ok(Status::Passed)
}

/// Reads a baseline, and says where it was found.
fn read(place: &Place, environment: &Environment) -> Result<(Baseline, String), Status> {
    let pipeline = Pipeline::of(environment);
    history::read_baseline_at(place, &pipeline).map_err(|error| unread(&error))
}

/// Changes a baseline.
fn change<T>(place: &Place, change: impl FnMut(&mut Baseline) -> T) -> Result<T, Status> {
    history::change_baseline(place, change).map_err(|error| unread(&error))
}

/// `words (3): a, b, c`, with no more than twenty of them; nothing where there are none.
fn names<S: AsRef<str>>(words: &str, names: &[S]) -> Option<String> {
    const MOST: usize = 20;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let rest = names.len().saturating_sub(MOST);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{words} ({}): {}{more}", names.len(), shown.join(", ")))
}

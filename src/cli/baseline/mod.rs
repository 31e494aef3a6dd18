//! `akit baseline`: the results that later runs are compared with.

mod accept;
mod diff;
mod show;
mod update;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::configuration;
use super::policy::{GateArgs, tell_ahead};
use super::stored::{files, unread};
use super::{Status, terminal};
use crate::baseline::Baseline;
use crate::environment::Environment;
use crate::gate::{self, Decision, Evidence, Policy, Reference};
use crate::history::{self, Pipeline, Place};
use crate::manifest::RunManifest;
use crate::text;
use crate::vocabulary::{BadMoment, moment};

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Add the trials of a stored run; creates a missing baseline
    #[command(mut_arg("baseline", |flag| flag.help(WRITTEN)))]
    Update(update::UpdateArgs),
    /// Accept an intended change and reset these cases
    #[command(mut_arg("baseline", |flag| flag.help(WRITTEN)))]
    Accept(accept::AcceptArgs),
    /// List the cases and their trials
    Show(show::ShowArgs),
    /// Show how two baselines differ
    Diff(diff::DiffArgs),
}

/// Choice of policy.
#[derive(Debug, Args)]
struct PolicyArgs {
    /// Configuration [default: the nearest akit.yaml above the run's scenarios]
    #[arg(long, value_name = "FILE", alias = "policy")]
    config: Option<PathBuf>,
}

/// Writable baselines.
const WRITTEN: &str = "Baseline to change: FILE or `git-ref:NAME`";

/// Choice of baseline.
#[derive(Debug, Args)]
struct At {
    /// Baseline to read: FILE, `git:REV:PATH` or `git-ref:NAME`
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

/// Reads a baseline; returns it with its place.
fn read(place: &Place, environment: &Environment) -> Result<(Baseline, String), Status> {
    let pipeline = Pipeline::of(environment);
    let found = history::read_baseline_at(place, &pipeline).map_err(|error| unread(&error))?;
    tell_ahead(&found.0, &found.1);
    Ok(found)
}

fn change<T>(place: &Place, mut change: impl FnMut(&mut Baseline) -> T) -> Result<T, Status> {
    let mut told = false;
    let change = |baseline: &mut Baseline| {
        if !std::mem::replace(&mut told, true) {
            tell_ahead(baseline, &place.to_string());
        }
        change(baseline)
    };
    history::change_baseline(place, change).map_err(|error| unread(&error))
}

/// Drops the time of a run if it is in the future: it would make every other run look old.
fn in_time(mut run: RunManifest) -> RunManifest {
    let ahead = |at: &mut String| matches!(moment(at, crate::vocabulary::now()), Err(BadMoment::Ahead(_)));
    if let Some(at) = run.at.take_if(ahead) {
        let message = format!(
            "run {}: its time {} is in the future and is ignored",
            run.run_id,
            text::excerpt(&at, 40)
        );
        terminal::warning(&message, "check the clock of the machine that ran it");
    }
    run
}

/// The gate's decision on a run compared with the baseline that it is to change, under the configured policy.
fn decide(run: &RunManifest, baseline: &Baseline, policy: &Policy) -> Decision {
    let reference =
        if baseline.cases.is_empty() { Reference::None } else { Reference::Found { baseline, from: "" } };
    gate::decide(&Evidence { run, reference, weakened: &[] }, policy)
}

impl PolicyArgs {
    /// The configured policy.
    fn of(&self, run: &RunManifest, environment: &Environment) -> Result<Policy, Status> {
        let config = configuration(self.config.as_deref(), &files(run), environment)?;
        Ok(GateArgs::default().policy(&config.gate, environment))
    }
}

/// `words (3): a, b, c`, at most twenty of them; empty if there are none.
fn names<S: AsRef<str>>(words: &str, names: &[S]) -> Option<String> {
    const MOST: usize = 20;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let rest = names.len().saturating_sub(MOST);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{words} ({}): {}{more}", names.len(), shown.join(", ")))
}

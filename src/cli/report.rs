//! `akit report`: writes reports of a stored run. It never gates.

use std::path::PathBuf;

use clap::Args;

use super::Status;
use super::gate::decide;
use super::output::{Output, ReportArgs};
use super::past::{self, PastArgs};
use super::policy::GateArgs;
use super::stored::{decided, files, sources};
use crate::environment::Environment;
use crate::history::Place;
use crate::report::Report;
use crate::source::slashed;

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    /// Decide again, with the policy in this configuration
    #[arg(long, value_name = "FILE", alias = "policy")]
    config: Option<PathBuf>,
    /// Decide again, against this baseline: FILE, `git:REV:PATH` or `git-ref:NAME`
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    baseline: Option<Place>,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(super) fn report(args: &RenderArgs, environment: &Environment) -> Result<Status, Status> {
    let (mut run, decision) = decided(&args.run)?;
    let before = args.past.find(args.reports.shows_past())?;
    let anew = args.config.is_some() || args.baseline.is_some();
    let stored = decision.filter(|_| !anew);
    if stored.as_ref().is_some_and(|one| one.counts != run.counts() || one.cases.len() != run.cases.len()) {
        return Err(Status::Invalid.because(
            format!("the decision in `{}` belongs to another run", slashed(&args.run)),
            "add `--config` or `--baseline` to decide again",
        ));
    }
    let (decision, place) = if let Some(decision) = stored {
        (decision, None)
    } else {
        let gate = GateArgs::against(args.baseline.clone());
        let files = files(&run);
        decide(&mut run, &files, args.config.as_deref(), &gate, environment)?
    };
    let inputs = place.iter().filter_map(Place::file).chain([args.run.as_path()]);
    let inputs: Vec<_> = inputs.chain(past::named(before.as_ref())).collect();
    let outputs = args.reports.open(&inputs, environment)?;
    let sources = sources(&run);
    let past = past::read(before.as_ref(), &run, &decision);
    let links = args.reports.links(environment, Some(&args.run));
    let report = Report { run: &run, decision: &decision, sources: &sources, past: &past, links: &links };
    Output::write_all(&report, outputs);
    Ok(Status::Passed)
}

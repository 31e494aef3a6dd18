//! `akit gate`: decides on a stored run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{SelectArgs, configuration};
use super::base::{Here, SuitePaths, around};
use super::output::{Output, ReportArgs};
use super::past::{self, PastArgs};
use super::policy::{GateArgs, StatusArgs, accepted_in, check_names, read_baseline};
use super::stored::{self, files, sources};
use super::{Status, publish};
use crate::config::{Flags, Named};
use crate::demands::withhold;
use crate::environment::Environment;
use crate::gate::{self, Evidence, Policy};
use crate::history::Place;
use crate::manifest::{RunManifest, Trial};
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct StoredArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    /// Configuration [default: the nearest akit.yaml above the run's scenarios]
    #[arg(long, value_name = "FILE", alias = "policy")]
    config: Option<PathBuf>,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    status: StatusArgs,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(super) fn gate(args: &StoredArgs, environment: &Environment) -> Result<Status, Status> {
    let mut run = stored::run(&args.run)?;
    let before = args.past.find(args.reports.shows_past())?;
    let files = files(&run);
    let (decision, place) = decide(&mut run, &files, args.config.as_deref(), &args.gate, environment)?;
    let inputs = place.iter().filter_map(Place::file).chain([args.run.as_path()]);
    let inputs: Vec<_> = inputs.chain(past::named(before.as_ref())).collect();
    let outputs = args.reports.open(&inputs, environment)?.within(environment);
    let sources = sources(&run);
    let past = past::read(before.as_ref(), &run, &decision);
    let links = args.reports.links(environment, Some(&args.run));
    let report = Report { run: &run, decision: &decision, sources: &sources, past: &past, links: &links };
    let written = Output::write_all(&report, outputs);
    let status = args.status.of(&decision, &run);
    publish::step(environment, &report, status, written);
    Ok(status)
}

/// The stored run's ID, in place of files of recorded answers, if all answers came from a flag: then only those answers
/// count, whatever the scenario files name.
fn given(run: &RunManifest) -> Vec<PathBuf> {
    let mut answers = run.trials().flat_map(Trial::answers).peekable();
    let all = answers.peek().is_some() && answers.all(|answer| answer.given);
    all.then(|| PathBuf::from(&run.run_id)).into_iter().collect()
}

/// Decides on a stored run of these scenario files, adding the notes of the comparison with its base; also returns where the
/// baseline is.
pub(super) fn decide(
    run: &mut RunManifest,
    files: &[PathBuf],
    policy: Option<&Path>,
    gate: &GateArgs,
    environment: &Environment,
) -> Result<(gate::Decision, Option<Place>), Status> {
    let config = configuration(policy, files, environment)?;
    if config.file.is_none() {
        run.notes.push("no akit.yaml found: the default policy applies".to_owned());
    }
    let names: Vec<_> = run
        .cases
        .iter()
        .map(|case| Named { scenario: &case.scenario, id: &case.id, tags: &case.tags })
        .collect();
    check_names(&config, &names, environment)?;
    let (paths, there) = around(files, &config);
    let here = Here::of(environment);
    let suite = SuitePaths {
        paths: &paths,
        files: &there,
        named: policy,
        config: &config,
        flags: Flags { replies: given(run), ..Flags::default() },
        selection: SelectArgs::written(&run.suite).selection()?,
        budget: false,
        flags_decide: gate.decides(),
        here,
    };
    let mut base = gate.base.compare(gate, &suite, environment)?;
    if run.redacted.is_some() {
        withhold(&mut base.weakened);
    }
    run.notes.extend(base.notes.iter().cloned());
    let of_base = base.cases.take();
    let policy = Policy { of_base, ..gate.policy(&base.config(&config).gate, environment) };
    let place = base.place.take();
    let found = read_baseline(place.as_ref(), base.commit.as_ref(), environment)?;
    let evidence = Evidence { run, reference: found.reference(), weakened: &base.weakened };
    let mut decision = gate::decide(&evidence, &policy);
    decision.accepted_in(place.as_ref().map(accepted_in), &evidence, &policy);
    Ok((decision, place))
}

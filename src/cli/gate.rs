//! `akit gate`: the decision over a stored run, and what `akit run` shares with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Deserialize;

use super::args::configuration;
use super::output::{Output, ReportArgs};
use super::past::{self, PastArgs};
use super::weakening::{BaseArgs, Here, Suite, around};
use super::{Status, publish, terminal};
use crate::baseline::Baseline;
use crate::config::{ConfigFile, GateConfig, Named};
use crate::demands::withhold;
use crate::environment::Environment;
use crate::gate::{self, Category, Evidence, Policy, Reference, Rigor};
use crate::history::{self, HistoryError, Pipeline, Place};
use crate::manifest::RunManifest;
use crate::report::Report;
use crate::scenario::{self, Scenario};
use crate::source::{Diagnostics, SourceFile};

/// What a regression is held against, and what proves one.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct ProofArgs {
    /// Compare with these results: a file, `git:REV:PATH`, or `git-ref:NAME`
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    pub(super) baseline: Option<Place>,
    /// Fresh trials of a case that fails and used to pass; 0: one failure is proof [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1000))]
    confirm: Option<u32>,
    /// Innocence must be proven: the same as `policy: strict`
    #[arg(long)]
    strict: bool,
}

/// What the gate demands, over what the configuration says.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct GateArgs {
    #[command(flatten)]
    pub(super) proof: ProofArgs,
    /// Least share of judged cases that must pass, 0 to 1 [default: every case]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_pass_rate: Option<f64>,
    /// Greatest share of cases that could not be judged, 0 to 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_error_rate: Option<f64>,
    /// What else fails the gate, beside what the configuration names
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = category)]
    fail_on: Vec<Category>,
    #[command(flatten)]
    pub(super) base: BaseArgs,
}

/// What the status is made of beside the decision.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct StatusArgs {
    /// Report FAIL and INCONCLUSIVE, and end with status 0 all the same
    #[arg(long)]
    soft_fail: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{text}` is no share from 0 to 1")),
    }
}

fn category(text: &str) -> Result<Category, String> {
    let found = Category::ALL.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, category)| *category)
        .ok_or_else(|| format!("there are {}", crate::text::list(&Category::ALL.map(|(name, _)| name))))
}

/// A baseline that was asked for.
pub(super) enum Found {
    /// None was asked for.
    None,
    /// None is there.
    Missing(String),
    /// Stored results, and where they lie.
    There(Box<Baseline>, String),
}

impl Found {
    pub(super) fn reference(&self) -> Reference<'_> {
        match self {
            Found::None => Reference::None,
            Found::Missing(place) => Reference::Missing(place),
            Found::There(baseline, from) => Reference::Found { baseline, from },
        }
    }

    pub(super) fn baseline(&self) -> Option<&Baseline> {
        match self {
            Found::There(baseline, _) => Some(baseline),
            _ => None,
        }
    }
}

impl ProofArgs {
    /// The configured policy under the flags.
    pub(super) fn policy(&self, config: &GateConfig, environment: &Environment) -> Policy {
        let mut policy = config.policy.clone();
        policy.confirm = self.confirm.unwrap_or(policy.confirm);
        if self.strict {
            policy.rigor = Rigor::Strict;
        }
        policy.today = today(environment);
        policy
    }

    /// Where the baseline lies, where one is asked for; a configured file is relative to its configuration.
    pub(super) fn place(&self, config: &GateConfig, folder: &Path) -> Option<Place> {
        let configured = || {
            Some(match config.from.clone()? {
                Place::File(path) => Place::File(folder.join(path)),
                place => place,
            })
        };
        self.baseline.clone().or_else(configured)
    }
}

impl GateArgs {
    /// The configured policy as it is, with this baseline.
    pub(super) fn against(baseline: Option<Place>) -> Self {
        Self { proof: ProofArgs { baseline, ..ProofArgs::default() }, ..Self::default() }
    }

    /// The configured policy under the flags.
    pub(super) fn policy(&self, config: &GateConfig, environment: &Environment) -> Policy {
        let mut policy = self.proof.policy(config, environment);
        policy.min_pass_rate = self.min_pass_rate.or(policy.min_pass_rate);
        policy.max_error_rate = self.max_error_rate.unwrap_or(policy.max_error_rate);
        policy.fail_on.extend(&self.fail_on);
        policy
    }
}

impl StatusArgs {
    /// The status of a decided run.
    pub(super) fn of(&self, decision: &gate::Decision, run: &RunManifest) -> Status {
        match Status::of(decision, run.ended) {
            Status::Failed | Status::Inconclusive if self.soft_fail => {
                terminal::warning(
                    &format!("the gate says {}", decision.conclusion.word()),
                    "`--soft-fail` ends with status 0 all the same",
                );
                Status::Passed
            }
            status => status,
        }
    }
}

/// The day, `YYYY-MM-DD` in UTC. `SOURCE_DATE_EPOCH` may put it off, never back: shells of builds set it
/// to a day long gone, and a quarantine that has ended must not hold again.
fn today(environment: &Environment) -> String {
    let told = environment.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let told = told.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    told.unwrap_or_default().max(Utc::now()).format("%Y-%m-%d").to_string()
}

/// Reads a baseline; one that cannot be read keeps the run from being judged.
pub(super) fn read_baseline(place: Option<&Place>, environment: &Environment) -> Result<Found, Status> {
    let Some(place) = place else { return Ok(Found::None) };
    let pipeline = Pipeline::of(|name| environment.get(name));
    match history::read_baseline_at(place, &pipeline) {
        Ok((baseline, from)) => Ok(Found::There(Box::new(baseline), from)),
        Err(HistoryError::Missing(path)) => {
            terminal::warning(
                &format!("there is no baseline `{path}`: regressions are not evaluated"),
                "make it with `akit baseline update run.json --baseline FILE`",
            );
            Ok(Found::Missing(path))
        }
        Err(error) => {
            terminal::error(
                &error.to_string(),
                "nothing was sent; restore the file or make it anew with `akit baseline update`",
            );
            Err(Status::Unjudged)
        }
    }
}

/// Tells names in the policy that no case has, neither of those at hand nor of the configured suite.
pub(super) fn check_names(
    config: &ConfigFile,
    cases: &[Named<'_>],
    environment: &Environment,
) -> Result<(), Status> {
    let mut found = Diagnostics::default();
    config.gate.check(cases, &mut found);
    if !found.has_errors() {
        return Ok(());
    }
    // A part of the suite may lack what the policy names.
    let folder = config.folder.join(config.scenarios.as_deref().unwrap_or("scenarios"));
    let rest = scenario::load(&scenario::discover(&[folder]).unwrap_or_default(), environment);
    let mut cases = cases.to_vec();
    cases.extend(named(&rest.scenarios));
    found = Diagnostics::default();
    config.gate.check(&cases, &mut found);
    terminal::diagnostics(&found);
    if found.has_errors() { Err(Status::Invalid) } else { Ok(()) }
}

/// Cases as a policy can name them.
pub(super) fn named(scenarios: &[Scenario]) -> impl Iterator<Item = Named<'_>> {
    scenarios.iter().flat_map(|scenario| {
        let name = &scenario.name;
        scenario.cases.iter().map(move |case| Named { scenario: name, id: &case.id, tags: &case.tags })
    })
}

#[derive(Debug, Args)]
pub(super) struct StoredArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    /// Configuration with the policy [default: the nearest akit.yaml above the run's scenarios]
    #[arg(long, value_name = "FILE", alias = "config")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    status: StatusArgs,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(super) fn gate(args: &StoredArgs, environment: &Environment) -> Status {
    try_gate(args, environment).unwrap_or_else(|status| status)
}

fn try_gate(args: &StoredArgs, environment: &Environment) -> Result<Status, Status> {
    let mut run = stored(&args.run)?;
    let before = args.past.find(&args.reports)?;
    let files = files(&run);
    let (decision, place) = decide(&mut run, &files, args.policy.as_deref(), &args.gate, environment)?;
    let inputs = place.iter().filter_map(Place::file).chain([args.run.as_path()]);
    let inputs: Vec<_> = inputs.chain(past::named(before.as_ref())).collect();
    let outputs = args.reports.open(&inputs)?.within(environment);
    let sources = sources(&run);
    let past = past::read(before.as_ref(), &run, &decision);
    let report = Report { run: &run, decision: &decision, sources: &sources, past: &past };
    let written = Output::write_all(&report, outputs);
    let status = args.status.of(&decision, &run);
    publish::step(environment, &report, status, written);
    Ok(status)
}

/// Reads a stored run; tells why it cannot.
pub(super) fn stored(path: &Path) -> Result<RunManifest, Status> {
    history::read_run(path).map_err(|error| unread(&error))
}

/// Reads a stored run with the decision that stands beside it, if one does.
pub(super) fn decided(path: &Path) -> Result<(RunManifest, Option<gate::Decision>), HistoryError> {
    #[derive(Deserialize)]
    struct Beside {
        decision: Option<gate::Decision>,
    }
    let (run, beside) = history::read_run_with::<Beside>(path)?;
    Ok((run, beside.decision))
}

/// Tells why a stored run cannot be read.
pub(super) fn unread(error: &HistoryError) -> Status {
    terminal::error(&error.to_string(), "runs are stored by `akit run --json FILE`");
    match error {
        HistoryError::Missing(_) => Status::Nothing,
        _ => Status::Invalid,
    }
}

/// Decides over a stored run of these scenario files, which takes the notes of the comparison with its base; also says where the
/// baseline lies.
pub(super) fn decide(
    run: &mut RunManifest,
    files: &[PathBuf],
    policy: Option<&Path>,
    gate: &GateArgs,
    environment: &Environment,
) -> Result<(gate::Decision, Option<Place>), Status> {
    let config = configuration(policy, files, environment)?;
    if config.file.is_none() {
        run.notes.push("no akit.yaml was found: the default policy holds".to_owned());
    }
    let names: Vec<_> = run
        .cases
        .iter()
        .map(|case| Named { scenario: &case.scenario, id: &case.id, tags: &case.tags })
        .collect();
    check_names(&config, &names, environment)?;
    let (paths, there) = around(files, &config);
    let here = Here::of(environment);
    let suite = Suite { paths: &paths, files: &there, named: policy, config: &config, budget: false, here };
    let mut base = gate.base.compare(gate, &suite, environment)?;
    if run.redacted.is_some() {
        withhold(&mut base.weakened);
    }
    run.notes.extend(base.notes.iter().cloned());
    let rules = base.rules(&config);
    let policy = gate.policy(rules, environment);
    let place = gate.proof.place(rules, &config.folder);
    let found = read_baseline(place.as_ref(), environment)?;
    let evidence = Evidence { run, reference: found.reference(), weakened: &base.weakened };
    Ok((gate::decide(&evidence, &policy), place))
}

/// The scenario files of a run, as it names them.
pub(super) fn files(run: &RunManifest) -> Vec<PathBuf> {
    run.scenarios.iter().map(|scenario| PathBuf::from(&scenario.file)).collect()
}

/// The scenario files that are still there, for excerpts under findings.
pub(super) fn sources(run: &RunManifest) -> BTreeMap<String, Arc<SourceFile>> {
    let files = files(run);
    let read = files.iter().filter_map(|file| SourceFile::read(file).ok());
    read.map(|source| (source.name().to_owned(), Arc::new(source))).collect()
}

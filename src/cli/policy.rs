//! The policy: flags over configuration, and the baseline they name.

use std::path::Path;

use chrono::DateTime;
use clap::{Args, ValueEnum};
use strum::VariantNames as _;

use super::value::{share, shown, whole};
use super::{Status, terminal};
use crate::baseline::Baseline;
use crate::config::{ConfigFile, GateConfig, Named};
use crate::environment::Environment;
use crate::gate::{self, AcceptedIn, Category, Policy, Reference, Rigor, Sought};
use crate::history::{self, HistoryError, PastCommit, Pipeline, Place};
use crate::manifest::RunManifest;
use crate::scenario::{self, Scenario};
use crate::source::Diagnostics;
use crate::text;

/// Flags about regressions.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct ProofArgs {
    /// Baseline to compare with: FILE, `git:REV:PATH` or `git-ref:NAME`
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    pub(super) baseline: Option<Place>,
    /// Maximum extra trials of a failing case; with 0, one failure is proof [default: 10]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0..=1000, 10), allow_negative_numbers = true)]
    confirm: Option<u32>,
    /// Require proof that the change breaks nothing (same as `policy: strict`)
    #[arg(long)]
    strict: bool,
}

/// Flags that override the configured policy.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct GateArgs {
    #[command(flatten)]
    pub(super) proof: ProofArgs,
    /// Minimum share of judged cases that must pass, 0 to 1 [default: every case]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    min_pass_rate: Option<f64>,
    /// Maximum share of errored cases, 0 to 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    max_error_rate: Option<f64>,
    /// Also fail the gate on these, in addition to those in the configuration
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = category)]
    fail_on: Vec<Category>,
    #[command(flatten)]
    pub(super) base: BaseArgs,
}

/// Flags that change the exit code.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(super) struct StatusArgs {
    /// Report FAIL and INCONCLUSIVE, but exit with 0
    #[arg(long)]
    soft_fail: bool,
}

fn category(text: &str) -> Result<Category, String> {
    let all = || crate::text::list(Category::VARIANTS);
    text.parse().map_err(|_| format!("{} is not one of {}", shown(text), all()))
}

/// A requested baseline.
pub(super) enum FoundBaseline {
    /// Not requested.
    None,
    /// Does not exist.
    Missing(String, Sought),
    /// Stored results, and their location.
    There(Box<Baseline>, String),
}

impl FoundBaseline {
    pub(super) fn reference(&self) -> Reference<'_> {
        match self {
            FoundBaseline::None => Reference::None,
            FoundBaseline::Missing(place, sought) => Reference::Missing(place, *sought),
            FoundBaseline::There(baseline, from) => Reference::Found { baseline, from },
        }
    }

    pub(super) fn baseline(&self) -> Option<&Baseline> {
        match self {
            FoundBaseline::There(baseline, _) => Some(baseline),
            _ => None,
        }
    }
}

impl ProofArgs {
    /// The configured policy, overridden by flags.
    pub(super) fn policy(&self, config: &GateConfig, environment: &Environment) -> Policy {
        let mut policy = config.policy.clone();
        policy.confirm = self.confirm.unwrap_or(policy.confirm);
        if self.strict {
            policy.rigor = Rigor::Strict;
        }
        policy.today = today(environment);
        policy
    }

    /// Location of the baseline, if requested; a configured file is relative to its configuration.
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
    /// Whether they set a pass rate or a baseline, which decide instead of the configuration.
    pub(super) fn decides(&self) -> bool {
        self.min_pass_rate.is_some() || self.proof.baseline.is_some()
    }

    /// The configured policy with this baseline.
    pub(super) fn against(baseline: Option<Place>) -> Self {
        Self { proof: ProofArgs { baseline, ..ProofArgs::default() }, ..Self::default() }
    }

    /// The configured policy, overridden by flags.
    pub(super) fn policy(&self, config: &GateConfig, environment: &Environment) -> Policy {
        let mut policy = self.proof.policy(config, environment);
        policy.min_pass_rate = self.min_pass_rate.or(policy.min_pass_rate);
        policy.max_error_rate = self.max_error_rate.unwrap_or(policy.max_error_rate);
        policy.fail_on.extend(&self.fail_on);
        policy
    }
}

impl StatusArgs {
    /// The exit code of a decided run.
    pub(super) fn of(&self, decision: &gate::Decision, run: &RunManifest) -> Status {
        match Status::of(decision, run.ended) {
            Status::Failed | Status::Inconclusive if self.soft_fail => {
                terminal::warning(
                    &format!("the gate says {}", decision.conclusion.word()),
                    "`--soft-fail` exits with 0 anyway",
                );
                Status::Passed
            }
            status => status,
        }
    }
}

/// The day, `YYYY-MM-DD` in UTC. `SOURCE_DATE_EPOCH` can move it forward, never back: build shells set it
/// to a past day, and an expired quarantine must not apply again.
fn today(environment: &Environment) -> String {
    let told = environment.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let told = told.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    told.unwrap_or_default().max(crate::vocabulary::now()).format("%Y-%m-%d").to_string()
}

/// Where `akit baseline accept` writes for a baseline read from a place.
pub(super) fn accepted_in(place: &Place) -> AcceptedIn {
    let own = place.own();
    let at_once = own.file().is_none();
    AcceptedIn { place: own.to_string(), at_once }
}

/// Whether a missing baseline is a typo, or was never created.
pub(super) fn sought(place: &Place) -> Sought {
    match place {
        Place::Ref(_) => Sought::Grown,
        Place::Revision { revision, .. } if revision == "base" => Sought::Grown,
        Place::File(_) | Place::Revision { .. } => Sought::Named,
    }
}

/// How to create a baseline there; one that is read from a commit is created as a file.
pub(super) fn creation(place: &Place) -> String {
    let file = if let Place::Revision { path, .. } = place { path.clone() } else { place.to_string() };
    format!("create it: `akit baseline update run.json --baseline {}`", text::argument(&file))
}

/// Reports times in a baseline that are in the future.
pub(super) fn tell_ahead(baseline: &Baseline, from: &str) {
    for run in &baseline.ahead {
        let message = format!("{from}: ignored the time of run {run}, which is in the future");
        terminal::warning(&message, "remove the run from the baseline, or correct its `at`");
    }
}

/// Reads a baseline, that of the base at a known commit; an unreadable one stops the run.
pub(super) fn read_baseline(
    place: Option<&Place>,
    base: Option<&PastCommit>,
    environment: &Environment,
) -> Result<FoundBaseline, Status> {
    let Some(place) = place else { return Ok(FoundBaseline::None) };
    let found = match (place.at_base_of_change(), base) {
        (Some(path), Some(base)) => base.baseline(&path),
        _ => history::read_baseline_at(place, &Pipeline::of(environment)),
    };
    match found {
        Ok((baseline, from)) => {
            tell_ahead(&baseline, &from);
            Ok(FoundBaseline::There(Box::new(baseline), from))
        }
        Err(HistoryError::Missing(path)) => {
            terminal::warning(&format!("no {path}: regressions are not checked"), &creation(place));
            Ok(FoundBaseline::Missing(path, sought(place)))
        }
        Err(error) => Err(Status::Unjudged.because(
            error.to_string(),
            "nothing was sent; restore the file or create it again with `akit baseline update`",
        )),
    }
}

/// Reports names in the policy that match no case, either selected or in the configured suite.
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
    // A part of the suite may not have everything the policy names.
    let folder = config.folder.join(config.scenarios.as_deref().unwrap_or("scenarios"));
    let rest = scenario::load(&scenario::discover(&[folder]).unwrap_or_default(), environment);
    let mut cases = cases.to_vec();
    cases.extend(named(&rest.scenarios));
    found = Diagnostics::default();
    config.gate.check(&cases, &mut found);
    terminal::diagnostics(&found);
    if found.has_errors() { Err(Status::Invalid) } else { Ok(()) }
}

/// Cases by the names a policy can use.
pub(super) fn named(scenarios: &[Scenario]) -> impl Iterator<Item = Named<'_>> {
    scenarios.iter().flat_map(|scenario| {
        let name = &scenario.name;
        scenario.cases.iter().map(move |case| Named { scenario: name, id: &case.id, tags: &case.tags })
    })
}

/// Flags about the base of the change.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct BaseArgs {
    /// Report where the suite, policy or baseline is weaker than at REV [default: the base of the change, in CI]
    #[arg(long, value_name = "REV", help_heading = "Gate")]
    pub(super) weakened_since: Option<String>,
    /// Take the settings (akit.yaml and the files it names) from the base or the change [default: head]
    #[arg(
        long,
        value_name = "COMMIT",
        visible_alias = "policy-from",
        overrides_with = "trust",
        help_heading = "Gate"
    )]
    pub(super) trust: Option<TrustIn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TrustIn {
    /// The base's settings, baseline and calibration; ignore records that only the change has; send keys only to servers the base names
    Base,
    /// Everything from the change
    Head,
}

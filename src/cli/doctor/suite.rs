//! Checks of configuration, scenarios, providers, judges, keys and prices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Status;
use super::super::args::{SelectArgs, common_folder, discovered};
use super::super::prepare::{NOT_STREAMED, left_out};
use super::finding::{Check, Explained};
use crate::config::{Asking, ConfigFile, Held, Setting, Settings, Targets, find, is_open_to_all};
use crate::environment::Environment;
use crate::provider::{Endpoint, Spec, shutdown};
use crate::runner::Target;
use crate::scenario::{self, Loaded};
use crate::seed::Root;
use crate::source::{Diagnostic, Diagnostics, Severity, SourceFile, slashed};
use crate::text;
use crate::vocabulary::Metric;

/// Maximum findings of one kind that are listed.
const MOST: usize = 5;

/// The configuration a run would use.
pub(super) fn configuration(
    named: Option<&Path>,
    paths: &[PathBuf],
    environment: &Environment,
    findings: &mut Vec<Check>,
) -> ConfigFile {
    const ABOUT: &str = "configuration";
    let Some(path) = named.map(Path::to_path_buf).or_else(|| find(&common_folder(paths))) else {
        findings.push(Check::ok(ABOUT, "no akit.yaml here or above: the defaults apply"));
        return ConfigFile::default();
    };
    let mut found = Diagnostics::default();
    let config = ConfigFile::read(&path, environment, &mut found);
    let shown = slashed(&path);
    if found.has_errors() {
        findings.push(Check::bad(
            ABOUT,
            Status::Invalid,
            format!("{shown}: {}", text::count(found.errors(), "error")),
            "fix the lines below",
        ));
    } else {
        findings.push(Check::ok(ABOUT, shown));
    }
    lines(ABOUT, &found, findings);
    config
}

/// The first findings in a file, with their lines.
fn lines(about: &'static str, found: &Diagnostics, findings: &mut Vec<Check>) {
    let of = |one: &Diagnostic| {
        let message = format!("{}: {}", one.location(), one.message);
        match one.severity {
            Severity::Error => Check::bad(about, Status::Invalid, message, one.help.as_str()),
            Severity::Warning => Check::warn(about, message, one.help.as_str()),
        }
    };
    findings.extend(found.iter().take(MOST).map(of));
}

/// The scenarios a run would load.
pub(super) fn scenarios(
    paths: &[PathBuf],
    config: &ConfigFile,
    environment: &Environment,
    findings: &mut Vec<Check>,
) -> Loaded {
    const ABOUT: &str = "scenarios";
    let files = match discovered(paths, config) {
        Ok(files) => files,
        Err((message, status, help)) => {
            findings.push(Check::bad(ABOUT, status, message, help));
            return Loaded::default();
        }
    };
    let mut loaded = scenario::load(&files, environment);
    loaded.check(&config.always);
    loaded.hold(&config.always);
    let found = &loaded.diagnostics;
    let counts = format!("{} with {}", text::count(files.len(), "file"), text::count(loaded.cases(), "case"));
    if found.has_errors() {
        let message = format!("{counts}: {}", text::count(found.errors(), "error"));
        findings.push(Check::bad(
            ABOUT,
            Status::Invalid,
            message,
            "`akit validate` shows all of them in their files",
        ));
    } else if found.warnings() > 0 {
        let message = format!("{counts}: {}", text::count(found.warnings(), "warning"));
        findings.push(Check::warn(ABOUT, message, "`akit validate` shows all of them in their files"));
    } else {
        findings.push(Check::ok(ABOUT, counts));
    }
    lines(ABOUT, found, findings);
    loaded
}

/// Keeps the cases a run would select, or returns why there are none.
pub(super) fn select(args: &SelectArgs, loaded: &mut Loaded, root: Root) -> Option<Check> {
    const ABOUT: &str = "scenarios";
    if loaded.scenarios.is_empty() {
        return None;
    }
    let selection = match args.parse() {
        Ok(selection) => selection,
        Err(error) => return Some(Check::bad(ABOUT, Status::Invalid, error.to_string(), "")),
    };
    let all = loaded.cases();
    let left_out = match left_out(&selection, &loaded.scenarios, root) {
        Ok(left_out) => left_out,
        Err((message, help)) => {
            loaded.scenarios.clear();
            return Some(Check::bad(ABOUT, Status::Nothing, message, help));
        }
    };
    for (scenario, left_out) in loaded.scenarios.iter_mut().zip(left_out) {
        let mut left_out = left_out.into_iter();
        scenario.cases.retain(|_| left_out.next().is_some_and(|why| why.is_none()));
    }
    let selected = text::count(loaded.cases(), "case");
    (loaded.cases() < all).then(|| Check::ok(ABOUT, format!("{selected} selected")))
}

/// All providers and models a run would call.
#[derive(Default)]
struct Asked {
    /// (provider, model), including those that cannot be called yet.
    models: BTreeSet<Model>,
    /// Providers without a key, by the variable that would hold it.
    keyless: BTreeSet<&'static str>,
    /// Key files.
    files: BTreeSet<PathBuf>,
    /// Models with a shutdown date, and their replacements.
    ends: BTreeSet<(String, &'static str, Option<&'static str>)>,
}

/// A provider and its model.
type Model = (String, String);

/// Checks application and judge, with their keys and prices. Returns their settings, and whether anything is called.
pub(super) fn who(settings: &Settings, loaded: &Loaded, findings: &mut Vec<Check>) -> (Vec<Explained>, bool) {
    let (mut targets, mut asked) = (Targets::default(), Asked::default());
    let mut explained = answers(settings, loaded, &mut targets, &mut asked, findings);
    explained.extend(judges(settings, loaded, &mut targets, &mut asked, findings));
    explained.push(("the run".to_owned(), settings.explain()));
    variables(settings, loaded, &asked, findings);
    for path in asked.files.iter().filter(|path| is_open_to_all(path)) {
        let message = format!("everyone on this machine can read {}", slashed(path));
        findings.push(Check::warn("keys", message, format!("chmod 600 {}", slashed(path))));
    }
    for (model, day, instead) in &asked.ends {
        let help = instead.map_or_else(
            || "choose another model".to_owned(),
            |name| format!("its vendor recommends {name}"),
        );
        findings.push(Check::warn("models", format!("{model} is shut down on {day}"), help));
    }
    prices(settings, &asked.models, findings);
    (explained, !asked.models.is_empty())
}

impl Asked {
    /// Records a provider and model.
    fn note(&mut self, asking: &Asking<'_>) {
        let Some(vendor) = asking.reached else { return };
        if let Some(Held::File(path)) = asking.key.as_ref().map(|key| &key.value) {
            self.files.insert(path.clone());
        }
        if let Some(model) = &asking.model {
            let host = asking.address.and_then(|address| Endpoint::host_of(address.value));
            let end = host.and_then(|host| shutdown(&host, model.value));
            self.ends.extend(end.map(|end| (model.value.to_owned(), end.day, end.instead)));
            self.models.insert((asking.provider.value.to_owned(), model.value.to_owned()));
        }
        let wanted = asking.address.and_then(|address| Spec::key_variables_at(address.value.trim()).first());
        if let Some(name) = wanted.filter(|_| asking.key.is_none()) {
            self.keyless.insert(vendor.key_variables.first().unwrap_or(name));
        }
    }
}

fn answers(
    settings: &Settings,
    loaded: &Loaded,
    targets: &mut Targets,
    asked: &mut Asked,
    findings: &mut Vec<Check>,
) -> Vec<Explained> {
    const ABOUT: &str = "answers";
    let mut who: BTreeMap<String, (usize, Vec<Setting>)> = BTreeMap::new();
    let mut obstacles: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut unseen = false;
    let cases =
        loaded.scenarios.iter().flat_map(|scenario| scenario.cases.iter().map(move |case| (scenario, case)));
    for (scenario, case) in cases {
        let (asking, job) = (settings.asking(scenario, case), targets.job(settings, scenario, case));
        if !matches!(&job, Ok(job) if matches!(job.target, Target::Replies(_))) {
            asked.note(&asking);
        }
        match job {
            Ok(job) => {
                unseen |= matches!(&job.target, Target::Model { client, .. } if !client.streams());
                let mut name = job.target.name();
                if let (Target::Model { .. }, Some(model), Some(address)) =
                    (&job.target, &asking.model, &asking.address)
                {
                    let (provider, model, address) =
                        (asking.provider.said_by, model.said_by, address.said_by);
                    // Writing into a string cannot fail.
                    let _ = write!(name, " (provider by {provider}, model by {model}, address by {address})");
                }
                let set = || [asking.explain(), settings.sampling(scenario)].concat();
                who.entry(name).or_insert_with(|| (0, set())).0 += 1;
            }
            Err(obstacle) => *obstacles.entry((obstacle.message, obstacle.help)).or_default() += 1,
        }
    }
    let more = who.len().saturating_sub(MOST);
    for (name, (cases, _)) in who.iter().take(MOST) {
        findings.push(Check::ok(ABOUT, format!("{name}: {}", text::count(*cases, "case"))));
    }
    if more > 0 {
        findings.push(Check::ok(ABOUT, format!("and {more} more")));
    }
    let mut limits = settings.file.gate.policy.thresholds.iter();
    if unseen && limits.any(|limit| limit.metric == Metric::FirstToken) {
        findings.push(Check::bad(ABOUT, Status::Invalid, NOT_STREAMED.0, NOT_STREAMED.1));
    }
    for ((message, help), cases) in obstacles.into_iter().take(MOST) {
        let message = format!("{message} ({})", text::count(cases, "case"));
        findings.push(Check::bad(ABOUT, Status::Invalid, message, help));
    }
    who.into_values().map(|(cases, set)| (text::count(cases, "case"), set)).collect()
}

fn judges(
    settings: &Settings,
    loaded: &Loaded,
    targets: &mut Targets,
    asked: &mut Asked,
    findings: &mut Vec<Check>,
) -> Vec<Explained> {
    const ABOUT: &str = "judge";
    let cases = loaded.scenarios.iter().flat_map(|scenario| &scenario.cases);
    let expectations: Vec<_> = cases.flat_map(|case| case.graders()).collect();
    if expectations.is_empty() {
        findings.push(Check::ok(ABOUT, "no expectation needs a judge"));
        return Vec::new();
    }
    let count = expectations.len();
    let named: BTreeSet<_> = expectations.iter().map(|expectation| expectation.named()).collect();
    let explained = named.into_iter().map(|judge| {
        let judging = settings.judging(judge);
        asked.note(&judging);
        ("the judge".to_owned(), judging.explain())
    });
    let explained = explained.collect();
    let (graders, obstacles) = settings.graders(expectations.into_iter(), Root::default(), targets);
    for grader in graders.all() {
        let endpoint = grader.client().endpoint();
        let message = format!(
            "{} {} at {} for {}",
            endpoint.provider,
            grader.model(),
            endpoint.place(),
            text::count(count, "expectation")
        );
        findings.push(Check::ok(ABOUT, message));
    }
    let obstacles: BTreeSet<_> = obstacles.into_iter().flatten().map(|one| (one.message, one.help)).collect();
    for (message, help) in obstacles.into_iter().take(MOST) {
        findings.push(Check::bad(ABOUT, Status::Invalid, message, help));
    }
    if let Some(binding) = graders.binding().filter(|_| graders.all().next().is_some())
        && let Some(trouble) = binding.trouble()
    {
        findings.push(Check::warn(
            ABOUT,
            format!("{trouble}; {}", binding.consequence()),
            "see docs/calibration.md",
        ));
    }
    explained
}

/// Variables that hold keys or appear in files: whether they are set, never their values.
fn variables(settings: &Settings, loaded: &Loaded, asked: &Asked, findings: &mut Vec<Check>) {
    const ABOUT: &str = "keys";
    let vendors = asked.models.iter().filter_map(|(provider, _)| Spec::of(provider)?.vendor());
    // One of a vendor's variables is enough.
    let first_set = |names: &'static [&'static str]| {
        names.iter().find(|name| settings.environment.get(name).is_some()).or(names.first())
    };
    let of_vendors =
        vendors.filter_map(|vendor| first_set(vendor.key_variables)).chain(&asked.keyless).copied();
    let mut names: BTreeSet<String> = of_vendors.map(str::to_owned).collect();
    names.extend(settings.file.file.iter().flat_map(named));
    names.extend(loaded.files.iter().flat_map(named));
    let state = |name: &String| match settings.environment.get(name) {
        Some(value) if !value.trim().is_empty() => "set",
        Some(_) => "empty",
        None if settings.environment.is_empty_at(name) => "empty",
        None => "not set",
    };
    // A key that is set but unused is the quickest way to a first answer.
    let is_asked = |name: &str| asked.models.iter().any(|(provider, _)| provider == name);
    let other = Spec::vendors().filter(|(name, _)| !is_asked(name)).find_map(|(name, vendor)| {
        let set = vendor.key_variables.iter().find(|key| settings.environment.get(key).is_some())?;
        Some((name, *set)).filter(|(_, set)| !names.contains(*set))
    });
    if names.is_empty() {
        let also = other.map(|(name, set)| format!("; {set} is set, for `-p {name}`")).unwrap_or_default();
        findings.push(Check::ok(ABOUT, format!("none needed{also}")));
        return;
    }
    let told: Vec<_> = names.iter().map(|name| format!("{name} is {}", state(name))).collect();
    if names.iter().any(|name| state(name) == "empty") {
        let help =
            "check the pipeline's secrets, which forks do not get; an empty variable counts as not set";
        findings.push(Check::warn(ABOUT, told.join(", "), help));
    } else if let Some(name) = asked.keyless.first() {
        let other =
            other.map(|(other, set)| format!(", use `-p {other}` ({set} is set)")).unwrap_or_default();
        let help = format!("set {name}{other}, or judge recorded answers with `--replies FILE`");
        findings.push(Check::warn(ABOUT, told.join(", "), help));
    } else {
        findings.push(Check::ok(ABOUT, told.join(", ")));
    }
}

/// The variables a file names as `${NAME}`.
fn named(file: &Arc<SourceFile>) -> Vec<String> {
    let word = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect()
    };
    let names = file.text().split("${").skip(1).map(word);
    names.filter(|name| !name.is_empty()).take(50).collect()
}

fn prices(settings: &Settings, models: &BTreeSet<Model>, findings: &mut Vec<Check>) {
    const ABOUT: &str = "prices";
    let known = |model: &str| settings.file.prices.named(model).is_some();
    let missing: BTreeSet<_> = models.iter().map(|(_, model)| model).filter(|model| !known(model)).collect();
    findings.push(if models.is_empty() {
        Check::ok(ABOUT, "no model is asked")
    } else if missing.is_empty() {
        Check::ok(ABOUT, "known for every model")
    } else if settings.file.prices.0.is_empty() {
        let names: Vec<_> = missing.into_iter().take(MOST).collect();
        let message = format!(
            "unknown for {}: its cost is not shown, and `--budget` does not work",
            text::list(&names)
        );
        Check::ok(ABOUT, message)
    } else {
        let names: Vec<_> = missing.into_iter().take(MOST).collect();
        let message = format!("no price for {}: `--budget` does not work", text::list(&names));
        Check::warn(ABOUT, message, "add `prices: { MODEL: { input: USD, output: USD } }` to akit.yaml")
    });
}

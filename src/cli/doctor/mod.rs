//! `akit doctor`: checks the setup, with a fix for each finding.
//!
//! It writes nothing and uses no network without `--online`. Its exit code is the one with which
//! `akit run` would stop before sending anything. Keys and tokens appear by name, never by value.

mod around;
mod finding;
mod store;
mod suite;

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::args::{Asked as _, common_folder};
use super::output::Output;
use super::prepare::SuiteArgs;
use super::{Status, terminal};
use crate::config::Settings;
use crate::environment::Environment;
use crate::gate::Category;
use crate::publish::site::Site;
use crate::seed::Root;
use crate::text;
use finding::{Check, Explained, State};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Ask GitHub or GitLab what the token may do; changes nothing
    #[arg(long)]
    online: bool,
    /// Also show every setting, and the flag, variable or line it comes from
    #[arg(long)]
    explain: bool,
    /// Write the findings as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Format to print to stdout [default: console]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["console", "json"]))]
    format: Option<String>,
}

pub(super) fn doctor(args: &DoctorArgs, environment: &Environment) -> Result<Status, Status> {
    let stdout = (args.format.as_deref() == Some("json")).then(|| PathBuf::from("-"));
    let inputs: Vec<_> = args.suite.paths.iter().map(PathBuf::as_path).collect();
    // A wrong flag is a usage error, not a finding.
    args.suite.ask.redactor()?;
    let outputs = Output::open_all([&args.json, &stdout], &inputs, environment)?;
    let (findings, explained) = look(args, environment);
    let explained = if args.explain { explained } else { Vec::new() };
    let data = || Ok::<_, Infallible>(finding::data(&findings, &explained));
    Output::tell(outputs.map(|output| (output, data())), |ink| {
        let page = finding::console(&findings, ink);
        let page = terminal::width(false).map_or(page.clone(), |width| text::wrap(&page, width.max(40)));
        page + &finding::settings(&explained)
    });
    Ok(finding::status(&findings))
}

/// All checks in the order a run needs them, and all settings.
fn look(args: &DoctorArgs, environment: &Environment) -> (Vec<Check>, Vec<Explained>) {
    let system =
        format!("{} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let mut findings = vec![Check::ok("akit", system)];
    let config =
        suite::configuration(args.suite.config.as_deref(), &args.suite.paths, environment, &mut findings);
    // A configuration error does not stop the other checks.
    let is_sound = findings.iter().all(|finding| !matches!(finding.state, State::Bad(_)));
    let mut loaded = suite::scenarios(&args.suite.paths, &config, environment, &mut findings);
    // Policy and baseline are compared with all cases.
    let all = loaded.scenarios.clone();
    if !loaded.diagnostics.has_errors() {
        let root = args.suite.ask.flags().seed.map_or(Root::default(), Root);
        findings.extend(suite::select(&args.suite.select, &mut loaded, root));
    }
    let folder = common_folder(&args.suite.paths);
    let http = match args.suite.ask.manner.way() {
        Ok(http) => Some(http),
        Err(error) => {
            findings.push(around::certificates(&error));
            None
        }
    };
    let mut explained = Vec::new();
    if let Some(http) = &http {
        let flags = args.suite.ask.flags();
        let settings = Settings::new(flags, config.clone(), environment.clone(), http.clone());
        let (settings_of, asks) = suite::who(&settings, &loaded, &mut findings);
        explained = settings_of;
        loaded.scenarios = all;
        findings.push(store::cache(&settings, asks));
    }
    if is_sound {
        findings.push(store::baseline(&config, environment, &loaded, args.online));
        store::policy(&config, environment, &loaded, &mut findings);
        findings.extend(store::force(&config, environment, &loaded));
    } else {
        findings.push(Check::warn("policy", "not checked: the configuration has errors", "fix them first"));
    }
    let site = Site::of(environment);
    findings.push(around::pipeline(&site, environment));
    findings.extend(around::token(&site, environment, http.as_ref().filter(|_| args.online)));
    let is_needed = config.gate.policy.fail_on.contains(&Category::Weakened);
    let folder = if folder.is_dir() { &folder } else { Path::new(".") };
    findings.push(around::clone(folder, environment, is_needed));
    findings.push(around::network(environment));
    (findings, explained)
}

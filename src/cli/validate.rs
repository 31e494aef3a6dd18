//! `akit validate`: checks scenario files, sends nothing.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::args::{configuration, files, http};
use super::output::Output;
use super::{Status, terminal};
use crate::config::{ConfigFile, Flags, Settings};
use crate::environment::Environment;
use crate::provider::Spec;
use crate::report;
use crate::scenario::{self, Loaded};
use crate::text;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Scenario files, folders or globs [default: scenarios]
    paths: Vec<PathBuf>,
    /// Configuration [default: the nearest akit.yaml above the scenarios]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the findings as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write JUnit XML, one test per file (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write SARIF (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Format to print to stdout [default: console]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["console", "json", "junit", "sarif"]))]
    format: Option<String>,
    /// Exit with 2 on warnings, too
    #[arg(long)]
    strict: bool,
}

impl ValidateArgs {
    /// Stdout, if this is the format requested for it.
    fn stdout(&self, form: &str) -> Option<PathBuf> {
        (self.format.as_deref() == Some(form)).then(|| PathBuf::from("-"))
    }
}

/// Whether any case uses the user's own bot, or a provider akit cannot call.
fn names_bot(config: &ConfigFile, loaded: &Loaded) -> bool {
    let cases = loaded.scenarios.iter().flat_map(|scenario| &scenario.cases);
    let scenarios = loaded.scenarios.iter().map(|scenario| &scenario.provider);
    let mut named = cases.map(|case| &case.provider).chain(scenarios).chain([&config.provider]).flatten();
    named.any(|name| Spec::is_own(name) || Spec::of(name).is_some_and(|spec| !spec.is_offered()))
}

pub(super) fn validate(args: &ValidateArgs, environment: &Environment) -> Result<Status, Status> {
    let config = configuration(args.config.as_deref(), &args.paths, environment)?;
    let files = files(&args.paths, &config)?;
    let inputs: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let stdout = ["json", "junit", "sarif"].map(|form| args.stdout(form));
    let paths = [&args.json, &args.junit, &args.sarif, &stdout[0], &stdout[1], &stdout[2]];
    let outputs = Output::open_all(paths, &inputs, environment)?;
    let mut loaded = scenario::load(&files, environment);
    loaded.check(&config.always);
    if names_bot(&config, &loaded) {
        Settings::new(Flags::default(), config, environment.clone(), http(None)?).check_bots(&mut loaded);
    }
    let found = &loaded.diagnostics;
    terminal::diagnostics(found);
    let forms = outputs.into_iter().enumerate().map(|(index, output)| {
        // Files first, then stdout; the formats are in the same order for both.
        let rendered = match index % 3 {
            0 => report::json::of_diagnostics(found),
            1 => report::junit::of_diagnostics(found, &loaded.files),
            _ => report::sarif::of_diagnostics(found, env!("CARGO_PKG_VERSION")),
        };
        (output, rendered)
    });
    Output::tell(forms, |_| {
        format!(
            "{} with {}: {}, {}",
            text::count(files.len(), "file"),
            text::count(loaded.cases(), "case"),
            text::count(found.errors(), "error"),
            text::count(found.warnings(), "warning"),
        )
    });
    let wrong = found.has_errors() || (args.strict && found.warnings() > 0);
    Ok(if wrong { Status::Invalid } else { Status::Passed })
}

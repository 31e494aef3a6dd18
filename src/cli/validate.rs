//! `akit validate`: checks scenario files without asking anybody.

use std::path::PathBuf;

use clap::Args;

use super::args::{configuration, files};
use super::output::Output;
use super::{Status, terminal};
use crate::report;
use crate::scenario::{self, Environment};
use crate::text;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Scenario files, folders or globs [default: scenarios]
    paths: Vec<PathBuf>,
    /// Configuration [default: the nearest akit.yaml above the scenarios]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the findings as JSON; `-` is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write JUnit XML, one test per file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write SARIF
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
}

pub(super) fn validate(args: &ValidateArgs, environment: &Environment) -> Status {
    try_validate(args, environment).unwrap_or_else(|status| status)
}

fn try_validate(args: &ValidateArgs, environment: &Environment) -> Result<Status, Status> {
    let config = configuration(args.config.as_deref(), &args.paths, environment)?;
    let files = files(&args.paths, &config)?;
    let inputs: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let outputs =
        Output::open_all([&args.json, &args.junit, &args.sarif], &inputs).map_err(|()| Status::Invalid)?;
    let loaded = scenario::load(&files, environment);
    let found = &loaded.diagnostics;
    terminal::diagnostics(found);
    let [json, junit, sarif] = outputs;
    let to_stdout = [&json, &junit, &sarif].into_iter().flatten().any(|o| matches!(o, Output::Stdout));
    let renders = [
        (json, report::json::of_diagnostics(found)),
        (junit, report::junit::of_diagnostics(found, &loaded.files)),
        (sarif, report::sarif::of_diagnostics(found, env!("CARGO_PKG_VERSION"))),
    ];
    for (output, rendered) in renders {
        match (output, rendered) {
            (Some(output), Ok(text)) => output.write(&text),
            (Some(_), Err(error)) => terminal::error(&error.to_string(), ""),
            (None, _) => {}
        }
    }
    let line = format!(
        "{} with {}: {}, {}",
        text::count(files.len(), "file"),
        text::count(loaded.cases(), "case"),
        text::count(found.errors(), "error"),
        text::count(found.warnings(), "warning"),
    );
    if to_stdout {
        terminal::say(&line);
    } else {
        terminal::out(&line);
    }
    Ok(if found.has_errors() { Status::Invalid } else { Status::Passed })
}

//! `akit compare`: shows two stored runs side by side. It never gates.

use std::path::PathBuf;

use clap::Args;

use super::Status;
use super::output::Output;
use super::stored;
use crate::analysis::compare::Comparison;
use crate::environment::Environment;
use crate::report::{compare, json};

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Old run, stored by `akit run --json`
    base: PathBuf,
    /// New run
    head: PathBuf,
    /// Write a self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the comparison as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn compare(args: &CompareArgs, environment: &Environment) -> Result<Status, Status> {
    let (base, head) = (stored::run(&args.base)?, stored::run(&args.head)?);
    let outputs = Output::open_all([&args.html, &args.json], &[&args.base, &args.head], environment);
    let [page, data] = outputs?;
    let Some(comparison) = Comparison::of(&base, &head) else {
        return Err(Status::Nothing
            .because("the two runs have no case in common", "cases are matched by scenario name and ID"));
    };
    let forms = [(page, compare::html(&comparison)), (data, json::pretty(&comparison))];
    Output::tell(forms, |ink| compare::console(&comparison, ink));
    Ok(Status::Passed)
}

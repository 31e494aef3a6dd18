//! Reads stored runs in one place, with one exit code for all errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::Status;
use crate::gate;
use crate::history::{self, HistoryError};
use crate::manifest::RunManifest;
use crate::source::{SourceFile, leaves, slashed};

/// Reads a stored run.
pub(super) fn run(path: &Path) -> Result<RunManifest, Status> {
    history::read_run(path).map_err(|error| unread(&error))
}

/// Reads a stored run with its decision, if it has one.
pub(super) fn decided(path: &Path) -> Result<(RunManifest, Option<gate::Decision>), Status> {
    #[derive(Deserialize)]
    struct Beside {
        decision: Option<gate::Decision>,
    }
    let (run, Beside { decision }) =
        history::read_run_with::<Beside>(path).map_err(|error| unread(&error))?;
    let findings = decision.iter().flat_map(|decision| decision.findings.iter().chain(&decision.warnings));
    let mut places = findings.filter_map(|finding| finding.location.as_ref());
    if let Some(place) = places.find(|place| leaves(&place.file)) {
        let message = format!("the decision in `{}` points to `{}`", slashed(path), place.file);
        return Err(Status::Invalid.because(message, "findings must be in a file of the repository"));
    }
    Ok((run, decision))
}

/// Prints why a stored run or baseline cannot be used, the same in every command.
pub(super) fn unread(error: &HistoryError) -> Status {
    Status::Invalid.because(error.to_string(), error.help())
}

/// The scenario files a run names.
pub(super) fn files(run: &RunManifest) -> Vec<PathBuf> {
    run.scenarios.iter().map(|scenario| PathBuf::from(&scenario.file)).collect()
}

/// The scenario files that still exist, for excerpts.
pub(super) fn sources(run: &RunManifest) -> BTreeMap<String, Arc<SourceFile>> {
    let files = files(run);
    let read = files.iter().filter_map(|file| SourceFile::read(file).ok());
    read.map(|source| (source.name().to_owned(), Arc::new(source))).collect()
}

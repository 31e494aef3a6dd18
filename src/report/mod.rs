//! One file per format; each renders the same [`Report`] and decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gate::Decision;
use crate::manifest::RunManifest;
use crate::source::SourceFile;

/// Everything that a format may show.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was found.
    pub run: &'a RunManifest,
    /// What was decided.
    pub decision: &'a Decision,
    /// The scenario files by the name in locations; a report from a stored run may lack some.
    pub sources: &'a BTreeMap<String, Arc<SourceFile>>,
}

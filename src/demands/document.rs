//! Files to compare: their content, and a tree with the position of each part.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::ConfigFile;
use crate::environment::Environment;
use crate::scenario::{self, Case, Scenario};
use crate::source::{Diagnostics, Node, ReadError, SourceFile, SyntaxError};

/// A file as a tree.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, under the name that findings show.
    pub file: Arc<SourceFile>,
    /// Its content; environment variables are kept as written.
    pub node: Node,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not YAML.
    pub fn parse(file: Arc<SourceFile>) -> Result<Self, SyntaxError> {
        let node = Node::parse(&file)?;
        Ok(Self { file, node })
    }
}

/// A scenario file.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    /// The file.
    pub document: Document,
    /// Its content.
    pub scenario: Scenario,
}

impl ScenarioFile {
    /// Reads a file; `None` if it has no scenario. Cases that cannot be read are left out.
    #[must_use]
    pub fn of(document: Document, environment: &Environment) -> Option<Self> {
        let path = PathBuf::from(document.file.name());
        let scenario = scenario::read(&document.file, &path, environment, &mut Diagnostics::default())?;
        Some(Self { document, scenario })
    }

    /// How many cases could not be read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.cases().count() - self.scenario.cases.len()
    }

    fn cases(&self) -> impl Iterator<Item = &Node> {
        self.document.node.get("cases").into_iter().flat_map(Node::items)
    }

    /// The cases, each with the tree that it was read from.
    pub(super) fn written(&self) -> impl Iterator<Item = (&Case, &Node)> {
        // Cases and trees are both in the order of the file, but only the trees include cases that could not be read.
        let mut nodes = self.cases();
        self.scenario.cases.iter().filter_map(move |case| {
            let node = nodes.find(|node| node.get("id").is_some_and(|id| id.span == case.span))?;
            Some((case, node))
        })
    }
}

/// A configuration file.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The file.
    pub document: Document,
    /// Its content.
    pub config: ConfigFile,
}

impl Configuration {
    /// Reads a file; the quarantine that it names is compared separately.
    #[must_use]
    pub fn of(document: Document, environment: &Environment) -> Self {
        let none = |_: &Path| Ok::<_, ReadError>(SourceFile::from_text("", ""));
        let found = &mut Diagnostics::default();
        let config = ConfigFile::of(&document.file, PathBuf::new(), environment, found, &none);
        Self { document, config }
    }
}

//! What a commit required: which of its files matter, and their content.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Log;
use super::{Configuration, Demands, Document, ScenarioFile};
use crate::config::{ConfigFile, Whose};
use crate::environment::Environment;
use crate::gate::Weakening;
use crate::history::{GitError, PastCommit};
use crate::scenario::among;
use crate::source::{Diagnostics, Location, Node, ReadError, SourceFile, slashed};
use crate::vocabulary::WeakeningKind as Kind;

/// Files at a commit; paths are relative to the root of the repository.
pub trait Past {
    /// The paths of all files.
    fn paths(&self) -> Result<Vec<String>, GitError>;
    /// Every link with its target.
    fn links(&self) -> Result<BTreeMap<String, String>, GitError> {
        Ok(BTreeMap::new())
    }
    /// The contents of files, `None` for a missing file.
    fn texts(&self, paths: &[String]) -> Result<Vec<Option<String>>, GitError>;
}

impl Past for PastCommit {
    fn paths(&self) -> Result<Vec<String>, GitError> {
        PastCommit::paths(self)
    }

    fn links(&self) -> Result<BTreeMap<String, String>, GitError> {
        PastCommit::links(self)
    }

    fn texts(&self, paths: &[String]) -> Result<Vec<Option<String>>, GitError> {
        PastCommit::texts(self, paths)
    }
}

impl Past for BTreeMap<String, String> {
    fn paths(&self) -> Result<Vec<String>, GitError> {
        Ok(self.keys().cloned().collect())
    }

    fn texts(&self, paths: &[String]) -> Result<Vec<Option<String>>, GitError> {
        Ok(paths.iter().map(|path| self.get(path).cloned()).collect())
    }
}

/// Where to look for the suite of a commit; all paths are relative to the root of the repository.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Scenario files, folders or globs; if there are none, those of the old configuration.
    pub scenarios: Vec<PathBuf>,
    /// The folder of scenarios if the configuration names none.
    pub default: PathBuf,
    /// Possible names of the configuration; the first that exists counts.
    pub config: Vec<String>,
    /// The baseline, if a flag names it.
    pub baseline: Option<String>,
    /// Current names of the scenarios; if no scenario was at those paths, these names are searched for everywhere.
    pub names: Vec<String>,
}

/// What a commit required.
#[derive(Debug, Default)]
pub struct Then {
    /// What was required.
    pub demands: Demands,
    /// Files that could not be read, with the reason: they are not compared.
    pub unread: Vec<String>,
    /// The path of the configuration, if there was one.
    pub config: Option<String>,
    /// Whether nothing was at the suite's current path.
    pub moved: bool,
    /// Every file of the commit.
    paths: Vec<String>,
    /// Every link of the commit, with its target.
    links: BTreeMap<String, String>,
}

impl Then {
    /// Reads what a commit required.
    ///
    /// # Errors
    /// When git cannot read the commit.
    pub fn read(past: &dyn Past, scope: &Scope, environment: &Environment) -> Result<Self, GitError> {
        let mut then = Self { links: past.links()?, ..Self::default() };
        let paths = past.paths()?;
        let config = scope.config.iter().find(|name| paths.contains(name));
        then.config = config.cloned();
        if let Some(file) = config.map(|name| one(past, name)).transpose()?.flatten() {
            then.demands.config = then.parse(file).map(|file| Configuration::of(file, environment));
        }
        let folder = config.map_or("", |name| parent(name));
        let config = then.demands.config.as_ref();
        let quarantine = config.and_then(|config| {
            let named = config.document.node.get("gate")?.get("quarantine").and_then(Node::as_str)?;
            Some(joined(folder, named))
        });
        let baseline = config.and_then(|config| {
            let place = config.config.gate.from.as_ref()?;
            let file = || place.file().map(|file| joined(folder, &slashed(file)));
            place.of_change().or_else(file)
        });
        let scenarios = match config.and_then(|config| config.config.scenarios.as_ref()) {
            _ if !scope.scenarios.is_empty() => scope.scenarios.clone(),
            Some(named) => vec![PathBuf::from(joined(folder, named))],
            None => vec![scope.default.clone()],
        };
        let calibration = config.and_then(|config| {
            let (file, _) = config.config.grader.as_ref()?.calibration.as_ref()?;
            Some(joined(folder, file))
        });
        if let Some(path) = calibration {
            then.demands.calibration = one(past, &path)?;
        }
        if let Some(file) = quarantine.as_ref().map(|path| one(past, path)).transpose()?.flatten() {
            then.demands.quarantine = then.parse(file);
        }
        if let Some(path) = scope.baseline.clone().or(baseline) {
            then.demands.baseline = one(past, &path)?;
        }
        let found = |places: &[PathBuf]| {
            let mut files = among(places, &paths);
            files.retain(|file| quarantine.as_ref() != Some(file));
            files
        };
        let files = found(&scenarios);
        then.moved = files.is_empty();
        let moved = then.moved;
        // A moved suite is still compared.
        let files = if moved { found(&[PathBuf::from(".")]) } else { files };
        for (path, text) in files.iter().zip(past.texts(&files)?) {
            let Some(text) = text else { continue };
            let file = Arc::new(SourceFile::from_text(path, &text));
            let suite = |document| ScenarioFile::of(document, environment);
            let suite = if moved {
                let suite = Document::parse(file).ok().and_then(suite);
                suite.filter(|suite| scope.names.contains(&suite.scenario.name))
            } else {
                then.parse(file).and_then(suite)
            };
            if let Some(lost) = suite.as_ref().map(ScenarioFile::unread).filter(|lost| *lost > 0) {
                then.unread.push(format!("{path}: {} cannot be read", crate::text::count(lost, "case")));
            }
            then.demands.scenarios.extend(suite);
        }
        then.paths = paths;
        Ok(then)
    }

    /// Reports paths that are links now, each with its target, and were something else then: the suite that is judged
    /// is now somewhere else.
    #[must_use]
    pub fn linked(&self, now: &BTreeMap<String, String>) -> Vec<Weakening> {
        let mut log = Log::default();
        for (path, target) in now.iter().filter(|(path, target)| self.links.get(*path) != Some(target)) {
            let below = format!("{path}/");
            let was = match self.links.get(path) {
                Some(before) => format!("a link to `{before}`"),
                None if self.paths.contains(path) => "a file".to_owned(),
                None if self.paths.iter().any(|one| one.starts_with(&below)) => "a folder".to_owned(),
                None => continue,
            };
            log.file(Kind::PathLinked, path, &format!("`{path}` was {was}, now a link to `{target}`"));
        }
        log.close()
    }

    fn parse(&mut self, file: Arc<SourceFile>) -> Option<Document> {
        let name = file.name().to_owned();
        let read = Document::parse(file);
        read.map_err(|error| self.unread.push(format!("{name}: {}", error.message))).ok()
    }

    /// Whether akit was not in use at all: neither a configuration nor any of the scenarios, here or elsewhere.
    #[must_use]
    pub fn is_without_akit(&self) -> bool {
        self.config.is_none() && self.moved && self.demands.scenarios.is_empty() && self.unread.is_empty()
    }

    /// The old configuration with the files it names, as if it were in this folder; the defaults if there was none.
    /// Reports what is wrong with it.
    ///
    /// # Errors
    /// When git cannot read the commit.
    pub fn settings(
        &self,
        past: &dyn Past,
        commit: &str,
        folder: PathBuf,
        environment: &Environment,
        found: &mut Diagnostics,
    ) -> Result<ConfigFile, GitError> {
        let whose = Whose::Base(None);
        let Some(path) = &self.config else {
            return Ok(ConfigFile { folder, whose, ..ConfigFile::default() });
        };
        let text = past.texts(std::slice::from_ref(path))?.pop().flatten();
        let text = text.ok_or_else(|| GitError::NoFile(path.clone()))?;
        let source = Arc::new(SourceFile::from_text(&format!("{path} at {commit}"), &text));
        let quarantine = |_: &Path| match &self.demands.quarantine {
            Some(document) => Ok(SourceFile::clone(&document.file)),
            None => Err(ReadError::Io(Error::from(ErrorKind::NotFound))),
        };
        let mut config = ConfigFile::of(&source, folder, environment, found, &quarantine);
        let calibration = config.grader.as_ref().and_then(|grader| grader.calibration.as_ref());
        let calibration = calibration.map(|(file, _)| one(past, &joined(parent(path), file))).transpose()?;
        config.whose = Whose::Base(calibration.flatten());
        Ok(config)
    }
}

/// A folder that had files in a repository and is now a separate repository.
#[must_use]
pub fn nested(folder: &str) -> Weakening {
    let location = Location { file: folder.to_owned(), line: 1, column: 1 };
    let message = format!(
        "`{folder}` is now a separate repository, so this change chooses which of its commits is judged"
    );
    Weakening { kind: Kind::PathLinked, of: folder.to_owned(), message, location }
}

fn one(past: &dyn Past, path: &str) -> Result<Option<Arc<SourceFile>>, GitError> {
    let text = past.texts(&[path.to_owned()])?.into_iter().next().flatten();
    Ok(text.map(|text| Arc::new(SourceFile::from_text(path, &text))))
}

/// The folder of a path.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path below a folder, without `.` and `..`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<Component<'_>> = Vec::new();
    let whole = Path::new(folder).join(path);
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    slashed(&parts.iter().collect::<PathBuf>())
}

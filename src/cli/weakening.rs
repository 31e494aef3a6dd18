//! `--weakened-since` and `--policy-from`: what the base of the change demanded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::gate::GateArgs;
use super::{Status, terminal};
use crate::config::{ConfigFile, GateConfig};
use crate::gate::{Category, Weakening};
use crate::history::{GitError, PastCommit, Pipeline, Place};
use crate::scenario::{Environment, discover};
use crate::source::{Diagnostics, SourceFile, repository_name, slashed};
use crate::text;
use crate::weakening::{Demands, Document, Scope, Then, compare};

/// What the base of the change has a say in.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct BaseArgs {
    /// Name where suite, policy, quarantine and baseline demand less than where this revision was left
    /// [default: the base of the change, in a pipeline or with `--fail-on weakened`]
    #[arg(long, value_name = "REV", help_heading = "Gate")]
    weakened_since: Option<String>,
    /// Judge with the policy and the quarantine of the base of the change
    #[arg(long, value_name = "COMMIT", help_heading = "Gate")]
    policy_from: Option<PolicyFrom>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PolicyFrom {
    /// Where the change left the branch that it is to go to
    Base,
}

/// Where the suite lies, as the user named it.
pub(super) struct Suite<'a> {
    /// Scenario files, folders and globs; empty where the configuration or the default says.
    pub(super) paths: &'a [PathBuf],
    /// The scenario files that are there now.
    pub(super) files: &'a [PathBuf],
    /// The configuration, where a flag names it.
    pub(super) named: Option<&'a Path>,
    /// The configuration now.
    pub(super) config: &'a ConfigFile,
    /// Whether a flag sets a budget.
    pub(super) budget: bool,
}

/// What the base of the change leads to.
#[derive(Default)]
pub(super) struct Base {
    /// The configured rules of the base, where they are to hold.
    rules: Option<GateConfig>,
    /// What is demanded less than there.
    pub(super) weakened: Vec<Weakening>,
    /// What everybody should know.
    pub(super) notes: Vec<String>,
}

impl Base {
    /// The rules that hold: those of the base, or the configured ones.
    ///
    /// Whether cases have the names in them is not asked of the base's: cases may be gone since.
    pub(super) fn rules<'a>(&'a self, config: &'a ConfigFile) -> &'a GateConfig {
        self.rules.as_ref().unwrap_or(&config.gate)
    }
}

impl BaseArgs {
    /// Holds the change against its base, where that is asked for or the pipeline knows it.
    ///
    /// A base that cannot be had is a note, but an error where the gate rests on it.
    pub(super) fn compare(
        &self,
        gate: &GateArgs,
        suite: &Suite<'_>,
        environment: &Environment,
    ) -> Result<Base, Status> {
        let pipeline = Pipeline::of(|name| environment.get(name));
        let policy = gate.policy(&suite.config.gate, environment);
        let fatal = policy.fail_on.contains(&Category::Weakened);
        let must = fatal || self.weakened_since.is_some() || self.policy_from.is_some();
        let known =
            environment.is_ci() && (pipeline.merged || pipeline.target.is_some() || pipeline.began.is_some());
        if !must && !known {
            return Ok(Base::default());
        }
        let base = self.read(gate, suite, &pipeline);
        let base = base.and_then(|(then, name)| self.hold(gate, suite, environment, (&then, &name)));
        base.or_else(|trouble| {
            let Trouble::Git(error) = trouble else { return Err(Status::Invalid) };
            let message = format!("cannot compare with the base: {error}");
            if must {
                terminal::error(&message, "nothing was sent; give the revision by `--weakened-since`");
                return Err(Status::Unjudged);
            }
            terminal::warning(&message, "name the revision by `--weakened-since`");
            let notes = vec![format!("{message}; whether less is demanded than before is not known")];
            Ok(Base { notes, ..Base::default() })
        })
    }

    /// The demands of the base, and its name.
    fn read(
        &self,
        gate: &GateArgs,
        suite: &Suite<'_>,
        pipeline: &Pipeline,
    ) -> Result<(Then, String), Trouble> {
        let within = suite.within();
        let commit = match &self.weakened_since {
            Some(revision) => PastCommit::since(&within, revision)?,
            None => PastCommit::base(&within, pipeline)?,
        };
        let then = Then::read(&commit, &suite.scope(gate))?;
        Ok((then, commit.name()))
    }

    fn hold(
        &self,
        gate: &GateArgs,
        suite: &Suite<'_>,
        environment: &Environment,
        (then, name): (&Then, &str),
    ) -> Result<Base, Trouble> {
        let mut base = Base { weakened: compare(&then.demands, &suite.demands(gate)), ..Base::default() };
        for unread in &then.unread {
            base.notes.push(format!("not compared with {name}: {}", text::excerpt(unread, 200)));
        }
        if self.policy_from.is_some() {
            let mut found = Diagnostics::default();
            base.rules = Some(then.policy(environment, &mut found));
            terminal::diagnostics(&found);
            if found.has_errors() {
                return Err(Trouble::Told);
            }
            base.notes.push(format!("judged with the policy of {name}"));
        }
        base.notes.iter().for_each(|note| terminal::warning(note, ""));
        Ok(base)
    }
}

/// Why there is no base.
enum Trouble {
    Git(GitError),
    /// Its policy is wrong, and that was told.
    Told,
}

impl From<GitError> for Trouble {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl Suite<'_> {
    /// A folder of the repository.
    fn within(&self) -> PathBuf {
        let near = self.config.file.as_ref().map(|_| self.config.folder.clone());
        let folder = self.files.first().and_then(|file| file.parent()).map(Path::to_path_buf).or(near);
        let folder = folder.unwrap_or_default();
        if folder.is_dir() { folder } else { PathBuf::from(".") }
    }

    /// Where the base is looked into.
    fn scope(&self, gate: &GateArgs) -> Scope {
        let root = root(&self.within());
        let config = match (self.named, &self.config.file) {
            (Some(path), _) => vec![slashed(&relative(&root, path))],
            (None, file) => {
                let here = file.as_ref().map(|file| file.name().to_owned());
                here.into_iter().chain(self.candidates(&root)).collect()
            }
        };
        let file = gate.proof.baseline.as_ref().and_then(Place::file);
        Scope {
            scenarios: self.paths.iter().map(|path| relative(&root, path)).collect(),
            default: relative(&root, Path::new("scenarios")),
            config,
            baseline: file.map(|path| slashed(&relative(&root, path))),
        }
    }

    /// The names that a configuration above the scenarios may have had, the nearest first.
    fn candidates(&self, root: &Path) -> Vec<String> {
        let file = self.files.first().cloned().unwrap_or_else(|| PathBuf::from("scenarios/any"));
        let path = relative(root, &file);
        let folders = path.ancestors().skip(1);
        folders.flat_map(|folder| crate::config::FILES.map(|name| slashed(&folder.join(name)))).collect()
    }

    /// What is demanded now.
    fn demands(&self, gate: &GateArgs) -> Demands {
        let read = |path: &Path| SourceFile::read(path).ok().map(Arc::new);
        let parse = |file: Arc<SourceFile>| Document::parse(file).ok();
        let config = self.config.file.clone().and_then(parse);
        let named = |path: &[&str]| {
            let node = path.iter().try_fold(&config.as_ref()?.node, |node, key| node.get(key))?;
            node.as_str().map(str::to_owned)
        };
        let quarantine = named(&["gate", "quarantine"]).map(|path| self.config.folder.join(path));
        let baseline = gate.proof.place(&self.config.gate, &self.config.folder);
        let baseline = baseline.as_ref().and_then(Place::file);
        Demands {
            scenarios: self.files.iter().filter_map(|path| parse(read(path)?)).collect(),
            quarantine: quarantine.and_then(|path| parse(read(&path)?)),
            baseline: baseline.and_then(read),
            config,
            budget: self.budget,
        }
    }
}

/// The scenario files around those of a stored run, and where they were looked for.
pub(super) fn around(files: &[PathBuf], config: &ConfigFile) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let configured = config.scenarios.as_ref().map(|folder| config.folder.join(folder));
    let mut folders: Vec<PathBuf> = match configured.filter(|folder| folder.is_dir()) {
        Some(folder) => vec![folder],
        None => files.iter().filter_map(|file| file.parent()).map(Path::to_path_buf).collect(),
    };
    folders.sort();
    folders.dedup();
    // The folder of all files would take everything in the repository for scenarios.
    let at_top = folders.iter().any(|folder| folder.as_os_str().is_empty());
    let paths = if at_top { files.to_vec() } else { folders };
    let found = discover(&paths).unwrap_or_default();
    (paths, found)
}

/// The root of the repository that holds a folder, or the current folder where there is none.
fn root(folder: &Path) -> PathBuf {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let found = full.ancestors().find(|folder| folder.join(".git").exists());
    found.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A path from the root of the repository; it need not be there any more.
fn relative(root: &Path, path: &Path) -> PathBuf {
    if path.exists() && path.is_file() {
        return PathBuf::from(repository_name(path));
    }
    let here = Path::new(".").canonicalize().unwrap_or_default();
    let full = here.join(path.strip_prefix(".").unwrap_or(path));
    let full = full.canonicalize().unwrap_or(full);
    full.strip_prefix(root).map_or(full.clone(), Path::to_path_buf)
}

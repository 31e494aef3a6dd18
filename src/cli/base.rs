//! `--weakened-since` and `--policy-from`: what the base of the change demanded.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::policy::{BaseArgs, GateArgs};
use super::{Status, terminal};
use crate::config::{ConfigFile, GateConfig};
use crate::demands::{self, Configuration, Demands, Document, Scope, Then, compare};
use crate::environment::Environment;
use crate::gate::{Category, Weakening};
use crate::history::{GitError, PastCommit, Pipeline, Place};
use crate::scenario::discover;
use crate::source::{Diagnostics, Node, SourceFile, slashed};
use crate::text;

/// Where the suite lies, as the user named it.
pub(super) struct SuitePaths<'a> {
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
    /// Whether flags name a rate or a baseline.
    pub(super) flags_decide: bool,
    /// The current folder.
    pub(super) here: Here,
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
        suite: &SuitePaths<'_>,
        environment: &Environment,
    ) -> Result<Base, Status> {
        let pipeline = Pipeline::of(environment);
        let policy = gate.policy(&suite.config.gate, environment);
        let fatal = policy.fail_on.contains(&Category::Weakened);
        let must = fatal || self.weakened_since.is_some() || self.policy_from.is_some();
        let known = environment.is_ci() && pipeline.is_told();
        if !must && !known {
            return Ok(Base::default());
        }
        let now = suite.demands(gate, environment);
        let base = self.read(gate, suite, &now, (&pipeline, environment));
        let base = base.and_then(|(then, name)| {
            let weakened = compare(&then.demands, &now);
            let linked = then.linked(&suite.links(gate));
            let nested = self.nested(suite, &pipeline);
            let mut base = Base {
                weakened: [weakened, linked, nested.into_iter().collect()].concat(),
                ..Base::default()
            };
            base.weakened.sort_by(|a, b| a.location.cmp(&b.location));
            self.hold(base, environment, (&then, &name))
        });
        base.or_else(|trouble| {
            let NoBase::Git(error) = trouble else { return Err(Status::Invalid) };
            let message = format!("cannot compare with the base: {error}");
            if must {
                return Err(Status::Unjudged
                    .because(&message, "nothing was sent; give the revision by `--weakened-since`"));
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
        suite: &SuitePaths<'_>,
        now: &Demands,
        (pipeline, environment): (&Pipeline, &Environment),
    ) -> Result<(Then, String), NoBase> {
        let within = suite.within();
        let commit = self.commit(&within, pipeline)?;
        let then = Then::read(&commit, &suite.scope(gate, now), environment)?;
        Ok((then, commit.name()))
    }

    fn commit(&self, within: &Path, pipeline: &Pipeline) -> Result<PastCommit, GitError> {
        match &self.weakened_since {
            Some(revision) => PastCommit::since(within, revision),
            None => PastCommit::base(within, pipeline),
        }
    }

    /// The folder of a repository that lies in another one, where the other one had files in that folder: what
    /// is judged now has a past of its own.
    fn nested(&self, suite: &SuitePaths<'_>, pipeline: &Pipeline) -> Option<Weakening> {
        let inner = root(&suite.within());
        let mut around = inner.ancestors().skip(1).filter(|folder| folder.join(".git").exists());
        around.find_map(|outer| {
            let paths = self.commit(outer, pipeline).and_then(|commit| commit.paths()).ok()?;
            let folder = slashed(inner.strip_prefix(outer).ok()?);
            let below = format!("{folder}/");
            paths.iter().any(|path| path.starts_with(&below)).then(|| demands::nested(&folder))
        })
    }

    fn hold(
        &self,
        mut base: Base,
        environment: &Environment,
        (then, name): (&Then, &str),
    ) -> Result<Base, NoBase> {
        for unread in &then.unread {
            base.notes.push(format!("not compared with {name}: {}", text::excerpt(unread, 200)));
        }
        if self.policy_from.is_some() {
            let mut found = Diagnostics::default();
            base.rules = Some(then.policy(environment, &mut found));
            terminal::diagnostics(&found);
            if found.has_errors() {
                return Err(NoBase::Told);
            }
            base.notes.push(format!("judged with the policy of {name}"));
        }
        base.notes.iter().for_each(|note| terminal::warning(note, ""));
        Ok(base)
    }
}

/// Why there is no base.
enum NoBase {
    Git(GitError),
    /// Its policy is wrong, and that was told.
    Told,
}

impl From<GitError> for NoBase {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl SuitePaths<'_> {
    /// A folder of the repository.
    fn within(&self) -> PathBuf {
        let near = self.config.file.as_ref().map(|_| self.config.folder.clone());
        // A link must not lead to another repository, whose past says nothing of this one.
        let own = self.files.first().map(|file| self.here.join(file));
        let own = own.as_ref().and_then(|file| {
            let mut folders = file.ancestors().skip(1);
            folders
                .find(|one| one.join(".git").exists() && one.canonicalize().is_ok_and(|full| full == **one))
        });
        if let Some(own) = own {
            return own.to_path_buf();
        }
        let folder = self.files.first().and_then(|file| file.parent()).map(Path::to_path_buf).or(near);
        let folder = folder.unwrap_or_default();
        if folder.is_dir() { folder } else { PathBuf::from(".") }
    }

    /// Where the base is looked into.
    fn scope(&self, gate: &GateArgs, now: &Demands) -> Scope {
        let root = root(&self.within());
        let config = if let Some(path) = self.named {
            vec![slashed(&self.here.relative(&root, path))]
        } else {
            let here = self.config.path.as_ref().map(|path| slashed(&self.here.relative(&root, path)));
            here.into_iter().chain(self.candidates(&root)).collect()
        };
        let named = gate.proof.baseline.as_ref();
        let file = named.and_then(Place::file).map(|path| slashed(&self.here.relative(&root, path)));
        let of_change = named.and_then(Place::of_change);
        Scope {
            scenarios: self.paths.iter().map(|path| self.here.relative(&root, path)).collect(),
            default: self.here.relative(&root, Path::new("scenarios")),
            config,
            baseline: file.or(of_change),
            names: now.names(),
        }
    }

    /// Every link on the way to a file of the suite, with what it points to.
    fn links(&self, gate: &GateArgs) -> BTreeMap<String, String> {
        let root = root(&self.within());
        let config = self.named.map(Path::to_path_buf).or_else(|| self.config.path.clone());
        let baseline = self.own_baseline(gate);
        let mut links = BTreeMap::new();
        for path in self.paths.iter().chain(self.files).cloned().chain(config).chain(baseline) {
            let whole = self.here.relative(&root, &path);
            for part in whole.ancestors().filter(|part| !part.as_os_str().is_empty()) {
                if let Ok(target) = std::fs::read_link(root.join(part)) {
                    links.insert(slashed(part), slashed(&target));
                }
            }
        }
        links
    }

    /// The names that a configuration above the scenarios may have had, the nearest first.
    fn candidates(&self, root: &Path) -> Vec<String> {
        let file = self.files.first().cloned().unwrap_or_else(|| PathBuf::from("scenarios/any"));
        let path = self.here.relative(root, &file);
        let folders = path.ancestors().skip(1);
        folders.flat_map(|folder| crate::config::FILES.map(|name| slashed(&folder.join(name)))).collect()
    }

    /// The file of the baseline in the working tree, also where it is read at the base of the change.
    fn own_baseline(&self, gate: &GateArgs) -> Option<PathBuf> {
        let place = gate.proof.place(&self.config.gate, &self.config.folder)?;
        let of_change = || Some(root(&self.within()).join(place.of_change()?));
        place.file().map(Path::to_path_buf).or_else(of_change)
    }

    /// What is demanded now.
    fn demands(&self, gate: &GateArgs, environment: &Environment) -> Demands {
        let read = |path: &Path| SourceFile::read(path).ok().map(Arc::new);
        let parse = |file: Arc<SourceFile>| Document::parse(file).ok();
        let config = self.config.file.clone().and_then(parse);
        let quarantine = config.as_ref().and_then(|config| {
            let named = config.node.get("gate")?.get("quarantine").and_then(Node::as_str)?;
            parse(read(&self.config.folder.join(named))?)
        });
        let baseline = self.own_baseline(gate);
        let suite = |path: &PathBuf| demands::ScenarioFile::of(parse(read(path)?)?, environment);
        Demands {
            scenarios: self.files.iter().filter_map(suite).collect(),
            quarantine,
            baseline: baseline.as_deref().and_then(read),
            config: config.map(|document| Configuration { document, config: self.config.clone() }),
            budget: self.budget,
            flags_decide: self.flags_decide,
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

/// The current folder under the name that the shell has for it: the system names what links on the way lead to.
#[derive(Clone, Debug)]
pub(super) struct Here(PathBuf);

impl Here {
    pub(super) fn of(environment: &Environment) -> Self {
        let real = Path::new(".").canonicalize().unwrap_or_default();
        let named = environment.get("PWD").map(PathBuf::from);
        let same = |path: &PathBuf| path.is_absolute() && path.canonicalize().is_ok_and(|full| full == real);
        Self(named.filter(same).unwrap_or(real))
    }

    /// The whole path, as it is written.
    fn join(&self, path: &Path) -> PathBuf {
        let mut full = PathBuf::new();
        for part in self.0.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(full.pop()),
                part => full.push(part),
            }
        }
        full
    }

    /// A path from the root of the repository, as it is written: links on the way are not followed, for they
    /// may be new. It need not be there any more.
    fn relative(&self, root: &Path, path: &Path) -> PathBuf {
        let full = self.join(path);
        // What lies above the repository may be a link to it.
        let top = full.ancestors().collect::<Vec<_>>().into_iter().rev();
        let mut top = top.filter(|folder| folder.canonicalize().is_ok_and(|folder| folder == root));
        top.find_map(|folder| full.strip_prefix(folder).ok()).map_or(full.clone(), Path::to_path_buf)
    }
}

/// The root of the repository that holds a folder, or the current folder where there is none.
fn root(folder: &Path) -> PathBuf {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let found = full.ancestors().find(|folder| folder.join(".git").exists());
    found.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

//! `--weakened-since` and `--trust base`: compares a change with what its base required, and judges it with the base's
//! settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::args::common_folder;
use super::policy::{BaseArgs, GateArgs, TrustIn};
use super::{Status, terminal};
use crate::cache::{FOLDER, JOURNALS, Untrusted};
use crate::config::{ConfigFile, Flags, Whose};
use crate::demands::{self, Configuration, Demands, Document, Scope, Then, cached, compare, is_within};
use crate::environment::Environment;
use crate::gate::{Category, Weakening};
use crate::history::{Brought, GitError, PastCommit, Pipeline, Place};
use crate::scenario::{Selection, discover};
use crate::source::{Diagnostics, Node, SourceFile, slashed};
use crate::text;

/// Location of the suite, as the user named it.
pub(super) struct SuitePaths<'a> {
    /// Scenario files, folders and globs; empty for those of the configuration or the default.
    pub(super) paths: &'a [PathBuf],
    /// The current scenario files.
    pub(super) files: &'a [PathBuf],
    /// The configuration named by a flag.
    pub(super) named: Option<&'a Path>,
    /// The current configuration.
    pub(super) config: &'a ConfigFile,
    /// Other flags about sending.
    pub(super) flags: Flags,
    /// Selection flags.
    pub(super) selection: Selection,
    /// Whether a flag sets a budget.
    pub(super) budget: bool,
    /// Whether flags name a rate or a baseline.
    pub(super) flags_decide: bool,
    /// The current folder.
    pub(super) here: Here,
}

/// What follows from the base of the change.
#[derive(Default)]
pub(super) struct Base {
    /// The configuration that replaces the change's, if any.
    pub(super) held: Option<ConfigFile>,
    /// Location of the baseline, if one is configured.
    pub(super) place: Option<Place>,
    /// The commit that the baseline's trials come from under `--trust base`.
    pub(super) commit: Option<PastCommit>,
    /// Untrusted records.
    pub(super) untrusted: Option<Untrusted>,
    /// Whether the change adds the journal of an interrupted run.
    pub(super) brings_journal: bool,
    /// Weakenings since the base.
    pub(super) weakened: Vec<Weakening>,
    /// The cases the base has too, by scenario and ID; `None` if nothing is compared.
    pub(super) cases: Option<BTreeSet<(String, String)>>,
    /// Notes for the report.
    pub(super) notes: Vec<String>,
}

impl Base {
    /// The configuration in effect: the base's, or the one found.
    ///
    /// Names of cases in the base's configuration are not checked, because cases may have been removed since.
    pub(super) fn config<'a>(&'a self, found: &'a ConfigFile) -> &'a ConfigFile {
        self.held.as_ref().unwrap_or(found)
    }
}

impl BaseArgs {
    /// Compares the change with its base, if requested or known from CI.
    ///
    /// A missing base is a note, or an error if the gate depends on it.
    pub(super) fn compare(
        &self,
        gate: &GateArgs,
        suite: &SuitePaths<'_>,
        environment: &Environment,
    ) -> Result<Base, Status> {
        let pipeline = Pipeline::of(environment);
        let policy = gate.policy(&suite.config.gate, environment);
        let fatal = policy.fail_on.contains(&Category::Weakened);
        let must = fatal || self.weakened_since.is_some() || self.trust == Some(TrustIn::Base);
        let known = environment.is_ci() && pipeline.is_told();
        let place = gate.proof.place(&suite.config.gate, &suite.config.folder);
        if !must && !known {
            return Ok(Base { place, ..Base::default() });
        }
        self.read(gate, suite, (&pipeline, environment)).or_else(|trouble| {
            let NoBase::Git(error) = trouble else { return Err(Status::Invalid) };
            let message = format!("cannot compare with the base: {error}");
            if must {
                return Err(Status::Unjudged
                    .because(&message, "nothing was sent; name the revision with `--weakened-since`"));
            }
            terminal::warning(&message, "name the revision with `--weakened-since`");
            let notes = vec![format!("{message}; cannot check for weakenings")];
            Ok(Base { place, notes, ..Base::default() })
        })
    }

    /// Reads the base and compares the change with it.
    fn read(
        &self,
        gate: &GateArgs,
        suite: &SuitePaths<'_>,
        (pipeline, environment): (&Pipeline, &Environment),
    ) -> Result<Base, NoBase> {
        let mut now = suite.demands(gate, environment);
        let commit = self.commit(&suite.within(), pipeline)?;
        let then = Then::read(&commit, &suite.scope(gate, &now), environment)?;
        let (mut base, by_base) = (Base::default(), self.trust == Some(TrustIn::Base));
        if by_base {
            base.held = suite.held(&then, &commit, environment)?;
            base.notes.extend(base.held.as_ref().map(|held| told(&held.whose, &then, &now, &commit)));
        }
        let settings = base.config(suite.config);
        let brought = commit.brought()?;
        let cached = suite.cached(settings, &brought);
        let mut place = gate.proof.place(&settings.gate, &settings.folder);
        if by_base {
            // The change accepts intended changes in the baseline file that the base names.
            now.baseline = suite.own_baseline(place.as_ref()).as_deref().and_then(read);
            place = place.map(|place| suite.at_base(place, &commit, &brought)).transpose()?;
            base.untrusted = cached.untrusted();
            base.notes.extend(cached.told());
            base.brings_journal =
                suite.cached_in(Path::new(JOURNALS), &brought) != demands::Cached::default();
        }
        for unread in &then.unread {
            base.notes.push(format!("not compared with {}: {}", commit.name(), text::excerpt(unread, 200)));
        }
        base.notes.iter().for_each(|note| terminal::warning(note, ""));
        base.cases = Some(demands::kept(&then.demands, &now));
        base.weakened = [
            compare(&then.demands, &now),
            base.held.iter().flat_map(|held| held_against(held, &then.demands, &now)).collect(),
            then.linked(&suite.links(gate)),
            self.nested(suite, pipeline).into_iter().collect(),
            cached.weakened(!by_base),
        ]
        .concat();
        base.weakened.sort_by(|a, b| (&a.location, &a.kind, &a.of).cmp(&(&b.location, &b.kind, &b.of)));
        base.weakened.dedup();
        Ok(Base { place, commit: by_base.then_some(commit), ..base })
    }

    fn commit(&self, within: &Path, pipeline: &Pipeline) -> Result<PastCommit, GitError> {
        match &self.weakened_since {
            Some(revision) => PastCommit::since(within, revision),
            None => PastCommit::base(within, pipeline),
        }
    }

    /// The folder of a nested repository if the outer one had files there: what is judged now then has a history of its
    /// own.
    fn nested(&self, suite: &SuitePaths<'_>, pipeline: &Pipeline) -> Option<Weakening> {
        let inner = root(&suite.within());
        let mut around = inner.ancestors().skip(1).filter(|folder| folder.join(".git").exists());
        around.find_map(|outer| {
            let commit = self.commit(outer, pipeline).ok()?;
            let (paths, brought) = (commit.paths().ok()?, commit.brought().ok()?);
            let folder = slashed(inner.strip_prefix(outer).ok()?);
            let is_new = paths.iter().any(|path| is_within(path, &folder));
            // The change decides which commit of a submodule is judged.
            (is_new || brought.contains_key(&folder)).then(|| demands::nested(&folder))
        })
    }
}

/// Weakenings of a change's suite under the base's settings: a name changed in
/// both suite and settings no longer matches those of the base.
fn held_against(held: &ConfigFile, then: &Demands, now: &Demands) -> Vec<Weakening> {
    if matches!(held.whose, Whose::Change) {
        return Vec::new();
    }
    let config = then.config.as_ref().map(|config| Configuration { config: held.clone(), ..config.clone() });
    let (quarantine, calibration) = (then.quarantine.clone(), then.calibration.clone());
    compare(then, &Demands { config, quarantine, calibration, ..now.clone() })
}

/// Keys about what is tested, not how: they come from the change, like its scenarios.
const TESTED: [&str; 5] = ["project", "provider", "model", "scenariosDir", "target"];

/// Says whose settings apply, and which settings of the change are ignored.
fn told(whose: &Whose, then: &Then, now: &Demands, commit: &PastCommit) -> String {
    let (Whose::Base(_), Some(path)) = (whose, &then.config) else {
        let name = commit.name();
        return match whose {
            Whose::Change => format!(
                "{name} has neither akit.yaml nor this suite: the change's own settings apply, and nothing \
                     is sent to servers that only the change names"
            ),
            Whose::Own | Whose::Base(_) => {
                format!(
                    "{name} has no akit.yaml: akit's defaults apply, and keys go only to the vendors' own addresses"
                )
            }
        };
    };
    let node = |demands: &Demands| demands.config.as_ref().map(|config| config.document.node.to_json());
    let [was, is] = [node(&then.demands), node(now)].map(Option::unwrap_or_default);
    let keys = [&was, &is].into_iter().filter_map(|one| one.as_object()).flat_map(|one| one.keys());
    let differs = |key: &&String| !TESTED.contains(&key.as_str()) && was.get(key) != is.get(key);
    let differing: BTreeSet<&String> = keys.filter(differs).collect();
    let mut told = format!("judged with the policy and the other settings in {path} at {}", commit.name());
    if !differing.is_empty() {
        let keys = text::list(&differing.into_iter().collect::<Vec<_>>());
        let _ = write!(told, "; ignored in this change: {}", text::excerpt(&keys, 200));
    }
    told
}

fn read(path: &Path) -> Option<Arc<SourceFile>> {
    SourceFile::read(path).ok().map(Arc::new)
}

/// Why there is no base.
enum NoBase {
    Git(GitError),
    /// Its policy is invalid; already reported.
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
        // A link must not lead to another repository with an unrelated history.
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

    /// The base's configuration; `None` if the one found is not part of any change.
    fn held(
        &self,
        then: &Then,
        commit: &PastCommit,
        environment: &Environment,
    ) -> Result<Option<ConfigFile>, NoBase> {
        let (root, own) = (root(&self.within()), self.config.clone());
        let outside = own.path.as_ref().is_some_and(|path| self.here.relative(&root, path).is_absolute());
        if outside && then.config.is_none() {
            let around = self::root(&own.folder);
            if around.join(".git").exists() && root.starts_with(&around) {
                let doing = "read akit.yaml at the base".to_owned();
                let reason = "it is outside the suite's repository, which is a submodule; move akit.yaml into the suite, or pass `--trust head`";
                return Err(GitError::Failed { doing, reason: reason.to_owned() }.into());
            }
            return Ok(None);
        }
        if then.is_without_akit() {
            return Ok(Some(ConfigFile { whose: Whose::Change, ..own }));
        }
        let folder = match &then.config {
            Some(path) => self.here.shown(&root.join(path).with_file_name("")),
            None => own.folder,
        };
        let mut found = Diagnostics::default();
        let held = then.settings(commit, commit.short(), folder, environment, &mut found)?;
        terminal::diagnostics(&found);
        if found.has_errors() {
            return Err(NoBase::Told);
        }
        // What is tested comes from the change.
        let ConfigFile { provider, model, mut named_by_variables, scenarios, target_version, .. } = own;
        let target_version = target_version.map(|version| version.unmerged(held.target_version.as_ref()));
        named_by_variables.extend(held.named_by_variables.iter().cloned());
        Ok(Some(ConfigFile { provider, model, named_by_variables, scenarios, target_version, ..held }))
    }

    /// The base's version of a baseline, if git tracks its file.
    fn at_base(
        &self,
        place: Place,
        commit: &PastCommit,
        brought: &BTreeMap<String, Brought>,
    ) -> Result<Place, GitError> {
        let Some(file) = place.file() else { return Ok(place) };
        let path = slashed(&self.here.relative(&root(&self.within()), file));
        let is_tracked = commit.paths()?.contains(&path)
            || brought.keys().any(|one| *one == path || is_within(&path, one));
        Ok(if is_tracked { Place::at_base(&path) } else { place })
    }

    /// Records the change adds to the cache.
    fn cached(&self, settings: &ConfigFile, brought: &BTreeMap<String, Brought>) -> demands::Cached {
        let folder = self.flags.cache_dir.clone().or_else(|| settings.cache_folder());
        self.cached_in(&folder.unwrap_or_else(|| PathBuf::from(FOLDER)), brought)
    }

    fn cached_in(&self, folder: &Path, brought: &BTreeMap<String, Brought>) -> demands::Cached {
        let root = root(&self.within());
        let real = folder.canonicalize().ok();
        let real = real.as_ref().and_then(|real| real.strip_prefix(&root).ok()).map(slashed);
        cached(brought, &slashed(&self.here.relative(&root, folder)), real.as_deref())
    }

    /// Access to the base.
    fn scope(&self, gate: &GateArgs, now: &Demands) -> Scope {
        let root = root(&self.within());
        let config = if let Some(path) = self.named {
            vec![slashed(&self.here.relative(&root, path))]
        } else {
            let here = self.config.path.as_ref().map(|path| slashed(&self.here.relative(&root, path)));
            // The configuration that was nearest at the base: if the change removes it, one farther up must not replace
            // it.
            self.candidates(&root).into_iter().chain(here).collect()
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

    /// Every symbolic link on the way to a file of the suite, with its target, which may be behind
    /// another link.
    fn links(&self, gate: &GateArgs) -> BTreeMap<String, String> {
        let root = root(&self.within());
        let config = self.named.map(Path::to_path_buf).or_else(|| self.config.path.clone());
        let place = gate.proof.place(&self.config.gate, &self.config.folder);
        let baseline = self.own_baseline(place.as_ref());
        let mut links = BTreeMap::new();
        let paths = self.paths.iter().chain(self.files).cloned().chain(config).chain(baseline);
        let mut ways: Vec<_> = paths.map(|path| self.here.relative(&root, &path)).collect();
        while let Some(way) = ways.pop() {
            for part in way.ancestors().filter(|part| !part.as_os_str().is_empty()) {
                let Ok(target) = std::fs::read_link(root.join(part)) else { continue };
                if links.insert(slashed(part), slashed(&target)).is_none() {
                    let beside = root.join(part.parent().unwrap_or(Path::new("")));
                    let rest = way.strip_prefix(part).unwrap_or(Path::new(""));
                    ways.push(self.here.relative(&root, &beside.join(&target).join(rest)));
                }
            }
        }
        links
    }

    /// Possible names of a configuration above the scenarios, nearest first.
    fn candidates(&self, root: &Path) -> Vec<String> {
        let folder = self.here.relative(root, &common_folder(self.paths));
        folder
            .ancestors()
            .flat_map(|folder| crate::config::FILES.map(|name| slashed(&folder.join(name))))
            .collect()
    }

    /// The baseline's file in the working tree, even if it is read at the base.
    fn own_baseline(&self, place: Option<&Place>) -> Option<PathBuf> {
        let place = place?;
        let of_change = || Some(root(&self.within()).join(place.of_change()?));
        place.file().map(Path::to_path_buf).or_else(of_change)
    }

    /// Current requirements.
    fn demands(&self, gate: &GateArgs, environment: &Environment) -> Demands {
        let parse = |file: Arc<SourceFile>| Document::parse(file).ok();
        let config = self.config.file.clone().and_then(parse);
        let quarantine = config.as_ref().and_then(|config| {
            let named = config.node.get("gate")?.get("quarantine").and_then(Node::as_str)?;
            parse(read(&self.config.folder.join(named))?)
        });
        let place = gate.proof.place(&self.config.gate, &self.config.folder);
        let baseline = self.own_baseline(place.as_ref());
        let calibration = self.config.grader.as_ref().and_then(|grader| grader.calibration.as_ref());
        let calibration = calibration.map(|(file, _)| self.config.folder.join(file));
        let suite = |path: &PathBuf| demands::ScenarioFile::of(parse(read(path)?)?, environment);
        Demands {
            scenarios: self.files.iter().filter_map(suite).collect(),
            quarantine,
            baseline: baseline.as_deref().and_then(read),
            config: config.map(|document| Configuration { document, config: self.config.clone() }),
            calibration: calibration.as_deref().and_then(read),
            flags: self.flags.clone(),
            selection: self.selection.clone(),
            environment: environment.clone(),
            budget: self.budget,
            flags_decide: self.flags_decide,
        }
    }
}

/// The scenario files around those of a stored run, and where they were searched.
pub(super) fn around(files: &[PathBuf], config: &ConfigFile) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let configured = config.scenarios.as_ref().map(|folder| config.folder.join(folder));
    let mut folders: Vec<PathBuf> = match configured.filter(|folder| folder.is_dir()) {
        Some(folder) => vec![folder],
        None => files.iter().filter_map(|file| file.parent()).map(Path::to_path_buf).collect(),
    };
    folders.sort();
    folders.dedup();
    // The common folder would include everything in the repository.
    let at_top = folders.iter().any(|folder| folder.as_os_str().is_empty());
    let paths = if at_top { files.to_vec() } else { folders };
    let found = discover(&paths).unwrap_or_default();
    (paths, found)
}

/// The current folder as the shell names it: the system resolves links.
#[derive(Clone, Debug)]
pub(super) struct Here(PathBuf);

impl Here {
    pub(super) fn of(environment: &Environment) -> Self {
        let real = Path::new(".").canonicalize().unwrap_or_default();
        let named = environment.get("PWD").map(PathBuf::from);
        let same = |path: &PathBuf| path.is_absolute() && path.canonicalize().is_ok_and(|full| full == real);
        Self(named.filter(same).unwrap_or(real))
    }

    /// The absolute path, links not resolved.
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

    /// A path, relative if it is below the current folder.
    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.0).map_or_else(|_| path.to_path_buf(), Path::to_path_buf)
    }

    /// A path from the root of the repository. Links are not followed: they may be new. The path may no longer exist.
    fn relative(&self, root: &Path, path: &Path) -> PathBuf {
        let full = self.join(path);
        // A folder above the repository may be a link to it.
        let top = full.ancestors().collect::<Vec<_>>().into_iter().rev();
        let mut top = top.filter(|folder| folder.canonicalize().is_ok_and(|folder| folder == root));
        top.find_map(|folder| full.strip_prefix(folder).ok()).map_or(full.clone(), Path::to_path_buf)
    }
}

/// The root of the repository containing a folder, or the current folder.
fn root(folder: &Path) -> PathBuf {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let found = full.ancestors().find(|folder| folder.join(".git").exists());
    found.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

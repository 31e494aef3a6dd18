//! What earlier attempts of a pipeline at the same commit found about suspected cases.
//!
//! A case that fails is asked again until its answers are conclusive. If each attempt started over, restarting a
//! pipeline often enough would clear a broken case. So the answers are stored by commit, and later attempts count them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::git::short;
use super::{HistoryError, Kind, check, source};
use crate::manifest::{CaseResult, Earlier, RunManifest};
use crate::source::{Pending, json_object, slashed};
use crate::text;
use crate::vocabulary::Outcome;

/// The name and version of the file format.
const SCHEMA: &str = "akit.attempts/1";

/// Age at which a record is removed: 30 days. By then, no one restarts a pipeline at that commit.
const FORGOTTEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The attempts at one commit.
#[derive(Debug)]
pub struct Attempts {
    path: PathBuf,
    suite: String,
    resumes: bool,
    kept: Kept,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    /// The commit.
    head: String,
    /// Oldest first.
    attempts: Vec<Attempt>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    suite: String,
    /// Whether `--resume` can finish it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
    cases: Vec<Suspected>,
}

/// A case with its answers in one attempt. The answers count only for the same question, application and judge.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspected {
    case: Identity,
    passes: u32,
    trials: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    scenario: String,
    id: String,
    content_hash: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    target_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grader_hash: Option<String>,
}

impl Attempts {
    /// Reads the record of a suite's attempts at a commit; without a file, there are no attempts. An attempt that is
    /// being resumed does not count as an earlier one, because its answers are found again.
    ///
    /// # Errors
    /// If something else is at that path.
    pub fn at(folder: &Path, head: &str, suite: &[String], resumes: bool) -> Result<Self, HistoryError> {
        let (path, suite) = (folder.join(format!("{head}.json")), suite.join(", "));
        let kept = read(&path, head)?.before(&suite, resumes);
        Ok(Self { path, suite, resumes, kept })
    }

    /// Adds to the cases of a run what earlier attempts found.
    pub fn tell(&self, run: &mut RunManifest) {
        if self.kept.attempts.is_empty() {
            return;
        }
        let mut found: BTreeMap<&Identity, Earlier> = BTreeMap::new();
        for one in self.kept.attempts.iter().flat_map(|attempt| &attempt.cases) {
            let sum = found.entry(&one.case).or_insert(Earlier { passes: 0, trials: 0 });
            sum.passes = sum.passes.saturating_add(one.passes);
            sum.trials = sum.trials.saturating_add(one.trials);
        }
        let names: Vec<_> = run.cases.iter().map(|case| identity(run, case)).collect();
        for (case, name) in run.cases.iter_mut().zip(&names) {
            case.earlier = found.get(name).copied();
        }
    }

    /// Which attempt of the suite this is, in words; `None` for the first.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let before = self.kept.attempts.iter().filter(|one| one.suite == self.suite).count();
        let (number, commit) = (before + 1, short(&self.kept.head));
        let counts = "suspected cases keep their trials from earlier attempts";
        (before > 0).then(|| format!("attempt {number} at commit {commit}: {counts}"))
    }

    /// Stores the answers of this attempt to suspected cases, and removes the records of old commits.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(self, run: &RunManifest, now: SystemTime) -> Result<(), HistoryError> {
        let suspected = |case: &CaseResult| {
            let open = case.earlier.is_some() || case.outcome != Outcome::Passed;
            let count = |outcome| {
                let asked = case.evidence().filter(|trial| trial.is_asked());
                asked.filter(|trial| trial.outcome == outcome).count()
            };
            let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
            (open && passed + failed > 0).then(|| Suspected {
                case: identity(run, case),
                passes: small(passed),
                trials: small(passed + failed),
            })
        };
        let cases = run.cases.iter().filter_map(suspected).collect();
        let cannot = |source| HistoryError::Write { path: slashed(&self.path), source };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        // Other jobs of this pipeline may end at the same moment, or may have ended since this one started.
        let lock = || {
            fs::create_dir_all(folder)?;
            // It belongs to this pipeline, so it is not committed.
            fs::write(folder.join(".gitignore"), "*\n")?;
            let lock = File::create(self.path.with_extension("lock"))?;
            lock.lock()?;
            Ok(lock)
        };
        let _lock = lock().map_err(cannot)?;
        let mut kept = read(&self.path, &self.kept.head)?.before(&self.suite, self.resumes);
        let unfinished = run.ended.can_be_finished();
        kept.attempts.push(Attempt { suite: self.suite.clone(), unfinished, cases });
        let write = || {
            let text = serde_json::to_string_pretty(&kept)?;
            let pending = Pending::open(&self.path)?;
            forget(folder, now);
            pending.write(text.as_bytes())
        };
        write().map_err(cannot)
    }
}

impl Kept {
    /// The attempts before this one. A resumed attempt is dropped, since its answers are found again.
    fn before(mut self, suite: &str, resumes: bool) -> Self {
        let last = self.attempts.iter().rposition(|one| one.suite == suite);
        if let Some(last) = last.filter(|last| resumes && self.attempts[*last].unfinished) {
            self.attempts.remove(last);
        }
        self
    }
}

fn identity(run: &RunManifest, case: &CaseResult) -> Identity {
    let scenario = run.scenarios.iter().find(|one| one.name == case.scenario);
    Identity {
        scenario: case.scenario.clone(),
        id: case.id.clone(),
        content_hash: case.content_hash.clone(),
        target_hash: scenario.map(|one| one.target_hash.clone()).unwrap_or_default(),
        grader_hash: scenario.and_then(|one| one.grader_hash.clone()),
    }
}

fn read(path: &Path, head: &str) -> Result<Kept, HistoryError> {
    let foreign = |reason: &str| HistoryError::Foreign {
        path: slashed(path),
        what: Kind::Attempts,
        reason: text::excerpt(reason, super::REASON),
    };
    let folder = path.parent().and_then(|folder| fs::symlink_metadata(folder).ok());
    match fs::symlink_metadata(path) {
        _ if folder.is_some_and(|folder| folder.is_symlink()) => return Err(foreign("its folder is a link")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Kept { schema: SCHEMA.to_owned(), head: head.to_owned(), attempts: Vec::new() });
        }
        // Reading a pipe would block until someone writes to it.
        Ok(found) if !found.is_file() => return Err(foreign("it is not a regular file")),
        _ => {}
    }
    let source = source(path)?;
    let kept: Kept = json_object(source.text().as_bytes()).map_err(|error| foreign(&error.to_string()))?;
    check(&slashed(path), Kind::Attempts, &kept.schema, &[SCHEMA])?;
    let mut cases = kept.attempts.iter().flat_map(|attempt| &attempt.cases);
    if kept.head != head {
        return Err(foreign("it belongs to another commit"));
    }
    if cases.any(|case| case.passes > case.trials) {
        return Err(foreign("it has more passed trials than trials"));
    }
    Ok(kept)
}

/// Removes the records of commits that are no longer tested.
fn forget(folder: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_ours = path.extension().is_some_and(|ending| ending == "json" || ending == "lock");
        let written = fs::symlink_metadata(&path).and_then(|found| found.modified());
        let age = written.ok().and_then(|written| now.duration_since(written).ok());
        if is_ours && age.is_some_and(|age| age > FORGOTTEN) {
            // A file that cannot be removed does no harm.
            let _ = fs::remove_file(path);
        }
    }
}

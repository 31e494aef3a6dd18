//! Stored runs and baselines, on disk or in git.

mod attempts;
mod base;
mod clone;
mod git;
mod past;
mod place;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::baseline::Baseline;
use crate::manifest::{RunManifest, SCHEMA, Trial, VERSION_1, read_version_1};
use crate::source::{Pending, ReadError, SourceFile, json_object, leaves, slashed};
use crate::vocabulary::{Outcome, VerdictKind};

pub use attempts::Attempts;
pub use base::Pipeline;
pub use clone::{Kept, LocalClone, kept};
pub use git::GitError;
pub use past::{Brought, PastCommit};
pub use place::{Place, change_baseline, read_baseline_at};

/// Maximum length, in characters, of the reason why a file is not a stored run.
const REASON: usize = 400;

/// Why a stored run or baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no such file.
    #[error("no such file: `{0}`")]
    Missing(String),
    /// The file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// The file cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The place is in a commit, which cannot be changed.
    #[error("`{0}` is in a commit, which cannot be changed; name a file or `git-ref:NAME`")]
    Fixed(String),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The file contains something else.
    #[error("`{path}` is not {what}: {reason}")]
    Foreign {
        /// The file.
        path: String,
        /// What it should be.
        what: Kind,
        /// What is wrong.
        reason: String,
    },
}

impl HistoryError {
    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Foreign { what: Kind::Run, .. } => "store runs with `akit run --json FILE`",
            Self::Foreign { what: Kind::Baseline, .. } => {
                "restore it, or create a new one with `akit baseline update`"
            }
            Self::Foreign { what: Kind::Attempts, .. } => "remove it; this attempt then counts as the first",
            Self::Git(_) | Self::Fixed(_) => "see docs/baseline.md",
            Self::Read { source, .. } => source.help("save the file as UTF-8"),
            Self::Missing(_) | Self::Write { .. } => "check the path",
        }
    }
}

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What `akit run --json` writes.
    Run,
    /// What `akit baseline update` writes.
    Baseline,
    /// What `akit run` keeps in `.akit/attempts`.
    Attempts,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Run => "a stored run (`akit run --json`)",
            Kind::Baseline => "a baseline",
            Kind::Attempts => "a record of earlier attempts at this commit",
        })
    }
}

/// Reads a stored run.
pub fn read_run(path: &Path) -> Result<RunManifest, HistoryError> {
    Ok(read_run_with::<serde::de::IgnoredAny>(path)?.0)
}

/// Reads a stored run and, in the same pass, what else its file contains, such as the decision.
pub fn read_run_with<T: DeserializeOwned>(path: &Path) -> Result<(RunManifest, T), HistoryError> {
    let what = Kind::Run;
    let (source, file) = (source(path)?, slashed(path));
    // The reason may quote the file, and anyone may have written that.
    let foreign = |reason: String| {
        let reason = crate::text::excerpt(&reason, REASON);
        HistoryError::Foreign { path: file.clone(), what, reason }
    };
    let named = serde_json::from_str::<Schema>(source.text()).ok().and_then(|one| one.schema);
    // For another of akit's files, the error names its schema and not the keys it lacks.
    if let Some(schema) = &named {
        check(&file, what, schema, &[SCHEMA, VERSION_1])?;
    }
    let run = match named.as_deref() {
        Some(VERSION_1) => read_version_1(source.text().as_bytes()),
        _ => json_object(source.text().as_bytes()),
    };
    let run = run.map_err(|error| foreign(crate::text::json::trouble(&error)))?;
    sound(&run).map_err(foreign)?;
    let beside =
        serde_json::from_str(source.text()).map_err(|error| foreign(crate::text::json::trouble(&error)))?;
    Ok((run, beside))
}

/// Checks that a run names only files in its own folder and is consistent: each case appears once, and its result
/// matches its trials.
fn sound(run: &RunManifest) -> Result<(), String> {
    let files = run.scenarios.iter().map(|scenario| &scenario.file);
    let mut files = files.chain(run.cases.iter().map(|case| &case.location.file));
    // They are opened for excerpts, and reports link to them.
    if let Some(file) = files.find(|file| leaves(file)) {
        return Err(format!("it refers to `{file}`, which is outside the run's folder"));
    }
    let mut names = BTreeSet::new();
    for case in &run.cases {
        let name = || case.key().to_string();
        if !case.hangs_together() {
            return Err(format!("the result of {} does not match its trials", name()));
        }
        if !names.insert((&case.scenario, &case.id)) {
            return Err(format!("it has {} twice", name()));
        }
        // A file of another format that is read as this one would have no verdicts.
        let judged = |trial: &&Trial| matches!(trial.outcome, Outcome::Passed | Outcome::Failed);
        if case.trials.iter().filter(judged).any(|trial| trial.verdict().is_none()) {
            return Err(format!("{} was judged, but has no verdict", name()));
        }
        // This version cannot vouch for a pass by an expectation of a newer version.
        for verdict in case.trials.iter().flat_map(Trial::verdicts) {
            let mut unknown = None;
            verdict.walk(&mut |one| match &one.kind {
                VerdictKind::Other(kind) if one.outcome == Outcome::Passed => unknown = Some(kind),
                _ => {}
            });
            if let Some(kind) = unknown {
                let why = "which this version does not know; use the version of akit that wrote it";
                return Err(format!("{} passed an expectation of kind `{kind}`, {why}", name()));
            }
        }
    }
    Ok(())
}

/// A run and its decision.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// Where it is, as reports show it.
    pub file: String,
    /// The run.
    pub run: RunManifest,
    /// The gate's decision, if the file has one.
    pub conclusion: Option<String>,
    /// The pass rate that the gate measured, 0 to 1.
    pub pass_rate: Option<f64>,
}

/// Reads a stored run, with its decision if the file has one.
pub fn read_stored(path: &Path) -> Result<StoredRun, HistoryError> {
    let (run, head) = read_run_with::<StoredHead>(path)?;
    let decided = head.decision.unwrap_or_default();
    Ok(StoredRun { file: slashed(path), run, conclusion: decided.conclusion, pass_rate: decided.pass_rate })
}

/// Like [`read_stored`], but `None` for JSON whose schema is not that of a run: a folder of reports contains such
/// files, too.
pub fn read_stored_among(path: &Path) -> Result<Option<StoredRun>, HistoryError> {
    let text = source(path)?;
    let name = SCHEMA.split('/').next().unwrap_or(SCHEMA);
    let other = match serde_json::from_str::<Schema>(text.text()) {
        Ok(named) => named.schema.as_deref().and_then(|one| one.split('/').next()) != Some(name),
        // JSON of another shape, such as a list.
        Err(error) => error.is_data(),
    };
    if other { Ok(None) } else { read_stored(path).map(Some) }
}

/// What a stored run contains besides its manifest.
#[derive(serde::Deserialize)]
struct StoredHead {
    decision: Option<Decided>,
}

#[derive(Default, serde::Deserialize)]
struct Decided {
    #[serde(rename = "ruling")]
    conclusion: Option<String>,
    pass_rate: Option<f64>,
}

/// Reads a baseline.
pub fn read_baseline(path: &Path) -> Result<Baseline, HistoryError> {
    let source = source(path)?;
    parse(&slashed(path), source.text())
}

/// Writes a baseline, one case per line so that it is reviewed and merged case by case.
pub fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), HistoryError> {
    let text = render(baseline).map_err(io::Error::from);
    text.and_then(|text| Pending::open(path)?.write(text.as_bytes()))
        .map_err(|source| HistoryError::Write { path: slashed(path), source })
}

/// The text of a baseline, with each case, run and scenario on its own line.
fn render(baseline: &Baseline) -> serde_json::Result<String> {
    let mut text = format!("{{\n\"schema\": {},\n", serde_json::to_string(&baseline.schema)?);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\"answered_by\": {},", serde_json::to_string(&baseline.answered_by)?);
    list(&mut text, "runs", &baseline.runs)?;
    list(&mut text, "epoch", &baseline.epoch)?;
    if !baseline.accepted.is_empty() {
        list(&mut text, "accepted", &baseline.accepted)?;
    }
    list(&mut text, "cases", &baseline.cases)?;
    text.truncate(text.len() - ",\n".len());
    text.push_str("\n}\n");
    Ok(text)
}

fn list<T: serde::Serialize>(text: &mut String, name: &str, items: &[T]) -> serde_json::Result<()> {
    let _ = write!(text, "\"{name}\": [");
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(item)?);
    }
    text.push_str(if items.is_empty() { "],\n" } else { "\n],\n" });
    Ok(())
}

/// Reads the text of a baseline.
fn parse(name: &str, text: &str) -> Result<Baseline, HistoryError> {
    let what = Kind::Baseline;
    let foreign = |reason: String| HistoryError::Foreign { path: name.to_owned(), what, reason };
    let value: Schema =
        serde_json::from_str(text).map_err(|error| foreign(crate::text::json::trouble(&error)))?;
    if let Some(schema) = value.schema {
        check(name, what, &schema, &[Baseline::SCHEMA])?;
    }
    let baseline: Baseline =
        json_object(text.as_bytes()).map_err(|error| foreign(crate::text::json::trouble(&error)))?;
    // Lookups use binary search, and a file that was merged by hand may be out of order.
    let baseline = baseline.ordered().map_err(|error| foreign(error.to_string()))?;
    Ok(baseline.without_future(crate::vocabulary::now()))
}

/// The schema of one of akit's files, which is read before everything else.
#[derive(serde::Deserialize)]
struct Schema {
    schema: Option<String>,
}

fn source(path: &Path) -> Result<SourceFile, HistoryError> {
    SourceFile::read(path).map_err(|error| match error {
        ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            HistoryError::Missing(slashed(path))
        }
        source => HistoryError::Read { path: slashed(path), source },
    })
}

/// Checks that a file names one of these schemas, the newest first.
fn check(name: &str, what: Kind, found: &str, known: &[&str]) -> Result<(), HistoryError> {
    if known.contains(&found) {
        return Ok(());
    }
    let known: Vec<_> = known.iter().map(|one| format!("`{one}`")).collect();
    let found = crate::text::excerpt(found, 40);
    let reason = format!("its schema is `{found}`; this version of akit reads {}", known.join(" and "));
    Err(HistoryError::Foreign { path: name.to_owned(), what, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::{BaselineCase, Mean, Results, RunRecord, Spread};
    use crate::stats::Tally;

    #[test]
    fn a_baseline_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        let mut baseline = Baseline::empty();
        for id in ["a", "b \"ü\""] {
            baseline.cases.push(BaselineCase::new("s", id, "h", Tally { hits: 1, of: 2 }));
        }
        baseline.runs.push(RunRecord {
            id: "r".to_owned(),
            at: None,
            commit: None,
            version: None,
            partial: false,
        });
        write_baseline(&path, &baseline).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), baseline);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 12);
        write_baseline(&path, &Baseline::empty()).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), Baseline::empty());
    }

    /// A case with 20 runs; every fifth case is flaky in its own way.
    fn settled(index: u32) -> BaselineCase {
        let flaky = |run: u32| {
            index.is_multiple_of(5) && (index / 5).wrapping_mul(2_654_435_761 + run * 40_503) % 7 < 2
        };
        let results: Vec<_> = (0..20).map(|run| if flaky(run) { "0" } else { "1" }).collect();
        let drawn = f64::from(index % 1_000);
        BaselineCase {
            results: Results::try_from(results.join(" ")).unwrap(),
            score: Some(Spread { n: 20, mean: 0.812_345 + drawn * 1e-6, m2: 0.012_345_6 + drawn * 1e-7 }),
            latency_ms: Some(Mean { n: 20, mean: 1_234.56 + drawn }),
            cost_usd: Some(Mean { n: 20, mean: 0.001_234_56 + drawn * 1e-8 }),
            ..BaselineCase::new(
                "support",
                &format!("refund-policy-{index:06}"),
                &format!("{index:016x}"),
                Tally::default(),
            )
        }
    }

    #[test]
    fn ten_thousand_cases_of_twenty_runs_stay_under_two_megabytes() {
        let mut baseline = Baseline::empty();
        baseline.cases = (0..10_000).map(settled).collect();
        baseline.runs = (0..20)
            .map(|run| RunRecord {
                version: None,
                id: format!("{run:016x}"),
                at: Some("2026-01-01T00:00:00Z".to_owned()),
                commit: Some("0".repeat(40)),
                partial: false,
            })
            .collect();
        let text = render(&baseline).unwrap();
        assert!(text.len() < 2_000_000, "{} bytes", text.len());
        assert!(text.contains(" 0 1"), "some cases must be flaky");
        assert_eq!(parse("b.json", &text).unwrap(), baseline);
    }

    #[test]
    fn foreign_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        assert!(matches!(read_baseline(&path), Err(HistoryError::Missing(_))));
        for (text, expected) in [
            ("", "its JSON is incomplete"),
            ("{\"schema\":\"akit.baseline/9\",\"cases\":[]}", "akit.baseline/9"),
            ("{\"schema\":\"akit.baseline/1\",\"cases\":[],\"x\":1}", "unknown key `x`"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_baseline(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

//! Stored runs and baselines on disk.

use std::io;
use std::path::Path;

use crate::manifest::{Baseline, RunManifest, SCHEMA};
use crate::source::{Pending, ReadError, SourceFile, slashed};

/// Why a stored run or baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no such file.
    #[error("there is no file `{0}`")]
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
    /// The file holds something else.
    #[error("`{path}` is not {what}: {reason}")]
    Foreign {
        /// The file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a stored run.
pub fn read_run(path: &Path) -> Result<RunManifest, HistoryError> {
    let run: RunManifest = read(path, "a stored run (`akit run --json`)")?;
    check(path, "a stored run (`akit run --json`)", &run.schema, SCHEMA)?;
    Ok(run)
}

/// Reads a baseline.
pub fn read_baseline(path: &Path) -> Result<Baseline, HistoryError> {
    let mut baseline: Baseline = read(path, "a baseline")?;
    check(path, "a baseline", &baseline.schema, Baseline::SCHEMA)?;
    // Looked up by halving; a file that was merged by hand may be out of order.
    baseline.cases.sort();
    Ok(baseline)
}

/// Writes a baseline, one case per line so that it is reviewed and merged case by case.
pub fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), HistoryError> {
    let wrong = |source| HistoryError::Write { path: slashed(path), source };
    let answered_by = serde_json::to_string(&baseline.answered_by).map_err(|error| wrong(error.into()))?;
    let mut text =
        format!("{{\n\"schema\": \"{}\",\n\"answered_by\": {answered_by},\n\"cases\": [", baseline.schema);
    for (index, case) in baseline.cases.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(case).map_err(|error| wrong(error.into()))?);
    }
    text.push_str("\n]\n}\n");
    Pending::open(path).and_then(|file| file.write(text.as_bytes())).map_err(wrong)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, HistoryError> {
    let source = SourceFile::read(path).map_err(|error| match error {
        ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            HistoryError::Missing(slashed(path))
        }
        source => HistoryError::Read { path: slashed(path), source },
    })?;
    serde_json::from_str(source.text()).map_err(|error| HistoryError::Foreign {
        path: slashed(path),
        what,
        reason: error.to_string(),
    })
}

fn check(path: &Path, what: &'static str, found: &str, known: &str) -> Result<(), HistoryError> {
    if found == known {
        return Ok(());
    }
    let reason = format!("its schema is `{}`, this akit reads `{known}`", crate::text::excerpt(found, 40));
    Err(HistoryError::Foreign { path: slashed(path), what, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::BaselineCase;

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        let mut baseline = Baseline::empty();
        for id in ["a", "b \"ü\""] {
            baseline.cases.push(BaselineCase {
                scenario: "s".to_owned(),
                id: id.to_owned(),
                content_hash: "h".to_owned(),
                passes: 1,
                trials: 2,
            });
        }
        write_baseline(&path, &baseline).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), baseline);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 8);
        write_baseline(&path, &Baseline::empty()).unwrap();
        assert_eq!(read_baseline(&path).unwrap(), Baseline::empty());
    }

    #[test]
    fn foreign_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        assert!(matches!(read_baseline(&path), Err(HistoryError::Missing(_))));
        for (text, expected) in [
            ("", "EOF"),
            ("{\"schema\":\"akit.baseline/9\",\"cases\":[]}", "akit.baseline/9"),
            ("{\"schema\":\"akit.baseline/1\",\"cases\":[],\"x\":1}", "unknown field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_baseline(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

//! What GitHub Actions takes from a step besides its log: a summary for the run's page, and outputs for later steps.
//! Both are files to append to, never to replace.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::environment::Environment;
use crate::source;

/// Maximum number of bytes in a step summary; GitHub drops a larger one completely (its limit is 1 MiB).
const MOST_SUMMARY: u64 = 1_000_000;

/// Why summary or outputs were not written.
#[derive(Debug, thiserror::Error)]
pub enum ActionsError {
    /// The file cannot be written.
    #[error("cannot write {0}: {1}")]
    Write(&'static str, io::Error),
    /// Earlier commands of the step have filled it.
    #[error("the step summary is full")]
    Full,
}

/// Appends to the step summary; returns whether there is one.
pub fn summary(environment: &Environment, text: &str) -> Result<bool, ActionsError> {
    let Some(path) = file(environment, "GITHUB_STEP_SUMMARY") else { return Ok(false) };
    let there = std::fs::metadata(path).map_or(0, |found| found.len());
    if there + text.len() as u64 + 1 > MOST_SUMMARY {
        return Err(ActionsError::Full);
    }
    let gap = if there > 0 { "\n" } else { "" };
    append(path, &format!("{gap}{text}")).map_err(|error| ActionsError::Write("the step summary", error))?;
    Ok(true)
}

/// Appends to the step outputs.
pub fn outputs(environment: &Environment, values: &[(&str, String)]) -> Result<(), ActionsError> {
    let Some(path) = file(environment, "GITHUB_OUTPUT") else { return Ok(()) };
    let mut lines = String::new();
    for (name, value) in values {
        // A line break in a value would start another output, chosen by whoever wrote the value.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        lines.extend([name, "=", &value, "\n"]);
    }
    append(path, &lines).map_err(|error| ActionsError::Write("the step outputs", error))
}

fn file<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.get("GITHUB_ACTIONS").filter(|value| *value == "true")?;
    environment.get(name)
}

fn append(path: &str, text: &str) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|found| !source::takes_text(Path::new(path), &found)) {
        return Err(io::Error::other("it is not a file"));
    }
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, path: &std::path::Path) -> Environment {
        Environment::of([("GITHUB_ACTIONS", "true"), (name, path.to_str().unwrap())])
    }

    #[test]
    fn a_summary_is_appended_until_it_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        let environment = environment("GITHUB_STEP_SUMMARY", &path);
        assert!(summary(&environment, "one\n").unwrap());
        assert!(summary(&environment, "two\n").unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n\ntwo\n");
        std::fs::write(&path, "x".repeat(999_990)).unwrap();
        assert!(matches!(summary(&environment, &"y".repeat(10)), Err(ActionsError::Full)));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 999_990);
        assert!(summary(&environment, &"y".repeat(9)).unwrap());
        assert!(!summary(&Environment::default(), "three").unwrap());
    }

    #[test]
    fn a_value_stays_one_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let values = [("verdict", "FAIL".to_owned()), ("note", "a\nexit-code=0\r".to_owned())];
        outputs(&environment("GITHUB_OUTPUT", &path), &values).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "verdict=FAIL\nnote=aexit-code=0\n");
    }
}

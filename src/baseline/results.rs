//! The trials of one case, run by run, in a compact text format.
//!
//! One token for each run of the window, oldest first: `1` one trial passed, `0` one trial failed, `3/4` three of four
//! passed, `-` the case was not judged in that run. A repeated token is written once with its count, `1x18`. Missing
//! tokens at the end are `-`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stats::Tally;

/// Maximum tokens that are read, so that `1x4000000000` cannot exhaust memory.
const MOST: usize = 1_000;

/// The trials of one case in each run of the window, oldest first: passes among those that were judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct Results(Vec<Tally>);

/// An invalid token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid result `{0}`; results are `1`, `0`, `3/4` or `-`, repeated as in `1x5`")]
pub struct BadResult(String);

impl Results {
    /// The results of a single run.
    #[must_use]
    pub fn of(tally: Tally) -> Self {
        let mut results = Self::default();
        results.put(0, tally);
        results
    }

    /// One run as written: `1`, `0`, `3/4` or `-`.
    #[must_use]
    pub fn word(run: Tally) -> String {
        match (run.hits, run.of) {
            (_, 0) => "-".to_owned(),
            (hits, 1) => hits.to_string(),
            (hits, of) => format!("{hits}/{of}"),
        }
    }

    /// The trials of all runs together.
    #[must_use]
    pub fn total(&self) -> Tally {
        self.0.iter().fold(Tally::default(), |mut total, one| {
            total += *one;
            total
        })
    }

    /// The trials of each run, oldest first, up to the last one that judged the case.
    #[must_use]
    pub fn runs(&self) -> &[Tally] {
        &self.0
    }

    /// The trials in the run with this 0-based index.
    #[must_use]
    pub fn at(&self, run: usize) -> Tally {
        self.0.get(run).copied().unwrap_or_default()
    }

    /// Sets the trials in the run with this 0-based index.
    pub(super) fn put(&mut self, run: usize, tally: Tally) {
        if self.0.len() <= run {
            self.0.resize(run + 1, Tally::default());
        }
        self.0[run] = tally;
        self.trim();
    }

    /// Inserts an empty run at this 0-based index.
    pub(super) fn open(&mut self, run: usize) {
        if run < self.0.len() {
            self.0.insert(run, Tally::default());
        }
    }

    /// Removes the run at this 0-based index.
    pub(super) fn close(&mut self, run: usize) {
        if run < self.0.len() {
            self.0.remove(run);
            self.trim();
        }
    }

    fn trim(&mut self) {
        while self.0.last().is_some_and(|last| last.of == 0) {
            self.0.pop();
        }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, same) in self.0.chunk_by(|a, b| a == b).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&Self::word(same[0]))?;
            if same.len() > 1 {
                write!(f, "x{}", same.len())?;
            }
        }
        Ok(())
    }
}

impl From<Results> for String {
    fn from(results: Results) -> Self {
        results.to_string()
    }
}

impl TryFrom<String> for Results {
    type Error = BadResult;

    fn try_from(text: String) -> Result<Self, BadResult> {
        let mut results = Self::default();
        for token in text.split_ascii_whitespace() {
            let bad = || BadResult(crate::text::excerpt(token, 40));
            let (one, times) = match token.split_once('x') {
                Some((one, times)) => (one, number(times).ok_or_else(bad)? as usize),
                None => (token, 1),
            };
            let tally = match one.split_once('/') {
                _ if one == "-" => Tally::default(),
                Some((hits, of)) => Tally {
                    hits: number(hits).ok_or_else(bad)?.into(),
                    of: number(of).filter(|of| *of > 0).ok_or_else(bad)?.into(),
                },
                None => Tally { hits: number(one).ok_or_else(bad)?.into(), of: 1 },
            };
            if tally.hits > tally.of || times == 0 || results.0.len() + times > MOST {
                return Err(bad());
            }
            results.0.resize(results.0.len() + times, tally);
        }
        results.trim();
        Ok(results)
    }
}

/// A number in plain digits: no sign, no space.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_compact_and_reads_back_as_written() {
        let table = [
            ("", "", (0, 0)),
            ("1", "1", (1, 1)),
            ("1 1 1 0 1", "1x3 0 1", (4, 5)),
            ("- - 3/4 3/4", "-x2 3/4x2", (6, 8)),
            ("1x20", "1x20", (20, 20)),
            ("0 - -", "0", (0, 1)),
            ("1/1 0/1", "1 0", (1, 2)),
            ("-x5", "", (0, 0)),
        ];
        for (text, written, (hits, of)) in table {
            let results = Results::try_from(text.to_owned()).unwrap();
            assert_eq!(results.to_string(), written, "{text}");
            assert_eq!(results.total(), Tally { hits, of }, "{text}");
            assert_eq!(Results::try_from(written.to_owned()).unwrap(), results, "{text}");
        }
    }

    #[test]
    fn invalid_results_are_refused() {
        for text in
            ["2", "x", "1x", "1x0", "x3", "5/4", "1/0", "0/0", "+1", "1x1001", "1/2/3", "1x4000000000", "/"]
        {
            assert!(Results::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn runs_can_be_added_and_removed_at_any_place() {
        let mut results = Results::try_from("1 0 3/4".to_owned()).unwrap();
        results.open(1);
        assert_eq!(results.to_string(), "1 - 0 3/4");
        results.open(4);
        results.put(4, Tally { hits: 1, of: 1 });
        results.close(0);
        assert_eq!(results.to_string(), "- 0 3/4 1");
        assert_eq!((results.at(1).of, results.at(9).of), (1, 0));
        results.close(9);
        results.close(3);
        assert_eq!(results.runs().len(), 3);
    }
}

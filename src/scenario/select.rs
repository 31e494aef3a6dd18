//! Which cases are asked: by tag, id, glob and seeded sample.

use std::collections::BTreeSet;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::{Case, Scenario};
use crate::seed::Root;
use crate::stats::{SLACK, real, whole};
use crate::text;
use crate::vocabulary::CaseId;

/// A selection of cases; the default takes all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// A case needs one of these tags, unless there are none.
    with: Vec<String>,
    /// A case must have none of these.
    without: Vec<String>,
    /// `id` or `scenario/id` of the selected cases, unless there are none.
    ids: Vec<String>,
    /// Globs over `id` and `scenario/id`.
    globs: Option<GlobSet>,
    /// Share of the remaining cases, in percent.
    sample: Option<f64>,
}

/// Why a selection is invalid.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// A malformed glob.
    #[error("--filter: invalid glob `{0}`: {1}; for example `refund-*`")]
    Glob(String, &'static str),
    /// An invalid sample.
    #[error("--sample: `{0}` is not a share of the cases; for example `10%`")]
    Sample(String),
}

impl Selection {
    /// Reads the values of `-t`, `--case`, `--filter` and `--sample`.
    pub fn parse(
        tags: &[String],
        ids: &[String],
        globs: &[String],
        sample: Option<&str>,
    ) -> Result<Self, SelectionError> {
        let tags = tags.iter().flat_map(|tag| tag.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
        let (without, with): (Vec<_>, Vec<_>) = tags.partition(|tag| tag.starts_with('!'));
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            let glob = Glob::new(glob).map_err(|e| SelectionError::Glob(glob.clone(), text::glob(&e)))?;
            set.add(glob);
        }
        let set = set.build().map_err(|e| SelectionError::Glob(globs.join(" "), text::glob(&e)))?;
        let sample = sample.map(share).transpose()?;
        Ok(Self {
            with: with.into_iter().map(str::to_owned).collect(),
            without: without.into_iter().map(|tag| tag[1..].to_owned()).collect(),
            ids: ids.to_vec(),
            globs: (!globs.is_empty()).then_some(set),
            sample,
        })
    }

    /// Why each case of the scenarios is skipped, or `None` if it is asked; in the order of the cases.
    ///
    /// A sample takes the same cases for the same seed, whatever their order. `root` is the seed root of the run; a
    /// scenario's own seed takes precedence.
    #[must_use]
    pub fn apply(&self, scenarios: &[Scenario], root: Root) -> Vec<Vec<Option<String>>> {
        let mut left_out: Vec<Vec<_>> = scenarios
            .iter()
            .map(|scenario| scenario.cases.iter().map(|case| self.refusal(scenario, case)).collect())
            .collect();
        let Some(percent) = self.sample else { return left_out };
        let mut drawn: Vec<_> = Vec::new();
        for (s, scenario) in scenarios.iter().enumerate() {
            for (c, case) in scenario.cases.iter().enumerate() {
                if left_out[s][c].is_none() {
                    drawn.push((scenario.root(root).derive(&["sample", &scenario.name, &case.id]), s, c));
                }
            }
        }
        drawn.sort_unstable();
        let keep = whole((real(drawn.len()) * percent / 100.0 - SLACK).ceil().max(1.0));
        let keep = keep.and_then(|keep| usize::try_from(keep).ok()).unwrap_or(usize::MAX);
        let kept: BTreeSet<_> = drawn.iter().take(keep).map(|(_, s, c)| (*s, *c)).collect();
        for (_, s, c) in drawn {
            if !kept.contains(&(s, c)) {
                left_out[s][c] = Some(format!("not in the {percent}% sample"));
            }
        }
        left_out
    }

    /// Whether only a sample of the cases is asked, drawn by their names.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.sample.is_some()
    }

    /// Ids given by `--case` that no scenario has.
    #[must_use]
    pub fn unknown_cases(&self, scenarios: &[Scenario]) -> Vec<&str> {
        let known = |id: &str| {
            scenarios.iter().any(|scenario| {
                let mut cases = scenario.cases.iter();
                cases.any(|case| case.id == id || CaseId::new(&scenario.name, &case.id).to_string() == id)
            })
        };
        self.ids.iter().map(String::as_str).filter(|id| !known(id)).collect()
    }

    /// Why a case is skipped by its tags or its name; a sample is drawn from the others.
    #[must_use]
    pub fn refusal(&self, scenario: &Scenario, case: &Case) -> Option<String> {
        let has = |tag: &String| case.tags.contains(tag);
        if let Some(tag) = self.without.iter().find(|tag| has(tag)) {
            return Some(format!("excluded by tag `!{tag}`"));
        }
        if !self.with.is_empty() && !self.with.iter().any(has) {
            return Some(format!("has none of the tags {}", crate::text::list(&self.with)));
        }
        let full = CaseId::new(&scenario.name, &case.id).to_string();
        if !self.ids.is_empty() && !self.ids.iter().any(|id| *id == case.id || *id == full) {
            return Some("not named by `--case`".to_owned());
        }
        match &self.globs {
            Some(globs) if !globs.is_match(&full) && !globs.is_match(&case.id) => {
                Some("not matched by `--filter`".to_owned())
            }
            _ => None,
        }
    }
}

fn share(text: &str) -> Result<f64, SelectionError> {
    let number = text.trim().strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err(SelectionError::Sample(text.to_owned())),
    }
}

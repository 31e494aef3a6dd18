//! Accepting an intended change: the old trials of some cases no longer count.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::add::{Added, put, tally};
use super::{Baseline, BaselineCase, Results};
use crate::manifest::RunManifest;
use crate::stats::Tally;

/// An accepted change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// `scenario/id` of the cases, in alphabetical order.
    pub cases: Vec<String>,
    /// Why the change was accepted.
    pub reason: String,
    /// Who accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was accepted, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// The result of accepting a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Cases whose trials were dropped: they count as new until the next update.
    pub dropped: Vec<String>,
    /// Cases whose trials were replaced by those of the run.
    pub replaced: Vec<String>,
}

impl Baseline {
    /// Drops the trials of the named cases, or replaces them with those of a run; records the reason.
    ///
    /// Names are (scenario, id). A case that only the run has is added, so that a known failure of a new case can be
    /// accepted too. A case that the run did not judge is dropped.
    pub fn accept(
        &mut self,
        names: &BTreeSet<(String, String)>,
        run: Option<&RunManifest>,
        note: Acceptance,
    ) -> Accepted {
        let mut accepted = Accepted::default();
        let meant = |case: &BaselineCase| names.contains(&(case.scenario.clone(), case.id.clone()));
        let dropped: Vec<_> = self.cases.iter().filter(|case| meant(case)).map(BaselineCase::name).collect();
        self.cases.retain(|case| !meant(case));
        let fresh: Vec<_> = run
            .into_iter()
            .flat_map(|run| &run.cases)
            .filter(|case| names.contains(&(case.scenario.clone(), case.id.clone())))
            .filter(|case| tally(case).of > 0)
            .collect();
        let mut added = Added::default();
        if let Some(run) = run.filter(|_| !fresh.is_empty())
            && let Some(column) = self.column(run, None)
        {
            for case in fresh {
                let mut stored =
                    BaselineCase::new(&case.scenario, &case.id, &case.content_hash, Tally::default());
                put(&mut stored, case, column);
                accepted.replaced.push(stored.name());
                self.cases.push(stored);
            }
            self.cases.sort_by(|a, b| a.key().cmp(&b.key()));
            let now = super::Epoch::all(run).into_iter();
            for epoch in now.filter(|now| names.iter().any(|(scenario, _)| *scenario == now.scenario)) {
                if self.epoch(&epoch.scenario).is_none() {
                    self.epoch.push(epoch);
                }
            }
            self.epoch.sort_by(|a, b| a.scenario.cmp(&b.scenario));
        }
        self.sweep(&mut added);
        accepted.replaced.sort();
        accepted.dropped = dropped.into_iter().filter(|name| !accepted.replaced.contains(name)).collect();
        self.accepted.push(note);
        accepted
    }

    /// Copies the cases that a newer version of this baseline accepts and this one does not; its entries replace the
    /// ones here. Returns their `scenario/id`.
    ///
    /// Nothing else is copied: all other trials stay as they are here.
    pub fn take_acceptances(&mut self, newer: &Baseline) -> Vec<String> {
        let fresh: Vec<_> =
            newer.accepted.iter().filter(|note| !self.accepted.contains(note)).cloned().collect();
        let names: BTreeSet<&str> = fresh.iter().flat_map(|note| &note.cases).map(String::as_str).collect();
        self.cases.retain(|case| !names.contains(case.name().as_str()));
        for case in newer.cases.iter().filter(|case| names.contains(case.name().as_str())) {
            // Its runs are not the runs of this baseline, so only the total of its trials is kept.
            self.cases.push(BaselineCase { results: Results::of(case.tally()), ..case.clone() });
        }
        self.cases.sort_by(|a, b| a.key().cmp(&b.key()));
        let names = names.into_iter().map(str::to_owned).collect();
        self.accepted.extend(fresh);
        names
    }

    /// The newest acceptance of a case, by `scenario/id`.
    #[must_use]
    pub fn acceptance(&self, case: &str) -> Option<&Acceptance> {
        self.accepted.iter().rev().find(|note| note.cases.iter().any(|name| name == case))
    }
}

//! The application and the judge that produced a tally; tallies of different epochs are not comparable.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::manifest::RunManifest;

/// Application and judge of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Name of the scenario.
    pub scenario: String,
    /// Its file, as it appears in locations; if several files share the name, all of them, joined by `, `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Major version of akit.
    pub akit: String,
    /// The application, in words.
    pub target: String,
    /// The application's hash, as in the manifest; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_hash: String,
    /// The judge, in words, if one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader: Option<String>,
    /// The judge's hash, as in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader_hash: Option<String>,
}

/// What starts a new epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The application: provider, model, host, parameters, system prompt or tools.
    Target,
    /// The judge.
    Grader,
    /// Akit itself, in another major version.
    Akit,
}

impl Role {
    /// Its name in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::Target => "application",
            Role::Grader => "judge",
            Role::Akit => "akit",
        }
    }
}

/// One difference between two epochs of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Name of the scenario.
    pub scenario: String,
    /// What differs.
    pub role: Role,
    /// The old value, in words.
    pub before: String,
    /// The new value, in words; the same as before if only parameters, prompt or tools differ.
    pub after: String,
}

impl std::fmt::Display for Shift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scenario, role, before, after } = self;
        match role {
            Role::Akit => write!(f, "{scenario}: akit was {before}, now {after}"),
            _ if before != after => write!(f, "{scenario}: the {} was {before}, now {after}", role.word()),
            Role::Target => write!(
                f,
                "{scenario}: the application {after} has a different system prompt, parameters or tools"
            ),
            Role::Grader => write!(f, "{scenario}: the judge {after} has different settings"),
        }
    }
}

impl Epoch {
    /// The epochs of a run, sorted by scenario name.
    ///
    /// If several files share a name, their applications are listed together.
    #[must_use]
    pub fn all(run: &RunManifest) -> Vec<Self> {
        let mut names: Vec<&str> = run.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let epoch = |name: &str| {
            let own = || run.scenarios.iter().filter(|scenario| scenario.name == name);
            Self {
                scenario: name.to_owned(),
                file: joined(own().map(|one| one.file.as_str()), ", "),
                akit: major(&run.akit),
                target: joined(own().map(|one| one.target.as_str()), ", ").unwrap_or_default(),
                target_hash: joined(own().map(|one| one.target_hash.as_str()), "+").unwrap_or_default(),
                grader: joined(own().filter_map(|one| one.grader.as_deref()), ", "),
                grader_hash: joined(own().filter_map(|one| one.grader_hash.as_deref()), "+"),
            }
        };
        names.into_iter().map(epoch).collect()
    }

    /// How another epoch of the same scenario differs; a value that is unknown in either of them is not a difference.
    #[must_use]
    pub fn shifts(&self, now: &Self) -> Vec<Shift> {
        let shift = |role, before: &str, after: &str| Shift {
            scenario: self.scenario.clone(),
            role,
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let mut shifts = Vec::new();
        let (before, after) = (&self.target_hash, &now.target_hash);
        if before != after && !before.is_empty() && !after.is_empty() {
            shifts.push(shift(Role::Target, &self.target, &now.target));
        }
        if let (Some(before), Some(after)) = (&self.grader_hash, &now.grader_hash)
            && before != after
        {
            let word = |name: &Option<String>| name.clone().unwrap_or_default();
            shifts.push(shift(Role::Grader, &word(&self.grader), &word(&now.grader)));
        }
        if self.akit != now.akit {
            shifts.push(shift(Role::Akit, &self.akit, &now.akit));
        }
        shifts
    }

    /// Adds what a later run of the same epoch shows: an earlier run of only a few cases may not have needed a judge,
    /// for example. A file with every case replaces the scenario's files; any other is added to them.
    pub(super) fn refresh(&mut self, now: Self, holds_every_case: bool) {
        let both = |files: &str| files.split(", ").map(str::to_owned).collect::<BTreeSet<_>>();
        self.file = match (&self.file, &now.file) {
            (Some(before), Some(now)) if !holds_every_case => {
                let all: Vec<_> = both(before).union(&both(now)).cloned().collect();
                Some(all.join(", "))
            }
            (before, now) => now.clone().or_else(|| before.clone()),
        };
        if !now.target_hash.is_empty() {
            (self.target, self.target_hash) = (now.target, now.target_hash);
        }
        if now.grader_hash.is_some() || self.grader_hash.is_none() {
            (self.grader, self.grader_hash) = (now.grader, now.grader_hash);
        }
    }
}

/// The distinct, non-empty parts in alphabetical order.
fn joined<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> Option<String> {
    let mut parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    parts.dedup();
    (!parts.is_empty()).then(|| parts.join(between))
}

/// `1` of `1.4.2`.
fn major(version: &str) -> String {
    version.split('.').next().unwrap_or_default().to_owned()
}

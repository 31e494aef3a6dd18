//! Who answered and who judged when a tally was made: tallies of another epoch say nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::manifest::RunManifest;

/// Who answered and who judged in one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Name of the scenario.
    pub scenario: String,
    /// Its file, as in locations; several that share the name, joined by `, `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Major version of akit.
    pub akit: String,
    /// Who answered, for people.
    pub target: String,
    /// As in the manifest; empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_hash: String,
    /// Who judged, for people, where a judge was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader: Option<String>,
    /// As in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grader_hash: Option<String>,
}

/// What makes another epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// The application: provider, model, host, parameters, system prompt or tools.
    Target,
    /// The judge.
    Grader,
    /// Akit itself, in another major version.
    Akit,
}

impl Role {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// One way in which two epochs of a scenario differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Name of the scenario.
    pub scenario: String,
    /// What differs.
    pub role: Role,
    /// What it was, for people.
    pub before: String,
    /// What it is, for people; the same words where only parameters, prompt or tools differ.
    pub after: String,
}

impl std::fmt::Display for Shift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scenario, role, before, after } = self;
        match role {
            Role::Akit => write!(f, "{scenario}: akit was {before}, it is {after}"),
            _ if before != after => write!(f, "{scenario}: the {} was {before}, it is {after}", role.word()),
            Role::Target => {
                write!(f, "{scenario}: the target {after} has another system prompt, parameters or tools")
            }
            Role::Grader => write!(f, "{scenario}: the grader {after} is set up in another way"),
        }
    }
}

impl Epoch {
    /// The epochs of a run, by the name of the scenario in alphabetical order.
    ///
    /// Where several files share a name their targets stand together.
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

    /// In what another epoch of the same scenario differs; what one of them does not know does not.
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

    /// Takes over what a run of the same epoch knows besides: a run of some cases may need no judge.
    /// A file that holds every case is the scenario's file from now on; any other one shares its name.
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

/// The distinct parts in alphabetical order, empty ones aside.
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

//! Identities of applications and judges: results with different identities are not compared without saying so.
//!
//! They must not depend on which cases were selected. So a model or judge that a case or expectation names itself is
//! left out; it is part of the content of the case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::ask;
use super::plan::{Plan, Target};
use crate::canonical;
use crate::grader::Graders;
use crate::provider::ChatRequest;
use crate::redact::Redaction;
use crate::scenario::Case;

impl Plan {
    /// A hash of everything that decides what is asked: 16 hexadecimal digits. An interrupted run is resumed only by a
    /// run with the same digits.
    #[must_use]
    pub fn signature(&self, graders: &Graders, settings: &Json) -> String {
        let judges = graders
            .all()
            .map(|grader| json!([grader.client().endpoint().address, grader.identity(graders.defaults())]));
        // Cases share their redaction.
        let mut redactions: BTreeMap<*const Redaction, String> = BTreeMap::new();
        let mut removed = |case: &Case| {
            let on = case.redaction.on()?;
            let known = redactions.entry(std::ptr::from_ref(on));
            Some(known.or_insert_with(|| canonical::digest(&json!(format!("{on:?}")))).clone())
        };
        let scenarios = (0..self.scenarios.len()).map(|index| {
            let own = &self.scenarios[index];
            let jobs =
                self.jobs_of(index).filter(|(planned, _)| planned.skipped.is_none()).map(|(planned, job)| {
                    let case = &own.cases[planned.case];
                    let target = match &job.target {
                        Target::Replies(_) => json!("replies"),
                        Target::Model { client, model, seeded, .. } => {
                            let endpoint = client.endpoint();
                            let keyed = client.keyed(&ask::request(own, case, model, None));
                            json!([endpoint.provider, endpoint.address, model, seeded, keyed])
                        }
                    };
                    json!([case.id, case.content_hash, target, job.version, removed(case)])
                });
            let (target, grader) = (self.target_hash(index), self.grader_hash(index, graders));
            json!([own.name, own.seed, target, grader, jobs.collect::<Vec<_>>()])
        });
        let (scenarios, judges) = (scenarios.collect::<Vec<_>>(), judges.collect::<Vec<_>>());
        let all = json!([env!("CARGO_PKG_VERSION"), settings, scenarios, judges]);
        canonical::digest(&all)
    }

    /// A hash of the application of a scenario: 16 hexadecimal digits; empty if every asked case names its own model,
    /// or if no case is asked.
    ///
    /// Recorded answers have one identity, whatever the file: a later run could not distinguish the files.
    pub(super) fn target_hash(&self, scenario: usize) -> String {
        let own = &self.scenarios[scenario];
        let mut targets = BTreeSet::new();
        for (planned, job) in self.jobs_of(scenario) {
            match &job.target {
                Target::Replies(_) => {
                    targets.insert(canonical::digest(&json!("replies")));
                }
                Target::Model { client, model, .. } => {
                    let endpoint = client.endpoint();
                    let case = &own.cases[planned.case];
                    let named = case.model.as_ref() == Some(model)
                        || case.provider.as_ref() == Some(&endpoint.provider);
                    if !named {
                        let mut target = json!({
                            "provider": endpoint.provider,
                            "host": endpoint.identity(),
                            "model": model,
                            "temperature": own.temperature,
                            "max_tokens": own.max_tokens,
                            "system": own.system,
                            "tools": own.functions.sent,
                        });
                        // Left out if unset, so that existing identities stay as they were. Variables belong to cases.
                        if let Some(keyed) = client.keyed(&ChatRequest::default()) {
                            target["options"] = keyed;
                        }
                        targets.insert(canonical::digest(&target));
                    }
                }
            }
        }
        targets.into_iter().collect::<Vec<_>>().join("+")
    }

    /// The families of models that answered or judged in a scenario instead of the requested ones; empty if there are
    /// none.
    pub(super) fn stand_ins(&self, scenario: usize, graders: &Graders) -> [String; 2] {
        let joined = |names: BTreeSet<String>| {
            names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join("+")
        };
        let targets = self.jobs_of(scenario).filter_map(|(_, job)| match &job.target {
            Target::Replies(_) => None,
            Target::Model { client, model, .. } => Some(client.stand_ins(model)),
        });
        let judges = graders.all().map(|grader| grader.client().stand_ins(grader.model()));
        [joined(targets.collect()), joined(judges.collect())]
    }

    /// The version of the application of a scenario, if one is named.
    pub(super) fn version_of(&self, scenario: usize) -> Option<String> {
        self.jobs_of(scenario).find_map(|(_, job)| job.version.clone())
    }

    /// Whether a scenario used recorded answers of an application that the suite does not describe and that has no
    /// version: its code may have changed unnoticed since the recording.
    pub(super) fn is_unidentified(&self, scenario: usize) -> bool {
        self.jobs_of(scenario).any(|(_, job)| match &job.target {
            Target::Model { client, described, .. } => {
                client.reads_earlier_replies() && job.version.is_none() && !described
            }
            Target::Replies(_) => false,
        })
    }

    /// A hash of the judge of a scenario, 16 hexadecimal digits, if an expectation that names no judge needs one.
    pub(super) fn grader_hash(&self, scenario: usize, graders: &Graders) -> Option<String> {
        let mut judges: BTreeSet<String> = BTreeSet::new();
        for (planned, _) in self.jobs_of(scenario) {
            for expectation in self.scenarios[scenario].cases[planned.case].graders() {
                let Ok(grader) = graders.find(expectation.named()) else { continue };
                let named = expectation.named().is_some_and(|judge| judge.is(grader));
                if !named {
                    judges.insert(canonical::digest(&grader.identity(graders.defaults())));
                }
            }
        }
        (!judges.is_empty()).then(|| judges.into_iter().collect::<Vec<_>>().join("+"))
    }
}

/// Identity and name if models of other families answered instead of the requested one: a different epoch.
pub(super) fn stood_in(mark: String, name: String, families: &str) -> (String, String) {
    if families.is_empty() {
        return (mark, name);
    }
    (canonical::digest(&json!([mark, families])), format!("{name}, answered by {families}"))
}

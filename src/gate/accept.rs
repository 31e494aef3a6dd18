//! How to accept an intended change, or why accepting it would not be enough, and how to decide what is open.
//!
//! Every suggestion is tested first: akit decides again with the baseline as it would be.

use std::collections::BTreeSet;

use super::{CaseState, Conclusion, Decision, Evidence, Policy, Reference, State, decide};
use crate::baseline::Acceptance;
use crate::manifest::{CaseResult, RunManifest};
use crate::text;
use crate::vocabulary::{Answer, FindingId, Outcome};

/// Maximum names on a command line; with more, [`Decision::UNEXCUSED`] replaces them.
const MOST: usize = 10;

/// Where an intended change is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedIn {
    /// What to pass to `akit baseline accept --baseline`.
    pub place: String,
    /// Whether accepting changes everyone's baseline at once, instead of with a commit.
    pub at_once: bool,
}

/// What to do about a run that fails because of an intended change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// Run this command, then do this.
    Accept {
        /// The command.
        command: String,
        /// What is left to do, or what the command does at once.
        then: String,
    },
    /// The run would fail even if all its failures were accepted, for this reason.
    NotEnough(String),
}

impl Decision {
    /// The flag of `akit baseline accept` for every failing case without an excuse.
    pub const UNEXCUSED: &str = "--unexcused";

    /// Records where a change is accepted, and whether accepting the failing cases is enough; or where to create a
    /// missing baseline.
    pub fn accepted_in(&mut self, place: Option<AcceptedIn>, evidence: &Evidence<'_>, policy: &Policy) {
        let Some(place) = place else { return };
        let Reference::Found { baseline, from } = evidence.reference else {
            self.create = place.place;
            return;
        };
        let mut tried = Vec::new();
        if self.conclusion == Conclusion::Fail {
            let all = self.unexcused(evidence.run);
            let blocking: Vec<_> = all.iter().filter(|(_, state)| state.blocking).copied().collect();
            // Too many names for a command line: only all cases can be accepted.
            let few = Some(blocking).filter(|few| few.len() <= MOST && few.len() < all.len());
            tried.extend(few.into_iter().chain([all]).filter(|cases| !cases.is_empty()));
        }
        let mut best = (Conclusion::Fail, Vec::new());
        let mut why = String::new();
        for cases in tried {
            let names: BTreeSet<_> =
                cases.iter().map(|(case, _)| (case.scenario.clone(), case.id.clone())).collect();
            let words: Vec<_> = cases.iter().map(|(case, _)| case.key().to_string()).collect();
            let note = Acceptance { cases: words.clone(), reason: String::new(), by: None, at: None };
            let mut after = baseline.clone();
            after.accept(&names, Some(evidence.run), note);
            let evidence = Evidence { reference: Reference::Found { baseline: &after, from }, ..*evidence };
            let decision = decide(&evidence, policy);
            if decision.conclusion > best.0 {
                best = (decision.conclusion, words);
            }
            why = decision.summary;
        }
        let (_, accept) = best;
        if !accept.is_empty() {
            why.clear();
        }
        if let Some(compared) = &mut self.compared {
            compared.place = place.place;
            compared.at_once = place.at_once;
            (compared.accept, compared.not_enough) = (accept, why);
        }
    }

    /// The failing cases without an excuse, with their states.
    #[must_use]
    pub fn unexcused<'r>(&'r self, run: &'r RunManifest) -> Vec<(&'r CaseResult, &'r CaseState)> {
        let open =
            |state| matches!(state, State::Broken | State::Unconfirmed | State::Open | State::Degraded);
        let unexcused = |(case, state): &(&CaseResult, &CaseState)| {
            case.outcome == Outcome::Failed && (state.blocking || open(state.state))
        };
        run.cases.iter().zip(&self.cases).filter(unexcused).collect()
    }

    /// How to make a run with intended failures pass; the run is stored in the file `stored`.
    #[must_use]
    pub fn way_out(&self, stored: &str) -> Option<WayOut> {
        let compared = self.compared.as_ref()?;
        if compared.accept.is_empty() {
            return Some(WayOut::NotEnough(compared.not_enough.clone()))
                .filter(|_| !compared.not_enough.is_empty());
        }
        // Names that a shell or argument parser would misread are not spelled out.
        let is_exact = |name: &String| text::is_exact_argument(name);
        let names: Vec<_> = compared.accept.iter().map(|name| text::argument(name)).collect();
        let cases = if names.len() <= MOST && compared.accept.iter().all(is_exact) {
            names.join(" ")
        } else {
            Self::UNEXCUSED.to_owned()
        };
        let (stored, place) = (text::argument(stored), text::argument(&compared.place));
        let command =
            format!("akit baseline accept {cases} --reason \"WHY\" --run {stored} --baseline {place}");
        let then = if compared.at_once {
            format!("which changes {} at once, for every branch", compared.place)
        } else {
            "and commit the baseline".to_owned()
        };
        Some(WayOut::Accept { command, then })
    }

    /// How to decide failures that could not be repeated, and the command for it: with more recorded answers, if answers
    /// are given; by calling the application, if they came from the cache. The run is stored in the file `stored`.
    #[must_use]
    pub fn how_to_decide(&self, run: &RunManifest, stored: &str) -> Option<(String, Option<String>)> {
        let open = self.undecided(run);
        let any = |what: fn(&Answer) -> bool| {
            open.iter().flat_map(|case| &case.trials).any(|trial| trial.answers().any(what))
        };
        // More answers to single cases do not undo what a guard proves.
        let regressed = |id: &FindingId| matches!(id, FindingId::SuiteRegression | FindingId::TagRegression);
        let stays = self.findings.iter().any(|finding| regressed(&finding.id));
        let stays = if stays { " (the regression of the suite remains)" } else { "" };
        let cases = text::count(open.len(), "open case") + stays;
        if any(|answer| answer.given) {
            let ask = "have your application answer what this command asks, and add the answers to the recorded ones";
            let stored = text::argument(stored);
            let command = format!("akit prompts --suspects {stored} --trials 10 > ask.jsonl");
            return Some((format!("decide {cases}, {ask} (`--replies` is repeatable)"), Some(command)));
        }
        let ask = || (format!("decide {cases}, ask the application, without `--replay`"), None);
        any(|answer| answer.recorded).then(ask)
    }
}

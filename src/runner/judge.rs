//! One case: asks it, judges it, and builds its result.

use super::ask::{self, Load, Said};
use super::plan::{Planned, Unit};
use super::redaction;
use super::{dialogue, fault};
use crate::expectation::Candidate;
use crate::grader::{Bench, Graders};
use crate::manifest::{CaseResult, Fault, Trial, Verdict};
use crate::scenario::{Case, Scenario};
use crate::seed::{Root, RunId};
use crate::stats::mean;
use crate::vocabulary::{Answer, FaultKind, Outcome};

/// Asks a case once and judges the answer.
pub(super) async fn trial(
    scenario: &Scenario,
    planned: &Planned,
    graders: &Graders,
    (root, run): (Root, RunId),
    unit: Unit,
    load: Load<'_>,
) -> Trial {
    let case = &scenario.cases[planned.case];
    let asked = match &case.dialogue {
        Some(dialogue) => {
            let case = (case, dialogue.as_ref());
            dialogue::trial(scenario, case, planned, graders, (root, run), unit.trial, load).await
        }
        None => single(scenario, planned, graders, (root, run), unit, load).await,
    };
    let trial = redaction::shown(case, asked);
    Trial { index: unit.trial, confirmation: unit.confirmation, ..trial }
}

/// Asks a single question and judges the answer.
async fn single(
    scenario: &Scenario,
    planned: &Planned,
    graders: &Graders,
    (root, run): (Root, RunId),
    unit: Unit,
    load: Load<'_>,
) -> Trial {
    let case = &scenario.cases[planned.case];
    match ask::answer(scenario, case, planned, (root, run), unit.trial, load).await {
        Ok(said) => judged(scenario, case, graders, root, said, unit.trial).await,
        Err(fault) => errored(None, None, fault),
    }
}

/// Combines the trials of a case; there is at least one.
pub(super) fn case(scenario: &Scenario, planned: &Planned, trials: Vec<Trial>) -> CaseResult {
    let case = &scenario.cases[planned.case];
    let outcome = outcome(&trials.iter().collect::<Vec<_>>());
    let score = mean(trials.iter().filter_map(|trial| trial.score)).filter(|_| outcome != Outcome::Errored);
    let reason = reason(&trials, outcome);
    CaseResult { outcome, score, trials, ..blank(scenario, case, reason) }
}

/// Failed if a trial failed, else passed if one passed: trials that could not be judged do not count.
pub(super) fn outcome(trials: &[&Trial]) -> Outcome {
    let said = |outcome| trials.iter().any(|trial| trial.outcome == outcome);
    if said(Outcome::Failed) {
        Outcome::Failed
    } else if said(Outcome::Passed) {
        Outcome::Passed
    } else {
        Outcome::Errored
    }
}

fn reason(trials: &[Trial], outcome: Outcome) -> String {
    let Some(first) = trials.iter().find(|trial| trial.outcome == outcome) else { return String::new() };
    let why = match (&first.fault, first.verdict()) {
        (None, _) if outcome != Outcome::Failed => return String::new(),
        (Some(_), _) | (None, Some(_)) if first.conversation.is_some() => first.reason().into_owned(),
        (Some(fault), _) => fault.message.clone(),
        (None, Some(verdict)) => verdict.reason.clone(),
        (None, None) => return String::new(),
    };
    let same = trials.iter().filter(|trial| trial.outcome == outcome).count();
    if trials.len() == 1 {
        why
    } else {
        format!("{} of {} trials {}: {why}", same, trials.len(), outcome.word())
    }
}

/// Whether a trial is missing because there are not enough recorded answers.
pub(super) fn was_not_there(trial: &Trial) -> bool {
    trial.fault.as_ref().is_some_and(|fault| fault.kind.is_not_recorded())
}

/// The result of a case that was not asked.
pub(super) fn skipped(scenario: &Scenario, planned: &Planned, reason: String) -> CaseResult {
    blank(scenario, &scenario.cases[planned.case], reason)
}

/// A trial that akit crashed on.
pub(super) fn crashed(unit: Unit) -> Trial {
    let message = "akit itself failed while judging this case or one next to it".to_owned();
    let fault = Fault::new(FaultKind::Internal, message, "please report this with the message above");
    Trial { index: unit.trial, confirmation: unit.confirmation, ..errored(None, None, fault) }
}

fn blank(scenario: &Scenario, case: &Case, reason: String) -> CaseResult {
    let redact = case.redaction.on();
    CaseResult {
        scenario: scenario.name.clone(),
        id: case.id.clone(),
        name: case.name.as_ref().map(|name| redact.map_or(name.clone(), |r| r.shown(&r.redactor.text(name)))),
        tags: case.tags.clone(),
        location: case.location.clone(),
        content_hash: case.content_hash.clone(),
        outcome: Outcome::Skipped,
        score: None,
        reason,
        prompt: match redact.and_then(|redaction| Some((redaction, redaction.prompts()?))) {
            Some((redaction, redactor)) => redaction.shown(&redactor.text(&case.asked())),
            None => case.asked().into_owned(),
        },
        trials: Vec::new(),
        earlier: None,
    }
}

async fn judged(
    scenario: &Scenario,
    case: &Case,
    graders: &Graders,
    root: Root,
    Said { answer, seen, fault, .. }: Said,
    trial: u32,
) -> Trial {
    if let Some(fault) = fault.or_else(|| fault::no_answer(scenario, &answer)) {
        return errored(Some(answer), None, fault);
    }
    let (messages, scenario, case_id) = (redaction::messages(case), &scenario.name, &case.id);
    let redactor = case.redaction.on().map(|redaction| &redaction.redactor);
    let bench =
        Bench { graders, root, messages: &messages, scenario, case: case_id, trial, redactor, hold: None };
    let seen = redaction::seen(seen);
    let candidate = Candidate::of_answer(&answer, case.allow_cut, seen.as_ref());
    let verdict = redaction::verdict(case, case.judge(&candidate, &bench).await);
    if verdict.outcome == Outcome::Errored {
        let fault = fault::cause(&verdict);
        return errored(Some(answer), Some(verdict), fault);
    }
    let (outcome, score) = (verdict.counted(), verdict.score);
    Trial { score, ..Trial::single(outcome, Some(answer), Some(verdict)) }
}

fn errored(answer: Option<Answer>, verdict: Option<Verdict>, fault: Fault) -> Trial {
    Trial { fault: Some(Box::new(fault)), ..Trial::single(Outcome::Errored, answer, verdict) }
}

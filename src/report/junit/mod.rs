//! JUnit XML, as GitLab, Jenkins and GitHub actions read it.
//!
//! One `<testcase>` per case, never per trial, under names that stay the same from run to run.
//! `<failure>` is a bad answer, `<error>` a case that could not be judged, `<skipped>` one that was
//! not asked, or that fails in quarantine. A case that failed, was asked again and passed is flaky to every
//! reader of JUnit: it passes with a `<flakyFailure>`, as long as the gate does not block on it. A case has at most 12 elements and its text at most 64 KiB; what is longer is cut visibly.
//! Types start with `akit.`: GitLab rejects a whole report for the bare words `symbol` and `yaml`.

mod body;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::gate::State;
use crate::manifest::Trial;
use crate::source::Location;
use crate::text::{number, xml};
use crate::vocabulary::Outcome;

use super::entry::{Forgiven, bad, counts, slug};
use super::view::{TrialView, View};
use super::{Entry, RenderError, Report};

pub use validation::of_diagnostics;

/// Most elements of one case, itself included.
const ELEMENTS: usize = 12;

/// Elements of all cases; GitLab takes 250,000 in a file.
const ALL_ELEMENTS: usize = 240_000;

/// Bytes of the text of one case.
const TEXT: usize = 64 * 1024;

/// Bytes of the text of all cases; GitLab takes 30 MB in a file.
const ALL_TEXT: usize = 20 * 1024 * 1024;

/// Characters of a name.
const NAME: usize = 400;

/// Characters of a message.
const MESSAGE: usize = 300;

/// The whole report.
///
/// # Errors
/// None is known.
pub fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    let at = report.run.at.as_deref().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let (cases, told) = (report.run.cases.len(), report.run.cases.iter().filter(|case| bad(case.outcome)));
    let limits = Limits {
        elements: (ALL_ELEMENTS / cases.max(1)).clamp(2, ELEMENTS),
        text: (ALL_TEXT / told.count().max(1)).clamp(512, TEXT),
    };
    let mut suites = Suites { limits, order: BTreeMap::new(), list: Vec::new(), names: BTreeSet::new() };
    for scenario in &report.run.scenarios {
        let suite = suites.named(&scenario.name);
        let facts = [("target", Some(&scenario.target)), ("grader", scenario.grader.as_ref())];
        for (name, value) in facts {
            let property = value.map(|value| Property::new(name, xml::attribute(value, NAME)));
            if let Some(property) = property.filter(|property| !suite.properties.contains(property)) {
                suite.add_property(property);
            }
        }
    }
    for entry in report.entries() {
        suites.add(&entry);
    }
    let mut out = quick_junit::Report::new("akit");
    if report.run.duration_ms > 0 {
        out.set_time(Duration::from_millis(report.run.duration_ms));
    }
    if let Some(at) = at {
        out.set_timestamp(at);
    }
    out.add_test_suites(suites.finish(at, report));
    Ok(out.to_string()?)
}

/// How much one case may take.
#[derive(Clone, Copy)]
struct Limits {
    elements: usize,
    text: usize,
}

/// Suites by scenario name in the order of the run; files that share a name share a suite.
struct Suites {
    limits: Limits,
    order: BTreeMap<String, usize>,
    list: Vec<TestSuite>,
    names: BTreeSet<(usize, String)>,
}

impl Suites {
    fn at(&mut self, scenario: &str) -> usize {
        let name = match xml::attribute(scenario, NAME) {
            name if name.trim().is_empty() => "(unnamed)".to_owned(),
            name => name,
        };
        let next = self.list.len();
        let index = *self.order.entry(name.clone()).or_insert(next);
        if index == next {
            self.list.push(TestSuite::new(name));
        }
        index
    }

    fn named(&mut self, scenario: &str) -> &mut TestSuite {
        let index = self.at(scenario);
        &mut self.list[index]
    }

    fn add(&mut self, entry: &Entry<'_>) {
        let index = self.at(&entry.case.scenario);
        let name = self.unique(index, entry);
        let suite = self.list[index].name.as_str().to_owned();
        let mut case = TestCase::new(name, status(entry, self.limits.text));
        // Jenkins takes what is before the last dot for a package.
        case.set_classname(format!("akit.{}", suite.replace('.', "_")));
        place(&mut case, &entry.case.location);
        let known: Vec<_> = entry
            .case
            .trials
            .iter()
            .flat_map(Trial::answers)
            .filter_map(|answer| answer.latency_ms)
            .collect();
        if !known.is_empty() {
            let total = known.iter().fold(0_u64, |sum, one| sum.saturating_add(*one));
            case.set_time(Duration::from_millis(total));
        }
        let own = 1 + usize::from(entry.case.outcome != Outcome::Passed);
        let mut properties = properties(entry);
        properties.truncate(self.limits.elements.saturating_sub(own + 1));
        for (name, value) in &properties {
            case.add_property((*name, value.as_str()));
        }
        let used = own + properties.len() + usize::from(!properties.is_empty());
        let room = self.limits.elements.saturating_sub(used);
        case.status.add_reruns(reruns(entry, room, self.limits.text));
        self.list[index].add_test_case(case);
    }

    /// GitLab keeps only the first of several cases with one name, so a second one gets its file's.
    fn unique(&mut self, index: usize, entry: &Entry<'_>) -> String {
        let id = match xml::attribute(&entry.case.id, NAME) {
            id if id.trim().is_empty() => "(unnamed)".to_owned(),
            id => id,
        };
        let file = xml::attribute(&entry.case.location.file, NAME);
        let candidates = std::iter::once(id.clone())
            .chain(std::iter::once(format!("{id} ({file})")))
            .chain((2_usize..).map(|n| format!("{id} ({file}, {n})")));
        for name in candidates {
            if self.names.insert((index, name.clone())) {
                return name;
            }
        }
        id
    }

    fn finish(mut self, at: Option<DateTime<FixedOffset>>, report: &Report<'_>) -> Vec<TestSuite> {
        for suite in &mut self.list {
            if let Some(at) = at {
                suite.set_timestamp(at);
            }
            let times: Vec<_> = suite.test_cases.iter().filter_map(|case| case.time).collect();
            if !times.is_empty() {
                suite.set_time(times.iter().fold(Duration::ZERO, |sum, one| sum.saturating_add(*one)));
            }
            suite.add_property(("result", report.decision.conclusion.word()));
            // The decision's numbers of the whole run, with what stands here as passed or skipped.
            suite.add_property(("counts", counts(report).as_str()));
            suite.add_property(("reason", xml::attribute(&report.decision.summary, NAME).as_str()));
        }
        self.list
    }
}

/// `file` and `line`, without which GitLab links nowhere and mikepenz searches the repository.
fn place(case: &mut TestCase, location: &Location) {
    case.extra.insert("file".into(), xml::attribute(&location.file, 4000).into());
    case.extra.insert("line".into(), location.line.max(1).to_string().into());
}

fn status(entry: &Entry<'_>, text: usize) -> TestCaseStatus {
    let view = View::of(entry);
    let message = body::message(entry, &view);
    let (mut status, message, ty) = match (entry.case.outcome, entry.forgiven()) {
        (Outcome::Passed, _) | (Outcome::Failed, Some(Forgiven::Flaky)) => return TestCaseStatus::success(),
        (Outcome::Skipped, _) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml::attribute(&message, MESSAGE)).set_type("akit.skipped");
            return status;
        }
        (Outcome::Failed, Some(Forgiven::Quarantined)) => {
            let message = format!("{}; it fails: {message}", entry.note);
            (TestCaseStatus::skipped(), message, "akit.quarantined".to_owned())
        }
        (Outcome::Failed, None) => {
            (TestCaseStatus::non_success(NonSuccessKind::Failure), message, ty(entry.state, &view.trial))
        }
        (Outcome::Errored, _) => {
            (TestCaseStatus::non_success(NonSuccessKind::Error), message, ty(entry.state, &view.trial))
        }
    };
    let body = body::of(entry, view, text);
    status.set_message(xml::attribute(&message, MESSAGE)).set_type(ty).set_description(body);
    status
}

/// `akit.regression`, `akit.contains`, `akit.timeout`: the first thing that explains the case.
fn ty(state: State, trial: &TrialView<'_>) -> String {
    if state == State::Broken { "akit.regression".to_owned() } else { format!("akit.{}", slug(trial.kind())) }
}

/// The trials that are not the one already told, as far as they fit; each takes two elements.
fn reruns(entry: &Entry<'_>, room: usize, text: usize) -> Vec<TestRerun> {
    let passes = entry.case.outcome == Outcome::Passed || entry.forgiven() == Some(Forgiven::Flaky);
    let told = entry.case.telling().filter(|_| !passes).map(|trial| trial.index);
    let others = entry.case.trials.iter().filter(|trial| bad(trial.outcome) && Some(trial.index) != told);
    others
        .take(room / 2)
        .map(|trial| {
            let kind = match trial.outcome {
                Outcome::Errored => NonSuccessKind::Error,
                Outcome::Passed | Outcome::Failed | Outcome::Skipped => NonSuccessKind::Failure,
            };
            let mut rerun = TestRerun::new(kind);
            rerun
                .set_message(xml::attribute(trial.reason(), MESSAGE))
                .set_type(format!("akit.{}", slug(TrialView::of(trial).kind())))
                .set_stack_trace(body::of_trial(trial, text));
            rerun
        })
        .collect()
}

/// At most five facts about the case.
fn properties(entry: &Entry<'_>) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if let Some(score) = entry.case.score {
        out.push(("score", number::score(score)));
    }
    let view = View::of(entry);
    let first = view.trial.verdicts.first().filter(|_| bad(entry.case.outcome));
    if let Some(threshold) = first.and_then(|one| one.verdict.threshold) {
        out.push(("threshold", number::score(threshold)));
    }
    if !matches!(entry.state, State::Passed | State::Failed | State::Errored | State::Skipped) {
        out.push(("baseline", entry.state.words().to_owned()));
    }
    if !view.trials.is_empty() {
        out.push(("trials", view.trials));
    }
    let mut replies = entry.case.trials.iter().flat_map(Trial::answers).peekable();
    if replies.peek().is_some() && replies.all(|reply| reply.recorded) {
        out.push(("cached", "true".to_owned()));
    }
    out
}

#[cfg(test)]
mod tests;

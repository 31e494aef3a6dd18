//! JUnit XML, as GitLab, Jenkins and GitHub actions read it.
//!
//! One `<testcase>` per case, never per trial, with names that stay the same from run to run. `<failure>` is a bad
//! answer, `<error>` a case that could not be judged, `<skipped>` one that was not asked, or that fails in quarantine.
//! A case that failed, was asked again and passed is flaky for every reader of JUnit: it passes with a
//! `<flakyFailure>`, unless the gate blocks on it. A case has at most 12 elements, and its text at most 64 KiB; what is
//! longer is cut visibly. Types start with `akit.`: GitLab rejects a whole report for the bare words `symbol` and
//! `yaml`.

mod body;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
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

/// Maximum number of elements of a case, including itself.
const ELEMENTS: usize = 12;

/// Maximum number of elements of all cases; GitLab accepts 250,000 per file.
const ALL_ELEMENTS: usize = 240_000;

/// Maximum number of bytes in a case's text.
const TEXT: usize = 64 * 1024;

/// Maximum number of bytes in all text; GitLab accepts 30 MB per file.
const ALL_TEXT: usize = 20 * 1024 * 1024;

/// Maximum number of characters in a name.
const NAME: usize = 400;

/// Maximum number of characters in a message.
const MESSAGE: usize = 300;

/// Writes the report.
///
/// The library writes only whole trees. One tree has the suites without cases, but with the counts; each of the others
/// has a few cases, whose elements are inserted into the first tree.
///
/// # Errors
/// If it cannot be written.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    let at = report.run.at.as_deref().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let (cases, wrong) = (report.run.cases.len(), report.run.cases.iter().filter(|case| bad(case.outcome)));
    let limits = Limits {
        elements: (ALL_ELEMENTS / cases.max(1)).clamp(2, ELEMENTS),
        text: (ALL_TEXT / wrong.count().max(1)).clamp(512, TEXT),
    };
    let mut suites = Suites { order: BTreeMap::new(), list: Vec::new() };
    for scenario in &report.run.scenarios {
        let suite = &mut suites.named(&scenario.name).head;
        let facts = [("target", Some(&scenario.target)), ("grader", scenario.grader.as_ref())];
        for (name, value) in facts {
            let property = value.map(|value| Property::new(name, xml::attribute(value, NAME)));
            if let Some(property) = property.filter(|property| !suite.properties.contains(property)) {
                suite.add_property(property);
            }
        }
    }
    for (index, entry) in report.entries().enumerate() {
        suites.named(&entry.case.scenario).count(index, &entry);
    }
    let mut tree = quick_junit::Report::new("akit");
    if report.run.duration_ms > 0 {
        tree.set_time(Duration::from_millis(report.run.duration_ms));
    }
    if let Some(at) = at {
        tree.set_timestamp(at);
    }
    let heads = suites.list.iter().map(|suite| suite.finished(at, report));
    tree.add_test_suites(heads);
    let heads = tree.to_string()?;
    // Every suite has properties, so each has its own end tag; within a value, `<` is escaped.
    let mut rest = heads.as_str();
    for suite in &suites.list {
        let (head, more) = rest.split_at(rest.find(END).unwrap_or(rest.len()));
        out.write_all(head.as_bytes())?;
        suite.write(report, limits, out)?;
        rest = more;
        if let Some(more) = more.strip_prefix(END) {
            out.write_all(END.as_bytes())?;
            rest = more;
        }
    }
    Ok(out.write_all(rest.as_bytes())?)
}

/// The end of a suite.
const END: &str = "\n    </testsuite>";

/// Number of cases per tree.
const AT_ONCE: usize = 100;

/// The limits for one case.
#[derive(Clone, Copy)]
struct Limits {
    elements: usize,
    text: usize,
}

/// Suites by scenario name, in the order of the run; files with the same name share a suite.
struct Suites {
    order: BTreeMap<String, usize>,
    list: Vec<Suite>,
}

/// One suite; its cases are indexes into the run.
struct Suite {
    head: TestSuite,
    cases: Vec<usize>,
}

impl Suites {
    fn named(&mut self, scenario: &str) -> &mut Suite {
        let name = match xml::attribute(scenario, NAME) {
            name if name.trim().is_empty() => "(unnamed)".to_owned(),
            name => name,
        };
        let next = self.list.len();
        let index = *self.order.entry(name.clone()).or_insert(next);
        if index == next {
            self.list.push(Suite { head: TestSuite::new(name), cases: Vec::new() });
        }
        &mut self.list[index]
    }
}

impl Suite {
    /// Adds a case to the counts of the suite.
    fn count(&mut self, index: usize, entry: &Entry<'_>) {
        self.cases.push(index);
        self.head.tests += 1;
        match Element::of(entry) {
            Element::Success => {}
            Element::Skipped => self.head.skipped += 1,
            Element::NonSuccess(NonSuccessKind::Failure) => self.head.failures += 1,
            Element::NonSuccess(NonSuccessKind::Error) => self.head.errors += 1,
        }
        if let Some(time) = time(entry) {
            self.head.set_time(self.head.time.map_or(time, |sum| sum.saturating_add(time)));
        }
    }

    /// The suite without its cases.
    fn finished(&self, at: Option<DateTime<FixedOffset>>, report: &Report<'_>) -> TestSuite {
        let mut suite = self.head.clone();
        if let Some(at) = at {
            suite.set_timestamp(at);
        }
        suite.add_property(("result", report.decision.conclusion.word()));
        // The decision's counts of the whole run, with what is shown here as passed or skipped.
        suite.add_property(("counts", counts(report).as_str()));
        suite.add_property(("reason", xml::attribute(&report.decision.summary, NAME).as_str()));
        suite
    }

    /// Its cases.
    fn write(&self, report: &Report<'_>, limits: Limits, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut names = BTreeSet::new();
        for some in self.cases.chunks(AT_ONCE) {
            let mut suite = TestSuite::new("");
            for index in some {
                suite.add_test_case(self.case(&report.entry(*index), limits, &mut names));
            }
            let mut tree = quick_junit::Report::new("");
            tree.add_test_suite(suite);
            let text = tree.to_string()?;
            // The declaration, the tree and the suite have one line each, and no value contains a line end.
            let begin = text.match_indices('\n').nth(2).map_or(text.len(), |(at, _)| at);
            let end = text.rfind(END).unwrap_or(text.len());
            out.write_all(&text.as_bytes()[begin..end])?;
        }
        Ok(())
    }

    fn case(&self, entry: &Entry<'_>, limits: Limits, names: &mut BTreeSet<String>) -> TestCase {
        let is_told = !matches!(Element::of(entry), Element::Success) && limits.elements > 3;
        let said = is_told.then(|| body::conversation(entry, limits.text / 2)).flatten();
        let text = if said.is_some() { limits.text / 2 } else { limits.text };
        let mut case = TestCase::new(unique(entry, names), status(entry, text));
        // Jenkins takes everything before the last dot for a package.
        case.set_classname(format!("akit.{}", self.head.name.as_str().replace('.', "_")));
        place(&mut case, &entry.case.location);
        if let Some(time) = time(entry) {
            case.set_time(time);
        }
        let own = 1 + usize::from(entry.case.outcome != Outcome::Passed || entry.blocking);
        let own = own + usize::from(said.is_some());
        if let Some(said) = said {
            case.set_system_out(said);
        }
        let mut properties = properties(entry);
        properties.truncate(limits.elements.saturating_sub(own + 1));
        for (name, value) in &properties {
            case.add_property((*name, value.as_str()));
        }
        let used = own + properties.len() + usize::from(!properties.is_empty());
        let room = limits.elements.saturating_sub(used);
        case.status.add_reruns(reruns(entry, room, limits.text));
        case
    }
}

/// GitLab keeps only the first of several cases with the same name, so the name of the file is added to any other one.
fn unique(entry: &Entry<'_>, names: &mut BTreeSet<String>) -> String {
    let id = match xml::attribute(&entry.case.id, NAME) {
        id if id.trim().is_empty() => "(unnamed)".to_owned(),
        id => id,
    };
    let file = xml::attribute(&entry.case.location.file, NAME);
    let candidates = std::iter::once(id.clone())
        .chain(std::iter::once(format!("{id} ({file})")))
        .chain((2_usize..).map(|n| format!("{id} ({file}, {n})")));
    for name in candidates {
        if names.insert(name.clone()) {
            return name;
        }
    }
    id
}

/// The time of all its answers, as far as it is known.
fn time(entry: &Entry<'_>) -> Option<Duration> {
    let answers = entry.case.trials.iter().flat_map(Trial::answers);
    let known = answers.filter_map(|answer| answer.latency_ms).reduce(u64::saturating_add);
    known.map(Duration::from_millis)
}

/// `file` and `line`: without them GitLab has no links, and mikepenz searches the repository.
fn place(case: &mut TestCase, location: &Location) {
    case.extra.insert("file".into(), xml::attribute(&location.file, 4000).into());
    case.extra.insert("line".into(), location.line.max(1).to_string().into());
}

/// The status element of a case.
#[derive(Clone, Copy)]
enum Element {
    Success,
    Skipped,
    NonSuccess(NonSuccessKind),
}

impl Element {
    fn of(entry: &Entry<'_>) -> Self {
        match (entry.case.outcome, entry.forgiven()) {
            // It passes but fails the gate: because of extra trials, or those of an earlier attempt.
            (Outcome::Passed, _) if entry.blocking => Self::NonSuccess(NonSuccessKind::Failure),
            (Outcome::Passed, _) | (Outcome::Failed, Some(Forgiven::Flaky)) => Self::Success,
            (Outcome::Skipped, _) | (Outcome::Failed, Some(Forgiven::Quarantined)) => Self::Skipped,
            (Outcome::Failed, None) => Self::NonSuccess(NonSuccessKind::Failure),
            (Outcome::Errored, _) => Self::NonSuccess(NonSuccessKind::Error),
        }
    }
}

fn status(entry: &Entry<'_>, text: usize) -> TestCaseStatus {
    let element = Element::of(entry);
    if let Element::Success = element {
        return TestCaseStatus::success();
    }
    let view = View::of(entry);
    let message = body::message(entry, &view);
    let (mut status, message, ty) = match element {
        Element::NonSuccess(kind) => {
            (TestCaseStatus::non_success(kind), message, ty(entry.state, &view.trial))
        }
        Element::Success | Element::Skipped if entry.case.outcome == Outcome::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml::attribute(&message, MESSAGE)).set_type("akit.skipped");
            return status;
        }
        Element::Success | Element::Skipped => {
            let message = format!("{}; it fails: {message}", entry.note);
            (TestCaseStatus::skipped(), message, "akit.quarantined".to_owned())
        }
    };
    let body = body::of(entry, view, text);
    status.set_message(xml::attribute(&message, MESSAGE)).set_type(ty).set_description(body);
    status
}

/// For example `akit.regression`, `akit.contains`, `akit.timeout`: the first thing that explains the case.
fn ty(state: State, trial: &TrialView<'_>) -> String {
    if state == State::Broken { "akit.regression".to_owned() } else { format!("akit.{}", slug(trial.kind())) }
}

/// The other trials, as far as they fit; each takes two elements.
fn reruns(entry: &Entry<'_>, room: usize, text: usize) -> Vec<TestRerun> {
    let passes = entry.case.outcome == Outcome::Passed || entry.forgiven() == Some(Forgiven::Flaky);
    let shown = entry.case.telling().filter(|_| !passes).map(|trial| trial.index);
    let others = entry.case.trials.iter().filter(|trial| bad(trial.outcome) && Some(trial.index) != shown);
    others
        .take(room / 2)
        .map(|trial| {
            let kind = match trial.outcome {
                Outcome::Errored => NonSuccessKind::Error,
                Outcome::Passed | Outcome::Failed | Outcome::Skipped => NonSuccessKind::Failure,
            };
            let mut rerun = TestRerun::new(kind);
            rerun
                .set_message(xml::attribute(&trial.reason(), MESSAGE))
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

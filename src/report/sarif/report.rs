//! The findings of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use chrono::{DateTime, SecondsFormat};
use serde_json::Value as Json;

use crate::gate::State;
use crate::manifest::Ended;
use crate::report::view::{BROKEN, CALL, STATE, TrialView, View};
use crate::report::{Entry, RenderError, Report};
use crate::text;
use crate::vocabulary::Outcome;

use super::{Alert, Level, Log, Profile, Rule, Trouble, place};

/// Characters of one value in a message.
const VALUE: usize = 200;

/// The live findings of the run.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    write_for(report, Profile::GitHub, out)
}

/// The same beside the baseline: what is new, unchanged or gone, and what is forgiven.
///
/// # Errors
/// When it cannot be written.
pub fn write_full(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    write_for(report, Profile::Full, out)
}

fn write_for(report: &Report<'_>, profile: Profile, out: &mut dyn Write) -> Result<(), RenderError> {
    let (mut findings, troubles) = findings(report);
    if profile == Profile::Full {
        findings
            .extend(report.entries().filter(|entry| entry.state == State::Fixed).map(|entry| fixed(&entry)));
    }
    let whole = |trouble: &Trouble| trouble.level == Level::Error && trouble.location.is_none();
    let log = Log {
        version: report.run.akit.clone(),
        category: category(report),
        successful: report.decision.counts.errored == 0
            && !troubles.iter().any(whole)
            && matches!(report.run.ended, Ended::Complete | Ended::FailFast),
        findings,
        troubles,
        ended: report.run.at.as_deref().and_then(utc),
        profile,
    };
    log.write(|file| report.sources.get(file).map(AsRef::as_ref), out)
}

/// What is bad now, in the order of the run, then what is wrong with the run; and what kept a case or
/// the run from being judged.
pub(in crate::report) fn findings(report: &Report<'_>) -> (Vec<Alert>, Vec<Trouble>) {
    let (mut findings, mut troubles) = (Vec::new(), Vec::new());
    for entry in report.entries() {
        match entry.case.outcome {
            Outcome::Failed => failed(&entry, &mut findings),
            Outcome::Errored => troubles.push(errored(&entry)),
            Outcome::Passed | Outcome::Skipped => {}
        }
    }
    super::gate::tell(report, &mut findings, &mut troubles);
    tell_apart(&mut findings);
    (findings, troubles)
}

/// Numbers the findings that have one identity, in the order of their lines: no reader may take two for one.
fn tell_apart(findings: &mut [Alert]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|one, other| findings[*one].location.cmp(&findings[*other].location));
    let mut seen: BTreeMap<[String; 3], u32> = BTreeMap::new();
    for at in order {
        let count = seen.entry(findings[at].identity.clone()).or_default();
        *count += 1;
        if *count > 1 {
            // No name holds a control character, and writing into a text cannot fail.
            let _ = write!(findings[at].identity[1], "\u{0}{count}");
        }
    }
}

/// The time as SARIF wants it; nothing for what is no time.
fn utc(at: &str) -> Option<String> {
    let at = DateTime::parse_from_rfc3339(at).ok()?;
    Some(at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// `akit/<suite>/`: which alerts an upload replaces. It does not change when a file or a scenario is added.
fn category(report: &Report<'_>) -> String {
    match place::uri(&text::excerpt(&report.run.suite_name(), VALUE)) {
        name if name == "." => "akit/run/".to_owned(),
        name => format!("akit/{}/", name.replace('/', "%2F")),
    }
}

fn finding(entry: &Entry<'_>, rule: Rule, level: Level, message: String) -> Alert {
    let identity = [entry.case.scenario.clone(), entry.case.id.clone(), rule.id()];
    let excuse = if entry.state == State::Quarantined { entry.note.to_owned() } else { String::new() };
    let (state, location) = (Some(entry.state), entry.case.location.clone());
    Alert { rule, level, message, location, identity, state, excuse }
}

fn name(entry: &Entry<'_>) -> String {
    text::excerpt(&entry.name(), VALUE)
}

/// A case that failed in the baseline and passes now: what is no more.
fn fixed(entry: &Entry<'_>) -> Alert {
    let message = format!("`{}` failed in the baseline and passes now", name(entry));
    finding(entry, Rule::Regression("case"), Level::Note, message)
}

fn failed(entry: &Entry<'_>, findings: &mut Vec<Alert>) {
    let level = match entry.state {
        _ if entry.blocking => Level::Error,
        State::Open | State::Cleared | State::Degraded | State::Flaky => Level::Note,
        _ => Level::Warning,
    };
    let view = View::of(entry);
    if entry.state == State::Broken {
        let (why, calls) = (text::excerpt(view.why, 2 * VALUE), calls(&view.trial));
        let message = format!("`{}` {BROKEN}: {why}{calls}", name(entry));
        findings.push(finding(entry, Rule::Regression("case"), level, message));
        return;
    }
    let state = if view.state.is_empty() { String::new() } else { format!(" ({})", view.state) };
    let mut kinds = kinds(entry);
    if kinds.is_empty() {
        kinds.push((Rule::expect(""), format!("{}{}", view.why, calls(&view.trial))));
    }
    for (rule, words) in kinds {
        findings.push(finding(entry, rule, level, format!("`{}` failed{state}: {words}", name(entry))));
    }
}

/// The distinct kinds that were not met in any failed trial, and what the first one found.
fn kinds(entry: &Entry<'_>) -> Vec<(Rule, String)> {
    let mut out: Vec<(Rule, String)> = Vec::new();
    let failed = entry.case.trials.iter().filter(|trial| trial.outcome == Outcome::Failed);
    let told = failed.map(TrialView::of).flat_map(|mut trial| {
        let verdicts = std::mem::take(&mut trial.verdicts);
        verdicts.into_iter().map(move |one| (one, calls(&trial)))
    });
    for (one, calls) in told {
        let rule = Rule::expect(one.kind);
        if out.iter().any(|(known, _)| *known == rule) {
            continue;
        }
        let mut words = text::excerpt(one.message(), 2 * VALUE);
        for (label, value) in [("expected", &one.verdict.expected), ("got", &one.verdict.got)] {
            if !value.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(words, "; {label}: {}", text::excerpt(value, VALUE));
            }
        }
        out.push((rule, words + &calls));
    }
    out
}

/// `; tool call: refund {"order":"NW-1"}` for each call of an answer, and what the application told of its state.
fn calls(trial: &TrialView<'_>) -> String {
    let call = |line: String| format!("; {CALL}: {}", text::excerpt(&line, VALUE));
    let more = trial.more_calls().map(|words| format!("; {words}"));
    let state = |state: &Json| format!("; {STATE}: {}", text::excerpt(&state.to_string(), VALUE));
    trial.calls().map(call).chain(more).chain(trial.state.map(state)).collect()
}

fn errored(entry: &Entry<'_>) -> Trouble {
    let view = View::of(entry);
    let kind = view
        .trial
        .fault
        .map_or_else(String::new, |fault| format!(" ({})", text::excerpt(fault.kind.word(), 60)));
    let why = text::excerpt(view.why, 2 * VALUE);
    let message = format!("`{}` could not be judged{kind}: {why}{}", name(entry), calls(&view.trial));
    Trouble { level: Level::Error, message, location: Some(entry.case.location.clone()) }
}

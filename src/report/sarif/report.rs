//! The findings of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use chrono::{DateTime, SecondsFormat};
use serde_json::Value as Json;

use crate::gate::State;
use crate::manifest::{Ended, Turn};
use crate::report::calls::CALL;
use crate::report::view::{BROKEN, STATE, TrialView, VerdictView, View};
use crate::report::{Entry, RenderError, Report, talk};
use crate::source::Location;
use crate::text;
use crate::vocabulary::Outcome;

use super::{Alert, Level, Log, Profile, Rule, STEP, STEPS, STEPS_OF_ONE, Step, Trouble, place};

/// Maximum number of characters in one value in a message.
const VALUE: usize = 200;

/// Writes the current findings of the run.
///
/// # Errors
/// If it cannot be written.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    write_for(report, Profile::GitHub, out)
}

/// Writes the findings and compares them with the baseline: what is new, unchanged or gone, and what is excused.
///
/// # Errors
/// If it cannot be written.
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

/// What is bad now, in the order of the run, followed by what is wrong with the run as a whole; and what kept a case or
/// the run from being judged.
pub(in crate::report) fn findings(report: &Report<'_>) -> (Vec<Alert>, Vec<Trouble>) {
    let (mut findings, mut troubles) = (Vec::new(), Vec::new());
    let mut room = STEPS;
    for entry in report.entries() {
        match entry.case.outcome {
            Outcome::Failed => failed(&entry, &mut findings, &mut room),
            Outcome::Errored => troubles.push(errored(&entry)),
            Outcome::Passed | Outcome::Skipped => {}
        }
    }
    super::gate::tell(report, &mut findings, &mut troubles);
    tell_apart(&mut findings);
    (findings, troubles)
}

/// Numbers the findings with the same identity, in the order of their lines, so that no reader merges them.
fn tell_apart(findings: &mut [Alert]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|one, other| findings[*one].location.cmp(&findings[*other].location));
    let mut seen: BTreeMap<[String; 3], u32> = BTreeMap::new();
    for at in order {
        let count = seen.entry(findings[at].identity.clone()).or_default();
        *count += 1;
        if *count > 1 {
            // No name contains a control character, and writing to a String cannot fail.
            let _ = write!(findings[at].identity[1], "\u{0}{count}");
        }
    }
}

/// The time in SARIF's format; `None` if it is not a time.
fn utc(at: &str) -> Option<String> {
    let at = DateTime::parse_from_rfc3339(at).ok()?;
    Some(at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// `akit/<suite>/`: which alerts an upload replaces. It does not change when a file or scenario is added.
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
    Alert { rule, level, message, location, identity, state, excuse, related: None, flow: Vec::new() }
}

fn name(entry: &Entry<'_>) -> String {
    text::excerpt(&entry.name(), VALUE)
}

/// A case that failed in the baseline and passes now.
fn fixed(entry: &Entry<'_>) -> Alert {
    let message = format!("`{}` failed in the baseline and passes now", name(entry));
    finding(entry, Rule::Regression("case"), Level::Note, message)
}

fn failed(entry: &Entry<'_>, findings: &mut Vec<Alert>, room: &mut usize) {
    let level = match entry.state {
        _ if entry.blocking => Level::Error,
        State::Open | State::Cleared | State::Degraded | State::Flaky => Level::Note,
        _ => Level::Warning,
    };
    let view = View::of(entry);
    if entry.state == State::Broken {
        let (why, calls) = (text::excerpt(&view.why, 2 * VALUE), calls(&view.trial));
        let message = format!("`{}` {BROKEN}: {why}{calls}", name(entry));
        let [location, related] = view.trial.verdicts.first().map_or([None, None], |one| spot(entry, one));
        let location = location.unwrap_or_else(|| entry.case.location.clone());
        let flow = flow(entry, &view.trial, room);
        let alert = finding(entry, Rule::Regression("case"), level, message);
        findings.push(Alert { location, related, flow, ..alert });
        return;
    }
    let state = if view.state.is_empty() { String::new() } else { format!(" ({})", view.state) };
    let mut kinds = kinds(entry);
    if kinds.is_empty() {
        let words = format!("{}{}", view.why, calls(&view.trial));
        kinds.push((Rule::expect(""), words, [None, None], view.trial));
    }
    for (rule, words, [location, related], trial) in kinds {
        let location = location.unwrap_or_else(|| entry.case.location.clone());
        let message = format!("`{}` failed{state}: {words}", name(entry));
        let flow = flow(entry, &trial, room);
        findings.push(Alert { location, related, flow, ..finding(entry, rule, level, message) });
    }
}

/// The place of a verdict: for a turn, the customer's words, and the related expectation of the whole conversation. A
/// verdict that no turn decides is at its own place.
fn spot(entry: &Entry<'_>, one: &VerdictView<'_>) -> [Option<Location>; 2] {
    let case = &entry.case.location;
    let at = |line: u32| (line > 0).then(|| Location { line, column: 0, ..case.clone() });
    let turn = one.place.and_then(|place| at(place.line));
    let own = at(one.verdict.line).filter(|_| one.is_of_talk);
    match turn {
        // The verdict of the turn itself, or of the whole.
        Some(_) => [turn, own.filter(|_| one.verdict.turn.is_some())],
        None => [own, None],
    }
}

/// The turns of a conversation; those before the turn where it broke are preferred over those after it.
fn flow(entry: &Entry<'_>, trial: &TrialView<'_>, room: &mut usize) -> Vec<Step> {
    let Some(talk) = trial.talk else { return Vec::new() };
    let turns = &talk.trial.turns;
    let broken = turns.iter().position(|turn| talk.mark(turn).is_some()).unwrap_or_default();
    let most = STEPS_OF_ONE.min(*room);
    let from = (broken + 1).saturating_sub(most);
    let step = |turn: &Turn| {
        let mark = talk.mark(turn);
        let (broke, mark) = (mark.is_some(), mark.map_or(String::new(), |mark| format!(", {mark}")));
        let answer = turn.answer.as_ref().map_or("", |answer| &answer.text);
        let calls = turn.answer.iter().flat_map(|answer| answer.tool_calls.iter().take(3));
        let calls = calls.map(|call| format!("; {CALL}: {}", text::excerpt(&call.line(), STEP)));
        let calls = calls.collect::<Vec<_>>().concat();
        let (asked, answer) = (text::excerpt(&turn.asked, STEP), text::excerpt(answer, STEP));
        let message = format!("{}{mark}: customer: {asked}; application: {answer}{calls}", talk::named(turn));
        let line = turn.place.as_ref().map_or(0, |place| place.line).max(1);
        Step { location: Location { line, column: 0, ..entry.case.location.clone() }, message, broke }
    };
    let steps: Vec<_> = turns.iter().skip(from).take(most).map(step).collect();
    *room -= steps.len();
    steps
}

/// The distinct kinds of expectations that failed trials did not meet, each with what the first of these trials found.
fn kinds<'a>(entry: &Entry<'a>) -> Vec<(Rule, String, [Option<Location>; 2], TrialView<'a>)> {
    let mut out: Vec<(Rule, String, [Option<Location>; 2], TrialView<'a>)> = Vec::new();
    let failed = entry.case.trials.iter().filter(|trial| trial.outcome == Outcome::Failed);
    let verdicts =
        failed.flat_map(|trial| TrialView::of(trial).verdicts.into_iter().map(move |one| (one, trial)));
    for (one, trial) in verdicts {
        let rule = Rule::expect(one.kind);
        if out.iter().any(|(known, ..)| *known == rule) {
            continue;
        }
        let trial = TrialView::of(trial);
        let mut words = text::excerpt(&one.message(), 2 * VALUE);
        for (label, value) in [("expected", &one.verdict.expected), ("got", &one.verdict.got)] {
            if !value.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(words, "; {label}: {}", text::excerpt(value, VALUE));
            }
        }
        // The calls belong to the turn where it broke.
        let is_there = trial.talk.and_then(|talk| talk.turn()?.place.as_deref()) == one.place;
        let calls = if is_there || one.place.is_none() { calls(&trial) } else { String::new() };
        out.push((rule, words + &calls, spot(entry, &one), trial));
    }
    out
}

/// For example `; tool call: refund {"order":"NW-1"}` for each call of an answer, and the reported application state.
fn calls(trial: &TrialView<'_>) -> String {
    let call = |line: &String| format!("; {CALL}: {}", text::excerpt(line, VALUE));
    let more = trial.calls.more().map(|words| format!("; {words}"));
    let state = |state: &Json| format!("; {STATE}: {}", text::excerpt(&state.to_string(), VALUE));
    trial.calls.shown.iter().map(call).chain(more).chain(trial.state.map(state)).collect()
}

fn errored(entry: &Entry<'_>) -> Trouble {
    let view = View::of(entry);
    let kind = view
        .trial
        .fault
        .map_or_else(String::new, |fault| format!(" ({})", text::excerpt(fault.kind.word(), 60)));
    let why = text::excerpt(&view.why, 2 * VALUE);
    // The answer that the conversation could not continue from.
    let talk = view.trial.talk;
    let answer = view.trial.answer.filter(|_| talk.is_some());
    let answer =
        answer.map(|answer| format!("; answer: {}", text::excerpt(answer, VALUE))).unwrap_or_default();
    let message = format!("`{}` could not be judged{kind}: {why}{answer}{}", name(entry), calls(&view.trial));
    let place = talk.and_then(|talk| talk.trial.broken_turn()?.place.as_ref()).filter(|place| place.line > 0);
    let case = entry.case.location.clone();
    let location = match place {
        Some(place) => Location { line: place.line, column: 0, ..case },
        None => case,
    };
    Trouble { level: Level::Error, message, location: Some(location) }
}

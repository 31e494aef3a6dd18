//! `replies`: recorded answers, one JSON object per line, judged without calling the application.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::end;
use super::foreign::{Foreign, Whom};
use super::line::{LINE, Line};
use super::message::{self, MessageError};
use super::recorded::{self, Exchanged};
use crate::source::{Diagnostic, Diagnostics, SourceFile, Span, json_object};
use crate::stats::whole;
use crate::text;
use crate::vocabulary::{Answer, CaseId, moment};

/// Why a file of recorded answers cannot be used: errors of the file or its lines.
#[derive(Debug, thiserror::Error)]
#[error("{}", first(.0))]
pub struct RepliesError(pub Diagnostics);

fn first(found: &Diagnostics) -> String {
    let first = found.iter().next();
    first.map_or_else(String::new, |one| format!("{}: {}", one.file.location(one.span), one.message))
}

/// Recorded answers by case, scenario and trial.
#[derive(Clone, Debug)]
pub struct Replies {
    name: String,
    /// When the newest answer was given, if known.
    latest: Option<DateTime<Utc>>,
    /// Whether the files mention tool calls, even empty lists.
    tells_calls: bool,
    answers: BTreeMap<(String, u32), Vec<Known>>,
    /// The conversations, for answers that have one.
    talks: BTreeMap<(String, u32), Vec<Talk>>,
    /// Answers of files without ids.
    foreign: Foreign,
}

/// Keys of tool calls in any format.
const CALLS: [&str; 6] = [
    "\"tool_calls\"",
    "\"toolCalls\"",
    "\"tool_use\"",
    "\"function_call\"",
    "\"functionCall\"",
    "\"toolUse\"",
];

fn names_calls(text: &str) -> bool {
    CALLS.iter().any(|word| text.contains(word))
}

/// A reply, the scenario that it names, and its place.
type Known = (Option<String>, Answer, Place);

/// The scenario that a line names, and the line's conversation, or what is wrong with it.
type Talk = (Option<String>, Result<Box<[Exchanged]>, String>);

/// A line of one of the files.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    file: usize,
    line: u32,
    /// Whether it does not mention calls, not even as an empty list. For lines with messages, the whole file counts,
    /// because other tools leave out empty lists.
    is_silent: bool,
}

/// A line that matches no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unused<'a> {
    /// The line.
    pub line: u32,
    /// Its id.
    pub id: &'a str,
    /// Its scenario.
    pub scenario: Option<&'a str>,
}

impl Replies {
    /// Reads files of answers and combines them.
    ///
    /// # Errors
    /// If a file or line is invalid, or a case has two answers for one scenario and trial.
    pub fn read(paths: &[PathBuf]) -> Result<Self, RepliesError> {
        let name = paths.iter().map(|path| crate::source::repository_name(path)).collect::<Vec<_>>();
        let mut all = Self {
            name: name.join(", "),
            answers: BTreeMap::new(),
            talks: BTreeMap::new(),
            foreign: Foreign::default(),
            tells_calls: false,
            latest: None,
        };
        let mut sources = Vec::new();
        for path in paths {
            sources.push(all.add(path, sources.len())?);
        }
        let found = all.gaps(&sources);
        if found.has_errors() { Err(RepliesError(found)) } else { Ok(all) }
    }

    /// Reports gaps between trials: trials are found by number, so one after a gap would never be used. A line without
    /// a scenario applies to every scenario, so the trial before it must, too.
    fn gaps(&self, sources: &[Arc<SourceFile>]) -> Diagnostics {
        let mut gaps = Vec::new();
        for ((id, trial), known) in self.answers.iter().filter(|((_, trial), _)| *trial > 0) {
            let before = self.answers.get(&(id.clone(), trial - 1)).map_or(&[][..], Vec::as_slice);
            for (name, _, place) in known {
                if !before.iter().any(|(other, ..)| other.is_none() || other == name) {
                    gaps.push((*place, id, *trial, name.is_none() && !before.is_empty()));
                }
            }
        }
        gaps.sort_by_key(|(place, ..)| (place.file, place.line));
        let mut found = Diagnostics::default();
        for (Place { file, line, .. }, id, trial, is_for_others) in gaps {
            let (source, before) = (&sources[file], trial - 1);
            let whom = if is_for_others { " without a scenario" } else { "" };
            let message =
                format!("case `{}` has trial {trial}, but no trial {before}{whom}", text::excerpt(id, 60));
            let help = "number the trials of a case from 0 without gaps, and set `scenario` on all of its lines or none";
            found.push(
                Diagnostic::error("reply", source, source.clamp(line, 1, u32::MAX), message).help(help),
            );
        }
        found
    }

    fn add(&mut self, path: &Path, file: usize) -> Result<Arc<SourceFile>, RepliesError> {
        let shown = crate::source::slashed(path);
        let mut found = Diagnostics::default();
        let source = match SourceFile::read(path) {
            Ok(source) => Arc::new(source),
            Err(error) => {
                // The error is in the file, not where it is configured.
                let file = Arc::new(SourceFile::from_text(&shown, ""));
                let message = format!("cannot read the recorded answers in {shown}: {error}");
                let help = error.help("save the file as JSON lines in UTF-8");
                found.push(Diagnostic::error("unreadable-file", &file, Span::default(), message).help(help));
                return Err(RepliesError(found));
            }
        };
        self.tells_calls |= names_calls(source.text());
        let whole = serde_json::from_str::<Json>(source.text()).ok();
        match whole.and_then(|document| self.foreign.add_promptfoo(&document)) {
            Some(Ok(())) => return Ok(source),
            Some(Err(trouble)) => {
                found.push(Diagnostic::error("reply", &source, source.clamp(1, 1, 1), trouble).help(LINE));
                return Err(RepliesError(found));
            }
            None => {}
        }
        for (line, written) in (1..).zip(source.text().lines()) {
            if !written.trim().is_empty()
                && let Err((column, reason)) = self.add_line(Place { file, line, is_silent: false }, written)
            {
                let span = source.clamp(line, column, u32::MAX);
                found.push(Diagnostic::error("reply", &source, span, reason).help(LINE));
            }
        }
        if found.has_errors() { Err(RepliesError(found)) } else { Ok(source) }
    }

    /// Adds one line; the error has the column and says what is wrong.
    fn add_line(&mut self, mut place: Place, line: &str) -> Result<(), (u32, String)> {
        let names_calls = names_calls(line);
        let mut line: Line = json_object(line.as_bytes())
            .map_err(|error| (u32::try_from(error.column()).unwrap_or(1), text::json::trouble(&error)))?;
        let wrong = |reason: String| (1, reason);
        let id = line.id.take();
        if let Some(id) = &id {
            let known = self.answers.get(&(id.clone(), line.trial));
            if known.is_some_and(|known| known.iter().any(|(scenario, ..)| *scenario == line.scenario)) {
                let id = text::excerpt(id, 60);
                let trial = line.trial;
                return Err(wrong(format!(
                    "this is a second answer for case `{id}`, trial {trial}; number them with `trial`"
                )));
            }
        } else if line.messages.is_none() || line.reply.is_some() || line.scenario.is_some() || line.trial > 0
        {
            return Err(wrong("`id` is missing".to_owned()));
        }
        let amount = |name: &str, value: Option<f64>| match value {
            Some(amount) if !amount.is_finite() || amount < 0.0 => {
                Err(wrong(format!("`{name}` is negative")))
            }
            value => Ok(value),
        };
        let time = |name: &str, value: Option<f64>| {
            amount(name, value).map(|value| value.map(|ms| whole(ms.round()).unwrap_or(u64::MAX)))
        };
        if let Some(time) = &line.at {
            let told =
                moment(time, crate::vocabulary::now()).map_err(|error| wrong(format!("`at` is {error}")))?;
            self.latest = self.latest.max(Some(told));
        }
        let latency_ms = time("latency_ms", line.latency_ms)?;
        let ttft_ms = time("ttft_ms", line.ttft_ms)?;
        let cost_usd = amount("cost_usd", line.cost_usd)?;
        let is_reply = line.reply.is_some();
        place.is_silent = is_reply && !names_calls;
        let messages = line.messages.as_ref().filter(|_| !is_reply).and_then(Json::as_array);
        let said = messages.into_iter().flat_map(|list| message::answers(list).rev());
        let finish_reason = end::of_messages(said.map(|(_, message)| message), line.finish_reason.take());
        let said = line.said().map_err(|error| wrong(error.to_string()))?;
        let answer = Answer {
            text: said.text,
            tool_calls: said.tool_calls,
            state: line.state,
            finish_reason: if said.refused { Some("refusal".to_owned()) } else { finish_reason },
            model: line.model,
            latency_ms,
            ttft_ms,
            usage: line.usage,
            cost_usd,
            given: true,
            dated: line.at.is_some(),
            ..Answer::default()
        };
        let several = line.messages.as_ref().filter(|_| !is_reply).map_or(0, message::asked);
        if id.is_none() && several > 1 {
            return Err(wrong(MessageError::SeveralTurns(several).to_string()));
        }
        match (id, &line.messages) {
            (Some(id), _) => {
                if let Some(messages) = line.messages.as_ref().filter(|_| several > 0) {
                    let turns = recorded::turns(messages, &answer).map_err(|error| error.to_string());
                    self.talks
                        .entry((id.clone(), line.trial))
                        .or_default()
                        .push((line.scenario.clone(), turns));
                }
                // Most cases have one; by default a growing list reserves four.
                let known = self.answers.entry((id, line.trial)).or_insert_with(|| Vec::with_capacity(1));
                known.push((line.scenario, answer, place));
            }
            (None, Some(messages)) => self.foreign.add_conversation(place.line, messages, answer),
            (None, None) => {}
        }
        Ok(())
    }

    /// The lines that match none of these cases: they have another id, or lines that name each scenario override them.
    #[must_use]
    pub fn unused(&self, cases: &BTreeSet<CaseId<'_>>) -> Vec<Unused<'_>> {
        let mut scenarios: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for case in cases {
            scenarios.entry(case.id).or_default().push(case.scenario);
        }
        let mut unused = Vec::new();
        for ((id, _), known) in &self.answers {
            let cases = scenarios.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let has_own = |case: &str| known.iter().any(|(name, ..)| name.as_deref() == Some(case));
            for (scenario, _, place) in known {
                let scenario = scenario.as_deref();
                let is_used = match scenario {
                    Some(name) => cases.contains(&name),
                    None => cases.iter().any(|case| !has_own(case)),
                };
                if !is_used {
                    unused.push(Unused { line: place.line, id, scenario });
                }
            }
        }
        unused.sort_unstable();
        unused
    }

    /// Answers that do not come from a file, as if they were recorded: by scenario and case, the trials in order, each
    /// with its turns. Reports show them under `name`.
    #[must_use]
    pub fn of<'a>(
        name: &str,
        answers: impl IntoIterator<Item = (&'a str, &'a str, Vec<Vec<Exchanged>>)>,
    ) -> Self {
        let (mut replies, mut talks): (BTreeMap<_, Vec<Known>>, BTreeMap<_, Vec<Talk>>) = Default::default();
        for (scenario, id, trials) in answers {
            for (trial, mut turns) in (0..).zip(trials) {
                for turn in &mut turns {
                    turn.answer.recorded = true;
                }
                let Some(last) = turns.last() else { continue };
                let (key, scenario) = ((id.to_owned(), trial), Some(scenario.to_owned()));
                let known = replies.entry(key.clone()).or_insert_with(|| Vec::with_capacity(1));
                known.push((scenario.clone(), last.answer.clone(), Place::default()));
                if turns.iter().any(|turn| !turn.asked.is_empty()) {
                    talks.entry(key).or_default().push((scenario, Ok(turns.into())));
                }
            }
        }
        let name = name.to_owned();
        // Answers that akit requested itself include their calls.
        let tells_calls = true;
        Self { name, latest: None, tells_calls, answers: replies, talks, foreign: Foreign::default() }
    }

    /// When the newest answer was given, if known.
    #[must_use]
    pub fn latest(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// Whether all answers to a case say which functions were called, even if none were.
    #[must_use]
    pub fn tells_calls(&self, whom: &Whom<'_>) -> bool {
        let mut known = (0..).map_while(|trial| self.known(whom.scenario, whom.id, trial));
        self.tells_calls && !known.any(|(.., place)| place.is_silent)
    }

    /// The file name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The answer to a case: by its id, or else by what the file of another tool says about the test.
    #[must_use]
    pub fn answer(&self, whom: &Whom<'_>, trial: u32) -> Option<&Answer> {
        self.find(whom.scenario, whom.id, trial).or_else(|| self.foreign.find(whom, trial))
    }

    /// The conversation of a case, if its line has one: its turns, or why they are unreadable.
    #[must_use]
    pub fn conversation(&self, whom: &Whom<'_>, trial: u32) -> Option<Result<&[Exchanged], &str>> {
        let known = self.talks.get(&(whom.id.to_owned(), trial))?;
        let exact = known.iter().find(|(name, _)| name.as_deref() == Some(whom.scenario));
        let found = exact.or_else(|| known.iter().find(|(name, _)| name.is_none()))?;
        Some(found.1.as_deref().map_err(String::as_str))
    }

    /// Describes answers in other tools' files that match none of these cases.
    #[must_use]
    pub fn unmatched(&self, cases: &[Whom<'_>]) -> Vec<String> {
        self.foreign.unmatched(cases)
    }

    /// Describes answers in other tools' files that match these cases ambiguously.
    #[must_use]
    pub fn doubtful(&self, cases: &[Whom<'_>]) -> Vec<String> {
        self.foreign.doubtful(cases)
    }

    fn find(&self, scenario: &str, id: &str, trial: u32) -> Option<&Answer> {
        self.known(scenario, id, trial).map(|(_, answer, _)| answer)
    }

    /// The reply to a case; a reply that names the scenario takes precedence over one that names no scenario.
    fn known(&self, scenario: &str, id: &str, trial: u32) -> Option<&Known> {
        let known = self.answers.get(&(id.to_owned(), trial))?;
        let exact = known.iter().find(|(name, ..)| name.as_deref() == Some(scenario));
        exact.or_else(|| known.iter().find(|(name, ..)| name.is_none()))
    }

    /// Number of a case's trials, from 0 without a gap.
    #[must_use]
    pub fn trials(&self, whom: &Whom<'_>) -> u32 {
        let mut trials = 0;
        while self.answer(whom, trials).is_some() {
            trials += 1;
        }
        trials
    }
}

#[cfg(test)]
mod tests;

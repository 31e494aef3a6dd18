//! `replies`: answers that somebody else produced, one JSON object per line, judged without a call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::message::{self, MessageError, Said};
use crate::source::{Diagnostic, Diagnostics, ReadError, SourceFile, json_object};
use crate::stats::whole;
use crate::text;
use crate::vocabulary::{Answer, CaseId, Usage, moment};

/// Why a file of replies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepliesError {
    /// The file itself.
    #[error("cannot read the replies in {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// Some of its lines.
    #[error("{}", first(.0))]
    Lines(Diagnostics),
    /// An answer that nobody would look at: those before it are missing.
    #[error(
        "{path}, line {line}: trial {trial} of case `{id}`, and no trial {}; number the trials of a case from 0, without a \
         gap", trial - 1
    )]
    Gap {
        /// The files.
        path: String,
        /// The line.
        line: u32,
        /// The case.
        id: String,
        /// Its trial, at least 1.
        trial: u32,
    },
}

fn first(found: &Diagnostics) -> String {
    let first = found.iter().next();
    first.map_or_else(String::new, |one| format!("{}: {}", one.file.location(one.span), one.message))
}

/// What a line of replies looks like.
pub const LINE: &str = "each line is `{\"id\": \"case\", \"reply\": \"text\"}`, see docs/scenario.md";

/// Recorded answers by case, scenario and trial.
#[derive(Clone, Debug)]
pub struct Replies {
    name: String,
    /// When the newest of them was given, where a line says so.
    latest: Option<DateTime<Utc>>,
    answers: BTreeMap<(String, u32), Vec<Known>>,
}

/// A reply, the scenario that it names, and its line.
type Known = (Option<String>, Answer, u32);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a row of `akit prompts` is a line of replies once `reply` is added to it")]
struct Line {
    id: String,
    scenario: Option<String>,
    #[serde(default)]
    trial: u32,
    #[serde(default, deserialize_with = "present")]
    reply: Option<String>,
    tool_calls: Option<Json>,
    finish_reason: Option<String>,
    model: Option<String>,
    latency_ms: Option<f64>,
    ttft_ms: Option<f64>,
    usage: Option<Usage>,
    cost_usd: Option<f64>,
    /// When it was given, RFC 3339.
    at: Option<String>,
    prompt: Option<IgnoredAny>,
    /// The conversation with the answer; beside a `reply` only what was asked.
    messages: Option<Json>,
    tools: Option<IgnoredAny>,
}

/// A text: what is there must not be null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// Why a line has no answer that can be judged.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("`reply` is missing; write the answer as `reply`, `messages` or `tool_calls`")]
    NoAnswer,
    #[error("`tool_calls` stands beside `messages`; write the calls into the last message")]
    CallsBesideMessages,
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Line {
    /// What was answered.
    fn said(&mut self) -> Result<Said, LineError> {
        let calls = self.tool_calls.as_ref().map(message::calls).transpose()?;
        match (self.reply.take(), &self.messages, calls) {
            (Some(text), _, calls) => {
                Ok(Said { text, refused: false, tool_calls: calls.unwrap_or_default() })
            }
            (None, Some(_), Some(_)) => Err(LineError::CallsBesideMessages),
            (None, Some(messages), None) => Ok(message::answer(messages)?),
            (None, None, Some(tool_calls)) if !tool_calls.is_empty() => {
                Ok(Said { tool_calls, ..Said::default() })
            }
            (None, None, _) => Err(LineError::NoAnswer),
        }
    }
}

impl Replies {
    /// Reads files of answers, which count as one.
    ///
    /// # Errors
    /// When a file or lines of it cannot be read, or one case, scenario and trial is there twice.
    pub fn read(paths: &[PathBuf]) -> Result<Self, RepliesError> {
        let name = paths.iter().map(|path| crate::source::repository_name(path)).collect::<Vec<_>>();
        let mut all = Self { name: name.join(", "), answers: BTreeMap::new(), latest: None };
        paths.iter().try_for_each(|path| all.add(path))?;
        all.without_gap()
    }

    /// Trials are found by their numbers, so one behind a gap would never be looked at.
    fn without_gap(self) -> Result<Self, RepliesError> {
        for ((id, trial), known) in self.answers.iter().filter(|((_, trial), _)| *trial > 0) {
            let before = self.answers.get(&(id.clone(), trial - 1));
            let follows = |name: &Option<String>| {
                let same = |other: &Option<String>| other == name || other.is_none() || name.is_none();
                before.into_iter().flatten().any(|(other, ..)| same(other))
            };
            if let Some((.., line)) = known.iter().find(|(name, ..)| !follows(name)) {
                let id = text::excerpt(id, 60);
                return Err(RepliesError::Gap { path: self.name, line: *line, id, trial: *trial });
            }
        }
        Ok(self)
    }

    fn add(&mut self, path: &Path) -> Result<(), RepliesError> {
        let shown = crate::source::slashed(path);
        let source =
            SourceFile::read(path).map_err(|source| RepliesError::Read { path: shown.clone(), source })?;
        let source = Arc::new(source);
        let mut found = Diagnostics::default();
        for (number, line) in (1..).zip(source.text().lines()) {
            if !line.trim().is_empty()
                && let Err((column, reason)) = self.add_line(number, line)
            {
                let span = source.clamp(number, column, u32::MAX);
                found.push(Diagnostic::error("reply", &source, span, reason).help(LINE));
            }
        }
        if found.has_errors() { Err(RepliesError::Lines(found)) } else { Ok(()) }
    }

    /// Adds one line; what is wrong comes with its column.
    fn add_line(&mut self, number: u32, line: &str) -> Result<(), (u32, String)> {
        let mut line: Line = json_object(line.as_bytes())
            .map_err(|error| (u32::try_from(error.column()).unwrap_or(1), text::json::trouble(&error)))?;
        let wrong = |reason: String| (1, reason);
        // Nearly every case has one, and a list that grows makes room for four.
        let known =
            self.answers.entry((line.id.clone(), line.trial)).or_insert_with(|| Vec::with_capacity(1));
        if known.iter().any(|(scenario, ..)| *scenario == line.scenario) {
            let id = text::excerpt(&line.id, 60);
            return Err(wrong(format!(
                "a second reply to case `{id}`, trial {}; number them with `trial`",
                line.trial
            )));
        }
        let time = |name: &str, told: Option<f64>| match told {
            Some(ms) if !ms.is_finite() || ms < 0.0 => Err(wrong(format!("`{name}` is negative"))),
            told => Ok(told.map(|ms| whole(ms.round()).unwrap_or(u64::MAX))),
        };
        if let Some(time) = &line.at {
            let told = moment(time, Utc::now()).map_err(|error| wrong(format!("`at` is {error}")))?;
            self.latest = self.latest.max(Some(told));
        }
        let latency_ms = time("latency_ms", line.latency_ms)?;
        let ttft_ms = time("ttft_ms", line.ttft_ms)?;
        let said = line.said().map_err(|error| wrong(error.to_string()))?;
        let answer = Answer {
            text: said.text,
            tool_calls: said.tool_calls,
            finish_reason: if said.refused { Some("refusal".to_owned()) } else { line.finish_reason },
            model: line.model,
            latency_ms,
            ttft_ms,
            usage: line.usage,
            cost_usd: line.cost_usd,
            given: true,
            dated: line.at.is_some(),
            ..Answer::default()
        };
        known.push((line.scenario, answer, number));
        Ok(())
    }

    /// The lines, with their ids, that answer none of these cases.
    #[must_use]
    pub fn unused(&self, cases: &BTreeSet<CaseId<'_>>, ids: &BTreeSet<&str>) -> Vec<(u32, &str)> {
        let mut unused = Vec::new();
        for ((id, _), known) in self.answers.iter().filter(|((_, trial), _)| *trial == 0) {
            let is_used = |scenario: &Option<String>| match scenario {
                Some(name) => cases.contains(&CaseId::new(name, id)),
                None => ids.contains(id.as_str()),
            };
            let lines = known.iter().filter(|(scenario, ..)| !is_used(scenario));
            unused.extend(lines.map(|(.., line)| (*line, id.as_str())));
        }
        unused.sort_unstable();
        unused
    }

    /// The answers to cases of a scenario, in the order of their trials, as if they had been recorded.
    /// The name is what reports call them.
    #[must_use]
    pub fn of<'a>(
        name: &str,
        answers: impl IntoIterator<Item = (&'a str, &'a str, Vec<&'a Answer>)>,
    ) -> Self {
        let mut replies: BTreeMap<_, Vec<Known>> = BTreeMap::new();
        for (scenario, id, answers) in answers {
            for (trial, reply) in (0..).zip(answers) {
                let known = replies.entry((id.to_owned(), trial)).or_insert_with(|| Vec::with_capacity(1));
                known.push((Some(scenario.to_owned()), Answer { recorded: true, ..reply.clone() }, 0));
            }
        }
        Self { name: name.to_owned(), latest: None, answers: replies }
    }

    /// When the newest of them was given, where a line says so.
    #[must_use]
    pub fn latest(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// The file, as reports name it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The reply to a case; one that names the scenario goes before one that names none.
    #[must_use]
    pub fn find(&self, scenario: &str, id: &str, trial: u32) -> Option<&Answer> {
        let known = self.answers.get(&(id.to_owned(), trial))?;
        let exact = known.iter().find(|(name, ..)| name.as_deref() == Some(scenario));
        exact.or_else(|| known.iter().find(|(name, ..)| name.is_none())).map(|(_, reply, _)| reply)
    }

    /// How many trials of a case the file holds, counted from 0 without a gap.
    #[must_use]
    pub fn trials(&self, scenario: &str, id: &str) -> u32 {
        let mut trials = 0;
        while self.find(scenario, id, trials).is_some() {
            trials += 1;
        }
        trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Replies, RepliesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replies.jsonl");
        std::fs::write(&path, text).unwrap();
        Replies::read(&[path])
    }

    #[test]
    fn the_scenario_tells_equal_ids_apart() {
        let replies = read(
            "{\"id\":\"a\",\"reply\":\"any\"}\n\n{\"id\":\"a\",\"scenario\":\"s\",\"reply\":\"mine\",\"latency_ms\":1.6}\r\n{\"id\":\"a\",\"trial\":1,\"reply\":\"again\"}\n",
        )
        .unwrap();
        assert_eq!(replies.find("s", "a", 0).unwrap().text, "mine");
        assert_eq!(replies.find("s", "a", 0).unwrap().latency_ms, Some(2));
        assert_eq!(replies.find("other", "a", 0).unwrap().text, "any");
        assert_eq!((replies.trials("s", "a"), replies.trials("s", "b")), (2, 0));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replies.jsonl");
        // A surrogate in CESU-8, a byte of Latin-1, an overlong slash.
        let table: [(&[u8], &str); 3] = [(b"\xed\xa0\x80", "0xed"), (b"\xe9", "0xe9"), (b"\xc0\xaf", "0xc0")];
        for (raw, byte) in table {
            let line = [b"{\"id\":\"a\",\"reply\":\"x".as_slice(), raw, b"\"}\n"].concat();
            std::fs::write(&path, line).unwrap();
            let error = Replies::read(std::slice::from_ref(&path)).unwrap_err().to_string();
            assert!(error.contains(&format!("not UTF-8: byte {byte} on line 1")), "{error}");
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        let table = [
            ("{\"id\":\"a\"}", "`reply` is missing"),
            ("{\"id\":\"a\",\"reply\":\"x\",\"answer\":1}", "unknown key `answer`"),
            (
                "{\"id\":\"a\",\"reply\":\"x\"}\n{\"id\":\"a\",\"reply\":\"y\"}",
                ":2: a second reply to case `a`",
            ),
            ("not json", "it is not JSON"),
            (r#"{"id":"a","reply":"x \ud800 y"}"#, "a lone surrogate"),
            (r#"{"id":"a","reply":"x \ud800\u0041 y"}"#, "a lone surrogate"),
            (r#"{"id":"a","reply":"x \udc00 y"}"#, "a lone surrogate"),
            ("{\"id\":\"a\",\"reply\":\"x\",\"latency_ms\":-1}", "`latency_ms` is negative"),
            ("{\"id\":\"a\",\"reply\":\"x\",\"ttft_ms\":-1}", "`ttft_ms` is negative"),
            (r#"{"id":"a","reply":"x","at":"yesterday"}"#, "`at` is no time: yesterday"),
            (
                r#"{"id":"a","reply":"x","at":"9000-01-01T00:00:00Z"}"#,
                "`at` is later than now: 9000-01-01T00:00:00Z",
            ),
            (r#"{"id":"a","reply":"x","at":"9999-12-31T23:59:59-23:59"}"#, "`at` is no time: 9999-12-31"),
            (r#"{"id":"a","tool_calls":[]}"#, "`reply` is missing"),
            (
                r#"{"id":"a","reply":"x","tool_calls":{}}"#,
                "replies.jsonl:1: `tool_calls` is not a list of calls",
            ),
            (r#"{"id":"a","reply":"x","tool_calls":[{"id":"1"}]}"#, "tool call 1 has no name"),
            (
                r#"{"id":"a","messages":[],"tool_calls":[{"name":"x"}]}"#,
                "write the calls into the last message",
            ),
            (r#"{"id":"a","messages":[{"role":"user","content":"x"}]}"#, "add the assistant's answer"),
            (r#"{"id":"a","trial":1,"reply":"x"}"#, "line 1: trial 1 of case `a`, and no trial 0; number"),
            (
                "{\"id\":\"a\",\"reply\":\"x\"}\n{\"id\":\"a\",\"trial\":2,\"reply\":\"x\"}",
                "line 2: trial 2 of case `a`, and no trial 1",
            ),
            (
                "{\"id\":\"a\",\"scenario\":\"s\",\"reply\":\"x\"}\n{\"id\":\"a\",\"scenario\":\"t\",\"trial\":1,\"reply\":\"x\"}",
                "line 2: trial 1 of case `a`, and no trial 0",
            ),
        ];
        for (text, expected) in table {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

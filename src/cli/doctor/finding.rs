//! A finding: one line, and its fix.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::super::Status;
use crate::config::Setting;
use crate::source::Ink;
use crate::text;

/// Settings, grouped by what they belong to.
pub(super) type Explained = (String, Vec<Setting>);

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Fine, or not needed.
    Ok,
    /// A run works, but the user may want to change this.
    Warn,
    /// Because of this, a run stops with this exit code.
    Bad(Status),
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Bad(_) => "bad",
        }
    }
}

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// Stable name of the check.
    pub(super) about: &'static str,
    pub(super) state: State,
    pub(super) message: String,
    /// The fix; empty if there is nothing to fix.
    pub(super) help: String,
}

impl Check {
    pub(super) fn ok(about: &'static str, message: impl Into<String>) -> Self {
        Self { about, state: State::Ok, message: message.into(), help: String::new() }
    }

    pub(super) fn warn(about: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { about, state: State::Warn, message: message.into(), help: help.into() }
    }

    pub(super) fn bad(
        about: &'static str,
        status: Status,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { about, state: State::Bad(status), message: message.into(), help: help.into() }
    }

    /// The check as a line for people. Text from files, variables and forges is shown without control characters.
    fn line(&self, ink: Ink) -> String {
        let colour = match self.state {
            State::Ok => anstyle::AnsiColor::Green,
            State::Warn => anstyle::AnsiColor::Yellow,
            State::Bad(_) => anstyle::AnsiColor::Red,
        };
        let style = match ink {
            Ink::Colour => anstyle::Style::new().bold().fg_color(Some(colour.into())),
            Ink::Plain => anstyle::Style::new(),
        };
        let one_line = |words: &str| text::plain(words).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut out = format!(
            "{style}{:<4}{style:#}  {:<13}  {}\n",
            self.state.word(),
            self.about,
            one_line(&self.message)
        );
        if !self.help.is_empty() {
            // Writing into a string cannot fail.
            let _ = writeln!(out, "      help: {}", one_line(&self.help));
        }
        out
    }

    fn json(&self) -> Json {
        let mut one =
            json!({ "about": self.about, "state": self.state.word(), "message": text::plain(&self.message) });
        if !self.help.is_empty() {
            one["help"] = text::plain(&self.help).into();
        }
        one
    }
}

/// The overall exit code: the one a run would stop with.
pub(super) fn status(findings: &[Check]) -> Status {
    let has = |status| findings.iter().any(|finding| finding.state == State::Bad(status));
    let order = [Status::Invalid, Status::Unjudged, Status::Nothing];
    order.into_iter().find(|status| has(*status)).unwrap_or(Status::Passed)
}

/// All findings, and a count of each result.
pub(super) fn console(findings: &[Check], ink: Ink) -> String {
    let count = |word| findings.iter().filter(|finding| finding.state.word() == word).count();
    let lines: String = findings.iter().map(|finding| finding.line(ink)).collect();
    format!("{lines}{} ok, {} warn, {} bad\n", count("ok"), count("warn"), count("bad"))
}

/// All settings, grouped.
pub(super) fn settings(explained: &[Explained]) -> String {
    let mut out = String::new();
    for (of, settings) in explained {
        // Writing into a string cannot fail.
        let _ = writeln!(out, "\nsettings of {}", text::excerpt(of, 200));
        let width = settings.iter().map(|one| one.value.chars().count()).max().unwrap_or(0).min(40);
        for Setting { name, value, said_by } in settings {
            let (value, said_by) = (text::excerpt(value, 200), text::excerpt(said_by, 300));
            let _ = writeln!(out, "  {name:<14}  {value:<width$}  {said_by}");
        }
    }
    out
}

/// Findings and settings as JSON.
pub(super) fn data(findings: &[Check], explained: &[Explained]) -> String {
    let checks: Vec<_> = findings.iter().map(Check::json).collect();
    let mut whole = json!({
        "schema": "akit.doctor/1",
        "akit": env!("CARGO_PKG_VERSION"),
        "exit_code": status(findings).code(),
        "checks": checks,
    });
    if !explained.is_empty() {
        let of = |(of, settings): &Explained| json!({ "of": of, "settings": settings });
        whole["settings"] = explained.iter().map(of).collect();
    }
    format!("{whole:#}\n")
}

//! SARIF 2.1.0, as GitHub code scanning reads it.
//!
//! There is one result per rule and case that is bad now. Fixed and suppressed results would be open alerts on GitHub,
//! so they are only in the full profile. A case that could not be judged is a notification, not a result, and makes the
//! invocation unsuccessful. Reports and diagnostics share one renderer.

mod gate;
mod line_hash;
mod place;
mod report;
mod rule;
mod validation;

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;
use serde_sarif::sarif;
use sha2::{Digest, Sha256};

use crate::gate::State;
use crate::source::{Location, SourceFile};
use crate::text;

use super::{RenderError, json};
use rule::Rule;

pub(super) use place::uri;
pub(super) use report::findings;
pub use report::{write, write_full};
pub use validation::of_diagnostics;

/// Maximum number of results that GitHub accepts per run.
const RESULTS: usize = 25_000;

/// Maximum number of conversation turns, over all results.
const STEPS: usize = 10_000;

/// Maximum number of turns of one conversation.
const STEPS_OF_ONE: usize = 100;

/// Maximum number of characters in a customer's message, and in an answer.
const STEP: usize = 150;

/// Maximum number of notifications.
const NOTIFICATIONS: usize = 1_000;

/// How an empty list of results is written.
const NO_RESULTS: &str = "\n      \"results\": []";

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Severity of a result, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Blocks a pass.
    Error,
    /// Bad, but excused by the baseline or the policy.
    Warning,
    /// Passed, though not every time.
    Note,
}

/// One result.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    rule: Rule,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) location: Location,
    /// What stays the same from run to run: scenario, case, rule.
    identity: [String; 3],
    /// The state of its case; `None` if it is not about a case.
    pub(super) state: Option<State>,
    /// Why it is excused.
    excuse: String,
    /// The expectation of the whole conversation that a turn did not meet.
    related: Option<Location>,
    /// The turns of its conversation, in order.
    flow: Vec<Step>,
}

/// A turn of a conversation.
#[derive(Clone, Debug)]
struct Step {
    location: Location,
    message: String,
    /// Whether the conversation broke here.
    broke: bool,
}

/// What kept a case or the run from being judged.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) location: Option<Location>,
}

/// The content of a log.
#[derive(Debug)]
struct Log {
    /// The program that ran.
    version: String,
    /// `akit/<suite>/`: the log that this one replaces when uploaded.
    category: String,
    findings: Vec<Alert>,
    troubles: Vec<Trouble>,
    /// Whether everything could be judged.
    successful: bool,
    /// RFC 3339 in UTC.
    ended: Option<String>,
    /// Whether results have baseline states and suppressions.
    profile: Profile,
}

/// The audience of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    /// GitHub, which takes every result for an open alert.
    GitHub,
    /// Readers of the whole format.
    Full,
}

impl Log {
    /// Writes the log around its results, which are written one by one.
    fn write<'a>(
        &'a self,
        source: impl Fn(&str) -> Option<&'a SourceFile>,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| (finding.level, finding.rule.rank()));
        findings.truncate(RESULTS);
        // GitHub accepts ten megabytes after compression.
        let width = (5_000_000 / findings.len().max(1)).clamp(200, 1_000);
        let hashes = place::Hashes::of(findings.iter().map(|finding| &finding.location), &source);
        let mut rules: BTreeMap<&Rule, i64> = findings.iter().map(|finding| (&finding.rule, 0)).collect();
        for (index, at) in (0..).zip(rules.values_mut()) {
            *at = index;
        }
        let result = |finding: &Alert| {
            let place = place::sarif(&finding.location, source(&finding.location.file));
            let hash = hashes.get(&finding.location);
            let index = rules.get(&finding.rule).copied().unwrap_or(-1);
            let mut result = finding.sarif(index, place, hash, width);
            result.related_locations = finding.related.as_ref().map(|related| {
                let mut place = place::sarif(related, source(&related.file));
                place.message = Some(sarif::Message::builder().text("the expectation").build());
                vec![place]
            });
            result.code_flows = finding.flow(&source).map(|flow| vec![flow]);
            if self.profile == Profile::Full {
                finding.compare(&mut result);
            }
            result
        };
        let descriptors: Vec<_> = rules.keys().map(|rule| rule.descriptor()).collect();
        let driver = sarif::ToolComponent::builder()
            .name("akit")
            .information_uri(concat!("https://crates.io/crates/", env!("CARGO_PKG_NAME")))
            .semantic_version(self.version.clone())
            .rules(descriptors)
            .build();
        let run = sarif::Run::builder()
            .tool(sarif::Tool::builder().driver(driver).build())
            .automation_details(sarif::RunAutomationDetails::builder().id(self.category.clone()).build())
            .column_kind(json!("unicodeCodePoints"))
            .invocations(vec![self.invocation(&source)])
            .results(Vec::new())
            .build();
        let log = sarif::Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
        let log = json::pretty(&log)?;
        // A key of the run: no value is at the start of a line, and none contains a line end.
        let end = log.find(NO_RESULTS).map_or(log.len(), |at| at + NO_RESULTS.len() - 1);
        let (head, tail) = log.split_at(end);
        out.write_all(head.as_bytes())?;
        for (index, finding) in findings.iter().enumerate() {
            let text = serde_json::to_string_pretty(&result(finding))?.replace('\n', "\n        ");
            let comma = if index > 0 { "," } else { "" };
            write!(out, "{comma}\n        {text}")?;
        }
        if !findings.is_empty() {
            out.write_all(b"\n      ")?;
        }
        Ok(out.write_all(tail.as_bytes())?)
    }

    fn invocation<'a>(&'a self, source: impl Fn(&str) -> Option<&'a SourceFile>) -> sarif::Invocation {
        let mut notifications: Vec<_> = self
            .troubles
            .iter()
            .take(NOTIFICATIONS)
            .map(|trouble| {
                let place = trouble.location.as_ref().map(|place| place::sarif(place, source(&place.file)));
                notification(trouble.level, &trouble.message, place)
            })
            .collect();
        let more =
            self.troubles.len().saturating_sub(NOTIFICATIONS) + self.findings.len().saturating_sub(RESULTS);
        if more > 0 {
            notifications.push(notification(
                Level::Error,
                &format!("{} left out here", text::count(more, "finding")),
                None,
            ));
        }
        let mut invocation = sarif::Invocation::builder().execution_successful(self.successful).build();
        invocation.end_time_utc.clone_from(&self.ended);
        if !notifications.is_empty() {
            invocation.tool_execution_notifications = Some(notifications);
        }
        invocation
    }
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

impl Alert {
    /// The name of its rule.
    pub(super) fn rule(&self) -> String {
        self.rule.id()
    }

    /// Whether it is about the release as a whole or a proven regression.
    pub(super) fn leads(&self) -> bool {
        self.rule.rank() == 0
    }

    /// Stable over runs: SHA-256 over scenario, case and rule, in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
        digest(&self.identity)
    }

    /// The turns in order; `None` if it is not about a conversation.
    fn flow<'a>(&self, source: impl Fn(&str) -> Option<&'a SourceFile>) -> Option<sarif::CodeFlow> {
        let step = |step: &Step| {
            let mut place = place::sarif(&step.location, source(&step.location.file));
            place.message = Some(sarif::Message::builder().text(words(&step.message, 2 * STEP)).build());
            let importance = if step.broke { "essential" } else { "important" };
            sarif::ThreadFlowLocation::builder().location(place).importance(json!(importance)).build()
        };
        let steps: Vec<_> = self.flow.iter().map(step).collect();
        let thread = sarif::ThreadFlow::builder().locations(steps).build();
        (!self.flow.is_empty()).then(|| sarif::CodeFlow::builder().thread_flows(vec![thread]).build())
    }

    /// Sets its baseline state, and why it is excused.
    fn compare(&self, result: &mut sarif::Result) {
        result.baseline_state = self.state.and_then(baseline_state).map(|state| json!(state));
        if !self.excuse.is_empty() {
            let suppression =
                sarif::Suppression::builder().kind(json!("external")).justification(words(&self.excuse, 400));
            result.suppressions = Some(vec![suppression.build()]);
        }
    }

    fn sarif(
        &self,
        rule_index: i64,
        place: sarif::Location,
        line_hash: Option<&str>,
        width: usize,
    ) -> sarif::Result {
        let level = match self.level {
            Level::Error => sarif::ResultLevel::Error,
            Level::Warning => sarif::ResultLevel::Warning,
            Level::Note => sarif::ResultLevel::Note,
        };
        let mut fingerprints = BTreeMap::from([("akitCase/v1".to_owned(), digest(&self.identity))]);
        if let Some(hash) = line_hash {
            fingerprints.insert("primaryLocationLineHash".to_owned(), hash.to_owned());
        }
        sarif::Result::builder()
            .rule_id(self.rule.id())
            .rule_index(rule_index)
            .level(level)
            .message(sarif::Message::builder().text(words(&self.message, width)).build())
            .locations(vec![place])
            .partial_fingerprints(fingerprints)
            .build()
    }
}

/// SARIF's word for a state.
fn baseline_state(state: State) -> Option<&'static str> {
    match state {
        State::Broken | State::Open | State::Degraded | State::Unconfirmed | State::New => Some("new"),
        State::FailingAsBefore | State::Flaky | State::Cleared => Some("unchanged"),
        State::Changed => Some("updated"),
        State::Fixed => Some("absent"),
        State::Passed | State::Failed | State::Quarantined | State::Errored | State::Skipped => None,
    }
}

fn notification(level: Level, message: &str, place: Option<sarif::Location>) -> sarif::Notification {
    let mut notification = sarif::Notification::builder()
        .level(json!(level.word()))
        .message(sarif::Message::builder().text(words(message, 1_000)).build())
        .build();
    notification.locations = place.map(|place| vec![place]);
    notification
}

/// Text as a SARIF message: one line, ending with a period, without links.
pub(super) fn words(text: &str, most: usize) -> String {
    let mut out = text::excerpt(text, most);
    if out.contains("](") {
        out = out.replace('[', "\\[").replace(']', "\\]");
    }
    if !out.ends_with(['.', '…', '!', '?']) {
        out.push('.');
    }
    out
}

/// SHA-256 over the parts, each followed by a NUL byte, in hexadecimal.
pub(super) fn digest(parts: &[String]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.as_bytes());
        sha.update([0]);
    }
    crate::text::hex(&sha.finalize())
}

#[cfg(test)]
mod tests;

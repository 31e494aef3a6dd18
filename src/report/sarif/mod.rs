//! SARIF 2.1.0, as GitHub code scanning reads it.
//!
//! A result for each pair of rule and case that is bad now; GitHub would show an absent or suppressed
//! one as an open alert, so there is none: who knows what they mean takes the full profile. A case that
//! could not be judged is no result but a notification, and the invocation was not successful. Reports
//! and diagnostics share one renderer.

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

/// Results that GitHub takes in one run.
const RESULTS: usize = 25_000;

/// Turns of conversations that are written out, over all results.
const STEPS: usize = 10_000;

/// Turns of one conversation that are written out.
const STEPS_OF_ONE: usize = 100;

/// Characters of what the customer says in a turn, and of the answer.
const STEP: usize = 150;

/// Notifications that are written out.
const NOTIFICATIONS: usize = 1_000;

/// The results of a run that has none, as they are written.
const NO_RESULTS: &str = "\n      \"results\": []";

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How grave a result is, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Stands against a pass.
    Error,
    /// Bad, but forgiven by the baseline or the policy.
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
    /// What its case is beside the baseline; nothing where it is about no case.
    pub(super) state: Option<State>,
    /// Why nobody is held to it.
    excuse: String,
    /// The expectation of a whole conversation that a turn did not meet.
    related: Option<Location>,
    /// The turns of the conversation that it is about, in order.
    flow: Vec<Step>,
}

/// A turn of a conversation.
#[derive(Clone, Debug)]
struct Step {
    location: Location,
    message: String,
    /// Whether it broke here.
    broke: bool,
}

/// Something that kept a case or the run from being judged.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) location: Option<Location>,
}

/// All that a log says.
#[derive(Debug)]
struct Log {
    /// The program that ran.
    version: String,
    /// `akit/<suite>/`: what this log replaces when it is uploaded again.
    category: String,
    findings: Vec<Alert>,
    troubles: Vec<Trouble>,
    /// Whether everything could be judged.
    successful: bool,
    /// RFC 3339 in UTC.
    ended: Option<String>,
    /// Whether results say what they were in the baseline, and what is forgiven.
    profile: Profile,
}

/// For whom a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    /// GitHub, which takes every result for an open alert.
    GitHub,
    /// Readers of the whole format.
    Full,
}

impl Log {
    /// The log without its results is made first; the results are written into it one by one.
    fn write<'a>(
        &'a self,
        source: impl Fn(&str) -> Option<&'a SourceFile>,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| (finding.level, finding.rule.rank()));
        findings.truncate(RESULTS);
        // Ten megabytes after compression are all that GitHub takes.
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
        // A key of a run: no value stands at the beginning of a line, and none has a line end.
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

    /// The same in every run: SHA-256 over scenario, case and rule, in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
        digest(&self.identity)
    }

    /// The turns in order; nothing where it is about no conversation.
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

    /// What it was in the baseline, and why nobody is held to it.
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

/// How SARIF calls what a case is beside the baseline.
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

/// Text as a SARIF message: one line, ending with a full stop, without links of its own.
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

/// SHA-256 over the parts, each closed by a NUL byte, in hexadecimal.
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

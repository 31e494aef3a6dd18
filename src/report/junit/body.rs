//! What stands inside `<failure>`, `<error>` and `<stackTrace>`.
//!
//! It starts with the message, because GitLab keeps nothing else; it ends with the answer, because
//! that is what may be cut.

use std::fmt::Write as _;

use crate::gate::State;
use crate::manifest::{Trial, Verdict};
use crate::report::Entry;
use crate::report::entry::{said, score, votes};
use crate::text::{self, xml};

/// Bytes of one value in it.
const VALUE: usize = 4 * 1024;

/// Bytes of the text of one more trial.
const RERUN: usize = 2 * 1024;

/// Why the case did not pass, in one sentence.
pub(super) fn message(entry: &Entry<'_>) -> String {
    match entry.state {
        State::Broken => format!("passed in the baseline and fails now: {}", entry.reason()),
        _ => entry.reason().to_owned(),
    }
}

/// The text of a case, at most `most` bytes once it is escaped.
pub(super) fn of(entry: &Entry<'_>, most: usize) -> String {
    let mut out = format!("{}\n\n", text::cut(&message(entry), VALUE));
    value(&mut out, "case", &entry.name());
    value(&mut out, "title", entry.case.name.as_deref().unwrap_or_default());
    value(&mut out, "at", &entry.case.location.to_string());
    value(&mut out, "state", &entry.remark().unwrap_or_default());
    if let Some((passed, all)) = entry.tally() {
        let each: Vec<_> = entry.case.ordinary().take(100).map(|trial| trial.outcome.word()).collect();
        value(&mut out, "trials", &format!("{passed} of {all} passed ({})", each.join(", ")));
    }
    value(&mut out, "asked", &entry.case.prompt);
    if let Some(trial) = entry.trial() {
        explain(&mut out, trial);
        if let Some(reply) = &trial.reply {
            let _ = write!(out, "answer:\n{}\n", text::cut(&reply.text, most));
        }
    }
    xml::short_body(&out, most)
}

/// The text of one trial among several.
pub(super) fn of_trial(trial: &Trial, most: usize) -> String {
    let mut out = format!("{}\n", text::cut(trial.reason(), RERUN / 2));
    explain(&mut out, trial);
    xml::short_body(&out, most.min(RERUN))
}

fn explain(out: &mut String, trial: &Trial) {
    if let Some(fault) = &trial.fault {
        value(out, fault.kind.word(), &fault.message);
        value(out, "help", &fault.help);
    }
    for verdict in trial.culprits().iter().take(50) {
        explain_verdict(out, verdict);
    }
}

fn explain_verdict(out: &mut String, verdict: &Verdict) {
    value(out, verdict.kind.word(), said(&verdict.reason, verdict.outcome));
    value(out, "  expected", &verdict.expected);
    value(out, "  got", &verdict.got);
    value(out, "  score", &score(verdict).unwrap_or_default());
    if let Some(grade) = &verdict.grade {
        value(out, "  judge", &grade.grader);
        value(out, "  votes", &votes(&grade.votes));
        value(out, "  reasoning", &grade.reasoning);
    }
}

/// `label: value`; nothing without a value.
fn value(out: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "{label}: {}", text::cut(value, VALUE));
    }
}

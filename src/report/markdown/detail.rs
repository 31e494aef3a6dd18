//! One case that needs a look, folded up.

use std::fmt::Write as _;

use crate::report::view::{Label, View};
use crate::report::{Entry, Report};

use super::pen::Pen;
use super::{change, linked};

/// Maximum number of characters in a value.
const VALUE: usize = 300;

/// Maximum number of verdicts shown for a case.
const VERDICTS: usize = 5;

/// A `<details>` element, with blank lines where Markdown needs them.
pub(super) fn of(entry: &Entry<'_>, report: &Report<'_>, pen: &Pen) -> String {
    let view = View::of(entry);
    let before = report.past.before(entry.case);
    let pen = &pen.quoting(&view, before.map(|before| before.text.as_str()));
    let answer = view.trial.answer.unwrap_or_default();
    let summary = format!("{} — {}", pen.code(&view.name, 150), pen.inline(&view.why, 150));
    let mut out = format!("\n<details><summary>{summary}</summary>\n\n");
    let place = linked(&pen.inline(&view.place, VALUE), report.links.line(&entry.case.location));
    for (label, value) in view.facts(VERDICTS) {
        let shown = pen.inline(&value, VALUE);
        // Writing to a String cannot fail.
        let _ = match label {
            Label::Own("at") => writeln!(out, "- at: {place}"),
            // The answer follows in full.
            Label::Part("got") if is_of(answer, &value) => Ok(()),
            Label::Heading(label) | Label::Own(label) => writeln!(out, "- {label}: {shown}"),
            Label::Part(label) => writeln!(out, "  - {label}: {shown}"),
            Label::Answer => Ok(()),
            Label::Broke(label) => writeln!(out, "- {}: {shown}", pen.inline(label, 80)),
            Label::Kind(kind) => writeln!(out, "- {}: {shown}", pen.code(kind, 60)),
            Label::More => writeln!(out, "- {shown}"),
        };
    }
    let telling = entry.case.telling();
    let now = before.and_then(|before| telling?.answer_at(before.turn));
    if let (Some(before), Some(now)) = (before, now) {
        let _ = write!(out, "\n{}", change::quotes(before, &now.text, pen));
        if now.text != answer && !answer.is_empty() {
            let _ = write!(out, "\nThe answer that decided:\n\n{}", change::quote(answer, pen));
        }
    } else if !answer.is_empty() {
        let _ = write!(out, "\nThe answer:\n\n{}", change::quote(answer, pen));
    }
    out.push_str("\n</details>\n");
    out
}

/// Whether a quoted excerpt is from the answer.
fn is_of(answer: &str, got: &str) -> bool {
    let inner = got.strip_prefix('"').map(|got| got.trim_end_matches(['"', '…', ' ']));
    inner.is_some_and(|inner| !inner.is_empty() && answer.contains(inner))
}

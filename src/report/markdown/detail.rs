//! One case that needs a look, folded up.

use std::fmt::Write as _;

use crate::report::Entry;
use crate::report::view::{Label, View};

use super::pen::Pen;

/// Characters of one value.
const VALUE: usize = 300;

/// Bytes of the answer.
const ANSWER: usize = 600;

/// Verdicts of one case.
const VERDICTS: usize = 5;

/// A `<details>` element with blank lines where Markdown needs them.
pub(super) fn of(entry: &Entry<'_>, pen: &Pen) -> String {
    let view = View::of(entry);
    let pen = &pen.quoting(&view);
    let summary = format!("{} — {}", pen.code(&view.name, 150), pen.inline(&view.why, 150));
    let mut out = format!("\n<details><summary>{summary}</summary>\n\n");
    for (label, value) in view.facts(VERDICTS) {
        let value = pen.inline(&value, VALUE);
        // Writing to a String cannot fail.
        let _ = match label {
            Label::Heading(label) | Label::Own(label) | Label::Part(label) => {
                writeln!(out, "- {label}: {value}")
            }
            Label::Answer => Ok(()),
            Label::Broke(label) => writeln!(out, "- {}: {value}", pen.inline(label, 80)),
            Label::Kind(kind) => writeln!(out, "- {}: {value}", pen.code(kind, 60)),
            Label::More => writeln!(out, "- {value}"),
        };
    }
    if let Some(answer) = view.trial.answer.filter(|answer| !answer.is_empty()) {
        let _ = write!(out, "\nThe answer:\n\n{}\n", pen.block(answer, ANSWER));
    }
    out.push_str("\n</details>\n");
    out
}

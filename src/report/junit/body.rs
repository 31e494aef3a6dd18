//! The text of `<failure>`, `<error>` and `<stackTrace>`.
//!
//! It starts with the message, because GitLab shows only this text; it ends with the answer, because the end may be
//! cut.

use std::fmt::Write as _;

use crate::gate::State;
use crate::manifest::Trial;
use crate::report::Entry;
use crate::report::view::{BROKEN, Fact, Label, TrialView, View};
use crate::text::{self, xml};

/// Maximum number of bytes in a value.
const VALUE: usize = 4 * 1024;

/// Maximum number of bytes in another trial's text.
const RERUN: usize = 2 * 1024;

/// Maximum number of expectations of one trial.
const VERDICTS: usize = 50;

/// Why the case did not pass, in one sentence.
pub(super) fn message(entry: &Entry<'_>, view: &View<'_>) -> String {
    let why = if view.why.is_empty() { entry.note } else { &view.why };
    if entry.state == State::Broken { format!("{BROKEN}: {why}") } else { why.to_owned() }
}

/// The text of a case with its message, at most `most` bytes after escaping.
pub(super) fn of(entry: &Entry<'_>, mut view: View<'_>, most: usize) -> String {
    if !view.trials.is_empty() {
        let each: Vec<_> = entry.case.ordinary().take(100).map(|trial| trial.outcome.word()).collect();
        view.trials = format!("{} ({})", view.trials, each.join(", "));
    }
    let mut out = format!("{}\n\n", text::cut(&message(entry, &view), VALUE));
    let _ = writeln!(out, "case: {}", text::cut(&view.name, VALUE));
    lay_out(&mut out, view.facts(VERDICTS));
    if let Some(answer) = view.trial.answer {
        let _ = write!(out, "answer:\n{}\n", text::cut(answer, most));
    }
    xml::short_body(&out, most)
}

/// The text of one of several trials.
pub(super) fn of_trial(trial: &Trial, most: usize) -> String {
    let mut out = format!("{}\n", text::cut(&trial.reason(), RERUN / 2));
    lay_out(&mut out, TrialView::of(trial).facts(VERDICTS));
    xml::short_body(&out, most.min(RERUN))
}

/// The conversation, if there is one, at most `most` bytes after escaping.
pub(super) fn conversation(entry: &Entry<'_>, most: usize) -> Option<String> {
    let talk = View::of(entry).trial.talk?;
    Some(xml::short_body(&talk.text(VALUE), most))
}

fn lay_out(out: &mut String, facts: Vec<Fact<'_>>) {
    for (label, value) in facts {
        let value = text::cut(&value, VALUE);
        // Writing to a String cannot fail.
        let _ = match label {
            Label::Heading(label) | Label::Own(label) | Label::Kind(label) | Label::Broke(label) => {
                writeln!(out, "{label}: {value}")
            }
            Label::Part(label) => writeln!(out, "  {label}: {value}"),
            Label::Answer => Ok(()),
            Label::More => writeln!(out, "{value}"),
        };
    }
}

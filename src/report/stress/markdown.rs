//! A load test as Markdown, for a job summary. Anyone who sees the job can read it, so values that must never be posted
//! are removed.

use std::fmt::Write as _;

use super::phrase::{
    COLUMNS, Standing, bad, details, explained, knees, limited, row, sent, summary, tally, word,
};
use crate::manifest::StressRun;
use crate::redact::{Kind, Redactor};
use crate::text::markdown::{code, inline};
use crate::text::number;

/// Maximum number of cases listed.
const LISTED: usize = 20;
/// Maximum number of characters in a name, and in a string.
const NAME: usize = 120;
const TEXT: usize = 300;

/// Renders the test.
#[must_use]
pub fn of(run: &StressRun) -> String {
    let redactor = Redactor::new(Kind::never_posted(), Vec::new());
    let said = |text: &str, most| inline(&redactor.without(text, &[]), most);
    let names = run.names();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "**akit stress: {}** — {}\n\n{}\n",
        word(run.decision.conclusion),
        said(&summary(run), TEXT),
        said(&sent(run), TEXT)
    );
    let _ = writeln!(out, "| {} |\n|---|{}", COLUMNS.join(" | "), "--:|".repeat(COLUMNS.len() - 1));
    for (level, name) in run.levels.iter().zip(&names) {
        let _ = writeln!(out, "| {name} | {} |", row(level)[1..].join(" | "));
    }
    let _ = writeln!(out, "\n{}.", explained(run));
    if let Some([latency, quality]) = knees(run) {
        let _ = writeln!(
            out,
            "\nHighest load handled: **{latency}** for latency and errors, **{quality}** for quality."
        );
    }
    let mut list = |title: &str, lines: &mut dyn Iterator<Item = String>| {
        let mut lines = lines.peekable();
        if lines.peek().is_some() {
            let _ = writeln!(out, "\n#### {title}\n");
            lines.for_each(|line| {
                let _ = writeln!(out, "- {line}");
            });
        }
    };
    list("Why", &mut run.decision.reasons.iter().map(|reason| said(reason, TEXT)));
    let unmet: Vec<_> = run.slo.iter().filter(|one| Standing::of(run, one) != Standing::Met).collect();
    let met = (!run.slo.is_empty())
        .then(|| format!("{} of {} limits met", number::size(run.slo.len() - unmet.len()), run.slo.len()));
    let limits = unmet.iter().take(LISTED).map(|one| {
        let (metric, name) = (one.metric, names.get(one.level).map_or("", String::as_str));
        let word = Standing::of(run, one).word();
        format!("**{word}** — {name}: {} {}", code(metric.word(), NAME), limited(run, one))
    });
    let more = (unmet.len() > LISTED).then(|| format!("… and {} more", number::size(unmet.len() - LISTED)));
    list("Service levels", &mut met.into_iter().chain(limits).chain(more));
    let levels = run.levels.iter().zip(&names);
    let levels = levels
        .flat_map(|(level, name)| details(level).into_iter().map(move |detail| format!("{name}: {detail}")));
    list("Levels", &mut levels.map(|detail| said(&detail, TEXT)));
    let bad: Vec<_> = bad(run).collect();
    let more = (bad.len() > LISTED).then(|| format!("… and {} more", number::size(bad.len() - LISTED)));
    let cases = bad.iter().take(LISTED).map(|case| {
        let reason = case.reason.as_ref().map(|reason| format!(": {}", said(reason, TEXT)));
        format!(
            "{} ({}): {}{}",
            code(&redactor.without(&format!("{}/{}", case.scenario, case.id), &[]), NAME),
            said(&format!("{}:{}", case.file, case.line), NAME),
            tally(case),
            reason.unwrap_or_default()
        )
    });
    list("Cases that did not always pass", &mut cases.chain(more));
    list("Notes", &mut run.notes.iter().map(|note| said(note, TEXT)));
    out
}

//! An attribution for people: the four pass rates, the two effects, and the cases that flipped.

use std::fmt::Write as _;

use crate::analysis::{Attribution, Cause};
use crate::text::{self, log, number};

/// Maximum number of cases listed per cause.
const LISTED: usize = 20;

/// The whole page.
#[must_use]
pub fn of_attribution(found: &Attribution) -> String {
    let mut out = head(found);
    let rates = &found.rates;
    let unknown = "not asked".to_owned();
    let rows = [
        [String::new(), "judge then".to_owned(), "judge now".to_owned()],
        ["old answers".to_owned(), number::percent(rates.old_by_old), number::percent(rates.old_by_new)],
        [
            "new answers".to_owned(),
            rates.new_by_old.map_or(unknown, number::percent),
            number::percent(rates.new_by_new),
        ],
    ];
    out.push('\n');
    for [name, then, now] in rows {
        let _ = writeln!(out, "{name:<11}  {then:>13}  {now:>12}");
    }
    let points = |effect: f64| format!("{:+.1}", effect * 100.0);
    let _ = writeln!(
        out,
        "\nshift {} points: application {}, judge {}",
        points(found.total),
        points(found.product),
        points(found.judge)
    );
    out.push_str(&flips(found));
    for one in found.unheard.iter().take(LISTED) {
        let _ = writeln!(out, "not judged: {}", log::line(&format!("{}: {}", one.case, one.reason), 300));
    }
    if found.unheard.len() > LISTED {
        let _ = writeln!(out, "  … and {} more", found.unheard.len() - LISTED);
    }
    for note in &found.notes {
        let _ = writeln!(out, "note: {}", log::line(note, 500));
    }
    let _ = writeln!(out, "\nRESULT: {}", found.verdict);
    out
}

fn head(found: &Attribution) -> String {
    let mut out = format!(
        "{} compared; a judge contributed to {}, {} of them with the same answers in both runs",
        text::count(found.cases, "case"),
        found.graded,
        found.identical
    );
    for (n, why) in [
        (found.changed, "ask or expect something else now, or in one of the runs"),
        (found.unjudged, "were not judged in one of the runs"),
        (found.unheard.len(), "could not be judged again"),
    ] {
        if n > 0 {
            let _ = write!(out, "; left out: {n} that {why}");
        }
    }
    out + "\n"
}

fn flips(found: &Attribution) -> String {
    let mut out = String::new();
    for (cause, words) in [
        (Cause::Judge, "because of the judge alone, which is not a regression"),
        (Cause::Product, "because of the application alone"),
        (Cause::Either, "because of either alone"),
        (Cause::Together, "only because of both"),
    ] {
        let of: Vec<_> = found.flips.iter().filter(|flip| flip.cause == cause).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{} flipped {words}:", text::count(of.len(), "case"));
        for flip in of.iter().take(LISTED) {
            let now = if flip.passes { "passes now" } else { "fails now" };
            let same = if flip.same_answer { ", on the same answer" } else { "" };
            let _ = writeln!(out, "  {} {now}{same}", log::line(&flip.case, 200));
        }
        if of.len() > LISTED {
            let _ = writeln!(out, "  … and {} more", of.len() - LISTED);
        }
    }
    out
}

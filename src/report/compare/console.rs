//! A comparison at the terminal: the figures, then the cases that changed.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::analysis::Side;
use crate::analysis::compare::{CLAIM, Comparison, Pair, Transition};
use crate::source::Ink;
use crate::text::{self, log, number};
use strum::IntoEnumIterator as _;

/// Maximum number of cases of one kind that are listed.
const LISTED: usize = 50;

/// Maximum number of characters in one value.
const WIDTH: usize = 200;

/// The comparison as text.
#[must_use]
pub fn of(comparison: &Comparison<'_>, ink: Ink) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    for (label, side) in [("base", &comparison.base), ("head", &comparison.head)] {
        let who =
            if side.answered_by.is_empty() { "unknown".to_owned() } else { side.answered_by.join(", ") };
        let _ = writeln!(out, "{label}: run {}, answered by {}", line(&side.run_id), line(&who));
    }
    let _ = write!(out, "\n{:<16} {:>12} {:>12} {:>14}\n", "", "base", "head", "difference");
    for row in rows(comparison) {
        let _ = writeln!(out, "{:<16} {:>12} {:>12} {:>14}", row.label, row.base, row.head, row.difference);
    }
    for change in Transition::iter() {
        let pairs: Vec<_> = comparison.cases.iter().filter(|pair| pair.change == change).collect();
        if pairs.is_empty() || change == Transition::BothPassing {
            continue;
        }
        let style = match change {
            Transition::NewlyFailing => AnsiColor::Red.on_default().bold(),
            Transition::Fixed => AnsiColor::Green.on_default().bold(),
            _ => Style::new().bold(),
        };
        let title = format!("{} ({})", change.words(), number::size(pairs.len()));
        let _ = match ink {
            Ink::Colour => writeln!(out, "\n{style}{title}{style:#}"),
            Ink::Plain => writeln!(out, "\n{title}"),
        };
        for pair in pairs.iter().take(LISTED) {
            let _ = writeln!(out, "  {}", summary(pair));
        }
        if pairs.len() > LISTED {
            let _ = writeln!(out, "  … and {} more", number::size(pairs.len() - LISTED));
        }
    }
    for (label, names) in
        [("only in base", &comparison.only_in_base), ("only in head", &comparison.only_in_head)]
    {
        if !names.is_empty() {
            let _ = write!(out, "\n{label} ({}): {}\n", number::size(names.len()), line(&names.join(", ")));
        }
    }
    let _ = write!(out, "\n{}\n{CLAIM}\n", counts(comparison));
    out
}

/// `9 cases compared: 7 newly failing, 2 passing in both`.
pub(super) fn counts(comparison: &Comparison<'_>) -> String {
    let shown: Vec<_> = Transition::iter()
        .map(|change| (change, comparison.count(change)))
        .filter(|(_, count)| *count > 0)
        .map(|(change, count)| format!("{} {}", number::size(count), change.words()))
        .collect();
    let both = comparison.cases.len();
    let head = match comparison.compared {
        all if all == both => format!("{} compared", text::count(all, "case")),
        some => format!("{} in both runs, {} compared", text::count(both, "case"), number::size(some)),
    };
    format!("{head}: {}", shown.join(", "))
}

fn summary(pair: &Pair<'_>) -> String {
    let mut out = line(&pair.name());
    let (was, now) = (&pair.base, &pair.head);
    if was.trials > 1 || now.trials > 1 {
        let _ =
            write!(out, ": {} of {} trials, now {} of {}", was.passed, was.trials, now.passed, now.trials);
    } else if pair.change == Transition::NotJudged {
        let _ = write!(out, ": {}, now {}", was.outcome.word(), now.outcome.word());
    }
    if matches!(pair.change, Transition::NewlyFailing | Transition::BothFailing) && !now.reason.is_empty() {
        let _ = write!(out, ": {}", line(&now.reason));
    }
    out
}

/// A figure of both runs.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) base: String,
    pub(super) head: String,
    pub(super) difference: String,
}

/// The figures that at least one run has.
pub(super) fn rows(comparison: &Comparison<'_>) -> Vec<Figure> {
    let points = |difference: f64| format!("{:+.1} points", difference * 100.0);
    let rate = Figure {
        label: "pass rate",
        base: comparison.base.pass_rate.map_or_else(unknown, number::percent),
        head: comparison.head.pass_rate.map_or_else(unknown, number::percent),
        difference: comparison.difference.map_or_else(String::new, points),
    };
    let row = |label, of: fn(&Side) -> Option<f64>, show: fn(f64) -> String| {
        let (was, now) = (of(&comparison.base), of(&comparison.head));
        let difference = was
            .zip(now)
            .filter(|(was, _)| *was > 0.0)
            .map(|(was, now)| format!("{:+.1}%", (now / was - 1.0) * 100.0));
        (was.is_some() || now.is_some()).then(|| Figure {
            label,
            base: was.map_or_else(unknown, show),
            head: now.map_or_else(unknown, show),
            difference: difference.unwrap_or_default(),
        })
    };
    let time = row("time (median)", |side| side.latency_ms.map(real), |ms| number::span(whole(ms)));
    let tokens = row("tokens per answer", |side| side.tokens, |count| format!("{count:.1}"));
    let cost = row("cost per answer", |side| side.cost_usd, |usd| format!("${usd:.6}"));
    [Some(rate), time, tokens, cost].into_iter().flatten().collect()
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn line(text: &str) -> String {
    log::line(text, WIDTH)
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 milliseconds or tokens")]
fn real(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a whole number before")]
fn whole(n: f64) -> u64 {
    n as u64
}

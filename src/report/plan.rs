//! An outlook for people: what a run detects now, and what it takes to detect more.

use std::fmt::Write as _;

use crate::analysis::{Broken, MOST_REPEATS, Outlook, Size};
use crate::stats::{SLACK, whole};
use crate::text::{self, number};

/// The headings of the table.
const HEADINGS: [&str; 8] =
    ["", "cases", "trials", "answers", "extra trials", "cost", "time", "detects a drop of"];

/// The whole page; `concurrency` is the number of cases in progress.
#[must_use]
pub fn of_outlook(outlook: &Outlook, concurrency: u16) -> String {
    let mut out = head(outlook);
    out.push('\n');
    out.push_str(&table(outlook));
    out.push('\n');
    for sentence in reading(outlook, concurrency) {
        let _ = writeln!(out, "{sentence}");
    }
    out
}

fn head(outlook: &Outlook) -> String {
    let cases = text::count(size(outlook.cases), "case");
    let known = match outlook.baseline_trials {
        None => "none has a baseline".to_owned(),
        Some((least, most)) => {
            let trials = text::count(size(most), "trial");
            let trials = if least == most { trials } else { format!("{least} to {trials}") };
            format!("{} are in the baseline, with {trials} each", outlook.in_baseline)
        }
    };
    let source = if outlook.discordance_measured {
        "measured in the baseline"
    } else {
        "assumed, because too little is known"
    };
    format!(
        "{cases}; {known}.\n{} of the results differ between two unchanged runs ({source}).\n",
        number::percent(outlook.discordance)
    )
}

fn table(outlook: &Outlook) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned), row("as planned", &outlook.now)];
    rows.extend(outlook.more_repeats.iter().map(|size| row("more trials", size)));
    rows.extend(outlook.more_cases.iter().map(|size| row("more cases", size)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    let mut out = String::new();
    for row in &rows {
        let first = format!("{:<width$}", row[0], width = widths[0]);
        let rest = row.iter().zip(widths).skip(1).map(|(cell, width)| format!("  {cell:>width$}"));
        let line = first + &rest.collect::<String>();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn row(name: &str, size: &Size) -> [String; 8] {
    let (least, most) = size.fresh;
    let fresh = if most - least < 0.05 { format!("{least:.1}") } else { format!("{least:.0} to {most:.0}") };
    [
        name.to_owned(),
        number::whole(size.cases),
        number::whole(size.repeats),
        number::whole(size.calls),
        fresh,
        size.cost_usd.map_or("unknown".to_owned(), dollars),
        size.time_ms.map_or("unknown".to_owned(), |ms| number::span(milliseconds(ms))),
        size.detectable.map_or("none".to_owned(), points),
    ]
}

fn reading(outlook: &Outlook, concurrency: u16) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(effect) = outlook.effect {
        out.push(needed(outlook, effect));
    }
    out.extend(one_broken(&outlook.broken));
    out.push(match outlook.unlucky {
        Some(unlucky) => format!(
            "Extra trials confirm failures: in an unchanged run, {unlucky:.1} cases are expected to fail by chance."
        ),
        None => "Extra trials confirm failures: 6 to 14% of the cases in the simulation of docs/regressions.md; a \
                 baseline shows it for this suite."
            .to_owned(),
    });
    out.push(format!(
        "Time is at `-c {concurrency}`. Cost and time are for the application only; judging is extra."
    ));
    if outlook.now.cost_usd.is_none() {
        out.push(
            "The cost is unknown: set `prices` in akit.yaml, and use a baseline of runs whose answers report their tokens."
                .to_owned(),
        );
    }
    out.push(
        "\"Detects\" means: the gate fails four times in five if the pass rate over all cases drops this much."
            .to_owned(),
    );
    out
}

fn needed(outlook: &Outlook, effect: f64) -> String {
    let asked = points(effect);
    if outlook.now.detectable.is_some_and(|drop| drop <= effect * (1.0 + SLACK)) {
        return format!("The run as planned detects a drop of {asked}.");
    }
    let cases = outlook.more_cases.map_or_else(String::new, |size| {
        format!("{} asked once", text::count(self::size(size.cases), "case"))
    });
    match (&outlook.more_repeats, outlook.least_effect) {
        (Some(size), _) => format!(
            "A drop of {asked} needs {} of these cases, or {cases}. More trials reduce chance, but do not cover what no case asks.",
            text::count(self::size(size.repeats), "trial")
        ),
        (None, Some(least)) => format!(
            "A drop of {asked} cannot be detected with these cases: even {MOST_REPEATS} trials of each detect no less than {}. \
             It needs {cases}.",
            points(least)
        ),
        (None, None) => format!(
            "A drop of {asked} cannot be detected with these cases, even with {MOST_REPEATS} trials of each. It needs {cases}."
        ),
    }
}

/// Whether a single case that breaks permanently is detected.
fn one_broken(broken: &Broken) -> Vec<String> {
    let mut out = Vec::new();
    let cases = |n: u64| text::count(size(n), "case");
    if broken.proven > 0 {
        let row = |n| format!("by {} that fail in a row", text::count(size(n), "extra trial"));
        let how = broken.failing_trials.map_or_else(|| "by one failure (`confirm: 0`)".to_owned(), row);
        out.push(format!("For {}, a break is proven {how}.", cases(broken.proven)));
    }
    if broken.thin > 0 {
        out.push(format!(
            "For {} the baseline is thin: such a case runs up to {} times, and is broken after eight or more failures in a row.",
            cases(broken.thin),
            2 * broken.confirm
        ));
    }
    if broken.new > 0 {
        out.push(format!(
            "For {} there is no baseline: a failure counts as new unless extra trials clear it.",
            cases(broken.new)
        ));
    }
    if broken.failing > 0 {
        out.push(format!("{} failed too often before for another failure to count.", cases(broken.failing)));
    }
    out
}

/// Cents, or four decimals if it is less than a cent.
fn dollars(cost: f64) -> String {
    if cost < 0.01 { format!("${cost:.4}") } else { format!("${cost:.2}") }
}

fn points(effect: f64) -> String {
    format!("{:.1} points", effect * 100.0)
}

fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn milliseconds(ms: f64) -> u64 {
    whole(ms.round()).unwrap_or(u64::MAX)
}

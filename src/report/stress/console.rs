//! A load test for the terminal: one line per level, then what broke, then the result.
//!
//! Lines have at most 100 columns, unless a single word is longer.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::phrase::{COLUMNS, Standing, bad, details, explained, knees, limited, row, sent, tally, word};
use crate::manifest::{StressConclusion, StressRun};
use crate::source::Ink;
use crate::text::{excerpt, log, number};

/// Maximum number of cases listed.
const LISTED: usize = 20;
/// Maximum number of characters in a string from outside akit.
const MOST: usize = 200;
/// Columns of a line.
const WIDTH: usize = 100;
/// Columns of each figure of a level.
const COLUMN: [usize; 9] = [15, 8, 8, 8, 8, 7, 20, 7, 9];

/// Renders the test.
#[must_use]
pub fn of(run: &StressRun, ink: Ink) -> String {
    let mut page = Page { ink, out: String::new() };
    page.say("", &sent(run));
    page.out.push('\n');
    page.cells(&COLUMNS);
    for level in &run.levels {
        page.cells(&row(level).each_ref().map(String::as_str));
    }
    page.out.push('\n');
    page.say("", explained(run));
    let names = run.names();
    for (level, name) in run.levels.iter().zip(&names) {
        for detail in details(level) {
            page.say("", &format!("{name}: {detail}"));
        }
    }
    if let Some([latency, quality]) = knees(run) {
        page.say(
            "",
            &format!("highest load handled: {latency} for latency and errors, {quality} for quality"),
        );
    }
    if let Some(crossed) = run.cross_talk {
        page.say(
            "",
            &format!("references that turned up in another conversation: {}", number::whole(crossed)),
        );
    }
    for one in &run.slo {
        let standing = Standing::of(run, one);
        let color = match standing {
            Standing::Met => AnsiColor::Green,
            Standing::Missed => AnsiColor::Red,
            Standing::Unknown => AnsiColor::Yellow,
        };
        let style = page.style(color);
        let (name, metric) = (names.get(one.level).map_or("", String::as_str), one.metric);
        let (word, limited) = (standing.word(), limited(run, one));
        let _ = writeln!(page.out, "{style}{word:>7}{style:#}  {name}: {} {limited}", metric.word());
    }
    let listed: Vec<_> = bad(run).collect();
    for case in listed.iter().take(LISTED) {
        let (scenario, id, file) = (line(&case.scenario), line(&case.id), line(&case.file));
        page.say("", &format!("{scenario}/{id} ({file}:{}): {}", case.line, tally(case)));
        if let Some(reason) = &case.reason {
            page.say("    ", &line(reason));
        }
    }
    if listed.len() > LISTED {
        page.say("", &format!("… and {} more", number::size(listed.len() - LISTED)));
    }
    for note in &run.notes {
        page.say("", &format!("note: {}", line(note)));
    }
    page.end(run);
    page.out
}

/// Renders only the decision and its reasons.
#[must_use]
pub fn brief(run: &StressRun, ink: Ink) -> String {
    let mut page = Page { ink, out: String::new() };
    page.end(run);
    page.out
}

/// A string from outside akit on one line; [`Page::line`] keeps it from becoming a command of the pipeline.
fn line(text: &str) -> String {
    excerpt(text, MOST)
}

struct Page {
    ink: Ink,
    out: String,
}

impl Page {
    fn style(&self, color: AnsiColor) -> Style {
        match self.ink {
            Ink::Colour => color.on_default().bold(),
            Ink::Plain => Style::new(),
        }
    }

    /// A row of the table: the load is aligned left, figures are aligned right.
    fn cells(&mut self, cells: &[&str; 9]) {
        for (at, (cell, width)) in cells.iter().zip(COLUMN).enumerate() {
            // Writing to a String cannot fail.
            let _ = match at {
                0 => write!(self.out, "{cell:<width$}"),
                6 => write!(self.out, "  {cell:<width$}"),
                _ => write!(self.out, " {cell:>width$}"),
            };
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// Wraps a string; continuation lines are indented.
    fn say(&mut self, indent: &str, text: &str) {
        let (mut line, mut columns) = (indent.to_owned(), indent.len());
        let mut is_empty = true;
        for word in text.split(' ') {
            let width = word.chars().count();
            if !is_empty && columns + 1 + width > WIDTH {
                self.line(&line);
                line = format!("{indent}  ");
                columns = line.len();
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
                columns += 1;
            }
            line.push_str(word);
            columns += width;
            is_empty = false;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        // A word that wraps to the start of a line must not become a command of the pipeline.
        self.out.push_str(&log::harmless(line.to_owned()));
        self.out.push('\n');
    }

    fn end(&mut self, run: &StressRun) {
        for reason in &run.decision.reasons {
            self.say("  ", &format!("- {}", line(reason)));
        }
        let color = match run.decision.conclusion {
            StressConclusion::Pass => AnsiColor::Green,
            StressConclusion::Fail | StressConclusion::Error => AnsiColor::Red,
        };
        let (style, word) = (self.style(color), word(run.decision.conclusion));
        let _ = writeln!(self.out, "RESULT: {style}{word}{style:#} (exit code {})", run.decision.exit_code);
    }
}

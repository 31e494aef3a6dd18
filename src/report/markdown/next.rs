//! What to do next about a run that does not pass.

use std::collections::BTreeSet;

use crate::gate::{Conclusion, WayOut};
use crate::report::{Entry, Report};
use crate::text;
use crate::vocabulary::FindingId;

use super::pen::Pen;
use super::{GROUPS, VALUE, linked};

/// Maximum number of cases that a command names.
const CASES: usize = 5;

/// Maximum number of characters in a command.
const COMMAND: usize = 4_000;

/// Maximum number of kinds of trouble whose help is shown.
const HELPS: usize = 3;

/// The steps, the most likely one first; there are none if the run passes and has its baseline.
pub(super) fn steps(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let (decision, links) = (report.decision, report.links);
    let stored = links.stored();
    let fails = |id: &FindingId| decision.findings.iter().any(|finding| finding.id == *id);
    let warns = |id: &FindingId| decision.warnings.iter().any(|finding| finding.id == *id);
    let group = |one: &Entry<'_>| GROUPS.iter().any(|group| group.is_named && (group.holds)(one));
    let wanting: Vec<_> = report.entries().filter(group).collect();
    let passes = decision.conclusion == Conclusion::Pass;
    let mut steps = Vec::new();
    if fails(&FindingId::BaselineMissing) || warns(&FindingId::BaselineMissing) {
        let words =
            format!("Create the baseline from a run on the main branch{}:", links.see("first-baseline.md"));
        let place = Some(&decision.create).filter(|place| !place.is_empty());
        let place = place.map_or_else(String::new, |place| format!(" --baseline {}", text::argument(place)));
        steps.push(copied(&words, &format!("akit baseline update {}{place}", text::argument(stored)), pen));
    }
    match decision.way_out(stored).filter(|_| !passes) {
        Some(WayOut::Accept { command, then }) => {
            let file = pen.code(stored, VALUE);
            let file = match links.stored {
                Some(_) => format!("{file} is this run"),
                None => format!("store this run with <code>--json</code> as {file} first"),
            };
            let (then, see) = (pen.inline(&then, VALUE), links.see("accept.md"));
            let words = format!("If the change is intended, accept it, {then} ({file}{see}):");
            steps.push(copied(&words, &command, pen));
        }
        Some(WayOut::NotEnough(why)) => {
            let (why, see) = (pen.inline(&why, 2 * VALUE), links.see("accept.md"));
            steps.push(format!("- Accepting the failing cases is not enough: {why}{see}.\n"));
        }
        None => {}
    }
    steps.extend(helps(&wanting).iter().map(|help| {
        format!("- To fix what could not be judged: {}.\n", pen.inline(help, VALUE).trim_end_matches('.'))
    }));
    if fails(&FindingId::Weakened) {
        let see = links.see("weakening.md");
        steps.push(format!("- Restore what got weaker, or say in the review why less is required{see}.\n"));
    }
    if !passes {
        steps.extend(decision.how_to_decide(report.run, stored).map(|(words, command)| {
            let words = format!("To {}", pen.inline(&words, 2 * VALUE));
            match command {
                Some(command) => copied(&format!("{words}:"), &command, pen),
                None => format!("- {words}.\n"),
            }
        }));
        // Running it again does not change what got weaker.
        if decision.findings.iter().any(|finding| finding.id != FindingId::Weakened) {
            steps.extend(again(report, &wanting, pen));
        }
        let link = links.see("findings.md");
        let link = link.strip_prefix("; see ").map(|link| format!("- What each reason means: {link}.\n"));
        steps.extend(link);
    }
    steps
}

/// A step, and below it the command to copy, which is a line of its own so that nothing has to be escaped in it.
fn copied(words: &str, command: &str, pen: &Pen) -> String {
    format!("- {words}\n  ```sh\n  {}\n  ```\n", text::excerpt(&pen.shown(command), COMMAND))
}

/// The help texts of errored cases, each once.
fn helps<'a>(wanting: &[Entry<'a>]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let helps = wanting.iter().filter_map(|one| Some(one.fault()?.help.as_str()));
    helps.filter(|help| !help.is_empty() && seen.insert(*help)).take(HELPS).collect()
}

/// The command that runs a few cases again, and the job to start again.
fn again(report: &Report<'_>, wanting: &[Entry<'_>], pen: &Pen) -> Option<String> {
    let job = report.links.run.clone().map(|run| linked("rerun the job", Some(run)));
    let Some(command) = command(report, wanting) else {
        return job.map(|job| format!("- To run it again, {job}.\n"));
    };
    let job = job.map_or_else(String::new, |job| format!(", or {job}"));
    let these = if wanting.len() == 1 { "this case" } else { "these cases" };
    Some(copied(&format!("Run only {these} again, with the other flags of this run{job}:"), &command, pen))
}

/// The command that runs a few cases again; `None` if there are too many, or if a word cannot be written exactly.
fn command(report: &Report<'_>, wanting: &[Entry<'_>]) -> Option<String> {
    // A run of another workflow may contain any flags, and other flags could write files or name a server.
    let is_flag = |word: &str| matches!(word, "-t" | "--case" | "--filter");
    let exact = |word: &str| text::is_exact_argument(word).then(|| text::argument(word));
    // A sample might not contain these cases.
    let suite = report.run.suite.iter().filter(|word| !word.starts_with("--sample "));
    let words = suite.map(|word| match word.split_once(' ') {
        Some((flag, value)) if is_flag(flag) => Some(format!("{flag} {}", exact(value)?)),
        _ => exact(word),
    });
    let cases = wanting.iter().map(|one| Some(format!("--case {}", exact(&one.name())?)));
    let words = words.chain(cases).collect::<Option<Vec<_>>>()?.join(" ");
    let is_short = (1..=CASES).contains(&wanting.len()) && words.len() < COMMAND;
    (is_short && !report.run.suite.is_empty()).then(|| format!("akit run {words}"))
}

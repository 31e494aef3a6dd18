//! `akit baseline diff`: compares two baselines.

use clap::Args;

use super::super::Status;
use super::{names, read};
use crate::baseline::{Baseline, BaselineCase};
use crate::environment::Environment;
use crate::history::Place;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// Old baseline: FILE, `git:REV:PATH` or `git-ref:NAME`
    #[arg(value_name = "BEFORE", value_parser = Place::parse)]
    before: Place,
    /// New baseline
    #[arg(value_name = "AFTER", value_parser = Place::parse)]
    after: Place,
}

pub(super) fn diff(args: &DiffArgs, environment: &Environment) -> Result<Vec<String>, Status> {
    let (before, from) = read(&args.before, environment)?;
    let (after, to) = read(&args.after, environment)?;
    let mut lines = vec![format!("{from} -> {to}")];
    lines.extend(differences(&before, &after));
    if lines.len() == 1 {
        lines.push(format!("no difference in {}", text::count(after.cases.len(), "case")));
    }
    Ok(lines)
}

fn differences(before: &Baseline, after: &Baseline) -> Vec<String> {
    let mut lines = Vec::new();
    for now in &after.epoch {
        for shift in before.epoch(&now.scenario).map(|then| then.shifts(now)).unwrap_or_default() {
            lines.push(format!("epoch: {shift}"));
        }
    }
    let missing = |from: &Baseline, of: &Baseline| -> Vec<String> {
        let gone = of.cases.iter().filter(|case| from.case(case.key()).is_none());
        gone.map(BaselineCase::name).collect()
    };
    let (mut changed, mut tallies) = (Vec::new(), Vec::new());
    for now in &after.cases {
        let Some(then) = before.case(now.key()) else { continue };
        let (was, is) = (then.tally(), now.tally());
        if then.content_hash != now.content_hash {
            changed.push(now.name());
        } else if was != is {
            let (a, b, c, d) = (was.hits, was.of, is.hits, is.of);
            tallies.push(format!("{} {a}/{b} -> {c}/{d}", now.name()));
        }
    }
    let lists = [
        ("added", missing(before, after)),
        ("removed", missing(after, before)),
        ("changed content", changed),
        ("other trials", tallies),
    ];
    lines.extend(lists.iter().filter_map(|(what, list)| names(what, list)));
    let notes = after.accepted.iter().filter(|note| !before.accepted.contains(note));
    lines.extend(notes.map(|note| format!("accepted: {}: {}", note.cases.join(", "), note.reason)));
    lines
}

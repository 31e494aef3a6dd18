//! `akit baseline update`: adds the trials of a stored run.

use std::path::PathBuf;

use clap::Args;

use super::{At, Trouble, names};
use crate::history;
use crate::manifest::{Added, Baseline, Ended, RunManifest};
use crate::scenario::Environment;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    #[command(flatten)]
    at: At,
    /// Commit that was run [default: what GitHub Actions or GitLab CI says]
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
}

pub(super) fn update(args: &UpdateArgs, environment: &Environment) -> Result<String, Trouble> {
    let run = history::read_run(&args.run)?;
    let told = || environment.get("GITHUB_SHA").or_else(|| environment.get("CI_COMMIT_SHA"));
    let commit = args.commit.as_deref().or_else(told);
    let place = &args.at.baseline;
    let (added, cases, runs) = history::change_baseline(place, |baseline: &mut Baseline| {
        let added = baseline.add(&run, commit);
        (added, baseline.cases.len(), baseline.runs.len())
    })?;
    let mut words = format!("{place}: ");
    if added.known {
        words.push_str(&format!("run {} was added before; nothing changed", run.run_id));
    } else if added.outdated {
        words
            .push_str(&format!("run {} is older than the runs that are kept; nothing was added", run.run_id));
    } else {
        words.push_str(&format!(
            "added {} ({} of {} passed)",
            text::count(added.cases, "judged case"),
            added.tally.passes,
            text::count(usize::try_from(added.tally.trials).unwrap_or(usize::MAX), "trial"),
        ));
    }
    words.push_str(&format!("; it holds {} of {}", text::count(cases, "case"), text::count(runs, "run")));
    words.push_str(&details(&run, &added));
    Ok(words)
}

fn details(run: &RunManifest, added: &Added) -> String {
    let mut words = String::new();
    if added.new > 0 {
        words.push_str(&format!("\nnew: {}", text::count(added.new, "case")));
    }
    for shift in &added.shifts {
        words.push_str(&format!("\nstarted anew: {shift}"));
    }
    if !added.changed.is_empty() {
        words.push_str(&names("started anew, what they ask or expect has changed", &added.changed));
    }
    if !added.renamed.is_empty() {
        let pairs: Vec<_> =
            added.renamed.iter().map(|(before, after)| format!("{before} is now {after}")).collect();
        words.push_str(&names("renamed", &pairs));
    }
    if !added.passed_over.is_empty() {
        let why = "left out, a newer run was of another target, judge or content";
        words.push_str(&names(why, &added.passed_over));
    }
    if !added.runs_dropped.is_empty() {
        words.push_str(&names("runs that fell out of the window", &added.runs_dropped));
    }
    if !added.cases_dropped.is_empty() {
        words.push_str(&names("removed, no run that is kept has judged them", &added.cases_dropped));
    }
    let errored = run.counts().errored;
    if errored > 0 {
        let cases = text::count(errored, "case");
        words.push_str(&format!("\n{cases} could not be judged and changed nothing"));
    }
    if run.ended != Ended::Complete {
        words.push_str("\nthe run had not ended by itself");
    }
    words
}

//! `akit baseline update`: adds the trials of a stored run.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::super::Status;
use super::super::stored::decided;
use super::{At, PolicyArgs, change, decide, in_time, names};
use crate::baseline::{Added, Baseline, Role};
use crate::environment::Environment;
use crate::gate::{Conclusion, Decision};
use crate::history::Place;
use crate::manifest::{CaseResult, Ended, RunManifest, Trial};
use crate::text;
use crate::vocabulary::Outcome;

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// Run stored by `akit run --json`
    run: PathBuf,
    /// Add the run even if it failed its gate or regressed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Tested commit [default: from GitHub Actions or GitLab CI]
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
}

pub(super) fn update(args: &UpdateArgs, environment: &Environment) -> Result<Vec<String>, Status> {
    let (run, stored) = decided(&args.run)?;
    let run = in_time(run);
    let stored = stored.filter(|_| !args.force);
    if stored.as_ref().is_some_and(Decision::fell) {
        return Err(fell(&run));
    }
    let policy = args.policy.of(&run, environment)?;
    let told = || environment.get("GITHUB_SHA").or_else(|| environment.get("CI_COMMIT_SHA"));
    let commit = args.commit.as_deref().or_else(told);
    let place = &args.at.baseline;
    let changed = change(place, |baseline: &mut Baseline| {
        let mut run = run.clone();
        let known = baseline.runs.iter().any(|known| known.id == run.run_id && !known.partial);
        let mut left = Vec::new();
        if !args.force && !known {
            // What the run was compared with does not matter for this baseline.
            let now = decide(&run, baseline, &policy);
            if now.fell() {
                return Err(Refusal::Fell);
            }
            let failed = stored.as_ref().unwrap_or(&now).conclusion == Conclusion::Fail;
            let unsure: BTreeSet<_> = stored.iter().chain([&now]).flat_map(Decision::open).collect();
            left.extend(unsure.iter().map(ToString::to_string));
            run.cases.retain(|case| !unsure.contains(&case.key()));
            let unknown = unknown_failures(&run, baseline);
            if failed && (!unknown.is_empty() || baseline.cases.is_empty()) {
                return Err(Refusal::Failed(unknown));
            }
            let lost = lost(&run, baseline);
            if !lost.is_empty() {
                return Err(Refusal::Judge(lost));
            }
        }
        let added = baseline.add(&run, commit);
        Ok((added, left, baseline.cases.len(), baseline.runs.len()))
    })?;
    let (added, left, cases, runs) = changed.map_err(|refusal| match refusal {
        Refusal::Fell => fell(&run),
        Refusal::Failed(unknown) => not_known(&run, place, &unknown),
        Refusal::Judge(lost) => judged_anew(&run, place, &lost),
    })?;
    let done = if added.known {
        let again = if run.trials().flat_map(Trial::answers).any(|answer| answer.given) {
            "; to count the same answers recorded again, pass `--recorded-at TIME` to `akit run`, or set `at` in their lines"
        } else {
            ""
        };
        format!("run {} is already in it; nothing changed{again}", run.run_id)
    } else if added.outdated {
        format!("run {} is older than the runs it keeps; nothing was added", run.run_id)
    } else {
        let trials = usize::try_from(added.tally.of).unwrap_or(usize::MAX);
        format!(
            "added {} ({} of {} passed)",
            text::count(added.cases, "judged case"),
            added.tally.hits,
            text::count(trials, "trial"),
        )
    };
    let (cases, runs) = (text::count(cases, "case"), text::count(runs, "run"));
    let mut lines = vec![format!("{place}: {done}; it has {cases} of {runs}")];
    lines.extend(names("left out, broken, open or degraded", &left));
    lines.extend(details(&run, &added));
    Ok(lines)
}

/// Why a run is not added without `--force`.
enum Refusal {
    /// It regressed against the baseline.
    Fell,
    /// It failed its gate, and these failing cases, or the baseline, are new.
    Failed(Vec<String>),
    /// Another judge graded these scenarios.
    Judge(Vec<String>),
}

/// Scenarios whose trials would be lost because another judge graded them, each with that judge.
fn lost(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let has_trials =
        |scenario: &str| baseline.cases.iter().any(|case| case.scenario == scenario && case.tally().of > 0);
    // An older run resets nothing.
    if !baseline.comes_last(run) {
        return Vec::new();
    }
    let shifts = baseline.shifts(run).into_iter();
    let lost = shifts.filter(|shift| shift.role == Role::Grader && has_trials(&shift.scenario));
    lost.map(|shift| shift.to_string()).collect()
}

/// Why the verdicts of another judge are not added without `--force`.
fn judged_anew(run: &RunManifest, place: &Place, lost: &[String]) -> Status {
    let message = format!("run {} would discard results in {place}: {}", run.run_id, lost.join("; "));
    Status::Failed.because(
        message,
        "use the baseline's judge, or reset these scenarios with `--force`; `akit regrade` shows how another judge would grade them",
    )
}

/// The help where failures would be added.
const EXPECTED: &str = "its failures would become the expected result: fix them, accept an intended change \
     with `akit baseline accept`, or add the whole run with `--force`";

/// Why a regressed run is not added.
fn fell(run: &RunManifest) -> Status {
    Status::Failed.because(format!("run {} regressed", run.run_id), EXPECTED)
}

/// Why a failed run is not added without `--force`.
fn not_known(run: &RunManifest, place: &Place, unknown: &[String]) -> Status {
    let failed = format!("run {} failed its gate, and {place} ", run.run_id);
    if unknown.is_empty() {
        return Status::Failed.because(
            failed + "is empty",
            "start the baseline with a run that passes its gate, or add this one with `--force`",
        );
    }
    let more = if unknown.len() > 3 { ", …" } else { "" };
    let shown = unknown[..unknown.len().min(3)].join(", ");
    let cases = text::count(unknown.len(), "failing case");
    Status::Failed.because(format!("{failed}does not have {cases}: {shown}{more}"), EXPECTED)
}

/// `scenario/id` of cases that fail in a run and have no trial in the baseline under any name: their failures would
/// become the expected result.
fn unknown_failures(run: &RunManifest, baseline: &Baseline) -> Vec<String> {
    let renamed = baseline.renamed(run);
    let known = |case: &CaseResult| {
        let stored = baseline.case(case.key());
        stored
            .or_else(|| renamed.get(&case.key()).copied())
            .is_some_and(|stored| stored.tally().of > 0 && stored.content_hash == case.content_hash)
    };
    let failing = run.cases.iter().filter(|case| case.outcome == Outcome::Failed && !known(case));
    failing.map(|case| case.key().to_string()).collect()
}

fn details(run: &RunManifest, added: &Added) -> Vec<String> {
    let mut lines = Vec::new();
    if added.new > 0 {
        lines.push(format!("new: {}", text::count(added.new, "case")));
    }
    lines.extend(added.shifts.iter().map(|shift| format!("reset: {shift}")));
    let pair = |(before, after): &(String, String)| format!("{before} is now {after}");
    let renamed: Vec<_> = added.renamed.iter().map(pair).collect();
    let lists = [
        ("reset, because what they ask or expect has changed", &added.changed),
        ("renamed", &renamed),
        ("left out, because a newer run had a different application, judge or content", &added.passed_over),
        ("left out, because their answers come from the cache", &added.recorded),
        (
            "left out, because their answers have no `at` but others do; pass `--recorded-at TIME` to date them all",
            &added.undated,
        ),
        ("runs that left the window", &added.runs_dropped),
        ("removed, because none of the kept runs judged them", &added.cases_dropped),
    ];
    lines.extend(lists.into_iter().filter_map(|(words, list)| names(words, list)));
    let errored = run.counts().errored;
    if errored > 0 {
        let cases = text::count(errored, "case");
        lines.push(format!("{cases} could not be judged and changed nothing"));
    }
    if run.ended != Ended::Complete {
        lines.push("the run was stopped early".to_owned());
    }
    lines
}

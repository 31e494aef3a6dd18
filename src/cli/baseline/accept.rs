//! `akit baseline accept`: accepts an intended change, with its reason.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat};
use clap::Args;
use globset::{GlobBuilder, GlobMatcher};

use super::super::{Status, stored};
use super::{At, PolicyArgs, change, decide, in_time, names};
use crate::baseline::{Acceptance, Accepted, Baseline, Role, Shift};
use crate::environment::Environment;
use crate::gate::hangs_on_judge;
use crate::manifest::RunManifest;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// Cases to accept: `scenario/id`, or a glob that matches it
    #[arg(required_unless_present = "unexcused", value_name = "CASE")]
    cases: Vec<String>,
    /// Accept every failing case of the run that is not excused
    #[arg(long, requires = "run", conflicts_with = "cases")]
    unexcused: bool,
    /// Why the change is intended; stored in the baseline
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Who accepts it; stored in the baseline
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Replace the old trials with those of this stored run, not just drop them
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    policy: PolicyArgs,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("the reason is empty".to_owned()),
        words => Ok(words.to_owned()),
    }
}

pub(super) fn accept(args: &AcceptArgs, environment: &Environment) -> Result<Vec<String>, Status> {
    let (run, decision) = args.run.as_deref().map(stored::decided).transpose()?.unzip();
    let run = run.map(in_time);
    let policy = run.as_ref().map(|run| args.policy.of(run, environment)).transpose()?;
    let was_read = decision.flatten().and_then(|decision| decision.compared);
    let patterns = args.cases.iter().map(|text| CaseWord::read(text)).collect::<Result<Vec<_>, _>>()?;
    let place = &args.at.baseline;
    // The run may have been compared with the base's version of a file that does not exist yet.
    let is_named = was_read.is_some_and(|compared| compared.place == place.to_string());
    let done = change(place, |baseline| {
        if !is_named && *baseline == Baseline::empty() {
            return Err(Refusal::Missing);
        }
        let chosen = match (&run, &policy) {
            (Some(run), Some(policy)) if args.unexcused => {
                let decision = decide(run, baseline, policy);
                let unexcused = decision.unexcused(run).into_iter();
                unexcused.map(|(case, _)| (case.scenario.clone(), case.id.clone())).collect()
            }
            _ => choose(&patterns, baseline, run.as_ref())?,
        };
        if chosen.is_empty() {
            return Err(Refusal::None);
        }
        let shifts = run.as_ref().map(|run| baseline.shifts(run)).unwrap_or_default();
        let by_judge = run.iter().flat_map(|run| &run.cases).filter(|case| hangs_on_judge(case));
        let by_judge: BTreeSet<&str> = by_judge
            .filter(|case| chosen.contains(&(case.scenario.clone(), case.id.clone())))
            .map(|case| case.scenario.as_str())
            .collect();
        let judged_anew =
            |shift: &&Shift| shift.role == Role::Grader && by_judge.contains(shift.scenario.as_str());
        if let Some(shift) = shifts.iter().find(judged_anew) {
            return Err(Refusal::Judge(shift.to_string()));
        }
        let note = Acceptance {
            cases: chosen.iter().map(|(scenario, id)| format!("{scenario}/{id}")).collect(),
            reason: args.reason.clone(),
            by: args.by.clone(),
            at: Some(now(environment)),
        };
        Ok((baseline.accept(&chosen, run.as_ref(), note), shifts))
    })?;
    let (accepted, shifts) = done.map_err(|refusal| match refusal {
        Refusal::Missing => Status::Invalid.because(
            format!("no baseline at `{place}`"),
            "check the path from the current folder; `akit baseline update` creates a first baseline",
        ),
        Refusal::Judge(shift) => Status::Failed.because(
            format!("nothing was accepted: verdicts of different judges cannot be compared: {shift}"),
            "use the baseline's judge, or start the scenario over with `akit baseline update --force`; with \
                 `git:base:`, that takes effect once merged",
        ),
        Refusal::None => {
            Status::Nothing.because("every failure of the run is excused", "name the cases to reset")
        }
        Refusal::Unknown(message, help) => Status::Nothing.because(message, help),
    })?;
    let Accepted { dropped, replaced } = accepted;
    let cases = text::count(dropped.len() + replaced.len(), "case");
    let mut lines = vec![format!("{place}: accepted {cases}: {}", args.reason)];
    lines.extend(names("reset to the trials of the run", &replaced));
    lines.extend(names("new until the next update", &dropped));
    let anew = |shift| format!("the next update resets the whole scenario: {shift}");
    lines.extend(shifts.into_iter().map(anew));
    Ok(lines)
}

/// Why nothing is accepted.
enum Refusal {
    /// There is no baseline here.
    Missing,
    /// The run has no case to accept.
    None,
    /// Another judge graded the run.
    Judge(String),
    /// No case has this name; with a suggested fix.
    Unknown(String, String),
}

/// A pattern from the command line.
struct CaseWord {
    text: String,
    glob: Option<GlobMatcher>,
}

impl CaseWord {
    fn read(text: &str) -> Result<Self, Status> {
        let glob = GlobBuilder::new(text).build();
        let glob = match glob {
            _ if !text.contains(['*', '?', '[', '{']) => None,
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                let message = format!("`{text}` is not a glob: {}", text::glob(&error));
                return Err(Status::Invalid.because(message, "`*` matches any text, as in `support/*`"));
            }
        };
        Ok(Self { text: text.to_owned(), glob })
    }

    /// Whether it matches a name as a pattern.
    fn matches(&self, name: &str) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

/// The (scenario, id) of every matching case; a word without a match is an error.
fn choose(
    patterns: &[CaseWord],
    baseline: &Baseline,
    run: Option<&RunManifest>,
) -> Result<BTreeSet<(String, String)>, Refusal> {
    let stored = baseline.cases.iter().map(|case| (&case.scenario, &case.id));
    let asked = run.into_iter().flat_map(|run| &run.cases).map(|case| (&case.scenario, &case.id));
    let known: Vec<_> =
        stored.chain(asked).map(|(scenario, id)| (format!("{scenario}/{id}"), scenario, id)).collect();
    let mut chosen = BTreeSet::new();
    let mut unknown = Vec::new();
    for pattern in patterns {
        // A full name is never a pattern, whatever characters it has.
        let is_name = known.iter().any(|(name, ..)| *name == pattern.text);
        let is_meant = |name: &str| if is_name { pattern.text == name } else { pattern.matches(name) };
        let meant = known.iter().filter(|(name, ..)| is_meant(name));
        let meant: Vec<_> = meant.map(|(_, scenario, id)| ((*scenario).clone(), (*id).clone())).collect();
        if meant.is_empty() {
            unknown.push(pattern.text.as_str());
        }
        chosen.extend(meant);
    }
    let Some(first) = unknown.first() else { return Ok(chosen) };
    let names: Vec<&str> = known.iter().map(|(name, ..)| name.as_str()).collect();
    let help = text::meant(first, &names, || {
        "cases are written `scenario/id`; `akit baseline show` lists them".to_owned()
    });
    Err(Refusal::Unknown(format!("no case {} in the baseline", text::list(&unknown)), help))
}

/// The current time, or that of `SOURCE_DATE_EPOCH` if it is set.
fn now(environment: &Environment) -> String {
    let told = environment.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let time =
        told.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_else(crate::vocabulary::now);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

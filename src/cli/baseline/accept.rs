//! `akit baseline accept`: takes a known change, with the reason.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use globset::{GlobBuilder, GlobMatcher};

use super::super::{Status, stored};
use super::{At, change, names};
use crate::baseline::{Acceptance, Accepted, Baseline};
use crate::environment::Environment;
use crate::manifest::RunManifest;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// Cases: `scenario/id`, or a glob over it
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<String>,
    /// Why the change is right; stored in the baseline
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Who takes it; stored in the baseline
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Put the trials of this stored run in the place of the old ones, instead of dropping them
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason has words".to_owned()),
        words => Ok(words.to_owned()),
    }
}

pub(super) fn accept(args: &AcceptArgs, environment: &Environment) -> Result<Vec<String>, Status> {
    let run = args.run.as_deref().map(stored::run).transpose()?;
    let patterns = args.cases.iter().map(|text| CaseWord::read(text)).collect::<Result<Vec<_>, _>>()?;
    let place = &args.at.baseline;
    let done = change(place, |baseline| {
        let chosen = choose(&patterns, baseline, run.as_ref())?;
        let note = Acceptance {
            cases: chosen.iter().map(|(scenario, id)| format!("{scenario}/{id}")).collect(),
            reason: args.reason.clone(),
            by: args.by.clone(),
            at: Some(now(environment)),
        };
        let shifts = run.as_ref().map(|run| baseline.shifts(run)).unwrap_or_default();
        Ok((baseline.accept(&chosen, run.as_ref(), note), shifts))
    })?;
    let (accepted, shifts) = done.map_err(|(message, help)| Status::Nothing.because(message, help))?;
    let Accepted { dropped, replaced } = accepted;
    let cases = text::count(dropped.len() + replaced.len(), "case");
    let mut lines = vec![format!("{place}: accepted {cases}: {}", args.reason)];
    lines.extend(names("begin anew with the trials of the run", &replaced));
    lines.extend(names("count as new until the next update", &dropped));
    let anew = |shift| format!("the next update starts the whole scenario anew: {shift}");
    lines.extend(shifts.into_iter().map(anew));
    Ok(lines)
}

/// A word of the command line.
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
                let message = format!("`{text}` is no glob: {}", error.kind());
                return Err(Status::Invalid.because(message, "`*` stands for any text, as in `support/*`"));
            }
        };
        Ok(Self { text: text.to_owned(), glob })
    }

    /// A name that is written in full is never a pattern, whatever characters it has.
    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

/// The (scenario, id) of every case that is meant; a word that means none is an error.
fn choose(
    patterns: &[CaseWord],
    baseline: &Baseline,
    run: Option<&RunManifest>,
) -> Result<BTreeSet<(String, String)>, (String, String)> {
    let stored = baseline.cases.iter().map(|case| (&case.scenario, &case.id));
    let asked = run.into_iter().flat_map(|run| &run.cases).map(|case| (&case.scenario, &case.id));
    let known: Vec<_> =
        stored.chain(asked).map(|(scenario, id)| (format!("{scenario}/{id}"), scenario, id)).collect();
    let mut chosen = BTreeSet::new();
    let mut unknown = Vec::new();
    for pattern in patterns {
        let meant = known.iter().filter(|(name, ..)| pattern.matches(name));
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
    Err((format!("there is no case {} in the baseline", text::list(&unknown)), help))
}

/// The time, or what `SOURCE_DATE_EPOCH` says it is.
fn now(environment: &Environment) -> String {
    let told = environment.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let time = told.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_else(Utc::now);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

//! Checks of what is on disk: cache, baseline and policy.

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::DateTime;

use super::super::Status;
use super::super::policy::{GateArgs, ProofArgs, creation, named, sought};
use super::finding::Check;
use crate::baseline::Baseline;
use crate::cache::{Condition, Mode};
use crate::config::{ConfigFile, Settings};
use crate::environment::Environment;
use crate::gate::{self, Evidence, Missing, Reference, Rigor};
use crate::history::{HistoryError, Kept, Pipeline, Place, kept, read_baseline_at};
use crate::manifest::{CaseResult, RunManifest, Trial};
use crate::scenario::{self, Loaded};
use crate::source::{Diagnostics, slashed};
use crate::text;
use crate::vocabulary::{CaseId, Outcome};

/// Days after which a baseline is old: the same number of days for which it keeps runs.
const OLD: i64 = 30;

/// Warns about a policy that passes even if nearly every case fails: such a gate only reports.
pub(super) fn force(config: &ConfigFile, environment: &Environment, loaded: &Loaded) -> Option<Check> {
    if ProofArgs::default().place(&config.gate, &config.folder).is_some() {
        return None;
    }
    let all = loaded.scenarios.iter().flat_map(|one| one.cases.iter().map(move |case| (one, case)));
    let cases: Vec<_> = all
        .enumerate()
        .map(|(index, (scenario, case))| {
            // A run in which nothing passes fails under any policy.
            let outcome = if index == 0 { Outcome::Passed } else { Outcome::Failed };
            CaseResult {
                scenario: scenario.name.clone(),
                id: case.id.clone(),
                name: None,
                tags: case.tags.clone(),
                location: case.location.clone(),
                content_hash: case.content_hash.clone(),
                outcome,
                score: None,
                reason: String::new(),
                prompt: String::new(),
                trials: vec![Trial::single(outcome, None, None)],
                earlier: None,
            }
        })
        .collect();
    let count = cases.len();
    let run = RunManifest { cases, ..RunManifest::default() };
    let policy = GateArgs::against(None).policy(&config.gate, environment);
    let evidence = Evidence { run: &run, reference: Reference::None, weakened: &[] };
    let passes = Status::of(&gate::decide(&evidence, &policy), run.ended) == Status::Passed;
    (passes && count > 1).then(|| {
        let failing = text::count(count - 1, "case");
        let message = format!("this gate cannot fail: it passes with {failing} of {count} failing");
        Check::warn("policy", message, "raise `min_pass_rate`, set a baseline, or add `critical` cases")
    })
}

/// Checks the cache, which must be writable only if something is sent.
pub(super) fn cache(settings: &Settings, asks: bool) -> Check {
    const ABOUT: &str = "cache";
    let (cache, mode) = (&settings.cache, settings.target_mode());
    if mode == Mode::Off {
        return Check::ok(ABOUT, "mode off: nothing is read or written");
    }
    let (mut sound, mut wrong) = (0, 0);
    for shelved in cache.shelved() {
        if shelved.condition == Condition::Sound { sound += 1 } else { wrong += 1 }
    }
    let git = match kept(cache.folder()) {
        Ok(Kept::Tracked) => ", in git",
        Ok(Kept::Ignored) => ", ignored by git",
        Ok(Kept::Untracked) if sound > 0 => ", not in git",
        _ => "",
    };
    let word = format!("{mode:?}").to_lowercase();
    let message = format!("{}: mode {word}, {}{git}", slashed(cache.folder()), text::count(sound, "record"));
    if asks && mode.writes() && cache.prepare().is_err() {
        let message = format!("{message}; the folder cannot be written");
        let help = "fix its permissions, or choose another folder with `--cache-dir`";
        if settings.flags.cache.is_some() || settings.flags.cache_dir.is_some() {
            Check::bad(ABOUT, Status::Invalid, message, help)
        } else {
            Check::warn(ABOUT, message, help)
        }
    } else if mode == Mode::Replay && sound == 0 {
        Check::warn(
            ABOUT,
            message,
            "nothing to replay: record with `akit run --cache record`, and copy the folder here",
        )
    } else if wrong > 0 {
        Check::warn(ABOUT, format!("{message}; {wrong} invalid"), "see `akit cache verify`")
    } else {
        Check::ok(ABOUT, message)
    }
}

pub(super) fn baseline(
    config: &ConfigFile,
    environment: &Environment,
    loaded: &Loaded,
    online: bool,
) -> Check {
    const ABOUT: &str = "baseline";
    let Some(place) = ProofArgs::default().place(&config.gate, &config.folder) else {
        let usual = config.folder.join("akit-baseline.json");
        return if usual.is_file() {
            let message = format!("{} exists, but no configuration names it", slashed(&usual));
            Check::warn(
                ABOUT,
                message,
                "add `gate: { baseline: { from: akit-baseline.json } }` to akit.yaml, or pass `--baseline`",
            )
        } else {
            Check::ok(ABOUT, "no baseline is configured: every case must pass")
        };
    };
    if matches!(place, Place::Ref(_)) && !online {
        return Check::ok(ABOUT, format!("{place} is on a remote, which only `--online` checks"));
    }
    let pipeline = Pipeline::of(environment);
    match read_baseline_at(&place, &pipeline) {
        Ok((baseline, from)) => read(&baseline, &from, loaded),
        Err(HistoryError::Missing(path)) => {
            let message = format!("no baseline at `{path}`");
            let help = creation(&place);
            match Missing::of(config.gate.policy.missing, sought(&place)) {
                Missing::Fail => Check::bad(ABOUT, Status::Unjudged, message, help),
                Missing::Warn => Check::warn(ABOUT, format!("{message}: regressions are not checked"), help),
            }
        }
        Err(error) => {
            let help = "restore it, or create it again with `akit baseline update`; see docs/baseline.md";
            Check::bad(ABOUT, Status::Unjudged, error.to_string(), help)
        }
    }
}

fn read(baseline: &Baseline, from: &str, loaded: &Loaded) -> Check {
    const ABOUT: &str = "baseline";
    let newest = baseline.runs.last().and_then(|run| run.at.as_deref());
    let age = newest
        .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
        .map(|at| (crate::vocabulary::now() - at.to_utc()).num_days());
    let aged =
        age.map(|days| format!(", newest of {} ago", text::count(usize::try_from(days).unwrap_or(0), "day")));
    let thin = baseline.cases.iter().filter(|case| case.tally().of < Baseline::THIN).count();
    let all = || {
        loaded.scenarios.iter().flat_map(|one| one.cases.iter().map(|case| CaseId::new(&one.name, &case.id)))
    };
    let known = all().filter(|case| baseline.case(*case).is_some()).count();
    let message = format!(
        "{from}: {} of {}{}; it has {known} of the suite's {}, {thin} thin",
        text::count(baseline.cases.len(), "case"),
        text::count(baseline.runs.len(), "run"),
        aged.unwrap_or_default(),
        text::count(all().count(), "case"),
    );
    if age.is_some_and(|days| days > OLD) {
        Check::warn(ABOUT, message, "add a newer run with `akit baseline update run.json`")
    } else if known == 0 && all().next().is_some() {
        Check::warn(ABOUT, message, "cases are matched by scenario name and ID")
    } else if thin > 0 {
        Check::warn(
            ABOUT,
            message,
            "add more runs, or one with `--repeat 5`: too few trials cannot prove a regression",
        )
    } else {
        Check::ok(ABOUT, message)
    }
}

pub(super) fn policy(
    config: &ConfigFile,
    environment: &Environment,
    loaded: &Loaded,
    findings: &mut Vec<Check>,
) {
    const ABOUT: &str = "policy";
    let policy = GateArgs::against(None).policy(&config.gate, environment);
    let passes = policy
        .min_pass_rate
        .map_or("every case must pass, or be no worse than its baseline".to_owned(), |rate| {
            format!("min_pass_rate {rate}")
        });
    let strict = if policy.rigor == Rigor::Strict { ", strict" } else { "" };
    let mut message = format!("{passes}, margin {}, confirm {}{strict}", policy.margin, policy.confirm);
    for (count, noun) in [
        (policy.thresholds.len(), "threshold"),
        (policy.critical.len(), "critical selector"),
        (policy.quarantine.len(), "quarantine"),
    ] {
        if count > 0 {
            // Writing into a string cannot fail.
            let _ = write!(message, ", {}", text::count(count, noun));
        }
    }
    let ended = policy.quarantine.iter().filter(|one| one.until < policy.today).count();
    findings.push(if ended > 0 {
        let message = format!("{message}; {} ended", text::count(ended, "quarantine"));
        Check::warn(ABOUT, message, "fix the case, or extend the quarantine with a new date and reason")
    } else {
        Check::ok(ABOUT, message)
    });
    // A part of the suite may not have everything the policy names.
    let folder = config.folder.join(config.scenarios.as_deref().unwrap_or("scenarios"));
    let files: Vec<PathBuf> = scenario::discover(&[folder]).unwrap_or_default();
    let rest = scenario::load(&files, environment);
    let cases: Vec<_> = named(&loaded.scenarios).chain(named(&rest.scenarios)).collect();
    let mut found = Diagnostics::default();
    if !cases.is_empty() {
        config.gate.check(&cases, &mut found);
    }
    for one in found.iter().take(5) {
        let message = format!("{}: {}", one.location(), one.message);
        findings.push(Check::bad(ABOUT, Status::Invalid, message, one.help.as_str()));
    }
}

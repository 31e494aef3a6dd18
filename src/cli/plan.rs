//! `akit plan`: estimates what a run can detect, and what it takes to detect more. Sends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use super::Status;
use super::args::SeedArgs;
use super::output::Output;
use super::policy::{ProofArgs, read_baseline};
use super::prepare::{Suite, SuiteArgs};
use super::value::whole;
use crate::analysis::{Outlook, Prospect, Setup};
use crate::baseline::Baseline;
use crate::environment::Environment;
use crate::gate::TAG_CASES;
use crate::report::json::pretty;
use crate::report::plan::of_outlook;
use crate::scenario::{Case, Scenario};
use crate::vocabulary::CaseId;

/// Largest drop to plan for.
const WIDEST: f64 = 0.5;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    suite: SuiteArgs<SeedArgs>,
    /// Drop in the pass rate to detect: `3pp`, `3%` or `0.03`
    #[arg(long, value_name = "DROP", value_parser = drop, allow_negative_numbers = true)]
    detect: Option<f64>,
    /// Cases to run at the same time
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = whole::<u16>(1..=65_535, 4), allow_negative_numbers = true)]
    concurrency: u16,
    /// Trials per case [default: 1]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=1000, 3), allow_negative_numbers = true)]
    repeat: Option<u32>,
    #[command(flatten)]
    gate: ProofArgs,
    /// Write the plan as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
}

/// A drop in points, in percent or as a share.
fn drop(text: &str) -> Result<f64, String> {
    let trimmed = text.trim();
    let (number, unit) = match trimmed.strip_suffix("pp").or_else(|| trimmed.strip_suffix('%')) {
        Some(number) => (number.trim_end(), 0.01),
        None => (trimmed, 1.0),
    };
    match number.parse::<f64>().map(|number| number * unit) {
        Ok(drop) if drop > WIDEST => Err(format!("`{text}` is more than 50 points; for example `3pp`")),
        Ok(drop) if drop > 0.0 => Ok(drop),
        Ok(_) => Err(format!("`{text}` is not above 0; for example `3pp`")),
        Err(_) => Err(format!("`{text}` is not a drop; for example `3pp`, `3%` or `0.03`")),
    }
}

pub(super) fn plan(args: &PlanArgs, environment: Environment) -> Result<Status, Status> {
    let suite = Suite::load(&args.suite, environment)?;
    let config = &suite.settings.file;
    let policy = args.gate.policy(&config.gate, &suite.settings.environment);
    let place = args.gate.place(&config.gate, &config.folder);
    let found = read_baseline(place.as_ref(), None, &suite.settings.environment)?;
    let cases: Vec<Prospect> = suite
        .selected()?
        .into_iter()
        .map(|(scenario, case)| prospect(scenario, case, found.baseline()))
        .collect();
    let repeat = args.repeat.or(config.repeat.and_then(|n| u32::try_from(n).ok())).unwrap_or(1);
    let inputs: Vec<_> = suite.files.iter().map(PathBuf::as_path).collect();
    let [json] = Output::open_all([&args.json], &inputs, &suite.settings.environment)?;
    let tags = tags(&suite.selected()?);
    let setup = Setup { repeat, concurrency: args.concurrency.into(), effect: args.detect, tags };
    let Some(outlook) = Outlook::of(&cases, setup, &policy) else { return Err(Status::Nothing) };
    Output::tell([(json, pretty(&outlook))], |_| of_outlook(&outlook, args.concurrency));
    Ok(Status::Passed)
}

/// Number of tags with enough cases for a guard of their own.
fn tags(cases: &[(&Scenario, &Case)]) -> usize {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, case) in cases {
        for tag in case.tags.iter().collect::<BTreeSet<_>>() {
            *counts.entry(tag).or_default() += 1;
        }
    }
    counts.values().filter(|count| **count >= TAG_CASES).count()
}

/// A case with the baseline's entry for it, if that has the same prompt and expectation.
fn prospect(scenario: &Scenario, case: &Case, baseline: Option<&Baseline>) -> Prospect {
    let stored = baseline
        .and_then(|baseline| baseline.case(CaseId::new(&scenario.name, &case.id)))
        .filter(|stored| stored.content_hash == case.content_hash);
    let Some(stored) = stored else { return Prospect::default() };
    Prospect {
        before: stored.tally(),
        cost_usd: stored.cost_usd.map(|mean| mean.mean),
        latency_ms: stored.latency_ms.map(|mean| mean.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_is_written_in_three_ways() {
        for text in ["3pp", "3 pp", "3%", "3 %", "0.03", " 3pp "] {
            assert!((drop(text).unwrap() - 0.03).abs() < 1e-12, "{text}");
        }
        assert!(drop("50pp").is_ok() && drop("0.5pp").is_ok());
        for text in ["0", "0pp", "-3pp", "51pp", "3", "0.51", "", "pp", "three", "3ppp", "nan", "inf"] {
            assert!(drop(text).is_err(), "{text}");
        }
    }
}

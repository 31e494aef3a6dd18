//! `akit baseline show`: the cases with their trials.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::Status;
use super::super::output::Output;
use super::{At, read};
use crate::baseline::{Acceptance, Baseline, BaselineCase, Epoch};
use crate::environment::Environment;
use crate::text;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    at: At,
    /// Write the baseline as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn show(args: &ShowArgs, environment: &Environment) -> Result<Vec<String>, Status> {
    let (baseline, from) = read(&args.at.baseline, environment)?;
    let inputs: Vec<_> = args.at.baseline.file().into_iter().collect();
    let [json] = Output::open_all([&args.json], &inputs, environment)?;
    let to_stdout = matches!(json, Some(Output::Stdout));
    if let Some(output) = json {
        output.write(&json_text(&baseline, &from));
    }
    Ok(if to_stdout { Vec::new() } else { table(&baseline, &from) })
}

fn thin(case: &BaselineCase) -> bool {
    case.tally().of < Baseline::THIN
}

fn table(baseline: &Baseline, from: &str) -> Vec<String> {
    let (cases, runs) = (baseline.cases.len(), baseline.runs.len());
    let mut lines = vec![format!("{from}: {} of {}", text::count(cases, "case"), text::count(runs, "run"))];
    if let Some(newest) = baseline.runs.last() {
        let at = newest.at.as_deref().map(|at| format!(" of {at}")).unwrap_or_default();
        let commit = newest.commit.as_deref().map(|sha| format!(", commit {sha}")).unwrap_or_default();
        lines.push(format!("newest run: {}{at}{commit}", newest.id));
    }
    lines.extend(baseline.epoch.iter().map(epoch_line));
    let width = baseline.cases.iter().map(|case| case.name().chars().count()).max().unwrap_or(0).min(60);
    for case in &baseline.cases {
        let tally = case.tally();
        let trials = format!("{}/{}", tally.hits, tally.of);
        let few = if thin(case) { "  thin" } else { "" };
        let note = baseline.acceptance(&case.name());
        let note = note.map(|note| format!("  accepted: {}", note.reason)).unwrap_or_default();
        lines.push(format!("  {:width$}  {trials:>7}{few}{note}", case.name()));
    }
    let few = baseline.cases.iter().filter(|case| thin(case)).count();
    if few > 0 {
        let cases = text::count(few, "case");
        lines.push(format!(
            "{cases} with fewer than {} trials: only eight or more failures in a row prove that such a case broke",
            Baseline::THIN
        ));
    }
    lines.extend(baseline.accepted.iter().map(note_line));
    lines
}

fn epoch_line(epoch: &Epoch) -> String {
    let grader = epoch.grader.as_deref().map(|name| format!(", judged by {name}")).unwrap_or_default();
    format!("{}: answered by {}{grader}, akit {}", epoch.scenario, epoch.target, epoch.akit)
}

fn note_line(note: &Acceptance) -> String {
    let by = note.by.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    let at = note.at.as_deref().map(|at| format!(" at {at}")).unwrap_or_default();
    format!("accepted{by}{at}: {}: {}", note.cases.join(", "), note.reason)
}

fn json_text(baseline: &Baseline, from: &str) -> String {
    let cases: Vec<_> = baseline
        .cases
        .iter()
        .map(|case| {
            let tally = case.tally();
            json!({
                "scenario": case.scenario,
                "id": case.id,
                "content_hash": case.content_hash,
                "passes": tally.hits,
                "trials": tally.of,
                "thin": thin(case),
                "results": case.results,
                "accepted": baseline.acceptance(&case.name()).map(|note| &note.reason),
            })
        })
        .collect();
    let whole = json!({
        "from": from,
        "runs": baseline.runs,
        "epoch": baseline.epoch,
        "accepted": baseline.accepted,
        "cases": cases,
    });
    format!("{whole:#}")
}

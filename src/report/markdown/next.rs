//! What to do next about a run that does not pass.

use std::collections::BTreeSet;

use crate::gate::{Conclusion, WayOut};
use crate::report::links::REPOSITORY;
use crate::report::{Entry, Report};
use crate::text::{self, markdown};
use crate::vocabulary::{Answer, FindingId};

use super::pen::Pen;
use super::{GROUPS, VALUE, linked};

/// Cases that a command names.
const CASES: usize = 5;

/// Characters of a command.
const COMMAND: usize = 4_000;

/// Kinds of trouble whose help is shown.
const HELPS: usize = 3;

/// Steps, the likeliest first; none where the run passes and has its baseline.
pub(super) fn steps(report: &Report<'_>, pen: &Pen) -> Vec<String> {
    let decision = report.decision;
    let mut steps = Vec::new();
    let mut step = |words: &str| steps.push(format!("- {words}\n"));
    let has =
        |id: &FindingId| decision.findings.iter().chain(&decision.warnings).any(|finding| finding.id == *id);
    let wanting: Vec<_> = report
        .entries()
        .filter(|one| GROUPS.iter().any(|group| group.is_named && (group.holds)(one)))
        .collect();
    let passes = decision.conclusion == Conclusion::Pass;
    if !passes {
        match decision.way_out("run.json") {
            Some(WayOut::Accept { command, then }) => step(&format!(
                "If the change is intended, accept it: {}, {}. `run.json` is this run (`--json`); see {}.",
                pen.code(&command, COMMAND),
                pen.inline(&then, VALUE),
                docs("accept.md")
            )),
            Some(WayOut::NotEnough(why)) => step(&format!(
                "Accepting the failing cases is not enough: {}; see {}.",
                pen.inline(&why, 2 * VALUE),
                docs("accept.md")
            )),
            None => {}
        }
        for help in helps(&wanting) {
            step(&format!("Could not be judged: {}.", pen.inline(help, VALUE)));
        }
        if decision.findings.iter().any(|finding| finding.id == FindingId::Weakened) {
            step(&format!(
                "Restore what is weaker now, or say in the review why; see {}.",
                docs("weakening.md")
            ));
        }
        if let Some(words) = undecided(report) {
            step(&words);
        }
        if let Some(words) = again(report, &wanting, pen) {
            step(&words);
        }
    }
    if has(&FindingId::BaselineMissing) {
        step(&format!(
            "Create the baseline on the main branch: {}; see {}.",
            markdown::code("akit baseline update run.json", COMMAND),
            docs("first-baseline.md")
        ));
    }
    if !passes {
        step(&format!("What each reason means: {}.", docs("findings.md")));
    }
    steps
}

/// What is said to fix errored cases, each once.
fn helps<'a>(wanting: &[Entry<'a>]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let helps = wanting.iter().filter_map(|one| Some(one.fault()?.help.as_str()));
    helps.filter(|help| !help.is_empty() && seen.insert(*help)).take(HELPS).collect()
}

/// How open cases are decided: by more recorded answers, or by asking the application.
fn undecided(report: &Report<'_>) -> Option<String> {
    let open = report.decision.undecided(report.run);
    let any = |what: fn(&Answer) -> bool| {
        open.iter().flat_map(|case| &case.trials).any(|trial| trial.answers().any(what))
    };
    let cases = text::count(open.len(), "open case");
    if any(|answer| answer.given) {
        let command = markdown::code("akit prompts --suspects run.json --trials 10 > ask.jsonl", COMMAND);
        Some(format!("To decide {cases}, collect more answers: {command}, and add them with `--replies`."))
    } else {
        any(|answer| answer.recorded)
            .then(|| format!("To decide {cases}, ask the application: run without `--replay`."))
    }
}

/// The command that runs a few cases again, and the job to start again.
fn again(report: &Report<'_>, wanting: &[Entry<'_>], pen: &Pen) -> Option<String> {
    let job = report.links.run.clone().map(|run| linked("rerun the job", Some(run)));
    let run = report.run;
    if wanting.is_empty() || wanting.len() > CASES || run.suite.is_empty() {
        return job.map(|job| format!("To run it again, {job}."));
    }
    // A run of another workflow may hold anything.
    let is_flag =
        |word: &str| word.starts_with('-') && word.chars().all(|c| c == '-' || c.is_ascii_lowercase());
    let words = run.suite.iter().map(|word| match word.split_once(' ') {
        Some((flag, value)) if is_flag(flag) => format!("{flag} {}", text::argument(value)),
        _ => text::argument(word),
    });
    let cases = wanting.iter().map(|one| format!("--case {}", text::argument(&one.name())));
    let command = format!("akit run {}", words.chain(cases).collect::<Vec<_>>().join(" "));
    let job = job.map_or_else(String::new, |job| format!(", or {job}"));
    let command = pen.code(&command, COMMAND);
    Some(format!("Run only these cases again, with the other flags of this run: {command}{job}."))
}

/// A page of the documentation, as a link where it is known in which repository.
fn docs(page: &str) -> String {
    match REPOSITORY {
        Some(repository) => {
            let version = env!("CARGO_PKG_VERSION");
            format!("[docs/{page}](https://github.com/{repository}/blob/v{version}/docs/{page})")
        }
        None => format!("`docs/{page}`"),
    }
}

//! `akit prompts`: prints what a suite asks, for a pipeline that calls the application itself. Sends nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::args::SeedArgs;
use super::prepare::{Suite, SuiteArgs};
use super::stored::{decided, files};
use super::value::whole;
use super::{Status, terminal};
use crate::environment::Environment;
use crate::gate::Decision;
use crate::manifest::{CaseResult, RunManifest};
use crate::provider::{Message, Role};
use crate::scenario::{Case, Line, Scenario};
use crate::text;
use crate::vocabulary::CaseId;

#[derive(Debug, Args)]
pub(super) struct PromptsArgs {
    #[command(flatten)]
    suite: SuiteArgs<SeedArgs>,
    /// Only the cases this stored run left undecided, with their next trials
    #[arg(long, value_name = "RUN")]
    suspects: Option<PathBuf>,
    /// Trials per case [default: 1]
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = whole::<u32>(1..=1000, 3), allow_negative_numbers = true)]
    trials: u32,
}

/// One question; its answer is a line of `--replies` with the same scenario, id and trial.
#[derive(Serialize)]
struct PromptLine<'a> {
    scenario: &'a str,
    id: &'a str,
    trial: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a [Message]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [serde_json::Value],
}

pub(super) fn prompts(args: &PromptsArgs, environment: Environment) -> Result<Status, Status> {
    let run = args.suspects.as_deref().map(decided).transpose()?;
    let mut suite = args.suite.clone();
    if let (Some((run, _)), true) = (&run, suite.paths.is_empty()) {
        suite.paths = files(run);
    }
    let suite = Suite::load(&suite, environment)?;
    let wanted = match &run {
        Some((run, decision)) => Some(suspects(run, decision.as_ref())?),
        None => None,
    };
    let (mut out, mut asked) = (String::new(), 0);
    for (scenario, case) in suite.selected()? {
        let first = match &wanted {
            None => 0,
            Some(wanted) => match wanted.get(&CaseId::new(&scenario.name, &case.id)) {
                None => continue,
                Some(known) => {
                    asked += 1;
                    if known.content_hash != case.content_hash {
                        let message = format!("{}/{} has changed since that run", scenario.name, case.id);
                        terminal::warning(&message, "new answers prove nothing about that run");
                    }
                    known.trials.iter().map(|trial| trial.index + 1).max().unwrap_or(0)
                }
            },
        };
        for trial in first..first.saturating_add(args.trials) {
            out.push_str(&line(scenario, case, trial)?);
        }
    }
    if let Some(wanted) = &wanted {
        told(wanted.len(), asked)?;
    }
    Ok(Status::of_product(&out))
}

/// The cases of a run that more evidence can decide: they failed, and no extra trial passed.
fn suspects<'a>(
    run: &'a RunManifest,
    decision: Option<&Decision>,
) -> Result<BTreeMap<CaseId<'a>, &'a CaseResult>, Status> {
    let Some(decision) = decision else {
        return Err(
            Status::Invalid.because("the stored run has no decision", "store it with `akit run --json FILE`")
        );
    };
    Ok(decision.undecided(run).into_iter().map(|case| (case.key(), case)).collect())
}

fn told(wanted: usize, asked: usize) -> Result<(), Status> {
    if wanted == 0 {
        terminal::say("that run left no case undecided; there is nothing to ask");
    }
    if asked < wanted {
        let missing = text::count(wanted - asked, "open case");
        return Err(Status::Nothing.because(
            format!("the suite does not have {missing} of that run"),
            "pass the scenarios of that run, unchanged",
        ));
    }
    Ok(())
}

fn line(scenario: &Scenario, case: &Case, trial: u32) -> Result<String, Status> {
    let prompt = match case.messages.as_slice() {
        _ if case.dialogue.is_some() => None,
        [only] if only.role == Role::User => Some(only.content.as_str()),
        _ => None,
    };
    // For a conversation, what the customer says; an answer belongs after each message. With rules, only the first
    // message is known.
    let mut messages = case.messages.clone();
    if let Some(dialogue) = &case.dialogue {
        let lines = dialogue.turns().iter().map(Line::written);
        let opening = lines.len().eq(&0).then(|| dialogue.opening());
        messages.extend(lines.chain(opening).map(|said| Message::new(Role::User, said)));
    }
    let row = PromptLine {
        scenario: &scenario.name,
        id: &case.id,
        trial,
        prompt,
        messages: prompt.is_none().then_some(messages.as_slice()),
        tools: &scenario.functions.sent,
    };
    let text = serde_json::to_string(&row).map_err(|error| Status::Invalid.because(error.to_string(), ""))?;
    Ok(text + "\n")
}

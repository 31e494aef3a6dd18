//! One case: asked, judged, written down.

use serde_json::json;

use super::plan::{Planned, Target};
use crate::client::{Ask, Patience};
use crate::expectation::Answer;
use crate::grader::{Bench, Graders};
use crate::manifest::{CaseResult, Fault, Outcome, Reply, Trial, Verdict};
use crate::provider::ChatRequest;
use crate::scenario::{Case, Scenario};
use crate::seed::Root;

/// Asks a case once and judges the answer.
pub(super) async fn case(
    scenario: &Scenario,
    planned: &Planned,
    graders: &Graders,
    root: Root,
) -> CaseResult {
    let case = &scenario.cases[planned.case];
    let trial = match answer(scenario, case, planned, root).await {
        Ok(reply) => judged(scenario, case, graders, root, reply).await,
        Err(fault) => errored(None, None, fault),
    };
    let reason = match (&trial.fault, &trial.verdict) {
        (Some(fault), _) => fault.message.clone(),
        (None, Some(verdict)) if trial.outcome == Outcome::Failed => verdict.reason.clone(),
        _ => String::new(),
    };
    CaseResult {
        outcome: trial.outcome,
        score: trial.score,
        trials: vec![trial],
        ..blank(scenario, case, reason)
    }
}

/// A case that was not asked.
pub(super) fn skipped(scenario: &Scenario, planned: &Planned, reason: String) -> CaseResult {
    blank(scenario, &scenario.cases[planned.case], reason)
}

/// A case whose judging ended in a defect of akit.
pub(super) fn crashed(scenario: &Scenario, planned: &Planned) -> CaseResult {
    let message = "akit itself failed while it judged this case or one beside it".to_owned();
    let trial =
        errored(None, None, fault("internal", message.clone(), "please report this with the message above"));
    let case = &scenario.cases[planned.case];
    CaseResult { outcome: Outcome::Errored, trials: vec![trial], ..blank(scenario, case, message) }
}

fn blank(scenario: &Scenario, case: &Case, reason: String) -> CaseResult {
    CaseResult {
        scenario: scenario.name.clone(),
        id: case.id.clone(),
        name: case.name.clone(),
        tags: case.tags.clone(),
        location: case.location.clone(),
        content_hash: case.content_hash.clone(),
        outcome: Outcome::Skipped,
        score: None,
        reason,
        prompt: case.asked().to_owned(),
        trials: Vec::new(),
    }
}

async fn answer(scenario: &Scenario, case: &Case, planned: &Planned, root: Root) -> Result<Reply, Fault> {
    let Some(job) = &planned.job else {
        return Err(fault("not-planned", "the case has no target".to_owned(), ""));
    };
    match &job.target {
        Target::Replies(replies) => replies.find(&scenario.name, &case.id, 0).cloned().ok_or_else(|| {
            fault(
                "no-reply",
                format!("there is no reply to this case in {}", replies.name()),
                "add a line with its id to the file of replies",
            )
        }),
        Target::Model { client, model, seeded } => {
            let seed = root.derive(&["target", &scenario.name, &case.id, "0"]);
            let request = ChatRequest {
                model: model.clone(),
                messages: case.messages.clone(),
                temperature: scenario.temperature,
                max_tokens: scenario.max_tokens,
                seed: seeded.then_some(seed),
                tools: scenario.tools.clone(),
                output: None,
            };
            let mut content = json!({ "messages": case.messages, "trial": 0 });
            if !scenario.tools.is_empty() {
                content["tools"] = json!(scenario.tools);
            }
            let purpose = format!("the reply to {}/{}", scenario.name, case.id);
            let jitter = root.derive(&["retry", &scenario.name, &case.id, "0"]);
            let patience = Patience { jitter: jitter.into(), ..job.patience };
            let ask = Ask {
                request: &request,
                kind: "reply",
                content: &content,
                root,
                purpose: &purpose,
                patience,
            };
            let exchange = client.ask(&ask).await.map_err(|error| error.fault())?;
            Ok(Reply {
                text: exchange.completion.text,
                finish_reason: exchange.completion.finish_reason,
                model: exchange.completion.model,
                system_fingerprint: exchange.completion.system_fingerprint,
                latency_ms: Some(exchange.latency_ms),
                usage: exchange.completion.usage,
                recorded: exchange.recorded,
            })
        }
    }
}

async fn judged(scenario: &Scenario, case: &Case, graders: &Graders, root: Root, reply: Reply) -> Trial {
    let (messages, scenario, case_id) = (&case.messages, &scenario.name, &case.id);
    let bench = Bench { graders, root, messages, scenario, case: case_id, trial: 0 };
    let answer = Answer { text: &reply.text, finish_reason: reply.finish_reason.as_deref() };
    let verdict = case.expectation.judge(&answer, &bench).await;
    if verdict.outcome == Outcome::Errored {
        let fault = cause(&verdict);
        return errored(Some(reply), Some(verdict), fault);
    }
    Trial {
        index: 0,
        outcome: verdict.counted(),
        score: verdict.score,
        reply: Some(reply),
        verdict: Some(verdict),
        fault: None,
    }
}

fn errored(reply: Option<Reply>, verdict: Option<Verdict>, fault: Fault) -> Trial {
    Trial { index: 0, outcome: Outcome::Errored, score: None, reply, verdict, fault: Some(fault) }
}

/// The first cause of an errored verdict.
fn cause(verdict: &Verdict) -> Fault {
    let mut found = None;
    verdict.walk(&mut |one| {
        if found.is_none() && one.outcome == Outcome::Errored && one.parts.is_empty() {
            found = Some(one);
        }
    });
    let one = found.unwrap_or(verdict);
    one.fault.clone().unwrap_or_else(|| {
        fault("expectation-error", format!("{}: {}", one.kind, one.reason), "simplify the expectation")
    })
}

fn fault(kind: &str, message: String, help: &str) -> Fault {
    Fault { kind: kind.to_owned(), message, help: help.to_owned() }
}

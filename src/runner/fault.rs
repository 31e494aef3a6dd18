//! Faults: why there is nothing to judge, or no verdict.

use crate::manifest::{Fault, Verdict};
use crate::scenario::Scenario;
use crate::text;
use crate::vocabulary::{Answer, FaultKind, Outcome, StopReason, StopWords};

/// Why an answer cannot be judged.
pub(super) fn no_answer(scenario: &Scenario, answer: &Answer) -> Option<Fault> {
    let word = || text::excerpt(answer.finish_reason.as_deref().unwrap_or_default(), 40);
    match answer.stop() {
        StopReason::Broken => {
            let message = format!("the answer ended with an error (finish_reason {})", word());
            Some(Fault::new(FaultKind::BrokenAnswer, message, "run again, or check the application's log"))
        }
        StopReason::Unknown => {
            let message =
                format!("the answer ended with `{}`, which akit does not know: it may be incomplete", word());
            let help = format!(
                "look up what it means, and set `providerConfig: {{ stopWords: {{ \"{}\": complete }} }}` (or {})",
                word(),
                StopWords::MEANINGS[1..].join(", ")
            );
            Some(Fault::new(FaultKind::UnknownStopReason, message, &help))
        }
        StopReason::Complete
        | StopReason::ToolCalls
        | StopReason::Cut
        | StopReason::Refused
        | StopReason::Filtered => {
            let call = scenario.functions.undeclared(&answer.tool_calls)?;
            let (name, names) = (text::excerpt(&call.name, 60), scenario.functions.names());
            let message = format!("the answer calls `{name}`, which `setup.functions` does not declare");
            let known: Vec<_> = names.iter().map(String::as_str).collect();
            let help = text::meant(&name, &known, || format!("it declares {}", text::list(&known)));
            Some(Fault::new(FaultKind::UndeclaredFunction, message, &help))
        }
    }
}

/// The first cause of an errored verdict.
pub(super) fn cause(verdict: &Verdict) -> Fault {
    let mut found = None;
    verdict.walk(&mut |one| {
        if found.is_none() && one.outcome == Outcome::Errored && one.parts.is_empty() {
            found = Some(one);
        }
    });
    let one = found.unwrap_or(verdict);
    one.fault.as_deref().cloned().unwrap_or_else(|| {
        Fault::new(
            FaultKind::ExpectationError,
            format!("{}: {}", one.kind, one.reason),
            "change the expectation, or what it checks; the reason says what could not be checked",
        )
    })
}

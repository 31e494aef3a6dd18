//! What a run may cost, printed and checked before anything is sent.

use super::Status;
use crate::runner::{Asked, Forecast, Purpose};
use crate::text::number::whole;

/// Basis of the figures.
const NOTES: &str = "
At most: every extra trial of a failing case, every vote, every second attempt at a verdict, and full-length answers.
Retries after errors are not included; `--budget` counts them. Answers in the cache are not subtracted.
If the tokens of an answer have no known limit, set `maxTokens`.
";

/// Rejects a budget that cannot be enforced, or that may not cover every case.
pub(super) fn check(forecast: &Forecast, budget: f64) -> Result<(), Status> {
    for (endpoint, _, asked) in forecast.asked() {
        match &asked.dearest {
            Err(why) => {
                let message = format!("`--budget` cannot be enforced: {why} ({endpoint})");
                return Err(Status::Invalid.because(message, format!("nothing was sent; {}", why.help())));
            }
            Ok(worst) if *worst > budget => {
                let message = format!(
                    "`--budget` is too small: {} of {} ({endpoint}) can cost {}",
                    if asked.is_conversation { "one conversation" } else { "one answer" },
                    asked.model,
                    dollars(*worst)
                );
                let help = "nothing was sent; set `maxTokens` (of the judge: `grader.maxTokens`), or raise `--budget`";
                return Err(Status::Invalid.because(message, help));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// What would be sent where, and what it may cost.
pub(super) fn told(forecast: &Forecast) -> String {
    let mut out = "Dry run: nothing was sent.\n".to_owned();
    let (mut total, mut here) = (nothing(), nothing());
    let mut place = None;
    for (endpoint, purpose, asked) in forecast.asked() {
        if place != Some(endpoint) {
            if place.is_some() {
                out.push_str(&line("in all", "", &here));
            }
            here = nothing();
            out.extend(["\n", endpoint, "\n"]);
            place = Some(endpoint);
        }
        out.push_str(&line(name(purpose), &asked.model, asked));
        add(&mut here, asked);
        add(&mut total, asked);
    }
    if place.is_none() {
        return out + "\nNo model would be called: every answer is recorded.\n";
    }
    out + &line("in all", "", &here) + "\neverywhere\n" + &line("in all", "", &total) + NOTES
}

fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Answers => "answers",
        Purpose::Verdicts => "verdicts",
        Purpose::Canaries => "canaries",
        Purpose::Embeddings => "embeddings",
    }
}

fn nothing() -> Asked {
    let (tokens, cost) = ([Some(0); 2], [Some(0.0); 2]);
    Asked { model: String::new(), calls: [0; 2], tokens, cost, dearest: Ok(0.0), is_conversation: false }
}

fn add(sum: &mut Asked, more: &Asked) {
    for at in [0, 1] {
        sum.calls[at] += more.calls[at];
        sum.tokens[at] = sum.tokens[at].zip(more.tokens[at]).map(|(sum, more)| sum.saturating_add(more));
        sum.cost[at] = sum.cost[at].zip(more.cost[at]).map(|(sum, more)| sum + more);
    }
}

fn line(what: &str, model: &str, asked: &Asked) -> String {
    let calls = asked.calls.map(|calls| format!("{} calls", whole(calls)));
    let unlimited = || "no known limit on tokens".to_owned();
    let tokens = asked.tokens.map(|it| it.map_or_else(unlimited, |it| format!("{} tokens", whole(it))));
    let unpriced = || match model {
        "" => "unknown price".to_owned(),
        model => format!("unknown price: {model}"),
    };
    let costs = match asked.cost {
        [None, _] => [unpriced(), String::new()],
        [Some(likely), most] => [dollars(likely), most.map(dollars).unwrap_or_default()],
    };
    let all = |at: usize| {
        let parts = [&calls[at], &tokens[at], &costs[at]].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let label = [what, model].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" of ");
    format!("  {label}: {}\n    at most {}\n", all(0), all(1))
}

fn dollars(cost: f64) -> String {
    format!("${cost:.4}")
}

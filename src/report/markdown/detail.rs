//! One case that needs a look, folded up.

use std::fmt::Write as _;

use crate::manifest::Verdict;
use crate::report::Entry;
use crate::report::entry::{bad, said, score, votes};
use crate::text::markdown::{block, code, inline};
use crate::vocabulary::Outcome;

/// Characters of one value.
const VALUE: usize = 300;

/// Bytes of the answer.
const ANSWER: usize = 600;

/// Verdicts of one case.
const VERDICTS: usize = 5;

/// A `<details>` element with blank lines where Markdown needs them.
pub(super) fn of(entry: &Entry<'_>) -> String {
    let mut out = format!(
        "\n<details><summary>{} — {}</summary>\n\n",
        code(&entry.name(), 150),
        inline(why(entry), 150)
    );
    // Writing to a String cannot fail.
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "- {label}: {}", inline(value, VALUE));
        }
    };
    line("title", entry.case.name.as_deref().unwrap_or_default());
    line("at", &entry.case.location.to_string());
    line("state", &entry.remark().unwrap_or_default());
    if let Some((passed, all)) = entry.tally() {
        line("trials", &format!("{passed} of {all} passed"));
    }
    line("asked", &entry.case.prompt);
    let told = match entry.case.outcome {
        Outcome::Passed => entry.case.trials.iter().find(|trial| bad(trial.outcome)),
        _ => entry.trial(),
    };
    if let Some(trial) = told {
        if let Some(fault) = &trial.fault {
            line(&code(fault.kind.word(), 60), &fault.message);
            line("help", &fault.help);
        }
        let culprits = trial.culprits();
        for verdict in culprits.iter().take(VERDICTS) {
            tell(&mut line, verdict);
        }
        if culprits.len() > VERDICTS {
            line("and", &format!("{} more", culprits.len() - VERDICTS));
        }
        if let Some(reply) = trial.reply.as_ref().filter(|reply| !reply.text.is_empty()) {
            let _ = write!(out, "\nThe answer:\n\n{}\n", block(&reply.text, ANSWER));
        }
    }
    out.push_str("\n</details>\n");
    out
}

/// The reason; for a case that passed in the end, that of the trial that did not.
fn why<'a>(entry: &Entry<'a>) -> &'a str {
    let odd = entry.case.trials.iter().find(|trial| bad(trial.outcome));
    match (entry.case.outcome, odd) {
        (Outcome::Passed, Some(trial)) => trial.reason(),
        _ => entry.reason(),
    }
}

fn tell(line: &mut impl FnMut(&str, &str), verdict: &Verdict) {
    line(&code(verdict.kind.word(), 60), said(&verdict.reason, verdict.outcome));
    line("expected", &verdict.expected);
    line("got", &verdict.got);
    line("score", &score(verdict).unwrap_or_default());
    if let Some(grade) = &verdict.grade {
        line("judge", &grade.grader);
        line("votes", &votes(&grade.votes));
        line("reasoning", &grade.reasoning);
    }
}

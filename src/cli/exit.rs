//! Exit status, as documented in docs/exit-codes.md. It comes from the decision alone, never from
//! the format of a report.

use std::process::ExitCode;

use crate::gate::{Decision, Ruling};
use crate::manifest::Ended;

/// What a pipeline sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The gate passed, or the command did what it was asked.
    Passed,
    /// The gate failed: a threshold or a regression.
    Failed,
    /// Usage, configuration or scenario invalid; nothing was sent.
    Invalid,
    /// Nothing was evaluated: no file, no case matched.
    Nothing,
    /// Could not be judged: provider, grader or baseline unavailable, a cache miss in replay.
    Unjudged,
    /// The evidence neither fails nor clears the run.
    Inconclusive,
    /// The budget or the deadline ended the run before a verdict.
    Spent,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Status {
    /// Every status with its meaning, in the order of codes.
    pub const ALL: [(Status, &'static str); 9] = [
        (Status::Passed, "the gate passed"),
        (Status::Failed, "the gate failed: a threshold or a regression"),
        (Status::Invalid, "usage, configuration or scenario invalid; nothing was sent"),
        (Status::Nothing, "nothing was evaluated: no file, no case matched"),
        (
            Status::Unjudged,
            "could not be judged: provider, grader or baseline unavailable, cache miss in replay",
        ),
        (
            Status::Inconclusive,
            "inconclusive: a failure is neither confirmed nor excused, or the application was not asked",
        ),
        (Status::Spent, "the budget or the deadline ended the run before a verdict"),
        (Status::Interrupted, "interrupted (Ctrl-C); partial reports are written and say so"),
        (Status::Terminated, "terminated (SIGTERM); partial reports are written and say so"),
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Status::Passed => 0,
            Status::Failed => 1,
            Status::Invalid => 2,
            Status::Nothing => 3,
            Status::Unjudged => 4,
            Status::Inconclusive => 5,
            Status::Spent => 6,
            Status::Interrupted => 130,
            Status::Terminated => 143,
        }
    }

    /// The status of a decided run: of several that hold, 1 before 4 before 6 before 5 before 3.
    #[must_use]
    pub fn of(decision: &Decision, ended: Ended) -> Self {
        match (ended, decision.ruling) {
            (Ended::Interrupted, _) => Status::Interrupted,
            (Ended::Terminated, _) => Status::Terminated,
            (_, Ruling::Fail) => Status::Failed,
            (_, Ruling::Inconclusive) => Status::Inconclusive,
            (_, Ruling::Pass) => Status::Passed,
            (_, Ruling::Error) => {
                let errors = || decision.breaches.iter().filter(|breach| breach.ruling == Ruling::Error);
                let only = |ids: &[&str]| errors().all(|breach| ids.contains(&breach.id.as_str()));
                let open = decision.breaches.iter().any(|breach| breach.ruling == Ruling::Inconclusive);
                if only(&["nothing-judged"]) && open {
                    Status::Inconclusive
                } else if only(&["nothing-judged"]) && decision.counts.judged() == 0 {
                    Status::Nothing
                } else if only(&["nothing-judged"]) {
                    Status::Unjudged
                } else if only(&["nothing-judged", "budget", "deadline"]) {
                    Status::Spent
                } else {
                    Status::Unjudged
                }
            }
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Breach, Power};
    use crate::manifest::Counts;

    /// Breaches, and the exit code.
    type Row<'a> = (&'a [(&'a str, Ruling)], u8);

    fn decision(strict: bool, breaches: &[(&str, Ruling)]) -> Decision {
        let breach = |(id, ruling): &(&str, Ruling)| Breach {
            id: (*id).to_owned(),
            ruling: *ruling,
            message: String::new(),
            measured: None,
            limit: None,
            p_value: None,
            location: None,
        };
        let mut breaches: Vec<_> = breaches.iter().map(breach).collect();
        breaches.sort_by_key(|breach| breach.ruling);
        Decision {
            ruling: breaches.first().map_or(Ruling::Pass, |breach| breach.ruling),
            strict,
            summary: String::new(),
            counts: Counts::default(),
            pass_rate: None,
            breaches,
            warnings: Vec::new(),
            cases: Vec::new(),
            power: Power::default(),
            compared: None,
        }
    }

    /// 1 before 4 before 6 before 5 before 3; an interruption is told whatever was found.
    #[test]
    fn the_gravest_of_several_counts() {
        use Ruling::{Error, Fail, Inconclusive};
        let (failed, errors) = (("regression", Fail), ("errors", Error));
        let (budget, open, nothing) =
            (("budget", Error), ("unconfirmed", Inconclusive), ("nothing-judged", Error));
        let table: &[Row<'_>] = &[
            (&[], 0),
            (&[open], 5),
            (&[nothing], 3),
            (&[nothing, open], 5),
            (&[budget], 6),
            (&[("deadline", Error), nothing], 6),
            (&[budget, open], 6),
            (&[errors, budget], 4),
            (&[errors, open, nothing], 4),
            (&[("baseline-missing", Error)], 4),
            (&[failed, errors, budget, open, nothing], 1),
        ];
        for (breaches, code) in table {
            for is_strict in [false, true] {
                let decision = decision(is_strict, breaches);
                assert_eq!(Status::of(&decision, Ended::Complete).code(), *code, "{breaches:?} {is_strict}");
                assert_eq!(Status::of(&decision, Ended::Interrupted).code(), 130);
                assert_eq!(Status::of(&decision, Ended::Terminated).code(), 143);
            }
        }
    }
}

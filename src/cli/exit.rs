//! Exit codes, as documented in docs/exit-codes.md. They depend on the decision alone, never on
//! the format of a report.

use std::process::ExitCode;

use strum::{EnumIter, EnumMessage, IntoEnumIterator};

use super::terminal;
use crate::gate::{Conclusion, Decision};
use crate::manifest::Ended;
use crate::vocabulary::{FindingId, meaning};

/// Exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumMessage)]
pub enum Status {
    /// The gate passed.
    Passed,
    /// The gate failed: a threshold or a regression.
    Failed,
    /// Usage, configuration or scenario invalid; nothing was sent.
    Invalid,
    /// Nothing was evaluated: no file, no case matched.
    Nothing,
    /// Could not be judged: provider, judge or baseline unavailable, cache miss in replay.
    Unjudged,
    /// Inconclusive: a failure is neither confirmed nor excused, or the application was not asked.
    Inconclusive,
    /// Budget or deadline ended the run before a decision.
    Spent,
    /// Interrupted (Ctrl-C); partial reports are written and say so.
    Interrupted,
    /// Terminated (SIGTERM); partial reports are written and say so.
    Terminated,
}

impl Status {
    /// Every exit code with its meaning, in order.
    pub fn all() -> impl Iterator<Item = (u8, String)> {
        Self::iter().map(|status| (status.code(), meaning(&status)))
    }

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

    /// Writes a command's output, and fails if it cannot.
    pub(super) fn of_product(text: &str) -> Self {
        terminal::sent(text, "choose another path").map_or(Status::Invalid, |()| Status::Passed)
    }

    /// The exit code of a command that stopped early.
    pub(super) fn stopped(by: Ended) -> Self {
        match by {
            Ended::Interrupted => Status::Interrupted,
            Ended::Terminated => Status::Terminated,
            Ended::Complete | Ended::FailFast | Ended::Budget | Ended::Deadline => Status::Spent,
        }
    }

    /// Prints why a command stops and how to fix it, and returns its exit code.
    pub(super) fn because(self, message: impl AsRef<str>, help: impl AsRef<str>) -> Self {
        terminal::error(message.as_ref(), help.as_ref());
        self
    }

    /// The exit code of a decided run: if several apply, the first of 1, 4, 6, 5, 3.
    #[must_use]
    pub fn of(decision: &Decision, ended: Ended) -> Self {
        match (ended, decision.conclusion) {
            (Ended::Interrupted | Ended::Terminated, _) => Status::stopped(ended),
            (_, Conclusion::Fail) => Status::Failed,
            (_, Conclusion::Inconclusive) if !decision.tolerated => Status::Inconclusive,
            (_, Conclusion::Inconclusive | Conclusion::Pass) => Status::Passed,
            (_, Conclusion::Error) => {
                let errors =
                    || decision.findings.iter().filter(|finding| finding.conclusion == Conclusion::Error);
                let only = |ids: &[FindingId]| errors().all(|finding| ids.contains(&finding.id));
                let open =
                    decision.findings.iter().any(|finding| finding.conclusion == Conclusion::Inconclusive);
                if only(&[FindingId::NothingJudged]) && open {
                    Status::Inconclusive
                } else if only(&[FindingId::NothingJudged]) && decision.counts.judged() == 0 {
                    Status::Nothing
                } else if only(&[FindingId::NothingJudged]) {
                    Status::Unjudged
                } else if only(&[FindingId::NothingJudged, FindingId::Budget, FindingId::Deadline]) {
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
    use crate::gate::{Finding, Power};
    use crate::manifest::Counts;
    use crate::vocabulary::Subject;

    /// Findings, and the exit code.
    type ExitRow<'a> = (&'a [(&'a str, Conclusion)], u8);

    fn decision(strict: bool, findings: &[(&str, Conclusion)]) -> Decision {
        let finding = |(id, conclusion): &(&str, Conclusion)| Finding {
            id: FindingId::of(id),
            subject: Subject::Run,
            conclusion: *conclusion,
            message: String::new(),
            measured: None,
            limit: None,
            p_value: None,
            location: None,
        };
        let mut findings: Vec<_> = findings.iter().map(finding).collect();
        findings.sort_by_key(|finding| finding.conclusion);
        Decision {
            conclusion: findings.first().map_or(Conclusion::Pass, |finding| finding.conclusion),
            strict,
            tolerated: false,
            summary: String::new(),
            counts: Counts::default(),
            pass_rate: None,
            findings,
            warnings: Vec::new(),
            cases: Vec::new(),
            excuses: Vec::new(),
            power: Power::default(),
            compared: None,
            create: String::new(),
        }
    }

    /// 1 before 4 before 6 before 5 before 3; an interruption takes precedence over all.
    #[test]
    fn the_gravest_of_several_findings_decides() {
        use Conclusion::{Error, Fail, Inconclusive};
        let (failed, errors) = (("regression", Fail), ("errors", Error));
        let (budget, open, nothing) =
            (("budget", Error), ("unconfirmed", Inconclusive), ("nothing-judged", Error));
        let table: &[ExitRow<'_>] = &[
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
        for (findings, code) in table {
            for is_strict in [false, true] {
                let mut decision = decision(is_strict, findings);
                assert_eq!(Status::of(&decision, Ended::Complete).code(), *code, "{findings:?} {is_strict}");
                assert_eq!(Status::of(&decision, Ended::Interrupted).code(), 130);
                assert_eq!(Status::of(&decision, Ended::Terminated).code(), 143);
                // A pipeline may continue only if all open cases were asked and passed at least once.
                decision.tolerated = true;
                let code = if *code == 5 && decision.conclusion == Inconclusive { 0 } else { *code };
                assert_eq!(Status::of(&decision, Ended::Complete).code(), code, "{findings:?}");
            }
        }
    }
}

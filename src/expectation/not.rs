//! `not: {…}`: an expectation fails. An error stays an error.

use super::{Candidate, Expectation, hollow, verdict};
use crate::grader::Bench;
use crate::manifest::Verdict;
use crate::source::{Field, Shape};
use crate::vocabulary::{Outcome, VerdictKind};

pub(super) const FIELDS: &[Field] =
    &[Field::required("not", Shape::Part("expected"), "Expectation that must fail.")];

/// An inverted expectation.
#[derive(Clone, Debug)]
pub struct Not {
    inner: Box<Expectation>,
}

impl Not {
    pub(super) fn of(inner: Expectation) -> Self {
        Self { inner: Box::new(inner) }
    }

    pub(super) fn inner(&self) -> &Expectation {
        &self.inner
    }

    pub(super) async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        let proves_nothing = match answer.seen {
            Some(seen) if seen.hollow() => answer.hollow().or(Some("the answer was not complete".to_owned())),
            Some(_) => None,
            None => answer.hollow(),
        };
        // An answer that is too long to ask a judge about does not pass either.
        let mut judges =
            self.inner.graders().into_iter().filter_map(|one| bench.graders.find(one.named()).ok());
        let too_long = judges.find_map(|one| one.too_long(answer.text, answer.tool_calls));
        let unsaid = answer.talk.and_then(|talk| self.inner.unsaid(talk));
        let unsaid = unsaid.map(|id| format!("turn `{}` did not happen", crate::text::excerpt(id, 40)));
        if let Some(reason) = proves_nothing.or(too_long).or(unsaid) {
            return hollow(VerdictKind::Not, &reason);
        }
        let inner = self.inner.judge(&answer.part(0), bench).await;
        let passed = inner.outcome == Outcome::Failed;
        let mut graded = false;
        inner.walk(&mut |one| graded |= one.kind.is_graded());
        let score = if passed && !graded { 1.0 } else { 1.0 - inner.score.unwrap_or(1.0) };
        let mut verdict = verdict(VerdictKind::Not, passed, score);
        if inner.outcome == Outcome::Errored {
            verdict.outcome = Outcome::Errored;
            verdict.score = None;
        }
        verdict.expected = format!("not {}", inner.expected);
        verdict.reason = match inner.outcome {
            Outcome::Errored => inner.reason.clone(),
            _ if passed => format!("`{}` failed, as required: {}", inner.kind, inner.reason),
            _ if inner.kind == VerdictKind::Regex => format!("must not match, but {}", inner.reason),
            _ => format!("`{}` must fail, but it passed: {}", inner.kind, inner.reason),
        };
        verdict.got.clone_from(&inner.got);
        verdict.advisory.clone_from(&inner.advisory);
        verdict.parts = vec![inner];
        verdict
    }
}

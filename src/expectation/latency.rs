//! `latency`: the whole answer arrived in time. Without a measured time, the expectation is errored.

use super::{Candidate, Reading, TYPE, errored, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text::number::whole;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required(
        "max_ms",
        Shape::Integer(1),
        "Maximum time until the answer is complete, in milliseconds.",
    ),
];

/// The longest time to an answer.
#[derive(Clone, Debug)]
pub struct Latency {
    max_ms: u64,
}

/// `2,000 ms`.
fn shown(ms: u64) -> String {
    format!("{} ms", whole(ms))
}

impl Latency {
    pub(super) fn read(fields: &Fields<'_>, _: &mut Reading<'_>) -> Option<Self> {
        fields.integer("max_ms").map(|max_ms| Self { max_ms })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let Some(took) = answer.latency_ms else {
            let reason = "the latency of the answer was not measured";
            return errored(VerdictKind::Latency, reason.to_owned());
        };
        let mut found = verdict(VerdictKind::Latency, took <= self.max_ms, 0.0);
        found.expected = format!("an answer within {}", shown(self.max_ms));
        found.reason = format!("the answer took {}; at most {} allowed", shown(took), shown(self.max_ms));
        match answer.hollow() {
            // An answer that was cut off would have taken longer, and an empty one does not count as fast.
            Some(reason) if took <= self.max_ms => {
                Verdict { reason, ..verdict(VerdictKind::Latency, false, 0.0) }
            }
            _ => found,
        }
    }

    /// Always empty: a latency has no fixed text.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less: it allows more time.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let message = format!("the limit was {}", shown(self.max_ms));
        let more = now.max_ms > self.max_ms;
        more.then(|| Weaker::new(WeakeningKind::LimitLoosened, &["max_ms"], message)).into_iter().collect()
    }
}

//! Whether the answers became slower or more expensive than in the baseline.
//!
//! Compared case by case, as ratios: a mean over the suite would be dominated by its slowest cases. A slow server
//! affects all cases of a run at once, and no test over cases can tell that from a real change; so a shift is a
//! warning unless the policy fails on it.

use super::evidence::CaseEvidence;
use super::finding::{Finding, Findings};
use super::{Category, suite};
use crate::baseline::Mean;
use crate::manifest::Trial;
use crate::seed::Root;
use crate::stats;
use crate::vocabulary::{Answer, FindingId};

/// Shifts up to this ratio do not count.
const MARGIN: f64 = 1.2;

/// The probability of calling an unchanged suite slower or more expensive. These tests have a level of their own.
const ALPHA: f64 = 0.05;

/// Shorter latencies count as this many milliseconds: below it, the clock's own noise dominates.
const FLOOR: f64 = 20.0;

/// Draws of the sign-flip test, above 16 pairs.
const DRAWS: u32 = 9_999;

/// Reports shifts of latency and cost, corrected for two tests.
pub(super) fn shifts(cases: &[CaseEvidence<'_>], log: &mut Findings<'_>) {
    let latency = |reply: &Answer| reply.latency_ms.map(stats::real);
    let tests = [
        (
            FindingId::LatencyRegression,
            Category::Latency,
            ratios(cases, FLOOR, |stored| stored.latency_ms, latency),
        ),
        (
            FindingId::CostRegression,
            Category::Cost,
            ratios(cases, 0.0, |stored| stored.cost_usd, |reply| reply.cost_usd),
        ),
    ];
    let p_values = tests.each_ref().map(|(id, _, ratios)| {
        stats::sign_flip(ratios, MARGIN.ln(), DRAWS, &mut Root(0).stream(&[id.word()]))
    });
    for ((id, category, ratios), p) in tests.into_iter().zip(stats::holm(&p_values)) {
        let Some(ratio) = stats::mean(&ratios).filter(|_| p <= ALPHA).map(f64::exp) else { continue };
        let what = if category == Category::Latency { "slower" } else { "more expensive" };
        let message = format!(
            "answers are {what}: {ratio:.2} times the baseline, over {} ({})",
            crate::text::count(ratios.len(), "compared case"),
            super::probability(p)
        );
        log.raise(
            category,
            Finding {
                measured: Some(ratio),
                limit: Some(MARGIN),
                p_value: Some(p),
                ..Finding::new(id, message)
            },
        );
    }
}

/// The logarithm of now over before, for each compared case that has both.
fn ratios(
    cases: &[CaseEvidence<'_>],
    floor: f64,
    before: impl Fn(&crate::baseline::BaselineCase) -> Option<Mean>,
    now: impl Fn(&Answer) -> Option<f64>,
) -> Vec<f64> {
    suite::pairs(cases)
        .filter_map(|case| {
            let before = before(case.stored?)?.mean;
            let replies = case.result.ordinary().flat_map(Trial::answers);
            let now = stats::mean(replies.filter_map(&now))?;
            let (before, now) = (before.max(floor), now.max(floor));
            (before > 0.0 && now > 0.0).then(|| (now / before).ln())
        })
        .collect()
}

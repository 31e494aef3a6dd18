//! Whether the answers became slower or more expensive than in the baseline.
//!
//! Compared case by case, as ratios: a mean over the suite would be dominated by its slowest cases. A slow server
//! affects all cases of a run at once, and no test over cases can tell that from a real change; so a shift is a
//! warning unless the policy fails on it.

use super::evidence::CaseEvidence;
use super::finding::{Finding, Findings};
use super::{Category, suite};
use crate::manifest::{CaseResult, Trial};
use crate::seed::Root;
use crate::stats;
use crate::vocabulary::{Answer, FindingId};

/// Shifts up to this ratio do not count.
const MARGIN: f64 = 1.2;

/// The probability of calling an unchanged suite slower or more expensive. These tests have a level of their own.
const ALPHA: f64 = 0.05;

/// Shorter latencies count as this many milliseconds: below it, the clock's own noise dominates.
pub(super) const FLOOR: f64 = 20.0;

/// Draws of the sign-flip test, above 16 pairs.
const DRAWS: u32 = 9_999;

/// Which answers of a case count.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Numbers {
    /// Those with the number, so that one answer without it does not hide the others from the test.
    Known,
    /// All: a case with an answer that lacks the number is left out, because a mean of the others would be shown as if it
    /// covered all.
    All,
}

/// Reports shifts of latency and cost, corrected for two tests.
pub(super) fn shifts(cases: &[CaseEvidence<'_>], log: &mut Findings<'_>) {
    let tests = [
        (FindingId::LatencyRegression, Category::Latency, ratios(times(cases, Numbers::Known), FLOOR)),
        (FindingId::CostRegression, Category::Cost, ratios(costs(cases, Numbers::Known), 0.0)),
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

/// The mean time of an answer to each compared case, before and now.
pub(super) fn times(cases: &[CaseEvidence<'_>], numbers: Numbers) -> Vec<(f64, f64)> {
    let known = |answer: &Answer| answer.latency_ms.map(stats::real);
    suite::both(cases, |stored| Some(stored.latency_ms?.mean), |case| per_answer(case, known, numbers))
}

/// The mean cost of an answer to each compared case, before and now.
pub(super) fn costs(cases: &[CaseEvidence<'_>], numbers: Numbers) -> Vec<(f64, f64)> {
    let known = |answer: &Answer| answer.cost_usd;
    suite::both(cases, |stored| Some(stored.cost_usd?.mean), |case| per_answer(case, known, numbers))
}

fn per_answer(case: &CaseResult, known: impl Fn(&Answer) -> Option<f64>, which: Numbers) -> Option<f64> {
    let all: Vec<_> = case.ordinary().flat_map(Trial::answers).map(known).collect();
    if which == Numbers::All && all.contains(&None) {
        return None;
    }
    stats::mean(all.into_iter().flatten())
}

/// The logarithm of now over before, for each case.
fn ratios(cases: Vec<(f64, f64)>, floor: f64) -> Vec<f64> {
    let cases = cases.into_iter().map(|(before, now)| (before.max(floor), now.max(floor)));
    cases.filter(|(before, now)| before.min(*now) > 0.0).map(|(before, now)| (now / before).ln()).collect()
}

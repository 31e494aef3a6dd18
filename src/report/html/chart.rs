//! The scores of a run as a histogram.

use serde::Serialize;

use crate::report::Report;
use crate::text::number;
use crate::vocabulary::Outcome;

/// Bars: one for each tenth of the scale, and one for the score 1.
const BINS: usize = 11;

/// Height of the tallest bar, in the units of the drawing.
const TALLEST: usize = 90;

/// Where the bars start.
const BASE: usize = 120;

/// Distance between two bars.
const STEP: usize = 45;

/// All bars, and a description of them for screen readers.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) words: String,
    pub(super) bins: Vec<Bin>,
}

/// One bar: failed cases at the bottom, passed ones above.
#[derive(Debug, Serialize)]
pub(super) struct Bin {
    name: String,
    pub(super) count: usize,
    x: usize,
    middle: usize,
    label_y: usize,
    failed_y: usize,
    failed_height: usize,
    passed_y: usize,
    passed_height: usize,
}

impl Chart {
    /// The scores of the judged cases; `None` if there are none.
    pub(super) fn of(report: &Report<'_>) -> Option<Self> {
        let mut counts = [(0_usize, 0_usize); BINS];
        let (mut scores, mut full) = (Vec::new(), 0);
        for case in &report.run.cases {
            let judged = matches!(case.outcome, Outcome::Passed | Outcome::Failed);
            let Some(score) = case.score.filter(|score| judged && score.is_finite()) else { continue };
            scores.push(score);
            full += usize::from(score >= 1.0);
            // The slack keeps a score such as 0.3 in its own bin despite rounding.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "held between 0 and 10"
            )]
            let bin = (score * 10.0 + 1e-9).clamp(0.0, 10.0) as usize;
            let (failed, passed) = &mut counts[bin];
            *(if case.outcome == Outcome::Passed { passed } else { failed }) += 1;
        }
        if scores.is_empty() {
            return None;
        }
        scores.sort_by(f64::total_cmp);
        let words = format!(
            "{} scores from {} to {}; half are {} or more, {} are 1",
            number::size(scores.len()),
            number::score(scores[0]),
            number::score(scores[scores.len() - 1]),
            number::score(scores[scores.len() / 2]),
            number::size(full),
        );
        let most = counts.iter().map(|(failed, passed)| failed + passed).max().unwrap_or(1).max(1);
        // Even a single case is visible.
        let height = |count: usize| (count * TALLEST).div_ceil(most);
        let bins = counts.iter().enumerate().map(|(at, (failed, passed))| {
            let (failed_height, passed_height) = (height(*failed), height(*passed));
            let top = BASE - failed_height - passed_height;
            Bin {
                name: if at == 10 { "1".to_owned() } else { format!("0.{at}") },
                count: failed + passed,
                x: 14 + at * STEP,
                middle: 35 + at * STEP,
                label_y: top - 5,
                failed_y: BASE - failed_height,
                failed_height,
                passed_y: top,
                passed_height,
            }
        });
        Some(Self { words, bins: bins.collect() })
    }
}

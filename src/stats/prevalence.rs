//! A rate that an imperfect judge observed, corrected for the judge's own errors.

use super::{Interval, Tally, real, two_sided};

/// The share of good answers behind a judge's pass rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prevalence {
    /// The estimate before it is cut to 0..1. Outside of it the judge passed more, or fewer, than
    /// its errors on the labels explain: chance, or the labels are unlike what was judged.
    pub raw: f64,
    /// The estimate, 0 to 1.
    pub estimate: f64,
    /// Where the true share lies; it holds the estimate.
    pub interval: Interval,
}

/// Why a rate cannot be corrected.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PrevalenceError {
    /// A count is empty: nothing was observed, or the labels hold one class only.
    #[error("TPR or TNR is unknown")]
    Unknown,
    /// TPR + TNR ≤ 1: the judge's word says nothing about the answer, or the opposite.
    #[error("TPR + TNR is {sum:.2}, and at 1 or below a verdict carries no information")]
    Uninformative {
        /// TPR + TNR.
        sum: f64,
    },
}

/// The true share behind `observed` passes, from the judge's TPR and TNR on independent labels.
///
/// Estimate: (observed + TNR − 1) / (TPR + TNR − 1), Rogan & Gladen, "Estimating prevalence from the
/// results of a screening test", American Journal of Epidemiology 107 (1978), 71–76. Interval: Lang &
/// Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and
/// specificity", Preventive Veterinary Medicine 113 (2014), 13–22, which adds z² observations to the
/// rate and two to each class of labels, shifts the centre, and so accounts for the uncertainty of
/// all three. It supposes that the labelled answers are like those that were judged.
///
/// # Errors
/// When a count is empty, or TPR + TNR ≤ 1.
pub fn corrected(observed: Tally, tpr: Tally, tnr: Tally, level: f64) -> Result<Prevalence, PrevalenceError> {
    let (Some(rate), Some(true_pass), Some(true_fail)) = (observed.share(), tpr.share(), tnr.share()) else {
        return Err(PrevalenceError::Unknown);
    };
    let informed = true_pass + true_fail - 1.0;
    // 0.7 + 0.3 − 1 is 5.6e-17: in whole numbers there is no rounding.
    let (hits, all) = (u128::from(tpr.hits), u128::from(tpr.of));
    let (other_hits, other_all) = (u128::from(tnr.hits), u128::from(tnr.of));
    if hits * other_all + other_hits * all <= all * other_all {
        return Err(PrevalenceError::Uninformative { sum: true_pass + true_fail });
    }
    let raw = (rate + true_fail - 1.0) / informed;
    let estimate = raw.clamp(0.0, 1.0);
    let adjusted = interval(observed, tpr, tnr, level).within(0.0, 1.0);
    let interval = Interval { low: adjusted.low.min(estimate), high: adjusted.high.max(estimate) };
    Ok(Prevalence { raw, estimate, interval })
}

/// Lang & Reiczigel's interval, not yet cut to 0..1.
fn interval(observed: Tally, tpr: Tally, tnr: Tally, level: f64) -> Interval {
    let z = two_sided(level);
    let moved = |tally: Tally, more: f64| {
        let n = real(tally.of) + more;
        let share = (real(tally.hits) + more / 2.0) / n;
        (share, share * (1.0 - share) / n)
    };
    let (rate, rate_variance) = moved(observed, z * z);
    let (true_pass, pass_variance) = moved(tpr, 2.0);
    let (true_fail, fail_variance) = moved(tnr, 2.0);
    let informed = true_pass + true_fail - 1.0;
    if informed <= 0.0 {
        // Few labels of one class, moved towards a half, can eat up what the judge seemed to know.
        return Interval { low: 0.0, high: 1.0 };
    }
    let centre = (rate + true_fail - 1.0) / informed;
    let shift = 2.0 * z * z * (centre * pass_variance - (1.0 - centre) * fail_variance);
    let variance = rate_variance + centre.powi(2) * pass_variance + (1.0 - centre).powi(2) * fail_variance;
    let half = z * variance.sqrt() / informed;
    Interval { low: centre + shift - half, high: centre + shift + half }
}

#[cfg(test)]
#[path = "prevalence_tests.rs"]
mod tests;

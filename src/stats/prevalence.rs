//! A pass rate observed by an imperfect judge, corrected for the judge's errors.

use super::{Interval, Tally, real, two_sided};

/// The share of good answers behind a judge's pass rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prevalence {
    /// The estimate before it is clamped to 0..1. Outside that range, the judge passed more or fewer answers than its
    /// errors on the labels explain: by chance, or because the labels differ from the judged answers.
    pub raw: f64,
    /// The estimate, 0 to 1.
    pub estimate: f64,
    /// The interval of the true share; it contains the estimate.
    pub interval: Interval,
}

/// Why a rate cannot be corrected.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PrevalenceError {
    /// A count is empty: nothing was observed, or the labels have only one class.
    #[error("TPR or TNR is unknown")]
    Unknown,
    /// TPR + TNR ≤ 1: the judge's verdicts are no better than chance, or even worse.
    #[error("TPR + TNR is {sum:.2}, and at 1 or below, a verdict carries no information")]
    Uninformative {
        /// TPR + TNR.
        sum: f64,
    },
}

/// The true share behind `observed` passes, from the judge's TPR and TNR on independent labels.
///
/// Estimate: (observed + TNR − 1) / (TPR + TNR − 1), Rogan & Gladen, "Estimating prevalence from the results of a
/// screening test", American Journal of Epidemiology 107 (1978), 71–76. Interval: Lang & Reiczigel, "Confidence limits
/// for prevalence of disease adjusted for estimated sensitivity and specificity", Preventive Veterinary Medicine 113
/// (2014), 13–22, which adds z² observations to the rate and two to each class of labels, shifts the center, and so
/// accounts for the uncertainty of all three. It assumes that the labeled answers are like those that were judged.
///
/// # Errors
/// If a count is empty, or TPR + TNR ≤ 1.
pub fn corrected(observed: Tally, tpr: Tally, tnr: Tally, level: f64) -> Result<Prevalence, PrevalenceError> {
    let (Some(rate), Some(true_pass), Some(true_fail)) = (observed.share(), tpr.share(), tnr.share()) else {
        return Err(PrevalenceError::Unknown);
    };
    let informed = true_pass + true_fail - 1.0;
    // In floating point, 0.7 + 0.3 − 1 is 5.6e-17; whole numbers have no rounding.
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

/// Lang & Reiczigel's interval, before clamping to 0..1.
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
        // With few labels of one class, the shift toward a half can cancel what the judge seemed to know.
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

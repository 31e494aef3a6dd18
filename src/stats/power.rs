//! What a run can see, and how large it must be to see it.
//!
//! Normal approximations for planning: no verdict rests on them. Effects are differences of pass
//! rates, 0.03 for three points.

use serde::{Deserialize, Serialize};

use super::{quantile, real, whole};

/// The confidence of the one-sided test that a plan supposes: 95 %.
pub const PLAN_LEVEL: f64 = 0.95;

/// The probability with which a planned test sees the effect: 80 %.
pub const PLAN_POWER: f64 = 0.80;

/// How many standard errors an effect must measure to be seen: z of the level + z of the power, 2.486.
fn reach() -> f64 {
    quantile(PLAN_LEVEL) + quantile(PLAN_POWER)
}

/// The smallest drop of the pass rate that a run of so many cases, one trial each, would see beside
/// another run of the same cases, when `discordance` is the share of cases whose verdicts differ.
///
/// 2.486 · √(discordance / cases): Connor, "Sample size for testing differences in proportions for the
/// paired-sample design", Biometrics 43 (1987), 207–211, without the square of the effect in the
/// variance, which makes it a little larger. Above 1 no drop would be seen. Absent without cases, and
/// where discordance is not above 0 and at most 1: never having seen a flip is no share to plan with.
#[must_use]
pub fn detectable(cases: u64, discordance: f64) -> Option<f64> {
    flips(discordance)?.detectable(cases, 1)
}

/// Verdicts of one trial differ between two runs with twice the variance of one trial.
fn flips(discordance: f64) -> Option<Spread> {
    (discordance > 0.0 && discordance <= 1.0).then_some(Spread { between: 0.0, within: discordance / 2.0 })
}

/// Where the noise of a pass rate comes from: one case's result of k repeats has the variance
/// between + within / k.
///
/// Miller, "Adding error bars to evals", arXiv:2411.00640 (2024), on resampling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The variance of the cases' pass rates. It is noise only where the cases are a sample of what
    /// users ask; between two runs of the same cases it cancels.
    pub between: f64,
    /// The mean over the cases of p · (1 − p), the variance of one trial around its case's pass rate:
    /// 0 to 0.25. Repeats make it smaller.
    pub within: f64,
}

impl Spread {
    /// Of the pass rates of at least two cases, each 0 to 1; absent with fewer.
    ///
    /// Few trials give rates of 0 and 1 and hide the noise within: what [`Prior::predict`] makes of them
    /// is the better rate.
    ///
    /// [`Prior::predict`]: super::Prior::predict
    #[must_use]
    pub fn of(rates: &[f64]) -> Option<Self> {
        let n = real(rates.len());
        if n < 2.0 {
            return None;
        }
        let mean = rates.iter().sum::<f64>() / n;
        let between = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Some(Self { between, within: rates.iter().map(|rate| rate * (1.0 - rate)).sum::<f64>() / n })
    }

    /// The standard error of the difference of two runs of the same cases, when nothing changed:
    /// √(2 · within / (repeats · cases)).
    ///
    /// A change that breaks few cases wholly is better seen case by case than in this mean.
    #[must_use]
    pub fn difference_error(self, cases: u64, repeats: u64) -> Option<f64> {
        (repeats > 0 && cases > 0).then(|| (2.0 * self.within / (real(repeats) * real(cases))).sqrt())
    }

    /// The smallest drop of the mean that would be seen between two runs of the same cases: 2.486
    /// errors of the difference. Absent where nothing varies, since then this has nothing to say.
    #[must_use]
    pub fn detectable(self, cases: u64, repeats: u64) -> Option<f64> {
        self.difference_error(cases, repeats).map(|error| reach() * error).filter(|effect| *effect > 0.0)
    }

    /// How many cases with so many repeats each let a run see an effect.
    #[must_use]
    pub fn cases_needed(self, effect: f64, repeats: u64) -> Option<u64> {
        // Cases and repeats count alike.
        self.repeats_needed(effect, repeats)
    }

    /// How many repeats of so many cases let a run see an effect.
    #[must_use]
    pub fn repeats_needed(self, effect: f64, cases: u64) -> Option<u64> {
        let once = self.detectable(cases, 1)?;
        // The inverse of a value that was itself computed must not come out one higher by rounding.
        (effect > 0.0).then(|| whole(((once / effect).powi(2) * (1.0 - 1e-12)).ceil()))?
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?} for {expected}");
    }

    /// The quantiles by `scipy.stats.norm.ppf` of `scipy` 1.17, the rest by hand from them.
    #[test]
    fn effects_and_cases_belong_together() {
        close(detectable(50, 0.1), 0.111_198_536_249_536_73);
        close(detectable(200, 0.1), 0.055_599_268_124_768_36);
        close(detectable(1, 1.0), 2.486_474_860_524_386_3);
        let needed = |effect, discordance| flips(discordance).unwrap().cases_needed(effect, 1);
        for (effect, discordance, cases) in
            [(0.03, 0.1, 687), (0.1, 0.1, 62), (0.05, 0.2, 495), (0.5, 0.01, 1)]
        {
            assert_eq!(needed(effect, discordance), Some(cases));
        }
        assert_eq!(
            [detectable(0, 0.1), detectable(50, 0.0), detectable(50, 1.1), detectable(50, f64::NAN)],
            [None; 4]
        );
        for n in 1..=1_000 {
            assert_eq!(needed(detectable(n, 0.1).unwrap(), 0.1), Some(n), "the way there and back");
        }
        assert_eq!([needed(0.0, 0.1), needed(-0.1, 0.1), needed(1e-300, 0.1)], [None; 3]);
    }

    #[test]
    fn repeats_quiet_the_noise_within_alone() {
        let spread = Spread::of(&[0.5, 0.5, 1.0, 0.0]).unwrap();
        assert!((spread.between - 1.0 / 6.0).abs() < 1e-12 && (spread.within - 0.125).abs() < 1e-12);
        close(spread.difference_error(100, 5), (0.05_f64 / 100.0).sqrt());
        // 2 · within is the share of verdicts that differ between two runs.
        assert_eq!(spread.detectable(100, 1), detectable(100, 0.25));
        assert_eq!((Spread::of(&[0.5]), spread.difference_error(0, 1)), (None, None));
        let still = Spread::of(&[1.0, 1.0, 0.0]).unwrap();
        assert_eq!((still.difference_error(3, 1), still.detectable(3, 1)), (Some(0.0), None));
        assert_eq!(still.repeats_needed(0.03, 3), None);
    }

    proptest! {
        #[test]
        fn what_is_needed_suffices(
            effect in 0.005..0.5_f64,
            discordance in 0.01..1.0_f64,
            repeats in 1_u64..10,
        ) {
            let n = flips(discordance).unwrap().cases_needed(effect, 1).unwrap();
            prop_assert!(detectable(n, discordance).unwrap() <= effect * (1.0 + 1e-9));
            prop_assert!(n == 1 || detectable(n - 1, discordance).unwrap() > effect);
            let spread = Spread { between: 0.1, within: discordance / 2.0 };
            let cases = spread.cases_needed(effect, repeats).unwrap();
            prop_assert!(spread.detectable(cases, repeats).unwrap() <= effect * (1.0 + 1e-9));
            prop_assert!(spread.repeats_needed(effect, cases).unwrap() <= repeats);
        }
    }
}

//! What to expect of a case: its own trials, and those of the cases around it.

use serde::{Deserialize, Serialize};

use super::{SLACK, Tally, real};

/// How the cases of a suite differ: pass rates spread like Beta(mean · strength, (1 − mean) · strength).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// The mean pass rate, strictly between 0 and 1.
    pub mean: f64,
    /// How many trials of a case's own weigh as much as the suite: [`Prior::WEAKEST`] to
    /// [`Prior::STRONGEST`].
    pub strength: f64,
}

impl Prior {
    /// Cases as unlike as they can be: nearly all pass always or never.
    pub const WEAKEST: f64 = 0.2;

    /// Cases that are alike as far as one can see.
    pub const STRONGEST: f64 = 50.0;

    /// From the trials of each case; absent where there is no trial.
    ///
    /// Moments as in Kleinman, "Proportions with extraneous variance: single and independent samples",
    /// Journal of the American Statistical Association 68 (1973), 46–54, with the numbers of trials as
    /// weights. For N cases with `s_i` passes in `n_i` trials, let `w = Σ n_i`, `p = Σ s_i / w` and
    /// `S = Σ n_i (s_i / n_i − p)²`. The expected S is
    /// `p (1 − p) · (N − 1 + γ · (w − Σ n_i² / w − (N − 1)))`, where γ = 1 / (strength + 1) is the
    /// correlation of two trials of one case; solved for γ, and the strength kept between 0.2 and 50.
    ///
    /// The mean is `(Σ s_i + 1) / (w + 2)`, Laplace's rule of succession, never 0 or 1: 150 passes in
    /// 150 trials make 0.9934, since a case that has always passed may still fail, and a prediction of
    /// 1 would call its first failure impossible. That the mean itself is an estimate is not counted.
    ///
    /// Where the trials cannot tell how unlike the cases are (all pass, all fail, one trial each, or
    /// one case), the strength is 50: with equal rates the number of passes varies most, so this is the
    /// guess that cries wolf least.
    #[must_use]
    pub fn fit(cases: &[Tally]) -> Option<Self> {
        let tried = || cases.iter().filter(|case| case.of > 0).map(|case| (real(case.hits), real(case.of)));
        let (hits, trials, squares, others) = tried()
            .fold((0.0, 0.0, 0.0, -1.0), |(s, w, q, n), (hits, of)| (s + hits, w + of, q + of * of, n + 1.0));
        if trials <= 0.0 {
            return None;
        }
        let mean = hits / trials;
        let chance = mean * (1.0 - mean);
        let seen: f64 = tried().map(|(hits, of)| of * (hits / of - mean).powi(2)).sum();
        let room = chance * (trials - squares / trials - others);
        // All passes, all failures and single trials leave no room to tell γ from.
        let alike = if room > SLACK { (seen - chance * others) / room } else { 0.0 };
        let strength = if alike > 0.0 { 1.0 / alike - 1.0 } else { Self::STRONGEST };
        let mean = (hits + 1.0) / (trials + 2.0);
        Some(Self { mean, strength: strength.clamp(Self::WEAKEST, Self::STRONGEST) })
    }

    /// The pass rate to expect of a case with these trials: (hits + mean · strength) / (of + strength),
    /// strictly between 0 and 1.
    #[must_use]
    pub fn predict(self, case: Tally) -> f64 {
        (real(case.hits) + self.mean * self.strength) / (real(case.of) + self.strength)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tallies(cases: &[(u64, u64)]) -> Vec<Tally> {
        cases.iter().map(|(hits, of)| Tally { hits: *hits, of: *of }).collect()
    }

    /// Strength by exact rational arithmetic from Kleinman's equation in its general form, with weights.
    #[test]
    fn strengths_solve_the_moment_equation() {
        for (cases, mean, strength) in [
            (vec![(3, 3), (2, 3), (3, 3), (0, 3), (1, 3), (3, 3)], 0.65, 0.428_571_428_571_428_55),
            (
                vec![(10, 10), (7, 10), (4, 5), (0, 3), (20, 20), (1, 2), (0, 0)],
                0.826_923_076_923_076_9,
                0.636_350_453_172_205_4,
            ),
            (
                vec![(4, 5), (4, 5), (5, 5), (3, 5), (2, 5), (5, 5), (1, 5)],
                0.675_675_675_675_675_7,
                2.567_567_567_567_567_5,
            ),
            (vec![(5, 5), (0, 5), (5, 5), (0, 5)], 0.5, 0.2),
            (vec![(2, 4), (2, 4), (2, 4)], 0.5, 50.0),
            (vec![(3, 3); 50], 0.993_421_052_631_579, 50.0),
            (vec![(0, 4), (0, 2)], 0.125, 50.0),
            (vec![(1, 1), (0, 1), (1, 1)], 0.6, 50.0),
            (vec![(7, 9)], 0.727_272_727_272_727_3, 50.0),
        ] {
            let found = Prior::fit(&tallies(&cases)).unwrap();
            assert!((found.mean - mean).abs() < 1e-12, "{cases:?}: {found:?}");
            assert!((found.strength - strength).abs() < 1e-9, "{cases:?}: {found:?}");
        }
        assert_eq!(Prior::fit(&tallies(&[(0, 0)])), None);
    }

    #[test]
    fn predictions_lie_between_the_case_and_the_suite() {
        let prior = Prior { mean: 0.8, strength: 4.0 };
        for (hits, of, expected) in [(0, 0, 0.8), (4, 4, 0.9), (0, 4, 0.4), (16, 16, 0.96)] {
            assert!((prior.predict(Tally { hits, of }) - expected).abs() < 1e-12, "{hits}/{of}");
        }
    }

    #[test]
    fn one_failure_after_nothing_but_passes_is_no_proof() {
        let cases = vec![Tally { hits: 3, of: 3 }; 50];
        let prior = Prior::fit(&cases).unwrap();
        let rates: Vec<f64> = cases.iter().map(|case| prior.predict(*case)).collect();
        assert!(crate::stats::poisson_binomial_at_most(&rates, 49) > 0.2);
        assert!(crate::stats::poisson_binomial_at_most(&rates, 45) < 0.001);
    }

    proptest! {
        #[test]
        fn whatever_was_seen_nothing_is_certain(
            pairs in prop::collection::vec((0_u64..30, 0_u64..30), 1..40),
        ) {
            let cases: Vec<_> = pairs.iter().map(|(a, b)| Tally { hits: *a.min(b), of: *a.max(b) }).collect();
            if let Some(prior) = Prior::fit(&cases) {
                prop_assert!((Prior::WEAKEST..=Prior::STRONGEST).contains(&prior.strength));
                for case in cases {
                    let rate = prior.predict(case);
                    prop_assert!(rate > 0.0 && rate < 1.0);
                }
            }
        }
    }
}

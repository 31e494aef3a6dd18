//! Agreement beyond chance.

use serde::{Deserialize, Serialize};

use super::{Interval, two_sided};

/// Cohen's kappa: 1 is full agreement, 0 is agreement by chance, below 0 is worse than chance.
///
/// Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
/// Measurement 20 (1960), 37–46. The standard error is the large-sample one for a kappa that is not
/// zero, by Fleiss, Cohen & Everitt, "Large sample standard errors of kappa and weighted kappa",
/// Psychological Bulletin 72 (1969), 323–327, formula 13.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Kappa {
    /// −1 to 1.
    pub value: f64,
    /// Its standard error. It is 0 if judge and people never disagree, however few the labels are; then the interval
    /// has no width, and the intervals of TPR and TNR show the uncertainty.
    pub standard_error: f64,
    /// value ± z standard errors, cut to −1..1.
    pub interval: Interval,
}

impl Kappa {
    /// Kappa of a table of shares that add up to 1, from `n` pairs of verdicts.
    ///
    /// None if chance alone would agree every time.
    pub(super) fn of(share: [[f64; 2]; 2], n: f64, level: f64) -> Option<Self> {
        let row = [share[0][0] + share[0][1], share[1][0] + share[1][1]];
        let column = [share[0][0] + share[1][0], share[0][1] + share[1][1]];
        let seen = share[0][0] + share[1][1];
        let chance = row[0] * column[0] + row[1] * column[1];
        let room = 1.0 - chance;
        if room <= 0.0 {
            return None;
        }
        let value = (seen - chance) / room;
        let agreeing: f64 =
            (0..2).map(|i| share[i][i] * (1.0 - (row[i] + column[i]) * (1.0 - value)).powi(2)).sum();
        let differing = [(0, 1), (1, 0)].map(|(i, j)| share[i][j] * (column[i] + row[j]).powi(2));
        let differing = (1.0 - value).powi(2) * differing.iter().sum::<f64>();
        let mean = value - chance * (1.0 - value);
        // Rounding may leave -1e-17 when the variance is 0.
        let variance = (agreeing + differing - mean * mean).max(0.0) / (room * room * n);
        // Below the rounding error of the sums above.
        let standard_error = if variance < 1e-18 { 0.0 } else { variance.sqrt() };
        let half = two_sided(level) * standard_error;
        let interval = Interval { low: value - half, high: value + half }.within(-1.0, 1.0);
        Some(Self { value, standard_error, interval })
    }
}

#[cfg(test)]
mod tests {
    use crate::stats::{Confusion, LEVEL};

    /// The first three values are worked examples of Wikipedia's "Cohen's kappa" (0.4, 0.1304, 0.2593); further
    /// digits, and
    /// the errors, come from `cohens_kappa` of statsmodels 0.14.
    #[test]
    fn kappa_gives_the_published_values() {
        for (table, value, error, low, high) in [
            ([20, 5, 10, 15], 0.4, 0.126_996_062_931_100_33, 0.151_092_290_476_661, 0.648_907_709_523_338_9),
            (
                [45, 15, 25, 15],
                0.130_434_782_608_695_54,
                0.098_661_537_623_439_6,
                -0.062_938_277_792_589_65,
                0.323_807_843_009_980_7,
            ),
            (
                [25, 35, 5, 35],
                0.259_259_259_259_259_24,
                0.077_159_731_744_445_72,
                0.108_028_963_983_373_67,
                0.410_489_554_535_144_8,
            ),
            (
                [88, 10, 14, 40],
                0.649_500_384_319_754,
                0.065_078_964_795_840_62,
                0.521_947_957_168_756_3,
                0.777_052_811_470_751_7,
            ),
        ] {
            let kappa = of(table).kappa(LEVEL).unwrap();
            let found = [kappa.value, kappa.standard_error, kappa.interval.low, kappa.interval.high];
            for (found, expected) in found.into_iter().zip([value, error, low, high]) {
                assert!((found - expected).abs() < 1e-12, "{table:?}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn kappa_at_the_edges() {
        let full = of([10, 0, 0, 10]).kappa(LEVEL).unwrap();
        assert_eq!((full.value, full.standard_error, full.interval.width()), (1.0, 0.0, 0.0));
        let constant = of([0, 5, 0, 5]).kappa(LEVEL).unwrap();
        assert_eq!((constant.value, constant.standard_error), (0.0, 0.0));
        assert!(of([0, 9, 9, 0]).kappa(LEVEL).unwrap().value + 1.0 < 1e-12);
        assert_eq!(of([7, 0, 0, 0]).kappa(LEVEL), None, "chance alone would agree");
        assert_eq!(of([0, 0, 0, 0]).kappa(LEVEL), None);
    }

    /// Both pass, only people pass, only the judge passes, neither passes.
    fn of([true_pass, false_fail, false_pass, true_fail]: [u64; 4]) -> Confusion {
        Confusion { true_pass, false_pass, true_fail, false_fail }
    }
}

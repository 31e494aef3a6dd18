//! How often a judge and people agree, in four counts.

use serde::{Deserialize, Serialize};

use super::{Kappa, Tally, real};

/// A judge's verdicts compared with people's labels. "Positive" is a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Both say pass.
    #[serde(rename = "tp")]
    pub true_pass: u64,
    /// The judge says pass, people say fail: a bad answer that slips through.
    #[serde(rename = "fp")]
    pub false_pass: u64,
    /// Both say fail.
    #[serde(rename = "tn")]
    pub true_fail: u64,
    /// The judge says fail, people say pass: a false alarm.
    #[serde(rename = "fn")]
    pub false_fail: u64,
}

impl Confusion {
    /// Counts one answer: whether people and whether the judge passed it.
    pub fn add(&mut self, people: bool, judge: bool) {
        let cell = match (people, judge) {
            (true, true) => &mut self.true_pass,
            (false, true) => &mut self.false_pass,
            (false, false) => &mut self.true_fail,
            (true, false) => &mut self.false_fail,
        };
        *cell = cell.saturating_add(1);
    }

    /// How many answers were counted.
    #[must_use]
    pub fn n(self) -> u64 {
        self.tpr().of.saturating_add(self.tnr().of)
    }

    /// Answers on which both agree.
    #[must_use]
    pub fn agreement(self) -> Tally {
        Tally { hits: self.true_pass.saturating_add(self.true_fail), of: self.n() }
    }

    /// The true pass rate (sensitivity): of the answers that people pass, the share that the judge passes.
    #[must_use]
    pub fn tpr(self) -> Tally {
        Tally { hits: self.true_pass, of: self.true_pass.saturating_add(self.false_fail) }
    }

    /// The true fail rate (specificity): of the answers that people fail, the share that the judge fails.
    #[must_use]
    pub fn tnr(self) -> Tally {
        Tally { hits: self.true_fail, of: self.true_fail.saturating_add(self.false_pass) }
    }

    /// The better of the two constant judges: whether it always passes, and how often it agrees with people.
    #[must_use]
    pub fn constant(self) -> (bool, Tally) {
        let (passes, fails) = (self.tpr().of, self.tnr().of);
        (passes >= fails, Tally { hits: passes.max(fails), of: self.n() })
    }

    /// Agreement beyond chance, with an interval at this level.
    ///
    /// None if nothing was counted, or if both always give the same verdict: chance alone would then agree every time,
    /// and kappa is 0 / 0.
    #[must_use]
    pub fn kappa(self, level: f64) -> Option<Kappa> {
        let n = real(self.n());
        // Rows are people's labels, columns the judge's verdicts.
        let counts = [[self.true_pass, self.false_fail], [self.false_pass, self.true_fail]];
        (n > 0.0).then(|| Kappa::of(counts.map(|row| row.map(|count| real(count) / n)), n, level))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_from_the_table() {
        let mut table = Confusion::default();
        for (people, judge, times) in
            [(true, true, 20), (true, false, 5), (false, true, 10), (false, false, 15)]
        {
            (0..times).for_each(|_| table.add(people, judge));
        }
        assert_eq!(table, Confusion { true_pass: 20, false_pass: 10, true_fail: 15, false_fail: 5 });
        assert_eq!(table.agreement(), Tally { hits: 35, of: 50 });
        assert_eq!(table.tpr(), Tally { hits: 20, of: 25 });
        assert_eq!(table.tnr(), Tally { hits: 15, of: 25 });
        assert_eq!(table.constant(), (true, Tally { hits: 25, of: 50 }));
    }

    #[test]
    fn one_class_leaves_the_other_rate_unknown() {
        let table = Confusion { true_fail: 3, false_pass: 1, ..Confusion::default() };
        assert_eq!(table.tpr().share(), None);
        assert_eq!(table.tnr().share(), Some(0.75));
        assert_eq!(table.constant(), (false, Tally { hits: 4, of: 4 }));
    }
}

//! Whether a case that fails but was expected to pass is broken or failed by chance.
//!
//! The case is asked again, one answer at a time. After each answer, the ratio says how many times more likely the
//! answers are from a case whose rate fell to nothing, a quarter or half of what it was than from an unchanged one.
//! The failure that raised the suspicion does not count.

use std::collections::BTreeMap;

use super::spread::{Spread, Suite};
use crate::stats::{Tally, real};

/// With fewer trials, a past is thin: it shows too little about the rate of the case.
pub(super) const THIN: u64 = 3;

/// With a thin past, only this many failures in a row prove anything.
const ROW: u64 = 8;

/// The share of its rate that a broken case keeps; all are equally probable.
const KEPT: [f64; 3] = [0.0, 0.25, 0.5];

/// When akit stops asking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Maximum extra answers; twice as many until one passes.
    pub(super) confirm: u32,
    /// Probability of calling some case of an unchanged suite broken.
    pub(super) alpha: f64,
    /// A ratio that clears a case.
    pub(super) clear: f64,
}

impl Limits {
    /// A case is cleared once its answers are three times more likely for an unchanged case than for a broken one.
    pub(super) const CLEAR: f64 = 1.0 / 3.0;
}

/// What the extra answers of a suspect show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Its rate fell.
    Broken,
    /// It failed by chance.
    Cleared,
    /// Neither was shown.
    Open,
    /// There is no extra answer.
    Unasked,
}

/// The extra answers of a suspect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Course {
    pub(super) word: Word,
    pub(super) passes: u64,
    pub(super) failures: u64,
    /// How many times more likely they are if the case is broken than if it is unchanged; with a thin past, 1 / p.
    pub(super) ratio: f64,
    /// The largest ratio so far.
    pub(super) largest: f64,
    /// Whether no more answers are needed.
    pub(super) settled: bool,
}

/// A case that fails but was expected to pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspicion {
    own: Own,
    /// The ratio that proves a case broken.
    bar: f64,
    limits: Limits,
}

/// How an unchanged case answers.
#[derive(Clone, Copy, Debug)]
enum Own {
    Spread(Spread),
    /// Passes and failures of a beta distribution; the past counts as one pass and all of its failures.
    Thin(f64, f64),
}

impl Suspicion {
    /// The suspicion of a case with this past, one of `family` suspects.
    pub(super) fn of(suite: &Suite, past: Option<Tally>, family: usize, limits: Limits) -> Self {
        let own = match past {
            Some(past) if past.of < THIN => {
                Own::Thin(1.0 + suite.mean, real(past.of - past.hits) + 1.0 - suite.mean)
            }
            past => Own::Spread(suite.own(past)),
        };
        Self { own, bar: real(family.max(1)) / limits.alpha, limits }
    }

    /// The ratio that proves the case broken.
    pub(super) fn bar(&self) -> f64 {
        self.bar
    }

    /// Takes answers until they decide; an answer is true if it passed, and `None` if it was not judged. The answers of
    /// earlier attempts at the same commit come first and do not use up the limit of this run.
    pub(super) fn follow(&self, earlier: Tally, answers: impl IntoIterator<Item = Option<bool>>) -> Course {
        let mut course =
            Course { word: Word::Unasked, passes: 0, failures: 0, ratio: 1.0, largest: 1.0, settled: false };
        let mut decided = earlier.of > 0 && self.take(&mut course, earlier);
        let (mut answers, mut asked) = (answers.into_iter(), 0);
        while !decided && self.goes_on(course.passes, course.failures, asked) {
            match answers.next() {
                None => return course,
                Some(None) => {}
                Some(Some(passes)) => {
                    decided = self.take(&mut course, Tally { hits: u64::from(passes), of: 1 });
                }
            }
            asked += 1;
        }
        if let Own::Thin(..) = self.own {
            course.largest = course.ratio;
        }
        Course { settled: true, ..course }
    }

    /// Adds answers; returns whether they decide.
    fn take(&self, course: &mut Course, answers: Tally) -> bool {
        course.passes += answers.hits;
        course.failures += answers.of - answers.hits;
        let (ratio, word) = self.weigh(course.passes, course.failures);
        course.ratio = ratio;
        course.largest = course.largest.max(ratio);
        course.word = word.unwrap_or(Word::Open);
        word.is_some()
    }

    /// Whether to ask for one more answer: not if one passed and even failures alone could not prove anything.
    fn goes_on(&self, passes: u64, failures: u64, asked: u64) -> bool {
        let most = u64::from(self.limits.confirm);
        if passes == 0 {
            return asked < 2 * most;
        }
        let hopeless = || match &self.own {
            Own::Spread(own) => ratio(own, passes, failures + most.saturating_sub(asked)) < self.bar,
            Own::Thin(..) => true,
        };
        asked < most && !hopeless()
    }

    /// The ratio of these passes and failures, and what they decide. With a thin past, the first pass ends the extra
    /// trials.
    fn weigh(&self, passes: u64, failures: u64) -> (f64, Option<Word>) {
        match &self.own {
            Own::Spread(own) => {
                let ratio = ratio(own, passes, failures);
                let cleared = (ratio <= self.limits.clear).then_some(Word::Cleared);
                (ratio, if ratio >= self.bar { Some(Word::Broken) } else { cleared })
            }
            // A pass ends the streak, and a short streak proves nothing.
            Own::Thin(..) if passes > 0 && failures < ROW => (1.0, Some(Word::Open)),
            Own::Thin(hits, misses) => {
                let row = (0..failures).map(real).map(|n| (misses + n) / (hits + misses + n));
                let ratio = 1.0 / row.product::<f64>();
                let broken = (failures >= ROW && ratio >= self.bar).then_some(Word::Broken);
                (ratio, if passes > 0 { Some(Word::Open) } else { broken })
            }
        }
    }

    /// The expected number of extra answers, given the probability of each rate: (weight, rate).
    pub(super) fn asks(&self, rates: &[(f64, f64)]) -> f64 {
        // The probability of reaching these passes and failures and being asked again, by rate.
        let mut on = BTreeMap::from([((0, 0), rates.iter().map(|(weight, _)| *weight).collect::<Vec<_>>())]);
        let mut asked = 0.0;
        while let Some(((passes, failures), weights)) = on.pop_first() {
            if !self.goes_on(passes, failures, passes + failures) {
                continue;
            }
            asked += weights.iter().sum::<f64>();
            for (next, hit) in [((passes + 1, failures), true), ((passes, failures + 1), false)] {
                if self.weigh(next.0, next.1).1.is_some() {
                    continue;
                }
                let to = on.entry(next).or_insert_with(|| vec![0.0; rates.len()]);
                for ((to, weight), (_, rate)) in to.iter_mut().zip(&weights).zip(rates) {
                    *to += weight * if hit { *rate } else { 1.0 - rate };
                }
            }
        }
        asked
    }

    /// How many answers in a row must fail before the case is called broken; `None` if no number is enough.
    pub(super) fn failures_needed(&self) -> Option<u64> {
        let failures = (0..2 * u64::from(self.limits.confirm)).map(|_| Some(false));
        let course = self.follow(Tally::default(), failures);
        (course.word == Word::Broken).then_some(course.failures)
    }
}

/// How many times more likely these passes and failures are if the rate fell than if it did not.
fn ratio(own: &Spread, passes: u64, failures: u64) -> f64 {
    let small = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
    let chance = |keep| own.chance(small(passes), small(failures), keep);
    let ratio = KEPT.map(chance).iter().sum::<f64>() / 3.0 / chance(1.0);
    // With thousands of answers both chances may underflow to 0.
    if ratio.is_nan() { 1.0 } else { ratio.min(f64::MAX) }
}

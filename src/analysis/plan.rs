//! What a run of a suite will see, how large it must be to see more, and what that takes: worked out
//! before anything is asked.
//!
//! Normal approximations, as in [`stats::Spread`]: they serve to choose a size, and no verdict rests on them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gate::{DISCORDANCE, PREDICTABLE, Policy, Retest, Rigor, WIDEST, used_to_pass};
use crate::stats::{self, Prior, Spread, Tally, mean, real, whole};

/// More repeats than this are not proposed.
pub const MOST_REPEATS: u64 = 20;

/// Fresh trials that an unchanged run asks for, as a share of its cases: from the fewest to the most in
/// the simulation of docs/gate.md. Used where there is no baseline to reckon with.
const FRESH: (f64, f64) = (0.03, 0.14);

/// With more trials per confirmation than this their expected number is not reckoned, but taken whole.
const RECKONED: u32 = 12;

/// One selected case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prospect {
    /// Its trials in the baseline; none where it is new or asks something else now.
    pub before: Tally,
    /// Mean price of an answer in US dollars, where the baseline knows it.
    pub cost_usd: Option<f64>,
    /// Mean time of an answer in milliseconds, where the baseline knows it.
    pub latency_ms: Option<f64>,
}

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How often every case is asked, at least 1.
    pub repeat: u32,
    /// Cases under way at once, at least 1.
    pub concurrency: u32,
    /// The drop of the pass rate that is to be seen, above 0; 0.03 for three points.
    pub effect: Option<f64>,
}

/// What a run will see, and what it takes to see more.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outlook {
    /// `akit.plan/1`.
    pub schema: String,
    /// Selected cases.
    pub cases: u64,
    /// Selected cases that the baseline knows as they are.
    pub in_baseline: u64,
    /// Fewest and most trials of such a case.
    pub baseline_trials: Option<(u64, u64)>,
    /// Share of verdicts of one trial that differ between two unchanged runs, 0 to 1.
    pub discordance: f64,
    /// Whether that share is the baseline's; else it is the usual 0.10.
    pub discordance_measured: bool,
    /// Cases that an unchanged run is expected to ask again; absent without a baseline.
    pub unlucky: Option<f64>,
    /// One case that fails from now on.
    pub broken: Broken,
    /// The run as it is planned.
    pub now: Size,
    /// The drop that is to be seen, 0 to 1.
    pub effect: Option<f64>,
    /// Enough cases at one repeat.
    pub more_cases: Option<Size>,
    /// Enough repeats of the selected cases; absent where [`MOST_REPEATS`] are not enough.
    pub more_repeats: Option<Size>,
    /// What [`MOST_REPEATS`] repeats of the selected cases would see, 0 to 1.
    pub least_effect: Option<f64>,
}

/// Whether one case that fails from now on would be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Broken {
    /// Fresh trials that the policy asks of a case that fails and used to pass; 0: one failure is proof.
    pub confirm: u32,
    /// Cases whose baseline is thick enough for a proof.
    pub proven: u64,
    /// Cases with a baseline too thin for that: they are asked up to twice as often.
    pub thin: u64,
    /// Cases that failed in the baseline too: their failures are no news.
    pub failing: u64,
    /// Cases that the baseline does not know: they must pass at once.
    pub new: u64,
    /// Trials, all passed, that a baseline needs for a proof.
    pub needed_trials: Option<u64>,
}

/// A run of some size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Size {
    /// Cases.
    pub cases: u64,
    /// How often each is asked.
    pub repeats: u64,
    /// Answers that are asked for: cases times repeats.
    pub calls: u64,
    /// Fresh trials to expect on top in an unchanged run: least and most; equal where a baseline tells.
    pub fresh: (f64, f64),
    /// The smallest drop that it sees four times in five, 0 to 0.5; absent where it sees none.
    pub detectable: Option<f64>,
    /// US dollars for all answers, judging aside; absent where no price is known.
    pub cost_usd: Option<f64>,
    /// Milliseconds for all answers, judging aside; absent where no time is known.
    pub time_ms: Option<f64>,
}

impl Outlook {
    /// Of the selected cases; absent where there is none.
    #[must_use]
    pub fn of(cases: &[Prospect], setup: Setup, policy: &Policy) -> Option<Self> {
        let basis = Basis::of(cases, setup, policy)?;
        let n = basis.count;
        let repeat = u64::from(setup.repeat.max(1));
        let seen = |repeats: u64| basis.spread.detectable(n, repeats).filter(|drop| *drop <= WIDEST);
        let more_cases = setup.effect.and_then(|effect| basis.spread.cases_needed(effect, 1));
        let more_repeats = setup.effect.and_then(|effect| basis.spread.repeats_needed(effect, n));
        Some(Self {
            schema: "akit.plan/1".to_owned(),
            cases: n,
            in_baseline: basis.known.len() as u64,
            baseline_trials: basis
                .known
                .iter()
                .map(|tally| tally.of)
                .min()
                .zip(basis.known.iter().map(|tally| tally.of).max()),
            discordance: 2.0 * basis.spread.within,
            discordance_measured: basis.measured,
            unlucky: (!basis.known.is_empty()).then(|| basis.unlucky(repeat)),
            broken: basis.broken(repeat),
            now: basis.size(n, repeat),
            effect: setup.effect,
            more_cases: more_cases.map(|cases| basis.size(cases, 1)),
            more_repeats: more_repeats
                .filter(|repeats| *repeats <= MOST_REPEATS)
                .map(|repeats| basis.size(n, repeats)),
            least_effect: seen(MOST_REPEATS),
        })
    }
}

/// What is known of a suite before it runs.
struct Basis<'a> {
    count: u64,
    known: Vec<Tally>,
    /// The pass rate to expect of each known case, in the same order.
    rates: Vec<f64>,
    spread: Spread,
    measured: bool,
    cost_usd: Option<f64>,
    latency_ms: Option<f64>,
    concurrency: u32,
    policy: &'a Policy,
}

impl<'a> Basis<'a> {
    fn of(cases: &[Prospect], setup: Setup, policy: &'a Policy) -> Option<Self> {
        if cases.is_empty() {
            return None;
        }
        let known: Vec<Tally> = cases.iter().map(|case| case.before).filter(|tally| tally.of > 0).collect();
        let rates: Vec<f64> = Prior::fit(&known)
            .map(|prior| known.iter().map(|tally| prior.predict(*tally)).collect())
            .unwrap_or_default();
        let mut trials: Vec<u64> = known.iter().map(|tally| tally.of).collect();
        trials.sort_unstable();
        let enough = trials.get(trials.len() / 2).is_some_and(|median| *median >= PREDICTABLE)
            && known.len() * 2 >= cases.len();
        let measured = Spread::of(&rates).filter(|_| enough);
        Some(Self {
            count: cases.len() as u64,
            spread: measured.unwrap_or(Spread { between: 0.0, within: DISCORDANCE / 2.0 }),
            measured: measured.is_some(),
            known,
            rates,
            cost_usd: mean(cases.iter().filter_map(|case| case.cost_usd)),
            latency_ms: mean(cases.iter().filter_map(|case| case.latency_ms)),
            concurrency: setup.concurrency.max(1),
            policy,
        })
    }

    /// Known cases that used to pass, with the probability that so many trials are not all passed.
    fn chances(&self, repeats: u64) -> impl Iterator<Item = (Tally, f64, f64)> {
        let power = i32::try_from(repeats).unwrap_or(i32::MAX);
        self.known
            .iter()
            .zip(&self.rates)
            .filter(|(tally, _)| used_to_pass(**tally))
            .map(move |(tally, rate)| (*tally, *rate, 1.0 - rate.powi(power)))
    }

    /// Cases that an unchanged run asks again.
    fn unlucky(&self, repeats: u64) -> f64 {
        self.chances(repeats).map(|(_, _, chance)| chance).sum()
    }

    /// The cases that are asked again where one more is broken.
    fn retest(&self, repeats: u64) -> (Retest<'a>, usize) {
        let unlucky = whole(self.unlucky(repeats).round()).and_then(|n| usize::try_from(n).ok());
        let family = 1 + unlucky.unwrap_or_default();
        (Retest::over(family, self.policy), family)
    }

    fn broken(&self, repeats: u64) -> Broken {
        let (retest, family) = self.retest(repeats);
        let confirm = self.policy.confirm;
        let passing: Vec<Tally> = self.known.iter().copied().filter(|tally| used_to_pass(*tally)).collect();
        let proven = passing.iter().filter(|tally| confirm == 0 || retest.is_thick(**tally)).count() as u64;
        let known = self.known.len() as u64;
        Broken {
            confirm,
            proven,
            thin: passing.len() as u64 - proven,
            failing: known - passing.len() as u64,
            new: self.count - known,
            needed_trials: (confirm > 0).then(|| Retest::needed(self.policy, family)),
        }
    }

    /// Fresh trials that an unchanged run of the selected cases asks for: least and most.
    fn fresh(&self, repeats: u64) -> (f64, f64) {
        let n = real(self.count);
        let new = n - real(self.known.len());
        // A new case is shown to pass by `confirm` passes.
        let proofs = match self.policy.rigor {
            Rigor::Strict => new * real(u64::from(self.policy.confirm).saturating_sub(repeats)),
            Rigor::Usual => 0.0,
        };
        if self.known.is_empty() {
            return (FRESH.0 * n + proofs, FRESH.1 * n + proofs);
        }
        let (retest, _) = self.retest(repeats);
        let mut reckoned = BTreeMap::new();
        let sum: f64 = self
            .chances(repeats)
            .map(|(tally, rate, chance)| {
                let trials = reckoned.entry((tally.hits, tally.of)).or_insert_with(|| {
                    if self.policy.confirm > RECKONED {
                        f64::from(self.policy.confirm)
                    } else {
                        expected(&retest, tally, Tally::default(), rate)
                    }
                });
                chance * *trials
            })
            .sum();
        (sum + proofs, sum + proofs)
    }

    fn size(&self, cases: u64, repeats: u64) -> Size {
        let calls = cases.saturating_mul(repeats);
        let scale = real(cases) / real(self.count);
        let fresh = self.fresh(repeats);
        let fresh = (fresh.0 * scale, fresh.1 * scale);
        let answers = real(calls) + f64::midpoint(fresh.0, fresh.1);
        Size {
            cases,
            repeats,
            calls,
            fresh,
            detectable: self.spread.detectable(cases, repeats).filter(|drop| *drop <= WIDEST),
            cost_usd: self.cost_usd.map(|cost| cost * answers),
            time_ms: self.latency_ms.map(|ms| ms * answers / f64::from(self.concurrency)),
        }
    }
}

/// How many further trials a triggered case is asked for when it passes at this rate.
fn expected(retest: &Retest<'_>, before: Tally, fresh: Tally, rate: f64) -> f64 {
    let asked = u64::from(retest.next(before, fresh));
    if asked == 0 {
        return 0.0;
    }
    let after = |hits: u64| {
        let (lost, power) = (asked - hits, |n: u64| i32::try_from(n).unwrap_or(i32::MAX));
        let chance = stats::choose(asked, hits) * rate.powi(power(hits)) * (1.0 - rate).powi(power(lost));
        let fresh = Tally { hits: fresh.hits + hits, of: fresh.of + asked };
        chance * expected(retest, before, fresh, rate)
    };
    real(asked) + (0..=asked).map(after).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(n: usize, hits: u64, of: u64) -> Vec<Prospect> {
        let one = Prospect { before: Tally { hits, of }, cost_usd: Some(0.01), latency_ms: Some(1_000.0) };
        vec![one; n]
    }

    fn outlook(cases: &[Prospect], repeat: u32, effect: f64, policy: &Policy) -> Outlook {
        Outlook::of(cases, Setup { repeat, concurrency: 4, effect: Some(effect) }, policy).unwrap()
    }

    #[test]
    fn without_a_baseline_the_figures_are_those_of_the_documentation() {
        let policy = Policy::default();
        // (cases, effect, cases needed, repeats needed)
        for (n, effect, cases, repeats) in [
            (50, 0.03, 687, Some(14)),
            (200, 0.03, 687, Some(4)),
            (9, 0.03, 687, None),
            (9, 0.10, 62, Some(7)),
            (687, 0.03, 687, Some(1)),
        ] {
            let found = outlook(&suite(n, 0, 0), 1, effect, &policy);
            assert_eq!(found.more_cases.map(|size| size.cases), Some(cases), "{n} {effect}");
            assert_eq!(found.more_repeats.map(|size| size.repeats), repeats, "{n} {effect}");
            assert!(!found.discordance_measured && found.unlucky.is_none());
        }
        let found = outlook(&suite(200, 0, 0), 1, 0.03, &policy);
        assert!((found.now.detectable.unwrap() - 0.055_599).abs() < 1e-6);
        assert!((found.now.fresh.0 - 6.0).abs() < 1e-9 && (found.now.fresh.1 - 28.0).abs() < 1e-9);
        assert_eq!(found.broken.new, 200);
        assert_eq!(outlook(&suite(2, 0, 0), 1, 0.03, &policy).now.detectable, None, "above fifty points");
        assert!(Outlook::of(&[], Setup { repeat: 1, concurrency: 1, effect: None }, &policy).is_none());
    }

    #[test]
    fn a_baseline_measures_the_noise_and_the_price() {
        let policy = Policy::default();
        let found = outlook(&suite(100, 10, 10), 1, 0.03, &policy);
        // Every case always passed: 1001 of 1002 by Laplace's rule, weighted with its own ten trials.
        let p = (10.0 + 50.0 * 1001.0 / 1002.0) / 60.0;
        assert!((found.discordance - 2.0 * p * (1.0 - p)).abs() < 1e-12 && found.discordance_measured);
        assert!((found.unlucky.unwrap() - 100.0 * (1.0 - p)).abs() < 1e-9);
        assert!(found.now.cost_usd.unwrap() > 1.0 && found.now.cost_usd.unwrap() < 1.05);
        let ratio = found.now.time_ms.unwrap() / found.now.cost_usd.unwrap();
        assert!((ratio - 25_000.0).abs() < 1e-6, "a second a call, four at once");
        assert_eq!((found.broken.proven, found.broken.thin), (100, 0));
        // Too few trials to measure anything.
        assert!(!outlook(&suite(100, 1, 1), 1, 0.03, &policy).discordance_measured);
        // Too few of the cases are known.
        let mixed = [suite(2, 9, 10), suite(8, 0, 0)].concat();
        let found = outlook(&mixed, 1, 0.03, &policy);
        assert_eq!((found.discordance_measured, found.in_baseline, found.broken.new), (false, 2, 8));
    }

    #[test]
    fn one_broken_case_is_seen_as_the_policy_lets_it() {
        let thick = |policy: &Policy, hits, of| outlook(&suite(5, hits, of), 1, 0.1, policy).broken;
        let policy = Policy::default();
        // C(3 + 4, 4) = 35 ≥ 20, C(2 + 4, 4) = 15 < 20.
        assert_eq!(thick(&policy, 3, 3).needed_trials, Some(3));
        assert_eq!((thick(&policy, 3, 3).proven, thick(&policy, 2, 2).proven), (5, 0));
        assert_eq!((thick(&policy, 2, 2).thin, thick(&policy, 1, 10).failing), (5, 5));
        let sure = Policy { confirm: 0, ..Policy::default() };
        let found = thick(&sure, 1, 1);
        assert_eq!((found.proven, found.needed_trials), (5, None));
        let fresh = outlook(&suite(5, 1, 1), 1, 0.1, &sure).now.fresh;
        assert!(fresh.1.abs() < 1e-12);
    }

    #[test]
    fn fresh_trials_are_counted_as_they_are_asked() {
        let policy = Policy::default();
        let trial = Retest::over(1, &policy);
        // Too thin: one after the other until the first pass, eight at most.
        let thin = expected(&trial, Tally { hits: 1, of: 1 }, Tally::default(), 0.5);
        let by_hand: f64 = (0..8).map(|n| 0.5_f64.powi(n)).sum();
        assert!((thin - by_hand).abs() < 1e-12, "{thin}");
        // A case that always fails is asked as often as it may be.
        let never = expected(&trial, Tally { hits: 10, of: 10 }, Tally::default(), 0.0);
        assert!((never - 4.0).abs() < 1e-12, "{never}");
        // Strict: until the first failure, four at most.
        let strict = Policy { rigor: Rigor::Strict, ..Policy::default() };
        let found = expected(&Retest::over(1, &strict), Tally { hits: 9, of: 10 }, Tally::default(), 0.5);
        assert!((found - (1.0 + 0.5 + 0.25 + 0.125)).abs() < 1e-12, "{found}");
        // And new cases have to pass as often.
        let now = outlook(&suite(10, 0, 0), 1, 0.1, &strict).now;
        assert!((now.fresh.0 - 30.3).abs() < 1e-9, "{now:?}");
    }
}

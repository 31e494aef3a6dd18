//! Estimates what a run of a suite can detect, and how large it must be to detect more, before anything is sent.
//!
//! The estimate uses the same statistical tests as the gate.

use serde::Serialize;

use crate::gate::{Forecast, Policy, Rigor, Sight};
use crate::stats::{Tally, mean, real, whole};

/// The noise to assume if the baseline does not show it: one verdict in ten differs. That is typical of a suite with
/// ten baseline trials per case in which one case in five passes half the time.
const NOISE: f64 = 0.10;

/// With fewer trials per case, its pass rate cannot be predicted.
const PREDICTABLE: u64 = 3;

/// Larger drops, as a share of all cases, are not worth planning for.
const WIDEST: f64 = 0.5;

/// The most repeats that a plan proposes.
pub const MOST_REPEATS: u64 = 20;

/// Extra trials of an unchanged run as a share of its cases: minimum and maximum in the simulation of
/// docs/regressions.md, for suites without a baseline.
const FRESH: (f64, f64) = (0.06, 0.14);

/// One selected case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prospect {
    /// Its trials in the baseline; empty if the case is new or changed.
    pub before: Tally,
    /// Mean cost of an answer in US dollars, if the baseline has it.
    pub cost_usd: Option<f64>,
    /// Mean latency of an answer in milliseconds, if the baseline has it.
    pub latency_ms: Option<f64>,
}

/// The planned run.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Trials per case, at least 1.
    pub repeat: u32,
    /// Cases asked at the same time, at least 1.
    pub concurrency: u32,
    /// The drop in the pass rate to detect, above 0; 0.03 means three points.
    pub effect: Option<f64>,
    /// Number of tags with enough cases for a guard of their own.
    pub tags: usize,
}

/// What a run can detect, and what it takes to detect more.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outlook {
    /// `akit.plan/1`.
    pub schema: String,
    /// Selected cases.
    pub cases: u64,
    /// Selected cases that are in the baseline with the same content.
    pub in_baseline: u64,
    /// Minimum and maximum number of baseline trials of such a case.
    pub baseline_trials: Option<(u64, u64)>,
    /// Share of single-trial verdicts that differ between two unchanged runs, 0 to 1.
    pub discordance: f64,
    /// Whether that share comes from the baseline; otherwise it is the typical 0.10.
    pub discordance_measured: bool,
    /// Number of cases that an unchanged run is expected to run again; missing without a baseline.
    pub unlucky: Option<f64>,
    /// Whether one case that fails from now on would be detected.
    pub broken: Broken,
    /// The run as planned.
    pub now: Size,
    /// The drop to detect, 0 to 1.
    pub effect: Option<f64>,
    /// A run with enough cases to detect the drop, each asked once.
    pub more_cases: Option<Size>,
    /// A run with enough repeats of the selected cases to detect the drop; missing if [`MOST_REPEATS`] are not enough.
    pub more_repeats: Option<Size>,
    /// What [`MOST_REPEATS`] repeats of the selected cases would detect, 0 to 1.
    pub least_effect: Option<f64>,
}

/// Whether one case that fails from now on would be detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Broken {
    /// Maximum extra trials of a failing case under the policy; with 0, one failure is proof.
    pub confirm: u32,
    /// Cases with enough baseline trials for a proof.
    pub proven: u64,
    /// Cases with too few baseline trials for that: only eight or more failures in a row prove them broken.
    pub thin: u64,
    /// Cases that already failed in the baseline, so that their failures are not new.
    pub failing: u64,
    /// Cases that are not in the baseline: they must pass from the start.
    pub new: u64,
    /// Failed extra trials in a row that prove a case with enough baseline trials broken.
    pub failing_trials: Option<u64>,
}

/// A run of a given size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Size {
    /// Cases.
    pub cases: u64,
    /// Trials per case.
    pub repeats: u64,
    /// Requests for an answer: cases times repeats.
    pub calls: u64,
    /// Minimum and maximum of the extra trials to expect of an unchanged run; equal if a baseline shows their number.
    pub fresh: (f64, f64),
    /// The smallest drop that it detects with a probability of 80%, 0 to 0.5; missing if it detects none.
    pub detectable: Option<f64>,
    /// US dollars for all answers, without judging; missing if no price is known.
    pub cost_usd: Option<f64>,
    /// Milliseconds for all answers, without judging; missing if no time is known.
    pub time_ms: Option<f64>,
}

impl Outlook {
    /// The outlook for the selected cases; `None` if no case is selected.
    #[must_use]
    pub fn of(cases: &[Prospect], setup: Setup, policy: &Policy) -> Option<Self> {
        let basis = Basis::of(cases, setup, policy)?;
        let n = basis.count;
        let repeat = u64::from(setup.repeat.max(1));
        let more_cases = setup.effect.and_then(|effect| basis.suite.cases_needed(effect));
        let enough = |effect| (1..=MOST_REPEATS).find(|repeats| basis.suite.shows(effect, n, *repeats));
        let more_repeats = setup.effect.and_then(enough);
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
            discordance: basis.noise(),
            discordance_measured: basis.measured,
            unlucky: (!basis.known.is_empty()).then(|| basis.own.unlucky(repeat)),
            broken: basis.broken(repeat),
            now: basis.size(n, repeat),
            effect: setup.effect,
            more_cases: more_cases.map(|cases| basis.size(cases, 1)),
            more_repeats: more_repeats.map(|repeats| basis.size(n, repeats)),
            least_effect: setup.effect.and_then(|_| basis.detectable(n, MOST_REPEATS)),
        })
    }
}

/// What is known about a suite before it runs.
struct Basis<'a> {
    count: u64,
    known: Vec<Tally>,
    /// The forecast for the known cases.
    own: Forecast<'a>,
    /// The forecast for the assumed suite, which is the known cases if enough is known about them.
    suite: Forecast<'a>,
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
        let mut trials: Vec<u64> = known.iter().map(|tally| tally.of).collect();
        trials.sort_unstable();
        let measured = trials.get(trials.len() / 2).is_some_and(|median| *median >= PREDICTABLE)
            && known.len() * 2 >= cases.len();
        let supposed = |at: usize| Tally { hits: if at % 5 == 4 { 5 } else { 10 }, of: 10 };
        let suite = if measured { known.clone() } else { (0..cases.len().max(5)).map(supposed).collect() };
        Some(Self {
            count: cases.len() as u64,
            own: Forecast::of(known.iter().copied(), setup.tags, policy),
            suite: Forecast::of(suite, setup.tags, policy),
            measured,
            known,
            cost_usd: mean(cases.iter().filter_map(|case| case.cost_usd)),
            latency_ms: mean(cases.iter().filter_map(|case| case.latency_ms)),
            concurrency: setup.concurrency.max(1),
            policy,
        })
    }

    fn noise(&self) -> f64 {
        if self.measured { self.suite.noise().unwrap_or(NOISE) } else { NOISE }
    }

    /// How many cases are run again if one more case is broken.
    fn family(&self, repeats: u64) -> usize {
        let unlucky = whole(self.own.unlucky(repeats).round()).and_then(|n| usize::try_from(n).ok());
        1 + unlucky.unwrap_or_default()
    }

    fn broken(&self, repeats: u64) -> Broken {
        let (confirm, known) = (self.policy.confirm, self.known.len() as u64);
        let mut broken =
            Broken { confirm, proven: 0, thin: 0, failing: 0, new: self.count - known, failing_trials: None };
        for past in &self.known {
            match self.own.sight(*past, self.family(repeats)) {
                Sight::Failing => broken.failing += 1,
                Sight::Proven(_) | Sight::Thin(_) if confirm == 0 => broken.proven += 1,
                Sight::Proven(needed) => {
                    broken.proven += 1;
                    broken.failing_trials = broken.failing_trials.max(Some(needed));
                }
                Sight::Thin(_) => broken.thin += 1,
            }
        }
        broken
    }

    /// Extra trials of an unchanged run of the selected cases: minimum and maximum.
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
        let sum = self.own.fresh(repeats, self.family(repeats)) + proofs;
        (sum, sum)
    }

    fn detectable(&self, cases: u64, repeats: u64) -> Option<f64> {
        self.suite.loss(cases, repeats).filter(|loss| *loss <= WIDEST)
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
            detectable: self.detectable(cases, repeats),
            cost_usd: self.cost_usd.map(|cost| cost * answers),
            time_ms: self.latency_ms.map(|ms| ms * answers / f64::from(self.concurrency)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tests::{baseline, run};
    use crate::gate::{Evidence, Reference, decide};
    use crate::vocabulary::Outcome;

    fn suite(n: usize, hits: u64, of: u64) -> Vec<Prospect> {
        let one = Prospect { before: Tally { hits, of }, cost_usd: Some(0.01), latency_ms: Some(1_000.0) };
        vec![one; n]
    }

    fn outlook(cases: &[Prospect], repeat: u32, effect: Option<f64>, policy: &Policy) -> Outlook {
        Outlook::of(cases, Setup { repeat, concurrency: 4, effect, tags: 0 }, policy).unwrap()
    }

    #[test]
    fn without_a_baseline_a_typical_one_is_assumed() {
        let policy = Policy::default();
        let found = outlook(&suite(100, 0, 0), 1, Some(0.10), &policy);
        assert!(!found.discordance_measured && found.unlucky.is_none());
        assert!((found.discordance - 0.1).abs() < 1e-12);
        // With a hundred cases, ten points are detected, as in the simulation of docs/regressions.md.
        assert!(found.now.detectable.is_some_and(|drop| (0.05..0.12).contains(&drop)), "{found:?}");
        let cases = found.more_cases.unwrap().cases;
        assert!((60..=110).contains(&cases), "{cases}");
        assert!(outlook(&suite(100, 0, 0), 1, Some(0.03), &policy).more_repeats.is_some());
        assert!((found.now.fresh.0 - 6.0).abs() < 1e-9 && (found.now.fresh.1 - 14.0).abs() < 1e-9);
        assert_eq!(found.broken.new, 100);
        assert_eq!(outlook(&suite(2, 0, 0), 1, None, &policy).now.detectable, None, "above fifty points");
        assert!(
            Outlook::of(&[], Setup { repeat: 1, concurrency: 1, effect: None, tags: 0 }, &policy).is_none()
        );
    }

    #[test]
    fn a_plan_matches_a_run() {
        let policy = Policy::default();
        let ids: Vec<String> = (0..40).map(|n| format!("c{n:02}")).collect();
        let tally = |n: usize| if n < 4 { (7, 10) } else { (10, 10) };
        let stored: Vec<_> =
            ids.iter().enumerate().map(|(n, id)| (id.as_str(), tally(n).0, tally(n).1)).collect();
        let stored = baseline(&stored);
        let passed: Vec<_> = ids.iter().map(|id| (id.as_str(), Outcome::Passed)).collect();
        let mut manifest = run(&passed);
        let cases: Vec<_> = (0..40).flat_map(|n| suite(1, tally(n).0, tally(n).1)).collect();
        // A tag with many cases has its own guard, which takes a share of the level.
        for tags in [0, 1] {
            for case in manifest.cases.iter_mut().take(12 * tags) {
                case.tags = vec!["refund".to_owned()];
            }
            let reference = Reference::Found { baseline: &stored, from: "b.json" };
            let decision = decide(&Evidence { run: &manifest, reference, weakened: &[] }, &policy);
            let setup = Setup { repeat: 1, concurrency: 4, effect: None, tags };
            let found = Outlook::of(&cases, setup, &policy).unwrap();
            assert_eq!(found.now.detectable, decision.power.detectable_drop, "{tags}");
        }
    }

    #[test]
    fn a_baseline_measures_noise_and_cost() {
        let policy = Policy::default();
        let found = outlook(&suite(100, 10, 10), 1, Some(0.1), &policy);
        assert!(found.discordance > 0.0 && found.discordance < 0.05 && found.discordance_measured);
        assert!(found.unlucky.unwrap() > 0.0 && found.unlucky.unwrap() < 3.0);
        assert!(found.now.cost_usd.unwrap() > 1.0 && found.now.cost_usd.unwrap() < 1.05);
        let ratio = found.now.time_ms.unwrap() / found.now.cost_usd.unwrap();
        assert!((ratio - 25_000.0).abs() < 1e-6, "one second per request, four at a time");
        assert_eq!((found.broken.proven, found.broken.thin), (100, 0));
        // Too few trials to measure anything.
        assert!(!outlook(&suite(100, 1, 1), 1, None, &policy).discordance_measured);
        // Too few of the cases are known.
        let mixed = [suite(2, 9, 10), suite(8, 0, 0)].concat();
        let found = outlook(&mixed, 1, None, &policy);
        assert_eq!((found.discordance_measured, found.in_baseline, found.broken.new), (false, 2, 8));
    }

    #[test]
    fn detecting_one_broken_case_depends_on_the_policy() {
        let broken = |policy: &Policy, hits, of| outlook(&suite(5, hits, of), 1, None, policy).broken;
        let policy = Policy::default();
        let thick = broken(&policy, 10, 10);
        assert!(thick.proven == 5 && thick.failing_trials.is_some_and(|n| n < 8), "{thick:?}");
        assert_eq!((broken(&policy, 2, 2).thin, broken(&policy, 1, 10).failing), (5, 5));
        let sure = Policy { confirm: 0, ..Policy::default() };
        let found = broken(&sure, 1, 1);
        assert_eq!((found.proven, found.failing_trials), (5, None));
        let fresh = outlook(&suite(5, 1, 1), 1, None, &sure).now.fresh;
        assert!(fresh.1.abs() < 1e-12);
        // Under the strict policy, new cases must pass ten times.
        let strict = Policy { rigor: Rigor::Strict, ..Policy::default() };
        let now = outlook(&suite(10, 0, 0), 1, None, &strict).now;
        assert!((now.fresh.0 - 90.6).abs() < 1e-9, "{now:?}");
    }
}

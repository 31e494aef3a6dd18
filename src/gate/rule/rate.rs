//! Configured minimum pass rates: if they are met, they excuse failures of cases without a past.

use crate::gate::metric::{Bound, Measured};
use crate::gate::policy::{Policy, Threshold};
use crate::manifest::{CaseResult, RunManifest};
use crate::stats::SLACK;
use crate::vocabulary::Metric;

/// The minimum pass rates of a policy, and whether a run meets them.
pub(in crate::gate) struct Rates<'a> {
    /// Whether `min_pass_rate` is met, if set.
    whole: Option<bool>,
    /// The thresholds on pass rates, each with whether it is met.
    limits: Vec<(&'a Threshold, bool)>,
}

impl<'a> Rates<'a> {
    pub(in crate::gate) fn of(run: &RunManifest, policy: &'a Policy) -> Self {
        let all: Vec<_> = run.cases.iter().filter(|case| policy.quarantine_of(case).is_none()).collect();
        let meets = |cases: &[&CaseResult], least: f64| {
            let rate = Measured::against(Bound::Least, &Metric::PassRate, cases, policy);
            matches!(rate, Measured::Number(rate, _) if rate + SLACK >= least)
        };
        let limit = |limit: &'a Threshold| {
            let cases: Vec<_> = all.iter().copied().filter(|case| limit.rates(case)).collect();
            Some((limit, meets(&cases, limit.min?)))
        };
        Self {
            whole: policy.min_pass_rate.map(|least| meets(&all, least)),
            limits: policy.thresholds.iter().filter_map(limit).collect(),
        }
    }

    /// Whether rates cover a case, and all of them are met.
    pub(in crate::gate) fn excuse(&self, case: &CaseResult) -> bool {
        let mut own = self.limits.iter().filter(|(limit, _)| limit.rates(case)).map(|(_, met)| *met);
        match self.whole {
            Some(met) => met && own.all(|met| met),
            None => own.next().is_some_and(|first| first && own.all(|met| met)),
        }
    }
}

//! In what a `gate:` section demands less than another did.

mod limits;

use std::collections::BTreeSet;

use super::GateConfig;
use super::suites::{Suites, selection};
use crate::gate::{Missing, Policy, Rigor, Selector, Thin, Unconfirmed};
use crate::history::Place;
use crate::vocabulary::{CaseId, WeakeningKind as Kind, Weaker};

impl GateConfig {
    /// In what a new version demands less; keys begin at the configuration.
    pub(in crate::config) fn weaker(&self, now: &Self, suites: &Suites<'_>) -> Vec<Weaker> {
        let (Self { policy: old, from: was, quarantine: _, names: _ }, Self { policy: new, from: is, .. }) =
            (self, now);
        let mut found = policy(old, new, is.is_some(), suites);
        let baseline = match (was, is) {
            (Some(old), None) => {
                let message = format!("nothing is compared with the baseline {old} any more");
                Some(Weaker::new(Kind::BaselineRemoved, &["baseline", "from"], message))
            }
            // Files are compared by what is in them.
            (Some(old), Some(new)) if old != new && !(is_file(old) && is_file(new)) => {
                let message = format!("the baseline was {old}, it is {new}");
                Some(Weaker::new(Kind::BaselineMoved, &["baseline", "from"], message))
            }
            // What a file knows is compared entry by entry, so only its contents can excuse anything.
            (None, Some(new)) if !is_file(new) => {
                let message = format!("every failure counted, now the baseline {new} may excuse some");
                Some(Weaker::new(Kind::BaselineAdded, &["baseline", "from"], message))
            }
            _ => None,
        };
        found.extend(baseline);
        found.into_iter().map(|one| one.below(&["gate"])).collect()
    }
}

fn is_file(place: &Place) -> bool {
    place.file().is_some()
}

/// In what a policy demands less; `compares` where a baseline excuses failures.
fn policy(before: &Policy, now: &Policy, compares: bool, suites: &Suites<'_>) -> Vec<Weaker> {
    let Policy {
        // Limits, with the other thresholds.
        min_pass_rate: _,
        max_error_rate,
        thresholds: _,
        critical: cases,
        confirm,
        alpha,
        margin,
        missing,
        thin,
        fail_on,
        unconfirmed,
        rigor,
        // A file of its own, compared entry by entry.
        quarantine: _,
        today: _,
        of_base: _,
    } = before;
    let mut found = Vec::new();
    let mut tell = |kind, keys: &[&str], message: String| found.push(Weaker::new(kind, keys, message));
    if now.max_error_rate > *max_error_rate {
        let (old, new) = (max_error_rate, now.max_error_rate);
        let message = format!("the share of cases without a verdict was at most {old}, now {new}");
        tell(Kind::ErrorRateRaised, &["max_error_rate"], message);
    }
    if now.confirm > *confirm {
        let message =
            format!("a failing case had {confirm} fresh trials to clear itself, now {}", now.confirm);
        tell(Kind::ConfirmRaised, &["baseline", "confirm"], message);
    }
    // Without a fresh trial one failure is proof.
    if now.confirm < *confirm && now.confirm > 0 {
        let message = format!(
            "up to {confirm} fresh trials could prove that a case broke, and a new one had to pass as many under the strict \
             policy; now {}",
            now.confirm
        );
        tell(Kind::ConfirmLowered, &["baseline", "confirm"], message);
    }
    if now.alpha < *alpha {
        let message = format!("`alpha` was {alpha}, it is {}: more has to be proven", now.alpha);
        tell(Kind::AlphaLowered, &["baseline", "alpha"], message);
    }
    if now.margin > *margin {
        let message = format!("a drop of the pass rate by {margin} was tolerated, now by {}", now.margin);
        tell(Kind::MarginRaised, &["baseline", "margin"], message);
    }
    // Unset, it is an error in some places.
    let strictness = |said: Option<Missing>| match said {
        Some(Missing::Warn) => 0,
        None => 1,
        Some(Missing::Fail) => 2,
    };
    if strictness(now.missing) < strictness(*missing) {
        let message = "a missing baseline was an error, now it is a warning".to_owned();
        tell(Kind::MissingTolerated, &["baseline", "missing"], message);
    }
    if (*thin, now.thin) == (Thin::Strict, Thin::Warn) {
        let message = "a case that fails beside a thin baseline is a warning now".to_owned();
        tell(Kind::ThinTolerated, &["baseline", "thin"], message);
    }
    let message = match (*unconfirmed, now.unconfirmed) {
        (Unconfirmed::Fail | Unconfirmed::Inconclusive, Unconfirmed::Warn) => {
            Some("a failure that nobody could confirm stopped the release, now it is a warning")
        }
        (Unconfirmed::Fail, Unconfirmed::Inconclusive) => {
            Some("a failure that nobody could confirm failed the gate, now the run is inconclusive")
        }
        (Unconfirmed::Warn, _)
        | (_, Unconfirmed::Fail)
        | (Unconfirmed::Inconclusive, Unconfirmed::Inconclusive) => None,
    };
    if let Some(message) = message {
        tell(Kind::UnconfirmedTolerated, &["baseline", "unconfirmed"], message.to_owned());
    }
    if (*rigor, now.rigor) == (Rigor::Strict, Rigor::Usual) {
        let message = "a change had to show that it breaks nothing, now it need not".to_owned();
        tell(Kind::PolicyRelaxed, &["policy"], message);
    }
    for gone in fail_on.difference(&now.fail_on) {
        let message = format!("`{}` failed the gate, now it is a warning", <&str>::from(*gone));
        tell(Kind::FailOnRemoved, &["fail_on"], message);
    }
    found.extend(critical(cases, &now.critical, suites));
    found.extend(limits::weaker(before, now, compares, suites));
    found
}

fn critical(before: &[Selector], now: &[Selector], suites: &Suites<'_>) -> Vec<Weaker> {
    let known: BTreeSet<_> = now.iter().map(selection).collect();
    let now: Vec<_> = now.iter().collect();
    let mut found = Vec::new();
    for entry in before {
        let lost = suites.escaped(entry, &now);
        if lost.as_ref().map_or(!known.contains(&selection(entry)), |cases| !cases.is_empty()) {
            let first = lost.iter().flatten().next();
            let first = first.map(|case| format!(", {} for one", CaseId::new(case.scenario, case.id)));
            let message =
                format!("cases{} are no longer critical{}", entry.words(), first.unwrap_or_default());
            found.push(Weaker::new(Kind::CriticalRemoved, &["critical"], message));
        }
    }
    found
}

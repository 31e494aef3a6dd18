//! How a `gate:` section demands less than before.

mod limits;

use std::collections::BTreeSet;

use super::GateConfig;
use super::suites::{Suites, selection};
use crate::gate::{Missing, Policy, Rigor, Selector, Thin, Unconfirmed};
use crate::history::Place;
use crate::vocabulary::{CaseId, WeakeningKind as Kind, Weaker};

impl GateConfig {
    /// How a new version demands less; keys start at the configuration.
    pub(in crate::config) fn weaker(&self, now: &Self, suites: &Suites<'_>) -> Vec<Weaker> {
        let (Self { policy: old, from: was, quarantine: _, names: _ }, Self { policy: new, from: is, .. }) =
            (self, now);
        let mut found = policy(old, new, is.is_some(), suites);
        let baseline = match (was, is) {
            (Some(old), None) => {
                let message = format!("runs are no longer compared with the baseline {old}");
                Some(Weaker::new(Kind::BaselineRemoved, &["baseline", "from"], message))
            }
            // Files are compared by their contents.
            (Some(old), Some(new)) if old != new && !(is_file(old) && is_file(new)) => {
                let message = format!("the baseline was {old}, now {new}");
                Some(Weaker::new(Kind::BaselineMoved, &["baseline", "from"], message))
            }
            // The contents of a file are compared entry by entry, so adding one is reported only if it can excuse
            // something.
            (None, Some(new)) if !is_file(new) => {
                let message = format!("every failure counted; now the baseline {new} may excuse some");
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

/// How a policy demands less; `compares` if a baseline excuses failures.
fn policy(before: &Policy, now: &Policy, compares: bool, suites: &Suites<'_>) -> Vec<Weaker> {
    let Policy {
        // Compared as limits, together with the other thresholds.
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
        // The quarantine is a separate file, compared entry by entry.
        quarantine: _,
        today: _,
        of_base: _,
    } = before;
    let mut found = Vec::new();
    let mut add = |kind, keys: &[&str], message: String| found.push(Weaker::new(kind, keys, message));
    if now.max_error_rate > *max_error_rate {
        let (old, new) = (max_error_rate, now.max_error_rate);
        let message = format!("the error rate was limited to {old}, now to {new}");
        add(Kind::ErrorRateRaised, &["max_error_rate"], message);
    }
    if now.confirm > *confirm {
        let message = format!("a failing case had {confirm} extra trials to clear it, now {}", now.confirm);
        add(Kind::ConfirmRaised, &["baseline", "confirm"], message);
    }
    // Without extra trials, one failure is proof.
    if now.confirm < *confirm && now.confirm > 0 {
        let message = format!(
            "up to {confirm} extra trials could prove a case broken, and a new case had to pass as many under the strict \
             policy; now {}",
            now.confirm
        );
        add(Kind::ConfirmLowered, &["baseline", "confirm"], message);
    }
    if now.alpha < *alpha {
        let message =
            format!("`alpha` was {alpha}, now {}: a failure needs more evidence to count", now.alpha);
        add(Kind::AlphaLowered, &["baseline", "alpha"], message);
    }
    if now.margin > *margin {
        let message = format!("the tolerated drop of the pass rate was {margin}, now {}", now.margin);
        add(Kind::MarginRaised, &["baseline", "margin"], message);
    }
    // If unset, it is an error in some places.
    let strictness = |said: Option<Missing>| match said {
        Some(Missing::Warn) => 0,
        None => 1,
        Some(Missing::Fail) => 2,
    };
    if strictness(now.missing) < strictness(*missing) {
        let message = "a missing baseline was an error; now it is a warning".to_owned();
        add(Kind::MissingTolerated, &["baseline", "missing"], message);
    }
    if (*thin, now.thin) == (Thin::Strict, Thin::Warn) {
        let message = "a case that fails with a thin baseline is now a warning".to_owned();
        add(Kind::ThinTolerated, &["baseline", "thin"], message);
    }
    let message = match (*unconfirmed, now.unconfirmed) {
        (Unconfirmed::Fail | Unconfirmed::Inconclusive, Unconfirmed::Warn) => {
            Some("an unconfirmed failure stopped the release; now it is a warning")
        }
        (Unconfirmed::Fail, Unconfirmed::Inconclusive) => {
            Some("an unconfirmed failure failed the gate; now the run is inconclusive")
        }
        (Unconfirmed::Warn, _)
        | (_, Unconfirmed::Fail)
        | (Unconfirmed::Inconclusive, Unconfirmed::Inconclusive) => None,
    };
    if let Some(message) = message {
        add(Kind::UnconfirmedTolerated, &["baseline", "unconfirmed"], message.to_owned());
    }
    if (*rigor, now.rigor) == (Rigor::Strict, Rigor::Usual) {
        let message = "a change had to show that it breaks nothing; now it does not".to_owned();
        add(Kind::PolicyRelaxed, &["policy"], message);
    }
    for gone in fail_on.difference(&now.fail_on) {
        let message = format!("`{}` failed the gate; now it is a warning", <&str>::from(*gone));
        add(Kind::FailOnRemoved, &["fail_on"], message);
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
            let first = first.map(|case| format!(", such as {}", CaseId::new(case.scenario, case.id)));
            let message =
                format!("cases{} are no longer critical{}", entry.words(), first.unwrap_or_default());
            found.push(Weaker::new(Kind::CriticalRemoved, &["critical"], message));
        }
    }
    found
}

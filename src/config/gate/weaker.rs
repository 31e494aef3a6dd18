//! In what a `gate:` section demands less than another did.

use std::collections::BTreeSet;

use super::{GateConfig, Named};
use crate::gate::{Missing, Policy, Rigor, Selector, Thin, Threshold, Unconfirmed};
use crate::history::Place;
use crate::vocabulary::{CaseId, Metric, Selection, WeakeningKind as Kind, Weaker};

/// The cases that policies select from.
#[derive(Clone, Debug, Default)]
pub struct Suites<'a> {
    /// Cases of before.
    pub before: Vec<Named<'a>>,
    /// Those that are left, before and now.
    pub kept: Vec<(Named<'a>, Named<'a>)>,
}

impl<'a> Suites<'a> {
    /// The cases that a selector of before took, and none of now takes, under their names of now.
    ///
    /// `None` where the selector took no case at all, so that nothing can be said.
    fn escaped(&self, before: &Selector, now: &[&Selector]) -> Option<Vec<Named<'a>>> {
        if !self.before.iter().any(|case| takes(before, case)) {
            return None;
        }
        let kept = self.kept.iter().filter(|(old, _)| takes(before, old)).map(|(_, new)| *new);
        Some(kept.filter(|new| !now.iter().any(|one| takes(one, new))).collect())
    }
}

fn takes(selector: &Selector, case: &Named<'_>) -> bool {
    selector.takes(case.scenario, case.id, case.tags)
}

/// The same for the same selection.
fn selection(selector: &Selector) -> Selection {
    let mut selection = selector.selection();
    selection.tags.sort();
    selection.tags.dedup();
    selection
}

impl GateConfig {
    /// In what a new version demands less; keys begin at the configuration.
    pub(in crate::config) fn weaker(&self, now: &Self, suites: &Suites<'_>) -> Vec<Weaker> {
        let (Self { policy: old, from: was, names: _ }, Self { policy: new, from: is, names: _ }) =
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
        min_pass_rate,
        max_error_rate,
        thresholds: limits,
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
    } = before;
    let mut found = Vec::new();
    let mut tell = |kind, keys: &[&str], message: String| found.push(Weaker::new(kind, keys, message));
    match (*min_pass_rate, now.min_pass_rate) {
        (Some(old), Some(new)) if new < old => {
            let message = format!("the pass rate had to be {old}, now {new} is enough");
            tell(Kind::PassRateLowered, &["min_pass_rate"], message);
        }
        // Without a rate every case must pass, but for those that a baseline excuses, or that another rate takes.
        (Some(old), None) if compares || is_taken(old, now) => {
            let message = format!("the pass rate had to be {old}, now there is no least one");
            tell(Kind::PassRateLowered, &["min_pass_rate"], message);
        }
        (None, Some(new)) if new < least(before) => {
            let message = format!("every case had to pass, now a pass rate of {new} is enough");
            tell(Kind::PassRateLowered, &["min_pass_rate"], message);
        }
        _ => {}
    }
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
    if now.confirm < *confirm && (*rigor, now.rigor) == (Rigor::Strict, Rigor::Strict) {
        let message =
            format!("a new or changed case had to pass {confirm} times, now {} are enough", now.confirm);
        tell(Kind::PolicyRelaxed, &["baseline", "confirm"], message);
    }
    if now.alpha < *alpha {
        let message = format!("`alpha` was {alpha}, it is {}: more has to be proven", now.alpha);
        tell(Kind::AlphaLowered, &["baseline", "alpha"], message);
    }
    if now.margin > *margin {
        let message = format!("a drop of the pass rate by {margin} was tolerated, now by {}", now.margin);
        tell(Kind::MarginRaised, &["baseline", "margin"], message);
    }
    if (*missing, now.missing) == (Missing::Fail, Missing::Warn) {
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
    found.extend(thresholds(limits, before, now, suites));
    found
}

fn critical(before: &[Selector], now: &[Selector], suites: &Suites<'_>) -> Vec<Weaker> {
    let known: BTreeSet<_> = now.iter().map(selection).collect();
    let now: Vec<_> = now.iter().collect();
    let mut found = Vec::new();
    for entry in before.iter().filter(|entry| !known.contains(&selection(entry))) {
        let cases = suites.escaped(entry, &now);
        if cases.as_ref().is_none_or(|cases| !cases.is_empty()) {
            let first = cases.iter().flatten().next();
            let first = first.map(|case| format!(", {} for one", CaseId::new(case.scenario, case.id)));
            let message =
                format!("cases{} are no longer critical{}", entry.words(), first.unwrap_or_default());
            found.push(Weaker::new(Kind::CriticalRemoved, &["critical"], message));
        }
    }
    found
}

/// The rates that all cases together have to reach.
fn over_all(policy: &Policy) -> impl Iterator<Item = f64> {
    let all = policy.thresholds.iter().filter(|limit| is_over_all(limit));
    all.filter_map(|limit| limit.min).chain(policy.min_pass_rate)
}

fn is_over_all(limit: &Threshold) -> bool {
    limit.metric == Metric::PassRate && selection(&limit.cases).is_all()
}

/// The rate that all cases have to reach; where none is over all of them, each of the others must pass.
fn least(policy: &Policy) -> f64 {
    over_all(policy).reduce(f64::max).unwrap_or(1.0)
}

/// Whether rates that stand alone now let pass what a rate of `old` over all cases did not.
fn is_taken(old: f64, now: &Policy) -> bool {
    let is_rate = |limit: &Threshold| rates(&limit.metric) && limit.min.is_some();
    now.thresholds.iter().any(is_rate) && !over_all(now).any(|min| min >= old)
}

fn rates(metric: &Metric) -> bool {
    matches!(metric, Metric::PassRate | Metric::Recall(_))
}

/// A threshold of now and its place in the list.
type Numbered<'a> = (usize, &'a Threshold);

fn thresholds(limits: &[Threshold], before: &Policy, now: &Policy, suites: &Suites<'_>) -> Vec<Weaker> {
    let mut left: Vec<Numbered<'_>> = now.thresholds.iter().enumerate().collect();
    let (mut found, mut unpaired) = (Vec::new(), Vec::new());
    for limit in limits {
        let twin = |(_, other): &Numbered<'_>| {
            other.metric == limit.metric && selection(&other.cases) == selection(&limit.cases)
        };
        // Of several on the same, one that is as tight comes before others.
        let tight = left.iter().position(|other| twin(other) && looser(limit, *other).is_empty());
        match tight.or_else(|| left.iter().position(twin)) {
            Some(at) => found.extend(looser(limit, left.remove(at))),
            None => unpaired.push(limit),
        }
    }
    for limit in unpaired {
        let same = |(_, other): &Numbered<'_>| other.metric == limit.metric;
        let tight = left.iter().position(|other| same(other) && narrowed(suites, limit, other.1).is_none());
        let Some(at) = tight.or_else(|| left.iter().position(same)) else {
            let message = format!("the threshold on {}{} is gone", limit.metric.name(), limit.cases.words());
            found.push(Weaker::new(Kind::ThresholdRemoved, &["thresholds"], message));
            continue;
        };
        let other = left.remove(at);
        if let Some(message) = narrowed(suites, limit, other.1) {
            found.push(Weaker::new(Kind::ThresholdNarrowed, &keys(other, selects(&other.1.cases)), message));
        }
        found.extend(looser(limit, other));
    }
    if before.min_pass_rate.is_some() {
        return found;
    }
    // A rate takes the place of the rule that every case must pass, where none took it before.
    let is_taken = |limit: &Threshold| {
        let rates = limits.iter().filter(|old| rates(&old.metric) && old.min.is_some());
        rates.into_iter().any(|old| {
            is_over_all(old)
                || (old.metric == limit.metric && selection(&old.cases) == selection(&limit.cases))
        })
    };
    for other in left.into_iter().filter(|(_, limit)| rates(&limit.metric) && !is_taken(limit)) {
        let Some(min) = other.1.min.filter(|min| *min < 1.0) else { continue };
        let name = other.1.metric.name();
        let message =
            format!("every case had to pass, now a {name} of {min} is enough{}", other.1.cases.words());
        found.push(Weaker::new(Kind::PassRateLowered, &keys(other, Some("min")), message));
    }
    found
}

fn keys(limit: Numbered<'_>, key: Option<&str>) -> Vec<String> {
    let number = limit.0.to_string();
    ["thresholds", &number].into_iter().chain(key).map(str::to_owned).collect()
}

/// The key by which a threshold says for which cases it is.
fn selects(cases: &Selector) -> Option<&'static str> {
    let Selector { case, scenario, tags } = cases;
    match (tags.is_empty(), scenario, case) {
        (false, ..) => Some("tags"),
        (true, Some(_), _) => Some("scenario"),
        (true, None, Some(_)) => Some("case"),
        (true, None, None) => None,
    }
}

/// Why a threshold holds for less than another did.
fn narrowed(suites: &Suites<'_>, before: &Threshold, now: &Threshold) -> Option<String> {
    let name = now.metric.name();
    let of = |selector: &Selector| match selector.words() {
        words if words.is_empty() => " of all cases".to_owned(),
        words => words,
    };
    let message =
        format!("the threshold was on {name}{}, it is on {name}{}", of(&before.cases), of(&now.cases));
    let Some(cases) = suites.escaped(&before.cases, &[&now.cases]) else {
        return (selection(&before.cases) != selection(&now.cases)).then_some(message);
    };
    // More cases around those that matter thin out a mean; they only add to a sum or to a demand on all.
    let all = rates(&now.metric) && now.min == Some(1.0);
    let wider = suites.kept.iter().any(|(old, new)| takes(&now.cases, new) && !takes(&before.cases, old));
    (!cases.is_empty() || (wider && !now.metric.is_spending() && !all)).then_some(message)
}

/// The limits of a threshold that are looser than they were.
fn looser(before: &Threshold, now: Numbered<'_>) -> Vec<Weaker> {
    let Threshold { metric, cases: _, min, max } = before;
    let name = format!("{}{}", metric.name(), now.1.cases.words());
    let mut found = Vec::new();
    let mut limit =
        |(old, new): (Option<f64>, Option<f64>), key, word, kind, outwards: fn(f64, f64) -> bool| {
            let Some(old) = old else { return };
            let message = format!("{name} had to be at {word} {old}");
            match new {
                Some(new) if outwards(old, new) => {
                    found.push(Weaker::new(kind, &keys(now, Some(key)), format!("{message}, now {new}")));
                }
                Some(_) => {}
                None => found.push(Weaker::new(Kind::ThresholdRemoved, &keys(now, Some("metric")), message)),
            }
        };
    limit((*min, now.1.min), "min", "least", Kind::ThresholdLowered, |old, new| new < old);
    limit((*max, now.1.max), "max", "most", Kind::ThresholdRaised, |old, new| new > old);
    found
}

//! Limits on metrics: finds the old ones without an equivalent now.
//!
//! Each side of a threshold is a separate limit, and `min_pass_rate` is one over all cases. Without a rate, every case
//! must pass; with one, the cases that it covers need not all pass.

use std::collections::BTreeSet;

use crate::config::Named;
use crate::config::gate::suites::{Suites, selection, takes};
use crate::gate::{Category, Policy, Selector};
use crate::vocabulary::{CaseId, Metric, Selection, WeakeningKind as Kind, Weaker};

const PASS_RATE: &Metric = &Metric::PassRate;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Most,
}

struct Limit<'a> {
    metric: &'a Metric,
    cases: Selector,
    side: Side,
    value: f64,
    /// Its index in the list of thresholds; `None` for `min_pass_rate`.
    place: Option<usize>,
}

fn limits(policy: &Policy) -> Vec<Limit<'_>> {
    let all = policy.min_pass_rate.map(|value| Limit {
        metric: PASS_RATE,
        cases: Selector::default(),
        side: Side::Least,
        value,
        place: None,
    });
    let sides = policy.thresholds.iter().enumerate().flat_map(|(place, threshold)| {
        let sides = [(Side::Least, threshold.min), (Side::Most, threshold.max)];
        sides.into_iter().filter_map(move |(side, value)| {
            let cases = threshold.cases.clone();
            Some(Limit { metric: &threshold.metric, cases, side, value: value?, place: Some(place) })
        })
    });
    all.into_iter().chain(sides).collect()
}

impl Limit<'_> {
    fn is_rate(&self) -> bool {
        matches!(self.metric, Metric::PassRate | Metric::Recall(_))
    }

    /// What it measures, and over which cases; equal for limits with the same meaning.
    fn about(&self) -> (Metric, Selection) {
        let mut cases = selection(&self.cases);
        match self.metric {
            Metric::Recall(tag) if cases.tags.is_empty() => {
                cases.tags.push(tag.clone());
                (Metric::PassRate, cases)
            }
            metric => (metric.clone(), cases),
        }
    }

    fn has(&self, case: &Named<'_>) -> bool {
        let tagged = match self.metric {
            Metric::Recall(tag) => case.tags.contains(tag),
            _ => true,
        };
        tagged && takes(&self.cases, case)
    }

    /// Whether it is at least as tight as another on the same side.
    fn is_as_tight(&self, other: &Self) -> bool {
        match self.side {
            Side::Least => self.value >= other.value,
            Side::Most => self.value <= other.value,
        }
    }

    /// Whether all of its cases must pass.
    fn is_whole(&self) -> bool {
        self.is_rate() && self.side == Side::Least && self.value >= 1.0
    }

    /// Whether both limit the same metric, over any cases.
    fn is_like(&self, other: &Self) -> bool {
        self.side == other.side && (self.metric == other.metric || (self.is_rate() && other.is_rate()))
    }

    /// Whether both limit the same metric over the same cases, by name.
    fn is_twin(&self, other: &Self) -> bool {
        self.side == other.side && self.about() == other.about()
    }

    fn keys(&self, key: &str) -> Vec<String> {
        match self.place {
            Some(place) => ["thresholds", &place.to_string(), key].map(str::to_owned).to_vec(),
            None => vec!["min_pass_rate".to_owned()],
        }
    }

    fn side_key(&self) -> &'static str {
        match self.side {
            Side::Least => "min",
            Side::Most => "max",
        }
    }

    /// The key that selects its cases.
    fn cases_key(&self) -> &'static str {
        let Selector { case, scenario, tags } = &self.cases;
        match (tags.is_empty(), scenario, case) {
            (false, ..) => "tags",
            (true, Some(_), _) => "scenario",
            (true, None, Some(_)) => "case",
            (true, None, None) => "metric",
        }
    }

    /// Its name, whatever its index and the order of its tags; `None` for `min_pass_rate`.
    fn of(&self) -> Option<String> {
        self.place?;
        let mut cases = self.cases.clone();
        cases.tags.sort();
        Some(format!("gate.thresholds: {} of {}{}", self.side_key(), self.metric.name(), cases.words()))
    }

    fn name(&self) -> String {
        format!("{}{}", self.metric.name(), self.cases.words())
    }

    /// What it demanded, for display.
    fn demanded(&self) -> String {
        let word = if self.side == Side::Least { "least" } else { "most" };
        match self.place {
            Some(_) => format!("{} had to be at {word} {}", self.name(), self.value),
            None => format!("the pass rate had to be {}", self.value),
        }
    }

    /// The kind of weakening if the limit is lower or higher now.
    fn looser_kind(&self) -> Kind {
        match (self.place, self.side) {
            (None, _) => Kind::PassRateLowered,
            (Some(_), Side::Least) => Kind::ThresholdLowered,
            (Some(_), Side::Most) => Kind::ThresholdRaised,
        }
    }
}

/// The limits of two policies over the cases in both suites.
struct LimitComparison<'a> {
    before: Vec<Limit<'a>>,
    now: Vec<Limit<'a>>,
    suites: &'a Suites<'a>,
    /// Whether every case that no rate covers must pass now.
    is_strict: bool,
}

pub(super) fn weaker(before: &Policy, now: &Policy, compares: bool, suites: &Suites<'_>) -> Vec<Weaker> {
    let fails = |policy: &Policy| policy.fail_on.contains(&Category::NewFailure);
    let comparison = LimitComparison {
        before: limits(before),
        now: limits(now),
        suites,
        // A baseline excuses failures.
        is_strict: fails(now) && !compares && !suites.flags_decide,
    };
    let mut found = Vec::new();
    for (at, limit) in comparison.before.iter().enumerate() {
        // Of several on the same cases, the tightest counts.
        let tighter = |(other_at, other): (usize, &Limit<'_>)| {
            other_at != at
                && other.is_twin(limit)
                && other.is_as_tight(limit)
                && (other_at < at || !limit.is_as_tight(other))
        };
        if !comparison.before.iter().enumerate().any(tighter) && !comparison.holds(limit) {
            found.extend(comparison.loosened(limit));
        }
    }
    if fails(before) {
        found.extend(comparison.freed());
    }
    found
}

impl LimitComparison<'_> {
    /// The cases of an old limit, by index among those in both suites.
    fn had(&self, limit: &Limit<'_>) -> BTreeSet<usize> {
        let kept = self.suites.kept.iter().enumerate();
        kept.filter(|(_, (old, _))| limit.has(old)).map(|(at, _)| at).collect()
    }

    /// The cases of a new limit.
    fn has(&self, limit: &Limit<'_>) -> BTreeSet<usize> {
        let kept = self.suites.kept.iter().enumerate();
        kept.filter(|(_, (_, new))| limit.has(new)).map(|(at, _)| at).collect()
    }

    /// Whether the new limits demand at least what an old one did.
    fn holds(&self, limit: &Limit<'_>) -> bool {
        self.now.iter().any(|other| self.takes_over(limit, other)) || self.all_pass(limit)
    }

    fn takes_over(&self, limit: &Limit<'_>, other: &Limit<'_>) -> bool {
        if !limit.is_like(other) || !other.is_as_tight(limit) {
            return false;
        }
        let (had, has) = (self.had(limit), self.has(other));
        // More cases dilute a mean, but only add to a sum or to a requirement that all cases must meet.
        let only_adds = other.is_whole() || (other.side == Side::Most && other.metric.is_spending());
        // A limit that selected no case before can only be compared by name.
        let is_comparable = !had.is_empty() || limit.is_twin(other);
        is_comparable && if only_adds { had.is_subset(&has) } else { had == has }
    }

    /// Whether every case of a rate must pass now.
    fn all_pass(&self, limit: &Limit<'_>) -> bool {
        if !limit.is_rate() || limit.side != Side::Least {
            return false;
        }
        let rates = || self.now.iter().filter(|one| one.is_rate() && one.side == Side::Least);
        let new = |one: &&Limit<'_>| !one.is_whole() && !self.before.iter().any(|other| other.is_twin(one));
        if self.is_strict && !rates().any(|one| !one.is_whole()) {
            return true;
        }
        let is_strict = self.is_strict && !rates().any(|one| new(&one));
        let must_pass = |at: &usize| {
            let case = &self.suites.kept[*at].1;
            rates().any(|one| one.is_whole() && one.has(case))
                || (is_strict && !rates().any(|one| one.has(case)))
        };
        let had = self.had(limit);
        !had.is_empty() && had.iter().all(must_pass)
    }

    /// How a limit demands less.
    fn loosened(&self, limit: &Limit<'_>) -> Vec<Weaker> {
        let looser = |other: &Limit<'_>| {
            let enough = if limit.side == Side::Least { " is enough" } else { "" };
            let message = format!("{}, now {}{enough}", limit.demanded(), other.value);
            Weaker { kind: limit.looser_kind(), keys: other.keys(other.side_key()), of: limit.of(), message }
        };
        let twins = self.now.iter().filter(|other| other.is_twin(limit));
        let tightest = twins.reduce(|one, other| if other.is_as_tight(one) { other } else { one });
        if let Some(twin) = tightest {
            return vec![if twin.is_as_tight(limit) {
                let (had, has) = (self.had(limit), self.has(twin));
                let name = |at: &usize| {
                    let new = &self.suites.kept[*at].1;
                    CaseId::new(new.scenario, new.id).to_string()
                };
                let message = match (had.difference(&has).next(), has.difference(&had).next()) {
                    (Some(lost), _) => format!("{} no longer covers {}", twin.name(), name(lost)),
                    (None, Some(more)) => {
                        format!("{} now also covers {}, which dilutes it", twin.name(), name(more))
                    }
                    (None, None) => format!("{} changed", twin.name()),
                };
                Weaker {
                    kind: Kind::ThresholdNarrowed,
                    keys: twin.keys(twin.cases_key()),
                    of: limit.of(),
                    message,
                }
            } else {
                looser(twin)
            }];
        }
        let free = |other: &&Limit<'_>| {
            other.is_like(limit) && !self.before.iter().any(|before| before.is_twin(other))
        };
        let mut others = self.now.iter().filter(free);
        let tight = others.clone().find(|other| other.is_as_tight(limit));
        if let Some(other) = limit.place.and(tight.or_else(|| others.next())) {
            let of = |limit: &Limit<'_>| match limit.cases.words() {
                words if words.is_empty() => format!("{} of all cases", limit.metric.name()),
                _ => limit.name(),
            };
            let message = format!("the threshold was on {}, now on {}", of(limit), of(other));
            let keys = other.keys(other.cases_key());
            let mut found = vec![Weaker { kind: Kind::ThresholdNarrowed, keys, of: limit.of(), message }];
            if !other.is_as_tight(limit) {
                found.push(looser(other));
            }
            return found;
        }
        let half = self.now.iter().find(|other| other.about() == limit.about() && other.place.is_some());
        vec![match (limit.place, half) {
            (None, _) => {
                let message = format!("{}; now there is no minimum", limit.demanded());
                Weaker::new(Kind::PassRateLowered, &["min_pass_rate"], message)
            }
            (_, Some(half)) => Weaker {
                kind: Kind::ThresholdRemoved,
                keys: half.keys("metric"),
                of: limit.of(),
                message: limit.demanded(),
            },
            (_, None) => {
                let message = format!("the threshold on {} was removed", limit.name());
                Weaker { of: limit.of(), ..Weaker::new(Kind::ThresholdRemoved, &["thresholds"], message) }
            }
        }]
    }

    /// Reports rates that now cover cases of which each had to pass before.
    fn freed(&self) -> Vec<Weaker> {
        let rates = |limits: &'_ [Limit<'_>], case: &Named<'_>, is_whole: bool| {
            limits.iter().any(|one| {
                one.is_rate() && one.side == Side::Least && (!is_whole || one.is_whole()) && one.has(case)
            })
        };
        let over_all = |one: &Limit<'_>| {
            one.side == Side::Least && one.about() == (Metric::PassRate, selection(&Selector::default()))
        };
        if self.before.iter().any(over_all) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for limit in self.now.iter().filter(|one| one.is_rate() && one.side == Side::Least && !one.is_whole())
        {
            let mut taken = self.suites.kept.iter().filter(|(_, new)| limit.has(new)).peekable();
            let is_known = self.before.iter().any(|before| before.is_twin(limit));
            let unknown = !is_known && taken.peek().is_none();
            let freed =
                taken.find(|(old, new)| !rates(&self.before, old, false) && !rates(&self.now, new, true));
            let name = match limit.place {
                Some(_) => limit.metric.name(),
                None => "pass rate".to_owned(),
            };
            let message = match freed {
                Some((_, new)) if is_known => format!(
                    "{} had to pass; now a {name} of {} is enough for it{}",
                    CaseId::new(new.scenario, new.id),
                    limit.value,
                    limit.cases.words()
                ),
                None if !unknown => continue,
                _ => format!(
                    "every case had to pass; now a {name} of {} is enough{}",
                    limit.value,
                    limit.cases.words()
                ),
            };
            found.push(Weaker {
                kind: Kind::PassRateLowered,
                keys: limit.keys("min"),
                of: limit.of(),
                message,
            });
        }
        found
    }
}

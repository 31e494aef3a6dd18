//! The thresholds of a policy.

use super::document::{items, number, place, start, word};
use super::kind::{Kind, Log};
use super::matching::Pairs;
use super::selection::{escaped, selector, takes, text};
use super::{Demands, Document};
use crate::gate::Selector;
use crate::source::Node;
use crate::vocabulary::Metric;

/// One entry.
pub(super) struct Limit<'a> {
    node: &'a Node,
    pub(super) metric: Metric,
    cases: Selector,
    min: Option<f64>,
    max: Option<f64>,
}

/// Whether a rate decides over cases, and not each failure by itself.
pub(super) fn is_rated(gate: &Node) -> bool {
    number(gate, "min_pass_rate").is_some() || limits(Some(gate)).iter().any(|limit| rates(&limit.metric))
}

fn rates(metric: &Metric) -> bool {
    matches!(metric, Metric::PassRate | Metric::Recall(_))
}

/// The thresholds of `gate:`.
pub(super) fn limits(gate: Option<&Node>) -> Vec<Limit<'_>> {
    let listed = items(gate.and_then(|gate| gate.get("thresholds"))).iter();
    listed
        .filter_map(|node| {
            let metric = Metric::parse(word(node, "metric")?)?;
            let (min, max) = (number(node, "min"), number(node, "max"));
            Some(Limit { node, metric, cases: selector(node), min, max })
        })
        .collect()
}

fn gate(demands: &Demands) -> Option<&Node> {
    demands.config.as_ref()?.node.get("gate")
}

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    let Some(document) = now.config.as_ref().or(before.config.as_ref()) else { return };
    let (old, mut new) = (limits(gate(before)), limits(gate(now)));
    let rated = gate(before).is_some_and(is_rated);
    let mut left = Vec::new();
    for limit in old {
        let twin =
            |other: &Limit<'_>| other.metric == limit.metric && text(&other.cases) == text(&limit.cases);
        // Of several on the same, one that is as tight goes before others.
        let tight = new.iter().position(|other| twin(other) && looser(&limit, other).is_empty());
        match tight.or_else(|| new.iter().position(twin)) {
            Some(at) => tell(&limit, &new.remove(at), document, log),
            None => left.push(limit),
        }
    }
    for limit in left {
        let same = |other: &Limit<'_>| other.metric == limit.metric;
        let tight = new.iter().position(|other| same(other) && narrowed(pairs, &limit, other).is_none());
        let Some(at) = tight.or_else(|| new.iter().position(same)) else {
            let name = limit.metric.name();
            let message = format!("the threshold on {name}{} is gone", limit.cases.words());
            log.at(
                Kind::ThresholdRemoved,
                &document.file,
                place(&document.node, &["gate", "thresholds"]),
                &message,
            );
            continue;
        };
        let other = new.remove(at);
        if let Some(message) = narrowed(pairs, &limit, &other) {
            log.at(Kind::ThresholdNarrowed, &document.file, selection(other.node), &message);
        }
        tell(&limit, &other, document, log);
    }
    if rated || gate(before).is_some_and(|gate| number(gate, "min_pass_rate").is_some()) {
        return;
    }
    // A rate takes the place of the rule that every case must pass.
    for limit in new.iter().filter(|limit| rates(&limit.metric)) {
        let Some(min) = limit.min.filter(|min| *min < 1.0) else { continue };
        let name = limit.metric.name();
        let message =
            format!("every case had to pass, now a {name} of {min} is enough{}", limit.cases.words());
        log.at(Kind::PassRateLowered, &document.file, place(limit.node, &["min"]), &message);
    }
}

/// Where a threshold says for which cases it is.
fn selection(node: &Node) -> crate::source::Span {
    ["tags", "scenario", "case"]
        .iter()
        .find(|key| node.get(key).is_some())
        .map_or_else(|| start(node), |key| place(node, &[key]))
}

/// Why a threshold holds for less than another did.
fn narrowed(pairs: &Pairs<'_>, before: &Limit<'_>, now: &Limit<'_>) -> Option<String> {
    let name = now.metric.name();
    let of = |selector: &Selector| match selector.words() {
        words if words.is_empty() => " of all cases".to_owned(),
        words => words,
    };
    let message =
        format!("the threshold was on {name}{}, it is on {name}{}", of(&before.cases), of(&now.cases));
    let Some(cases) = escaped(pairs, &before.cases, std::slice::from_ref(&now.cases)) else {
        return (text(&before.cases) != text(&now.cases)).then_some(message);
    };
    // More cases around those that matter thin out a mean; they only add to a sum or to a demand on all.
    let adds = matches!(now.metric, Metric::Tokens | Metric::Cost | Metric::JudgeCost);
    let all = rates(&now.metric) && now.min == Some(1.0);
    let wider = pairs.kept().any(|(old, new)| takes(&now.cases, new) && !takes(&before.cases, old));
    (!cases.is_empty() || (wider && !adds && !all)).then_some(message)
}

/// The limits of a threshold that are looser than they were.
fn looser(before: &Limit<'_>, now: &Limit<'_>) -> Vec<(Kind, &'static str, String)> {
    let mut found = Vec::new();
    let name = now.metric.name();
    let of = now.cases.words();
    match (before.min, now.min) {
        (Some(old), Some(new)) if new < old => {
            let message = format!("{name}{of} had to be at least {old}, now {new}");
            found.push((Kind::ThresholdLowered, "min", message));
        }
        (Some(old), None) => {
            found.push((Kind::ThresholdRemoved, "metric", format!("{name}{of} had to be at least {old}")));
        }
        _ => {}
    }
    match (before.max, now.max) {
        (Some(old), Some(new)) if new > old => {
            let message = format!("{name}{of} had to be at most {old}, now {new}");
            found.push((Kind::ThresholdRaised, "max", message));
        }
        (Some(old), None) => {
            found.push((Kind::ThresholdRemoved, "metric", format!("{name}{of} had to be at most {old}")));
        }
        _ => {}
    }
    found
}

fn tell(before: &Limit<'_>, now: &Limit<'_>, document: &Document, log: &mut Log) {
    for (kind, key, message) in looser(before, now) {
        log.at(kind, &document.file, place(now.node, &[key]), &message);
    }
}

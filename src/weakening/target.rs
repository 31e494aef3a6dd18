//! The application under test: whether it is still asked, and whether what it costs is still seen.

use std::collections::BTreeSet;

use super::document::{below, entries, number, place, word, words};
use super::kind::{Kind, Log};
use super::matching::{Case, Pairs};
use super::threshold::limits;
use super::{Demands, Document};
use crate::source::{Node, Value};
use crate::vocabulary::Metric;

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    recorded(pairs, before, now, log);
    let Some(document) = &now.config else { return };
    replayed(before.config.as_ref(), document, log);
    if now.budget || limits_cost(&document.node) {
        prices(before, now, document, log);
    }
}

/// Cases that a file answers where somebody was asked.
fn recorded(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    for (old, new) in pairs.kept() {
        let (was, _) = provider(old, before.config.as_ref());
        let (is, at) = provider(new, now.config.as_ref());
        if let Some((node, document)) = at
            && is == "replies"
            && was != "replies"
        {
            let message = format!("{was} was asked, now recorded replies are judged");
            log.at(Kind::TargetRecorded, &document.file, place(node, &["provider"]), &message);
        }
    }
}

/// Who answers a case, and where that is said.
fn provider<'a>(
    case: &Case<'a>,
    config: Option<&'a Document>,
) -> (&'a str, Option<(&'a Node, &'a Document)>) {
    let own = [(case.node, case.document), (&case.document.node, case.document)];
    let said = own.into_iter().chain(config.map(|config| (&config.node, config)));
    let mut named =
        said.filter_map(|(node, document)| Some((word(node, "provider")?, Some((node, document)))));
    named.next().unwrap_or(("openai", None))
}

/// A cache that answers where the application was asked: records of a good day, whatever it says now.
fn replayed(before: Option<&Document>, document: &Document, log: &mut Log) {
    let reads = |config: &Document| {
        let mode = below(&config.node, &["cache", "mode"]).and_then(Node::as_str);
        mode.filter(|mode| ["auto", "replay"].contains(mode)).map(str::to_owned)
    };
    if let (None, Some(mode)) = (before.and_then(reads), reads(document)) {
        let message = format!("the application was asked anew, now its records answer (`{mode}`)");
        log.at(Kind::CacheReplayed, &document.file, place(&document.node, &["cache", "mode"]), &message);
    }
}

/// Whether the policy looks at costs.
fn limits_cost(config: &Node) -> bool {
    let gate = config.get("gate");
    let cost = |metric: &Metric| matches!(metric, Metric::Cost | Metric::JudgeCost);
    let fatal = words(gate.and_then(|gate| gate.get("fail_on"))).iter().any(|word| word == "cost");
    fatal || limits(gate).iter().any(|limit| cost(&limit.metric))
}

/// Prices that are gone or lower, so that less seems to be spent than is.
fn prices(before: &Demands, now: &Demands, document: &Document, log: &mut Log) {
    let old = before.config.as_ref().and_then(|config| config.node.get("prices"));
    let (named, still) = (models(before), models(now));
    for (model, price) in entries(old) {
        let Some(model) = model.as_str() else { continue };
        let keys = ["prices", model];
        let Some(new) = below(&document.node, &keys) else {
            // A model that the files named and name no more is not asked any more.
            let gone = named.contains(model) && !still.contains(model);
            let cost = ["input", "output"].iter().any(|key| number(price, key).is_some_and(|usd| usd > 0.0));
            if cost && !gone {
                let message = format!("{model} has no price any more: what it costs is not seen");
                log.at(Kind::PriceLowered, &document.file, place(&document.node, &keys), &message);
            }
            continue;
        };
        for key in ["input", "output"] {
            if let (Some(was), Some(is)) = (number(price, key), number(new, key))
                && is < was
            {
                let message =
                    format!("`{key}` of {model} was {was} USD, it is {is}: limits on costs allow more");
                log.at(Kind::PriceLowered, &document.file, place(new, &[key]), &message);
            }
        }
    }
}

/// Every model that configuration and suite name.
fn models(demands: &Demands) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for document in demands.config.iter().chain(&demands.scenarios) {
        collect(&document.node, &mut found);
    }
    found
}

fn collect<'a>(node: &'a Node, found: &mut BTreeSet<&'a str>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let is_model = key.as_str().is_some_and(|key| key.to_lowercase().ends_with("model"));
                found.extend(value.as_str().filter(|_| is_model));
                collect(value, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

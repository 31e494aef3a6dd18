//! The policy but for its thresholds: rates, critical cases, what the baseline proves, what is fatal.

use std::collections::BTreeSet;

use super::document::{below, items, number, place, word, words};
use super::kind::{Kind, Log};
use super::matching::Pairs;
use super::selection::{escaped, selector, text};
use super::threshold::is_rated;
use super::{Demands, Document};
use crate::gate::{Category, Policy};
use crate::source::{Node, Span, Value};

/// `gate:` of both sides, and the file that findings point into.
struct Sides<'a> {
    before: &'a Node,
    now: &'a Node,
    document: &'a Document,
}

/// What stands where there is no configuration or no `gate:`.
const NOTHING: Node = Node { value: Value::Null, span: Span { line: 0, column: 0, length: 0 } };

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    let Some(document) = now.config.as_ref().or(before.config.as_ref()) else { return };
    let gate =
        |demands: &Demands| demands.config.as_ref().and_then(|config| config.node.get("gate")).cloned();
    let (old, new) = (gate(before).unwrap_or(NOTHING), gate(now).unwrap_or(NOTHING));
    let sides = Sides { before: &old, now: &new, document };
    sides.rates(log);
    sides.baseline(log);
    sides.words(log);
    sides.critical(pairs, log);
}

impl Sides<'_> {
    fn tell(&self, log: &mut Log, kind: Kind, keys: &[&str], message: &str) {
        let keys = [&["gate"], keys].concat();
        log.at(kind, &self.document.file, place(&self.document.node, &keys), message);
    }

    fn rates(&self, log: &mut Log) {
        let (old, new) = (number(self.before, "min_pass_rate"), number(self.now, "min_pass_rate"));
        let compares = below(self.now, &["baseline", "from"]).is_some();
        match (old, new) {
            (Some(old), Some(new)) if new < old => {
                let message = format!("the pass rate had to be {old}, now {new} is enough");
                self.tell(log, Kind::PassRateLowered, &["min_pass_rate"], &message);
            }
            // Without a rate every case must pass, but for those that a baseline excuses.
            (Some(old), None) if compares => {
                let message = format!("the pass rate had to be {old}, now there is no least one");
                self.tell(log, Kind::PassRateLowered, &["min_pass_rate"], &message);
            }
            (None, Some(new)) if new < 1.0 && !is_rated(self.before) => {
                let message = format!("every case had to pass, now a pass rate of {new} is enough");
                self.tell(log, Kind::PassRateLowered, &["min_pass_rate"], &message);
            }
            _ => {}
        }
        let default = Policy::default().max_error_rate;
        let rate = |node| number(node, "max_error_rate").unwrap_or(default);
        if rate(self.now) > rate(self.before) {
            let message = format!(
                "the share of cases without a verdict was at most {}, now {}",
                rate(self.before),
                rate(self.now)
            );
            self.tell(log, Kind::ErrorRateRaised, &["max_error_rate"], &message);
        }
    }

    fn baseline(&self, log: &mut Log) {
        let default = Policy::default();
        let of =
            |node, key, default| below(node, &["baseline"]).and_then(|n| number(n, key)).unwrap_or(default);
        let both = |key, default| (of(self.before, key, default), of(self.now, key, default));
        let (old, new) = both("confirm", f64::from(default.confirm));
        if new > old {
            let message = format!("a failing case had {old} fresh trials to clear itself, now {new}");
            self.tell(log, Kind::ConfirmRaised, &["baseline", "confirm"], &message);
        }
        let (old, new) = both("alpha", default.alpha);
        if new < old {
            let message = format!("`alpha` was {old}, it is {new}: more has to be proven");
            self.tell(log, Kind::AlphaLowered, &["baseline", "alpha"], &message);
        }
        let (old, new) = both("margin", default.margin);
        if new > old {
            let message = format!("a drop of the pass rate by {old} was tolerated, now by {new}");
            self.tell(log, Kind::MarginRaised, &["baseline", "margin"], &message);
        }
    }

    fn words(&self, log: &mut Log) {
        let is = |node, keys: &[&str], word: &str| below(node, keys).and_then(Node::as_str) == Some(word);
        let missing = ["baseline", "missing"];
        if is(self.before, &missing, "fail") && !is(self.now, &missing, "fail") {
            let message = "a missing baseline was an error, now it is a warning";
            self.tell(log, Kind::MissingTolerated, &missing, message);
        }
        let thin = ["baseline", "thin"];
        if is(self.now, &thin, "warn") && !is(self.before, &thin, "warn") {
            let message = "a case that fails beside a thin baseline is a warning now";
            self.tell(log, Kind::ThinTolerated, &thin, message);
        }
        let unconfirmed = ["baseline", "unconfirmed"];
        let rank = |node| match below(node, &unconfirmed).and_then(Node::as_str) {
            Some("fail") => 0,
            Some("warn") => 2,
            _ => 1,
        };
        if rank(self.now) > rank(self.before) {
            let message = match rank(self.now) {
                2 => "a failure that nobody could confirm stopped the release, now it is a warning",
                _ => "a failure that nobody could confirm failed the gate, now the run is inconclusive",
            };
            self.tell(log, Kind::UnconfirmedTolerated, &unconfirmed, message);
        }
        if is(self.before, &["policy"], "strict") && !is(self.now, &["policy"], "strict") {
            let message = "a change had to show that it breaks nothing, now it need not";
            self.tell(log, Kind::PolicyRelaxed, &["policy"], message);
        }
        let (old, new) = (fatal(self.before), fatal(self.now));
        for gone in old.difference(&new) {
            let message = format!("`{gone}` failed the gate, now it is a warning");
            self.tell(log, Kind::FailOnRemoved, &["fail_on"], &message);
        }
        let from = |node| below(node, &["baseline", "from"]).and_then(Node::as_str);
        match (from(self.before), from(self.now)) {
            (Some(old), None) => {
                let message = format!("nothing is compared with the baseline {old} any more");
                self.tell(log, Kind::BaselineRemoved, &["baseline", "from"], &message);
            }
            // Files are held against each other by what is in them.
            (Some(old), Some(new)) if old != new && !(is_file(old) && is_file(new)) => {
                let message = format!("the baseline was {old}, it is {new}");
                self.tell(log, Kind::BaselineMoved, &["baseline", "from"], &message);
            }
            _ => {}
        }
    }

    fn critical(&self, pairs: &Pairs<'_>, log: &mut Log) {
        let old: Vec<_> = items(self.before.get("critical")).iter().map(selector).collect();
        let new: Vec<_> = items(self.now.get("critical")).iter().map(selector).collect();
        let known: Vec<_> = new.iter().map(text).collect();
        for entry in old.iter().filter(|entry| !known.contains(&text(entry))) {
            let cases = escaped(pairs, entry, &new);
            if cases.as_ref().is_none_or(|cases| !cases.is_empty()) {
                let first = cases.iter().flatten().next().map(|case| format!(", {} for one", case.name()));
                let message =
                    format!("cases{} are no longer critical{}", entry.words(), first.unwrap_or_default());
                self.tell(log, Kind::CriticalRemoved, &["critical"], &message);
            }
        }
    }
}

/// Whether a baseline lies in a file of the repository.
pub(super) fn is_file(from: &str) -> bool {
    !from.starts_with("git:") && !from.starts_with("git-ref:")
}

/// The categories that fail the gate.
fn fatal(gate: &Node) -> BTreeSet<String> {
    if gate.get("fail_on").is_some() {
        return words(gate.get("fail_on")).into_iter().collect();
    }
    let defaults = Category::ALL.iter().filter(|(_, category)| Category::DEFAULT.contains(category));
    defaults.map(|(name, _)| (*name).to_owned()).collect()
}

/// Where the configuration of a side names its baseline or its quarantine, as written.
pub(super) fn named<'a>(config: &'a Document, keys: &[&str]) -> Option<&'a str> {
    let (last, path) = keys.split_last()?;
    word(below(&config.node, path)?, last)
}

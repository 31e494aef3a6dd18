//! The suite: cases that are gone, and cases that ask less.

use std::collections::BTreeSet;

use super::document::{below, number, place, word};
use super::expectation;
use super::judge::Judging;
use super::kind::{Kind, Log};
use super::matching::{Case, Pairs, scenario_name};
use super::selection::named_tags;
use super::{Demands, Document};
use crate::source::{Location, Node, Span};
use crate::text;

/// Tries after a transient error, and milliseconds for one try, where nothing says otherwise.
const PATIENCE: [(Kind, &str, &str, f64); 2] = [
    (Kind::RetriesRaised, "retries", "maxRetries", 2.0),
    (Kind::TimeoutRaised, "timeout", "timeout", 60_000.0),
];

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    gone(pairs, now, log);
    let tags = named_tags(now.config.as_ref());
    let judging = (Judging::of(before.config.as_ref()), Judging::of(now.config.as_ref()));
    let mut scenarios = BTreeSet::new();
    for (old, new) in pairs.kept() {
        for tag in old.tags.iter().filter(|tag| tags.contains(*tag) && !new.tags.contains(tag)) {
            let span = if new.node.get("tags").is_some() { place(new.node, &["tags"]) } else { new.span };
            let message = format!("{} no longer has the tag `{tag}`, which the policy names", new.name());
            log.at(Kind::TagRemoved, &new.document.file, span, &message);
        }
        for flag in expectation::weaker(&old.expected, &new.expected, &judging) {
            let message = format!("{}: {}", new.name(), flag.message);
            log.at(flag.kind, &new.document.file, flag.span, &message);
        }
        let configs = (before.config.as_ref(), now.config.as_ref());
        patience(old, new, configs, log);
        if scenarios.insert(new.document.file.name()) {
            scenario_patience((old.document, new.document), configs, log);
        }
    }
}

/// Cases and whole scenarios that are asked no more.
fn gone(pairs: &Pairs<'_>, now: &Demands, log: &mut Log) {
    let mut told = BTreeSet::new();
    for (case, _) in pairs.all().filter(|(_, now)| now.is_none()) {
        let file = case.document.file.name();
        let known = now.scenarios.iter().find(|one| scenario_name(one) == case.scenario);
        let left = known.or_else(|| now.scenarios.iter().find(|one| one.file.name() == file));
        if let Some((document, line)) =
            left.and_then(|document| Some((document, commented(document, &case.id)?)))
        {
            let location = Location { file: document.file.name().to_owned(), line, column: 1 };
            let message = format!("{} is a comment now and not asked", case.name());
            log.add(Kind::CaseSkipped, location, &message);
        } else if let Some(document) = left {
            let message = format!("{} is gone, {file}:{} before", case.name(), case.span.line);
            log.at(Kind::CaseRemoved, &document.file, place(&document.node, &["cases"]), &message);
        } else {
            let mut cases = pairs.all().filter(|(other, _)| other.scenario == case.scenario);
            if cases.by_ref().any(|(_, now)| now.is_some()) {
                let message = format!("{} is gone, and so is its file", case.name());
                log.at(Kind::CaseRemoved, &case.document.file, case.span, &message);
            } else if told.insert(case.scenario.clone()) {
                let all = pairs.before.iter().filter(|other| other.scenario == case.scenario).count();
                let message =
                    format!("scenario {} is gone, with {}", case.scenario, text::count(all, "case"));
                log.add(
                    Kind::ScenarioRemoved,
                    Location { file: file.to_owned(), line: 1, column: 1 },
                    &message,
                );
            }
        }
    }
}

/// The 1-based line of a comment that still holds the case's id.
fn commented(document: &Document, id: &str) -> Option<u32> {
    let lines = document.file.text().lines().zip(1..);
    lines
        .filter_map(|(text, line)| Some((text.trim_start().strip_prefix('#')?, line)))
        .find(|(text, _)| {
            let entry = text.trim_start_matches(['#', ' ', '\t', '-', '{']);
            let value = entry.strip_prefix("id:").map(str::trim_start);
            value.is_some_and(|value| {
                let value = value.trim_start_matches(['"', '\'']);
                value.strip_prefix(id).is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_')
                })
            })
        })
        .map(|(_, line)| line)
}

type Configs<'a> = (Option<&'a Document>, Option<&'a Document>);

/// Retries and timeout of a case itself.
fn patience(old: &Case<'_>, new: &Case<'_>, configs: Configs<'_>, log: &mut Log) {
    for (kind, own, shared, default) in PATIENCE {
        let (before, now) = (number(old.node, own), number(new.node, own));
        let was = before.unwrap_or_else(|| inherited(&old.document.node, configs.0, shared, default));
        let is = now.unwrap_or_else(|| inherited(&new.document.node, configs.1, shared, default));
        if before != now && is > was {
            let span = if now.is_some() { place(new.node, &[own]) } else { new.span };
            log.at(kind, &new.document.file, span, &format!("{}: `{own}` was {was}, it is {is}", new.name()));
        }
    }
}

/// Retries and timeout of a scenario's provider.
fn scenario_patience(documents: (&Document, &Document), configs: Configs<'_>, log: &mut Log) {
    for (kind, _, shared, default) in PATIENCE {
        let path = ["providerConfig", shared];
        let own = |document: &Document| below(&document.node, &path).and_then(super::document::value);
        let was = inherited(&documents.0.node, configs.0, shared, default);
        let is = inherited(&documents.1.node, configs.1, shared, default);
        if own(documents.0) != own(documents.1) && is > was {
            let span = place(&documents.1.node, &path);
            log.at(
                kind,
                &documents.1.file,
                span,
                &format!("`{shared}` of the scenario was {was}, it is {is}"),
            );
        }
    }
}

/// What a scenario's cases have without a word of their own.
fn inherited(scenario: &Node, config: Option<&Document>, key: &str, default: f64) -> f64 {
    let configured = config.and_then(|config| {
        let provider =
            word(scenario, "provider").or_else(|| word(&config.node, "provider")).unwrap_or("openai");
        below(&config.node, &["providers", provider, key])
    });
    let own = below(scenario, &["providerConfig", key]);
    own.or(configured).and_then(super::document::value).unwrap_or(default)
}

/// Raised retries or timeout in a part of the configuration.
pub(super) fn configured_patience(before: Option<&Node>, document: &Document, path: &[&str], log: &mut Log) {
    for (kind, _, key, default) in PATIENCE {
        let was = before.and_then(|node| number(node, key)).unwrap_or(default);
        let is = below(&document.node, path).and_then(|node| number(node, key)).unwrap_or(default);
        if is > was {
            let keys = [path, &[key]].concat();
            let span: Span = place(&document.node, &keys);
            log.at(kind, &document.file, span, &format!("`{}` was {was}, it is {is}", keys.join(".")));
        }
    }
}

//! The suite: removed cases, and weaker cases.

use std::collections::BTreeSet;

use super::Log;
use super::pairs::{Paired, Pairs};
use super::{Demands, Document, ScenarioFile};
use crate::config::ConfigFile;
use crate::expectation::{Judges, Rule, Written, weaker};
use crate::gate::Selector;
use crate::provider::DEFAULT;
use crate::scenario::{Scenario, Tries};
use crate::seed::Root;
use crate::source::Location;
use crate::text;
use crate::vocabulary::{CaseId, Metric, WeakeningKind as Kind, Weaker};

pub(super) fn compare(
    pairs: &Pairs<'_>,
    (was, is): (&ConfigFile, &ConfigFile),
    now: &Demands,
    log: &mut Log,
) {
    gone(pairs, now, log);
    let tags = named_tags(is);
    let configured = (was.configured(), is.configured());
    let judges = Judges { before: &configured.0, now: &configured.1 };
    let mut scenarios = BTreeSet::new();
    let drawn = now.selection.is_sample().then(|| (drawn(&pairs.before, now), drawn(&pairs.now, now)));
    for (old, new) in pairs.kept() {
        let (name, file) = (new.name(), &new.suite.document.file);
        let lost = |tag: &&String| tags.contains(*tag) && !new.case.tags.contains(tag);
        if now.selection.refusal(old.scenario(), old.case).is_none()
            && let Some(why) = now.selection.refusal(new.scenario(), new.case)
        {
            let message = format!("{name} was selected by this run's flags, but no longer is: {why}");
            let key = if new.node.get("tags").is_some() { "tags" } else { "id" };
            log.at(Kind::CaseUnselected, &name, file, new.node.place(&[key]), &message);
        }
        if old.key() != new.key()
            && drawn.as_ref().is_some_and(|(was, is)| was.contains(&old.key()) && !is.contains(&new.key()))
        {
            let message =
                format!("{} was in this run's sample; under its new name, it no longer is", old.name());
            log.at(Kind::CaseUnselected, &name, file, new.node.place(&["id"]), &message);
        }
        answered(old, new, log);
        redacted((old, was), (new, is), now, log);
        for tag in old.case.tags.iter().filter(lost) {
            let key = if new.node.get("tags").is_some() { "tags" } else { "id" };
            let message = format!("{name} no longer has the tag `{tag}`, which the policy uses");
            log.at(Kind::TagRemoved, &name, file, new.node.place(&[key]), &message);
        }
        let (before, after) = (old.always(), new.always());
        for one in weaker((old.expected(), &before), (new.expected(), &after), judges) {
            match (&one.gone, &one.rule) {
                (Some(rule), _) => lifted(rule, new, now, log),
                (None, Some(rule)) => {
                    let message = format!("rule `{}` for every answer: {}", rule.name, one.message);
                    log.at(one.kind, &rule.name, &rule.file, one.span, &message);
                }
                (None, None) => {
                    log.at(one.kind, &name, file, one.span, &format!("{name}: {}", one.message));
                }
            }
        }
        turns(old, new, judges, log);
        let tries = (tries(old.scenario(), was), tries(new.scenario(), is));
        for one in old.case.weaker(new.case, tries) {
            let span = if new.node.get(&one.keys[0]).is_some() {
                new.node.place(&one.keys)
            } else {
                new.node.place(&["id"])
            };
            log.at(one.kind, &name, file, span, &format!("{name}: {}", one.message));
        }
        if scenarios.insert(file.name()) {
            let sampled = old.scenario().sampled(new.scenario(), now.flags.seed.is_some());
            for one in old.scenario().weaker(new.scenario(), tries).iter().chain(&sampled) {
                log.key(&new.suite.document, one);
            }
        }
    }
}

/// Reports the turns of a script whose answers have to meet less than before.
fn turns(old: &Paired<'_>, new: &Paired<'_>, judges: Judges<'_>, log: &mut Log) {
    let (Some(was), Some(is)) = (&old.case.dialogue, &new.case.dialogue) else { return };
    let (name, file) = (new.name(), &new.suite.document.file);
    for (at, place) in was.paired(is).into_iter().enumerate() {
        let Some(place) = place else { continue };
        let (before, now) = (&was.turns()[at], &is.turns()[place]);
        let Some(demanded) = &before.expectation else { continue };
        let turn = |case: &Paired<'_>, at: usize| {
            case.node.get("turns").and_then(|turns| turns.items().get(at)).cloned()
        };
        let (Some(old_node), Some(new_node)) = (turn(old, at), turn(new, place)) else { continue };
        let Some(demands) = &now.expectation else {
            let message = format!("{name}: turn {} no longer has an expectation", place + 1);
            log.at(Kind::ExpectationRemoved, &name, file, new_node.start(), &message);
            continue;
        };
        let own = |expectation, node| Written::own(expectation, node);
        let (old_node, new_node) = (old_node.get("expected"), new_node.get("expected"));
        let (Some(old_node), Some(new_node)) = (old_node, new_node) else { continue };
        for one in weaker((own(demanded, old_node), &[]), (own(demands, new_node), &[]), judges) {
            log.at(one.kind, &name, file, one.span, &format!("{name}, turn {}: {}", place + 1, one.message));
        }
    }
}

/// The cases of a suite that are in this run's sample.
fn drawn<'a>(cases: &[Paired<'a>], now: &Demands) -> BTreeSet<CaseId<'a>> {
    let mut suites: Vec<&ScenarioFile> = cases.iter().map(|case| case.suite).collect();
    suites.dedup_by(|one, other| std::ptr::eq(*one, *other));
    let seeded = |suite: &&ScenarioFile| {
        // A seed given by a flag takes precedence over those of the files.
        let seed = suite.scenario.seed.filter(|_| now.flags.seed.is_none());
        Scenario { seed, ..suite.scenario.clone() }
    };
    let scenarios: Vec<Scenario> = suites.iter().map(seeded).collect();
    let left_out = now.selection.apply(&scenarios, now.flags.seed.map_or(Root::default(), Root));
    let all = suites.iter().zip(left_out).flat_map(|(suite, left_out)| {
        suite.scenario.cases.iter().zip(left_out).map(|(case, why)| (&suite.scenario.name, case, why))
    });
    let asked = all.filter(|(_, _, why)| why.is_none());
    asked.map(|(scenario, case, _)| CaseId::new(scenario, &case.id)).collect()
}

/// Reports a rule that covered a case and no longer does.
fn lifted(rule: &Rule, new: &Paired<'_>, now: &Demands, log: &mut Log) {
    let (name, place) = (new.name(), rule.location());
    let suite = &new.suite.document;
    if new.case.except.iter().any(|one| one.name == rule.name) {
        let message =
            format!("{name} is now an exception to the rule `{}` for every answer ({place})", rule.name);
        let span = new.node.place(&["except", &rule.name]);
        return log.at(Kind::ExpectationRemoved, &name, &suite.file, span, &message);
    }
    let config = now.config.as_ref().map(|config| &config.document);
    let is_own = place.file == suite.file.name();
    let document = config.filter(|_| !is_own).unwrap_or(suite);
    let message = format!("the rule `{}` for every answer was removed (was at {place})", rule.name);
    log.at(Kind::ExpectationRemoved, &rule.name, &document.file, document.node.place(&["always"]), &message);
}

/// Reports a prompt that contains the expected answer and did not before.
fn answered(old: &Paired<'_>, new: &Paired<'_>, log: &mut Log) {
    // In a conversation, the application reads what the customer says as its prompt.
    let spoken = |case: &Paired<'_>| {
        let lines = case.case.dialogue.iter().flat_map(|dialogue| dialogue.texts());
        let messages = case.case.messages.iter().map(|message| message.content.clone());
        messages.chain(lines).collect::<Vec<_>>()
    };
    let says = |case: &Paired<'_>, text: &str| spoken(case).iter().any(|said| text::has_phrase(said, text));
    let turns = new.case.dialogue.iter().flat_map(|dialogue| dialogue.expectations());
    let expected: Vec<&str> =
        std::iter::once(&new.case.expectation).chain(turns).flat_map(|one| one.texts()).collect();
    if expected.iter().any(|text| says(new, text) && !says(old, text)) {
        let key = ["prompt", "turns", "customer"].into_iter().find(|key| new.node.get(key).is_some());
        let (name, key) = (new.name(), [key.unwrap_or("id")]);
        let message = format!("{name}: the prompt now contains the expected answer");
        log.at(Kind::AnswerInPrompt, &name, &new.suite.document.file, new.node.place(&key), &message);
    }
}

/// Reports redaction that removes more from what is judged.
fn redacted(
    (old, was): (&Paired<'_>, &ConfigFile),
    (new, is): (&Paired<'_>, &ConfigFile),
    now: &Demands,
    log: &mut Log,
) {
    let of = |case: &Paired<'_>, config: &ConfigFile| case.case.redaction.or(&config.redaction);
    let Some(message) = of(old, was).widened(&of(new, is)) else { return };
    let (document, key) = (&new.suite.document, "redaction");
    let weaker = Weaker::new(Kind::RedactionWidened, &[key], message);
    let config = now.config.as_ref().map(|config| &config.document);
    let shared = [Some(document), config].into_iter().flatten().find(|one| one.node.get(key).is_some());
    if let Some(document) = shared.filter(|_| new.node.get(key).is_none()) {
        log.key(document, &weaker);
    } else {
        let (name, span) = (new.name(), new.node.place(&[key]));
        log.at(weaker.kind, &name, &document.file, span, &format!("{name}: {}", weaker.message));
    }
}

/// The default attempts and timeouts of a scenario's cases.
fn tries(scenario: &Scenario, config: &ConfigFile) -> Tries {
    let provider = scenario.provider.as_ref().or(config.provider.as_ref());
    let shared = config.providers.get(provider.map_or(DEFAULT, String::as_str));
    scenario.provider_config.tries(shared)
}

/// The tags that a policy selects by.
fn named_tags(config: &ConfigFile) -> BTreeSet<String> {
    let policy = &config.gate.policy;
    let recalls = policy.thresholds.iter().filter_map(|limit| match &limit.metric {
        Metric::Recall(tag) => Some(tag.clone()),
        _ => None,
    });
    let selectors = policy.thresholds.iter().map(|limit| &limit.cases).chain(&policy.critical);
    selectors.flat_map(|Selector { tags, .. }| tags.clone()).chain(recalls).collect()
}

/// Reports cases and whole scenarios that are no longer run.
fn gone(pairs: &Pairs<'_>, now: &Demands, log: &mut Log) {
    let mut reported = BTreeSet::new();
    for (case, _) in pairs.all().filter(|(_, now)| now.is_none()) {
        let (name, scenario, file) = (case.name(), case.key().scenario, case.suite.document.file.name());
        let known = now.scenarios.iter().find(|one| one.scenario.name == scenario);
        let left = known.or_else(|| now.scenarios.iter().find(|one| one.document.file.name() == file));
        let left = left.map(|suite| &suite.document);
        if let Some((document, line)) =
            left.and_then(|document| Some((document, commented(document, &case.case.id)?)))
        {
            let location = Location { file: document.file.name().to_owned(), line, column: 1 };
            log.add(Kind::CaseSkipped, &name, location, &format!("{name} is commented out"));
        } else if let Some(document) = left {
            let message = format!("{name} was removed (was at {file}:{})", case.case.span.line);
            log.at(Kind::CaseRemoved, &name, &document.file, document.node.place(&["cases"]), &message);
        } else if pairs.kept().any(|(other, _)| other.key().scenario == scenario) {
            let message = format!("{name} was removed with its file");
            log.at(Kind::CaseRemoved, &name, &case.suite.document.file, case.case.span, &message);
        } else if reported.insert(scenario) {
            let all =
                pairs.before.iter().filter(|other: &&Paired<'_>| other.key().scenario == scenario).count();
            let message = format!("scenario {scenario} was removed, with {}", text::count(all, "case"));
            log.file(Kind::ScenarioRemoved, file, &message);
        }
    }
}

/// The 1-based line of a comment that contains the case's id.
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

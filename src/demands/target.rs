//! The application under test: whether it is still the one that is called, and whether its costs are still tracked.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Log;
use super::pairs::{Paired, Pairs};
use super::{Configuration, Demands, Document};
use crate::cache::{FOLDER, Mode};
use crate::config::{ConfigFile, SaidBy, Settings};
use crate::gate::Category;
use crate::http::Http;
use crate::provider::{DEFAULT, Options, Origin, Own, REPLIES};
use crate::source::{Node, Value};
use crate::text;
use crate::vocabulary::{Metric, WeakeningKind as Kind, Weaker};

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    recorded(pairs, before, now, log);
    moved(pairs, before, now, log);
    let Some(config) = &now.config else { return };
    replayed(before.config.as_ref(), config, log);
    moved_cache(before, config, log);
    trusted(before.config.as_ref(), config, log);
    if now.budget || limits_cost(&config.config) {
        prices(before, now, config, log);
    }
}

/// Reports cases with recorded answers that used to be answered live.
fn recorded(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    for (old, new) in pairs.kept() {
        let (was, _) = provider(old, before.config.as_ref());
        let (is, at) = provider(new, now.config.as_ref());
        if let Some((node, document)) = at
            && is == REPLIES
            && was != REPLIES
        {
            let message = format!("{was} was called before; now recorded answers are judged");
            let of = if std::ptr::eq(node, new.node) { new.name() } else { "provider".to_owned() };
            log.at(Kind::TargetRecorded, &of, &document.file, node.place(&["provider"]), &message);
        }
    }
}

/// The provider of a case, and where it is set.
fn provider<'a>(
    case: &Paired<'a>,
    config: Option<&'a Configuration>,
) -> (&'a str, Option<(&'a Node, &'a Document)>) {
    let document = &case.suite.document;
    let said = [
        case.case.provider.as_deref().map(|name| (name, (case.node, document))),
        case.scenario().provider.as_deref().map(|name| (name, (&document.node, document))),
        config.and_then(|config| {
            let name = config.config.provider.as_deref()?;
            Some((name, (&config.document.node, &config.document)))
        }),
    ];
    said.into_iter().flatten().next().map_or((DEFAULT, None), |(name, at)| (name, Some(at)))
}

/// Keys of a custom bot that are compared by their effect.
const UNCOMPARED: [&str; 2] = ["like", "url"];

/// Reports cases with another application: another provider, model, address, version or file of answers.
fn moved(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    // Answers given by a flag are judged, whatever the files name.
    let Some(http) = Http::new(None).ok().filter(|_| now.flags.replies.is_empty()) else { return };
    let settings =
        |config: ConfigFile| Settings::new(now.flags.clone(), config, now.environment.clone(), http.clone());
    let (was, is) = (settings(before.configured()), settings(now.configured()));
    for (old, new) in pairs.kept() {
        let (was, is) = (was.asking(old.scenario(), old.case), is.asking(new.scenario(), new.case));
        let mut tell = |key: &str, was: Option<&str>, is: Option<&str>, said: Option<SaidBy<'_>>| {
            let shown = |value: Option<&str>| {
                value.map_or("nothing".to_owned(), |value| {
                    // A query may contain a key, and the part before an `@` a password.
                    let value = value.split(['?', '#']).next().unwrap_or_default();
                    let value = value.rsplit('@').next().unwrap_or_default();
                    format!("`{}`", text::excerpt(value, 80))
                })
            };
            let message = format!("the application's {key} was {}, now {}", shown(was), shown(is));
            let document = &new.suite.document;
            let config = now.config.as_ref().map(|config| &config.document);
            match said {
                Some(SaidBy::Key(_, ["cases", _, key])) => {
                    let (name, span) = (new.name(), new.node.place(&[key]));
                    log.at(Kind::TargetMoved, &name, &document.file, span, &message);
                }
                Some(SaidBy::Key(file, keys)) => {
                    let own = Some(document).filter(|document| document.file.name() == file.name());
                    let keys: Vec<_> = keys.into_iter().filter(|key| !key.is_empty()).collect();
                    if let Some(document) = own.or(config) {
                        log.key(document, &Weaker::new(Kind::TargetMoved, &keys, message));
                    }
                }
                Some(SaidBy::Flag(_) | SaidBy::Variable(_) | SaidBy::Expectation | SaidBy::Default)
                | None => {
                    log.file(Kind::TargetMoved, document.file.name(), &message);
                }
            }
        };
        let new_provider = is.provider.value;
        if was.provider.value != is.provider.value {
            // Recorded answers have a kind of their own.
            if is.provider.value != REPLIES {
                let (was, now) = (Some(was.provider.value), Some(is.provider.value));
                tell("provider", was, now, Some(is.provider.said_by));
            }
            continue;
        }
        bots(new, [&was.own, &is.own], new_provider, &mut tell);
        let address = |value: &'_ str| value.trim().trim_end_matches('/').to_owned();
        let addresses = [&was.address, &is.address].map(|one| one.as_ref().map(|one| address(one.value)));
        let [from, to] = &addresses;
        let files = [old, new].map(|case| case.scenario().provider_config.file.as_deref());
        let file = SaidBy::Key(&new.scenario().file, ["providerConfig", "file", ""]);
        let said = [
            (
                "model",
                was.model.map(|one| one.value),
                is.model.map(|one| one.value),
                is.model.map(|one| one.said_by),
            ),
            ("address", from.as_deref(), to.as_deref(), is.address.map(|one| one.said_by)),
            (
                "version",
                was.version.map(|one| one.value),
                is.version.map(|one| one.value),
                is.version.map(|one| one.said_by),
            ),
            ("file of answers", files[0], files[1], files[1].map(|_| file)),
        ];
        // A file that is not read does not matter, and a provider that is set for the first time replaces none. A
        // version that is set for the first time does matter: it makes answers count that did not count before.
        let counts = |key: &str, was: Option<&str>| match key {
            "version" => true,
            "file of answers" => was.is_some() && is.provider.value == REPLIES,
            _ => was.is_some() && is.provider.value != REPLIES,
        };
        for (key, was, is, said) in said {
            if was != is && is.is_some() && counts(key, was) {
                tell(key, was, is, said);
            }
        }
        let [from, to] = [&was.options, &is.options].map(Options::told);
        let value = |all: &[(&'static str, Json)], key: &str| {
            let found = all.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let keys: BTreeSet<&'static str> = from.iter().chain(&to).map(|(key, _)| *key).collect();
        for key in keys {
            let (was, now) = (value(&from, key), value(&to, key));
            // Without a network request, this does not matter.
            if was != now && is.reached.is_some() {
                tell(&format!("`{key}`"), was.as_deref(), now.as_deref(), Some(is.part.below(key)));
            }
        }
    }
}

/// Reports keys of a custom bot that changed. Those that come from a preset are reported where the preset is set.
fn bots(
    new: &Paired<'_>,
    [was, is]: [&Own; 2],
    provider: &str,
    tell: &mut impl FnMut(&str, Option<&str>, Option<&str>, Option<SaidBy<'_>>),
) {
    let all = [was.entries(), is.entries()];
    let keys = all.iter().flatten().map(|(key, ..)| *key).filter(|key| !UNCOMPARED.contains(key));
    for key in keys.collect::<BTreeSet<_>>() {
        let [before, after] = all.each_ref().map(|all| all.iter().find(|(name, ..)| *name == key));
        let (was, is) = (before.map(|one| one.1), after.map(|one| one.1));
        if was != is {
            let own = &new.scenario().file;
            let file = after.or(before).map_or(own, |(_, _, (file, _))| file);
            let path = if file.name() == own.name() {
                ["providerConfig", key, ""]
            } else {
                ["providers", provider, key]
            };
            tell(&format!("`{key}`"), was, is, Some(SaidBy::Key(file, path)));
        }
    }
}

/// Reports servers that now get a key if a scenario names them.
fn trusted(before: Option<&Configuration>, now: &Configuration, log: &mut Log) {
    for (name, provider) in &now.config.providers {
        let known = before.and_then(|before| before.config.providers.get(name)).map(|one| &one.trusted);
        let is_new = |origin: &&Origin| known.is_none_or(|known| !known.contains(origin));
        for origin in provider.trusted.iter().filter(is_new) {
            let message = format!("{origin} gets the key of `{name}` if a scenario uses this server");
            let keys = ["providers", name, "trustedOrigins"];
            log.key(&now.document, &Weaker::new(Kind::TrustWidened, &keys, message));
        }
    }
}

/// Reports a cache whose earlier answers now replace the application's.
fn replayed(before: Option<&Configuration>, now: &Configuration, log: &mut Log) {
    let reads = |mode: Option<Mode>| match mode {
        Some(Mode::Auto) => Some("auto"),
        Some(Mode::Replay) => Some("replay"),
        Some(Mode::Record | Mode::Refresh | Mode::Off) | None => None,
    };
    let was = reads(before.and_then(|before| before.config.cache_mode));
    if let (None, Some(mode)) = (was, reads(now.config.cache_mode)) {
        let message = format!("the application was always called; now recorded answers are used (`{mode}`)");
        log.key(&now.document, &Weaker::new(Kind::CacheReplayed, &["cache", "mode"], message));
    }
}

/// Reports a cache in another folder, whose records may replace answers and verdicts.
fn moved_cache(before: &Demands, now: &Configuration, log: &mut Log) {
    let folder = |config: &ConfigFile| config.cache_dir.clone().unwrap_or_else(|| FOLDER.to_owned());
    let (was, is) = (folder(&before.configured()), folder(&now.config));
    let plain = |folder: &str| folder.trim_start_matches("./").trim_end_matches('/').to_owned();
    if plain(&was) != plain(&is) {
        let message = format!("records were read from `{was}`, now from `{is}`");
        log.key(&now.document, &Weaker::new(Kind::CacheMoved, &["cache", "dir"], message));
    }
}

/// Whether the policy limits costs.
fn limits_cost(config: &ConfigFile) -> bool {
    let policy = &config.gate.policy;
    let cost = |metric: &Metric| matches!(metric, Metric::Cost | Metric::JudgeCost);
    policy.fail_on.contains(&Category::Cost) || policy.thresholds.iter().any(|limit| cost(&limit.metric))
}

/// Reports prices that were removed or lowered, so that costs look lower than they are.
fn prices(before: &Demands, now: &Demands, config: &Configuration, log: &mut Log) {
    let Some(old) = &before.config else { return };
    let (named, still) = (models(before), models(now));
    let (was, is) = (&old.config.prices, &config.config.prices);
    for model in was.0.keys().chain(is.0.keys().filter(|model| !was.0.contains_key(*model))) {
        // A price that is not configured is the vendor's own.
        let Some(price) = was.named(model) else { continue };
        let mut tell = |key: Option<&str>, message: String| {
            let keys: Vec<&str> = ["prices", model].into_iter().chain(key).collect();
            log.key(&config.document, &Weaker::new(Kind::PriceLowered, &keys, message));
        };
        let Some(new) = is.named(model) else {
            // A model that the files no longer name is no longer called.
            let gone = named.contains(model.as_str()) && !still.contains(model.as_str());
            if price.figures().iter().any(|(_, figure, _)| *figure > 0.0) && !gone {
                tell(None, format!("{model} no longer has a price, so its cost is not counted"));
            }
            continue;
        };
        for ((key, was, named), (_, is, names)) in price.figures().into_iter().zip(new.figures()) {
            // Figures that are not set follow `input`.
            if is < was && (named || names) {
                let message =
                    format!("`{key}` of {model} was {was} USD, now {is}: limits on costs allow more");
                tell(Some(key), message);
            }
        }
    }
}

/// Every model in configuration and suite.
fn models(demands: &Demands) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let suites = demands.scenarios.iter().map(|suite| &suite.document);
    for document in demands.config.iter().map(|config| &config.document).chain(suites) {
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

//! Every setting with its value and source, for display.

use serde::Serialize;

use super::Settings;
use super::asking::Asking;
use super::key::Held;
use super::resolved::{Resolved, SaidBy};
use crate::grader::Ballot;
use crate::scenario::Scenario;
use crate::source::slashed;
use crate::text;

/// A setting, for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value; for a key, only whether it is set.
    pub value: String,
    /// The flag, variable or line that sets it.
    pub said_by: String,
}

impl Setting {
    fn of<T>(name: &'static str, resolved: &Resolved<'_, T>, value: impl FnOnce(&T) -> String) -> Self {
        let said_by = format!("{:#}", resolved.said_by);
        Self { name, value: text::excerpt(&value(&resolved.value), 200), said_by }
    }
}

impl Asking<'_> {
    /// How a case or a judge is called.
    #[must_use]
    pub fn explain(&self) -> Vec<Setting> {
        let word = |value: &&str| (*value).to_owned();
        let time = |value: &std::time::Duration| format!("{} ms", value.as_millis());
        // The query can hold a key, and so can the part before the host.
        let address = |value: &&str| match value.split_once('?') {
            Some((before, _)) => format!("{before}?…"),
            None => (*value).to_owned(),
        };
        let key = |value: &Held<'_>| match value {
            Held::Key(_) => "set".to_owned(),
            Held::Unset(name) => format!("{name} is not set"),
            Held::File(path) => slashed(path),
            Held::Command(command) => command.first().cloned().unwrap_or_default(),
        };
        let some = [
            self.model.as_ref().map(|model| Setting::of("model", model, word)),
            self.address.as_ref().map(|one| Setting::of("address", one, address)),
            self.key.as_ref().map(|one| Setting::of("key", one, key)),
            self.organization.as_ref().map(|one| Setting::of("organization", one, |_| "set".to_owned())),
            Some(Setting::of("timeout", &self.timeout, time)),
            Some(Setting::of("retries", &self.retries, u32::to_string)),
            Some(Setting::of("patience", &self.limited, time)),
            self.limits.as_ref().map(|limits| Setting::of("limits", limits, ToString::to_string)),
            self.version.as_ref().map(|version| Setting::of("target version", version, word)),
        ];
        let provider = Setting::of("provider", &self.provider, word);
        let part = format!("{:#}", self.part);
        let options = self.options.told().into_iter().map(|(name, value)| Setting {
            name,
            value: text::excerpt(&value.as_str().map_or_else(|| value.to_string(), str::to_owned), 200),
            said_by: part.clone(),
        });
        std::iter::once(provider).chain(some.into_iter().flatten()).chain(options).collect()
    }
}

impl Settings {
    /// The settings of the run as a whole.
    #[must_use]
    pub fn explain(&self) -> Vec<Setting> {
        let config = &self.file;
        let (policy, defaults) = (&config.gate.policy, config.grader_defaults());
        let words = |set: Vec<String>| if set.is_empty() { "none".to_owned() } else { set.join(", ") };
        let fail_on: Vec<_> = policy.fail_on.iter().map(|one| <&str>::from(*one).to_owned()).collect();
        let said = |path| self.written(path);
        let set = |name, path, value: String| Setting { name, value, said_by: format!("{:#}", said(path)) };
        let of_gate = |name, key: &'static str, value| set(name, ["gate", key, ""], value);
        let of_baseline = |name, key: &'static str, value| set(name, ["gate", "baseline", key], value);
        let of_judge = |name, key: &'static str, value| set(name, ["grader", key, ""], value);
        let votes = match defaults.ballot {
            Ballot::Fixed(votes) => votes.to_string(),
            Ballot::NearThreshold => "1, or up to 3 near the threshold".to_owned(),
        };
        let none = || "none".to_owned();
        let calibration =
            config.grader.as_ref().and_then(|grader| Some(grader.calibration.as_ref()?.0.clone()));
        let terms = config.grader_terms();
        let redaction = if config.redaction.on().is_some() { "on" } else { "off" };
        let slo = config.stress.slo.iter();
        let slo = slo.map(|(metric, limit)| format!("{} {}", metric.word(), metric.shown(*limit)));
        let slo = words(slo.collect());
        let share = |share: Option<f64>| share.map_or("every case".to_owned(), |share| share.to_string());
        vec![
            Setting::of("cache", &self.mode(), |mode| <&str>::from(*mode).to_owned()),
            Setting::of("cache folder", &self.cache_folder(), |folder| slashed(folder)),
            set("repeat", ["repeat", "", ""], config.repeat.unwrap_or(1).to_string()),
            of_judge("votes", "votes", votes),
            of_judge("scale", "scale", defaults.scale.to_string()),
            of_judge("embeddingModel", "embeddingModel", defaults.embedding_model.unwrap_or_else(none)),
            of_judge("maxTokens", "maxTokens", terms.max_tokens.to_string()),
            of_judge(
                "effort",
                "effort",
                terms.effort.map_or_else(none, |effort| <&str>::from(effort).to_owned()),
            ),
            of_judge("maxAnswer", "maxAnswer", terms.max_answer.to_string()),
            of_judge("canaries", "canaries", <&str>::from(terms.canaries).to_owned()),
            of_judge("calibration", "calibration", calibration.unwrap_or_else(none)),
            set("redaction", ["redaction", "", ""], redaction.to_owned()),
            set("prices", ["prices", "", ""], text::count(config.prices.0.len(), "model")),
            of_gate("min_pass_rate", "min_pass_rate", share(policy.min_pass_rate)),
            of_gate("max_error_rate", "max_error_rate", policy.max_error_rate.to_string()),
            of_gate("thresholds", "thresholds", policy.thresholds.len().to_string()),
            of_gate("critical", "critical", policy.critical.len().to_string()),
            of_gate("fail_on", "fail_on", words(fail_on)),
            of_gate("policy", "policy", <&str>::from(policy.rigor).to_owned()),
            of_gate("quarantine", "quarantine", text::count(policy.quarantine.len(), "case")),
            set("slo under load", ["stress", "slo", ""], slo),
            of_baseline(
                "baseline",
                "from",
                config.gate.from.as_ref().map_or("none".to_owned(), ToString::to_string),
            ),
            of_baseline("margin", "margin", policy.margin.to_string()),
            of_baseline("alpha", "alpha", policy.alpha.to_string()),
            of_baseline("confirm", "confirm", policy.confirm.to_string()),
            of_baseline("missing", "missing", policy.missing.map_or("by place", Into::into).to_owned()),
            of_baseline("thin", "thin", <&str>::from(policy.thin).to_owned()),
            of_baseline("unconfirmed", "unconfirmed", <&str>::from(policy.unconfirmed).to_owned()),
        ]
    }

    /// How the answers of a scenario are sampled.
    #[must_use]
    pub fn sampling(&self, scenario: &Scenario) -> Vec<Setting> {
        let key = |name| SaidBy::Key(&scenario.file, [name, "", ""]);
        let flag = (SaidBy::Flag("--seed"), self.flags.seed);
        let seed = Resolved::or_default([flag, (key("seed"), scenario.seed)], 0);
        let not_sent = || "not sent".to_owned();
        let temperature = Resolved::first([(key("temperature"), scenario.temperature)]);
        let tokens = Resolved::first([(key("maxTokens"), scenario.max_tokens)]);
        let none = |name| Setting { name, value: not_sent(), said_by: format!("{:#}", SaidBy::Default) };
        vec![
            Setting::of("seed", &seed, u64::to_string),
            temperature
                .map_or_else(|| none("temperature"), |one| Setting::of("temperature", &one, f64::to_string)),
            tokens.map_or_else(|| none("maxTokens"), |one| Setting::of("maxTokens", &one, u64::to_string)),
        ]
    }

    /// The source of a setting that only the configuration can have.
    fn written(&self, path: [&'static str; 3]) -> SaidBy<'_> {
        let key = self.key(path);
        if key.location().is_some() { key } else { SaidBy::Default }
    }
}

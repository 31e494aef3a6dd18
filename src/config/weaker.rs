//! How a configuration demands less than before. Changes of the application under test and its costs are compared with
//! the suites.

use std::collections::BTreeSet;

use super::file::ConfigFile;
use super::gate::Suites;
use super::grader::GraderConfig;
use crate::expectation::{fewer_votes, swapped};
use crate::grader::calibration::{Demands, Unmet};
use crate::grader::{Canaries, Configured, Effort, Judge, Terms};
use crate::scenario::ProviderConfig;
use crate::stats::real;
use crate::vocabulary::{WeakeningKind as Kind, Weaker};

impl ConfigFile {
    /// The judge of expectations that name none.
    #[must_use]
    pub fn configured(&self) -> Configured {
        let grader = self.grader.as_ref();
        let judge = grader.and_then(|grader| {
            Some(Judge { provider: grader.provider().to_owned(), model: grader.model.clone()? })
        });
        Configured { judge, defaults: self.grader_defaults() }
    }

    /// Where a judge of a provider is called: the server's address, and the file of recorded answers.
    fn judge_at(&self, provider: &str) -> (Option<String>, Option<String>) {
        let own = self.grader.as_ref().filter(|grader| grader.provider() == provider).map(|one| &one.access);
        let said = || own.into_iter().chain(self.providers.get(provider));
        (said().find_map(|one| one.base_url.clone()), said().find_map(|one| one.file.clone()))
    }

    /// The path of the key that sets where a judge is called.
    fn judge_key<'a>(&self, provider: &'a str, key: &'a str) -> Vec<&'a str> {
        let own = self.grader.as_ref().is_some_and(|grader| {
            let ProviderConfig { base_url, file, .. } = &grader.access;
            grader.provider() == provider && if key == "file" { file.is_some() } else { base_url.is_some() }
        });
        if own { vec!["grader", key] } else { vec!["providers", provider, key] }
    }

    /// How a new version demands less of the cases in both suites.
    #[must_use]
    pub fn weaker(&self, now: &Self, suites: &Suites<'_>) -> Vec<Weaker> {
        let Self {
            // The file's location requires nothing, and variables in names only matter for who gets their values.
            file: _,
            named_by_variables: _,
            path: _,
            folder: _,
            whose: _,
            // The question: compared case by case.
            provider: _,
            model: _,
            scenarios: _,
            target_version: _,
            cache_mode: _,
            cache_dir: _,
            prices: _,
            providers,
            grader,
            gate,
            stress,
            repeat,
            redaction: _,
            always: _,
        } = self;
        let mut found = gate.weaker(&now.gate, suites);
        found.extend(stress.weaker(&now.stress));
        found.extend(judge(grader.as_ref(), now.grader.as_ref(), suites.is_judged));
        let (was, is) = (repeat.unwrap_or(1), now.repeat.unwrap_or(1));
        if is < was {
            let message = format!("cases were asked {was} times, now {is}");
            found.push(Weaker::new(Kind::RepeatLowered, &["repeat"], message));
        }
        let nothing = ProviderConfig::default();
        let graders = [grader, &now.grader].into_iter().flatten().map(GraderConfig::provider);
        let configured = providers.keys().chain(now.providers.keys()).map(String::as_str);
        let names: BTreeSet<&str> = configured.chain(graders).chain(suites.judges.iter().copied()).collect();
        for name in names {
            let [was, is] = [providers, &now.providers].map(|all| all.get(name).unwrap_or(&nothing));
            let path = ["providers", name];
            found.extend(patience(was, is, &path));
            let configured = [grader, &now.grader]
                .iter()
                .all(|one| one.as_ref().is_some_and(|grader| grader.provider() == name));
            if configured || suites.judges.contains(name) {
                let [(server, file), (other, replies)] = [self, now].map(|config| config.judge_at(name));
                found.extend(swapped(&now.judge_key(name, "baseUrl"), server, other));
                found.extend(swapped(&now.judge_key(name, "file"), file, replies));
            }
        }
        found
    }
}

/// Reports a provider that is tried more often, or waited for longer, than before.
fn patience(before: &ProviderConfig, now: &ProviderConfig, path: &[&str]) -> Vec<Weaker> {
    let tries = |config: &ProviderConfig| config.tries(None);
    let found = tries(before).weaker(tries(now), ["timeout", "maxRetries"]);
    let named = |one: Weaker| {
        let one = one.below(path);
        Weaker { message: format!("`{}` {}", one.keys.join("."), one.message), ..one }
    };
    let words = before.stop_words.weaker(&now.stop_words).into_iter().map(|one| one.below(path));
    found.into_iter().map(named).chain(words).collect()
}

fn judge(before: Option<&GraderConfig>, now: Option<&GraderConfig>, is_judged: bool) -> Vec<Weaker> {
    let nothing = GraderConfig::default();
    let mut found = Vec::new();
    // If no judge was named before, none was replaced.
    if let Some(before) = before {
        let now = now.unwrap_or(&nothing);
        let pairs = [
            swapped(&["grader", "provider"], before.provider(), now.provider()),
            swapped(&["grader", "model"], before.model.clone(), now.model.clone()),
        ];
        found.extend(pairs.into_iter().flatten());
    }
    // How a judge is called also applies to one that an expectation names.
    if before.is_some() || is_judged {
        let GraderConfig { provider: _, model: _, access: _, defaults, terms, calibration: _ } =
            before.unwrap_or(&nothing);
        let now = now.unwrap_or(&nothing);
        // A verdict that does not fit into the token limit is an error, so the limit makes nothing weaker.
        let Terms { max_tokens: _, effort, max_answer, canaries } = *terms;
        let word = |effort: Option<Effort>| effort.map(<&str>::from);
        let pairs = [
            swapped(&["grader", "scale"], defaults.scale, now.defaults.scale),
            swapped(
                &["grader", "embeddingModel"],
                defaults.embedding_model.clone(),
                now.defaults.embedding_model.clone(),
            ),
            swapped(&["grader", "effort"], word(effort), word(now.terms.effort)),
        ];
        found.extend(pairs.into_iter().flatten());
        if now.defaults.most_votes(None) < defaults.most_votes(None) {
            found.push(fewer_votes(&["grader", "votes"]));
        }
        if (canaries, now.terms.canaries) == (Canaries::On, Canaries::Off) {
            let message = "the judge was tested on known-bad answers; now it is not";
            found.push(Weaker::new(Kind::CanariesOff, &["grader", "canaries"], message));
        }
        let (was, is) = (max_answer, now.terms.max_answer);
        if is > was {
            let message =
                format!("answers longer than {was} characters failed; now only those longer than {is}");
            found.push(Weaker::new(Kind::MaxAnswerRaised, &["grader", "maxAnswer"], message));
        }
    }
    let calibration = |grader: Option<&GraderConfig>| grader.and_then(|grader| grader.calibration.clone());
    match (calibration(before), calibration(now)) {
        (Some(_), None) => {
            let message = "the judge no longer needs a calibration";
            found.push(Weaker::new(Kind::CalibrationRemoved, &["grader"], message));
        }
        (Some((from, was)), Some((file, is))) => {
            if from != file {
                let message = format!("the calibration of the judge was `{from}`, now `{file}`");
                found.push(Weaker::new(
                    Kind::CalibrationLowered,
                    &["grader", "calibration", "file"],
                    message,
                ));
            }
            found.extend(calibrated(&was, &is));
        }
        (None, Some((file, is))) if is.unmet == Unmet::Advisory => {
            let message = format!("every verdict counted; now one that `{file}` does not cover is advisory");
            found.push(Weaker::new(Kind::CalibrationLowered, &["grader", "calibration", "file"], message));
        }
        (None, _) => {}
    }
    if let Some(now) = now {
        found.extend(patience(&before.unwrap_or(&nothing).access, &now.access, &["grader"]));
    }
    found
}

/// How less is required of a calibration.
fn calibrated(before: &Demands, now: &Demands) -> Vec<Weaker> {
    let Demands { min_n, min_kappa, min_tpr, min_tnr, unmet } = before;
    let path = |key: &'static str| ["grader", "calibration", key];
    let mut found = Vec::new();
    if (*unmet, now.unmet) == (Unmet::Error, Unmet::Advisory) {
        let message = "a verdict without a calibration was an error; now it is advisory";
        found.push(Weaker::new(Kind::CalibrationRemoved, &path("required"), message));
    }
    let limits = [
        ("min_n", min_n.map(real), now.min_n.map(real)),
        ("min_kappa", *min_kappa, now.min_kappa),
        ("min_tpr", *min_tpr, now.min_tpr),
        ("min_tnr", *min_tnr, now.min_tnr),
    ];
    for (key, was, is) in limits {
        if let Some(was) = was.filter(|was| is.is_none_or(|is| is < *was)) {
            let is = is.map_or("nothing".to_owned(), |is| is.to_string());
            let message = format!("`{key}` was {was}, now {is}");
            found.push(Weaker::new(Kind::CalibrationLowered, &path(key), message));
        }
    }
    found
}

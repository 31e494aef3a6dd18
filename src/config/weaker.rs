//! In what a configuration demands less than another did. What the application under test is, and what it costs, is
//! compared with the suites.

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
    /// Who judges where an expectation names nobody.
    #[must_use]
    pub fn configured(&self) -> Configured {
        let grader = self.grader.as_ref();
        let judge = grader.and_then(|grader| {
            Some(Judge { provider: grader.provider().to_owned(), model: grader.model.clone()? })
        });
        Configured { judge, defaults: self.grader_defaults() }
    }

    /// Where a judge of a provider is asked: the server's address, and the file of replies.
    fn judge_at(&self, provider: &str) -> (Option<String>, Option<String>) {
        let own = self.grader.as_ref().filter(|grader| grader.provider() == provider).map(|one| &one.access);
        let said = || own.into_iter().chain(self.providers.get(provider));
        (said().find_map(|one| one.base_url.clone()), said().find_map(|one| one.file.clone()))
    }

    /// The keys that lead to where a judge is asked.
    fn judge_key<'a>(&self, provider: &'a str, key: &'a str) -> Vec<&'a str> {
        let own = self.grader.as_ref().is_some_and(|grader| {
            let ProviderConfig { base_url, file, .. } = &grader.access;
            grader.provider() == provider && if key == "file" { file.is_some() } else { base_url.is_some() }
        });
        if own { vec!["grader", key] } else { vec!["providers", provider, key] }
    }

    /// In what a new version demands less of the cases of both suites.
    #[must_use]
    pub fn weaker(&self, now: &Self, suites: &Suites<'_>) -> Vec<Weaker> {
        let Self {
            // Where it lies demands nothing, and whose values names are made of is a matter of who gets them.
            file: _,
            named_by_variables: _,
            path: _,
            folder: _,
            whose: _,
            // What is asked: compared case by case.
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

/// A provider that is tried more often, or waited for longer, than before.
fn patience(before: &ProviderConfig, now: &ProviderConfig, path: &[&str]) -> Vec<Weaker> {
    let tries = |config: &ProviderConfig| config.tries(None);
    let found = tries(before).weaker(tries(now), ["timeout", "maxRetries"]);
    let told = |one: Weaker| {
        let one = one.below(path);
        Weaker { message: format!("`{}` {}", one.keys.join("."), one.message), ..one }
    };
    let words = before.stop_words.weaker(&now.stop_words).into_iter().map(|one| one.below(path));
    found.into_iter().map(told).chain(words).collect()
}

fn judge(before: Option<&GraderConfig>, now: Option<&GraderConfig>, is_judged: bool) -> Vec<Weaker> {
    let nothing = GraderConfig::default();
    let mut found = Vec::new();
    // Where nobody was named before, nobody was swapped.
    if let Some(before) = before {
        let now = now.unwrap_or(&nothing);
        let pairs = [
            swapped(&["grader", "provider"], before.provider(), now.provider()),
            swapped(&["grader", "model"], before.model.clone(), now.model.clone()),
        ];
        found.extend(pairs.into_iter().flatten());
    }
    // How a judge is asked holds for one that an expectation names, too.
    if before.is_some() || is_judged {
        let GraderConfig { provider: _, model: _, access: _, defaults, terms, calibration: _ } =
            before.unwrap_or(&nothing);
        let now = now.unwrap_or(&nothing);
        // A verdict that does not fit into its tokens is an error.
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
            let message = "the judge was tested on known answers, now it is not";
            found.push(Weaker::new(Kind::CanariesOff, &["grader", "canaries"], message));
        }
        let (was, is) = (max_answer, now.terms.max_answer);
        if is > was {
            let message =
                format!("answers of more than {was} characters failed, now those of more than {is}");
            found.push(Weaker::new(Kind::MaxAnswerRaised, &["grader", "maxAnswer"], message));
        }
    }
    let calibration = |grader: Option<&GraderConfig>| grader.and_then(|grader| grader.calibration.clone());
    match (calibration(before), calibration(now)) {
        (Some(_), None) => {
            let message = "the judge's calibration is no longer demanded";
            found.push(Weaker::new(Kind::CalibrationRemoved, &["grader"], message));
        }
        (Some((from, was)), Some((file, is))) => {
            if from != file {
                let message = format!("the judge was measured by `{from}`, now by `{file}`");
                found.push(Weaker::new(
                    Kind::CalibrationLowered,
                    &["grader", "calibration", "file"],
                    message,
                ));
            }
            found.extend(calibrated(&was, &is));
        }
        (None, Some((file, is))) if is.unmet == Unmet::Advisory => {
            let message = format!("every verdict decided, now one that `{file}` does not carry is advisory");
            found.push(Weaker::new(Kind::CalibrationLowered, &["grader", "calibration", "file"], message));
        }
        (None, _) => {}
    }
    if let Some(now) = now {
        found.extend(patience(&before.unwrap_or(&nothing).access, &now.access, &["grader"]));
    }
    found
}

/// In what less is demanded of a calibration.
fn calibrated(before: &Demands, now: &Demands) -> Vec<Weaker> {
    let Demands { min_n, min_kappa, min_tpr, min_tnr, unmet } = before;
    let path = |key: &'static str| ["grader", "calibration", key];
    let mut found = Vec::new();
    if (*unmet, now.unmet) == (Unmet::Error, Unmet::Advisory) {
        let message = "a verdict without a calibration was an error, now it is advisory";
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
            let message = format!("`{key}` was {was}, it is {is}");
            found.push(Weaker::new(Kind::CalibrationLowered, &path(key), message));
        }
    }
    found
}

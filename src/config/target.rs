//! How each case is answered, resolved before anything is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::asking::Asking;
use super::key::Held;
use super::resolved::{Resolved, SaidBy};
use super::{Obstacle, Settings};
use crate::cache::Mode;
use crate::client::ModelClient;
use crate::environment::Environment;
use crate::provider::{
    Access, COMMAND, ConnectError, Header, LINE, Options, REPLIES, Replies, RepliesError, Spec, Whence,
};
use crate::runner::{Job, Target};
use crate::scenario::{Case, Scenario};
use crate::secret::Secret;
use crate::vocabulary::Metric;

/// Clients and files of recorded answers, each opened once.
#[derive(Debug, Default)]
pub struct Targets {
    clients: Vec<((Access, Mode), Arc<ModelClient>)>,
    /// Clients of the user's own bots, by all of their settings.
    pub(super) bots: BTreeMap<String, Arc<ModelClient>>,
    /// Keys already fetched, by their source.
    keys: Vec<(String, Secret)>,
    /// Sources of settings as text: finding a place reads the whole file, and all cases share it.
    said: BTreeMap<(String, Vec<String>), String>,
    replies: BTreeMap<Vec<PathBuf>, Result<Arc<Replies>, Obstacle>>,
    given: Option<Arc<Replies>>,
}

impl Targets {
    /// Answers every case from recorded answers, whatever files and flags say.
    #[must_use]
    pub fn given(replies: Replies) -> Self {
        Self { given: Some(Arc::new(replies)), ..Self::default() }
    }

    /// How a case is answered.
    pub fn job(&mut self, settings: &Settings, scenario: &Scenario, case: &Case) -> Result<Job, Obstacle> {
        settings.find_version()?;
        let asking = settings.asking(scenario, case);
        let (patience, version) = (asking.patience(), asking.version.map(|version| version.value.to_owned()));
        let stop_words = asking.stop_words.clone();
        let job = |target| Job { target, version, patience, stop_words };
        if let Some(given) = &self.given {
            return Ok(job(Target::Replies(Arc::clone(given))));
        }
        if !settings.flags.replies.is_empty() {
            return self.recorded(&settings.flags.replies).map(job);
        }
        if !settings.flags.command.is_empty() && asking.provider.value != COMMAND {
            let message = format!("`--` names a program, but the provider is `{}`", asking.provider.value);
            return Err(Obstacle::new(message, "add `-p command`"));
        }
        if asking.provider.value == REPLIES {
            let file = scenario.provider_config.file.as_ref().ok_or_else(|| {
                Obstacle::new(
                    "no file set for provider `replies`",
                    "add `providerConfig: { file: replies.jsonl }`",
                )
                .at(asking.provider.said_by)
            })?;
            return self.recorded(&[scenario.folder.join(file)]).map(job);
        }
        if Spec::is_own(asking.provider.value) {
            let client = self.bot(settings, (scenario, case), &asking)?;
            let model = asking.model.map_or("", |model| model.value).to_owned();
            return Ok(job(Target::Model { client, model, seeded: false, described: false }));
        }
        let client = self.client(settings, &asking, settings.target_mode())?;
        let model = asking.model.ok_or_else(|| {
            Obstacle::new(
                format!("no model set for provider `{}`", asking.provider.value),
                "pass `-m`, add `model:` to the scenario, or judge recorded answers with `--replies FILE`",
            )
        })?;
        let seeded = settings.flags.seed.or(scenario.seed).is_some();
        let address = asking.vendor()?.address;
        let described = !address.is_empty() && client.endpoint().is_at(address);
        Ok(job(Target::Model { client, model: model.value.to_owned(), seeded, described }))
    }

    /// The source of a setting, and its place.
    pub(super) fn source(&mut self, said_by: SaidBy<'_>) -> String {
        let SaidBy::Key(file, path) = said_by else { return format!("{said_by:#}") };
        let place = (file.name().to_owned(), path.iter().map(ToString::to_string).collect());
        self.said.entry(place).or_insert_with(|| format!("{said_by:#}")).clone()
    }

    fn recorded(&mut self, paths: &[PathBuf]) -> Result<Target, Obstacle> {
        let read = || {
            Replies::read(paths).map(Arc::new).map_err(|error| {
                let message = error.to_string();
                let RepliesError(found) = error;
                Obstacle { found, ..Obstacle::new(message, LINE) }
            })
        };
        let known = self.replies.entry(paths.to_vec()).or_insert_with(read);
        known.clone().map(Target::Replies)
    }

    /// The client of a provider; the same access always gets the same client.
    pub(super) fn client(
        &mut self,
        settings: &Settings,
        asking: &Asking<'_>,
        mode: Mode,
    ) -> Result<Arc<ModelClient>, Obstacle> {
        let (provider, vendor) = (asking.provider.value, asking.vendor()?);
        // Replay sends nothing.
        if let Some(obstacle) = asking.obstacle.as_ref().filter(|_| mode != Mode::Replay) {
            return Err(obstacle.clone());
        }
        let address = asking.address.unwrap_or(Resolved { value: vendor.address, said_by: SaidBy::Default });
        if address.value.is_empty() {
            return Err(Obstacle::new(
                format!("no address set for provider `{provider}`"),
                "add `providerConfig: { resourceName: NAME, deploymentName: NAME }`, or `baseUrl:`",
            )
            .at(asking.provider.said_by));
        }
        let api_key = self.api_key(settings, asking, mode)?;
        let wanted = Spec::key_variables_at(address.value.trim()).first().copied();
        let has_own = asking.options.headers.iter().any(Header::is_credential);
        if let Some(name) = wanted.filter(|_| api_key.is_none() && !has_own && mode != Mode::Replay) {
            return Err(Obstacle::new(
                format!("no key set for provider `{provider}`"),
                no_key_help(settings, vendor.key_variables.first().unwrap_or(&name)),
            )
            .at(asking.provider.said_by)
            .at(address.said_by));
        }
        let key = asking.key.as_ref().map(|key| key.said_by);
        let said_by = Whence {
            address: self.source(address.said_by),
            key: key.map_or("no key".to_owned(), |said_by| self.source(said_by)),
            own: None,
        };
        // A variable with two lines is a common mistake, and a header cannot contain line breaks.
        if api_key.as_ref().is_some_and(|key| !key.expose().bytes().all(|byte| (0x20..0x7f).contains(&byte)))
        {
            return Err(Obstacle::new(
                format!(
                    "the key of provider `{provider}` (from {}) contains an invalid character",
                    said_by.key
                ),
                "remove line breaks and non-ASCII characters from it",
            )
            .at(asking.key.as_ref().map_or(SaidBy::Default, |key| key.said_by)));
        }
        let organization = asking.organization.map(|organization| organization.value.to_owned());
        let limits = asking.limits.map(|limits| limits.value).unwrap_or_default();
        let base_url = address.value.to_owned();
        let limits_first_token =
            || settings.file.gate.policy.thresholds.iter().any(|limit| limit.metric == Metric::FirstToken);
        let options = &asking.options;
        let options =
            Options { stream: options.stream || settings.streams || limits_first_token(), ..options.clone() };
        let access = Access { provider: provider.to_owned(), base_url, api_key, organization, options };
        let same = (access, mode);
        if let Some((_, client)) = self.clients.iter().find(|(known, _)| *known == same) {
            client.limit(limits);
            return Ok(Arc::clone(client));
        }
        let back_end = vendor.connect(settings.http.clone(), same.0.clone()).map_err(|error| {
            let (from, at) = match &error {
                ConnectError::Address(_) => (said_by.address.clone(), address.said_by),
                other => {
                    let own = asking.part.below(other.key());
                    let shared = settings.key(["providers", provider, other.key()]);
                    let said = if own.location().is_some() { own } else { shared };
                    (format!("{said:#}"), said)
                }
            };
            Obstacle::new(format!("{error} (from {from})"), error.help()).at(at)
        })?;
        let client = ModelClient::new(Arc::from(back_end), settings.cache.clone(), mode)
            .on(&settings.road)
            .priced(settings.file.prices.clone())
            .said_by(said_by);
        client.limit(limits);
        let client = Arc::new(client);
        self.clients.push((same, Arc::clone(&client)));
        Ok(client)
    }

    /// The key for a provider or a judge; no key if nothing is sent.
    pub(super) fn api_key(
        &mut self,
        settings: &Settings,
        asking: &Asking<'_>,
        mode: Mode,
    ) -> Result<Option<Secret>, Obstacle> {
        let provider = asking.provider.value;
        Ok(match asking.key.as_ref().map(|key| (&key.value, key.said_by)) {
            // Replay sends nothing.
            Some((Held::File(_) | Held::Command(_), _)) if mode == Mode::Replay => None,
            Some((held @ (Held::Key(_) | Held::File(_) | Held::Command(_)), said_by)) => {
                let key = self.fetched(held, &settings.environment);
                Some(key.map_err(|(message, help)| Obstacle::new(message, help).at(said_by))?)
            }
            Some((Held::Unset(name), said_by)) if mode != Mode::Replay => {
                return Err(Obstacle::new(
                    format!(
                        "environment variable `{name}`, the key of `{provider}`, is not set (named by {said_by:#})"
                    ),
                    no_key_help(settings, name),
                )
                .at(said_by));
            }
            Some((Held::Unset(_), _)) | None => None,
        })
    }

    /// A key, fetched once from its source; or what is wrong with it, and the fix.
    fn fetched(
        &mut self,
        held: &Held<'_>,
        environment: &Environment,
    ) -> Result<Secret, (String, &'static str)> {
        let name = format!("{held:?}");
        let is_elsewhere = matches!(held, Held::File(_) | Held::Command(_));
        if let Some((_, key)) = self.keys.iter().find(|(known, _)| is_elsewhere && *known == name) {
            return Ok(key.clone());
        }
        let key =
            held.key(environment).map_err(|error| (error.to_string(), error.help()))?.unwrap_or_default();
        if is_elsewhere {
            self.keys.push((name, key.clone()));
        }
        Ok(key)
    }
}

fn no_key_help(settings: &Settings, name: &str) -> String {
    let ci = if settings.environment.is_ci() { " in the pipeline's secrets" } else { "" };
    format!(
        "set {name}{ci}; without a key, `--replay` judges from the cache and `--replies FILE` judges recorded answers"
    )
}

//! Who answers each case, worked out before anything is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::asking::Asking;
use super::resolved::{Resolved, SaidBy};
use super::{Obstacle, Settings};
use crate::cache::Mode;
use crate::client::ModelClient;
use crate::provider::{Access, COMMAND, LINE, REPLIES, Replies, RepliesError, Spec, Whence};
use crate::runner::{Job, Target};
use crate::scenario::{Case, Scenario};
use crate::secret::Secret;

/// Clients and files of replies, each opened once.
#[derive(Debug, Default)]
pub struct Targets {
    pub(super) clients: BTreeMap<String, Arc<ModelClient>>,
    replies: BTreeMap<Vec<PathBuf>, Result<Arc<Replies>, Obstacle>>,
    given: Option<Arc<Replies>>,
}

impl Targets {
    /// Every case is answered from these, whatever files and flags say.
    #[must_use]
    pub fn given(replies: Replies) -> Self {
        Self { given: Some(Arc::new(replies)), ..Self::default() }
    }

    /// How a case is asked.
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
            let message =
                format!("a program stands behind `--`, and the provider is `{}`", asking.provider.value);
            return Err(Obstacle::new(message, "add `-p command`"));
        }
        if asking.provider.value == REPLIES {
            let file = scenario.provider_config.file.as_ref().ok_or_else(|| {
                Obstacle::new(
                    "provider `replies` names no file",
                    "add `providerConfig: { file: replies.jsonl }`",
                )
                .at(asking.provider.said_by)
            })?;
            return self.recorded(&[scenario.folder.join(file)]).map(job);
        }
        if Spec::is_own(asking.provider.value) {
            let client = self.bot(settings, case, &asking)?;
            let model = asking.model.map_or("", |model| model.value).to_owned();
            return Ok(job(Target::Model { client, model, seeded: false, described: false }));
        }
        let client = self.client(settings, &asking, settings.target_mode())?;
        let model = asking.model.ok_or_else(|| {
            Obstacle::new(
                format!("no model is named for provider `{}`", asking.provider.value),
                "name it with `-m`, or `model:` in the scenario, or judge recorded answers with `--replies FILE`",
            )
        })?;
        let seeded = settings.flags.seed.or(scenario.seed).is_some();
        let described = client.endpoint().is_at(asking.vendor()?.address);
        Ok(job(Target::Model { client, model: model.value.to_owned(), seeded, described }))
    }

    fn recorded(&mut self, paths: &[PathBuf]) -> Result<Target, Obstacle> {
        let read = || {
            Replies::read(paths).map(Arc::new).map_err(|error| {
                let obstacle = Obstacle::new(error.to_string(), LINE);
                match error {
                    RepliesError::Lines(found) => Obstacle { found, ..obstacle },
                    RepliesError::Read { .. } => obstacle,
                }
            })
        };
        let known = self.replies.entry(paths.to_vec()).or_insert_with(read);
        known.clone().map(Target::Replies)
    }

    /// The client of a provider; the same access gives the same client.
    pub(super) fn client(
        &mut self,
        settings: &Settings,
        asking: &Asking<'_>,
        mode: Mode,
    ) -> Result<Arc<ModelClient>, Obstacle> {
        let (provider, vendor) = (asking.provider.value, asking.vendor()?);
        // Nothing is sent in replay.
        if let Some(obstacle) = asking.obstacle.as_ref().filter(|_| mode != Mode::Replay) {
            return Err(obstacle.clone());
        }
        let address = asking.address.unwrap_or(Resolved { value: vendor.address, said_by: SaidBy::Default });
        let api_key = match asking.key.as_ref().map(|key| (&key.value, key.said_by)) {
            Some((Ok(key), _)) => Some(key.clone()),
            Some((Err(name), said_by)) if mode != Mode::Replay => {
                return Err(Obstacle::new(
                    format!(
                        "environment variable `{name}` holds the key of `{provider}` and is not set (named by {said_by:#})"
                    ),
                    no_key_help(settings, name),
                )
                .at(said_by));
            }
            _ => None,
        };
        let wanted = Spec::key_variable_at(address.value.trim());
        if let Some(name) = wanted.filter(|_| api_key.is_none() && mode != Mode::Replay) {
            return Err(Obstacle::new(
                format!("there is no key for provider `{provider}`"),
                no_key_help(settings, vendor.key_variable.unwrap_or(name)),
            )
            .at(asking.provider.said_by)
            .at(address.said_by));
        }
        let said_by = Whence {
            address: format!("{:#}", address.said_by),
            key: asking.key.as_ref().map_or("nobody".to_owned(), |key| format!("{:#}", key.said_by)),
            own: None,
        };
        // Two lines in a variable are a common slip, and a header cannot carry them.
        if api_key.as_ref().is_some_and(|key| !key.expose().bytes().all(|byte| (0x20..0x7f).contains(&byte)))
        {
            return Err(Obstacle::new(
                format!(
                    "the key of provider `{provider}` (from {}) holds a character that no key has",
                    said_by.key
                ),
                "look for a line end or a letter with an accent in it",
            )
            .at(asking.key.as_ref().map_or(SaidBy::Default, |key| key.said_by)));
        }
        let organization = asking.organization.map(|organization| organization.value.to_owned());
        let secret = api_key.as_ref().map(Secret::expose).unwrap_or_default();
        let same = format!("{provider}\n{}\n{organization:?}\n{mode:?}\n{secret}", address.value);
        if let Some(client) = self.clients.get(&same) {
            return Ok(Arc::clone(client));
        }
        let base_url = address.value.to_owned();
        let access = Access { provider: provider.to_owned(), base_url, api_key, organization };
        let back_end = (vendor.connect)(settings.http.clone(), access).map_err(|error| {
            let message = format!("{error} (from {})", said_by.address);
            Obstacle::new(message, "write it as `http://127.0.0.1:8080/v1`").at(address.said_by)
        })?;
        let client = ModelClient::new(Arc::from(back_end), settings.cache.clone(), mode)
            .on(&settings.road)
            .priced(settings.file.prices.clone())
            .said_by(said_by);
        let client = Arc::new(client);
        self.clients.insert(same, Arc::clone(&client));
        Ok(client)
    }
}

fn no_key_help(settings: &Settings, name: &str) -> String {
    let ci = if settings.environment.is_ci() { " in the pipeline's secrets" } else { "" };
    format!(
        "set {name}{ci}; without a key, `--replay` judges from the cache and `--replies FILE` judges recorded answers"
    )
}

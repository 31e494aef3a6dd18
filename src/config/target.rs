//! Who answers each case, worked out before anything is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::trust::Trust;
use super::{Settings, key_variable};
use crate::cache::Mode;
use crate::client::{ModelClient, Patience};
use crate::provider::{OpenAi, OpenAiOptions, Origin, Replies};
use crate::runner::{Job, Target};
use crate::scenario::{Case, ProviderConfig, Scenario};
use crate::secret::Secret;
use crate::source::Span;

/// Why a case cannot be asked, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// What is missing or wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// The place that stands in the way, where it is not the case.
    pub at: Option<Span>,
}

impl Obstacle {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at: None }
    }

    /// The same at a place of the scenario's file.
    pub(super) fn at(self, span: Span) -> Self {
        Self { at: Some(span), ..self }
    }
}

/// Clients and files of replies, each opened once.
#[derive(Debug, Default)]
pub struct Targets {
    clients: BTreeMap<String, Arc<ModelClient>>,
    replies: BTreeMap<Vec<PathBuf>, Result<Arc<Replies>, String>>,
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
        let flags = &settings.flags;
        let named = flags.provider.as_ref().or(case.provider.as_ref()).or(scenario.provider.as_ref());
        let provider = named.or(settings.file.provider.as_ref()).map_or("openai", String::as_str);
        // What a scenario says of its provider, its key above all, does not hold for another one.
        let named = scenario.provider.as_ref().or(flags.provider.as_ref());
        let own = named.or(settings.file.provider.as_ref()).map_or("openai", String::as_str) == provider;
        // Nor does the configuration's model: another provider does not know it.
        let configured = settings.file.provider.as_deref().is_none_or(|name| name == provider);
        let nothing = ProviderConfig::default();
        let local = if own { &scenario.provider_config } else { &nothing };
        let shared = settings.file.providers.get(provider).unwrap_or(&nothing);
        let patience = Patience {
            timeout: flags
                .timeout
                .or(case.timeout)
                .or(local.timeout)
                .or(shared.timeout)
                .unwrap_or(Duration::from_secs(60)),
            retries: flags.retries.or(case.retries).or(local.retries).or(shared.retries).unwrap_or(2),
            jitter: 0,
        };
        let version = flags.target_version.clone().or(settings.file.target_version.clone());
        let job = |target| Job { target, version, patience };
        if let Some(given) = &self.given {
            return Ok(job(Target::Replies(Arc::clone(given))));
        }
        if !flags.replies.is_empty() {
            return self.recorded(&flags.replies).map(job);
        }
        if provider == "replies" {
            let file = local.file.as_ref().ok_or_else(|| {
                Obstacle::new(
                    "provider `replies` names no file",
                    "add `providerConfig: { file: replies.jsonl }`",
                )
            })?;
            return self.recorded(&[scenario.folder.join(file)]).map(job);
        }
        let mode = settings.target_mode();
        let trust = match settings.trust(provider, defaults(provider)?, scenario, local) {
            // Nothing is sent in replay.
            Err(_) if mode == Mode::Replay => Trust::Foreign,
            other => other?,
        };
        let granted = if trust == Trust::Named { shared } else { &nothing };
        let access = Access {
            base_url: flags.base_url.clone().or(local.base_url.clone()).or(granted.base_url.clone()),
            api_key: local.api_key.clone().or(granted.api_key.clone()),
            organization: local.organization.clone().or(granted.organization.clone()),
            trust,
        };
        let client = self.client(settings, provider, access, mode)?;
        let model = flags
            .model
            .as_ref()
            .or(case.model.as_ref())
            .or(scenario.model.as_ref().filter(|_| own))
            .or(local.default_model.as_ref())
            .or(settings.file.model.as_ref().filter(|_| configured))
            .or(shared.default_model.as_ref())
            .ok_or_else(|| {
                Obstacle::new(
                    format!("no model is named for provider `{provider}`"),
                    "name it with `-m`, or `model:` in the scenario, or judge recorded answers with `--replies FILE`",
                )
            })?
            .clone();
        let seeded = flags.seed.or(scenario.seed).is_some();
        let described = client.endpoint().is_at(defaults(provider)?.address);
        Ok(job(Target::Model { client, model, seeded, described }))
    }

    fn recorded(&mut self, paths: &[PathBuf]) -> Result<Target, Obstacle> {
        let read = || Replies::read(paths).map(Arc::new).map_err(|error| error.to_string());
        let known = self.replies.entry(paths.to_vec()).or_insert_with(read);
        let help = "each line is `{\"id\": \"case\", \"reply\": \"text\"}`, see docs/scenario.md";
        known.clone().map(Target::Replies).map_err(|message| Obstacle::new(message, help))
    }

    /// The client of a provider; the same access gives the same client.
    pub(super) fn client(
        &mut self,
        settings: &Settings,
        provider: &str,
        access: Access,
        mode: Mode,
    ) -> Result<Arc<ModelClient>, Obstacle> {
        let defaults = defaults(provider)?;
        let from_environment =
            defaults.address_variable.and_then(|name| settings.environment.get(name)).map(str::to_owned);
        let base_url = access.base_url.or(from_environment).unwrap_or_else(|| defaults.address.to_owned());
        let api_key = match access.api_key {
            Some(Ok(key)) => Some(key),
            None if access.trust == Trust::Foreign => None,
            None => settings.environment_key(provider),
            Some(Err(_)) if mode == Mode::Replay => None,
            Some(Err(name)) => {
                return Err(Obstacle::new(
                    format!("environment variable `{name}` holds the key of `{provider}` and is not set"),
                    no_key_help(settings, &name),
                ));
            }
        };
        let vendor = Origin::of(OpenAi::BASE_URL);
        if api_key.is_none() && mode != Mode::Replay && Origin::of(base_url.trim()) == vendor {
            let name = key_variable(provider).unwrap_or("OPENAI_API_KEY");
            return Err(Obstacle::new(
                format!("there is no key for provider `{provider}`"),
                no_key_help(settings, name),
            ));
        }
        // Two lines in a variable are a common slip, and a header cannot carry them.
        if api_key.as_ref().is_some_and(|key| !key.expose().bytes().all(|byte| (0x20..0x7f).contains(&byte)))
        {
            return Err(Obstacle::new(
                format!("the key of provider `{provider}` holds a character that no key has"),
                "look for a line end or a letter with an accent in it",
            ));
        }
        let organization = match access.trust {
            Trust::Named => access
                .organization
                .or_else(|| settings.environment.get("OPENAI_ORGANIZATION").map(str::to_owned)),
            Trust::Foreign => access.organization,
        };
        let secret = api_key.as_ref().map(Secret::expose).unwrap_or_default();
        let same = format!("{provider}\n{base_url}\n{organization:?}\n{mode:?}\n{secret}");
        if let Some(client) = self.clients.get(&same) {
            return Ok(Arc::clone(client));
        }
        let options = OpenAiOptions { provider: provider.to_owned(), base_url, api_key, organization };
        let back_end = OpenAi::new(settings.http.clone(), options)
            .map_err(|error| Obstacle::new(error.to_string(), "write it as `http://127.0.0.1:8080/v1`"))?;
        let client = Arc::new(
            ModelClient::new(Arc::new(back_end), settings.cache.clone(), mode)
                .priced(settings.file.prices.clone()),
        );
        self.clients.insert(same, Arc::clone(&client));
        Ok(client)
    }
}

/// How a provider is reached, before the environment and defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<Result<Secret, String>>,
    pub(super) organization: Option<String>,
    pub(super) trust: Trust,
}

/// Where a provider is reached when nobody says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    pub(super) address: &'static str,
    /// The environment variable that goes before.
    pub(super) address_variable: Option<&'static str>,
}

fn defaults(provider: &str) -> Result<Defaults, Obstacle> {
    match provider {
        "openai" => Ok(Defaults { address: OpenAi::BASE_URL, address_variable: Some("OPENAI_BASE_URL") }),
        "ollama" => Ok(Defaults { address: OpenAi::OLLAMA_URL, address_variable: None }),
        other => Err(unsupported(other)),
    }
}

fn no_key_help(settings: &Settings, name: &str) -> String {
    let ci = if settings.environment.is_ci() { " in the pipeline's secrets" } else { "" };
    format!(
        "set {name}{ci}; without a key, `--replay` judges from the cache and `--replies FILE` judges recorded answers"
    )
}

fn unsupported(provider: &str) -> Obstacle {
    let help = match provider {
        "langchain" | "deepagents" | "custom" => {
            "it is a JavaScript object: serve it over HTTP as chat completions and use `provider: openai` with `baseUrl`, or judge its answers with `--replies FILE`"
        }
        "vercel-ai" => {
            "use the provider behind it, such as `provider: openai`, or judge its answers with `--replies FILE`"
        }
        _ => {
            "use an OpenAI-compatible address (`provider: openai` with `baseUrl`), or judge recorded answers with `--replies FILE`"
        }
    };
    Obstacle::new(format!("akit cannot call provider `{provider}` yet"), help)
}

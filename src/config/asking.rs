//! How a case or a judge is called: each setting with its source.

use std::time::Duration;

use super::grader::GraderConfig;
use super::key::Held;
use super::resolved::{Resolved, SaidBy};
use super::trust::{Trust, unfetched};
use super::{Obstacle, Settings};
use crate::client::{Limits, Patience};
use crate::grader::Judge;
use crate::provider::{DEFAULT, HTTP, Header, Means, Options, Own, Spec, Vendor};
use crate::scenario::{Case, ProviderConfig, Scenario};
use crate::secret::Secret;
use crate::vocabulary::StopWords;

/// How a case or a judge is called.
#[derive(Debug)]
pub struct Asking<'a> {
    /// Name of the provider.
    pub provider: Resolved<'a, &'a str>,
    /// Model; `None` if none is named.
    pub model: Option<Resolved<'a, &'a str>>,
    /// Address; `None` for a provider that is not called over the network.
    pub address: Option<Resolved<'a, &'a str>>,
    /// How it is reached, if it can be; with `like`, as the vendor of that known server.
    pub reached: Option<&'static Vendor>,
    /// Where the key is.
    pub key: Option<Resolved<'a, Held<'a>>>,
    /// Other options of requests.
    pub options: Options,
    /// The section of a file that has these settings, or whose keys take precedence.
    pub part: SaidBy<'a>,
    /// The vendor's organization.
    pub organization: Option<Resolved<'a, &'a str>>,
    /// Time limit per attempt.
    pub timeout: Resolved<'a, Duration>,
    /// Retries after a transient error.
    pub retries: Resolved<'a, u32>,
    /// Maximum wait for a rate limit to clear.
    pub limited: Resolved<'a, Duration>,
    /// Limits of its address.
    pub limits: Option<Resolved<'a, Limits>>,
    /// Version of the application.
    pub version: Option<Resolved<'a, &'a str>>,
    /// The configured meaning of stop words that akit does not know.
    pub stop_words: StopWords,
    /// Settings of the user's own bot, the nearest source first; empty for other providers.
    pub own: Own,
    /// Why it cannot be called, whatever the other settings are.
    pub obstacle: Option<Obstacle>,
}

impl Asking<'_> {
    /// How the provider is reached, or why it cannot be.
    pub(super) fn vendor(&self) -> Result<&'static Vendor, Obstacle> {
        let name = self.provider.value;
        match Spec::of(name).map(|spec| &spec.means) {
            Some(Means::Network(vendor)) => Ok(self.reached.unwrap_or(vendor)),
            Some(Means::Own) => Err(Obstacle::new(
                format!("provider `{name}` cannot judge; it can only answer cases"),
                "choose a model provider",
            )
            .at(self.provider.said_by)),
            Some(Means::NotYet(help)) => {
                Err(Obstacle::new(format!("akit cannot call provider `{name}`"), *help)
                    .at(self.provider.said_by))
            }
            Some(Means::Recorded) | None => Err(Obstacle::new(
                format!("provider `{name}` is not called over the network"),
                "name another provider",
            )),
        }
    }

    /// The client's timeouts and retries.
    pub(super) fn patience(&self) -> Patience {
        let (timeout, retries, limited) = (self.timeout.value, self.retries.value, self.limited.value);
        Patience { timeout, retries, limited, jitter: 0 }
    }
}

/// The sources of settings other than `providers` in the configuration.
struct Sayers<'a> {
    provider: Resolved<'a, &'a str>,
    model: Option<Resolved<'a, &'a str>>,
    /// The flag for the address.
    address: (SaidBy<'a>, Option<&'a str>),
    timeout: [(SaidBy<'a>, Option<Duration>); 2],
    retries: [(SaidBy<'a>, Option<u32>); 2],
    version: Option<Resolved<'a, &'a str>>,
    /// Settings for this one provider alone, and the section of the file that holds them.
    own: Option<&'a ProviderConfig>,
    part: SaidBy<'a>,
    trust: Result<Trust, Obstacle>,
    /// Further keys that a closer source than the file already sets.
    said: Vec<&'static str>,
}

impl Settings {
    /// How a case is called.
    #[must_use]
    pub fn asking<'a>(&'a self, scenario: &'a Scenario, case: &'a Case) -> Asking<'a> {
        let (flags, config) = (&self.flags, &self.file);
        let of_case = |key| SaidBy::Key(&scenario.file, ["cases", &case.id, key]);
        let of_scenario = |key| SaidBy::Key(&scenario.file, [key, "", ""]);
        let provider = Resolved::or_default(
            [
                (SaidBy::Flag("--provider"), flags.provider.as_deref()),
                (of_case("provider"), case.provider.as_deref()),
                (of_scenario("provider"), scenario.provider.as_deref()),
                (self.key(["provider", "", ""]), config.provider.as_deref()),
            ],
            DEFAULT,
        );
        let name = provider.value;
        // Settings of a scenario's provider, above all its key, do not apply to another provider.
        let meant = scenario.provider.as_ref().or(flags.provider.as_ref()).or(config.provider.as_ref());
        let is_meant = meant.map_or(DEFAULT, String::as_str) == name;
        // Nor does the configuration's model: another provider does not have it.
        let is_configured = config.provider.as_deref().is_none_or(|configured| configured == name);
        let own = Some(&scenario.provider_config).filter(|_| is_meant);
        let part = of_scenario("providerConfig");
        let shared = config.providers.get(name);
        let of_file = scenario.model.as_ref().filter(|_| is_meant);
        let named = flags.model.as_ref().or(case.model.as_ref()).or(of_file);
        let model = Resolved::first([
            (SaidBy::Flag("--model"), flags.model.as_deref()),
            (of_case("model"), case.model.as_deref()),
            (of_scenario("model"), of_file.map(String::as_str)),
            (part.below("defaultModel"), own.and_then(|own| own.default_model.as_deref())),
            (self.key(["model", "", ""]), config.model.as_deref().filter(|_| is_configured)),
            (
                self.key(["providers", name, "defaultModel"]),
                shared.and_then(|shared| shared.default_model.as_deref()),
            ),
        ]);
        let version = Resolved::first([
            (SaidBy::Flag("--target-version"), flags.target_version.as_deref()),
            (self.key(["target", "version", ""]), self.version()),
        ]);
        let mut asking = self.reached(Sayers {
            provider,
            model,
            address: (SaidBy::Flag("--base-url"), flags.base_url.as_deref()),
            timeout: [(SaidBy::Flag("--timeout"), flags.timeout), (of_case("timeout"), case.timeout)],
            retries: [(SaidBy::Flag("--retries"), flags.retries), (of_case("retries"), case.retries)],
            version,
            own,
            part,
            trust: self.trust(name, scenario, own),
            said: named.map(|_| "defaultModel").into_iter().collect(),
        });
        if !is_meant && Spec::is_own(name) {
            asking.own = asking.own.or(&scenario.provider_config.own.reading());
        }
        asking
    }

    /// How a judge is called: by the flags, the expectation's own judge, or the configuration; never silently by the
    /// model under test.
    #[must_use]
    pub fn judging<'a>(&'a self, named: Option<&'a Judge>) -> Asking<'a> {
        let (flags, config) = (&self.flags, self.file.grader.as_ref());
        let part = self.key(["grader", "", ""]);
        let named = named.filter(|_| flags.grader_model.is_none());
        let provider = match named {
            Some(judge) if !judge.provider.is_empty() => {
                Resolved { value: judge.provider.as_str(), said_by: SaidBy::Expectation }
            }
            Some(_) | None => Resolved::or_default(
                [
                    (SaidBy::Flag("--grader-provider"), flags.grader_provider.as_deref()),
                    (part.below("provider"), config.and_then(|grader| grader.provider.as_deref())),
                ],
                DEFAULT,
            ),
        };
        let model = Resolved::first([
            (SaidBy::Flag("--grader-model"), flags.grader_model.as_deref()),
            (SaidBy::Expectation, named.map(|judge| judge.model.as_str())),
            (part.below("model"), config.and_then(|grader| grader.model.as_deref())),
        ]);
        // While the provider is an unset variable, it is unknown which provider the section is for, so nothing is sent.
        let is_unknown = |grader: &GraderConfig| grader.access.unset.iter().any(|(key, _)| key == "provider");
        let is_configured =
            |grader: &&GraderConfig| grader.provider() == provider.value || is_unknown(grader);
        self.reached(Sayers {
            provider,
            model,
            address: (SaidBy::Flag("--grader-base-url"), flags.grader_base_url.as_deref()),
            timeout: [(SaidBy::Flag("--timeout"), flags.timeout), (SaidBy::Default, None)],
            retries: [(SaidBy::Flag("--retries"), flags.retries), (SaidBy::Default, None)],
            version: None,
            own: config.filter(is_configured).map(|grader| &grader.access),
            part,
            // An expectation names a model, never an address.
            trust: Ok(Trust::Named),
            said: (flags.grader_model.is_some() || named.is_some()).then_some("model").into_iter().collect(),
        })
    }

    fn reached<'a>(&'a self, says: Sayers<'a>) -> Asking<'a> {
        let Sayers { provider, model, address, timeout, retries, version, own, part, trust, mut said } = says;
        let nearer = [
            ("baseUrl", address.1.is_some()),
            ("timeout", timeout.iter().any(|(_, value)| value.is_some())),
            ("maxRetries", retries.iter().any(|(_, value)| value.is_some())),
            ("patience", self.flags.patience.is_some()),
        ];
        said.extend(nearer.into_iter().filter(|(_, is_said)| *is_said).map(|(key, _)| key));
        let name = provider.value;
        let is_trusted = matches!(trust, Ok(Trust::Named));
        let shared = self.file.providers.get(name);
        let [own_like, like] = [own, shared].map(|config| config.and_then(|config| config.like.as_deref()));
        let vendor = Spec::vendor_of(name, own_like.or(like));
        let is_own = Spec::is_own(name);
        // The owners of the keys have not named this server, or mean another one. For the user's own bot, a preset
        // names no server.
        let granted = shared.filter(|_| is_trusted && (is_own || own_like.is_none() || own_like == like));
        let below = |key| self.key(["providers", name, key]);
        let variable = |name: Option<&'static str>| {
            let value = name.and_then(|name| self.environment.get(name));
            (SaidBy::Variable(name.unwrap_or_default()), value)
        };
        let secret = |name: Option<&'static str>| {
            let (said_by, value) = variable(name);
            (said_by, value.filter(|_| is_trusted))
        };
        let key_variable = vendor.and_then(|vendor| self.key_variable(vendor));
        let [of_own, of_shared] = [own, granted].map(|config| config.and_then(|config| config.address(name)));
        let usual = vendor.map_or("url", |_| "baseUrl");
        let named = [
            address,
            (part.below(of_own.map_or(usual, |one| one.0)), of_own.map(|one| one.1)),
            (below(of_shared.map_or(usual, |one| one.0)), of_shared.map(|one| one.1)),
        ];
        let address = match vendor {
            Some(vendor) => {
                let named = named.into_iter().chain([variable(vendor.address_variable)]);
                Some(Resolved::or_default(named, vendor.address))
            }
            None => Resolved::first(named).filter(|_| name == HTTP),
        };
        let (variable_of_key, value) = secret(key_variable);
        let variable = (variable_of_key, value.map(|key| Held::Key(Secret::new(key.trim()))));
        let key = Resolved::first(
            keys(own, |key| part.below(key)).into_iter().chain(keys(granted, below)).chain([variable]),
        );
        let brought = key.as_ref().and_then(|key| unfetched(key, &self.file.whose));
        let options = self.options(own, granted);
        let organization = Resolved::first([
            (part.below("organization"), own.and_then(|own| own.organization.as_deref())),
            (below("organization"), granted.and_then(|shared| shared.organization.as_deref())),
            secret(vendor.and_then(|vendor| vendor.organization_variable)),
        ]);
        let default = Patience::default();
        let of_own = (part.below("timeout"), own.and_then(|own| own.timeout));
        let of_shared = (below("timeout"), shared.and_then(|shared| shared.timeout));
        let timeout = Resolved::or_default(timeout.into_iter().chain([of_own, of_shared]), default.timeout);
        let of_own = (part.below("maxRetries"), own.and_then(|own| own.retries));
        let of_shared = (below("maxRetries"), shared.and_then(|shared| shared.retries));
        let retries = Resolved::or_default(retries.into_iter().chain([of_own, of_shared]), default.retries);
        let of_flag = (SaidBy::Flag("--patience"), self.flags.patience);
        let of_own = (part.below("patience"), own.and_then(|own| own.patience));
        let of_shared = (below("patience"), shared.and_then(|shared| shared.patience));
        let limited = Resolved::or_default([of_flag, of_own, of_shared], default.limited);
        let limits =
            Resolved::first([(part.below("limits"), limits(own)), (below("limits"), limits(shared))]);
        let waits = |config: Option<&'a ProviderConfig>, said: &[&str]| {
            let unset = config.into_iter().flat_map(|config| &config.unset);
            unset.into_iter().find(|(key, _)| !said.contains(&key.as_str())).map(|(_, unset)| unset)
        };
        let unset = waits(own, &said).or_else(|| {
            // Settings for this one provider take precedence over shared ones.
            said.extend(own.into_iter().flat_map(ProviderConfig::said));
            waits(shared, &said)
        });
        let unmerged = address.as_ref().and_then(|address| self.unmerged(vendor, address));
        let misplaced =
            misplaced(own, name, |key| part.below(key)).or_else(|| misplaced(granted, name, below));
        let bot = if is_own { self.bot(own, granted) } else { Own::default() };
        let stop_words = own.map(|own| &own.stop_words).cloned().unwrap_or_default();
        let stop_words = stop_words.or(shared.map(|shared| &shared.stop_words));
        let obstacle = misplaced.or(unset.map(Obstacle::unset)).or(trust.err()).or(unmerged).or(brought);
        Asking {
            provider,
            model,
            address,
            reached: vendor,
            key,
            options,
            part,
            organization,
            timeout,
            retries,
            limited,
            limits,
            version,
            stop_words,
            own: bot,
            obstacle,
        }
    }

    /// The first of a vendor's key variables that is set; if none is, the first one.
    fn key_variable(&self, vendor: &Vendor) -> Option<&'static str> {
        let names = vendor.key_variables;
        names.iter().find(|name| self.environment.get(name).is_some()).or(names.first()).copied()
    }

    /// Options of requests: those of one provider, on top of shared ones.
    fn options(&self, own: Option<&ProviderConfig>, granted: Option<&ProviderConfig>) -> Options {
        let nothing = Options::default();
        let [own, granted] = [own, granted].map(|config| config.map_or(&nothing, |config| &config.options));
        let mut options = own.or(granted);
        options.headers.iter_mut().for_each(|header| self.fill(header));
        options
    }

    /// Settings of the user's own bot, with its preset and its headers filled in.
    fn bot(&self, own: Option<&ProviderConfig>, granted: Option<&ProviderConfig>) -> Own {
        let [own, granted] =
            [own, granted].map(|config| config.map_or_else(Own::default, |config| config.own.clone()));
        own.or(&granted).with_preset().filled(&self.environment)
    }

    /// Gives a header its value.
    fn fill(&self, header: &mut Header) {
        let (value, filled) = self.environment.filled(&header.written);
        header.secrets = filled.into_iter().map(Secret::new).collect();
        if header.is_credential() {
            // The word before a key, such as `Bearer`, is not part of the key.
            header.secrets.extend(value.split_whitespace().last().map(Secret::new));
        }
        header.value = Some(Secret::new(value));
    }

    /// A key of the configuration, by its path.
    pub(super) fn key<'a>(&'a self, path: [&'a str; 3]) -> SaidBy<'a> {
        self.file.file.as_ref().map_or(SaidBy::Default, |file| SaidBy::Key(file, path))
    }
}

/// The places where a section of a file says that its key is; the first one takes precedence.
fn keys<'a>(
    config: Option<&'a ProviderConfig>,
    at: impl Fn(&'a str) -> SaidBy<'a>,
) -> [(SaidBy<'a>, Option<Held<'a>>); 3] {
    let written = config.and_then(|config| config.api_key.as_ref());
    let written = written.map(|key| match key {
        Ok(key) => Held::Key(key.clone()),
        Err(unset) => Held::Unset(unset),
    });
    let in_file = config.and_then(|config| config.key_file.clone()).map(Held::File);
    let command = config.map(|config| &config.key_command).filter(|command| !command.is_empty());
    let printed = command.map(|command| Held::Command(command));
    [(at("apiKey"), written), (at("apiKeyFile"), in_file), (at("apiKeyCommand"), printed)]
}

/// The limits of an address, if a section of a file sets them.
fn limits(config: Option<&ProviderConfig>) -> Option<Limits> {
    config.map(|config| config.limits).filter(|limits| !limits.are_none())
}

/// The obstacle if a key for another provider is set for this one.
fn misplaced<'a>(
    config: Option<&ProviderConfig>,
    name: &str,
    at: impl Fn(&'a str) -> SaidBy<'a>,
) -> Option<Obstacle> {
    let (key, message, help) = config?.misplaced(name)?;
    Some(Obstacle::new(message, help).at(at(key)))
}

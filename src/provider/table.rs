//! The table of all providers, with names, addresses, variables and alternatives.

use super::Origin;
use super::anthropic::ANTHROPIC;
use super::azure::AZURE;
use super::compatible::{LIKE, OLLAMA};
use super::google::GOOGLE;
use super::mistral::MISTRAL;
use super::openai::OPENAI;
use super::own::{COMMAND, HTTP, Own, PRESETS};
use super::spec::{Means, Spec, Vendor};
use crate::text;

/// The default provider.
pub const DEFAULT: &str = OPENAI.name;

/// The provider whose customers each have their own address.
pub const AZURE_OPENAI: &str = AZURE.name;

/// The provider of recorded answers.
pub const REPLIES: &str = "replies";

/// The alternative for an application that runs in the user's own program.
const OWN: Means = Means::NotYet(
    "set `provider: http` with `providerConfig: { url: \"http://127.0.0.1:8080/chat\" }` if the application is a server, \
    or `provider: command` with `providerConfig: { command: [node, bot.js] }` if akit should start it",
);

/// The alternative for a server with its own API.
const SERVED: Means = Means::NotYet(
    "set `provider: http` with `providerConfig: { url: …, headers: { Authorization: \"Bearer ${KEY}\" }, body: …, \
    answer: … }`, or `provider: openai` with `baseUrl` if it has an OpenAI-compatible API",
);

impl Spec {
    /// Every provider, in alphabetical order.
    pub const ALL: &'static [Self] = &[
        ANTHROPIC,
        AZURE,
        Self { name: "cohere", means: SERVED },
        Self { name: COMMAND, means: Means::Own },
        Self { name: "custom", means: OWN },
        Self { name: "deepagents", means: OWN },
        GOOGLE,
        Self { name: HTTP, means: Means::Own },
        Self { name: "huggingface", means: SERVED },
        Self { name: "langchain", means: OWN },
        MISTRAL,
        OLLAMA,
        OPENAI,
        Self { name: REPLIES, means: Means::Recorded },
        Self { name: "vercel-ai", means: OWN },
    ];

    /// The provider with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|spec| spec.name == name)
    }

    /// Whether it is `http` or `command`.
    #[must_use]
    pub fn is_own(name: &str) -> bool {
        matches!(Self::of(name).map(|spec| &spec.means), Some(Means::Own))
    }

    /// The vendors, each with its name.
    pub fn vendors() -> impl Iterator<Item = (&'static str, &'static Vendor)> {
        Self::ALL.iter().filter_map(|spec| Some((spec.name, spec.vendor()?)))
    }

    /// How a provider is reached; `like` names a server compatible with `openai`.
    #[must_use]
    pub fn vendor_of(name: &str, like: Option<&str>) -> Option<&'static Vendor> {
        let own = Self::of(name)?.vendor()?;
        Some(like.filter(|_| name == DEFAULT).and_then(Self::like).unwrap_or(own))
    }

    /// A server compatible with `openai`.
    #[must_use]
    pub fn like(name: &str) -> Option<&'static Vendor> {
        LIKE.iter().find(|(known, _)| *known == name).map(|(_, vendor)| vendor)
    }

    /// The provider for which `like:` accepts this name.
    #[must_use]
    pub fn taker_of(like: &str) -> Option<&'static str> {
        let is_preset = || PRESETS.iter().any(|(name, _)| *name == like);
        Self::like(like).map(|_| DEFAULT).or_else(|| is_preset().then_some(HTTP))
    }

    /// Why a key does not belong to a provider, and how to fix it; `None` if it does belong. Old files may have keys
    /// for their own programs under a provider that akit does not call.
    #[must_use]
    pub fn misplaced(provider: &str, key: &str) -> Option<(String, String)> {
        let is_asked = matches!(Self::of(provider)?.means, Means::Network(_) | Means::Own);
        let takers: &[&str] = match key {
            "resourceName" | "deploymentName" | "embeddingDeploymentName" | "apiVersion" | "modelFamily"
                if is_asked =>
            {
                &[AZURE_OPENAI]
            }
            "api" if is_asked => &[DEFAULT, AZURE_OPENAI],
            key => Own::takers(key),
        };
        let Some(first) = takers.first() else {
            let help = Own::instead(provider, key)?.to_owned();
            return Some((format!("provider `{provider}` has no key `{key}`"), help));
        };
        (!takers.contains(&provider)).then(|| {
            let whose = text::list(takers);
            let message = format!("`{key}` is a key of provider {whose}, but the provider is `{provider}`");
            (message, format!("remove it, or set `provider: {first}`"))
        })
    }

    /// The variables for the key of the vendor at this address.
    #[must_use]
    pub fn key_variables_at(address: &str) -> &'static [&'static str] {
        let Some(origin) = Origin::of(address).filter(|origin| !origin.is_loopback()) else { return &[] };
        let vendors = Self::vendors().map(|(_, vendor)| vendor).chain(LIKE.iter().map(|(_, vendor)| vendor));
        let own = |vendor: &&Vendor| Origin::of(vendor.address).as_ref() == Some(&origin);
        let azure = || address.contains(".openai.azure.com").then_some(AZURE_KEYS);
        vendors.into_iter().find(own).map(|vendor| vendor.key_variables).or_else(azure).unwrap_or_default()
    }
}

const AZURE_KEYS: &[&str] = match &AZURE.means {
    Means::Network(vendor) => vendor.key_variables,
    Means::Own | Means::Recorded | Means::NotYet(_) => &[],
};

/// All names that `provider:` accepts.
pub const NAMES: [&str; Spec::ALL.len()] = {
    let mut names = [""; Spec::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Spec::ALL[index].name;
        index += 1;
    }
    names
};

/// Number of supported providers.
const OFFERED_COUNT: usize = {
    let (mut count, mut index) = (0, 0);
    while index < Spec::ALL.len() {
        count += Spec::ALL[index].is_offered() as usize;
        index += 1;
    }
    count
};

/// The supported providers, which help and schema list.
pub const OFFERED: [&str; OFFERED_COUNT] = {
    let mut names = [""; OFFERED_COUNT];
    let (mut count, mut index) = (0, 0);
    while index < Spec::ALL.len() {
        if Spec::ALL[index].is_offered() {
            names[count] = Spec::ALL[index].name;
            count += 1;
        }
        index += 1;
    }
    names
};

/// The names that `like:` accepts: servers compatible with `openai`, and presets for `http`.
pub const LIKES: [&str; LIKE.len() + PRESETS.len()] = {
    let mut names = [""; LIKE.len() + PRESETS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = if index < LIKE.len() { LIKE[index].0 } else { PRESETS[index - LIKE.len()].0 };
        index += 1;
    }
    names
};

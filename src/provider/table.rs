//! Every provider that may be named: the one table of names, addresses, variables and ways out.

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

/// Who answers where nobody says so.
pub const DEFAULT: &str = OPENAI.name;

/// Who has an address of their own for everybody.
pub const AZURE_OPENAI: &str = AZURE.name;

/// Who gives answers that were recorded.
pub const REPLIES: &str = "replies";

/// The way out for an application that runs in a program of one's own.
const OWN: Means = Means::NotYet(
    "write `provider: http` with `providerConfig: { url: \"http://127.0.0.1:8080/chat\" }` where the application \
     listens, or `provider: command` with `providerConfig: { command: [node, bot.js] }` where akit starts it",
);

/// The way out for a server that speaks an interface of its own.
const SERVED: Means = Means::NotYet(
    "write `provider: http` with `providerConfig: { url: …, headers: { Authorization: \"Bearer ${KEY}\" }, body: …, \
     answer: … }`, or `provider: openai` with `baseUrl` where it has an OpenAI-compatible address",
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

    /// The provider of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|spec| spec.name == name)
    }

    /// Whether it is the user's own bot.
    #[must_use]
    pub fn is_own(name: &str) -> bool {
        matches!(Self::of(name).map(|spec| &spec.means), Some(Means::Own))
    }

    /// The vendors, each with its name.
    pub fn vendors() -> impl Iterator<Item = (&'static str, &'static Vendor)> {
        Self::ALL.iter().filter_map(|spec| Some((spec.name, spec.vendor()?)))
    }

    /// How a provider is reached; `like` names one of those that speak as `openai` does.
    #[must_use]
    pub fn vendor_of(name: &str, like: Option<&str>) -> Option<&'static Vendor> {
        let own = Self::of(name)?.vendor()?;
        Some(like.filter(|_| name == DEFAULT).and_then(Self::like).unwrap_or(own))
    }

    /// One of those that speak as `openai` does.
    #[must_use]
    pub fn like(name: &str) -> Option<&'static Vendor> {
        LIKE.iter().find(|(known, _)| *known == name).map(|(_, vendor)| vendor)
    }

    /// The provider under which a name may stand under `like:`.
    #[must_use]
    pub fn taker_of(like: &str) -> Option<&'static str> {
        let is_preset = || PRESETS.iter().any(|(name, _)| *name == like);
        Self::like(like).map(|_| DEFAULT).or_else(|| is_preset().then_some(HTTP))
    }

    /// Why a key does not belong to a provider, and how to fix it; `None` where it does. Of one that nobody asks, old files
    /// may say what its own program read.
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
            return Some((format!("`{key}` is no key of provider `{provider}`"), help));
        };
        (!takers.contains(&provider)).then(|| {
            let whose = text::list(takers);
            let message =
                format!("`{key}` is a key of provider {whose}, and the provider here is `{provider}`");
            (message, format!("remove it, or write `provider: {first}`"))
        })
    }

    /// The variables that hold the key of the vendor whose own server this is.
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

/// Every name that may stand under `provider:`.
pub const NAMES: [&str; Spec::ALL.len()] = {
    let mut names = [""; Spec::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Spec::ALL[index].name;
        index += 1;
    }
    names
};

/// How many can be asked.
const OFFERED_COUNT: usize = {
    let (mut count, mut index) = (0, 0);
    while index < Spec::ALL.len() {
        count += Spec::ALL[index].is_offered() as usize;
        index += 1;
    }
    count
};

/// The names that can be asked: those that help and schema offer.
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

/// The names that may stand under `like:`: servers that speak as `openai` does, and presets of own bots.
pub const LIKES: [&str; LIKE.len() + PRESETS.len()] = {
    let mut names = [""; LIKE.len() + PRESETS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = if index < LIKE.len() { LIKE[index].0 } else { PRESETS[index - LIKE.len()].0 };
        index += 1;
    }
    names
};

//! Every provider that may be named: the one table of names, addresses, variables and ways out.

use super::Origin;
use super::openai::{OLLAMA, OPENAI};
use super::own::{COMMAND, HTTP};
use super::spec::{Means, Spec, Vendor};

/// Who answers where nobody says so.
pub const DEFAULT: &str = OPENAI.name;

/// Who gives answers that were recorded.
pub const REPLIES: &str = "replies";

const COMPATIBLE: Means = Means::NotYet(
    "use an OpenAI-compatible address (`provider: openai` with `baseUrl`), or judge recorded answers with `--replies FILE`",
);

const JAVASCRIPT: Means = Means::NotYet(
    "it is a JavaScript object: serve it over HTTP as chat completions and use `provider: openai` with `baseUrl`, or judge its answers with `--replies FILE`",
);

impl Spec {
    /// Every provider, in alphabetical order.
    pub const ALL: &'static [Self] = &[
        Self { name: "anthropic", means: COMPATIBLE },
        Self { name: "azure-openai", means: COMPATIBLE },
        Self { name: "cohere", means: COMPATIBLE },
        Self { name: COMMAND, means: Means::Own },
        Self { name: "custom", means: JAVASCRIPT },
        Self { name: "deepagents", means: JAVASCRIPT },
        Self { name: "google", means: COMPATIBLE },
        Self { name: HTTP, means: Means::Own },
        Self { name: "huggingface", means: COMPATIBLE },
        Self { name: "langchain", means: JAVASCRIPT },
        Self { name: "mistral", means: COMPATIBLE },
        OLLAMA,
        OPENAI,
        Self { name: REPLIES, means: Means::Recorded },
        Self {
            name: "vercel-ai",
            means: Means::NotYet(
                "use the provider behind it, such as `provider: openai`, or judge its answers with `--replies FILE`",
            ),
        },
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

    /// The variable that holds the key of the vendor whose own server this is.
    #[must_use]
    pub fn key_variable_at(address: &str) -> Option<&'static str> {
        let origin = Origin::of(address)?;
        let own = |vendor: &Vendor| Origin::of(vendor.address).as_ref() == Some(&origin);
        Self::vendors().find(|(_, vendor)| own(vendor))?.1.key_variable
    }
}

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

//! akit judges the answers of an LLM application and gates its release.
//!
//! Modules are arranged in rows, and each uses only modules of rows below its own; `tests/layers.rs` has the table.
//! Modules are private: what a module offers to others is `pub`, what it keeps to itself is at most `pub(super)`, and
//! unused items are errors.

// The API of a module is documented like a public one.
#![cfg_attr(not(test), warn(clippy::missing_docs_in_private_items))]

mod analysis;
mod baseline;
mod cache;
mod canonical;
mod client;
mod config;
mod demands;
mod engine;
mod environment;
mod event;
mod expectation;
mod gate;
mod grader;
mod history;
mod http;
mod import;
mod manifest;
mod process;
mod provider;
mod publish;
mod redact;
mod report;
mod runner;
mod scenario;
mod secret;
mod seed;
mod source;
mod stats;
mod stress;
mod text;
mod vocabulary;

pub mod cli;

/// What the project's own tests use besides the program; not a public API.
#[doc(hidden)]
pub mod inside {
    pub use crate::cache::{Cache, Key};
    pub use crate::canonical::bytes as canonical;
    pub use crate::config::ConfigFile;
    pub use crate::environment::Environment;
    pub use crate::scenario::{discover, load};
    pub use crate::source::{Diagnostics, Node, SourceFile};
    pub use crate::text::hex;
    pub use crate::vocabulary::{FaultKind, FindingId, WeakeningKind};

    use crate::demands::{Demands, compare};

    /// All keys that may be written: of expectations after their kind, of scenarios, and of configurations.
    #[must_use]
    pub fn keys() -> [Vec<String>; 3] {
        [crate::expectation::keys(), crate::scenario::keys(), crate::config::keys()]
    }

    /// Tables of the documentation whose values come from a type, each with its page.
    #[must_use]
    pub fn tables() -> Vec<(&'static str, String)> {
        use crate::gate::{Conclusion, State};
        use crate::manifest::Ended;
        use crate::vocabulary::{Outcome, StopReason, meaning};
        use strum::IntoEnumIterator;

        /// A table of two or more columns with its heading.
        fn table(heading: &str, rows: impl Iterator<Item = String>) -> String {
            let rule = "|---".repeat(heading.matches(" | ").count() + 1);
            let rows: Vec<_> = rows.map(|row| format!("| {row} |\n")).collect();
            format!("| {heading} |\n{rule}|\n{}", rows.concat())
        }
        let list = |words: &[&str]| format!("`{}`", words.join("`, `"));
        let codes = table(
            "code | meaning",
            crate::cli::Status::all().map(|(code, meaning)| format!("{code} | {meaning}")),
        );
        let stops = StopReason::iter().map(|reason| match reason.words() {
            [] => format!("{} | any other word", meaning(&reason)),
            ["", known @ ..] => format!("{} | none, an empty one, {}", meaning(&reason), list(known)),
            known => format!("{} | {}", meaning(&reason), list(known)),
        });
        let states = State::iter().map(|state| format!("{} | {}", state.words(), state.facts().join(" | ")));
        let faults = FaultKind::iter().map(|kind| format!("`{}` | {}", kind.word(), kind.remedy()));
        let words = [
            ("ended", Ended::iter().map(Into::into).collect::<Vec<&str>>()),
            ("outcome", Outcome::iter().map(Into::into).collect()),
            ("state", State::iter().map(State::word).collect()),
            ("ruling", Conclusion::iter().map(Into::into).collect()),
        ];
        let vendors = crate::provider::Spec::vendors().filter(|(_, vendor)| !vendor.address.is_empty());
        let vendors = vendors.map(|(name, vendor)| {
            let key =
                if vendor.key_variables.is_empty() { "none".to_owned() } else { list(vendor.key_variables) };
            let model =
                if name == "ollama" { "what you pulled".to_owned() } else { format!("`{}`", vendor.model) };
            format!("`{name}` | `{}` | {key} | {model}", vendor.address)
        });
        let likes = crate::provider::LIKES.iter().filter_map(|name| {
            let vendor = crate::provider::Spec::like(name)?;
            Some(format!("`{name}` | `{}` | {}", vendor.address, list(vendor.key_variables)))
        });
        let words = words.iter().map(|(key, all)| format!("`{key}` | {}", list(all)));
        vec![
            ("README.md", codes.clone()),
            ("docs/exit-codes.md", codes),
            ("docs/expectations.md", table("the answer is | stop words", stops)),
            ("docs/findings.md", table("fault | what to do", faults)),
            ("docs/gate.md", table("state | in the baseline | now | blocks a pass", states)),
            ("docs/json.md", table("key | values", words)),
            ("docs/providers.md", table("provider | address | key from | a current model", vendors)),
            ("docs/providers.md", table("`like:` | address | key from", likes)),
        ]
    }

    /// Models that their vendors shut down: no page may recommend one.
    #[must_use]
    pub fn ending_models() -> Vec<&'static str> {
        crate::provider::ending_models().collect()
    }

    /// The kinds of weakening between two states of files, as `demands` sees them.
    #[must_use]
    pub fn weaker(before: &[(&str, &str)], now: &[(&str, &str)]) -> Vec<WeakeningKind> {
        let [before, now] = [before, now].map(|files| Demands::of(files, &Environment::default()));
        compare(&before, &now).into_iter().map(|one| one.kind).collect()
    }
}

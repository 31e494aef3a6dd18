//! Who may receive a key, or anything else from the environment.
//!
//! Whoever edits a scenario file chooses its `baseUrl`, and that may be somebody from outside. So a
//! scenario's own address gets nothing of the environment's and the configuration's, unless the
//! people who hold the keys have named its server: by flag, configuration or environment. Where the configuration is
//! the change's too, the same holds for its addresses.

use std::path::Path;
use std::sync::Arc;

use super::key::Held;
use super::resolved::{Resolved, SaidBy};
use super::{Obstacle, Settings};
use crate::provider::{HTTP, Origin, Spec, Vendor};
use crate::scenario::{PROVIDER_CONFIG, ProviderConfig, Scenario};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Shape, SourceFile};
use crate::text;

/// Keys by which only a configuration says something of a provider.
const OWN: [Field; 3] = [
    Field::optional(
        "trustedOrigins",
        Shape::Texts,
        "Servers that a scenario's `baseUrl` may name and that get this provider's key, as `https://host:port`.",
    ),
    KEY_FILE,
    KEY_COMMAND,
];

/// Where a key lies, of a provider or a judge.
pub(super) const KEY_FILE: Field = Field::optional(
    "apiKeyFile",
    Shape::Name,
    "File that holds the key and nothing else, relative to this file.",
);

/// How a key is had, of a provider or a judge.
pub(super) const KEY_COMMAND: Field = Field::optional(
    "apiKeyCommand",
    Shape::Texts,
    "Program that prints the key, with its arguments: no shell, at most 30 seconds.",
);

/// Keys of a provider in the configuration: those of a scenario's `providerConfig`, and its own, which take the place of
/// what is refused there.
pub(super) const PROVIDER: &[Field] = &{
    let mut all = [OWN[0]; PROVIDER_CONFIG.len() + 1];
    let (mut index, mut taken) = (0, 1);
    while index < PROVIDER_CONFIG.len() {
        all[index] = PROVIDER_CONFIG[index];
        if matches!(PROVIDER_CONFIG[index].shape, Shape::Foreign) {
            all[index] = OWN[taken];
            taken += 1;
        }
        index += 1;
    }
    all
};

/// Whose word a configuration is.
#[derive(Clone, Debug, Default)]
pub enum Whose {
    /// That of whoever starts the run: it is trusted wholly.
    #[default]
    Own,
    /// The base's of the change under test, with the text of the calibration that it names.
    Base(Option<Arc<SourceFile>>),
    /// The change's own, where its base knows nothing of akit: no address in it gets a key.
    Change,
}

const MERGE_FIRST: &str = "merge akit.yaml first, name the server by `--base-url` (a judge by `--grader-base-url`), \
                           or trust the change: `--trust head` (`trust: head` in the pipeline)";

/// Whether an address was named by those who hold the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// It was, or it is the provider's own, or on this machine.
    #[default]
    Named,
    /// Only a scenario file names it.
    Foreign,
}

/// The servers under `trustedOrigins`; what is none is reported.
pub(super) fn trusted_origins(
    fields: &Fields<'_>,
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
) -> Vec<Origin> {
    let mut origins = Vec::new();
    for (written, span) in fields.texts("trustedOrigins").unwrap_or_default() {
        match Origin::bare(written) {
            Some(origin) => origins.push(origin),
            None => found.push(
                Diagnostic::error(
                    "wrong-value",
                    file,
                    span,
                    format!("`{}` is no scheme and host", text::excerpt(written, 100)),
                )
                .help("write it as `https://llm.example.com` or `http://10.0.0.5:8080`, without a path"),
            ),
        }
    }
    origins
}

impl Settings {
    /// Whether a scenario's own address may get what it would get; an obstacle names what it may not.
    pub(super) fn trust(
        &self,
        provider: &str,
        scenario: &Scenario,
        local: Option<&ProviderConfig>,
    ) -> Result<Trust, Obstacle> {
        let like = local.and_then(|local| local.like.as_deref());
        let vendor = Spec::vendor_of(provider, like);
        if vendor.is_none() && provider != HTTP {
            return Ok(Trust::Named);
        }
        let named = local.filter(|_| self.flags.base_url.is_none());
        let Some((local, (_, address, span))) =
            named.and_then(|local| Some((local, local.address(provider)?)))
        else {
            return Ok(Trust::Named);
        };
        // What is no address is refused before anything is sent.
        let Some(origin) = Origin::of(address) else { return Ok(Trust::Named) };
        let nothing = ProviderConfig::default();
        let shared = self.file.providers.get(provider).unwrap_or(&nothing);
        let is_set = |names: &[&str]| names.iter().any(|name| self.environment.get(name).is_some());
        let configured = matches!(self.file.whose, Whose::Own | Whose::Base(_)).then_some(shared);
        let by_config = configured.and_then(|shared| Some(shared.address(provider)?.1));
        if self.is_usual(vendor, &origin)
            || configured.is_some_and(|shared| shared.trusted.contains(&origin))
            || by_config.and_then(Origin::of).as_ref() == Some(&origin)
        {
            return Ok(Trust::Named);
        }
        let named_by = || self.file.named_by_variables.first();
        let what = if let Some(name) = scenario.environment.first().or_else(named_by) {
            format!("what environment variable `{name}` holds")
        } else if local.api_key.is_none()
            && (shared.has_key() || vendor.is_some_and(|vendor| is_set(vendor.key_variables)))
        {
            format!("the key of provider `{provider}`")
        } else if provider == HTTP && shared.own.headers.is_some() && local.own.headers.is_none() {
            "what `headers` of the configuration hold".to_owned()
        } else {
            return Ok(Trust::Foreign);
        };
        let message = format!("{what} is not sent to {origin}: only the scenario names this server");
        let grant = format!("providers: {{ {provider}: {{ trustedOrigins: [\"{origin}\"] }} }}");
        let help = match self.file.whose {
            Whose::Own => {
                format!("if you trust it, write `{grant}` in akit.yaml, or name it by `--base-url`")
            }
            Whose::Base(_) => format!(
                "if you trust it, merge `{grant}` in akit.yaml first, name it by `--base-url`, or pass `--trust head`"
            ),
            Whose::Change => MERGE_FIRST.to_owned(),
        };
        let place = (Arc::clone(&scenario.file), span);
        Err(Obstacle { at: Some(place), ..Obstacle::new(message, help) })
    }

    /// Whether an address needs nobody to name it: the vendor's own, the environment's, or on this machine.
    fn is_usual(&self, vendor: Option<&Vendor>, origin: &Origin) -> bool {
        let variable = vendor.and_then(|vendor| self.environment.get(vendor.address_variable?));
        let mut known = [vendor.map(|vendor| vendor.address), variable].into_iter().flatten();
        origin.is_loopback() || known.any(|address| Origin::of(address).as_ref() == Some(origin))
    }

    /// What keeps an address that the configuration names from being asked, where the change brings both.
    pub(super) fn unmerged(&self, vendor: Option<&Vendor>, address: &Resolved<'_, &str>) -> Option<Obstacle> {
        let brought = matches!(self.file.whose, Whose::Change)
            && matches!((address.said_by, &self.file.file), (SaidBy::Key(by, _), Some(own)) if Arc::ptr_eq(by, own));
        let origin = Origin::of(address.value).filter(|origin| brought && !self.is_usual(vendor, origin))?;
        let message =
            format!("nothing is sent to {origin}: only this change names it ({:#})", address.said_by);
        Some(Obstacle::new(message, MERGE_FIRST))
    }
}

/// What keeps a key from being fetched where the configuration says it is.
pub(super) fn unfetched(key: &Resolved<'_, Held<'_>>, whose: &Whose) -> Option<Obstacle> {
    match (&key.value, whose) {
        (Held::File(_) | Held::Command(_), Whose::Change) => Some(unmerged_key(key)),
        // The base names the program, and the change may have written it.
        (Held::Command(command), Whose::Base(_)) => names_a_file(command).then(|| editable_key(key)),
        (Held::Command(_) | Held::File(_), Whose::Own)
        | (Held::File(_), Whose::Base(_))
        | (Held::Key(_) | Held::Unset(_), _) => None,
    }
}

/// Whether a command names a file below the current folder, or a part of one of its words does.
fn names_a_file(command: &[String]) -> bool {
    let is_here = |word: &str| !word.is_empty() && Path::new(word).is_relative() && Path::new(word).exists();
    let is_part = |c: char| c.is_whitespace() || "'\"`;&|()<>=$".contains(c);
    // A name without a separator is looked up in PATH.
    let named = command.iter().enumerate().filter(|(at, word)| *at > 0 || word.contains(['/', '\\']));
    named.map(|(_, word)| word).any(|word| is_here(word) || word.split(is_part).any(is_here))
}

/// What keeps a program from printing a key, where the change may have edited it.
fn editable_key<T>(key: &Resolved<'_, T>) -> Obstacle {
    let message = format!(
        "no key is fetched: the command names a file of this checkout, which the change may have edited ({:#})",
        key.said_by
    );
    let help = "name a program outside the repository, set the vendor's variable, or trust the change: `--trust head`";
    Obstacle::new(message, help).at(key.said_by)
}

/// What keeps a key that the configuration points to from being fetched, where the change brings it.
fn unmerged_key<T>(key: &Resolved<'_, T>) -> Obstacle {
    let message = format!("no key is fetched: only this change says where it is ({:#})", key.said_by);
    Obstacle::new(message, MERGE_FIRST).at(key.said_by)
}

//! Who may get a key, or anything else from the environment.
//!
//! Anyone who edits a scenario file, even an outsider, can choose its `baseUrl`. So a scenario's own address gets
//! nothing from the environment or the configuration unless the owners of the keys have named that server: by flag,
//! configuration or environment. If the configuration comes with the change too, the same applies to its addresses.

use std::path::Path;
use std::sync::Arc;

use super::key::Held;
use super::resolved::{Resolved, SaidBy};
use super::{Obstacle, Settings};
use crate::provider::{HTTP, Origin, Spec, Vendor};
use crate::scenario::{PROVIDER_CONFIG, ProviderConfig, Scenario};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Shape, SourceFile};
use crate::text;

/// Keys of a provider that only a configuration may have.
const OWN: [Field; 3] = [
    Field::optional(
        "trustedOrigins",
        Shape::Texts,
        "Servers that a scenario's `baseUrl` may use and that get this provider's key, as `https://host:port`.",
    ),
    KEY_FILE,
    KEY_COMMAND,
];

/// A file with the key of a provider or a judge.
pub(super) const KEY_FILE: Field =
    Field::optional("apiKeyFile", Shape::Name, "File with only the key, relative to this file.");

/// A program that prints the key of a provider or a judge.
pub(super) const KEY_COMMAND: Field = Field::optional(
    "apiKeyCommand",
    Shape::Texts,
    "Program that prints the key, with its arguments: no shell, at most 30 seconds.",
);

/// Keys of a provider in the configuration: those of a scenario's `providerConfig`, with keys that only a configuration
/// may have in place of those that a scenario may not have.
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

/// Whose configuration it is.
#[derive(Clone, Debug, Default)]
pub enum Whose {
    /// The configuration of the person who starts the run: fully trusted.
    #[default]
    Own,
    /// The configuration of the base of the change under test, with the text of the calibration that it names.
    Base(Option<Arc<SourceFile>>),
    /// The configuration of the change itself, if its base has none: no address in it gets a key.
    Change,
}

const MERGE_FIRST: &str = "merge akit.yaml first, pass the server with `--base-url` (a judge with `--grader-base-url`), \
                           or trust the change: `--trust head` (`trust: head` in the pipeline)";

/// Whether the owners of the keys named an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// They named it, it is the provider's default, or it is local.
    #[default]
    Named,
    /// Only a scenario file names it.
    Foreign,
}

/// The servers under `trustedOrigins`; reports invalid ones.
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
                    format!("`{}` is not a scheme and host", text::excerpt(written, 100)),
                )
                .help("write it as `https://llm.example.com` or `http://10.0.0.5:8080`, without a path"),
            ),
        }
    }
    origins
}

impl Settings {
    /// Whether what would be sent to a scenario's own address may be sent there; the obstacle names what may not.
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
        // Invalid addresses are refused before anything is sent.
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
            format!("the value of environment variable `{name}`")
        } else if local.api_key.is_none()
            && (shared.has_key() || vendor.is_some_and(|vendor| is_set(vendor.key_variables)))
        {
            format!("the key of provider `{provider}`")
        } else if provider == HTTP && shared.own.headers.is_some() && local.own.headers.is_none() {
            "the values of `headers` in the configuration".to_owned()
        } else {
            return Ok(Trust::Foreign);
        };
        let message = format!("{what} is not sent to {origin}: only the scenario names this server");
        let grant = format!("providers: {{ {provider}: {{ trustedOrigins: [\"{origin}\"] }} }}");
        let help = match self.file.whose {
            Whose::Own => {
                format!("if you trust it, add `{grant}` to akit.yaml, or pass `--base-url`")
            }
            Whose::Base(_) => format!(
                "if you trust it, merge `{grant}` in akit.yaml first, or pass `--base-url` or `--trust head`"
            ),
            Whose::Change => MERGE_FIRST.to_owned(),
        };
        let place = (Arc::clone(&scenario.file), span);
        Err(Obstacle { at: Some(place), ..Obstacle::new(message, help) })
    }

    /// Whether an address is trusted in itself: the vendor's own, the environment's, or local.
    fn is_usual(&self, vendor: Option<&Vendor>, origin: &Origin) -> bool {
        let variable = vendor.and_then(|vendor| self.environment.get(vendor.address_variable?));
        let mut known = [vendor.map(|vendor| vendor.address), variable].into_iter().flatten();
        origin.is_loopback() || known.any(|address| Origin::of(address).as_ref() == Some(origin))
    }

    /// The obstacle for an address that only the change's own configuration names.
    pub(super) fn unmerged(&self, vendor: Option<&Vendor>, address: &Resolved<'_, &str>) -> Option<Obstacle> {
        let brought = matches!(self.file.whose, Whose::Change)
            && matches!((address.said_by, &self.file.file), (SaidBy::Key(by, _), Some(own)) if Arc::ptr_eq(by, own));
        let origin = Origin::of(address.value).filter(|origin| brought && !self.is_usual(vendor, origin))?;
        let message =
            format!("nothing is sent to {origin}: only this change names it ({:#})", address.said_by);
        Some(Obstacle::new(message, MERGE_FIRST))
    }
}

/// The obstacle for fetching a key from where the configuration says it is.
pub(super) fn unfetched(key: &Resolved<'_, Held<'_>>, whose: &Whose) -> Option<Obstacle> {
    match (&key.value, whose) {
        (Held::File(_) | Held::Command(_), Whose::Change) => Some(unmerged_key(key)),
        // The base names the program, but the change may have written it.
        (Held::Command(command), Whose::Base(_)) => names_a_file(command).then(|| editable_key(key)),
        (Held::Command(_) | Held::File(_), Whose::Own)
        | (Held::File(_), Whose::Base(_))
        | (Held::Key(_) | Held::Unset(_), _) => None,
    }
}

/// Whether a command, or a part of one of its words, names a file below the current folder.
fn names_a_file(command: &[String]) -> bool {
    let is_here = |word: &str| !word.is_empty() && Path::new(word).is_relative() && Path::new(word).exists();
    let is_part = |c: char| c.is_whitespace() || "'\"`;&|()<>=$".contains(c);
    // A name without a separator is looked up in PATH.
    let named = command.iter().enumerate().filter(|(at, word)| *at > 0 || word.contains(['/', '\\']));
    named.map(|(_, word)| word).any(|word| is_here(word) || word.split(is_part).any(is_here))
}

/// The obstacle for a program that prints a key and that the change may have edited.
fn editable_key<T>(key: &Resolved<'_, T>) -> Obstacle {
    let message = format!(
        "key not fetched: the command names a file in this checkout, which the change may have edited ({:#})",
        key.said_by
    );
    let help = "use a program outside the repository, set the vendor's variable, or trust the change: `--trust head`";
    Obstacle::new(message, help).at(key.said_by)
}

/// The obstacle for a key whose source only the change names.
fn unmerged_key<T>(key: &Resolved<'_, T>) -> Obstacle {
    let message = format!("key not fetched: only this change says where it is ({:#})", key.said_by);
    Obstacle::new(message, MERGE_FIRST).at(key.said_by)
}

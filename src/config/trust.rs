//! Who may receive a key, or anything else from the environment.
//!
//! Whoever edits a scenario file chooses its `baseUrl`, and that may be somebody from outside. So a
//! scenario's own address gets nothing of the environment's and the configuration's, unless the
//! people who hold the keys have named its server: by flag, configuration or environment. Where the configuration is
//! the change's too, the same holds for its addresses.

use std::sync::Arc;

use super::resolved::{Resolved, SaidBy};
use super::{Obstacle, Settings};
use crate::provider::{HTTP, Origin, Spec, Vendor};
use crate::scenario::{PROVIDER_CONFIG, ProviderConfig, Scenario};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Shape, SourceFile};
use crate::text;

const TRUSTED: Field = Field::optional(
    "trustedOrigins",
    Shape::Texts,
    "Servers that a scenario's `baseUrl` may name and that get this provider's key, as `https://host:port`.",
);

/// Keys of a provider in the configuration: those of a scenario's `providerConfig`, and whom to trust.
pub(super) const PROVIDER: &[Field] =
    &Field::join::<{ PROVIDER_CONFIG.len() + 1 }>(&[PROVIDER_CONFIG, &[TRUSTED]]);

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
        let vendor = Spec::of(provider).and_then(Spec::vendor);
        if vendor.is_none() && provider != HTTP {
            return Ok(Trust::Named);
        }
        let named = local.filter(|_| self.flags.base_url.is_none());
        let Some((local, (address, _, span))) =
            named.and_then(|local| Some((local, local.address(provider)?)))
        else {
            return Ok(Trust::Named);
        };
        // What is no address is refused before anything is sent.
        let Some(origin) = Origin::of(address) else { return Ok(Trust::Named) };
        let nothing = ProviderConfig::default();
        let shared = self.file.providers.get(provider).unwrap_or(&nothing);
        let variable = |name: Option<&str>| name.and_then(|name| self.environment.get(name));
        let configured = matches!(self.file.whose, Whose::Own | Whose::Base(_)).then_some(shared);
        let by_config = configured.and_then(|shared| Some(shared.address(provider)?.0));
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
            && (shared.api_key.is_some() || variable(vendor.and_then(|vendor| vendor.key_variable)).is_some())
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

//! How often and how long an application is tried, and where a new version of a file tries it more: an answer that
//! comes late or at times is then no longer an error.

use std::time::Duration;

use super::{Case, ProviderConfig, Scenario};
use crate::client::Patience;
use crate::vocabulary::{WeakeningKind as Kind, Weaker};

/// How often and how long one thing is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Longest time for one try.
    pub timeout: Duration,
    /// Further tries after a transient error.
    pub retries: u32,
}

impl Default for Tries {
    fn default() -> Self {
        let Patience { timeout, retries, .. } = Patience::default();
        Self { timeout, retries }
    }
}

impl Tries {
    /// Where more is tried now: what follows the name of each key, for those of timeout and retries.
    #[must_use]
    pub fn weaker(self, now: Self, keys: [&str; 2]) -> Vec<Weaker> {
        let Self { timeout, retries } = self;
        let (was, is) = (timeout.as_millis(), now.timeout.as_millis());
        let longer = (is > was).then(|| (Kind::TimeoutRaised, keys[0], format!("was {was}, it is {is}")));
        let often = format!("was {retries}, it is {}", now.retries);
        let often = (now.retries > retries).then_some((Kind::RetriesRaised, keys[1], often));
        often
            .into_iter()
            .chain(longer)
            .map(|(kind, key, message)| Weaker::new(kind, &[key], message))
            .collect()
    }
}

impl ProviderConfig {
    /// What it says of tries, or another configuration of the same provider, or the default.
    #[must_use]
    pub fn tries(&self, shared: Option<&Self>) -> Tries {
        let default = Tries::default();
        let shared = shared.map_or(default, |shared| shared.tries(None));
        Tries {
            timeout: self.timeout.unwrap_or(shared.timeout),
            retries: self.retries.unwrap_or(shared.retries),
        }
    }
}

impl Scenario {
    /// Where a new version of the file tries its provider more, for the tries of its cases before and now.
    #[must_use]
    pub fn weaker(&self, now: &Self, tries: (Tries, Tries)) -> Vec<Weaker> {
        let own = |scenario: &Self| (scenario.provider_config.timeout, scenario.provider_config.retries);
        let (before, after) = (own(self), own(now));
        let found = tries.0.weaker(tries.1, ["timeout", "maxRetries"]);
        let changed = |one: &Weaker| match one.kind {
            Kind::TimeoutRaised => before.0 != after.0,
            _ => before.1 != after.1,
        };
        let told = |one: Weaker| {
            let message = format!("`{}` of the scenario {}", one.keys.join("."), one.message);
            Weaker { message, ..one }.below(&["providerConfig"])
        };
        let words = self.provider_config.stop_words.weaker(&now.provider_config.stop_words).into_iter();
        let words = words.map(|one| one.below(&["providerConfig"]));
        found.into_iter().filter(changed).map(told).chain(words).collect()
    }
}

impl Case {
    /// In what a new version demands less but for its expectation, for the tries that both inherit.
    #[must_use]
    pub fn weaker(&self, now: &Self, inherited: (Tries, Tries)) -> Vec<Weaker> {
        let Self {
            // What tells it from others, and what people read.
            id: _,
            name: _,
            span: _,
            location: _,
            content_hash: _,
            expected: _,
            // Another question is what a suite is edited for; a tag counts where the policy names it.
            messages: _,
            tags: _,
            // Compared with what the scenario and the configuration say.
            provider: _,
            model: _,
            redaction: _,
            // Compared by its own rules.
            expectation: _,
            timeout,
            retries,
            allow_cut,
        } = self;
        let of = |timeout: Option<Duration>, retries: Option<u32>, inherited: Tries| Tries {
            timeout: timeout.unwrap_or(inherited.timeout),
            retries: retries.unwrap_or(inherited.retries),
        };
        let (was, is) = (of(*timeout, *retries, inherited.0), of(now.timeout, now.retries, inherited.1));
        let changed = |one: &Weaker| match one.kind {
            Kind::TimeoutRaised => *timeout != now.timeout,
            _ => *retries != now.retries,
        };
        let told =
            |one: Weaker| Weaker { message: format!("`{}` {}", one.keys.join("."), one.message), ..one };
        let cut = (!allow_cut && now.allow_cut).then(|| {
            Weaker::new(Kind::CutAllowed, &["allow_cut"], "an answer that was cut did not pass, now it may")
        });
        let tries = was.weaker(is, ["timeout", "retries"]).into_iter().filter(changed).map(told);
        tries.chain(cut).collect()
    }
}

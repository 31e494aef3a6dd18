//! How often and how long an application is tried, and where a new version of a file changes that. With more tries, a
//! late or unreliable answer is no longer an error; with fewer, a case that would fail can become an error, which a
//! policy may tolerate.

use std::cmp::Ordering;
use std::time::Duration;

use super::{Case, ProviderConfig, Scenario};
use crate::client::Patience;
use crate::provider::{Message, Role};
use crate::vocabulary::{WeakeningKind as Kind, Weaker};

/// How often and how long something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Longest time for one try.
    pub timeout: Duration,
    /// Retries after a transient error.
    pub retries: u32,
    /// Longest time to wait out a rate limit.
    pub patience: Duration,
}

impl Default for Tries {
    fn default() -> Self {
        let Patience { timeout, retries, limited: patience, .. } = Patience::default();
        Self { timeout, retries, patience }
    }
}

impl Tries {
    /// Where a new version tries more or less often or long; the messages continue after the name of the key. `keys`
    /// are the names of the keys for timeout and retries.
    #[must_use]
    pub fn weaker(self, now: Self, keys: [&str; 2]) -> Vec<Weaker> {
        let Self { timeout, retries, patience } = self;
        let kind = |order, raised, lowered| match order {
            Ordering::Greater => Some(raised),
            Ordering::Less => Some(lowered),
            Ordering::Equal => None,
        };
        let often = kind(now.retries.cmp(&retries), Kind::RetriesRaised, Kind::RetriesLowered);
        let often =
            often.map(|kind| Weaker::new(kind, &keys[1..], format!("was {retries}, now {}", now.retries)));
        let (was, is) = (timeout.as_millis(), now.timeout.as_millis());
        let long = kind(is.cmp(&was), Kind::TimeoutRaised, Kind::TimeoutLowered);
        let long = long.map(|kind| Weaker::new(kind, &keys[..1], format!("was {was}, now {is}")));
        // A longer wait only saves answers that were late because of a rate limit.
        let waits = (now.patience < patience).then(|| {
            let message = format!("was {}, now {}", patience.as_millis(), now.patience.as_millis());
            Weaker::new(Kind::PatienceLowered, &["patience"], message)
        });
        often.into_iter().chain(long).chain(waits).collect()
    }
}

impl ProviderConfig {
    /// Its tries; by default, those of the provider's shared configuration, or else those of akit.
    #[must_use]
    pub fn tries(&self, shared: Option<&Self>) -> Tries {
        let default = Tries::default();
        let shared = shared.map_or(default, |shared| shared.tries(None));
        Tries {
            timeout: self.timeout.unwrap_or(shared.timeout),
            retries: self.retries.unwrap_or(shared.retries),
            patience: self.patience.unwrap_or(shared.patience),
        }
    }
}

impl Scenario {
    /// Where a new version of the file tries its provider more or less, given the tries of its cases before and now.
    #[must_use]
    pub fn weaker(&self, now: &Self, tries: (Tries, Tries)) -> Vec<Weaker> {
        let (before, after) = (&self.provider_config, &now.provider_config);
        let found = tries.0.weaker(tries.1, ["timeout", "maxRetries"]);
        let changed = |one: &Weaker| match one.kind {
            Kind::TimeoutRaised | Kind::TimeoutLowered => before.timeout != after.timeout,
            Kind::PatienceLowered => before.patience != after.patience,
            _ => before.retries != after.retries,
        };
        let named = |one: Weaker| {
            let message = format!("`{}` of the scenario {}", one.keys.join("."), one.message);
            Weaker { message, ..one }.below(&["providerConfig"])
        };
        let words = self.provider_config.stop_words.weaker(&now.provider_config.stop_words).into_iter();
        let words = words.map(|one| one.below(&["providerConfig"]));
        let setup = self.functions.weaker(&now.functions).into_iter().chain(self.other_signs(now));
        let setup = setup.map(|one| one.below(&["setup"]));
        found.into_iter().filter(changed).map(named).chain(words).chain(setup).collect()
    }

    /// Reports that a handoff is recognized differently: what was a failure may pass.
    fn other_signs(&self, now: &Self) -> Option<Weaker> {
        let keys = || [&self.handoff, &now.handoff].into_iter().filter_map(|one| one.as_object()).flatten();
        let (key, _) = keys().find(|(key, _)| self.handoff.get(key) != now.handoff.get(key))?;
        let is_first = self.handoff.is_null();
        let message = format!("a handoff is recognized differently: `{key}`");
        (!is_first).then(|| Weaker::new(Kind::HandoffChanged, &["handoff", key], message))
    }
}

impl Scenario {
    /// What changed in how a new version samples answers; a seed given by a flag takes precedence over both.
    #[must_use]
    pub fn sampled(&self, now: &Self, is_seeded: bool) -> Vec<Weaker> {
        let said = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
        let of = |one: &Self| {
            let seed = one.seed.filter(|_| !is_seeded).map(|seed| seed.to_string());
            let (temperature, most) = (one.temperature, one.max_tokens);
            [seed, temperature.map(|it| it.to_string()), most.map(|it| it.to_string())]
        };
        let both = of(self).into_iter().zip(of(now)).zip(["seed", "temperature", "maxTokens"]);
        let changed = both.filter(|((was, is), _)| was != is).map(|((was, is), key)| {
            let message =
                format!("`{key}` was {}, now {}: answers are sampled differently", said(was), said(is));
            Weaker::new(Kind::SamplingChanged, &[key], message)
        });
        changed.collect()
    }
}

impl Case {
    /// How a new version demands less, apart from its expectation, given the tries that both inherit.
    #[must_use]
    pub fn weaker(&self, now: &Self, inherited: (Tries, Tries)) -> Vec<Weaker> {
        let Self {
            // Identity, and what people read.
            id: _,
            name: _,
            span: _,
            location: _,
            content_hash: _,
            expected: _,
            // Asking something else is normal editing; a tag counts where the policy names it.
            messages,
            tags: _,
            variables: _,
            // Compared with the settings of the scenario and the configuration, and with the question.
            provider: _,
            model: _,
            redaction: _,
            // Compared separately.
            expectation: _,
            dialogue,
            always: _,
            except: _,
            timeout,
            retries,
            allow_cut,
        } = self;
        let of = |timeout: Option<Duration>, retries: Option<u32>, inherited: Tries| Tries {
            timeout: timeout.unwrap_or(inherited.timeout),
            retries: retries.unwrap_or(inherited.retries),
            patience: inherited.patience,
        };
        let (was, is) = (of(*timeout, *retries, inherited.0), of(now.timeout, now.retries, inherited.1));
        let changed = |one: &Weaker| match one.kind {
            Kind::TimeoutRaised | Kind::TimeoutLowered => *timeout != now.timeout,
            Kind::PatienceLowered => false,
            _ => *retries != now.retries,
        };
        let named =
            |one: Weaker| Weaker { message: format!("`{}` {}", one.keys.join("."), one.message), ..one };
        let cut = (!allow_cut && now.allow_cut).then(|| {
            Weaker::new(Kind::CutAllowed, &["allow_cut"], "a truncated answer did not pass; now it may")
        });
        let tries = was.weaker(is, ["timeout", "retries"]).into_iter().filter(changed).map(named);
        let talk = match (dialogue, &now.dialogue) {
            (None, _) => Vec::new(),
            (Some(was), Some(is)) => {
                let mut found = was.weaker(is);
                found.extend(less_history(messages, &now.messages));
                found.extend(was.longer(is).filter(|_| now.expectation.may_come_late()));
                found
            }
            (Some(_), None) => {
                let message = "it was a conversation; now it is a single question";
                vec![Weaker::new(Kind::TurnRemoved, &["prompt"], message)]
            }
        };
        tries.chain(cut).chain(talk).collect()
    }
}

/// Fewer or different messages come before the turns of a conversation; expectations may depend on them.
fn less_history(was: &[Message], is: &[Message]) -> Option<Weaker> {
    let history = |all: &[Message]| -> Vec<Message> {
        let is_said = |one: &&Message| !matches!(one.role, Role::System | Role::Developer);
        all.iter().filter(is_said).cloned().collect()
    };
    let (was, is) = (history(was), history(is));
    let is_lost = |one: &Message| one.role != Role::User && !is.contains(one);
    let message = "fewer messages come before the first turn, or their answers differ";
    (is.len() < was.len() || was.iter().any(is_lost))
        .then(|| Weaker::new(Kind::TurnRemoved, &["prompt"], message))
}

//! Token prices, configured or from the vendors' price lists.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::stats::real;
use crate::vocabulary::Usage;

/// The vendors' prices; the header explains the columns.
const LISTED: &str = include_str!("prices.txt");

/// Highest accepted price in US dollars per million tokens; a higher one is treated as a typo.
pub const MOST: f64 = 1e6;

/// Prices of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// US dollars per million tokens sent.
    pub input: f64,
    /// US dollars per million tokens read from the server's cache; `input` if not set.
    pub cached: Option<f64>,
    /// US dollars per million tokens written to the server's cache; `input` if not set.
    pub cache_write: Option<f64>,
    /// US dollars per million tokens received, thoughts included.
    pub output: f64,
    /// Maximum number of tokens in an answer, if known.
    pub longest: Option<u64>,
    /// Maximum number of tokens sent for which these prices apply.
    pub holds_to: Option<u64>,
}

impl Price {
    /// The four prices, each with its key and whether it is set.
    #[must_use]
    pub fn figures(&self) -> [(&'static str, f64, bool); 4] {
        let Self { input, cached, cache_write, output, .. } = *self;
        let or_input = |key, figure: Option<f64>| (key, figure.unwrap_or(input), figure.is_some());
        let (cached, written) = (or_input("cached", cached), or_input("cache_write", cache_write));
        [("input", input, true), cached, written, ("output", output, true)]
    }

    /// US dollars for an exchange; `None` if it is too long for these prices.
    #[must_use]
    pub fn cost(&self, usage: Usage) -> Option<f64> {
        let [input, cached, cache_write, output] = self.figures().map(|(_, figure, _)| figure);
        let read = u64::from(usage.cached_tokens).min(usage.input_tokens);
        let written = u64::from(usage.cache_write_tokens).min(usage.input_tokens - read);
        let plain = usage.input_tokens - read - written;
        let paid = [(plain, input), (read, cached), (written, cache_write), (usage.output_tokens, output)];
        self.holds(usage.input_tokens)
            .then(|| paid.into_iter().map(|(tokens, price)| real(tokens) * price / 1e6).sum())
    }

    /// The most that this many tokens sent and received can cost, in US dollars.
    #[must_use]
    pub fn worst(&self, input: u64, output: u64) -> Option<f64> {
        let [sent @ .., received] = self.figures().map(|(_, figure, _)| figure);
        let highest = sent.into_iter().fold(0.0, f64::max);
        self.holds(input).then(|| (real(input) * highest + real(output) * received) / 1e6)
    }

    fn holds(&self, input: u64) -> bool {
        self.holds_to.is_none_or(|most| input <= most)
    }
}

/// Configured prices by requested model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices(pub BTreeMap<String, Price>);

impl Prices {
    /// The price of a model at a host: the configured one, or the vendor's at its own host.
    #[must_use]
    pub fn at(&self, host: &str, model: &str) -> Option<Price> {
        let listed = listed(model, |of| of == host);
        match self.0.get(model) {
            Some(own) => Some(Price { longest: own.longest.or(listed.and_then(|one| one.longest)), ..*own }),
            None => listed,
        }
    }

    /// The price of a model at any host.
    #[must_use]
    pub fn named(&self, model: &str) -> Option<Price> {
        self.0.get(model).copied().or_else(|| listed(model, |_| true))
    }
}

/// A line of the list.
struct Listed {
    host: &'static str,
    model: &'static str,
    price: Price,
}

/// The list without unreadable lines; a test makes sure there are none.
static ALL: LazyLock<Vec<Listed>> = LazyLock::new(|| LISTED.lines().filter_map(line).collect());

fn line(line: &'static str) -> Option<Listed> {
    let mut words = line.split_whitespace();
    let (host, model) = (words.next().filter(|word| !word.starts_with('#'))?, words.next()?);
    let mut figure = || match words.next()? {
        "-" => Some(None),
        word => word.parse::<f64>().ok().map(Some),
    };
    let (input, cached, cache_write, output) = (figure()??, figure()?, figure()?, figure()??);
    let mut count = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (longest, holds_to) = (count(), count());
    Some(Listed { host, model, price: Price { input, cached, cache_write, output, longest, holds_to } })
}

fn listed(model: &str, is_host: impl Fn(&str) -> bool) -> Option<Price> {
    let all = || ALL.iter().filter(|one| is_host(one.host));
    let exact = all().find(|one| one.model == model);
    let found = exact.or_else(|| all().find(|one| is_snapshot(model, one.model)));
    found.map(|one| one.price)
}

/// Whether a name consists of another one and a date.
pub(super) fn is_snapshot(name: &str, of: &str) -> bool {
    let date = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('-'));
    date.is_some_and(|date| {
        let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        matches!(&*shape, "99999999" | "9999-99-99")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn usage(input: u64, cached: u32, written: u32, output: u64) -> Usage {
        Usage {
            input_tokens: input,
            cached_tokens: cached,
            cache_write_tokens: written,
            output_tokens: output,
        }
    }

    #[test]
    fn each_kind_of_token_has_its_price() {
        let bare = Price { input: 2.0, output: 10.0, ..Price::default() };
        let four = Price { cached: Some(0.5), cache_write: Some(4.0), ..bare };
        for (price, usage, dollars) in [
            (bare, usage(1_000_000, 0, 0, 100_000), 3.0),
            // Without a separate price, cached tokens cost the same as others.
            (bare, usage(1_000_000, 900_000, 50_000, 0), 2.0),
            (four, usage(1_000_000, 500_000, 250_000, 0), 0.5 + 0.25 + 1.0),
            // More cached tokens than sent ones.
            (four, usage(1_000_000, 5_000_000, u32::MAX, 0), 0.5),
            (four, usage(0, 1, 1, 0), 0.0),
        ] {
            let cost = price.cost(usage).unwrap();
            assert!((cost - dollars).abs() < 1e-12, "{price:?} {usage:?}: {cost}");
            assert!(cost <= price.worst(usage.input_tokens, usage.output_tokens).unwrap() + 1e-12);
        }
        let short = Price { holds_to: Some(1_000), ..four };
        assert!(short.cost(usage(1_000, 0, 0, 1)).is_some() && short.worst(1_000, 1).is_some());
        assert_eq!((short.cost(usage(1_001, 0, 0, 1)), short.worst(1_001, 1)), (None, None));
    }

    #[test]
    fn the_list_is_complete_dated_and_plausible() {
        let lines: Vec<_> =
            LISTED.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        assert_eq!(lines.len(), ALL.len());
        let mut seen = BTreeSet::new();
        for line in lines {
            let words: Vec<_> = line.split_whitespace().collect();
            let [host, model, .., date, source] = words[..] else { panic!("{line}") };
            assert_eq!(words.len(), 10, "{line}");
            assert!(LISTED.contains(&format!("\n# {source} ")), "{line}: no source {source}");
            assert!(seen.insert((host, model)), "{line} is a duplicate");
            assert!(is_snapshot(&format!("m-{date}"), "m") && ("2025".."2028").contains(&date), "{line}");
            assert!(words[6..8].iter().all(|word| *word == "-" || word.parse::<u64>().is_ok()), "{line}");
            let price = Prices::default().at(host, model).unwrap();
            for (key, figure, _) in price.figures() {
                assert!((0.0..=MOST).contains(&figure), "{line}: {key}");
            }
            assert!(price.input > 0.0 && price.cached.is_none_or(|cached| cached <= price.input), "{line}");
        }
        assert!(seen.len() >= 30, "{}", seen.len());
    }

    #[test]
    fn prices_are_per_model_and_host() {
        let own = Price { input: 1.0, output: 1.0, ..Price::default() };
        let prices = Prices([("gpt-4o".to_owned(), own), ("mine".to_owned(), own)].into());
        let at = |host: &str, model: &str| prices.at(host, model).map(|price| price.input);
        for (host, model, input) in [
            ("api.openai.com", "gpt-4o-mini", Some(0.15)),
            ("api.openai.com", "gpt-4o-mini-2024-07-18", Some(0.15)),
            ("api.openai.com", "gpt-4o-2024-05-13", Some(5.0)),
            ("api.anthropic.com", "claude-haiku-4-5-20251001", Some(1.0)),
            // A configured price takes precedence on every host.
            ("api.openai.com", "gpt-4o", Some(1.0)),
            ("127.0.0.1:8080", "mine", Some(1.0)),
            // Another host, another model, another version.
            ("gateway.example.com", "gpt-4o-mini", None),
            ("api.openai.com.example.com", "gpt-4o-mini", None),
            ("api.openai.com", "gpt-4o-audio-preview", None),
            ("api.openai.com", "gpt-4o-mini-search", None),
            ("api.openai.com", "GPT-4o-mini", None),
            ("api.openai.com", "", None),
            ("api.anthropic.com", "claude-opus-5-6", None),
            ("api.anthropic.com", "claude-opus-5-6-20261101", None),
            ("api.anthropic.com", "gpt-4o-mini", None),
        ] {
            assert_eq!(at(host, model), input, "{model} at {host}");
        }
        // The longest answer comes from the vendor.
        assert_eq!(prices.at("api.openai.com", "gpt-4o").unwrap().longest, Some(16_384));
        assert_eq!(prices.named("claude-opus-5").map(|price| price.input), Some(5.0));
    }
}

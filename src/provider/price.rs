//! What tokens cost.

use std::collections::BTreeMap;

use super::ChatRequest;
use crate::stats::real;
use crate::vocabulary::Usage;

/// Prices of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// US dollars for a million tokens sent.
    pub input: f64,
    /// US dollars for a million tokens received.
    pub output: f64,
}

/// Prices by the model's name, as it is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices(pub BTreeMap<String, Price>);

impl Prices {
    /// US dollars for an exchange with a model; absent where its price or its tokens are not known.
    #[must_use]
    pub fn cost(&self, model: &str, usage: Option<Usage>) -> Option<f64> {
        let (price, usage) = (self.0.get(model)?, usage?);
        let paid = |tokens: u64, price: f64| real(tokens) * price / 1e6;
        Some(paid(usage.input_tokens, price.input) + paid(usage.output_tokens, price.output))
    }

    /// Most US dollars that a request can cost; absent where the price or the length of the answer is not known.
    ///
    /// A token is at least one byte of the request, and its form adds less than its JSON does.
    #[must_use]
    pub fn worst(&self, request: &ChatRequest) -> Option<f64> {
        let output_tokens = request.max_tokens?;
        let input_tokens = serde_json::to_vec(request).ok()?.len().try_into().ok()?;
        self.cost(&request.model, Some(Usage { input_tokens, output_tokens }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_needs_price_and_tokens() {
        let price = Price { input: 2.5, output: 10.0 };
        let prices = Prices([("m".to_owned(), price)].into());
        let usage = Some(Usage { input_tokens: 1_000_000, output_tokens: 100_000 });
        assert_eq!(prices.cost("m", usage), Some(3.5));
        assert_eq!(prices.cost("m", None), None);
        assert_eq!(prices.cost("other", usage), None);
    }
}

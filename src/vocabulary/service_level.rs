//! The metrics that a load test can limit.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr, VariantNames};

use crate::text::number;

/// A metric of a level of load that has a limit.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ServiceLevel {
    /// 95th percentile of the latency from the intended send, in milliseconds.
    #[serde(rename = "latency_p95_ms")]
    #[strum(serialize = "latency_p95_ms")]
    LatencyP95,
    /// 95th percentile of the time to the first token, in milliseconds.
    #[serde(rename = "ttft_p95_ms")]
    #[strum(serialize = "ttft_p95_ms")]
    FirstTokenP95,
    /// Share of requests without an answer, 0 to 1.
    #[serde(rename = "error_rate")]
    #[strum(serialize = "error_rate")]
    ErrorRate,
    /// Share of judged answers that passed, 0 to 1.
    #[serde(rename = "pass_rate")]
    #[strum(serialize = "pass_rate")]
    PassRate,
    /// Answers per second that met the limits and their expectations.
    #[serde(rename = "goodput_rps")]
    #[strum(serialize = "goodput_rps")]
    Goodput,
    /// Share of escalations that were handed off, 0 to 1.
    #[serde(rename = "escalation_availability")]
    #[strum(serialize = "escalation_availability")]
    EscalationAvailability,
}

/// On which side of its limit a metric must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// At the limit or above.
    Least,
    /// At the limit or below.
    Most,
}

impl ServiceLevel {
    /// Its name in files and flags.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// On which side of its limit it must be: shares of good answers have minima; times and errors have maxima.
    #[must_use]
    fn side(self) -> Side {
        match self {
            Self::LatencyP95 | Self::FirstTokenP95 | Self::ErrorRate => Side::Most,
            Self::PassRate | Self::Goodput | Self::EscalationAvailability => Side::Least,
        }
    }

    /// The largest meaningful limit.
    #[must_use]
    pub fn most(self) -> f64 {
        match self {
            Self::ErrorRate | Self::PassRate | Self::EscalationAvailability => 1.0,
            Self::LatencyP95 | Self::FirstTokenP95 | Self::Goodput => 1e9,
        }
    }

    /// Whether a value is on the right side of a limit.
    #[must_use]
    pub fn is_met(self, measured: f64, limit: f64) -> bool {
        match self.side() {
            Side::Least => measured >= limit,
            Side::Most => measured <= limit,
        }
    }

    /// A value for display.
    #[must_use]
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::LatencyP95 | Self::FirstTokenP95 => format!("{} ms", number::figure(value)),
            Self::ErrorRate | Self::PassRate | Self::EscalationAvailability => percent(value),
            Self::Goodput => format!("{}/s", number::figure(value)),
        }
    }

    /// A value and its limit, with as many decimals as it takes to tell them apart.
    #[must_use]
    pub fn beside(self, value: f64, limit: f64) -> [String; 2] {
        let short = [value, limit].map(|value| self.shown(value));
        if short[0] != short[1] || (value - limit).abs() <= 0.0 {
            return short;
        }
        let fine = |value: f64| number::exact((value * 1e6).round() / 1e6);
        [value, limit].map(|value| match self {
            Self::LatencyP95 | Self::FirstTokenP95 => format!("{} ms", fine(value)),
            Self::ErrorRate | Self::PassRate | Self::EscalationAvailability => {
                format!("{}%", fine(value * 100.0))
            }
            Self::Goodput => format!("{}/s", fine(value)),
        })
    }
}

/// A share in percent with at most two decimals. Only a share of 1 is shown as 100%, and only a share of 0 as 0%.
fn percent(share: f64) -> String {
    let shown = format!("{:.2}", share * 100.0);
    match shown.trim_end_matches('0').trim_end_matches('.') {
        "100" if share < 1.0 => "99.99%".to_owned(),
        "0" if share > 0.0 => "0.01%".to_owned(),
        short => format!("{short}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_commas_and_no_needless_decimals() {
        let ms = |value| ServiceLevel::LatencyP95.shown(value);
        assert_eq!([25_772.0, 100.0, 0.44].map(ms), ["25,772 ms", "100 ms", "0.4 ms"]);
        let share = |value| ServiceLevel::PassRate.shown(value);
        let shown = [0.0, 0.000_01, 0.1, 0.625, 0.999_99, 1.0].map(share);
        assert_eq!(shown, ["0%", "0.01%", "10%", "62.5%", "99.99%", "100%"]);
        assert_eq!(ServiceLevel::Goodput.shown(1_234.5), "1,234/s");
    }

    #[test]
    fn a_value_that_misses_its_limit_does_not_look_equal_to_it() {
        assert_eq!(ServiceLevel::LatencyP95.beside(2_000.3, 2_000.0), ["2,000.3 ms", "2,000 ms"]);
        assert_eq!(ServiceLevel::LatencyP95.beside(2_500.0, 2_000.0), ["2,500 ms", "2,000 ms"]);
        assert_eq!(ServiceLevel::ErrorRate.beside(0.010_001, 0.01), ["1.0001%", "1%"]);
    }
}

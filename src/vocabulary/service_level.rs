//! The limits of load tests.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr, VariantNames};

/// A metric of a level of load that can have a limit.
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
            Self::LatencyP95 | Self::FirstTokenP95 => format!("{value:.1} ms"),
            Self::ErrorRate | Self::PassRate | Self::EscalationAvailability => {
                format!("{:.2}%", value * 100.0)
            }
            Self::Goodput => format!("{value:.1}/s"),
        }
    }
}

//! The metrics of thresholds, by name and unit.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Mean of the cases' shares of passed trials, 0 to 1.
    PassRate,
    /// Share of cases that could not be judged, 0 to 1.
    ErrorRate,
    /// Mean of the cases' scores, 0 to 1.
    ScoreMean,
    /// The score that nine of ten cases reach, 0 to 1.
    #[strum(serialize = "score_p10")]
    ScoreP10,
    /// Median of the application's latencies, in milliseconds.
    #[strum(serialize = "latency_p50_ms")]
    LatencyP50,
    /// 95th percentile of the application's latencies, in milliseconds.
    #[strum(serialize = "latency_p95_ms")]
    LatencyP95,
    /// 99th percentile of the application's latencies, in milliseconds.
    #[strum(serialize = "latency_p99_ms")]
    LatencyP99,
    /// 95th percentile of the time to the first token, in milliseconds.
    #[strum(serialize = "ttft_p95_ms")]
    FirstToken,
    /// Tokens of the application, sent and received.
    Tokens,
    /// Cost of the application's answers, in US dollars.
    #[strum(serialize = "cost_usd")]
    Cost,
    /// Cost of judging, in US dollars.
    #[strum(serialize = "judge_cost_usd")]
    JudgeCost,
    /// Share of judged cases whose trials disagree, 0 to 1.
    FlakyRate,
    /// Share of cases with a judge whose votes lie on both sides of their threshold, 0 to 1.
    SplitVoteRate,
    /// Pass rate of the cases with this tag, 0 to 1: `escalation_recall`.
    #[strum(disabled)]
    Recall(String),
    /// A metric of a newer version.
    #[strum(disabled)]
    Other(String),
}

impl Metric {
    /// Names of metrics without a tag.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::iter().map(<&str>::from).collect()
    }

    /// The metric of this name; `TAG_recall` for any tag.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let recall = || name.strip_suffix("_recall").filter(|tag| !tag.is_empty());
        name.parse().ok().or_else(|| Some(Self::Recall(recall()?.to_owned())))
    }

    /// The name, as in the policy.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Recall(tag) => format!("{tag}_recall"),
            Self::Other(name) => name.clone(),
            known => <&str>::from(known).to_owned(),
        }
    }

    /// Whether it limits spending.
    #[must_use]
    pub fn is_spending(&self) -> bool {
        matches!(self, Self::Cost | Self::JudgeCost | Self::Tokens)
    }

    /// Whether its values are from 0 to 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        match self {
            Self::PassRate
            | Self::Recall(_)
            | Self::ErrorRate
            | Self::ScoreMean
            | Self::ScoreP10
            | Self::FlakyRate
            | Self::SplitVoteRate => true,
            Self::LatencyP50
            | Self::LatencyP95
            | Self::LatencyP99
            | Self::FirstToken
            | Self::Tokens
            | Self::Cost
            | Self::JudgeCost
            | Self::Other(_) => false,
        }
    }

    /// A value of the metric for display, with its unit.
    #[must_use]
    pub fn words(&self, value: f64) -> String {
        match self {
            Self::PassRate | Self::ErrorRate | Self::FlakyRate | Self::SplitVoteRate | Self::Recall(_) => {
                format!("{:.1}%", value * 100.0)
            }
            Self::ScoreMean | Self::ScoreP10 => format!("{value:.3}"),
            Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 | Self::FirstToken => {
                format!("{value:.0} ms")
            }
            Self::Tokens => format!("{value:.0}"),
            Self::Cost | Self::JudgeCost => format!("{value:.4} USD"),
            Self::Other(_) => value.to_string(),
        }
    }
}

impl Serialize for Metric {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self::parse(&name).unwrap_or(Self::Other(name)))
    }
}

super::word::text!(Metric);

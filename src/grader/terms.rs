//! How a judge is called: these settings are the same for every expectation.

use strum::{EnumString, IntoStaticStr, VariantNames};

/// How a judge is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Token limit of a verdict, thinking included; doubled once if a verdict was cut off.
    pub max_tokens: u64,
    /// Reasoning effort, if set; part of every verdict's cache key.
    pub effort: Option<Effort>,
    /// Longest answer in characters, tool calls included. A longer one could push the rubric out of a small context.
    pub max_answer: u64,
    /// Whether the judge is tested before its first verdict.
    pub canaries: Canaries,
}

impl Default for Terms {
    fn default() -> Self {
        Self { max_tokens: 8192, effort: None, max_answer: 32_000, canaries: Canaries::On }
    }
}

/// Reasoning effort, from none to the model's maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Effort {
    /// No reasoning.
    None,
    /// Almost none.
    Minimal,
    /// A little.
    Low,
    /// As much as most tasks need.
    Medium,
    /// A lot.
    High,
    /// Even more.
    #[strum(serialize = "xhigh")]
    ExtraHigh,
    /// As much as the model can.
    Max,
}

/// Whether a judge is tested on answers with known verdicts before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Canaries {
    /// Tested.
    On,
    /// Not tested; for stubs in tests.
    Off,
}

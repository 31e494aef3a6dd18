//! How a judge is asked, whatever an expectation says.

use strum::{EnumString, IntoStaticStr, VariantNames};

/// How a judge is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Most tokens of a verdict, thinking included; doubled once after a verdict that was cut.
    pub max_tokens: u64,
    /// How much it reasons, where that is set; part of every verdict's key.
    pub effort: Option<Effort>,
    /// Most characters of an answer, its calls included. A longer one would push the rubric out of a small context.
    pub max_answer: u64,
    /// Whether it is tested before its first verdict.
    pub canaries: Canaries,
}

impl Default for Terms {
    fn default() -> Self {
        Self { max_tokens: 8192, effort: None, max_answer: 32_000, canaries: Canaries::On }
    }
}

/// How much a judge reasons, in the words of its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Effort {
    /// Not at all.
    None,
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// As much as most tasks need.
    Medium,
    /// Much.
    High,
    /// Very much.
    #[strum(serialize = "xhigh")]
    ExtraHigh,
    /// As much as it can.
    Max,
}

/// Whether a judge is tested on answers whose verdict is known before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Canaries {
    /// It is.
    On,
    /// It is not: for stubs in tests.
    Off,
}

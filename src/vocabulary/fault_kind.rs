//! Why a trial could not be judged, by name.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// No connection: nothing listens there, or the name is unknown.
    Connect,
    /// The connection broke.
    ConnectionBroken,
    /// The answer ended with an error.
    BrokenAnswer,
    /// No answer in time.
    Timeout,
    /// The key is missing or wrong.
    Unauthorized,
    /// Too many requests.
    RateLimited,
    /// A redirect, which is not followed.
    Redirected,
    /// The provider did not accept the request.
    RefusedRequest,
    /// The provider failed.
    ProviderDown,
    /// What came back is no completion.
    MalformedReply,
    /// A replay, and no record.
    CacheMiss,
    /// The file of replies has none to the case.
    NoReply,
    /// The case has nothing to be asked of.
    NotPlanned,
    /// The answer ended with a stop word that akit does not know.
    UnknownStopReason,
    /// The answer is only tool calls.
    ToolCalls,
    /// An expectation gave up.
    ExpectationError,
    /// No judge is configured.
    NoGrader,
    /// The judge's answer is no verdict.
    JudgeUnreadable,
    /// The judge is not calibrated for the verdict, and must be.
    JudgeUncalibrated,
    /// The judge let a known-bad answer pass.
    JudgeVoid,
    /// A defect of akit.
    Internal,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(FaultKind);

impl FaultKind {
    /// Whether recorded answers were all there are, and this one is not among them.
    #[must_use]
    pub fn is_not_recorded(&self) -> bool {
        matches!(self, Self::NoReply | Self::CacheMiss)
    }
}

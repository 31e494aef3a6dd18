//! The gate's reasons and warnings by id, and their subjects.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::{Metric, WeakeningKind};

/// The id of a reason or a warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each is described in docs/gate.md under its id")]
pub enum FindingId {
    AkitChanged,
    BaselineMissing,
    BaselineThin,
    Budget,
    CaseFailed,
    Cleared,
    CostRegression,
    Critical,
    CutShort,
    Deadline,
    Degraded,
    Errors,
    Flaky,
    Interrupted,
    JointRegression,
    JudgeChanged,
    LatencyRegression,
    MinPassRate,
    NewFailure,
    NotAsked,
    NotCleared,
    NotMeasured,
    NotShown,
    NothingJudged,
    NothingPassed,
    Open,
    Quarantined,
    Regression,
    RegressionErrored,
    Removed,
    ScoreRegression,
    SuiteRegression,
    TagRegression,
    TargetChanged,
    Threshold,
    Unconfirmed,
    UntrustedRecord,
    Weakened,
    /// An id of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(FindingId);

impl FindingId {
    /// Whether it reports that something broke since the baseline; unknown ids may.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        matches!(
            self,
            Self::Regression
                | Self::RegressionErrored
                | Self::SuiteRegression
                | Self::TagRegression
                | Self::JointRegression
                | Self::Critical
                | Self::NotCleared
                | Self::Other(_)
        )
    }
}

/// The subject of a finding. Two findings with the same id and subject are the same finding, whatever their messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The run as a whole.
    #[default]
    Run,
    /// The case at the finding's location.
    Case,
    /// The cases with a tag.
    Tag(String),
    /// A limit of the policy.
    Threshold {
        /// The metric.
        metric: Metric,
        /// Over which cases; all, if empty.
        #[serde(default, skip_serializing_if = "Selection::is_all")]
        cases: Selection,
    },
    /// A place where less is demanded than before.
    Weakening {
        /// The kind of weakening.
        kind: WeakeningKind,
        /// Where: a case, a key of the policy, a file.
        of: String,
    },
}

/// A selection of cases by a policy: those that meet all conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Selection {
    /// Glob over `scenario/id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Glob over the scenario's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// One of these tags, if there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Selection {
    /// Whether it selects every case.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Text after a metric's name; empty if it selects everything.
    #[must_use]
    pub fn words(&self) -> String {
        let tags = (!self.tags.is_empty()).then(|| format!(" with tag {}", self.tags.join(" or ")));
        let scenario = self.scenario.as_ref().map(|glob| format!(" in {glob}"));
        let case = self.case.as_ref().map(|glob| format!(" of {glob}"));
        [tags, scenario, case].into_iter().flatten().collect()
    }
}

impl Subject {
    /// Whether it is the run as a whole, which is the default in files.
    #[must_use]
    pub fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

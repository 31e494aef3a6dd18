//! In which way a change demands less than the commit that it is based on.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// In which way less is demanded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each is described in docs/gate.md under its id")]
pub enum WeakeningKind {
    ScenarioRemoved,
    CaseRemoved,
    CaseSkipped,
    TagRemoved,
    RetriesRaised,
    TimeoutRaised,
    RepeatLowered,
    ExpectationRemoved,
    ExpectationNegated,
    NegationNarrowed,
    KindChanged,
    OperatorLoosened,
    AlternativeAdded,
    ModeLoosened,
    ValueRemoved,
    ValueAdded,
    ValueChanged,
    CaseIgnored,
    PatternChanged,
    ExpressionChanged,
    SchemaLoosened,
    ScoreLowered,
    RubricChanged,
    JudgeSwapped,
    VotesLowered,
    CalibrationRemoved,
    CalibrationLowered,
    TargetRecorded,
    CacheReplayed,
    PriceLowered,
    PassRateLowered,
    ErrorRateRaised,
    ThresholdRemoved,
    ThresholdLowered,
    ThresholdRaised,
    ThresholdNarrowed,
    CriticalRemoved,
    ConfirmRaised,
    AlphaLowered,
    MarginRaised,
    MissingTolerated,
    ThinTolerated,
    UnconfirmedTolerated,
    PathLinked,
    PolicyRelaxed,
    FailOnRemoved,
    QuarantineAdded,
    QuarantineExtended,
    BaselineAdded,
    BaselineRemoved,
    BaselineMoved,
    BaselineEdited,
    BaselineCaseRemoved,
    BaselineAccepted,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(WeakeningKind);

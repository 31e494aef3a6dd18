//! How a change demands less than the commit that it is based on.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// How less is demanded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each is described in docs/gate.md under its id")]
pub enum WeakeningKind {
    ScenarioRemoved,
    CaseRemoved,
    CaseSkipped,
    TagRemoved,
    CaseUnselected,
    RetriesRaised,
    RetriesLowered,
    TimeoutRaised,
    TimeoutLowered,
    PatienceLowered,
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
    CutAllowed,
    StopWordTaught,
    TurnRemoved,
    TurnMoved,
    TurnConditional,
    SessionChanged,
    ConversationShortened,
    FactChanged,
    ReturnsChanged,
    ToolRoundsChanged,
    HandoffChanged,
    PatternChanged,
    ExpressionChanged,
    SchemaLoosened,
    ScoreLowered,
    LimitLoosened,
    RubricChanged,
    JudgeSwapped,
    VotesLowered,
    CanariesOff,
    MaxAnswerRaised,
    CalibrationRemoved,
    CalibrationLowered,
    CalibrationEdited,
    AnswerInPrompt,
    SamplingChanged,
    RedactionWidened,
    TargetRecorded,
    TargetMoved,
    TrustWidened,
    CacheReplayed,
    CacheMoved,
    CacheRecordAdded,
    CacheRecordChanged,
    PriceLowered,
    PassRateLowered,
    ErrorRateRaised,
    ThresholdRemoved,
    ThresholdLowered,
    ThresholdRaised,
    ThresholdNarrowed,
    CriticalRemoved,
    ConfirmLowered,
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
    HistoryReset,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(WeakeningKind);

/// One way in which a new version demands less than the one before, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weaker {
    /// The kind.
    pub kind: WeakeningKind,
    /// The path to it in the new version, or to what contained it if it was removed. Entries of a list are numbered
    /// from 0.
    pub keys: Vec<String>,
    /// Its subject, if the path is not enough: the index of a list entry can change.
    pub of: Option<String>,
    /// A sentence that includes the old value.
    pub message: String,
}

impl Weaker {
    /// A weakening at this path.
    pub fn new<K: ToString>(kind: WeakeningKind, keys: &[K], message: impl Into<String>) -> Self {
        Self { kind, keys: keys.iter().map(K::to_string).collect(), of: None, message: message.into() }
    }

    /// This weakening with a prefix to its path.
    #[must_use]
    pub fn below<K: ToString>(self, keys: &[K]) -> Self {
        let keys = keys.iter().map(K::to_string).chain(self.keys).collect();
        Self { keys, ..self }
    }
}

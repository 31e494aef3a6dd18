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

/// One way in which a new version of something demands less than the one before, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weaker {
    /// In which way.
    pub kind: WeakeningKind,
    /// The keys that lead to it in the new version; where the last ones are gone, to what held them. Entries of a
    /// list are numbered from 0.
    pub keys: Vec<String>,
    /// What it is about, where that is more than its keys: an entry of a list has another number tomorrow.
    pub of: Option<String>,
    /// In a sentence, with what stood there before.
    pub message: String,
}

impl Weaker {
    /// Less is demanded behind these keys.
    pub fn new<K: ToString>(kind: WeakeningKind, keys: &[K], message: impl Into<String>) -> Self {
        Self { kind, keys: keys.iter().map(K::to_string).collect(), of: None, message: message.into() }
    }

    /// The same below other keys.
    #[must_use]
    pub fn below<K: ToString>(self, keys: &[K]) -> Self {
        let keys = keys.iter().map(K::to_string).chain(self.keys).collect();
        Self { keys, ..self }
    }
}

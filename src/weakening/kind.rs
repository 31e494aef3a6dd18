//! The kinds of weakening, and the list that they are collected in.

use crate::gate::Weakening;
use crate::source::{Location, SourceFile, Span};
use crate::text;

/// In which way less is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described in docs/gate.md under its id")]
pub enum Kind {
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
}

impl Kind {
    /// Every kind with its stable id.
    pub const ALL: [(Self, &'static str); 54] = [
        (Self::ScenarioRemoved, "scenario-removed"),
        (Self::CaseRemoved, "case-removed"),
        (Self::CaseSkipped, "case-skipped"),
        (Self::TagRemoved, "tag-removed"),
        (Self::RetriesRaised, "retries-raised"),
        (Self::TimeoutRaised, "timeout-raised"),
        (Self::RepeatLowered, "repeat-lowered"),
        (Self::ExpectationRemoved, "expectation-removed"),
        (Self::ExpectationNegated, "expectation-negated"),
        (Self::NegationNarrowed, "negation-narrowed"),
        (Self::KindChanged, "kind-changed"),
        (Self::OperatorLoosened, "operator-loosened"),
        (Self::AlternativeAdded, "alternative-added"),
        (Self::ModeLoosened, "mode-loosened"),
        (Self::ValueRemoved, "value-removed"),
        (Self::ValueAdded, "value-added"),
        (Self::ValueChanged, "value-changed"),
        (Self::CaseIgnored, "case-ignored"),
        (Self::PatternChanged, "pattern-changed"),
        (Self::ExpressionChanged, "expression-changed"),
        (Self::SchemaLoosened, "schema-loosened"),
        (Self::ScoreLowered, "score-lowered"),
        (Self::RubricChanged, "rubric-changed"),
        (Self::JudgeSwapped, "judge-swapped"),
        (Self::VotesLowered, "votes-lowered"),
        (Self::CalibrationRemoved, "calibration-removed"),
        (Self::CalibrationLowered, "calibration-lowered"),
        (Self::TargetRecorded, "target-recorded"),
        (Self::CacheReplayed, "cache-replayed"),
        (Self::PriceLowered, "price-lowered"),
        (Self::PassRateLowered, "pass-rate-lowered"),
        (Self::ErrorRateRaised, "error-rate-raised"),
        (Self::ThresholdRemoved, "threshold-removed"),
        (Self::ThresholdLowered, "threshold-lowered"),
        (Self::ThresholdRaised, "threshold-raised"),
        (Self::ThresholdNarrowed, "threshold-narrowed"),
        (Self::CriticalRemoved, "critical-removed"),
        (Self::ConfirmRaised, "confirm-raised"),
        (Self::AlphaLowered, "alpha-lowered"),
        (Self::MarginRaised, "margin-raised"),
        (Self::MissingTolerated, "missing-tolerated"),
        (Self::ThinTolerated, "thin-tolerated"),
        (Self::UnconfirmedTolerated, "unconfirmed-tolerated"),
        (Self::PathLinked, "path-linked"),
        (Self::PolicyRelaxed, "policy-relaxed"),
        (Self::FailOnRemoved, "fail-on-removed"),
        (Self::QuarantineAdded, "quarantine-added"),
        (Self::QuarantineExtended, "quarantine-extended"),
        (Self::BaselineAdded, "baseline-added"),
        (Self::BaselineRemoved, "baseline-removed"),
        (Self::BaselineMoved, "baseline-moved"),
        (Self::BaselineEdited, "baseline-edited"),
        (Self::BaselineCaseRemoved, "baseline-case-removed"),
        (Self::BaselineAccepted, "baseline-accepted"),
    ];

    /// The stable id.
    #[must_use]
    pub fn id(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, id)| id)
    }
}

/// One way in which a part of a file demands less, still without its file.
#[derive(Clone, Debug)]
pub(super) struct Flag {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) message: String,
}

impl Flag {
    pub(super) fn new(kind: Kind, span: Span, message: String) -> Self {
        Self { kind, span, message }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Weakening>);

impl Log {
    pub(super) fn add(&mut self, kind: Kind, location: Location, message: &str) {
        // A place that is not known is the file's first line: every report can show that.
        let location = Location { line: location.line.max(1), column: location.column.max(1), ..location };
        let message = text::excerpt(message, 400);
        self.0.push(Weakening { kind: kind.id().to_owned(), message, location });
    }

    /// Something at a place of a file.
    pub(super) fn at(&mut self, kind: Kind, file: &SourceFile, span: Span, message: &str) {
        self.add(kind, file.location(span), message);
    }

    /// Everything, by file and line, each once.
    pub(super) fn close(mut self) -> Vec<Weakening> {
        self.0.sort_by(|a, b| (&a.location, &a.kind, &a.message).cmp(&(&b.location, &b.kind, &b.message)));
        self.0.dedup();
        self.0
    }
}

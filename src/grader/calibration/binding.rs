//! What a calibration must show before a judge's verdicts can fail a gate, and the pass rate corrected for
//! the judge's errors.

use super::{Calibration, CalibrationError, Identity, hash, kappa};
use crate::grader::{Ballot, Bar, Grader, Question};
use crate::manifest::{CaseResult, Trial, Verdict};
use crate::stats::{LEVEL, SLACK, Tally, corrected};
use crate::text::number::{percent, score};
use crate::vocabulary::{Outcome, VerdictKind};

/// Requirements for a calibration. They apply to the estimates, not to the ends of their intervals; `min_n` limits how
/// wide the intervals can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Demands {
    /// Minimum number of judged labels.
    pub min_n: Option<u64>,
    /// Minimum kappa, −1 to 1.
    pub min_kappa: Option<f64>,
    /// Minimum TPR, 0 to 1.
    pub min_tpr: Option<f64>,
    /// Minimum TNR, 0 to 1.
    pub min_tnr: Option<f64>,
    /// What happens to verdicts without such a calibration.
    pub unmet: Unmet,
}

/// What happens to verdicts of an uncalibrated judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// They are shown, but cannot fail the gate.
    Advisory,
    /// They are errors; the judge is not asked.
    Error,
}

/// A stored calibration and its requirements.
#[derive(Clone, Debug)]
pub struct Binding {
    path: String,
    /// The calibration, or why there is none.
    stored: Result<Calibration, String>,
    demands: Demands,
}

/// How much a judge's verdict counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts fully: the judge is calibrated for it.
    Sound,
    /// It is shown, but cannot fail the gate, for this reason.
    Advisory(String),
    /// It is not requested, for this reason.
    Refused(String),
}

impl Binding {
    /// Binds verdicts to the calibration in a file; without a readable one, no verdict is calibrated.
    #[must_use]
    pub fn of(
        path: &std::path::Path,
        stored: Result<Calibration, CalibrationError>,
        demands: Demands,
    ) -> Self {
        let stored = stored.map_err(|error| error.to_string());
        Self { path: crate::source::slashed(path), stored, demands }
    }

    /// What makes the calibration unusable for any judge, if anything.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match &self.stored {
            Err(why) => Some(why.clone()),
            Ok(stored) => self.weakness(stored),
        }
    }

    /// What happens to verdicts that the calibration does not cover.
    #[must_use]
    pub fn consequence(&self) -> &'static str {
        match self.demands.unmet {
            Unmet::Advisory => "the judge's verdicts cannot fail the gate",
            Unmet::Error => "the judge is not called, and every case that needs it is errored",
        }
    }

    /// How this judge's verdict on this question counts.
    #[must_use]
    pub fn standing(&self, grader: &Grader, question: &Question<'_>, bar: Bar, ballot: Ballot) -> Standing {
        let why = self.trouble().or_else(|| {
            let stored = self.stored.as_ref().ok()?;
            let here = Identity::of(grader, question.scale, ballot, &[]);
            if let Some(difference) = stored.judge.difference(&here) {
                return Some(format!("`{}` is for a different judge: {difference}", self.path));
            }
            let uncovered = stored.covers(&hash(question.rubric, question.scale), bar.threshold).err()?;
            Some(format!("`{}` does not cover it: {uncovered}", self.path))
        });
        match (why, self.demands.unmet) {
            (None, _) => Standing::Sound,
            (Some(why), Unmet::Advisory) => Standing::Advisory(why),
            (Some(why), Unmet::Error) => Standing::Refused(why),
        }
    }

    /// Which requirements the calibration does not meet.
    fn weakness(&self, stored: &Calibration) -> Option<String> {
        let counts = stored.counts;
        let (tpr, tnr) = (counts.tpr().share(), counts.tnr().share());
        let kappa = kappa(counts).map(|kappa| kappa.value);
        let mut weak = Vec::new();
        if let Some(least) = self.demands.min_n.filter(|least| counts.n() < *least) {
            weak.push(format!("{} labels were judged, but at least {least} are required", counts.n()));
        }
        let demands = [
            ("kappa", kappa, self.demands.min_kappa),
            ("TPR", tpr, self.demands.min_tpr),
            ("TNR", tnr, self.demands.min_tnr),
        ];
        for (name, found, least) in demands {
            match (found, least) {
                (Some(found), Some(least)) if found + SLACK < least => {
                    weak.push(format!(
                        "{name} is {}, but at least {} is required",
                        score(found),
                        score(least)
                    ));
                }
                (None, Some(least)) => {
                    weak.push(format!("{name} is unknown, but at least {} is required", score(least)));
                }
                _ => {}
            }
        }
        if let (Some(tpr), Some(tnr)) = (tpr, tnr)
            && tpr + tnr <= 1.0 + SLACK
        {
            weak.push(format!("TPR + TNR is {}, no better than chance", score(tpr + tnr)));
        }
        (!weak.is_empty()).then(|| format!("`{}` is too weak: {}", self.path, weak.join("; ")))
    }

    /// Notes for the reports of a run whose judge is bound to this calibration.
    #[must_use]
    pub fn notes(&self, cases: &[CaseResult]) -> Vec<String> {
        let mut whys: Vec<(&str, usize)> = Vec::new();
        let mut sound = Tally::default();
        let mut let_pass = Vec::new();
        for case in cases {
            for verdict in case.trials.iter().flat_map(Trial::verdicts) {
                count(verdict, Upright::Yes, &mut whys, &mut sound);
                let name = case.key().to_string();
                if verdict.outcome == Outcome::Failed
                    && verdict.advisory.is_some()
                    && !let_pass.contains(&name)
                {
                    let_pass.push(name);
                }
            }
        }
        let mut notes: Vec<_> = whys
            .iter()
            .map(|(why, n)| {
                let verdicts = crate::text::count(*n, "verdict");
                format!("ADVISORY: {verdicts} of the judge could not fail the gate: {why}")
            })
            .collect();
        if !let_pass.is_empty() {
            let cases = crate::text::count(let_pass.len(), "case");
            let names = let_pass.join(", ");
            notes.push(format!("ADVISORY: {cases} passed despite a failing verdict of the judge: {names}"));
        }
        if let (Ok(stored), true) = (&self.stored, sound.of > 0) {
            notes.extend(rate(stored, sound));
        }
        notes
    }
}

/// Whether a verdict is about something wanted; one under `not` is about something unwanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upright {
    Yes,
    No,
}

/// Counts the judge's verdicts in this tree: the advisory ones by reason, and the sound ones. The pass rate counts
/// upright verdicts only.
fn count<'a>(verdict: &'a Verdict, upright: Upright, whys: &mut Vec<(&'a str, usize)>, sound: &mut Tally) {
    let below = if verdict.kind == VerdictKind::Not { Upright::No } else { upright };
    verdict.parts.iter().for_each(|part| count(part, below, whys, sound));
    if verdict.kind != VerdictKind::LlmGrader || verdict.grade.is_none() {
        return;
    }
    match &verdict.advisory {
        None if upright == Upright::Yes => {
            sound.hits += u64::from(verdict.outcome == Outcome::Passed);
            sound.of += 1;
        }
        None => {}
        Some(why) => match whys.iter_mut().find(|(known, _)| known == why) {
            Some((_, n)) => *n += 1,
            None => whys.push((why, 1)),
        },
    }
}

/// The observed pass rate, and the rate corrected for the judge's errors.
fn rate(stored: &Calibration, observed: Tally) -> Vec<String> {
    let (tpr, tnr) = (stored.counts.tpr(), stored.counts.tnr());
    let share = |tally: Tally| tally.share().map_or("unknown".to_owned(), percent);
    let seen = format!("{} of {} verdicts were passes, {}", observed.hits, observed.of, share(observed));
    let found = match corrected(observed, tpr, tnr, LEVEL) {
        Ok(found) => found,
        Err(error) => {
            return vec![format!("{seen}; cannot be corrected for the judge's errors: {error}")];
        }
    };
    let mut notes = vec![format!(
        "{seen}; corrected for the judge's errors: {}, 95% interval {} to {} (TPR {}, TNR {}, {} labels)",
        percent(found.estimate),
        percent(found.interval.low),
        percent(found.interval.high),
        share(tpr),
        share(tnr),
        stored.counts.n(),
    )];
    if !(-SLACK..=1.0 + SLACK).contains(&found.raw) {
        notes.push(
            "the judge's errors on the labels cannot explain such an extreme pass rate: it is chance, or the \
                 labels differ from these answers".to_owned(),
        );
    }
    notes
}

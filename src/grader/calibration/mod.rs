//! Calibration: how well a judge agrees with people, measured on labeled answers and stored together with
//! the identity of that judge.
//!
//! Only the four counts of a stored calibration are used; every other figure is recomputed from them, so
//! editing the stored kappa has no effect.

mod binding;
mod label;
mod measure;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Ballot, Grader, Rubric, TEMPLATE, prompt};
use crate::manifest::Fault;
use crate::source::{ReadError, SourceFile, json_object};
use crate::stats::{Confusion, Interval, Kappa, LEVEL, SLACK, Tally};
use crate::text;

pub use binding::{Binding, Demands, Standing, Unmet};
pub use label::Label;
pub use measure::{Manner, measure};

/// Name and version of the file format.
pub const SCHEMA: &str = "akit.calibration/1";

/// Characters of a rubric that a calibration stores.
const SHOWN: usize = 80;

/// How well a judge agreed with people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Calibration {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of akit that wrote it.
    pub akit: String,
    /// When the newest verdict was given, RFC 3339 in UTC; for a recorded one, when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The judge that was measured.
    pub judge: Identity,
    /// Number of labels.
    pub n: u64,
    /// Labels whose answers were judged; every figure is based on these.
    pub judged: u64,
    /// Labels whose answers could not be judged.
    pub errored: u64,
    /// How the judge's verdicts compare with the labels; a pass counts as positive.
    pub counts: Confusion,
    /// How often judge and labels agree.
    pub agreement: Option<Measured>,
    /// The agreement of a judge that always gives the same verdict.
    pub constant: Constant,
    /// Agreement beyond chance; missing if all labels are the same.
    pub kappa: Option<Kappa>,
    /// Of the answers that people pass, the share that the judge passes; missing if people pass none.
    pub tpr: Option<Measured>,
    /// Of the answers that people fail, the share that the judge fails; missing if people fail none.
    pub tnr: Option<Measured>,
    /// The score needed to pass, 0 to 1; missing if the labels differ in it.
    pub threshold: Option<f64>,
    /// The rubrics used, in the order of their hashes.
    pub rubrics: Vec<Covered>,
    /// How often each score was given.
    pub scores: Scores,
}

/// What identifies a judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// Provider.
    pub provider: String,
    /// Model, as the provider names it.
    pub model: String,
    /// Host, for information: the same model on another host is the same judge.
    pub host: String,
    /// Name and version of the prompt template.
    pub template: String,
    /// SHA-256 of the prompt template.
    pub template_hash: String,
    /// Steps of the scale.
    pub scale: u32,
    /// Votes per answer; missing for the default, one or up to three near the threshold.
    pub votes: Option<u32>,
    /// Reasoning effort, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// SHA-256 of all rubric hashes and thresholds.
    pub rubric_set_hash: String,
}

/// A rubric at a threshold, with its number of judged labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Covered {
    /// SHA-256 of the rubric as the judge sees it, examples included.
    pub hash: String,
    /// The score needed to pass, 0 to 1.
    pub threshold: f64,
    /// Judged labels.
    pub n: u64,
    /// The beginning of the rubric, for information.
    pub text: String,
}

/// A counted share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The share, 0 to 1.
    pub value: f64,
    /// Numerator.
    pub hits: u64,
    /// Denominator.
    pub of: u64,
    /// Wilson interval, 95%.
    pub interval: Interval,
}

/// A judge that always gives the same verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Constant {
    /// The verdict that agrees more often: `pass` or `fail`.
    pub says: String,
    /// How often it agrees, 0 to 1; missing if nothing was judged.
    pub agreement: Option<f64>,
}

/// How often each score was given; index `i` counts the score `i / scale`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scores {
    /// Answers that people pass.
    pub pass: Vec<u64>,
    /// Answers that people fail.
    pub fail: Vec<u64>,
}

/// Why a stored calibration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The file does not exist.
    #[error("no calibration file `{0}`")]
    Missing(String),
    /// The file cannot be read.
    #[error("cannot read calibration `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why it cannot be read.
        source: ReadError,
    },
    /// The file is not a calibration.
    #[error("`{path}` is not a calibration: {reason}")]
    Foreign {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl Measured {
    fn of(tally: Tally) -> Option<Self> {
        let (value, interval) = (tally.share()?, tally.wilson(LEVEL)?);
        Some(Self { value, hits: tally.hits, of: tally.of, interval })
    }
}

impl Identity {
    /// The identity of a judge; `rubrics` are those it was measured on.
    fn of(grader: &Grader, scale: u32, ballot: Ballot, rubrics: &[Covered]) -> Self {
        let endpoint = grader.client().endpoint();
        let set: Vec<_> = rubrics.iter().map(|one| format!("{} {}", one.hash, one.threshold)).collect();
        Self {
            provider: endpoint.provider.clone(),
            model: grader.model().to_owned(),
            host: endpoint.identity().to_owned(),
            template: TEMPLATE.to_owned(),
            template_hash: prompt::template_hash(),
            scale,
            votes: match ballot {
                Ballot::NearThreshold => None,
                Ballot::Fixed(votes) => Some(votes),
            },
            effort: grader.effort().map(str::to_owned),
            rubric_set_hash: text::hex(&Sha256::digest(set.join("\n"))),
        }
    }

    /// What makes `other` a different judge, if it is one; ignores rubrics.
    fn difference(&self, other: &Self) -> Option<String> {
        let votes = |one: &Self| one.votes.map_or("default".to_owned(), |votes| votes.to_string());
        let effort = |one: &Self| one.effort.clone().unwrap_or("default".to_owned());
        let pairs = [
            ("provider", self.provider.clone(), other.provider.clone()),
            ("model", self.model.clone(), other.model.clone()),
            ("scale", self.scale.to_string(), other.scale.to_string()),
            ("number of votes", votes(self), votes(other)),
            ("effort", effort(self), effort(other)),
            ("prompt template", self.template_hash.clone(), other.template_hash.clone()),
        ];
        let (what, ours, theirs) = pairs.into_iter().find(|(_, ours, theirs)| ours != theirs)?;
        Some(match what {
            "prompt template" => format!("a different {what}"),
            _ => format!("{what} `{ours}`, now `{}`", text::excerpt(&theirs, 60)),
        })
    }
}

impl Calibration {
    /// The calibration from verdicts on labeled answers; a verdict is a score on the scale.
    #[must_use]
    pub fn of(grader: &Grader, manner: Manner, labels: &[Label], verdicts: &[Result<u32, Fault>]) -> Self {
        let steps = manner.scale as usize + 1;
        let mut scores = Scores { pass: vec![0; steps], fail: vec![0; steps] };
        let mut counts = Confusion::default();
        let mut rubrics: Vec<Covered> = Vec::new();
        for (label, verdict) in labels.iter().zip(verdicts) {
            let Ok(score) = verdict else { continue };
            counts.add(label.pass, label.bar(manner.scale).reached(*score));
            let row = if label.pass { &mut scores.pass } else { &mut scores.fail };
            if let Some(count) = row.get_mut(*score as usize) {
                *count += 1;
            }
            cover(&mut rubrics, label, manner.scale);
        }
        rubrics.sort_by(|a, b| a.hash.cmp(&b.hash).then(a.threshold.total_cmp(&b.threshold)));
        let n = labels.len() as u64;
        let threshold = match rubrics.as_slice() {
            [first, rest @ ..] if rest.iter().all(|one| same(one.threshold, first.threshold)) => {
                Some(first.threshold)
            }
            _ => None,
        };
        let (passes, constant) = counts.constant();
        Self {
            schema: SCHEMA.to_owned(),
            akit: env!("CARGO_PKG_VERSION").to_owned(),
            at: grader.client().latest(),
            judge: Identity::of(grader, manner.scale, manner.ballot, &rubrics),
            n,
            judged: counts.n(),
            errored: n - counts.n(),
            counts,
            agreement: Measured::of(counts.agreement()),
            constant: Constant {
                says: if passes { "pass" } else { "fail" }.to_owned(),
                agreement: constant.share(),
            },
            kappa: kappa(counts),
            tpr: Measured::of(counts.tpr()),
            tnr: Measured::of(counts.tnr()),
            threshold,
            rubrics,
            scores,
        }
    }

    /// Reads a stored calibration.
    ///
    /// # Errors
    /// If the file does not exist, cannot be read or is not a calibration.
    pub fn read(path: &std::path::Path) -> Result<Self, CalibrationError> {
        let shown = crate::source::slashed(path);
        let source = SourceFile::read(path).map_err(|error| match error {
            ReadError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                CalibrationError::Missing(shown.clone())
            }
            source => CalibrationError::Read { path: shown.clone(), source },
        })?;
        Self::of_file(&source)
    }

    /// Parses a stored calibration.
    ///
    /// # Errors
    /// If the file is not a calibration.
    pub fn of_file(source: &SourceFile) -> Result<Self, CalibrationError> {
        let foreign = |reason| CalibrationError::Foreign { path: source.name().to_owned(), reason };
        let stored: Self =
            json_object(source.text().as_bytes()).map_err(|error| foreign(text::json::trouble(&error)))?;
        if stored.schema != SCHEMA {
            let schema = text::excerpt(&stored.schema, 40);
            return Err(foreign(format!("its schema is `{schema}`; this akit reads `{SCHEMA}`")));
        }
        if stored.counts.n() != stored.judged {
            return Err(foreign("its counts do not add up to `judged`".to_owned()));
        }
        Ok(stored)
    }

    /// The stored form: pretty JSON with a final newline.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether the labels have this rubric at this threshold; if not, why.
    fn covers(&self, hash: &str, threshold: f64) -> Result<(), String> {
        let mut at = self.rubrics.iter().filter(|one| one.hash == hash).map(|one| one.threshold).peekable();
        if at.peek().is_none() {
            return Err("no label has this rubric".to_owned());
        }
        let others: Vec<_> = at.clone().map(text::number::score).collect();
        if at.any(|one| same(one, threshold)) {
            return Ok(());
        }
        let (here, others) = (text::number::score(threshold), others.join(", "));
        Err(format!("its labels have this rubric at threshold {others}, not {here}"))
    }
}

/// Kappa of a judge; `None` if all labels are the same, where it would be 0 for any judge.
fn kappa(counts: Confusion) -> Option<Kappa> {
    counts.kappa(LEVEL).filter(|_| counts.tpr().of > 0 && counts.tnr().of > 0)
}

/// Counts a judged label under its rubric.
fn cover(rubrics: &mut Vec<Covered>, label: &Label, scale: u32) {
    let hash = hash(&label.rubric, scale);
    match rubrics.iter_mut().find(|one| one.hash == hash && same(one.threshold, label.threshold)) {
        Some(known) => known.n += 1,
        None => rubrics.push(Covered {
            hash,
            threshold: label.threshold,
            n: 1,
            text: text::excerpt(label.rubric.text.trim(), SHOWN),
        }),
    }
}

/// SHA-256 of a rubric as the judge sees it.
fn hash(rubric: &Rubric, scale: u32) -> String {
    text::hex(&Sha256::digest(prompt::rubric(rubric, scale)))
}

/// Whether two thresholds are equal, however they were written.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < SLACK
}

#[cfg(test)]
mod tests;

//! How far a judge agrees with people: measured on labelled answers, stored, and bound to the judge
//! that was measured.
//!
//! The four counts are the truth of a stored calibration; every other figure is worked out from them
//! anew, so that an edited kappa fools nobody.

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

/// The name and version of the wire form.
pub const SCHEMA: &str = "akit.calibration/1";

/// Characters of a rubric that a calibration shows.
const SHOWN: usize = 80;

/// What a judge's agreement with people was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Calibration {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of akit that wrote it.
    pub akit: String,
    /// When the newest verdict was given, RFC 3339 in UTC; a recorded one counts as of its recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who was measured.
    pub judge: Identity,
    /// How many labels there were.
    pub n: u64,
    /// Labels whose answers were judged; every figure is about these.
    pub judged: u64,
    /// Labels whose answers could not be judged.
    pub errored: u64,
    /// The judge's verdicts beside the labels; positive is a pass.
    pub counts: Confusion,
    /// How often both agree.
    pub agreement: Option<Measured>,
    /// How often somebody would agree who always says the same word.
    pub constant: Constant,
    /// Agreement beyond chance; absent where the labels or both sides know one word only.
    pub kappa: Option<Kappa>,
    /// Of what people pass, what the judge passes; absent where people pass nothing.
    pub tpr: Option<Measured>,
    /// Of what people fail, what the judge fails; absent where people fail nothing.
    pub tnr: Option<Measured>,
    /// The score that was needed, 0 to 1; absent where labels differ in it.
    pub threshold: Option<f64>,
    /// The rubrics that were judged by, in the order of their hashes.
    pub rubrics: Vec<Covered>,
    /// How often each score was given.
    pub scores: Scores,
}

/// What makes a judge the same judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// Provider.
    pub provider: String,
    /// Model by the provider's name.
    pub model: String,
    /// Host that was asked. For people: another host with the same model is the same judge.
    pub host: String,
    /// Name and version of the prompt's template.
    pub template: String,
    /// SHA-256 of the template.
    pub template_hash: String,
    /// Steps of the scale.
    pub scale: u32,
    /// Verdicts that are asked for; absent for one, or up to three near the threshold.
    pub votes: Option<u32>,
    /// How much it reasons, where that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// SHA-256 over the hashes of all rubrics and their thresholds.
    pub rubric_set_hash: String,
}

/// A rubric at a threshold, and how many judged labels it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Covered {
    /// SHA-256 of the rubric as the judge is told it, examples included.
    pub hash: String,
    /// The score that is needed, 0 to 1.
    pub threshold: f64,
    /// Judged labels.
    pub n: u64,
    /// The beginning of the rubric, for people.
    pub text: String,
}

/// A share that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The share, 0 to 1.
    pub value: f64,
    /// Those that count.
    pub hits: u64,
    /// All.
    pub of: u64,
    /// Wilson's interval, 95%.
    pub interval: Interval,
}

/// Somebody who always says the same word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Constant {
    /// The word that agrees more often: `pass` or `fail`.
    pub says: String,
    /// How often it agrees, 0 to 1; absent when nothing was judged.
    pub agreement: Option<f64>,
}

/// How often each score was given: at index `i` stands the score `i / scale`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scores {
    /// To answers that people pass.
    pub pass: Vec<u64>,
    /// To answers that people fail.
    pub fail: Vec<u64>,
}

/// Why a stored calibration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// There is no such file.
    #[error("there is no calibration `{0}`")]
    Missing(String),
    /// The file cannot be read.
    #[error("cannot read the calibration `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// The file holds something else.
    #[error("`{path}` is no calibration: {reason}")]
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
    /// The judge behind a grader; `rubrics` are those that it was measured on.
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

    /// What makes the other one another judge, if it is one; rubrics aside.
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
            "prompt template" => format!("its {what} was another one"),
            _ => format!("its {what} was `{}`, here it is `{}`", ours, text::excerpt(&theirs, 60)),
        })
    }
}

impl Calibration {
    /// What verdicts on labelled answers say of a judge; a verdict is a score on the scale.
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
    /// When there is no such file, or it holds something else.
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

    /// A calibration that was read.
    ///
    /// # Errors
    /// When the file holds something else.
    pub fn of_file(source: &SourceFile) -> Result<Self, CalibrationError> {
        let foreign = |reason| CalibrationError::Foreign { path: source.name().to_owned(), reason };
        let stored: Self =
            json_object(source.text().as_bytes()).map_err(|error| foreign(text::json::trouble(&error)))?;
        if stored.schema != SCHEMA {
            let schema = text::excerpt(&stored.schema, 40);
            return Err(foreign(format!("its schema is `{schema}`, this akit reads `{SCHEMA}`")));
        }
        if stored.counts.n() != stored.judged {
            return Err(foreign("its counts do not add up to `judged`".to_owned()));
        }
        Ok(stored)
    }

    /// The calibration as it is stored: pretty JSON with a line end.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether a rubric was judged by, at this threshold; otherwise why not.
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
        Err(format!("its labels have this rubric at the threshold {others}, here it is {here}"))
    }
}

/// Kappa of a judge; absent for labels of one class, where it is 0 whatever the judge says.
fn kappa(counts: Confusion) -> Option<Kappa> {
    counts.kappa(LEVEL).filter(|_| counts.tpr().of > 0 && counts.tnr().of > 0)
}

/// Counts a judged label for its rubric.
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

/// SHA-256 of a rubric as a judge is told it.
fn hash(rubric: &Rubric, scale: u32) -> String {
    text::hex(&Sha256::digest(prompt::rubric(rubric, scale)))
}

/// Whether two thresholds are one, however they were written.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < SLACK
}

#[cfg(test)]
mod tests;

//! Whether a shift between two runs comes from the application or the judge.
//!
//! Each case has two answers (the old run's and the new one's), each graded by two judges, which makes four pass rates.
//! The effect of the application is its mean effect under the two judges, and the effect of the judge is its mean
//! effect on the two answers; together they add up to the whole shift (Shapley, "A value for n-person games", 1953, for
//! two players). A case without a judge counts the same under both judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::{CaseResult, Fault, RunManifest, Trial};
use crate::stats::Tally;
use crate::vocabulary::{Answer, CaseId, Outcome};

/// Effects below this are rounding errors: it is half of the last digit that reports show.
const NOTHING: f64 = 0.000_5;

/// The cases that two runs and the suite have in common.
#[derive(Clone, Debug)]
pub struct Common<'a> {
    pairs: Vec<Pair<'a>>,
    changed: usize,
    unjudged: usize,
}

/// One case in both runs.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    old: &'a CaseResult,
    new: &'a CaseResult,
}

/// What moved the pass rate between two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribution {
    /// `akit.regrade/1`.
    pub schema: String,
    /// The attribution in one sentence.
    pub verdict: String,
    /// Cases that were compared.
    pub cases: usize,
    /// Compared cases that involve a judge in at least one of the runs.
    pub graded: usize,
    /// Cases that involve a judge and have the same answers in both runs, so that only the judge can differ.
    pub identical: usize,
    /// Cases in both runs whose question or expectation differs in one of them, or in the suite now.
    pub changed: usize,
    /// Cases that are in both runs, but were not judged in at least one of them.
    pub unjudged: usize,
    /// The four pass rates.
    pub rates: Rates,
    /// Pass rate of the new answers under the new judge minus that of the old answers under the old judge, −1 to 1.
    pub total: f64,
    /// The application's share of that difference.
    pub product: f64,
    /// The judge's share of that difference.
    pub judge: f64,
    /// Cases that passed in one run and failed in the other, in the order of the new run.
    pub flips: Vec<Flip>,
    /// Cases that could not be judged again; no rate includes them.
    pub unheard: Vec<Unheard>,
    /// What limits the attribution.
    pub notes: Vec<String>,
}

/// The four mean shares of passed answers, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rates {
    /// Of the old answers, under the old judge.
    pub old_by_old: f64,
    /// Of the old answers, under the new judge.
    pub old_by_new: f64,
    /// Of the new answers, under the old judge; missing if that judge was needed but not named.
    pub new_by_old: Option<f64>,
    /// Of the new answers, under the new judge.
    pub new_by_new: f64,
}

/// A case whose verdict changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Flip {
    /// `scenario/id`.
    pub case: String,
    /// Whether it passes now; the opposite of the old run.
    pub passes: bool,
    /// What caused the flip.
    pub cause: Cause,
    /// Whether the answers are the same in both runs.
    pub same_answer: bool,
}

/// What caused a case to flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The judge alone: not a regression of the application.
    Judge,
    /// The application alone.
    Product,
    /// Either of them alone would have caused it.
    Either,
    /// Neither alone: it took both of them.
    Together,
}

/// A case that could not be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unheard {
    /// `scenario/id`.
    pub case: String,
    /// Why.
    pub reason: String,
    /// How to fix it.
    pub help: String,
}

impl<'a> Common<'a> {
    /// Cases, by (scenario, id), that both runs and the suite have with the same content hash.
    #[must_use]
    pub fn of(old: &'a RunManifest, new: &'a RunManifest, suite: &BTreeMap<CaseId<'_>, &str>) -> Self {
        let before: BTreeMap<_, _> = old.cases.iter().map(|case| (case.key(), case)).collect();
        let mut common = Self { pairs: Vec::new(), changed: 0, unjudged: 0 };
        for new in &new.cases {
            let (Some(old), Some(now)) = (before.get(&new.key()), suite.get(&new.key())) else { continue };
            if old.content_hash != new.content_hash || new.content_hash != **now {
                common.changed += 1;
            } else if old.answers().next().is_none() || new.answers().next().is_none() {
                common.unjudged += 1;
            } else {
                common.pairs.push(Pair { old, new });
            }
        }
        common
    }

    /// How many cases can be compared.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pairs.len()
    }

    /// How many cases are in both runs with a different question or expectation.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed
    }

    /// The cases, by (scenario, id), whose answers the other judge must judge: their verdicts involve a judge, and the
    /// answers differ.
    #[must_use]
    pub fn contested(&self) -> BTreeSet<CaseId<'a>> {
        self.pairs.iter().filter(|pair| pair.is_contested()).map(|pair| pair.new.key()).collect()
    }

    /// Attributes the shift, given the new judge's verdicts on the old answers and the old judge's on the new ones.
    ///
    /// Neither is needed if nothing is [`contested`](Self::contested).
    #[must_use]
    pub fn attribute(
        &self,
        old_by_new: Option<&RunManifest>,
        new_by_old: Option<&RunManifest>,
    ) -> Attribution {
        let (regraded, then) = (by_name(old_by_new), by_name(new_by_old));
        let mut sums = Sums::default();
        let (mut flips, mut unheard) = (Vec::new(), Vec::new());
        for pair in &self.pairs {
            match pair.cells(&regraded, new_by_old.map(|_| &then)) {
                Ok(cells) => {
                    sums.add(&cells);
                    flips.extend(pair.flip(&cells));
                }
                Err(why) => unheard.push(why),
            }
        }
        let rates = sums.rates();
        let Rates { old_by_old, old_by_new, new_by_old, new_by_new } = rates;
        let total = new_by_new - old_by_old;
        let judge = match new_by_old {
            Some(new_by_old) => f64::midpoint(old_by_new - old_by_old, new_by_new - new_by_old),
            None => old_by_new - old_by_old,
        };
        let product = total - judge;
        let mut notes = Vec::new();
        if new_by_old.is_none() {
            notes.push(
                "the old judge was not named, so its verdicts on the new answers are unknown: the judge's \
                     share is its effect on the old answers alone, and the rest is the application's"
                    .to_owned(),
            );
        }
        Attribution {
            schema: "akit.regrade/1".to_owned(),
            verdict: verdict(total, product, judge, &flips),
            cases: sums.cases(),
            graded: self.pairs.iter().filter(|pair| pair.is_graded()).count(),
            identical: self.pairs.iter().filter(|pair| pair.is_graded() && pair.is_identical()).count(),
            changed: self.changed,
            unjudged: self.unjudged,
            rates,
            total,
            product,
            judge,
            flips,
            unheard,
            notes,
        }
    }
}

/// The four results of a case.
struct Cells {
    old_by_old: Tally,
    old_by_new: Tally,
    new_by_old: Option<Tally>,
    new_by_new: Tally,
}

type Regraded<'a> = BTreeMap<CaseId<'a>, &'a CaseResult>;

impl Pair<'_> {
    fn is_graded(&self) -> bool {
        self.old.judged_by_grader() || self.new.judged_by_grader()
    }

    fn is_identical(&self) -> bool {
        fn answers(case: &CaseResult) -> impl Iterator<Item = &Answer> {
            case.answers().flat_map(Trial::answers)
        }
        answers(self.old).count() == answers(self.new).count()
            && answers(self.old).zip(answers(self.new)).all(|(old, new)| old.says_as(new))
    }

    fn is_contested(&self) -> bool {
        self.is_graded() && !self.is_identical()
    }

    fn cells(&self, regraded: &Regraded<'_>, then: Option<&Regraded<'_>>) -> Result<Cells, Unheard> {
        let (old, new) = (tally(self.old), tally(self.new));
        let (old_by_new, new_by_old) = if self.is_contested() {
            let then = then.map(|then| heard(self.new, then)).transpose()?;
            (heard(self.old, regraded)?, then)
        } else if self.is_graded() {
            // The answers are the same, so the new run already has the new judge's verdict on the old ones.
            (new, Some(old))
        } else {
            (old, Some(new))
        };
        Ok(Cells { old_by_old: old, old_by_new, new_by_old, new_by_new: new })
    }

    fn flip(&self, cells: &Cells) -> Option<Flip> {
        let passes = |tally: Tally| tally.hits == tally.of;
        let (before, after) = (passes(cells.old_by_old), passes(cells.new_by_new));
        if before == after {
            return None;
        }
        let by_judge = passes(cells.old_by_new) == after;
        let by_product = cells.new_by_old.map_or(!by_judge, |tally| passes(tally) == after);
        let cause = match (by_judge, by_product) {
            (true, false) => Cause::Judge,
            (false, true) => Cause::Product,
            (true, true) => Cause::Either,
            (false, false) => Cause::Together,
        };
        Some(Flip {
            case: self.new.key().to_string(),
            passes: after,
            cause,
            same_answer: self.is_identical(),
        })
    }
}

fn by_name(run: Option<&RunManifest>) -> Regraded<'_> {
    run.into_iter().flat_map(|run| &run.cases).map(|case| (case.key(), case)).collect()
}

fn tally(case: &CaseResult) -> Tally {
    let of = case.answers().count() as u64;
    Tally { hits: case.answers().filter(|trial| trial.outcome == Outcome::Passed).count() as u64, of }
}

/// Passes among the other judge's verdicts on the answers to a case; an error unless it judged all of them.
fn heard(case: &CaseResult, regraded: &Regraded<'_>) -> Result<Tally, Unheard> {
    let said = regraded.get(&case.key());
    let found = said.map(|said| tally(said)).unwrap_or_default();
    if found.of == tally(case).of {
        return Ok(found);
    }
    let fault = said.and_then(|said| said.trials.iter().find_map(|trial| trial.fault.as_deref().cloned()));
    let (reason, help) = fault.map_or_else(
        || ("it was not judged again".to_owned(), String::new()),
        |Fault { message, help, .. }| (message, help),
    );
    Err(Unheard { case: case.key().to_string(), reason, help })
}

/// Sums over cases of the shares of passed answers.
#[derive(Default)]
struct Sums {
    cells: [f64; 4],
    cases: u32,
    without_fourth: bool,
}

impl Sums {
    fn add(&mut self, cells: &Cells) {
        let four =
            [cells.old_by_old, cells.old_by_new, cells.new_by_old.unwrap_or_default(), cells.new_by_new];
        for (sum, tally) in self.cells.iter_mut().zip(four) {
            *sum += tally.share().unwrap_or(0.0);
        }
        self.cases += 1;
        self.without_fourth |= cells.new_by_old.is_none();
    }

    fn cases(&self) -> usize {
        self.cases as usize
    }

    fn rates(&self) -> Rates {
        let [old_by_old, old_by_new, new_by_old, new_by_new] =
            self.cells.map(|sum| sum / f64::from(self.cases.max(1)));
        Rates { old_by_old, old_by_new, new_by_old: (!self.without_fourth).then_some(new_by_old), new_by_new }
    }
}

/// The attribution in one sentence.
fn verdict(total: f64, product: f64, judge: f64, flips: &[Flip]) -> String {
    let points = |effect: f64| format!("{:.1}", effect.abs() * 100.0);
    let nothing = |effect: f64| effect.abs() < NOTHING;
    let moved = if total < 0.0 { "lost points" } else { "gained points" };
    match (nothing(total), nothing(product), nothing(judge)) {
        (true, true, _) | (true, _, true) if flips.is_empty() => {
            "neither the application nor the judge changed a case".to_owned()
        }
        (true, true, _) | (true, _, true) => {
            format!("{} flipped, but the pass rate is the same", crate::text::count(flips.len(), "case"))
        }
        (true, false, false) => {
            let (took, gave) = if product < 0.0 {
                ("the application took", "the judge gave")
            } else {
                ("the judge took", "the application gave")
            };
            format!(
                "the pass rate is the same by coincidence: {took} {} points, {gave} them back",
                points(product)
            )
        }
        (false, _, true) => format!("the application explains all {} {moved}, the judge none", points(total)),
        (false, true, _) => format!("the judge explains all {} {moved}, the application none", points(total)),
        (false, false, false) if (product < 0.0) == (judge < 0.0) => format!(
            "the judge explains {} of the {} {moved}, the application {}",
            points(judge),
            points(total),
            points(product)
        ),
        _ => format!(
            "of the {} {moved}, the application accounts for {:+.1} and the judge for {:+.1}, in opposite directions",
            points(total),
            product * 100.0,
            judge * 100.0
        ),
    }
}

#[cfg(test)]
#[path = "attribution_tests.rs"]
mod tests;

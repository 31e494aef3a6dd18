//! The gate's policy: thresholds, critical cases, the baseline settings, and quarantine.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

use crate::manifest::CaseResult;
use crate::vocabulary::{Metric, Selection};
use strum::{EnumIter, EnumString, IntoStaticStr, VariantNames};

/// What the gate requires. [`Policy::default`] applies without a `gate:` section.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Minimum share of judged cases that must pass, 0 to 1.
    ///
    /// Without it, without a baseline, and without a threshold on its pass rate, a case must pass.
    pub min_pass_rate: Option<f64>,
    /// Maximum share of cases that could not be judged, 0 to 1.
    pub max_error_rate: f64,
    /// Limits on metrics.
    pub thresholds: Vec<Threshold>,
    /// Cases for which one confirmed failure fails the gate.
    pub critical: Vec<Selector>,
    /// Maximum extra trials of a case that fails but is expected to pass, and twice as many until one passes; with 0,
    /// one failure is proof.
    pub confirm: u32,
    /// Maximum probability of calling an unchanged suite broken, over all its cases, 0 to 1.
    pub alpha: f64,
    /// Drop of the mean pass rate that does not count, 0 to 1.
    pub margin: f64,
    /// What a missing baseline leads to; if unset, it depends on where the baseline was expected.
    pub missing: Option<Missing>,
    /// The state of a case that failed every extra trial, if its baseline is too thin for proof.
    pub thin: Thin,
    /// What fails the gate; everything else is a warning.
    pub fail_on: BTreeSet<Category>,
    /// What happens if a case passed in the baseline, fails now, and cannot be run again.
    pub unconfirmed: Unconfirmed,
    /// What a change must show.
    pub rigor: Rigor,
    /// Cases that are known to fail and do not block a pass.
    pub quarantine: Vec<Quarantined>,
    /// `YYYY-MM-DD`: quarantines that ended before this day no longer apply.
    pub today: String,
    /// If the change is compared with its base, the base's cases, by scenario and id. They must meet every requirement
    /// on their own, so that added cases cannot make up for their failures.
    pub of_base: Option<BTreeSet<(String, String)>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_pass_rate: None,
            max_error_rate: 0.0,
            thresholds: Vec::new(),
            critical: Vec::new(),
            confirm: 10,
            alpha: 0.02,
            margin: 0.02,
            missing: None,
            thin: Thin::Strict,
            unconfirmed: Unconfirmed::Inconclusive,
            fail_on: Category::DEFAULT.into(),
            rigor: Rigor::Usual,
            quarantine: Vec::new(),
            today: String::new(),
            of_base: None,
        }
    }
}

/// A limit on one metric of some cases.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// What is measured.
    pub metric: Metric,
    /// The cases that it covers; all of them if the selector is empty.
    pub cases: Selector,
    /// Smallest allowed value, in the metric's unit.
    pub min: Option<f64>,
    /// Largest allowed value, in the metric's unit.
    pub max: Option<f64>,
}

/// Some cases of a run: those that match everything that is set.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// Glob over `scenario/id`.
    pub case: Option<Glob>,
    /// Glob over the scenario's name.
    pub scenario: Option<Glob>,
    /// Any of these tags, if there are any.
    pub tags: Vec<String>,
}

/// A glob over names; `*` matches every character, including `/`.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    glob: GlobMatcher,
}

impl Glob {
    /// Reads a glob; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).build().map_err(|error| crate::text::glob(&error).to_owned())?;
        Ok(Self { text: text.to_owned(), glob: glob.compile_matcher() })
    }

    /// Whether a name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.glob.is_match(name) || self.text == name
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Selector {
    /// Whether it selects a case of this scenario with this id and these tags.
    #[must_use]
    pub fn takes(&self, scenario: &str, id: &str, tags: &[String]) -> bool {
        self.scenario.as_ref().is_none_or(|glob| glob.matches(scenario))
            && self.case.as_ref().is_none_or(|glob| glob.matches(&format!("{scenario}/{id}")))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag)))
    }

    /// Whether it selects a case of a run.
    #[must_use]
    pub fn has(&self, case: &CaseResult) -> bool {
        self.takes(&case.scenario, &case.id, &case.tags)
    }

    /// The selection as it was written.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let text = |glob: &Option<Glob>| glob.as_ref().map(|glob| glob.text.clone());
        Selection { case: text(&self.case), scenario: text(&self.scenario), tags: self.tags.clone() }
    }

    /// The selection in words, to follow a metric's name; empty if it selects everything.
    #[must_use]
    pub fn words(&self) -> String {
        self.selection().words()
    }
}

/// A case that is known to fail, with its owner and an end date.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// Glob over `scenario/id`.
    pub case: Glob,
    /// Who is responsible for it.
    pub owner: String,
    /// Why it may fail.
    pub reason: String,
    /// `YYYY-MM-DD`, the last day on which it applies.
    pub until: String,
}

/// What a missing baseline leads to, from lenient to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Missing {
    /// A warning: regressions are not evaluated.
    Warn,
    /// The run cannot be judged.
    Fail,
}

/// Where a missing baseline was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// In a named file or commit, so the name has a typo or the baseline was removed.
    Named,
    /// Where the first update will create it: at the base of a change, or on a ref.
    Grown,
}

impl Missing {
    /// The setting, or its default.
    #[must_use]
    pub fn of(said: Option<Self>, sought: Sought) -> Self {
        said.unwrap_or(match sought {
            Sought::Named => Missing::Fail,
            Sought::Grown => Missing::Warn,
        })
    }
}

/// The state of a case that failed every extra trial, if its baseline is too thin for proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Thin {
    /// Broken.
    Strict,
    /// Open, which is a warning.
    Warn,
}

/// What happens if a case passed in the baseline, fails now, and cannot be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Unconfirmed {
    /// The run is inconclusive.
    Inconclusive,
    /// The gate fails. For deterministic applications, where one failure is proof.
    Fail,
    /// A warning.
    Warn,
}

/// What a change must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Rigor {
    /// `policy: default`: a change passes unless it is shown to break something.
    #[strum(serialize = "default")]
    Usual,
    /// `policy: strict`: a change must show that it breaks nothing.
    Strict,
}

/// Kinds of findings in `fail_on`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Category {
    /// A limit on a metric, or the pass rate.
    Threshold,
    /// A case, or the suite as a whole, does worse than its baseline.
    Regression,
    /// A confirmed failure of a critical case.
    Critical,
    /// A failing case that the baseline does not excuse.
    NewFailure,
    /// A limit on cost or tokens.
    Budget,
    /// Slower than the baseline.
    Latency,
    /// More expensive than the baseline.
    Cost,
    /// Lower scores than in the baseline.
    Score,
    /// A case that only the baseline has.
    Removed,
    /// A case whose trials disagree.
    Flaky,
    /// A suite, policy, quarantine or baseline that is weaker than before.
    Weakened,
}

impl Category {
    /// What fails the gate if `fail_on` is not set.
    pub const DEFAULT: [Self; 5] =
        [Self::Threshold, Self::Regression, Self::Critical, Self::NewFailure, Self::Budget];
}

impl Threshold {
    /// Whether it is a minimum pass rate over some cases that include this one.
    pub(super) fn rates(&self, case: &CaseResult) -> bool {
        self.min.is_some()
            && self.cases.has(case)
            && match &self.metric {
                Metric::PassRate => true,
                Metric::Recall(tag) => case.tags.contains(tag),
                _ => false,
            }
    }
}

impl Policy {
    /// The quarantine that applies to a case today.
    #[must_use]
    pub fn quarantine_of(&self, case: &CaseResult) -> Option<&Quarantined> {
        let name = case.key().to_string();
        self.quarantine.iter().find(|one| one.until >= self.today && one.case.matches(&name))
    }

    /// Whether one confirmed failure of a case fails the gate.
    #[must_use]
    pub fn is_critical(&self, case: &CaseResult) -> bool {
        self.critical.iter().any(|selector| selector.has(case))
    }

    /// Whether a pass rate covers a case, so that its failures do not count one by one.
    pub(super) fn rated(&self, case: &CaseResult) -> bool {
        self.min_pass_rate.is_some() || self.thresholds.iter().any(|limit| limit.rates(case))
    }
}

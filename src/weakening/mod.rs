//! Where a change demands less than the commit that it is based on.
//!
//! Pure: two states of suite, policy, quarantine and baseline, as trees -> what was weakened, each at
//! its line. Trees know neither comments nor format, so these never count; whatever cannot be shown to
//! demand as much as before is told. Files of the past come by way of [`Past`].

mod baseline;
mod document;
mod expectation;
mod form;
mod judge;
mod kind;
mod leaf;
mod matching;
mod past;
mod policy;
mod quarantine;
mod schema;
mod selection;
mod suite;
mod target;
mod threshold;

use std::sync::Arc;

use crate::gate::Weakening;
use crate::source::SourceFile;
use crate::vocabulary::WeakeningKind;

pub use document::Document;
pub use past::{Scope, Then, nested};

/// All that is demanded of a release, at one time.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The scenario files.
    pub scenarios: Vec<Document>,
    /// The configuration.
    pub config: Option<Document>,
    /// The list of cases in quarantine that it names.
    pub quarantine: Option<Document>,
    /// The text of the baseline in the repository, where one is named.
    pub baseline: Option<Arc<SourceFile>>,
    /// Whether a budget is set, which rests on the prices.
    pub budget: bool,
}

impl Demands {
    /// The names of the scenarios.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.scenarios.iter().map(matching::scenario_name).collect()
    }
}

/// Names every way in which `now` demands less than `before`, by file and line.
#[must_use]
pub fn compare(before: &Demands, now: &Demands) -> Vec<Weakening> {
    let mut log = kind::Log::default();
    let pairs = matching::Pairs::of(before, now);
    suite::compare(&pairs, before, now, &mut log);
    policy::compare(&pairs, before, now, &mut log);
    threshold::compare(&pairs, before, now, &mut log);
    judge::compare(before, now, &mut log);
    target::compare(&pairs, before, now, &mut log);
    quarantine::compare(&pairs, before, now, &mut log);
    baseline::compare(&pairs, before, now, &mut log);
    log.close()
}

/// Takes out what messages quote of expectations: values, patterns, expressions, rubrics and schemas. For
/// runs with redaction, whose values stand in there, whole or cut.
pub fn withhold(found: &mut [Weakening]) {
    use WeakeningKind::{
        ExpressionChanged, PatternChanged, RubricChanged, SchemaLoosened, ValueAdded, ValueChanged,
        ValueRemoved,
    };
    let quoting = [
        ValueRemoved,
        ValueAdded,
        ValueChanged,
        PatternChanged,
        ExpressionChanged,
        SchemaLoosened,
        RubricChanged,
    ];
    for one in found.iter_mut().filter(|one| quoting.contains(&one.kind)) {
        let case = one.message.split(": ").next().unwrap_or_default();
        one.message =
            format!("{case}: what is expected there was another thing; with redaction on it is not told");
    }
}

#[cfg(test)]
mod tests;

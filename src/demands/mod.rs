//! Where a change demands less than the commit that it is based on.
//!
//! Pure: two states of suite, policy, quarantine and baseline -> what was weakened, each at its line. What an
//! expectation, a policy, a judge or a configuration demands less of stands in their own files, beside their
//! reading; here cases are paired, and what only shows over several files is compared. Files of the past come by way
//! of [`Past`](past::Past).

mod baseline;
mod cache;
mod calibration;
mod document;
mod pairs;
mod past;
mod quarantine;
mod suite;
mod target;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::{ConfigFile, Flags, Named, Suites};
use crate::environment::Environment;
use crate::gate::Weakening;
use crate::scenario::Selection;
use crate::source::{Location, SourceFile, Span};
use crate::text;
use crate::vocabulary::{CaseId, WeakeningKind, Weaker};

pub use cache::{Cached, cached, is_within};
pub use document::{Configuration, Document, ScenarioFile};
pub use past::{Scope, Then, nested};

/// All that is demanded of a release, at one time.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The scenario files.
    pub scenarios: Vec<ScenarioFile>,
    /// The configuration.
    pub config: Option<Configuration>,
    /// The list of cases in quarantine that it names.
    pub quarantine: Option<Document>,
    /// The text of the baseline in the repository, where one is named.
    pub baseline: Option<Arc<SourceFile>>,
    /// What the judge was measured by, where the configuration names it.
    pub calibration: Option<Arc<SourceFile>>,
    /// What flags of this run say, which no change can edit.
    pub flags: Flags,
    /// The cases that flags of this run select.
    pub selection: Selection,
    /// The environment of this run.
    pub environment: Environment,
    /// Whether a budget is set, which rests on the prices.
    pub budget: bool,
    /// Whether flags name a rate or a baseline.
    pub flags_decide: bool,
}

impl Demands {
    /// What files demand by their names: `akit.yaml`, `quarantine.yaml`, `baseline.json`, and scenarios. What is not
    /// YAML demands nothing.
    #[must_use]
    pub fn of(files: &[(&str, &str)], environment: &Environment) -> Self {
        let mut demands = Self { environment: environment.clone(), ..Self::default() };
        for (name, text) in files {
            let file = Arc::new(SourceFile::from_text(name, text));
            if *name == "baseline.json" {
                demands.baseline = Some(file);
            } else if *name == "calibration.json" {
                demands.calibration = Some(file);
            } else if let Ok(document) = Document::parse(file) {
                match *name {
                    "akit.yaml" => demands.config = Some(Configuration::of(document, environment)),
                    "quarantine.yaml" => demands.quarantine = Some(document),
                    _ => demands.scenarios.extend(ScenarioFile::of(document, environment)),
                }
            }
        }
        demands
    }

    /// The names of the scenarios.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.scenarios.iter().map(|suite| suite.scenario.name.clone()).collect()
    }

    /// What the configuration says; nothing where there is none.
    fn configured(&self) -> ConfigFile {
        self.config.as_ref().map(|config| config.config.clone()).unwrap_or_default()
    }
}

/// The cases of `now` by scenario and id that are in `before` too, under whatever name.
#[must_use]
pub fn kept(before: &Demands, now: &Demands) -> BTreeSet<(String, String)> {
    let pairs = pairs::Pairs::of(before, now);
    let own = |CaseId { scenario, id }: CaseId<'_>| (scenario.to_owned(), id.to_owned());
    pairs.kept().map(|(_, case)| own(case.key())).collect()
}

/// Names every way in which `now` demands less than `before`, by file and line.
#[must_use]
pub fn compare(before: &Demands, now: &Demands) -> Vec<Weakening> {
    let mut log = Log::default();
    let pairs = pairs::Pairs::of(before, now);
    let configs = (before.configured(), now.configured());
    suite::compare(&pairs, (&configs.0, &configs.1), now, &mut log);
    calibration::compare(before, now, &mut log);
    if let Some(config) = now.config.as_ref().or(before.config.as_ref()) {
        let tags: Vec<_> = pairs.kept().map(|(old, new)| old.tags_with(new)).collect();
        let kept = pairs.kept().zip(&tags);
        let kept = kept.map(|((old, new), tags)| (old.named(), Named { tags, ..new.named() })).collect();
        let graders = || {
            let cases = pairs.kept().flat_map(|(old, new)| [old, new]);
            cases.flat_map(pairs::Paired::graders)
        };
        let suites = Suites {
            before: pairs.before.iter().map(pairs::Paired::named).collect(),
            kept,
            flags_decide: now.flags_decide,
            is_judged: graders().next().is_some(),
            judges: graders().filter_map(|grader| Some(grader.named()?.provider.as_str())).collect(),
        };
        for weaker in configs.0.weaker(&configs.1, &suites) {
            log.key(&config.document, &weaker);
        }
    }
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
        one.message =
            format!("{}: what is expected there was another thing; with redaction on it is not told", one.of);
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Weakening>);

impl Log {
    /// What demands less is `of`: a case, a key, a file.
    pub(super) fn add(&mut self, kind: WeakeningKind, of: &str, location: Location, message: &str) {
        // A place that is not known is the file's first line: every report can show that.
        let location = Location { line: location.line.max(1), column: location.column.max(1), ..location };
        let (of, message) = (of.to_owned(), text::excerpt(message, 400));
        self.0.push(Weakening { kind, of, message, location });
    }

    /// Something about a file as a whole.
    pub(super) fn file(&mut self, kind: WeakeningKind, file: &str, message: &str) {
        self.add(kind, file, Location { file: file.to_owned(), line: 1, column: 1 }, message);
    }

    /// Something at a place of a file.
    pub(super) fn at(&mut self, kind: WeakeningKind, of: &str, file: &SourceFile, span: Span, message: &str) {
        self.add(kind, of, file.location(span), message);
    }

    /// Something behind keys of a file; the keys are what demands less, where nothing else is said.
    pub(super) fn key(&mut self, document: &Document, weaker: &Weaker) {
        let Weaker { kind, keys, of, message } = weaker;
        let of = of.clone().unwrap_or_else(|| keys.join("."));
        self.at(kind.clone(), &of, &document.file, document.node.place(keys), message);
    }

    /// Everything, by file and line, each once.
    pub(super) fn close(mut self) -> Vec<Weakening> {
        self.0.sort_by(|a, b| (&a.location, &a.kind, &a.message).cmp(&(&b.location, &b.kind, &b.message)));
        self.0.dedup();
        self.0
    }
}

#[cfg(test)]
mod tests;

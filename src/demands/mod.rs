//! Where a change is weaker than its base.
//!
//! A pure function: it takes two states of suite, policy, quarantine and baseline, and returns weakenings, each with
//! its line. Expectations, policies, judges and configurations compare themselves in their own modules; here cases are
//! paired, and differences across files are found. Files of the past come through [`Past`](past::Past).

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

/// Everything that is required of a release, in one state of the repository.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The scenario files.
    pub scenarios: Vec<ScenarioFile>,
    /// The configuration.
    pub config: Option<Configuration>,
    /// The quarantine that it names.
    pub quarantine: Option<Document>,
    /// The text of the baseline in the repository, if one is named.
    pub baseline: Option<Arc<SourceFile>>,
    /// The judge's calibration, if the configuration names it.
    pub calibration: Option<Arc<SourceFile>>,
    /// The flags of this run, which no change can edit.
    pub flags: Flags,
    /// The cases that flags of this run select.
    pub selection: Selection,
    /// The environment of this run.
    pub environment: Environment,
    /// Whether a budget is set, which depends on the prices.
    pub budget: bool,
    /// Whether flags set a rate or a baseline.
    pub flags_decide: bool,
}

impl Demands {
    /// Reads files by their names: `akit.yaml`, `quarantine.yaml`, `baseline.json`, and scenarios. Invalid YAML is
    /// ignored.
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

    /// The configuration, or the default.
    fn configured(&self) -> ConfigFile {
        self.config.as_ref().map(|config| config.config.clone()).unwrap_or_default()
    }
}

/// The cases of `now`, by scenario and id, that are also in `before` under any name.
#[must_use]
pub fn kept(before: &Demands, now: &Demands) -> BTreeSet<(String, String)> {
    let pairs = pairs::Pairs::of(before, now);
    let own = |CaseId { scenario, id }: CaseId<'_>| (scenario.to_owned(), id.to_owned());
    pairs.kept().map(|(_, case)| own(case.key())).collect()
}

/// Every way in which `now` is weaker than `before`, by file and line.
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

/// Removes what messages quote from expectations: values, patterns, expressions, rubrics and schemas. Used in runs with
/// redaction, because these may contain personal data, in full or in part.
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
        one.message = format!("{}: its expectation changed; redaction hides the values", one.of);
    }
}

/// The weakenings so far.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Weakening>);

impl Log {
    /// Adds a weakening of `of`: a case, a key, a file.
    pub(super) fn add(&mut self, kind: WeakeningKind, of: &str, location: Location, message: &str) {
        // Without a known place, use the file's first line, which every report can show.
        let location = Location { line: location.line.max(1), column: location.column.max(1), ..location };
        let (of, message) = (of.to_owned(), text::excerpt(message, 400));
        self.0.push(Weakening { kind, of, message, location });
    }

    /// Adds one about a file as a whole.
    pub(super) fn file(&mut self, kind: WeakeningKind, file: &str, message: &str) {
        self.add(kind, file, Location { file: file.to_owned(), line: 1, column: 1 }, message);
    }

    /// Adds one at a place in a file.
    pub(super) fn at(&mut self, kind: WeakeningKind, of: &str, file: &SourceFile, span: Span, message: &str) {
        self.add(kind, of, file.location(span), message);
    }

    /// Adds one at keys of a file; by default, the keys are what got weaker.
    pub(super) fn key(&mut self, document: &Document, weaker: &Weaker) {
        let Weaker { kind, keys, of, message } = weaker;
        let of = of.clone().unwrap_or_else(|| keys.join("."));
        self.at(kind.clone(), &of, &document.file, document.node.place(keys), message);
    }

    /// All weakenings, by file and line, each once.
    pub(super) fn close(mut self) -> Vec<Weakening> {
        self.0.sort_by(|a, b| (&a.location, &a.kind, &a.message).cmp(&(&b.location, &b.kind, &b.message)));
        self.0.dedup();
        self.0
    }
}

#[cfg(test)]
mod tests;

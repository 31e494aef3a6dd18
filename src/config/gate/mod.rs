//! The `gate:` section of the configuration, and the quarantine.

mod suites;
mod weaker;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::gate::{
    Category, Glob, Missing, Policy, Quarantined, Rigor, Selector, Thin, Threshold, Unconfirmed,
};
use crate::history::Place;
use crate::source::{
    Diagnostic, Diagnostics, Field, Fields, Node, ReadError, Shape, SourceFile, Span, Value,
};
use crate::text;
use crate::vocabulary::{CaseId, Metric};
use strum::VariantNames as _;

pub use suites::Suites;

const THRESHOLD: &[Field] = &[
    Field::required("metric", Shape::Name, "What is measured, such as `pass_rate` or `latency_p95_ms`."),
    Field::optional("min", Shape::Number(f64::NEG_INFINITY, f64::INFINITY), "Minimum value."),
    Field::optional("max", Shape::Number(f64::NEG_INFINITY, f64::INFINITY), "Maximum value."),
    Field::optional("tags", Shape::Texts, "Only cases with one of these tags."),
    Field::optional("scenario", Shape::Name, "Only scenarios whose name matches this glob."),
    Field::optional("case", Shape::Name, "Only cases whose `scenario/id` matches this glob."),
];

/// Keys of an entry of `critical`.
pub(in crate::config) const CRITICAL: &[Field] = &[
    Field::optional("tags", Shape::Texts, "Cases with one of these tags."),
    Field::optional("scenario", Shape::Name, "Scenarios whose name matches this glob."),
    Field::optional("case", Shape::Name, "Cases whose `scenario/id` matches this glob."),
];

const BASELINE: &[Field] = &[
    Field::optional("from", Shape::Name, "A file, `git:REV:PATH`, or `git-ref:NAME`."),
    Field::optional(
        "confirm",
        Shape::Integer(0),
        "Maximum extra trials of a failing case, or twice as many until one passes (10); with 0, one failure is proof.",
    ),
    Field::optional(
        "alpha",
        Shape::Number(1e-6, 0.5),
        "Probability that any case of an unchanged suite is reported as broken (0.02).",
    ),
    Field::optional("margin", Shape::Number(0.0, 1.0), "Tolerated drop in the mean pass rate (0.02)."),
    Field::optional(
        "missing",
        Shape::OneOf(Missing::VARIANTS),
        "Effect of a missing baseline (fail for a file or a named commit; warn at the base of a change or on a ref).",
    ),
    Field::optional(
        "thin",
        Shape::OneOf(Thin::VARIANTS),
        "How to treat a case that fails every extra trial when the baseline is thin (strict).",
    ),
    Field::optional(
        "unconfirmed",
        Shape::OneOf(Unconfirmed::VARIANTS),
        "Effect of a case that used to pass, fails now and cannot be asked again (inconclusive).",
    ),
];

/// Keys of `gate:`.
pub(in crate::config) const GATE: &[Field] = &[
    Field::optional(
        "min_pass_rate",
        Shape::Number(0.0, 1.0),
        "Minimum share of judged cases that must pass, 0 to 1.",
    ),
    Field::optional(
        "max_error_rate",
        Shape::Number(0.0, 1.0),
        "Maximum share of cases that could not be judged (0).",
    ),
    Field::optional("thresholds", Shape::Objects(THRESHOLD), "Limits on metrics."),
    Field::optional(
        "critical",
        Shape::Part("critical"),
        "Cases for which one confirmed failure fails the gate.",
    ),
    Field::optional("baseline", Shape::Object(BASELINE), "What the run is compared with."),
    Field::optional("fail_on", Shape::Texts, "Categories that fail the gate; the others are warnings."),
    Field::optional("policy", Shape::OneOf(Rigor::VARIANTS), "How much a change must prove (default)."),
    Field::optional(
        "quarantine",
        Shape::Name,
        "File with cases that are known to fail, relative to this file.",
    ),
];

/// Keys of an entry of a quarantine.
pub(in crate::config) const QUARANTINED: &[Field] = &[
    Field::required("case", Shape::Name, "Glob over `scenario/id`."),
    Field::required("owner", Shape::Name, "Who is responsible for it."),
    Field::required("reason", Shape::Name, "Why it may fail."),
    Field::required("until", Shape::Name, "Last day on which it applies, as in `2026-12-31`."),
];

/// Maximum extra trials of one case.
const MOST_TRIALS: u32 = 1_000;

/// The policy that a configuration sets for a run.
#[derive(Clone, Debug, Default)]
pub struct GateConfig {
    /// The rules.
    pub policy: Policy,
    /// `baseline.from`.
    pub from: Option<Place>,
    /// The file that `quarantine` names.
    pub quarantine: Option<PathBuf>,
    /// Names in the policy that must match some case.
    names: Vec<Name>,
}

/// A name in the policy and its place.
#[derive(Clone, Debug)]
struct Name {
    what: &'static str,
    selector: Selector,
    word: String,
    file: Arc<SourceFile>,
    span: Span,
}

/// A case, as far as a policy can refer to it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Name of its scenario.
    pub scenario: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Tags of scenario and case.
    pub tags: &'a [String],
}

impl GateConfig {
    /// Reads `gate:` and the quarantine that it names.
    pub(in crate::config) fn read(
        fields: &Fields<'_>,
        folder: &Path,
        source: &Arc<SourceFile>,
        found: &mut Diagnostics,
        read: &dyn Fn(&Path) -> Result<SourceFile, ReadError>,
    ) -> Self {
        let mut config = Self::default();
        let mut reader = Reader { source, found, names: Vec::new() };
        config.policy.min_pass_rate = fields.number("min_pass_rate");
        if let Some(rate) = fields.number("max_error_rate") {
            config.policy.max_error_rate = rate;
        }
        config.policy.thresholds =
            fields.objects("thresholds").iter().filter_map(|one| reader.threshold(one)).collect();
        if let Some(node) = fields.node("critical") {
            config.policy.critical = reader.critical(node);
        }
        if let Some(baseline) = fields.object("baseline") {
            if let Some((from, span)) = baseline.text("from") {
                match Place::parse(from) {
                    Ok(place) => config.from = Some(place),
                    Err(error) => reader.wrong(span, error.to_string(), "see docs/baseline.md".to_owned()),
                }
            }
            let policy = &mut config.policy;
            if let Some(trials) = baseline.integer("confirm") {
                match u32::try_from(trials).ok().filter(|trials| *trials <= MOST_TRIALS) {
                    Some(trials) => policy.confirm = trials,
                    None => reader.wrong(
                        baseline.key_span("confirm").unwrap_or_default(),
                        format!("`confirm` must be at most {MOST_TRIALS}, found {trials}"),
                        "lower it, or remove it for the default of 10".to_owned(),
                    ),
                }
            }
            policy.alpha = baseline.number("alpha").unwrap_or(policy.alpha);
            policy.margin = baseline.number("margin").unwrap_or(policy.margin);
            policy.missing = baseline.word("missing").or(policy.missing);
            policy.thin = baseline.word("thin").unwrap_or(policy.thin);
            policy.unconfirmed = baseline.word("unconfirmed").unwrap_or(policy.unconfirmed);
        }
        if let Some(words) = fields.texts("fail_on") {
            config.policy.fail_on = reader.categories(&words);
        }
        config.policy.rigor = fields.word("policy").unwrap_or(config.policy.rigor);
        config.names = reader.names;
        if let Some((file, span)) = fields.text("quarantine") {
            let path = folder.join(file);
            let (list, names) = quarantine(&path, read(&path), source, span, found);
            config.policy.quarantine = list;
            config.quarantine = Some(path);
            config.names.extend(names);
        }
        config
    }

    /// Reports names that match no case of the suite.
    pub fn check(&self, cases: &[Named<'_>], found: &mut Diagnostics) {
        for name in &self.names {
            if cases.iter().any(|case| name.selector.takes(case.scenario, case.id, case.tags)) {
                continue;
            }
            let known: Vec<String> = match name.what {
                "tag" => cases.iter().flat_map(|case| case.tags).cloned().collect(),
                "scenario" => cases.iter().map(|case| case.scenario.to_owned()).collect(),
                _ => cases.iter().map(|case| CaseId::new(case.scenario, case.id).to_string()).collect(),
            };
            let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
            let known: Vec<&str> = known.into_iter().collect();
            let help = text::meant(&name.word, &known, || {
                "check the spelling; if you run only part of the suite, set `scenariosDir` to the folder of the whole suite"
                    .to_owned()
            });
            let message = format!("no case has the {} `{}`", name.what, text::excerpt(&name.word, 80));
            found.push(Diagnostic::error("unknown-case", &name.file, name.span, message).help(help));
        }
    }
}

struct Reader<'a> {
    source: &'a Arc<SourceFile>,
    found: &'a mut Diagnostics,
    names: Vec<Name>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Span, message: String, help: String) {
        self.found.push(Diagnostic::error("wrong-value", self.source, span, message).help(help));
    }

    fn name(&mut self, what: &'static str, selector: Selector, word: &str, span: Span) {
        let (word, file) = (word.to_owned(), Arc::clone(self.source));
        self.names.push(Name { what, selector, word, file, span });
    }

    fn threshold(&mut self, fields: &Fields<'_>) -> Option<Threshold> {
        let (name, span) = fields.text("metric")?;
        let cases = self.selector(fields);
        let Some(metric) = Metric::parse(name) else {
            let names = Metric::names();
            let help = text::meant(name, &names, || {
                format!("known metrics: {}, and `TAG_recall`", text::list(&names))
            });
            self.wrong(span, format!("unknown metric `{}`", text::excerpt(name, 60)), help);
            return None;
        };
        if let Metric::Recall(tag) = &metric {
            let selector = Selector { tags: vec![tag.clone()], ..Selector::default() };
            self.name("tag", selector, tag, span);
        }
        let (min, max) = (fields.number("min"), fields.number("max"));
        if min.is_none() && max.is_none() {
            self.wrong(
                span,
                format!("the threshold on `{name}` has no limit"),
                "add `min:` or `max:`".to_owned(),
            );
            return None;
        }
        if metric.is_share() {
            for (key, limit) in [("min", min), ("max", max)] {
                if limit.is_some_and(|limit| !(0.0..=1.0).contains(&limit)) {
                    let help = "write 80% as `0.8`".to_owned();
                    let message = format!("`{name}` must be from 0 to 1");
                    self.wrong(fields.key_span(key).unwrap_or(span), message, help);
                }
            }
        }
        Some(Threshold { metric, cases, min, max })
    }

    fn selector(&mut self, fields: &Fields<'_>) -> Selector {
        let mut selector = Selector::default();
        for (tag, span) in fields.texts("tags").unwrap_or_default() {
            selector.tags.push(tag.to_owned());
            let only = Selector { tags: vec![tag.to_owned()], ..Selector::default() };
            self.name("tag", only, tag, span);
        }
        if let Some((glob, span)) = fields.text("scenario")
            && let Some(pattern) = self.pattern(glob, span)
        {
            self.name(
                "scenario",
                Selector { scenario: Some(pattern.clone()), ..Selector::default() },
                glob,
                span,
            );
            selector.scenario = Some(pattern);
        }
        if let Some((glob, span)) = fields.text("case") {
            selector.case = self.case(glob, span);
        }
        let parts = [!selector.tags.is_empty(), selector.scenario.is_some(), selector.case.is_some()];
        if parts.iter().filter(|part| **part).count() > 1 {
            self.name("selection", selector.clone(), selector.words().trim(), fields.span());
        }
        selector
    }

    fn case(&mut self, glob: &str, span: Span) -> Option<Glob> {
        let pattern = self.pattern(glob, span)?;
        self.name("case", Selector { case: Some(pattern.clone()), ..Selector::default() }, glob, span);
        Some(pattern)
    }

    fn pattern(&mut self, glob: &str, span: Span) -> Option<Glob> {
        match Glob::parse(glob) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.wrong(
                    span,
                    format!("invalid glob `{}`: {why}", text::excerpt(glob, 60)),
                    "`*` matches any text".to_owned(),
                );
                None
            }
        }
    }

    fn critical(&mut self, node: &Node) -> Vec<Selector> {
        let Value::List(items) = &node.value else {
            let message = format!("`critical` must be a list, found {}", node.value.kind());
            let help = "write `critical: [\"*/id\", { tags: [safety] }]`".to_owned();
            self.found.push(Diagnostic::error("wrong-type", self.source, node.span, message).help(help));
            return Vec::new();
        };
        let mut selectors = Vec::new();
        for item in items {
            if let Some(glob) = item.as_str() {
                let case = self.case(glob, item.span);
                selectors.extend(case.map(|case| Selector { case: Some(case), ..Selector::default() }));
            } else if let Some(fields) =
                Fields::check(item, CRITICAL, "an entry of `critical`", self.source, self.found)
            {
                let selector = self.selector(&fields);
                if selector.tags.is_empty() && selector.scenario.is_none() && selector.case.is_none() {
                    self.wrong(
                        item.span,
                        "this entry of `critical` selects nothing".to_owned(),
                        "add `tags:`, `scenario:` or `case:`".to_owned(),
                    );
                } else {
                    selectors.push(selector);
                }
            }
        }
        selectors
    }

    fn categories(&mut self, words: &[(&str, Span)]) -> BTreeSet<Category> {
        let mut set = BTreeSet::new();
        for (word, span) in words {
            if let Ok(category) = word.parse() {
                set.insert(category);
                continue;
            }
            let known = Category::VARIANTS;
            let help = text::meant(word, known, || format!("known categories: {}", text::list(known)));
            self.wrong(*span, format!("unknown category `{}` in `fail_on`", text::excerpt(word, 60)), help);
        }
        set
    }
}

/// Reads the quarantine.
fn quarantine(
    path: &Path,
    file: Result<SourceFile, ReadError>,
    named_in: &Arc<SourceFile>,
    at: Span,
    found: &mut Diagnostics,
) -> (Vec<Quarantined>, Vec<Name>) {
    let source = match file {
        Ok(source) => Arc::new(source),
        Err(error) => {
            let message = format!("cannot read the quarantine `{}`: {error}", crate::source::slashed(path));
            found.push(
                Diagnostic::error("unreadable-file", named_in, at, message)
                    .help("check the path, which is relative to this file, or remove the key"),
            );
            return Default::default();
        }
    };
    let node = match Node::parse(&source) {
        Ok(node) => node,
        Err(error) => {
            let message = format!("invalid YAML: {}", error.message);
            found.push(Diagnostic::error("invalid-yaml", &source, error.span, message));
            return Default::default();
        }
    };
    let items =
        match &node.value {
            Value::Null => return Default::default(),
            Value::List(items) => items,
            other => {
                let message = format!("a quarantine must be a list, found {}", other.kind());
                found.push(Diagnostic::error("wrong-type", &source, node.span, message).help(
                    "write `- { case: scenario/id, owner: name, reason: text, until: 2026-12-31 }` lines",
                ));
                return Default::default();
            }
        };
    let mut reader = Reader { source: &source, found, names: Vec::new() };
    let mut list = Vec::new();
    for item in items {
        let Some(fields) = Fields::check(item, QUARANTINED, "a quarantine", &source, reader.found) else {
            continue;
        };
        let Some((glob, span)) = fields.text("case") else { continue };
        let Some((until, day)) = fields.text("until") else { continue };
        if until.len() != 10 || NaiveDate::parse_from_str(until, "%Y-%m-%d").is_err() {
            reader.wrong(
                day,
                format!("invalid date `{}`", text::excerpt(until, 40)),
                "write it as `2026-12-31`".to_owned(),
            );
        }
        let case = reader.case(glob, span);
        if let (Some(case), Some(owner), Some(reason)) =
            (case, fields.string("owner"), fields.string("reason"))
        {
            list.push(Quarantined { case, owner, reason, until: until.to_owned() });
        }
    }
    let names = reader.names;
    (list, names)
}

//! Maps assertions to expectations.
//!
//! An expectation accepts exactly the answers that the assertion accepts; if it accepts fewer or more, a finding says
//! so.

use std::sync::Arc;

use super::assertion::{Assertion, Refusal, all, contains, inline, refused, regex};
use super::document::{Excerpt, Folder};
use super::template::{Template, Variables};
use super::yaml::YamlItem;
use super::{code, judged, schema};
use crate::expectation::pattern::Patterns;
use crate::expectation::{Expectation, Reading, Setup};
use crate::source::{Diagnostics, Node, SourceFile, Value};
use crate::text;

/// Keys that do not affect the verdict, or are read elsewhere.
const SILENT: [&str; 7] = ["type", "metric", "description", "value", "threshold", "provider", "assert"];

/// The result for an assertion.
#[derive(Clone, Debug)]
pub(super) enum Mapped {
    /// An equivalent expectation.
    Same(YamlItem),
    /// An expectation that differs as described.
    Near(YamlItem, String),
    /// No expectation: the reason, and what to write instead.
    Not(String, String),
}

impl Mapped {
    /// The result if the mean of all scores must reach a threshold, for which akit requires that each score reaches it.
    pub(super) fn scored(self, threshold: Option<f64>) -> Self {
        let Some(least) = threshold else { return self };
        let raise = |item| judged::raised(item, least);
        let raised = match self {
            Mapped::Same(item) => raise(item).map(Mapped::Same),
            Mapped::Near(item, how) => raise(item).map(|item| Mapped::Near(item, how)),
            not @ Mapped::Not(..) => Some(not),
        };
        raised.unwrap_or_else(|| {
            Mapped::Not(
                format!("its score counts toward a threshold of {least}"),
                "use an expectation with its own threshold".to_owned(),
            )
        })
    }
}

/// Maps an assertion of a test with these variables.
pub(super) fn map(part: &Excerpt, variables: &Variables, folder: &Folder) -> Mapped {
    let Some(kind) = part.node.get("type").and_then(Node::as_str) else {
        return Mapped::Not("it has no `type`".to_owned(), "add one".to_owned());
    };
    let inverse = kind.starts_with("not-");
    let kind = kind.strip_prefix("not-").unwrap_or(kind);
    let assertion = Assertion { part, kind, inverse, variables, folder };
    let (item, near) = match assertion.item() {
        Ok(found) => found,
        Err(refusal) => return Mapped::Not(refusal.why, refusal.instead),
    };
    if let Err(message) = accepts(&item, variables) {
        let instead = "fix the original, or write an akit expectation".to_owned();
        return Mapped::Not(format!("akit rejects the result: {message}"), instead);
    }
    if near.is_empty() { Mapped::Same(item) } else { Mapped::Near(item, near.join("; ")) }
}

/// Whether akit reads an expectation without an error.
fn accepts(item: &YamlItem, variables: &Variables) -> Result<(), String> {
    let file = Arc::new(SourceFile::from_text("expectation", &format!("{}\n", item.render())));
    let node = Node::parse(&file).map_err(|error| error.message)?;
    let (mut found, patterns) = (Diagnostics::default(), Patterns::default());
    let mut known = variables.clone();
    // A name without a value gets an empty one in the case.
    let mut texts = Vec::new();
    item.clone().map_texts(&mut |text| {
        texts.push(text.to_owned());
        String::new()
    });
    for template in texts.iter().filter_map(|text| Template::parse(text).ok()) {
        template.names().for_each(|name| {
            known.entry(name.to_owned()).or_default();
        });
    }
    let mut reading = Reading {
        file: &file,
        variables: &known,
        setup: &Setup::default(),
        patterns: &patterns,
        found: &mut found,
    };
    let _ = Expectation::read(&node, "it", &mut reading);
    let error = found.iter().find(|one| one.severity == crate::source::Severity::Error);
    error.map_or(Ok(()), |one| Err(text::excerpt(&one.message, 160)))
}

type Found = Result<(YamlItem, Vec<String>), Refusal>;

impl Assertion<'_> {
    fn item(&self) -> Found {
        if self.part.get("weight").and_then(|weight| weight.number()) == Some(0.0) {
            return Err(Refusal::new(
                "its weight is 0: promptfoo only reports it",
                "remove it, or write an expectation",
            ));
        }
        let mut near = self.keys()?;
        if self.kind == "assert-set" {
            return self.set(near);
        }
        let item = self.positive(&mut near)?;
        Ok((if self.inverse { inverted(item) } else { item }, near))
    }

    /// Differences caused by keys other than `value`; refuses keys that change the meaning of the assertion.
    fn keys(&self) -> Result<Vec<String>, Refusal> {
        let mut near = Vec::new();
        for (key, _, value) in self.part.entries() {
            match key.as_str() {
                "weight" if value.number() != Some(1.0) => {
                    near.push("akit requires every expectation and has no weights".to_owned());
                }
                key if SILENT.contains(&key) || key == "weight" => {}
                "transform" | "contextTransform" => {
                    return Err(Refusal::new(
                        format!("`{key}` changes the answer before it is judged"),
                        "judge the answer as is, or change it in the application",
                    ));
                }
                "rubricPrompt" => near.push("akit's judge uses its own prompt".to_owned()),
                key => {
                    return Err(Refusal::new(
                        format!("akit has no equivalent of its key `{}`", text::excerpt(key, 40)),
                        "use an akit expectation",
                    ));
                }
            }
        }
        Ok(near)
    }

    fn set(&self, mut near: Vec<String>) -> Found {
        let parts = self.part.get("assert").and_then(|list| list.items()).unwrap_or_default();
        if parts.is_empty() {
            return Err(Refusal::new("the set has no assertion", "remove it"));
        }
        if self.threshold().is_some_and(|threshold| threshold < 1.0) {
            near.push("akit requires the whole set, not a share of it".to_owned());
        }
        let mut items = Vec::new();
        for part in &parts {
            match map(part, self.variables, self.folder).scored(self.threshold()) {
                Mapped::Same(item) => items.push(item),
                Mapped::Near(item, how) => {
                    items.push(item);
                    near.push(how);
                }
                Mapped::Not(why, instead) => {
                    let line = part.node.span.line;
                    return Err(Refusal::new(
                        format!("its part on line {line} has no equivalent: {why}"),
                        instead,
                    ));
                }
            }
        }
        Ok((all(items), near))
    }

    /// Refuses a value with which promptfoo fails for any answer.
    fn takes_value(&self) -> Result<(), Refusal> {
        let Some(value) = self.part.get("value") else { return Ok(()) };
        let (text, number) = (value.node.as_str().is_some(), value.number().is_some());
        let taken = match self.kind {
            "contains" | "icontains" => text || number,
            "starts-with" | "regex" | "levenshtein" => text,
            "contains-any" | "contains-all" | "icontains-any" | "icontains-all" => {
                text || value.items().is_some()
            }
            _ => true,
        };
        let kind = value.node.value.kind();
        if taken { Ok(()) } else { Err(Refusal::new(format!("its `value` is {kind}, not text"), "use text")) }
    }

    fn positive(&self, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
        self.takes_value()?;
        match self.kind {
            "contains" => Ok(regex(self.template()?.pattern())),
            "icontains" => Ok(contains(vec![self.template()?.text()], "all")),
            "contains-any" => {
                let patterns: Vec<_> = self.templates()?.iter().map(Template::pattern).collect();
                Ok(regex(if patterns.len() == 1 { patterns.concat() } else { patterns.join("|") }))
            }
            "contains-all" => Ok(all(self.templates()?.iter().map(|one| regex(one.pattern())).collect())),
            "icontains-any" => Ok(contains(self.templates()?.iter().map(Template::text).collect(), "any")),
            "icontains-all" => Ok(contains(self.templates()?.iter().map(Template::text).collect(), "all")),
            "starts-with" => Ok(regex(format!("^{}", self.template()?.pattern()))),
            "equals" => self.equals(),
            "regex" => self.regex(),
            "is-json" => Ok(schema::bare_json(schema::of(self, near)?)),
            "contains-json" => schema::contained(self, near),
            "levenshtein" => self.levenshtein(),
            "word-count" => self.word_count(),
            "javascript" => code::expression(self, near),
            _ => judged::item(self, near),
        }
    }

    fn equals(&self) -> Result<YamlItem, Refusal> {
        let value = self.value()?;
        if matches!(value.node.value, Value::Map(_) | Value::List(_)) {
            return Ok(schema::bare_json(YamlItem::map([("const", schema::without_templates(&value)?)])));
        }
        Ok(YamlItem::map([
            ("type", YamlItem::text("inline")),
            // `exact` ignores white space at both ends; promptfoo does not.
            ("expression", YamlItem::text("response == expected")),
            ("value", YamlItem::Text(self.template()?.text())),
        ]))
    }

    fn regex(&self) -> Result<YamlItem, Refusal> {
        let template = self.template()?;
        // promptfoo makes the value part of the pattern; akit would match the value literally.
        let pattern = if template.names().next().is_some() {
            let filled = template.filled(self.variables).ok_or_else(|| {
                Refusal::new("its pattern contains environment variables", "write the pattern out")
            })?;
            Template::parse(&filled).map_err(|error| refused(&error))?.text()
        } else {
            template.text()
        };
        Ok(regex(pattern))
    }

    /// The edit distance; promptfoo's default is 5.
    fn levenshtein(&self) -> Result<YamlItem, Refusal> {
        let template = self.template()?;
        let most = match self.part.get("threshold") {
            None => 5.0,
            Some(most) => most.number().filter(|most| *most >= 0.0).ok_or_else(|| {
                Refusal::new("its `threshold` is negative or not a number", "use a number of 0 or more")
            })?,
        };
        Ok(YamlItem::map([
            ("type", YamlItem::text("fuzzy")),
            ("value", YamlItem::Text(template.text())),
            ("distance", YamlItem::number(most.floor())),
        ]))
    }

    fn word_count(&self) -> Result<YamlItem, Refusal> {
        let value = self.value()?;
        let bound = |key: &str| value.get(key).and_then(|number| number.number());
        if ["min", "max"].iter().any(|key| value.get(key).is_some() && bound(key).is_none()) {
            return Err(Refusal::new("`min` or `max` is not a number", "use a number"));
        }
        let parts = match (value.number(), bound("min"), bound("max")) {
            (Some(exactly), ..) => vec![format!("words.length == {exactly}")],
            (None, least, most) => {
                let least = least.map(|least| format!("words.length >= {least}"));
                let most = most.map(|most| format!("words.length <= {most}"));
                least.into_iter().chain(most).collect()
            }
        };
        if parts.is_empty() {
            return Err(Refusal::new(
                "it has neither a number nor `min` or `max`",
                "use `inline` with `words.length < 50`",
            ));
        }
        Ok(inline(&parts.join(" && ")))
    }
}

/// The negation; that of `contains` is a separate kind.
fn inverted(item: YamlItem) -> YamlItem {
    let YamlItem::Map(entries) = &item else { return YamlItem::map([("not", item)]) };
    if entries.first() != Some(&("type".to_owned(), YamlItem::text("contains"))) {
        return YamlItem::map([("not", item)]);
    }
    let entry = |(key, item): &(String, YamlItem)| match (key.as_str(), item) {
        ("type", _) => Some((key.clone(), YamlItem::text("not_contains"))),
        // Not all: one may be missing. Not any: none may be there, which is the default.
        ("mode", mode) => (*mode == YamlItem::text("all")).then(|| (key.clone(), YamlItem::text("not_all"))),
        _ => Some((key.clone(), item.clone())),
    };
    YamlItem::Map(entries.iter().filter_map(entry).collect())
}

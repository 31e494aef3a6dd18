//! One assertion of promptfoo as an expectation of akit.
//!
//! An expectation holds for the same answers, or for fewer where that is told; never for more without a word.

use super::document::{Excerpt, Folder};
use super::template::{Template, Variables, no_mapping};
use super::yaml::YamlItem;
use crate::source::{Node, Value};
use crate::text;

/// Why an assertion, or a text in it, cannot be taken over.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Why.
    pub(super) why: String,
    /// What to write instead.
    pub(super) instead: String,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { why: why.into(), instead: instead.into() }
    }
}

/// An assertion while it is read.
#[derive(Debug)]
pub(super) struct Assertion<'a> {
    pub(super) part: &'a Excerpt,
    /// The kind without `not-`.
    pub(super) kind: &'a str,
    /// Whether it began with `not-`.
    pub(super) inverse: bool,
    pub(super) variables: &'a Variables,
    pub(super) folder: &'a Folder,
}

impl Assertion<'_> {
    /// What stands under `value`.
    pub(super) fn value(&self) -> Result<Excerpt, Refusal> {
        self.part.get("value").ok_or_else(|| Refusal::new("it has no `value`", "give it one"))
    }

    /// What stands under `threshold`.
    pub(super) fn threshold(&self) -> Option<f64> {
        self.part.get("threshold")?.number()
    }

    /// The text under `value`, taken apart.
    pub(super) fn template(&self) -> Result<Template, Refusal> {
        self.template_of(&self.value()?)
    }

    /// The texts under `value`: a list, or one text with commas.
    pub(super) fn templates(&self) -> Result<Vec<Template>, Refusal> {
        let value = self.value()?;
        if let Some(items) = value.items() {
            if items.is_empty() {
                return Err(Refusal::new("its list is empty", "name at least one value"));
            }
            return items.iter().map(|item| self.template_of(item)).collect();
        }
        // promptfoo fills the text before it takes it apart.
        let text = self.template_of(&value)?.filled(self.variables).ok_or_else(|| {
            Refusal::new("its values take a part from the environment", "write them as a list")
        })?;
        if text.contains('"') || text.contains("{{") {
            return Err(Refusal::new(
                "its values are one text with quotes or braces between commas",
                "write them as a list",
            ));
        }
        let parts = text.split(',').map(text::js_trim).filter(|part| !part.is_empty());
        let templates: Result<Vec<_>, _> = parts.map(Template::taken).collect();
        match templates {
            Ok(templates) if templates.is_empty() => {
                Err(Refusal::new("there is nothing between its commas", "name at least one value"))
            }
            templates => templates.map_err(|error| refused(&error)),
        }
    }

    pub(super) fn template_of(&self, part: &Excerpt) -> Result<Template, Refusal> {
        let text = scalar(&part.node).ok_or_else(|| {
            Refusal::new(format!("its `value` is {}, not text", part.node.value.kind()), "write text")
        })?;
        let template = match text.strip_prefix("file://") {
            Some(name) if [".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)) => {
                return Err(Refusal::new("its `value` is data in a file", "write the value into the suite"));
            }
            Some(name)
                if [".js", ".mjs", ".cjs", ".ts", ".py", ".rb"].iter().any(|end| name.contains(end)) =>
            {
                return Err(Refusal::new(
                    "its `value` is a program",
                    "akit runs no code; say it with an expectation",
                ));
            }
            Some(_) => {
                let content = self.folder.text(&text).map_err(|error| {
                    let what = format!("cannot read `{}`: {error}", text::excerpt(&text, 60));
                    Refusal::new(what, "check the path")
                })?;
                Template::taken(text::js_trim(&content))
            }
            None => Template::parse(&text),
        };
        let template = template.map_err(|error| refused(&error))?;
        no_mapping(template.names(), self.variables).map_err(|error| refused(&error))?;
        if template.filled(self.variables).is_some_and(|text| text.is_empty()) {
            return Err(Refusal::new("its `value` is empty", "give it one"));
        }
        Ok(template)
    }
}

/// A scalar as JavaScript writes it.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(super) fn refused(error: &super::template::TemplateError) -> Refusal {
    Refusal::new(error.to_string(), "write the text out, or give the case a variable with the finished value")
}

pub(super) fn regex(pattern: String) -> YamlItem {
    YamlItem::map([("type", YamlItem::text("regex")), ("pattern", YamlItem::Text(pattern))])
}

pub(super) fn inline(expression: &str) -> YamlItem {
    YamlItem::map([("type", YamlItem::text("inline")), ("expression", YamlItem::text(expression))])
}

pub(super) fn contains(values: Vec<String>, mode: &str) -> YamlItem {
    let several = values.len() > 1;
    let mut entries = vec![
        ("type".to_owned(), YamlItem::text("contains")),
        ("values".to_owned(), YamlItem::List(values.into_iter().map(YamlItem::Text).collect())),
    ];
    if several {
        entries.push(("mode".to_owned(), YamlItem::text(mode)));
    }
    YamlItem::Map(entries)
}

/// Every one of several expectations; one stands for itself, and the parts of such a whole stand beside the others.
pub(super) fn all(items: Vec<YamlItem>) -> YamlItem {
    let mut parts: Vec<YamlItem> = Vec::new();
    for item in items {
        match &item {
            YamlItem::Map(entries) => match entries.as_slice() {
                [(_, kind), (_, operator), (_, YamlItem::List(inner))]
                    if *kind == YamlItem::text("combined") && *operator == YamlItem::text("and") =>
                {
                    parts.extend(inner.iter().cloned());
                }
                _ => parts.push(item),
            },
            _ => parts.push(item),
        }
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            combined("and", parts)
        }
    }
}

pub(super) fn combined(operator: &str, items: Vec<YamlItem>) -> YamlItem {
    YamlItem::map([
        ("type", YamlItem::text("combined")),
        ("operator", YamlItem::text(operator)),
        ("expectations", YamlItem::List(items)),
    ])
}

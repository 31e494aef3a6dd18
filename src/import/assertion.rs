//! One promptfoo assertion as an akit expectation.
//!
//! An expectation accepts exactly the answers that the assertion accepts; if it accepts fewer or more, a finding says
//! so.

use super::document::{Excerpt, Folder};
use super::template::{Template, Variables, no_mapping};
use super::yaml::YamlItem;
use crate::source::{Node, Value};
use crate::text;

/// Why an assertion, or a string in it, cannot be imported.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The reason.
    pub(super) why: String,
    /// What to write instead.
    pub(super) instead: String,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { why: why.into(), instead: instead.into() }
    }
}

/// An assertion being read.
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
    /// The node under `value`.
    pub(super) fn value(&self) -> Result<Excerpt, Refusal> {
        self.part.get("value").ok_or_else(|| Refusal::new("it has no `value`", "add one"))
    }

    /// The number under `threshold`.
    pub(super) fn threshold(&self) -> Option<f64> {
        self.part.get("threshold")?.number()
    }

    /// The text under `value`, parsed as a template.
    pub(super) fn template(&self) -> Result<Template, Refusal> {
        self.template_of(&self.value()?)
    }

    /// The strings under `value`: a list, or a single string with commas.
    pub(super) fn templates(&self) -> Result<Vec<Template>, Refusal> {
        let value = self.value()?;
        if let Some(items) = value.items() {
            if items.is_empty() {
                return Err(Refusal::new("its list is empty", "add at least one value"));
            }
            return items.iter().map(|item| self.template_of(item)).collect();
        }
        // promptfoo fills the text before it splits it.
        let text = self.template_of(&value)?.filled(self.variables).ok_or_else(|| {
            Refusal::new("its values contain environment variables", "write them as a list")
        })?;
        if text.contains('"') || text.contains("{{") {
            return Err(Refusal::new(
                "its values are one comma-separated string with quotes or braces",
                "write them as a list",
            ));
        }
        let parts = text.split(',').map(text::js_trim).filter(|part| !part.is_empty());
        let templates: Result<Vec<_>, _> = parts.map(Template::taken).collect();
        match templates {
            Ok(templates) if templates.is_empty() => {
                Err(Refusal::new("there is nothing between its commas", "add at least one value"))
            }
            templates => templates.map_err(|error| refused(&error)),
        }
    }

    pub(super) fn template_of(&self, part: &Excerpt) -> Result<Template, Refusal> {
        let text = scalar(&part.node).ok_or_else(|| {
            Refusal::new(format!("its `value` is {}, not text", part.node.value.kind()), "use text")
        })?;
        let template = match text.strip_prefix("file://") {
            Some(name) if [".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)) => {
                return Err(Refusal::new("its `value` is data in a file", "move the value into the suite"));
            }
            Some(name)
                if [".js", ".mjs", ".cjs", ".ts", ".py", ".rb"].iter().any(|end| name.contains(end)) =>
            {
                return Err(Refusal::new(
                    "its `value` is a program",
                    "akit does not run code; use an expectation",
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
            return Err(Refusal::new("its `value` is empty", "add one"));
        }
        Ok(template)
    }
}

/// A scalar as JavaScript prints it.
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
    Refusal::new(error.to_string(), "write the text out, or add a variable with the final value to the case")
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

/// All of several expectations. A single one stays as it is; the parts of a nested `and` are merged in.
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

//! `${NAME}` and `${NAME:-default}` in the strings of a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::source::{self, Diagnostic, Diagnostics, Location, Node, SourceFile, Span, Value};

/// Largest event payload that is read, in bytes; GitHub's are at most 25 MB.
const MAX_EVENT: u64 = 32 * 1024 * 1024;

/// The environment that akit was started with.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// An environment with these variables and no others.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every variable, sorted by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a variable is set but empty, which counts as not set.
    #[must_use]
    pub fn is_empty_at(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(String::is_empty)
    }

    /// The text with its variables filled in, and the values that were inserted; references without a value or a
    /// default stay as they are.
    #[must_use]
    pub fn filled(&self, text: &str) -> (String, Vec<&str>) {
        let mut values = Vec::new();
        let filled = fill(text, |name, default| {
            let value = self.get(name);
            values.extend(value);
            value.or(default).map(str::to_owned)
        });
        (filled, values)
    }

    /// The payload of the event that started a GitHub workflow; `None` if there is none or it cannot be read.
    #[must_use]
    pub fn event(&self) -> Option<Json> {
        let bytes = source::read(Path::new(self.get("GITHUB_EVENT_PATH")?), MAX_EVENT).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Whether akit runs in a pipeline.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        self.get("CI").is_some_and(|value| value != "false" && value != "0")
    }
}

/// An unset variable that a section of a file needs: an error only once that section is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Unset {
    name: String,
    location: Location,
    span: Span,
}

impl Unset {
    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> String {
        let name = &self.name;
        format!(
            "set it, add a default (`${{{name}:-default}}`), or write `$${{{name}}}` for the literal text"
        )
    }
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable `{}` is not set ({})", self.name, self.location)
    }
}

/// Whether a section of a document is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relevance {
    /// Yes: a variable without a value is an error.
    Used,
    /// Maybe: its unset variables are kept until then.
    Perhaps,
    /// Never: nothing in it is filled.
    Idle,
}

/// The result of filling a document.
#[derive(Debug, Default)]
pub struct Filled {
    /// The variables whose values were inserted: anyone who gets the contents of the file gets these values.
    pub used: BTreeSet<String>,
    /// The unset variables of sections that may be used, each with the path of its key.
    unset: Vec<(Vec<String>, Unset)>,
}

/// The unset variables of a section, by key.
pub type Waiting = Vec<(String, Unset)>;

impl Filled {
    /// The unset variables of the section at this path.
    #[must_use]
    pub fn unset_below(&self, path: &[&str]) -> Waiting {
        let below = |keys: &[String]| keys.len() > path.len() && keys.iter().zip(path).all(|(a, b)| a == b);
        let unset = self.unset.iter().filter(|(keys, _)| below(keys));
        unset.map(|(keys, unset)| (keys[path.len()].clone(), unset.clone())).collect()
    }
}

/// Fills every string of a document; `part` decides from the path of a value whether it is used. Its decision applies
/// to everything below that path, except that parts of it may be unused.
///
/// `$${NAME}` is a literal `${NAME}`. Under `apiKey`, a variable may be unset: judging recorded answers needs no key,
/// and the provider decides whether one is needed.
pub fn expand(
    node: &mut Node,
    environment: &Environment,
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
    part: impl Fn(&[&str]) -> Relevance,
) -> Filled {
    let filled = Filled::default();
    let mut filling =
        Filling { environment, filled, path: Vec::new(), file, part: &part, relevance: Relevance::Used };
    let Value::Map(entries) = &mut node.value else { return filling.filled };
    for (key, value) in entries {
        filling.relevance = key.as_str().map_or(Relevance::Used, |key| part(&[key]));
        let kept = filling.filled.unset.len();
        filling.entry(key, value);
        if filling.relevance == Relevance::Used {
            for (_, unset) in filling.filled.unset.drain(kept..) {
                let message = format!("environment variable `{}` is not set", unset.name);
                let finding = Diagnostic::error("unset-environment", file, unset.span, message);
                found.push(finding.help(unset.help()));
            }
        }
    }
    for name in &filling.filled.used {
        found.fill(name, environment.get(name).unwrap_or_default());
    }
    filling.filled
}

struct Filling<'a> {
    environment: &'a Environment,
    filled: Filled,
    /// The path of the current node.
    path: Vec<String>,
    file: &'a SourceFile,
    part: &'a dyn Fn(&[&str]) -> Relevance,
    /// Whether the section being filled is used.
    relevance: Relevance,
}

impl Filling<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::String(text) if text.contains('$') => {
                let missing = self.text(text);
                if !missing.is_empty() && self.relevance != Relevance::Used {
                    node.value = Value::Waiting;
                }
                for name in missing {
                    let unset = Unset { name, location: self.file.location(node.span), span: node.span };
                    self.filled.unset.push((self.path.clone(), unset));
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| self.entry(key, value)),
            _ => {}
        }
    }

    fn entry(&mut self, key: &Node, value: &mut Node) {
        let name = key.as_str().unwrap_or_default();
        if name == "apiKey"
            && let Value::String(text) = &mut value.value
        {
            // A key that is just `${NAME}` stays as written if the variable is not set.
            self.text(text);
            return;
        }
        // Headers stay as written: akit decides later which servers may get them and what may be shown.
        let above: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if name == "headers"
            && matches!(above.as_slice(), ["providerConfig"] | ["providers", _])
            && let Value::Map(entries) = &value.value
        {
            self.path.push(name.to_owned());
            for (_, header) in entries {
                for name in header.as_str().map(|text| self.text(&mut text.to_owned())).unwrap_or_default() {
                    let unset = Unset { name, location: self.file.location(header.span), span: header.span };
                    self.filled.unset.push((self.path.clone(), unset));
                }
            }
            self.path.pop();
            return;
        }
        self.path.push(name.to_owned());
        let keys: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if (self.part)(&keys) == Relevance::Idle {
            idle(value);
        } else {
            self.node(value);
        }
        self.path.pop();
    }

    /// Fills in the variables of a string, and returns those that have neither a value nor a default.
    fn text(&mut self, text: &mut String) -> Vec<String> {
        let mut missing = Vec::new();
        *text = fill(text, |name, default| {
            let value = self.environment.get(name).map(str::to_owned);
            if value.is_some() {
                self.filled.used.insert(name.to_owned());
            } else if default.is_none() {
                missing.push(name.to_owned());
            }
            value.or(default.map(str::to_owned))
        });
        missing
    }
}

/// Removes references from a section that is never used, so that they cause no error.
fn idle(node: &mut Node) {
    match &mut node.value {
        Value::String(text) if text.contains("${") => node.value = Value::Waiting,
        Value::List(items) => items.iter_mut().for_each(idle),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| idle(value)),
        _ => {}
    }
}

/// The unset variable that a key refers to.
#[must_use]
pub fn unset(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// Escapes every `${NAME}` in a string, so that it is not substituted when akit reads the file.
#[must_use]
pub fn literal(text: &str) -> String {
    replace(text, |before, whole, _, _| format!("{before}${whole}"))
}

fn fill(text: &str, mut value: impl FnMut(&str, Option<&str>) -> Option<String>) -> String {
    replace(text, |before, whole, name, default| match before.strip_suffix('$') {
        Some(before) => format!("{before}{whole}"),
        None => before.to_owned() + &value(name, default).unwrap_or_else(|| whole.to_owned()),
    })
}

/// Replaces each `${NAME}` and `${NAME:-default}` together with the text before it: `put` gets that text, the whole
/// reference, its name and its default.
fn replace(text: &str, mut put: impl FnMut(&str, &str, &str, Option<&str>) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find("${").map(|at| from + at) {
        let inner = rest[open + 2..].find('}').map(|close| &rest[open + 2..open + 2 + close]);
        let parsed = inner.and_then(|inner| {
            let (name, default) = match inner.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inner, None),
            };
            is_name(name).then_some((inner, name, default))
        });
        let Some((inner, name, default)) = parsed else {
            from = open + 2;
            continue;
        };
        let whole = &rest[open..open + inner.len() + 3];
        out.push_str(&put(&rest[..open], whole, name, default));
        rest = &rest[open + whole.len()..];
        from = 0;
    }
    out.push_str(rest);
    out
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_defaults_and_literals() {
        let environment = Environment::of([("A", "1"), ("EMPTY", "")]);
        let table = [
            ("x${A}y", "x1y"),
            ("${B:-2}", "2"),
            ("${B:-}", ""),
            ("${EMPTY:-3}", "3"),
            ("$${A}", "${A}"),
            ("${B}", "${B}"),
            ("${not a name} ${", "${not a name} ${"),
            ("a$A", "a$A"),
            ("${A}${A}", "11"),
        ];
        for (text, expected) in table {
            let filled = fill(text, |name, default| {
                environment.get(name).map(str::to_owned).or(default.map(str::to_owned))
            });
            assert_eq!(filled, expected, "{text}");
        }
    }

    #[test]
    fn a_literal_reads_back_as_the_text() {
        for text in ["${A}", "$${A}", "$$${A:-x}", "${ ${A}", "a$A", r"^\${A}$", "${A}${B}", "${not a name}"]
        {
            assert_eq!(fill(&literal(text), |_, _| Some("filled".to_owned())), text);
        }
    }
}

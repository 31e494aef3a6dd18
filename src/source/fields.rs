//! Reads mappings according to a [table of fields](super::Field), and reports everything that is wrong at once. A
//! derived `Deserialize` would stop at the first error of each mapping.

use std::str::FromStr;
use std::sync::Arc;

use super::field::STEPS;
use super::{Diagnostic, Diagnostics, Field, Node, Shape, SourceFile, Span, Value};
use crate::text;

/// One mapping of a document, checked against its table.
///
/// A getter returns `None` both for a missing key and for one with a wrong value; the wrong value was already reported.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    table: &'static [Field],
    entries: &'a [(Node, Node)],
    span: Span,
}

impl<'a> Fields<'a> {
    /// Checks a mapping: unknown and duplicate keys, missing keys, wrong values.
    ///
    /// `what` names the mapping in messages, as in "a case". Returns `None` if this is not a mapping.
    pub fn check(
        node: &'a Node,
        table: &'static [Field],
        what: &str,
        file: &Arc<SourceFile>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let message = format!("{what} must be a mapping, found {}", node.value.kind());
            let keys: Vec<_> = table.iter().filter(|f| f.required).map(|f| f.name).collect();
            let help = match keys.as_slice() {
                [] => "write it as `key: value` lines".to_owned(),
                keys => format!("write it as `key: value` lines; required keys: {}", text::list(keys)),
            };
            found.push(Diagnostic::error("wrong-type", file, node.span, message).help(help));
            return None;
        };
        check_keys(entries, file, found);
        let mut meant = Vec::new();
        for (key, value) in entries {
            match key.as_str().and_then(|name| table.iter().find(|field| field.name == name)) {
                Some(field) if field.known() => {
                    if !field.instead.is_empty() {
                        let message = format!("`{}` has no effect in akit", field.name);
                        let finding = Diagnostic::error("no-effect", file, key.span, message).warn();
                        found.push(finding.help(field.instead));
                    }
                    check_value(field, value, file, found);
                }
                _ => meant.extend(unknown_key(key, table, what, file, found)),
            }
        }
        let span = entries.first().map_or(node.span, |(key, _)| key.span);
        for field in table.iter().filter(|field| field.required) {
            // One finding for a misspelled key is enough.
            if node.get(field.name).is_none() && !meant.contains(&field.name) {
                let message = format!("{what} needs `{}`", field.name);
                found.push(
                    Diagnostic::error("missing-field", file, span, message)
                        .label(format!("`{}` is missing here", field.name))
                        .help(format!("add `{}:` — {}", field.name, text::uncapitalized(field.doc))),
                );
            }
        }
        Some(Self { table, entries, span })
    }

    /// Whether an unknown key is probably a misspelling of this one, which then needs no finding of its own.
    #[must_use]
    pub fn may_mean(&self, name: &str) -> bool {
        let is_known = |key: &str| self.table.iter().any(|field| field.name == key);
        let unknown = self.entries.iter().filter_map(|(key, _)| key.as_str()).filter(|key| !is_known(key));
        unknown.into_iter().any(|key| text::nearest(key, &[name]).is_some())
    }

    /// The start of the mapping: its first key.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The place of the key itself.
    #[must_use]
    pub fn key_span(&self, name: &str) -> Option<Span> {
        self.entries.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(key, _)| key.span)
    }

    /// Whether this is the only key.
    #[must_use]
    pub fn is_only(&self, name: &str) -> bool {
        self.entries.iter().all(|(key, _)| key.as_str() == Some(name))
    }

    /// Any value of the key, checked by shape.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        let field = self.table.iter().find(|field| field.name == name);
        debug_assert!(field.is_some(), "no field {name}");
        let (_, value) = self.entries.iter().find(|(key, _)| key.as_str() == Some(name))?;
        problem(&field?.shape, value).is_none().then_some(value)
    }

    /// Text and its place.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<(&'a str, Span)> {
        let node = self.node(name)?;
        Some((node.as_str()?, node.span))
    }

    /// Text as an owned string.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<String> {
        self.text(name).map(|(text, _)| text.to_owned())
    }

    /// One of the words of a type.
    #[must_use]
    pub fn word<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.0.parse().ok()
    }

    /// A boolean.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.node(name)?.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A number, whole or not.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.node(name)?.number()
    }

    /// A whole number that is not negative.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<u64> {
        match self.node(name)?.value {
            Value::Integer(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }

    /// A list of text with places.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<(&'a str, Span)>> {
        match &self.node(name)?.value {
            Value::List(items) => {
                Some(items.iter().filter_map(|item| Some((item.as_str()?, item.span))).collect())
            }
            _ => None,
        }
    }

    /// A list of text.
    #[must_use]
    pub fn strings(&self, name: &str) -> Vec<String> {
        let texts = self.texts(name).unwrap_or_default();
        texts.into_iter().map(|(text, _)| text.to_owned()).collect()
    }

    /// Names with scalar values, as text: numbers as written in the file.
    #[must_use]
    pub fn scalars(&self, name: &str, file: &SourceFile) -> Vec<(String, String)> {
        match self.node(name).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), written(value, file)?)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Names, each with a word.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<(String, String)> {
        let Some(Value::Map(entries)) = self.node(name).map(|node| &node.value) else { return Vec::new() };
        let texts = |(key, word): &(Node, Node)| Some((key.as_str()?.to_owned(), word.as_str()?.to_owned()));
        entries.iter().filter_map(texts).collect()
    }

    /// The mapping under a key, with its own getters.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Fields<'a>> {
        let field = self.table.iter().find(|field| field.name == name)?;
        let (Shape::Object(table), node) = (field.shape, self.node(name)?) else { return None };
        match &node.value {
            Value::Map(entries) => Some(Fields { table, entries, span: node.span }),
            _ => None,
        }
    }

    /// The mappings of the list under a key.
    #[must_use]
    pub fn objects(&self, name: &str) -> Vec<Fields<'a>> {
        let Some(field) = self.table.iter().find(|field| field.name == name) else { return vec![] };
        let (Shape::Objects(table), Some(node)) = (field.shape, self.node(name)) else {
            return vec![];
        };
        let Value::List(items) = &node.value else { return vec![] };
        let of = |item: &'a Node| match &item.value {
            Value::Map(entries) => Some(Fields { table, entries, span: item.span }),
            _ => None,
        };
        items.iter().filter_map(of).collect()
    }
}

fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(value) => Some(value.to_string()),
        // `1.0` stays `1.0`.
        Value::Float(value) => Some(format!("{value:?}")),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A scalar as written in its file: `01234` and `3.10` must not become numbers.
fn written(node: &Node, file: &SourceFile) -> Option<String> {
    let number = node.number().and_then(|_| file.number_at(node.span));
    number.map(str::to_owned).or_else(|| scalar(node))
}

/// Reports an unknown key; returns the key that was probably meant.
fn unknown_key(
    key: &Node,
    table: &[Field],
    what: &str,
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
) -> Option<&'static str> {
    let name = key.as_str().filter(|name| *name != "<<")?;
    let names: Vec<&'static str> = table.iter().filter(|f| f.known()).map(|f| f.name).collect();
    let foreign = table.iter().find(|field| field.name == name);
    let near = if foreign.is_some() { None } else { text::nearest(name, &names) };
    let message = format!("unknown key `{}` in {what}", text::excerpt(name, 60));
    let help = match foreign {
        Some(foreign) => foreign.doc.to_owned(),
        None => text::meant(name, &names, || format!("known keys of {what}: {}", text::list(&names))),
    };
    found.push(Diagnostic::error("unknown-key", file, key.span, message).help(help));
    near
}

/// Reports keys that are not text, duplicate keys, and merge keys.
fn check_keys(entries: &[(Node, Node)], file: &Arc<SourceFile>, found: &mut Diagnostics) {
    let mut seen = std::collections::BTreeMap::new();
    for (key, _) in entries {
        let Some(name) = key.as_str() else {
            let message = format!("a key must be text, found {}", key.value.kind());
            found.push(Diagnostic::error("key-not-text", file, key.span, message).help("put it in quotes"));
            continue;
        };
        if name == "<<" {
            let message = "merge keys (`<<`) are YAML 1.1 and not supported".to_owned();
            found.push(
                Diagnostic::error("merge-key", file, key.span, message)
                    .help("write the keys out, or use an alias for a whole value"),
            );
        } else if let Some(first) = seen.insert(name, key.span.line) {
            let message = format!("duplicate key `{}`", text::excerpt(name, 60));
            found.push(
                Diagnostic::error("duplicate-key", file, key.span, message)
                    .label(format!("first on line {first}"))
                    .help("remove one of them"),
            );
        }
    }
}

/// Reports duplicate keys anywhere in a value that is kept as is.
fn check_nested(node: &Node, file: &Arc<SourceFile>, found: &mut Diagnostics) {
    match &node.value {
        Value::Map(entries) => {
            check_keys(entries, file, found);
            for (_, value) in entries {
                check_nested(value, file, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| check_nested(item, file, found)),
        _ => {}
    }
}

fn check_value(field: &Field, node: &Node, file: &Arc<SourceFile>, found: &mut Diagnostics) {
    if let Some(problem) = problem(&field.shape, node) {
        let message = format!("`{}` must be {}, found {}", field.name, problem.expected, problem.found);
        let quoted = problem.quotes.and_then(|node| written(node, file));
        let help = if let Some(value) = quoted {
            format!("put it in quotes: \"{}\"", text::excerpt(&value, 60))
        } else if problem.help.is_empty() {
            format!("`{}`: {}", field.name, text::uncapitalized(field.doc))
        } else {
            problem.help
        };
        found.push(Diagnostic::error(problem.code, file, problem.span, message).help(help));
        return;
    }
    match (field.shape, &node.value) {
        (Shape::Object(table), _) => {
            Fields::check(node, table, &format!("`{}`", field.name), file, found);
        }
        (Shape::Objects(table), Value::List(items)) => {
            for item in items {
                Fields::check(item, table, &format!("an entry of `{}`", field.name), file, found);
            }
        }
        (Shape::Map | Shape::Scalars | Shape::Lexicon(..), _) => check_nested(node, file, found),
        _ => {}
    }
}

struct Problem<'a> {
    /// The value, if it would be valid in quotes.
    quotes: Option<&'a Node>,
    code: &'static str,
    expected: String,
    found: String,
    help: String,
    span: Span,
}

impl<'a> Problem<'a> {
    /// The type is wrong.
    fn kind(node: &'a Node, expected: &str, help: String) -> Self {
        let found = node.value.kind().to_owned();
        Self { quotes: None, code: "wrong-type", expected: expected.to_owned(), found, help, span: node.span }
    }

    /// The value is wrong.
    fn value(node: &'a Node, expected: &str, help: String) -> Self {
        let problem = Self::kind(node, expected, help);
        let shown = scalar(node).map(|value| format!("`{}`", text::excerpt(&value, 60)));
        Self { code: "wrong-value", found: shown.unwrap_or(problem.found), ..problem }
    }
}

/// What is wrong with a value for a shape.
fn problem<'a>(shape: &Shape, node: &'a Node) -> Option<Problem<'a>> {
    let kind = |expected: &str, help: String| Some(Problem::kind(node, expected, help));
    let value = |expected: &str, help: String| Some(Problem::value(node, expected, help));
    let quote =
        |expected: &str| Some(Problem { quotes: Some(node), ..Problem::kind(node, expected, String::new()) });
    match (shape, &node.value) {
        (_, Value::Waiting)
        | (Shape::Text, Value::String(_))
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Map | Shape::Object(_), Value::Map(_))
        | (Shape::Objects(_), Value::List(_))
        | (Shape::Part(_) | Shape::Foreign, _) => None,
        (Shape::Name, Value::String(text)) if !text.trim().is_empty() => None,
        (Shape::Name, Value::String(_)) => value("text that is not blank", String::new()),
        (Shape::Text | Shape::Name, Value::Null) => kind("text", "add a value, or remove the key".into()),
        (Shape::Text | Shape::Name, _) => quote("text"),
        (Shape::Bool, _) => kind("`true` or `false`", String::new()),
        (Shape::Steps, Value::Integer(steps)) if STEPS.contains(steps) => None,
        (Shape::Steps, _) => value("5, 10 or 100", String::new()),
        (Shape::Integer(least), Value::Integer(whole)) if whole >= least => None,
        (Shape::Integer(least), found) => {
            let expected = format!("a whole number of at least {least}");
            let of = if matches!(found, Value::Integer(_)) { Problem::value } else { Problem::kind };
            Some(of(node, &expected, String::new()))
        }
        (Shape::Number(least, most), _) => match node.number() {
            Some(number) if number.is_finite() && (*least..=*most).contains(&number) => None,
            Some(_) => value(&range(*least, *most), String::new()),
            None => kind(&range(*least, *most), String::new()),
        },
        (Shape::OneOf(words), Value::String(word)) if words.contains(&word.as_str()) => None,
        (Shape::Offered(_, all), Value::String(word)) if all.contains(&word.as_str()) => None,
        (Shape::OneOf(words) | Shape::Offered(words, _), Value::String(word)) => {
            value(&format!("one of {}", text::list(words)), text::meant(word, words, String::new))
        }
        (Shape::OneOf(words) | Shape::Offered(words, _), _) => {
            quote(&format!("one of {}", text::list(words)))
        }
        (Shape::Texts, Value::List(items)) => items
            .iter()
            .find_map(|item| problem(&Shape::Text, item))
            .map(|inner| Problem { expected: "a list of text".into(), ..inner }),
        (Shape::Texts, Value::String(text)) => {
            kind("a list of text", format!("write it as a list: [\"{}\"]", text::excerpt(text, 60)))
        }
        (Shape::Texts, _) => kind("a list of text", String::new()),
        (Shape::Words(words), Value::List(items)) => {
            items.iter().find_map(|item| problem(&Shape::OneOf(words), item))
        }
        (Shape::Words(_), _) => kind("a list of words", String::new()),
        (Shape::Scalars, Value::Map(entries)) => {
            let (_, other) = entries.iter().find(|(_, value)| scalar(value).is_none())?;
            Some(Problem::kind(other, "a mapping of names to text, numbers or booleans", String::new()))
        }
        (Shape::Lexicon(words, known, folded), Value::Map(entries)) => {
            if let Some((name, _)) = entries.iter().find(|(name, _)| name.as_str().is_some_and(known)) {
                let help = "remove it: akit already knows what this word means".to_owned();
                return Some(Problem::value(name, "a mapping of words that akit does not know", help));
            }
            let names: Vec<_> =
                entries.iter().filter_map(|(name, _)| Some((name, folded(name.as_str()?)))).collect();
            let again = |at: &usize| names[..*at].iter().find(|(_, before)| *before == names[*at].1);
            if let Some((at, (first, _))) = (0..names.len()).find_map(|at| Some((at, again(&at)?))) {
                let first = text::excerpt(first.as_str().unwrap_or_default(), 60);
                let help = format!(
                    "remove one: it is the same word as `{first}`, because case, `-` and `_` are ignored"
                );
                return Some(Problem::value(names[at].0, "a mapping of words without duplicates", help));
            }
            let (_, wrong) =
                entries.iter().find(|(_, value)| problem(&Shape::OneOf(words), value).is_some())?;
            let help = wrong.as_str().map_or_else(String::new, |word| text::meant(word, words, String::new));
            Some(Problem::value(wrong, &format!("a mapping of words to one of {}", text::list(words)), help))
        }
        (Shape::Map | Shape::Object(_) | Shape::Scalars | Shape::Lexicon(..), _) => {
            kind("a mapping", String::new())
        }
        (Shape::Objects(_), _) => kind("a list of mappings", String::new()),
    }
}

fn range(least: f64, most: f64) -> String {
    if least.is_infinite() {
        "a number".to_owned()
    } else if most.is_infinite() {
        format!("a number of at least {least}")
    } else {
        format!("a number from {least} to {most}")
    }
}

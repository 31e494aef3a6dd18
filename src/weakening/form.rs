//! An expectation without what makes no difference: parts of one, `and` within `and`, `not` of `not`,
//! and values that stand for themselves.

use serde_json::{Value as Json, json};

use super::document::{canonical, items, number, word};
use crate::source::Node;

/// How parts are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// There is one part.
    Alone,
    /// All must hold.
    And,
    /// One is enough.
    Or,
}

/// A part that is no `combined`.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    /// An expectation by its kind.
    Leaf(&'a Node),
    /// One that must not hold, and the `not`.
    Not(Box<Form<'a>>, &'a Node),
}

/// Parts, how they are joined, and where.
#[derive(Clone, Debug)]
pub(super) struct Form<'a> {
    pub(super) operator: Operator,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) node: &'a Node,
}

impl<'a> Form<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        if node.get("type").is_none()
            && let Some(inner) = node.get("not")
        {
            let inner = Form::of(inner);
            // Nothing stands between two negations.
            if inner.operator == Operator::Alone
                && let [Part::Not(innermost, _)] = inner.parts.as_slice()
            {
                return (**innermost).clone();
            }
            let parts = vec![Part::Not(Box::new(inner), node)];
            return Self { operator: Operator::Alone, parts, node };
        }
        if word(node, "type") != Some("combined") {
            return Self { operator: Operator::Alone, parts: vec![Part::Leaf(node)], node };
        }
        let own = if word(node, "operator") == Some("or") { Operator::Or } else { Operator::And };
        let mut parts = Vec::new();
        for item in items(node.get("expectations")) {
            let form = Form::of(item);
            if form.operator == Operator::Alone || form.operator == own {
                parts.extend(form.parts);
            } else {
                // The other operator within: a part of its own, which its node stands for.
                parts.push(Part::Leaf(item));
            }
        }
        match parts.as_slice() {
            [Part::Leaf(only)] if word(only, "type") == Some("combined") => Form::of(only),
            [_] => Self { operator: Operator::Alone, parts, node },
            _ => Self { operator: own, parts, node },
        }
    }

    fn json(&self) -> Json {
        let mut parts: Vec<Vec<u8>> = self.parts.iter().map(Part::key).collect();
        parts.sort();
        parts.dedup();
        let word = match self.operator {
            Operator::Or => "or",
            Operator::Alone | Operator::And => "and",
        };
        json!([word, parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>()])
    }

    /// The same for the same demand.
    pub(super) fn key(&self) -> Vec<u8> {
        crate::canonical::bytes(&self.json())
    }
}

impl<'a> Part<'a> {
    /// The same for the same demand.
    pub(super) fn key(&self) -> Vec<u8> {
        match self {
            Part::Not(inner, _) => crate::canonical::bytes(&json!({ "not": inner.json() })),
            Part::Leaf(node) if word(node, "type") == Some("combined") => Form::of(node).key(),
            Part::Leaf(node) => leaf(node),
        }
    }

    /// Its kind, as written.
    pub(super) fn kind(&self) -> &'a str {
        match self {
            Part::Not(..) => "not",
            Part::Leaf(node) => word(node, "type").unwrap_or_default(),
        }
    }

    pub(super) fn node(&self) -> &'a Node {
        match self {
            Part::Not(_, node) | Part::Leaf(node) => node,
        }
    }
}

/// The values of `contains` and `not_contains`, as they are looked for.
pub(super) fn values(node: &Node) -> Vec<String> {
    let value = |item: &Node| Some(item.as_str()?.trim_matches(['\n', '\r']).to_lowercase());
    let mut values: Vec<_> = items(node.get("values")).iter().filter_map(value).collect();
    values.sort();
    values.dedup();
    values
}

/// Whether one of several values is enough (`contains`), or one may be there (`not_contains`).
pub(super) fn is_lenient(node: &Node) -> bool {
    let lenient = match word(node, "type") {
        Some("not_contains") => "not_all",
        _ => "any",
    };
    word(node, "mode") == Some(lenient) && values(node).len() != 1
}

/// The score that an expectation needs, 0 to 1, as docs/expectations.md has it.
pub(super) fn score(node: &Node) -> f64 {
    number(node, "threshold").unwrap_or(match word(node, "type") {
        Some("fuzzy") => 0.8,
        Some("similarity") => 0.75,
        _ => 0.7,
    })
}

/// A regular expression's flags in alphabetical order; those without effect are left out.
pub(super) fn flags(node: &Node) -> String {
    let mut flags: Vec<char> =
        word(node, "flags").unwrap_or_default().chars().filter(|flag| *flag != 'g').collect();
    flags.sort_unstable();
    flags.into_iter().collect()
}

/// Whether upper and lower case are the same to `exact`.
pub(super) fn folds(node: &Node) -> bool {
    matches!(node.get("caseSensitive").map(|node| &node.value), Some(crate::source::Value::Bool(false)))
}

/// The text behind `value`, without what makes no difference to its kind.
pub(super) fn text_of(node: &Node) -> String {
    if word(node, "type") == Some("fuzzy") && number(node, "distance").is_some() {
        return word(node, "value").unwrap_or_default().to_owned();
    }
    let text = crate::text::js_trim(word(node, "value").unwrap_or_default());
    match word(node, "type") {
        Some("exact") if !folds(node) => text.to_owned(),
        Some("exact" | "fuzzy") => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// An expression without spaces outside of its texts.
pub(super) fn expression(node: &Node) -> String {
    let (mut out, mut quote, mut escaped) = (String::new(), None, false);
    for c in word(node, "expression").unwrap_or_default().chars() {
        match quote {
            None if c.is_whitespace() => continue,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some(open) if c == open && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
        out.push(c);
    }
    out
}

fn leaf(node: &Node) -> Vec<u8> {
    let kind = word(node, "type").unwrap_or_default();
    let plain = match kind {
        "contains" | "not_contains" => json!([values(node), is_lenient(node)]),
        "exact" => json!([text_of(node), folds(node)]),
        "fuzzy" => json!([text_of(node), score(node), number(node, "distance")]),
        "regex" => json!([word(node, "pattern"), flags(node)]),
        "inline" => json!([expression(node), word(node, "value")]),
        "llm_grader" | "similarity" => {
            let mut whole = node.to_json();
            whole["threshold"] = score(node).into();
            whole
        }
        _ => return canonical(node),
    };
    crate::canonical::bytes(&json!([kind, plain]))
}

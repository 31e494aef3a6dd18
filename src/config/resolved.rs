//! A setting and its source. Precedence everywhere: flag > case > scenario > configuration > environment > default.

use std::fmt;
use std::sync::Arc;

use crate::source::{Location, Node, SourceFile, Span, Value};

/// A setting with its source.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'a, T> {
    /// The value.
    pub value: T,
    /// Its source.
    pub said_by: SaidBy<'a>,
}

/// The source of a setting: `{}` names the flag, file or variable, `{:#}` also the place in the file.
#[derive(Clone, Copy, Debug)]
pub enum SaidBy<'a> {
    /// A flag, with its hyphens.
    Flag(&'static str),
    /// A key of a file, by its path; after `cases` comes the id of one.
    Key(&'a Arc<SourceFile>, [&'a str; 3]),
    /// An expectation that names its own judge.
    Expectation,
    /// An environment variable.
    Variable(&'static str),
    /// The default.
    Default,
}

impl<'a, T> Resolved<'a, T> {
    /// The first source with a value.
    pub(super) fn first(all: impl IntoIterator<Item = (SaidBy<'a>, Option<T>)>) -> Option<Self> {
        let (said_by, value) = all.into_iter().find_map(|(said_by, value)| Some((said_by, value?)))?;
        Some(Self { value, said_by })
    }

    /// The first source with a value, or the default.
    pub(super) fn or_default(all: impl IntoIterator<Item = (SaidBy<'a>, Option<T>)>, default: T) -> Self {
        Self::first(all).unwrap_or(Self { value: default, said_by: SaidBy::Default })
    }
}

impl<'a> SaidBy<'a> {
    /// A key in the section of a file.
    #[must_use]
    pub fn below(self, key: &'a str) -> Self {
        match self {
            Self::Key(file, [part, _, _]) => Self::Key(file, [part, key, ""]),
            other => other,
        }
    }

    /// The place of the key in its file.
    pub(super) fn location(&self) -> Option<Location> {
        self.place().map(|(file, span)| file.location(span))
    }

    /// The file and the place of the value in it.
    pub(super) fn place(&self) -> Option<(Arc<SourceFile>, Span)> {
        let Self::Key(file, path) = self else { return None };
        let root = Node::parse(file).ok()?;
        let mut node = &root;
        for (index, key) in path.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
            node = match &node.value {
                Value::List(cases) if index == 1 => {
                    cases.iter().find(|case| case.get("id").and_then(Node::as_str) == Some(key))?
                }
                _ => node.get(key)?,
            };
        }
        Some((Arc::clone(file), node.span))
    }
}

impl fmt::Display for SaidBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) if f.alternate() => write!(f, "`{name}`"),
            Self::Default if f.alternate() => f.write_str("the default"),
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::Expectation => f.write_str("the expectation"),
            Self::Default => f.write_str("default"),
            Self::Key(file, path) if f.alternate() => {
                let keys: Vec<&str> = path.iter().copied().filter(|key| !key.is_empty()).collect();
                write!(f, "`{}` at ", keys.join("."))?;
                match self.location() {
                    Some(location) => write!(f, "{location}"),
                    None => f.write_str(file.name()),
                }
            }
            Self::Key(file, _) => f.write_str(file.name()),
        }
    }
}

//! The parts of a pattern after it has been read.

use super::class::Set;

/// One part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// Nothing, which always matches.
    Empty,
    /// One character.
    Class(Class),
    /// One after the other.
    Concat(Vec<Term>),
    /// The first that leads to a match.
    Either(Vec<Term>),
    /// A group that captures; numbered from 1.
    Group(usize, Box<Term>),
    /// A lookahead or lookbehind.
    Look(Look, Box<Term>),
    /// A repetition; without a limit if `most` is `None`.
    Repeat { body: Box<Term>, least: u32, most: Option<u32>, greed: Greed },
    /// A position.
    Anchor(Anchor),
    /// What a group captured.
    Reference(Reference),
}

/// The two kinds of repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greed {
    /// As much as possible.
    Greedy,
    /// As little as possible.
    Lazy,
}

/// The four kinds of lookaround.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// `(?=…)`
    Ahead,
    /// `(?!…)`
    NotAhead,
    /// `(?<=…)`
    Behind,
    /// `(?<!…)`
    NotBehind,
}

impl Look {
    /// Whether it looks at the text before.
    pub(super) fn is_behind(self) -> bool {
        matches!(self, Self::Behind | Self::NotBehind)
    }

    /// Whether it succeeds if its body does not match.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Self::NotAhead | Self::NotBehind)
    }
}

/// Positions between characters.
#[derive(Clone, Debug)]
pub(super) enum Anchor {
    /// The start of the text.
    Start,
    /// The end of the text.
    End,
    /// The start of a line.
    LineStart,
    /// The end of a line.
    LineEnd,
    /// Between a character of the set and one outside of it.
    Edge(Set),
    /// Any other position.
    NoEdge(Set),
}

/// What a single character may be.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// The characters.
    pub(super) set: Set,
    /// Unicode properties, as in `\p{L}`.
    pub(super) properties: Vec<String>,
    /// Whether it matches every character that is not in the set and has none of the properties.
    pub(super) inverted: bool,
    /// Whether case is ignored as with `u`; without `u` the set has both cases.
    pub(super) any_case: bool,
}

impl Class {
    /// A class of these characters and no others.
    pub(super) fn of(set: Set) -> Self {
        Self { set, ..Self::default() }
    }
}

/// A backreference; it matches the empty string if the group captured nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The group, from 1.
    pub(super) group: usize,
    /// What counts as the same.
    pub(super) case: Case,
}

/// When two characters are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// When they are equal.
    Exact,
    /// When their upper case is equal: `i` without `u`.
    Upper,
    /// When their case folding is equal: `i` with `u`.
    Folded,
}

impl Term {
    /// Whether it never consumes a character.
    pub(super) fn is_hollow(&self) -> bool {
        match self {
            Self::Empty | Self::Look(..) | Self::Anchor(_) => true,
            Self::Class(_) | Self::Reference(_) => false,
            Self::Concat(parts) | Self::Either(parts) => parts.iter().all(Self::is_hollow),
            Self::Group(_, body) => body.is_hollow(),
            Self::Repeat { body, most, .. } => *most == Some(0) || body.is_hollow(),
        }
    }
}

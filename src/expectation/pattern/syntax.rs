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
    /// A look ahead or behind.
    Look(Look, Box<Term>),
    /// A repetition; no `most` is no limit.
    Repeat { body: Box<Term>, least: u32, most: Option<u32>, greed: Greed },
    /// A place.
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

/// The four kinds of looking around.
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

    /// Whether it holds when its body does not match.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Self::NotAhead | Self::NotBehind)
    }
}

/// Places between characters.
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
    /// Between a character of the set and one outside.
    Edge(Set),
    /// Any other place.
    NoEdge(Set),
}

/// What a single character may be.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// The characters.
    pub(super) set: Set,
    /// Unicode properties, as in `\p{L}`.
    pub(super) properties: Vec<String>,
    /// Whether it matches all that is neither in the set nor has a property.
    pub(super) inverted: bool,
    /// Whether case is ignored as under `u`; without `u` the set has both cases.
    pub(super) any_case: bool,
}

impl Class {
    /// A class of these characters and no others.
    pub(super) fn of(set: Set) -> Self {
        Self { set, ..Self::default() }
    }
}

/// A reference to what a group captured.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// The group, from 1.
    pub(super) group: usize,
    /// Whether case is ignored.
    pub(super) any_case: bool,
    /// Where it stands in the pattern, in characters.
    pub(super) offset: usize,
    /// Whether the group may have matched nothing by then; a reference matches nothing then.
    pub(super) optional: bool,
}

impl Term {
    /// The least and the most characters that it takes; `None` is no limit.
    pub(super) fn width(&self) -> (u32, Option<u32>) {
        match self {
            Self::Empty | Self::Look(..) | Self::Anchor(_) => (0, Some(0)),
            Self::Class(_) => (1, Some(1)),
            Self::Concat(parts) => parts.iter().map(Self::width).fold((0, Some(0)), |sum, one| {
                let most = sum.1.zip(one.1).map(|(a, b)| a.saturating_add(b));
                (sum.0.saturating_add(one.0), most)
            }),
            Self::Either(parts) => parts.iter().map(Self::width).fold((u32::MAX, Some(0)), |all, one| {
                (all.0.min(one.0), all.1.zip(one.1).map(|(a, b)| a.max(b)))
            }),
            Self::Group(_, body) => body.width(),
            Self::Repeat { body, least, most, .. } => {
                let (low, high) = body.width();
                let limit =
                    if high == Some(0) { Some(0) } else { high.zip(*most).map(|(a, b)| a.saturating_mul(b)) };
                (low.saturating_mul(*least), limit)
            }
            Self::Reference(_) => (0, None),
        }
    }
}

//! Writes a pattern in the engine's own syntax.
//!
//! Every character is written as itself or by its number and every class as ranges, so nothing that
//! the engine would read in its own way gets through.

use std::fmt::Write as _;

use super::class::Set;
use super::resolve::Resolved;
use super::syntax::{Anchor, Class, Greed, Look, Term};

/// The pattern in the engine's syntax.
pub(super) fn emit(resolved: &Resolved) -> String {
    let mut writer = Writer { out: String::new(), used: resolved.used.iter().copied().collect() };
    writer.node(&resolved.node, Tight::Loose);
    writer.out
}

/// How much may stand at a place without brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tight {
    /// Alternatives.
    Loose,
    /// Parts in a row.
    Row,
    /// One part, for a repetition.
    Single,
}

struct Writer {
    out: String,
    used: Vec<usize>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn wrapped(&mut self, wrap: bool, write: impl FnOnce(&mut Self)) {
        if wrap {
            self.text("(?:");
        }
        write(self);
        if wrap {
            self.text(")");
        }
    }

    fn node(&mut self, node: &Term, tight: Tight) {
        match node {
            Term::Empty => self.wrapped(tight == Tight::Single, |_| {}),
            Term::Class(class) => self.class(class),
            Term::Concat(parts) => self.wrapped(tight == Tight::Single, |this| {
                for (i, part) in parts.iter().enumerate() {
                    match part {
                        Term::Anchor(place) => this.place(place, &parts[..i], &parts[i + 1..]),
                        part => this.node(part, Tight::Row),
                    }
                }
            }),
            Term::Either(ways) => self.wrapped(tight != Tight::Loose, |this| {
                for (i, way) in ways.iter().enumerate() {
                    if i > 0 {
                        this.text("|");
                    }
                    this.node(way, Tight::Row);
                }
            }),
            Term::Group(group, body) if self.used.contains(group) => {
                self.text("(");
                self.node(body, Tight::Loose);
                self.text(")");
            }
            Term::Group(_, body) => self.node(body, tight),
            Term::Look(look, body) => {
                self.text(match look {
                    Look::Ahead => "(?=",
                    Look::NotAhead => "(?!",
                    Look::Behind => "(?<=",
                    Look::NotBehind => "(?<!",
                });
                self.node(body, Tight::Loose);
                self.text(")");
            }
            Term::Repeat { body, least, most, greed } => self.wrapped(tight == Tight::Single, |this| {
                this.node(body, Tight::Single);
                this.counts(*least, *most);
                if *greed == Greed::Lazy {
                    this.text("?");
                }
            }),
            Term::Anchor(place) => self.place(place, &[], &[]),
            Term::Reference(reference) => {
                // Groups that are not referred to do not capture, so the others move up.
                let number = self.used.partition_point(|group| *group < reference.group) + 1;
                let sign = if reference.any_case { "(?i:" } else { "(?:" };
                let _ = if reference.optional {
                    write!(self.out, "(?({number}){sign}\\{number})|)")
                } else {
                    write!(self.out, "{sign}\\{number})")
                };
            }
        }
    }

    fn counts(&mut self, least: u32, most: Option<u32>) {
        let _ = match (least, most) {
            (0, None) => write!(self.out, "*"),
            (1, None) => write!(self.out, "+"),
            (0, Some(1)) => write!(self.out, "?"),
            (least, None) => write!(self.out, "{{{least},}}"),
            (least, Some(most)) if least == most => write!(self.out, "{{{least}}}"),
            (least, Some(most)) => write!(self.out, "{{{least},{most}}}"),
        };
    }

    fn place(&mut self, place: &Anchor, before: &[Term], after: &[Term]) {
        match place {
            Anchor::Start => self.text("\\A"),
            Anchor::End => self.text("\\z"),
            Anchor::LineStart => self.beside("(?<!", &Set::line_ends().inverted()),
            Anchor::LineEnd => self.beside("(?!", &Set::line_ends().inverted()),
            Anchor::Edge(words) => self.edge(words, before, after, Edge::Yes),
            Anchor::NoEdge(words) => self.edge(words, before, after, Edge::No),
        }
    }

    /// A look at one character beside the place.
    fn beside(&mut self, sign: &str, set: &Set) {
        self.text(sign);
        self.set(set);
        self.text(")");
    }

    /// `\b` or `\B`: one look when the pattern says what stands on the other side.
    fn edge(&mut self, words: &Set, before: &[Term], after: &[Term], edge: Edge) {
        let wanted = |inner: bool| if (edge == Edge::Yes) == inner { '!' } else { '=' };
        if let Some(inner) = after.first().and_then(|node| is_word(node, words, Side::First)) {
            self.beside(&format!("(?<{}", wanted(inner)), words);
        } else if let Some(inner) = before.last().and_then(|node| is_word(node, words, Side::Last)) {
            self.beside(&format!("(?{}", wanted(inner)), words);
        } else {
            let (first, second) = if edge == Edge::Yes { ("(?!", "(?=") } else { ("(?=", "(?!") };
            self.text("(?:");
            self.beside("(?<=", words);
            self.beside(first, words);
            self.text("|");
            self.beside("(?<!", words);
            self.beside(second, words);
            self.text(")");
        }
    }

    fn class(&mut self, class: &Class) {
        if !class.any_case && !class.inverted && class.properties.is_empty() {
            return self.set(&class.set.scalars());
        }
        if class.any_case {
            self.text("(?i:");
        }
        let set = class.set.scalars();
        if set.ranges().is_empty() && class.properties.is_empty() {
            self.set(&if class.inverted { set.inverted().scalars() } else { set });
        } else {
            self.text(if class.inverted { "[^" } else { "[" });
            self.ranges(&set);
            class.properties.iter().for_each(|property| self.text(property));
            self.text("]");
        }
        if class.any_case {
            self.text(")");
        }
    }

    fn set(&mut self, set: &Set) {
        if let Some(code) = set.single() {
            return self.code(code);
        }
        if set.ranges().is_empty() {
            return self.text("[^\\x{0}-\\x{10FFFF}]");
        }
        self.text("[");
        self.ranges(set);
        self.text("]");
    }

    fn ranges(&mut self, set: &Set) {
        for &(from, to) in set.ranges() {
            self.code(from);
            if to > from {
                self.text("-");
                self.code(to);
            }
        }
    }

    fn code(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(c) if c.is_ascii_alphanumeric() => self.out.push(c),
            _ => {
                let _ = write!(self.out, "\\x{{{code:X}}}");
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First,
    Last,
}

/// Whether the character at one side of a part is surely a word character, or surely none.
fn is_word(node: &Term, words: &Set, side: Side) -> Option<bool> {
    match node {
        Term::Class(class) if !class.any_case && !class.inverted && class.properties.is_empty() => {
            if class.set.ranges().is_empty() {
                None
            } else if class.set.with(words) == *words {
                Some(true)
            } else {
                let others = words.inverted();
                (class.set.with(&others) == others).then_some(false)
            }
        }
        Term::Concat(parts) => {
            let part = if side == Side::First { parts.first() } else { parts.last() };
            is_word(part?, words, side)
        }
        Term::Group(_, body) | Term::Repeat { body, least: 1.., .. } => is_word(body, words, side),
        _ => None,
    }
}

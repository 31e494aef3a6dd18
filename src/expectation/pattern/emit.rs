//! Writes a pattern in the engine's own syntax.
//!
//! Every character is written as itself or by its number, and every class as ranges, so that nothing has a special
//! meaning in the engine's syntax.

use std::fmt::Write as _;

use super::class::Set;
use super::syntax::{Anchor, Class, Greed, Term};

/// The pattern in the engine's syntax; `None` if it has lookarounds, backreferences or assertions, whose costs the
/// engine does not count.
pub(super) fn emit(node: &Term) -> Option<String> {
    let mut writer = Writer::default();
    writer.node(node, Tight::Loose);
    (!writer.beyond).then_some(writer.out)
}

/// A class in the engine's syntax.
pub(super) fn class(class: &Class) -> String {
    let mut writer = Writer::default();
    writer.class(class);
    writer.out
}

/// What a position allows without brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tight {
    /// Alternatives.
    Loose,
    /// Parts in a row.
    Row,
    /// One part, for a repetition.
    Single,
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Whether the pattern has a part that the engine is not used for.
    beyond: bool,
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
                for part in parts {
                    this.node(part, Tight::Row);
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
            Term::Group(_, body) => self.node(body, tight),
            // A round that matches nothing counts only if it is required.
            Term::Repeat { body, least, most, .. } if *most == Some(0) || body.is_hollow() => {
                let body = if *least > 0 { body } else { &Term::Empty };
                self.node(body, tight);
            }
            Term::Repeat { body, least, most, greed } => self.wrapped(tight == Tight::Single, |this| {
                this.node(body, Tight::Single);
                this.counts(*least, *most);
                if *greed == Greed::Lazy {
                    this.text("?");
                }
            }),
            Term::Anchor(Anchor::Start) => self.text("\\A"),
            Term::Anchor(Anchor::End) => self.text("\\z"),
            Term::Anchor(_) | Term::Look(..) | Term::Reference(_) => self.beyond = true,
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

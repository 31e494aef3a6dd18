//! Parses a pattern: alternatives, repetitions, positions.
//!
//! The grammar is ECMA-262's, with Annex B (without `u`) and the modifier groups of ES2025.

use super::PatternError;
use super::class::Set;
use super::syntax::{Anchor, Class, Greed, Term};

/// The flags that a group may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupFlags {
    /// `i`: case is ignored.
    pub(super) ignore_case: bool,
    /// `m`: `^` and `$` also match at lines.
    pub(super) multi_line: bool,
    /// `s`: `.` matches line ends too.
    pub(super) dot_all: bool,
}

impl GroupFlags {
    /// The switch for `i`, `m` or `s`.
    pub(super) fn switch(&mut self, flag: char) -> Option<&mut bool> {
        match flag {
            'i' => Some(&mut self.ignore_case),
            'm' => Some(&mut self.multi_line),
            's' => Some(&mut self.dot_all),
            _ => None,
        }
    }
}

/// The two grammars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expectation) enum Dialect {
    /// Without `u`: many signs that have no meaning where they stand are literal.
    Lenient,
    /// With `u`.
    Unicode,
}

/// A parser at some position of a pattern.
#[derive(Debug)]
pub(super) struct Parser<'p> {
    pub(super) chars: &'p [char],
    pub(super) at: usize,
    pub(super) mode: GroupFlags,
    pub(super) dialect: Dialect,
    /// Number of capturing groups in the whole pattern.
    pub(super) groups: usize,
    /// The named groups in the whole pattern.
    pub(super) names: Vec<(String, usize)>,
    /// Number of capturing groups so far.
    pub(super) opened: usize,
    /// Number of open groups.
    pub(super) depth: usize,
}

impl<'p> Parser<'p> {
    pub(super) fn read(chars: &'p [char], mode: GroupFlags, dialect: Dialect) -> Result<Term, PatternError> {
        Self::read_named(chars, mode, dialect).map(|(node, _)| node)
    }

    /// A whole pattern, with the names of its groups and their numbers.
    pub(super) fn read_named(
        chars: &'p [char],
        mode: GroupFlags,
        dialect: Dialect,
    ) -> Result<(Term, Vec<(String, usize)>), PatternError> {
        let (groups, names) = (0, Vec::new());
        let mut parser = Self { chars, at: 0, mode, dialect, groups, names, opened: 0, depth: 0 };
        parser.survey()?;
        let node = parser.alternatives()?;
        match parser.peek() {
            None => Ok((node, parser.names)),
            Some(_) => Err(parser.error(parser.at, "unmatched `)`", "write `\\)` for the character")),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Skips a string if it comes next.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let here = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if here {
            self.at += text.chars().count();
        }
        here
    }

    pub(super) fn is_unicode(&self) -> bool {
        self.dialect == Dialect::Unicode
    }

    #[expect(clippy::unused_self, reason = "reads better at the many places that report")]
    pub(super) fn error(
        &self,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> PatternError {
        PatternError::at(offset, message, help)
    }

    /// Counts the groups and collects their names, because references can come before their groups.
    fn survey(&mut self) -> Result<(), PatternError> {
        let mut in_class = false;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '\\' => self.at += 1,
                '[' => in_class = true,
                ']' => in_class = false,
                '(' if !in_class => {
                    let named = self.skip("?<") && !matches!(self.peek(), Some('=' | '!'));
                    if named {
                        self.groups += 1;
                        let start = self.at;
                        let name = self.name()?;
                        if self.names.iter().any(|(known, _)| *known == name) {
                            let message = format!("two groups are named `{name}`");
                            return Err(self.error(start, message, "give each group its own name"));
                        }
                        self.names.push((name, self.groups));
                    } else if self.peek() != Some('?') && self.chars.get(self.at - 1) == Some(&'(') {
                        self.groups += 1;
                    }
                }
                _ => {}
            }
        }
        self.at = 0;
        Ok(())
    }

    pub(super) fn alternatives(&mut self) -> Result<Term, PatternError> {
        let mut found = vec![self.alternative()?];
        while self.skip("|") {
            found.push(self.alternative()?);
        }
        Ok(if found.len() == 1 { found.remove(0) } else { Term::Either(found) })
    }

    fn alternative(&mut self) -> Result<Term, PatternError> {
        let mut parts: Vec<Term> = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let next = self.term()?;
            let pair = match (parts.last(), &next) {
                (Some(Term::Class(high)), Term::Class(low)) if high.set.is_high() && low.set.is_low() => {
                    Some(Term::Class(Class::of(high.set.pairs(&low.set))))
                }
                _ => None,
            };
            if let (Some(pair), Some(last)) = (pair, parts.last_mut()) {
                *last = pair;
            } else {
                parts.push(next);
            }
        }
        Ok(match parts.len() {
            0 => Term::Empty,
            1 => settled(parts.remove(0)),
            _ => Term::Concat(parts.into_iter().map(settled).collect()),
        })
    }

    /// One part with its repetition.
    fn term(&mut self) -> Result<Term, PatternError> {
        let start = self.at;
        let Some(c) = self.peek() else { return Ok(Term::Empty) };
        self.at += 1;
        let (node, repeatable) = match c {
            '^' => (self.place_start(), false),
            '$' => (self.place_end(), false),
            '.' => (self.any(), true),
            '(' => self.group(start)?,
            '[' => (self.class(start)?, true),
            '\\' => self.escape(start)?,
            '*' | '+' | '?' => return Err(self.nothing_to_repeat(start)),
            '{' if self.is_unicode() || self.counts(start)?.is_some() => {
                return Err(self.nothing_to_repeat(start));
            }
            '}' | ']' if self.is_unicode() => {
                let help = format!("write `\\{c}` for the character");
                return Err(self.error(start, format!("unmatched `{c}`"), help));
            }
            c => (self.one_of(Set::one(u32::from(c)), Vec::new(), false), true),
        };
        self.repeated(node, repeatable)
    }

    fn place_start(&self) -> Term {
        Term::Anchor(if self.mode.multi_line { Anchor::LineStart } else { Anchor::Start })
    }

    fn place_end(&self) -> Term {
        Term::Anchor(if self.mode.multi_line { Anchor::LineEnd } else { Anchor::End })
    }

    fn any(&self) -> Term {
        let all = Set::default().inverted();
        let set = if self.mode.dot_all { all } else { Set::line_ends().inverted() };
        Term::Class(Class::of(set.scalars()))
    }

    /// A class for one character, with case and surrogates according to the flags.
    pub(super) fn one_of(&self, set: Set, properties: Vec<String>, inverted: bool) -> Term {
        if self.is_unicode() {
            let any_case = self.mode.ignore_case;
            return Term::Class(if any_case || !properties.is_empty() {
                Class { set: set.scalars(), properties, inverted, any_case }
            } else {
                Class::of(if inverted { set.inverted() } else { set }.scalars())
            });
        }
        let set = if self.mode.ignore_case { set.any_case() } else { set }.paired();
        let set = if inverted { set.inverted() } else { set };
        let surrogates = Set::of(&[(0xd800, 0xdfff)]);
        let whole = set.with(&surrogates) == set;
        Term::Class(Class::of(if whole { set.scalars() } else { set }))
    }

    fn nothing_to_repeat(&self, offset: usize) -> PatternError {
        let c = self.chars.get(offset).copied().unwrap_or_default();
        let before = offset.checked_sub(1).and_then(|at| self.chars.get(at));
        let help = match (before, c) {
            (Some('*' | '+' | '?' | '}'), '+') => {
                "remove it, or write `\\+` for the character; JavaScript has no possessive quantifiers"
                    .to_owned()
            }
            _ => format!("write `\\{c}` for the character, or put what repeats before it"),
        };
        self.error(offset, format!("`{c}` has nothing to repeat"), help)
    }

    /// A part with its repetition, if there is one.
    fn repeated(&mut self, node: Term, repeatable: bool) -> Result<Term, PatternError> {
        let start = self.at;
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.counts(start)? {
                Some((end, least, most)) => {
                    self.at = end - 1;
                    (least, most)
                }
                None => return Ok(node),
            },
            _ => return Ok(node),
        };
        if !repeatable {
            return Err(self.nothing_to_repeat(start));
        }
        self.at += 1;
        let greed = if self.skip("?") { Greed::Lazy } else { Greed::Greedy };
        Ok(Term::Repeat { body: Box::new(settled(node)), least, most, greed })
    }

    /// The bounds in `{n}`, `{n,}` or `{n,m}` at an offset, and where they end.
    fn counts(&self, start: usize) -> Result<Option<(usize, u32, Option<u32>)>, PatternError> {
        let mut at = start + 1;
        let mut number = || {
            let digits = self.chars[at.min(self.chars.len())..].iter().map_while(|c| c.to_digit(10));
            let (length, value) = digits
                .fold((0, 0u32), |(n, sum), digit| (n + 1, sum.saturating_mul(10).saturating_add(digit)));
            at += length;
            let comma = self.chars.get(at) == Some(&',');
            let closed = self.chars.get(at) == Some(&'}');
            at += 1;
            ((length > 0).then_some(value), comma, closed)
        };
        let (least, comma, closed) = number();
        let bounds = match least {
            Some(least) if closed => Some((least, Some(least))),
            Some(least) if comma => match number() {
                (most, _, true) => Some((least, most)),
                _ => None,
            },
            _ => None,
        };
        match bounds {
            Some((least, Some(most))) if most < least => {
                let help = format!("write `{{{most},{least}}}`");
                Err(self.error(start, "the numbers in `{…}` are out of order", help))
            }
            Some((least, most)) => Ok(Some((at, least, most))),
            None if self.is_unicode() => {
                let help = "write `{n}`, `{n,}` or `{n,m}`, or `\\{` for the character";
                Err(self.error(start, "invalid repetition", help))
            }
            None => Ok(None),
        }
    }
}

/// A class without halves of surrogate pairs.
fn settled(node: Term) -> Term {
    match node {
        Term::Class(class) if class.properties.is_empty() && !class.any_case => {
            Term::Class(Class::of(class.set.halves_as_characters()))
        }
        node => node,
    }
}

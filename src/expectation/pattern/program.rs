//! A pattern as a sequence of operations, for `walk`.
//!
//! akit itself runs patterns with lookarounds, backreferences or assertions, because no engine counts everything that
//! such a search costs.

use std::ops::Range;

use regex_syntax::hir::{self, HirKind};

use super::class::Set;
use super::emit;
use super::syntax::{Anchor, Case, Class, Greed, Term};

/// The direction of reading; backwards in a lookbehind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Forwards.
    On,
    /// Backwards.
    Back,
}

/// A sorted set of characters, with a fast path for ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chars {
    ascii: u128,
    ranges: Vec<(u32, u32)>,
}

impl Chars {
    fn of(ranges: Vec<(u32, u32)>) -> Self {
        let below = ranges.iter().flat_map(|&(from, to)| from..=to.min(127));
        Self { ascii: below.take_while(|code| *code < 128).fold(0, |all, code| all | 1 << code), ranges }
    }

    pub(super) fn has(&self, c: char) -> bool {
        let code = u32::from(c);
        if code < 128 {
            return self.ascii & (1 << code) != 0;
        }
        let next = self.ranges.partition_point(|(_, to)| *to < code);
        self.ranges.get(next).is_some_and(|(from, _)| *from <= code)
    }
}

/// One operation. Classes are given by their index in the program, registers by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// One character of a class.
    One { class: usize, way: Way },
    /// A number of characters of a class.
    Span { class: usize, way: Way, least: usize, most: usize, greed: Greed },
    /// Continues with the next operation, or at this one if that fails.
    Split(usize),
    /// Continues at this operation.
    Jump(usize),
    /// Stores the position in a register.
    Keep(usize),
    /// The start of the text.
    Start,
    /// The end of the text.
    End,
    /// At the start of the text, or after a character of a class.
    Behind(usize),
    /// At the end of the text, or before a character of a class.
    Before(usize),
    /// Whether just one of the two characters around the position is in a class.
    Edge { class: usize, wanted: bool },
    /// Tries what follows up to `Done`, and continues at `on` if the result is as wanted.
    Look { negative: bool, on: usize },
    /// Matches again what a group captured, between the positions in this register and the next.
    Again { register: usize, case: Case, way: Way },
    /// Starts a repetition; two registers keep the number of rounds and where the last one began.
    Rounds(usize),
    /// Starts another round, or continues at `on`.
    Head { count: usize, least: usize, most: usize, greed: Greed, on: usize },
    /// Starts a round, and clears what its groups captured.
    Enter { count: usize, forget: Range<usize> },
    /// Ends a round; one that matches nothing counts only if it is required.
    Round { count: usize, least: usize, head: usize },
    /// The end of the pattern or of a lookaround.
    Done,
}

/// A pattern as a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) classes: Vec<Chars>,
    pub(super) registers: usize,
}

impl Program {
    pub(super) fn of(node: &Term) -> Self {
        let mut program = Self { registers: 2 * (last_group(node) + 1), ..Self::default() };
        program.node(node, Way::On);
        program.ops.push(Op::Done);
        program
    }

    fn next(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn chars(&mut self, chars: Chars) -> usize {
        self.classes.iter().position(|known| *known == chars).unwrap_or_else(|| {
            self.classes.push(chars);
            self.classes.len() - 1
        })
    }

    fn set(&mut self, set: &Set) -> usize {
        self.chars(Chars::of(set.scalars().ranges().to_vec()))
    }

    fn class(&mut self, class: &Class) -> usize {
        self.chars(Chars::of(ranges(class)))
    }

    fn node(&mut self, node: &Term, way: Way) {
        match node {
            Term::Empty => {}
            Term::Class(class) => {
                let class = self.class(class);
                self.next(Op::One { class, way });
            }
            Term::Concat(parts) => match way {
                Way::On => parts.iter().for_each(|part| self.node(part, way)),
                Way::Back => parts.iter().rev().for_each(|part| self.node(part, way)),
            },
            Term::Either(ways) => {
                let mut ends = Vec::new();
                for (index, one) in ways.iter().enumerate() {
                    let split = (index + 1 < ways.len()).then(|| self.next(Op::Split(0)));
                    self.node(one, way);
                    if let Some(split) = split {
                        ends.push(self.next(Op::Jump(0)));
                        self.ops[split] = Op::Split(self.ops.len());
                    }
                }
                for end in ends {
                    self.ops[end] = Op::Jump(self.ops.len());
                }
            }
            Term::Group(group, body) => {
                let (first, last) = if way == Way::On { (0, 1) } else { (1, 0) };
                self.next(Op::Keep(2 * group + first));
                self.node(body, way);
                self.next(Op::Keep(2 * group + last));
            }
            Term::Look(look, body) => {
                let at = self.next(Op::Done);
                self.node(body, if look.is_behind() { Way::Back } else { Way::On });
                self.next(Op::Done);
                self.ops[at] = Op::Look { negative: look.is_negative(), on: self.ops.len() };
            }
            Term::Repeat { body, least, most, greed } => {
                let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
                let (least, most) = (size(*least), most.map_or(usize::MAX, size));
                if let Term::Class(class) = &**body {
                    let class = self.class(class);
                    self.next(Op::Span { class, way, least, most, greed: *greed });
                } else {
                    self.rounds(body, (least, most, *greed), way);
                }
            }
            Term::Anchor(anchor) => {
                let op = match anchor {
                    Anchor::Start => Op::Start,
                    Anchor::End => Op::End,
                    Anchor::LineStart => Op::Behind(self.set(&Set::line_ends())),
                    Anchor::LineEnd => Op::Before(self.set(&Set::line_ends())),
                    Anchor::Edge(words) => Op::Edge { class: self.set(words), wanted: true },
                    Anchor::NoEdge(words) => Op::Edge { class: self.set(words), wanted: false },
                };
                self.next(op);
            }
            Term::Reference(reference) => {
                self.next(Op::Again { register: 2 * reference.group, case: reference.case, way });
            }
        }
    }

    fn rounds(&mut self, body: &Term, (least, most, greed): (usize, usize, Greed), way: Way) {
        let count = self.registers;
        self.registers += 2;
        self.next(Op::Rounds(count));
        let head = self.next(Op::Done);
        let groups = groups(body);
        self.next(Op::Enter { count, forget: 2 * groups.start..2 * groups.end });
        self.node(body, way);
        self.next(Op::Round { count, least, head });
        self.ops[head] = Op::Head { count, least, most, greed, on: self.ops.len() };
    }
}

/// The characters of a class, from the engine's tables for properties and case.
fn ranges(class: &Class) -> Vec<(u32, u32)> {
    let written = emit::class(class);
    let read = regex_syntax::parse(&written).map(hir::Hir::into_kind);
    match read {
        Ok(HirKind::Class(hir::Class::Unicode(found))) => {
            found.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Ok(HirKind::Class(hir::Class::Bytes(found))) => {
            found.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Ok(HirKind::Literal(one)) => {
            let text = String::from_utf8_lossy(&one.0);
            text.chars().map(|c| (c.into(), c.into())).collect()
        }
        // Cannot happen: `emit` writes every class as a class.
        _ => Vec::new(),
    }
}

/// The groups in a part of a pattern, which have consecutive numbers.
fn groups(node: &Term) -> Range<usize> {
    let (mut found, mut open) = (None::<Range<usize>>, vec![node]);
    while let Some(node) = open.pop() {
        match node {
            Term::Group(group, body) => {
                let known = found.unwrap_or(*group..*group);
                found = Some(known.start.min(*group)..known.end.max(group + 1));
                open.push(body);
            }
            Term::Look(_, body) | Term::Repeat { body, .. } => open.push(body),
            Term::Concat(parts) | Term::Either(parts) => open.extend(parts),
            Term::Empty | Term::Class(_) | Term::Anchor(_) | Term::Reference(_) => {}
        }
    }
    found.unwrap_or_default()
}

fn last_group(node: &Term) -> usize {
    groups(node).end.saturating_sub(1)
}

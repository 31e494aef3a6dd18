//! Matches a string by backtracking, as ECMA-262 defines it, and counts every step.
//!
//! Whether a search gives up depends only on its steps and not on the machine, so a verdict is the same everywhere.

use std::ops::Range;

use super::class::canonical;
use super::program::{Op, Program, Way};
use super::syntax::{Case, Greed};

/// Maximum alternatives to come back to; this limits memory.
const WAYS: usize = 4_000_000;

/// The value of an empty register.
const NOTHING: usize = usize::MAX;

/// The steps are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// What to do when a way fails.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// Restore a register.
    Value { register: u32, value: usize },
    /// Try another way.
    Way { op: u32, pos: usize },
    /// Try with one character fewer, down to the limit.
    Fewer { op: u32, pos: usize, limit: usize },
    /// Try with one character more, while some are left.
    More { op: u32, pos: usize, left: usize },
}

struct Walk<'p> {
    program: &'p Program,
    text: &'p str,
    registers: Vec<usize>,
    back: Vec<Back>,
    steps: usize,
}

/// The first match from a byte on; subtracts the steps it takes from `steps`.
pub(super) fn find(
    program: &Program,
    text: &str,
    from: usize,
    steps: &mut usize,
) -> Result<Option<Range<usize>>, Spent> {
    let registers = vec![NOTHING; program.registers];
    let mut walk = Walk { program, text, registers, back: Vec::new(), steps: *steps };
    let found = walk.first(from);
    *steps = walk.steps;
    found
}

/// What the groups of the first match captured, by number.
pub(super) fn groups(
    program: &Program,
    text: &str,
    steps: &mut usize,
) -> Result<Option<Vec<Option<Range<usize>>>>, Spent> {
    let registers = vec![NOTHING; program.registers];
    let mut walk = Walk { program, text, registers, back: Vec::new(), steps: *steps };
    let found = walk.first(0);
    *steps = walk.steps;
    Ok(found?.map(|_| {
        let captured = |pair: &[usize]| match pair {
            [start, end] if *start != NOTHING && *end != NOTHING => Some(*start..*end),
            _ => None,
        };
        walk.registers.chunks(2).map(captured).collect()
    }))
}

impl Walk<'_> {
    fn first(&mut self, from: usize) -> Result<Option<Range<usize>>, Spent> {
        let mut start = from;
        loop {
            if let Some(end) = self.walk(0, start)? {
                return Ok(Some(start..end));
            }
            let bound = matches!(self.program.ops.first(), Some(Op::Start));
            match self.text[start..].chars().next() {
                Some(c) if !bound => start += c.len_utf8(),
                _ => return Ok(None),
            }
        }
    }

    fn pay(&mut self, steps: usize) -> Result<(), Spent> {
        match self.steps.checked_sub(steps) {
            Some(left) if self.back.len() < WAYS => self.steps = left,
            _ => {
                self.steps = 0;
                return Err(Spent);
            }
        }
        Ok(())
    }

    /// Runs from an operation to `Done`. The remaining ways stay on the stack, above those that were there before.
    fn walk(&mut self, mut at: usize, mut pos: usize) -> Result<Option<usize>, Spent> {
        let (base, program) = (self.back.len(), self.program);
        loop {
            self.pay(1)?;
            let mut next = Some(at + 1);
            match &program.ops[at] {
                Op::Done => return Ok(Some(pos)),
                Op::One { class, way } => match self.step(*class, *way, pos) {
                    Some(to) => pos = to,
                    None => next = None,
                },
                Op::Span { class, way, least, most, greed } => {
                    let (mut count, mut limit, start) = (0, pos, pos);
                    let wanted = if *greed == Greed::Greedy { *most } else { *least };
                    while count < wanted {
                        let Some(to) = self.step(*class, *way, pos) else { break };
                        (pos, count) = (to, count + 1);
                        if count == *least {
                            limit = pos;
                        }
                    }
                    self.pay(start.abs_diff(pos))?;
                    let op = narrow(at);
                    if count < *least {
                        next = None;
                    } else if *greed == Greed::Lazy && *most > count {
                        self.back.push(Back::More { op, pos, left: most - count });
                    } else if count > *least {
                        self.back.push(Back::Fewer { op, pos, limit });
                    }
                }
                Op::Split(other) => self.back.push(Back::Way { op: narrow(*other), pos }),
                Op::Jump(to) => next = Some(*to),
                Op::Keep(register) => self.keep(*register, pos),
                Op::Start => next = next.filter(|_| pos == 0),
                Op::End => next = next.filter(|_| pos == self.text.len()),
                Op::Behind(class) => {
                    next = next.filter(|_| pos == 0 || self.step(*class, Way::Back, pos).is_some());
                }
                Op::Before(class) => {
                    let end = self.text.len();
                    next = next.filter(|_| pos == end || self.step(*class, Way::On, pos).is_some());
                }
                Op::Edge { class, wanted } => {
                    let sides = [Way::Back, Way::On].map(|way| self.step(*class, way, pos).is_some());
                    next = next.filter(|_| (sides[0] != sides[1]) == *wanted);
                }
                Op::Look { negative, on } => {
                    let mark = self.back.len();
                    let found = self.walk(at + 1, pos)?.is_some();
                    next = (found != *negative).then_some(*on);
                    if *negative {
                        self.undo(mark);
                    } else {
                        self.settle(mark);
                    }
                }
                Op::Again { register, case, way } => {
                    let (from, to) = (self.registers[*register], self.registers[*register + 1]);
                    if from != NOTHING && to != NOTHING {
                        self.pay(to - from)?;
                        match self.again(&self.text[from..to], *case, *way, pos) {
                            Some(to) => pos = to,
                            None => next = None,
                        }
                    }
                }
                Op::Rounds(count) => self.keep(*count, 0),
                Op::Head { count, least, most, greed, on } => {
                    let rounds = self.registers[*count];
                    if rounds >= *most {
                        next = Some(*on);
                    } else if rounds >= *least {
                        let (first, second) =
                            if *greed == Greed::Greedy { (at + 1, *on) } else { (*on, at + 1) };
                        self.back.push(Back::Way { op: narrow(second), pos });
                        next = Some(first);
                    }
                }
                Op::Enter { count, forget } => {
                    self.keep(*count, self.registers[*count] + 1);
                    self.keep(count + 1, pos);
                    forget.clone().for_each(|register| self.keep(register, NOTHING));
                }
                Op::Round { count, least, head } => {
                    let idle = pos == self.registers[count + 1] && self.registers[*count] > *least;
                    next = (!idle).then_some(*head);
                }
            }
            match next {
                Some(next) => at = next,
                None => match self.other(base)? {
                    Some(other) => (at, pos) = other,
                    None => return Ok(None),
                },
            }
        }
    }

    /// The latest remaining way: an operation and a position.
    fn other(&mut self, base: usize) -> Result<Option<(usize, usize)>, Spent> {
        while self.back.len() > base {
            self.pay(1)?;
            let Some(last) = self.back.pop() else { break };
            match last {
                Back::Value { register, value } => self.registers[register as usize] = value,
                Back::Way { op, pos } => return Ok(Some((op as usize, pos))),
                Back::Fewer { op, pos, limit } => {
                    let pos = match self.way(op) {
                        Way::On => pos - self.text[..pos].chars().next_back().map_or(0, char::len_utf8),
                        Way::Back => pos + self.text[pos..].chars().next().map_or(0, char::len_utf8),
                    };
                    if pos != limit {
                        self.back.push(Back::Fewer { op, pos, limit });
                    }
                    return Ok(Some((op as usize + 1, pos)));
                }
                Back::More { op, pos, left } => {
                    let Op::Span { class, way, .. } = self.program.ops[op as usize] else { continue };
                    if let Some(pos) = self.step(class, way, pos) {
                        if left > 1 {
                            self.back.push(Back::More { op, pos, left: left - 1 });
                        }
                        return Ok(Some((op as usize + 1, pos)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn way(&self, op: u32) -> Way {
        match self.program.ops[op as usize] {
            Op::Span { way, .. } => way,
            _ => Way::On,
        }
    }

    fn keep(&mut self, register: usize, value: usize) {
        self.back.push(Back::Value { register: narrow(register), value: self.registers[register] });
        self.registers[register] = value;
    }

    /// Restores the registers, and drops all other ways.
    fn undo(&mut self, mark: usize) {
        for last in self.back.drain(mark..).rev() {
            if let Back::Value { register, value } = last {
                self.registers[register as usize] = value;
            }
        }
    }

    /// Drops the other ways into a lookaround that succeeded, and keeps what it captured.
    fn settle(&mut self, mark: usize) {
        let mut kept = mark;
        for index in mark..self.back.len() {
            if matches!(self.back[index], Back::Value { .. }) {
                self.back.swap(kept, index);
                kept += 1;
            }
        }
        self.back.truncate(kept);
    }

    /// The position after a character of a class, if one is there.
    #[inline]
    fn step(&self, class: usize, way: Way, pos: usize) -> Option<usize> {
        let chars = &self.program.classes[class];
        let (c, to) = match way {
            Way::On => self.text[pos..].chars().next().map(|c| (c, pos + c.len_utf8())),
            Way::Back => self.text[..pos].chars().next_back().map(|c| (c, pos - c.len_utf8())),
        }?;
        chars.has(c).then_some(to)
    }

    /// The position after the same text once more.
    fn again(&self, said: &str, case: Case, way: Way, pos: usize) -> Option<usize> {
        let (before, after) = self.text.split_at(pos);
        if case == Case::Exact {
            let same = if way == Way::On { after.starts_with(said) } else { before.ends_with(said) };
            return same.then(|| if way == Way::On { pos + said.len() } else { pos - said.len() });
        }
        let is_same = |a: char, b: Option<char>| b.filter(|b| alike(a, *b, case));
        let length =
            |found: Option<Vec<char>>| found.map(|all| all.iter().map(|c| c.len_utf8()).sum::<usize>());
        match way {
            Way::On => {
                let mut text = after.chars();
                length(said.chars().map(|a| is_same(a, text.next())).collect()).map(|size| pos + size)
            }
            Way::Back => {
                let mut text = before.chars().rev();
                length(said.chars().rev().map(|a| is_same(a, text.next())).collect()).map(|size| pos - size)
            }
        }
    }
}

fn alike(a: char, b: char, case: Case) -> bool {
    a == b
        || match case {
            Case::Exact => false,
            Case::Upper => canonical(a) == canonical(b),
            Case::Folded => a.to_lowercase().eq(b.to_lowercase()) || a.to_uppercase().eq(b.to_uppercase()),
        }
}

/// An index as `u32`; patterns are far shorter.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

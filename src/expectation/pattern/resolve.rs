//! Settles what each back reference means, and simplifies repetitions of nothing.
//!
//! In JavaScript a repetition forgets what its groups captured whenever it begins anew, a repetition
//! of nothing does not count, and a reference to a group that captured nothing matches nothing. The
//! engine underneath knows none of the three. Most references can be settled before matching; the
//! few that cannot are refused, since a wrong verdict is worse than none.

use std::collections::{BTreeMap, BTreeSet};

use super::PatternError;
use super::syntax::{Look, Reference, Term};

/// What is known of a group at one point of the pattern. A group not in the map captured nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It captured.
    Surely,
    /// It captured on some ways to this point.
    Maybe,
    /// The same, and the engine may still hold the capture of an earlier repetition.
    Stale,
}

type Groups = BTreeMap<usize, Known>;

/// A pattern whose references are settled.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The pattern.
    pub(super) node: Term,
    /// The groups that are referred to, which alone need to capture.
    pub(super) used: BTreeSet<usize>,
}

/// Settles a whole pattern.
pub(super) fn resolve(node: Term) -> Result<Resolved, PatternError> {
    let mut resolver = Resolver::default();
    let node = resolver.node(node, &mut Groups::new(), Direction::Forward)?;
    Ok(Resolved { node, used: resolver.used })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

#[derive(Debug, Default)]
struct Resolver {
    used: BTreeSet<usize>,
    /// The groups of each repetition that is being read.
    loops: Vec<BTreeSet<usize>>,
    /// The groups of each look behind that is being read.
    behinds: Vec<BTreeSet<usize>>,
    /// Groups in a repetition that may match nothing.
    hollow: BTreeSet<usize>,
    /// Groups in a look behind whose length varies.
    stretched: BTreeSet<usize>,
}

impl Resolver {
    fn node(&mut self, node: Term, known: &mut Groups, direction: Direction) -> Result<Term, PatternError> {
        Ok(match node {
            Term::Empty | Term::Class(_) | Term::Anchor(_) => node,
            Term::Concat(parts) => {
                let mut done = Vec::with_capacity(parts.len());
                let order: Vec<Term> = match direction {
                    Direction::Forward => parts,
                    Direction::Backward => parts.into_iter().rev().collect(),
                };
                for part in order {
                    done.push(self.node(part, known, direction)?);
                }
                if direction == Direction::Backward {
                    done.reverse();
                }
                Term::Concat(done)
            }
            Term::Either(ways) => {
                let mut ends = Vec::with_capacity(ways.len());
                let mut done = Vec::with_capacity(ways.len());
                for way in ways {
                    let mut end = known.clone();
                    done.push(self.node(way, &mut end, direction)?);
                    ends.push(end);
                }
                *known = joined(&ends);
                Term::Either(done)
            }
            Term::Group(group, body) => {
                known.remove(&group);
                let body = self.node(*body, known, direction)?;
                known.insert(group, Known::Surely);
                Term::Group(group, Box::new(body))
            }
            Term::Look(look, body) => self.look(look, *body, known)?,
            Term::Repeat { body, least, most, greed } => {
                if most == Some(0) {
                    return Ok(Term::Empty);
                }
                let before = known.clone();
                let body = self.body(*body, known, (least, most), direction)?;
                match (body.width(), least) {
                    ((_, Some(0)), 0) => {
                        *known = before;
                        Term::Empty
                    }
                    ((_, Some(0)), _) => body,
                    (_, 0) => {
                        *known = joined(&[before, known.clone()]);
                        Term::Repeat { body: Box::new(body), least, most, greed }
                    }
                    _ => Term::Repeat { body: Box::new(body), least, most, greed },
                }
            }
            Term::Reference(reference) => self.reference(&reference, known)?,
        })
    }

    /// The body of a repetition; `known` is then what holds after its last round.
    fn body(
        &mut self,
        body: Term,
        known: &mut Groups,
        (least, most): (u32, Option<u32>),
        direction: Direction,
    ) -> Result<Term, PatternError> {
        let inner = groups(&body);
        known.retain(|group, _| !inner.contains(group));
        if body.width().0 == 0 && most != Some(least) {
            self.hollow.extend(&inner);
        }
        if most == Some(1) {
            return self.node(body, known, direction);
        }
        self.loops.push(inner.clone());
        let body = self.node(body, known, direction);
        self.loops.pop();
        for (group, state) in known.iter_mut() {
            if inner.contains(group) && *state == Known::Maybe {
                *state = Known::Stale;
            }
        }
        body
    }

    fn look(&mut self, look: Look, body: Term, known: &mut Groups) -> Result<Term, PatternError> {
        let before = look.is_negative().then(|| known.clone());
        let direction = if look.is_behind() { Direction::Backward } else { Direction::Forward };
        if look.is_behind() {
            let inner = groups(&body);
            let (least, most) = body.width();
            if most != Some(least) {
                self.stretched.extend(&inner);
            }
            self.behinds.push(inner);
        }
        let body = self.node(body, known, direction);
        if look.is_behind() {
            self.behinds.pop();
        }
        if let Some(before) = before {
            *known = before;
        }
        Ok(Term::Look(look, Box::new(body?)))
    }

    fn reference(&mut self, reference: &Reference, known: &Groups) -> Result<Term, PatternError> {
        let group = reference.group;
        let Some(state) = known.get(&group) else { return Ok(Term::Empty) };
        let in_loop = self.loops.iter().any(|inner| inner.contains(&group));
        let refused = if *state == Known::Stale || (in_loop && *state == Known::Maybe) {
            "to a group that a repetition may leave out"
        } else if self.hollow.contains(&group) {
            "to a group in a repetition that may match nothing"
        } else if self.stretched.contains(&group) || self.behinds.iter().any(|inner| inner.contains(&group)) {
            "to a group in a look behind of this kind"
        } else {
            self.used.insert(group);
            return Ok(Term::Reference(Reference { optional: *state == Known::Maybe, ..*reference }));
        };
        let message = format!("akit cannot follow a reference {refused}");
        Err(PatternError::at(reference.offset, message, "write the pattern without this reference"))
    }
}

/// What is known where several ways meet.
fn joined(ends: &[Groups]) -> Groups {
    let all: BTreeSet<usize> = ends.iter().flat_map(|end| end.keys().copied()).collect();
    let state = |group: &usize| {
        let states: Vec<Option<&Known>> = ends.iter().map(|end| end.get(group)).collect();
        if states.contains(&Some(&Known::Stale)) {
            Known::Stale
        } else if states.iter().all(|state| *state == Some(&Known::Surely)) {
            Known::Surely
        } else {
            Known::Maybe
        }
    };
    all.iter().map(|group| (*group, state(group))).collect()
}

/// The groups in a part of a pattern.
fn groups(node: &Term) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Term::Group(group, body) => {
                found.insert(*group);
                open.push(body);
            }
            Term::Look(_, body) | Term::Repeat { body, .. } => open.push(body),
            Term::Concat(parts) | Term::Either(parts) => open.extend(parts),
            Term::Empty | Term::Class(_) | Term::Anchor(_) | Term::Reference(_) => {}
        }
    }
    found
}

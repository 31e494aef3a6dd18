//! Expectations: whether one demands as much as another did.

use std::collections::BTreeSet;

use super::document::{place, start};
use super::form::{Form, Operator, Part};
use super::judge::Judging;
use super::kind::{Flag, Kind};
use super::leaf;
use crate::source::{Node, Span};

/// The judges that are configured before and now.
pub(super) type Judges<'a> = (Judging<'a>, Judging<'a>);

/// In what `now` demands less than `before`; nothing where it demands as much or more.
pub(super) fn weaker(before: &Node, now: &Node, judges: &Judges<'_>) -> Vec<Flag> {
    forms(&Form::of(before), &Form::of(now), judges)
}

fn forms(before: &Form<'_>, now: &Form<'_>, judges: &Judges<'_>) -> Vec<Flag> {
    if before.key() == now.key() {
        return Vec::new();
    }
    match (before.operator, now.operator) {
        (Operator::Or | Operator::Alone, Operator::Or) => either(before, now, judges),
        (Operator::Or, _) => one_of(before, now, judges),
        (Operator::And, Operator::Or) => {
            let message = "all parts had to hold, now one is enough".to_owned();
            let mut flags = vec![Flag::new(Kind::OperatorLoosened, place(now.node, &["operator"]), message)];
            flags.extend(
                both(before, now, judges).into_iter().filter(|flag| flag.kind != Kind::ExpectationRemoved),
            );
            flags
        }
        _ => both(before, now, judges),
    }
}

/// All parts of before must be left, as strong as they were.
fn both(before: &Form<'_>, now: &Form<'_>, judges: &Judges<'_>) -> Vec<Flag> {
    let mut pairing = Pairing::of(before, now, judges);
    pairing.join(|_, _| true);
    let mut flags = pairing.flags(judges);
    for part in pairing.alone() {
        let message = format!("a part that demanded `{}` is gone", part.kind());
        flags.push(Flag::new(Kind::ExpectationRemoved, place(now.node, &["expectations"]), message));
    }
    flags
}

/// One part of now is enough, so each must be as strong as one of before.
fn either(before: &Form<'_>, now: &Form<'_>, judges: &Judges<'_>) -> Vec<Flag> {
    let pairing = Pairing::of(before, now, judges);
    let mut flags = pairing.flags(judges);
    for part in pairing.added() {
        let message = format!("`{}` is enough now, whatever else was demanded", part.kind());
        flags.push(Flag::new(Kind::AlternativeAdded, head(part.node()), message));
    }
    flags
}

/// One part of before was enough, so one part of now must be as strong as it.
fn one_of(before: &Form<'_>, now: &Form<'_>, judges: &Judges<'_>) -> Vec<Flag> {
    let pairs = before.parts.iter().flat_map(|old| now.parts.iter().map(move |new| (old, new)));
    pairs.map(|(old, new)| parts(old, new, judges)).min_by_key(Vec::len).unwrap_or_default()
}

fn parts(before: &Part<'_>, now: &Part<'_>, judges: &Judges<'_>) -> Vec<Flag> {
    match (before, now) {
        (Part::Not(old, _), Part::Not(new, node)) => {
            // What must not hold demands more where it held less: the other way round.
            let flags = forms(new, old, &(judges.1, judges.0));
            flags.first().map_or(Vec::new(), |first| {
                let message = format!("what must not hold is another thing: {}", first.kind);
                vec![Flag::new(Kind::NegationNarrowed, start(node), message)]
            })
        }
        (Part::Not(_, _), Part::Leaf(node)) | (Part::Leaf(_), Part::Not(_, node)) => {
            let message = format!("`{}` is the opposite of `{}`", now.kind(), before.kind());
            vec![Flag::new(Kind::ExpectationNegated, head(node), message)]
        }
        (Part::Leaf(old), Part::Leaf(new)) => {
            if before.kind() == "combined" || now.kind() == "combined" {
                return forms(&Form::of(old), &Form::of(new), judges);
            }
            leaf::weaker(old, new, judges)
        }
    }
}

/// Where a part begins: its kind.
fn head(node: &Node) -> Span {
    place(node, &["type"])
}

/// Which part of now is which of before.
struct Pairing<'f, 'a> {
    before: &'f [Part<'a>],
    now: &'f [Part<'a>],
    places: Vec<Option<usize>>,
}

impl<'f, 'a> Pairing<'f, 'a> {
    /// Joins equal parts, then those of a kind that demand as much, then those of a kind.
    fn of(before: &'f Form<'a>, now: &'f Form<'a>, judges: &Judges<'_>) -> Self {
        let places = vec![None; before.parts.len()];
        let mut pairing = Self { before: &before.parts, now: &now.parts, places };
        pairing.join(|old, new| old.key() == new.key());
        pairing.join(|old, new| old.kind() == new.kind() && parts(old, new, judges).is_empty());
        pairing.join(|old, new| parts(old, new, judges).is_empty());
        pairing.join(|old, new| old.kind() == new.kind());
        pairing
    }

    fn join(&mut self, fits: impl Fn(&Part<'a>, &Part<'a>) -> bool) {
        for index in 0..self.before.len() {
            if self.places[index].is_none() {
                let taken: BTreeSet<usize> = self.places.iter().flatten().copied().collect();
                let mut free = (0..self.now.len()).filter(|at| !taken.contains(at));
                self.places[index] = free.find(|at| fits(&self.before[index], &self.now[*at]));
            }
        }
    }

    fn flags(&self, judges: &Judges<'_>) -> Vec<Flag> {
        let pairs = self.before.iter().zip(&self.places);
        pairs.filter_map(|(old, place)| Some(parts(old, &self.now[(*place)?], judges))).flatten().collect()
    }

    /// Parts of before that are gone.
    fn alone(&self) -> impl Iterator<Item = &Part<'a>> {
        self.before.iter().zip(&self.places).filter(|(_, place)| place.is_none()).map(|(part, _)| part)
    }

    /// Parts of now that are new.
    fn added(&self) -> impl Iterator<Item = &Part<'a>> {
        self.now.iter().enumerate().filter(|(at, _)| !self.places.contains(&Some(*at))).map(|(_, part)| part)
    }
}

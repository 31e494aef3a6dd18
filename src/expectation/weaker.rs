//! Whether an expectation requires as much as another did. Two expectations of the same kind are compared in the file
//! of that kind; this file compares how `combined` and `not` join expectations.
//!
//! What makes no difference is removed first: a `combined` of one part, `and` within `and`, `not` of `not`, a
//! duplicate.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use super::llm_grader::Judges;
use super::{Expectation, Expected, Plain, Rule};
use crate::grader::Configured;
use crate::source::{Node, Span};
use crate::vocabulary::{VerdictKind, WeakeningKind as Kind, Weaker};

/// One way in which an expectation requires less, and its place in the file.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its kind.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
    /// A sentence that says what was there before.
    pub message: String,
    /// The rule of `always` that it is part of.
    pub rule: Option<Arc<Rule>>,
    /// The rule of `always` that was removed.
    pub gone: Option<Arc<Rule>>,
}

/// An expectation and the tree that it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// What is required.
    pub expectation: &'a Expectation,
    /// As written.
    pub node: &'a Node,
    /// The rule of `always` that it is, or is part of.
    pub rule: Option<&'a Arc<Rule>>,
}

impl<'a> Written<'a> {
    /// An expectation of a case.
    #[must_use]
    pub fn own(expectation: &'a Expectation, node: &'a Node) -> Self {
        Self { expectation, node, rule: None }
    }

    /// A rule of `always`.
    #[must_use]
    pub fn rule(rule: &'a Arc<Rule>) -> Self {
        Self { expectation: &rule.expectation, node: &rule.node, rule: Some(rule) }
    }

    /// A weakening at a place in it.
    fn placed(&self, kind: Kind, span: Span, message: String) -> Placed {
        Placed { kind, span, message, rule: self.rule.cloned(), gone: None }
    }
}

/// Where `now` requires less than `before`: each is a case's own expectation and the rules that apply to it. Empty if
/// it requires as much or more.
#[must_use]
pub fn weaker(
    before: (Written<'_>, &[Written<'_>]),
    now: (Written<'_>, &[Written<'_>]),
    judges: Judges<'_>,
) -> Vec<Placed> {
    let (before, now) = match (before, now) {
        ((before, []), (now, [])) => (Form::of(before), Form::of(now)),
        (before, now) => (Form::of_all(before), Form::of_all(now)),
    };
    FormComparison::default().forms(&before, &now, judges).to_vec()
}

/// Whether every answer that passes `one` also passes `other`, as far as their keys show. Neither of them may ask a
/// judge.
#[must_use]
pub fn covers(other: Written<'_>, one: Written<'_>) -> bool {
    let judges = Judges { before: &Configured::default(), now: &Configured::default() };
    weaker((other, &[]), (one, &[]), judges).is_empty()
}

/// How parts are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    /// There is one part.
    Alone,
    /// All must pass.
    And,
    /// One is enough.
    Or,
}

#[derive(Clone, Debug)]
enum Part<'a> {
    /// An expectation without parts.
    Leaf(Written<'a>),
    /// One that must fail, and its `not`.
    Not(Rc<Form<'a>>, Written<'a>),
    /// Parts with the other operator.
    Nested(Rc<Form<'a>>),
}

/// Parts, how they are joined, and where they are written.
#[derive(Clone, Debug)]
struct Form<'a> {
    operator: Operator,
    parts: Vec<Part<'a>>,
    at: Written<'a>,
}

impl<'a> Form<'a> {
    /// What a case requires, together with the rules that apply to it.
    fn of_all((own, rules): (Written<'a>, &[Written<'a>])) -> Self {
        let all = std::iter::once(own).chain(rules.iter().copied());
        Self { operator: Operator::And, parts: Self::parts(Operator::And, all), at: own }
    }

    /// The parts for an operator, with nested parts of the same operator flattened.
    fn parts(operator: Operator, all: impl Iterator<Item = Written<'a>>) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        for form in all.map(Form::of) {
            if form.operator == Operator::Alone || form.operator == operator {
                parts.extend(form.parts);
            } else {
                parts.push(Part::Nested(Rc::new(form)));
            }
        }
        parts
    }

    fn of(written: Written<'a>) -> Self {
        let Written { expectation, node, .. } = written;
        let alone = |part| Self { operator: Operator::Alone, parts: vec![part], at: written };
        match &expectation.expected {
            Expected::Not(not) => {
                let inner = node.get("not").unwrap_or(node);
                let inner = Form::of(Written { expectation: not.inner(), node: inner, ..written });
                // Two negations cancel out.
                if let (Operator::Alone, [Part::Not(innermost, _)]) = (inner.operator, inner.parts.as_slice())
                {
                    return (**innermost).clone();
                }
                alone(Part::Not(Rc::new(inner), written))
            }
            Expected::Combined(combined) => {
                let own = if combined.is_any() { Operator::Or } else { Operator::And };
                let items = node.get("expectations").map(Node::items).unwrap_or_default();
                let all = combined.parts().iter().zip(items);
                let all = all.map(|(expectation, node)| Written { expectation, node, ..written });
                let parts = Self::parts(own, all);
                match parts.as_slice() {
                    [Part::Nested(only)] => (**only).clone(),
                    [_] => Self { operator: Operator::Alone, parts, at: written },
                    _ => Self { operator: own, parts, at: written },
                }
            }
            Expected::Plain(_)
            | Expected::LlmGrader(_)
            | Expected::Similarity(_)
            | Expected::Which(_)
            | Expected::Whole(_) => alone(Part::Leaf(written)),
        }
    }
}

impl<'a> Part<'a> {
    fn written(&self) -> Written<'a> {
        match self {
            Part::Leaf(written) | Part::Not(_, written) => *written,
            Part::Nested(form) => form.at,
        }
    }

    fn node(&self) -> &'a Node {
        self.written().node
    }

    fn identity(&self) -> Identity {
        let operator = match self {
            Part::Leaf(_) | Part::Not(..) => None,
            Part::Nested(form) => Some(form.operator),
        };
        (ptr::from_ref(self.node()) as usize, operator)
    }

    /// A form with this as its only part.
    fn alone(&self) -> Form<'a> {
        Form { operator: Operator::Alone, parts: vec![self.clone()], at: self.written() }
    }

    /// Its kind, as written.
    fn kind(&self) -> &'a str {
        match self {
            Part::Not(..) => "not",
            Part::Leaf(_) | Part::Nested(_) => {
                self.node().get("type").and_then(Node::as_str).unwrap_or_default()
            }
        }
    }

    /// Where it begins.
    fn head(&self) -> Span {
        self.node().place(&["type"])
    }
}

type Placements = Rc<[Placed]>;

/// Identifies a part. A case with rules has the node of its own expectation, but never the same operator.
type Identity = (usize, Option<Operator>);

/// Caches what was found about pairs of parts, so that none is compared twice however deep they are nested.
#[derive(Default)]
struct FormComparison {
    known: RefCell<BTreeMap<[Identity; 2], Placements>>,
}

impl FormComparison {
    fn forms(&self, before: &Form<'_>, now: &Form<'_>, judges: Judges<'_>) -> Placements {
        match (before.operator, now.operator) {
            (Operator::Or | Operator::Alone, Operator::Or) => self.either(before, now, judges),
            (Operator::Or, _) => self.one_of(before, now, judges),
            (Operator::And, Operator::Or) => {
                let message = "all parts had to pass; now one is enough".to_owned();
                let span = now.at.node.place(&["operator"]);
                let mut found = vec![now.at.placed(Kind::OperatorLoosened, span, message)];
                let both = self.both(before, now, judges);
                found.extend(both.iter().filter(|one| one.kind != Kind::ExpectationRemoved).cloned());
                found.into()
            }
            _ => self.both(before, now, judges),
        }
    }

    /// Every part of `before` must still be there, and be at least as strong.
    fn both(&self, before: &Form<'_>, now: &Form<'_>, judges: Judges<'_>) -> Placements {
        let mut pairing = Pairing::of(self, before, now, judges);
        pairing.join(|_, _| true);
        let mut found = pairing.found();
        let implied = |part: &Part<'_>| now.parts.iter().any(|new| self.parts(part, new, judges).is_empty());
        for part in pairing.alone().filter(|part| !implied(part)) {
            let message = format!("a part with `{}` was removed", part.kind());
            let span = now.at.node.place(&["expectations"]);
            let gone = part.written().rule.filter(|_| now.at.rule.is_none()).cloned();
            found.push(Placed { gone, ..now.at.placed(Kind::ExpectationRemoved, span, message) });
        }
        found.into()
    }

    /// One part of `now` is enough, so each must be as strong as one of `before`.
    fn either(&self, before: &Form<'_>, now: &Form<'_>, judges: Judges<'_>) -> Placements {
        let pairing = Pairing::of(self, before, now, judges);
        let mut found = pairing.found();
        let enough =
            |part: &Part<'_>| before.parts.iter().any(|old| self.parts(old, part, judges).is_empty());
        for part in pairing.added().filter(|part| !enough(part)) {
            let message = format!("`{}` alone is enough now", part.kind());
            found.push(part.written().placed(Kind::AlternativeAdded, part.head(), message));
        }
        found.into()
    }

    /// One part of `before` was enough, so one part of `now` must be as strong as one of them.
    fn one_of(&self, before: &Form<'_>, now: &Form<'_>, judges: Judges<'_>) -> Placements {
        let pairs = before.parts.iter().flat_map(|old| now.parts.iter().map(move |new| (old, new)));
        let found = pairs.map(|(old, new)| self.parts(old, new, judges));
        // Several parts of `now` together may be as strong as one nested part of `before`.
        let whole = Part::Nested(Rc::new(now.clone()));
        let nested = before.parts.iter().filter(|old| matches!(old, Part::Nested(_)));
        let together = nested.map(|old| self.parts(old, &whole, judges)).collect::<Vec<_>>();
        // And one nested part of `now` may be as strong as all of `before`.
        let all = Part::Nested(Rc::new(before.clone()));
        let nested = now.parts.iter().filter(|new| matches!(new, Part::Nested(_)));
        let inside = nested.map(|new| self.parts(&all, new, judges)).collect::<Vec<_>>();
        let found = found.chain(together).chain(inside);
        found.min_by_key(|found| found.len()).unwrap_or_default()
    }

    fn parts(&self, before: &Part<'_>, now: &Part<'_>, judges: Judges<'_>) -> Placements {
        let key = [before, now].map(Part::identity);
        if let Some(found) = self.known.borrow().get(&key) {
            return Rc::clone(found);
        }
        let found = self.compared(before, now, judges);
        self.known.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    fn compared<'a>(&self, before: &Part<'a>, now: &Part<'a>, judges: Judges<'_>) -> Placements {
        match (before, now) {
            (Part::Not(old, _), Part::Not(new, at)) => {
                // A negation is stronger if what it negates is weaker, so the comparison is swapped.
                let found = self.forms(new, old, judges.swap());
                let narrowed = found.first().map(|first| {
                    let message = format!("what must fail has changed: {}", first.kind);
                    at.placed(Kind::NegationNarrowed, at.node.start(), message)
                });
                narrowed.into_iter().collect()
            }
            (Part::Nested(old), Part::Nested(new)) => self.forms(old, new, judges),
            (Part::Nested(old), Part::Leaf(_) | Part::Not(..)) => self.forms(old, &now.alone(), judges),
            (Part::Leaf(_) | Part::Not(..), Part::Nested(new)) => self.forms(&before.alone(), new, judges),
            (Part::Not(..), Part::Leaf(_)) | (Part::Leaf(_), Part::Not(..)) => {
                let message = format!("`{}` is the opposite of `{}`", now.kind(), before.kind());
                Rc::new([now.written().placed(Kind::ExpectationNegated, now.head(), message)])
            }
            (Part::Leaf(old), Part::Leaf(new)) => {
                if let (Expected::Which(was), Expected::Which(is)) =
                    (&old.expectation.expected, &new.expectation.expected)
                    && was.is_of_same(is)
                {
                    let inner = |at: &Written<'a>, inner: &'a Expectation| {
                        let node = at.node.get("expected").unwrap_or(at.node);
                        Form::of(Written { expectation: inner, node, ..*at })
                    };
                    return self.forms(&inner(old, was.inner()), &inner(new, is.inner()), judges);
                }
                let found = old.expectation.expected.weaker(&new.expectation.expected, judges);
                let placed = |one: Weaker| new.placed(one.kind, new.node.place(&one.keys), one.message);
                found.into_iter().map(placed).collect()
            }
        }
    }
}

/// Which part of `now` corresponds to which of `before`.
struct Pairing<'c, 'f, 'a> {
    comparison: &'c FormComparison,
    judges: Judges<'c>,
    before: Vec<&'f Part<'a>>,
    now: Vec<&'f Part<'a>>,
    places: Vec<Option<usize>>,
}

impl<'c, 'f, 'a> Pairing<'c, 'f, 'a> {
    /// Pairs parts of the same kind that require the same, then parts of the same kind that require as much, then any
    /// parts that require as much, then the remaining parts of the same kind.
    fn of(
        comparison: &'c FormComparison,
        before: &'f Form<'a>,
        now: &'f Form<'a>,
        judges: Judges<'c>,
    ) -> Self {
        let weaker = |old: &Part<'a>, new: &Part<'a>| !comparison.parts(old, new, judges).is_empty();
        let before = distinct(&before.parts, |one, other| {
            one.kind() == other.kind() && !weaker(one, other) && !weaker(other, one)
        });
        let places = vec![None; before.len()];
        let mut pairing = Self { comparison, judges, before, now: now.parts.iter().collect(), places };
        pairing.join(|old, new| old.kind() == new.kind() && !weaker(old, new) && !weaker(new, old));
        pairing.join(|old, new| old.kind() == new.kind() && !weaker(old, new));
        pairing.join(|old, new| !weaker(old, new));
        pairing.join(|old, new| old.kind() == new.kind());
        pairing
    }

    fn join(&mut self, fits: impl Fn(&Part<'a>, &Part<'a>) -> bool) {
        for index in 0..self.before.len() {
            if self.places[index].is_none() {
                let taken: BTreeSet<usize> = self.places.iter().flatten().copied().collect();
                let mut free = (0..self.now.len()).filter(|at| !taken.contains(at));
                self.places[index] = free.find(|at| fits(self.before[index], self.now[*at]));
            }
        }
    }

    fn found(&self) -> Vec<Placed> {
        let pairs = self.before.iter().zip(&self.places);
        let pairs = pairs.filter_map(|(old, place)| Some((*old, self.now[(*place)?])));
        pairs.flat_map(|(old, new)| self.comparison.parts(old, new, self.judges).to_vec()).collect()
    }

    /// Parts of `before` without a partner.
    fn alone(&self) -> impl Iterator<Item = &'f Part<'a>> {
        self.before.iter().zip(&self.places).filter(|(_, place)| place.is_none()).map(|(part, _)| *part)
    }

    /// Parts of `now` without a partner.
    fn added(&self) -> impl Iterator<Item = &'f Part<'a>> {
        self.now.iter().enumerate().filter(|(at, _)| !self.places.contains(&Some(*at))).map(|(_, part)| *part)
    }
}

/// The parts, without those that require the same as an earlier one.
fn distinct<'f, 'a>(parts: &'f [Part<'a>], same: impl Fn(&Part<'a>, &Part<'a>) -> bool) -> Vec<&'f Part<'a>> {
    let mut kept: Vec<&Part<'_>> = Vec::new();
    for part in parts {
        if !kept.iter().any(|known| same(known, part)) {
            kept.push(part);
        }
    }
    kept
}

impl Expected {
    /// Where another expectation without parts requires less than this one. Another kind counts as less, unless it
    /// clearly requires more.
    fn weaker(&self, now: &Self, judges: Judges<'_>) -> Vec<Weaker> {
        let same = match (self, now) {
            // The exact text contains everything that the answer had to contain, or is as similar as the answer had to
            // be.
            (Expected::Plain(Plain::Contains(old)), Expected::Plain(Plain::Exact(new)))
                if old.is_met_by(new) =>
            {
                Some(Vec::new())
            }
            (Expected::Plain(Plain::Fuzzy(old)), Expected::Plain(Plain::Exact(new)))
                if old.is_met_by(new.whole()) =>
            {
                Some(Vec::new())
            }
            (Expected::Plain(old), Expected::Plain(new)) => old.weaker(new),
            (Expected::LlmGrader(old), Expected::LlmGrader(new)) => Some(old.weaker(new, judges)),
            (Expected::Similarity(old), Expected::Similarity(new)) => Some(old.weaker(new, judges)),
            (Expected::Whole(old), Expected::Whole(new)) => old.weaker(new),
            (
                Expected::Plain(_)
                | Expected::LlmGrader(_)
                | Expected::Similarity(_)
                | Expected::Combined(_)
                | Expected::Not(_)
                | Expected::Which(_)
                | Expected::Whole(_),
                _,
            ) => None,
        };
        same.unwrap_or_else(|| {
            let message = format!("`{}` was replaced by `{}`", self.kind(), now.kind());
            vec![Weaker::new(Kind::KindChanged, &["type"], message)]
        })
    }

    /// Its kind.
    pub(super) fn kind(&self) -> VerdictKind {
        match self {
            Expected::Plain(plain) => plain.kind(),
            Expected::LlmGrader(_) => VerdictKind::LlmGrader,
            Expected::Similarity(_) => VerdictKind::Similarity,
            Expected::Combined(_) => VerdictKind::Combined,
            Expected::Not(_) => VerdictKind::Not,
            Expected::Which(kind) => kind.kind(),
            Expected::Whole(kind) => kind.kind(),
        }
    }
}

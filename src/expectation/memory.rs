//! `no_reask` and `keeps`: the application does not ask again for what the customer gave, and repeats it unchanged.

use super::{Fact, Reading, TYPE, errored, quote, verdict};
use super::{Heard, Talk};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] =
    &[TYPE, Field::optional("facts", Shape::Texts, "Names of the facts to check (all).")];

/// The application does not ask again for what the customer gave.
#[derive(Clone, Debug)]
pub struct NoReask(Facts);

/// The application repeats what the customer gave without changing it.
#[derive(Clone, Debug)]
pub struct Keeps(Facts);

/// Facts of a case.
#[derive(Clone, Debug)]
struct Facts {
    places: Vec<usize>,
    names: Vec<String>,
}

impl Facts {
    /// The named facts, or all that are usable.
    fn read(
        fields: &Fields<'_>,
        reading: &mut Reading<'_>,
        is_usable: fn(&Fact) -> bool,
        lacks: &str,
    ) -> Option<Self> {
        let setup = reading.setup;
        let scope = setup.talk.as_ref()?;
        let listed = fields.texts("facts");
        let places = match &listed {
            Some(names) => scope.facts(names, reading),
            None => (0..scope.facts.len()).filter(|at| is_usable(&scope.facts[*at])).collect(),
        };
        let span = fields.key_span("facts").unwrap_or(fields.span());
        if let Some(fact) = places.iter().map(|at| &scope.facts[*at]).find(|fact| !is_usable(fact)) {
            let message = format!("fact `{}` has {lacks}", text::excerpt(&fact.name, 60));
            reading.refuse("missing-field", span, message, "add it to the entry under `facts:`");
        }
        if places.is_empty() && listed.as_ref().is_none_or(Vec::is_empty) {
            let message = format!("no fact can be checked: each has {lacks}");
            let message =
                if scope.facts.is_empty() { "the case has no `facts:`".to_owned() } else { message };
            reading.refuse("missing-field", span, message, "list what the customer knows under `facts:`");
        }
        let names = places.iter().map(|at| scope.facts[*at].name.clone()).collect();
        Some(Self { places, names })
    }

    /// The facts of these that were given before a turn.
    fn given<'t>(&self, talk: &'t Talk<'_>, turn: &Heard<'_>) -> Vec<&'t Fact> {
        let given = turn.given.iter().filter(|at| self.places.contains(at));
        given.filter_map(|at| talk.facts.get(*at)).collect()
    }

    fn expected(&self) -> String {
        text::excerpt(&self.names.join(", "), 200)
    }

    /// The facts that are no longer checked.
    fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let lost = self.names.iter().filter(|name| !now.names.contains(name));
        let weaker = |name: &String| {
            let message = format!("fact `{}` is no longer checked", text::excerpt(name, 60));
            Weaker::new(WeakeningKind::ValueRemoved, &["facts"], message)
        };
        lost.map(weaker).collect()
    }

    /// The verdict over all answers that come after a fact was given; `broken` says how an answer breaks it.
    fn judge(
        &self,
        kind: &VerdictKind,
        talk: &Talk<'_>,
        broken: impl Fn(&Fact, &str) -> Result<Option<String>, String>,
        unbroken: &str,
    ) -> Verdict {
        let mut was_given = false;
        for turn in &talk.turns {
            for fact in self.given(talk, turn) {
                was_given = true;
                match broken(fact, turn.answer.text) {
                    Ok(None) => {}
                    Ok(Some(how)) => {
                        let reason = format!("{} {how}", turn.named());
                        let got = quote(turn.answer.text);
                        let found = verdict(kind.clone(), false, 0.0).of_turn(turn.number);
                        return Verdict { reason, got, expected: self.expected(), ..found };
                    }
                    Err(why) => {
                        let reason = format!("{}: {why}", turn.named());
                        let found = errored(kind.clone(), reason).of_turn(turn.number);
                        return Verdict { expected: self.expected(), ..found };
                    }
                }
            }
        }
        if let Some(reason) = talk.hollow() {
            return Verdict { expected: self.expected(), ..super::hollow(kind.clone(), &reason) };
        }
        let reason = if was_given { unbroken.to_owned() } else { format!("{unbroken}; no fact was given") };
        Verdict { reason, expected: self.expected(), ..verdict(kind.clone(), true, 1.0) }
    }
}

impl NoReask {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        Facts::read(fields, reading, |_| true, "no name").map(Self)
    }

    pub(super) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        let asked = |fact: &Fact, answer: &str| match fact.is_asked(answer) {
            Ok(false) => Ok(None),
            Ok(true) if fact.restated(answer) => Ok(None),
            Ok(true) => Ok(Some(format!("asks again for `{}`", text::excerpt(&fact.name, 60)))),
            Err(error) => Err(error.to_string()),
        };
        self.0.judge(&VerdictKind::NoReask, talk, asked, "nothing was asked for again")
    }

    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        self.0.weaker(&now.0)
    }
}

impl Keeps {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let is_usable = |fact: &Fact| fact.has_shape() && fact.value.is_some();
        Facts::read(fields, reading, is_usable, "no `shape`, or no value that matches it").map(Self)
    }

    pub(super) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        let altered = |fact: &Fact, answer: &str| match fact.altered(answer) {
            Ok(None) => Ok(None),
            Ok(Some(other)) => {
                let (name, other) = (text::excerpt(&fact.name, 60), text::excerpt(&other, 60));
                let value = text::excerpt(fact.value.as_deref().unwrap_or_default(), 60);
                Ok(Some(format!("changed a fact: `{name}` is {value}, but it says {other}")))
            }
            Err(_) => Err(format!("the search for `{}` gave up", text::excerpt(&fact.name, 60))),
        };
        self.0.judge(&VerdictKind::Keeps, talk, altered, "no given fact was changed")
    }

    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        self.0.weaker(&now.0)
    }
}

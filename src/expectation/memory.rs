//! `no_reask` and `keeps`: what the customer has given is not asked for again, and repeated as it was given.

use super::{Fact, Reading, TYPE, errored, quote, verdict};
use super::{Heard, Talk};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] =
    &[TYPE, Field::optional("facts", Shape::Texts, "The facts that are meant (all).")];

/// Nothing is asked that the customer has given.
#[derive(Clone, Debug)]
pub struct NoReask(Facts);

/// What the customer has given is repeated as it was given.
#[derive(Clone, Debug)]
pub struct Keeps(Facts);

/// Facts of a case.
#[derive(Clone, Debug)]
struct Facts {
    places: Vec<usize>,
    names: Vec<String>,
}

impl Facts {
    /// Those that are named, else all that are of use.
    fn read(
        fields: &Fields<'_>,
        reading: &mut Reading<'_>,
        is_of_use: fn(&Fact) -> bool,
        lacks: &str,
    ) -> Option<Self> {
        let setup = reading.setup;
        let scope = setup.talk.as_ref()?;
        let listed = fields.texts("facts");
        let places = match &listed {
            Some(names) => scope.facts(names, reading),
            None => (0..scope.facts.len()).filter(|at| is_of_use(&scope.facts[*at])).collect(),
        };
        let span = fields.key_span("facts").unwrap_or(fields.span());
        if let Some(fact) = places.iter().map(|at| &scope.facts[*at]).find(|fact| !is_of_use(fact)) {
            let message = format!("fact `{}` has {lacks}", text::excerpt(&fact.name, 60));
            reading.refuse("missing-field", span, message, "add it to the entry under `facts:`");
        }
        if places.is_empty() && listed.as_ref().is_none_or(Vec::is_empty) {
            let message = format!("no fact of the customer is meant; each has {lacks}");
            let message =
                if scope.facts.is_empty() { "the case has no `facts:`".to_owned() } else { message };
            reading.refuse("missing-field", span, message, "list what the customer knows under `facts:`");
        }
        let names = places.iter().map(|at| scope.facts[*at].name.clone()).collect();
        Some(Self { places, names })
    }

    /// Those of them that a turn had been given.
    fn given<'t>(&self, talk: &'t Talk<'_>, turn: &Heard<'_>) -> Vec<&'t Fact> {
        let given = turn.given.iter().filter(|at| self.places.contains(at));
        given.filter_map(|at| talk.facts.get(*at)).collect()
    }

    fn expected(&self) -> String {
        text::excerpt(&self.names.join(", "), 200)
    }

    /// A fact that is no longer meant.
    fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let lost = self.names.iter().filter(|name| !now.names.contains(name));
        let told = |name: &String| {
            let message = format!("fact `{}` is no longer meant", text::excerpt(name, 60));
            Weaker::new(WeakeningKind::ValueRemoved, &["facts"], message)
        };
        lost.map(told).collect()
    }

    /// A verdict that a fact was never given where it could have been broken.
    fn judge(
        &self,
        kind: &VerdictKind,
        talk: &Talk<'_>,
        broken: impl Fn(&Fact, &str) -> Result<Option<String>, String>,
        held: &str,
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
        let reason = if was_given { held.to_owned() } else { format!("{held}; none was given") };
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
        self.0.judge(&VerdictKind::NoReask, talk, asked, "nothing is asked for again")
    }

    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        self.0.weaker(&now.0)
    }
}

impl Keeps {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let is_of_use = |fact: &Fact| fact.has_shape() && fact.value.is_some();
        Facts::read(fields, reading, is_of_use, "no `shape` and a value of it").map(Self)
    }

    pub(super) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        let altered = |fact: &Fact, answer: &str| match fact.altered(answer) {
            Ok(None) => Ok(None),
            Ok(Some(other)) => {
                let (name, other) = (text::excerpt(&fact.name, 60), text::excerpt(&other, 60));
                let value = text::excerpt(fact.value.as_deref().unwrap_or_default(), 60);
                Ok(Some(format!("has context altered: `{name}` is {value}, and it says {other}")))
            }
            Err(_) => Err(format!("the search for `{}` gave up", text::excerpt(&fact.name, 60))),
        };
        self.0.judge(&VerdictKind::Keeps, talk, altered, "what was given is repeated as it was")
    }

    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        self.0.weaker(&now.0)
    }
}

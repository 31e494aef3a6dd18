//! How a new version of a conversation demands less. Changing what the customer says is normal editing; saying less of
//! it, saying it later, or saying it only sometimes is a weakening.

use super::customer::{Customer, End, Rule, Says};
use super::{Dialogue, Line, Lines};
use crate::expectation::Fact;
use crate::text;
use crate::vocabulary::{WeakeningKind as Kind, Weaker};

impl Dialogue {
    /// For each turn of the script, its index in the other version: matched by id, then by text, then by position.
    #[must_use]
    pub fn paired(&self, now: &Self) -> Vec<Option<usize>> {
        let (old, new) = (self.turns(), now.turns());
        let mut places: Vec<Option<usize>> = vec![None; old.len()];
        let by_id = |one: &Line, other: &Line| one.id.is_some() && one.id == other.id;
        let by_words = |one: &Line, other: &Line| one.text == other.text;
        let fits: [&dyn Fn(usize, usize) -> bool; 3] =
            [&|at, to| by_id(&old[at], &new[to]), &|at, to| by_words(&old[at], &new[to]), &|at, to| {
                at == to && (old[at].id.is_none() || new[to].id.is_none())
            }];
        for fit in fits {
            for at in 0..old.len() {
                if places[at].is_none() {
                    let taken: Vec<usize> = places.iter().flatten().copied().collect();
                    places[at] = (0..new.len()).find(|to| !taken.contains(to) && fit(at, *to));
                }
            }
        }
        places
    }

    /// How a new version demands less, apart from the expectations of turns. Keys start at the case.
    #[must_use]
    pub fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let own = match (&self.lines, &now.lines) {
            (Lines::Turns(_), Lines::Turns(_)) => self.fewer_turns(now),
            (Lines::Customer(was), Lines::Customer(is)) => was.weaker(is),
            (Lines::Turns(_), Lines::Customer(_)) | (Lines::Customer(_), Lines::Turns(_)) => {
                let message = "a script was replaced by rules, or rules by a script";
                vec![Weaker::new(Kind::TurnRemoved, &["turns"], message)]
            }
        };
        let facts = self.facts.iter().filter_map(|old| {
            let name = text::excerpt(&old.name, 60);
            let message = match now.facts.iter().find(|new| new.name == old.name) {
                Some(new) if self.is_known_as(old, new) => {
                    let turn = self.given_later(now, old)?;
                    format!("fact `{name}` was given by turn {turn}, now later")
                }
                Some(_) => format!("the value or question of fact `{name}` changed"),
                None => format!("fact `{name}` was removed"),
            };
            let keys: &[&str] = match &now.lines {
                Lines::Turns(_) => &["facts"],
                Lines::Customer(_) => &["customer", "facts"],
            };
            Some(Weaker::new(Kind::FactChanged, keys, message))
        });
        own.into_iter().chain(facts).collect()
    }

    /// How a conversation of the new version can go on for longer, so that what an answer must contain may come later
    /// than before.
    #[must_use]
    pub fn longer(&self, now: &Self) -> Option<Weaker> {
        let (key, message) = match (&self.lines, &now.lines) {
            (Lines::Turns(was), Lines::Turns(is)) if is.len() > was.len() => {
                (vec!["turns"], format!("the script had {} turns, now {}", was.len(), is.len()))
            }
            (Lines::Customer(was), Lines::Customer(is)) => {
                let (key, message) = was.longer(is)?;
                (vec!["customer", key], message)
            }
            (Lines::Turns(_) | Lines::Customer(_), _) => return None,
        };
        let message = format!("{message}: what an answer must contain may now come later");
        Some(Weaker::new(Kind::LimitLoosened, &key, message))
    }

    /// Whether a fact is the same in another version. The words in which a customer with rules gives it do not matter.
    fn is_known_as(&self, old: &Fact, new: &Fact) -> bool {
        let mut new = new.clone();
        if matches!(self.lines, Lines::Customer(_)) {
            new.say.clone_from(&old.say);
        }
        old.is_as(&new)
    }

    /// The number of the script turn that gave a fact, if neither its counterpart nor any earlier turn still gives the
    /// fact: nothing is checked about a fact before it is given.
    fn given_later(&self, now: &Self, fact: &Fact) -> Option<usize> {
        let giver = |one: &Self| one.turns().iter().position(|line| fact.is_given_by(&line.written()));
        let first = giver(self)?;
        let place = self.paired(now)[first]?;
        giver(now).is_none_or(|at| at > place).then_some(first + 1)
    }

    fn fewer_turns(&self, now: &Self) -> Vec<Weaker> {
        let (old, new) = (self.turns(), now.turns());
        let mut found = Vec::new();
        let mut latest = None;
        for ((number, line), place) in (1..).zip(old).zip(self.paired(now)) {
            let words = text::excerpt(&line.written(), 60);
            let Some(at) = place else {
                let message = format!("turn {number} (\"{words}\") is no longer said");
                found.push(Weaker::new(Kind::TurnRemoved, &["turns"], message));
                continue;
            };
            let key = at.to_string();
            if latest.is_some_and(|latest| at < latest) {
                let message =
                    format!("turn {number} (\"{words}\") now comes before turns that used to precede it");
                found.push(Weaker::new(Kind::TurnMoved, &["turns", &key], message));
            }
            latest = latest.max(Some(at));
            let is = &new[at];
            if is.condition.is_some() && line.condition_written != is.condition_written {
                let message = format!("turn {number} (\"{words}\") is now said only after certain answers");
                found.push(Weaker::new(Kind::TurnConditional, &["turns", &key, "if"], message));
            }
            if line.is_new_session != is.is_new_session {
                let change = if is.is_new_session { "now" } else { "no longer" };
                let message = format!("turn {number} (\"{words}\") {change} starts a new conversation");
                found.push(Weaker::new(Kind::SessionChanged, &["turns", &key], message));
            }
            if is.pause < line.pause {
                let message = format!("turn {number} (\"{words}\") now comes after a shorter pause");
                found.push(Weaker::new(Kind::SessionChanged, &["turns", &key], message));
            }
        }
        found
    }
}

impl Says {
    /// Whether it says the same words at least as often.
    fn is_as_often(&self, other: &Self) -> bool {
        self.texts == other.texts && self.most >= other.most
    }
}

impl Customer {
    /// The key that lets the conversation go on for longer, and how.
    fn longer(&self, now: &Self) -> Option<(&'static str, String)> {
        if now.max_turns > self.max_turns {
            let message = format!("the customer spoke up to {} times, now {}", self.max_turns, now.max_turns);
            return Some(("max_turns", message));
        }
        let often = |one: &Self| one.otherwise.as_ref().map_or(0, |otherwise| otherwise.says.most);
        // Without `otherwise`, an answer that nothing matches was an error, which is not a failure.
        if often(now) > often(self) && self.otherwise.is_some() {
            let (is, was) = (often(now), often(self));
            let message =
                format!("the customer went on after up to {was} answers that match no rule, now {is}");
            return Some(("otherwise", message));
        }
        let oftener = now.rules.iter().find(|new| {
            let known = self.rules.iter().find(|old| old.when_written == new.when_written);
            match known {
                Some(old) => new.says.most > old.says.most,
                None => self.otherwise.is_some(),
            }
        });
        if let Some(rule) = oftener {
            let words = text::excerpt(rule.says.texts.first().map_or("", String::as_str), 60);
            return Some(("rules", format!("the customer says \"{words}\" more often than before")));
        }
        (now.ends.is_empty() && !self.ends.is_empty())
            .then(|| ("max_turns", "no answer ends the conversation anymore".to_owned()))
    }

    /// How an answer that matches no rule, which used to fail, no longer fails.
    fn forgives(&self, now: &Self) -> Option<(&'static str, &'static str)> {
        let fails = |one: &Self| one.fails_off_script && one.otherwise.is_none();
        if !fails(self) {
            return None;
        }
        let is_new = |new: &Rule| !self.rules.iter().any(|old| old.when_written == new.when_written);
        if now.otherwise.is_some() {
            return Some(("otherwise", "an answer that matches no rule failed; now the customer goes on"));
        }
        if !now.fails_off_script {
            return Some(("max_turns", "an answer that matches no rule failed; now it is an error"));
        }
        now.rules.iter().any(is_new).then_some(("rules", "a new rule matches answers that failed before"))
    }

    fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let mut found = Vec::new();
        let mut add = |kind, key: &str, message: String| {
            found.push(Weaker::new(kind, &["customer", key], message));
        };
        if let Some((key, message)) = self.forgives(now) {
            add(Kind::LimitLoosened, key, message.to_owned());
        }
        if now.max_turns < self.max_turns {
            let message = format!("the customer spoke up to {} times, now {}", self.max_turns, now.max_turns);
            add(Kind::ConversationShortened, "max_turns", message);
        }
        let count = |ends: &[End]| ends.iter().filter(|end| matches!(end, End::Handoff)).count();
        let is_changed = count(&self.ends) != count(&now.ends) || self.ends_written != now.ends_written;
        if is_changed && !now.ends.is_empty() {
            add(
                Kind::ConversationShortened,
                "ends",
                "the answers that end the conversation changed".to_owned(),
            );
        }
        let kept = |old: &Rule| {
            now.rules
                .iter()
                .any(|new| new.when_written == old.when_written && new.says.is_as_often(&old.says))
        };
        if let Some(lost) = self.rules.iter().find(|old| !kept(old)) {
            let words = text::excerpt(lost.says.texts.first().map_or("", String::as_str), 60);
            let message = format!("the customer says \"{words}\" less often, or to different answers");
            add(Kind::TurnRemoved, "rules", message);
        }
        let before = |rules: &[Rule], rule: &Rule| -> Vec<String> {
            let others = rules.iter().map(|one| &one.when_written);
            others.take_while(|when| **when != rule.when_written).cloned().collect()
        };
        let overtaken = now.rules.iter().position(|new| {
            let known = self.rules.iter().find(|old| old.when_written == new.when_written);
            known.is_some_and(|old| {
                let then = before(&self.rules, old);
                before(&now.rules, new).iter().any(|when| !then.contains(when))
            })
        });
        if let Some(at) = overtaken {
            let words = text::excerpt(&now.rules[at].says.texts[0], 60);
            let message = format!("another rule now takes precedence over the one that says \"{words}\"");
            add(Kind::TurnMoved, "rules", message);
        }
        let (was, is) = (self.otherwise.as_ref(), now.otherwise.as_ref());
        let other = was.filter(|was| is.is_none_or(|is| is.says.texts != was.says.texts));
        if let Some(was) = other {
            let words = text::excerpt(&was.says.texts[0], 60);
            let message = format!("the customer no longer says \"{words}\" to any other answer");
            add(Kind::TurnRemoved, "otherwise", message);
        }
        let ends_now = is.is_some_and(|is| is.ends) && !was.is_some_and(|was| was.ends);
        let less = was.zip(is).is_some_and(|(was, is)| is.says.most < was.says.most);
        if ends_now || less {
            add(
                Kind::ConversationShortened,
                "otherwise",
                "the customer gives up earlier than before".to_owned(),
            );
        }
        found
    }
}

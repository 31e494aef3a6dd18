//! The state of a conversation, and what the customer says next.

use std::collections::BTreeMap;

use super::customer::{Customer, End};
use super::{Dialogue, Line, Lines, Piece};
use crate::expectation::{Candidate, Expectation, Signs};
use crate::grader::Bench;
use crate::manifest::Fault;
use crate::text;
use crate::vocabulary::{EndedBy, FaultKind, Outcome};

/// What comes next.
#[derive(Debug)]
pub enum Next<'a> {
    /// The customer speaks.
    Say(Say<'a>),
    /// The conversation is over.
    Ends(EndedBy),
    /// The customer has nothing to say to the answer: the fault, and whether the application is to blame.
    OffScript(Fault, bool),
}

/// What the customer says.
#[derive(Debug)]
pub struct Say<'a> {
    /// 1-based number of the turn.
    pub number: u32,
    /// The words.
    pub text: String,
    /// The line of the script.
    pub line: Option<&'a Line>,
    /// 1-based line of the file with these words.
    pub at: u32,
    /// The facts given with it, by index.
    pub given: Vec<usize>,
}

/// The state of a conversation.
#[derive(Debug)]
pub struct Progress<'a> {
    dialogue: &'a Dialogue,
    signs: Option<&'a Signs>,
    /// 1-based line of the customer's first words.
    opening: u32,
    /// The next turn of the script; for a customer with rules, how often the customer has spoken so far.
    next: usize,
    given: Vec<usize>,
    /// How often each rule has spoken.
    fired: Vec<usize>,
    otherwise: usize,
    /// What the named groups matched in the answer to each turn, by the turn's id.
    groups: BTreeMap<&'a str, BTreeMap<String, String>>,
}

impl<'a> Progress<'a> {
    /// The state before the first message.
    #[must_use]
    pub fn of(dialogue: &'a Dialogue, signs: Option<&'a Signs>, opening: u32) -> Self {
        let fired = match &dialogue.lines {
            Lines::Turns(_) => Vec::new(),
            Lines::Customer(customer) => vec![0; customer.rules.len()],
        };
        let (given, groups) = (Vec::new(), BTreeMap::new());
        Self { dialogue, signs, opening, next: 0, given, fired, otherwise: 0, groups }
    }

    /// Records an answer to what was said.
    ///
    /// # Errors
    /// If a regex search in it gives up.
    pub fn hear(&mut self, line: Option<&'a Line>, answer: &str) -> Result<(), Fault> {
        let Some((id, expectation)) =
            line.and_then(|line| Some((line.id.as_deref()?, line.expectation.as_ref()?)))
        else {
            return Ok(());
        };
        for groups in expectation.groups() {
            let held = groups.find(answer).map_err(|error| gave_up(&error))?;
            self.groups.entry(id).or_default().extend(held);
        }
        Ok(())
    }

    /// What comes next: after the last answer, or at the start.
    ///
    /// # Errors
    /// If that cannot be determined.
    pub async fn next(&mut self, last: Option<&Candidate<'_>>, bench: &Bench<'_>) -> Result<Next<'a>, Fault> {
        let dialogue = self.dialogue;
        match &dialogue.lines {
            Lines::Turns(turns) => {
                while let Some(line) = turns.get(self.next) {
                    self.next += 1;
                    if let Some(condition) = &line.condition
                        && !met(condition, last, bench).await?
                    {
                        continue;
                    }
                    let text = self.filled(line)?;
                    return Ok(Next::Say(self.said(text, line.span.line, Some(line))));
                }
                Ok(Next::Ends(EndedBy::Turns))
            }
            Lines::Customer(customer) => {
                let Some(last) = last else {
                    self.next = 1;
                    return Ok(Next::Say(self.said(customer.says.clone(), self.opening, None)));
                };
                self.reply(customer, last, bench).await
            }
        }
    }

    async fn reply(
        &mut self,
        customer: &'a Customer,
        last: &Candidate<'_>,
        bench: &Bench<'_>,
    ) -> Result<Next<'a>, Fault> {
        for end in &customer.ends {
            let ended = match end {
                End::Handoff => {
                    self.signs.map_or(Ok(false), |signs| signs.is_done(last))?.then_some(EndedBy::Handoff)
                }
                End::Met(expectation) => {
                    met(expectation, Some(last), bench).await?.then_some(EndedBy::Expectation)
                }
            };
            if let Some(ended) = ended {
                return Ok(Next::Ends(ended));
            }
        }
        if self.next >= customer.max_turns as usize {
            return Ok(Next::Ends(EndedBy::MaxTurns));
        }
        let mut parts = Vec::new();
        let mut at = None;
        for (place, fact) in self.dialogue.facts.iter().enumerate() {
            if !self.given.contains(&place) && fact.is_asked(last.text).map_err(|error| gave_up(&error))? {
                parts.extend(fact.say.as_deref());
                at = at.or(Some(fact.span.line));
                self.given.push(place);
            }
        }
        if let Some(at) = at {
            self.next += 1;
            return Ok(Next::Say(self.said(parts.join(" "), at, None)));
        }
        for (rule, fired) in customer.rules.iter().zip(&mut self.fired) {
            if let Some(text) = rule.says.at(*fired)
                && met(&rule.when, Some(last), bench).await?
            {
                *fired += 1;
                self.next += 1;
                let (text, at) = (text.to_owned(), rule.says.line);
                return Ok(Next::Say(self.said(text, at, None)));
            }
        }
        if let Some(otherwise) = &customer.otherwise {
            if let Some(text) = otherwise.says.at(self.otherwise) {
                self.otherwise += 1;
                self.next += 1;
                return Ok(Next::Say(self.said(text.to_owned(), otherwise.says.line, None)));
            }
            if otherwise.ends {
                return Ok(Next::Ends(EndedBy::Otherwise));
            }
        }
        let words = text::excerpt(text::js_trim(last.text), 200);
        let message = format!("off-script: the customer has nothing to say to \"{words}\"");
        let sign: String = text::excerpt(text::js_trim(last.text), 40);
        let help = format!(
            "add a rule: `{{ when: {{ type: contains, values: [{}] }}, say: \"…\" }}`, or `otherwise`",
            serde_json::Value::from(sign)
        );
        Ok(Next::OffScript(Fault::new(FaultKind::OffScript, message, &help), customer.fails_off_script))
    }

    fn said(&mut self, text: String, at: u32, line: Option<&'a Line>) -> Say<'a> {
        for (place, fact) in self.dialogue.facts.iter().enumerate() {
            if !self.given.contains(&place) && fact.is_given_by(&text) {
                self.given.push(place);
            }
        }
        let number = u32::try_from(self.next).unwrap_or(u32::MAX);
        Say { number, text, line, at, given: self.given.clone() }
    }

    /// The text of a turn, with what groups of earlier answers matched.
    fn filled(&self, line: &Line) -> Result<String, Fault> {
        let of = |piece: &Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Group(turn, name) => {
                let held = self.groups.get(turn.as_str()).and_then(|held| held.get(name));
                held.cloned().ok_or_else(|| {
                    let message = format!(
                        "a turn uses `{{{{turn.{turn}.{name}}}}}`, but nothing in the answer to turn `{turn}` matches it"
                    );
                    Fault::usual(FaultKind::NoMatch, message)
                })
            }
        };
        line.text.iter().map(of).collect()
    }
}

/// Whether an answer meets the condition for something to be said.
async fn met(
    expectation: &Expectation,
    last: Option<&Candidate<'_>>,
    bench: &Bench<'_>,
) -> Result<bool, Fault> {
    let Some(last) = last else { return Ok(false) };
    let verdict = expectation.judge(last, bench).await;
    match verdict.outcome {
        Outcome::Passed => Ok(true),
        Outcome::Failed | Outcome::Skipped => Ok(false),
        Outcome::Errored => {
            let message = format!("cannot choose what the customer says next: {}", verdict.reason);
            Err(Fault::new(FaultKind::ExpectationError, message, "simplify the condition"))
        }
    }
}

fn gave_up(error: &crate::expectation::pattern::SearchError) -> Fault {
    Fault::new(FaultKind::ExpectationError, error.to_string(), "simplify the pattern")
}

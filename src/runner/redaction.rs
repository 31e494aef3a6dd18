//! What is redacted in a case, and when: prompt and answer before they leave the runner, the words of verdicts before
//! they are stored.

use serde_json::{Value as Json, json};

use crate::canonical;
use crate::expectation::{Candidate, Seen};
use crate::manifest::{Fault, Held, Trial, Turn, Verdict};
use crate::provider::{Completion, Message};
use crate::scenario::Case;
use crate::vocabulary::Answer;

/// The conversation as it is stored and shown to a judge.
pub(super) fn messages(case: &Case) -> Vec<Message> {
    let mut messages = case.messages.clone();
    if let Some(redactor) = case.redaction.on().and_then(|redaction| redaction.prompts()) {
        for message in &mut messages {
            message.content = redactor.text(&message.content);
        }
    }
    messages
}

/// A mark of 16 hexadecimal digits that distinguishes requests that look alike after redaction, and binds an answer to
/// the expectation that saw it raw.
pub(super) fn mark(case: &Case) -> String {
    canonical::digest(&json!({ "messages": case.messages, "content": case.content_hash }))
}

/// The tool rounds before the current one.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Their raw answer, before redaction.
    raw: Option<Answer>,
    /// Whether a part of it is known only in redacted form.
    pub(super) is_redacted: bool,
}

impl Earlier {
    /// The raw answer of all rounds, if all are known in raw form.
    pub(super) fn raw(&self) -> Option<Answer> {
        self.raw.clone().filter(|_| !self.is_redacted)
    }

    /// Adds a raw round.
    pub(super) fn add(&mut self, raw: Answer) {
        self.raw = Some(match self.raw.take() {
            Some(earlier) => earlier.and_then(raw),
            None => raw,
        });
    }
}

/// What expectations find in a raw answer, stored with the redacted one.
pub(super) type See<'a> = &'a (dyn Fn(&Answer) -> Json + Send + Sync);

/// What a case with a single question finds in its answer.
pub(super) fn see_of(case: &Case) -> impl Fn(&Answer) -> Json + Send + Sync {
    // Numbers and words always serialize; if nothing was seen, that is an error later, not a pass.
    |answer| {
        serde_json::to_value(case.see(&Candidate::of_answer(answer, case.allow_cut, None)))
            .unwrap_or_default()
    }
}

/// Redacts an answer, and stores with it what the expectation found in the raw one. An answer that already has this is
/// kept as it is. Earlier rounds are part of the answer that expectations see. If they are known only in redacted form,
/// nothing is seen, which is an error later.
pub(super) fn seal(case: &Case, said: Completion, earlier: &Earlier, see: See<'_>) -> Completion {
    let Some(redactor) = case.redaction.on().and_then(|redaction| redaction.replies()) else { return said };
    let seen = said.seen.clone().unwrap_or_else(|| {
        if earlier.is_redacted {
            return json!({});
        }
        let whole = earlier.raw.clone().map(|raw| raw.and_then(said.answer.clone()));
        see(whole.as_ref().unwrap_or(&said.answer))
    });
    let text = redactor.text(&said.answer.text);
    // Signed content cannot be changed: with a value in it, it is neither stored nor sent on.
    let parts = said.parts.iter().all(|part| redactor.json(part) == *part);
    let parts = if parts { said.parts } else { Vec::new() };
    Completion { parts, answer: said.answer.redacted(text, redactor), seen: Some(seen), ..said }
}

/// A trial as reports show it.
pub(super) fn shown(case: &Case, trial: Trial) -> Trial {
    let Some(redaction) = case.redaction.on().filter(|redaction| redaction.replacement.is_some()) else {
        return trial;
    };
    let words = |text: &str| redaction.shown(text);
    let shown = |turn: Turn| Turn {
        asked: words(&turn.asked),
        answer: turn.answer.map(|answer| {
            let (text, replaced) = redaction.replaced(&answer.text);
            Answer { text, replaced, ..answer }
        }),
        verdicts: turn.verdicts.into_iter().map(|verdict| with_words(verdict, &words)).collect(),
        place: turn.place,
    };
    let held = |held: Held| Held { verdict: held.verdict.map(|verdict| with_words(verdict, &words)), ..held };
    Trial {
        turns: trial.turns.into_iter().map(shown).collect(),
        fault: trial.fault.map(|fault| Box::new(with_fault(*fault, &words))),
        conversation: trial.conversation.map(|whole| Box::new(held(*whole))),
        ..trial
    }
}

/// What was found in a raw answer, as it was stored; `None` if that is unreadable.
pub(super) fn seen(kept: Option<Json>) -> Option<Seen> {
    kept.map(|kept| serde_json::from_value(kept).unwrap_or_default())
}

/// A part of the prompt, as it is stored and shown to a judge.
pub(super) fn prompt(case: &Case, text: &str) -> String {
    let redactor = case.redaction.on().and_then(|redaction| redaction.prompts());
    redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
}

/// The messages of the application and the results of its functions, as shown to a judge.
pub(super) fn said(case: &Case, messages: &[Message]) -> Vec<Message> {
    let Some(redactor) = case.redaction.on().and_then(|redaction| redaction.replies()) else {
        return messages.to_vec();
    };
    let clean = |message: &Message| Message {
        content: redactor.text(&message.content),
        tool_calls: message.tool_calls.iter().map(|call| call.clone().redacted(redactor)).collect(),
        parts: Vec::new(),
        ..message.clone()
    };
    messages.iter().map(clean).collect()
}

/// A verdict without any value from the answer, the judge or the expectation.
pub(super) fn verdict(case: &Case, verdict: Verdict) -> Verdict {
    let Some(redaction) = case.redaction.on() else { return verdict };
    let mut sources = Vec::new();
    texts(&serde_json::from_str(&case.expected).unwrap_or_default(), &mut sources);
    with_words(verdict, &|text| redaction.redactor.words(text, &sources))
}

fn with_fault(fault: Fault, words: &dyn Fn(&str) -> String) -> Fault {
    Fault { message: words(&fault.message), cause: words(&fault.cause), ..fault }
}

/// A verdict with a change applied to all its strings.
fn with_words(verdict: Verdict, words: &dyn Fn(&str) -> String) -> Verdict {
    Verdict {
        reason: words(&verdict.reason),
        expected: words(&verdict.expected),
        got: words(&verdict.got),
        grade: verdict.grade.map(|mut grade| {
            grade.reasoning = words(&grade.reasoning);
            grade
        }),
        fault: verdict.fault.map(|fault| Box::new(with_fault(*fault, words))),
        parts: verdict.parts.into_iter().map(|part| with_words(part, words)).collect(),
        ..verdict
    }
}

fn texts(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) => found.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(entries) => entries.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

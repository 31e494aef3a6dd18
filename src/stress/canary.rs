//! Cross-talk: each conversation carries its own reference, which must not turn up in another conversation.
//!
//! A reference encodes its visit and a proof of it, so no list of those in use is kept.

use sha2::{Digest, Sha256};

use crate::text;
use crate::vocabulary::{Answer, ToolCall};

/// How every reference begins, case-folded.
const BEGIN: &str = "akref";
/// The hexadecimal digits after it: the number of the visit, and the proof.
const DIGITS: usize = 12 + 12;

/// The references of one run.
#[derive(Clone, Debug)]
pub struct Canary {
    run: String,
}

impl Canary {
    /// The references of the run with this id.
    #[must_use]
    pub fn of(run: String) -> Self {
        Self { run }
    }

    fn proof(&self, number: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(self.run.as_bytes());
        hash.update(number.to_be_bytes());
        text::hex(&hash.finalize()[..6])
    }

    /// The reference of a visit.
    #[must_use]
    pub fn reference(&self, number: u64) -> String {
        let number = number & 0xffff_ffff_ffff;
        format!("AKREF-{number:012X}-{}", self.proof(number).to_uppercase())
    }

    /// Whether the answer to a visit contains the reference of another visit, whatever its case, spacing and
    /// punctuation.
    #[must_use]
    pub fn crossed(&self, number: u64, answer: &Answer) -> bool {
        let calls = answer.tool_calls.iter().map(ToolCall::line);
        let state = answer.state.iter().map(ToString::to_string);
        let texts = std::iter::once(answer.text.clone()).chain(calls).chain(state);
        texts.into_iter().any(|text| self.holds_other(number, &text))
    }

    /// Like `crossed`, but for text that came in place of an answer.
    #[must_use]
    pub fn crossed_in(&self, number: u64, text: &str) -> bool {
        self.holds_other(number, text)
    }

    fn holds_other(&self, number: u64, text: &str) -> bool {
        // Most answers have no `k` at all.
        if !text.bytes().any(|byte| matches!(byte, b'k' | b'K')) {
            return false;
        }
        let folded: String =
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        folded.match_indices(BEGIN).any(|(at, _)| {
            let digits = folded.get(at + BEGIN.len()..at + BEGIN.len() + DIGITS).unwrap_or_default();
            let Some((whose, proof)) = digits.split_at_checked(12) else { return false };
            let Ok(whose) = u64::from_str_radix(whose, 16) else { return false };
            whose != number & 0xffff_ffff_ffff && self.proof(whose) == proof
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Answer {
        Answer { text: text.to_owned(), ..Answer::default() }
    }

    #[test]
    fn a_reference_of_another_conversation_is_found_however_it_is_written() {
        let canary = Canary::of("run".into());
        let (own, other) = (canary.reference(7), canary.reference(8));
        let spaced: String = other.chars().flat_map(|c| [c, ' ']).collect();
        for text in [
            other.clone(),
            format!("Your reference is {other}."),
            other.to_lowercase(),
            other.replace('-', ""),
            other.replace('-', " – "),
            spaced,
            format!("{own} and {other}"),
        ] {
            assert!(canary.crossed(7, &says(&text)), "{text}");
        }
        let foreign = Canary::of("another run".into()).reference(8);
        for text in
            [own.clone(), own.to_lowercase(), String::new(), "AKREF-1".into(), foreign, "ak ref".into()]
        {
            assert!(!canary.crossed(7, &says(&text)), "{text}");
        }
        let state = Answer { state: Some(serde_json::json!({ "last": other })), ..Answer::default() };
        assert!(canary.crossed(7, &state));
    }
}

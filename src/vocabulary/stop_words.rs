//! Stop words that akit does not know, with their meaning for one application.

use std::collections::BTreeMap;

use super::stop::folded;
use super::{Answer, StopReason, WeakeningKind, Weaker};

/// Meanings of words that akit does not know, set by the owner of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopWords(BTreeMap<String, StopReason>);

impl StopWords {
    /// The meanings that can be set: all except "unknown".
    pub const MEANINGS: [&str; 6] = ["complete", "tool_calls", "cut", "refused", "filtered", "broken"];

    /// Whether akit knows a word already.
    #[must_use]
    pub fn is_known(word: &str) -> bool {
        StopReason::of(Some(word)) != StopReason::Unknown
    }

    /// A word in the form in which all its spellings are equal.
    #[must_use]
    pub fn folded(word: &str) -> String {
        folded(word)
    }

    /// These words with their meanings; words without one are left out.
    #[must_use]
    pub fn of(words: impl IntoIterator<Item = (String, String)>) -> Self {
        let read = |(word, meaning): (String, String)| Some((folded(&word), meaning.parse().ok()?));
        Self(words.into_iter().filter_map(read).collect())
    }

    /// These words, and those of `others` that are not among them.
    #[must_use]
    pub fn or(&self, others: Option<&Self>) -> Self {
        let others = others.into_iter().flat_map(|others| others.0.clone());
        Self(others.chain(self.0.clone()).collect())
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer with the meaning of its stop word.
    #[must_use]
    pub fn teach(&self, answer: Answer) -> Answer {
        let word = answer.finish_reason.as_deref().filter(|word| !Self::is_known(word));
        Answer { taught: word.and_then(|word| self.0.get(&folded(word)).copied()), ..answer }
    }

    /// New meanings that make answers count that used to be errors.
    #[must_use]
    pub fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let changed = |(word, meaning): (&String, &StopReason)| {
            let was = self.0.get(word);
            if was == Some(meaning) || *meaning == StopReason::Broken {
                return None;
            }
            let was = was.map_or("an error", Into::into);
            let message = format!("the stop word `{word}` meant {was}, now `{}`", <&str>::from(meaning));
            Some(Weaker::new(WeakeningKind::StopWordTaught, &["stopWords", word], message))
        };
        now.0.iter().filter_map(changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(entries: &[(&str, &str)]) -> StopWords {
        StopWords::of(entries.iter().map(|(word, meaning)| ((*word).to_owned(), (*meaning).to_owned())))
    }

    #[test]
    fn a_word_can_be_defined_in_any_case_and_a_known_one_cannot() {
        let taught = words(&[("Ended-Well", "complete"), ("stop", "broken"), ("odd", "unheard")]);
        let stop = |word: &str| {
            let answer = Answer { finish_reason: Some(word.to_owned()), ..Answer::default() };
            taught.teach(answer).stop()
        };
        assert_eq!(
            ["ENDED_WELL", "stop", "odd", "else"].map(stop),
            [StopReason::Complete, StopReason::Complete, StopReason::Unknown, StopReason::Unknown]
        );
        for meaning in StopWords::MEANINGS {
            assert_ne!(words(&[("word", meaning)]).0["word"], StopReason::Unknown);
        }
    }

    #[test]
    fn accepting_more_answers_is_weaker() {
        let (nothing, cut) = (StopWords::default(), words(&[("word", "cut")]));
        let table = [
            (&nothing, words(&[("word", "complete")]), 1),
            (&nothing, words(&[("word", "broken")]), 0),
            (&cut, words(&[("word", "complete")]), 1),
            (&cut, words(&[("WORD", "cut")]), 0),
            (&cut, StopWords::default(), 0),
        ];
        for (before, now, count) in table {
            assert_eq!(before.weaker(&now).len(), count, "{before:?} {now:?}");
        }
    }
}

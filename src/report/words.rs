//! Which words differ between two strings.

use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// A piece of one of the strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Piece {
    pub(in crate::report) text: String,
    /// Whether it is missing in the other text.
    pub(in crate::report) alone: bool,
}

/// Maximum number of pairs of words, or of sentences, to compare. The time grows with their number, and a page has
/// thousands of answers.
const PAIRS: usize = 250_000;

/// Maximum number of pairs of words when comparing two sentences of long strings.
const SENTENCE_PAIRS: usize = 40_000;

/// Both strings in pieces, in order; the pieces of each add up to the whole string.
///
/// Long strings are compared by sentence, and by word only where sentences differ.
pub(in crate::report) fn differ(base: &str, head: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (was, now) = (split(base), split(head));
    let mut pieces = Pieces::default();
    if was.len().saturating_mul(now.len()) <= PAIRS {
        pieces.compare(&was, &now, Pieces::put);
    } else {
        let (was, now) = (sentences(base), sentences(head));
        if was.len().saturating_mul(now.len()) <= PAIRS {
            pieces.compare(&was, &now, Pieces::sentences);
        } else {
            pieces.put(base, head, base != head);
        }
    }
    (joined(pieces.left), joined(pieces.right))
}

/// The pieces of both strings.
#[derive(Default)]
struct Pieces {
    left: Vec<Piece>,
    right: Vec<Piece>,
}

impl Pieces {
    fn compare(&mut self, was: &[&str], now: &[&str], tell: impl Fn(&mut Self, &str, &str, bool)) {
        for op in capture_diff_slices(Algorithm::Myers, was, now) {
            let (was, now) = (was[op.old_range()].concat(), now[op.new_range()].concat());
            tell(self, &was, &now, op.tag() != DiffTag::Equal);
        }
    }

    fn put(&mut self, was: &str, now: &str, alone: bool) {
        push(&mut self.left, was.to_owned(), alone);
        push(&mut self.right, now.to_owned(), alone);
    }

    /// Compares two passages by word if they differ and are not too long.
    fn sentences(&mut self, was: &str, now: &str, alone: bool) {
        let (words, others) = (split(was), split(now));
        if alone && words.len().saturating_mul(others.len()) <= SENTENCE_PAIRS {
            self.compare(&words, &others, Self::put);
        } else {
            self.put(was, now, alone);
        }
    }
}

/// Sentences and lines, including what ends them.
fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(['.', '!', '?', '\n', '。', '！', '？']).collect()
}

/// Merges pieces: white space between two differing pieces belongs to them.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let blank = |at: usize| {
        let within = at > 0 && at + 1 < pieces.len() && !pieces[at].alone;
        within && pieces[at].text.chars().all(char::is_whitespace)
    };
    let alone: Vec<bool> = (0..pieces.len()).map(|at| pieces[at].alone || blank(at)).collect();
    let mut out = Vec::new();
    for (piece, alone) in pieces.into_iter().zip(alone) {
        push(&mut out, piece.text, alone);
    }
    out
}

fn push(pieces: &mut Vec<Piece>, text: String, alone: bool) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.alone == alone => last.text.push_str(&text),
        _ => pieces.push(Piece { text, alone }),
    }
}

/// Words, and everything else character by character; scripts without spaces have no words.
fn split(text: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() && c < '\u{2e80}';
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end =
            if in_word(first) { rest.find(|c| !in_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        out.push(word);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        pieces
            .iter()
            .map(|one| if one.alone { format!("[{}]", one.text) } else { one.text.clone() })
            .collect()
    }

    #[test]
    fn words_that_differ_are_marked() {
        let (was, now) = differ("You get it within 30 days.", "You get it within 5 working days.");
        assert_eq!(shown(&was), "You get it within [30] days.");
        assert_eq!(shown(&now), "You get it within [5 working] days.");
        let (was, now) = differ("not a word of this", "all else is it, you see");
        assert_eq!(
            (shown(&was), shown(&now)),
            ("[not a word of this]".into(), "[all else is it, you see]".into())
        );
        let (was, now) = differ("退款需要三十天", "退款需要五天");
        assert_eq!((shown(&was), shown(&now)), ("退款需要[三十]天".into(), "退款需要[五]天".into()));
        assert_eq!(differ("", "a").0, []);
    }

    #[test]
    fn a_word_in_a_long_text_is_still_found() {
        let text = "Some words in a row, all of them known. ".repeat(100);
        let (was, now) = differ(&text, &text.replacen("known", "new", 50).replacen("new", "known", 49));
        let alone = |pieces: &[Piece]| {
            let alone = pieces.iter().filter(|one| one.alone);
            alone.map(|one| one.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!((alone(&was), alone(&now)), (vec!["known".to_owned()], vec!["new".to_owned()]));
    }

    #[test]
    fn long_answers_with_nothing_in_common_are_compared_quickly() {
        for mark in ["", " ", ".", ". "] {
            let text = |from: u32| {
                let words: Vec<_> = (from..from + 6_000).map(|n| format!("{n}{mark}")).collect();
                words.concat()
            };
            let begun = std::time::Instant::now();
            let (was, now) = differ(&text(100_000), &text(200_000));
            // Comparing every word with every other would take minutes.
            assert!(begun.elapsed().as_secs() < 5, "{mark:?}");
            assert!(was.iter().chain(&now).all(|one| one.alone), "{mark:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(was in ".{0,60}", now in ".{0,60}") {
            let (left, right) = differ(&was, &now);
            let all = |pieces: &[Piece]| pieces.iter().map(|one| one.text.as_str()).collect::<String>();
            proptest::prop_assert_eq!(all(&left), was);
            proptest::prop_assert_eq!(all(&right), now);
        }

        #[test]
        fn nothing_of_a_long_text_is_lost(was in "[ab .]{0,40}", now in "[ab .]{0,40}") {
            let (was, now) = (was.repeat(60), now.repeat(60));
            let (left, right) = differ(&was, &now);
            let all = |pieces: &[Piece]| pieces.iter().map(|one| one.text.as_str()).collect::<String>();
            proptest::prop_assert_eq!(all(&left), was);
            proptest::prop_assert_eq!(all(&right), now);
        }
    }
}

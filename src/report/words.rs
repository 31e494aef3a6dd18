//! Which words of two texts differ.

use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// A piece of one of the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Piece {
    pub(in crate::report) text: String,
    /// Whether the other text lacks it.
    pub(in crate::report) alone: bool,
}

/// Both texts in pieces, in order; together the pieces of each are the text.
pub(in crate::report) fn differ(base: &str, head: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (was, now) = (split(base), split(head));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for op in capture_diff_slices(Algorithm::Myers, &was, &now) {
        let alone = op.tag() != DiffTag::Equal;
        push(&mut left, was[op.old_range()].concat(), alone);
        push(&mut right, now[op.new_range()].concat(), alone);
    }
    (joined(left), joined(right))
}

/// The same pieces, with white space between two pieces that stand alone counted to them.
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

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(was in ".{0,60}", now in ".{0,60}") {
            let (left, right) = differ(&was, &now);
            let all = |pieces: &[Piece]| pieces.iter().map(|one| one.text.as_str()).collect::<String>();
            proptest::prop_assert_eq!(all(&left), was);
            proptest::prop_assert_eq!(all(&right), now);
        }
    }
}

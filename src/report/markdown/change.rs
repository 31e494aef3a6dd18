//! An answer next to the previous one: removed words are struck out, and new words are bold.

use crate::report::past::Before;
use crate::report::words::{Piece, differ};
use crate::text::{self, markdown};

use super::pen::Pen;

/// Maximum number of characters shown of an answer.
const ANSWER: usize = 900;

/// Maximum number of characters compared, from shortly before the first difference.
const COMPARED: usize = 4 * ANSWER;

/// How many characters are kept at either end of a passage that both answers share.
const KEPT: usize = 120;

/// The answer as a quotation, which wraps on a narrow screen.
pub(super) fn quote(answer: &str, pen: &Pen) -> String {
    let whole = Piece { text: pen.shown(answer), alone: false };
    format!("<blockquote>{}</blockquote>\n", marked(&[whole], "", str::to_owned, 0))
}

/// Both answers as quotations, with what differs marked.
pub(super) fn quotes(before: &Before, now: &str, pen: &Pen) -> String {
    let mut facts = vec![before.outcome.word().to_owned()];
    facts.extend(before.at.as_deref().and_then(|at| at.get(..10)).map(str::to_owned));
    facts.extend(
        before
            .commit
            .as_deref()
            .map(|commit| format!("commit {}", commit.chars().take(7).collect::<String>())),
    );
    facts.extend(
        before
            .in_baseline
            .map(|known| if known { "in the baseline".to_owned() } else { "not in the baseline".to_owned() }),
    );
    facts.extend(before.turn.map(|turn| format!("turn {}", turn + 1)));
    facts.extend((!before.same_question).then(|| "different question or expectation".to_owned()));
    let facts = pen.inline(&facts.join(", "), 200);
    if before.same_answer {
        return format!("The same answer as before ({facts}):\n\n{}", quote(now, pen));
    }
    let [(was, was_left), (is, is_left)] = windows(&pen.shown(&before.text), &pen.shown(now));
    let (was, is) = differ(&was, &is);
    let quoted = |pieces: &[Piece], tag: &str, left: usize| {
        if pieces.is_empty() { "(empty)".to_owned() } else { marked(pieces, tag, elided, left) }
    };
    format!(
        "Before ({facts}):\n\n<blockquote>{}</blockquote>\n\nNow:\n\n<blockquote>{}</blockquote>\n",
        quoted(&was, "del", was_left),
        quoted(&is, "strong", is_left)
    )
}

/// What is compared of two texts, each with the number of characters after it. Of long texts, a shared beginning is left
/// out, so that the first difference is always seen.
fn windows(was: &str, is: &str) -> [(String, usize); 2] {
    let same = was.chars().zip(is.chars()).take_while(|(one, other)| one == other).count();
    let sizes = [was, is].map(|text| text.chars().count());
    let skipped = if sizes.iter().any(|size| *size > COMPARED) { same.saturating_sub(KEPT) } else { 0 };
    let mark = if skipped > 0 { "… " } else { "" };
    let window = |text: &str, size: usize| {
        let shown: String = text.chars().skip(skipped).take(COMPARED).collect();
        (format!("{mark}{shown}"), size.saturating_sub(skipped + COMPARED))
    };
    [window(was, sizes[0]), window(is, sizes[1])]
}

/// Pieces of a string as HTML on one line, about [`ANSWER`] characters in total; pieces that only it has are in a tag.
/// `left` characters of the string come after the pieces.
fn marked(pieces: &[Piece], tag: &str, shorten: fn(&str) -> String, left: usize) -> String {
    let (mut out, mut room) = (String::new(), ANSWER);
    for (at, piece) in pieces.iter().enumerate() {
        let text = if piece.alone { piece.text.clone() } else { shorten(&piece.text) };
        let shown = markdown::lines(&text.chars().take(room).collect::<String>());
        if piece.alone {
            out.extend(["<", tag, ">", &shown, "</", tag, ">"]);
        } else {
            out.push_str(&shown);
        }
        let size = text.chars().count();
        let later = pieces[at + 1..].iter().map(|piece| piece.text.chars().count()).sum::<usize>() + left;
        if size > room || (size == room && later > 0) {
            return out + &more(size - room + later);
        }
        room -= size;
    }
    if left > 0 { out + &more(left) } else { out }
}

fn more(characters: usize) -> String {
    format!("… ({} more)", text::count(characters, "character"))
}

/// The two ends of a long passage.
fn elided(text: &str) -> String {
    let all = text.chars().count();
    if all <= 2 * KEPT {
        return text.to_owned();
    }
    let first: String = text.chars().take(KEPT).collect();
    let last: String = text.chars().skip(all - KEPT).collect();
    format!("{first} … {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(was: &str, is: &str) -> [String; 2] {
        let [(was, was_left), (is, is_left)] = windows(was, is);
        let (was, is) = differ(&was, &is);
        [marked(&was, "del", elided, was_left), marked(&is, "strong", elided, is_left)]
    }

    #[test]
    fn a_difference_far_into_a_long_answer_is_shown() {
        let long = "All is well with it. ".repeat(250);
        let [was, is] = shown(&format!("{long}Yes."), &format!("{long}No."));
        assert!(was.starts_with("… ") && was.ends_with("<del>Yes</del>."), "{was}");
        assert!(is.ends_with("<strong>No</strong>."), "{is}");
    }

    #[test]
    fn what_is_left_out_is_counted_once() {
        for size in [ANSWER + 1, 2 * ANSWER, COMPARED, COMPARED + 1, 20_000] {
            let (was, is) = ("Y".to_owned(), "x".repeat(size));
            let [_, now] = shown(&was, &is);
            let more = text::count(size - ANSWER, "character");
            assert!(now.ends_with(&format!("… ({more} more)")), "{size}: {}", &now[now.len() - 60..]);
        }
        let [was, is] = shown(&"x".repeat(ANSWER), "y");
        assert!(!was.contains("more") && !is.contains("more"), "{was}");
    }
}

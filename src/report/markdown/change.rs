//! An answer next to the previous one: removed words are struck out, and new words are bold.

use crate::report::past::Before;
use crate::report::words::{Piece, differ};
use crate::text::{self, markdown};

use super::pen::Pen;

/// Maximum number of characters in an answer; only that much of each text is compared.
const ANSWER: usize = 900;

/// How many characters are kept at either end of a passage that both answers share.
const KEPT: usize = 120;

/// The answer as a quotation, which wraps on a narrow screen.
pub(super) fn quote(answer: &str, pen: &Pen) -> String {
    let whole = Piece { text: pen.shown(answer), alone: false };
    format!("<blockquote>{}</blockquote>\n", marked(&[whole], "", str::to_owned))
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
    facts.extend((!before.same_question).then(|| "different question or expectation".to_owned()));
    let facts = pen.inline(&facts.join(", "), 200);
    if before.same_answer {
        return format!("The same answer as before ({facts}):\n\n{}", quote(now, pen));
    }
    let limit = |text: &str| pen.shown(text).chars().take(4 * ANSWER).collect::<String>();
    let (was, is) = differ(&limit(&before.text), &limit(now));
    let quoted = |pieces: &[Piece], tag: &str| {
        if pieces.is_empty() { "(empty)".to_owned() } else { marked(pieces, tag, elided) }
    };
    format!(
        "Before ({facts}):\n\n<blockquote>{}</blockquote>\n\nNow:\n\n<blockquote>{}</blockquote>\n",
        quoted(&was, "del"),
        quoted(&is, "strong")
    )
}

/// Pieces of a string as HTML on one line, about [`ANSWER`] characters in total; pieces that only it has are in a tag.
fn marked(pieces: &[Piece], tag: &str, shorten: fn(&str) -> String) -> String {
    let (mut out, mut room) = (String::new(), ANSWER);
    for piece in pieces {
        let text = if piece.alone { piece.text.clone() } else { shorten(&piece.text) };
        if room == 0 {
            out.push('…');
            break;
        }
        let shown = markdown::lines(&cut(&text, room));
        room = room.saturating_sub(text.chars().count());
        if piece.alone {
            out.extend(["<", tag, ">", &shown, "</", tag, ">"]);
        } else {
            out.push_str(&shown);
        }
    }
    out
}

/// The first characters, and how many are missing.
fn cut(text: &str, most: usize) -> String {
    let all = text.chars().count();
    if all <= most {
        return text.to_owned();
    }
    let first: String = text.chars().take(most).collect();
    format!("{first}… ({} more)", text::count(all - most, "character"))
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

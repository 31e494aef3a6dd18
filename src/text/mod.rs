//! Pure string functions: cuts that respect characters, escaping, misspelled words, plurals.
//!
//! Text from a model can contain anything; every function here accepts any `&str` and never panics.

use std::fmt::Write as _;

use rapidfuzz::distance::osa;

pub mod hollow;
pub mod json;
pub mod log;
pub mod markdown;
pub mod number;
pub mod said;
pub mod xml;

/// The first `most` characters on one line, with `…` if something was cut.
///
/// Line breaks become `⏎`, other control characters `�`.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        out.push(shown(c));
    }
    out
}

/// A window of about `most` characters around a byte range, on one line, with `…` at cut ends.
#[must_use]
pub fn excerpt_around(text: &str, range: std::ops::Range<usize>, most: usize) -> String {
    let start = floor(text, range.start);
    let end = ceil(text, range.end.max(start));
    let inner = text[start..end].chars().count();
    let side = most.saturating_sub(inner) / 2;
    let from = text[..start].char_indices().rev().nth(side.saturating_sub(1)).map_or(0, |(i, _)| i);
    let from = if side == 0 { start } else { from };
    let to = text[end..].char_indices().nth(side).map_or(text.len(), |(i, _)| end + i);
    let body = excerpt(&text[from..to], most.max(1));
    let lead = if from > 0 { "…" } else { "" };
    let tail = if to < text.len() && !body.ends_with('…') { "…" } else { "" };
    format!("{lead}{body}{tail}")
}

/// At most `most` bytes, cut at a character, with a line that says how much is missing.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = floor(text, most);
    format!("{}\n… ({} more bytes)", &text[..end], text.len() - end)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

fn shown(c: char) -> char {
    match c {
        '\n' => '⏎',
        '\t' | '\r' => ' ',
        c if inert(c) => c,
        _ => '\u{fffd}',
    }
}

/// Whether a character displays as itself and changes nothing else: no control characters, no bidirectional controls
/// that reorder a line, no noncharacters.
#[must_use]
pub fn inert(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
        && !matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
        && !matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// The text with every character made harmless for a terminal; line breaks and tabs stay.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\r')
        .map(|c| if c == '\n' || c == '\t' || inert(c) { c } else { '\u{fffd}' })
        .collect()
}

/// The text wrapped to this width between words; continuation lines are indented by four more. Styles take no width,
/// and a word longer than a line stays whole.
#[must_use]
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let margin = column + 4;
        out.push_str(&line[..column]);
        for word in line[column..].split_inclusive(' ') {
            if column + columns(word.trim_end()) > width && column > margin {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', margin));
                column = margin;
            }
            out.push_str(word);
            column += columns(word);
        }
    }
    out
}

/// The width of a string without line breaks in terminal columns, not counting its styles.
fn columns(text: &str) -> usize {
    let mut is_style = false;
    let wide = |c: char| match c {
        '\u{1b}' => {
            is_style = true;
            0
        }
        _ if is_style => {
            is_style = c != 'm';
            0
        }
        '\n' | '\u{200b}' => 0,
        // From here on, ideographs and syllables are two columns wide.
        c => 1 + usize::from(c >= '\u{2e80}'),
    };
    text.chars().map(wide).sum()
}

/// `1 case`, `2 cases`, `5,000 cases`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if noun.ends_with("ry") || noun.ends_with("ply") => {
            format!("{} {stem}ies", number::size(n))
        }
        _ => format!("{} {noun}s", number::size(n)),
    }
}

/// The words in backquotes with commas: `` `a`, `b` ``; "nothing" if there are none.
#[must_use]
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    quoted.join(", ")
}

/// The text with a lowercase first letter, for use in mid-sentence.
#[must_use]
pub fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), text.chars().nth(1)) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// The known word closest to a misspelled one, if any is close enough. A swap of neighbors is one edit.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = fold(word);
    if wanted.len() > 60 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (osa::distance(wanted.chars(), fold(candidate).chars()), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().min(wanted.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The question "did you mean …?" for a misspelled word; without a close word, the alternative.
#[must_use]
pub fn meant(word: &str, known: &[&str], otherwise: impl FnOnce() -> String) -> String {
    nearest(word, known).map_or_else(otherwise, |near| format!("did you mean `{near}`?"))
}

/// Base64 (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |sum, at| sum << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(DIGITS[(group >> (18 - 6 * place) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// Bytes as lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// JavaScript's `trim`: unlike Rust's, its white space includes U+FEFF but not U+0085.
#[must_use]
pub fn js_trim(text: &str) -> &str {
    text.trim_matches(js_space)
}

/// JavaScript's white space and line breaks.
#[must_use]
pub fn js_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Whether a string contains a phrase as whole words, in any case; an empty phrase never matches.
#[must_use]
pub fn has_phrase(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (text.to_lowercase(), js_trim(phrase).to_lowercase());
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let cuts = |inner: Option<char>, outer: Option<char>| is_word(inner) && is_word(outer);
    let apart = |at: usize| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        !cuts(phrase.chars().next(), before.chars().next_back())
            && !cuts(phrase.chars().next_back(), after.chars().next())
    };
    !phrase.is_empty() && text.match_indices(&phrase).any(|(at, _)| apart(at))
}

/// A word of a command line, quoted for a shell.
#[must_use]
pub fn argument(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", log::line(word, 300).replace('\'', "'\\''"))
}

/// Whether [`argument`] gives exactly this word, wherever it is printed and pasted, and the word contains no `<`.
#[must_use]
pub fn is_exact_argument(word: &str) -> bool {
    word.len() <= 200 && !word.starts_with('-') && !word.contains('<') && log::line(word, 200) == word
}

/// What is wrong with a glob.
#[must_use]
pub fn glob(error: &globset::Error) -> &'static str {
    use globset::ErrorKind;
    match error.kind() {
        ErrorKind::UnclosedClass => "`[` without `]`; `[[]` matches `[` itself",
        ErrorKind::InvalidRange(..) => "a range in `[…]` ends before it starts",
        ErrorKind::UnopenedAlternates => "`}` without `{`; `[}]` matches `}` itself",
        ErrorKind::UnclosedAlternates => "`{` without `}`; `[{]` matches `{` itself",
        ErrorKind::DanglingEscape => "its last `\\` escapes nothing",
        // The remaining errors concern patterns of megabytes.
        _ => "it is too long or too deep",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_one_printable_line() {
        assert_eq!(excerpt("a\nb\u{1b}[31m\u{202e}c", 20), "a⏎b�[31m�c");
        assert_eq!(excerpt("größe", 3), "grö…");
        assert_eq!(excerpt("", 3), "");
    }

    #[test]
    fn an_excerpt_around_a_spot_shows_the_spot() {
        let text = format!("{}NEEDLE{}", "ä".repeat(100), "ö".repeat(100));
        let at = text.find("NEEDLE").unwrap();
        let shown = excerpt_around(&text, at..at + 6, 20);
        assert_eq!(shown, "…äääääääNEEDLEööööööö…");
        assert_eq!(excerpt_around("short", 0..5, 20), "short");
        assert_eq!(excerpt_around("", 0..0, 20), "");
    }

    #[test]
    fn misspelled_words_find_their_neighbor() {
        assert_eq!(nearest("theshold", &["threshold", "type"]), Some("threshold"));
        assert_eq!(nearest("case_sensitive", &["caseSensitive", "value"]), Some("caseSensitive"));
        assert_eq!(nearest("tpye", &["type", "value"]), Some("type"));
        assert_eq!(nearest("ignoreCase", &["value", "type"]), None);
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "case"), "1 case");
        assert_eq!(count(0, "case"), "0 cases");
        assert_eq!(count(2, "retry"), "2 retries");
        assert_eq!(count(5_000, "case"), "5,000 cases");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("  label: one two three\nfour\n", 16), "  label: one two\n      three\nfour\n");
        assert_eq!(wrap("\u{1b}[1mone\u{1b}[0m two three", 9), "\u{1b}[1mone\u{1b}[0m two\n    three");
        assert_eq!(wrap("a wordthatistoowide", 8), "a wordthatistoowide");
        assert_eq!(wrap("ab 退款需要 x", 11), "ab 退款需要\n    x");
        assert_eq!(wrap("", 8), "");
    }

    #[test]
    fn phrases_are_whole_words() {
        for (text, phrase) in
            [("Say YES or no", "yes"), ("42", "42"), ("a good day", " good day\n"), ("(x)", "x")]
        {
            assert!(has_phrase(text, phrase), "{phrase} in {text}");
        }
        for (text, phrase) in [("yesterday", "yes"), ("1420", "42"), ("How?", ""), ("grün", "gr")] {
            assert!(!has_phrase(text, phrase), "{phrase} in {text}");
        }
    }

    #[test]
    fn javascript_white_space() {
        assert_eq!(js_trim("\u{feff}\u{a0}x\u{3000}\n"), "x");
        assert_eq!(js_trim("\u{85}x"), "\u{85}x");
    }

    proptest::proptest! {
        #[test]
        fn cutting_never_panics(text in ".{0,80}", a in 0usize..100, b in 0usize..100, most in 0usize..50) {
            let _ = excerpt_around(&text, a.min(b)..a.max(b), most);
            let _ = cut(&text, most);
            let short = excerpt(&text, most);
            proptest::prop_assert!(short.chars().count() <= most + 1);
        }
    }
}

//! Text for XML readers that fail on a single bad character.
//!
//! The writer escapes `<`, `&` and quotes; this handles characters that no escape makes legal or that a reader changes:
//! controls of C0 and C1, U+FFFE, U+FFFF, TAB and CR, line breaks in attributes.

/// Bytes reserved for the line about what is missing.
const NOTE: usize = 64;

/// Text for the body of an element: line ends are LF, a TAB is four spaces.
#[must_use]
pub fn body(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            c if super::inert(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

/// Text for an attribute: one line of at most `most` characters.
#[must_use]
pub fn attribute(text: &str, most: usize) -> String {
    super::excerpt(&text.replace("\r\n", "\n"), most)
}

/// Like [`body`], but cut to at most `most` bytes once escaped, with a line that says how much is missing.
#[must_use]
pub fn short_body(text: &str, most: usize) -> String {
    let room = most.saturating_sub(NOTE);
    let (mut size, mut end) = (0, None);
    let text = body(text);
    for (at, c) in text.char_indices() {
        size += match c {
            '<' | '>' => 4,
            '&' => 5,
            '"' | '\'' => 6,
            c => c.len_utf8(),
        };
        if size <= room {
            end = Some(at + c.len_utf8());
        }
        if size > most {
            return super::cut(&text, end.unwrap_or(0));
        }
    }
    text
}

/// Whether XML 1.0 allows the character at all, escaped or not.
#[cfg(test)]
#[must_use]
pub(crate) fn legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_lines_and_nothing_that_breaks_a_reader() {
        assert_eq!(body("a\r\nb\rc\n\td\u{0}\u{1b}[1m\u{85}\u{fffe}\u{ffff}"), "a\nb\nc\n    d��[1m���");
    }

    #[test]
    fn a_short_body_counts_what_is_written() {
        assert_eq!(short_body("<<<", 12), "<<<");
        assert_eq!(short_body(&"<".repeat(100), 104), format!("{}\n… (90 more bytes)", "<".repeat(10)));
        assert_eq!(short_body("äöü", 1), "\n… (6 more bytes)");
    }

    #[test]
    fn an_attribute_is_one_line() {
        assert_eq!(attribute("a\r\nb\tc\u{8}", 99), "a⏎b c�");
        assert_eq!(attribute("abcdef", 3), "abc…");
    }

    proptest::proptest! {
        #[test]
        fn only_legal_characters_are_left(text in proptest::collection::vec(proptest::char::any(), 0..60)) {
            let text: String = text.into_iter().collect();
            proptest::prop_assert!(body(&text).chars().all(legal));
            proptest::prop_assert!(attribute(&text, 99).chars().all(|c| legal(c) && c != '\n'));
        }
    }
}

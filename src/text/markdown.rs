//! Untrusted text inside Markdown, where it must have no effect.
//!
//! Whatever the parser acts on (tags, links, images, tables, fences, emphasis) is written as character references,
//! and whatever a forge acts on *after* parsing (mentions, `#1`, `!1`, bare addresses) is broken up with an invisible
//! U+200B. Everything stays on one line, so that no line begins with what a forge reads as a command (`/close`,
//! `::error::`).

use std::fmt::Write as _;

/// At most `most` characters of the text on one line, for a sentence or the cell of a table.
///
/// Text between two backticks is shown as code, as in akit's own messages.
#[must_use]
pub fn inline(text: &str, most: usize) -> String {
    let short = super::excerpt(text, most);
    let parts: Vec<&str> = short.split('`').collect();
    let mut out = String::with_capacity(short.len() * 2);
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        // If the text was cut, its last closing backtick is missing; any other single backtick is not a mark.
        let is_code = at % 2 == 1 && !part.is_empty() && (!is_last || text.chars().nth(most).is_some());
        match (at % 2, is_code) {
            (_, true) => out.extend(["<code>", &escaped(part), "</code>"]),
            (0, false) => out.push_str(&escaped(part)),
            (_, false) if is_last => out.extend(["&#96;", &escaped(part)]),
            (_, false) => out.extend(["&#96;", &escaped(part), "&#96;"]),
        }
    }
    out
}

/// The text, which is one line, without any effect.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '<' | '>' | '&' | '[' | ']' | '!' | '#' | '*' | '_' | '`' | '~' | '|' | '\\' | '@' | '$'
            | '^' => {
                reference(&mut out, c);
            }
            c => out.push(c),
        }
        let called = matches!(c, '@' | '#' | '!' | '~' | '%' | '$' | '^' | '&')
            && next.is_some_and(|next| next == '"' || next == '_' || next.is_alphanumeric());
        let is_w = |c: Option<char>| matches!(c, Some('w' | 'W'));
        let address = (c == ':' && next == Some('/')) || (is_w(Some(c)) && is_w(before) && next == Some('.'));
        let issue = c == '-' && matches!(before, Some('h' | 'H')) && next.is_some_and(|n| n.is_ascii_digit());
        if called || address || issue {
            out.push('\u{200b}');
        }
        before = Some(c);
    }
    out
}

/// Like [`inline`], but all of it as code.
#[must_use]
pub fn code(text: &str, most: usize) -> String {
    format!("<code>{}</code>", escaped(&super::excerpt(text, most)))
}

/// Several lines as HTML on one line, which wraps at any width; `text` may be a piece of a longer one.
#[must_use]
pub fn lines(text: &str) -> String {
    let line = |(at, line): (usize, &str)| {
        // The start of a piece may be the middle of a line.
        let indent = if at == 0 { 0 } else { line.len() - line.trim_start_matches(' ').len() };
        // Readers that go line by line take a line that starts with a bar for a table.
        let bar = if line[indent..].starts_with('|') { "\u{200b}" } else { "" };
        "&nbsp;".repeat(indent.min(40)) + bar + &escaped(&line[indent..])
    };
    super::plain(text).split('\n').enumerate().map(line).collect::<Vec<_>>().join("<br>")
}

fn reference(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        c => {
            // Writing to a String cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_line_is_inert() {
        assert_eq!(inline("a | b\n<img>", 99), "a &#124; b⏎&lt;img&gt;");
        assert_eq!(inline("@octocat", 99), "&#64;\u{200b}octocat");
        assert_eq!(inline("fixes #1 and GH-2", 99), "fixes &#35;\u{200b}1 and GH-\u{200b}2");
        assert_eq!(inline("http://a.b", 99), "http:\u{200b}//a.b");
        assert_eq!(inline("www.a.b", 99), "www\u{200b}.a.b");
        assert_eq!(inline("![x](y) `z` **w**", 99).find(['[', ']', '`', '*', '!']), None);
        assert_eq!(inline("\u{1b}[31m\u{202e}", 99), "�&#91;31m�");
    }

    #[test]
    fn paired_backticks_become_code() {
        for (text, most, shown) in [
            ("found `a`, `b_c`", 99, "found <code>a</code>, <code>b&#95;c</code>"),
            ("one ` alone", 99, "one &#96; alone"),
            ("`a` and ` alone", 99, "<code>a</code> and &#96; alone"),
            ("cut `in the middle` of it", 12, "cut <code>in the …</code>"),
            ("``` fence", 99, "&#96;&#96;&#96; fence"),
            ("`<img>` `@x`", 99, "<code>&lt;img&gt;</code> <code>&#64;\u{200b}x</code>"),
        ] {
            assert_eq!(inline(text, most), shown);
        }
        assert_eq!(code("a `b`", 99), "<code>a &#96;b&#96;</code>");
        assert_eq!(lines("a\n  /close\r\n\n<b>"), "a<br>&nbsp;&nbsp;/close<br><br>&lt;b&gt;");
    }
}

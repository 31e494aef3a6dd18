//! Untrusted text inside Markdown, without any effect of its own.
//!
//! Text can act on two levels, and both are blocked: what the parser acts on (tags, links, images, tables, fences,
//! emphasis) becomes character references, and what a forge acts on *after* parsing (mentions, `#1`, `!1`, bare
//! addresses) is broken by an invisible U+200B. Lines that a forge treats as commands (`/close`, `::error::`) never
//! start with their first character.

use std::fmt::Write as _;

/// At most `most` characters of the text on one line, for a sentence or the cell of a table.
#[must_use]
pub fn inline(text: &str, most: usize) -> String {
    let short = super::excerpt(text, most);
    let mut out = String::with_capacity(short.len() * 2);
    let mut before = None;
    let mut chars = short.chars().peekable();
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
        let address = (c == ':' && next == Some('/')) || (matches!(c, 'w' | 'W') && next == Some('.'));
        let issue = c == '-' && matches!(before, Some('h' | 'H')) && next.is_some_and(|n| n.is_ascii_digit());
        if called || address || issue {
            out.push('\u{200b}');
        }
        before = Some(c);
    }
    out
}

/// The same as code.
#[must_use]
pub fn code(text: &str, most: usize) -> String {
    format!("<code>{}</code>", inline(text, most))
}

/// A block that shows the text unchanged, cut to `most` bytes: `<pre>` with its end on a line of its own.
///
/// Not a fence: nothing in the text could end this block, and no `<!--` stays in the source.
#[must_use]
pub fn block(text: &str, most: usize) -> String {
    let mut out = "<pre>".to_owned();
    for line in super::plain(&super::cut(text, most)).split('\n') {
        out.push('\n');
        let mut start = true;
        for c in line.chars() {
            let commands = start && matches!(c, '/' | ':' | '`' | '~' | '@');
            start &= c.is_whitespace();
            if commands || matches!(c, '<' | '>' | '&' | '#') {
                reference(&mut out, c);
            } else {
                out.push(c);
            }
        }
    }
    out.push_str("\n</pre>");
    out
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
    fn nothing_in_a_line_acts() {
        assert_eq!(inline("a | b\n<img>", 99), "a &#124; b⏎&lt;img&gt;");
        assert_eq!(inline("@octocat", 99), "&#64;\u{200b}octocat");
        assert_eq!(inline("fixes #1 and GH-2", 99), "fixes &#35;\u{200b}1 and GH-\u{200b}2");
        assert_eq!(inline("http://a.b", 99), "http:\u{200b}//a.b");
        assert_eq!(inline("www.a.b", 99), "www\u{200b}.a.b");
        assert_eq!(inline("![x](y) `z` **w**", 99).find(['[', ']', '`', '*', '!']), None);
        assert_eq!(inline("\u{1b}[31m\u{202e}", 99), "�&#91;31m�");
    }

    #[test]
    fn a_block_ends_where_we_end_it() {
        let shown = block("```\n</pre><!-- akit -->\n/close\n  ::error::x\na/b", 99);
        assert_eq!(
            shown,
            "<pre>\n&#96;``\n&lt;/pre&gt;&lt;!-- akit --&gt;\n&#47;close\n  &#58;:error::x\na/b\n</pre>"
        );
    }

    #[test]
    fn a_long_block_says_what_is_missing() {
        assert_eq!(block(&"x".repeat(20), 5), "<pre>\nxxxxx\n… (15 more bytes)\n</pre>");
    }
}

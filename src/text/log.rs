//! Untrusted text in the log of a CI job, which treats some lines as commands.
//!
//! GitHub acts on a line whose first visible characters are `::` and on `##[` anywhere, Azure
//! Pipelines on `##vso[` anywhere, `TeamCity` on `##teamcity[`. An invisible U+200B breaks them.

/// At most `most` characters of the text on one line, without commands.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    harmless(super::excerpt(text, most))
}

/// The text without commands; everything else stays, including line breaks.
#[must_use]
pub fn harmless(text: String) -> String {
    if !text.contains("##") && !text.lines().any(|line| line.trim_start().starts_with(':')) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    let mut start = true;
    while let Some(c) = chars.next() {
        out.push(c);
        let next = chars.peek().copied();
        let hashes = c == '#' && next.is_some_and(|next| next == '[' || next.is_ascii_alphabetic());
        if hashes || (start && c == ':') {
            out.push('\u{200b}');
        }
        start = c == '\n' || (start && c.is_whitespace());
    }
    out
}

/// Text of several lines, harmless for a terminal and without commands; colors stay.
#[must_use]
pub fn legible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\u{1b}') {
        out.push_str(&super::plain(before));
        let parameters = behind.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ';'));
        let color = &behind[..behind.len() - parameters.len()];
        let is_color = color.starts_with('[') && color.rfind('[') == Some(0) && parameters.starts_with('m');
        out.push(if is_color { '\u{1b}' } else { '\u{fffd}' });
        rest = behind;
    }
    out.push_str(&super::plain(rest));
    harmless(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_stay_and_other_escapes_do_not() {
        assert_eq!(legible("\u{1b}[1;31mred\u{1b}[0m\n\tx"), "\u{1b}[1;31mred\u{1b}[0m\n\tx");
        assert_eq!(
            legible("\u{1b}[2J\u{1b}]0;t\u{7}\u{1b}[[m\u{202e}\r"),
            "\u{fffd}[2J\u{fffd}]0;t\u{fffd}\u{fffd}[[m\u{fffd}"
        );
        assert_eq!(legible("a\n::error::x\u{1b}"), "a\n:\u{200b}:error::x\u{fffd}");
    }

    #[test]
    fn ci_commands_are_defused_and_other_text_is_unchanged() {
        assert_eq!(line("::error::x", 99), ":\u{200b}:error::x");
        assert_eq!(line("  ::error::x", 99), "  :\u{200b}:error::x");
        assert_eq!(
            line("a ##vso[task] ##[error] ## Title", 99),
            "a ##\u{200b}vso[task] ##\u{200b}[error] ## Title"
        );
        assert_eq!(line("std::env #1", 99), "std::env #1");
        let lines = "error: x\n  ::error::y\n##[group]\n".to_owned();
        assert_eq!(harmless(lines), "error: x\n  :\u{200b}:error::y\n##\u{200b}[group]\n");
    }
}

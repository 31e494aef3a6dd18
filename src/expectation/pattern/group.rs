//! Parses groups: captures, lookarounds and flag modifiers.

use super::PatternError;
use super::escape::code_point;
use super::parse::{Dialect, Parser};
use super::syntax::{Look, Term};
use crate::text;

/// Maximum nesting of groups; a deeper pattern is a mistake or an attack.
const MOST_DEPTH: usize = 48;

impl Parser<'_> {
    /// A group, after its `(`, and whether it may be repeated.
    pub(super) fn group(&mut self, start: usize) -> Result<(Term, bool), PatternError> {
        if self.depth == MOST_DEPTH {
            let message = format!("groups are nested more than {MOST_DEPTH} deep");
            return Err(self.error(start, message, "use fewer groups"));
        }
        let before = self.mode;
        let look =
            [("?=", Look::Ahead), ("?!", Look::NotAhead), ("?<=", Look::Behind), ("?<!", Look::NotBehind)];
        let look = look.into_iter().find(|(sign, _)| self.skip(sign)).map(|(_, look)| look);
        let mut number = None;
        if look.is_none() {
            if self.skip("?<") {
                self.name()?;
                self.opened += 1;
                number = Some(self.opened);
            } else if self.skip("?") {
                self.modifiers(start)?;
            } else {
                self.opened += 1;
                number = Some(self.opened);
            }
        }
        self.depth += 1;
        let body = self.alternatives()?;
        self.depth -= 1;
        self.mode = before;
        if !self.skip(")") {
            let help = "close it with `)`, or write `\\(` for the character";
            return Err(self.error(start, "this group is not closed", help));
        }
        let lenient = !self.is_unicode();
        Ok(match (look, number) {
            (Some(look), _) => (Term::Look(look, Box::new(body)), lenient && !look.is_behind()),
            (None, Some(number)) => (Term::Group(number, Box::new(body)), true),
            (None, None) => (body, true),
        })
    }

    /// The flags between `(?` and `:`.
    fn modifiers(&mut self, start: usize) -> Result<(), PatternError> {
        let (mut seen, mut off) = (Vec::new(), false);
        loop {
            let at = self.at;
            let Some(c) = self.peek() else {
                let help = "close it with `)`, or write `\\(` for the character";
                return Err(self.error(start, "this group is not closed", help));
            };
            self.at += 1;
            match c {
                ':' if off && seen.is_empty() => {
                    return Err(self.error(start, "`(?-:` changes no flag", "write `(?:…)`"));
                }
                ':' => return Ok(()),
                '-' if !off => off = true,
                ')' if !seen.is_empty() => {
                    let flags: String = seen.iter().collect();
                    let shown: String = self.chars[start..self.at].iter().collect();
                    let help = match (off, flags.as_str()) {
                        (false, flags) => {
                            format!("use `flags: {flags}` or `(?{flags}:…)`; JavaScript has no inline flags")
                        }
                        (true, _) => format!(
                            "write `{}:…)`; JavaScript has no inline flags",
                            shown.trim_end_matches(')')
                        ),
                    };
                    return Err(self.error(start, format!("`{shown}` is not valid in JavaScript"), help));
                }
                c if seen.contains(&c) => {
                    return Err(self.error(at, format!("flag `{c}` is repeated"), "write it once"));
                }
                c => match self.mode.switch(c) {
                    Some(switch) => {
                        *switch = !off;
                        seen.push(c);
                    }
                    None => return Err(self.unknown_group(start, c)),
                },
            }
        }
    }

    fn unknown_group(&self, start: usize, c: char) -> PatternError {
        let help = match c {
            '>' => "write `(?:…)`; JavaScript has no atomic groups",
            'P' | '\'' => "write a named group as `(?<name>…)`, and a reference to it as `\\k<name>`",
            '#' => "remove it; JavaScript has no comments in patterns",
            'x' => "write the pattern without extra white space; JavaScript has no `x` flag",
            '(' => "write the alternatives with `|`; JavaScript has no conditions in patterns",
            '|' => "write `(?:…|…)`; JavaScript has no branch reset",
            'R' | '0'..='9' | '&' | '+' => "write the nesting out; JavaScript has no recursion in patterns",
            _ => "write `:`, `=`, `!`, `<=`, `<!`, `<name>`, or flags of `ims` and `:` after `(?`",
        };
        self.error(
            start,
            format!("`(?{}` does not start a JavaScript group", text::excerpt(&c.to_string(), 1)),
            help,
        )
    }

    /// The name of a group, from after `<` to after `>`.
    pub(super) fn name(&mut self) -> Result<String, PatternError> {
        let start = self.at;
        let help = "use letters, digits, `_` and `$`, not starting with a digit, and end the name with `>`";
        let mut name = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(self.error(start, "this group name is not closed", help));
            };
            self.at += 1;
            let c = match c {
                '>' if !name.is_empty() => return Ok(name),
                '\\' if self.skip("u") => code_point(self.chars, &mut self.at, Dialect::Unicode)
                    .and_then(char::from_u32)
                    .unwrap_or('\\'),
                c => c,
            };
            let first = c.is_alphabetic() || matches!(c, '_' | '$');
            if !first && (name.is_empty() || !(c.is_alphanumeric() || matches!(c, '\u{200c}' | '\u{200d}'))) {
                return Err(self.error(start, "invalid group name", help));
            }
            name.push(c);
        }
    }
}

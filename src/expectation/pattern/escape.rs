//! Parses escapes and character classes.

use super::PatternError;
use super::class::Set;
use super::parse::{Dialect, Parser};
use super::property;
use super::syntax::{Anchor, Case, Reference, Term};
use crate::text;

enum ClassItem {
    One(u32),
    Many(Set),
    Property(String),
}

impl Parser<'_> {
    /// An escape outside a class, after its backslash, and whether it may be repeated.
    pub(super) fn escape(&mut self, start: usize) -> Result<(Term, bool), PatternError> {
        let Some(c) = self.peek() else { return Err(self.trailing(start)) };
        self.at += 1;
        match c {
            'b' => return Ok((Term::Anchor(Anchor::Edge(self.words())), false)),
            'B' => return Ok((Term::Anchor(Anchor::NoEdge(self.words())), false)),
            '1'..='9' => {
                if let Some(group) = self.group_number(start)? {
                    return Ok((self.reference(group), true));
                }
            }
            'k' if self.is_unicode() || !self.names.is_empty() => {
                let group = self.group_name(start)?;
                return Ok((self.reference(group), true));
            }
            _ => {}
        }
        self.at = start + 1;
        let node = match self.item(start, Within::Pattern)? {
            ClassItem::One(code) => self.one_of(Set::one(code), Vec::new(), false),
            ClassItem::Many(set) => self.one_of(set, Vec::new(), false),
            ClassItem::Property(property) => self.one_of(Set::default(), vec![property], false),
        };
        Ok((node, true))
    }

    fn reference(&self, group: usize) -> Term {
        let case = match (self.mode.ignore_case, self.is_unicode()) {
            (false, _) => Case::Exact,
            (true, false) => Case::Upper,
            (true, true) => Case::Folded,
        };
        Term::Reference(Reference { group, case })
    }

    /// The group of `\1`, after its first digit; `None` if it is an old octal escape.
    fn group_number(&mut self, start: usize) -> Result<Option<usize>, PatternError> {
        let digits = self.chars[start + 1..].iter().map_while(|c| c.to_digit(10));
        let (length, number) = digits.fold((0, 0usize), |(length, sum), digit| {
            (length + 1, sum.saturating_mul(10).saturating_add(digit as usize))
        });
        if number <= self.groups {
            self.at = start + 1 + length;
            return Ok(Some(number));
        }
        if !self.is_unicode() {
            return Ok(None);
        }
        let message =
            format!("unknown group {number}: the pattern has {}", text::count(self.groups, "group"));
        Err(self.error(start, message, "add the group, or write `\\xHH` for a character by its number"))
    }

    /// The group of `\k<name>`, after the `k`.
    fn group_name(&mut self, start: usize) -> Result<usize, PatternError> {
        if !self.skip("<") {
            let help = "write `\\k<name>`, or `k` for the character";
            return Err(self.error(start, "`\\k` without a group name", help));
        }
        let at = self.at;
        let name = self.name()?;
        if let Some((_, group)) = self.names.iter().find(|(known, _)| *known == name) {
            return Ok(*group);
        }
        let known: Vec<_> = self.names.iter().map(|(name, _)| name.as_str()).collect();
        let help = match text::nearest(&name, &known) {
            Some(near) => format!("did you mean `\\k<{near}>`?"),
            None => format!("use one of {}", text::list(&known)),
        };
        Err(self.error(at, format!("unknown group `{name}`"), help))
    }

    fn trailing(&self, start: usize) -> PatternError {
        self.error(start, "the pattern ends with a backslash", "write `\\\\` for the character")
    }

    /// `\w`, which with `iu` includes the two letters that fold to ASCII.
    fn words(&self) -> Set {
        if self.is_unicode() && self.mode.ignore_case {
            return Set::words().with(&Set::of(&[(0x17f, 0x17f), (0x212a, 0x212a)]));
        }
        Set::words()
    }

    /// A class, after its `[`.
    pub(super) fn class(&mut self, start: usize) -> Result<Term, PatternError> {
        let inverted = self.skip("^");
        let (mut ranges, mut properties) = (Vec::new(), Vec::new());
        loop {
            let at = self.at;
            if self.skip("]") {
                return Ok(self.one_of(Set::of(&ranges), properties, inverted));
            }
            let first = self.class_item(start)?;
            let dash = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some(']'));
            let mut items = vec![first];
            if dash {
                self.at += 1;
                items.push(self.class_item(start)?);
            }
            match items.as_slice() {
                [ClassItem::One(from), ClassItem::One(to)] if from > to => {
                    let shown: String = self.chars[at..self.at].iter().collect();
                    let message = format!("range `{}` is out of order", text::excerpt(&shown, 40));
                    let help = "put the smaller character first, or write `\\-` for the character `-`";
                    return Err(self.error(at, message, help));
                }
                [ClassItem::One(from), ClassItem::One(to)] => ranges.push((*from, *to)),
                [_, _] if self.is_unicode() => {
                    let help = "write `\\-` for the character `-`";
                    return Err(self.error(at, "a range needs a single character at each end", help));
                }
                _ => {
                    for item in items {
                        match item {
                            ClassItem::One(code) => ranges.push((code, code)),
                            ClassItem::Many(set) => ranges.extend_from_slice(set.ranges()),
                            ClassItem::Property(property) => properties.push(property),
                        }
                    }
                    if dash {
                        ranges.push((0x2d, 0x2d));
                    }
                }
            }
        }
    }

    fn class_item(&mut self, start: usize) -> Result<ClassItem, PatternError> {
        let at = self.at;
        let Some(c) = self.peek() else {
            let help = "close it with `]`, or write `\\[` for the character";
            return Err(self.error(start, "this class is not closed", help));
        };
        self.at += 1;
        if c == '\\' { self.item(at, Within::Class) } else { Ok(ClassItem::One(u32::from(c))) }
    }

    /// An escape for characters, after its backslash at `start`.
    fn item(&mut self, start: usize, within: Within) -> Result<ClassItem, PatternError> {
        let Some(c) = self.peek() else { return Err(self.trailing(start)) };
        self.at += 1;
        let many = |set: Set, inverted: bool| ClassItem::Many(if inverted { set.inverted() } else { set });
        Ok(match c {
            'd' | 'D' => many(Set::digits(), c == 'D'),
            's' | 'S' => many(Set::spaces(), c == 'S'),
            'w' | 'W' => many(self.words(), c == 'W'),
            'p' | 'P' if self.is_unicode() => self.property(start, c)?,
            'b' if within == Within::Class => ClassItem::One(8),
            _ => ClassItem::One(self.character(start, c, within)?),
        })
    }

    fn property(&mut self, start: usize, sign: char) -> Result<ClassItem, PatternError> {
        let body: String = self.chars[self.at..].iter().take_while(|c| **c != '}').collect();
        let length = body.chars().count();
        let Some(name) = body.strip_prefix('{').filter(|_| self.chars.get(self.at + length) == Some(&'}'))
        else {
            let help = format!("write `\\{sign}{{L}}`, or `{sign}` for the character");
            return Err(self.error(start, format!("`\\{sign}` without a property in braces"), help));
        };
        self.at += length + 1;
        if !property::is_known(name) {
            let message = format!("unknown property `{}`", text::excerpt(name, 40));
            return Err(self.error(start, message, property::help(name)));
        }
        if sign == 'P' && self.mode.ignore_case && property::is_of_case(name) {
            let message = format!("`\\P{{{name}}}` is not supported with the flag `i`");
            return Err(self.error(start, message, "remove the flag `i`, or list the letters in a class"));
        }
        Ok(if property::is_surrogate(name) {
            // No text has a surrogate.
            ClassItem::Many(if sign == 'P' { Set::default().inverted() } else { Set::default() })
        } else {
            ClassItem::Property(format!("\\{sign}{{{name}}}"))
        })
    }

    /// An escape for one character, after the character `c` that names it.
    fn character(&mut self, start: usize, c: char, within: Within) -> Result<u32, PatternError> {
        let unicode = self.is_unicode();
        let digit = self.peek().is_some_and(|next| next.is_ascii_digit());
        Ok(match c {
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            '0' if unicode && !digit => 0,
            '0'..='7' if !unicode => self.octal(start),
            'c' => match self.peek() {
                Some(letter) if letter.is_ascii_alphabetic() => self.control(letter),
                Some(other)
                    if !unicode && within == Within::Class && (other == '_' || other.is_ascii_digit()) =>
                {
                    self.control(other)
                }
                _ if unicode => return Err(self.no_escape(start, c)),
                _ => {
                    self.at = start + 1;
                    u32::from('\\')
                }
            },
            'x' => match hex(self.chars, &mut self.at, 2) {
                Some(code) => code,
                None if unicode => return Err(self.no_escape(start, c)),
                None => u32::from(c),
            },
            'u' => match code_point(self.chars, &mut self.at, self.dialect) {
                Some(code) => code,
                None if unicode => return Err(self.no_escape(start, c)),
                None => u32::from(c),
            },
            'k' if !self.names.is_empty() => return Err(self.no_escape(start, c)),
            _ if !unicode => u32::from(c),
            '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '/' => {
                u32::from(c)
            }
            '-' if within == Within::Class => u32::from(c),
            _ => return Err(self.no_escape(start, c)),
        })
    }

    fn control(&mut self, letter: char) -> u32 {
        self.at += 1;
        u32::from(letter) & 0x1f
    }

    /// Up to three octal digits after the backslash, at most 255.
    fn octal(&mut self, start: usize) -> u32 {
        let most = if matches!(self.chars.get(start + 1), Some('0'..='3')) { 3 } else { 2 };
        let digits = self.chars[start + 1..].iter().take(most).map_while(|c| c.to_digit(8));
        let (length, value) = digits.fold((0, 0), |(length, sum), digit| (length + 1, sum * 8 + digit));
        self.at = start + 1 + length;
        value
    }

    fn no_escape(&self, start: usize, c: char) -> PatternError {
        let shown = text::excerpt(&c.to_string(), 1);
        let help = match c {
            'A' => "write `^`, without the flag `m`; JavaScript has no `\\A`".to_owned(),
            'z' | 'Z' => format!("write `$`, without the flag `m`; JavaScript has no `\\{c}`"),
            'x' => "write two hexadecimal digits after `\\x`".to_owned(),
            'u' => "write `\\u` with four hexadecimal digits, or `\\u{…}`".to_owned(),
            'c' => "write a letter after `\\c`".to_owned(),
            '0'..='9' => "write `\\xHH` for a character by its number".to_owned(),
            c if c.is_ascii_alphabetic() => {
                format!("write `{c}`; with the flag `u`, other letters cannot be escaped")
            }
            c => format!(
                "write `{}`; with the flag `u`, only `^$\\.*+?()[]{{}}|/` can be escaped",
                text::excerpt(&c.to_string(), 1)
            ),
        };
        self.error(start, format!("`\\{shown}` is not a JavaScript escape"), help)
    }
}

/// Where an escape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Pattern,
    Class,
}

/// Exactly `length` hexadecimal digits, from an offset on.
pub(in crate::expectation) fn hex(chars: &[char], at: &mut usize, length: usize) -> Option<u32> {
    let digits = chars.get(*at..*at + length)?;
    let value = digits.iter().try_fold(0, |sum, c| Some(sum * 16 + c.to_digit(16)?))?;
    *at += length;
    Some(value)
}

/// The code point after `\u`, from an offset on; two escapes that make a surrogate pair count as one.
pub(in crate::expectation) fn code_point(chars: &[char], at: &mut usize, dialect: Dialect) -> Option<u32> {
    if dialect == Dialect::Unicode && chars.get(*at) == Some(&'{') {
        let (mut length, mut value) = (0, 0u32);
        for c in chars[*at + 1..].iter().take_while(|c| **c != '}') {
            value = value.checked_mul(16)?.checked_add(c.to_digit(16)?)?;
            length += 1;
        }
        let closed = chars.get(*at + 1 + length) == Some(&'}');
        if !closed || length == 0 || value > 0x10_ffff {
            return None;
        }
        *at += length + 2;
        return Some(value);
    }
    let high = hex(chars, at, 4)?;
    if (0xd800..0xdc00).contains(&high) && chars[*at..].starts_with(&['\\', 'u']) {
        let mut after = *at + 2;
        if let Some(low) = hex(chars, &mut after, 4).filter(|low| (0xdc00..0xe000).contains(low)) {
            *at = after;
            return Some(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        }
    }
    Some(high)
}

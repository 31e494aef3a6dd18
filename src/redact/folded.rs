//! A string in plain characters for the scanners, with the original place of each character.

use std::ops::Range;

/// A string with every kind of space, dash and digit as ASCII, and without invisible characters.
pub(super) struct Folded {
    pub(super) text: String,
    /// The original place of each byte, and of the end.
    places: Vec<usize>,
}

impl Folded {
    /// `None` if the text is plain already.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.is_ascii() || text.chars().all(|c| fold(c) == Some(c)) {
            return None;
        }
        let mut folded = Self { text: String::with_capacity(text.len()), places: Vec::new() };
        for (at, c) in text.char_indices() {
            if let Some(c) = fold(c) {
                folded.text.push(c);
                folded.places.resize(folded.text.len(), at);
            }
        }
        folded.places.push(text.len());
        Some(folded)
    }

    /// The text as displayed: without Markdown marks around digits, with HTML entities decoded, and `john (at)
    /// example.com` as an address. `None` if nothing changes.
    pub(super) fn rendered(text: &str) -> Option<Self> {
        if !text.contains(['*', '`', '_', '~', '&', '@', '(', '[', '{', '"']) {
            return None;
        }
        let mut folded = Self { text: String::with_capacity(text.len()), places: Vec::new() };
        let (mut at, mut is_other) = (0, false);
        while let Some(c) = text[at..].chars().next() {
            let before = folded.text.chars().next_back();
            let taken = if let Some((taken, shown)) = seen(&text[at..], before) {
                is_other = true;
                folded.text.push_str(shown.encode_utf8(&mut [0; 4]).trim_matches('\0'));
                taken
            } else {
                folded.text.push(c);
                c.len_utf8()
            };
            folded.places.resize(folded.text.len(), at);
            at += taken;
        }
        folded.places.push(text.len());
        is_other.then_some(folded)
    }

    /// The original place of a part.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
}

/// How many bytes are displayed here as another character, given the one before; `\0` if they are invisible.
fn seen(text: &str, before: Option<char>) -> Option<(usize, char)> {
    let first = text.chars().next()?;
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    match first {
        '&' => {
            let end = text.char_indices().take(10).find(|(_, c)| *c == ';')?.0;
            let c = match &text[1..end] {
                "commat" => '@',
                "period" => '.',
                "nbsp" => ' ',
                "hyphen" | "dash" => '-',
                "lowbar" => '_',
                number => {
                    let number = number.strip_prefix('#')?;
                    let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
                    char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
                }
            };
            (c != '\0').then_some((end + 1, if c == '\u{a0}' { ' ' } else { c }))
        }
        '*' | '`' | '~' | '_' => {
            let marks = text.len() - text.trim_start_matches(first).len();
            let after = text[marks..].chars().next();
            if !is_digit(before) && !is_digit(after) {
                return None;
            }
            match (first, marks) {
                // A number whose groups it joins.
                ('_', 1) if is_digit(before) && is_digit(after) => Some((1, '-')),
                ('*' | '~', 1) if is_digit(before) && is_digit(after) => None,
                // A part of a word, such as a name.
                ('_', 1)
                    if before.is_some_and(char::is_alphanumeric)
                        && after.is_some_and(char::is_alphanumeric) =>
                {
                    None
                }
                _ => Some((marks, '\0')),
            }
        }
        ' ' | '(' | '[' | '{' => {
            let inner = text.trim_start_matches(' ');
            let is_spaced = before.is_some_and(char::is_alphanumeric) && text.len() - inner.len() <= 1;
            let (taken, c) =
                [("(at)", '@'), ("[at]", '@'), ("{at}", '@'), ("(dot)", '.'), ("[dot]", '.'), ("{dot}", '.')]
                    .into_iter()
                    .find(|(word, _)| {
                        inner.get(..word.len()).is_some_and(|said| said.eq_ignore_ascii_case(word))
                    })
                    .map(|(word, c)| (word.len(), c))
                    .or_else(|| inner.starts_with("@ ").then_some((1, '@')))?;
            let rest = &inner[taken..];
            let behind = rest.strip_prefix(' ').unwrap_or(rest);
            let is_word = behind.starts_with(char::is_alphanumeric);
            (is_spaced && is_word).then(|| (text.len() - behind.len(), c))
        }
        _ => None,
    }
}

/// The plain character; `None` for an invisible one.
fn fold(c: char) -> Option<char> {
    let digit = |zero: u32| char::from_digit(u32::from(c) - zero, 10);
    Some(match c {
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => {
            return None;
        }
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{30fc}' => '-',
        '\u{2024}' | '\u{ff61}' | '\u{3002}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        '\u{660}'..='\u{669}' => digit(0x660)?,
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0)?,
        '\u{966}'..='\u{96f}' => digit(0x966)?,
        c => c,
    })
}

//! A text in the plain characters that scanners look for, and where each stands in the text as it was.

use std::ops::Range;

/// A text with blanks, dashes and digits of all sorts as those of ASCII, and nothing that is not seen.
pub(super) struct Folded {
    pub(super) text: String,
    /// Where each byte was, and the end.
    places: Vec<usize>,
}

impl Folded {
    /// `None` where the text is plain already.
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

    /// Where a part was.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
}

/// The plain character; none for one that is not seen.
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

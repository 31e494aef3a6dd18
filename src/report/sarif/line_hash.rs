//! `primaryLocationLineHash`, exactly as GitHub's upload computes it; if the hashes differ, the upload warns about
//! every result.
//!
//! From github/codeql-action `src/fingerprints.ts`: a rolling hash over the next 100 UTF-16 units from the start of a
//! line, without spaces and tabs, CR and CRLF as LF; then 65535 for the end, and zeros.

use std::collections::{BTreeMap, BTreeSet};

const WINDOW: usize = 100;
const FACTOR: u64 = 37;
const END: u16 = u16::MAX;

/// The hashes of the wanted 1-based lines of a string, without lines that do not exist.
pub(super) fn of_lines(text: &str, wanted: &BTreeSet<u32>) -> BTreeMap<u32, String> {
    let mut roll = Roll {
        window: [0; WINDOW],
        starts: [0; WINDOW],
        index: 0,
        hash: 0,
        leaving: (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(FACTOR)),
        seen: BTreeMap::new(),
        wanted,
        found: BTreeMap::new(),
    };
    let (mut line, mut line_start, mut after_cr) = (0_u32, true, false);
    for unit in text.encode_utf16().chain([END]) {
        let blank = unit == u16::from(b' ') || unit == u16::from(b'\t');
        if blank || (after_cr && unit == u16::from(b'\n')) {
            after_cr = false;
            continue;
        }
        after_cr = unit == u16::from(b'\r');
        let unit = if after_cr { u16::from(b'\n') } else { unit };
        roll.flush();
        if line_start {
            line = line.saturating_add(1);
            roll.starts[roll.index] = line;
        }
        line_start = unit == u16::from(b'\n');
        roll.push(unit);
    }
    for _ in 0..WINDOW {
        roll.flush();
        roll.push(0);
    }
    roll.found
}

struct Roll<'a> {
    window: [u16; WINDOW],
    /// The line that starts at this place of the window, 0 for none.
    starts: [u32; WINDOW],
    index: usize,
    hash: u64,
    /// The factor of the unit that leaves the window.
    leaving: u64,
    /// How often each hash occurred, to distinguish equal ones.
    seen: BTreeMap<u64, u32>,
    wanted: &'a BTreeSet<u32>,
    found: BTreeMap<u32, String>,
}

impl Roll<'_> {
    /// Stores the hash of the line that starts where the window moves on.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.starts[self.index]);
        if line > 0 {
            let count = self.seen.entry(self.hash).or_insert(0);
            *count += 1;
            if self.wanted.contains(&line) {
                self.found.insert(line, format!("{:x}:{count}", self.hash));
            }
        }
    }

    fn push(&mut self, unit: u16) {
        let old = std::mem::replace(&mut self.window[self.index], unit);
        self.hash = FACTOR
            .wrapping_mul(self.hash)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(self.leaving.wrapping_mul(u64::from(old)));
        self.index = (self.index + 1) % WINDOW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        of_lines(text, &(1..100).collect()).into_values().collect()
    }

    #[test]
    fn the_vectors_of_codeql() {
        assert_eq!(all(""), ["c129715d7a2bc9a3:1"]);
        let four = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(all(" a\nb\n  \t\tc\n d"), four);
        assert_eq!(all(" a\r\nb\r  \t\tc\r\n d"), four);
    }

    #[test]
    fn equal_lines_are_counted() {
        let text = format!("{}\n", "x".repeat(120)).repeat(3);
        let hashes = all(&text);
        let counts: Vec<_> = hashes.iter().take(3).map(|hash| hash.rsplit_once(':').unwrap().1).collect();
        assert_eq!(counts, ["1", "2", "3"]);
    }

    #[test]
    fn only_wanted_lines_are_kept() {
        let found = of_lines("a\nb\nc", &BTreeSet::from([2, 9]));
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [2]);
    }
}

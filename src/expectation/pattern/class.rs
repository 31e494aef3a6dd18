//! Sets of characters: what a character class matches.
//!
//! A set is sorted ranges of code points that neither touch nor overlap. It may contain surrogates while a class is
//! read; `paired` and `scalars` turn them into characters.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::text;

const LAST: u32 = 0x10_ffff;
/// The first code point that takes two UTF-16 units.
const ASTRAL: u32 = 0x1_0000;
/// The first halves of surrogate pairs.
const HIGH: (u32, u32) = (0xd800, 0xdbff);
/// The second halves of surrogate pairs.
const LOW: (u32, u32) = (0xdc00, 0xdfff);

/// Sorted, separate ranges of code points, ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(Vec<(u32, u32)>);

impl Set {
    /// The set of some ranges, in any order.
    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        let mut sorted = ranges.to_vec();
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    pub(super) fn one(code: u32) -> Self {
        Self(vec![(code, code)])
    }

    /// `\d`: ASCII digits.
    pub(super) fn digits() -> Self {
        Self::of(&[(0x30, 0x39)])
    }

    /// `\w`: ASCII letters, digits and `_`.
    pub(super) fn words() -> Self {
        Self::of(&[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)])
    }

    /// `\s`: JavaScript's white space and line ends.
    pub(super) fn spaces() -> Self {
        static SPACES: OnceLock<Set> = OnceLock::new();
        let spaces = SPACES.get_or_init(|| {
            let codes = (0..=0xffffu32).filter(|code| char::from_u32(*code).is_some_and(text::js_space));
            Self::of(&codes.map(|code| (code, code)).collect::<Vec<_>>())
        });
        spaces.clone()
    }

    /// `\n`, `\r`, U+2028 and U+2029, where lines end.
    pub(super) fn line_ends() -> Self {
        Self::of(&[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)])
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// The only member, if there is just one.
    pub(super) fn single(&self) -> Option<u32> {
        match self.0.as_slice() {
            [(from, to)] if from == to => Some(*from),
            _ => None,
        }
    }

    /// Members of either set.
    pub(super) fn with(&self, other: &Self) -> Self {
        Self::of(&[self.0.as_slice(), other.0.as_slice()].concat())
    }

    /// All other code points.
    pub(super) fn inverted(&self) -> Self {
        let mut free = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0;
        for &(from, to) in &self.0 {
            if from > next {
                free.push((next, from - 1));
            }
            next = to + 1;
        }
        if next <= LAST {
            free.push((next, LAST));
        }
        Self(free)
    }

    fn has(&self, code: u32) -> bool {
        let next = self.0.partition_point(|(_, to)| *to < code);
        self.0.get(next).is_some_and(|(from, _)| *from <= code)
    }

    /// The part between two code points, ends included.
    fn within(&self, bounds: (u32, u32)) -> Self {
        let cut = |&(from, to): &(u32, u32)| (from.max(bounds.0), to.min(bounds.1));
        Self(self.0.iter().map(cut).filter(|(from, to)| from <= to).collect())
    }

    /// This set, plus everything that differs from a member only in case, as `i` means it without `u`: two UTF-16 units
    /// are equal if their single-unit upper case is, and a unit beyond ASCII never equals one of ASCII.
    pub(super) fn any_case(&self) -> Self {
        if self.0.iter().all(|(_, to)| *to < 0x80) {
            let letters = |from: char, to: char| self.within((from.into(), to.into())).0.into_iter();
            let lower = letters('A', 'Z').map(|(from, to)| (from + 32, to + 32));
            let upper = letters('a', 'z').map(|(from, to)| (from - 32, to - 32));
            return self.with(&Self(lower.chain(upper).collect()));
        }
        let alike = families().values().filter(|family| family.iter().any(|code| self.has(*code)));
        let added: Vec<_> = alike.flatten().map(|code| (*code, *code)).collect();
        self.with(&Self(added))
    }

    /// This set, plus the characters whose halves are both members: `[\0-\uFFFF]` covers an emoji.
    pub(super) fn paired(&self) -> Self {
        let whole = self.within((HIGH.0, LOW.1)).0 == [(HIGH.0, LOW.1)];
        if whole { self.with(&Self::of(&[(ASTRAL, LAST)])) } else { self.clone() }
    }

    /// Whether all members are first halves of surrogate pairs.
    pub(super) fn is_high(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(from, to)| *from >= HIGH.0 && *to <= HIGH.1)
    }

    /// Whether all members are second halves of surrogate pairs.
    pub(super) fn is_low(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(from, to)| *from >= LOW.0 && *to <= LOW.1)
    }

    /// The characters with a first half of this set and a second half of the other.
    pub(super) fn pairs(&self, low: &Self) -> Self {
        let base = |high: u32| ASTRAL + ((high - HIGH.0) << 10);
        if low.0 == [LOW] {
            return Self(
                self.0.iter().map(|(from, to)| (base(*from), base(*to) + (LOW.1 - LOW.0))).collect(),
            );
        }
        let mut made = Vec::new();
        for &(from, to) in &self.0 {
            for high in from..=to {
                let base = base(high);
                made.extend(
                    low.0.iter().map(|(first, last)| (base + (first - LOW.0), base + (last - LOW.0))),
                );
            }
        }
        Self::of(&made)
    }

    /// This set without surrogates: each half becomes the characters that have it.
    pub(super) fn halves_as_characters(&self) -> Self {
        if self.within((HIGH.0, LOW.1)).0.is_empty() {
            return self.clone();
        }
        let high = self.within(HIGH).pairs(&Self::of(&[LOW]));
        let low = Self::of(&[HIGH]).pairs(&self.within(LOW));
        self.with(&high).with(&low).scalars()
    }

    /// This set without surrogates, which are not characters.
    pub(super) fn scalars(&self) -> Self {
        let below = self.within((0, HIGH.0 - 1));
        Self([below.0, self.within((LOW.1 + 1, LAST)).0].concat())
    }
}

/// UTF-16 units that are equal if case is ignored, by their common upper case.
fn families() -> &'static BTreeMap<u32, Vec<u32>> {
    static FAMILIES: OnceLock<BTreeMap<u32, Vec<u32>>> = OnceLock::new();
    FAMILIES.get_or_init(|| {
        let mut families: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for c in (0..=0xffffu32).filter_map(char::from_u32) {
            families.entry(canonical(c)).or_default().push(u32::from(c));
        }
        families.retain(|_, family| family.len() > 1);
        families
    })
}

/// `Canonicalize` of ECMA-262, without `u`.
pub(super) fn canonical(c: char) -> u32 {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if u32::from(single) < ASTRAL && (c.is_ascii() || !single.is_ascii()) => {
            u32::from(single)
        }
        _ => u32::from(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_merged_and_inverted() {
        let set = Set::of(&[(5, 9), (1, 2), (3, 3), (9, 12)]);
        assert_eq!(set.ranges(), [(1, 3), (5, 12)]);
        assert_eq!(set.inverted().ranges(), [(0, 0), (4, 4), (13, LAST)]);
        assert_eq!(set.inverted().inverted(), set);
        assert_eq!(Set::default().inverted().ranges(), [(0, LAST)]);
        assert_eq!(Set::of(&[(0, LAST)]).inverted(), Set::default());
    }

    #[test]
    fn case_is_ignored_as_in_javascript() {
        let k = Set::one(u32::from('k')).any_case();
        assert_eq!(k.ranges(), [(0x4b, 0x4b), (0x6b, 0x6b)]);
        // The fast path for ASCII agrees with the general one.
        let ascii = Set::of(&[(0x20, 0x45), (0x58, 0x63)]);
        let both = ascii.with(&Set::one(0x3000)).any_case().within((0, 0x7f));
        assert_eq!(ascii.any_case(), both);
        assert_eq!(both.ranges(), [(0x20, 0x45), (0x58, 0x65), (0x78, 0x7a)]);
        assert_eq!(Set::one(0xdf).any_case(), Set::one(0xdf));
        assert!(Set::one(0xb5).any_case().has(0x3bc));
    }

    #[test]
    fn halves_make_characters() {
        let grin = Set::one(0xd83d).pairs(&Set::one(0xde00));
        assert_eq!(grin, Set::one(0x1f600));
        assert!(Set::one(0xd83d).halves_as_characters().has(0x1f600));
        assert_eq!(Set::of(&[(0, 0xffff)]).paired().ranges(), [(0, LAST)]);
        assert_eq!(Set::of(&[(0xd800, 0xdfff)]).scalars(), Set::default());
    }
}

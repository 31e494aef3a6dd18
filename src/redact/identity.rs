//! Numbers that states give to people, where the number itself shows it: a check digit, or a form like no other.
//!
//! Without either the number stands in its usual groups, or behind its name.

use std::ops::Range;

use super::credential::begins;
use super::number::{beginnings, ends, luhn, walk};

/// Names behind which a number need not stand in groups.
const NAMES: [&str; 12] =
    ["steuer", "idnr", "id-nr", "tax id", "tax-id", "taxid", "tin", "cpf", "aadhaar", "aadhar", "sin", "nir"];

/// Characters between a name and its number.
const NEAR: usize = 24;

fn is_named(text: &str, at: usize) -> bool {
    let before: Vec<char> = text[..at].chars().rev().take(NEAR).collect();
    let before: String = before.iter().rev().collect::<String>().to_lowercase();
    NAMES.iter().any(|name| before.match_indices(name).any(|(at, _)| begins(&before, at)))
}

/// Numbers of Germany, France, Italy, Spain, the United Kingdom, India, Brazil and Canada.
pub(super) fn national(text: &str) -> Vec<Range<usize>> {
    let mut found = lettered(text);
    for at in beginnings(text) {
        let (named, mut longest) = (is_named(text, at), None);
        walk(text, at, " -./", 15, |groups, end| {
            let (digits, signs) = (&groups.digits, groups.separators.as_slice());
            let all = |sign: char| !signs.is_empty() && signs.iter().all(|one| *one == sign);
            let is = match (digits.len(), groups.sizes.as_slice()) {
                (11, [2, 3, 3, 3]) if all(' ') => german(digits),
                (11, [3, 3, 3, 2]) if signs == ['.', '.', '-'] => brazilian(digits),
                (11, _) if named => german(digits) || brazilian(digits),
                (12, [4, 4, 4]) if all(' ') || all('-') => indian(digits),
                (12, _) if named => indian(digits),
                (9, [3, 3, 3]) if all('-') || named => canadian(digits),
                (9, _) if named => canadian(digits),
                (15, [15] | [13, 2] | [1, 2, 2, 2, 3, 3, 2] | [1, 2, 2, 2, 3, 3 | 5, ..]) => french(digits),
                _ => false,
            };
            if is && ends(text, end) {
                longest = Some(at..end);
            }
        });
        found.extend(longest);
    }
    found
}

/// Identification numbers for taxes: ISO 7064 MOD 11, 10, and of the first ten digits one stands twice or thrice.
fn german(digits: &[u32]) -> bool {
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum } * 2) % 11
    });
    let counts = (0..10).map(|digit| digits[..10].iter().filter(|one| **one == digit).count());
    let again: Vec<usize> = counts.filter(|count| *count > 1).collect();
    digits[0] != 0 && matches!(again[..], [2 | 3]) && (11 - product) % 10 == digits[10]
}

/// Two check digits, each a rest of 11.
fn brazilian(digits: &[u32]) -> bool {
    let check = |count: usize| {
        let weights = (2..).take(count).collect::<Vec<u32>>().into_iter().rev();
        let sum: u32 = digits[..count].iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
        sum * 10 % 11 % 10
    };
    digits.iter().any(|digit| *digit != digits[0]) && check(9) == digits[9] && check(10) == digits[10]
}

/// Luhn's check; 0 and 8 are not given out.
fn canadian(digits: &[u32]) -> bool {
    !matches!(digits[0], 0 | 8) && luhn(digits)
}

/// Sex, year and month of birth, and what is left of 97.
fn french(digits: &[u32]) -> bool {
    let value = |digits: &[u32]| digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(*digit));
    let month = value(&digits[3..5]);
    matches!(digits[0], 1 | 2)
        && ((1..=12).contains(&month) || (20..=42).contains(&month))
        && 97 - value(&digits[..13]) % 97 == value(&digits[13..])
}

/// Verhoeff's check.
fn indian(digits: &[u32]) -> bool {
    const MOVED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The symmetries of a pentagon: turns below 5, flips from there on.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let moved = (0..place % 8).fold(*digit, |digit, _| MOVED[digit as usize]);
        times(sum, moved)
    });
    digits[0] > 1 && sum == 0
}

/// Numbers with letters: of Spain, Italy and the United Kingdom.
fn lettered(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        if !begins(text, at) {
            continue;
        }
        let mut said = Vec::new();
        let mut chars = text[at..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if c.is_ascii_uppercase() || c.is_ascii_digit() {
                said.push(c);
                let end = at + offset + 1;
                if ends(text, end) && (british(&said) || spanish(&said) || italian(&said)) {
                    found.push(at..end);
                }
            } else if !matches!(c, ' ' | '-') || !chars.peek().is_some_and(|(_, c)| c.is_ascii_alphanumeric())
            {
                break;
            }
            if said.len() == 16 {
                break;
            }
        }
    }
    found
}

/// Whether the characters are as a form says: `A` for a letter, `9` for a digit.
fn is_form(said: &[char], form: &str) -> bool {
    let fits =
        |(c, form): (&char, char)| if form == '9' { c.is_ascii_digit() } else { c.is_ascii_uppercase() };
    said.len() == form.len() && said.iter().zip(form.chars()).all(fits)
}

/// National Insurance numbers, outside of the prefixes that are never given out.
fn british(said: &[char]) -> bool {
    is_form(said, "AA999999A")
        && !"DFIQUV".contains(said[0])
        && !"DFIOQUV".contains(said[1])
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"]
            .contains(&said[..2].iter().collect::<String>().as_str())
        && ('A'..='D').contains(&said[8])
}

/// DNI and NIE: a letter that the rest of 23 tells.
fn spanish(said: &[char]) -> bool {
    let first = match said.first() {
        Some(c @ 'X'..='Z') if is_form(said, "A9999999A") => {
            char::from_digit(u32::from(*c) - u32::from('X'), 10)
        }
        Some(c) if is_form(said, "99999999A") => Some(*c),
        _ => None,
    };
    let Some(first) = first else { return false };
    let digits = std::iter::once(first).chain(said[1..8].iter().copied());
    let number = digits.filter_map(|c| c.to_digit(10)).fold(0, |sum, digit| sum * 10 + digit);
    "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth((number % 23) as usize) == Some(said[8])
}

/// Codice fiscale: a letter that the rest of 26 tells.
fn italian(said: &[char]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    if !is_form(said, "AAAAAA99A99A999A") {
        return false;
    }
    let value = |c: char| c.to_digit(10).unwrap_or_else(|| u32::from(c) - u32::from('A'));
    let values = said[..15].iter().map(|c| value(*c)).enumerate();
    let sum: u32 =
        values.map(|(place, value)| if place % 2 == 0 { ODD[value as usize] } else { value }).sum();
    sum % 26 == value(said[15])
}

//! National identification numbers that can be recognized by themselves: by a check digit, or by a unique format.
//!
//! Without either, the number must be in its usual groups, or follow its name.

use std::ops::Range;

use super::credential::begins;
use super::number::{beginnings, ends, luhn, walk};

/// Names after which a number need not be in groups.
const NAMES: [&str; 24] = [
    "steuer",
    "idnr",
    "id-nr",
    "tax id",
    "tax-id",
    "taxid",
    "tin",
    "cpf",
    "aadhaar",
    "aadhar",
    "sin",
    "nir",
    "bsn",
    "burgerservicenummer",
    "pesel",
    "nif",
    "f\u{f8}dselsnummer",
    "f\u{d8}dselsnummer",
    "fnr",
    "tckn",
    "kimlik",
    "ahv",
    "avs",
    "personnummer",
];

/// Maximum number of bytes from the start of a name to its number.
const NEAR: usize = 24;

/// The places of names, in order; searched once, since a string can have as many numbers as letters.
fn names(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<_> = NAMES.iter().flat_map(|name| lower.match_indices(name)).collect();
    found.sort_unstable();
    let begun = found.into_iter().filter(|(at, _)| begins(&lower, *at));
    begun.map(|(at, name)| at..at + name.len()).collect()
}

fn is_named(names: &[Range<usize>], at: usize) -> bool {
    let first = names.partition_point(|name| name.start + NEAR < at);
    names[first..].iter().take_while(|name| name.start < at).any(|name| name.end <= at)
}

/// Numbers of 17 countries, and of the United Kingdom, whose numbers have no check digit.
pub(super) fn national(text: &str) -> Vec<Range<usize>> {
    let (mut found, labels) = (lettered(text), names(text));
    for at in beginnings(text) {
        let (named, mut longest) = (is_named(&labels, at), None);
        walk(text, at, " -./", 15, |groups, end| {
            let (digits, signs) = (&groups.digits, groups.separators.as_slice());
            let all = |sign: char| !signs.is_empty() && signs.iter().all(|one| *one == sign);
            let is = match (digits.len(), groups.sizes.as_slice()) {
                (11, [2, 3, 3, 3]) if all(' ') => german(digits),
                (11, [3, 3, 3, 2]) if signs == ['.', '.', '-'] => brazilian(digits),
                (11, [2, 2, 2, 3, 2]) if signs == ['.', '.', '-', '.'] => belgian(digits),
                (11, _) if named => {
                    [german, brazilian, polish, norwegian, turkish].iter().any(|is| is(digits))
                }
                (10, [6, 4]) | (12, [8, 4]) if all('-') || named => swedish(digits),
                (13, [3, 4, 4, 2]) if all('.') => swiss(digits),
                (13, [6, 7]) if all('-') => korean(digits),
                (13, _) if named => swiss(digits),
                // With hyphens, every tenth order number would match.
                (12, [4, 4, 4]) if all(' ') => indian(digits),
                (12, _) if named => indian(digits),
                (9, [3, 3, 3]) if all('-') || named => canadian(digits),
                (9, _) if named => canadian(digits) || dutch(digits) || portuguese(digits),
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

/// German tax identification numbers: ISO 7064 MOD 11, 10, and one of the first ten digits occurs two or three times.
fn german(digits: &[u32]) -> bool {
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum } * 2) % 11
    });
    let counts = (0..10).map(|digit| digits[..10].iter().filter(|one| **one == digit).count());
    let again: Vec<usize> = counts.filter(|count| *count > 1).collect();
    digits[0] != 0 && matches!(again[..], [2 | 3]) && (11 - product) % 10 == digits[10]
}

/// Brazilian CPF: two check digits, each modulo 11.
fn brazilian(digits: &[u32]) -> bool {
    let check = |count: usize| {
        let weights = (2..).take(count).collect::<Vec<u32>>().into_iter().rev();
        let sum: u32 = digits[..count].iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
        sum * 10 % 11 % 10
    };
    digits.iter().any(|digit| *digit != digits[0]) && check(9) == digits[9] && check(10) == digits[10]
}

/// Canadian SIN: Luhn's check; numbers starting with 0 or 8 are not issued.
fn canadian(digits: &[u32]) -> bool {
    !matches!(digits[0], 0 | 8) && luhn(digits)
}

/// The sum of the digits times their weights.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// Whether these are a month and a day.
fn is_date(digits: &[u32]) -> bool {
    (1..=12).contains(&number(&digits[..2])) && (1..=31).contains(&number(&digits[2..4]))
}

/// Belgian national register numbers: modulo 97, prefixed with 2 for those born from 2000 on.
fn belgian(digits: &[u32]) -> bool {
    let (born, check) = (number(&digits[..9]), number(&digits[9..]));
    [born, 2_000_000_000 + born].iter().any(|number| 97 - number % 97 == check)
}

/// Polish PESEL.
fn polish(digits: &[u32]) -> bool {
    weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10) && digits[2] * 10 + digits[3] != 0
}

/// Norwegian birth numbers: two sums are multiples of eleven.
fn norwegian(digits: &[u32]) -> bool {
    weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Turkish identity numbers: two check digits.
fn turkish(digits: &[u32]) -> bool {
    let (odd, even) =
        (weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]), weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]));
    digits[0] != 0
        && (odd * 7 + 90 - even) % 10 == digits[9]
        && digits[..10].iter().sum::<u32>() % 10 == digits[10]
}

/// Swedish personal numbers: date of birth, and Luhn's check over the last ten digits; 60 is added to the day for
/// temporary residents.
fn swedish(digits: &[u32]) -> bool {
    let mut last = digits[digits.len() - 10..].to_vec();
    let right = luhn(&last);
    last[4] = last[4].checked_sub(6).unwrap_or(last[4]);
    right && is_date(&last[2..6])
}

/// Swiss OASI numbers: the check digit of an EAN with a reserved country prefix.
fn swiss(digits: &[u32]) -> bool {
    digits[..3] == [7, 5, 6] && weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// Korean resident registration numbers as issued until 2020.
fn korean(digits: &[u32]) -> bool {
    let sum = weighted(digits, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    is_date(&digits[2..6]) && (1..=8).contains(&digits[6]) && (11 - sum % 11) % 10 == digits[12]
}

/// Dutch citizen service numbers.
fn dutch(digits: &[u32]) -> bool {
    weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11)
}

/// Portuguese tax numbers.
fn portuguese(digits: &[u32]) -> bool {
    let rest = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits[8] == if rest < 2 { 0 } else { 11 - rest }
}

/// French social security numbers: sex, year and month of birth, modulo 97.
fn french(digits: &[u32]) -> bool {
    let month = number(&digits[3..5]);
    matches!(digits[0], 1 | 2)
        && ((1..=12).contains(&month) || (20..=42).contains(&month))
        && 97 - number(&digits[..13]) % 97 == number(&digits[13..])
}

/// Indian Aadhaar numbers: Verhoeff's check.
fn indian(digits: &[u32]) -> bool {
    const MOVED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The symmetries of a pentagon: rotations below 5, reflections from 5 on.
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

/// Numbers that can contain letters: of Spain, Italy, the United Kingdom, Finland and China.
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
                if ends(text, end) && [british, spanish, italian, finnish, chinese].iter().any(|is| is(&said))
                {
                    found.push(at..end);
                }
            } else if !matches!(c, ' ' | '-') || !chars.peek().is_some_and(|(_, c)| c.is_ascii_alphanumeric())
            {
                break;
            }
            if said.len() == 18 {
                break;
            }
        }
    }
    found
}

/// Whether the characters match a form: `A` for a letter, `9` for a digit.
fn is_form(said: &[char], form: &str) -> bool {
    let fits =
        |(c, form): (&char, char)| if form == '9' { c.is_ascii_digit() } else { c.is_ascii_uppercase() };
    said.len() == form.len() && said.iter().zip(form.chars()).all(fits)
}

/// UK National Insurance numbers, without the prefixes that are never issued.
fn british(said: &[char]) -> bool {
    is_form(said, "AA999999A")
        && !"DFIQUV".contains(said[0])
        && !"DFIOQUV".contains(said[1])
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"]
            .contains(&said[..2].iter().collect::<String>().as_str())
        && ('A'..='D').contains(&said[8])
}

/// Spanish DNI and NIE: a letter that encodes the number modulo 23.
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

/// Finnish personal identity codes with a letter in them: modulo 31.
fn finnish(said: &[char]) -> bool {
    let old = is_form(said, "999999999A");
    let new =
        (is_form(said, "999999A9999") || is_form(said, "999999A999A")) && "ABCDEFYXWVU".contains(said[6]);
    let digits: Vec<u32> = said[..said.len().max(1) - 1].iter().filter_map(|c| c.to_digit(10)).collect();
    let date = || is_date(&[digits[2], digits[3], digits[0], digits[1]]);
    let check = |rest: u64| "0123456789ABCDEFHJKLMNPRSTUVWXY".chars().nth(usize::try_from(rest).unwrap_or(0));
    (old || new) && date() && said.last().copied() == check(number(&digits) % 31)
}

/// Chinese resident identity numbers: ISO 7064 MOD 11-2.
fn chinese(said: &[char]) -> bool {
    if said.len() != 18 || !(said[17] == 'X' || said[17].is_ascii_digit()) {
        return false;
    }
    let digits: Vec<u32> = said[..17].iter().filter_map(|c| c.to_digit(10)).collect();
    let right = || {
        let sum = weighted(&digits, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
        "10X98765432".chars().nth((sum % 11) as usize) == Some(said[17])
    };
    digits.len() == 17
        && (1900..2100).contains(&number(&digits[6..10]))
        && is_date(&digits[10..14])
        && right()
}

/// Italian codice fiscale: a letter that encodes the rest modulo 26.
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

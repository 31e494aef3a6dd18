//! Numbers that identify a person or an account. Where possible, not only their format is checked: a card has a check
//! digit (ISO/IEC 7812-1, Luhn), and an IBAN has a check modulo 97 (ISO 13616).

use std::ops::Range;

use super::credential::begins;

/// Whether a word or number ends here.
pub(super) fn ends(text: &str, at: usize) -> bool {
    let mut rest = text[at..].chars();
    match rest.next() {
        Some('-' | '.') => !rest.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => !c.is_alphanumeric() && c != '_',
        None => true,
    }
}

/// Whether a number starts here: not inside a word, and not after a digit followed by a point or hyphen.
pub(super) fn starts(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    let joined =
        matches!(before.next(), Some('-' | '.')) && before.next().is_some_and(|c| c.is_ascii_digit());
    begins(text, at) && !joined && !text[..at].ends_with('+')
}

/// The places of UUIDs: their groups of digits are not numbers.
fn uuids(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let uuid = |at: usize| {
        bytes.get(at..at + 36).is_some_and(|bytes| {
            bytes.iter().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        })
    };
    let hyphens = text.match_indices('-').filter_map(|(at, _)| at.checked_sub(8));
    hyphens.filter(|at| uuid(*at)).map(|at| at..at + 36).collect()
}

/// A number in groups: its digits and the sizes of its groups, up to each digit.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) digits: Vec<u32>,
    pub(super) sizes: Vec<usize>,
    pub(super) separators: Vec<char>,
}

/// Maximum number of characters between two groups: a separator with spaces around it, or a line break.
const GAP: usize = 3;

/// Walks over groups of digits from a byte on and calls `see` at every possible end. A line break between groups counts
/// as a space.
pub(super) fn walk(text: &str, at: usize, allowed: &str, most: usize, mut see: impl FnMut(&Groups, usize)) {
    let mut groups = Groups { sizes: vec![0], ..Groups::default() };
    let (mut sign, mut gap) = (None, 0);
    for (offset, c) in text[at..].char_indices() {
        if let Some(digit) = c.to_digit(10) {
            if let Some(sign) = sign.take() {
                groups.separators.push(sign);
                groups.sizes.push(0);
                gap = 0;
            }
            groups.digits.push(digit);
            if let Some(size) = groups.sizes.last_mut() {
                *size += 1;
            }
            if groups.digits.len() > most {
                return;
            }
            see(&groups, at + offset + 1);
        } else {
            let c = if matches!(c, '\n' | '\r') && allowed.contains(c) { ' ' } else { c };
            gap += 1;
            sign = match sign {
                None | Some(' ') if allowed.contains(c) => Some(c),
                Some(sign) if c == ' ' && allowed.contains(' ') => Some(sign),
                _ => return,
            };
            if gap > GAP {
                return;
            }
        }
    }
}

/// Bytes at which a number can start, outside of UUIDs.
pub(super) fn beginnings(text: &str) -> Vec<usize> {
    let uuids = uuids(text);
    let free = |at: &usize| {
        let next = uuids.partition_point(|uuid| uuid.end <= *at);
        !uuids.get(next).is_some_and(|uuid| uuid.contains(at))
    };
    let digits = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at);
    digits.filter(|at| starts(text, *at)).filter(free).collect()
}

/// Whether Luhn's sum is a multiple of ten.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether an issuer has numbers with this length and prefix: Visa, Diners Club, American Express, those with 16
/// digits, JCB, `UnionPay` and Maestro. Numbers with other prefixes, such as IMEIs, are not cards.
fn is_issued(digits: &[u32]) -> bool {
    let (first, second) = (digits[0], digits.get(1).copied().unwrap_or_default());
    match digits.len() {
        13 => first == 4,
        14 => first == 3 && matches!(second, 0 | 6 | 8 | 9),
        15 => first == 3 && matches!(second, 4 | 7),
        16 => matches!((first, second), (2, 2..=7) | (3..=6, _)),
        17..=19 => matches!((first, second), (3, 5) | (4..=6, _)),
        _ => false,
    }
}

/// 13 to 19 digits with the prefix of a payment card and a valid Luhn check: in groups with the same separator, in the
/// usual groups with any, or broken once by a line break.
pub(super) fn card(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in beginnings(text) {
        let mut longest = None;
        walk(text, at, " -./\n\r", 19, |groups, end| {
            let digits = &groups.digits;
            if !is_issued(digits) || !luhn(digits) || !ends(text, end) {
                return;
            }
            let (last, others) = groups.sizes.split_last().unwrap_or((&0, &[]));
            let grouped = others.iter().all(|size| (3..=7).contains(size)) && *last <= 19;
            let one_kind = groups.separators.windows(2).all(|pair| pair[0] == pair[1]);
            let usual = matches!(groups.sizes[..], [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5]);
            let broken = || {
                let breaks = text[at..end].matches('\n').count();
                breaks == 1
                    && matches!(groups.sizes.len(), 2..=6)
                    && groups.sizes.iter().all(|size| *size > 1)
            };
            if (grouped && one_kind || usual || broken()) && digits.iter().any(|digit| *digit != digits[0]) {
                longest = Some(at..end);
            }
        });
        found.extend(longest);
    }
    found
}

/// Maximum number of characters between a name and its number.
const NEAR: usize = 24;

/// Whether one of these names comes before a number.
pub(super) fn is_named(text: &str, at: usize, names: &[&str]) -> bool {
    let before: Vec<char> = text[..at].chars().rev().take(NEAR).collect();
    let before: String = before.iter().rev().collect::<String>().to_lowercase();
    names.iter().any(|name| before.match_indices(name).any(|(at, _)| begins(&before, at)))
}

/// `123-45-6789`, also with spaces, or without separators after its name; numbers that are never issued are left out.
pub(super) fn ssn(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in beginnings(text) {
        walk(text, at, " -", 9, |groups, end| {
            let is_grouped = groups.sizes == [3, 2, 4] && groups.separators[0] == groups.separators[1];
            let shape =
                is_grouped || (groups.digits.len() == 9 && is_named(text, at, &["ssn", "social security"]));
            let value = |digits: &[u32]| digits.iter().fold(0, |sum, digit| sum * 10 + digit);
            if shape && ends(text, end) {
                let (area, group) = (value(&groups.digits[..3]), value(&groups.digits[3..5]));
                let given = !matches!(area, 0 | 666 | 900..) && group != 0 && value(&groups.digits[5..]) != 0;
                if given {
                    found.push(at..end);
                }
            }
        });
    }
    found
}

/// Telephone numbers: `+` and a country code; three, three and four digits; or a leading 0 with a space or slash.
pub(super) fn phone(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('+').filter(|(at, _)| begins(text, *at)) {
        found.extend(international(text, at));
    }
    for at in beginnings(text) {
        let bracket = text[..at].ends_with('(');
        let start = at - usize::from(bracket);
        let mut longest = None;
        let head: String = text[at..].chars().take(6).collect();
        let plain = head.find(')').filter(|_| bracket);
        // `(415) 555-0132` is read as `415 555-0132`.
        let read = plain.map(|close| {
            let rest = text[at + close + 1..].trim_start_matches([' ', '-']);
            let near: String = rest.chars().take(24).collect();
            // After the last digit of this line comes the rest of the text.
            (format!("{} {near}", &text[at..at + close]), text.len() - rest.len() - close - 1)
        });
        let (line, from) = match &read {
            Some((line, _)) => (line.as_str(), 0),
            None => (text, at),
        };
        walk(line, from, " -./", 17, |groups, end| {
            if is_phone(groups, plain.is_some()) && ends(line, end) {
                longest = Some(end);
            }
        });
        if let Some(end) = longest {
            let end = read.as_ref().map_or(end, |(_, offset)| offset + end);
            let start = if plain.is_some() { start } else { at };
            found.push(start..end);
        }
    }
    found
}

/// Whether the groups are those of telephone numbers in some country.
fn is_phone(groups: &Groups, bracket: bool) -> bool {
    let Groups { digits, sizes, separators } = groups;
    let (count, first) = (digits.len(), digits[0]);
    let second = digits.get(1).copied().unwrap_or_default();
    let Some(&sign) = separators.first() else { return false };
    let rest = |sizes: &[usize]| sizes.iter().all(|size| (2..=8).contains(size));
    match (sizes.as_slice(), first, second) {
        // North America, China.
        ([3, 3, 4], ..) | ([1, 3, 3, 4], 1, _) | ([3, 4, 4], 1, 3..=9) => true,
        // India, Spain, Brazil.
        ([5, 5], 6..=9, _) => sign != '.',
        ([3, 2, 2, 2], 6..=9, _) => sign == ' ',
        ([2, 4 | 5, 4], 1.., _) if bracket => true,
        // Prefix dialed before a country code.
        ([2 | 4, ..], 0, 0) => (10..=17).contains(&count) && digits[2] != 0 && sign != '.',
        // With a point or hyphen it can be a number of any sort, except for some groups.
        ([2..=5, others @ ..], 0, 1..) if (9..=12).contains(&count) && rest(others) => {
            let usual = matches!(sizes.as_slice(), [2 | 3, 4, 4] | [4, 2, 4] | [4, 3, 3] | [2, 2, 2, 2, 2]);
            matches!(sign, ' ' | '/') || usual || (sign == '-' && matches!(sizes.as_slice(), [3..=5, 6..=8]))
        }
        _ => false,
    }
}

/// `+` and 8 to 15 digits (ITU-T E.164) in groups with spaces, hyphens, points, slashes and brackets.
fn international(text: &str, at: usize) -> Option<Range<usize>> {
    let (mut digits, mut longest, mut gap) = (0, None, 0);
    for (offset, c) in text[at + 1..].char_indices() {
        if c.is_ascii_digit() {
            (digits, gap) = (digits + 1, 0);
            let end = at + offset + 2;
            if (8..=15).contains(&digits) && !text[end..].starts_with(|c: char| c.is_ascii_digit()) {
                longest = Some(at..end);
            }
        } else if " -./()".contains(c) && digits > 0 && gap < 2 {
            gap += 1;
        } else {
            break;
        }
    }
    longest
}

/// Countries and the lengths of their numbers: the registry of ISO 13616, and other countries whose banks use the
/// format.
const IBANS: &str = "AD24 AE23 AL28 AO25 AT20 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BR29 BY28 CF27 CG27 CH21 CI28 \
    CM27 CR22 CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GI23 GL18 GQ27 \
    GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 \
    MA28 MC27 MD24 ME22 MG27 MK19 ML28 MN20 MR27 MT31 MU30 MZ25 NE28 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 \
    RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TG28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// The length of a country's numbers.
fn iban_length(country: &str) -> Option<usize> {
    let country = country.to_ascii_uppercase();
    IBANS.split(' ').find_map(|one| one.strip_prefix(&country))?.parse().ok()
}

/// A country code, two digits and the rest of the number in the country's length, also in groups, with a valid check
/// modulo 97.
pub(super) fn iban(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(|c: char| c.is_ascii_alphabetic()) {
        let shape = bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
            && bytes.get(at + 2..at + 4).is_some_and(|check| check.iter().all(u8::is_ascii_digit));
        if !shape || !begins(text, at) {
            continue;
        }
        let Some(length) = iban_length(&text[at..at + 2]) else { continue };
        let (mut said, mut longest) = (String::new(), None);
        let mut chars = text[at..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if c.is_ascii_alphanumeric() {
                said.push(c.to_ascii_uppercase());
                let end = at + offset + 1;
                if said.len() == length && ends(text, end) && rest_of_97(&said) == 1 {
                    longest = Some(at..end);
                }
            } else if !matches!(c, ' ' | '-' | '.' | '\n')
                || !chars.peek().is_some_and(|(_, c)| c.is_ascii_alphanumeric())
            {
                break;
            }
            if said.len() >= length {
                break;
            }
        }
        found.extend(longest);
    }
    found
}

fn rest_of_97(said: &str) -> u32 {
    let (head, tail) = said.split_at(4);
    tail.chars().chain(head.chars()).fold(0, |rest, c| {
        let value = c.to_digit(36).unwrap_or(0);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}

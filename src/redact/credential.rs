//! Credentials: keys with a vendor's prefix, tokens, and values after a word such as `password`.

use std::ops::Range;
use std::sync::OnceLock;

use super::vendor::{MIDST, Made, PREFIXES};

/// Endings of names whose values are secrets, without `_` and `-`.
const SECRETS: [&str; 21] = [
    "password",
    "passwort",
    "kennwort",
    "senha",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "creds",
    "accountkey",
    "pat",
    "passcode",
];

/// Endings of names whose values may be secrets: such a value must look random.
const PERHAPS: [&str; 7] = ["key", "sig", "signature", "session", "sessionid", "sid", "cookie"];

/// Endings of secrets' names that also name counts, as in `token: 128000`.
const COUNTED: [&str; 10] = [
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "creds",
    "pat",
];

/// Words between the name of a secret and its value.
const IS: [&str; 8] = [" is ", " was ", " ist ", " lautet ", " est ", " es ", " \u{e8} ", " \u{e9} "];

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether a word can start at a byte. The letter of an escape in JSON, as in `\n`, is not part of a word.
pub(super) fn begins(text: &str, at: usize) -> bool {
    let before = &text[..at];
    match before.chars().next_back() {
        Some('n' | 'r' | 't') if before[..before.len() - 1].ends_with('\\') => true,
        Some(c) => !c.is_alphanumeric() && c != '_',
        None => true,
    }
}

/// The end of a run of word characters.
fn run(text: &str, from: usize) -> usize {
    text[from..].find(|c| !word(c)).map_or(text.len(), |end| from + end)
}

/// Whether a part of a string looks random: no word is long, and it has digits or capitals in the middle.
fn drawn(said: &str) -> bool {
    said.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let inner = part.as_bytes().windows(2);
        let humps = inner.filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count();
        let digit = part.contains(|c: char| c.is_ascii_digit());
        part.len() >= 20 || (part.len() >= 10 && (digit || humps >= 2))
    })
}

/// Whether a whole value without a prefix looks random: it has letters and digits with little repetition.
fn drawn_alone(said: &str) -> bool {
    let uuid = said.len() == 36 && said.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let mut kinds: Vec<u8> = said.bytes().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let has = |what: fn(&char) -> bool| said.chars().any(|c| what(&c));
    !uuid
        && said.len() >= 16
        && kinds.len() >= 8
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && drawn(said)
}

/// The rows of the table by the first byte of their prefix.
fn by_first() -> &'static [Vec<usize>] {
    static ROWS: OnceLock<Vec<Vec<usize>>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let mut rows = vec![Vec::new(); 256];
        for (row, (prefix, ..)) in PREFIXES.iter().enumerate() {
            rows[usize::from(prefix.as_bytes()[0])].push(row);
        }
        rows
    })
}

/// Keys in their vendors' formats.
pub(super) fn api_key(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut done, rows) = (Vec::new(), vec![0; PREFIXES.len()], by_first());
    for (at, byte) in text.bytes().enumerate() {
        for &row in &rows[usize::from(byte)] {
            let (prefix, fewest, made) = PREFIXES[row];
            // What starts inside a run that was already checked is part of it, or not a key either.
            if at < done[row] || !text[at..].starts_with(prefix) || !begins(text, at) {
                continue;
            }
            let from = at + prefix.len();
            let end = text[from..].find(|c| !made.has(c)).map_or(text.len(), |end| from + end);
            done[row] = end;
            let said = text[from..end].trim_end_matches('.');
            // Words joined by hyphens are not keys.
            // Nor is a hash that starts like a key.
            let hash = || text[at..from + said.len()].bytes().all(|byte| byte.is_ascii_hexdigit());
            if said.len() >= fewest && drawn(said) && !hash() {
                found.push(at..from + said.len());
            }
        }
    }
    for (head, least, most, mark, tail, fewest) in MIDST {
        for (at, _) in text.match_indices(mark) {
            let before: usize =
                text[..at].chars().rev().take(*most).take_while(|c| head.has(*c)).map(char::len_utf8).sum();
            let from = at + mark.len();
            // A key is not so long that its end is out of sight of its mark.
            let after = text[from..].chars().take(200).take_while(|c| tail.has(*c)).count();
            let after = text[from..from + after].trim_end_matches('.').len();
            if before >= *least && after >= *fewest && begins(text, at - before) {
                found.push(at - before..from + after);
            }
        }
    }
    found.extend(discord(text));
    found
}

/// Three parts of at least 24, 6 and 27 characters, the first of which is a number in Base64.
fn discord(text: &str) -> Vec<Range<usize>> {
    let key = |at: usize| {
        let end = text[at..].find(|c| !Made::Dotted.has(c)).map_or(text.len(), |end| at + end);
        let sizes: Vec<usize> = text[at..end].trim_end_matches('.').split('.').map(str::len).collect();
        let is = matches!(sizes[..], [23..=28, 6 | 7, 27..=45]) && drawn(&text[at..end]);
        is.then(|| at..at + sizes.iter().sum::<usize>() + 2)
    };
    let mut done = 0;
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['M', 'N', 'O']) {
        if at >= done && begins(text, at) {
            done = text[at..].find(|c| !Made::Dotted.has(c)).map_or(text.len(), |end| at + end);
            found.extend(key(at));
        }
    }
    found
}

pub(super) fn aws_key(text: &str) -> Vec<Range<usize>> {
    let prefixes = ["AKIA", "ASIA", "ABIA", "ACCA", "A3T"];
    let starts = prefixes.iter().flat_map(|prefix| text.match_indices(prefix));
    let key = |at: usize| {
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let key = text.get(at..at + 20).is_some_and(|key| key.chars().all(upper));
        let ends = key && !text[at + 20..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (ends && begins(text, at)).then_some(at..at + 20)
    };
    starts.filter_map(|(at, _)| key(at)).collect()
}

/// Three parts, the first of which is JSON in Base64.
pub(super) fn jwt(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut done = 0;
    for (at, _) in text.match_indices("eyJ").filter(|(at, _)| begins(text, *at)) {
        // A later start in the same run is part of the token, or not a token either.
        if at < done {
            continue;
        }
        let head = run(text, at);
        done = head;
        if let Some(body) = text[head..].strip_prefix('.').map(|_| run(text, head + 1)) {
            let end = text[body..].strip_prefix('.').map_or(body, |_| run(text, body + 1));
            if head - at >= 12 && body - head > 8 {
                found.push(at..end);
            }
        }
    }
    found
}

/// Whether a name is that of a secret: `password`, `client_secret`, `apiKey`.
pub(super) fn names_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    SECRETS.iter().any(|secret| name.ends_with(secret))
}

/// Whether a name can name a count.
fn counts(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    COUNTED.iter().any(|counted| name.ends_with(counted)) && !name.contains("pass")
}

/// Whether this is a plain number: some digits, separated by points or underscores, with an optional suffix for
/// thousands, millions or percent.
fn is_plain(value: &str) -> bool {
    let number = value.strip_suffix(['k', 'K', 'M', '%']).unwrap_or(value);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (1..=9).contains(&digits)
        && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'))
}

/// Values after the name of a secret and `=` or `:`, or after `Bearer`; and private keys.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, sign) in text.match_indices(['=', ':']) {
        let before = text[..at].trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\', '`', '*']);
        let name = before.char_indices().rev().take(48).take_while(|(_, c)| word(*c)).last();
        if let Some((start, _)) = name
            && found.last().is_none_or(|last: &Range<usize>| last.end <= at)
        {
            if names_secret(&before[start..]) {
                let found_here = scheme(text, at + 1).or_else(|| value(text, at + 1, sign == "="));
                let is_count =
                    |value: &Range<usize>| counts(&before[start..]) && is_plain(&text[value.clone()]);
                found.extend(found_here.filter(|value| !is_count(value)));
            } else if may_name(&before[start..]) {
                found.extend(value(text, at + 1, true).filter(|value| drawn_alone(&text[value.clone()])));
            }
        }
    }
    found.extend(in_prose(text));
    found.extend(curl(text));
    found.extend(cookies(text));
    found.extend(in_addresses(text));
    for (at, _) in text.match_indices(['b', 'B']) {
        let scheme = |word: &str| {
            text.get(at..at + word.len()).is_some_and(|said| said.eq_ignore_ascii_case(word))
                && begins(text, at)
        };
        let (bearer, basic) = (scheme("bearer "), scheme("basic "));
        if bearer || basic {
            let from = at + 6 + (text[at + 6..].len() - text[at + 6..].trim_start().len());
            let class = |c: char| word(c) || matches!(c, '.' | '~' | '+' | '/' | '=');
            let end = text[from..].find(|c| !class(c)).map_or(text.len(), |end| from + end);
            let said = text[from..end].trim_end_matches('.');
            if (bearer && said.len() >= 16) || (basic && is_pair(said)) {
                found.push(from..from + said.len());
            }
        }
    }
    found.extend(private_key(text));
    found
}

/// A private key in PEM (RFC 7468), up to its end or that of the text.
pub(super) fn private_key(text: &str) -> Vec<Range<usize>> {
    let begun = text
        .match_indices("-----BEGIN ")
        .filter(|(at, _)| text[*at..].lines().next().unwrap_or_default().contains("PRIVATE KEY"));
    let ended = |(at, _): (usize, &str)| {
        let last = text[at..].find("-----END ").map(|end| at + end + 9);
        let end = last.and_then(|from| text[from..].find("-----").map(|end| from + end + 5));
        at..end.unwrap_or(text.len())
    };
    begun.map(ended).collect()
}

/// Whether a name is that of a secret only if its value looks like one, such as `API_KEY_PROD`.
fn may_name(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    PERHAPS.iter().any(|secret| name.ends_with(secret))
        || SECRETS.iter().any(|secret| secret.len() > 4 && name.contains(secret))
}

/// The credentials after the scheme of a header, as in `Authorization: Token 0123abcd`.
fn scheme(text: &str, from: usize) -> Option<Range<usize>> {
    let at = from + text[from..].len() - text[from..].trim_start_matches(' ').len();
    let word = text[at..].find(|c: char| !c.is_ascii_alphabetic()).filter(|end| (3..=12).contains(end))?;
    let rest = text[at + word..].strip_prefix(' ')?;
    let end = rest.find(|c| !Made::Path.has(c)).unwrap_or(rest.len());
    drawn_alone(&rest[..end]).then(|| at + word + 1..at + word + 1 + end)
}

/// The password in `curl -u name:password`.
fn curl(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, flag) in [" -u ", " --user ", " --user="].iter().flat_map(|flag| text.match_indices(flag)) {
        // A single command does not span that many lines.
        let before: Vec<char> = text[..at].chars().rev().take(512).collect();
        let from = at + flag.len();
        let end = text[from..].find(char::is_whitespace).map_or(text.len(), |end| from + end);
        let said = text[from..end].trim_end_matches(['"', '\'']);
        if let Some(colon) =
            said.find(':').filter(|_| before.windows(4).any(|four| *four == ['l', 'r', 'u', 'c']))
        {
            found.push(from + colon + 1..from + said.len());
        }
    }
    found
}

/// Whether this is Base64 for a name and a password.
fn is_pair(said: &str) -> bool {
    let digit = |c: char| match c {
        'A'..='Z' => Some(u32::from(c) - u32::from('A')),
        'a'..='z' => Some(u32::from(c) - u32::from('a') + 26),
        '0'..='9' => Some(u32::from(c) - u32::from('0') + 52),
        '+' | '-' => Some(62),
        '/' | '_' => Some(63),
        _ => None,
    };
    let Some(digits) = said.trim_end_matches('=').chars().map(digit).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let bytes = digits.chunks(4).flat_map(|four| {
        let all = four.iter().fold(0, |all, digit| all << 6 | digit) << (6 * (4 - four.len()));
        [all >> 16 & 255, all >> 8 & 255, all & 255].into_iter().take(four.len() - 1)
    });
    let text: Option<Vec<char>> =
        bytes.map(|byte| char::from_u32(byte).filter(|c| !c.is_control())).collect();
    said.len() >= 8 && text.is_some_and(|text| text.contains(&':'))
}

/// Secrets in a sentence: `the password is hunter2`.
fn in_prose(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, is) in IS.iter().flat_map(|is| text.match_indices(is)) {
        let mut words = text[..at].split_whitespace().rev().take(2);
        let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // Anything much longer than a name is skipped.
        let short = last.len() + before.len() < 64;
        if !short || !(names_secret(last) || names_secret(&format!("{before}{last}"))) {
            continue;
        }
        let from = at + is.len();
        let open = from
            + (text[from..].len() - text[from..].trim_start_matches([' ', '"', '\'', '`', '*', ':']).len());
        let end = text[open..].find(char::is_whitespace).map_or(text.len(), |end| open + end);
        let said = text[open..end].trim_end_matches(['.', ',', ';', '!', '?', '"', '\'', '`', '*', ')']);
        let letter = said.contains(char::is_alphabetic);
        let other = said.contains(|c: char| !c.is_alphabetic() && c != '-' && c != '\'' && c != '’');
        let quoted = open > from && text[from..open].contains(['"', '\'', '`']);
        if said.chars().count() >= 4 && ((letter && other) || quoted) {
            found.push(open..open + said.len());
        }
    }
    found
}

/// Values of `Cookie:` and `Set-Cookie:`.
fn cookies(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("ookie:") {
        let from = at + 6 + (text[at + 6..].len() - text[at + 6..].trim_start_matches([' ', '\t']).len());
        let end = text[from..].find(['\n', '\r', '"', '\'', '`']).map_or(text.len(), |end| from + end);
        let name = text[from..end].split('=').next().unwrap_or_default();
        if name.len() < end - from && !name.is_empty() && name.chars().all(|c| word(c) || c == '.') {
            found.push(from..end);
        }
    }
    found
}

/// The password in `scheme://name:password@host`.
fn in_addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let from = at + 3;
        let stop = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '`' | '<' | '>' | '?' | '#');
        let end = text[from..].find(stop).map_or(text.len(), |end| from + end);
        let Some(sign) = text[from..end].rfind('@') else { continue };
        if let Some(colon) = text[from..from + sign].find(':').filter(|colon| colon + 1 < sign) {
            found.push(from + colon + 1..from + sign);
        }
    }
    found
}

/// The value of an assignment, if it looks like one: prose after a colon does not.
fn value(text: &str, from: usize, assigned: bool) -> Option<Range<usize>> {
    let rest = &text[from..];
    let lead = rest.len() - rest.trim_start_matches([' ', '\t', '*', '`']).len();
    let at = from + lead;
    let quote = text[at..].trim_start_matches('\\').chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let open = at + text[at..].find(quote)? + 1;
        let end = text[open..].find([quote, '\n']).map_or(text.len(), |end| open + end);
        let end = open + text[open..end].trim_end_matches('\\').len();
        return (end > open).then_some(open..end);
    }
    let stop =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '&' | ')' | '}' | '<');
    let end = text[at..].find(stop).map_or(text.len(), |end| at + end);
    let value = text[at..end].trim_end_matches(['.', '!', '?', '*', '…']);
    let mixed = value.chars().any(|c| !c.is_alphabetic()) && value.chars().any(char::is_alphanumeric);
    let long = value.chars().count();
    ((assigned && long >= 4) || (long >= 6 && mixed)).then(|| at..at + value.len())
}

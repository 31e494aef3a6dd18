//! Credentials: keys with a vendor's prefix, tokens, and what stands behind a word such as `password`.

use std::ops::Range;

/// Prefixes of vendors and the fewest characters behind them.
const PREFIXES: [(&str, usize); 30] = [
    ("sk-ant-", 12),
    ("sk-proj-", 12),
    ("sk-or-", 12),
    ("sk-", 16),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("pk_live_", 10),
    ("pk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 16),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxe-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("AIza", 30),
    ("npm_", 30),
    ("hf_", 20),
    ("gsk_", 20),
    ("pypi-", 20),
];

/// How the names of secrets end, without `_` and `-`.
const SECRETS: [&str; 13] = [
    "password",
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
];

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether a word can begin at a byte. The letter of an escape in JSON, as in `\n`, belongs to none.
pub(super) fn begins(text: &str, at: usize) -> bool {
    let before = &text[..at];
    match before.chars().next_back() {
        Some('n' | 'r' | 't') if before[..before.len() - 1].ends_with('\\') => true,
        Some(c) => !c.is_alphanumeric() && c != '_',
        None => true,
    }
}

/// Where the run of characters of a word ends.
fn run(text: &str, from: usize) -> usize {
    text[from..].find(|c| !word(c)).map_or(text.len(), |end| from + end)
}

pub(super) fn api_key(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (prefix, fewest) in PREFIXES {
        let mut done = 0;
        for (at, _) in text.match_indices(prefix).filter(|(at, _)| begins(text, *at)) {
            // What begins inside of a run that was looked at is a part of it, or as little a key.
            if at < done {
                continue;
            }
            let (from, end) = (at + prefix.len(), run(text, at + prefix.len()));
            done = end;
            // Words joined by hyphens have no digit, and a key has one.
            let digit = text[from..end].contains(|c: char| c.is_ascii_digit());
            if end - from >= fewest && digit {
                found.push(at..end);
            }
        }
    }
    found
}

pub(super) fn aws_key(text: &str) -> Vec<Range<usize>> {
    let prefixes = ["AKIA", "ASIA", "ABIA", "ACCA"];
    let starts = prefixes.iter().flat_map(|prefix| text.match_indices(prefix));
    let key = |at: usize| {
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let key = text.get(at..at + 20).is_some_and(|key| key.chars().all(upper));
        let ends = key && !text[at + 20..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (ends && begins(text, at)).then_some(at..at + 20)
    };
    starts.filter_map(|(at, _)| key(at)).collect()
}

/// Three parts, the first of which is JSON in base 64.
pub(super) fn jwt(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut done = 0;
    for (at, _) in text.match_indices("eyJ").filter(|(at, _)| begins(text, *at)) {
        // A later beginning in the same run is a part of the token, or as little one.
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

/// What stands behind the name of a secret and `=` or `:`, behind `Bearer`, and private keys.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, sign) in text.match_indices(['=', ':']) {
        let before = text[..at].trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\', '`', '*']);
        let name = before.char_indices().rev().take(48).take_while(|(_, c)| word(*c)).last();
        if let Some((start, _)) = name
            && names_secret(&before[start..])
            && found.last().is_none_or(|last: &Range<usize>| last.end <= at)
        {
            found.extend(value(text, at + 1, sign == "="));
        }
    }
    for (at, _) in text.match_indices(['b', 'B']) {
        let bearer = text.get(at..at + 7).is_some_and(|word| word.eq_ignore_ascii_case("bearer "));
        if bearer && begins(text, at) {
            let from = at + 7 + (text[at + 7..].len() - text[at + 7..].trim_start().len());
            let class = |c: char| word(c) || matches!(c, '.' | '~' | '+' | '/' | '=');
            let end = text[from..].find(|c| !class(c)).map_or(text.len(), |end| from + end);
            if end - from >= 16 {
                found.push(from..end);
            }
        }
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        let head = text[at..].lines().next().unwrap_or_default();
        if head.contains("PRIVATE KEY") {
            let last = text[at..].find("-----END ").map(|end| at + end + 9);
            let end = last.map_or(text.len(), |from| {
                text[from..].find("-----").map_or(text.len(), |end| from + end + 5)
            });
            found.push(at..end);
        }
    }
    found
}

/// The value that an assignment gives, where it looks like one: prose behind a colon does not.
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

//! Email addresses.

use std::ops::Range;

/// `name@domain.tld`, also with `%40` for `@`, and with a quoted name. The last part of the domain has no digit, so
/// `package@1.2.3` does not match.
pub(super) fn email(text: &str) -> Vec<Range<usize>> {
    let signs = text.match_indices('@').chain(text.match_indices("%40"));
    signs
        .filter_map(|(at, sign)| {
            let local = |c: char| c.is_alphanumeric() || "._%+-'!#$&*/=?^`{|}~".contains(c);
            // A quoted name can contain anything.
            let quoted = text[..at].strip_suffix('"').and_then(|name| {
                let open = name.char_indices().rev().take(64).find(|(_, c)| matches!(c, '"' | '\n'))?;
                (open.1 == '"' && open.0 + 1 < name.len()).then_some(open.0)
            });
            let before = text[..at].char_indices().rev().take(64).take_while(|(_, c)| local(*c));
            let start = quoted.or_else(|| before.last().map(|(start, _)| start))?;
            let name = &text[start..at];
            let start =
                start + name.len() - name.trim_start_matches(['.', '\'', '`', '*', '/', '{', '|']).len();
            let from = at + sign.len();
            let host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
            let end = text[from..].find(|c| !host(c)).map_or(text.len(), |end| from + end);
            let domain = text[from..end].trim_end_matches(['.', '-']);
            let domain = well_formed(domain)?;
            (start < at).then(|| start..from + domain.len())
        })
        .collect()
}

/// The longest prefix that is a domain.
fn well_formed(domain: &str) -> Option<&str> {
    let mut labels: Vec<&str> = domain.split('.').collect();
    if let Some(empty) = labels.iter().position(|label| label.is_empty()) {
        labels.truncate(empty);
    }
    while labels.len() >= 2 {
        let last = labels[labels.len() - 1];
        let word = last.chars().all(char::is_alphabetic) && last.chars().count() >= 2;
        if word || last.starts_with("xn--") {
            let length = labels.iter().map(|label| label.len() + 1).sum::<usize>() - 1;
            return Some(&domain[..length]);
        }
        labels.pop();
    }
    None
}

//! Network addresses.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::credential::begins;
use super::number::{ends, starts};

/// Four numbers up to 255 separated by points, with no point before or after.
pub(super) fn ipv4(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(|c: char| c.is_ascii_digit()).filter(|(at, _)| starts(text, *at)) {
        let end =
            text[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |end| at + end);
        let address = text[at..end].trim_end_matches('.');
        if address.parse::<Ipv4Addr>().is_ok() && ends(text, at + address.len()) {
            found.push(at..at + address.len());
        }
    }
    found
}

/// Runs of hexadecimal digits and these signs that are not part of a word.
fn runs<'t>(text: &'t str, signs: &'static str) -> impl Iterator<Item = Range<usize>> + 't {
    let of = move |c: char| c.is_ascii_hexdigit() || signs.contains(c);
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(of)?;
        let end = text[start..].find(|c| !of(c)).map_or(text.len(), |end| start + end);
        from = end;
        Some(start..end)
    })
    .filter(|run| {
        begins(text, run.start) && !text[run.end..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

/// Global and private addresses with a first group of four digits; `a::b` is a name in code.
pub(super) fn ipv6(text: &str) -> Vec<Range<usize>> {
    let address = |run: Range<usize>| {
        let said = text[run.clone()].trim_end_matches(['.', ':']);
        let group = said.find(':')?;
        let known = said.starts_with(['2', '3', 'f', 'F']) && group == 4;
        (known && said.parse::<Ipv6Addr>().is_ok()).then(|| run.start..run.start + said.len())
    };
    runs(text, ":.").filter_map(address).collect()
}

/// Six pairs of hexadecimal digits with colons or hyphens, or three groups of four with points.
pub(super) fn mac(text: &str) -> Vec<Range<usize>> {
    let of = |said: &str, sign: char, count: usize, size: usize| {
        said.split(sign).count() == count
            && said.split(sign).all(|part| part.len() == size && part.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let address = |run: Range<usize>| {
        let said = text[run.clone()].trim_end_matches(['.', ':', '-']);
        let mac = of(said, ':', 6, 2) || of(said, '-', 6, 2) || of(said, '.', 3, 4);
        let letters = said.contains(|c: char| c.is_ascii_alphabetic()) || said.contains(':');
        (mac && letters).then(|| run.start..run.start + said.len())
    };
    runs(text, ":.-").filter_map(address).collect()
}

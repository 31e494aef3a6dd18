//! Ids of cases that come from elsewhere.

use std::collections::BTreeSet;

/// A description as an id: small letters and digits with dashes between, at most 60 characters.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let cut: String = out.chars().take(60).collect();
    cut.trim_end_matches('-').to_owned()
}

/// An id that no other has; a number behind it tells it from the first.
pub(super) fn unique(id: String, known: &mut BTreeSet<String>) -> String {
    let mut id = id;
    let first = id.clone();
    let mut number = 2;
    while !known.insert(id.clone()) {
        id = format!("{first}-{number}");
        number += 1;
    }
    id
}

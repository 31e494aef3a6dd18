//! Ids of imported cases.

use std::collections::BTreeSet;

/// A description as an id: lowercase letters and digits, joined by dashes, at most 60 characters.
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

/// A unique id; a numeric suffix is added if needed.
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

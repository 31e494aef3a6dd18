//! The place of a result: the address of its file, its region, the hash of its line.
//!
//! Columns are Unicode code points, as in [`Location`]; the log declares it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_sarif::sarif;

use crate::source::{Location, SourceFile};

use super::line_hash;

/// A file, relative to the repository, as a URI reference.
///
/// Never absolute: a leading `/` or a drive would make GitHub drop the result.
pub(in crate::report) fn uri(file: &str) -> String {
    let mut out = String::with_capacity(file.len());
    for byte in file.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

/// From the location (column 0 is the first word) to the end of its line; one character if the line is unknown.
fn region(location: &Location, source: Option<&SourceFile>) -> sarif::Region {
    let line = location.line.max(1);
    let width = source.map_or(0, |source| source.line(line).trim_end().chars().count());
    let width = i64::try_from(width).unwrap_or(i64::MAX - 1);
    let start = source.filter(|_| location.column == 0).map(|source| source.line(line));
    let indent = start.map_or(0, |line| line.chars().take_while(|c| c.is_whitespace()).count());
    let column = i64::from(location.column.max(1)) + i64::try_from(indent).unwrap_or_default();
    let column = if source.is_some() && column > width { 1 } else { column };
    sarif::Region::builder()
        .start_line(i64::from(line))
        .start_column(column)
        .end_line(i64::from(line))
        .end_column((width + 1).max(column + 1))
        .build()
}

/// The place in SARIF.
pub(super) fn sarif(location: &Location, source: Option<&SourceFile>) -> sarif::Location {
    let artifact = sarif::ArtifactLocation::builder().uri(uri(&location.file)).build();
    let physical = sarif::PhysicalLocation::builder()
        .artifact_location(artifact)
        .region(region(location, source))
        .build();
    sarif::Location::builder().physical_location(physical).build()
}

/// The line hashes of many places; each file is read once.
pub(super) struct Hashes<'a> {
    of_file: BTreeMap<&'a str, BTreeMap<u32, String>>,
}

impl<'a> Hashes<'a> {
    pub(super) fn of(
        places: impl Iterator<Item = &'a Location>,
        source: impl Fn(&str) -> Option<&'a SourceFile>,
    ) -> Self {
        let mut lines: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for place in places {
            lines.entry(&place.file).or_default().insert(place.line.max(1));
        }
        let hashed = |(file, lines)| Some((file, line_hash::of_lines(source(file)?.text(), &lines)));
        Self { of_file: lines.into_iter().filter_map(hashed).collect() }
    }

    pub(super) fn get(&self, place: &Location) -> Option<&str> {
        self.of_file.get(place.file.as_str())?.get(&place.line.max(1)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_and_encoded() {
        assert_eq!(uri("evals/größe & co.yaml"), "evals/gr%C3%B6%C3%9Fe%20%26%20co.yaml");
        assert_eq!(uri("/etc/x#1?.yaml"), "etc/x%231%3F.yaml");
        assert_eq!(uri("C:/a.yaml"), "C%3A/a.yaml");
        assert_eq!(uri("../a%20b.yaml"), "../a%2520b.yaml");
        assert_eq!(uri(""), ".");
    }

    #[test]
    fn a_region_is_the_rest_of_its_line() {
        let file = SourceFile::from_text("a", "cases:\n  - id: größe  \n");
        let shown = |line, column, source| {
            let region = region(&Location { file: "a".into(), line, column }, source);
            let fields = [region.start_line, region.start_column, region.end_line, region.end_column];
            fields.map(Option::unwrap)
        };
        assert_eq!(shown(2, 5, Some(&file)), [2, 5, 2, 14]);
        assert_eq!(shown(2, 99, Some(&file)), [2, 1, 2, 14]);
        assert_eq!(shown(0, 0, Some(&file)), [1, 1, 1, 7]);
        assert_eq!(shown(9, 3, Some(&file)), [9, 1, 9, 2]);
        assert_eq!(shown(9, 3, None), [9, 3, 9, 4]);
    }
}

//! Collects what could not be imported as it was, each part once, and counts the assertions that could.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Excerpt;
use crate::source::{Diagnostic, Diagnostics, Span};

/// A place: file, line, column.
type Spot = (String, u32, u32);

/// Findings and counts of an import.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Diagnostics,
    seen: BTreeSet<(Spot, String)>,
    assertions: BTreeMap<Spot, bool>,
}

impl Findings {
    /// Reports something that has no counterpart.
    pub(super) fn lost(&mut self, part: &Excerpt, span: Span, message: String, instead: &str) {
        let finding = Diagnostic::error("not-imported", &part.file, span, message).help(instead);
        self.add(finding.warn());
    }

    /// Reports something whose counterpart differs.
    pub(super) fn differs(&mut self, part: &Excerpt, span: Span, message: String) {
        let finding = Diagnostic::error("imported-differently", &part.file, span, message);
        self.add(finding.warn());
    }

    fn add(&mut self, finding: Diagnostic) {
        let place = (finding.file.shown().to_owned(), finding.span.line, finding.span.column);
        if self.seen.insert((place, finding.message.clone())) {
            self.found.push(finding);
        }
    }

    /// Counts an assertion; one that several cases use counts as mapped only if it is mapped in all of them.
    pub(super) fn count(&mut self, part: &Excerpt, mapped: bool) {
        let place = (part.file.shown().to_owned(), part.node.span.line, part.node.span.column);
        let known = self.assertions.entry(place).or_insert(true);
        *known &= mapped;
    }

    /// How many assertions there are, and how many are mapped.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.assertions.len(), self.assertions.values().filter(|mapped| **mapped).count())
    }

    /// The findings, in the order of lines.
    pub(super) fn into_diagnostics(mut self) -> Diagnostics {
        self.found.sort();
        self.found
    }
}

/// A place, for display.
pub(super) fn place(part: &Excerpt) -> String {
    format!("{}:{}:{}", part.file.shown(), part.node.span.line, part.node.span.column)
}

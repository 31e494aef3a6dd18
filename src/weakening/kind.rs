//! The kinds of weakening, and the list that they are collected in.

use crate::gate::Weakening;
use crate::source::{Location, SourceFile, Span};
use crate::text;
pub(super) use crate::vocabulary::WeakeningKind as Kind;

/// One way in which a part of a file demands less, still without its file.
#[derive(Clone, Debug)]
pub(super) struct Flag {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) message: String,
}

impl Flag {
    pub(super) fn new(kind: Kind, span: Span, message: String) -> Self {
        Self { kind, span, message }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Weakening>);

impl Log {
    pub(super) fn add(&mut self, kind: Kind, location: Location, message: &str) {
        // A place that is not known is the file's first line: every report can show that.
        let location = Location { line: location.line.max(1), column: location.column.max(1), ..location };
        let message = text::excerpt(message, 400);
        self.0.push(Weakening { kind, of: String::new(), message, location });
    }

    /// Something at a place of a file.
    pub(super) fn at(&mut self, kind: Kind, file: &SourceFile, span: Span, message: &str) {
        self.add(kind, file.location(span), message);
    }

    /// Everything, by file and line, each once.
    pub(super) fn close(mut self) -> Vec<Weakening> {
        self.0.sort_by(|a, b| (&a.location, &a.kind, &a.message).cmp(&(&b.location, &b.kind, &b.message)));
        self.0.dedup();
        self.0
    }
}

//! The list that weakenings are collected in.

use crate::gate::Weakening;
use crate::source::{Location, SourceFile, Span};
use crate::text;
use crate::vocabulary::{WeakeningKind, Weaker};

use super::Document;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Weakening>);

impl Log {
    /// What demands less is `of`: a case, a key, a file.
    pub(super) fn add(&mut self, kind: WeakeningKind, of: &str, location: Location, message: &str) {
        // A place that is not known is the file's first line: every report can show that.
        let location = Location { line: location.line.max(1), column: location.column.max(1), ..location };
        let (of, message) = (of.to_owned(), text::excerpt(message, 400));
        self.0.push(Weakening { kind, of, message, location });
    }

    /// Something about a file as a whole.
    pub(super) fn file(&mut self, kind: WeakeningKind, file: &str, message: &str) {
        self.add(kind, file, Location { file: file.to_owned(), line: 1, column: 1 }, message);
    }

    /// Something at a place of a file.
    pub(super) fn at(&mut self, kind: WeakeningKind, of: &str, file: &SourceFile, span: Span, message: &str) {
        self.add(kind, of, file.location(span), message);
    }

    /// Something behind keys of a file; the keys are what demands less.
    pub(super) fn key(&mut self, document: &Document, weaker: &Weaker) {
        let Weaker { kind, keys, message } = weaker;
        self.at(kind.clone(), &keys.join("."), &document.file, document.node.place(keys), message);
    }

    /// Everything, by file and line, each once.
    pub(super) fn close(mut self) -> Vec<Weakening> {
        self.0.sort_by(|a, b| (&a.location, &a.kind, &a.message).cmp(&(&b.location, &b.kind, &b.message)));
        self.0.dedup();
        self.0
    }
}

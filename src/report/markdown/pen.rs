//! How untrusted text is written: so that it has no effect, and, on a page with many readers, without secrets and
//! personal data.

use crate::redact::{Kind, Redactor};
use crate::report::view::View;
use crate::text::markdown;

/// Writes untrusted text.
#[derive(Debug, Default)]
pub(super) struct Pen {
    /// What is removed, if anything is.
    redactor: Option<Redactor>,
    /// The values in strings that are quoted and that an excerpt may have cut, each with its marker.
    quoted: Vec<(String, String)>,
}

impl Pen {
    /// A pen for a page that more people read than the run was meant for.
    pub(super) fn posted() -> Self {
        Self { redactor: Some(Redactor::new(Kind::never_posted(), Vec::new())), quoted: Vec::new() }
    }

    /// This pen, prepared for text that quotes a case or its earlier answer.
    pub(super) fn quoting(&self, view: &View<'_>, before: Option<&str>) -> Self {
        let Some(redactor) = &self.redactor else { return Self::default() };
        let mut sources = vec![view.asked, view.title];
        sources.extend(view.trial.answer.into_iter().chain(before));
        let verdicts = view.trial.verdicts.iter();
        sources.extend(verdicts.flat_map(|one| [one.verdict.expected.as_str(), one.verdict.got.as_str()]));
        let quoted = redactor.quoted(&sources).unwrap_or_default();
        Self { redactor: Some(redactor.clone()), quoted }
    }

    /// The text without the values that are removed; it may still contain markup.
    pub(super) fn shown(&self, text: &str) -> String {
        self.redactor.as_ref().map_or_else(|| text.to_owned(), |one| one.without(text, &self.quoted))
    }

    /// The text on one line, with at most this many characters.
    pub(super) fn inline(&self, text: &str, most: usize) -> String {
        markdown::inline(&self.shown(text), most)
    }

    /// Like [`Pen::inline`], but as code.
    pub(super) fn code(&self, text: &str, most: usize) -> String {
        markdown::code(&self.shown(text), most)
    }
}

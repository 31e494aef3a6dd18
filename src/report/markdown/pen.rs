//! How text of others is written: without any effect of its own, and on a page for many eyes without its values.

use crate::redact::{Kind, Redactor};
use crate::report::view::View;
use crate::text::markdown;

/// Writes text of others.
#[derive(Debug, Default)]
pub(super) struct Pen {
    /// What is removed, if anything is.
    redactor: Option<Redactor>,
    /// The values of what is quoted, which an excerpt may have cut; each with its marker.
    quoted: Vec<(String, String)>,
}

impl Pen {
    /// For a page that more people read than the run was for.
    pub(super) fn posted() -> Self {
        Self { redactor: Some(Redactor::new(Kind::never_posted(), Vec::new())), quoted: Vec::new() }
    }

    /// The same for what is said of a case, and of its earlier answer.
    pub(super) fn quoting(&self, view: &View<'_>, before: Option<&str>) -> Self {
        let Some(redactor) = &self.redactor else { return Self::default() };
        let mut sources = vec![view.asked, view.title];
        sources.extend(view.trial.answer.into_iter().chain(before));
        let verdicts = view.trial.verdicts.iter();
        sources.extend(verdicts.flat_map(|one| [one.verdict.expected.as_str(), one.verdict.got.as_str()]));
        let quoted = redactor.quoted(&sources).unwrap_or_default();
        Self { redactor: Some(redactor.clone()), quoted }
    }

    /// The text without what is removed, as hostile as it was.
    pub(super) fn shown(&self, text: &str) -> String {
        self.redactor.as_ref().map_or_else(|| text.to_owned(), |one| one.without(text, &self.quoted))
    }

    /// At most this many characters on one line.
    pub(super) fn inline(&self, text: &str, most: usize) -> String {
        markdown::inline(&self.shown(text), most)
    }

    /// The same in the typeface of code.
    pub(super) fn code(&self, text: &str, most: usize) -> String {
        markdown::code(&self.shown(text), most)
    }
}

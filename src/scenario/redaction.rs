//! The `redaction:` section of a scenario, a case or a configuration.

use std::sync::Arc;

use crate::expectation::pattern::{Pattern, PatternError, Patterns};
use crate::redact::{Cover, Find, Kind, Redaction, RedactionChoice, Redactor};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Shape, SourceFile};
use crate::text;
use strum::VariantNames as _;

/// Its keys.
pub const REDACTION: &[Field] = &[
    Field::optional("enabled", Shape::Bool, "Whether personal data is removed (true)."),
    Field::optional("patterns", Shape::Texts, "Names of built-in patterns, or regular expressions."),
    Field::optional("redactPrompts", Shape::Bool, "Whether prompts are redacted (true)."),
    Field::optional("redactResponses", Shape::Bool, "Whether answers are redacted (true)."),
    Field::optional("redactMetadata", Shape::Bool, "Has no effect: akit stores no metadata."),
    Field::optional(
        "replacement",
        Shape::Text,
        "Text that replaces a removed value in reports; a judge always sees a marker.",
    ),
];

/// Reads the section of a file or a case; reports patterns that cannot be used.
#[must_use]
pub fn redaction(
    fields: &Fields<'_>,
    file: &Arc<SourceFile>,
    patterns: &Patterns,
    found: &mut Diagnostics,
) -> RedactionChoice {
    let Some(section) = fields.object("redaction") else { return RedactionChoice::Unsaid };
    let mut kinds = Vec::new();
    let mut own: Vec<Arc<dyn Find>> = Vec::new();
    let written = section.texts("patterns").unwrap_or_default();
    for (written, span) in &written {
        if let Some(kind) = Kind::named(written) {
            kinds.push(kind);
            continue;
        }
        match patterns.compile(written, "") {
            Ok(pattern) => {
                if let Some((message, help)) = doubt(written) {
                    let finding = Diagnostic::error("unknown-pattern", file, *span, message);
                    found.push(finding.help(help).warn());
                }
                own.push(Arc::new(pattern));
            }
            Err(error) => {
                let message = format!("invalid pattern: {}", error.message);
                found.push(Diagnostic::error("invalid-regex", file, *span, message).help(error.help));
            }
        }
    }
    if written.is_empty() {
        kinds.extend(Kind::usual());
    }
    let covers = |name| section.bool(name).unwrap_or(true);
    let cover = match (covers("enabled"), covers("redactPrompts"), covers("redactResponses")) {
        (true, true, true) => Cover::Both,
        (true, true, false) => Cover::Prompts,
        (true, false, true) => Cover::Replies,
        (false, _, _) | (true, false, false) => return RedactionChoice::Off,
    };
    let replacement = section.string("replacement");
    if let (Some(""), Some(span)) = (replacement.as_deref(), section.key_span("replacement")) {
        let message = "`replacement` is empty, which would hide that something was removed".to_owned();
        let finding = Diagnostic::error("wrong-value", file, span, message);
        found.push(finding.help("set it to text such as `[removed]`, or remove the key"));
    }
    RedactionChoice::On(Arc::new(Redaction { redactor: Redactor::new(kinds, own), cover, replacement }))
}

/// The built-in pattern that a regular expression nearly names, as a message and help.
fn doubt(written: &str) -> Option<(String, String)> {
    let near = text::nearest(written, Kind::VARIANTS)?;
    let shown = text::excerpt(written, 60);
    let message = format!("`{shown}` is not a built-in pattern, so it is used as a regular expression");
    Some((message, format!("did you mean `{near}`?")))
}

/// Redaction patterns from the command line, with warnings about them and help for each.
///
/// Each is the name of a built-in kind, several names joined by commas, or one regular expression: if any part is not a
/// name, the commas belong to the expression.
///
/// # Errors
/// The first invalid regular expression.
pub fn redactor(written: &[String]) -> Result<(Redactor, Vec<(String, String)>), PatternError> {
    let (mut kinds, mut own, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
    for written in written {
        let named: Option<Vec<Kind>> = written.split(',').map(|name| Kind::named(name.trim())).collect();
        if let Some(named) = named {
            kinds.extend(named);
            continue;
        }
        own.push(Arc::new(Pattern::compile(written, "")?) as Arc<dyn Find>);
        doubts.extend(doubt(written));
    }
    Ok((Redactor::new(kinds, own), doubts))
}

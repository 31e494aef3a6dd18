//! The diagnostics of `akit validate` as findings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::report::RenderError;
use crate::source::{Diagnostics, Severity, SourceFile};

use super::{Alert, Level, Log, Profile, Rule};

/// The diagnostics with rules `akit/validate/<code>`; `akit` is the version that found them.
///
/// # Errors
/// The JSON could not be written.
pub fn of_diagnostics(found: &Diagnostics, akit: &str) -> Result<String, RenderError> {
    let sources: BTreeMap<&str, &Arc<SourceFile>> =
        found.iter().map(|one| (one.file.name(), &one.file)).collect();
    let findings = found
        .iter()
        .map(|one| {
            let rule = Rule::Validate(one.code.to_owned());
            let level = match one.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            };
            let message = match one.help.as_str() {
                "" => one.message.clone(),
                help => format!("{} — {help}", crate::text::excerpt(&one.message, 600)),
            };
            let line = one.file.line(one.span.line).trim().to_owned();
            let identity = [one.file.name().to_owned(), line, rule.id()];
            let location = one.location();
            Alert {
                rule,
                level,
                message,
                location,
                identity,
                state: None,
                excuse: String::new(),
                related: None,
                flow: Vec::new(),
            }
        })
        .collect();
    let log = Log {
        version: akit.to_owned(),
        category: "akit/validate/".to_owned(),
        findings,
        troubles: Vec::new(),
        successful: true,
        ended: None,
        profile: Profile::GitHub,
    };
    crate::report::text(|out| log.write(|file| sources.get(file).map(AsRef::as_ref), out))
}

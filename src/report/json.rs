//! The run and the decision as data, for programs.
//!
//! A report is the manifest with `counts` and `decision` behind its own fields, so whatever reads a
//! manifest reads a report. Nothing is cut or escaped beyond what JSON asks for.

use serde::Serialize;

use crate::gate::Decision;
use crate::manifest::{Counts, RunManifest};
use crate::source::{Diagnostics, Location, Severity};

use super::{RenderError, Report};

/// The name and version of the wire form of diagnostics.
pub const VALIDATE_SCHEMA: &str = "akit.validate/1";

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    run: &'a RunManifest,
    counts: Counts,
    decision: &'a Decision,
}

#[derive(Serialize)]
struct Validation<'a> {
    schema: &'static str,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: &'a str,
    location: Location,
}

/// The run and the decision.
///
/// # Errors
/// Never for a report that was read or made by akit.
pub fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    pretty(&Document { run: report.run, counts: report.decision.counts, decision: report.decision })
}

/// What `akit validate` found; line 0 means the file as a whole.
///
/// # Errors
/// None is known.
pub fn of_diagnostics(found: &Diagnostics) -> Result<String, RenderError> {
    let diagnostics = found
        .iter()
        .map(|one| Finding {
            code: one.code,
            severity: match one.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &one.message,
            help: &one.help,
            location: one.location(),
        })
        .collect();
    pretty(&Validation {
        schema: VALIDATE_SCHEMA,
        errors: found.errors(),
        warnings: found.warnings(),
        diagnostics,
    })
}

/// Indented, with a line end.
pub(super) fn pretty(value: &impl Serialize) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use crate::report::fixture::{Fixture, diagnostics};

    use super::*;

    #[test]
    fn a_report_reads_back_as_a_manifest() {
        let fixture = Fixture::new();
        let text = of_report(&fixture.report()).unwrap();
        assert!(text.starts_with("{\n  \"schema\": \"akit.run/1\",\n") && text.ends_with("}\n"));
        let run: RunManifest = serde_json::from_str(&text).unwrap();
        assert_eq!(run, fixture.run);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let decision: Decision = serde_json::from_value(value["decision"].clone()).unwrap();
        assert_eq!(decision, fixture.decision);
        assert_eq!(value["counts"]["failed"], decision.counts.failed);
    }

    #[test]
    fn diagnostics_are_data() {
        let (found, _) = diagnostics();
        insta::assert_snapshot!(of_diagnostics(&found).unwrap());
    }
}

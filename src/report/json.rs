//! The run and the decision as data, for programs.
//!
//! A report is the manifest followed by `counts` and `decision`, so a reader of manifests can read reports. Nothing is
//! cut or escaped beyond what JSON requires.

use std::io::Write;

use serde::Serialize;

use crate::gate::Decision;
use crate::manifest::{Counts, RunManifest};
use crate::source::{Diagnostics, Location, Severity};

use super::{RenderError, Report};

/// The name and version of the format of diagnostics.
pub const VALIDATE_SCHEMA: &str = "akit.validate/1";

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    #[serde(flatten)]
    run: &'a RunManifest,
    counts: Counts,
    decision: &'a Decision,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Validation<'a> {
    schema: &'static str,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<DiagnosticEntry<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DiagnosticEntry<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: &'a str,
    location: Location,
}

/// The run and the decision.
///
/// # Errors
/// If it cannot be written.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<(), RenderError> {
    let document = Document { run: report.run, counts: report.decision.counts, decision: report.decision };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(out.write_all(b"\n")?)
}

/// The diagnostics of `akit validate`; line 0 means the whole file.
///
/// # Errors
/// The JSON could not be written.
pub fn of_diagnostics(found: &Diagnostics) -> Result<String, RenderError> {
    let diagnostics = found
        .iter()
        .map(|one| DiagnosticEntry {
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

/// Indented, ending with a line feed.
pub fn pretty(value: &impl Serialize) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::report::fixture::{Fixture, diagnostics};

    use super::*;

    fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
        crate::report::text(|out| write(report, out))
    }

    #[test]
    fn a_report_reads_back_as_a_manifest() {
        let fixture = Fixture::new();
        let text = of_report(&fixture.report()).unwrap();
        assert!(text.starts_with("{\n  \"schema\": \"akit.run/2\",\n") && text.ends_with("}\n"));
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

    /// Checks that a committed schema matches its types; `AKIT_BLESS=1` rewrites it.
    pub(crate) fn committed<T: schemars::JsonSchema>(name: &str) -> jsonschema::Validator {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
        let schema = schemars::schema_for!(T);
        let text = pretty(&schema).unwrap();
        if std::env::var_os("AKIT_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "docs/schema/{name} is out of date: run `AKIT_BLESS=1 cargo test`");
        jsonschema::draft202012::new(schema.as_value()).unwrap()
    }

    #[test]
    fn output_matches_the_committed_schemas() {
        let run = committed::<Document<'_>>("run.json");
        let written = serde_json::from_str(&of_report(&Fixture::new().report()).unwrap()).unwrap();
        assert_eq!(run.iter_errors(&written).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
        let validation = committed::<Validation<'_>>("validate.json");
        let written = serde_json::from_str(&of_diagnostics(&diagnostics().0).unwrap()).unwrap();
        assert!(validation.is_valid(&written) && !run.is_valid(&written));
        let baseline = committed::<crate::baseline::Baseline>("baseline.json");
        let stored = include_str!("../../fixtures/baseline.json");
        assert!(baseline.is_valid(&serde_json::from_str(stored).unwrap()));
        committed::<crate::analysis::compare::Comparison<'_>>("compare.json");
        let history = committed::<crate::analysis::Trend>("history.json");
        let trend = serde_json::to_value(crate::analysis::Trend::of([])).unwrap();
        assert!(history.is_valid(&trend) && !history.is_valid(&written));
        // The output of `akit calibrate` is checked against this one in its own tests.
        let calibration = committed::<crate::grader::calibration::Calibration>("calibration.json");
        assert!(!calibration.is_valid(&serde_json::from_str(stored).unwrap()));
        // So are the plan and the attribution.
        assert!(!committed::<crate::analysis::Outlook>("plan.json").is_valid(&written));
        assert!(!committed::<crate::analysis::Attribution>("regrade.json").is_valid(&written));
    }
}

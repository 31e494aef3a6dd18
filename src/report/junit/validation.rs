//! The diagnostics of `akit validate`, with one testcase per file.

use std::fmt::Write as _;
use std::sync::Arc;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::report::RenderError;
use crate::source::{Diagnostic, Diagnostics, Severity, SourceFile};
use crate::text::{self, xml};

use super::{MESSAGE, TEXT};

/// Every file that was read, failing with all its errors; a file with only warnings passes.
///
/// # Errors
/// The XML could not be written.
pub fn of_diagnostics(found: &Diagnostics, files: &[Arc<SourceFile>]) -> Result<String, RenderError> {
    let mut names: Vec<&str> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for name in files.iter().map(|file| file.name()).chain(found.iter().map(|one| one.file.name())) {
        if seen.insert(name) {
            names.push(name);
        }
    }
    let mut of_file: std::collections::BTreeMap<&str, Vec<&Diagnostic>> = std::collections::BTreeMap::new();
    for one in found.iter() {
        of_file.entry(one.file.name()).or_default().push(one);
    }
    let mut suite = TestSuite::new("akit validate");
    for name in names {
        let diagnostics = of_file.get(name).map(Vec::as_slice).unwrap_or_default();
        suite.add_test_case(testcase(name, diagnostics));
    }
    let mut out = quick_junit::Report::new("akit");
    out.add_test_suite(suite);
    Ok(out.to_string()?)
}

fn testcase(name: &str, found: &[&Diagnostic]) -> TestCase {
    let errors: Vec<_> = found.iter().filter(|one| one.severity == Severity::Error).collect();
    let status = match errors.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let message = match errors.len() {
                1 => first.message.clone(),
                n => format!("{}: {}", text::count(n, "error"), first.message),
            };
            let mut body = format!("{}\n", text::cut(&message, 4096));
            for one in found {
                describe(&mut body, one);
            }
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(xml::attribute(&message, MESSAGE))
                .set_type("akit.validate")
                .set_description(xml::short_body(&body, TEXT));
            status
        }
    };
    let mut case = TestCase::new(xml::attribute(name, 4_000), status);
    case.set_classname("akit.validate");
    let mut place = errors.first().map(|one| one.location()).unwrap_or_default();
    name.clone_into(&mut place.file);
    super::place(&mut case, &place);
    case
}

fn describe(body: &mut String, one: &Diagnostic) {
    let severity = match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // Writing to a String cannot fail.
    let _ =
        writeln!(body, "\n{}: {severity}[{}]: {}", one.location(), one.code, text::cut(&one.message, 4096));
    if !one.help.is_empty() {
        let _ = writeln!(body, "help: {}", text::cut(&one.help, 4096));
    }
}

//! One file per format; each renders the same [`Report`] and decides nothing.
//!
//! Every format treats text from a model as hostile. Cases are in the order of the run, counts come from the decision,
//! and no format reads a file, a clock or the environment.

pub mod annotation;
pub mod calibration;
mod calls;
pub mod code_quality;
pub mod compare;
pub mod console;
mod detail;
pub mod dotenv;
mod entry;
pub mod html;
pub mod json;
pub mod junit;
mod links;
pub mod markdown;
pub mod open_metrics;
mod past;
pub mod plan;
pub mod regrade;
pub mod sarif;
pub mod stress;
mod table;
mod talk;
pub mod trend;
mod view;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use strum::{EnumIter, IntoStaticStr};

use crate::gate::Decision;
use crate::manifest::RunManifest;
use crate::source::{Ink, SourceFile};

use entry::Entry;
pub use links::{Links, REPOSITORY};
pub use past::Past;

/// Everything that a format may show.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The run.
    pub run: &'a RunManifest,
    /// The decision.
    pub decision: &'a Decision,
    /// The scenario files by their names in locations; a report of a stored run may lack some.
    pub sources: &'a BTreeMap<String, Arc<SourceFile>>,
    /// Earlier runs; empty if none is given.
    pub past: &'a Past,
    /// Where the pipeline shows the run, its files and its page.
    pub links: &'a Links,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    /// For people, at a terminal or in a log.
    Console,
    /// The run and the decision as data.
    Json,
    /// JUnit XML, as GitLab, Jenkins and GitHub actions read it.
    Junit,
    /// SARIF 2.1.0, as GitHub code scanning reads it.
    Sarif,
    /// SARIF 2.1.0 with baseline states, for readers that know `baselineState` and suppressions.
    SarifFull,
    /// A pull-request comment or a step summary.
    Markdown,
    /// A single page that opens from disk.
    Html,
    /// GitLab's code quality report.
    CodeQuality,
    /// `OpenMetrics` text, as GitLab and Prometheus read it.
    OpenMetrics,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// JSON or SARIF.
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// JUnit.
    #[error("the report cannot be written as JUnit XML")]
    Junit(#[from] quick_junit::SerializeError),
    /// HTML.
    #[error("the report cannot be written as HTML")]
    Html(#[from] minijinja::Error),
    /// The output cannot be written.
    #[error("the report cannot be written")]
    Write(#[from] io::Error),
}

impl Format {
    /// Its name in options and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Help of the flag `--WORD FILE`; `None` for formats without a flag.
    #[must_use]
    pub fn help(self) -> Option<&'static str> {
        match self {
            Format::Console | Format::SarifFull => None,
            Format::Json => Some("Store the run as JSON (`-` for stdout)"),
            Format::Junit => Some("Write JUnit XML"),
            Format::Sarif => Some("Write SARIF"),
            Format::Markdown => Some("Write Markdown"),
            Format::Html => Some("Write a self-contained HTML page"),
            Format::CodeQuality => Some("Write a GitLab code quality report"),
            Format::OpenMetrics => Some("Write metrics for GitLab and Prometheus"),
        }
    }

    /// Writes the whole report, ending with a line feed. What grows with the number of cases is written case by case.
    /// Only the console uses the ink.
    ///
    /// # Errors
    /// If it cannot be written or serialized; no content of a report is known to cause that.
    pub fn write(self, report: &Report<'_>, ink: Ink, out: &mut dyn Write) -> Result<(), RenderError> {
        let text = match self {
            Format::Json => return json::write(report, out),
            Format::Junit => return junit::write(report, out),
            Format::Html => return html::write(report, out),
            Format::Sarif => return sarif::write(report, out),
            Format::SarifFull => return sarif::write_full(report, out),
            Format::Console => console::of_report(report, ink),
            Format::Markdown => markdown::of_report(report),
            Format::CodeQuality => code_quality::of_report(report)?,
            Format::OpenMetrics => open_metrics::of_report(report),
        };
        Ok(out.write_all(text.as_bytes())?)
    }
}

#[cfg(test)]
impl Format {
    /// The whole report as text.
    pub fn render(self, report: &Report<'_>, ink: Ink) -> Result<String, RenderError> {
        text(|out| self.write(report, ink, out))
    }
}

/// What `write` writes, as a string.
fn text(write: impl FnOnce(&mut dyn Write) -> Result<(), RenderError>) -> Result<String, RenderError> {
    let mut out = Vec::new();
    write(&mut out)?;
    Ok(String::from_utf8(out).map_err(io::Error::other)?)
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod inert_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

//! Files that a command leaves behind: claimed before any work is paid for, written whole at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Status, terminal};
use crate::report::{Format, Report};
use crate::source::{Ink, Pending, slashed};

/// Which reports are written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportArgs {
    /// Store the run as JSON; `-` is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write SARIF
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write one HTML page that opens from disk
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Claimed reports with their formats.
pub(super) type Outputs = Vec<(Output, Format)>;

impl ReportArgs {
    /// Claims the places of all reports, none of which may replace an input.
    pub(super) fn open(&self, inputs: &[&Path]) -> Result<Outputs, Status> {
        let formats = [Format::Json, Format::Junit, Format::Sarif, Format::Markdown, Format::Html];
        let paths = [&self.json, &self.junit, &self.sarif, &self.markdown, &self.html];
        let outputs = Output::open_all(paths, inputs).map_err(|()| Status::Invalid)?;
        Ok(outputs.into_iter().zip(formats).filter_map(|(output, format)| Some((output?, format))).collect())
    }
}

/// Where a report goes.
#[derive(Debug)]
pub(super) enum Output {
    /// `-`.
    Stdout,
    /// A file.
    File(Pending),
}

impl Output {
    /// Claims the places that were asked for, in order; `None` where none was asked for.
    ///
    /// A report never replaces one of the `inputs`: a slip must not cost the suite.
    /// Tells what stands in the way and answers `Err`.
    pub(super) fn open_all<const N: usize>(
        paths: [&Option<PathBuf>; N],
        inputs: &[&Path],
    ) -> Result<[Option<Self>; N], ()> {
        let mut wrong = false;
        let stdout = paths.iter().filter(|path| path.as_deref() == Some(Path::new("-"))).count();
        if stdout > 1 {
            terminal::error("only one report can go to stdout", "give the others a file");
            wrong = true;
        }
        let inputs: BTreeSet<_> = inputs.iter().filter_map(|path| place(path)).collect();
        let mut taken = BTreeSet::new();
        let outputs = paths.map(|path| {
            let path = path.as_deref()?;
            if path == Path::new("-") {
                return Some(Output::Stdout);
            }
            match Pending::open(path) {
                Ok(_) if place(path).is_some_and(|place| inputs.contains(&place)) => {
                    terminal::error(
                        &format!("`{}` is read here and would be replaced by a report", slashed(path)),
                        "nothing was sent; choose another path",
                    );
                    wrong = true;
                    None
                }
                Ok(_) if place(path).is_some_and(|place| !taken.insert(place)) => {
                    terminal::error(
                        &format!("two reports go to `{}`", slashed(path)),
                        "give each report its own file",
                    );
                    wrong = true;
                    None
                }
                Ok(file) => Some(Output::File(file)),
                Err(error) => {
                    terminal::error(
                        &format!("cannot write `{}`: {}", slashed(path), terminal::system(&error)),
                        "nothing was sent; choose another path or mend the folder",
                    );
                    wrong = true;
                    None
                }
            }
        });
        if wrong { Err(()) } else { Ok(outputs) }
    }

    /// Writes every report, and the console's last.
    pub(super) fn write_all(report: &Report<'_>, outputs: Outputs) {
        let to_stdout = outputs.iter().any(|(output, _)| matches!(output, Output::Stdout));
        let ink = if to_stdout { terminal::stderr_ink() } else { terminal::stdout_ink() };
        let render = |format: Format, ink: Ink| match format.render(report, ink) {
            Ok(text) => Some(text),
            Err(error) => {
                terminal::error(&error.to_string(), "the other reports and the exit status are not touched");
                None
            }
        };
        for (output, format) in outputs {
            if let Some(text) = render(format, Ink::Plain) {
                output.write(&text);
            }
        }
        if let Some(console) = render(Format::Console, ink) {
            if to_stdout { terminal::say(&console) } else { terminal::out(&console) }
        }
    }

    /// Writes a report; tells when it cannot.
    pub(super) fn write(self, text: &str) {
        match self {
            Output::Stdout => terminal::out(text),
            Output::File(file) => {
                let path = slashed(file.path());
                if let Err(error) = file.write(text.as_bytes()) {
                    terminal::error(
                        &format!("could not write `{path}`: {}", terminal::system(&error)),
                        "the exit status still tells the decision",
                    );
                }
            }
        }
    }
}

/// Where a file will stand, whatever path leads there; `None` for a device, which takes several.
fn place(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return path.is_file().then(|| path.canonicalize().ok()).flatten();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

//! Files that a command leaves behind: claimed before any work is paid for, written whole at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::surroundings::Surroundings;
use super::{Status, terminal};
use crate::environment::Environment;
use crate::report::console::{self, Depth, View};
use crate::report::{Format, Report, annotation, dotenv};
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
    /// Write GitLab's code quality report
    #[arg(long, value_name = "FILE")]
    code_quality: Option<PathBuf>,
    /// Write metrics for GitLab and Prometheus
    #[arg(long, value_name = "FILE")]
    open_metrics: Option<PathBuf>,
    /// Write GitLab's annotations: links to the lines of what stands against a pass
    #[arg(long, value_name = "FILE")]
    annotations: Option<PathBuf>,
    /// Write the decision as variables for later jobs
    #[arg(long, value_name = "FILE")]
    dotenv: Option<PathBuf>,
    /// Whom the SARIF is for: `github` shows every result as an open alert, `full` tells what is new, known and gone
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = SarifProfile::Github, hide_possible_values = true)]
    sarif_profile: SarifProfile,
    /// What goes to stdout; the console's words then go to stderr [default: console]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::ALL.map(Format::word)))]
    format: Option<String>,
    /// Show only the reasons against a pass and the result
    #[arg(short, long)]
    quiet: bool,
}

/// Whom a SARIF report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SarifProfile {
    Github,
    Full,
}

/// Claimed reports, and how the console's is shown.
#[derive(Debug)]
pub(super) struct Outputs {
    files: Vec<(Output, Form)>,
    depth: Depth,
    surroundings: Surroundings,
}

/// What is written to a file.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// What the report alone says.
    Format(Format),
    /// Links, which need to know where files are shown.
    Annotations,
    /// Variables, which have the exit status.
    Dotenv,
}

impl Form {
    /// The flag that asks for it, without its hyphens.
    fn flag(self) -> &'static str {
        match self {
            Form::Format(Format::SarifFull) => Format::Sarif.word(),
            Form::Format(format) => format.word(),
            Form::Annotations => "annotations",
            Form::Dotenv => "dotenv",
        }
    }
}

impl Outputs {
    /// The same with links to where the files are shown, and nothing else of the pipeline.
    pub(super) fn linked(mut self, environment: &Environment) -> Self {
        self.surroundings.files = Surroundings::of(environment).files;
        self
    }

    /// The same for the pipeline that akit runs in.
    pub(super) fn within(mut self, environment: &Environment) -> Self {
        self.surroundings = Surroundings::of(environment);
        self
    }
}

impl ReportArgs {
    /// The file that the run is stored in, where it is.
    pub(super) fn stored(&self) -> Option<&Path> {
        self.json.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Claims the places of all reports, none of which may replace an input.
    pub(super) fn open(&self, inputs: &[&Path]) -> Result<Outputs, Status> {
        let sarif = match self.sarif_profile {
            SarifProfile::Github => Format::Sarif,
            SarifProfile::Full => Format::SarifFull,
        };
        let first = Format::ALL.into_iter().find(|format| self.format.as_deref() == Some(format.word()));
        let first = first.filter(|format| *format != Format::Console);
        let stdout = first.map(|_| PathBuf::from("-"));
        let forms = [
            Form::Format(first.unwrap_or(Format::Console)),
            Form::Format(Format::Json),
            Form::Format(Format::Junit),
            Form::Format(sarif),
            Form::Format(Format::Markdown),
            Form::Format(Format::Html),
            Form::Format(Format::CodeQuality),
            Form::Format(Format::OpenMetrics),
            Form::Annotations,
            Form::Dotenv,
        ];
        let paths = [
            &stdout,
            &self.json,
            &self.junit,
            &self.sarif,
            &self.markdown,
            &self.html,
            &self.code_quality,
            &self.open_metrics,
            &self.annotations,
            &self.dotenv,
        ];
        let outputs = Output::open_all(paths, inputs).map_err(|()| Status::Invalid)?;
        let files =
            outputs.into_iter().zip(forms).filter_map(|(output, form)| Some((output?, form))).collect();
        let depth = if self.quiet { Depth::Brief } else { Depth::Full };
        Ok(Outputs { files, depth, surroundings: Surroundings::default() })
    }

    /// Whether there is an HTML page among them.
    pub(super) fn has_page(&self) -> bool {
        self.html.is_some() || self.format.as_deref() == Some(Format::Html.word())
    }

    /// Whether as little as possible is to be shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
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

    /// Writes every report, and the console's last. Answers with the files that were written, each with
    /// the name of its flag.
    pub(super) fn write_all(report: &Report<'_>, outputs: Outputs) -> Vec<(&'static str, String)> {
        let mut written = Vec::new();
        let Outputs { files, depth, surroundings } = outputs;
        let to_stdout = files.iter().any(|(output, _)| matches!(output, Output::Stdout));
        for (output, form) in files {
            let text = match form {
                Form::Format(format) => format.render(report, Ink::Plain),
                Form::Annotations => annotation::links(report, surroundings.files.as_deref()),
                Form::Dotenv => {
                    let status = Status::of(report.decision, report.run.ended);
                    Ok(dotenv::of_report(report, status.code()))
                }
            };
            match text {
                Ok(text) => {
                    let path = output.written(&text);
                    written.extend(path.map(|path| (form.flag(), path)));
                }
                Err(error) => terminal::error(
                    &error.to_string(),
                    "the other reports and the exit status are not touched",
                ),
            }
        }
        let ink = if to_stdout { terminal::stderr_ink() } else { terminal::stdout_ink() };
        let console = console::shown(report, View { ink, fold: surroundings.fold, depth });
        // A pipeline reads its commands from either stream.
        let tell = |text: &str| if to_stdout { terminal::say(text) } else { terminal::out(text) };
        if surroundings.takes_commands {
            tell(&annotation::commands(report));
        }
        tell(&console);
        written
    }

    /// Writes a report; tells when it cannot.
    pub(super) fn write(self, text: &str) {
        let _ = self.written(text);
    }

    /// The same; answers with the path of a file that stands.
    fn written(self, text: &str) -> Option<String> {
        match self {
            Output::Stdout => {
                terminal::out(text);
                None
            }
            Output::File(file) => {
                let path = slashed(file.path());
                if let Err(error) = file.write(text.as_bytes()) {
                    terminal::error(
                        &format!("could not write `{path}`: {}", terminal::system(&error)),
                        "the exit status still tells the decision",
                    );
                    return None;
                }
                Some(path)
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

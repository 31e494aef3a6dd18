//! Output files: their paths are claimed before anything is paid for, and each is written in one piece at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum, value_parser};
use strum::IntoEnumIterator as _;

use super::{Status, terminal};
use crate::environment::Environment;
use crate::publish::site::Site;
use crate::report::console::{self, Depth, Fold, Layout};
use crate::report::{Format, Links, RenderError, Report, annotation, dotenv};
use crate::source::{Ink, Pending, slashed};

/// Which reports are written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportArgs {
    #[command(flatten)]
    files: FormatArgs,
    /// Write GitLab annotations: links to the lines of what blocks a pass
    #[arg(long, value_name = "FILE")]
    annotations: Option<PathBuf>,
    /// Write the decision as variables for later jobs (dotenv)
    #[arg(long, value_name = "FILE")]
    dotenv: Option<PathBuf>,
    /// Address that the HTML page will have, for links to it
    #[arg(long, value_name = "URL", env = "AKIT_PAGE_URL", value_parser = page_url)]
    page_url: Option<String>,
    /// SARIF for `github` (every result is an open alert) or `full` (marks new, known and fixed)
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = SarifProfile::Github, hide_possible_values = true)]
    sarif_profile: SarifProfile,
    /// Format to print to stdout; console output then goes to stderr [default: console]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::iter().map(Format::word)).map(|word| format(&word)))]
    format: Option<Format>,
    /// Print only what blocks a pass, and the decision
    #[arg(short, long)]
    quiet: bool,
}

/// An address that a report links to; an empty variable means none.
pub(super) fn page_url(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let help = "expected an address such as `https://ci.example.com/akit.html`, without a user name";
    Links::address(text).ok_or_else(|| help.to_owned())
}

fn format(word: &str) -> Format {
    Format::iter().find(|format| format.word() == word).unwrap_or(Format::Console)
}

/// Output files by format: each format with a help text has a flag of its name.
#[derive(Clone, Debug, Default)]
struct FormatArgs(BTreeMap<Format, PathBuf>);

impl Args for FormatArgs {
    fn augment_args(command: Command) -> Command {
        let flag = |(format, help): (Format, &'static str)| {
            let flag = Arg::new(format.word()).long(format.word()).value_name("FILE");
            flag.help(help).value_parser(value_parser!(PathBuf)).help_heading("Reports")
        };
        command.args(Format::iter().filter_map(|format| Some((format, format.help()?))).map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FormatArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let path = |format: &Format| matches.get_one::<PathBuf>(format.word()).cloned();
        let flags = Format::iter().filter(|format| format.help().is_some());
        Ok(Self(flags.filter_map(|format| Some((format, path(&format)?))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Which viewer a SARIF report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SarifProfile {
    Github,
    Full,
}

/// Claimed reports, and how the console report is shown.
#[derive(Debug)]
pub(super) struct Outputs {
    files: Vec<(Output, Form)>,
    depth: Depth,
    surroundings: Surroundings,
    began: Option<Instant>,
}

/// Content of a file.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// A report.
    Format(Format),
    /// Links, which need the address of the files.
    Annotations,
    /// Variables, including the exit code.
    Dotenv,
}

impl Form {
    /// Name of its flag, without hyphens.
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
    /// Number of files to write.
    pub(super) fn files(&self) -> usize {
        self.files.iter().filter(|(output, _)| matches!(output, Output::File(_))).count()
    }

    /// These outputs, for a run that this command started at `began`.
    pub(super) fn since(mut self, began: Instant) -> Self {
        self.began = Some(began);
        self
    }

    /// These outputs, adapted to the pipeline that akit runs in.
    pub(super) fn within(mut self, environment: &Environment) -> Self {
        self.surroundings = Surroundings::of(environment);
        self
    }
}

impl ReportArgs {
    /// The file the run is stored in, if any.
    pub(super) fn stored(&self) -> Option<&Path> {
        self.files.0.get(&Format::Json).map(PathBuf::as_path).filter(|path| *path != Path::new("-"))
    }

    /// Claims the paths of all reports; none may overwrite an input.
    pub(super) fn open(&self, inputs: &[&Path], environment: &Environment) -> Result<Outputs, Status> {
        let first = self.format.filter(|format| *format != Format::Console);
        let stdout = first.map(|format| (Form::Format(format), Path::new("-")));
        let files = self.files.0.iter().map(|(format, path)| match (format, self.sarif_profile) {
            (Format::Sarif, SarifProfile::Full) => (Form::Format(Format::SarifFull), path.as_path()),
            _ => (Form::Format(*format), path.as_path()),
        });
        let more = [(Form::Annotations, &self.annotations), (Form::Dotenv, &self.dotenv)];
        let more = more.into_iter().filter_map(|(form, path)| Some((form, path.as_deref()?)));
        let mut claims = Claims::beside(inputs, environment);
        let all = stdout.into_iter().chain(files).chain(more);
        let files = all.filter_map(|(form, path)| Some((claims.claim(path)?, form))).collect();
        claims.end()?;
        let depth = if self.quiet { Depth::Brief } else { Depth::Full };
        Ok(Outputs { files, depth, surroundings: Surroundings::default(), began: None })
    }

    /// Whether any of these reports shows earlier answers.
    pub(super) fn shows_past(&self) -> bool {
        [Format::Html, Format::Markdown]
            .iter()
            .any(|format| self.files.0.contains_key(format) || self.format == Some(*format))
    }

    /// What to link to, and the file that the run is stored in.
    pub(super) fn links(&self, environment: &Environment, stored: Option<&Path>) -> Links {
        Site::of(environment).links(environment, self.page_url.as_deref()).stored_in(stored)
    }

    /// Whether output is quiet.
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

/// The symbolic link a path passes through; links above an absolute path belong to the machine.
pub(super) fn behind_link(path: &Path) -> Option<&Path> {
    let parts = path.ancestors().filter(|part| !part.as_os_str().is_empty());
    let mut parts = parts.take(if path.is_absolute() { 1 } else { usize::MAX });
    let is_link = |part: &&Path| fs::symlink_metadata(part).is_ok_and(|data| data.is_symlink());
    parts.find(is_link).filter(|_| !path.starts_with("/dev"))
}

/// Paths claimed for reports: each once, and never an input.
#[derive(Default)]
struct Claims {
    /// Whether akit runs in CI, where a link in the checkout may come from the change.
    is_ci: bool,
    inputs: BTreeSet<PathBuf>,
    taken: BTreeSet<PathBuf>,
    has_stdout: bool,
    wrong: bool,
}

impl Claims {
    fn beside(inputs: &[&Path], environment: &Environment) -> Self {
        let inputs = inputs.iter().filter_map(|path| place(path)).collect();
        Self { is_ci: environment.is_ci(), inputs, ..Self::default() }
    }

    /// Claims a path, or reports why it cannot. A report never overwrites an input: a typo must not destroy the
    /// suite.
    fn claim(&mut self, path: &Path) -> Option<Output> {
        let shown = slashed(path);
        let (message, help) = if path == Path::new("-") {
            if !std::mem::replace(&mut self.has_stdout, true) {
                return Some(Output::Stdout);
            }
            ("only one report can go to stdout".to_owned(), "write the others to files")
        } else if let Some(link) = behind_link(path).filter(|_| self.is_ci) {
            (
                format!("`{shown}` would be written through the link `{}`", slashed(link)),
                "nothing was sent; remove the link, or choose another path: in CI, akit writes no report through a link",
            )
        } else {
            match Pending::open(path) {
                Ok(_) if place(path).is_some_and(|place| self.inputs.contains(&place)) => (
                    format!("`{shown}` is an input and would be replaced by a report"),
                    "nothing was sent; choose another path",
                ),
                Ok(_) if place(path).is_some_and(|place| !self.taken.insert(place)) => {
                    (format!("two reports go to `{shown}`"), "choose a different file for each report")
                }
                Ok(file) => return Some(Output::File(file)),
                Err(error) => (
                    format!("cannot write `{shown}`: {}", terminal::system(&error)),
                    "nothing was sent; choose another path or fix the folder",
                ),
            }
        };
        terminal::error(&message, help);
        self.wrong = true;
        None
    }

    fn end(self) -> Result<(), Status> {
        if self.wrong { Err(Status::Invalid) } else { Ok(()) }
    }
}

impl Output {
    /// Claims the requested paths in order; `None` for those not requested.
    pub(super) fn open_all<const N: usize>(
        paths: [&Option<PathBuf>; N],
        inputs: &[&Path],
        environment: &Environment,
    ) -> Result<[Option<Self>; N], Status> {
        let mut claims = Claims::beside(inputs, environment);
        let outputs = paths.map(|path| claims.claim(path.as_deref()?));
        claims.end()?;
        Ok(outputs)
    }

    /// Writes a command's result in the requested formats, and shows the text for people on stdout, or on stderr if a
    /// format goes to stdout.
    pub(super) fn tell<E: Display>(
        forms: impl IntoIterator<Item = (Option<Self>, Result<String, E>)>,
        page: impl FnOnce(Ink) -> String,
    ) {
        let mut to_stdout = false;
        for (output, rendered) in forms {
            let Some(output) = output else { continue };
            to_stdout |= matches!(output, Output::Stdout);
            match rendered {
                Ok(text) => output.write(&text),
                Err(error) => terminal::error(&error.to_string(), ""),
            }
        }
        if to_stdout {
            terminal::say(&page(terminal::stderr_ink()));
        } else {
            terminal::page(&page(terminal::stdout_ink()));
        }
    }

    /// Writes every report, the console's last. Returns the files that were written, each with the name of its flag.
    pub(super) fn write_all(report: &Report<'_>, outputs: Outputs) -> Vec<(&'static str, String)> {
        let mut written = Vec::new();
        let Outputs { files, depth, surroundings, began } = outputs;
        let to_stdout = files.iter().any(|(output, _)| matches!(output, Output::Stdout));
        for (output, form) in files {
            let path = output.written(|out| {
                let text = match form {
                    Form::Format(format) => return format.write(report, Ink::Plain, out),
                    Form::Annotations => annotation::links(report)?,
                    Form::Dotenv => {
                        let status = Status::of(report.decision, report.run.ended);
                        dotenv::of_report(report, status.code())
                    }
                };
                Ok(out.write_all(text.as_bytes())?)
            });
            written.extend(path.map(|path| (form.flag(), path)));
        }
        let ink = if to_stdout { terminal::stderr_ink() } else { terminal::stdout_ink() };
        let width = terminal::width(to_stdout);
        // Piped output is the same for the same records.
        let took = began.filter(|_| width.is_some()).map(|began| began.elapsed());
        let console = console::shown(report, Layout { ink, fold: surroundings.fold, depth, width, took });
        // CI reads workflow commands from both streams.
        // Groups and annotations are our own commands; the console escapes untrusted text itself.
        let tell = |text: &str| if to_stdout { terminal::say_as_is(text) } else { terminal::out(text) };
        if surroundings.takes_commands {
            tell(&annotation::commands(report));
        }
        tell(&console);
        written
    }

    /// Writes a report, or prints why it cannot.
    pub(super) fn write(self, text: &str) {
        if let Output::Stdout = self {
            terminal::out(text);
        } else {
            let _ = self.written(|out| Ok(out.write_all(text.as_bytes())?));
        }
    }

    /// Writes a report piece by piece; returns the path of the finished file.
    fn written(self, write: impl FnOnce(&mut dyn Write) -> Result<(), RenderError>) -> Option<String> {
        let mut lost = None;
        let watched = |out: &mut dyn Write| write(&mut Watched { out, lost: &mut lost });
        let (done, path) = match self {
            Output::Stdout => (terminal::write_with(watched), None),
            Output::File(file) => {
                let path = slashed(file.path());
                (file.write_with(watched), Some(path))
            }
        };
        let error = match (lost, done) {
            (None, Ok(())) => return path,
            (Some(error), _) | (None, Err(RenderError::Write(error))) => error,
            (None, Err(error)) => {
                terminal::error(
                    &error.to_string(),
                    "this does not affect the other reports or the exit code",
                );
                return None;
            }
        };
        match path {
            // A closed pipe means the reader is gone; there is no one to report to.
            None if error.kind() == io::ErrorKind::BrokenPipe => {}
            path => {
                let place = path.map_or("to stdout".to_owned(), |path| format!("`{path}`"));
                terminal::error(
                    &format!("could not write {place}: {}", terminal::system(&error)),
                    "the exit code still gives the decision",
                );
            }
        }
        None
    }
}

/// Keeps the I/O error, of which libraries pass on only the text.
struct Watched<'a> {
    out: &'a mut dyn Write,
    lost: &'a mut Option<io::Error>,
}

impl Watched<'_> {
    fn see<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let kind = error.kind();
            // Not an error: the caller retries after an interruption.
            if kind != io::ErrorKind::Interrupted {
                *self.lost = Some(error);
            }
            kind.into()
        })
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        self.see(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.see(done)
    }
}

/// The canonical path of a future file; `None` for a device, which accepts several reports.
fn place(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return path.is_file().then(|| path.canonicalize().ok()).flatten();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// The CI system akit runs in, if any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// How the log folds blocks.
    pub(super) fold: Fold,
    /// Whether the log is parsed for workflow commands.
    pub(super) takes_commands: bool,
}

impl Surroundings {
    /// From the variables that GitHub Actions and GitLab CI set.
    pub(super) fn of(environment: &Environment) -> Self {
        let is = |name| environment.get(name) == Some("true");
        if is("GITHUB_ACTIONS") {
            Self { fold: Fold::GitHub, takes_commands: true }
        } else if is("GITLAB_CI") {
            Self { fold: Fold::GitLab, takes_commands: false }
        } else {
            Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pipeline_has_its_own_log_format() {
        let of = |pairs: &[(&str, &str)]| Surroundings::of(&Environment::of(pairs.iter().copied()));
        assert_eq!(of(&[("CI", "true")]), Surroundings::default());
        assert_eq!(of(&[("GITLAB_CI", "true")]), Surroundings { fold: Fold::GitLab, takes_commands: false });
        assert_eq!(
            of(&[("GITHUB_ACTIONS", "true")]),
            Surroundings { fold: Fold::GitHub, takes_commands: true }
        );
    }
}

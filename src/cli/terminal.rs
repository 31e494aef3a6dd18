//! Output streams: data to stdout, everything else to stderr. A closed pipe
//! is not an error.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

pub(super) use crate::source::plain as system;
use crate::source::{Diagnostics, Ink};
use crate::text::{self, log};

/// Whether stdout takes colors (`NO_COLOR`, `CLICOLOR_FORCE`, a terminal).
pub(super) fn stdout_ink() -> Ink {
    ink(AutoStream::choice(&io::stdout()))
}

/// Whether stderr takes colors.
pub(super) fn stderr_ink() -> Ink {
    ink(AutoStream::choice(&io::stderr()))
}

fn ink(choice: ColorChoice) -> Ink {
    match choice {
        ColorChoice::Never => Ink::Plain,
        _ => Ink::Colour,
    }
}

/// Width of the terminal behind stdout or stderr, in columns; `None` if there is none.
pub(super) fn width(to_stderr: bool) -> Option<usize> {
    let size = if to_stderr {
        terminal_size::terminal_size_of(io::stderr())
    } else {
        terminal_size::terminal_size_of(io::stdout())
    };
    size.map(|(width, _)| usize::from(width.0)).filter(|columns| *columns > 0)
}

/// Whether stderr is a terminal.
pub(super) fn watched() -> bool {
    io::stderr().is_terminal()
}

/// Writes data; reports an error, such as a full disk.
pub(super) fn out(text: &str) {
    // The exit code comes from the decision, which is valid without its text.
    let _ = sent(text, "the exit code still gives the decision");
}

/// Like [`out`], but returns an error if the text was not written. A closed pipe counts as written.
pub(super) fn sent(text: &str, help: &str) -> io::Result<()> {
    match write(&mut io::stdout().lock(), text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            self::error(&format!("could not write to stdout: {}", system(&error)), help);
            Err(error)
        }
        // A closed pipe means the reader is gone; there is no one to report to.
        _ => Ok(()),
    }
}

/// Writes data piece by piece; the caller reports errors.
pub(super) fn write_with<E: From<io::Error>>(
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Writes one or several lines of text for people; parts of it may be untrusted.
pub(super) fn page(text: &str) {
    out(&log::legible(text));
}

/// Writes lines for people: a name never starts a new line.
pub(super) fn lines<S: AsRef<str>>(lines: &[S]) {
    const MOST: usize = 4_000;
    let lines: Vec<_> = lines.iter().map(|line| log::line(line.as_ref(), MOST)).collect();
    out(&lines.join("\n"));
}

/// Writes a message.
pub(super) fn say(text: &str) {
    say_as_is(&log::legible(text));
}

/// Writes machine-readable text to stderr.
pub(super) fn say_as_is(text: &str) {
    // If stderr fails, there is no way to report it.
    let _ = write(&mut io::stderr().lock(), text);
}

fn write(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    stream.write_all(text.as_bytes())?;
    stream.write_all(end.as_bytes())?;
    stream.flush()
}

/// An error without a line in a file.
pub(super) fn error(message: &str, help: &str) {
    plain("error", anstyle::AnsiColor::Red, message, help);
}

/// A warning without a line in a file.
pub(super) fn warning(message: &str, help: &str) {
    plain("warning", anstyle::AnsiColor::Yellow, message, help);
}

fn plain(word: &str, colour: anstyle::AnsiColor, message: &str, help: &str) {
    let style = match stderr_ink() {
        Ink::Colour => anstyle::Style::new().bold().fg_color(Some(colour.into())),
        Ink::Plain => anstyle::Style::new(),
    };
    // Both may quote untrusted text, and CI parses this stream, too.
    say(&format!("{style}{word}{style:#}: {}", text::excerpt(message, 4_000)));
    if !help.is_empty() {
        say(&format!("help: {}", text::plain(help)));
    }
}

/// An error about a flag's value, in akit's own words.
fn wrong_value(error: &clap::Error) -> Option<(String, String)> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let all = |kind| match error.get(kind) {
        Some(ContextValue::Strings(all)) => all.as_slice(),
        _ => &[],
    };
    // The name is followed by the placeholder of the value.
    let flag = text(ContextKind::InvalidArg)?.split(' ').next()?;
    match error.kind() {
        ErrorKind::ValueValidation => Some((format!("{flag}: {}", error.source()?), String::new())),
        ErrorKind::InvalidValue => {
            let (value, known) = (text(ContextKind::InvalidValue)?, all(ContextKind::ValidValue));
            let words = format!("{flag}: `{}` is not one of {}", text::excerpt(value, 60), text::list(known));
            let near = known.iter().map(String::as_str).collect::<Vec<_>>();
            Some((
                words,
                text::nearest(value, &near).map(|near| format!("did you mean `{near}`?")).unwrap_or_default(),
            ))
        }
        _ => None,
    }
}

/// An unknown command, and the one probably meant.
fn wrong_command(
    error: &clap::Error,
    arguments: &[OsString],
    akit: clap::Command,
) -> Option<(String, String)> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let (mut command, mut path) = (akit, "akit".to_owned());
    for argument in arguments.iter().skip(1) {
        let Some(below) = command.find_subcommand(argument) else { break };
        path = format!("{path} {}", below.get_name());
        command = below.clone();
    }
    let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let help = match text::nearest(word, &known) {
        Some(near) => format!("did you mean `{path} {near}`?"),
        None => format!("run `{path} --help` for the list of commands"),
    };
    Some((format!("unknown command `{path} {}`", text::excerpt(word, 60)), help))
}

/// An error about arguments, each quoted on one line.
pub(super) fn wrong_arguments(error: &clap::Error, arguments: &[OsString], akit: clap::Command) {
    if let Some((message, help)) = wrong_value(error).or_else(|| wrong_command(error, arguments, akit)) {
        return self::error(&message, &help);
    }
    let mut words = error.render().ansi().to_string();
    for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
        // A value may follow `=`, and be one of several.
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let wholes = [argument, value, name].into_iter();
        let parts = wholes.clone().chain(wholes.flat_map(|whole| whole.split(',')));
        for part in parts.flat_map(|part| [part, part.trim()]).filter(|part| part.contains(char::is_control))
        {
            words = words.replace(part, &text::excerpt(part, 200));
        }
    }
    say(&match stderr_ink() {
        Ink::Colour => words,
        Ink::Plain => StyledStr::from(words).to_string(),
    });
}

/// Findings in files, then their count.
pub(super) fn diagnostics(found: &Diagnostics) {
    const MOST: usize = 100;
    let ink = stderr_ink();
    for one in found.iter().take(MOST) {
        say(&format!("{}\n\n", one.render(ink)));
    }
    let rest = found.iter().count().saturating_sub(MOST);
    if rest > 0 {
        say(&format!("… and {rest} more; `--json` lists them all\n"));
    }
}

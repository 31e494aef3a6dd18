//! `akit import`: converts the suite of another tool to a scenario file.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Status, terminal};
use crate::import::{self, ImportError, Imported};
use crate::source::{Diagnostics, Pending, slashed};
use crate::text;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Convert a promptfoo configuration and the files it names
    Promptfoo {
        /// Configuration, such as promptfooconfig.yaml
        file: PathBuf,
        /// File to create [default: stdout]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(super) fn import(args: &ImportArgs) -> Status {
    let From::Promptfoo { file, output } = &args.from;
    let output = output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(status) = output.and_then(is_there) {
        return status;
    }
    match promptfoo(file) {
        Ok(imported) => write(&imported.text, output),
        Err(status) => status,
    }
}

/// Reads a promptfoo suite, and prints everything that was not converted.
pub(super) fn promptfoo(file: &Path) -> Result<Imported, Status> {
    match import::promptfoo(file) {
        Ok(imported) => {
            tell(&imported.findings);
            terminal::say(&format!(
                "{} of {} mapped",
                imported.mapped,
                text::count(imported.assertions, "assertion")
            ));
            Ok(imported)
        }
        Err(error) => {
            if let ImportError::NoCase(_, findings) = &error {
                tell(findings);
            }
            Err(Status::Invalid.because(error.to_string(), "nothing was written"))
        }
    }
}

/// All findings: anything not printed here would be lost silently.
fn tell(findings: &Diagnostics) {
    for finding in findings.iter() {
        terminal::say(&format!("{}\n\n", finding.render(terminal::stderr_ink())));
    }
}

/// Why an existing path is not written.
pub(super) fn is_there(path: &Path) -> Option<Status> {
    path.symlink_metadata().is_ok().then(|| {
        Status::Invalid.because(
            format!("`{}` already exists", slashed(path)),
            "nothing was written; choose another name, or remove the file",
        )
    })
}

/// Writes a new scenario file, or prints it.
pub(super) fn write(text: &str, output: Option<&Path>) -> Status {
    let Some(path) = output else {
        return Status::of_product(text);
    };
    match Pending::open(path).and_then(|file| file.write(text.as_bytes())) {
        Ok(()) => {
            terminal::say(&format!("wrote {}; check it with: akit validate {0}", slashed(path)));
            Status::Passed
        }
        Err(error) => {
            let message = format!("cannot write `{}`: {}", slashed(path), terminal::system(&error));
            Status::Invalid.because(&message, "choose another path or fix the folder")
        }
    }
}

//! What the flags remove from all that is stored and shown.

use std::path::Path;

use clap::Args;

use super::{Status, terminal};
use crate::redact::{Kind, Redactor};
use crate::{scenario, text};

#[derive(Clone, Debug, Args)]
pub(super) struct RedactArgs {
    /// Remove personal data and credentials of the usual kinds, in every case
    #[arg(long)]
    redact: bool,
    /// Remove these in every case, in place of the usual kinds: names of built-in patterns, joined by commas, or regular expressions
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    redact_patterns: Vec<String>,
}

impl RedactArgs {
    /// What is removed in every case, if anything; tells what is wrong with the flags.
    pub(super) fn redactor(&self) -> Result<Option<Redactor>, Status> {
        if self.redact_patterns.is_empty() {
            return Ok(self.redact.then(Redactor::usual));
        }
        // The flag takes all that follows it.
        let file = |one: &&String| Kind::named(one).is_none() && Path::new(one).exists();
        if let Some(file) = self.redact_patterns.iter().find(file) {
            return Err(Status::Invalid.because(
                format!(
                    "`{}` is a file, and stands where `--redact-patterns` takes patterns",
                    text::excerpt(file, 200)
                ),
                "nothing was sent; name files before it, or put another flag between",
            ));
        }
        match scenario::redactor(&self.redact_patterns) {
            Ok((redactor, doubts)) => {
                for (message, help) in &doubts {
                    terminal::warning(message, help);
                }
                Ok(Some(redactor))
            }
            Err(error) => Err(Status::Invalid.because(
                format!("`--redact-patterns`: {error}"),
                format!("nothing was sent; {}", error.help),
            )),
        }
    }
}

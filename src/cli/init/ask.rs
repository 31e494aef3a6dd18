//! A few questions, where somebody sits at a terminal.

use std::io::{self, BufRead, IsTerminal};

use crate::cli::terminal;

/// Whether anybody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Questions {
    Asked,
    Skipped,
}

impl Questions {
    /// Nobody is asked under `--yes`, and where stdin or stderr is no terminal.
    pub(super) fn of(yes: bool) -> Self {
        let there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if there && !yes { Questions::Asked } else { Questions::Skipped }
    }

    /// One of these words; an empty line takes the usual one.
    pub(super) fn choose(self, question: &str, words: &[&str], usual: &str) -> String {
        loop {
            let answer = self.text(&format!("{question} ({})", words.join(", ")), usual);
            if words.contains(&answer.as_str()) {
                return answer;
            }
        }
    }

    /// A word; an empty line takes the usual one.
    pub(super) fn text(self, question: &str, usual: &str) -> String {
        if self == Questions::Skipped {
            return usual.to_owned();
        }
        terminal::say(&format!("{question} [{usual}]"));
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(length) if length > 0 && !line.trim().is_empty() => line.trim().to_owned(),
            _ => usual.to_owned(),
        }
    }
}

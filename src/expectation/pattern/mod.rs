//! JavaScript regexes.
//!
//! A pattern is read according to ECMA-262, with Annex B unless `u` is set. A pattern that only says which characters
//! follow each other is rewritten for an engine that takes linear time, so that the engine's own syntax is never
//! reachable. A pattern with lookarounds, backreferences or assertions is walked step by step, with counted steps.
//!
//! Whether a string matches is as in JavaScript, with one known difference: matching goes by characters, not by UTF-16
//! units. `^.$` matches an emoji even without `u`, and half of a surrogate pair in a pattern stands for the characters
//! that have it. The match may be shorter if a part that can match nothing repeats, as in `(|a)+`. Anything else that
//! is not supported is an error when the pattern is read: counts in the ten thousands, `\P{Lu}` and similar if case is
//! ignored, and `v`.

mod class;
mod emit;
mod engine;
mod escape;
mod group;
mod parse;
mod program;
mod property;
mod syntax;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fancy_regex::ParseError;
use thiserror::Error;

use engine::{is_light, program};
pub(super) use escape::{code_point, hex};
pub(super) use parse::Dialect;
use parse::{GroupFlags, Parser};
use program::Program;
use syntax::{Anchor, Term};
use walk::Spent;

use super::aside::aside;
use crate::redact::{Find, GaveUp};
use crate::text;

/// A valid regular expression.
///
/// Only its text is kept; the engine's program for it is compiled when the pattern is first used.
#[derive(Clone, Debug)]
pub struct Pattern {
    search: Search,
    shown: Arc<str>,
    /// As written, without its flags.
    source: Arc<str>,
}

/// How a string is searched.
#[derive(Clone, Debug, PartialEq)]
enum Search {
    /// By the engine, with a pattern in its syntax.
    Engine(Arc<str>),
    /// Step by step.
    Walk(Arc<Program>),
}

/// Maximum steps of a walk over one string; a typical pattern takes a few for each character.
pub(in crate::expectation) const STEPS: usize = 50_000_000;

/// Steps to take directly; a longer walk goes through `aside`, so that other tasks can run.
const SOON: usize = 100_000;

/// Bytes of a string to search directly; a longer one goes through `aside`, so that other tasks can run.
const SHORT: usize = 1 << 16;

/// Equal if they are known to match the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.search == other.search
    }
}

/// The patterns of a file, each read once: suites repeat patterns in many cases.
#[derive(Debug, Default)]
pub struct Patterns {
    known: Mutex<BTreeMap<(String, String), Pattern>>,
}

impl Patterns {
    /// The pattern, as [`Pattern::compile`] reads it.
    pub fn compile(&self, pattern: &str, flags: &str) -> Result<Pattern, PatternError> {
        let name = (pattern.to_owned(), flags.to_owned());
        if let Some(known) = self.known().get(&name) {
            return Ok(known.clone());
        }
        let compiled = Pattern::compile(pattern, flags)?;
        // If two threads read the same pattern at once, both keep the first result.
        Ok(self.known().entry(name).or_insert(compiled).clone())
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(String, String), Pattern>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern {
    /// Reads a pattern and its flags.
    ///
    /// `d` and `g` change nothing for a single search; `v` is not supported.
    pub fn compile(pattern: &str, flags: &str) -> Result<Self, PatternError> {
        let flags = Flags::read(flags)?;
        let chars: Vec<char> = pattern.chars().collect();
        let mut node = Parser::read(&chars, flags.mode, flags.dialect)?;
        if flags.sticky {
            node = Term::Concat(vec![Term::Anchor(Anchor::Start), node]);
        }
        let search = if let Some(written) = emit::emit(&node) {
            let written = written.into();
            if !is_light(&node) {
                program(&written).map_err(|error| refused(&error))?;
            }
            Search::Engine(written)
        } else {
            Search::Walk(Program::of(&node).into())
        };
        let shown = format!("/{}/", text::excerpt(pattern, 60)).into();
        Ok(Self { search, shown, source: pattern.into() })
    }

    /// As written, without its flags.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether more text may keep it from matching: it has a negative lookahead, or asks for the end.
    #[must_use]
    pub fn negative(&self) -> bool {
        let (mut in_class, mut escaped) = (false, false);
        self.source.contains("(?!")
            || self.source.chars().any(|c| match c {
                _ if escaped => {
                    escaped = false;
                    false
                }
                '\\' => {
                    escaped = true;
                    false
                }
                '[' | ']' => {
                    in_class = c == '[';
                    false
                }
                c => c == '$' && !in_class,
            })
    }

    /// The first match in a string, as a range of bytes.
    pub fn find(&self, text: &str) -> Result<Option<Range<usize>>, SearchError> {
        self.find_from(text, 0, &mut { STEPS })
    }

    /// The first match from a byte on, which must be the start of a character; subtracts the steps it takes from
    /// `steps`.
    pub(in crate::expectation) fn find_from(
        &self,
        text: &str,
        from: usize,
        steps: &mut usize,
    ) -> Result<Option<Range<usize>>, SearchError> {
        let pattern = || self.shown.to_string();
        match &self.search {
            Search::Engine(written) => {
                let program = program(written)
                    .map_err(|error| SearchError::Refused { pattern: pattern(), why: refused(&error) })?;
                let find = || program.find_from_pos(text, from);
                let found = if text.len() < SHORT { find() } else { aside(find) };
                found.map(|found| found.map(|found| found.range())).map_err(|_| Spent)
            }
            Search::Walk(program) => {
                let mut soon = SOON.min(*steps);
                match walk::find(program, text, from, &mut soon) {
                    Ok(found) => {
                        *steps -= SOON.min(*steps) - soon;
                        Ok(found)
                    }
                    Err(Spent) => aside(|| walk::find(program, text, from, steps)),
                }
            }
        }
        .map_err(|Spent| SearchError::LimitExceeded { pattern: pattern() })
    }

    /// Whether a pattern looks like a literal with slashes and flags, such as `/yes/i`.
    ///
    /// The slashes are then part of the pattern, which is rarely intended.
    #[must_use]
    pub fn looks_delimited(pattern: &str) -> bool {
        let Some((body, flags)) = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else {
            return false;
        };
        !body.is_empty() && flags.chars().all(|c| "dgimsuvy".contains(c))
    }
}

/// The named groups of a pattern.
#[derive(Clone, Debug)]
pub struct Groups {
    names: Vec<(String, usize)>,
    program: Arc<Program>,
    shown: Arc<str>,
}

impl Groups {
    /// Reads a pattern and its flags; `None` if it has no named group, or is invalid.
    #[must_use]
    pub fn of(pattern: &str, flags: &str) -> Option<Self> {
        let flags = Flags::read(flags).ok()?;
        let chars: Vec<char> = pattern.chars().collect();
        let (mut node, names) = Parser::read_named(&chars, flags.mode, flags.dialect).ok()?;
        if names.is_empty() {
            return None;
        }
        if flags.sticky {
            node = Term::Concat(vec![Term::Anchor(Anchor::Start), node]);
        }
        let shown = format!("/{}/", text::excerpt(pattern, 60)).into();
        Some(Self { names, program: Program::of(&node).into(), shown })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// What the groups that took part in the first match captured; empty without a match.
    ///
    /// # Errors
    /// If the search gives up.
    pub fn find(&self, text: &str) -> Result<Vec<(String, String)>, SearchError> {
        let found = aside(|| walk::groups(&self.program, text, &mut { STEPS }));
        let found = found.map_err(|Spent| SearchError::LimitExceeded { pattern: self.shown.to_string() })?;
        let Some(registers) = found else { return Ok(Vec::new()) };
        let captured = |(name, number): &(String, usize)| {
            let range = registers.get(*number)?.clone()?;
            Some((name.clone(), text[range].to_owned()))
        };
        Ok(self.names.iter().filter_map(captured).collect())
    }
}

impl Find for Pattern {
    fn all(&self, text: &str) -> Result<Vec<Range<usize>>, GaveUp> {
        let (mut found, mut from, mut steps) = (Vec::new(), 0, STEPS);
        while from <= text.len()
            && let Some(range) = self.find_from(text, from, &mut steps).map_err(|_| GaveUp)?
        {
            from = range.end;
            if range.is_empty() {
                from += text[from..].chars().next().map_or(1, char::len_utf8);
            } else {
                found.push(range);
            }
        }
        Ok(found)
    }

    fn source(&self) -> &str {
        &self.source
    }
}

struct Flags {
    mode: GroupFlags,
    dialect: Dialect,
    sticky: bool,
}

impl Flags {
    fn read(flags: &str) -> Result<Self, PatternError> {
        let mut read = Self { mode: GroupFlags::default(), dialect: Dialect::Lenient, sticky: false };
        let mut seen = Vec::new();
        for (offset, c) in flags.chars().enumerate() {
            let shown = text::excerpt(&c.to_string(), 1);
            if seen.contains(&c) {
                return Err(PatternError::in_flags(
                    offset,
                    format!("flag `{shown}` is repeated"),
                    "write it once",
                ));
            }
            seen.push(c);
            match c {
                'd' | 'g' => {}
                'u' => read.dialect = Dialect::Unicode,
                'y' => read.sticky = true,
                'v' => {
                    let help = "use `u`, and write classes without set operations";
                    return Err(PatternError::in_flags(offset, "flag `v` is not supported", help));
                }
                c => match read.mode.switch(c) {
                    Some(switch) => *switch = true,
                    None => return Err(unknown_flag(offset, c, &shown)),
                },
            }
        }
        Ok(read)
    }
}

fn unknown_flag(offset: usize, c: char, shown: &str) -> PatternError {
    let help = match c {
        'x' => "write the pattern without extra white space; JavaScript has no `x` flag".to_owned(),
        c if "dgimsuy".contains(c.to_ascii_lowercase()) => format!("write `{}`", c.to_ascii_lowercase()),
        _ => "use `d`, `g`, `i`, `m`, `s`, `u` or `y`".to_owned(),
    };
    PatternError::in_flags(offset, format!("unknown flag `{shown}`"), help)
}

/// The error for a pattern that is valid in JavaScript, but not supported.
fn refused(error: &fancy_regex::Error) -> PatternError {
    let (message, help) = match error {
        fancy_regex::Error::ParseError(_, ParseError::RecursionExceeded) => {
            ("groups are nested too deeply", "use fewer groups")
        }
        fancy_regex::Error::CompileError(_) => ("the pattern is too large", "use smaller numbers in `{…}`"),
        _ => ("unsupported pattern", "simplify it"),
    };
    PatternError::at(0, message, help)
}

/// The two parts of a regular expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegexText {
    /// The pattern.
    Pattern,
    /// The flags.
    Flags,
}

/// An invalid pattern, or invalid flags.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong, in one line.
    pub message: String,
    /// Which of the two is wrong.
    pub part: RegexText,
    /// Where in it, 0-based, in characters.
    pub offset: usize,
    /// How to fix it.
    pub help: String,
}

impl PatternError {
    /// An error at an offset in the pattern.
    fn at(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), part: RegexText::Pattern, offset, help: help.into() }
    }

    /// An error at an offset in the flags.
    fn in_flags(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { part: RegexText::Flags, ..Self::at(offset, message, help) }
    }
}

/// A search without a result: it is unknown whether the text matches.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// It took too many steps.
    #[error(
        "pattern {pattern} gave up after {} steps; start it with `^`, or use fewer nested repetitions and lookaheads",
        text::number::whole(STEPS as u64)
    )]
    LimitExceeded {
        /// The pattern between slashes, shortened.
        pattern: String,
    },
    /// The engine rejects a pattern that seemed valid when it was read.
    #[error("pattern {pattern} cannot be used: {why}")]
    Refused {
        /// The pattern between slashes, shortened.
        pattern: String,
        /// Why the engine rejects it.
        #[source]
        why: PatternError,
    },
}

//! Regular expressions in JavaScript's dialect.
//!
//! A pattern is read as ECMA-262 has it, with Annex B where `u` is not given. One that only says which characters
//! follow each other is written anew for an engine whose time grows with the text, so none of the engine's own syntax
//! can be reached. One that looks around, refers back or asks about places is walked step by step, and the steps are
//! counted. Whether a text matches is as in JavaScript, but for one known difference: matching goes by characters, not
//! by UTF-16 units. `^.$` matches an emoji even without `u`, and half of a surrogate pair in a pattern stands for the
//! characters that have it. What is marked as the match may be shorter where a part that may match nothing repeats, as
//! in `(|a)+`. What else cannot be done is an error when a pattern is read: counts in the ten thousands, `\P{Lu}` and
//! its like where case is ignored, and `v`.

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

/// A regular expression that is known to be right.
///
/// It holds its text alone. What the engine needs for searching is made when it is first used.
#[derive(Clone, Debug)]
pub struct Pattern {
    search: Search,
    shown: Arc<str>,
    /// As it was written, without its flags.
    source: Arc<str>,
}

/// How a text is searched.
#[derive(Clone, Debug, PartialEq)]
enum Search {
    /// By the engine, for a pattern in its syntax.
    Engine(Arc<str>),
    /// Step by step.
    Walk(Arc<Program>),
}

/// Steps that a walk over one text may take; a pattern of the usual sort takes a few for each character.
pub(in crate::expectation) const STEPS: usize = 50_000_000;

/// Steps that are taken where the walk begins. What takes more makes room for others.
const SOON: usize = 100_000;

/// Bytes of a text that is searched where the search begins.
const SHORT: usize = 1 << 16;

/// The same matches for all that can be told.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.search == other.search
    }
}

/// Patterns of a file, each read once: suites say the same thing in many cases.
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
        let fresh = Pattern::compile(pattern, flags)?;
        // Where two threads read the same pattern at once, both keep the one that came first.
        Ok(self.known().entry(name).or_insert(fresh).clone())
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(String, String), Pattern>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern {
    /// Reads a pattern and its flags.
    ///
    /// `d`, `g` and `u` keep their meaning for a single search; `v` is refused.
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

    /// As it was written, without its flags.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether what follows may keep it from matching: it looks ahead for an absence, or for the end.
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

    /// The first match in a text, as a range of bytes.
    pub fn find(&self, text: &str) -> Result<Option<Range<usize>>, SearchError> {
        self.find_from(text, 0, &mut { STEPS })
    }

    /// The first match from a byte on, which is the first of a character, with the steps that are left.
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
    /// The slashes then belong to the pattern, which is hardly what was meant.
    #[must_use]
    pub fn looks_delimited(pattern: &str) -> bool {
        let Some((body, flags)) = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else {
            return false;
        };
        !body.is_empty() && flags.chars().all(|c| "dgimsuvy".contains(c))
    }
}

/// What the named groups of a pattern hold.
#[derive(Clone, Debug)]
pub struct Groups {
    names: Vec<(String, usize)>,
    program: Arc<Program>,
    shown: Arc<str>,
}

impl Groups {
    /// Reads a pattern and its flags; `None` where it names no group, or is no pattern.
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

    /// What those hold that took part in the first match; nothing where there is none.
    ///
    /// # Errors
    /// Where the search gives up.
    pub fn find(&self, text: &str) -> Result<Vec<(String, String)>, SearchError> {
        let found = aside(|| walk::groups(&self.program, text, &mut { STEPS }));
        let found = found.map_err(|Spent| SearchError::LimitExceeded { pattern: self.shown.to_string() })?;
        let Some(registers) = found else { return Ok(Vec::new()) };
        let held = |(name, number): &(String, usize)| {
            let range = registers.get(*number)?.clone()?;
            Some((name.clone(), text[range].to_owned()))
        };
        Ok(self.names.iter().filter_map(held).collect())
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
                    format!("flag `{shown}` stands twice"),
                    "write it once",
                ));
            }
            seen.push(c);
            match c {
                'd' | 'g' => {}
                'u' => read.dialect = Dialect::Unicode,
                'y' => read.sticky = true,
                'v' => {
                    let help = "use `u` and write classes without set operations";
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
        'x' => "JavaScript has no `x` flag: write the pattern without extra white space".to_owned(),
        c if "dgimsuy".contains(c.to_ascii_lowercase()) => format!("write `{}`", c.to_ascii_lowercase()),
        _ => "the flags are `d`, `g`, `i`, `m`, `s`, `u` and `y`".to_owned(),
    };
    PatternError::in_flags(offset, format!("there is no flag `{shown}`"), help)
}

/// What cannot be done although JavaScript can.
fn refused(error: &fancy_regex::Error) -> PatternError {
    let (message, help) = match error {
        fancy_regex::Error::ParseError(_, ParseError::RecursionExceeded) => {
            ("groups stand too deep in each other for akit", "write the pattern with fewer groups")
        }
        fancy_regex::Error::CompileError(_) => {
            ("the pattern is too large for akit", "write smaller numbers in `{…}`")
        }
        _ => ("akit cannot use this pattern", "write it more simply"),
    };
    PatternError::at(0, message, help)
}

/// The two texts that make a regular expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegexText {
    /// The pattern.
    Pattern,
    /// The flags.
    Flags,
}

/// A pattern, or its flags, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong, in one line.
    pub message: String,
    /// Which of the two texts is wrong.
    pub part: RegexText,
    /// Where in that text, 0-based, in characters.
    pub offset: usize,
    /// How to mend it.
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

/// A search came to no end: whether the text matches is not known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// It took too many steps.
    #[error(
        "pattern {pattern} gave up after {STEPS} steps without an answer; look ahead less often (begin with `^`) or \
         repeat less within repetitions"
    )]
    LimitExceeded {
        /// The pattern between slashes, cut when long.
        pattern: String,
    },
    /// The engine refuses a pattern that was taken for right when it was read.
    #[error("pattern {pattern} cannot be searched for: {why}")]
    Refused {
        /// The pattern between slashes, cut when long.
        pattern: String,
        /// Why, as it should have been said then.
        #[source]
        why: PatternError,
    },
}

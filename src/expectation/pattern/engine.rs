//! The engine's programs: which patterns it certainly accepts, and a cache of recently used programs.
//!
//! A program is compiled when a string is searched. That takes 5 to 120 µs, and a program takes some 30 KiB once it has
//! been used. A suite may have one pattern in every case or another one in each, so only the most recently used ones
//! are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fancy_regex::{Error, Regex, RegexOptionsBuilder};

use super::syntax::Term;

/// Maximum programs that are kept.
const MOST_KEPT: usize = 64;

/// The most recently used programs and their patterns, the latest at the end.
static KEPT: Mutex<VecDeque<(Arc<str>, Arc<Regex>)>> = Mutex::new(VecDeque::new());

/// The program for a pattern in the engine's syntax.
pub(super) fn program(written: &Arc<str>) -> Result<Arc<Regex>, Error> {
    if let Some(program) = used_again(written) {
        return Ok(program);
    }
    // Compiled without the lock: two threads rarely compile the same program, and it does no harm.
    let program = Arc::new(compiled(written)?);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_KEPT {
        kept.pop_front();
    }
    kept.push_back((Arc::clone(written), Arc::clone(&program)));
    Ok(program)
}

/// Without a literal prefilter, which takes longer to build than an answer takes to search.
fn compiled(written: &str) -> Result<Regex, Error> {
    RegexOptionsBuilder::new().build_delegate_prefilter(false).build(written.to_owned())
}

fn used_again(written: &Arc<str>) -> Option<Arc<Regex>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let at = kept.iter().rposition(|(known, _)| known == written)?;
    let found = kept.remove(at)?;
    let program = Arc::clone(&found.1);
    kept.push_back(found);
    Some(program)
}

/// Maximum ranges of characters, with repetitions written out. The engine accepts some 10,000.
pub(super) const MOST_RANGES: usize = 1_000;

/// Deepest nesting of parts. The engine accepts 64 nested brackets; a part is written with one, the innermost with
/// three.
const DEEPEST: usize = 32;

/// Whether the engine certainly accepts a pattern, so that compiling it can wait until it is used.
///
/// Compiling costs many times as much as reading the pattern, and a suite may have thousands of patterns. The engine
/// rejects programs that are too large, groups that are nested too deeply and some kinds of lookbehind. Patterns that
/// come close are compiled when they are read.
pub(super) fn is_light(node: &Term) -> bool {
    weight(node, 0).is_some_and(|weight| weight <= MOST_RANGES)
}

/// The number of character ranges in a part; `None` if only the engine can tell.
fn weight(node: &Term, depth: usize) -> Option<usize> {
    if depth > DEEPEST {
        return None;
    }
    match node {
        Term::Empty | Term::Anchor(_) => Some(1),
        // A property, or a class with ignored case, may expand to hundreds of ranges.
        Term::Class(class) if class.any_case || !class.properties.is_empty() => None,
        Term::Class(class) => Some(class.set.ranges().len() + 1),
        Term::Concat(parts) | Term::Either(parts) => {
            parts.iter().try_fold(0usize, |sum, part| Some(sum.saturating_add(weight(part, depth + 1)?)))
        }
        Term::Group(_, body) => weight(body, depth + 1),
        Term::Repeat { body, least, most, .. } => {
            let rounds = most.unwrap_or(*least).max(1);
            Some(weight(body, depth + 1)?.saturating_mul(usize::try_from(rounds).ok()?))
        }
        Term::Look(..) | Term::Reference(_) => None,
    }
}

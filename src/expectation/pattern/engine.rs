//! The engine's programs: which patterns it surely takes, and the programs that are likely to be used again.
//!
//! A program is made when a text is searched. It takes 5 to 120 µs to make and holds some 30 KiB once it
//! has been used. A suite may say one pattern in every case, or another one in each; so the programs used
//! last are kept, and no others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fancy_regex::{Error, Regex, RegexOptionsBuilder};

use super::syntax::Term;

/// Most programs that are kept.
const MOST_KEPT: usize = 128;

/// The programs used last and what they were made of, the latest at the end.
static KEPT: Mutex<VecDeque<(Arc<str>, Arc<Regex>)>> = Mutex::new(VecDeque::new());

/// The program for a pattern in the engine's syntax.
pub(super) fn program(written: &Arc<str>) -> Result<Arc<Regex>, Error> {
    if let Some(program) = used_again(written) {
        return Ok(program);
    }
    // Nobody waits meanwhile; that two make the same program at once is rare and harmless.
    let program = Arc::new(made(written)?);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_KEPT {
        kept.pop_front();
    }
    kept.push_back((Arc::clone(written), Arc::clone(&program)));
    Ok(program)
}

/// Without a filter that looks for literals first: it takes longer to make than answers take to search.
fn made(written: &str) -> Result<Regex, Error> {
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

/// Most ranges of characters, with repetitions written out. The engine takes some 10,000.
pub(super) const MOST_RANGES: usize = 1_000;

/// Deepest nesting of parts. The engine takes 64 brackets within each other; a part is written with one,
/// the innermost with three.
const DEEPEST: usize = 32;

/// Whether the engine surely takes a pattern, so that it need not be asked when the pattern is read.
///
/// To make the engine's program costs many times what reading the pattern does, and a suite may have
/// thousands of patterns. What the engine refuses is programs that are too large, groups that stand
/// too deep and some kinds of looking behind; patterns that come near any of these are tried at once.
pub(super) fn is_light(node: &Term) -> bool {
    weight(node, 0).is_some_and(|weight| weight <= MOST_RANGES)
}

/// The ranges of characters in a part; `None` where only the engine can tell.
fn weight(node: &Term, depth: usize) -> Option<usize> {
    if depth > DEEPEST {
        return None;
    }
    match node {
        Term::Empty | Term::Anchor(_) => Some(1),
        // A property, or a class whose case the engine ignores, may stand for hundreds of ranges.
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

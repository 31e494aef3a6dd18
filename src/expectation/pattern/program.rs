//! The engine's programs: made when a text is searched, and kept while they are likely to be used again.
//!
//! A program takes 5 to 120 µs to make and holds some 30 KiB once it has been used. A suite may say one
//! pattern in every case, or another one in each; so the programs used last are kept, and no others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fancy_regex::{Error, Regex, RegexOptionsBuilder};

/// Steps back that one search may take.
pub(super) const STEPS: usize = 1_000_000;

/// Most programs that are kept.
const MOST: usize = 128;

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
    if kept.len() >= MOST {
        kept.pop_front();
    }
    kept.push_back((Arc::clone(written), Arc::clone(&program)));
    Ok(program)
}

/// Without a filter that looks for literals first: it takes longer to make than answers take to search.
fn made(written: &str) -> Result<Regex, Error> {
    RegexOptionsBuilder::new()
        .backtrack_limit(STEPS)
        .build_delegate_prefilter(false)
        .build(written.to_owned())
}

fn used_again(written: &Arc<str>) -> Option<Arc<Regex>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let at = kept.iter().rposition(|(known, _)| known == written)?;
    let found = kept.remove(at)?;
    let program = Arc::clone(&found.1);
    kept.push_back(found);
    Some(program)
}

//! Whether the suite, or a tag of it, does worse than its baseline. This finds many small losses that prove nothing
//! individually.
//!
//! The number of passes of unchanged cases is a sum of independent counts, computed exactly. A guard near its level
//! raises a suspicion; then its cases are asked once more, and both rounds must agree: a glitch of seconds is not a
//! regression.

use std::collections::BTreeMap;

use super::facts::{Facts, Past};
use super::spread::Suite;
use super::suspicion::THIN;
use crate::stats::{SLACK, Sum, Tally, choose, real, shuffled};

/// The approximate probability of calling an unchanged suite worse, over the suite and all tags.
pub(super) const GUARD: f64 = 0.01;

/// Recorded answers that fail together are a regression at this probability.
pub(super) const JOINT: f64 = 0.01;

/// A tag needs this many compared cases to get its own guard.
pub const TAG_CASES: usize = 4;

/// Maximum number of tags with a guard; the largest tags get one.
const TAGS: usize = 20;

/// A suspicion starts at this multiple of the level.
pub(super) const SUSPICION: f64 = 5.0;

/// The largest p of the second round alone at which the guard fires.
pub(super) const ALONE: f64 = 0.1;

/// How the cases of a guard did compared with their baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sight {
    /// The probability of so few passes if the suite is unchanged.
    pub(super) p: f64,
    /// The expected share of passes, 0 to 1.
    pub(super) expected: f64,
    /// The observed share of passes, 0 to 1.
    pub(super) seen: f64,
}

/// One guard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guard<'a> {
    /// The tag of its cases; `None` for the suite.
    pub(super) tag: Option<&'a str>,
    /// Its cases, as 0-based indices.
    pub(super) cases: Vec<usize>,
    /// What counts: both rounds together, if there were two.
    pub(super) sight: Sight,
    /// Whether it found a regression.
    pub(super) fires: bool,
    /// Whether its cases must be asked once more.
    pub(super) suspects: bool,
}

/// Whether a suspicion gets a second round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Second {
    /// Nothing can be run again, so the first round decides.
    Never,
    /// The second round is still to come.
    Ahead,
    /// The second round was run.
    Asked,
}

/// The past of a case, and its answers now.
pub(super) type Row = (Tally, Tally);

/// How cases did compared with their pasts. Below three trials, a case's own trials, old and new, are permuted: with
/// one trial each, this is `McNemar`'s exact test.
pub(super) fn sight(suite: &Suite, rows: impl IntoIterator<Item = Row>) -> Sight {
    let mut alike: BTreeMap<(u64, u64, u64, u64), usize> = BTreeMap::new();
    let mut now = Tally::default();
    for (past, one) in rows.into_iter().filter(|(_, now)| now.of > 0) {
        let hits = if past.of < THIN { one.hits } else { 0 };
        *alike.entry((past.hits, past.of, hits, one.of)).or_default() += 1;
        now += one;
    }
    let Some(seen) = now.share() else { return Sight { p: 1.0, expected: 0.0, seen: 0.0 } };
    let mut expected = 0.0;
    let parts: Vec<_> = alike
        .into_iter()
        .map(|((hits, of, passed, drawn), count)| {
            let past = Tally { hits, of };
            let (rate, mass) = match past.share().filter(|_| of < THIN) {
                Some(share) => (share, shuffled(hits + passed, of + drawn, drawn)),
                None => (suite.posterior(past).mean(), passes(suite, past, drawn, 1.0)),
            };
            expected += real(count) * real(drawn) * rate;
            (mass, count)
        })
        .collect();
    let p = Sum::of(parts).at_most(i64::try_from(now.hits).unwrap_or(i64::MAX));
    Sight { p, expected: expected / real(now.of), seen }
}

/// The probability of 0, 1, … passes in `drawn` answers for a case with enough past trials, if its rate is `keep` times
/// what it was.
pub(super) fn passes(suite: &Suite, past: Tally, drawn: u64, keep: f64) -> Vec<f64> {
    let (own, small) = (suite.posterior(past), |n: u64| i32::try_from(n).unwrap_or(i32::MAX));
    (0..=drawn).map(|x| choose(drawn, x) * own.chance(small(x), small(drawn - x), keep)).collect()
}

/// Tests whether there are too few passes among all cases that were expected to pass: then recorded answers fail
/// together, and not just by bad luck.
pub(super) fn joint(suite: &Suite, facts: &[Facts<'_>]) -> (Sight, usize) {
    let expected = |(_, past, _): &(usize, Tally, Tally)| past.of >= THIN && suite.expects(*past);
    let rows: Vec<_> = compared(facts).filter(expected).map(|(_, past, now)| (past, now)).collect();
    let cases = rows.len();
    (sight(suite, rows), cases)
}

/// The cases that can be compared: index, past, and judged answers now.
pub(super) fn compared<'f>(facts: &'f [Facts<'_>]) -> impl Iterator<Item = (usize, Tally, Tally)> + use<'f> {
    facts.iter().enumerate().filter_map(|(at, case)| match case.past {
        Past::Known(past) => Some((at, past, tally(&case.now))).filter(|(.., now)| now.of > 0),
        Past::New | Past::Apart(_) => None,
    })
}

fn tally(answers: &[Option<bool>]) -> Tally {
    let judged = || answers.iter().flatten();
    Tally { hits: judged().filter(|passed| **passed).count() as u64, of: judged().count() as u64 }
}

/// The level of the suite's guard; if there are tags, they share the other half.
pub(super) fn level(tags: usize) -> f64 {
    if tags == 0 { GUARD } else { GUARD / 2.0 }
}

/// The guard of the suite and those of its tags, the largest first.
pub(super) fn guards<'a>(suite: &Suite, facts: &[Facts<'a>], margin: f64, second: Second) -> Vec<Guard<'a>> {
    let all: Vec<usize> = compared(facts).map(|(at, ..)| at).collect();
    let tags = tags(facts, &all);
    let share = GUARD / 2.0 / real(tags.len());
    let whole = (None, all, level(tags.len()));
    let parts = tags.into_iter().map(|(tag, cases)| (Some(tag), cases, share));
    let guard = |(tag, cases, level)| guarded(suite, facts, tag, cases, (level, margin, second));
    std::iter::once(whole).chain(parts).map(guard).collect()
}

/// The tags that have a guard, with their cases.
pub(super) fn tags<'a>(facts: &[Facts<'a>], compared: &[usize]) -> Vec<(&'a str, Vec<usize>)> {
    let mut found = large_tags(facts, compared);
    found.truncate(TAGS);
    found
}

/// The tags that are large enough for a guard but beyond the limit.
pub(super) fn tags_left_out<'a>(facts: &[Facts<'a>], compared: &[usize]) -> Vec<&'a str> {
    large_tags(facts, compared).into_iter().skip(TAGS).map(|(tag, _)| tag).collect()
}

/// The tags that are large enough for a guard, the largest first.
fn large_tags<'a>(facts: &[Facts<'a>], compared: &[usize]) -> Vec<(&'a str, Vec<usize>)> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for case in compared {
        for tag in facts[*case].tags {
            let cases = found.entry(tag).or_default();
            // A tag may be listed twice.
            if cases.last() != Some(case) {
                cases.push(*case);
            }
        }
    }
    let mut found: Vec<_> = found.into_iter().filter(|(_, cases)| cases.len() >= TAG_CASES).collect();
    found.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    found
}

fn guarded<'a>(
    suite: &Suite,
    facts: &[Facts<'a>],
    tag: Option<&'a str>,
    cases: Vec<usize>,
    (level, margin, second): (f64, f64, Second),
) -> Guard<'a> {
    let past = |at: usize| match facts[at].past {
        Past::Known(past) => past,
        Past::New | Past::Apart(_) => Tally::default(),
    };
    let first = || cases.iter().map(|at| (past(*at), tally(&facts[*at].now)));
    let lost = |sight: &Sight| sight.expected - sight.seen > margin + SLACK;
    let sight = self::sight(suite, first());
    let suspects = sight.p <= SUSPICION * level && lost(&sight);
    let fires = sight.p <= level && lost(&sight);
    let mut guard = Guard { tag, cases: Vec::new(), sight, fires: false, suspects };
    // A run that used other limits has no second round of this guard.
    let asked = cases.iter().any(|at| !facts[*at].again.is_empty());
    match second {
        Second::Asked if asked => {
            let again = || cases.iter().map(|at| (past(*at), tally(&facts[*at].again)));
            let both = first().zip(again()).map(|((past, mut now), (_, again))| {
                now += again;
                (past, now)
            });
            if suspects {
                guard.sight = self::sight(suite, both);
                let alone = self::sight(suite, again()).p <= ALONE;
                guard.fires = guard.sight.p <= level && alone && lost(&guard.sight);
            }
        }
        Second::Never | Second::Asked => guard.fires = fires,
        Second::Ahead => {}
    }
    guard.cases = cases;
    guard
}

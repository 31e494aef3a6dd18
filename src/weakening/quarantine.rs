//! The list of cases that may fail: entries that are new or hold longer.

use super::Demands;
use super::document::{items, place, word};
use super::kind::{Kind, Log};
use super::matching::Pairs;
use super::selection::takes;
use crate::gate::{Pattern, Selector};
use crate::source::Node;

/// One entry.
struct Excuse<'a> {
    node: &'a Node,
    glob: &'a str,
    cases: Selector,
    until: &'a str,
}

fn excuses(demands: &Demands) -> Vec<Excuse<'_>> {
    let listed = items(demands.quarantine.as_ref().map(|document| &document.node)).iter();
    listed
        .filter_map(|node| {
            let glob = word(node, "case")?;
            let cases = Selector { case: Some(Pattern::parse(glob).ok()?), ..Selector::default() };
            Some(Excuse { node, glob, cases, until: word(node, "until").unwrap_or_default() })
        })
        .collect()
}

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    let Some(document) = &now.quarantine else { return };
    let old = excuses(before);
    for new in excuses(now) {
        let known = old.iter().filter(|one| one.glob == new.glob).map(|one| one.until).max();
        match known {
            Some(until) if new.until > until => {
                let message = format!("`{}` may fail until {}, {until} before", new.glob, new.until);
                log.at(Kind::QuarantineExtended, &document.file, place(new.node, &["until"]), &message);
            }
            Some(_) => {}
            None if is_known(pairs, &new, &old) => {}
            None => {
                let message = format!("`{}` may fail until {}", new.glob, new.until);
                log.at(Kind::QuarantineAdded, &document.file, place(new.node, &["case"]), &message);
            }
        }
    }
}

/// Whether all cases of an entry were excused as long before, under whatever name.
fn is_known(pairs: &Pairs<'_>, new: &Excuse<'_>, old: &[Excuse<'_>]) -> bool {
    let mut cases = pairs.now.iter().filter(|case| takes(&new.cases, case)).peekable();
    cases.peek().is_some()
        && cases.all(|case| {
            let before = pairs.kept().find(|(_, now)| std::ptr::eq(*now, case)).map(|(before, _)| before);
            before.is_some_and(|before| {
                old.iter().any(|one| takes(&one.cases, before) && one.until >= new.until)
            })
        })
}

//! The quarantine: entries that are new or last longer.

use super::Demands;
use super::Log;
use super::pairs::{Paired, Pairs};
use crate::gate::Glob;
use crate::source::Node;
use crate::vocabulary::WeakeningKind as Kind;

/// One entry.
struct Excuse<'a> {
    node: &'a Node,
    glob: &'a str,
    cases: Glob,
    until: &'a str,
}

fn excuses(demands: &Demands) -> Vec<Excuse<'_>> {
    let listed = demands.quarantine.iter().flat_map(|document| document.node.items());
    listed
        .filter_map(|node| {
            let glob = node.get("case")?.as_str()?;
            let until = node.get("until").and_then(Node::as_str).unwrap_or_default();
            Some(Excuse { node, glob, cases: Glob::parse(glob).ok()?, until })
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
                let message = format!("`{}` may fail until {} (was {until})", new.glob, new.until);
                log.at(
                    Kind::QuarantineExtended,
                    new.glob,
                    &document.file,
                    new.node.place(&["until"]),
                    &message,
                );
            }
            known if is_known(pairs, &new, &old, known.is_some()) => {}
            _ => {
                let message = format!("`{}` may fail until {}", new.glob, new.until);
                log.at(Kind::QuarantineAdded, new.glob, &document.file, new.node.place(&["case"]), &message);
            }
        }
    }
}

/// Whether all cases of an entry were already excused for as long, under any name. New cases do not count unless the
/// entry is new.
fn is_known(pairs: &Pairs<'_>, new: &Excuse<'_>, old: &[Excuse<'_>], is_listed: bool) -> bool {
    let takes = |excuse: &Excuse<'_>, case: &Paired<'_>| excuse.cases.matches(&case.name());
    let mut cases = pairs.now.iter().filter(|case| takes(new, case)).peekable();
    if cases.peek().is_none() {
        return is_listed;
    }
    cases.all(|case| {
        let before = pairs.kept().find(|(_, now)| std::ptr::eq(*now, case)).map(|(before, _)| before);
        before.map_or(is_listed, |before| old.iter().any(|one| takes(one, before) && one.until >= new.until))
    })
}

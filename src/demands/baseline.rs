//! The committed baseline: what changed in it without adding a run.
//!
//! An update adds runs and moves the window; trials of runs that both sides list do not change. A made-up run cannot be
//! told from a real one.

use std::collections::BTreeSet;

use super::Demands;
use super::Log;
use super::pairs::Pairs;
use crate::baseline::{Baseline, BaselineCase, LEAST_RUNS, Results};
use crate::gate::used_to_pass;
use crate::source::{Location, SourceFile, json_object};
use crate::text;
use crate::vocabulary::WeakeningKind as Kind;

pub(super) fn compare(pairs: &Pairs<'_>, before: &Demands, now: &Demands, log: &mut Log) {
    let Some(was) = &before.baseline else {
        if let Some(first) = &now.baseline {
            excuses(first, log);
        }
        return;
    };
    let Some(is) = &now.baseline else {
        let from = |demands: &Demands| {
            demands.config.as_ref()?.config.gate.from.as_ref().map(|place| place.file().is_some())
        };
        // If the configuration names another place or none, the policy's comparison reports it.
        if from(before).is_none() || from(now) == Some(true) {
            log.file(Kind::BaselineRemoved, was.name(), "the baseline was removed");
        }
        return;
    };
    if was.text() == is.text() {
        return;
    }
    let (Some(old), Some(new)) = (parse(was), parse(is)) else { return };
    Accounted::of(&old, &new, is).tell(pairs, log);
}

/// A first baseline comes with the change that it judges: report failures that it excuses, which would otherwise fail
/// the gate.
fn excuses(first: &SourceFile, log: &mut Log) {
    let Some(baseline) = parse(first) else { return };
    let failing = |case: &&BaselineCase| case.tally().of > 0 && !used_to_pass(case.tally());
    let failing: Vec<String> = baseline.cases.iter().filter(failing).map(BaselineCase::name).collect();
    if let Some(name) = failing.first() {
        let message = format!(
            "a first baseline excuses {} (first: {})",
            text::count(failing.len(), "failing case"),
            text::excerpt(name, 100)
        );
        log.file(Kind::BaselineAdded, first.name(), &message);
    }
}

fn parse(file: &SourceFile) -> Option<Baseline> {
    json_object::<Baseline>(file.text().as_bytes()).ok()?.ordered().ok()
}

/// The differences that an update or an acceptance explains.
struct Accounted<'a> {
    old: &'a Baseline,
    new: &'a Baseline,
    file: &'a SourceFile,
    /// Whether a run was added, as a whole or for accepted cases.
    fresh: bool,
    /// Whether a run was added as a whole.
    whole: bool,
    /// Runs that both sides list: index then, index now, and whether the rest of the run has been added since.
    shared: Vec<(usize, usize, bool)>,
    /// `scenario/id` of newly accepted cases.
    accepted: BTreeSet<&'a str>,
}

impl<'a> Accounted<'a> {
    fn of(old: &'a Baseline, new: &'a Baseline, file: &'a SourceFile) -> Self {
        let (mut fresh, mut whole, mut shared) = (false, false, Vec::new());
        for (now, run) in new.runs.iter().enumerate() {
            let then = old.runs.iter().position(|known| known.id == run.id);
            let grown = then.is_some_and(|then| old.runs[then].partial && !run.partial);
            fresh |= then.is_none() || grown;
            whole |= (then.is_none() || grown) && !run.partial;
            shared.extend(then.map(|then| (then, now, grown)));
        }
        let accepted = new.accepted.iter().filter(|one| !old.accepted.contains(one));
        let accepted = accepted.flat_map(|one| &one.cases).map(String::as_str).collect();
        Self { old, new, file, fresh, whole, shared, accepted }
    }

    fn tell(&self, pairs: &Pairs<'_>, log: &mut Log) {
        for one in self.new.accepted.iter().filter(|one| !self.old.accepted.contains(one)) {
            let cases: Vec<&str> = one.cases.iter().map(String::as_str).collect();
            let message = format!("{} accepted: {}", text::list(&cases), text::excerpt(&one.reason, 100));
            let reason = serde_json::to_string(&one.reason).unwrap_or_default();
            log.add(Kind::BaselineAccepted, &one.reason, self.line(&[&reason]), &message);
        }
        let lost = self.old.runs.len() - self.shared.len();
        let least = LEAST_RUNS.min(self.old.runs.len());
        if lost > 0 && (!self.fresh || self.new.runs.len() < least) {
            let message = format!("{} removed by hand, not by an update", text::count(lost, "run"));
            log.add(Kind::BaselineEdited, "runs", self.line(&["\"runs\""]), &message);
        }
        if !self.fresh && self.accepted.is_empty() && self.old.epoch != self.new.epoch {
            let message = "application or judge changed without a run";
            log.add(Kind::BaselineEdited, "epoch", self.line(&["\"epoch\""]), message);
        }
        let mut known = BTreeSet::new();
        for case in &self.old.cases {
            let now = self.now(case, pairs);
            known.extend(now.map(BaselineCase::name));
            self.case(case, now, pairs, log);
        }
        for case in self.new.cases.iter().filter(|case| !known.contains(&case.name())) {
            let older = self.shared.iter().any(|(_, now, grown)| case.results.at(*now).of > 0 && !grown);
            if (!self.whole || older) && !self.accepted.contains(case.name().as_str()) {
                let message = format!("{} was added without a run", case.name());
                log.add(Kind::BaselineEdited, &case.name(), self.place(case), &message);
            }
        }
    }

    /// The same case now.
    fn now(&self, case: &BaselineCase, pairs: &Pairs<'_>) -> Option<&'a BaselineCase> {
        let renamed = || self.new.case(pairs.renamed(case.key())?);
        let same = self.new.case(case.key()).or_else(renamed);
        same.or_else(|| self.new.by_content(&case.content_hash).filter(|_| self.whole))
    }

    fn case(&self, old: &BaselineCase, new: Option<&BaselineCase>, pairs: &Pairs<'_>, log: &mut Log) {
        let name = old.name();
        // A changed application or judge makes a scenario start over.
        let reset = self.fresh && self.old.epoch(&old.scenario) != self.new.epoch(&old.scenario);
        if reset || self.accepted.contains(name.as_str()) {
            return;
        }
        let Some(new) = new else {
            let left = self.shared.iter().any(|(then, _, _)| old.results.at(*then).of > 0);
            let gone = pairs.all().any(|(case, now)| case.name() == name && now.is_none());
            if left && !gone {
                let message = format!("{name} was removed from the baseline");
                log.add(Kind::BaselineCaseRemoved, &name, self.line(&["\"cases\""]), &message);
            }
            return;
        };
        if self.accepted.contains(new.name().as_str()) {
            return;
        }
        if old.content_hash != new.content_hash {
            if !self.fresh {
                let message = format!("the content of {name} changed without a run");
                log.add(Kind::BaselineEdited, &name, self.place(new), &message);
            }
            return;
        }
        let edited = self.shared.iter().find_map(|(then, now, grown)| {
            let (was, is) = (old.results.at(*then), new.results.at(*now));
            (was != is && !(*grown && was.of == 0)).then_some((was, is))
        });
        if let Some((was, is)) = edited {
            let (was, is) = (Results::word(was), Results::word(is));
            let message = format!("{name}: the result of a run was {was}, now {is}");
            log.add(Kind::BaselineEdited, &name, self.place(new), &message);
        }
    }

    fn place(&self, case: &BaselineCase) -> Location {
        let [scenario, id] =
            [&case.scenario, &case.id].map(|name| serde_json::to_string(name).unwrap_or_default());
        self.line(&[&scenario, &id])
    }

    /// The first line that contains all of these, or the last of them, or the file's first line.
    fn line(&self, words: &[&str]) -> Location {
        let find = |words: &[&str]| {
            let lines = self.file.text().lines().zip(1..);
            lines.into_iter().find(|(line, _)| words.iter().all(|word| line.contains(word))).map(|(_, at)| at)
        };
        let last = words.len().saturating_sub(1);
        let line = find(words).or_else(|| find(&words[last..])).unwrap_or(1);
        Location { file: self.file.name().to_owned(), line, column: 1 }
    }
}

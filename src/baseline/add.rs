//! Adding the trials of a run.
//!
//! Only regular, judged trials count. A confirmation is run only because a case failed, so it would bias every rate; an
//! advisory verdict proves nothing. Trials of another epoch or content are not comparable, so such cases start over; a
//! run that is older than the newest one never makes anything start over.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::window::{outside, place};
use super::{Baseline, BaselineCase, Epoch, Mean, RunRecord, Shift, Spread};
use crate::manifest::{CaseResult, RunManifest, Trial};
use crate::stats::{Tally, real};
use crate::vocabulary::{CaseId, Outcome};

/// The result of adding a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Added {
    /// The run was added before; nothing changed.
    pub known: bool,
    /// The run is older than the whole window; nothing was added.
    pub outdated: bool,
    /// Number of cases that got trials.
    pub cases: usize,
    /// The trials that were added.
    pub tally: Tally,
    /// Number of cases that were not in the baseline before.
    pub new: usize,
    /// `scenario/id` of cases that started over because their question or expectation changed.
    pub changed: Vec<String>,
    /// Why whole scenarios started over.
    pub shifts: Vec<Shift>,
    /// Old and new names of the cases that kept their trials when they were renamed.
    pub renamed: Vec<(String, String)>,
    /// `scenario/id` of cases that were left out: the run is older than the newest one and has another epoch or
    /// content.
    pub passed_over: Vec<String>,
    /// `scenario/id` of cases whose answers were all read from records. Records only repeat the trials of an earlier
    /// run, so they are not added to a case that already has trials.
    pub recorded: Vec<String>,
    /// `scenario/id` of cases whose answers have no time, in a run in which other answers have one. They may belong to
    /// an earlier run, so they are not added to a case that already has trials.
    pub undated: Vec<String>,
    /// Ids of runs that left the window.
    pub runs_dropped: Vec<String>,
    /// `scenario/id` of cases that no run in the window judged.
    pub cases_dropped: Vec<String>,
}

/// (scenario, id).
type Name = (String, String);

type Cases = BTreeMap<Name, BaselineCase>;

/// What starts over with a run.
#[derive(Default)]
struct Beginning {
    /// Scenarios that an old run cannot add to.
    over: BTreeSet<String>,
    /// Old and new names of renamed cases.
    renamed: Vec<(Name, Name)>,
}

impl Baseline {
    /// Adds the judged trials of a run; `commit` is the commit that was run, if known.
    ///
    /// Adding the same run twice changes nothing. Errored, skipped and missing cases stay as they were. A case whose
    /// content changed starts over, and so do all cases of a scenario whose application or judge changed. A renamed
    /// case keeps its trials.
    pub fn add(&mut self, run: &RunManifest, commit: Option<&str>) -> Added {
        let mut added = Added::default();
        let moved: BTreeSet<String> = self.shifts(run).into_iter().map(|shift| shift.scenario).collect();
        let run = &*self.without_undated(run, &moved, &mut added);
        let counted = run.cases.iter().filter(|case| tally(case).of > 0);
        let (read, counted): (Vec<_>, Vec<_>) =
            counted.partition(|case| !moved.contains(&case.scenario) && self.has_read(case));
        if self.runs.iter().any(|known| known.id == run.run_id && !known.partial) {
            added.known = true;
            return added;
        }
        added.recorded = read.iter().map(|case| case.key().to_string()).collect();
        if counted.is_empty() {
            return added;
        }
        if let Some(column) = self.column(run, commit) {
            self.runs[column].partial = false;
            let newest = column + 1 == self.runs.len();
            let turn = self.turn(run, &counted, newest, &mut added);
            let mut cases = self.take_cases();
            for (before, after) in turn.renamed {
                if let Some(case) = cases.remove(&before) {
                    let (scenario, id) = after.clone();
                    let renamed = BaselineCase { scenario, id, ..case };
                    added.renamed.push((format!("{}/{}", before.0, before.1), renamed.name()));
                    cases.insert(after, renamed);
                }
            }
            for case in counted {
                if turn.over.contains(case.scenario.as_str()) {
                    added.passed_over.push(case.key().to_string());
                } else {
                    take(&mut cases, case, column, newest, &mut added);
                }
            }
            self.cases = cases.into_values().collect();
            if newest {
                self.answered_by = run.answered_by().into_iter().collect();
            }
        } else {
            added.outdated = true;
        }
        self.sweep(&mut added);
        added
    }

    /// Whether a run is, or would be, the newest one here: only then does it make anything start over.
    #[must_use]
    pub fn comes_last(&self, run: &RunManifest) -> bool {
        match self.runs.iter().position(|known| known.id == run.run_id) {
            Some(known) => known + 1 == self.runs.len(),
            None => place(&self.runs, &RunRecord::of(run, None)) == self.runs.len(),
        }
    }

    /// The run without those trials whose answers may belong to an earlier run: their lines have no time, so they may
    /// be the same answers as before, while the run's other answers make it a new run.
    fn without_undated<'r>(
        &self,
        run: &'r RunManifest,
        moved: &BTreeSet<String>,
        added: &mut Added,
    ) -> Cow<'r, RunManifest> {
        let is_new = |trial: &Trial| !trial.is_undated() && !trial.is_recorded() && trial.answer().is_some();
        if !run.trials().any(is_new) || !run.trials().any(Trial::is_undated) {
            return Cow::Borrowed(run);
        }
        let mut run = run.clone();
        for case in
            run.cases.iter_mut().filter(|case| !moved.contains(&case.scenario) && self.has_trials(case))
        {
            let before = tally(case).of;
            case.trials.retain(|trial| !trial.is_undated());
            if tally(case).of < before {
                added.undated.push(case.key().to_string());
            }
        }
        Cow::Owned(run)
    }

    /// Whether the same case has trials here.
    fn has_trials(&self, case: &CaseResult) -> bool {
        let stored = self.case(case.key());
        stored.is_some_and(|stored| stored.content_hash == case.content_hash && stored.tally().of > 0)
    }

    /// Whether all trials of a case were read from records, and the same case has trials here.
    fn has_read(&self, case: &CaseResult) -> bool {
        let recorded = |trial: &Trial| trial.is_recorded();
        counted(case).all(recorded) && self.has_trials(case)
    }

    /// The 0-based index of a run among the stored ones, inserted if missing; `None` if the run is too old for the
    /// window of each scenario that it judged.
    pub(super) fn column(&mut self, run: &RunManifest, commit: Option<&str>) -> Option<usize> {
        if let Some(known) = self.runs.iter().position(|known| known.id == run.run_id) {
            return Some(known);
        }
        let record = RunRecord::of(run, commit);
        let at = place(&self.runs, &record);
        self.runs.insert(at, record);
        self.cases.iter_mut().for_each(|case| case.results.open(at));
        let judged: BTreeSet<&str> =
            run.cases.iter().filter(|case| tally(case).of > 0).map(|case| case.scenario.as_str()).collect();
        if judged.iter().any(|scenario| !self.outside(scenario, Some(at)).contains(&at)) {
            return Some(at);
        }
        self.forget(at);
        None
    }

    /// The 0-based indices of the runs that leave the window of a scenario. The window counts only runs that judged
    /// one of its cases, and the run that is about to be added.
    fn outside(&self, scenario: &str, coming: Option<usize>) -> Vec<usize> {
        let own = self.cases.iter().filter(|case| case.scenario == scenario);
        let judged = |run: &usize| own.clone().any(|case| case.results.at(*run).of > 0);
        let own: Vec<usize> =
            (0..self.runs.len()).filter(|run| Some(*run) == coming || judged(run)).collect();
        let records: Vec<_> = own.iter().map(|run| self.runs[*run].clone()).collect();
        outside(&records).into_iter().map(|index| own[index]).collect()
    }

    fn forget(&mut self, run: usize) -> RunRecord {
        self.cases.iter_mut().for_each(|case| case.results.close(run));
        self.runs.remove(run)
    }

    /// Starts the epochs of a run, and finds the cases that are renamed in it.
    fn turn(
        &mut self,
        run: &RunManifest,
        counted: &[&CaseResult],
        newest: bool,
        added: &mut Added,
    ) -> Beginning {
        let judged: BTreeSet<&str> = counted.iter().map(|case| case.scenario.as_str()).collect();
        let names: BTreeSet<_> = counted.iter().map(|case| case.key()).collect();
        let asked: BTreeSet<_> = run.cases.iter().map(|case| case.key()).collect();
        let mut turn = Beginning::default();
        let epochs: Vec<_> =
            Epoch::all(run).into_iter().filter(|now| judged.contains(now.scenario.as_str())).collect();
        // A case may have moved to another scenario; its trials move with it only within one epoch.
        let same = |before: &BaselineCase, scenario: &str| {
            let stored = self.epoch(&before.scenario);
            let now = epochs.iter().find(|now| now.scenario == scenario);
            stored.zip(now).is_none_or(|(stored, now)| stored.shifts(now).is_empty())
        };
        if newest {
            let owned = |key: CaseId<'_>| (key.scenario.to_owned(), key.id.to_owned());
            turn.renamed = self
                .renamed(run)
                .into_iter()
                .filter(|(now, before)| names.contains(now) && same(before, now.scenario))
                .map(|(now, before)| (owned(before.key()), owned(now)))
                .collect();
        }
        for now in epochs {
            match self.epoch.iter_mut().find(|stored| stored.scenario == now.scenario) {
                None => self.epoch.push(now),
                Some(stored) => {
                    let shifts = stored.shifts(&now);
                    if shifts.is_empty() {
                        if newest {
                            let mut own = self.cases.iter().filter(|case| case.scenario == now.scenario);
                            let every = own.all(|case| asked.contains(&case.key()));
                            stored.refresh(now, every);
                        }
                    } else if newest {
                        self.cases.retain(|case| case.scenario != now.scenario);
                        *stored = now;
                        added.shifts.extend(shifts);
                    } else {
                        turn.over.insert(now.scenario);
                    }
                }
            }
        }
        self.epoch.sort_by(|a, b| a.scenario.cmp(&b.scenario));
        turn
    }

    fn take_cases(&mut self) -> Cases {
        let cases = std::mem::take(&mut self.cases).into_iter();
        cases.map(|case| ((case.scenario.clone(), case.id.clone()), case)).collect()
    }

    /// Drops trials that left the window of their scenario, runs and cases without a trial in it, and epochs without a
    /// case.
    pub(super) fn sweep(&mut self, added: &mut Added) {
        let scenarios: BTreeSet<String> = self.cases.iter().map(|case| case.scenario.clone()).collect();
        let mut aged: BTreeSet<usize> = outside(&self.runs).into_iter().collect();
        for scenario in scenarios {
            let gone = self.outside(&scenario, None);
            for case in self.cases.iter_mut().filter(|case| case.scenario == scenario) {
                for run in &gone {
                    case.results.put(*run, Tally::default());
                }
            }
            aged.extend(gone);
        }
        for run in aged.into_iter().rev() {
            if self.cases.iter().all(|case| case.results.at(run).of == 0) {
                added.runs_dropped.insert(0, self.forget(run).id);
            }
        }
        let gone = |case: &BaselineCase| case.tally().of == 0;
        added.cases_dropped.extend(self.cases.iter().filter(|case| gone(case)).map(BaselineCase::name));
        self.cases.retain(|case| !gone(case));
        let left: BTreeSet<&str> = self.cases.iter().map(|case| case.scenario.as_str()).collect();
        self.epoch.retain(|epoch| left.contains(epoch.scenario.as_str()));
    }
}

/// Adds the trials of one case.
fn take(cases: &mut Cases, case: &CaseResult, column: usize, newest: bool, added: &mut Added) {
    let name = || case.key().to_string();
    let fresh = || BaselineCase::new(&case.scenario, &case.id, &case.content_hash, Tally::default());
    let stored = cases.entry((case.scenario.clone(), case.id.clone())).or_insert_with(|| {
        added.new += 1;
        fresh()
    });
    if stored.content_hash != case.content_hash {
        if !newest {
            added.passed_over.push(name());
            return;
        }
        *stored = fresh();
        added.changed.push(name());
    }
    // An accepted case already has its trials of this run.
    if stored.results.at(column).of > 0 {
        return;
    }
    put(stored, case, column);
    added.cases += 1;
    added.tally += tally(case);
}

/// Writes the trials of one case into the column of their run.
pub(super) fn put(stored: &mut BaselineCase, case: &CaseResult, column: usize) {
    stored.results.put(column, tally(case));
    Spread::gather(&mut stored.score, counted(case).filter_map(|trial| trial.score));
    let answers = || counted(case).flat_map(Trial::answers);
    Mean::gather(&mut stored.latency_ms, answers().filter_map(|answer| answer.latency_ms).map(real));
    Mean::gather(&mut stored.cost_usd, answers().filter_map(|answer| answer.cost_usd));
}

fn counted(case: &CaseResult) -> impl Iterator<Item = &Trial> {
    case.trials.iter().filter(|trial| {
        let proven = trial.verdicts().all(|verdict| verdict.advisory.is_none());
        proven && !trial.confirmation && matches!(trial.outcome, Outcome::Passed | Outcome::Failed)
    })
}

/// Passes among the trials that count.
pub(super) fn tally(case: &CaseResult) -> Tally {
    let passed = counted(case).filter(|trial| trial.outcome == Outcome::Passed);
    Tally { hits: passed.count() as u64, of: counted(case).count() as u64 }
}

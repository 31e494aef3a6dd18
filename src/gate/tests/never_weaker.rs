//! A run with a baseline is at least as strict as without one, except for cases that evidence excuses.
//! || Suites, baselines, policies and sources are random; counters show that every excuse and every source occurs.

use std::collections::BTreeMap;

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use super::judge::judged_by;
use super::*;
use crate::baseline::Epoch;
use crate::gate::excuse::Excuse;
use crate::manifest::Verdict;
use crate::seed::Root;
use crate::vocabulary::{Answer, VerdictKind};

/// Random runs.
const RUNS: u64 = 3_000;

/// How often each excuse and each source must occur.
const OFTEN: usize = 200;

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Recorded answers from a file.
    Live,
    /// A file of answers.
    Replies,
    /// Records of the cache.
    Replay,
}

/// One random run.
struct Drawn {
    source: Source,
    run: RunManifest,
    stored: Baseline,
    policy: Policy,
    /// The available answers of each case, in order.
    further: Vec<Vec<Option<bool>>>,
}

fn up_to(random: &mut Pcg64Mcg, most: u64) -> u64 {
    random.next_u64() % (most + 1)
}

fn one_in(random: &mut Pcg64Mcg, n: u64) -> bool {
    random.next_u64().is_multiple_of(n)
}

fn passes(random: &mut Pcg64Mcg, percent: u64) -> bool {
    random.next_u64() % 100 < percent
}

impl Drawn {
    fn of(seed: u64) -> Self {
        let random = &mut Root(seed).stream(&["never violation"]);
        let source =
            [Source::Live, Source::Replies, Source::Replay][usize::try_from(up_to(random, 2)).unwrap()];
        let policy = policy(random);
        let (mut cases, mut further, mut stored) = (Vec::new(), Vec::new(), Baseline::empty());
        let repeat = if one_in(random, 3) { 1 + up_to(random, 3) } else { 1 };
        let all_fail = one_in(random, 8);
        for index in 0..=up_to(random, 11) {
            let before = [0, 50, 80, 100, 100, 100][usize::try_from(up_to(random, 5)).unwrap()];
            let now = if all_fail {
                0
            } else {
                [0, 50, before, before, before][usize::try_from(up_to(random, 4)).unwrap()]
            };
            let id = format!("c{index:02}");
            let outcomes: Vec<_> = (0..repeat)
                .map(|_| match passes(random, now) {
                    _ if one_in(random, 40) => Errored,
                    true => Passed,
                    false => Failed,
                })
                .collect();
            let mut case = case(&id, &outcomes);
            case.tags = vec![format!("t{}", index % 2)];
            for trial in &mut case.trials {
                answer(trial, source);
            }
            let trials = [0, 1, 2, 3, 5, 10, 20][usize::try_from(up_to(random, 6)).unwrap()];
            if trials > 0 {
                let hits = (0..trials).filter(|_| passes(random, before)).count() as u64;
                let hash = if one_in(random, 8) { "other".to_owned() } else { format!("hash-{id}") };
                stored.cases.push(BaselineCase::new(
                    "support",
                    &id,
                    &hash,
                    stats::Tally { hits, of: trials },
                ));
            }
            let many = if source == Source::Live {
                64
            } else {
                [0, 0, 0, 1, 3, 12][usize::try_from(up_to(random, 5)).unwrap()]
            };
            further.push((0..many).map(|_| (!one_in(random, 60)).then(|| passes(random, now))).collect());
            cases.push(case);
        }
        let mut run = RunManifest { scenarios: vec![judged_by("judge")], ..of(cases) };
        let other = if one_in(random, 10) { "another" } else { "judge" };
        stored.epoch = Epoch::all(&RunManifest { scenarios: vec![judged_by(other)], ..of(Vec::new()) });
        for trial in run.cases.iter_mut().flat_map(|case| &mut case.trials) {
            if trial.outcome != Errored {
                trial.judge_with(verdict(trial.outcome));
            }
        }
        Self { source, run, stored, policy, further }
    }

    /// The run with or without this baseline, and its decision.
    fn decided(&self, baseline: Option<&Baseline>) -> (RunManifest, Decision) {
        let (mut run, mut short) = (self.run.clone(), BTreeSet::new());
        let mut further = self.further.clone();
        for answers in &mut further {
            answers.reverse();
        }
        loop {
            let (cases, second) = match next(&run, found(baseline), &self.policy, &short) {
                Next::Nothing => break,
                Next::Suspects(cases) => (cases, false),
                Next::SecondRound(cases) => (cases, true),
            };
            for case in cases {
                let Some(passes) = further[case].pop() else {
                    short.insert(case);
                    continue;
                };
                let outcome = passes.map_or(Errored, |passes| if passes { Passed } else { Failed });
                let index = u32::try_from(run.cases[case].trials.len()).unwrap();
                let mut fresh = Trial { second_round: second, ..trial(index, outcome, true) };
                answer(&mut fresh, self.source);
                if outcome != Errored {
                    fresh.judge_with(verdict(outcome));
                }
                run.cases[case].trials.push(fresh);
            }
        }
        let decision = judge(&run, baseline, &self.policy);
        (run, decision)
    }

    /// Whether an excuse is based on evidence.
    fn holds(&self, run: &RunManifest, excused: &Excused) -> bool {
        let case = run.cases.iter().find(|case| case.key() == excused.key()).unwrap();
        let stored = self.stored.case(case.key());
        let past = stored.map(BaselineCase::tally).unwrap_or_default();
        let known = stored.is_some_and(|stored| stored.content_hash == case.content_hash);
        let ordinary = case.ordinary().skip_while(|trial| trial.outcome != Failed).skip(1);
        let fresh =
            ordinary.chain(case.confirmations()).filter(|trial| trial.outcome == Passed).count() as u64;
        match excused.excuse {
            Excuse::FailedBefore { passes, trials } => {
                known && (past.hits, past.of) == (passes, trials) && passes < trials
            }
            Excuse::Cleared { passes, .. } | Excuse::Open { passes, .. } => passes > 0 && passes <= fresh,
            Excuse::Quarantined => self.policy.quarantine_of(case).is_some(),
            Excuse::Rate => self.policy.rated(case),
        }
    }

    /// The first violation in a run with a baseline; counts the excuses.
    fn violation(&self, counts: &mut BTreeMap<String, usize>) -> Option<String> {
        let (_, alone) = self.decided(None);
        let (run, beside) = self.decided(Some(&self.stored));
        let code = |decision: &Decision| crate::cli::Status::of(decision, Ended::Complete).code();
        *counts.entry(format!("{:?}", self.source)).or_default() += 1;
        for one in &beside.excuses {
            let kind = serde_json::to_value(one).unwrap()["kind"].as_str().unwrap().to_owned();
            *counts.entry(kind).or_default() += 1;
            if !self.holds(&run, one) {
                return Some(format!("{one:?} rests on nothing"));
            }
        }
        if code(&alone) == 0 || code(&beside) != 0 {
            return None;
        }
        // Everything but single failures is independent of a baseline, except that the strict policy needs one.
        let of_case = |finding: &Finding| {
            let ids = [
                FindingId::CaseFailed,
                FindingId::Critical,
                FindingId::NothingPassed,
                FindingId::BaselineMissing,
            ];
            ids.contains(&finding.id)
        };
        if let Some(other) = alone.findings.iter().find(|finding| !of_case(finding)) {
            return Some(format!("{other:?} is gone"));
        }
        // A policy that fails on fewer findings may itself allow a failure, with or without a baseline.
        let softened = self.policy.fail_on != Category::DEFAULT.into();
        let failing = run
            .cases
            .iter()
            .zip(&alone.cases)
            .filter(|(case, state)| case.outcome == Failed && (state.blocking || !softened));
        let unexcused = failing
            .map(|(case, _)| case)
            .find(|case| !beside.excuses.iter().any(|one| one.key() == case.key()));
        unexcused.map(|case| format!("{} fails and nothing excuses it: {:#?}", case.id, beside))
    }
}

fn policy(random: &mut Pcg64Mcg) -> Policy {
    let quarantine = one_in(random, 3).then(|| Quarantined {
        case: Glob::parse("*/c0[0-2]").unwrap(),
        owner: "ada".to_owned(),
        reason: "known".to_owned(),
        until: "2099-01-01".to_owned(),
    });
    let rate = |random: &mut Pcg64Mcg| [0.0, 0.3, 0.8][usize::try_from(up_to(random, 2)).unwrap()];
    let thresholds = one_in(random, 6).then(|| Threshold {
        metric: Metric::PassRate,
        cases: Selector { tags: vec!["t1".to_owned()], ..Selector::default() },
        min: Some(rate(random)),
        max: None,
    });
    let critical = Selector { case: Some(Glob::parse("*/c03").unwrap()), ..Selector::default() };
    let mut fail_on: BTreeSet<Category> = Category::DEFAULT.into();
    if one_in(random, 6) {
        let category = Category::DEFAULT[usize::try_from(up_to(random, 4)).unwrap()];
        fail_on.remove(&category);
    }
    Policy {
        min_pass_rate: one_in(random, 5).then(|| rate(random)),
        max_error_rate: if one_in(random, 3) { 1.0 } else { 0.0 },
        thresholds: thresholds.into_iter().collect(),
        critical: if one_in(random, 8) { vec![critical] } else { Vec::new() },
        confirm: [10, 10, 10, 4, 1, 0][usize::try_from(up_to(random, 5)).unwrap()],
        alpha: [0.02, 0.02, 0.1][usize::try_from(up_to(random, 2)).unwrap()],
        thin: if one_in(random, 4) { Thin::Warn } else { Thin::Strict },
        unconfirmed: if one_in(random, 4) { Unconfirmed::Fail } else { Unconfirmed::Inconclusive },
        rigor: if one_in(random, 10) { Rigor::Strict } else { Rigor::Usual },
        quarantine: quarantine.into_iter().collect(),
        fail_on,
        ..Policy::default()
    }
}

/// The answer of a trial, from this source.
fn answer(trial: &mut Trial, source: Source) {
    let (given, recorded) = (source == Source::Replies, source == Source::Replay);
    trial.answer_with(Some(Answer { recorded, given, ..Answer::default() }));
}

fn verdict(outcome: Outcome) -> Verdict {
    super::judge::verdict(VerdictKind::LlmGrader, outcome, Vec::new())
}

#[test]
fn a_baseline_does_not_make_a_failing_run_pass_without_an_excuse() {
    let mut counts = BTreeMap::new();
    for seed in 0..RUNS {
        if let Some(wrong) = Drawn::of(seed).violation(&mut counts) {
            panic!("run {seed}: {wrong}");
        }
    }
    for word in ["Live", "Replies", "Replay", "failed-before", "cleared", "open", "quarantined", "rate"] {
        let count = counts.get(word).copied().unwrap_or_default();
        assert!(count >= OFTEN, "{word} occurs {count} times: {counts:?}");
    }
}

/// Checks the test itself: with a policy that lets unconfirmed failures exit with 0, a violation is found.
#[test]
fn an_unconfirmed_failure_that_ends_with_zero_would_be_found() {
    let violation = (0..200).filter(|seed| {
        let mut drawn = Drawn::of(*seed);
        drawn.policy.unconfirmed = Unconfirmed::Warn;
        drawn.violation(&mut BTreeMap::new()).is_some()
    });
    assert!(violation.count() > 0);
}

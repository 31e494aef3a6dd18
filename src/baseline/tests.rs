use proptest::prelude::*;

use super::window::MOST_RUNS;
use super::*;
use crate::manifest::{CaseResult, Ended, ScenarioRun, Trial, Verdict};
use crate::source::Location;
use crate::vocabulary::{Answer, CaseId, Outcome, VerdictKind};

use Outcome::{Errored, Failed, Passed, Skipped};

fn trial(outcome: Outcome) -> Trial {
    let answer = Answer { latency_ms: Some(100), ..Answer::default() };
    let score = (outcome == Passed || outcome == Failed).then_some(if outcome == Passed { 1.0 } else { 0.0 });
    Trial { score, ..Trial::single(outcome, Some(answer), None) }
}

fn case(id: &str, content: &str, outcomes: &[Outcome]) -> CaseResult {
    CaseResult {
        scenario: "s".to_owned(),
        id: id.to_owned(),
        name: None,
        tags: Vec::new(),
        location: Location { file: "s.yaml".to_owned(), line: 1, column: 1 },
        content_hash: content.to_owned(),
        outcome: outcomes.first().copied().unwrap_or(Skipped),
        score: None,
        reason: String::new(),
        prompt: String::new(),
        trials: outcomes.iter().map(|outcome| trial(*outcome)).collect(),
        earlier: None,
    }
}

/// A run on a day in January.
fn run(id: &str, day: Option<u32>, cases: Vec<CaseResult>) -> RunManifest {
    RunManifest {
        schema: crate::manifest::SCHEMA.to_owned(),
        akit: "0.1.0".to_owned(),
        run_id: id.to_owned(),
        at: day.map(|day| format!("2026-01-{day:02}T00:00:00Z")),
        commit: None,
        suite: Vec::new(),
        seed: 0,
        ended: Ended::Complete,
        duration_ms: 0,
        scenarios: vec![scenario("s", "t1", None)],
        cases,
        redacted: None,
        notes: Vec::new(),
    }
}

fn scenario(name: &str, target_hash: &str, grader_hash: Option<&str>) -> ScenarioRun {
    ScenarioRun {
        version: None,
        unidentified: false,
        name: name.to_owned(),
        seed: None,
        file: "s.yaml".to_owned(),
        target: "openai m at h".to_owned(),
        target_hash: target_hash.to_owned(),
        grader: grader_hash.map(|_| "judge".to_owned()),
        grader_hash: grader_hash.map(str::to_owned),
    }
}

fn results(baseline: &Baseline) -> Vec<(String, String)> {
    baseline.cases.iter().map(|case| (case.id.clone(), case.results.to_string())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, results)| ((*id).to_owned(), (*results).to_owned())).collect()
}

#[test]
fn only_judged_regular_confirmed_trials_count() {
    let mut odd = case("odd", "h", &[Passed, Failed, Passed, Errored, Skipped]);
    odd.trials[0].confirmation = true;
    let advisory = Verdict {
        turn: None,
        kind: VerdictKind::LlmGrader,
        outcome: Failed,
        score: Some(0.0),
        threshold: None,
        reason: String::new(),
        expected: String::new(),
        got: String::new(),
        line: 0,
        rule: None,
        grade: None,
        fault: None,
        advisory: Some("not calibrated".to_owned()),
        any: false,
        parts: Vec::new(),
    };
    let mut unproven = case("unproven", "h", &[Passed]);
    unproven.trials[0].judge_with(advisory);
    let mut baseline = Baseline::empty();
    let cases = vec![
        odd,
        unproven,
        case("down", "h", &[Errored]),
        case("four", "h", &[Passed, Passed, Failed, Passed]),
    ];
    let added = baseline.add(&run("r1", None, cases), Some("c0ffee"));
    assert_eq!((added.cases, added.tally, added.new), (2, Tally { hits: 4, of: 6 }, 2));
    assert_eq!(results(&baseline), pairs(&[("four", "3/4"), ("odd", "1/2")]));
    assert_eq!(baseline.runs[0].commit.as_deref(), Some("c0ffee"));
    let four = baseline.case(CaseId::new("s", "four")).unwrap();
    assert_eq!((four.score.unwrap().n, four.score.unwrap().mean), (4, 0.75));
    assert_eq!(four.latency_ms, Some(Mean { n: 4, mean: 100.0 }));
    assert_eq!(baseline.case(CaseId::new("s", "down")), None);
}

#[test]
fn a_run_is_added_once_and_only_with_a_judged_trial() {
    let mut baseline = Baseline::empty();
    let first = run("r1", None, vec![case("a", "h", &[Passed])]);
    baseline.add(&first, None);
    let before = baseline.clone();
    let added = baseline.add(&first, None);
    assert!(added.known && added.cases == 0);
    assert_eq!(baseline.add(&run("r2", None, vec![case("a", "h", &[Errored])]), None), Added::default());
    assert_eq!(baseline, before);
}

#[test]
fn changed_content_resets_a_case_and_an_old_run_resets_nothing() {
    let mut baseline = Baseline::empty();
    baseline.add(&run("r1", Some(3), vec![case("a", "h1", &[Passed]), case("b", "h", &[Failed])]), None);
    let added = baseline.add(&run("r2", Some(5), vec![case("a", "h2", &[Failed])]), None);
    assert_eq!(added.changed, ["s/a"]);
    assert_eq!(results(&baseline), pairs(&[("a", "- 0"), ("b", "0")]));
    let added =
        baseline.add(&run("r3", Some(4), vec![case("a", "h1", &[Passed]), case("b", "h", &[Passed])]), None);
    assert_eq!((added.passed_over, added.cases), (vec!["s/a".to_owned()], 1));
    assert_eq!(results(&baseline), pairs(&[("a", "-x2 0"), ("b", "0 1")]));
    assert_eq!(baseline.runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["r1", "r3", "r2"]);
}

#[test]
fn another_epoch_resets_its_scenario() {
    let with = |id: &str, day, target: &str, grader: Option<&str>, cases: Vec<CaseResult>| RunManifest {
        scenarios: vec![scenario("s", target, grader), scenario("other", "t1", None)],
        ..run(id, Some(day), cases)
    };
    let other = || CaseResult { scenario: "other".to_owned(), ..case("o", "ho", &[Passed]) };
    let all = || vec![case("a", "h", &[Passed]), case("b", "hb", &[Passed]), other()];
    // Target and judge of a later run, and whether the scenario starts over.
    let table = [
        ("t1", Some("g1"), None),
        ("t1", None, None),
        ("", Some("g1"), None),
        ("t2", Some("g1"), Some(Role::Target)),
        ("t1", Some("g2"), Some(Role::Grader)),
    ];
    for (target, grader, role) in table {
        let mut baseline = Baseline::empty();
        baseline.add(&with("r1", 1, "t1", Some("g1"), all()), None);
        let now = with("r2", 2, target, grader, vec![case("a", "h", &[Failed]), other()]);
        assert_eq!(baseline.shifts(&now).iter().map(|shift| shift.role).next(), role);
        let added = baseline.add(&now, None);
        assert_eq!(added.shifts.iter().map(|shift| shift.role).next(), role, "{target} {grader:?}");
        let expected: &[_] = match role {
            Some(_) => &[("o", "1x2"), ("a", "- 0")],
            None => &[("o", "1x2"), ("a", "1 0"), ("b", "1")],
        };
        assert_eq!(results(&baseline), pairs(expected), "{target} {grader:?}");
        // Fields that the later run does not have are kept.
        let epoch = baseline.epoch("s").unwrap();
        assert!(!epoch.target_hash.is_empty() && epoch.grader_hash.is_some());
        // An earlier run resets nothing.
        let old = with("r0", 1, "t0", Some("g0"), all());
        let before = results(&baseline).len();
        let added = baseline.add(&old, None);
        assert_eq!((added.passed_over.len(), added.shifts.len()), (2, 0));
        assert_eq!(results(&baseline).len(), before);
    }
    let mut baseline = Baseline::empty();
    baseline.add(&with("r1", 1, "t1", None, all()), None);
    let next = RunManifest { akit: "1.0.0".to_owned(), ..with("r2", 2, "t1", None, all()) };
    assert_eq!(baseline.add(&next, None).shifts[0].to_string(), "other: akit was 0, now 1");
}

#[test]
fn a_scenario_in_two_files_has_one_epoch() {
    let two = |id: &str| {
        let scenarios = vec![scenario("s", "t2", None), scenario("s", "t1", None)];
        RunManifest { scenarios, ..run(id, None, vec![case("a", "h", &[Passed])]) }
    };
    let mut baseline = Baseline::empty();
    baseline.add(&two("r1"), None);
    assert!(baseline.add(&two("r2"), None).shifts.is_empty());
    assert_eq!((baseline.epoch.len(), results(&baseline)), (1, pairs(&[("a", "1x2")])));
}

#[test]
fn a_renamed_case_keeps_its_trials() {
    let mut baseline = Baseline::empty();
    baseline.add(
        &run(
            "r1",
            None,
            vec![case("old", "h", &[Passed]), case("x", "same", &[Passed]), case("y", "same", &[Passed])],
        ),
        None,
    );
    let now = run("r2", None, vec![case("new", "h", &[Failed]), case("z", "same", &[Passed])]);
    let renamed = baseline.renamed(&now);
    assert_eq!(
        renamed.into_iter().map(|(now, before)| (now.id, before.id.as_str())).collect::<Vec<_>>(),
        [("new", "old")]
    );
    assert_eq!(baseline.by_content("h").unwrap().id, "old");
    assert_eq!(baseline.by_content("same"), None);
    let added = baseline.add(&now, None);
    assert_eq!(added.renamed, [("s/old".to_owned(), "s/new".to_owned())]);
    assert_eq!(results(&baseline), pairs(&[("new", "1 0"), ("x", "1"), ("y", "1"), ("z", "- 1")]));
    // A copy is not a rename: the old case is still in the suite, even if it was skipped.
    let copied = run("r3", None, vec![case("new", "h", &[]), case("copy", "h", &[Passed])]);
    assert!(baseline.renamed(&copied).is_empty());
}

#[test]
fn removed_cases_leave_with_their_runs() {
    let mut baseline = Baseline::empty();
    baseline.add(&run("r0", None, vec![case("gone", "g", &[Passed]), case("a", "h", &[Passed])]), None);
    for index in 1..MOST_RUNS {
        baseline.add(&run(&format!("r{index}"), None, vec![case("a", "h", &[Passed])]), None);
    }
    assert_eq!(results(&baseline), pairs(&[("a", "1x20"), ("gone", "1")]));
    let added = baseline.add(&run("r20", None, vec![case("a", "h", &[Failed])]), None);
    assert_eq!((added.runs_dropped, added.cases_dropped), (vec!["r0".to_owned()], vec!["s/gone".to_owned()]));
    assert_eq!(results(&baseline), pairs(&[("a", "1x19 0")]));
    assert_eq!(
        baseline.case(CaseId::new("s", "a")).unwrap().score.unwrap().n,
        21,
        "figures are kept beyond the window"
    );

    let dated = |id: &str, day| run(id, Some(day), vec![case("a", "h", &[Passed])]);
    let mut baseline = Baseline::empty();
    for index in 0..MOST_RUNS {
        baseline.add(&dated(&format!("d{index}"), 10), None);
    }
    let before = baseline.clone();
    let added = baseline.add(&dated("ancient", 1), None);
    assert!(added.outdated && added.cases == 0);
    assert_eq!(baseline, before);
}

#[test]
fn accepted_cases_count_as_new_or_begin_with_a_run() {
    let mut baseline = Baseline::empty();
    let first = run("r1", None, vec![case("a", "h", &[Passed]), case("b", "hb", &[Passed])]);
    baseline.add(&first, None);
    let note =
        || Acceptance { cases: vec!["s/a".to_owned()], reason: "new tone".to_owned(), by: None, at: None };
    let name = |id: &str| BTreeSet::from([("s".to_owned(), id.to_owned())]);
    let mut dropped = baseline.clone();
    assert_eq!(dropped.accept(&name("a"), None, note()).dropped, ["s/a"]);
    assert_eq!(results(&dropped), pairs(&[("b", "1")]));
    assert_eq!(dropped.acceptance("s/a").unwrap().reason, "new tone");
    assert_eq!(dropped.acceptance("s/b"), None);

    let now = run("r2", None, vec![case("a", "h", &[Failed, Failed]), case("b", "hb", &[Failed])]);
    assert_eq!(baseline.accept(&name("a"), Some(&now), note()).replaced, ["s/a"]);
    assert_eq!(results(&baseline), pairs(&[("a", "- 0/2"), ("b", "1")]));
    assert!(baseline.runs[1].partial);
    // The rest of that run can still be added, once.
    let added = baseline.add(&now, None);
    assert_eq!((added.cases, added.known, added.new), (1, false, 0));
    assert_eq!(results(&baseline), pairs(&[("a", "- 0/2"), ("b", "1 0")]));
    assert!(baseline.add(&now, None).known);
    assert_eq!(baseline.case(CaseId::new("s", "a")).unwrap().score.unwrap().n, 2);
}

#[test]
fn an_inconsistent_file_is_refused() {
    let one = |id: &str, results: &str| BaselineCase {
        results: Results::try_from(results.to_owned()).unwrap(),
        ..BaselineCase::new("s", id, "h", Tally::default())
    };
    let mut baseline = Baseline::empty();
    baseline.runs.push(RunRecord {
        id: "r".to_owned(),
        at: None,
        commit: None,
        version: None,
        partial: false,
    });
    baseline.cases = vec![one("b", "1"), one("a", "1")];
    assert_eq!(baseline.clone().ordered().unwrap().cases[0].id, "a");
    baseline.cases.push(one("a", "0"));
    assert_eq!(baseline.clone().ordered(), Err(BadBaseline::Twice("s/a".to_owned())));
    baseline.cases = vec![one("a", "1 1")];
    assert!(
        baseline.clone().ordered().unwrap_err().to_string().contains("results of 2 runs, but `runs` lists 1")
    );
    baseline.runs.push(baseline.runs[0].clone());
    assert_eq!(baseline.ordered(), Err(BadBaseline::Twice("r".to_owned())));
}

/// The day of a run if it has one, and for each of three cases its passes and failures.
type Sketch = (Option<u32>, Vec<(usize, usize)>);

fn sequences() -> impl Strategy<Value = Vec<Sketch>> {
    let cases = prop::collection::vec((0..3_usize, 0..2_usize), 3);
    prop::collection::vec((prop::option::of(1..29_u32), cases), 0..40)
}

fn sequence(runs: &[Sketch]) -> Vec<RunManifest> {
    let trials = |(passes, failures): (usize, usize)| [vec![Passed; passes], vec![Failed; failures]].concat();
    runs.iter()
        .enumerate()
        .map(|(index, (day, cases))| {
            let cases = cases.iter().zip(["a", "b", "c"]);
            let cases = cases.map(|(counts, id)| case(id, id, &trials(*counts))).collect();
            run(&format!("r{index}"), *day, cases)
        })
        .collect()
}

/// The tallies by definition: over all trials of the listed runs.
fn naive(runs: &[RunManifest], listed: &[RunRecord]) -> Vec<(String, Tally)> {
    let mut totals = BTreeMap::new();
    for run in runs.iter().filter(|run| listed.iter().any(|known| known.id == run.run_id)) {
        for case in run.cases.iter().filter(|case| !case.trials.is_empty()) {
            let passes = case.trials.iter().filter(|trial| trial.outcome == Passed).count();
            let total: &mut Tally = totals.entry(case.id.clone()).or_default();
            *total += Tally { hits: passes as u64, of: case.trials.len() as u64 };
        }
    }
    totals.into_iter().collect()
}

fn tallies(baseline: &Baseline) -> Vec<(String, Tally)> {
    baseline.cases.iter().map(|case| (case.id.clone(), case.tally())).collect()
}

proptest! {
    #[test]
    fn any_sequence_of_updates_gives_the_tallies_of_the_window(runs in sequences()) {
        let runs = sequence(&runs);
        let mut baseline = Baseline::empty();
        for (index, run) in runs.iter().enumerate() {
            baseline.add(run, None);
            prop_assert_eq!(tallies(&baseline), naive(&runs[..=index], &baseline.runs));
            prop_assert!(baseline.runs.len() <= MOST_RUNS);
            let text = serde_json::to_string(&baseline).unwrap();
            let read: Baseline = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read.ordered().unwrap(), &baseline);
        }
    }

    #[test]
    fn the_order_of_updates_does_not_matter_to_totals(runs in sequences(), keys in prop::collection::vec(any::<u32>(), 20)) {
        let runs = sequence(&runs[..runs.len().min(MOST_RUNS)]);
        let mut shuffled: Vec<_> = runs.iter().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let (mut one, mut other) = (Baseline::empty(), Baseline::empty());
        for run in &runs {
            one.add(run, None);
        }
        for (run, _) in shuffled {
            other.add(run, None);
        }
        prop_assert_eq!(tallies(&one), tallies(&other));
    }
}

#[test]
fn answers_from_the_cache_are_the_trials_of_an_earlier_run() {
    let read = |id: &str| {
        let mut run = run(id, None, vec![case("a", "h", &[Passed])]);
        run.cases[0].trials[0].answer_with(Some(Answer { recorded: true, ..Answer::default() }));
        run
    };
    let mut baseline = Baseline::empty();
    // A recorded answer counts as a trial of a case that has none yet.
    assert_eq!(baseline.add(&read("one"), None).cases, 1);
    let added = baseline.add(&read("two"), None);
    assert_eq!((added.cases, added.recorded), (0, vec!["s/a".to_owned()]));
    assert_eq!((baseline.runs.len(), results(&baseline)), (1, vec![("a".to_owned(), "1".to_owned())]));
    baseline.add(&run("three", None, vec![case("a", "h", &[Passed])]), None);
    assert_eq!(results(&baseline), [("a".to_owned(), "1x2".to_owned())]);
}

/// A run of one case of a scenario, on a day counted from the first of January.
fn of(name: &str, day: i64) -> RunManifest {
    let first = chrono::DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let case = CaseResult { scenario: name.to_owned(), ..case("c", name, &[Passed]) };
    RunManifest {
        at: Some((first + chrono::TimeDelta::days(day)).to_rfc3339()),
        scenarios: vec![scenario(name, "t1", None)],
        ..run(&format!("{name}{day}"), None, vec![case])
    }
}

#[test]
fn each_scenario_has_a_window_of_its_own() {
    let mut baseline = Baseline::empty();
    baseline.add(&of("nightly", 0), None);
    for day in 1..=40 {
        let added = baseline.add(&of("hourly", day), None);
        assert_eq!(added.cases_dropped, Vec::<String>::new(), "day {day}");
    }
    let trials = |scenario: &str| baseline.case(CaseId::new(scenario, "c")).map(|case| case.tally().of);
    // The last twenty of its own runs, and thirty days before its newest.
    assert_eq!((trials("nightly"), trials("hourly")), (Some(1), Some(MOST_RUNS as u64)));
    assert_eq!(baseline.runs.len(), MOST_RUNS + 1);
    assert_eq!(baseline.epoch.len(), 2);
    // It continues where it was, and an old run of the other one is still too old.
    assert_eq!(baseline.add(&of("nightly", 41), None).tally.of, 1);
    assert!(baseline.add(&of("hourly", 2), None).outdated);
    assert_eq!(baseline.add(&of("nightly", 20), None).tally.of, 1);
    let trials = |scenario: &str| baseline.case(CaseId::new(scenario, "c")).map(|case| case.tally().of);
    assert_eq!((trials("nightly"), trials("hourly")), (Some(3), Some(MOST_RUNS as u64)));
    // A run of both moves each window separately.
    let both = RunManifest {
        scenarios: ["nightly", "hourly"].map(|name| scenario(name, "t1", None)).into(),
        cases: ["nightly", "hourly"].iter().flat_map(|name| of(name, 0).cases).collect(),
        ..of("both", 42)
    };
    let added = baseline.add(&both, None);
    assert_eq!((added.tally.of, added.runs_dropped), (2, vec!["hourly21".to_owned()]));
}

#[test]
fn only_lines_with_a_time_are_dated() {
    let with = |id: &str, answers: [Answer; 2]| {
        let mut run = run(id, None, vec![case("a", "h", &[Passed]), case("b", "h2", &[Passed])]);
        for (case, answer) in run.cases.iter_mut().zip(answers) {
            case.trials[0].answer_with(Some(answer));
        }
        run
    };
    let undated = || Answer { given: true, ..Answer::default() };
    let dated = || Answer { given: true, dated: true, ..Answer::default() };
    let live = Answer::default;
    let recorded = || Answer { recorded: true, ..Answer::default() };
    // The answers of `a` and `b`, and which trials count.
    let table = [
        (undated(), undated(), "11"),
        (dated(), undated(), "10"),
        (undated(), dated(), "01"),
        (live(), undated(), "10"),
        (dated(), dated(), "11"),
        (live(), dated(), "11"),
        // A cached answer adds nothing new, so the run consists of the given lines.
        (recorded(), undated(), "01"),
    ];
    for (a, b, counted) in table {
        let mut baseline = Baseline::empty();
        baseline.add(&with("first", [undated(), undated()]), None);
        let added = baseline.add(&with("second", [a, b]), None);
        let trials = |id: &str| baseline.case(CaseId::new("s", id)).unwrap().tally().of - 1;
        assert_eq!(format!("{}{}", trials("a"), trials("b")), counted, "{added:?}");
    }
    // A new case cannot repeat anything.
    let mut baseline = Baseline::empty();
    assert_eq!(baseline.add(&with("first", [dated(), undated()]), None).cases, 2);
}

#[test]
fn the_newest_run_is_found_by_time_in_any_time_zone() {
    let at = |id: &str, at: &str| RunManifest {
        at: Some(at.to_owned()),
        ..run(id, None, vec![case("a", "h", &[Passed])])
    };
    let mut baseline = Baseline::empty();
    baseline.add(&at("r1", "2026-01-01T10:00:00Z"), None);
    for (time, last) in [
        ("2026-01-01T10:00:00.5Z", true),
        ("2026-01-01T10:00:00Z", true),
        ("2026-01-01T12:00:01+02:00", true),
        ("2026-01-01T09:59:59.9Z", false),
        ("2026-01-01T11:59:59+02:00", false),
    ] {
        assert_eq!(baseline.comes_last(&at("r2", time)), last, "{time}");
        // As written by an update.
        let mut shifted = at("r2", time);
        shifted.scenarios = vec![scenario("s", "t2", None)];
        assert_eq!(!baseline.clone().add(&shifted, None).shifts.is_empty(), last, "{time}");
    }
}

//! Stored test vectors of the rule in `tests/gate-vectors.jsonl`, each accurate to six digits.

use serde_json::Value;

use super::*;
use crate::gate::facts::{Facts, Past};
use crate::gate::guard;
use crate::gate::regression::{Found, Proof};
use crate::gate::spread::Suite;
use crate::gate::suspicion::{Limits, Suspicion, Word};
use crate::gate::watch::{Plan, Rounds, Watch};
use crate::stats::Tally;
use crate::vocabulary::Answer;

const ROWS: &str = include_str!("../../../tests/gate-vectors.jsonl");

fn rows(kind: &str) -> Vec<Value> {
    let all = ROWS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|row| row["kind"] == kind).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn tally(value: &Value) -> Tally {
    Tally { hits: number(&value[0]), of: number(&value[1]) }
}

/// The baseline's history of each case.
fn pasts(row: &Value) -> Vec<Tally> {
    let alike = row["suite"].as_array().unwrap().iter();
    alike.flat_map(|one| vec![tally(one); usize::try_from(number(&one[2])).unwrap()]).collect()
}

fn close(found: f64, expected: &Value, what: &Value) {
    let expected = expected.as_f64().unwrap();
    let near = (found - expected).abs() <= 1e-5 * expected.abs().max(f64::MIN_POSITIVE);
    assert!(near, "{found} for {expected}: {what}");
}

#[test]
fn suspects() {
    let rows = rows("case");
    assert_eq!(rows.len(), 1_000);
    for row in rows {
        let suite = Suite::fit(pasts(&row));
        let past = row["past"].is_array().then(|| tally(&row["past"]));
        close(suite.own(past).mean(), &row["predicted"], &row["past"]);
        let limits = Limits {
            confirm: u32::try_from(number(&row["M"])).unwrap(),
            alpha: row["alpha"].as_f64().unwrap(),
            clear: if row["c"] == 0.333_333 { Limits::CLEAR } else { row["c"].as_f64().unwrap() },
        };
        let family = usize::try_from(number(&row["K"])).unwrap();
        let answers = row["answers"].as_str().unwrap();
        let mut left = answers.chars().map(|answer| Some(answer == '1'));
        let course = Suspicion::of(&suite, past, family, limits).follow(Tally::default(), left.by_ref());
        let word = match course.word {
            Word::Broken => "broken",
            Word::Cleared => "cleared",
            Word::Open => "open",
            Word::Unasked => "unasked",
        };
        let found = (word, course.passes, course.failures);
        let expected = (row["verdict"].as_str().unwrap(), number(&row["passes"]), number(&row["failures"]));
        assert_eq!((found, left.count()), (expected, 0), "{past:?} {answers}");
        close(course.ratio, &row["L"], &row["past"]);
        close(course.largest, &row["largest"], &row["past"]);
    }
}

#[test]
fn guards() {
    let table = |row: &Value| -> Vec<(Tally, Tally)> {
        let cases = row["cases"].as_array().unwrap().iter();
        cases.map(|one| (tally(one), Tally { hits: number(&one[2]), of: number(&one[3]) })).collect()
    };
    let found = rows("guard");
    assert_eq!(found.len(), 30);
    for row in found {
        let cases = table(&row);
        let suite = Suite::fit(cases.iter().map(|(past, _)| *past));
        let sight = guard::sight(&suite, cases);
        close(sight.p, &row["p"], &row);
        assert!((sight.expected - sight.seen - row["drop"].as_f64().unwrap()).abs() < 1e-5, "{row}");
    }
    let found = rows("joint");
    assert_eq!(found.len(), 15);
    for row in found {
        let cases = table(&row);
        let suite = Suite::fit(cases.iter().map(|(past, _)| *past));
        let facts: Vec<_> = cases
            .iter()
            .map(|(past, now)| Facts {
                past: Past::Known(*past),
                now: vec![Some(now.hits == 1)],
                earlier: Tally::default(),
                fresh: Vec::new(),
                again: Vec::new(),
                tags: &[],
                unreachable: false,
            })
            .collect();
        close(guard::joint(&suite, &facts).0.p, &row["p"], &row);
    }
}

#[test]
fn power() {
    let rows = rows("power");
    assert_eq!(rows.len(), 15);
    for row in rows {
        let pasts = pasts(&row);
        let suite = Suite::fit(pasts.iter().copied());
        let rounds = if row["can_ask"] == true { Rounds::Two } else { Rounds::One };
        let plan = Plan { repeat: number(&row["repeat"]), level: guard::GUARD, margin: 0.02, rounds };
        let watch = Watch::over(&suite, pasts.iter().map(|past| (*past, 1)), plan).unwrap();
        close(watch.loss().unwrap_or(1.0), &row["loss"], &row);
        let limits = Limits { confirm: 10, alpha: 0.02, clear: Limits::CLEAR };
        let family = usize::try_from(number(&row["K"])).unwrap();
        let needed = Suspicion::of(&suite, Some(tally(&row["best"])), family, limits).failures_needed();
        assert_eq!(needed, row["failures"].as_u64(), "{row}");
    }
}

/// A stored decision, with extra trials and a conclusion as in `akit run`.
#[test]
fn whole_decisions() {
    let rows = rows("run");
    assert_eq!(rows.len(), 40);
    for row in rows {
        whole_decision(&row);
    }
}

fn answers(value: &Value) -> Vec<bool> {
    value.as_str().unwrap().chars().map(|answer| answer == '1').collect()
}

fn policy(row: &Value) -> Policy {
    let row = &row["policy"];
    Policy {
        confirm: row["confirm"].as_u64().map_or(10, |n| u32::try_from(n).unwrap()),
        unconfirmed: row["unconfirmed"]
            .as_str()
            .map_or(Unconfirmed::Inconclusive, |word| word.parse().unwrap()),
        rigor: row["policy"].as_str().map_or(Rigor::Usual, |word| word.parse().unwrap()),
        min_pass_rate: row["min_pass_rate"].as_f64(),
        ..Policy::default()
    }
}

fn whole_decision(row: &Value) {
    let policy = policy(row);
    let given = row["policy"]["can_ask"] == false;
    let rows = row["cases"].as_array().unwrap();
    let mut stored = Baseline::empty();
    let mut cases = Vec::new();
    let mut streams = Vec::new();
    for one in rows {
        let id = one["id"].as_str().unwrap();
        if one["past"].is_array() {
            stored.cases.push(BaselineCase::new("support", id, &format!("hash-{id}"), tally(&one["past"])));
        }
        let now = one["now"].as_array().unwrap().iter();
        let outcomes: Vec<_> = now.map(|one| if one == 1 { Passed } else { Failed }).collect();
        let mut case = case(id, &outcomes);
        case.tags = serde_json::from_value(one["tags"].clone()).unwrap();
        for trial in &mut case.trials {
            trial.answer_with(Some(Answer { given, ..Answer::default() }));
        }
        cases.push(case);
        streams.push(answers(&one["fresh"]).into_iter());
    }
    let mut run = of(cases);
    // The rows contain exactly the answers that are used.
    let asked = confirm(&mut run, Some(&stored), &policy, |case| streams[case].next());
    assert_eq!(asked as u64, number(&row["asked"]), "{row}");
    assert!(streams.into_iter().all(|stream| stream.len() == 0), "{row}");

    let evidence = evidence::cases(&run, Some(&stored), &policy);
    let facts = evidence::facts(&evidence);
    let regression = assess(&facts, &policy);
    assert_eq!(regression.family.max(1) as u64, number(&row["K"]), "{row}");
    let second = if run.trials().any(|trial| trial.second_round) { Second::Asked } else { Second::Never };
    let guards = regression.guards(&facts, policy.margin, second);
    for guard in &guards {
        close(guard.sight.p, &row["guards"][guard.tag.unwrap_or_default()], row);
    }
    let joint = regression.joint(&facts).map_or(1.0, |(sight, _)| sight.p);
    close(joint, &row["joint"], row);

    let decision = judge(&run, Some(&stored), &policy);
    if row["policy"].as_object().unwrap().keys().all(|key| matches!(key.as_str(), "can_ask" | "confirm")) {
        // The simulation's conclusion equals the decision's.
        let end = simulation::end(&regression, &facts, &policy, second);
        let expected = match (decision.conclusion, decision.tolerated) {
            (Conclusion::Fail, _) => simulation::End::Fail,
            (Conclusion::Inconclusive, true) => simulation::End::Open,
            (Conclusion::Inconclusive | Conclusion::Error, _) => simulation::End::Five,
            (Conclusion::Pass, _) => simulation::End::Pass,
        };
        assert_eq!(end, expected, "{row}");
    }
    let expected = row["state"].as_object().unwrap();
    for (state, found) in decision.cases.iter().zip(&regression.found) {
        let word = match found {
            Found::Nothing => None,
            Found::FailedBefore => Some("failed-before"),
            Found::Broken(Proof::Thin, _) => Some("broken, on a thin baseline"),
            Found::Broken(..) => Some("broken"),
            Found::Cleared(_) => Some("cleared"),
            Found::Open(_) => Some("open"),
            Found::Unconfirmed => Some("unconfirmed"),
            Found::NewFailure(_) => Some("new-failure"),
            Found::Errored => Some("regression-errored"),
        };
        assert_eq!(word, expected.get(&state.id).and_then(Value::as_str), "{} of {row}", state.id);
    }
    let exit = crate::cli::Status::of(&decision, run.ended).code();
    // The strict policy requires more than the cases and the guards show.
    let more = policy.rigor == Rigor::Strict && row["exit"] == 0;
    let expected = (row["verdict"].as_str().unwrap(), number(&row["exit"]));
    if !more {
        assert_eq!((decision.conclusion.word(), u64::from(exit)), expected, "{:?} {row}", decision.findings);
    }
    for (why, id) in [
        ("regression", FindingId::Regression),
        ("new-failure", FindingId::NewFailure),
        ("suite", FindingId::SuiteRegression),
        ("joint", FindingId::JointRegression),
        ("unconfirmed", FindingId::Unconfirmed),
        ("open-strict", FindingId::NotCleared),
    ] {
        let expected = row["why"].as_array().unwrap().iter().any(|one| one == why);
        // Under the strict policy, new cases that pass need more trials, too.
        if policy.rigor == Rigor::Strict && id == FindingId::Unconfirmed {
            continue;
        }
        assert_eq!(decision.findings.iter().any(|one| one.id == id), expected, "{why} of {row}");
    }
}

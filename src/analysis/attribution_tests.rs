//! Application or judge: what the four verdicts on a case say about a shift.

use std::collections::BTreeMap;

use super::*;
use crate::gate::tests::{case, of};
use crate::manifest::{Fault, Grade, Verdict};
use crate::vocabulary::Outcome::{Errored, Failed, Passed};
use crate::vocabulary::{Answer, CaseId, FaultKind, Outcome, VerdictKind};

/// A case with an answer and a verdict per trial.
fn answered(id: &str, text: &str, graded: bool, outcomes: &[Outcome]) -> CaseResult {
    let mut found = case(id, outcomes);
    for trial in &mut found.trials {
        trial.answer_with(Some(Answer { text: text.to_owned(), ..Answer::default() }));
        let grade = Grade {
            grader: "judge".to_owned(),
            model: None,
            votes: Vec::new(),
            reasoning: String::new(),
            usage: None,
            cost_usd: None,
            latency_ms: None,
            recorded: false,
        };
        let verdict = Verdict {
            kind: VerdictKind::LlmGrader,
            outcome: trial.outcome,
            score: None,
            threshold: None,
            reason: String::new(),
            expected: String::new(),
            got: String::new(),
            line: 0,
            rule: None,
            grade: graded.then(|| Box::new(grade)),
            fault: None,
            advisory: None,
            turn: None,
            any: false,
            parts: Vec::new(),
        };
        trial.judge_with(verdict);
        if trial.outcome == Errored {
            trial.fault = Some(Box::new(Fault::new(FaultKind::Timeout, "too late".to_owned(), "wait")));
        }
    }
    found
}

/// Old answer by old judge, old by new, new by old, new by new.
type Four = [bool; 4];

fn outcome(passes: bool) -> [Outcome; 1] {
    [if passes { Passed } else { Failed }]
}

/// The attribution over cases with different answers in each run.
fn attributed(cases: &[(&str, Four)], with_old_judge: bool) -> Attribution {
    let runs: [RunManifest; 4] = std::array::from_fn(|cell| {
        let text = if cell < 2 { "old" } else { "new" };
        of(cases.iter().map(|(id, four)| answered(id, text, true, &outcome(four[cell]))).collect())
    });
    let [old, old_by_new, new_by_old, new] = runs;
    Common::of(&old, &new, &suite(&new)).attribute(Some(&old_by_new), with_old_judge.then_some(&new_by_old))
}

fn suite(run: &RunManifest) -> BTreeMap<CaseId<'_>, &str> {
    run.cases.iter().map(|case| (case.key(), case.content_hash.as_str())).collect()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
}

const YES: bool = true;
const NO: bool = false;

#[test]
fn one_case_by_its_four_verdicts() {
    // Four verdicts, the cause with all four, the cause with three, the application's part with all four.
    for (four, cause, with_three, product) in [
        ([YES, YES, NO, NO], Some(Cause::Product), Some(Cause::Product), -1.0),
        ([YES, NO, YES, NO], Some(Cause::Judge), Some(Cause::Judge), 0.0),
        ([YES, NO, NO, NO], Some(Cause::Either), Some(Cause::Judge), -0.5),
        ([YES, YES, YES, NO], Some(Cause::Together), Some(Cause::Product), -0.5),
        ([NO, NO, YES, YES], Some(Cause::Product), Some(Cause::Product), 1.0),
        ([NO, YES, NO, YES], Some(Cause::Judge), Some(Cause::Judge), 0.0),
        ([YES, NO, NO, YES], None, None, 0.0),
        ([YES, YES, YES, YES], None, None, 0.0),
        ([NO, NO, NO, NO], None, None, 0.0),
    ] {
        let found = attributed(&[("a", four)], true);
        assert_eq!(found.flips.first().map(|flip| flip.cause), cause, "{four:?}");
        close(found.product, product);
        close(found.product + found.judge, found.total);
        assert!(found.rates.new_by_old.is_some() && found.notes.is_empty());
        let three = attributed(&[("a", four)], false);
        assert_eq!(three.flips.first().map(|flip| flip.cause), with_three, "{four:?}");
        close(three.product + three.judge, found.total);
        close(three.judge, f64::from(u8::from(four[1])) - f64::from(u8::from(four[0])));
        assert!(three.rates.new_by_old.is_none() && three.notes.len() == 1);
    }
}

#[test]
fn the_verdict_is_one_sentence() {
    let (by_judge, by_product) = ([YES, NO, YES, NO], [YES, YES, NO, NO]);
    let (up_by_judge, still) = ([NO, YES, NO, YES], [YES; 4]);
    for (cases, verdict) in [
        (vec![still], "neither the application nor the judge changed a case"),
        (vec![by_judge, still], "the judge explains all 50.0 lost points, the application none"),
        (vec![by_product, still], "the application explains all 50.0 lost points, the judge none"),
        (vec![up_by_judge, still], "the judge explains all 50.0 gained points, the application none"),
        (
            vec![by_judge, by_judge, by_judge, by_judge, by_product],
            "the judge explains 80.0 of the 100.0 lost points, the application 20.0",
        ),
        (
            vec![by_product, by_product, up_by_judge, still],
            "of the 25.0 lost points, the application accounts for -50.0 and the judge for +25.0, in opposite directions",
        ),
        (
            vec![by_product, up_by_judge],
            "the pass rate is the same by coincidence: the application took 50.0 points, the judge gave them back",
        ),
        (vec![by_judge, up_by_judge], "2 cases flipped, but the pass rate is the same"),
    ] {
        let names = ["a", "b", "c", "d", "e"];
        let cases: Vec<_> = names.into_iter().zip(cases).collect();
        assert_eq!(attributed(&cases, true).verdict, verdict);
    }
}

#[test]
fn only_cases_that_are_comparable_and_contested_go_to_the_judge() {
    let mut old = of(vec![
        answered("plain", "one", false, &[Passed]),
        answered("same", "one", true, &[Passed, Passed]),
        answered("other", "one", true, &[Passed]),
        answered("edited", "one", true, &[Passed]),
        answered("down", "one", true, &[Errored]),
        answered("gone", "one", true, &[Passed]),
    ]);
    old.cases[3].content_hash = "before".to_owned();
    let new = of(vec![
        answered("plain", "two", false, &[Failed]),
        answered("same", "one", true, &[Passed, Failed]),
        answered("other", "two", true, &[Passed]),
        answered("edited", "two", true, &[Failed]),
        answered("down", "two", true, &[Failed]),
        answered("fresh", "two", true, &[Failed]),
    ]);
    let names = suite(&new);
    let common = Common::of(&old, &new, &names);
    assert_eq!((common.count(), common.changed()), (3, 1));
    assert_eq!(common.contested().into_iter().collect::<Vec<_>>(), [CaseId::new("support", "other")]);

    let regraded = of(vec![answered("other", "one", true, &[Failed])]);
    let found = common.attribute(Some(&regraded), Some(&new));
    assert_eq!((found.cases, found.graded, found.identical, found.unjudged), (3, 2, 1, 1));
    // `plain` is due to the application, half of `same` to the judge.
    let causes: Vec<_> =
        found.flips.iter().map(|flip| (flip.case.as_str(), flip.cause, flip.same_answer)).collect();
    assert_eq!(causes, [("support/plain", Cause::Product, false), ("support/same", Cause::Judge, true)]);
    close(found.total, -0.5);
    // The new judge fails the old answer to `other`, but not the new one.
    close(found.judge, (-0.5 - 1.0 - 0.5) / 2.0 / 3.0);

    // Not in the suite, so there is nothing to compare.
    assert_eq!(Common::of(&old, &new, &BTreeMap::new()).count(), 0);
}

#[test]
fn a_case_that_cannot_be_judged_again_is_in_no_rate() {
    let old = of(vec![answered("a", "one", true, &[Passed]), answered("b", "one", true, &[Passed, Failed])]);
    let new = of(vec![answered("a", "two", true, &[Failed]), answered("b", "two", true, &[Passed])]);
    let names = suite(&new);
    let common = Common::of(&old, &new, &names);
    // One of two answers to `b` could not be judged.
    let regraded =
        of(vec![answered("a", "one", true, &[Passed]), answered("b", "one", true, &[Passed, Errored])]);
    let found = common.attribute(Some(&regraded), None);
    assert_eq!((found.cases, found.unheard.len()), (1, 1));
    assert_eq!((found.unheard[0].case.as_str(), found.unheard[0].reason.as_str()), ("support/b", "too late"));
    close(found.total, -1.0);
    assert_eq!(common.attribute(None, None).unheard.len(), 2);
}

//! A judge other than the baseline's, and a judge that contradicts itself.

use super::*;
use crate::baseline::Epoch;
use crate::manifest::{Grade, ScenarioRun, Verdict};
use crate::vocabulary::{Answer, FindingId, Outcome, VerdictKind};

pub(super) fn verdict(kind: VerdictKind, outcome: Outcome, parts: Vec<Verdict>) -> Verdict {
    let grade = Grade {
        grader: "judge".to_owned(),
        model: None,
        votes: vec![0.0],
        reasoning: String::new(),
        usage: None,
        cost_usd: None,
        latency_ms: None,
        recorded: false,
    };
    let grade = (kind == VerdictKind::LlmGrader).then(|| Box::new(grade));
    Verdict {
        kind,
        outcome,
        score: None,
        threshold: None,
        reason: String::new(),
        expected: String::new(),
        got: String::new(),
        line: 0,
        rule: None,
        grade,
        fault: None,
        advisory: None,
        turn: None,
        any: false,
        parts,
    }
}

fn judged(outcome: Outcome) -> Verdict {
    verdict(VerdictKind::LlmGrader, outcome, Vec::new())
}

fn exact(outcome: Outcome) -> Verdict {
    verdict(VerdictKind::Exact, outcome, Vec::new())
}

/// The scenario under this judge.
pub(super) fn judged_by(hash: &str) -> ScenarioRun {
    ScenarioRun {
        version: None,
        unidentified: false,
        name: "support".to_owned(),
        file: "support.yaml".to_owned(),
        seed: None,
        target: "t".to_owned(),
        grader: Some("judge".to_owned()),
        target_hash: "t".to_owned(),
        grader_hash: Some(hash.to_owned()),
    }
}

/// A run of it.
fn under(hash: &str, cases: Vec<CaseResult>) -> RunManifest {
    RunManifest { scenarios: vec![judged_by(hash)], ..of(cases) }
}

/// The decision and its findings about a case that passed five times under one judge, and gets these verdicts from a
/// judge
/// with this hash, in its first trial and in every extra one.
fn ruled(hash: &str, verdicts: &[Verdict]) -> (Conclusion, Vec<String>, State) {
    let mut stored = baseline(&[("a", 5, 5)]);
    stored.epoch = Epoch::all(&under("old", Vec::new()));
    let mut failing = case("a", &vec![Failed; verdicts.len()]);
    for (trial, verdict) in failing.trials.iter_mut().zip(verdicts) {
        trial.judge_with(verdict.clone());
    }
    let mut run = under(hash, vec![failing]);
    confirm(&mut run, Some(&stored), &Policy::default(), |_| Some(false));
    for trial in run.cases[0].trials.iter_mut().filter(|trial| trial.verdict().is_none()) {
        trial.judge_with(verdicts[0].clone());
    }
    let decision = judge(&run, Some(&stored), &Policy::default());
    let reported = decision.warnings.iter().any(|finding| finding.id == FindingId::JudgeChanged);
    assert_eq!(reported, hash != "old", "another judge is always reported");
    (decision.conclusion, ids(&decision).iter().map(ToString::to_string).collect(), decision.cases[0].state)
}

#[test]
fn a_failure_that_depends_on_another_judge_is_judged_as_without_a_baseline() {
    let both = |graded, other| verdict(VerdictKind::Combined, Failed, vec![judged(graded), exact(other)]);
    let either = |parts| Verdict { any: true, ..verdict(VerdictKind::Combined, Failed, parts) };
    let not = |inner: Verdict| verdict(VerdictKind::Not, Failed, vec![inner]);
    // What failed, and whether only the judge is at fault.
    let table = [
        ("the judge", vec![judged(Failed)], true),
        ("a text", vec![exact(Failed)], false),
        ("the judge, the text being right", vec![both(Failed, Passed)], true),
        ("the text, whatever the judge says", vec![both(Passed, Failed)], false),
        ("both", vec![both(Failed, Failed)], false),
        ("either would do", vec![either(vec![judged(Failed), exact(Failed)])], true),
        ("either text would do", vec![either(vec![exact(Failed), exact(Failed)])], false),
        (
            "either would do, and a text beside",
            {
                let either = either(vec![judged(Failed), exact(Failed)]);
                vec![verdict(VerdictKind::Combined, Failed, vec![either, exact(Failed)])]
            },
            false,
        ),
        (
            "neither may hold, and the text does",
            vec![not(Verdict {
                any: true,
                ..verdict(VerdictKind::Combined, Passed, vec![judged(Failed), exact(Passed)])
            })],
            false,
        ),
        ("what the judge must not let pass", vec![not(judged(Passed))], true),
        ("what must not stand there", vec![not(exact(Passed))], false),
        ("one trial by the judge, one by the text", vec![judged(Failed), both(Passed, Failed)], false),
    ];
    for (what, verdicts, by_judge) in table {
        let (conclusion, ids, state) = ruled("new", &verdicts);
        if by_judge {
            assert_eq!((conclusion, state), (Conclusion::Fail, State::Failed), "{what}");
            assert_eq!(ids, ["case-failed"], "{what}");
        } else {
            assert_eq!((conclusion, state), (Conclusion::Fail, State::Broken), "{what}");
            assert_eq!(ids, ["regression"], "{what}");
        }
        // Under the same judge, nothing excuses it.
        assert_eq!(ruled("old", &verdicts).0, Conclusion::Fail, "{what}");
    }
}

#[test]
fn failures_under_another_judge_are_not_a_drop_of_the_suite() {
    let names: Vec<String> = (0..30).map(|n| format!("c{n:02}")).collect();
    let tallies: Vec<_> = names.iter().map(|id| (id.as_str(), 5, 5)).collect();
    for (hash, drops) in [("old", true), ("new", false)] {
        let mut stored = baseline(&tallies);
        stored.epoch = Epoch::all(&under("old", Vec::new()));
        let cases = names.iter().enumerate().map(|(n, id)| {
            let mut case = case(id, &[if n < 15 { Failed } else { Passed }]);
            let outcome = case.outcome;
            case.trials[0].judge_with(judged(outcome));
            case
        });
        let mut run = under(hash, cases.collect());
        // Extra trials clear every single case, so that only the sum counts; it is confirmed once more as well.
        let mut asked = BTreeSet::new();
        confirm(&mut run, Some(&stored), &Policy::default(), |case| Some(asked.insert(case) && case < 15));
        let decision = judge(&run, Some(&stored), &Policy::default());
        assert_eq!(ids(&decision).contains(&"suite-regression"), drops, "{hash}");
        // Cases that could not be compared fail as without a baseline, and are reported first.
        let compared = decision.compared.as_ref().unwrap().paired;
        assert_eq!((decision.conclusion, compared), (Conclusion::Fail, if drops { 30 } else { 0 }));
        assert_eq!(
            decision.summary.starts_with("0 of 30 cases could be compared"),
            !drops,
            "{}",
            decision.summary
        );
    }
}

#[test]
fn an_answer_judged_both_ways_is_the_judges_fault() {
    let stored = baseline(&[("a", 5, 5)]);
    let note = |texts: [&str; 2], verdicts: [fn(Outcome) -> Verdict; 2]| {
        let mut flaky = case("a", &[Failed, Passed]);
        for ((trial, text), verdict) in flaky.trials.iter_mut().zip(texts).zip(verdicts) {
            trial.answer_with(Some(Answer { text: text.to_owned(), ..Answer::default() }));
            trial.judge_with(verdict(trial.outcome));
        }
        flaky.trials[1].confirmation = true;
        let decision = judge(&of(vec![flaky]), Some(&stored), &Policy::default());
        decision.cases[0].note.contains("the judge passed and failed the same answer")
    };
    assert!(note(["same", "same"], [judged, judged]));
    assert!(!note(["one", "another"], [judged, judged]), "different answers may get different verdicts");
    assert!(!note(["same", "same"], [exact, exact]), "no judge was involved");
}

//! Calibrations of judges that are never called.

use std::sync::Arc;

use super::*;
use crate::cache::{Cache, Mode};
use crate::client::{ModelClient, Patience};
use crate::grader::{Bar, Question};
use crate::manifest::{CaseResult, Grade, Trial, Verdict};
use crate::provider::{ChatRequest, Endpoint, Pending, Provider};
use crate::seed::Root;
use crate::source::Location;
use crate::vocabulary::{FaultKind, Outcome, VerdictKind};

#[derive(Debug)]
struct Silent(Endpoint);

impl Provider for Silent {
    fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    fn chat<'a>(&'a self, _: &'a ChatRequest) -> Pending<'a> {
        unreachable!("nothing may be asked")
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        unreachable!("nothing may be asked")
    }
}

fn grader(provider: &str, model: &str, host: &str) -> Grader {
    let endpoint = Endpoint::at_host(provider, host);
    let client = ModelClient::new(Arc::new(Silent(endpoint)), Cache::at("nowhere"), Mode::Off);
    Grader::new(Arc::new(client), model.to_owned(), Patience::default(), Root(0))
}

fn label(rubric: &str, pass: bool) -> Label {
    Label {
        id: "x".to_owned(),
        line: 1,
        conversation: Vec::new(),
        answer: "a".to_owned(),
        rubric: Rubric::of(rubric),
        threshold: 0.7,
        pass,
    }
}

const MANNER: Manner = Manner { scale: 10, ballot: Ballot::NearThreshold };

fn fault() -> Fault {
    Fault::new(FaultKind::Timeout, String::new(), "")
}

/// A calibration on labels of one rubric with these scores.
fn calibration(rubric: &str, scores: &[(bool, Option<u32>)]) -> Calibration {
    let labels: Vec<_> = scores.iter().map(|(pass, _)| label(rubric, *pass)).collect();
    let verdicts: Vec<_> = scores.iter().map(|(_, score)| score.ok_or_else(fault)).collect();
    Calibration::of(&grader("openai", "judge", "a"), MANNER, &labels, &verdicts)
}

/// The judge is right about 8 of 10 good answers and 9 of 10 bad ones.
fn usual() -> Calibration {
    let scores = |pass: bool, high: usize, low: usize| {
        let scores = std::iter::repeat_n(9, high).chain(std::iter::repeat_n(2, low));
        scores.map(move |score| (pass, Some(score))).collect::<Vec<_>>()
    };
    calibration("be kind", &[scores(true, 8, 2), scores(false, 1, 9)].concat())
}

#[test]
fn errors_are_left_out_and_seven_of_ten_is_a_pass() {
    let scores = [(true, Some(7)), (true, Some(6)), (false, Some(7)), (false, Some(0)), (true, None)];
    let found = calibration("be kind", &scores);
    assert_eq!((found.n, found.judged, found.errored), (5, 4, 1));
    assert_eq!(found.counts, Confusion { true_pass: 1, false_fail: 1, false_pass: 1, true_fail: 1 });
    assert_eq!((found.scores.pass[7], found.scores.pass[6], found.scores.fail[0]), (1, 1, 1));
    assert_eq!((found.rubrics.len(), found.rubrics[0].n, found.threshold), (1, 4, Some(0.7)));
    assert_eq!(found.constant, Constant { says: "pass".to_owned(), agreement: Some(0.5) });
}

#[test]
fn labels_of_one_class_leave_kappa_and_a_rate_unknown() {
    let found = calibration("be kind", &[(true, Some(9)), (true, Some(1))]);
    assert_eq!((found.kappa, found.tnr, found.tpr.map(|tpr| tpr.value)), (None, None, Some(0.5)));
    let none = calibration("be kind", &[(true, None)]);
    assert_eq!((none.agreement, none.kappa, none.tpr, none.judged), (None, None, None, 0));
}

#[test]
fn a_calibration_reads_back_as_stored_and_its_counts_decide() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let stored = usual();
    std::fs::write(&path, stored.to_text().unwrap()).unwrap();
    assert_eq!(Calibration::read(&path).unwrap(), stored);
    let text = stored.to_text().unwrap();
    for (what, changed, expected) in [
        ("schema", text.replace("calibration/1", "calibration/2"), "this akit reads `akit.calibration/1`"),
        ("counts", text.replace("\"tp\": 8", "\"tp\": 80"), "do not add up"),
        ("nothing", String::new(), "is not a calibration: its JSON is incomplete"),
    ] {
        std::fs::write(&path, changed).unwrap();
        let error = Calibration::read(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{what}: {error}");
    }
    // An edited kappa has no effect: it is recomputed from the counts.
    let kappa = stored.kappa.unwrap().value.to_string();
    std::fs::write(&path, text.replace(&kappa, "0.99")).unwrap();
    let demands = Demands { min_kappa: Some(0.9), ..undemanding(Unmet::Advisory) };
    let trouble = Binding::of(&path, Calibration::read(&path), demands).trouble().unwrap();
    assert!(trouble.ends_with("is too weak: kappa is 0.7 (at least 0.9 required)"), "{trouble}");
}

fn undemanding(unmet: Unmet) -> Demands {
    Demands { min_n: None, min_kappa: None, min_tpr: None, min_tnr: None, unmet }
}

struct Bound {
    _folder: tempfile::TempDir,
    binding: Binding,
}

fn bound(calibration: &Calibration, demands: Demands) -> Bound {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    std::fs::write(&path, calibration.to_text().unwrap()).unwrap();
    Bound { binding: Binding::of(&path, Calibration::read(&path), demands), _folder: folder }
}

impl Bound {
    fn standing(&self, judge: &Grader, rubric: &str, bar: Bar, ballot: Ballot) -> Standing {
        let rubric = Rubric::of(rubric);
        let question = Question {
            rubric: &rubric,
            scale: bar.scale,
            answer: "x",
            tool_calls: &[],
            is_cut: false,
            is_whole: false,
            conversation: &[],
        };
        self.binding.standing(judge, &question, bar, ballot)
    }
}

#[test]
fn any_change_of_the_judge_makes_a_calibration_stale() {
    let bound = bound(&usual(), undemanding(Unmet::Advisory));
    let (bar, ballot) = (Bar { threshold: 0.7, scale: 10 }, Ballot::NearThreshold);
    let judge = grader("openai", "judge", "a");
    assert_eq!(bound.standing(&judge, "be kind", bar, ballot), Standing::Sound);
    assert_eq!(bound.standing(&judge, " be kind\n", bar, ballot), Standing::Sound);
    let moved = grader("openai", "judge", "elsewhere");
    assert_eq!(bound.standing(&moved, "be kind", bar, ballot), Standing::Sound);
    for (judge, rubric, bar, ballot, expected) in [
        (
            grader("ollama", "judge", "a"),
            "be kind",
            bar,
            ballot,
            "is for a different judge: provider `openai`, now `ollama`",
        ),
        (grader("openai", "other", "a"), "be kind", bar, ballot, "model `judge`, now `other`"),
        (judge, "be brief", bar, ballot, "no label has this rubric"),
        (
            grader("openai", "judge", "a"),
            "be kind",
            Bar { threshold: 0.7, scale: 100 },
            ballot,
            "scale `10`, now `100`",
        ),
        (
            grader("openai", "judge", "a"),
            "be kind",
            bar,
            Ballot::Fixed(5),
            "number of votes `default`, now `5`",
        ),
        (
            grader("openai", "judge", "a"),
            "be kind",
            Bar { threshold: 0.9, scale: 10 },
            ballot,
            "have this rubric at threshold 0.7, not 0.9",
        ),
    ] {
        match bound.standing(&judge, rubric, bar, ballot) {
            Standing::Advisory(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn another_template_is_another_judge() {
    let mut old = usual();
    old.judge.template_hash = "0".repeat(64);
    let bar = Bar { threshold: 0.7, scale: 10 };
    let judge = grader("openai", "judge", "a");
    let standing = bound(&old, undemanding(Unmet::Error)).standing(&judge, "be kind", bar, Ballot::default());
    let Standing::Refused(why) = standing else { panic!("{standing:?}") };
    assert!(why.ends_with("is for a different judge: a different prompt template"), "{why}");
}

#[test]
fn weak_and_missing_calibrations_say_so() {
    let demanding = Demands {
        min_n: Some(50),
        min_kappa: Some(0.7),
        min_tpr: Some(0.9),
        min_tnr: Some(0.9),
        unmet: Unmet::Advisory,
    };
    let trouble = bound(&usual(), demanding.clone()).binding.trouble().unwrap();
    let expected =
        "is too weak: 20 labels were judged (at least 50 required); TPR is 0.8 (at least 0.9 required)";
    assert!(trouble.ends_with(expected), "{trouble}");
    let one_class = calibration("be kind", &[(true, Some(9))]);
    let trouble = bound(&one_class, demanding.clone()).binding.trouble().unwrap();
    assert!(trouble.contains("kappa is unknown (at least 0.7 required); TNR is unknown"), "{trouble}");
    let coin =
        calibration("be kind", &[(true, Some(9)), (true, Some(0)), (false, Some(9)), (false, Some(0))]);
    let trouble = bound(&coin, undemanding(Unmet::Advisory)).binding.trouble().unwrap();
    assert!(trouble.ends_with("TPR + TNR is 1, no better than chance"), "{trouble}");
    let path = std::path::Path::new("no/c.json");
    let missing = Binding::of(path, Calibration::read(path), demanding);
    assert_eq!(missing.trouble().unwrap(), "no calibration file `no/c.json`");
    assert_eq!(bound(&usual(), undemanding(Unmet::Advisory)).binding.trouble(), None);
}

fn case(id: &str, outcome: Outcome, advisory: Option<&str>) -> CaseResult {
    let verdict = Verdict {
        turn: None,
        kind: VerdictKind::LlmGrader,
        outcome,
        score: None,
        threshold: None,
        reason: String::new(),
        expected: String::new(),
        got: String::new(),
        line: 0,
        rule: None,
        grade: Some(Box::new(Grade {
            grader: "judge".to_owned(),
            model: None,
            votes: Vec::new(),
            reasoning: String::new(),
            cost_usd: None,
            usage: None,
            latency_ms: None,
            recorded: false,
        })),
        fault: None,
        advisory: advisory.map(str::to_owned),
        any: false,
        parts: Vec::new(),
    };
    let outcome = verdict.counted();
    let trial = Trial::single(outcome, None, Some(verdict));
    CaseResult {
        scenario: "s".to_owned(),
        id: id.to_owned(),
        name: None,
        tags: Vec::new(),
        location: Location::default(),
        content_hash: String::new(),
        outcome,
        score: None,
        reason: String::new(),
        prompt: String::new(),
        trials: vec![trial],
        earlier: None,
    }
}

#[test]
fn notes_count_verdicts_that_could_not_fail_and_correct_the_rate() {
    use Outcome::{Failed, Passed};
    let bound = bound(&usual(), undemanding(Unmet::Advisory));
    let mut cases: Vec<_> = (0..8).map(|n| case(&n.to_string(), Passed, None)).collect();
    cases.extend([case("8", Failed, None), case("9", Failed, None)]);
    cases.extend([case("a", Failed, Some("stale")), case("b", Passed, Some("stale"))]);
    assert_eq!(
        bound.binding.notes(&cases),
        [
            "ADVISORY: 2 verdicts of the judge could not fail the gate: stale",
            "ADVISORY: 1 case passed despite a failing verdict of the judge: s/a",
            // (0.8 + 0.9 − 1) / (0.8 + 0.9 − 1) = 1; the interval by the formula of Lang & Reiczigel.
            "8 of 10 verdicts were passes, 80.0%; corrected for the judge's errors: 100.0%, 95% interval 48.3% to 100.0% (TPR 80.0%, TNR 90.0%, 20 labels)",
        ]
    );
    let all: Vec<_> = (0..10).map(|n| case(&n.to_string(), Passed, None)).collect();
    assert!(bound.binding.notes(&all)[1].contains("cannot explain such an extreme pass rate"));
    assert_eq!(bound.binding.notes(&[]), Vec::<String>::new());
}

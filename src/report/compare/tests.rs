use super::{console, html};
use crate::analysis::compare::*;
use crate::gate::Policy;
use crate::manifest::{CaseResult, RunManifest, Trial};
use crate::report::fixture::{Fixture, HOSTILE, case, trial, verdict};
use crate::source::Ink;
use crate::vocabulary::{Outcome, ToolCall, VerdictKind};

const OK: Outcome = Outcome::Passed;
const BAD: Outcome = Outcome::Failed;

fn one(id: &str, outcomes: &[Outcome], answer: &str) -> CaseResult {
    let judged = |(index, outcome): (u32, &Outcome)| -> Trial {
        trial(
            index,
            *outcome,
            (*outcome == BAD).then(|| verdict(VerdictKind::Contains, "it lacks `30 days`")),
            answer,
        )
    };
    let trials: Vec<_> = (0..).zip(outcomes).map(judged).collect();
    let passed = outcomes.iter().filter(|one| **one == OK).count();
    let outcome = match outcomes.first() {
        Some(Outcome::Passed | Outcome::Failed) if 2 * passed > outcomes.len() => OK,
        Some(Outcome::Passed | Outcome::Failed) => BAD,
        other => other.copied().unwrap_or(Outcome::Skipped),
    };
    case("support", id, outcome, trials)
}

fn runs() -> (RunManifest, RunManifest) {
    let base = vec![
        one("fixed", &[BAD], "Never."),
        one("broken", &[OK], "Within 30 days."),
        one("bad", &[BAD], "No."),
        one("good", &[OK], "30 days."),
        one("flipped", &[OK, OK, BAD], "30 days."),
        one("reworded", &[OK], "x"),
        one("down", &[OK], "x"),
        one("gone", &[OK], "x"),
    ];
    let mut head = vec![
        one("new", &[OK], "x"),
        one("fixed", &[OK], "30 days."),
        one("broken", &[BAD], "Within 3 weeks."),
        one("bad", &[BAD], "No."),
        one("good", &[OK], "30 days."),
        one("flipped", &[OK, OK, OK], "30 days."),
        one("reworded", &[BAD], "x"),
        one("down", &[Outcome::Errored], ""),
    ];
    head[6].content_hash = "other".to_owned();
    let run = |cases| Fixture::of(cases, &Policy::default()).run;
    (run(base), run(head))
}

#[test]
fn every_case_has_its_change() {
    let (base, head) = runs();
    let comparison = Comparison::of(&base, &head).unwrap();
    let changes: Vec<_> = comparison.cases.iter().map(|pair| (pair.id, pair.change, pair.flips)).collect();
    assert_eq!(
        changes,
        [
            ("fixed", Transition::Fixed, 1),
            ("broken", Transition::NewlyFailing, 1),
            ("bad", Transition::BothFailing, 0),
            ("good", Transition::BothPassing, 0),
            ("flipped", Transition::Flipped, 1),
            ("reworded", Transition::Changed, 0),
            ("down", Transition::NotJudged, 1),
        ]
    );
    assert_eq!(comparison.only_in_base, ["support/gone"]);
    assert_eq!(comparison.only_in_head, ["support/new"]);
}

#[test]
fn figures_are_about_the_cases_that_both_runs_judged() {
    let (base, head) = runs();
    let comparison = Comparison::of(&base, &head).unwrap();
    assert_eq!(comparison.compared, 5);
    let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-9;
    assert!(close(comparison.base.pass_rate, (2.0 + 2.0 / 3.0) / 5.0));
    assert!(close(comparison.head.pass_rate, 3.0 / 5.0));
    assert!(close(comparison.difference, 3.0 / 5.0 - 8.0 / 15.0));
    // Seven answers of 49 tokens on each side.
    assert_eq!((comparison.base.tokens, comparison.head.tokens), (Some(49.0), Some(49.0)));
    assert_eq!(comparison.base.latency_ms, Some(310));
}

#[test]
fn the_console_has_figures_and_changes() {
    let (base, head) = runs();
    insta::assert_snapshot!(console(&Comparison::of(&base, &head).unwrap(), Ink::Plain));
}

#[test]
fn the_page_marks_words_that_differ() {
    let (base, head) = runs();
    let page = html(&Comparison::of(&base, &head).unwrap()).unwrap();
    assert!(
        page.contains("Within <del>30 days</del>.") || page.contains("Within <del>30</del> <del>days</del>.")
    );
    assert!(page.contains("<ins>"), "{page}");
    assert!(page.contains(CLAIM.split('`').next().unwrap()));
    assert_eq!(page.matches("<details class=\"case\"").count(), 7);
    assert_eq!(page.matches("aria-pressed=\"true\"").count(), 1, "all cases are shown");
    let (_, folded) = page.split_once("<details class=\"fold\">").unwrap();
    assert!(folded.contains(">support/good<") && !folded.contains(">support/bad<"), "{folded}");
    assert!(page.contains("Both answers are the same."));
}

#[test]
fn the_json_reads_as_data() {
    let (base, head) = runs();
    let value: serde_json::Value =
        serde_json::from_str(&crate::report::json::pretty(&Comparison::of(&base, &head).unwrap()).unwrap())
            .unwrap();
    assert_eq!(value["schema"], SCHEMA);
    assert_eq!(value["cases"][1]["change"], "newly-failing");
    assert_eq!(value["cases"][1]["base"]["answer"], "Within 30 days.");
}

#[test]
fn runs_without_a_case_in_common_are_not_compared() {
    let run = |id| Fixture::of(vec![one(id, &[OK], "x")], &Policy::default()).run;
    assert!(Comparison::of(&run("a"), &run("b")).is_none());
}

#[test]
fn hostile_text_stays_text() {
    let run = |outcome| Fixture::of(vec![one(HOSTILE, &[outcome], HOSTILE)], &Policy::default()).run;
    let (mut base, mut head) = (run(OK), run(BAD));
    let call = ToolCall {
        name: HOSTILE.to_owned(),
        arguments: serde_json::json!({ HOSTILE: HOSTILE }),
        ..ToolCall::default()
    };
    base.cases[0].trials[0].answer_mut().unwrap().tool_calls = vec![call; 12];
    head.cases[0].trials[0].answer_mut().unwrap().text.push_str("<script>alert(1)</script>");
    head.cases[0].reason = HOSTILE.to_owned();
    let comparison = Comparison::of(&base, &head).unwrap();
    let page = html(&comparison).unwrap();
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert_eq!(page.matches("<h4>Tool calls</h4>").count(), 1);
    assert!(page.contains("… and 2 more tool calls"));
    assert!(page.chars().all(|c| c == '\n' || c == '\t' || crate::text::inert(c)));
    let console = console(&comparison, Ink::Plain);
    assert!(console.chars().all(|c| c == '\n' || crate::text::inert(c)));
    assert!(!console.lines().any(|line| line.trim_start().starts_with("::")), "{console}");
}

#[test]
fn answers_with_the_same_words_and_other_calls_are_not_the_same() {
    let run = |order: &str| {
        let mut run = Fixture::of(vec![one("a", &[OK], "Done.")], &Policy::default()).run;
        let call = ToolCall {
            id: Some(order.to_owned()),
            name: "refund".to_owned(),
            arguments: serde_json::json!({ "order": order.trim_end() }),
            returned: None,
        };
        run.cases[0].trials[0].answer_mut().unwrap().tool_calls = vec![call];
        run
    };
    let page = |head: &str| {
        let (base, head) = (run("NW-1"), run(head));
        html(&Comparison::of(&base, &head).unwrap()).unwrap()
    };
    let same = "Both answers are the same.";
    assert!(!page("NW-2").contains(same));
    // Providers choose the ids of calls.
    assert!(page("NW-1 ").contains(same));
    assert!(page("NW-2").contains("refund {&quot;order&quot;:&quot;NW-2&quot;}"));
}

#[test]
fn five_thousand_cases_stay_under_five_megabytes() {
    let cases = |word: &str, outcome| -> Vec<_> {
        let text = format!("It takes {word} days, and we write to you when it is done. ").repeat(5);
        (0..5_000).map(|index| one(&format!("case-{index}"), &[outcome], &text)).collect()
    };
    let run = |cases| Fixture::of(cases, &Policy::default()).run;
    let (base, head) = (run(cases("30", OK)), run(cases("five", BAD)));
    let page = html(&Comparison::of(&base, &head).unwrap()).unwrap();
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert_eq!(page.matches("<details class=\"case\"").count(), 5_000);
    // Twice as many cases: those that did not pass are unfolded first, up to a limit.
    let more = (0..5_000).map(|index| one(&format!("more-{index}"), &[BAD], "No."));
    let both = run(cases("30", OK).into_iter().chain(more).collect());
    let page = html(&Comparison::of(&both, &both).unwrap()).unwrap();
    assert_eq!(page.matches("<details class=\"case\"").count(), 3_000);
    assert_eq!(page.matches("<p class=\"case\"").count(), 7_000);
    assert!(
        page.contains(">support/case-4999</p>") && page.contains("only the first 3,000 cases can be opened")
    );
}

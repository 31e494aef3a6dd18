//! Text from outside akit is harmless in outputs that are not a [`Format`], and in a folded log.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::console::{Depth, Fold, Layout};
use super::property_tests::{hostile, run_of, talk_of};
use super::*;
use crate::analysis::Trend;
use crate::analysis::attribution::{Attribution, Cause, Flip, Rates, Unheard};
use crate::grader::calibration::Calibration;
use crate::history::StoredRun;
use crate::manifest::Fault;
use crate::vocabulary::FaultKind;

/// Output in a terminal or in the log of a pipeline.
fn is_inert(shown: &str) -> bool {
    let commands = |line: &str| line.trim_start().starts_with("::");
    shown.chars().all(|c| c == '\n' || crate::text::inert(c))
        && !shown.lines().any(commands)
        && !shown.contains("##[")
        && !shown.contains("##vso[")
}

fn trend(text: &str) -> Trend {
    let run = run_of(text);
    let path = format!("{text}.json");
    let stored = |at: &str| StoredRun {
        file: path.clone(),
        run: crate::manifest::RunManifest {
            at: Some(at.to_owned()),
            run_id: at.to_owned(),
            ..run.run.clone()
        },
        conclusion: Some(text.to_owned()),
        pass_rate: None,
    };
    Trend::of(["2026-01-02T03:04:05Z", text].map(stored))
}

fn attribution(text: &str) -> Attribution {
    let case = || text.to_owned();
    Attribution {
        schema: case(),
        verdict: "the judge".to_owned(),
        cases: 2,
        graded: 1,
        identical: 1,
        changed: 0,
        unjudged: 0,
        rates: Rates::default(),
        total: 0.0,
        product: 0.0,
        judge: 0.0,
        flips: vec![Flip { case: case(), passes: true, cause: Cause::Judge, same_answer: true }],
        unheard: vec![Unheard { case: case(), reason: case(), help: case() }],
        notes: vec![case()],
    }
}

fn calibration(text: &str) -> Calibration {
    let hash = "0".repeat(64);
    serde_json::from_value(json!({
        "schema": "akit.calibration/1", "akit": text, "n": 1, "judged": 1, "errored": 0,
        "judge": {
            "provider": text, "model": text, "host": text, "template": text,
            "template_hash": hash, "scale": 1, "votes": 1, "rubric_set_hash": hash,
        },
        "counts": { "tp": 1, "fp": 0, "tn": 0, "fn": 0 },
        "constant": { "says": "pass", "agreement": 1.0 },
        "rubrics": [], "scores": { "pass": [0, 1], "fail": [0, 0] },
    }))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_text_acts_in_comparisons_of_runs_and_judges(text in hostile()) {
        let (base, head) = (run_of(&text).run, talk_of(&text).run);
        let comparison = crate::analysis::compare::Comparison::of(&base, &head).unwrap();
        let shown = compare::console(&comparison, Ink::Plain);
        prop_assert!(is_inert(&shown), "{shown}");
        let page = compare::html(&comparison).unwrap();
        prop_assert!(page.chars().all(|c| c == '\n' || c == '\t' || crate::text::inert(c)), "{page}");
        prop_assert!(page.matches("<script").count() <= 1 && !page.contains("<img") && !page.contains("<!--"));
        let data: Value = serde_json::from_str(&json::pretty(&comparison).unwrap()).unwrap();
        prop_assert!(data.is_object());

        let trend = trend(&text);
        let shown = trend::of_trend(&trend);
        prop_assert!(is_inert(&shown), "{shown}");
        prop_assert!(serde_json::from_str::<Value>(&trend::data(&trend).unwrap()).is_ok());

        let shown = regrade::of_attribution(&attribution(&text));
        prop_assert!(is_inert(&shown), "{shown}");
        prop_assert_eq!(shown.lines().filter(|line| line.starts_with("RESULT: ")).count(), 1);

        let fault = Fault { cause: text.clone(), ..Fault::new(FaultKind::Other(text.clone()), text.clone(), &text) };
        let shown = calibration::of_calibration(
            &calibration(&text),
            &[calibration::Unjudged { id: &text, fault: &fault }],
        );
        prop_assert!(is_inert(&shown), "{shown}");
    }

    #[test]
    fn only_akit_folds_a_log(text in hostile(), is_talk: bool) {
        let fixture = if is_talk { talk_of(&text) } else { run_of(&text) };
        let shown = |fold| console::shown(&fixture.report(), Layout { fold, ..Layout::of(Ink::Plain) });
        let plain = shown(Fold::None);
        prop_assert!(is_inert(&plain), "{plain}");
        let github = shown(Fold::GitHub);
        let begins = |words: &str| github.lines().filter(|line| line.starts_with(words)).count();
        prop_assert_eq!((begins("::group::"), begins("::endgroup::"), begins("::")), (2, 2, 4));
        let gitlab = shown(Fold::GitLab);
        // Two escapes at each end of each of two cases, and no others.
        prop_assert_eq!(gitlab.matches('\u{1b}').count(), 8);
        prop_assert_eq!(gitlab.matches("\u{1b}[0Ksection_").count(), 4);
    }

    #[test]
    fn brief_reports_are_inert_too(text in hostile()) {
        let fixture = run_of(&text);
        let layout = Layout { fold: Fold::GitHub, depth: Depth::Brief, ..Layout::of(Ink::Plain) };
        let shown = console::shown(&fixture.report(), layout);
        prop_assert!(is_inert(&shown), "{shown}");
        prop_assert_eq!(shown.lines().filter(|line| line.starts_with("RESULT: ")).count(), 1);
    }
}

use proptest::prelude::*;
use quick_junit::TestCaseStatus;
use serde_json::Value;

use super::fixture::{all, interrupted, nothing_answered, passed, saying, spike, void};
use super::*;
use crate::manifest::{StressConclusion, StressRun};
use crate::report::fixture::HOSTILE;
use crate::report::json::pretty;
use crate::report::property_tests::hostile;
use crate::source::Ink;
use crate::text;

fn snapshot(form: &str, write: impl Fn(&StressRun) -> String) {
    for (name, run) in all() {
        insta::assert_snapshot!(format!("{form}-{}", name.replace(' ', "-")), write(&run));
    }
}

#[test]
fn console_of_every_test() {
    snapshot("console", |run| console::of(run, Ink::Plain));
}

#[test]
fn junit_of_every_test() {
    snapshot("junit", |run| junit::of(run).unwrap());
}

#[test]
fn markdown_of_every_test() {
    snapshot("markdown", markdown::of);
}

#[test]
fn json_of_a_spike() {
    insta::assert_snapshot!("json-spike", pretty(&spike()).unwrap());
}

#[test]
fn html_of_a_spike_without_its_frame() {
    let page = html::of(&spike()).unwrap();
    insta::assert_snapshot!("html-spike", main(&page));
}

/// The page between its style and its script.
fn main(page: &str) -> &str {
    let begins = page.find("<body").unwrap();
    &page[begins..page.rfind("<script>").unwrap()]
}

/// The width of a line in a terminal; zero-width spaces do not count.
fn columns(line: &str) -> usize {
    line.chars().filter(|c| *c != '\u{200b}').count()
}

#[test]
fn no_line_of_the_console_is_wider_than_a_terminal() {
    for (name, run) in all() {
        for line in console::of(&run, Ink::Plain).lines() {
            assert!(columns(line) <= 100, "{name}: {line}");
        }
    }
    // The widest possible figures.
    let mut run = spike();
    for level in &mut run.levels {
        (level.load, level.rate, level.goodput) = (50_000.0, 99_999.9, Some(99_999.9));
        (level.latency_ms.p95, level.quality.rate) = (Some(9_999.0), Some(0.999));
        (level.quality.low, level.quality.high) = (Some(0.981), Some(0.9999));
    }
    for line in console::of(&run, Ink::Plain).lines() {
        assert!(columns(line) <= 100, "{line}");
    }
}

#[test]
fn colors_are_only_added() {
    let run = spike();
    let colored = console::of(&run, Ink::Colour);
    assert!(colored.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), console::of(&run, Ink::Plain));
    assert_eq!(console::brief(&passed(), Ink::Plain), "RESULT: PASS (exit code 0)\n");
}

#[test]
fn levels_with_the_same_load_have_different_names() {
    let console = console::of(&spike(), Ink::Plain);
    assert!(console.contains("met  5 in flight (stage 1): latency_p95_ms"), "{console}");
    assert!(console.contains("met  20 in flight: latency_p95_ms"), "{console}");
}

fn read(run: &StressRun) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(&junit::of(run).unwrap()).unwrap()
}

fn names(run: &StressRun) -> Vec<String> {
    read(run).test_suites[0].test_cases.iter().map(|case| case.name.to_string()).collect()
}

#[test]
fn each_level_and_each_of_its_limits_is_a_testcase() {
    for (name, run, counts) in [
        ("passed", passed(), (1, 0, 0)),
        // Two limits are missed; one was not measured at three levels. The check for leaked references passes.
        ("spike", spike(), (4 + 12 + 1, 2, 3)),
        // A void level meets no limit, whatever was measured.
        ("void", void(), (2 + 2, 0, 2)),
        ("nothing answered", nothing_answered(), (1 + 2, 1, 2)),
        ("interrupted", interrupted(), (3, 0, 2)),
    ] {
        let report = read(&run);
        assert_eq!((report.tests, report.failures, report.errors), counts, "{name}");
    }
    assert_eq!(
        names(&void()),
        ["50/s (stage 1)", "50/s (stage 1): error_rate", "50/s (stage 2)", "50/s (stage 2): error_rate"]
    );
}

#[test]
fn names_do_not_depend_on_measurements() {
    let before = names(&spike());
    let mut run = spike();
    for level in &mut run.levels {
        (level.rate, level.lasted_s, level.latency_ms.p95) = (77.0, 3.0, Some(7.0));
        (level.quality.passed, level.valid) = (0, false);
    }
    for one in &mut run.slo {
        (one.measured, one.met) = (Some(0.5), Some(false));
    }
    run.cross_talk = Some(3);
    assert_eq!(names(&run), before);
    let unique: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(unique.len(), before.len());
}

#[test]
fn a_test_that_does_not_pass_has_a_testcase_that_does_not() {
    for (conclusion, word) in [(StressConclusion::Fail, "failure"), (StressConclusion::Error, "error")] {
        let mut run = passed();
        run.decision.conclusion = conclusion;
        run.decision.reasons = vec!["akit itself failed".to_owned()];
        let report = read(&run);
        assert_eq!(report.failures + report.errors, 1);
        assert!(junit::of(&run).unwrap().contains(&format!("<{word} message=\"akit itself failed\"")));
    }
    let mut run = nothing_answered();
    run.cross_talk = Some(0);
    let last = junit::of(&run).unwrap();
    let (_, last) = last.split_once("conversations are kept apart").unwrap();
    assert!(last.contains("nothing answered, so no conversation was checked"), "{last}");
    let mut run = spike();
    run.cross_talk = Some(2);
    let report = read(&run);
    let last = report.test_suites[0].test_cases.last().unwrap();
    assert!(matches!(last.status, TestCaseStatus::NonSuccess { .. }), "{last:?}");
}

#[test]
fn a_limit_missed_by_pending_requests_is_not_reported_as_met() {
    let mut run = spike();
    run.slo[0].met = Some(false);
    let text = junit::of(&run).unwrap();
    assert!(
        text.contains(
            "latency_p95_ms is 1,000 ms over the answers; with the requests that were still waiting"
        )
    );
}

#[test]
fn a_page_is_well_formed_and_complete() {
    for (name, run) in all() {
        let page = html::of(&run).unwrap();
        let tags = crate::report::html::tests::tags(&page);
        let plots = page.matches("<svg class=\"plot\"").count();
        let expected = match name {
            "passed" => 4,
            // Neither latency nor a pass rate.
            "nothing answered" => 2,
            // Over time, and over several levels.
            _ => 8,
        };
        assert_eq!((plots, tags["h1"], tags["script"]), (expected, 1, 1), "{name}");
        assert_eq!(
            page.matches("role=\"img\" aria-label=\"").count(),
            plots,
            "every failure must have a message: {name}"
        );
        assert!(!page.contains("NaN") && !page.contains("inf "), "{name}");
    }
    let page = html::of(&spike()).unwrap();
    for part in [
        "<h1>akit stress: <span>FAIL</span></h1>",
        ">limit 2,000 ms<",
        "<code>scenarios/support.yaml:7</code>",
        "highest at 20 s",
        "<th scope=\"col\">timeout</th>",
        " 62.5%</td>",
        "20 in flight for latency and errors",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_largest_page_stays_small() {
    let mut run = spike();
    let tick = run.timeline[0];
    run.timeline = (0..600).map(|at| crate::manifest::Tick { at_s: f64::from(at), ..tick }).collect();
    run.levels = (0..100).map(|at| fixture::level(f64::from(at + 1), f64::from(at * 6))).collect();
    run.cases = vec![run.cases[1].clone(); 5_000];
    let page = html::of(&run).unwrap();
    assert!(page.len() < 500_000, "{}", page.len());
    assert!(page.contains("… and 4,800 more"));
}

#[test]
fn the_report_matches_the_committed_schema() {
    for (name, run) in all() {
        let written: Value = serde_json::from_str(&pretty(&run).unwrap()).unwrap();
        assert_eq!(written["schema"], "akit.stress/1");
        let schema = crate::report::json::tests::committed::<StressRun>("stress.json");
        let problems: Vec<_> = schema.iter_errors(&written).map(|error| error.to_string()).collect();
        assert_eq!(problems, [""; 0], "{name}");
        let mut other = written;
        other["levels"][0].as_object_mut().unwrap().remove("valid");
        assert!(!schema.is_valid(&other));
    }
}

/// Whether a text has no effect when a forge renders it or a pipeline reads it.
fn is_inert(shown: &str) -> bool {
    shown.chars().all(|c| c == '\n' || text::inert(c))
        && !shown.lines().any(|line| line.trim_start().starts_with("::"))
        && !shown.contains("##[")
        && !shown.contains("##vso[")
}

#[test]
fn hostile_text_stays_text() {
    let run = saying(HOSTILE);
    let page = html::of(&run).unwrap();
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "the text must be shown");
    let markdown = markdown::of(&run);
    assert!(!markdown.contains("<img") && !markdown.contains("<!--") && !markdown.contains("](javascript"));
    assert!(!markdown.contains("@octocat") && !markdown.contains("</details>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_text_acts_in_any_form(text in hostile()) {
        let run = saying(&text);
        let console = console::of(&run, Ink::Plain);
        prop_assert!(is_inert(&console), "{console}");
        prop_assert_eq!(console.lines().filter(|line| line.starts_with("RESULT: ")).count(), 1);
        let page = html::of(&run).unwrap();
        prop_assert!(page.chars().all(|c| c == '\n' || c == '\t' || text::inert(c)));
        prop_assert!(page.matches("<script").count() == 1 && !page.contains("<img") && !page.contains("<!--"));
        let junit = junit::of(&run).unwrap();
        prop_assert!(junit.chars().all(text::xml::legal));
        prop_assert_eq!(read(&run).tests, 17);
        let markdown = markdown::of(&run);
        prop_assert!(is_inert(&markdown), "{markdown}");
        // Only its own separators: eight columns per row.
        prop_assert!(markdown.lines().filter(|line| line.starts_with('|')).all(|line| line.matches('|').count() == 10));
        prop_assert!(serde_json::from_str::<Value>(&pretty(&run).unwrap()).is_ok());
    }
}

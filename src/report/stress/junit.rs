//! A load test as JUnit XML: one testcase per level, and one per level and limit.
//!
//! `<failure>` is a missed limit or a level where nothing passed; `<error>` is a level that shows nothing: void,
//! unanswered or not finished. Names contain loads and names of limits but no figures, so they stay the same from run
//! to run. A test that does not pass has at least one testcase that does not pass.

use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::phrase::{Standing, bad, details, ended, errors, objective, tally, time};
use crate::manifest::{Level, Objective, StressConclusion, StressRun};
use crate::report::RenderError;
use crate::text::{number, xml};

/// Maximum number of characters in a name, and in a message.
const NAME: usize = 400;
const MESSAGE: usize = 300;
/// Maximum number of bytes in a testcase's text.
const TEXT: usize = 64 * 1024;
/// Maximum number of cases listed in a testcase that does not pass.
const LISTED: usize = 20;

/// Why a testcase did not pass.
struct Wrong {
    kind: NonSuccessKind,
    ty: &'static str,
    message: String,
}

fn failure(ty: &'static str, message: String) -> Wrong {
    Wrong { kind: NonSuccessKind::Failure, ty, message }
}

fn error(ty: &'static str, message: String) -> Wrong {
    Wrong { kind: NonSuccessKind::Error, ty, message }
}

/// Renders the test.
///
/// # Errors
/// The XML could not be written.
pub fn of(run: &StressRun) -> Result<String, RenderError> {
    let mut suite = TestSuite::new(xml::attribute(&format!("akit stress {}", run.suite.join(" ")), NAME));
    let at = DateTime::parse_from_rfc3339(&run.at).ok();
    if let Some(at) = at {
        suite.set_timestamp(at);
    }
    suite.set_time(Duration::from_millis(run.duration_ms));
    let names = run.names();
    let mut cases: Vec<(String, Option<Wrong>, Option<&Level>)> = Vec::new();
    for (at, (level, name)) in run.levels.iter().zip(&names).enumerate() {
        cases.push((name.clone(), of_level(run, at, level), Some(level)));
        for one in run.slo.iter().filter(|one| one.level == at) {
            cases.push((format!("{name}: {}", one.metric.word()), of_objective(run, one), Some(level)));
        }
    }
    if run.cross_talk.is_some() {
        let is_answered = run.levels.iter().any(|level| level.latency_ms.max.is_some());
        let unchecked = || {
            let message = "nothing answered, so no conversation was checked";
            (!is_answered).then(|| error("akit.nothing-answered", message.to_owned()))
        };
        let wrong = run.crossed().map(|crossed| failure("akit.cross-talk", crossed)).or_else(unchecked);
        cases.push(("conversations are kept apart".to_owned(), wrong, None));
    }
    if cases.iter().all(|(_, wrong, _)| wrong.is_none()) && run.decision.conclusion != StressConclusion::Pass
    {
        let message = run.decision.reasons.join("; ");
        let wrong = match run.decision.conclusion {
            StressConclusion::Fail => failure("akit.load-test", message),
            StressConclusion::Pass | StressConclusion::Error => error("akit.load-test", message),
        };
        cases.push(("load test".to_owned(), Some(wrong), None));
    }
    let cases = cases.into_iter().map(|(name, wrong, level)| testcase(run, &name, wrong, level));
    suite.add_test_cases(cases);
    let mut out = Report::new("akit");
    out.set_time(Duration::from_millis(run.duration_ms));
    if let Some(at) = at {
        out.set_timestamp(at);
    }
    out.add_test_suite(suite);
    Ok(out.to_string()?)
}

/// What is wrong with a level as a whole, the worst first.
fn of_level(run: &StressRun, at: usize, level: &Level) -> Option<Wrong> {
    // A test that ended early ended in the last level that sent anything.
    let last = run.levels.iter().rposition(|level| level.requests + level.cut_off > 0).unwrap_or_default();
    let quality = &level.quality;
    let is_ungraded = level.judged.as_ref().is_some_and(|judged| judged.n == 0 && judged.errored > 0);
    if let Some(end) = ended(run).filter(|_| at >= last) {
        let how = if at > last { "this level did not start" } else { "this level is not complete" };
        Some(error("akit.incomplete", format!("{how}: {end}")))
    } else if !level.valid {
        let lag = time(level.dispatch_lag_ms.p99);
        let message = format!(
            "void: this machine sent requests up to {lag} late (p99), so the figures are not the application's"
        );
        Some(error("akit.void", message))
    } else if level.latency_ms.max.is_none() {
        let errors = errors(level);
        let why = if errors.is_empty() { "nothing was answered".to_owned() } else { errors };
        Some(error("akit.nothing-answered", format!("nothing answered: {why}")))
    } else if is_ungraded {
        Some(error("akit.judge", "the judge could not grade any answer of the sample".to_owned()))
    } else if quality.n > 0 && quality.passed == 0 {
        let message = format!("none of {} judged conversations passed", number::whole(quality.n));
        Some(failure("akit.nothing-passed", message))
    } else {
        None
    }
}

fn of_objective(run: &StressRun, one: &Objective) -> Option<Wrong> {
    match Standing::of(run, one) {
        Standing::Met => None,
        Standing::Missed => Some(failure("akit.service-level", objective(run, one))),
        Standing::Unknown => Some(error("akit.service-level", objective(run, one))),
    }
}

fn testcase(run: &StressRun, name: &str, wrong: Option<Wrong>, level: Option<&Level>) -> TestCase {
    let status = wrong.map_or_else(TestCaseStatus::success, |wrong| {
        let mut status = TestCaseStatus::non_success(wrong.kind);
        // GitLab keeps only the body, so it begins with the message.
        let body = body(run, &wrong.message, level);
        status.set_message(xml::attribute(&wrong.message, MESSAGE));
        status.set_type(wrong.ty).set_description(xml::short_body(&body, TEXT));
        status
    });
    let mut case = TestCase::new(xml::attribute(name, NAME), status);
    case.set_classname("akit.stress");
    if let Some(level) = level {
        case.set_time(Duration::try_from_secs_f64(level.lasted_s).unwrap_or_default());
    }
    // Without a place, readers search the repository for one.
    if let Some(first) = run.cases.first() {
        case.extra.insert("file".into(), xml::attribute(&first.file, 4000).into());
        case.extra.insert("line".into(), first.line.max(1).to_string().into());
    }
    case
}

fn body(run: &StressRun, message: &str, level: Option<&Level>) -> String {
    let mut lines = vec![message.to_owned()];
    lines.extend(level.into_iter().flat_map(details));
    for case in bad(run).take(LISTED) {
        let reason = case.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let (scenario, id, file, line) = (&case.scenario, &case.id, &case.file, case.line);
        lines.push(format!("{scenario}/{id} ({file}:{line}), over all levels: {}{reason}", tally(case)));
    }
    lines.join("\n")
}

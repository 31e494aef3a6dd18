//! GitLab code quality (`reports:codequality`): the findings of a run next to the lines of a merge request.
//!
//! From docs.gitlab.com, "Code Quality", "Code Quality report format": a JSON array of objects with `description`,
//! `check_name`, `fingerprint`, `severity` and `location`. The findings and their identity are those of SARIF. A case
//! that could not be judged is not a finding: it is in JUnit.

use serde::Serialize;

use super::sarif::{self, Alert, Level};
use super::{RenderError, Report, json};
use crate::gate::State;
use crate::text;

/// Maximum number of findings; GitLab compares them all on every view of a merge request.
const MOST: usize = 25_000;

/// Maximum number of characters in a path.
const PATH: usize = 4_000;

/// Maximum number of characters in a description.
const DESCRIPTION: usize = 600;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: IssuePlace,
}

#[derive(Serialize)]
struct IssuePlace {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The findings, worst first.
///
/// # Errors
/// The JSON could not be written.
pub fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    let (mut findings, _) = sarif::findings(report);
    findings.sort_by_key(|finding| (finding.level, !finding.leads()));
    let issues: Vec<Issue> = findings.iter().take(MOST).map(issue).collect();
    json::pretty(&issues)
}

fn issue(finding: &Alert) -> Issue {
    Issue {
        description: sarif::words(&finding.message, DESCRIPTION),
        check_name: finding.rule(),
        fingerprint: finding.fingerprint(),
        severity: severity(finding),
        location: IssuePlace {
            path: text::excerpt(finding.location.file.trim_start_matches('/'), PATH),
            lines: Lines { begin: finding.location.line.max(1) },
        },
    }
}

/// GitLab's five severities: for what blocks as a whole or is proven broken, what blocks, what is open, what may
/// fail, and mere information.
fn severity(finding: &Alert) -> &'static str {
    match (finding.level, finding.state) {
        (Level::Error, _) if finding.leads() => "blocker",
        (Level::Error, _) => "critical",
        (_, Some(State::Quarantined)) => "info",
        (_, Some(State::Open | State::Degraded | State::Unconfirmed)) | (Level::Warning, None) => "major",
        (Level::Warning, _) | (_, Some(State::Flaky | State::Cleared)) => "minor",
        (Level::Note, _) => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::report::fixture::{Fixture, case, trial, verdict};
    use crate::vocabulary::Outcome;
    use crate::vocabulary::VerdictKind;

    fn read(fixture: &Fixture) -> Vec<serde_json::Value> {
        serde_json::from_str(&of_report(&fixture.report()).unwrap()).unwrap()
    }

    #[test]
    fn severities_depend_on_the_states() {
        let shown: Vec<_> = read(&Fixture::short())
            .iter()
            .map(|one| {
                format!("{} {}", one["severity"].as_str().unwrap(), one["check_name"].as_str().unwrap())
            })
            .collect();
        assert_eq!(shown[..2], ["blocker akit/regression/case", "blocker akit/threshold/pass-rate"]);
        assert_eq!(shown[2], "critical akit/expect/llm-grader");
        assert_eq!(shown[8], "minor akit/expect/contains");
        assert_eq!(shown[9..], ["info akit/weakened/history-reset", "minor akit/expect/contains"]);
    }

    #[test]
    fn fingerprints_last_and_are_unique() {
        let trials = vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "")];
        let one = case("support", "a", Outcome::Failed, trials);
        let twice = Fixture::of(vec![one.clone(), one.clone()], &Policy::default());
        let found = read(&twice);
        assert_ne!(found[0]["fingerprint"], found[1]["fingerprint"]);
        let mut moved = Fixture::of(vec![one], &Policy::default());
        moved.run.cases[0].location.line = 99;
        moved.run.cases[0].trials[0].answer_with(None);
        assert_eq!(read(&moved)[0]["fingerprint"], found[0]["fingerprint"]);
        assert_eq!(read(&moved)[0]["location"]["lines"]["begin"], 99);
        // SHA-256 of "support\0a\0akit/expect/contains\0".
        let text = found[0]["fingerprint"].as_str().unwrap();
        assert_eq!((text.len(), text.chars().all(|c| c.is_ascii_hexdigit())), (64, true));
    }

    #[test]
    fn a_good_run_is_an_empty_list() {
        let fixture =
            Fixture::of(vec![case("support", "a", Outcome::Passed, Vec::new())], &Policy::default());
        assert_eq!(of_report(&fixture.report()).unwrap(), "[]\n");
    }
}

//! Findings and warnings of the gate that are not results of failed cases.

use std::collections::BTreeMap;

use super::{Alert, Level, Rule, Trouble};
use crate::gate::{Conclusion, Finding};
use crate::report::entry::slug;
use crate::report::{Entry, Report};
use crate::source::Location;
use crate::text;
use crate::vocabulary::{FindingId, Outcome, Subject};

/// Maximum number of characters in a message.
const MESSAGE: usize = 400;

/// Adds what is wrong with the run as a whole, where the change is weaker, and what to know about cases that passed.
pub(super) fn tell(report: &Report<'_>, alerts: &mut Vec<Alert>, troubles: &mut Vec<Trouble>) {
    let file = report
        .run
        .scenarios
        .first()
        .map(|scenario| scenario.file.as_str())
        .or_else(|| report.run.files().first().copied());
    let whole = || Some(Location { file: file?.to_owned(), line: 1, column: 1 });
    let others: BTreeMap<&Location, Entry<'_>> = report
        .entries()
        .filter(|entry| entry.case.outcome != Outcome::Failed)
        .map(|entry| (&entry.case.location, entry))
        .collect();
    for finding in report.decision.findings.iter().chain(&report.decision.warnings) {
        if finding.is_by_case() {
            alerts.extend(of_another(&others, finding));
            continue;
        }
        let level = level(finding.conclusion);
        let place = match finding.conclusion {
            Conclusion::Fail => finding.location.clone().or_else(whole),
            Conclusion::Error | Conclusion::Inconclusive | Conclusion::Pass => finding.location.clone(),
        };
        match (finding.conclusion, place) {
            (Conclusion::Error, _) | (_, None) => {
                // A finding that is only information blocks nothing and has no place, so only the console shows it.
                if finding.conclusion != Conclusion::Pass {
                    troubles.push(Trouble { level, message: finding.message.clone(), location: None });
                }
            }
            (_, Some(location)) => alerts.push(of_run(finding, level, location)),
        }
    }
}

fn level(conclusion: Conclusion) -> Level {
    match conclusion {
        Conclusion::Fail | Conclusion::Error => Level::Error,
        Conclusion::Inconclusive => Level::Warning,
        Conclusion::Pass => Level::Note,
    }
}

fn of_run(finding: &Finding, level: Level, location: Location) -> Alert {
    let rule = rule(finding);
    Alert {
        level,
        message: text::excerpt(&finding.message, MESSAGE),
        identity: [String::new(), about(finding, &location), rule.id()],
        location,
        rule,
        state: None,
        excuse: String::new(),
        related: None,
        flow: Vec::new(),
    }
}

/// What distinguishes two findings of one rule: the cases of a threshold and its limit, or what is weaker and in which
/// file.
fn about(finding: &Finding, location: &Location) -> String {
    let parts = match &finding.subject {
        Subject::Run | Subject::Case => return String::new(),
        Subject::Tag(tag) => vec![Some(tag.clone())],
        Subject::Threshold { metric, cases } => {
            vec![
                Some(metric.name()),
                cases.scenario.clone(),
                cases.case.clone(),
                Some(cases.tags.join("\u{1}")),
                finding.limit.map(|limit| format!("{limit}")),
            ]
        }
        Subject::Weakening { kind, of } => {
            vec![Some(location.file.clone()), Some(kind.to_string()), Some(of.clone())]
        }
    };
    // A name may contain any word, but no control character.
    parts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("\u{0}")
}

fn rule(finding: &Finding) -> Rule {
    match (&finding.id, &finding.subject) {
        (FindingId::SuiteRegression, _) => Rule::Regression("suite"),
        (FindingId::TagRegression, _) => Rule::Regression("tag"),
        (FindingId::JointRegression, _) => Rule::Regression("joint"),
        (FindingId::ScoreRegression, _) => Rule::Regression("score"),
        (FindingId::CostRegression, _) => Rule::Regression("cost"),
        (FindingId::LatencyRegression, _) => Rule::Regression("latency"),
        (FindingId::Weakened, Subject::Weakening { kind, .. }) => Rule::Weakened(slug(kind.word())),
        (FindingId::MinPassRate, _) => Rule::Threshold("pass-rate".to_owned()),
        (FindingId::Threshold, Subject::Threshold { metric, .. }) => Rule::Threshold(slug(&metric.name())),
        (id, _) => Rule::Gate(slug(id.word())),
    }
}

/// A finding about a case that did not fail, such as a flaky one.
fn of_another(others: &BTreeMap<&Location, Entry<'_>>, finding: &Finding) -> Option<Alert> {
    let place = finding.location.as_ref()?;
    let entry = others.get(place)?;
    let rule = Rule::Gate(slug(finding.id.word()));
    Some(Alert {
        level: level(finding.conclusion),
        message: text::excerpt(&finding.message, MESSAGE),
        location: place.clone(),
        identity: [entry.case.scenario.clone(), entry.case.id.clone(), rule.id()],
        rule,
        state: Some(entry.state),
        excuse: String::new(),
        related: None,
        flow: Vec::new(),
    })
}

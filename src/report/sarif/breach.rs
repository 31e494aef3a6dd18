//! The gate's breaches and warnings that are not told by the result of a failed case.

use std::collections::BTreeMap;

use crate::gate::{Breach, Metric, Ruling};
use crate::report::entry::slug;
use crate::report::{Entry, Report};
use crate::source::Location;
use crate::text;
use crate::vocabulary::Outcome;

use super::{Finding, Level, Rule, Trouble};

/// Characters of a message.
const MESSAGE: usize = 400;

/// Adds what is wrong with the run as a whole, where the change demands less, and what is to know of
/// cases that passed.
pub(super) fn tell(report: &Report<'_>, findings: &mut Vec<Finding>, troubles: &mut Vec<Trouble>) {
    let file = report
        .run
        .scenarios
        .first()
        .map(|scenario| scenario.file.as_str())
        .or_else(|| report.run.files().first().copied());
    let whole = || Some(Location { file: file?.to_owned(), line: 1, column: 1 });
    let passed: BTreeMap<&Location, Entry<'_>> = report
        .entries()
        .filter(|entry| entry.case.outcome == Outcome::Passed)
        .map(|entry| (&entry.case.location, entry))
        .collect();
    for breach in report.decision.breaches.iter().chain(&report.decision.warnings) {
        if breach.is_by_case() {
            findings.extend(of_passed(&passed, breach));
            continue;
        }
        let level = level(breach.ruling);
        let place = match breach.ruling {
            Ruling::Fail => breach.location.clone().or_else(whole),
            _ => breach.location.clone(),
        };
        match (breach.ruling, place) {
            (Ruling::Error, _) | (_, None) => {
                // What everybody should know stands against nothing, and has no place: the console tells it.
                if breach.ruling != Ruling::Pass {
                    troubles.push(Trouble { level, message: breach.message.clone(), location: None });
                }
            }
            (_, Some(location)) => findings.push(of_run(breach, level, location)),
        }
    }
}

fn level(ruling: Ruling) -> Level {
    match ruling {
        Ruling::Fail | Ruling::Error => Level::Error,
        Ruling::Inconclusive => Level::Warning,
        Ruling::Pass => Level::Note,
    }
}

fn of_run(breach: &Breach, level: Level, location: Location) -> Finding {
    let rule = rule(breach);
    // Two thresholds on one metric differ in the cases that they are about, two weakenings in their file.
    let about = match breach.id.as_str() {
        "threshold" => breach.message.split(" is ").next().unwrap_or_default().to_owned(),
        "weakened" => format!("{}: {}", location.file, breach.message),
        _ => String::new(),
    };
    Finding {
        level,
        message: text::excerpt(&breach.message, MESSAGE),
        location,
        identity: [String::new(), about, rule.id()],
        rule,
        state: None,
        excuse: String::new(),
    }
}

/// The rule by the id of a breach; a threshold and a weakening start their message with what they are.
fn rule(breach: &Breach) -> Rule {
    let metric = |name: &str| Metric::parse(name).map(|metric| Rule::Threshold(slug(&metric.name())));
    match breach.id.as_str() {
        "suite-regression" => Rule::Regression("suite"),
        "cost-regression" => Rule::Regression("cost"),
        "latency-regression" => Rule::Regression("latency"),
        "weakened" => Rule::Weakened(slug(breach.message.split(':').next().unwrap_or_default())),
        "min-pass-rate" => Rule::Threshold("pass-rate".to_owned()),
        "threshold" => breach
            .message
            .split_whitespace()
            .next()
            .and_then(metric)
            .unwrap_or_else(|| Rule::Threshold("threshold".to_owned())),
        id => Rule::Gate(slug(id)),
    }
}

/// A breach by a case that passed, such as one that passes at times: no failure tells it.
fn of_passed(passed: &BTreeMap<&Location, Entry<'_>>, breach: &Breach) -> Option<Finding> {
    let place = breach.location.as_ref()?;
    let entry = passed.get(place)?;
    let rule = Rule::Gate(slug(&breach.id));
    Some(Finding {
        level: level(breach.ruling),
        message: text::excerpt(&breach.message, MESSAGE),
        location: place.clone(),
        identity: [entry.case.scenario.clone(), entry.case.id.clone(), rule.id()],
        rule,
        state: Some(entry.state),
        excuse: String::new(),
    })
}

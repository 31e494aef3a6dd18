//! Short annotations of a job: links for GitLab (`reports:annotations`), workflow commands for GitHub.
//!
//! GitLab has one kind of annotation, `external_link`, shown at the side of the job page (docs.gitlab.com, "CI/CD
//! artifacts reports types"). GitHub shows ten errors and ten warnings per step (docs.github.com, "Workflow commands");
//! more are dropped silently, so the rest is left to the other reports.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::sarif::{self, Level};
use super::{RenderError, Report, json as document};
use crate::source::Location;
use crate::text;

/// Maximum number of links on a job page.
const LINKS: usize = 20;

/// Number of errors, and of warnings, that GitHub shows per step.
const SHOWN: usize = 10;

/// Maximum number of characters in a label.
const LABEL: usize = 120;

/// Maximum number of characters in a message.
const MESSAGE: usize = 1_000;

/// Links to the lines of what blocks a pass, and of cases that could not be judged; none if the address of the
/// commit's files is unknown.
///
/// # Errors
/// None is known.
pub fn links(report: &Report<'_>) -> Result<String, RenderError> {
    let (findings, troubles) = sarif::findings(report);
    let errors = || findings.iter().filter(|finding| finding.level == Level::Error);
    let leading =
        errors().filter(|finding| finding.leads()).chain(errors().filter(|finding| !finding.leads()));
    let blocking = leading.map(|finding| (&finding.message, &finding.location));
    let unjudged = troubles.iter().filter_map(|trouble| Some((&trouble.message, trouble.location.as_ref()?)));
    let mut seen = BTreeSet::new();
    let places = blocking.chain(unjudged).filter(|(_, place)| seen.insert(*place));
    let link = |(message, place): (&String, &Location)| -> Option<Value> {
        let label = text::excerpt(message, LABEL);
        Some(json!({ "external_link": { "label": label, "url": report.links.line(place)? } }))
    };
    let links: Vec<Value> = places.filter_map(link).take(LINKS).collect();
    document::pretty(&json!({ "akit": links }))
}

/// Workflow commands, one per line; empty if there is nothing to report.
#[must_use]
pub fn commands(report: &Report<'_>) -> String {
    let (mut findings, troubles) = sarif::findings(report);
    findings.sort_by_key(|finding| (finding.level, !finding.leads()));
    let mut said: Vec<(Level, String, String, Option<Location>)> = findings
        .into_iter()
        .map(|one| (one.level, one.rule(), one.message.clone(), Some(one.location.clone())))
        .collect();
    said.extend(
        troubles.into_iter().map(|one| (one.level, "not judged".to_owned(), one.message, one.location)),
    );
    let mut out = String::new();
    for (wanted, word) in [(Level::Error, "error"), (Level::Warning, "warning")] {
        for (_, title, message, place) in said.iter().filter(|one| one.0 == wanted).take(SHOWN) {
            let place = place.as_ref().map(|place| {
                format!("file={},line={},", property(&text::excerpt(&place.file, MESSAGE)), place.line.max(1))
            });
            let message = data(&text::excerpt(message, MESSAGE));
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "::{word} {}title={}::{message}",
                place.unwrap_or_default(),
                property(&format!("akit: {title}"))
            );
        }
    }
    out
}

/// The message of a command, escaped like `@actions/core` does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::report::fixture::{Fixture, case, trial, verdict};
    use crate::vocabulary::Outcome;
    use crate::vocabulary::VerdictKind;

    #[test]
    fn commands_point_to_lines() {
        let text = commands(&Fixture::short().report());
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with(
                "::error file=evals/support.yaml,line=5,title=akit%3A akit/regression/case::`support/broken`"
            ),
            "{first}"
        );
        assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")));
        assert!(text.contains("title=akit%3A not judged::`support/down` could not be judged (timeout)"));
    }

    #[test]
    fn github_gets_ten_of_each() {
        let trials =
            vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "100 %\n::error::x")), "")];
        let one = case("support", "a", Outcome::Failed, trials);
        let text = commands(&Fixture::of(vec![one; 40], &Policy::default()).report());
        assert_eq!(text.lines().count(), 10);
        assert!(text.contains("100 %25⏎::error::x") && !text.contains("\n::error::x"), "{text}");
    }

    #[test]
    fn errors_leave_room_for_ten_warnings() {
        let failed = trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), "");
        let one = |name: String| case("support", &name, Outcome::Failed, vec![failed.clone()]);
        let mut fixture = Fixture::of((0..40).map(|n| one(format!("c{n}"))).collect(), &Policy::default());
        // A failure that the policy allows is a warning.
        for case in &mut fixture.decision.cases[20..] {
            case.blocking = false;
        }
        fixture.decision.findings.truncate(20);
        let text = commands(&fixture.report());
        let begin = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
        assert_eq!((begin("::error "), begin("::warning "), text.lines().count()), (10, 10, 20), "{text}");
        assert!(text.contains("`support/c0`") && text.contains("`support/c20`"), "{text}");
    }

    #[test]
    fn text_cannot_escape_its_property() {
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }

    #[test]
    fn links_need_a_target() {
        let mut fixture = Fixture::short();
        let read = |fixture: &Fixture| -> Value {
            serde_json::from_str(&links(&fixture.report()).unwrap()).unwrap()
        };
        assert_eq!(read(&fixture), json!({ "akit": [] }));
        fixture.links.files = Some("https://gitlab.example/a/b/-/blob/0af".to_owned());
        let found = read(&fixture);
        let first = &found["akit"][0]["external_link"];
        assert_eq!(first["url"], "https://gitlab.example/a/b/-/blob/0af/evals/support.yaml#L5");
        assert!(first["label"].as_str().unwrap().starts_with("`support/broken` passed in the baseline"));
        assert!(found.to_string().contains("gr%C3%B6%C3%9Fe%20%26%20co..yaml#L"));
    }
}

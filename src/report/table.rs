//! The decision's numbers next to the baseline's and their limits: the same rows in every report.

use serde::Serialize;

use crate::gate::{Finding, Means, State};
use crate::stats::SLACK;
use crate::text::{self, number};
use crate::vocabulary::{FindingId, Subject};

use super::Report;

/// Maximum number of missed thresholds shown.
const BREACHES: usize = 20;

/// Findings about pass rates that are lower than expected from the baseline.
const REGRESSIONS: [FindingId; 3] =
    [FindingId::SuiteRegression, FindingId::TagRegression, FindingId::JointRegression];

/// A number as people read it; `—` if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// The metric; the id of a finding may contain anything.
    pub(super) metric: String,
    pub(super) now: String,
    pub(super) baseline: String,
    pub(super) limit: String,
}

/// Shown if there is no number.
pub(super) const NONE: &str = "—";

impl Row {
    /// A row without a number from the baseline.
    pub(super) fn new(metric: &str, now: String, limit: Option<String>) -> Self {
        let limit = limit.unwrap_or_else(|| NONE.to_owned());
        Self { metric: metric.to_owned(), now, baseline: NONE.to_owned(), limit }
    }
}

/// Whether the baseline has a number for any row.
pub(super) fn compares(report: &Report<'_>) -> bool {
    report.decision.compared.as_ref().is_some_and(|compared| compared.rates.is_some())
}

/// The figures that are known of the compared cases in both the run and the baseline: name, value now and in the
/// baseline, and difference.
pub(super) fn changes(report: &Report<'_>) -> Vec<[String; 4]> {
    let Some(compared) = &report.decision.compared else { return Vec::new() };
    let all = compared.rates.map_or(0, |rates| rates.cases);
    let row = |fact: &str, means: Option<Means>, words: fn(Means) -> [String; 3]| {
        let means = means?;
        let some = format!("{fact} ({})", text::count(means.cases, "case"));
        let fact = if means.cases == all { fact.to_owned() } else { some };
        let [now, before, change] = words(means);
        Some([fact, now, before, change.replace('-', "−")])
    };
    let rate = if compares_all(report) { "pass rate" } else { "pass rate of the compared cases" };
    let rows = [
        row(rate, compared.rates, |one| {
            let points = signed((one.now - one.baseline) * 100.0, 1, " points");
            [number::percent(one.now), number::percent(one.baseline), points]
        }),
        row("mean score", compared.scores, |one| {
            let (now, before) = number::scores(one.now, one.baseline);
            [now, before, signed(one.now - one.baseline, 2, "")]
        }),
        row("mean time per answer", compared.latency_ms, |one| {
            let short = one.now.max(one.baseline) < 1_000.0;
            let time = |ms: f64| if short { format!("{ms:.0} ms") } else { format!("{:.2} s", ms / 1_000.0) };
            [time(one.now), time(one.baseline), share(one)]
        }),
        row("cost per 1,000 answers", compared.cost_usd, |one| {
            let [now, before] = [one.now, one.baseline].map(|usd| dollars(usd * 1_000.0));
            [now, before, share(one)]
        }),
    ];
    rows.into_iter().flatten().collect()
}

/// Whether the compared cases are all judged ones, so that both have the same pass rate.
pub(super) fn compares_all(report: &Report<'_>) -> bool {
    let decision = report.decision;
    let rates = decision.compared.as_ref().and_then(|compared| compared.rates);
    rates.zip(decision.pass_rate).is_some_and(|(rates, rate)| {
        rates.cases == decision.counts.judged() && (rates.now - rate).abs() < SLACK
    })
}

fn dollars(usd: f64) -> String {
    match usd {
        0.0 => "$0".to_owned(),
        usd if usd < 0.1 => format!("${usd:.4}"),
        usd if usd < 1_000.0 => format!("${usd:.2}"),
        usd => format!("${}", number::figure(usd.round())),
    }
}

fn share(one: Means) -> String {
    let change = (one.now / one.baseline - 1.0) * 100.0;
    if change.is_finite() { signed(change, 1, "%") } else { "was 0".to_owned() }
}

/// A difference with its sign, with more decimals if it would round to 0.
fn signed(difference: f64, decimals: usize, unit: &str) -> String {
    let shown = (decimals..=6).map(|decimals| format!("{difference:+.decimals$}"));
    let shown = shown.into_iter().find(|shown| shown.contains(|c: char| ('1'..='9').contains(&c)));
    shown.unwrap_or_else(|| format!("{:.decimals$}", 0.0)) + unit
}

/// Cases that could not be judged. If the policy allows some, the gate's finding gives their share.
fn errors(report: &Report<'_>) -> Row {
    let (decision, count) = (report.decision, number::size(report.decision.counts.errored));
    let rates =
        decision.findings.iter().chain(&decision.warnings).filter(|finding| finding.id == FindingId::Errors);
    let may =
        rates.filter_map(|finding| Some((finding.measured?, finding.limit?))).find(|(_, may)| *may > 0.0);
    let (now, limit) = match may {
        Some((share, may)) => (format!("{count} ({})", number::percent(share)), number::percent(may)),
        None => (count, "0".to_owned()),
    };
    Row::new("could not be judged", now, Some(limit))
}

/// The tokens of the application and of the judge, as far as they are known.
pub(super) fn tokens(report: &Report<'_>) -> impl Iterator<Item = Row> {
    let roles = [("tokens", report.run.usage()), ("tokens of the judge", report.run.grader_usage())];
    roles.into_iter().filter_map(|(label, usage)| Some(Row::new(label, number::whole(usage?.total()), None)))
}

/// The numbers that the gate decided on.
pub(super) fn rows(report: &Report<'_>) -> Vec<Row> {
    let (decision, counts) = (report.decision, report.decision.counts);
    let rates = decision.compared.as_ref().and_then(|compared| compared.rates);
    let mut rows = Vec::new();
    if let Some(rate) = decision.pass_rate {
        let (passed, judged) = (number::size(counts.passed), number::size(counts.judged()));
        let limit = decision.findings.iter().find(|finding| finding.id == FindingId::MinPassRate);
        let limit = limit.and_then(|finding| finding.limit).map(number::percent);
        let now = format!("{} ({passed} of {judged} cases)", number::percent(rate));
        let same = rates.filter(|_| compares_all(report));
        let before = same.map_or_else(|| NONE.to_owned(), |rates| number::percent(rates.baseline));
        rows.push(Row { baseline: before, ..Row::new("pass rate", now, limit) });
        if let Some(rates) = rates.filter(|_| same.is_none()) {
            let now = format!("{} ({} cases)", number::percent(rates.now), number::size(rates.cases));
            let row = Row::new("pass rate of the compared cases", now, None);
            rows.push(Row { baseline: number::percent(rates.baseline), ..row });
        }
    }
    if decision.compared.is_some() {
        let broken = decision.cases.iter().filter(|case| case.state == State::Broken).count();
        rows.push(Row::new("broken cases", number::size(broken), Some("0".to_owned())));
        let open = decision.cases.iter().filter(|case| case.state.is_open()).count();
        if open > 0 {
            rows.push(Row::new("open (neither confirmed nor cleared)", number::size(open), None));
        }
    }
    rows.push(errors(report));
    let numbered = |finding: &&Finding| {
        !matches!(finding.id, FindingId::MinPassRate | FindingId::Errors) && finding.measured.is_some()
    };
    for finding in decision.findings.iter().filter(numbered).take(BREACHES) {
        rows.push(breach(finding));
    }
    rows
}

/// A number that the policy does not allow. A threshold is named by its metric and the cases it covers.
fn breach(finding: &Finding) -> Row {
    let number =
        |value: Option<f64>, words: &dyn Fn(f64) -> String| value.map_or_else(|| NONE.to_owned(), words);
    match &finding.subject {
        Subject::Threshold { metric, cases } => {
            let is_low = finding.measured < finding.limit;
            let word = if is_low { "at least" } else { "at most" };
            let limit = finding.limit.map(|limit| format!("{word} {}", metric.words(limit)));
            let name = format!("{}{}", metric.name(), cases.words());
            Row::new(&name, number(finding.measured, &|value| metric.words(value)), limit)
        }
        Subject::Run | Subject::Tag(_) if REGRESSIONS.contains(&finding.id) => {
            let name = match &finding.subject {
                Subject::Tag(tag) => format!("pass rate of the tag {tag}"),
                _ => "pass rate of the suite".to_owned(),
            };
            let expected = finding.limit.map(|rate| format!("{} expected", number::percent(rate)));
            Row::new(&name, number(finding.measured, &number::percent), expected)
        }
        Subject::Run | Subject::Case | Subject::Tag(_) | Subject::Weakening { .. } => {
            let now = number(finding.measured, &number::score);
            Row::new(finding.id.word(), now, finding.limit.map(number::score))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::report::fixture::{Fixture, case};
    use crate::vocabulary::Outcome;

    #[test]
    fn a_difference_is_never_shown_as_zero() {
        let shown = [
            (0.0, 1, "0.0%"),
            (-0.04, 1, "-0.04%"),
            (0.051, 1, "+0.1%"),
            (-77.8, 1, "-77.8%"),
            (-0.004, 2, "-0.004%"),
        ];
        for (difference, decimals, expected) in shown {
            assert_eq!(signed(difference, decimals, "%"), expected);
        }
        let prices = [(0.0, "$0"), (0.0012, "$0.0012"), (2.0, "$2.00"), (12_500.0, "$12,500")];
        for (usd, expected) in prices {
            assert_eq!(dollars(usd), expected);
        }
    }

    #[test]
    fn errors_are_shown_next_to_the_policys_limit() {
        let outcomes = [Outcome::Passed, Outcome::Passed, Outcome::Passed, Outcome::Errored];
        for (may, now, limit) in [(0.0, "1", "0"), (0.1, "1 (25.0%)", "10.0%"), (0.5, "1 (25.0%)", "50.0%")] {
            let cases = outcomes.iter().enumerate();
            let cases = cases.map(|(n, outcome)| case("support", &format!("c{n}"), *outcome, Vec::new()));
            let policy = Policy { max_error_rate: may, ..Policy::default() };
            let fixture = Fixture::of(cases.collect(), &policy);
            let rows = rows(&fixture.report());
            let row = rows.iter().find(|row| row.metric == "could not be judged").unwrap();
            assert_eq!((row.now.as_str(), row.limit.as_str()), (now, limit), "{may}");
        }
    }
}

//! `OpenMetrics` text, which GitLab (`reports:metrics`) compares with the target branch and Prometheus reads.
//!
//! From github.com/prometheus/OpenMetrics, version 1.0: each family has its TYPE, UNIT and HELP before its samples, a
//! unit is the suffix of the family's name, and the text ends with `# EOF`. Unknown values are left out, and there are
//! no timestamps: GitLab would take each run for a different metric.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Report;
use crate::gate::{Conclusion, Measured, State};
use crate::manifest::{CaseResult, Trial};
use crate::stats::{percentile, real};
use crate::text;
use crate::vocabulary::Metric;

/// Maximum number of characters in a label's value.
const LABEL: usize = 200;

/// The text so far.
struct Text(String);

impl Text {
    /// The head of a family; its name ends with the unit.
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        debug_assert!(unit.is_empty() || name.ends_with(&format!("_{unit}")), "{name}");
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.0, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

/// A label value: one line, with `\`, `"` and line ends escaped as the format requires.
fn escaped(value: &str) -> String {
    text::excerpt(value, LABEL).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The whole report.
#[must_use]
pub fn of_report(report: &Report<'_>) -> String {
    let mut out = Text(String::new());
    verdict(&mut out, report);
    rates(&mut out, report);
    spending(&mut out, report);
    times(&mut out, report);
    out.0.push_str("# EOF\n");
    out.0
}

fn verdict(out: &mut Text, report: &Report<'_>) {
    out.family("akit_verdict", "stateset", "", "Decision of the gate.");
    for conclusion in [Conclusion::Pass, Conclusion::Fail, Conclusion::Inconclusive, Conclusion::Error] {
        let holds = if report.decision.conclusion == conclusion { 1.0 } else { 0.0 };
        out.sample("akit_verdict", &[("akit_verdict", conclusion.word())], holds);
    }
    let counts = report.decision.counts;
    out.family("akit_cases", "gauge", "", "Cases by result.");
    for (outcome, count) in [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("errored", counts.errored),
        ("skipped", counts.skipped),
    ] {
        out.sample("akit_cases", &[("outcome", outcome)], real(count));
    }
    let in_state = |state| report.entries().filter(|entry| entry.state == state).count() as u64;
    out.family(
        "akit_regressions",
        "gauge",
        "",
        "Cases that passed in the baseline and are proven to fail now.",
    );
    out.sample("akit_regressions", &[], real(in_state(State::Broken)));
    out.family("akit_flaky_cases", "gauge", "", "Cases that pass only sometimes.");
    out.sample("akit_flaky_cases", &[], real(in_state(State::Flaky)));
}

fn rates(out: &mut Text, report: &Report<'_>) {
    if let Some(rate) = report.decision.pass_rate {
        out.family("akit_pass_rate_ratio", "gauge", "ratio", "Share of judged cases that pass.");
        out.sample("akit_pass_rate_ratio", &[], rate);
    }
    // By the displayed name: no two samples may have the same labels.
    let mut scenarios: BTreeMap<String, Vec<&CaseResult>> = BTreeMap::new();
    for case in &report.run.cases {
        scenarios.entry(text::excerpt(&case.scenario, LABEL)).or_default().push(case);
    }
    let rated: Vec<_> = scenarios
        .iter()
        .filter_map(|(name, cases)| match Measured::of(&Metric::PassRate, cases) {
            Measured::Number(rate, _) => Some((name, rate)),
            Measured::NoCase | Measured::Unknown => None,
        })
        .collect();
    if !rated.is_empty() {
        let name = "akit_scenario_pass_rate_ratio";
        out.family(name, "gauge", "ratio", "Share of the judged cases of a scenario that pass.");
        for (scenario, rate) in rated {
            out.sample(name, &[("scenario", scenario)], rate);
        }
    }
}

fn spending(out: &mut Text, report: &Report<'_>) {
    let usages = [("application", report.run.usage()), ("judge", report.run.grader_usage())];
    if usages.iter().any(|(_, usage)| usage.is_some()) {
        out.family("akit_tokens", "gauge", "tokens", "Tokens sent and received.");
        for (role, usage) in usages.iter().filter_map(|(role, usage)| Some((*role, (*usage)?))) {
            out.sample("akit_tokens", &[("role", role), ("direction", "sent")], real(usage.input_tokens));
            out.sample(
                "akit_tokens",
                &[("role", role), ("direction", "received")],
                real(usage.output_tokens),
            );
        }
    }
    let all: Vec<_> = report.run.cases.iter().collect();
    let costs: Vec<_> = [("application", Metric::Cost), ("judge", Metric::JudgeCost)]
        .into_iter()
        .filter_map(|(role, metric)| match Measured::of(&metric, &all) {
            Measured::Number(cost, _) => Some((role, cost)),
            Measured::NoCase | Measured::Unknown => None,
        })
        .collect();
    if !costs.is_empty() {
        out.family("akit_cost_usd", "gauge", "usd", "Cost of the answers and of judging them.");
        for (role, cost) in costs {
            out.sample("akit_cost_usd", &[("role", role)], cost);
        }
    }
}

fn times(out: &mut Text, report: &Report<'_>) {
    if report.run.duration_ms > 0 {
        out.family("akit_duration_seconds", "gauge", "seconds", "Duration of the run.");
        out.sample("akit_duration_seconds", &[], real(report.run.duration_ms) / 1_000.0);
    }
    let known: Vec<u64> = report
        .run
        .cases
        .iter()
        .flat_map(CaseResult::ordinary)
        .flat_map(Trial::answers)
        .filter_map(|answer| answer.latency_ms)
        .collect();
    if known.is_empty() {
        return;
    }
    let name = "akit_latency_seconds";
    out.family(name, "summary", "seconds", "Time from sending a question to its complete answer.");
    let seconds: Vec<f64> = known.iter().map(|ms| real(*ms) / 1_000.0).collect();
    for (quantile, share) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
        if let Some(value) = percentile(&seconds, share) {
            out.sample(name, &[("quantile", quantile)], value);
        }
    }
    let sum = known.iter().fold(0_u64, |sum, ms| sum.saturating_add(*ms));
    out.sample("akit_latency_seconds_count", &[], real(known.len()));
    out.sample("akit_latency_seconds_sum", &[], real(sum) / 1_000.0);
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::gate::Policy;
    use crate::report::fixture::Fixture;

    /// Checks the text against the format's grammar, as far as it is used here.
    pub(in crate::report) fn check(text: &str) {
        let body = text.strip_suffix("# EOF\n").expect("the text must end with # EOF");
        let mut family = String::new();
        let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let mut words = rest.splitn(3, ' ');
                let (keyword, name) = (words.next().unwrap(), words.next().unwrap());
                assert!(words.next().is_some_and(|rest| !rest.is_empty()), "{line}");
                match keyword {
                    "TYPE" => {
                        assert!(families.insert(name.to_owned()), "{name} twice");
                        family = name.to_owned();
                    }
                    _ => assert!(matches!(keyword, "UNIT" | "HELP") && name == family, "{line}"),
                }
                continue;
            }
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            assert!(name.starts_with(&family) && series.insert(name.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_fixture_is_open_metrics() {
        let text = of_report(&Fixture::short().report());
        check(&text);
        for line in [
            "akit_verdict{akit_verdict=\"FAIL\"} 1\n",
            "akit_cases{outcome=\"failed\"} 8\n",
            "akit_regressions 1\n",
            "# UNIT akit_latency_seconds seconds\n",
            "akit_latency_seconds{quantile=\"0.95\"} 0.31\n",
            "akit_tokens{role=\"judge\",direction=\"received\"} 67\n",
            "akit_scenario_pass_rate_ratio{scenario=\"support\"} 0.2857142857142857\n",
        ] {
            assert!(text.contains(line), "no {line}in\n{text}");
        }
    }

    #[test]
    fn an_empty_run_says_so() {
        let text = of_report(&Fixture::of(Vec::new(), &Policy::default()).report());
        check(&text);
        assert!(text.contains("akit_verdict{akit_verdict=\"ERROR\"} 1") && !text.contains("pass_rate"));
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd\u{0}"), "a\\\\b\\\"c⏎d\u{fffd}");
    }
}

//! The decision as values for later steps and jobs (`$GITHUB_OUTPUT`, `reports:dotenv` of GitLab, `source`).
//!
//! GitLab takes 20 variables and 5 KiB by default and keeps quotes literally; a shell would interpret a value. So there
//! are few variables, and values contain only letters, digits, `.`, `_` and `-`.

use std::fmt::Write as _;

use super::Report;
use crate::gate::{Measured, State};
use crate::vocabulary::{Metric, Usage};

/// The variables: the names of [`values`] in capitals after `AKIT_`; the exit code is that of the decision.
#[must_use]
pub fn of_report(report: &Report<'_>, exit_code: u8) -> String {
    let mut out = String::new();
    for (name, value) in values(report, exit_code) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "AKIT_{}={value}", name.replace('-', "_").to_ascii_uppercase());
    }
    out
}

/// Names in lower case with hyphens, and values of letters, digits, `.`, `_` and `-`; unknown values are left out.
///
/// Rates are shares from 0 to 1; `delta` is the pass rate of the compared cases minus the baseline's, in points.
#[must_use]
pub fn values(report: &Report<'_>, exit_code: u8) -> Vec<(&'static str, String)> {
    let (run, decision) = (report.run, report.decision);
    let mut out = Vec::new();
    let mut set = |name: &'static str, value: String| {
        let plain = |c: &char| c.is_ascii_alphanumeric() || ".-_".contains(*c);
        out.push((name, value.chars().filter(plain).take(100).collect()));
    };
    set("verdict", decision.conclusion.word().to_ascii_lowercase());
    set("exit-code", exit_code.to_string());
    if let Some(rate) = decision.pass_rate {
        set("pass-rate", format!("{rate:.4}"));
    }
    if let Some(rates) = decision.compared.as_ref().and_then(|compared| compared.rates) {
        set("baseline-rate", format!("{:.4}", rates.baseline));
        // Without a `+`, which is not valid in JSON numbers, and without a negative zero.
        let points = ((rates.now - rates.baseline) * 1_000.0).round() / 10.0 + 0.0;
        set("delta", format!("{points:.1}"));
    }
    set("passed", decision.counts.passed.to_string());
    set("failed", decision.counts.failed.to_string());
    set("errored", decision.counts.errored.to_string());
    set("skipped", decision.counts.skipped.to_string());
    let in_state = |state| report.entries().filter(|entry| entry.state == state).count().to_string();
    set("regressions", in_state(State::Broken));
    set("flaky", in_state(State::Flaky));
    let usages = [run.usage(), run.grader_usage()];
    if usages.iter().any(Option::is_some) {
        let all = usages.into_iter().flatten().map(Usage::total).fold(0_u64, u64::saturating_add);
        set("tokens", all.to_string());
    }
    let cases: Vec<_> = run.cases.iter().collect();
    let costs: Vec<f64> = [Metric::Cost, Metric::JudgeCost]
        .iter()
        .filter_map(|metric| match Measured::of(metric, &cases) {
            Measured::Number(cost, _) => Some(cost),
            Measured::NoCase | Measured::Unknown => None,
        })
        .collect();
    if !costs.is_empty() {
        set("cost-usd", format!("{:.6}", costs.iter().sum::<f64>()));
    }
    set("duration-ms", run.duration_ms.to_string());
    set("run-id", run.run_id.clone());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_decision_as_variables() {
        let mut fixture = Fixture::short();
        fixture.run.run_id = "x$(rm -rf)\ny".to_owned();
        insta::assert_snapshot!(of_report(&fixture.report(), 1), @r"
        AKIT_VERDICT=fail
        AKIT_EXIT_CODE=1
        AKIT_PASS_RATE=0.2333
        AKIT_BASELINE_RATE=0.6000
        AKIT_DELTA=-20.0
        AKIT_PASSED=2
        AKIT_FAILED=8
        AKIT_ERRORED=2
        AKIT_SKIPPED=1
        AKIT_REGRESSIONS=1
        AKIT_FLAKY=1
        AKIT_TOKENS=1400
        AKIT_DURATION_MS=1240
        AKIT_RUN_ID=xrm-rfy
        ");
    }
}

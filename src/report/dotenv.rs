//! The decision as variables for later jobs (`reports:dotenv` of GitLab, `$GITHUB_OUTPUT`, `source`).
//!
//! GitLab takes 20 variables and 5 KiB by default, and keeps quotes as they stand; a shell would act on
//! what is in a value. So there are few, and a value holds only letters, digits, `.`, `_` and `-`.

use std::fmt::Write as _;

use super::Report;
use crate::gate::{Measured, Metric, State};
use crate::manifest::Usage;

/// The variables; the exit code is that of the decision.
#[must_use]
pub fn of_report(report: &Report<'_>, exit_code: u8) -> String {
    let (run, decision) = (report.run, report.decision);
    let mut out = String::new();
    let mut set = |name: &str, value: String| {
        let plain = |c: &char| c.is_ascii_alphanumeric() || ".-_".contains(*c);
        let value: String = value.chars().filter(plain).take(100).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "AKIT_{name}={value}");
    };
    set("VERDICT", decision.ruling.word().to_owned());
    set("EXIT_CODE", exit_code.to_string());
    if let Some(rate) = decision.pass_rate {
        set("PASS_RATE", format!("{rate:.4}"));
    }
    set("PASSED", decision.counts.passed.to_string());
    set("FAILED", decision.counts.failed.to_string());
    set("ERRORED", decision.counts.errored.to_string());
    set("SKIPPED", decision.counts.skipped.to_string());
    let broken = report.entries().filter(|entry| entry.state == State::Broken).count();
    set("REGRESSIONS", broken.to_string());
    let usages = [run.usage(), run.grader_usage()];
    if usages.iter().any(Option::is_some) {
        let all = usages.into_iter().flatten().map(Usage::total).fold(0_u64, u64::saturating_add);
        set("TOKENS", all.to_string());
    }
    let cases: Vec<_> = run.cases.iter().collect();
    let costs: Vec<f64> = [Metric::Cost, Metric::JudgeCost]
        .iter()
        .filter_map(|metric| match metric.measure(&cases) {
            Measured::Number(cost, _) => Some(cost),
            Measured::NoCase | Measured::Unknown => None,
        })
        .collect();
    if !costs.is_empty() {
        set("COST_USD", format!("{:.6}", costs.iter().sum::<f64>()));
    }
    set("DURATION_MS", run.duration_ms.to_string());
    set("RUN_ID", run.run_id.clone());
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
        AKIT_VERDICT=FAIL
        AKIT_EXIT_CODE=1
        AKIT_PASS_RATE=0.2333
        AKIT_PASSED=2
        AKIT_FAILED=8
        AKIT_ERRORED=2
        AKIT_SKIPPED=1
        AKIT_REGRESSIONS=1
        AKIT_TOKENS=1400
        AKIT_DURATION_MS=1240
        AKIT_RUN_ID=xrm-rfy
        ");
    }
}

//! The `stress:` section of the configuration: limits for load tests.

use std::collections::BTreeMap;

use strum::IntoEnumIterator as _;

use crate::source::{Field, Fields, Shape};
use crate::vocabulary::{ServiceLevel, WeakeningKind as Kind, Weaker};

const SLO: &[Field] = &[
    Field::optional(
        "latency_p95_ms",
        Shape::Number(0.0, 1e9),
        "Maximum 95th percentile of the latency in milliseconds, from when the request was due.",
    ),
    Field::optional(
        "ttft_p95_ms",
        Shape::Number(0.0, 1e9),
        "Maximum 95th percentile of the time to the first token, in milliseconds.",
    ),
    Field::optional("error_rate", Shape::Number(0.0, 1.0), "Maximum share of requests without an answer."),
    Field::optional("pass_rate", Shape::Number(0.0, 1.0), "Minimum share of judged answers that pass."),
    Field::optional(
        "goodput_rps",
        Shape::Number(0.0, 1e9),
        "Minimum answers per second that meet the limits and their expectations.",
    ),
    Field::optional(
        "escalation_availability",
        Shape::Number(0.0, 1.0),
        "Minimum share of cases tagged `escalation` in which a person can be reached.",
    ),
];

/// Keys of `stress:`.
pub(super) const STRESS: &[Field] =
    &[Field::optional("slo", Shape::Object(SLO), "Limits for every load level; `--slo` takes precedence.")];

/// Limits for a load test, unless flags override them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StressConfig {
    /// `slo`: the limit of each metric that has one.
    pub slo: BTreeMap<ServiceLevel, f64>,
}

impl StressConfig {
    /// Reads `stress:`.
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let slo = fields.object("slo");
        let limit = |metric: ServiceLevel| Some((metric, slo.as_ref()?.number(metric.word())?));
        Self { slo: ServiceLevel::iter().filter_map(limit).collect() }
    }

    /// How a new version demands less; keys start at the configuration.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let Self { slo } = self;
        let mut found = Vec::new();
        for (metric, was) in slo {
            let name = metric.word();
            let one = match now.slo.get(metric) {
                None => {
                    let shown = metric.shown(*was);
                    let message = format!("the limit on `{name}` under load was {shown}; now there is none");
                    Weaker::new(Kind::ThresholdRemoved, &["stress", "slo"], message)
                }
                // A new limit that meets the old one is as tight.
                Some(is) if metric.is_met(*is, *was) => continue,
                Some(is) => {
                    let kind = if is < was { Kind::ThresholdLowered } else { Kind::ThresholdRaised };
                    let [was, is] = metric.beside(*was, *is);
                    let message = format!("the limit on `{name}` under load was {was}, now {is}");
                    Weaker::new(kind, &["stress", "slo", name], message)
                }
            };
            found.push(Weaker { of: Some(name.to_owned()), ..one });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_metric_in_its_range() {
        let table: Vec<_> = SLO.iter().map(|field| field.name).collect();
        let metrics: Vec<_> = ServiceLevel::iter().map(ServiceLevel::word).collect();
        assert_eq!(table, metrics);
        for (field, metric) in SLO.iter().zip(ServiceLevel::iter()) {
            assert!(
                matches!(field.shape, Shape::Number(0.0, most) if most.total_cmp(&metric.most()).is_eq()),
                "{metric:?}"
            );
        }
    }

    #[test]
    fn the_metric_decides_which_limit_is_looser() {
        let of = |metric, limit: Option<f64>| StressConfig {
            slo: limit.map(|limit| (metric, limit)).into_iter().collect(),
        };
        for metric in ServiceLevel::iter() {
            let (low, high) = (of(metric, Some(0.4)), of(metric, Some(0.6)));
            let [up, down] =
                [low.weaker(&high), high.weaker(&low)].map(|found| found.into_iter().map(|one| one.kind));
            let (up, down): (Vec<_>, Vec<_>) = (up.collect(), down.collect());
            // Exactly one of the two directions is weaker.
            if metric.is_met(1.0, 0.5) {
                assert_eq!((up, down), (vec![], vec![Kind::ThresholdLowered]), "{metric:?}");
            } else {
                assert_eq!((up, down), (vec![Kind::ThresholdRaised], vec![]), "{metric:?}");
            }
            assert_eq!(low.weaker(&of(metric, None))[0].kind, Kind::ThresholdRemoved, "{metric:?}");
            assert!(of(metric, None).weaker(&low).is_empty() && low.weaker(&low).is_empty());
        }
        let close = [2_000.0, 2_000.4].map(|limit| of(ServiceLevel::LatencyP95, Some(limit)));
        let found = close[0].weaker(&close[1]).remove(0).message;
        assert_eq!(found, "the limit on `latency_p95_ms` under load was 2,000 ms, now 2,000.4 ms");
    }
}

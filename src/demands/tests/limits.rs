//! Limits on metrics: generated policies, suites and results prove that no weakening is missed.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// A limit as written, and its meaning.
#[derive(Clone, Debug)]
struct Limit {
    metric: &'static str,
    cases: Option<(&'static str, &'static str)>,
    key: &'static str,
    value: f64,
}

/// A case: its id, its own tag, and whether it passes.
#[derive(Clone, Debug)]
struct OneCase {
    id: &'static str,
    tag: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Side {
    min_pass_rate: Option<f64>,
    limits: Vec<Limit>,
    critical: Option<&'static str>,
    quarantine: Option<&'static str>,
    cases: Vec<OneCase>,
}

const IDS: [&str; 5] = ["a1", "a2", "b1", "b2", "c"];

fn limit() -> impl Strategy<Value = Limit> {
    let rates = prop::sample::select(vec![0.0, 0.5, 0.7, 1.0]);
    let cases = prop::sample::select(vec![
        None,
        Some(("tags", "x")),
        Some(("tags", "y")),
        Some(("case", "s/a*")),
        Some(("case", "s/b*")),
        Some(("case", "s/c")),
    ]);
    let metric = prop::sample::select(vec!["pass_rate", "pass_rate", "x_recall", "y_recall", "flaky_rate"]);
    (metric, cases, prop::sample::select(vec!["min", "max"]), rates)
        .prop_map(|(metric, cases, key, value)| Limit { metric, cases, key, value })
}

fn cases() -> impl Strategy<Value = Vec<OneCase>> {
    let tags = prop::sample::select(vec![None, Some("x"), Some("y")]);
    prop::collection::vec(tags, 3).prop_flat_map(|tags| {
        prop::sample::subsequence(IDS.to_vec(), 3).prop_shuffle().prop_map(move |ids| {
            ids.into_iter().zip(&tags).map(|(id, tag)| OneCase { id, tag: *tag }).collect()
        })
    })
}

fn side() -> impl Strategy<Value = Side> {
    let rate = prop::sample::select(vec![None, None, Some(0.5), Some(0.7), Some(1.0)]);
    let glob = || prop::sample::select(vec![None, None, None, Some("s/a*"), Some("s/b1"), Some("*")]);
    (rate, prop::collection::vec(limit(), 0..3), glob(), glob(), cases()).prop_map(
        |(min_pass_rate, limits, critical, quarantine, cases)| Side {
            min_pass_rate,
            limits,
            critical,
            quarantine,
            cases,
        },
    )
}

/// Two similar states: each part is kept or replaced.
fn sides() -> impl Strategy<Value = (Side, Side)> {
    let keep = || prop::bool::weighted(0.6);
    (side(), side(), keep(), keep(), keep(), keep(), keep(), 0..4_usize).prop_map(
        |(before, mut now, rate, limits, critical, quarantine, cases, added)| {
            if rate {
                now.min_pass_rate = before.min_pass_rate;
            }
            let other = std::mem::replace(&mut now.limits, before.limits.clone());
            match (limits, added) {
                (true, _) => {}
                (false, 0) => now.limits.extend(other),
                (false, 1) => now.limits.truncate(1),
                (false, _) => now.limits = other,
            }
            if critical {
                now.critical = before.critical;
            }
            if quarantine {
                now.quarantine = before.quarantine;
            }
            if cases {
                now.cases.clone_from(&before.cases);
            }
            (before, now)
        },
    )
}

impl Side {
    /// The suite. A case keeps its prompt when it is renamed.
    fn suite(&self) -> String {
        let cases = self.cases.iter().enumerate().map(|(at, case)| {
            let tags = case.tag.map_or(String::new(), |tag| format!(", tags: [{tag}]"));
            format!(
                "  - {{ id: {}, prompt: p{at}, expected: {{ type: exact, value: v{at} }}{tags} }}\n",
                case.id
            )
        });
        format!("name: s\ncases:\n{}", cases.collect::<String>())
    }

    fn policy(&self) -> String {
        let mut text = "gate:\n  policy: default\n".to_owned();
        if let Some(rate) = self.min_pass_rate {
            writeln!(text, "  min_pass_rate: {rate}").unwrap();
        }
        if let Some(glob) = self.critical {
            writeln!(text, "  critical: [\"{glob}\"]").unwrap();
        }
        if !self.limits.is_empty() {
            text.push_str("  thresholds:\n");
        }
        for limit in &self.limits {
            let cases = limit.cases.map_or(String::new(), |(key, value)| match key {
                "tags" => format!(", tags: [{value}]"),
                key => format!(", {key}: \"{value}\""),
            });
            let Limit { metric, key, value, .. } = limit;
            writeln!(text, "    - {{ metric: {metric}, {key}: {value}{cases} }}").unwrap();
        }
        text
    }

    fn quarantine(&self) -> String {
        let entry = |glob| format!("- {{ case: \"{glob}\", owner: o, reason: r, until: 2030-01-01 }}\n");
        self.quarantine.map_or(String::new(), entry)
    }

    fn takes(glob: &str, case: &OneCase) -> bool {
        let name = format!("s/{}", case.id);
        glob == "*" || glob == name || glob.strip_suffix('*').is_some_and(|start| name.starts_with(start))
    }

    fn members(&self, limit: &Limit) -> Vec<usize> {
        let recall = limit.metric.strip_suffix("_recall");
        let is_one = |case: &OneCase| {
            recall.is_none_or(|tag| case.tag == Some(tag))
                && match limit.cases {
                    None => true,
                    Some(("tags", tag)) => case.tag == Some(tag),
                    Some((_, glob)) => Self::takes(glob, case),
                }
        };
        (0..self.cases.len()).filter(|at| is_one(&self.cases[*at])).collect()
    }

    /// Whether the gate stops a release with these results; failing cases also disagree.
    fn stops(&self, passes: [bool; 3]) -> bool {
        let excused = |at: usize| self.quarantine.is_some_and(|glob| Self::takes(glob, &self.cases[at]));
        let rated = |at: usize| {
            self.min_pass_rate.is_some()
                || self.limits.iter().any(|limit| {
                    limit.metric != "flaky_rate" && limit.key == "min" && self.members(limit).contains(&at)
                })
        };
        let critical = |at: usize| self.critical.is_some_and(|glob| Self::takes(glob, &self.cases[at]));
        let counted = |cases: Vec<usize>| cases.into_iter().filter(|at| !excused(*at)).collect::<Vec<_>>();
        let rate = |cases: Vec<usize>, good: bool| {
            let cases = counted(cases);
            let hits = cases.iter().filter(|at| passes[**at] == good).count();
            (!cases.is_empty()).then(|| {
                f64::from(u32::try_from(hits).unwrap()) / f64::from(u32::try_from(cases.len()).unwrap())
            })
        };
        let missed = self.limits.iter().any(|limit| {
            let share = rate(self.members(limit), limit.metric != "flaky_rate");
            share.is_some_and(
                |share| if limit.key == "min" { share < limit.value } else { share > limit.value },
            )
        });
        let low =
            self.min_pass_rate.is_some_and(|min| rate((0..3).collect(), true).is_some_and(|is| is < min));
        let failed = (0..3).any(|at| !passes[at] && !excused(at) && (critical(at) || !rated(at)));
        missed || low || failed
    }
}

/// Whether cases released from quarantine dilute a mean, which new cases may do.
fn is_thinned(before: &Side, now: &Side) -> bool {
    let excused =
        |side: &Side, at: usize| side.quarantine.is_some_and(|glob| Side::takes(glob, &side.cases[at]));
    (0..3).any(|at| excused(before, at) && !excused(now, at))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_change_that_is_not_reported_still_stops_everything((before, now) in sides()) {
        let files = [&before, &now].map(|side| (side.suite(), side.policy(), side.quarantine()));
        let [old, new] = [0, 1].map(|at| {
            let (suite, policy, quarantine) = &files[at];
            [("s.yaml", suite.as_str()), ("akit.yaml", policy), ("quarantine.yaml", quarantine)]
        });
        prop_assert_eq!(weakenings(&old, &old), Vec::<String>::new());
        if weakenings(&old, &new).is_empty() && !is_thinned(&before, &now) {
            for bits in 0..8_u8 {
                let passes = [0, 1, 2].map(|at| bits & (1 << at) != 0);
                prop_assert!(
                    !before.stops(passes) || now.stops(passes),
                    "{passes:?}\n{}{}\n{}{}\n{:?} {:?}", files[0].0, files[0].1, files[1].0, files[1].1, before.quarantine, now.quarantine
                );
            }
        }
    }
}

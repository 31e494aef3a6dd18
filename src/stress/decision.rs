//! Turns figures into what a pipeline acts on: limits, knees, recovery and the exit code.

use super::finding::{Found, NamedLimit};
use crate::manifest::{Ended, Knees, Level, Objective, StressConclusion, StressDecision, StressRun, Tick};
use crate::stats::real;
use crate::text;
use crate::text::number::figure;
use crate::vocabulary::ServiceLevel;

/// The error rate up to which a load counts as handled, unless a limit says otherwise.
const ERRORS: f64 = 0.01;
/// How much slower than the first level a load may be: a factor, and milliseconds on top of it. Used without a limit.
const SLOWER: (f64, f64) = (1.5, 5.0);
/// How far below the pass rate of the first level the lower end of a pass rate's interval may lie. Used without a
/// limit.
const WORSE: f64 = 0.1;

impl Found {
    /// Compares the figures with the limits and decides.
    #[must_use]
    pub fn decided(mut self, limits: &[NamedLimit]) -> StressRun {
        let objectives = (0..self.run.levels.len())
            .flat_map(|level| limits.iter().map(move |limit| (level, limit)).collect::<Vec<_>>());
        self.run.slo = objectives.map(|(level, limit)| self.objective(level, *limit)).collect();
        let limit = |metric| limits.iter().find(|one| one.metric == metric).map(|one| one.limit);
        for level in 0..self.run.levels.len() {
            self.run.levels[level].recovery_ms = self.recovery(level, limit(ServiceLevel::LatencyP95));
        }
        self.run.knees = self.knees(&limit);
        self.run.notes.extend(self.notes());
        self.run.decision = self.decision();
        self.run
    }

    fn objective(&self, level: usize, NamedLimit { metric, limit }: NamedLimit) -> Objective {
        let figures = &self.run.levels[level];
        let measured = measured(figures, metric, [self.overdue(level), self.overdue_escalations(level)]);
        let met = measured.map(|measured| metric.is_met(measured, limit));
        let met = match metric {
            ServiceLevel::LatencyP95 => met.map(|met| met && self.waited(level, limit).is_none()),
            ServiceLevel::FirstTokenP95 => met.map(|met| met && !self.waits_for_token(level, limit)),
            ServiceLevel::ErrorRate
            | ServiceLevel::PassRate
            | ServiceLevel::Goodput
            | ServiceLevel::EscalationAvailability => met,
        };
        Objective { level, metric, limit, measured, met }
    }

    /// Milliseconds until a level with less load than the one before it was fast again, and stayed fast. "Fast" is
    /// the latency of an earlier level with the same or a lower load.
    fn recovery(&self, level: usize, limit: Option<f64>) -> Option<u64> {
        let (before, now) = (self.run.levels.get(level.checked_sub(1)?)?, &self.run.levels[level]);
        if before.unit != now.unit || now.load >= before.load {
            return None;
        }
        let calm =
            self.run.levels[..level].iter().rev().find(|one| one.unit == now.unit && one.load <= now.load);
        let usual = calm.or(self.run.levels.first())?.latency_ms.p95?;
        let limit = limit.unwrap_or(usual * SLOWER.0 + SLOWER.1);
        let ends = self.run.levels.get(level + 1).map_or(f64::INFINITY, |next| next.began_s);
        let within = |tick: &&Tick| tick.at_s + tick.lasted_s > now.began_s && tick.at_s < ends;
        let ticks: Vec<_> = self.run.timeline.iter().filter(within).collect();
        let is_calm = |tick: &&Tick| {
            tick.p95_ms.is_none_or(|p95| p95 <= limit) && real(tick.errors) <= ERRORS * real(tick.requests)
        };
        let calm = ticks.iter().rev().take_while(|tick| is_calm(tick)).last()?;
        let after = (calm.at_s - now.began_s).max(0.0) * 1000.0;
        crate::stats::whole(after.round())
    }

    fn knees(&self, limit: &impl Fn(ServiceLevel) -> Option<f64>) -> Knees {
        let levels = &self.run.levels;
        let Some(first) = levels.first() else { return Knees::default() };
        if levels.iter().any(|level| level.unit != first.unit) {
            return Knees::default();
        }
        // Levels after the peak show recovery, not capacity.
        let peak = levels.iter().map(|level| level.load).fold(0.0, f64::max);
        let rising = levels.iter().position(|level| level.load >= peak).map_or(0, |at| at + 1);
        let largest = |holds: &dyn Fn(usize, &Level) -> bool| {
            let mut rising: Vec<_> = levels[..rising].iter().enumerate().collect();
            rising.sort_by(|(_, one), (_, other)| one.load.total_cmp(&other.load));
            let held = rising.into_iter().take_while(|(at, level)| level.valid && holds(*at, level)).last();
            held.map(|(_, level)| level.load)
        };
        let errors = limit(ServiceLevel::ErrorRate).unwrap_or(ERRORS);
        let usual = first.latency_ms.p95.map(|p95| p95 * SLOWER.0 + SLOWER.1);
        let latency = limit(ServiceLevel::LatencyP95).or(usual);
        // At least half of what the first level passed: a load at which hardly anything passes is not handled.
        let usual = first.quality.rate.map(|rate| (rate - WORSE).max(rate / 2.0));
        let passed = limit(ServiceLevel::PassRate).or(usual);
        let open = limit(ServiceLevel::EscalationAvailability);
        let usual = first.escalation.map(|one| real(one.available) / real(one.n) - WORSE);
        let open = open.or(usual);
        Knees {
            latency: largest(&|at, level| {
                let is_late = latency.is_some_and(|most| self.waited(at, most).is_some());
                let quick = level.latency_ms.p95.zip(latency).is_some_and(|(p95, most)| p95 <= most);
                quick && !is_late && level.error_rate.is_some_and(|rate| rate <= errors)
            }),
            quality: largest(&|_, level| {
                let passed = level.quality.low.zip(passed).is_some_and(|(low, least)| low >= least);
                let is_open =
                    |least| level.escalation.is_some_and(|one| real(one.available) / real(one.n) >= least);
                level.quality.passed > 0 && passed && open.is_none_or(is_open)
            }),
        }
    }

    /// What a reader should know before trusting the figures.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (level, name) in self.run.levels.iter().zip(self.run.names()) {
            if real(level.cut_off) > 0.05 * real(level.requests + level.cut_off) {
                let many = count(level.cut_off, "request");
                notes.push(format!(
                    "{name}: {many} had no answer when the test ended and are not in the figures; run a longer test to see how slow they are"
                ));
            }
        }
        if !self.expects && self.run.levels.iter().all(|level| level.judged.is_none()) {
            notes.push("quality is unknown: no expectation was checked".to_owned());
        }
        notes
    }

    /// Why levels are void: they measure this machine, not the application.
    fn void(&self) -> Vec<String> {
        let void = self.run.levels.iter().zip(self.run.names()).filter(|(level, _)| !level.valid);
        let reason = |(level, name): (&Level, String)| {
            let late = figure(level.dispatch_lag_ms.p99.unwrap_or_default());
            if self.run.settings.limits {
                return format!(
                    "{name}: void: `--limits` or this machine held requests back for up to {late} ms (p99), so the figures \
                     are not only the application's"
                );
            }
            format!(
                "{name}: void: this machine sent requests up to {late} ms late (p99), so the figures are not the \
                 application's"
            )
        };
        void.map(reason).collect()
    }

    /// What could not be measured or judged.
    fn errors(&self, answered: u64, judged: u64) -> Vec<String> {
        let (run, names) = (&self.run, self.run.names());
        let mut errors = Vec::new();
        let is_cut_short = matches!(run.ended, Ended::Budget | Ended::Deadline);
        if self.crashed {
            errors.push("akit itself failed; please report this with the message above".to_owned());
        }
        if answered == 0 {
            errors.push("nothing answered".to_owned());
        } else if judged == 0 && self.expects {
            errors.push("no answer could be judged".to_owned());
        } else if judged == 0 && run.slo.is_empty() && !is_cut_short {
            errors.push("nothing was checked: no answer was judged, and no limit is set".to_owned());
        }
        let graded = || run.levels.iter().filter_map(|level| level.judged.as_ref());
        let ungraded = if let Some(judged) = graded().find(|judged| judged.n == 0 && judged.errored > 0) {
            Some(("any answer of the sample", judged))
        } else {
            let many = graded().find(|judged| judged.errored * 10 > judged.n + judged.errored);
            many.map(|judged| ("more than a tenth of the sampled answers", judged))
        };
        if let Some((what, judged)) = ungraded {
            let why = judged.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            errors.push(format!("the judge could not grade {what}{why}"));
        }
        for (at, name) in names.iter().enumerate() {
            if self.has_stopped(at) {
                errors.push(format!(
                    "{}: the application stopped answering: when the test ended, {} had waited more than \
                         three times as long as the slowest answer took",
                    name,
                    count(self.overdue(at), "request")
                ));
            } else if answered > 0 && self.counts[at].service.0.is_empty() && !is_cut_short {
                errors.push(format!("{name}: nothing answered"));
            }
        }
        let unjudged: Vec<_> =
            run.cases.iter().filter(|case| case.n == 0).map(|case| case.id.as_str()).collect();
        let limits_passes = run.slo.iter().any(|one| one.metric == ServiceLevel::PassRate);
        if answered > 0 && limits_passes && !unjudged.is_empty() && !is_cut_short {
            let cases = text::list(&unjudged.iter().take(5).collect::<Vec<_>>());
            errors.push(format!(
                "pass_rate does not cover {}, because none of their conversations ended: {cases}; run a longer test",
                text::count(unjudged.len(), "case")
            ));
        }
        for one in run.slo.iter().filter(|one| one.met.is_none() && !is_cut_short) {
            errors.push(format!("{}: {} was not measured", names[one.level], one.metric.word()));
        }
        errors
    }

    fn decision(&self) -> StressDecision {
        let (run, names) = (&self.run, self.run.names());
        let mut failures = Vec::new();
        for one in run.slo.iter().filter(|one| one.met == Some(false)) {
            let Some(measured) = one.measured else { continue };
            let [measured, limit] = one.metric.beside(measured, one.limit);
            let cut = match one.metric {
                ServiceLevel::LatencyP95 => self.waited(one.level, one.limit),
                _ => None,
            };
            let cut = cut.map(|cut| {
                format!(" over the answers, but {} had none within the limit", count(cut, "request"))
            });
            failures.push(format!(
                "{}: {} is {measured}{}; the limit is {limit}",
                names[one.level],
                one.metric.word(),
                cut.unwrap_or_default()
            ));
        }
        let void = self.void();
        // Cross-talk comes first: it happened, whether or not the figures can be trusted.
        let crossed: Vec<String> = run.crossed().into_iter().collect();
        let answered: u64 = self.counts.iter().map(|count| count.service.0.len()).sum();
        let judged: u64 = run.levels.iter().map(|level| level.quality.n).sum();
        let passed: u64 = run.levels.iter().map(|level| level.quality.passed).sum();
        if judged > 0 && passed == 0 && answered > 0 {
            failures.push(format!("none of {} passed", count(judged, "conversation")));
        }
        for (level, name) in run.levels.iter().zip(&names) {
            if passed > 0 && level.quality.n > 0 && level.quality.passed == 0 {
                failures.push(format!("{name}: no conversation passed"));
            }
        }
        let errors = self.errors(answered, judged);
        let spent = vec!["the budget ended the test".to_owned()];
        let (exit_code, conclusion) = match run.ended {
            Ended::Interrupted => (130, StressConclusion::Error),
            Ended::Terminated => (143, StressConclusion::Error),
            _ if !crossed.is_empty() => (1, StressConclusion::Fail),
            _ if !void.is_empty() => (4, StressConclusion::Error),
            _ if !failures.is_empty() => (1, StressConclusion::Fail),
            _ if !errors.is_empty() => (4, StressConclusion::Error),
            Ended::Budget | Ended::Deadline => (6, StressConclusion::Error),
            Ended::Complete | Ended::FailFast => (0, StressConclusion::Pass),
        };
        let ended = match run.ended {
            Ended::Interrupted | Ended::Terminated => vec![run.ended.told().to_owned()],
            Ended::Budget | Ended::Deadline => spent,
            Ended::Complete | Ended::FailFast => Vec::new(),
        };
        let reasons = match run.ended {
            Ended::Interrupted | Ended::Terminated => [ended, crossed, void, failures, errors].concat(),
            _ => [crossed, void, failures, errors, ended].concat(),
        };
        StressDecision { conclusion, exit_code, reasons }
    }
}

fn count(n: u64, noun: &str) -> String {
    text::count(usize::try_from(n).unwrap_or(usize::MAX), noun)
}

/// What was measured at a level. Overdue requests are not in the figures of the report, but count against a limit as
/// requests without an answer.
fn measured(level: &Level, metric: ServiceLevel, [overdue, overdue_escalations]: [u64; 2]) -> Option<f64> {
    let share = |hits: u64, of: u64| (of > 0).then(|| real(hits) / real(of));
    match metric {
        ServiceLevel::LatencyP95 => level.latency_ms.p95,
        ServiceLevel::FirstTokenP95 => level.ttft_ms?.p95,
        ServiceLevel::ErrorRate => {
            share(level.errors.values().sum::<u64>() + overdue, level.requests + overdue)
        }
        // The judge may see what expectations miss: the lower of the two counts.
        ServiceLevel::PassRate => {
            match (passed(level, overdue), level.judged.as_ref().and_then(|judged| judged.rate)) {
                (Some(rate), Some(judged)) => Some(rate.min(judged)),
                (rate, judged) => rate.or(judged),
            }
        }
        ServiceLevel::Goodput => level.goodput,
        ServiceLevel::EscalationAvailability => {
            let (available, n) = level.escalation.map_or((0, 0), |one| (one.available, one.n));
            share(available, n + overdue_escalations)
        }
    }
}

/// The pass rate, with overdue requests counted as not passed.
fn passed(level: &Level, overdue: u64) -> Option<f64> {
    (level.quality.n > 0).then(|| real(level.quality.passed) / real(level.quality.n + overdue))
}

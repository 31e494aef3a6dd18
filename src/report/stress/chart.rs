//! Charts of figures over time and over load, with axes and units, and the same in words for screen readers.

use std::fmt::Write as _;

use serde::Serialize;

use super::phrase::{self, Standing};
use crate::manifest::{Level, LoadUnit, StressRun, Tick};
use crate::stats::{real, whole};
use crate::text::number;
use crate::vocabulary::ServiceLevel;

/// Where the axes are in the drawing; the template has the same numbers.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 410.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 160.0;
/// Minimum distance between two labels of the horizontal axis.
const APART: f64 = 30.0;

/// What the vertical axis shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    /// Milliseconds.
    Time,
    /// A rate per second.
    Rate,
    /// A share of failures.
    Failures,
    /// A share of successes.
    Successes,
}

impl Unit {
    fn shown(self, value: f64) -> String {
        match self {
            Self::Time => phrase::time(Some(value)),
            Self::Rate => phrase::rate(Some(value)),
            Self::Failures | Self::Successes => phrase::share(Some(value)),
        }
    }
}

/// A line before it is drawn; it breaks where a value is missing.
struct Series {
    name: &'static str,
    points: Vec<(f64, Option<f64>)>,
    /// Points next to the line.
    beside: Vec<(f64, Option<f64>)>,
}

/// A chart.
#[derive(Debug, Serialize)]
pub(super) struct Plot {
    title: &'static str,
    /// A description of what it shows.
    words: String,
    lines: Vec<Line>,
    /// Height and label of each tick of the vertical axis.
    rises: Vec<(String, String)>,
    /// Position and label of each tick of the horizontal axis.
    steps: Vec<(String, String)>,
    /// What the horizontal axis counts.
    along: String,
    /// Position and label of each level that starts.
    marks: Vec<(String, String)>,
    /// Height and label of a limit.
    limit: Option<(String, String)>,
}

/// A line of a chart.
#[derive(Debug, Serialize)]
struct Line {
    /// Its CSS class: `a` or `b`.
    class: &'static str,
    path: String,
    /// Points that are not connected by the line.
    dots: Vec<(String, String)>,
    /// A description of the line.
    words: String,
}

/// The horizontal axis.
struct Axis {
    most: f64,
    steps: Vec<(f64, String)>,
    along: String,
    marks: Vec<(f64, String)>,
    /// A position on it, in words.
    place: fn(f64) -> String,
}

/// The charts over time; empty with fewer than two steps.
pub(super) fn over_time(run: &StressRun) -> Vec<Plot> {
    let ticks = &run.timeline;
    let (Some(first), true) = (ticks.first(), ticks.len() > 1) else { return Vec::new() };
    let most = ticks.last().map_or(0.0, |tick| tick.at_s + tick.lasted_s);
    let (unit, along) = match most {
        most if most <= 300.0 => (1.0, "seconds from the start"),
        most if most <= 10_800.0 => (60.0, "minutes from the start"),
        _ => (3_600.0, "hours from the start"),
    };
    let (step, _) = scale(most / unit);
    let steps = (0..100_u32).map(|at| f64::from(at) * step).take_while(|at| *at <= most / unit);
    let steps = steps.map(|at| (at * unit, plain(at, step))).collect();
    let begun = run.levels.iter().filter(|level| level.requests + level.cut_off > 0);
    let marks = begun.map(|level| (level.began_s, short(level))).collect();
    let axis = Axis { most, steps, along: along.to_owned(), marks, place: |at| format!("{at:.0} s") };
    let series = |name, value: &dyn Fn(&Tick) -> Option<f64>| Series {
        name,
        // A step is drawn at its middle.
        points: ticks.iter().map(|tick| (tick.at_s + tick.lasted_s / 2.0, value(tick))).collect(),
        beside: Vec::new(),
    };
    // A last step that has hardly begun has no rate.
    let per_second = |tick: &Tick, many: u64| {
        (tick.lasted_s >= first.lasted_s / 2.0 && tick.lasted_s > 0.0).then(|| real(many) / tick.lasted_s)
    };
    let of = |part: u64, all: u64| (all > 0).then(|| real(part) / real(all));
    let mut throughput = vec![series("answered or failed", &|tick| per_second(tick, tick.requests))];
    if run.settings.schedule.is_some() {
        throughput.push(series("due", &|tick| per_second(tick, tick.due)));
    }
    let limit = |metric| limit(run, metric);
    let plots = [
        Plot::of(
            "Latency over time",
            Unit::Time,
            &axis,
            &[series("p95", &|tick| tick.p95_ms), series("p50", &|tick| tick.p50_ms)],
            limit(ServiceLevel::LatencyP95),
        ),
        Plot::of("Throughput over time", Unit::Rate, &axis, &throughput, None),
        Plot::of(
            "Errors over time",
            Unit::Failures,
            &axis,
            &[series("share of requests without an answer", &|tick| of(tick.errors, tick.requests))],
            limit(ServiceLevel::ErrorRate),
        ),
        Plot::of(
            "Pass rate over time",
            Unit::Successes,
            &axis,
            &[series("share of judged conversations that passed", &|tick| of(tick.passed, tick.judged))],
            limit(ServiceLevel::PassRate),
        ),
    ];
    plots.into_iter().flatten().collect()
}

/// The charts over load; empty if loads cannot be compared.
pub(super) fn over_load(run: &StressRun) -> Vec<Plot> {
    let Some(first) = run.levels.first().filter(|_| phrase::is_comparable(run)) else { return Vec::new() };
    let most = run.levels.iter().map(|level| level.load).fold(0.0, f64::max);
    let (along, place): (&str, fn(f64) -> String) = match first.unit {
        LoadUnit::InFlight => ("requests in flight", |at| format!("{} in flight", number::exact(at))),
        LoadUnit::PerSecond => ("arrivals per second", |at| format!("{}/s", number::exact(at))),
    };
    let mut loads: Vec<f64> = run.levels.iter().map(|level| level.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    let steps = loads.into_iter().map(|load| (load, number::exact(load))).collect();
    let axis = Axis { most, steps, along: along.to_owned(), marks: Vec::new(), place };
    // Levels after the peak show recovery, so they are not part of the curve.
    let peak = run.levels.iter().position(|level| level.load >= most).unwrap_or_default();
    let series = |name, value: &dyn Fn(&Level) -> Option<f64>| {
        let point = |level: &Level| (level.load, value(level).filter(|_| level.requests > 0));
        let mut points: Vec<_> = run.levels[..=peak].iter().map(point).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Series { name, points, beside: run.levels[peak + 1..].iter().map(point).collect() }
    };
    let limit = |metric| limit(run, metric);
    let plots = [
        Plot::of(
            "Latency over load",
            Unit::Time,
            &axis,
            &[series("p95", &|level| level.latency_ms.p95), series("p50", &|level| level.latency_ms.p50)],
            limit(ServiceLevel::LatencyP95),
        ),
        Plot::of(
            "Throughput over load",
            Unit::Rate,
            &axis,
            &[
                series("answered or failed", &|level| Some(level.rate)),
                series("goodput", &|level| level.goodput),
            ],
            limit(ServiceLevel::Goodput),
        ),
        Plot::of(
            "Errors over load",
            Unit::Failures,
            &axis,
            &[series("share of requests without an answer", &|level| level.error_rate)],
            limit(ServiceLevel::ErrorRate),
        ),
        Plot::of(
            "Pass rate over load",
            Unit::Successes,
            &axis,
            &[
                series("share of judged conversations that passed", &|level| level.quality.rate),
                series("handoff available", &|level| {
                    level.escalation.and_then(|one| phrase::available(&one))
                }),
            ],
            limit(ServiceLevel::PassRate),
        ),
    ];
    plots.into_iter().flatten().collect()
}

/// The limit of a metric, and whether a level misses it.
fn limit(run: &StressRun, metric: ServiceLevel) -> Option<(f64, bool)> {
    let mut all = run.slo.iter().filter(|one| one.metric == metric).peekable();
    let limit = all.peek()?.limit;
    Some((limit, all.any(|one| Standing::of(run, one) == Standing::Missed)))
}

/// The load of a level, in a short form.
fn short(level: &Level) -> String {
    level.shown().replace(" in flight", "")
}

impl Plot {
    /// Draws a chart; `None` if no value is known.
    fn of(
        title: &'static str,
        unit: Unit,
        axis: &Axis,
        series: &[Series],
        limit: Option<(f64, bool)>,
    ) -> Option<Self> {
        let values = series.iter().flat_map(|one| one.points.iter().chain(&one.beside));
        let most = values
            .filter_map(|(_, value)| *value)
            .fold(None, |most: Option<f64>, value| Some(most.map_or(value, |most| most.max(value))))?;
        // A limit far above all values would flatten the lines.
        let limit = limit.filter(|(limit, is_missed)| *is_missed || *limit <= most * 4.0);
        let top = limit.map_or(most, |(limit, _)| most.max(limit));
        let (step, top) = match unit {
            Unit::Time if top >= 10_000.0 => {
                let (step, top) = scale(top / 1000.0);
                (step * 1000.0, top * 1000.0)
            }
            Unit::Time | Unit::Rate => scale(top),
            Unit::Failures => scale(top.max(0.01)),
            Unit::Successes => scale(1.0),
        };
        let x = |at: f64| LEFT + (RIGHT - LEFT) * (at / axis.most.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value / top).clamp(0.0, 1.0);
        let rises = (0..20_u32).map(|at| f64::from(at) * step).take_while(|value| *value <= top * 1.001);
        let rises = rises.map(|value| (units(y(value)), rise(unit, value, step))).collect();
        let lines: Vec<Line> = series
            .iter()
            .zip(["a", "b"])
            .filter_map(|(one, class)| Line::of(one, class, unit, axis, (&x, &y)))
            .collect();
        let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
        let words = format!("{title}, against {}: {}", axis.along, words.join("; "));
        Some(Self {
            title,
            words,
            lines,
            rises,
            steps: spaced(&axis.steps, x),
            along: axis.along.clone(),
            marks: spaced(&axis.marks, x),
            limit: limit.map(|(limit, _)| (units(y(limit)), format!("limit {}", unit.shown(limit)))),
        })
    }
}

impl Line {
    fn of(
        series: &Series,
        class: &'static str,
        unit: Unit,
        axis: &Axis,
        (x, y): (&impl Fn(f64) -> f64, &impl Fn(f64) -> f64),
    ) -> Option<Self> {
        let known = |point: &(f64, Option<f64>)| Some((point.0, point.1?));
        let all: Vec<_> = series.points.iter().chain(&series.beside).filter_map(known).collect();
        let lowest = all.iter().copied().reduce(|one, other| if other.1 < one.1 { other } else { one })?;
        let highest = all.iter().copied().reduce(|one, other| if other.1 > one.1 { other } else { one })?;
        // A reader looks for the worst value.
        let ((at, _), worst) = match unit {
            Unit::Time | Unit::Rate | Unit::Failures => (highest, "highest"),
            Unit::Successes => (lowest, "lowest"),
        };
        let [low, high] = [lowest, highest].map(|(_, value)| unit.shown(value));
        let words = if low == high {
            format!("{}: {high} throughout", series.name)
        } else {
            format!("{}: {low} to {high}, {worst} at {}", series.name, (axis.place)(at))
        };
        let (mut path, mut dots) = (String::new(), Vec::new());
        for run in series.points.split(|point| point.1.is_none()) {
            for (index, (at, value)) in run.iter().filter_map(known).enumerate() {
                // Writing to a String cannot fail.
                let _ =
                    write!(path, "{}{} {}", if index > 0 { 'L' } else { 'M' }, units(x(at)), units(y(value)));
            }
            if run.len() == 1 || series.points.len() <= MARKED {
                dots.extend(run.iter().filter_map(known));
            }
        }
        dots.extend(series.beside.iter().filter_map(known));
        let dots = dots.into_iter().map(|(at, value)| (units(x(at)), units(y(value)))).collect();
        Some(Self { class, path, dots, words })
    }
}

/// Up to this many points, each gets its own dot.
const MARKED: usize = 20;

/// A number as SVG has it.
fn units(value: f64) -> String {
    format!("{value:.1}")
}

/// Positions on the horizontal axis; only labels that have room are kept.
fn spaced(places: &[(f64, String)], x: impl Fn(f64) -> f64) -> Vec<(String, String)> {
    let mut free = f64::NEG_INFINITY;
    let labeled = places.iter().map(|(at, label)| {
        let at = x(*at);
        if at < free {
            return (units(at), String::new());
        }
        free = at + APART.max(7.0 * real(label.len() as u64) + 6.0);
        (units(at), label.clone())
    });
    labeled.collect()
}

/// Steps of 1, 2 or 5 times a power of ten, at most five of them: the step, and where the axis ends.
fn scale(most: f64) -> (f64, f64) {
    if !(most.is_finite() && most > 0.0) {
        return (1.0, 1.0);
    }
    let least = most / 5.0;
    let power = 10_f64.powf(least.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= least * 0.999);
    let step = step.unwrap_or(10.0 * power);
    (step, step * (most / step * 0.999).ceil())
}

/// A multiple of a step with as many decimals as the step has.
fn plain(value: f64, step: f64) -> String {
    if step >= 1.0 {
        return number::whole(whole(value.round()).unwrap_or_default());
    }
    let decimals = whole((-step.log10()).ceil()).and_then(|many| usize::try_from(many).ok());
    format!("{value:.0$}", decimals.unwrap_or(3).min(9))
}

/// The label of a tick of the vertical axis.
fn rise(unit: Unit, value: f64, step: f64) -> String {
    match unit {
        Unit::Time if step >= 1000.0 => format!("{} s", plain(value / 1000.0, step / 1000.0)),
        Unit::Time => format!("{} ms", plain(value, step)),
        Unit::Rate => format!("{}/s", plain(value, step)),
        Unit::Failures | Unit::Successes => format!("{}%", plain(value * 100.0, step * 100.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_round_steps_and_contain_the_highest_value() {
        for (most, step, top) in [
            (1.0, 0.2, 1.0),
            (0.01, 0.002, 0.01),
            (7.0, 2.0, 8.0),
            (3_010.0, 1000.0, 4000.0),
            (0.0, 1.0, 1.0),
        ] {
            let (found, end) = scale(most);
            assert!((found - step).abs() < 1e-9 && (end - top).abs() < 1e-9, "{most}: {found}, {end}");
        }
        for most in [1e-9, 0.3, 1.1, 49.0, 51.0, 99_999.0, 1e9] {
            let (step, top) = scale(most);
            assert!(top >= most * 0.999 && (1.0..=5.01).contains(&(top / step)), "{most}: {step}, {top}");
        }
        assert_eq!((plain(0.25, 0.05).as_str(), plain(2_000.0, 1_000.0).as_str()), ("0.25", "2,000"));
        assert_eq!(
            (rise(Unit::Successes, 0.2, 0.2), rise(Unit::Failures, 0.002, 0.002)),
            ("20%".into(), "0.2%".into())
        );
    }

    #[test]
    fn lines_break_at_gaps_and_single_points_are_visible() {
        let axis = Axis {
            most: 100.0,
            steps: Vec::new(),
            along: "x".into(),
            marks: Vec::new(),
            place: |at| at.to_string(),
        };
        let many = (0..30_u32).map(|at| (f64::from(at), Some(1.0)));
        let points = many.chain([(40.0, None), (50.0, Some(2.0)), (60.0, None)]).collect();
        let series = [Series { name: "one", points, beside: vec![(100.0, Some(0.0))] }];
        let plot = Plot::of("t", Unit::Rate, &axis, &series, None).unwrap();
        assert_eq!(plot.lines[0].path.matches('M').count(), 2);
        // The point between two gaps, and the one next to the line, at the bottom of the right edge.
        assert_eq!(plot.lines[0].dots, [("233.0".into(), "26.0".into()), ("410.0".into(), "160.0".into())]);
        assert_eq!(plot.words, "t, against x: one: 0/s to 2/s, highest at 50");
        let nothing = [Series { name: "one", points: vec![(1.0, None)], beside: Vec::new() }];
        assert!(Plot::of("t", Unit::Rate, &axis, &nothing, None).is_none());
    }

    #[test]
    fn a_limit_far_away_is_not_drawn_unless_it_is_missed() {
        let axis = Axis {
            most: 1.0,
            steps: Vec::new(),
            along: "x".into(),
            marks: Vec::new(),
            place: |at| at.to_string(),
        };
        let series = [Series { name: "one", points: vec![(1.0, Some(10.0))], beside: Vec::new() }];
        let drawn = |limit| Plot::of("t", Unit::Time, &axis, &series, Some(limit)).unwrap().limit;
        assert_eq!(drawn((2_000.0, false)), None);
        assert_eq!(drawn((20.0, false)), Some(("26.0".into(), "limit 20 ms".into())));
        assert!(drawn((1.0, true)).is_some());
    }

    #[test]
    fn labels_do_not_overlap() {
        let places: Vec<_> = (0..100_u32).map(|at| (f64::from(at), at.to_string())).collect();
        let shown = spaced(&places, |at| at * 3.0);
        assert_eq!(shown.len(), 100);
        assert_eq!(shown.iter().filter(|(_, label)| !label.is_empty()).count(), 10);
    }
}

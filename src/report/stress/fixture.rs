//! Load tests that every format renders.

use std::collections::BTreeMap;

use strum::IntoEnumIterator as _;

use crate::manifest::{
    CaseUnderLoad, Change, Ended, Escalation, Histograms, Judged, Knees, Lag, Level, LoadUnit, Objective,
    Percentiles, Quality, STRESS_SCHEMA, StressConclusion, StressDecision, StressRun, StressSettings, Tick,
};
use crate::stats::Tally;
use crate::vocabulary::{ErrorClass, ServiceLevel};

fn percentiles(p50: f64) -> Percentiles {
    let at = |times: f64| Some(p50 * times);
    Percentiles { p50: at(1.0), p90: at(1.6), p95: at(2.0), p99: at(4.0), p999: at(7.0), max: at(9.0) }
}

/// A good level with this load: a hundred answers in half a second each, all passed.
pub(super) fn level(load: f64, began_s: f64) -> Level {
    let quality = Tally { hits: 100, of: 100 }.wilson(0.95).unwrap();
    Level {
        load,
        unit: LoadUnit::InFlight,
        began_s,
        lasted_s: 10.0,
        retries: 0,
        requests: 100,
        rate: 10.0,
        latency_ms: percentiles(500.0),
        corrected: true,
        service_ms: percentiles(500.0),
        ttft_ms: None,
        gap_ms: None,
        tokens_per_s: None,
        dispatch_lag_ms: Lag { p50: Some(0.05), p99: Some(0.4), max: Some(1.2) },
        valid: true,
        errors: ErrorClass::iter().map(|class| (class, 0)).collect::<BTreeMap<_, _>>(),
        error_rate: Some(0.0),
        cut_off: 0,
        quality: Quality {
            n: 100,
            passed: 100,
            rate: Some(1.0),
            low: Some(quality.low),
            high: Some(quality.high),
            ..Quality::default()
        },
        judged: None,
        change: None,
        escalation: None,
        goodput: Some(10.0),
        recovery_ms: None,
        cost_usd: None,
        histograms: Histograms {
            latency: "SFNU".to_owned(),
            service: "SFNU".to_owned(),
            dispatch_lag: "SFNU".to_owned(),
            ttft: None,
        },
    }
}

fn case(id: &str, judged: u64, passed: u64, errored: u64, reason: Option<&str>) -> CaseUnderLoad {
    CaseUnderLoad {
        scenario: "support".to_owned(),
        id: id.to_owned(),
        file: "scenarios/support.yaml".to_owned(),
        line: 7,
        escalation: false,
        n: judged + errored,
        judged,
        passed,
        errored,
        reason: reason.map(str::to_owned),
    }
}

/// A test of one level that passed, without a limit.
pub(super) fn passed() -> StressRun {
    let tick = |at: u32| Tick {
        at_s: f64::from(at),
        lasted_s: 1.0,
        due: 10,
        requests: 10,
        errors: 0,
        p50_ms: Some(500.0),
        p95_ms: Some(1_000.0),
        judged: 10,
        passed: 10,
    };
    StressRun {
        schema: STRESS_SCHEMA.to_owned(),
        akit: "0.0.0".to_owned(),
        at: "2026-11-30T12:00:00Z".to_owned(),
        suite: vec!["scenarios/support.yaml".to_owned()],
        target: vec!["openai/m at http://127.0.0.1:8080/v1".to_owned()],
        seed: 7,
        ended: Ended::Complete,
        duration_ms: 10_000,
        settings: StressSettings {
            ramp_up_ms: 0,
            most_requests: None,
            escalation_share: 0.0,
            canary: false,
            limits: false,
            budget_usd: Some(1.0),
            schedule: None,
        },
        requests: 100,
        cost_usd: Some(0.0123),
        levels: vec![level(5.0, 0.0)],
        knees: Knees { latency: Some(5.0), quality: Some(5.0) },
        cross_talk: None,
        slo: Vec::new(),
        cases: vec![case("refund", 100, 100, 0, None)],
        timeline: (0..10).map(tick).collect(),
        notes: Vec::new(),
        decision: StressDecision { conclusion: StressConclusion::Pass, exit_code: 0, reasons: Vec::new() },
    }
}

/// Limits of a level and what was measured.
fn objective(level: usize, metric: ServiceLevel, limit: f64, measured: Option<f64>) -> Objective {
    let met = measured.map(|measured| metric.is_met(measured, limit));
    Objective { level, metric, limit, measured, met }
}

/// A second of a spike: ten times the requests between the 20th and the 30th, and a freeze in the 25th.
fn tick_of_spike(at: u32) -> Tick {
    let is_spike = (20..30).contains(&at);
    let p50 = if is_spike { 3_100.0 } else { 500.0 };
    let requests = if is_spike { 140 } else { 10 };
    let is_frozen = at == 25;
    Tick {
        at_s: f64::from(at),
        lasted_s: 1.0,
        due: requests,
        requests: if is_frozen { 0 } else { requests },
        errors: if is_spike && !is_frozen { 14 } else { 0 },
        p50_ms: (!is_frozen).then_some(p50),
        p95_ms: (!is_frozen).then_some(p50 * 2.0),
        judged: if is_frozen { 0 } else { requests },
        passed: if is_frozen {
            0
        } else if is_spike {
            98
        } else {
            10
        },
    }
}

/// A spike of four levels. The third breaks down: missed limits, wrong answers, fewer handoffs.
pub(super) fn spike() -> StressRun {
    let mut run = passed();
    run.levels = vec![level(5.0, 0.0), level(20.0, 10.0), level(80.0, 20.0), level(5.0, 30.0)];
    for (level, asked) in run.levels.iter_mut().zip([40, 40, 40, 20]) {
        let range = Tally { hits: asked, of: asked }.wilson(0.95);
        level.escalation = Some(Escalation {
            n: asked,
            offered: asked,
            claimed: asked,
            done: asked,
            available: asked,
            low: range.map(|range| range.low),
            high: range.map(|range| range.high),
            p95_ms: Some(820.0),
        });
    }
    let third = &mut run.levels[2];
    (third.requests, third.rate, third.goodput) = (1_400, 140.0, Some(31.25));
    (third.latency_ms, third.service_ms) = (percentiles(3_100.0), percentiles(900.0));
    third.errors.extend([(ErrorClass::Timeout, 120), (ErrorClass::RateLimited, 20)]);
    (third.error_rate, third.cut_off) = (Some(0.1), 12);
    let range = Tally { hits: 882, of: 1_260 }.wilson(0.95);
    third.quality = Quality {
        n: 1_260,
        passed: 882,
        rate: Some(0.7),
        low: range.map(|range| range.low),
        high: range.map(|range| range.high),
        empty: 200,
        cut: 100,
        refused: 3,
        identical: 70,
    };
    third.change = Some(Change { rate: -0.3, low: -0.33, high: -0.27, cases: 3 });
    third.judged = Some(Judged {
        n: 48,
        passed: 30,
        rate: Some(0.625),
        low: Some(0.48),
        high: Some(0.75),
        errored: 2,
        reason: Some("the judge's answer was cut off at 8,192 tokens".to_owned()),
    });
    third.ttft_ms = Some(percentiles(210.0));
    third.gap_ms = Some(percentiles(20.0));
    third.tokens_per_s = Some(4_321.0);
    let range = Tally { hits: 31, of: 40 }.wilson(0.95);
    third.escalation = Some(Escalation {
        n: 40,
        offered: 40,
        claimed: 38,
        done: 31,
        available: 31,
        low: range.map(|range| range.low),
        high: range.map(|range| range.high),
        p95_ms: Some(8_400.0),
    });
    run.levels[3].recovery_ms = Some(3_400);
    run.requests = run.levels.iter().map(|level| level.requests).sum();
    run.duration_ms = 40_000;
    run.knees = Knees { latency: Some(20.0), quality: Some(20.0) };
    run.cross_talk = Some(0);
    run.settings.canary = true;
    run.settings.escalation_share = 0.2;
    let limits = [
        (ServiceLevel::LatencyP95, 2_000.0, [Some(1_000.0), Some(1_000.0), Some(6_200.0), Some(1_000.0)]),
        (ServiceLevel::FirstTokenP95, 500.0, [None, None, Some(420.0), None]),
        (ServiceLevel::PassRate, 0.9, [Some(1.0), Some(1.0), Some(0.625), Some(1.0)]),
    ];
    let found = limits.iter().flat_map(|(metric, limit, measured)| {
        measured.iter().enumerate().map(|(level, measured)| objective(level, *metric, *limit, *measured))
    });
    run.slo = found.collect();
    run.cases = vec![
        case("refund", 1_000, 1_000, 0, None),
        case("hours", 500, 122, 140, Some("the answer lacks `9 to 5`")),
        CaseUnderLoad { escalation: true, line: 31, ..case("human", 60, 60, 0, None) },
        case("down", 0, 0, 9, Some("no answer within 30 s")),
    ];
    run.timeline = (0..40).map(tick_of_spike).collect();
    run.notes = vec!["80 in flight: 12 requests had no answer when the test ended".to_owned()];
    run.decision = StressDecision {
        conclusion: StressConclusion::Fail,
        exit_code: 1,
        reasons: vec![
            "80 in flight: latency_p95_ms is 6,200 ms; the limit is 2,000 ms".to_owned(),
            "80 in flight: pass_rate is 62.5%; the limit is 90%".to_owned(),
            "5 in flight: ttft_p95_ms was not measured".to_owned(),
        ],
    };
    run
}

/// Two levels of equal load; this machine could not keep up with the second.
pub(super) fn void() -> StressRun {
    let mut run = passed();
    run.levels = vec![level(50.0, 0.0), level(50.0, 10.0)];
    for level in &mut run.levels {
        (level.unit, level.corrected) = (LoadUnit::PerSecond, false);
    }
    run.levels[1].valid = false;
    run.levels[1].dispatch_lag_ms = Lag { p50: Some(4.0), p99: Some(81.5), max: Some(120.0) };
    run.settings.schedule = Some("5e".repeat(32));
    run.slo = (0..2).map(|level| objective(level, ServiceLevel::ErrorRate, 0.01, Some(0.0))).collect();
    run.decision = StressDecision {
        conclusion: StressConclusion::Error,
        exit_code: 4,
        reasons: vec!["50/s: void: this machine sent requests up to 81.5 ms late (p99)".to_owned()],
    };
    run
}

/// A server that does not exist.
pub(super) fn nothing_answered() -> StressRun {
    let mut run = passed();
    let one = &mut run.levels[0];
    one.errors.insert(ErrorClass::Connect, 100);
    (one.error_rate, one.goodput) = (Some(1.0), Some(0.0));
    (one.latency_ms, one.service_ms, one.quality) = Default::default();
    run.knees = Knees::default();
    run.slo = vec![
        objective(0, ServiceLevel::LatencyP95, 2_000.0, None),
        objective(0, ServiceLevel::ErrorRate, 0.01, Some(1.0)),
    ];
    run.cases = vec![case("refund", 0, 0, 100, Some("cannot connect to 127.0.0.1:8080"))];
    for tick in &mut run.timeline {
        (tick.errors, tick.judged, tick.passed, tick.p50_ms, tick.p95_ms) = (tick.requests, 0, 0, None, None);
    }
    run.decision = StressDecision {
        conclusion: StressConclusion::Fail,
        exit_code: 1,
        reasons: vec![
            "5 in flight: error_rate is 100%; the limit is 1%".to_owned(),
            "nothing answered".to_owned(),
        ],
    };
    run
}

/// A test that ended in its second of three levels.
pub(super) fn interrupted() -> StressRun {
    let mut run = passed();
    let mut never = level(80.0, 0.0);
    (never.requests, never.rate, never.lasted_s) = (0, 0.0, 0.0);
    (never.latency_ms, never.service_ms, never.quality) = Default::default();
    (never.error_rate, never.goodput) = (None, None);
    run.levels = vec![level(5.0, 0.0), level(20.0, 10.0), never];
    run.levels[1].cut_off = 20;
    run.ended = Ended::Interrupted;
    run.decision = StressDecision {
        conclusion: StressConclusion::Error,
        exit_code: 130,
        reasons: vec!["interrupted".to_owned()],
    };
    run
}

/// A test with this text wherever text from outside can be.
pub(super) fn saying(text: &str) -> StressRun {
    let mut run = spike();
    let said = || text.to_owned();
    (run.suite, run.target, run.at) = (vec![said()], vec![said()], said());
    for case in &mut run.cases {
        (case.scenario, case.id, case.file, case.reason) = (said(), said(), said(), Some(said()));
    }
    (run.notes, run.decision.reasons) = (vec![said()], vec![said(), said()]);
    run.settings.schedule = Some(said());
    run
}

/// All of them, by name.
pub(super) fn all() -> [(&'static str, StressRun); 6] {
    [
        ("passed", passed()),
        ("spike", spike()),
        ("void", void()),
        ("nothing answered", nothing_answered()),
        ("interrupted", interrupted()),
        ("hostile", saying(crate::report::fixture::HOSTILE)),
    ]
}

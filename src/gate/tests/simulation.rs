//! How often the gate cries wolf, and how often it sees the wolf.
//!
//! The suite of every simulation: one case in twenty always fails, one in five passes with 0.8 or with a
//! probability drawn from Beta(4, 2), the rest with 0.99.

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::seed::Root;

/// How the flaky fifth of a suite passes.
#[derive(Clone, Copy, Debug)]
enum Flaky {
    /// With 0.8.
    Even,
    /// As Beta(4, 2) has it.
    Spread,
}

/// What a change does to the cases.
#[derive(Clone, Copy, Debug)]
enum Effect {
    Nothing,
    /// The last case always fails.
    OneBroken,
    /// Every case passes with 0.1 less.
    TenPoints,
}

#[derive(Clone, Copy, Debug, Default)]
struct Share {
    blocked: u32,
    /// Runs in which the last case was found broken.
    named: u32,
    runs: u32,
    asked: usize,
}

impl Share {
    fn percent(self) -> f64 {
        f64::from(self.blocked) * 100.0 / f64::from(self.runs)
    }
}

fn draw(random: &mut Pcg64Mcg) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let value = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    value
}

/// The fourth smallest of five: Beta(4, 2).
fn beta(random: &mut Pcg64Mcg) -> f64 {
    let mut draws = [0.0; 5].map(|_: f64| draw(random));
    draws.sort_by(f64::total_cmp);
    draws[3]
}

fn suite(n: usize, flaky: Flaky, random: &mut Pcg64Mcg) -> Vec<f64> {
    let rate = |case: usize, random: &mut Pcg64Mcg| match (case, flaky) {
        _ if case < n / 20 => 0.0,
        (_, Flaky::Even) if case < n / 4 => 0.8,
        (_, Flaky::Spread) if case < n / 4 => beta(random),
        _ => 0.99,
    };
    (0..n).map(|case| rate(case, random)).collect()
}

fn changed(rates: &[f64], change: Effect) -> Vec<f64> {
    let mut rates = rates.to_vec();
    match change {
        Effect::Nothing => {}
        Effect::OneBroken => rates.last_mut().into_iter().for_each(|last| *last = 0.0),
        Effect::TenPoints => rates.iter_mut().for_each(|rate| *rate = (*rate - 0.1).max(0.0)),
    }
    rates
}

fn simulate(n: usize, before: u32, flaky: Flaky, change: Effect, runs: u32) -> Share {
    let policy = Policy::default();
    let ids: Vec<String> = (0..n).map(|case| format!("c{case:03}")).collect();
    let mut share = Share { runs, ..Share::default() };
    let name = format!("{n} {before} {flaky:?} {change:?}");
    let mut random = Root(4).stream(&["simulation", &name]);
    for _ in 0..runs {
        let old = suite(n, flaky, &mut random);
        let tally: Vec<_> =
            old.iter().map(|rate| (0..before).filter(|_| draw(&mut random) < *rate).count() as u64).collect();
        let stored: Vec<_> =
            ids.iter().zip(&tally).map(|(id, passes)| (id.as_str(), *passes, u64::from(before))).collect();
        let stored = baseline(&stored);
        let now = changed(&old, change);
        let first: Vec<_> = ids
            .iter()
            .zip(&now)
            .map(|(id, rate)| (id.as_str(), if draw(&mut random) < *rate { Passed } else { Failed }))
            .collect();
        let mut manifest = run(&first);
        share.asked +=
            confirm(&mut manifest, Some(&stored), &policy, |case| Some(draw(&mut random) < now[case]));
        let decision = judge(&manifest, Some(&stored), &policy);
        share.blocked += u32::from(decision.conclusion == Conclusion::Fail);
        share.named += u32::from(decision.cases.last().is_some_and(|case| case.state == State::Broken));
    }
    share
}

#[test]
fn an_unchanged_suite_is_rarely_blocked() {
    for before in [3, 10] {
        for (n, runs) in [(20, 400), (50, 400), (100, 400), (200, 300), (500, 150)] {
            for flaky in [Flaky::Even, Flaky::Spread] {
                let share = simulate(n, before, flaky, Effect::Nothing, runs);
                assert!(share.percent() <= 5.0, "n {n}, {before} trials, {flaky:?}: {share:?}");
            }
        }
    }
}

#[test]
fn one_broken_case_is_seen() {
    for before in [3, 10] {
        for (n, runs) in [(20, 200), (50, 200), (100, 120), (200, 80), (500, 40)] {
            let share = simulate(n, before, Flaky::Even, Effect::OneBroken, runs);
            let named = f64::from(share.named) * 100.0 / f64::from(share.runs);
            assert!(named >= 90.0, "n {n}, {before} trials: {share:?}");
        }
    }
}

#[test]
fn a_drop_of_ten_points_is_seen() {
    for before in [3, 5, 10] {
        let share = simulate(100, before, Flaky::Even, Effect::TenPoints, 150);
        assert!(share.percent() >= 75.0, "{before} trials: {share:?}");
    }
}

/// The table of docs/gate.md: `cargo test --release --lib simulated_table -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes; prints a table"]
fn simulated_table() {
    let mut table = String::from(
        "| trials per case in the baseline | unchanged run blocked | one fully broken case seen | 10-point drop, n = 100 | extra calls, unchanged |\n|---|---|---|---|---|\n",
    );
    for before in [1, 2, 3, 5, 10, 20] {
        let range = |shares: &[f64]| {
            let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
            let most = shares.iter().copied().fold(0.0, f64::max);
            let (least, most) = (format!("{least:.0}"), format!("{most:.0}"));
            if least == most { format!("{least} %") } else { format!("{least}–{most} %") }
        };
        let (mut blocked, mut seen, mut extra) = (Vec::new(), Vec::new(), Vec::new());
        for n in [20, 50, 100, 200, 500] {
            for flaky in [Flaky::Even, Flaky::Spread] {
                let share = simulate(n, before, flaky, Effect::Nothing, 400);
                blocked.push(share.percent());
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                extra.push(share.asked as f64 * 100.0 / (n as f64 * 400.0));
            }
            seen.push(simulate(n, before, Flaky::Even, Effect::OneBroken, 400).percent());
        }
        let drop = simulate(100, before, Flaky::Even, Effect::TenPoints, 400).percent();
        let row = format!(
            "| {before} | {} | {} | {drop:.0} % | {} |\n",
            range(&blocked),
            range(&seen),
            range(&extra)
        );
        table.push_str(&row);
    }
    println!("{table}");
}

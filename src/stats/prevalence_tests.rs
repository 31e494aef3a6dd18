use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::stats::LEVEL;

fn tally(hits: u64, of: u64) -> Tally {
    Tally { hits, of }
}

/// Computed with mpmath 1.4 at 30 digits from the authors' R script; the second row is a data set of Reiczigel, Földi
/// &
/// Ózsvári, Epidemiology and Infection 138 (2010), table 2 (27 of 650).
#[test]
fn intervals_match_the_authors_formula() {
    for (observed, tpr, tnr, estimate, low, high) in [
        (
            tally(259, 580),
            tally(78, 85),
            tally(627, 656),
            0.460_643_577_149_888_9,
            0.410_530_157_162_386_1,
            0.526_414_604_604_963_9,
        ),
        (
            tally(27, 650),
            tally(50, 100),
            tally(199, 200),
            0.073_815_073_815_073_82,
            0.027_460_010_566_892_2,
            0.114_583_025_729_825_3,
        ),
        (tally(80, 100), tally(45, 50), tally(40, 50), 0.857_142_857_142_857_1, 0.704_760_666_928_782_1, 1.0),
        (tally(20, 20), tally(30, 30), tally(30, 30), 1.0, 0.822_366_374_050_547_6, 1.0),
        (
            tally(2, 78),
            tally(50, 100),
            tally(199, 200),
            0.041_699_041_699_041_7,
            0.0,
            0.177_704_273_632_175_4,
        ),
    ] {
        let found = corrected(observed, tpr, tnr, LEVEL).unwrap();
        let numbers = [found.estimate, found.interval.low, found.interval.high];
        for (found, expected) in numbers.into_iter().zip([estimate, low, high]) {
            assert!((found - expected).abs() < 1e-9, "{observed:?}: {found} for {expected}");
        }
    }
}

#[test]
fn an_uninformative_judge_corrects_nothing() {
    let observed = tally(5, 10);
    for (tpr, tnr) in [(tally(7, 10), tally(3, 10)), (tally(1, 10), tally(9, 10)), (tally(0, 3), tally(1, 3))]
    {
        let error = corrected(observed, tpr, tnr, LEVEL).unwrap_err();
        assert!(matches!(error, PrevalenceError::Uninformative { .. }), "{tpr:?} {tnr:?}");
    }
    assert!(corrected(observed, tally(8, 10), tally(3, 10), LEVEL).is_ok());
    for (observed, tpr, tnr) in [
        (Tally::default(), tally(9, 10), tally(9, 10)),
        (observed, Tally::default(), tally(9, 10)),
        (observed, tally(9, 10), Tally::default()),
    ] {
        assert_eq!(corrected(observed, tpr, tnr, LEVEL), Err(PrevalenceError::Unknown));
    }
}

#[test]
fn estimates_stay_shares() {
    let low = corrected(tally(0, 50), tally(45, 50), tally(40, 50), LEVEL).unwrap();
    assert!(low.raw < 0.0);
    assert_eq!((low.estimate, low.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
    let high = corrected(tally(50, 50), tally(45, 50), tally(40, 50), LEVEL).unwrap();
    assert!(high.raw > 1.0 && high.estimate <= high.interval.high);
    let few = corrected(tally(5, 10), tally(300, 1000), tally(1, 1), LEVEL).unwrap();
    assert_eq!(few.interval, Interval { low: 0.0, high: 1.0 });
}

/// How many of `n` trials succeed with this probability.
fn draw(random: &mut impl Rng, n: u64, probability: f64) -> Tally {
    let hits = (0..n).filter(|_| f64::from(random.next_u32()) < probability * 2_f64.powi(32)).count();
    Tally { hits: hits as u64, of: n }
}

/// 1,000 simulations of labels and a run for each of 40 settings: judges from nearly always right to hardly
/// informative,
/// 15 to 100 labels per class, rare and common passes.
#[test]
fn the_interval_covers_the_truth() {
    let mut random = Pcg64Mcg::new(3);
    let (mut covered, mut given) = (0_u32, 0_u32);
    for (labels, run) in [(15, 40), (100, 150)] {
        for (pass_rate, fail_rate) in [(0.9, 0.8), (0.7, 0.9), (0.98, 0.95), (0.65, 0.65)] {
            for truth in [0.0, 0.1, 0.5, 0.85, 1.0] {
                let (mut here, mut of) = (0_u32, 0_u32);
                for _ in 0..1_000 {
                    let observed =
                        draw(&mut random, run, truth * pass_rate + (1.0 - truth) * (1.0 - fail_rate));
                    let tpr = draw(&mut random, labels, pass_rate);
                    let tnr = draw(&mut random, labels, fail_rate);
                    if let Ok(found) = corrected(observed, tpr, tnr, LEVEL) {
                        let inside = (found.interval.low..=found.interval.high).contains(&truth);
                        here += u32::from(inside);
                        of += 1;
                    }
                }
                let share = f64::from(here) / f64::from(of);
                assert!(share >= 0.93, "{share} at {truth}, {pass_rate}, {fail_rate}, {labels}, {run}");
                (covered, given) = (covered + here, given + of);
            }
        }
    }
    assert!(f64::from(covered) / f64::from(given) >= 0.95);
}

//! When visits of a rate arrive: all times follow from the seed, before anything is sent.

use std::time::Duration;

use rand_core::Rng as _;
use sha2::{Digest, Sha256};

use super::profile::{Amount, Arrivals, Stage};
use crate::seed::Root;
use crate::text;

/// The times of a stage, counted from its start, in order and without end.
#[derive(Clone, Debug)]
pub struct Schedule {
    rate: f64,
    ramp: f64,
    arrivals: Arrivals,
    random: rand_pcg::Pcg64Mcg,
    /// How many would have arrived by now at the full rate.
    sum: f64,
}

impl Schedule {
    /// The times of the stage with this number. During `ramp` the rate grows linearly from zero.
    #[must_use]
    pub fn of(root: Root, stage: usize, rate: f64, ramp: Duration, arrivals: Arrivals) -> Self {
        let random = root.stream(&["stress", "arrivals", &stage.to_string()]);
        Self { rate, ramp: ramp.as_secs_f64(), arrivals, random, sum: 0.0 }
    }

    /// The distance to the next arrival, at a rate of one.
    fn gap(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => {
                // 53 bits, never zero.
                #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
                let uniform = ((self.random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                -uniform.ln()
            }
        }
    }

    /// The time of the nth arrival: the inverse of `rate · t² / (2 · ramp)`, and linear after the ramp.
    fn time_of(&self, many: f64) -> f64 {
        let by_ramp = self.rate * self.ramp / 2.0;
        if many < by_ramp {
            (2.0 * self.ramp * many / self.rate).sqrt()
        } else {
            self.ramp + (many - by_ramp) / self.rate
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let time = match self.arrivals {
            // The first arrives immediately.
            Arrivals::Constant => {
                let time = self.time_of(self.sum);
                self.sum += self.gap();
                time
            }
            Arrivals::Poisson => {
                self.sum += self.gap();
                self.time_of(self.sum)
            }
        };
        // Rounded to microseconds: the last bits of a logarithm differ between platforms.
        let micros = Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX).as_micros();
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

/// SHA-256 (hexadecimal) over the times of all stages with a rate, in microseconds: the same seed gives the same bytes.
/// Covers at most the first million times of each stage. `None` if no stage has a rate.
#[must_use]
pub fn digest(root: Root, stages: &[Stage], ramp: Duration, arrivals: Arrivals) -> Option<String> {
    const MOST: usize = 1_000_000;
    let mut hash = Sha256::new();
    let mut any = false;
    for (index, stage) in stages.iter().enumerate() {
        let Amount::PerSecond(rate) = stage.amount else { continue };
        any = true;
        hash.update((index as u64).to_be_bytes());
        let ramp = if index == 0 { ramp } else { Duration::ZERO };
        let times = Schedule::of(root, index, rate, ramp, arrivals);
        for time in times.take(MOST).take_while(|time| stage.lasts.is_none_or(|lasts| *time < lasts)) {
            hash.update(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    any.then(|| text::hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seed: u64, rate: f64, ramp: u64, arrivals: Arrivals, many: usize) -> Vec<Duration> {
        Schedule::of(Root(seed), 0, rate, Duration::from_secs(ramp), arrivals).take(many).collect()
    }

    #[test]
    fn a_constant_rate_is_kept_in_every_second() {
        for rate in [1.0, 7.0, 50.0, 333.0] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole rates")]
            let many = rate as usize;
            let found = times(1, rate, 0, Arrivals::Constant, many * 5);
            for second in 0..5 {
                let within = |time: &&Duration| time.as_secs() == second;
                assert_eq!(found.iter().filter(within).count(), many, "{rate}/s, second {second}");
            }
        }
    }

    #[test]
    fn a_ramp_is_linear() {
        let found = times(1, 100.0, 10, Arrivals::Constant, 1_000);
        let by = |second: u64| found.iter().filter(|time| **time < Duration::from_secs(second)).count();
        // 100 · t² / 20 by second t, then 100 more per second.
        for (second, many) in [(1, 5), (2, 20), (5, 125), (10, 500), (11, 600)] {
            assert!(by(second).abs_diff(many) <= 1, "{second}: {}", by(second));
        }
    }

    #[test]
    fn one_seed_is_one_schedule() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            assert_eq!(times(7, 50.0, 3, arrivals, 1_000), times(7, 50.0, 3, arrivals, 1_000));
            assert!(times(7, 50.0, 3, arrivals, 1_000).is_sorted());
        }
        assert_ne!(times(7, 50.0, 0, Arrivals::Poisson, 10), times(8, 50.0, 0, Arrivals::Poisson, 10));
        let stages = [Stage { amount: Amount::PerSecond(50.0), lasts: Some(Duration::from_secs(60)) }];
        let of = |seed| digest(Root(seed), &stages, Duration::ZERO, Arrivals::Poisson);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let closed = [Stage { amount: Amount::InFlight(5), lasts: None }];
        assert_eq!(digest(Root(1), &closed, Duration::ZERO, Arrivals::Poisson), None);
    }

    /// The gaps of a Poisson process are exponential: mean and standard deviation are 1 / rate.
    #[test]
    fn poisson_arrivals_are_independent() {
        let found = times(3, 200.0, 0, Arrivals::Poisson, 20_000);
        let gaps: Vec<f64> =
            found.windows(2).map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64()).collect();
        let mean = crate::stats::mean(&gaps).unwrap_or_default();
        let variance = crate::stats::mean(gaps.iter().map(|gap| (gap - mean).powi(2))).unwrap_or_default();
        assert!((mean * 200.0 - 1.0).abs() < 0.03, "{mean}");
        assert!((variance.sqrt() * 200.0 - 1.0).abs() < 0.05, "{variance}");
    }
}

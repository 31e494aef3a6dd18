//! Invariants of every load, over generated stages.

use std::sync::atomic::AtomicU64;

use proptest::prelude::*;

use super::*;
use crate::stats::real;

/// What happened to a host.
#[derive(Debug, Default)]
struct Log {
    /// Arrivals that started, in order.
    began: Vec<(u64, usize, Instant)>,
    /// Arrivals in flight, by the stage in which they were due.
    in_flight: Vec<usize>,
    ended: usize,
    missed: Vec<u64>,
    /// Violations.
    wrong: Vec<String>,
}

/// A host that takes a few milliseconds per arrival.
struct Slow {
    numbers: AtomicU64,
    most: u64,
    takes: Vec<u64>,
    /// How many arrivals may be in flight in each stage.
    seats: Vec<usize>,
    log: Mutex<Log>,
    stages: Mutex<Vec<(usize, Instant)>>,
}

impl Slow {
    fn of(most: u64, takes: Vec<u64>, seats: Vec<usize>) -> Arc<Self> {
        let (log, stages) = (Mutex::default(), Mutex::default());
        Arc::new(Self { numbers: AtomicU64::new(0), most, takes, seats, log, stages })
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An arrival being served.
struct Guest<'a>(&'a Slow, usize, bool);

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log();
        log.in_flight[self.1] -= 1;
        log.ended += usize::from(self.2);
    }
}

impl Host for Slow {
    fn next(&self) -> Option<u64> {
        let number = self.numbers.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (number < self.most).then_some(number)
    }

    async fn serve(&self, arrival: Arrival) {
        let Arrival { number, stage, due } = arrival;
        {
            let mut log = self.log();
            if due > Instant::now() {
                log.wrong.push(format!("{number} started before it was due"));
            }
            log.in_flight.resize(self.seats.len(), 0);
            log.in_flight[stage] += 1;
            log.began.push((number, stage, due));
            let (own, all) = (log.in_flight[stage], log.in_flight.iter().sum::<usize>());
            let most = self.seats[..=stage].iter().max().copied().unwrap_or_default();
            if own > self.seats[stage] || all > most {
                log.wrong.push(format!("{own} at once in stage {stage}, {all} in all"));
            }
        }
        let mut guest = Guest(self, stage, false);
        let takes = self.takes[usize::try_from(number).unwrap_or_default() % self.takes.len()];
        tokio::time::sleep(Duration::from_millis(takes)).await;
        guest.2 = true;
    }

    fn missed(&self, arrival: Arrival) {
        self.log().missed.push(arrival.number);
    }

    fn begin(&self, stage: usize, at: Instant) {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).push((stage, at));
    }
}

/// Runs a load and waits for all its threads.
fn run(host: &Arc<Slow>, stages: Vec<Stage>, most: usize, stop: Option<Duration>, is_paused: bool) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(is_paused).build();
    runtime.expect("a runtime").block_on(async {
        let stop = async {
            match stop {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        load(Arc::clone(host), stages, most, &Crew::default(), stop).await
    })
}

fn closed(seats: &[usize], lasts: &[u64]) -> Vec<Stage> {
    let stage = |(seats, lasts): (&usize, &u64)| Stage {
        pace: Pace::InFlight(*seats, Duration::ZERO),
        lasts: Some(Duration::from_millis(*lasts)),
    };
    seats.iter().zip(lasts).map(stage).collect()
}

fn even(rate: u64) -> Box<dyn Iterator<Item = Duration> + Send> {
    Box::new((0..).map(move |number| Duration::from_micros(number * 1_000_000 / rate)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn concurrency_stays_within_the_stages_limit(
        stages in prop::collection::vec((1..20_usize, 1..200_u64), 1..6),
        takes in prop::collection::vec(1..60_u64, 1..5),
    ) {
        let (seats, lasts): (Vec<_>, Vec<_>) = stages.into_iter().unzip();
        let host = Slow::of(u64::MAX, takes.clone(), seats.clone());
        prop_assert!(!run(&host, closed(&seats, &lasts), 1, None, true));
        let log = host.log();
        prop_assert!(log.wrong.is_empty(), "{:?}", log.wrong);
        // All workers are busy, so the first stage alone starts this many.
        let longest = takes.iter().max().copied().unwrap_or_default();
        let least = seats[0] as u64 * (lasts[0] / longest).max(1);
        prop_assert!(log.began.len() as u64 >= least, "{} of {least}", log.began.len());
        prop_assert_eq!(log.in_flight.iter().sum::<usize>(), 0, "nothing may be left in flight");
        let begun = host.stages.lock().unwrap_or_else(PoisonError::into_inner);
        prop_assert_eq!(begun.len(), seats.len());
        for (pair, lasts) in begun.windows(2).zip(&lasts) {
            prop_assert_eq!(pair[1].1 - pair[0].1, Duration::from_millis(*lasts));
        }
    }

    #[test]
    fn the_maximum_number_arrives_and_all_are_served(
        most in 1..200_u64,
        seats in prop::collection::vec(1..20_usize, 1..4),
        takes in prop::collection::vec(1..60_u64, 1..5),
    ) {
        // The last stage has no time limit.
        let mut stages = closed(&seats, &vec![40; seats.len()]);
        if let Some(last) = stages.last_mut() {
            last.lasts = None;
        }
        let host = Slow::of(most, takes, seats);
        prop_assert!(!run(&host, stages, 1, None, true));
        let log = host.log();
        prop_assert_eq!(log.began.len() as u64, most);
        prop_assert!(log.ended as u64 + 20 * 3 >= most, "arrivals at the end of a stage must be served");
        prop_assert!(log.wrong.is_empty(), "{:?}", log.wrong);
    }

    #[test]
    fn nothing_is_in_flight_after_a_stop(
        seats in 1..20_usize,
        takes in 1..60_u64,
        after in 0..100_u64,
    ) {
        let host = Slow::of(u64::MAX, vec![takes], vec![seats]);
        let stages = vec![Stage { pace: Pace::InFlight(seats, Duration::ZERO), lasts: None }];
        run(&host, stages, 1, Some(Duration::from_millis(after)), true);
        let log = host.log();
        prop_assert_eq!(log.in_flight.iter().sum::<usize>(), 0);
        prop_assert!(log.began.len() as u64 <= seats as u64 * (after / takes + 1));
        prop_assert!(log.ended <= log.began.len());
    }

    #[test]
    fn workers_start_one_by_one_during_ramp_up(seats in 1..20_usize, ramp in 1..500_u64) {
        let host = Slow::of(u64::MAX, vec![10_000], vec![seats]);
        let began = std::cell::Cell::new(None);
        let ramp = Duration::from_millis(ramp);
        let stages = vec![Stage { pace: Pace::InFlight(seats, ramp), lasts: Some(Duration::from_secs(1)) }];
        run(&host, stages, 1, None, true);
        began.set(host.stages.lock().unwrap_or_else(PoisonError::into_inner).first().map(|(_, at)| *at));
        let log = host.log();
        prop_assert_eq!(log.began.len(), seats);
        let first = began.get().unwrap_or_else(Instant::now);
        for (place, (_, _, due)) in log.began.iter().enumerate() {
            let share = ramp.as_secs_f64() * real(place as u64) / real(seats as u64);
            // Timers have a resolution of one millisecond.
            prop_assert!(((*due - first).as_secs_f64() - share).abs() < 0.002, "{place}");
        }
    }
}

proptest! {
    // Schedules use the real clock.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn scheduled_arrivals_come_in_order(
        rate in 100..3_000_u64,
        lasts in 5..60_u64,
        takes in 0..20_u64,
        most in 1..40_usize,
    ) {
        let host = Slow::of(u64::MAX, vec![takes], vec![usize::MAX]);
        let stages = vec![Stage { pace: Pace::At(even(rate)), lasts: Some(Duration::from_millis(lasts)) }];
        prop_assert!(!run(&host, stages, most, None, false));
        let log = host.log();
        prop_assert!(log.wrong.is_empty(), "{:?}", log.wrong);
        let due = even(rate).take_while(|time| *time < Duration::from_millis(lasts));
        let first = host.stages.lock().unwrap_or_else(PoisonError::into_inner).first().map(|(_, at)| *at);
        let first = first.unwrap_or_else(Instant::now);
        let mut began: Vec<_> = log.began.iter().map(|(number, _, due)| (*number, *due - first)).collect();
        let wanted: Vec<_> = (0..).zip(due).collect();
        if most >= wanted.len() {
            prop_assert_eq!(&began[..], &wanted[..began.len()], "the order or the times are wrong");
        }
        // Free places may be taken in any order; arrivals without a place are recorded as missed.
        began.sort_unstable();
        let mut missed = log.missed.clone();
        missed.sort_unstable();
        let rest = wanted.iter().filter(|one| !began.contains(one));
        prop_assert_eq!(missed, rest.map(|(number, _)| *number).collect::<Vec<_>>());
        prop_assert!(began.iter().all(|one| wanted.contains(one)) && began.is_sorted());
    }

    #[test]
    fn a_schedule_ends_with_its_last_arrival(rate in 100..3_000_u64, number in 1..40_u64, takes in 0..20_u64) {
        let host = Slow::of(number, vec![takes], vec![usize::MAX]);
        let stages = vec![Stage { pace: Pace::At(even(rate)), lasts: None }];
        prop_assert!(!run(&host, stages, 1_000, None, false));
        let log = host.log();
        prop_assert_eq!((log.began.len() as u64, log.ended as u64), (number, number));
        prop_assert!(log.missed.is_empty());
    }

    #[test]
    fn a_stop_ends_a_schedule(rate in 100..3_000_u64, after in 1..30_u64) {
        let host = Slow::of(u64::MAX, vec![10_000], vec![usize::MAX]);
        let stages = vec![Stage { pace: Pace::At(even(rate)), lasts: None }];
        run(&host, stages, 1_000, Some(Duration::from_millis(after)), false);
        let log = host.log();
        prop_assert_eq!((log.in_flight.iter().sum::<usize>(), log.ended), (0, 0));
    }
}

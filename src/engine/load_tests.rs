//! What holds of every load, by generated stages.

use std::sync::atomic::AtomicU64;

use proptest::prelude::*;

use super::*;
use crate::stats::real;

/// What a host was asked for.
#[derive(Debug, Default)]
struct Log {
    /// Those that began, in the order in which they did.
    began: Vec<(u64, usize, Instant)>,
    /// Under way, by the stage in which they were due.
    under_way: Vec<usize>,
    ended: usize,
    missed: Vec<u64>,
    /// What was wrong.
    wrong: Vec<String>,
}

/// A host that takes some milliseconds for everybody.
struct Slow {
    numbers: AtomicU64,
    most: u64,
    takes: Vec<u64>,
    /// How many may be under way in each stage.
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

/// Somebody who is served.
struct Guest<'a>(&'a Slow, usize, bool);

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log();
        log.under_way[self.1] -= 1;
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
                log.wrong.push(format!("{number} began before it was due"));
            }
            log.under_way.resize(self.seats.len(), 0);
            log.under_way[stage] += 1;
            log.began.push((number, stage, due));
            let (own, all) = (log.under_way[stage], log.under_way.iter().sum::<usize>());
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

/// Carries a load out, and is there until all threads of it have ended.
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
    fn there_are_never_more_at_once_than_the_stage_says(
        stages in prop::collection::vec((1..20_usize, 1..200_u64), 1..6),
        takes in prop::collection::vec(1..60_u64, 1..5),
    ) {
        let (seats, lasts): (Vec<_>, Vec<_>) = stages.into_iter().unzip();
        let host = Slow::of(u64::MAX, takes.clone(), seats.clone());
        prop_assert!(!run(&host, closed(&seats, &lasts), 1, None, true));
        let log = host.log();
        prop_assert!(log.wrong.is_empty(), "{:?}", log.wrong);
        // Everybody who works is busy: so many began in the first stage alone.
        let longest = takes.iter().max().copied().unwrap_or_default();
        let least = seats[0] as u64 * (lasts[0] / longest).max(1);
        prop_assert!(log.began.len() as u64 >= least, "{} of {least}", log.began.len());
        prop_assert_eq!(log.under_way.iter().sum::<usize>(), 0, "nobody is left");
        let begun = host.stages.lock().unwrap_or_else(PoisonError::into_inner);
        prop_assert_eq!(begun.len(), seats.len());
        for (pair, lasts) in begun.windows(2).zip(&lasts) {
            prop_assert_eq!(pair[1].1 - pair[0].1, Duration::from_millis(*lasts));
        }
    }

    #[test]
    fn so_many_come_as_may_and_all_of_them_are_served(
        most in 1..200_u64,
        seats in prop::collection::vec(1..20_usize, 1..4),
        takes in prop::collection::vec(1..60_u64, 1..5),
    ) {
        // The last stage has no end of its own.
        let mut stages = closed(&seats, &vec![40; seats.len()]);
        if let Some(last) = stages.last_mut() {
            last.lasts = None;
        }
        let host = Slow::of(most, takes, seats);
        prop_assert!(!run(&host, stages, 1, None, true));
        let log = host.log();
        prop_assert_eq!(log.began.len() as u64, most);
        prop_assert!(log.ended as u64 + 20 * 3 >= most, "those at the end of a stage go on");
        prop_assert!(log.wrong.is_empty(), "{:?}", log.wrong);
    }

    #[test]
    fn at_a_stop_nothing_is_under_way_any_more(
        seats in 1..20_usize,
        takes in 1..60_u64,
        after in 0..100_u64,
    ) {
        let host = Slow::of(u64::MAX, vec![takes], vec![seats]);
        let stages = vec![Stage { pace: Pace::InFlight(seats, Duration::ZERO), lasts: None }];
        run(&host, stages, 1, Some(Duration::from_millis(after)), true);
        let log = host.log();
        prop_assert_eq!(log.under_way.iter().sum::<usize>(), 0);
        prop_assert!(log.began.len() as u64 <= seats as u64 * (after / takes + 1));
        prop_assert!(log.ended <= log.began.len());
    }

    #[test]
    fn workers_begin_one_after_the_other_while_a_load_grows(seats in 1..20_usize, ramp in 1..500_u64) {
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
            // Timers are a millisecond coarse.
            prop_assert!(((*due - first).as_secs_f64() - share).abs() < 0.002, "{place}");
        }
    }
}

proptest! {
    // The clock of a schedule is a real one.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn all_of_a_schedule_come_in_their_order(
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
            prop_assert_eq!(&began[..], &wanted[..began.len()], "in their order, at their times");
        }
        // Places that are free at once may be taken in any order; for whom there was none is known.
        began.sort_unstable();
        let mut missed = log.missed.clone();
        missed.sort_unstable();
        let rest = wanted.iter().filter(|one| !began.contains(one));
        prop_assert_eq!(missed, rest.map(|(number, _)| *number).collect::<Vec<_>>());
        prop_assert!(began.iter().all(|one| wanted.contains(one)) && began.is_sorted());
    }

    #[test]
    fn a_schedule_ends_with_the_last_that_may_come(rate in 100..3_000_u64, number in 1..40_u64, takes in 0..20_u64) {
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
        prop_assert_eq!((log.under_way.iter().sum::<usize>(), log.ended), (0, 0));
    }
}

//! Requests and tokens per minute, on a paused clock.

use super::tries_tests::{PATIENT, Server, ask, busy, client, server};
use super::*;
use crate::stats::real;
use crate::vocabulary::Usage;
use std::time::Duration;
use tokio::time::Instant;

/// When each request was sent, in seconds; each answer takes a while.
async fn sent(server: &Arc<Server>, questions: usize, limits: &[Limits], road: &Road) -> Vec<(String, f64)> {
    let clients: Vec<_> = limits
        .iter()
        .map(|limits| {
            let client = client(server, road);
            client.limit(*limits);
            Arc::new(client)
        })
        .collect();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..questions {
        let who = n % clients.len();
        let client = Arc::clone(&clients[who]);
        all.spawn(async move { ask(&client, &format!("{who} {n}"), PATIENT).await.unwrap() });
    }
    all.join_all().await;
    server.log()
}

/// The most requests in any window of this many seconds.
fn most_within(log: &[(String, f64)], seconds: f64) -> usize {
    let within = |from: f64| log.iter().filter(|(_, at)| (from..from + seconds).contains(at)).count();
    log.iter().map(|(_, at)| within(*at)).max().unwrap_or(0)
}

fn limits(requests: u64, tokens: u64, concurrency: u64) -> Limits {
    let some = |figure| Some(figure).filter(|figure| *figure > 0);
    Limits {
        requests_per_minute: some(requests),
        tokens_per_minute: some(tokens),
        concurrency: some(concurrency),
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_exceeds_its_share_by_more_than_one_second() {
    for a_minute in [1_u32, 7, 30, 60, 61, 300, 6_000] {
        for at_once in [1, 16, 64] {
            let server = server(|_, _| Ok(()));
            let began = Instant::now();
            let road = Road::new(at_once, None);
            let log = sent(&server, 120, &[limits(a_minute.into(), 0, 0)], &road).await;
            let a_second = f64::from(a_minute) / 60.0;
            for seconds in [0.5, 1.0, 10.0, 60.0, 600.0] {
                let most = a_second * seconds + a_second.max(1.0) + 1.0;
                assert!(real(most_within(&log, seconds)) <= most, "{a_minute} {at_once} {seconds}: {log:?}");
            }
            // Nor is it slower than necessary.
            let ideal = (119.0 / a_second).max(120.0 * 0.02 / real(at_once));
            let took = began.elapsed().as_secs_f64();
            assert!(took <= ideal * 1.05 + 1.0, "{a_minute} {at_once}: {took} of {ideal}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_and_corrected_by_the_servers_count() {
    // Tokens per answer: as reserved, far fewer, far more.
    for used in [200_u64, 60, 2_000] {
        let server = server(|_, _| Ok(())).using(Usage { output_tokens: used, ..Usage::default() });
        let began = Instant::now();
        sent(&server, 60, &[limits(0, 6_000, 0)], &Road::new(16, None)).await;
        let a_minute = 60.0 * real(used) / began.elapsed().as_secs_f64() * 60.0;
        // The sixteen requests in flight at the first answer overdraw the limit, and later requests wait for that.
        assert!((4_000.0..=7_600.0).contains(&a_minute), "{used}: {a_minute} tokens a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn one_address_has_one_limit_the_lower_of_two() {
    for both in [[limits(0, 0, 0), limits(60, 0, 0)], [limits(600, 0, 9), limits(60, 0, 20)]] {
        for both in [both, [both[1], both[0]]] {
            let server = server(|_, _| Ok(()));
            let log = sent(&server, 40, &both, &Road::new(8, None)).await;
            assert!(most_within(&log, 10.0) <= 12, "{log:?}");
            // Application and judge are served in order.
            let turns: Vec<_> = log.iter().map(|(who, _)| &who[..1]).collect();
            for few in turns.windows(10) {
                let first = few.iter().filter(|who| **who == "0").count();
                assert!((4..=6).contains(&first), "{turns:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_are_in_flight_than_the_limit_of_an_address() {
    for (wide, most, expected) in [(64, 3, 3), (2, 50, 2), (64, 1, 1)] {
        let server = server(|_, _| Ok(()));
        let log = sent(&server, 30, &[limits(0, 0, most)], &Road::new(wide, None)).await;
        // Each answer takes 20 ms.
        assert_eq!(most_within(&log, 0.019), expected, "{log:?}");
    }
    let busy = server(|_, now| if now < Duration::from_secs(1) { Err(busy(None)) } else { Ok(()) });
    let log = sent(&busy, 30, &[limits(0, 0, 4)], &Road::new(64, None)).await;
    assert!(most_within(&log, 0.019) <= 4, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn no_reported_usage_causes_a_panic() {
    let server = server(|_, _| Ok(())).using(Usage { output_tokens: u64::MAX, ..Usage::default() });
    let road = Road::new(1, None);
    let client = client(&server, &road);
    client.limit(limits(u64::MAX, 1, 1));
    assert!(ask(&client, "first", PATIENT).await.is_ok());
    let second = tokio::time::timeout(Duration::from_secs(86_400), ask(&client, "second", PATIENT));
    assert!(second.await.is_err(), "it would have to wait billions of years");
}

//! Whole runs with servers that are busy, down or refuse access, on a paused clock.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::time::Instant;

use super::tests::asking;
use super::*;
use crate::manifest::Ended;
use crate::provider::{ChatRequest, Message, Pending, ProviderError, Role};
use crate::vocabulary::{FaultKind, Usage};

/// What a server does with a request, by its text and the time since the start.
type Manners = Box<dyn Fn(&str, Duration) -> Result<(), ProviderError> + Send + Sync>;

pub(super) struct Server {
    endpoint: Endpoint,
    began: Instant,
    calls: AtomicUsize,
    manners: Manners,
    usage: Option<Usage>,
    /// Extra delay of requests before a time.
    slow: (Duration, Duration),
    /// The requests and their times in seconds.
    log: Mutex<Vec<(String, f64)>>,
}

impl Server {
    /// The same with this usage for each answer.
    pub(super) fn using(self: Arc<Self>, usage: Usage) -> Arc<Self> {
        let Ok(server) = Arc::try_unwrap(self) else { panic!("the server must not be in use yet") };
        Arc::new(Self { usage: Some(usage), ..server })
    }

    /// The same, slower for requests before a time.
    fn slow_before(self: Arc<Self>, time: Duration, wait: Duration) -> Arc<Self> {
        let Ok(server) = Arc::try_unwrap(self) else { panic!("the server must not be in use yet") };
        Arc::new(Self { slow: (time, wait), ..server })
    }

    pub(super) fn log(&self) -> Vec<(String, f64)> {
        self.log.lock().unwrap().clone()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Provider for Server {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let asked = (request.messages[0].content.clone(), self.began.elapsed().as_secs_f64());
            self.log.lock().unwrap().push(asked);
            let (until, more) = self.slow;
            let more = if self.began.elapsed() < until { more } else { Duration::ZERO };
            let found = (self.manners)(&request.messages[0].content, self.began.elapsed());
            // Refusals are immediate; answers take a while.
            tokio::time::sleep(more + Duration::from_millis(if found.is_ok() { 20 } else { 1 })).await;
            let answer = Answer { usage: self.usage, ..Answer::default() };
            found.map(|()| Completion { answer, ..Completion::default() })
        })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        unreachable!("no embedding is requested here")
    }
}

/// The results of a run.
struct Found {
    results: Vec<Result<Exchange, ClientError>>,
    calls: usize,
    took: Duration,
}

impl Found {
    fn errors(&self) -> Vec<String> {
        self.results.iter().filter_map(|result| Some(result.as_ref().err()?.to_string())).collect()
    }

    fn not_asked(&self) -> usize {
        self.errors().iter().filter(|error| error.starts_with("not asked: ")).count()
    }
}

pub(super) fn server(
    manners: impl Fn(&str, Duration) -> Result<(), ProviderError> + Send + Sync + 'static,
) -> Arc<Server> {
    let (endpoint, calls) = (Endpoint::at_host("openai", "test"), AtomicUsize::new(0));
    let (began, manners, log) = (Instant::now(), Box::new(manners), Mutex::default());
    Arc::new(Server { endpoint, began, calls, manners, usage: None, slow: <_>::default(), log })
}

pub(super) fn client(server: &Arc<Server>, road: &Road) -> ModelClient {
    let provider: Arc<dyn Provider> = Arc::<Server>::clone(server);
    ModelClient::new(provider, Cache::at("nowhere"), Mode::Off).on(road)
}

pub(super) async fn ask(
    client: &ModelClient,
    text: &str,
    limited: Duration,
) -> Result<Exchange, ClientError> {
    let request = ChatRequest {
        model: "m".to_owned(),
        messages: vec![Message::new(Role::User, text.to_owned())],
        ..ChatRequest::default()
    };
    let content = json!({ "messages": request.messages, "trial": 0 });
    let patience = Patience { limited, ..Patience::default() };
    client.ask(&Ask { content: &content, purpose: text, ..asking(&request, patience) }).await
}

/// Sends this many requests with this concurrency.
async fn run(server: &Arc<Server>, questions: usize, at_once: usize, limited: Duration) -> Found {
    let began = Instant::now();
    let client = Arc::new(client(server, &Road::new(at_once, None)));
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let (client, next) = (Arc::clone(&client), Arc::clone(&next));
        workers.spawn(async move {
            let mut results = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= questions {
                    return results;
                }
                results.push(ask(&client, &format!("case {n}"), limited).await);
            }
        });
    }
    let results = workers.join_all().await.into_iter().flatten().collect();
    Found { results, calls: server.calls.load(Ordering::SeqCst), took: began.elapsed() }
}

pub(super) const PATIENT: Duration = Duration::from_secs(300);

pub(super) fn busy(wait: Option<f64>) -> ProviderError {
    status(429, "slow down", wait.map(Duration::from_secs_f64))
}

fn status(status: u16, body: &str, retry_after: Option<Duration>) -> ProviderError {
    let whole = json!({ "error": { "message": body } }).to_string().into();
    ProviderError::of_status("test", status, body.to_owned(), whole, retry_after)
}

fn gone() -> ProviderError {
    ProviderError::Connect { host: "test".to_owned(), reason: "Connection refused".to_owned() }
}

/// Five requests per second: over any second, or per calendar second.
fn five_a_second(sliding: bool, wait: Option<f64>) -> Arc<Server> {
    let log = Mutex::new(VecDeque::<Duration>::new());
    server(move |_, now| {
        let mut log = log.lock().unwrap();
        let is_past = |at: &Duration| {
            if sliding { *at + Duration::from_secs(1) <= now } else { at.as_secs() < now.as_secs() }
        };
        log.retain(|at| !is_past(at));
        if log.len() >= 5 {
            return Err(busy(wait));
        }
        log.push_back(now);
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn all_requests_wait_out_a_rate_limit_and_no_case_is_lost() {
    for sliding in [true, false] {
        for wait in [Some(1.0), Some(0.2), Some(0.0), None] {
            for at_once in [1, 4, 16, 50] {
                let found = run(&five_a_second(sliding, wait), 60, at_once, PATIENT).await;
                assert_eq!(found.errors(), Vec::<String>::new(), "{sliding} {wait:?} {at_once}");
                let took = found.took.as_millis();
                assert!(took <= 15_600, "{sliding} {wait:?} {at_once}: {took}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_without_limits_is_asked_as_before() {
    let found = run(&server(|_, _| Ok(())), 1_600, 16, PATIENT).await;
    assert_eq!((found.errors().len(), found.calls), (0, 1_600));
    assert_eq!(found.took, Duration::from_secs(2), "a hundred rounds of 20 ms");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_refuses_is_not_asked_after_the_retry_limit() {
    let table = [
        (Some(1.0), PATIENT, 300, 2_000),
        (None, PATIENT, 300, 300),
        (None, Duration::from_secs(3), 3, 60),
        (Some(3600.0), PATIENT, 1, 16),
        (Some(1e15), PATIENT, 1, 16),
        (Some(1.0), Duration::ZERO, 1, 16),
    ];
    for (wait, patience, seconds, calls) in table {
        let found = run(&server(move |_, _| Err(busy(wait))), 5_000, 16, patience).await;
        assert_eq!(found.errors().len(), 5_000);
        assert!(found.not_asked() >= 4_900, "{wait:?}: {}", found.not_asked());
        assert!(found.calls <= calls, "{wait:?}: {} calls", found.calls);
        assert!(found.took <= Duration::from_secs(seconds), "{wait:?}: {:?}", found.took);
        let mut kinds = found.results.iter().map(|one| one.as_ref().unwrap_err().fault().kind);
        assert!(kinds.all(|kind| kind == FaultKind::RateLimited));
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_that_is_always_refused_fails_alone() {
    let server = server(|text, _| if text == "case 3" { Err(busy(None)) } else { Ok(()) });
    let found = run(&server, 200, 4, PATIENT).await;
    let errors = found.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("test answered 429: slow down (after "), "{errors:?}");
    assert!(found.calls < 240, "{}", found.calls);
}

/// Errors while an application behind a proxy, or its machine, is down.
fn away() -> Vec<ProviderError> {
    let host = || "test".to_owned();
    let hung_up = ["connection reset", "connection closed before message completed"];
    let hung_up = hung_up.map(|reason| ProviderError::Broken {
        host: host(),
        reason: reason.to_owned(),
        answered: false,
    });
    let proxy = [502, 503, 504, 521].map(|code| status(code, "no upstream", None));
    std::iter::once(gone()).chain(hung_up).chain(proxy).collect()
}

#[tokio::test(start_paused = true)]
async fn an_application_that_restarts_loses_no_case() {
    for error in away() {
        for at_once in [1, 2, 3, 4, 16] {
            for down in [500, 2_000, 2_900].map(Duration::from_millis) {
                // Requests in flight may still be answered.
                for drained in [Duration::ZERO, Duration::from_millis(900)] {
                    let from = Duration::from_millis(100);
                    let error = error.clone();
                    let server =
                        server(
                            move |_, now| {
                                if now >= from && now < from + down { Err(error.clone()) } else { Ok(()) }
                            },
                        );
                    let server = server.slow_before(from, drained);
                    let found = run(&server, 60, at_once, PATIENT).await;
                    assert_eq!(found.errors(), Vec::<String>::new(), "{at_once} {down:?} {drained:?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_errors_of_a_gateway_end_the_run() {
    for error in away() {
        for at_once in [1, 2, 4, 16] {
            let met = error.clone();
            let found = run(&server(move |_, _| Err(met.clone())), 5_000, at_once, PATIENT).await;
            assert_eq!(found.errors().len(), 5_000);
            assert!(found.not_asked() >= 4_900, "{at_once}: {}", found.not_asked());
            assert!(found.calls <= at_once + 20, "{at_once}: {} calls", found.calls);
            assert!(found.took < Duration::from_secs(10), "{at_once}: {:?}", found.took);
        }
    }
    // As long as the server asks, at most a minute.
    let asks = |seconds| status(503, "back soon", Some(Duration::from_secs(seconds)));
    for (seconds, least, most) in [(10, 20, 25), (3_600, 120, 125)] {
        let found = run(&server(move |_, _| Err(asks(seconds))), 5_000, 16, PATIENT).await;
        let took = found.took.as_secs();
        assert!(found.not_asked() >= 4_900 && (least..=most).contains(&took), "{seconds}: {:?}", found.took);
    }
    let back = server(move |_, now| if now.as_secs() < 9 { Err(asks(10)) } else { Ok(()) });
    let found = run(&back, 60, 16, PATIENT).await;
    assert_eq!(found.errors(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_always_fails_at_a_gateway_fails_alone() {
    for error in away().into_iter().skip(1).chain([status(500, "no", None)]) {
        // Alone, and up to four in a row.
        for culprits in [&["case 3"][..], &["case 3", "case 4"], &["case 0", "case 1", "case 2", "case 3"]] {
            for at_once in [1, 2, 4, 16] {
                let met = error.clone();
                let server =
                    server(move |text, _| if culprits.contains(&text) { Err(met.clone()) } else { Ok(()) });
                let found = run(&server, 60, at_once, PATIENT).await;
                assert_eq!(found.errors().len(), culprits.len(), "{at_once}: {:?}", found.errors());
                assert_eq!(found.not_asked(), 0, "{at_once}");
                assert!(found.calls <= 60 + 6 * culprits.len(), "{at_once}: {} calls", found.calls);
                assert!(found.took < Duration::from_secs(20), "{at_once}: {:?}", found.took);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_is_always_refused_does_not_close_its_address() {
    for wait in [None, Some(1.0), Some(60.0), Some(3_600.0)] {
        let server = server(move |text, _| if text.starts_with("judge") { Err(busy(wait)) } else { Ok(()) });
        let road = Road::new(4, None);
        let [target, judge] = [client(&server, &road), client(&server, &road)].map(Arc::new);
        let mut all = tokio::task::JoinSet::new();
        for n in 0..40 {
            let (target, judge) = (Arc::clone(&target), Arc::clone(&judge));
            all.spawn(async move {
                let answered = ask(&target, &format!("target {n}"), PATIENT).await.is_ok();
                let judged = ask(&judge, &format!("judge {n}"), PATIENT).await.is_ok();
                (answered, judged)
            });
        }
        assert_eq!(all.join_all().await, [(true, false); 40], "{wait:?}");
        let took = server.began.elapsed();
        assert!(took < Duration::from_secs(900), "{wait:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_probes_find_out_that_a_server_is_unreachable() {
    let certificate = ProviderError::Certificate { host: "test".to_owned(), reason: "expired".to_owned() };
    for error in [gone(), certificate] {
        for at_once in [1, 4, 16, 50] {
            let met = error.clone();
            let found = run(&server(move |_, _| Err(met.clone())), 5_000, at_once, PATIENT).await;
            assert_eq!(found.errors().len(), 5_000);
            assert!(found.not_asked() >= 4_900, "{at_once}: {}", found.not_asked());
            assert!(found.calls <= at_once + 7, "{at_once}: {} calls", found.calls);
            assert!(found.took < Duration::from_secs(10), "{at_once}: {:?}", found.took);
            let said = found.results.iter().map(|one| one.as_ref().unwrap_err().fault());
            let causes: BTreeSet<_> = said.map(|fault| (fault.kind, fault.cause)).collect();
            assert!(
                causes.len() <= 2 && causes.iter().all(|(kind, _)| *kind == FaultKind::Connect),
                "{causes:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_request_is_tried_and_probed() {
    let found = run(&server(|_, _| Err(gone())), 1, 4, PATIENT).await;
    assert_eq!(found.errors(), ["cannot connect to test: Connection refused (after 5 tries)"]);
}

#[tokio::test(start_paused = true)]
async fn occasional_connection_errors_do_not_end_the_run() {
    let turn = AtomicUsize::new(0);
    let server =
        server(
            move |_, _| {
                if turn.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) { Err(gone()) } else { Ok(()) }
            },
        );
    let found = run(&server, 300, 8, PATIENT).await;
    assert_eq!(found.not_asked(), 0);
    assert!(found.errors().len() < 30, "{}", found.errors().len());
}

#[tokio::test(start_paused = true)]
async fn an_account_error_ends_the_run_at_once() {
    let table = [
        (401, "bad key", None, true),
        (402, "pay", None, true),
        (403, "not yours", None, true),
        (429, "You exceeded your current quota, please check your plan and billing details", None, true),
        (400, "Your credit balance is too low to access the API", None, true),
        (429, "You exceeded your current quota, please check your plan and billing details", Some(1), false),
        (400, "insufficient quota of patience", None, false),
        (404, "billing", None, false),
    ];
    for (code, words, wait, is_of_account) in table {
        let error = status(code, words, wait.map(Duration::from_secs));
        assert_eq!(error.kind() == FaultKind::Unauthorized, is_of_account, "{code} {words}");
        if is_of_account {
            let found = run(&server(move |_, _| Err(error.clone())), 5_000, 16, PATIENT).await;
            assert_eq!((found.errors().len(), found.calls), (5_000, 16), "{code}");
            assert!(found.took < Duration::from_secs(1), "{:?}", found.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_after_answers_is_about_one_request() {
    let server =
        server(|text, _| if text.ends_with('7') { Err(status(403, "blocked", None)) } else { Ok(()) });
    let found = run(&server, 100, 4, PATIENT).await;
    assert_eq!((found.errors().len(), found.not_asked()), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn application_and_judge_share_the_rate_limit_and_take_turns() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let server = server(move |text, now| {
        if now < Duration::from_secs(1) {
            return Err(busy(Some(1.0)));
        }
        log.lock().unwrap().push(text.to_owned());
        Ok(())
    });
    let road = Road::new(2, None);
    let [target, judge] = [client(&server, &road), client(&server, &road)].map(Arc::new);
    let mut all = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (client, who) = if n % 2 == 0 { (&target, "target") } else { (&judge, "judge") };
        let client = Arc::clone(client);
        all.spawn(async move { ask(&client, who, PATIENT).await.unwrap() });
    }
    all.join_all().await;
    assert_eq!(server.calls.load(Ordering::SeqCst), 22, "only the two requests in flight may be refused");
    let asked = asked.lock().unwrap();
    let first = asked[..10].iter().filter(|who| *who == "judge").count();
    assert!((3..=7).contains(&first), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_waiting_for_a_rate_limit_or_probe_can_be_interrupted() {
    for error in [busy(Some(200.0)), gone()] {
        let server = server(move |_, _| Err(error.clone()));
        let road = Road::new(4, None);
        let client = client(&server, &road);
        let asks = async {
            for n in 0.. {
                let _ = ask(&client, &n.to_string(), PATIENT).await;
            }
        };
        tokio::select! {
            biased;
            () = asks => {}
            () = async {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                assert_eq!(road.in_flight(), 0);
                road.close(Ended::Interrupted);
                road.over().await;
            } => {}
        }
        assert!(server.began.elapsed() < Duration::from_millis(1_600));
    }
}

#[tokio::test(start_paused = true)]
async fn pipelines_refused_together_retry_at_different_times_and_not_too_early() {
    let mut back = BTreeSet::new();
    for seed in 0..20 {
        let server =
            server(|_, now| if now < Duration::from_secs(10) { Err(busy(Some(10.0))) } else { Ok(()) });
        let request = ChatRequest {
            messages: vec![Message::new(Role::User, "hello".to_owned())],
            ..ChatRequest::default()
        };
        let ask = asking(&request, Patience { jitter: seed % 10, ..Patience::default() });
        client(&server, &Road::default()).ask(&ask).await.unwrap();
        let again = server.log()[1].1;
        assert!((10.0..=11.1).contains(&again), "{again}");
        back.insert(format!("{again:.3}"));
    }
    assert_eq!(back.len(), 10, "equal seeds wait equally long, different seeds do not: {back:?}");
}

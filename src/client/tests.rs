use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::provider::{ChatRequest, Message, Pending, ProviderError, Role};
use crate::seed::Root;
use crate::vocabulary::{ExchangeKind, FaultKind};

/// Answers from a list, one entry per request.
#[derive(Debug)]
struct Scripted {
    endpoint: Endpoint,
    calls: AtomicUsize,
    script: Vec<Result<&'static str, ProviderError>>,
}

impl Provider for Scripted {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn chat<'a>(&'a self, _: &'a ChatRequest) -> Pending<'a> {
        Box::pin(async move {
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            match self.script.get(call) {
                Some(Ok("hang")) => std::future::pending().await,
                Some(Ok(text)) => Ok(Completion { answer: said(text), ..Completion::default() }),
                Some(Err(error)) => Err(error.clone()),
                None => panic!("one request too many"),
            }
        })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        panic!("no embedding is requested here")
    }
}

fn said(text: &str) -> Answer {
    Answer { text: text.to_owned(), ..Answer::default() }
}

fn client(
    folder: &std::path::Path,
    mode: Mode,
    script: Vec<Result<&'static str, ProviderError>>,
) -> ModelClient {
    let endpoint = Endpoint::at_host("openai", "test");
    let provider = Scripted { endpoint, calls: AtomicUsize::new(0), script };
    ModelClient::new(Arc::new(provider), Cache::at(folder), mode)
}

fn request(text: &str) -> ChatRequest {
    ChatRequest {
        model: "m".to_owned(),
        messages: vec![Message::new(Role::User, text.to_owned())],
        ..ChatRequest::default()
    }
}

fn status(status: u16, retry_after: Option<Duration>) -> ProviderError {
    ProviderError::of_status("test", status, "no".to_owned(), Box::default(), retry_after)
}

/// A question about nothing.
pub(super) fn asking(request: &ChatRequest, patience: Patience) -> Ask<'_> {
    static NOTHING: Json = Json::Null;
    Ask {
        request,
        kind: ExchangeKind::Reply,
        content: &NOTHING,
        root: Root(0),
        purpose: "a question",
        patience,
        seal: None,
        version: None,
        usable: Usable(&|_| true),
        afresh: false,
        watch: None,
        pause: Duration::ZERO,
        hold: None,
    }
}

async fn ask(client: &ModelClient, text: &str) -> Result<Exchange, ClientError> {
    let request = request(text);
    let content = json!({ "messages": request.messages, "trial": 0 });
    let patience = Patience { timeout: Duration::from_millis(400), ..Patience::default() };
    let usable = Usable(&|said| said.answer.text != "unusable");
    let purpose = "the reply to s/c";
    client.ask(&Ask { content: &content, purpose, usable, ..asking(&request, patience) }).await
}

#[tokio::test(start_paused = true)]
async fn transient_errors_are_retried_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let wait = Some(Duration::from_millis(700));
    let ok = client(folder.path(), Mode::Off, vec![Err(status(429, wait)), Err(status(503, None)), Ok("hi")]);
    let began = tokio::time::Instant::now();
    assert_eq!(ask(&ok, "a").await.unwrap().completion.answer.text, "hi");
    assert!(began.elapsed() >= Duration::from_millis(700), "it must wait as long as the server asks");
    for error in [status(401, None), status(400, None)] {
        let refused = client(folder.path(), Mode::Off, vec![Err(error)]);
        assert!(matches!(ask(&refused, "a").await, Err(ClientError::Provider { tries: 1, .. })));
    }
    let down = client(folder.path(), Mode::Off, vec![Err(status(500, None)); 3]);
    let error = ask(&down, "a").await.unwrap_err();
    assert_eq!(error.to_string(), "test answered 500: no (after 3 tries)");
    assert_eq!(error.fault().kind, FaultKind::ProviderDown);
}

#[tokio::test]
async fn a_hang_ends_at_the_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(folder.path(), Mode::Off, vec![Ok("hang"), Ok("late, but there")]);
    assert_eq!(ask(&client, "a").await.unwrap().completion.answer.text, "late, but there");
}

#[tokio::test]
async fn each_mode_reads_and_writes_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let replay = client(folder.path(), Mode::Replay, vec![]);
    let miss = ask(&replay, "a").await.unwrap_err();
    assert!(miss.to_string().contains("the reply to s/c"), "{miss}");
    assert_eq!(miss.fault().kind, FaultKind::CacheMiss);

    let off = client(folder.path(), Mode::Off, vec![Ok("unseen")]);
    ask(&off, "a").await.unwrap();
    assert!(ask(&replay, "a").await.is_err(), "`off` must not write anything");

    let record = client(folder.path(), Mode::Record, vec![Ok("one"), Ok("two")]);
    assert!(!ask(&record, "a").await.unwrap().completion.answer.recorded);
    assert_eq!(
        ask(&record, "a").await.unwrap().completion.answer.text,
        "two",
        "`record` must ask every time"
    );

    let replayed = ask(&replay, "a").await.unwrap();
    assert_eq!(
        (replayed.completion.answer.text.as_str(), replayed.completion.answer.recorded),
        ("two", true)
    );
    assert!(!replay.asked() && record.asked());
    assert!(ask(&replay, "b").await.is_err(), "another request must have another key");

    let auto = client(folder.path(), Mode::Auto, vec![Ok("three")]);
    assert_eq!(ask(&auto, "a").await.unwrap().completion.answer.text, "two");
    assert_eq!(ask(&auto, "b").await.unwrap().completion.answer.text, "three");
}

#[tokio::test]
async fn a_failed_recording_is_a_warning_and_keeps_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let client = client(&blocked, Mode::Record, vec![Ok("hi")]);
    assert_eq!(ask(&client, "a").await.unwrap().completion.answer.text, "hi");
    assert!(client.warnings()[0].contains("cannot record answers"), "{:?}", client.warnings());
}

/// Answers after a delay and counts concurrent requests; optionally refuses the first six.
#[derive(Debug)]
struct Busy {
    endpoint: Endpoint,
    calls: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<Vec<String>>,
    refuses: bool,
}

impl Busy {
    fn new(refuses: bool) -> Arc<Self> {
        let [calls, now, most] = [0, 0, 0].map(AtomicUsize::new);
        Arc::new(Self {
            endpoint: Endpoint::at_host("openai", "test"),
            calls,
            now,
            most,
            asked: Mutex::default(),
            refuses,
        })
    }
}

impl Provider for Busy {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(async move {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            self.asked.lock().unwrap().push(request.messages[0].content.clone());
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            if self.refuses && call < 6 {
                return Err(status(429, Some(Duration::from_secs(1))));
            }
            let usage = Some(Usage { input_tokens: 1, output_tokens: 1_000_000, ..Usage::default() });
            Ok(Completion { answer: Answer { usage, ..said("hi") }, ..Completion::default() })
        })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        unreachable!("no embedding is requested here")
    }
}

fn client_on(provider: &Arc<Busy>, road: &Road) -> ModelClient {
    let price = Price { output: 1.0, longest: Some(1_000_000), ..Price::default() };
    let prices = Prices([("m".to_owned(), price)].into());
    let provider: Arc<dyn Provider> = Arc::<Busy>::clone(provider);
    ModelClient::new(provider, Cache::at("nowhere"), Mode::Off).on(road).priced(prices)
}

#[tokio::test(start_paused = true)]
async fn two_clients_of_one_server_share_its_permits_and_hold_none_while_waiting() {
    let (busy, road) = (Busy::new(true), Road::new(3, None));
    let (target, judge) = (client_on(&busy, &road), client_on(&busy, &road));
    let texts: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let clients = [&target, &judge].into_iter().cycle();
    let asks = texts.iter().zip(clients).map(|(text, client)| ask(client, text));
    let all = futures_all(asks).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(busy.most.load(Ordering::SeqCst), 3);
    // A request that waits before a retry lets all others go first.
    let asked = busy.asked.lock().unwrap();
    assert_eq!((asked.len(), asked[..12].iter().collect::<BTreeSet<_>>().len()), (18, 12), "{asked:?}");
    assert_eq!(road.in_flight(), 0);
}

#[tokio::test]
async fn a_closed_road_awaits_answers_in_flight_and_sends_nothing_more() {
    let (busy, road) = (Busy::new(true), Road::new(2, None));
    let client = client_on(&busy, &road);
    let asks = futures_all((0..6).map(|_| ask(&client, "a")));
    let closing = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        road.close(crate::manifest::Ended::Interrupted);
        road.close(crate::manifest::Ended::Budget);
        assert_eq!(road.in_flight(), 2);
        road.over().await;
    };
    tokio::select! {
        biased;
        () = closing => {}
        _ = asks => panic!("four requests must not be sent"),
    }
    assert_eq!((busy.calls.load(Ordering::SeqCst), road.in_flight()), (2, 0));
    assert_eq!(road.closed(), Some(crate::manifest::Ended::Interrupted));
}

#[tokio::test]
async fn a_cut_road_awaits_nothing() {
    let (busy, road) = (Busy::new(false), Road::new(2, None));
    let client = client_on(&busy, &road);
    tokio::select! {
        biased;
        () = async {
            tokio::task::yield_now().await;
            road.cut(crate::manifest::Ended::Deadline);
            road.over().await;
        } => {}
        _ = ask(&client, "a") => panic!("it must take longer"),
    }
}

#[tokio::test]
async fn a_spent_budget_closes_the_road() {
    let (busy, road) = (Busy::new(false), Road::new(1, Some(2.5)));
    let client = client_on(&busy, &road);
    let asks = futures_all((0..6).map(|_| ask(&client, "a")));
    tokio::select! {
        biased;
        _ = asks => panic!("the budget is enough for only two"),
        () = road.over() => {}
    }
    assert_eq!(
        busy.calls.load(Ordering::SeqCst),
        2,
        "half a dollar is left, and the third request may cost a dollar"
    );
    assert_eq!(road.closed(), Some(crate::manifest::Ended::Budget));
}

/// All results; all requests start at once.
async fn futures_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, found) in waiting.iter_mut().filter(|(_, found)| found.is_none()) {
            if let std::task::Poll::Ready(result) = future.as_mut().poll(context) {
                *found = Some(result);
            }
        }
        let is_done = waiting.iter().all(|(_, found)| found.is_some());
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, found)| found).collect()
}

//! Budgets are never overshot, whatever servers do with what they are sent.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rand_core::Rng as _;
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::manifest::Ended;
use crate::provider::{Message, ProviderError, Role};
use crate::seed::Root;
use crate::vocabulary::ExchangeKind;

const PRICE: Price = Price {
    input: 3.0,
    cached: Some(0.3),
    cache_write: Some(3.75),
    output: 15.0,
    longest: Some(4_000),
    holds_to: None,
};

/// A server that does what it likes, and writes a bill.
#[derive(Debug)]
struct Moody {
    endpoint: Endpoint,
    random: Mutex<Pcg64Mcg>,
    bill: Mutex<f64>,
    calls: AtomicUsize,
    /// In how many of a hundred answers it does not say what they took.
    silent: u32,
    /// How many of a hundred requests fail, in one way or another.
    fails: u32,
}

impl Moody {
    fn below(&self, most: u64) -> u64 {
        self.random.lock().unwrap().next_u64() % (most + 1)
    }

    fn chance(&self, of_hundred: u32) -> bool {
        self.below(99) < of_hundred.into()
    }

    /// What an answer takes: at most what was sent, and what may come back, thoughts among it.
    fn usage(&self, request: &ChatRequest) -> Usage {
        let input_tokens = self.below(request.bytes());
        let cached = self.below(input_tokens);
        let longest = request.max_tokens.or(PRICE.longest).unwrap();
        // As long as it may be is what a reasoning model likes.
        let output_tokens = if self.chance(30) { longest } else { self.below(longest) };
        let written = self.below(input_tokens - cached);
        let [cached_tokens, cache_write_tokens] =
            [cached, written].map(|count| u32::try_from(count).unwrap());
        Usage { input_tokens, cached_tokens, cache_write_tokens, output_tokens }
    }

    fn charge(&self, usage: Usage) {
        *self.bill.lock().unwrap() += PRICE.cost(usage).unwrap();
    }
}

impl Provider for Moody {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let usage = self.usage(request);
            tokio::time::sleep(Duration::from_millis(1 + self.below(40))).await;
            if self.chance(self.fails) {
                let status =
                    |code| ProviderError::of_status("test", code, String::new(), Box::default(), None);
                match self.below(5) {
                    0 => return Err(status(429)),
                    1 => return Err(status(503)),
                    2 => return Err(ProviderError::Connect { host: "test".into(), reason: "gone".into() }),
                    // These are paid for, whoever gets them.
                    3 => {
                        self.charge(usage);
                        return Err(ProviderError::Broken {
                            host: "test".into(),
                            reason: "gone".into(),
                            answered: false,
                        });
                    }
                    4 => {
                        self.charge(usage);
                        return Err(status(200));
                    }
                    _ => {
                        self.charge(usage);
                        tokio::time::sleep(Duration::from_secs(9)).await;
                    }
                }
            }
            self.charge(usage);
            let usage = Some(usage).filter(|_| !self.chance(self.silent));
            Ok(Completion { answer: Answer { usage, ..Answer::default() }, ..Completion::default() })
        })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        unreachable!("nobody asks for an embedding here")
    }
}

/// Many questions, 64 at once; answers with the bill, how many were answered, and why it ended.
async fn simulated(
    seed: u64,
    budget: f64,
    questions: usize,
    silent: u32,
) -> (Arc<Moody>, usize, Option<Ended>) {
    let random = Mutex::new(Root(seed).stream(&["moody"]));
    let (endpoint, bill, calls) =
        (Endpoint::at_host("openai", "test"), Mutex::default(), AtomicUsize::new(0));
    let fails = u32::try_from(seed % 4).unwrap() * 15;
    let server = Arc::new(Moody { endpoint, random, bill, calls, silent, fails });
    let road = Road::new(64, Some(budget));
    let provider: Arc<dyn Provider> = Arc::<Moody>::clone(&server);
    let client = ModelClient::new(provider, Cache::at("nowhere"), Mode::Off).on(&road);
    let client = Arc::new(client.priced(Prices([("m".to_owned(), PRICE)].into())));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut all = tokio::task::JoinSet::new();
    for question in 0..questions {
        let (client, answered) = (Arc::clone(&client), Arc::clone(&answered));
        let content = "x".repeat(usize::try_from(server.below(2_000)).unwrap());
        let max_tokens = server.chance(80).then(|| 1 + server.below(2_000));
        all.spawn(async move {
            let request = ChatRequest {
                model: "m".to_owned(),
                messages: vec![Message::new(Role::User, content)],
                max_tokens,
                ..ChatRequest::default()
            };
            let ask = Ask {
                request: &request,
                kind: ExchangeKind::Reply,
                content: &json!({}),
                root: Root(0),
                purpose: &format!("question {question}"),
                patience: Patience { timeout: Duration::from_millis(400), ..Patience::default() },
                seal: None,
                version: None,
                usable: Usable(&|_| true),
                afresh: false,
                watch: None,
                pause: std::time::Duration::ZERO,
            };
            let found = client.ask(&ask).await;
            answered.fetch_add(usize::from(found.is_ok()), Ordering::SeqCst);
        });
    }
    tokio::select! {
        () = async { while all.join_next().await.is_some() {} } => {}
        () = road.over() => {}
    }
    // Whatever was under way has arrived.
    assert_eq!(road.under_way(), 0, "{seed}");
    (server, answered.load(Ordering::SeqCst), road.closed())
}

#[tokio::test(start_paused = true)]
async fn no_budget_is_overshot_whatever_a_server_does() {
    let (mut spent, mut budgets, mut ended) = (0.0, 0.0, 0);
    for seed in 0..150 {
        let mut random = Root(seed).stream(&["budget"]);
        let budget = 0.05 + f64::from(random.next_u32() % 1_000) / 2_000.0;
        let silent = if seed % 5 == 0 { 10 } else { 0 };
        let (server, _, closed) = simulated(seed, budget, 80, silent).await;
        let bill = *server.bill.lock().unwrap();
        assert!(bill <= budget + 1e-9, "seed {seed}: {bill} of {budget}");
        if closed == Some(Ended::Budget) {
            (spent, budgets, ended) = (spent + bill, budgets + budget, ended + 1);
        }
    }
    // It holds because money is counted, not because none is spent.
    assert!(ended >= 50, "{ended}");
    assert!(spent / budgets > 0.3, "{spent} of {budgets}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_of_tokens_is_not_asked_within_a_budget() {
    let (server, answered, closed) = simulated(4, 1_000.0, 500, 100).await;
    assert_eq!((answered, closed), (0, None));
    let calls = server.calls.load(Ordering::SeqCst);
    assert!(calls <= 64, "those under way when the first answer came: {calls}");
}

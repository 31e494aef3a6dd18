//! Budgets are never exceeded, whatever servers do.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rand_core::Rng as _;
use rand_pcg::Pcg64Mcg;

use super::tests::asking;
use super::*;
use crate::manifest::Ended;
use crate::provider::{Message, ProviderError, Role};
use crate::seed::Root;

const PRICE: Price = Price {
    input: 3.0,
    cached: Some(0.3),
    cache_write: Some(3.75),
    output: 15.0,
    longest: Some(4_000),
    holds_to: None,
};

/// A server that behaves randomly and keeps a bill.
#[derive(Debug)]
struct Moody {
    endpoint: Endpoint,
    random: Mutex<Pcg64Mcg>,
    bill: Mutex<f64>,
    calls: AtomicUsize,
    /// Percent of answers without usage.
    silent: u32,
    /// Percent of requests that fail.
    fails: u32,
}

impl Moody {
    fn below(&self, most: u64) -> u64 {
        self.random.lock().unwrap().next_u64() % (most + 1)
    }

    fn chance(&self, of_hundred: u32) -> bool {
        self.below(99) < of_hundred.into()
    }

    /// Usage of an answer: at most a token per byte sent, plus the output limit, reasoning included.
    fn usage(&self, request: &ChatRequest) -> Usage {
        let input_tokens = self.below(request.bytes());
        let cached = self.below(input_tokens);
        let longest = request.max_tokens.or(PRICE.longest).unwrap();
        // Reasoning models often use the whole limit.
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
                    // These are charged even if they never arrive.
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
        unreachable!("no embedding is requested here")
    }
}

/// Sends many requests, 64 at once; returns the bill, how many were answered, and why it ended.
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
            let patience = Patience { timeout: Duration::from_millis(400), ..Patience::default() };
            let purpose = format!("question {question}");
            let ask = Ask { purpose: &purpose, ..asking(&request, patience) };
            let found = client.ask(&ask).await;
            answered.fetch_add(usize::from(found.is_ok()), Ordering::SeqCst);
        });
    }
    tokio::select! {
        () = async { while all.join_next().await.is_some() {} } => {}
        () = road.over() => {}
    }
    // Everything in flight has arrived.
    assert_eq!(road.in_flight(), 0, "{seed}");
    (server, answered.load(Ordering::SeqCst), road.closed())
}

#[tokio::test(start_paused = true)]
async fn no_budget_is_exceeded_whatever_the_server_does() {
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
    // The budget is kept because costs are counted, not because nothing is spent.
    assert!(ended >= 50, "{ended}");
    assert!(spent / budgets > 0.3, "{spent} of {budgets}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_usage_is_not_asked_within_a_budget() {
    let (server, answered, closed) = simulated(4, 1_000.0, 500, 100).await;
    assert_eq!((answered, closed), (0, None));
    let calls = server.calls.load(Ordering::SeqCst);
    assert!(calls <= 64, "only requests in flight at the first answer: {calls}");
}

/// The result of each conversation, by its number.
type Counts = BTreeMap<usize, (usize, usize, bool)>;

/// Runs conversations and single requests at once; returns the bill, how many requests of each conversation were
/// answered, of how many, and why it ended.
async fn conversing(seed: u64, budget: f64, holds: bool) -> (f64, Vec<(usize, usize, bool)>, Option<Ended>) {
    let mut random = Root(seed).stream(&["conversing"]);
    let mut below = |most: u32| random.next_u32() % (most + 1);
    let moods = Mutex::new(Root(seed).stream(&["moody"]));
    let (endpoint, bill, calls) =
        (Endpoint::at_host("openai", "test"), Mutex::default(), AtomicUsize::new(0));
    // Every fourth one loses requests, which are charged at the maximum.
    let fails = if seed % 4 == 3 { 15 } else { 0 };
    let server = Arc::new(Moody { endpoint, random: moods, bill, calls, silent: 0, fails });
    // Fewer seats than conversations: do not wait for one that has no seat yet.
    let road = Road::new(1 + below(7) as usize, Some(budget));
    let provider: Arc<dyn Provider> = Arc::<Moody>::clone(&server);
    let client = ModelClient::new(provider, Cache::at("nowhere"), Mode::Off).on(&road);
    let client = Arc::new(client.priced(Prices([("m".to_owned(), PRICE)].into())));
    let counts: Arc<Mutex<Counts>> = Arc::default();
    let mut all = tokio::task::JoinSet::new();
    for number in 0..24 {
        let (client, counts) = (Arc::clone(&client), Arc::clone(&counts));
        // One in three is a single request.
        let turns = if number % 3 == 0 { 1 } else { 2 + below(4) as usize };
        let (words, length) = (below(400) as usize, u64::from(1 + below(600)));
        let answer_lengths: Vec<usize> =
            (0..turns).map(|_| below(4 * u32::try_from(length).unwrap()) as usize).collect();
        all.spawn(async move {
            let hold = client.hold();
            let mut request =
                ChatRequest { model: "m".to_owned(), max_tokens: Some(length), ..ChatRequest::default() };
            let mut note = (0, turns, false);
            for (turn, answer_length) in answer_lengths.iter().enumerate() {
                request.messages.push(Message::new(Role::User, "x".repeat(words)));
                let left = (turns - turn) as u64;
                hold.needs(client.worst_in_a_row(&request, left, words as u64 + 128).unwrap());
                let patience = Patience { timeout: Duration::from_millis(400), ..Patience::default() };
                let purpose = format!("turn {turn} of {number}");
                let hold = (holds && turns > 1).then_some(&hold);
                let ask = Ask { purpose: &purpose, hold, ..asking(&request, patience) };
                if client.ask(&ask).await.is_err() {
                    note.2 = true;
                    counts.lock().unwrap().insert(number, note);
                    return;
                }
                note.0 += 1;
                counts.lock().unwrap().insert(number, note);
                request.messages.push(Message::new(Role::Assistant, "y".repeat(*answer_length)));
            }
        });
    }
    let everything = async {
        tokio::select! {
            () = async { while all.join_next().await.is_some() {} } => {}
            () = road.over() => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(86_400), everything).await.expect("nothing may wait forever");
    let bill = *server.bill.lock().unwrap();
    let counts = counts.lock().unwrap().values().copied().collect();
    (bill, counts, road.closed())
}

#[tokio::test(start_paused = true)]
async fn the_budget_never_ends_a_conversation_that_has_started() {
    let (mut ended, mut whole, mut spent, mut budgets) = (0, 0, 0.0, 0.0);
    for seed in 0..200 {
        let mut random = Root(seed).stream(&["budget"]);
        let budget = 0.05 + f64::from(random.next_u32() % 1_000) / 2_000.0;
        let (bill, counts, closed) = conversing(seed, budget, true).await;
        assert!(bill <= budget + 1e-9, "seed {seed}: {bill} of {budget}");
        if seed % 4 != 3 {
            for (answered, turns, is_errored) in &counts {
                assert!(answered == turns || *is_errored, "seed {seed}: {answered} of {turns}");
            }
        }
        whole += counts.iter().filter(|(answered, turns, _)| *turns > 1 && answered == turns).count();
        if closed == Some(Ended::Budget) {
            (ended, spent, budgets) = (ended + 1, spent + bill, budgets + budget);
        }
    }
    let (_, counts, _) = conversing(0, 0.1, false).await;
    let is_cut = |(answered, turns, is_errored): &(usize, usize, bool)| answered < turns && !is_errored;
    assert!(counts.iter().any(is_cut), "without a hold, conversations break off");
    // That is because budget is reserved, not because no conversation starts or none is left out.
    assert!(ended >= 50 && whole >= 1_000, "{ended} {whole}");
    assert!(spent / budgets > 0.2, "{spent} of {budgets}");
}

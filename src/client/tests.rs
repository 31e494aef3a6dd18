use std::sync::atomic::AtomicUsize;

use super::*;
use crate::provider::{Message, Pending, Role};
use crate::vocabulary::{ExchangeKind, FaultKind};

/// Answers from a list, one entry a call.
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
                Some(Ok(text)) => Ok(Completion { text: (*text).to_owned(), ..Completion::default() }),
                Some(Err(error)) => Err(error.clone()),
                None => panic!("asked once more than expected"),
            }
        })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        panic!("nobody asks for an embedding here")
    }
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
        messages: vec![Message { role: Role::User, content: text.to_owned() }],
        ..ChatRequest::default()
    }
}

fn status(status: u16, retry_after: Option<Duration>) -> ProviderError {
    ProviderError::Status { host: "test".to_owned(), status, body: "no".to_owned(), retry_after }
}

async fn ask(client: &ModelClient, text: &str) -> Result<Exchange, ClientError> {
    let request = request(text);
    let content = json!({ "messages": request.messages, "trial": 0 });
    let ask = Ask {
        request: &request,
        kind: ExchangeKind::Reply,
        content: &content,
        root: Root(0),
        purpose: "the reply to s/c",
        patience: Patience { timeout: Duration::from_millis(400), ..Patience::default() },
        seal: None,
        version: None,
        usable: Usable(&|said| said.text != "unusable"),
    };
    client.ask(&ask).await
}

#[tokio::test]
async fn transient_errors_are_tried_again_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let wait = Some(Duration::from_millis(700));
    let ok = client(folder.path(), Mode::Off, vec![Err(status(429, wait)), Err(status(503, None)), Ok("hi")]);
    let began = std::time::Instant::now();
    assert_eq!(ask(&ok, "a").await.unwrap().completion.text, "hi");
    assert!(began.elapsed() >= Duration::from_millis(700), "it waits as long as it is asked to");
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
    assert_eq!(ask(&client, "a").await.unwrap().completion.text, "late, but there");
}

#[tokio::test]
async fn modes_read_and_write_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let replay = client(folder.path(), Mode::Replay, vec![]);
    let miss = ask(&replay, "a").await.unwrap_err();
    assert!(miss.to_string().contains("the reply to s/c"), "{miss}");
    assert_eq!(miss.fault().kind, FaultKind::CacheMiss);

    let off = client(folder.path(), Mode::Off, vec![Ok("unseen")]);
    ask(&off, "a").await.unwrap();
    assert!(ask(&replay, "a").await.is_err(), "off writes nothing");

    let record = client(folder.path(), Mode::Record, vec![Ok("one"), Ok("two")]);
    assert!(!ask(&record, "a").await.unwrap().recorded);
    assert_eq!(ask(&record, "a").await.unwrap().completion.text, "two", "record asks every time");

    let replayed = ask(&replay, "a").await.unwrap();
    assert_eq!((replayed.completion.text.as_str(), replayed.recorded), ("two", true));
    assert!(!replay.asked() && record.asked());
    assert!(ask(&replay, "b").await.is_err(), "another request is another key");

    let auto = client(folder.path(), Mode::Auto, vec![Ok("three")]);
    assert_eq!(ask(&auto, "a").await.unwrap().completion.text, "two");
    assert_eq!(ask(&auto, "b").await.unwrap().completion.text, "three");
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_told_and_costs_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let client = client(&blocked, Mode::Record, vec![Ok("hi")]);
    assert_eq!(ask(&client, "a").await.unwrap().completion.text, "hi");
    assert!(client.warnings()[0].contains("could not be recorded"), "{:?}", client.warnings());
}

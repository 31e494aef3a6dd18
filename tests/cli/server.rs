//! A server on 127.0.0.1 that answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::canaries;

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Json,
}

impl Asked {
    /// A header by its lowercase name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the request asks for a verdict.
    pub(crate) fn is_for_judge(&self) -> bool {
        self.body["messages"].to_string().contains("You grade one answer")
    }

    /// The content of the last message.
    pub(crate) fn last_message(&self) -> String {
        let messages = self.body["messages"].as_array().cloned().unwrap_or_default();
        messages.last().and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned()
    }
}

/// The response to a request.
pub(crate) enum Answer {
    /// A chat completion with this text.
    Text(String),
    /// This status, these headers, this body.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes instead of HTTP; then the connection closes.
    Bytes(Vec<u8>),
    /// Nothing until the client closes the connection.
    Hang,
}

/// A running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    closed: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that answers each request with `answer`, except that as a judge it is sound on known answers.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::plain(move |asked| canaries::verdict(asked).map_or_else(|| answer(asked), Answer::Text))
    }

    /// Starts a server that answers every request with `answer`, including those about known answers.
    pub(crate) fn plain(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(AtomicUsize::new(0));
        let (log, gone, answer) = (Arc::clone(&asked), Arc::clone(&closed), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, gone, answer) = (Arc::clone(&log), Arc::clone(&gone), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &log, &gone, &*answer));
            }
        });
        Self { url, asked, closed }
    }

    /// How many unanswered requests the client gave up; waits for the first one.
    pub(crate) fn given_up(&self) -> usize {
        wait_until(|| self.closed.load(Ordering::SeqCst) > 0);
        self.closed.load(Ordering::SeqCst)
    }

    /// Waits until this many requests have arrived.
    pub(crate) fn wait_for(&self, requests: usize) {
        wait_until(|| self.asked.lock().unwrap().len() >= requests);
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches("/v1")
    }

    /// The requests so far, except those to a judge about known answers.
    pub(crate) fn votes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| canaries::canary(asked).is_none()).collect()
    }

    /// Every request so far, in order of arrival.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A chat completion in OpenAI's format.
pub(crate) fn completion(text: &str) -> Json {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub-model",
        "system_fingerprint": "fp_1",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    })
}

/// Polls every few milliseconds, for ten seconds at most.
#[track_caller]
pub(crate) fn wait_until(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "the condition was not met in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Asked>>,
    closed: &AtomicUsize,
    answer: &(impl Fn(&Asked) -> Answer + ?Sized),
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let (status, headers, body) = match answer(&asked) {
            Answer::Text(text) => {
                let mut body = completion(&text);
                // Answers name the model that was asked for, as vendors do.
                let named = asked.body["model"].as_str().unwrap_or_default();
                if ["gpt-", "claude-"].iter().any(|family| named.starts_with(family)) {
                    body["model"] = named.into();
                }
                (200, Vec::new(), body.to_string().into_bytes())
            }
            Answer::Raw(status, headers, body) => (status, headers, body),
            Answer::Bytes(bytes) => {
                let _ = writer.write_all(&bytes);
                return;
            }
            Answer::Hang => {
                // A read ends only when the client disconnects.
                let _ = reader.read_to_end(&mut Vec::new());
                closed.fetch_add(1, Ordering::SeqCst);
                return;
            }
        };
        let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.extend([name, ": ", &value, "\r\n"]);
        }
        head.push_str("\r\n");
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body)).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        let (name, value) = (name.to_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body: serde_json::from_slice(&body).unwrap_or(Json::Null) })
}

//! A server on 127.0.0.1 that answers every request with one completion after 20 ms.
//! || Each connection has its own thread: a sleeping thread wakes within a tenth of a millisecond, while timers of an
//! asynchronous runtime have a resolution of a millisecond and would answer one or two milliseconds late.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Time per answer.
const DELAY: Duration = Duration::from_millis(20);

/// The text of each answer.
const TEXT: &str = "Refunds are possible within 30 days. A colleague calls you today.";

/// Starts the server in background threads, which end with the process. Returns its address.
pub(crate) fn start() -> std::io::Result<String> {
    saying(TEXT, DELAY)
}

/// The same server with an immediate answer of about 4 KB.
pub(crate) fn long() -> std::io::Result<String> {
    saying(&[TEXT; 62].join(" "), Duration::ZERO)
}

/// A rate limit: requests per second, with a burst of the same size. Other requests are refused.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) rate: u32,
    pub(crate) saying: Saying,
}

/// How a refusal says when to try again.
#[derive(Clone, Copy)]
pub(crate) enum Saying {
    Milliseconds,
    Seconds,
    Words,
    Nothing,
}

/// Remaining requests, and when they were counted.
type Bucket = Mutex<(f64, Instant)>;

impl Limit {
    /// The response to a request above the limit, if this is one.
    fn refuses(self, bucket: &Bucket) -> Option<String> {
        let rate = f64::from(self.rate);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, counted) = *bucket;
        let left = (left + counted.elapsed().as_secs_f64() * rate).min(rate);
        let is_early = left < 1.0;
        *bucket = (if is_early { left } else { left - 1.0 }, Instant::now());
        let wait = (1.0 - left) / rate;
        is_early.then(|| {
            let (header, words) = match self.saying {
                Saying::Milliseconds => {
                    (format!("retry-after-ms: {:.0}\r\n", (wait * 1e3).ceil()), String::new())
                }
                Saying::Seconds => ("retry-after: 1\r\n".to_owned(), String::new()),
                Saying::Words => (String::new(), format!(" Please try again in {wait:.3}s.")),
                Saying::Nothing => (String::new(), String::new()),
            };
            let body = format!(r#"{{"error":{{"message":"Rate limit reached.{words}"}}}}"#);
            let head = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n";
            format!("{head}{header}content-length: {}\r\n\r\n{body}", body.len())
        })
    }
}

/// A server with a rate limit.
pub(crate) fn limited(limit: Limit, delay: Duration) -> std::io::Result<String> {
    serve(TEXT, delay, Some(limit))
}

fn saying(text: &str, delay: Duration) -> std::io::Result<String> {
    serve(text, delay, None)
}

fn serve(text: &str, delay: Duration, limit: Option<Limit>) -> std::io::Result<String> {
    let body = format!(
        r#"{{"id":"x","object":"chat.completion","created":0,"model":"bench","choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant","content":"{text}"}}}}],"usage":{{"prompt_tokens":40,"completion_tokens":12,"total_tokens":52}}}}"#
    );
    let answer: Arc<str> = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/v1", listener.local_addr()?);
    let bucket = limit.map(|limit| (limit, Arc::new(Mutex::new((f64::from(limit.rate), Instant::now())))));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, bucket) = (Arc::clone(&answer), bucket.clone());
            let refuses = move || bucket.as_ref().and_then(|(limit, bucket)| limit.refuses(bucket));
            // A broken connection is the client's problem.
            thread::spawn(move || connection(stream, &answer, delay, refuses).unwrap_or_default());
        }
    });
    Ok(address)
}

fn connection(
    mut stream: TcpStream,
    answer: &str,
    delay: Duration,
    refuses: impl Fn() -> Option<String>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let end = loop {
            if let Some(end) = whole(&buffer) {
                break end;
            }
            match stream.read(&mut piece)? {
                0 => return Ok(()),
                length => buffer.extend_from_slice(&piece[..length]),
            }
        };
        buffer.drain(..end);
        if let Some(refusal) = refuses() {
            stream.write_all(refusal.as_bytes())?;
            continue;
        }
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        stream.write_all(answer.as_bytes())?;
    }
}

/// Where the first request ends, if it is complete.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
    let length = text.split("content-length:").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
    (buffer.len() >= head + length).then_some(head + length)
}

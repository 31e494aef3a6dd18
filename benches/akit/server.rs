//! A server on 127.0.0.1 that answers every request with one completion after 20 ms.
//!
//! Each connection has a thread: a sleeping thread wakes within a tenth of a millisecond, while timers of
//! an asynchronous runtime count whole milliseconds and would make the answer one or two late.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long an answer takes.
const DELAY: Duration = Duration::from_millis(20);

/// What is answered.
const TEXT: &str = "Refunds are possible within 30 days. A colleague calls you today.";

/// Starts the server in threads of its own; it ends with the process. Answers with its address.
pub(crate) fn start() -> std::io::Result<String> {
    saying(TEXT, DELAY)
}

/// The same with an answer of about 4 KB, at once.
pub(crate) fn long() -> std::io::Result<String> {
    saying(&[TEXT; 62].join(" "), Duration::ZERO)
}

fn saying(text: &str, delay: Duration) -> std::io::Result<String> {
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
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A connection that breaks is the client's affair.
            thread::spawn(move || connection(stream, &answer, delay).unwrap_or_default());
        }
    });
    Ok(address)
}

fn connection(mut stream: TcpStream, answer: &str, delay: Duration) -> std::io::Result<()> {
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
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        stream.write_all(answer.as_bytes())?;
    }
}

/// Where the first request ends, once all of it is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
    let length = text.split("content-length:").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
    (buffer.len() >= head + length).then_some(head + length)
}

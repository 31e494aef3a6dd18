//! A scripted server: it stalls, slows down, stops handing off or fails at known times and loads.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// What the server does.
#[derive(Clone, Copy)]
enum Script {
    /// Answers immediately.
    AtOnce,
    /// Answers after 5 ms.
    Steady,
    /// Answers after 5 ms, except from 4 s to 7 s after the first request, when it answers nothing.
    Stall,
    /// Answers after 20 ms, above 40 concurrent requests proportionally later; above 60 it stops handing off.
    Knees,
    /// Every fiftieth request gets one of five kinds of errors.
    Errors,
}

/// State shared by all connections.
struct Shared {
    script: Script,
    first: OnceLock<Instant>,
    requests: AtomicU64,
    in_flight: AtomicU64,
}

/// Starts a server and returns its address.
pub(crate) fn start(script: &str) -> std::io::Result<String> {
    let script = match script {
        "at-once" => Script::AtOnce,
        "steady" => Script::Steady,
        "stall" => Script::Stall,
        "knees" => Script::Knees,
        _ => Script::Errors,
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/v1", listener.local_addr()?);
    let shared = Arc::new(Shared {
        script,
        first: OnceLock::new(),
        requests: AtomicU64::new(0),
        in_flight: AtomicU64::new(0),
    });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            // A broken connection is the client's problem.
            let _ = thread::Builder::new()
                .stack_size(128 * 1024)
                .spawn(move || shared.connection(stream).unwrap_or_default());
        }
    });
    Ok(address)
}

fn answer(text: &str) -> String {
    let body = format!(
        r#"{{"id":"x","object":"chat.completion","created":0,"model":"bench","choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant","content":"{text}"}}}}],"usage":{{"prompt_tokens":40,"completion_tokens":12,"total_tokens":52}}}}"#
    );
    whole(200, "application/json", &body)
}

fn whole(status: u16, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

impl Shared {
    fn connection(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let usual = answer("Returns are free within 30 days; I will connect you if you like.");
        let forgetful = answer("Returns are free within 30 days.");
        let mut buffer = Vec::with_capacity(4096);
        let mut piece = [0; 4096];
        loop {
            let end = loop {
                if let Some(end) = end(&buffer) {
                    break end;
                }
                match stream.read(&mut piece)? {
                    0 => return Ok(()),
                    length => buffer.extend_from_slice(&piece[..length]),
                }
            };
            buffer.drain(..end);
            let arrived = Instant::now();
            let first = *self.first.get_or_init(|| arrived);
            let number = self.requests.fetch_add(1, Ordering::SeqCst);
            match self.script {
                Script::AtOnce => stream.write_all(usual.as_bytes())?,
                Script::Steady => {
                    thread::sleep(Duration::from_millis(5));
                    stream.write_all(usual.as_bytes())?;
                }
                Script::Stall => {
                    let (from, to) = (first + Duration::from_secs(4), first + Duration::from_secs(7));
                    if (from..to).contains(&arrived) {
                        thread::sleep(to.saturating_duration_since(Instant::now()));
                    }
                    thread::sleep(Duration::from_millis(5));
                    stream.write_all(usual.as_bytes())?;
                }
                Script::Knees => {
                    let at_once = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                    thread::sleep(Duration::from_millis(20 + 2 * at_once.saturating_sub(40)));
                    let said = if at_once > 60 { &forgetful } else { &usual };
                    let sent = stream.write_all(said.as_bytes());
                    self.in_flight.fetch_sub(1, Ordering::SeqCst);
                    sent?;
                }
                Script::Errors => {
                    let error = |status| whole(status, "application/json", r#"{"error":{"message":"no"}}"#);
                    let said = match number % 50 {
                        10 => error(429),
                        20 => error(500),
                        30 => error(400),
                        40 => whole(200, "text/html", "<html>not a completion</html>"),
                        45 => {
                            stream.write_all(&usual.as_bytes()[..usual.len() - 40])?;
                            return Ok(());
                        }
                        _ => usual.clone(),
                    };
                    stream.write_all(said.as_bytes())?;
                }
            }
        }
    }
}

/// Where the first request ends, if it is complete.
fn end(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let name = b"content-length:";
    let at = buffer[..head].windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))?;
    let digits = buffer[at + name.len()..head].iter().skip_while(|byte| **byte == b' ');
    let length = digits
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
    (buffer.len() >= head + length).then_some(head + length)
}

//! Reading a stream of events until its end.

use std::time::{Duration, Instant};

use super::super::stream::{Event, Events, Pace};
use super::pointer::Pointer;
use crate::http::{self, Lost, Received};

/// How to read a stream of events.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(super) event: Option<String>,
    pub(super) answer: Option<Pointer>,
    pub(super) done: String,
}

impl Stream {
    /// Whether an event contains a part of the answer.
    pub(super) fn has_part(&self, event: &Event) -> bool {
        !event.data.is_empty() && self.event.as_ref().is_none_or(|name| event.is(name))
    }
}

/// How long to wait, after the last event, for the server to close the stream.
const REST: Duration = Duration::from_millis(50);

/// Reads a stream up to the event that ends it; the server may keep the connection open after it.
pub(super) async fn listened(
    call: reqwest::RequestBuilder,
    stream: &Stream,
) -> Result<(Received, Pace), Lost> {
    let began = Instant::now();
    let mut incoming = http::open(call).await?;
    let (mut body, mut events, mut pace, mut read) = (Vec::new(), Events::default(), Pace::default(), 0);
    let mut has_ended = false;
    loop {
        let more = incoming.more(&mut body);
        let is_over = if has_ended {
            !matches!(tokio::time::timeout(REST, more).await, Ok(Ok(true)))
        } else {
            !more.await?
        };
        if is_over {
            break;
        }
        // Invalid UTF-8 is reported after all of it is read.
        for event in events.take(&body[read..]).unwrap_or_default() {
            has_ended |= event.is(&stream.done) || (event.data.trim() == "[DONE]" && stream.done == "[DONE]");
            if !has_ended && stream.has_part(&event) {
                pace.part(began.elapsed());
            }
        }
        read = body.len();
    }
    Ok((Received { status: incoming.status, headers: incoming.headers, body }, pace))
}

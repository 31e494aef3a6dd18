//! A parser of server-sent events (HTML, "Server-sent events", 9.2).

use std::string::FromUtf8Error;
use std::time::Duration;

use crate::vocabulary::{Answer, Timings};

/// A complete event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name, or empty.
    pub(super) name: String,
    /// Its data, or empty.
    pub(super) data: String,
}

impl Event {
    /// Whether it has this name; an event without a name is a `message`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name || (self.name.is_empty() && name == "message")
    }
}

/// Text of events that is not parsed yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    event: Event,
    /// Whether the start has been read, where a byte-order mark may be.
    began: bool,
}

/// When the parts of an answer arrived.
#[derive(Debug, Default)]
pub(super) struct Pace {
    first: Option<Duration>,
    last: Duration,
    largest: Duration,
    parts: u32,
}

impl Pace {
    /// Records a part that arrived this long after the request.
    pub(super) fn part(&mut self, at: Duration) {
        if self.first.is_some() {
            self.largest = self.largest.max(at.saturating_sub(self.last));
        }
        self.first = self.first.or(Some(at));
        self.last = at;
        self.parts += 1;
    }

    /// The answer with its times.
    pub(super) fn of(&self, answer: Answer) -> Answer {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let timings = self.first.filter(|_| self.parts > 1).map(|first| {
            let mean = self.last.saturating_sub(first).as_secs_f64() * 1000.0 / f64::from(self.parts - 1);
            Box::new(Timings {
                parts: self.parts,
                largest_gap_ms: ms(self.largest),
                mean_gap_ms: (mean * 10.0).round() / 10.0,
            })
        });
        Answer { ttft_ms: self.first.map(ms), timings, ..answer }
    }
}

/// The events of a whole body.
pub(super) fn events(body: &str) -> Vec<Event> {
    let mut events = Events::default();
    let found = events.take(body.as_bytes());
    // Text is valid UTF-8.
    found.into_iter().chain(events.end()).flatten().collect()
}

impl Events {
    /// Takes bytes and returns the events completed by them.
    ///
    /// # Errors
    /// If a line is not UTF-8.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, FromUtf8Error> {
        self.rest.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(end) = self.rest[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let end = from + end;
            // A `\n` may follow.
            let next = match (self.rest[end], self.rest.get(end + 1)) {
                (b'\r', None) => break,
                (b'\r', Some(b'\n')) => end + 2,
                _ => end + 1,
            };
            let line = String::from_utf8(self.rest[from..end].to_vec())?;
            from = next;
            found.extend(self.line(&line));
        }
        self.rest.drain(..from);
        Ok(found)
    }

    /// The last event, if the server omits the final empty line.
    ///
    /// # Errors
    /// If a line is not UTF-8, or ends within a character.
    pub(super) fn end(&mut self) -> Result<Vec<Event>, FromUtf8Error> {
        self.take(b"\n\n")
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        let line = if self.began { line } else { line.trim_start_matches('\u{feff}') };
        self.began = true;
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Some(event).filter(|event| !event.name.is_empty() || !event.data.is_empty());
        }
        if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut self.event.name);
        }
        let more = line.strip_prefix("data:")?;
        if !self.event.data.is_empty() {
            self.event.data.push('\n');
        }
        self.event.data.push_str(more.strip_prefix(' ').unwrap_or(more));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_they_are_cut_into_bytes() {
        let streams = [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            ("\u{feff}data: a\n\n: ping\n\nevent: x\nid: 1\ndata:b\n\n", vec!["a", "b"]),
            ("data: {\ndata: }\n\n", vec!["{\n}"]),
            ("event: ping\n\ndata\n\ndata:  two\n\n", vec![" two"]),
            ("data: \u{fc}\u{1f600}\n\ndata: last", vec!["\u{fc}\u{1f600}", "last"]),
            ("event: error\ndata: a\n\ndata: b\n\n", vec!["!a", "b"]),
            ("event:error\n\nevent: errors\ndata: b\n\n", vec!["!", "b"]),
            ("", vec![]),
        ];
        for (text, expected) in streams {
            for size in [1, 2, 3, 7, 1000] {
                let mut events = Events::default();
                let mut found = Vec::new();
                for bytes in text.as_bytes().chunks(size) {
                    found.extend(events.take(bytes).unwrap());
                }
                found.extend(events.end().unwrap());
                let found: Vec<String> = found
                    .into_iter()
                    .filter(|event| event.is("error") || !event.data.is_empty())
                    .map(|event| if event.is("error") { format!("!{}", event.data) } else { event.data })
                    .collect();
                assert_eq!(found, expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn invalid_utf_8_is_an_error_anywhere() {
        for raw in
            [&b"data: f\xfcr\n\n"[..], b": \xff\n\n", b"event: \xc0\xaf\n\n", b"data: \xed\xa0\x80\n\n"]
        {
            for size in [1, 3, 1000] {
                let mut events = Events::default();
                assert!(raw.chunks(size).any(|bytes| events.take(bytes).is_err()), "{raw:?}");
            }
        }
        let mut events = Events::default();
        assert_eq!(events.take(b"data: \xf0\x9f").unwrap(), []);
        // It is valid so far, but ends early.
        assert_eq!(events.end().unwrap_err().utf8_error().error_len(), None);
    }
}

//! Server-sent events, as they come in (HTML, "Server-sent events", 9.2).

/// The text of events that is not read yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    data: String,
    /// Whether nothing came yet: a byte order mark may stand there.
    began: bool,
}

impl Events {
    /// Takes bytes, and gives the data of each event that is whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(end) = self.rest[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let end = from + end;
            // Whether a line end has a second half is not known yet.
            let next = match (self.rest[end], self.rest.get(end + 1)) {
                (b'\r', None) => break,
                (b'\r', Some(b'\n')) => end + 2,
                _ => end + 1,
            };
            let line = String::from_utf8_lossy(&self.rest[from..end]).into_owned();
            from = next;
            found.extend(self.line(&line));
        }
        self.rest.drain(..from);
        found
    }

    /// What is left when no more bytes come: some servers leave the last empty line out.
    pub(super) fn end(&mut self) -> Vec<String> {
        self.take(b"\n\n")
    }

    fn line(&mut self, line: &str) -> Option<String> {
        let line = if self.began { line } else { line.trim_start_matches('\u{feff}') };
        self.began = true;
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        // Every event says in its data what it is.
        let more = line.strip_prefix("data:")?;
        if !self.data.is_empty() {
            self.data.push('\n');
        }
        self.data.push_str(more.strip_prefix(' ').unwrap_or(more));
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
            ("", vec![]),
        ];
        for (text, expected) in streams {
            for size in [1, 2, 3, 7, 1000] {
                let mut events = Events::default();
                let mut found: Vec<String> =
                    text.as_bytes().chunks(size).flat_map(|bytes| events.take(bytes)).collect();
                found.extend(events.end());
                assert_eq!(found, expected, "{text:?} in pieces of {size}");
            }
        }
    }
}

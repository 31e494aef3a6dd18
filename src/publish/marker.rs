//! The first line of a comment, by which akit recognizes its own comments.
//!
//! `<!-- akit:v1 key=KEY run=ID.ATTEMPT sha=COMMIT suite=ID/RANK/RUN.ATTEMPT/NAME … -->`.
//! It counts only at the very beginning: text from others comes later, with every `<!--` removed.

use std::fmt::Write as _;

use super::site::RunNumber;

/// Distinguishes several comments on one change: up to 64 letters, digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

/// The text is not a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to 64 letters, digits, `-`, `_` or `.`, without `--`; for example `nightly`")]
pub struct BadKey;

impl Key {
    /// Parses a key.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        // Two hyphens would end an HTML comment early.
        let right = (1..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !text.contains("--");
        if right { Ok(Self(text.to_owned())) } else { Err(BadKey) }
    }
}

impl Default for Key {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// The contents of the first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marker {
    /// The newest run in the comment; an unknown one counts as older than any run.
    pub(super) turn: RunNumber,
    /// The commit that was tested.
    pub(super) commit: Option<String>,
    /// The suites, in the order of their sections.
    pub(super) suites: Vec<Suite>,
}

/// One suite of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    /// 16 hexadecimal digits.
    pub(super) id: String,
    /// The suite's name for people.
    pub(super) name: String,
    /// The run that its section is from.
    pub(super) turn: RunNumber,
    /// 0 for the worst decision.
    pub(super) rank: u8,
}

/// The line.
pub(super) fn line(key: &Key, marker: &Marker) -> String {
    let RunNumber { id, attempt } = marker.turn;
    let mut line =
        format!("{}run={id}.{attempt} sha={}", prefix(key), marker.commit.as_deref().unwrap_or("-"));
    for Suite { id, name, turn, rank } in &marker.suites {
        // Writing to a String cannot fail.
        let _ = write!(line, " suite={id}/{rank}/{}.{}/{}", turn.id, turn.attempt, encoded(name));
    }
    line.push_str(" -->");
    line
}

/// Reads the first line of a comment; `None` if it is not a marker with this key.
pub(super) fn read(body: &str, key: &Key) -> Option<Marker> {
    let rest = body.lines().next()?.strip_prefix(&prefix(key))?.trim_end().strip_suffix("-->")?;
    let mut marker = Marker::default();
    for (name, value) in rest.split(' ').filter_map(|word| word.split_once('=')) {
        match name {
            "run" => marker.turn = turn(value).unwrap_or_default(),
            "sha" if value != "-" => marker.commit = Some(value.to_owned()),
            "suite" => marker.suites.extend(suite(value)),
            // From a newer version.
            _ => {}
        }
    }
    Some(marker)
}

fn turn(text: &str) -> Option<RunNumber> {
    let (id, attempt) = text.split_once('.')?;
    Some(RunNumber { id: id.parse().ok()?, attempt: attempt.parse().ok()? })
}

fn suite(text: &str) -> Option<Suite> {
    let mut parts = text.split('/');
    let (id, rank) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    Some(Suite { id, rank, turn: turn(parts.next()?)?, name: decoded(parts.next()?) })
}

/// A name encoded as letters, digits, `.`, `_` and `%`, so that nothing in it ends a word or an HTML comment.
fn encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'.' | b'_' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn prefix(key: &Key) -> String {
    format!("<!-- akit:v1 key={} ", key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_again_and_no_other() {
        let (key, turn) = (Key::parse("a.b").unwrap(), RunNumber { id: 12, attempt: 3 });
        let suite = Suite { id: "0f".to_owned(), name: "evals/a --> b".to_owned(), turn, rank: 1 };
        let marker = Marker { turn, commit: Some("abc".to_owned()), suites: vec![suite] };
        let line = line(&key, &marker);
        assert_eq!(
            line,
            "<!-- akit:v1 key=a.b run=12.3 sha=abc suite=0f/1/12.3/evals%2Fa%20%2D%2D%3E%20b -->"
        );
        assert_eq!(read(&format!("{line}\r\n### akit"), &key), Some(marker));
        assert_eq!(read(&format!("{line}\n### akit"), &Key::default()), None);
        let turn_of = |body: &str| read(body, &key).map(|marker| marker.turn);
        assert_eq!(turn_of("<!-- akit:v1 key=a.b -->"), Some(RunNumber::default()));
        assert_eq!(turn_of("<!-- akit:v1 key=a.b run=x.y -->"), Some(RunNumber::default()));
        assert_eq!(turn_of("<!-- akit:v1 key=a.b run=12.3 sha=- -->"), Some(turn));
        for foreign in
            ["", " <!-- akit:v1 key=a.b -->", "> <!-- akit:v1 key=a.b -->", "x\n<!-- akit:v1 key=a.b -->"]
        {
            assert_eq!(turn_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_key_cannot_end_the_marker() {
        assert!(Key::parse("Nightly_1.x-y").is_ok());
        for bad in ["", "a b", "a-->", "a--b", "ü", &"x".repeat(65)] {
            assert_eq!(Key::parse(bad), Err(BadKey), "{bad}");
        }
    }
}

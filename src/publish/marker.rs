//! The first line of a comment, by which akit knows its own again.
//!
//! `<!-- akit:v1 key=KEY run=ID.ATTEMPT sha=COMMIT -->`. It is looked for at the very beginning and
//! nowhere else: text of others stands further down, and has no `<!--` left in it.

use super::site::RunNumber;

/// Tells several comments on one change apart: up to 64 letters, digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

/// A text that cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to 64 letters, digits, `-`, `_` and `.`")]
pub struct BadKey;

impl Key {
    /// Takes a text as key.
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

/// The line for a run.
pub(super) fn line(key: &Key, turn: RunNumber, commit: Option<&str>) -> String {
    let RunNumber { id, attempt } = turn;
    format!("{}run={id}.{attempt} sha={} -->", prefix(key), commit.unwrap_or("-"))
}

/// Which run wrote a comment, where it begins with a marker of this key.
///
/// A marker that says nothing of its run is older than every run.
pub(super) fn read(body: &str, key: &Key) -> Option<RunNumber> {
    let rest = body.lines().next()?.strip_prefix(&prefix(key))?.trim_end().strip_suffix("-->")?;
    let told = rest.split(' ').find_map(|word| {
        let (id, attempt) = word.strip_prefix("run=")?.split_once('.')?;
        Some(RunNumber { id: id.parse().ok()?, attempt: attempt.parse().ok()? })
    });
    Some(told.unwrap_or_default())
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
        let line = line(&key, turn, Some("abc"));
        assert_eq!(line, "<!-- akit:v1 key=a.b run=12.3 sha=abc -->");
        assert_eq!(read(&format!("{line}\r\n### akit"), &key), Some(turn));
        assert_eq!(read(&format!("{line}\n### akit"), &Key::default()), None);
        assert_eq!(read("<!-- akit:v1 key=a.b -->", &key), Some(RunNumber::default()));
        assert_eq!(read("<!-- akit:v1 key=a.b run=x.y -->", &key), Some(RunNumber::default()));
        for foreign in
            ["", " <!-- akit:v1 key=a.b -->", "> <!-- akit:v1 key=a.b -->", "x\n<!-- akit:v1 key=a.b -->"]
        {
            assert_eq!(read(foreign, &key), None, "{foreign}");
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

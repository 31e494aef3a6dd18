//! Files written by people, and places in them.
//!
//! Lines and columns are 1-based; columns count characters, not bytes, and line 0 means "unknown". A [`SourceFile`] has
//! no byte-order mark and no invalid UTF-8.

mod diagnostic;
mod field;
mod fields;
mod node;
mod store;
mod temporary;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use diagnostic::{Diagnostic, Diagnostics, Ink, Severity};
pub use field::{Field, Shape};
pub use fields::Fields;
pub use node::{Node, SyntaxError, Value};
pub use store::{Pending, takes_text};
pub use temporary::{abandoned, sweep, temporary};

/// Largest file that is read, in bytes (256 MiB).
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A place in a file, as reports show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// Path with `/`, relative to the repository (or as given, outside of one).
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// 1-based column in characters.
    pub column: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A part of one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 1-based line, 0 when unknown.
    pub line: u32,
    /// 1-based column in characters.
    pub column: u32,
    /// Length in characters, at least 1 if the line is known; never past the end of the line.
    pub length: u32,
}

/// Why a file could not be read as text.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("{}", plain(.0))]
    Io(#[from] std::io::Error),
    /// Larger than the limit.
    #[error("the file has {0} bytes; the limit is {1}")]
    TooLarge(u64, u64),
    /// A pipe or a device: reading a pipe would wait for its writer, and a device may never end.
    #[error("it is a pipe or a device, not a file")]
    Special,
    /// Text as Windows used to write it.
    #[error("the file is UTF-16; save it as UTF-8 (PowerShell: `Out-File -Encoding utf8`)")]
    Utf16,
    /// An encoding that is hardly ever used.
    #[error("the file is UTF-32; save it as UTF-8")]
    Utf32,
    /// Not text at all.
    #[error("the file is binary (NUL byte at offset {0})")]
    Binary(usize),
    /// Text in another encoding, or damaged.
    #[error("not UTF-8: byte {byte:#04x} on line {line}")]
    Encoding {
        /// The first invalid byte.
        byte: u8,
        /// Its 1-based line.
        line: usize,
    },
}

impl ReadError {
    /// How to fix it; `text` says in which form the file must be saved.
    #[must_use]
    pub fn help(&self, text: &'static str) -> &'static str {
        match self {
            Self::Io(_) | Self::Special => "check the path and its permissions",
            Self::TooLarge(..) => "split it into several files",
            Self::Utf16 | Self::Utf32 | Self::Binary(_) | Self::Encoding { .. } => text,
        }
    }
}

/// A system error without Rust's `(os error N)`.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.find(" (os error").map_or(text.clone(), |cut| text[..cut].to_lowercase())
}

/// The bytes of a regular file of at most this size.
///
/// # Errors
/// If it cannot be read, is too large, or is not a regular file: a pipe is not waited for.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    let found = fs::metadata(path)?;
    if !found.is_file() && !found.is_dir() {
        return Err(ReadError::Special);
    }
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(ReadError::TooLarge(size, most));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed distinguishes a growing file from a large one.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLarge(bytes.len() as u64, most));
    }
    Ok(bytes)
}

/// A file's text and its names.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    shown: String,
    text: String,
    starts: Vec<usize>,
    widths: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is over [`MAX_BYTES`], contains a NUL byte or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = read(path, MAX_BYTES)?;
        // The mark of UTF-32 starts like that of UTF-16.
        if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
            return Err(ReadError::Utf32);
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(ReadError::Utf16);
        }
        // A search for one byte is far faster than a closure on each.
        if bytes.contains(&0) {
            let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
            return Err(ReadError::Binary(at));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].split(|byte| *byte == b'\n').count();
            ReadError::Encoding { byte: bytes[at], line }
        })?;
        Ok(Self::new(repository_name(path), &slashed(path), text))
    }

    /// A file already in memory, under the name that reports show.
    #[must_use]
    pub fn from_text(name: &str, text: &str) -> Self {
        Self::new(name.to_owned(), name, text.to_owned())
    }

    fn new(name: String, shown: &str, mut text: String) -> Self {
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(index, _)| index + 1));
        // A name can contain a line break, but is shown on one line.
        let shown = crate::text::excerpt(shown, 1_000);
        Self { name, shown, text, starts, widths: OnceLock::new() }
    }

    /// The name in reports: relative to the repository, with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path as the user gave it, for messages in the terminal.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The whole text, without a byte-order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A 1-based line without its line break; empty past the end.
    #[must_use]
    pub fn line(&self, line: u32) -> &str {
        let index = line as usize;
        if index == 0 || index > self.starts.len() {
            return "";
        }
        let start = self.starts[index - 1];
        let end = self.starts.get(index).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The number at a place, as written there.
    #[must_use]
    pub fn number_at(&self, span: Span) -> Option<&str> {
        let line = self.line(span.line);
        let at = |column: u32| line.char_indices().nth(column as usize).map_or(line.len(), |(at, _)| at);
        let start = span.column.saturating_sub(1);
        let written = line[at(start)..at(start.saturating_add(span.length))].trim_end();
        // At an alias, the text is the name of its anchor.
        written.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')).then_some(written)
    }

    /// Lengths of the lines in characters. A document can be a single line, so they are counted once, not for each
    /// node.
    fn widths(&self) -> &[u32] {
        self.widths.get_or_init(|| {
            let lines = 1..=u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
            lines.map(|line| u32::try_from(self.line(line).chars().count()).unwrap_or(u32::MAX)).collect()
        })
    }

    /// The place of a span, for reports.
    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        Location { file: self.name.clone(), line: span.line, column: span.column }
    }

    /// A span cut to its line.
    #[must_use]
    pub fn clamp(&self, line: u32, column: u32, length: u32) -> Span {
        let width =
            (line as usize).checked_sub(1).and_then(|index| self.widths().get(index).copied()).unwrap_or(0);
        let column = column.clamp(1, width.saturating_add(1));
        let room = width.saturating_add(1).saturating_sub(column).max(1);
        let length = length.clamp(1, room);
        Span { line, column, length }
    }
}

/// A path with `/` on every system.
#[must_use]
pub fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace('\\', "/") }
}

/// The path relative to its repository, or as given if there is none.
#[must_use]
pub fn repository_name(path: &Path) -> String {
    let given = || slashed(path.strip_prefix(".").unwrap_or(path));
    let Ok(full) = path.canonicalize() else { return given() };
    match repository_of(&full).and_then(|root| full.strip_prefix(root).ok().map(slashed)) {
        Some(name) => name,
        None => given(),
    }
}

/// Whether a path in an untrusted file leaves the folder that it is relative to: upward, from a root or a drive, or to
/// a URL. Both kinds of slashes are separators on every system.
#[must_use]
pub fn leaves(path: &str) -> bool {
    path.starts_with(['/', '\\'])
        || path.as_bytes().get(1) == Some(&b':')
        || path.contains("://")
        || path.split(['/', '\\']).any(|part| part == "..")
}

/// Reads a JSON object. serde alone also accepts an array for a struct, member by member, but no file of akit is an
/// array.
pub fn json_object<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes)?;
    }
    serde_json::from_slice(bytes)
}

fn repository_of(full: &Path) -> Option<PathBuf> {
    full.ancestors().skip(1).find(|folder| folder.join(".git").exists()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_their_folder() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            r"..\x",
            r"a\..\..\x",
            r"C:\x",
            "c:x",
            r"\\host\x",
            "file:///etc/passwd",
        ] {
            assert!(leaves(path), "{path}");
        }
        for path in ["", "s.yaml", "scenarios/a b.yaml", "a..b/c..yaml", "./s.yaml", "..."] {
            assert!(!leaves(path), "{path}");
        }
    }

    #[test]
    fn an_array_is_not_an_object() {
        #[derive(Debug, Deserialize)]
        struct Two {
            #[expect(dead_code, reason = "only its position in an array matters")]
            a: u8,
            #[expect(dead_code, reason = "only its position in an array matters")]
            b: u8,
        }
        assert!(json_object::<Two>(b" \n{\"a\":1,\"b\":2}").is_ok());
        for text in ["[1,2]", " [1, 2]", "null", "", "1", "\"{}\"", "[{\"a\":1,\"b\":2}]"] {
            assert!(json_object::<Two>(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn lines_are_one_based_and_lose_their_ends() {
        let file = SourceFile::from_text("a", "\u{feff}one\r\ntwo\n\nfour");
        assert_eq!((1..=5).map(|n| file.line(n)).collect::<Vec<_>>(), ["one", "two", "", "four", ""]);
        assert_eq!(file.line(0), "");
    }

    #[test]
    fn spans_stay_within_their_line() {
        let file = SourceFile::from_text("a", "größe: 1\n");
        assert_eq!(file.clamp(1, 8, 99), Span { line: 1, column: 8, length: 1 });
        assert_eq!(file.clamp(1, 99, 99), Span { line: 1, column: 9, length: 1 });
        assert_eq!(file.clamp(7, 3, 2), Span { line: 7, column: 1, length: 1 });
    }

    #[test]
    fn encodings_are_distinguished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yaml");
        std::fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
        assert_eq!(SourceFile::read(&path).unwrap_err().to_string(), "not UTF-8: byte 0xff on line 2");
        for utf32 in [&b"\xff\xfe\0\0a\0\0\0"[..], b"\0\0\xfe\xff\0\0\0a"] {
            std::fs::write(&path, utf32).unwrap();
            assert!(matches!(SourceFile::read(&path), Err(ReadError::Utf32)));
        }
        for utf16 in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a"] {
            std::fs::write(&path, utf16).unwrap();
            assert!(matches!(SourceFile::read(&path), Err(ReadError::Utf16)));
        }
        std::fs::write(&path, b"a\0b").unwrap();
        assert!(matches!(SourceFile::read(&path), Err(ReadError::Binary(1))));
        std::fs::write(&path, "a: 1").unwrap();
        assert_eq!(SourceFile::read(&path).unwrap().text(), "a: 1");
    }
}

//! Exchanges on disk, addressed by what was asked. Knows nothing of models.
//!
//! One pretty JSON file per record under `aa/<sha-256>.json`, keys sorted, written to a temporary
//! file, synced and renamed: processes share a folder without locks, and a reader sees a whole
//! record or none. A torn or foreign file is a miss with a warning.

mod nearest;
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::source::Pending;
use crate::text;

/// Version of the key's making; another version misses everything.
pub const KEY_VERSION: u32 = 1;

pub use nearest::Difference;
pub use shelf::{Condition, Shelved};

/// What is read and what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read, else ask and write.
    Auto,
    /// Ask and write; what is there stays unread. Judges are an exception: see the configuration.
    Record,
    /// The same without exception.
    Refresh,
    /// Read; a miss is an error and nothing is asked.
    Replay,
    /// Ask; nothing is read or written.
    Off,
}

impl Mode {
    /// Whether records are read.
    #[must_use]
    pub fn reads(self) -> bool {
        matches!(self, Mode::Auto | Mode::Replay)
    }

    /// Whether records are written.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Mode::Auto | Mode::Record | Mode::Refresh)
    }
}

/// The address of an exchange: SHA-256 over its parts in canonical JSON (RFC 8785).
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    parts: Json,
    hash: String,
}

impl Key {
    /// The key of these parts.
    #[must_use]
    pub fn of(parts: Json) -> Self {
        let mut whole = serde_json::json!({ "key_version": KEY_VERSION, "parts": null });
        whole["parts"] = parts;
        let hash = text::hex(&Sha256::digest(canonical(&whole)));
        Self { parts: whole["parts"].take(), hash }
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// JSON in the one form of RFC 8785.
#[must_use]
pub fn canonical(value: &Json) -> Vec<u8> {
    // A JSON value has nothing that could not be written: its keys are text, its numbers finite.
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}

/// Whether two requests have one key. Equal values have, and `1` and `1.0` have too.
fn same(a: &Json, b: &Json) -> bool {
    a == b || canonical(a) == canonical(b)
}

/// A stored exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`KEY_VERSION`] at the time of writing.
    pub key_version: u32,
    /// When the exchange took place, RFC 3339 in UTC.
    pub recorded_at: String,
    /// Milliseconds that it took.
    pub latency_ms: u64,
    /// What was asked: the parts of the key.
    pub request: Json,
    /// What came back.
    pub response: Json,
}

impl Record {
    /// The record as it stands on disk: pretty, sorted keys, LF.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        // Through a JSON value, whose maps are sorted.
        let value = serde_json::to_value(self)?;
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }

    /// The record on one line, sorted keys, LF.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_value(self)?.to_string() + "\n")
    }

    /// The key that the record answers.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(self.request.clone())
    }
}

/// What a look into the cache found.
#[derive(Debug)]
pub enum Lookup {
    /// The record.
    Hit(Box<Record>),
    /// No record.
    Miss,
    /// A file that is no record of this key: why, with its path.
    Damaged(String),
}

/// A folder of records, and which of them were looked for.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    looked: Arc<Mutex<BTreeMap<String, Looked>>>,
}

/// A key that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// What for, in people's words.
    pub purpose: String,
    /// When its record was made; `None` when there was none.
    pub recorded_at: Option<String>,
    /// What the nearest record has otherwise; only for a key without a record.
    pub differences: Vec<Difference>,
}

impl Cache {
    /// The records under a folder, which is made when the first one is written.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), looked: Arc::default() }
    }

    /// Every key that was looked for in this folder, with its purpose.
    #[must_use]
    pub fn looked(&self) -> BTreeMap<String, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of a look for a key.
    pub fn note(&self, key: &Key, looked: Looked) {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(key.hash.clone(), looked);
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.hash[..2]).join(format!("{}.json", key.hash))
    }

    /// Looks a key up.
    #[must_use]
    pub fn get(&self, key: &Key) -> Lookup {
        let path = self.path(key);
        let damaged = |why: String| Lookup::Damaged(format!("{}: {why}", crate::source::slashed(&path)));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Lookup::Miss,
            Err(error) => return damaged(error.to_string()),
        };
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) if record.key_version != KEY_VERSION => {
                damaged(format!("key version {}, this akit writes {KEY_VERSION}", record.key_version))
            }
            Ok(record) if !same(&record.request, &key.parts) => {
                damaged("it holds another request".to_owned())
            }
            Ok(record) => Lookup::Hit(Box::new(record)),
            Err(error) => damaged(format!("not a record: {error}")),
        }
    }

    /// Stores an exchange; it is on disk when this returns.
    pub fn put(&self, key: &Key, response: Json, latency_ms: u64, recorded_at: String) -> io::Result<()> {
        let record = Record {
            key_version: KEY_VERSION,
            recorded_at,
            latency_ms,
            request: key.parts.clone(),
            response,
        };
        let text = record.to_text().map_err(io::Error::other)?;
        Pending::open(&self.path(key))?.write_synced(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_found_by_its_parts_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("deep/cache"));
        let key = Key::of(json!({ "b": 1, "a": "x" }));
        assert!(matches!(cache.get(&key), Lookup::Miss));
        cache.put(&key, json!({ "text": "hi" }), 12, "2026-01-02T03:04:05Z".to_owned()).unwrap();
        let Lookup::Hit(record) = cache.get(&Key::of(json!({ "a": "x", "b": 1.0 }))) else {
            panic!("1 and 1.0 are one number");
        };
        assert_eq!((record.latency_ms, &record.response), (12, &json!({ "text": "hi" })));
        assert!(matches!(cache.get(&Key::of(json!({ "a": "x", "b": 2 }))), Lookup::Miss));
    }

    #[test]
    fn damage_is_told_and_mended_by_writing_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let key = Key::of(json!({ "a": 1 }));
        let put = || cache.put(&key, json!("ok"), 0, String::new()).unwrap();
        put();
        for foreign in ["", "{\"key_version\":1", "[]", &"x".repeat(9000)] {
            fs::write(cache.path(&key), foreign).unwrap();
            assert!(matches!(cache.get(&key), Lookup::Damaged(_)), "{foreign:.20}");
        }
        put();
        assert!(matches!(cache.get(&key), Lookup::Hit(_)));
        let other = fs::read_to_string(cache.path(&key)).unwrap().replace("\"a\": 1", "\"a\": 2");
        fs::write(cache.path(&key), other).unwrap();
        assert!(matches!(cache.get(&key), Lookup::Damaged(_)));
    }

    #[test]
    fn the_key_never_changes() {
        let key = Key::of(json!({ "model": "m", "messages": [{ "role": "user", "content": "hé" }] }));
        // SHA-256 of {"key_version":1,"parts":{"messages":[{"content":"hé","role":"user"}],"model":"m"}}.
        assert_eq!(key.hash(), "335e86b9e0caf7b49cb007708adf89e22d3bea34e0375eb90b0ed5e11eb98a5a");
    }
}

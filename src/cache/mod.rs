//! Recorded exchanges on disk, keyed by the request. Knows nothing about models.
//!
//! One pretty JSON file per record under `aa/<sha-256>.json`, keys sorted, written to a temporary file and renamed:
//! processes share a folder without locks, and a reader sees a whole record or none. A file that is incomplete or not a
//! record counts as a miss, with a warning.

mod journal;
mod nearest;
mod recorder;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::source::json_object;
use crate::text;
use crate::vocabulary::ExchangeKind;
use nearest::Index;
use recorder::Recorder;
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray, VariantNames};

/// Version of the way keys are made. Version 1 keys contained the host of a server but not its address; their records
/// are read if the host is enough. Records of other versions are not read.
pub const KEY_VERSION: u32 = 2;

pub use journal::{Asked, Journal, JournalError, Noted};
pub use nearest::Nearest;

pub use shelf::{Condition, Shelved};

/// What is read and written.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Mode {
    /// Use recorded answers; ask for and record the rest
    Auto,
    /// Ask the application and record; reuse verdicts on the same answer
    Record,
    /// Ask the application and the judge, and record
    Refresh,
    /// Use recorded answers only; a missing one is an error
    Replay,
    /// Use and record nothing
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

/// The key of an exchange: SHA-256 over its parts in canonical JSON (RFC 8785).
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    parts: Json,
    hash: String,
    former: Option<Former>,
}

/// How to make the version 1 key from this one, if it is looked up.
#[derive(Clone, Debug, PartialEq)]
struct Former {
    /// The part that version 1 did not have.
    without: &'static str,
    /// The part that version 1 had instead.
    with: (&'static str, Json),
    key: OnceLock<Box<Key>>,
}

impl Key {
    /// The key of these parts.
    #[must_use]
    pub fn of(parts: Json) -> Self {
        Self::of_version(KEY_VERSION, parts)
    }

    /// The key that a version makes of these parts.
    fn of_version(version: u32, parts: Json) -> Self {
        let mut whole = serde_json::json!({ "key_version": version, "parts": null });
        whole["parts"] = parts;
        let hash = text::hex(&Sha256::digest(canonical::bytes(&whole)));
        Self { parts: whole["parts"].take(), hash, former: None }
    }

    /// Also accepts a record of version 1 that has one part instead of another.
    #[must_use]
    pub fn or_former(self, without: &'static str, with: (&'static str, Json)) -> Self {
        Self { former: Some(Former { without, with, key: OnceLock::new() }), ..self }
    }

    /// The version 1 key of the request.
    fn former(&self) -> Option<&Key> {
        let former = self.former.as_ref()?;
        Some(former.key.get_or_init(|| {
            let mut parts = self.parts.clone();
            if let Json::Object(parts) = &mut parts {
                parts.remove(former.without);
                parts.insert(former.with.0.to_owned(), former.with.1.clone());
            }
            Box::new(Self::of_version(KEY_VERSION - 1, parts))
        }))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The hash under which a record of this key was found.
    #[must_use]
    pub fn hash_of(&self, record: &Record) -> &str {
        match self.former() {
            Some(former) if record.key_version != KEY_VERSION => &former.hash,
            _ => &self.hash,
        }
    }

    /// The parts for each accepted key version, newest first.
    fn versions(&self) -> impl Iterator<Item = (u32, &Json)> {
        let former = self.former().map(|former| (KEY_VERSION - 1, &former.parts));
        std::iter::once((KEY_VERSION, &self.parts)).chain(former)
    }

    /// The parts as a version names them.
    fn parts_of(&self, version: u32) -> &Json {
        match self.former() {
            Some(former) if version != KEY_VERSION => &former.parts,
            _ => &self.parts,
        }
    }
}

/// Whether two requests have the same key. Equal values do, and so do `1` and `1.0`.
fn same(a: &Json, b: &Json) -> bool {
    a == b || canonical::bytes(a) == canonical::bytes(b)
}

/// A recorded exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`KEY_VERSION`] at the time of writing.
    pub key_version: u32,
    /// Milliseconds it took.
    pub latency_ms: u64,
    /// When the exchange took place, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The request: the parts of the key.
    pub request: Json,
    /// What came back.
    pub response: Json,
}

impl Record {
    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, kind: ExchangeKind) -> bool {
        self.request["kind"] == <&str>::from(kind)
    }

    /// The record as it is on disk: pretty, sorted keys, LF.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        pretty(self)
    }

    /// The record on one line, sorted keys, LF.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// The key of the record.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of_version(self.key_version, self.request.clone())
    }

    /// Whether this version of akit can read it.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.key_version == KEY_VERSION || self.key_version == KEY_VERSION - 1
    }
}

/// The bytes of a record. Links are not followed, because anyone who can propose a change could add one that points to
/// a device or to another record.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let shelf = path.parent().map(fs::symlink_metadata).transpose()?;
    let found = fs::symlink_metadata(path)?;
    if shelf.is_some_and(|shelf| shelf.is_symlink()) || !found.is_file() {
        return Err(io::Error::other("links and special files are not read as records"));
    }
    crate::source::read(path, LARGEST).map_err(io::Error::other)
}

/// A record to write: the fields of [`Record`], whose names are sorted like all keys.
#[derive(Serialize)]
struct NewRecord<'a> {
    key_version: u32,
    latency_ms: u64,
    recorded_at: String,
    request: &'a Json,
    response: Json,
}

fn pretty(record: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
}

/// The result of a lookup.
#[derive(Debug)]
pub enum Lookup {
    /// The record.
    Hit(Box<Record>),
    /// No record.
    Miss,
    /// A file that is not a record of this key; says why, with its path.
    Damaged(String),
    /// A record that only the change under test adds.
    Untrusted,
}

/// Records that the author of a change may have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// The records with these hashes.
    Some(BTreeSet<String>),
    /// All records, because the folder itself comes from the change.
    All,
}

/// The default folder of records.
pub const FOLDER: &str = ".akit/cache";

/// Where answers of a run are kept until it ends.
pub const JOURNALS: &str = ".akit/journal";

/// Maximum size of a record, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// A folder of records, and which of them were looked up.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    looked: Arc<Mutex<BTreeMap<String, Looked>>>,
    written: Arc<Mutex<BTreeSet<Box<str>>>>,
    index: Arc<OnceLock<Index>>,
    recorder: Arc<Recorder>,
    /// Whether a miss is explained by comparing it with other records.
    explains: Arc<AtomicBool>,
    untrusted: Option<Arc<Untrusted>>,
}

/// A key that was looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// Its purpose, for people.
    pub purpose: String,
    /// When its record was made; `None` without one.
    pub recorded_at: Option<String>,
    /// The key, if it has no record.
    pub missing: Option<Key>,
    /// Whether redaction is on, so that the request must not be shown.
    pub redacted: bool,
}

impl Cache {
    /// The records in a folder, which is created when the first one is written.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let explains = Arc::new(AtomicBool::new(true));
        Self {
            folder: folder.into(),
            looked: Arc::default(),
            written: Arc::default(),
            index: Arc::default(),
            recorder: Arc::default(),
            explains,
            untrusted: None,
        }
    }

    /// A cache that does not read some records.
    #[must_use]
    pub fn distrusting(self, untrusted: Untrusted) -> Self {
        Self { untrusted: Some(Arc::new(untrusted)), ..self }
    }

    /// Whether a record must not be read. Records written by this run are trusted.
    fn distrusts(&self, hash: &str) -> bool {
        let named = self.untrusted.as_deref().is_some_and(|untrusted| match untrusted {
            Untrusted::Some(hashes) => hashes.contains(hash),
            Untrusted::All => true,
        });
        named && !self.has_written(hash)
    }

    /// Turns off explanations of misses.
    pub fn explain_nothing(&self) {
        self.explains.store(false, Ordering::Relaxed);
    }

    /// Whether misses are explained by the nearest record.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.explains.load(Ordering::Relaxed)
    }

    /// All keys that were looked up in this folder, with their purposes.
    #[must_use]
    pub fn looked(&self) -> BTreeMap<String, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a lookup of a record, by its hash.
    pub fn note(&self, hash: &str, looked: Looked) {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(hash.to_owned(), looked);
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.hash[..2]).join(format!("{}.json", key.hash))
    }

    /// Looks up a key, also under its version 1 name.
    #[must_use]
    pub fn get(&self, key: &Key) -> Lookup {
        match self.find(key, KEY_VERSION) {
            Lookup::Miss => key.former().map_or(Lookup::Miss, |former| self.find(former, KEY_VERSION - 1)),
            found => found,
        }
    }

    fn find(&self, key: &Key, version: u32) -> Lookup {
        let path = self.path(key);
        let damaged = |why: String| Lookup::Damaged(format!("{}: {why}", crate::source::slashed(&path)));
        let bytes = match read(&path) {
            Ok(_) if self.distrusts(&key.hash) => return Lookup::Untrusted,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Lookup::Miss,
            Err(error) => return damaged(error.to_string()),
        };
        match json_object::<Record>(&bytes) {
            Ok(record) if record.key_version != version => {
                damaged(format!("key version {} under the name of version {version}", record.key_version))
            }
            Ok(record) if !same(&record.request, &key.parts) => {
                damaged("it belongs to another request".to_owned())
            }
            Ok(record) => Lookup::Hit(Box::new(record)),
            Err(error) => damaged(format!("not a record: {}", text::json::trouble(&error))),
        }
    }

    /// Checks that the folder takes records; leaves nothing behind.
    pub fn prepare(&self) -> io::Result<()> {
        self.recorder.prepare(&self.folder)
    }

    /// Stores an exchange. From then on it can be looked up, even if this process is killed.
    pub fn put(&self, key: &Key, response: Json, latency_ms: u64, recorded_at: String) -> io::Result<()> {
        self.put_version(KEY_VERSION, key, response, latency_ms, recorded_at)?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(key.hash.as_str().into());
        Ok(())
    }

    /// Whether a record was written by this run, by its hash.
    #[must_use]
    pub fn has_written(&self, hash: &str) -> bool {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    fn put_version(
        &self,
        key_version: u32,
        key: &Key,
        response: Json,
        latency_ms: u64,
        recorded_at: String,
    ) -> io::Result<()> {
        let record = NewRecord { key_version, latency_ms, recorded_at, request: &key.parts, response };
        let text = pretty(&record).map_err(io::Error::other)?;
        if text.len() as u64 > LARGEST {
            return Err(io::Error::other(format!(
                "the record has {} bytes; the limit is {LARGEST}",
                text.len()
            )));
        }
        self.recorder.write(&self.folder, &key.hash, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_found_only_by_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("deep/cache"));
        let key = Key::of(json!({ "b": 1, "a": "x" }));
        assert!(matches!(cache.get(&key), Lookup::Miss));
        cache.put(&key, json!({ "text": "hi" }), 12, "2026-01-02T03:04:05Z".to_owned()).unwrap();
        let Lookup::Hit(record) = cache.get(&Key::of(json!({ "a": "x", "b": 1.0 }))) else {
            panic!("1 and 1.0 are the same number");
        };
        assert_eq!((record.latency_ms, &record.response), (12, &json!({ "text": "hi" })));
        assert!(matches!(cache.get(&Key::of(json!({ "a": "x", "b": 2 }))), Lookup::Miss));
    }

    #[test]
    fn a_record_of_version_1_answers_only_a_key_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let old = Key::of_version(1, json!({ "host": "h", "q": 1 }));
        cache.put_version(1, &old, json!("old"), 1, String::new()).unwrap();
        let key = || Key::of(json!({ "endpoint": "https://h/v1", "q": 1 }));
        assert!(matches!(cache.get(&key()), Lookup::Miss));
        let either = key().or_former("endpoint", ("host", json!("h")));
        let Lookup::Hit(record) = cache.get(&either) else { panic!() };
        assert_eq!(either.hash_of(&record), old.hash());
        cache.put(&either, json!("new"), 1, String::new()).unwrap();
        let Lookup::Hit(record) = cache.get(&either) else { panic!() };
        assert_eq!((&record.response, either.hash_of(&record)), (&json!("new"), either.hash()));
    }

    #[test]
    fn damage_is_reported_and_repaired_by_writing_again() {
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
    fn the_key_does_not_change() {
        let key = Key::of(json!({ "model": "m", "messages": [{ "role": "user", "content": "hé" }] }));
        // SHA-256 of {"key_version":2,"parts":{"messages":[{"content":"hé","role":"user"}],"model":"m"}}.
        assert_eq!(key.hash(), "f25dc306b37fa30382b78da26ab8fd402d273ad6aca99d066979b6ff3bb764bd");
        // The same under version 1.
        let former = Key::of_version(1, key.parts.clone());
        assert_eq!(former.hash(), "335e86b9e0caf7b49cb007708adf89e22d3bea34e0375eb90b0ed5e11eb98a5a");
    }
}

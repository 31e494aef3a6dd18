//! All records of a folder: what `akit cache` counts, checks, moves and removes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Cache, Key, Record, read};
use crate::source::{abandoned, json_object, slashed};

/// A file of the cache.
#[derive(Debug)]
pub struct Shelved {
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content, if akit can read it.
    pub record: Option<Record>,
    /// Whether it is a valid record in its place.
    pub condition: Condition,
}

/// The condition of a file of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A record under its own key.
    Sound,
    /// A record of another version of akit; never read.
    OtherVersion(u32),
    /// A record under a name that does not match its key.
    Misplaced,
    /// Not a record: incomplete, or not written by akit.
    Damaged(String),
}

impl Cache {
    /// All files, in the order of keys, without leftover temporary files.
    pub fn shelved(&self) -> impl Iterator<Item = Shelved> {
        self.paths().into_iter().map(|path| examine(&path))
    }

    /// All readable records, with the hash in their names, which is not verified.
    pub(super) fn records(&self) -> impl Iterator<Item = (String, Record)> {
        self.paths()
            .into_iter()
            .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), readable(&path)?)))
    }

    /// The record under a hash, if it can be read; the hash is not verified.
    pub(super) fn record(&self, hash: &str) -> Option<Record> {
        readable(&self.folder().join(hash.get(..2)?).join(format!("{hash}.json")))
    }

    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for shelf in entries(&self.folder).into_iter().filter(|path| is_shelf(path)) {
            // A link is shown and removed as a link; its target does not belong to the cache.
            if shelf.is_symlink() {
                paths.push(shelf);
                continue;
            }
            paths.extend(
                entries(&shelf).into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")),
            );
        }
        paths.sort();
        paths
    }

    /// Temporary files of killed processes, with their sizes in bytes.
    #[must_use]
    pub fn abandoned(&self, now: SystemTime) -> Vec<(PathBuf, u64)> {
        let shelves = entries(&self.folder).into_iter().filter(|path| is_shelf(path) && !path.is_symlink());
        let files = shelves.flat_map(|shelf| abandoned(&shelf, now));
        let mut found: Vec<_> = files
            .filter_map(|path| {
                let bytes = fs::symlink_metadata(&path).ok()?.len();
                Some((path, bytes))
            })
            .collect();
        found.sort();
        found
    }

    /// Removes a file of the cache.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        // The folder is removed with its last file.
        let _ = path.parent().map(fs::remove_dir);
        Ok(())
    }

    /// Adds a record from elsewhere unless it exists. Returns whether it was added.
    pub fn import(&self, record: &Record) -> io::Result<bool> {
        let (key, version) = (record.key(), record.key_version);
        if matches!(self.find(&key, version), super::Lookup::Hit(_)) {
            return Ok(false);
        }
        let (response, at) = (record.response.clone(), record.recorded_at.clone());
        self.put_version(version, &key, response, record.latency_ms, at)?;
        Ok(true)
    }
}

fn readable(path: &Path) -> Option<Record> {
    let record = json_object::<Record>(&read(path).ok()?).ok()?;
    record.is_readable().then_some(record)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// A folder with a name of two hexadecimal digits, as only records have.
fn is_shelf(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit) && path.is_dir()
}

fn examine(path: &Path) -> Shelved {
    let bytes = fs::symlink_metadata(path).map_or(0, |data| data.len());
    let parsed = read(path).map_err(|error| error.to_string()).and_then(|text| {
        json_object::<Record>(&text)
            .map_err(|error| format!("not a record: {}", crate::text::json::trouble(&error)))
    });
    let (record, condition) = match parsed {
        Ok(record) if !record.is_readable() => (None, Condition::OtherVersion(record.key_version)),
        Ok(record) if !named(path, &record.key()) => (None, Condition::Misplaced),
        Ok(record) => (Some(record), Condition::Sound),
        Err(error) => (None, Condition::Damaged(error)),
    };
    Shelved { path: path.to_path_buf(), bytes, record, condition }
}

fn named(path: &Path, key: &Key) -> bool {
    slashed(path).ends_with(&format!("{}/{}.json", &key.hash[..2], key.hash))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_classified_by_condition() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        for n in 0..3 {
            cache.put(&Key::of(json!({ "n": n })), json!("ok"), 1, "t".to_owned()).unwrap();
        }
        let all: Vec<_> = cache.shelved().collect();
        assert!(all.iter().all(|one| one.condition == Condition::Sound && one.bytes > 0));
        fs::write(&all[0].path, "{").unwrap();
        let text = fs::read_to_string(&all[1].path).unwrap();
        fs::write(&all[1].path, text.replace("\"key_version\": 2", "\"key_version\": 0")).unwrap();
        let other = fs::read_to_string(&all[2].path).unwrap().replace("\"n\": ", "\"n\": 9");
        fs::write(&all[2].path, other).unwrap();
        let conditions: Vec<_> = cache.shelved().map(|one| one.condition).collect();
        assert!(matches!(conditions[0], Condition::Damaged(_)));
        assert_eq!(conditions[1..], [Condition::OtherVersion(0), Condition::Misplaced]);
        for shelved in cache.shelved() {
            cache.remove(&shelved.path).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_old_temporary_files_of_shelves_count_as_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        cache.put(&Key::of(json!({ "n": 1 })), json!("ok"), 1, "t".to_owned()).unwrap();
        for path in ["ab/.akit-1", "ab/other", "docs/.akit-2", ".akit-3"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "torn").unwrap();
        }
        let after = |minutes: u64| cache.abandoned(SystemTime::now() + Duration::from_secs(60 * minutes));
        assert_eq!(after(59), []);
        assert_eq!(after(61), [(folder.path().join("ab/.akit-1"), 4)]);
        assert_eq!(cache.shelved().count(), 1);
    }

    #[test]
    fn a_record_moves_with_its_key() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (a, b) = (Cache::at(a.path()), Cache::at(b.path()));
        a.put(&Key::of(json!({ "n": 1 })), json!("ok"), 7, "t".to_owned()).unwrap();
        let record = a.shelved().next().unwrap().record.unwrap();
        assert!(b.import(&record).unwrap() && !b.import(&record).unwrap());
        assert_eq!(b.shelved().map(|one| one.record).collect::<Vec<_>>(), [Some(record)]);
    }
}

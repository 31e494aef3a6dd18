//! What a run was answered so far, so that one that was interrupted or killed is finished without asking twice.
//!
//! One line of JSON for each answer, appended before the answer is used: a process that is killed loses what was under
//! way. A line is found by the key of what was asked and by whom it was asked for, so two cases that ask the same do
//! not take each other's. It holds what a record of the cache holds, redacted like one. What was judged is not noted: it
//! follows from the answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Key;
use crate::source::json_object;

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file, once something was written or read; nobody else has it meanwhile.
    file: Option<File>,
    /// Where in the file the answers of the interrupted run stand that were not taken yet.
    left: BTreeMap<Name, VecDeque<Place>>,
    /// Hashes of everything that the interrupted run had asked.
    asked: BTreeSet<String>,
    /// Answers in the file.
    answers: usize,
    /// Whether nothing is noted any more.
    is_off: bool,
}

/// Hash of the key, and what was asked for people.
type Name = (String, String);

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    length: usize,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// Hash of the key.
    key: String,
    /// For whom it was asked, as in "the reply to suite/case".
    purpose: String,
    /// Milliseconds that it took.
    pub latency_ms: u64,
    /// When it was asked, RFC 3339 in UTC.
    pub at: String,
    /// What came back.
    pub response: Json,
}

impl Noted {
    /// An answer to what a key stands for.
    #[must_use]
    pub fn of(key: &Key, purpose: &str, latency_ms: u64, at: String, response: Json) -> Self {
        Self { key: key.hash().to_owned(), purpose: purpose.to_owned(), latency_ms, at, response }
    }
}

/// Why there is nothing to finish.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No run of this name was interrupted.
    #[error("no interrupted run of this suite with these settings is kept in {0}")]
    Nothing(String),
    /// Another process carries that run out.
    #[error("this run is still under way in another process (it holds {0})")]
    Busy(String),
    /// It cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, io::Error),
}

impl Journal {
    /// A journal that is begun anew with the first answer.
    #[must_use]
    pub fn begin(folder: &Path, name: &str) -> Self {
        Self { path: path(folder, name), state: Mutex::default() }
    }

    /// The journal of an interrupted run.
    pub fn resume(folder: &Path, name: &str) -> Result<Self, JournalError> {
        let path = path(folder, name);
        let shown = crate::source::slashed(&path);
        let unreadable = |error| JournalError::Unreadable(shown.clone(), error);
        let mut file = match OpenOptions::new().read(true).append(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::Nothing(crate::source::slashed(folder)));
            }
            Err(error) => return Err(unreadable(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy(shown)),
            Err(TryLockError::Error(error)) => return Err(unreadable(error)),
        }
        let mut state = read(&mut file).map_err(unreadable)?;
        state.file = Some(file);
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// How many answers an interrupted run of this name has left, where nobody carries it out.
    #[must_use]
    pub fn left(folder: &Path, name: &str) -> Option<usize> {
        let mut file = File::open(path(folder, name)).ok()?;
        file.try_lock_shared().ok()?;
        Some(read(&mut file).ok()?.answers).filter(|answers| *answers > 0)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many answers it holds.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.state().answers
    }

    /// Whether the interrupted run was answered, and the answer was not taken yet.
    #[must_use]
    pub fn holds(&self, key: &Key, purpose: &str) -> bool {
        let state = self.state();
        !state.left.is_empty() && state.left.contains_key(&(key.hash().to_owned(), purpose.to_owned()))
    }

    /// Whether the interrupted run had asked this, by the hash of its key.
    #[must_use]
    pub fn had_asked(&self, hash: &str) -> bool {
        self.state().asked.contains(hash)
    }

    /// The answer of the interrupted run; each is taken once.
    #[must_use]
    pub fn take(&self, key: &Key, purpose: &str) -> Option<Noted> {
        let mut state = self.state();
        let State { file, left, .. } = &mut *state;
        let name = (key.hash().to_owned(), purpose.to_owned());
        let places = left.get_mut(&name)?;
        let place = places.pop_front()?;
        if places.is_empty() {
            left.remove(&name);
        }
        let mut line = vec![0; place.length];
        let file = file.as_mut()?;
        file.seek(SeekFrom::Start(place.offset)).ok()?;
        file.read_exact(&mut line).ok()?;
        json_object(&line).ok()
    }

    /// Notes an answer. After the first failure nothing is noted any more: a journal with a gap would still be right,
    /// but the disk is in trouble.
    pub fn note(&self, noted: &Noted) -> io::Result<()> {
        let mut line = serde_json::to_vec(noted).map_err(io::Error::other)?;
        line.push(b'\n');
        let mut state = self.state();
        if state.is_off {
            return Ok(());
        }
        let written = match &mut state.file {
            Some(file) => file.write_all(&line),
            None => match create(&self.path) {
                Ok(Some(mut file)) => file.write_all(&line).map(|()| state.file = Some(file)),
                // Another process carries the same run out, and keeps its journal.
                Ok(None) => {
                    state.is_off = true;
                    return Ok(());
                }
                Err(error) => Err(error),
            },
        };
        match written {
            Ok(()) => state.answers += 1,
            Err(_) => state.is_off = true,
        }
        written
    }

    /// The run has ended by itself: nothing is left to finish.
    pub fn end(&self) {
        let mut state = self.state();
        state.is_off = true;
        if state.file.take().is_some() {
            remove(&self.path);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Keeps the folder out of a repository: what is in it is of this machine and of this hour.
const IGNORE: &str = ".gitignore";

/// How often a folder is made that others remove.
const TRIES: u32 = 5;

/// Removes a journal, and its folder with it when it was the last. What cannot be removed is no harm: its answers are
/// found by what they answer.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let Some(folder) = path.parent() else { return };
    let others = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != IGNORE);
    if fs::read_dir(folder).is_ok_and(|mut entries| !entries.any(others)) {
        let _ = fs::remove_file(folder.join(IGNORE));
        // The folder of everything that akit keeps stays where there is something else in it.
        let _ = fs::remove_dir(folder).and_then(|()| folder.parent().map_or(Ok(()), fs::remove_dir));
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(IGNORE), "*\n")?;
    }
    OpenOptions::new().create(true).read(true).append(true).open(path)
}

/// An empty file that is this process's; `None` where another one has it.
fn create(path: &Path) -> io::Result<Option<File>> {
    // Another process may have removed the folder just now, with its own last journal.
    let gone =
        |found: &io::Result<File>| found.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let mut found = open(path);
    for _ in 1..TRIES {
        if !gone(&found) {
            break;
        }
        found = open(path);
    }
    let file = found?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Where every answer stands. A line that was not written to its end is cut off, where the file can be written.
fn read(file: &mut File) -> io::Result<State> {
    let mut state = State::default();
    let mut reader = BufReader::new(&*file);
    let (mut offset, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        // A line that a disk has spoiled answers nothing.
        if let Ok(noted) = json_object::<Noted>(&line) {
            state.asked.insert(noted.key.clone());
            let places = state.left.entry((noted.key, noted.purpose)).or_default();
            places.push_back(Place { offset, length });
            state.answers += 1;
        }
        offset += length as u64;
    }
    let _ = file.set_len(offset);
    Ok(state)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(n: u32) -> Key {
        Key::of(json!({ "n": n }))
    }

    fn noted(n: u32, purpose: &str, text: &str) -> Noted {
        Noted::of(&key(n), purpose, 7, "t".to_owned(), json!({ "text": text }))
    }

    fn text(noted: Option<Noted>) -> Option<Json> {
        noted.map(|noted| noted.response["text"].clone())
    }

    #[test]
    fn a_run_finds_its_answers_again_each_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("journal");
        assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Nothing(_))));
        let first = Journal::begin(&place, "a");
        for (n, purpose, said) in [(1, "a", "1a"), (1, "b", "1b"), (2, "a", "2a"), (1, "a", "1a again")] {
            first.note(&noted(n, purpose, said)).unwrap();
        }
        assert_eq!(fs::read_to_string(place.join(IGNORE)).unwrap(), "*\n");
        assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Busy(_))));
        assert_eq!(Journal::left(&place, "a"), None, "somebody has it");
        drop(first);
        assert_eq!(Journal::left(&place, "a"), Some(4));

        let second = Journal::resume(&place, "a").unwrap();
        assert!(second.holds(&key(1), "b") && second.had_asked(key(2).hash()) && !second.holds(&key(3), "a"));
        assert_eq!(text(second.take(&key(1), "b")), Some(json!("1b")));
        assert_eq!(text(second.take(&key(1), "a")), Some(json!("1a")));
        assert_eq!(text(second.take(&key(1), "a")), Some(json!("1a again")));
        assert_eq!(second.take(&key(1), "a"), None);
        assert!(second.had_asked(key(1).hash()) && !second.holds(&key(1), "a"));
        // Interrupted once more.
        second.note(&noted(3, "a", "3a")).unwrap();
        drop(second);
        let third = Journal::resume(&place, "a").unwrap();
        assert_eq!(third.answers(), 5);
        assert_eq!(text(third.take(&key(3), "a")), Some(json!("3a")));
        third.end();
        assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Nothing(_))));
        assert!(!place.exists(), "nothing is left");
    }

    #[test]
    fn a_line_that_was_cut_anywhere_is_as_if_it_was_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::begin(folder.path(), "a");
        journal.note(&noted(1, "a", "whole\nline")).unwrap();
        let whole = fs::read(journal.path()).unwrap();
        journal.note(&noted(2, "a", "{\"key\":")).unwrap();
        let both = fs::read(journal.path()).unwrap();
        drop(journal);
        for cut in whole.len()..both.len() {
            fs::write(path(folder.path(), "a"), &both[..cut]).unwrap();
            let journal = Journal::resume(folder.path(), "a").unwrap();
            assert!(!journal.holds(&key(2), "a"));
            journal.note(&noted(3, "a", "after")).unwrap();
            drop(journal);
            let journal = Journal::resume(folder.path(), "a").unwrap();
            assert_eq!(text(journal.take(&key(1), "a")), Some(json!("whole\nline")), "{cut}");
            assert_eq!(text(journal.take(&key(3), "a")), Some(json!("after")), "{cut}");
        }
    }

    #[test]
    fn what_another_process_has_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Journal::begin(folder.path(), "a"), Journal::begin(folder.path(), "a"));
        first.note(&noted(1, "a", "first")).unwrap();
        second.note(&noted(1, "a", "second")).unwrap();
        second.end();
        drop(first);
        let left = Journal::resume(folder.path(), "a").unwrap();
        assert_eq!(text(left.take(&key(1), "a")), Some(json!("first")));
    }
}

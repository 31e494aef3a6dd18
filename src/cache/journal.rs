//! The answers of a run so far, so that an interrupted or killed run can be finished without paying for them twice.
//!
//! One line of JSON per answer, appended before the answer is used: a killed process loses only what was in progress. A
//! line is found by the key of the request and its purpose, so two cases that ask the same do not take each other's
//! answers. It contains what a record of the cache contains, redacted in the same way. Results are not stored: they
//! follow from the answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::source::{json_object, slashed};
use crate::vocabulary::ExchangeKind;

/// The first line of a journal, so that no other file is mistaken for one.
const HEAD: &[u8] = b"{\"schema\":\"akit.journal/1\"}\n";

/// Keeps the folder out of the repository: its content is useful only on this machine, and only until the run ends.
const IGNORE: &str = ".gitignore";

/// How many times to try to open a journal that another process may be removing at the same moment.
const TRIES: u32 = 5;

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file, once something has been written or read; locked against other processes.
    file: Option<File>,
    /// Where in the file the unused answers of the interrupted run are.
    left: BTreeMap<Asked, VecDeque<Place>>,
    /// How many of those are answers of the application.
    replies: usize,
    /// Hashes of the keys of everything that the interrupted run asked.
    asked: BTreeSet<String>,
    /// Number of answers in the file.
    answers: usize,
    /// US dollars that the interrupted run spent, or may have spent.
    spent: f64,
    /// The number of the next try.
    next: u64,
    /// Whether writing has stopped.
    is_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    length: usize,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asked {
    /// Its purpose.
    pub kind: ExchangeKind,
    /// Hash of the cache key.
    pub key: String,
    /// What it was for, as in "the reply to suite/case".
    pub purpose: String,
    /// The seed that was sent, because trials of one case may ask a judge the same question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// What it answers.
    pub asked: Asked,
    /// Milliseconds it took.
    pub latency_ms: u64,
    /// When it was asked, RFC 3339 in UTC.
    pub at: String,
    /// What came back.
    pub response: Json,
}

impl Noted {
    /// Parses a line, if akit wrote it.
    fn read(line: &[u8]) -> Option<Self> {
        let noted: Self = json_object(line).ok()?;
        DateTime::parse_from_rfc3339(&noted.at).is_ok().then_some(noted)
    }
}

/// The cost of one try, as far as it is known: the maximum before it is sent, and the exact cost once it is answered.
/// The last line of a try counts, so a process that is killed in between is assumed to have spent the maximum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paid {
    r#try: u64,
    usd: f64,
}

/// Why an interrupted run cannot be finished.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no interrupted run with this name.
    #[error("no interrupted run of this suite with these settings in {0}")]
    Nothing(String),
    /// Another process is doing this run.
    #[error("another process is still doing this run, and has locked {0}")]
    Busy(String),
    /// It cannot be read, or is not a journal.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, io::Error),
}

impl Journal {
    /// Starts a new journal. One left by an interrupted run is discarded; returns the number of answers it had.
    ///
    /// # Errors If another process is doing the same run, or something other than a journal is in its place. In both
    /// cases, this run has no journal.
    pub fn begin(folder: &Path, name: &str) -> Result<(Self, usize), JournalError> {
        let path = folder.join(format!("{name}.jsonl"));
        let (mut state, mut given_up) = (State::default(), 0);
        if let Some(mut file) = there(&path)? {
            let shown = slashed(&path);
            given_up =
                read(&mut file).map_err(|error| JournalError::Unreadable(shown.clone(), error))?.answers;
            start(&mut file).map_err(|error| JournalError::Unreadable(shown, error))?;
            state.file = Some(file);
        }
        Ok((Self { path, state: Mutex::new(state) }, given_up))
    }

    /// The journal of an interrupted run.
    ///
    /// # Errors
    /// If there is none, another process has it, or it is not a journal.
    pub fn resume(folder: &Path, name: &str) -> Result<Self, JournalError> {
        let path = folder.join(format!("{name}.jsonl"));
        let Some(mut file) = there(&path)? else { return Err(JournalError::Nothing(slashed(folder))) };
        let mut state = read(&mut file).map_err(|error| JournalError::Unreadable(slashed(&path), error))?;
        if state.answers == 0 && state.spent == 0.0 {
            return Err(JournalError::Nothing(slashed(folder)));
        }
        state.file = Some(file);
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of answers in it.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.state().answers
    }

    /// US dollars that the interrupted run spent, including the maximum for requests that were still unanswered.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        self.state().spent
    }

    /// Whether the interrupted run has an unused answer to this.
    #[must_use]
    pub fn holds(&self, asked: &Asked) -> bool {
        self.state().left.contains_key(asked)
    }

    /// Whether there are unused answers of the application.
    #[must_use]
    pub fn has_replies_left(&self) -> bool {
        self.state().replies > 0
    }

    /// Whether the interrupted run asked this, by the hash of its key.
    #[must_use]
    pub fn had_asked(&self, hash: &str) -> bool {
        self.state().asked.contains(hash)
    }

    /// The answer of the interrupted run; each is used once.
    #[must_use]
    pub fn take(&self, asked: &Asked) -> Option<Noted> {
        let mut state = self.state();
        let State { file, left, replies, .. } = &mut *state;
        let places = left.get_mut(asked)?;
        let place = places.pop_front()?;
        if places.is_empty() {
            left.remove(asked);
        }
        *replies -= usize::from(asked.kind == ExchangeKind::Reply);
        let mut line = vec![0; place.length];
        let file = file.as_mut()?;
        file.seek(SeekFrom::Start(place.offset)).ok()?;
        file.read_exact(&mut line).ok()?;
        Noted::read(&line)
    }

    /// Adds an answer. After the first failure, nothing more is written: a journal with a gap would still be correct,
    /// but the disk is not reliable.
    pub fn note(&self, noted: &Noted) -> io::Result<()> {
        self.append(noted, 1)
    }

    /// A number that identifies the cost entries of one try.
    #[must_use]
    pub fn next_try(&self) -> u64 {
        let mut state = self.state();
        state.next += 1;
        state.next
    }

    /// Adds what a try costs, as far as it is known.
    pub fn pay(&self, r#try: u64, usd: f64) -> io::Result<()> {
        self.append(&Paid { r#try, usd }, 0)
    }

    fn append(&self, said: &impl Serialize, answers: usize) -> io::Result<()> {
        let mut line = serde_json::to_vec(said).map_err(io::Error::other)?;
        line.push(b'\n');
        let mut state = self.state();
        if state.is_off {
            return Ok(());
        }
        let written = match &mut state.file {
            Some(file) => file.write_all(&line),
            None => create(&self.path).and_then(|mut file| {
                file.write_all(&line)?;
                state.file = Some(file);
                Ok(())
            }),
        };
        match written {
            Ok(()) => state.answers += answers,
            Err(_) => state.is_off = true,
        }
        written
    }

    /// Ends the journal: the run is complete, so nothing is left to finish.
    pub fn end(&self) {
        let mut state = self.state();
        state.is_off = true;
        // A process that waits for the lock finds that the file is gone.
        let file = state.file.take();
        if file.is_some() {
            remove(&self.path);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The existing journal, locked; anything else in its place is left alone.
fn there(path: &Path) -> Result<Option<File>, JournalError> {
    let shown = slashed(path);
    match locked(path, OpenOptions::new().read(true).append(true)) {
        Ok(Some(file)) => Ok(Some(file)),
        Ok(None) => Err(JournalError::Busy(shown)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::Unreadable(shown, error)),
    }
}

/// Opens and locks a regular file that has only one name; `None` if another process has locked it.
fn locked(path: &Path, options: &mut OpenOptions) -> io::Result<Option<File>> {
    let refuse = || Err(io::Error::other("it is not a file that akit wrote"));
    let is_own = |data: &fs::Metadata| data.is_file() && has_one_name(data);
    if is_behind_link(path) {
        return refuse();
    }
    // Opening a pipe would wait for its other end.
    if fs::symlink_metadata(path).is_ok_and(|data| !is_own(&data)) {
        return refuse();
    }
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (opened, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    if !is_own(&opened) || named.is_symlink() || !is_same(&opened, &named) {
        // It was removed or replaced while waiting for the lock.
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(Some(file))
}

/// Whether the folder is a link, whose target does not belong to akit.
fn is_behind_link(path: &Path) -> bool {
    path.parent().and_then(|folder| fs::symlink_metadata(folder).ok()).is_some_and(|data| data.is_symlink())
}

#[cfg(unix)]
fn has_one_name(data: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(data) == 1
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn has_one_name(_: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// A new file with only the head.
fn create(path: &Path) -> io::Result<File> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for _ in 0..TRIES {
        if let Some(folder) = path.parent().filter(|_| !is_behind_link(path)) {
            fs::create_dir_all(folder)?;
            let ignore = folder.join(IGNORE);
            if fs::symlink_metadata(&ignore).is_err() {
                fs::write(ignore, "*\n")?;
            }
        }
        match locked(path, OpenOptions::new().create(true).read(true).append(true)) {
            Ok(Some(mut file)) if file.metadata()?.len() == 0 => {
                start(&mut file)?;
                return Ok(file);
            }
            Ok(_) => return Err(io::Error::other("another process is doing the same run")),
            // Another process has just removed the folder with its last journal.
            Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Truncates it to the head.
fn start(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(HEAD)
}

/// Removes a journal, and its folder if it was the last. A failure does no harm, because answers are looked up by their
/// request.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let Some(folder) = path.parent() else { return };
    let others = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != IGNORE);
    if fs::read_dir(folder).is_ok_and(|mut entries| !entries.any(others)) {
        let ignore = folder.join(IGNORE);
        let _ = fs::remove_file(&ignore);
        if fs::remove_dir(folder).is_ok() {
            // The parent folder stays if there is something else in it.
            let _ = folder.parent().map(fs::remove_dir);
        } else {
            // Another process has started a journal meanwhile.
            let _ = fs::write(ignore, "*\n");
        }
    }
}

/// Finds all answers. An incomplete last line is cut off.
fn read(file: &mut File) -> io::Result<State> {
    let mut state = State::default();
    let mut reader = BufReader::new(&*file);
    let (mut offset, mut line, mut paid) = (0, Vec::new(), BTreeMap::new());
    reader.read_until(b'\n', &mut line)?;
    if line != HEAD {
        // A process that was killed before it wrote the head has stored no answers.
        let is_begun = HEAD.starts_with(&line);
        return if is_begun { Ok(state) } else { Err(io::Error::other("it is not a journal")) };
    }
    offset += line.len() as u64;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        // A damaged line is ignored.
        if let Some(noted) = Noted::read(&line) {
            state.asked.insert(noted.asked.key.clone());
            state.replies += usize::from(noted.asked.kind == ExchangeKind::Reply);
            state.left.entry(noted.asked).or_default().push_back(Place { offset, length });
            state.answers += 1;
        } else if let Ok(Paid { r#try, usd }) = json_object(&line)
            && usd.is_finite()
            && usd >= 0.0
        {
            paid.insert(r#try, usd);
        }
        offset += length as u64;
    }
    file.set_len(offset)?;
    state.spent = paid.values().sum();
    state.next = paid.keys().copied().max().unwrap_or_default();
    Ok(state)
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;

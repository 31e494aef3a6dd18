//! Writes records: each is complete under its name when [`Recorder::write`] returns, and groups of them are flushed to
//! disk together.
//!
//! A killed process loses nothing that was written. A power failure loses at most the records of the last second and
//! those that the disk was still writing; an incomplete record is read as damaged and requested again.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::source::{sweep, temporary};

/// Records written within this time are flushed together, because a flush also waits for what other programs wrote.
const GROUP: Duration = Duration::from_secs(1);

/// Longest wait for the disk at the end.
const LAST: Duration = Duration::from_secs(5);

/// Maximum number of leftover files of one process with the same name.
const NAMES: u64 = 1_000;

/// Writes the records of one folder.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// The folder, links resolved, once it exists.
    root: OnceLock<PathBuf>,
    /// The folders in it that exist.
    shelves: Mutex<BTreeSet<String>>,
    names: AtomicU64,
    disk: OnceLock<Arc<Disk>>,
}

/// What is written but not yet flushed.
#[derive(Debug, Default)]
struct Disk {
    state: Mutex<Unsynced>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Unsynced {
    /// Files of the group.
    files: Vec<PathBuf>,
    /// Whether a group is being flushed.
    is_busy: bool,
    /// Whether nothing more will be written.
    is_over: bool,
}

impl Recorder {
    /// Checks that the folder takes files, or, if it does not exist yet, that the nearest folder above does. Leaves no
    /// file behind.
    pub(super) fn prepare(&self, folder: &Path) -> io::Result<()> {
        let full = std::path::absolute(folder)?;
        // A dangling link exists but takes no files.
        let is_there = |folder: &&Path| fs::symlink_metadata(folder).is_ok();
        let there = full.ancestors().find(is_there).unwrap_or(&full);
        if !there.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let (path, file) = self.temporary(there)?;
        drop(file);
        fs::remove_file(path)
    }

    /// Writes a record under the hexadecimal hash of its key.
    pub(super) fn write(&self, folder: &Path, key: &str, bytes: &[u8]) -> io::Result<()> {
        let root = self.root(folder)?;
        let name = &key[..2];
        let home = root.join(name);
        if !lock(&self.shelves).contains(name) {
            make(&home)?;
            // Anyone who can propose a change can propose a link to any folder of this machine.
            if !fs::symlink_metadata(&home)?.is_dir() {
                return Err(io::Error::other(format!(
                    "it contains `{name}`, which is a link or a special file"
                )));
            }
            sweep(&home);
            lock(&self.shelves).insert(name.to_owned());
        }
        let (path, mut file) = match self.temporary(&home) {
            // The folder was cleared meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&home)?;
                self.temporary(&home)?
            }
            found => found?,
        };
        let place = home.join(format!("{key}.json"));
        let written = file.write_all(bytes).and_then(|()| {
            drop(file);
            fs::rename(&path, &place)
        });
        if let Err(error) = written {
            // A file that could not be written may not be removable either.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.disk(root).note(place);
        Ok(())
    }

    fn root(&self, folder: &Path) -> io::Result<&Path> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        fs::create_dir_all(folder)?;
        let root = fs::canonicalize(folder)?;
        Ok(self.root.get_or_init(|| root))
    }

    /// A new file next to the records; its name shows that it is not one.
    fn temporary(&self, folder: &Path) -> io::Result<(PathBuf, File)> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..NAMES {
            let number = self.names.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}{number}", temporary()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn disk(&self, root: &Path) -> &Disk {
        self.disk.get_or_init(|| {
            let disk = Arc::new(Disk::default());
            let (shared, root) = (Arc::clone(&disk), root.to_path_buf());
            thread::spawn(move || shared.sync(&root));
            disk
        })
    }
}

/// Waits until everything is on disk, for [`LAST`] at most.
impl Drop for Recorder {
    fn drop(&mut self) {
        let Some(disk) = self.disk.get() else { return };
        let mut state = lock(&disk.state);
        state.is_over = true;
        disk.changed.notify_all();
        let until = Instant::now() + LAST;
        while state.is_busy || !state.files.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = disk.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Disk {
    fn note(&self, file: PathBuf) {
        let mut state = lock(&self.state);
        let is_first = state.files.is_empty();
        state.files.push(file);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Flushes group after group until nothing more is written.
    fn sync(&self, root: &Path) {
        let mut state = lock(&self.state);
        loop {
            while state.files.is_empty() {
                if state.is_over {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let until = Instant::now() + GROUP;
            while !state.is_over {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            let files = std::mem::take(&mut state.files);
            state.is_busy = true;
            drop(state);
            // A failed flush is not reported: the record can be read now, and is asked for again if it is lost.
            let _ = bring(root, &files);
            state = lock(&self.state);
            state.is_busy = false;
            self.changed.notify_all();
        }
    }
}

/// Flushes files and their names to disk.
#[cfg(target_os = "linux")]
fn bring(root: &Path, _: &[PathBuf]) -> io::Result<()> {
    // One call for all of them; a call per file would wait for the disk each time.
    nix::unistd::syncfs(File::open(root)?).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn bring(_: &Path, files: &[PathBuf]) -> io::Result<()> {
    for file in files {
        File::open(file)?.sync_data()?;
    }
    #[cfg(unix)]
    for shelf in files.iter().filter_map(|file| file.parent()).collect::<BTreeSet<_>>() {
        File::open(shelf)?.sync_all()?;
    }
    Ok(())
}

/// Creates a folder unless it exists.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder),
        made => made,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: usize) -> String {
        format!("{:02x}{n:062x}", n % 256)
    }

    #[test]
    fn records_are_complete_under_their_names_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/cache");
        let recorder = Recorder::default();
        thread::scope(|scope| {
            for part in 0..4 {
                let (recorder, place) = (&recorder, &place);
                scope.spawn(move || {
                    for n in (part * 50)..(part * 50 + 60) {
                        recorder.write(place, &hash(n), n.to_string().as_bytes()).unwrap();
                        let read = fs::read_to_string(place.join(&hash(n)[..2]).join(hash(n) + ".json"));
                        assert_eq!(read.unwrap(), n.to_string());
                    }
                });
            }
        });
        drop(recorder);
        let files =
            walkdir::WalkDir::new(&place).into_iter().flatten().filter(|one| one.file_type().is_file());
        assert_eq!(files.count(), 210);
    }

    #[test]
    fn a_folder_cleared_during_a_run_is_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::default();
        recorder.write(folder.path(), &hash(1), b"1").unwrap();
        fs::remove_dir_all(folder.path().join("01")).unwrap();
        recorder.write(folder.path(), &hash(1), b"2").unwrap();
        assert_eq!(fs::read(folder.path().join("01").join(hash(1) + ".json")).unwrap(), b"2");
    }

    #[test]
    fn names_that_are_taken_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::default();
        fs::create_dir(folder.path().join("01")).unwrap();
        for number in 0..3 {
            fs::write(folder.path().join("01").join(format!("{}{number}", temporary())), "").unwrap();
        }
        recorder.write(folder.path(), &hash(1), b"1").unwrap();
        assert!(folder.path().join("01").join(hash(1) + ".json").exists());
    }

    #[test]
    fn an_unwritable_folder_is_noticed_in_advance() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Recorder::default().prepare(&file).is_err());
        assert!(Recorder::default().prepare(&file.join("below")).is_err());
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
            assert!(Recorder::default().prepare(&link).is_err());
            fs::remove_file(link).unwrap();
        }
        Recorder::default().prepare(&folder.path().join("deep/cache")).unwrap();
        let left = fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["file"]);
    }

    /// Finishing waits for the disk.
    #[test]
    fn nothing_is_left_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::default();
        recorder.write(folder.path(), &hash(1), b"1").unwrap();
        let disk = Arc::clone(recorder.disk.get().unwrap());
        drop(recorder);
        let state = lock(&disk.state);
        assert!(state.files.is_empty() && !state.is_busy && state.is_over);
    }
}

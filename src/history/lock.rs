//! One update at a time: a lock on the folder, since the file itself is replaced by another one.

use std::fs::File;
use std::path::Path;

use super::HistoryError;
use crate::source::slashed;

/// Waits until nobody else updates a baseline in this folder; ends when it is dropped.
pub(super) fn hold(folder: &Path) -> Result<File, HistoryError> {
    let take = || {
        let file = open(folder)?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(|source| HistoryError::Write { path: slashed(folder), source })
}

/// A folder itself can be locked, and nothing is left behind.
#[cfg(unix)]
fn open(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

/// Where folders cannot be opened a file stands in for them; to remove it would let two in at once.
#[cfg(not(unix))]
fn open(folder: &Path) -> std::io::Result<File> {
    File::options().create(true).write(true).truncate(false).open(folder.join(".akit-baseline.lock"))
}

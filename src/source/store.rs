//! Writes a file completely or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::temporary::{sweep, temporary};

/// Bytes per write call.
const BLOCK: usize = 64 * 1024;

/// A file to be written: its folder exists and accepts new files.
///
/// Nothing is visible under its name until [`Pending::write`] has succeeded.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    place: Destination,
}

#[derive(Debug)]
enum Destination {
    /// Next to the final name, renamed at the end.
    Beside(tempfile::NamedTempFile),
    /// A device or pipe, which must not be replaced by a file.
    Device(fs::File),
}

impl Pending {
    /// Reserves a place for the file and creates missing folders. Leftovers of a killed process next to it are removed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let place = match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
            }
            Ok(found) if !takes_text(path, &found) => {
                return Err(io::Error::other("it is a pipe, a socket, or a device, not a file"));
            }
            Ok(found) if !found.is_file() => Destination::Device(OpenOptions::new().write(true).open(path)?),
            Ok(found) if found.permissions().readonly() => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
            }
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                fs::create_dir_all(folder)?;
                sweep(folder);
                Destination::Beside(tempfile::Builder::new().prefix(temporary()).tempfile_in(folder)?)
            }
        };
        Ok(Self { path: path.to_path_buf(), place })
    }

    /// The final path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file and gives it its name.
    pub fn write(self, bytes: &[u8]) -> io::Result<()> {
        self.write_with(|out| out.write_all(bytes))
    }

    /// Like [`Pending::write`], but in pieces, so that the file is never in memory as a whole. If a piece fails, there
    /// is no file.
    pub fn write_with<E: From<io::Error>>(
        self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.place {
            Destination::Device(device) => flushed(device, write).map(drop),
            Destination::Beside(file) => {
                let file = flushed(file, write)?;
                share(file.as_file())?;
                // A link keeps pointing to the same place; its target is replaced.
                let path = fs::canonicalize(&self.path).unwrap_or(self.path);
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

/// Whether text can be written there without waiting: to files, to the streams of this process, and to `/dev/null`.
/// Opening a pipe waits for its reader, and what another device does with a report is unknown.
#[cfg(unix)]
#[must_use]
pub fn takes_text(path: &Path, found: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = found.file_type();
    let is_stream =
        ["/dev/fd", "/dev/stdout", "/dev/stderr", "/proc/self/fd"].iter().any(|at| path.starts_with(at));
    let is_open = is_stream || ["/dev/null", "/dev/tty", "/dev/full"].iter().any(|at| path == Path::new(at));
    found.is_file() || kind.is_char_device() && is_open || kind.is_fifo() && is_stream
}

/// Whether text can be written there.
#[cfg(not(unix))]
#[must_use]
pub fn takes_text(_: &Path, _: &fs::Metadata) -> bool {
    true
}

/// Writes in blocks and flushes the last one.
fn flushed<W: Write, E: From<io::Error>>(
    place: W,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<W, E> {
    let mut out = BufWriter::with_capacity(BLOCK, place);
    write(&mut out)?;
    Ok(out.into_inner().map_err(io::IntoInnerError::into_error)?)
}

/// Temporary files are private, but akit's output is meant to be read by others.
#[cfg(unix)]
fn share(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_complete_and_folders_are_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.json");
        let pending = Pending::open(&path).unwrap();
        assert!(!path.exists());
        pending.write(b"x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
        drop(Pending::open(&path).unwrap());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing may be left");
    }

    #[test]
    fn a_file_with_a_failed_piece_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let failed = Pending::open(&path).unwrap().write_with(|out| {
            out.write_all(&vec![b'x'; 3 * BLOCK])?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn folders_and_files_in_the_way_are_refused_early() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Pending::open(folder.path()).is_err());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Pending::open(&file.join("under")).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn devices_are_written_to_and_not_replaced() {
        Pending::open(Path::new("/dev/null")).unwrap().write(b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}

//! Temporary files, and which of them are abandoned.
//!
//! A name identifies the writer: the machine with its process numbers, and the process. Only files of processes on this
//! machine that are gone are removed silently. Files of other machines or older versions are judged by age, and removed
//! only on request: a run can hold its claim on a report for hours.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::text;

/// Prefix of a file's name while it is written.
const TEMPORARY: &str = ".akit-";

/// Age from which a record of another machine is abandoned: one hour, while writing one takes less than a second.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Prefix of the names of this process's files.
#[must_use]
pub fn temporary() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| format!("{TEMPORARY}{}-{}-", here(), std::process::id()))
}

/// The files in a folder of records left by killed processes, including those of other machines and older versions.
#[must_use]
pub fn abandoned(folder: &Path, now: SystemTime) -> Vec<PathBuf> {
    let is_old = |data: &fs::Metadata| {
        data.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > ABANDONED))
    };
    files(folder, |name, data| match writer(name) {
        Some((place, process)) if place == here() && can_be_asked() => !lives(process),
        _ => is_old(data),
    })
}

/// Removes the files in a folder left by killed processes of this machine.
pub fn sweep(folder: &Path) {
    let left = files(folder, |name, _| {
        writer(name).is_some_and(|(place, process)| place == here() && can_be_asked() && !lives(process))
    });
    for path in left {
        // Another process may clean up too, and what cannot be removed does no harm.
        let _ = fs::remove_file(path);
    }
}

/// The regular files in a folder that match by temporary name and metadata, in order.
fn files(folder: &Path, wanted: impl Fn(&str, &fs::Metadata) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let data = name.starts_with(TEMPORARY).then(|| fs::symlink_metadata(path).ok()).flatten();
            data.is_some_and(|data| data.is_file() && wanted(&name, &data))
        })
        .collect();
    found.sort();
    found
}

/// The machine and the process in a name that akit makes; `None` for any other name.
fn writer(name: &str) -> Option<(&str, u32)> {
    let (place, rest) = name.strip_prefix(TEMPORARY)?.split_once('-')?;
    let (process, rest) = rest.split_once('-')?;
    let right = place.len() == 8 && place.bytes().all(|byte| byte.is_ascii_hexdigit()) && !rest.is_empty();
    right.then(|| process.parse().ok()).flatten().map(|process| (place, process))
}

/// The machine since its last boot and its process numbers, as 8 hexadecimal digits; containers have numbers of their
/// own.
fn here() -> &'static str {
    static HERE: OnceLock<String> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let numbers = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let hash = Sha256::new().chain_update(boot).chain_update(numbers.as_os_str().as_encoded_bytes());
        text::hex(&hash.finalize()[..4])
    })
}

/// Whether this system can tell which processes are alive.
fn can_be_asked() -> bool {
    cfg!(target_os = "linux") && lives(std::process::id())
}

fn lives(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_left_by_killed_processes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        let process = dead.id();
        dead.wait().unwrap();
        let names = [
            (format!("{}1", temporary()), "mine"),
            (format!("{TEMPORARY}{}-1-x", here()), "of a process that lives"),
            (format!("{TEMPORARY}{}-{process}-x", here()), "of a dead process"),
            (format!("{TEMPORARY}00000000-{process}-x"), "of another machine"),
            (format!("{TEMPORARY}Ab3xY9"), "of an older version"),
            (format!("{TEMPORARY}policy.yaml"), "somebody's own policy"),
            ("report-.akit-1-2-3".to_owned(), "a file of somebody's own"),
        ];
        for (name, words) in &names {
            fs::write(folder.path().join(name), words).unwrap();
        }
        fs::create_dir(folder.path().join(format!("{TEMPORARY}{}-{process}-folder", here()))).unwrap();
        let found = |after: Duration| {
            let found = abandoned(folder.path(), SystemTime::now() + after);
            found
                .iter()
                .map(|path| fs::read_to_string(path).unwrap())
                .collect::<std::collections::BTreeSet<_>>()
        };
        let dead_here = if cfg!(target_os = "linux") { vec!["of a dead process"] } else { vec![] };
        assert_eq!(found(Duration::ZERO), dead_here.iter().map(ToString::to_string).collect());
        let old = found(Duration::from_secs(3_601));
        assert!(old.contains("of another machine") && old.contains("of an older version"), "{old:?}");
        assert!(!old.contains("a file of somebody's own"));
        if cfg!(target_os = "linux") {
            assert!(!old.contains("mine") && !old.contains("of a process that lives"), "{old:?}");
        }
        for (name, _) in &names {
            let file = fs::File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(7_200)).unwrap();
        }
        sweep(folder.path());
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(
            left,
            if cfg!(target_os = "linux") { 7 } else { 8 },
            "only files of dead processes may be removed"
        );
    }
}

//! Files under a temporary name, and which of them nobody will give another name any more.
//!
//! A name tells who writes: a mark of the machine and its process numbers, and the number of the process. So what a
//! killed process left behind is known for sure where it ran here, and by its age alone elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::text;

/// How the name of a file begins while it is written.
const TEMPORARY: &str = ".akit-";

/// From this age on a file of another machine belongs to nobody: one hour, and a report is claimed when a run begins.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// How the names of this process's files begin.
#[must_use]
pub fn temporary() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| format!("{TEMPORARY}{}-{}-", here(), std::process::id()))
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

/// The files in a folder that a process left when it was killed.
#[must_use]
pub fn abandoned(folder: &Path, now: SystemTime) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_temporary(path) && is_abandoned(path, now))
        .collect();
    found.sort();
    found
}

/// Removes the files in a folder that a process left when it was killed.
pub fn sweep(folder: &Path) {
    for path in abandoned(folder, SystemTime::now()) {
        // Another process may sweep as well, and what cannot be removed is in nobody's way.
        let _ = fs::remove_file(path);
    }
}

fn is_abandoned(path: &Path, now: SystemTime) -> bool {
    let Some(data) = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file) else { return false };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut parts = name[TEMPORARY.len()..].split('-');
    let writer = parts.next().zip(parts.next().and_then(|process| process.parse().ok()));
    match writer {
        Some((place, process)) if place == here() && can_be_asked() => !lives(process),
        _ => data.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > ABANDONED)),
    }
}

/// The machine since it was started and its process numbers, as 8 hexadecimal digits; containers have numbers of
/// their own.
fn here() -> &'static str {
    static HERE: OnceLock<String> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let numbers = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let hash = Sha256::new().chain_update(boot).chain_update(numbers.as_os_str().as_encoded_bytes());
        text::hex(&hash.finalize()[..4])
    })
}

/// Whether this system tells which processes live.
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
    fn what_a_killed_process_left_is_swept_and_nothing_else() {
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
        sweep(folder.path());
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, if cfg!(target_os = "linux") { 6 } else { 7 });
    }
}

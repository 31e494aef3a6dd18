//! The records of the cache: anyone who can propose a change can propose an answer or a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::Log;
use crate::cache::Untrusted;
use crate::gate::Weakening;
use crate::history::Brought;
use crate::text;
use crate::vocabulary::WeakeningKind as Kind;

/// Records that exist only in the change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cached {
    /// Paths of added and changed records.
    added: Vec<String>,
    changed: Vec<String>,
    /// A link, a repository or a file that the change adds at the folder's path, or above it.
    link: Option<String>,
}

/// What a change adds to the cache folder, given all its paths; `real` is the folder that links lead to, if it is in
/// the repository.
#[must_use]
pub fn cached(brought: &BTreeMap<String, Brought>, folder: &str, real: Option<&str>) -> Cached {
    let mut cached = Cached::default();
    // Some file systems ignore case.
    let (folder, real) = (folder.to_lowercase(), real.map(str::to_lowercase));
    for (path, what) in brought {
        let name = path.to_lowercase();
        // A nested repository in place of a subfolder is one path, whatever is in it.
        let is_shelf = is_within(&name, &folder) && hash(&name).is_none() && is_record(&name);
        if name == folder || is_within(&folder, &name) || is_shelf {
            cached.link = Some(path.clone());
        } else if is_within(&name, &folder) || real.as_ref().is_some_and(|real| is_within(&name, real)) {
            match what {
                Brought::Added => cached.added.push(path.clone()),
                Brought::Changed => cached.changed.push(path.clone()),
            }
        }
    }
    cached
}

/// Whether a path is below a folder.
pub fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

impl Cached {
    /// What must not be read, if anything.
    #[must_use]
    pub fn untrusted(&self) -> Option<Untrusted> {
        if self.link.is_some() {
            return Some(Untrusted::All);
        }
        let all = self.added.iter().chain(&self.changed);
        let hashes: BTreeSet<_> = all.filter_map(|path| hash(path)).collect();
        (!hashes.is_empty()).then_some(Untrusted::Some(hashes))
    }

    /// What is not read, as a sentence.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let because = "anyone could have written records that exist only in this change";
        if let Some(link) = &self.link {
            return Some(format!(
                "no cached record is read: `{}` is new in this change; {because}",
                text::excerpt(link, 120)
            ));
        }
        let mut records = self.added.iter().chain(&self.changed).filter(|path| hash(path).is_some());
        let first = text::excerpt(records.next()?, 120);
        let all = text::count(records.count() + 1, "cached record");
        Some(format!("{all} not read (first: `{first}`); {because}"))
    }

    /// Weakenings: changed records, links on the path to records and, if `read` says that they are used, new records.
    #[must_use]
    pub fn weakened(&self, read: bool) -> Vec<Weakening> {
        let mut log = Log::default();
        if let Some(link) = &self.link {
            log.file(Kind::CacheMoved, link, &format!("the records are now behind the link `{link}`"));
        }
        let groups = [
            (Kind::CacheRecordAdded, &self.added, read, "this change adds"),
            (Kind::CacheRecordChanged, &self.changed, true, "this change rewrites"),
        ];
        for (kind, paths, is_named, what) in groups {
            let mut records = paths.iter().filter(|path| is_named && is_record(path));
            if let Some(first) = records.next() {
                let all = text::count(records.count() + 1, "record");
                log.file(kind, first, &format!("{what} {all} in the cache (first: `{first}`)"));
            }
        }
        log.close()
    }
}

/// The hash in the name of a record.
fn hash(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?.to_lowercase();
    let name = name.strip_suffix(".json")?;
    (name.len() == 64 && is_hex(name)).then(|| name.to_owned())
}

/// Whether it is a record, or a link in place of a subfolder of them.
fn is_record(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    hash(path).is_some() || (name.len() == 2 && is_hex(name))
}

fn is_hex(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

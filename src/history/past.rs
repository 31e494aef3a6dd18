//! The files of the commit that a change is compared with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use super::base::{self, Base, choose};
use super::git::{Commits, Git, GitError, short};
use super::{HistoryError, Pipeline};
use crate::baseline::Baseline;

/// Bytes of names that git gets at once: they must fit into a pipe, since its output is not read while the names are
/// written.
const AT_ONCE: usize = 16 * 1024;

/// Maximum number of links that are followed one after another.
const LINKS_DEEP: usize = 8;

/// What a change did to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// The commit has no file at this path.
    Added,
    /// The commit has another version.
    Changed,
}

/// A commit whose files can be read; paths are relative to the root of its repository.
#[derive(Debug)]
pub struct PastCommit {
    git: Git,
    base: Base,
    tree: OnceLock<Tree>,
}

/// The files of a commit, including their paths through links.
#[derive(Debug, Default)]
struct Tree {
    /// Each visible path with the path of its content.
    files: BTreeMap<String, String>,
    /// Each link with its target as written.
    links: BTreeMap<String, String>,
}

impl Tree {
    /// Combines files and links. A link that leads out of the repository, or in a circle, is ignored.
    fn of(files: impl IntoIterator<Item = String>, links: BTreeMap<String, String>) -> Self {
        let mut files: BTreeMap<_, _> = files.into_iter().map(|path| (path.clone(), path)).collect();
        // One more round for each link that leads through another one.
        for _ in 0..LINKS_DEEP {
            let mut found = Vec::new();
            for (link, target) in &links {
                let Some(target) = target_of(link, target) else { continue };
                let below = format!("{target}/");
                let within = files.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
                let within = within
                    .map(|(path, content)| (format!("{link}/{}", &path[below.len()..]), content.clone()));
                found.extend(within);
                found.extend(files.get(&target).map(|content| (link.clone(), content.clone())));
            }
            let before = files.len();
            files.extend(found);
            if files.len() == before {
                break;
            }
        }
        Self { files, links }
    }
}

/// The path that a link points to; `None` if it is outside of the repository.
fn target_of(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl PastCommit {
    /// The commit that a change is compared with, in the repository of a folder.
    ///
    /// # Errors
    /// Without git, a repository, or a target branch.
    pub fn base(within: &Path, pipeline: &Pipeline) -> Result<Self, GitError> {
        let git = Git::open(Some(within))?;
        let base = choose(&git, pipeline)?;
        Ok(Self { git, base, tree: OnceLock::new() })
    }

    /// The merge base of HEAD and a revision; the revision itself if they have no commit in common.
    ///
    /// The revision itself may be newer: what its branch gained after the change began was not removed by the change.
    ///
    /// # Errors
    /// Without git, a repository, or a commit of this name.
    pub fn since(within: &Path, revision: &str) -> Result<Self, GitError> {
        let git = Git::open(Some(within))?;
        let commit = git.commit(revision)?;
        let head = git.commit("HEAD")?;
        let base = match git.merge_base(&head, &commit)? {
            Some(shared) if shared != commit => Base { commit: shared, role: "the merge base" },
            _ => Base { commit, role: "as asked" },
        };
        Ok(Self { git, base, tree: OnceLock::new() })
    }

    /// The commit, as reports show it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", short(&self.base.commit), self.base.role)
    }

    /// The commit in seven digits.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.base.commit)
    }

    /// The baseline of this commit, or of one shortly before it, with what the change accepts.
    pub fn baseline(&self, path: &str) -> Result<(Baseline, String), HistoryError> {
        base::read(&self.git, &self.base, path)
    }

    /// The files that git tracks now and that this commit does not have, or has with other bytes, by path.
    ///
    /// This compares the index: what a pipeline wrote to a file later is not part of the change.
    pub fn brought(&self) -> Result<BTreeMap<String, Brought>, GitError> {
        let options = ["--cached", "-z", "--no-renames", "--ignore-submodules=none", "--name-status"];
        let arguments = [&["diff-index"], &options[..], &[&self.base.commit]].concat();
        let listed = self.must("list changes", &arguments, "")?;
        let mut words = listed.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let mut brought = BTreeMap::new();
        while let (Some(letter), Some(path)) = (words.next(), words.next()) {
            let what = match &*letter {
                "D" => continue,
                "A" => Brought::Added,
                _ => Brought::Changed,
            };
            brought.insert(path.into_owned(), what);
        }
        Ok(brought)
    }

    /// The paths of all files in alphabetical order, including those behind links.
    pub fn paths(&self) -> Result<Vec<String>, GitError> {
        Ok(self.tree()?.files.keys().cloned().collect())
    }

    /// Every link with its target as written.
    pub fn links(&self) -> Result<BTreeMap<String, String>, GitError> {
        Ok(self.tree()?.links.clone())
    }

    /// The contents of files as text; `None` if the commit has no such file or it is not text.
    pub fn texts(&self, paths: &[String]) -> Result<Vec<Option<String>>, GitError> {
        let files = &self.tree()?.files;
        let real: Vec<_> = paths.iter().map(|path| files.get(path).unwrap_or(path).clone()).collect();
        self.blobs(&real)
    }

    fn tree(&self) -> Result<&Tree, GitError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", &self.base.commit];
        let listed = self.must("list files", &arguments, "")?;
        let (mut files, mut links) = (Vec::new(), Vec::new());
        for line in listed.split(|byte| *byte == 0) {
            // MODE TYPE HASH, a tab, and the path.
            let line = String::from_utf8_lossy(line);
            if let Some((head, path)) = line.split_once('\t') {
                let list = if head.starts_with("120000 ") { &mut links } else { &mut files };
                list.push(path.to_owned());
            }
        }
        let targets = self.blobs(&links)?;
        let links = links.into_iter().zip(targets).filter_map(|(link, target)| Some((link, target?)));
        Ok(self.tree.get_or_init(|| Tree::of(files, links.collect())))
    }

    fn blobs(&self, paths: &[String]) -> Result<Vec<Option<String>>, GitError> {
        let mut texts = Vec::with_capacity(paths.len());
        let mut rest = paths;
        while !rest.is_empty() {
            let (mut names, mut taken) = (String::new(), 0);
            for path in rest {
                // A name with a line end cannot be asked for. An empty one finds nothing.
                let path = if path.contains('\n') { "" } else { path };
                let name = format!("{}:{path}\n", self.base.commit);
                if taken > 0 && names.len() + name.len() > AT_ONCE {
                    break;
                }
                names.push_str(&name);
                taken += 1;
            }
            let output = self.must("read files", &["cat-file", "--batch"], &names)?;
            blobs(&output, taken, &mut texts);
            rest = &rest[taken..];
        }
        Ok(texts)
    }

    fn must(&self, doing: &str, arguments: &[&str], input: &str) -> Result<Vec<u8>, GitError> {
        let output = self.git.run(arguments, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let reason = crate::text::excerpt(String::from_utf8_lossy(&output.stderr).trim(), 400);
        Err(GitError::Failed { doing: format!("{doing} of {}", short(&self.base.commit)), reason })
    }
}

/// Parses the output of `git cat-file --batch`: `HASH blob SIZE`, the bytes and a line end, or a line that says why
/// there are none.
fn blobs(mut output: &[u8], count: usize, texts: &mut Vec<Option<String>>) {
    for _ in 0..count {
        let end = output.iter().position(|byte| *byte == b'\n').unwrap_or(output.len());
        let head = String::from_utf8_lossy(&output[..end]).into_owned();
        output = output.get(end + 1..).unwrap_or_default();
        let words: Vec<&str> = head.split(' ').collect();
        let size = match words.as_slice() {
            [hash, _, size] if hash.len() >= 40 && !hash.contains(':') => size.parse::<usize>().ok(),
            _ => None,
        };
        let Some(size) = size else {
            texts.push(None);
            continue;
        };
        let bytes = output.get(..size).unwrap_or_default();
        let blob = words[1] == "blob";
        texts.push(String::from_utf8(bytes.to_vec()).ok().filter(|_| blob));
        output = output.get(size + 1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_under_the_names_of_links() {
        let links = [
            ("scenarios", "real"),
            ("deep/one.yaml", "../real/s.yaml"),
            ("again", "./scenarios/"),
            ("out", "../elsewhere"),
            ("absolute", "/etc"),
            ("circle", "circle"),
            ("nowhere", "gone"),
        ];
        let links = links.map(|(link, target)| (link.to_owned(), target.to_owned()));
        let files = ["akit.yaml", "real/s.yaml", "real/more/t.yaml"].map(str::to_owned);
        let tree = Tree::of(files, links.into());
        let seen: Vec<_> = tree.files.iter().map(|(path, real)| format!("{path} {real}")).collect();
        assert_eq!(
            seen,
            [
                "again/more/t.yaml real/more/t.yaml",
                "again/s.yaml real/s.yaml",
                "akit.yaml akit.yaml",
                "deep/one.yaml real/s.yaml",
                "real/more/t.yaml real/more/t.yaml",
                "real/s.yaml real/s.yaml",
                "scenarios/more/t.yaml real/more/t.yaml",
                "scenarios/s.yaml real/s.yaml",
            ]
        );
    }

    #[test]
    fn blobs_are_distinguished_from_trees_and_missing_files() {
        let hash = "0".repeat(40);
        let output =
            format!("{hash} blob 4\na\nb\n\nx:no file missing\n{hash} tree 2\nzz\n{hash} blob 0\n\n");
        let mut texts = Vec::new();
        blobs(output.as_bytes(), 4, &mut texts);
        assert_eq!(texts, [Some("a\nb\n".to_owned()), None, None, Some(String::new())]);
    }
}

//! A documentation page and its parts.

use std::path::{Path, PathBuf};

use super::quoted;

pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block: its info string and its lines.
pub(crate) struct Block<'a> {
    pub(crate) mark: &'a str,
    pub(crate) line: usize,
    pub(crate) body: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn pages() -> Vec<Page> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|name| root().join(name)).into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| Page {
            name: path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"),
            text: std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n"),
        })
        .collect()
}

impl Block<'_> {
    /// The language, and the rest of the info string.
    pub(crate) fn marks(&self) -> (&str, &str) {
        let (language, rest) = self.mark.split_once(' ').unwrap_or((self.mark, ""));
        (language, rest.trim())
    }
}

impl Page {
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (open.take(), line.strip_prefix("```")) {
                (None, Some(mark)) => {
                    open = Some(Block { mark: mark.trim(), line: index + 1, body: String::new() });
                }
                (None, None) => {}
                (Some(block), Some(_)) => blocks.push(block),
                (Some(mut block), None) => {
                    block.body.push_str(line);
                    block.body.push('\n');
                    open = Some(block);
                }
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name);
        blocks
    }

    /// All lines outside of fences, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut lines = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            if line.starts_with("```") {
                inside = !inside;
            } else if !inside {
                lines.push((index + 1, line));
            }
        }
        lines
    }

    /// The first column of every table whose first heading is this word.
    pub(crate) fn column(&self, heading: &str) -> Vec<String> {
        let mut cells = Vec::new();
        let mut inside = false;
        for (_, line) in self.prose() {
            let first = line.strip_prefix('|').and_then(|rest| rest.split('|').next()).map(str::trim);
            match first {
                None => inside = false,
                Some(cell) if cell == heading => inside = true,
                Some(cell) if inside && !cell.starts_with("---") => cells.extend(quoted(cell)),
                Some(_) => {}
            }
        }
        cells
    }
}
